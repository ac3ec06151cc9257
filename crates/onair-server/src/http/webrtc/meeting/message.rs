//! The messages between a studio and the server at which its guests meet it: text messages of JSON on a WebSocket.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::base::{Secret, partial_debug};
use crate::server::registry::ice_server::{IceLogin, IceServer};
use crate::wire::webrtc::sdp::MAX_OFFER;

/// Maximum size of a message in bytes: an offer or answer, in which JSON escapes every line, and its headers.
pub(super) const MAX_MESSAGE_BYTES: usize = 4 * MAX_OFFER;

/// Time without a message after which either side takes the connection for lost. The server sends a ping every 5 s.
pub(super) const SILENCE_LIMIT: Duration = Duration::from_secs(15);
/// The headers of a studio's answer that reach the guest.
pub(super) const PASSED_HEADERS: [&str; 7] =
    ["content-type", "location", "etag", "accept-patch", "link", "retry-after", "cache-control"];

/// A message of the server.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum ToStudio {
    /// The first message: what helps guests and studio to reach each other.
    Welcome { webrtc_port: Option<u16>, ice_servers: Vec<IceServerEntry> },
    /// A request of a guest.
    Ask(Question),
}

/// A message of the studio.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum ToServer {
    /// The names of the links of all guests: the hashes of their tokens.
    Links(Vec<String>),
    Answer(Reply),
    /// The show is over. The links are dead at once.
    Bye,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Question {
    pub id: u64,
    pub method: String,
    pub path: String,
    pub content_type: String,
    pub if_match: String,
    pub body: String,
    pub from: String,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Reply {
    pub id: u64,
    pub status: u16,
    pub headers: BTreeMap<String, String>,
    pub body: String,
}

#[derive(Serialize, Deserialize)]
pub(super) struct IceServerEntry {
    url: String,
    username: Option<String>,
    credential: Option<String>,
}

partial_debug!(IceServerEntry { url });

impl From<&IceServer> for IceServerEntry {
    fn from(server: &IceServer) -> Self {
        let login = server.login();
        Self {
            url: server.url().to_owned(),
            username: login.map(|it| it.username.clone()),
            credential: login.map(|it| it.credential.expose().to_owned()),
        }
    }
}

impl IceServerEntry {
    /// Returns the ICE server, if the entry is valid.
    pub fn server(self) -> Option<IceServer> {
        let login = self.username.zip(self.credential);
        let login = login.map(|(username, credential)| IceLogin {
            username,
            credential: Secret::new(credential),
        });
        IceServer::new(&self.url, login).ok()
    }
}

/// Returns the text of a message.
pub(super) fn text(message: &impl Serialize) -> String {
    serde_json::to_string(message).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn messages_are_the_same_on_both_sides() {
        let turn = IceLogin { username: "u".into(), credential: Secret::new("credential") };
        let servers = [
            IceServer::new("stun:stun.example", None).unwrap(),
            IceServer::new("turn:turn.example", Some(turn)).unwrap(),
        ];
        let ice_servers = servers.iter().map(IceServerEntry::from).collect();
        let welcome = ToStudio::Welcome { webrtc_port: Some(8189), ice_servers };
        assert!(!format!("{welcome:?}").contains("\"credential\""), "{welcome:?}");
        let sent = text(&welcome);
        let Ok(ToStudio::Welcome { webrtc_port, ice_servers }) = serde_json::from_str(&sent) else {
            panic!("{sent}");
        };
        let received: Vec<_> = ice_servers.into_iter().filter_map(IceServerEntry::server).collect();
        assert_eq!((webrtc_port, &received[..]), (Some(8189), &servers[..]));
        let reply = Reply { id: 7, status: 201, body: "v=0\r\n".into(), ..Reply::default() };
        let sent = text(&ToServer::Answer(reply));
        assert!(matches!(serde_json::from_str(&sent),
            Ok(ToServer::Answer(Reply { id: 7, status: 201, body, .. })) if body == "v=0\r\n"));
        assert!(matches!(serde_json::from_str("\"bye\""), Ok(ToServer::Bye)));
    }

    proptest! {
        #[test]
        fn any_text_is_looked_at(text in "[\\[\\]{}\",:a-z0-9-]{0,60}") {
            let _ = serde_json::from_str::<ToStudio>(&text);
            let _ = serde_json::from_str::<ToServer>(&text);
        }
    }
}
