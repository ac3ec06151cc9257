//! The codecs that onair's muxers support per format, and other parts of a file that may be lost.

use super::Format;
use crate::base::named;
use crate::media::{AudioCodec, VideoCodec};

impl Format {
    /// Returns true if onair's muxer of this format supports this video codec.
    pub const fn carries_video(self, codec: VideoCodec) -> bool {
        use VideoCodec as Codec;
        match codec {
            Codec::H264 | Codec::Hevc | Codec::Av1 | Codec::Vp9 => true,
            Codec::Vp8 => matches!(self, Self::Mkv),
            _ => false,
        }
    }

    /// Returns true if onair's muxer of this format supports this audio codec.
    pub const fn carries_audio(self, codec: AudioCodec) -> bool {
        use AudioCodec as Codec;
        match codec {
            Codec::Aac | Codec::Mp3 | Codec::Opus | Codec::Flac | Codec::Ac3 | Codec::Eac3 => true,
            Codec::Mp2 => matches!(self, Self::Mkv),
            _ => false,
        }
    }
}

named! {
    /// A part of a file that the output format may not support, with its name in commands.
    #[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
    pub enum Part {
        Video = "video",
        Audio = "audio",
        Subtitles = "subtitles",
        /// Timecode and other tracks without video or audio.
        Data = "data",
        /// Video after its size changes.
        Resized = "resized",
        /// Transparency of the video.
        Alpha = "alpha",
        /// The rotation that a player applies to the video.
        Rotation = "rotation",
    }
    /// Returns the name in commands and messages.
    fn name;
}
