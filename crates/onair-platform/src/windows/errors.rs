//! Recognizes errors of the system that have no kind of their own in the standard library.

use std::io;

use windows_sys::Win32::Foundation::{
    ERROR_BAD_UNIT, ERROR_CRC, ERROR_DEV_NOT_EXIST, ERROR_DEVICE_NOT_CONNECTED, ERROR_GEN_FAILURE,
    ERROR_IO_DEVICE, ERROR_NOT_READY, ERROR_TOO_MANY_OPEN_FILES,
};
use windows_sys::Win32::Networking::WinSock::{WSAEMFILE, WSAENOBUFS};

/// Returns true if this process, or the whole system, has too many open files.
pub fn is_too_many_files(error: &io::Error) -> bool {
    is_one_of(error, &[ERROR_TOO_MANY_OPEN_FILES, WSAEMFILE.cast_unsigned()])
}

/// Returns true if a disk or another device fails or is gone.
pub fn is_broken_device(error: &io::Error) -> bool {
    is_one_of(
        error,
        &[
            ERROR_BAD_UNIT,
            ERROR_CRC,
            ERROR_DEV_NOT_EXIST,
            ERROR_DEVICE_NOT_CONNECTED,
            ERROR_GEN_FAILURE,
            ERROR_IO_DEVICE,
            ERROR_NOT_READY,
        ],
    )
}

/// Returns true if there is no such device, such as a network interface.
pub fn is_missing_device(error: &io::Error) -> bool {
    is_one_of(error, &[ERROR_DEV_NOT_EXIST])
}

/// Returns true if a queue of the network is full.
pub fn is_full_queue(error: &io::Error) -> bool {
    is_one_of(error, &[WSAENOBUFS.cast_unsigned()])
}

fn is_one_of(error: &io::Error, codes: &[u32]) -> bool {
    error.raw_os_error().is_some_and(|code| codes.contains(&code.cast_unsigned()))
}
