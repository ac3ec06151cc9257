//! RTMP URLs (`rtmp`, `rtmps`, `rtmpt`, `rtmpts`): a complete one, or a server's URL with a
//! separate key.
//!
//! Clients split a path differently. Here the last segment of a complete URL is the stream (its
//! key), with the whole query after it, and the rest is the app. With a separate key, the whole
//! path is the app. A query *inside* the path (`app?vhost=x/stream`) stays in the app. Nothing is
//! percent-decoded: services compare the text byte for byte.

use std::fmt;

use percent_encoding::percent_decode_str;

use crate::base::Secret;
use crate::base::sanitize::is_harmless;

/// Transport of the protocol.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// Plain TCP, port 1935.
    Rtmp,
    /// TLS, port 443.
    Rtmps,
    /// HTTP requests, port 80.
    Rtmpt,
    /// HTTP requests inside TLS, port 443.
    Rtmpts,
}

impl Scheme {
    /// Returns the name in a URL.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rtmp => "rtmp",
            Self::Rtmps => "rtmps",
            Self::Rtmpt => "rtmpt",
            Self::Rtmpts => "rtmpts",
        }
    }

    /// Returns the default port.
    pub const fn default_port(self) -> u16 {
        match self {
            Self::Rtmp => 1935,
            Self::Rtmpt => 80,
            Self::Rtmps | Self::Rtmpts => 443,
        }
    }

    /// Returns true if the scheme uses TLS.
    pub const fn is_secure(self) -> bool {
        matches!(self, Self::Rtmps | Self::Rtmpts)
    }

    /// Returns true if the scheme uses HTTP requests.
    pub const fn is_tunnel(self) -> bool {
        matches!(self, Self::Rtmpt | Self::Rtmpts)
    }
}

/// The address of a stream. Neither `Display` nor `Debug` shows the key.
#[derive(Clone, PartialEq, Eq)]
pub struct Url {
    pub scheme: Scheme,
    /// Name or address, without the brackets of IPv6.
    pub host: String,
    pub port: u16,
    /// True if the URL has a port. Otherwise the default port of the scheme applies.
    pub names_port: bool,
    /// The application, without slashes at its ends. It may contain slashes and a query.
    pub app: String,
    /// The stream name with its query, which may be empty.
    pub stream: Secret,
    /// Name and password before an `@`, for servers that require them.
    pub credentials: Option<Credentials>,
}

/// Name and password of a URL, percent-decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    pub user: String,
    pub password: Secret,
}

/// The reason why a text is not an RTMP URL. The messages never contain the URL, because it may
/// contain a key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("the URL is empty")]
    Empty,
    #[error("the URL does not begin with rtmp:// or rtmps://")]
    NoScheme,
    #[error("{0}:// is not supported")]
    Scheme(String),
    #[error("the URL has no server name")]
    NoHost,
    #[error("an IPv6 address needs brackets: use rtmp://[::1]/app/key")]
    Brackets,
    #[error("the port '{0}' is not a number from 1 to 65535")]
    Port(String),
    /// The user name or password contains `/` or `?`.
    #[error("write / as %2F and ? as %3F in the user name and password")]
    Unescaped,
    #[error("the URL has no application: use rtmp://server/app/key")]
    NoApp,
    #[error("the URL has no stream key: use rtmp://server/app/key")]
    NoStream,
    #[error("the URL contains a space or an invisible character")]
    Character,
    #[error("the URL is longer than {MAX_URL_LENGTH} bytes")]
    TooLong,
    /// The separate key contains a space.
    #[error("the stream key contains a space")]
    KeySpace,
    /// The separate key contains an invisible character.
    #[error("the stream key contains an invisible character")]
    KeyCharacter,
    #[error("the stream key is longer than {MAX_URL_LENGTH} bytes")]
    KeyTooLong,
}

/// Maximum length of a URL, and of a separate key.
pub const MAX_URL_LENGTH: usize = 4_096;

