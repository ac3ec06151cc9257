//! Unsafe code for borrowing across threads, for mapping memory of other processes, and for
//! releasing the memory of unused code.

mod code_pages;
mod mapping;
mod worker_pool;

#[cfg(test)]
#[path = "../../../benches/backend/allocations.rs"]
pub(crate) mod allocations;

pub use code_pages::CodePages;
pub use mapping::Mapping;
pub use worker_pool::WorkerPool;

/// Lets tests count the allocations of their thread.
#[cfg(test)]
#[global_allocator]
static COUNTING_ALLOCATOR: allocations::Counting = allocations::Counting;
