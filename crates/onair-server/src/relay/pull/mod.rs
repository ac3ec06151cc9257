//! A pull: plays a stream of another server, and publishes it on this server under the name that
//! viewers request. Viewers stay while the pull changes to another server.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::sleep;

use crate::base::Timestamp;
use crate::net::rtmp::{Client, Options};
use crate::server::access::callback::calls::RecordCall;
use crate::server::access::callback::visit::{ClientDetails, Visit};
use crate::server::event::Protocol;
use crate::server::event::relay::RelayState;
use crate::server::outputs::hls;
use crate::server::outputs::recordings;
use crate::server::registry::relays::state::Relay;
use crate::server::registry::{Publication, PublishRight, Refused};
use crate::server::relay::cycle::{self, Destination, End, Relaying, meanwhile};
use crate::server::relay::pushes::push_on;
use crate::server::relay::task::{CHECK_INTERVAL, RelayTask, ticks};
use crate::server::relay::waits::{self, NAME_CHECK_INTERVAL};
use crate::server::stream::relayed::{RelayPath, RelaySource};
use crate::server::stream::{Incoming, Stream};
use crate::text::Problem;
use crate::text::problem::problem;
use crate::wire::container::flv::TagKind;
use crate::wire::rtmp::client::{Event, Purpose};
use crate::wire::rtmp::stream_name::StreamName;
use crate::wire::rtmp::url::Url;

/// The pull waits this long for a server that does not have the stream yet.
const MISSING_STREAM_WAIT: Duration = Duration::from_secs(1);
/// With further addresses: the time limit of the handshake and of commands.
const FAIL_OVER_COMMAND_TIMEOUT: Duration = Duration::from_secs(4);
/// How long the viewers of a lost stream are kept for its return.
const STREAM_RETURN_TIMEOUT: Duration = Duration::from_secs(10);
/// Time limit for closing a connection.
const CLOSE_TIMEOUT: Duration = Duration::from_millis(500);
/// Maximum number of messages that are passed on together.
const MAX_BATCH_MESSAGES: usize = 256;
/// Maximum number of messages before the first media.
const MAX_EARLY_MESSAGES: usize = 16;

struct Pull {
    task: Arc<RelayTask>,
    publication: Option<Publication>,
    /// True if the publication continues with a new connection.
    is_renewal: bool,
    /// The time at which the last connection with media failed.
    lost_at: Option<Timestamp>,
    /// The time of the first media of the connection's current stream; `None` after the stream
    /// ended.
    live_since: Option<Timestamp>,
    /// The time of the connection's first media, even if the stream has ended since then.
    first_media: Option<Timestamp>,
    /// The time at which media last arrived.
    last_media: Timestamp,
    incoming: Vec<Incoming>,
    /// The server's address.
    peer: SocketAddr,
    /// Host and port of the server.
    server: String,
    /// The other servers on the path of the connection.
    path: RelayPath,
    /// The time since which the server at this address does not have the stream, if the next connection to it only
    /// tells it another path.
    missing_since: Option<(Url, Timestamp)>,
    /// Number of the connection's bytes that were already counted.
    counted: u64,
    /// True after the first media of the pull.
    was_live: bool,
    /// Time until which the stream holds messages for its many viewers.
    flush_at: Option<Timestamp>,
}

/// Runs a pull to its end.
pub(crate) async fn run(task: RelayTask) {
    let mut pull = Pull::new(task);
    // The pull writes to all its viewers in one pass, which the task budget must not interrupt.
    let why = tokio::task::unconstrained(cycle::run(&mut pull)).await;
    pull.unpublish(problem!("left-relay-ended"));
    pull.task.over(Some(why));
}

impl Relaying for Pull {
    const FAIL_OVER_COMMAND_TIMEOUT: Option<Duration> = Some(FAIL_OVER_COMMAND_TIMEOUT);

    fn task(&self) -> &Arc<RelayTask> {
        &self.task
    }

    /// Waits until no other publisher has the name, and a moment longer, also for the end of pushes to the same server.
    async fn prepare(&mut self) -> Result<(), Problem> {
        let mut had_waited = self.was_live || !self.has_just_ended();
        while self.publication.is_none() {
            let is_published = self.is_published();
            let wait = if is_published || !had_waited {
                NAME_CHECK_INTERVAL
            } else if self.is_pushed() {
                CHECK_INTERVAL
            } else {
                break;
            };
            had_waited = !is_published;
            self.task.change(|report| {
                report.state = RelayState::Waiting;
                report.cause = Some(problem!("relay-name-taken"));
                report.retry_in = None;
            });
            meanwhile(self, sleep(wait)).await?;
        }
        Ok(())
    }

    fn path(&mut self) -> RelayPath {
        self.path = self.waiting_servers(&self.path);
        self.path.clone()
    }

