//! Saves the received stream to an FLV file: unchanged bodies, continuous times from zero, and tags
//! in DTS order. Only the metadata changes, because the file has its own duration. This module
//! writes tags itself instead of using the FLV `Muxer`, because additional tracks, unknown codecs
//! and script data have no packets and would be lost. The module runs on the feed thread.

#[cfg(test)]
mod full_disk_tests;
mod reorder;
mod repeat_filter;

use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::{Bytes, BytesMut};

use crate::base::{Timestamp, partial_debug};
use crate::files;
use crate::files::disk_space::with_recording_reserve;
use crate::media::{EncodedPacket, Rotation, StreamEvent, Track, TrackConfig};
use crate::player::clock::timeline::Timeline;
use crate::player::demux::sequence_headers::SequenceHeaders;
use crate::player::input::save::reorder::{PendingTag, ReorderBuffer};
use crate::player::input::save::repeat_filter::RepeatFilter;
use crate::player::present::audio_dump::cannot_write;
use crate::player::session::requests::NewFile;
use crate::player::session::shared::Shared;
use crate::player::state::{Failure, Saving, Severity};
use crate::text::problem::{Problem, problem};
use crate::wire::container::flv::metadata::{DurationSlots, bare_metadata};
use crate::wire::container::flv::{
    self, ReadTag, TAG_HEADER_BYTES, TAG_TRAILER_BYTES, Tag, TagKind,
};
use crate::wire::container::track_config::has_own_pixel_aspect;

/// The position of the flags in the file header, which declare the tracks.
const FLAGS_POSITION: u64 = 4;
/// The media time, in ms, between two checks of the free space.
const SPACE_CHECK_INTERVAL_MS: i64 = 2_000;
/// A part that is missing between two segments of a live playlist is longer than this. Shorter
/// differences come from inaccurate durations in the playlist.
const MAX_POSITION_ERROR: Duration = Duration::from_secs(3);

/// An FLV file in progress.
pub(crate) struct Save {
    path: PathBuf,
    file: File,
    timeline: Timeline,
    /// True if the next packet does not continue the previous one.
    restarts: bool,
    repeats: RepeatFilter,
    /// The current segment of a playlist: its position, and the DTS of its first packet.
    segment: Option<(Duration, Option<i64>)>,
    /// The position of the newest saved packet in a playlist.
    saved_until: Option<Duration>,
    /// True if a missing part was reported.
    has_gap: bool,
    order: ReorderBuffer,
    /// Time of the newest tag in milliseconds.
    last_ms: i64,
    /// Time of the newest tag in the file, in milliseconds.
    written_ms: i64,
    /// Returns the free space on the disk of the file, if known.
    free_space: fn(&Path) -> Option<u64>,
    /// Time in milliseconds of the tag at which the free space was last checked.
    space_checked_ms: Option<i64>,
    video: bool,
    audio: bool,
    broken: bool,
    /// True while the file waits for a keyframe, because it begins in the middle of a stream.
    pub(in crate::input) waits: bool,
    bytes: u64,
    /// Position of the next tag in the file.
    end: u64,
    durations: DurationSlots,
    /// True if the file was requested during playback, so that its end is reported.
    reports_end: bool,
    buffer: BytesMut,
    /// The reported contents that the file does not support.
    missing: Vec<Problem>,
}

partial_debug!(Save { path });

/// Creates a file and writes its header. An existing file, such as an earlier recording, is never
/// overwritten: the new file gets another name.
pub(crate) fn make(path: &Path) -> Result<NewFile, Failure> {
    let fail = |error: std::io::Error| cannot_write(path, &error);
    let (mut file, path) = files::create(path).map_err(fail)?;
    file.write_all(&flv::file_header(true, true)).map_err(fail)?;
    Ok(NewFile { path, file })
}

/// Reports the name of the file if it differs from the requested one.
pub(crate) fn tell_name(shared: &Shared, wanted: &Path, path: &Path) {
    if path != wanted {
        let path = path.display().to_string();
        let problem = problem!("player-save-renamed", detail = path.as_str());
        shared.report.say(problem, Severity::Info, path);
    }
}

