//! The place in a chat that is asked for again and again, which stays over lost connections.

use std::collections::VecDeque;

/// Number of messages whose ids are kept, so that none is shown twice after a lost connection.
const MAX_KNOWN: usize = 512;

/// Where the chat is read.
#[derive(Debug, Default)]
pub(super) struct ChatPlace {
    pub chat: Option<String>,
    /// The token of the next page.
    pub page: Option<String>,
    known: VecDeque<String>,
}

impl ChatPlace {
    /// Returns true if a message with this id was not there before.
    pub fn is_new(&mut self, id: &str) -> bool {
        if id.is_empty() {
            return true;
        }
        if self.known.iter().any(|known| known == id) {
            return false;
        }
        if self.known.len() >= MAX_KNOWN {
            self.known.pop_front();
        }
        self.known.push_back(id.to_owned());
        true
    }
}
