//! The chat of Twitch: IRC (RFC 1459) with message tags (IRCv3), one or more lines in each text
//! message of a WebSocket.

use super::ServicePost;
use crate::wire::chat::{ChatRole, MAX_NAME_CHARS};

/// The WebSocket of the service.
pub const SERVER: &str = "wss://irc-ws.chat.twitch.tv:443";
/// The longest accepted text message, in bytes.
pub const MAX_FRAME_BYTES: usize = 64 << 10;
/// The longest accepted line, in bytes: 8,191 of tags, and 512 of the message.
const MAX_LINE_BYTES: usize = 8_704;
/// Maximum number of lines of a text message. More are ignored.
const MAX_LINES: usize = 256;

/// What a line tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TwitchEvent {
    /// The answer to this question is due: see [`pong`].
    Ping(String),
    /// The chat is joined.
    Joined,
    Post(ServicePost),
    /// The message with this id is deleted.
    Deleted(String),
    /// The messages of the sender with this id are deleted; `None` means all messages.
    Cleared(Option<String>),
    /// The service refuses the login or the channel, in its own words.
    Refused(String),
    /// The service is about to end the connection.
    Reconnect,
}

/// Returns the lines that log in without an account, which may only read, and join the channel.
/// `number` distinguishes anonymous readers.
pub fn login(channel: &str, number: u32) -> String {
    let number = number % 100_000;
    format!(
        "CAP REQ :twitch.tv/tags twitch.tv/commands\r\nNICK justinfan{number}\r\nJOIN #{channel}\r\n"
    )
}

/// Returns the line that asks the service whether it is still there.
pub fn ping() -> String {
    "PING :onair\r\n".to_owned()
}

/// Returns the answer to a question of the service.
pub fn pong(question: &str) -> String {
    format!("PONG :{question}\r\n")
}

/// Reads the lines of a text message. Lines that are unknown or malformed tell nothing.
pub fn events(frame: &str) -> Vec<TwitchEvent> {
    if frame.len() > MAX_FRAME_BYTES {
        return Vec::new();
    }
    frame
        .split(['\r', '\n'])
        .filter(|it| !it.is_empty())
        .take(MAX_LINES)
        .filter_map(event)
        .collect()
}

fn event(line: &str) -> Option<TwitchEvent> {
    if line.len() > MAX_LINE_BYTES {
        return None;
    }
    let IrcLine { tags, nick, command, last } = IrcLine::parse(line)?;
    match command {
        "PING" => Some(TwitchEvent::Ping(last.to_owned())),
        // The end of the list of names and the state of the room both follow a successful JOIN.
        "366" | "ROOMSTATE" => Some(TwitchEvent::Joined),
        "RECONNECT" => Some(TwitchEvent::Reconnect),
        "PRIVMSG" => {
            let name = tags.get("display-name").filter(|it| !it.trim().is_empty());
            let name = name.unwrap_or_else(|| nick.to_owned());
            let action = last.strip_prefix("\u{1}ACTION ").map(|it| it.trim_end_matches('\u{1}'));
            let role = role(&tags.get("badges").unwrap_or_default());
            let ids = (tags.get("id").unwrap_or_default(), tags.get("user-id").unwrap_or_default());
            let post = ServicePost::new((&ids.0, &ids.1), role, &name, action.unwrap_or(last));
            post.map(TwitchEvent::Post)
        }
        // Subscriptions, raids and announcements, which the service puts into words.
        "USERNOTICE" => {
            let words = tags.get("system-msg").unwrap_or_default();
            let text = match (words.is_empty(), last.is_empty()) {
                (false, false) => format!("{words} {last}"),
                (true, _) => last.to_owned(),
                (_, true) => words,
            };
            let id = tags.get("id").unwrap_or_default();
            ServicePost::new((&id, ""), ChatRole::Viewer, "", &text).map(TwitchEvent::Post)
        }
        "CLEARMSG" => Some(TwitchEvent::Deleted(tags.get("target-msg-id")?)),
        "CLEARCHAT" => {
            Some(TwitchEvent::Cleared(tags.get("target-user-id").filter(|it| !it.is_empty())))
        }
        "NOTICE" => {
            let kind = tags.get("msg-id").unwrap_or_default();
            let is_refusal = kind == "msg_channel_suspended"
                || kind == "tos_ban"
                || kind == "msg_banned"
                || last.starts_with("Login ")
                || last.starts_with("Improperly formatted");
            let mut words: String = super::clean(last, 4 * MAX_NAME_CHARS);
            if words.is_empty() {
                words = kind;
            }
            is_refusal.then_some(TwitchEvent::Refused(words))
        }
        _ => None,
    }
}

/// Returns the role of a sender with these badges.
fn role(badges: &str) -> ChatRole {
    let has = |name: &str| badges.split(',').any(|it| it.split('/').next() == Some(name));
    if has("broadcaster") {
        ChatRole::Streamer
    } else if has("moderator") {
        ChatRole::Moderator
    } else {
        ChatRole::Viewer
    }
}

/// The parts of a line: `@tags :nick!user@host COMMAND parameters :last`.
struct IrcLine<'a> {
    tags: Tags<'a>,
    nick: &'a str,
    command: &'a str,
    /// The parameter after the colon; empty without one.
    last: &'a str,
}