impl Url {
    /// Parses a complete URL: `rtmp[s]://[user:password@]host[:port]/app[/…]/stream[?query]`. A URL
    /// with a single path segment has no stream; see [`Url::require_stream`].
    ///
    /// # Errors
    /// Fails with a problem for the user.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let (mut url, path) = Self::authority_of(text)?;
        let (app, stream) = split(path);
        url.app = app.trim_matches('/').to_owned();
        url.stream = Secret::new(stream);
        if url.app.is_empty() || url.app.starts_with('?') { Err(Error::NoApp) } else { Ok(url) }
    }

    /// Combines a server's URL, whose whole path is the app, with its key. Spaces around the key
    /// (from pasting) are removed.
    ///
    /// # Errors
    /// Fails with a problem for the user.
    pub fn with_key(server: &str, key: &str) -> Result<Self, Error> {
        let (mut url, path) = Self::authority_of(server)?;
        let key = key.trim().trim_start_matches('/');
        check_key(key)?;
        url.app = path.trim_matches('/').to_owned();
        url.stream = Secret::new(key);
        if url.app.is_empty() || url.app.starts_with('?') { Err(Error::NoApp) } else { Ok(url) }
    }

    /// Resolves a server's redirection: the same stream at this URL. User and password are kept
    /// only for the same host. Returns `None` if the text is not an RTMP URL, or leads from a
    /// secure connection to an insecure one.
    pub fn redirected(&self, target: &str) -> Option<Self> {
        let url = Self::with_key(target, self.stream.expose()).ok()?;
        if self.scheme.is_secure() && !url.scheme.is_secure() {
            return None;
        }
        // This may be a redirection to the complete stream instead of the application.
        let key = self.stream.expose();
        let (name, key_query) = key.split_once('?').unwrap_or((key, ""));
        let (path, query) = url.app.split_once('?').unwrap_or((url.app.as_str(), ""));
        let app = match (folder_of(&url.app, name), folder_of(path, name)) {
            (Some(app), _) => app.to_owned(),
            (None, Some(app)) if query.is_empty() || query == key_query => app.to_owned(),
            (None, Some(app)) => format!("{app}?{query}"),
            (None, None) => url.app,
        };
        let own = url.host.eq_ignore_ascii_case(&self.host);
        let credentials = self.credentials.clone().filter(|_| own);
        // A new secret would hide the name of a client's stream in events.
        Some(Self { app, credentials, stream: self.stream.clone(), ..url })
    }

    /// Resolves the address of a reconnect request (Enhanced RTMP v2, "Reconnect Request"), which
    /// may be relative to the current address `now`. Without a reference, the address is `now`.
    /// `self` is the user's original URL, and the rules are those of
    /// [`redirected`](Self::redirected).
    pub fn asked_to(&self, now: &Self, reference: Option<&str>) -> Option<Self> {
        let reference = reference.map(str::trim).filter(|it| !it.is_empty());
        let Some(reference) = reference else { return Some(now.clone()) };
        let here = || format!("{}://{}", now.scheme.as_str(), now.authority());
        let whole = if reference.contains("://") {
            reference.to_owned()
        } else if let Some(rest) = reference.strip_prefix("//") {
            format!("{}://{rest}", now.scheme.as_str())
        } else if reference.starts_with('/') {
            format!("{}{reference}", here())
        } else {
            // Relative to the last part of the application (RFC 3986 §5.2.3).
            let app = now.app.split('?').next().unwrap_or_default();
            let folder = app.rsplit_once('/').map_or(String::new(), |(it, _)| format!("{it}/"));
            format!("{}/{folder}{reference}", here())
        };
        self.redirected(&whole)
    }

    /// Returns `self` if it has a stream.
    ///
    /// # Errors
    /// Fails with [`Error::NoStream`].
    pub fn require_stream(self) -> Result<Self, Error> {
        if self.stream.is_empty() { Err(Error::NoStream) } else { Ok(self) }
    }

    /// Parses a URL from the scheme to the port. Also returns the unparsed path.
    fn authority_of(text: &str) -> Result<(Self, &str), Error> {
        let text = text.trim();
        if text.is_empty() {
            return Err(Error::Empty);
        }
        check_characters(text)?;
        let (scheme, rest) = text.split_once("://").ok_or(Error::NoScheme)?;
        let scheme = match scheme.to_ascii_lowercase().as_str() {
            "rtmp" => Scheme::Rtmp,
            "rtmps" => Scheme::Rtmps,
            "rtmpt" => Scheme::Rtmpt,
            "rtmpts" => Scheme::Rtmpts,
            other if other.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'+') => {
                return Err(Error::Scheme(other.to_owned()));
            }
            _ => return Err(Error::NoScheme),
        };
        let (authority, path) = match rest.find(['/', '?']) {
            Some(at) => rest.split_at(at),
            None => (rest, ""),
        };
        let (credentials, host, port) =
            split_authority(authority).map_err(|error| match error {
                // The port may be a part of the password, which messages must not contain.
                Error::Port(_) if path.contains('@') => Error::Unescaped,
                error => error,
            })?;
        let names_port = port.is_some();
        let port = port.unwrap_or(scheme.default_port());
        let url = Self {
            scheme,
            host: host.to_owned(),
            port,
            names_port,
            app: String::new(),
            stream: Secret::default(),
            credentials,
        };
        Ok((url, path))
    }

    /// Returns the host, and the port if it is not the default. An IPv6 address is in brackets.
    pub fn authority(&self) -> String {
        let host =
            if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        if self.port == self.scheme.default_port() { host } else { format!("{host}:{}", self.port) }
    }

    /// Returns the `tcUrl` of connect: everything except the stream and the credentials.
    pub fn tc_url(&self) -> String {
        format!("{}://{}/{}", self.scheme.as_str(), self.authority(), self.app)
    }

    /// Returns the complete URL with the stream name, for the built-in server, whose names are not
    /// secret.
    pub fn display_with_name(&self) -> String {
        let slash = if self.stream.is_empty() { "" } else { "/" };
        // A key may follow the name.
        let name = self.stream.expose().split('?').next().unwrap_or_default();
        format!("{}{slash}{name}", self.tc_url())
    }

    /// Removes the key and the password from `text` (a message of a server), even if the text
    /// repeats only the stream name or one value of the key's query.
    pub fn redact(&self, text: &str) -> String {
        let key = self.stream.expose();
        let mut clean = self.stream.redact(text);
        let (name, query) = key.split_once('?').unwrap_or((key, ""));
        let values = query.split('&').map(|pair| pair.split_once('=').map_or(pair, |(_, v)| v));
        for part in std::iter::once(name).chain(values).filter(|part| part.len() >= 4) {
            clean = clean.replace(part, "***");
        }
        match &self.credentials {
            Some(credentials) => credentials.password.redact(&clean),
            None => clean,
        }
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let app = match self.app.split_once('?') {
            Some((app, _)) => format!("{app}?***"),
            None => self.app.clone(),
        };
        write!(f, "{}://{}/{app}", self.scheme.as_str(), self.authority())?;
        if self.stream.is_empty() { Ok(()) } else { f.write_str("/***") }
    }
}

