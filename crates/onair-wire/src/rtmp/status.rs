//! The status of a server in `onStatus` and `_error`, and its meaning (RTMP 1.0, 7.2).

use std::borrow::Cow;

use crate::wire::amf0::{Data, Value};

/// Status codes that onair uses or reads.
pub mod code {
    pub const CONNECT_SUCCESS: &str = "NetConnection.Connect.Success";
    pub const CONNECT_REJECTED: &str = "NetConnection.Connect.Rejected";
    pub const CONNECT_INVALID_APP: &str = "NetConnection.Connect.InvalidApp";
    /// A temporary failure. It may also reject a stream, for which there is no such code.
    pub const CONNECT_FAILED: &str = "NetConnection.Connect.Failed";
    pub const CONNECT_CLOSED: &str = "NetConnection.Connect.Closed";
    pub const CONNECT_SHUTDOWN: &str = "NetConnection.Connect.AppShutdown";
    pub const RECONNECT_REQUEST: &str = "NetConnection.Connect.ReconnectRequest";
    pub const PUBLISH_START: &str = "NetStream.Publish.Start";
    pub const PUBLISH_BAD_NAME: &str = "NetStream.Publish.BadName";
    pub const PUBLISH_DENIED: &str = "NetStream.Publish.Denied";
    pub const PUBLISH_REJECTED: &str = "NetStream.Publish.Rejected";
    pub const PUBLISH_UNAUTHORIZED: &str = "NetStream.Publish.Unauthorized";
    pub const UNPUBLISH_SUCCESS: &str = "NetStream.Unpublish.Success";
    pub const PLAY_RESET: &str = "NetStream.Play.Reset";
    pub const PLAY_START: &str = "NetStream.Play.Start";
    pub const PLAY_STOP: &str = "NetStream.Play.Stop";
    pub const PLAY_COMPLETE: &str = "NetStream.Play.Complete";
    pub const PLAY_FAILED: &str = "NetStream.Play.Failed";
    /// Not a code of Flash Player, which has none for this.
    pub const PLAY_UNAUTHORIZED: &str = "NetStream.Play.Unauthorized";
    pub const PLAY_NOT_FOUND: &str = "NetStream.Play.StreamNotFound";
    pub const PLAY_UNPUBLISHED: &str = "NetStream.Play.UnpublishNotify";
    pub const PLAY_PUBLISHED: &str = "NetStream.Play.PublishNotify";
    pub const SEEK_NOTIFY: &str = "NetStream.Seek.Notify";
    pub const SEEK_FAILED: &str = "NetStream.Seek.Failed";
    pub const FAILED: &str = "NetStream.Failed";
}

/// Severity of a status.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Level {
    Status,
    Warning,
    Error,
}

impl Level {
    /// Returns the name in the protocol.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Status => "status",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// A server's status for a connection or a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    pub level: Level,
    /// The code, such as `NetStream.Publish.Start`, which may be empty.
    pub code: String,
    /// Free text, often the only useful information. The session removes keys from it.
    pub description: String,
}

impl Status {
    /// Creates a status.
    pub fn new(level: Level, code: &str, description: impl Into<String>) -> Self {
        Self { level, code: code.to_owned(), description: description.into() }
    }

    /// Reads an information object. Missing values and those of unexpected type stay empty.
    pub fn parse<S: AsRef<str>>(info: &Data<S>) -> Self {
        let text = |name| match info.get(name) {
            Some(Data::Number(number)) => Cow::Owned(number.to_string()),
            Some(value) => Cow::Borrowed(value.as_str().unwrap_or_default()),
            None => Cow::Borrowed(""),
        };
        let level = match text("level").as_ref() {
            "error" => Level::Error,
            "warning" => Level::Warning,
            _ => Level::Status,
        };
        let description = match info.as_str() {
            Some(text) => text.to_owned(),
            None => text("description").into_owned(),
        };
        Self { level, code: text("code").into_owned(), description }
    }

    /// Converts the status to an information object.
    pub fn to_value(&self) -> Value {
        Value::object([
            ("level", self.level.as_str().into()),
            ("code", self.code.as_str().into()),
            ("description", self.description.as_str().into()),
        ])
    }

    /// Returns the reason for a rejection, if the status is one.
    pub fn refusal(&self) -> Option<Refusal> {
        Refusal::of(self)
    }

    /// Returns true if the played stream has ended.
    pub fn ends_play(&self) -> bool {
        matches!(self.code.as_str(), code::PLAY_STOP | code::PLAY_COMPLETE | code::PLAY_UNPUBLISHED)
    }
}

