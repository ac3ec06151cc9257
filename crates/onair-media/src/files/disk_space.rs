//! Monitors the disk of a recording: warns minutes in advance, ends the recording while the file
//! can still be finalized, and detects a slow disk. This module is pure.

use std::collections::VecDeque;
use std::time::Duration;

use crate::base::Timestamp;

/// The remaining recording times at which onair warns.
const LOW_SPACE_WARNING_TIMES: [Duration; 2] =
    [Duration::from_secs(10 * 60), Duration::from_secs(2 * 60)];
/// The time over which the write rate is measured.
const RATE_WINDOW: Duration = Duration::from_secs(30);
/// The time after the start during which the stream's bitrate is used instead of the measured rate.
const MIN_MEASURED_TIME: Duration = Duration::from_secs(8);
/// The media time that waits to be written, above which a disk is too slow.
const MAX_UNWRITTEN_DURATION: Duration = Duration::from_secs(5);
/// The media time that waits to be written, below which the disk counts as normal again.
const MAX_NORMAL_UNWRITTEN: Duration = Duration::from_secs(1);
/// Number of bytes to keep free in addition to the file's index, because other programs need some
/// space too.
const RESERVED_BYTES: u64 = 8 << 20;
/// The space in bytes that another file leaves for a running recording, which still grows and needs
/// space for its index.
const RECORDING_RESERVE_BYTES: u64 = 64 << 20;

/// A warning for the user.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Warning {
    /// At the current write rate, the disk is full after the time `left`.
    Space { left: Duration, free: u64 },
    /// Media of this duration is not written yet.
    Slow { queued: Duration },
}

/// A change of the warnings about a disk.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum DiskChange {
    Warning(Warning),
    /// The disk has space again.
    SpaceOver,
    /// The disk is fast enough again.
    SlowOver,
}

impl DiskChange {
    /// Returns the warning, or `None` if a warning is over.
    pub fn warning(self) -> Option<Warning> {
        match self {
            Self::Warning(warning) => Some(warning),
            Self::SpaceOver | Self::SlowOver => None,
        }
    }
}

/// The state of the disk at one moment.
#[derive(Copy, Clone, Debug)]
pub struct SpaceReading {
    pub now: Timestamp,
    /// Number of free bytes, if known.
    pub free: Option<u64>,
    /// Number of bytes written since the start of the recording.
    pub written: u64,
    pub queued: Duration,
    /// Number of bytes that are needed to finalize the file.
    pub index: u64,
}

/// Monitors the disk of one recording.
#[derive(Debug)]
pub struct SpaceWatch {
    /// The expected bytes per second, used before there is a measurement.
    expected: f64,
    /// The rate that was measured last.
    measured: Option<f64>,
    history: VecDeque<(Timestamp, u64)>,
    /// The number of limits in [`LOW_SPACE_WARNING_TIMES`] for which a warning was already given.
    given: usize,
    slow: bool,
}

/// Returns the number of bytes that must stay free so that a file with this index can be finalized.
pub fn reserve(index: u64) -> u64 {
    RESERVED_BYTES + index
}

/// Returns the free space that a file of this size requires, so that a running recording keeps its
/// own space.
pub fn with_recording_reserve(bytes: u64) -> u64 {
    reserve(RECORDING_RESERVE_BYTES).saturating_add(bytes)
}

impl SpaceWatch {
    /// Starts monitoring for a stream of this bitrate.
    pub fn new(bits_per_second: u64) -> Self {
        let expected = (bits_per_second as f64 / 8.0).max(1_000.0);
        Self { expected, measured: None, history: VecDeque::new(), given: 0, slow: false }
    }

    /// Returns the write rate in bytes per second: the rate before a pause until it is measured
    /// again.
    fn rate(&mut self) -> f64 {
        if let (Some((since, before)), Some((until, after))) =
            (self.history.front(), self.history.back())
            && until.since(*since) >= MIN_MEASURED_TIME
        {
            let seconds = until.since(*since).as_secs_f64();
            self.measured = Some((after.saturating_sub(*before) as f64 / seconds).max(1_000.0));
        }
        self.measured.unwrap_or(self.expected)
    }

    /// Evaluates a reading. The caller provides one every second or two.
    pub fn check(&mut self, look: &SpaceReading) -> Option<DiskChange> {
        // A paused recording writes nothing, which says nothing about its rate.
        if self.history.back().is_some_and(|(_, written)| *written == look.written) {
            self.history.clear();
        }
        self.history.push_back((look.now, look.written));
        while self.history.front().is_some_and(|(at, _)| look.now.since(*at) > RATE_WINDOW) {
            self.history.pop_front();
        }
        self.space(look).or_else(|| self.slow(look))
    }

