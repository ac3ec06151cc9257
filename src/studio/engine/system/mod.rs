//! The studio's data about this computer: devices, CPU, sleep, crash reports. The studio also keeps
//! the computer awake.

pub mod crash_reports;
pub(in crate::studio) mod devices;
pub(in crate::studio) mod events;
pub(in crate::studio) mod keep_awake;
pub(in crate::studio) mod process;
