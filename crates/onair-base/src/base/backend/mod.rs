//! Unsafe code for borrowing across threads, for mapping memory of other processes, and for
//! releasing the memory of unused code.

mod code_pages;
mod mapping;
mod worker_pool;

pub use code_pages::CodePages;
pub use mapping::Mapping;
pub use worker_pool::WorkerPool;
