//! Which addresses belong to one subscriber of an Internet provider.

use std::net::{IpAddr, Ipv6Addr};

/// Returns the key of a subscriber: an IPv4 address, or a 64-bit IPv6 network.
pub fn subscriber(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) if !v6.is_loopback() => {
            IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX)))
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subscriber_of_ipv6_has_a_network() {
        let address = |text: &str| subscriber(text.parse().unwrap());
        assert_eq!(address("2001:db8::1"), address("2001:db8::ffff:1"));
        assert_ne!(address("2001:db8::1"), address("2001:db8:0:1::1"));
        assert_eq!(address("::ffff:192.0.2.1"), IpAddr::from([192, 0, 2, 1]));
        assert_eq!(address("::1"), "::1".parse::<IpAddr>().unwrap());
    }
}
