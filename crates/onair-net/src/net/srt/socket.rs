//! Drives the engine of one connection with datagrams and a clock.

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use tokio::net::UdpSocket;
use tokio::sync::mpsc;
use tokio::time::{Instant, Sleep, timeout};

use crate::base::{Clock, Timestamp};
use crate::net::connect::datagrams::DatagramSender;
use crate::net::error::Cause;
use crate::net::srt::engine::{Agreed, End, Engine, SrtFigures};
use crate::net::srt::packets::MAX_DATAGRAM_BYTES;

/// Time after the latency until the other side has surely taken the last packet.
const ACK_MARGIN: Duration = Duration::from_millis(40);
/// Maximum number of datagrams that are received or sent before other tasks run.
const MAX_TURN: usize = 128;
/// Interval at which a datagram is sent again that the system did not take.
const RETRY_INTERVAL: Duration = Duration::from_millis(4);
/// Maximum number of repeated last words of a handshake.
const MAX_ANSWERS: u32 = 40;
/// Time limit for the last acknowledgements at the end.
const LAST_ACK_TIMEOUT: Duration = Duration::from_millis(400);
/// The other side drops what waits for its time when the connection ends. So the end comes after the
/// latency, or after this time.
const MAX_LINGER: Duration = Duration::from_millis(600);
/// Time limit for the messages about the end, if the system does not take them at once.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_millis(200);
/// The number of messages about the end, in case one is lost.
const SHUTDOWN_COPIES: usize = 2;
/// The longest end of a connection: a *Stop* takes at most 1.5 s.
pub const MAX_CLOSE_DURATION: Duration = Duration::from_millis(1_200);
const _: () = assert!(
    LAST_ACK_TIMEOUT.as_millis() + MAX_LINGER.as_millis() + SHUTDOWN_TIMEOUT.as_millis()
        <= MAX_CLOSE_DURATION.as_millis()
);

/// The way to the other side.
#[derive(Debug)]
pub enum Road {
    /// A socket of this connection alone.
    Own {
        sender: DatagramSender,
        /// The last word of the handshake, which is repeated if the other side asks again.
        answer: Option<Vec<u8>>,
    },
    /// A port of a server, which passes on the datagrams of this connection. When the queue is full,
    /// the port drops them, as a network would.
    Shared { port: Arc<UdpSocket>, to: SocketAddr, inbox: mpsc::Receiver<Bytes> },
}

impl Road {
    fn poll_receive(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        match self {
            Self::Own { sender, .. } => sender.poll_receive(cx, buffer),
            Self::Shared { inbox, .. } => match inbox.poll_recv(cx) {
                Poll::Pending => Poll::Pending,
                Poll::Ready(None) => Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into())),
                Poll::Ready(Some(datagram)) => {
                    let length = datagram.len().min(buffer.len());
                    buffer.iter_mut().zip(&datagram).for_each(|(to, from)| *to = *from);
                    Poll::Ready(Ok(length))
                }
            },
        }
    }

    fn poll_send(&self, cx: &mut Context<'_>, datagram: &[u8]) -> Poll<io::Result<usize>> {
        match self {
            Self::Own { sender, .. } => sender.poll_send(cx, datagram),
            // Only one of the tasks of a port can wait for its space, so all try again soon.
            Self::Shared { port, to, .. } => match port.try_send_to(datagram, *to) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => Poll::Pending,
                sent => Poll::Ready(sent),
            },
        }
    }
}

/// One connection.
#[derive(Debug)]
pub struct SrtSocket {
    engine: Engine,
    road: Road,
    clock: Clock,
    /// The datagram that the system did not take yet.
    pending: Option<Vec<u8>>,
    timer: Pin<Box<Sleep>>,
    wakes: Option<Timestamp>,
    answers: u32,
}

impl SrtSocket {
    /// Creates the socket of a connection.
    pub fn new(road: Road, agreed: Agreed, bitrate: Option<u64>, clock: Clock) -> Self {
        Self {
            engine: Engine::new(agreed, bitrate, clock.now()),
            road,
            clock,
            pending: None,
            timer: Box::pin(tokio::time::sleep(Duration::ZERO)),
            wakes: None,
            answers: 0,
        }
    }

