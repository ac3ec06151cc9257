//! A client and its action, as callbacks describe them.

use std::fmt;
use std::net::IpAddr;

use crate::base::Secret;
use crate::server::access::callback::rules::CallKind;
use crate::server::event::Protocol;

/// A client. Its query and URLs can contain secrets: `Debug` does not show them.
#[derive(Clone)]
pub(in crate::server) struct Visit {
    /// The id of the connection or viewer, as in the events.
    pub id: u64,
    pub address: IpAddr,
    pub protocol: Protocol,
    pub app: String,
    pub stream: String,
    /// The text after a `?`.
    pub query: String,
    /// The key or token, wherever it was.
    pub secret: Option<Secret>,
    pub client: ClientDetails,
}

/// What a client says about itself.
#[derive(Clone, Default)]
pub(in crate::server) struct ClientDetails {
    /// The program: `flashVer` of RTMP, or the user agent.
    pub program: String,
    pub swf_url: String,
    pub tc_url: String,
    pub page_url: String,
}

impl fmt::Debug for Visit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Visit({} {}/{})", self.id, self.app, self.stream)
    }
}

/// What a client does.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::server) enum Call {
    /// An RTMP client connects; the time is its own, in milliseconds.
    Connect,
    /// `live`, `record` or `append`.
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

    /// What ends this, if it lasts.
    pub fn end(&self) -> Option<Self> {
        match self {
            Self::Publish { .. } => Some(Self::PublishDone),
            Self::Play { .. } => Some(Self::PlayDone),
            _ => None,
        }
    }

    /// A play request without a position, as over HTTP.
    pub fn play() -> Self {
        Self::Play { start: 0.0, duration: 0.0, reset: false }
    }
}
