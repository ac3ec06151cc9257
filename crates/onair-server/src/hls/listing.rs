//! The available resources at one moment: playlist texts, segments and parts. A listing is
//! immutable: the next part creates a new one. All requests share the texts and bytes. This module
//! is pure.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;

use crate::server::hls::Settings;
use crate::server::hls::part::{Initialization, Part};
use crate::server::hls::segment::Segment;
use crate::wire::hls::{
    self, Control, Hint, ListPosition, Map, MasterForm, Media, OfferedVariant, Report,
    write_master, write_media,
};

/// Name of the media playlist below `/{app}/{stream}/hls/`.
pub(crate) const MEDIA_PLAYLIST_NAME: &str = "main.m3u8";
/// The codec name of Opus in MP4.
const OPUS_NAME: &str = "Opus";
/// The end of the names of segments as MPEG-TS.
pub(crate) const TS_EXTENSION: &str = ".ts";
/// Parts are listed for segments within this many target durations of the end.
const PART_LIST_TARGET_DURATIONS: u32 = 3;
/// Players stay this many target durations, or parts, from the end.
pub(super) const HOLD_BACK_TARGET_DURATIONS: u32 = 3;
const HOLD_BACK_PARTS: u32 = 3;
/// Segments older than this many target durations can be skipped in a delta update.
const SKIP_TARGET_DURATIONS: u32 = 6;
/// A request for a part is invalid if the part is further in the future than this (§6.2.5.2).
const MAX_PART_ADVANCE: Duration = Duration::from_secs(3);
/// A request for a segment is also invalid if the segment is more than this many segments after the
/// last one.
const MAX_ADVANCE_SEGMENTS: u64 = 2;
/// DASH players may request this many segments after the next one. They compute the number of the newest segment from
/// the clock, and after 16 failed requests, dash.js stops for good. If a publisher pauses, requests therefore wait.
const MAX_EXPECTED_SEGMENTS: u64 = 10;

/// A segment without media (a box `styp`). It is the answer where a player expected another segment of a span that has
/// ended, or if a segment has nothing of one track, because some players never request anything again after an error.
pub(crate) const EMPTY_SEGMENT: &[u8] = b"\0\0\0\x14stypmsdh\0\0\0\0msdh";

/// The available resources.
#[derive(Debug)]
pub(crate) struct Listing {
    pub(super) settings: Settings,
    pub(super) tag: Arc<str>,
    pub(super) segments: Vec<Arc<Segment>>,
    /// Index of the first segment in the playlist.
    pub(super) listed: usize,
    /// The segment in progress.
    pub(super) open: Option<Segment>,
    /// The number of the next part, if any.
    pub(super) next_number: u64,
    /// Number of discontinuities before the first segment in the list.
    pub(super) discontinuities: u64,
    /// Start of the very first span, in microseconds since 1970.
    pub(super) began: i64,
    /// The time of the newest media so far, in microseconds since 1970. It never decreases.
    pub(super) published: i64,
    pub(super) target: Option<Duration>,
    pub(super) ended: bool,
    /// The progress of the other renditions.
    pub(super) reports: Vec<Report>,
    /// The playlist texts, once requested.
    pub(super) whole: OnceLock<Bytes>,
    pub(super) update: OnceLock<Bytes>,
}

/// Segment or part that a player waits for.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) struct AwaitedItem {
    pub segment: u64,
    pub part: Option<u64>,
}

/// The state of a waiting request.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum WaitState {
    /// The item is available.
    Over,
    Wait,
    /// The item is too far in the future.
    TooFar,
}

/// Begins the numbers of parts whose segment begins with a discontinuity.
const DISCONTINUITY_PREFIX: &str = "d";

/// A file below `/{app}/{stream}/hls/`.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum File {
    Initialization(Tracks, u64),
    /// A segment of all tracks.
    Segment(u64),
    Track(TrackSegment),
    /// A part of all tracks. Parts of a segment with a discontinuity have other names, because players request the
    /// next part before it is known that another stream begins there.
    Part {
        segment: u64,
        part: u64,
        discontinuity: bool,
    },
    /// A segment as MPEG-TS.
    Ts(u64),
}

