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
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::message::{Class, Message};
use super::queue::{Queue, no_slices};
use super::registry::Registry;
use super::sink::Sink;
use crate::base::Timestamp;
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
    stream: net::Stream,
    session: Session,
    queue: Queue,
    waker: Option<Waker>,
    events: VecDeque<Event>,
    deadline: Option<Timestamp>,
    /// The system has taken nothing since.
    stuck_since: Option<Timestamp>,
    failed: Option<io::ErrorKind>,
    sent: u64,
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
        let queue = Queue::new(registry.config.limits.queue_bytes);
        let io = Io {
            stream,
            session,
            queue,
            waker: None,
            events: VecDeque::new(),
            deadline: None,
            stuck_since: None,
            failed: None,
            sent: 0,
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
        if let Some(kind) = io.failed {
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
            match Pin::new(&mut io.stream).poll_read(cx, &mut buffer) {
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
                io.failed = Some(io::ErrorKind::UnexpectedEof);
            }
            return Poll::Ready(Ok(()));
        }
        if let Some(error) = ended {
            return Poll::Ready(Err(error));
        }
        if let Some(kind) = io.failed {
            return Poll::Ready(Err(io::Error::from(kind).into()));
        }
        if io.queue.control_bytes() > MOST_CONTROL {
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
        if io.stuck_since.is_some_and(|since| now.since(since) >= stalled) {
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
            io.queue.clear_media();
        }
    }

    /// The player wants sound or pictures, or does not.
    pub fn set_wanted(&self, sound: Option<bool>, pictures: Option<bool>) {
        let mut io = self.io.lock();
        io.wanted = (sound.unwrap_or(io.wanted.0), pictures.unwrap_or(io.wanted.1));
    }

    /// The player has stopped: what waits is of no use.
    pub fn clear_media(&self) {
        self.io.lock().queue.clear_media();
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
        if io.failed.is_some() {
            return Poll::Ready(());
        }
        if !io.queue.is_empty() || Pin::new(&mut io.stream).poll_shutdown(cx).is_pending() {
            return Poll::Pending;
        }
        for _ in 0..READS {
            let mut space = [const { MaybeUninit::uninit() }; READ];
            let mut buffer = ReadBuf::uninit(&mut space);
            match Pin::new(&mut io.stream).poll_read(cx, &mut buffer) {
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
        self.io.lock().sent
    }

    /// Messages that a slow peer did not get.
    pub fn skipped(&self) -> u64 {
        self.io.lock().queue.skipped()
    }

    /// For how long the system keeps trying to reach a peer that does not answer.
    pub fn set_user_timeout(&self, limit: std::time::Duration) {
        self.io.lock().stream.set_user_timeout(limit);
    }

    /// Hands as much to the system as it takes. When it takes no more, the connection's own task is
    /// woken as soon as it does.
    fn flush(&self, io: &mut Io) {
        let Io { stream, queue, waker, .. } = io;
        let mut cx = Context::from_waker(waker.as_ref().unwrap_or(Waker::noop()));
        let mut sent = 0;
        let mut stuck = false;
        while !queue.is_empty() && io.failed.is_none() {
            let mut slices = no_slices();
            let count = queue.slices(&mut slices);
            let slices = slices.get(..count).unwrap_or_default();
            match Pin::new(&mut *stream).poll_write_vectored(&mut cx, slices) {
                Poll::Ready(Ok(0)) => io.failed = Some(io::ErrorKind::WriteZero),
                Poll::Ready(Ok(written)) => {
                    queue.advance(written);
                    sent += written as u64;
                }
                Poll::Ready(Err(error)) => io.failed = Some(error.kind()),
                Poll::Pending => {
                    stuck = true;
                    break;
                }
            }
        }
        // TLS keeps what the socket did not take at once.
        if io.failed.is_none() {
            match Pin::new(&mut *stream).poll_flush(&mut cx) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(error)) => io.failed = Some(error.kind()),
                Poll::Pending => stuck = true,
            }
        }
        if io.failed.is_some() {
            if let Some(waker) = &io.waker {
                waker.wake_by_ref();
            }
            return;
        }
        if sent > 0 {
            io.sent += sent;
            self.registry.totals.sent_bytes.fetch_add(sent, Ordering::Relaxed);
            io.stuck_since = None;
        }
        if !stuck {
            io.stuck_since = None;
        } else if io.stuck_since.is_none() {
            io.stuck_since = Some(self.registry.clock.now());
        }
    }
}

impl Sink for Connection {
    fn id(&self) -> u64 {
        self.id
    }

    fn deliver(&self, messages: &[Arc<Message>], flush: bool) {
        let mut guard = self.io.lock();
        let io = &mut *guard;
        if io.session.is_playing() {
            let stream = io.session.message_stream();
            for message in messages {
                let wanted = match message.class {
                    Class::Vital => true,
                    Class::Sound => io.wanted.0 && !io.paused,
                    Class::Key | Class::Inter => io.wanted.1 && !io.paused,
                };
                if wanted {
                    io.queue.push(message.class, message.rtmp(stream));
                }
            }
        }
        if flush {
            self.flush(io);
        }
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
            self.queue.push(Class::Vital, bytes);
        } else {
            self.queue.push_control(bytes);
        }
    }
}
