//! The configuration of callbacks.

use std::collections::HashMap;
use std::str::FromStr;
use std::time::Duration;

use crate::net::web::WebUrl;
use crate::text::problem::{Problem, problem};

/// The format of the requests.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Default)]
pub enum Dialect {
    /// Forms, as in nginx-rtmp.
    #[default]
    Nginx,
    /// JSON, as in SRS.
    Srs,
    /// JSON, as in MediaMTX. Its receivers decide, but get no notices.
    MediaMtx,
}

impl Dialect {
    /// Returns the name in the configuration.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Nginx => "nginx",
            Self::Srs => "srs",
            Self::MediaMtx => "mediamtx",
        }
    }
}

impl FromStr for Dialect {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Self, Problem> {
        match text {
            "nginx" => Ok(Self::Nginx),
            "srs" => Ok(Self::Srs),
            "mediamtx" => Ok(Self::MediaMtx),
            _ => Err(problem!("value-none-of", known = "nginx, srs, mediamtx")),
        }
    }
}

/// A kind of callback.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum CallKind {
    Connect,
    Publish,
    Play,
    PublishDone,
    PlayDone,
    RecordDone,
}

impl CallKind {
    pub(in crate::server) const ALL: [Self; 6] = [
        Self::Connect,
        Self::Publish,
        Self::Play,
        Self::PublishDone,
        Self::PlayDone,
        Self::RecordDone,
    ];

    /// Returns the name in the configuration.
    pub(in crate::server) const fn name(self) -> &'static str {
        match self {
            Self::Connect => "on_connect",
            Self::Publish => "on_publish",
            Self::Play => "on_play",
            Self::PublishDone => "on_publish_done",
            Self::PlayDone => "on_play_done",
            Self::RecordDone => "on_record_done",
        }
    }
}

/// The callbacks of an application.
#[derive(Clone, Debug)]
pub struct CallbackRules {
    pub dialect: Dialect,
    pub urls: HashMap<CallKind, WebUrl>,
    /// Time limit for a response.
    pub timeout: Duration,
    /// True to accept clients if the receiver does not answer. Otherwise clients are refused.
    pub accepts_without_answer: bool,
}

impl CallbackRules {
    /// The default time limit for a response, and its bounds.
    pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(5);
    pub const TIMEOUT_RANGE: (Duration, Duration) =
        (Duration::from_millis(100), Duration::from_secs(10));
}
