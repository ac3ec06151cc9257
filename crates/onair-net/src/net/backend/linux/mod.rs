//! Sockets and interfaces of Linux.

pub(in crate::net) mod burst;
pub(in crate::net) mod datagrams;
pub(in crate::net) mod descriptors;
pub(in crate::net) mod inherited;
pub(in crate::net) mod interfaces;
pub(in crate::net) mod service_manager;
pub(in crate::net) mod socket;
