//! One stream: its publisher, what late joiners need, its viewers. Messages go to all viewers from
//! the publisher's own task: no viewer's task has to wake for that.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::sync::Notify;

use super::cache::{Cache, Keep};
use super::config::Limits;
use super::event::{AudioFigures, PublisherFigures, StreamFigures, VideoFigures};
use super::message::{Class, Message};
use super::sink::Sink;
use crate::base::Timestamp;
use crate::wire::flv::reader::Item;
use crate::wire::flv::video::VideoPacket;
use crate::wire::flv::{Reader, TagKind, parse_audio, parse_video};

/// A new publisher whose times lie at most so far ahead goes on where its predecessor ended.
const CONTINUES_WITHIN_MS: u32 = 10_000;
/// A publisher that is silent for so long is taken for a ghost.
const GHOST_AFTER: Duration = Duration::from_secs(2);
/// Where the cache keeps enhanced video metadata (colour): beside the tracks.
const COLOR_SLOT: u16 = 256;

/// A stream. Viewers are locked inside its lock, never the other way round.
#[derive(Debug)]
pub(super) struct Stream {
    pub app: String,
    pub name: String,
    limits: Limits,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    publisher: Option<Publisher>,
    cache: Cache,
    viewers: Vec<Arc<dyn Sink>>,
    /// Moves a publisher's times so that they go on where its predecessor's ended.
    shift_ms: u32,
    last: Option<(u32, Timestamp)>,
    /// No message of this publisher has come.
    fresh: bool,
}

#[derive(Debug)]
struct Publisher {
    id: u64,
    address: SocketAddr,
    credentials: String,
    since: Timestamp,
    heard: Timestamp,
    bytes: u64,
    /// Start of the second that is being counted, and its bytes.
    second: (Timestamp, u64),
    bitrate: u64,
    reader: Reader,
    video: Option<VideoFigures>,
    audio: Option<AudioFigures>,
    dismissal: Arc<Dismissal>,
}

/// How a publisher is told to go.
#[derive(Debug, Default)]
pub(super) struct Dismissal {
    notify: Notify,
    reason: Mutex<Option<&'static str>>,
}

impl Dismissal {
    fn dismiss(&self, reason: &'static str) {
        *self.reason.lock() = Some(reason);
        self.notify.notify_one();
    }

    /// Waits to be told, and why.
    pub async fn told(&self) -> &'static str {
        self.notify.notified().await;
        self.reason.lock().unwrap_or("dismissed")
    }
}

/// What came from a publisher.
#[derive(Debug)]
pub(super) struct Incoming {
    pub kind: TagKind,
    pub time_ms: u32,
    pub body: Bytes,
    /// It is `onMetaData`.
    pub metadata: bool,
}

impl Stream {
    pub fn new(app: String, name: String, limits: Limits) -> Self {
        Self { app, name, limits, inner: Mutex::default() }
    }

    /// Makes `id` the publisher; `None` where there is one that stays.
    pub fn publish(
        &self,
        id: u64,
        address: SocketAddr,
        credentials: &str,
        now: Timestamp,
    ) -> Option<Arc<Dismissal>> {
        let mut inner = self.inner.lock();
        if let Some(old) = &inner.publisher {
            // A streamer who lost the connection meets their own ghost. On one machine there are no
            // ghosts, the system closes what a process leaves behind: there the address alone
            // proves nothing.
            let same = old.address.ip() == address.ip() && old.credentials == credentials;
            let known = !credentials.is_empty() || !address.ip().is_loopback();
            if !(same && (known || now.since(old.heard) >= GHOST_AFTER)) {
                return None;
            }
            old.dismissal.dismiss("replaced by a new connection of the same publisher");
        }
        if inner.viewers.is_empty() {
            inner.last = None;
        }
        inner.cache.forget();
        inner.fresh = true;
        let dismissal = Arc::new(Dismissal::default());
        inner.publisher = Some(Publisher {
            id,
            address,
            credentials: credentials.to_owned(),
            since: now,
            heard: now,
            bytes: 0,
            second: (now, 0),
            bitrate: 0,
            reader: Reader::new(),
            video: None,
            audio: None,
            dismissal: Arc::clone(&dismissal),
        });
        inner.viewers.iter().for_each(|viewer| viewer.resume());
        Some(dismissal)
    }

