//! How often a new picture may wake the window: at most 30 times a second, 15 where the processor
//! draws, never while nobody can see it, and only for the page that is shown.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use crate::ui::Page;

/// A picture that comes this much early is not late for its turn.
const SLACK: Duration = Duration::from_millis(6);

/// Shared by the window and the threads that publish pictures.
#[derive(Debug)]
pub struct Pace {
    interval: Duration,
    last: Mutex<Option<Instant>>,
    hidden: AtomicBool,
    watching: AtomicBool,
}

impl Pace {
    /// `software`: the processor draws, which it has better uses for.
    pub fn new(software: bool) -> Self {
        Self {
            interval: Duration::from_millis(if software { 66 } else { 33 }),
            last: Mutex::new(None),
            hidden: AtomicBool::new(false),
            watching: AtomicBool::new(false),
        }
    }

    /// Nobody can see the window.
    pub fn set_hidden(&self, hidden: bool) {
        self.hidden.store(hidden, Ordering::Relaxed);
    }

    /// The page that is shown.
    pub fn set_page(&self, page: Page) {
        self.watching.store(page == Page::Watch, Ordering::Relaxed);
    }

    /// Whether a picture of `page` that came now may wake the window.
    pub fn is_due(&self, page: Page) -> bool {
        let watching = self.watching.load(Ordering::Relaxed);
        if self.hidden.load(Ordering::Relaxed) || watching != (page == Page::Watch) {
            return false;
        }
        let now = Instant::now();
        let mut last = self.last.lock();
        let due = last.is_none_or(|last| now.duration_since(last) + SLACK >= self.interval);
        if due {
            *last = Some(now);
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_seen_wakes_and_not_too_often() {
        let pace = Pace { interval: Duration::from_secs(3600), ..Pace::new(false) };
        assert!(!pace.is_due(Page::Watch));
        pace.set_hidden(true);
        assert!(!pace.is_due(Page::Studio));
        pace.set_hidden(false);
        assert!(pace.is_due(Page::Studio));
        assert!(!pace.is_due(Page::Studio));
        let pace = Pace { interval: Duration::ZERO, ..Pace::new(true) };
        assert!(pace.is_due(Page::Studio) && pace.is_due(Page::Studio));
    }
}
