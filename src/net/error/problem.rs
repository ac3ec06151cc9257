//! Problems of certificates, servers that are not RTMP servers, and wrong answers of web servers.

use std::fmt;

use crate::text::Problem;

/// Why a server's certificate is not accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CertificateProblem {
    /// Its *not after* time is in the past. The time is in seconds since the Unix epoch, if known.
    Expired { not_after: Option<u64> },
    /// Its *not before* time is in the future. The time is in seconds since the Unix epoch, if
    /// known.
    NotYetValid { not_before: Option<u64> },
    /// None of its names matches the host.
    WrongName { host: String, names: Vec<String> },
    /// It is self-signed, or no authority that this computer trusts has signed it.
    UnknownIssuer,
    /// Its issuer has revoked it.
    Revoked,
    /// A signature is invalid.
    BadSignature,
    /// It is not valid for servers.
    WrongPurpose,
    /// It is a CA certificate, which cannot identify a server. `openssl req -x509` creates such
    /// self-signed ones by default.
    OwnAuthority,
    /// It is not the pinned one; both values are SHA-256 in hex. `accepted` means that the user had
    /// accepted the expected one for this server.
    NotPinned { expected: String, presented: String, accepted: bool },
    /// Another problem, with the verifier's message.
    Other(String),
}

/// A server that is not an RTMP server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotRtmp {
    /// A web server.
    Http,
    /// A TLS server, although TLS was not requested.
    Tls,
    /// A mail, file or shell server that greets with this line.
    Banner(String),
    /// Another server, with its first bytes.
    Bytes(Vec<u8>),
}

impl NotRtmp {
    /// The kind of server whose answer begins like this; `None` if it may be RTMP.
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

/// A wrong answer of a web server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WebProblem {
    /// A redirect loop.
    RoundAndRound,
    /// A redirect to an invalid address, with the reason.
    Nowhere(UrlError),
    /// A redirect leads from TLS to an insecure address.
    Unsafe,
    /// A redirect leads from a WebSocket to a page, or the other way round.
    OtherProtocol,
    /// The body is compressed, with this method.
    Packed(String),
    /// The body is longer than requested, or than the limit.
    TooMuch { kib: usize },
    /// The body is shorter than announced.
    TooLittle,
    /// The body is the whole file, or another part than the requested one.
    OtherPart,
}

/// Why a text is not a readable address.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum UrlError {
    /// The address is too long.
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
