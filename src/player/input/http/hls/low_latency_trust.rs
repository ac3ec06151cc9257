//! Whether a server of a low-latency list keeps its promises, and the part that was asked for early.

use bytes::Bytes;

use crate::player::input::http::hls::fetch::FetchRange;

/// A promise broken this often no longer counts, unless it was kept this often since.
const MAX_BROKEN: u32 = 3;
const FORGIVEN: u32 = 10;

/// Whether a server keeps its promises.
#[derive(Copy, Clone, Debug, Default)]
pub(super) struct Trust {
    pub broken: u32,
    kept: u32,
    lost: bool,
    /// Its delta updates are unusable.
    pub no_updates: bool,
    /// Its preload hints are wrong.
    pub no_hints: bool,
}

impl Trust {
    pub fn is_lost(self) -> bool {
        self.lost
    }

    pub fn kept(&mut self) {
        self.kept += 1;
        if self.kept >= FORGIVEN {
            (self.kept, self.broken) = (0, 0);
        }
    }

    pub fn broken(&mut self, what: &str) {
        (self.broken, self.kept) = (self.broken + 1, 0);
        tracing::debug!(what, times = self.broken, "low latency");
        if self.broken >= MAX_BROKEN && !std::mem::replace(&mut self.lost, true) {
            tracing::info!(what, "the list is followed by whole segments from here on");
        }
    }
}

/// A part that was requested in advance.
#[derive(Debug)]
pub(super) struct Early {
    pub place: FetchRange,
    pub data: Bytes,
}

impl Early {
    /// Its data, if it is the right one.
    pub fn take(early: &mut Option<Self>, place: &FetchRange) -> Option<Bytes> {
        early.take().filter(|early| early.place == *place).map(|early| early.data)
    }
}
