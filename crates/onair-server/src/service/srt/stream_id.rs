//! Stream ids: what a caller wants. The forms are those of MediaMTX (`publish:PATH:USER:PASSWORD`)
//! and of SRS and libsrt (`#!::r=PATH,m=publish`). Everything else is a path to play.

use std::fmt;

use percent_encoding::percent_decode_str;

use crate::base::Secret;
use crate::server::access::action::Action;
use crate::wire::rtmp::stream_name::StreamName;

/// What a caller wants.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct WantedStream {
    pub action: Action,
    pub name: StreamName,
    /// A key or a token.
    pub secret: Option<Secret>,
    pub login: Option<(String, Secret)>,
}

impl fmt::Debug for WantedStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WantedStream({} {})", self.action.name(), self.name)
    }
}

/// The beginning of a list of keys and values (libsrt's access control guidelines).
const LIST_MARK: &str = "#!::";

impl WantedStream {
    /// Reads a stream id. Returns `None` if it names no stream `app/stream`.
    pub fn parse(id: &str) -> Option<Self> {
        // ffmpeg sends the id as it stands in an address.
        let decoded = id.starts_with("%23").then(|| percent_decode_str(id).decode_utf8().ok());
        let decoded = decoded.flatten();
        let id = decoded.as_deref().unwrap_or(id);
        let parts = match id.strip_prefix(LIST_MARK) {
            Some(list) => Parts::of_list(list)?,
            None => Parts::of_words(id)?,
        };
        let Parts { action, path, mut query, user, password, key } = parts;
        let (path, own_query) = path.split_once('?').unwrap_or((path, ""));
        if query.is_empty() {
            query = own_query;
        }
        let (app, stream) = path.trim_matches('/').rsplit_once('/')?;
        let name = StreamName { app: app.into(), stream: stream.into(), query: query.into() };
        if stream.is_empty() || !name.is_plain() {
            return None;
        }
        let in_query = name.parameter("key").or_else(|| name.parameter("token"));
        let whole = Some(query).filter(|query| !query.is_empty() && !query.contains('='));
        let secret = key.or(in_query).or(whole).or(password).filter(|secret| !secret.is_empty());
        let secret = secret.map(Secret::from_client);
        let login = user.zip(password).filter(|(user, _)| !user.is_empty());
        let login = login.map(|(user, password)| (user.to_owned(), Secret::from_client(password)));
        Some(Self { action, name, secret, login })
    }
}

/// The parts of a stream id.
struct Parts<'a> {
    action: Action,
    path: &'a str,
    query: &'a str,
    user: Option<&'a str>,
    password: Option<&'a str>,
    key: Option<&'a str>,
}

impl<'a> Parts<'a> {
    /// Reads `r=app/stream,m=publish,u=USER,s=PASSWORD,token=TOKEN`.
    fn of_list(list: &'a str) -> Option<Self> {
        let pairs = || list.split(',').filter_map(|pair| pair.split_once('='));
        let value = |name: &str| pairs().find(|(key, _)| *key == name).map(|(_, value)| value);
        let action = match value("m") {
            Some("publish") => Action::Publish,
            None | Some("request") => Action::Play,
            Some(_) => return None,
        };
        Some(Self {
            action,
            path: value("r")?,
            query: "",
            user: value("u"),
            password: value("s"),
            key: value("token").or_else(|| value("key")),
        })
    }

    /// Reads `publish:PATH[:USER:PASSWORD][:QUERY]`, the same with `read`, or a path.
    fn of_words(id: &'a str) -> Option<Self> {
        let words: Vec<&str> = id.splitn(6, ':').collect();
        let action = match words.first().copied() {
            Some("publish") => Action::Publish,
            _ => Action::Play,
        };
        let all =
            |path, query, user, password| Self { action, path, query, user, password, key: None };
        Some(match words.as_slice() {
            ["publish" | "read", path] | [path] => all(path, "", None, None),
            ["publish" | "read", path, query] => all(path, query, None, None),
            ["publish" | "read", path, user, password] => all(path, "", Some(user), Some(password)),
            ["publish" | "read", path, user, password, query] => {
                all(path, query, Some(user), Some(password))
            }
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The action and the path, the secret, and the login.
    type Read = (String, Option<String>, Option<String>);

    fn parts(id: &str) -> Option<Read> {
        let WantedStream { action, name, secret, login } = WantedStream::parse(id)?;
        let login = login.map(|(user, password)| format!("{user}:{}", password.expose()));
        let secret = secret.map(|secret| secret.expose().to_owned());
        Some((format!("{} {name}", action.name()), secret, login))
    }

    #[test]
    fn the_forms_of_mediamtx_and_srs_name_a_stream_and_its_secrets() {
        let some = |text: &str| Some(text.to_owned());
        for (id, action, secret, login) in [
            ("publish:live/a", "publish", None, None),
            ("read:live/a", "play", None, None),
            ("live/a", "play", None, None),
            ("/live/a?key=k", "play", some("k"), None),
            ("publish:live/a:key=k", "publish", some("k"), None),
            ("publish:live/a:k", "publish", some("k"), None),
            ("publish:live/a:me:pw", "publish", some("pw"), some("me:pw")),
            ("publish:live/a:me:pw:token=t", "publish", some("t"), some("me:pw")),
            ("#!::r=live/a,m=publish", "publish", None, None),
            ("#!::m=publish,r=live/a,u=me,s=pw", "publish", some("pw"), some("me:pw")),
            ("#!::r=live/a,token=t", "play", some("t"), None),
            ("%23!::r=live/a%2Cm=publish", "publish", None, None),
            ("#!::h=vhost,r=live/a?token=t,m=request", "play", some("t"), None),
        ] {
            let expected = Some((format!("{action} live/a"), secret, login));
            assert_eq!(parts(id), expected, "{id}");
        }
        let shown = format!("{:?}", WantedStream::parse("publish:live/a:me:planted:token=planted"));
        assert!(!shown.contains("planted"), "{shown}");
    }

    #[test]
    fn an_id_without_a_stream_is_refused() {
        for id in [
            "",
            "a",
            "publish:a",
            "publish:",
            "publish:live/",
            "write:live/a",
            "publish:live/a:b:c:d:e",
            "#!::",
            "#!::m=publish",
            "#!::r=live/a,m=bidirectional",
            "#!::r=live",
            "read:live/\u{7}",
        ] {
            assert_eq!(parts(id), None, "{id}");
        }
    }
}
