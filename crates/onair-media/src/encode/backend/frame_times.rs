//! The times of the frames in an encoder process. The process knows frames only by their numbers,
//! and nothing that it says about them is believed.

use std::collections::VecDeque;
use std::time::Duration;

use crate::base::Timestamp;

/// Maximum number of frames whose packets have not come. Encoders look ahead by less.
const MAX_FRAMES_IN_ENCODER: usize = 128;
/// The largest number of frames by which the first DTS is before the first frame. H.264 and HEVC
/// allow at most 16.
const MAX_REORDERING: i64 = 16;

/// Turns the numbers of frames into timestamps.
#[derive(Debug)]
pub(super) struct FrameTimes {
    /// True if packets may come in another order than their frames.
    reorders: bool,
    period: Duration,
    /// The number of the next frame.
    next: i64,
    /// Frames whose packets have not come, oldest first.
    waiting: VecDeque<(i64, Timestamp)>,
    /// Frames whose times can be the next DTS, oldest first.
    decoding: VecDeque<(i64, Timestamp)>,
    first: Option<Timestamp>,
    last_dts: Option<i64>,
}

impl FrameTimes {
    pub fn new(reorders: bool, period: Duration) -> Self {
        Self {
            reorders,
            period,
            next: 0,
            waiting: VecDeque::new(),
            decoding: VecDeque::new(),
            first: None,
            last_dts: None,
        }
    }

    /// Adds a frame, and returns its number, or `None` if too many packets have not come.
    pub fn add(&mut self, pts: Timestamp) -> Option<u64> {
        if self.waiting.len() >= MAX_FRAMES_IN_ENCODER {
            return None;
        }
        let number = self.next;
        self.next += 1;
        self.first.get_or_insert(pts);
        self.waiting.push_back((number, pts));
        if self.reorders {
            self.decoding.push_back((number, pts));
        }
        u64::try_from(number).ok()
    }

    /// Returns PTS and DTS of the packet of a frame, or `None` if there cannot be such a packet.
    pub fn take(&mut self, number: i64, dts: i64) -> Option<(Timestamp, Timestamp)> {
        let place = self.waiting.iter().position(|(its, _)| *its == number);
        // Without B-frames, each packet is that of the oldest frame.
        let place = place.filter(|place| self.reorders || *place == 0)?;
        let (_, pts) = self.waiting.remove(place)?;
        if !self.reorders {
            return Some((pts, pts));
        }
        let is_next = self.last_dts.is_none_or(|last| last < dts);
        if !is_next || dts > number || dts < -MAX_REORDERING {
            return None;
        }
        self.last_dts = Some(dts);
        if dts < 0 {
            let before = i64::try_from(self.period.as_micros()).unwrap_or(0) * dts;
            return Some((pts, self.first?.offset(before)));
        }
        while self.decoding.front().is_some_and(|(its, _)| *its < dts) {
            self.decoding.pop_front();
        }
        let (_, time) = self.decoding.pop_front().filter(|(its, _)| *its == dts)?;
        Some((pts, time))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(reorders: bool, frames: i64) -> FrameTimes {
        let mut times = FrameTimes::new(reorders, Duration::from_millis(40));
        for number in 0..frames {
            // A frame is missing after the third one.
            let millis = 1_000 + 40 * (number + i64::from(number > 2));
            assert_eq!(times.add(Timestamp::from_millis(millis)), u64::try_from(number).ok());
        }
        times
    }

    fn millis(taken: Option<(Timestamp, Timestamp)>) -> Option<(i64, i64)> {
        taken.map(|(pts, dts)| (pts.as_millis(), dts.as_millis()))
    }

    #[test]
    fn the_packets_of_b_frames_get_the_times_of_their_frames() {
        let mut times = times(true, 6);
        let taken = [(0, -2), (4, -1), (2, 0), (1, 1), (3, 2), (5, 3)].map(|(number, dts)| {
            millis(times.take(number, dts)).expect("the packet belongs to a frame")
        });
        let pts = taken.map(|it| it.0);
        assert_eq!(pts, [1_000, 1_200, 1_080, 1_040, 1_160, 1_240]);
        let dts = taken.map(|it| it.1);
        assert_eq!(dts, [920, 960, 1_000, 1_040, 1_080, 1_160]);
    }

    #[test]
    fn without_b_frames_the_order_is_that_of_the_frames_and_the_dts_is_ignored() {
        let mut times = times(false, 3);
        assert_eq!(millis(times.take(0, 99)), Some((1_000, 1_000)));
        assert_eq!(times.take(2, 2), None);
    }

    #[test]
    fn packets_that_cannot_be_are_refused() {
        // An unknown frame, the same frame again, a DTS after the PTS, one that does not increase,
        // and one that is far too early.
        assert_eq!(times(true, 2).take(2, 0), None);
        let mut again = times(true, 2);
        assert!(again.take(0, 0).is_some());
        assert_eq!(again.take(0, 1), None);
        assert_eq!(times(true, 2).take(0, 1), None);
        let mut falling = times(true, 3);
        assert!(falling.take(2, 1).is_some());
        assert_eq!(falling.take(1, 1), None);
        assert_eq!(times(true, 2).take(0, -17), None);
        assert_eq!(times(true, 2).take(0, i64::MIN), None);
        let mut full = times(true, 128);
        assert_eq!(full.add(Timestamp::ZERO), None);
    }
}
