//! The process itself: logs, signals, crash reports.

pub mod crash;
pub mod log;
pub mod signals;
