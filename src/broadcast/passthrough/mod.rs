//! A media file as the stream: its packets go out as they are, paced by their decoding times,
//! whatever codec they are of. On a thread of its own.

#[cfg(test)]
mod tests;

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use parking_lot::Mutex;

use crate::base::queue::{self, Full, Sender};
use crate::base::worker::Stuck;
use crate::base::{Clock, Stop, Timestamp, Worker};
use crate::broadcast::hub::Hub;
use crate::broadcast::hub::flv_tag::SharedTag;
use crate::broadcast::hub::sequence_headers::SequenceHeaders;
use crate::broadcast::publisher::{Publisher, TargetStanding};
use crate::files::MediaFile;
use crate::media::{BitsPerSecond, Priority, StreamConfig, Track};
use crate::wire::amf0::Value;
use crate::wire::container::flv::video::VideoPacket;
use crate::wire::container::flv::{Demuxer, FrameType, TagKind, parse_audio, parse_video};
use crate::wire::container::passthrough::{PassthroughAudio, PassthroughPacket, PassthroughVideo};
use crate::wire::container::{self, Format, SampleLocation, TrackId, flv};

/// How often it is looked whether it has been ended while it waits for its beginning.
const POLL_INTERVAL: Duration = Duration::from_millis(50);
/// Packets that may wait for the hub.
const PACKETS: usize = 64;
/// A sample larger than this is none.
const MAX_SAMPLE: usize = 32 << 20;
/// Read at a time.
const BLOCK: usize = 64 << 10;
/// Of the beginning, so much is looked at for configurations.
const MAX_HEADER: usize = 32 << 20;
/// So far into the file both pictures and sound have begun, where there are both.
const HEAD_MS: i64 = 4_000;
/// Configurations of one file.
const MAX_CONFIGURATIONS: usize = 32;
/// Times that jump further than this, forwards or backwards, are no times: the file goes on.
const JUMP_MS: i64 = 10_000;
/// Sound so much before the first picture belongs to the beginning; more would keep viewers without
/// one.
const MAX_LEAD_MS: i64 = 1_000;
/// Between the last packet of a file and its first, when it begins again.
const BETWEEN_ROUNDS_MS: i64 = 33;
/// Properties of the metadata that are true of the file and not of the stream.
const OF_THE_FILE: [&str; 9] = [
    "duration",
    "filesize",
    "keyframes",
    "lasttimestamp",
    "lastkeyframetimestamp",
    "lastkeyframelocation",
    "hasKeyframes",
    "hasCuePoints",
    "canSeekToEnd",
];

/// Why a file cannot be sent.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{path} cannot be read: {source}")]
    Io { path: PathBuf, source: io::Error },
    #[error("{path} cannot be sent: {source}")]
    Flv { path: PathBuf, source: flv::Error },
    #[error("{path} cannot be sent: {source}")]
    Container { path: PathBuf, source: container::Error },
    #[error("{0} is no regular file")]
    NoFile(PathBuf),
    #[error("{0} holds no picture and no sound")]
    Empty(PathBuf),
}

/// A file that can be sent.
#[derive(Debug)]
pub struct PassthroughFile {
    path: PathBuf,
    head: SequenceHeaders,
    duration: Option<Duration>,
    /// When its first picture comes, in the file's time.
    pictured_ms: Option<i64>,
}

/// A file that is being sent.
#[derive(Debug)]
pub struct Playback {
    pub hub: Hub,
    pub projection: PassthroughSender,
}

/// What sends it.
#[derive(Debug)]
pub struct PassthroughSender {
    worker: Worker,
    /// Set once it may begin.
    begin: Stop,
    progress: Arc<Mutex<Progress>>,
}

/// How far it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// In the file, from its beginning.
    pub position: Duration,
    /// How often it has begun again.
    pub rounds: u32,
    /// Why it ended before its end.
    pub failure: Option<String>,
}

