//! What happens at the server, and how its streams fare.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::files::Trouble;
use crate::files::disk_space::Warning;
pub use crate::server::fault::StruckFault;

/// What happened. Named as in the JSON events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A publisher has started.
    Publish(Peer),
    /// A publisher has ended.
    Unpublish(Peer, Ended),
    /// A viewer has started.
    Join(Peer),
    /// A viewer has gone.
    Leave(Peer, Ended),
    /// A fault that was asked for has struck.
    Fault(StruckFault),
    /// A publication is written into a file.
    Recording(Recording),
    /// The disk that such a file is on gives reason to worry.
    Disk(Warning),
    /// Such a file cannot be made now; it is tried again.
    Held(PathBuf, Trouble),
}

/// A publication in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recording {
    pub app: String,
    pub stream: String,
    pub path: PathBuf,
    pub state: RecordingState,
    pub after: Duration,
    pub bytes: u64,
    /// What went wrong, for a person, in English.
    pub reason: Option<String>,
}

/// What a recording does.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum RecordingState {
    Writing,
    Finished,
    Failed,
}

impl RecordingState {
    /// As it is in the JSON events.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Writing => "writing",
            Self::Finished => "finished",
            Self::Failed => "failed",
        }
    }
}

/// Who, and on which stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    pub app: String,
    pub stream: String,
    pub address: SocketAddr,
    /// Of the connection, or of a viewer without one; unique in a run.
    pub id: u64,
    /// How it comes.
    pub protocol: Protocol,
}

/// By what somebody publishes or watches.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum Protocol {
    Rtmp,
    HttpFlv,
    WsFlv,
    Hls,
}

impl Protocol {
    /// As it is in the JSON events.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rtmp => "rtmp",
            Self::HttpFlv => "http-flv",
            Self::WsFlv => "ws-flv",
            Self::Hls => "hls",
        }
    }
}

/// How it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// For a person, in English.
    pub reason: String,
    pub after: Duration,
    /// Received from a publisher, or sent to a viewer.
    pub bytes: u64,
}

/// One stream now.
#[derive(Clone, Debug, PartialEq)]
pub struct StreamFigures {
    pub app: String,
    pub stream: String,
    /// `None` while viewers wait for one.
    pub publisher: Option<PublisherFigures>,
    /// By every protocol.
    pub viewers: usize,
    /// Of them those by HLS.
    pub hls_viewers: usize,
}

/// A stream's publisher now.
#[derive(Clone, Debug, PartialEq)]
pub struct PublisherFigures {
    pub id: u64,
    pub address: SocketAddr,
    pub since: Duration,
    pub bytes: u64,
    /// Bits a second over the last whole second.
    pub bitrate: u64,
    /// Such as "H.264", with width, height and frames a second where known.
    pub video: Option<VideoFigures>,
    /// Such as "AAC", with rate and channels where known.
    pub audio: Option<AudioFigures>,
}

/// What is known of the frames.
#[derive(Clone, Debug, PartialEq)]
pub struct VideoFigures {
    pub codec: String,
    pub size: Option<(u32, u32)>,
    pub fps: Option<f64>,
}

/// What is known of the audio.
#[derive(Clone, Debug, PartialEq)]
pub struct AudioFigures {
    pub codec: String,
    pub sample_rate: Option<u32>,
    pub channels: Option<u16>,
}
