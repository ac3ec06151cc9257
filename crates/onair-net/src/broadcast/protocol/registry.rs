//! All protocols, by the schemes of their addresses.

use crate::base::Secret;
use crate::broadcast::protocol::address::{AddressError, TargetAddress, TargetProtocol};
use crate::broadcast::protocol::rtmp::Rtmp;
use crate::broadcast::protocol::srt::Srt;
use crate::broadcast::protocol::ts::Ts;
use crate::broadcast::protocol::whip::Whip;

/// The protocols. The first one explains addresses of unknown schemes.
const PROTOCOLS: [&dyn TargetProtocol; 4] = [&Rtmp, &Srt, &Ts, &Whip];

/// Returns the protocol of an address.
fn protocol_of(text: &str) -> &'static dyn TargetProtocol {
    let scheme = text.trim_start().split("://").next().unwrap_or_default();
    let is_its = |protocol: &&&'static dyn TargetProtocol| {
        protocol.schemes().iter().any(|its| its.eq_ignore_ascii_case(scheme))
    };
    let [first, ..] = &PROTOCOLS;
    *PROTOCOLS.iter().find(is_its).unwrap_or(first)
}

impl TargetAddress {
    /// Parses an address, and its key, if the key is separate.
    ///
    /// # Errors
    /// Fails with the problem for the user, which never contains the key.
    pub fn parse(text: &str, key: Option<&Secret>) -> Result<Self, AddressError> {
        protocol_of(text).parse(text, key)
    }

    /// Returns true if the text has the scheme of a protocol.
    pub fn is_known(text: &str) -> bool {
        let scheme = text.split("://").next().unwrap_or_default();
        let mut all = PROTOCOLS.iter().flat_map(|protocol| protocol.schemes());
        text.contains("://") && all.any(|its| its.eq_ignore_ascii_case(scheme))
    }

    /// Returns true if addresses like this text can have a stream key or a passphrase.
    pub fn needs_key(text: &str) -> bool {
        protocol_of(text).needs_key()
    }

    /// Returns true if addresses like this text are of no use without a stream key.
    pub fn requires_key(text: &str) -> bool {
        protocol_of(text).requires_key()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_with_a_key_is_shown_without_it_and_tested_with_it() {
        let key = Secret::new("live_1?backup=1");
        let url = TargetAddress::parse("rtmps://[::1]/app", Some(&key)).unwrap();
        assert_eq!((url.host(), url.port()), ("::1", 443));
        assert_eq!((url.authority(), url.host_and_port()), ("[::1]".into(), "[::1]:443".into()));
        let shown = format!("{url} {url:?}");
        assert!(!shown.contains("live_1"), "{shown}");
        let tested = url.with_query("bandwidthtest=true").unwrap();
        let tested = tested.as_rtmp().unwrap();
        assert_eq!(tested.stream.expose(), "live_1?backup=1&bandwidthtest=true");
        let other = url.with_stream("other").unwrap();
        let other = other.as_rtmp().unwrap();
        assert_eq!((&*other.app, other.stream.expose()), ("app", "other"));
        let parse = |text| TargetAddress::parse(text, None);
        assert!(matches!(parse("rtmp://h/app"), Err(AddressError::NoKey(_))));
        assert!(matches!(parse("rtmp://h"), Err(AddressError::NoApplication(_))));
        assert!(matches!(parse("srt://h/app/k"), Err(AddressError::Address(_))));
        assert!(matches!(
            TargetAddress::parse("rtmp://h/app", Some(&"two words".into())),
            Err(AddressError::Key(_))
        ));
    }
}
