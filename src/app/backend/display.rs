//! Prevents Xlib from ending the process when its display is gone. The broadcast must continue in
//! that case. The handler therefore stops the window's thread permanently, and the other threads
//! continue.

use std::ffi::{CStr, c_int, c_void};
use std::sync::atomic::{AtomicBool, Ordering};

/// The name of the library that winit also loads.
const XLIB_SONAME: &CStr = c"libX11.so.6";
const IO_ERROR_HANDLER_SETTER: &CStr = c"XSetIOErrorHandler";

/// True if the connection to the display is broken.
static DISPLAY_LOST: AtomicBool = AtomicBool::new(false);

type Handler = unsafe extern "C" fn(*mut c_void) -> c_int;
type Setter = unsafe extern "C" fn(Option<Handler>) -> Option<Handler>;

/// Xlib calls this function when the display is gone, on the thread that used it. If the function
/// returned, Xlib would end the process.
unsafe extern "C" fn stop_here(_display: *mut c_void) -> c_int {
    DISPLAY_LOST.store(true, Ordering::Relaxed);
    loop {
        std::thread::park();
    }
}

/// Returns true if the display, and with it the window, is gone.
pub fn is_gone() -> bool {
    DISPLAY_LOST.load(Ordering::Relaxed)
}

/// Keeps onair running if its display disappears later. Without Xlib, the window uses no X11
/// display, and this function does nothing.
pub fn outlive() {
    if std::env::var_os("DISPLAY").is_none() {
        return;
    }
    // SAFETY: both names end with a zero byte. The library is never unloaded, and its function has
    // this type (XSetIOErrorHandler(3)); the handler ignores its argument and never returns.
    unsafe {
        let library = libc::dlopen(XLIB_SONAME.as_ptr(), libc::RTLD_LAZY);
        if library.is_null() {
            return;
        }
        let setter = libc::dlsym(library, IO_ERROR_HANDLER_SETTER.as_ptr());
        if !setter.is_null() {
            let set = std::mem::transmute::<*mut c_void, Setter>(setter);
            set(Some(stop_here));
        }
    }
}
