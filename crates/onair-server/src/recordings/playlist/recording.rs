//! The playlists of one recording: HLS that ends (VOD) or still grows (EVENT), and DASH. This module is pure.

use std::sync::Arc;
use std::time::Duration;

use crate::server::hls::listing::TS_EXTENSION;
use crate::server::hls::manifest::browser_codec;
use crate::server::hls::mpeg_ts::{TS_LIST_NAME, TS_MASTER_NAME, write_ts_master};
use crate::server::hls::part::Initialization;
use crate::server::recordings::opened::RecordingContent;
use crate::server::recordings::samples::SampleList;
use crate::server::recordings::segments::{RecordedTracks, SegmentSpan};
use crate::wire::container::mp4::codec_names::audio_codec_name;
use crate::wire::dash::{Manifest, Period, Track, TrackKind};
use crate::wire::hls::{
    Control, ListPosition, Map, MasterForm, Media, OfferedAudio, OfferedVariant, Segment,
    write_master, write_master_with_audio, write_media,
};

/// Name of the media playlist below `/vod/{name}/hls/`.
pub(crate) const MEDIA_PLAYLIST_NAME: &str = "main.m3u8";
/// The name of the video alone, and the beginning of the name of an audio track, in file names.
const VIDEO_TRACK_NAME: &str = "video";
const AUDIO_TRACK_PREFIX: &str = "audio";
/// The name of audio tracks without a title, before their number.
const DEFAULT_TRACK_NAME: &str = "Track";
/// The shortest target duration of a list that grows: it must not change, and later segments may be longer.
pub(super) const MIN_EVENT_TARGET_DURATION: Duration = Duration::from_secs(6);

/// A file below `/vod/{name}/hls/`.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum RecordedFile {
    List(RecordedTracks),
    Initialization(RecordedTracks, Player),
    Segment(RecordedTracks, usize, Player),
    /// The playlists and segments as MPEG-TS.
    TsMaster,
    TsList,
    Ts(usize),
}

/// The players that request a file.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum Player {
    Hls,
    Dash,
}

/// Returns the name of single tracks in the file names of HLS, such as `video` and `audio2`.
fn track_name(tracks: RecordedTracks) -> Option<String> {
    match tracks {
        RecordedTracks::All => None,
        RecordedTracks::Video => Some(VIDEO_TRACK_NAME.to_owned()),
        RecordedTracks::Audio(index) => {
            Some(format!("{AUDIO_TRACK_PREFIX}{}", u16::from(index) + 1))
        }
    }
}

/// Reads a name as [`track_name`] writes it.
fn track_named(name: &str) -> Option<RecordedTracks> {
    if name == VIDEO_TRACK_NAME {
        return Some(RecordedTracks::Video);
    }
    let number = number(name.strip_prefix(AUDIO_TRACK_PREFIX)?)?.checked_sub(1)?;
    let tracks = RecordedTracks::Audio(u8::try_from(number).ok()?);
    (track_name(tracks).as_deref() == Some(name)).then_some(tracks)
}

impl RecordedFile {
    /// Returns the file with this name, or `None` if the name is invalid.
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            MEDIA_PLAYLIST_NAME => return Some(Self::List(RecordedTracks::All)),
            TS_MASTER_NAME => return Some(Self::TsMaster),
            TS_LIST_NAME => return Some(Self::TsList),
            _ => {}
        }
        if let Some(number) = name.strip_suffix(TS_EXTENSION) {
            return self::number(number).map(Self::Ts);
        }
        if let Some(tracks) = name.strip_suffix(".m3u8") {
            return track_named(tracks).map(Self::List);
        }
        let of =
            |letter, tracks| name.strip_prefix(letter).map(|rest| (tracks, rest, Player::Dash));
        let (tracks, rest, player) = match name.split_once('-') {
            Some((tracks, rest)) => (track_named(tracks)?, rest, Player::Hls),
            None => of('v', RecordedTracks::Video)
                .or_else(|| of('a', RecordedTracks::Audio(0)))
                .unwrap_or((RecordedTracks::All, name, Player::Hls)),
        };
        if rest == "init.mp4" {
            return Some(Self::Initialization(tracks, player));
        }
        Some(Self::Segment(tracks, number(rest.strip_suffix(".m4s")?)?, player))
    }

    /// Returns true if only DASH players request the file.
    pub fn is_dash(self) -> bool {
        matches!(self, Self::Initialization(_, player) | Self::Segment(_, _, player) if player == Player::Dash)
    }
}

