//! Loops over many small numbers with the widest vectors that this processor has.

use std::sync::LazyLock;

use fearless_simd::{Level, dispatch};

/// Runs this as code for the processor at hand, where the build is for the least of its family: plain
/// loops within become loops over wider vectors. Worth it for a row of pixels and more. What is called
/// within belongs to it only where it is inlined: say `#[inline(always)]` there, and at the closure.
#[inline(always)]
pub fn wide<T>(job: impl FnOnce() -> T) -> T {
    dispatch!(level(), _simd => job())
}

/// Which vectors those are, for loops that have to write them out: where numbers are looked up, no plain
/// loop becomes one over vectors.
#[inline(always)]
pub fn level() -> Level {
    static LEVEL: LazyLock<Level> = LazyLock::new(Level::new);
    *LEVEL
}
