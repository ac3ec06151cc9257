//! Converts the refusals of SOCKS proxies to problems.

use crate::text::Problem;
use crate::text::problem::problem;
use crate::wire::proxy::socks5;

/// Returns why a SOCKS proxy rejected a connection.
pub(in crate::net) fn socks_problem(error: socks5::Error) -> Problem {
    match error {
        socks5::Error::NotSocks => problem!("socks-not-socks"),
        socks5::Error::NeedsLogin => problem!("socks-needs-login"),
        socks5::Error::WrongLogin => problem!("socks-wrong-login"),
        socks5::Error::TooLong => problem!("socks-too-long"),
        socks5::Error::Forbidden => problem!("socks-forbidden"),
        socks5::Error::NetworkUnreachable => problem!("socks-network-unreachable"),
        socks5::Error::HostUnreachable => problem!("socks-host-unreachable"),
        socks5::Error::ConnectionRefused => problem!("socks-connection-refused"),
        socks5::Error::Failed(code) => problem!("socks-failed", code = code),
    }
}
