//! All streams and connections of a server: access, presence and events.
//!
//! Long because each entry and exit of a client is next to the shared data that it changes.

pub(super) mod access;
pub(super) mod chat;
pub mod config;
pub(super) mod gate;
pub mod guests;
pub mod http_successor;
pub mod ice_server;
pub mod meeting;
pub(super) mod port;
pub(super) mod relays;

use std::collections::HashMap;
use std::future::poll_fn;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use parking_lot::{Mutex, RwLock};
use tokio::runtime::Handle;
use tokio::sync::{Notify, watch};

use crate::base::{Clock, Secret, Timestamp, queue};
use crate::net::Challenges;
use crate::net::subscriber::subscriber;
use crate::net::{self, Listener, random_hex};
use crate::problems::ToProblem;
use crate::server::access::action::Action;
use crate::server::access::admission::{Admission, Spot};
use crate::server::access::callback::calls::Notices;
use crate::server::access::denied::{Denied, too_often};
use crate::server::access::grant;
use crate::server::access::limits::Limits;
use crate::server::access::login_failures::{Failures, GuessedSecret};
use crate::server::access::pass::Passes;
use crate::server::access::rules::AppLimits;
use crate::server::event::reporter::Reporter;
use crate::server::event::{
    Ended, Event, NoRoom, Peer, Protocol, Refusal, StreamFigures, UnusualStream,
};
use crate::server::fault::Lab;
use crate::server::recordings::file::RecordingDisk;
use crate::server::recordings::opened::OpenRecordings;
use crate::server::recordings::under_way::Files;
use crate::server::recordings::viewers::connected::ConnectedViewers;
use crate::server::recordings::viewers::keeper::Keeper;
use crate::server::registry::access::Access;
use crate::server::registry::chat::Chats;
use crate::server::registry::config::{Config, MediaRules};
use crate::server::registry::http_successor::HttpSuccessor;
use crate::server::registry::relays::Relays;
use crate::server::renditions::playlist_productions::PlaylistProductions;
use crate::server::renditions::transcoders::Transcoders;
use crate::server::stream::publisher::Dismissal;
use crate::server::stream::receivers::aac_need::AacEncoders;
use crate::server::stream::sink::{Sink, ViewerRecord};
use crate::server::stream::thumbnails::Thumbnails;
use crate::server::stream::{Claim, Stream};
use crate::server::webrtc::endpoint::Webrtc;
use crate::text::problem::{Problem, problem};
use crate::wire::rtmp::auth::{Login, Verdict};
use crate::wire::rtmp::stream_name::StreamName;

/// Maximum number of connections beyond the limit, because evicted ones still exist for a moment.
const MAX_CLOSING_CONNECTIONS: usize = 64;
/// From this number of connections beyond the limit on, ports let new clients wait. It is below the
/// maximum, because several ports accept clients at the same time.
const MAX_CLOSING_TO_ACCEPT: usize = 32;
/// How long a new client waits for evicted connections to close.
const CLOSING_TIMEOUT: Duration = Duration::from_secs(1);

