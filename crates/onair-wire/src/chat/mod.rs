//! Chat messages of viewers: JSON `{"name","text"}` in text messages of the built-in server's
//! WebSocket, and AMF0 data messages of a stream (`onTextData` and similar). Every message is
//! cleaned before it is shown. The server also sends other frames, which clients ignore if they do
//! not know them.

pub mod blocked_words;
pub mod lookalike;
pub mod service;

use serde_json::{Value as Json, json};
use unicode_normalization::char::is_combining_mark;

use crate::base::sanitize::{is_harmless, is_visible};

/// The longest accepted message, in bytes.
pub const MAX_MESSAGE_BYTES: usize = 4 << 10;
/// Maximum length of a name, in characters.
pub const MAX_NAME_CHARS: usize = 32;
/// Maximum length of a text, in characters.
pub const MAX_TEXT_CHARS: usize = 200;

/// Maximum number of marks on one letter, which suffices for all scripts of living languages.
const MAX_MARKS: usize = 4;

/// Maximum number of messages that one frame deletes.
pub const MAX_DELETED_MESSAGES: usize = 128;

/// The names of data messages that carry a chat message.
const DATA_MESSAGE_NAMES: [&str; 4] = ["onTextData", "onChat", "onDanmaku", "onComment"];

/// A chat message.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ChatLine {
    /// The name of the sender; empty for the server itself and for a sender without a name.
    pub name: String,
    /// The text: one line of at most [`MAX_TEXT_CHARS`] characters, never empty.
    pub text: String,
}

impl ChatLine {
    /// Cleans a message. Returns `None` if no text is left.
    pub fn new(name: &str, text: &str) -> Option<Self> {
        Self::within(name, text, MAX_TEXT_CHARS)
    }

    /// Works like [`new`](Self::new), with another limit for the text, in characters.
    fn within(name: &str, text: &str, most: usize) -> Option<Self> {
        let text = clean(text, most);
        // Without this, a name of invisible characters would look like the server's own empty name.
        let mut own = clean(name, MAX_NAME_CHARS);
        if !own.is_empty() && !own.chars().any(is_visible) {
            own = "?".to_owned();
        }
        text.chars().any(is_visible).then_some(Self { name: own, text })
    }

    /// Reads a text message of a WebSocket. Returns `None` if it is not a chat message.
    pub fn from_json(message: &str) -> Option<Self> {
        if message.len() > MAX_MESSAGE_BYTES {
            return None;
        }
        let value: Json = serde_json::from_str(message).ok()?;
        let field = |name| value.get(name).and_then(Json::as_str).unwrap_or_default();
        Self::new(field("name"), field("text"))
    }

    /// Writes the message as a text message of a WebSocket.
    pub fn to_json(&self) -> String {
        json!({ "name": self.name, "text": self.text }).to_string()
    }

    /// Works like [`to_json`](Self::to_json), with a number that the server's refusal repeats.
    pub fn to_numbered_json(&self, number: u64) -> String {
        json!({ "name": self.name, "text": self.text, "number": number }).to_string()
    }

    /// Reads the body of a data message (a script tag): `onTextData`, `onChat`, `onDanmaku` or
    /// `onComment`, followed by a text, or by an object of `text` (or `content`, `message`) and
    /// `name` (or `user`, `nickname`). Returns `None` for any other body.
    pub fn from_data(body: &[u8]) -> Option<Self> {
        if body.len() > 4 * MAX_MESSAGE_BYTES {
            return None;
        }
        let values = crate::wire::amf0::decode(body).ok()?;
        let mut values = values.iter().skip_while(|it| it.as_str() == Some("@setDataFrame"));
        values
            .next()
            .and_then(|it| it.as_str())
            .filter(|name| DATA_MESSAGE_NAMES.contains(name))?;
        let content = values.next()?;
        let first = |names: [&str; 3]| names.into_iter().find_map(|name| content.get_str(name));
        match content.as_str() {
            Some(text) => Self::new("", text),
            None => Self::new(
                first(["name", "user", "nickname"]).unwrap_or_default(),
                first(["text", "content", "message"])?,
            ),
        }
    }
}

