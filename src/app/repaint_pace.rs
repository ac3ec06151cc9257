//! Limits the frame rate of the window: 30 per second for the program, 60 for players. With
//! software rendering, these limits are halved, and the program gets 10 frames per second while the
//! studio is idle. Behind a dialog, the window gets 5 frames per second, and one behind the guide. A
//! hidden window gets no frames. The window gets only the frames that its current page shows.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use eframe::egui::{Context, ViewportId};
use parking_lot::Mutex;

use crate::studio::Snapshot;
use crate::studio::live::view::LiveState;
use crate::studio::watch::view::WatchState;
use crate::ui::{Page, Screen};

/// The maximum time by which a frame may be early and still count as on time.
const EARLY_FRAME_TOLERANCE: Duration = Duration::from_millis(6);

/// The time without input after which the window is drawn less often, with software rendering and
/// off air.
const IDLE_INPUT_TIMEOUT: Duration = Duration::from_secs(3);

/// The interval between frames of a window that a dialog dims.
const DIMMED_INTERVAL: Duration = Duration::from_millis(200);

/// The same while the first-run guide is open, which can be for long.
const BEHIND_GUIDE_INTERVAL: Duration = Duration::from_secs(1);

/// The interval between frames while the first-run guide shows the picture of the camera.
const GUIDE_INTERVAL: Duration = Duration::from_millis(100);

/// A wait that is practically zero. For a wait of exactly zero, egui draws two frames, the second
/// of which corrects the layout of the first. A new video frame changes no layout.
const IMMEDIATE_REPAINT_DELAY: Duration = Duration::from_nanos(1);

/// Makes a window draw once, from any thread.
fn wake(ctx: &Context, window: ViewportId) {
    ctx.request_repaint_after_for(IMMEDIATE_REPAINT_DELAY, window);
}

/// The frame rate limit, shared by the window and the threads that publish frames.
#[derive(Debug)]
pub struct Pace {
    /// The frame intervals: for the program, for the program while the studio is idle, and for
    /// players.
    intervals: [Duration; 3],
    last: Mutex<Option<Instant>>,
    /// True with software rendering.
    software: bool,
    /// The time of the last input in the window.
    touched: Mutex<Instant>,
    hidden: AtomicBool,
    /// The interval between frames under an open dialog.
    dimmed: Mutex<Option<Duration>>,
    calm: AtomicBool,
    watching: AtomicBool,
    /// True if the current page has no moving content.
    still: AtomicBool,
    /// True if the players have a separate window.
    apart: AtomicBool,
    /// True if a projector, or a panel in a separate window, shows the program or scenes.
    projected: AtomicBool,
    /// True if any panel is in a separate window. Panels follow the studio even if the main window
    /// is hidden.
    panels: AtomicBool,
    /// The other windows, which draw themselves.
    others: Arc<Mutex<Vec<ViewportId>>>,
}

impl Pace {
    /// Creates the limit. `software` is true with software rendering. `others` are the other windows,
    /// which draw themselves.
    pub fn new(software: bool, others: Arc<Mutex<Vec<ViewportId>>>) -> Self {
        Self {
            intervals: if software { [66, 100, 33] } else { [33, 33, 16] }
                .map(Duration::from_millis),
            last: Mutex::new(None),
            software,
            touched: Mutex::new(Instant::now()),
            hidden: AtomicBool::new(false),
            dimmed: Mutex::new(None),
            calm: AtomicBool::new(false),
            watching: AtomicBool::new(false),
            still: AtomicBool::new(false),
            apart: AtomicBool::new(false),
            projected: AtomicBool::new(false),
            panels: AtomicBool::new(false),
            others,
        }
    }

    /// Adapts the limits to what the windows show. `hidden` is true if the main window is hidden.
    pub fn follow_screen(&self, screen: &Screen, hidden: bool) {
        self.set_hidden(hidden);
        self.set_page(screen.page());
        self.set_apart(screen.plays_apart());
        self.set_projected(screen.projects());
        self.set_panels(screen.has_panel_windows());
        let dimmed = match screen.shows_guide() {
            true if screen.shows_guide_picture() => GUIDE_INTERVAL,
            true => BEHIND_GUIDE_INTERVAL,
            false => DIMMED_INTERVAL,
        };
        self.set_dimmed(screen.is_blocked().then_some(dimmed));
    }

    fn set_dimmed(&self, interval: Option<Duration>) {
        *self.dimmed.lock() = interval;
    }

