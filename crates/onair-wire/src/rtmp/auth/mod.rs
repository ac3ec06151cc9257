//! Authentication by name and password for servers of Adobe and Limelight.
//!
//! Authentication takes up to three connections. The server rejects the first with its method, and
//! the second, which contains the user name, with a salt and a challenge. The third contains the
//! response. [`next_query`] returns the text to append to app and tcUrl of the next connection.

mod login;

use data_encoding::{BASE64, HEXLOWER};
use md5::{Digest, Md5};

pub use login::{Login, Verdict};

use crate::wire::rtmp::url::Credentials;

/// The method that a server requests.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Method {
    /// `authmod=adobe`.
    Adobe,
    /// `authmod=llnw` of Limelight: an HTTP digest.
    Llnw,
}

/// A server's rejection of a connection without name and password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    pub method: Method,
    /// The salt. Like `challenge`, `opaque` and `nonce`, it is only in the reply to the second
    /// connection.
    pub salt: Option<String>,
    pub challenge: Option<String>,
    pub opaque: Option<String>,
    pub nonce: Option<String>,
    /// `needauth`, `authfailed`, `nosuchuser`…; empty if the server gave no reason.
    pub reason: String,
}

impl Method {
    /// Returns the name in the protocol.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Adobe => "adobe",
            Self::Llnw => "llnw",
        }
    }
}

impl Challenge {
    /// Parses the description of a rejection. Returns `None` if the rejection has another reason.
    pub fn parse(description: &str) -> Option<Self> {
        let method = if description.contains("authmod=adobe") {
            Method::Adobe
        } else if description.contains("authmod=llnw") {
            Method::Llnw
        } else {
            return None;
        };
        let query = description.split_once('?').map_or("", |(_, query)| query);
        let value = |name: &str| {
            let mut pairs = query.split(['&', ' ']).filter_map(|pair| pair.split_once('='));
            pairs.find(|(key, _)| *key == name).map(|(_, value)| value.to_owned())
        };
        Some(Self {
            method,
            salt: value("salt"),
            challenge: value("challenge"),
            opaque: value("opaque"),
            nonce: value("nonce"),
            reason: value("reason").unwrap_or_default(),
        })
    }

    /// Returns true if the server has received the response and rejected it.
    pub fn is_final(&self) -> bool {
        matches!(self.reason.as_str(), "authfailed" | "nosuchuser")
    }
}

/// Returns the query for app and tcUrl of the next connection (without `?`), or `None` if the
/// challenge has no response. `client_challenge` is any 8 hexadecimal digits. The user name is sent
/// unchanged, as librtmp (OBS), FFmpeg and GStreamer do. The names of onair's server need no
/// percent-encoding.
pub fn next_query(
    challenge: &Challenge,
    credentials: &Credentials,
    app: &str,
    client_challenge: &str,
) -> Option<String> {
    if challenge.is_final() {
        return None;
    }
    let user = &credentials.user;
    match challenge.method {
        Method::Adobe => {
            let name = format!("authmod=adobe&user={user}");
            if challenge.salt.is_none() && challenge.challenge.is_none() {
                return Some(name);
            }
            let salt = challenge.salt.as_deref()?;
            let text = challenge.challenge.as_deref().unwrap_or_default();
            let opaque = challenge.opaque.as_deref().unwrap_or_default();
            let response = adobe_response(credentials, salt, opaque, text, client_challenge);
            let opaque = match opaque {
                "" => String::new(),
                opaque => format!("&opaque={opaque}"),
            };
            Some(format!("{name}&challenge={client_challenge}&response={response}{opaque}"))
        }
        Method::Llnw => {
            let name = format!("authmod=llnw&user={user}");
            let Some(nonce) = challenge.nonce.as_deref() else { return Some(name) };
            let cnonce = client_challenge;
            let response = llnw_response(credentials, app, nonce, "00000001", cnonce);
            Some(format!("{name}&nonce={nonce}&cnonce={cnonce}&nc=00000001&response={response}"))
        }
    }
}

/// Returns the response of `authmod=adobe` to a salt and a challenge.
pub fn adobe_response(
    credentials: &Credentials,
    salt: &str,
    opaque: &str,
    challenge: &str,
    client_challenge: &str,
) -> String {
    let salted = BASE64.encode(&md5(&[&credentials.user, salt, credentials.password.expose()]));
    let theirs = if opaque.is_empty() { challenge } else { opaque };
    BASE64.encode(&md5(&[&salted, theirs, client_challenge]))
}

/// Returns the response of `authmod=llnw` to a nonce: an HTTP digest with the method `publish` and
/// the realm `live`.
pub fn llnw_response(
    credentials: &Credentials,
    app: &str,
    nonce: &str,
    count: &str,
    client_nonce: &str,
) -> String {
    let hash1 =
        HEXLOWER.encode(&md5(&[&credentials.user, ":live:", credentials.password.expose()]));
    let app = app.split_once('?').map_or(app, |(app, _)| app);
    let app = if app.contains('/') { app.to_owned() } else { format!("{app}/_definst_") };
    let hash2 = HEXLOWER.encode(&md5(&["publish:/", &app]));
    HEXLOWER.encode(&md5(&[&hash1, ":", nonce, ":", count, ":", client_nonce, ":auth:", &hash2]))
}

fn md5(parts: &[&str]) -> [u8; 16] {
    let mut hash = Md5::new();
    for part in parts {
        hash.update(part.as_bytes());
    }
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_dialogue_goes_on_step_by_step() {
        let me = Credentials { user: "u".into(), password: "p".into() };
        let first = Challenge::parse("[ code=403 need auth; authmod=adobe ]").unwrap();
        assert_eq!(next_query(&first, &me, "live", "0a").unwrap(), "authmod=adobe&user=u");
        let second = "authmod=adobe ?reason=needauth&user=u&salt=S&challenge=C&opaque=O";
        let second = Challenge::parse(second).unwrap();
        let answer = next_query(&second, &me, "live", "0a").unwrap();
        assert!(answer.starts_with("authmod=adobe&user=u&challenge=0a&response="), "{answer}");
        assert!(answer.ends_with("&opaque=O"), "{answer}");
        let failed = Challenge::parse("authmod=adobe ?reason=authfailed&opaque=x").unwrap();
        assert_eq!(next_query(&failed, &me, "live", "0a"), None);
        let digest = Challenge::parse("authmod=llnw ?reason=needauth&nonce=N").unwrap();
        let answer = next_query(&digest, &me, "live", "0a").unwrap();
        assert!(answer.contains("nonce=N&cnonce=0a&nc=00000001&response="), "{answer}");
        assert_eq!(Challenge::parse("NetConnection.Connect.Rejected"), None);
    }
}
