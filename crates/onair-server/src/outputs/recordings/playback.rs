//! Plays a recording to one RTMP client: a little ahead of time, with pauses and seeking. Samples are read from the
//! file in short batches, when they are due.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::task::JoinHandle;

use crate::base::Timestamp;
use crate::media::{Codec, EncodedPacket, StreamConfig, Track, TrackConfig};
use crate::server::outputs::recordings::viewers::open;
use crate::server::recordings::boundaries::VIDEO_END_TIMEOUT;
use crate::server::recordings::folder::{self, FileVersion};
use crate::server::recordings::name::{format_of, stem, stream_of};
use crate::server::recordings::opened::{OpenError, OpenRecording, VOD_APP};
use crate::server::recordings::samples::{Sample, SampleList};
use crate::server::recordings::viewers::keeper::KeptFile;
use crate::server::registry::Registry;
use crate::server::stream::message::{Class, Message};
use crate::wire::amf0::Value;
use crate::wire::container::flv::{TagKind, config_body, metadata, metadata_body, packet_body};
use crate::wire::container::mp4::sample_table::micros;
use crate::wire::container::{Format, ReadAt};
use crate::wire::rtmp::stream_name::StreamName;

/// The client gets data this far ahead of playback, so that its buffer is full.
const LEAD_DURATION: Duration = Duration::from_secs(3);
/// The duration of a batch.
const BATCH_DURATION: Duration = Duration::from_millis(500);
/// The maximum number of samples in a batch.
const MAX_BATCH_SAMPLES: usize = 512;
/// The maximum number of bytes in a batch.
const MAX_BATCH_BYTES: u64 = 4 << 20;
/// While more bytes than this are waiting, the client gets no new data.
const MAX_BACKLOG_BYTES: usize = 1 << 20;
/// Interval between checks of a client that is behind, and of a file that grows.
const POLL_INTERVAL: Duration = Duration::from_millis(100);

/// Returns the name of a recording in a request to play, or `None` if the request means a live
/// stream.
pub(crate) fn recording_name(registry: &Registry, name: &StreamName) -> Option<String> {
    let is_on = registry.config.record.is_some() && registry.rules().recording.playback;
    if !is_on || name.app != VOD_APP {
        return None;
    }
    // Flash players name the format before the file, and others encode the spaces.
    let plain = |prefix| name.stream.strip_prefix(prefix);
    let file = plain("mp4:").or_else(|| plain("flv:")).unwrap_or(&name.stream);
    let decoded = percent_encoding::percent_decode_str(file).decode_utf8().ok();
    let names = [Some(file.to_owned()), decoded.map(Into::into)];
    names
        .into_iter()
        .flatten()
        .map(|it| stem(&it).to_owned())
        .find(|it| stream_of(it).is_some() && format_of(&format!("{it}.{}", Format::Flv)).is_some())
}

/// The next step of a playback.
#[derive(Debug)]
pub(crate) enum PlaybackStep {
    /// The recording is open: the client can be accepted.
    Opened,
    Media(Vec<Arc<Message>>),
    /// The recording, of this duration, has ended.
    Ended(Duration),
    Failed(OpenError),
}

/// A recording, and the guard that keeps its file while it is played.
type Opened = (Arc<OpenRecording>, KeptFile);

/// Samples and their bytes.
type ReadSamples = Vec<(Planned, Bytes)>;

/// The playback of one client.
pub(crate) struct Playback {
    registry: Arc<Registry>,
    name: String,
    /// The requested start in seconds; some clients send milliseconds.
    start: f64,
    opening: Option<JoinHandle<Result<Opened, OpenError>>>,
    opened: Option<Opened>,
    /// The version of the file to which the position belongs.
    version: FileVersion,
    accepted: bool,
    /// True if the client must get the configs.
    begins: bool,
    /// The next samples.
    video: usize,
    audio: usize,
    reading: Option<JoinHandle<Result<ReadSamples, OpenError>>>,
    /// The start of the pause, in a pause.
    paused: Option<Timestamp>,
    ended: bool,
    /// The reference for pacing: a media time, and the clock time to which it corresponds.
    pace: Option<(Timestamp, Timestamp)>,
    /// Whether the client wants audio, and whether it wants video.
    wanted: (bool, bool),
    /// True if the client did not get the last frames, so that it can only decode the next keyframe.
    needs_keyframe: bool,
}

