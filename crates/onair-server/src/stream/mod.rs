//! One stream: its publisher, the initial data for new viewers, and its viewers. The publisher's
//! task sends messages to all viewers, so that no viewer's task needs to wake up. A publisher's
//! burst is sent with one system call, because a system call costs more than copying the bytes. The file is long because
//! all of this happens under one lock.

pub(crate) mod bitrate_history;
pub(crate) mod codec_figures;
pub(crate) mod flv_sink;
pub(crate) mod late_join_cache;
pub(crate) mod message;
pub(crate) mod message_sink;
pub(crate) mod outgoing;
pub(crate) mod publisher;
pub(crate) mod receivers;
pub(crate) mod relayed;
pub(crate) mod sink;
#[cfg(test)]
mod tests;
pub(crate) mod thumbnails;
pub(crate) mod viewer_queue;

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use parking_lot::{Mutex, MutexGuard};
use tokio::sync::Notify;

use crate::base::Timestamp;
use crate::net;
use crate::server::access::admission::Admission;
use crate::server::access::limits::Limits;
use crate::server::access::rules::AppLimits;
use crate::server::event::viewer_counts::ViewerCounts;
use crate::server::event::{LinkFigures, Protocol, PublisherFigures, StreamFigures};
use crate::server::stream::late_join_cache::{Cache, CacheRule};
use crate::server::stream::message::{Batch, Class, Message, SingleTrack};
use crate::server::stream::publisher::{Dismissal, Publisher};
use crate::server::stream::receivers::aac_need::AacNeed;
use crate::server::stream::relayed::RelaySource;
use crate::server::stream::sink::{Sink, ViewerRecord};
use crate::text::problem::{Problem, problem};
use crate::wire::container::flv::TagKind;
use crate::wire::container::flv::metadata::without_file_properties;
use crate::wire::container::flv::normalize::{Normalizer, Remark};

/// A publisher that has sent nothing for this long counts as a lost connection, for example after a
/// change of networks. A new publisher with the same credentials then replaces it. The server does
/// not replace it earlier, because it may belong to somebody else: a whole household can share an
/// address. The stream has stalled for its viewers by then anyway.
const GHOST_TIMEOUT: Duration = Duration::from_secs(4);
/// A silent publisher on this computer counts as a lost connection after this time. The time is
/// shorter, because the system closes the connections of dead processes.
const LOCAL_GHOST_TIMEOUT: Duration = Duration::from_secs(2);
/// Messages are held only for at least this many viewers. For fewer, the system calls cost little.
const MIN_HOLD_VIEWERS: usize = 500;
/// From this many viewers on, a burst is sent with one system call for each part of the viewers, if
/// supported.
const MIN_BATCH_CALL_VIEWERS: usize = 4;
/// Number of viewers in one part of a delivery. Other tasks run between two parts. With smaller parts, clients that
/// join or leave wait less, but each part costs CPU time.
const PART_VIEWERS: usize = 256;
/// Number of viewers in one part while clients are joining.
const JOINING_PART_VIEWERS: usize = 64;
/// Maximum number of held messages.
const MAX_HELD_MESSAGES: usize = 32;
/// The first message of a relay that gets nothing from the publisher.
const NO_MESSAGE: u64 = u64::MAX;

/// A stream. Viewers may be locked while the stream is locked, never the other way around. `sending` is
/// locked before `inner`.
#[derive(Debug)]
pub(super) struct Stream {
    pub app: String,
    pub name: String,
    /// Address of the first client; see [`subscriber`](crate::net::subscriber::subscriber).
    pub opened_by: IpAddr,
    limits: Limits,
    /// The delivery that is being sent to the viewers. New viewers do not need this lock, so they do not
    /// wait.
    sending: Mutex<Delivery>,
    inner: Mutex<Inner>,
    /// Wakes the task that starts encoders of AAC.
    aac_wanted: Arc<Notify>,
}