impl fmt::Debug for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Url({self})")
    }
}

impl Credentials {
    fn parse(user_info: &str) -> Self {
        let (user, password) = user_info.split_once(':').unwrap_or((user_info, ""));
        let decoded = |text| percent_decode_str(text).decode_utf8_lossy().into_owned();
        Self { user: decoded(user), password: Secret::new(decoded(password)) }
    }
}

fn check_characters(text: &str) -> Result<(), Error> {
    if text.len() > MAX_URL_LENGTH {
        Err(Error::TooLong)
    } else if text.chars().any(|c| c.is_whitespace() || is_invisible(c)) {
        Err(Error::Character)
    } else {
        Ok(())
    }
}

/// Returns true for control characters, and for the characters without width that web pages and chat
/// programs add to copied texts. Joiners of letters and emoji are allowed.
fn is_invisible(c: char) -> bool {
    !is_harmless(c) || matches!(c, '\u{200B}' | '\u{2060}')
}

fn check_key(key: &str) -> Result<(), Error> {
    check_characters(key).map_err(|error| match error {
        Error::Character if key.contains(char::is_whitespace) => Error::KeySpace,
        Error::Character => Error::KeyCharacter,
        _ => Error::KeyTooLong,
    })
}

/// Returns `host:port`, with an IPv6 address in brackets.
pub fn authority(host: &str, port: u16) -> String {
    if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
}

