//! The chat next to the player, as displayed in the window: its lines, its connection, and the
//! options of lines that scroll over the frame.

use std::sync::Arc;

use crate::net::web::WebUrl;
use crate::player::chat::ChatState;
use crate::text::Problem;
use crate::text::problem::problem;
use crate::wire::chat::blocked_words::BlockedWords;
use crate::wire::chat::service::ServiceAddress;
use crate::wire::chat::{ChatLine, ChatRefusal, ChatRole, MAX_NAME_CHARS};

/// Maximum number of chats of streaming services.
pub const MAX_SERVICE_CHATS: usize = 8;
/// Maximum number of stored lines.
pub const MAX_STORED_LINES: usize = 200;
/// Maximum number of words that block a line.
pub const MAX_BLOCKED_WORDS: usize = 64;
/// Maximum number of characters of a blocked word.
pub const MAX_BLOCKED_WORD_CHARS: usize = 64;
/// Maximum number of streams whose chat has an address that the user set.
pub const MAX_CHAT_ADDRESSES: usize = 12;
/// The range of text sizes for scrolling lines, in points.
pub const TEXT_SIZE_RANGE_POINTS: std::ops::RangeInclusive<f32> = 14.0..=40.0;
/// The range of speeds, as a factor of the usual speed.
pub const SPEED_FACTOR_RANGE: std::ops::RangeInclusive<f32> = 0.5..=2.0;
/// The range of opacities.
pub const OPACITY_RANGE: std::ops::RangeInclusive<f32> = 0.2..=1.0;

/// The display options of the chat, and the user's name in it. They are saved.
#[derive(Clone, Debug, PartialEq)]
pub struct ChatChoices {
    /// True if lines scroll over the frame.
    pub flying: bool,
    pub opacity: f32,
    pub speed: f32,
    pub size: f32,
    /// Lines with one of these words are not shown.
    pub words: Vec<String>,
    /// The user's name; if empty, the server assigns one.
    pub name: String,
    /// Streams whose chat address the user set, with that address, the newest first.
    pub places: Vec<(String, String)>,
    /// The chats of streaming services that the streamer reads.
    pub services: Vec<ServiceAddress>,
    /// True if a key of YouTube's API is stored with the stream keys.
    pub youtube_key: bool,
}

impl Default for ChatChoices {
    fn default() -> Self {
        Self {
            flying: true,
            opacity: 0.9,
            speed: 1.0,
            size: 20.0,
            words: Vec::new(),
            name: String::new(),
            places: Vec::new(),
            services: Vec::new(),
            youtube_key: false,
        }
    }
}

impl ChatChoices {
    /// Returns the options with all values within their limits.
    pub fn checked(mut self) -> Self {
        let standard = Self::default();
        let within = |value: f32, range: &std::ops::RangeInclusive<f32>, standard: f32| {
            if value.is_finite() { value.clamp(*range.start(), *range.end()) } else { standard }
        };
        self.opacity = within(self.opacity, &OPACITY_RANGE, standard.opacity);
        self.speed = within(self.speed, &SPEED_FACTOR_RANGE, standard.speed);
        self.size = within(self.size, &TEXT_SIZE_RANGE_POINTS, standard.size);
        self.words.retain_mut(|word| {
            *word = word.trim().chars().take(MAX_BLOCKED_WORD_CHARS).collect();
            !word.is_empty()
        });
        self.words.truncate(MAX_BLOCKED_WORDS);
        self.places.truncate(MAX_CHAT_ADDRESSES);
        let mut known = Vec::new();
        self.services.retain(|it| {
            !known.contains(it) && {
                known.push(it.clone());
                true
            }
        });
        self.services.truncate(MAX_SERVICE_CHATS);
        // A name is sanitized like that of a line.
        self.name = ChatLine::new(&self.name, "x").map(|line| line.name).unwrap_or_default();
        debug_assert!(self.name.chars().count() <= MAX_NAME_CHARS);
        self
    }

