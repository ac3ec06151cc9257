//! How a source hands video and audio to the compositor and the mixer: they pull, once a program
//! frame or audio block, and are never kept waiting. A camera, a file, the test source and a remote
//! stream look alike here. Feeds are made on floors 3 and 4 and handed over by `studio`.

use std::sync::Arc;
use std::time::Duration;

use crate::base::Timestamp;
use crate::media::frame::{Size, VideoFrame};

/// A source of frames.
pub trait VideoFeed: Send {
    /// The frame to show at `at`, an instant of the program's frame grid; instants rise from call
    /// to call. `None` while there is no frame (not yet, stalled, lost): a placeholder is shown. Must
    /// not block; a source that makes frames itself may make this one here.
    fn frame(&mut self, at: Timestamp) -> Option<VideoFrame>;

    /// The program shows all of its frames at this size: one that draws them itself may draw them so
    /// large. `None`: at their own size.
    fn set_displayed(&mut self, _size: Option<Size>) {}
}

/// What [`AudioFeed::pull`] did.
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

    /// How long after an instant its audio is certain to be there: the mixer asks for a block this
    /// much later than its end. Zero for a source that makes its audio itself.
    fn delay(&self) -> Duration;
}

/// What a clip shows at one instant.
#[derive(Clone, Debug)]
pub enum Moment {
    /// Nothing yet.
    Waiting,
    /// This, stamped with its time in the clip.
    Frame(VideoFrame),
    /// It has been played to its end, or broke off.
    Over,
}

/// A clip that waits at its beginning and is played once, from when it is first asked.
pub trait ClipFeed: Send {
    /// What it shows at `at`, an instant of the program's frame grid; instants rise from call to
    /// call. Must not block.
    fn moment(&mut self, at: Timestamp) -> Moment;
}

/// A decoder of one stream of frames.
pub trait OpenDecoder: Send {
    /// Takes what came for one frame; gives the frame, if there is one by now. Its `pts` means
    /// nothing.
    ///
    /// # Errors
    /// Why it cannot be decoded, in words. What comes next may be.
    fn unpack(&mut self, data: &[u8]) -> Result<Option<VideoFrame>, String>;
}

/// Opens such decoders.
type Opener = dyn Fn() -> Box<dyn OpenDecoder> + Send + Sync;

/// Who decodes; at first nobody. Clones are the same one.
#[derive(Clone, Default)]
pub struct FrameDecoder(Option<Arc<Opener>>);

impl FrameDecoder {
    pub fn new(open: impl Fn() -> Box<dyn OpenDecoder> + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(open)))
    }

    /// Whether there is somebody.
    pub fn is_some(&self) -> bool {
        self.0.is_some()
    }

    /// A decoder for a stream that begins.
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
