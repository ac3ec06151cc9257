//! The configuration of video and audio encoding.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::base::named;
pub use crate::encode::choice::{Choice, CodecChoice, Preset};
use crate::media::{BitsPerSecond, FrameRate, Size};
use crate::text::Problem;
use crate::text::problem::problem;

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
    /// This quantizer, whatever the bitrate is. Encoders of the processor use it like `Crf`.
    Cq(u8),
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
            Self::Cq(number) => write!(f, "cq={number}"),
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
            "cq" => return Ok(Self::Cq(Self::USUAL_CRF)),
            _ => {}
        }
        let (of, number): (fn(u8) -> Self, _) = match text.strip_prefix("cq=") {
            Some(number) => (Self::Cq, Some(number)),
            None => (Self::Crf, text.strip_prefix("crf=")),
        };
        let number = number.and_then(|number| number.parse().ok());
        let number = number.filter(|number| *number <= Self::MAX_CRF);
        number.map(of).ok_or_else(|| problem!("encode-rate-control-form"))
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
    /// The maximum number of B-frames in a row. They save bits, and delay packets by that many
    /// frames.
    pub b_frames: u8,
    /// The number of frames that the encoder sees before it encodes one. They delay packets.
    pub look_ahead: u8,
}

impl Video {
    /// The maximum number of B-frames in a row.
    pub const MAX_B_FRAMES: u8 = Choice::MAX_B_FRAMES;
    /// The maximum number of frames to look ahead.
    pub const MAX_LOOK_AHEAD: u8 = Choice::MAX_LOOK_AHEAD;

    /// Returns how much later than other encoders' packets the packets can come, by their DTS.
    pub fn delay(&self) -> Duration {
        let (b_frames, look_ahead) = (u32::from(self.b_frames), u32::from(self.look_ahead));
        let frames = match (b_frames, look_ahead) {
            (0, 0) => 0,
            // A reference frame comes before the B-frames that precede it, which shifts every DTS
            // by up to two frames.
            _ => look_ahead.max(b_frames + 1) + b_frames.min(2),
        };
        self.frame_rate.period() * frames
    }
}

named! {
    /// The audio codec of outputs that carry both.
    #[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, Default)]
    pub enum AudioCodecChoice {
        /// The codec that every target and viewer takes, except WebRTC.
        #[default]
        Aac = "aac",
        /// The codec that sounds better at the same bitrate.
        Opus = "opus",
    }
    /// Returns the name on the command line and in the settings file.
    fn name;
}

impl FromStr for AudioCodecChoice {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Self, Problem> {
        let known = Self::ALL.into_iter().find(|codec| codec.name() == text);
        known.ok_or_else(|| problem!("value-none-of", known = Self::ALL.map(Self::name).as_slice()))
    }
}

named! {
    /// The profile of AAC.
    #[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, Default)]
    pub enum AudioProfile {
        /// The profile that every target and viewer takes.
        #[default]
        Lc = "lc",
        /// The profile for low bitrates, which describes high tones by their outline (SBR).
        He = "he",
    }
    /// Returns the name on the command line and in the settings file.
    fn name;
}

impl AudioProfile {
    /// The highest bitrate of HE-AAC. AAC-LC sounds better above it.
    pub const MAX_HE_BITRATE: BitsPerSecond = BitsPerSecond(64_000);
    /// The sample rates with which onair encodes HE-AAC.
    pub const HE_SAMPLE_RATES: [u32; 3] = [32_000, 44_100, 48_000];
}

impl FromStr for AudioProfile {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Self, Problem> {
        let known = Self::ALL.into_iter().find(|profile| profile.name() == text);
        known.ok_or_else(|| problem!("value-none-of", known = Self::ALL.map(Self::name).as_slice()))
    }
}

/// The configuration of audio encoding.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Audio {
    /// Samples per second, one of the rates of AAC.
    pub sample_rate: u32,
    /// Number of channels, 1 or 2.
    pub channels: u16,
    pub bitrate: BitsPerSecond,
    pub profile: AudioProfile,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rate_controls_are_read_as_they_are_written() {
        for text in ["cbr", "vbr", "crf=0", "crf=51", "cq=30"] {
            assert_eq!(text.parse::<RateControl>().unwrap().to_string(), text);
        }
        assert_eq!("crf".parse(), Ok(RateControl::Crf(23)));
        for text in ["", "crf=52", "cq=52", "cq=", "crf=-1", "cqp", "crf=2.5"] {
            assert!(text.parse::<RateControl>().is_err(), "{text}");
        }
    }
}
