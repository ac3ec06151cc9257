//! Errors of reading media files.

use std::io;

/// A part of a media file, for error messages.
#[derive(Copy, Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FilePart {
    #[error("header")]
    Header,
    /// Positions and durations of the samples.
    #[error("index")]
    Index,
    /// The file was cut off before its index was written.
    #[error("the index was not written")]
    UnwrittenIndex,
    /// The boxes, elements or tags of the file.
    #[error("structure")]
    Structure,
    #[error("samples")]
    Samples,
    #[error("codec config")]
    CodecConfig,
    #[error("encryption")]
    Encryption,
    #[error("metadata")]
    Metadata,
    #[error("chapters")]
    Chapters,
}

/// Contents of a file that onair, or the format of a copy, does not support.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnsupportedContent {
    /// A codec, by name.
    #[error("{0}")]
    Codec(String),
    /// A track of this codec.
    #[error("a track in {0}")]
    Track(String),
    #[error("an encrypted {0} track")]
    EncryptedTrack(String),
    /// A track of this codec, whose frames have an unknown compression.
    #[error("{0} (compressed in an unknown way)")]
    CompressedTrack(String),
    #[error("a video track in {0}")]
    VideoTrack(&'static str),
    #[error("an audio track in {0}")]
    AudioTrack(&'static str),
    #[error("a track that cannot be read")]
    UnreadableTrack,
    #[error("a second video track")]
    SecondVideoTrack,
    /// Audio tracks in the same FLV tags.
    #[error("audio tracks that share FLV tags")]
    SharedTags,
    /// Matroska blocks with several frames whose ends are unknown.
    #[error("blocks with several audio frames that cannot be split")]
    LacedBlocks,
    #[error("video transparency")]
    Transparency,
    /// Frames after a change of their size or format.
    #[error("frames after a size or format change")]
    ResizedFrames,
    /// Audio after a change of its format.
    #[error("audio after a format change")]
    ChangedAudio,
    /// A track of which an edit list shows several parts.
    #[error("a track that consists of several parts")]
    Edits,
    /// The frames from the start of an edit list to the next keyframe.
    #[error("frames between a cut and the next keyframe")]
    CutStart,
    #[error("video rotation")]
    Rotation,
    #[error("audio track names")]
    AudioTrackNames,
    #[error("audio track languages")]
    AudioTrackLanguages,
    /// A pixel aspect of the container that differs from the one in the video stream.
    #[error("a pixel aspect ratio that is stored only in the container")]
    PixelAspect,
    /// HDR metadata in the container.
    #[error("HDR metadata that is stored only in the container")]
    HdrMetadata,
    /// A packet of this many bytes, which is too large.
    #[error("a video packet of {0} bytes")]
    VideoPacket(usize),
    #[error("an audio packet of {0} bytes")]
    AudioPacket(usize),
}

/// The reason why a file cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A system error.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The start of the file matches no known format.
    #[error("the media format is unknown")]
    UnknownFormat,
    /// This part of the file is damaged.
    #[error("the file is damaged ({0})")]
    Damaged(FilePart),
    /// This part of the file exceeds the limits of onair.
    #[error("part of the file is too large ({0})")]
    TooMuch(FilePart),
    #[error("the file has {0}, which cannot be read")]
    Unsupported(UnsupportedContent),
    /// The file has no usable track.
    #[error("the file has no video or audio that can be read")]
    Empty,
}

impl Error {
    /// Returns true if a file with this damage may be repaired: without these parts, nothing of it can be read.
    pub const fn is_repairable(&self) -> bool {
        let Self::Damaged(part) = self else { return false };
        !matches!(
            part,
            FilePart::Header
                | FilePart::Index
                | FilePart::UnwrittenIndex
                | FilePart::CodecConfig
                | FilePart::Encryption
        )
    }

    /// Returns true if the bytes have not arrived yet.
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::Io(error) if error.kind() == io::ErrorKind::WouldBlock)
    }
}
