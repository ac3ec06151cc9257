//! The state of one connection's link: the data that the server has accepted, the time since the
//! server last accepted data, the rate, and the backlog. This module is pure.

use std::collections::VecDeque;
use std::time::Duration;

use crate::base::Timestamp;
use crate::broadcast::protocol::link::LinkReading;

/// The link is down if there is a backlog, and the server has accepted nothing for this long. A
/// lost packet would have been sent again several times by then.
pub(super) const LINK_DOWN_AFTER: Duration = Duration::from_millis(1_250);
/// After this time without progress, the link is interrupted, not slow.
const INTERRUPTED_AFTER: Duration = Duration::from_millis(500);
/// An interruption is over, and a new connection has sent its first packets, when the backlog is
/// shorter than this.
const CAUGHT_UP_BACKLOG: Duration = Duration::from_millis(200);
/// Minimum time of a catch-up, because the first readings of a connection see no backlog yet.
const MIN_CATCH_UP: Duration = Duration::from_millis(500);
/// A catch-up that takes longer than this shows that the link is slow.
const MAX_CATCH_UP: Duration = Duration::from_secs(5);
/// The first packets of a connection, which wait since the last keyframe, take no longer than this.
const MAX_FIRST_BURST: Duration = Duration::from_secs(2);
/// A reading that comes this late was delayed by this computer.
const LATE_READING: Duration = Duration::from_millis(400);
/// The packets that waited for a late reading are sent within this time.
const LATENESS_LASTS: Duration = Duration::from_millis(1_500);
/// Minimum time over which a bitrate is measured for the user.
const MIN_MEASURED: Duration = Duration::from_secs(1);
/// A shorter time measures the system's buffers.
const MIN_RATE_MICROS: u64 = 200_000;
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
    /// The time at which the present catch-up began, and its limit, if there is one.
    catch_up: Option<(Timestamp, Duration)>,
    /// The last time at which this computer was late, although the server had accepted everything.
    late: Option<Timestamp>,
    /// The readings since the last catch-up, and the last bitrate over at least a second.
    measured: VecDeque<(Timestamp, u64)>,
    figure: u64,
    marks: VecDeque<SentMark>,
}