impl File {
    /// Returns true if only DASH players request the file.
    pub fn is_dash(self) -> bool {
        match self {
            Self::Track(_) => true,
            Self::Initialization(tracks, _) => tracks != Tracks::All,
            Self::Segment(_) | Self::Part { .. } | Self::Ts(_) => false,
        }
    }
}

/// A segment of one track, for DASH. Players request segments that they only expect, so the name contains
/// the span: after a discontinuity, the segment with the expected number has other codecs or another size.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) struct TrackSegment {
    pub tracks: Tracks,
    /// The first segment number of the span.
    pub span: u64,
    pub number: u64,
}

/// The tracks in a file: all for HLS, one for DASH.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum Tracks {
    All,
    Video,
    Audio,
}

impl Tracks {
    /// Returns the tracks of a file, and the rest of its name after the letter of the tracks.
    fn split(name: &str) -> (Self, &str) {
        let of = |letter, tracks| name.strip_prefix(letter).map(|rest| (tracks, rest));
        of('v', Self::Video).or_else(|| of('a', Self::Audio)).unwrap_or((Self::All, name))
    }

    pub(crate) fn initialization(self, of: &Initialization) -> Option<Bytes> {
        match self {
            Self::All => Some(of.whole.clone()),
            Self::Video => of.video.clone(),
            Self::Audio => of.audio.clone(),
        }
    }

    /// Returns the chunks of a part.
    pub fn chunks(self, part: &Part) -> impl Iterator<Item = &Bytes> {
        let video = part.video.iter().filter(move |_| self != Self::Audio);
        video.chain(part.audio.iter().filter(move |_| self != Self::Video))
    }
}

impl Listing {
    /// Returns true if there is a playlist, which needs a segment.
    pub fn is_ready(&self) -> bool {
        self.target.is_some() && !self.segments.is_empty()
    }

    /// Returns the maximum duration of a segment.
    pub fn target_duration(&self) -> Duration {
        self.target.unwrap_or(self.settings.lengths.segment)
    }

    /// Returns true if nothing will be added.
    pub fn has_ended(&self) -> bool {
        self.ended
    }

    /// Returns the number that follows that of the last segment, complete or not.
    pub fn end_number(&self) -> u64 {
        self.next_number + u64::from(self.open.is_some())
    }

    /// Returns a value that changes with the playlist.
    pub fn version(&self) -> String {
        let parts = self.open.as_ref().map_or(0, |open| open.parts.len());
        let end = if self.ended { "e" } else { "" };
        format!("{}-{}.{parts}{end}", self.tag, self.next_number)
    }

    /// Checks whether the playlist has the awaited item.
    pub fn patience(&self, awaited: AwaitedItem) -> WaitState {
        let AwaitedItem { segment, part } = awaited;
        let last = self.next_number.saturating_sub(1);
        if self.ended || segment < last {
            return WaitState::Over;
        }
        let advance =
            MAX_PART_ADVANCE.as_secs_f64() / self.settings.lengths.part.as_secs_f64().min(1.0);
        let advance = advance.ceil() as u64;
        let there = self.open.as_ref().map_or(0, |open| open.parts.len() as u64);
        if segment > last + MAX_ADVANCE_SEGMENTS {
            return WaitState::TooFar;
        }
        let (complete, has) = if segment == last {
            let parts = self.segments.last().map_or(0, |it| it.parts.len() as u64);
            // A part after the end of a segment is the first part of the next segment.
            let behind = part.filter(|part| *part >= parts);
            match behind {
                Some(part) if part - parts > advance => return WaitState::TooFar,
                Some(_) => (false, there > 0),
                None => (true, true),
            }
        } else if segment == self.next_number {
            match part {
                Some(part) if part > there + advance => return WaitState::TooFar,
                Some(part) => (false, there > part),
                None => (false, false),
            }
        } else {
            match part {
                Some(part) if part > advance => return WaitState::TooFar,
                _ => (false, false),
            }
        };
        if complete || has { WaitState::Over } else { WaitState::Wait }
    }