impl PassthroughFile {
    /// Looks into an FLV, MP4 or MKV file.
    ///
    /// # Errors
    /// It cannot be read, is none of them, or holds nothing.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let mut reel = FileTags::open(path)?;
        let mut duration = reel.duration();
        let mut head = SequenceHeaders {
            metadata: Value::ecma_array([]),
            configurations: Vec::new(),
            bitrate: None,
            has_video: false,
            parameters: StreamConfig::default(),
        };
        let (mut has_audio, mut first, mut pictured_ms, mut read) = (false, None, None, 0);
        while let Some(tag) = reel.next()? {
            read += tag.body.len();
            let at = i64::from(tag.time_ms);
            match look(tag.kind, &tag.body) {
                BodyKind::Metadata(value) => {
                    duration = duration.or_else(|| declared_duration(&value));
                    head.bitrate = head.bitrate.or_else(|| bitrate(&value));
                    head.metadata = of_the_stream(value);
                }
                BodyKind::Configuration(track)
                    if head.configurations.len() < MAX_CONFIGURATIONS =>
                {
                    if !head.configurations.iter().any(|(_, body)| *body == tag.body) {
                        head.configurations.push((track, tag.body));
                    }
                }
                BodyKind::Media { track, .. } => {
                    if track == Track::Video {
                        head.has_video = true;
                        pictured_ms = pictured_ms.or(Some(at));
                    }
                    has_audio |= track == Track::Audio;
                    let first = *first.get_or_insert(at);
                    if at - first > HEAD_MS || (head.has_video && has_audio) {
                        break;
                    }
                }
                BodyKind::Configuration(_) | BodyKind::End | BodyKind::Nothing => {}
            }
            if read > MAX_HEADER {
                break;
            }
        }
        if !head.has_video && !has_audio {
            return Err(Error::Empty(path.to_owned()));
        }
        Ok(Self { path: path.to_owned(), head, duration, pictured_ms })
    }

    /// How long it is, where the file tells.
    pub fn duration(&self) -> Option<Duration> {
        self.duration
    }

    /// Makes ready to send it, once or again and again: it waits until somebody is there to get it from its
    /// beginning ([`PassthroughSender::begin`]).
    ///
    /// # Errors
    /// When the system grants no thread.
    pub fn show(self, again: bool, clock: Clock) -> io::Result<Playback> {
        let (packets, input) = queue::bounded("packets of the file", PACKETS, Full::Block);
        let hub = Hub::spawn_copy(self.head.clone(), input)?;
        let progress = Arc::<Mutex<Progress>>::default();
        let its_progress = Arc::clone(&progress);
        let begin = Stop::new();
        let its_begin = begin.clone();
        let worker = Worker::spawn("onair-file", move |stop| {
            while !its_begin.wait(POLL_INTERVAL) {
                if stop.is_set() {
                    return;
                }
            }
            let (start, progress) = (clock.now(), its_progress);
            let Self { path, head, pictured_ms, .. } = self;
            let mut projector =
                Projector { head, pictured_ms, packets, clock, start, last_ms: 0, again, progress };
            loop {
                match projector.round(&path, stop) {
                    Ok(true) if again => projector.progress.lock().rounds += 1,
                    Ok(_) => break,
                    Err(error) => {
                        tracing::error!(%error, "the file");
                        projector.progress.lock().failure = Some(error.to_string());
                        break;
                    }
                }
            }
        })?;
        Ok(Playback { hub, projection: PassthroughSender { worker, begin, progress } })
    }
}

impl Playback {
    /// Ends it, at most within the limit.
    ///
    /// # Errors
    /// [`Stuck`] where it did not end in time.
    pub fn end(self, limit: Duration) -> Result<(), Stuck> {
        self.projection.end(limit)?;
        self.hub.finish(limit)
    }
}

impl PassthroughSender {
    /// It goes out from now on.
    pub fn begin(&self) {
        self.begin.set();
    }

    /// Whether it has been let go out.
    pub fn has_begun(&self) -> bool {
        self.begin.is_set()
    }

