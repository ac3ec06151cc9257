//! The player's reports: its state, events, figures, and failure.

pub mod anomaly;

use std::path::PathBuf;
use std::time::Duration;

use crate::decode::By;
use crate::media::Size;
use crate::net::CertificatePin;
use crate::text::Problem;
use crate::wire::chat::ChatLine;

/// The class of a failure, for exit codes.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum FailureKind {
    /// The URL makes no sense (2).
    Usage,
    /// A file is unreadable or unplayable, or an output is not writable (3).
    File,
    /// A codec is missing or fails (5).
    Codec,
    /// The server is unreachable, or not a server (6).
    Unreachable,
    /// The server refused (7).
    Refused,
    /// It played and was lost (8).
    Lost,
    /// The server has no such stream (9).
    NoSuchStream,
    /// The system refused a resource, such as a thread (1).
    System,
}

impl FailureKind {
    /// The process exit code.
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::System => 1,
            Self::Usage => 2,
            Self::File => 3,
            Self::Codec => 5,
            Self::Unreachable => 6,
            Self::Refused => 7,
            Self::Lost => 8,
            Self::NoSuchStream => 9,
        }
    }
}

/// Why the player gave up, or cannot start.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{problem}")]
pub struct Failure {
    pub kind: FailureKind,
    /// The error and its cure.
    pub problem: Problem,
    /// A certificate that nobody vouches for, which its owner may accept.
    pub offered: Option<Box<OfferedChat>>,
}

/// The certificate that a server showed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OfferedChat {
    /// `host:port`.
    pub server: String,
    pub pin: CertificatePin,
}

impl Failure {
    pub(crate) fn new(kind: FailureKind, problem: Problem) -> Self {
        Self { kind, problem, offered: None }
    }
}

/// The state of a player.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum State {
    /// On the way to the first video or audio. `stage` is `file`, `dns`, `tcp`, `tls`,
    /// `handshake`, `connect`, `play` or `media`.
    #[default]
    Starting,
    Opening {
        stage: &'static str,
    },
    /// Video or audio is being played.
    Playing,
    /// Lost; the next attempt begins in `retry_in`.
    Reconnecting {
        cause: Problem,
        retry_in: Duration,
    },
    /// The stream or file has ended.
    Ended,
    /// Gave up.
    Failed(Failure),
}

impl State {
    /// Whether the player has ended.
    pub fn is_final(&self) -> bool {
        matches!(self, Self::Ended | Self::Failed(_))
    }
}

/// The severity of a message.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Severity {
    Info,
    Warning,
}

/// A message for the user, once each time its cause begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlayerMessage {
    /// What happened, and the cure.
    pub problem: Problem,
    pub severity: Severity,
    /// It has no effect on the viewer: a line in the event log suffices.
    pub quiet: bool,
    pub detail: String,
}

impl PlayerMessage {
    /// Its message ID (`player-no-speaker`).
    pub fn key(&self) -> &'static str {
        self.problem.id()
    }

    /// Every name there is, for the test that looks for its texts.
    pub const KEYS: &[&str] = &[
        "player-audio-missing",
        "player-changed-audio",
        "player-changed-codec",
        "player-changed-size",
        "player-damaged-audio",
        "player-damaged-stream",
        "player-damaged-video",
        "player-dump-renamed",
        "player-file-damaged",
        "player-fixed",
        "player-jumped-ahead",
        "player-late-audio",
        "player-no-audio",
        "player-no-audio-codec",
        "player-no-headers",
        "player-no-keyframe",
        "player-no-metadata",
        "player-no-speaker",
        "player-no-start",
        "player-no-video",
        "player-no-video-codec",
        "player-output-failed",
        "player-publisher-back",
        "player-regained",
        "player-save-incomplete",
        "player-save-renamed",
        "player-saved",
        "player-speaker-back",
        "player-stalled",
        "player-times-backwards",
        "player-times-differ",
        "player-times-high",
        "player-times-jumped",
        "player-times-wrapped",
        "player-too-slow",
        "player-unmoved",
    ];
}

/// An event of a player.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    State(State),
    Message(PlayerMessage),
    /// A line of the chat that travels in the stream itself.
    Line(ChatLine),
}

/// The figures of a player. Counters are totals since the start; measurements are the latest.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Figures {
    pub size: Option<Size>,
    /// Names of the codecs, such as `H.264 High` and `AAC-LC 48 kHz stereo`.
    pub video: String,
    pub audio: String,
    /// The video decoder.
    pub decoder: Option<By>,
    /// Frames shown in the last second.
    pub fps: f64,
    /// The data received in the last second, in bits per second.
    pub bitrate: u32,
    pub received_bytes: u64,
    /// Frames decoded.
    pub decoded: u64,
    /// Frames shown.
    pub shown: u64,
    /// Frames thrown away: too late, or the decoder could not keep up.
    pub dropped: u64,
    /// Frames shown later than half their duration.
    pub late: u64,
    /// Frames before the start of playback, which were never meant to be shown.
    pub skipped: u64,
    /// Samples (a channel) of audio played.
    pub audio_samples: u64,
    /// The number of stalls.
    pub underruns: u64,
    /// Packets that could not be decoded.
    pub damaged: u64,
    /// Received and not yet shown.
    pub buffer: Duration,
    /// 1 is as recorded.
    pub speed: f64,
    pub first_frame: Option<Duration>,
    pub reconnects: u32,
    /// Losses of the connection or ends of the broadcast, after data had arrived.
    pub losses: u32,
    /// By the test source's markers, milliseconds.
    pub latency_ms: Option<f64>,
    /// The part until the frame had arrived completely.
    pub arrival_ms: Option<f64>,
    /// Milliseconds from the sender's clock of the presented media to the local clock: negative if
    /// the clocks disagree. `None` if the stream does not declare it.
    pub sender_latency_ms: Option<f64>,
    /// The maximum recent delay of a packet relative to the fastest, by their timestamps. `None`
    /// until known, and for segments.
    pub jitter: Option<Duration>,
    /// Audio against frame by the markers, milliseconds, > 0: audio late.
    pub av_offset_ms: Option<f64>,
    /// Audio plays on a device, which is the master clock.
    pub device: bool,
    pub volume: f32,
    pub muted: bool,
    pub playing_for: Duration,
    /// The position in a recording, and its length.
    pub position: Duration,
    pub duration: Option<Duration>,
    pub paused: bool,
    /// The range for going back in a live stream, if it has a time shift.
    pub rewind: Option<Rewind>,
    /// The file being written.
    pub saving: Option<Saving>,
}

/// The time shift of a live stream, and the player's position in it.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Rewind {
    /// The range for going back.
    pub range: Duration,
    /// The distance to the live edge; zero at the live edge.
    pub behind: Duration,
    /// The stored bytes.
    pub bytes: u64,
}

/// A file with the received stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Saving {
    pub path: PathBuf,
    pub bytes: u64,
    pub time: Duration,
}
