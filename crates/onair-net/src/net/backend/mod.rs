//! Calls to the operating system for sockets and interfaces that the standard library does not
//! provide.

pub(in crate::net) mod burst;
pub(in crate::net) mod datagrams;
pub(in crate::net) mod descriptors;
pub(in crate::net) mod inherited;
pub(in crate::net) mod interfaces;
pub(in crate::net) mod socket;