#[derive(Debug, Default)]
struct Inner {
    publisher: Option<Publisher>,
    cache: Cache,
    /// Brings the publisher's messages into the form of all outputs.
    normalizer: Normalizer,
    /// The list is shared with the current delivery, and copied if it changes meanwhile.
    viewers: Arc<Vec<Viewer>>,
    /// The number of viewers, without other receivers.
    counts: ViewerCounts,
    /// The viewers with a connection, in no particular order.
    records: Vec<ViewerRecord>,
    /// Cached messages that are not sent yet, because they wait for the next bursts.
    held: Vec<Arc<Message>>,
    /// Number of messages that are no longer held.
    released: u64,
    /// The time at which the first held message arrived.
    held_since: Option<Timestamp>,
    /// The shift that makes a publisher's times continue those of the previous one, in ms.
    shift_ms: u32,
    last: Option<(u32, Timestamp)>,
    /// True if no media of this publisher has arrived.
    fresh: bool,
    aac: AacNeed,
}

/// A viewer of a stream.
#[derive(Clone, Debug)]
struct Viewer {
    sink: Arc<dyn Sink>,
    /// The protocol of a viewer, or `None` for another receiver. It stays the same until the viewer leaves.
    counts_as: Option<Protocol>,
    /// The number of the first message that the viewer does not receive from the cache, or [`NO_MESSAGE`].
    first: u64,
}

/// Messages, and the viewers that were there when these messages left the stream.
#[derive(Debug, Default)]
struct Delivery {
    messages: Vec<Arc<Message>>,
    /// The number of the first message.
    first: u64,
    /// See [`Batch::joined`].
    joined: Option<Bytes>,
    viewers: Arc<Vec<Viewer>>,
    /// Number of viewers that have received the messages.
    served: usize,
}

/// A client that wants to publish.
#[derive(Copy, Clone, Debug)]
pub(super) struct Claim<'a> {
    pub id: u64,
    pub protocol: Protocol,
    pub address: SocketAddr,
    /// The part after the stream's name.
    pub credentials: &'a str,
    /// True if the server has checked the client's key or password.
    pub proven: bool,
    /// True if the client is a relay.
    pub relayed: bool,
    pub limits: AppLimits,
}

