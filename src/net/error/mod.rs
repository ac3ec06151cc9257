//! What can go wrong on the way to a server: the stage it happened at, what exactly it was, and
//! what a person can do about it (the stages are those of the JSON events).

mod as_problem;
pub mod problem;
pub mod trouble;

use std::fmt;
use std::io;
use std::time::Duration;

use crate::net::certificate_pin::CertificatePin;
pub use crate::net::error::problem::{CertificateProblem, NotRtmp, WebProblem};
use crate::text::Problem;
use crate::text::problem::problem;
pub use crate::wire::rtmp::status::Refusal;

/// The steps to a stream, in their order.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ConnectStage {
    /// Looking the name up.
    Dns,
    /// Reaching the port.
    Tcp,
    /// Securing the connection.
    Tls,
    /// The RTMP handshake.
    Handshake,
    /// The RTMP `connect` command.
    Connect,
    /// Asking to publish.
    Publish,
    /// Asking to play.
    Play,
    /// Asking a web server.
    Request,
    /// Sending or receiving the stream.
    Media,
}

impl ConnectStage {
    /// Its name in events: `dns`, `tcp`, `tls`, `handshake`, `connect`, `publish`, `play`,
    /// `request`, `media`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Dns => "dns",
            Self::Tcp => "tcp",
            Self::Tls => "tls",
            Self::Handshake => "handshake",
            Self::Connect => "connect",
            Self::Publish => "publish",
            Self::Play => "play",
            Self::Request => "request",
            Self::Media => "media",
        }
    }
}

impl fmt::Display for ConnectStage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What is told on the way to a server.
#[derive(Copy, Clone, Debug)]
pub enum Step<'a> {
    /// This stage begins.
    Stage(ConnectStage),
    /// This port did not do; the next one is tried.
    NextPort(&'a Error),
    /// The server hung up at the handshake; it is tried once more with the digests of Flash Player, which
    /// some insist on.
    Digests(&'a Error),
    /// The server sends us elsewhere; whether user and password go along.
    Elsewhere { to: &'a str, with_password: bool },
}

/// A port that was tried in vain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailedAttempt {
    pub port: u16,
    pub stage: ConnectStage,
    pub cause: Cause,
}

/// What kind of ending an error is, as the exit codes count them.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    /// A file or setting of ours is at fault (exit code 3).
    Settings,
    /// The server cannot be reached or is none (6).
    Unreachable,
    /// The server said no (7).
    Refused,
    /// It worked and was lost (8).
    Lost,
    /// The server has no such stream (9).
    NoSuchStream,
}

impl Class {
    /// The process exit code.
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Settings => 3,
            Self::Unreachable => 6,
            Self::Refused => 7,
            Self::Lost => 8,
            Self::NoSuchStream => 9,
        }
    }
}

/// Why a proxy does not let us through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProxyProblem {
    /// It cannot be reached itself.
    Unreachable(Box<Cause>),
    /// It wants a user and a password.
    NeedsLogin,
    /// It does not accept them.
    WrongLogin,
    /// It will not or cannot reach the server; why.
    Refused(Problem),
    /// It is no such proxy; how that shows.
    NotProxy(Problem),
}

