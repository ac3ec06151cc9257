//! The inside of a tunnel: a socket-like stream for an RTMP session, and two bounded queues for the
//! task that transfers its bytes (named "tunnel", 128 KiB in each direction; a full queue blocks
//! its writer).

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf};

use crate::net::error::Cause;

/// Maximum number of bytes in each direction: 100 ms at 10 Mbit/s.
pub(in crate::net) const MAX_BUFFERED_BYTES: usize = 128 << 10;

/// The side of the tunnel for the RTMP session.
#[derive(Debug)]
pub(in crate::net) struct Pipe {
    inner: DuplexStream,
    secure: bool,
    written: u64,
    carried: TunnelBytes,
}

/// Reports from the transferring task to the session's side.
#[derive(Clone, Debug, Default)]
pub(in crate::net) struct TunnelBytes(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    delivered: AtomicU64,
    failed: Mutex<Option<Cause>>,
}

impl TunnelBytes {
    /// Records that this many more bytes certainly reached the peer.
    pub fn delivered(&self, bytes: usize) {
        self.0.delivered.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// Sets the reason for the end of the data.
    pub fn fail(&self, cause: Cause) {
        self.0.failed.lock().get_or_insert(cause);
    }
}

/// Creates a pipe, and returns the session's side and the task's side. `secure` is true if the
/// tunnel is inside TLS.
pub(in crate::net) fn pipe(secure: bool) -> (Pipe, DuplexStream, TunnelBytes) {
    let (inner, far) = tokio::io::duplex(MAX_BUFFERED_BYTES);
    let carried = TunnelBytes::default();
    (Pipe { inner, secure, written: 0, carried: carried.clone() }, far, carried)
}

impl Pipe {
    pub fn is_secure(&self) -> bool {
        self.secure
    }

    /// Returns the number of written bytes that may not have arrived.
    pub fn undelivered(&self) -> u64 {
        self.written.saturating_sub(self.carried.0.delivered.load(Ordering::Relaxed))
    }
}

impl AsyncRead for Pipe {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let poll = Pin::new(&mut self.inner).poll_read(cx, buf);
        if matches!(poll, Poll::Ready(Ok(()))) && buf.filled().len() == before {
            let failed = self.carried.0.failed.lock().clone();
            return Poll::Ready(failed.map_or(Ok(()), |cause| Err(io::Error::other(cause))));
        }
        poll
    }
}

impl AsyncWrite for Pipe {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let poll = Pin::new(&mut self.inner).poll_write(cx, buf);
        if let Poll::Ready(Ok(taken)) = &poll {
            self.written += *taken as u64;
        }
        poll
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let poll = Pin::new(&mut self.inner).poll_write_vectored(cx, bufs);
        if let Poll::Ready(Ok(taken)) = &poll {
            self.written += *taken as u64;
        }
        poll
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }
}