    /// The publisher `id` has gone; `false` where another has taken its place already.
    pub fn unpublish(&self, id: u64) -> bool {
        let mut inner = self.inner.lock();
        if inner.publisher.as_ref().is_none_or(|publisher| publisher.id != id) {
            return false;
        }
        inner.publisher = None;
        inner.cache.forget();
        inner.viewers.iter().for_each(|viewer| viewer.end());
        true
    }

    /// Tells the publisher to go; `false` where there is none.
    pub fn dismiss(&self, reason: &'static str) -> bool {
        let inner = self.inner.lock();
        inner.publisher.as_ref().inspect(|publisher| publisher.dismissal.dismiss(reason)).is_some()
    }

    /// Takes what publisher `id` sent and passes it on. `false` where it is sound alone and waits
    /// for a picture, or for [`Stream::flush`].
    pub fn take(&self, id: u64, incoming: &mut Vec<Incoming>, now: Timestamp) -> bool {
        let mut guard = self.inner.lock();
        let inner = &mut *guard;
        let Some(publisher) = inner.publisher.as_mut().filter(|publisher| publisher.id == id)
        else {
            incoming.clear();
            return true;
        };
        publisher.heard = now;
        let mut messages = Vec::with_capacity(incoming.len());
        let mut flush = self.limits.hold.is_zero() || publisher.video.is_none();
        for Incoming { kind, time_ms, body, metadata } in incoming.drain(..) {
            publisher.count(body.len(), now);
            if std::mem::take(&mut inner.fresh) {
                inner.shift_ms = shift(inner.last, time_ms, now);
            }
            let time_ms = time_ms.wrapping_add(inner.shift_ms);
            inner.last = Some((time_ms, now));
            let (class, keep) = publisher.classify(kind, &body, metadata);
            flush |= kind == TagKind::Video;
            let message = Arc::new(Message::new(kind, class, time_ms, &body));
            inner.cache.store(&message, keep, self.limits.group_bytes);
            messages.push(message);
        }
        for viewer in &inner.viewers {
            viewer.deliver(&messages, flush);
        }
        flush || inner.viewers.is_empty()
    }

    /// Sends what waits.
    pub fn flush(&self) {
        for viewer in &self.inner.lock().viewers {
            viewer.deliver(&[], true);
        }
    }

    /// Adds a viewer and gives it what late joiners get. `false`: there are too many.
    pub fn join(&self, viewer: Arc<dyn Sink>) -> bool {
        let mut inner = self.inner.lock();
        if inner.viewers.len() >= self.limits.viewers {
            return false;
        }
        viewer.deliver(&inner.cache.for_late_joiner(), true);
        inner.viewers.push(viewer);
        true
    }

    /// Takes a viewer out; `false` where it was not there.
    pub fn leave(&self, id: u64) -> bool {
        let mut inner = self.inner.lock();
        let place = inner.viewers.iter().position(|viewer| viewer.id() == id);
        place.map(|place| inner.viewers.swap_remove(place)).is_some()
    }

    pub fn is_published(&self) -> bool {
        self.inner.lock().publisher.is_some()
    }

    /// Neither publisher nor viewers.
    pub fn is_idle(&self) -> bool {
        let inner = self.inner.lock();
        inner.publisher.is_none() && inner.viewers.is_empty()
    }

    /// Bytes that publisher `id` sent.
    pub fn received(&self, id: u64) -> u64 {
        let inner = self.inner.lock();
        inner.publisher.as_ref().filter(|publisher| publisher.id == id).map_or(0, |p| p.bytes)
    }

    pub fn figures(&self, now: Timestamp) -> StreamFigures {
        let inner = self.inner.lock();
        StreamFigures {
            app: self.app.clone(),
            stream: self.name.clone(),
            viewers: inner.viewers.len(),
            publisher: inner.publisher.as_ref().map(|publisher| PublisherFigures {
                id: publisher.id,
                address: publisher.address,
                since: now.since(publisher.since),
                bytes: publisher.bytes,
                bitrate: publisher.bitrate,
                video: publisher.video.clone(),
                audio: publisher.audio.clone(),
            }),
        }
    }
}

/// By how much the times of a new publisher are moved.
fn shift(last: Option<(u32, Timestamp)>, first_ms: u32, now: Timestamp) -> u32 {
    let Some((last_ms, at)) = last else { return 0 };
    let elapsed = u32::try_from(now.since(at).as_millis()).unwrap_or(u32::MAX).max(1);
    if first_ms.wrapping_sub(last_ms) <= elapsed.saturating_add(CONTINUES_WITHIN_MS) {
        // Goes on by itself, as our own publisher does after a lost connection.
        return 0;
    }
    last_ms.wrapping_add(elapsed).wrapping_sub(first_ms)
}

