//! Windows itself releases the memory of code that is not used any more.

use std::time::Instant;

/// Does nothing on this system.
#[derive(Debug, Default)]
pub struct CodePages {}

impl CodePages {
    /// Does nothing on this system.
    pub fn poll(&mut self, _now: Instant) {}
}
