//! Protocols spoken with proxies before the data of a client.

pub mod header;
pub mod socks5;
