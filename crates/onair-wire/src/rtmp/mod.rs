//! Real-Time Messaging Protocol (Adobe, 2012; Enhanced RTMP v2), both sides, sans-IO.
//!
//! From the bottom up: [`handshake`], [`chunk`] (messages in chunks), [`message`] (kinds, control
//! and user control messages), [`command`] and [`status`] (the AMF0 contents), [`client::Session`]
//! and [`server::Session`] (the message sequences). Media bodies are opaque [`bytes::Bytes`] here,
//! which the FLV container code parses.

pub mod auth;
pub mod chunk;
pub mod client;
pub mod command;
mod connection;
pub mod handshake;
pub mod message;
mod send_queue;
pub mod server;
pub mod status;
pub mod stream_name;
mod time;
pub mod tunnel;
pub mod url;

pub use connection::Output;
pub use message::{Kind, Message};
pub use stream_name::StreamName;
pub use time::Time;
pub use url::Url;
