//! The backends of the audio system: cpal for real devices, and a fake for tests.

mod cookie;
mod cpal;
#[cfg(test)]
pub(in crate::audio) mod fake;
mod pulse;

use crate::audio::system::AudioSystem;

/// Returns the audio system of this computer.
pub(super) fn system() -> Box<dyn AudioSystem> {
    Box::new(cpal::Cpal::default())
}