impl std::fmt::Display for Status {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.code.is_empty(), self.description.is_empty()) {
            (false, false) => write!(f, "{}: {}", self.code, self.description),
            (false, true) => f.write_str(&self.code),
            (true, false) => f.write_str(&self.description),
            (true, true) => f.write_str("no reason given"),
        }
    }
}

/// The reason why a server rejects a publisher or a player.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// The key, token, name or password is wrong or missing.
    Unauthorized,
    /// The server rejects this stream for another reason.
    Rejected,
    /// Another publisher, perhaps onair's own previous connection, uses this name.
    Busy,
    /// The server has no such application.
    BadApp,
    /// The server has no such stream.
    NotFound,
    /// The server ends the connection.
    Closed,
    /// The server failed.
    Failed,
}

impl Refusal {
    /// Returns true if waiting and trying again may help.
    pub const fn may_pass(self) -> bool {
        matches!(self, Self::Busy | Self::NotFound | Self::Closed | Self::Failed)
    }

    fn of(status: &Status) -> Option<Self> {
        let words = status.description.to_ascii_lowercase();
        let says = |needles: &[&str]| needles.iter().any(|needle| words.contains(needle));
        let about_keys = || {
            says(&["auth", "invalid key", "stream key", "token", "password", "forbidden", "403"])
        };
        let about_busy = || {
            says(&[
                "already",
                "busy",
                "in use",
                "stream exist",
                "exists",
                "duplicate",
                "another publisher",
                "another user",
                "another session",
                "another encoder",
                "occupied",
                "已存在",
                "占用",
                "正在",
                "重复",
            ])
        };
        let refined = |otherwise| match () {
            () if about_busy() => Self::Busy,
            () if about_keys() => Self::Unauthorized,
            () => otherwise,
        };
        Some(match status.code.as_str() {
            code::CONNECT_REJECTED | code::PUBLISH_REJECTED => refined(Self::Rejected),
            code::CONNECT_INVALID_APP => Self::BadApp,
            code::CONNECT_CLOSED => refined(Self::Closed),
            // Only without a text of the server's own does the code mean that the name is in use.
            code::PUBLISH_BAD_NAME if words.trim().is_empty() => Self::Busy,
            code::PUBLISH_BAD_NAME => refined(Self::Rejected),
            code::PUBLISH_DENIED
            | code::PUBLISH_UNAUTHORIZED
            | code::PLAY_UNAUTHORIZED
            | "NetStream.Publish.BadAuth" => Self::Unauthorized,
            code::PLAY_NOT_FOUND => Self::NotFound,
            code::FAILED | code::PLAY_FAILED => refined(Self::Failed),
            code::CONNECT_SHUTDOWN | code::CONNECT_FAILED => Self::Failed,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_are_distinguished() {
        let refusal =
            |code, description: &str| Status::new(Level::Error, code, description).refusal();
        for (code, description, expected) in [
            (code::PUBLISH_BAD_NAME, "Already publishing", Some(Refusal::Busy)),
            (code::PUBLISH_BAD_NAME, "Invalid stream key", Some(Refusal::Unauthorized)),
            (code::PUBLISH_BAD_NAME, "", Some(Refusal::Busy)),
            (code::PUBLISH_BAD_NAME, "room banned, contact support", Some(Refusal::Rejected)),
            (code::PUBLISH_BAD_NAME, "该流正在推流", Some(Refusal::Busy)),
            (code::PUBLISH_BAD_NAME, "room does not exist", Some(Refusal::Rejected)),
            (code::PUBLISH_DENIED, "", Some(Refusal::Unauthorized)),
            (
                code::CONNECT_REJECTED,
                "code=403 need auth; authmod=adobe",
                Some(Refusal::Unauthorized),
            ),
            (code::CONNECT_REJECTED, "too many", Some(Refusal::Rejected)),
            (code::CONNECT_INVALID_APP, "", Some(Refusal::BadApp)),
            (code::PLAY_NOT_FOUND, "", Some(Refusal::NotFound)),
            (code::FAILED, "", Some(Refusal::Failed)),
            (code::PUBLISH_START, "", None),
        ] {
            assert_eq!(refusal(code, description), expected, "{code} {description}");
        }
        assert!(Refusal::Busy.may_pass() && !Refusal::Unauthorized.may_pass());
    }

    #[test]
    fn unusual_information_objects_are_read() {
        let status =
            Status::parse(&Value::object([("code", "x".into()), ("description", 3.0.into())]));
        assert_eq!(status, Status::new(Level::Status, "x", "3"));
        assert_eq!(Status::parse(&Value::from("gone")).description, "gone");
        assert_eq!(Status::parse(&Value::Null).to_string(), "no reason given");
        let status = Status::new(Level::Error, "a", "b");
        assert_eq!(Status::parse(&status.to_value()), status);
    }
}
