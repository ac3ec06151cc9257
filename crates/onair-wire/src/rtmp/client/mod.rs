//! Client side of a connection: publishes or plays one stream. This module is sans-IO, without a
//! clock or a thread.
//!
//! ```text
//! let mut session = Session::new(Config::publish(url, bitrate), now, seed);
//! loop {
//!     match session.poll_output() {
//!         Output::Transmit(bytes) => socket.write_all(bytes),
//!         Output::Event(event) => …,
//!         Output::Timeout(at) => wait for input until `at`, then session.handle_timeout(now)?,
//!         Output::Idle => wait for input or for something to send,
//!     }
//! }
//! ```
//!
//! Pass input to [`Session::handle_input`]. After [`Event::PublishStarted`], call
//! [`Session::send_metadata`], [`Session::send_video`] and [`Session::send_audio`]. Check
//! [`Session::queued_bytes`] first, because the session itself drops nothing. To end, call
//! [`Session::close`] and continue until [`Event::Finished`]. An `Err` from any call ends the
//! session, and contains the cause, the [`ClientStage`], and the kind of a rejection.
//!
//! The session reads the server's messages all the time. Each status gives an [`Event::Status`],
//! and a rejection ends the session with [`Error::Refused`] even during a stream. Keys are removed
//! from the texts.

mod session;

use std::time::Duration;

use bytes::Bytes;

pub use session::Session;

use crate::media::BitsPerSecond;
use crate::wire::amf0::Value;
use crate::wire::rtmp::auth::Challenge;
use crate::wire::rtmp::command::Enhanced;
use crate::wire::rtmp::status::{Refusal, Status};
use crate::wire::rtmp::url::Url;
use crate::wire::rtmp::{chunk, handshake};

/// The next action for the driver of the session.
pub type Output = crate::wire::rtmp::connection::Output<Event>;

/// Purpose of the connection.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Purpose {
    Publish,
    Play,
}

/// Options of a connection.
#[derive(Clone, Debug)]
pub struct Config {
    pub url: Url,
    pub purpose: Purpose,
    /// Bitrate of the stream, which sets the initial outgoing chunk size. Later, the chunk size
    /// follows [`Session::set_link_rate`].
    pub bitrate: Option<BitsPerSecond>,
    /// Enhanced RTMP capabilities in connect.
    pub enhanced: Enhanced,
    /// Text to append to app and tcUrl: the response to a [`Challenge`], from
    /// [`super::auth::next_query`].
    pub auth_query: Option<String>,
    /// The servers that relay the stream, for [`RELAY_PATH`](super::command::RELAY_PATH_PROPERTY).
    pub relay_path: Option<String>,
    /// Buffer length of the player, which is reported to the server.
    pub buffer: Duration,
    /// True to use the digests of Flash Player instead of the simple handshake.
    pub digests: bool,
    /// Time limit of the handshake.
    pub handshake_timeout: Duration,
    /// Time limit from the handshake to the start of publishing or playing.
    pub command_timeout: Duration,
}

impl Config {
    /// Returns the options to publish a stream with this bitrate.
    pub fn publish(url: Url, bitrate: BitsPerSecond) -> Self {
        Self { bitrate: Some(bitrate), ..Self::new(url, Purpose::Publish) }
    }

    /// Returns the options to play a stream.
    pub fn play(url: Url) -> Self {
        Self::new(url, Purpose::Play)
    }

    /// Returns the options for either purpose.
    pub fn new(url: Url, purpose: Purpose) -> Self {
        Self {
            url,
            purpose,
            bitrate: None,
            enhanced: match purpose {
                Purpose::Publish => Enhanced::publishes(),
                Purpose::Play => Enhanced::plays(),
            },
            auth_query: None,
            relay_path: None,
            buffer: Duration::from_millis(300),
            digests: false,
            handshake_timeout: Duration::from_secs(5),
            command_timeout: Duration::from_secs(10),
        }
    }
}

/// An event of the session.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// The peer speaks RTMP.
    HandshakeDone,
    /// The server has accepted the connection.
    Connected {
        /// `fmsVer`, the server's name, which may be empty.
        server: String,
        /// Enhanced RTMP capabilities of the server.
        enhanced: Enhanced,
    },
    /// Media may be sent.
    PublishStarted,
    /// The server will send media as soon as there is a publisher.
    PlayStarted,
    /// A status of the server, which is useful at least for the log.
    Status(Status),
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
    StreamBegin,
    StreamEof,
    StreamDry,
    /// The server plays a recording, which has an end and allows seeking.
    StreamIsRecorded,
    /// The played stream has ended, or its publisher is gone.
    Unpublished,
    /// The server has received this many bytes in total.
    Acknowledged {
        bytes: u64,
    },
    /// The server requests a reconnect, perhaps to another address (Enhanced RTMP).
    ReconnectRequest {
        tc_url: Option<String>,
        description: String,
    },
    /// All data was sent after [`Session::close`], and the socket may be closed.
    Finished,
}

/// Progress of the session.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum ClientStage {
    Handshake,
    Connect,
    Publish,
    Play,
    /// Publishing or playing has begun.
    Media,
}

impl std::fmt::Display for ClientStage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Handshake => "handshake",
            Self::Connect => "connect",
            Self::Publish => "publish",
            Self::Play => "play",
            Self::Media => "media",
        })
    }
}

/// The reason why the session has ended.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Error {
    #[error("handshake: {0}")]
    Handshake(#[from] handshake::Error),
    #[error("the server violated the protocol: {0}")]
    Chunk(#[from] chunk::Error),
    #[error("{0}")]
    Refused(Box<Refused>),
    #[error("{stage}: the server did not answer within {} s", .after.as_secs())]
    Timeout { stage: ClientStage, after: Duration },
    #[error("the server asks for more than it reads")]
    Flooded,
    #[error("the session is over")]
    Over,
}

/// A rejection by the server, with all details.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{stage}: {refusal:?} ({status})")]
pub struct Refused {
    pub stage: ClientStage,
    pub refusal: Refusal,
    pub status: Status,
    /// The challenge, if the server requires a name and a password. The client must connect again
    /// with a response.
    pub challenge: Option<Challenge>,
    /// Address to which the server redirects.
    pub redirect: Option<String>,
}

impl Error {
    /// Returns the rejection, if the error is one.
    pub fn refusal(&self) -> Option<&Refused> {
        match self {
            Self::Refused(refused) => Some(refused),
            _ => None,
        }
    }
}
