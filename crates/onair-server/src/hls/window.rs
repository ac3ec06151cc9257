//! The stored segments of a stream: those in the playlist, and those that have left it, which
//! players may still request for a while (RFC 8216 §6.2.2). The window is limited in time and in
//! bytes, and all windows of the process together are limited in bytes. Apart from their total, this
//! module is pure.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::sync::OnceCell;

use crate::server::hls::Settings;
use crate::server::hls::listing::{HOLD_BACK_TARGET_DURATIONS, Listing};
use crate::server::hls::part::{Cut, Initialization, Part, SegmentStart, StartTime};
use crate::server::hls::segment::{Segment, Span};

/// Maximum size of one stream's segments in bytes. The oldest segments are dropped first.
const MAX_WINDOW_BYTES: u64 = 96 << 20;
/// Maximum size of the segments of all streams in bytes. Beyond it, a stream keeps only what the others leave.
pub(super) const MAX_TOTAL_BYTES: u64 = 4 << 30;
/// Size of the segments of all windows of the process in bytes.
static TOTAL_BYTES: AtomicU64 = AtomicU64::new(0);
/// Maximum number of segment starts for renditions, which are at most this many segments late.
const MAX_SEGMENT_STARTS: usize = 32;
/// Media of a stream that goes on arrives at most this much earlier or later than the drift of its clock suggests.
const MAX_ARRIVAL_JITTER: Duration = Duration::from_secs(5);
/// This many segments stay in the playlist, regardless of their size.
const MIN_LISTED_SEGMENTS: usize = 3;

/// The part of one window in a total, which ends with the window.
#[derive(Debug)]
pub(super) struct Share {
    total: &'static AtomicU64,
    bytes: u64,
}

impl Share {
    pub fn of(total: &'static AtomicU64) -> Self {
        Self { total, bytes: 0 }
    }

    /// Replaces the size of this part.
    pub fn set(&mut self, bytes: u64) {
        self.total.fetch_add(bytes, Ordering::Relaxed);
        self.total.fetch_sub(self.bytes, Ordering::Relaxed);
        self.bytes = bytes;
    }

    /// Returns the maximum size that the other parts leave for this one.
    fn limit(&self) -> u64 {
        let others = self.total.load(Ordering::Relaxed).saturating_sub(self.bytes);
        MAX_WINDOW_BYTES.min(MAX_TOTAL_BYTES.saturating_sub(others))
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.set(0);
    }
}

/// The stored segments of one stream, for its playlist.
#[derive(Debug)]
pub(crate) struct Window {
    settings: Settings,
    /// Part of the file names, so that no two productions share a file name.
    tag: Arc<str>,
    segments: Vec<Arc<Segment>>,
    open: Option<Segment>,
    next_number: u64,
    /// Number of discontinuities before the first stored segment.
    discontinuities: u64,
    /// The initialization segment of the next span, until the first part of the span arrives.
    next: Option<Initialization>,
    span: Option<Arc<Span>>,
    /// Start of the first span, in microseconds since 1970.
    began: Option<i64>,
    /// The time of the newest media so far, in microseconds since 1970. It increases with each part, although a span
    /// may begin before the end of the previous one.
    published: i64,
    /// Wall clock minus stream time, in microseconds.
    offset: i64,
    /// The offset of the next span, because the clock of the publisher has drifted.
    corrected: Option<i64>,
    /// True if a corrected span begins. If the clock was fast, the span begins before the end of the previous one.
    may_overlap: bool,
    /// True if the next part does not continue the previous one.
    broken: bool,
    target: Option<Duration>,
    ended: bool,
    /// The starts of the last segments, for renditions.
    starts: VecDeque<SegmentStart>,
    /// For a rendition: the next segment as in the stream itself.
    aligned: Option<SegmentStart>,
    is_rendition: bool,
    pub(super) share: Share,
}

