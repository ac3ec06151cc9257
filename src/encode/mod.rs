//! Floor 3: video and audio become packets. [`VideoEncoder`] and [`AudioEncoder`] are threads
//! with a queue in and a queue out; the codecs themselves are private backends, of which the first
//! that opens is used. When the last sender of the input queue is dropped, the encoder flushes,
//! drops its output sender and ends.

pub mod audio;
mod avcc;
mod backend;
pub mod config;
mod continuity;
pub mod error;
mod keyframes;
mod level;
mod rate;
mod scale;
mod scene_change;
pub mod video;

pub use audio::AudioEncoder;
pub use backend::{KnownEncoder, known_encoders};
pub use error::Error;
pub use video::{Choice, VideoEncoder};
