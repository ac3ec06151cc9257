//! Events of the console: Ctrl+C, Ctrl+Break, a closed window, and the end of the session ask the process to
//! end, and a second Ctrl+C or Ctrl+Break ends it at once.
#![allow(unsafe_code)]

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use windows_sys::Win32::System::Console::{
    CTRL_BREAK_EVENT, CTRL_C_EVENT, CTRL_CLOSE_EVENT, CTRL_LOGOFF_EVENT, CTRL_SHUTDOWN_EVENT,
    SetConsoleCtrlHandler,
};
use windows_sys::Win32::System::Threading::{ExitProcess, GetCurrentProcess, TerminateProcess};

/// After a closed window or the end of a session, Windows ends the process when the handler returns, or after
/// this time at the latest. Until then, the process can end in an orderly way.
const MAX_END_TIME: Duration = Duration::from_secs(20);

/// The flag that the handler sets.
static ASKED: OnceLock<Arc<AtomicBool>> = OnceLock::new();
/// True when a further Ctrl+C is a second request.
static IS_ARMED: AtomicBool = AtomicBool::new(false);

/// A signal that another program sends for a purpose of its own. Windows has no such signals, so nobody can
/// send them; `--control` does the same.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Signal {
    Hangup,
    First,
    Second,
}

/// Arms the second request.
#[derive(Debug)]
pub struct Repetition {
    _private: (),
}

impl Repetition {
    /// Returns at once: Windows sends each event only once.
    pub fn arm(self, _nap: impl FnOnce()) {}
}

/// Sets `asked` when the user or the system asks this process to end. A second Ctrl+C ends the process with
/// code 1.
///
/// # Errors
/// Fails if the system allows no handler.
pub fn listen(asked: &Arc<AtomicBool>, _hangup_ends: bool) -> io::Result<Repetition> {
    let _ = ASKED.set(Arc::clone(asked));
    // SAFETY: the handler is a static function that uses only atomics and sleeps.
    match unsafe { SetConsoleCtrlHandler(Some(handle), 1) } {
        0 => Err(io::Error::last_os_error()),
        _ => Ok(Repetition { _private: () }),
    }
}

/// Windows calls this function on a thread of its own.
unsafe extern "system" fn handle(event: u32) -> i32 {
    if let Some(asked) = ASKED.get() {
        asked.store(true, Ordering::SeqCst);
    }
    match event {
        CTRL_C_EVENT | CTRL_BREAK_EVENT => {
            if IS_ARMED.swap(true, Ordering::SeqCst) {
                // SAFETY: ends the process.
                unsafe { ExitProcess(1) };
            }
            1
        }
        CTRL_CLOSE_EVENT | CTRL_LOGOFF_EVENT | CTRL_SHUTDOWN_EVENT => {
            // The process ends before this time is over.
            #[allow(clippy::disallowed_methods, reason = "this thread belongs to Windows")]
            std::thread::sleep(MAX_END_TIME);
            1
        }
        _ => 0,
    }
}

/// Creates a flag for a signal that nobody can send on this system.
///
/// # Errors
/// Never fails on this system.
pub fn flag(_signal: Signal) -> io::Result<Arc<AtomicBool>> {
    Ok(Arc::default())
}

/// Ends the process without the exit handlers of libraries, some of which wait.
pub fn end_at_once(code: u8) -> ! {
    // SAFETY: ends this process.
    unsafe { TerminateProcess(GetCurrentProcess(), code.into()) };
    std::process::abort()
}
