//! What the operating system knows about sockets and interfaces and the standard library does not say.

#[cfg(target_os = "linux")]
pub(in crate::net) mod burst;
pub(in crate::net) mod descriptors;
pub(in crate::net) mod interfaces;
pub(in crate::net) mod socket;
