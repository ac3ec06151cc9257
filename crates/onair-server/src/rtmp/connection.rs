//! One RTMP connection. Its socket, session and queue are behind one lock: its own task reads and
//! drains them, and the publisher's task writes to them directly.

use std::io;
use std::mem::MaybeUninit;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use parking_lot::{MappedMutexGuard, Mutex, MutexGuard};
use tokio::io::{AsyncRead as _, AsyncWrite as _, ReadBuf};

use crate::base::Timestamp;
use crate::net;
use crate::server::registry::Registry;
use crate::server::rtmp::connection_io::{Io, READ_BYTES};
use crate::server::stream::message::Batch;
use crate::server::stream::outgoing::Outgoing;
use crate::server::stream::relayed::RelayPath;
use crate::server::stream::sink::Sink;
use crate::text::problem::{Problem, problem};
use crate::wire::rtmp::server::{Error as SessionError, Event, Session};

/// Maximum number of reads before other connections get a turn.
const MAX_READS: usize = 16;
/// Maximum size of session data that the peer has not read, in bytes.
const MAX_SESSION_DATA_BYTES: usize = 1 << 20;

/// An RTMP connection of a publisher or a viewer.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(super) id: u64,
    pub peer: SocketAddr,
    pub(super) registry: Arc<Registry>,
    /// True for onair itself, which plays the stream with the stream's own key.
    is_own: AtomicBool,
    pub(super) io: Mutex<Io>,
}

/// The reason why a connection ends.
#[derive(Debug)]
pub(crate) enum Error {
    Io(io::Error),
    Closed,
    Session(SessionError),
    /// The peer takes nothing any more.
    Stalled,
    /// The peer does not read what it asks for.
    Flooded,
    /// The peer sends nothing any more.
    Silent,
    /// The operator has disconnected the viewer.
    Dismissed(Problem),
    /// A requested fault of this name.
    Fault(&'static str),
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<SessionError> for Error {
    fn from(error: SessionError) -> Self {
        Self::Session(error)
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::Io(error) => problem!("left-connection-lost", reason = Self::from(error)),
            Error::Closed => problem!("left-closed"),
            Error::Session(error) => match error {
                SessionError::Handshake(why) => {
                    problem!("left-handshake", reason = why.to_string())
                }
                SessionError::Chunk(why) => problem!("left-protocol", reason = why.to_string()),
                SessionError::HandshakeTimeout => problem!("left-handshake-late"),
                SessionError::CommandTimeout => problem!("left-command-late"),
                SessionError::Impatient => problem!("left-impatient"),
                SessionError::Flooded => problem!("left-asks-too-much"),
                SessionError::Over => problem!("left-session-over"),
            },
            Error::Stalled => problem!("left-stalled"),
            Error::Flooded => problem!("left-flooded"),
            Error::Silent => problem!("left-silent"),
            Error::Dismissed(reason) => reason,
            Error::Fault(fault) => problem!("left-fault", fault = fault),
        }
    }
}

impl Connection {
    pub fn new(
        id: u64,
        peer: SocketAddr,
        registry: Arc<Registry>,
        stream: net::Stream,
        session: Session,
    ) -> Self {
        let out = Outgoing::new(stream, registry.config.limits.queue_bytes);
        let (is_own, io) = (AtomicBool::new(false), Mutex::new(Io::new(out, session)));
        Self { id, peer, registry, is_own, io }
    }

    /// Runs `act` with the session, then sends its output.
    pub fn with_session<T>(&self, act: impl FnOnce(&mut Session) -> T) -> T {
        let mut io = self.io.lock();
        let result = act(&mut io.session);
        io.pump(false);
        self.flush(&mut io);
        result
    }

