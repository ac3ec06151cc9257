//! The chats of streaming services: which chat it is, and the messages that come from it. Each
//! service has a file of its own, which reads the bytes of the service and keeps no connection.

pub mod bilibili;
pub mod twitch;
pub mod youtube;

use std::fmt;
use std::str::FromStr;

use url::Url;

use super::{ChatLine, ChatRole, clean};

/// Maximum length of the text of a message, in characters. Twitch allows 500.
pub const MAX_SERVICE_TEXT_CHARS: usize = 500;
/// Maximum length of the name of a channel, in characters.
pub const MAX_CHANNEL_CHARS: usize = 32;
/// Length of the id of a video of YouTube.
const VIDEO_CHARS: usize = 11;
/// Maximum length of the number of a room of Bilibili.
const MAX_ROOM_DIGITS: usize = 12;
/// Maximum length of the id of a message or a sender, in bytes. Longer ones are no ids. Those of YouTube have up to 200.
pub const MAX_ID_BYTES: usize = 512;

/// A streaming service with a chat.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum Service {
    Twitch,
    YouTube,
    Bilibili,
}

impl Service {
    pub const ALL: [Self; 3] = [Self::Twitch, Self::YouTube, Self::Bilibili];

    /// The name in settings, on the command line and in events.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Twitch => "twitch",
            Self::YouTube => "youtube",
            Self::Bilibili => "bilibili",
        }
    }

    /// The name as the service writes it.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Twitch => "Twitch",
            Self::YouTube => "YouTube",
            Self::Bilibili => "Bilibili",
        }
    }

    /// Returns the name of a channel as the service writes it, or `None` if it cannot be one: a name of
    /// Twitch, a video of YouTube, or the number of a room of Bilibili.
    fn channel(self, text: &str) -> Option<String> {
        let text = text.trim();
        let is_word = |it: char| it.is_ascii_alphanumeric() || it == '_';
        let (channel, most, is_good) = match self {
            Self::Twitch => {
                let name = text.trim_start_matches('#').to_ascii_lowercase();
                let is_good = name.chars().all(is_word);
                (name, MAX_CHANNEL_CHARS, is_good)
            }
            Self::YouTube => {
                let is_good = text.chars().all(|it| is_word(it) || it == '-');
                (text.to_owned(), VIDEO_CHARS, is_good && text.len() == VIDEO_CHARS)
            }
            Self::Bilibili => {
                let number = text.trim_start_matches('0');
                let is_good = number.chars().all(|it| it.is_ascii_digit());
                (number.to_owned(), MAX_ROOM_DIGITS, is_good)
            }
        };
        (is_good && !channel.is_empty() && channel.len() <= most).then_some(channel)
    }

    /// Reads the address of a page with a chat, without `https://` and `www.`. Returns the service and
    /// its channel, which may be wrong.
    fn of_page(page: &str) -> Option<(Self, &str)> {
        let first = |rest: &'static str| {
            let rest = page.strip_prefix(rest)?;
            Some(rest.split(['?', '#', '/', '&']).next().unwrap_or_default())
        };
        let video = || {
            let (_, query) = page.strip_prefix("youtube.com/watch")?.split_once('?')?;
            let of = |field: &'_ str| field.starts_with("v=");
            query.split('&').find(|it| of(it)).and_then(|it| it.strip_prefix("v="))
        };
        let youtube = || first("youtube.com/live/").or_else(|| first("youtu.be/")).or_else(video);
        (first("twitch.tv/").map(|it| (Self::Twitch, it)))
            .or_else(|| youtube().map(|it| (Self::YouTube, it)))
            .or_else(|| first("live.bilibili.com/").map(|it| (Self::Bilibili, it)))
    }
}

/// The chat of a channel: `SERVICE:CHANNEL`, or `SERVICE:CHANNEL@URL` for another server that speaks
/// the protocol of the service.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ServiceAddress {
    pub service: Service,
    /// The name of the channel, the id of the video, or the number of the room.
    pub channel: String,
    /// Another server that speaks the protocol of the service.
    pub server: Option<Url>,
}

/// Why a text names no chat of a service.
#[derive(Copy, Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ServiceAddressError {
    #[error("a chat is SERVICE:CHANNEL, and the services are: twitch, youtube, bilibili")]
    UnknownService,
    #[error(
        "a channel of Twitch has 1 to 32 letters, digits and underscores, a video of YouTube 11, and a \
         room of Bilibili is a number"
    )]
    BadChannel,
    #[error(
        "the server of a chat is a ws:// or wss:// URL, or http(s):// for YouTube, without a password"
    )]
    BadServer,
}

impl FromStr for ServiceAddress {
    type Err = ServiceAddressError;

