//! Segmentation of UDP by the system (Linux: `UDP_SEGMENT`): one call sends several datagrams of equal length.
#![allow(unsafe_code)]

use std::io::{self, IoSlice};

use socket2::{SockAddr, SockRef};

/// Maximum number of datagrams in one call: the limit of the oldest systems that support
/// segmentation.
pub(in crate::net) const MAX_SEGMENTS: usize = 64;
/// Maximum number of bytes in one call, with room for the headers of an IP packet of 65,535 bytes.
pub(in crate::net) const MAX_CALL_BYTES: usize = 65_000;

/// Returns true if the system can segment datagrams.
pub(in crate::net) fn is_supported(socket: &SockRef<'_>) -> bool {
    use std::os::fd::AsRawFd;

    let none: libc::c_int = 0;
    // SAFETY: the descriptor is open as long as the socket is borrowed. The pointer and the length are those of a
    // local integer, which the call reads. Zero changes nothing.
    let result = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::SOL_UDP,
            libc::UDP_SEGMENT,
            (&raw const none).cast(),
            size_of::<libc::c_int>() as libc::socklen_t,
        )
    };
    result == 0
}

/// Sends the slices as datagrams, each of `length` bytes except the last, which may be shorter.
pub(in crate::net) fn send(
    socket: &SockRef<'_>,
    slices: &[IoSlice<'_>],
    length: u16,
    to: &SockAddr,
) -> io::Result<usize> {
    // cmsg(3): a header with the length, level and type of the message, and then the value.
    const CMSG_HEADER_BYTES: usize = size_of::<libc::cmsghdr>();
    const PADDED_VALUE_BYTES: usize = (size_of::<u16>()).next_multiple_of(size_of::<usize>());
    let mut control = [0; CMSG_HEADER_BYTES + PADDED_VALUE_BYTES];
    let fields: [&[u8]; 4] = [
        &(CMSG_HEADER_BYTES + size_of::<u16>()).to_ne_bytes(),
        &libc::SOL_UDP.to_ne_bytes(),
        &libc::UDP_SEGMENT.to_ne_bytes(),
        &length.to_ne_bytes(),
    ];
    let bytes = fields.into_iter().flatten();
    control.iter_mut().zip(bytes).for_each(|(place, byte)| *place = *byte);
    let message = socket2::MsgHdr::new().with_addr(to).with_buffers(slices).with_control(&control);
    socket.sendmsg(&message, libc::MSG_NOSIGNAL)
}
