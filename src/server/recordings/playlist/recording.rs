//! The playlists of one recording: HLS that ends (VOD) or still grows (EVENT), and DASH. This module is pure.

use std::sync::Arc;
use std::time::Duration;

use crate::server::hls::listing::{TS_EXTENSION, Tracks};
use crate::server::hls::manifest::browser_codec;
use crate::server::hls::mpeg_ts::{TS_LIST, TS_MASTER, write_ts_master};
use crate::server::hls::part::Initialization;
use crate::server::recordings::opened::RecordingContent;
use crate::server::recordings::segments::{SampleList, SegmentSpan};
use crate::wire::dash::{Manifest, Period, Track, TrackKind};
use crate::wire::hls::{
    Control, ListPosition, Map, MasterForm, Media, OfferedVariant, Segment, write_master,
    write_media,
};

/// Name of the media playlist below `/vod/{name}/hls/`.
pub(in crate::server) const LIST: &str = "main.m3u8";
/// The shortest target duration of a list that grows: it must not change, and later segments may be longer.
pub(super) const MIN_EVENT_TARGET: Duration = Duration::from_secs(6);

/// A file below `/vod/{name}/hls/`.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(in crate::server) enum RecordedFile {
    List,
    Initialization(Tracks),
    Segment(Tracks, usize),
    /// The playlists and segments as MPEG-TS.
    TsMaster,
    TsList,
    Ts(usize),
}

impl RecordedFile {
    /// Returns the file with this name, or `None` if the name is invalid.
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            LIST => return Some(Self::List),
            TS_MASTER => return Some(Self::TsMaster),
            TS_LIST => return Some(Self::TsList),
            _ => {}
        }
        if let Some(number) = name.strip_suffix(TS_EXTENSION) {
            return self::number(number).map(Self::Ts);
        }
        let of = |letter, tracks| name.strip_prefix(letter).map(|rest| (tracks, rest));
        let (tracks, rest) = of('v', Tracks::Video)
            .or_else(|| of('a', Tracks::Audio))
            .unwrap_or((Tracks::All, name));
        if rest == "init.mp4" {
            return Some(Self::Initialization(tracks));
        }
        Some(Self::Segment(tracks, number(rest.strip_suffix(".m4s")?)?))
    }

    /// Returns true if only DASH players request the file.
    pub fn is_dash(self) -> bool {
        matches!(self, Self::Initialization(it) | Self::Segment(it, _) if it != Tracks::All)
    }
}

/// Reads a number without a sign.
fn number(text: &str) -> Option<usize> {
    text.parse().ok().filter(|_| text.bytes().all(|it| it.is_ascii_digit()))
}

/// A recording in a playlist.
#[derive(Copy, Clone)]
pub(in crate::server) struct ListedRecording<'a> {
    pub content: &'a RecordingContent,
    /// The URL of the recording's files, with a slash at the end.
    pub folder: &'a str,
    /// The start of the recording, in microseconds since 1970.
    pub began: Option<i64>,
}

/// Returns the media playlist of a recording. The playlist ends if nothing will be added.
pub(in crate::server) fn media(recording: ListedRecording<'_>) -> String {
    let uri = format!("{}init.mp4", recording.folder);
    let map = Map { uri, range: None, key: None };
    media_of(recording, ".m4s", Some(&Arc::new(map)))
}

/// Returns the media playlist of MPEG-TS segments, or `None` if MPEG-TS does not support the
/// codecs.
pub(in crate::server) fn ts_media(recording: ListedRecording<'_>) -> Option<String> {
    recording.content.initialization.as_ref()?.ts.as_ref()?;
    Some(media_of(recording, TS_EXTENSION, None))
}

fn media_of(recording: ListedRecording<'_>, extension: &str, map: Option<&Arc<Map>>) -> String {
    let ListedRecording { content, folder, began } = recording;
    let (target, ended) = (content.index.longest(), content.ended);
    let entry = |(number, span): (usize, &SegmentSpan)| Segment {
        uri: format!("{folder}{number}{extension}"),
        duration: span.duration,
        discontinuity: false,
        gap: false,
        range: None,
        map: map.cloned(),
        key: None,
        parts: Vec::new(),
        made: began.map(|began| began.saturating_add(span.start.as_micros())),
    };
    let media = Media {
        target_duration: if ended { target } else { target.max(MIN_EVENT_TARGET) },
        ended,
        keeps_all: true,
        control: Control::default(),
        segments: content.index.segments.iter().enumerate().map(entry).collect(),
        ..Media::default()
    };
    write_media(&media, ListPosition::default())
}

/// Returns the multivariant playlist of a recording; `list` is the URL of its playlist.
pub(in crate::server) fn master(content: &RecordingContent, list: &str) -> String {
    let index = &content.index;
    let begins = |it: &SegmentSpan| match index.video.samples.get(it.video.start) {
        Some(sample) if !it.video.is_empty() => sample.keyframe,
        _ => index.video_config.is_none(),
    };
    let form = MasterForm::low_latency(index.segments.iter().all(begins));
    write_master(&[variant(content, list)], form)
}