    /// Parses the name of a file. Returns `None` if it is not the name of a file of this
    /// production.
    pub fn file(&self, name: &str) -> Option<File> {
        let (tracks, name) = Tracks::split(name.strip_prefix(&*self.tag)?.strip_prefix('-')?);
        if let Some(number) = name.strip_suffix(".mp4") {
            return Some(File::Initialization(tracks, number.parse().ok()?));
        }
        if let Some(number) = name.strip_suffix(TS_EXTENSION) {
            return number.parse().ok().filter(|_| tracks == Tracks::All).map(File::Ts);
        }
        let name = name.strip_suffix(".m4s")?;
        if tracks != Tracks::All {
            let (span, number) = name.split_once('-')?;
            let (span, number) = (span.parse().ok()?, number.parse().ok()?);
            return Some(File::Track(TrackSegment { tracks, span, number }));
        }
        match name.split_once('.') {
            Some((number, part)) => {
                let fresh = part.strip_prefix(DISCONTINUITY_PREFIX);
                let discontinuity = fresh.is_some();
                let (segment, part) = (number.parse().ok()?, fresh.unwrap_or(part).parse().ok()?);
                Some(File::Part { segment, part, discontinuity })
            }
            None => Some(File::Segment(name.parse().ok()?)),
        }
    }

    /// Returns the chunks of a file, or `None` if it is not available.
    pub fn chunks(&self, file: File) -> Option<Vec<Bytes>> {
        match file {
            File::Initialization(tracks, number) => {
                let mut all = self.segments.iter().map(|it| &**it).chain(&self.open);
                let found = all.find(|it| it.span.number == number)?;
                Some(vec![tracks.initialization(&found.span.initialization)?])
            }
            File::Segment(number) => chunks_of(self.segment(number)?, Tracks::All),
            File::Track(TrackSegment { tracks, span, number }) => {
                if self.has_other_span(span, number) {
                    return Some(vec![Bytes::from_static(EMPTY_SEGMENT)]);
                }
                let chunks = chunks_of(self.segment(number)?, tracks);
                Some(chunks.unwrap_or_else(|| vec![Bytes::from_static(EMPTY_SEGMENT)]))
            }
            File::Part { segment, part, discontinuity } => {
                let segment = self.open_or_complete(segment)?;
                let parts = Some(&segment.parts).filter(|_| segment.discontinuity == discontinuity);
                let part = parts?.get(usize::try_from(part).ok()?)?;
                Some(Tracks::All.chunks(part).cloned().collect())
            }
            // MPEG-TS is made on request.
            File::Ts(_) => None,
        }
    }

    /// Returns true if a missing part is the next one.
    pub fn is_next(&self, file: File) -> bool {
        let there = self.open.as_ref().map_or(0, |open| open.parts.len() as u64);
        let (segment, discontinuity) = (self.next_number, self.has_open_discontinuity());
        !self.ended && file == File::Part { segment, part: there, discontinuity }
    }

    /// Returns true if the segment has begun, but as another stream, so that the part does not come.
    pub fn is_replaced(&self, segment: u64, discontinuity: bool) -> bool {
        self.open_or_complete(segment).is_some_and(|it| it.discontinuity != discontinuity)
    }

    /// Returns true if a growing segment begins with a discontinuity.
    fn has_open_discontinuity(&self) -> bool {
        self.open.as_ref().is_some_and(|open| open.discontinuity)
    }

    /// Returns true if a segment is the one that grows, or one of the next ones. DASH players request these
    /// early if segments are longer than the manifest predicts, or if the publisher pauses.
    pub fn is_expected(&self, number: u64) -> bool {
        let expected = self.next_number..=self.next_number.saturating_add(MAX_EXPECTED_SEGMENTS);
        !self.ended && expected.contains(&number)
    }

    /// Returns true if a segment, complete or growing, belongs to another span than the requested one.
    pub fn has_other_span(&self, span: u64, number: u64) -> bool {
        self.open_or_complete(number).is_some_and(|it| it.span.number != span)
    }

    fn open_or_complete(&self, number: u64) -> Option<&Segment> {
        let open = self.open.as_ref().filter(|open| open.number == number);
        open.or_else(|| self.segment(number).map(|it| &**it))
    }

    /// Returns the parts of a segment so far, and whether the segment is complete. Returns `None`
    /// if there is no such segment.
    pub fn parts_of(&self, number: u64) -> Option<(&[Part], bool)> {
        match self.open.as_ref().filter(|open| open.number == number) {
            Some(open) => Some((&open.parts, false)),
            None => self.segment(number).map(|segment| (&segment.parts[..], true)),
        }
    }

