//! This process and others.
#![allow(unsafe_code)]

use std::ffi::OsString;
use std::os::windows::ffi::OsStringExt as _;
use std::os::windows::io::{FromRawHandle as _, OwnedHandle};
use std::path::PathBuf;

use windows_sys::Win32::System::Threading::{
    GetCurrentProcess, GetProcessHandleCount, OpenProcess, PROCESS_NAME_WIN32,
    PROCESS_QUERY_LIMITED_INFORMATION, QueryFullProcessImageNameW,
};

/// Maximum length of a path in UTF-16.
const MAX_PATH_UNITS: usize = 32_768;

/// Returns the path of this program. A running program cannot be replaced on this system.
pub fn own_program() -> PathBuf {
    std::env::current_exe().unwrap_or_else(|_| "onair.exe".into())
}

/// Returns true if the process with this number runs, and its program is this one.
pub fn runs_this_program(process: u32) -> bool {
    let own = std::env::current_exe().ok();
    own.is_some() && program_of(process) == own
}

/// Returns the name of the program of a process without its extension, if this user may learn it.
pub fn name_of(process: u32) -> Option<String> {
    let program = program_of(process)?;
    Some(program.file_stem()?.to_string_lossy().into_owned())
}

/// Returns true if this user may learn the program of the process with this number. Windows grants that to the user
/// of the process and to administrators.
pub(super) fn can_be_queried(process: u32) -> bool {
    program_of(process).is_some()
}

fn program_of(process: u32) -> Option<PathBuf> {
    use std::os::windows::io::AsRawHandle as _;
    // SAFETY: a plain call. The handle is new and has no other owner.
    let handle = unsafe {
        let handle = OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, 0, process);
        (!handle.is_null()).then(|| OwnedHandle::from_raw_handle(handle))
    }?;
    let mut path = vec![0; MAX_PATH_UNITS];
    let mut length = MAX_PATH_UNITS as u32;
    // SAFETY: the handle is open, and the call writes at most `length` units.
    let found = unsafe {
        let handle = handle.as_raw_handle();
        QueryFullProcessImageNameW(handle, PROCESS_NAME_WIN32, path.as_mut_ptr(), &raw mut length)
    };
    let path = path.get(..length as usize)?;
    (found != 0).then(|| OsString::from_wide(path).into())
}

/// Returns the number of open handles of this process, if it is known.
pub fn open_files() -> Option<usize> {
    let mut count = 0;
    // SAFETY: the handle of the own process is always valid, and the call writes one integer.
    let found = unsafe { GetProcessHandleCount(GetCurrentProcess(), &raw mut count) };
    (found != 0).then_some(count as usize)
}
