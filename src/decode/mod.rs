//! Floor 3: packets become pictures and sound. A decoder is a plain value that lives on its
//! caller's thread; what comes in is hostile: no input may crash it, keep it busy for ever or make
//! it hold memory without limit.

mod avcc;
mod backend;
pub mod error;
mod reorder;

pub use error::Error;

use crate::media::{
    AudioCodec, AudioParameters, EncodedPacket, Samples, VideoCodec, VideoFrame, VideoParameters,
};

/// A decoder of pictures.
pub trait VideoBackend: Send {
    /// Takes a packet; returns the pictures that are now ready, in the order in which they are
    /// shown, each with the `pts` of its packet.
    ///
    /// # Errors
    /// A packet that cannot be decoded. The decoder stays usable: it leaves out pictures up to the
    /// next keyframe by itself.
    fn decode(&mut self, packet: &EncodedPacket) -> Result<Vec<VideoFrame>, Error>;
    /// At the end of the stream: the pictures that were still waiting for their turn.
    fn flush(&mut self) -> Vec<VideoFrame>;
    /// Forgets everything but the parameters: after a seek or a lost connection.
    fn reset(&mut self);
    /// Of the library and what it decodes, such as `H.264 High`.
    fn name(&self) -> &str;
}

/// A decoder of sound.
pub trait AudioBackend: Send {
    /// Takes a packet; returns the sound it decodes to (at most two channels), if it does.
    /// `pts` is the instant of its first sample, the decoder's own delay subtracted.
    ///
    /// # Errors
    /// A packet that cannot be decoded. The decoder stays usable.
    fn decode(&mut self, packet: &EncodedPacket) -> Result<Option<Samples>, Error>;
    /// Forgets everything but the parameters: after a seek or a lost connection.
    fn reset(&mut self);
    /// Of the library and what it decodes, such as `AAC-LC`.
    fn name(&self) -> &str;
}

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
    }
}