/// Data that all tasks of a server share.
#[derive(Debug)]
pub(super) struct Registry {
    /// The configuration at the start. The other fields contain the values that change while the server runs.
    pub config: Config,
    access: RwLock<Arc<Access>>,
    rules: RwLock<Arc<MediaRules>>,
    notices: Notices,
    /// See [`Config`]; this can change.
    pub successor: Mutex<Option<String>>,
    pub http_successor: Mutex<Option<HttpSuccessor>>,
    pub clock: Clock,
    login: Mutex<Option<Login>>,
    streams: Mutex<HashMap<(String, String), Arc<Stream>>>,
    next_id: AtomicU64,
    connections: AtomicUsize,
    pub admission: Admission,
    failures: Failures,
    pub passes: Passes,
    pub totals: Totals,
    pub lab: Lab,
    pub chats: Arc<Chats>,
    pub files: Files,
    pub recording_disk: Arc<RecordingDisk>,
    pub retention: Arc<Keeper>,
    pub opened: OpenRecordings,
    pub recording_viewers: ConnectedViewers,
    pub hls: PlaylistProductions,
    pub webrtc: Webrtc,
    pub transcoders: Transcoders,
    pub aac: AacEncoders,
    pub relays: Relays,
    pub reporter: Arc<Reporter>,
    pub thumbnails: Thumbnails,
    /// The key for links to recordings. It is empty if the system has no randomness; then there are
    /// no links.
    pub link_key: Secret,
    /// True while HTTP listens only on this computer.
    pub http_is_local: AtomicBool,
    /// The same for HTTPS.
    pub https_is_local: AtomicBool,
    /// The passphrase of SRT. Connections that exist keep theirs.
    pub srt_passphrase: Mutex<Option<Secret>>,
    /// The answers to an authority that issues the certificate.
    pub challenges: Arc<Challenges>,
    /// The port of HTTPS to which HTTP redirects browsers, if that is wanted.
    pub redirect_to: OnceLock<u16>,
    /// The start of the server.
    pub began: Timestamp,
    /// True once clients are asked to move to the successor.
    draining: watch::Sender<bool>,
    /// The successors in requests to drain, which replace those of the configuration.
    named_successors: Mutex<(Option<String>, Option<HttpSuccessor>)>,
    /// Number of times that all viewers had to leave. It changes before they are disconnected.
    pub expelled: watch::Sender<u64>,
    stopping: AtomicBool,
    stop: Notify,
    all_gone: Notify,
    /// Wakes the ports when enough evicted connections are closed.
    room: Notify,
}

/// Totals since the start.
#[derive(Debug, Default)]
pub(super) struct Totals {
    pub connections: AtomicU64,
    pub refused: AtomicU64,
    pub received_bytes: AtomicU64,
    pub sent_bytes: AtomicU64,
    pub skipped_messages: AtomicU64,
}

/// The reason why a client may not publish.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    Taken,
    /// The server has too many streams.
    Full,
    /// The application has this many streams, and may not have more.
    AppFull(usize),
}

impl Refused {
    /// Returns the cause as one word, and the reason for the client.
    pub fn reason(self) -> (&'static str, Problem) {
        match self {
            Self::Taken => ("taken", problem!("denied-taken")),
            Self::Full => ("full", problem!("denied-full")),
            Self::AppFull(most) => ("full", problem!("denied-app-full", most = most)),
        }
    }
}

/// The right of a client to publish.
#[derive(Copy, Clone, Debug)]
pub(super) struct PublishRight {
    /// True if the server has checked the client's key or password.
    pub proven: bool,
    /// True if the client is a relay.
    pub relayed: bool,
    pub limits: AppLimits,
}

impl PublishRight {
    /// Returns the claim of a client on a stream.
    fn claim<'a>(
        &self,
        id: u64,
        (address, protocol): (SocketAddr, Protocol),
        name: &'a StreamName,
    ) -> Claim<'a> {
        let Self { proven, relayed, limits } = *self;
        Claim { id, protocol, address, credentials: &name.query, proven, relayed, limits }
    }
}

/// A publication in progress.
#[derive(Debug)]
pub(super) struct Publication {
    protocol: Protocol,
    pub stream: Arc<Stream>,
    pub dismissal: Arc<Dismissal>,
    pub since: Timestamp,
}

/// A slot among the connections. Dropping the value releases the slot.
#[derive(Debug)]
pub(super) struct ConnectionSlot {
    registry: Arc<Registry>,
    spot: Arc<Spot>,
}

impl ConnectionSlot {
    /// Returns the slot, which sets and resets the connection's purpose.
    pub fn spot(&self) -> &Arc<Spot> {
        &self.spot
    }

    /// Waits until other connections need the slot. Only one task may wait at a time.
    pub async fn evicted(&self) {
        poll_fn(|cx| self.spot.poll_evicted(cx)).await;
    }
}

impl Drop for ConnectionSlot {
    fn drop(&mut self) {
        self.registry.admission.leave(&self.spot);
        self.registry.count_closed();
    }
}

