//! A segment: its parts, and what they need. Pure.

use std::sync::Arc;
use std::time::Duration;

use crate::server::hls::part::{Initialization, Part};

/// A segment.
#[derive(Clone, Debug)]
pub(in crate::server) struct Segment {
    pub number: u64,
    /// It does not continue the one before.
    pub discontinuity: bool,
    /// What is before it, and the number of the segment that this was told with first.
    pub initialization: Arc<Initialization>,
    pub initialization_number: u64,
    /// When it begins by the wall clock, in microseconds since 1970.
    pub made: i64,
    pub parts: Vec<Part>,
}

impl Segment {
    /// How long it is.
    pub fn duration(&self) -> Duration {
        self.parts.iter().map(|part| part.duration).sum()
    }

    /// Bytes of all parts.
    pub fn size(&self) -> usize {
        self.parts.iter().map(Part::size).sum()
    }
}
