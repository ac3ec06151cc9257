//! Judges the viewers' stream against the stream that onair sent, so that a scene which is itself
//! black, still or silent causes no alarm. This module is pure.

use std::time::Duration;

use crate::base::Timestamp;
use crate::media::Size;
use crate::media::similarity::LOUDNESS_STEP_MICROS;
use crate::player::probe::reading::{FRAME_RATE_WINDOW, Keyframe, ProbeReading};
use crate::player::{FailureKind, State};
use crate::studio::live::monitor::evidence::{
    FIGURES_TIMEOUT, MAX_SEARCHED_DELAY, MatchResult, SentStream,
};
use crate::studio::live::monitor::finding::{Cause, Finding, Symptom, Trouble, finding};

/// The time that a server may take to provide a new stream.
const NEW_STREAM_GRACE: Duration = Duration::from_secs(8);
/// The video counts as black if it stays black for this long, over at least two frames.
const BLACK_DURATION: Duration = Duration::from_secs(3);
/// The video counts as frozen if it does not change for this long, over at least three frames.
const FROZEN_DURATION: Duration = Duration::from_secs(8);
/// If no new frame arrives for this long while audio arrives, the video counts as frozen too.
const FRAME_TIMEOUT: Duration = Duration::from_secs(6);
const SILENT_DURATION: Duration = Duration::from_secs(5);
const STALL_TIMEOUT: Duration = FIGURES_TIMEOUT;
/// Like `STALL_TIMEOUT`, for a stream whose data was already arriving too slowly.
const SLOW_STALL_TIMEOUT: Duration = Duration::from_secs(2);
/// Data that arrived within this time counts as present.
const MAX_PRESENT_AGE: Duration = Duration::from_secs(2);
/// Media seconds per second below which the stream counts as too slow.
const MIN_PACE: f64 = 0.85;
/// Viewers count as late if their delay, without the intentional one, is longer than this.
const MAX_VIEWER_DELAY: Duration = Duration::from_secs(10);
/// Maximum difference between the cells of a frame and of its repetition.
const MAX_REPETITION_DIFFERENCE: u8 = 2;
/// Minimum difference between cells at which the sent video counts as moving.
const MIN_MOTION_DIFFERENCE: u8 = 4;
/// The time for which the sent video must move before still video counts as a fault.
const MIN_SENT_MOTION_DURATION: Duration = Duration::from_secs(6);
/// The time for which the sent audio must be audible before silence counts as a fault.
const MIN_SENT_AUDIO_DURATION: Duration = Duration::from_secs(3);
/// The RMS level below which the viewers' audio counts as silent.
const MAX_SILENT_DBFS: f32 = -65.0;
/// The RMS level from which the sent audio counts as audible.
const MIN_AUDIBLE_DBFS: f32 = -55.0;
/// The maximum age of received data while the latency is unknown.
const MAX_AGE_WITHOUT_LATENCY: Duration = Duration::from_secs(15);
/// The margin for the age of received data if the latency is known.
const DATA_AGE_MARGIN: Duration = Duration::from_secs(5);

/// The inputs for judging one target.
#[derive(Debug)]
pub struct Case<'a> {
    pub now: Timestamp,
    /// The time since which the target has accepted the stream.
    pub live_since: Timestamp,
    /// The intentional delay.
    pub delay: Duration,
    /// The delay of the viewers, if known.
    pub latency: Option<Duration>,
    /// The time at which onair last dropped frames for the target.
    pub dropped_at: Option<Timestamp>,
    pub proof: MatchResult,
    pub seen: &'a ProbeReading,
    pub sent: &'a SentStream<'a>,
}