    /// Returns a complete segment.
    pub fn segment(&self, number: u64) -> Option<&Arc<Segment>> {
        self.segments.iter().find(|segment| segment.number == number)
    }

    /// Returns the current initialization segment.
    pub fn initialization(&self) -> Option<&Initialization> {
        let newest = self.open.as_ref().or_else(|| self.segments.last().map(|it| &**it));
        newest.map(|segment| &segment.span.initialization)
    }

    /// Returns the media playlist; a delta update omits older segments.
    pub fn media(&self, update: bool) -> Bytes {
        let text = if update { &self.update } else { &self.whole };
        text.get_or_init(|| self.write(update, "").into()).clone()
    }

    /// Returns the media playlist, with this prefix for addresses.
    pub fn media_below(&self, folder: &str, update: bool) -> Bytes {
        self.write(update, folder).into()
    }

    fn write(&self, update: bool, folder: &str) -> String {
        let listed = self.segments.get(self.listed..).unwrap_or_default();
        let target = self.target_duration();
        let mut left: Duration = listed.iter().map(|segment| segment.duration()).sum();
        let mut skipped = 0;
        let mut segments = Vec::with_capacity(listed.len());
        for segment in listed {
            if update && left > target * SKIP_TARGET_DURATIONS {
                skipped += 1;
            }
            let map = self.map(segment, folder);
            left = left.saturating_sub(segment.duration());
            let parts = if left < target * PART_LIST_TARGET_DURATIONS && !self.ended {
                self.parts(segment, &map, folder)
            } else {
                Vec::new()
            };
            segments.push(hls::Segment {
                uri: format!("{folder}{}-{}.m4s", self.tag, segment.number),
                duration: segment.duration(),
                discontinuity: segment.discontinuity,
                gap: false,
                range: None,
                map: Some(map),
                key: None,
                parts,
                made: Some(segment.made),
            });
        }
        let pending = self
            .open
            .as_ref()
            .map_or_else(Vec::new, |open| self.parts(open, &self.map(open, folder), folder));
        let there = pending.len();
        let (part, long) =
            (self.settings.lengths.part, self.settings.window >= target * SKIP_TARGET_DURATIONS);
        let media = Media {
            target_duration: target,
            sequence: listed.first().map_or(self.next_number, |first| first.number),
            ended: self.ended,
            keeps_all: false,
            control: Control {
                hold_back: Some(target * HOLD_BACK_TARGET_DURATIONS),
                part_hold_back: Some(part * HOLD_BACK_PARTS),
                can_block: true,
                skip_until: long.then_some(target * SKIP_TARGET_DURATIONS),
            },
            part_target: Some(part),
            segments,
            pending_made: self.open.as_ref().map(|open| open.made),
            pending,
            hint: Some(Hint {
                uri: self.part_name(folder, self.next_number, there, self.has_open_discontinuity()),
                range: None,
            }),
            reports: self.reports(folder),
        };
        write_media(&media, ListPosition { discontinuities: self.discontinuities, skipped })
    }

    fn map(&self, segment: &Segment, folder: &str) -> Arc<Map> {
        let uri = format!("{folder}{}-{}.mp4", self.tag, segment.span.number);
        Arc::new(Map { uri, range: None, key: None })
    }

    fn part_name(&self, folder: &str, segment: u64, part: usize, discontinuity: bool) -> String {
        let fresh = if discontinuity { DISCONTINUITY_PREFIX } else { "" };
        format!("{folder}{}-{segment}.{fresh}{part}.m4s", self.tag)
    }

    fn parts(&self, segment: &Segment, map: &Arc<Map>, folder: &str) -> Vec<hls::Part> {
        let parts = segment.parts.iter().enumerate();
        let parts = parts.map(|(index, part)| hls::Part {
            uri: self.part_name(folder, segment.number, index, segment.discontinuity),
            duration: part.duration,
            independent: part.independent,
            discontinuity: segment.discontinuity && index == 0,
            gap: false,
            range: None,
            map: Some(Arc::clone(map)),
            key: None,
        });
        parts.collect()
    }

