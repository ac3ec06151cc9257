//! Determines whether viewers get the stream that onair sends: by the test pattern's markers, by
//! frames or by audio. The result is unknown until one of these matches, and a match expires after
//! a while. This module is pure.

use std::time::Duration;

use crate::base::Timestamp;
use crate::media::similarity::CurveMatch;
use crate::player::State;
use crate::player::probe::reading::ProbeReading;
use crate::studio::live::monitor::evidence::{
    FIGURES_TIMEOUT, MatchResult, SentStream, Verdict, Window,
};
use crate::studio::live::monitor::frames;
use crate::studio::live::monitor::view::LatencyBy;

/// Interval between comparisons, which take some milliseconds each.
const COMPARE_INTERVAL: Duration = Duration::from_secs(5);
/// Interval between comparisons while the result is unknown.
const UNMATCHED_COMPARE_INTERVAL: Duration = Duration::from_secs(2);
/// The time for which a match and its latency are valid.
const MATCH_VALIDITY: Duration = Duration::from_secs(20);
/// A difference that lasts this long means that viewers get a different stream.
const DIFFERENCE_DURATION: Duration = Duration::from_secs(15);
/// A stream whose video has not varied for this long cannot be identified if its audio is silent or
/// periodic.
const STILL_DURATION: Duration = Duration::from_secs(15);
/// Audio that arrived within this time counts as present.
const MAX_AUDIO_AGE: Duration = Duration::from_secs(2);
/// Maximum deviation of markers from sent frames, in ms.
const MAX_MARKER_DEVIATION_MS: f64 = 1.2;
/// Maximum distance of a sent frame from a sent keyframe, in ms.
const MAX_KEYFRAME_DISTANCE_MS: i64 = 10_000;

/// The results so far for one target.
#[derive(Debug, Default)]
pub struct Comparison {
    joined: Option<Timestamp>,
    due: Option<Timestamp>,
    matched: Option<Timestamp>,
    /// True if the marker of the newest received keyframe matches a sent frame.
    marked: bool,
    /// The time since which the stream differs, and the time of the last difference.
    differs: Option<(Timestamp, Timestamp)>,
    still_since: Option<Timestamp>,
    by_audio: Option<(Duration, Timestamp)>,
}

impl Comparison {
    /// Compares again if a comparison is due.
    pub fn update(
        &mut self,
        now: Timestamp,
        delay: Duration,
        seen: &ProbeReading,
        sent: &SentStream<'_>,
    ) {
        if self.joined != seen.joined {
            // A new connection may deliver another stream.
            *self = Self { joined: seen.joined, differs: self.differs, ..Self::default() };
        }
        if !is_coming(now, seen) {
            (self.marked, self.by_audio) = (false, None);
            return;
        }
        let window = Window::new(now, delay, seen, sent);
        let markers = markers(&window);
        self.marked = markers == Verdict::Match;
        if self.marked {
            return self.take(now, markers, Verdict::Open, Verdict::Open);
        }
        if self.due.is_some_and(|due| now < due) {
            return;
        }
        let (audio, behind) = find_audio(&window);
        if let Some(behind) = behind {
            self.by_audio = Some((behind, now));
        }
        let video = match sent.video {
            Some(_) => frames::compare(&window),
            None => Verdict::Still,
        };
        self.take(now, markers, video, audio);
        self.due = Some(
            now + if self.is_matched(now) { COMPARE_INTERVAL } else { UNMATCHED_COMPARE_INTERVAL },
        );
    }

    fn take(&mut self, now: Timestamp, markers: Verdict, video: Verdict, audio: Verdict) {
        let verdicts = [markers, video, audio];
        let still = (video, audio) == (Verdict::Still, Verdict::Still);
        if verdicts.contains(&Verdict::Match) {
            (self.matched, self.differs, self.still_since) = (Some(now), None, None);
        } else if verdicts.contains(&Verdict::Differs) {
            let first = self.differs.map_or(now, |(first, _)| first);
            (self.differs, self.still_since) = (Some((first, now)), None);
        } else if still && self.is_matched(now) {
            // The stream identified itself before. Since then, the video has been still, and the
            // audio silent or periodic.
            self.matched = Some(now);
        } else if still {
            self.still_since.get_or_insert(now);
        } else {
            self.still_since = None;
        }
        if self.differs.is_some_and(|(_, last)| now.since(last) > MATCH_VALIDITY) {
            self.differs = None;
        }
    }

