//! Unsafe code for borrowing across threads, for sharing memory and files with other processes, for
//! starting helper processes, and for releasing the memory of unused code.

mod code_pages;
mod descriptors;
pub mod launcher;
mod mapping;
mod shared_memory;
mod worker_pool;

pub use code_pages::CodePages;
pub use mapping::Mapping;
pub use shared_memory::SharedMemory;
pub use worker_pool::WorkerPool;
