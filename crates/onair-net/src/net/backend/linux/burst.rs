//! Sends the same bytes to many sockets with one system call (`io_uring`). Every send is tried once
//! without waiting, so all sends have ended when the call returns. The sends run on the calling
//! thread.
#![allow(unsafe_code)]

use std::cell::RefCell;
use std::io;
use std::os::fd::{AsFd as _, AsRawFd, BorrowedFd};

use bytes::Bytes;
use io_uring::types::Fd;
use io_uring::{IoUring, Probe, opcode};
use tokio::net::TcpStream;

/// Maximum number of sends in one call.
const RING_ENTRIES: u32 = 256;
/// Maximum number of system calls for one part of a burst, because calls can be interrupted.
const MAX_INTERRUPTED_CALLS: usize = 64;

thread_local! {
    /// This thread's ring, or `Some(None)` if the system offers no ring.
    static THREAD_RING: RefCell<Option<Option<IoUring>>> = const { RefCell::new(None) };
}

/// A socket of a burst.
pub(in crate::net) type Member<'a> = BorrowedFd<'a>;

/// Returns the socket for a burst.
pub(in crate::net) fn member(socket: &TcpStream) -> Member<'_> {
    socket.as_fd()
}

/// Sends `bytes` to each of `sockets`, and appends the number of bytes sent on each to `taken`, in
/// order. For a full socket, the entry in `taken` is an error of the kind
/// [`io::ErrorKind::WouldBlock`]. Returns `false`, without sending anything, if the system or its
/// restrictions do not support such sends.
pub(in crate::net) fn send(
    sockets: &[Member<'_>],
    bytes: &Bytes,
    taken: &mut Vec<io::Result<usize>>,
) -> bool {
    THREAD_RING.with_borrow_mut(|ring| {
        let slot = ring.get_or_insert_with(open);
        if slot.is_none() {
            return false;
        }
        for part in sockets.chunks(RING_ENTRIES as usize) {
            let Some(open) = slot else {
                taken.extend(part.iter().map(|_| Err(io::ErrorKind::WouldBlock.into())));
                continue;
            };
            if !send_part(open, part, bytes, taken) {
                *slot = None;
            }
        }
        true
    })
}

/// Opens a ring, if the system supports rings that can send.
fn open() -> Option<IoUring> {
    let ring = IoUring::new(RING_ENTRIES).ok()?;
    let mut probe = Probe::new();
    ring.submitter().register_probe(&mut probe).ok()?;
    probe.is_supported(opcode::Send::CODE).then_some(ring)
}

/// Sends to at most [`RING_ENTRIES`] sockets. Returns `false` if the ring failed, which is not
/// expected. A failed ring must not be used again.
fn send_part(
    ring: &mut IoUring,
    sockets: &[Member<'_>],
    bytes: &Bytes,
    taken: &mut Vec<io::Result<usize>>,
) -> bool {
    let first = taken.len();
    taken.extend(sockets.iter().map(|_| Err(io::ErrorKind::WouldBlock.into())));
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    let mut queued = 0;
    for (index, socket) in sockets.iter().enumerate() {
        let send = opcode::Send::new(Fd(socket.as_raw_fd()), bytes.as_ptr(), length)
            .flags(libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL)
            .build()
            .user_data(index as u64);
        // SAFETY: the socket and the bytes are borrowed for the whole call. The call returns when
        // every queued send has completed, or leaks a share of the bytes (below). The length is at
        // most that of the bytes.
        if unsafe { ring.submission().push(&send) }.is_err() {
            break;
        }
        queued += 1;
        // Without a completion, the number of sent bytes is unknown.
        if let Some(slot) = taken.get_mut(first + index) {
            *slot = Err(io::ErrorKind::ConnectionAborted.into());
        }
    }
    let mut answered = 0;
    for _ in 0..MAX_INTERRUPTED_CALLS {
        let interrupted = match ring.submit_and_wait(queued - answered) {
            Ok(_) => false,
            Err(error) => error.kind() == io::ErrorKind::Interrupted,
        };
        let before = answered;
        for answer in ring.completion() {
            answered += 1;
            let place = usize::try_from(answer.user_data()).ok().map(|index| first + index);
            if let Some(slot) = place.and_then(|place| taken.get_mut(place)) {
                *slot = match usize::try_from(answer.result()) {
                    Ok(count) => Ok(count),
                    Err(_) => Err(io::Error::from_raw_os_error(-answer.result())),
                };
            }
        }
        if answered >= queued {
            return true;
        }
        if answered == before && !interrupted {
            break;
        }
    }
    // The kernel may still read the bytes.
    let _kept = std::mem::ManuallyDrop::new(bytes.clone());
    false
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::net::{TcpListener, TcpStream};
    use std::os::fd::AsFd;

    use super::*;

    fn pair() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let ours = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        (ours, listener.accept().unwrap().0)
    }

    fn skip(taken: &[io::Result<usize>]) {
        assert!(taken.is_empty() && std::env::var_os("CI").is_none(), "no io_uring here");
        eprintln!("SKIPPED: the system has no io_uring for us");
    }

    #[test]
    fn each_socket_gets_all_or_tells_why_not() {
        let bytes = Bytes::from((0..50_000_u32).map(|n| n as u8).collect::<Vec<_>>());
        let (good, mut far) = pair();
        let (full, _unread) = pair();
        let (broken, gone) = pair();
        let (more, mut also_far) = pair();
        full.set_nonblocking(true).unwrap();
        // The system moves data to the peer's buffer, which makes room again for a moment.
        let fill = || while io::Write::write(&mut &full, &bytes).is_ok() {};
        for _ in 0..5 {
            fill();
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        fill();
        broken.shutdown(std::net::Shutdown::Both).unwrap();
        drop(gone);
        let sockets = [&good, &full, &broken, &more].map(AsFd::as_fd);
        let mut taken = Vec::new();
        if !send(&sockets, &bytes, &mut taken) {
            skip(&taken);
            return;
        }
        assert_eq!(taken.len(), 4);
        assert_eq!(*taken[0].as_ref().unwrap(), bytes.len());
        assert_eq!(taken[1].as_ref().unwrap_err().kind(), io::ErrorKind::WouldBlock);
        assert_eq!(taken[2].as_ref().unwrap_err().kind(), io::ErrorKind::BrokenPipe);
        assert_eq!(*taken[3].as_ref().unwrap(), bytes.len());
        for far in [&mut far, &mut also_far] {
            let mut read = vec![0; bytes.len()];
            far.read_exact(&mut read).unwrap();
            assert_eq!(read, bytes);
        }
    }

    #[test]
    fn more_sockets_than_fit_in_one_call_all_get_it() {
        let pairs: Vec<_> = (0..RING_ENTRIES as usize + 10).map(|_| pair()).collect();
        let sockets: Vec<_> = pairs.iter().map(|(ours, _)| ours.as_fd()).collect();
        let mut taken = Vec::new();
        if !send(&sockets, &Bytes::from_static(b"picture"), &mut taken) {
            skip(&taken);
            return;
        }
        assert!(taken.iter().all(|taken| *taken.as_ref().unwrap() == 7));
        for (_, mut far) in pairs {
            let mut read = [0; 7];
            far.read_exact(&mut read).unwrap();
            assert_eq!(&read, b"picture");
        }
    }
}
