//! How a source whose pictures come compressed has them decoded: by somebody else, who knows how.

use std::sync::Arc;

use crate::media::VideoFrame;

/// A decoder of one stream of pictures.
pub trait Unpack: Send {
    /// Takes what came for one picture; gives the picture, if there is one by now. Its `pts` means
    /// nothing.
    ///
    /// # Errors
    /// Why it cannot be decoded, in words. What comes next may be.
    fn unpack(&mut self, data: &[u8]) -> Result<Option<VideoFrame>, String>;
}

/// Opens such decoders.
type Opener = dyn Fn() -> Box<dyn Unpack> + Send + Sync;

/// Who decodes; at first nobody. Clones are the same one.
#[derive(Clone, Default)]
pub struct Unpacker(Option<Arc<Opener>>);

impl Unpacker {
    pub fn new(open: impl Fn() -> Box<dyn Unpack> + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(open)))
    }

    /// Whether there is somebody.
    pub fn is_some(&self) -> bool {
        self.0.is_some()
    }

    /// A decoder for a stream that begins.
    pub fn open(&self) -> Option<Box<dyn Unpack>> {
        self.0.as_ref().map(|open| open())
    }
}

impl PartialEq for Unpacker {
    fn eq(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Some(one), Some(other)) => Arc::ptr_eq(one, other),
            (one, other) => one.is_none() && other.is_none(),
        }
    }
}

impl std::fmt::Debug for Unpacker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Unpacker({})", self.is_some())
    }
}
