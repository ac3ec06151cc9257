//! The queued bytes of one message.

use bytes::Bytes;

/// The bytes of one message: the viewer's own header, which can be empty, and the shared part.
#[derive(Clone, Debug, Default)]
pub(in crate::server) struct MessageBytes {
    pub head: Bytes,
    pub rest: Bytes,
}

impl From<Bytes> for MessageBytes {
    fn from(rest: Bytes) -> Self {
        Self { head: Bytes::new(), rest }
    }
}

impl MessageBytes {
    /// Returns the number of bytes in both parts.
    pub fn len(&self) -> usize {
        self.head.len() + self.rest.len()
    }
}
