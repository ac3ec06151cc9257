//! Resolves the stream that a client means, from connect and publish or play. Clients split one URL
//! in different ways into app, stream and query; here all of them give the same result.

use std::fmt;

use crate::base::sanitize::is_harmless;

/// A stream on a server. Neither `Display` nor `Debug` shows the query.
#[derive(Clone, PartialEq, Eq, Hash, Default)]
pub struct StreamName {
    /// The application: the path without its last part.
    pub app: String,
    /// The last part of the path; empty if the path has only one.
    pub stream: String,
    /// The text after a `?`, usually tokens. It must be treated as a secret.
    pub query: String,
}

/// Maximum length of each of app, stream and query, in bytes.
pub const MAX_NAME_BYTES: usize = 1_024;

impl StreamName {
    /// Resolves `tcUrl` and `app` of connect, and the name in publish or play. Slashes at the ends
    /// and a trailing `_definst_` are ignored. A query may be in the app or in the name.
    pub fn resolve(tc_url: &str, app: &str, name: &str) -> Self {
        let app = if app.trim_matches('/').is_empty() { path_of(tc_url) } else { app };
        let (app, app_query) = app.split_once('?').unwrap_or((app, ""));
        // The response to a login challenge belongs to the connection, not to the stream.
        let app_query = match app_query.split_once("&authmod=") {
            _ if app_query.starts_with("authmod=") => "",
            Some((own, _)) => own,
            None => app_query,
        };
        let (name, name_query) = name.split_once('?').unwrap_or((name, ""));
        let app = app.trim_matches('/');
        let app = app.strip_suffix("_definst_").map_or(app, |app| app.trim_end_matches('/'));
        let name = name.trim_matches('/');
        let query = if name_query.is_empty() { app_query } else { name_query };
        let (app, stream) = match (name.is_empty(), app.rsplit_once('/')) {
            (false, _) => (app, name),
            (true, Some((app, last))) => (app, last),
            (true, None) => (app, ""),
        };
        Self { app: app.to_owned(), stream: stream.to_owned(), query: query.to_owned() }
    }

    /// Returns `app/stream`, without the query.
    pub fn path(&self) -> String {
        match (self.app.is_empty(), self.stream.is_empty()) {
            (false, false) => format!("{}/{}", self.app, self.stream),
            (false, true) => self.app.clone(),
            _ => self.stream.clone(),
        }
    }

    /// Returns true if the name is valid: not empty, not too long, and without control characters.
    pub fn is_plain(&self) -> bool {
        let parts = [&self.app, &self.stream, &self.query];
        !self.app.is_empty()
            && parts.iter().all(|part| part.len() <= MAX_NAME_BYTES)
            && parts.iter().all(|part| part.chars().all(is_harmless))
    }

    /// Returns the value of a query parameter.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        let pairs = self.query.split('&').filter_map(|pair| pair.split_once('='));
        pairs.into_iter().find(|(key, _)| *key == name).map(|(_, value)| value)
    }
}

impl fmt::Debug for StreamName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let query = if self.query.is_empty() { "" } else { "?***" };
        write!(f, "StreamName({self}{query})")
    }
}

impl fmt::Display for StreamName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path())
    }
}

fn path_of(tc_url: &str) -> &str {
    let rest = tc_url.split_once("://").map_or(tc_url, |(_, rest)| rest);
    rest.split_once('/').map_or("", |(_, path)| path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(tc_url: &str, app: &str, name: &str) -> String {
        let name = StreamName::resolve(tc_url, app, name);
        format!("{} {} {}", name.app, name.stream, name.query)
    }

    #[test]
    fn unusual_divisions_have_the_same_result() {
        assert_eq!(resolve("rtmp://h/live", "live", "k?t=1"), "live k t=1");
        assert_eq!(resolve("rtmp://h/live/", "/live/", "/k"), "live k ");
        assert_eq!(resolve("rtmp://h/live", "live/_definst_", "k"), "live k ");
        assert_eq!(resolve("rtmp://h/live/k?t=1", "live/k?t=1", "?t=1"), "live k t=1");
        assert_eq!(resolve("rtmp://h/live/k", "", ""), "live k ");
        assert_eq!(resolve("rtmp://h/a/b", "a/b", "c/d"), "a/b c/d ");
        assert_eq!(resolve("", "live?u=1", "k"), "live k u=1");
        assert_eq!(resolve("", "live?authmod=adobe&user=u&response=r", "k"), "live k ");
        assert_eq!(resolve("", "live?v=1&authmod=adobe&user=u&response=r", "k"), "live k v=1");
    }

    #[test]
    fn parameters_and_fitness() {
        let name = StreamName::resolve("", "a", "b?x=1&token=t=2");
        assert_eq!(name.parameter("token"), Some("t=2"));
        assert_eq!(name.parameter("y"), None);
        assert!(name.is_plain());
        assert_eq!(format!("{name:?}"), "StreamName(a/b?***)");
        assert!(!StreamName::resolve("", "a", "b\n").is_plain());
        assert!(!StreamName::resolve("", "a", "b\u{202E}").is_plain());
        assert!(!StreamName::resolve("", "a\u{9B}", "b").is_plain());
        assert!(!StreamName::resolve("", "", "b").is_plain());
        assert!(!StreamName::resolve("", "a", &"b".repeat(2_000)).is_plain());
    }
}
