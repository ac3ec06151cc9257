//! Determines by coarse similarity whether the frames that viewers get are among those that onair
//! sent. A server can re-encode with other keyframes, at another size or with black bars. The
//! comparison therefore uses the distribution of luma in a frame, and how it changes between
//! frames. This module is pure.

use std::time::Duration;

use crate::base::Timestamp;
use crate::media::similarity::FrameSimilarity;
use crate::player::probe::reading::Keyframe;
use crate::studio::live::monitor::evidence::{Verdict, Window};

/// Maximum number of newest keyframes to compare.
const MAX_COMPARED_KEYFRAMES: usize = 6;
/// Minimum distance between the compared keyframes.
const MIN_KEYFRAME_DISTANCE: Duration = Duration::from_millis(1_200);
/// Maximum age of the compared keyframes.
const MAX_KEYFRAME_AGE: Duration = Duration::from_secs(40);
/// Maximum age of the newest of the compared keyframes.
const MAX_NEWEST_AGE: Duration = Duration::from_secs(12);
/// Received data can appear newer than the sent data by at most this much, in µs, because of clocks
/// and buffers.
const MAX_CLOCK_SLACK_MICROS: i64 = 500_000;
/// Maximum distance between a sent keyframe and its received counterpart, as a fraction of the
/// keyframe interval.
const MAX_DISTANCE_FRACTION: f64 = 0.6;
/// The default keyframe interval, in µs.
const DEFAULT_KEYFRAME_MICROS: i64 = 2_000_000;
/// Minimum correlation between the content of matching frames.
const MIN_CONTENT_CORRELATION: f64 = 0.8;
/// Minimum correlation between the changes of matching frames.
const MIN_CHANGE_CORRELATION: f64 = 0.75;
/// Changes are compared only if they are at least this many luma levels (RMS).
const MIN_CHANGE_LEVELS: f64 = 1.0;
/// Minimum number of keyframes that must match.
const MIN_MATCHES: usize = 3;
/// Minimum similarity at which unchanging frames may be the same.
const MIN_STILL_SIMILARITY: f64 = 0.9;
/// Streams differ if more than three quarters of their frames are less similar than this at every
/// latency.
const DIFFERS_BELOW_SIMILARITY: f64 = 0.7;
/// The minimum number of compared frames.
const MIN_COMPARED: usize = 4;
/// The minimum time that the compared frames must span.
const MIN_COMPARED_SPAN: Duration = Duration::from_secs(6);
/// The sent stream changes slowly if its keyframes have at least this similarity to their
/// predecessors.
const SLOW_CHANGE_SIMILARITY: f64 = 0.8;
/// A frame whose cells vary by less than this (RMS) cannot be compared.
const FLAT_FRAME_RMS: f64 = 3.0;
/// Maximum difference in luma levels at which two flat frames are similar.
const MAX_FLAT_DIFFERENCE: f64 = 8.0;

/// The match between received and sent keyframes at one latency.
#[derive(Copy, Clone, Debug, Default)]
struct Fit {
    /// The mean similarity of the keyframes.
    looks: f64,
    /// The similarity that at least a quarter of the keyframes reach, because a flash or a cut on a
    /// keyframe proves nothing.
    quarter: f64,
    /// The similarity of the changes in both streams; `None` if one stream hardly changes.
    changes: Option<f64>,
}

