//! Combines the state of the push-to-talk key from two reporters: this window and the desktop. The
//! key counts as held while one of them reports it, so a press that both report counts once. The
//! window must renew its report: on Wayland, a hidden window gets no frames and never reports the
//! release.

use std::time::{Duration, Instant};

use parking_lot::Mutex;

/// The time after which a report from the window expires, unless the window renews the report.
const REPORT_LIFETIME: Duration = Duration::from_millis(1500);
/// The interval at which the window is drawn and renews its report while the user holds the key.
pub const REPORT_RENEWAL_INTERVAL: Duration = Duration::from_millis(300);

/// The combined state; see the module documentation.
pub(super) struct KeyState {
    held: Mutex<HeldKey>,
    tell: Box<dyn Fn(bool) + Send + Sync>,
}

#[derive(Copy, Clone, Default)]
struct HeldKey {
    /// The time until which the window's report is valid without renewal.
    here: Option<Instant>,
    elsewhere: bool,
    /// True if a thread calls [`KeyState::lapse`] while the report is valid.
    awaited: bool,
}

impl HeldKey {
    fn is(self) -> bool {
        self.here.is_some() || self.elsewhere
    }
}

impl KeyState {
    /// Creates the state, which calls `tell` when the key is pressed and released; `tell` must
    /// return immediately.
    pub(super) fn new(tell: impl Fn(bool) + Send + Sync + 'static) -> Self {
        Self { held: Mutex::default(), tell: Box::new(tell) }
    }

    /// Takes a report from this window. Returns `true` if the caller must start to call
    /// [`KeyState::lapse`].
    pub(super) fn here(&self, held: bool, now: Instant) -> bool {
        self.change(|it| {
            it.here = held.then(|| now + REPORT_LIFETIME);
            let begins = held && !it.awaited;
            it.awaited |= held;
            begins
        })
    }

    /// Drops a report that the window did not renew in time. Returns the time until the next check,
    /// or `None` if no check is needed before the next press.
    pub(super) fn lapse(&self, now: Instant) -> Option<Duration> {
        self.change(|it| {
            it.here = it.here.filter(|until| *until > now);
            it.awaited = it.here.is_some();
            it.here.map(|until| until - now)
        })
    }

    /// Takes a report from the desktop.
    pub(super) fn elsewhere(&self, held: bool) {
        self.change(|it| it.elsewhere = held);
    }

    fn change<T>(&self, change: impl FnOnce(&mut HeldKey) -> T) -> T {
        // The callback runs under the lock, so that the calls are in the right order.
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

    /// Creates a key state, and a function that returns its changes since the last call.
    fn line() -> (KeyState, impl Fn() -> Vec<bool>) {
        let states = Arc::new(Mutex::new(Vec::new()));
        let its = Arc::clone(&states);
        (KeyState::new(move |held| its.lock().push(held)), move || {
            std::mem::take(&mut *states.lock())
        })
    }

    #[test]
    fn one_press_that_both_have_seen_counts_once() {
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
        // Each frame renews the report; the checking thread continues.
        assert!(!line.here(true, at(1_000)));
        assert_eq!(line.lapse(at(1_500)), Some(Duration::from_millis(1_000)));
        assert_eq!(line.lapse(at(2_499)), Some(Duration::from_millis(1)));
        assert_eq!(since(), [true]);
        assert_eq!(line.lapse(at(2_500)), None);
        assert_eq!(since(), [false]);
        // The key is reported again while it is still held.
        assert!(line.here(true, at(9_000)));
        assert!(!line.here(false, at(9_100)));
        assert!(!line.here(true, at(9_200)), "somebody still does");
        assert_eq!(line.lapse(at(10_500)), Some(Duration::from_millis(200)));
        assert_eq!(since(), [true, false, true]);
        // A report from the desktop does not expire.
        line.elsewhere(true);
        assert_eq!(line.lapse(at(20_000)), None);
        assert!(since().is_empty());
        line.elsewhere(false);
        assert_eq!(since(), [false]);
        assert_eq!(line.lapse(at(30_000)), None);
    }
}
