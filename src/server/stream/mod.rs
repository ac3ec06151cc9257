//! One stream: its publisher, the initial data for new viewers, and its viewers. The publisher's
//! task sends messages to all viewers, so that no viewer's task needs to wake up. A publisher's
//! burst is sent with one system call, because a system call costs more than copying the bytes.

pub(in crate::server) mod bitrate_history;
pub(in crate::server) mod codec_figures;
pub(in crate::server) mod flv_sink;
pub(in crate::server) mod late_join_cache;
pub(in crate::server) mod message;
pub(in crate::server) mod message_sink;
pub(in crate::server) mod outgoing;
pub(in crate::server) mod piece;
pub(in crate::server) mod publisher;
mod relayed;
pub(in crate::server) mod sink;
pub(in crate::server) mod thumbnails;
mod viewer_list;
pub(in crate::server) mod viewer_queue;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use parking_lot::Mutex;

use crate::base::Timestamp;
use crate::net;
use crate::server::access::rules::AppLimits;
use crate::server::event::{Protocol, PublisherFigures, StreamFigures};
use crate::server::service::config::Limits;
use crate::server::stream::late_join_cache::{Cache, Keep};
use crate::server::stream::message::{Batch, Class, Message, Plain};
use crate::server::stream::publisher::{Dismissal, Publisher};
use crate::server::stream::sink::{Sink, ViewerRecord};
use crate::wire::container::flv::TagKind;

/// The times of a new publisher stay unchanged if they follow the predecessor's last time by at
/// most the elapsed time plus this value.
const CONTINUES_WITHIN_MS: u32 = 10_000;
/// A publisher that is silent for this long is a ghost. A network change leaves one behind. A ghost
/// looks like another authorized publisher, because a whole household can share an address. A
/// stream without data for this long has stalled for its viewers anyway.
const GHOST_AFTER: Duration = Duration::from_secs(4);
/// A silent publisher on this computer counts as a ghost after this time. The time is shorter,
/// because the system closes the connections of dead processes.
const GHOST_HERE_AFTER: Duration = Duration::from_secs(2);
/// Messages are held only for at least this many viewers. For fewer, the system calls cost little.
const HOLD_FROM: usize = 500;
/// From this many viewers on, a burst is sent with one system call, if supported.
const ONE_CALL_FROM: usize = 4;
/// Maximum number of held messages.
const MAX_HELD: usize = 32;

/// A stream. Viewers may be locked while the stream is locked, never the other way around. `sending` is
/// locked before `inner`.
#[derive(Debug)]
pub(super) struct Stream {
    pub app: String,
    pub name: String,
    /// Address of the first client; see [`subscriber`](crate::server::access::admission::subscriber).
    pub opened_by: IpAddr,
    limits: Limits,
    /// Locked while messages are sent to the viewers. Sending to a crowd takes some milliseconds. New
    /// viewers do not need this lock, so they do not wait.
    sending: Mutex<()>,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    publisher: Option<Publisher>,
    cache: Cache,
    viewers: Vec<Viewer>,
    /// The viewers with a connection, in no particular order.
    records: Vec<ViewerRecord>,
    /// Cached messages that are not sent yet, because they wait for the next bursts.
    held: Vec<Arc<Message>>,
    /// The time at which the first held message arrived.
    held_since: Option<Timestamp>,
    /// The shift that makes a publisher's times continue those of the previous one, in ms.
    shift_ms: u32,
    last: Option<(u32, Timestamp)>,
    /// True if no message of this publisher has arrived.
    fresh: bool,
}

/// A viewer of a stream.
#[derive(Clone, Debug)]
struct Viewer {
    sink: Arc<dyn Sink>,
    /// Number of held messages that the viewer has already received from the cache.
    received: usize,
}

/// Messages, and the viewers that were there when these messages left the stream.
struct Delivery {
    messages: Vec<Arc<Message>>,
    viewers: Vec<Viewer>,
}

/// A client that wants to publish.
#[derive(Copy, Clone, Debug)]
pub(super) struct Claim<'a> {
    pub id: u64,
    pub address: SocketAddr,
    /// The part after the stream's name.
    pub credentials: &'a str,
    /// True if the server has checked the client's key or password.
    pub proven: bool,
    pub limits: AppLimits,
}

