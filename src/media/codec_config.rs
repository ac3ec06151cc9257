//! The data that a decoder needs before the first packet.

use std::fmt;

use bytes::Bytes;

use crate::base::named;
use crate::media::frame::{Rotation, Size};
use crate::media::frame_grid::FrameRate;
use crate::text::problem::{Problem, problem};

/// A bitrate in bits per second.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BitsPerSecond(pub u32);

impl BitsPerSecond {
    /// Returns the bitrate in kilobits (1,000 bits) per second, rounded.
    pub const fn as_kbps(self) -> u32 {
        (self.0 + 500) / 1_000
    }
}

impl fmt::Display for BitsPerSecond {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} kbps", self.as_kbps())
    }
}

impl std::str::FromStr for BitsPerSecond {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (digits, factor) = match text.trim_end().char_indices().next_back() {
            Some((at, 'k' | 'K')) => (text.get(..at), 1e3),
            Some((at, 'm' | 'M')) => (text.get(..at), 1e6),
            _ => (Some(text), 1.0),
        };
        let number = digits.and_then(|digits| digits.trim().parse::<f64>().ok());
        match number.map(|number| number * factor) {
            Some(bits) if (1_000.0..=1e9).contains(&bits) => Ok(Self(bits.round() as u32)),
            _ => Err(problem!("choice-no-bitrate", text = text)),
        }
    }
}

named! {
    /// A video codec. onair encodes H.264, and can play the other codecs.
    #[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
    pub enum VideoCodec {
        H264 = "H.264",
        Hevc = "HEVC",
        Vvc = "VVC",
        Av1 = "AV1",
        Vp9 = "VP9",
        Vp8 = "VP8",
        /// Sorenson H.263 in FLV.
        H263 = "Sorenson H.263",
        /// Screen Video of FLV, both versions.
        Screen = "Screen video",
        Screen2 = "Screen video 2",
        /// VP6 in FLV. The config is the byte before each frame, which defines the cropping.
        Vp6 = "VP6",
        Vp6Alpha = "VP6 with alpha",
        /// MPEG-4 part 2.
        Mpeg4 = "MPEG-4 part 2",
        /// MPEG-1 and MPEG-2.
        Mpeg2 = "MPEG-2",
    }
    /// Returns the name of the codec.
    fn name;
}

impl VideoCodec {
    /// Returns true if decoding needs a config.
    pub const fn needs_config(self) -> bool {
        matches!(self, Self::H264 | Self::Hevc | Self::Vvc | Self::Av1)
    }
}

named! {
    /// An audio codec.
    #[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
    pub enum AudioCodec {
        Aac = "AAC",
        Mp3 = "MP3",
        Opus = "Opus",
        Flac = "FLAC",
        Vorbis = "Vorbis",
        /// PCM with 16 bits per sample, little-endian.
        PcmS16Le = "PCM",
        /// PCM with 8 bits per sample, where 128 is silence.
        PcmU8 = "PCM of 8 bits",
        /// G.711 A-law.
        PcmAlaw = "G.711 A-law",
        /// G.711 μ-law.
        PcmMulaw = "G.711 µ-law",
        Speex = "Speex",
        Ac3 = "AC-3",
        Eac3 = "E-AC-3",
        /// MPEG audio of layers I and II.
        Mp2 = "MP2",
        Nellymoser = "Nellymoser",
        /// Adobe's ADPCM, in FLV.
        AdpcmSwf = "ADPCM",
        /// PCM in another format, which the config defines.
        Pcm = "PCM of other kinds",
    }
    /// Returns the name of the codec.
    fn name;
}

/// The codec of a track.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum Codec {
    Video(VideoCodec),
    Audio(AudioCodec),
}

impl Codec {
    /// Returns the name of the codec.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Video(codec) => codec.name(),
            Self::Audio(codec) => codec.name(),
        }
    }
}

/// Maximum ratio of the sides of a pixel. Larger ratios are errors, or would waste memory.
const MAX_PIXEL_ASPECT: u64 = 10;

/// The width and height of pixels, as a reduced fraction.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct PixelAspect {
    width: u32,
    height: u32,
}

/// Returns the greatest common divisor, or 1 if both numbers are zero.
pub(crate) fn gcd(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a.max(1)
}

impl PixelAspect {
    pub const SQUARE: Self = Self { width: 1, height: 1 };

    /// Creates the aspect of pixels with these sides. Returns `None` if the pixels are square, or
    /// if the sides are invalid.
    pub fn new(width: u64, height: u64) -> Option<Self> {
        let (short, long) = (width.min(height), width.max(height));
        if short == long || long > short.saturating_mul(MAX_PIXEL_ASPECT) {
            return None;
        }
        let divisor = gcd(width, height);
        let side = |side: u64| u32::try_from(side / divisor).ok();
        Some(Self { width: side(width)?, height: side(height)? })
    }

    /// Returns the width and the height of a pixel.
    pub const fn sides(self) -> (u32, u32) {
        (self.width, self.height)
    }

    /// Returns true if the difference from another aspect is visible, which is more than 1 %.
    pub fn differs(self, other: Self) -> bool {
        let product = |width: u32, height: u32| u64::from(width) * u64::from(height);
        let (own, others) = (product(self.width, other.height), product(other.width, self.height));
        own.abs_diff(others) > own.max(others) / 100
    }

