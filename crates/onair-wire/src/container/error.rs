//! Errors of reading media files.

use std::io;

use crate::text::Problem;
use crate::text::problem::{problem, problem_error};

/// A part of a media file, for error messages.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum FilePart {
    Header,
    /// Positions and durations of the samples.
    Index,
    /// The file was cut off before its index was written.
    UnwrittenIndex,
    /// The boxes, elements or tags of the file.
    Structure,
    Samples,
    CodecConfig,
    Encryption,
    Metadata,
    Chapters,
}

impl From<FilePart> for Problem {
    fn from(part: FilePart) -> Self {
        match part {
            FilePart::Header => problem!("file-part-header"),
            FilePart::Index => problem!("file-part-index"),
            FilePart::UnwrittenIndex => problem!("file-part-unwritten-index"),
            FilePart::Structure => problem!("file-part-structure"),
            FilePart::Samples => problem!("file-part-samples"),
            FilePart::CodecConfig => problem!("file-part-codec-config"),
            FilePart::Encryption => problem!("file-part-encryption"),
            FilePart::Metadata => problem!("file-part-metadata"),
            FilePart::Chapters => problem!("file-part-chapters"),
        }
    }
}

/// Contents of a file that onair, or the format of a copy, does not support.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UnsupportedContent {
    /// A codec, by name.
    Codec(String),
    /// A track of this codec.
    Track(String),
    EncryptedTrack(String),
    /// A track of this codec, whose frames have an unknown compression.
    CompressedTrack(String),
    VideoTrack(&'static str),
    AudioTrack(&'static str),
    UnreadableTrack,
    SecondVideoTrack,
    /// Audio tracks in the same FLV tags.
    SharedTags,
    /// Matroska blocks with several frames whose ends are unknown.
    LacedBlocks,
    Transparency,
    /// Frames after a change of their size or format.
    ResizedFrames,
    /// Audio after a change of its format.
    ChangedAudio,
    /// A track of which an edit list shows several parts.
    Edits,
    /// The frames from the start of an edit list to the next keyframe.
    CutStart,
    Rotation,
    AudioTrackNames,
    AudioTrackLanguages,
    /// A pixel aspect of the container that differs from the one in the video stream.
    PixelAspect,
    /// HDR metadata in the container.
    HdrMetadata,
    /// A packet of this many bytes, which is too large.
    VideoPacket(usize),
    AudioPacket(usize),
}

impl From<&UnsupportedContent> for Problem {
    fn from(content: &UnsupportedContent) -> Self {
        use UnsupportedContent as Content;
        match content {
            Content::Codec(name) => Self::words(name.as_str()),
            Content::Track(codec) => problem!("content-track", codec = codec),
            Content::EncryptedTrack(codec) => problem!("content-encrypted-track", codec = codec),
            Content::CompressedTrack(codec) => problem!("content-compressed-track", codec = codec),
            Content::VideoTrack(codec) => problem!("content-video-track", codec = *codec),
            Content::AudioTrack(codec) => problem!("content-audio-track", codec = *codec),
            Content::UnreadableTrack => problem!("content-unreadable-track"),
            Content::SecondVideoTrack => problem!("content-second-video"),
            Content::SharedTags => problem!("content-shared-tags"),
            Content::LacedBlocks => problem!("content-laced"),
            Content::Transparency => problem!("content-transparency"),
            Content::ResizedFrames => problem!("content-resized"),
            Content::ChangedAudio => problem!("content-changed-audio"),
            Content::Edits => problem!("content-edits"),
            Content::CutStart => problem!("content-cut-start"),
            Content::Rotation => problem!("content-rotation"),
            Content::AudioTrackNames => problem!("content-audio-track-names"),
            Content::AudioTrackLanguages => problem!("content-audio-track-languages"),
            Content::PixelAspect => problem!("content-pixel-aspect"),
            Content::HdrMetadata => problem!("content-hdr-metadata"),
            Content::VideoPacket(size) => problem!("content-video-packet", size = *size),
            Content::AudioPacket(size) => problem!("content-audio-packet", size = *size),
        }
    }
}

/// The reason why a file cannot be read.
#[derive(Debug)]
pub enum Error {
    /// A system error.
    Io(io::Error),
    /// The start of the file matches no known format.
    UnknownFormat,
    /// This part of the file is damaged.
    Damaged(FilePart),
    /// This part of the file exceeds the limits of onair.
    TooMuch(FilePart),
    Unsupported(UnsupportedContent),
    /// The file has no usable track.
    Empty,
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<&Error> for Problem {
    fn from(error: &Error) -> Self {
        match error {
            Error::Io(error) => error.into(),
            Error::UnknownFormat => problem!("media-unknown"),
            Error::Damaged(part) => problem!("media-damaged", part = Self::from(*part)),
            Error::TooMuch(part) => {
                let too_much = problem!("media-too-much", part = Self::from(*part));
                match part {
                    FilePart::Samples | FilePart::Index => {
                        too_much.with_cure(problem!("media-cure-long"))
                    }
                    _ => too_much,
                }
            }
            Error::Unsupported(what) => problem!("media-unsupported", what = Self::from(what)),
            Error::Empty => problem!("media-empty"),
        }
    }
}

problem_error!(Error);

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
