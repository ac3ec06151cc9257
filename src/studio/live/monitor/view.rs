//! The viewer monitor as the window sees it.

use std::time::Duration;

use crate::base::Latest;
use crate::media::{Size, VideoFrame};
use crate::text::Problem;

/// The viewers' stream of a target, from the viewer monitor.
#[derive(Clone, Debug, PartialEq)]
pub struct MonitorView {
    /// Like in [`event::Monitor`](crate::studio::event::Monitor).
    pub state: &'static str,
    /// The fault in English; empty if there is none.
    pub cause: Problem,
    /// How far viewers are behind, without their player's buffer, and how that was measured.
    pub latency: Option<Duration>,
    pub latency_by: Option<LatencyBy>,
    pub av_offset_ms: Option<f64>,
    pub size: Option<Size>,
    pub fps: Option<f64>,
    /// Bits a second.
    pub bitrate: u32,
    pub picture: ViewersPicture,
}

/// How the latency was measured.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum LatencyBy {
    /// By the markers of the test source: to the millisecond.
    Markers,
    /// By finding the received audio in the sent one: to some 20 ms.
    Sound,
}

impl LatencyBy {
    /// Its word in events.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Markers => "markers",
            Self::Sound => "sound",
        }
    }
}

/// The newest keyframe that viewers got.
#[derive(Clone, Debug)]
pub struct ViewersPicture(pub Latest<VideoFrame>);

impl PartialEq for ViewersPicture {
    fn eq(&self, other: &Self) -> bool {
        self.0.version() == other.0.version()
    }
}
