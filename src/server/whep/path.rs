//! The path of a datagram: UDP, or a TCP connection of the viewer.

use std::net::SocketAddr;
use std::sync::Arc;

use str0m::net::Protocol;
use tokio::sync::{Notify, mpsc};

/// Maximum number of packets that wait for a TCP connection. Further packets are lost, as on any
/// network.
const MAX_WAITING: usize = 1_024;

/// Where a datagram came from.
#[derive(Clone, Debug)]
pub(super) enum Path {
    Udp(SocketAddr),
    Tcp(Arc<TcpLink>),
}

impl Path {
    /// Returns the address of the viewer.
    pub fn peer(&self) -> SocketAddr {
        match self {
            Self::Udp(peer) => *peer,
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
    ended: Notify,
}

impl TcpLink {
    /// Creates a link and the queue of its connection.
    pub fn new(peer: SocketAddr) -> (Arc<Self>, mpsc::Receiver<Vec<u8>>) {
        let (packets, waiting) = mpsc::channel(MAX_WAITING);
        (Arc::new(Self { peer, packets, ended: Notify::new() }), waiting)
    }

    /// Sends a datagram with its length (RFC 4571). Returns `false` if the datagram is lost.
    pub fn send(&self, datagram: &[u8]) -> bool {
        let Ok(length) = u16::try_from(datagram.len()) else { return false };
        let mut packet = Vec::with_capacity(datagram.len() + 2);
        packet.extend_from_slice(&length.to_be_bytes());
        packet.extend_from_slice(datagram);
        self.packets.try_send(packet).is_ok()
    }

    /// Returns true if the connection is closed.
    pub fn is_over(&self) -> bool {
        self.packets.is_closed()
    }

    /// Closes the connection once it has sent all waiting packets.
    pub fn end(&self) {
        self.ended.notify_one();
    }

    /// Waits until the session has ended.
    pub async fn ended(&self) {
        self.ended.notified().await;
    }
}
