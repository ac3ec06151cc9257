//! The pace of new packets. A link that loses packets without a reason is used as before, because
//! the repetitions make up for the losses, and so is one on which packets overtake each other. A
//! link that also loses the repetitions is too slow, and more packets only make it worse: then new
//! packets leave no faster than the link carried them. This module is pure.

use std::time::Duration;

use crate::base::Timestamp;

/// The share of packets that repetitions could not save, in percent, above which the link is too
/// slow.
const MAX_FAILED_PERCENT: u64 = 8;
/// The time over which the loss is measured.
const WINDOW: Duration = Duration::from_millis(500);
/// A shorter stream says nothing.
const MIN_PACKETS: u64 = 20;
/// The share of what the link carried, in percent: the rest is for repetitions.
const REDUCED_PERCENT: u64 = 90;
/// The growth of the limit in a window without such a loss, in percent.
const GROWTH_PERCENT: u64 = 110;
/// The limit is over when it has grown to this multiple of what is sent.
const FREE_MULTIPLE: u64 = 2;
/// Minimum limit in bits per second.
const MIN_LIMIT: u64 = 100_000;
/// Minimum rate without a limit, in bits per second: a stream of audio needs no pacing.
const LEAST_RATE: u64 = 4_000_000;
/// The rate in relation to the bitrate of the stream, in percent. Most of the time, the queue is
/// empty, so that pacing adds no lasting delay.
const HEADROOM_PERCENT: u64 = 125;
/// The time in which a queue is sent. Larger frames raise the rate.
const SMOOTHING_TIME: Duration = Duration::from_millis(30);
/// A sender that wakes up late makes up for at most this time.
const MAX_CATCH_UP_TIME: Duration = Duration::from_millis(10);

/// The pace.
#[derive(Debug)]
pub struct Pace {
    /// The rate of an open link, in bits per second.
    rate: u64,
    /// The limit of a link that is too slow.
    limit: Option<u64>,
    next: Timestamp,
    window: Timestamp,
    packets: u64,
    bits: u64,
    losses: u64,
    /// The number of failed packets at the beginning of the window.
    failed: u64,
}

impl Pace {
    /// Creates the pace of a stream with this bitrate in bits per second, if it is known.
    pub fn new(bitrate: Option<u64>, now: Timestamp) -> Self {
        let rate = bitrate.map_or(LEAST_RATE, |rate| rate * HEADROOM_PERCENT / 100);
        let rate = rate.max(LEAST_RATE / 2);
        let (packets, bits, losses, failed) = (0, 0, 0, 0);
        Self { rate, limit: None, next: now, window: now, packets, bits, losses, failed }
    }

    /// Returns the rate of an open link in bytes per second.
    pub fn bytes_per_second(&self) -> u64 {
        self.rate / 8
    }

    /// Returns the time at which the next new packet may be sent.
    pub fn next(&self) -> Timestamp {
        self.next
    }

    /// Returns the limit, while the link is too slow.
    #[cfg(test)]
    fn limit(&self) -> Option<u64> {
        self.limit
    }

    /// Records that a new packet was sent, when this many bytes waited, with it.
    pub fn sent(&mut self, now: Timestamp, bytes: usize, waiting: usize) {
        self.packets += 1;
        self.bits += bytes as u64 * 8;
        let smooth = waiting as u64 * 8_000 / SMOOTHING_TIME.as_millis() as u64;
        let rate = self.limit.unwrap_or_else(|| self.rate.max(smooth)).max(1);
        let takes = Duration::from_micros(bytes as u64 * 8_000_000 / rate);
        self.next = self.next.max(now - MAX_CATCH_UP_TIME) + takes;
    }

    /// Records that the other side asked for packets that it had not asked for before.
    pub fn lost(&mut self, packets: u64) {
        self.losses += packets;
    }

    /// Judges the link, once for each window. `failed` is the number of packets so far that
    /// repetitions could not save.
    pub fn judge(&mut self, now: Timestamp, failed: u64) {
        let lasts = now.since(self.window);
        if lasts < WINDOW {
            return;
        }
        let sent = self.bits * 1_000_000 / u64::try_from(lasts.as_micros()).unwrap_or(1).max(1);
        let (packets, losses) = (self.packets.max(1), self.losses.min(self.packets));
        let is_slow = (failed - self.failed) * 100 > packets * MAX_FAILED_PERCENT;
        if self.packets >= MIN_PACKETS && is_slow {
            let carried = sent * (packets - losses) / packets * REDUCED_PERCENT / 100;
            self.limit = Some(carried.max(MIN_LIMIT));
        } else if let Some(limit) = self.limit {
            let grown = limit * GROWTH_PERCENT / 100;
            self.limit = Some(grown).filter(|_| grown < sent * FREE_MULTIPLE || sent == 0);
        }
        (self.window, self.packets, self.bits) = (now, 0, 0);
        (self.losses, self.failed) = (0, failed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sends 300 packets in a second, of which this share is lost. Returns the limit.
    fn second((pace, failed): (&mut Pace, &mut u64), begin: i64, lost_percent: u64) -> Option<u64> {
        for n in 0..300 {
            let now = Timestamp::from_micros(begin * 1_000_000 + n * 3_334);
            pace.sent(now, 1_316, 1_316);
            if n as u64 * lost_percent % 100 < lost_percent {
                pace.lost(1);
                // Its repetition is lost with the same share.
                *failed += u64::from(n as u64 * 7 % 100 < lost_percent);
            }
            pace.judge(now, *failed);
        }
        pace.judge(Timestamp::from_micros((begin + 1) * 1_000_000), *failed);
        pace.limit()
    }

    #[test]
    fn losses_by_chance_leave_the_pace_as_it_is_and_a_slow_link_limits_it_until_it_is_better() {
        let (mut pace, mut failed) = (Pace::new(Some(3_000_000), Timestamp::ZERO), 0);
        let mut second = |begin, lost| second((&mut pace, &mut failed), begin, lost);
        assert_eq!((0..5).find_map(|n| second(n, 8)), None);
        let limit = second(5, 40).unwrap();
        // 60 % of 3.16 Mbit/s, and a reserve.
        assert!((1_500_000..1_900_000).contains(&limit), "{limit}");
        let grown = second(6, 3).unwrap();
        assert!(grown > limit);
        assert_eq!((7..20).map(|n| second(n, 0)).last(), Some(None));
    }

    #[test]
    fn a_keyframe_is_spread_and_a_late_sender_makes_up_for_little() {
        let mut pace = Pace::new(Some(3_000_000), Timestamp::ZERO);
        let (mut waiting, mut now) = (100 * 1_316, Timestamp::ZERO);
        while waiting > 0 {
            now = now.max(pace.next());
            pace.sent(now, 1_316, waiting);
            waiting -= 1_316;
        }
        let took = now.since(Timestamp::ZERO);
        assert!((20..150).contains(&took.as_millis()), "{took:?}");
        let late = now + Duration::from_secs(5);
        let burst = (0..).take_while(|_| {
            let is_due = pace.next() <= late;
            pace.sent(late, 1_316, 0);
            is_due
        });
        assert!(burst.count() < 10);
    }
}
