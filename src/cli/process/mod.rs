//! The process itself: logs, signals, crash reports.

#[cfg(target_os = "linux")]
pub mod browser;
pub mod crash;
pub mod encoder;
pub(in crate::cli) mod json_log;
pub mod limits;
pub mod log;
mod log_target;
#[cfg(target_os = "linux")]
pub mod plugin;
pub mod signals;