    async fn connection(&mut self, to: Destination<'_>, options: &Options) -> End {
        (self.live_since, self.first_media) = (None, None);
        let missing_since = self.take_missing_since(to.url);
        let clock = self.task.registry.clock;
        let on_step = |_: crate::net::Step<'_>| {};
        let relay = Arc::clone(&self.task.relay);
        let connect = async {
            tokio::select! {
                connected = Client::connect(to.url, Purpose::Play, options, clock, &on_step) => {
                    Some(connected)
                }
                () = relay.readdressed(to.rule) => None,
            }
        };
        let mut client = match meanwhile(self, connect).await {
            Ok(Some(Ok(client))) => client,
            Ok(Some(Err(error))) => return End::Failed(error.problem()),
            Ok(None) => return End::Again,
            Err(why) => return End::Over(why),
        };
        // A server without the stream may send nothing for any length of time.
        client.stream().set_keepalive();
        let end = self.receive(&mut client, to, missing_since).await;
        self.count(&client);
        self.counted = 0;
        if !matches!(end, End::Failed(_)) {
            // The next connection does not wait for the end of this one.
            self.task.registry.relays.runtime.spawn(client.close(CLOSE_TIMEOUT));
        }
        end
    }

    fn disconnected(&mut self, now: Timestamp) -> Option<Timestamp> {
        if self.live_since.is_some() {
            self.lost_at = Some(now);
        }
        self.is_renewal = true;
        self.first_media
    }

    /// Ends a pull without viewers, a pull whose viewers can move to another server, and a publication whose stream does
    /// not return in time.
    fn check(&mut self) -> Result<(), Problem> {
        let now = self.task.registry.clock.now();
        if self.lost_at.is_some_and(|lost| now.since(lost) >= STREAM_RETURN_TIMEOUT) {
            self.unpublish(problem!("left-relay-lost"));
        }
        let Relay { app, stream, .. } = &*self.task.relay;
        let registry = &self.task.registry;
        // A viewer of WebRTC counts only once connected, which can take longer than a short `linger`.
        let is_watched = || {
            registry.find(app, stream).is_some_and(|stream| {
                registry.viewers_of(&stream) > 0 || registry.webrtc.is_used(&stream)
            })
        };
        // Current viewers over HTTP move only when the stream is no longer here. Without viewers, its pushes and
        // recordings go on.
        if registry.releases_pull(app, stream) && is_watched() {
            return Err(problem!("left-moved"));
        }
        if !self.task.relay.rule().on_demand {
            return Ok(());
        }
        if is_watched() {
            self.task.relay.note_asked(now);
        } else if now.since(self.task.relay.last_request()) >= self.patience() {
            // A viewer who arrives from here on gets another pull.
            self.task.relay.stop();
            return Err(problem!("relay-no-viewers"));
        }
        Ok(())
    }
}

