//! The state of one connection's link: the data that the server has accepted, the time since the
//! server last accepted data, the rate, and the backlog. This module is pure.

use std::collections::VecDeque;
use std::time::Duration;

use crate::base::Timestamp;
use crate::broadcast::protocol::link::LinkReading;

/// The link is down if there is a backlog, and the server has accepted nothing for this long. A
/// lost packet would have been sent again several times by then.
pub(super) const LINK_DOWN_AFTER: Duration = Duration::from_millis(1_250);
/// The number of readings in the window over which the bitrate is measured.
const WINDOW_READINGS: usize = 4;
/// The number of readings in the shorter window, which shows early that a link becomes slower.
const SHORT_WINDOW_READINGS: usize = 2;
/// Maximum number of packets in transit whose times are stored. Further packets are merged with the
/// last one.
const MAX_PACKETS_IN_TRANSIT: usize = 4_096;

/// The flow of data to a connected server.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Flow {
    /// Data is flowing.
    Through,
    /// No data is flowing, because the server or the network stalls.
    Silent,
    /// No data is flowing, because this computer has no network connection to the server.
    NoNetwork,
}

/// A packet that was passed to the connection.
#[derive(Copy, Clone, Debug)]
struct SentMark {
    /// The number of bytes of the connection up to the end of the packet.
    end: u64,
    dts: Timestamp,
}

/// The state of the link at the last reading.
#[derive(Debug)]
pub(super) struct LinkState {
    accepted: u64,
    /// The last time at which the server accepted data, or at which no data was pending.
    progress: Timestamp,
    looked: Timestamp,
    /// The bytes written at the last readings, oldest first.
    window: Vec<(Timestamp, u64)>,
    marks: VecDeque<SentMark>,
}

impl LinkState {
    pub fn new(now: Timestamp, written: u64) -> Self {
        Self {
            accepted: 0,
            progress: now,
            looked: now,
            window: vec![(now, written)],
            marks: VecDeque::new(),
        }
    }

    /// Records that a packet was passed to the connection. The packet's bytes end at `end`.
    pub fn sent(&mut self, end: u64, dts: Timestamp) {
        if self.marks.len() >= MAX_PACKETS_IN_TRANSIT {
            self.marks.pop_back();
        }
        self.marks.push_back(SentMark { end, dts });
    }

    /// Takes a new reading.
    pub fn update(&mut self, now: Timestamp, seen: LinkReading) {
        let accepted = seen.written.saturating_sub(seen.unaccepted);
        if seen.unaccepted == 0 && seen.queued == 0 {
            self.progress = now;
        } else if accepted > self.accepted {
            // The progress happened after the last reading, so its age is at most the time since
            // that reading.
            let ago = seen.since_ack.unwrap_or_default().min(now.since(self.looked));
            self.progress = now - ago;
        }
        self.accepted = self.accepted.max(accepted);
        self.looked = now;
        while self.marks.front().is_some_and(|mark| mark.end <= self.accepted) {
            self.marks.pop_front();
        }
    }

    /// Returns the last time at which the server accepted data, or at which no data was pending.
    pub fn progress(&self) -> Timestamp {
        self.progress
    }

    /// Returns the time for which the server has accepted none of the pending data.
    pub fn silent(&self, now: Timestamp) -> Duration {
        now.since(self.progress)
    }

    /// Returns the duration of the backlog by timestamps, from the oldest packet that the server
    /// has not accepted to the newest one. `last` is the newest packet in the connection. `behind`
    /// is the oldest and the newest packet in the queue.
    pub fn waiting(
        &self,
        last: Option<Timestamp>,
        behind: Option<(Timestamp, Timestamp)>,
    ) -> Duration {
        let on_the_way = self.marks.iter().map(|mark| mark.dts).min();
        let oldest = on_the_way.into_iter().chain(behind.map(|(oldest, _)| oldest)).min();
        let newest = behind.map(|(_, newest)| newest).max(last);
        match (oldest, newest) {
            (Some(oldest), Some(newest)) => newest.since(oldest),
            _ => Duration::ZERO,
        }
    }

    /// Returns the rate over the window that ends now, in bits per second.
    pub fn rate(&mut self, now: Timestamp, written: u64) -> u64 {
        self.window.push((now, written));
        if self.window.len() > WINDOW_READINGS + 1 {
            self.window.remove(0);
        }
        self.rate_over(WINDOW_READINGS)
    }

    /// Returns the rate over the last half second, in bits per second.
    pub fn rate_lately(&self) -> u64 {
        self.rate_over(SHORT_WINDOW_READINGS)
    }

    /// Returns true if the measured time is long enough.
    pub fn is_measured(&self) -> bool {
        self.window.len() > SHORT_WINDOW_READINGS
    }

