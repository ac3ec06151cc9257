//! All streams and connections of a server: who may publish what, who is there, what happened.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::Notify;

use super::chat::Chats;
use super::config::Config;
use super::event::{Ended, Event, Peer, StreamFigures};
use super::fault::Lab;
use super::files::Files;
use super::publisher::Dismissal;
use super::sink::Sink;
use super::stream::{Claim, Stream};
use crate::base::{Clock, Timestamp, queue};
use crate::net::random_hex;
use crate::wire::rtmp::auth::{Door, Verdict};
use crate::wire::rtmp::name::StreamName;

/// Everything the tasks of a server share.
#[derive(Debug)]
pub(super) struct Registry {
    pub config: Config,
    /// As in [`Config`]; may change while it runs.
    pub successor: Mutex<Option<String>>,
    pub clock: Clock,
    door: Option<Mutex<Door>>,
    streams: Mutex<HashMap<(String, String), Arc<Stream>>>,
    events: queue::Sender<Event>,
    next_id: AtomicU64,
    connections: AtomicUsize,
    pub totals: Totals,
    pub lab: Lab,
    pub chats: Arc<Chats>,
    pub files: Files,
    stopping: AtomicBool,
    stop: Notify,
    all_gone: Notify,
}

/// Counted since the start.
#[derive(Debug, Default)]
pub(super) struct Totals {
    pub connections: AtomicU64,
    pub refused: AtomicU64,
    pub received_bytes: AtomicU64,
    pub sent_bytes: AtomicU64,
    pub skipped_messages: AtomicU64,
}

/// Why somebody may not publish.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    Unauthorized,
    Taken,
    Full,
}

/// A publication under way.
#[derive(Debug)]
pub(super) struct Publication {
    pub stream: Arc<Stream>,
    pub dismissal: Arc<Dismissal>,
    pub since: Timestamp,
}

/// A place among the connections; given back when dropped.
#[derive(Debug)]
pub(super) struct Place(Arc<Registry>);

impl Drop for Place {
    fn drop(&mut self) {
        if self.0.connections.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.0.all_gone.notify_waiters();
        }
    }
}

impl Registry {
    pub fn new(config: Config, clock: Clock, events: queue::Sender<Event>) -> Self {
        let lab = Lab::new(config.faults.clone(), config.fault_seed);
        let door = config.login.clone().map(|login| Door::new(login.method, login.credentials));
        let chats = Chats::new(config.limits.streams, config.limits.viewers);
        Self {
            successor: Mutex::new(config.successor.clone()),
            config,
            clock,
            door: door.map(Mutex::new),
            streams: Mutex::default(),
            events,
            next_id: AtomicU64::new(1),
            connections: AtomicUsize::new(0),
            totals: Totals::default(),
            lab,
            chats,
            files: Files::default(),
            stopping: AtomicBool::new(false),
            stop: Notify::new(),
            all_gone: Notify::new(),
        }
    }

    pub fn next_id(&self) -> u64 {
        self.next_id.fetch_add(1, Ordering::Relaxed)
    }