/// A message of a publisher.
#[derive(Debug)]
pub(super) struct Incoming {
    pub kind: TagKind,
    pub time_ms: u32,
    pub body: Bytes,
    /// True for `onMetaData`.
    pub metadata: bool,
}

impl Stream {
    pub fn new(app: String, name: String, opened_by: IpAddr, limits: Limits) -> Self {
        Self { app, name, opened_by, limits, sending: Mutex::default(), inner: Mutex::default() }
    }

    /// Makes a client the publisher. Returns `None` if another publisher stays. After a lost
    /// connection, the old connection may still count as the publisher. It gives way at once to the
    /// same identity at the same address, and to others with the same credentials once it is
    /// silent.
    pub fn publish(&self, claim: Claim<'_>, now: Timestamp) -> Option<Arc<Dismissal>> {
        let Claim { id, address, credentials, proven, limits } = claim;
        let _sending = self.sending.lock();
        let mut inner = self.inner.lock();
        if let Some(old) = &inner.publisher {
            let patience = match (old.address.ip() == address.ip(), address.ip().is_loopback()) {
                (true, _) if proven => Duration::ZERO,
                (true, true) => GHOST_HERE_AFTER,
                _ => GHOST_AFTER,
            };
            if old.credentials != credentials || now.since(old.heard) < patience {
                return None;
            }
            old.dismissal.dismiss("replaced by a new connection of the same publisher");
        }
        inner.release().send();
        if inner.viewers.is_empty() {
            inner.last = None;
        }
        inner.cache.forget();
        inner.fresh = true;
        let publisher = Publisher::new(id, address, credentials, now).within(&limits);
        let dismissal = Arc::clone(&publisher.dismissal);
        inner.publisher = Some(publisher);
        inner.viewers.iter().for_each(|viewer| viewer.sink.resume());
        Some(dismissal)
    }

    /// Records that the publisher `id` has left. Returns false if another one has taken over.
    pub fn unpublish(&self, id: u64) -> bool {
        let _sending = self.sending.lock();
        let mut inner = self.inner.lock();
        if inner.publisher.as_ref().is_none_or(|publisher| publisher.id != id) {
            return false;
        }
        inner.release().send();
        inner.publisher = None;
        inner.cache.forget();
        inner.viewers.iter().for_each(|viewer| viewer.sink.end());
        true
    }

    /// Disconnects the publisher. Returns false if there is no publisher.
    pub fn dismiss(&self, reason: impl Into<Cow<'static, str>>) -> bool {
        let inner = self.inner.lock();
        inner.publisher.as_ref().inspect(|publisher| publisher.dismissal.dismiss(reason)).is_some()
    }

    /// Takes messages of publisher `id`, and passes them on. If some are held, returns the time by which
    /// the caller must call [`Stream::flush`], unless it calls `take` earlier.
    pub fn take(&self, id: u64, incoming: &mut Vec<Incoming>, now: Timestamp) -> Option<Timestamp> {
        let _sending = self.sending.lock();
        let mut guard = self.inner.lock();
        let inner = &mut *guard;
        let Some(publisher) = inner.publisher.as_mut().filter(|publisher| publisher.id == id)
        else {
            incoming.clear();
            return None;
        };
        publisher.hear(now);
        for Incoming { kind, time_ms, body, metadata } in incoming.drain(..) {
            publisher.count(body.len(), now);
            // Metadata and similar messages have no valid time: their time is 0.
            if kind != TagKind::Script && std::mem::take(&mut inner.fresh) {
                inner.shift_ms = shift(inner.last, time_ms, now);
            }
            let time_ms = match (inner.fresh, inner.last) {
                (true, Some((last_ms, _))) => last_ms,
                _ => time_ms.wrapping_add(inner.shift_ms),
            };
            if !inner.fresh {
                inner.last = Some((time_ms, now));
            }
            let (class, keep, plain) = publisher.classify(kind, &body, metadata);
            if class == Class::Key {
                publisher.keys.note(time_ms);
            }
            let Ok(mark) = inner.cache.mark(kind, keep, &body) else {
                publisher.dismissal.dismiss("its codec configs are too large");
                continue;
            };
            // Metadata that is too large to keep may be dropped like a time code.
            let class = if keep == Keep::Metadata && mark.is_none() { Class::Sound } else { class };
            let mut message = Message::new(kind, class, time_ms, &body).with_mark(mark);
            if let Some(plain) = plain {
                message = message.with_plain(match plain {
                    Some(body) => {
                        let plain = Message::new(kind, class, time_ms, &body).with_mark(mark);
                        Plain::Track(Arc::new(plain))
                    }
                    None => Plain::Nothing,
                });
            }
            let message = Arc::new(message);
            inner.cache.store(&message, keep, self.limits.group_bytes);
            inner.held.push(message);
        }
        let flush_by = *inner.held_since.get_or_insert(now) + self.limits.hold;
        let is_held = inner.viewers.len() >= HOLD_FROM
            && (1..MAX_HELD).contains(&inner.held.len())
            && now < flush_by;
        if !is_held {
            let delivery = inner.release();
            drop(guard);
            delivery.send();
        }
        is_held.then_some(flush_by)
    }

