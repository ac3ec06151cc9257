//! The backends of the audio system: cpal for real devices, and a fake for tests.

#[cfg(target_os = "linux")]
mod cookie;
#[cfg(target_os = "linux")]
mod cpal;
#[cfg(test)]
pub(in crate::audio) mod fake;
#[cfg(target_os = "linux")]
mod pulse;
mod streams;
#[cfg(windows)]
mod wasapi;

#[cfg(target_os = "linux")]
pub use crate::audio::backend::pulse::{PageSink, has_server};
use crate::audio::system::AudioSystem;

/// Returns true if there is an audio server that gives a page a sink of its own.
#[cfg(not(target_os = "linux"))]
pub fn has_server() -> bool {
    false
}

/// Returns the audio system of this computer.
pub(super) fn system() -> Box<dyn AudioSystem> {
    #[cfg(target_os = "linux")]
    return Box::new(cpal::Cpal::default());
    #[cfg(windows)]
    return Box::new(wasapi::Wasapi);
}
