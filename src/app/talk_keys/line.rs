//! What the studio is told of the talk key where two tell of it, this window and the desktop: it is
//! held as long as one of them says so, so that one press that both have seen is heard once.

use parking_lot::Mutex;

/// See the module.
pub(super) struct Line {
    held: Mutex<Held>,
    tell: Box<dyn Fn(bool) + Send + Sync>,
}

#[derive(Copy, Clone, Default)]
struct Held {
    here: bool,
    elsewhere: bool,
}

impl Held {
    fn is(self) -> bool {
        self.here || self.elsewhere
    }
}

impl Line {
    /// `tell` is told when the key is held and when it is let go; it must return at once.
    pub(super) fn new(tell: impl Fn(bool) + Send + Sync + 'static) -> Self {
        Self { held: Mutex::default(), tell: Box::new(tell) }
    }

    /// What this window says.
    pub(super) fn here(&self, held: bool) {
        self.change(|it| it.here = held);
    }

    /// What the desktop says.
    pub(super) fn elsewhere(&self, held: bool) {
        self.change(|it| it.elsewhere = held);
    }

    fn change(&self, change: impl FnOnce(&mut Held)) {
        // Told under the lock: in the order in which it happened.
        let mut held = self.held.lock();
        let before = held.is();
        change(&mut held);
        if held.is() != before {
            (self.tell)(held.is());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn one_press_that_both_have_seen_is_heard_once() {
        let told = Arc::new(Mutex::new(Vec::new()));
        let line = {
            let told = Arc::clone(&told);
            Line::new(move |held| told.lock().push(held))
        };
        let since = || std::mem::take(&mut *told.lock());
        line.here(true);
        line.elsewhere(true);
        line.elsewhere(true);
        line.here(false);
        assert_eq!(since(), [true]);
        line.elsewhere(false);
        line.elsewhere(false);
        assert_eq!(since(), [false]);
        line.elsewhere(true);
        line.here(true);
        line.elsewhere(false);
        line.here(false);
        assert_eq!(since(), [true, false]);
    }
}
