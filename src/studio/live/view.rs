//! A broadcast as the window sees it.

use std::path::PathBuf;

use crate::text::Problem;

use std::time::Duration;

/// The state of the broadcast.
#[derive(Clone, Debug, PartialEq, Default)]
pub enum LiveState {
    /// Not broadcasting.
    #[default]
    Idle,
    /// Connecting, up to the first frame at the target. `stage` is `dns`, `tcp`, `tls`,
    /// `handshake`, `connect`, `publish` or `media`; `delay` while the stream delay fills.
    Connecting { stage: &'static str },
    /// At least one target is publishing.
    OnAir,
    /// Lost; the next attempt begins in `retry_in`.
    Reconnecting { retry_in: Duration, cause: Problem },
    /// Being ended.
    Stopping,
}

/// Figures of the broadcast.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct LiveFigures {
    /// Since the first time on air.
    pub on_air_for: Duration,
    /// Frames encoded (blocks of audio without video).
    pub encoded: u64,
    /// Over the last seconds.
    pub fps: f64,
    /// The target rate: lower than the chosen one on a slow connection; 0: unknown.
    pub wanted_fps: f64,
    /// The data sent in the last second, in bits per second.
    pub bitrate: u32,
    /// The last minute in bits per second, one value per second, oldest first.
    pub bitrate_history: Vec<u32>,
    /// Frames thrown away because the link was too slow.
    pub dropped_frames: u64,
    /// Dropped audio packets, only with an extreme backlog.
    pub dropped_audio: u64,
    /// Frames sent or thrown away.
    pub total_frames: u64,
    /// The backlog, by its timestamps.
    pub queued: Duration,
    /// Round trip to the server as the system measures it.
    pub round_trip: Option<Duration>,
    pub reconnects: u32,
    pub sent_bytes: u64,
}

impl LiveFigures {
    /// Returns true if the target was ever live; otherwise it cannot be lost.
    pub fn was_live(&self) -> bool {
        !self.on_air_for.is_zero()
    }
}

/// What became of a broadcast, once it is over.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct BroadcastSummary {
    /// Counts the broadcasts since the start.
    pub number: u64,
    pub on_air_for: Duration,
    /// The hosts that it went to.
    pub hosts: Vec<String>,
    /// The most viewers that the built-in server had at once.
    pub peak_viewers: usize,
    pub sent_bytes: u64,
    /// Frames thrown away because the link was too slow, of so many.
    pub dropped_frames: u64,
    pub total_frames: u64,
    pub reconnects: u32,
    /// Its recording, once that is whole.
    pub recording: Option<PathBuf>,
}

/// The state of a passthrough.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct PassthroughView {
    pub path: PathBuf,
    /// It loops.
    pub again: bool,
    /// It is still opening: nothing is sent yet.
    pub opening: bool,
    /// Its position, and its length if known.
    pub position: Duration,
    pub duration: Option<Duration>,
    /// The number of completed loops.
    pub rounds: u32,
}
