//! Windows sends to one socket with each call.

use std::io;

use bytes::Bytes;
use tokio::net::TcpStream;

/// A socket of a burst.
pub(in crate::net) type Member<'a> = &'a TcpStream;

/// Returns the socket for a burst.
pub(in crate::net) fn member(socket: &TcpStream) -> Member<'_> {
    socket
}

/// Returns `false`, without sending anything.
pub(in crate::net) fn send(
    _sockets: &[Member<'_>],
    _bytes: &Bytes,
    _taken: &mut Vec<io::Result<usize>>,
) -> bool {
    false
}
