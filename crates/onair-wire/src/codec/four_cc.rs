//! Codec names in FLV and Enhanced RTMP: legacy numbers (Annex E.4.2.1, E.4.3.1) and FourCCs.

use std::fmt;

use crate::media::{AudioCodec, VideoCodec};

/// A FourCC: a codec name of four letters.
#[derive(Copy, Clone, PartialEq, Eq, Hash)]
pub struct FourCc(pub [u8; 4]);

impl FourCc {
    /// Returns the FourCC as the number that metadata contains.
    pub const fn as_u32(self) -> u32 {
        u32::from_be_bytes(self.0)
    }
}

impl fmt::Display for FourCc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.escape_ascii().fmt(f)
    }
}

impl fmt::Debug for FourCc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FourCc({self})")
    }
}

/// Codec of a video body.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum VideoFormat {
    H264,
    Hevc,
    Vvc,
    Av1,
    Vp8,
    Vp9,
    /// MPEG-4 part 2. Like MPEG-2, it is in no specification of FLV, but onair's readers of other
    /// containers return it.
    Mpeg4,
    Mpeg2,
    /// A legacy number without a variant here.
    Legacy(u8),
    /// A FourCC without a variant here.
    Other(FourCc),
}

impl VideoFormat {
    /// Converts the number in a legacy header. Chinese services use 12 for HEVC.
    pub const fn from_legacy(id: u8) -> Self {
        match id {
            7 => Self::H264,
            12 => Self::Hevc,
            13 => Self::Av1,
            14 => Self::Vvc,
            other => Self::Legacy(other),
        }
    }

    /// Converts the FourCC of an enhanced header.
    pub const fn from_fourcc(fourcc: FourCc) -> Self {
        match &fourcc.0 {
            b"avc1" => Self::H264,
            b"hvc1" => Self::Hevc,
            b"vvc1" => Self::Vvc,
            b"av01" => Self::Av1,
            b"vp08" => Self::Vp8,
            b"vp09" => Self::Vp9,
            b"mp4v" => Self::Mpeg4,
            b"mp2v" => Self::Mpeg2,
            _ => Self::Other(fourcc),
        }
    }

    /// Returns true if coded frames have a composition time (H.264, HEVC, VVC, MPEG-4 part 2 and
    /// MPEG-2).
    pub(crate) const fn has_composition_time(self) -> bool {
        matches!(self, Self::H264 | Self::Hevc | Self::Vvc | Self::Mpeg4 | Self::Mpeg2)
    }

    /// Returns the codec, or `None` for a format that onair does not know.
    pub const fn codec(self) -> Option<VideoCodec> {
        Some(match self {
            Self::H264 => VideoCodec::H264,
            Self::Hevc => VideoCodec::Hevc,
            Self::Vvc => VideoCodec::Vvc,
            Self::Av1 => VideoCodec::Av1,
            Self::Vp8 => VideoCodec::Vp8,
            Self::Vp9 => VideoCodec::Vp9,
            Self::Mpeg4 => VideoCodec::Mpeg4,
            Self::Mpeg2 => VideoCodec::Mpeg2,
            Self::Legacy(2) => VideoCodec::H263,
            Self::Legacy(3) => VideoCodec::Screen,
            Self::Legacy(4) => VideoCodec::Vp6,
            Self::Legacy(5) => VideoCodec::Vp6Alpha,
            Self::Legacy(6) => VideoCodec::Screen2,
            Self::Legacy(_) | Self::Other(_) => return None,
        })
    }
}

impl From<VideoCodec> for VideoFormat {
    fn from(codec: VideoCodec) -> Self {
        match codec {
            VideoCodec::H264 => Self::H264,
            VideoCodec::Hevc => Self::Hevc,
            VideoCodec::Vvc => Self::Vvc,
            VideoCodec::Av1 => Self::Av1,
            VideoCodec::Vp9 => Self::Vp9,
            VideoCodec::Vp8 => Self::Vp8,
            VideoCodec::Mpeg4 => Self::Mpeg4,
            VideoCodec::Mpeg2 => Self::Mpeg2,
            VideoCodec::H263 => Self::Legacy(2),
            VideoCodec::Screen => Self::Legacy(3),
            VideoCodec::Vp6 => Self::Legacy(4),
            VideoCodec::Vp6Alpha => Self::Legacy(5),
            VideoCodec::Screen2 => Self::Legacy(6),
        }
    }
}

