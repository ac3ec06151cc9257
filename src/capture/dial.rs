//! A setting that may be turned while its source is open: one who turns it, and the threads and feed
//! of the source who look at it.

use std::sync::Arc;

use parking_lot::Mutex;

/// A setting that several hold; all see the value that was set last.
#[derive(Clone, Debug, Default)]
pub struct Dial<T>(Arc<Mutex<T>>);

impl<T: Clone + PartialEq> Dial<T> {
    pub fn new(value: T) -> Self {
        Self(Arc::new(Mutex::new(value)))
    }

    /// As it stands now.
    pub fn get(&self) -> T {
        self.0.lock().clone()
    }

    /// Turns it.
    pub fn set(&self, value: T) {
        *self.0.lock() = value;
    }

    /// The new value, where it is another than `before`.
    pub(super) fn change(&self, before: &T) -> Option<T> {
        let now = self.0.lock();
        (*now != *before).then(|| now.clone())
    }

    /// Whether anybody else holds it: if not, it need not be looked at again.
    pub(super) fn is_shared(&self) -> bool {
        Arc::strong_count(&self.0) > 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_see_what_was_set_last() {
        let dial = Dial::new(3);
        assert!(!dial.is_shared());
        let other = dial.clone();
        assert!(dial.is_shared());
        other.set(4);
        assert_eq!((dial.get(), dial.change(&3), dial.change(&4)), (4, Some(4), None));
        drop(other);
        assert!(!dial.is_shared());
    }
}
