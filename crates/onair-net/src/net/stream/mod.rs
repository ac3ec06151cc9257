//! A connection: TCP, TLS over TCP, or a tunnel through HTTP. Small messages are sent immediately
//! (`TCP_NODELAY`).

pub(in crate::net) mod pipe;

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use crate::net::backend::{burst, socket};
use crate::net::network_changes;
use crate::net::stream::pipe::Pipe;
use crate::wire::proxy::header::{self as proxy_header, FirstBytes};

/// A connection. Dropping the value closes the connection.
#[derive(Debug)]
pub struct Stream {
    kind: Kind,
    /// Data that was already received, which is read first.
    ahead: Bytes,
}

#[derive(Debug)]
enum Kind {
    Tcp(TcpStream),
    Tls(Box<tokio_rustls::TlsStream<TcpStream>>),
    Tunnel(Pipe),
}

/// Evaluates an expression with the connection of each kind, without a virtual call.
macro_rules! with_each {
    ($kind:expr, $stream:ident => $call:expr) => {
        match $kind {
            Kind::Tcp($stream) => $call,
            Kind::Tls($stream) => $call,
            Kind::Tunnel($stream) => $call,
        }
    };
}

impl Stream {
    /// Wraps a connected socket, from `connect` or `accept`.
    pub(in crate::net) fn tcp(socket: TcpStream) -> Self {
        // This fails only for a closed socket, which the first read reports.
        let _ = socket.set_nodelay(true);
        Self::of(Kind::Tcp(socket))
    }

    /// Wraps a socket after its TLS handshake.
    pub(in crate::net) fn tls(stream: tokio_rustls::TlsStream<TcpStream>) -> Self {
        Self::of(Kind::Tls(Box::new(stream)))
    }

    /// Wraps the inside of a tunnel.
    pub(in crate::net) fn tunnel(pipe: Pipe) -> Self {
        Self::of(Kind::Tunnel(pipe))
    }

    fn of(kind: Kind) -> Self {
        Self { kind, ahead: Bytes::new() }
    }

    /// Sets data that was received earlier, which is read first.
    pub(in crate::net) fn with_ahead(mut self, ahead: Bytes) -> Self {
        self.ahead = ahead;
        self
    }

    /// Returns the socket of a stream without TLS and without data read ahead.
    pub(in crate::net) fn into_socket(self) -> Option<TcpStream> {
        match self.kind {
            Kind::Tcp(socket) if self.ahead.is_empty() => Some(socket),
            Kind::Tcp(_) | Kind::Tls(_) | Kind::Tunnel(_) => None,
        }
    }

    fn socket(&self) -> Option<&TcpStream> {
        match &self.kind {
            Kind::Tcp(socket) => Some(socket),
            Kind::Tls(stream) => Some(stream.get_ref().0),
            Kind::Tunnel(_) => None,
        }
    }

    /// Returns true if the connection is encrypted.
    pub fn is_tls(&self) -> bool {
        match &self.kind {
            Kind::Tcp(_) => false,
            Kind::Tls(_) => true,
            Kind::Tunnel(pipe) => pipe.is_secure(),
        }
    }

    /// Returns true for plain TCP, which [`send_to_all`] can use.
    pub fn is_tcp(&self) -> bool {
        matches!(self.kind, Kind::Tcp(_))
    }

