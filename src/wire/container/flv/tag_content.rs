//! What kind of content a tag or RTMP message has.

use bytes::Bytes;

use super::audio::{AudioPacket, AudioTag};
use super::video::{VideoPacket, VideoTag};
use super::{FrameType, TagKind, metadata, parse_audio, parse_video};

/// What a tag is.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum TagContent {
    /// `onMetaData`.
    Metadata,
    /// Other script data, such as the lines of a chat.
    Script,
    /// A decoder config.
    Config,
    /// Audio: how channels are laid out, which is kept beside the config.
    ChannelLayout,
    /// Video: how colors are meant.
    ColorInfo,
    /// A coded frame.
    Frame,
    /// A frame or config without data.
    Empty,
    /// No more frames.
    SequenceEnd,
    /// A command to the player.
    Command,
    /// It cannot be read.
    Unreadable,
}

impl TagContent {
    /// Of a body, or of its beginning.
    pub fn of(kind: TagKind, body: &Bytes) -> Self {
        match kind {
            TagKind::Script if metadata::is_metadata(body) => Self::Metadata,
            TagKind::Script => Self::Script,
            TagKind::Video => {
                parse_video(body).map_or(Self::Unreadable, |tag| Self::of_video(&tag))
            }
            TagKind::Audio => {
                parse_audio(body).map_or(Self::Unreadable, |tag| Self::of_audio(&tag))
            }
        }
    }

    /// Of a video body. The readers of events and of files both go by it.
    pub(super) fn of_video(tag: &VideoTag) -> Self {
        let frame = |packet: &VideoPacket| matches!(packet, VideoPacket::Frame { data, .. } if !data.is_empty());
        match &tag.track.packet {
            _ if tag.is_sequence_start() => Self::Config,
            VideoPacket::Command(_) => Self::Command,
            // Its frame type means nothing: several encoders send it as that of a command.
            VideoPacket::Metadata(_) => Self::ColorInfo,
            _ if tag.frame_type == FrameType::Command => Self::Command,
            _ if tag.tracks().any(|track| frame(&track.packet)) => Self::Frame,
            VideoPacket::SequenceEnd => Self::SequenceEnd,
            _ => Self::Empty,
        }
    }

    pub(super) fn of_audio(tag: &AudioTag) -> Self {
        let frame =
            |packet: &AudioPacket| matches!(packet, AudioPacket::Frame(data) if !data.is_empty());
        match &tag.track.packet {
            _ if tag.is_layout() => Self::ChannelLayout,
            _ if tag.is_sequence_start() => Self::Config,
            _ if tag.tracks().any(|track| frame(&track.packet)) => Self::Frame,
            AudioPacket::SequenceEnd => Self::SequenceEnd,
            _ => Self::Empty,
        }
    }

    /// Whether it tells of what comes after it, and its time says nothing.
    pub const fn is_header(self) -> bool {
        matches!(self, Self::Metadata | Self::Script | Self::Config | Self::ChannelLayout)
    }
}
