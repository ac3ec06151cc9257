//! Matroska stores the PTS of a frame and no DTS, and the order in the file is the decoding order.
//! This module restores the DTS, which are the sorted presentation times, shifted back by the
//! maximum reordering depth.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use crate::base::Timestamp;

/// The maximum reordering depth of decoders (H.264 Annex A).
const MAX_REORDER_DEPTH: usize = 16;

/// Returns the decoding times of frames with these presentation times, given in decoding order.
pub fn decoding_times(shown: &[Timestamp], period: Duration) -> Vec<Timestamp> {
    let mut sorted = shown.to_vec();
    sorted.sort_unstable();
    let depth = depth(shown, &sorted);
    let first = sorted.first().copied().unwrap_or_default();
    let early = (1..=depth)
        .rev()
        .map(|steps| first - period.saturating_mul(u32::try_from(steps).unwrap_or(u32::MAX)));
    let times = early.chain(sorted.iter().copied());
    times.zip(shown).map(|(time, shown)| time.min(*shown)).collect()
}

/// Returns the maximum number of frames that are decoded before a frame but shown after it.
fn depth(shown: &[Timestamp], sorted: &[Timestamp]) -> usize {
    shown
        .iter()
        .enumerate()
        .map(|(place, at)| {
            let not_later = sorted.partition_point(|other| other <= at);
            (place + 1).saturating_sub(not_later)
        })
        .max()
        .unwrap_or(0)
        .min(MAX_REORDER_DEPTH)
}

/// Works like [`decoding_times`], but for incremental reading. The depth comes from the frames read
/// so far.
#[derive(Clone, Debug, Default)]
pub struct DecodeOrder {
    depth: usize,
    /// Presentation times that become the next decoding times.
    waiting: BinaryHeap<Reverse<Timestamp>>,
    last: Option<Timestamp>,
}

impl DecodeOrder {
    /// Returns the decoding times of the next frames.
    pub fn next(&mut self, shown: &[Timestamp], period: Duration) -> Vec<Timestamp> {
        let mut sorted = shown.to_vec();
        sorted.sort_unstable();
        self.depth = self.depth.max(depth(shown, &sorted));
        let first = sorted.first().copied().unwrap_or_default();
        let decoded = shown.iter().map(|at| {
            self.waiting.push(Reverse(*at));
            let early = (self.depth + 1).saturating_sub(self.waiting.len());
            let time = match early {
                0 => self.waiting.pop().map_or(*at, |Reverse(time)| time),
                steps => first - period.saturating_mul(u32::try_from(steps).unwrap_or(u32::MAX)),
            };
            let time = self.last.map_or(time, |last| time.max(last)).min(*at);
            self.last = Some(time);
            time
        });
        decoded.collect()
    }

    /// Prepares for a jump to another position of the file.
    pub fn leave(&mut self) {
        self.waiting.clear();
        self.last = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(shown: &[i64], expected: &[i64]) {
        let shown: Vec<_> = shown.iter().map(|at| Timestamp::from_millis(*at)).collect();
        let times = decoding_times(&shown, Duration::from_millis(10));
        let times: Vec<_> = times.iter().map(|at| at.as_millis()).collect();
        assert_eq!(times, expected);
    }

    #[test]
    fn decoding_comes_before_showing_and_in_order() {
        check(&[0, 10, 20], &[0, 10, 20]);
        // I P B B P B B, with the offset of x264.
        check(&[20, 50, 30, 40, 80, 60, 70], &[10, 20, 30, 40, 50, 60, 70]);
        // A B-pyramid needs a depth of two.
        check(&[20, 60, 40, 30, 50], &[0, 10, 20, 30, 40]);
        check(&[], &[]);
    }

    #[test]
    fn bit_by_bit_the_times_are_the_same() {
        let millis = |times: &[i64]| times.iter().map(|at| Timestamp::from_millis(*at)).collect();
        let shown: Vec<_> = millis(&[20, 60, 40, 30, 50, 100, 80, 70, 90, 140, 120, 110, 130]);
        let period = Duration::from_millis(10);
        let whole = decoding_times(&shown, period);
        for first in 4..shown.len() {
            let mut order = DecodeOrder::default();
            let (one, rest) = shown.split_at(first);
            let mut times = order.next(one, period);
            for two in rest.chunks(2) {
                times.extend(order.next(two, period));
            }
            assert_eq!(times, whole, "{first}");
            // After a seek, the known depth applies again.
            order.leave();
            assert_eq!(order.next(&shown, period), whole);
        }
        // Before the depth is known, no DTS exceeds its PTS.
        let mut order = DecodeOrder::default();
        let mut times = shown.iter().flat_map(|at| order.next(&[*at], period));
        assert!(shown.iter().all(|at| times.next().unwrap() <= *at));
    }
}