/// Returns the login for publishers, if they need one. In a reload, `before` is the previous login: publishers who have
/// a challenge can still answer it.
fn login(config: &Config, before: Option<Login>) -> Option<Login> {
    let login = config.login.clone()?;
    if let Some(before) = before {
        return Some(before.with_credentials(login.method, login.credentials));
    }
    // Without randomness, nobody can log in. Each attempt tries again to get randomness.
    let secret = Secret::new(random_hex().unwrap_or_default());
    Some(Login::new(login.method, login.credentials, secret))
}

impl Registry {
    pub fn new(
        config: Config,
        clock: Clock,
        events: queue::Sender<Event>,
        runtime: &Handle,
    ) -> Self {
        let reporter = Arc::new(Reporter::new(events, clock));
        let notices = Notices::new(runtime.clone(), clock, Arc::clone(&reporter));
        let lab = Lab::new(config.faults.clone(), config.fault_seed);
        let Limits { streams, viewers, .. } = config.limits;
        // Milliseconds since 1970. No chat has a message per millisecond, so later runs have larger numbers.
        let first = clock.wall_micros(clock.now()).max(0).cast_unsigned() / 1_000;
        let chats = Chats::new(streams, viewers, config.chat.clone(), first);
        let admission = Admission::new(&config.limits);
        let relays = Relays::new(&config.relays, runtime);
        let srt_passphrase = config.srt_passphrase.clone();
        Self {
            successor: Mutex::new(config.successor.clone()),
            http_successor: Mutex::new(config.http_successor.clone()),
            access: RwLock::new(Arc::new(Access::new(&config, &notices, None))),
            rules: RwLock::new(Arc::new(config.media.clone())),
            notices,
            login: Mutex::new(login(&config, None)),
            config,
            clock,
            streams: Mutex::default(),
            next_id: AtomicU64::new(1),
            connections: AtomicUsize::new(0),
            admission,
            failures: Failures::default(),
            passes: Passes::new(),
            totals: Totals::default(),
            lab,
            chats,
            files: Files::default(),
            recording_disk: Arc::default(),
            retention: Arc::default(),
            opened: OpenRecordings::default(),
            recording_viewers: ConnectedViewers::default(),
            hls: PlaylistProductions::default(),
            webrtc: Webrtc::default(),
            transcoders: Transcoders::default(),
            aac: AacEncoders::default(),
            relays,
            reporter,
            thumbnails: Thumbnails::default(),
            link_key: Secret::new(random_hex().unwrap_or_default()),
            http_is_local: AtomicBool::new(true),
            https_is_local: AtomicBool::new(true),
            srt_passphrase: Mutex::new(srt_passphrase),
            redirect_to: OnceLock::new(),
            challenges: Arc::default(),
            began: clock.now(),
            draining: watch::Sender::new(false),
            named_successors: Mutex::default(),
            expelled: watch::Sender::new(0),
            stopping: AtomicBool::new(false),
            stop: Notify::new(),
            all_gone: Notify::new(),
            room: Notify::new(),
        }
    }

    /// Returns true if only programs on this computer reach the web pages.
    pub fn is_web_local(&self) -> bool {
        [&self.http_is_local, &self.https_is_local].iter().all(|it| it.load(Ordering::Acquire))
    }

    /// Returns the time in seconds since 1970, by which tokens, passes and links expire.
    pub fn unix_seconds(&self) -> u64 {
        u64::try_from(Clock::system_micros() / 1_000_000).unwrap_or_default()
    }

    pub fn next_id(&self) -> u64 {
        self.next_id.fetch_add(1, Ordering::Relaxed)
    }

    /// Counts one more connection, and takes a slot for it. Returns `None` if there are too many
    /// connections.
    pub fn admit(self: &Arc<Self>, address: SocketAddr) -> Option<ConnectionSlot> {
        self.totals.connections.fetch_add(1, Ordering::Relaxed);
        self.take_slot(address)
    }

