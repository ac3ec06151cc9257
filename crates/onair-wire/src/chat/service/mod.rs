//! The chats of streaming services: which chat it is, and the messages that come from it. Each
//! service has a file of its own, which reads the bytes of the service and keeps no connection.

pub mod twitch;

use std::fmt;
use std::str::FromStr;

use url::Url;

use super::{ChatLine, ChatRole, MAX_NAME_CHARS, clean};
use crate::base::sanitize::is_visible;

/// Maximum length of the text of a message, in characters. Twitch allows 500.
pub const MAX_SERVICE_TEXT_CHARS: usize = 500;
/// Maximum length of the name of a channel, in characters.
pub const MAX_CHANNEL_CHARS: usize = 32;
/// Maximum length of the id of a message or a sender, in bytes. Longer ones are no ids.
pub const MAX_ID_BYTES: usize = 64;

/// A streaming service with a chat.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum Service {
    Twitch,
}

impl Service {
    pub const ALL: [Self; 1] = [Self::Twitch];

    /// The name in settings, on the command line and in events.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Twitch => "twitch",
        }
    }

    /// The name as the service writes it.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Twitch => "Twitch",
        }
    }
}

/// The chat of a channel: `SERVICE:CHANNEL`, or `SERVICE:CHANNEL@URL` for another server that speaks
/// the protocol of the service.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ServiceAddress {
    pub service: Service,
    /// The name of the channel, in lower case.
    pub channel: String,
    /// The WebSocket of another server.
    pub server: Option<Url>,
}

/// Why a text names no chat of a service.
#[derive(Copy, Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ServiceAddressError {
    #[error("a chat is SERVICE:CHANNEL, and the services are: twitch")]
    UnknownService,
    #[error("a channel has 1 to 32 letters, digits and underscores")]
    BadChannel,
    #[error("the server of a chat is a ws:// or wss:// URL without a password")]
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
        let (service, rest) = match page.strip_prefix("twitch.tv/") {
            Some(rest) => (Service::Twitch, rest.split(['?', '#', '/']).next().unwrap_or_default()),
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
        let channel = channel.trim().trim_start_matches('#').to_ascii_lowercase();
        let is_letter = |it: char| it.is_ascii_alphanumeric() || it == '_';
        if channel.is_empty()
            || channel.len() > MAX_CHANNEL_CHARS
            || !channel.chars().all(is_letter)
        {
            return Err(Self::Err::BadChannel);
        }
        let server = server.map(server_of).transpose()?;
        Ok(Self { service, channel, server })
    }
}

fn server_of(text: &str) -> Result<Url, ServiceAddressError> {
    let url = Url::parse(text).map_err(|_| ServiceAddressError::BadServer)?;
    let is_plain = url.username().is_empty() && url.password().is_none() && url.query().is_none();
    match url.scheme() {
        "ws" | "wss" if is_plain && url.has_host() => Ok(url),
        _ => Err(ServiceAddressError::BadServer),
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
        let text = clean(text, MAX_SERVICE_TEXT_CHARS);
        let mut name = clean(name, MAX_NAME_CHARS);
        if !name.is_empty() && !name.chars().any(is_visible) {
            name = "?".to_owned();
        }
        let id = |text: &str| match text.len() {
            0..=MAX_ID_BYTES => text.to_owned(),
            _ => String::new(),
        };
        text.chars().any(is_visible).then(|| Self {
            id: id(ids.0),
            from: id(ids.1),
            role,
            line: ChatLine { name, text },
        })
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
        let other = "twitch:some_one@ws://127.0.0.1:8080/chat";
        assert_eq!(parsed(other).as_deref(), Ok(other));
    }

    #[test]
    fn an_address_that_names_no_channel_is_refused_with_the_reason() {
        let error = |text: &str| text.parse::<ServiceAddress>().unwrap_err();
        assert_eq!(error("someone"), ServiceAddressError::UnknownService);
        assert_eq!(error("mixer:someone"), ServiceAddressError::UnknownService);
        let long = format!("twitch:{}", "x".repeat(33));
        for text in ["twitch:", "twitch:a b", "twitch:a\r\nJOIN", "twitch.tv/", &long] {
            assert_eq!(error(text), ServiceAddressError::BadChannel, "{text}");
        }
        for server in ["http://h/", "ws://a:b@h/", "ws://h/?key=x", "x"] {
            assert_eq!(error(&format!("twitch:a@{server}")), ServiceAddressError::BadServer);
        }
    }
}
