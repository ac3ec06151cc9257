//! Sockets that a service manager opened for this process (systemd's socket activation,
//! `sd_listen_fds(3)`). A listener uses the socket with its address instead of a new one, so that
//! no client is refused while onair restarts.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use parking_lot::Mutex;
use socket2::{Socket, Type};

use crate::net::backend::inherited;

/// The sockets that no listener has taken yet.
static INHERITED_SOCKETS: Mutex<Vec<Socket>> = Mutex::new(Vec::new());

/// Takes over the sockets of the service manager, if there are any. Later calls find none.
pub fn adopt() {
    INHERITED_SOCKETS.lock().extend(inherited::sockets());
}

/// Returns true if a service manager opened sockets for this process.
pub fn are_passed() -> bool {
    std::env::var("LISTEN_PID").is_ok_and(|process| process == std::process::id().to_string())
}

/// Returns the addresses that no listener uses.
pub fn unused() -> Vec<SocketAddr> {
    INHERITED_SOCKETS.lock().iter().filter_map(address_of).collect()
}

/// Returns the socket for this address, if the service manager opened one.
pub(in crate::net) fn take(address: SocketAddr, kind: Type) -> Option<Socket> {
    let mut sockets = INHERITED_SOCKETS.lock();
    let fits = |socket: &Socket| {
        socket.r#type().is_ok_and(|it| it == kind)
            && (kind == Type::DGRAM || inherited::listens(socket))
            && address_of(socket).is_some_and(|it| serves(it, address))
    };
    let at = sockets.iter().position(fits)?;
    let socket = sockets.remove(at);
    socket.set_nonblocking(true).is_ok().then_some(socket)
}

fn address_of(socket: &Socket) -> Option<SocketAddr> {
    socket.local_addr().ok()?.as_socket()
}

/// Returns true if a socket at `own` serves clients of `wanted`. A socket for all IPv6 addresses
/// usually also serves IPv4 clients.
fn serves(own: SocketAddr, wanted: SocketAddr) -> bool {
    let everywhere = own.ip() == IpAddr::V6(Ipv6Addr::UNSPECIFIED) && wanted.ip().is_unspecified();
    own.port() == wanted.port() && (own.ip() == wanted.ip() || everywhere)
}

#[cfg(test)]
mod tests {
    use super::*;
    use socket2::{Domain, Protocol};

    #[test]
    fn a_listener_takes_the_socket_with_its_address() {
        let open = |kind, protocol| {
            let socket = Socket::new(Domain::IPV4, kind, Some(protocol)).unwrap();
            let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
            socket.bind(&any.into()).unwrap();
            socket
        };
        let stream = open(Type::STREAM, Protocol::TCP);
        stream.listen(4).unwrap();
        let datagrams = open(Type::DGRAM, Protocol::UDP);
        let [tcp, udp] = [&stream, &datagrams].map(|it| address_of(it).unwrap());
        // A connected socket, as from a unit with `Accept=yes`, is not for a listener.
        let connected = open(Type::STREAM, Protocol::TCP);
        let unfit = address_of(&connected).unwrap();
        INHERITED_SOCKETS.lock().extend([stream, datagrams, connected]);
        assert!(take(udp, Type::STREAM).is_none() || tcp == udp);
        assert!(take(unfit, Type::STREAM).is_none());
        let taken = take(tcp, Type::STREAM).unwrap();
        assert_eq!(address_of(&taken), Some(tcp));
        assert!(take(tcp, Type::STREAM).is_none());
        assert!(take(udp, Type::DGRAM).is_some());
        assert_eq!(unused(), [unfit]);
    }

    #[test]
    fn a_socket_of_all_addresses_serves_both_families() {
        let at = |text: &str| text.parse::<SocketAddr>().unwrap();
        assert!(serves(at("[::]:1935"), at("0.0.0.0:1935")));
        assert!(serves(at("0.0.0.0:1935"), at("0.0.0.0:1935")));
        assert!(!serves(at("0.0.0.0:1935"), at("127.0.0.1:1935")));
        assert!(!serves(at("[::]:1936"), at("[::]:1935")));
    }
}
