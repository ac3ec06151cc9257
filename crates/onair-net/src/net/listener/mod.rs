//! Listening sockets.

pub mod descriptors;
pub mod inherited;
pub mod instance;
pub mod own_addresses;
pub mod page_guard;
pub mod service_manager;

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::OnceLock;
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, Type};
use tokio::runtime::Handle;

use crate::net::stream::Stream;

/// Binds `address` or, if its port is in use, the next free one of the following `tries` ports.
///
/// # Errors
/// Returns the error of the last port that was tried.
pub(in crate::net) fn next_free<T>(
    address: SocketAddr,
    tries: u16,
    bind: impl Fn(SocketAddr) -> io::Result<T>,
) -> io::Result<T> {
    let last = address.port().saturating_add(tries);
    let mut next = address;
    loop {
        match bind(next) {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse && next.port() < last => {
                next.set_port(next.port().saturating_add(1));
            }
            other => return other,
        }
    }
}

/// Returns the unspecified address, with which a socket listens on all addresses of this computer:
/// on those of both families if the system has IPv6, otherwise on those of IPv4.
pub fn all_addresses() -> IpAddr {
    static DUAL_STACK_AVAILABLE: OnceLock<bool> = OnceLock::new();
    let opens = || -> io::Result<()> {
        let socket = Socket::new(Domain::IPV6, Type::STREAM, Some(Protocol::TCP))?;
        socket.set_only_v6(false)?;
        socket.bind(&SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0)).into())
    };
    match DUAL_STACK_AVAILABLE.get_or_init(|| opens().is_ok()) {
        true => Ipv6Addr::UNSPECIFIED.into(),
        false => Ipv4Addr::UNSPECIFIED.into(),
    }
}

/// A listening TCP socket.
#[derive(Debug)]
pub struct Listener {
    socket: tokio::net::TcpListener,
    address: SocketAddr,
}

impl Listener {
    /// Listens on `address`. Port 0 picks a free port; see [`Listener::local_addr`].
    ///
    /// # Errors
    /// Fails with errors such as [`io::ErrorKind::AddrInUse`] or
    /// [`io::ErrorKind::PermissionDenied`].
    pub fn bind(runtime: &Handle, address: SocketAddr) -> io::Result<Self> {
        let _inside = runtime.enter();
        if let Some(socket) = inherited::take(address, Type::STREAM) {
            let socket = tokio::net::TcpListener::from_std(socket.into())?;
            let address = socket.local_addr()?;
            return Ok(Self { socket, address });
        }
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
        // A restarted server gets its port back immediately.
        socket.set_reuse_address(true)?;
        socket.set_nonblocking(true)?;
        if address.is_ipv6() && address.ip().is_unspecified() {
            // Listens on all addresses of this computer, including IPv4.
            socket.set_only_v6(false)?;
        }
        socket.bind(&address.into())?;
        socket.listen(1024)?;
        let socket = tokio::net::TcpListener::from_std(socket.into())?;
        let address = socket.local_addr()?;
        Ok(Self { socket, address })
    }

    /// Listens on `address` or, if its port is in use, on the next free one of the following
    /// `tries` ports.
    ///
    /// # Errors
    /// Returns the error of the last port that was tried.
    pub fn bind_or_next(runtime: &Handle, address: SocketAddr, tries: u16) -> io::Result<Self> {
        next_free(address, tries, |address| Self::bind(runtime, address))
    }

    /// Returns the local address of the socket.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Waits for a client. This function never fails: it skips a client that is already gone, and
    /// retries after any other error, such as a lack of descriptors. The function is cancel-safe.
    pub async fn accept(&self) -> (Stream, SocketAddr) {
        loop {
            match self.socket.accept().await {
                // A socket of both families reports IPv4 clients at mapped addresses.
                Ok((socket, peer)) => {
                    let peer = SocketAddr::new(peer.ip().to_canonical(), peer.port());
                    return (Stream::tcp(socket), peer);
                }
                Err(error) => {
                    let gone = matches!(
                        error.kind(),
                        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset
                    );
                    if !gone {
                        tracing::warn!(%error, address = %self.address, "accepting a connection failed");
                        tokio::time::sleep(Duration::from_millis(100)).await;
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::Runtime;

    #[test]
    fn a_listener_at_all_addresses_knows_clients_of_both_families_by_their_own_addresses() {
        let runtime = Runtime::start().unwrap();
        let listener =
            Listener::bind(runtime.handle(), SocketAddr::new(all_addresses(), 0)).unwrap();
        let port = listener.local_addr().port();
        let mut loopback = vec![IpAddr::from(Ipv4Addr::LOCALHOST)];
        if all_addresses().is_ipv6() {
            loopback.push(Ipv6Addr::LOCALHOST.into());
        }
        for ip in loopback {
            // A computer can have IPv6 sockets and no IPv6 address.
            let Ok(client) = std::net::TcpStream::connect((ip, port)) else {
                assert!(ip.is_ipv6(), "IPv4 always works");
                continue;
            };
            let (_stream, peer) = runtime.block_on(listener.accept());
            assert_eq!(peer, client.local_addr().unwrap());
        }
    }
}
