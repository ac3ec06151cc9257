//! The paths of datagrams: UDP, or a TCP connection of the viewer.

use std::net::SocketAddr;
use std::sync::Arc;

use str0m::net::{DatagramSend, Protocol};
use tokio::sync::mpsc;

use crate::net::webrtc::{DatagramSocket, UdpPath};

/// Maximum number of packets that wait for a TCP connection. Further packets are lost, as on any
/// network.
const MAX_WAITING_PACKETS: usize = 1_024;

/// The path on which a datagram arrived.
#[derive(Clone, Debug)]
pub(super) enum Path {
    Udp(UdpPath),
    Tcp(Arc<TcpLink>),
}

impl Path {
    /// Returns the address of the viewer.
    pub fn peer(&self) -> SocketAddr {
        match self {
            Self::Udp(path) => path.peer,
            Self::Tcp(link) => link.peer,
        }
    }

    pub fn protocol(&self) -> Protocol {
        match self {
            Self::Udp(_) => Protocol::Udp,
            Self::Tcp(_) => Protocol::Tcp,
        }
    }
}

/// A TCP connection of a viewer, as seen by the session.
#[derive(Debug)]
pub(super) struct TcpLink {
    pub peer: SocketAddr,
    packets: mpsc::Sender<Vec<u8>>,
}

impl TcpLink {
    /// Creates a link and the queue of its connection.
    pub fn new(peer: SocketAddr) -> (Arc<Self>, mpsc::Receiver<Vec<u8>>) {
        let (packets, waiting) = mpsc::channel(MAX_WAITING_PACKETS);
        (Arc::new(Self { peer, packets }), waiting)
    }

    /// Sends a datagram with its length (RFC 4571). Returns the number of bytes that were sent: 0 if the
    /// datagram is lost.
    pub fn send(&self, datagram: &[u8]) -> usize {
        let Ok(length) = u16::try_from(datagram.len()) else { return 0 };
        let mut packet = Vec::with_capacity(datagram.len() + 2);
        packet.extend_from_slice(&length.to_be_bytes());
        packet.extend_from_slice(datagram);
        self.packets.try_send(packet).map_or(0, |()| datagram.len())
    }

    /// Returns true if the connection is closed.
    pub fn is_over(&self) -> bool {
        self.packets.is_closed()
    }
}

/// Datagrams to the viewer over UDP that leave together, because a system call costs more than a
/// datagram. Only the datagrams of one wake-up can wait: while the socket is full, the session adds
/// none.
#[derive(Debug)]
pub(super) struct Outgoing {
    socket: Arc<DatagramSocket>,
    to: Option<UdpPath>,
    waiting: Vec<DatagramSend>,
}

impl Outgoing {
    pub fn new(socket: Arc<DatagramSocket>) -> Self {
        Self { socket, to: None, waiting: Vec::new() }
    }

    pub fn socket(&self) -> &Arc<DatagramSocket> {
        &self.socket
    }

    /// Adds a datagram, and returns the number of bytes that were sent. If an address changes, datagrams that still
    /// wait for the old one are lost, as on any network.
    pub fn push(&mut self, datagram: DatagramSend, to: UdpPath) -> usize {
        let mut sent = 0;
        if self.to != Some(to) {
            sent = self.flush();
            self.waiting.clear();
            self.to = Some(to);
        }
        self.waiting.push(datagram);
        sent
    }

    /// Sends a datagram before the waiting ones, and returns the number of bytes that were sent. If
    /// the system has no room, the datagram is lost, as on any network.
    pub fn send_now(&self, datagram: &[u8], to: UdpPath) -> usize {
        self.socket.send(datagram, to).unwrap_or(0)
    }

    /// Sends the waiting datagrams, and returns the number of bytes that were sent.
    pub fn flush(&mut self) -> usize {
        let Some(to) = self.to else { return 0 };
        let sent = self.socket.send_all(&self.waiting, to);
        self.waiting.drain(..sent.count.min(self.waiting.len()));
        sent.bytes
    }

    /// Returns true if the system has no room for more datagrams now.
    pub fn is_full(&self) -> bool {
        !self.waiting.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::Runtime;

    #[test]
    fn datagrams_for_an_address_leave_before_those_for_the_next() {
        let runtime = Runtime::start().unwrap();
        let open = || {
            let address = "127.0.0.1:0".parse().unwrap();
            Arc::new(DatagramSocket::bind_or_next(runtime.handle(), address, 0).unwrap())
        };
        let (near, first, second) = (open(), open(), open());
        let mut outgoing = Outgoing::new(near);
        let mut buffer = [0; 8];
        runtime.block_on(async {
            outgoing.push(vec![1; 3].into(), first.local_addr().into());
            // The runtime learns late that a new socket has room.
            while outgoing.flush() == 0 {
                assert!(outgoing.is_full());
                tokio::task::yield_now().await;
            }
            assert_eq!(outgoing.push(vec![2; 3].into(), first.local_addr().into()), 0, "it waits");
            assert_eq!(outgoing.push(vec![3; 3].into(), second.local_addr().into()), 3);
            for byte in [1, 2] {
                let (length, _) = first.receive(&mut buffer).await.unwrap();
                assert_eq!(buffer[..length], [byte; 3]);
            }
            assert!(outgoing.is_full());
            assert_eq!((outgoing.flush(), outgoing.flush()), (3, 0));
            assert!(!outgoing.is_full());
            let (length, _) = second.receive(&mut buffer).await.unwrap();
            assert_eq!(buffer[..length], [3; 3]);
        });
    }
}
