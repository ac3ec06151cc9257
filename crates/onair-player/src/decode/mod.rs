//! Decoder threads: packets to frames and sample blocks.

pub mod audio;
pub(crate) mod balance;
pub mod stretch;
pub(crate) mod video;

use crate::media::AudioConfig;

/// Describes an audio codec, such as `AAC-LC 48 kHz stereo`.
pub(crate) fn describe(decoder: &str, config: &AudioConfig) -> String {
    let rate = f64::from(config.sample_rate) / 1_000.0;
    let channels = match config.channels {
        1 => "mono".to_owned(),
        2 => "stereo".to_owned(),
        n => format!("{n} channels"),
    };
    format!("{decoder} {rate} kHz {channels}")
}
