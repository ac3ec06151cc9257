//! A rendition that is being encoded, and its users.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use parking_lot::Mutex;

use crate::compose::filter::WatermarkImage;
use crate::media::Size;
use crate::server::renditions::ladder::VideoRendition;
use crate::server::renditions::refusal::Refusal;
use crate::server::stream::Stream;

/// A rendition that is being encoded.
#[derive(Debug)]
pub(crate) struct RunningRendition {
    pub rendition: VideoRendition,
    /// The packets of the rendition, with the audio of the source.
    pub stream: Arc<Stream>,
    /// The id of that stream's publisher.
    pub(crate) id: u64,
    users: AtomicUsize,
    /// The reason why the rendition ended before its users left.
    ended: Mutex<Option<Refusal>>,
    pub(crate) counters: Counters,
    /// The watermarks on its frames.
    pub(crate) watermarks: Vec<WatermarkImage>,
}

/// Counts of the encoded data.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub frames: AtomicU64,
    pub busy_micros: AtomicU64,
    /// Width in the high bits, height in the low ones; zero before the first frame.
    pub size: AtomicU64,
}

/// The figures of a rendition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RenditionFigures {
    pub name: String,
    pub size: Option<Size>,
    /// The configured bitrate in bits per second.
    pub bitrate: u32,
    pub users: usize,
    pub frames: u64,
    /// The total encoding time.
    pub busy: Duration,
}

impl RenditionFigures {
    /// Adds the figures of a newer rendition with the same name.
    pub(crate) fn add(&mut self, newer: &Self) {
        self.size = newer.size.or(self.size);
        self.bitrate = newer.bitrate;
        self.users += newer.users;
        self.frames += newer.frames;
        self.busy += newer.busy;
    }
}

impl RunningRendition {
    pub(crate) fn new(
        rendition: VideoRendition,
        stream: Arc<Stream>,
        id: u64,
        watermarks: Vec<WatermarkImage>,
    ) -> Self {
        Self {
            rendition,
            stream,
            id,
            users: AtomicUsize::new(0),
            ended: Mutex::default(),
            counters: Counters::default(),
            watermarks,
        }
    }

    pub(crate) fn used(self: &Arc<Self>) -> RenditionUse {
        self.users.fetch_add(1, Ordering::AcqRel);
        RenditionUse { running: Arc::clone(self) }
    }

    pub(crate) fn is_used(&self) -> bool {
        self.users.load(Ordering::Acquire) > 0
    }

    /// Returns the reason why the server ended the rendition, if it did.
    pub fn ended(&self) -> Option<Refusal> {
        self.ended.lock().clone()
    }

    pub(crate) fn end(&self, why: Refusal) {
        self.ended.lock().get_or_insert(why);
    }

    pub(crate) fn figures(&self) -> RenditionFigures {
        let get = |value: &AtomicU64| value.load(Ordering::Relaxed);
        let size = get(&self.counters.size);
        let size = Size::new((size >> 32) as u32, size as u32);
        RenditionFigures {
            name: self.rendition.name(),
            size: Some(size).filter(|size| size.is_valid()),
            bitrate: self.rendition.bitrate.0,
            users: self.users.load(Ordering::Relaxed),
            frames: get(&self.counters.frames),
            busy: Duration::from_micros(get(&self.counters.busy_micros)),
        }
    }
}

impl Counters {
    pub fn note(&self, size: Size, took: Duration) {
        self.frames.fetch_add(1, Ordering::Relaxed);
        let took = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.busy_micros.fetch_add(took, Ordering::Relaxed);
        let size = u64::from(size.width) << 32 | u64::from(size.height);
        self.size.store(size, Ordering::Relaxed);
    }
}

/// A use of a rendition. The rendition is encoded as long as this value exists.
#[derive(Debug)]
pub(crate) struct RenditionUse {
    pub running: Arc<RunningRendition>,
}

impl Drop for RenditionUse {
    fn drop(&mut self) {
        self.running.users.fetch_sub(1, Ordering::AcqRel);
    }
}
