//! The interface of decoders. Without default methods: each backend implements everything.

use crate::decode::error::Error;
use crate::media::{EncodedPacket, SampleBlock, VideoFrame};

/// A decoder of frames.
pub trait VideoBackend: Send {
    /// Prepares for the first frame while it is still on its way.
    fn prepare(&mut self);
    /// Takes a packet, and returns the frames that are now ready, in presentation order, each with
    /// the `pts` of its packet.
    ///
    /// # Errors
    /// A packet that cannot be decoded. The decoder stays usable: it leaves out frames up to the
    /// next keyframe on its own.
    fn decode(&mut self, packet: &EncodedPacket) -> Result<Vec<VideoFrame>, Error>;
    /// At the end of the stream: the remaining frames.
    fn flush(&mut self) -> Vec<VideoFrame>;
    /// Forgets everything but the parameters: after a seek or a lost connection.
    fn reset(&mut self);
    /// Returns true if packets are dropped until a keyframe.
    fn is_waiting(&self) -> bool;
    /// Begins with the next packet even without a keyframe: incomplete frames are held back.
    fn begin_anywhere(&mut self);
    /// The library and the format, such as `H.264 High`. It can change with the frames: the
    /// handling of HDR.
    fn name(&self) -> &str;
    /// The implementation. Only the first frame shows whether hardware decodes.
    fn by(&self) -> By;
}

/// The implementation of a video decoder.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct By {
    pub library: &'static str,
    /// The hardware by the name of its interface; `None`: the CPU.
    pub hardware: Option<&'static str>,
}

/// A decoder of audio.
pub trait AudioBackend: Send {
    /// Takes a packet; returns the audio it decodes to (at most two channels), if it does.
    /// `pts` is the instant of its first sample, the decoder's own delay subtracted.
    ///
    /// # Errors
    /// A packet that cannot be decoded. The decoder stays usable.
    fn decode(&mut self, packet: &EncodedPacket) -> Result<Option<SampleBlock>, Error>;
    /// Forgets everything but the parameters: after a seek or a lost connection.
    fn reset(&mut self);
    /// The library and the format, such as `AAC-LC`.
    fn name(&self) -> &str;
}
