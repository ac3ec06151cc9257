//! A broadcast as displayed in the window.

use std::path::PathBuf;

use crate::text::Problem;

use std::time::Duration;

/// The frame rate is not judged for this long after the start, because it is an average over time.
const FRAME_RATE_GRACE: Duration = Duration::from_secs(4);
/// The share of the wanted frame rate below which the frame rate is too low.
pub const MIN_FRAME_RATE_SHARE: f64 = 0.9;

/// The state of the broadcast.
#[derive(Clone, Debug, PartialEq, Default)]
pub enum LiveState {
    /// Not broadcasting.
    #[default]
    Idle,
    /// Connecting, up to the first frame at the target. `stage` is `dns`, `tcp`, `tls`,
    /// `handshake`, `connect`, `publish` or `media`; it is `delay` while the stream delay fills.
    Connecting { stage: &'static str },
    /// At least one target is live.
    OnAir,
    /// The connection is lost; the next attempt begins in `retry_in`.
    Reconnecting { retry_in: Duration, cause: Problem },
    /// The broadcast is ending.
    Stopping,
}

/// Figures of the broadcast.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct LiveFigures {
    /// The time since the broadcast first went on air.
    pub on_air_for: Duration,
    /// The number of encoded frames or, without video, of encoded audio blocks. On air, those of an
    /// earlier recording do not count.
    pub encoded: u64,
    /// Frames per second over the last seconds.
    pub fps: f64,
    /// True until frames were counted for a whole second with the same `wanted_fps`. Before, `fps`
    /// is not known.
    pub fps_pending: bool,
    /// The wanted frame rate, which is below the chosen one on a slow connection; 0 if unknown.
    pub wanted_fps: f64,
    /// The data sent in the last second, in bits per second.
    pub bitrate: u32,
    /// The bitrates of the last ten minutes in bits per second, one value per second, oldest first.
    pub bitrate_history: Vec<u32>,
    /// The mean time to encode a frame over the last second; `None` if no video was encoded.
    pub encode_time: Option<Duration>,
    /// The mean time to draw and encode a frame, in milliseconds, for each of the last 600 seconds
    /// in which frames were encoded, oldest first.
    pub frame_times: Vec<f32>,
    /// Due frames that were not drawn or not encoded, because the computer was too busy.
    pub skipped_frames: u64,
    /// Frames dropped because the link was too slow.
    pub dropped_frames: u64,
    /// Frames that were never sent, because the connection was interrupted or lost.
    pub lost_frames: u64,
    /// Dropped audio packets. Audio is dropped only with an extreme backlog.
    pub dropped_audio: u64,
    /// Frames sent or dropped.
    pub total_frames: u64,
    /// The duration of the backlog by its packets' timestamps.
    pub queued: Duration,
    /// The round-trip time to the server as measured by the system.
    pub round_trip: Option<Duration>,
    /// The share of the packets of the last second that the other side missed at first, if a
    /// protocol notices it.
    pub loss: Option<f64>,
    pub reconnects: u32,
    pub sent_bytes: u64,
}

impl LiveFigures {
    /// Returns true if a target was ever live. Otherwise there is no connection to lose.
    pub fn was_live(&self) -> bool {
        !self.on_air_for.is_zero()
    }

    /// Returns true if `fps` can be compared with the wanted frame rate. An encoder that has not
    /// finished any frame is too slow, although its frame rate is pending.
    pub fn is_fps_known(&self) -> bool {
        !self.fps_pending || self.encoded == 0
    }

    /// Returns true if the frame rate of the broadcast is too low.
    pub fn is_slow(&self) -> bool {
        self.on_air_for > FRAME_RATE_GRACE
            && self.is_fps_known()
            && self.fps < MIN_FRAME_RATE_SHARE * self.wanted_fps
    }

    /// Returns true if the computer skips a visible share of the frames.
    pub fn skips_frames(&self) -> bool {
        self.skipped_frames.saturating_mul(100) > self.encoded
    }

    /// Returns true if the link loses a visible share of the frames.
    pub fn loses_frames(&self) -> bool {
        self.dropped_frames.saturating_mul(100) > self.total_frames
    }
}

/// A running video encoder.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct EncoderView {
    pub name: &'static str,
    /// The name of the profile, such as `High`.
    pub profile: &'static str,
}

/// The summary of a broadcast that has ended.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct BroadcastSummary {
    /// The number of the broadcast, counted from the start.
    pub number: u64,
    pub on_air_for: Duration,
    /// The targets that were live, and those that were still on at the end but never live.
    pub targets: Vec<BroadcastTarget>,
    /// The maximum number of simultaneous viewers of the built-in server.
    pub peak_viewers: usize,
    pub sent_bytes: u64,
    /// Due frames that were not sent, because the computer was too busy.
    pub skipped_frames: u64,
    /// Frames dropped because the link was too slow.
    pub dropped_frames: u64,
    /// Frames that were never sent, because the connection was interrupted or lost.
    pub lost_frames: u64,
    /// Frames sent or dropped.
    pub total_frames: u64,
    pub reconnects: u32,
    /// How long the target with the longest outages got nothing.
    pub interrupted: Duration,
    /// The recording, after it is finalized.
    pub recording: Option<PathBuf>,
}

/// A target of a broadcast.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BroadcastTarget {
    /// The target's id, or `None` if the target is no longer in the list.
    pub id: Option<u32>,
    /// Its name in messages when it went live, which stays if the target is renamed or removed.
    pub label: String,
    /// False if the target never got the stream.
    pub was_live: bool,
}

/// The state of a passthrough.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct PassthroughView {
    pub path: PathBuf,
    /// True if the file loops.
    pub again: bool,
    /// True if the file is still being opened and nothing is sent yet.
    pub opening: bool,
    /// The current position.
    pub position: Duration,
    /// The duration, if known.
    pub duration: Option<Duration>,
    /// The number of completed passes.
    pub rounds: u32,
}
