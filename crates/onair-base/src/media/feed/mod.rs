//! Feeds: the interface through which the compositor and the mixer get video and audio from a
//! source. The compositor and the mixer pull once per program frame or audio block, without
//! waiting. A camera, a file, the test pattern and a remote stream have the same interface. Floors
//! 3 and 4 create feeds, and `studio` passes them on.

pub mod clip_frames;

use std::sync::Arc;
use std::time::Duration;

use crate::base::Timestamp;
use crate::media::frame::{Size, VideoFrame};

/// A source of frames.
pub trait VideoFeed: Send {
    /// Returns the frame for `at`, a time of the program's frame grid. The times of successive
    /// calls increase. Returns `None` if the source has no frame (not yet, stalled, lost); the
    /// program then shows a placeholder. This function must not block, but it may generate the
    /// frame.
    fn frame(&mut self, at: Timestamp) -> Option<VideoFrame>;

    /// Sets the size at which the program shows the frames. A source that draws its frames can use
    /// this size. `None` means the size of the frames themselves.
    fn set_displayed(&mut self, _size: Option<Size>) {}
}

/// The result of [`AudioFeed::pull`].
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Pulled {
    /// The whole block is audio from the source.
    Audio,
    /// At least part of the block is filled with silence, because audio is not yet available, or
    /// the source is stalled or lost.
    Silence,
}

/// A source of audio, already at the session's rate and channels.
pub trait AudioFeed: Send {
    /// Fills `out` (interleaved) with the audio that starts at `at`. Successive calls request audio
    /// without a gap or overlap. This function must not block.
    fn pull(&mut self, at: Timestamp, out: &mut [f32]) -> Pulled;

    /// Returns the time after which the audio of an instant is certainly available. The mixer
    /// requests a block this long after the end of the block. The time is zero for a source that
    /// generates its audio.
    fn delay(&self) -> Duration;
}

/// The content of a clip at one instant.
#[derive(Clone, Debug)]
pub enum Moment {
    /// No frame is available yet.
    Waiting,
    /// The clip shows this frame, whose timestamp is its time in the clip.
    Frame(VideoFrame),
    /// The clip was played to its end, or was interrupted.
    Over,
}

/// A clip that waits at its beginning, and plays once from the first call.
pub trait ClipFeed: Send {
    /// Returns the content for `at`, a time of the program's frame grid. The times of successive
    /// calls increase. This function must not block.
    fn moment(&mut self, at: Timestamp) -> Moment;
}

/// A decoder of one video stream.
pub trait OpenDecoder: Send {
    /// Decodes the data of one frame, and returns a frame if one is ready. The `pts` of the
    /// returned frame has no meaning.
    ///
    /// # Errors
    /// Fails with a text if the data cannot be decoded. Later data may be decodable.
    fn unpack(&mut self, data: &[u8]) -> Result<Option<VideoFrame>, String>;
}

/// A function that opens a decoder.
type Opener = dyn Fn() -> Box<dyn OpenDecoder> + Send + Sync;

/// An opener of decoders. The default opener has no decoders. Clones share the same opener.
#[derive(Clone, Default)]
pub struct FrameDecoder(Option<Arc<Opener>>);

impl FrameDecoder {
    pub fn new(open: impl Fn() -> Box<dyn OpenDecoder> + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(open)))
    }

    /// Returns true if decoders are available.
    pub fn is_some(&self) -> bool {
        self.0.is_some()
    }

    /// Opens a decoder for a new stream.
    pub fn open(&self) -> Option<Box<dyn OpenDecoder>> {
        self.0.as_ref().map(|open| open())
    }
}

impl PartialEq for FrameDecoder {
    fn eq(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Some(one), Some(other)) => Arc::ptr_eq(one, other),
            (one, other) => one.is_none() && other.is_none(),
        }
    }
}

impl std::fmt::Debug for FrameDecoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "FrameDecoder({})", self.is_some())
    }
}