    /// Takes a slot for a connection that is already counted. Returns `None` if there are too many
    /// connections.
    pub fn take_slot(self: &Arc<Self>, address: SocketAddr) -> Option<ConnectionSlot> {
        // Evicted connections still exist for a moment.
        let live = self.connections.fetch_add(1, Ordering::AcqRel);
        let is_shared = self.is_shared(address.ip());
        let spot = (live < self.config.limits.connections + MAX_CLOSING_CONNECTIONS)
            .then(|| self.admission.admit(address.ip(), is_shared, self.clock.now()))
            .flatten();
        let Some(spot) = spot else {
            self.count_closed();
            self.totals.refused.fetch_add(1, Ordering::Relaxed);
            self.reporter.refuse(Refusal::of_connection(address.ip()));
            return None;
        };
        Some(ConnectionSlot { registry: Arc::clone(self), spot })
    }

    /// Returns true for the address of a trusted proxy, which many clients share.
    pub fn is_shared(&self, address: IpAddr) -> bool {
        self.access().rules.proxies.is_trusted(address)
    }

    /// Waits for a client at a port, and before that, until evicted connections are closed. In a flood,
    /// the newest client would otherwise be refused, although its slot is free.
    pub async fn accept(&self, listener: &Listener) -> (net::Stream, SocketAddr) {
        let _ = tokio::time::timeout(CLOSING_TIMEOUT, self.has_room()).await;
        listener.accept().await
    }

    async fn has_room(&self) {
        loop {
            let closed = self.room.notified();
            if self.connections() < self.max_connections_to_accept() {
                return;
            }
            closed.await;
        }
    }

    fn max_connections_to_accept(&self) -> usize {
        self.config.limits.connections + MAX_CLOSING_TO_ACCEPT
    }

