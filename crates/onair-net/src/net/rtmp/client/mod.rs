//! An RTMP client on a socket, for publishing and playing. The client connects the session of
//! `wire::rtmp::client` with the socket, the clock and time limits (RTMP 1.0), and runs on the
//! network runtime.

mod negotiate;

use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::{Instant, Sleep, timeout_at};

use crate::base::{Clock, Timestamp, partial_debug};
use crate::media::BitsPerSecond;
use crate::net::connect::Endpoint;
use crate::net::error::{Cause, ConnectStage, Error, NotRtmp, Step};
use crate::net::stream::Stream;
use crate::wire::byte_block::ByteBlock;
use crate::wire::rtmp::client::{
    ClientStage as SessionStage, Config, Error as SessionError, Event, Output, Purpose, Refused,
    Session,
};
use crate::wire::rtmp::command::Enhanced;
use crate::wire::rtmp::url::Url;

/// Maximum size of one read from the socket, in bytes.
const MAX_READ_BYTES: usize = 64 << 10;
/// The number of bytes that onair inspects of an answer that is not RTMP.
const MAX_SNIFFED_BYTES: usize = 64;
/// Maximum number of events that wait until the stream has begun or a flush has ended. Further
/// events are dropped.
const MAX_EARLY_EVENTS: usize = 32;
/// The time that the server has for closing its side after it has received the last byte.
const CLOSE_TIMEOUT: Duration = Duration::from_millis(500);
/// Interval between checks of whether the server has received the last byte.
const UNSENT_CHECK_INTERVAL: Duration = Duration::from_millis(50);

/// The connection options and time limits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Limits, routes and trust of the connection.
    pub net: crate::net::connect::Options,
    /// Time limit from the connection to the end of the handshake.
    pub handshake_limit: Duration,
    /// Time limit from the handshake to the start of publishing or playing.
    pub command_limit: Duration,
    /// For publishing, the bitrate of the stream, which determines the chunk size.
    pub bitrate: Option<BitsPerSecond>,
    /// For relays: the servers that the stream has passed through.
    pub relay_path: Option<String>,
    /// For playing, the player's buffer length, which is reported to the server.
    pub buffer: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            net: crate::net::connect::Options::default(),
            handshake_limit: Duration::from_secs(10),
            command_limit: Duration::from_secs(10),
            bitrate: None,
            relay_path: None,
            buffer: Duration::from_millis(300),
        }
    }
}

/// A callback for the steps.
pub type Listener<'a> = dyn Fn(Step<'_>) + Send + Sync + 'a;

/// The stage up to which the session is driven.
#[derive(Copy, Clone, PartialEq, Eq)]
enum SessionGoal {
    /// The server has answered `connect`.
    Connected,
    /// Publishing or playing has begun.
    Started,
}

/// The result of [`Client::progress`].
#[derive(Debug)]
pub enum Progress {
    /// An event of the session.
    Event(Event),
    /// At most the given number of bytes are unsent.
    Room,
}

/// A connection that was accepted for publishing or playing.
pub struct Client {
    stream: Stream,
    session: Session,
    clock: Clock,
    peer: String,
    /// The name of the server.
    server: String,
    /// The server's Enhanced RTMP announcement.
    enhanced: Enhanced,
    /// Session data that the socket has not accepted yet.
    outgoing: Bytes,
    /// The last limit that was set for unsent data in the system.
    unsent_limit: Option<u32>,
    input: BytesMut,
    timer: Pin<Box<Sleep>>,
    deadline: Option<Timestamp>,
    /// The events that are returned before new ones.
    early: VecDeque<Event>,
    /// The first received bytes, until the server is known to speak RTMP.
    first: Vec<u8>,
    /// The error of the connection, which is returned after all earlier events.
    failed: Option<Error>,
    /// The reason why nothing more can be sent, if any. Received data can still show the server's
    /// reason.
    unwritable: Option<Cause>,
    /// The session's stage before the last input.
    stage: SessionStage,
    written: u64,
    read: u64,
}

partial_debug!(Client { peer });

