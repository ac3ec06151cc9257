//! A block of received bytes from which a reader takes message bodies. A large body shares the memory
//! of its block and is not copied. A small body is copied, because sharing would keep the whole block
//! in memory as long as the body.

use bytes::{Buf, Bytes, BytesMut};

/// A body shares the memory of its block if the body takes at least a quarter of the block. Shared
/// memory is then at most four times the size of the bodies.
const MAX_BLOCK_RATIO: usize = 4;

/// Takes bytes from the front of a buffer that a socket or a file filled.
#[derive(Debug)]
pub struct ByteBlock<'a> {
    buffer: &'a mut BytesMut,
    /// Bytes of memory that a shared body keeps alive.
    whole: usize,
}

impl<'a> ByteBlock<'a> {
    /// Creates a block of all bytes in `buffer`, before any are taken.
    pub fn new(buffer: &'a mut BytesMut) -> Self {
        let whole = buffer.capacity();
        Self { buffer, whole }
    }

    /// Works like [`ByteBlock::new`], for a buffer from which bytes were already taken.
    pub(super) fn of(buffer: &'a mut BytesMut, whole: usize) -> Self {
        Self { buffer, whole }
    }

    /// Returns the bytes that are left.
    pub fn as_slice(&self) -> &[u8] {
        self.buffer
    }

    /// Returns true if no bytes are left.
    pub fn is_empty(&self) -> bool {
        self.buffer.is_empty()
    }

    /// Skips this many bytes, or all that are left.
    pub fn advance(&mut self, count: usize) {
        self.buffer.advance(count.min(self.buffer.len()));
    }

    /// Takes this many bytes, or all that are left.
    pub fn take(&mut self, count: usize) -> Bytes {
        let count = count.min(self.buffer.len());
        if count.saturating_mul(MAX_BLOCK_RATIO) >= self.whole {
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
        // The share counts from the whole block, not from the bytes that are left.
        let at = block.as_slice().as_ptr();
        assert_ne!(block.take(249).as_ptr(), at);
        assert_eq!(block.take(5_000).len(), 351);
        block.advance(1);
        assert!(block.is_empty());
    }
}
