//! ICE servers, which help WHEP viewers to reach the server: STUN (RFC 7064) and TURN (RFC 7065).

use std::net::Ipv6Addr;

use crate::base::Secret;
use crate::text::problem::{Problem, problem};
use crate::wire::http::is_host_name;

/// Maximum length of a user name or credential in bytes.
const MAX_CREDENTIAL_BYTES: usize = 512;

/// The port of STUN and TURN (RFC 8489 §18.6).
const STUN_PORT: u16 = 3478;

/// An ICE server for viewers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IceServer {
    url: String,
    login: Option<IceLogin>,
}

/// The user name and credential for a TURN server. Every viewer gets them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IceLogin {
    pub username: String,
    pub credential: Secret,
}

impl IceServer {
    /// Maximum number of ICE servers. Browsers become slow with more than a few.
    pub const MAX_COUNT: usize = 8;

    /// Creates an ICE server. TURN needs a login, STUN has none.
    ///
    /// # Errors
    /// Fails if the address or the login is not valid.
    pub fn new(url: &str, login: Option<IceLogin>) -> Result<Self, Problem> {
        let (scheme, rest) = url.split_once(':').unwrap_or_default();
        let is_turn = matches!(scheme, "turn" | "turns");
        let (address, query) = match rest.split_once('?') {
            Some((address, query)) => (address, Some(query)),
            None => (rest, None),
        };
        let has_query = matches!(query, Some("transport=udp" | "transport=tcp"));
        let is_known = is_turn || matches!(scheme, "stun" | "stuns");
        if !is_known || !is_address(address) || query.is_some() && !(is_turn && has_query) {
            return Err(problem!("serve-ice-server"));
        }
        if login.is_some() != is_turn {
            return Err(problem!("serve-ice-login"));
        }
        // The user name and the credential become a part of a header.
        let fits = |text: &str| {
            (1..=MAX_CREDENTIAL_BYTES).contains(&text.len())
                && text.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ')
        };
        if login.as_ref().is_some_and(|it| !fits(&it.username) || !fits(it.credential.expose())) {
            return Err(problem!("serve-ice-text", most = MAX_CREDENTIAL_BYTES));
        }
        Ok(Self { url: url.to_owned(), login })
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    pub fn login(&self) -> Option<&IceLogin> {
        self.login.as_ref()
    }

    /// Returns the host and port at which the server answers STUN requests over UDP. TURN servers do so too (RFC 8656
    /// §3.1).
    pub(crate) fn stun_endpoint(&self) -> Option<(String, u16)> {
        let (scheme, rest) = self.url.split_once(':')?;
        if !matches!(scheme, "stun" | "turn") || rest.ends_with("?transport=tcp") {
            return None;
        }
        let address = rest.split('?').next().unwrap_or_default();
        let (host, port) = match address.strip_prefix('[') {
            Some(inside) => inside.split_once(']')?,
            None => address.split_at(address.find(':').unwrap_or(address.len())),
        };
        let port = port.strip_prefix(':').map_or(Some(STUN_PORT), |port| port.parse().ok())?;
        Some((host.to_owned(), port))
    }

    /// Returns the value of a `Link` header ("STUN/TURN Server Configuration" in draft-ietf-wish-whep).
    pub(crate) fn link(&self) -> Secret {
        let quoted = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"");
        let mut link = format!("<{}>; rel=\"ice-server\"", self.url);
        if let Some(IceLogin { username, credential }) = &self.login {
            let (username, credential) = (quoted(username), quoted(credential.expose()));
            link += &format!("; username=\"{username}\"; credential=\"{credential}\"");
            link += "; credential-type=\"password\"";
        }
        Secret::new(link)
    }
}

/// Returns true for a host or an address, with or without a port.
fn is_address(text: &str) -> bool {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let Some((host, rest)) = rest.split_once(']') else { return false };
            if host.parse::<Ipv6Addr>().is_err() {
                return false;
            }
            (None, rest.strip_prefix(':').or((!rest.is_empty()).then_some("")))
        }
        None => match text.split_once(':') {
            Some((host, port)) => (Some(host), Some(port)),
            None => (Some(text), None),
        },
    };
    let is_port = |port: &str| {
        port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok_and(|it| it > 0)
    };
    host.is_none_or(is_host_name) && port.is_none_or(is_port)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn login(username: &str, credential: &str) -> Option<IceLogin> {
        Some(IceLogin { username: username.into(), credential: Secret::new(credential) })
    }

    #[test]
    fn addresses_are_those_of_stun_and_turn() {
        for url in ["stun:stun.example", "stuns:192.0.2.1:5349", "stun:[2001:db8::1]:3478"] {
            assert_eq!(IceServer::new(url, None).unwrap().url(), url);
        }
        for url in ["turn:turn.example:3478?transport=udp", "turns:[::1]?transport=tcp"] {
            assert_eq!(IceServer::new(url, login("u", "p")).unwrap().url(), url);
        }
        for url in [
            "",
            "stun.example",
            "stun:",
            "stun://stun.example",
            "http:stun.example",
            "stun:a b",
            "stun:a:0",
            "stun:a:+1",
            "stun:a:99999",
            "stun:[::1",
            "stun:[::1]x",
            "stun:[a]",
            "stun:u@a",
            "stun:a>; rel=x",
            "stun:a?transport=udp",
        ] {
            assert!(IceServer::new(url, None).is_err(), "{url}");
        }
        for url in ["turn:a?transport=sctp", "turn:a?", "turn:a?transport=udp&x"] {
            assert!(IceServer::new(url, login("u", "p")).is_err(), "{url}");
        }
    }

    #[test]
    fn the_servers_that_answer_stun_over_udp_are_known() {
        let of = |url: &str| {
            let login = url.starts_with("turn").then(|| login("u", "p")).flatten();
            IceServer::new(url, login).unwrap().stun_endpoint()
        };
        let at = |host: &str, port| Some((host.to_owned(), port));
        assert_eq!(of("stun:stun.example"), at("stun.example", 3478));
        assert_eq!(of("turn:192.0.2.1:5000?transport=udp"), at("192.0.2.1", 5000));
        assert_eq!(of("stun:[2001:db8::1]"), at("2001:db8::1", 3478));
        assert_eq!(of("stun:[2001:db8::1]:9"), at("2001:db8::1", 9));
        for other in ["stuns:a.example", "turn:a.example?transport=tcp", "turns:a.example"] {
            assert_eq!(of(other), None, "{other}");
        }
    }

    #[test]
    fn turn_has_a_login_that_a_header_can_hold() {
        assert!(IceServer::new("turn:a", None).is_err());
        assert!(IceServer::new("stun:a", login("u", "p")).is_err());
        for (username, credential) in [("", "p"), ("u", ""), ("u\r\nx: y", "p"), ("u", "\u{e9}")] {
            assert!(IceServer::new("turn:a", login(username, credential)).is_err());
        }
        let turn = IceServer::new("turn:a:3478?transport=udp", login("o\"k", "p\\w d")).unwrap();
        assert_eq!(
            turn.link().expose(),
            "<turn:a:3478?transport=udp>; rel=\"ice-server\"; username=\"o\\\"k\"; \
             credential=\"p\\\\w d\"; credential-type=\"password\""
        );
        assert!(!format!("{turn:?}").contains("p\\\\w"));
        let stun = IceServer::new("stun:a", None).unwrap();
        assert_eq!(stun.link().expose(), "<stun:a>; rel=\"ice-server\"");
    }
}
