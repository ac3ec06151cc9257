//! The interface between a filter's implementation and the chain.

use crate::base::WorkerPool;
use crate::media::{Planes, Size};

/// A filter that processes frames.
pub trait Step: Send {
    /// Returns the size of the filtered frame, and whether it has an alpha plane.
    fn shape(&self, size: Size, alpha: bool) -> (Size, bool) {
        (size, alpha)
    }

    /// Filters `from`, which is in the program's color space, into `out`. `out` has the shape from
    /// [`Step::shape`], and contains old pixels. The frames of a source arrive in order. The worker
    /// pool shares the work.
    fn run(&mut self, from: &Planes, out: &mut Planes, workers: &WorkerPool);
}
