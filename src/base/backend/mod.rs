//! What borrows across threads.

mod crew;

#[cfg(test)]
#[path = "../../../benches/backend/allocations.rs"]
pub(crate) mod allocations;

pub use crew::Crew;

/// Tests may count what their thread allocates.
#[cfg(test)]
#[global_allocator]
static COUNTING: allocations::Counting = allocations::Counting;
