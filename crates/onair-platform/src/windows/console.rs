//! The console of the shell that starts the program. onair is a program without a console, so that the window opens
//! none. From a shell, it prints and takes Ctrl+C in the console of the shell.
#![allow(unsafe_code)]

use std::ffi::OsStr;
use std::ptr;
use std::sync::atomic::{AtomicBool, Ordering};

use windows_sys::Win32::Foundation::INVALID_HANDLE_VALUE;
use windows_sys::Win32::System::Console::{
    ATTACH_PARENT_PROCESS, AttachConsole, ENABLE_VIRTUAL_TERMINAL_PROCESSING, GetConsoleMode,
    GetStdHandle, STD_ERROR_HANDLE, STD_INPUT_HANDLE, STD_OUTPUT_HANDLE, SetConsoleMode,
    SetStdHandle,
};
use windows_sys::Win32::UI::WindowsAndMessaging::{
    MB_ICONERROR, MB_OK, MB_SETFOREGROUND, MessageBoxW,
};

use crate::system::wide;

/// True if errors may open a window.
static SHOWS_ERRORS: AtomicBool = AtomicBool::new(false);

/// Attaches the program to the console of the process that started it, if that has one. Files and pipes to which a shell
/// redirects input and output stay as they are. Call this function before anything is printed.
pub fn attach() {
    let streams = [STD_INPUT_HANDLE, STD_OUTPUT_HANDLE, STD_ERROR_HANDLE];
    // SAFETY: plain calls.
    let before = streams.map(|stream| (stream, unsafe { GetStdHandle(stream) }));
    // SAFETY: a plain call. Without a console, such as after a click on the icon, it fails.
    if unsafe { AttachConsole(ATTACH_PARENT_PROCESS) } != 0 {
        for (stream, handle) in before {
            if !handle.is_null() && handle != INVALID_HANDLE_VALUE {
                // SAFETY: the handle was the one of this stream before.
                unsafe { SetStdHandle(stream, handle) };
            }
        }
    }
    // Without this mode, older consoles print the codes of colors.
    for stream in [STD_OUTPUT_HANDLE, STD_ERROR_HANDLE] {
        let mut mode = 0;
        // SAFETY: the calls read and write one integer, and fail for everything that is no console.
        unsafe {
            let handle = GetStdHandle(stream);
            if GetConsoleMode(handle, &raw mut mode) != 0 {
                SetConsoleMode(handle, mode | ENABLE_VIRTUAL_TERMINAL_PROCESSING);
            }
        }
    }
}

/// Lets [`show_error`] open a window. Only for commands that a person has started and watches: nobody would close the
/// window of a service.
pub fn show_errors() {
    SHOWS_ERRORS.store(true, Ordering::Relaxed);
}

/// Shows the error in a window and waits until it is closed, if there is no console that shows it.
pub fn show_error(text: &str) {
    // SAFETY: a plain call.
    let stream = unsafe { GetStdHandle(STD_ERROR_HANDLE) };
    let is_seen = !stream.is_null() && stream != INVALID_HANDLE_VALUE;
    if is_seen || !SHOWS_ERRORS.load(Ordering::Relaxed) {
        return;
    }
    let (text, title) = (wide(OsStr::new(text)), wide(OsStr::new("onair")));
    let style = MB_OK | MB_ICONERROR | MB_SETFOREGROUND;
    // SAFETY: both texts end with a zero and live until the window is closed.
    unsafe { MessageBoxW(ptr::null_mut(), text.as_ptr(), title.as_ptr(), style) };
}