/// A sample that is due.
#[derive(Copy, Clone, Debug)]
struct Planned {
    sample: Sample,
    is_video: bool,
    dts: Timestamp,
    pts: Timestamp,
}

impl Playback {
    /// Begins to play; `start` is the value in the request.
    pub fn new(registry: &Arc<Registry>, name: String, start: f64) -> Self {
        Self {
            registry: Arc::clone(registry),
            name,
            start,
            opening: None,
            opened: None,
            version: FileVersion::default(),
            accepted: false,
            begins: true,
            video: 0,
            audio: 0,
            reading: None,
            paused: None,
            ended: false,
            pace: None,
            wanted: (true, true),
            needs_keyframe: false,
        }
    }

    /// Returns the recording, once it is open.
    pub fn recording(&self) -> Option<&Arc<OpenRecording>> {
        self.opened.as_ref().map(|(recording, _)| recording)
    }

    /// Pauses or continues.
    pub fn set_paused(&mut self, paused: bool) {
        let now = self.registry.clock.now();
        if paused {
            self.paused.get_or_insert(now);
        } else if let (Some(since), Some((_, wall))) = (self.paused.take(), &mut self.pace) {
            // The client still has the data ahead of playback.
            *wall += now.since(since);
        }
    }

    /// Sets whether the client wants audio, and whether it wants video.
    pub fn set_wanted(&mut self, wanted: (bool, bool)) {
        self.wanted = wanted;
        self.needs_keyframe |= !wanted.1;
    }

    /// Continues at this time, from the keyframe before it.
    pub fn seek(&mut self, to: Duration) {
        let Some((recording, _)) = &self.opened else { return };
        let content = recording.content();
        let (frame, from) = seek_point(&content.index.video, Timestamp::ZERO + to);
        let audio = &content.index.audio;
        let audio_start =
            audio.samples.partition_point(|it| micros(it.dts, audio.timescale.max(1)) < from);
        self.version = content.version;
        drop(content);
        (self.video, self.audio) = (frame, audio_start);
        (self.reading, self.pace, self.ended, self.begins) = (None, None, false, true);
    }

    /// Waits for the next step; `backlog` returns how many bytes wait for the client. This function is
    /// cancel-safe.
    pub async fn next(&mut self, backlog: impl Fn() -> usize) -> PlaybackStep {
        if self.opened.is_none() {
            match self.open().await {
                Ok(opened) => {
                    self.version = opened.0.content().version;
                    self.opened = Some(opened);
                }
                Err(error) => return PlaybackStep::Failed(error),
            }
        }
        if !self.accepted {
            self.accepted = true;
            self.begin();
            return PlaybackStep::Opened;
        }
        loop {
            if self.paused.is_some() || self.ended {
                std::future::pending::<()>().await;
            }
            if std::mem::take(&mut self.begins) {
                return PlaybackStep::Media(self.sequence_headers());
            }
            if self.reading.is_none() {
                while backlog() > MAX_BACKLOG_BYTES {
                    tokio::time::sleep(POLL_INTERVAL).await;
                }
                let (planned, version, complete) = self.plan();
                let Some(recording) = self.recording().cloned() else {
                    return PlaybackStep::Failed(OpenError::Missing);
                };
                if !self.version.continues_in(version) {
                    // Another client has already read the file that has replaced this one.
                    return PlaybackStep::Failed(OpenError::Busy);
                }
                self.version = version;
                if planned.is_empty() {
                    if complete {
                        self.ended = true;
                        return PlaybackStep::Ended(self.duration());
                    }
                    tokio::time::sleep(POLL_INTERVAL).await;
                    match open(&self.registry, &recording.path).await {
                        // The server may have forgotten the recording, and then reads it again from its start.
                        Ok(newest) => {
                            if let Some((known, _)) = &mut self.opened {
                                *known = newest;
                            }
                        }
                        Err(error) => return PlaybackStep::Failed(error),
                    }
                    continue;
                }
                self.wait_for(&planned).await;
                let read = move || read(&recording, version, &planned);
                self.reading = Some(tokio::task::spawn_blocking(read));
            }
            if let Some(reading) = &mut self.reading {
                let read = reading.await.unwrap_or(Err(OpenError::Busy));
                self.reading = None;
                return match read {
                    Ok(read) => {
                        self.advance(&read);
                        PlaybackStep::Media(self.messages(read))
                    }
                    Err(error) => PlaybackStep::Failed(error),
                };
            }
        }
    }