    fn is_matched(&self, now: Timestamp) -> bool {
        self.matched.is_some_and(|at| now.since(at) <= MATCH_VALIDITY)
    }

    /// Returns the current result.
    pub fn proof(&self, now: Timestamp) -> MatchResult {
        let long = |since: Timestamp, least: Duration| now.since(since) >= least;
        match self {
            _ if self.differs.is_some_and(|(first, last)| {
                long(first, DIFFERENCE_DURATION) && now.since(last) <= MATCH_VALIDITY
            }) =>
            {
                MatchResult::Different
            }
            _ if self.is_matched(now) => MatchResult::Matched,
            _ if self.still_since.is_some_and(|since| long(since, STILL_DURATION)) => {
                MatchResult::Unsure
            }
            _ => MatchResult::Comparing,
        }
    }

    /// Returns the delay of the viewers, and the method of its measurement.
    pub fn latency(&self, now: Timestamp, seen: &ProbeReading) -> Option<(Duration, LatencyBy)> {
        if self.marked
            && let Some(millis) = seen.latency_ms
        {
            let latency = Duration::try_from_secs_f64(millis / 1e3).unwrap_or_default();
            return Some((latency, LatencyBy::Markers));
        }
        let (latency, at) = self.by_audio?;
        (now.since(at) <= MATCH_VALIDITY).then_some((latency, LatencyBy::Audio))
    }

    /// Returns true if the markers in the stream are those of this program.
    pub fn is_marked(&self) -> bool {
        self.marked
    }
}

/// Returns true if data of the stream is currently arriving.
pub fn is_coming(now: Timestamp, seen: &ProbeReading) -> bool {
    let fresh = seen.last.is_some_and(|last| now.since(last) < FIGURES_TIMEOUT);
    seen.state == State::Playing && fresh
}

/// Checks whether the marker of the newest keyframe matches a sent frame. The markers of another
/// test source also show the time, but rarely that of a sent frame.
fn markers(window: &Window<'_>) -> Verdict {
    let newest = window.seen.keyframes.back();
    let fresh = newest.filter(|it| window.now.since(it.at) <= MATCH_VALIDITY);
    let Some(marker) = fresh.and_then(|it| it.marker) else { return Verdict::Open };
    let from = window.now - window.farthest;
    let sent = window.sent.keyframes.iter().filter(|it| it.at >= from);
    let away = sent.filter_map(|it| it.marker).map(|it| marker - it).min_by_key(|it| it.abs());
    let fits = away.is_some_and(|away| {
        let fps = window.sent.video.map_or(0.0, |(_, fps)| fps);
        let frames = away as f64 * fps / 1e3;
        away.abs() <= MAX_KEYFRAME_DISTANCE_MS
            && (frames - frames.round()).abs() * 1e3 <= MAX_MARKER_DEVIATION_MS * fps
    });
    match fits {
        true => Verdict::Match,
        false if window.whole && !window.sent.keyframes.is_empty() => Verdict::Differs,
        false => Verdict::Open,
    }
}

/// Searches for the received audio in the sent audio, and returns the delay if it is found.
fn find_audio(window: &Window<'_>) -> (Verdict, Option<Duration>) {
    let (seen, sent) = (window.seen, window.sent);
    let last_audio = seen.last_audio.filter(|last| window.now.since(*last) <= MAX_AUDIO_AGE);
    let (Some(_), true) = (last_audio, sent.has_audio) else {
        let silent = last_audio.is_none() && !sent.has_audio;
        return (if silent { Verdict::Still } else { Verdict::Open }, None);
    };
    let Some(behind) = seen.behind_micros else { return (Verdict::Open, None) };
    // Audio arrives `behind` after its media time, and its media time is `lead` after the time of
    // the same audio in the program. The latency is the sum of both.
    let most = i64::try_from(window.farthest.as_micros()).unwrap_or(i64::MAX);
    match sent.course.find(&seen.course, -behind, most - behind) {
        CurveMatch::At(lead) => {
            let latency = u64::try_from(lead + behind).ok().map(Duration::from_micros);
            (Verdict::Match, latency)
        }
        // Several positions match, so the audio does not identify the stream.
        CurveMatch::Periodic => (Verdict::Still, None),
        CurveMatch::Nowhere if window.whole => (Verdict::Differs, None),
        CurveMatch::Flat if !sent.course.varies(window.now - window.farthest) => {
            (Verdict::Still, None)
        }
        _ => (Verdict::Open, None),
    }
}