impl Pull {
    fn new(task: RelayTask) -> Self {
        let now = task.registry.clock.now();
        Self {
            task: Arc::new(task),
            publication: None,
            is_renewal: false,
            lost_at: None,
            live_since: None,
            first_media: None,
            last_media: now,
            incoming: Vec::new(),
            peer: SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0),
            server: String::new(),
            path: RelayPath::default(),
            missing_since: None,
            counted: 0,
            was_live: false,
            flush_at: None,
        }
    }

    fn stream(&self) -> Option<Arc<Stream>> {
        let Relay { app, stream, .. } = &*self.task.relay;
        self.task.registry.find(app, stream)
    }

    fn is_published(&self) -> bool {
        self.stream().is_some_and(|stream| stream.is_published())
    }

    /// Returns true if another publisher has only just left.
    fn has_just_ended(&self) -> bool {
        let now = self.task.registry.clock.now();
        let last = self.stream().and_then(|stream| stream.last_media());
        last.is_some_and(|last| now.since(last) < NAME_CHECK_INTERVAL)
    }

    /// Returns true while a push of the stream to the same server has not ended.
    fn is_pushed(&self) -> bool {
        let Relay { app, stream, .. } = &*self.task.relay;
        let rule = self.task.relay.rule();
        self.task.registry.relays.is_pushed_to(&rule, (app, stream))
    }

    /// Returns the servers that wait for the stream, first those of `known`. HTTP requests wait
    /// without a viewer.
    fn waiting_servers(&self, known: &RelayPath) -> RelayPath {
        let of_viewers = self.stream().and_then(|stream| stream.waiting_servers(known));
        of_viewers.unwrap_or_else(|| self.task.relay.asker())
    }

    /// Returns the time since which the server at this address does not have the stream, if the last connection was to
    /// this address and has found this out.
    fn take_missing_since(&mut self, url: &Url) -> Option<Timestamp> {
        self.missing_since
            .take()
            .filter(|(missing_at, _)| missing_at == url)
            .map(|(_, since)| since)
    }

    /// Returns how long the pull continues without viewers. HTTP requests wait for its start.
    fn patience(&self) -> Duration {
        let rule = self.task.relay.rule();
        let first_round = || waits::first_round(rule.targets.len());
        if self.live_since.is_some() { rule.linger } else { rule.linger.max(first_round()) }
    }

    /// Receives until something ends the connection. `missing_since` is the time since which the
    /// server does not have the stream, if an earlier connection has found this out.
    async fn receive(
        &mut self,
        client: &mut Client,
        to: Destination<'_>,
        missing_since: Option<Timestamp>,
    ) -> End {
        let task = Arc::clone(&self.task);
        let began = task.registry.clock.now();
        let missing_since = missing_since.unwrap_or(began);
        self.last_media = began;
        self.incoming.clear();
        self.server = to.url.authority();
        let mut ticks = ticks();
        let readdressed = task.relay.readdressed(to.rule);
        tokio::pin!(readdressed);
        // The publisher keeps the address of its first server.
        if self.publication.is_none() {
            self.peer = client.stream().peer_addr().unwrap_or(self.peer);
        }
        loop {
            let dismissal = self.publication.as_ref().map(|it| Arc::clone(&it.dismissal));
            let dismissed = async { Some(dismissal?.stop_reason().await) };
            let flush_at = self.flush_at.map(|at| task.registry.clock.instant(at).into());
            let flush = async {
                tokio::time::sleep_until(flush_at?).await;
                Some(())
            };
            let event = tokio::select! {
                biased;
                () = task.stopped() => return End::Over(problem!("relay-stopped")),
                () = &mut readdressed => return End::Again,
                Some(reason) = dismissed => {
                    self.unpublish(reason.clone());
                    return match self.is_published() {
                        false => End::Failed(reason),
                        // A publisher of this server has replaced the pull. Viewers who stay after this publisher get
                        // another pull on demand.
                        true if task.relay.rule().on_demand => {
                            task.relay.stop();
                            End::Over(reason)
                        }
                        true => End::Again,
                    };
                }
                _ = ticks.tick() => {
                    self.count(client);
                    if let Err(why) = self.check() {
                        return End::Over(why);
                    }
                    let now = task.registry.clock.now();
                    let addresses = to.rule.targets.len();
                    if self.live_since.is_some() {
                        if now.since(self.last_media) >= waits::silence_timeout(addresses) {
                            return End::Failed(problem!("relay-silent"));
                        }
                        continue;
                    }
                    // The other server must not wait for a stream that this server has.
                    if self.publication.is_none() && self.is_published() {
                        return End::Again;
                    }
                    let missing = now.since(missing_since);
                    if waits::start_timeout(addresses).is_some_and(|most| missing >= most) {
                        return End::Failed(problem!("relay-no-stream"));
                    }
                    if now.since(began) >= MISSING_STREAM_WAIT {
                        if self.waiting_servers(&self.path).replaces(&self.path, &task.own_id()) {
                            self.missing_since = Some((to.url.clone(), missing_since));
                            return End::Again;
                        }
                        self.wait_for_media();
                    }
                    continue;
                }
                Some(()) = flush => {
                    self.flush_at = None;
                    if let Some(publication) = &self.publication {
                        publication.stream.flush();
                        let registry = &self.task.registry;
                        let now = registry.clock.now();
                        publication.stream.send_rest(&registry.admission, now).await;
                    }
                    continue;
                }
                event = client.next_event() => event,
            };
            let mut next = match event {
                Ok(event) => Some(event),
                Err(error) => return End::Failed(error.problem()),
            };
            // Handle the other events of the same read.
            while let Some(event) = next {
                if let Some(end) = self.take(event, to) {
                    return end;
                }
                next = match self.incoming.len() < MAX_BATCH_MESSAGES {
                    true => client.session().poll_event(),
                    false => None,
                };
            }
            let is_full = self.incoming.len() >= MAX_BATCH_MESSAGES;
            if let Err(end) = self.pass_on() {
                return end;
            }
            if is_full {
                // Other tasks run in between.
                tokio::task::yield_now().await;
            }
            if let Some(publication) = &self.publication {
                let registry = &self.task.registry;
                publication.stream.send_rest(&registry.admission, registry.clock.now()).await;
            }
        }
    }

    /// Handles an event of the connection.
    fn take(&mut self, event: Event, to: Destination<'_>) -> Option<End> {
        let mut add = |kind, time_ms, body, metadata| {
            self.incoming.push(Incoming { kind, time_ms, body, metadata });
        };
        match event {
            Event::Video { time_ms, body } => add(TagKind::Video, time_ms, body, false),
            Event::Audio { time_ms, body } => add(TagKind::Audio, time_ms, body, false),
            Event::Metadata { time_ms, body, .. } => add(TagKind::Script, time_ms, body, true),
            Event::Data { time_ms, body, .. } => add(TagKind::Script, time_ms, body, false),
            Event::StreamEof | Event::Unpublished => {
                if let Err(end) = self.pass_on() {
                    return Some(end);
                }
                self.incoming.clear();
                self.unpublish(problem!("left-relay-unpublished"));
                self.live_since = None;
                self.wait_for_media();
            }
            Event::ReconnectRequest { tc_url, .. } => {
                return to.home.asked_to(to.url, tc_url.as_deref()).map(End::Elsewhere);
            }
            _ => {}
        }
        None
    }

    fn wait_for_media(&self) {
        self.task.change(|report| {
            report.state = RelayState::Waiting;
            report.cause = None;
        });
    }

    /// Passes messages on to the viewers. The publication begins with the first media.
    fn pass_on(&mut self) -> Result<(), End> {
        if self.incoming.is_empty() {
            return Ok(());
        }
        let now = self.task.registry.clock.now();
        let has_media = self.incoming.iter().any(|it| it.kind != TagKind::Script);
        if self.live_since.is_none() {
            if !has_media {
                // Metadata arrives first.
                self.incoming.truncate(MAX_EARLY_MESSAGES);
                return Ok(());
            }
            self.go_live()?;
        }
        if has_media {
            self.last_media = now;
        }
        if let Some(publication) = &self.publication {
            let stream = &publication.stream;
            self.flush_at = stream.take(self.task.relay.id, &mut self.incoming, now);
            self.task.registry.tell_remarks(stream);
        }
        Ok(())
    }

    /// Begins the publication, or continues it with this connection.
    fn go_live(&mut self) -> Result<(), End> {
        let id = self.task.relay.id;
        let is_renewal = std::mem::take(&mut self.is_renewal);
        match &self.publication {
            Some(publication) if is_renewal => publication.stream.renew(id),
            Some(_) => {}
            None => self.publish()?,
        }
        self.lost_at = None;
        let now = self.task.registry.clock.now();
        (self.live_since, self.last_media) = (Some(now), now);
        self.first_media.get_or_insert(now);
        self.task.relay.note_asked(now);
        // The next stream of the same connection is no reconnect.
        if std::mem::replace(&mut self.was_live, true) && is_renewal {
            self.task.relay.reconnects.fetch_add(1, Ordering::Relaxed);
        }
        self.task.live();
        Ok(())
    }

    fn publish(&mut self) -> Result<(), End> {
        let registry = &self.task.registry;
        let (app, stream) = (self.task.relay.app.clone(), self.task.relay.stream.clone());
        let limits = registry.access().rules.of(&app).limits;
        let right = PublishRight { proven: true, relayed: true, limits };
        // Credentials do not replace a pull.
        let name = StreamName { app, stream, query: format!("pull {}", self.task.relay.id) };
        let publication = match registry.publish(self.task.relay.id, self.peer, &name, right) {
            Ok(publication) => publication,
            Err(Refused::Taken) => return Err(End::Again),
            Err(Refused::Full | Refused::AppFull(_)) => {
                return Err(End::Failed(problem!("relay-too-many-streams")));
            }
        };
        // Not from the address in the report: the name of the stream may be invalid there.
        let (path, origin) = (Default::default(), Some(self.server.clone()));
        publication.stream.set_source(self.task.relay.id, RelaySource { path, origin });
        let access = registry.access();
        let callbacks = access.callbacks(&name.app);
        let visit = Visit {
            id: self.task.relay.id,
            address: self.peer.ip().to_canonical(),
            protocol: Protocol::Rtmp,
            app: name.app,
            stream: name.stream,
            query: String::new(),
            secret: None,
            login: None,
            client: ClientDetails::default(),
        };
        let recorded = callbacks.map(|callbacks| RecordCall::new(callbacks, visit));
        recordings::begin(registry, &publication.stream, recorded);
        hls::begin(registry, &publication.stream);
        push_on(registry, &publication.stream);
        self.publication = Some(publication);
        Ok(())
    }

    fn unpublish(&mut self, reason: Problem) {
        self.lost_at = None;
        let Some(publication) = self.publication.take() else { return };
        self.task.registry.unpublish(&publication, self.task.relay.id, self.peer, reason);
    }

    /// Adds the bytes of the connection to the totals.
    fn count(&mut self, client: &Client) {
        let read = client.read_bytes();
        let new = read.saturating_sub(self.counted);
        self.counted = read;
        // The handshake and commands do not count as data of the pull.
        let before = self.was_live.then(|| self.task.relay.bytes.fetch_add(new, Ordering::Relaxed));
        if before == Some(0) {
            self.task.registry.relays.free();
        }
        self.task.registry.totals.received_bytes.fetch_add(new, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests;