    /// Parses `SERVICE:CHANNEL`, or the address of the channel's page, such as
    /// `https://www.twitch.tv/CHANNEL`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        let page = text.strip_prefix("https://").unwrap_or(text);
        let page = page.strip_prefix("www.").unwrap_or(page);
        let (service, rest) = match Service::of_page(page) {
            Some(found) => found,
            None => {
                let (name, rest) = text.split_once(':').ok_or(Self::Err::UnknownService)?;
                let known = |it: &Service| it.name().eq_ignore_ascii_case(name.trim());
                (Service::ALL.into_iter().find(known).ok_or(Self::Err::UnknownService)?, rest)
            }
        };
        let (channel, server) = match rest.split_once('@') {
            Some((channel, server)) => (channel, Some(server)),
            None => (rest, None),
        };
        let channel = service.channel(channel).ok_or(Self::Err::BadChannel)?;
        let server = server.map(|text| server_of(service, text)).transpose()?;
        Ok(Self { service, channel, server })
    }
}

fn server_of(service: Service, text: &str) -> Result<Url, ServiceAddressError> {
    let url = Url::parse(text).map_err(|_| ServiceAddressError::BadServer)?;
    let is_plain = url.username().is_empty() && url.password().is_none() && url.query().is_none();
    let schemes = match service {
        Service::YouTube => ["http", "https"],
        Service::Twitch | Service::Bilibili => ["ws", "wss"],
    };
    match schemes.contains(&url.scheme()) && is_plain && url.has_host() {
        true => Ok(url),
        false => Err(ServiceAddressError::BadServer),
    }
}

impl fmt::Display for ServiceAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.service.name(), self.channel)?;
        match &self.server {
            Some(server) => write!(f, "@{server}"),
            None => Ok(()),
        }
    }
}

/// A message in the chat of a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServicePost {
    /// The id of the message; empty if the service gave none.
    pub id: String,
    /// The id of its sender; empty for the service itself.
    pub from: String,
    pub role: ChatRole,
    /// The message. The service itself has no name.
    pub line: ChatLine,
}

impl ServicePost {
    /// Cleans a message. Returns `None` if no text is left.
    fn new(ids: (&str, &str), role: ChatRole, name: &str, text: &str) -> Option<Self> {
        let id = |text: &str| match text.len() {
            0..=MAX_ID_BYTES => text.to_owned(),
            _ => String::new(),
        };
        let line = ChatLine::within(name, text, MAX_SERVICE_TEXT_CHARS)?;
        Some(Self { id: id(ids.0), from: id(ids.1), role, line })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_from_a_name_or_a_page_and_written_as_a_name() {
        let parsed = |text: &str| text.parse::<ServiceAddress>().map(|it| it.to_string());
        for text in ["twitch:Some_One", "Twitch: #some_one ", "https://www.twitch.tv/some_one?a=b"]
        {
            assert_eq!(parsed(text).as_deref(), Ok("twitch:some_one"), "{text}");
        }
        let video = [
            "https://www.youtube.com/watch?list=x&v=dQw4w9WgXc-&t=1",
            "https://youtu.be/dQw4w9WgXc-",
            "https://www.youtube.com/live/dQw4w9WgXc-?si=a",
            "YouTube:dQw4w9WgXc-",
        ];
        for text in video {
            assert_eq!(parsed(text).as_deref(), Ok("youtube:dQw4w9WgXc-"), "{text}");
        }
        for text in ["https://live.bilibili.com/123?x=y", "bilibili:00123"] {
            assert_eq!(parsed(text).as_deref(), Ok("bilibili:123"), "{text}");
        }
        assert!(parsed("youtube:dQw4w9WgXc-@http://127.0.0.1:1/").is_ok());
        let other = "twitch:some_one@ws://127.0.0.1:8080/chat";
        assert_eq!(parsed(other).as_deref(), Ok(other));
    }

    #[test]
    fn an_address_that_names_no_channel_is_refused_with_the_reason() {
        let error = |text: &str| text.parse::<ServiceAddress>().unwrap_err();
        assert_eq!(error("someone"), ServiceAddressError::UnknownService);
        assert_eq!(error("mixer:someone"), ServiceAddressError::UnknownService);
        let long = format!("twitch:{}", "x".repeat(33));
        for text in
            ["youtube:short", "youtube:dQw4w9WgXc&", "bilibili:", "bilibili:name", "bilibili:0"]
        {
            assert_eq!(error(text), ServiceAddressError::BadChannel, "{text}");
        }
        assert_eq!(error("youtube:dQw4w9WgXc-@ws://h/"), ServiceAddressError::BadServer);
        for text in ["twitch:", "twitch:a b", "twitch:a\r\nJOIN", "twitch.tv/", &long] {
            assert_eq!(error(text), ServiceAddressError::BadChannel, "{text}");
        }
        for server in ["http://h/", "ws://a:b@h/", "ws://h/?key=x", "x"] {
            assert_eq!(error(&format!("twitch:a@{server}")), ServiceAddressError::BadServer);
        }
    }
}