    async fn open(&mut self) -> Result<Opened, OpenError> {
        let opening = self.opening.get_or_insert_with(|| {
            let (registry, name) = (Arc::clone(&self.registry), self.name.clone());
            tokio::spawn(async move {
                let folder = registry.config.record.clone().ok_or(OpenError::Missing)?;
                let path = folder::find(&folder, &name).await.ok_or(OpenError::Missing)?;
                let kept = KeptFile::new(&registry.retention, registry.clock, &path);
                Ok((open(&registry, &path).await?, kept))
            })
        });
        opening.await.unwrap_or(Err(OpenError::Busy))
    }

    /// Begins at the requested position.
    fn begin(&mut self) {
        if self.start > 0.0 {
            let all = self.duration().as_secs_f64();
            let seconds = if self.start > all { self.start / 1_000.0 } else { self.start };
            self.seek(Duration::try_from_secs_f64(seconds.min(all)).unwrap_or_default());
        }
    }

    /// Returns the known duration of the recording.
    fn duration(&self) -> Duration {
        let end = |list: &SampleList| {
            let last = list.samples.last()?;
            let end = last.dts + i64::from(list.last_duration);
            Some(micros(end, list.timescale.max(1)).since(Timestamp::ZERO))
        };
        let Some((recording, _)) = &self.opened else { return Duration::ZERO };
        let content = recording.content();
        let ends = [end(&content.index.video), end(&content.index.audio)];
        ends.into_iter().flatten().max().unwrap_or_default()
    }

    /// Returns the next samples, the version of their file, and whether the recording is complete.
    fn plan(&self) -> (Vec<Planned>, FileVersion, bool) {
        let Some((recording, _)) = &self.opened else { return Default::default() };
        let content = recording.content();
        let index = &content.index;
        let (mut video, mut audio, mut bytes) = (self.video, self.audio, 0);
        let mut planned: Vec<Planned> = Vec::new();
        let at = |list: &SampleList, index: usize, is_video| {
            let sample = *list.samples.get(index)?;
            let time = |ticks| micros(ticks, list.timescale.max(1));
            let pts = time(sample.dts + i64::from(sample.composition));
            Some(Planned { sample, is_video, dts: time(sample.dts), pts })
        };
        while planned.len() < MAX_BATCH_SAMPLES && bytes < MAX_BATCH_BYTES {
            let next = match (at(&index.video, video, true), at(&index.audio, audio, false)) {
                (Some(frame), Some(audio_sample)) if audio_sample.dts < frame.dts => audio_sample,
                (Some(frame), _) => frame,
                (None, Some(audio_sample)) => audio_sample,
                (None, None) => break,
            };
            if planned.first().is_some_and(|first| next.dts.since(first.dts) > BATCH_DURATION) {
                break;
            }
            if next.is_video {
                video += 1;
            } else {
                audio += 1;
            }
            bytes += u64::from(next.sample.size);
            planned.push(next);
        }
        (planned, content.version, content.ended)
    }

    /// Waits until the samples are due.
    async fn wait_for(&mut self, planned: &[Planned]) {
        let Some(first) = planned.first() else { return };
        let clock = self.registry.clock;
        let (media, wall) = *self.pace.get_or_insert_with(|| (first.dts, clock.now()));
        let due = wall + first.dts.since(media).saturating_sub(LEAD_DURATION);
        let instant = tokio::time::Instant::from_std(clock.instant(due));
        tokio::time::sleep_until(instant).await;
    }

    /// Records that these samples were read.
    fn advance(&mut self, read: &[(Planned, Bytes)]) {
        let frames = read.iter().filter(|(planned, _)| planned.is_video).count();
        self.video += frames;
        self.audio += read.len() - frames;
    }

