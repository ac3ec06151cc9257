//! Spreads datagrams over time, because the buffers of switches and decoders are small, and a
//! keyframe at the speed of the network card overflows them. This module is pure.

use std::time::Duration;

use crate::base::Timestamp;
use crate::media::BitsPerSecond;

/// The rate in relation to the bitrate of the stream, in percent. The rest of the time, the queue
/// is empty, so that pacing adds no lasting delay.
const HEADROOM_PERCENT: u64 = 125;
/// The rate if the bitrate is not known, in bits per second.
const UNKNOWN_RATE: u64 = 4_000_000;
/// The time in which the present queue is sent. Larger frames raise the rate.
const SMOOTHING_TIME: Duration = Duration::from_millis(40);
/// A sender that wakes up late makes up for at most this time.
const MAX_CATCH_UP_TIME: Duration = Duration::from_millis(5);

/// The times at which datagrams may be sent.
#[derive(Debug)]
pub(super) struct Pacer {
    /// Minimum rate in bits per second.
    rate: u64,
    /// The time at which the next datagram may be sent.
    next: Timestamp,
}

impl Pacer {
    pub fn new(bitrate: Option<BitsPerSecond>, now: Timestamp) -> Self {
        let rate = bitrate.map_or(UNKNOWN_RATE, |rate| u64::from(rate.0) * HEADROOM_PERCENT / 100);
        Self { rate: rate.max(1), next: now }
    }

    /// Returns the time at which the next datagram may be sent.
    pub fn next(&self) -> Timestamp {
        self.next
    }

    /// Records that a datagram of this size was sent, when this many bytes waited, with it.
    pub fn sent(&mut self, now: Timestamp, bytes: usize, waiting: usize) {
        let smooth = waiting as u64 * 8_000 / SMOOTHING_TIME.as_millis() as u64;
        let rate = self.rate.max(smooth).max(1);
        let takes = Duration::from_micros(bytes as u64 * 8_000_000 / rate);
        self.next = self.next.max(now - MAX_CATCH_UP_TIME) + takes;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sends this many bytes in datagrams, at the times of the pacer. Returns the times in
    /// microseconds.
    fn times(pacer: &mut Pacer, begin: Timestamp, mut waiting: usize) -> Vec<i64> {
        let (mut now, mut times) = (begin, Vec::new());
        while waiting > 0 {
            now = now.max(pacer.next());
            let bytes = waiting.min(1_316);
            pacer.sent(now, bytes, waiting);
            times.push(now.micros_since(begin));
            waiting -= bytes;
        }
        times
    }

    #[test]
    fn a_frame_is_spread_and_a_large_one_faster() {
        let begin = Timestamp::from_millis(1_000);
        let mut pacer = Pacer::new(Some(BitsPerSecond(4_000_000)), begin);
        // A usual frame of 16 kB takes 26 ms at 5 Mbit/s.
        let usual = times(&mut pacer, begin, 16_000);
        assert!((22_000..28_000).contains(usual.last().unwrap()), "{usual:?}");
        // A keyframe of 150 kB takes a few frames, and never all at once.
        let begin = begin + Duration::from_secs(1);
        let large = times(&mut pacer, begin, 150_000);
        assert!((60_000..140_000).contains(large.last().unwrap()), "{large:?}");
        let most = large.windows(2).filter(|pair| pair[1] - pair[0] < 200).count();
        assert!(most < large.len() / 4, "{large:?}");
    }

    #[test]
    fn a_late_sender_makes_up_for_a_few_milliseconds_only() {
        let begin = Timestamp::from_millis(0);
        let mut pacer = Pacer::new(Some(BitsPerSecond(8_000_000)), begin);
        pacer.sent(begin, 1_316, 1_316);
        let late = begin + Duration::from_secs(5);
        let count = times(&mut pacer, late, 13_160).iter().filter(|time| **time == 0).count();
        assert!((4..8).contains(&count), "{count}");
    }

    #[test]
    fn an_unknown_bitrate_still_sends() {
        let mut pacer = Pacer::new(None, Timestamp::ZERO);
        assert!(times(&mut pacer, Timestamp::ZERO, 10_000).len() == 8);
        let mut pacer = Pacer::new(Some(BitsPerSecond(0)), Timestamp::ZERO);
        assert!(*times(&mut pacer, Timestamp::ZERO, 10_000).last().unwrap() < 200_000_000);
    }
}