impl Claim<'_> {
    /// Returns the reason for the end of the present publisher if the client replaces it.
    fn replaces(&self, old: &Publisher, now: Timestamp) -> Option<Problem> {
        let patience =
            match (old.address.ip() == self.address.ip(), self.address.ip().is_loopback()) {
                (true, _) if self.proven => Duration::ZERO,
                (true, true) => LOCAL_GHOST_TIMEOUT,
                _ => GHOST_TIMEOUT,
            };
        let silence = now.since(old.last_received);
        let is_pulled = old.source.origin.is_some();
        // A pull has no client, so nobody else can have its credentials.
        let is_same = !is_pulled && old.credentials == self.credentials && silence >= patience;
        let is_pushed = old.source.path.last().is_some();
        let gives_way = self.proven && (is_pulled || is_pushed);
        let is_lost = is_pushed && silence >= GHOST_TIMEOUT;
        let replaces_relay = !self.relayed && (gives_way || is_lost);
        match (is_same, replaces_relay) {
            (true, _) => Some(problem!("left-replaced")),
            (false, true) => Some(problem!("relay-name-taken")),
            (false, false) => None,
        }
    }
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
        let (sending, inner) = Default::default();
        Self { app, name, opened_by, limits, sending, inner, aac_wanted: Arc::default() }
    }

    /// Returns the stream, which wakes a task when it needs an encoder of AAC.
    #[must_use]
    pub fn waking(self, aac_wanted: &Arc<Notify>) -> Self {
        Self { aac_wanted: Arc::clone(aac_wanted), ..self }
    }

    /// Makes a client the publisher. Returns `None` if another publisher stays. After a lost
    /// connection, the old connection may still count as the publisher. It gives way at once to the
    /// same identity at the same address, and to others with the same credentials once it is
    /// silent. A pull, and a stream that another server pushes here, give way to every client whose key or
    /// password the server has checked, except relays: the pulled stream could come back from the
    /// relay's server. If the other server is lost, its publisher may come here, so a silent push also
    /// gives way to a client that has no key.
    pub fn publish(&self, claim: Claim<'_>, now: Timestamp) -> Option<Arc<Dismissal>> {
        let Claim { id, protocol, address, credentials, limits, .. } = claim;
        let _sending = self.finished();
        let mut inner = self.inner.lock();
        if let Some(old) = &inner.publisher {
            let reason = claim.replaces(old, now)?;
            old.dismissal.keep_received(old.bytes);
            old.dismissal.dismiss(reason);
        }
        inner.release().finish();
        if inner.viewers.is_empty() {
            inner.last = None;
        }
        inner.begin();
        let publisher = Publisher::new(id, address, credentials, now).by(protocol).within(&limits);
        let dismissal = Arc::clone(&publisher.dismissal);
        inner.publisher = Some(publisher);
        inner.bar_loops();
        inner.viewers.iter().for_each(|viewer| viewer.sink.resume());
        Some(dismissal)
    }

    /// Returns true if [`Stream::publish`] would make a client the publisher now.
    pub fn may_publish(&self, claim: Claim<'_>, now: Timestamp) -> bool {
        let inner = self.inner.lock();
        inner.publisher.as_ref().is_none_or(|old| claim.replaces(old, now).is_some())
    }

    /// Records the state of the link of publisher `id`.
    pub fn note_link(&self, id: u64, link: LinkFigures) {
        let mut inner = self.inner.lock();
        if let Some(publisher) = inner.publisher.as_mut().filter(|it| it.id == id) {
            publisher.link = link;
        }
    }

    /// Records the sizes in which the publisher `id` sends its picture at once.
    pub fn note_layers(&self, id: u64, layers: Vec<(u32, u32)>) {
        let mut inner = self.inner.lock();
        if let Some(publisher) = inner.publisher.as_mut().filter(|it| it.id == id) {
            publisher.layers = layers;
        }
    }

    /// Records that the publisher `id` has left. Returns false if another one has taken over.
    pub fn unpublish(&self, id: u64) -> bool {
        let _sending = self.finished();
        let mut inner = self.inner.lock();
        if inner.publisher.as_ref().is_none_or(|publisher| publisher.id != id) {
            return false;
        }
        inner.release().finish();
        inner.publisher = None;
        inner.cache.forget();
        inner.viewers.iter().for_each(|viewer| viewer.sink.end());
        true
    }

    /// Records the source of the stream of publisher `id`.
    pub fn set_source(&self, id: u64, source: RelaySource) {
        let mut inner = self.inner.lock();
        if let Some(publisher) = inner.publisher.as_mut().filter(|it| it.id == id) {
            publisher.source = source;
            inner.bar_loops();
        }
    }

    /// Returns the source of the stream.
    pub fn source(&self) -> RelaySource {
        let inner = self.inner.lock();
        inner.publisher.as_ref().map(|publisher| publisher.source.clone()).unwrap_or_default()
    }

    /// Records that publisher `id`, a relay, continues with the data of another connection.
    /// Timestamps continue, and viewers stay.
    pub fn renew(&self, id: u64) {
        let _sending = self.finished();
        let mut inner = self.inner.lock();
        if inner.publisher.as_ref().is_some_and(|publisher| publisher.id == id) {
            inner.release().finish();
            inner.begin();
            inner.viewers.iter().for_each(|viewer| viewer.sink.resume());
        }
    }

    /// Disconnects the publisher. Returns false if there is no publisher.
    pub fn dismiss(&self, reason: Problem) -> bool {
        let inner = self.inner.lock();
        inner.publisher.as_ref().inspect(|publisher| publisher.dismissal.dismiss(reason)).is_some()
    }

    /// Takes messages of publisher `id`, and passes them on if there are few viewers. The caller then calls
    /// [`Stream::send_rest`] or [`Stream::finish`]. If some messages are held, returns the time by which the
    /// caller must call [`Stream::flush`], unless it calls `take` earlier.
    pub fn take(&self, id: u64, incoming: &mut Vec<Incoming>, now: Timestamp) -> Option<Timestamp> {
        let mut sending = self.finished();
        let mut guard = self.inner.lock();
        let inner = &mut *guard;
        let publisher = inner.publisher.as_mut();
        let Some(publisher) =
            publisher.filter(|publisher| publisher.id == id && !publisher.is_over)
        else {
            incoming.clear();
            return None;
        };
        publisher.hear(now);
        let mut normalized = Vec::with_capacity(incoming.len());
        for Incoming { kind, time_ms, body, metadata } in incoming.drain(..) {
            publisher.count(body.len(), now);
            let (config, body) = inner.normalizer.take(kind, time_ms, body);
            let bodies = config.into_iter().chain([body]);
            normalized.extend(bodies.map(|body| Incoming { kind, time_ms, body, metadata }));
        }
        for Incoming { kind, time_ms, body, metadata } in normalized {
            let (class, keep, plain) = publisher.classify(kind, &body, metadata);
            if metadata {
                inner.normalizer.metadata(&publisher.metadata);
            }
            // A live stream has no end, so viewers do not get one that its publisher declares.
            let live = if metadata { without_file_properties(&body) } else { None };
            let recorded = live.is_some().then(|| body.clone());
            let body = live.unwrap_or(body);
            // Only media has a valid time. Servers send codec configs from their caches with the times at which the
            // configs arrived there. FFmpeg takes metadata with another time than 0 for subtitles.
            let is_media = keep == CacheRule::Media;
            if is_media && std::mem::take(&mut inner.fresh) {
                inner.shift_ms = publisher::shift(inner.last, time_ms, now);
            }
            let time_ms = match (inner.fresh, inner.last) {
                _ if keep == CacheRule::Metadata => 0,
                (true, Some((last_ms, _))) => last_ms,
                (true, None) => time_ms,
                (false, _) => {
                    let time_ms = time_ms.wrapping_add(inner.shift_ms);
                    match is_media {
                        true => inner.normalizer.place(kind, time_ms, now),
                        false => inner.normalizer.place_beside(kind, time_ms),
                    }
                }
            };
            if is_media {
                inner.last = Some((time_ms, now));
            }
            if class == Class::Key {
                publisher.keys.note(time_ms);
            }
            let Ok(mark) = inner.cache.mark(kind, keep, &body) else {
                publisher.dismissal.dismiss(problem!("left-configs-too-large"));
                continue;
            };
            if matches!(keep, CacheRule::Header(_))
                && mark.is_some_and(|mark| inner.cache.is_change(mark))
            {
                publisher.count_change(now);
                if publisher.is_over {
                    break;
                }
            }
            // Metadata that is too large to keep may be dropped like a time code.
            let class =
                if keep == CacheRule::Metadata && mark.is_none() { Class::Audio } else { class };
            let single = plain.as_ref().map_or(Some(&body), Option::as_ref);
            let without_opus = inner.aac.form_without_opus(kind, metadata, single);
            let without_opus = without_opus.map(|form| match form {
                Some(body) => {
                    let form = Message::new(kind, class, time_ms, &body).with_mark(mark);
                    SingleTrack::Track(Arc::new(form))
                }
                None => SingleTrack::Nothing,
            });
            let mut message = Message::new(kind, class, time_ms, &body)
                .with_mark(mark)
                .with_form_without_opus(without_opus);
            if let Some(recorded) = &recorded {
                message = message.with_recorded(recorded);
            }
            if let Some(plain) = plain {
                message = message.with_plain(match plain {
                    Some(body) => {
                        let plain = Message::new(kind, class, time_ms, &body).with_mark(mark);
                        SingleTrack::Track(Arc::new(plain))
                    }
                    None => SingleTrack::Nothing,
                });
            }
            let message = Arc::new(message);
            inner.cache.store(&message, keep, self.limits.group_bytes);
            inner.held.push(message);
        }
        if inner.aac.is_wanted() {
            self.aac_wanted.notify_one();
        }
        let flush_by = *inner.held_since.get_or_insert(now) + self.limits.hold;
        let is_held = inner.viewers.len() >= MIN_HOLD_VIEWERS
            && (1..MAX_HELD_MESSAGES).contains(&inner.held.len())
            && now < flush_by;
        if !is_held {
            *sending = inner.release();
            drop(guard);
            sending.begin();
        }
        is_held.then_some(flush_by)
    }

    /// Sends held messages if there are few viewers. The caller then calls [`Stream::send_rest`].
    pub fn flush(&self) {
        let mut sending = self.finished();
        *sending = self.inner.lock().release();
        sending.begin();
    }

    /// Sends the delivery to the other viewers. Other tasks run between its parts.
    pub async fn send_rest(&self, admission: &Admission, now: Timestamp) {
        while !self.sending.lock().is_done() {
            let size = if admission.has_joining(now) { JOINING_PART_VIEWERS } else { PART_VIEWERS };
            self.sending.lock().send_part(size);
            tokio::task::yield_now().await;
        }
    }

    /// Sends the delivery to the other viewers at once.
    pub fn finish(&self) {
        drop(self.finished());
    }

    /// Finishes the delivery. While the result is held, nothing else is sent.
    fn finished(&self) -> MutexGuard<'_, Delivery> {
        let mut sending = self.sending.lock();
        sending.finish();
        sending
    }

    /// Adds a viewer, and queues the initial data. The caller then calls [`Sink::send_queued`] if the viewer has
    /// a socket. Returns false if there are too many viewers.
    pub fn join(&self, viewer: Arc<dyn Sink>) -> bool {
        self.join_within(viewer, self.limits.viewers)
    }

    /// Works like [`Stream::join`], but with another limit.
    pub fn join_within(&self, viewer: Arc<dyn Sink>, most: usize) -> bool {
        let mut inner = self.inner.lock();
        let counts_as = viewer.is_viewer().then(|| viewer.protocol());
        if counts_as.is_some() && inner.counts.total() >= most {
            return false;
        }
        // Some encoders refresh the video without keyframes.
        let has_keyframes = inner.publisher.as_ref().is_some_and(|it| it.keys.longest().is_some());
        if has_keyframes && inner.cache.waits_for_keyframe() {
            viewer.skip_to_keyframe();
        }
        let first = match inner.is_loop(&*viewer) {
            true => NO_MESSAGE,
            false => {
                viewer.queue(&Batch::pieces(&inner.cache.for_late_joiner()));
                // The cache contains the held messages.
                inner.released + inner.held.len() as u64
            }
        };
        inner.aac.join(viewer.takes_opus());
        if inner.aac.is_wanted() {
            self.aac_wanted.notify_one();
        }
        Arc::make_mut(&mut inner.viewers).push(Viewer { sink: viewer, counts_as, first });
        if let Some(protocol) = counts_as {
            inner.counts.add(protocol);
        }
        true
    }

    /// Removes a viewer, if present. Afterwards, the viewer receives nothing more from this stream. The other
    /// viewers do not get the rest of a delivery earlier, because that would block the caller's thread.
    pub fn leave(&self, id: u64) -> Option<Arc<dyn Sink>> {
        let mut sending = self.sending.lock();
        sending.forget(id);
        let mut inner = self.inner.lock();
        inner.forget_record(id);
        let at = inner.viewers.iter().position(|viewer| viewer.sink.id() == id)?;
        let Viewer { sink, counts_as, .. } = Arc::make_mut(&mut inner.viewers).swap_remove(at);
        inner.aac.leave(sink.takes_opus());
        if let Some(protocol) = counts_as {
            inner.counts.remove(protocol);
        }
        Some(sink)
    }

    /// Returns the codec configs and the last keyframe of the video, if there is one.
    pub fn keyframe(&self) -> Option<Vec<Arc<Message>>> {
        self.inner.lock().cache.keyframe()
    }

    /// Returns the time at which media last arrived. A publisher that begins without viewers resets it.
    pub fn last_media(&self) -> Option<Timestamp> {
        self.inner.lock().last.map(|(_, at)| at)
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

    /// Returns the difference between the audio times of the stream and those of its publisher, in milliseconds modulo 2^32.
    pub fn shift_ms(&self) -> u32 {
        let inner = self.inner.lock();
        inner.shift_ms.wrapping_add(inner.normalizer.audio_shift_ms())
    }

    /// Takes what is unusual about the publisher's data.
    pub fn remarks(&self) -> Vec<Remark> {
        self.inner.lock().normalizer.remarks()
    }

    /// Returns the number of bytes that publisher `id` has sent, or `None` if another publisher has replaced it.
    pub fn received(&self, id: u64) -> Option<u64> {
        let inner = self.inner.lock();
        inner.publisher.as_ref().filter(|publisher| publisher.id == id).map(|it| it.bytes)
    }

    /// Returns the bitrate over the last whole second in which the publisher sent data, or 0 without
    /// a publisher.
    pub fn last_bitrate(&self) -> u64 {
        self.inner.lock().publisher.as_ref().map_or(0, |publisher| publisher.bitrate)
    }

    pub fn figures(&self, now: Timestamp) -> StreamFigures {
        let inner = self.inner.lock();
        let protocols = inner.counts.by_protocol().clone();
        StreamFigures {
            app: self.app.clone(),
            stream: self.name.clone(),
            viewers: inner.counts.total(),
            hls_viewers: 0,
            whep_viewers: protocols.get(&Protocol::Whep).copied().unwrap_or_default(),
            protocols,
            publisher: inner.publisher.as_ref().map(|publisher| publisher.figures(now)),
        }
    }

    /// Returns the figures of the publisher, if there is one.
    pub fn publisher_figures(&self, now: Timestamp) -> Option<PublisherFigures> {
        self.inner.lock().publisher.as_ref().map(|publisher| publisher.figures(now))
    }
}

