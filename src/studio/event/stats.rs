//! Figures of a broadcast, once a second. Counters are totals since the broadcast began.

use std::time::Duration;

use crate::media::source_status::SourceState;
use crate::media::{RenditionId, Size};
use crate::studio::targets::TargetState;

/// One second's figures.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Stats {
    pub video: Option<Video>,
    pub audio: Option<Audio>,
    /// The strips of the mixer, the main one first.
    pub strips: Vec<Strip>,
    pub targets: Vec<Target>,
    /// While the stream is held back.
    pub delay: Option<DelayFigures>,
    /// Of this process, 1.0 is one core.
    pub cpu: f32,
    pub rss_bytes: u64,
}

/// The frame.
#[derive(Copy, Clone, Debug, PartialEq, Default)]
pub struct Video {
    /// Program frames made.
    pub captured: u64,
    pub encoded: u64,
    /// Frames that were due and were not made or not encoded, because the machine was too busy.
    pub skipped: u64,
    /// Over the last second.
    pub fps: f64,
    /// Encoded over the last second, bits a second.
    pub bitrate: u32,
    /// What it may be: as set, or less for a slow connection.
    pub allowed: u32,
    /// What is encoded now: as set, or smaller for a slow connection.
    pub size: Option<Size>,
    /// While there is a second encode, its size and what it may be, bits a second.
    pub second: Option<(Size, u32)>,
    pub keyframes: u64,
    /// What encoding a frame took over the last second, mean.
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
    /// A sample has been at full scale since the clip lamp was put out.
    pub clipped: bool,
    /// Over about 300 ms.
    pub rms_dbfs: f32,
    /// The highest so far, and loudness after EBU R 128; `None` where it is not measured, and of silence.
    pub true_peak_dbtp: Option<f32>,
    pub momentary_lufs: Option<f32>,
    pub short_term_lufs: Option<f32>,
    pub integrated_lufs: Option<f32>,
    pub drift_ppm: Option<f64>,
}

/// A strip of the mixer.
#[derive(Clone, Debug, PartialEq)]
pub struct Strip {
    /// As a person calls it, else after its device or source.
    pub name: String,
    /// How its source fares.
    pub state: SourceState,
    /// After fader and mute.
    pub level_dbfs: f32,
    /// As those of [`Audio`].
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
    /// From the last frame's capture until it was handed to the connection.
    pub frame_age_ms: Option<f64>,
    /// Which encode goes there.
    pub rendition_id: RenditionId,
    /// The size of its frames.
    pub size: Option<Size>,
    /// What its viewers get, where that is looked at.
    pub monitor: Option<Monitor>,
}

impl Target {
    /// Counts as the `last` figures do; what was measured over the last second stays.
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

/// What viewers of a target get.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Monitor {
    /// As in [`event::Monitor`](crate::studio::event::Monitor).
    pub state: &'static str,
    pub latency_ms: Option<f64>,
    pub av_offset_ms: Option<f64>,
    pub fps: Option<f64>,
    /// Bits a second.
    pub bitrate: u32,
}

/// What the delay does.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum DelayState {
    /// Nothing has gone out yet.
    Filling,
    /// Viewers see the stream later by the delay.
    On,
    /// The same, with less than was wanted: there is no room for more.
    Shortened,
    /// Nothing more is taken in; what is held still is sent.
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

/// How much is held back.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct DelayFigures {
    pub state: DelayState,
    /// Viewers see the stream this much later: as wanted, or less where there is no room.
    pub delay: Duration,
    /// From the oldest to the newest of what is held.
    pub held: Duration,
    /// Nothing has gone out yet: that begins this much later.
    pub begins_in: Option<Duration>,
    pub memory_bytes: u64,
    pub disk_bytes: u64,
}

/// Turns a counter of bytes into bits a second, once a second.
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
