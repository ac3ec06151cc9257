//! Unsafe code for borrowing across threads, and clients of services of a Linux desktop.

mod awake;
#[cfg(target_os = "linux")]
pub mod portal;
mod worker_pool;

pub use awake::hold_awake;
pub use worker_pool::WorkerPool;