    /// Sends held messages.
    pub fn flush(&self) {
        let _sending = self.sending.lock();
        let delivery = self.inner.lock().release();
        delivery.send();
    }

    /// Adds a viewer, and sends the initial data. Returns false if there are too many viewers.
    pub fn join(&self, viewer: Arc<dyn Sink>) -> bool {
        self.join_within(viewer, self.limits.viewers)
    }

    /// Works like [`Stream::join`], but with another limit.
    pub fn join_within(&self, viewer: Arc<dyn Sink>, most: usize) -> bool {
        let mut inner = self.inner.lock();
        let is_full = || inner.viewers.iter().filter(|it| it.sink.is_viewer()).count() >= most;
        if viewer.is_viewer() && inner.viewers.len() >= most && is_full() {
            return false;
        }
        viewer.deliver(&Batch::pieces(&inner.cache.for_late_joiner()));
        // The cache contains the held messages.
        let received = inner.held.len();
        inner.viewers.push(Viewer { sink: viewer, received });
        true
    }

    /// Removes a viewer, if present. Afterwards, the viewer receives nothing more from this stream.
    pub fn leave(&self, id: u64) -> Option<Arc<dyn Sink>> {
        let _sending = self.sending.lock();
        let mut inner = self.inner.lock();
        let place = inner.viewers.iter().position(|viewer| viewer.sink.id() == id);
        inner.forget_record(id);
        place.map(|place| inner.viewers.swap_remove(place).sink)
    }

    /// Returns the codec configs and the last keyframe of the video, if there is one.
    pub fn keyframe(&self) -> Option<Vec<Arc<Message>>> {
        self.inner.lock().cache.keyframe()
    }

    pub fn is_published(&self) -> bool {
        self.inner.lock().publisher.is_some()
    }

    /// Returns true if there is neither a publisher nor a viewer.
    pub fn is_idle(&self) -> bool {
        let inner = self.inner.lock();
        inner.publisher.is_none() && inner.viewers.is_empty()
    }

    /// Returns the maximum keyframe interval of the publisher, if known.
    pub fn key_interval(&self) -> Option<Duration> {
        self.inner.lock().publisher.as_ref()?.keys.longest()
    }

    /// Returns the number of bytes that publisher `id` has sent.
    pub fn received(&self, id: u64) -> u64 {
        let inner = self.inner.lock();
        inner.publisher.as_ref().filter(|publisher| publisher.id == id).map_or(0, |p| p.bytes)
    }

    pub fn figures(&self, now: Timestamp) -> StreamFigures {
        let inner = self.inner.lock();
        let mut protocols = BTreeMap::new();
        for viewer in inner.viewers.iter().filter(|viewer| viewer.sink.is_viewer()) {
            *protocols.entry(viewer.sink.protocol()).or_default() += 1;
        }
        StreamFigures {
            app: self.app.clone(),
            stream: self.name.clone(),
            viewers: protocols.values().sum(),
            hls_viewers: 0,
            whep_viewers: protocols.get(&Protocol::Whep).copied().unwrap_or_default(),
            protocols,
            publisher: inner.publisher.as_ref().map(|publisher| PublisherFigures {
                id: publisher.id,
                address: publisher.address,
                since: now.since(publisher.since),
                bytes: publisher.bytes,
                bitrate: publisher.bitrate,
                encoder: publisher.encoder(),
                stalls: publisher.stalls,
                video: publisher.video.clone(),
                audio: publisher.audio.clone(),
            }),
        }
    }
}