    /// Returns the same resources with the progress of the other renditions.
    pub fn with_reports(self, reports: Vec<Report>) -> Self {
        Self { reports, ..self }
    }

    fn reports(&self, folder: &str) -> Vec<Report> {
        let below =
            |report: &Report| Report { uri: format!("{folder}{}", report.uri), ..report.clone() };
        self.reports.iter().map(below).collect()
    }

    /// Returns the progress for the playlists of other renditions, or `None` if there is nothing
    /// yet.
    pub fn report(&self, uri: String) -> Option<Report> {
        let segment = self.open.as_ref().or_else(|| self.segments.last().map(|it| &**it))?;
        let part = (segment.parts.len() as u64).checked_sub(1);
        self.is_ready().then_some(Report { uri, sequence: segment.number, part })
    }

    /// Returns the multivariant playlist, with this playlist and these renditions. `folder`
    /// contains the media playlists.
    pub fn master(&self, folder: &str, renditions: &[OfferedVariant]) -> Bytes {
        self.master_of(folder, MEDIA_PLAYLIST_NAME.to_owned(), renditions)
    }

    /// Works like [`Self::master`], if this playlist has another name.
    pub fn master_of(&self, folder: &str, name: String, renditions: &[OfferedVariant]) -> Bytes {
        let listed = self.segments.get(self.listed..).unwrap_or_default();
        let variants: Vec<_> = std::iter::once(self.variant(name))
            .chain(renditions.iter().cloned())
            .map(|it| OfferedVariant { uri: format!("{folder}{}", it.uri), ..it })
            .collect();
        let begins_with_keyframe =
            |it: &Arc<Segment>| it.parts.first().is_some_and(|part| part.independent);
        let form = MasterForm::low_latency(listed.iter().all(begins_with_keyframe));
        write_master(&variants, form).into()
    }

    /// Returns this playlist as a variant.
    pub fn variant(&self, uri: String) -> OfferedVariant {
        let listed = self.segments.get(self.listed..).unwrap_or_default();
        let rate = |segment: &Segment| {
            let seconds = segment.duration().as_secs_f64().max(0.1);
            (segment.size() as f64 * 8.0 / seconds) as u64
        };
        let peak = listed.iter().map(|segment| rate(segment)).max().unwrap_or_default();
        let bytes: usize = listed.iter().map(|segment| segment.size()).sum();
        let seconds: Duration = listed.iter().map(|segment| segment.duration()).sum();
        let average = bytes as f64 * 8.0 / seconds.as_secs_f64().max(0.1);
        let what = self.initialization();
        OfferedVariant {
            uri,
            // This adds a reserve, because the future bitrate is unknown.
            bandwidth: (peak + peak / 10).max(1),
            average_bandwidth: (average as u64).max(1),
            codecs: what.map(|it| it.codecs.clone()).unwrap_or_default(),
            size: what.and_then(|it| it.size),
            frame_rate: what.and_then(|it| it.frame_rate),
            hdr: what.and_then(|it| it.hdr),
        }
    }

    /// Returns true if the audio is Opus now.
    pub fn has_opus(&self) -> bool {
        self.initialization().is_some_and(|it| it.codecs.iter().any(|codec| codec == OPUS_NAME))
    }

    /// Returns the bitrate of the audio in bits per second.
    pub fn audio_rate(&self) -> u64 {
        let listed = self.segments.get(self.listed..).unwrap_or_default();
        let parts = listed.iter().flat_map(|segment| &segment.parts);
        let bytes: usize = parts.filter_map(|part| part.audio.as_ref()).map(Bytes::len).sum();
        let seconds: Duration = listed.iter().map(|segment| segment.duration()).sum();
        (bytes as f64 * 8.0 / seconds.as_secs_f64().max(0.1)) as u64
    }
}

/// Returns the chunks of a segment, or `None` if it has none.
fn chunks_of(segment: &Segment, tracks: Tracks) -> Option<Vec<Bytes>> {
    let chunks = segment.parts.iter().flat_map(|part| tracks.chunks(part)).cloned().collect();
    Some(chunks).filter(|chunks: &Vec<Bytes>| !chunks.is_empty())
}
