//! Another program made from the same sources, and the timing of its frames.

use std::sync::Arc;

use crate::base::queue::Sender;
use crate::base::{Latest, Timestamp};
use crate::compose::scene::Plan;
use crate::media::{FrameGrid, FrameRate, Size, VideoFrame};

/// The queue of an encoder, and the time of its first frame.
pub type EncoderQueue = (Sender<VideoFrame>, Timestamp);

/// Another program made from the same sources.
#[derive(Clone, Debug)]
pub struct OtherProgram {
    pub plan: Arc<Plan>,
    pub size: Size,
    pub rate: FrameRate,
    /// Gets each frame for the window.
    pub preview: Option<Latest<VideoFrame>>,
}

/// The timing of another program's frames, and their receiver.
#[derive(Debug)]
pub struct OtherProgramTiming {
    pub grid: FrameGrid,
    /// The number of the last frame.
    pub last: i64,
    pub encoder: Option<EncoderQueue>,
    /// The encoder of a recording with its own quality.
    pub recorder: Option<EncoderQueue>,
    pub preview: Option<Latest<VideoFrame>>,
}

impl OtherProgramTiming {
    /// Returns the time of the frame that is due at a tick, if it is new.
    pub fn due(&mut self, at: Timestamp) -> Option<Timestamp> {
        let index = self.grid.index_at(at);
        let is_new = index > self.last;
        self.last = index;
        is_new.then(|| self.grid.instant(index))
    }
}
