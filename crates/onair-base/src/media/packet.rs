//! Encoded video and audio for publishers, viewers and recordings.

use std::sync::Arc;

use bytes::Bytes;

use crate::base::Timestamp;
use crate::base::named;
use crate::media::audio_tracks::ExtraTrack;
use crate::media::codec_config::VideoConfig;

/// The elementary stream of a packet.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum Track {
    Video,
    /// The program's audio.
    Audio,
    /// Further audio, for recordings, and for targets that take several tracks.
    Extra(ExtraTrack),
    /// A further encode of the video, for targets that take several.
    Rendition(ExtraRendition),
}

/// A further encode of the video that a target gets on the same connection, beside its own.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ExtraRendition(u8);

impl ExtraRendition {
    /// Maximum number of further encodes of a program.
    pub const MAX: usize = 3;

    /// Returns the encode at this place, if the place is valid.
    pub fn at(place: usize) -> Option<Self> {
        u8::try_from(place).ok().filter(|_| place < Self::MAX).map(Self)
    }

    /// Returns all further encodes.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..Self::MAX).filter_map(Self::at)
    }

    /// Returns the place among the further encodes, from 0.
    pub const fn place(self) -> usize {
        self.0 as usize
    }
}

/// The drop priority of a packet on a slow link.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Priority {
    /// A frame to which no other frame refers.
    Disposable,
    /// An inter frame to which later frames refer.
    Inter,
    /// A keyframe or audio, which is never dropped.
    Key,
}

/// One of several programs from the same sources, each with its own canvas, encoders and outputs.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct ProgramId(pub u8);

impl ProgramId {
    /// The main program, which always exists. The frame grid of this program determines when other
    /// programs are drawn.
    pub const MAIN: Self = Self(0);
}

named! {
    /// One of several encodes of the same frames.
    #[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
    pub enum RenditionId {
        /// The main encode, which recordings also use.
        #[default]
        Main = "main",
        /// A lower bitrate for slower links.
        Second = "second",
    }
    /// Returns the name in figures.
    fn name;
}

/// An encode of the program's frames.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendition {
    pub rendition_id: RenditionId,
    /// The codec config. The config changes only with a keyframe.
    pub video: VideoConfig,
}

/// One access unit. Cloning shares the bytes.
#[derive(Clone, Debug)]
pub struct EncodedPacket {
    /// The elementary stream of the packet.
    pub track: Track,
    /// The presentation time.
    pub pts: Timestamp,
    /// The decoding time, which equals `pts` without reordering.
    pub dts: Timestamp,
    /// True for an IDR frame, and always for audio.
    pub keyframe: bool,
    /// Priority of the packet on a slow link.
    pub priority: Priority,
    /// H.264: NAL units with 4-byte lengths (AVCC), without parameter sets or access unit
    /// delimiters. AAC: one raw access unit, without ADTS.
    pub data: Bytes,
    /// Capture time of the frame or the first sample, for the latency figures.
    pub captured: Timestamp,
    /// The encode that a frame belongs to. `None` for audio, and for packets that onair did not
    /// encode.
    pub rendition: Option<Arc<Rendition>>,
}

impl EncodedPacket {
    /// Creates a packet of a file or a remote stream.
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
