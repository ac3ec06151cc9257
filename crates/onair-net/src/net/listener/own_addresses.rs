//! The addresses of this computer in its networks, at which other computers can reach a listening
//! socket.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

use crate::net::backend::interfaces;

/// The name prefixes of interfaces that lead only to containers and virtual machines on this
/// computer.
const INTERNAL_INTERFACE_PREFIXES: [&str; 6] = ["br-", "docker", "lxc", "veth", "virbr", "vnet"];

/// An address of this computer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct OwnAddress {
    /// The name of the interface; empty if unknown.
    pub interface: String,
    pub ip: IpAddr,
}

impl OwnAddress {
    /// Returns true if computers anywhere on the internet can use the address, which means that the
    /// address is not from a range for private networks.
    pub fn is_public(&self) -> bool {
        match self.ip {
            IpAddr::V4(ip) => {
                let shared = ip.octets()[0] == 100 && ip.octets()[1] & 0b1100_0000 == 64;
                !(ip.is_private() || ip.is_link_local() || ip.is_documentation() || shared)
            }
            IpAddr::V6(ip) => !(ip.is_unique_local() || ip.is_unicast_link_local()),
        }
    }

    fn is_inner(&self) -> bool {
        INTERNAL_INTERFACE_PREFIXES.iter().any(|prefix| self.interface.starts_with(prefix))
    }
}

/// Returns all addresses of this computer, without loopback and without addresses that need the
/// name of an interface (IPv6 link-local). The address that other computers most likely reach comes
/// first.
pub fn own_addresses() -> Vec<OwnAddress> {
    let present = interfaces::present().into_iter().filter_map(|it| {
        let ip = it.address.filter(|ip| !ip.is_loopback() && !is_link_local(*ip))?;
        Some(OwnAddress { interface: it.interface, ip })
    });
    in_order(present.collect(), routed())
}

/// Returns the IPv4 address that other computers most likely reach. Returns `None` if there is no
/// network, or if an IPv6 address is more likely.
pub fn main_address() -> Option<IpAddr> {
    own_addresses().first().map(|it| it.ip).filter(IpAddr::is_ipv4)
}

/// Returns the address at which other computers reach a socket that listens at `listens`. For a
/// socket that listens on all addresses, the result is the most likely address or, without a
/// network, loopback.
pub fn reached_at(listens: SocketAddr) -> SocketAddr {
    let ip = match listens.ip() {
        ip if !ip.is_unspecified() => ip,
        _ => main_address().unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST)),
    };
    SocketAddr::new(ip, listens.port())
}

fn is_link_local(ip: IpAddr) -> bool {
    matches!(ip, IpAddr::V6(ip) if Ipv6Addr::is_unicast_link_local(&ip))
}

/// Sorts the addresses: the address of the default route is first, and IPv4 precedes IPv6. Within a
/// family, addresses in networks that lead beyond this computer are first.
fn in_order(mut all: Vec<OwnAddress>, routed: Option<IpAddr>) -> Vec<OwnAddress> {
    if let Some(ip) = routed.filter(|ip| all.iter().all(|it| it.ip != *ip)) {
        all.push(OwnAddress { interface: String::new(), ip });
    }
    all.sort_by_key(|it| (Some(it.ip) != routed, it.ip.is_ipv6(), it.is_inner()));
    all
}

/// Returns the local IPv4 address of packets to the internet. This function only looks up the
/// route, and sends nothing.
fn routed() -> Option<IpAddr> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
    // An address of the documentation networks (RFC 5737).
    socket.connect((Ipv4Addr::new(192, 0, 2, 1), 9)).ok()?;
    let ip = socket.local_addr().ok()?.ip();
    Some(ip).filter(|ip| !ip.is_loopback() && !ip.is_unspecified())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own(interface: &str, ip: &str) -> OwnAddress {
        OwnAddress { interface: interface.to_owned(), ip: ip.parse().unwrap() }
    }

    #[test]
    fn the_way_to_the_world_is_first_and_containers_are_last() {
        let docker = own("docker0", "172.17.0.1");
        let wired = own("eth0", "192.168.1.20");
        let six = own("eth0", "2001:db8::5");
        let radio = own("wlan0", "10.0.0.7");
        let all = vec![docker.clone(), wired.clone(), six.clone(), radio.clone()];
        let sorted = in_order(all.clone(), Some(radio.ip));
        assert_eq!(sorted, [radio.clone(), wired.clone(), docker.clone(), six.clone()]);
        assert_eq!(in_order(all, None), [wired, radio, docker, six]);
        // If the interfaces are unknown, the route provides one address.
        assert_eq!(in_order(Vec::new(), own("", "10.0.0.7").ip.into()), [own("", "10.0.0.7")]);
        assert!(in_order(Vec::new(), None).is_empty());
    }

    #[test]
    fn public_addresses_are_distinguished_from_private_ones() {
        for private in ["192.168.1.2", "10.1.1.1", "172.16.0.1", "100.64.0.1", "fd00::1"] {
            assert!(!own("eth0", private).is_public(), "{private}");
        }
        for public in ["203.1.113.7", "100.128.0.1", "2a01::1"] {
            assert!(own("eth0", public).is_public(), "{public}");
        }
    }

    #[test]
    fn a_socket_on_one_address_is_reached_there() {
        let at = |text: &str| -> SocketAddr { text.parse().unwrap() };
        assert_eq!(reached_at(at("127.0.0.1:80")), at("127.0.0.1:80"));
        let everywhere = reached_at(at("0.0.0.0:80"));
        assert!(!everywhere.ip().is_unspecified() && everywhere.port() == 80, "{everywhere}");
    }
}