impl Save {
    /// Writes to a file from [`make`].
    pub(crate) fn into_file(made: NewFile, live: bool) -> Self {
        // A pipe or device uses no disk space.
        let is_file = made.file.metadata().is_ok_and(|it| it.is_file());
        let free_space: fn(&Path) -> Option<u64> =
            if is_file { files::free_space } else { |_| None };
        Self {
            path: made.path,
            file: made.file,
            timeline: Timeline::new(live),
            restarts: false,
            repeats: RepeatFilter::default(),
            segment: None,
            saved_until: None,
            has_gap: false,
            order: ReorderBuffer::default(),
            last_ms: 0,
            written_ms: 0,
            free_space,
            space_checked_ms: None,
            video: false,
            audio: false,
            broken: false,
            waits: false,
            bytes: 0,
            end: flv::file_header(true, true).len() as u64,
            durations: DurationSlots::default(),
            reports_end: false,
            buffer: BytesMut::new(),
            missing: Vec::new(),
        }
    }

    /// Enables the report of the file's end, because the file was requested during playback.
    pub(crate) fn telling(mut self) -> Self {
        self.reports_end = true;
        self
    }

    /// Sets whether arrival times are meaningful from here on.
    pub(crate) fn set_live(&mut self, live: bool) {
        self.timeline.set_live(live);
    }

    /// Restarts after a reconnect.
    pub(crate) fn restart(&mut self) {
        self.restarts = true;
    }

    /// Handles a playlist that was opened again after a loss. Its first packets can be in the file.
    pub(crate) fn reopen(&mut self) {
        self.repeats.reopen();
        // A live playlist has other positions.
        (self.segment, self.saved_until) = (None, None);
    }

    /// Handles the playlist of a new broadcast. None of its packets is in the file.
    pub(crate) fn begin_broadcast(&mut self) {
        self.repeats = RepeatFilter::default();
        (self.segment, self.saved_until) = (None, None);
    }

    /// Handles a seek in a live playlist. The next packets can be in the file.
    pub(crate) fn seek(&mut self) {
        self.repeats.seek();
    }

    /// Begins a segment of a playlist. Reports once that the part before it is missing in a live
    /// playlist.
    pub(crate) fn begin_segment(&mut self, shared: &Shared, place: Duration, is_live: bool) {
        self.repeats.begin_part();
        let is_late = self.saved_until.is_some_and(|until| place > until + MAX_POSITION_ERROR);
        if is_live && is_late && !std::mem::replace(&mut self.has_gap, true) {
            shared.report.say(problem!("player-save-gap"), Severity::Warning, "");
        }
        self.segment = Some((place, None));
    }

    /// Places a packet of the source on the file's timeline.
    fn place(&mut self, track: Track, raw: i64, now: Timestamp) -> Timestamp {
        if std::mem::take(&mut self.restarts) {
            self.timeline.restart();
        }
        self.timeline.place(track, raw, now).dts
    }

    /// Adds a header for the following tags. A header has no reliable time.
    pub(crate) fn add_header(&mut self, shared: &Shared, kind: TagKind, body: &Bytes) {
        if !self.broken && !body.is_empty() {
            self.put(shared, kind, None, body.clone());
        }
    }

    /// Adds a tag of video or audio with an unchanged body.
    pub(crate) fn add_tag(&mut self, shared: &Shared, read: &ReadTag, now: Timestamp) {
        let Tag { kind, body, .. } = &read.tag;
        if read.content.is_header() {
            return self.add_header(shared, *kind, body);
        }
        if self.broken || body.is_empty() {
            return;
        }
        self.waits &= !read.is_keyframe();
        if self.waits {
            return;
        }
        let track = if *kind == TagKind::Video { Track::Video } else { Track::Audio };
        let at = self.place(track, read.dts.as_micros(), now);
        self.put(shared, *kind, Some((track, at.as_millis().max(0))), body.clone());
    }

