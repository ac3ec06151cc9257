//! Floor 3: encodes video and audio to packets. [`VideoEncoder`] and [`AudioEncoder`] are threads
//! with an input and an output queue. The codecs are private backends, and the first backend that
//! opens is used. When the last sender of the input queue is dropped, the encoder flushes, drops
//! its output sender and ends.

pub mod audio;
mod avcc;
mod backend;
pub mod config;
mod continuity;
pub mod error;
mod frame_encoder;
mod keyframes;
mod level;
mod rate;
mod scale;
mod scene_change;
pub mod video;

pub use audio::AudioEncoder;
pub use backend::OpusEncoder;
pub use backend::{KnownEncoder, known_encoders};
pub use error::Error;
pub use frame_encoder::FrameEncoder;
pub use video::{Choice, VideoEncoder};
