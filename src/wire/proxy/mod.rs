//! What proxies say before the data of their clients.

pub mod header;
pub mod socks5;
