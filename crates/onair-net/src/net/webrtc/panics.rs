//! Panics of str0m on unexpected input. onair catches these panics, so that each of them ends only
//! one session and does not crash onair.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

thread_local! {
    static PANICS_CONTAINED: Cell<bool> = const { Cell::new(false) };
}

/// Calls str0m. Returns `None` if str0m panics. The caller must then drop the connection.
pub fn contain<T>(call: impl FnOnce() -> T) -> Option<T> {
    let before = PANICS_CONTAINED.replace(true);
    let result = catch_unwind(AssertUnwindSafe(call)).ok();
    PANICS_CONTAINED.set(before);
    result
}

/// Returns true while [`contain`] would catch a panic on this thread. The panic handler calls this
/// function.
pub fn are_contained() -> bool {
    PANICS_CONTAINED.get()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_contained_and_known_as_such() {
        assert_eq!(contain(|| (7, are_contained())), Some((7, true)));
        let inner = contain(|| {
            let panicked = contain(|| panic!("in a test"));
            (panicked, are_contained())
        });
        assert_eq!(inner, Some((None, true)));
        assert!(!are_contained());
    }
}
