//! The audio systems: cpal for real ones, a fake for tests.

mod cookie;
mod cpal;
#[cfg(test)]
pub(in crate::audio) mod fake;
mod pulse;

use crate::audio::system::AudioSystem;

/// The machine's audio system.
pub(super) fn system() -> Box<dyn AudioSystem> {
    Box::new(cpal::Cpal::default())
}
