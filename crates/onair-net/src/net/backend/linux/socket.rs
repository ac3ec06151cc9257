//! TCP options and TCP figures of the kernel.
#![allow(unsafe_code)]

use std::task::{Context, Poll};
use std::time::Duration;

use socket2::Socket;
use tokio::net::TcpStream;

/// Returns the number of bytes written to the socket that the peer has not acknowledged yet
/// (`SIOCOUTQ`).
pub(in crate::net) fn unacknowledged_bytes(socket: &TcpStream) -> Option<u64> {
    use std::os::fd::AsRawFd;
    let mut bytes: libc::c_int = 0;
    // SAFETY: the descriptor is open for as long as `socket` is borrowed, and the request writes
    // one `c_int` to the pointer, which is valid for the call.
    let result = unsafe { libc::ioctl(socket.as_raw_fd(), libc::TIOCOUTQ, &raw mut bytes) };
    if result == 0 { u64::try_from(bytes).ok() } else { None }
}

/// Returns the kernel's smoothed round-trip time (`TCP_INFO`), or `None` if it is not known, for
/// example before the first measurement.
pub(in crate::net) fn round_trip(socket: &TcpStream) -> Option<Duration> {
    let info = tcp_info(socket).filter(|info| info.tcpi_rtt > 0)?;
    Some(Duration::from_micros(info.tcpi_rtt.into()))
}

/// Returns the time since the last acknowledgement from the peer (`TCP_INFO`), if known. An
/// acknowledgement that only reports a full window also counts.
pub(in crate::net) fn since_last_ack(socket: &TcpStream) -> Option<Duration> {
    tcp_info(socket).map(|info| Duration::from_millis(info.tcpi_last_ack_recv.into()))
}

fn tcp_info(socket: &TcpStream) -> Option<libc::tcp_info> {
    use std::os::fd::AsRawFd;
    // SAFETY: `tcp_info` consists of integers only, for which all zero bits are a valid value.
    let mut info: libc::tcp_info = unsafe { std::mem::zeroed() };
    let mut length = libc::socklen_t::try_from(size_of::<libc::tcp_info>()).ok()?;
    // SAFETY: the descriptor is open for as long as `socket` is borrowed; the kernel writes at
    // most `length` bytes to `info`, which has that size, and the true number to `length`.
    let result = unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            libc::IPPROTO_TCP,
            libc::TCP_INFO,
            (&raw mut info).cast(),
            &raw mut length,
        )
    };
    (result == 0).then_some(info)
}

/// Ends the connection when sent data stays unacknowledged for `limit` (`TCP_USER_TIMEOUT`).
pub(in crate::net) fn set_user_timeout(socket: &TcpStream, limit: Duration) {
    // An old kernel that rejects this option merely detects dead peers later.
    let _ = socket2::SockRef::from(socket).set_tcp_user_timeout(Some(limit));
}

/// Probes a peer that has been idle for `time`, every `interval`.
pub(in crate::net) fn set_keepalive(socket: &TcpStream, time: Duration, interval: Duration) {
    let keepalive = socket2::TcpKeepalive::new().with_time(time).with_interval(interval);
    // Without this option, a dead peer is merely detected later.
    let _ = socket2::SockRef::from(socket).set_tcp_keepalive(&keepalive);
}

/// Reports the socket as writable only while fewer than `bytes` are unsent (`TCP_NOTSENT_LOWAT`),
/// so that the backlog stays in onair's queue, where it can be dropped.
pub(in crate::net) fn set_not_sent_low_water(socket: &TcpStream, bytes: u32) {
    let _ = socket2::SockRef::from(socket).set_tcp_notsent_lowat(bytes);
}

/// Waits until less than half of the value of [`set_not_sent_low_water`] is unsent, or until the
/// connection fails. The writability of the socket does not suffice as a signal: the system appends
/// to a started send regardless of the low-water mark.
pub(in crate::net) fn poll_room(socket: &TcpStream, cx: &mut Context<'_>) -> Poll<()> {
    use std::io;
    use std::os::fd::AsRawFd;
    let has_room = || {
        let mut asked = libc::pollfd { fd: socket.as_raw_fd(), events: libc::POLLOUT, revents: 0 };
        // SAFETY: the descriptor is open for as long as `socket` is borrowed, and the system accesses
        // only the one `pollfd` behind the pointer. This request wakes the task when there is room.
        let result = unsafe { libc::poll(&raw mut asked, 1, 0) };
        if result == 0 { Err(io::ErrorKind::WouldBlock.into()) } else { Ok(()) }
    };
    loop {
        match socket.poll_write_ready(cx) {
            Poll::Pending => return Poll::Pending,
            // The next write reports the error.
            Poll::Ready(Err(_)) => return Poll::Ready(()),
            Poll::Ready(Ok(())) => {}
        }
        match socket.try_io(tokio::io::Interest::WRITABLE, has_room) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            _ => return Poll::Ready(()),
        }
    }
}

/// Binds a socket to the interface with this name.
pub(in crate::net) fn bind_interface(socket: &Socket, name: &str) -> std::io::Result<()> {
    socket.bind_device(Some(name.as_bytes()))
}