impl<'a> IrcLine<'a> {
    fn parse(line: &'a str) -> Option<Self> {
        let (tags, rest) = match line.strip_prefix('@') {
            Some(rest) => rest.split_once(' ')?,
            None => ("", line),
        };
        let rest = rest.trim_start_matches(' ');
        let (prefix, rest) = match rest.strip_prefix(':') {
            Some(rest) => rest.split_once(' ')?,
            None => ("", rest),
        };
        let nick = prefix.split('!').next().unwrap_or_default();
        let rest = rest.trim_start_matches(' ');
        let (middle, last) = rest.split_once(" :").unwrap_or((rest, ""));
        let command = middle.split(' ').next().filter(|it| !it.is_empty())?;
        Some(Self { tags: Tags(tags), nick, command, last })
    }
}

/// The tags of a line: `name=value;name=value`.
struct Tags<'a>(&'a str);

impl Tags<'_> {
    /// Returns the value of a tag without its escapes.
    fn get(&self, name: &str) -> Option<String> {
        let found = self.0.split(';').find_map(|tag| {
            let (of, value) = tag.split_once('=').unwrap_or((tag, ""));
            (of == name).then_some(value)
        })?;
        let (mut text, mut letters) = (String::new(), found.chars());
        while let Some(letter) = letters.next() {
            text.push(match letter {
                '\\' => match letters.next() {
                    Some(':') => ';',
                    Some('s') => ' ',
                    Some('r' | 'n') => ' ',
                    Some(other) => other,
                    None => break,
                },
                other => other,
            });
        }
        Some(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn posts(frame: &str) -> Vec<(String, String, ChatRole)> {
        let posts = events(frame).into_iter().filter_map(|it| match it {
            TwitchEvent::Post(post) => Some((post.line.name, post.line.text, post.role)),
            _ => None,
        });
        posts.collect()
    }

    #[test]
    fn messages_have_the_name_the_role_and_the_text_of_their_senders() {
        let frame = "@badge-info=;badges=broadcaster/1;color=#0D4200;display-name=Ann;emotes=25:0-4;\
            id=b34ccfc7;user-id=1337 :ann!ann@ann.tmi.twitch.tv PRIVMSG #show :Kappa Keepo: a\r\n\
            @badges=moderator/1,premium/1;display-name=;id=2;user-id=2 :bob!bob@x PRIVMSG #show :hi\r\n\
            :eve!eve@x PRIVMSG #show :\u{1}ACTION waves\u{1}\r\n";
        let expected = [
            ("Ann".to_owned(), "Kappa Keepo: a".to_owned(), ChatRole::Streamer),
            ("bob".to_owned(), "hi".to_owned(), ChatRole::Moderator),
            ("eve".to_owned(), "waves".to_owned(), ChatRole::Viewer),
        ];
        assert_eq!(posts(frame), expected);
    }

    #[test]
    fn a_subscription_is_shown_in_the_words_of_the_service() {
        let frame = r"@id=3;msg-id=resub;system-msg=ronni\shas\ssubscribed\sfor\s6\smonths! :tmi.twitch.tv USERNOTICE #show :Great stream";
        let text = "ronni has subscribed for 6 months! Great stream".to_owned();
        assert_eq!(posts(frame), [(String::new(), text, ChatRole::Viewer)]);
    }

    #[test]
    fn deletions_pings_and_ends_are_distinguished() {
        let cases = [
            ("PING :tmi.twitch.tv", Some(TwitchEvent::Ping("tmi.twitch.tv".into()))),
            (":x 366 justinfan1 #show :End of /NAMES list", Some(TwitchEvent::Joined)),
            ("@emote-only=0 :tmi.twitch.tv ROOMSTATE #show", Some(TwitchEvent::Joined)),
            (
                "@login=eve;target-msg-id=abc :tmi.twitch.tv CLEARMSG #show :bad",
                Some(TwitchEvent::Deleted("abc".into())),
            ),
            (
                "@ban-duration=60;target-user-id=7 :tmi.twitch.tv CLEARCHAT #show :eve",
                Some(TwitchEvent::Cleared(Some("7".into()))),
            ),
            (":tmi.twitch.tv CLEARCHAT #show", Some(TwitchEvent::Cleared(None))),
            (":tmi.twitch.tv RECONNECT", Some(TwitchEvent::Reconnect)),
            (
                "@msg-id=msg_channel_suspended :tmi.twitch.tv NOTICE #show :This channel does not exist.",
                Some(TwitchEvent::Refused("This channel does not exist.".into())),
            ),
            ("@msg-id=slow_off :tmi.twitch.tv NOTICE #show :Slow mode is off.", None),
            (":tmi.twitch.tv 001 justinfan1 :Welcome, GLHF!", None),
        ];
        for (line, expected) in cases {
            assert_eq!(events(line).pop(), expected, "{line}");
        }
    }

    #[test]
    fn hostile_lines_tell_nothing_and_break_nothing() {
        let long = format!(":a!a@a PRIVMSG #show :{}", "x".repeat(9_000));
        let huge = "x".repeat(MAX_FRAME_BYTES + 1);
        for line in ["", "@", "@a", ": ", ":a", " ", "@;=;= :a!b PRIVMSG", "PRIVMSG", &long, &huge]
        {
            assert!(posts(line).is_empty(), "{line:.40}");
        }
        let odd = "@display-name=\\;id=\u{202e} :a PRIVMSG #s :\u{202e}hi\u{0}there";
        assert_eq!(posts(odd)[0].1, "hi there");
        let many = ":a!a@a PRIVMSG #show :x\r\n".repeat(1_000);
        assert_eq!(posts(&many).len(), MAX_LINES);
    }
}
