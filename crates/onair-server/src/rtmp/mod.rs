//! The task of one RTMP connection: decides what the client may do, and checks its deadlines.

mod application;
pub(crate) mod connection;
mod connection_faults;
mod connection_io;
mod ending;
mod error_status;
mod pending_request;
mod watching;

use std::future::poll_fn;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tracing::Instrument as _;

use crate::base::Timestamp;
use crate::net;
use crate::server::access::action::Action;
use crate::server::access::admission::Purpose;
use crate::server::access::callback::calls::DoneCall;
use crate::server::access::callback::visit::Call;
use crate::server::access::denied::Denied;
use crate::server::access::grant::Grant;
use crate::server::event::log::SESSION_LOG_TARGET;
use crate::server::event::{NoRoom, Protocol, Refusal};
use crate::server::fault::{Phase, Verdict};
use crate::server::outputs::hls;
use crate::server::outputs::recordings;
use crate::server::outputs::recordings::playback::PlaybackStep;
use crate::server::recordings::opened::VOD_APP;
use crate::server::registry::{ConnectionSlot, Publication, PublishRight, Refused, Registry};
use crate::server::relay::pulls;
use crate::server::relay::pushes::push_on;
use crate::server::rtmp::connection::{Connection, Error};
use crate::server::rtmp::error_status::end_play;
use crate::server::rtmp::pending_request::{PendingRequest, RequestKind, decided};
use crate::server::rtmp::watching::Watching;
use crate::server::stream::message::CHUNK_SIZE;
use crate::server::stream::relayed::{RelayPath, RelaySource};
use crate::server::stream::sink::Sink;
use crate::server::stream::{Incoming, Stream};
use crate::text::problem::{Problem, problem};
use crate::wire::container::flv::TagKind;
use crate::wire::rtmp::auth;
use crate::wire::rtmp::command::Connect;
use crate::wire::rtmp::server::{Config, Event, Session};
use crate::wire::rtmp::status::code;
use crate::wire::rtmp::stream_name::StreamName;

/// Interval between checks if there is no earlier deadline.
const CHECK_INTERVAL: Duration = Duration::from_secs(5);
/// Maximum number of received messages that are passed on before other tasks run.
const MAX_TURN_MESSAGES: usize = 256;

/// The client's role.
enum Role {
    Idle,
    Publishing(Publication),
    Playing {
        stream: Arc<Stream>,
        since: Timestamp,
        sent_before: u64,
    },
    /// Plays a recording.
    Watching(Box<Watching>),
}

struct Task {
    registry: Arc<Registry>,
    connection: Arc<Connection>,
    role: Role,
    pending: Option<Box<PendingRequest>>,
    /// The application, if a callback changed it.
    app: Option<Box<str>>,
    /// When dropped, informs a callback that the role has ended.
    done: Option<Box<DoneCall>>,
    incoming: Vec<Incoming>,
    /// Time until which the last message is held for the rest of its burst.
    flush_at: Option<Timestamp>,
    check_at: Timestamp,
    /// Number of bytes sent at the last check.
    sent: u64,
    last_received: Timestamp,
    finished: bool,
    /// True if the client has logged in as a publisher.
    welcome: bool,
    place: ConnectionSlot,
    /// Start of the client's wait for a publisher.
    waiting_since: Option<Timestamp>,
}

/// Waits for the next step in the playback of a recording, if there is one.
async fn watched(role: &mut Role) -> Option<PlaybackStep> {
    let Role::Watching(watching) = role else { return None };
    Some(watching.next().await)
}

/// Serves one connection to its end.
pub(super) async fn serve(
    registry: Arc<Registry>,
    stream: net::Stream,
    peer: SocketAddr,
    place: ConnectionSlot,
) {
    let mut task = Task::new(registry, stream, peer, place);
    // A publisher writes to all its viewers at once, which the task budget must not interrupt halfway.
    let id = task.connection.id();
    let session = tracing::info_span!(target: SESSION_LOG_TARGET, "rtmp", session = id);
    tokio::task::unconstrained(task.run().instrument(session)).await;
}

