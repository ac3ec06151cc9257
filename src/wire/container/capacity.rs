//! What our writers of the formats have a place for, and what a file may have beside that.

use super::Format;
use crate::media::{AudioCodec, VideoCodec};

impl Format {
    /// Whether our writer of this format has a place for video of this codec.
    pub const fn carries_video(self, codec: VideoCodec) -> bool {
        use VideoCodec as Codec;
        match codec {
            Codec::H264 | Codec::Hevc | Codec::Av1 | Codec::Vp9 => true,
            Codec::Vp8 => matches!(self, Self::Mkv),
            _ => false,
        }
    }

    /// Whether our writer of this format has a place for audio of this codec.
    pub const fn carries_audio(self, codec: AudioCodec) -> bool {
        use AudioCodec as Codec;
        match codec {
            Codec::Aac | Codec::Mp3 | Codec::Opus | Codec::Flac | Codec::Ac3 | Codec::Eac3 => true,
            Codec::Mp2 => matches!(self, Self::Mkv),
            _ => false,
        }
    }
}

/// What a file may have and another one cannot, as `--drop` names it.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum Part {
    Video,
    Audio,
    Subtitles,
    /// Timecode and other tracks that are neither seen nor heard.
    Data,
    /// Video after a change of its size.
    Resized,
    /// How transparent video is.
    Alpha,
}

impl Part {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Video, Self::Audio, Self::Subtitles, Self::Data, Self::Resized, Self::Alpha];

    /// As `--drop` has it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Video => "video",
            Self::Audio => "audio",
            Self::Subtitles => "subtitles",
            Self::Data => "data",
            Self::Resized => "resized",
            Self::Alpha => "alpha",
        }
    }
}
