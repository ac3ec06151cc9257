//! Requests for HLS resources.

use std::sync::Arc;
use std::time::Duration;

use axum::http::{HeaderMap, Method};

use crate::server::http::caller::{Caller, query_pairs};
use crate::server::registry::Registry;

/// Maximum wait for the first segment: until the next keyframe.
pub(super) const FIRST_SEGMENT_TIMEOUT: Duration = Duration::from_secs(11);

/// The requested resource of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::http) enum HlsResource {
    /// `/{app}/{stream}.m3u8`: the master playlist, or with `_HLS_msn` the media playlist.
    Stream,
    /// `/{app}/{stream}.mpd`: the DASH manifest.
    Manifest,
    /// `/{app}/{stream}/hls/…`.
    Below(String),
}

/// An HTTP request for an HLS resource.
pub(in crate::http) struct HlsRequest<'a> {
    pub registry: &'a Arc<Registry>,
    pub caller: Caller,
    pub method: &'a Method,
    pub headers: &'a HeaderMap,
    pub path: &'a str,
    pub query: &'a str,
    pub app: &'a str,
    pub stream: &'a str,
    /// True if the stream in the path has another name, which a callback changed.
    pub renamed: bool,
    /// The pass for the addresses in playlists, if they need one.
    pub pass: Option<String>,
}

/// Returns true if the query of the request does not have this pass.
pub(super) fn is_new(pass: &str, query: &str) -> bool {
    !query_pairs(query).any(|(name, it)| name == "pass" && it == pass)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pass_is_new_unless_the_client_shows_it() {
        for query in
            ["", "key=k3y", "pass=", "pass=other", "key=k3y&pass=x", "bypass=a-b_c", "%70ass=a-b_c"]
        {
            assert!(is_new("a-b_c", query), "{query}");
        }
        assert!(!is_new("a-b_c", "pass=a-b_c") && !is_new("a-b_c", "_HLS_msn=7&pass=a%2Db_c"));
    }
}