/// Compares the newest received keyframes with the sent ones.
pub fn compare(window: &Window<'_>) -> Verdict {
    let seen = &window.seen.keyframes;
    let fresh = |it: &&Keyframe| window.now.since(it.at) <= MAX_KEYFRAME_AGE;
    let mut recent: Vec<&Keyframe> = Vec::new();
    for it in seen.iter().rev().take_while(fresh) {
        if recent.len() < MAX_COMPARED_KEYFRAMES
            && recent.last().is_none_or(|last| last.at.since(it.at) >= MIN_KEYFRAME_DISTANCE)
        {
            recent.push(it);
        }
    }
    let Some(newest) = recent.first().filter(|it| window.now.since(it.at) <= MAX_NEWEST_AGE) else {
        return Verdict::Open;
    };
    let from = newest.at - window.farthest;
    let sent: Vec<&Keyframe> = window.sent.keyframes.iter().collect();
    let candidates: Vec<Timestamp> = sent
        .iter()
        .map(|it| it.at)
        .filter(|at| *at >= from && at.micros_since(newest.at) <= MAX_CLOCK_SLACK_MICROS)
        .collect();
    let limit = (spacing(&candidates).unwrap_or(DEFAULT_KEYFRAME_MICROS) as f64
        * MAX_DISTANCE_FRACTION) as i64;
    let (mut best, mut quarter) = (Fit::default(), -1.0_f64);
    for at in candidates.iter().copied() {
        let partners = partners(&recent, &sent, at, limit);
        for count in [MIN_MATCHES, recent.len()] {
            let Some(fit) = partners.get(..count).and_then(fit) else { continue };
            if fit.looks >= MIN_CONTENT_CORRELATION
                && fit.changes.is_some_and(|changes| changes >= MIN_CHANGE_CORRELATION)
            {
                return Verdict::Match;
            }
            if count == recent.len() {
                quarter = quarter.max(fit.quarter);
                best = if fit.looks > best.looks { fit } else { best };
            }
        }
    }
    if best.looks >= MIN_STILL_SIMILARITY && best.changes.is_none() {
        return Verdict::Still;
    }
    let span = recent.last().map_or(Duration::ZERO, |oldest| newest.at.since(oldest.at));
    let many = recent.len() >= MIN_COMPARED && span >= MIN_COMPARED_SPAN;
    let shown = recent.iter().all(|it| !is_flat(&it.likeness));
    let comparable = window.same_shape && !candidates.is_empty();
    // Frames between fast-changing keyframes may resemble none of them.
    let is_conclusive = || is_slow(&sent, from) || keeps_pace(&candidates, window);
    if quarter < DIFFERS_BELOW_SIMILARITY
        && many
        && shown
        && comparable
        && window.whole
        && is_conclusive()
    {
        return Verdict::Differs;
    }
    Verdict::Open
}

/// Finds the sent keyframes that match the received ones if the newest was sent at `at`. Returns
/// those that are available, the newest first.
fn partners<'a>(
    recent: &[&'a Keyframe],
    sent: &[&'a Keyframe],
    at: Timestamp,
    limit: i64,
) -> Vec<(&'a Keyframe, &'a Keyframe)> {
    let Some(newest) = recent.first() else { return Vec::new() };
    let partner = |it: &&'a Keyframe| {
        let wanted = at.offset(it.pts.micros_since(newest.pts));
        let after = sent.partition_point(|other| other.at < wanted);
        let around = [after.checked_sub(1), Some(after)].into_iter().flatten();
        let away = |other: &&'a Keyframe| other.at.micros_since(wanted).abs();
        let nearest = around.filter_map(|index| sent.get(index).copied()).min_by_key(away)?;
        (away(&nearest) <= limit).then_some((*it, nearest))
    };
    recent.iter().map_while(partner).collect()
}

/// Compares the pairs with and without black bars, and returns the better match. Returns `None` if
/// there are too few pairs.
fn fit(pairs: &[(&Keyframe, &Keyframe)]) -> Option<Fit> {
    let plain: Vec<_> = pairs.iter().map(|(a, b)| (&a.likeness, &b.likeness)).collect();
    let inside: Vec<_> = pairs.iter().map(|(a, b)| (&a.inside, &b.inside)).collect();
    let fits = [fit_of(&plain), fit_of(&inside)];
    (!pairs.is_empty())
        .then(|| fits.into_iter().max_by(|a, b| a.looks.total_cmp(&b.looks)))
        .flatten()
}

fn fit_of(pairs: &[(&FrameSimilarity, &FrameSimilarity)]) -> Fit {
    let mut each: Vec<f64> = pairs.iter().map(|(a, b)| alike(a, b)).collect();
    let looks = each.iter().sum::<f64>() / each.len() as f64;
    each.sort_by(|a, b| b.total_cmp(a));
    let quarter = each.get(each.len() / 4).copied().unwrap_or_default();
    let one = changes(pairs.iter().map(|(it, _)| *it));
    let other = changes(pairs.iter().map(|(_, it)| *it));
    let lively = pairs.len() >= MIN_MATCHES
        && rms(&one) >= MIN_CHANGE_LEVELS
        && rms(&other) >= MIN_CHANGE_LEVELS;
    Fit { looks, quarter, changes: lively.then(|| correlation(&one, &other)) }
}