/// Returns all current faults, the most severe first.
pub fn judge(case: &Case<'_>) -> Vec<Finding> {
    let Case { now, live_since, delay, latency, dropped_at, proof, seen, sent } = *case;
    if now.since(live_since) < NEW_STREAM_GRACE {
        return Vec::new();
    }
    if let Some(found) = not_playing(seen) {
        return found;
    }
    let Some(last) = seen.last else { return Vec::new() };
    let nothing_for = now.since(last);
    let slow = seen.pace.filter(|pace| *pace < MIN_PACE);
    // A stream that was slow and then stopped has not recovered in the meantime.
    if nothing_for >= if slow.is_some() { SLOW_STALL_TIMEOUT } else { STALL_TIMEOUT } {
        let nothing = finding(Trouble::Stalled, Cause::Nothing).of(Symptom::Nothing);
        // Other faults are outdated.
        return vec![nothing.since(last)];
    }
    let mut found = Vec::new();
    if let Some(pace) = slow {
        let cause = Cause::Slow(format!("{:.0}", pace * 100.0));
        found.push(finding(Trouble::Stalled, cause).of(Symptom::Slow));
    }
    if proof == MatchResult::Different {
        // Before that, nothing was sent.
        let back = (MAX_SEARCHED_DELAY + delay).min(now.since(live_since)).as_secs();
        found.push(finding(Trouble::Different, Cause::Different(back)));
        // All other faults would be those of a different stream.
        return found;
    }
    let reach =
        latency.map_or(MAX_AGE_WITHOUT_LATENCY, |latency| latency + DATA_AGE_MARGIN) + delay;
    if sent.video.is_some() {
        judge_video(now, reach, seen, sent, &mut found);
    }
    if sent.has_audio {
        judge_audio(now, reach, seen, sent, &mut found);
    }
    if let Some(latency) = latency.filter(|latency| *latency > MAX_VIEWER_DELAY + delay) {
        let cause = Cause::Late(format!("{:.1}", latency.as_secs_f64()));
        found.push(finding(Trouble::Late, cause));
    }
    if let Some((size, fps)) = sent.video {
        // If onair has sent fewer frames, or dropped some for this target, in the time that viewers
        // may see now, the frame rate provides no information about the server.
        let whole = sent.complete_since.is_some_and(|since| now.since(since) >= reach)
            && dropped_at.is_none_or(|at| now.since(at) > reach + FRAME_RATE_WINDOW);
        let other = seen.size.filter(|got| sent.sizes.contains(got));
        // If the stream is not known to be this program, its size provides no information. Video that
        // cannot be decoded cannot be compared in another way.
        if matches!(proof, MatchResult::Matched | MatchResult::Unsure) || seen.is_video_undecodable
        {
            found.extend(shape(now, seen, other.unwrap_or(size), fps, whole));
        }
    }
    found.sort_by_key(|finding| finding.trouble);
    found
}

/// Returns the faults of a stream that cannot be played, or `None` if the stream plays.
fn not_playing(seen: &ProbeReading) -> Option<Vec<Finding>> {
    match &seen.state {
        State::Failed(failure) => {
            let trouble = match failure.kind {
                FailureKind::NoSuchStream => Trouble::NoStream,
                FailureKind::Codec => Trouble::WrongSize,
                _ => Trouble::Unreachable,
            };
            Some(vec![finding(trouble, Cause::Player(failure.problem.clone()))])
        }
        State::Reconnecting { cause, .. } => {
            Some(vec![finding(Trouble::Unreachable, Cause::Player(cause.clone()))])
        }
        State::Ended => Some(vec![finding(Trouble::NoStream, Cause::Ended)]),
        State::Starting | State::Opening { .. } => Some(Vec::new()),
        State::Playing => None,
    }
}

fn judge_video(
    now: Timestamp,
    reach: Duration,
    seen: &ProbeReading,
    sent: &SentStream<'_>,
    found: &mut Vec<Finding>,
) {
    let black = seen.keyframes.iter().rev().take_while(|it| it.likeness.is_black());
    let (count, since) = black.fold((0, now), |(count, _), it| (count + 1, it.at));
    let black_for = now.since(since);
    if count >= 2 && black_for >= BLACK_DURATION && never_black(since - reach, sent) {
        found.push(finding(Trouble::Black, Cause::Black).since(since));
        return;
    }
    let newest = seen.keyframes.back();
    let same = |it: &&Keyframe| {
        newest.is_some_and(|newest| {
            it.likeness.difference(&newest.likeness) <= MAX_REPETITION_DIFFERENCE
        })
    };
    let (count, since) = seen
        .keyframes
        .iter()
        .rev()
        .take_while(same)
        .fold((0, now), |(count, _), it| (count + 1, it.at));
    let still_for = now.since(since);
    let came = seen.last_video.or(seen.joined).unwrap_or(now);
    if now.since(came) >= FRAME_TIMEOUT {
        // If no audio arrives either, there is no data at all. This is reported once it has lasted
        // long enough.
        if comes(now, seen.last_audio) {
            found.push(finding(Trouble::Frozen, Cause::NoVideo).of(Symptom::Nothing).since(came));
        }
    } else if count >= 3 && still_for >= FROZEN_DURATION && always_moves(since - reach, now, sent) {
        found.push(finding(Trouble::Frozen, Cause::Frozen).since(since));
    }
}