    /// Waits for the first bytes, which stay readable. Returns true if the peer begins with HTTP
    /// (an uppercase word and a space), not with the RTMP handshake.
    ///
    /// # Errors
    /// Fails if the connection fails or ends before the first bytes.
    pub async fn begins_as_http(&mut self) -> io::Result<bool> {
        /// The length of the longest HTTP method, with the space after it.
        const MAX_METHOD_BYTES: usize = 8;
        let mut first = BytesMut::with_capacity(MAX_METHOD_BYTES);
        loop {
            let decided = match first.iter().position(|byte| !byte.is_ascii_uppercase()) {
                Some(at) => Some(at > 0 && first.get(at) == Some(&b' ')),
                None => (first.len() >= MAX_METHOD_BYTES).then_some(false),
            };
            if let Some(http) = decided {
                self.ahead = first.freeze();
                return Ok(http);
            }
            let left = MAX_METHOD_BYTES - first.len();
            if (&mut *self).take(left as u64).read_buf(&mut first).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }

    /// Reads the header of the PROXY protocol, with which the connection must begin. Returns the
    /// address of the proxy's client, or `None` if the proxy itself opened the connection, for
    /// example for a health check.
    ///
    /// # Errors
    /// Fails if the header is missing or invalid, or the connection fails or ends before the end of
    /// the header.
    pub async fn read_proxy_header(&mut self) -> io::Result<Option<SocketAddr>> {
        let (mut header, mut more) = (BytesMut::new(), 1);
        loop {
            if (&mut *self).take(more).read_buf(&mut header).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            match proxy_header::read(&header) {
                FirstBytes::Incomplete(missing) => more = missing as u64,
                FirstBytes::Header(client) => return Ok(client),
                FirstBytes::Other | FirstBytes::Invalid => {
                    return Err(io::ErrorKind::InvalidData.into());
                }
            }
        }
    }

    /// Returns the number of bytes passed to the system (or the tunnel) that the peer has not
    /// acknowledged, if known.
    pub fn unsent_bytes(&self) -> Option<u64> {
        match &self.kind {
            Kind::Tunnel(pipe) => Some(pipe.undelivered()),
            Kind::Tcp(_) | Kind::Tls(_) => self.socket().and_then(socket::unacknowledged_bytes),
        }
    }

    /// Returns the round-trip time that the system measured, if known.
    pub fn round_trip(&self) -> Option<Duration> {
        self.socket().and_then(socket::round_trip)
    }

    /// Returns the time since the peer last acknowledged anything, if known.
    pub fn since_last_ack(&self) -> Option<Duration> {
        self.socket().and_then(socket::since_last_ack)
    }

    /// Returns true if this computer has a network route to the peer, or if that is unknown. This
    /// function sends nothing.
    pub fn has_way(&self) -> bool {
        self.peer_addr().is_none_or(|peer| network_changes::leads_to(peer.ip()))
    }

    /// Returns true if the local address of the connection still exists on this computer, or if
    /// that is unknown.
    pub fn is_local_there(&self) -> bool {
        self.local_addr().is_none_or(|local| network_changes::is_own(local.ip()))
    }

    /// Returns the address of the peer, if known.
    pub fn peer_addr(&self) -> Option<SocketAddr> {
        self.socket().and_then(|socket| socket.peer_addr().ok())
    }

    /// Returns the local address of the connection, if known.
    pub fn local_ip(&self) -> Option<IpAddr> {
        self.local_addr().map(|local| local.ip().to_canonical())
    }

    fn local_addr(&self) -> Option<SocketAddr> {
        self.socket().and_then(|socket| socket.local_addr().ok())
    }

    /// Returns true if the peer's address shows that the peer is on this computer.
    pub fn is_within_machine(&self) -> bool {
        self.peer_addr().is_some_and(|peer| peer.ip().to_canonical().is_loopback())
    }

    /// Ends the connection if sent data stays unacknowledged for this long (Linux).
    pub fn set_user_timeout(&self, limit: Duration) {
        if let Some(socket) = self.socket() {
            socket::set_user_timeout(socket, limit);
        }
    }

    /// Probes an idle peer after 30 s, and ends the connection if probes every 10 s have no answer.
    pub fn set_keepalive(&self) {
        if let Some(socket) = self.socket() {
            socket::set_keepalive(socket, Duration::from_secs(30), Duration::from_secs(10));
        }
    }

    /// Resets the connection (TCP RST) when dropped, instead of closing it.
    pub fn reset_on_drop(&self) {
        if let Some(socket) = self.socket() {
            let _ = socket2::SockRef::from(socket).set_linger(Some(Duration::ZERO));
        }
    }

    /// Sets the receive buffer of the system to about this many bytes.
    pub fn set_receive_buffer(&self, bytes: usize) {
        if let Some(socket) = self.socket() {
            let _ = socket2::SockRef::from(socket).set_recv_buffer_size(bytes);
        }
    }

    /// Limits the unsent data in the system's buffer to about `bytes` (Linux). The rest waits in
    /// onair.
    pub fn set_not_sent_low_water(&self, bytes: u32) {
        if let Some(socket) = self.socket() {
            socket::set_not_sent_low_water(socket, bytes);
        }
    }

    /// Waits until the system has accepted the written data, and its unsent data is less than half
    /// the low-water mark (Linux). The next write reports a failed connection.
    pub fn poll_room(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match &mut self.kind {
            Kind::Tcp(socket) => socket::poll_room(socket, cx),
            // TLS keeps data that the socket did not accept.
            Kind::Tls(stream) => match Pin::new(&mut *stream).poll_flush(cx) {
                Poll::Ready(Ok(())) => socket::poll_room(stream.get_ref().0, cx),
                Poll::Ready(Err(_)) => Poll::Ready(()),
                Poll::Pending => Poll::Pending,
            },
            Kind::Tunnel(_) => Poll::Ready(()),
        }
    }
}

/// Sends the same bytes over many connections with few system calls. For each connection, in order,
/// appends to `taken` the number of bytes sent, or an error of the kind `WouldBlock` if the
/// connection is full. Returns `false`, without sending anything, if the system does not support
/// such sends, or if a connection is not plain TCP.
pub fn send_to_all<'a>(
    streams: impl Iterator<Item = &'a Stream>,
    bytes: &Bytes,
    taken: &mut Vec<io::Result<usize>>,
) -> bool {
    let sockets = streams.map(|stream| match &stream.kind {
        Kind::Tcp(socket) => Some(burst::member(socket)),
        Kind::Tls(_) | Kind::Tunnel(_) => None,
    });
    let sockets: Option<Vec<_>> = sockets.collect();
    sockets.is_some_and(|sockets| burst::send(&sockets, bytes, taken))
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.ahead.is_empty() {
            let count = self.ahead.len().min(buf.remaining());
            buf.put_slice(self.ahead.get(..count).unwrap_or_default());
            self.ahead.advance(count);
            return Poll::Ready(Ok(()));
        }
        with_each!(&mut self.kind, stream => Pin::new(stream).poll_read(cx, buf))
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        with_each!(&mut self.kind, stream => Pin::new(stream).poll_write(cx, buf))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        with_each!(&mut self.kind, stream => Pin::new(stream).poll_flush(cx))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        with_each!(&mut self.kind, stream => Pin::new(stream).poll_shutdown(cx))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        with_each!(&mut self.kind, stream => Pin::new(stream).poll_write_vectored(cx, bufs))
    }

    fn is_write_vectored(&self) -> bool {
        with_each!(&self.kind, stream => stream.is_write_vectored())
    }
}
