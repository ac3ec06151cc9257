//! The datagram sockets of a client: one for each local address, so that ICE knows the path of each
//! datagram.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::task::{Context, Poll};

use socket2::{Domain, Protocol, Socket, Type};
use str0m::change::SdpPendingOffer;
use tokio::io::ReadBuf;
use tokio::net::UdpSocket;

use crate::net::backend::interfaces::{ActiveInterface, present};
use crate::net::connect::bind::Bind;
use crate::net::network_changes;

/// Maximum number of local addresses. Each of them is checked with each address of the server.
const MAX_SOCKETS: usize = 8;
/// Size of the system's buffer in bytes, for the datagrams of a keyframe.
const SEND_BUFFER_BYTES: usize = 1 << 20;

/// A restart that the server has not answered.
pub(super) struct Restart {
    pub pending: SdpPendingOffer,
    /// The sockets of the new path. The old ones are used until the answer arrives.
    pub sockets: Sockets,
}

/// The open sockets.
#[derive(Debug)]
pub(super) struct Sockets {
    all: Vec<(SocketAddr, UdpSocket)>,
    /// The place at which the next search for a datagram begins, so that no socket waits forever.
    next: usize,
}

impl Sockets {
    /// Opens a socket at each address of this computer, with `loopback` also at those that only
    /// this computer reaches. `bind` limits the addresses.
    ///
    /// # Errors
    /// Fails with the last error if no socket opens.
    pub fn open(bind: Option<&Bind>, loopback: bool) -> io::Result<Self> {
        let mut all = Vec::new();
        let mut failure = io::Error::from(io::ErrorKind::AddrNotAvailable);
        for address in addresses(present(), bind, loopback) {
            match open(address, bind) {
                Ok(socket) => all.push((socket.local_addr()?, socket)),
                Err(error) => failure = error,
            }
            if all.len() >= MAX_SOCKETS {
                break;
            }
        }
        if all.is_empty() { Err(failure) } else { Ok(Self { all, next: 0 }) }
    }

    /// Returns the local addresses.
    pub fn addresses(&self) -> impl Iterator<Item = SocketAddr> {
        self.all.iter().map(|(address, _)| *address)
    }

    /// Returns true if the local address still exists on this computer, or if that is unknown.
    pub fn is_there(address: SocketAddr) -> bool {
        network_changes::is_own(address.ip())
    }

    /// Sends a datagram as soon as the system has space for it. A datagram that cannot be sent from
    /// this address is lost, as it could be on the way.
    pub fn poll_send(
        &self,
        cx: &mut Context<'_>,
        (from, to): (SocketAddr, SocketAddr),
        datagram: &[u8],
    ) -> Poll<()> {
        let Some((_, socket)) = self.all.iter().find(|(address, _)| *address == from) else {
            return Poll::Ready(());
        };
        socket.poll_send_to(cx, datagram, to).map(|_| ())
    }

    /// Sends a datagram now, or loses it.
    pub fn send_now(&self, (from, to): (SocketAddr, SocketAddr), datagram: &[u8]) {
        if let Some((_, socket)) = self.all.iter().find(|(address, _)| *address == from) {
            let _ = socket.try_send_to(datagram, to);
        }
    }

    /// Returns the length and the two addresses of the next datagram: the local one, and that of
    /// the sender.
    pub fn poll_receive(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<(usize, SocketAddr, SocketAddr)> {
        let count = self.all.len();
        for step in 0..count {
            let place = (self.next + step) % count.max(1);
            let Some((local, socket)) = self.all.get(place) else { continue };
            loop {
                let mut into = ReadBuf::new(buffer);
                match socket.poll_recv_from(cx, &mut into) {
                    Poll::Ready(Ok(from)) => {
                        let length = into.filled().len();
                        self.next = place + 1;
                        return Poll::Ready((length, *local, from));
                    }
                    // The system reports that an earlier datagram did not arrive.
                    Poll::Ready(Err(_)) => {}
                    Poll::Pending => break,
                }
            }
        }
        Poll::Pending
    }
}

/// Returns the local addresses for a connection, the most useful ones first.
fn addresses(found: Vec<ActiveInterface>, bind: Option<&Bind>, loopback: bool) -> Vec<IpAddr> {
    let own = [IpAddr::from(Ipv4Addr::LOCALHOST), IpAddr::from(Ipv6Addr::LOCALHOST)];
    let own = own.into_iter().filter(|_| loopback).map(|address| (None, address));
    let others = found.into_iter().filter_map(|it| Some((Some(it.interface), it.address?)));
    let is_link_local = |address: &IpAddr| match address {
        IpAddr::V4(address) => address.is_link_local(),
        // Such an address needs the interface besides.
        IpAddr::V6(address) => address.is_unicast_link_local(),
    };
    let mut all: Vec<IpAddr> = own
        .chain(others)
        .filter(|(interface, address)| match bind {
            Some(Bind::Address(wanted)) => wanted == address,
            Some(Bind::Interface(wanted)) => interface.as_ref() == Some(wanted),
            None => true,
        })
        .map(|(_, address)| address)
        .filter(|address| !is_link_local(address))
        .collect();
    // Nearly all servers have IPv4, and the order is otherwise that of the interfaces.
    all.sort_by_key(IpAddr::is_ipv6);
    all.dedup();
    if let Some(Bind::Address(wanted)) = bind
        && all.is_empty()
    {
        all.push(*wanted);
    }
    all
}

fn open(address: IpAddr, bind: Option<&Bind>) -> io::Result<UdpSocket> {
    let address = SocketAddr::new(address, 0);
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    socket.set_nonblocking(true)?;
    // The system may limit the size. A smaller buffer works too.
    let _ = socket.set_send_buffer_size(SEND_BUFFER_BYTES);
    if let Some(bind @ Bind::Interface(_)) = bind {
        bind.apply(&socket)?;
    }
    socket.bind(&address.into())?;
    UdpSocket::from_std(socket.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn on(interface: &str, address: &str) -> ActiveInterface {
        ActiveInterface { interface: interface.into(), address: address.parse().ok() }
    }

    #[test]
    fn local_addresses_are_those_that_a_server_can_reach() {
        let found = || {
            vec![
                on("eth0", "fe80::1"),
                on("eth0", "2001:db8::7"),
                on("eth0", "192.0.2.7"),
                on("wlan0", "169.254.1.1"),
                on("wlan0", "198.51.100.7"),
            ]
        };
        let texts = |bind: Option<&str>, loopback| -> Vec<String> {
            let bind = bind.map(|it| it.parse().unwrap());
            let all = addresses(found(), bind.as_ref(), loopback);
            all.iter().map(ToString::to_string).collect()
        };
        assert_eq!(texts(None, false), ["192.0.2.7", "198.51.100.7", "2001:db8::7"]);
        assert_eq!(texts(None, true)[0], "127.0.0.1");
        assert_eq!(texts(Some("wlan0"), true), ["198.51.100.7"]);
        assert_eq!(texts(Some("2001:db8::7"), true), ["2001:db8::7"]);
        // The system then says what is wrong with it.
        assert_eq!(texts(Some("203.0.113.9"), false), ["203.0.113.9"]);
    }
}