    /// Reads and writes until there are events, or returns [`Poll::Pending`].
    pub fn poll(&self, cx: &mut Context<'_>, into: &mut Vec<Event>) -> Poll<Result<(), Error>> {
        let mut guard = self.io.lock();
        let io = &mut *guard;
        if io.waker.as_ref().is_none_or(|waker| !waker.will_wake(cx.waker())) {
            io.waker = Some(cx.waker().clone());
        }
        if let Some(kind) = io.out.failed {
            return Poll::Ready(Err(io::Error::from(kind).into()));
        }
        if let Some(reason) = io.dismissed.take() {
            return Poll::Ready(Err(Error::Dismissed(reason)));
        }
        if self.registry.lab.generation() != io.lab.generation {
            self.enter_lab(io)?;
        }
        if io.lab.plan.is_some()
            && let Some(result) = self.suffer(io, cx)
        {
            return result;
        }
        if io.out.queue.is_overrun() {
            return Poll::Ready(Err(Error::Flooded));
        }
        let mut ended = None;
        for round in 0..=MAX_READS {
            if round == MAX_READS {
                cx.waker().wake_by_ref();
                break;
            }
            let most = match &mut io.lab.plan {
                None => READ_BYTES,
                Some(plan) => plan.allowance(READ_BYTES, self.registry.clock.now()),
            };
            if most == 0 {
                break;
            }
            match io.poll_read(self.registry.clock, most, cx) {
                Poll::Pending => break,
                // The end comes after the delayed data.
                Poll::Ready(Err(_) | Ok((0, _))) if io.holds_back() => break,
                Poll::Ready(Err(error)) => ended = Some(error.into()),
                Poll::Ready(Ok((0, _))) => ended = Some(Error::Closed),
                Poll::Ready(Ok((length, result))) => {
                    let received = &self.registry.totals.received_bytes;
                    received.fetch_add(length as u64, Ordering::Relaxed);
                    ended = result.err().map(Error::from);
                    // A socket that returned less than requested has no more data.
                    if ended.is_none() && length < READ_BYTES && io.events.is_empty() {
                        continue;
                    }
                }
            }
            if ended.is_some() || !io.events.is_empty() {
                break;
            }
        }
        io.pump(false);
        if io.lab.plan.is_some()
            && let Some(result) = self.suffer(io, cx)
        {
            return result;
        }
        self.flush(io);
        into.extend(io.events.drain(..));
        if !into.is_empty() {
            // The next call returns the error again.
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
        if io.out.queue.control_bytes() > MAX_SESSION_DATA_BYTES {
            return Poll::Ready(Err(Error::Flooded));
        }
        self.wait(io)
    }

    /// Returns the next deadline of the session or of the faults.
    pub fn deadline(&self) -> Option<Timestamp> {
        let io = self.io.lock();
        io.deadline.into_iter().chain(io.lab.wake_at).min()
    }

    /// Checks a passed deadline, or whether the peer still accepts data.
    pub fn check(&self, now: Timestamp) -> Result<(), Error> {
        let mut io = self.io.lock();
        let stalled = self.registry.config.limits.stalled_viewer;
        if io.lab.is_stalled(now) {
            return Ok(());
        }
        if io.out.is_stuck(now, stalled) {
            return Err(Error::Stalled);
        }
        let result = io.session.handle_timeout(now);
        io.pump(false);
        self.flush(&mut io);
        result.map_err(Error::from)
    }

    /// Pauses or resumes media for the player.
    pub fn set_paused(&self, paused: bool) {
        let mut io = self.io.lock();
        io.paused = paused;
        if paused {
            io.out.queue.clear_media();
        }
    }

    /// Sets whether the player wants audio and video.
    pub fn set_wanted(&self, audio: Option<bool>, video: Option<bool>) {
        let mut io = self.io.lock();
        let before = io.wanted;
        io.wanted = (audio.unwrap_or(before.0), video.unwrap_or(before.1));
        if io.wanted.1 && !before.1 {
            io.out.queue.skip_to_keyframe();
        }
    }

    /// Sets whether the player is onair itself.
    pub fn set_own(&self, is_own: bool) {
        self.is_own.store(is_own, Ordering::Relaxed);
    }

    /// Returns the number of media bytes that wait for the player.
    pub fn backlog(&self) -> usize {
        self.io.lock().out.queue.waiting_bytes()
    }

    /// Sends the end of a recording after all media.
    pub fn complete_play(&self, seconds: f64) {
        self.say(|session| session.complete_play(seconds));
    }

    /// Drops what waits of a stream or a recording after the player has stopped.
    pub fn clear_stream(&self) {
        self.io.lock().out.queue.clear_stream();
    }

    /// Drops what waits of a recording, and reports its new position after everything that was reported before.
    pub fn accept_seek(&self) {
        self.clear_stream();
        self.say(Session::accept_seek);
    }

    fn say(&self, act: impl FnOnce(&mut Session)) {
        let mut io = self.io.lock();
        io.pump(false);
        act(&mut io.session);
        io.pump(true);
        self.flush(&mut io);
    }

    /// Sends the queue, closes the sending side, and reads the rest: an earlier close would lose the last message.
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
        for _ in 0..MAX_READS {
            let mut space = [const { MaybeUninit::uninit() }; READ_BYTES];
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

    /// Returns the number of messages that a slow peer did not get.
    pub fn skipped(&self) -> u64 {
        self.io.lock().out.queue.skipped()
    }

    /// Sets how long the system retransmits to an unresponsive peer.
    pub fn set_user_timeout(&self, limit: std::time::Duration) {
        self.io.lock().out.stream.set_user_timeout(limit);
    }

    /// Writes as much as the system accepts. If the system accepts no more, the connection's own
    /// task is woken as soon as there is room.
    pub(super) fn flush(&self, io: &mut Io) {
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

    /// Returns false for onair itself, so that the operator sees only real viewers.
    fn is_viewer(&self) -> bool {
        !self.is_own.load(Ordering::Relaxed)
    }

    fn relay_path(&self) -> RelayPath {
        let io = self.io.lock();
        io.session.connect().relay_path().and_then(RelayPath::parse).unwrap_or_default()
    }

    fn takes_opus(&self) -> bool {
        self.io.lock().takes().opus
    }

    fn sent(&self) -> u64 {
        self.io.lock().out.sent
    }

    fn dismiss(&self, reason: Problem) {
        let mut io = self.io.lock();
        io.dismissed = Some(reason);
        if let Some(waker) = &io.waker {
            waker.wake_by_ref();
        }
    }

    fn skip_to_keyframe(&self) {
        self.io.lock().out.queue.skip_to_keyframe();
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

    fn queue(&self, batch: &Batch<'_>) {
        let mut io = self.io.lock();
        if io.session.is_playing() {
            io.queue(batch.messages);
        }
    }

    fn send_queued(&self) {
        self.flush(&mut self.io.lock());
    }

    fn lend(&self, batch: &Batch<'_>) -> Option<MappedMutexGuard<'_, Outgoing>> {
        let io = self.io.lock();
        if !(io.session.is_playing() && io.takes_joined(batch) && io.out.can_be_lent()) {
            return None;
        }
        Some(MutexGuard::map(io, |io| &mut io.out))
    }

    fn settle(&self, sent: u64, all_done: bool) {
        self.count(sent);
        if !all_done {
            self.flush(&mut self.io.lock());
        }
    }

    /// Queues the end after all media.
    fn end(&self) {
        self.say(Session::end_play);
    }

    fn resume(&self) {
        self.say(Session::resume_play);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::base::{Clock, queue};
    use crate::net::{Listener, Runtime};
    use crate::server::fault::Phase;
    use crate::server::registry::config::Config;
    use crate::server::rtmp::{Role, Task};
    use crate::server::stream::message::Class;
    use crate::server::webrtc::whep::session::tests::publish;
    use crate::wire::rtmp::client;
    use crate::wire::rtmp::server::Output;
    use crate::wire::rtmp::url::Url;

    /// Runs `act` with the task of a player that has just connected.
    fn with_task(act: impl FnOnce(&mut Task)) {
        let runtime = Runtime::start().unwrap();
        let (sender, _events) = queue::bounded("test", 16, queue::Full::DropOldest);
        let registry = Registry::new(Config::default(), Clock::start(), sender, runtime.handle());
        let registry = Arc::new(registry);
        let listener = Listener::bind(runtime.handle(), "127.0.0.1:0".parse().unwrap()).unwrap();
        let _player = std::net::TcpStream::connect(listener.local_addr()).unwrap();
        runtime.block_on(async {
            let (stream, peer) = listener.accept().await;
            let place = registry.admit(peer).unwrap();
            act(&mut Task::new(Arc::clone(&registry), stream, peer, place));
        });
    }

    /// Receives a client's connect at the time zero.
    fn receive_connect(session: &mut Session) {
        let url = Url::parse("rtmp://127.0.0.1/live/show").unwrap();
        let mut client = client::Session::new(client::Config::play(url), Timestamp::ZERO, 1);
        for _ in 0..50 {
            while let client::Output::Transmit(bytes) = client.poll_output() {
                session.handle_input(Timestamp::ZERO, &bytes).unwrap();
            }
            match session.poll_output() {
                Output::Transmit(bytes) => client.handle_input(Timestamp::ZERO, &bytes).unwrap(),
                Output::Event(Event::ConnectRequested(_)) => return,
                _ => {}
            }
        }
        panic!("no connect");
    }

    #[test]
    fn after_a_slow_decision_the_client_has_the_full_time_for_its_next_command() {
        with_task(|task| {
            task.connection.with_session(receive_connect);
            let decided_at = task.registry.clock.now();
            task.accept_connect().unwrap();
            let limit = crate::wire::rtmp::server::Config::default().command_timeout;
            assert!(task.connection.deadline().unwrap() >= decided_at + limit);
        });
    }

    /// Polls the connection once, with these faults.
    fn poll_with_faults(task: &Task, faults: &[&str]) {
        task.registry.lab.set(faults.iter().map(|text| text.parse().unwrap()).collect());
        let mut context = Context::from_waker(std::task::Waker::noop());
        let _ = task.connection.poll(&mut context, &mut Vec::new());
    }

    #[test]
    fn after_a_stall_the_client_has_the_full_time_for_its_next_step() {
        let limit = crate::wire::rtmp::server::Config::default().handshake_timeout;
        for continues in [true, false] {
            with_task(|task| {
                poll_with_faults(task, &["stall@handshake:+6s"]);
                let end = task.connection.deadline().unwrap();
                task.check_deadlines(end).unwrap();
                task.check_deadlines(end + limit - Duration::from_millis(1)).unwrap();
                if continues {
                    task.connection.with_session(receive_connect);
                }
                let result = task.check_deadlines(end + limit);
                assert_eq!(result.is_ok(), continues, "{result:?}");
            });
        }
    }

    #[test]
    fn while_a_throttle_keeps_the_server_from_reading_the_deadline_moves() {
        with_task(|task| {
            poll_with_faults(task, &["throttle@handshake:1k"]);
            let limit = crate::wire::rtmp::server::Config::default().handshake_timeout;
            let next_read = task.connection.io.lock().lab.wake_at.unwrap();
            let deadline = task.connection.io.lock().deadline;
            assert_eq!(deadline, Some(next_read + limit));
        });
    }

    #[test]
    fn when_a_stall_is_switched_off_the_deadline_counts_from_then() {
        with_task(|task| {
            poll_with_faults(task, &["stall@handshake"]);
            let end = task.connection.deadline().unwrap();
            let switched_off = task.registry.clock.now();
            poll_with_faults(task, &[]);
            let limit = crate::wire::rtmp::server::Config::default().handshake_timeout;
            let deadline = task.connection.deadline().unwrap();
            assert!(deadline >= switched_off + limit && deadline < end, "{deadline:?}");
        });
    }

    #[test]
    fn a_silent_client_is_ended_in_spite_of_a_throttle() {
        with_task(|task| {
            task.connection.with_session(receive_connect);
            poll_with_faults(task, &["throttle@connect:10M"]);
            task.role = Role::Publishing(publish(&task.registry, task.connection.id));
            let limit = task.registry.config.limits.silent_publisher;
            let later = task.registry.clock.now() + limit + Duration::from_secs(1);
            let silent = task.check_deadlines(later);
            assert!(matches!(silent, Err(Error::Silent)), "{silent:?}");
        });
    }

    #[test]
    fn delayed_data_is_handled_when_the_faults_are_switched_off() {
        with_task(|task| {
            poll_with_faults(task, &["delay@media:1s"]);
            let mut io = task.connection.io.lock();
            let plan = io.lab.plan.as_mut().unwrap();
            plan.reach(Some(Phase::Media), Timestamp::ZERO);
            plan.strikes(Timestamp::ZERO, |_, _| true);
            let hello = [&[3_u8][..], &[0; 1_536]].concat();
            assert!(plan.hold_back(&hello, task.registry.clock.now()));
            drop(io);
            poll_with_faults(task, &[]);
            assert!(task.connection.sent() > 1_536, "the handshake continues");
        });
    }

    #[test]
    fn a_client_is_not_silent_while_the_server_is_stalled() {
        with_task(|task| {
            task.connection.with_session(receive_connect);
            poll_with_faults(task, &["stall@connect"]);
            task.role = Role::Publishing(publish(&task.registry, task.connection.id));
            let end = task.connection.deadline().unwrap();
            let limit = task.registry.config.limits.silent_publisher;
            let second = Duration::from_secs(1);
            task.check_deadlines(end - second).unwrap();
            task.check_deadlines(end + limit - 2 * second).unwrap();
            let silent = task.check_deadlines(end + 2 * limit);
            assert!(matches!(silent, Err(Error::Silent)), "{silent:?}");
        });
    }

    #[test]
    fn a_pause_ends_with_its_playback() {
        with_task(|task| {
            let wanted = |task: &Task| {
                let io = task.connection.io.lock();
                (io.paused, io.wanted)
            };
            task.handle(Event::Paused(true));
            task.handle(Event::ReceiveVideo(false));
            assert_eq!(wanted(task), (true, (true, false)));
            task.handle(Event::PlayStopped);
            assert_eq!(wanted(task), (false, (true, true)), "the next stream is sent");
        });
    }

    #[test]
    fn video_that_is_wanted_again_begins_with_a_keyframe() {
        with_task(|task| {
            let is_sent = |task: &Task, class| {
                let mut io = task.connection.io.lock();
                io.out.queue.push(class, None, bytes::Bytes::from_static(b"frame"));
                io.out.queue.pop().is_some()
            };
            task.handle(Event::ReceiveVideo(true));
            assert!(is_sent(task, Class::Inter), "no frame is missing");
            task.handle(Event::ReceiveVideo(false));
            task.handle(Event::ReceiveVideo(true));
            assert!(!is_sent(task, Class::Inter));
            assert!(is_sent(task, Class::Key) && is_sent(task, Class::Inter));
        });
    }
}