/// Reads a number without a sign.
fn number(text: &str) -> Option<usize> {
    text.parse().ok().filter(|_| text.bytes().all(|it| it.is_ascii_digit()))
}

/// A recording in a playlist.
#[derive(Copy, Clone)]
pub(crate) struct ListedRecording<'a> {
    pub content: &'a RecordingContent,
    /// The URL of the recording's files, with a slash at the end.
    pub folder: &'a str,
    /// The start of the recording, in microseconds since 1970.
    pub began: Option<i64>,
}

/// Returns the media playlist of these tracks of a recording, or `None` if there are no such tracks. The playlist ends
/// if nothing will be added.
pub(crate) fn media(recording: ListedRecording<'_>, tracks: RecordedTracks) -> Option<String> {
    recording.content.initialization_of(tracks)?;
    let prefix = track_name(tracks).map(|name| format!("{name}-")).unwrap_or_default();
    let uri = format!("{}{prefix}init.mp4", recording.folder);
    let map = Map { uri, range: None, key: None };
    Some(media_of(recording, (&prefix, ".m4s"), tracks, Some(&Arc::new(map))))
}

/// Returns the media playlist of MPEG-TS segments, or `None` if MPEG-TS does not support the
/// codecs.
pub(crate) fn ts_media(recording: ListedRecording<'_>) -> Option<String> {
    recording.content.initialization.as_ref()?.ts.as_ref()?;
    Some(media_of(recording, ("", TS_EXTENSION), RecordedTracks::All, None))
}

fn media_of(
    recording: ListedRecording<'_>,
    (prefix, extension): (&str, &str),
    tracks: RecordedTracks,
    map: Option<&Arc<Map>>,
) -> String {
    let ListedRecording { content, folder, began } = recording;
    let (target, ended) = (content.index.longest(), content.ended);
    // In a file that grows, a track may appear after the first segments. The video may also end before the audio.
    let is_gap = |span: &SegmentSpan| match tracks {
        RecordedTracks::Audio(index) => {
            content.index.audio_range(index, span).is_none_or(|range| range.is_empty())
        }
        RecordedTracks::Video => span.video.is_empty(),
        RecordedTracks::All => false,
    };
    let entry = |(number, span): (usize, &SegmentSpan)| Segment {
        uri: format!("{folder}{prefix}{number}{extension}"),
        duration: span.duration,
        discontinuity: false,
        gap: is_gap(span),
        range: None,
        map: map.cloned(),
        key: None,
        parts: Vec::new(),
        made: began.map(|began| began.saturating_add(span.start.as_micros())),
    };
    let media = Media {
        target_duration: if ended { target } else { target.max(MIN_EVENT_TARGET_DURATION) },
        ended,
        keeps_all: true,
        control: Control::default(),
        segments: content.index.segments.iter().enumerate().map(entry).collect(),
        ..Media::default()
    };
    write_media(&media, ListPosition::default())
}

/// Returns the multivariant playlist of a recording; `folder` is the URL of its playlists, with a slash at the end. If
/// there are several audio tracks, each one is a rendition.
pub(crate) fn master(content: &RecordingContent, folder: &str) -> String {
    let index = &content.index;
    let begins = |it: &SegmentSpan| match index.video.samples.get(it.video.start) {
        Some(sample) if !it.video.is_empty() => sample.keyframe,
        _ => index.video_config.is_none(),
    };
    let form = MasterForm::low_latency(index.segments.iter().all(begins));
    if index.others.is_empty() {
        return write_master(&[variant(content, &format!("{folder}{MEDIA_PLAYLIST_NAME}"))], form);
    }
    let has_video = index.video_config.is_some();
    let list = |tracks| format!("{folder}{}.m3u8", track_name(tracks).unwrap_or_default());
    let mut variant = variant(content, &format!("{folder}{MEDIA_PLAYLIST_NAME}"));
    if has_video {
        variant.uri = list(RecordedTracks::Video);
    }
    for codec in index.others.iter().map(|it| audio_codec_name(&it.config)) {
        if !variant.codecs.contains(&codec) {
            variant.codecs.push(codec);
        }
    }
    let first = index.audio_config.as_ref().map(|config| (0, &index.audio_name, config));
    let others = index.others.iter().map(|it| (it.index, &it.name, &it.config));
    let mut audio: Vec<OfferedAudio> = Vec::new();
    for (number, name, config) in first.into_iter().chain(others) {
        let name = if name.trim().is_empty() { DEFAULT_TRACK_NAME } else { name.trim() };
        let is_free = name != DEFAULT_TRACK_NAME && audio.iter().all(|it| it.name != name);
        let numbered = format!("{name} {}", u16::from(number) + 1);
        let name = if is_free { name.to_owned() } else { numbered };
        // Without video, the first track is the variant itself.
        let uri = (has_video || number > 0).then(|| list(RecordedTracks::Audio(number)));
        audio.push(OfferedAudio { name, uri, channels: config.channels });
    }
    write_master_with_audio(&[variant], &audio, form)
}

