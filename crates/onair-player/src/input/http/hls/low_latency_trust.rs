//! Trust in the promises of a low-latency server, and the part that was requested in advance.

use bytes::Bytes;

use crate::player::input::http::hls::fetch::FetchRange;

/// Number of broken promises after which low latency is off.
const MAX_BROKEN_PROMISES: u32 = 3;
/// Number of consecutive kept promises that cancel the broken ones.
const MIN_KEPT_PROMISES: u32 = 10;

/// The promises of a server that still count.
#[derive(Copy, Clone, Debug, Default)]
pub(super) struct Trust {
    pub broken: u32,
    kept: u32,
    lost: bool,
    /// True if the server's delta updates are unusable.
    pub no_updates: bool,
    /// True if the server's preload hints are wrong.
    pub no_hints: bool,
}

impl Trust {
    pub fn is_lost(self) -> bool {
        self.lost
    }

    pub fn kept(&mut self) {
        self.kept += 1;
        if self.kept >= MIN_KEPT_PROMISES {
            (self.kept, self.broken) = (0, 0);
        }
    }

    pub fn broken(&mut self, what: &str) {
        (self.broken, self.kept) = (self.broken + 1, 0);
        tracing::debug!(what, times = self.broken, "low latency");
        if self.broken >= MAX_BROKEN_PROMISES && !std::mem::replace(&mut self.lost, true) {
            tracing::info!(what, "low latency turned off: loading whole segments");
        }
    }
}

/// A part that was requested in advance.
#[derive(Debug)]
pub(super) struct PrefetchedPart {
    pub place: FetchRange,
    pub data: Bytes,
}

impl PrefetchedPart {
    /// Takes the data of the part at `place`, if that part was requested in advance.
    pub fn take(early: &mut Option<Self>, place: &FetchRange) -> Option<Bytes> {
        early.take().filter(|early| early.place == *place).map(|early| early.data)
    }
}
