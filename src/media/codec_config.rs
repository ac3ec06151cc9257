//! The data that a decoder needs before the first packet.

use std::fmt;

use bytes::Bytes;

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

/// A video codec. onair encodes H.264, and can play the other codecs.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum VideoCodec {
    H264,
    Hevc,
    Vvc,
    Av1,
    Vp9,
    Vp8,
    /// Sorenson H.263 in FLV.
    H263,
    /// Screen Video of FLV, both versions.
    Screen,
    Screen2,
    /// VP6 in FLV. The config is the byte before each frame, which defines the cropping.
    Vp6,
    Vp6Alpha,
    /// MPEG-4 part 2.
    Mpeg4,
    /// MPEG-1 and MPEG-2.
    Mpeg2,
}

impl VideoCodec {
    /// All video codecs.
    pub const ALL: [Self; 13] = [
        Self::H264,
        Self::Hevc,
        Self::Vvc,
        Self::Av1,
        Self::Vp9,
        Self::Vp8,
        Self::H263,
        Self::Screen,
        Self::Screen2,
        Self::Vp6,
        Self::Vp6Alpha,
        Self::Mpeg4,
        Self::Mpeg2,
    ];

    /// Returns the name of the codec.
    pub const fn name(self) -> &'static str {
        match self {
            Self::H264 => "H.264",
            Self::Hevc => "HEVC",
            Self::Vvc => "VVC",
            Self::Av1 => "AV1",
            Self::Vp9 => "VP9",
            Self::Vp8 => "VP8",
            Self::H263 => "Sorenson H.263",
            Self::Screen => "Screen video",
            Self::Screen2 => "Screen video 2",
            Self::Vp6 => "VP6",
            Self::Vp6Alpha => "VP6 with alpha",
            Self::Mpeg4 => "MPEG-4 part 2",
            Self::Mpeg2 => "MPEG-2",
        }
    }

    /// Returns true if decoding needs a config.
    pub const fn needs_config(self) -> bool {
        matches!(self, Self::H264 | Self::Hevc | Self::Vvc | Self::Av1)
    }
}

/// An audio codec.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum AudioCodec {
    Aac,
    Mp3,
    Opus,
    Flac,
    Vorbis,
    /// PCM with 16 bits per sample, little-endian.
    PcmS16Le,
    /// PCM with 8 bits per sample, where 128 is silence.
    PcmU8,
    /// G.711 A-law.
    PcmAlaw,
    /// G.711 μ-law.
    PcmMulaw,
    Speex,
    Ac3,
    Eac3,
    /// MPEG audio of layers I and II.
    Mp2,
    Nellymoser,
    /// Adobe's ADPCM, in FLV.
    AdpcmSwf,
    /// PCM in another format, which the config defines.
    Pcm,
}

impl AudioCodec {
    /// All audio codecs.
    pub const ALL: [Self; 16] = [
        Self::Aac,
        Self::Mp3,
        Self::Opus,
        Self::Flac,
        Self::Vorbis,
        Self::PcmS16Le,
        Self::PcmU8,
        Self::PcmAlaw,
        Self::PcmMulaw,
        Self::Speex,
        Self::Ac3,
        Self::Eac3,
        Self::Mp2,
        Self::Nellymoser,
        Self::AdpcmSwf,
        Self::Pcm,
    ];

    /// Returns the name of the codec.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Aac => "AAC",
            Self::Mp3 => "MP3",
            Self::Opus => "Opus",
            Self::Flac => "FLAC",
            Self::Vorbis => "Vorbis",
            Self::PcmS16Le => "PCM",
            Self::PcmU8 => "PCM of 8 bits",
            Self::PcmAlaw => "G.711 A-law",
            Self::PcmMulaw => "G.711 µ-law",
            Self::Speex => "Speex",
            Self::Ac3 => "AC-3",
            Self::Eac3 => "E-AC-3",
            Self::Mp2 => "MP2",
            Self::Nellymoser => "Nellymoser",
            Self::AdpcmSwf => "ADPCM",
            Self::Pcm => "PCM of other kinds",
        }
    }
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
    /// The rotation that a player applies to the decoded frames.
    pub rotation: Rotation,
}

impl VideoConfig {
    /// Returns the size of the displayed frames.
    pub fn displayed_size(&self) -> Size {
        self.rotation.size(self.size)
    }
}

/// The config of an encoded audio stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AudioConfig {
    pub codec: AudioCodec,
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
}
