//! Messages to the windows of a thread.
#![allow(unsafe_code)]

use std::ptr;

use windows_sys::Win32::UI::WindowsAndMessaging::{
    DispatchMessageW, MSG, MsgWaitForMultipleObjects, PM_REMOVE, PeekMessageW, QS_ALLINPUT,
};

/// Waits until the windows of this thread have a message, or for this time. Then passes each waiting message to `take`,
/// and to its window.
pub fn wait(timeout_millis: u32, mut take: impl FnMut(&MSG)) {
    let mut message = MSG::default();
    // SAFETY: plain calls; the second one writes one structure.
    unsafe {
        MsgWaitForMultipleObjects(0, ptr::null(), 0, timeout_millis, QS_ALLINPUT);
        while PeekMessageW(&raw mut message, ptr::null_mut(), 0, 0, PM_REMOVE) != 0 {
            take(&message);
            DispatchMessageW(&raw const message);
        }
    }
}

#[cfg(test)]
mod tests {
    use windows_sys::Win32::UI::WindowsAndMessaging::{PostThreadMessageW, WM_APP};

    use super::*;

    #[test]
    fn each_waiting_message_is_passed_on_once() {
        let mut seen = Vec::new();
        // The first call gives this thread its queue.
        wait(0, |_| {});
        // SAFETY: plain calls.
        unsafe {
            let thread = windows_sys::Win32::System::Threading::GetCurrentThreadId();
            assert_ne!(PostThreadMessageW(thread, WM_APP + 7, 1, 2), 0);
        }
        for _ in 0..2 {
            wait(0, |message| seen.push((message.message, message.wParam, message.lParam)));
        }
        seen.retain(|(message, ..)| *message == WM_APP + 7);
        assert_eq!(seen, [(WM_APP + 7, 1, 2)]);
    }
}
