//! Why a media file cannot be read.

use std::fmt;
use std::io;

use crate::text::Problem;
use crate::text::problem::problem;

/// A part of a media file, as errors name it.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum FilePart {
    Header,
    /// Where the samples are and how long they last.
    Index,
    /// The file was cut off before its index was written.
    UnwrittenIndex,
    /// The boxes, elements or tags that the file consists of.
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

/// Why a file cannot be read.
#[derive(Debug)]
pub enum Error {
    /// The system cannot.
    Io(io::Error),
    /// It begins like none of the formats.
    UnknownFormat,
    /// This part of it is damaged.
    Damaged(FilePart),
    /// This part of it is larger than onair reads.
    TooMuch(FilePart),
    /// A codec or format that onair does not read, by its name.
    Unsupported(String),
    /// No track of it can be used.
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
            Error::TooMuch(part) => problem!("media-too-much", part = Self::from(*part)),
            Error::Unsupported(what) => problem!("media-unsupported", what = what),
            Error::Empty => problem!("media-empty"),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Problem::from(self).fmt(f)
    }
}

impl std::error::Error for Error {}

impl Error {
    /// Whether the bytes are still to come.
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::Io(error) if error.kind() == io::ErrorKind::WouldBlock)
    }
}
