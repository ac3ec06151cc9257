//! The names of video encoders, their codecs and their presets.

use std::str::FromStr;

use crate::base::named;
use crate::media::VideoCodec;
use crate::text::Problem;
use crate::text::problem::problem;

/// Defines the encoders: name, codec, presets from the fastest to the slowest, and the preset that
/// is used if none is chosen.
macro_rules! encoders {
    ($($(#[$about:meta])* $choice:ident $name:literal $codec:ident $presets:ident $usual:expr;)*) => {
        /// Selects a video encoder.
        #[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, Default)]
        pub enum Choice {
            /// The best encoder that opens.
            #[default]
            Auto,
            $($(#[$about])* $choice,)*
            /// No codec, for tests; see `backend::pipelined`.
            #[cfg(test)]
            Pipelined,
        }

        impl Choice {
            /// The encoders that a user can choose.
            pub const ALL: [Self; 1 + [$($name),*].len()] = [Self::Auto, $(Self::$choice),*];

            /// Returns the name on the command line and in the settings file.
            pub const fn name(self) -> &'static str {
                match self {
                    Self::Auto => "auto",
                    $(Self::$choice => $name,)*
                    #[cfg(test)]
                    Self::Pipelined => "pipelined",
                }
            }

            /// Returns the codec, or `None` if it is not chosen yet.
            pub const fn codec(self) -> Option<VideoCodec> {
                match self {
                    Self::Auto => None,
                    $(Self::$choice => Some(VideoCodec::$codec),)*
                    #[cfg(test)]
                    Self::Pipelined => Some(VideoCodec::H264),
                }
            }

            /// Returns the presets of the encoder, the fastest first. An encoder without presets is
            /// always used in the same way.
            pub const fn presets(self) -> &'static [&'static str] {
                match self {
                    $(Self::$choice => $presets,)*
                    _ => NO_PRESETS,
                }
            }

            /// Returns the preset that is used if none is chosen. It is the fastest one whose
            /// pictures are clearly better than those of OpenH264.
            pub const fn usual_preset(self) -> Option<&'static str> {
                match self {
                    $(Self::$choice => $usual,)*
                    _ => None,
                }
            }
        }
    };
}

encoders! {
    /// OpenH264, in software.
    OpenH264 "openh264" H264 NO_PRESETS None;
    /// x264 of the system, in software, in a process of its own.
    X264 "x264" H264 X264_PRESETS Some("veryfast");
    /// x265 of the system, like x264.
    X265 "x265" Hevc X265_PRESETS Some("ultrafast");
    /// SVT-AV1 of the system, like x264.
    SvtAv1 "svt-av1" Av1 SVT_AV1_PRESETS Some("10");
    // Encoders of graphics cards, through the system's FFmpeg.
    H264Nvenc "h264-nvenc" H264 NVENC_PRESETS Some("p5");
    HevcNvenc "hevc-nvenc" Hevc NVENC_PRESETS Some("p5");
    Av1Nvenc "av1-nvenc" Av1 NVENC_PRESETS Some("p5");
    H264Qsv "h264-qsv" H264 QSV_PRESETS Some("medium");
    HevcQsv "hevc-qsv" Hevc QSV_PRESETS Some("medium");
    Av1Qsv "av1-qsv" Av1 QSV_PRESETS Some("medium");
    H264Amf "h264-amf" H264 AMF_PRESETS Some("balanced");
    HevcAmf "hevc-amf" Hevc AMF_PRESETS Some("balanced");
    Av1Amf "av1-amf" Av1 AMF_PRESETS Some("balanced");
    H264Mf "h264-mf" H264 NO_PRESETS None;
    HevcMf "hevc-mf" Hevc NO_PRESETS None;
    H264V4l2 "h264-v4l2m2m" H264 NO_PRESETS None;
    HevcV4l2 "hevc-v4l2m2m" Hevc NO_PRESETS None;
    H264Vaapi "h264-vaapi" H264 NO_PRESETS None;
    HevcVaapi "hevc-vaapi" Hevc NO_PRESETS None;
    Av1Vaapi "av1-vaapi" Av1 NO_PRESETS None;
    H264Vulkan "h264-vulkan" H264 NO_PRESETS None;
    HevcVulkan "hevc-vulkan" Hevc NO_PRESETS None;
    Av1Vulkan "av1-vulkan" Av1 NO_PRESETS None;
}

const NO_PRESETS: &[&str] = &[];

/// The presets of x264. Slower presets than these are for files.
const X264_PRESETS: &[&str] =
    &["ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower"];

/// The presets of x265. Slower presets than these are for files.
const X265_PRESETS: &[&str] =
    &["ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow"];

/// The presets of SVT-AV1 that are meant for real time.
const SVT_AV1_PRESETS: &[&str] = &["12", "11", "10", "9", "8", "7"];

const NVENC_PRESETS: &[&str] = &["p1", "p2", "p3", "p4", "p5", "p6", "p7"];

const QSV_PRESETS: &[&str] =
    &["veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow"];

const AMF_PRESETS: &[&str] = &["speed", "balanced", "quality"];

impl Choice {
    /// The maximum number of B-frames in a row.
    pub const MAX_B_FRAMES: u8 = 4;
    /// The maximum number of frames to look ahead.
    pub const MAX_LOOK_AHEAD: u8 = 60;

    /// Returns the maximum number of B-frames in a row that onair requests. *Auto* may mean an
    /// encoder without B-frames.
    #[must_use]
    pub const fn max_b_frames(self) -> u8 {
        match self {
            Self::X264
            | Self::X265
            | Self::H264Nvenc
            | Self::HevcNvenc
            | Self::H264Qsv
            | Self::HevcQsv => Self::MAX_B_FRAMES,
            _ => 0,
        }
    }

    /// Returns the maximum number of frames that the encoder looks ahead.
    #[must_use]
    pub const fn max_look_ahead(self) -> u8 {
        match self {
            Self::X264 | Self::X265 => Self::MAX_LOOK_AHEAD,
            Self::H264Nvenc | Self::HevcNvenc | Self::Av1Nvenc => 32,
            _ => 0,
        }
    }

    /// Returns the encoder that is used for this codec.
    #[must_use]
    pub const fn for_codec(self, codec: CodecChoice) -> Self {
        match (self, codec) {
            (Self::Auto, CodecChoice::Hevc) => Self::X265,
            (Self::Auto, CodecChoice::Av1) => Self::SvtAv1,
            _ => self,
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

named! {
    /// Selects the codec of the video.
    #[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, Default)]
    pub enum CodecChoice {
        /// The codec of the chosen encoder, or else H.264.
        #[default]
        Auto = "auto",
        H264 = "h264",
        Hevc = "hevc",
        Av1 = "av1",
    }
    /// Returns the name on the command line and in the settings file.
    fn name;
}

impl CodecChoice {
    /// Returns the codec, or `None` if every codec will do.
    pub const fn codec(self) -> Option<VideoCodec> {
        match self {
            Self::Auto => None,
            Self::H264 => Some(VideoCodec::H264),
            Self::Hevc => Some(VideoCodec::Hevc),
            Self::Av1 => Some(VideoCodec::Av1),
        }
    }

    /// Returns true if the encoder writes this codec.
    pub fn fits(self, encoder: Choice) -> bool {
        match (self.codec(), encoder.codec()) {
            (Some(codec), Some(its)) => codec == its,
            _ => true,
        }
    }
}

impl FromStr for CodecChoice {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Self, Problem> {
        let known = Self::ALL.into_iter().find(|choice| choice.name() == text);
        known.ok_or_else(|| problem!("value-none-of", known = Self::ALL.map(Self::name).as_slice()))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        for name in Preset::names() {
            assert_eq!(name.parse::<Preset>().unwrap().name(), name);
        }
        assert!("placebo".parse::<Preset>().is_err());
        for choice in Choice::ALL {
            assert_eq!(choice.name().parse(), Ok(choice));
        }
        for choice in CodecChoice::ALL {
            assert_eq!(choice.name().parse(), Ok(choice));
        }
        assert!("vp9".parse::<CodecChoice>().is_err());
    }

    #[test]
    fn the_usual_preset_is_one_of_the_presets() {
        for choice in Choice::ALL {
            let usual = choice.usual_preset();
            assert_eq!(usual.is_none(), choice.presets().is_empty());
            assert!(usual.is_none_or(|usual| choice.presets().contains(&usual)));
        }
    }

    #[test]
    fn a_codec_selects_an_encoder_only_if_none_is_chosen() {
        for codec in CodecChoice::ALL {
            let encoder = Choice::Auto.for_codec(codec);
            assert!(codec.fits(encoder), "{codec:?}: {encoder:?}");
            assert_eq!(Choice::X264.for_codec(codec), Choice::X264);
        }
        assert!(!CodecChoice::Hevc.fits(Choice::X264) && CodecChoice::Auto.fits(Choice::X265));
    }
}
