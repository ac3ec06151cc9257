//! The viewer monitor as displayed in the window.

use std::time::Duration;

use crate::base::{Latest, named};
use crate::media::{Size, VideoFrame};
use crate::text::Problem;

/// The viewers' stream of a target, from the viewer monitor.
#[derive(Clone, Debug, PartialEq)]
pub struct MonitorView {
    /// The name of the target in the monitor's notices.
    pub host: String,
    /// The state, with the names of [`event::Monitor`](crate::studio::event::Monitor).
    pub state: &'static str,
    /// The fault; empty if there is none.
    pub cause: Problem,
    /// The viewers' delay, without the buffer of their player.
    pub latency: Option<Duration>,
    /// The method by which the delay was measured.
    pub latency_by: Option<LatencyBy>,
    pub av_offset_ms: Option<f64>,
    pub size: Option<Size>,
    pub fps: Option<f64>,
    /// Bits per second.
    pub bitrate: u32,
    pub frame: ViewerFrame,
}

named! {
    /// The method with which the latency was measured.
    #[derive(Copy, Clone, Debug, PartialEq, Eq)]
    pub enum LatencyBy {
        /// Compares the markers of the test source, accurate to a millisecond.
        Markers = "markers",
        /// Finds the received audio in the sent audio, accurate to about 20 ms.
        Audio = "audio",
    }
    /// Returns the name of the method in events.
    fn name;
}

/// The newest keyframe that viewers received.
#[derive(Clone, Debug)]
pub struct ViewerFrame(pub Latest<VideoFrame>);

impl PartialEq for ViewerFrame {
    fn eq(&self, other: &Self) -> bool {
        self.0.version() == other.0.version()
    }
}
