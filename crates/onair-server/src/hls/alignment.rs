//! Aligns the segments of a rendition with those of the stream itself, so that players can change between
//! them at any segment (RFC 8216bis §6.2.4). This module is pure.

use std::collections::VecDeque;
use std::time::Duration;

use crate::base::Timestamp;
use crate::server::hls::part::SegmentStart;

/// Maximum number of segments that are remembered.
const MAX_SEGMENT_STARTS: usize = 64;
/// A rendition begins with a segment if its first packet is at most this late.
const MAX_START_DELAY: Duration = Duration::from_millis(100);

/// The segments of the stream itself that the rendition has not reached.
#[derive(Debug, Default)]
pub(crate) struct Alignment {
    starts: VecDeque<SegmentStart>,
    /// The last segment that began.
    last: Option<u64>,
}

impl Alignment {
    /// Creates an alignment for the segments after the one with this number.
    pub fn after(last: Option<u64>) -> Self {
        Self { starts: VecDeque::new(), last }
    }

    /// Adds new segments, and updates those that are still waiting. Earlier segments are ignored.
    pub fn add(&mut self, starts: &[SegmentStart]) {
        for start in starts {
            let newest = self.starts.back().map(|it| it.number).max(self.last);
            if newest.is_none_or(|newest| start.number > newest) {
                self.starts.push_back(*start);
            } else if let Some(known) = self.starts.iter_mut().find(|it| it.number == start.number)
            {
                // The segment was empty, and began again.
                *known = *start;
            }
        }
        let excess = self.starts.len().saturating_sub(MAX_SEGMENT_STARTS);
        self.starts.drain(..excess);
    }

    /// Returns the segment that begins with a packet at this time, if there is one.
    pub fn due(&mut self, at: Timestamp) -> Option<SegmentStart> {
        let mut due = None;
        while let Some(start) = self.starts.front().filter(|start| start.shown <= at) {
            due = Some(*start);
            self.last = Some(start.number);
            self.starts.pop_front();
        }
        due
    }

    /// Returns the first segment that begins with one of these packets, with the time of the
    /// packet.
    pub fn begin(
        &mut self,
        packets: impl Iterator<Item = Timestamp>,
    ) -> Option<(Timestamp, SegmentStart)> {
        for at in packets {
            let mut starts = self.starts.iter();
            let begins = |start: &&SegmentStart| {
                start.shown <= at && at.since(start.shown) <= MAX_START_DELAY
            };
            if let Some(found) = starts.find(begins).copied() {
                // Earlier segments can no longer begin.
                self.starts.retain(|start| start.number > found.number);
                self.last = Some(found.number);
                return Some((at, found));
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn start(number: u64, ms: i64) -> SegmentStart {
        let shown = Timestamp::from_millis(ms);
        SegmentStart { number, shown, made: 0, discontinuity: false, discontinuities: 0 }
    }

    #[test]
    fn segments_begin_once_each_and_where_those_of_the_stream_do() {
        let ms = Timestamp::from_millis;
        let mut alignment = Alignment::default();
        alignment.add(&[start(1, 0), start(2, 2_000)]);
        // These are the packets of a rendition that begins late.
        assert_eq!(alignment.begin([ms(1_000), ms(1_033)].into_iter()), None);
        let begun = alignment.begin([ms(1_990), ms(2_023)].into_iter());
        assert_eq!(begun, Some((ms(2_023), start(2, 2_000))));
        alignment.add(&[start(1, 0), start(2, 2_000), start(3, 4_000)]);
        assert_eq!(alignment.due(ms(3_999)), None);
        assert_eq!(alignment.due(ms(4_000)), Some(start(3, 4_000)));
        assert_eq!(alignment.due(ms(4_000)), None);
        // If two segments are due at the same packet, only the last one begins.
        alignment.add(&[start(4, 6_000), start(5, 8_000)]);
        alignment.add(&[start(5, 8_100)]);
        assert_eq!(alignment.due(ms(9_000)), Some(start(5, 8_100)));
        let many: Vec<_> = (6..1_000).map(|it| start(it, 0)).collect();
        alignment.add(&many);
        assert_eq!(alignment.starts.len(), MAX_SEGMENT_STARTS);
    }
}
