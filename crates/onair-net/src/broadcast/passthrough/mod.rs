//! Sends a media file as the stream. A separate thread sends the file's packets unchanged, paced by
//! their DTS. An FLV file can have any codec; an MP4 or MKV file needs a codec that FLV supports.

mod items;
#[cfg(test)]
mod tests;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use parking_lot::Mutex;

use crate::base::queue::{self, Full, Sender};
use crate::base::worker::Stuck;
use crate::base::{Clock, Stop, Timestamp, Worker};
use crate::broadcast::hub::Hub;
use crate::broadcast::hub::sequence_headers::SequenceHeaders;
use crate::broadcast::hub::shared_packet::{Configurations, SharedPacket};
pub use crate::broadcast::passthrough::items::Error;
use crate::broadcast::passthrough::items::{FileItems, Item, without};
use crate::broadcast::publisher::{Publisher, TargetReadiness};
use crate::media::{BitsPerSecond, StreamConfig, Track};
use crate::wire::amf0::Value;
use crate::wire::container::flv::{self, TagKind};

use crate::text::Problem;

/// How often the thread checks for a stop request while it waits for the start.
const POLL_INTERVAL: Duration = Duration::from_millis(50);
/// Maximum number of packets in the queue to the hub.
const MAX_QUEUED_PACKETS: usize = 64;
/// Number of bytes at the beginning of the file that are searched for codec configs.
const MAX_CONFIG_SEARCH_BYTES: usize = 32 << 20;
/// The time within which both video and audio must begin, if the file has both.
const MAX_TRACK_START_MS: i64 = 4_000;
/// Maximum number of codec configs of one file.
const MAX_CONFIGURATIONS: usize = 32;
/// Timestamps that jump by more than this, forward or back, are wrong. The stream continues without
/// the jump.
const MAX_JUMP_MS: i64 = 10_000;
/// Audio that precedes the first frame by at most this time belongs to the beginning. More audio
/// would delay the video for viewers.
const MAX_AUDIO_LEAD_MS: i64 = 1_000;
/// The time between the last packet of one pass through a file and the first packet of the next
/// pass.
const LOOP_GAP_MS: i64 = 33;
/// Metadata properties that apply to the file but not to the stream.
const FILE_ONLY_PROPERTIES: [&str; 9] = [
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

/// A file that can be sent.
#[derive(Debug)]
pub struct PassthroughFile {
    path: PathBuf,
    head: SequenceHeaders,
    duration: Option<Duration>,
    /// The timestamp of the first frame in the file.
    first_video_ms: Option<i64>,
    missing: Option<Problem>,
}

/// A file that is being sent.
#[derive(Debug)]
pub struct Playback {
    pub hub: Hub,
    pub projection: PassthroughSender,
}

/// Sends a media file as the stream.
#[derive(Debug)]
pub struct PassthroughSender {
    worker: Worker,
    /// Set when sending may begin.
    begin: Stop,
    progress: Arc<Mutex<Progress>>,
}

/// The progress of sending.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// The position in the file, counted from its beginning.
    pub position: Duration,
    /// The number of completed passes through the file.
    pub rounds: u32,
    /// The reason why sending stopped before the end of the file.
    pub failure: Option<Problem>,
}

