//! The addresses of WHIP endpoints: `whip://` and `whips://`, and the same with `http://` and
//! `https://`, as services show them.

use std::fmt;

use crate::base::Secret;
use crate::base::sanitize::is_harmless;
use crate::broadcast::protocol::address::AddressError;
use crate::net::web::WebUrl;
use crate::text::Problem;
use crate::text::problem::problem;
use crate::wire::rtmp::url::MAX_URL_LENGTH;

/// The words by which a web address is taken for that of an endpoint, and not of a page.
const ENDPOINT_WORDS: [&str; 2] = ["whip", "webrtc"];
/// A part of a path that is at least this long, and has letters and digits only, can be a key.
const MIN_KEY_LENGTH: usize = 20;

/// A WHIP endpoint.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct WhipAddress {
    pub url: WebUrl,
    /// The bearer token.
    pub token: Option<Secret>,
    /// True if the address was written with `http` or `https`.
    is_web: bool,
}

impl WhipAddress {
    /// Parses an address, and its token.
    pub fn parse(text: &str, token: Option<&Secret>) -> Result<Self, AddressError> {
        let address = |problem| AddressError::Address(problem);
        let text = text.trim();
        if text.len() > MAX_URL_LENGTH {
            return Err(address(problem!("url-too-long", bytes = MAX_URL_LENGTH)));
        }
        if text.chars().any(|c| c.is_whitespace() || !is_harmless(c)) {
            return Err(address(problem!("url-character")));
        }
        let (scheme, rest) =
            text.split_once("://").ok_or_else(|| address(problem!("url-no-scheme")))?;
        let scheme = scheme.to_ascii_lowercase();
        let is_web = scheme.starts_with("http");
        let web = if scheme.ends_with('s') { "https" } else { "http" };
        let url = WebUrl::parse(&format!("{web}://{rest}"));
        let url = url.map_err(|error| address(Problem::from(&error)))?;
        if matches!(url.path(), "" | "/") {
            return Err(AddressError::Address(problem!("url-whip-no-path")));
        }
        let token = token.map(|token| token.expose().trim()).filter(|token| !token.is_empty());
        if let Some(token) = token {
            check(token)?;
        }
        let whole = Self { url, token: token.map(Secret::new), is_web };
        let words = whole.to_string().to_ascii_lowercase();
        if is_web && !ENDPOINT_WORDS.iter().any(|word| words.contains(word)) {
            let problem = problem!("url-scheme", scheme = &scheme);
            return Err(address(problem.with_cure(problem!("url-instead-of-web"))));
        }
        Ok(whole)
    }

    /// Returns the scheme as the name of the protocol.
    pub fn scheme(&self) -> &'static str {
        if self.url.is_secure() { "whips" } else { "whip" }
    }

    /// Returns true if the address itself contains something that can be a secret.
    pub fn has_secret(&self) -> bool {
        self.url.has_query() || self.url.has_credentials() || has_key(self.url.path())
    }

    /// Returns the same endpoint at another URL, with this token.
    pub fn at(&self, url: WebUrl, token: Option<Secret>) -> Self {
        Self { url, token, is_web: self.is_web }
    }
}

/// Checks a token, which becomes a part of a header.
fn check(token: &str) -> Result<(), AddressError> {
    if token.len() > MAX_URL_LENGTH {
        return Err(AddressError::Key(problem!("url-key-too-long", bytes = MAX_URL_LENGTH)));
    }
    if token.contains(char::is_whitespace) {
        return Err(AddressError::Key(problem!("url-key-space")));
    }
    if !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(AddressError::Key(problem!("url-key-character")));
    }
    Ok(())
}

/// Returns true if a part of a path can be a key.
fn is_key(part: &str) -> bool {
    let is_of_key = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~%".contains(&byte);
    part.len() >= MIN_KEY_LENGTH
        && part.bytes().all(is_of_key)
        && part.bytes().any(|byte| byte.is_ascii_digit())
}

fn has_key(path: &str) -> bool {
    path.split('/').any(is_key)
}

/// Formats the address without its secrets.
impl fmt::Display for WhipAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self.url.to_string();
        let (web, rest) = shown.split_once("://").unwrap_or_default();
        let scheme = if self.is_web { web } else { self.scheme() };
        let parts: Vec<&str> =
            rest.split('/').map(|part| if is_key(part) { "***" } else { part }).collect();
        write!(f, "{scheme}://{}", parts.join("/"))
    }
}

impl fmt::Debug for WhipAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WhipAddress({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> WhipAddress {
        WhipAddress::parse(text, None).unwrap()
    }

    #[test]
    fn addresses_of_endpoints_are_shown_without_their_secrets() {
        for (typed, shown, scheme, has_secret) in [
            (" whip://h:8088/live/a/whip ", "whip://h:8088/live/a/whip", "whip", false),
            ("WHIPS://H/live/a/whip", "whips://h/live/a/whip", "whips", false),
            ("https://h/live/a/whip?token=x", "https://h/live/a/whip?***", "whips", true),
            ("whips://me:pw@h/rtc/v1/whip/", "whips://h/rtc/v1/whip/", "whips", true),
            (
                "http://[::1]:1985/rtc/v1/whip/?app=a",
                "http://[::1]:1985/rtc/v1/whip/?***",
                "whip",
                true,
            ),
            (
                "https://h.example/0a1b2c3d4e5f60718293a4b5/webRTC/publish",
                "https://h.example/***/webRTC/publish",
                "whips",
                true,
            ),
        ] {
            let address = parse(typed);
            assert_eq!(address.to_string(), shown);
            assert_eq!((address.scheme(), address.has_secret()), (scheme, has_secret), "{typed}");
        }
    }

    #[test]
    fn a_token_is_checked_and_never_shown() {
        let url = "whips://h/live/a/whip";
        let address = WhipAddress::parse(url, Some(&" planted ".into())).unwrap();
        assert_eq!(address.token.as_ref().map(Secret::expose), Some("planted"));
        assert!(!format!("{address} {address:?}").contains("planted"));
        assert_ne!(address, parse(url));
        assert!(WhipAddress::parse(url, Some(&" ".into())).unwrap().token.is_none());
        for bad in ["two words", "a\r\nX: y", "caf\u{e9}"] {
            let error = WhipAddress::parse(url, Some(&bad.into())).unwrap_err();
            assert!(matches!(error, AddressError::Key(_)), "{bad}");
        }
    }

    #[test]
    fn what_is_wrong_with_an_address_is_named() {
        for (typed, id) in [
            ("whip://h", "url-whip-no-path"),
            ("whip://h/", "url-whip-no-path"),
            ("https://studio.example/live", "url-scheme"),
            ("https://studio.example/live?x=whip", "url-scheme"),
            ("whip://h/a b", "url-character"),
            ("whip://", "net-url-unreadable"),
            ("whip://h:0/whip", "net-url-no-host"),
        ] {
            let AddressError::Address(problem) = WhipAddress::parse(typed, None).unwrap_err()
            else {
                panic!("{typed}");
            };
            assert_eq!(problem.id(), id, "{typed}");
        }
    }
}
