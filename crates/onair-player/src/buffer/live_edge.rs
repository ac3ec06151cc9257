//! The playback position in a stream that plays at a fixed distance from its end (HLS). The end is
//! known only in steps of whole segments. The target position is calculated from the fastest recent
//! delivery, and changes slowly; only a large deviation is corrected at once. With small steps (low
//! latency), playback begins at the fixed distance, and resumes there after a stall. The distance
//! grows slightly with each stall.
//!
//! This module is pure: time is an argument.

use std::collections::VecDeque;

use crate::base::Timestamp;
use crate::player::buffer::pace::LiveDistance;

/// Number of observations of the end that are kept.
const MAX_OBSERVATIONS: usize = 12;
/// Slew rate of the target position, in seconds per second. The playback speed can follow faster
/// than this.
const SLEW_RATE: f64 = 0.03;
/// A deviation larger than this multiple of the wanted distance is corrected at once.
const JUMP_FACTOR: i64 = 2;
/// Each stall adds the distance divided by this, until the distance has doubled.
const STALL_MARGIN_DIVISOR: i64 = 4;

/// See the module documentation.
#[derive(Debug)]
pub(crate) struct LiveEdge {
    distance: LiveDistance,
    /// Margin added after stalls, in microseconds.
    margin: i64,
    /// Observations (time − media time of the end), newest last.
    looks: VecDeque<i64>,
    /// Presentation time minus media time at `at`, in microseconds.
    target: Option<i64>,
    at: Timestamp,
}

impl LiveEdge {
    /// Creates the state for playback at this distance from the end.
    pub(crate) fn new(distance: LiveDistance) -> Self {
        let (looks, at) = (VecDeque::new(), Timestamp::ZERO);
        Self { distance, margin: 0, looks, target: None, at }
    }

    /// Changes the distance. A change that the user requested applies at once.
    pub(crate) fn change(&mut self, distance: LiveDistance) {
        let (was, before) = (self.distance, self.hold_back());
        if (was.least, was.at_once) != (distance.least, distance.at_once) {
            *self = Self::new(distance);
            return;
        }
        self.distance = distance;
        let further = self.hold_back().saturating_sub(before);
        self.target = self.target.map(|target| target.saturating_add(further));
    }

    pub(crate) fn distance(&self) -> LiveDistance {
        self.distance
    }

    /// Returns the distance in microseconds.
    fn hold_back(&self) -> i64 {
        i64::try_from(self.distance.hold_back.as_micros()).unwrap_or(i64::MAX)
    }

    /// Records that at `seen`, the end was at `media`.
    pub(crate) fn see(&mut self, seen: Timestamp, media: Timestamp) {
        self.looks.push_back(seen.micros_since(media));
        if self.looks.len() > MAX_OBSERVATIONS {
            self.looks.pop_front();
        }
    }

    /// Starts playback: `media` is presented at `now`, and the target moves from there.
    pub(crate) fn begin(&mut self, now: Timestamp, media: Timestamp) {
        (self.target, self.at) = (Some(now.micros_since(media)), now);
    }

    /// Resets the state for another broadcast.
    pub(crate) fn forget(&mut self) {
        (self.target, self.margin) = (None, 0);
        self.looks.clear();
    }

    /// Records a stall. The distance grows if its `at_once` is true.
    pub(crate) fn lose(&mut self) {
        self.target = None;
        if self.distance.at_once {
            let most = self.hold_back();
            self.margin = (self.margin + most / STALL_MARGIN_DIVISOR).min(most);
        }
    }

    /// Returns the presentation time minus media time, in microseconds. Before playback, returns
    /// `None` unless the end is known and the distance applies at once.
    pub(crate) fn target(&mut self, now: Timestamp) -> Option<i64> {
        let hold_back = self.hold_back().saturating_add(self.margin);
        let fastest = self.looks.iter().min();
        let wanted = fastest.map(|fastest| fastest.saturating_add(hold_back));
        let Some(target) = self.target else { return wanted.filter(|_| self.distance.at_once) };
        let Some(wanted) = wanted else { return Some(target) };
        let off = wanted.saturating_sub(target);
        let step = (now.micros_since(self.at).max(0) as f64 * SLEW_RATE) as i64;
        let next = if off.abs() > hold_back.saturating_mul(JUMP_FACTOR) {
            wanted
        } else {
            target.saturating_add(off.clamp(-step, step))
        };
        (self.target, self.at) = (Some(next), now);
        Some(next)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_millis(ms)
    }

    #[test]
    fn the_target_follows_the_live_edge_slowly_and_jumps_over_gaps() {
        let distance = LiveDistance {
            hold_back: Duration::from_secs(6),
            least: Duration::from_secs(6),
            at_once: false,
        };
        let mut edge = LiveEdge::new(distance);
        assert_eq!(edge.target(at(0)), None);
        edge.see(at(1_000), at(10_000));
        // Playback begins at once, 4 s from the end.
        edge.begin(at(1_000), at(6_000));
        assert_eq!(edge.target(at(1_000)), Some(-5_000_000));
        assert_eq!(edge.target(at(2_000)), Some(-4_970_000));
        for second in 3..200 {
            edge.target(at(second * 1_000));
        }
        assert_eq!(edge.target(at(200_000)), Some(-3_000_000));
        // One early observation shows that the previous ones were late.
        edge.see(at(201_000), at(212_000));
        let led = edge.target(at(201_000)).unwrap();
        assert!((-3_031_000..-3_000_000).contains(&led), "{led}");
        // A gap of a minute.
        for _ in 0..MAX_OBSERVATIONS {
            edge.see(at(262_000), at(213_000));
        }
        assert_eq!(edge.target(at(262_000)), Some(55_000_000));
        edge.lose();
        assert_eq!(edge.target(at(263_000)), None);
    }

    #[test]
    fn who_wants_another_buffer_is_taken_there() {
        let distance = |hold_back, least, at_once| {
            let (hold_back, least) = (Duration::from_secs(hold_back), Duration::from_secs(least));
            LiveDistance { hold_back, least, at_once }
        };
        let mut edge = LiveEdge::new(distance(6, 6, false));
        edge.see(at(1_000), at(10_000));
        edge.begin(at(1_000), at(4_000));
        assert_eq!(edge.target(at(1_000)), Some(-3_000_000));
        edge.change(distance(10, 6, false));
        assert_eq!(edge.target(at(1_000)), Some(1_000_000));
        edge.change(distance(6, 6, false));
        assert_eq!(edge.target(at(1_000)), Some(-3_000_000));
        // The server's own distance: earlier observations of the network do not count any more.
        edge.change(distance(4, 4, true));
        assert_eq!(edge.target(at(1_000)), None);
    }

    #[test]
    fn low_latency_begins_where_it_is_to_be_and_learns_from_breaks() {
        let distance = LiveDistance {
            hold_back: Duration::from_secs(1),
            least: Duration::from_secs(1),
            at_once: true,
        };
        let mut edge = LiveEdge::new(distance);
        assert_eq!(edge.target(at(0)), None);
        edge.see(at(1_000), at(10_000));
        assert_eq!(edge.target(at(1_000)), Some(-8_000_000));
        edge.begin(at(1_000), at(9_000));
        assert_eq!(edge.target(at(5_000)), Some(-8_000_000));
        for (breaks, target) in [(1, -7_750_000), (3, -7_000_000), (9, -7_000_000)] {
            (0..breaks).for_each(|_| edge.lose());
            assert_eq!(edge.target(at(6_000)), Some(target), "{breaks}");
        }
    }
}
