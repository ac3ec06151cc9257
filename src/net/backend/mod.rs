//! What the operating system knows about a socket and the standard library does not say.

pub(super) mod socket;