impl Client {
    /// Connects until the server accepts publishing or playing. The client answers authentication
    /// requests, follows redirects, and calls `on_step` at the beginning of each stage. This
    /// function is cancel-safe: dropping its future leaves nothing behind.
    ///
    /// # Errors
    /// Fails with the stage and the cause.
    pub async fn connect(
        url: &Url,
        purpose: Purpose,
        options: &Options,
        clock: Clock,
        on_step: &Listener<'_>,
    ) -> Result<Self, Error> {
        let config = Config {
            bitrate: options.bitrate,
            relay_path: options.relay_path.clone(),
            buffer: options.buffer,
            handshake_timeout: options.handshake_limit,
            command_timeout: options.command_limit,
            ..Config::new(url.clone(), purpose)
        };
        Self::negotiate(config, options, clock, on_step, SessionGoal::Started).await
    }

    /// Connects up to the server's answer to `connect`, and closes the connection without
    /// publishing. The client answers authentication requests, and follows redirects. Returns the
    /// name of the server.
    ///
    /// # Errors
    /// Fails with the stage and the cause.
    pub async fn check(
        url: &Url,
        options: &Options,
        clock: Clock,
        on_step: &Listener<'_>,
    ) -> Result<String, Error> {
        let config = Config {
            handshake_timeout: options.handshake_limit,
            command_timeout: options.command_limit,
            ..Config::new(url.clone(), Purpose::Publish)
        };
        let client =
            Self::negotiate(config, options, clock, on_step, SessionGoal::Connected).await?;
        Ok(client.server)
    }

    async fn open(
        config: &Config,
        options: &Options,
        clock: Clock,
        on_step: &Listener<'_>,
    ) -> Result<Self, Error> {
        let endpoint = Endpoint::of(&config.url);
        let stream = if config.url.scheme.is_tunnel() {
            crate::net::rtmp::tunnel::open(
                &endpoint,
                &options.net,
                options.handshake_limit,
                on_step,
            )
            .await?
        } else {
            let stream = crate::net::connect(&endpoint, &options.net, on_step).await?;
            on_step(Step::Stage(ConnectStage::Handshake));
            stream
        };
        Ok(Self {
            stream,
            session: Session::new(config.clone(), clock.now(), seed(clock)),
            clock,
            peer: endpoint.to_string(),
            server: String::new(),
            enhanced: Enhanced::default(),
            outgoing: Bytes::new(),
            unsent_limit: None,
            input: BytesMut::new(),
            timer: Box::pin(tokio::time::sleep(Duration::ZERO)),
            deadline: None,
            early: VecDeque::new(),
            first: Vec::new(),
            failed: None,
            unwritable: None,
            stage: SessionStage::Handshake,
            written: 0,
            read: 0,
        })
    }

    /// Drives the session until publishing or playing has begun, or only until the server has
    /// answered `connect`.
    async fn establish(
        &mut self,
        on_step: &Listener<'_>,
        until: SessionGoal,
    ) -> Result<(), (Error, Option<Refused>)> {
        let mut stage = ConnectStage::Handshake;
        loop {
            let event = poll_fn(|cx| self.poll_progress(cx, None)).await;
            let now = stage_of(self.session.stage());
            if now != stage && event.is_ok() {
                stage = now;
                on_step(Step::Stage(stage));
            }
            match event {
                Ok(Progress::Event(Event::PublishStarted | Event::PlayStarted)) => return Ok(()),
                Ok(Progress::Event(Event::Connected { server, enhanced })) => {
                    self.server = server;
                    self.enhanced = enhanced;
                    if until == SessionGoal::Connected {
                        return Ok(());
                    }
                }
                Ok(Progress::Event(Event::HandshakeDone) | Progress::Room) => {}
                Ok(Progress::Event(event)) => {
                    if self.early.len() < MAX_EARLY_EVENTS {
                        self.early.push_back(event);
                    }
                }
                Err(Failure::Refused(refused)) => {
                    return Err((self.refusal(&refused), Some(*refused)));
                }
                Err(Failure::Other(error)) => return Err((error, None)),
            }
        }
    }

