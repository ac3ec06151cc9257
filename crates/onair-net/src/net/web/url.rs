//! Web addresses. Possible secrets (user, password, query) are never displayed.

use std::fmt;

use data_encoding::BASE64;
use percent_encoding::percent_decode_str;
use url::{Host, Url};

use crate::net::connect::Endpoint;
use crate::net::error::problem::UrlError;

/// Maximum length of an address in bytes.
pub(in crate::net) const MAX_URL_BYTES: usize = 8 << 10;

/// An `http`, `https`, `ws` or `wss` address.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct WebUrl(Url);

impl WebUrl {
    /// Returns true if the text begins like a web address.
    pub fn is_one(text: &str) -> bool {
        let scheme = text.split("://").next().unwrap_or_default();
        text.len() > scheme.len()
            && ["http", "https", "ws", "wss"].iter().any(|one| scheme.eq_ignore_ascii_case(one))
    }

    /// Parses an address.
    ///
    /// # Errors
    /// Returns the problem.
    pub fn parse(text: &str) -> Result<Self, UrlError> {
        if text.len() > MAX_URL_BYTES {
            return Err(UrlError::TooLong);
        }
        Self::checked(Url::parse(text.trim()).map_err(|_| UrlError::Unreadable)?)
    }

    /// Resolves a reference in a document at this address (RFC 3986, 5).
    ///
    /// # Errors
    /// Returns the problem.
    pub fn join(&self, reference: &str) -> Result<Self, UrlError> {
        if reference.len() > MAX_URL_BYTES {
            return Err(UrlError::TooLong);
        }
        let mut joined = self.0.join(reference).map_err(|_| UrlError::Unreadable)?;
        // User and password are kept only for their server, which may begin to use TLS.
        let is_upgrade = !self.is_secure()
            && matches!(joined.scheme(), "https" | "wss")
            && self.0.host() == joined.host()
            && (self.0.port(), joined.port()) == (None, None);
        if joined.username().is_empty() && (is_upgrade || self.0.origin() == joined.origin()) {
            let _ = joined.set_username(self.0.username());
            let _ = joined.set_password(self.0.password());
        }
        Self::checked(joined)
    }

    fn checked(url: Url) -> Result<Self, UrlError> {
        if !matches!(url.scheme(), "http" | "https" | "ws" | "wss") {
            return Err(UrlError::Scheme);
        }
        if url.host().is_none() || url.port_or_known_default().is_none_or(|port| port == 0) {
            return Err(UrlError::NoHost);
        }
        Ok(Self(url))
    }

    /// Returns the address of the built-in server's chat for a stream at this address:
    /// `ws://host/app/stream/chat` for `http://host/app/stream.flv` or `.m3u8`, and for the playlists
    /// in `/app/stream/hls/`. The query, such as a token, stays. Returns `None` if the path has another
    /// ending, or is that of a recording.
    pub fn chat(&self) -> Option<Self> {
        let path = self.0.path();
        let stream = match path.strip_suffix(".flv") {
            Some(stream) => stream,
            None => stream_of_playlist(path.strip_suffix(".m3u8")?),
        };
        if stream.starts_with("/vod/") {
            return None;
        }
        let path = format!("{stream}/chat");
        let mut chat = self.0.clone();
        let scheme = if self.is_secure() { "wss" } else { "ws" };
        // A change from one special scheme to another never fails.
        chat.set_scheme(scheme).ok()?;
        chat.set_path(&path);
        chat.set_fragment(None);
        Self::checked(chat).ok()
    }

    /// Adds these query parameters for an HLS server, in this order, and replaces existing
    /// parameters of this kind (`_HLS_…`, RFC 8216bis §6.2.5). All other parts of the address, such
    /// as a signature, stay unchanged.
    pub fn asking(&self, questions: &[(&str, String)]) -> Self {
        let kept = self.0.query().unwrap_or_default().split('&');
        let kept = kept.filter(|it| !it.is_empty() && !it.starts_with("_HLS_")).map(str::to_owned);
        let asked = questions.iter().map(|(name, value)| format!("{name}={value}"));
        let query: Vec<String> = kept.chain(asked).collect();
        let mut url = self.0.clone();
        url.set_query((!query.is_empty()).then(|| query.join("&")).as_deref());
        Self(url)
    }

