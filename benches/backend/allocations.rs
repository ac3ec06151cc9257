//! Allocators that count allocations, per thread or for all threads, for benches and tests that
//! state how often and how much some code allocates.

#![allow(unsafe_code)]
#![allow(dead_code, reason = "each user counts something else")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

/// Counts the allocations of each thread separately. Install it with `#[global_allocator] static
/// COUNTING: Counting = Counting;`.
pub struct Counting;

thread_local! {
    static COUNT: Cell<u64> = const { Cell::new(0) };
    static HELD: Cell<i64> = const { Cell::new(0) };
    static PEAK: Cell<i64> = const { Cell::new(0) };
}

/// The allocations of some work on its thread.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// The number of allocations and reallocations.
    pub count: u64,
    /// The maximum number of bytes that were allocated at any time, in addition to those allocated
    /// before the work.
    pub peak: i64,
}

/// Returns the number of allocations and reallocations of this thread so far.
pub fn so_far() -> u64 {
    COUNT.get()
}

/// Runs some work, and counts its allocations on this thread.
pub fn counted<T>(work: impl FnOnce() -> T) -> (T, Counted) {
    let (count, held) = (COUNT.get(), HELD.get());
    PEAK.set(held);
    let result = work();
    (result, Counted { count: COUNT.get() - count, peak: PEAK.get() - held })
}

/// The number of allocations and reallocations of all threads, and the number of allocated bytes, as
/// counted by [`Everywhere`].
static ALL: AtomicU64 = AtomicU64::new(0);
static ALL_HELD: AtomicI64 = AtomicI64::new(0);

/// Counts the allocations of all threads together. Install it like [`Counting`].
pub struct Everywhere;

/// Returns the number of allocations of all threads so far, and the number of allocated bytes.
pub fn everywhere() -> (u64, i64) {
    (ALL.load(Ordering::SeqCst), ALL_HELD.load(Ordering::SeqCst))
}

fn note_all(count: u64, bytes: i64) {
    ALL.fetch_add(count, Ordering::Relaxed);
    ALL_HELD.fetch_add(bytes, Ordering::Relaxed);
}

// SAFETY: as for `Counting`.
unsafe impl GlobalAlloc for Everywhere {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note_all(1, layout.size() as i64);
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        note_all(0, -(layout.size() as i64));
        // SAFETY: the caller's promise is passed on.
        unsafe { System.dealloc(memory, layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        note_all(1, size as i64 - layout.size() as i64);
        // SAFETY: the caller's promise is passed on.
        unsafe { System.realloc(memory, layout, size) }
    }
}

fn note(count: u64, bytes: i64) {
    // The counters of a thread that is ending no longer exist.
    let _ = COUNT.try_with(|all| all.set(all.get() + count));
    let _ = HELD.try_with(|held| {
        held.set(held.get() + bytes);
        let _ = PEAK.try_with(|peak| peak.set(peak.get().max(held.get())));
    });
}

// SAFETY: every call is passed to the system's allocator unchanged, and counting does not touch the
// allocated memory.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note(1, layout.size() as i64);
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        note(0, -(layout.size() as i64));
        // SAFETY: the caller's promise is passed on.
        unsafe { System.dealloc(memory, layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        note(1, size as i64 - layout.size() as i64);
        // SAFETY: the caller's promise is passed on.
        unsafe { System.realloc(memory, layout, size) }
    }
}
