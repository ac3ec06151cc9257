//! TCP options. The figures of the kernel are not read on this system yet.

use std::task::{Context, Poll};
use std::time::Duration;

use socket2::{SockRef, Socket};
use tokio::net::TcpStream;

use crate::platform::NotOnThisSystem;

/// Returns `None`: the number of bytes that the peer has not acknowledged is unknown.
pub(in crate::net) fn unacknowledged_bytes(_socket: &TcpStream) -> Option<u64> {
    None
}

/// Returns `None`: the round-trip time is unknown.
pub(in crate::net) fn round_trip(_socket: &TcpStream) -> Option<Duration> {
    None
}

/// Returns `None`: the time since the last acknowledgement is unknown.
pub(in crate::net) fn since_last_ack(_socket: &TcpStream) -> Option<Duration> {
    None
}

/// Changes nothing: the system itself decides when a silent peer is dead.
pub(in crate::net) fn set_user_timeout(_socket: &TcpStream, _limit: Duration) {}

/// Probes a peer that has been idle for `time`, every `interval`.
pub(in crate::net) fn set_keepalive(socket: &TcpStream, time: Duration, interval: Duration) {
    let keepalive = socket2::TcpKeepalive::new().with_time(time).with_interval(interval);
    // Without this option, a dead peer is merely detected later.
    let _ = SockRef::from(socket).set_tcp_keepalive(&keepalive);
}

/// Changes nothing: the system's own buffer is small enough.
pub(in crate::net) fn set_not_sent_low_water(_socket: &TcpStream, _bytes: u32) {}

/// Waits until the socket takes more data, or until the connection fails.
pub(in crate::net) fn poll_room(socket: &TcpStream, cx: &mut Context<'_>) -> Poll<()> {
    socket.poll_write_ready(cx).map(|_| ())
}

/// Fails: a socket is bound to an address here, not to an interface.
pub(in crate::net) fn bind_interface(_socket: &Socket, _name: &str) -> std::io::Result<()> {
    Err(NotOnThisSystem("connections through an interface by its name").into())
}