    /// Returns true if the address uses TLS.
    pub fn is_secure(&self) -> bool {
        matches!(self.0.scheme(), "https" | "wss")
    }

    /// Returns true for a WebSocket address.
    pub fn is_websocket(&self) -> bool {
        matches!(self.0.scheme(), "ws" | "wss")
    }

    /// Returns true if the address contains user and password.
    pub fn has_credentials(&self) -> bool {
        !self.0.username().is_empty() || self.0.password().is_some()
    }

    /// Returns the path, percent-encoded.
    pub fn path(&self) -> &str {
        self.0.path()
    }

    /// Returns the last part of the path, percent-encoded.
    pub fn file_name(&self) -> &str {
        self.0.path().rsplit('/').next().unwrap_or_default()
    }

    /// Returns true if the address has a query, which can contain a token.
    pub fn has_query(&self) -> bool {
        self.0.query().is_some()
    }

    /// Returns the name or address of the server, without the brackets of IPv6.
    pub fn host(&self) -> &str {
        let host = self.0.host_str().unwrap_or_default();
        host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
    }

    /// Returns the port, if it is not the usual one of the scheme.
    pub fn explicit_port(&self) -> Option<u16> {
        self.0.port()
    }

    /// Returns the endpoint to connect to.
    pub fn endpoint(&self) -> Endpoint {
        let host = match self.0.host() {
            Some(Host::Domain(name)) => name.to_owned(),
            Some(Host::Ipv4(address)) => address.to_string(),
            Some(Host::Ipv6(address)) => address.to_string(),
            None => String::new(),
        };
        let port = self.0.port_or_known_default().unwrap_or(80);
        Endpoint { host, port, tls: self.is_secure() }
    }

    /// Returns the path and query for the request line.
    pub(super) fn target(&self) -> String {
        match self.0.query() {
            Some(query) => format!("{}?{query}", self.0.path()),
            None => self.0.path().to_owned(),
        }
    }

    /// Returns the server and port for the `Host` header.
    pub(super) fn authority(&self) -> String {
        let host = self.0.host_str().unwrap_or_default();
        self.0.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
    }

    /// Returns the user and password for the `Authorization` header (RFC 7617).
    pub(super) fn authorization(&self) -> Option<String> {
        if !self.has_credentials() {
            return None;
        }
        let mut pair: Vec<u8> = percent_decode_str(self.0.username()).collect();
        pair.push(b':');
        pair.extend(percent_decode_str(self.0.password().unwrap_or_default()));
        Some(format!("Basic {}", BASE64.encode(&pair)))
    }

    /// Returns the complete address, including possible secrets.
    pub fn whole(&self) -> String {
        self.0.to_string()
    }

    /// Returns the address without user and password, for the handshake of a WebSocket.
    pub(super) fn bare(&self) -> String {
        let mut bare = self.0.clone();
        let _ = bare.set_username("");
        let _ = bare.set_password(None);
        bare.set_fragment(None);
        bare.into()
    }
}

/// Returns the path of the stream that has a playlist at this path, which has no extension. On other
/// servers, `/hls` can be the whole application.
fn stream_of_playlist(path: &str) -> &str {
    let folder = path.rsplit_once('/').and_then(|(folder, _)| folder.strip_suffix("/hls"));
    folder.filter(|folder| folder.matches('/').count() > 1).unwrap_or(path)
}

/// Formats the address without user, password, query and fragment.
impl fmt::Display for WebUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}{}", self.0.scheme(), self.authority(), self.0.path())?;
        if self.0.query().is_some() { f.write_str("?***") } else { Ok(()) }
    }
}

