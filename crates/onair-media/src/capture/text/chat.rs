//! The chat as a text: the newest messages, which the studio puts on a board.

use std::sync::Arc;

use parking_lot::Mutex;

use crate::capture::text::content::{MAX_CHARACTERS, clean};

/// The newest messages of all chats, oldest first, as they are drawn. The studio sets them, and all texts
/// that show the chat read them.
#[derive(Clone, Debug, Default)]
pub struct ChatBoard(Arc<Mutex<Arc<[String]>>>);

impl PartialEq for ChatBoard {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl ChatBoard {
    /// Maximum number of messages.
    pub const MAX_LINES: u8 = 50;
    /// The usual number of messages that a text shows.
    pub const USUAL_LINES: u8 = 8;

    pub fn set(&self, lines: Arc<[String]>) {
        *self.0.lock() = lines;
    }

    /// Returns the newest messages, one in each line, of which the oldest are left out if they do not fit.
    pub(super) fn newest(&self, count: u8) -> String {
        let lines = Arc::clone(&*self.0.lock());
        let mut left = MAX_CHARACTERS;
        let mut newest = Vec::new();
        for line in lines.iter().rev().take(count.into()) {
            let line = clean(line);
            let length = line.chars().count() + usize::from(!newest.is_empty());
            if length > left {
                break;
            }
            left -= length;
            newest.push(line);
        }
        newest.reverse();
        newest.join("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_messages_come_last() {
        let board = ChatBoard::default();
        assert_eq!(board.newest(2), "");
        board.set(["Ann: a", "Bob: b", "c"].map(String::from).into());
        assert_eq!(
            (board.newest(2).as_str(), board.newest(9).as_str()),
            ("Bob: b\nc", "Ann: a\nBob: b\nc")
        );
        let long: Vec<String> = (10..60).map(|it| format!("{it}{}", "x".repeat(498))).collect();
        board.set(long.into());
        let shown = board.newest(ChatBoard::MAX_LINES);
        let first = shown.lines().next().unwrap_or_default();
        assert!(shown.lines().last().unwrap().starts_with("59"), "the newest one is there");
        assert!(first.starts_with("53") && first.len() == 500, "whole messages only: {first}");
        assert_eq!(clean(&shown), shown);
    }
}
