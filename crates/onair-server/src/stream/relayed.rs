//! The source of a relayed stream. It contains the loop guard: the random ids of the servers that the
//! stream has passed through, or that wait for the stream, each followed by a hash of the stream's
//! names on that server. A relay sends these ids in its connect command. A server refuses a command
//! with its own id. A server may pull back a stream that it pushed, under another name.

use std::fmt;

/// Maximum number of servers on a path.
const MAX_HOPS: usize = 8;
/// Maximum length of an id in bytes.
const MAX_ID_BYTES: usize = 32;

/// A path; each server adds its own id at the end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct RelayPath(Vec<String>);

impl RelayPath {
    /// Reads a path. Returns `None` if the path is invalid or too long.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() > MAX_HOPS * (MAX_ID_BYTES + 1) {
            return None;
        }
        let ids: Vec<_> = text.split(',').map(str::to_owned).collect();
        let is_id = |id: &String| {
            (1..=MAX_ID_BYTES).contains(&id.len())
                && id.bytes().all(|byte| byte.is_ascii_alphanumeric())
        };
        (ids.len() <= MAX_HOPS && ids.iter().all(is_id)).then_some(Self(ids))
    }

    /// Returns the path with one more server, or `None` if the path becomes too long.
    pub fn with(&self, id: &str) -> Option<Self> {
        let mut ids = self.0.clone();
        ids.push(id.to_owned());
        (ids.len() <= MAX_HOPS).then_some(Self(ids))
    }

    /// Returns the path with the servers of another path, or `None` if the path becomes too long.
    pub fn joined(&self, other: &Self) -> Option<Self> {
        let mut new = other.0.iter().filter(|id| !self.contains(id));
        new.try_fold(self.clone(), |path, id| path.with(id))
    }

    /// Returns true if a server is on both paths.
    pub fn shares(&self, other: &Self) -> bool {
        self.0.iter().any(|id| other.contains(id))
    }

    /// Returns true if the path can contain one more server.
    pub fn has_room(&self) -> bool {
        self.0.len() < MAX_HOPS
    }

    /// Returns true if a server that waits with the path `used` must learn this path instead. `own` is the id of the
    /// server that waits. In a circle of servers that ask each other at the same time, the smallest id passes all
    /// servers, so exactly one server finds the loop.
    pub fn replaces(&self, used: &Self, own: &str) -> bool {
        let has_left = used.0.iter().any(|id| !self.contains(id));
        has_left || self.0.iter().any(|id| !used.contains(id) && id.as_str() < own)
    }

    /// Returns true if a stream of this server is on the path.
    pub fn passes(&self, server: &str) -> bool {
        self.0.iter().any(|id| id.starts_with(server))
    }

    /// Returns the path without the servers that are not on one of `paths` with room.
    pub fn on_any(&self, paths: &[Self]) -> Self {
        let is_on = |id: &&String| paths.iter().any(|path| path.has_room() && path.contains(id));
        Self(self.0.iter().filter(is_on).cloned().collect())
    }

    fn contains(&self, id: &str) -> bool {
        self.0.iter().any(|known| known == id)
    }

    /// Returns the last server.
    pub fn last(&self) -> Option<&str> {
        self.0.last().map(String::as_str)
    }
}

/// The source of a stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct RelaySource {
    /// The servers that the stream has passed through.
    pub path: RelayPath,
    /// Host and port of the server from which the stream is pulled.
    pub origin: Option<String>,
}

impl fmt::Display for RelayPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_grows_up_to_its_limit_and_finds_loops() {
        let mut path = RelayPath::default();
        for hop in 0..MAX_HOPS {
            path = path.with(&format!("server{hop}")).unwrap();
        }
        assert!(path.with("another").is_none(), "the limit");
        assert_eq!(RelayPath::parse(&path.to_string()), Some(path.clone()));
        assert!(path.contains("server0") && !path.contains("server"));
        assert!(path.passes("server") && !path.passes("erver"));
        assert_eq!(path.last(), Some("server7"));
    }

    #[test]
    fn paths_are_joined_without_a_server_twice() {
        let path = |text| RelayPath::parse(text).unwrap();
        assert_eq!(path("a,b").joined(&path("b,c")), Some(path("a,b,c")));
        assert_eq!(path("a").joined(&RelayPath::default()), Some(path("a")));
        assert_eq!(path("a,b,c,d,e").joined(&path("f,g,h,i")), None, "the limit");
    }

    #[test]
    fn servers_that_ask_each_other_at_once_find_the_loop_once() {
        let path = |text| RelayPath::parse(text).unwrap();
        let none = RelayPath::default();
        assert!(path("b").replaces(&none, "c") && !path("b").replaces(&none, "a"));
        assert!(!path("a,b").replaces(&path("b,a"), "c"), "the same servers");
        assert!(path("b").replaces(&path("a,b"), "a"), "a server has left");
        assert!(path("a,b").shares(&path("c,b")) && !path("a").shares(&path("c,b")));
        assert!(path("a,b,c,d,e,f,g").has_room() && !path("a,b,c,d,e,f,g,h").has_room());
    }

    #[test]
    fn what_is_no_path_is_refused() {
        let long = "a".repeat(MAX_ID_BYTES + 1);
        let many = ["a"; MAX_HOPS + 1].join(",");
        for text in ["", ",", "a,", "a b", "\u{e4}", long.as_str(), many.as_str()] {
            assert_eq!(RelayPath::parse(text), None, "{text}");
        }
    }
}
