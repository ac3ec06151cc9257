//! Reads the adapters of this computer and their addresses. Changes are found by comparing them at intervals.
#![allow(unsafe_code)]

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use windows_sys::Win32::Foundation::{ERROR_BUFFER_OVERFLOW, ERROR_SUCCESS};
use windows_sys::Win32::NetworkManagement::IpHelper::{
    GAA_FLAG_SKIP_ANYCAST, GAA_FLAG_SKIP_DNS_SERVER, GAA_FLAG_SKIP_MULTICAST, GetAdaptersAddresses,
    IF_TYPE_SOFTWARE_LOOPBACK, IP_ADAPTER_ADDRESSES_LH, IP_ADAPTER_UNICAST_ADDRESS_LH,
};
use windows_sys::Win32::NetworkManagement::Ndis::IfOperStatusUp;
use windows_sys::Win32::Networking::WinSock::{
    AF_INET, AF_INET6, AF_UNSPEC, SOCKADDR, SOCKADDR_IN, SOCKADDR_IN6,
};
use windows_sys::core::PWSTR;

/// Maximum number of adapters, and of addresses of one adapter.
const MAX_ADAPTERS: usize = 1_024;
/// Number of bytes that hold the list of most computers.
const FIRST_LIST_BYTES: u32 = 16 << 10;
/// Maximum size of the list in bytes.
const MAX_LIST_BYTES: u32 = 4 << 20;
/// Maximum length of an adapter's name in UTF-16.
const MAX_NAME_UNITS: usize = 256;
/// Interval between comparisons.
const COMPARE_INTERVAL: Duration = Duration::from_secs(2);

/// An active interface, or an address on one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::net) struct ActiveInterface {
    pub interface: String,
    pub address: Option<IpAddr>,
}

/// The changes that may have happened.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::net) struct KernelMessage {
    pub any: bool,
    pub route: bool,
}

/// Reports when the interfaces should be compared.
#[derive(Debug)]
pub(in crate::net) struct InterfaceChanges {
    _private: (),
}

/// Starts the comparisons.
pub(in crate::net) fn listen() -> io::Result<InterfaceChanges> {
    Ok(InterfaceChanges { _private: () })
}

impl InterfaceChanges {
    /// Waits until the interfaces should be compared.
    pub async fn next(&self) -> io::Result<KernelMessage> {
        tokio::time::sleep(COMPARE_INTERVAL).await;
        Ok(KernelMessage { any: true, route: false })
    }

    /// Returns nothing: only the comparison knows.
    pub fn waiting(&self) -> io::Result<KernelMessage> {
        Ok(KernelMessage::default())
    }
}

/// Returns all interfaces that are up and connected, with their addresses, except loopback.
pub(in crate::net) fn present() -> Vec<ActiveInterface> {
    // Integers of eight bytes, because the entries must be aligned.
    let mut list: Vec<u64> = Vec::new();
    let mut bytes = FIRST_LIST_BYTES;
    loop {
        list.resize(bytes as usize / 8 + 1, 0);
        let flags = GAA_FLAG_SKIP_ANYCAST | GAA_FLAG_SKIP_MULTICAST | GAA_FLAG_SKIP_DNS_SERVER;
        // SAFETY: the list has at least `bytes` bytes, and the call writes at most that many.
        let result = unsafe {
            GetAdaptersAddresses(
                AF_UNSPEC.into(),
                flags,
                std::ptr::null(),
                list.as_mut_ptr().cast(),
                &raw mut bytes,
            )
        };
        match result {
            ERROR_SUCCESS => break,
            // Adapters may appear between two calls.
            ERROR_BUFFER_OVERFLOW if bytes <= MAX_LIST_BYTES => {}
            _ => return Vec::new(),
        }
    }
    let mut found = Vec::new();
    let mut at: *const IP_ADAPTER_ADDRESSES_LH = list.as_ptr().cast();
    for _ in 0..MAX_ADAPTERS {
        // SAFETY: `at` is null or points to an entry of the list, which lives until the end.
        let Some(adapter) = (unsafe { at.as_ref() }) else { break };
        at = adapter.Next;
        if adapter.IfType == IF_TYPE_SOFTWARE_LOOPBACK || adapter.OperStatus != IfOperStatusUp {
            continue;
        }
        // SAFETY: the name is null or a text with a zero at its end, inside the list.
        let interface = unsafe { name_of(adapter.FriendlyName) };
        found.push(ActiveInterface { interface: interface.clone(), address: None });
        let mut address: *const IP_ADAPTER_UNICAST_ADDRESS_LH = adapter.FirstUnicastAddress;
        for _ in 0..MAX_ADAPTERS {
            // SAFETY: as for the adapters.
            let Some(entry) = (unsafe { address.as_ref() }) else { break };
            address = entry.Next;
            // SAFETY: the address has the type of its family.
            if let Some(ip) = unsafe { address_of(entry.Address.lpSockaddr) } {
                found.push(ActiveInterface { interface: interface.clone(), address: Some(ip) });
            }
        }
    }
    found.sort();
    found.dedup();
    found
}

/// # Safety
/// `name` must be null or a text with a zero at its end.
unsafe fn name_of(name: PWSTR) -> String {
    let mut units = Vec::new();
    for index in 0..MAX_NAME_UNITS {
        if name.is_null() {
            break;
        }
        // SAFETY: the text has not ended before this unit.
        match unsafe { name.add(index).read() } {
            0 => break,
            unit => units.push(unit),
        }
    }
    String::from_utf16_lossy(&units)
}

/// # Safety
/// `address` must be null or point to an address of the type of its family.
unsafe fn address_of(address: *const SOCKADDR) -> Option<IpAddr> {
    // SAFETY: the caller guarantees this.
    match unsafe { address.as_ref() }?.sa_family {
        AF_INET => {
            // SAFETY: an address of this family is a `SOCKADDR_IN`; all bits are valid for its integers.
            let ip = unsafe { address.cast::<SOCKADDR_IN>().read_unaligned().sin_addr.S_un.S_addr };
            Some(Ipv4Addr::from(u32::from_be(ip)).into())
        }
        AF_INET6 => {
            // SAFETY: an address of this family is a `SOCKADDR_IN6`.
            let ip = unsafe { address.cast::<SOCKADDR_IN6>().read_unaligned().sin6_addr.u.Byte };
            Some(Ipv6Addr::from(ip).into())
        }
        _ => None,
    }
}
