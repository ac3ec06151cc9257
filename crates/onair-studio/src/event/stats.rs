//! Figures of a broadcast, once per second. The counters of video and audio include earlier
//! broadcasts and recordings. Those of a target begin with the broadcast.

use std::time::Duration;

use crate::base::named;
use crate::media::source_status::SourceState;
use crate::media::{RenditionId, Size};
use crate::server::guests::GuestBudget;
use crate::studio::targets::TargetState;

/// The figures of one second.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Stats {
    pub video: Option<Video>,
    pub audio: Option<Audio>,
    /// The strips of the mixer, the main one first.
    pub strips: Vec<Strip>,
    pub targets: Vec<Target>,
    /// The second canvas, while it is sent or recorded.
    pub canvas: Option<Canvas>,
    /// What the guests cost, while there are guests.
    pub guests: Option<Guests>,
    /// Set while the stream is delayed.
    pub delay: Option<DelayFigures>,
    /// The CPU use of this process; 1.0 is one core.
    pub cpu: f32,
    pub rss_bytes: u64,
}

/// The figures of the video.
#[derive(Copy, Clone, Debug, PartialEq, Default)]
pub struct Video {
    /// Program frames drawn.
    pub captured: u64,
    pub encoded: u64,
    /// Due frames that were not drawn or not encoded, because the computer was overloaded.
    pub skipped: u64,
    /// The skipped frames that were not drawn.
    pub undrawn: u64,
    /// Frames that the second encode has skipped.
    pub second_skipped: u64,
    /// Frames per second, over the last second. In the second of the first frames, the rate by their
    /// timestamps.
    pub fps: f64,
    /// The encoded bits per second, over the last second.
    pub bitrate: u32,
    /// The allowed bitrate: the configured one, or less for a slow connection or the H.264 level.
    pub allowed: u32,
    /// The encoded size: the configured one, or a smaller one for a slow connection.
    pub size: Option<Size>,
    /// The size and bitrate of the second encode, while there is one.
    pub second: Option<(Size, u32)>,
    pub keyframes: u64,
    /// The mean time in ms to encode a frame, over the last second.
    pub encode_ms: Option<f64>,
}

/// The figures of the second canvas. Its audio is the program's.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Canvas {
    pub video: Option<Video>,
    pub targets: Vec<Target>,
}

/// What the guests who are connected send and get, in bits per second over about a second.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Guests {
    /// What they may send.
    pub budget: GuestBudget,
    /// What they send, all together.
    pub received: u64,
    /// What they get of the program, all together, without the audio that each gets alone.
    pub sent: u64,
}

/// The figures of the audio.
#[derive(Copy, Clone, Debug, PartialEq, Default)]
pub struct Audio {
    /// Samples per channel.
    pub samples: u64,
    /// The encoded bits per second, over the last second.
    pub bitrate: u32,
    pub level_dbfs: f32,
    /// The highest peak of the last 20 s, in dBFS.
    pub held_dbfs: f32,
    /// True if a sample has reached full scale since the reset.
    pub clipped: bool,
    /// The RMS level over about 300 ms.
    pub rms_dbfs: f32,
    /// The maximum true peak so far; `None` if it is not measured, and for silence.
    pub true_peak_dbtp: Option<f32>,
    /// The loudness by EBU R 128; `None` if it is not measured, and for silence.
    pub momentary_lufs: Option<f32>,
    pub short_term_lufs: Option<f32>,
    pub integrated_lufs: Option<f32>,
    pub drift_ppm: Option<f64>,
}

/// The figures of a mixer strip.
#[derive(Clone, Debug, PartialEq)]
pub struct Strip {
    /// The name set by the user, otherwise that of its device or source.
    pub name: String,
    /// The state of its source.
    pub state: SourceState,
    /// The level after fader and mute.
    pub level_dbfs: f32,
    /// The held peak; see [`Audio`].
    pub held_dbfs: f32,
    pub clipped: bool,
    /// The RMS level over about 300 ms.
    pub rms_dbfs: f32,
    /// The drift of the device's clock relative to the session clock in parts per million, once
    /// measured.
    pub drift_ppm: Option<f64>,
}

/// The figures of a target.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Target {
    pub state: TargetState,
    pub sent_bytes: u64,
    /// Bits per second, over at least the last second without an interruption.
    pub bitrate: u32,
    pub queued_ms: u64,
    pub dropped_frames: u64,
    /// Dropped audio packets.
    pub dropped_audio: u64,
    /// Frames that were never sent, because the connection was interrupted or lost.
    pub lost_frames: u64,
    /// Frames sent.
    pub sent_frames: u64,
    pub reconnects: u32,
    pub round_trip_ms: Option<f64>,
    /// The share of the packets of the last second that the other side missed at first, if the
    /// protocol notices it, and the bytes that were sent again.
    pub loss: Option<f64>,
    pub repeated_bytes: u64,
    /// The time from the capture of the last sent frame until it was sent.
    pub frame_age_ms: Option<f64>,
    /// The number of sizes in which the target gets the video at the moment; 0 before the first
    /// frame.
    pub layers: u8,
    /// The rendition of the target.
    pub rendition_id: RenditionId,
    /// The size of the frames.
    pub size: Option<Size>,
    /// The viewer monitor's result, if it is on.
    pub monitor: Option<Monitor>,
}