/// Returns the multivariant playlist for [`ts_media`], or `None` in the same cases.
pub(crate) fn ts_master(content: &RecordingContent) -> Option<String> {
    content.initialization.as_ref()?.ts.as_ref()?;
    Some(write_ts_master(vec![variant(content, TS_LIST_NAME)]))
}

/// Returns a multivariant playlist whose only variant is `list`, which contains this recording.
pub(crate) fn master_of_list(content: &RecordingContent, list: &str) -> String {
    write_master(&[variant(content, list)], MasterForm::low_latency(false))
}

fn variant(content: &RecordingContent, list: &str) -> OfferedVariant {
    let index = &content.index;
    let rate =
        |bytes: u64, lasted: Duration| (bytes as f64 * 8.0 / lasted.as_secs_f64().max(0.1)) as u64;
    // Viewers choose one audio track.
    let largest = |it: &SegmentSpan| {
        it.bytes + index.largest_audio(it).saturating_sub(index.audio.bytes(&it.audio))
    };
    let peak = index.segments.iter().map(|it| rate(largest(it), it.duration)).max();
    let bytes = index.segments.iter().map(largest).sum();
    let what = content.initialization.as_ref();
    OfferedVariant {
        uri: list.to_owned(),
        bandwidth: peak.unwrap_or_default().max(1),
        average_bandwidth: rate(bytes, index.duration()).max(1),
        codecs: what.map(|it| it.codecs.clone()).unwrap_or_default(),
        size: what.and_then(|it| it.size),
        frame_rate: what.and_then(|it| it.frame_rate),
        hdr: what.and_then(|it| it.hdr),
    }
}

/// Returns the DASH manifest of a complete recording; `query` follows the names of its files.
pub(crate) fn manifest(recording: ListedRecording<'_>, query: &str) -> String {
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
        location: None,
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

    const SECOND_AUDIO_TRACK: RecordedTracks = RecordedTracks::Audio(1);

    #[test]
    fn only_names_of_its_files_are_read() {
        for (name, file) in [
            ("main.m3u8", Some(RecordedFile::List(RecordedTracks::All))),
            ("video.m3u8", Some(RecordedFile::List(RecordedTracks::Video))),
            ("audio2.m3u8", Some(RecordedFile::List(SECOND_AUDIO_TRACK))),
            ("init.mp4", Some(RecordedFile::Initialization(RecordedTracks::All, Player::Hls))),
            ("vinit.mp4", Some(RecordedFile::Initialization(RecordedTracks::Video, Player::Dash))),
            (
                "audio2-init.mp4",
                Some(RecordedFile::Initialization(SECOND_AUDIO_TRACK, Player::Hls)),
            ),
            ("0.m4s", Some(RecordedFile::Segment(RecordedTracks::All, 0, Player::Hls))),
            ("a17.m4s", Some(RecordedFile::Segment(RecordedTracks::Audio(0), 17, Player::Dash))),
            ("video-3.m4s", Some(RecordedFile::Segment(RecordedTracks::Video, 3, Player::Hls))),
            ("audio2-0.m4s", Some(RecordedFile::Segment(SECOND_AUDIO_TRACK, 0, Player::Hls))),
            ("audio0.m3u8", None),
            ("audio02.m3u8", None),
            ("audio999.m3u8", None),
            ("audio.m3u8", None),
            ("audio2-.m4s", None),
            ("audio2-0-1.m4s", None),
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
