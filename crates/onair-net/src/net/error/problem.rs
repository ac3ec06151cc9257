//! Describes problems of certificates, servers that are not RTMP servers, and wrong responses of
//! web servers.

use crate::text::problem::problem_error;

/// The reason why a server's certificate is not accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CertificateProblem {
    /// The *not after* time of the certificate is in the past. The time is in seconds since the
    /// Unix epoch, if known.
    Expired { not_after: Option<u64> },
    /// The *not before* time of the certificate is in the future. The time is in seconds since the
    /// Unix epoch, if known.
    NotYetValid { not_before: Option<u64> },
    /// None of the names in the certificate matches the host.
    WrongName { host: String, names: Vec<String> },
    /// The certificate is self-signed, or no authority that this computer trusts has signed it.
    UnknownIssuer,
    /// This computer trusts no authority at all.
    NoRoots,
    /// The issuer has revoked the certificate.
    Revoked,
    /// A signature in the certificate chain is invalid.
    BadSignature,
    /// The certificate is not valid for servers.
    WrongPurpose,
    /// The certificate is a CA certificate, which cannot identify a server. `openssl req -x509`
    /// creates such self-signed certificates by default.
    OwnAuthority,
    /// The certificate has version 1, which TLS libraries such as rustls do not support.
    OldVersion,
    /// The certificate is not the pinned one. Both values are SHA-256 in hex. `accepted` is true if
    /// the user had accepted the expected certificate for this server.
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
    /// Returns the kind of server whose answer begins like this, or `None` if it may be RTMP.
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

/// A wrong response of a web server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WebProblem {
    /// The redirects form a loop.
    RoundAndRound,
    /// A redirect leads to an invalid address; the value is the reason.
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
    /// The body is the whole file, or a part that was not requested.
    OtherPart,
}

/// The reason why a text is not a valid address.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum UrlError {
    /// The address is too long.
    TooLong,
    Unreadable,
    Scheme,
    NoHost,
}

problem_error!(UrlError);
