//! What is wrong with what viewers get, judged against what is sent: a scene that is black, still or
//! silent by itself is no alarm. Pure.

use std::collections::VecDeque;
use std::time::Duration;

use crate::base::Timestamp;
use crate::media::Size;
use crate::media::similarity::{LoudnessCurve, STEP_MICROS};
use crate::player::probe::viewer::{Keyframe, ProbeReading};
use crate::player::{FailureKind, State};

/// A server may need so long to show what has just begun.
const BEGINNING: Duration = Duration::from_secs(8);
/// Black for so long, in at least two pictures, is black.
const BLACK_FOR: Duration = Duration::from_secs(3);
/// Still for so long, in at least three pictures, is frozen.
const FROZEN_FOR: Duration = Duration::from_secs(8);
/// No new picture for so long, while sound comes, is frozen too.
const NO_PICTURE_FOR: Duration = Duration::from_secs(6);
const SILENT_FOR: Duration = Duration::from_secs(5);
const STALLED_FOR: Duration = Duration::from_secs(4);
/// Media time a second below which it comes too slowly.
const PACE: f64 = 0.85;
/// Further behind than this (the target's own delay left out) is late.
const LATE: Duration = Duration::from_secs(10);
/// Cells of a picture that is the same again differ by no more than this…
const SAME: u8 = 2;
/// …and what is sent moves where they differ by more than this.
const MOVES: u8 = 4;
/// What is sent is not still for so long…
const SENT_STILL: Duration = Duration::from_secs(6);
/// …nor quiet for so long.
const SENT_QUIET: Duration = Duration::from_secs(3);
/// Loudness (RMS) at viewers below which there is no sound, and that of what is sent above which
/// there is.
const NO_SOUND_DBFS: f32 = -65.0;
const SOUND_DBFS: f32 = -55.0;
/// How far back what is seen now may have been sent, while nothing is known…
const REACH: Duration = Duration::from_secs(15);
/// …and, where the latency is known, beyond that.
const MARGIN: Duration = Duration::from_secs(5);

/// What can be wrong, the worst first.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Trouble {
    Unreachable,
    NoStream,
    Stalled,
    Black,
    Frozen,
    Silent,
    Late,
    WrongSize,
}

impl Trouble {
    /// Its word in events.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::NoStream => "no_stream",
            Self::Stalled => "stalled",
            Self::Black => "black",
            Self::Frozen => "frozen",
            Self::Silent => "silent",
            Self::Late => "late",
            Self::WrongSize => "wrong_size",
        }
    }
}

/// What is sent.
#[derive(Debug)]
pub struct Sent<'a> {
    /// Size and rate of the picture, if there is one.
    pub picture: Option<(Size, f64)>,
    /// Other sizes in which they went out: for links that do not carry that one.
    pub sizes: &'a [Size],
    /// Pictures a second that really go out: a slow connection may get fewer.
    pub fps: Option<f64>,
    pub sound: bool,
    pub pictures: &'a VecDeque<Keyframe>,
    pub course: &'a LoudnessCurve,
}

/// One thing that is wrong, with what is known of why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub trouble: Trouble,
    /// A sentence without its full stop.
    pub cause: String,
}

fn finding(trouble: Trouble, cause: impl Into<String>) -> Finding {
    Finding { trouble, cause: cause.into() }
}

