//! The address to which a stream is published. The scheme determines the protocol and its driver;
//! the rest of onair uses only the common parts.

use std::fmt;

use crate::base::Secret;
use crate::wire::rtmp::url::{self, Error, Url};

/// An address to publish to. Neither `Display` nor `Debug` shows the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TargetUrl {
    /// `rtmp`, `rtmps`, `rtmpt` and `rtmpts`.
    Rtmp(Url),
}

impl TargetUrl {
    /// Parses an address, and its key, if the key is separate.
    ///
    /// # Errors
    /// Fails with the problem for the user, which never contains the key.
    pub fn parse(text: &str, key: Option<&Secret>) -> Result<Self, Error> {
        let url = match key {
            Some(key) => Url::with_key(text, key.expose()),
            None => Url::parse(text),
        };
        url.and_then(Url::require_stream).map(Self::Rtmp)
    }

    /// Returns the name or address of the server, without the brackets of IPv6.
    pub fn host(&self) -> &str {
        let Self::Rtmp(url) = self;
        &url.host
    }

    /// Returns the server's port.
    pub fn port(&self) -> u16 {
        let Self::Rtmp(url) = self;
        url.port
    }

    /// Returns the host and the port, even if the address does not contain the port. IPv6 addresses
    /// are in brackets.
    pub fn host_and_port(&self) -> String {
        url::authority(self.host(), self.port())
    }

    /// Returns the host, and the port unless it is the scheme's default. IPv6 addresses are in
    /// brackets.
    pub fn authority(&self) -> String {
        let Self::Rtmp(url) = self;
        url.authority()
    }

    /// Returns the address with the name of the stream, for servers whose stream names are not
    /// secret.
    pub fn display_with_name(&self) -> String {
        let Self::Rtmp(url) = self;
        url.display_with_name()
    }

    /// Returns the address of the same stream with this query added, such as the query of a
    /// service's test mode.
    #[must_use]
    pub fn with_query(&self, query: &str) -> Self {
        let Self::Rtmp(url) = self;
        let name = url.stream.expose();
        let joint = if name.contains('?') { '&' } else { '?' };
        let stream = Secret::new(format!("{name}{joint}{query}"));
        Self::Rtmp(Url { stream, ..url.clone() })
    }

    /// Returns the address of another stream of the same application, without the key.
    #[must_use]
    pub fn with_stream(&self, name: &str) -> Self {
        let Self::Rtmp(url) = self;
        Self::Rtmp(Url { stream: Secret::new(name), ..url.clone() })
    }
}

impl From<Url> for TargetUrl {
    fn from(url: Url) -> Self {
        Self::Rtmp(url)
    }
}

impl fmt::Display for TargetUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Rtmp(url) = self;
        url.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_shown_without_its_key_and_asked_to_test_with_it() {
        let key = Secret::new("live_1?backup=1");
        let url = TargetUrl::parse("rtmps://[::1]/app", Some(&key)).unwrap();
        assert_eq!((url.host(), url.port()), ("::1", 443));
        assert_eq!((url.authority(), url.host_and_port()), ("[::1]".into(), "[::1]:443".into()));
        let shown = format!("{url} {url:?}");
        assert!(!shown.contains("live_1"), "{shown}");
        let TargetUrl::Rtmp(tested) = url.with_query("bandwidthtest=true");
        assert_eq!(tested.stream.expose(), "live_1?backup=1&bandwidthtest=true");
        let TargetUrl::Rtmp(other) = url.with_stream("other");
        assert_eq!((&*other.app, other.stream.expose()), ("app", "other"));
        assert_eq!(TargetUrl::parse("rtmp://h/app", None), Err(Error::NoStream));
        assert!(matches!(TargetUrl::parse("srt://h/app/k", None), Err(Error::Scheme(_))));
    }
}