/// Returns the similarity of two frames, −1 to 1.
fn alike(one: &FrameSimilarity, other: &FrameSimilarity) -> f64 {
    let (a, b) = (centred(one), centred(other));
    match (is_flat(one), is_flat(other)) {
        (false, false) => correlation(&a, &b),
        (true, true) if (mean(one) - mean(other)).abs() <= MAX_FLAT_DIFFERENCE => 1.0,
        _ => 0.0,
    }
}

/// Returns the deviation of each cell from the cell's mean over consecutive frames, without changes
/// of the overall brightness.
fn changes<'a>(frames: impl Iterator<Item = &'a FrameSimilarity>) -> Vec<f64> {
    let frames: Vec<Vec<f64>> = frames.map(centred).collect();
    let count = (frames.len() as f64).max(1.0);
    let mut usual = vec![0.0; frames.first().map_or(0, Vec::len)];
    for frame in &frames {
        for (cell, value) in usual.iter_mut().zip(frame) {
            *cell += value / count;
        }
    }
    let less = |frame: &Vec<f64>| -> Vec<f64> {
        frame.iter().zip(&usual).map(|(value, usual)| value - usual).collect()
    };
    frames.iter().flat_map(less).collect()
}

fn mean(frame: &FrameSimilarity) -> f64 {
    let cells = frame.cells();
    cells.iter().map(|cell| f64::from(*cell)).sum::<f64>() / (cells.len() as f64).max(1.0)
}

fn centred(frame: &FrameSimilarity) -> Vec<f64> {
    let mean = mean(frame);
    frame.cells().iter().map(|cell| f64::from(*cell) - mean).collect()
}

fn rms(values: &[f64]) -> f64 {
    (values.iter().map(|value| value * value).sum::<f64>() / (values.len() as f64).max(1.0)).sqrt()
}

fn is_flat(frame: &FrameSimilarity) -> bool {
    rms(&centred(frame)) < FLAT_FRAME_RMS
}

/// Returns the correlation of values whose means are zero.
fn correlation(one: &[f64], other: &[f64]) -> f64 {
    let product: f64 = one.iter().zip(other).map(|(a, b)| a * b).sum();
    let count = one.len() as f64;
    let power = rms(one) * rms(other) * count;
    if power > 0.0 { product / power } else { 0.0 }
}

/// Returns the median interval of these times.
fn spacing(times: &[Timestamp]) -> Option<i64> {
    let mut distances: Vec<i64> =
        times.windows(2).filter_map(|two| Some(two.last()?.micros_since(*two.first()?))).collect();
    distances.sort_unstable();
    distances.get(distances.len() / 2).copied()
}

/// Returns true if the sent keyframes mostly resemble their predecessors.
fn is_slow(sent: &[&Keyframe], from: Timestamp) -> bool {
    let since: Vec<&FrameSimilarity> =
        sent.iter().filter(|it| it.at >= from).map(|it| &it.likeness).collect();
    let pairs = since.windows(2).filter_map(|two| Some(alike(two.first()?, two.last()?)));
    let (sum, count) = pairs.fold((0.0, 0.0), |(sum, count), it| (sum + it, count + 1.0));
    count > 0.0 && sum / count >= SLOW_CHANGE_SIMILARITY
}

/// Returns true if keyframes arrive with the sent size and interval.
fn keeps_pace(sent: &[Timestamp], window: &Window<'_>) -> bool {
    let newest = window.seen.keyframes.iter().rev().take(MAX_COMPARED_KEYFRAMES);
    let mut times: Vec<Timestamp> = newest.map(|it| it.pts).collect();
    times.reverse();
    let near = |(a, b): (i64, i64)| (a - b).abs() * 20 <= b;
    window.same_size && spacing(&times).zip(spacing(sent)).is_some_and(near)
}