    /// Adds a config or a packet; `sequence_headers` contains its codec.
    pub(crate) fn add_event(
        &mut self,
        shared: &Shared,
        event: &StreamEvent,
        sequence_headers: &SequenceHeaders,
        now: Timestamp,
    ) {
        let StreamEvent::Packet(packet) = event else {
            if let StreamEvent::Config(config) = event {
                if !flv::carries(config.codec()) {
                    self.tell_missing(shared, Problem::words(config.codec().name()));
                }
                if matches!(config, TrackConfig::Video(it) if it.rotation != Rotation::None) {
                    self.tell_missing(shared, problem!("content-rotation"));
                }
                if matches!(config, TrackConfig::Video(it) if has_own_pixel_aspect(it)) {
                    self.tell_missing(shared, problem!("content-pixel-aspect"));
                }
            }
            if let Some((kind, body)) = sequence_headers.body(event).filter(|_| !self.broken) {
                self.put(shared, kind, None, body);
            }
            return;
        };
        if self.broken || packet.data.is_empty() {
            return;
        }
        self.waits &= !(packet.track == Track::Video && packet.keyframe);
        if self.waits {
            return;
        }
        let raw = packet.dts.as_micros();
        // The position in the playlist minus the DTS.
        let offset = self.segment.as_mut().map(|(place, first)| {
            let place = i64::try_from(place.as_micros()).unwrap_or(i64::MAX);
            place.saturating_sub(*first.get_or_insert(raw))
        });
        if self.repeats.is_repeated(packet, offset, sequence_headers.video.as_ref()) {
            // The packets after the repeated ones continue the file.
            self.restarts = false;
            return;
        }
        let position = offset.and_then(|offset| u64::try_from(offset.saturating_add(raw)).ok());
        self.saved_until = self.saved_until.max(position.map(Duration::from_micros));
        // The time offset in a body is relative to the tag time.
        let dts = self.place(packet.track, raw, now).max(Timestamp::ZERO);
        let pts = dts.offset(packet.pts.micros_since(packet.dts));
        let track = packet.track;
        let packet = StreamEvent::Packet(EncodedPacket { dts, pts, ..packet.clone() });
        if let Some((kind, body)) = sequence_headers.body(&packet) {
            self.put(shared, kind, Some((track, dts.as_millis())), body);
        }
    }

    /// Reports once that the file does not support a codec or another property.
    fn tell_missing(&mut self, shared: &Shared, what: Problem) {
        if !self.missing.contains(&what) {
            let problem = problem!("player-save-incomplete", detail = &what);
            shared.report.say(problem, Severity::Warning, what.to_string());
            self.missing.push(what);
        }
    }

    fn put(&mut self, shared: &Shared, kind: TagKind, placed: Option<(Track, i64)>, body: Bytes) {
        match kind {
            TagKind::Video => self.video = true,
            TagKind::Audio => self.audio = true,
            TagKind::Script => {}
        }
        self.last_ms = placed.map_or(self.last_ms, |(_, at)| self.last_ms.max(at));
        self.bytes += (TAG_HEADER_BYTES + body.len() + TAG_TRAILER_BYTES) as u64;
        self.order.push(kind, placed, body);
        {
            let mut figures = shared.report.figures.lock();
            let fresh = || Saving { path: self.path.clone(), ..Saving::default() };
            let saving = figures.saving.get_or_insert_with(fresh);
            saving.bytes = self.bytes;
            saving.time = Duration::from_millis(self.last_ms.unsigned_abs());
        }
        while let Some(tag) = self.order.next() {
            self.write(shared, &tag);
        }
    }

    fn write(&mut self, shared: &Shared, tag: &PendingTag) {
        if self.broken {
            return;
        }
        if let Err(error) = self.check_space(tag.at).and_then(|()| self.append(tag)) {
            self.give_up(shared, &error);
        }
    }

    /// Checks from time to time whether the disk has space for the next tags, for the end of this
    /// file and for a running recording.
    fn check_space(&mut self, at: i64) -> io::Result<()> {
        if self.space_checked_ms.is_some_and(|checked| at < checked + SPACE_CHECK_INTERVAL_MS) {
            return Ok(());
        }
        self.space_checked_ms = Some(at);
        match (self.free_space)(&self.path) {
            Some(free) if free < with_recording_reserve(0) => {
                Err(io::ErrorKind::StorageFull.into())
            }
            _ => Ok(()),
        }
    }

