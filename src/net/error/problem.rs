//! What can be wrong with a certificate, what may answer instead of an RTMP server, and what web servers do
//! instead of giving what they are asked for.

use std::fmt;

/// Why a server's certificate is not accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CertificateProblem {
    /// Its *not after* lies in the past. Seconds since the Unix epoch, where known.
    Expired { not_after: Option<u64> },
    /// Its *not before* lies in the future. Seconds since the Unix epoch, where known.
    NotYetValid { not_before: Option<u64> },
    /// None of its names is the host's.
    WrongName { host: String, names: Vec<String> },
    /// Nobody this machine trusts has signed it (or it has signed itself).
    UnknownIssuer,
    /// Its issuer has withdrawn it.
    Revoked,
    /// A signature does not fit.
    BadSignature,
    /// It is made for another purpose than a server.
    WrongPurpose,
    /// It is an authority's, which may not stand for a server. `openssl req -x509` makes such
    /// ones, which sign themselves, unless told otherwise.
    OwnAuthority,
    /// It is not the one that was pinned; both are SHA-256 in hex. `accepted`: that one was accepted
    /// of this server alone, when it was shown.
    NotPinned { expected: String, presented: String, accepted: bool },
    /// Anything else, in the verifier's words.
    Other(String),
}

impl fmt::Display for CertificateProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Expired { not_after: Some(at) } => {
                write!(f, "it expired on {} (not after)", date(*at))
            }
            Self::Expired { not_after: None } => f.write_str("it has expired (not after)"),
            Self::NotYetValid { not_before: Some(at) } => {
                write!(f, "it is valid only from {} on (not before)", date(*at))
            }
            Self::NotYetValid { not_before: None } => {
                f.write_str("it is not valid yet (not before)")
            }
            Self::WrongName { host, names } if names.is_empty() => {
                write!(f, "it names no host at all (subject alternative name), not {host}")
            }
            Self::WrongName { host, names } => {
                let names = names.iter().take(8).cloned().collect::<Vec<_>>().join(", ");
                write!(f, "it is for {names} (subject alternative name), not for {host}")
            }
            Self::UnknownIssuer => f.write_str(
                "its issuer is not trusted by this machine, or it signed itself (issuer)",
            ),
            Self::Revoked => f.write_str("its issuer has withdrawn it (revocation)"),
            Self::BadSignature => f.write_str("its signature does not fit (signature)"),
            Self::WrongPurpose => f.write_str("it is not made for a server (extended key usage)"),
            Self::OwnAuthority => f.write_str(
                "it is marked as an authority's own, as one that signs itself mostly is, and not \
                 as a server's (basic constraints: CA)",
            ),
            Self::NotPinned { expected, presented, .. } => {
                write!(f, "its SHA-256 is {presented}, not the pinned {expected}")
            }
            Self::Other(text) => f.write_str(text),
        }
    }
}

/// The day of a Unix time, UTC.
fn date(seconds: u64) -> String {
    i64::try_from(seconds)
        .ok()
        .and_then(|seconds| jiff::Timestamp::from_second(seconds).ok())
        .map_or_else(|| format!("second {seconds}"), |at| at.strftime("%Y-%m-%d").to_string())
}

/// What answered instead of an RTMP server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotRtmp {
    /// A web server.
    Http,
    /// A TLS server, without being asked for TLS.
    Tls,
    /// A mail, file or shell server that greets with this line.
    Banner(String),
    /// Anything else; its first bytes.
    Bytes(Vec<u8>),
}

impl NotRtmp {
    /// What kind of server begins its answer like this; `None` where it may be RTMP.
    pub fn sniff(first: &[u8]) -> Option<Self> {
        match first {
            [] | [0x03, ..] => None,
            // A TLS record: alert or handshake, version 3.x.
            [0x15 | 0x16, 0x03, ..] => Some(Self::Tls),
            _ if first.starts_with(b"HTTP/") || first.starts_with(b"<") => Some(Self::Http),
            _ => {
                let line = first.split(|byte| *byte == b'\r' || *byte == b'\n').next();
                let line = line.unwrap_or_default();
                if line.len() >= 4 && line.iter().all(|b| (0x20..0x7f).contains(b)) {
                    Some(Self::Banner(String::from_utf8_lossy(line).chars().take(60).collect()))
                } else {
                    Some(Self::Bytes(first.iter().take(8).copied().collect()))
                }
            }
        }
    }
}

impl fmt::Display for NotRtmp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Http => f.write_str("a web server (HTTP) answered"),
            Self::Tls => f.write_str("the server speaks TLS on this port"),
            Self::Banner(line) => write!(f, "the server greeted with \"{line}\""),
            Self::Bytes(bytes) => {
                f.write_str("the answer is no RTMP handshake; it begins with")?;
                bytes.iter().try_for_each(|byte| write!(f, " {byte:02x}"))
            }
        }
    }
}

/// What a web server does instead of giving what it is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WebProblem {
    /// One redirection leads to the next.
    RoundAndRound,
    /// A redirection leads to what is no address that is read from; why.
    Nowhere(String),
    /// A redirection leads out of TLS.
    Unsafe,
    /// A redirection leads from a socket to a page, or the other way.
    OtherProtocol,
    /// The body is packed, by this method.
    Packed(String),
    /// The body is longer than what was asked for, or than anything that is read.
    TooMuch { kib: usize },
    /// The body is shorter than its head says.
    TooLittle,
    /// It is the whole, or another part than the one that was asked for.
    OtherPart,
}

impl fmt::Display for WebProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RoundAndRound => f.write_str("the server sends us on from address to address"),
            Self::Nowhere(why) => {
                write!(f, "the server sends us on to where nothing can be read: {why}")
            }
            Self::Unsafe => f.write_str(
                "the server sends us on to an address without TLS, which would not be as safe",
            ),
            Self::OtherProtocol => f.write_str("the server sends us on to another protocol"),
            Self::Packed(by) => {
                write!(f, "the server packs what was asked for unpacked ({by})")
            }
            Self::TooMuch { kib } => write!(f, "the server sends more than {kib} KiB"),
            Self::TooLittle => f.write_str("the server sends less than it says"),
            Self::OtherPart => f.write_str(
                "the server gives something else than the part of the file that was asked for",
            ),
        }
    }
}