/// Returns true if frames were sent at or after `since`, and none of them is black.
fn never_black(since: Timestamp, sent: &SentStream<'_>) -> bool {
    let mut any = false;
    for keyframe in sent.keyframes.iter().filter(|it| it.at >= since) {
        any = true;
        if keyframe.likeness.is_black() {
            return false;
        }
    }
    any
}

/// Returns true if the sent video has moved constantly since `since`.
fn always_moves(since: Timestamp, now: Timestamp, sent: &SentStream<'_>) -> bool {
    let mut keyframes = sent.keyframes.iter().filter(|it| it.at >= since);
    let Some(first) = keyframes.next() else { return false };
    let (mut before, mut moved) = (first, first.at);
    for keyframe in keyframes {
        if keyframe.likeness.difference(&before.likeness) > MIN_MOTION_DIFFERENCE {
            if keyframe.at.since(moved) >= MIN_SENT_MOTION_DURATION {
                return false;
            }
            moved = keyframe.at;
        }
        before = keyframe;
    }
    moved > first.at && now.since(moved) < MIN_SENT_MOTION_DURATION
}

fn judge_audio(
    now: Timestamp,
    reach: Duration,
    seen: &ProbeReading,
    sent: &SentStream<'_>,
    found: &mut Vec<Finding>,
) {
    let since = match (seen.last_audio, seen.course.until()) {
        (Some(last), Some(until)) => {
            let span = i64::try_from((SILENT_DURATION * 4).as_micros()).unwrap_or(i64::MAX);
            let mut quiet = 0;
            for (_, value) in seen.course.since(until.offset(-span)) {
                quiet = if value < MAX_SILENT_DBFS { quiet + LOUDNESS_STEP_MICROS } else { 0 };
            }
            last.offset(-quiet)
        }
        // There was never any audio.
        _ => seen.joined.unwrap_or(now),
    };
    let silent_for = now.since(since);
    if silent_for < SILENT_DURATION || !is_always_audible(since - reach, now, sent) {
        return;
    }
    let silent = match seen.last_audio {
        Some(last) if now.since(last) < SILENT_DURATION => finding(Trouble::Silent, Cause::Silent),
        _ if sent.video.is_some() && !comes(now, seen.last_video) => return,
        _ if sent.video.is_some() => finding(Trouble::Silent, Cause::NoAudio).of(Symptom::Nothing),
        _ => finding(Trouble::Silent, Cause::NoAudioAtAll).of(Symptom::Nothing),
    };
    found.push(silent.since(since));
}

/// Returns true if data is currently arriving, judged by its last arrival.
fn comes(now: Timestamp, last: Option<Timestamp>) -> bool {
    last.is_some_and(|last| now.since(last) <= MAX_PRESENT_AGE)
}

/// Returns true if the sent audio has been audible all the time since `since`.
fn is_always_audible(since: Timestamp, now: Timestamp, sent: &SentStream<'_>) -> bool {
    let mut values = sent.course.since(since).peekable();
    let Some((first, _)) = values.peek().copied() else { return false };
    let mut last_audible = first;
    for (at, value) in values {
        if value > MIN_AUDIBLE_DBFS {
            last_audible = at;
        } else if at.since(last_audible) >= MIN_SENT_AUDIO_DURATION {
            return false;
        }
    }
    last_audible > first && now.since(last_audible) < MIN_SENT_AUDIO_DURATION
}

