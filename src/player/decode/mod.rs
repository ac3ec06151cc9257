//! Decoder threads: packets to frames and sample blocks.

pub mod audio;
pub(in crate::player) mod balance;
pub mod stretch;
pub(in crate::player) mod video;

use crate::media::AudioConfig;

/// Describes an audio codec, such as `AAC-LC 48 kHz stereo`.
pub(in crate::player) fn describe(decoder: &str, config: &AudioConfig) -> String {
    let rate = f64::from(config.sample_rate) / 1_000.0;
    let channels = match config.channels {
        1 => "mono".to_owned(),
        2 => "stereo".to_owned(),
        n => format!("{n} channels"),
    };
    format!("{decoder} {rate} kHz {channels}")
}
