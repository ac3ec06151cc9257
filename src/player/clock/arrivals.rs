//! When pictures came, for the measurement of how old they were then.

use std::collections::VecDeque;

use parking_lot::Mutex;

use crate::base::Timestamp;

/// When the newest pictures came, by their media time. Written by the feed, read when one is shown.
#[derive(Debug, Default)]
pub(in crate::player) struct Arrivals(Mutex<VecDeque<(Timestamp, Timestamp)>>);

/// The most pictures whose arrival is known: more than wait in any buffer.
const MAX_ARRIVALS: usize = 1_024;

impl Arrivals {
    /// The picture of `pts` came at `now`, whole.
    pub(in crate::player) fn note(&self, pts: Timestamp, now: Timestamp) {
        let mut known = self.0.lock();
        if known.len() >= MAX_ARRIVALS {
            known.pop_front();
        }
        known.push_back((pts, now));
    }

    /// When the picture of `pts` came.
    pub(in crate::player) fn of(&self, pts: Timestamp) -> Option<Timestamp> {
        self.0.lock().iter().rev().find(|(of, _)| *of == pts).map(|(_, came)| *came)
    }
}
