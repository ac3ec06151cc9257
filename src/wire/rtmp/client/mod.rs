//! The client's side of a connection: publishes or plays one stream. Sans-IO, no clock, no thread.
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
//! Input goes to [`Session::handle_input`]. After [`Event::PublishStarted`] feed
//! [`Session::send_metadata`], [`Session::send_video`], [`Session::send_audio`]; look at
//! [`Session::queued_bytes`] before, the session drops nothing on its own. To end, call
//! [`Session::close`] and continue until [`Event::Finished`]. An `Err` from any call ends the session;
//! it says why, in which [`ClientStage`], and for refusals of what sort.
//!
//! What a server says is read for the whole session: a [`Event::Status`] comes for everything, a
//! refusal ends it with [`Error::Refused`] even in the middle of a stream. Keys are taken out of
//! the texts.

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

/// What the session asks its driver to do.
pub type Output = crate::wire::rtmp::connection::Output<Event>;

/// What the connection is for.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Purpose {
    Publish,
    Play,
}

/// How to connect.
#[derive(Clone, Debug)]
pub struct Config {
    pub url: Url,
    pub purpose: Purpose,
    /// The stream's bitrate: decides the outgoing chunk size, which follows
    /// [`Session::set_link_rate`] afterwards.
    pub bitrate: Option<BitsPerSecond>,
    /// What connect says of Enhanced RTMP.
    pub enhanced: Enhanced,
    /// Appended to app and tcUrl: the answer to a [`Challenge`], from [`super::auth::next_query`].
    pub auth_query: Option<String>,
    /// Play: how much the player buffers, for the server to know.
    pub buffer: Duration,
    /// Begin with the digests of Flash Player instead of the simple handshake.
    pub digests: bool,
    /// From the start to the end of the handshake.
    pub handshake_timeout: Duration,
    /// From then on to the start of publishing or playing.
    pub command_timeout: Duration,
}

impl Config {
    /// To publish a stream of that bitrate.
    pub fn publish(url: Url, bitrate: BitsPerSecond) -> Self {
        Self { bitrate: Some(bitrate), ..Self::new(url, Purpose::Publish) }
    }

    /// To play.
    pub fn play(url: Url) -> Self {
        Self::new(url, Purpose::Play)
    }

    /// For either.
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
            buffer: Duration::from_millis(300),
            digests: false,
            handshake_timeout: Duration::from_secs(5),
            command_timeout: Duration::from_secs(10),
        }
    }
}

/// What happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// The peer speaks RTMP.
    HandshakeDone,
    /// The server accepted the connection.
    Connected {
        /// `fmsVer`, as servers name themselves; may be empty.
        server: String,
        /// What it says of Enhanced RTMP.
        enhanced: Enhanced,
    },
    /// Media may be sent.
    PublishStarted,
    /// The server will send media, once there is a publisher.
    PlayStarted,
    /// The server said something, for the log at least.
    Status(Status),
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
    StreamBegin,
    StreamEof,
    StreamDry,
    /// The server plays it from its disk: it has an end already, and one can go about in it.
    StreamIsRecorded,
    /// The stream that was played has ended, or its publisher is gone.
    Unpublished,
    /// The server has received this many bytes, all told.
    Acknowledged {
        bytes: u64,
    },
    /// The server asks to connect again, perhaps elsewhere (Enhanced RTMP).
    ReconnectRequest {
        tc_url: Option<String>,
        description: String,
    },
    /// After [`Session::close`]: everything was said, the socket may be closed.
    Finished,
}

/// How far the session had come.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum ClientStage {
    Handshake,
    Connect,
    Publish,
    Play,
    /// Publishing or playing had begun.
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

/// Why the session has ended.
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

/// A server's refusal, with all it said.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{stage}: {refusal:?} ({status})")]
pub struct Refused {
    pub stage: ClientStage,
    pub refusal: Refusal,
    pub status: Status,
    /// The server wants a name and a password: connect again with an answer.
    pub challenge: Option<Challenge>,
    /// The server wants us elsewhere.
    pub redirect: Option<String>,
}

impl Error {
    /// The refusal, if it is one.
    pub fn refusal(&self) -> Option<&Refused> {
        match self {
            Self::Refused(refused) => Some(refused),
            _ => None,
        }
    }
}
