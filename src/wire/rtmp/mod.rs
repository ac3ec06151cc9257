//! The Real-Time Messaging Protocol (Adobe, 2012; Enhanced RTMP v2), both ends of it, sans-IO.
//!
//! From the bytes upwards: [`handshake`], [`chunk`] (messages cut into chunks), [`message`] (kinds,
//! control and user control messages), [`command`] and [`status`] (what is said in AMF0),
//! [`client::Session`] and [`server::Session`] (who says what when). Media bodies are opaque
//! [`bytes::Bytes`] here: `wire::flv` knows what is in them.

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
