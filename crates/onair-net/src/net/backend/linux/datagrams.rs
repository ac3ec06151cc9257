//! Datagrams with control messages (cmsg(3)). With segmentation by the system (Linux: `UDP_SEGMENT`), one call sends
//! several datagrams of equal length. With `IP_PKTINFO` (ip(7)) and `IPV6_PKTINFO` (RFC 3542 §6), a socket that listens
//! on all addresses knows the local address of a datagram.
#![allow(unsafe_code)]

use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use socket2::{MaybeUninitSlice, MsgHdr, MsgHdrMut, SockAddr, SockRef};

/// Maximum number of datagrams in one call: the limit of the oldest systems that support
/// segmentation.
pub(in crate::net) const MAX_SEGMENTS: usize = 64;
/// Maximum number of bytes in one call, with room for the headers of an IP packet of 65,535 bytes.
pub(in crate::net) const MAX_CALL_BYTES: usize = 65_000;

/// Size of the header of a control message: its length, level and type.
const HEADER_BYTES: usize = size_of::<libc::cmsghdr>();
/// Room for a message with an address of IPv6, and for one with the length of the segments.
const MAX_CONTROL_BYTES: usize = 2 * HEADER_BYTES + 32;

/// Returns true if the system can segment datagrams.
pub(in crate::net) fn can_segment(socket: &SockRef<'_>) -> bool {
    // Zero changes nothing.
    set_option(socket, libc::SOL_UDP, libc::UDP_SEGMENT, 0)
}

/// Makes the system report the local address of each datagram, if it can. For sockets of IPv6, this includes datagrams
/// of IPv4.
pub(in crate::net) fn report_local_addresses(socket: &SockRef<'_>, is_ipv6: bool) {
    let (level, name) = match is_ipv6 {
        true => (libc::SOL_IPV6, libc::IPV6_RECVPKTINFO),
        false => (libc::SOL_IP, libc::IP_PKTINFO),
    };
    // Without this option, the system chooses the source address.
    let _ = set_option(socket, level, name, 1);
}

/// Sets an option, and returns true if the system supports it.
fn set_option(
    socket: &SockRef<'_>,
    level: libc::c_int,
    name: libc::c_int,
    value: libc::c_int,
) -> bool {
    use std::os::fd::AsRawFd;

    // SAFETY: the descriptor is open as long as the socket is borrowed. The pointer and the length are those of a
    // local integer, which the call reads.
    let result = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            level,
            name,
            (&raw const value).cast(),
            size_of::<libc::c_int>() as libc::socklen_t,
        )
    };
    result == 0
}

/// Sends the slices as datagrams, each of `segment` bytes except the last, which may be shorter; without `segment`, as
/// one datagram. The system chooses the source address if it is `None`.
pub(in crate::net) fn send(
    socket: &SockRef<'_>,
    slices: &[IoSlice<'_>],
    segment: Option<u16>,
    (source, to): (Option<IpAddr>, &SockAddr),
) -> io::Result<usize> {
    let mut control = ControlMessages { bytes: [0; MAX_CONTROL_BYTES], length: 0 };
    if let Some(length) = segment {
        control.add((libc::SOL_UDP, libc::UDP_SEGMENT), &[&length.to_ne_bytes()]);
    }
    // The index of the interface is 0: the route determines the interface.
    match source {
        Some(IpAddr::V4(ip)) => {
            control.add((libc::SOL_IP, libc::IP_PKTINFO), &[&[0; 4], &ip.octets(), &[0; 4]]);
        }
        Some(IpAddr::V6(ip)) => {
            control.add((libc::SOL_IPV6, libc::IPV6_PKTINFO), &[&ip.octets(), &[0; 4]]);
        }
        None => {}
    }
    let control = control.bytes.get(..control.length).unwrap_or_default();
    let message = MsgHdr::new().with_addr(to).with_buffers(slices).with_control(control);
    socket.sendmsg(&message, libc::MSG_NOSIGNAL)
}

/// Receives a datagram, and returns its length, its sender, and its local address if the system reports it.
pub(in crate::net) fn receive(
    socket: &SockRef<'_>,
    buffer: &mut [u8],
) -> io::Result<(usize, SocketAddr, Option<IpAddr>)> {
    // An address of IPv6 also has room for one of IPv4.
    let mut from = SockAddr::from(SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0)));
    let mut control = [0; MAX_CONTROL_BYTES];
    let mut buffers = [MaybeUninitSlice::new(writable(buffer))];
    let mut message = MsgHdrMut::new()
        .with_addr(&mut from)
        .with_buffers(&mut buffers)
        .with_control(writable(&mut control));
    let length = socket.recvmsg(&mut message, 0)?;
    let control_length = message.control_len();
    let from = from.as_socket().ok_or(io::ErrorKind::InvalidData)?;
    Ok((length, from, local_address(control.get(..control_length).unwrap_or_default())))
}

/// Returns the bytes for a call that writes them.
fn writable(bytes: &mut [u8]) -> &mut [MaybeUninit<u8>] {
    let bytes: *mut [u8] = bytes;
    // SAFETY: both types have the same layout, and the result borrows the bytes. Its only user, recvmsg, writes
    // initialized bytes.
    unsafe { &mut *(bytes as *mut [MaybeUninit<u8>]) }
}

/// Returns the local address in control messages. A socket requests at most one message for each datagram.
fn local_address(control: &[u8]) -> Option<IpAddr> {
    let (header, value) = control.split_at_checked(HEADER_BYTES)?;
    let (_, level_and_kind) = header.split_at_checked(size_of::<usize>())?;
    let level = libc::c_int::from_ne_bytes(*level_and_kind.first_chunk()?);
    let kind = libc::c_int::from_ne_bytes(*level_and_kind.last_chunk()?);
    match (level, kind) {
        // The index of the interface precedes the address from which an answer must come.
        (libc::SOL_IP, libc::IP_PKTINFO) => {
            let octets: [u8; 4] = *value.get(4..)?.first_chunk()?;
            Some(Ipv4Addr::from(octets).into())
        }
        (libc::SOL_IPV6, libc::IPV6_PKTINFO) => {
            let octets: [u8; 16] = *value.first_chunk()?;
            let ip = Ipv6Addr::from(octets);
            // A link-local source needs the interface too. The system chooses the address of the right interface.
            (!ip.is_unicast_link_local()).then(|| IpAddr::from(ip).to_canonical())
        }
        _ => None,
    }
}

/// The control messages of datagrams to send.
struct ControlMessages {
    bytes: [u8; MAX_CONTROL_BYTES],
    length: usize,
}

impl ControlMessages {
    /// Adds a message of this level and type, whose value consists of these parts.
    fn add(&mut self, (level, kind): (libc::c_int, libc::c_int), value: &[&[u8]]) {
        let length = HEADER_BYTES + value.iter().map(|part| part.len()).sum::<usize>();
        let header: [&[u8]; 3] = [&length.to_ne_bytes(), &level.to_ne_bytes(), &kind.to_ne_bytes()];
        let bytes = header.iter().chain(value).copied().flatten();
        let rest = self.bytes.iter_mut().skip(self.length);
        rest.zip(bytes).for_each(|(place, byte)| *place = *byte);
        self.length += length.next_multiple_of(size_of::<usize>());
    }
}
