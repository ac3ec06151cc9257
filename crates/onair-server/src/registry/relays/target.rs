//! The address of a relay: an RTMP URL with placeholders. `{app}` and `{stream}` are the names of
//! the stream, and `{key}` is a secret that is not in the configuration.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

use crate::base::Secret;
use crate::problems::ToProblem;
use crate::text::Problem;
use crate::text::problem::problem;
use crate::wire::rtmp::url::Url;

const APP_VARIABLE: &str = "{app}";
const STREAM_VARIABLE: &str = "{stream}";
const KEY_VARIABLE: &str = "{key}";
/// Names of query parameters whose values are secrets. The names can have a prefix.
const SECRET_PARAMETERS: [&str; 6] = ["key", "token", "secret", "password", "sign", "auth"];

/// Minimum length of a key that is hidden in texts, in bytes. Replacing shorter keys would garble
/// the texts.
const MIN_HIDDEN_KEY_BYTES: usize = 4;

/// An address with placeholders, and its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RelayTarget {
    url: Url,
    /// The address as configured.
    text: String,
    key: Option<Secret>,
}

impl RelayTarget {
    /// Parses an address. If the address has no stream name, the stream keeps its own name.
    ///
    /// # Errors
    /// Fails if the text is not an RTMP URL, contains a secret, or needs a key that is missing.
    pub fn parse(text: &str, key: Option<&Secret>) -> Result<Self, Problem> {
        let text = text.trim();
        let mut url = Url::parse(text).map_err(|error| error.to_problem())?;
        if url.stream.is_empty() {
            url.stream = Secret::new(STREAM_VARIABLE);
        }
        if has_secret(&url) {
            return Err(problem!("relay-secret-in-address"));
        }
        if text.contains(KEY_VARIABLE) && key.is_none() {
            return Err(problem!("relay-no-key"));
        }
        // Stream names are no secrets: events must show them.
        url.stream = Secret::from_client(url.stream.expose());
        let key = key.filter(|_| text.contains(KEY_VARIABLE)).cloned();
        Ok(Self { url, text: text.to_owned(), key })
    }

    /// Returns true if several streams would get the same name.
    pub fn has_fixed_name(&self) -> bool {
        !self.url.stream.expose().contains(STREAM_VARIABLE)
    }

    /// Returns true if the address contains the key.
    pub fn needs_key(&self) -> bool {
        self.key.is_some()
    }

    /// Returns the host and port.
    pub fn authority(&self) -> String {
        self.url.authority()
    }

    /// Returns the address for a stream.
    pub fn of(&self, app: &str, stream: &str) -> Url {
        let key = self.key.as_ref().map(Secret::expose).unwrap_or_default();
        let fill = |text: &str| filled(text, app, stream, key);
        let mut url = self.url.clone();
        url.app = fill(&url.app);
        url.stream = Secret::from_client(fill(url.stream.expose()));
        if let Some(credentials) = &mut url.credentials {
            credentials.password = Secret::new(fill(credentials.password.expose()));
        }
        url
    }

    /// Returns the address for a stream without its secret, for display.
    pub fn shown(&self, app: &str, stream: &str) -> String {
        let url = Url { credentials: None, ..self.url.clone() };
        let whole = format!("{}/{}", url.tc_url(), url.stream.expose());
        filled(&whole, app, stream, "***")
    }

    /// Returns the text without the key, because another server can repeat the key in its messages.
    pub fn hidden<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let key =
            self.key.as_ref().map(Secret::expose).filter(|key| key.len() >= MIN_HIDDEN_KEY_BYTES);
        match key {
            Some(key) if text.contains(key) => Cow::Owned(text.replace(key, "***")),
            _ => Cow::Borrowed(text),
        }
    }

    /// Returns the address as configured, which contains no secret.
    pub fn text(&self) -> &str {
        &self.text
    }
}

/// Replaces the placeholders in one pass, because names can contain placeholders too.
fn filled(text: &str, app: &str, stream: &str, key: &str) -> String {
    let mut out = String::with_capacity(text.len() + app.len() + stream.len());
    let mut rest = text;
    while let Some(at) = rest.find('{') {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        let known = [(APP_VARIABLE, app), (STREAM_VARIABLE, stream), (KEY_VARIABLE, key)];
        let found = known.into_iter().find(|(name, _)| from.starts_with(name));
        let (name, value) = found.unwrap_or(("{", "{"));
        out.push_str(value);
        rest = from.get(name.len()..).unwrap_or_default();
    }
    out.push_str(rest);
    out
}

/// Returns true if the URL itself contains a password or a key.
fn has_secret(url: &Url) -> bool {
    let password = url.credentials.as_ref().map(|it| it.password.expose());
    let is_literal = |value: &str| !value.is_empty() && !value.contains(KEY_VARIABLE);
    if password.is_some_and(is_literal) {
        return true;
    }
    let queries = [url.app.as_str(), url.stream.expose()];
    let queries = queries.into_iter().filter_map(|text| Some(text.split_once('?')?.1));
    let mut pairs = queries.flat_map(|query| query.split('&')).filter_map(|it| it.split_once('='));
    pairs.any(|(name, value)| {
        let name = percent_decode_str(name).decode_utf8_lossy().to_ascii_lowercase();
        is_literal(value) && SECRET_PARAMETERS.iter().any(|secret| name.contains(secret))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::secret::scrub_own;

    #[test]
    fn placeholders_are_filled_and_the_key_stays_hidden() {
        let key = Secret::new("s3cret-key");
        let target = |text: &str| RelayTarget::parse(text, Some(&key)).unwrap();
        let plain = target("rtmp://a.example/live");
        assert_eq!(plain.of("x/y", "show").tc_url(), "rtmp://a.example/live");
        assert_eq!(plain.of("x/y", "show").stream.expose(), "show");
        let both = target("rtmps://a.example:99/in/{app}/{stream}?k={key}");
        let url = both.of("live", "{app}");
        assert_eq!(url.tc_url(), "rtmps://a.example:99/in/live");
        assert_eq!(url.stream.expose(), "{app}?k=s3cret-key");
        assert_eq!(both.shown("live", "a"), "rtmps://a.example:99/in/live/a?k=***");
        let named = both.of("live", "n4med-str3am");
        let redirected = named.asked_to(&named, Some("rtmps://b.example/in")).unwrap();
        for url in [named, redirected] {
            assert_eq!(scrub_own(url.stream.expose()).unwrap(), "n4med-str3am?k=***");
        }
        let login = target("rtmp://me:{key}@a.example/live/{key}");
        let url = login.of("live", "a");
        assert_eq!(url.stream.expose(), "s3cret-key");
        assert_eq!(url.credentials.unwrap().password.expose(), "s3cret-key");
        assert!(login.has_fixed_name() && login.needs_key() && !plain.needs_key());
        for text in [login.shown("live", "a"), format!("{login:?}"), login.text().to_owned()] {
            assert!(!text.contains("s3cret"), "{text}");
        }
    }

    #[test]
    fn secrets_in_addresses_are_refused() {
        for text in [
            "rtmp://me:word@a.example/live",
            "rtmp://a.example/live/{stream}?key=abc",
            "rtmp://a.example/live?x=1&accessToken=abc/{stream}",
            "rtmp://a.example/live/{stream}?key={key}",
            "http://a.example/live",
            "rtmp://a.example",
        ] {
            assert!(RelayTarget::parse(text, None).is_err(), "{text}");
        }
        assert!(RelayTarget::parse("rtmp://a.example/live?vhost=b/{stream}", None).is_ok());
    }
}