impl PassthroughFile {
    /// Reads the headers of an FLV, MP4 or MKV file.
    ///
    /// # Errors
    /// Fails if the file cannot be read, has another format, has only codecs that FLV does not
    /// support, has rotated video, or is empty.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let mut items = FileItems::open(path)?;
        let mut duration = items.duration();
        let missing = items.missing().cloned();
        let mut head = SequenceHeaders {
            metadata: Value::ecma_array([]),
            config_bodies: Vec::new(),
            bitrate: None,
            has_video: false,
            config: StreamConfig::default(),
        };
        let (mut has_audio, mut first_ms, mut first_video_ms, mut read) = (false, None, None, 0);
        while let Some(item) = items.next()? {
            match item {
                Item::Metadata(value) => {
                    duration = duration.or_else(|| declared_duration(&value));
                    head.bitrate = head.bitrate.or_else(|| bitrate(&value));
                    head.metadata = without(value, &FILE_ONLY_PROPERTIES);
                }
                Item::Config(packet) if head.config_bodies.len() < MAX_CONFIGURATIONS => {
                    read += packet.size();
                    if !head.config_bodies.iter().any(|(_, body)| body == packet.flv_body()) {
                        head.config_bodies.push((packet.track, packet.flv_body().clone()));
                    }
                }
                Item::Packet(packet) => {
                    read += packet.size();
                    let at_ms = packet.dts.as_millis();
                    if packet.track == Track::Video {
                        head.has_video = true;
                        first_video_ms = first_video_ms.or(Some(at_ms));
                    }
                    has_audio |= packet.track == Track::Audio;
                    let first_ms = *first_ms.get_or_insert(at_ms);
                    if at_ms - first_ms > MAX_TRACK_START_MS || (head.has_video && has_audio) {
                        break;
                    }
                }
                Item::Config(_) | Item::End(_) => {}
            }
            if read > MAX_CONFIG_SEARCH_BYTES {
                break;
            }
        }
        if !head.has_video && !has_audio {
            return Err(Error::Empty);
        }
        Ok(Self { path: path.to_owned(), head, duration, first_video_ms, missing })
    }

    /// Returns the duration, if the file states it.
    pub fn duration(&self) -> Option<Duration> {
        self.duration
    }

    /// Returns the name of the video or audio that is not sent, because FLV does not support it.
    pub fn missing(&self) -> Option<&Problem> {
        self.missing.as_ref()
    }

    /// Prepares to send the file once or in a loop. Sending waits for [`PassthroughSender::begin`],
    /// so that the first target gets the beginning.
    ///
    /// # Errors
    /// Fails if the system provides no thread.
    pub fn show(self, again: bool, clock: Clock) -> io::Result<Playback> {
        let (packets, input) =
            queue::bounded("packets of the file", MAX_QUEUED_PACKETS, Full::Block);
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
            let Self { path, head, first_video_ms, .. } = self;
            let mut projector = Projector {
                head,
                first_video_ms,
                packets,
                clock,
                start,
                last_ms: 0,
                configurations: None,
                again,
                progress,
            };
            loop {
                match projector.round(&path, stop) {
                    Ok(true) if again => projector.progress.lock().rounds += 1,
                    Ok(_) => break,
                    Err(error) => {
                        tracing::error!(%error, "reading the file for passthrough failed");
                        projector.progress.lock().failure = Some((&error).into());
                        break;
                    }
                }
            }
        })?;
        Ok(Playback { hub, projection: PassthroughSender { worker, begin, progress } })
    }
}

impl Playback {
    /// Ends sending within the limit.
    ///
    /// # Errors
    /// Fails with [`Stuck`] if the thread did not end in time.
    pub fn end(self, limit: Duration) -> Result<(), Stuck> {
        self.projection.end(limit)?;
        self.hub.finish(limit)
    }
}

impl PassthroughSender {
    /// Starts sending.
    pub fn begin(&self) {
        self.begin.set();
    }

    /// Returns true if sending was started.
    pub fn has_begun(&self) -> bool {
        self.begin.is_set()
    }

    /// Starts sending if at least one of these targets is connected and no target is still in its
    /// first attempt. No target then misses the beginning or delays another one.
    pub fn begin_for<'a>(&self, targets: impl IntoIterator<Item = &'a Publisher>) {
        let mut there = false;
        for target in targets {
            match target.standing() {
                TargetReadiness::Coming => return,
                TargetReadiness::There => there = true,
                TargetReadiness::Missing => {}
            }
        }
        if there {
            self.begin();
        }
    }

    /// Returns the progress of sending.
    pub fn progress(&self) -> Progress {
        self.progress.lock().clone()
    }

    /// Stops reading the file within the limit.
    ///
    /// # Errors
    /// Fails with [`Stuck`] if the thread did not end in time.
    pub fn end(self, limit: Duration) -> Result<(), Stuck> {
        self.worker.join(limit)
    }
}

/// Sends the packets when they are due.
struct Projector {
    head: SequenceHeaders,
    /// The timestamp of the first frame in the file, until it is reached.
    first_video_ms: Option<i64>,
    packets: Sender<SharedPacket>,
    clock: Clock,
    /// The session time of the stream's time 0.
    start: Timestamp,
    /// The stream time of the latest packet.
    last_ms: i64,
    /// The configs after a new one within the file. A target that connects later needs them.
    configurations: Option<Configurations>,
    again: bool,
    progress: Arc<Mutex<Progress>>,
}

