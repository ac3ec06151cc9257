//! The camera systems: Video4Linux through nokhwa and directly, a fake for tests.

#[cfg(test)]
pub(super) mod fake;
mod identity;
mod nokhwa;
mod stop;
mod v4l;

use std::sync::Arc;

use super::device::Driver;

/// The machine's cameras.
pub(super) fn driver() -> Arc<dyn Driver> {
    Arc::new(v4l::Video4Linux)
}