    /// A place for one more connection; `None` where there are too many.
    pub fn admit(self: &Arc<Self>) -> Option<Place> {
        self.totals.connections.fetch_add(1, Ordering::Relaxed);
        let before = self.connections.fetch_add(1, Ordering::AcqRel);
        let place = Place(Arc::clone(self));
        if before < self.config.limits.connections {
            return Some(place);
        }
        self.totals.refused.fetch_add(1, Ordering::Relaxed);
        None
    }

    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::Acquire)
    }

    /// Does something with a stream, which is made if need be; it cannot be let go of meanwhile.
    /// `None` where there are too many streams.
    fn with_stream<T>(
        &self,
        app: &str,
        name: &str,
        act: impl FnOnce(&Arc<Stream>) -> T,
    ) -> Option<T> {
        let mut streams = self.streams.lock();
        let key = (app.to_owned(), name.to_owned());
        if let Some(stream) = streams.get(&key) {
            return Some(act(stream));
        }
        if streams.len() >= self.config.limits.streams {
            return None;
        }
        let limits = self.config.limits.clone();
        let stream = Arc::new(Stream::new(key.0.clone(), key.1.clone(), limits));
        let result = act(&stream);
        if !stream.is_idle() {
            streams.insert(key, stream);
        }
        Some(result)
    }

    /// The stream, if there is one by that name.
    pub fn find(&self, app: &str, name: &str) -> Option<Arc<Stream>> {
        self.streams.lock().get(&(app.to_owned(), name.to_owned())).cloned()
    }

    /// Lets go of a stream that nobody needs.
    pub fn tidy(&self, stream: &Stream) {
        let mut streams = self.streams.lock();
        if stream.is_idle() {
            let key = (stream.app.clone(), stream.name.clone());
            // Another one may stand there by now.
            if streams.get(&key).is_some_and(|known| std::ptr::eq(&raw const **known, stream)) {
                streams.remove(&key);
            }
        }
    }

    /// Makes somebody the publisher of a stream; `welcome`: a password was asked for and given.
    pub fn publish(
        &self,
        id: u64,
        address: SocketAddr,
        name: &StreamName,
        welcome: bool,
    ) -> Result<Publication, Refused> {
        if !self.may_publish(name) {
            return Err(Refused::Unauthorized);
        }
        let since = self.clock.now();
        let taken = self.with_stream(&name.app, &name.stream, |stream| {
            let proven = welcome || !self.config.publish_keys.is_empty();
            let claim = Claim { id, address, credentials: &name.query, proven };
            let dismissal = stream.publish(claim, since)?;
            Some(Publication { stream: Arc::clone(stream), dismissal, since })
        });
        let publication = taken.ok_or(Refused::Full)?.ok_or(Refused::Taken)?;
        self.tell(Event::Publish(peer(&publication.stream, id, address)));
        Ok(publication)
    }

    /// Whether publishers must give a name and a password.
    pub fn has_door(&self) -> bool {
        self.door.is_some()
    }

    /// What the door, where there is one, says to a publisher that connects.
    pub fn knock(&self, app: &str) -> Verdict {
        let Some(door) = &self.door else { return Verdict::Welcome };
        let Some(fresh) = random_hex() else { return Verdict::Rejected("Try again later.".into()) };
        door.lock().knock(app, &fresh, self.clock.now())
    }

    fn may_publish(&self, name: &StreamName) -> bool {
        let keys = &self.config.publish_keys;
        let given = name.parameter("key").or_else(|| name.parameter("token"));
        let given = given.unwrap_or(&name.query).as_bytes();
        // Every key is compared to its end, so that time tells nothing.
        let matches = |key: &[u8]| {
            key.len() == given.len()
                && key.iter().zip(given).fold(0, |differ, (a, b)| differ | (a ^ b)) == 0
        };
        keys.is_empty()
            || keys.iter().fold(false, |any, key| any | matches(key.expose().as_bytes()))
    }

    pub fn unpublish(&self, publication: &Publication, id: u64, address: SocketAddr, reason: &str) {
        let stream = &publication.stream;
        let bytes = stream.received(id);
        stream.unpublish(id);
        let after = self.clock.now().since(publication.since);
        let ended = Ended { reason: reason.to_owned(), after, bytes };
        self.tell(Event::Unpublish(peer(stream, id, address), ended));
        self.tidy(stream);
    }

    /// Adds a viewer; `None` where there are too many viewers or streams.
    pub fn join(
        &self,
        app: &str,
        name: &str,
        viewer: Arc<dyn Sink>,
        address: SocketAddr,
    ) -> Option<Arc<Stream>> {
        let id = viewer.id();
        let joined =
            self.with_stream(app, name, |stream| stream.join(viewer).then(|| Arc::clone(stream)));
        let stream = joined??;
        self.tell(Event::Join(peer(&stream, id, address)));
        Some(stream)
    }

    pub fn leave(&self, stream: &Arc<Stream>, id: u64, address: SocketAddr, ended: Ended) {
        if stream.leave(id) {
            self.tell(Event::Leave(peer(stream, id, address), ended));
        }
        self.tidy(stream);
    }

    pub fn tell(&self, event: Event) {
        // Bounded, the oldest goes first; nobody listening is no error.
        let _ = self.events.send(event);
    }

    pub fn figures(&self) -> Vec<StreamFigures> {
        let now = self.clock.now();
        let streams: Vec<_> = self.streams.lock().values().cloned().collect();
        let mut figures: Vec<_> = streams.iter().map(|stream| stream.figures(now)).collect();
        figures.sort_by(|a, b| (&a.app, &a.stream).cmp(&(&b.app, &b.stream)));
        figures
    }

    /// Ends everything.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::Release);
        self.stop.notify_waiters();
    }

    /// Waits for the end.
    pub async fn stopped(&self) {
        let notified = self.stop.notified();
        if !self.stopping.load(Ordering::Acquire) {
            notified.await;
        }
    }

    /// A file is whole: who waits for the end looks again.
    pub fn file_ended(&self, sink: u64) {
        self.files.remove(sink);
        self.all_gone.notify_waiters();
    }

    /// Waits until every connection is gone and every file whole, at most `limit`; tells whether they are.
    pub async fn drained(&self, limit: Duration) -> bool {
        let gone = async {
            loop {
                let notified = self.all_gone.notified();
                if self.connections() == 0 && self.files.count() == 0 {
                    return;
                }
                notified.await;
            }
        };
        tokio::time::timeout(limit, gone).await.is_ok()
    }
}

fn peer(stream: &Stream, id: u64, address: SocketAddr) -> Peer {
    Peer { app: stream.app.clone(), stream: stream.name.clone(), address, id }
}
