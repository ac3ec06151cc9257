//! Runs loops over many small numbers with the widest vectors that this processor has.

use std::sync::LazyLock;

use fearless_simd::{Level, dispatch};

/// Compiles `job` for the actual processor, while the build targets the minimum of its family:
/// plain loops then use wider vectors. Use it for a row of pixels or more. Called functions benefit
/// only if they are inlined: use `#[inline(always)]` on them and on the closure.
#[inline(always)]
pub fn wide<T>(job: impl FnOnce() -> T) -> T {
    dispatch!(level(), _simd => job())
}

/// The vector level, for loops with explicit vectors: table lookups do not vectorize automatically.
#[inline(always)]
pub fn level() -> Level {
    static LEVEL: LazyLock<Level> = LazyLock::new(Level::new);
    *LEVEL
}
