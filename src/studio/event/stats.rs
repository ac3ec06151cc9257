//! Figures of a broadcast, once a second. Counters are totals since the broadcast began.

use std::time::Duration;

use crate::media::source_status::SourceState;
use crate::media::{RenditionId, Size};
use crate::studio::targets::TargetState;

/// The figures of one second.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Stats {
    pub video: Option<Video>,
    pub audio: Option<Audio>,
    /// The strips of the mixer, the main one first.
    pub strips: Vec<Strip>,
    pub targets: Vec<Target>,
    /// While the stream is held back.
    pub delay: Option<DelayFigures>,
    /// Of this process; 1.0 is one core.
    pub cpu: f32,
    pub rss_bytes: u64,
}

/// The frame.
#[derive(Copy, Clone, Debug, PartialEq, Default)]
pub struct Video {
    /// Program frames drawn.
    pub captured: u64,
    pub encoded: u64,
    /// Due frames that were not drawn or not encoded, because the machine was too busy.
    pub skipped: u64,
    /// Over the last second.
    pub fps: f64,
    /// Encoded over the last second, bits a second.
    pub bitrate: u32,
    /// The allowed bitrate: as configured, or lower for a slow connection.
    pub allowed: u32,
    /// The encoded size: as configured, or smaller for a slow connection.
    pub size: Option<Size>,
    /// The size and bitrate of the second encode, while there is one.
    pub second: Option<(Size, u32)>,
    pub keyframes: u64,
    /// The mean encoding time of a frame over the last second.
    pub encode_ms: Option<f64>,
}

/// The audio.
#[derive(Copy, Clone, Debug, PartialEq, Default)]
pub struct Audio {
    /// Samples a channel.
    pub samples: u64,
    /// Encoded over the last second, bits a second.
    pub bitrate: u32,
    pub level_dbfs: f32,
    /// The highest peak of the last 20 s.
    pub held_dbfs: f32,
    /// A sample has reached full scale since the reset.
    pub clipped: bool,
    /// Over about 300 ms.
    pub rms_dbfs: f32,
    /// The maximum so far, and EBU R 128 loudness; `None` if not measured, and for silence.
    pub true_peak_dbtp: Option<f32>,
    pub momentary_lufs: Option<f32>,
    pub short_term_lufs: Option<f32>,
    pub integrated_lufs: Option<f32>,
    pub drift_ppm: Option<f64>,
}

/// A strip of the mixer.
#[derive(Clone, Debug, PartialEq)]
pub struct Strip {
    /// The user's name, else that of its device or source.
    pub name: String,
    /// The state of its source.
    pub state: SourceState,
    /// After fader and mute.
    pub level_dbfs: f32,
    /// Like those of [`Audio`].
    pub held_dbfs: f32,
    pub clipped: bool,
    /// The same, over about 300 ms.
    pub rms_dbfs: f32,
    /// Its device's clock against ours, parts per million, once measured.
    pub drift_ppm: Option<f64>,
}

/// A target.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Target {
    pub state: TargetState,
    pub sent_bytes: u64,
    /// Over the last second, bits a second.
    pub bitrate: u32,
    pub queued_ms: u64,
    pub dropped_frames: u64,
    /// Packets of audio.
    pub dropped_audio: u64,
    /// Frames sent.
    pub sent_frames: u64,
    pub reconnects: u32,
    pub round_trip_ms: Option<f64>,
    /// The time from the last frame's capture until it was sent.
    pub frame_age_ms: Option<f64>,
    /// Its encode.
    pub rendition_id: RenditionId,
    /// The size of its frames.
    pub size: Option<Size>,
    /// The viewer monitor's result, if it is on.
    pub monitor: Option<Monitor>,
}

impl Target {
    /// Takes the counters of `last`; measurements of the last second stay.
    pub fn count(&mut self, last: &Self) {
        self.state = last.state;
        self.sent_bytes = last.sent_bytes;
        self.queued_ms = last.queued_ms;
        self.dropped_frames = last.dropped_frames;
        self.dropped_audio = last.dropped_audio;
        self.sent_frames = last.sent_frames;
        self.reconnects = last.reconnects;
    }
}

/// The viewers' stream of a target.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Monitor {
    /// Like in [`event::Monitor`](crate::studio::event::Monitor).
    pub state: &'static str,
    pub latency_ms: Option<f64>,
    pub av_offset_ms: Option<f64>,
    pub fps: Option<f64>,
    /// Bits a second.
    pub bitrate: u32,
}

/// The state of the delay.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum DelayState {
    /// Nothing was sent yet.
    Filling,
    /// Viewers see the stream later by the delay.
    On,
    /// The same, with less than was wanted: there is no room for more.
    Shortened,
    /// No more packets are taken; the held ones are still sent.
    Draining,
}

impl DelayState {
    /// Its word in events.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Filling => "filling",
            Self::On => "on",
            Self::Shortened => "shortened",
            Self::Draining => "draining",
        }
    }
}

/// The state of the stream delay.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct DelayFigures {
    pub state: DelayState,
    /// How late viewers see the stream: as requested, or less if space is limited.
    pub delay: Duration,
    /// The span of the held packets.
    pub held: Duration,
    /// Nothing was sent yet: that begins after this time.
    pub begins_in: Option<Duration>,
    pub memory_bytes: u64,
    pub disk_bytes: u64,
}

/// Converts a byte counter to bits per second, once per second.
#[derive(Copy, Clone, Debug, Default)]
pub(in crate::studio) struct Meter {
    last_bytes: u64,
    last_at_micros: i64,
}

impl Meter {
    /// The rate since the call before, bits a second.
    pub(in crate::studio) fn rate(&mut self, bytes: u64, at: crate::base::Timestamp) -> u32 {
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
    fn rates_are_bits_a_second() {
        let mut meter = Meter::default();
        meter.rate(1_000, Timestamp::from_millis(1_000));
        assert_eq!(meter.rate(2_000, Timestamp::from_millis(1_500)), 16_000);
        // A counter that starts again is no rate.
        assert_eq!(meter.rate(0, Timestamp::from_millis(2_000)), 0);
    }
}
