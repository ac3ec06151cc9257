//! A connection with an idle limit: a client that neither sends nor reads, or takes too long to send a
//! request, is disconnected. The limit does not apply to viewers, which send nothing.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

use crate::net::Stream;
use crate::server::access::limits::Limits;
use crate::server::registry::ConnectionSlot;

/// The idle limit.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);

/// A connection that is closed if it is idle for too long.
pub(super) struct Idle {
    stream: Stream,
    sleep: Pin<Box<Sleep>>,
    /// Time of the last activity.
    last: Instant,
    /// Deadline for the response to the current request.
    request_until: Option<Instant>,
    /// See [`Limits::request`]. A request that may take longer settles its slot, or waits for the decision of a
    /// callback, and then has no such limit. Afterwards, the limit starts again.
    limit: Duration,
    /// The time since which the client has accepted nothing of a response.
    blocked_since: Option<Instant>,
    /// See [`Limits::stalled_viewer`].
    stall_limit: Duration,
    place: ConnectionSlot,
}

impl Idle {
    pub fn new(stream: Stream, place: ConnectionSlot, limits: &Limits) -> Self {
        let (limit, stall_limit) = (limits.request, limits.stalled_viewer);
        let now = Instant::now();
        let until = now + limit;
        let sleep = Box::pin(tokio::time::sleep_until(until));
        let (request_until, blocked_since) = (Some(until), None);
        Self { stream, sleep, last: now, request_until, limit, blocked_since, stall_limit, place }
    }

    /// Becomes ready with an error if the client must be disconnected.
    fn poll_over(&mut self, cx: &mut Context<'_>) -> Poll<io::Error> {
        if self.place.spot().poll_evicted(cx).is_ready() {
            return Poll::Ready(io::ErrorKind::ConnectionAborted.into());
        }
        loop {
            let spot = self.place.spot();
            let is_settled = spot.is_settled();
            let may_take_longer = is_settled || spot.is_deciding();
            if may_take_longer && self.request_until.is_some() {
                self.request_until = Some(Instant::now() + self.limit);
            }
            let request = self.request_until.filter(|_| !may_take_longer);
            let blocked_since = self.blocked_since.filter(|_| is_settled);
            let stalled = blocked_since.map(|since| since + self.stall_limit);
            let idle = self.last + IDLE_TIMEOUT;
            let until = request.into_iter().chain(stalled).fold(idle, Ord::min);
            if self.sleep.deadline() != until {
                self.sleep.as_mut().reset(until);
            }
            if self.sleep.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            if Instant::now() >= until {
                if stalled == Some(until) {
                    self.place.spot().note_stall();
                }
                return Poll::Ready(io::ErrorKind::TimedOut.into());
            }
        }
    }

    fn note<T>(&mut self, cx: &mut Context<'_>, poll: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if poll.is_ready() {
            self.last = Instant::now();
        }
        match self.poll_over(cx) {
            Poll::Ready(error) => Poll::Ready(Err(error)),
            Poll::Pending => poll,
        }
    }

    /// Records whether the client accepts bytes of a response.
    fn note_write<T>(
        &mut self,
        cx: &mut Context<'_>,
        poll: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if poll.is_ready() {
            (self.request_until, self.blocked_since) = (None, None);
        } else {
            self.blocked_since.get_or_insert_with(Instant::now);
        }
        self.note(cx, poll)
    }
}

impl AsyncRead for Idle {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let poll = Pin::new(&mut self.stream).poll_read(cx, buf);
        if buf.filled().len() > before && self.request_until.is_none() {
            self.request_until = Some(Instant::now() + self.limit);
        }
        self.note(cx, poll)
    }
}

impl AsyncWrite for Idle {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let poll = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.note_write(cx, poll)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let poll = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.note_write(cx, poll)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
