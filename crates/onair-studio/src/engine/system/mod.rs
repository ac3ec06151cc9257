//! The studio's data about this computer: devices, CPU, sleep, crash reports. The studio also keeps
//! the computer awake, and offers the program as a camera.

pub mod crash_reports;
pub(crate) mod devices;
pub(crate) mod events;
pub(crate) mod keep_awake;
pub(crate) mod process;
mod virtual_camera;