/// The role of a sender, as the server states it, because names prove nothing.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum ChatRole {
    #[default]
    Viewer,
    /// The publisher of the stream, in the studio that runs the server.
    Streamer,
    /// Somebody with the token of the server.
    Moderator,
}

impl ChatRole {
    /// The value of `role` in messages; `None` for viewers.
    pub const fn name(self) -> Option<&'static str> {
        match self {
            Self::Viewer => None,
            Self::Streamer => Some("streamer"),
            Self::Moderator => Some("moderator"),
        }
    }

    fn named(name: &str) -> Self {
        let roles = [Self::Streamer, Self::Moderator];
        roles.into_iter().find(|role| role.name() == Some(name)).unwrap_or_default()
    }
}

/// A chat message on a server, with the number of the message and that of its sender, both unique
/// in a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChatPost {
    pub id: u64,
    pub from: u64,
    pub role: ChatRole,
    pub line: ChatLine,
}

/// The reason why the server did not pass on a message of this client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChatRefusal {
    /// The reason as one word, such as `muted`.
    pub reason: String,
    /// The number of seconds to wait, in slow mode.
    pub wait: Option<u64>,
    /// The number that the client gave to the message.
    pub number: Option<u64>,
}

impl ChatRefusal {
    /// The reason if this client could not send the message, or got no answer.
    pub const UNSENT: &'static str = "unsent";
}

/// A text message from the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChatFrame {
    /// A message of a server that numbers its messages.
    Post(ChatPost),
    /// A message of a server that does not number its messages, or of the server itself.
    Line(ChatLine),
    /// The server did not pass on a message of this client. The line is the server's explanation, in English.
    Refused(ChatRefusal, ChatLine),
    /// The server passed on the message to which this client gave this number.
    Passed(u64),
    /// These messages are deleted, and clients remove them.
    Deleted(Vec<u64>),
    /// Seconds that each sender must wait between two messages; 0 disables slow mode.
    Slow(u64),
}

impl ChatFrame {
    /// Returns the refusal of a message that this client could not send.
    pub fn unsent(number: u64) -> Self {
        let (reason, number) = (ChatRefusal::UNSENT.to_owned(), Some(number));
        let text = "This message was not sent.".to_owned();
        let line = ChatLine { name: String::new(), text };
        Self::Refused(ChatRefusal { reason, wait: None, number }, line)
    }

    /// Reads a text message. Returns `None` if the message is not one of these frames.
    pub fn from_json(message: &str) -> Option<Self> {
        if message.len() > MAX_MESSAGE_BYTES {
            return None;
        }
        let value: Json = serde_json::from_str(message).ok()?;
        let number = |name| value.get(name).and_then(Json::as_u64);
        if let Some(deleted) = value.get("deleted").and_then(Json::as_array) {
            return Some(Self::Deleted(
                deleted.iter().take(MAX_DELETED_MESSAGES).filter_map(Json::as_u64).collect(),
            ));
        }
        if let Some(slow) = number("slow") {
            return Some(Self::Slow(slow));
        }
        if let Some(passed) = number("passed") {
            return Some(Self::Passed(passed));
        }
        let field = |name| value.get(name).and_then(Json::as_str).unwrap_or_default();
        let line = ChatLine::new(field("name"), field("text"))?;
        Some(match (number("id"), number("from")) {
            (Some(id), Some(from)) => {
                Self::Post(ChatPost { id, from, role: ChatRole::named(field("role")), line })
            }
            _ => match value.get("refused").and_then(Json::as_str) {
                Some(reason) => {
                    let (wait, number) = (number("wait"), number("number"));
                    let refusal = ChatRefusal { reason: reason.to_owned(), wait, number };
                    Self::Refused(refusal, line)
                }
                None => Self::Line(line),
            },
        })
    }