    /// Returns the interval between frames under an open dialog, unless another window shows the
    /// same content without a dialog.
    fn dimmed(&self) -> Option<Duration> {
        let is = |flag: &AtomicBool| flag.load(Ordering::Relaxed);
        let elsewhere = is(&self.apart) || is(&self.projected) || is(&self.panels);
        self.dimmed.lock().filter(|_| !elsewhere)
    }

    fn set_hidden(&self, hidden: bool) {
        self.hidden.store(hidden, Ordering::Relaxed);
    }

    /// Adapts the limits to the state of the studio. `touched` is true if there was input in the
    /// window.
    pub fn follow(&self, snapshot: &Snapshot, touched: bool) {
        let mut last = self.touched.lock();
        if touched {
            *last = Instant::now();
        }
        let calm = self.software && !is_busy(snapshot) && last.elapsed() > IDLE_INPUT_TIMEOUT;
        self.calm.store(calm, Ordering::Relaxed);
    }

    /// Returns the time until the window is drawn next if no new frame arrives. `ending` is true if
    /// the end of the studio was requested.
    pub fn patience(&self, snapshot: &Snapshot, ending: bool) -> Duration {
        let is = |flag: &AtomicBool| flag.load(Ordering::Relaxed);
        let hidden = is(&self.hidden) && !is(&self.panels);
        let is_audible = snapshot.audio.as_ref().is_some_and(|audio| audio.peak_dbfs > -60.0);
        let page_has_meters = !is(&self.watching) && !is(&self.still);
        let meters = is_audible && (page_has_meters || is(&self.panels));
        let patience = Duration::from_millis(match (hidden, is(&self.calm)) {
            _ if ending => 50,
            (true, _) => 500,
            // If the meters move, they are drawn together with the video frames.
            (false, true) if meters => 150,
            (false, false) if meters => 80,
            (false, true) => 1_000,
            (false, false) if is_busy(snapshot) => 200,
            (false, false) => 400,
        });
        // The meters move with the dimmed picture.
        self.dimmed().filter(|_| !ending).map_or(patience, |dimmed| patience.max(dimmed))
    }

    fn set_page(&self, page: Page) {
        self.watching.store(page == Page::Watch, Ordering::Relaxed);
        self.still.store(page == Page::Recordings, Ordering::Relaxed);
    }

    fn set_apart(&self, apart: bool) {
        self.apart.store(apart, Ordering::Relaxed);
    }

    fn set_projected(&self, projected: bool) {
        self.projected.store(projected, Ordering::Relaxed);
    }

    fn set_panels(&self, panels: bool) {
        self.panels.store(panels, Ordering::Relaxed);
    }

    /// Makes all windows draw once, from any thread.
    pub fn wake(&self, ctx: &Context) {
        wake(ctx, ViewportId::ROOT);
        self.wake_others(ctx);
    }

    /// Makes the other windows draw once.
    pub fn wake_others(&self, ctx: &Context) {
        self.others.lock().iter().for_each(|id| wake(ctx, *id));
    }

    /// Returns true if a new frame for `page` may wake the windows now.
    pub fn is_due(&self, page: Page) -> bool {
        let watching = self.watching.load(Ordering::Relaxed);
        let apart = match page {
            Page::Watch => self.apart.load(Ordering::Relaxed),
            Page::Studio => self.projected.load(Ordering::Relaxed),
            Page::Recordings => false,
        };
        let is = |flag: &AtomicBool| flag.load(Ordering::Relaxed);
        let unseen = is(&self.hidden) || is(&self.still) || watching != (page == Page::Watch);
        if unseen && !apart {
            return false;
        }
        let [program, calm, watched] = self.intervals;
        let interval = match page {
            Page::Watch => watched,
            Page::Studio | Page::Recordings if self.calm.load(Ordering::Relaxed) => calm,
            Page::Studio | Page::Recordings => program,
        };
        let interval = self.dimmed().map_or(interval, |dimmed| interval.max(dimmed));
        let now = Instant::now();
        let mut last = self.last.lock();
        let due =
            last.is_none_or(|last| now.duration_since(last) + EARLY_FRAME_TOLERANCE >= interval);
        if due {
            *last = Some(now);
        }
        due
    }
}

/// Returns true if something is being sent, recorded or played.
fn is_busy(snapshot: &Snapshot) -> bool {
    let idle = |state: &WatchState| matches!(state, WatchState::Idle | WatchState::Ended);
    snapshot.live != LiveState::Idle
        || snapshot.recording.is_some()
        || snapshot.tiles.iter().any(|tile| !idle(&tile.state))
}

