//! What every filter's work looks like to the chain.

use crate::base::WorkerPool;
use crate::media::{Planes, Size};

/// A filter at work on frames.
pub(super) trait Step: Send {
    /// The size of what it makes of a frame, and whether that has an alpha plane.
    fn shape(&self, size: Size, alpha: bool) -> (Size, bool) {
        (size, alpha)
    }

    /// Makes `out`, of the shape given, whose content is old, from `from`, which is in the
    /// program's colours. Frames of a source come in order; the worker pool helps.
    fn run(&mut self, from: &Planes, out: &mut Planes, workers: &WorkerPool);
}