/// Parses `[user:password@]host[:port]`. An IPv6 address is in brackets, which are removed.
///
/// # Errors
/// Fails if the text is invalid.
pub fn split_authority(text: &str) -> Result<(Option<Credentials>, &str, Option<u16>), Error> {
    let (credentials, authority) = match text.rsplit_once('@') {
        Some((user_info, authority)) => (Some(Credentials::parse(user_info)), authority),
        None => (None, text),
    };
    let (host, port) = split_port(authority)?;
    let port = match port {
        None | Some("") => None,
        Some(digits) => match digits.parse::<u16>() {
            Ok(port) if port > 0 => Some(port),
            _ => return Err(Error::Port(digits.to_owned())),
        },
    };
    if host.is_empty() { Err(Error::NoHost) } else { Ok((credentials, host, port)) }
}

fn split_port(authority: &str) -> Result<(&str, Option<&str>), Error> {
    if let Some(rest) = authority.strip_prefix('[') {
        let (host, after) = rest.split_once(']').ok_or(Error::Brackets)?;
        if host.parse::<std::net::Ipv6Addr>().is_err() {
            return Err(Error::Brackets);
        }
        return match (after.is_empty(), after.strip_prefix(':')) {
            (true, _) => Ok((host, None)),
            (false, Some(port)) => Ok((host, Some(port))),
            (false, None) => Err(Error::Brackets),
        };
    }
    match authority.split_once(':') {
        None => Ok((authority, None)),
        Some((_, port)) if port.contains(':') => Err(Error::Brackets),
        Some((host, port)) => Ok((host, Some(port))),
    }
}

/// Splits a pasted path into app and stream. The stream begins after the last slash before the
/// query. Only if that leaves no app, a slash inside the query separates the two.
fn split(path: &str) -> (&str, &str) {
    let path = path.strip_prefix('/').unwrap_or(path);
    let plain = path.split_once('?').map_or(path, |(plain, _)| plain);
    match plain.rfind('/') {
        Some(at) => cut(path, at),
        None if plain.len() < path.len() => match path.rfind('/') {
            Some(at) => cut(path, at),
            None => (path, ""),
        },
        None => (path, ""),
    }
}

/// Returns the part of a path before its last segment, if that segment is `name`.
fn folder_of<'a>(path: &'a str, name: &str) -> Option<&'a str> {
    path.trim_end_matches('/').strip_suffix(name)?.strip_suffix('/')
}

