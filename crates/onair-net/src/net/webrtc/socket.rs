//! A datagram socket.

use std::io::{self, IoSlice};
use std::net::{IpAddr, SocketAddr};
use std::ops::Deref;
use std::sync::atomic::{AtomicBool, Ordering};

use socket2::{Domain, Protocol, SockAddr, SockRef, Socket, Type};
use tokio::io::Interest;
use tokio::net::UdpSocket;
use tokio::runtime::Handle;

use crate::net::backend::datagrams::{self, MAX_CALL_BYTES, MAX_SEGMENTS};
use crate::net::listener::{inherited, next_free};

/// Size of the system's buffer in bytes. The buffer must hold a burst of keyframes for many
/// viewers.
const SOCKET_BUFFER_BYTES: usize = 4 << 20;
/// The error (`EIO`) of a network device that cannot compute the checksums of segments.
const CHECKSUM_ERROR: i32 = 5;

/// One UDP port.
#[derive(Debug)]
pub struct DatagramSocket {
    socket: UdpSocket,
    address: SocketAddr,
    /// True if one system call can send several datagrams.
    segments: AtomicBool,
}

/// The addresses of a datagram.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct UdpPath {
    /// The address of the other side.
    pub peer: SocketAddr,
    /// The local address, if the socket listens on all addresses. The other side expects answers from there.
    pub local: Option<IpAddr>,
}

impl From<SocketAddr> for UdpPath {
    fn from(peer: SocketAddr) -> Self {
        Self { peer, local: None }
    }
}

/// The result of sending several datagrams.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct SendResult {
    /// Number of datagrams that were sent or are lost. The system has no room for the rest now.
    pub count: usize,
    /// Bytes that were sent.
    pub bytes: usize,
}

impl DatagramSocket {
    /// Opens a port or, if the port is in use, the next free one of the following `tries` ports.
    ///
    /// # Errors
    /// Returns the error of the last port that was tried, such as [`io::ErrorKind::AddrInUse`].
    pub fn bind_or_next(runtime: &Handle, address: SocketAddr, tries: u16) -> io::Result<Self> {
        next_free(address, tries, |address| Self::bind(runtime, address))
    }

