//! The bytes of one message as they wait for a viewer.

use bytes::Bytes;

/// The bytes of one message: a header of the viewer's own, which may be empty, and what is shared.
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
    /// Bytes of both.
    pub fn len(&self) -> usize {
        self.head.len() + self.rest.len()
    }
}
