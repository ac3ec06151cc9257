//! Runs loops over many small numbers with the widest vectors that this processor has.

use std::sync::LazyLock;

use fearless_simd::{Level, dispatch};

/// Runs a version of `job` that is compiled for the actual processor, while the build targets the
/// minimum of the processor family. Plain loops then use wider vectors. The function pays off for a
/// row of pixels or more. Called functions benefit only if they are inlined: use
/// `#[inline(always)]` on them and on the closure.
#[inline(always)]
pub fn wide<T>(job: impl FnOnce() -> T) -> T {
    dispatch!(level(), _simd => job())
}

/// Returns the vector level of the processor, for loops with explicit vectors. Such loops exist
/// because table lookups do not vectorize automatically.
#[inline(always)]
pub fn level() -> Level {
    static VECTOR_LEVEL: LazyLock<Level> = LazyLock::new(Level::new);
    *VECTOR_LEVEL
}
