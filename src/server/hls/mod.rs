//! A stream as HLS (RFC 8216bis): cut into segments and parts in memory, while somebody asks for them.
//! `cutter`, `timeline`, `window` and `listing` are pure; `production` is the task that feeds them.

pub(in crate::server) mod cutter;
pub(in crate::server) mod listing;
mod part;
pub(in crate::server) mod production;
pub(in crate::server) mod productions;
mod segment;
mod timeline;
pub(in crate::server) mod viewers;
pub(in crate::server) mod window;

#[cfg(test)]
mod tests;

use std::time::Duration;

pub use crate::server::hls::cutter::Lengths;

/// When streams are cut.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, Default)]
pub enum Mode {
    /// Never: there is no HLS.
    Off,
    /// While somebody asks for it.
    #[default]
    OnDemand,
    /// While they are published: the first viewer begins at once.
    Always,
}

/// How streams are cut.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    pub mode: Mode,
    pub lengths: Lengths,
    /// The length of playlists.
    pub window: Duration,
}

impl Settings {
    /// The shortest and the longest part, segment and list.
    pub const PART: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(2));
    pub const SEGMENT: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(10));
    pub const WINDOW: (Duration, Duration) = (Duration::from_secs(6), Duration::from_mins(5));
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            mode: Mode::default(),
            // Whole frames at the usual frame rates, and hardly shorter than promised.
            lengths: Lengths { part: Duration::from_millis(350), segment: Duration::from_secs(2) },
            window: Duration::from_secs(20),
        }
    }
}
