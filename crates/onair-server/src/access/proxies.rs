//! Proxies that may name the addresses of their clients. This module is pure.

use std::net::IpAddr;
use std::str::FromStr;

use crate::base::named;
use crate::net::connect::network::Network;
use crate::text::problem::{Problem, problem};

/// Maximum number of addresses that are read from the header.
const MAX_HOPS: usize = 32;

named! {
    /// The header in which proxies name their client. Any other header could come from the client itself.
    #[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
    pub enum ProxyHeader {
        #[default]
        XForwardedFor = "x-forwarded-for",
        /// RFC 7239.
        Forwarded = "forwarded",
    }
    /// Returns the name of the HTTP header.
    fn name;
}

impl ProxyHeader {
    /// Returns the addresses in a value, the client's first. `None` means a hidden or invalid address.
    fn addresses(self, value: &str) -> impl DoubleEndedIterator<Item = Option<IpAddr>> {
        value.split(',').map(move |hop| match self {
            Self::XForwardedFor => address(hop.trim()),
            Self::Forwarded => {
                let pairs = hop.split(';').filter_map(|pair| pair.split_once('='));
                let mut pairs = pairs.filter(|(name, _)| name.trim().eq_ignore_ascii_case("for"));
                pairs.next().and_then(|(_, node)| address(node.trim().trim_matches('"')))
            }
        })
    }
}

impl FromStr for ProxyHeader {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Self, Problem> {
        let all = [Self::XForwardedFor, Self::Forwarded];
        let known = all.into_iter().find(|header| text.eq_ignore_ascii_case(header.name()));
        known.ok_or_else(|| problem!("value-none-of", known = "x-forwarded-for, forwarded"))
    }
}

/// Parses an address, with or without a port.
fn address(text: &str) -> Option<IpAddr> {
    let text = match text.strip_prefix('[') {
        Some(rest) => rest.split_once(']')?.0,
        // An IPv6 address has more than one colon.
        None if text.matches(':').count() == 1 => text.split_once(':')?.0,
        None => text,
    };
    text.parse().ok().map(|address: IpAddr| address.to_canonical())
}

/// The proxies that may name the addresses of their clients.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProxyRules {
    pub trusted: Vec<Network>,
    pub header: ProxyHeader,
    /// True if RTMP connections from trusted proxies begin with a header of the PROXY protocol. If the server
    /// guessed this, clients of another proxy could write the header themselves.
    pub protocol: bool,
}

impl ProxyRules {
    /// Returns true if this address is that of a trusted proxy.
    pub fn is_trusted(&self, address: IpAddr) -> bool {
        self.trusted.iter().any(|network| network.contains(address))
    }

    /// Returns the address of a client: the last address that is not a trusted proxy's. `peer` is the address of
    /// the connection, and `values` are the header's values in order. The client may have made up earlier addresses.
    pub fn client<'a>(
        &self,
        peer: IpAddr,
        values: impl DoubleEndedIterator<Item = &'a str>,
    ) -> IpAddr {
        let mut client = peer;
        let hops = values.rev().flat_map(|value| self.header.addresses(value).rev());
        for hop in hops.take(MAX_HOPS) {
            match hop {
                Some(hop) if self.is_trusted(client) => client = hop,
                _ => break,
            }
        }
        client
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_client_is_the_last_address_that_is_no_proxy() {
        let trusted = ["127.0.0.0/8", "10.0.0.0/8", "2001:db8:1::/48"];
        let rules = |header| ProxyRules {
            trusted: trusted.iter().map(|it| it.parse().unwrap()).collect(),
            header,
            protocol: false,
        };
        use ProxyHeader::{Forwarded, XForwardedFor};
        for (header, peer, values, client) in [
            (XForwardedFor, "127.0.0.1", &["203.0.113.5"][..], "203.0.113.5"),
            (XForwardedFor, "127.0.0.1", &["203.0.113.5:4711"], "203.0.113.5"),
            (XForwardedFor, "127.0.0.1", &["2001:db8::7"], "2001:db8::7"),
            (XForwardedFor, "127.0.0.1", &["[2001:db8::7]:4711"], "2001:db8::7"),
            // The client has made up an address.
            (XForwardedFor, "127.0.0.1", &["10.9.9.9, 203.0.113.5"], "203.0.113.5"),
            (XForwardedFor, "127.0.0.1", &["192.0.2.1", "203.0.113.5"], "203.0.113.5"),
            // Two proxies.
            (XForwardedFor, "::ffff:127.0.0.1", &["203.0.113.5, 10.0.0.7"], "203.0.113.5"),
            (XForwardedFor, "127.0.0.1", &["203.0.113.5", "2001:db8:1::2"], "203.0.113.5"),
            (XForwardedFor, "127.0.0.1", &["10.0.0.7"], "10.0.0.7"),
            (XForwardedFor, "127.0.0.1", &[], "127.0.0.1"),
            (XForwardedFor, "127.0.0.1", &["unknown"], "127.0.0.1"),
            (XForwardedFor, "127.0.0.1", &["203.0.113.5, , 10.0.0.7"], "10.0.0.7"),
            // Anybody can send the header.
            (XForwardedFor, "192.0.2.66", &["203.0.113.5"], "192.0.2.66"),
            (Forwarded, "127.0.0.1", &["for=203.0.113.5;proto=https"], "203.0.113.5"),
            (Forwarded, "127.0.0.1", &["proto=http; For=\"[2001:db8::7]:4711\""], "2001:db8::7"),
            (
                Forwarded,
                "127.0.0.1",
                &["for=10.9.9.9, for=203.0.113.5, for=10.0.0.7"],
                "203.0.113.5",
            ),
            (Forwarded, "127.0.0.1", &["for=_hidden"], "127.0.0.1"),
            (Forwarded, "127.0.0.1", &["for=203.0.113.5, by=10.0.0.7"], "127.0.0.1"),
        ] {
            let found = rules(header).client(peer.parse().unwrap(), values.iter().copied());
            assert_eq!(
                found.to_canonical(),
                client.parse::<IpAddr>().unwrap(),
                "{peer} {values:?}"
            );
        }
        let long = vec!["10.0.0.7"; 10_000].join(",");
        let end =
            rules(XForwardedFor).client("10.0.0.1".parse().unwrap(), [long.as_str()].into_iter());
        assert_eq!(end.to_string(), "10.0.0.7");
        assert_eq!("Forwarded".parse(), Ok(Forwarded));
        assert!("via".parse::<ProxyHeader>().is_err());
    }
}