/// What exactly went wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The name is not known to the resolver.
    NoSuchHost,
    /// The resolver failed, in the system's words.
    LookupFailed(String),
    /// Nothing listens on the port.
    ConnectionRefused,
    /// No answer within this time.
    TimedOut { after: Duration },
    /// No way to the network or host.
    HostUnreachable,
    /// A firewall or the system forbids it.
    Forbidden,
    /// The server closed the connection.
    Closed,
    /// The server, or something on the way, cut the connection.
    Reset,
    /// Sent data was not taken for this long although the connection stands.
    NoProgress { after: Duration },
    /// The server's certificate is not accepted; the pin is that of the one it showed.
    Certificate { problem: CertificateProblem, presented: Option<CertificatePin> },
    /// The server does not speak TLS.
    NotTls,
    /// The TLS handshake failed; mostly in the library's words.
    Tls(Problem),
    /// A file of trusted certificates cannot be used.
    TrustFile { path: String, reason: Problem },
    /// What answers is no RTMP server.
    NotRtmp(NotRtmp),
    /// A web server answers, and takes no RTMP inside HTTP; its status (0 for an answer that is no
    /// HTTP) and its words.
    Tunnel { status: u16, reason: String },
    /// A web server has an answer, and not what was asked for: its status and its words.
    Answer { status: u16, reason: String },
    /// A web server gives something else than what it was asked for.
    Web(WebProblem),
    /// The server broke the protocol's rules; how.
    Protocol(Problem),
    /// The server refused: what that means, its code (`NetStream.Publish.BadName`) and its words.
    Status { refusal: Refusal, code: String, description: String },
    /// This machine's network has changed, and nothing gets through any more.
    NetworkChanged,
    /// No network of this machine leads to the server: a cable is out, the wireless network is gone.
    NoNetwork,
    /// While live: the server accepts nothing for the moment.
    Silent,
    /// Right after a loss: the server turns us away, mostly because it still has our previous connection.
    StillThere(Box<Self>),
    /// The server says which codecs it takes, and these are not among them.
    Codecs(Vec<String>),
    /// A proxy does not let us through; without its user and password.
    Proxy { proxy: String, problem: ProxyProblem },
    /// Connections cannot leave from this address or interface.
    Bind { from: String, reason: Problem },
    /// None of several ports does; in the order they were tried.
    EveryPort(Vec<FailedAttempt>),
    /// Another failure of the system, mostly in its words.
    Io(Problem),
}

impl Cause {
    /// The cause behind a failed read, write or connect.
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
            // The system's own time-from a connection (TCP_USER_TIMEOUT among them).
            Kind::TimedOut => Self::Io(problem!("net-timed-out")),
            _ => Self::Io(error.to_string().into()),
        }
    }
}

/// So that it can travel inside an [`io::Error`]; see [`Cause::from_io`].
impl std::error::Error for Cause {}

/// A failure on the way to or in a connection. `Display` is a whole sentence's worth without the
/// stream key: what, where, why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// At which step.
    pub stage: ConnectStage,
    /// What exactly.
    pub cause: Cause,
    /// The server as `host:port`.
    pub peer: String,
}

impl Error {
    /// The server's own code, where it gave one.
    pub fn code(&self) -> Option<&str> {
        match &self.cause {
            Cause::Status { code, .. } if !code.is_empty() => Some(code),
            Cause::StillThere(said) => match &**said {
                Cause::Status { code, .. } if !code.is_empty() => Some(code),
                _ => None,
            },
            _ => None,
        }
    }

    /// Whether a web server was asked for bytes behind the end of what is there.
    pub fn is_past_the_end(&self) -> bool {
        matches!(self.cause, Cause::Answer { status: 416, .. })
    }

    /// Whether trying again later may help. A file of ours that is unusable and a server's plain no
    /// stay what they are; a network, a server that restarts and a name in use do not.
    pub fn may_pass(&self) -> bool {
        match &self.cause {
            Cause::TrustFile { .. } | Cause::Codecs(_) => false,
            Cause::Status { refusal, .. } => refusal.may_pass(),
            Cause::Answer { status, .. } => !matches!(status, 400..=403 | 405..=407),
            _ => true,
        }
    }

    /// The pin with which the server's certificate would be accepted, where that is a remedy: it is
    /// one for a certificate that nobody vouches for, and none where somebody else may answer.
    pub fn pin_to_offer(&self) -> Option<CertificatePin> {
        use CertificateProblem as Problem;
        match &self.cause {
            Cause::Certificate {
                problem: Problem::UnknownIssuer | Problem::OwnAuthority,
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
