//! How video and audio are encoded.

use std::str::FromStr;
use std::time::Duration;

use crate::media::{BitsPerSecond, FrameRate, Size};

/// Which video encoder.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, Default)]
pub enum Choice {
    /// The best that opens.
    #[default]
    Auto,
    /// OpenH264, in software.
    OpenH264,
    /// No codec at all, for tests: see `backend::pipelined`.
    #[cfg(test)]
    Pipelined,
}

impl Choice {
    /// What there is to choose from.
    pub const ALL: [Self; 2] = [Self::Auto, Self::OpenH264];

    /// Its word on the command line and in the settings.
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

/// How frames are encoded.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Video {
    /// Of every frame that comes; others are refused. What is encoded has it too, unless
    /// something smaller is asked for.
    pub size: Size,
    /// Of the frame grid on which the frames lie.
    pub frame_rate: FrameRate,
    /// What the stream costs, held over any 2 s.
    pub bitrate: BitsPerSecond,
    /// From one keyframe to the next, rounded to whole frames, at least one.
    pub keyframe_interval: Duration,
    pub encoder: Choice,
}

/// How audio is encoded.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Audio {
    /// Samples a second, one of AAC's rates.
    pub sample_rate: u32,
    /// 1 or 2.
    pub channels: u16,
    pub bitrate: BitsPerSecond,
}