impl Window {
    /// Creates a window; `first` is the first segment number and the first discontinuity number. They
    /// increase across productions, so that players never see numbers decrease.
    pub fn new(settings: Settings, tag: &str, first: (u64, u64)) -> Self {
        Self {
            settings,
            tag: tag.into(),
            segments: Vec::new(),
            open: None,
            next_number: first.0,
            discontinuities: first.1,
            next: None,
            span: None,
            began: None,
            published: 0,
            offset: 0,
            corrected: None,
            may_overlap: false,
            broken: false,
            target: None,
            ended: false,
            starts: VecDeque::new(),
            aligned: None,
            is_rendition: false,
            share: Share::of(&TOTAL_BYTES),
        }
    }

    /// Creates the window of a rendition, whose numbers are those of the stream itself.
    pub fn of_rendition(settings: Settings, tag: &str) -> Self {
        Self { is_rendition: true, ..Self::new(settings, tag, (0, 0)) }
    }

    /// Returns the starts of the last segments, the newest last.
    pub fn starts(&mut self) -> &[SegmentStart] {
        self.starts.make_contiguous()
    }

    /// Returns wall clock minus stream time, in microseconds.
    pub fn offset(&self) -> i64 {
        self.offset
    }

    /// Returns the number of the current span, and its offset in manifests.
    pub fn anchor(&self) -> Option<(u64, i64)> {
        let span = self.span.as_ref()?;
        Some((span.number, span.start.saturating_sub(span.origin.as_micros())))
    }

    /// Returns true if no segment is complete, so that there is no playlist.
    pub fn is_empty(&self) -> bool {
        self.segments.is_empty()
    }

    /// Lowers the offset of the first span, whose first media was late. No player may know the times of the span yet.
    pub fn lower_offset(&mut self, offset: i64) {
        let Some(span) = self.span.clone() else { return };
        let earlier = self.offset.saturating_sub(offset);
        let mut all = self.segments.iter().map(|it| &**it).chain(&self.open);
        let is_only = self.next.is_none() && all.all(|it| Arc::ptr_eq(&it.span, &span));
        if earlier <= 0 || !is_only {
            return;
        }
        let (initialization, number, origin) =
            (span.initialization.clone(), span.number, span.origin);
        let start = origin.as_micros().saturating_add(offset) / 1_000 * 1_000;
        let span = Arc::new(Span { initialization, number, origin, start });
        for segment in self.segments.iter_mut().map(Arc::make_mut).chain(&mut self.open) {
            segment.made = segment.made.saturating_sub(earlier);
            segment.span = Arc::clone(&span);
        }
        for start in &mut self.starts {
            start.made = start.made.saturating_sub(earlier);
        }
        self.published = self.published.saturating_sub(earlier);
        (self.offset, self.began, self.span) = (offset, Some(start), Some(span));
    }

    /// Sets the offset of the next span, if that span continues the stream.
    pub fn correct(&mut self, offset: Option<i64>) {
        self.corrected = offset;
    }

    /// Adds cuts. `offset` is wall clock minus stream time, in microseconds.
    pub fn take(&mut self, cuts: Vec<Cut>, target: Option<Duration>, offset: i64) {
        self.target = self.target.or(target);
        let has_part = cuts.iter().any(|cut| matches!(cut, Cut::Part(_)));
        for cut in cuts {
            match cut {
                Cut::Begin(initialization) => {
                    self.broken |= self.span.is_some() && !self.is_rendition;
                    self.next = Some(*initialization);
                    let is_plausible =
                        |it: &i64| Duration::from_micros(it.abs_diff(offset)) <= MAX_ARRIVAL_JITTER;
                    let corrected = self.corrected.take().filter(is_plausible);
                    self.may_overlap = corrected.is_some();
                    self.offset = corrected.unwrap_or(offset);
                }
                Cut::PartTarget(target) => self.settings.lengths.part = target,
                Cut::Part(part) => self.part(part),
                Cut::SegmentEnd => self.close(),
                Cut::SegmentStart(at) => self.note_start(at),
                Cut::Aligned(start) => self.align(start),
            }
        }
        let newest = self.open.as_ref().or_else(|| self.segments.last().map(|it| &**it));
        // The times of different manifests differ by at least 1 ms.
        let least = self.published.saturating_add(if has_part { 1_000 } else { 0 });
        self.published = least.max(newest.map_or(0, Segment::span_end));
    }

