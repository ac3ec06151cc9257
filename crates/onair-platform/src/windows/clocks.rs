//! Reads the system's clocks.
#![allow(unsafe_code)]

use std::time::Duration;

use windows_sys::Win32::Media::timeBeginPeriod;
use windows_sys::Win32::System::SystemInformation::GetTickCount64;
use windows_sys::Win32::System::WindowsProgramming::QueryUnbiasedInterruptTime;

/// Returns `None`: only the time service knows whether the clock is synchronized.
pub fn is_synchronised() -> Option<bool> {
    None
}

/// Returns the time for which the computer has slept since its start: the difference between the
/// clocks that include and exclude sleep.
pub fn asleep() -> Option<Duration> {
    let mut ticks = 0;
    // SAFETY: the call writes one integer.
    let failed = unsafe { QueryUnbiasedInterruptTime(&raw mut ticks) } == 0;
    // A tick is 100 ns long.
    let awake = Duration::from_micros(ticks / 10);
    (!failed).then_some(uptime()?.saturating_sub(awake))
}

/// Returns the time since the computer started, including sleep.
pub fn uptime() -> Option<Duration> {
    // SAFETY: a plain call.
    Some(Duration::from_millis(unsafe { GetTickCount64() }))
}

/// Makes waits exact to a millisecond until the process ends. Without this call, they are up to 16 ms late, which is
/// longer than the mixer's interval.
pub fn wait_exactly() {
    // SAFETY: a plain call. If it fails, waits stay as they are.
    unsafe { timeBeginPeriod(1) };
}
