//! Durations of packets, and the times of a copied file.

use std::time::Duration;

use super::TrackId;
use crate::base::Timestamp;
use crate::media::{AudioCodec, AudioConfig};
use crate::wire::codec::aac::AudioSpecificConfig;

/// Start times of a remuxed file, which may be negative.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Timing {
    /// Time zero of the file, in whole seconds, on the timeline of the samples that a writer gets.
    pub zero: Timestamp,
    pub tracks: Vec<TrackTiming>,
}

/// Times of one track.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct TrackTiming {
    pub track: TrackId,
    /// Ticks per second in which every time is exact; 0 means milliseconds.
    pub timescale: u32,
    /// Usual duration of a sample.
    pub period: Duration,
    /// Presentation time of the first sample, relative to `zero`.
    pub begins: Timestamp,
    /// Presentation time of the first shown frame, relative to `zero`, if frames after `zero` are hidden.
    pub shown_from: Option<Timestamp>,
}

impl Timing {
    /// Returns the times of this track.
    pub fn of(&self, track: TrackId) -> Option<&TrackTiming> {
        self.tracks.iter().find(|timing| timing.track == track)
    }
}

/// Returns the number of samples per audio packet, and per second. For AAC with SBR, these are the
/// values of the core. For Opus and FLAC, whose packets may differ, these are the usual values.
pub fn audio_frame(audio: &AudioConfig) -> (u32, u32) {
    let rate = audio.sample_rate.max(1);
    match audio.codec {
        AudioCodec::Opus => (960, 48_000),
        AudioCodec::Ac3 | AudioCodec::Eac3 => (1_536, rate),
        AudioCodec::Mp3 if rate < 32_000 => (576, rate),
        AudioCodec::Mp3 | AudioCodec::Mp2 => (1_152, rate),
        AudioCodec::Flac => {
            let most = audio.codec_config.get(2..4).and_then(|it| it.try_into().ok());
            (most.map_or(4_096, u16::from_be_bytes).max(16).into(), rate)
        }
        _ => {
            let core = AudioSpecificConfig::parse(&audio.codec_config).ok();
            let rate = core.as_ref().map_or(audio.sample_rate, |core| core.sample_rate).max(1);
            (if core.is_some_and(|core| core.short_frames) { 960 } else { 1_024 }, rate)
        }
    }
}