impl Projector {
    /// Sends the file once. Returns false if sending must not continue, or if the file had no
    /// packets.
    fn round(&mut self, path: &Path, stop: &Stop) -> Result<bool, Error> {
        let mut items = FileItems::open(path)?;
        // A file can have only packets of time 0.
        let is_first = self.progress.lock().rounds == 0;
        let begin = if is_first { 0 } else { self.last_ms + LOOP_GAP_MS };
        // The value to add to the file's timestamps.
        let mut shift = None;
        let mut first_ms = None;
        let mut sent = false;
        let mut end = None;
        while let Some(item) = items.next()? {
            let (packet, is_config) = match item {
                Item::Packet(packet) => (packet, false),
                // A new config within the file is sent at its position, and is never dropped. The
                // configs of the beginning then apply again when the file returns to them.
                Item::Config(packet) => {
                    let known = |(_, it): &(Track, Bytes)| it == packet.flv_body();
                    let head = &self.head.config_bodies;
                    if self.configurations.is_none() && head.iter().any(known) {
                        continue;
                    }
                    let before = self.configurations.as_deref().unwrap_or(head);
                    self.configurations = Some(with_config(before, &packet));
                    (packet, true)
                }
                Item::End(packet) => {
                    end = Some(packet);
                    continue;
                }
                Item::Metadata(_) => continue,
            };
            let file_ms = packet.dts.as_millis();
            let (passed_ms, mut at_ms) = match shift {
                // Before the first packet, the time of a config means nothing.
                None if is_config => (0, begin),
                _ => {
                    let passed_ms = file_ms - *first_ms.get_or_insert(file_ms);
                    (passed_ms, file_ms + *shift.get_or_insert(begin - file_ms))
                }
            };
            if (at_ms - self.last_ms).abs() > MAX_JUMP_MS {
                at_ms = self.last_ms + LOOP_GAP_MS;
                shift = Some(at_ms - file_ms);
            }
            let dts = self.start + Duration::from_millis(at_ms.max(0).unsigned_abs());
            if stop.wait(dts.since(self.clock.now())) {
                return Ok(false);
            }
            self.last_ms = self.last_ms.max(at_ms);
            let position = Duration::from_millis(passed_ms.max(0).unsigned_abs());
            self.progress.lock().position = position;
            let lead_ms = self.first_video_ms.map_or(-1, |first_video_ms| first_video_ms - file_ms);
            let leads = packet.track == Track::Audio && (0..=MAX_AUDIO_LEAD_MS).contains(&lead_ms);
            self.first_video_ms.take_if(|_| packet.starts_gop());
            let packet = packet.at(dts, self.clock.now()).leading(leads);
            let packet = packet.under(self.configurations.clone());
            if self.packets.send(packet).is_err() {
                return Ok(false);
            }
            sent = true;
        }
        // In a loop, the video of the file has not ended.
        if let Some(end) = end.filter(|_| !self.again) {
            let dts = self.start + Duration::from_millis(self.last_ms.max(0).unsigned_abs());
            // If nothing receives the packet, nothing needs to be reported.
            let _ = self.packets.send(end.at(dts, self.clock.now()));
        }
        Ok(sent)
    }
}

/// Returns the configs after this new one, which replaces the config of the same kind. Several
/// tracks can have configs in bodies of the same kind, so these replace nothing.
fn with_config(before: &[(Track, Bytes)], packet: &SharedPacket) -> Configurations {
    let (track, body) = (packet.track, packet.flv_body());
    let kind = if track == Track::Video { TagKind::Video } else { TagKind::Audio };
    let is_multitrack = flv::is_multitrack(kind, body);
    let same_kind = |(its_track, its_body): &(Track, Bytes)| {
        *its_track == track && its_body.first() == body.first()
    };
    let mut now = before.to_vec();
    now.retain(|it| it.1 != *body && (is_multitrack || !same_kind(it)));
    now.truncate(MAX_CONFIGURATIONS - 1);
    now.push((track, body.clone()));
    now.into()
}

/// Reads the duration from a file's metadata.
fn declared_duration(metadata: &Value) -> Option<Duration> {
    let seconds = metadata.get_number("duration")?;
    (0.001..1e7).contains(&seconds).then(|| Duration::from_secs_f64(seconds))
}

/// Reads the total bitrate of all tracks from metadata, which contains it in kbit/s.
fn bitrate(metadata: &Value) -> Option<BitsPerSecond> {
    let number = |name| metadata.get_number(name).filter(|kbps| (0.0..1e6).contains(kbps));
    let kbps = number("videodatarate").unwrap_or(0.0) + number("audiodatarate").unwrap_or(0.0);
    (kbps >= 1.0).then_some(BitsPerSecond((kbps * 1_000.0) as u32))
}
