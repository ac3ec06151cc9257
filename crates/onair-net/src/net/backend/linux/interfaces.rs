//! Reads network data of the kernel: interfaces with addresses, and changes of interfaces,
//! addresses and routes (rtnetlink).
#![allow(unsafe_code)]

use std::ffi::CStr;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::ptr;

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// Maximum number of entries of the system's list, which has one for each interface and address.
const MAX_INTERFACES: usize = 1_024;
/// Size of a message's header in bytes.
const HEADER_BYTES: usize = 16;

/// An active interface, or an address on one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::net) struct ActiveInterface {
    pub interface: String,
    pub address: Option<IpAddr>,
}

/// The changes that the messages of the kernel report.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::net) struct KernelMessage {
    /// True if any relevant change was reported.
    pub any: bool,
    /// True if a route was added or removed.
    pub route: bool,
}

/// Returns all interfaces that are up and connected, with their addresses, except loopback.
pub(in crate::net) fn present() -> Vec<ActiveInterface> {
    let mut list: *mut libc::ifaddrs = ptr::null_mut();
    // SAFETY: the call writes one pointer.
    if unsafe { libc::getifaddrs(&raw mut list) } != 0 {
        return Vec::new();
    }
    let mut found = Vec::new();
    let mut at = list;
    for _ in 0..MAX_INTERFACES {
        // SAFETY: `at` is null or points to an entry of the list, which is freed only below.
        let Some(entry) = (unsafe { at.as_ref() }) else { break };
        at = entry.ifa_next;
        let wanted = (libc::IFF_UP | libc::IFF_RUNNING).cast_unsigned();
        let own = entry.ifa_flags & libc::IFF_LOOPBACK.cast_unsigned() != 0;
        if own || entry.ifa_flags & wanted != wanted || entry.ifa_name.is_null() {
            continue;
        }
        // SAFETY: the name ends with a zero byte and lives as long as the list.
        let name = unsafe { CStr::from_ptr(entry.ifa_name) };
        let interface = name.to_string_lossy().into_owned();
        found.push(ActiveInterface { interface: interface.clone(), address: None });
        // SAFETY: the address is null or has the type of its family.
        if let Some(address) = unsafe { address_of(entry.ifa_addr) } {
            found.push(ActiveInterface { interface, address: Some(address) });
        }
    }
    // SAFETY: the list came from getifaddrs and is not used any more.
    unsafe { libc::freeifaddrs(list) };
    found.sort();
    found.dedup();
    found
}

/// # Safety
/// `address` must be null or point to an address of the type of its family.
unsafe fn address_of(address: *const libc::sockaddr) -> Option<IpAddr> {
    // SAFETY: the caller guarantees this.
    let family = i32::from(unsafe { address.as_ref() }?.sa_family);
    match family {
        libc::AF_INET => {
            // SAFETY: an address of this family is a `sockaddr_in`; the read does not require
            // alignment.
            let inet = unsafe { address.cast::<libc::sockaddr_in>().read_unaligned() };
            Some(Ipv4Addr::from(u32::from_be(inet.sin_addr.s_addr)).into())
        }
        libc::AF_INET6 => {
            // SAFETY: an address of this family is a `sockaddr_in6`.
            let inet = unsafe { address.cast::<libc::sockaddr_in6>().read_unaligned() };
            Some(Ipv6Addr::from(inet.sin6_addr.s6_addr).into())
        }
        _ => None,
    }
}

/// Receives changes.
#[derive(Debug)]
pub(in crate::net) struct InterfaceChanges(AsyncFd<OwnedFd>);

/// Subscribes to changes. This function must be called within the runtime.
pub(in crate::net) fn listen() -> io::Result<InterfaceChanges> {
    // SAFETY: the `AsyncFd` owns the descriptor, and deregisters it before closing it.
    let socket = unsafe { AsyncFd::register_with_interest(open()?, Interest::READABLE) };
    socket.map(InterfaceChanges).map_err(Into::into)
}

impl InterfaceChanges {
    /// Waits for the next messages.
    pub async fn next(&self) -> io::Result<KernelMessage> {
        self.0.readable().await?.clear_ready();
        self.waiting()
    }

    /// Returns the messages that have already arrived.
    pub fn waiting(&self) -> io::Result<KernelMessage> {
        hear(self.0.get_ref())
    }
}

