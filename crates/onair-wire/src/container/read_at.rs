//! Random access to the bytes of a file or in memory, and the bytes of a sample.

use std::io;

use bytes::Bytes;

use crate::wire::container::{Error, FilePart, SampleLocation};

/// A file, or bytes in memory, with random access.
pub trait ReadAt {
    /// Returns the total size in bytes.
    fn size(&self) -> u64;

    /// Fills `buffer` from position `at`.
    ///
    /// # Errors
    /// Fails with `UnexpectedEof` if there are not enough bytes, or `WouldBlock` if they have not
    /// arrived yet.
    fn read_at(&mut self, at: u64, buffer: &mut [u8]) -> io::Result<()>;

    /// Returns the maximum number of bytes of one read.
    fn most(&self) -> usize {
        usize::MAX
    }

    /// Returns the end position of this many bytes from `at`.
    ///
    /// # Errors
    /// Fails with `UnexpectedEof` if there are not enough bytes.
    fn end(&self, at: u64, length: usize) -> io::Result<u64> {
        let end = at.checked_add(length as u64).filter(|end| *end <= self.size());
        end.ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }
}

impl ReadAt for &[u8] {
    fn size(&self) -> u64 {
        self.len() as u64
    }

    fn read_at(&mut self, at: u64, buffer: &mut [u8]) -> io::Result<()> {
        let from = usize::try_from(at).ok().and_then(|at| self.get(at..));
        let bytes = from.and_then(|rest| rest.get(..buffer.len()));
        let bytes = bytes.ok_or(io::ErrorKind::UnexpectedEof)?;
        buffer.copy_from_slice(bytes);
        Ok(())
    }
}

/// Reads `size` bytes at `at`, at most `most`. A claimed size never leads to an unchecked
/// allocation.
///
/// # Errors
/// Fails if there are not enough bytes, or too many.
pub fn read(
    source: &mut dyn ReadAt,
    at: u64,
    size: u64,
    most: usize,
    part: FilePart,
) -> Result<Bytes, Error> {
    let length = usize::try_from(size).ok().filter(|size| *size <= most.min(source.most()));
    let length = length.ok_or(Error::TooMuch(part))?;
    source.end(at, length)?;
    let mut bytes = vec![0; length];
    source.read_at(at, &mut bytes)?;
    Ok(bytes.into())
}

/// Foreign bytes within a sample, such as a page header.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Hole {
    pub at: u64,
    pub size: u64,
}

/// Reads the bytes of a sample without its holes, which are sorted. The sample may be at most
/// `most` bytes long, including the holes.
///
/// # Errors
/// Fails with the same errors as [`read`].
pub fn read_around(
    source: &mut dyn ReadAt,
    place: &SampleLocation,
    holes: &[Hole],
    most: usize,
) -> Result<Vec<u8>, Error> {
    let end = place.at.saturating_add(place.size.into());
    let first = holes.partition_point(|hole| hole.at < place.at);
    let inside = holes.get(first..).unwrap_or_default().iter().take_while(|hole| hole.at < end);
    let (mut at, mut data) = (place.at, Vec::new());
    let whole = Hole { at: end, size: 0 };
    for hole in inside.chain(std::iter::once(&whole)) {
        let room = most.saturating_sub(data.len());
        data.extend_from_slice(&read(
            source,
            at,
            hole.at.saturating_sub(at),
            room,
            FilePart::Samples,
        )?);
        at = hole.at.saturating_add(hole.size);
    }
    Ok(data)
}
