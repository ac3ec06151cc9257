//! What an encoder process needs of Windows.
#![allow(unsafe_code)]

use std::ffi::{c_char, c_int, c_void};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};

use windows_sys::Win32::Foundation::{FreeLibrary, HMODULE};
use windows_sys::Win32::System::LibraryLoader::{
    GetProcAddress, LOAD_LIBRARY_SEARCH_DLL_LOAD_DIR, LOAD_LIBRARY_SEARCH_SYSTEM32, LoadLibraryExW,
};
use windows_sys::Win32::System::ProcessStatus::K32EnumProcessModules;
use windows_sys::Win32::System::Threading::GetCurrentProcess;

use crate::base::sandbox;
use crate::encode::backend::process::wire::Refusal;
use crate::platform::wide;

/// `AV_LOG_ERROR`: what is more important has a lower number.
const LOG_ERROR: c_int = 16;
/// Maximum length of the messages that are kept.
const MAX_MESSAGES: usize = 64 << 10;
/// Maximum length of a message.
const MAX_MESSAGE: usize = 1024;
/// Maximum number of libraries in this process. FFmpeg has about thirty, and the system as many.
const MAX_LIBRARIES: usize = 1024;

/// Restricts the process further than its job does.
pub(super) fn restrict(is_hardware: bool) {
    sandbox::encoder(is_hardware);
}

/// What the library reported, such as the reason of a driver.
static MESSAGES: Mutex<String> = Mutex::new(String::new());

/// `av_log_format_line2`. On this system, a `va_list` is a pointer.
type FormatLine = unsafe extern "C" fn(
    *mut c_void,
    c_int,
    *const c_char,
    *mut c_void,
    *mut c_char,
    c_int,
    *mut c_int,
) -> c_int;
static FORMAT_LINE: OnceLock<FormatLine> = OnceLock::new();

/// Keeps a message of the library.
unsafe extern "C" fn keep(
    object: *mut c_void,
    level: c_int,
    format: *const c_char,
    arguments: *mut c_void,
) {
    let Some(format_line) = FORMAT_LINE.get() else { return };
    // The upper bits are a color.
    if level & 0xff > LOG_ERROR {
        return;
    }
    let (mut line, mut prefix) = ([0_u8; MAX_MESSAGE], 1);
    // SAFETY: the library passes on its own arguments, and writes at most this many bytes with a zero at the end.
    unsafe {
        let place = line.as_mut_ptr().cast();
        format_line(object, level, format, arguments, place, MAX_MESSAGE as c_int, &raw mut prefix);
    }
    let text = line.split(|byte| *byte == 0).next().unwrap_or_default();
    let mut messages = MESSAGES.lock().unwrap_or_else(PoisonError::into_inner);
    if messages.len() + text.len() < MAX_MESSAGES {
        messages.push_str(&String::from_utf8_lossy(text));
    }
}

/// The messages of the library.
pub(super) struct LastWords;

impl LastWords {
    pub(super) fn listen() -> Self {
        Self
    }

    /// Returns what was reported since the last call.
    pub(super) fn take(&mut self) -> String {
        std::mem::take(&mut *MESSAGES.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Returns the files that are this major version of libavcodec: beside the program, and in the folders of `PATH`.
pub(super) fn candidates(major: u32) -> Vec<PathBuf> {
    let beside = std::env::current_exe().ok();
    let beside = beside.as_deref().and_then(Path::parent).map(Path::to_owned);
    let path = std::env::var_os("PATH").unwrap_or_default();
    // A relative folder would be one of whoever started the program.
    let folders =
        beside.into_iter().chain(std::env::split_paths(&path).filter(|it| it.is_absolute()));
    let files = folders.map(|folder| folder.join(format!("avcodec-{major}.dll")));
    files.filter(|file| file.is_file()).collect()
}

/// A loaded library, with those that it has loaded.
pub(super) struct Loaded(HMODULE);

impl Loaded {
    pub(super) fn open(path: &Path) -> Result<Self, Refusal> {
        let name = wide(path.as_os_str());
        // SAFETY: loading runs the library's own start code. This process exists for that. The name ends with a zero. The
        // libraries that it needs come from its own folder, or from the system.
        let module = unsafe {
            let folders = LOAD_LIBRARY_SEARCH_DLL_LOAD_DIR | LOAD_LIBRARY_SEARCH_SYSTEM32;
            LoadLibraryExW(name.as_ptr(), std::ptr::null_mut(), folders)
        };
        match module.is_null() {
            true => Err(Refusal::Unloadable {
                reason: format!("{}: {}", path.display(), std::io::Error::last_os_error()),
            }),
            false => Ok(Self(module)),
        }
    }

    /// Returns the function with this name, which ends with a zero, from the library or from one that it has loaded, such
    /// as `libavutil`.
    ///
    /// # Safety
    /// `T` must be the type of the function.
    pub(super) unsafe fn function<T: Copy>(&self, name: &[u8]) -> Option<T> {
        let all = std::iter::once(self.0).chain(libraries());
        // SAFETY: the name ends with a zero, and this library and its own stay loaded while `self` exists.
        let mut found = all.filter_map(|module| unsafe { GetProcAddress(module, name.as_ptr()) });
        let function = found.next()?;
        // A pointer to a function is as large as any.
        const { assert!(size_of::<T>() == size_of::<usize>()) };
        // SAFETY: the caller knows the type, which is the one of a function (checked by its size).
        Some(unsafe { std::mem::transmute_copy(&function) })
    }

    /// Keeps the library's messages, because a program of Windows has no standard error.
    pub(super) fn collect_messages(&self) {
        type Callback = unsafe extern "C" fn(*mut c_void, c_int, *const c_char, *mut c_void);
        // SAFETY: the functions have these types in all known versions.
        unsafe {
            let format = self.function::<FormatLine>(b"av_log_format_line2\0");
            let set = self.function::<unsafe extern "C" fn(Callback)>(b"av_log_set_callback\0");
            if let (Some(format), Some(set)) = (format, set) {
                let _ = FORMAT_LINE.set(format);
                set(keep);
            }
        }
    }
}

impl Drop for Loaded {
    fn drop(&mut self) {
        // A library that was refused must not answer for the next one, which may have another version.
        // SAFETY: the library was loaded by `open`, and its functions are used only through this value.
        unsafe { FreeLibrary(self.0) };
    }
}

/// Returns the libraries of this process.
fn libraries() -> Vec<HMODULE> {
    let mut all: Vec<HMODULE> = vec![std::ptr::null_mut(); MAX_LIBRARIES];
    let (room, mut length) = (size_of_val(all.as_slice()) as u32, 0);
    // SAFETY: the call writes at most this many bytes.
    let done = unsafe {
        K32EnumProcessModules(GetCurrentProcess(), all.as_mut_ptr(), room, &raw mut length)
    };
    let count = if done == 0 { 0 } else { length as usize / size_of::<HMODULE>() };
    all.truncate(count);
    all
}
