//! An error in words for a person: where a cause alone does not tell at which stage it struck, the stage
//! stands before it.

use crate::net::{Cause, ConnectStage, Error};

impl ConnectStage {
    /// The stage as it stands before a cause.
    const fn before_a_cause(self) -> &'static str {
        match self {
            Self::Dns => "at the name lookup",
            Self::Tcp => "at the TCP connection",
            Self::Tls => "at the TLS handshake",
            Self::Handshake => "at the RTMP handshake",
            Self::Connect => "at the request for the application",
            Self::Publish => "at the request to publish",
            Self::Play => "at the request to play",
            Self::Request => "at the HTTP request",
            Self::Media => "in mid-stream",
        }
    }
}

impl Error {
    /// What went wrong, with the stage where that is not plain from the cause.
    pub fn with_stage(&self) -> String {
        match self.cause {
            Cause::Closed
            | Cause::Reset
            | Cause::TimedOut { .. }
            | Cause::Protocol(_)
            | Cause::Status { .. }
            | Cause::Io(_) => format!("{}: {}", self.stage.before_a_cause(), self.cause),
            _ => self.cause.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_stage_is_named_where_the_cause_does_not_tell_it() {
        let told = |stage, cause| Error { stage, cause, peer: "a:1".into() }.with_stage();
        let after = Duration::from_secs(10);
        for (stage, cause, words) in [
            (ConnectStage::Tls, Cause::Reset, "at the TLS handshake: the connection was cut"),
            (
                ConnectStage::Connect,
                Cause::Closed,
                "at the request for the application: the server closed the connection",
            ),
            (
                ConnectStage::Handshake,
                Cause::TimedOut { after },
                "at the RTMP handshake: no answer within 10 s",
            ),
            (ConnectStage::Media, Cause::Closed, "in mid-stream: the server closed the connection"),
            (ConnectStage::Dns, Cause::NoSuchHost, "no host of this name is known"),
            (
                ConnectStage::Tcp,
                Cause::ConnectionRefused,
                "connection refused: nothing listens there",
            ),
        ] {
            assert_eq!(told(stage, cause), words);
        }
    }
}
