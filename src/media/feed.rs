//! Feeds: the interface through which the compositor and the mixer get video and audio from a
//! source. They pull once per program frame or audio block, without waiting. A camera, a file, the
//! test pattern and a remote stream have the same interface. Floors 3 and 4 create feeds, and
//! `studio` passes them on.

use std::sync::Arc;
use std::time::Duration;

use crate::base::Timestamp;
use crate::media::frame::{Size, VideoFrame};

/// A source of frames.
pub trait VideoFeed: Send {
    /// The frame for `at`, a time of the program's frame grid; the times increase. Returns `None`
    /// without a frame (not yet, stalled, lost): a placeholder is shown. It must not block; a
    /// source that generates frames can do so here.
    fn frame(&mut self, at: Timestamp) -> Option<VideoFrame>;

    /// Sets the size at which the program shows its frames: a source that draws them can use it.
    /// `None` means their own size.
    fn set_displayed(&mut self, _size: Option<Size>) {}
}

/// The result of [`AudioFeed::pull`].
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Pulled {
    /// All of it is audio from the source.
    Sound,
    /// At least part of it is filled with silence (not yet available, stalled, lost).
    Silence,
}

/// A source of audio, already at the session's rate and channels.
pub trait AudioFeed: Send {
    /// Fills `out` (interleaved) with the audio that starts at `at`. Blocks follow each other
    /// without a gap or overlap. It must not block.
    fn pull(&mut self, at: Timestamp, out: &mut [f32]) -> Pulled;

    /// Time after which the audio of an instant is certainly available: the mixer requests a block
    /// this long after its end. Zero for a source that generates its audio.
    fn delay(&self) -> Duration;
}

/// The content of a clip at one instant.
#[derive(Clone, Debug)]
pub enum Moment {
    /// Nothing is available yet.
    Waiting,
    /// This frame, whose timestamp is its time in the clip.
    Frame(VideoFrame),
    /// The clip was played to its end, or was interrupted.
    Over,
}

/// A clip that waits at its beginning, and plays once from the first call.
pub trait ClipFeed: Send {
    /// The content for `at`, a time of the program's frame grid; the times increase. It must not
    /// block.
    fn moment(&mut self, at: Timestamp) -> Moment;
}

/// A decoder of one video stream.
pub trait OpenDecoder: Send {
    /// Decodes the data of one frame, and returns a frame if one is ready. Its `pts` has no
    /// meaning.
    ///
    /// # Errors
    /// Fails with a text if the data cannot be decoded. Later data may be decodable.
    fn unpack(&mut self, data: &[u8]) -> Result<Option<VideoFrame>, String>;
}

/// A function that opens such decoders.
type Opener = dyn Fn() -> Box<dyn OpenDecoder> + Send + Sync;

/// Opens decoders; at first it has none. Clones share the same object.
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
        write!(f, "Unpacker({})", self.is_some())
    }
}
