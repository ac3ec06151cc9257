//! A segment with its parts and the data that they need. This module is pure.

use std::sync::Arc;
use std::time::Duration;

use crate::server::hls::part::{Initialization, Part};

/// A segment.
#[derive(Clone, Debug)]
pub(in crate::server) struct Segment {
    pub number: u64,
    /// True if it does not continue the previous one.
    pub discontinuity: bool,
    /// Initialization segment, and the number of the first segment that uses it.
    pub initialization: Arc<Initialization>,
    pub initialization_number: u64,
    /// Wall-clock time of the segment, in microseconds since 1970.
    pub made: i64,
    pub parts: Vec<Part>,
}

impl Segment {
    /// Duration of the segment.
    pub fn duration(&self) -> Duration {
        self.parts.iter().map(|part| part.duration).sum()
    }

    /// Bytes of all parts.
    pub fn size(&self) -> usize {
        self.parts.iter().map(Part::size).sum()
    }
}
