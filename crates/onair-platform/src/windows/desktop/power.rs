//! Keeps the computer awake.
#![allow(unsafe_code)]

use windows_sys::Win32::System::Power::{
    ES_CONTINUOUS, ES_DISPLAY_REQUIRED, ES_SYSTEM_REQUIRED, SetThreadExecutionState,
};

/// Keeps the computer and its display awake while `wait` runs on this thread.
pub fn awake_during(wait: impl FnOnce()) {
    let wanted = ES_CONTINUOUS | ES_SYSTEM_REQUIRED | ES_DISPLAY_REQUIRED;
    // SAFETY: plain calls, which concern only this thread.
    if unsafe { SetThreadExecutionState(wanted) } == 0 {
        tracing::debug!("the system may sleep");
    }
    wait();
    // SAFETY: as above.
    unsafe { SetThreadExecutionState(ES_CONTINUOUS) };
}
