//! Reads a media file, whose format is detected from its content, not from its name.

use std::fs::TryLockError;
use std::path::Path;
use std::{fs, io};

use crate::platform::files::{is_written_elsewhere, read_exact_at};
use crate::wire::container::{Error, Format, Index, ReadAt, mkv, mp4};

/// Size in bytes of the block from which small reads are served.
const READ_BLOCK_BYTES: usize = 64 << 10;
/// Size in bytes of the block after a jump. A walk from header to header skips the media between
/// them.
const JUMP_BLOCK_BYTES: usize = 4 << 10;
/// Maximum size of a small read in bytes.
const MAX_SMALL_READ_BYTES: usize = 8 << 10;

/// A file that can be read at any position.
#[derive(Debug)]
pub struct MediaFile {
    file: fs::File,
    size: u64,
    /// The position of the current block.
    block_at: u64,
    /// The content of the current block.
    block: Vec<u8>,
}

impl MediaFile {
    /// Opens a regular file.
    ///
    /// # Errors
    /// Fails if the path cannot be opened, or is a folder, a pipe or a device (which could block
    /// forever).
    pub fn open(path: &Path) -> io::Result<Self> {
        check_regular(&fs::metadata(path)?)?;
        Self::of(fs::File::open(path)?)
    }

    /// Uses a file that is already open.
    ///
    /// # Errors
    /// Fails with the same errors as [`open`](Self::open).
    pub fn of(file: fs::File) -> io::Result<Self> {
        let metadata = file.metadata()?;
        check_regular(&metadata)?;
        Ok(Self { file, size: metadata.len(), block_at: 0, block: Vec::new() })
    }

    /// Returns true if another program, or another part of this program, still writes the file. New
    /// files are locked until they are closed.
    pub fn is_being_written(&self) -> bool {
        match self.file.try_lock_shared() {
            Ok(()) => {
                let _ = self.file.unlock();
                is_written_elsewhere(&self.file)
            }
            Err(TryLockError::WouldBlock) => true,
            // The file system has no locks.
            Err(TryLockError::Error(_)) => false,
        }
    }

    /// Reads the size of a file that may have grown, and returns it.
    ///
    /// # Errors
    /// Fails if the size of the file cannot be read.
    pub fn grow(&mut self) -> io::Result<u64> {
        self.size = self.size.max(self.file.metadata()?.len());
        Ok(self.size)
    }

    /// Reads the index of the file for playback.
    ///
    /// # Errors
    /// Fails if the file cannot be read or has another format than `format`.
    pub fn index_to_play(&mut self, format: Format) -> Result<Index, Error> {
        match format {
            Format::Flv => crate::wire::container::flv::index(self),
            Format::Mp4 => mp4::index_to_play(self),
            Format::Mkv => mkv::index_to_play(self),
        }
    }

    /// Detects the format from the first bytes.
    ///
    /// # Errors
    /// Fails if the bytes cannot be read or belong to no known format.
    pub fn format(&mut self) -> Result<Format, Error> {
        let mut start = [0; 12];
        let length = self.size.min(12) as usize;
        let start = start.get_mut(..length).unwrap_or_default();
        self.read_at(0, start)?;
        Format::of_bytes(start).ok_or(Error::UnknownFormat)
    }

    /// Reads the index of the file.
    ///
    /// # Errors
    /// Fails with the problem that prevents reading.
    pub fn index(&mut self) -> Result<Index, Error> {
        match self.format()? {
            Format::Flv => crate::wire::container::flv::index(self),
            Format::Mp4 => crate::wire::container::mp4::index(self),
            Format::Mkv => crate::wire::container::mkv::index(self),
        }
    }

    fn read_some(&self, at: u64, buffer: &mut [u8]) -> io::Result<()> {
        read_exact_at(&self.file, buffer, at)
    }
}

/// Fails if this is a folder, a pipe or a device.
fn check_regular(metadata: &fs::Metadata) -> io::Result<()> {
    match metadata.is_file() {
        true => Ok(()),
        false if metadata.is_dir() => Err(io::ErrorKind::IsADirectory.into()),
        false => Err(io::Error::new(io::ErrorKind::InvalidInput, "this is no file")),
    }
}

impl ReadAt for MediaFile {
    fn size(&self) -> u64 {
        self.size
    }

    fn read_at(&mut self, at: u64, buffer: &mut [u8]) -> io::Result<()> {
        let end = self.end(at, buffer.len())?;
        if buffer.len() > MAX_SMALL_READ_BYTES {
            return self.read_some(at, buffer);
        }
        let block_end = self.block_at + self.block.len() as u64;
        if at < self.block_at || end > block_end {
            let is_jump = at < self.block_at || at > block_end + MAX_SMALL_READ_BYTES as u64;
            let most = if is_jump { JUMP_BLOCK_BYTES.max(buffer.len()) } else { READ_BLOCK_BYTES };
            let length = (self.size - at).min(most as u64) as usize;
            let mut block = std::mem::take(&mut self.block);
            block.resize(length, 0);
            self.read_some(at, &mut block)?;
            (self.block, self.block_at) = (block, at);
        }
        let from = (at - self.block_at) as usize;
        let bytes = self.block.get(from..from + buffer.len());
        buffer.copy_from_slice(bytes.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn a_jump_reads_little_of_what_it_skips() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&vec![7; 1 << 20]).unwrap();
        let mut media = MediaFile::of(file).unwrap();
        let mut block = |at| {
            media.read_at(at, &mut [0; 16]).unwrap();
            (media.block_at, media.block.len())
        };
        assert_eq!(block(0), (0, READ_BLOCK_BYTES));
        assert_eq!(block(500_000), (500_000, JUMP_BLOCK_BYTES));
        assert_eq!(block(504_000), (500_000, JUMP_BLOCK_BYTES));
        // From here on, the reads are in order.
        assert_eq!(block(504_090), (504_090, READ_BLOCK_BYTES));
        assert_eq!(block(100), (100, JUMP_BLOCK_BYTES));
    }
}
