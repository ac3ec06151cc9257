//! The codecs. A backend answers every question itself: the traits have no default methods.

pub(super) mod fake;
mod fdk_aac;
mod openh264;

use bytes::Bytes;

use crate::base::Timestamp;
use crate::encode::{Choice, Error, audio, video};
use crate::media::{AudioParameters, BitsPerSecond, EncodedPacket, VideoFrame, VideoParameters};

/// What an encoder is, for people and for the `encoder` event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    /// Of the library, such as `openh264`.
    pub name: &'static str,
    /// Such as `High`.
    pub profile: &'static str,
    /// Such as `3.1`; empty where the format has none.
    pub level: String,
}

/// An encoder of pictures. Lives on one thread.
pub(super) trait VideoBackend: Send {
    /// Encodes a picture at once (no lookahead). `key` asks for an IDR picture.
    fn encode(&mut self, frame: &VideoFrame, key: bool) -> Result<EncodedPacket, Error>;
    /// What is still inside at the end of the stream.
    fn flush(&mut self) -> Result<Vec<EncodedPacket>, Error>;
    /// Another target, from the next picture on.
    fn set_bitrate(&mut self, bitrate: BitsPerSecond) -> Result<(), Error>;
    /// What a decoder must know; does not change.
    fn parameters(&self) -> &VideoParameters;
    /// What this is.
    fn description(&self) -> Description;
}

/// An encoded block of sound and how far it lies from the input.
#[derive(Clone, Debug)]
pub(super) struct Block {
    /// One raw access unit.
    pub data: Bytes,
    /// Samples a channel from the start of the input to this block's first, negative in the
    /// encoder's priming.
    pub start: i64,
}

/// An encoder of sound. Lives on one thread. Counts samples; knows no time.
pub(super) trait AudioBackend: Send {
    /// Takes interleaved 16-bit samples and calls `each` for every block that is finished.
    fn encode(&mut self, pcm: &[i16], each: &mut dyn FnMut(Block)) -> Result<(), Error>;
    /// Finishes what is inside, until every input sample can be decoded.
    fn flush(&mut self, each: &mut dyn FnMut(Block)) -> Result<(), Error>;
    /// Samples a channel in a block.
    fn block_len(&self) -> usize;
    /// What a decoder must know; does not change.
    fn parameters(&self) -> &AudioParameters;
    /// What this is.
    fn description(&self) -> Description;
}

/// A backend that opened, and why it is this one.
pub(super) struct Opened<B: ?Sized> {
    pub backend: Box<B>,
    /// What was tried before it and why that failed; else why it was chosen.
    pub why: String,
}

type Candidate<C, B> = (&'static str, fn(&C) -> Result<Box<B>, Error>);

fn first_that_opens<C, B: ?Sized>(
    kind: &'static str,
    chosen: &str,
    config: &C,
    candidates: &[Candidate<C, B>],
) -> Result<Opened<B>, Error> {
    let mut tried = Vec::new();
    for (name, open) in candidates {
        match open(config) {
            Ok(backend) => {
                let why = if tried.is_empty() { chosen.to_owned() } else { tried.join("; ") };
                return Ok(Opened { backend, why });
            }
            Err(error) => tried.push(format!("{name}: {error}")),
        }
    }
    Err(Error::NoBackend { kind, tried })
}

/// Opens the video encoder that was chosen, or the best there is.
pub(super) fn open_video(config: &video::Config) -> Result<Opened<dyn VideoBackend>, Error> {
    const OPENH264: Candidate<video::Config, dyn VideoBackend> =
        ("openh264", |config| Ok(Box::new(openh264::Encoder::open(config)?)));
    const FAKE: Candidate<video::Config, dyn VideoBackend> =
        ("fake", |config| Ok(Box::new(fake::Video::open(config)?)));
    match config.encoder {
        Choice::Auto => first_that_opens(
            "H.264",
            "the only encoder on this machine that needs no hardware",
            config,
            &[OPENH264],
        ),
        Choice::OpenH264 => first_that_opens("H.264", "asked for", config, &[OPENH264]),
        Choice::Fake => first_that_opens("H.264", "asked for by a test", config, &[FAKE]),
    }
}

/// Opens the audio encoder.
pub(super) fn open_audio(config: &audio::Config) -> Result<Opened<dyn AudioBackend>, Error> {
    const FDK: Candidate<audio::Config, dyn AudioBackend> =
        ("fdk-aac", |config| Ok(Box::new(fdk_aac::Encoder::open(config)?)));
    first_that_opens("AAC", "the only AAC encoder built in", config, &[FDK])
}

/// Moves a stamp by a number of samples.
pub(super) fn after_samples(from: Timestamp, samples: i64, rate: u32) -> Timestamp {
    from.offset(crate::media::samples::frames_to_micros(samples, rate))
}