impl fmt::Debug for WebUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WebUrl({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_chat_of_a_stream_is_beside_it() {
        for (stream, chat) in [
            ("http://a/live/x.flv?token=1#y", Some("ws://a/live/x/chat?***")),
            ("wss://a:8443/a/b/x%20y.flv", Some("wss://a:8443/a/b/x%20y/chat")),
            ("https://a/live/x.m3u8", Some("wss://a/live/x/chat")),
            ("https://a/live/x/hls/ts.m3u8?key=1", Some("wss://a/live/x/chat?***")),
            ("https://a/live/x/hls/main.m3u8", Some("wss://a/live/x/chat")),
            ("https://a/hls/x.m3u8", Some("wss://a/hls/x/chat")),
            ("https://a/live/hls/x.m3u8", Some("wss://a/live/hls/x/chat")),
            ("https://a/vod/x.m3u8", None),
            ("https://a/vod/x/hls/ts.m3u8", None),
            ("https://a/vod/x.flv", None),
            ("https://a/live/x.ts", None),
        ] {
            let found = WebUrl::parse(stream).unwrap().chat();
            assert_eq!(found.map(|it| it.to_string()).as_deref(), chat, "{stream}");
        }
    }

    #[test]
    fn addresses_come_apart_and_secrets_stay_hidden() {
        let url = WebUrl::parse("https://me:pa%20ss%zz@[::1]:8443/live/a.flv?token=secret#x");
        let url = url.unwrap();
        let endpoint = url.endpoint();
        assert_eq!((endpoint.host.as_str(), endpoint.port, endpoint.tls), ("::1", 8443, true));
        assert_eq!(url.target(), "/live/a.flv?token=secret");
        assert_eq!(url.authority(), "[::1]:8443");
        assert_eq!(url.to_string(), "https://[::1]:8443/live/a.flv?***");
        assert_eq!(
            url.authorization().unwrap(),
            format!("Basic {}", BASE64.encode(b"me:pa ss%zz"))
        );
        assert!(!format!("{url:?}").contains("pa"));
        assert_eq!(url.file_name(), "a.flv");
        let plain = WebUrl::parse("ws://host/x").unwrap();
        assert!(plain.is_websocket() && plain.endpoint().port == 80);
        assert_eq!((plain.authorization(), plain.authority().as_str()), (None, "host"));
    }

    #[test]
    fn references_are_joined_and_passwords_stay_at_home() {
        let base = WebUrl::parse("http://u:p@h:81/a/b.m3u8?q=1").unwrap();
        let join = |reference: &str| base.join(reference).unwrap();
        assert_eq!(join("c.ts").bare(), "http://h:81/a/c.ts");
        assert!(join("../c.ts").has_credentials());
        assert_eq!(join("/c.ts?x").bare(), "http://h:81/c.ts?x");
        assert!(!join("http://other/c.ts").has_credentials());
        assert!(!join("//h/c.ts").has_credentials(), "another port");
        assert!(!join("https://h/c.ts").has_credentials(), "another port");
        let plain = WebUrl::parse("http://u:p@h/a").unwrap();
        assert_eq!(plain.join("https://h/b").unwrap().authorization(), plain.authorization());
        for other in ["https://h:8443/b", "https://other/b", "http://h:81/b"] {
            assert!(!plain.join(other).unwrap().has_credentials(), "{other}");
        }
        let secure = WebUrl::parse("https://u:p@h/a").unwrap();
        assert!(!secure.join("http://h/b").unwrap().has_credentials());
        assert_eq!(base.join("file:///etc/passwd"), Err(UrlError::Scheme));
        assert_eq!(base.join("data:x"), Err(UrlError::Scheme));
    }

    #[test]
    fn nonsense_is_turned_down() {
        for (text, error) in [
            ("http://", UrlError::Unreadable),
            ("ftp://h/x", UrlError::Scheme),
            ("http://h:99999/", UrlError::Unreadable),
            ("http://h:0/", UrlError::NoHost),
            ("http:// /", UrlError::Unreadable),
        ] {
            assert_eq!(WebUrl::parse(text), Err(error), "{text}");
        }
        assert_eq!(
            WebUrl::parse(&format!("http://h/{}", "a".repeat(9_000))),
            Err(UrlError::TooLong)
        );
        assert!(WebUrl::is_one("HTTPS://h") && !WebUrl::is_one("httpx://h"));
        assert!(!WebUrl::is_one("http") && !WebUrl::is_one("file.flv"));
    }
}
