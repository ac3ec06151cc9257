//! A slot for the newest value. The slot passes frames, without a queue, to readers that check the
//! slot occasionally (the preview, the compositor).

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;

type Wake = Box<dyn Fn() + Send + Sync>;

/// A slot for the newest value. Clones share the slot.
pub struct Latest<T> {
    shared: Arc<Shared<T>>,
}

struct Shared<T> {
    value: Mutex<Option<T>>,
    version: AtomicU64,
    wake: Mutex<Option<Wake>>,
}

impl<T> std::fmt::Debug for Latest<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Latest").field("version", &self.version()).finish_non_exhaustive()
    }
}

impl<T> Clone for Latest<T> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

impl<T> Default for Latest<T> {
    fn default() -> Self {
        Self {
            shared: Arc::new(Shared {
                value: Mutex::new(None),
                version: AtomicU64::new(0),
                wake: Mutex::new(None),
            }),
        }
    }
}

impl<T: Clone> Latest<T> {
    /// Replaces the value, and calls the watcher's callback, if any.
    pub fn publish(&self, value: T) {
        self.set(Some(value));
    }

    /// Empties the slot. Watchers see a new version without a value.
    pub fn clear(&self) {
        self.set(None);
    }

    fn set(&self, value: Option<T>) {
        // The old value is dropped outside the lock, because dropping may return a buffer to a
        // pool.
        let old = std::mem::replace(&mut *self.shared.value.lock(), value);
        self.shared.version.fetch_add(1, Ordering::Release);
        drop(old);
        if let Some(wake) = self.shared.wake.lock().as_ref() {
            wake();
        }
    }

    /// Returns the current value.
    pub fn get(&self) -> Option<T> {
        self.shared.value.lock().clone()
    }

    /// Returns the value if it changed since version `seen`, and updates `seen`.
    pub fn newer(&self, seen: &mut u64) -> Option<T> {
        let version = self.version();
        if version == *seen {
            return None;
        }
        *seen = version;
        self.get()
    }
}

impl<T> Latest<T> {
    /// Returns true if `self` and `other` share one slot.
    pub fn shares_with(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.shared, &other.shared)
    }

    /// Returns the number of changes.
    pub fn version(&self) -> u64 {
        self.shared.version.load(Ordering::Acquire)
    }

    /// Calls `wake` after each change, on the publisher's thread. The callback must return
    /// immediately; for example, it may request a repaint. A new callback replaces an earlier one.
    pub fn on_change(&self, wake: impl Fn() + Send + Sync + 'static) {
        *self.shared.wake.lock() = Some(Box::new(wake));
    }
}

impl<T: Clone + Send + 'static> Latest<T> {
    /// Passes each new value to `take`, as [`Latest::on_change`] does. A callback that holds a
    /// clone of its own slot would keep the slot and its value forever.
    pub fn on_value(&self, take: impl Fn(T) + Send + Sync + 'static) {
        let slot = Arc::downgrade(&self.shared);
        self.on_change(move || {
            let value = slot.upgrade().and_then(|shared| shared.value.lock().clone());
            if let Some(value) = value {
                take(value);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_newest_is_seen_and_only_once() {
        let slot = Latest::default();
        let mut seen = 0;
        assert_eq!(slot.newer(&mut seen), None);
        slot.publish(1);
        slot.publish(2);
        assert_eq!(slot.newer(&mut seen), Some(2));
        assert_eq!(slot.newer(&mut seen), None);
        assert_eq!(slot.get(), Some(2));
    }
}
