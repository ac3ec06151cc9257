//! The player's reports: its state, events, figures, and failure.

pub mod anomaly;

use std::path::PathBuf;
use std::time::Duration;

use crate::media::Size;
use crate::net::CertificatePin;
use crate::text::Problem;
use crate::wire::chat::ChatLine;
use onair_media::decode::DecoderInfo;

/// The class of a failure, for exit codes.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum FailureKind {
    /// The URL is invalid (2).
    Usage,
    /// A file is unreadable or unplayable, or an output is not writable (3).
    File,
    /// A codec is missing or fails (5).
    Codec,
    /// The server is unreachable, or is not a streaming server (6).
    Unreachable,
    /// The server rejected the request (7).
    Refused,
    /// Playback began and the stream was lost (8).
    Lost,
    /// The server has no such stream (9).
    NoSuchStream,
    /// The system denied a resource, such as a thread (1).
    System,
}

impl FailureKind {
    /// Returns the process exit code.
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

/// The reason why the player gave up, or cannot start.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{problem}")]
pub struct Failure {
    pub kind: FailureKind,
    /// The error and its cure.
    pub problem: Problem,
    /// A certificate without a trusted issuer, which the user may accept.
    pub offered: Option<Box<OfferedChat>>,
}

/// The certificate of a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OfferedChat {
    /// Server as `host:port`.
    pub server: String,
    pub pin: CertificatePin,
}

impl Failure {
    pub fn new(kind: FailureKind, problem: Problem) -> Self {
        Self { kind, problem, offered: None }
    }
}

/// The state of a player.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum State {
    /// Waiting for the first video or audio. `stage` is `file`, `dns`, `tcp`, `tls`, `handshake`,
    /// `connect`, `play` or `media`.
    #[default]
    Starting,
    Opening {
        stage: &'static str,
    },
    /// Video or audio plays.
    Playing,
    /// The connection is lost; the next attempt begins in `retry_in`.
    Reconnecting {
        cause: Problem,
        retry_in: Duration,
    },
    /// The stream or file has ended.
    Ended,
    /// The player gave up.
    Failed(Failure),
}

impl State {
    /// Returns true if the player has ended.
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

/// A message for the user, reported each time its cause begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlayerMessage {
    /// The problem with its cure.
    pub problem: Problem,
    pub severity: Severity,
    /// True if the problem does not affect the viewer, so that a line in the event log suffices.
    pub quiet: bool,
    pub detail: String,
}

impl PlayerMessage {
    /// Returns the message id, such as `player-no-speaker`.
    pub fn key(&self) -> &'static str {
        self.problem.id()
    }

    /// All message ids, for the test that checks their texts.
    pub const ALL_IDS: &[&str] = &[
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
        "player-save-gap",
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
    /// The problem with this message id is over.
    Over(&'static str),
    /// A chat message in the stream itself.
    Line(ChatLine),
}

/// The figures of a player. Counters are totals since the start; measurements are the latest.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Figures {
    pub size: Option<Size>,
    /// Name of the video codec, such as `H.264 High`.
    pub video: String,
    /// Name of the audio codec, such as `AAC-LC 48 kHz stereo`.
    pub audio: String,
    /// The decoder of the video.
    pub decoder: Option<DecoderInfo>,
    /// Frames shown in the last second.
    pub fps: f64,
    /// The data received in the last second, in bits per second.
    pub bitrate: u32,
    pub received_bytes: u64,
    /// Number of decoded frames.
    pub decoded: u64,
    /// Number of shown frames.
    pub shown: u64,
    /// Number of dropped frames: too late, or the decoder could not keep up.
    pub dropped: u64,
    /// Number of frames that were late, shown or dropped; see `clock::frame_pacing`.
    pub late: u64,
    /// Number of frames that were decoded but not shown, because they precede the position where
    /// playback started or resumed.
    pub skipped: u64,
    /// Number of played audio samples per channel.
    pub audio_samples: u64,
    /// Number of stalls.
    pub underruns: u64,
    /// Number of packets that could not be decoded.
    pub damaged: u64,
    /// Duration of the media that was received and not yet shown.
    pub buffer: Duration,
    /// Playback speed; 1 is normal.
    pub speed: f64,
    pub first_frame: Option<Duration>,
    pub reconnects: u32,
    /// Number of connection losses and ends of the broadcast, after data had arrived.
    pub losses: u32,
    /// Latency by the markers of the test source, in milliseconds.
    pub latency_ms: Option<f64>,
    /// The part of the latency up to the complete arrival of the frame.
    pub arrival_ms: Option<f64>,
    /// Local time minus the sender's wall-clock time of the presented media, in milliseconds;
    /// negative if the clocks disagree. It is `None` if the stream does not declare the sender's
    /// clock.
    pub sender_latency_ms: Option<f64>,
    /// The maximum recent delay of a packet relative to the fastest one, by their timestamps. It is
    /// `None` until it is known, and for segmented streams.
    pub jitter: Option<Duration>,
    /// Audio delay relative to the video, measured by the markers, in milliseconds; positive means
    /// late audio.
    pub av_offset_ms: Option<f64>,
    /// True if audio plays on a device, which is the master clock.
    pub device: bool,
    pub volume: f32,
    pub muted: bool,
    pub playing_for: Duration,
    /// The position in a recording.
    pub position: Duration,
    /// The length of the recording.
    pub duration: Option<Duration>,
    pub paused: bool,
    /// The range for seeking back in a live stream, if it has a time shift.
    pub time_shift: Option<TimeShiftState>,
    /// The file in progress for the received stream.
    pub saving: Option<Saving>,
}

/// The time shift of a live stream, and the player's position in it.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct TimeShiftState {
    /// The range for seeking back.
    pub range: Duration,
    /// The distance to the live edge; zero at the live edge.
    pub behind: Duration,
    /// Size of the stored packets, in bytes.
    pub bytes: u64,
}

/// A file with the received stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Saving {
    pub path: PathBuf,
    pub bytes: u64,
    pub time: Duration,
}
