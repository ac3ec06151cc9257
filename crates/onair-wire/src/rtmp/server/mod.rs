//! Server side of a connection to a client that publishes or plays one stream. This module is
//! sans-IO, without a clock or a thread. The session is driven like [`super::client`].
//!
//! Requests of the client are events that need a decision. After [`Event::ConnectRequested`], call
//! [`Session::accept_connect`] or [`Session::reject_connect`], and likewise for publish and play.
//! Until then, further input is buffered (with a limit), so a decision may take time.
//!
//! A publisher's media arrives as [`Event::Metadata`], [`Event::Video`] and [`Event::Audio`];
//! bodies are shared, not copied. To send to a player, write bytes from
//! [`chunk::encode_standalone`] (encoded once for all viewers with the chunk size of the [`Config`]
//! and message stream [`Session::message_stream`]) between the session's own output. `queued_bytes`
//! returns the waiting bytes.

mod session;

use std::time::Duration;

use bytes::Bytes;

pub use session::Session;

use crate::wire::amf0::Value;
use crate::wire::rtmp::command::{Connect, Enhanced};
use crate::wire::rtmp::stream_name::StreamName;
use crate::wire::rtmp::{chunk, handshake};

/// The next action for the driver of the session.
pub type Output = crate::wire::rtmp::connection::Output<Event>;

/// Options of the server.
#[derive(Clone, Debug)]
pub struct Config {
    /// The outgoing chunk size.
    pub chunk_size: u32,
    /// Enhanced RTMP capabilities in the reply to connect, for clients that declare their own.
    pub enhanced: Enhanced,
    /// Maximum message length in bytes before publish or play is accepted.
    pub first_message_limit: usize,
    /// Maximum message length in bytes after publish or play is accepted.
    pub message_limit: usize,
    /// Time limit of the handshake.
    pub handshake_timeout: Duration,
    /// Time limit from the handshake to publish or play, and again after either has ended.
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

/// An event of the session.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// The client requests a connection to an application, which the caller accepts or rejects.
    ConnectRequested(Box<Connect>),
    /// The client requests to publish, which the caller accepts or rejects.
    PublishRequested {
        name: StreamName,
        /// `live`, `record` or `append`, unchanged.
        kind: String,
    },
    /// The client requests to play, which the caller accepts or rejects.
    PlayRequested {
        name: StreamName,
        /// Start position; negative means live. The unit is seconds, but some clients send
        /// milliseconds.
        start: f64,
        /// Length to play; zero or negative for the whole stream.
        duration: f64,
        reset: bool,
    },
    /// `onMetaData`, and its AMF0 body from the name on.
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
    /// A frame as an FLV tag body.
    Video {
        time_ms: u32,
        body: Bytes,
    },
    /// Audio as an FLV tag body.
    Audio {
        time_ms: u32,
        body: Bytes,
    },
    /// The client has stopped publishing; it may publish again.
    Unpublished,
    /// The client has stopped playing; it may play again.
    PlayStopped,
    /// The client pauses (true) or resumes (false) the media.
    Paused(bool),
    /// The client wants to continue a recording at this time; accept it with [`Session::accept_seek`].
    SeekRequested {
        millis: u32,
    },
    /// The client enables or disables audio (or video).
    ReceiveAudio(bool),
    ReceiveVideo(bool),
    /// The client's buffer length.
    BufferLength {
        millis: u32,
    },
    /// The client has received this many bytes in total.
    Acknowledged {
        bytes: u64,
    },
    /// The reply to [`Session::ping`], with its time.
    Pong {
        time_ms: u32,
    },
    /// All data was sent after a rejection or [`Session::close`], and the socket may be closed.
    Finished,
}

/// Progress of a client towards publishing.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Step {
    Handshake,
    /// The handshake is done, and `connect` is not answered yet.
    Connect,
    /// `connect` is answered.
    Connected,
    /// The client requests to publish.
    Publish,
    Publishing,
}

/// The reason why the session has ended.
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
    #[error("the client sends too much before it gets an answer")]
    Impatient,
    #[error("the client requests more than it reads")]
    Flooded,
    #[error("the session is over")]
    Over,
}
