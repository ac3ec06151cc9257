//! A block of received bytes that a reader takes bodies out of. A body that is a good part of its
//! block shares its memory and is not copied; a small one is copied, because sharing would keep the
//! whole block for as long as the body lives.

use bytes::{Buf, Bytes, BytesMut};

/// A body shares its block where it holds at least one byte of this many: what is held on to is then at
/// most this many times what was received.
const MAX_PER_BYTE: usize = 4;

/// Bytes to be taken from the front of a buffer that a socket or a file was read into.
#[derive(Debug)]
pub struct ByteBlock<'a> {
    buffer: &'a mut BytesMut,
    /// The memory that a shared body keeps.
    whole: usize,
}

impl<'a> ByteBlock<'a> {
    /// All that is in `buffer`, before anything was taken out.
    pub fn new(buffer: &'a mut BytesMut) -> Self {
        let whole = buffer.capacity();
        Self { buffer, whole }
    }

    /// As [`ByteBlock::new`], for a buffer of which something was taken before.
    pub(super) fn of(buffer: &'a mut BytesMut, whole: usize) -> Self {
        Self { buffer, whole }
    }

    /// What is left.
    pub fn as_slice(&self) -> &[u8] {
        self.buffer
    }

    /// Whether nothing is left.
    pub fn is_empty(&self) -> bool {
        self.buffer.is_empty()
    }

    /// Passes over this many bytes, or all that are left.
    pub fn advance(&mut self, count: usize) {
        self.buffer.advance(count.min(self.buffer.len()));
    }

    /// Takes this many bytes, or all that are left.
    pub fn take(&mut self, count: usize) -> Bytes {
        let count = count.min(self.buffer.len());
        if count.saturating_mul(MAX_PER_BYTE) >= self.whole {
            return self.buffer.split_to(count).freeze();
        }
        let body = Bytes::copy_from_slice(self.buffer.get(..count).unwrap_or_default());
        self.buffer.advance(count);
        body
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_part_is_shared_and_a_small_one_copied() {
        let mut buffer = BytesMut::with_capacity(1_000);
        buffer.resize(1_000, 7);
        let place = buffer.as_ptr();
        let mut block = ByteBlock::new(&mut buffer);
        let small = block.take(100);
        assert_eq!((small.len(), small.as_ptr() == place), (100, false));
        block.advance(50);
        let large = block.take(250);
        assert_eq!(large.as_ptr(), place.wrapping_add(150), "not copied");
        // Of the whole block, however little of it is left.
        let at = block.as_slice().as_ptr();
        assert_ne!(block.take(249).as_ptr(), at);
        assert_eq!(block.take(5_000).len(), 351);
        block.advance(1);
        assert!(block.is_empty());
    }
}
