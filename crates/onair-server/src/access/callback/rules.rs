//! The configuration of callbacks.

use std::collections::HashMap;
use std::str::FromStr;
use std::time::Duration;

use crate::base::named;
use crate::net::web::WebUrl;
use crate::text::problem::{Problem, problem};

named! {
    /// The format of the requests.
    #[derive(Copy, Clone, Debug, PartialEq, Eq, Default)]
    pub enum Dialect {
        /// Forms, as in nginx-rtmp.
        #[default]
        Nginx = "nginx",
        /// JSON, as in SRS.
        Srs = "srs",
        /// JSON, as in MediaMTX. Its receivers decide, but get no notices.
        MediaMtx = "mediamtx",
    }
    /// Returns the name in the configuration.
    fn name;
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

named! {
    /// A kind of callback.
    #[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
    pub enum CallKind {
        Connect = "on_connect",
        Publish = "on_publish",
        Play = "on_play",
        PublishDone = "on_publish_done",
        PlayDone = "on_play_done",
        RecordDone = "on_record_done",
    }
    /// Returns the name in the configuration.
    fn name;
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
