//! The limit of open descriptors (sockets, files, devices).
#![allow(unsafe_code)]

/// Descriptors reserved for everything else than connections: recordings, devices, windows, pipes.
pub(in crate::net) const RESERVED_DESCRIPTORS: u64 = 256;
/// Maximum number of descriptors that onair requests. A higher limit is useless, because a server
/// has at most 65,536 connections.
pub(in crate::net) const MAX_DESCRIPTORS: u64 = 65_536 + RESERVED_DESCRIPTORS;

/// Raises the soft limit to the hard limit, but at most to [`MAX_DESCRIPTORS`]. Returns the limit
/// that then applies, or `None` if the system does not report it.
pub(in crate::net) fn raise_limit() -> Option<u64> {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the call writes only to `limit`, which is valid.
    if unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) } != 0 {
        return None;
    }
    let wanted = limit.rlim_max.min(MAX_DESCRIPTORS);
    if wanted > limit.rlim_cur {
        let raised = libc::rlimit { rlim_cur: wanted, rlim_max: limit.rlim_max };
        // SAFETY: the call reads only `raised`, which is valid.
        if unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const raised) } == 0 {
            return Some(wanted);
        }
    }
    Some(limit.rlim_cur)
}
