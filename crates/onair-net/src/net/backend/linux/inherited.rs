//! The descriptors of sockets that a service manager passed to this process.
#![allow(unsafe_code)]

use socket2::Socket;

/// Returns the sockets. Only the first call returns the sockets, because the caller then owns them.
pub(in crate::net) fn sockets() -> Vec<Socket> {
    use std::os::fd::FromRawFd as _;
    use std::sync::atomic::{AtomicBool, Ordering};

    static SOCKETS_TAKEN: AtomicBool = AtomicBool::new(false);
    if SOCKETS_TAKEN.swap(true, Ordering::Relaxed) {
        return Vec::new();
    }
    let descriptors = sd_notify::listen_fds().into_iter().flatten();
    // SAFETY: the service manager opened these descriptors for this process (LISTEN_PID is its id),
    // nothing else in the process uses them, and this code runs only once.
    descriptors.map(|descriptor| unsafe { Socket::from_raw_fd(descriptor) }).collect()
}

/// Returns true if the socket accepts connections.
pub(in crate::net) fn listens(socket: &Socket) -> bool {
    socket.is_listener().unwrap_or(false)
}
