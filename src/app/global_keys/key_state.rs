//! What the studio is told of the talk key where two tell of it, this window and the desktop: it is
//! held as long as one of them says so, so that one press that both have seen is heard once. This window has
//! to say it again and again: one that vanishes on Wayland gets no frames, and never says that the
//! key was let go.

use std::time::{Duration, Instant};

use parking_lot::Mutex;

/// What the window has not said again by then is not so any more.
const LEASE: Duration = Duration::from_millis(1500);
/// While the key is held the window is drawn, and says so, at least this often.
pub const TURN: Duration = Duration::from_millis(300);

/// See the module.
pub(super) struct KeyState {
    held: Mutex<HeldKey>,
    tell: Box<dyn Fn(bool) + Send + Sync>,
}

#[derive(Copy, Clone, Default)]
struct HeldKey {
    /// Until when that holds, unless it is said again.
    here: Option<Instant>,
    elsewhere: bool,
    /// Somebody calls [`KeyState::lapse`] as long as it holds.
    awaited: bool,
}

impl HeldKey {
    fn is(self) -> bool {
        self.here.is_some() || self.elsewhere
    }
}

impl KeyState {
    /// `tell` is told when the key is held and when it is let go; it must return at once.
    pub(super) fn new(tell: impl Fn(bool) + Send + Sync + 'static) -> Self {
        Self { held: Mutex::default(), tell: Box::new(tell) }
    }

    /// What this window says. `true`: from now on somebody has to call [`KeyState::lapse`] for it, who
    /// did not before.
    pub(super) fn here(&self, held: bool, now: Instant) -> bool {
        self.change(|it| {
            it.here = held.then(|| now + LEASE);
            let begins = held && !it.awaited;
            it.awaited |= held;
            begins
        })
    }

    /// What the window has not said again in time holds no more. After how long it is to be looked again;
    /// `None`: not before the key is held again.
    pub(super) fn lapse(&self, now: Instant) -> Option<Duration> {
        self.change(|it| {
            it.here = it.here.filter(|until| *until > now);
            it.awaited = it.here.is_some();
            it.here.map(|until| until - now)
        })
    }

    /// What the desktop says.
    pub(super) fn elsewhere(&self, held: bool) {
        self.change(|it| it.elsewhere = held);
    }

    fn change<T>(&self, change: impl FnOnce(&mut HeldKey) -> T) -> T {
        // Told under the lock: in the order in which it happened.
        let mut held = self.held.lock();
        let before = held.is();
        let changed = change(&mut held);
        if held.is() != before {
            (self.tell)(held.is());
        }
        changed
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    /// A line, and what was told since it was asked last.
    fn line() -> (KeyState, impl Fn() -> Vec<bool>) {
        let told = Arc::new(Mutex::new(Vec::new()));
        let its = Arc::clone(&told);
        (KeyState::new(move |held| its.lock().push(held)), move || {
            std::mem::take(&mut *told.lock())
        })
    }

    #[test]
    fn one_press_that_both_have_seen_is_heard_once() {
        let ((line, since), now) = (line(), Instant::now());
        line.here(true, now);
        line.elsewhere(true);
        line.elsewhere(true);
        line.here(false, now);
        assert_eq!(since(), [true]);
        line.elsewhere(false);
        line.elsewhere(false);
        assert_eq!(since(), [false]);
        line.elsewhere(true);
        line.here(true, now);
        line.elsewhere(false);
        line.here(false, now);
        assert_eq!(since(), [true, false]);
    }

    #[test]
    fn a_window_that_says_nothing_more_does_not_hold_the_key() {
        let ((line, since), begin) = (line(), Instant::now());
        let at = |ms| begin + Duration::from_millis(ms);
        assert!(line.here(true, at(0)), "somebody has to look after it");
        // Each frame says it again; whoever looks after it continues.
        assert!(!line.here(true, at(1_000)));
        assert_eq!(line.lapse(at(1_500)), Some(Duration::from_millis(1_000)));
        assert_eq!(line.lapse(at(2_499)), Some(Duration::from_millis(1)));
        assert_eq!(since(), [true]);
        assert_eq!(line.lapse(at(2_500)), None);
        assert_eq!(since(), [false]);
        // Seen again with the key still held.
        assert!(line.here(true, at(9_000)));
        assert!(!line.here(false, at(9_100)));
        assert!(!line.here(true, at(9_200)), "somebody still does");
        assert_eq!(line.lapse(at(10_500)), Some(Duration::from_millis(200)));
        assert_eq!(since(), [true, false, true]);
        // What the desktop says has no end of its own.
        line.elsewhere(true);
        assert_eq!(line.lapse(at(20_000)), None);
        assert!(since().is_empty());
        line.elsewhere(false);
        assert_eq!(since(), [false]);
        assert_eq!(line.lapse(at(30_000)), None);
    }
}
