//! The kind of an error. One rule for all: the kind determines the notice and the exit code
//! (docs/reference/messages.md, *Exit codes*).

use crate::net::error::{Cause, Class, ConnectStage, Error, Refusal};

/// A kind of trouble with a server.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum Trouble {
    /// A file or setting of ours is at fault.
    Settings,
    /// Nobody knows the server's name.
    NoSuchHost,
    /// This machine has no network that leads there.
    NoNetwork,
    /// Nothing listens there, or it is unreachable.
    Unreachable,
    /// It does not answer.
    Timeout,
    /// Its certificate is not accepted.
    Certificate,
    /// It is not an RTMP server.
    NotRtmp,
    /// It refuses, explicitly or by closing the connection after a request.
    Refused,
    /// Somebody is live under this name.
    Busy,
    /// It has no such stream.
    NoSuchStream,
    /// While live: it accepts nothing.
    Silent,
    /// While live: the connection broke.
    Lost,
    /// Another failure on the way there.
    Failed,
}

impl Trouble {
    /// The class for exit codes.
    pub const fn class(self) -> Class {
        match self {
            Self::Settings => Class::Settings,
            Self::Refused | Self::Busy => Class::Refused,
            Self::NoSuchStream => Class::NoSuchStream,
            Self::Silent | Self::Lost => Class::Lost,
            Self::NoSuchHost
            | Self::NoNetwork
            | Self::Unreachable
            | Self::Timeout
            | Self::Certificate
            | Self::NotRtmp
            | Self::Failed => Class::Unreachable,
        }
    }
}

impl Error {
    /// The kind of this error.
    pub fn trouble(&self) -> Trouble {
        match (&self.cause, self.stage) {
            (Cause::TrustFile { .. }, _) => Trouble::Settings,
            (Cause::NoSuchHost | Cause::LookupFailed(_), _) => Trouble::NoSuchHost,
            (Cause::NoNetwork, _) => Trouble::NoNetwork,
            (Cause::Silent, _) => Trouble::Silent,
            (Cause::StillThere(_), _) => Trouble::Busy,
            (Cause::Status { refusal: Refusal::NotFound, .. }, _)
            | (Cause::Answer { status: 404 | 410, .. }, _) => Trouble::NoSuchStream,
            // It ended what had begun, and takes us again later.
            (Cause::Status { refusal, .. }, ConnectStage::Media) if refusal.may_pass() => {
                Trouble::Lost
            }
            (Cause::Status { refusal: Refusal::Busy, .. }, _) => Trouble::Busy,
            (Cause::Status { .. } | Cause::Answer { .. } | Cause::Codecs(_), _) => Trouble::Refused,
            (_, ConnectStage::Media) => Trouble::Lost,
            // Asked by name and answered by hanging up: how several servers say no.
            (
                Cause::Closed | Cause::Reset,
                ConnectStage::Connect | ConnectStage::Publish | ConnectStage::Play,
            ) => Trouble::Refused,
            (Cause::ConnectionRefused | Cause::HostUnreachable | Cause::Forbidden, _) => {
                Trouble::Unreachable
            }
            (Cause::TimedOut { .. }, _) => Trouble::Timeout,
            (Cause::Certificate { .. }, _) => Trouble::Certificate,
            (
                Cause::NotRtmp(_)
                | Cause::NotTls
                | Cause::Tls(_)
                | Cause::Protocol(_)
                | Cause::Web(_)
                | Cause::Tunnel { .. },
                _,
            ) => Trouble::NotRtmp,
            _ => Trouble::Failed,
        }
    }

    /// The class of this error before anything was live.
    pub fn class(&self) -> Class {
        self.trouble().class()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hanging_up_once_asked_is_a_refusal_at_whatever_stage() {
        let error = |stage, cause| Error { stage, cause, peer: "live.example:1935".into() };
        for stage in [ConnectStage::Connect, ConnectStage::Publish] {
            for cause in [Cause::Closed, Cause::Reset] {
                let error = error(stage, cause);
                assert_eq!((error.trouble(), error.class()), (Trouble::Refused, Class::Refused));
            }
        }
        // Before anything was asked for nobody can have refused it.
        for stage in [ConnectStage::Tls, ConnectStage::Handshake] {
            assert_eq!(error(stage, Cause::Closed).class(), Class::Unreachable);
        }
        assert_eq!(error(ConnectStage::Media, Cause::Closed).trouble(), Trouble::Lost);
        let busy = |stage, refusal| {
            let (code, description) = ("NetStream.Publish.BadName".to_owned(), String::new());
            error(stage, Cause::Status { refusal, code, description })
        };
        assert_eq!(busy(ConnectStage::Publish, Refusal::Busy).trouble(), Trouble::Busy);
        // By what it says, not by its code.
        assert_eq!(busy(ConnectStage::Publish, Refusal::Unauthorized).trouble(), Trouble::Refused);
        assert_eq!(busy(ConnectStage::Media, Refusal::Rejected).trouble(), Trouble::Refused);
        assert_eq!(busy(ConnectStage::Media, Refusal::Closed).trouble(), Trouble::Lost);
    }
}
