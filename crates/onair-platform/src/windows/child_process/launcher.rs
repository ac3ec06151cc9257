//! Starts helper processes of this program. Each is in a job of its own, which allows no further process, shows no window
//! for a crash, and ends it with this process.
#![allow(unsafe_code)]

use std::ffi::{OsStr, OsString, c_void};
use std::io;
use std::os::windows::ffi::OsStrExt as _;
use std::os::windows::io::{AsRawHandle as _, FromRawHandle as _, OwnedHandle};
use std::ptr;

use windows_sys::Win32::Foundation::HANDLE;
use windows_sys::Win32::System::JobObjects::{
    AssignProcessToJobObject, CreateJobObjectW, JOB_OBJECT_LIMIT_ACTIVE_PROCESS,
    JOB_OBJECT_LIMIT_DIE_ON_UNHANDLED_EXCEPTION, JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE,
    JOBOBJECT_EXTENDED_LIMIT_INFORMATION, JobObjectExtendedLimitInformation,
    SetInformationJobObject,
};
use windows_sys::Win32::System::Threading::{
    CREATE_NO_WINDOW, CREATE_SUSPENDED, CREATE_UNICODE_ENVIRONMENT, CreateProcessW,
    DeleteProcThreadAttributeList, EXTENDED_STARTUPINFO_PRESENT, InitializeProcThreadAttributeList,
    PROC_THREAD_ATTRIBUTE_HANDLE_LIST, PROCESS_INFORMATION, ResumeThread, STARTF_USESTDHANDLES,
    STARTUPINFOEXW, TerminateProcess, UpdateProcThreadAttribute,
};

use crate::system::process::own_program;
use crate::system::wide;

/// The hidden commands that can be started.
const HELPERS: [&str; 1] = ["encoder-process"];

/// The variables that helpers get, or their beginnings, in capital letters. Others can contain keys, and a helper runs
/// code that is not trusted.
const VARIABLES: [&str; 20] = [
    "ALLUSERSPROFILE=",
    "APPDATA=",
    "COMMONPROGRAM",
    "COMPUTERNAME=",
    "COMSPEC=",
    "CUDA_",
    "LOCALAPPDATA=",
    "NUMBER_OF_PROCESSORS=",
    "PATH=",
    "PATHEXT=",
    "PROCESSOR_",
    "PROGRAM",
    "PUBLIC=",
    "RUST_",
    "SYSTEMDRIVE=",
    "SYSTEMROOT=",
    "TEMP=",
    "TMP=",
    "USERPROFILE=",
    "WINDIR=",
];

/// A running helper. Dropping it ends the helper.
#[derive(Debug)]
pub struct Helper {
    /// Ends its process when this last handle is closed.
    _job: OwnedHandle,
    number: u32,
}

impl Helper {
    /// Returns the number of the process.
    pub fn number(&self) -> u32 {
        self.number
    }
}

/// Does nothing: this system starts a process at any time.
///
/// # Errors
/// Never fails.
pub fn start() -> io::Result<()> {
    Ok(())
}