    /// Returns the size of a frame after it was stretched so that its pixels are square. One side
    /// grows, unless the frame would exceed [`Size::MAX_SIDE`]. An invisible difference is not
    /// worth the loss of sharpness.
    pub fn stretched(self, size: Size) -> Size {
        let (width, height) = (u64::from(self.width), u64::from(self.height));
        if !self.differs(Self::SQUARE) {
            return size;
        }
        let grown = |side: u32, long: u64, short: u64| {
            u32::try_from(u64::from(side) * long / short).unwrap_or(u32::MAX) & !1
        };
        let stretched = if width > height {
            Size::new(grown(size.width, width, height), size.height)
        } else {
            Size::new(size.width, grown(size.height, height, width))
        };
        match stretched.width.max(stretched.height) > Size::MAX_SIDE {
            true => stretched.fitted_into(Size::new(Size::MAX_SIDE, Size::MAX_SIDE)),
            false => stretched,
        }
    }
}

/// The config of an encoded video stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VideoConfig {
    pub codec: VideoCodec,
    /// The frame size, or 0×0 if only the frames define it.
    pub size: Size,
    pub frame_rate: FrameRate,
    pub bitrate: BitsPerSecond,
    /// H.264: AVCDecoderConfigurationRecord (ISO/IEC 14496-15 §5.3.3.1), 4-byte NAL lengths. Other
    /// codecs: as in MP4 and Enhanced RTMP (hvcC, av1C, vpcC…); empty if there is no config.
    pub config: Bytes,
    /// The aspect of the pixels, or `None` if the codec config has square pixels and the container
    /// declares no aspect. A player stretches the decoded frames.
    pub pixel_aspect: Option<PixelAspect>,
    /// The rotation that a player applies to the stretched frames.
    pub rotation: Rotation,
}

impl VideoConfig {
    /// Returns the size of the frames with square pixels, before the rotation.
    pub fn stretched_size(&self) -> Size {
        self.pixel_aspect.map_or(self.size, |aspect| aspect.stretched(self.size))
    }

    /// Returns the size of the displayed frames.
    pub fn displayed_size(&self) -> Size {
        self.rotation.size(self.stretched_size())
    }

    /// Returns true if a decoder of this stream also decodes the other stream.
    pub fn has_same_codec_config(&self, other: &Self) -> bool {
        self.codec == other.codec && self.config == other.config
    }
}

/// The config of an encoded audio stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AudioConfig {
    pub codec: AudioCodec,
    /// Samples per second and channel.
    pub sample_rate: u32,
    pub channels: u16,
    pub bitrate: BitsPerSecond,
    /// AAC: AudioSpecificConfig (ISO/IEC 14496-3 §1.6.2.1). Opus: OpusHead (RFC 7845 §5.1). FLAC:
    /// STREAMINFO. Vorbis: the first and the third header. Other kinds of PCM: as written by
    /// `wire::codec::pcm`. Empty for other codecs.
    pub config: Bytes,
}

/// The configs of the tracks of a stream. A broadcast has at least one of the two tracks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StreamConfig {
    pub video: Option<VideoConfig>,
    pub audio: Option<AudioConfig>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bitrates_parse() {
        assert_eq!("2500k".parse(), Ok(BitsPerSecond(2_500_000)));
        assert_eq!("6M".parse(), Ok(BitsPerSecond(6_000_000)));
        assert_eq!("1.5m".parse(), Ok(BitsPerSecond(1_500_000)));
        assert_eq!("128000".parse(), Ok(BitsPerSecond(128_000)));
        for bad in ["", "k", "0", "-5k", "nan", "inf", "1e99", "12", "5€"] {
            assert!(bad.parse::<BitsPerSecond>().is_err(), "{bad}");
        }
    }

    #[test]
    fn pixel_aspects_are_reduced_and_limited() {
        assert_eq!(PixelAspect::new(1_024, 720).map(PixelAspect::sides), Some((64, 45)));
        assert_eq!(PixelAspect::new(1, 10).map(PixelAspect::sides), Some((1, 10)));
        let large = u64::MAX;
        for (width, height) in
            [(0, 0), (0, 1), (1, 0), (7, 7), (11, 1), (1, 11), (large, 1), (large, large - 1)]
        {
            assert_eq!(PixelAspect::new(width, height), None, "{width}:{height}");
        }
    }

    #[test]
    fn frames_are_stretched_to_square_pixels() {
        for (aspect, from, to) in [
            ((64, 45), (720, 576), (1_024, 576)),
            ((4, 3), (1_440, 1_080), (1_920, 1_080)),
            ((32, 17), (544, 576), (1_024, 576)),
            ((12, 11), (720, 576), (784, 576)),
            // A side never shrinks.
            ((8, 9), (720, 480), (720, 540)),
            // The rest of a rounded size.
            ((1_280, 1_281), (854, 480), (854, 480)),
            ((10, 1), (4_096, 2_304), (8_192, 460)),
            ((1, 10), (16, 8_192), (2, 8_192)),
            ((2, 1), (0, 0), (0, 0)),
            ((2, 1), (u32::MAX, 2), (8_192, 2)),
        ] {
            let size = PixelAspect::new(aspect.0, aspect.1).unwrap();
            let size = size.stretched(Size::new(from.0, from.1));
            assert_eq!(size, Size::new(to.0, to.1), "{aspect:?} {from:?}");
        }
    }
}