    /// Counts one connection less.
    fn count_closed(&self) {
        let before = self.connections.fetch_sub(1, Ordering::AcqRel);
        if before == self.max_connections_to_accept() {
            self.room.notify_waiters();
        }
        if before == 1 {
            self.all_gone.notify_waiters();
        }
    }

    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::Acquire)
    }

    /// Runs `act` with a stream. The stream is created if necessary, for a client at this address,
    /// and kept during the call. For a publisher, `publish` contains the limits of its application.
    /// Fails if there are too many streams. Published streams have a separate limit, so that waiting
    /// viewers never block a publisher.
    fn with_stream<T>(
        &self,
        (app, name): (&str, &str),
        address: IpAddr,
        publish: Option<&AppLimits>,
        act: impl FnOnce(&Arc<Stream>) -> T,
    ) -> Result<T, Refused> {
        let mut streams = self.streams.lock();
        let key = (app.to_owned(), name.to_owned());
        let known = streams.get(&key);
        let limits = &self.config.limits;
        if let Some(of_app) = publish.filter(|_| !known.is_some_and(|it| it.is_published())) {
            let published = || streams.values().filter(|stream| stream.is_published());
            if published().count() >= limits.streams {
                return Err(Refused::Full);
            }
            let full = |most: &usize| published().filter(|it| it.app == app).count() >= *most;
            if let Some(most) = of_app.streams.filter(full) {
                return Err(Refused::AppFull(most));
            }
        }
        if let Some(stream) = known {
            return Ok(act(stream));
        }
        let opened_by = subscriber(address);
        if publish.is_none() {
            let waiting = streams.values().filter(|stream| !stream.is_published());
            let (mut all, mut of_address) = (0, 0);
            for stream in waiting {
                all += 1;
                of_address += usize::from(stream.opened_by == opened_by);
            }
            if all >= limits.streams || of_address >= limits.waiting_names {
                return Err(Refused::Full);
            }
        }
        let stream = Stream::new(key.0.clone(), key.1.clone(), opened_by, limits.clone());
        let stream = Arc::new(stream.waking(&self.aac.wanted));
        let result = act(&stream);
        if !stream.is_idle() {
            streams.insert(key, stream);
        }
        Ok(result)
    }

    /// Returns the stream with this name, if any.
    pub fn find(&self, app: &str, name: &str) -> Option<Arc<Stream>> {
        self.streams.lock().get(&(app.to_owned(), name.to_owned())).cloned()
    }

    /// Removes a stream without users.
    pub fn tidy(&self, stream: &Stream) {
        let mut streams = self.streams.lock();
        if stream.is_idle() {
            let key = (stream.app.clone(), stream.name.clone());
            // Another stream with this name may exist by now.
            if streams.get(&key).is_some_and(|known| std::ptr::eq(&raw const **known, stream)) {
                streams.remove(&key);
            }
        }
    }

    /// Makes an RTMP client the publisher of a stream.
    pub fn publish(
        &self,
        id: u64,
        address: SocketAddr,
        name: &StreamName,
        right: PublishRight,
    ) -> Result<Publication, Refused> {
        self.publish_by(id, (address, Protocol::Rtmp), name, right)
    }

    /// Makes a client of this protocol the publisher of a stream.
    pub fn publish_by(
        &self,
        id: u64,
        (address, protocol): (SocketAddr, Protocol),
        name: &StreamName,
        right: PublishRight,
    ) -> Result<Publication, Refused> {
        let since = self.clock.now();
        let claim = right.claim(id, (address, protocol), name);
        let of_name = (name.app.as_str(), name.stream.as_str());
        let taken = self.with_stream(of_name, address.ip(), Some(&right.limits), |stream| {
            let dismissal = stream.publish(claim, since)?;
            Some(Publication { protocol, stream: Arc::clone(stream), dismissal, since })
        });
        let publication = taken?.ok_or(Refused::Taken)?;
        self.tell(Event::Publish(peer(&publication.stream, id, address, protocol)));
        Ok(publication)
    }

    /// Fails if a client could not become the publisher of a stream now.
    pub fn may_publish(
        &self,
        address: SocketAddr,
        name: &StreamName,
        right: PublishRight,
    ) -> Result<(), Refused> {
        let now = self.clock.now();
        let claim = right.claim(0, (address, Protocol::Rtmp), name);
        let of_name = (name.app.as_str(), name.stream.as_str());
        let is_free = self.with_stream(of_name, address.ip(), Some(&right.limits), |stream| {
            stream.may_publish(claim, now)
        });
        if is_free? { Ok(()) } else { Err(Refused::Taken) }
    }

    /// Reports a publisher that could not get its stream, and returns the reason.
    pub fn refuse_publisher(
        &self,
        (address, protocol): (SocketAddr, Protocol),
        name: &StreamName,
        refused: Refused,
    ) -> Problem {
        let (cause, reason) = refused.reason();
        let of_name = (name.app.clone(), name.stream.clone());
        self.reporter.refuse(Refusal {
            protocol: Some(protocol),
            app: of_name.0,
            stream: of_name.1,
            ..Refusal::early(address.ip(), Action::Publish.name(), (cause, reason.clone()))
        });
        reason
    }

    /// Returns the maximum number of viewers of a stream in this application.
    pub fn max_viewers(&self, app: &str) -> usize {
        let of_app = self.access().rules.of(app).limits.viewers;
        of_app.map_or(self.config.limits.viewers, |most| most.min(self.config.limits.viewers))
    }

    /// Returns the current access rules.
    pub fn access(&self) -> Arc<Access> {
        Arc::clone(&self.access.read())
    }

    /// Returns the current rules for recordings, renditions and ICE servers.
    pub fn rules(&self) -> Arc<MediaRules> {
        Arc::clone(&self.rules.read())
    }

    /// Applies the settings that may change while the server runs. Nobody is disconnected: the changes apply to
    /// the next client, and to the next request of a client that has a pass.
    pub fn reload(&self, config: &Config) {
        let before = self.access();
        *self.access.write() = Arc::new(Access::new(config, &self.notices, Some(&*before)));
        *self.rules.write() = Arc::new(config.media.clone());
        let mut known = self.login.lock();
        *known = login(config, known.take());
        drop(known);
        let named = self.named_successors.lock();
        *self.successor.lock() = named.0.clone().or_else(|| config.successor.clone());
        *self.http_successor.lock() = named.1.clone().or_else(|| config.http_successor.clone());
        drop(named);
        self.srt_passphrase.lock().clone_from(&config.srt_passphrase);
        self.lab.set(config.faults.clone());
        self.chats.set_rules(config.chat.clone());
    }

    /// Returns the reasons why the server would refuse new clients now; empty if it accepts them.
    pub fn refusals(&self) -> Vec<&'static str> {
        let limits = &self.config.limits;
        let publishing = self.figures().iter().filter(|it| it.publisher.is_some()).count();
        let found = [
            ("stopping", self.stopping.load(Ordering::Acquire)),
            ("draining", self.is_draining()),
            ("connections", self.admission.is_full()),
            ("streams", publishing >= limits.streams),
        ];
        found.into_iter().filter_map(|(what, holds)| holds.then_some(what)).collect()
    }

    /// Returns true if publishers must log in.
    pub fn is_login_limited(&self) -> bool {
        self.login.lock().is_some()
    }

    /// Returns the login decision for a publisher that connects, or the reason why its address must wait.
    pub fn check_login(&self, app: &str, address: IpAddr) -> Result<Verdict, Problem> {
        if !self.is_login_limited() {
            return Ok(Verdict::Welcome);
        }
        let now = self.clock.now();
        if Login::is_answer(app)
            && let Some(wait) = self.failures.wait(address, &GuessedSecret::Password, now)
        {
            return Err(too_often("passwords", wait));
        }
        let Some(fresh) = random_hex() else {
            return Ok(Verdict::Rejected("Try again later.".into()));
        };
        let verdict = match &mut *self.login.lock() {
            Some(login) => login.check_login(app, &fresh, now),
            None => Verdict::Welcome,
        };
        match verdict {
            Verdict::Welcome => self.failures.forgive(address, &GuessedSecret::Password),
            Verdict::Wrong(_) => self.failures.add(address, &GuessedSecret::Password, now),
            Verdict::Rejected(_) => {}
        }
        Ok(verdict)
    }

    /// Checks the name and password of a publisher over HTTP. A server without a login accepts every publisher.
    ///
    /// # Errors
    /// Fails with the cause as one word, and the reason for the client.
    pub fn check_password(
        &self,
        address: IpAddr,
        given: Option<&(String, Secret)>,
    ) -> Result<(), (&'static str, Problem)> {
        let is_right = match (&*self.login.lock(), given) {
            (None, _) => return Ok(()),
            (Some(_), None) => return Err(("no-password", problem!("denied-no-password"))),
            (Some(login), Some((user, password))) => login.is_right(user, password),
        };
        self.tries(address, &GuessedSecret::Password, || is_right).map_err(|denied| match denied {
            Denied::TooOften(wait) => (denied.name(), too_often("passwords", wait)),
            _ => ("wrong-password", problem!("denied-wrong-password")),
        })
    }

    /// Checks a key, password or token, unless the address must wait after several wrong ones.
    pub fn tries(
        &self,
        address: IpAddr,
        secret: &GuessedSecret,
        is_right: impl FnOnce() -> bool,
    ) -> Result<(), Denied> {
        let now = self.clock.now();
        if let Some(wait) = self.failures.wait(address, secret, now) {
            return Err(Denied::TooOften(wait));
        }
        if is_right() {
            self.failures.forgive(address, secret);
            return Ok(());
        }
        self.failures.add(address, secret, now);
        Err(Denied::WrongSecret)
    }

    pub fn unpublish(&self, publication: &Publication, id: u64, address: SocketAddr, why: Problem) {
        let stream = &publication.stream;
        let bytes = stream.received(id).unwrap_or_else(|| publication.dismissal.received());
        stream.unpublish(id);
        let after = self.clock.now().since(publication.since);
        let ended = Ended { reason: why, after, bytes };
        self.tell(Event::Unpublish(peer(stream, id, address, publication.protocol), ended));
        self.tidy(stream);
    }

    /// Returns the number of times that all viewers had to leave.
    pub fn expulsions(&self) -> u64 {
        *self.expelled.borrow()
    }

    /// Adds a viewer. `expelled` is the value of [`Registry::expulsions`] at its admission. Reports the viewer and
    /// fails if there are too many viewers or streams.
    pub fn join(
        &self,
        app: &str,
        name: &str,
        (viewer, expelled): (Arc<dyn Sink>, u64),
        address: SocketAddr,
    ) -> Result<Arc<Stream>, NoRoom> {
        let (id, protocol, sent_before) = (viewer.id(), viewer.protocol(), viewer.sent());
        // HLS viewers count too.
        let most = self.max_viewers(app);
        let of_others = most.saturating_sub(self.hls.viewers(app, name));
        let joined = self.with_stream((app, name), address.ip(), None, |stream| {
            stream.join_within(Arc::clone(&viewer), of_others).then(|| Arc::clone(stream))
        });
        let joined = match joined {
            Ok(joined) => joined.ok_or(NoRoom::Stream(most)),
            Err(_) => Err(NoRoom::Server),
        };
        let stream = joined.inspect_err(|why| {
            let client = (address.ip(), Some(protocol));
            self.reporter.refuse(Refusal::of_viewer(client, (app, name), *why));
        })?;
        // The list of streams is no longer locked, so other clients find theirs meanwhile.
        viewer.send_queued();
        stream.note_viewer(ViewerRecord { id, address, since: self.clock.now(), sent_before });
        // onair's own player is no viewer.
        if viewer.is_viewer() {
            self.tell(Event::Join(peer(&stream, id, address, protocol)));
        }
        // A later expulsion finds the viewer in the list.
        if expelled != self.expulsions() {
            viewer.dismiss(grant::expelled());
        }
        Ok(stream)
    }

    /// Reports what is unusual about the publisher's data.
    pub fn tell_remarks(&self, stream: &Stream) {
        for remark in stream.remarks() {
            self.tell(Event::Unusual(UnusualStream {
                app: stream.app.clone(),
                stream: stream.name.clone(),
                cause: remark.cause(),
                reason: remark.to_problem(),
            }));
        }
    }

    pub fn leave(&self, stream: &Arc<Stream>, id: u64, address: SocketAddr, ended: Ended) {
        if let Some(viewer) = stream.leave(id).filter(|viewer| viewer.is_viewer()) {
            self.tell(Event::Leave(peer(stream, id, address, viewer.protocol()), ended));
        }
        self.tidy(stream);
    }

    pub fn tell(&self, event: Event) {
        self.reporter.tell(event);
    }

    /// Returns all streams, in no particular order.
    pub fn streams(&self) -> Vec<Arc<Stream>> {
        self.streams.lock().values().cloned().collect()
    }

    pub fn figures(&self) -> Vec<StreamFigures> {
        let now = self.clock.now();
        let mut figures: Vec<_> =
            self.streams().iter().map(|stream| self.figures_of(stream, now)).collect();
        figures.sort_by(|a, b| (&a.app, &a.stream).cmp(&(&b.app, &b.stream)));
        figures
    }

    /// Returns the figures of one stream.
    pub fn figures_of(&self, stream: &Stream, now: Timestamp) -> StreamFigures {
        let mut figures = stream.figures(now);
        let by_hls = self.hls.viewers_by(&stream.app, &stream.name);
        figures.hls_viewers = by_hls.values().sum();
        figures.viewers += figures.hls_viewers;
        figures.protocols.extend(by_hls);
        figures
    }

    /// Returns the number of viewers of a stream, over all protocols.
    pub fn viewers_of(&self, stream: &Stream) -> usize {
        stream.viewer_count() + self.hls.viewers(&stream.app, &stream.name)
    }

    /// Asks all RTMP clients that support it to reconnect to the successor, and accepts no new RTMP
    /// clients. HTTP viewers follow their streams. `None` keeps a configured successor.
    pub fn drain(&self, successor: Option<String>, http_successor: Option<HttpSuccessor>) {
        let mut named = self.named_successors.lock();
        if let Some(successor) = successor {
            *self.successor.lock() = Some(successor.clone());
            named.0 = Some(successor);
        }
        if let Some(successor) = http_successor {
            *self.http_successor.lock() = Some(successor.clone());
            named.1 = Some(successor);
        }
        drop(named);
        if !self.draining.send_replace(true) {
            self.tell(Event::Drain { successor: self.successor.lock().clone() });
        }
    }

    /// Returns true if clients are asked to leave.
    pub fn is_draining(&self) -> bool {
        *self.draining.borrow()
    }

    /// Returns the server to which HTTP viewers move while clients are asked to leave, if there is one.
    pub fn http_successor(&self) -> Option<HttpSuccessor> {
        self.http_successor.lock().clone().filter(|_| self.is_draining())
    }

    /// Returns the [`Self::http_successor`] of the new viewers of a stream that is not published here, or that the
    /// successor can pull instead.
    pub fn moved_to(&self, app: &str, name: &str) -> Option<HttpSuccessor> {
        let successor = self.http_successor()?;
        let stream = self.find(app, name).filter(|stream| stream.is_published());
        let stays = |stream: Arc<Stream>| {
            stream.source().origin.is_none() || !self.releases_pull(app, name)
        };
        (!stream.is_some_and(stays)).then_some(successor)
    }

    /// Returns true if all viewers of a pulled stream can move to the [`Self::http_successor`]. RTMP viewers that
    /// cannot reconnect on request stay here.
    pub fn releases_pull(&self, app: &str, name: &str) -> bool {
        let has_rtmp = || self.find(app, name).is_some_and(|it| it.has_viewer(Protocol::Rtmp));
        self.http_successor().is_some() && !has_rtmp()
    }

    /// Waits until clients are asked to leave.
    pub async fn drains(&self) {
        // The sender is in `self`, so an error cannot occur.
        let _ = self.draining.subscribe().wait_for(|draining| *draining).await;
    }

    /// Ends all connections.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::Release);
        self.stop.notify_waiters();
        self.notices.close();
    }

    /// Returns true if the server is ending.
    pub fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Acquire)
    }

    /// Waits until the server ends.
    pub async fn stopped(&self) {
        let notified = self.stop.notified();
        if !self.stopping.load(Ordering::Acquire) {
            notified.await;
        }
    }

    /// Records that a file is complete, and wakes the tasks that wait for the end.
    pub fn file_ended(&self, sink: u64) {
        self.files.remove(sink);
        self.all_gone.notify_waiters();
    }

    /// Records that a relay is over, and wakes the tasks that wait for the end.
    pub fn relay_ended(&self) {
        self.all_gone.notify_waiters();
    }

    /// Waits at most `limit` until every connection is closed, every relay is over, every file is
    /// complete and every callback was sent. Returns true if that happened in time.
    pub async fn drained(&self, limit: Duration) -> bool {
        let are_gone = || self.connections() == 0 && self.relays.count() == 0;
        self.waits(limit, || are_gone() && self.is_finished()).await
    }

    /// Waits at most `limit` until every file is complete and every callback was sent, whatever else is open. Returns
    /// true if that happened in time.
    pub async fn finished(&self, limit: Duration) -> bool {
        self.waits(limit, || self.is_finished()).await
    }

    fn is_finished(&self) -> bool {
        self.files.count() == 0 && self.notices.is_idle()
    }

    /// Waits at most `limit` until `is_over`. Returns true if that happened in time.
    async fn waits(&self, limit: Duration, is_over: impl Fn() -> bool) -> bool {
        let gone = async {
            loop {
                let (gone, notices_idle) =
                    (self.all_gone.notified(), self.notices.idle().notified());
                if is_over() {
                    return;
                }
                tokio::select! {
                    () = gone => {}
                    () = notices_idle => {}
                }
            }
        };
        tokio::time::timeout(limit, gone).await.is_ok()
    }
}

/// Describes a client of a stream for events.
pub(super) fn peer(stream: &Stream, id: u64, address: SocketAddr, protocol: Protocol) -> Peer {
    Peer { app: stream.app.clone(), stream: stream.name.clone(), address, id, protocol }
}

#[cfg(test)]
mod tests;