    fn note_start(&mut self, StartTime { start, shown }: StartTime) {
        let number = self.next_number;
        // A segment without a part begins again.
        while self.starts.back().is_some_and(|it| it.number >= number) {
            self.starts.pop_back();
        }
        if self.starts.len() >= MAX_SEGMENT_STARTS {
            self.starts.pop_front();
        }
        let stored = self.segments.iter().filter(|it| it.discontinuity).count() as u64;
        self.starts.push_back(SegmentStart {
            number,
            shown,
            made: start.as_micros().saturating_add(self.offset),
            discontinuity: self.broken,
            discontinuities: self.discontinuities + stored,
        });
    }

    /// Continues with this segment of the stream itself.
    fn align(&mut self, start: SegmentStart) {
        if self.segments.is_empty() || self.next_number != start.number {
            // A playlist must not have gaps.
            self.segments.clear();
            (self.next_number, self.discontinuities) = (start.number, start.discontinuities);
        }
        self.aligned = Some(start);
    }

    /// Ends the playlist.
    pub fn end(&mut self) {
        self.close();
        self.ended = true;
    }

    fn part(&mut self, part: Part) {
        let made = part.start.as_micros().saturating_add(self.offset);
        if let Some(initialization) = self.next.take() {
            let last = self.segments.last().filter(|_| !self.may_overlap);
            let end = last.map_or(i64::MIN, |it| it.span_end());
            let (number, origin) = (self.next_number, part.start);
            // Whole milliseconds, as in manifests.
            let start = made.max(end) / 1_000 * 1_000;
            // If the wall clock was set back, the stream begins at an earlier time.
            self.began = Some(self.began.map_or(start, |began| began.min(start)));
            self.span = Some(Arc::new(Span { initialization, number, origin, start }));
        }
        let Some(span) = &self.span else { return };
        let (broken, aligned) = (&mut self.broken, &mut self.aligned);
        let open = self.open.get_or_insert_with(|| {
            let aligned = aligned.take();
            Segment {
                number: self.next_number,
                discontinuity: aligned
                    .map_or_else(|| std::mem::take(broken), |it| it.discontinuity),
                span: Arc::clone(span),
                made: aligned.map_or(made, |it| it.made),
                parts: Vec::new(),
                ts: OnceCell::new(),
            }
        });
        open.parts.push(part);
    }

    fn close(&mut self) {
        let Some(segment) = self.open.take() else { return };
        self.next_number += 1;
        self.segments.push(Arc::new(segment));
        let mut bytes: u64 = self.segments.iter().map(|segment| segment.stored() as u64).sum();
        let mut kept: Duration = self.segments.iter().map(|segment| segment.duration()).sum();
        let limit = self.share.limit();
        // A segment that leaves the playlist stays for its own duration and that of the longest
        // playlist with it (RFC 8216bis §6.2.2).
        let stored = self.playlist_duration() * 2 + self.target_duration() * 2;
        while let [first, rest @ ..] = &self.segments[..] {
            let without = kept.saturating_sub(first.duration());
            let old = without >= stored;
            if rest.len() < MIN_LISTED_SEGMENTS || !old && bytes <= limit {
                break;
            }
            (bytes, kept) = (bytes.saturating_sub(first.stored() as u64), without);
            self.discontinuities += u64::from(first.discontinuity);
            self.segments.remove(0);
        }
        self.share.set(bytes);
    }

