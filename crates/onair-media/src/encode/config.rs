//! The configuration of video and audio encoding.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::media::{BitsPerSecond, FrameRate, Size};
use crate::text::Problem;
use crate::text::problem::problem;

/// Selects a video encoder.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, Default)]
pub enum Choice {
    /// The best encoder that opens.
    #[default]
    Auto,
    /// OpenH264, in software.
    OpenH264,
    /// x264 of the system, in software, in a process of its own.
    X264,
    /// No codec, for tests; see `backend::pipelined`.
    #[cfg(test)]
    Pipelined,
}

impl Choice {
    /// The encoders that a user can choose.
    pub const ALL: [Self; 3] = [Self::Auto, Self::OpenH264, Self::X264];

    /// Returns the name on the command line and in the settings file.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::OpenH264 => "openh264",
            Self::X264 => "x264",
            #[cfg(test)]
            Self::Pipelined => "pipelined",
        }
    }

    /// Returns the presets of the encoder, the fastest first. An encoder without presets is always
    /// used in the same way.
    pub const fn presets(self) -> &'static [&'static str] {
        match self {
            Self::X264 => &X264_PRESETS,
            _ => &[],
        }
    }

    /// Returns the preset that is used if none is chosen. It is the fastest one whose pictures are
    /// clearly better than those of OpenH264.
    pub const fn usual_preset(self) -> Option<&'static str> {
        match self {
            Self::X264 => Some("veryfast"),
            _ => None,
        }
    }
}

/// The presets of x264. Slower presets than these are for files.
const X264_PRESETS: [&str; 8] =
    ["ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower"];

impl FromStr for Choice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let known = Self::ALL.into_iter().find(|choice| choice.name() == text);
        let names = || Self::ALL.map(Self::name).join(", ");
        known.ok_or_else(|| format!("'{text}' is none of {}", names()))
    }
}

/// The name of an encoder's preset, which trades processor time for quality.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, Default)]
pub enum Preset {
    /// The usual preset of the encoder.
    #[default]
    Auto,
    Named(&'static str),
}

impl Preset {
    /// Returns the name on the command line and in the settings file.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Named(name) => name,
        }
    }

    /// Returns all names, without repetitions.
    pub fn names() -> Vec<&'static str> {
        let mut all = vec![Self::Auto.name()];
        for name in Choice::ALL.into_iter().flat_map(Choice::presets) {
            if !all.contains(name) {
                all.push(name);
            }
        }
        all
    }
}

impl FromStr for Preset {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Self, Problem> {
        let names = Self::names();
        match names.iter().find(|name| **name == text) {
            Some(&"auto") => Ok(Self::Auto),
            Some(name) => Ok(Self::Named(name)),
            None => Err(problem!("value-none-of", known = names.as_slice())),
        }
    }
}

/// How an encoder spends its bits.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, Default)]
pub enum RateControl {
    /// The bitrate at all times.
    #[default]
    Cbr,
    /// The bitrate on average, with up to half as much again for hard scenes.
    Vbr,
    /// This quality, with the bitrate as the limit. Lower numbers are better.
    Crf(u8),
}

impl RateControl {
    /// The quality of `crf` without a number.
    pub const USUAL_CRF: u8 = 23;
    /// The highest number, which is the worst quality.
    pub const MAX_CRF: u8 = 51;
}

impl fmt::Display for RateControl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cbr => f.write_str("cbr"),
            Self::Vbr => f.write_str("vbr"),
            Self::Crf(number) => write!(f, "crf={number}"),
        }
    }
}

impl FromStr for RateControl {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Self, Problem> {
        match text {
            "cbr" => return Ok(Self::Cbr),
            "vbr" => return Ok(Self::Vbr),
            "crf" => return Ok(Self::Crf(Self::USUAL_CRF)),
            _ => {}
        }
        let number = text.strip_prefix("crf=").and_then(|number| number.parse().ok());
        let number = number.filter(|number| *number <= Self::MAX_CRF);
        number.map(Self::Crf).ok_or_else(|| problem!("encode-rate-control-form"))
    }
}

/// The profile of H.264.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, Default)]
pub enum Profile {
    #[default]
    High,
    /// The profile that every browser decodes over WebRTC (RFC 7742 §6.2). This profile needs about
    /// 10 % more bits than High.
    ConstrainedBaseline,
}

/// The configuration of video encoding.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Video {
    /// The size of the input frames. The encoded size is the same, unless a smaller one is
    /// requested.
    pub size: Size,
    /// The rate of the frame grid.
    pub frame_rate: FrameRate,
    /// The bitrate, which the encoder keeps over any 2 s.
    pub bitrate: BitsPerSecond,
    /// The keyframe interval, rounded to whole frames, at least one.
    pub keyframe_interval: Duration,
    pub encoder: Choice,
    pub preset: Preset,
    pub rate_control: RateControl,
}

/// The configuration of audio encoding.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Audio {
    /// Samples per second, one of the rates of AAC.
    pub sample_rate: u32,
    /// Number of channels, 1 or 2.
    pub channels: u16,
    pub bitrate: BitsPerSecond,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn presets_and_rate_controls_are_read_as_they_are_written() {
        for name in Preset::names() {
            assert_eq!(name.parse::<Preset>().unwrap().name(), name);
        }
        assert!("placebo".parse::<Preset>().is_err());
        for text in ["cbr", "vbr", "crf=0", "crf=51"] {
            assert_eq!(text.parse::<RateControl>().unwrap().to_string(), text);
        }
        assert_eq!("crf".parse(), Ok(RateControl::Crf(23)));
        for text in ["", "crf=52", "crf=-1", "cqp", "crf=2.5"] {
            assert!(text.parse::<RateControl>().is_err(), "{text}");
        }
    }

    #[test]
    fn the_usual_preset_is_one_of_the_presets() {
        for choice in Choice::ALL {
            let usual = choice.usual_preset();
            assert_eq!(usual.is_none(), choice.presets().is_empty());
            assert!(usual.is_none_or(|usual| choice.presets().contains(&usual)));
        }
    }
}
