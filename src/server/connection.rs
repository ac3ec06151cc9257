//! One RTMP connection. Its socket, session and queue stand behind one lock: its own task reads and
//! drains them, and the publisher of the stream it plays writes to them directly.

use std::collections::VecDeque;
use std::io;
use std::mem::MaybeUninit;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncWrite as _, ReadBuf};

use super::batch::Batch;
use super::message::{Class, Message, STREAM};
use super::outgoing::Outgoing;
use super::registry::Registry;
use super::sink::Sink;
use crate::base::{Clock, Timestamp};
use crate::net;
use crate::wire::rtmp::server::{Error as SessionError, Event, Output, Session};

/// Read at once, on the stack: hundreds of viewers need no buffer each.
const READ: usize = 32 << 10;
/// Reads before others get their turn.
const READS: usize = 16;
/// What a session may say that the peer does not read.
const MOST_CONTROL: usize = 1 << 20;

/// The connection.
#[derive(Debug)]
pub(super) struct Connection {
    id: u64,
    pub peer: SocketAddr,
    registry: Arc<Registry>,
    io: Mutex<Io>,
}

#[derive(Debug)]
struct Io {
    out: Outgoing,
    session: Session,
    waker: Option<Waker>,
    events: VecDeque<Event>,
    deadline: Option<Timestamp>,
    paused: bool,
    /// Sound and pictures that the player wants.
    wanted: (bool, bool),
}