impl Inner {
    fn forget_record(&mut self, id: u64) {
        if let Some(at) = self.records.iter().position(|record| record.id == id) {
            self.records.swap_remove(at);
        }
    }

    /// Takes the held messages for all viewers.
    fn release(&mut self) -> Delivery {
        self.held_since = None;
        if self.held.is_empty() || self.viewers.is_empty() {
            self.held.clear();
            return Delivery { messages: Vec::new(), viewers: Vec::new() };
        }
        let delivery =
            Delivery { messages: std::mem::take(&mut self.held), viewers: self.viewers.clone() };
        self.viewers.iter_mut().for_each(|viewer| viewer.received = 0);
        delivery
    }
}

impl Delivery {
    fn send(&self) {
        if self.messages.is_empty() {
            return;
        }
        let batch = Batch::joined(&self.messages);
        if self.viewers.len() < ONE_CALL_FROM || !self.send_in_one_call(&batch) {
            self.viewers.iter().for_each(|viewer| viewer.deliver(&batch));
        }
    }

    /// Sends with one system call to all viewers that keep up, and one by one to the others.
    /// Returns false, without sending anything, if that is impossible.
    fn send_in_one_call(&self, batch: &Batch<'_>) -> bool {
        let Some(joined) = &batch.joined else { return false };
        let mut lent: Vec<_> = (self.viewers.iter())
            .map(|it| if it.received == 0 { it.sink.lend(batch) } else { None })
            .collect();
        let mut taken = Vec::with_capacity(lent.len());
        let streams = lent.iter().flatten().map(|out| &out.stream);
        if !net::send_to_all(streams, joined, &mut taken) {
            return false;
        }
        let mut taken = taken.into_iter();
        for (viewer, lent) in self.viewers.iter().zip(&mut lent) {
            let Some(mut out) = lent.take() else {
                viewer.deliver(batch);
                continue;
            };
            let result = taken.next().unwrap_or_else(|| Err(io::ErrorKind::WouldBlock.into()));
            let sent = out.past_queue(batch, joined.len(), result);
            let all_done = out.is_done();
            drop(out);
            viewer.sink.settle(sent, all_done);
        }
        true
    }
}

impl Viewer {
    /// Delivers the messages of a batch that the viewer does not have yet.
    fn deliver(&self, batch: &Batch<'_>) {
        match batch.messages.get(self.received..) {
            _ if self.received == 0 => self.sink.deliver(batch),
            None | Some([]) => {}
            Some(rest) => self.sink.deliver(&Batch::pieces(rest)),
        }
    }
}

