//! The interface of decoders. The traits have no default methods: each backend implements every
//! method.

use crate::decode::error::Error;
use crate::media::{EncodedPacket, SampleBlock, VideoFrame};

/// The interface of a video decoder.
pub trait VideoBackend: Send {
    /// Prepares for the first frame before it arrives.
    fn prepare(&mut self);
    /// Decodes a packet, and returns the frames that are now ready, in presentation order, each
    /// with the `pts` of its packet.
    ///
    /// # Errors
    /// Fails if the packet cannot be decoded. Unless [`Error::is_final`] returns true, the
    /// decoder stays usable: it skips frames up to the next keyframe.
    fn decode(&mut self, packet: &EncodedPacket) -> Result<Vec<VideoFrame>, Error>;
    /// Returns the remaining frames at the end of the stream.
    fn flush(&mut self) -> Vec<VideoFrame>;
    /// Resets everything except the config, after a seek or a lost connection.
    fn reset(&mut self);
    /// Returns true if the decoder drops packets until the next keyframe.
    fn is_waiting(&self) -> bool;
    /// Begins with the next packet, even if it is not a keyframe. Incomplete frames are not
    /// returned.
    fn begin_anywhere(&mut self);
    /// Returns the library and the format, such as `H.264 High`. The name can change with the
    /// frames, because it includes the HDR conversion.
    fn name(&self) -> &str;
    /// Returns the implementation of the decoder. Only the first frame shows whether hardware
    /// decodes.
    fn by(&self) -> DecoderInfo;
}

/// The implementation of a video decoder.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct DecoderInfo {
    pub library: &'static str,
    /// The interface of the hardware, or `None` if the CPU decodes.
    pub hardware: Option<&'static str>,
}

/// The interface of an audio decoder.
pub trait AudioBackend: Send {
    /// Decodes a packet, and returns its audio (at most two channels), if any. `pts` is the time of
    /// the first sample, with the decoder's delay subtracted.
    ///
    /// # Errors
    /// Fails if the packet cannot be decoded. Unless [`Error::is_final`] returns true, the
    /// decoder stays usable.
    fn decode(&mut self, packet: &EncodedPacket) -> Result<Option<SampleBlock>, Error>;
    /// Resets everything except the config, after a seek or a lost connection.
    fn reset(&mut self);
    /// Returns the library and the format, such as `AAC-LC`.
    fn name(&self) -> &str;
}
