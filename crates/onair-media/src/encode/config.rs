//! The configuration of video and audio encoding.

use std::str::FromStr;
use std::time::Duration;

use crate::media::{BitsPerSecond, FrameRate, Size};

/// Selects a video encoder.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, Default)]
pub enum Choice {
    /// The best encoder that opens.
    #[default]
    Auto,
    /// OpenH264, in software.
    OpenH264,
    /// No codec, for tests; see `backend::pipelined`.
    #[cfg(test)]
    Pipelined,
}

impl Choice {
    /// The encoders that a user can choose.
    pub const ALL: [Self; 2] = [Self::Auto, Self::OpenH264];

    /// Returns the name on the command line and in the settings file.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::OpenH264 => "openh264",
            #[cfg(test)]
            Self::Pipelined => "pipelined",
        }
    }
}

impl FromStr for Choice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let known = Self::ALL.into_iter().find(|choice| choice.name() == text);
        let names = || Self::ALL.map(Self::name).join(", ");
        known.ok_or_else(|| format!("'{text}' is none of {}", names()))
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
