//! What every decoder does. No default methods: each backend answers every question itself.

use crate::decode::error::Error;
use crate::media::{EncodedPacket, SampleBlock, VideoFrame};

/// A decoder of frames.
pub trait VideoBackend: Send {
    /// Does what the first frame would wait for, while that is still on its way.
    fn prepare(&mut self);
    /// Takes a packet; returns the frames that are now ready, in the order in which they are
    /// shown, each with the `pts` of its packet.
    ///
    /// # Errors
    /// A packet that cannot be decoded. The decoder stays usable: it leaves out frames up to the
    /// next keyframe on its own.
    fn decode(&mut self, packet: &EncodedPacket) -> Result<Vec<VideoFrame>, Error>;
    /// At the end of the stream: the frames that were still waiting for their turn.
    fn flush(&mut self) -> Vec<VideoFrame>;
    /// Forgets everything but the parameters: after a seek or a lost connection.
    fn reset(&mut self);
    /// Whether all that comes is left out until a keyframe does.
    fn is_waiting(&self) -> bool;
    /// Begins with what comes next as far as it can, though no keyframe may come: frames that are not
    /// whole yet are kept back.
    fn begin_anywhere(&mut self);
    /// Of the library and what it decodes, such as `H.264 High`. May say more once there are frames:
    /// what is made of HDR.
    fn name(&self) -> &str;
    /// What does the work. Whether hardware does is known with the first frame only.
    fn by(&self) -> By;
}

/// What decodes frames.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct By {
    pub library: &'static str,
    /// The graphics hardware that does it, by the name of its interface; `None`: the processor.
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
    /// Of the library and what it decodes, such as `AAC-LC`.
    fn name(&self) -> &str;
}
