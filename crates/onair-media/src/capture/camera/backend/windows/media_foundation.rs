//! What both users of Media Foundation need: its faults, time limits, and the state of COM.
#![allow(unsafe_code)]

use std::time::Duration;

use windows::Win32::System::Com::CoIncrementMTAUsage;

use crate::capture::camera::driver::Fault;

/// Time limit for a list of cameras, and for opening one. Some take seconds to start.
pub(super) const ANSWER_TIMEOUT: Duration = Duration::from_secs(8);
/// Maximum number of cameras, because the lists of drivers have no end of their own.
pub(super) const MAX_CAMERAS: usize = 64;

/// Gives threads that have no state of COM one, as long as this program runs. nokhwa initializes only the first thread
/// that uses it.
pub(super) fn with_com() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    // SAFETY: a plain call. What it returns would end it.
    ONCE.call_once(|| drop(unsafe { CoIncrementMTAUsage() }));
}

/// Returns the kind of fault, according to the number that Windows includes in its message.
pub(super) fn fault(detail: &str) -> Fault {
    let has = |numbers: &[&str]| {
        let detail = detail.to_ascii_uppercase();
        numbers.iter().any(|number| detail.contains(number))
    };
    let text = detail.to_owned();
    // E_ACCESSDENIED; the settings of Windows can keep cameras from programs.
    if has(&["0X80070005"]) {
        Fault::Refused(text)
    // MF_E_HW_MFT_FAILED_START_STREAMING, MF_E_VIDEO_RECORDING_DEVICE_PREEMPTED, sharing violation.
    } else if has(&["0XC00D3704", "0XC00D3EA3", "0X80070020"]) {
        Fault::Busy(text)
    // MF_E_VIDEO_RECORDING_DEVICE_INVALIDATED, device not connected, no such device.
    } else if has(&["0XC00D3EA2", "0X8007048F", "0X80070002"]) {
        Fault::Absent(text)
    } else {
        Fault::Other(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_recognized_by_their_numbers() {
        assert!(matches!(fault("Access is denied. (0x80070005)"), Fault::Refused(_)));
        assert!(matches!(fault("HRESULT(0xC00D3704)"), Fault::Busy(_)));
        assert!(matches!(fault("unplugged (0xC00D3EA2)"), Fault::Absent(_)));
        assert!(matches!(fault("no idea"), Fault::Other(_)));
    }
}
