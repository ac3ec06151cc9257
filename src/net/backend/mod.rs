//! What the operating system knows about sockets and interfaces and the standard library does not say.

pub(super) mod interfaces;
pub(super) mod socket;