impl Task {
    /// Creates the task of a new connection.
    fn new(
        registry: Arc<Registry>,
        stream: net::Stream,
        peer: SocketAddr,
        place: ConnectionSlot,
    ) -> Self {
        let id = registry.next_id();
        let now = registry.clock.now();
        let config = Config { chunk_size: CHUNK_SIZE, ..Config::default() };
        // The value differs between runs and connections, and is not secret.
        let seed = registry.clock.wall_micros(now).cast_unsigned().rotate_left(17) ^ id;
        let session = Session::new(config, now, seed);
        let connection = Connection::new(id, peer, Arc::clone(&registry), stream, session);
        connection.set_user_timeout(registry.config.limits.stalled_viewer);
        Self {
            registry,
            connection: Arc::new(connection),
            role: Role::Idle,
            pending: None,
            app: None,
            done: None,
            incoming: Vec::new(),
            flush_at: None,
            check_at: now + CHECK_INTERVAL,
            sent: 0,
            last_received: now,
            finished: false,
            welcome: false,
            place,
            waiting_since: None,
        }
    }

    async fn run(&mut self) {
        let result = self.serve().await;
        let is_proper = result.is_ok();
        let reason = result.unwrap_or_else(Problem::from);
        tracing::debug!(peer = %self.connection.peer, %reason, "a connection ended");
        self.end_role(reason);
        let skipped = self.connection.skipped();
        self.registry
            .totals
            .skipped_messages
            .fetch_add(skipped, std::sync::atomic::Ordering::Relaxed);
        if is_proper {
            self.send_last_word().await;
        }
    }

    /// Runs until the connection ends. Returns the reason if it ends properly.
    async fn serve(&mut self) -> Result<Problem, Error> {
        let mut events = Vec::new();
        let registry = Arc::clone(&self.registry);
        let connection = Arc::clone(&self.connection);
        let sleep = tokio::time::sleep(Duration::ZERO);
        tokio::pin!(sleep);
        let stopped = registry.stopped();
        tokio::pin!(stopped);
        let drains = registry.drains();
        tokio::pin!(drains);
        let (mut is_draining, mut is_asked) = (false, false);
        let spot = Arc::clone(self.place.spot());
        loop {
            // A client without a stream is asked later. One that cannot reconnect on request stays.
            if is_draining && !is_asked && !matches!(self.role, Role::Idle) {
                is_asked = true;
                self.ask_to_reconnect("The server is being replaced.");
            }
            let wake_at = self.wake_at();
            let instant = tokio::time::Instant::from_std(registry.clock.instant(wake_at));
            if sleep.deadline() != instant {
                sleep.as_mut().reset(instant);
            }
            let dismissal = match &self.role {
                Role::Publishing(publication) => Some(Arc::clone(&publication.dismissal)),
                _ => None,
            };
            let dismissed = async { Some(dismissal?.stop_reason().await) };
            tokio::select! {
                biased;
                () = &mut stopped => {
                    let why = "The server is shutting down.";
                    // A player always gets the end of the stream; for a publisher, the plain message is
                    // an error.
                    let asked = self.ask_to_reconnect(why);
                    if !asked || matches!(self.role, Role::Playing { .. } | Role::Watching(_)) {
                        self.say_goodbye(why);
                    }
                    return Ok(problem!("left-server-stopped"));
                }
                () = &mut drains, if !is_draining => is_draining = true,
                () = poll_fn(|cx| spot.poll_evicted(cx)) => {
                    return Ok(problem!("left-evicted"));
                }
                Some(reason) = dismissed => {
                    self.say_goodbye(&reason.to_string());
                    return Ok(reason);
                }
                Some((kind, decision)) = decided(&mut self.pending) => match kind {
                    RequestKind::Connect => self.connected(decision)?,
                    RequestKind::Application(name, call) => self.entered(name, call, decision)?,
                    RequestKind::Publish(name) => self.publish(name, decision)?,
                    RequestKind::Play(name) => self.play(name, decision)?,
                    RequestKind::Watch(name, start) => self.watch((name, start), decision),
                },
                result = poll_fn(|cx| connection.poll(cx, &mut events)) => {
                    if let Err(Error::Dismissed(reason)) = result {
                        self.say_goodbye(&reason.to_string());
                        return Ok(reason);
                    }
                    result?;
                    // If there are no events, only the deadline has changed.
                    let something = !events.is_empty();
                    for event in events.drain(..) {
                        self.handle(event);
                    }
                    // For a publisher, only its media counts.
                    let publishes = matches!(self.role, Role::Publishing(_));
                    if something && (!publishes || !self.incoming.is_empty()) {
                        self.last_received = registry.clock.now();
                    }
                    self.pass_on_in_turns().await;
                    if self.finished {
                        return Ok(problem!("left-finished"));
                    }
                }
                Some(step) = watched(&mut self.role) => {
                    if let Role::Watching(watching) = &mut self.role
                        && !watching.handle(step)?
                    {
                        self.end_role(problem!("left-recording-unplayable"));
                    }
                }
                () = &mut sleep => {
                    self.check_deadlines(registry.clock.now())?;
                    self.send_rest().await;
                }
            }
        }
    }

