//! What a decoder must know before the first packet.

use std::fmt;

use bytes::Bytes;

use crate::media::{FrameRate, Size};

/// Bits a second.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BitsPerSecond(pub u32);

impl BitsPerSecond {
    /// Kilobits (1,000 bits) a second, rounded.
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
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (digits, factor) = match text.trim_end().char_indices().next_back() {
            Some((at, 'k' | 'K')) => (text.get(..at), 1e3),
            Some((at, 'm' | 'M')) => (text.get(..at), 1e6),
            _ => (Some(text), 1.0),
        };
        let number = digits.and_then(|digits| digits.trim().parse::<f64>().ok());
        match number.map(|number| number * factor) {
            Some(bits) if (1_000.0..=1e9).contains(&bits) => Ok(Self(bits.round() as u32)),
            _ => Err(format!("'{text}' is no bitrate: write 2500k or 2.5M, from 1k to 1000M")),
        }
    }
}

/// How pictures are encoded.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum VideoCodec {
    H264,
}

/// How sound is encoded.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum AudioCodec {
    Aac,
    Mp3,
    Opus,
    Flac,
    /// 16 bits a sample, little-endian.
    PcmS16Le,
    /// 8 bits a sample, 128 is silence.
    PcmU8,
    /// G.711.
    PcmAlaw,
    /// G.711.
    PcmMulaw,
    Speex,
}

/// An encoded picture stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VideoParameters {
    pub codec: VideoCodec,
    pub size: Size,
    pub frame_rate: FrameRate,
    pub bitrate: BitsPerSecond,
    /// AVCDecoderConfigurationRecord (ISO/IEC 14496-15 §5.3.3.1), 4-byte NAL lengths.
    pub config: Bytes,
}

/// An encoded sound stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AudioParameters {
    pub codec: AudioCodec,
    pub sample_rate: u32,
    pub channels: u16,
    pub bitrate: BitsPerSecond,
    /// AAC: AudioSpecificConfig (ISO/IEC 14496-3 §1.6.2.1). Opus: OpusHead (RFC 7845 §5.1). FLAC:
    /// STREAMINFO. Empty for the others.
    pub config: Bytes,
}

/// Everything that goes out; a broadcast has at least one of the two.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StreamParameters {
    pub video: Option<VideoParameters>,
    pub audio: Option<AudioParameters>,
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
