//! RTMPT and RTMPTS on sockets, for both sides. Each side presents a tunnel as a stream to an RTMP
//! session. See `wire::rtmp::tunnel` for the protocol.

mod client;
mod server;

pub(in crate::net) use client::open;
pub use server::{Gate, Welcome};