    /// Returns the chat address that the user set for this stream.
    pub fn place_of(&self, stream: &str) -> Option<&str> {
        let place = self.places.iter().find(|(of, _)| of == stream);
        place.map(|(_, chat)| chat.as_str())
    }

    /// Sets the chat address for this stream; empty means that it is found automatically.
    pub fn put_place(&mut self, stream: &str, chat: &str) {
        self.places.retain(|(of, _)| of != stream);
        if !chat.is_empty() && !stream.is_empty() {
            self.places.insert(0, (stream.to_owned(), chat.to_owned()));
            self.places.truncate(MAX_CHAT_ADDRESSES);
        }
    }

    /// Returns true if a line contains no blocked word, in any spelling.
    pub fn lets_pass(&self, line: &ChatLine) -> bool {
        if self.words.is_empty() {
            return true;
        }
        let words = BlockedWords::new(&self.words);
        !(words.are_in(&line.text) || words.are_in(&line.name))
    }
}

/// Parses the address of a chat.
///
/// # Errors
/// Fails if the address is not valid.
pub fn check_place(text: &str) -> Result<WebUrl, Problem> {
    match WebUrl::parse(text.trim()) {
        Ok(url) if url.is_websocket() => Ok(url),
        Ok(_) => Err(problem!("chat-not-websocket")),
        Err(error) => Err(problem!("chat-bad-address", reason = Problem::from(&error))),
    }
}

/// A received line of the chat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceivedLine {
    /// A number that increases over all streams.
    pub number: u64,
    /// The number of the message on its server, if it has one.
    pub id: Option<u64>,
    pub role: ChatRole,
    pub line: Arc<ChatLine>,
    /// If the line explains why the server did not pass on the user's message: the reason.
    pub refusal: Option<ChatRefusal>,
}

/// The state of the chat.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct ChatView {
    /// The state of the connection; `None` if no chat is known for the stream.
    pub state: Option<ChatState>,
    /// The address of the chat, if one is known for the stream.
    pub address: Option<WebUrl>,
    /// The newest [`MAX_STORED_LINES`] lines, oldest first, without blocked ones.
    pub lines: Arc<[ReceivedLine]>,
    /// The number of times that lines were deleted.
    pub deletions: u64,
    /// The number of chats before this one.
    pub generation: u64,
    /// The texts of the user's last messages that were not passed on, numbered in this order.
    pub returned: Arc<[(u64, Arc<str>)]>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_stay_within_their_bounds() {
        let wild = ChatChoices {
            opacity: f32::NAN,
            speed: 99.0,
            size: -1.0,
            words: vec![" a ".into(), " ".into(), "w".repeat(999)],
            name: "\u{202e}n\n".repeat(99),
            ..ChatChoices::default()
        };
        let checked = wild.checked();
        assert_eq!((checked.opacity, checked.speed, checked.size), (0.9, 2.0, 14.0));
        assert_eq!(
            checked.words.iter().map(String::len).collect::<Vec<_>>(),
            [1, MAX_BLOCKED_WORD_CHARS]
        );
        assert!(
            checked.name.chars().count() <= MAX_NAME_CHARS && !checked.name.contains('\u{202e}')
        );
        assert_eq!(checked.clone().checked(), checked);
        assert_eq!(ChatChoices::default().checked(), ChatChoices::default());
    }

    #[test]
    fn words_keep_lines_out() {
        let words = vec!["Spoiler".to_owned(), "剧透".to_owned()];
        let choices = ChatChoices { words, ..ChatChoices::default() };
        let passes = |name, text| choices.lets_pass(&ChatLine::new(name, text).unwrap());
        assert!(passes("ann", "fine"));
        assert!(!passes("ann", "a SPOILER!"));
        assert!(!passes("ann", "这是剧透"));
        assert!(!passes("spoilerbot", "hi"));
    }
}
