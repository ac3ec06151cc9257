//! Connection errors: the stage (as in the JSON events), the cause, and the cure.

pub(in crate::net) mod as_problem;
pub mod problem;
pub(in crate::net) mod socks;
pub mod trouble;

use std::fmt;
use std::io;
use std::time::Duration;

use crate::base::named;
pub use crate::net::error::problem::{CertificateProblem, NotRtmp, WebProblem};
use crate::net::tls::certificate_pin::CertificatePin;
use crate::text::Problem;
use crate::text::problem::problem;
pub use crate::wire::rtmp::status::Refusal;

named! {
    /// The stages of a connection, in order.
    #[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
    pub enum ConnectStage {
        /// Name lookup.
        Dns = "dns",
        /// Connection to the port.
        Tcp = "tcp",
        /// TLS handshake.
        Tls = "tls",
        /// The RTMP handshake.
        Handshake = "handshake",
        /// The RTMP `connect` command.
        Connect = "connect",
        /// The request to publish.
        Publish = "publish",
        /// The request to play.
        Play = "play",
        /// The request to a web server.
        Request = "request",
        /// The search for a path of the media (ICE).
        Ice = "ice",
        /// The DTLS handshake on this path.
        Dtls = "dtls",
        /// Transfer of the stream.
        Media = "media",
    }
    /// Returns the name in events: `dns`, `tcp`, `tls`, `handshake`, `connect`, `publish`, `play`,
    /// `request`, `ice`,
    /// `dtls`, `media`.
    fn name;
}

impl fmt::Display for ConnectStage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A step of connecting.
#[derive(Copy, Clone, Debug)]
pub enum Step<'a> {
    /// A stage begins.
    Stage(ConnectStage),
    /// This port failed; the next one is tried.
    NextPort(&'a Error),
    /// The server closed the connection at the handshake. onair tries again with the digests of
    /// Flash Player, which some servers require.
    Digests(&'a Error),
    /// The server redirects to another address. The flag tells whether the user and the password
    /// are sent to that address.
    Elsewhere { to: &'a str, with_password: bool },
}

/// A port that was tried without success.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailedAttempt {
    pub port: u16,
    pub stage: ConnectStage,
    pub cause: Cause,
}

/// The class of an error, for exit codes.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    /// A local file or setting is wrong (exit code 3).
    Settings,
    /// The server is unreachable, or is not a streaming server (exit code 6).
    Unreachable,
    /// The server rejected the request (exit code 7).
    Refused,
    /// The connection worked and was lost (exit code 8).
    Lost,
    /// The server has no such stream (exit code 9).
    NoSuchStream,
    /// onair itself has failed (exit code 1).
    Internal,
}

impl Class {
    /// Returns the process exit code.
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Settings => 3,
            Self::Unreachable => 6,
            Self::Refused => 7,
            Self::Lost => 8,
            Self::NoSuchStream => 9,
            Self::Internal => 1,
        }
    }
}

/// The reason why a proxy rejects a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProxyProblem {
    /// The proxy itself is unreachable.
    Unreachable(Box<Cause>),
    /// The proxy requires a user name and a password.
    NeedsLogin,
    /// The proxy rejects the user name or the password.
    WrongLogin,
    /// The proxy accepts only these methods of login, none of which onair supports.
    OtherLogin(String),
    /// The proxy will not or cannot reach the server, with the reason.
    Refused(Problem),
    /// The peer is not a proxy of the selected kind; the value is the evidence.
    NotProxy(Problem),
}

impl ProxyProblem {
    /// Returns true if the login is wrong, missing or not supported.
    pub const fn is_login(&self) -> bool {
        matches!(self, Self::NeedsLogin | Self::WrongLogin | Self::OtherLogin(_))
    }
}

/// The cause of an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The resolver does not know the name.
    NoSuchHost,
    /// The resolver failed; the value is the system's message.
    LookupFailed(String),
    /// No service listens on the port.
    ConnectionRefused,
    /// There was no answer within this time.
    TimedOut { after: Duration },
    /// There is no route to the network or host.
    HostUnreachable,
    /// A firewall or the system forbids the connection.
    Forbidden,
    /// The connection is open, but the server has not answered for this long. It may still answer.
    Unanswered { after: Duration },
    /// The server accepted the stream, and closed the connection this long after its first packet.
    AcceptedThenClosed { after: Duration },
    /// The server has closed the connection several times in a row, each time after the same time.
    ClosedEachTime { after: Duration, times: u32 },
    /// The server closed the connection.
    Closed,
    /// The server, or something on the way, cut the connection.
    Reset,
    /// The server accepted no data for this long, although the connection exists.
    NoProgress { after: Duration },
    /// The server's certificate was rejected; `presented` is the pin of that certificate.
    Certificate { problem: CertificateProblem, presented: Option<CertificatePin> },
    /// The server does not speak TLS.
    NotTls,
    /// The TLS handshake failed, usually with the library's message.
    Tls(Problem),
    /// A file of trusted certificates cannot be used.
    TrustFile { path: String, reason: Problem },
    /// The peer is not an RTMP server.
    NotRtmp(NotRtmp),
    /// No SRT listener answers within this time.
    SrtSilent { after: Duration },
    /// Nobody calls the SRT listener within this time.
    SrtNoCaller { after: Duration },
    /// A web server answers but does not support RTMP over HTTP. The values are its status (0 if
    /// the answer is not HTTP) and its reason.
    Tunnel { status: u16, reason: String },
    /// A web server answers with an error: its status and its reason. `cookie` is true if a redirect
    /// to this answer set a cookie.
    Answer { status: u16, reason: String, cookie: bool },
    /// A web server has no WHIP endpoint at the address.
    NoEndpoint { status: u16 },
    /// The stream has frames that are shown in another order than they are sent (B-frames), and the
    /// protocol has no times for them.
    ReorderedFrames,
    /// A web server does not send the requested data.
    Web(WebProblem),
    /// The server violated the protocol.
    Protocol(Problem),
    /// The server rejected the request. The values are the meaning, the server's code
    /// (`NetStream.Publish.BadName`) and its text.
    Status { refusal: Refusal, code: String, description: String },
    /// The network of this computer changed, and the link is down.
    NetworkChanged,
    /// This computer has no network connection to the server: the cable or the wireless network is
    /// disconnected.
    NoNetwork,
    /// While live: the server accepts no data at the moment.
    Silent,
    /// Right after a loss: the server rejects the stream, usually because it still has the previous
    /// connection.
    StillThere(Box<Self>),
    /// The server's list of supported codecs lacks these codecs.
    Codecs(Vec<String>),
    /// A proxy rejects the connection. The proxy's address contains no user or password here.
    Proxy { proxy: String, problem: ProxyProblem },
    /// Connections cannot start from this address or interface.
    Bind { from: String, reason: Problem },
    /// None of several ports works. The attempts are in the order in which they were made.
    EveryPort(Vec<FailedAttempt>),
    /// The task of the connection has panicked.
    Crashed,
    /// Another failure of the system, usually with the system's message.
    Io(Problem),
}