#[cfg(test)]
mod tests {
    use eframe::egui::RawInput;

    use super::*;

    #[test]
    fn waking_a_window_requests_one_frame() {
        let ctx = Context::default();
        let frame = || ctx.run_ui(RawInput::default(), |_| {}).textures_delta.clear();
        while ctx.has_requested_repaint() {
            frame();
        }
        wake(&ctx, ViewportId::ROOT);
        assert!(ctx.has_requested_repaint());
        frame();
        assert!(!ctx.has_requested_repaint());
    }

    #[test]
    fn an_untouched_window_off_air_is_drawn_less_often_where_the_processor_draws() {
        let ago = |millis| Instant::now().checked_sub(Duration::from_millis(millis)).unwrap();
        let idle = Snapshot::default();
        let on_air = Snapshot { live: LiveState::OnAir, ..Snapshot::default() };
        for (software, snapshot, touched, calm) in [
            (true, &idle, false, true),
            (true, &idle, true, false),
            (true, &on_air, false, false),
            (false, &idle, false, false),
        ] {
            let pace = Pace::new(software, Arc::default());
            *pace.touched.lock() = ago(4_000);
            pace.follow(snapshot, touched);
            *pace.last.lock() = Some(ago(66));
            let what = format!("software {software}, {:?}, touched {touched}", snapshot.live);
            assert_eq!(pace.is_due(Page::Studio), !calm, "{what}");
            assert_eq!(pace.patience(snapshot, false) > Duration::from_millis(400), calm, "{what}");
            *pace.last.lock() = Some(ago(100));
            assert!(pace.is_due(Page::Studio), "{what}");
        }
    }

    #[test]
    fn a_video_behind_a_dialog_is_drawn_five_times_a_second_unless_a_projector_shows_it() {
        let ago = |millis| Instant::now().checked_sub(Duration::from_millis(millis)).unwrap();
        let pace = Pace::new(false, Arc::default());
        for (dimmed, projected, page, due_after) in [
            (None, false, Page::Studio, 40),
            (Some(DIMMED_INTERVAL), false, Page::Studio, 200),
            (Some(GUIDE_INTERVAL), false, Page::Studio, 100),
            (Some(BEHIND_GUIDE_INTERVAL), false, Page::Studio, 1_000),
            (Some(DIMMED_INTERVAL), true, Page::Studio, 40),
            (Some(DIMMED_INTERVAL), false, Page::Watch, 200),
        ] {
            pace.set_page(page);
            pace.set_dimmed(dimmed);
            pace.set_projected(projected);
            // Half of the interval is too early.
            for (since, due) in [(due_after / 2 - 10, false), (due_after, true)] {
                *pace.last.lock() = Some(ago(since));
                assert_eq!(pace.is_due(page), due, "{dimmed:?}, {projected}, {since} ms");
            }
            let shortest = dimmed.filter(|_| !projected).unwrap_or_default();
            assert!(pace.patience(&Snapshot::default(), false) >= shortest);
        }
    }

    #[test]
    fn only_what_is_seen_wakes_and_not_too_often() {
        let pace =
            Pace { intervals: [Duration::from_secs(3600); 3], ..Pace::new(false, Arc::default()) };
        assert!(!pace.is_due(Page::Watch));
        pace.set_hidden(true);
        assert!(!pace.is_due(Page::Studio));
        pace.set_hidden(false);
        assert!(pace.is_due(Page::Studio));
        assert!(!pace.is_due(Page::Studio));
        let pace = Pace { intervals: [Duration::ZERO; 3], ..Pace::new(false, Arc::default()) };
        pace.set_hidden(true);
        assert!(!pace.is_due(Page::Watch));
        pace.set_apart(true);
        assert!(pace.is_due(Page::Watch) && !pace.is_due(Page::Studio));
        pace.set_apart(false);
        pace.set_projected(true);
        assert!(pace.is_due(Page::Studio) && !pace.is_due(Page::Watch));
        // A hidden window follows the studio slowly, unless a panel is in a separate window.
        let hidden = pace.patience(&Snapshot::default(), false);
        pace.set_panels(true);
        assert!(pace.patience(&Snapshot::default(), false) < hidden);
        let pace = Pace { intervals: [Duration::ZERO; 3], ..Pace::new(true, Arc::default()) };
        assert!(pace.is_due(Page::Studio) && pace.is_due(Page::Studio));
    }
}