    /// Lets it go out once one of these targets takes it and the first try of each other one is over: none
    /// of them is to miss its beginning, and one that cannot be reached holds it up for no other.
    pub fn begin_for<'a>(&self, targets: impl IntoIterator<Item = &'a Publisher>) {
        let mut there = false;
        for target in targets {
            match target.standing() {
                TargetStanding::Coming => return,
                TargetStanding::There => there = true,
                TargetStanding::Missing => {}
            }
        }
        if there {
            self.begin();
        }
    }

    /// How far it is.
    pub fn progress(&self) -> Progress {
        self.progress.lock().clone()
    }

    /// Stops reading the file, at most within the limit.
    ///
    /// # Errors
    /// [`Stuck`] where it did not end in time.
    pub fn end(self, limit: Duration) -> Result<(), Stuck> {
        self.worker.join(limit)
    }
}

/// Sends packets in time.
struct Projector {
    head: SequenceHeaders,
    /// When the first picture comes, in the file's time; until it has.
    pictured_ms: Option<i64>,
    packets: Sender<SharedTag>,
    clock: Clock,
    /// When time 0 of the stream is.
    start: Timestamp,
    /// Of the latest packet, in the stream's time.
    last_ms: i64,
    again: bool,
    progress: Arc<Mutex<Progress>>,
}

impl Projector {
    /// Sends the file once; `false` where it is not to go on.
    fn round(&mut self, path: &Path, stop: &Stop) -> Result<bool, Error> {
        let mut reel = FileTags::open(path)?;
        let begin = if self.last_ms == 0 { 0 } else { self.last_ms + BETWEEN_ROUNDS_MS };
        // What is to be added to the file's times.
        let mut shift = None;
        let mut first_ms = None;
        let mut sent = false;
        let mut end = None;
        while let Some(tag) = reel.next()? {
            let (track, keyframe, priority, composition_ms) = match look(tag.kind, &tag.body) {
                BodyKind::Media { track, keyframe, priority, composition_ms } => {
                    (track, keyframe, priority, composition_ms)
                }
                // A new one in the middle goes where it stands, and is never thrown away.
                BodyKind::Configuration(track)
                    if !self.head.configurations.iter().any(|(_, body)| *body == tag.body) =>
                {
                    (track, false, Priority::Key, 0)
                }
                BodyKind::End => {
                    end = Some(tag.body);
                    continue;
                }
                _ => continue,
            };
            let file_ms = i64::from(tag.time_ms);
            let passed_ms = file_ms - *first_ms.get_or_insert(file_ms);
            let mut at_ms = file_ms + *shift.get_or_insert(begin - file_ms);
            if (at_ms - self.last_ms).abs() > JUMP_MS {
                at_ms = self.last_ms + BETWEEN_ROUNDS_MS;
                shift = Some(at_ms - file_ms);
            }
            let dts = self.start + Duration::from_millis(at_ms.max(0).unsigned_abs());
            if stop.wait(dts.since(self.clock.now())) {
                return Ok(false);
            }
            self.last_ms = self.last_ms.max(at_ms);
            let position = Duration::from_millis(passed_ms.max(0).unsigned_abs());
            self.progress.lock().position = position;
            let captured = self.clock.now();
            let pts = dts.offset(composition_ms * 1_000);
            let lead_ms = self.pictured_ms.map_or(-1, |pictured_ms| pictured_ms - file_ms);
            let leads = track == Track::Audio && (0..=MAX_LEAD_MS).contains(&lead_ms);
            self.pictured_ms.take_if(|_| track == Track::Video && keyframe);
            let (body, rendition) = (tag.body, None);
            let tag =
                SharedTag { track, dts, pts, keyframe, priority, captured, body, rendition, leads };
            if self.packets.send(tag).is_err() {
                return Ok(false);
            }
            sent = true;
        }
        // The pictures of a file that begins again have not ended.
        if let Some(end) = end.filter(|_| !self.again) {
            self.end(end);
        }
        Ok(sent)
    }

    /// Says that the pictures have ended.
    fn end(&self, body: Bytes) {
        let dts = self.start + Duration::from_millis(self.last_ms.max(0).unsigned_abs());
        let (track, captured, rendition) = (Track::Video, self.clock.now(), None);
        let (keyframe, priority, leads, pts) = (false, Priority::Key, false, dts);
        // Where nobody takes it there is nobody to be told.
        let tag =
            SharedTag { track, dts, pts, keyframe, priority, captured, body, rendition, leads };
        let _ = self.packets.send(tag);
    }
}

