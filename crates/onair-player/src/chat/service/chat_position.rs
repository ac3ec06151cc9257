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
    /// Forgets the page if the service refuses its token with this status, so that the chat begins again at its newest
    /// page. Returns false if the refusal has another reason.
    pub fn forget_refused_page(&mut self, status: u16) -> bool {
        status == 400 && self.page.take().is_some()
    }

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_that_is_refused_is_forgotten_once() {
        let at_page = || ChatPlace { page: Some("old".into()), ..ChatPlace::default() };
        let mut place = at_page();
        assert!(place.forget_refused_page(400) && place.page.is_none());
        assert!(!place.forget_refused_page(400), "the request itself is wrong");
        assert!(!at_page().forget_refused_page(403));
    }
}