    fn wake_at(&self) -> Timestamp {
        let deadlines = [self.flush_at, self.connection.deadline()];
        deadlines.into_iter().flatten().fold(self.check_at, Timestamp::min)
    }

    fn handle(&mut self, event: Event) {
        let connection = &self.connection;
        let mut add = |kind, time_ms, body, metadata| {
            self.incoming.push(Incoming { kind, time_ms, body, metadata });
        };
        match event {
            Event::ConnectRequested(connect) => self.connect(&connect),
            Event::PublishRequested { name, kind } => self.wants_to_publish(name, kind),
            Event::PlayRequested { name, start, duration, reset } => {
                self.end_role(problem!("left-played-again"));
                self.ask(name, Call::Play { start, duration, reset });
            }
            Event::Metadata { time_ms, body, .. } => add(TagKind::Script, time_ms, body, true),
            Event::Data { time_ms, body, .. } => add(TagKind::Script, time_ms, body, false),
            Event::Video { time_ms, body } => add(TagKind::Video, time_ms, body, false),
            Event::Audio { time_ms, body } => add(TagKind::Audio, time_ms, body, false),
            Event::Unpublished => self.end_role(problem!("left-unpublished")),
            Event::PlayStopped => {
                self.end_role(problem!("left-stopped"));
                self.connection.clear_stream();
            }
            Event::Paused(paused) => match &mut self.role {
                Role::Watching(watching) => watching.set_paused(paused),
                _ => connection.set_paused(paused),
            },
            Event::SeekRequested { millis } => {
                if let Role::Watching(watching) = &mut self.role {
                    watching.seek(millis);
                }
            }
            Event::ReceiveAudio(wanted) => connection.set_wanted(Some(wanted), None),
            Event::ReceiveVideo(wanted) => connection.set_wanted(None, Some(wanted)),
            Event::Finished => self.finished = true,
            Event::BufferLength { .. } | Event::Acknowledged { .. } | Event::Pong { .. } => {}
        }
    }

