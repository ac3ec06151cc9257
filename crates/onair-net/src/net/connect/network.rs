//! Networks of addresses (CIDR, RFC 4632 and RFC 4291 §2.3).

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use crate::text::problem::{Problem, problem};

/// The first byte of an IPv4 network's short form is this number plus the prefix. That of an IPv6 network is the
/// prefix, which is lower.
const FIRST_IPV4_BYTE: u8 = 129;

/// A network. A single address is a network that contains only this address.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    /// Number of leading bits that count.
    prefix: u8,
}

impl FromStr for Network {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Self, Problem> {
        let wrong = || problem!("serve-network");
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let most: u8 = if address.is_ipv4() { 32 } else { 128 };
        let prefix = match prefix {
            None => most,
            Some(prefix) if prefix.bytes().all(|it| it.is_ascii_digit()) => {
                prefix.parse().ok().filter(|prefix| *prefix <= most).ok_or_else(wrong)?
            }
            Some(_) => return Err(wrong()),
        };
        // Clients of a dual-stack socket have IPv4 addresses inside IPv6 (RFC 4291 §2.5.5.2).
        Ok(match address.to_canonical() {
            canonical @ IpAddr::V4(_) if address.is_ipv6() && prefix >= 96 => {
                Self { address: canonical, prefix: prefix - 96 }
            }
            _ => Self { address, prefix },
        })
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let most = if self.address.is_ipv4() { 32 } else { 128 };
        match self.prefix == most {
            true => write!(f, "{}", self.address),
            false => write!(f, "{}/{}", self.address, self.prefix),
        }
    }
}

impl Network {
    /// The addresses of this computer for itself (RFC 1122 §3.2.1.3 and RFC 4291 §2.5.3).
    pub const LOOPBACK: [Self; 2] = [
        Self { address: IpAddr::V4(Ipv4Addr::LOCALHOST), prefix: 8 },
        Self { address: IpAddr::V6(Ipv6Addr::LOCALHOST), prefix: 128 },
    ];

    /// Appends a short form of the network, of 5 or 17 bytes: a byte for the prefix and the kind of address, and then
    /// the address.
    pub fn write_bytes(&self, out: &mut Vec<u8>) {
        match self.address {
            IpAddr::V6(address) => {
                out.push(self.prefix);
                out.extend(address.octets());
            }
            IpAddr::V4(address) => {
                out.push(FIRST_IPV4_BYTE + self.prefix);
                out.extend(address.octets());
            }
        }
    }

    /// Reads a network from the start of its short form. Also returns the bytes after it. Returns `None` if the bytes
    /// are too short.
    pub fn split_bytes(bytes: &[u8]) -> Option<(Self, &[u8])> {
        let (&first, rest) = bytes.split_first()?;
        if let Some(prefix) = first.checked_sub(FIRST_IPV4_BYTE) {
            let (octets, rest) = rest.split_first_chunk::<4>()?;
            return Some((Self { address: Ipv4Addr::from(*octets).into(), prefix }, rest));
        }
        let (octets, rest) = rest.split_first_chunk::<16>()?;
        Some((Self { address: Ipv6Addr::from(*octets).into(), prefix: first }, rest))
    }

    /// Returns true if the address is in the network.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                let differ = u32::from(own) ^ u32::from(other);
                differ.leading_zeros() >= u32::from(self.prefix)
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => {
                let differ = u128::from(own) ^ u128::from(other);
                differ.leading_zeros() >= u32::from(self.prefix)
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_contain_what_begins_alike() {
        for (network, inside, outside) in [
            ("192.0.2.0/24", "192.0.2.255", "192.0.3.0"),
            ("192.0.2.7/24", "192.0.2.1", "192.0.1.7"),
            ("192.0.2.7", "192.0.2.7", "192.0.2.6"),
            ("192.0.2.7", "::ffff:192.0.2.7", "::ffff:192.0.2.6"),
            ("::ffff:192.0.2.0/120", "192.0.2.9", "192.0.3.9"),
            ("0.0.0.0/0", "203.0.113.1", "2001:db8::1"),
            ("2001:db8::/32", "2001:db8:ffff::1", "2001:db9::1"),
            ("2001:db8::1", "2001:db8::1", "2001:db8::2"),
            ("::/0", "2001:db8::1", "192.0.2.1"),
        ] {
            let parsed: Network = network.parse().unwrap();
            assert!(parsed.contains(inside.parse().unwrap()), "{network} {inside}");
            assert!(!parsed.contains(outside.parse().unwrap()), "{network} {outside}");
            assert_eq!(parsed.to_string().parse(), Ok(parsed), "{network}");
            let mut bytes = Vec::new();
            parsed.write_bytes(&mut bytes);
            assert!(bytes.len() <= 17 && Network::split_bytes(&bytes[1..]).is_none(), "{network}");
            bytes.push(7);
            assert_eq!(Network::split_bytes(&bytes), Some((parsed, &[7][..])), "{network}");
        }
        for wrong in ["", "192.0.2", "192.0.2.0/33", "192.0.2.0/", "192.0.2.0/+8", "::/129", "host"]
        {
            assert!(wrong.parse::<Network>().is_err(), "{wrong}");
        }
    }
}
