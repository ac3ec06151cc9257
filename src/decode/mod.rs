//! Floor 3: packets become pictures and sound. A decoder is a plain value that lives on its
//! caller's thread; what comes in is hostile: no input may crash it, keep it busy for ever or make
//! it hold memory without limit.

mod avcc;
mod backend;
pub mod decoder;
pub mod error;
mod reorder;

pub use decoder::{AudioBackend, VideoBackend};
pub use error::Error;

use crate::media::{AudioCodec, AudioParameters, VideoCodec, VideoParameters};

/// Opens a decoder for such pictures.
///
/// # Errors
/// When the parameters are damaged or describe what cannot be decoded; the error names it.
pub fn open_video(parameters: &VideoParameters) -> Result<Box<dyn VideoBackend>, Error> {
    match parameters.codec {
        VideoCodec::H264 => Ok(Box::new(backend::openh264::Decoder::open(parameters)?)),
    }
}

/// Opens a decoder for such sound.
///
/// # Errors
/// When the parameters are damaged or describe what cannot be decoded; the error names it.
pub fn open_audio(parameters: &AudioParameters) -> Result<Box<dyn AudioBackend>, Error> {
    match parameters.codec {
        AudioCodec::Aac => Ok(Box::new(backend::fdk_aac::Decoder::open(parameters)?)),
        AudioCodec::Mp3 | AudioCodec::Flac => {
            Ok(Box::new(backend::symphonia::Decoder::open(parameters)?))
        }
        AudioCodec::Opus => Ok(Box::new(backend::opus::Decoder::open(parameters)?)),
        AudioCodec::PcmS16Le
        | AudioCodec::PcmU8
        | AudioCodec::PcmAlaw
        | AudioCodec::PcmMulaw
        | AudioCodec::Speex => Ok(Box::new(backend::pcm::Decoder::open(parameters)?)),
    }
}