impl Cause {
    /// Returns the cause of a failed read, write or connect.
    pub fn from_io(error: &io::Error) -> Self {
        use io::ErrorKind as Kind;
        if let Some(cause) = error.get_ref().and_then(|inner| inner.downcast_ref::<Self>()) {
            return cause.clone();
        }
        match error.kind() {
            Kind::ConnectionRefused => Self::ConnectionRefused,
            Kind::ConnectionReset | Kind::ConnectionAborted | Kind::BrokenPipe => Self::Reset,
            Kind::UnexpectedEof | Kind::NotConnected => Self::Closed,
            Kind::HostUnreachable | Kind::NetworkUnreachable | Kind::NetworkDown => {
                Self::HostUnreachable
            }
            Kind::PermissionDenied => Self::Forbidden,
            // The system's time limit for a connection (such as TCP_USER_TIMEOUT).
            Kind::TimedOut => Self::Io(problem!("net-timed-out")),
            _ => Self::Io(error.to_string().into()),
        }
    }
}

/// An error of connecting, or of a connection. `Display` shows a complete sentence without the
/// stream key: the failure, its place and its cause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// The stage of the failure.
    pub stage: ConnectStage,
    /// Cause of the error.
    pub cause: Cause,
    /// The server as `host:port`.
    pub peer: String,
}

impl Error {
    /// Returns the server's own code, if any.
    pub fn code(&self) -> Option<&str> {
        match &self.cause {
            Cause::Status { code, .. } if !code.is_empty() => Some(code),
            Cause::StillThere(inner) => match &**inner {
                Cause::Status { code, .. } if !code.is_empty() => Some(code),
                _ => None,
            },
            _ => None,
        }
    }

    /// Returns true if the error occurred before the request, so that the server has received
    /// nothing.
    pub fn is_before_request(&self) -> bool {
        matches!(self.stage, ConnectStage::Dns | ConnectStage::Tcp | ConnectStage::Tls)
    }

    /// Returns true if the request was for bytes past the end of a file.
    pub fn is_past_the_end(&self) -> bool {
        matches!(self.cause, Cause::Answer { status: 416, .. })
    }

    /// Returns true if a later attempt can help. An unusable local file, a computer without trusted
    /// authorities, a codec that the server does not support, a login that the proxy rejects, or a
    /// clear rejection is permanent; a network failure, a restarting server and a stream name in use
    /// are temporary.
    pub fn may_pass(&self) -> bool {
        match &self.cause {
            Cause::TrustFile { .. }
            | Cause::Codecs(_)
            | Cause::NoEndpoint { .. }
            | Cause::ReorderedFrames
            | Cause::Certificate { problem: CertificateProblem::NoRoots, .. } => false,
            Cause::Proxy { problem, .. } => !problem.is_login(),
            Cause::Status { refusal, .. } => refusal.may_pass(),
            Cause::Answer { status, .. } => !matches!(status, 400..=403 | 405..=407),
            _ => true,
        }
    }

    /// Returns the pin that would accept the server's certificate, if that is a remedy: for a
    /// certificate without a trusted issuer, but not if another server may be answering.
    pub fn pin_to_offer(&self) -> Option<CertificatePin> {
        use CertificateProblem as Problem;
        match &self.cause {
            Cause::Certificate {
                problem: Problem::UnknownIssuer | Problem::NoRoots | Problem::OwnAuthority,
                presented,
            } => *presented,
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_answered_is_recognised() {
        assert_eq!(NotRtmp::sniff(b""), None);
        assert_eq!(NotRtmp::sniff(&[3, 0, 0]), None);
        assert_eq!(NotRtmp::sniff(b"HTTP/1.1 400 Bad Request\r\n"), Some(NotRtmp::Http));
        assert_eq!(NotRtmp::sniff(&[0x15, 3, 1, 0, 2]), Some(NotRtmp::Tls));
        let banner = NotRtmp::sniff(b"SSH-2.0-OpenSSH_9.2\r\n").unwrap();
        assert_eq!(banner, NotRtmp::Banner("SSH-2.0-OpenSSH_9.2".to_owned()));
        assert_eq!(NotRtmp::sniff(&[0, 0xff]), Some(NotRtmp::Bytes(vec![0, 0xff])));
    }
}