/// The tags of a file.
enum FileTags {
    Flv(FlvTags),
    /// MP4 and MKV: samples in the shape of tags.
    Indexed(Samples),
}

impl FileTags {
    fn open(path: &Path) -> Result<Self, Error> {
        let fail = |source| Error::Io { path: path.to_owned(), source };
        // A pipe or a device could keep us waiting for ever.
        if !path.metadata().map_err(fail)?.is_file() {
            return Err(Error::NoFile(path.to_owned()));
        }
        let mut source = MediaFile::open(path).map_err(fail)?;
        match source.format() {
            Ok(Format::Mp4 | Format::Mkv) => Samples::new(path, source).map(Self::Indexed),
            // What is none of them is told by its reader.
            _ => FlvTags::open(path).map(Self::Flv),
        }
    }

    /// Where the file has an index that tells.
    fn duration(&self) -> Option<Duration> {
        match self {
            Self::Flv(_) => None,
            Self::Indexed(samples) => samples.duration,
        }
    }

    fn next(&mut self) -> Result<Option<flv::Tag>, Error> {
        match self {
            Self::Flv(tape) => tape.next(),
            Self::Indexed(samples) => samples.next(),
        }
    }
}

/// The tags of an FLV file.
struct FlvTags {
    path: PathBuf,
    file: File,
    demuxer: Demuxer,
    block: Vec<u8>,
}

impl FlvTags {
    fn open(path: &Path) -> Result<Self, Error> {
        let file =
            File::open(path).map_err(|source| Error::Io { path: path.to_owned(), source })?;
        let (demuxer, block) = (Demuxer::new(), vec![0; BLOCK]);
        Ok(Self { path: path.to_owned(), file, demuxer, block })
    }

    fn next(&mut self) -> Result<Option<flv::Tag>, Error> {
        loop {
            let flv = |source| Error::Flv { path: self.path.clone(), source };
            if let Some(tag) = self.demuxer.next_tag().map_err(flv)? {
                return Ok(Some(tag));
            }
            let read = self
                .file
                .read(&mut self.block)
                .map_err(|source| Error::Io { path: self.path.clone(), source })?;
            if read == 0 {
                return Ok(None);
            }
            self.demuxer.push(self.block.get(..read).unwrap_or_default());
        }
    }
}

/// The samples of an MP4 or MKV file as tags; of several sound tracks the first.
struct Samples {
    path: PathBuf,
    source: MediaFile,
    /// What comes before the samples, the last one first.
    heads: Vec<flv::Tag>,
    places: std::vec::IntoIter<SampleLocation>,
    passed: PassthroughPacket,
    duration: Option<Duration>,
}

impl Samples {
    fn new(path: &Path, mut source: MediaFile) -> Result<Self, Error> {
        let fail = |source| Error::Container { path: path.to_owned(), source };
        let index = source.index_to_pass_on().map_err(fail)?;
        let passed = index.passed;
        let tag = |kind, body| flv::Tag { kind, time_ms: 0, body };
        let mut heads = vec![tag(TagKind::Script, flv::metadata_body(&passed.metadata()))];
        let video = passed.video.as_ref().and_then(PassthroughVideo::head);
        heads.extend(video.map(|body| tag(TagKind::Video, body)));
        let audio = passed.audio.as_ref().and_then(PassthroughAudio::head);
        heads.extend(audio.map(|body| tag(TagKind::Audio, body)));
        heads.reverse();
        let end = index.samples.last().map(|place| place.dts.as_micros().max(0).unsigned_abs());
        Ok(Self {
            path: path.to_owned(),
            source,
            heads,
            places: index.samples.into_iter(),
            passed,
            duration: end.map(Duration::from_micros),
        })
    }

