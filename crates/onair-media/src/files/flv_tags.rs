//! Reads the tags of an FLV file up to its end.

use std::fs::File;
use std::io::{self, Read};

use crate::wire::container::flv::{self, ReadTag, Reader};

/// The number of bytes per read.
const READ_BLOCK_BYTES: usize = 64 << 10;

/// The reason why a tag cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error(transparent)]
    Flv(#[from] flv::Error),
}

/// Reads the tags of one FLV file; see the module documentation.
#[derive(Debug)]
pub struct FlvTags {
    file: File,
    block: Vec<u8>,
    bytes: u64,
}

impl FlvTags {
    /// Starts at the current position of a file.
    pub fn new(file: File) -> Self {
        Self { file, block: vec![0; READ_BLOCK_BYTES], bytes: 0 }
    }

    /// Returns the number of bytes that were read.
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Reads the next tag, with a `reader` that is used only for this file. Returns `None` at the
    /// end.
    ///
    /// # Errors
    /// Fails if the file cannot be read or is not FLV.
    pub fn next(&mut self, reader: &mut Reader) -> Result<Option<ReadTag>, Error> {
        loop {
            if let Some(tag) = reader.next_tag()? {
                return Ok(Some(tag));
            }
            let read = self.file.read(&mut self.block)?;
            if read == 0 {
                return Ok(None);
            }
            self.bytes += read as u64;
            reader.push(self.block.get(..read).unwrap_or_default());
        }
    }
}