/// Returns a fault if the received size or frame rate differs from what onair sent, usually because
/// the server transcodes.
fn shape(
    now: Timestamp,
    seen: &ProbeReading,
    size: Size,
    fps: f64,
    whole: bool,
) -> Option<Finding> {
    let settled = seen.joined.is_some_and(|joined| now.since(joined) >= Duration::from_secs(4));
    let got = seen.size.filter(|_| settled)?;
    let rate = seen.fps.unwrap_or(fps);
    let other = whole && (rate - fps).abs() > fps * 0.1;
    if got == size && !other {
        return None;
    }
    let (rate, fps) = (format!("{rate:.0}"), format!("{fps:.0}"));
    let cause = Cause::Size { got, fps: rate, wanted: size, wanted_fps: fps };
    Some(finding(Trouble::WrongSize, cause))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{Clock, Latest};
    use crate::media::SampleBlock;
    use crate::media::similarity::FrameSimilarity;
    use crate::player::Failure;
    use crate::player::probe::reading::ProbeMemory;
    use crate::player::probe::viewer::ProbeWorker;
    use crate::text::Problem;

    const FRAME_SIZE: Size = Size::new(64, 36);
    const PROBE_MEMORY: ProbeMemory = ProbeMemory { keyframes: 100, loudness: 3_000 };

    fn at(seconds: f64) -> Timestamp {
        Timestamp::from_micros((seconds * 1e6) as i64)
    }

    fn judge_video(luma: u8) -> FrameSimilarity {
        FrameSimilarity::of(&[luma; 64 * 36], 64, FRAME_SIZE)
    }

    /// Creates a stream of one minute with a keyframe every 2 s. `luma` and `loud` give its values
    /// by time.
    fn stream(luma: impl Fn(f64) -> u8, loud: impl Fn(f64) -> f32) -> ProbeReading {
        let mut seen = ProbeWorker::new(Clock::start(), PROBE_MEMORY, Latest::default()).seen;
        seen.state = State::Playing;
        seen.size = Some(FRAME_SIZE);
        seen.fps = Some(30.0);
        seen.joined = Some(at(0.0));
        (seen.last, seen.last_video, seen.last_audio) =
            (Some(at(60.0)), Some(at(60.0)), Some(at(60.0)));
        for number in 0..30 {
            let second = f64::from(number) * 2.0;
            let likeness = judge_video(luma(second));
            seen.keyframes.push_back(Keyframe {
                at: at(second),
                pts: at(second),
                likeness,
                inside: likeness,
                marker: None,
            });
        }
        for number in 0..3_000 {
            let second = f64::from(number) / 50.0;
            let data = vec![loud(second); 160];
            seen.course.push(&SampleBlock {
                pts: at(second),
                rate: 8_000,
                channels: 1,
                data: data.into(),
            });
        }
        seen
    }

    fn lively(second: f64) -> u8 {
        if (second as u32).is_multiple_of(4) { 60 } else { 90 }
    }

    fn sent_as(seen: &ProbeReading) -> SentStream<'_> {
        SentStream {
            video: Some((FRAME_SIZE, 30.0)),
            sizes: &[],
            complete_since: seen.fps.filter(|fps| *fps == 30.0).map(|_| at(0.0)),
            has_audio: true,
            since: None,
            keyframes: &seen.keyframes,
            course: &seen.course,
        }
    }

    /// Returns the case of a matching stream without a delay.
    fn case_of<'a>(sent: &'a SentStream<'a>, seen: &'a ProbeReading) -> Case<'a> {
        Case {
            now: at(60.0),
            live_since: at(0.0),
            delay: Duration::ZERO,
            latency: None,
            dropped_at: None,
            proof: MatchResult::Matched,
            seen,
            sent,
        }
    }

    fn found(seen: &ProbeReading, sent: &ProbeReading, proof: MatchResult) -> Vec<Finding> {
        let sent = sent_as(sent);
        judge(&Case { proof, seen, ..case_of(&sent, seen) })
    }

    fn judged(seen: &ProbeReading, sent: &ProbeReading) -> Vec<Trouble> {
        let all = found(seen, sent, MatchResult::Matched);
        all.into_iter().map(|finding| finding.trouble).collect()
    }

    #[test]
    fn what_is_sent_is_no_alarm_and_what_is_not_is() {
        let program = stream(lively, |_| 0.1);
        assert_eq!(judged(&program, &program), []);
        let black = stream(|second| if second > 50.0 { 16 } else { lively(second) }, |_| 0.1);
        assert_eq!(judged(&black, &program), [Trouble::Black]);
        assert_eq!(judged(&black, &black), []);
        let frozen = stream(|second| if second > 46.0 { 70 } else { lively(second) }, |_| 0.1);
        assert_eq!(judged(&frozen, &program), [Trouble::Frozen]);
        assert_eq!(judged(&frozen, &frozen), []);
        let muted = stream(lively, |second| if second > 52.0 { 0.0 } else { 0.1 });
        assert_eq!(judged(&muted, &program), [Trouble::Silent]);
        assert_eq!(judged(&muted, &muted), []);
        // A pause in the audio sent some seconds ago may be received now.
        let paused =
            stream(lively, |second| if (44.0..50.0).contains(&second) { 0.0 } else { 0.1 });
        assert_eq!(judged(&muted, &paused), []);
        let short = stream(|second| if second > 57.0 { 16 } else { lively(second) }, |_| 0.1);
        assert_eq!(judged(&short, &program), []);
    }

    #[test]
    fn a_stream_that_stalls_or_is_another_program_is_reported() {
        let program = stream(lively, |_| 0.1);
        let mut seen = program.clone();
        seen.last = Some(at(55.0));
        assert_eq!(judged(&seen, &program), [Trouble::Stalled]);
        let mut seen = program.clone();
        seen.pace = Some(0.5);
        assert_eq!(judged(&seen, &program), [Trouble::Stalled]);
        let mut seen = program.clone();
        seen.last_video = Some(at(50.0));
        assert_eq!(judged(&seen, &program), [Trouble::Frozen]);
        let mut seen = program.clone();
        seen.size = Some(Size::new(32, 18));
        assert_eq!(judged(&seen, &program), [Trouble::WrongSize]);
        let mut seen = program.clone();
        seen.fps = Some(24.0);
        assert_eq!(judged(&seen, &program), [Trouble::WrongSize]);
        // Half of the frames are dropped here, because of a slow connection.
        let mut halved = program.clone();
        halved.fps = Some(15.0);
        assert_eq!(judged(&halved, &halved), []);
        let mut seen = program.clone();
        for (kind, trouble) in [
            (FailureKind::NoSuchStream, Trouble::NoStream),
            (FailureKind::Unreachable, Trouble::Unreachable),
            (FailureKind::Refused, Trouble::Unreachable),
            (FailureKind::Codec, Trouble::WrongSize),
        ] {
            seen.state =
                State::Failed(Failure { kind, problem: Problem::default(), offered: None });
            assert_eq!(judged(&seen, &program), [trouble]);
        }
    }

    #[test]
    fn frames_that_onair_did_not_send_are_no_fault_of_the_server() {
        let program = stream(lively, |_| 0.1);
        let seen = ProbeReading { fps: Some(24.0), ..program.clone() };
        let is_fault = |complete_since: f64, dropped_at: Option<f64>| {
            let complete_since = Some(at(complete_since));
            let sent = SentStream { complete_since, ..sent_as(&program) };
            let latency = Some(Duration::from_secs(3));
            let dropped_at = dropped_at.map(at);
            !judge(&Case { latency, dropped_at, ..case_of(&sent, &seen) }).is_empty()
        };
        // The latency and the margin are 8 s.
        assert!(is_fault(52.0, None) && !is_fault(53.0, None));
        // The frame rate covers 4 s more.
        assert!(is_fault(0.0, Some(47.0)) && !is_fault(0.0, Some(48.0)));
    }

    #[test]
    fn late_is_beyond_the_delay_that_was_chosen() {
        let program = stream(lively, |_| 0.1);
        let sent = sent_as(&program);
        let case = |now: f64, latency: u64, delay: u64| Case {
            now: at(now),
            live_since: at(0.0),
            delay: Duration::from_secs(delay),
            latency: Some(Duration::from_secs(latency)),
            ..case_of(&sent, &program)
        };
        let judged = |latency: u64, delay: u64| judge(&case(60.0, latency, delay));
        assert_eq!(judged(3, 0), []);
        assert_eq!(judged(12, 0).first().map(|it| it.trouble), Some(Trouble::Late));
        assert_eq!(judged(22, 20), []);
        // The stream has just begun: nothing is reported yet.
        assert_eq!(judge(&case(5.0, 30, 0)), []);
    }

    /// Judges a stream with these last arrivals and this speed.
    fn judged_times(
        last_video: Option<f64>,
        last_audio: Option<f64>,
        pace: Option<f64>,
    ) -> Vec<(Trouble, Symptom, Option<Timestamp>)> {
        let program = stream(lively, |_| 0.1);
        let mut seen = program.clone();
        (seen.last_video, seen.last_audio) = (last_video.map(at), last_audio.map(at));
        seen.last = seen.last_video.max(seen.last_audio);
        seen.pace = pace;
        let found = found(&seen, &program, MatchResult::Matched);
        found.into_iter().map(|it| (it.trouble, it.sign, it.since)).collect()
    }

    #[test]
    fn reports_on_video_and_audio_apply_to_the_same_seconds() {
        use Symptom::{Nothing, Slow};
        use Trouble::{Frozen, Silent, Stalled};
        let all = Some(60.0);
        for (video, audio, pace, expected) in [
            (all, all, None, vec![]),
            // The stream is slow only while data arrives. After that, the fault is that no data has
            // arrived since that moment.
            (all, all, Some(0.82), vec![(Stalled, Slow, None)]),
            (Some(57.5), Some(57.5), Some(0.82), vec![(Stalled, Nothing, Some(at(57.5)))]),
            (Some(55.0), Some(55.0), Some(0.82), vec![(Stalled, Nothing, Some(at(55.0)))]),
            (Some(57.5), Some(57.5), None, vec![]),
            // Audio without frames, if the stream has audio.
            (Some(50.0), all, None, vec![(Frozen, Nothing, Some(at(50.0)))]),
            (Some(50.0), Some(57.0), None, vec![]),
            (Some(50.0), Some(55.5), None, vec![(Stalled, Nothing, Some(at(55.5)))]),
            (None, Some(57.0), None, vec![]),
            // Frames without audio.
            (all, Some(50.0), None, vec![(Silent, Nothing, Some(at(50.0)))]),
            (Some(57.0), Some(50.0), None, vec![]),
        ] {
            assert_eq!(judged_times(video, audio, pace), expected, "{video:?} {audio:?} {pace:?}");
        }
    }

    #[test]
    fn the_size_of_video_that_cannot_be_decoded_is_judged_by_its_config() {
        let program = stream(lively, |_| 0.1);
        let mut seen = program.clone();
        seen.keyframes.clear();
        seen.is_video_undecodable = true;
        assert_eq!(found(&seen, &program, MatchResult::Comparing), []);
        seen.size = Some(Size::new(32, 18));
        let found = found(&seen, &program, MatchResult::Comparing);
        assert_eq!(found.first().map(|it| it.trouble), Some(Trouble::WrongSize));
    }

    #[test]
    fn a_different_stream_is_compared_only_with_the_time_since_the_start() {
        let program = stream(lively, |_| 0.1);
        let sent = sent_as(&program);
        let case = case_of(&sent, &program);
        for (live_for, seconds) in [(23, 23), (600, 60)] {
            let live_for = Duration::from_secs(live_for);
            let now = case.live_since + live_for;
            let last = Some(now);
            let seen = ProbeReading { last, ..program.clone() };
            let case = Case { now, proof: MatchResult::Different, seen: &seen, ..case };
            let found = judge(&case);
            assert_eq!(found.first().map(|it| &it.cause), Some(&Cause::Different(seconds)));
        }
    }

    #[test]
    fn another_program_has_no_other_report() {
        let program = stream(lively, |_| 0.1);
        let mut other = stream(|_| 16, |_| 0.0);
        other.size = Some(Size::new(32, 18));
        let of = |proof| {
            let found = found(&other, &program, proof).into_iter();
            found.map(|it| it.trouble).collect::<Vec<_>>()
        };
        assert_eq!(of(MatchResult::Different), [Trouble::Different]);
        // Until the stream is identified, its size is not judged.
        assert_eq!(of(MatchResult::Comparing), [Trouble::Black, Trouble::Silent]);
        let all = [Trouble::Black, Trouble::Silent, Trouble::WrongSize];
        assert_eq!(of(MatchResult::Matched), all);
    }
}