    /// Returns the socket of this connection, unless it shares the port of a server.
    pub fn sender(&self) -> Option<&DatagramSender> {
        match &self.road {
            Road::Own { sender, .. } => Some(sender),
            Road::Shared { .. } => None,
        }
    }

    /// Queues a payload, without waiting.
    pub fn send(&mut self, payload: Bytes) {
        self.engine.send(payload, self.clock.now());
    }

    /// Returns the engine.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Returns the counters.
    pub fn figures(&self) -> SrtFigures {
        self.engine.figures()
    }

    /// Drops the payloads that wait.
    pub fn discard(&mut self) {
        self.engine.discard();
    }

    /// Sends and receives. Returns when the connection has ended.
    pub fn poll_run(&mut self, cx: &mut Context<'_>) -> Poll<Cause> {
        if let Err(error) = self.poll_datagrams(cx) {
            return Poll::Ready(Cause::from_io(&error));
        }
        match self.engine.end() {
            Some(End::Closed) => Poll::Ready(Cause::Closed),
            Some(End::Silent) => Poll::Ready(Cause::NoProgress { after: Duration::from_secs(5) }),
            None => Poll::Pending,
        }
    }

    /// Returns the next payload that is due, and whether payloads before it are lost. Sends and
    /// receives meanwhile.
    ///
    /// # Errors
    /// Fails when the connection has ended, and everything received was returned.
    pub fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Result<(Bytes, bool), Cause>> {
        let ended = self.poll_run(cx);
        let now = self.clock.now();
        // At the end, nothing is worth waiting for.
        let until = if ended.is_ready() { now + Duration::from_secs(60) } else { now };
        match (self.engine.take(until), ended) {
            (Some(payload), _) => Poll::Ready(Ok(payload)),
            (None, Poll::Ready(cause)) => Poll::Ready(Err(cause)),
            (None, Poll::Pending) => Poll::Pending,
        }
    }

    /// Drops the next payload that is due. Returns false if there is none.
    pub fn discard_received(&mut self) -> bool {
        self.engine.take(self.clock.now()).is_some()
    }

    fn poll_datagrams(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        let mut datagram = [0; MAX_DATAGRAM_BYTES];
        for turn in 0.. {
            if turn == MAX_TURN {
                cx.waker().wake_by_ref();
                break;
            }
            match self.road.poll_receive(cx, &mut datagram) {
                Poll::Pending => break,
                Poll::Ready(Ok(length)) => self.receive(datagram.get(..length).unwrap_or_default()),
                // The other side has closed its port without a word.
                Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::ConnectionRefused => {
                    return Err(io::ErrorKind::ConnectionReset.into());
                }
                Poll::Ready(Err(error)) => return Err(error),
            }
        }
        for turn in 0.. {
            if turn == MAX_TURN {
                cx.waker().wake_by_ref();
                break;
            }
            let next = self.pending.take();
            let next = next.or_else(|| self.engine.next_datagram(self.clock.now()));
            let Some(datagram) = next else { break };
            match self.road.poll_send(cx, &datagram) {
                Poll::Pending => {
                    self.pending = Some(datagram);
                    break;
                }
                Poll::Ready(Err(error)) if !DatagramSender::is_passing(&error) => {
                    return Err(error);
                }
                Poll::Ready(_) => {}
            }
        }
        self.poll_timer(cx);
        Ok(())
    }

    fn receive(&mut self, bytes: &[u8]) {
        // A handshake after the connection: the other side has not got our last word.
        if bytes.starts_with(&[0x80, 0]) {
            if let Road::Own { answer: Some(answer), .. } = &self.road
                && self.answers < MAX_ANSWERS
                && self.pending.is_none()
            {
                self.answers += 1;
                self.pending = Some(answer.clone());
            }
            return;
        }
        self.engine.receive(bytes, self.clock.now());
    }

