//! A broadcast as the window sees it.

use std::path::PathBuf;

use crate::text::Problem;

use std::time::Duration;

/// What the broadcast is doing.
#[derive(Clone, Debug, PartialEq, Default)]
pub enum LiveState {
    /// Not broadcasting.
    #[default]
    Idle,
    /// On the way to the first frame at the target. `stage` is `dns`, `tcp`, `tls`, `handshake`,
    /// `connect`, `publish` or `media`; `delay` while a stream that is held back has not begun to go
    /// out.
    Connecting { stage: &'static str },
    /// At least one target is publishing.
    OnAir,
    /// Lost; the next try begins in `retry_in`.
    Reconnecting { retry_in: Duration, cause: Problem },
    /// Being ended.
    Stopping,
}

/// Figures of the broadcast.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct LiveFigures {
    /// Since the first time on air.
    pub on_air_for: Duration,
    /// Frames encoded (blocks of audio, where there is no frame).
    pub encoded: u64,
    /// Over the last seconds.
    pub fps: f64,
    /// What it should be: fewer than chosen where a slow connection carries no more; 0: not known.
    pub wanted_fps: f64,
    /// What was sent in the last second, bits a second.
    pub bitrate: u32,
    /// One value a second, the last minute, bits a second, oldest first.
    pub bitrate_history: Vec<u32>,
    /// Frames thrown away because the link was too slow.
    pub dropped_frames: u64,
    /// Packets of audio thrown away, where far too much waited.
    pub dropped_audio: u64,
    /// Frames sent or thrown away.
    pub total_frames: u64,
    /// What waits to be sent, by its timestamps.
    pub queued: Duration,
    /// Round trip to the server as the system measures it.
    pub round_trip: Option<Duration>,
    pub reconnects: u32,
    pub sent_bytes: u64,
}

impl LiveFigures {
    /// Whether the target was live at any time: what was never regained was not lost either.
    pub fn was_live(&self) -> bool {
        !self.on_air_for.is_zero()
    }
}

/// A media file that is sent as it is.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct PassthroughView {
    pub path: PathBuf,
    /// It begins again when it ends.
    pub again: bool,
    /// It is still being looked into: nothing is sent yet.
    pub opening: bool,
    /// How far it is, of how much, where the file tells.
    pub position: Duration,
    pub duration: Option<Duration>,
    /// How often it has begun again.
    pub rounds: u32,
}
