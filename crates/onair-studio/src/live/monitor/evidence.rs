//! The inputs and results of a comparison: the sent stream, the viewers' stream, and a verdict.

use std::collections::VecDeque;
use std::time::Duration;

use crate::base::Timestamp;
use crate::media::Size;
use crate::media::similarity::LoudnessCurve;
use crate::player::probe::reading::{Keyframe, ProbeReading};

/// Maximum viewer delay at which a comparison searches for a match, in addition to a configured
/// delay.
pub const MAX_SEARCHED_DELAY: Duration = Duration::from_secs(60);
/// Without data for this long, the figures of a stream are outdated.
pub const FIGURES_TIMEOUT: Duration = Duration::from_secs(4);
/// Two aspect ratios are equal if they differ by at most this fraction.
const ASPECT_RATIO_TOLERANCE: f64 = 0.03;

/// The sent stream.
#[derive(Copy, Clone, Debug)]
pub struct SentStream<'a> {
    /// The size and frame rate of the video, if any.
    pub video: Option<(Size, f64)>,
    /// Other frame sizes that were sent to targets with slower links.
    pub sizes: &'a [Size],
    /// The time since which all frames have been sent; `None` if onair sends fewer at the moment. A
    /// slow connection may get fewer.
    pub complete_since: Option<Timestamp>,
    pub has_audio: bool,
    /// The time since which the sent data is known; `None` means since the beginning of the stream.
    pub since: Option<Timestamp>,
    pub keyframes: &'a VecDeque<Keyframe>,
    pub course: &'a LoudnessCurve,
}

/// The result of one comparison.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    Match,
    Differs,
    /// The stream matches but does not vary, or it is periodic. Another stream could match too.
    Still,
    /// Not known yet.
    Open,
}

/// The overall result.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum MatchResult {
    /// Not known yet.
    Comparing,
    /// Viewers get the sent stream.
    Matched,
    /// Viewers get a different stream.
    Different,
    /// The video does not vary, and the audio is silent or periodic.
    Unsure,
}

/// The data to compare.
#[derive(Debug)]
pub struct Window<'a> {
    pub now: Timestamp,
    pub seen: &'a ProbeReading,
    pub sent: &'a SentStream<'a>,
    /// Maximum age of received data.
    pub farthest: Duration,
    /// True if all data that was sent within `farthest` is known.
    pub whole: bool,
    /// True if the received video has the aspect ratio of the sent video.
    pub same_shape: bool,
    /// True if the received video has the size of the sent video.
    pub same_size: bool,
}

impl<'a> Window<'a> {
    pub fn new(
        now: Timestamp,
        delay: Duration,
        seen: &'a ProbeReading,
        sent: &'a SentStream<'a>,
    ) -> Self {
        let farthest = MAX_SEARCHED_DELAY + delay;
        let shape = |size: Size| f64::from(size.width) / f64::from(size.height.max(1));
        let sizes = seen.size.zip(sent.video.map(|(size, _)| size));
        Self {
            now,
            seen,
            sent,
            farthest,
            whole: sent.since.is_none_or(|since| now.since(since) >= farthest),
            same_shape: sizes.is_some_and(|(a, b)| {
                (shape(a) - shape(b)).abs() <= shape(b) * ASPECT_RATIO_TOLERANCE
            }),
            same_size: sizes.is_some_and(|(a, b)| a == b),
        }
    }
}