    /// Sets the timer for the next call.
    fn poll_timer(&mut self, cx: &mut Context<'_>) {
        let now = self.clock.now();
        let next = self.engine.next_time(now);
        let next = if self.pending.is_some() { next.min(now + RETRY_INTERVAL) } else { next };
        if self.wakes != Some(next) {
            self.wakes = Some(next);
            self.timer.as_mut().reset(Instant::from_std(self.clock.instant(next)));
        }
        if self.timer.as_mut().poll(cx).is_ready() {
            self.wakes = None;
            cx.waker().wake_by_ref();
        }
    }

    /// Sends what waits, and ends the connection within `limit`, and in any case within
    /// [`MAX_CLOSE_DURATION`].
    pub async fn close(mut self, limit: Duration) {
        let limits = CloseLimits::new(limit, self.engine.latency());
        // After the limit, the rest is lost. After an error too.
        let _ = timeout(
            limits.last_ack,
            poll_fn(|cx| match self.poll_run(cx) {
                Poll::Pending if self.engine.is_delivered() => Poll::Ready(()),
                other => other.map(drop),
            }),
        )
        .await;
        let is_whole = self.engine.is_delivered() && self.engine.has_sent();
        if is_whole && self.engine.end().is_none() {
            let _ = timeout(limits.linger, poll_fn(|cx| self.poll_run(cx))).await;
        }
        if self.engine.end().is_some() {
            return;
        }
        let packet = self.engine.shutdown(self.clock.now());
        // Without this packet, the other side waits for some seconds until the end.
        let _ = timeout(limits.shutdown, async {
            for _ in 0..SHUTDOWN_COPIES {
                let _ = poll_fn(|cx| self.road.poll_send(cx, &packet)).await;
            }
        })
        .await;
    }
}

/// The time limits of the steps at the end of a connection, which follow each other.
#[derive(Copy, Clone, Debug)]
struct CloseLimits {
    last_ack: Duration,
    linger: Duration,
    shutdown: Duration,
}

impl CloseLimits {
    fn new(limit: Duration, latency: Duration) -> Self {
        Self {
            last_ack: limit.min(LAST_ACK_TIMEOUT),
            linger: (latency + ACK_MARGIN).min(MAX_LINGER),
            shutdown: limit.min(SHUTDOWN_TIMEOUT),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::srt::keys::Keys;

    /// Returns a connection whose other side is silent, and the way of its datagrams to here.
    async fn silent() -> (SrtSocket, mpsc::Sender<Bytes>) {
        let port = Arc::new(UdpSocket::bind("127.0.0.1:0").await.unwrap());
        // Nobody reads here.
        let to = port.local_addr().unwrap();
        let (sender, inbox) = mpsc::channel(8);
        let clock = Clock::start();
        let agreed = Agreed {
            own_id: 1,
            peer_id: 2,
            send_sequence: 0,
            receive_sequence: 0,
            latency: Duration::from_mins(5),
            window: 8_192,
            keys: Keys::default(),
            begun: clock.now(),
        };
        (SrtSocket::new(Road::Shared { port, to, inbox }, agreed, None, clock), sender)
    }

    #[test]
    fn the_limits_at_the_end_leave_a_stop_time_for_the_rest() {
        for limit in [0, 100, 400, 3_000, 3_600_000] {
            for latency in [0, 20, 120, 600, 10_000] {
                let [limit, latency] = [limit, latency].map(Duration::from_millis);
                let CloseLimits { last_ack, linger, shutdown } = CloseLimits::new(limit, latency);
                let sum = last_ack + linger + shutdown;
                assert!(sum <= MAX_CLOSE_DURATION, "{limit:?} {latency:?}: {sum:?}");
            }
        }
    }

    #[test]
    fn a_silent_side_does_not_delay_the_end_by_its_latency_or_the_limit() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            for payloads in [0, 1, 2_000] {
                let (mut socket, _sender) = silent().await;
                for _ in 0..payloads {
                    socket.send(Bytes::from_static(&[0x47; 1_316]));
                }
                // Both are longer than the wait, which is generous for a busy computer.
                let closed = socket.close(Duration::from_mins(10));
                timeout(Duration::from_secs(50), closed).await.unwrap();
            }
        });
    }
}
