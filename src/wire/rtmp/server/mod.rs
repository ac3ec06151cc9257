//! The server's side of a connection: a client that publishes or plays one stream. Sans-IO, no
//! clock, no thread; driven like [`super::client`].
//!
//! The client's wishes come as events that must be decided: after [`Event::ConnectRequested`] call
//! [`Session::accept_connect`] or [`Session::reject_connect`], likewise for publish and play. Until
//! then what follows is held back (and bounded), so a decision may take its time.
//!
//! A publisher's media come as [`Event::Metadata`], [`Event::Video`], [`Event::Audio`]; bodies are
//! shared, not copied. To a player, send [`Session::send_shared`] with bytes from
//! [`chunk::standalone`] (encoded once for all viewers at [`Session::chunk_size`] and message
//! stream [`Session::message_stream`]), or the `send_…` methods. `queued_bytes` says what waits.

mod session;

use std::time::Duration;

use bytes::Bytes;

pub use session::Session;

use crate::wire::amf0::Value;
use crate::wire::rtmp::command::{Connect, Enhanced};
use crate::wire::rtmp::stream_name::StreamName;
use crate::wire::rtmp::{chunk, handshake};

/// What the session asks its driver to do.
pub type Output = crate::wire::rtmp::connection::Output<Event>;

/// How to serve.
#[derive(Clone, Debug)]
pub struct Config {
    /// The outgoing chunk size.
    pub chunk_size: u32,
    /// What the reply to connect says of Enhanced RTMP, to clients that speak of it themselves.
    pub enhanced: Enhanced,
    /// Longest message before publish or play is accepted, and after.
    pub first_message_limit: usize,
    pub message_limit: usize,
    /// From the start to the end of the handshake.
    pub handshake_timeout: Duration,
    /// From then on to publish or play, and again after each has ended.
    pub command_timeout: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            chunk_size: 65_536,
            enhanced: Enhanced::forwards_all(),
            first_message_limit: 64 << 10,
            message_limit: 16 << 20,
            handshake_timeout: Duration::from_secs(5),
            command_timeout: Duration::from_secs(10),
        }
    }
}

/// What happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// The client connects to an application: to be accepted or rejected.
    ConnectRequested(Box<Connect>),
    /// The client wants to publish: to be accepted or rejected.
    PublishRequested {
        name: StreamName,
        /// `live`, `record`, `append`; as it came.
        kind: String,
    },
    /// The client wants to play: to be accepted or rejected.
    PlayRequested {
        name: StreamName,
        /// Negative for live. In seconds, or in milliseconds from those who multiply.
        start: f64,
    },
    /// `onMetaData`, and its body as AMF0 from the name on.
    Metadata {
        time_ms: u32,
        value: Value,
        body: Bytes,
    },
    /// Any other data message; `body` is AMF0 and begins with the name.
    Data {
        time_ms: u32,
        name: String,
        body: Bytes,
    },
    /// A frame, as an FLV tag body.
    Video {
        time_ms: u32,
        body: Bytes,
    },
    /// Audio, as an FLV tag body.
    Audio {
        time_ms: u32,
        body: Bytes,
    },
    /// The client has ended its publication; it may begin another.
    Unpublished,
    /// The client has stopped playing; it may begin again.
    PlayStopped,
    /// The client wants no media until it says so, or wants them again.
    Paused(bool),
    /// The client wants audio (or frames) or does not.
    ReceiveAudio(bool),
    ReceiveVideo(bool),
    /// How much the client buffers.
    BufferLength {
        millis: u32,
    },
    /// The client has received this many bytes, all told.
    Acknowledged {
        bytes: u64,
    },
    /// The answer to [`Session::ping`], with the time given there.
    Pong {
        time_ms: u32,
    },
    /// After a rejection or [`Session::close`]: everything was said, the socket may be closed.
    Finished,
}

/// How far a client has come on its way to publish.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Step {
    Handshake,
    /// The handshake is done; `connect` has not been answered.
    Connect,
    /// `connect` was answered.
    Connected,
    /// It asks to publish.
    Publish,
    Publishing,
}

/// Why the session has ended.
#[derive(Copy, Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("handshake: {0}")]
    Handshake(#[from] handshake::Error),
    #[error("the client violated the protocol: {0}")]
    Chunk(#[from] chunk::Error),
    #[error("the client did not finish the handshake in time")]
    HandshakeTimeout,
    #[error("the client neither published nor played in time")]
    CommandTimeout,
    #[error("the client sends too much before it is answered")]
    Impatient,
    #[error("the client asks for more than it reads")]
    Flooded,
    #[error("the session is over")]
    Over,
}
