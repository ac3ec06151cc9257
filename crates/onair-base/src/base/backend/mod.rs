//! Unsafe code for borrowing across threads, and clients of services of a Linux desktop.

#[cfg(target_os = "linux")]
pub mod portal;
mod worker_pool;

pub use worker_pool::WorkerPool;