    /// Handles a request to connect. Clients that identify themselves as publishers must log in.
    fn connect(&mut self, connect: &Connect) {
        let connection = &self.connection;
        if let Some(verdict) = connection.verdict(Phase::Connect) {
            return connection.with_session(|session| match verdict {
                Verdict::Reject(status) => session.reject_connect(&status),
                Verdict::Redirect(url) => session.redirect_connect(&url),
            });
        }
        // An unreadable path gives no protection against loops, so it is refused too.
        let is_loop = |path: &str| {
            RelayPath::parse(path).is_none_or(|path| path.passes(&self.registry.relays.id))
        };
        if connect.relay_path().is_some_and(is_loop) {
            let text = "This relay would be a loop.";
            return connection.send_error(Session::reject_connect, code::CONNECT_REJECTED, text);
        }
        if self.registry.is_draining() {
            let text = "The server is being replaced. Try again.";
            return match self.successor(connect) {
                Some(url) => connection.with_session(|session| session.redirect_connect(&url)),
                None => {
                    connection.send_error(Session::reject_connect, code::CONNECT_SHUTDOWN, text);
                }
            };
        }
        let knocks = connect.is_publisher() || connect.app.contains("?authmod=");
        if self.registry.is_login_limited() && knocks {
            let address = connection.peer.ip();
            let rejected = match self.registry.check_login(&connect.app, address) {
                Ok(auth::Verdict::Welcome) => None,
                Ok(auth::Verdict::Rejected(text)) => Some((code::CONNECT_REJECTED, text, None)),
                Ok(auth::Verdict::Wrong(text)) => {
                    let why = problem!("denied-wrong-password");
                    Some((code::CONNECT_REJECTED, text, Some(why)))
                }
                Err(must_wait) => {
                    Some((code::CONNECT_FAILED, must_wait.to_string(), Some(must_wait)))
                }
            };
            if let Some((code, text, wrong)) = rejected {
                if let Some(why) = wrong {
                    let refused = ("wrong-password", why);
                    self.registry.reporter.refuse(Refusal::early(address, "publish", refused));
                }
                return connection.send_error(Session::reject_connect, code, text);
            }
            self.welcome = true;
        }
        let client = (connection.id(), connection.peer);
        let pending = PendingRequest::connect(&self.registry, client, connect);
        self.pending = Some(Box::new(pending));
    }

    fn wants_to_publish(&mut self, name: StreamName, kind: String) {
        self.end_role(problem!("left-published-again"));
        let connection = &self.connection;
        if self.registry.is_login_limited() && !self.welcome {
            let why = problem!("denied-no-password");
            let refused = ("no-password", why.clone());
            let refusal = Refusal::early(connection.peer.ip(), "publish", refused);
            self.registry.reporter.refuse(refusal);
            return connection.send_error(Session::reject_publish, code::PUBLISH_UNAUTHORIZED, why);
        }
        if let Some(Verdict::Reject(status)) = connection.verdict(Phase::Publish) {
            return connection.with_session(|session| session.reject_publish(&status));
        }
        self.ask(name, Call::Publish { kind });
    }

    fn publish(
        &mut self,
        mut name: StreamName,
        decision: Result<Grant, Denied>,
    ) -> Result<(), Error> {
        let connection = &self.connection;
        let reject = |code: &str, why: &Problem| {
            connection.send_error(Session::reject_publish, code, why.to_string());
            Ok(())
        };
        let mut grant = match decision {
            Ok(grant) => grant,
            Err(denied) => {
                return reject(denied.publish_code(), &denied.problem(Action::Publish));
            }
        };
        let (id, peer) = (connection.id(), connection.peer);
        if let Some(renamed) = grant.renamed.take() {
            name.stream = renamed;
        }
        if grant.signer.is_some() {
            // A publisher that returns may have another token.
            name.query = String::new();
        }
        let path = connection.relay_path();
        if let Some(last) = path.last() {
            // A relay replaces only its own connections: streams that return to their server would
            // otherwise replace themselves.
            name.query = format!("relay {last}");
        }
        let (proven, relayed) = (grant.proven || self.welcome, path.last().is_some());
        let right = PublishRight { proven, relayed, limits: grant.limits };
        let refused = match self.registry.publish(id, peer, &name, right) {
            Ok(publication) => {
                self.last_received = publication.since;
                self.registry.admission.settle(self.place.spot(), Purpose::Publish);
                // The recording must start before the first data is handled.
                let recorded = grant.recorded.map(|recorded| *recorded);
                recordings::begin(&self.registry, &publication.stream, recorded);
                self.done = grant.done;
                hls::begin(&self.registry, &publication.stream);
                publication.stream.set_source(id, RelaySource { path, origin: None });
                push_on(&self.registry, &publication.stream);
                self.role = Role::Publishing(publication);
                return Ok(connection.with_session(Session::accept_publish)?);
            }
            Err(refused) => refused,
        };
        let code = match refused {
            Refused::Taken => code::PUBLISH_BAD_NAME,
            Refused::Full | Refused::AppFull(_) => code::CONNECT_FAILED,
        };
        let reason = self.registry.refuse_publisher((peer, Protocol::Rtmp), &name, refused);
        reject(code, &reason)
    }