    /// Writes the text message.
    pub fn to_json(&self) -> String {
        let value = match self {
            Self::Post(ChatPost { id, from, role, line }) => {
                let mut post =
                    json!({ "name": line.name, "text": line.text, "id": id, "from": from });
                if let (Some(role), Some(post)) = (role.name(), post.as_object_mut()) {
                    post.insert("role".to_owned(), role.into());
                }
                post
            }
            Self::Line(line) => return line.to_json(),
            Self::Refused(ChatRefusal { reason, wait, number }, line) => {
                let mut refused =
                    json!({ "name": line.name, "text": line.text, "refused": reason });
                for (name, value) in [("wait", wait), ("number", number)] {
                    if let (Some(value), Some(refused)) = (value, refused.as_object_mut()) {
                        refused.insert(name.to_owned(), json!(value));
                    }
                }
                refused
            }
            Self::Deleted(ids) => json!({ "deleted": ids }),
            Self::Slow(seconds) => json!({ "slow": seconds }),
            Self::Passed(number) => json!({ "passed": number }),
        };
        value.to_string()
    }
}

/// Cleans a text: one line of at most `most` characters, without control characters or direction
/// changes, and with at most [`MAX_MARKS`] marks per letter, so that marks do not cover other lines.
fn clean(text: &str, most: usize) -> String {
    let mut clean = String::new();
    let (mut count, mut marks, mut gap) = (0, 0, false);
    for letter in text.chars() {
        if letter.is_whitespace() || letter.is_control() {
            gap = !clean.is_empty();
            continue;
        }
        if is_combining_mark(letter) {
            marks += 1;
        } else if is_visible(letter) {
            marks = 0;
        }
        if !is_harmless(letter) || marks > MAX_MARKS {
            continue;
        }
        if count + usize::from(gap) >= most {
            break;
        }
        if std::mem::take(&mut gap) {
            clean.push(' ');
            count += 1;
        }
        clean.push(letter);
        count += 1;
    }
    clean
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::amf0::Value;

    fn line(name: &str, text: &str) -> Option<ChatLine> {
        Some(ChatLine { name: name.into(), text: text.into() })
    }

    #[test]
    fn lines_go_and_come_back() {
        let chat_line = ChatLine::new("小明", "加油! \"ok\" \\").unwrap();
        assert_eq!(ChatLine::from_json(&chat_line.to_json()), Some(chat_line));
        assert_eq!(ChatLine::from_json(r#"{"text":"hi"}"#), line("", "hi"));
        assert_eq!(ChatLine::from_json(r#"{"name":5,"text":"hi","more":[1]}"#), line("", "hi"));
    }

    #[test]
    fn frames_go_and_come_back_and_older_clients_see_messages_only() {
        let line = ChatLine::new("ann", "hi").unwrap();
        let of_role = |role| ChatFrame::Post(ChatPost { id: 7, from: 3, role, line: line.clone() });
        let post = of_role(ChatRole::Viewer);
        let refused = |reason: &str, wait, number| {
            let refusal = ChatRefusal { reason: reason.to_owned(), wait, number };
            ChatFrame::Refused(refusal, line.clone())
        };
        assert!(!post.to_json().contains("role"));
        for frame in [
            post.clone(),
            of_role(ChatRole::Streamer),
            of_role(ChatRole::Moderator),
            ChatFrame::Line(line.clone()),
            refused("slow", Some(5), Some(7)),
            refused("muted", None, None),
            ChatFrame::Deleted(vec![7, 8]),
            ChatFrame::Slow(30),
            ChatFrame::Passed(7),
        ] {
            assert_eq!(ChatFrame::from_json(&frame.to_json()), Some(frame));
        }
        let unknown = r#"{"name":"ann","text":"hi","id":7,"from":3,"role":"emperor"}"#;
        assert_eq!(ChatFrame::from_json(unknown), Some(post.clone()));
        assert_eq!(ChatLine::from_json(&post.to_json()), Some(line));
        for other in [ChatFrame::Deleted(vec![7]), ChatFrame::Slow(5)] {
            assert_eq!(ChatLine::from_json(&other.to_json()), None);
        }
        let many = format!(r#"{{"deleted":[{}1]}}"#, "1,".repeat(MAX_DELETED_MESSAGES));
        assert_eq!(
            ChatFrame::from_json(&many),
            Some(ChatFrame::Deleted(vec![1; MAX_DELETED_MESSAGES]))
        );
        for odd in [r#"{"deleted":7}"#, r#"{"slow":-1}"#, "{", "[]", r#"{"id":1,"from":2}"#] {
            assert_eq!(ChatFrame::from_json(odd), None, "{odd}");
        }
        let odd = r#"{"deleted":["x",null,-1,2],"text":"hi"}"#;
        assert_eq!(ChatFrame::from_json(odd), Some(ChatFrame::Deleted(vec![2])));
    }

    #[test]
    fn a_name_that_nobody_sees_does_not_pass_for_the_servers() {
        for name in ["\u{200B}", "\u{3164}\u{3164}", "\u{2800}", "\u{FE0F}\u{200D}"] {
            assert_eq!(ChatLine::new(name, "hi"), line("?", "hi"), "{name:?}");
        }
        assert_eq!(ChatLine::new("a", "\u{3164}\u{200B}"), None);
        assert_eq!(ChatLine::new("a", "👩\u{200D}🚀"), line("a", "👩\u{200D}🚀"));
    }

    #[test]
    fn what_is_no_line_is_none() {
        let long = format!(r#"{{"text":"{}"}}"#, "x".repeat(MAX_MESSAGE_BYTES));
        for bad in ["", "{", "[]", "5", "null", "{}", r#"{"text":7}"#, r#"{"text":" \n "}"#, &long]
        {
            assert_eq!(ChatLine::from_json(bad), None, "{bad:.40}");
        }
        // A thousand brackets do not overflow the stack.
        assert_eq!(ChatLine::from_json(&"[".repeat(1_000)), None);
    }

    #[test]
    fn what_must_not_be_shown_is_taken_out() {
        let tower = |mark: &str, count| format!("e{}x", mark.repeat(count));
        let towers = ["\u{301}", "\u{301}\u{200D}", "\u{e49}", "\u{fe20}"];
        for mark in towers {
            let text = tower(mark, 40);
            assert_eq!(ChatLine::new("", &text), line("", &tower(mark, MAX_MARKS)), "{text:?}");
        }
        let hidden = tower("\u{301}\u{200E}", 40);
        let scripts = "ကြွေး ก็ กี่ हिन्दी שָּׁ 1\u{fe0f}\u{20e3}";
        let cases = [
            ("  a \t\r\n b  ", "a b"),
            ("a\u{0}\u{7f}b", "a b"),
            ("\u{202e}evil\u{2066}", "evil"),
            (hidden.as_str(), "e\u{301}\u{301}\u{301}\u{301}x"),
            (scripts, scripts),
            ("👍🏽 ok", "👍🏽 ok"),
        ];
        for (text, expected) in cases {
            assert_eq!(ChatLine::new("", text), line("", expected), "{text:?}");
        }
        let chat_line = ChatLine::new(&"n".repeat(99), &"字 ".repeat(999)).unwrap();
        assert_eq!(chat_line.name.chars().count(), MAX_NAME_CHARS);
        assert!(
            chat_line.text.chars().count() <= MAX_TEXT_CHARS
                && chat_line.text.chars().count() > MAX_TEXT_CHARS - 2
        );
    }

    #[test]
    fn data_messages_are_read() {
        let object = Value::object([("user", "ann".into()), ("content", "hello".into())]);
        for (values, expected) in [
            (vec!["onChat".into(), object.clone()], line("ann", "hello")),
            (vec!["@setDataFrame".into(), "onTextData".into(), "hi".into()], line("", "hi")),
            (vec!["onMetaData".into(), object], None),
            (vec!["onChat".into()], None),
            (vec!["onChat".into(), Value::from(5.0)], None),
            (vec![], None),
        ] {
            let body = crate::wire::amf0::encode::<String>(&values);
            assert_eq!(ChatLine::from_data(&body), expected, "{values:?}");
        }
        assert_eq!(ChatLine::from_data(b"\x02\x00"), None);
    }
}
