//! The index of an FLV file for seeking: its length, its codec configs, and the positions at which
//! decoding can begin. This module is pure.

use std::time::Duration;

use bytes::Bytes;

use crate::base::Timestamp;
use crate::player::clock::file_timeline::{FileTimeline, Span};
use crate::player::demux::file_samples::PRE_ROLL_MICROS;
use crate::wire::container::flv::{ReadTag, Tag, TagContent, TagKind};

/// Maximum number of positions of a track. If there are more, every second one is dropped.
const MAX_SEEK_POINTS: usize = 8_192;
/// The minimum distance between two positions in a file with few keyframes, in µs.
const MIN_DISTANCE_MICROS: i64 = 500_000;
/// Maximum number of different headers.
const MAX_HEADERS: usize = 64;
/// Maximum size of all headers together.
const MAX_HEADER_BYTES: usize = 1 << 20;
/// A forward step larger than this, in µs, is a jump.
const MAX_STEP_MICROS: i64 = 600_000_000;

/// A position at which decoding can begin.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
struct SeekPoint {
    /// The PTS of its frame or audio in microseconds.
    pts: i64,
    /// The byte at which its frame or audio begins.
    at: u64,
    /// The byte at which its audio begins, and the DTS of that audio.
    audio: (u64, Timestamp),
}

/// Positions of a track in the order of the file.
#[derive(Debug)]
struct SeekPoints {
    points: Vec<SeekPoint>,
    distance: i64,
}

impl Default for SeekPoints {
    fn default() -> Self {
        Self { points: Vec::new(), distance: MIN_DISTANCE_MICROS }
    }
}

impl SeekPoints {
    fn add(&mut self, point: SeekPoint) {
        let near =
            |last: &SeekPoint| (0..self.distance).contains(&point.pts.saturating_sub(last.pts));
        if self.points.last().is_some_and(near) {
            return;
        }
        if self.points.len() >= MAX_SEEK_POINTS {
            self.distance = self.distance.saturating_mul(2);
            let mut stays = false;
            self.points.retain(|_| {
                stays = !stays;
                stays
            });
        }
        self.points.push(point);
    }

    /// Returns the last position at or before this PTS.
    fn before(&self, pts: i64) -> Option<SeekPoint> {
        self.points.iter().rfind(|point| point.pts <= pts).copied()
    }
}

/// The bytes and headers with which playback of a position begins. The default is the start of the
/// file.
#[derive(Debug, Default)]
pub(super) struct SeekStart<'a> {
    /// The byte from which the file is read, and the DTS there.
    pub(super) read_from: u64,
    pub(super) dts: Timestamp,
    /// The first bytes of the audio and the video that play.
    pub(super) audio_from: u64,
    pub(super) video_from: u64,
    /// The headers before `read_from`, with their bytes.
    pub(super) headers: &'a [(u64, Tag)],
}

/// See the module documentation.
#[derive(Debug, Default)]
pub(super) struct FlvIndex {
    /// The timelines of video and audio, and the newest PTS.
    video_timeline: FileTimeline,
    audio_timeline: FileTimeline,
    last: Option<i64>,
    has_video: bool,
    keyframes: SeekPoints,
    audio: SeekPoints,
    headers: Vec<(u64, Tag)>,
    header_bytes: usize,
    /// True if the file has too many headers to store them.
    crowded: bool,
}

impl FlvIndex {
    /// Adds the next tag, which begins at byte `at`.
    pub(super) fn note(&mut self, read: &ReadTag, pts: i64, at: u64) {
        if read.content.is_header() {
            return self.note_header(read, at);
        }
        let is_video = read.tag.kind == TagKind::Video;
        // Times after a jump do not count towards the length.
        if self.last.is_none_or(|last| pts < last.saturating_add(MAX_STEP_MICROS)) {
            self.last = self.last.max(Some(pts));
            let course = if is_video { &mut self.video_timeline } else { &mut self.audio_timeline };
            course.add(pts);
        }
        let mut point = SeekPoint { pts, at, audio: (at, read.dts) };
        if !is_video {
            return self.audio.add(point);
        }
        self.has_video = true;
        if read.is_keyframe() {
            // The audio for the position may precede the keyframe.
            if let Some(before) = self.audio.before(pts.saturating_sub(PRE_ROLL_MICROS)) {
                point.audio = before.audio;
            }
            self.keyframes.add(point);
        }
    }

    fn note_header(&mut self, read: &ReadTag, at: u64) {
        let Tag { kind, time_ms, body } = &read.tag;
        let known = self.headers.iter().rfind(|(_, known)| known.kind == *kind);
        // Chat messages are not repeated after a seek.
        if read.content == TagContent::Script || known.is_some_and(|(_, known)| known.body == *body)
        {
            return;
        }
        self.header_bytes = self.header_bytes.saturating_add(body.len());
        self.crowded |= self.headers.len() >= MAX_HEADERS || self.header_bytes > MAX_HEADER_BYTES;
        if self.crowded {
            self.headers.clear();
            return;
        }
        // The body may share the memory of a whole block.
        let body = Bytes::copy_from_slice(body);
        self.headers.push((at, Tag { kind: *kind, time_ms: *time_ms, body }));
    }

    /// Returns the length of the file.
    pub(super) fn length(&self) -> Duration {
        Span::of(&self.video_timeline, &self.audio_timeline).map_or(Duration::ZERO, Span::length)
    }

    /// Returns where playback of the position `until`, in microseconds of the file's own time,
    /// begins.
    pub(super) fn start(&self, until: i64) -> SeekStart<'_> {
        let point = if self.has_video {
            self.keyframes.before(until)
        } else {
            self.audio.before(until.saturating_sub(PRE_ROLL_MICROS))
        };
        let Some(SeekPoint { at, audio: (audio_from, dts), .. }) = point else {
            return SeekStart::default();
        };
        let start = SeekStart { audio_from, video_from: at, ..SeekStart::default() };
        if self.crowded {
            return start;
        }
        let before = self.headers.partition_point(|(at, _)| *at < audio_from);
        let headers = self.headers.get(..before).unwrap_or_default();
        SeekStart { read_from: audio_from, dts, headers, ..start }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_are_bounded_and_close_to_each_other() {
        let mut points = SeekPoints::default();
        // Ten hours, in which each frame is a keyframe.
        let frames = 10 * 3_600 * 25;
        for number in 0..frames {
            let at = number as u64;
            points.add(SeekPoint { pts: number * 40_000, at, audio: (at, Timestamp::ZERO) });
            assert!(points.points.len() <= MAX_SEEK_POINTS);
        }
        let mut distances = points.points.windows(2).map(|pair| pair[1].pts - pair[0].pts);
        assert!(distances.all(|distance| distance <= 9_000_000));
        for seconds in [0, 1, 18_000, 35_999] {
            let point = points.before(seconds * 1_000_000).unwrap();
            assert!(seconds * 1_000_000 - point.pts <= 9_000_000, "{seconds}: {point:?}");
            assert_eq!(point.pts, point.at as i64 * 40_000);
        }
        assert_eq!(points.before(-1), None);
    }
}
