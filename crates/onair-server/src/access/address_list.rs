//! Lists of addresses and networks that are allowed or denied.

use std::net::IpAddr;

use crate::net::connect::network::Network;

/// The addresses that are allowed to perform an action.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AddressList {
    /// If not empty, only these addresses are allowed.
    pub allow: Vec<Network>,
    /// These addresses are denied, even if `allow` contains them.
    pub deny: Vec<Network>,
}

impl AddressList {
    /// Returns true if the address is allowed.
    pub fn admits(&self, address: IpAddr) -> bool {
        let is_in = |list: &[Network]| list.iter().any(|network| network.contains(address));
        !is_in(&self.deny) && (self.allow.is_empty() || is_in(&self.allow))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn networks(all: &[&str]) -> Vec<Network> {
        all.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn loopback_is_this_computer_only() {
        let list = AddressList { allow: Network::LOOPBACK.to_vec(), deny: Vec::new() };
        for (address, is_here) in [
            ("127.0.0.1", true),
            ("127.8.0.1", true),
            ("::ffff:127.0.0.1", true),
            ("::1", true),
            ("192.0.2.7", false),
            ("2001:db8::1", false),
        ] {
            assert_eq!(list.admits(address.parse().unwrap()), is_here, "{address}");
        }
    }

    #[test]
    fn what_is_denied_is_not_allowed() {
        let list = |allow: &[&str], deny: &[&str]| AddressList {
            allow: networks(allow),
            deny: networks(deny),
        };
        let here: IpAddr = "192.0.2.7".parse().unwrap();
        for (allow, deny, admitted) in [
            (&[][..], &[][..], true),
            (&["192.0.2.0/24"], &[], true),
            (&["198.51.100.0/24"], &[], false),
            (&[], &["192.0.2.0/24"], false),
            (&["192.0.2.7"], &["192.0.2.0/24"], false),
            (&["2001:db8::/32", "192.0.2.7"], &["198.51.100.0/24"], true),
        ] {
            assert_eq!(list(allow, deny).admits(here), admitted, "{allow:?} {deny:?}");
        }
    }
}