    fn space(&mut self, look: &SpaceReading) -> Option<DiskChange> {
        let free = look.free?;
        let seconds = free.saturating_sub(reserve(look.index)) as f64 / self.rate();
        let left = Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX);
        let before = self.given;
        // Space was freed, so the earlier warning is no longer true.
        while self.given > 0
            && LOW_SPACE_WARNING_TIMES
                .get(self.given - 1)
                .is_some_and(|limit| left > *limit * 3 / 2)
        {
            self.given -= 1;
        }
        let due = LOW_SPACE_WARNING_TIMES.iter().filter(|limit| left < **limit).count();
        if due <= self.given {
            return (self.given == 0 && before > 0).then_some(DiskChange::SpaceOver);
        }
        self.given = due;
        Some(DiskChange::Warning(Warning::Space { left, free }))
    }

    fn slow(&mut self, look: &SpaceReading) -> Option<DiskChange> {
        if self.slow {
            self.slow = look.queued > MAX_NORMAL_UNWRITTEN;
            return (!self.slow).then_some(DiskChange::SlowOver);
        }
        self.slow = look.queued > MAX_UNWRITTEN_DURATION;
        self.slow.then_some(DiskChange::Warning(Warning::Slow { queued: look.queued }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    fn check(seconds: i64, free: u64, written: u64) -> SpaceReading {
        SpaceReading {
            now: Timestamp::from_millis(seconds * 1_000),
            free: Some(free),
            written,
            queued: Duration::ZERO,
            index: 0,
        }
    }

    #[test]
    fn warns_by_the_time_that_is_left_twice() {
        // 8 Mbit/s is one megabyte per second.
        let mut watch = SpaceWatch::new(8_000_000);
        let mut changed = |seconds: i64, room: u64| {
            watch.check(&check(seconds, 8 * MIB + room, seconds.unsigned_abs() * 1_000_000))
        };
        let warning = |seconds: u64| {
            let (left, free) = (Duration::from_secs(seconds), 8 * MIB + seconds * 1_000_000);
            Some(DiskChange::Warning(Warning::Space { left, free }))
        };
        assert_eq!(changed(0, 1_000_000_000), None);
        assert_eq!(changed(2, 590_000_000), warning(590));
        assert_eq!(changed(4, 500_000_000), None, "said already");
        assert_eq!(changed(6, 110_000_000), warning(110));
        assert_eq!(changed(8, 1_000_000), None);
        // The free space is around the first limit.
        assert_eq!(changed(9, 610_000_000), None, "still nearly full");
        assert_eq!(changed(10, 800_000_000), None, "still nearly full");
        // Space was freed and used up again.
        assert_eq!(changed(11, 2_000_000_000), Some(DiskChange::SpaceOver));
        assert_eq!(changed(12, 2_000_000_000), None, "said already");
        assert_eq!(changed(13, 590_000_000), warning(590));
    }

    #[test]
    fn a_pause_ends_no_warning() {
        let mut watch = SpaceWatch::new(8_000_000);
        assert_eq!(watch.check(&check(0, 8 * MIB + 1_000_000_000, 0)), None);
        let warning = watch.check(&check(2, 8 * MIB + 590_000_000, 2_000_000));
        assert!(warning.is_some());
        // The recording is paused for a minute, and then goes on.
        for second in (4..64).step_by(2) {
            let reading = check(second, 8 * MIB + 590_000_000, 2_000_000);
            assert_eq!(watch.check(&reading), None, "{second}");
        }
        assert_eq!(watch.check(&check(64, 8 * MIB + 590_000_000, 3_000_000)), None);
    }

    #[test]
    fn learns_the_rate() {
        let mut watch = SpaceWatch::new(8_000_000);
        // Twice the expected rate.
        for second in 0..20 {
            let warned =
                watch.check(&check(second, 8 * MIB + 1_100_000_000, second as u64 * 2_000_000));
            assert_eq!(warned.is_some(), second == 8, "{second}");
        }
    }

    #[test]
    fn after_a_pause_the_rate_is_the_one_before_it() {
        let mut watch = SpaceWatch::new(8_000_000);
        // An eighth of the expected rate.
        for second in 0..20 {
            let reading = check(second, 8 * MIB + 2_000_000_000, second as u64 * 125_000);
            assert_eq!(watch.check(&reading), None, "{second}");
        }
        // Other programs take space while the recording is paused. There is enough for an hour.
        let free = 8 * MIB + 500_000_000;
        for second in 20..30 {
            assert_eq!(watch.check(&check(second, free, 19 * 125_000)), None, "{second}");
        }
        assert_eq!(watch.check(&check(30, free, 20 * 125_000)), None, "it goes on");
    }

    #[test]
    fn a_slow_disk_is_reported_once_until_it_recovers() {
        let mut watch = SpaceWatch::new(8_000_000);
        let mut changed = |seconds| {
            let queued = Duration::from_secs(seconds);
            watch.check(&SpaceReading { queued, free: None, ..check(0, 0, 0) })
        };
        let slow = Some(DiskChange::Warning(Warning::Slow { queued: Duration::from_secs(6) }));
        assert_eq!(
            [1, 6, 9, 3, 6, 0, 0, 6].map(&mut changed),
            [None, slow, None, None, None, Some(DiskChange::SlowOver), None, slow]
        );
    }
}
