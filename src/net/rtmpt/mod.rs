//! RTMPT and RTMPTS on sockets: the server's side, which makes a stream of each tunnel for an RTMP
//! session that knows nothing of it. See `wire::rtmpt` for what is said.

mod server;

pub use server::{Gate, Welcome};