/// Returns the time shift of a new publisher, in milliseconds.
fn shift(last: Option<(u32, Timestamp)>, first_ms: u32, now: Timestamp) -> u32 {
    let Some((last_ms, at)) = last else { return 0 };
    let elapsed = u32::try_from(now.since(at).as_millis()).unwrap_or(u32::MAX).max(1);
    if first_ms.wrapping_sub(last_ms) <= elapsed.saturating_add(CONTINUES_WITHIN_MS) {
        // The times already continue, like those of onair's own publisher after a lost connection.
        return 0;
    }
    last_ms.wrapping_add(elapsed).wrapping_sub(first_ms)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::mpsc;
    use std::thread;

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
    fn metadata_at_zero_do_not_move_a_publisher_that_goes_on_by_itself() {
        let (stream, viewers) = published(1);
        assert!(stream.take(1, &mut picture(8_000, true), Timestamp::ZERO).is_none());
        let (home, back) = ("127.0.0.1:6".parse().unwrap(), Timestamp::from_millis(5_000));
        assert!(stream.publish(claim(2, home, ""), back).is_some(), "a ghost");
        let body = Bytes::from_static(b"title");
        let title = Incoming { kind: TagKind::Script, time_ms: 0, body, metadata: true };
        assert!(stream.take(2, &mut vec![title], back).is_none());
        assert!(stream.take(2, &mut picture(13_000, true), back).is_none());
        let times: Vec<u32> = viewers[0].1.lock().iter().flat_map(|it| it.0.clone()).collect();
        assert_eq!(times, [8_000, 8_000, 13_000]);
    }

    /// Returns a claim of a client whose credentials the server has not checked.
    fn claim(id: u64, address: SocketAddr, credentials: &str) -> Claim<'_> {
        Claim { id, address, credentials, proven: false, limits: AppLimits::default() }
    }

    #[test]
    fn a_second_publisher_is_refused_unless_it_has_proven_to_be_the_same_one() {
        let stream =
            Stream::new("live".into(), "a".into(), IpAddr::from([127, 0, 0, 1]), Limits::default());
        let (far, other) = ("192.0.2.1:7".parse().unwrap(), "192.0.2.2:7".parse().unwrap());
        let now = Timestamp::ZERO;
        let tested = |id, address, credentials| {
            stream.publish(Claim { proven: true, ..claim(id, address, credentials) }, now)
        };
        assert!(tested(3, far, "key=1").is_some());
        assert!(tested(4, other, "key=1").is_none(), "from elsewhere: it may be a colleague");
        assert!(tested(4, far, "key=2").is_none(), "another key");
        assert!(tested(4, far, "key=1").is_some());
        assert!(!stream.unpublish(3), "no longer the publisher");
        assert!(stream.unpublish(4));
    }

    #[test]
    fn behind_one_address_only_the_silent_give_way() {
        let limit = [("127.0.0.1:5", GHOST_HERE_AFTER), ("192.0.2.1:7", GHOST_AFTER)];
        for ((address, patience), credentials) in
            limit.into_iter().flat_map(|it| [(it, ""), (it, "token=untested")])
        {
            let stream = Stream::new(
                "live".into(),
                "a".into(),
                IpAddr::from([127, 0, 0, 1]),
                Limits::default(),
            );
            let address: SocketAddr = address.parse().unwrap();
            let start = Timestamp::ZERO;
            assert!(stream.publish(claim(1, address, credentials), start).is_some());
            // The client keeps sending.
            for second in 1..20 {
                let at = start + Duration::from_secs(second);
                stream.take(1, &mut picture(second as u32 * 1_000, true), at);
                let refused = stream.publish(claim(2, address, credentials), at);
                assert!(refused.is_none(), "{address} {credentials}: it still sends");
            }
            let last = start + Duration::from_secs(19);
            let soon = last + patience - Duration::from_millis(1);
            assert!(stream.publish(claim(2, address, credentials), soon).is_none());
            assert!(stream.publish(claim(2, address, credentials), last + patience).is_some());
            assert!(!stream.unpublish(1), "no longer the publisher");
        }
    }

    #[test]
    fn a_silent_publisher_is_replaced_from_another_address_and_one_that_sends_is_not() {
        let stream =
            Stream::new("live".into(), "a".into(), IpAddr::from([127, 0, 0, 1]), Limits::default());
        let (old, new) = ("192.0.2.1:7".parse().unwrap(), "198.51.100.2:7".parse().unwrap());
        let at = Timestamp::from_millis;
        assert!(stream.publish(claim(1, old, "key=1"), at(0)).is_some());
        stream.take(1, &mut picture(0, true), at(60_000));
        assert!(
            stream.publish(claim(2, new, "key=1"), at(63_900)).is_none(),
            "it may come back yet"
        );
        assert!(stream.publish(claim(2, new, ""), at(70_000)).is_none(), "somebody else");
        stream.take(1, &mut picture(1_000, true), at(64_000));
        assert!(stream.publish(claim(2, new, "key=1"), at(67_900)).is_none(), "it has come back");
        assert!(stream.publish(claim(2, new, "key=1"), at(68_000)).is_some());
        assert!(!stream.unpublish(1), "no longer the publisher");
    }

    /// A viewer that records its deliveries: the times of the messages, and whether they came in
    /// one piece.
    #[derive(Debug, Default)]
    struct Viewer(u64, Mutex<Vec<(Vec<u32>, bool)>>);

    impl Sink for Viewer {
        fn id(&self) -> u64 {
            self.0
        }

        fn deliver(&self, batch: &Batch<'_>) {
            let times = batch.messages.iter().map(|message| message.time_ms).collect();
            let length: usize = batch.messages.iter().map(|message| message.weight()).sum();
            let joined = batch.joined.as_ref();
            assert!(joined.is_none_or(|bytes| bytes.len() == length));
            self.1.lock().push((times, joined.is_some()));
        }

        fn end(&self) {
            self.1.lock().push((Vec::new(), false));
        }

        fn resume(&self) {}
    }

    fn picture(time_ms: u32, key: bool) -> Vec<Incoming> {
        let first = if key { 0x17 } else { 0x27 };
        let body = Bytes::from(vec![first, 1, 0, 0, 0, 0, 0, 0, 1, 0x65]);
        vec![Incoming { kind: TagKind::Video, time_ms, body, metadata: false }]
    }

    fn published(viewers: usize) -> (Stream, Vec<Arc<Viewer>>) {
        let limits = Limits { hold: Duration::from_millis(1), ..Limits::default() };
        let stream = Stream::new("live".into(), "a".into(), IpAddr::from([127, 0, 0, 1]), limits);
        let home: SocketAddr = "127.0.0.1:5".parse().unwrap();
        assert!(stream.publish(claim(1, home, ""), Timestamp::ZERO).is_some());
        let viewers: Vec<_> =
            (0..viewers).map(|id| Arc::new(Viewer(id as u64, Mutex::default()))).collect();
        for viewer in &viewers {
            assert!(stream.join(Arc::<Viewer>::clone(viewer)));
            assert_eq!(std::mem::take(&mut *viewer.1.lock()), [(vec![], false)], "nothing yet");
        }
        (stream, viewers)
    }

    #[test]
    fn a_burst_leaves_in_one_piece_where_there_are_many_viewers() {
        let (stream, viewers) = published(HOLD_FROM);
        assert!(stream.take(1, &mut picture(0, true), Timestamp::ZERO).is_some(), "held back");
        assert!(stream.take(1, &mut picture(33, false), Timestamp::ZERO).is_some());
        assert!(viewers[0].1.lock().is_empty());
        stream.flush();
        stream.flush();
        assert!(stream.take(1, &mut picture(66, false), Timestamp::from_millis(5)).is_some());
        let after_limit = Timestamp::from_millis(6);
        assert!(stream.take(1, &mut picture(99, false), after_limit).is_none(), "without a flush");
        for viewer in &viewers {
            assert_eq!(*viewer.1.lock(), [(vec![0, 33], true), (vec![66, 99], true)]);
        }
    }

    #[test]
    fn few_viewers_get_each_message_at_once() {
        let (stream, viewers) = published(HOLD_FROM - 1);
        assert!(stream.take(1, &mut picture(0, true), Timestamp::ZERO).is_none());
        assert!(stream.take(1, &mut picture(33, false), Timestamp::ZERO).is_none());
        assert_eq!(*viewers[0].1.lock(), [(vec![0], true), (vec![33], true)]);
    }

    #[test]
    fn what_is_held_back_is_bounded_and_goes_before_anything_else_happens() {
        let (stream, viewers) = published(HOLD_FROM);
        for time in 1..MAX_HELD as u32 {
            assert!(stream.take(1, &mut picture(time, time == 1), Timestamp::ZERO).is_some());
        }
        let full = stream.take(1, &mut picture(MAX_HELD as u32, false), Timestamp::ZERO);
        assert!(full.is_none(), "full");
        let all: Vec<u32> = (1..=MAX_HELD as u32).collect();
        assert_eq!(std::mem::take(&mut *viewers[0].1.lock()), [(all, true)]);

        assert!(stream.take(1, &mut picture(100, false), Timestamp::ZERO).is_some());
        assert!(stream.unpublish(1));
        assert_eq!(*viewers[0].1.lock(), [(vec![100], true), (vec![], false)]);
    }

    #[test]
    fn a_new_viewer_gets_held_messages_once_and_does_not_end_the_hold() {
        let (stream, viewers) = published(HOLD_FROM);
        assert!(stream.take(1, &mut picture(0, true), Timestamp::ZERO).is_some());
        let late: Vec<_> = (0..2).map(|id| Arc::new(Viewer(id, Mutex::default()))).collect();
        assert!(stream.join(Arc::<Viewer>::clone(&late[0])));
        assert!(stream.take(1, &mut picture(33, false), Timestamp::ZERO).is_some());
        assert!(stream.join(Arc::<Viewer>::clone(&late[1])));
        assert!(viewers[0].1.lock().is_empty(), "still held");
        stream.flush();
        assert!(stream.take(1, &mut picture(66, false), Timestamp::ZERO).is_some());
        stream.flush();
        assert_eq!(*viewers[0].1.lock(), [(vec![0, 33], true), (vec![66], true)]);
        let first = [(vec![0], false), (vec![33], false), (vec![66], true)];
        assert_eq!(*late[0].1.lock(), first, "each message once");
        assert_eq!(*late[1].1.lock(), [(vec![0, 33], false), (vec![66], true)]);
    }

    #[test]
    fn a_viewer_joins_while_the_stream_sends_and_leaves_only_afterwards() {
        /// A viewer that waits in its first delivery with data until it is let go.
        #[derive(Debug)]
        struct Slow(Mutex<mpsc::SyncSender<()>>, Mutex<mpsc::Receiver<()>>, Arc<AtomicBool>);

        impl Sink for Slow {
            fn id(&self) -> u64 {
                7
            }

            fn deliver(&self, batch: &Batch<'_>) {
                if !batch.messages.is_empty() {
                    let _ = self.0.lock().send(());
                    let _ = self.1.lock().recv();
                    self.2.store(true, Ordering::Release);
                }
            }

            fn end(&self) {}

            fn resume(&self) {}
        }

        let (stream, _) = published(0);
        let (begun, has_begun) = mpsc::sync_channel(1);
        let (let_go, gate) = mpsc::sync_channel::<()>(1);
        let received = Arc::new(AtomicBool::new(false));
        let slow = Slow(Mutex::new(begun), Mutex::new(gate), Arc::clone(&received));
        assert!(stream.join(Arc::new(slow)));
        let late = Arc::new(Viewer(8, Mutex::default()));
        thread::scope(|scope| {
            scope.spawn(|| stream.take(1, &mut picture(0, true), Timestamp::ZERO));
            has_begun.recv().unwrap();
            assert!(stream.join(Arc::<Viewer>::clone(&late)), "without waiting for the slow one");
            let leaving = scope.spawn(|| {
                assert!(stream.leave(7).is_some());
                received.load(Ordering::Acquire)
            });
            drop(let_go);
            assert!(leaving.join().unwrap(), "nothing comes after the end");
        });
        assert_eq!(*late.1.lock(), [(vec![0], false)], "from the cache only");
    }

    #[test]
    fn tracks_are_kept_apart_for_those_who_know_one_only() {
        /// A viewer without multitrack support that records its messages and their number.
        #[derive(Debug, Default)]
        struct Plain(Mutex<(Vec<Bytes>, usize)>);

        impl Sink for Plain {
            fn id(&self) -> u64 {
                1
            }

            fn deliver(&self, batch: &Batch<'_>) {
                let mut got = self.0.lock();
                let plain = batch.messages.iter().filter_map(|message| message.for_viewer(false));
                got.0.extend(plain.map(|message| message.body()));
                got.1 += batch.messages.len();
            }

            fn end(&self) {}

            fn resume(&self) {}
        }

        let (stream, _) = published(0);
        let send = |body: &'static [u8]| {
            let body = Bytes::from_static(body);
            let mut one =
                vec![Incoming { kind: TagKind::Video, time_ms: 5, body, metadata: false }];
            stream.take(1, &mut one, Timestamp::ZERO)
        };
        // A keyframe of both tracks, a frame of the second track, and a frame of the first.
        send(b"\x96\x11avc1\x00\x00\x00\x05\x00\x00\x00AB\x01\x00\x00\x04\x00\x00\x00C");
        send(b"\x96\x01avc1\x01\x00\x00\x00D");
        send(b"\x27\x01\x00\x00\x00E");
        let late = Arc::new(Plain::default());
        assert!(stream.join(Arc::<Plain>::clone(&late)));
        let expected: [&[u8]; 2] = [b"\x17\x01\x00\x00\x00AB", b"\x27\x01\x00\x00\x00E"];
        assert_eq!(*late.0.lock(), (expected.map(Bytes::from_static).to_vec(), 3));
    }
}
