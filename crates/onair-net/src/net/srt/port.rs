//! The UDP socket of a server's port.

use std::io;
use std::net::SocketAddr;

use socket2::{SockRef, Type};

use crate::net::Runtime;
use crate::net::listener::{inherited, next_free};

/// Size of the system's buffers in bytes.
const SOCKET_BUFFER_BYTES: usize = 4 << 20;

/// A socket that receives the datagrams of all callers.
pub type PortSocket = tokio::net::UdpSocket;

/// Opens this port, or one of the next `tries` ports if it is in use. A socket with this address
/// that a service manager opened is used instead.
///
/// # Errors
/// Fails with the system's error.
pub fn bind_or_next(runtime: &Runtime, address: SocketAddr, tries: u16) -> io::Result<PortSocket> {
    let socket = next_free(address, tries, open)?;
    socket.set_nonblocking(true)?;
    let of = SockRef::from(&socket);
    // The system may limit the sizes. Smaller buffers work too.
    let _ = of.set_recv_buffer_size(SOCKET_BUFFER_BYTES);
    let _ = of.set_send_buffer_size(SOCKET_BUFFER_BYTES);
    runtime.block_on(async { PortSocket::from_std(socket) })
}

fn open(address: SocketAddr) -> io::Result<std::net::UdpSocket> {
    match inherited::take(address, Type::DGRAM) {
        Some(socket) => Ok(socket.into()),
        None => std::net::UdpSocket::bind(address),
    }
}