    fn rate_over(&self, looks: usize) -> u64 {
        let Some((now, written)) = self.window.last() else { return 0 };
        let from = self.window.len().saturating_sub(looks + 1);
        let Some((since, before)) = self.window.get(from) else { return 0 };
        let micros = u64::try_from(now.micros_since(*since)).unwrap_or(0);
        match micros {
            0 => 0,
            micros => written.saturating_sub(*before).saturating_mul(8_000_000) / micros,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE_INTERVAL: Duration = Duration::from_millis(250);

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    fn waiting(written: u64, unaccepted: u64) -> LinkReading {
        LinkReading { written, unaccepted, queued: 0, since_ack: None }
    }

    #[test]
    fn silence_counts_from_the_last_byte_that_the_server_accepted() {
        let mut link = LinkState::new(at(0), 0);
        link.update(at(250), waiting(10_000, 4_000));
        // The server accepted data 180 ms before this reading, and nothing since.
        let since_ack = Some(Duration::from_millis(180));
        link.update(at(500), LinkReading { since_ack, ..waiting(20_000, 9_000) });
        assert_eq!(link.progress(), at(320));
        for look in 3..40 {
            // The system accepts more data, and its probes are always answered.
            let since_ack = Some(Duration::ZERO);
            let unaccepted = 9_000 + 1_000 * look;
            link.update(
                at(250 * look as i64),
                LinkReading { since_ack, ..waiting(20_000 + 1_000 * look, unaccepted) },
            );
        }
        assert_eq!(link.progress(), at(320));
        assert_eq!(link.silent(at(8_420)), Duration::from_millis(8_100));
        // A reply from before the previous reading cannot belong to the data after that reading.
        let since_ack = Some(Duration::from_secs(9));
        link.update(at(10_000), LinkReading { since_ack, ..waiting(60_000, 100) });
        assert_eq!(link.progress(), at(9_750));
        // If nothing is pending, the link is not silent.
        link.update(at(30_000), waiting(60_000, 0));
        assert_eq!(link.silent(at(30_000)), Duration::ZERO);
    }

    #[test]
    fn what_waits_is_measured_by_its_timestamps_whatever_the_pace() {
        let mut link = LinkState::new(at(0), 0);
        let (mut worst, mut written) = (Duration::ZERO, 0);
        let mut last = None;
        // Thirty frames per second of 10 kB each; the server accepts nothing from 2 s to 5 s.
        for frame in 0..240_i64 {
            let dts = at(frame * 1_000 / 30);
            written += 10_000;
            link.sent(written, dts);
            last = Some(dts);
            if frame % 8 != 7 {
                continue;
            }
            let stuck = dts >= at(2_000) && dts < at(5_000);
            // When the server continues, it accepts the waiting data within a second.
            let accepted = match dts {
                _ if stuck => 600_000,
                dts if dts >= at(5_000) && dts < at(6_000) => 900_000,
                _ => written,
            };
            link.rate(dts, accepted);
            link.update(dts, waiting(written, written - accepted));
            let waits = link.waiting(last, None);
            worst = worst.max(waits);
            if stuck {
                let since = dts.since(at(2_000));
                assert!(
                    waits + SAMPLE_INTERVAL >= since && waits <= since + SAMPLE_INTERVAL,
                    "{waits:?} at {dts:?}"
                );
            }
        }
        assert!(worst < Duration::from_millis(3_300), "{worst:?}");
        assert_eq!(link.waiting(last, None), Duration::ZERO);
    }

    #[test]
    fn what_waits_behind_the_connection_counts_with_it() {
        let mut link = LinkState::new(at(0), 0);
        link.sent(100, at(1_000));
        // Audio that was sent ahead of the preceding frames.
        link.sent(120, at(1_900));
        let behind = Some((at(1_040), at(2_500)));
        assert_eq!(link.waiting(Some(at(1_900)), behind), Duration::from_millis(1_500));
        link.update(at(3_000), waiting(120, 0));
        assert_eq!(link.waiting(Some(at(1_900)), behind), Duration::from_millis(1_460));
        assert_eq!(link.waiting(Some(at(2_500)), None), Duration::ZERO);
        // However many packets are in transit, the oldest one is known, and memory is bounded.
        (0..10_000).for_each(|n| link.sent(200 + n, at(3_000 + n as i64)));
        assert_eq!(link.marks.len(), MAX_PACKETS_IN_TRANSIT);
        assert_eq!(link.waiting(Some(at(12_999)), None), Duration::from_millis(9_999));
    }

    #[test]
    fn the_bitrate_is_that_of_the_last_second() {
        let mut link = LinkState::new(at(0), 0);
        for look in 1..=8_u64 {
            link.rate(at(250 * look as i64), 50_000 * look);
        }
        assert_eq!((link.rate(at(2_250), 400_000), link.rate_lately()), (1_200_000, 800_000));
    }
}