impl fmt::Display for VideoFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::H264 => "H.264",
            Self::Hevc => "HEVC",
            Self::Vvc => "VVC",
            Self::Av1 => "AV1",
            Self::Vp8 => "VP8",
            Self::Vp9 => "VP9",
            Self::Mpeg4 => "MPEG-4 part 2",
            Self::Mpeg2 => "MPEG-2",
            Self::Legacy(2) => "Sorenson H.263",
            Self::Legacy(3 | 6) => "Screen video",
            Self::Legacy(4) => "VP6",
            Self::Legacy(5) => "VP6 with alpha",
            Self::Legacy(id) => return write!(f, "unknown codec {id}"),
            Self::Other(fourcc) => return write!(f, "unknown codec {fourcc}"),
        })
    }
}

/// Codec of an audio body.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum AudioFormat {
    Aac,
    Mp3,
    Opus,
    Flac,
    Ac3,
    Eac3,
    /// Uncompressed audio. Like Vorbis, it is in no specification of FLV, but onair's readers of
    /// other containers return it.
    Pcm,
    Vorbis,
    /// A legacy number without a variant here.
    Legacy(u8),
    /// A FourCC without a variant here.
    Other(FourCc),
}

impl AudioFormat {
    /// Converts the number in a legacy header.
    pub const fn from_legacy(id: u8) -> Self {
        match id {
            10 => Self::Aac,
            2 | 14 => Self::Mp3,
            13 => Self::Opus,
            other => Self::Legacy(other),
        }
    }

    /// Converts the FourCC of an enhanced header.
    pub const fn from_fourcc(fourcc: FourCc) -> Self {
        match &fourcc.0 {
            b"mp4a" => Self::Aac,
            b".mp3" => Self::Mp3,
            b"Opus" => Self::Opus,
            b"fLaC" => Self::Flac,
            b"ac-3" => Self::Ac3,
            b"ec-3" => Self::Eac3,
            b"lpcm" => Self::Pcm,
            b"vorb" => Self::Vorbis,
            _ => Self::Other(fourcc),
        }
    }
}

impl From<AudioCodec> for AudioFormat {
    fn from(codec: AudioCodec) -> Self {
        match codec {
            AudioCodec::Aac => Self::Aac,
            AudioCodec::Mp3 | AudioCodec::Mp2 => Self::Mp3,
            AudioCodec::Opus => Self::Opus,
            AudioCodec::Flac => Self::Flac,
            AudioCodec::Vorbis => Self::Vorbis,
            AudioCodec::Ac3 => Self::Ac3,
            AudioCodec::Eac3 => Self::Eac3,
            AudioCodec::Pcm => Self::Pcm,
            AudioCodec::PcmS16Le | AudioCodec::PcmU8 => Self::Legacy(3),
            AudioCodec::PcmAlaw => Self::Legacy(7),
            AudioCodec::PcmMulaw => Self::Legacy(8),
            AudioCodec::Speex => Self::Legacy(11),
            AudioCodec::Nellymoser => Self::Legacy(6),
            AudioCodec::AdpcmSwf => Self::Legacy(1),
        }
    }
}

impl fmt::Display for AudioFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Aac => "AAC",
            Self::Mp3 => "MP3",
            Self::Opus => "Opus",
            Self::Flac => "FLAC",
            Self::Vorbis => "Vorbis",
            Self::Ac3 => "AC-3",
            Self::Eac3 => "E-AC-3",
            Self::Pcm | Self::Legacy(0 | 3) => "PCM",
            Self::Legacy(1) => "ADPCM",
            Self::Legacy(4..=6) => "Nellymoser",
            Self::Legacy(7) => "G.711 A-law",
            Self::Legacy(8) => "G.711 µ-law",
            Self::Legacy(11) => "Speex",
            Self::Legacy(id) => return write!(f, "audio codec {id}"),
            Self::Other(fourcc) => return write!(f, "audio codec {fourcc}"),
        })
    }
}
