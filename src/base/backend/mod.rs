//! What borrows across threads.

mod worker_pool;

#[cfg(test)]
#[path = "../../../benches/backend/allocations.rs"]
pub(crate) mod allocations;

pub use worker_pool::WorkerPool;

/// Tests may count what their thread allocates.
#[cfg(test)]
#[global_allocator]
static COUNTING: allocations::Counting = allocations::Counting;
