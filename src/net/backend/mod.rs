//! What the operating system knows about sockets and interfaces and the standard library does not say.

#[cfg(target_os = "linux")]
pub(super) mod burst;
pub(super) mod descriptors;
pub(super) mod interfaces;
pub(super) mod socket;
