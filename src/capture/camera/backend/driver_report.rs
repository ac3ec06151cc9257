//! What both readers of Video4Linux make of what a driver tells: faults and stamps.

#![allow(unsafe_code)]

use std::io;
use std::time::Duration;

use crate::capture::camera::driver::Fault;

/// A stamp older than this is a driver's mistake.
const MAX_AGE: Duration = Duration::from_secs(1);
/// Buffers that the driver fills in turn.
pub(super) const BUFFERS: u32 = 4;

/// The kinds of faults, by their error numbers.
pub(super) fn fault(doing: &str, error: &io::Error) -> Fault {
    let detail = format!("{doing}: {error}");
    match error.raw_os_error() {
        Some(libc::EBUSY) => Fault::Busy(detail),
        Some(libc::EACCES | libc::EPERM) => Fault::Refused(detail),
        Some(libc::ENODEV | libc::ENOENT | libc::ENXIO) => Fault::Absent(detail),
        _ => Fault::Other(detail),
    }
}

/// How long ago a driver's stamp was, in seconds and microseconds.
pub(super) fn age(seconds: impl TryInto<u64>, micros: impl TryInto<u32>) -> Duration {
    let taken = Duration::new(
        seconds.try_into().unwrap_or(0),
        micros.try_into().unwrap_or(0).min(999_999) * 1_000,
    );
    let age = monotonic().checked_sub(taken).filter(|age| *age < MAX_AGE);
    age.unwrap_or_default()
}

/// The clock that drivers stamp their pictures with.
fn monotonic() -> Duration {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the call fills the one `timespec`, which lives through it.
    let done = unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut now) };
    if done != 0 {
        return Duration::ZERO;
    }
    let seconds = u64::try_from(now.tv_sec).unwrap_or(0);
    Duration::new(seconds, u32::try_from(now.tv_nsec).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_told_by_their_numbers() {
        let of = |number| fault("testing", &io::Error::from_raw_os_error(number));
        assert!(matches!(of(libc::EBUSY), Fault::Busy(_)));
        assert!(matches!(of(libc::EACCES), Fault::Refused(_)));
        assert!(matches!(of(libc::ENODEV), Fault::Absent(_)));
        assert!(matches!(of(libc::EIO), Fault::Other(_)));
        assert!(matches!(fault("testing", &io::ErrorKind::TimedOut.into()), Fault::Other(_)));
        assert!(!monotonic().is_zero());
    }
}
