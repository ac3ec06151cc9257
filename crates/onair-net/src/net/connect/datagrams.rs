//! Sends datagrams to one address, which can be a multicast group. There is no connection: the
//! system reports only what it knows itself, such as a missing route or, for unicast, that nothing
//! listens on the port.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::task::{Context, Poll};

use socket2::{Domain, Protocol, Socket, Type};
use tokio::io::ReadBuf;
use tokio::net::UdpSocket;

use crate::net::connect::bind::Bind;
use crate::net::connect::{Endpoint, Options, found};
use crate::net::error::{Cause, ConnectStage, Error, ProxyProblem, Step};
use crate::net::network_changes;
use crate::platform::errors;
use crate::text::problem::{Problem, problem};

/// Size of the system's buffer in bytes, for the datagrams of a large frame.
const SEND_BUFFER_BYTES: usize = 1 << 20;

/// The options of a socket for datagrams.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DatagramOptions {
    /// For multicast, the number of networks that datagrams may pass through; `None` means only the
    /// local one.
    pub ttl: Option<u8>,
    /// The local address, which for multicast also determines the network interface.
    pub local: Option<IpAddr>,
    /// True if the local port has the same number as the receiver's.
    pub same_port: bool,
}

/// The sender of datagrams to one address.
#[derive(Debug)]
pub struct DatagramSender {
    socket: UdpSocket,
    to: SocketAddr,
    peer: String,
}

