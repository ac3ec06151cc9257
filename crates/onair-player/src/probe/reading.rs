//! The readings of the viewer probe.

use std::collections::VecDeque;
use std::time::Duration;

use crate::base::Timestamp;
use crate::media::Size;
use crate::media::similarity::{FrameSimilarity, LoudnessCurve};
use crate::player::state::State;

/// The time over which the frame rate is measured.
pub const FRAME_RATE_WINDOW: Duration = Duration::from_secs(4);

/// Limits of the probe's memory.
#[derive(Copy, Clone, Debug)]
pub struct ProbeMemory {
    /// Maximum number of keyframes.
    pub keyframes: usize,
    /// Maximum number of loudness values, 20 ms each.
    pub loudness: usize,
}

/// A received keyframe.
#[derive(Copy, Clone, Debug, PartialEq)]
pub struct Keyframe {
    /// Arrival time.
    pub at: Timestamp,
    /// Presentation time.
    pub pts: Timestamp,
    pub likeness: FrameSimilarity,
    /// Similarity data of the frame without the black bars around it.
    pub inside: FrameSimilarity,
    /// Wall-clock time in milliseconds, if the frame has the test pattern's marker.
    pub marker: Option<i64>,
}

/// The received stream so far. Times are on the session clock.
#[derive(Clone, Debug)]
pub struct ProbeReading {
    pub state: State,
    pub size: Option<Size>,
    /// The video codec, such as `H.264 High`; empty until known.
    pub video: String,
    /// The audio codec; empty until known.
    pub audio: String,
    /// Frames per second of media time, over the last [`FRAME_RATE_WINDOW`].
    pub fps: Option<f64>,
    /// The bitrate over the last seconds, in bits per second.
    pub bitrate: u32,
    /// Time of the last connection, once data has arrived.
    pub joined: Option<Timestamp>,
    /// Arrival times of the last packet, the last video packet, and the last audio packet.
    pub last: Option<Timestamp>,
    pub last_video: Option<Timestamp>,
    pub last_audio: Option<Timestamp>,
    /// The received media time per second, over the last 10 s.
    pub pace: Option<f64>,
    /// The most recent keyframes, oldest first.
    pub keyframes: VecDeque<Keyframe>,
    /// The loudness by media time.
    pub course: LoudnessCurve,
    /// Minimum of arrival time minus media time over the last seconds, in microseconds.
    pub behind_micros: Option<i64>,
    /// Milliseconds from writing the marker of the newest keyframe to its arrival.
    pub latency_ms: Option<f64>,
    /// Audio delay relative to the video, measured by the markers, in milliseconds; positive means
    /// late audio.
    pub av_offset_ms: Option<f64>,
    /// Number of packets that could not be decoded.
    pub damaged: u64,
    /// True if the last keyframe, or else the video's config, could not be decoded. The size is then
    /// the one that the config declares.
    pub is_video_undecodable: bool,
}

impl ProbeReading {
    pub(super) fn new(memory: ProbeMemory) -> Self {
        Self {
            state: State::Starting,
            size: None,
            video: String::new(),
            audio: String::new(),
            fps: None,
            bitrate: 0,
            joined: None,
            last: None,
            last_video: None,
            last_audio: None,
            pace: None,
            keyframes: VecDeque::new(),
            course: LoudnessCurve::new(memory.loudness),
            behind_micros: None,
            latency_ms: None,
            av_offset_ms: None,
            damaged: 0,
            is_video_undecodable: false,
        }
    }
}