/// Why a connection ends.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    #[error("the connection was lost: {0}")]
    Io(#[from] io::Error),
    #[error("closed by the peer")]
    Closed,
    #[error("{0}")]
    Session(#[from] SessionError),
    #[error("it takes nothing any more")]
    Stalled,
    #[error("it does not read what it asks for")]
    Flooded,
    #[error("it sends nothing any more")]
    Silent,
}

impl Connection {
    pub fn new(
        id: u64,
        peer: SocketAddr,
        registry: Arc<Registry>,
        stream: net::Stream,
        session: Session,
    ) -> Self {
        let io = Io {
            out: Outgoing::new(stream, registry.config.limits.queue_bytes),
            session,
            waker: None,
            events: VecDeque::new(),
            deadline: None,
            paused: false,
            wanted: (true, true),
        };
        Self { id, peer, registry, io: Mutex::new(io) }
    }

    /// Does something with the session, then sends what it says.
    pub fn with_session<T>(&self, act: impl FnOnce(&mut Session) -> T) -> T {
        let mut io = self.io.lock();
        let result = act(&mut io.session);
        io.pump(false);
        self.flush(&mut io);
        result
    }

    /// Reads and writes until something happened: events, or [`Poll::Pending`].
    pub fn poll(&self, cx: &mut Context<'_>, into: &mut Vec<Event>) -> Poll<Result<(), Error>> {
        let mut guard = self.io.lock();
        let io = &mut *guard;
        if io.waker.as_ref().is_none_or(|waker| !waker.will_wake(cx.waker())) {
            io.waker = Some(cx.waker().clone());
        }
        if let Some(kind) = io.out.failed {
            return Poll::Ready(Err(io::Error::from(kind).into()));
        }
        let mut ended = None;
        for round in 0..=READS {
            if round == READS {
                cx.waker().wake_by_ref();
                break;
            }
            let mut space = [const { MaybeUninit::uninit() }; READ];
            let mut buffer = ReadBuf::uninit(&mut space);
            match Pin::new(&mut io.out.stream).poll_read(cx, &mut buffer) {
                Poll::Pending => break,
                Poll::Ready(Err(error)) => ended = Some(error.into()),
                Poll::Ready(Ok(())) if buffer.filled().is_empty() => ended = Some(Error::Closed),
                Poll::Ready(Ok(())) => {
                    let data = buffer.filled();
                    let received = &self.registry.totals.received_bytes;
                    received.fetch_add(data.len() as u64, Ordering::Relaxed);
                    let result = io.session.handle_input(self.registry.clock.now(), data);
                    io.pump(false);
                    ended = result.err().map(Error::from);
                    // A socket that gave less than asked for has no more.
                    if ended.is_none() && data.len() < READ && io.events.is_empty() {
                        continue;
                    }
                }
            }
            if ended.is_some() || !io.events.is_empty() {
                break;
            }
        }
        io.pump(false);
        self.flush(io);
        into.extend(io.events.drain(..));
        if !into.is_empty() {
            // An error, if there is one, comes again.
            if let Some(Error::Closed | Error::Io(_)) = ended {
                io.out.failed = Some(io::ErrorKind::UnexpectedEof);
            }
            return Poll::Ready(Ok(()));
        }
        if let Some(error) = ended {
            return Poll::Ready(Err(error));
        }
        if let Some(kind) = io.out.failed {
            return Poll::Ready(Err(io::Error::from(kind).into()));
        }
        if io.out.queue.control_bytes() > MOST_CONTROL {
            return Poll::Ready(Err(Error::Flooded));
        }
        Poll::Pending
    }

    /// The session's next deadline.
    pub fn deadline(&self) -> Option<Timestamp> {
        self.io.lock().deadline
    }

    /// A deadline has come, or it is time to look whether the peer still takes something.
    pub fn check(&self, now: Timestamp) -> Result<(), Error> {
        let mut io = self.io.lock();
        let stalled = self.registry.config.limits.stalled_viewer;
        if io.out.is_stuck(now, stalled) {
            return Err(Error::Stalled);
        }
        let result = io.session.handle_timeout(now);
        io.pump(false);
        self.flush(&mut io);
        result.map_err(Error::from)
    }

    /// The player wants media, or does not.
    pub fn set_paused(&self, paused: bool) {
        let mut io = self.io.lock();
        io.paused = paused;
        if paused {
            io.out.queue.clear_media();
        }
    }

    /// The player wants sound or pictures, or does not.
    pub fn set_wanted(&self, sound: Option<bool>, pictures: Option<bool>) {
        let mut io = self.io.lock();
        io.wanted = (sound.unwrap_or(io.wanted.0), pictures.unwrap_or(io.wanted.1));
    }

    /// The player has stopped: what waits is of no use.
    pub fn clear_media(&self) {
        self.io.lock().out.queue.clear_media();
    }

    fn say(&self, act: impl FnOnce(&mut Session)) {
        let mut io = self.io.lock();
        io.pump(false);
        act(&mut io.session);
        io.pump(true);
        self.flush(&mut io);
    }

    /// Sends what waits, says that nothing more comes, and reads what is still under way: closing
    /// before would reset the connection and lose the last word.
    pub fn poll_last_word(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut guard = self.io.lock();
        let io = &mut *guard;
        io.waker = Some(cx.waker().clone());
        io.pump(false);
        self.flush(io);
        if io.out.failed.is_some() {
            return Poll::Ready(());
        }
        if !io.out.queue.is_empty() || Pin::new(&mut io.out.stream).poll_shutdown(cx).is_pending() {
            return Poll::Pending;
        }
        for _ in 0..READS {
            let mut space = [const { MaybeUninit::uninit() }; READ];
            let mut buffer = ReadBuf::uninit(&mut space);
            match Pin::new(&mut io.out.stream).poll_read(cx, &mut buffer) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Ok(())) if !buffer.filled().is_empty() => {}
                Poll::Ready(_) => return Poll::Ready(()),
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Bytes sent.
    pub fn sent(&self) -> u64 {
        self.io.lock().out.sent
    }

    /// Messages that a slow peer did not get.
    pub fn skipped(&self) -> u64 {
        self.io.lock().out.queue.skipped()
    }

    /// For how long the system keeps trying to reach a peer that does not answer.
    pub fn set_user_timeout(&self, limit: std::time::Duration) {
        self.io.lock().out.stream.set_user_timeout(limit);
    }

    /// Hands as much to the system as it takes. When it takes no more, the connection's own task is
    /// woken as soon as it does.
    fn flush(&self, io: &mut Io) {
        let before = io.out.sent;
        io.flush(self.registry.clock);
        self.count(io.out.sent - before);
    }

    fn count(&self, sent: u64) {
        if sent > 0 {
            self.registry.totals.sent_bytes.fetch_add(sent, Ordering::Relaxed);
        }
    }
}

impl Sink for Connection {
    fn id(&self) -> u64 {
        self.id
    }

    fn deliver(&self, batch: &Batch<'_>) {
        let mut guard = self.io.lock();
        let io = &mut *guard;
        if !io.session.is_playing() {
            return;
        }
        let before = io.out.sent;
        if !io.send_past_queue(batch) {
            io.queue(batch.messages);
        }
        if !io.out.is_done() {
            io.flush(self.registry.clock);
        }
        self.count(io.out.sent - before);
    }

    /// Said behind all media.
    fn end(&self) {
        self.say(Session::end_play);
    }

    fn resume(&self) {
        self.say(Session::resume_play);
    }
}

impl Io {
    /// What the connection's own task is woken by; before that runs there is nobody to wake.
    fn context(waker: Option<&Waker>) -> Context<'_> {
        Context::from_waker(waker.unwrap_or(Waker::noop()))
    }

    fn send_past_queue(&mut self, batch: &Batch<'_>) -> bool {
        let everything = self.wanted == (true, true) && !self.paused;
        everything
            && self.session.message_stream() == STREAM
            && self.out.send_past_queue(batch, &mut Self::context(self.waker.as_ref()))
    }

    fn queue(&mut self, messages: &[Arc<Message>]) {
        let stream = self.session.message_stream();
        for message in messages {
            let wanted = match message.class {
                Class::Vital => true,
                Class::Sound => self.wanted.0 && !self.paused,
                Class::Key | Class::Inter => self.wanted.1 && !self.paused,
            };
            if wanted {
                self.out.queue.push(message.class, message.rtmp(stream));
            }
        }
    }

    fn flush(&mut self, clock: Clock) {
        self.out.flush(&mut Self::context(self.waker.as_ref()), clock);
        if let Some(waker) = self.waker.as_ref().filter(|_| self.out.failed.is_some()) {
            waker.wake_by_ref();
        }
    }

    /// Takes out what the session has to say: ahead of the media that wait, or behind them.
    fn pump(&mut self, behind: bool) {
        loop {
            match self.session.poll_output() {
                Output::Transmit(bytes) => self.say(bytes, behind),
                Output::Event(event) => self.events.push_back(event),
                Output::Timeout(at) => {
                    self.deadline = Some(at);
                    return;
                }
                Output::Idle => {
                    self.deadline = None;
                    return;
                }
            }
        }
    }

    fn say(&mut self, bytes: Bytes, behind: bool) {
        if behind {
            self.out.queue.push(Class::Vital, bytes);
        } else {
            self.out.queue.push_control(bytes);
        }
    }
}
