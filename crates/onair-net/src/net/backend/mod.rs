//! Calls to the operating system for sockets and interfaces that the standard library does not
//! provide. Each system has a folder with the same modules.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(windows)]
mod windows;

#[cfg(target_os = "linux")]
pub(in crate::net) use linux::{
    burst, datagrams, descriptors, inherited, interfaces, service_manager, socket,
};
#[cfg(windows)]
pub(in crate::net) use windows::{
    burst, datagrams, descriptors, inherited, interfaces, service_manager, socket,
};