/// All that is wrong now, the worst first. `live_since`: when the target began to take the stream;
/// `delay`: how far it is held back on purpose; `latency`: how far viewers are behind, if known.
pub fn judge(
    now: Timestamp,
    live_since: Timestamp,
    delay: Duration,
    latency: Option<Duration>,
    seen: &ProbeReading,
    sent: &Sent<'_>,
) -> Vec<Finding> {
    if now.since(live_since) < BEGINNING {
        return Vec::new();
    }
    match &seen.state {
        State::Failed(failure) => {
            let trouble = match failure.kind {
                FailureKind::NoSuchStream => Trouble::NoStream,
                FailureKind::Codec => Trouble::WrongSize,
                _ => Trouble::Unreachable,
            };
            return vec![finding(trouble, failure.cause.clone())];
        }
        State::Reconnecting { cause, .. } => {
            return vec![finding(Trouble::Unreachable, cause.clone())];
        }
        State::Ended => return vec![finding(Trouble::NoStream, "the stream has ended there")],
        State::Starting | State::Opening { .. } => return Vec::new(),
        State::Playing => {}
    }
    let Some(last) = seen.last else { return Vec::new() };
    let mut found = Vec::new();
    let nothing_for = now.since(last);
    if nothing_for >= STALLED_FOR {
        let cause = format!("nothing has come for {} s", nothing_for.as_secs());
        found.push(finding(Trouble::Stalled, cause));
        // What else there was is old.
        return found;
    }
    if let Some(pace) = seen.pace.filter(|pace| *pace < PACE) {
        let cause = format!("it comes at {:.0} % of the speed at which it plays", pace * 100.0);
        found.push(finding(Trouble::Stalled, cause));
    }
    let reach = latency.map_or(REACH, |latency| latency + MARGIN) + delay;
    if sent.picture.is_some() {
        picture(now, reach, seen, sent, &mut found);
    }
    if sent.sound {
        sound(now, reach, seen, sent, &mut found);
    }
    if let Some(latency) = latency.filter(|latency| *latency > LATE + delay) {
        let cause = format!("viewers are {:.1} s behind", latency.as_secs_f64());
        found.push(finding(Trouble::Late, cause));
    }
    if let Some((size, fps)) = sent.picture {
        // While fewer go out, or did a moment ago, their number says nothing of the server.
        let whole = sent.fps.is_none_or(|sent| (sent - fps).abs() <= fps * 0.05);
        let other = seen.size.filter(|got| sent.sizes.contains(got));
        found.extend(shape(now, seen, other.unwrap_or(size), fps, whole));
    }
    found.sort_by_key(|finding| finding.trouble);
    found
}

fn picture(
    now: Timestamp,
    reach: Duration,
    seen: &ProbeReading,
    sent: &Sent<'_>,
    found: &mut Vec<Finding>,
) {
    let black = seen.pictures.iter().rev().take_while(|it| it.likeness.is_black());
    let (count, since) = black.fold((0, now), |(count, _), it| (count + 1, it.at));
    let black_for = now.since(since);
    if count >= 2 && black_for >= BLACK_FOR && never_black(since - reach, sent) {
        found.push(finding(Trouble::Black, format!("black for {} s", black_for.as_secs())));
        return;
    }
    let newest = seen.pictures.back();
    let same = |it: &&Keyframe| {
        newest.is_some_and(|newest| it.likeness.difference(&newest.likeness) <= SAME)
    };
    let (count, since) = seen
        .pictures
        .iter()
        .rev()
        .take_while(same)
        .fold((0, now), |(count, _), it| (count + 1, it.at));
    let still_for = now.since(since);
    let without = seen.last_video.or(seen.joined).map_or(Duration::ZERO, |last| now.since(last));
    if without >= NO_PICTURE_FOR {
        let cause = format!("no picture has come for {} s, but sound", without.as_secs());
        found.push(finding(Trouble::Frozen, cause));
    } else if count >= 3 && still_for >= FROZEN_FOR && always_moves(since - reach, now, sent) {
        let cause = format!("the same picture for {} s", still_for.as_secs());
        found.push(finding(Trouble::Frozen, cause));
    }
}

/// Whether every picture sent since then shows something.
fn never_black(since: Timestamp, sent: &Sent<'_>) -> bool {
    let mut any = false;
    for picture in sent.pictures.iter().filter(|it| it.at >= since) {
        any = true;
        if picture.likeness.is_black() {
            return false;
        }
    }
    any
}

/// Whether what was sent since then changed all the time.
fn always_moves(since: Timestamp, now: Timestamp, sent: &Sent<'_>) -> bool {
    let mut pictures = sent.pictures.iter().filter(|it| it.at >= since);
    let Some(first) = pictures.next() else { return false };
    let (mut before, mut moved) = (first, first.at);
    for picture in pictures {
        if picture.likeness.difference(&before.likeness) > MOVES {
            if picture.at.since(moved) >= SENT_STILL {
                return false;
            }
            moved = picture.at;
        }
        before = picture;
    }
    moved > first.at && now.since(moved) < SENT_STILL
}

fn sound(
    now: Timestamp,
    reach: Duration,
    seen: &ProbeReading,
    sent: &Sent<'_>,
    found: &mut Vec<Finding>,
) {
    let since = match (seen.last_audio, seen.course.until()) {
        (Some(last), Some(until)) => {
            let span = i64::try_from((SILENT_FOR * 4).as_micros()).unwrap_or(i64::MAX);
            let mut quiet = 0;
            for (_, value) in seen.course.since(until.offset(-span)) {
                quiet = if value < NO_SOUND_DBFS { quiet + STEP_MICROS } else { 0 };
            }
            last.offset(-quiet)
        }
        // There never was any.
        _ => seen.joined.unwrap_or(now),
    };
    let silent_for = now.since(since);
    if silent_for < SILENT_FOR || !always_sounds(since - reach, now, sent) {
        return;
    }
    let cause = match seen.last_audio {
        Some(last) if now.since(last) < SILENT_FOR => {
            format!("silent for {} s", silent_for.as_secs())
        }
        _ => "no sound comes at all".to_owned(),
    };
    found.push(finding(Trouble::Silent, cause));
}

