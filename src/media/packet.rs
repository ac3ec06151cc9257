//! Encoded video and audio, as they fan out to publishers, viewers and recordings.

use std::sync::Arc;

use bytes::Bytes;

use crate::base::Timestamp;
use crate::media::audio_tracks::ExtraTrack;
use crate::media::codec_config::VideoConfig;

/// Which elementary stream a packet belongs to.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum Track {
    Video,
    /// The program's audio.
    Audio,
    /// Audio for recordings only.
    Extra(ExtraTrack),
}

/// What may be thrown away first when a link is too slow.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Priority {
    /// No other frame refers to it.
    Disposable,
    /// An inter frame that later ones refer to.
    Inter,
    /// A keyframe, or audio: never dropped.
    Key,
}

/// One of several programs over the same sources, each with its canvas, encoders and outputs.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct ProgramId(pub u8);

impl ProgramId {
    /// The one that is always there and sets the pace.
    pub const MAIN: Self = Self(0);
}

/// One of several encodes of the same frames.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum RenditionId {
    /// What is sent, and into recordings.
    #[default]
    Main,
    /// Less of it, for links that do not carry the main one.
    Second,
}

impl RenditionId {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Main, Self::Second];

    /// Its word in figures.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Main => "main",
            Self::Second => "second",
        }
    }
}

/// An encode of the program's frames.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendition {
    pub rendition_id: RenditionId,
    /// What a decoder must know. Changes with a keyframe only.
    pub video: VideoConfig,
}

/// One access unit. Cloning shares the bytes.
#[derive(Clone, Debug)]
pub struct EncodedPacket {
    /// Video or audio.
    pub track: Track,
    /// When it is shown or heard.
    pub pts: Timestamp,
    /// When it is decoded; equal to `pts` where the encoder reorders nothing.
    pub dts: Timestamp,
    /// An IDR frame; always true for audio.
    pub keyframe: bool,
    /// What it is worth on a slow link.
    pub priority: Priority,
    /// H.264: NAL units with 4-byte lengths (AVCC), without parameter sets or access unit
    /// delimiters. AAC: one raw access unit, without ADTS.
    pub data: Bytes,
    /// When the frame or the first sample was captured, for the latency figures.
    pub captured: Timestamp,
    /// Which encode a frame is of; `None` for audio, and for what was not encoded here.
    pub rendition: Option<Arc<Rendition>>,
}

impl EncodedPacket {
    /// One that was not encoded here: of a file, or of a stream from elsewhere.
    pub fn received(
        track: Track,
        (dts, pts): (Timestamp, Timestamp),
        keyframe: bool,
        data: Bytes,
    ) -> Self {
        let priority = if keyframe { Priority::Key } else { Priority::Inter };
        Self { track, pts, dts, keyframe, priority, data, captured: dts, rendition: None }
    }
}
