//! A datagram socket.

use std::io;
use std::net::{IpAddr, SocketAddr};

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::UdpSocket;
use tokio::runtime::Handle;

use crate::net::listener::{inherited, next_free};

/// Size of the system's buffer in bytes. The buffer must hold a burst of keyframes for many
/// viewers.
const BUFFER: usize = 4 << 20;

/// One UDP port.
#[derive(Debug)]
pub struct DatagramSocket {
    socket: UdpSocket,
    address: SocketAddr,
}

impl DatagramSocket {
    /// Opens a port or, if the port is in use, the next free one of the following `tries` ports.
    ///
    /// # Errors
    /// Returns the error of the last port, such as [`io::ErrorKind::AddrInUse`].
    pub fn bind_or_next(runtime: &Handle, address: SocketAddr, tries: u16) -> io::Result<Self> {
        next_free(address, tries, |address| Self::bind(runtime, address))
    }

    fn bind(runtime: &Handle, address: SocketAddr) -> io::Result<Self> {
        let _inside = runtime.enter();
        let inherited = inherited::take(address, Type::DGRAM);
        let ready = inherited.is_some();
        let socket = inherited.map_or_else(
            || Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP)),
            Ok,
        )?;
        socket.set_nonblocking(true)?;
        // The system may limit the size. A smaller buffer works too.
        let _ = socket.set_send_buffer_size(BUFFER);
        let _ = socket.set_recv_buffer_size(BUFFER);
        if !ready {
            if address.is_ipv6() && address.ip().is_unspecified() {
                // Listens on all addresses of this computer, including IPv4.
                socket.set_only_v6(false)?;
            }
            socket.bind(&address.into())?;
        }
        let socket = UdpSocket::from_std(socket.into())?;
        let address = socket.local_addr()?;
        Ok(Self { socket, address })
    }

    /// Returns the local address.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Waits for a datagram, and returns its length and its sender. This function is cancel-safe.
    ///
    /// # Errors
    /// Fails, for example, with a report that an earlier datagram did not arrive.
    pub async fn receive(&self, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        let (length, from) = self.socket.recv_from(buffer).await?;
        Ok((length, SocketAddr::new(from.ip().to_canonical(), from.port())))
    }

    /// Sends a datagram without waiting, unless the system has no space for it.
    ///
    /// # Errors
    /// Fails with [`io::ErrorKind::WouldBlock`] and other errors. In all cases, the datagram is
    /// lost.
    pub fn send(&self, datagram: &[u8], to: SocketAddr) -> io::Result<usize> {
        let to = match to.ip() {
            IpAddr::V4(ip) if self.address.is_ipv6() => {
                SocketAddr::new(ip.to_ipv6_mapped().into(), to.port())
            }
            _ => to,
        };
        self.socket.try_send_to(datagram, to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::Runtime;

    #[test]
    fn a_port_of_ipv6_speaks_to_both_families() {
        let runtime = Runtime::start().unwrap();
        let open = |address: &str| {
            DatagramSocket::bind_or_next(runtime.handle(), address.parse().unwrap(), 0)
        };
        // A computer may have no IPv6 at all.
        let Ok(both) = open("[::]:0") else { return };
        let four = open("127.0.0.1:0").unwrap();
        let to = SocketAddr::from(([127, 0, 0, 1], both.local_addr().port()));
        runtime.block_on(async {
            let mut buffer = [0; 8];
            four.socket.writable().await.unwrap();
            four.send(b"there", to).unwrap();
            let (length, from) = both.receive(&mut buffer).await.unwrap();
            assert_eq!((&buffer[..length], from), (&b"there"[..], four.local_addr()));
            both.socket.writable().await.unwrap();
            both.send(b"back", from).unwrap();
            let (length, from) = four.receive(&mut buffer).await.unwrap();
            assert_eq!((&buffer[..length], from), (&b"back"[..], to));
        });
    }

    #[test]
    fn a_port_that_is_taken_moves_to_the_next() {
        let runtime = Runtime::start().unwrap();
        let any = "127.0.0.1:0".parse().unwrap();
        let first = DatagramSocket::bind_or_next(runtime.handle(), any, 0).unwrap();
        let taken = first.local_addr();
        assert!(DatagramSocket::bind_or_next(runtime.handle(), taken, 0).is_err());
        let next = DatagramSocket::bind_or_next(runtime.handle(), taken, 20).unwrap();
        assert!(next.local_addr().port() > taken.port());
    }
}
