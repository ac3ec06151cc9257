//! What the player tells: its state, what happened, its figures, and why it gave up.

pub mod anomaly;

use std::path::PathBuf;
use std::time::Duration;

use crate::decode::By;
use crate::media::Size;
use crate::net::CertificatePin;
use crate::text::Problem;
use crate::wire::chat::ChatLine;

/// What kind of ending a failure is, as exit codes count them.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum FailureKind {
    /// The URL makes no sense (2).
    Usage,
    /// The file cannot be read or is none that can be played, or an output cannot be written (3).
    File,
    /// A codec is missing or fails (5).
    Codec,
    /// The server cannot be reached or is none (6).
    Unreachable,
    /// The server said no (7).
    Refused,
    /// It played and was lost (8).
    Lost,
    /// The server has no such stream (9).
    NoSuchStream,
    /// The system refused what every program gets, such as a thread (1).
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
    /// What went wrong, and what helps.
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

/// What the player is doing.
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
    /// Lost; the next try begins in `retry_in`.
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
    /// Whether nothing more will come.
    pub fn is_final(&self) -> bool {
        matches!(self, Self::Ended | Self::Failed(_))
    }
}

/// How serious a message is.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Severity {
    Info,
    Warning,
}

/// Something worth a sentence, said once each time it begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlayerMessage {
    /// What happened, and what helps.
    pub problem: Problem,
    pub severity: Severity,
    /// It changes nothing for who watches: a line in what happened is enough.
    pub quiet: bool,
    pub detail: String,
}

impl PlayerMessage {
    /// Which message it is (`player-no-speaker`).
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

/// What happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    State(State),
    Message(PlayerMessage),
    /// A line of the chat that travels in the stream itself.
    Line(ChatLine),
}

/// How it fares. Counters are totals since the start; measurements are the latest.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Figures {
    pub size: Option<Size>,
    /// Names of the codecs, such as `H.264 High` and `AAC-LC 48 kHz stereo`.
    pub video: String,
    pub audio: String,
    /// What decodes the frames.
    pub decoder: Option<By>,
    /// Frames shown in the last second.
    pub fps: f64,
    /// What arrived in the last second, bits a second.
    pub bitrate: u32,
    pub received_bytes: u64,
    /// Frames decoded.
    pub decoded: u64,
    /// Frames shown.
    pub shown: u64,
    /// Frames thrown away: too late, or the decoder could not keep up.
    pub dropped: u64,
    /// Frames whose turn came later than half their time.
    pub late: u64,
    /// Frames older than the point where playing began or continued; never meant to be shown.
    pub skipped: u64,
    /// Samples (a channel) of audio played.
    pub audio_samples: u64,
    /// Times that there was nothing to show or to hear.
    pub underruns: u64,
    /// Packets that could not be decoded.
    pub damaged: u64,
    /// Received and not yet shown.
    pub buffer: Duration,
    /// 1 is as recorded.
    pub speed: f64,
    pub first_frame: Option<Duration>,
    pub reconnects: u32,
    /// Times that the connection was lost, or the broadcast ended, after something had come.
    pub losses: u32,
    /// By the test source's markers, milliseconds.
    pub latency_ms: Option<f64>,
    /// The part of it until the frame had come whole.
    pub arrival_ms: Option<f64>,
    /// From the making of what is played, by its sender's clock, to now, by ours, milliseconds: below zero where
    /// the clocks do not agree. `None` where the stream does not tell.
    pub sender_latency_ms: Option<f64>,
    /// How much later than the fastest recently the latest packet of the last seconds came, by their own times.
    /// `None` until that is known, and where segments come instead of packets.
    pub jitter: Option<Duration>,
    /// Audio against frame by the markers, milliseconds, > 0: audio late.
    pub av_offset_ms: Option<f64>,
    /// Audio goes to a device, which is the master of the clock.
    pub device: bool,
    pub volume: f32,
    pub muted: bool,
    pub playing_for: Duration,
    /// Where in a recording it is, and how long that is.
    pub position: Duration,
    pub duration: Option<Duration>,
    pub paused: bool,
    /// How far one can go back in a live stream, where something of it is kept.
    pub rewind: Option<Rewind>,
    /// The file that is being written.
    pub saving: Option<Saving>,
}

/// What is kept of a live stream, and where in it the player is.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Rewind {
    /// One can go back by this much.
    pub range: Duration,
    /// The player is this far behind the live end; zero: it is there.
    pub behind: Duration,
    /// Bytes of packets that are kept.
    pub bytes: u64,
}

/// A file of what is received.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Saving {
    pub path: PathBuf,
    pub bytes: u64,
    pub time: Duration,
}