impl Inner {
    /// Handles the beginning of a publisher's data.
    fn begin(&mut self) {
        self.cache.forget();
        (self.normalizer, self.fresh) = (Normalizer::default(), true);
        self.aac.begin();
    }

    fn forget_record(&mut self, id: u64) {
        if let Some(at) = self.records.iter().position(|record| record.id == id) {
            self.records.swap_remove(at);
        }
    }

    /// Takes the held messages for all viewers.
    fn release(&mut self) -> Delivery {
        self.held_since = None;
        let first = self.released;
        self.released += self.held.len() as u64;
        if self.held.is_empty() || self.viewers.is_empty() {
            self.held.clear();
            return Delivery::default();
        }
        let messages = std::mem::take(&mut self.held);
        let joined = Batch::joined(&messages).joined;
        Delivery { messages, first, joined, viewers: Arc::clone(&self.viewers), served: 0 }
    }
}

impl Delivery {
    /// Returns true if every viewer has received the messages.
    fn is_done(&self) -> bool {
        self.viewers.is_empty()
    }

    /// Sends to all viewers that have not received the messages yet.
    fn finish(&mut self) {
        while !self.is_done() {
            self.send_part(PART_VIEWERS);
        }
    }

    /// Sends to all viewers, if they fit into one part.
    fn begin(&mut self) {
        if self.viewers.len() <= PART_VIEWERS {
            self.send_part(PART_VIEWERS);
        }
    }