    /// Returns the metadata and the configs.
    fn sequence_headers(&self) -> Vec<Arc<Message>> {
        let Some((recording, _)) = &self.opened else { return Vec::new() };
        // `duration` locks the content too, and the lock is not recursive.
        let lasted = self.duration();
        let content = recording.content();
        let (video, audio) = (&content.index.video_config, &content.index.audio_config);
        let stream = StreamConfig { video: video.clone(), audio: audio.clone() };
        let mut script_data = metadata(&stream);
        if let Value::EcmaArray(entries) | Value::Object(entries) = &mut script_data {
            entries.retain(|(name, _)| !name.eq_ignore_ascii_case("filesize"));
            for (name, value) in entries.iter_mut().filter(|(name, _)| name == "duration") {
                debug_assert_eq!(name, "duration");
                *value = Value::Number(lasted.as_secs_f64());
            }
        }
        let mut bodies = vec![(TagKind::Script, metadata_body(&script_data))];
        let video = video.clone().and_then(|it| config_body(&TrackConfig::Video(it)));
        let audio = audio.clone().and_then(|it| config_body(&TrackConfig::Audio(it)));
        bodies.extend(video.map(|body| (TagKind::Video, body)));
        bodies.extend(audio.map(|body| (TagKind::Audio, body)));
        let message =
            |(kind, body): (TagKind, Bytes)| Arc::new(Message::new(kind, Class::Vital, 0, &body));
        bodies.into_iter().map(message).collect()
    }

    /// Returns the messages with the samples that the client wants.
    fn messages(&mut self, read: ReadSamples) -> Vec<Arc<Message>> {
        let Some((recording, _)) = &self.opened else { return Vec::new() };
        let (wants_audio, wants_video) = self.wanted;
        let needs_keyframe = &mut self.needs_keyframe;
        let content = recording.content();
        let video = content.index.video_config.as_ref().map(|it| Codec::Video(it.codec));
        let audio = content.index.audio_config.as_ref().map(|it| Codec::Audio(it.codec));
        let message = |(planned, data): (Planned, Bytes)| {
            let Planned { sample, is_video, dts, pts } = planned;
            if is_video && wants_video && sample.keyframe {
                *needs_keyframe = false;
            }
            let is_wanted = if is_video { wants_video && !*needs_keyframe } else { wants_audio };
            if !is_wanted {
                return None;
            }
            let (codec, track, kind) = match is_video {
                true => (video?, Track::Video, TagKind::Video),
                false => (audio?, Track::Audio, TagKind::Audio),
            };
            let packet = EncodedPacket::received(track, (dts, pts), sample.keyframe, data);
            let body = packet_body(codec, &packet)?;
            // For a client that is behind, frames are not dropped: the client gets no new data.
            let time_ms = (dts.offset(500).as_millis().max(0) & i64::from(u32::MAX)) as u32;
            Some(Arc::new(Message::new(kind, Class::Vital, time_ms, &body)))
        };
        read.into_iter().filter_map(message).collect()
    }
}

/// Returns the first frame after a seek to this time, and the time at which playback continues. If the video begins
/// later or has ended before, playback continues at the requested time without video, until the next keyframe.
fn seek_point(video: &SampleList, to: Timestamp) -> (usize, Timestamp) {
    let time = |frame: &Sample| micros(frame.dts, video.timescale.max(1));
    let next = video.samples.partition_point(|frame| time(frame) <= to);
    let (before, after) = video.samples.split_at(next);
    let is_on = before.last().is_some_and(|last| to.since(time(last)) <= VIDEO_END_TIMEOUT);
    let key = before.iter().rposition(|frame| frame.keyframe).filter(|_| is_on);
    let without_video = || (next + after.iter().take_while(|frame| !frame.keyframe).count(), to);
    key.and_then(|key| Some((key, time(before.get(key)?)))).unwrap_or_else(without_video)
}