    /// Appends a tag to the file.
    fn append(&mut self, tag: &PendingTag) -> io::Result<()> {
        self.buffer.clear();
        // Modulo 2³², the range of the format.
        let at = tag.at as u32;
        if tag.kind == TagKind::Script {
            self.put_script(at, &tag.body);
        } else {
            // Without a duration, the complete file would seem to be cut off.
            if self.durations.is_empty() {
                self.put_script(at, &bare_metadata());
            }
            flv::write_tag(tag.kind, at, &tag.body, &mut self.buffer);
        }
        self.file.write_all(&self.buffer)?;
        self.end += self.buffer.len() as u64;
        self.written_ms = self.written_ms.max(tag.at);
        Ok(())
    }

    /// Ends the file after its last complete tag.
    fn give_up(&mut self, shared: &Shared, error: &io::Error) {
        self.broken = true;
        self.tell_end(shared);
        // A part of the next tag may have been written. These steps need no space.
        let _ = self.file.set_len(self.end).and_then(|()| self.patch());
        shared.report.output_failed(&cannot_write(&self.path, error));
    }

    /// Adds a script tag to the empty buffer.
    fn put_script(&mut self, at: u32, body: &[u8]) {
        let body = self.durations.reserve(body, self.end + TAG_HEADER_BYTES as u64);
        flv::write_tag(TagKind::Script, at, &body, &mut self.buffer);
    }

    /// Reports the end of the file.
    fn tell_end(&self, shared: &Shared) {
        shared.requests.filing.lock().end(&self.path);
        shared.report.figures.lock().saving = None;
    }

    /// Completes the file.
    pub(crate) fn finish(mut self, shared: &Shared) {
        self.tell_end(shared);
        while let Some(tag) = self.order.take() {
            self.write(shared, &tag);
        }
        if self.broken {
            return;
        }
        let whole = match self.patch() {
            // In a pipe, the flags stay those of both tracks.
            Err(error) if error.kind() == io::ErrorKind::NotSeekable => Ok(()),
            patched => patched,
        };
        if let Err(error) = whole {
            shared.report.output_failed(&cannot_write(&self.path, &error));
        } else if self.reports_end {
            let path = self.path.display().to_string();
            let problem = problem!("player-saved", detail = path.as_str());
            shared.report.say(problem, Severity::Info, path);
        }
    }

