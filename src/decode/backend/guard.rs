//! Decoders written by others, in safe Rust, may still stop with a panic on bytes that nobody
//! thought of. That costs a packet, and not the thread.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::decode::error::Error;

/// Runs `work`; a panic in it is a damaged packet. What it worked with must be made anew after one.
pub(super) fn guarded<T>(
    what: &'static str,
    work: impl FnOnce() -> Result<T, Error>,
) -> Result<T, Error> {
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|_| Err(Error::Damaged { what, reason: "its decoder gave up".to_owned() }))
}
