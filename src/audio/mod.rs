//! Floor 3: sound from devices, files and the test tone, each behind an
//! [`AudioFeed`](crate::media::AudioFeed), and sound to the speakers.

pub mod choice;

pub use choice::AudioChoice;
