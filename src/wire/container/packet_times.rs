//! How long packets last, and how the times of a file that is copied lie.

use std::time::Duration;

use super::TrackId;
use crate::base::Timestamp;
use crate::media::{AudioCodec, AudioConfig};
use crate::wire::codec::aac::AudioSpecificConfig;

/// The times of a file that is copied, which may lie below zero.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Timing {
    /// Where the file's zero is among the times of the samples that a writer gets: whole seconds.
    pub zero: Timestamp,
    pub tracks: Vec<TrackTiming>,
}

/// Those of one track.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct TrackTiming {
    pub track: TrackId,
    /// Ticks a second, by which each time of it is exact; 0: milliseconds.
    pub timescale: u32,
    /// How long a sample lasts, mostly.
    pub period: Duration,
    /// When the first sample is shown or heard, without the above zero.
    pub begins: Timestamp,
}

impl Timing {
    /// That of a track.
    pub fn of(&self, track: TrackId) -> Option<&TrackTiming> {
        self.tracks.iter().find(|timing| timing.track == track)
    }
}

/// Samples of one packet of audio, and how many of them make a second: of AAC those of the core, where
/// bands are replicated on top of it. Of Opus and FLAC, whose packets may differ, what is usual.
pub fn audio_frame(audio: &AudioConfig) -> (u32, u32) {
    let rate = audio.sample_rate.max(1);
    match audio.codec {
        AudioCodec::Opus => (960, 48_000),
        AudioCodec::Ac3 | AudioCodec::Eac3 => (1_536, rate),
        AudioCodec::Mp3 if rate < 32_000 => (576, rate),
        AudioCodec::Mp3 | AudioCodec::Mp2 => (1_152, rate),
        AudioCodec::Flac => {
            let most = audio.config.get(2..4).and_then(|it| it.try_into().ok());
            (most.map_or(4_096, u16::from_be_bytes).max(16).into(), rate)
        }
        _ => {
            let core = AudioSpecificConfig::parse(&audio.config).ok();
            let rate = core.as_ref().map_or(audio.sample_rate, |core| core.sample_rate).max(1);
            (if core.is_some_and(|core| core.short_frames) { 960 } else { 1_024 }, rate)
        }
    }
}
