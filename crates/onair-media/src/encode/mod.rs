//! Floor 3: encodes video and audio to packets. [`VideoEncoder`] and [`AudioEncoder`] are threads
//! with an input and an output queue. The codecs are private backends, and the first backend that
//! opens is used. Encoders of the system's libraries run in processes of their own. When the last
//! sender of the input queue is dropped, the encoder flushes, drops its output sender and ends.

pub mod audio;
mod avcc;
mod backend;
mod choice;
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

pub use audio::{AacPackets, AudioEncoder, OpusPackets};
pub use backend::OpusEncoder;
pub use backend::process::run as run_encoder_process;
pub use backend::{
    Aim, KnownEncoder, Selection, known_encoders, known_encoders_so_far, select, try_encoders,
};
pub use config::{AudioCodecChoice, AudioProfile, CodecChoice, Preset, RateControl};
pub use error::Error;
pub use frame_encoder::FrameEncoder;
pub use video::{Choice, Incident, VideoEncoder};