    fn play(&mut self, mut name: StreamName, decision: Result<Grant, Denied>) -> Result<(), Error> {
        let connection = &self.connection;
        let mut grant = match decision {
            Ok(grant) => grant,
            Err(denied) => {
                let why = denied.problem(Action::Play);
                connection.send_error(Session::reject_play, denied.play_code(), why);
                return Ok(());
            }
        };
        if let Some(renamed) = grant.renamed.take() {
            name.stream = renamed;
        }
        connection.with_session(Session::accept_play)?;
        connection.set_own(grant.is_own);
        let asked = name.query.split('&').find_map(|it| it.strip_prefix("audio="));
        connection.io.lock().asks_opus = asked.map(|codec| codec == "opus");
        let joined = match self.settles((&name.app, &name.stream)) {
            true => {
                let viewer = Arc::<Connection>::clone(connection);
                let viewer = (viewer as Arc<dyn Sink>, grant.expelled);
                self.registry.join(&name.app, &name.stream, viewer, connection.peer)
            }
            false => Err(NoRoom::Server),
        };
        match joined {
            Ok(stream) => {
                let since = self.registry.clock.now();
                self.role = Role::Playing { stream, since, sent_before: connection.sent() };
                let (names, viewer) = ((name.app.as_str(), name.stream.as_str()), connection.peer);
                pulls::demand(&self.registry, names, viewer.ip(), &connection.relay_path());
                self.done = grant.done;
            }
            Err(why) => connection.send_error(end_play, code::PLAY_FAILED, why.problem()),
        }
        Ok(())
    }

    /// Keeps the slot of the connection for a viewer. If there is no room, reports that and returns false.
    fn settles(&self, names: (&str, &str)) -> bool {
        let settled = self.registry.admission.settle(self.place.spot(), Purpose::Play);
        if !settled {
            let client = (self.connection.peer.ip(), Some(Protocol::Rtmp));
            self.registry.reporter.refuse(Refusal::of_viewer(client, names, NoRoom::Server));
        }
        settled
    }

    /// Begins to play a recording, if the client may.
    fn watch(&mut self, recording: (String, f64), decision: Result<Grant, Denied>) {
        let connection = &self.connection;
        let (code, why) = match decision {
            Ok(grant) if self.settles((VOD_APP, &recording.0)) => {
                let watching = Watching::new(&self.registry, connection, recording, grant.expelled);
                self.role = Role::Watching(Box::new(watching));
                self.done = grant.done;
                return;
            }
            Ok(_) => (code::PLAY_FAILED, NoRoom::Server.problem()),
            Err(denied) => (denied.play_code(), denied.problem(Action::Play)),
        };
        connection.send_error(Session::reject_play, code, why);
    }

    /// Passes received messages to the stream, and lets other tasks run between many of them.
    async fn pass_on_in_turns(&mut self) {
        let mut received = std::mem::take(&mut self.incoming).into_iter();
        loop {
            self.incoming.extend(received.by_ref().take(MAX_TURN_MESSAGES));
            self.pass_on();
            self.send_rest().await;
            if received.len() == 0 {
                return;
            }
            tokio::task::yield_now().await;
        }
    }

    /// Passes received messages to the stream.
    fn pass_on(&mut self) {
        if self.incoming.is_empty() {
            return;
        }
        let Role::Publishing(publication) = &self.role else {
            self.incoming.clear();
            return;
        };
        let now = self.registry.clock.now();
        self.flush_at = publication.stream.take(self.connection.id(), &mut self.incoming, now);
        self.registry.tell_remarks(&publication.stream);
    }
}