impl Publisher {
    fn count(&mut self, bytes: usize, now: Timestamp) {
        self.bytes += bytes as u64;
        self.second.1 += bytes as u64;
        let elapsed = now.since(self.second.0);
        if elapsed >= Duration::from_secs(1) {
            self.bitrate = (self.second.1 as f64 * 8.0 / elapsed.as_secs_f64()) as u64;
            self.second = (now, 0);
        }
    }

    /// What a body is worth. One that cannot be read is passed on like any other.
    fn classify(&mut self, kind: TagKind, body: &Bytes, metadata: bool) -> (Class, Keep) {
        match kind {
            TagKind::Script if metadata => (Class::Vital, Keep::Metadata),
            TagKind::Script => (Class::Sound, Keep::Nothing),
            TagKind::Video => {
                let Ok(tag) = parse_video(body) else { return (Class::Inter, Keep::Media) };
                if tag.is_sequence_start() {
                    self.observe(kind, body);
                    (Class::Vital, Keep::Header(tag.track.id.into()))
                } else if tag.is_keyframe() {
                    (Class::Key, Keep::Media)
                } else {
                    match tag.track.packet {
                        VideoPacket::Metadata(_) => (Class::Vital, Keep::Header(COLOR_SLOT)),
                        VideoPacket::SequenceEnd => (Class::Vital, Keep::Nothing),
                        _ => (Class::Inter, Keep::Media),
                    }
                }
            }
            TagKind::Audio => match parse_audio(body) {
                Ok(tag) if tag.is_sequence_start() => {
                    self.observe(kind, body);
                    (Class::Vital, Keep::Header(tag.track.id.into()))
                }
                _ => (Class::Sound, Keep::Media),
            },
        }
    }

    /// Looks into a configuration, for the figures.
    fn observe(&mut self, kind: TagKind, body: &Bytes) {
        let item = match kind {
            TagKind::Video => self.reader.video(0, body),
            _ => self.reader.audio(0, body),
        };
        match item {
            Ok(Some(Item::Video(video))) => {
                self.video = Some(VideoFigures {
                    codec: "H.264".to_owned(),
                    size: Some((video.size.width, video.size.height)),
                    fps: Some(video.frame_rate.as_f64()),
                });
            }
            Ok(Some(Item::UnsupportedVideo(format))) => {
                let codec = format.to_string();
                self.video = Some(VideoFigures { codec, size: None, fps: None });
            }
            Ok(Some(Item::Audio(audio))) => {
                self.audio = Some(AudioFigures {
                    codec: "AAC".to_owned(),
                    sample_rate: Some(audio.sample_rate),
                    channels: Some(audio.channels),
                });
            }
            Ok(Some(Item::UnsupportedAudio(format))) => {
                let codec = format.to_string();
                self.audio = Some(AudioFigures { codec, sample_rate: None, channels: None });
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_go_on_for_viewers_who_stay() {
        let at = Timestamp::from_millis(1_000);
        let later = Timestamp::from_millis(4_000);
        assert_eq!(shift(None, 5, later), 0);
        assert_eq!(shift(Some((10_000, at)), 0, later), 13_000);
        assert_eq!(shift(Some((10_000, at)), 13_001, later), 0, "goes on by itself");
        assert_eq!(shift(Some((10_000, at)), 9_999, later), 3_001);
    }

    #[test]
    fn a_second_publisher_is_refused_unless_it_is_the_same_one() {
        let stream = Stream::new("live".into(), "a".into(), Limits::default());
        let home: SocketAddr = "127.0.0.1:5".parse().unwrap();
        let (far, other) = ("192.0.2.1:7".parse().unwrap(), "192.0.2.2:7".parse().unwrap());
        let now = Timestamp::ZERO;
        assert!(stream.publish(1, home, "", now).is_some());
        assert!(stream.publish(2, home, "", now).is_none());
        assert!(stream.publish(2, home, "", now + GHOST_AFTER).is_some(), "a ghost");
        assert!(!stream.unpublish(1), "no longer the publisher");
        assert!(stream.unpublish(2));
        assert!(stream.publish(3, far, "key=1", now).is_some());
        assert!(stream.publish(4, other, "key=1", now).is_none());
        assert!(stream.publish(4, far, "key=2", now).is_none());
        assert!(stream.publish(4, far, "key=1", now).is_some());
    }
}
