//! What can go wrong on the way to a server: the stage it happened at, what exactly it was, and
//! what a person can do about it (the stages are those of the JSON events).

pub mod problem;
mod sentence;
pub mod trouble;

use std::fmt;
use std::io;
use std::time::Duration;

use crate::net::certificate_pin::CertificatePin;
pub use crate::net::error::problem::{CertificateProblem, NotRtmp, WebProblem};
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
pub struct Tried {
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
    /// It will not or cannot reach the server, in its words.
    Refused(String),
    /// It is no such proxy.
    NotProxy(String),
}

impl fmt::Display for ProxyProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable(cause) => cause.fmt(f),
            Self::NeedsLogin => f.write_str("it wants a user and a password"),
            Self::WrongLogin => f.write_str("it does not accept the user and password"),
            Self::Refused(words) => write!(f, "it does not connect: {words}"),
            Self::NotProxy(words) => f.write_str(words),
        }
    }
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
    /// The TLS handshake failed, in the library's words.
    Tls(String),
    /// A file of trusted certificates cannot be used.
    TrustFile { path: String, reason: String },
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
    Protocol(String),
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
    Bind { from: String, reason: String },
    /// None of several ports does; in the order they were tried.
    EveryPort(Vec<Tried>),
    /// Another failure of the system, in its words.
    Io(String),
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
            // The system's own time-out of a connection (TCP_USER_TIMEOUT among them).
            Kind::TimedOut => Self::Io("the connection timed out".into()),
            _ => Self::Io(error.to_string()),
        }
    }
}

/// So that it can travel inside an [`io::Error`]; see [`Cause::from_io`].
impl std::error::Error for Cause {}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSuchHost => f.write_str("no host of this name is known"),
            Self::LookupFailed(text) => write!(f, "the name could not be looked up: {text}"),
            Self::ConnectionRefused => f.write_str("connection refused: nothing listens there"),
            Self::TimedOut { after } => write!(f, "no answer within {}", seconds(*after)),
            Self::HostUnreachable => f.write_str("the network or the host is unreachable"),
            Self::Forbidden => f.write_str("this machine forbids the connection"),
            Self::Closed => f.write_str("the server closed the connection"),
            Self::Reset => f.write_str("the connection was cut"),
            Self::NoProgress { after } => {
                write!(f, "the server took no data for {}", seconds(*after))
            }
            Self::Certificate { problem, .. } => {
                write!(f, "the server's certificate is not accepted: {problem}")
            }
            Self::NotTls => f.write_str("the server does not speak TLS on this port"),
            Self::Tls(text) => write!(f, "the secure connection failed: {text}"),
            Self::TrustFile { path, reason } => {
                write!(f, "the certificate file {path} cannot be used: {reason}")
            }
            Self::NotRtmp(seen) => seen.fmt(f),
            Self::Tunnel { status: 0, .. } => {
                f.write_str("the server does not speak HTTP on this port")
            }
            Self::Tunnel { status, reason } => {
                write!(f, "the server refuses the tunnel through HTTP: {status} {reason}")
            }
            Self::Answer { status, reason } => {
                let said = format!("{status} {reason}");
                write!(f, "the server answers {}", said.trim_end())
            }
            Self::Web(problem) => problem.fmt(f),
            Self::Protocol(text) => write!(f, "the server broke the protocol: {text}"),
            Self::Status { refusal, code, description } => {
                let said = [code.as_str(), description.as_str()];
                let said = said.into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>();
                match said.is_empty() {
                    true => write!(f, "{refusal}"),
                    false => write!(f, "{refusal}; the server says {}", said.join(": ")),
                }
            }
            Self::NetworkChanged => f.write_str("this machine's network has changed"),
            Self::NoNetwork => f.write_str("this machine has no network that leads there"),
            Self::Silent => f.write_str("the server takes no data"),
            Self::StillThere(said) => {
                write!(f, "probably your previous connection is still there: {said}")
            }
            Self::Proxy { proxy, problem } => write!(f, "the proxy {proxy}: {problem}"),
            Self::Codecs(names) => {
                write!(f, "the server does not take {}", names.join(" and "))
            }
            Self::Bind { from, reason } => {
                write!(f, "connections cannot leave from {from}: {reason}")
            }
            Self::EveryPort(tried) => {
                f.write_str("no port does")?;
                tried.iter().enumerate().try_for_each(|(at, tried)| {
                    let before = if at == 0 { ": " } else { "; " };
                    write!(f, "{before}{} ({}): {}", tried.port, tried.stage, tried.cause)
                })
            }
            Self::Io(text) => f.write_str(text),
        }
    }
}

fn seconds(time: Duration) -> String {
    if time.subsec_millis() == 0 {
        format!("{} s", time.as_secs())
    } else {
        format!("{:.1} s", time.as_secs_f64())
    }
}