impl DatagramSender {
    /// Looks up the host, and opens a socket. Sends nothing.
    ///
    /// # Errors
    /// Fails with the stage and the cause.
    pub async fn open(
        endpoint: &Endpoint,
        wanted: &DatagramOptions,
        options: &Options,
        on_step: &(dyn Fn(Step<'_>) + Send + Sync),
    ) -> Result<Self, Error> {
        let peer = endpoint.to_string();
        let fail = |cause| Error { stage: ConnectStage::Dns, cause, peer: peer.clone() };
        on_step(Step::Stage(ConnectStage::Dns));
        if let Some(proxy) = options.proxy.as_ref().filter(|proxy| proxy.serves(&endpoint.host)) {
            let reason = problem!("net-proxy-no-datagrams");
            return Err(fail(proxy.cause(ProxyProblem::Refused(reason))));
        }
        let addresses = found(&endpoint.host, endpoint.port, options.dns_limit).await;
        let addresses = addresses.map_err(fail)?;
        let bind = wanted.local.map(Bind::Address).or_else(|| options.bind.clone());
        let fits = |to: &&SocketAddr| bind.as_ref().is_none_or(|bind| bind.fits(to));
        let Some(to) = addresses.iter().find(fits).copied() else {
            let from = bind.as_ref().map(ToString::to_string).unwrap_or_default();
            return Err(fail(Cause::Bind { from, reason: problem!("net-bind-family") }));
        };
        let opened = match wanted.same_port {
            true => from_same_port(to, bind.as_ref()),
            false => socket_for(to, wanted.ttl, bind.as_ref()),
        };
        let socket = opened.map_err(|error| {
            let own = error.get_ref().and_then(|inner| inner.downcast_ref::<Problem>());
            fail(match (own, &bind) {
                (Some(reason), bind) => {
                    let from =
                        bind.as_ref().map_or_else(|| to.port().to_string(), |it| it.to_string());
                    Cause::Bind { from, reason: reason.clone() }
                }
                _ if !network_changes::leads_to(to.ip()) => Cause::NoNetwork,
                _ => Cause::from_io(&error),
            })
        })?;
        Ok(Self { socket, to, peer })
    }

    /// Returns the receiver as `host:port`.
    pub fn peer(&self) -> &str {
        &self.peer
    }

    /// Sends a datagram, as soon as the system has space for it.
    ///
    /// # Errors
    /// Fails with the system's error. The datagram is lost.
    pub fn poll_send(&self, cx: &mut Context<'_>, datagram: &[u8]) -> Poll<io::Result<usize>> {
        self.socket.poll_send(cx, datagram)
    }

    /// Receives a datagram from the other side, and returns its length. A longer datagram is cut.
    ///
    /// # Errors
    /// Fails with the system's error, for example if nothing listens on the other side.
    pub fn poll_receive(
        &self,
        cx: &mut Context<'_>,
        datagram: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let mut buffer = ReadBuf::new(datagram);
        self.socket.poll_recv(cx, &mut buffer).map_ok(|()| buffer.filled().len())
    }

    /// Returns true if only this datagram, or an earlier one, is lost: nothing listens on the port
    /// yet, or a queue of the system is full.
    pub fn is_passing(error: &io::Error) -> bool {
        error.kind() == io::ErrorKind::ConnectionRefused || errors::is_full_queue(error)
    }

    /// Returns true if this computer has a network route to the receiver, or if that is unknown.
    pub fn has_way(&self) -> bool {
        network_changes::leads_to(self.to.ip())
    }

    /// Returns true if the local address still exists on this computer, or if that is unknown.
    pub fn is_local_there(&self) -> bool {
        self.socket.local_addr().map_or(true, |local| network_changes::is_own(local.ip()))
    }

    /// Returns true if the receiver is on this computer.
    pub fn is_within_machine(&self) -> bool {
        self.to.ip().to_canonical().is_loopback()
    }
}

/// A port that waits for datagrams from anybody.
#[derive(Debug)]
pub struct DatagramPort(UdpSocket);

impl DatagramPort {
    /// Opens a port of this computer. An empty host means all addresses of IPv4.
    ///
    /// # Errors
    /// Fails with the stage and the cause.
    pub async fn open(
        endpoint: &Endpoint,
        options: &Options,
        on_step: &(dyn Fn(Step<'_>) + Send + Sync),
    ) -> Result<Self, Error> {
        let peer = endpoint.to_string();
        let fail = |cause| Error { stage: ConnectStage::Dns, cause, peer: peer.clone() };
        on_step(Step::Stage(ConnectStage::Dns));
        let address = match endpoint.host.as_str() {
            "" => SocketAddr::from(([0, 0, 0, 0], endpoint.port)),
            host => {
                let found = found(host, endpoint.port, options.dns_limit).await.map_err(fail)?;
                *found.first().ok_or_else(|| fail(Cause::NoSuchHost))?
            }
        };
        let socket = UdpSocket::bind(address).await.map_err(|error| {
            let reason = match error.kind() {
                io::ErrorKind::AddrInUse => problem!("net-bind-port-taken"),
                io::ErrorKind::AddrNotAvailable => problem!("net-bind-no-address"),
                _ => Problem::from(&Cause::from_io(&error)),
            };
            fail(Cause::Bind { from: address.to_string(), reason })
        })?;
        Ok(Self(socket))
    }

    /// Receives a datagram. A longer one is cut.
    ///
    /// # Errors
    /// Fails with the system's error.
    pub async fn receive(&self, datagram: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        self.0.recv_from(datagram).await
    }

    /// Sends a datagram.
    ///
    /// # Errors
    /// Fails with the system's error. The datagram is lost.
    pub async fn send(&self, datagram: &[u8], to: SocketAddr) -> io::Result<usize> {
        self.0.send_to(datagram, to).await
    }

    /// Returns the socket for this other side alone.
    ///
    /// # Errors
    /// Fails with the system's error.
    pub async fn only(self, to: SocketAddr) -> io::Result<DatagramSender> {
        self.0.connect(to).await?;
        Ok(DatagramSender { socket: self.0, to, peer: to.to_string() })
    }
}

/// Opens a socket whose own port has the number of the other port. Errors that contain a [`Problem`]
/// are about the local side.
fn from_same_port(to: SocketAddr, bind: Option<&Bind>) -> io::Result<UdpSocket> {
    // The system chooses the address from which it reaches the other side.
    let way = socket_for(to, None, bind)?;
    let local = SocketAddr::new(way.local_addr()?.ip(), to.port());
    drop(way);
    let socket = Socket::new(Domain::for_address(to), Type::DGRAM, Some(Protocol::UDP))?;
    socket.set_nonblocking(true)?;
    let _ = socket.set_send_buffer_size(SEND_BUFFER_BYTES);
    socket.bind(&local.into()).map_err(|error| match error.kind() {
        io::ErrorKind::AddrInUse => io::Error::new(error.kind(), problem!("net-bind-port-taken")),
        _ => error,
    })?;
    socket.connect(&to.into())?;
    UdpSocket::from_std(socket.into())
}

/// Opens a socket that sends to this address. Errors that contain a [`Problem`] are about the local
/// side.
fn socket_for(to: SocketAddr, ttl: Option<u8>, bind: Option<&Bind>) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(to), Type::DGRAM, Some(Protocol::UDP))?;
    socket.set_nonblocking(true)?;
    // The system may limit the size. A smaller buffer works too.
    let _ = socket.set_send_buffer_size(SEND_BUFFER_BYTES);
    if let Some(bind) = bind {
        bind.apply(&socket)?;
    }
    if to.ip().is_multicast() {
        let hops = u32::from(ttl.unwrap_or(1));
        match (to, bind) {
            (SocketAddr::V4(_), Some(Bind::Address(IpAddr::V4(local)))) => {
                socket.set_multicast_ttl_v4(hops)?;
                socket.set_multicast_if_v4(local)?;
            }
            (SocketAddr::V4(_), _) => socket.set_multicast_ttl_v4(hops)?,
            (SocketAddr::V6(_), _) => socket.set_multicast_hops_v6(hops)?,
        }
    } else if to.is_ipv4() {
        // Without this option, the system refuses the broadcast address of a network.
        socket.set_broadcast(true)?;
    }
    socket.connect(&to.into())?;
    UdpSocket::from_std(socket.into())
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::net::Ipv4Addr;
    use std::time::Duration;

    use super::*;
    use crate::net::Runtime;

    fn open(
        runtime: &Runtime,
        (host, port): (&str, u16),
        wanted: &DatagramOptions,
        options: &Options,
    ) -> Result<DatagramSender, Box<Error>> {
        let endpoint = Endpoint { host: host.to_owned(), port, tls: false };
        let opened = DatagramSender::open(&endpoint, wanted, options, &|_| {});
        runtime.block_on(opened).map_err(Box::new)
    }

    #[test]
    fn a_multicast_group_gets_datagrams_from_the_chosen_interface() {
        let runtime = Runtime::start().unwrap();
        let group = Ipv4Addr::new(239, 255, 77, 1);
        let receiver = std::net::UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).unwrap();
        receiver.join_multicast_v4(&group, &Ipv4Addr::LOCALHOST).unwrap();
        receiver.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let port = receiver.local_addr().unwrap().port();
        let local = IpAddr::from(Ipv4Addr::LOCALHOST);
        let wanted = DatagramOptions { ttl: Some(3), local: Some(local), ..Default::default() };
        let to = (group.to_string(), port);
        let sender = open(&runtime, (&to.0, to.1), &wanted, &Options::default()).unwrap();
        assert_eq!(sender.peer(), format!("{group}:{port}"));
        assert!(sender.is_local_there());
        let socket = socket2::SockRef::from(&sender.socket);
        assert_eq!(socket.multicast_ttl_v4().unwrap(), 3);
        runtime.block_on(poll_fn(|cx| sender.poll_send(cx, b"hello"))).unwrap();
        let mut bytes = [0; 16];
        let (length, from) = receiver.recv_from(&mut bytes).unwrap();
        assert_eq!((&bytes[..length], from.ip()), (&b"hello"[..], local));
    }

    #[test]
    fn a_local_side_that_cannot_be_used_is_the_cause() {
        let runtime = Runtime::start().unwrap();
        let cause = |local: &str, options: &Options| {
            let local = local.parse().ok();
            let wanted = DatagramOptions { local, ..DatagramOptions::default() };
            open(&runtime, ("127.0.0.1", 9), &wanted, options).unwrap_err().cause
        };
        let none = Options::default();
        assert!(matches!(cause("192.0.2.7", &none), Cause::Bind { .. }));
        assert!(matches!(cause("::1", &none), Cause::Bind { .. }));
        let bind = "none0".parse().ok();
        assert!(matches!(cause("", &Options { bind, ..none }), Cause::Bind { .. }));
    }

    #[test]
    fn a_proxy_for_the_host_is_a_problem_because_it_carries_no_datagrams() {
        let runtime = Runtime::start().unwrap();
        let proxy = "socks5://127.0.0.1:1".parse().ok();
        let options = Options { proxy, ..Options::default() };
        let wanted = DatagramOptions::default();
        let error = open(&runtime, ("receiver.invalid", 9), &wanted, &options).unwrap_err();
        let refused = |it: &ProxyProblem| matches!(it, ProxyProblem::Refused(_));
        assert!(
            matches!(&error.cause, Cause::Proxy { problem, .. } if refused(problem)),
            "{error}"
        );
    }
}
