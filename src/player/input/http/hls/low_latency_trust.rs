//! Whether a server of a low-latency list keeps its promises, and the part that was asked for early.

use bytes::Bytes;

use crate::player::input::http::hls::fetch::FetchRange;

/// A promise that was broken so often is none, unless it has been kept so often since then.
const MAX_BROKEN: u32 = 3;
const FORGIVEN: u32 = 10;

/// Whether a server keeps what it promises.
#[derive(Copy, Clone, Debug, Default)]
pub(super) struct Trust {
    pub broken: u32,
    kept: u32,
    lost: bool,
    /// What it leaves from updates is not known here.
    pub no_updates: bool,
    /// What it tells to come next does not.
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

/// A part that was asked for before it was told.
#[derive(Debug)]
pub(super) struct Early {
    pub place: FetchRange,
    pub data: Bytes,
}

impl Early {
    /// What came, if it is what is there.
    pub fn take(early: &mut Option<Self>, place: &FetchRange) -> Option<Bytes> {
        early.take().filter(|early| early.place == *place).map(|early| early.data)
    }
}
