//! Which reader reads a file.

use crate::wire::container::{Demuxer, Error, Format, ReadAt, audio, mkv, mp4};

/// The reader of a file of this format; `None`: of audio alone, whose kind its head tells.
///
/// # Errors
/// It is of none that is read so, or [`Error::is_missing`].
pub fn open(format: Option<Format>, source: &mut dyn ReadAt) -> Result<Box<dyn Demuxer>, Error> {
    match format {
        Some(Format::Mp4) => Ok(Box::new(mp4::Reader::to_play())),
        Some(Format::Mkv) => Ok(Box::new(mkv::Reader::to_play())),
        Some(Format::Flv) => Err(Error::UnknownFormat),
        None => audio::open(source),
    }
}
