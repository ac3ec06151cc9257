//! The interface of encoders. The traits have no default methods: each backend implements every
//! method.

use bytes::Bytes;

use crate::encode::error::Error;
use crate::media::{AudioConfig, BitsPerSecond, EncodedPacket, VideoConfig, VideoFrame};

/// The description of an encoder, for users and for the `encoder` event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    /// Name of the library, such as `openh264`.
    pub name: &'static str,
    /// Profile, such as `High`.
    pub profile: &'static str,
    /// Level, such as `3.1`; empty if the format has none.
    pub level: String,
    /// The preset, if the encoder has presets.
    pub preset: Option<&'static str>,
}

/// A video encoder, which lives on one thread.
pub(crate) trait VideoBackend: Send {
    /// Accepts a frame in display order. If `key` is true, the frame becomes an IDR frame. A
    /// pipelining encoder may keep a clone of the frame until its packet has been received.
    fn send_frame(&mut self, frame: &VideoFrame, key: bool) -> Result<(), Error>;
    /// Returns the next packet in decoding order, with the `pts` of its frame, and a `dts` that
    /// increases and is never later than the `pts`. `None` means that the encoder needs more
    /// frames, or is finished and empty.
    fn receive_packet(&mut self) -> Result<Option<EncodedPacket>, Error>;
    /// Ends the input, so that the remaining packets can be received.
    fn finish(&mut self) -> Result<(), Error>;
    /// Sets another target bitrate from the next frame on. Returns the bitrate that the encoder
    /// uses, which is lower if the level does not allow the target.
    fn set_bitrate(&mut self, bitrate: BitsPerSecond) -> Result<BitsPerSecond, Error>;
    /// Returns false if another bitrate needs another encoder.
    fn changes_bitrate(&self) -> bool;
    /// Returns the codec config, which is constant.
    fn config(&self) -> &VideoConfig;
    /// Returns the description of the encoder.
    fn description(&self) -> Description;
}

/// An encoded block of audio, and its offset from the input.
#[derive(Clone, Debug)]
pub(crate) struct Block {
    /// One raw access unit.
    pub data: Bytes,
    /// The number of samples per channel from the start of the input to the start of this block.
    /// The number is negative in the encoder's priming.
    pub start: i64,
}

/// An audio encoder, which lives on one thread, counts samples, and has no clock.
pub(crate) trait AudioBackend: Send {
    /// Encodes interleaved 16-bit samples, and calls `each` for every finished block.
    fn encode(&mut self, pcm: &[i16], each: &mut dyn FnMut(Block)) -> Result<(), Error>;
    /// Flushes the encoder, so that every input sample can be decoded.
    fn flush(&mut self, each: &mut dyn FnMut(Block)) -> Result<(), Error>;
    /// Returns the number of samples per channel in a block.
    fn block_len(&self) -> usize;
    /// Returns the codec config, which is constant.
    fn config(&self) -> &AudioConfig;
    /// Returns the description of the encoder.
    fn description(&self) -> Description;
}
