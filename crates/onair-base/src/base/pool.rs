//! Reusable buffers. A pooled value returns to its pool when its last reference is dropped, so a
//! running pipeline allocates no frames. A value in an [`Arc`] can return together with the `Arc`
//! ([`Pool::fresh`]); in that case, no memory is allocated at all.

use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};

use parking_lot::Mutex;

/// A pool that provides values and takes them back. Clones share the pool.
pub struct Pool<T> {
    shelf: Arc<Store<T>>,
    make: Arc<dyn Fn() -> T + Send + Sync>,
}

struct Store<T> {
    idle: Mutex<Vec<T>>,
    /// The values that were shared by [`Fresh::share`]. The reference count of a value shows
    /// whether it is in use.
    shared: Mutex<Vec<Arc<Pooled<T>>>>,
    max_idle: usize,
}

impl<T> std::fmt::Debug for Pool<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pool").field("idle", &self.idle()).finish_non_exhaustive()
    }
}

impl<T> Clone for Pool<T> {
    fn clone(&self) -> Self {
        Self { shelf: Arc::clone(&self.shelf), make: Arc::clone(&self.make) }
    }
}

impl<T> Pool<T> {
    /// Creates a pool that keeps at most `max_idle` values for reuse, and makes new ones with
    /// `make`.
    pub fn new(max_idle: usize, make: impl Fn() -> T + Send + Sync + 'static) -> Self {
        let idle = Mutex::new(Vec::with_capacity(max_idle));
        let shared = Mutex::new(Vec::with_capacity(max_idle));
        Self { shelf: Arc::new(Store { idle, shared, max_idle }), make: Arc::new(make) }
    }

    /// Returns a reused value (with its old content) or a new one.
    pub fn take(&self) -> Pooled<T> {
        let reused = self.shelf.idle.lock().pop();
        let value = reused.unwrap_or_else(|| (self.make)());
        Pooled { value: Some(value), shelf: Arc::downgrade(&self.shelf), number: number() }
    }

    /// Returns a value to write and then share: a reused value (with its old content) or a new one.
    /// The pool keeps at most `max_idle` such values in addition.
    pub fn fresh(&self) -> Fresh<T> {
        let mut shared = self.shelf.shared.lock();
        // Only the pool holds this value, so no other thread can obtain it.
        let unused = shared.iter_mut().position(|it| Arc::get_mut(it).is_some());
        let unused = unused.map(|index| shared.swap_remove(index));
        drop(shared);
        let value = unused.unwrap_or_else(|| Arc::new(self.take()));
        Fresh { value, shelf: Arc::downgrade(&self.shelf) }
    }

    /// Returns the number of values that wait for reuse.
    pub fn idle(&self) -> usize {
        self.shelf.idle.lock().len()
    }
}

/// A value from a pool that is not shared yet.
#[derive(Debug)]
pub struct Fresh<T> {
    value: Arc<Pooled<T>>,
    shelf: Weak<Store<T>>,
}

impl<T> Fresh<T> {
    /// Returns the number of the value. The number is unique, and stays the same while the value
    /// circulates through [`Pool::fresh`]: a value with the same number still has its last content.
    pub fn number(&self) -> u64 {
        self.value.number
    }

    /// Makes the value read-only. The value returns to the pool after its last use.
    pub fn share(self) -> Arc<Pooled<T>> {
        if let Some(shelf) = self.shelf.upgrade() {
            let mut shared = shelf.shared.lock();
            if shared.len() < shelf.max_idle {
                shared.push(Arc::clone(&self.value));
            }
        }
        self.value
    }
}

impl<T> Deref for Fresh<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T> DerefMut for Fresh<T> {
    #[allow(clippy::expect_used, reason = "taken off the shelf, and handed out by `share` only")]
    fn deref_mut(&mut self) -> &mut T {
        Arc::get_mut(&mut self.value).expect("nobody else has it")
    }
}

/// A value from a pool. Write to it while you own it, then share it in an `Arc`.
#[derive(Debug)]
pub struct Pooled<T> {
    /// The value, which is `None` only while this object is being dropped.
    value: Option<T>,
    shelf: Weak<Store<T>>,
    /// The number of the value; see [`Fresh::number`].
    number: u64,
}

/// Returns a new number.
fn number() -> u64 {
    static NEXT_NUMBER: AtomicU64 = AtomicU64::new(0);
    NEXT_NUMBER.fetch_add(1, Ordering::Relaxed)
}

impl<T> Pooled<T> {
    /// Returns a value without a pool (for tests and still images).
    pub fn unpooled(value: T) -> Self {
        Self { value: Some(value), shelf: Weak::new(), number: number() }
    }
}

impl<T> From<T> for Pooled<T> {
    fn from(value: T) -> Self {
        Self::unpooled(value)
    }
}

impl<T: Clone> Clone for Pooled<T> {
    /// Clones the value. The clone belongs to no pool.
    fn clone(&self) -> Self {
        Self::unpooled(T::clone(self))
    }
}

impl<T: PartialEq> PartialEq for Pooled<T> {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl<T> Deref for Pooled<T> {
    type Target = T;

    #[allow(clippy::expect_used, reason = "`value` is taken in `drop` and nowhere else")]
    fn deref(&self) -> &T {
        self.value.as_ref().expect("present until dropped")
    }
}

impl<T> DerefMut for Pooled<T> {
    #[allow(clippy::expect_used, reason = "`value` is taken in `drop` and nowhere else")]
    fn deref_mut(&mut self) -> &mut T {
        self.value.as_mut().expect("present until dropped")
    }
}

impl<T> Drop for Pooled<T> {
    fn drop(&mut self) {
        if let (Some(value), Some(shelf)) = (self.value.take(), self.shelf.upgrade()) {
            let mut idle = shelf.idle.lock();
            if idle.len() < shelf.max_idle {
                idle.push(value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_come_back_and_the_pool_stays_bounded() {
        let pool = Pool::new(1, || vec![0_u8; 4]);
        let mut first = pool.take();
        first.fill(7);
        let second = pool.take();
        drop(first);
        drop(second);
        assert_eq!(pool.idle(), 1);
        assert_eq!(*pool.take(), vec![7; 4]);
    }

    #[test]
    fn what_was_shared_comes_back_when_nobody_has_it() {
        let pool = Pool::new(2, || 0);
        let mut first = pool.fresh();
        *first = 7;
        let first = first.share();
        let mut second = pool.fresh();
        *second = 8;
        let (second, third) = (second.share(), pool.fresh().share());
        assert_eq!((**first, **second, **third), (7, 8, 0));
        let (place, number) = (Arc::as_ptr(&first), first.number);
        assert!(number != second.number && number != third.number);
        drop((first, third));
        let again = pool.fresh();
        assert_eq!(
            (*again, Arc::as_ptr(&again.value), again.number()),
            (7, place, number),
            "the same, with its old content"
        );
        drop(pool);
        assert_eq!(**again.share(), 7);
    }

    #[test]
    fn a_value_may_outlive_its_pool() {
        let pool = Pool::new(1, || 1);
        let value = pool.take();
        drop(pool);
        assert_eq!(*value, 1);
    }
}
