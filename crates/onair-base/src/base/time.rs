//! The session clock. One monotonic clock timestamps every frame and sample at capture; no later
//! stage changes the timestamps. Rooms below floor 3 never read a clock: they take a [`Timestamp`].

use std::fmt;
use std::ops::{Add, AddAssign, Sub};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// An instant on the session clock, in microseconds since the clock was started. The timestamp can
/// be negative, because an encoder's priming precedes the first sample.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The start of the clock.
    pub const ZERO: Self = Self(0);
    /// A timestamp that is later than any that occurs.
    pub const MAX: Self = Self(i64::MAX);

    /// Converts microseconds since the start of the clock.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Converts milliseconds since the start of the clock.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis.saturating_mul(1_000))
    }

    /// Returns the time in microseconds since the start of the clock.
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// Returns the time in milliseconds since the start of the clock, rounded down (also below
    /// zero). If two timestamps differ by whole milliseconds, their results differ by the same
    /// number.
    pub const fn as_millis(self) -> i64 {
        self.0.div_euclid(1_000)
    }

    /// Returns the time in seconds since the start of the clock.
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / 1e6
    }

    /// Returns `self - earlier` in microseconds. The result is negative if `earlier` is later.
    pub const fn micros_since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// Returns `self - earlier`, or zero if `earlier` is later.
    pub const fn since(self, earlier: Self) -> Duration {
        let micros = self.micros_since(earlier);
        if micros > 0 { Duration::from_micros(micros.unsigned_abs()) } else { Duration::ZERO }
    }

    /// Returns `self` moved by a signed number of microseconds.
    pub const fn offset(self, micros: i64) -> Self {
        Self(self.0.saturating_add(micros))
    }
}

impl Add<Duration> for Timestamp {
    type Output = Self;

    fn add(self, rhs: Duration) -> Self {
        self.offset(i64::try_from(rhs.as_micros()).unwrap_or(i64::MAX))
    }
}

impl AddAssign<Duration> for Timestamp {
    fn add_assign(&mut self, rhs: Duration) {
        *self = *self + rhs;
    }
}

impl Sub<Duration> for Timestamp {
    type Output = Self;

    fn sub(self, rhs: Duration) -> Self {
        self.offset(i64::try_from(rhs.as_micros()).map_or(i64::MIN, |micros| -micros))
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.6}s", self.as_secs_f64())
    }
}

/// The monotonic clock of one run, with the wall clock read once at its start. A clock is cheap to
/// copy, and all copies show the same time.
#[derive(Copy, Clone, Debug)]
pub struct Clock {
    origin: Instant,
    wall_origin_micros: i64,
}

impl Clock {
    /// Starts the clock: the current time becomes [`Timestamp::ZERO`]. This function is called once
    /// per process (`main.rs`) and in tests.
    #[must_use]
    pub fn start() -> Self {
        Self { origin: Instant::now(), wall_origin_micros: Self::system_micros() }
    }

    /// Returns the current time of the system's clock in microseconds since the Unix epoch. It
    /// differs from [`Clock::wall_micros`] after the system's clock was set, or the computer was
    /// suspended.
    #[must_use]
    pub fn system_micros() -> i64 {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(wall.as_micros()).unwrap_or(i64::MAX)
    }

    /// Starts the clock as if the system's clock had shown this time, in microseconds since the
    /// Unix epoch.
    #[cfg(any(test, feature = "test-support"))]
    pub fn start_at(wall_origin_micros: i64) -> Self {
        Self { origin: Instant::now(), wall_origin_micros }
    }

    /// Returns the current time on this clock.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.at(Instant::now())
    }

    /// Converts an instant to a timestamp of this clock.
    #[must_use]
    pub fn at(&self, instant: Instant) -> Timestamp {
        match instant.checked_duration_since(self.origin) {
            Some(after) => Timestamp::ZERO + after,
            None => Timestamp::ZERO - self.origin.duration_since(instant),
        }
    }

    /// Converts a timestamp of this clock to an instant. A negative timestamp gives the start of
    /// the clock.
    #[must_use]
    pub fn instant(&self, at: Timestamp) -> Instant {
        self.origin + at.since(Timestamp::ZERO)
    }

    /// Returns the wall-clock time at the timestamp in microseconds since the Unix epoch. The time
    /// is the wall clock as read once at the start, plus the elapsed monotonic time. Later changes
    /// of the system's clock have no effect.
    #[must_use]
    pub fn wall_micros(&self, at: Timestamp) -> i64 {
        self.wall_origin_micros.saturating_add(at.as_micros())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arithmetic_is_signed_and_saturates() {
        let second = Timestamp::from_millis(1_000);
        assert_eq!((second - Duration::from_millis(1_500)).as_millis(), -500);
        assert_eq!(Timestamp::from_micros(-1).as_millis(), -1);
        assert_eq!(second.since(Timestamp::from_millis(2_000)), Duration::ZERO);
        assert_eq!(second.micros_since(Timestamp::from_millis(2_000)), -1_000_000);
        assert_eq!(Timestamp::MAX + Duration::MAX, Timestamp::MAX);
    }

    #[test]
    fn copies_tell_the_same_time_and_instants_convert_back() {
        let clock = Clock::start();
        let copy = clock;
        let at = clock.now();
        assert!(copy.now() >= at);
        let micros = clock.at(clock.instant(at)).micros_since(at);
        assert!(micros.abs() <= 1, "{micros}");
    }
}
