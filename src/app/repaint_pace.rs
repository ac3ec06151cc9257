//! How often a new picture may wake the window: 30 times a second for the program, 60 for what is
//! watched; half of that where the processor draws, which has better uses for its time. Never while
//! nobody can see it, and only for the page that is shown.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use eframe::egui::{Context, ViewportId};
use parking_lot::Mutex;

use crate::ui::Page;

/// A picture that comes this much early is not late for its turn.
const SLACK: Duration = Duration::from_millis(6);

/// As good as now. Where there is nothing to wait, egui draws two frames: the second is for what was
/// laid out by the first, and a picture that comes lays nothing out.
const NOW: Duration = Duration::from_nanos(1);

/// Has the window drawn once, from any thread.
pub fn wake(ctx: &Context) {
    ctx.request_repaint_after_for(NOW, ViewportId::ROOT);
}

/// Shared by the window and the threads that publish pictures.
#[derive(Debug)]
pub struct Pace {
    /// Between two pictures of the program, and of what is watched.
    intervals: [Duration; 2],
    last: Mutex<Option<Instant>>,
    hidden: AtomicBool,
    watching: AtomicBool,
    /// The players have a window of their own.
    apart: AtomicBool,
}

impl Pace {
    /// `software`: the processor draws.
    pub fn new(software: bool) -> Self {
        Self {
            intervals: if software { [66, 33] } else { [33, 16] }.map(Duration::from_millis),
            last: Mutex::new(None),
            hidden: AtomicBool::new(false),
            watching: AtomicBool::new(false),
            apart: AtomicBool::new(false),
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

    /// The players have a window of their own, which is seen whatever the page and the window are.
    pub fn set_apart(&self, apart: bool) {
        self.apart.store(apart, Ordering::Relaxed);
    }

    /// Whether a picture of `page` that came now may wake the window.
    pub fn is_due(&self, page: Page) -> bool {
        let watching = self.watching.load(Ordering::Relaxed);
        let apart = page == Page::Watch && self.apart.load(Ordering::Relaxed);
        let unseen = self.hidden.load(Ordering::Relaxed) || watching != (page == Page::Watch);
        if unseen && !apart {
            return false;
        }
        let [program, watched] = self.intervals;
        let interval = if page == Page::Watch { watched } else { program };
        let now = Instant::now();
        let mut last = self.last.lock();
        let due = last.is_none_or(|last| now.duration_since(last) + SLACK >= interval);
        if due {
            *last = Some(now);
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use eframe::egui::RawInput;

    use super::*;

    #[test]
    fn a_picture_is_one_frame() {
        let ctx = Context::default();
        let frame = || ctx.run_ui(RawInput::default(), |_| {}).textures_delta.clear();
        while ctx.has_requested_repaint() {
            frame();
        }
        wake(&ctx);
        assert!(ctx.has_requested_repaint());
        frame();
        assert!(!ctx.has_requested_repaint());
    }

    #[test]
    fn only_what_is_seen_wakes_and_not_too_often() {
        let pace = Pace { intervals: [Duration::from_secs(3600); 2], ..Pace::new(false) };
        assert!(!pace.is_due(Page::Watch));
        pace.set_hidden(true);
        assert!(!pace.is_due(Page::Studio));
        pace.set_hidden(false);
        assert!(pace.is_due(Page::Studio));
        assert!(!pace.is_due(Page::Studio));
        let pace = Pace { intervals: [Duration::ZERO; 2], ..Pace::new(false) };
        pace.set_hidden(true);
        assert!(!pace.is_due(Page::Watch));
        pace.set_apart(true);
        assert!(pace.is_due(Page::Watch) && !pace.is_due(Page::Studio));
        let pace = Pace { intervals: [Duration::ZERO; 2], ..Pace::new(true) };
        assert!(pace.is_due(Page::Studio) && pace.is_due(Page::Studio));
    }
}
