//! RTMPT and RTMPTS on sockets, both sides. Each makes a stream of a tunnel, for an RTMP session that
//! knows nothing of it. See `wire::rtmpt` for what is said.

mod client;
mod server;

pub(in crate::net) use client::open;
pub use server::{Gate, Welcome};
