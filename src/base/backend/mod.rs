//! Borrowing across threads, and memory of other processes.

#[cfg(target_os = "linux")]
mod mapping;
mod worker_pool;

#[cfg(test)]
#[path = "../../../benches/backend/allocations.rs"]
pub(crate) mod allocations;

#[cfg(target_os = "linux")]
pub use mapping::Mapping;
pub use worker_pool::WorkerPool;

/// Lets tests count the allocations of their thread.
#[cfg(test)]
#[global_allocator]
static COUNTING: allocations::Counting = allocations::Counting;
