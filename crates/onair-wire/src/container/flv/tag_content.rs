//! Content type of a tag or RTMP message.

use bytes::Bytes;

use super::audio::{AudioPacket, AudioTag};
use super::video::{VideoPacket, VideoTag};
use super::{FrameType, TagKind, metadata, parse_audio, parse_video};

/// Content type of a tag.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum TagContent {
    /// `onMetaData`.
    Metadata,
    /// Other script data, such as chat messages.
    Script,
    /// A decoder config.
    Config,
    /// Audio: the channel layout, which is kept in addition to the config.
    ChannelLayout,
    /// Video: the color description.
    ColorInfo,
    /// A coded frame.
    Frame,
    /// A frame or config without data.
    Empty,
    /// The end of the track.
    SequenceEnd,
    /// A command to the player.
    Command,
    /// The body cannot be read.
    Unreadable,
}

impl TagContent {
    /// Returns the content type of a body. The first bytes of the body are enough.
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

    /// Returns the content type of a video body. The event reader and the file reader both use it.
    pub(super) fn of_video(tag: &VideoTag) -> Self {
        let frame = |packet: &VideoPacket| matches!(packet, VideoPacket::Frame { data, .. } if !data.is_empty());
        match &tag.track.packet {
            _ if tag.is_sequence_start() => Self::Config,
            VideoPacket::Command(_) => Self::Command,
            // The frame type has no meaning here: several encoders use that of a command.
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

    /// Returns true if the tag describes the tags after it, so that its time has no meaning.
    pub const fn is_header(self) -> bool {
        matches!(self, Self::Metadata | Self::Script | Self::Config | Self::ChannelLayout)
    }
}
