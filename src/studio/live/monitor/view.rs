//! The viewer monitor as the window sees it.

use std::time::Duration;

use crate::base::Latest;
use crate::media::{Size, VideoFrame};
use crate::text::Problem;

/// What viewers of a target get, as the confidence monitor sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct MonitorView {
    /// As in [`event::Monitor`](crate::studio::event::Monitor).
    pub state: &'static str,
    /// What is wrong, in English; empty where all is well.
    pub cause: Problem,
    /// How far viewers are behind, without their player, and how that is known.
    pub latency: Option<Duration>,
    pub latency_by: Option<LatencyBy>,
    pub av_offset_ms: Option<f64>,
    pub size: Option<Size>,
    pub fps: Option<f64>,
    /// Bits a second.
    pub bitrate: u32,
    pub picture: ViewersPicture,
}

/// How the latency came to be known.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum LatencyBy {
    /// By the markers of the test source: to the millisecond.
    Markers,
    /// By finding what is heard in what was sent: to some 20 ms.
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
