//! Encoded pictures and sound, as they fan out to publishers, viewers and recordings.

use bytes::Bytes;

use crate::base::Timestamp;

/// Which elementary stream a packet belongs to.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum Track {
    Video,
    Audio,
}

/// What may be thrown away first when a link is too slow.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Priority {
    /// No other picture refers to it.
    Disposable,
    /// An inter picture that later ones refer to.
    Inter,
    /// A keyframe, or sound: never dropped.
    Key,
}

/// One access unit. Cloning shares the bytes.
#[derive(Clone, Debug)]
pub struct EncodedPacket {
    /// Picture or sound.
    pub track: Track,
    /// When it is shown or heard.
    pub pts: Timestamp,
    /// When it is decoded; equal to `pts` where the encoder reorders nothing.
    pub dts: Timestamp,
    /// An IDR picture; always true for sound.
    pub keyframe: bool,
    /// What it is worth on a slow link.
    pub priority: Priority,
    /// H.264: NAL units with 4-byte lengths (AVCC), without parameter sets or access unit
    /// delimiters. AAC: one raw access unit, without ADTS.
    pub data: Bytes,
    /// When the picture or the first sample was captured, for the latency figures.
    pub captured: Timestamp,
}