    /// Returns the next event, or reports room for more data once at most `room` bytes are unsent.
    /// While it waits, the client sends and receives. This function is cancel-safe. After an error,
    /// the connection has ended.
    ///
    /// # Errors
    /// Fails with the server's message, if any.
    pub async fn progress(&mut self, room: Option<usize>) -> Result<Progress, Error> {
        poll_fn(|cx| self.poll(cx, room)).await
    }

    /// Polls for the result of [`Client::progress`].
    ///
    /// # Errors
    /// Fails with the server's message, if any.
    pub fn poll(
        &mut self,
        cx: &mut Context<'_>,
        room: Option<usize>,
    ) -> Poll<Result<Progress, Error>> {
        if let Some(event) = self.early.pop_front() {
            return Poll::Ready(Ok(Progress::Event(event)));
        }
        let progress = ready!(self.poll_progress(cx, room));
        Poll::Ready(progress.map_err(|failure| match failure {
            Failure::Refused(refused) => self.refusal(&refused),
            Failure::Other(error) => error,
        }))
    }

    /// Returns the next event. While it waits, the client sends and receives. This function is
    /// cancel-safe.
    ///
    /// # Errors
    /// Fails with the same errors as [`Client::progress`].
    pub async fn next_event(&mut self) -> Result<Event, Error> {
        loop {
            if let Progress::Event(event) = self.progress(None).await? {
                return Ok(event);
            }
        }
    }

    /// Waits until the system has accepted all queued data. Keeps up to 32 events for
    /// [`Client::next_event`].
    ///
    /// # Errors
    /// Fails with the same errors as [`Client::progress`].
    pub async fn flush(&mut self) -> Result<(), Error> {
        let mut events = std::mem::take(&mut self.early);
        let result = loop {
            match self.progress(Some(0)).await {
                Ok(Progress::Room) => break Ok(()),
                Ok(Progress::Event(event)) if events.len() < MAX_EARLY_EVENTS => {
                    events.push_back(event);
                }
                Ok(Progress::Event(_)) => {}
                Err(error) => break Err(error),
            }
        };
        self.early = events;
        result
    }

    /// Returns the session, into which the caller queues media that [`Client::progress`] sends.
    pub fn session(&mut self) -> &mut Session {
        &mut self.session
    }

    /// Returns the number of bytes that wait for the socket.
    pub fn queued_bytes(&self) -> usize {
        self.session.queued_bytes() + self.outgoing.len()
    }

    /// Returns the connection itself, for its figures.
    pub fn stream(&self) -> &Stream {
        &self.stream
    }

    /// Returns the server as `host:port`.
    pub fn peer(&self) -> &str {
        &self.peer
    }

    /// Returns the name of the server, which can be empty.
    pub fn server(&self) -> &str {
        &self.server
    }

    /// Returns the server's capabilities beyond plain RTMP.
    pub fn enhanced(&self) -> &Enhanced {
        &self.enhanced
    }

    /// Returns the number of bytes written to the socket.
    pub fn written_bytes(&self) -> u64 {
        self.written
    }

    /// Returns the number of received bytes.
    pub fn read_bytes(&self) -> u64 {
        self.read
    }

    /// Creates an error for this connection.
    pub fn error(&self, stage: ConnectStage, cause: Cause) -> Error {
        Error { stage, cause, peer: self.peer.clone() }
    }

