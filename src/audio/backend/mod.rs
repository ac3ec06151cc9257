//! The sound systems: cpal for real ones, a fake for tests.

mod cookie;
#[cfg(test)]
pub(super) mod fake;
mod pulse;
mod system;

use super::device::System;

/// The machine's sound system.
pub(super) fn system() -> Box<dyn System> {
    Box::new(system::Cpal::default())
}
