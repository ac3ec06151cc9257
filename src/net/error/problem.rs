//! What can be wrong with a certificate, what may answer instead of an RTMP server, and what web servers do
//! instead of giving what they are asked for.

use std::fmt;

use crate::text::Problem;

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

/// What a web server does instead of giving what it is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WebProblem {
    /// One redirection leads to the next.
    RoundAndRound,
    /// A redirection leads to what is no address that is read from; why.
    Nowhere(UrlError),
    /// A redirection leads from TLS.
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

/// Why a text is no address that can be read from.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum UrlError {
    /// It is longer than such addresses are.
    TooLong,
    Unreadable,
    Scheme,
    NoHost,
}

impl fmt::Display for UrlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Problem::from(self).fmt(f)
    }
}
