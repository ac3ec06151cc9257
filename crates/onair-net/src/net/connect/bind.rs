//! Selects the local address or interface of connections.

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::{TcpSocket, TcpStream};

use crate::net::backend::socket::bind_interface;
use crate::platform::errors;
use crate::text::problem::{Problem, problem};

/// The local side of connections.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Bind {
    /// An address of this computer.
    Address(IpAddr),
    /// A network interface with this name, such as `eth1`.
    Interface(String),
}

/// Maximum length of an interface name in bytes.
const MAX_INTERFACE_NAME_BYTES: usize = 15;

impl FromStr for Bind {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Self, Problem> {
        let plain = text.trim().trim_start_matches('[').trim_end_matches(']');
        if let Ok(address) = plain.parse() {
            return Ok(Self::Address(address));
        }
        let fits = |name: &str| {
            (1..=MAX_INTERFACE_NAME_BYTES).contains(&name.len())
                && name.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'/')
        };
        if !fits(plain) {
            return Err(problem!("route-bind"));
        }
        Ok(Self::Interface(plain.to_owned()))
    }
}

impl fmt::Display for Bind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => address.fmt(f),
            Self::Interface(name) => f.write_str(name),
        }
    }
}

impl Bind {
    /// Returns true if a connection to this address can use this address or interface.
    pub(in crate::net) fn fits(&self, to: &SocketAddr) -> bool {
        match self {
            Self::Address(address) => address.is_ipv6() == to.is_ipv6(),
            Self::Interface(_) => true,
        }
    }

    /// Connects from this address or interface. An error of the kind
    /// [`io::ErrorKind::AddrNotAvailable`] or [`io::ErrorKind::PermissionDenied`] means that the
    /// local address or interface is unavailable or not permitted.
    pub(in crate::net) async fn connect(&self, to: SocketAddr) -> io::Result<TcpStream> {
        let socket = Socket::new(Domain::for_address(to), Type::STREAM, Some(Protocol::TCP))?;
        socket.set_nonblocking(true)?;
        self.apply(&socket)?;
        TcpSocket::from_std_stream(socket.into()).connect(to).await
    }

    /// Binds a new socket to this address or interface, with the errors of [`Bind::connect`].
    pub(in crate::net) fn apply(&self, socket: &Socket) -> io::Result<()> {
        let (bound, missing) = match self {
            Self::Address(address) => {
                let bound = socket.bind(&SocketAddr::new(*address, 0).into());
                (bound, problem!("net-bind-no-address"))
            }
            Self::Interface(name) => {
                let bound = bind_interface(socket, name);
                (bound, problem!("net-bind-no-interface"))
            }
        };
        bound.map_err(|error| unusable(error, missing))
    }
}

/// Returns the error for a local address or interface that cannot be used. `missing` is the reason if it does not
/// exist.
fn unusable(error: io::Error, missing: Problem) -> io::Error {
    match error.kind() {
        io::ErrorKind::PermissionDenied => {
            io::Error::new(io::ErrorKind::PermissionDenied, problem!("net-bind-forbidden"))
        }
        _ if is_missing(&error) => io::Error::new(io::ErrorKind::AddrNotAvailable, missing),
        _ => io::Error::new(io::ErrorKind::AddrNotAvailable, error),
    }
}

fn is_missing(error: &io::Error) -> bool {
    if errors::is_missing_device(error) {
        return true;
    }
    matches!(error.kind(), io::ErrorKind::AddrNotAvailable | io::ErrorKind::Unsupported)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_interfaces_are_distinguished() {
        assert_eq!("127.0.0.2".parse(), Ok(Bind::Address([127, 0, 0, 2].into())));
        assert_eq!("[::1]".parse(), Ok(Bind::Address(std::net::Ipv6Addr::LOCALHOST.into())));
        assert_eq!("wlp3s0.7".parse(), Ok(Bind::Interface("wlp3s0.7".into())));
        for bad in ["", "eth/1", "eth 1", "sixteen-letters-"] {
            assert!(bad.parse::<Bind>().is_err(), "{bad}");
        }
        let six = "[::1]:1".parse().unwrap();
        assert!(!Bind::Address([127, 0, 0, 1].into()).fits(&six));
    }
}
