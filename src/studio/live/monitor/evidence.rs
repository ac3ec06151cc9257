//! What is compared with what: what was sent, what viewers got of it, and what a comparison says.

use std::collections::VecDeque;
use std::time::Duration;

use crate::base::Timestamp;
use crate::media::Size;
use crate::media::similarity::LoudnessCurve;
use crate::player::probe::viewer::{Keyframe, ProbeReading};

/// How far behind viewers are looked for, beside a delay that was chosen.
pub(super) const MOST_BEHIND: Duration = Duration::from_secs(60);
/// Figures of a stream of which nothing has come for this long are old.
pub(super) const FRESH: Duration = Duration::from_secs(4);
/// Two shapes are one if they differ by no more than this part.
const SHAPE: f64 = 0.03;

/// What is sent.
#[derive(Debug)]
pub struct Sent<'a> {
    /// Size and rate of the frame, if there is one.
    pub picture: Option<(Size, f64)>,
    /// Other sizes in which they went out: for links that do not carry that one.
    pub sizes: &'a [Size],
    /// Frames a second that really are sent: a slow connection may get fewer.
    pub fps: Option<f64>,
    pub sound: bool,
    /// From when on it is known; `None`: from its beginning.
    pub since: Option<Timestamp>,
    pub pictures: &'a VecDeque<Keyframe>,
    pub course: &'a LoudnessCurve,
}

/// What one comparison says.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Match,
    Differs,
    /// It looks or audio the same, and does not vary: another could too.
    Still,
    /// Nothing yet.
    Open,
}

/// What is known.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Proof {
    /// Nothing yet.
    Comparing,
    /// It is what is sent.
    Matched,
    /// It is another program.
    Different,
    /// Nothing varies in it.
    Unsure,
}

/// What is compared.
#[derive(Debug)]
pub(super) struct Window<'a> {
    pub now: Timestamp,
    pub seen: &'a ProbeReading,
    pub sent: &'a Sent<'a>,
    /// How far back what comes now may have been sent.
    pub farthest: Duration,
    /// All that was sent since then is known.
    pub whole: bool,
    /// Its frame has the shape, or even the size, of what is sent.
    pub same_shape: bool,
    pub same_size: bool,
}

impl<'a> Window<'a> {
    pub fn new(
        now: Timestamp,
        delay: Duration,
        seen: &'a ProbeReading,
        sent: &'a Sent<'a>,
    ) -> Self {
        let farthest = MOST_BEHIND + delay;
        let shape = |size: Size| f64::from(size.width) / f64::from(size.height.max(1));
        let sizes = seen.size.zip(sent.picture.map(|(size, _)| size));
        Self {
            now,
            seen,
            sent,
            farthest,
            whole: sent.since.is_none_or(|since| now.since(since) >= farthest),
            same_shape: sizes.is_some_and(|(a, b)| (shape(a) - shape(b)).abs() <= shape(b) * SHAPE),
            same_size: sizes.is_some_and(|(a, b)| a == b),
        }
    }
}
