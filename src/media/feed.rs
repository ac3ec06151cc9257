//! How the compositor and the mixer get video and audio from a source: they pull once per program
//! frame or audio block, without waiting. A camera, a file, the test pattern and a remote stream
//! have the same interface. Floors 3 and 4 create feeds, and `studio` passes them on.

use std::sync::Arc;
use std::time::Duration;

use crate::base::Timestamp;
use crate::media::frame::{Size, VideoFrame};

/// A source of frames.
pub trait VideoFeed: Send {
    /// The frame for `at`, an instant of the program's frame grid; instants increase. Returns
    /// `None` without a frame (not yet, stalled, lost): a placeholder is shown. It must not block;
    /// a source that generates frames can do so here.
    fn frame(&mut self, at: Timestamp) -> Option<VideoFrame>;

    /// The program shows its frames at this size: a source that draws them can use it. `None`: at
    /// their own size.
    fn set_displayed(&mut self, _size: Option<Size>) {}
}

/// The result of [`AudioFeed::pull`].
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Pulled {
    /// All of it is audio from the source.
    Sound,
    /// At least part of it had to be filled with silence (not yet, stalled, lost).
    Silence,
}

/// A source of audio, already at the session's rate and channels.
pub trait AudioFeed: Send {
    /// Fills `out` (interleaved) with the audio that starts at `at`. Blocks follow each other
    /// without gap or overlap. Must not block.
    fn pull(&mut self, at: Timestamp, out: &mut [f32]) -> Pulled;

    /// How long after an instant its audio is certainly available: the mixer requests a block this
    /// long after its end. Zero for a source that generates its audio.
    fn delay(&self) -> Duration;
}

/// The content of a clip at one instant.
#[derive(Clone, Debug)]
pub enum Moment {
    /// Nothing yet.
    Waiting,
    /// This, stamped with its time in the clip.
    Frame(VideoFrame),
    /// It has been played to its end, or broke off.
    Over,
}

/// A clip that waits at its beginning, and plays once from the first call.
pub trait ClipFeed: Send {
    /// The content for `at`, an instant of the program's frame grid; instants increase. It must not
    /// block.
    fn moment(&mut self, at: Timestamp) -> Moment;
}

/// A decoder of one video stream.
pub trait OpenDecoder: Send {
    /// Takes the data of one frame, and returns a frame if one is ready. Its `pts` has no meaning.
    ///
    /// # Errors
    /// Why it cannot be decoded, as a text. Later data may be decodable.
    fn unpack(&mut self, data: &[u8]) -> Result<Option<VideoFrame>, String>;
}

/// Opens such decoders.
type Opener = dyn Fn() -> Box<dyn OpenDecoder> + Send + Sync;

/// Opens decoders; at first none. Clones are the same object.
#[derive(Clone, Default)]
pub struct FrameDecoder(Option<Arc<Opener>>);

impl FrameDecoder {
    pub fn new(open: impl Fn() -> Box<dyn OpenDecoder> + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(open)))
    }

    /// Returns true if there is somebody.
    pub fn is_some(&self) -> bool {
        self.0.is_some()
    }

    /// A decoder for a new stream.
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
