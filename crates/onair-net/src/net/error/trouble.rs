//! Classifies errors. The kind of an error determines the notice and the exit code
//! (docs/reference/messages.md, *Exit codes*).

use crate::net::error::{Cause, Class, ConnectStage, Error, Refusal};

/// The kind of a problem with a server.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum Trouble {
    /// A local file or setting is wrong.
    Settings,
    /// The server's name is unknown.
    NoSuchHost,
    /// This computer has no network connection to the server.
    NoNetwork,
    /// The port is closed, or the server is unreachable.
    Unreachable,
    /// The server does not answer.
    Timeout,
    /// The server's certificate is not accepted.
    Certificate,
    /// The peer is not an RTMP server.
    NotRtmp,
    /// The server rejects the stream, explicitly or by closing the connection after a request.
    Refused,
    /// Another publisher is live under this name.
    Busy,
    /// The server has no such stream.
    NoSuchStream,
    /// While the stream is live, the server accepts no data.
    Silent,
    /// While the stream was live, the connection was lost.
    Lost,
    /// Another failure to connect.
    Failed,
    /// onair itself has failed.
    Internal,
}

impl Trouble {
    /// Returns the class for exit codes.
    pub const fn class(self) -> Class {
        match self {
            Self::Settings => Class::Settings,
            Self::Refused | Self::Busy => Class::Refused,
            Self::NoSuchStream => Class::NoSuchStream,
            Self::Silent | Self::Lost => Class::Lost,
            Self::Internal => Class::Internal,
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
    /// Returns the kind of this error.
    pub fn trouble(&self) -> Trouble {
        match (&self.cause, self.stage) {
            (Cause::Crashed, _) => Trouble::Internal,
            (Cause::TrustFile { .. }, _) => Trouble::Settings,
            (Cause::NoSuchHost | Cause::LookupFailed(_), _) => Trouble::NoSuchHost,
            (Cause::NoNetwork, _) => Trouble::NoNetwork,
            (Cause::Silent, _) => Trouble::Silent,
            (Cause::StillThere(_), _) => Trouble::Busy,
            (Cause::Status { refusal: Refusal::NotFound, .. }, _)
            | (Cause::Answer { status: 404 | 410, .. }, _) => Trouble::NoSuchStream,
            (Cause::AcceptedThenClosed { .. }, _) => Trouble::Refused,
            (Cause::Unanswered { .. }, _) => Trouble::Timeout,
            // The server ended a running stream, and will accept it again later.
            (Cause::Status { refusal, .. }, ConnectStage::Media) if refusal.may_pass() => {
                Trouble::Lost
            }
            (Cause::Status { refusal: Refusal::Busy, .. }, _) => Trouble::Busy,
            (
                Cause::Status { .. }
                | Cause::Answer { .. }
                | Cause::Codecs(_)
                | Cause::NoEndpoint { .. }
                | Cause::ReorderedFrames,
                _,
            ) => Trouble::Refused,
            (_, ConnectStage::Media) => Trouble::Lost,
            // The server closes the connection after a request: several servers reject a stream
            // like this.
            (
                Cause::Closed | Cause::Reset,
                ConnectStage::Connect | ConnectStage::Publish | ConnectStage::Play,
            ) => Trouble::Refused,
            (Cause::ConnectionRefused | Cause::HostUnreachable | Cause::Forbidden, _) => {
                Trouble::Unreachable
            }
            (Cause::TimedOut { .. } | Cause::SrtSilent { .. } | Cause::SrtNoCaller { .. }, _) => {
                Trouble::Timeout
            }
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

    /// Returns the class of an error before anything was live.
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
        // Before any request, nothing can have been rejected.
        for stage in [ConnectStage::Tls, ConnectStage::Handshake] {
            assert_eq!(error(stage, Cause::Closed).class(), Class::Unreachable);
        }
        assert_eq!(error(ConnectStage::Media, Cause::Closed).trouble(), Trouble::Lost);
        for stage in [ConnectStage::Tcp, ConnectStage::Media] {
            assert_eq!(error(stage, Cause::Crashed).class(), Class::Internal);
        }
        let busy = |stage, refusal| {
            let (code, description) = ("NetStream.Publish.BadName".to_owned(), String::new());
            error(stage, Cause::Status { refusal, code, description })
        };
        assert_eq!(busy(ConnectStage::Publish, Refusal::Busy).trouble(), Trouble::Busy);
        // The text of the message decides, not the code.
        assert_eq!(busy(ConnectStage::Publish, Refusal::Unauthorized).trouble(), Trouble::Refused);
        assert_eq!(busy(ConnectStage::Media, Refusal::Rejected).trouble(), Trouble::Refused);
        assert_eq!(busy(ConnectStage::Media, Refusal::Closed).trouble(), Trouble::Lost);
    }
}