    fn bind(runtime: &Handle, address: SocketAddr) -> io::Result<Self> {
        let _inside = runtime.enter();
        let inherited = inherited::take(address, Type::DGRAM);
        let ready = inherited.is_some();
        let socket = inherited.map_or_else(
            || Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP)),
            Ok,
        )?;
        socket.set_nonblocking(true)?;
        // The system may limit the size. A smaller buffer works too.
        let _ = socket.set_send_buffer_size(SOCKET_BUFFER_BYTES);
        let _ = socket.set_recv_buffer_size(SOCKET_BUFFER_BYTES);
        if !ready {
            if address.is_ipv6() && address.ip().is_unspecified() {
                // Listens on all addresses of this computer, including IPv4.
                socket.set_only_v6(false)?;
            }
            socket.bind(&address.into())?;
        }
        let segments = AtomicBool::new(datagrams::can_segment(&SockRef::from(&socket)));
        let socket = UdpSocket::from_std(socket.into())?;
        // An inherited socket may have another address.
        let address = socket.local_addr()?;
        if address.ip().is_unspecified() {
            datagrams::report_local_addresses(&SockRef::from(&socket), address.is_ipv6());
        }
        Ok(Self { socket, address, segments })
    }

    /// Returns the local address.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Waits for a datagram, and returns its length and its addresses. This function is cancel-safe.
    ///
    /// # Errors
    /// Fails, for example, with a report that an earlier datagram did not arrive.
    pub async fn receive(&self, buffer: &mut [u8]) -> io::Result<(usize, UdpPath)> {
        self.socket.async_io(Interest::READABLE, || self.receive_now(buffer)).await
    }

    /// Returns a datagram that has already arrived, without waiting: its length and its addresses.
    ///
    /// # Errors
    /// Fails with [`io::ErrorKind::WouldBlock`] if there is none.
    pub fn try_receive(&self, buffer: &mut [u8]) -> io::Result<(usize, UdpPath)> {
        self.socket.try_io(Interest::READABLE, || self.receive_now(buffer))
    }

    fn receive_now(&self, buffer: &mut [u8]) -> io::Result<(usize, UdpPath)> {
        let (length, from, local) = datagrams::receive(&SockRef::from(&self.socket), buffer)?;
        let peer = SocketAddr::new(from.ip().to_canonical(), from.port());
        Ok((length, UdpPath { peer, local }))
    }

    /// Sends a datagram if the system has space for it. This function never waits.
    ///
    /// # Errors
    /// Fails with [`io::ErrorKind::WouldBlock`] and other errors. In all cases, the datagram is
    /// lost.
    pub fn send(&self, datagram: &[u8], to: UdpPath) -> io::Result<usize> {
        self.send_slices(&[IoSlice::new(datagram)], None, to)
    }

    /// Sends datagrams on one path, in order and without waiting, with as few system calls as
    /// possible. Stops when the system has no space.
    pub fn send_all<D: Deref<Target = [u8]>>(&self, datagrams: &[D], to: UdpPath) -> SendResult {
        let mut sent = SendResult::default();
        while let Some(rest) = datagrams.get(sent.count..).filter(|rest| !rest.is_empty()) {
            let (run, _) = rest.split_at(run_length(rest));
            let result = match run {
                [_, _, ..] if self.segments.load(Ordering::Relaxed) => self.send_run(run, to),
                _ => Err(io::ErrorKind::Unsupported.into()),
            };
            match result {
                Ok(bytes) => {
                    sent.count += run.len();
                    sent.bytes += bytes;
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return sent,
                // Sends the datagrams one at a time: there is only one, or the system cannot send
                // them as one run, for example because they exceed the path's MTU.
                Err(_) => {
                    for datagram in run {
                        match self.send(datagram, to) {
                            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return sent,
                            result => sent.bytes += result.unwrap_or(0),
                        }
                        sent.count += 1;
                    }
                }
            }
        }
        sent
    }

    /// Sends datagrams of a length that [`run_length`] permits with one system call.
    fn send_run<D: Deref<Target = [u8]>>(&self, run: &[D], to: UdpPath) -> io::Result<usize> {
        let length = run.first().map_or(0, |first| first.len());
        let length = u16::try_from(length).map_err(|_| io::ErrorKind::InvalidInput)?;
        let mut slices = [IoSlice::new(&[]); MAX_SEGMENTS];
        slices.iter_mut().zip(run).for_each(|(slice, datagram)| *slice = IoSlice::new(datagram));
        let slices = slices.get(..run.len()).unwrap_or_default();
        let result = self.send_slices(slices, Some(length), to);
        if result.as_ref().is_err_and(|error| error.raw_os_error() == Some(CHECKSUM_ERROR)) {
            self.segments.store(false, Ordering::Relaxed);
        }
        result
    }

    /// Sends slices with one system call: as one datagram, or as segments of this length.
    fn send_slices(
        &self,
        slices: &[IoSlice<'_>],
        segment: Option<u16>,
        to: UdpPath,
    ) -> io::Result<usize> {
        let source = to.local.map(|ip| self.mapped(SocketAddr::new(ip, 0)).ip());
        let peer = SockAddr::from(self.mapped(to.peer));
        self.socket.try_io(Interest::WRITABLE, || {
            datagrams::send(&SockRef::from(&self.socket), slices, segment, (source, &peer))
        })
    }

    /// Returns an address in the family of the socket.
    fn mapped(&self, to: SocketAddr) -> SocketAddr {
        match to.ip() {
            IpAddr::V4(ip) if self.address.is_ipv6() => {
                SocketAddr::new(ip.to_ipv6_mapped().into(), to.port())
            }
            _ => to,
        }
    }
}

/// Returns the number of datagrams at the start that one call can send: those of equal length, and
/// possibly a shorter one after them.
fn run_length<D: Deref<Target = [u8]>>(datagrams: &[D]) -> usize {
    let length = datagrams.first().map_or(0, |first| first.len());
    let fitting = (MAX_CALL_BYTES / length.max(1)).clamp(1, MAX_SEGMENTS);
    let same = datagrams.iter().take(fitting).take_while(|it| it.len() == length).count();
    let shorter = datagrams.get(same).is_some_and(|next| !next.is_empty() && next.len() < length);
    if shorter && same < fitting { same + 1 } else { same }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::Runtime;

    /// Whether this computer has IPv6, which some lack, in continuous integration too.
    fn has_ipv6() -> bool {
        let has = std::net::UdpSocket::bind("[::]:0").is_ok();
        if !has {
            eprintln!("SKIPPED: there is no IPv6");
        }
        has
    }

    /// Returns this address, and the one of all networks of IPv6 if there is IPv6.
    fn with_ipv6(four: &str) -> impl Iterator<Item = &str> {
        std::iter::once(four).chain(has_ipv6().then_some("[::]:0"))
    }

    #[test]
    fn a_port_of_ipv6_speaks_to_both_families() {
        let runtime = Runtime::start().unwrap();
        let open = |address: &str| {
            DatagramSocket::bind_or_next(runtime.handle(), address.parse().unwrap(), 0)
        };
        if !has_ipv6() {
            return;
        }
        let both = open("[::]:0").unwrap();
        let four = open("127.0.0.1:0").unwrap();
        let to = SocketAddr::from(([127, 0, 0, 1], both.local_addr().port()));
        runtime.block_on(async {
            let mut buffer = [0; 8];
            four.socket.writable().await.unwrap();
            four.send(b"there", to.into()).unwrap();
            let (length, from) = both.receive(&mut buffer).await.unwrap();
            assert_eq!((&buffer[..length], from.peer), (&b"there"[..], four.local_addr()));
            both.socket.writable().await.unwrap();
            both.send(b"back", from).unwrap();
            let (length, from) = four.receive(&mut buffer).await.unwrap();
            assert_eq!((&buffer[..length], from.peer), (&b"back"[..], to));
        });
    }

    #[test]
    fn answers_come_from_the_address_to_which_the_datagram_was_sent() {
        let runtime = Runtime::start().unwrap();
        let open = |address: &str| {
            DatagramSocket::bind_or_next(runtime.handle(), address.parse().unwrap(), 0)
        };
        let far = open("127.0.0.1:0").unwrap();
        for near in with_ipv6("0.0.0.0:0") {
            let near = open(near).unwrap();
            // The system would answer from 127.0.0.1.
            let to = SocketAddr::from(([127, 0, 0, 2], near.local_addr().port()));
            runtime.block_on(async {
                let mut buffer = [0; 8];
                far.socket.writable().await.unwrap();
                far.send(b"there", to.into()).unwrap();
                let (_, path) = near.receive(&mut buffer).await.unwrap();
                assert_eq!(path, UdpPath { peer: far.local_addr(), local: Some(to.ip()) });
                near.socket.writable().await.unwrap();
                near.send(b"back", path).unwrap();
                assert_eq!(near.send_all(&[b"more".to_vec(), b"last".to_vec()], path).count, 2);
                for answer in [b"back", b"more", b"last"] {
                    let (length, from) = far.receive(&mut buffer).await.unwrap();
                    assert_eq!((&buffer[..length], from.peer), (&answer[..], to));
                }
            });
        }
    }

    /// Receives this number of datagrams.
    async fn received(socket: &DatagramSocket, count: usize) -> Vec<Vec<u8>> {
        let mut all = Vec::new();
        let mut buffer = [0; 2_048];
        while all.len() < count {
            let (length, _) = socket.receive(&mut buffer).await.unwrap();
            all.push(buffer[..length].to_vec());
        }
        all
    }

    #[test]
    fn many_datagrams_arrive_whole_and_in_order() {
        let runtime = Runtime::start().unwrap();
        let open = |address: &str| {
            DatagramSocket::bind_or_next(runtime.handle(), address.parse().unwrap(), 0)
        };
        let far = open("127.0.0.1:0").unwrap();
        // Lengths of two frames, a message of another length, and more than one call can send.
        let lengths = [1_200, 1_200, 700, 1_100, 1_100, 1_200, 40, 90].into_iter();
        let datagrams: Vec<Vec<u8>> = lengths
            .chain([90; 2 * MAX_SEGMENTS + 5])
            .enumerate()
            .map(|(index, length)| vec![index as u8; length])
            .collect();
        let bytes = datagrams.iter().map(Vec::len).sum();
        let all = SendResult { count: datagrams.len(), bytes };
        for near in with_ipv6("127.0.0.1:0") {
            let near = open(near).unwrap();
            for segments in [near.segments.load(Ordering::Relaxed), false] {
                near.segments.store(segments, Ordering::Relaxed);
                runtime.block_on(async {
                    near.socket.writable().await.unwrap();
                    assert_eq!(near.send_all(&datagrams, far.local_addr().into()), all);
                    let got = received(&far, datagrams.len()).await;
                    assert_eq!(got, datagrams, "segments: {segments}");
                });
            }
        }
    }

    #[test]
    fn a_datagram_that_is_too_large_is_lost_alone() {
        let runtime = Runtime::start().unwrap();
        let open =
            || DatagramSocket::bind_or_next(runtime.handle(), "127.0.0.1:0".parse().unwrap(), 0);
        let (near, far) = (open().unwrap(), open().unwrap());
        let datagrams = [vec![7; 1_200], vec![8; 65_508], vec![9; 100]];
        runtime.block_on(async {
            near.socket.writable().await.unwrap();
            let sent = near.send_all(&datagrams, far.local_addr().into());
            assert_eq!(sent, SendResult { count: 3, bytes: 1_300 });
            let got = received(&far, 2).await;
            assert_eq!(got, [datagrams[0].clone(), datagrams[2].clone()]);
        });
    }

    #[test]
    fn a_run_has_equal_lengths_and_may_end_with_a_shorter_one() {
        let run = |lengths: &[usize]| {
            let datagrams: Vec<Vec<u8>> = lengths.iter().map(|length| vec![0; *length]).collect();
            run_length(&datagrams)
        };
        assert_eq!((run(&[9]), run(&[9, 9, 9]), run(&[9, 9, 5, 5])), (1, 3, 3));
        assert_eq!((run(&[5, 9]), run(&[9, 9, 10]), run(&[9, 9, 0])), (1, 2, 2));
        assert_eq!(run(&[1; MAX_SEGMENTS + 1]), MAX_SEGMENTS);
        assert_eq!((run(&[30_000; 9]), run(&[70_000; 2]), run(&[])), (2, 1, 0));
        let mut full = vec![9; MAX_SEGMENTS];
        full.push(5);
        assert_eq!(run(&full), MAX_SEGMENTS, "no room for the shorter one");
    }

    #[test]
    fn a_port_that_is_taken_moves_to_the_next() {
        let runtime = Runtime::start().unwrap();
        let any = "127.0.0.1:0".parse().unwrap();
        let first = DatagramSocket::bind_or_next(runtime.handle(), any, 0).unwrap();
        let taken = first.local_addr();
        assert!(DatagramSocket::bind_or_next(runtime.handle(), taken, 0).is_err());
        let next = DatagramSocket::bind_or_next(runtime.handle(), taken, 20).unwrap();
        assert!(next.local_addr().port() > taken.port());
    }
}