    /// Closes the connection properly within `limit`: sends the queued data, FCUnpublish and
    /// deleteStream, waits until the server has received them, and then a short time for the server
    /// to close. Returns true if the system accepted everything in time.
    pub async fn close(mut self, limit: Duration) -> bool {
        let deadline = Instant::now() + limit;
        self.session.close();
        let sent = timeout_at(deadline, async {
            loop {
                match self.next_event().await {
                    Ok(Event::Finished) => break,
                    Ok(_) => {}
                    Err(_) => return false,
                }
            }
            self.flush().await.is_ok() && self.stream.shutdown().await.is_ok()
        });
        if !sent.await.unwrap_or(false) {
            return false;
        }
        // If input is unread at the close or comes later, the system resets the connection, and
        // the server may never see the last messages: therefore, read until the server closes too.
        let mut until = None;
        loop {
            let now = Instant::now();
            if until.is_none() && self.stream.unsent_bytes().is_none_or(|unsent| unsent == 0) {
                until = Some(now + CLOSE_TIMEOUT);
            }
            if now >= until.unwrap_or(deadline).min(deadline) {
                break;
            }
            let wake_at = until.unwrap_or(now + UNSENT_CHECK_INTERVAL).min(deadline);
            self.input.clear();
            self.input.reserve(MAX_READ_BYTES);
            if let Ok(Ok(0) | Err(_)) =
                timeout_at(wake_at, self.stream.read_buf(&mut self.input)).await
            {
                break;
            }
        }
        true
    }

    fn poll_progress(
        &mut self,
        cx: &mut Context<'_>,
        room: Option<usize>,
    ) -> Poll<Result<Progress, Failure>> {
        loop {
            // Events come first. Bytes are passed on only as fast as the system sends them, so that
            // the rest waits in the session, where audio can still overtake video.
            if let Some(event) = self.session.poll_event() {
                return Poll::Ready(Ok(Progress::Event(event)));
            }
            while self.outgoing.is_empty() && self.may_hand_out(cx) {
                match self.session.poll_output() {
                    Output::Event(event) => return Poll::Ready(Ok(Progress::Event(event))),
                    Output::Transmit(_) if self.unwritable.is_some() => {}
                    Output::Transmit(bytes) => self.outgoing = bytes,
                    Output::Timeout(_) | Output::Idle => break,
                }
            }
            self.set_timer(self.session.deadline());
            if let Some(error) = self.failed.take() {
                return Poll::Ready(Err(Failure::Other(error)));
            }
            if self.poll_write(cx) {
                continue;
            }
            if room.is_some_and(|room| self.queued_bytes() <= room) {
                return Poll::Ready(Ok(Progress::Room));
            }
            match self.poll_read(cx) {
                Poll::Ready(Ok(())) => continue,
                Poll::Ready(Err(failure)) => return Poll::Ready(Err(failure)),
                Poll::Pending => {}
            }
            if let Some(cause) = self.unwritable.take() {
                return Poll::Ready(Err(Failure::Other(self.broken(cause))));
            }
            if self.deadline.is_some() && self.timer.as_mut().poll(cx).is_ready() {
                self.deadline = None;
                let now = self.clock.now();
                self.session.handle_timeout(now).map_err(|error| self.failure(error))?;
                continue;
            }
            return Poll::Pending;
        }
    }

    /// Returns true if the session's next data may go to the socket.
    fn may_hand_out(&mut self, cx: &mut Context<'_>) -> bool {
        if self.unwritable.is_some() || self.session.queued_bytes() == 0 {
            return true;
        }
        let Some(limit) = self.session.unsent_limit() else { return true };
        if self.unsent_limit != Some(limit) {
            self.unsent_limit = Some(limit);
            // The system reports room when half of the limit is left.
            self.stream.set_not_sent_low_water(2 * limit);
        }
        self.stream.poll_room(cx).is_ready()
    }

    /// Writes as much as the socket accepts. Returns true if more data may be writable.
    fn poll_write(&mut self, cx: &mut Context<'_>) -> bool {
        let written = if self.outgoing.is_empty() {
            // TLS keeps data that the socket did not accept immediately.
            match Pin::new(&mut self.stream).poll_flush(cx) {
                Poll::Ready(Err(error)) if self.unwritable.is_none() => Poll::Ready(Err(error)),
                _ => return false,
            }
        } else {
            Pin::new(&mut self.stream).poll_write(cx, &self.outgoing)
        };
        match written {
            Poll::Pending => false,
            Poll::Ready(Ok(taken)) if taken > 0 => {
                self.written += taken as u64;
                self.outgoing.advance(taken.min(self.outgoing.len()));
                true
            }
            Poll::Ready(result) => {
                // The server may have sent the reason before it closed: read the server's data
                // first.
                let cause = result.map_or_else(|error| Cause::from_io(&error), |_| Cause::Closed);
                self.unwritable = Some(cause);
                self.outgoing.clear();
                true
            }
        }
    }

