//! The ICE candidates of an offer (RFC 8839 §5.1): where a peer may be reached over UDP.

use std::net::{IpAddr, SocketAddr};

/// Maximum number of addresses of an offer. A browser has a few for each network and each TURN server.
pub const MAX_CANDIDATES: usize = 16;

/// Returns the different UDP addresses in an offer, in its order. Names of the local network (`.local`) are ignored,
/// like addresses that no peer can have.
pub fn udp_addresses(offer: &str) -> Vec<SocketAddr> {
    let mut found = Vec::new();
    let lines = offer.lines().filter_map(|line| line.trim().strip_prefix("a=candidate:"));
    for address in lines.filter_map(address) {
        if found.len() < MAX_CANDIDATES && !found.contains(&address) {
            found.push(address);
        }
    }
    found
}

/// Reads `foundation component transport priority address port typ …`.
fn address(line: &str) -> Option<SocketAddr> {
    let mut words = line.split_ascii_whitespace().skip(2);
    let transport = words.next()?;
    let ip: IpAddr = words.nth(1)?.parse().ok()?;
    let port: u16 = words.next()?.parse().ok()?;
    let ip = ip.to_canonical();
    let is_broadcast = matches!(ip, IpAddr::V4(ip) if ip.is_broadcast());
    let is_usable = port > 0
        && !ip.is_unspecified()
        && !ip.is_multicast()
        // Nothing of this computer is a peer beyond a router.
        && !ip.is_loopback()
        && !is_broadcast;
    (transport.eq_ignore_ascii_case("udp") && is_usable).then(|| SocketAddr::new(ip, port))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_offer_names_the_addresses_of_its_peer() {
        let offer = "v=0\r\na=candidate:1 1 udp 2122260223 192.168.1.7 50000 typ host generation 0\r\n\
            a=candidate:2 1 UDP 1 203.0.113.9 50001 typ srflx raddr 192.168.1.7 rport 50000\r\n\
            a=candidate:2 1 UDP 1 203.0.113.9 50001 typ srflx raddr 192.168.1.7 rport 50000\r\n\
            a=candidate:3 1 tcp 1 192.168.1.7 9 typ host tcptype active\r\n\
            a=candidate:4 1 udp 1 f3a1.local 50000 typ host\r\n\
            a=candidate:5 1 udp 1 2001:db8::7 50000 typ relay\r\n\
            a=candidate:6 1 udp 1 255.255.255.255 5 typ host\r\n\
            a=candidate:7 1 udp 1 224.0.0.1 5 typ host\r\n\
            a=candidate:8 1 udp 1 0.0.0.0 5 typ host\r\n\
            a=candidate:8 1 udp 1 127.0.0.1 5 typ host\r\n\
            a=candidate:9 1 udp 1 192.0.2.1 0 typ host\r\n\
            a=candidate:9 1 udp\r\n";
        let found: Vec<String> = udp_addresses(offer).iter().map(ToString::to_string).collect();
        assert_eq!(found, ["192.168.1.7:50000", "203.0.113.9:50001", "[2001:db8::7]:50000"]);
    }

    #[test]
    fn a_flood_of_addresses_is_cut_off() {
        let line = |port: u32| format!("a=candidate:1 1 udp 1 192.0.2.1 {port} typ host\n");
        let offer: String = (1..1_000).map(line).collect();
        assert_eq!(udp_addresses(&offer).len(), MAX_CANDIDATES);
    }

    proptest! {
        #[test]
        fn any_text_is_looked_at(text in "(a=candidate:[0-9a-z .:]{0,60}\n){0,4}.{0,40}") {
            prop_assert!(udp_addresses(&text).len() <= MAX_CANDIDATES);
        }
    }
}