/// Returns the multivariant playlist for [`ts_media`], or `None` in the same cases.
pub(in crate::server) fn ts_master(content: &RecordingContent) -> Option<String> {
    content.initialization.as_ref()?.ts.as_ref()?;
    Some(write_ts_master(vec![variant(content, TS_LIST)]))
}

fn variant(content: &RecordingContent, list: &str) -> OfferedVariant {
    let index = &content.index;
    let rate =
        |bytes: u64, lasted: Duration| (bytes as f64 * 8.0 / lasted.as_secs_f64().max(0.1)) as u64;
    let peak = index.segments.iter().map(|it| rate(it.bytes, it.duration)).max();
    let bytes = index.segments.iter().map(|it| it.bytes).sum();
    let what = content.initialization.as_ref();
    OfferedVariant {
        uri: list.to_owned(),
        bandwidth: peak.unwrap_or_default().max(1),
        average_bandwidth: rate(bytes, index.duration()).max(1),
        codecs: what.map(|it| it.codecs.clone()).unwrap_or_default(),
        size: what.and_then(|it| it.size),
        frame_rate: what.and_then(|it| it.frame_rate),
    }
}

/// Returns the DASH manifest of a complete recording; `query` follows the names of its files.
pub(in crate::server) fn manifest(recording: ListedRecording<'_>, query: &str) -> String {
    let ListedRecording { content, folder, .. } = recording;
    let index = &content.index;
    let end = index.segments.last().map_or(0, |it| (it.start + it.duration).as_micros());
    let start = index.segments.first().map_or(0, |it| it.start.as_micros());
    let tracks = content.initialization.as_ref().map(|it| tracks(content, it, folder, query));
    let period = Period {
        id: 0,
        start: 0,
        origin: start,
        segments: index.segments.iter().map(|it| it.start.as_micros()).collect(),
        end,
        first_number: 0,
        next: None,
        tracks: tracks.unwrap_or_default(),
    };
    let longest = index.longest();
    let manifest = Manifest {
        is_live: false,
        began: 0,
        published: 0,
        ended: true,
        update: longest,
        window: index.duration(),
        longest,
        latency: Duration::from_secs(2),
        delay: Duration::ZERO,
        clock: String::new(),
        periods: vec![period],
    };
    manifest.write()
}

fn tracks(
    content: &RecordingContent,
    of: &Initialization,
    folder: &str,
    query: &str,
) -> Vec<Track> {
    let index = &content.index;
    let mut codecs = of.codecs.iter();
    let video = of.video.as_ref().map(|_| {
        ('v', &index.video, TrackKind::Video { size: of.size, frame_rate: of.frame_rate })
    });
    let audio = of.audio.as_ref();
    let audio =
        audio.map(|_| ('a', &index.audio, TrackKind::Audio { sample_rate: of.sample_rate }));
    let track = |(letter, list, kind): (char, &SampleList, TrackKind)| Track {
        kind,
        codec: browser_codec(codecs.next().map_or("", String::as_str)),
        bandwidth: bandwidth(list, index.duration()),
        initialization: format!("{folder}{letter}init.mp4{query}"),
        media: format!("{folder}{letter}$Number$.m4s{query}"),
        renditions: Vec::new(),
    };
    video.into_iter().chain(audio).map(track).collect()
}

/// Returns the average bitrate of a track, in bits per second.
fn bandwidth(list: &SampleList, lasted: Duration) -> u64 {
    let bytes: u64 = list.samples.iter().map(|sample| u64::from(sample.size)).sum();
    (bytes as f64 * 8.0 / lasted.as_secs_f64().max(0.1)) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_its_files_are_read() {
        for (name, file) in [
            ("main.m3u8", Some(RecordedFile::List)),
            ("init.mp4", Some(RecordedFile::Initialization(Tracks::All))),
            ("vinit.mp4", Some(RecordedFile::Initialization(Tracks::Video))),
            ("0.m4s", Some(RecordedFile::Segment(Tracks::All, 0))),
            ("a17.m4s", Some(RecordedFile::Segment(Tracks::Audio, 17))),
            ("ts.m3u8", Some(RecordedFile::TsMaster)),
            ("ts-list.m3u8", Some(RecordedFile::TsList)),
            ("3.ts", Some(RecordedFile::Ts(3))),
            ("a3.ts", None),
            ("+3.ts", None),
            ("+1.m4s", None),
            (".m4s", None),
            ("99999999999999999999999.m4s", None),
            ("other.m3u8", None),
            ("x1.m4s", None),
        ] {
            assert_eq!(RecordedFile::parse(name), file, "{name}");
        }
    }
}
