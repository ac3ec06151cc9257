//! The built-in encoders.

use crate::encode::backend::fdk_aac;
use crate::encode::backend::openh264;
use crate::encode::backend::traits::{AudioBackend, VideoBackend};
use crate::encode::config::{self, Choice};
use crate::encode::error::Error;
use crate::media::{AudioCodec, Codec, VideoCodec};

/// A codec, and the function that opens its encoder.
pub(super) struct Candidate<C, B: ?Sized> {
    pub name: &'static str,
    /// The name of the library, for display.
    pub library: &'static str,
    /// The codec of the encoder.
    pub codec: Codec,
    pub open: fn(&C) -> Result<Box<B>, Error>,
}

/// The built-in video encoder, which opens on every computer.
pub(super) const OPENH264: Candidate<config::Video, dyn VideoBackend> = Candidate {
    name: Choice::OpenH264.name(),
    library: "OpenH264",
    codec: Codec::Video(VideoCodec::H264),
    open: |config| Ok(Box::new(openh264::Encoder::open(config)?)),
};

/// The audio encoders, best first.
pub(super) const AUDIO_ENCODERS: &[Candidate<config::Audio, dyn AudioBackend>] = &[Candidate {
    name: "fdk-aac",
    library: "FDK-AAC",
    codec: Codec::Audio(AudioCodec::Aac),
    open: |config| Ok(Box::new(fdk_aac::Encoder::open(config)?)),
}];
