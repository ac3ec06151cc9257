//! How the system keeps its clock.
#![allow(unsafe_code)]

/// Whether the clock is kept right from outside (NTP), as the kernel is told; `None` where it does
/// not tell.
#[cfg(target_os = "linux")]
pub(in crate::studio) fn is_synchronised() -> Option<bool> {
    // SAFETY: `timex` consists of integers only, for which all zero bits are a valid value; its
    // `modes` of 0 asks and changes nothing.
    let mut told: libc::timex = unsafe { std::mem::zeroed() };
    // SAFETY: `told` is valid for the call, which writes to it only.
    let state = unsafe { libc::adjtimex(&raw mut told) };
    (state >= 0).then_some(told.status & libc::STA_UNSYNC == 0)
}

#[cfg(not(target_os = "linux"))]
pub(in crate::studio) fn is_synchronised() -> Option<bool> {
    None
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    #[test]
    fn the_kernel_tells_without_privileges() {
        assert!(super::is_synchronised().is_some());
    }
}
