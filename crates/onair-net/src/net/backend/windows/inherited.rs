//! Windows passes no sockets to a service.

use socket2::Socket;

/// Returns no sockets.
pub(in crate::net) fn sockets() -> Vec<Socket> {
    Vec::new()
}

/// Returns false: no socket is passed.
pub(in crate::net) fn listens(_socket: &Socket) -> bool {
    false
}