    /// Reads once and passes the data to the session.
    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        // A new block is allocated only if bodies still share the old one.
        self.input.reserve(MAX_READ_BYTES);
        let read = pin!(self.stream.read_buf(&mut self.input)).poll(cx);
        let length = match read {
            Poll::Pending => return Poll::Pending,
            Poll::Ready(Ok(length)) => length,
            Poll::Ready(Err(error)) => {
                let error = self.broken(Cause::from_io(&error));
                self.failed.get_or_insert(error);
                return Poll::Ready(Ok(()));
            }
        };
        if length == 0 {
            // When the system gives up the connection (timeout, lost route), it reports the reason
            // only to the first caller, which is the writer. The reader sees only an end of data.
            let known = self.unwritable.take().filter(|cause| *cause != Cause::Reset);
            let error = self.broken(known.unwrap_or(Cause::Closed));
            self.failed.get_or_insert(error);
            return Poll::Ready(Ok(()));
        }
        self.read += length as u64;
        let now = self.clock.now();
        self.stage = self.session.stage();
        if self.stage == SessionStage::Handshake {
            let wanted = MAX_SNIFFED_BYTES.saturating_sub(self.first.len()).min(length);
            self.first.extend_from_slice(self.input.get(..wanted).unwrap_or_default());
        }
        let result = self.session.handle_block(now, ByteBlock::new(&mut self.input));
        Poll::Ready(result.map_err(|error| self.failure(error)))
    }

    fn set_timer(&mut self, at: Option<Timestamp>) {
        if self.deadline != at
            && let Some(at) = at
        {
            self.timer.as_mut().reset(Instant::from_std(self.clock.instant(at)));
        }
        self.deadline = at;
    }

    /// Returns the error of an ended connection at this stage.
    fn broken(&self, cause: Cause) -> Error {
        let stage = stage_of(self.session.stage());
        match NotRtmp::sniff(&self.first) {
            Some(seen) if stage == ConnectStage::Handshake => {
                self.error(stage, Cause::NotRtmp(seen))
            }
            _ => self.error(stage, cause),
        }
    }

    fn failure(&self, error: SessionError) -> Failure {
        // The ended session no longer knows its stage, but the error contains it.
        let seen = NotRtmp::sniff(&self.first).map(Cause::NotRtmp);
        let (stage, cause) = match error {
            SessionError::Refused(refused) => return Failure::Refused(refused),
            SessionError::Timeout { stage, after } => {
                let stage = stage_of(stage);
                let seen = seen.filter(|_| stage == ConnectStage::Handshake);
                (stage, seen.unwrap_or(Cause::TimedOut { after }))
            }
            SessionError::Handshake(error) => (
                ConnectStage::Handshake,
                seen.unwrap_or_else(|| Cause::Protocol(error.to_string().into())),
            ),
            // The cause already expresses the protocol violation.
            SessionError::Chunk(error) => {
                (stage_of(self.stage), Cause::Protocol(error.to_string().into()))
            }
            other => (stage_of(self.stage), Cause::Protocol(other.to_string().into())),
        };
        Failure::Other(self.error(stage, cause))
    }
}

enum Failure {
    Refused(Box<Refused>),
    Other(Error),
}

/// Returns the connection stage of a session's stage.
const fn stage_of(stage: SessionStage) -> ConnectStage {
    match stage {
        SessionStage::Handshake => ConnectStage::Handshake,
        SessionStage::Connect => ConnectStage::Connect,
        SessionStage::Publish => ConnectStage::Publish,
        SessionStage::Play => ConnectStage::Play,
        SessionStage::Media => ConnectStage::Media,
    }
}

/// Returns a seed that differs between sessions, but does not have to be secret.
fn seed(clock: Clock) -> u64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(clock.now().as_micros())
}
