//! Datagrams, one with each call. The system chooses the source address.
#![allow(unsafe_code)]

use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::net::{IpAddr, SocketAddr};

use socket2::{SockAddr, SockRef};

/// Maximum number of datagrams in one call of a system that can segment.
pub(in crate::net) const MAX_SEGMENTS: usize = 64;
/// Maximum number of bytes in one call of a system that can segment.
pub(in crate::net) const MAX_CALL_BYTES: usize = 65_000;

/// Returns false: the system does not segment datagrams.
pub(in crate::net) fn can_segment(_socket: &SockRef<'_>) -> bool {
    false
}

/// Changes nothing: the local address of a datagram is unknown.
pub(in crate::net) fn report_local_addresses(_socket: &SockRef<'_>, _is_ipv6: bool) {}

/// Sends the slices as one datagram. Fails with [`io::ErrorKind::Unsupported`] for segments.
pub(in crate::net) fn send(
    socket: &SockRef<'_>,
    slices: &[IoSlice<'_>],
    segment: Option<u16>,
    (_source, to): (Option<IpAddr>, &SockAddr),
) -> io::Result<usize> {
    match segment {
        Some(_) => Err(io::ErrorKind::Unsupported.into()),
        None => socket.send_to_vectored(slices, to),
    }
}

/// Receives a datagram, and returns its length and its sender.
pub(in crate::net) fn receive(
    socket: &SockRef<'_>,
    buffer: &mut [u8],
) -> io::Result<(usize, SocketAddr, Option<IpAddr>)> {
    let (length, from) = socket.recv_from(writable(buffer))?;
    let from = from.as_socket().ok_or(io::ErrorKind::InvalidData)?;
    Ok((length, from, None))
}

/// Returns the bytes for a call that writes them.
fn writable(bytes: &mut [u8]) -> &mut [MaybeUninit<u8>] {
    let bytes: *mut [u8] = bytes;
    // SAFETY: both types have the same layout, and the result borrows the bytes. Its only user, recv_from, writes
    // initialized bytes.
    unsafe { &mut *(bytes as *mut [MaybeUninit<u8>]) }
}