/// Whether there was something to hear all the time since then.
fn always_sounds(since: Timestamp, now: Timestamp, sent: &Sent<'_>) -> bool {
    let mut values = sent.course.since(since).peekable();
    let Some((first, _)) = values.peek().copied() else { return false };
    let mut heard = first;
    for (at, value) in values {
        if value > SOUND_DBFS {
            heard = at;
        } else if at.since(heard) >= SENT_QUIET {
            return false;
        }
    }
    heard > first && now.since(heard) < SENT_QUIET
}

/// Size and rate, where they are not those that are sent: mostly a server that makes its own of it.
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
    let cause = format!("{got} at {rate:.0} fps instead of {size} at {fps:.0} fps");
    Some(finding(Trouble::WrongSize, cause))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{Clock, Latest};
    use crate::media::SampleBlock;
    use crate::media::similarity::FrameSimilarity;
    use crate::player::Failure;
    use crate::player::probe::viewer::{ProbeMemory, ProbeWorker};

    const SIZE: Size = Size::new(64, 36);
    const MEMORY: ProbeMemory = ProbeMemory { pictures: 100, sound: 3_000 };

    fn at(seconds: f64) -> Timestamp {
        Timestamp::from_micros((seconds * 1e6) as i64)
    }

    fn picture(luma: u8) -> FrameSimilarity {
        FrameSimilarity::of(&[luma; 64 * 36], 64, SIZE)
    }

    /// A stream of a minute, a keyframe every 2 s and sound all the time, as these say.
    fn stream(luma: impl Fn(f64) -> u8, loud: impl Fn(f64) -> f32) -> ProbeReading {
        let mut seen = ProbeWorker::new(Clock::start(), MEMORY, Latest::default()).seen;
        seen.state = State::Playing;
        seen.size = Some(SIZE);
        seen.fps = Some(30.0);
        seen.joined = Some(at(0.0));
        (seen.last, seen.last_video, seen.last_audio) =
            (Some(at(60.0)), Some(at(60.0)), Some(at(60.0)));
        for number in 0..30 {
            let second = f64::from(number) * 2.0;
            seen.pictures.push_back(Keyframe { at: at(second), likeness: picture(luma(second)) });
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

    fn judged(seen: &ProbeReading, sent: &ProbeReading) -> Vec<Trouble> {
        let sent = Sent {
            picture: Some((SIZE, 30.0)),
            sizes: &[],
            fps: sent.fps,
            sound: true,
            pictures: &sent.pictures,
            course: &sent.course,
        };
        let all = judge(at(60.0), at(0.0), Duration::ZERO, None, seen, &sent);
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
        // A pause in what is sent some seconds before may be what is heard now.
        let paused =
            stream(lively, |second| if (44.0..50.0).contains(&second) { 0.0 } else { 0.1 });
        assert_eq!(judged(&muted, &paused), []);
        let short = stream(|second| if second > 57.0 { 16 } else { lively(second) }, |_| 0.1);
        assert_eq!(judged(&short, &program), []);
    }

    #[test]
    fn what_stops_or_is_another_is_told() {
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
        // Half of the pictures are left out here, for a slow connection.
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
            let (cause, advice) = (String::new(), String::new());
            seen.state = State::Failed(Failure { kind, cause, advice, offered: None });
            assert_eq!(judged(&seen, &program), [trouble]);
        }
    }

    #[test]
    fn late_is_beyond_the_delay_that_was_chosen() {
        let program = stream(lively, |_| 0.1);
        let sent = Sent {
            picture: Some((SIZE, 30.0)),
            sizes: &[],
            fps: None,
            sound: true,
            pictures: &program.pictures,
            course: &program.course,
        };
        let judged = |latency: u64, delay: u64| {
            let (latency, delay) = (Duration::from_secs(latency), Duration::from_secs(delay));
            judge(at(60.0), at(0.0), delay, Some(latency), &program, &sent)
        };
        assert_eq!(judged(3, 0), []);
        assert_eq!(judged(12, 0).first().map(|it| it.trouble), Some(Trouble::Late));
        assert_eq!(judged(22, 20), []);
        // Just begun: nothing is said yet.
        let early = judge(at(5.0), at(0.0), Duration::ZERO, None, &program, &sent);
        assert_eq!(early, []);
    }
}