/// Opens a socket that becomes readable at each change.
fn open() -> io::Result<OwnedFd> {
    let kind = libc::SOCK_RAW | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK;
    // SAFETY: no pointers are passed.
    let socket = unsafe { libc::socket(libc::AF_NETLINK, kind, libc::NETLINK_ROUTE) };
    if socket < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the descriptor is new and has no other owner.
    let socket = unsafe { OwnedFd::from_raw_fd(socket) };
    // SAFETY: `sockaddr_nl` consists of integers only, for which all zero bits are valid.
    let mut address: libc::sockaddr_nl = unsafe { std::mem::zeroed() };
    address.nl_family = libc::AF_NETLINK as libc::sa_family_t;
    let groups = libc::RTMGRP_LINK
        | libc::RTMGRP_IPV4_IFADDR
        | libc::RTMGRP_IPV6_IFADDR
        | libc::RTMGRP_IPV4_ROUTE
        | libc::RTMGRP_IPV6_ROUTE;
    address.nl_groups = groups.cast_unsigned();
    let length = size_of::<libc::sockaddr_nl>() as libc::socklen_t;
    // SAFETY: the address is valid for the call, and `length` is its length.
    let bound = unsafe { libc::bind(socket.as_raw_fd(), (&raw const address).cast(), length) };
    if bound == 0 { Ok(socket) } else { Err(io::Error::last_os_error()) }
}

/// Reads the waiting messages without blocking.
fn hear(socket: &OwnedFd) -> io::Result<KernelMessage> {
    let mut changes = KernelMessage::default();
    let mut block = [0_u8; 8_192];
    // A limit per call: a storm of changes counts as one change.
    for _ in 0..256 {
        // SAFETY: the block has the given length and outlives the call.
        let got =
            unsafe { libc::recv(socket.as_raw_fd(), block.as_mut_ptr().cast(), block.len(), 0) };
        let Ok(got) = usize::try_from(got) else {
            let error = io::Error::last_os_error();
            match error.raw_os_error() {
                Some(libc::EAGAIN) => break,
                // The kernel's buffer overflowed: something has changed.
                Some(libc::ENOBUFS) => changes = KernelMessage { any: true, route: true },
                Some(libc::EINTR) => {}
                _ => return Err(error),
            }
            continue;
        };
        read(block.get(..got).unwrap_or_default(), &mut changes);
    }
    Ok(changes)
}

/// Reads the messages of one datagram.
fn read(mut bytes: &[u8], changes: &mut KernelMessage) {
    let word = |bytes: &[u8], at: usize| -> Option<u32> {
        Some(u32::from_ne_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
    };
    while let (Some(length), Some(kind)) = (word(bytes, 0), bytes.get(4..6)) {
        let kind = kind.try_into().map_or(0, u16::from_ne_bytes);
        match kind {
            libc::RTM_NEWROUTE | libc::RTM_DELROUTE => {
                *changes = KernelMessage { any: true, route: true };
            }
            libc::RTM_NEWADDR | libc::RTM_DELADDR | libc::RTM_DELLINK => changes.any = true,
            libc::RTM_NEWLINK => {
                // The mask of changed flags. Messages about other changes report signal
                // strengths, for example.
                let matters = (libc::IFF_UP | libc::IFF_RUNNING).cast_unsigned();
                changes.any |= word(bytes, HEADER_BYTES + 12).is_none_or(|it| it & matters != 0);
            }
            _ => {}
        }
        let length = (length as usize).next_multiple_of(4).max(HEADER_BYTES);
        bytes = bytes.get(length..).unwrap_or_default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(kind: u16, body: &[u32]) -> Vec<u8> {
        let length = 16 + body.len() as u32 * 4;
        let mut bytes = length.to_ne_bytes().to_vec();
        bytes.extend(kind.to_ne_bytes());
        bytes.extend([0; 10]);
        body.iter().for_each(|word| bytes.extend(word.to_ne_bytes()));
        bytes
    }

    #[test]
    fn relevant_network_changes_are_distinguished_from_others() {
        let flags = |bytes: &[u8]| {
            let mut changes = KernelMessage::default();
            read(bytes, &mut changes);
            (changes.any, changes.route)
        };
        assert_eq!(flags(&[]), (false, false));
        assert_eq!(flags(&message(libc::RTM_NEWADDR, &[])), (true, false));
        assert_eq!(flags(&message(libc::RTM_DELROUTE, &[])), (true, true));
        let up = libc::IFF_UP.cast_unsigned();
        assert_eq!(flags(&message(libc::RTM_NEWLINK, &[0, 1, up, up])), (true, false));
        assert_eq!(flags(&message(libc::RTM_NEWLINK, &[0, 1, up, 0])), (false, false));
        // Several messages in one datagram, and wrong lengths.
        let both = [message(libc::RTM_NEWLINK, &[0, 1, up, 0]), message(libc::RTM_DELADDR, &[])];
        assert_eq!(flags(&both.concat()), (true, false));
        assert_eq!(flags(&[0; 64]), (false, false));
        assert_eq!(flags(&[255; 64]), (false, false));
    }

    #[test]
    fn the_kernel_answers() {
        let socket = open().unwrap();
        assert!(hear(&socket).is_ok());
        let loopback =
            |it: &ActiveInterface| it.address.is_some_and(|address| address.is_loopback());
        assert!(!present().iter().any(loopback));
    }
}