/// A failure on the way to or in a connection. `Display` is a whole sentence's worth without the
/// stream key: what, where, why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{peer}: {}", self.with_stage())]
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

    /// Whether a web server was asked for bytes behind the end of what stands there.
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

    /// What a person can do about it, in one or two plain sentences.
    pub fn advice(&self) -> String {
        use CertificateProblem as Problem;
        match &self.cause {
            Cause::Certificate {
                problem: Problem::UnknownIssuer | Problem::OwnAuthority | Problem::Other(_),
                presented: Some(pin),
            } => format!("{} Its pin is {pin}.", advice(self)),
            _ => advice(self).into(),
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

fn advice(error: &Error) -> &'static str {
    match (&error.cause, error.stage) {
        (Cause::EveryPort(_), ConnectStage::Tcp) => {
            "Check that the server is running and which ports it uses; a firewall may block them \
             all but that of the web, where rtmps:// or rtmpts:// may pass."
        }
        (Cause::EveryPort(_), _) => "Check which ports the server uses, and what for.",
        (Cause::Proxy { problem, .. }, _) => match problem {
            ProxyProblem::Unreachable(_) => "Check the proxy's address and port, and that it runs.",
            ProxyProblem::NeedsLogin => {
                "Give the proxy's user and password: http://user:password@host:port."
            }
            ProxyProblem::WrongLogin => "Check the proxy's user and password.",
            ProxyProblem::Refused(_) => {
                "Check the server's address and port; many proxies let only port 443 through."
            }
            ProxyProblem::NotProxy(_) => {
                "Check the proxy's address, port and kind (http:// or socks5://)."
            }
        },
        (Cause::Codecs(_), _) => {
            "Send it as H.264 and AAC, which every server takes (without --copy), or to a server that \
             takes these."
        }
        (Cause::Bind { .. }, _) => {
            "Choose an address or interface that this machine has and that leads to the server."
        }
        (Cause::NoSuchHost, _) => {
            "Check the spelling of the server's address, and that this machine is online."
        }
        (Cause::LookupFailed(_), _) | (Cause::TimedOut { .. }, ConnectStage::Dns) => {
            "Check that this machine is online and its DNS works."
        }
        (Cause::ConnectionRefused, _) => {
            "Check the port, and that the server is running. RTMP uses 1935, RTMPS usually 443."
        }
        (Cause::TimedOut { .. }, ConnectStage::Tcp) => {
            "Check the address and port; a firewall may block the way, or the server is down."
        }
        (Cause::HostUnreachable, _) => "Check the network connection, VPN and address.",
        (Cause::Forbidden, _) => "A firewall or security setting of this machine blocks it.",
        (Cause::Certificate { problem: CertificateProblem::Expired { .. }, .. }, _) => {
            "Check this machine's date; if it is right, the server's owner must renew the certificate."
        }
        (Cause::Certificate { problem: CertificateProblem::NotYetValid { .. }, .. }, _) => {
            "Check this machine's date and time."
        }
        (Cause::Certificate { problem: CertificateProblem::WrongName { .. }, .. }, _) => {
            "Use the server name the certificate was made for."
        }
        (
            Cause::Certificate {
                problem: CertificateProblem::NotPinned { accepted: true, .. },
                ..
            },
            _,
        ) => {
            "If the server's certificate was renewed on purpose, forget the old one behind the gear on \
             the Watch page (Connection) and play again; otherwise somebody may be listening in: do \
             not connect."
        }
        (Cause::Certificate { problem: CertificateProblem::NotPinned { .. }, .. }, _) => {
            "If the server's certificate was renewed on purpose, pin the new one; \
             otherwise somebody may be listening in: do not connect."
        }
        (Cause::Certificate { .. }, _) => {
            "For your own server, trust its certificate with --tls-ca or --tls-pin; \
             otherwise do not send your key there."
        }
        (Cause::NotTls, _) | (Cause::Tls(_), _) => {
            "Check the port; if the server has no TLS, use rtmp:// instead of rtmps://."
        }
        (Cause::TrustFile { .. }, _) => "Give a readable file of certificates in PEM or DER.",
        (Cause::Tunnel { .. }, _) => {
            "The server takes no RTMP inside HTTP there: check the port, or use rtmp:// instead of \
             rtmpt:// (rtmps:// instead of rtmpts://)."
        }
        (Cause::NotRtmp(NotRtmp::Tls), _) => "Use rtmps:// instead of rtmp://.",
        (Cause::NotRtmp(_), _) => {
            "Check address and port: this is no RTMP server. RTMP servers usually use port 1935."
        }
        (Cause::TimedOut { .. } | Cause::Closed | Cause::Reset, ConnectStage::Tls) => {
            "Check the port; if the server has no TLS, use rtmp:// instead of rtmps://."
        }
        (Cause::TimedOut { .. } | Cause::Closed | Cause::Reset, ConnectStage::Handshake) => {
            "Check that address and port belong to an RTMP server; if it wants TLS, use rtmps://."
        }
        (Cause::Closed | Cause::Reset | Cause::TimedOut { .. }, ConnectStage::Connect) => {
            "Check the application part of the URL (such as /live); the server may also be full."
        }
        (Cause::Closed | Cause::Reset, ConnectStage::Publish) => {
            "Many servers refuse like this: check the stream key, and that nobody else \
             (or your own earlier connection) is live with it."
        }
        (Cause::TimedOut { .. }, ConnectStage::Publish) => {
            "The server did not answer: check the stream key, or try again later."
        }
        (Cause::Closed | Cause::Reset | Cause::TimedOut { .. }, ConnectStage::Play) => {
            "Check the stream's name, and that it is live."
        }
        (Cause::Status { refusal, .. }, stage) => refusal_advice(*refusal, stage),
        (Cause::NetworkChanged, _) => "onair connects again over the network that there is now.",
        (Cause::NoNetwork, _) => {
            "Plug the network cable in or join the wireless network again: onair connects as soon as \
             there is a network."
        }
        (Cause::Silent, _) => {
            "The server, or the network on the way, has stalled. If it happens often, use another \
             server of the service."
        }
        (Cause::StillThere(_), _) => {
            "Wait: the server lets the previous connection go by itself. If that takes minutes, \
             something else is live with this key: end it there."
        }
        (Cause::NoProgress { .. }, _) => {
            "The network or the server has stalled: check the connection."
        }
        (Cause::Answer { status: 401 | 403, .. }, _) => {
            "Check user and password (https://user:password@server/…) or the token in the URL."
        }
        (Cause::Answer { status: 404 | 410, .. }, _) => {
            "Check the path in the URL, and that the stream is live."
        }
        (Cause::Answer { .. }, _) => "Try again later, and see the server's own messages.",
        (Cause::Web(_), _) => {
            "The server is at fault: try another address, or tell whoever runs the server."
        }
        (
            Cause::Closed | Cause::Reset | Cause::TimedOut { .. } | Cause::Protocol(_),
            ConnectStage::Request,
        ) => {
            "Check that address and port belong to a web server; if it wants TLS, use https:// or \
             wss://."
        }
        (Cause::Protocol(_), _) => {
            "The server, or something between, sends what is no proper RTMP: try another server."
        }
        (_, ConnectStage::Media) => "Check the network connection and the server's own messages.",
        _ => "Check address, port and network connection.",
    }
}

fn refusal_advice(refusal: Refusal, stage: ConnectStage) -> &'static str {
    match refusal {
        Refusal::Busy => {
            "Wait if it is your own earlier connection, which ends by itself. Else end the program \
             that is live with this key, or check the key."
        }
        Refusal::Unauthorized if stage == ConnectStage::Connect => {
            "Check user and password (rtmp://user:password@server/app), or the URL."
        }
        Refusal::Unauthorized => "Check the stream key: copy it again from the service's page.",
        Refusal::BadApp => "Check the application part of the URL (such as /live).",
        Refusal::NotFound => "Check the stream's name, and that it is live.",
        Refusal::Rejected => {
            "Check the URL and the stream key; the service may also have closed this account."
        }
        Refusal::Closed | Refusal::Failed if stage == ConnectStage::Media => {
            "The server ended the stream: see its message and the service's page."
        }
        Refusal::Closed | Refusal::Failed => {
            "Try again later, and see the service's page for the state of the stream."
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
        assert_eq!(banner.to_string(), "the server greeted with \"SSH-2.0-OpenSSH_9.2\"");
        let bytes = NotRtmp::sniff(&[0, 0xff]).unwrap();
        assert!(bytes.to_string().ends_with("00 ff"), "{bytes}");
    }

    #[test]
    fn every_cause_reads_as_a_sentence_and_has_advice() {
        let error = Error {
            stage: ConnectStage::Tls,
            cause: Cause::Certificate {
                problem: CertificateProblem::Expired { not_after: Some(86_400) },
                presented: None,
            },
            peer: "live.example:443".into(),
        };
        assert_eq!(
            error.to_string(),
            "live.example:443: the server's certificate is not accepted: \
             it expired on 1970-01-02 (not after)"
        );
        assert!(error.advice().contains("date"));
        let renewed = [false, true].map(|accepted| {
            let (expected, presented) = ("x".to_owned(), "y".to_owned());
            let problem = CertificateProblem::NotPinned { expected, presented, accepted };
            let cause = Cause::Certificate { problem, presented: None };
            Error { cause, ..error.clone() }.advice()
        });
        assert!(renewed[0].contains("pin the new one") && renewed[1].contains("behind the gear"));
        assert_eq!(error.class().exit_code(), 6);
    }
}