    /// Returns the number that follows those of all discontinuities so far.
    pub fn next_discontinuity(&self) -> u64 {
        let stored = self.segments.iter().filter(|it| it.discontinuity).count() as u64;
        let open = self.open.as_ref().is_some_and(|it| it.discontinuity);
        self.discontinuities + stored + u64::from(open) + 1
    }

    /// Returns the resources that clients can request now.
    pub fn listing(&self) -> Listing {
        let listed = self.first_listed();
        let before = self.segments.iter().take(listed).filter(|it| it.discontinuity).count();
        Listing {
            settings: self.settings,
            tag: Arc::clone(&self.tag),
            segments: self.segments.clone(),
            listed,
            open: self.open.clone(),
            next_number: self.next_number,
            discontinuities: self.discontinuities + before as u64,
            began: self.began.unwrap_or_default(),
            published: self.published,
            target: self.target,
            ended: self.ended,
            reports: Vec::new(),
            whole: OnceLock::new(),
            update: OnceLock::new(),
        }
    }

    /// Returns the index of the first segment in the playlist. The playlist lists the newest
    /// segments that together are as long as the window, and at least [`MIN_LISTED_SEGMENTS`].
    fn first_listed(&self) -> usize {
        let window = self.playlist_duration();
        let mut kept = Duration::ZERO;
        let mut first = self.segments.len();
        for (index, segment) in self.segments.iter().enumerate().rev() {
            if kept >= window && self.segments.len() - first >= MIN_LISTED_SEGMENTS {
                break;
            }
            kept += segment.duration();
            first = index;
        }
        first
    }

    /// Returns the minimum duration of the playlist. It includes the hold-back of players (RFC
    /// 8216bis §6.2.2).
    fn playlist_duration(&self) -> Duration {
        self.settings.window.max(self.target_duration() * HOLD_BACK_TARGET_DURATIONS)
    }

    /// Returns the maximum duration of a segment.
    fn target_duration(&self) -> Duration {
        self.target.unwrap_or(self.settings.lengths.segment)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::Track;
    use crate::server::hls::cutter::Cutter;
    use crate::server::hls::tests::{TARGET_LENGTHS, cut, packet, video_config};

    /// Frames between the keyframes of x264, which make segments of 8.33 s at 30 fps.
    const GOP_FRAMES: i64 = 250;

    #[test]
    fn long_segments_fill_three_target_durations_and_stay_after_they_leave_the_playlist() {
        for seconds in [20, 6] {
            let settings = Settings {
                lengths: TARGET_LENGTHS,
                window: Duration::from_secs(seconds),
                ..Settings::default()
            };
            let mut window = Window::new(settings, "tag", (0, 0));
            let mut cutter = Cutter::new(TARGET_LENGTHS, None);
            assert!(cut(&mut cutter, &[video_config(1_280)]).is_empty());
            let mut first_listed = Vec::new();
            for gop in 0..16 {
                let frames = gop * GOP_FRAMES..(gop + 1) * GOP_FRAMES;
                let frame = |it: i64| packet(Track::Video, it * 1_000 / 30, it % GOP_FRAMES == 0);
                let cuts = cut(&mut cutter, &frames.map(frame).collect::<Vec<_>>());
                window.take(cuts, cutter.target_duration(), 0);
                let listing = window.listing();
                let Some(first) = listing.segments.get(listing.listed) else { continue };
                first_listed.push(first.number);
                let listed: Duration =
                    listing.segments[listing.listed..].iter().map(|it| it.duration()).sum();
                let target = listing.target_duration();
                assert_eq!(target, Duration::from_secs(9));
                assert!(gop < 4 || listed >= target * 3, "{seconds} {gop}: {listed:?}");
                // The playlist lasts 33 s, and its first segment 8 s: five more segments.
                if let Some(index) = first_listed.len().checked_sub(6) {
                    let oldest = listing.segments[0].number;
                    assert!(oldest <= first_listed[index], "{seconds} {gop}: {oldest}");
                }
            }
            assert_eq!(window.listing().segments.len(), 9, "{seconds}: memory is bounded");
        }
    }
}
