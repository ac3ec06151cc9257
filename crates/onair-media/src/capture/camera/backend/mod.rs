//! The camera systems: Video4Linux, read through nokhwa and directly, Media Foundation, and a fake for tests.

#[cfg(test)]
#[path = "../../../../../../benches/backend/allocations.rs"]
pub(in crate::capture) mod allocations;
#[cfg(target_os = "linux")]
mod controls;
#[cfg(test)]
pub(in crate::capture) mod fake;
#[cfg(target_os = "linux")]
mod format;
#[cfg(target_os = "linux")]
mod handover;
#[cfg(target_os = "linux")]
mod identity;
#[cfg(target_os = "linux")]
mod ioctl;
#[cfg(target_os = "linux")]
pub(in crate::capture::camera) mod loopback;
#[cfg(target_os = "linux")]
mod multiplanar;
#[cfg(not(target_os = "linux"))]
pub(in crate::capture::camera) mod no_loopback;
#[cfg(not(all(target_os = "linux", feature = "wayland")))]
pub(in crate::capture::camera) mod no_virtual_node;
#[cfg(target_os = "linux")]
mod nokhwa;
#[cfg(target_os = "linux")]
mod v4l;
#[cfg(all(target_os = "linux", feature = "wayland"))]
pub(in crate::capture::camera) mod virtual_node;
#[cfg(windows)]
mod windows;

use std::sync::Arc;

#[cfg(not(target_os = "linux"))]
pub(in crate::capture::camera) use no_loopback as loopback;
#[cfg(not(all(target_os = "linux", feature = "wayland")))]
pub(in crate::capture::camera) use no_virtual_node as virtual_node;

use crate::capture::camera::driver::Driver;

/// Returns the id of the camera at this device file.
pub(in crate::capture) fn id_at(path: &std::path::Path) -> Option<String> {
    #[cfg(target_os = "linux")]
    return identity::id_at(path);
    #[cfg(not(target_os = "linux"))]
    return {
        let _ = path;
        None
    };
}

/// Returns the camera system of this computer.
pub(in crate::capture) fn driver() -> Arc<dyn Driver> {
    #[cfg(target_os = "linux")]
    return Arc::new(v4l::Video4Linux);
    #[cfg(windows)]
    return Arc::new(windows::MediaFoundation);
}