    fn next(&mut self) -> Result<Option<flv::Tag>, Error> {
        if let Some(head) = self.heads.pop() {
            return Ok(Some(head));
        }
        for place in self.places.by_ref() {
            let size = u64::from(place.size);
            let mut data = || {
                container::read(&mut self.source, place.at, size, MAX_SAMPLE, "a sample")
                    .map_err(|source| Error::Container { path: self.path.clone(), source })
            };
            let (kind, body) = match (place.track, &self.passed.video, &self.passed.audio) {
                (TrackId::Video, Some(video), _) => {
                    let late = place.pts.as_millis().saturating_sub(place.dts.as_millis());
                    let late = i32::try_from(late).unwrap_or(0);
                    (TagKind::Video, video.body(place.keyframe, late, &data()?))
                }
                (TrackId::Audio(0), _, Some(audio)) => (TagKind::Audio, audio.body(&data()?)),
                _ => continue,
            };
            let time_ms = u32::try_from(place.dts.as_millis()).unwrap_or(u32::MAX);
            return Ok(Some(flv::Tag { kind, time_ms, body }));
        }
        Ok(None)
    }
}

/// What a body is.
enum BodyKind {
    Metadata(Value),
    Configuration(Track),
    Media {
        track: Track,
        keyframe: bool,
        priority: Priority,
        composition_ms: i64,
    },
    /// Of the pictures: to be sent where no more come.
    End,
    /// Not to be sent: commands, what cannot be read.
    Nothing,
}

fn look(kind: TagKind, body: &Bytes) -> BodyKind {
    match kind {
        TagKind::Script => match crate::wire::container::flv::metadata::parse_script(body) {
            Ok(Some(value)) => BodyKind::Metadata(value),
            _ => BodyKind::Nothing,
        },
        TagKind::Audio => match parse_audio(body) {
            Ok(tag) if tag.is_sequence_start() => BodyKind::Configuration(Track::Audio),
            Ok(_) => BodyKind::Media {
                track: Track::Audio,
                keyframe: true,
                priority: Priority::Key,
                composition_ms: 0,
            },
            Err(_) => BodyKind::Nothing,
        },
        TagKind::Video => match parse_video(body) {
            Ok(tag) if tag.is_sequence_start() => BodyKind::Configuration(Track::Video),
            Ok(tag) => match tag.track.packet {
                VideoPacket::Metadata(_) => BodyKind::Configuration(Track::Video),
                VideoPacket::Frame { composition_ms, .. } => {
                    let keyframe = tag.is_keyframe();
                    let priority = match tag.frame_type {
                        _ if keyframe => Priority::Key,
                        FrameType::Disposable => Priority::Disposable,
                        _ => Priority::Inter,
                    };
                    let composition_ms = composition_ms.into();
                    BodyKind::Media { track: Track::Video, keyframe, priority, composition_ms }
                }
                VideoPacket::SequenceEnd => BodyKind::End,
                _ => BodyKind::Nothing,
            },
            Err(_) => BodyKind::Nothing,
        },
    }
}

/// How long a file is by its metadata.
fn declared_duration(metadata: &Value) -> Option<Duration> {
    let seconds = metadata.get_number("duration")?;
    (0.001..1e7).contains(&seconds).then(|| Duration::from_secs_f64(seconds))
}

/// The metadata without what is true of the file only.
fn of_the_stream(value: Value) -> Value {
    match value {
        Value::Object(properties) | Value::EcmaArray(properties) => {
            let stays = |name: &str| !OF_THE_FILE.iter().any(|it| it.eq_ignore_ascii_case(name));
            Value::EcmaArray(properties.into_iter().filter(|(name, _)| stays(name)).collect())
        }
        _ => Value::ecma_array([]),
    }
}

/// The bitrate that metadata tell (in kbps), of all tracks together.
fn bitrate(metadata: &Value) -> Option<BitsPerSecond> {
    let number = |name| metadata.get_number(name).filter(|kbps| (0.0..1e6).contains(kbps));
    let kbps = number("videodatarate").unwrap_or(0.0) + number("audiodatarate").unwrap_or(0.0);
    (kbps >= 1.0).then_some(BitsPerSecond((kbps * 1_000.0) as u32))
}