impl Target {
    /// Replaces the counters with those of `last`, and keeps the measurements of the last second.
    pub fn count(&mut self, last: &Self) {
        self.state = last.state;
        self.sent_bytes = last.sent_bytes;
        self.repeated_bytes = last.repeated_bytes;
        self.queued_ms = last.queued_ms;
        self.dropped_frames = last.dropped_frames;
        self.dropped_audio = last.dropped_audio;
        self.lost_frames = last.lost_frames;
        self.sent_frames = last.sent_frames;
        self.reconnects = last.reconnects;
    }

    /// Returns the counters after the end of the broadcast, without the measurements.
    fn counters(&self) -> Self {
        Self {
            bitrate: 0,
            queued_ms: 0,
            round_trip_ms: None,
            loss: None,
            frame_age_ms: None,
            monitor: None,
            ..self.clone()
        }
    }
}

/// The last counters of a broadcast. Those of the video include earlier broadcasts.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Totals {
    /// The encoded frames and keyframes; `None` without a video encoder.
    pub video: Option<(u64, u64)>,
    pub targets: Vec<Target>,
}

impl Stats {
    /// Replaces the counters with the last ones, and keeps the measurements of the last second.
    pub fn count(&mut self, last: &Totals) {
        if let Some((encoded, keyframes)) = last.video {
            let video = self.video.get_or_insert_default();
            (video.encoded, video.keyframes) = (encoded, keyframes);
        }
        self.targets.resize(last.targets.len().max(self.targets.len()), Target::default());
        self.targets.iter_mut().zip(&last.targets).for_each(|(known, last)| known.count(last));
    }

    /// Adds the counters of earlier broadcasts. A recording without targets keeps the last ones.
    pub fn add_earlier(&mut self, earlier: &Self) {
        if let (Some(video), Some(earlier)) = (&mut self.video, &earlier.video) {
            video.captured += earlier.captured;
            video.encoded += earlier.encoded;
            video.skipped += earlier.skipped;
            video.undrawn += earlier.undrawn;
            video.second_skipped += earlier.second_skipped;
            video.keyframes += earlier.keyframes;
        }
        if let (Some(audio), Some(earlier)) = (&mut self.audio, &earlier.audio) {
            audio.samples += earlier.samples;
        }
        if self.targets.is_empty() {
            self.targets = earlier.targets.iter().map(Target::counters).collect();
        }
    }
}

/// The viewers' stream of a target.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Monitor {
    /// The state, with the names of [`event::Monitor`](crate::studio::event::Monitor).
    pub state: &'static str,
    pub latency_ms: Option<f64>,
    pub av_offset_ms: Option<f64>,
    pub fps: Option<f64>,
    /// Bits per second.
    pub bitrate: u32,
}

named! {
    /// The state of the delay.
    #[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
    pub enum DelayState {
        /// No packet was sent yet.
        Filling = "filling",
        /// Viewers see the stream with the requested delay.
        On = "on",
        /// Viewers see the stream with a shorter delay than requested, because there is not enough
        /// space.
        Shortened = "shortened",
        /// The delay takes no more packets, but still sends the held ones.
        Draining = "draining",
    }
    /// Returns the name of the state in events.
    fn name;
}

/// The state of the stream delay.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct DelayFigures {
    pub state: DelayState,
    /// The delay with which viewers see the stream: as requested, or less if space is limited.
    pub delay: Duration,
    /// The duration of the held packets.
    pub held: Duration,
    /// The time until sending begins; `None` once sending has begun.
    pub begins_in: Option<Duration>,
    pub memory_bytes: u64,
    pub disk_bytes: u64,
}

/// Converts a byte counter to bits per second. [`Meter::rate`] is called once per second.
#[derive(Copy, Clone, Debug, Default)]
pub(crate) struct Meter {
    last_bytes: u64,
    last_at_micros: i64,
}

impl Meter {
    /// Returns the rate since the previous call, in bits per second.
    pub fn rate(&mut self, bytes: u64, at: crate::base::Timestamp) -> u32 {
        let micros = at.as_micros().saturating_sub(self.last_at_micros).max(1);
        let bits = bytes.saturating_sub(self.last_bytes).saturating_mul(8);
        *self = Self { last_bytes: bytes, last_at_micros: at.as_micros() };
        u32::try_from(u128::from(bits) * 1_000_000 / u128::from(micros.unsigned_abs()))
            .unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Timestamp;

    #[test]
    fn a_target_of_an_earlier_broadcast_has_counters_but_no_measurements() {
        let counters = || Target { sent_bytes: 9, sent_frames: 3, ..Target::default() };
        let measured = Target {
            bitrate: 8,
            queued_ms: 7,
            round_trip_ms: Some(6.0),
            frame_age_ms: Some(5.0),
            monitor: Some(Monitor::default()),
            ..counters()
        };
        let mut stats = Stats::default();
        stats.add_earlier(&Stats { targets: vec![measured], ..Stats::default() });
        assert_eq!(stats.targets, [counters()]);
    }

    #[test]
    fn rates_are_bits_a_second() {
        let mut meter = Meter::default();
        meter.rate(1_000, Timestamp::from_millis(1_000));
        assert_eq!(meter.rate(2_000, Timestamp::from_millis(1_500)), 16_000);
        // After a counter was reset, the rate is 0.
        assert_eq!(meter.rate(0, Timestamp::from_millis(2_000)), 0);
    }
}
