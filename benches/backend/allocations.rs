//! An allocator that counts, a thread for itself: for the benches and tests that state how often
//! and how much something allocates.

#![allow(unsafe_code)]
#![allow(dead_code, reason = "each user counts something else")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

/// Install with `#[global_allocator] static COUNTING: Counting = Counting;`.
pub struct Counting;

thread_local! {
    static COUNT: Cell<u64> = const { Cell::new(0) };
    static HELD: Cell<i64> = const { Cell::new(0) };
    static PEAK: Cell<i64> = const { Cell::new(0) };
}

/// What a piece of work allocated on its thread.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// Allocations and reallocations.
    pub count: u64,
    /// Most bytes held at once beyond what was held before.
    pub peak: i64,
}

/// Allocations and reallocations of this thread so far.
pub fn so_far() -> u64 {
    COUNT.get()
}

/// Runs a piece of work and counts what it allocates on this thread.
pub fn counted<T>(work: impl FnOnce() -> T) -> (T, Counted) {
    let (count, held) = (COUNT.get(), HELD.get());
    PEAK.set(held);
    let result = work();
    (result, Counted { count: COUNT.get() - count, peak: PEAK.get() - held })
}

/// Allocations and reallocations of all threads, and the bytes that are held, as [`Everywhere`] counts.
static ALL: AtomicU64 = AtomicU64::new(0);
static ALL_HELD: AtomicI64 = AtomicI64::new(0);

/// Counts what all threads do. Install as [`Counting`].
pub struct Everywhere;

/// What all threads have allocated so far, and how many bytes they hold.
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
    // A thread that is ending has no counters any more.
    let _ = COUNT.try_with(|all| all.set(all.get() + count));
    let _ = HELD.try_with(|held| {
        held.set(held.get() + bytes);
        let _ = PEAK.try_with(|peak| peak.set(peak.get().max(held.get())));
    });
}

// SAFETY: every call goes to the system's allocator unchanged; counting touches no memory of it.
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
