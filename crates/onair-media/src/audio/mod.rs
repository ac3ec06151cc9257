//! Floor 3: audio from devices, files and the test tone, each behind an audio feed.

mod backend;
pub mod choice;
mod device_clock;
mod device_rate;
mod fallback;
mod mic;
mod open;
mod signal_watch;
mod source;
pub mod speaker;
mod speaker_watch;
mod system;
mod tone;
mod wav;

#[cfg(target_os = "linux")]
pub use crate::audio::backend::PageSink;
pub use crate::audio::backend::has_server;
pub use crate::audio::choice::AudioChoice;
pub use crate::audio::fallback::{AudioFallback, is_out};
#[cfg(any(test, feature = "test-support"))]
pub use crate::audio::mic::simulated::Microphone;
pub use crate::audio::source::{ApplicationInfo, Context, DeviceInfo, Error, Source};

pub use open::{applications, hears, microphones, open, silence_of, speakers};