impl LinkState {
    pub fn new(now: Timestamp, written: u64) -> Self {
        Self {
            accepted: 0,
            progress: now,
            looked: now,
            window: vec![(now, written)],
            catch_up: Some((now, MAX_FIRST_BURST)),
            late: None,
            measured: VecDeque::new(),
            figure: 0,
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
        if now.since(self.looked) >= LATE_READING && seen.unaccepted == 0 {
            self.late = Some(now);
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

    /// Follows an interruption and the catch-up after it. `waiting` is the duration of the backlog.
    pub fn follow_interruption(&mut self, now: Timestamp, waiting: Duration) {
        if self.silent(now) >= INTERRUPTED_AFTER {
            self.catch_up = Some((now, MAX_CATCH_UP));
        }
        self.catch_up = self.catch_up.filter(|(since, limit)| {
            let lasts = now.since(*since);
            lasts < *limit && (lasts < MIN_CATCH_UP || waiting >= CAUGHT_UP_BACKLOG)
        });
    }

    /// Returns true while an interruption lasts or is caught up with.
    pub fn is_interrupted(&self, now: Timestamp) -> bool {
        self.catch_up.is_some() || self.silent(now) >= INTERRUPTED_AFTER
    }

    /// Returns true while this computer is too busy to send in time.
    pub fn is_late(&self, now: Timestamp) -> bool {
        self.late.is_some_and(|at| now.since(at) < LATENESS_LASTS)
    }

    /// Returns the bitrate for the user, over at least a second without an interruption or a
    /// catch-up. Until a second is over, this is the last such bitrate.
    pub fn figure(&mut self, now: Timestamp, written: u64) -> u64 {
        if self.is_interrupted(now) {
            self.measured.clear();
            return self.figure;
        }
        self.measured.push_back((now, written));
        while self.measured.get(1).is_some_and(|(at, _)| now.since(*at) >= MIN_MEASURED) {
            self.measured.pop_front();
        }
        if let Some((since, before)) = self.measured.front()
            && now.since(*since) >= MIN_MEASURED
        {
            self.figure = rate(now.since(*since), written.saturating_sub(*before));
        }
        self.figure
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
            ..MIN_RATE_MICROS => 0,
            micros => written.saturating_sub(*before).saturating_mul(8_000_000) / micros,
        }
    }
}

/// Returns the bits per second of these bytes.
fn rate(time: Duration, bytes: u64) -> u64 {
    let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX).max(1);
    bytes.saturating_mul(8_000_000) / micros
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

    /// A link of which each reading comes after `step` ms, and takes `bytes` more.
    struct Read {
        link: LinkState,
        now: i64,
        written: u64,
    }

    impl Read {
        fn on(&mut self, step: i64, bytes: u64, unaccepted: u64, behind: u64) -> u64 {
            self.now += step;
            self.written += bytes;
            self.link.update(at(self.now), waiting(self.written, unaccepted));
            self.link.follow_interruption(at(self.now), Duration::from_millis(behind));
            self.link.figure(at(self.now), self.written)
        }
    }

    #[test]
    fn a_figure_is_measured_over_a_second_and_never_from_a_catch_up() {
        let mut read = Read { link: LinkState::new(at(0), 0), now: 0, written: 0 };
        // A new connection sends two seconds at once.
        let burst = [read.on(1, 400_000, 0, 0), read.on(249, 100_000, 50_000, 900)];
        assert_eq!(burst, [0, 0]);
        let steady: Vec<u64> = (0..8).map(|_| read.on(250, 25_000, 0, 0)).collect();
        assert_eq!((steady[2], steady[7]), (0, 800_000), "{steady:?}");
        // Nothing is accepted for two seconds; then everything is, at once.
        let stalled: Vec<u64> = (0..8).map(|_| read.on(250, 0, 25_000, 500)).collect();
        assert!(stalled.iter().all(|figure| (600_000..=800_000).contains(figure)), "{stalled:?}");
        assert!(read.link.is_interrupted(at(read.now)));
        assert_eq!(Some(&read.on(250, 900_000, 10_000, 1_500)), stalled.last());
        let after: Vec<u64> = (0..12).map(|_| read.on(250, 25_000, 0, 0)).collect();
        assert!(after.iter().all(|figure| *figure <= 800_000), "{after:?}");
        assert_eq!(after.last(), Some(&800_000));
        assert!(!read.link.is_interrupted(at(read.now)));
    }

    #[test]
    fn a_catch_up_that_does_not_end_is_a_slow_link() {
        let mut read = Read { link: LinkState::new(at(0), 0), now: 0, written: 0 };
        for (stalled, readings) in [(false, 7), (true, 19)] {
            (0..if stalled { 4 } else { 0 }).for_each(|_| _ = read.on(250, 0, 20_000, 900));
            for _ in 0..readings {
                read.on(250, 25_000, 20_000, 900);
                assert!(read.link.is_interrupted(at(read.now)));
            }
            (0..2).for_each(|_| _ = read.on(250, 25_000, 20_000, 900));
            assert!(!read.link.is_interrupted(at(read.now)), "{stalled}");
        }
    }

    #[test]
    fn a_late_reading_is_this_computers_only_if_the_server_has_everything() {
        let mut read = Read { link: LinkState::new(at(0), 0), now: 0, written: 0 };
        read.on(250, 25_000, 0, 0);
        assert!(!read.link.is_late(at(read.now)));
        read.on(700, 25_000, 20_000, 600);
        assert!(!read.link.is_late(at(read.now)), "the server has not accepted everything");
        read.on(700, 25_000, 0, 600);
        assert!(read.link.is_late(at(read.now)));
        (0..6).for_each(|_| _ = read.on(250, 25_000, 0, 0));
        assert!(!read.link.is_late(at(read.now)));
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
