//! HLS and DASH output of a stream (RFC 8216bis, ISO/IEC 23009-1): cut into segments and parts in memory,
//! while clients request it. `cutter`, `timeline`, `drift`, `window`, `listing`, `manifest` and `mpeg_ts` are pure;
//! `outputs/hls` is the task that feeds them.

pub(crate) mod alignment;
pub(crate) mod cutter;
mod drift;
pub(crate) mod listing;
pub(crate) mod maker;
pub(crate) mod manifest;
pub(crate) mod mpeg_ts;
pub(crate) mod part;
mod segment;
mod timeline;
pub(crate) mod viewers;
pub(crate) mod window;

#[cfg(test)]
mod part_tests;
#[cfg(test)]
mod tests;

use std::time::Duration;

pub use crate::server::hls::cutter::Lengths;

/// Selects when streams are cut.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, Default)]
pub enum Mode {
    /// Never: HLS is disabled.
    Off,
    /// While clients request it.
    #[default]
    OnDemand,
    /// While streams are published: the first viewer starts at once.
    Always,
}

/// Settings for cutting streams.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    pub mode: Mode,
    pub lengths: Lengths,
    /// The duration of playlists.
    pub window: Duration,
}

impl Settings {
    /// Minimum and maximum duration of a part.
    pub const PART_DURATION_RANGE: (Duration, Duration) =
        (Duration::from_millis(100), Duration::from_secs(2));
    /// Minimum and maximum duration of a segment.
    pub const SEGMENT_DURATION_RANGE: (Duration, Duration) =
        (Duration::from_secs(1), Duration::from_secs(10));
    /// Minimum and maximum duration of the playlist.
    pub const WINDOW_DURATION_RANGE: (Duration, Duration) =
        (Duration::from_secs(6), Duration::from_mins(5));
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            mode: Mode::default(),
            // At the usual frame rates, the whole frames that fit into a part last at least 90 % of
            // this duration, so parts are hardly shorter than promised.
            lengths: Lengths { part: Duration::from_millis(350), segment: Duration::from_secs(2) },
            window: Duration::from_secs(20),
        }
    }
}
