//! A connection: TCP, or TLS over TCP. Small messages leave at once (`TCP_NODELAY`).

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use crate::net::backend::socket;

/// A connection. Dropping it closes it.
#[derive(Debug)]
pub struct Stream(Kind);

#[derive(Debug)]
enum Kind {
    Tcp(TcpStream),
    Tls(Box<tokio_rustls::TlsStream<TcpStream>>),
}

impl Stream {
    /// Takes over a connected socket, from `connect` or `accept`.
    pub(in crate::net) fn tcp(socket: TcpStream) -> Self {
        // Fails only on a socket that is already closed; the first read tells.
        let _ = socket.set_nodelay(true);
        Self(Kind::Tcp(socket))
    }

    /// Takes over a socket with its TLS handshake done.
    pub(in crate::net) fn tls(stream: tokio_rustls::TlsStream<TcpStream>) -> Self {
        Self(Kind::Tls(Box::new(stream)))
    }

    /// The socket of a stream without TLS.
    pub(in crate::net) fn into_socket(self) -> Option<TcpStream> {
        match self.0 {
            Kind::Tcp(socket) => Some(socket),
            Kind::Tls(_) => None,
        }
    }

    fn socket(&self) -> &TcpStream {
        match &self.0 {
            Kind::Tcp(socket) => socket,
            Kind::Tls(stream) => stream.get_ref().0,
        }
    }

    /// Whether what is sent is encrypted.
    pub fn is_tls(&self) -> bool {
        matches!(self.0, Kind::Tls(_))
    }

    /// The other end.
    ///
    /// # Errors
    /// When the connection is already gone.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.socket().peer_addr()
    }

    /// This end.
    ///
    /// # Errors
    /// When the connection is already gone.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket().local_addr()
    }

    /// Bytes handed to the system that the peer has not acknowledged, where the system tells.
    pub fn unsent_bytes(&self) -> Option<u64> {
        socket::unacknowledged_bytes(self.socket())
    }

    /// The round trip as the system measures it, where it tells.
    pub fn round_trip(&self) -> Option<Duration> {
        socket::round_trip(self.socket())
    }

    /// Ends the connection when what was sent stays unacknowledged for this long (Linux).
    pub fn set_user_timeout(&self, limit: Duration) {
        socket::set_user_timeout(self.socket(), limit);
    }

    /// Keeps at most about `bytes` unsent in the system's buffer (Linux): the rest waits with us.
    pub fn set_not_sent_low_water(&self, bytes: u32) {
        socket::set_not_sent_low_water(self.socket(), bytes);
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match &mut self.0 {
            Kind::Tcp(socket) => Pin::new(socket).poll_read(cx, buf),
            Kind::Tls(stream) => Pin::new(stream).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        match &mut self.0 {
            Kind::Tcp(socket) => Pin::new(socket).poll_write(cx, buf),
            Kind::Tls(stream) => Pin::new(stream).poll_write(cx, buf),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.0 {
            Kind::Tcp(socket) => Pin::new(socket).poll_flush(cx),
            Kind::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.0 {
            Kind::Tcp(socket) => Pin::new(socket).poll_shutdown(cx),
            Kind::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match &mut self.0 {
            Kind::Tcp(socket) => Pin::new(socket).poll_write_vectored(cx, bufs),
            Kind::Tls(stream) => Pin::new(stream).poll_write_vectored(cx, bufs),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match &self.0 {
            Kind::Tcp(socket) => socket.is_write_vectored(),
            Kind::Tls(stream) => stream.is_write_vectored(),
        }
    }
}
