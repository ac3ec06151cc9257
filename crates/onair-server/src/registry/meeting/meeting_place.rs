//! The server at which a studio meets its guests, as the studio sees it.

use std::sync::Arc;

use parking_lot::Mutex;

use crate::base::{Secret, partial_debug};
use crate::net::Options;
use crate::net::web::WebUrl;
use crate::server::registry::ice_server::IceServer;
use crate::text::Problem;
use crate::text::problem::problem;

/// The connection to the server.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum MeetingState {
    /// The first attempt is not over.
    #[default]
    Connecting,
    Connected,
    /// The connection failed or was lost, for this reason. onair tries again.
    Lost(Problem),
}

/// A server at which guests meet the studio.
pub struct MeetingPlace {
    /// The address of the server without a path.
    base: String,
    socket: WebUrl,
    key: Secret,
    options: Options,
    inner: Mutex<Inner>,
}

partial_debug!(MeetingPlace { base });

#[derive(Default)]
struct Inner {
    state: MeetingState,
    ice_servers: Vec<IceServer>,
}

impl MeetingPlace {
    /// Creates the place at the server with this address, such as `https://live.example.com`.
    ///
    /// # Errors
    /// Fails if the address is no HTTPS address of a server. On this computer, HTTP is enough.
    pub fn new(url: &str, key: Secret, options: Options) -> Result<Arc<Self>, Problem> {
        let wrong = || problem!("meeting-url");
        let base = url.trim().trim_end_matches('/');
        let parsed = WebUrl::parse(base).map_err(|_| wrong())?;
        let endpoint = parsed.endpoint();
        let is_own = endpoint.host == "localhost"
            || endpoint.host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback());
        let is_plain = base
            .split_once("://")
            .is_some_and(|(_, rest)| !rest.is_empty() && !rest.contains(['/', '?', '#', '@']));
        if parsed.is_websocket() || !is_plain || !(parsed.is_secure() || is_own) {
            return Err(wrong());
        }
        let (scheme, rest) = base.split_once("://").ok_or_else(wrong)?;
        let scheme = if scheme.eq_ignore_ascii_case("https") { "wss" } else { "ws" };
        let socket = WebUrl::parse(&format!("{scheme}://{rest}/meet")).map_err(|_| wrong())?;
        Ok(Arc::new(Self { base: base.to_owned(), socket, key, options, inner: Mutex::default() }))
    }

    /// Checks the address of a server.
    ///
    /// # Errors
    /// Fails like [`MeetingPlace::new`].
    pub fn check(url: &str) -> Result<(), Problem> {
        Self::new(url, Secret::default(), Options::default()).map(drop)
    }

    /// Returns the link of a guest with this token.
    pub fn link(&self, token: &Secret) -> String {
        format!("{}/guest/{}", self.base, token.expose())
    }

    /// Returns the host and port of the server.
    pub fn host(&self) -> String {
        self.socket.endpoint().to_string()
    }

    pub fn state(&self) -> MeetingState {
        self.inner.lock().state.clone()
    }

    pub(crate) fn set_state(&self, state: MeetingState) {
        self.inner.lock().state = state;
    }

    pub(crate) fn socket(&self) -> (&WebUrl, &Secret, &Options) {
        (&self.socket, &self.key, &self.options)
    }

    /// Sets the ICE servers of guests and studio.
    pub(crate) fn set_ice_servers(&self, servers: Vec<IceServer>) {
        self.inner.lock().ice_servers = servers;
    }

    pub(crate) fn ice_servers(&self) -> Vec<IceServer> {
        self.inner.lock().ice_servers.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(url: &str) -> Option<Arc<MeetingPlace>> {
        MeetingPlace::new(url, Secret::new("key"), Options::default()).ok()
    }

    #[test]
    fn the_address_of_a_meeting_is_that_of_a_server() {
        for (url, host, link) in [
            ("https://a.example", "a.example:443", "https://a.example/guest/t0ken"),
            ("https://a.example:8443/", "a.example:8443", "https://a.example:8443/guest/t0ken"),
            ("http://127.0.0.1:8088", "127.0.0.1:8088", "http://127.0.0.1:8088/guest/t0ken"),
            ("https://[2001:db8::1]", "[2001:db8::1]:443", "https://[2001:db8::1]/guest/t0ken"),
        ] {
            let place = place(url).unwrap();
            assert_eq!(place.host(), host);
            assert_eq!(place.link(&Secret::new("t0ken")), link);
            assert!(place.socket().0.is_websocket());
        }
        for wrong in [
            "a.example",
            "http://a.example",
            "wss://a.example",
            "https://a.example/path",
            "https://a.example?x",
            "https://u:p@a.example",
            "rtmp://a.example",
            "",
        ] {
            assert!(place(wrong).is_none(), "{wrong}");
        }
    }
}
