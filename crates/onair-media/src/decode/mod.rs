//! Floor 3: decodes packets to frames and sample blocks.

mod avcc;
mod backend;
mod converter;
mod displayed;
mod downmix;
pub mod error;
pub mod inventory;
mod open;
mod reorder;
pub mod traits;

pub use crate::decode::converter::Converter;
pub use crate::decode::error::{Error, NoDecoder};
pub use crate::decode::traits::{AudioBackend, DecoderInfo, VideoBackend};

pub use open::{KEYFRAME_TIMEOUT, begin_anywhere};
pub use open::{Prefer, open_audio, open_preferred, open_video};