    /// Fills in the tracks and the duration.
    fn patch(&mut self) -> io::Result<()> {
        let flags = if self.audio { 4 } else { 0 } | u8::from(self.video);
        self.file.seek(SeekFrom::Start(FLAGS_POSITION))?;
        self.file.write_all(&[flags])?;
        let duration = Duration::from_millis(self.written_ms.unsigned_abs());
        for (at, bytes) in self.durations.patches(duration) {
            // Metadata that could not be written is not in the file.
            if at < self.end {
                self.file.seek(SeekFrom::Start(at))?;
                self.file.write_all(&bytes)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Clock;
    use crate::media::{AudioCodec, VideoCodec, VideoConfig};
    use crate::player::session::config::{Config, Source};
    use crate::player::state::Event;
    use crate::wire::amf0::Value;
    use crate::wire::codec::AudioInfo;
    use crate::wire::container::flv::metadata::parse_script;
    use crate::wire::container::flv::{Demuxer, Reader};
    use crate::wire::container::track_config::bare_video_config;

    #[test]
    fn tags_leave_in_the_order_of_their_times() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("saved.flv");
        let config = Config::new(Source::Url("http://host/list.m3u8".into()));
        let (shared, _events) = Shared::new(&config, Clock::start());
        let mut save = Save::into_file(make(&path).unwrap(), false);
        let now = Timestamp::ZERO;
        let frame = Bytes::from_static(&[0x17, 1, 0, 0, 0, 1]);
        let aac = Bytes::from_static(&[0xAF, 1, 2]);
        let mut reader = Reader::new(|_| true);
        let mut add = |kind, time_ms, body: &Bytes| {
            let read = reader.read(Tag { kind, time_ms, body: body.clone() });
            save.add_tag(&shared, &read, now);
        };
        // As in HLS segments: two seconds of video, then their audio.
        for segment in 0..3 {
            for n in 0..50 {
                add(TagKind::Video, 9_000 + segment * 2_000 + n * 40, &frame);
            }
            for n in 0..100 {
                add(TagKind::Audio, 9_005 + segment * 2_000 + n * 20, &aac);
            }
        }
        save.finish(&shared);
        let mut demuxer = Demuxer::new();
        demuxer.push(&std::fs::read(&path).unwrap());
        let times: Vec<u32> =
            std::iter::from_fn(|| demuxer.next_tag().unwrap()).map(|tag| tag.time_ms).collect();
        assert_eq!((times.len(), times.last()), (451, Some(&5_985)), "with the metadata");
        assert!(times.is_sorted(), "{times:?}");
    }

    #[test]
    fn a_live_playlist_is_saved_once_and_a_skipped_part_is_reported() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("saved.flv");
        let config = Config::new(Source::Url("http://host/list.m3u8".into()));
        let (shared, events) = Shared::new(&config, Clock::start());
        let mut save = Save::into_file(make(&path).unwrap(), false);
        let codec_config = Bytes::from_static(&[0x11, 0x90]);
        let config =
            AudioInfo { sample_rate: 48_000, channels: 2 }.config(AudioCodec::Aac, codec_config);
        let config = StreamEvent::Config(TrackConfig::Audio(config));
        let mut sequence_headers = SequenceHeaders::default();
        sequence_headers.note_event(&config);
        save.add_event(&shared, &config, &sequence_headers, Timestamp::ZERO);
        // Adds segments of one second each.
        let add = |save: &mut Save, seconds: std::ops::Range<u32>| {
            for second in seconds {
                save.begin_segment(&shared, Duration::from_secs(second.into()), true);
                for n in 0..50 {
                    let at = Timestamp::from_millis(i64::from(second) * 1_000 + n * 20);
                    let data = Bytes::from_static(&[1, 2]);
                    let packet = EncodedPacket::received(Track::Audio, (at, at), true, data);
                    let packet = StreamEvent::Packet(packet);
                    save.add_event(&shared, &packet, &sequence_headers, Timestamp::ZERO);
                }
            }
        };
        add(&mut save, 0..10);
        save.seek();
        add(&mut save, 4..12);
        assert_eq!(events.waiting().count(), 0, "nothing is missing");
        // The player joins a new broadcast at a later position.
        save.begin_broadcast();
        add(&mut save, 17..18);
        assert_eq!(events.waiting().count(), 0, "another broadcast");
        for seconds in [22..23, 30..31] {
            save.seek();
            add(&mut save, seconds);
        }
        save.finish(&shared);
        let keys: Vec<_> = std::iter::from_fn(|| events.try_recv().ok())
            .filter_map(|event| match event {
                Event::Message(message) => Some(message.key()),
                Event::State(_) | Event::Over(_) | Event::Line(_) => None,
            })
            .collect();
        assert_eq!(keys, ["player-save-gap"]);
        let mut demuxer = Demuxer::new();
        demuxer.push(&std::fs::read(&path).unwrap());
        let tags = std::iter::from_fn(|| demuxer.next_tag().unwrap());
        let audio = tags.filter(|tag| tag.kind == TagKind::Audio).count();
        assert_eq!(audio, 15 * 50 + 1, "15 seconds and their config");
    }

    #[test]
    fn a_file_declares_its_own_duration_and_no_index_of_another_file() {
        let numbers = || Value::StrictArray(vec![Value::Number(7.0); 2]);
        let index = ["filepositions", "times"].map(|name| (name.to_owned(), numbers()));
        let index = Value::Object(index.into());
        let vod = Value::ecma_array([("duration", Value::Number(3_600.0)), ("keyframes", index)]);
        let live = Value::ecma_array([("width", Value::Number(640.0))]);
        for script in [None, Some(flv::metadata_body(&live)), Some(flv::metadata_body(&vod))] {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("saved.flv");
            let config = Config::new(Source::Url("http://host/live.flv".into()));
            let (shared, _events) = Shared::new(&config, Clock::start());
            let mut save = Save::into_file(make(&path).unwrap(), false);
            if let Some(script) = &script {
                save.add_header(&shared, TagKind::Script, script);
            }
            let config = Bytes::from_static(&[0xAF, 0, 0x11, 0x90]);
            save.add_header(&shared, TagKind::Audio, &config);
            let mut reader = Reader::new(|_| true);
            for time_ms in (0..=3_000).step_by(20) {
                let (kind, body) = (TagKind::Audio, Bytes::from_static(&[0xAF, 1, 2]));
                let read = reader.read(Tag { kind, time_ms, body });
                save.add_tag(&shared, &read, Timestamp::ZERO);
            }
            save.finish(&shared);
            let file = std::fs::read(&path).unwrap();
            assert!(flv::index(&mut &file[..]).unwrap().finished, "{script:?}");
            let mut demuxer = Demuxer::new();
            demuxer.push(&file);
            let first = demuxer.next_tag().unwrap().unwrap();
            let metadata = parse_script(&first.body).unwrap().unwrap();
            assert_eq!(metadata.get("duration"), Some(&Value::Number(3.0)));
            assert_eq!(metadata.get("keyframes"), None);
        }
    }

    #[test]
    fn a_pipe_gets_all_data_and_is_no_failure() {
        use std::io::Read;

        let config = Config::new(Source::Url("http://host/live.flv".into()));
        let (shared, events) = Shared::new(&config, Clock::start());
        let (mut end, begin) = io::pipe().unwrap();
        let file = File::from(std::os::fd::OwnedFd::from(begin));
        let mut save = Save::into_file(NewFile { path: "pipe".into(), file }, true);
        let aac = Bytes::from_static(&[0xAF, 1, 2]);
        let read = Reader::new(|_| true).read(Tag { kind: TagKind::Audio, time_ms: 0, body: aac });
        save.add_tag(&shared, &read, Timestamp::ZERO);
        save.finish(&shared);
        let mut written = Vec::new();
        end.read_to_end(&mut written).unwrap();
        let metadata = TAG_HEADER_BYTES + bare_metadata().len() + TAG_TRAILER_BYTES;
        assert_eq!(written.len(), metadata + TAG_HEADER_BYTES + 3 + TAG_TRAILER_BYTES);
        assert!(shared.report.output_failure.lock().is_none() && events.waiting().count() == 0);
    }

    #[test]
    fn parts_that_flv_does_not_support_are_reported_once() {
        let folder = tempfile::tempdir().unwrap();
        let config = Config::new(Source::Url("http://host/film.ogg".into()));
        let (shared, events) = Shared::new(&config, Clock::start());
        let mut save = Save::into_file(make(&folder.path().join("saved.flv")).unwrap(), false);
        let audio = |codec| {
            let config = AudioInfo { sample_rate: 48_000, channels: 2 }.config(codec, Bytes::new());
            StreamEvent::Config(TrackConfig::Audio(config))
        };
        let sequence_headers = SequenceHeaders::default();
        let video = VideoConfig {
            rotation: Rotation::Right,
            ..bare_video_config(VideoCodec::H264, Bytes::new(), &[])
        };
        let video = StreamEvent::Config(TrackConfig::Video(video));
        for codec in [AudioCodec::Aac, AudioCodec::Vorbis, AudioCodec::Vorbis] {
            save.add_event(&shared, &audio(codec), &sequence_headers, Timestamp::ZERO);
            save.add_event(&shared, &video, &sequence_headers, Timestamp::ZERO);
        }
        let messages: Vec<_> = std::iter::from_fn(|| events.try_recv().ok())
            .filter_map(|event| match event {
                Event::Message(message) => Some((message.key(), message.detail)),
                Event::State(_) | Event::Over(_) | Event::Line(_) => None,
            })
            .collect();
        let incomplete = |what: &str| ("player-save-incomplete", what.to_owned());
        assert_eq!(messages, [incomplete("video rotation"), incomplete("Vorbis")]);
    }
}