    /// Removes a viewer from those that have not received the messages yet.
    fn forget(&mut self, id: u64) {
        let rest = self.viewers.get(self.served..).unwrap_or_default();
        if let Some(at) = rest.iter().position(|viewer| viewer.sink.id() == id) {
            Arc::make_mut(&mut self.viewers).swap_remove(self.served + at);
        }
    }

    /// Sends to the next part of the viewers, of this size.
    fn send_part(&mut self, size: usize) {
        let batch = Batch { messages: &self.messages, joined: self.joined.clone() };
        let rest = self.viewers.get(self.served..).unwrap_or_default();
        let part = rest.get(..size).unwrap_or(rest);
        if part.len() < MIN_BATCH_CALL_VIEWERS || !send_in_one_call(part, &batch, self.first) {
            part.iter().for_each(|viewer| viewer.deliver(&batch, self.first));
        }
        self.served += part.len();
        if self.served >= self.viewers.len() {
            *self = Self::default();
        }
    }
}

/// Sends with one system call to all of these viewers that keep up, and one by one to the others. `first` is the
/// number of the first message. Returns false, without sending anything, if that is impossible.
fn send_in_one_call(viewers: &[Viewer], batch: &Batch<'_>, first: u64) -> bool {
    let Some(joined) = &batch.joined else { return false };
    let mut lent: Vec<_> = (viewers.iter())
        .map(|it| if it.first <= first { it.sink.lend(batch) } else { None })
        .collect();
    let mut taken = Vec::with_capacity(lent.len());
    let streams = lent.iter().flatten().map(|out| &out.stream);
    if !net::send_to_all(streams, joined, &mut taken) {
        return false;
    }
    let mut taken = taken.into_iter();
    for (viewer, lent) in viewers.iter().zip(&mut lent) {
        let Some(mut out) = lent.take() else {
            viewer.deliver(batch, first);
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

impl Viewer {
    /// Delivers the messages of a batch that the viewer does not have yet. `first` is the number of the first message.
    fn deliver(&self, batch: &Batch<'_>, first: u64) {
        let received = usize::try_from(self.first.saturating_sub(first)).unwrap_or(usize::MAX);
        match batch.messages.get(received..) {
            _ if received == 0 => self.sink.deliver(batch),
            None | Some([]) => {}
            Some(rest) => self.sink.deliver(&Batch::pieces(rest)),
        }
    }
}
