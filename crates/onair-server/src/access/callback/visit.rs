//! A client and its action, as callbacks describe them.

use std::fmt;
use std::net::IpAddr;

use crate::base::Secret;
use crate::server::access::callback::rules::CallKind;
use crate::server::event::Protocol;

/// A client. Its query and URLs can contain secrets, so `Debug` does not show them.
#[derive(Clone)]
pub(crate) struct Visit {
    /// The id of the connection or viewer, as in the events.
    pub id: u64,
    pub address: IpAddr,
    pub protocol: Protocol,
    pub app: String,
    pub stream: String,
    /// The text after a `?` in the stream's name.
    pub query: String,
    /// The key or token, wherever the client sent it.
    pub secret: Option<Secret>,
    /// The user name and password in the header of an HTTP request.
    pub login: Option<(String, Secret)>,
    pub client: ClientDetails,
}

/// Details that a client reports about itself.
#[derive(Clone, Default)]
pub(crate) struct ClientDetails {
    /// The software: `flashVer` of RTMP, or the user agent.
    pub client_software: String,
    pub swf_url: String,
    pub tc_url: String,
    pub page_url: String,
}

impl fmt::Debug for Visit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Visit({} {}/{})", self.id, self.app, self.stream)
    }
}

/// An action of a client.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Call {
    /// An RTMP client connects.
    Connect,
    /// A client publishes; `kind` is `live`, `record` or `append`.
    Publish {
        kind: String,
    },
    Play {
        start: f64,
        duration: f64,
        reset: bool,
    },
    PublishDone,
    PlayDone,
    /// The publication was recorded to this file.
    RecordDone {
        path: String,
    },
}

impl Call {
    pub fn kind(&self) -> CallKind {
        match self {
            Self::Connect => CallKind::Connect,
            Self::Publish { .. } => CallKind::Publish,
            Self::Play { .. } => CallKind::Play,
            Self::PublishDone => CallKind::PublishDone,
            Self::PlayDone => CallKind::PlayDone,
            Self::RecordDone { .. } => CallKind::RecordDone,
        }
    }

    /// Returns the call that reports the end of this one, if there is one.
    pub fn end(&self) -> Option<Self> {
        match self {
            Self::Publish { .. } => Some(Self::PublishDone),
            Self::Play { .. } => Some(Self::PlayDone),
            _ => None,
        }
    }

    /// Returns a play request without a position, as over HTTP.
    pub fn play() -> Self {
        Self::Play { start: 0.0, duration: 0.0, reset: false }
    }
}
