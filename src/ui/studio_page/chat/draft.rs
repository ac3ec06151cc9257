//! The state of the chat panel, which is kept between frames.

use crate::ui::watch::danmaku::DanmakuLayer;
use crate::ui::widgets::RowFocus;

/// The state of the chat panel, which is kept between frames.
#[derive(Debug, Default)]
pub struct Draft {
    /// True if the user has chosen the chat of the watched stream instead of onair's own chat.
    pub(super) watched: bool,
    /// True if the user has chosen the chats of streaming services.
    pub(super) services: bool,
    /// The chat of a service that the user is adding.
    pub(super) address: String,
    /// True if that text named no chat.
    pub(super) is_bad_address: bool,
    /// The message at which the keyboard enters the list; `None` for the newest one.
    pub(super) selected: Option<u64>,
    /// Keeps the keyboard focus in the list.
    pub(super) rows: RowFocus,
    /// The message that is being written.
    pub(super) message: String,
    /// The blocked words, once the user has edited them.
    pub(super) words: Option<String>,
    /// The messages that fly in the *Danmaku* panel.
    pub(super) sky: DanmakuLayer,
    /// The number of the newest message that the panel has handled.
    pub(super) flown: u64,
    /// The chat from which the messages come: `None` is onair's own chat, and a number is a generation of the watched
    /// stream's chat.
    pub(super) chat: Option<u64>,
}