/// Reads samples from the file.
fn read(
    recording: &OpenRecording,
    version: FileVersion,
    planned: &[Planned],
) -> Result<ReadSamples, OpenError> {
    let mut media = recording.reopen(version)?;
    let mut read = Vec::with_capacity(planned.len());
    for planned in planned {
        let mut data = vec![0; planned.sample.size as usize];
        media.read_at(planned.sample.at, &mut data)?;
        read.push((*planned, data.into()));
    }
    Ok(read)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write as _;
    use std::path::Path;

    use bytes::BytesMut;

    use super::*;
    use crate::base::{Clock, queue};
    use crate::net::Runtime;
    use crate::server::access::limits::Limits;
    use crate::server::registry::config::Config;
    use crate::server::stream::Stream;
    use crate::server::stream::flv_sink::FlvSink;
    use crate::server::stream::sink::Sink as _;
    use crate::wire::container::flv::{file_header, write_tag};

    const NAME: &str = "live-show 2026-11-25 18-00-00";

    /// Returns the tags of AAC packets from this time on, one every 20 ms.
    fn audio(start_ms: u32, packets: u32) -> BytesMut {
        let mut out = BytesMut::new();
        for packet in 0..packets {
            write_tag(TagKind::Audio, start_ms + packet * 20, &[0xAF, 1, 0x21, 0x10], &mut out);
        }
        out
    }

    /// Returns a file with AAC packets.
    fn audio_file(packets: u32) -> BytesMut {
        let mut file = BytesMut::from(&file_header(true, true)[..]);
        write_tag(TagKind::Audio, 0, &[0xAF, 0, 0x11, 0x90], &mut file);
        file.extend_from_slice(&audio(0, packets));
        file
    }

    #[test]
    fn a_seek_goes_to_the_requested_time_if_there_is_no_video_near_it() {
        let at = Timestamp::from_millis;
        // The video lasts from 60 s to 70 s, with a keyframe every two seconds. It continues at 200 s, but its next
        // keyframe is a second later.
        let frame = |seconds: i64| {
            let keyframe = if seconds < 200 { seconds % 2 == 0 } else { seconds == 201 };
            Sample { at: 0, dts: seconds * 1_000, composition: 0, size: 1, keyframe }
        };
        let samples = (60..=70).chain(200..=202).map(frame).collect();
        let video = SampleList { samples, last_duration: 1_000, timescale: 1_000 };
        for (to, expected) in [
            (0, (0, 0)),
            (59_999, (0, 59_999)),
            (60_000, (0, 60_000)),
            (63_500, (2, 62_000)),
            (90_000, (10, 70_000)),
            (90_001, (12, 90_001)),
            (300_000, (14, 300_000)),
        ] {
            let (frame, from) = seek_point(&video, at(to));
            assert_eq!((frame, from.as_millis()), expected, "{to}");
        }
        assert_eq!(seek_point(&SampleList::default(), at(5_000)), (0, at(5_000)));
    }

    /// Returns the runtime, the registry and the events of a server that records to this folder.
    fn server(folder: &Path) -> (Runtime, Arc<Registry>, impl Sized) {
        let runtime = Runtime::start().unwrap();
        let (sender, events) = queue::bounded("test", 16, queue::Full::DropOldest);
        let config = Config { record: Some(folder.to_owned()), ..Config::default() };
        let registry = Registry::new(config, Clock::start(), sender, runtime.handle());
        (runtime, Arc::new(registry), events)
    }

    #[test]
    fn a_pause_sends_no_more_data_ahead_of_playback() {
        let folder = tempfile::tempdir().unwrap();
        let (_runtime, registry, _events) = server(folder.path());
        let mut playback = Playback::new(&registry, String::new(), 0.0);
        let began = registry.clock.now();
        let pace = (Timestamp::from_millis(5_000), began);
        playback.pace = Some(pace);
        playback.set_paused(false);
        assert_eq!(playback.pace, Some(pace), "it was not paused");
        for paused in [true, false].into_iter().cycle().take(20) {
            playback.set_paused(paused);
        }
        let (media, wall) = playback.pace.unwrap();
        assert_eq!(media, pace.0);
        assert!((began..=registry.clock.now()).contains(&wall), "{wall:?}");
        // A repeated pause does not begin again.
        let pause = Duration::from_mins(1);
        playback.paused = Some(began - pause);
        playback.set_paused(true);
        playback.set_paused(false);
        assert!(playback.pace.unwrap().1 >= began + pause);
    }

    #[test]
    fn a_client_gets_only_the_media_that_it_wants() {
        let folder = tempfile::tempdir().unwrap();
        let mut file = BytesMut::from(&file_header(true, true)[..]);
        let config = b"\x90vp09\x01\0\0\0\0\x0A\x82\x02\x02\x02\0\0";
        write_tag(TagKind::Video, 0, config, &mut file);
        write_tag(TagKind::Audio, 0, &[0xAF, 0, 0x11, 0x90], &mut file);
        let frames = [(0, b"\x91vp09a", 2), (40, b"\xA1vp09a", 1), (80, b"\x91vp09a", 0)];
        for (time_ms, frame, packets) in frames {
            write_tag(TagKind::Video, time_ms, frame, &mut file);
            file.extend_from_slice(&audio(time_ms, packets));
        }
        fs::write(folder.path().join(format!("{NAME}.flv")), &file).unwrap();
        let (runtime, registry, _events) = server(folder.path());
        let mut playback = Playback::new(&registry, NAME.to_owned(), 0.0);
        let opened = runtime.block_on(playback.next(|| 0));
        assert!(matches!(opened, PlaybackStep::Opened), "{opened:?}");
        let all = playback.plan().0;
        let is_first = |it: &&Planned| it.is_video && it.dts == Timestamp::ZERO;
        let later: Vec<_> = all.iter().filter(|it| !is_first(it)).copied().collect();
        // Returns the numbers of frames and of audio packets.
        let mut sent = |wanted, planned: &[Planned]| {
            playback.set_wanted(wanted);
            let read = planned.iter().map(|it| (*it, Bytes::from_static(b"a"))).collect();
            let messages = playback.messages(read);
            [TagKind::Video, TagKind::Audio]
                .map(|kind| messages.iter().filter(|it| it.kind == kind).count())
        };
        assert_eq!(sent((true, true), &all), [3, 3]);
        assert_eq!(sent((true, false), &all), [0, 3]);
        assert_eq!(sent((true, true), &later), [1, 3], "video returns with a keyframe");
        assert_eq!(sent((false, true), &later), [2, 0]);
    }

    #[test]
    fn a_replaced_file_plays_only_after_a_seek() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(format!("{NAME}.flv"));
        fs::write(&path, audio_file(120)).unwrap();
        let (runtime, registry, _events) = server(folder.path());
        runtime.block_on(async {
            let mut playback = Playback::new(&registry, NAME.to_owned(), 0.0);
            for _ in 0..3 {
                let step = playback.next(|| 0).await;
                assert!(!matches!(step, PlaybackStep::Failed(_)), "{step:?}");
            }
            assert!(playback.audio > 0);
            // Another client reads the new file first.
            let other = folder.path().join("other.flv");
            fs::write(&other, audio_file(60)).unwrap();
            fs::rename(&other, &path).unwrap();
            open(&registry, &path).await.unwrap();
            let step = playback.next(|| 0).await;
            assert!(matches!(step, PlaybackStep::Failed(OpenError::Busy)), "{step:?}");
            playback.seek(Duration::ZERO);
            for _ in 0..2 {
                let step = playback.next(|| 0).await;
                assert!(matches!(step, PlaybackStep::Media(_)), "{step:?}");
            }
        });
    }

    #[test]
    fn a_recording_that_grows_plays_on_after_the_server_has_forgotten_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(format!("{NAME}.flv"));
        fs::write(&path, audio_file(120)).unwrap();
        let (runtime, registry, _events) = server(folder.path());
        let here = [127, 0, 0, 1].into();
        let stream = Stream::new("live".into(), "show".into(), here, Limits::default());
        let sink = FlvSink::for_file(registry.next_id(), 1 << 20);
        registry.files.begin(&Arc::new(stream), &sink, 1);
        registry.files.note_part(sink.id(), &path);
        runtime.block_on(async {
            let mut playback = Playback::new(&registry, NAME.to_owned(), 0.0);
            let opened = playback.next(|| 0).await;
            assert!(matches!(opened, PlaybackStep::Opened), "{opened:?}");
            while !playback.plan().0.is_empty() {
                let step = playback.next(|| 0).await;
                assert!(matches!(step, PlaybackStep::Media(_)), "{step:?}");
            }
            assert_eq!(playback.audio, 120);
            registry.opened.forget(&path);
            let mut file = fs::OpenOptions::new().append(true).open(&path).unwrap();
            file.write_all(&audio(2_400, 10)).unwrap();
            let step = tokio::time::timeout(Duration::from_secs(20), playback.next(|| 0)).await;
            assert!(matches!(&step, Ok(PlaybackStep::Media(messages)) if messages.len() == 10));
        });
    }
}
