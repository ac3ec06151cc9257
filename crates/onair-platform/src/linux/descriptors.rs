//! Sends open files to another process over a Unix socket (`SCM_RIGHTS`).

#![allow(unsafe_code)]

use std::io;
use std::mem::{size_of, zeroed};
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::ptr;

/// Maximum number of files in one message.
pub(super) const MAX_FILES: usize = 4;

/// The control part of a message, aligned like its header.
#[repr(C, align(8))]
struct Control([u8; 64]);

/// The size of the files in the control part.
const FILES_BYTES: usize = MAX_FILES * size_of::<RawFd>();

// SAFETY: this macro of the C library only computes a size.
const _: () = assert!(unsafe { libc::CMSG_SPACE(FILES_BYTES as u32) } as usize <= 64);

/// Sends one message with at most [`MAX_FILES`] files.
pub(super) fn send(socket: BorrowedFd<'_>, bytes: &[u8], files: &[RawFd]) -> io::Result<()> {
    let files = files.get(..files.len().min(MAX_FILES)).unwrap_or_default();
    let mut control = Control([0; 64]);
    let mut part = libc::iovec { iov_base: bytes.as_ptr().cast_mut().cast(), iov_len: bytes.len() };
    // SAFETY: every field of this structure may be zero.
    let mut message: libc::msghdr = unsafe { zeroed() };
    message.msg_iov = &raw mut part;
    message.msg_iovlen = 1;
    if !files.is_empty() {
        let length = size_of_val(files) as u32;
        message.msg_control = control.0.as_mut_ptr().cast();
        // SAFETY: the macros compute sizes, and a place in `control`, which has room for
        // `MAX_FILES` files (checked at compile time) and is aligned.
        unsafe {
            message.msg_controllen = libc::CMSG_SPACE(length) as _;
            let header = libc::CMSG_FIRSTHDR(&raw const message);
            (*header).cmsg_level = libc::SOL_SOCKET;
            (*header).cmsg_type = libc::SCM_RIGHTS;
            (*header).cmsg_len = libc::CMSG_LEN(length) as _;
            let to = libc::CMSG_DATA(header);
            ptr::copy_nonoverlapping(files.as_ptr().cast::<u8>(), to, size_of_val(files));
        }
    }
    // SAFETY: the message points to live buffers with these lengths.
    let sent = unsafe { libc::sendmsg(socket.as_raw_fd(), &raw const message, libc::MSG_NOSIGNAL) };
    if sent < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Receives one message. Returns the number of bytes, which is 0 at the end of the stream, and the
/// files.
pub(super) fn receive(
    socket: BorrowedFd<'_>,
    bytes: &mut [u8],
) -> io::Result<(usize, Vec<OwnedFd>)> {
    let mut control = Control([0; 64]);
    let mut part = libc::iovec { iov_base: bytes.as_mut_ptr().cast(), iov_len: bytes.len() };
    // SAFETY: every field of this structure may be zero.
    let mut message: libc::msghdr = unsafe { zeroed() };
    message.msg_iov = &raw mut part;
    message.msg_iovlen = 1;
    message.msg_control = control.0.as_mut_ptr().cast();
    message.msg_controllen = control.0.len() as _;
    // SAFETY: the message points to live buffers with these lengths.
    let got =
        unsafe { libc::recvmsg(socket.as_raw_fd(), &raw mut message, libc::MSG_CMSG_CLOEXEC) };
    let got = usize::try_from(got).map_err(|_| io::Error::last_os_error())?;
    let mut files = Vec::new();
    // SAFETY: the kernel has filled in the control part; the macros stay within its length.
    let mut header = unsafe { libc::CMSG_FIRSTHDR(&raw const message) };
    while !header.is_null() {
        // SAFETY: the header is inside the control part.
        let (level, kind, length) =
            unsafe { ((*header).cmsg_level, (*header).cmsg_type, (*header).cmsg_len as usize) };
        if (level, kind) == (libc::SOL_SOCKET, libc::SCM_RIGHTS) {
            // SAFETY: this macro only computes a size.
            let start = unsafe { libc::CMSG_LEN(0) } as usize;
            for at in 0..length.saturating_sub(start) / size_of::<RawFd>() {
                // SAFETY: the kernel has written this many descriptors, which now belong to this
                // process and have no other owner.
                files.push(unsafe {
                    let file = libc::CMSG_DATA(header).cast::<RawFd>().add(at);
                    OwnedFd::from_raw_fd(ptr::read_unaligned(file))
                });
            }
        }
        // SAFETY: as for the first header.
        header = unsafe { libc::CMSG_NXTHDR(&raw const message, header) };
    }
    Ok((got, files))
}