/// Starts a helper with these handles, which must be inheritable, as its standard input and output.
pub(super) fn launch(helper: &str, input: HANDLE, output: HANDLE) -> io::Result<Helper> {
    if !HELPERS.contains(&helper) {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let job = job()?;
    let program = wide(own_program().as_os_str());
    let mut words = wide(OsStr::new(&format!("onair {helper}")));
    let mut handles = [input, output];
    let mut attributes = Attributes::new(&mut handles)?;
    let variables = variables();
    let mut start = STARTUPINFOEXW::default();
    start.StartupInfo.cb = size_of::<STARTUPINFOEXW>() as u32;
    start.StartupInfo.dwFlags = STARTF_USESTDHANDLES;
    (start.StartupInfo.hStdInput, start.StartupInfo.hStdOutput) = (input, output);
    start.lpAttributeList = attributes.0.as_mut_ptr().cast();
    let mut made = PROCESS_INFORMATION::default();
    let flags = CREATE_SUSPENDED
        | CREATE_NO_WINDOW
        | CREATE_UNICODE_ENVIRONMENT
        | EXTENDED_STARTUPINFO_PRESENT;
    // SAFETY: the texts and the block end with zeros, and everything lives longer than the call. The handles that it
    // returns have no other owner. The process runs only when it belongs to the job.
    unsafe {
        let started = CreateProcessW(
            program.as_ptr(),
            words.as_mut_ptr(),
            ptr::null(),
            ptr::null(),
            1,
            flags,
            variables.as_ptr().cast(),
            ptr::null(),
            (&raw const start.StartupInfo).cast(),
            &raw mut made,
        );
        if started == 0 {
            return Err(io::Error::last_os_error());
        }
        let process = OwnedHandle::from_raw_handle(made.hProcess);
        let thread = OwnedHandle::from_raw_handle(made.hThread);
        if AssignProcessToJobObject(job.as_raw_handle(), process.as_raw_handle()) == 0
            || ResumeThread(thread.as_raw_handle()) == u32::MAX
        {
            let error = io::Error::last_os_error();
            TerminateProcess(process.as_raw_handle(), 1);
            return Err(error);
        }
    }
    Ok(Helper { _job: job, number: made.dwProcessId })
}

fn job() -> io::Result<OwnedHandle> {
    let mut limits = JOBOBJECT_EXTENDED_LIMIT_INFORMATION::default();
    limits.BasicLimitInformation.LimitFlags = JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE
        | JOB_OBJECT_LIMIT_ACTIVE_PROCESS
        | JOB_OBJECT_LIMIT_DIE_ON_UNHANDLED_EXCEPTION;
    limits.BasicLimitInformation.ActiveProcessLimit = 1;
    // SAFETY: the handle is new and has no other owner. The second call reads one structure of this size.
    unsafe {
        let job = CreateJobObjectW(ptr::null(), ptr::null());
        if job.is_null() {
            return Err(io::Error::last_os_error());
        }
        let job = OwnedHandle::from_raw_handle(job);
        let length = size_of_val(&limits) as u32;
        let kind = JobObjectExtendedLimitInformation;
        match SetInformationJobObject(job.as_raw_handle(), kind, (&raw const limits).cast(), length)
        {
            0 => Err(io::Error::last_os_error()),
            _ => Ok(job),
        }
    }
}

/// The list of the handles that a process inherits. Without it, a process gets all that are inheritable, also those for
/// another process that another thread starts at this moment.
struct Attributes(Vec<u64>);

impl Attributes {
    fn new(handles: &mut [HANDLE; 2]) -> io::Result<Self> {
        let mut length = 0;
        // SAFETY: the first call only writes the length. The list has this length and the alignment of a pointer, and is
        // removed before its memory. The handles live as long, because the caller keeps them.
        unsafe {
            InitializeProcThreadAttributeList(ptr::null_mut(), 1, 0, &raw mut length);
            let mut list = vec![0_u64; length.div_ceil(size_of::<u64>())];
            let start = list.as_mut_ptr().cast::<c_void>();
            if InitializeProcThreadAttributeList(start, 1, 0, &raw mut length) == 0 {
                return Err(io::Error::last_os_error());
            }
            let list = Self(list);
            let updated = UpdateProcThreadAttribute(
                start,
                0,
                PROC_THREAD_ATTRIBUTE_HANDLE_LIST as usize,
                handles.as_mut_ptr().cast(),
                size_of_val(handles),
                ptr::null_mut(),
                ptr::null(),
            );
            if updated == 0 { Err(io::Error::last_os_error()) } else { Ok(list) }
        }
    }
}

impl Drop for Attributes {
    fn drop(&mut self) {
        // SAFETY: the list was made by `new` and is removed once.
        unsafe { DeleteProcThreadAttributeList(self.0.as_mut_ptr().cast()) };
    }
}

/// Returns the variables that a helper gets: texts with a zero after each, and one more at the end.
fn variables() -> Vec<u16> {
    let texts = std::env::vars_os().map(|(name, value)| {
        let mut text = OsString::with_capacity(name.len() + value.len() + 1);
        text.push(name);
        text.push("=");
        text.push(value);
        text
    });
    let is_kept = |text: &OsString| {
        let text = text.to_string_lossy().to_uppercase();
        VARIABLES.iter().any(|name| text.starts_with(name))
    };
    let kept =
        texts.filter(is_kept).flat_map(|text| text.encode_wide().chain([0]).collect::<Vec<_>>());
    // Without any text, the block still has two zeros.
    let mut block: Vec<u16> = kept.collect();
    if block.is_empty() {
        block.push(0);
    }
    block.push(0);
    block
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn helpers_get_the_path_and_no_variable_that_may_be_a_key() {
        let block = String::from_utf16(&variables()).unwrap();
        assert!(block.ends_with("\0\0"), "{block:?}");
        let names: Vec<String> = block.split('\0').map(str::to_uppercase).collect();
        assert!(names.iter().any(|text| text.starts_with("PATH=")), "{names:?}");
        assert!(names.iter().all(|text| !text.starts_with("CARGO_")), "{names:?}");
    }

    #[test]
    fn an_unknown_helper_is_refused() {
        let refused = launch("cmd", ptr::null_mut(), ptr::null_mut());
        assert_eq!(refused.unwrap_err().kind(), io::ErrorKind::InvalidInput);
    }
}