fn cut(path: &str, at: usize) -> (&str, &str) {
    let (app, stream) = path.split_at(at);
    (app, stream.strip_prefix('/').unwrap_or(stream))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(url: &str) -> (String, u16, String, String) {
        let url = Url::parse(url).unwrap();
        (url.host.clone(), url.port, url.app.clone(), url.stream.expose().to_owned())
    }

    fn expect(host: &str, port: u16, app: &str, stream: &str) -> (String, u16, String, String) {
        (host.into(), port, app.into(), stream.into())
    }

    #[test]
    fn pasted_urls_come_apart() {
        assert_eq!(parts("rtmp://a.b/live/key"), expect("a.b", 1935, "live", "key"));
        assert_eq!(
            parts(" RTMPS://a.b/x/y/k?t=1&u=a/b "),
            expect("a.b", 443, "x/y", "k?t=1&u=a/b")
        );
        assert_eq!(parts("rtmp://[::1]:19/a/k"), expect("::1", 19, "a", "k"));
        assert_eq!(parts("rtmp://h/a?vhost=v/k"), expect("h", 1935, "a?vhost=v", "k"));
        assert_eq!(parts("rtmp://h/live/"), expect("h", 1935, "live", ""));
        assert_eq!(parts("rtmp://h/live"), expect("h", 1935, "live", ""));
        assert_eq!(parts("rtmpt://h/live/k"), expect("h", 80, "live", "k"));
        assert_eq!(parts("rtmpts://[::1]/live/k"), expect("::1", 443, "live", "k"));
        assert_eq!(parts("rtmp://h/live/?k=v"), expect("h", 1935, "live", "?k=v"));
    }

    #[test]
    fn the_key_may_come_apart() {
        let url = Url::with_key("rtmp://h/a/b/", " k?x=/1 ").unwrap();
        assert_eq!((url.app.as_str(), url.stream.expose()), ("a/b", "k?x=/1"));
        assert_eq!(url.tc_url(), "rtmp://h/a/b");
        assert_eq!(url.display_with_name(), "rtmp://h/a/b/k");
    }

    #[test]
    fn a_bad_key_is_distinguished_from_a_bad_address_and_not_shown() {
        for (key, error) in [
            ("planted key", Error::KeySpace),
            ("planted\tkey", Error::KeySpace),
            ("planted\u{7}key", Error::KeyCharacter),
            ("planted\u{200B}", Error::KeyCharacter),
            ("\u{200E}planted", Error::KeyCharacter),
            (&*"planted".repeat(1_000), Error::KeyTooLong),
        ] {
            let words = error.to_string();
            assert!(words.starts_with("the stream key ") && !words.contains("planted"), "{words}");
            assert_eq!(Url::with_key("rtmp://h/a", key), Err(error));
        }
        assert_eq!(Url::with_key("rtmp://h/a b", "key"), Err(Error::Character));
    }

    #[test]
    fn redirections_keep_the_stream_and_not_the_password() {
        let url = Url::parse("rtmps://u:p@h/live/key?t=1").unwrap();
        let there = url.redirected("rtmps://H:444/other").unwrap();
        assert_eq!((there.app.as_str(), there.stream.expose()), ("other", "key?t=1"));
        assert!(there.credentials.is_some());
        let away = url.redirected("rtmps://elsewhere/other/key").unwrap();
        assert_eq!((away.app.as_str(), away.stream.expose()), ("other", "key?t=1"));
        assert!(away.credentials.is_none());
        for (target, app) in [
            ("rtmps://elsewhere/other/key/?vhost=v", "other?vhost=v"),
            ("rtmps://elsewhere/other/key?t=1", "other"),
            ("rtmps://elsewhere/other/key?", "other"),
            ("rtmps://elsewhere/other?vhost=v/key", "other?vhost=v"),
        ] {
            let there = url.redirected(target).unwrap();
            assert_eq!((there.app.as_str(), there.stream.expose()), (app, "key?t=1"), "{target}");
        }
        // A redirecting server must not choose onair's credentials.
        assert!(url.redirected("rtmps://x:y@elsewhere/other").unwrap().credentials.is_none());
        for bad in ["rtmp://h/live", "http://h/live", "", "rtmps://h", "rtmps://h/a b"] {
            assert_eq!(url.redirected(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_request_to_reconnect_may_be_relative() {
        let front = Url::parse("rtmp://u:p@h:1936/live/key").unwrap();
        let now = front.redirected("rtmp://other:1937/a/b").unwrap();
        let asked = |reference| {
            let url = front.asked_to(&now, reference).unwrap();
            let with_password = url.credentials.is_some();
            assert_eq!(url.stream.expose(), "key");
            (url.tc_url(), with_password)
        };
        let elsewhere = |url: &str| (url.to_owned(), false);
        assert_eq!(asked(None), elsewhere("rtmp://other:1937/a/b"));
        assert_eq!(asked(Some(" ")), elsewhere("rtmp://other:1937/a/b"));
        assert_eq!(asked(Some("/c/d")), elsewhere("rtmp://other:1937/c/d"));
        assert_eq!(asked(Some("c")), elsewhere("rtmp://other:1937/a/c"));
        assert_eq!(asked(Some("//third/c")), elsewhere("rtmp://third/c"));
        assert_eq!(asked(Some("rtmp://x:y@third/c")), elsewhere("rtmp://third/c"));
        // Back to the original host, for which the password is valid.
        assert_eq!(asked(Some("rtmp://h:1936/live")), ("rtmp://h:1936/live".to_owned(), true));
        assert_eq!(front.asked_to(&now, Some("http://h/live")), None);
        let safe = Url::parse("rtmps://h/live/key").unwrap();
        assert_eq!(safe.asked_to(&safe, Some("rtmp://h/live")), None);
    }

    #[test]
    fn nothing_secret_is_shown() {
        let url =
            Url::parse("rtmps://me:pa%20ss@[fe80::1]:99/app?s=1/secret-key?sig=abcdef").unwrap();
        assert_eq!(format!("{url}"), "rtmps://[fe80::1]:99/app?***/***");
        assert!(!format!("{url:?}").contains("secret"));
        assert_eq!(url.credentials.as_ref().unwrap().password.expose(), "pa ss");
        // The text must not be read as a number.
        let signed = Url::parse("rtmp://me:100%+5@h/app/key").unwrap();
        assert_eq!(signed.credentials.unwrap().password.expose(), "100%+5");
        for (escaped, plain) in [("%41%6a%6A%25", "Ajj%"), ("%4", "%4"), ("%zz%%41", "%zz%A")] {
            let url = Url::parse(&format!("rtmp://{escaped}:%ff@h/app/key")).unwrap();
            let credentials = url.credentials.unwrap();
            assert_eq!(credentials.user, plain);
            assert_eq!(credentials.password.expose(), "\u{FFFD}");
        }
        assert_eq!(url.redact("no secret-key with abcdef for pa ss"), "no *** with *** for ***");
    }

    #[test]
    fn bad_urls_say_what_is_wrong() {
        for (text, error) in [
            ("", Error::Empty),
            ("localhost/live/key", Error::NoScheme),
            ("http://h/a/k", Error::Scheme("http".into())),
            ("rtmpe://h/a/k", Error::Scheme("rtmpe".into())),
            ("SRT://h:9000?streamid=x", Error::Scheme("srt".into())),
            ("rtmp:///a/k", Error::NoHost),
            ("rtmp://:1935/a/k", Error::NoHost),
            ("rtmp://::1/a/k", Error::Brackets),
            ("rtmp://[::1/a/k", Error::Brackets),
            ("rtmp://[::1]x/a/k", Error::Brackets),
            ("rtmp://h:0/a/k", Error::Port("0".into())),
            ("rtmp://h:66000/a/k", Error::Port("66000".into())),
            ("rtmp://h:x/a/k", Error::Port("x".into())),
            ("rtmp://me:pa/ss@h/a/k", Error::Unescaped),
            ("rtmp://me:pa?ss@h/a/k", Error::Unescaped),
            ("rtmp://h", Error::NoApp),
            ("rtmp://h/", Error::NoApp),
            ("rtmp://h?x=1", Error::NoApp),
            ("rtmp://h/a b/k", Error::Character),
            ("\u{FEFF}rtmp://h/a/k", Error::Character),
            ("rtmp://h/a/k\u{200B}", Error::Character),
        ] {
            assert_eq!(Url::parse(text), Err(error), "{text}");
        }
        for scheme in ["rtmpe", "rtmpte", "rtmfp", "srt", "http", "https", "rtsp", "whip", "x"] {
            let error = Url::parse(&format!("{scheme}://h/a/secret-key")).unwrap_err().to_string();
            assert_eq!(error, format!("{scheme}:// is not supported"));
            assert!(!error.contains("secret"), "{error}");
        }
        let keyless = Url::parse("rtmp://h/live").unwrap();
        assert_eq!(keyless.require_stream(), Err(Error::NoStream));
        assert_eq!(Url::parse(&format!("rtmp://h/{}", "a".repeat(5_000))), Err(Error::TooLong));
    }
}
