//! Reads the state of the system's clocks.
#![allow(unsafe_code)]

use std::time::Duration;

/// Returns true if the kernel says that the clock is synchronized (NTP), or `None` if the kernel
/// does not know.
pub fn is_synchronised() -> Option<bool> {
    // SAFETY: `timex` consists only of integers, for which all zero bits are a valid value; with
    // its `modes` of 0, the call only reads.
    let mut reading: libc::timex = unsafe { std::mem::zeroed() };
    // SAFETY: `reading` is valid for the call, which writes only to it.
    let state = unsafe { libc::adjtimex(&raw mut reading) };
    (state >= 0).then_some(reading.status & libc::STA_UNSYNC == 0)
}

/// Returns the time for which the computer has slept since its start: the difference between the
/// clocks that include and exclude sleep.
pub fn asleep() -> Option<Duration> {
    let standing = read(libc::CLOCK_MONOTONIC)?;
    Some(uptime()?.saturating_sub(standing))
}

/// Returns the time since the computer started, including sleep.
pub fn uptime() -> Option<Duration> {
    read(libc::CLOCK_BOOTTIME)
}

fn read(clock: libc::clockid_t) -> Option<Duration> {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is valid for the call, which writes only to it.
    let failed = unsafe { libc::clock_gettime(clock, &raw mut time) } != 0;
    let seconds = u64::try_from(time.tv_sec).ok().filter(|_| !failed)?;
    Some(Duration::new(seconds, u32::try_from(time.tv_nsec).ok()?))
}

/// Does nothing: waits are exact to less than a millisecond.
pub fn wait_exactly() {}

#[cfg(test)]
mod tests {
    #[test]
    fn the_kernel_tells_without_privileges() {
        assert!(super::is_synchronised().is_some());
    }
}
