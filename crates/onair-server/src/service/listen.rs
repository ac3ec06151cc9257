//! Where the server listens, and why it may not.

use std::io;
use std::net::SocketAddr;
use std::sync::Weak;
use std::time::Duration;

use tokio::time::{sleep, timeout};

use crate::net::{Listener, Runtime};
use crate::server::registry::config::Listen;
use crate::text::problem::{Problem, problem};

/// Number of ports to try after a port in use.
pub(crate) const MAX_PORT_TRIES: u16 = 64;

/// Time for which onair waits until the sessions of a closed port of WebRTC or SRT release its socket.
const SOCKET_RELEASE_TIMEOUT: Duration = Duration::from_millis(300);
/// Interval between checks of whether the socket is released. If it is not released in time, the
/// next free port is used.
const SOCKET_CHECK_INTERVAL: Duration = Duration::from_millis(5);

/// The reason why the server does not start.
#[derive(Debug, thiserror::Error)]
#[error("{}", Problem::from(self))]
pub struct Error {
    /// The service that failed: `RTMP`, `RTMPS`, `RTMPT`, `HTTP`, `HTTPS`, `WebRTC` or `SRT`.
    pub what: &'static str,
    pub address: SocketAddr,
    #[source]
    pub source: io::Error,
}

impl From<&Error> for Problem {
    fn from(error: &Error) -> Self {
        let reason = match error.source.kind() {
            io::ErrorKind::AddrInUse => problem!("server-port-taken"),
            io::ErrorKind::AddrNotAvailable => problem!("server-no-such-address"),
            io::ErrorKind::PermissionDenied => problem!("server-port-forbidden"),
            _ => Self::words(error.source.to_string()),
        };
        let address = error.address.to_string();
        problem!("server-listening", address = address, what = error.what, reason = reason)
    }
}

/// The addresses of a running server.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Addresses {
    pub rtmp: SocketAddr,
    pub rtmps: Option<SocketAddr>,
    /// The additional address for RTMPT.
    pub rtmpt: Option<SocketAddr>,
    pub http: Option<SocketAddr>,
    pub https: Option<SocketAddr>,
    /// The UDP port of WHEP.
    pub webrtc: Option<SocketAddr>,
    /// The UDP port of SRT.
    pub srt: Option<SocketAddr>,
    /// True if the requested port was in use and the server uses another one, which causes a notice.
    pub rtmp_moved: bool,
    pub http_moved: bool,
    pub webrtc_moved: bool,
}

/// Listens on an address, or on one of the next ports.
pub(crate) fn bind(
    runtime: &Runtime,
    what: &'static str,
    listen: Listen,
) -> Result<Listener, Error> {
    let Listen { address, or_next } = listen;
    let tries = if or_next && address.port() != 0 { MAX_PORT_TRIES } else { 0 };
    Listener::bind_or_next(runtime.handle(), address, tries).map_err(|source| Error {
        what,
        address,
        source,
    })
}

/// Waits until nobody uses the socket of a closed port, so that its address is free.
pub(super) async fn released<T>(socket: &Weak<T>) {
    let _ = timeout(SOCKET_RELEASE_TIMEOUT, async {
        while socket.strong_count() > 0 {
            sleep(SOCKET_CHECK_INTERVAL).await;
        }
    })
    .await;
}
