//! What the plugin may ask of its host. The process has only one plugin, so the state is global. Most
//! functions only note a wish, which the main thread follows.

use std::ffi::{CStr, c_char, c_void};
use std::ptr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread::ThreadId;
use std::time::{Duration, Instant};

use clap_sys::ext::gui::{CLAP_EXT_GUI, clap_host_gui};
use clap_sys::ext::latency::{CLAP_EXT_LATENCY, clap_host_latency};
use clap_sys::ext::params::{CLAP_EXT_PARAMS, clap_host_params};
use clap_sys::ext::posix_fd_support::{CLAP_EXT_POSIX_FD_SUPPORT, clap_host_posix_fd_support};
use clap_sys::ext::state::{CLAP_EXT_STATE, clap_host_state};
use clap_sys::ext::thread_check::{CLAP_EXT_THREAD_CHECK, clap_host_thread_check};
use clap_sys::ext::timer_support::{CLAP_EXT_TIMER_SUPPORT, clap_host_timer_support};
use clap_sys::host::clap_host;
use clap_sys::version::CLAP_VERSION;
use parking_lot::Mutex;

/// Maximum number of timers and of files of a plugin.
const MAX_WAITS: usize = 64;
/// The shortest period of a timer.
const MIN_PERIOD: Duration = Duration::from_millis(5);

pub(super) static HOST: HostState = HostState {
    callback: AtomicBool::new(false),
    restart: AtomicBool::new(false),
    dirty: AtomicBool::new(false),
    closed: AtomicBool::new(false),
    size: Mutex::new(None),
    timers: Mutex::new(Vec::new()),
    files: Mutex::new(Vec::new()),
    numbers: AtomicU32::new(0),
    main: OnceLock::new(),
};

/// What the plugin has asked for.
#[derive(Debug)]
pub(super) struct HostState {
    pub callback: AtomicBool,
    pub restart: AtomicBool,
    /// True if the state changed.
    pub dirty: AtomicBool,
    /// True if the user closed the plugin's window.
    pub closed: AtomicBool,
    /// The size that the window is to have.
    pub size: Mutex<Option<(u32, u32)>>,
    timers: Mutex<Vec<Timer>>,
    files: Mutex<Vec<(i32, u32)>>,
    numbers: AtomicU32,
    main: OnceLock<ThreadId>,
}

#[derive(Debug)]
struct Timer {
    number: u32,
    period: Duration,
    due: Instant,
}

impl HostState {
    /// Makes this thread the main thread.
    pub fn begin(&self) {
        let _ = self.main.set(std::thread::current().id());
    }

    fn is_main(&self) -> bool {
        self.main.get() == Some(&std::thread::current().id())
    }

    pub fn files(&self) -> Vec<(i32, u32)> {
        self.files.lock().clone()
    }

    /// Returns the time until the next timer.
    pub fn next_timer(&self) -> Option<Duration> {
        let now = Instant::now();
        self.timers.lock().iter().map(|it| it.due.saturating_duration_since(now)).min()
    }

    pub fn due_timers(&self) -> Vec<u32> {
        let now = Instant::now();
        let mut timers = self.timers.lock();
        let due = timers.iter_mut().filter(|timer| timer.due <= now);
        due.map(|timer| {
            timer.due = now + timer.period;
            timer.number
        })
        .collect()
    }
}

/// The host for the plugin.
pub(super) static CLAP_HOST: clap_host = clap_host {
    clap_version: CLAP_VERSION,
    host_data: ptr::null_mut(),
    name: c"onair".as_ptr(),
    vendor: c"onair".as_ptr(),
    url: c"".as_ptr(),
    version: c"0.2".as_ptr(),
    get_extension: Some(get_extension),
    request_restart: Some(request_restart),
    request_process: Some(nothing),
    request_callback: Some(request_callback),
};

static PARAMS: clap_host_params = clap_host_params {
    rescan: Some(rescan),
    clear: Some(clear),
    // The audio thread flushes when there is no audio.
    request_flush: Some(nothing),
};
static STATE: clap_host_state = clap_host_state { mark_dirty: Some(mark_dirty) };
static LATENCY: clap_host_latency = clap_host_latency { changed: Some(request_restart) };
static THREADS: clap_host_thread_check = clap_host_thread_check {
    is_main_thread: Some(is_main_thread),
    is_audio_thread: Some(is_audio_thread),
};
static TIMERS: clap_host_timer_support = clap_host_timer_support {
    register_timer: Some(register_timer),
    unregister_timer: Some(unregister_timer),
};
static FILES: clap_host_posix_fd_support = clap_host_posix_fd_support {
    register_fd: Some(register_file),
    modify_fd: Some(modify_file),
    unregister_fd: Some(unregister_file),
};
static GUI: clap_host_gui = clap_host_gui {
    resize_hints_changed: Some(nothing),
    request_resize: Some(request_resize),
    request_show: Some(accept),
    request_hide: Some(request_hide),
    closed: Some(closed),
};

unsafe extern "C" fn get_extension(_: *const clap_host, name: *const c_char) -> *const c_void {
    if name.is_null() {
        return ptr::null();
    }
    // SAFETY: the plugin passes a text.
    let name = unsafe { CStr::from_ptr(name) };
    let known: [(&CStr, *const c_void); 7] = [
        (CLAP_EXT_PARAMS, (&raw const PARAMS).cast()),
        (CLAP_EXT_STATE, (&raw const STATE).cast()),
        (CLAP_EXT_LATENCY, (&raw const LATENCY).cast()),
        (CLAP_EXT_THREAD_CHECK, (&raw const THREADS).cast()),
        (CLAP_EXT_TIMER_SUPPORT, (&raw const TIMERS).cast()),
        (CLAP_EXT_POSIX_FD_SUPPORT, (&raw const FILES).cast()),
        (CLAP_EXT_GUI, (&raw const GUI).cast()),
    ];
    known.iter().find(|(known, _)| *known == name).map_or(ptr::null(), |(_, it)| *it)
}

unsafe extern "C" fn nothing(_: *const clap_host) {}

unsafe extern "C" fn accept(_: *const clap_host) -> bool {
    true
}

unsafe extern "C" fn request_restart(_: *const clap_host) {
    HOST.restart.store(true, Ordering::Release);
}

unsafe extern "C" fn request_callback(_: *const clap_host) {
    HOST.callback.store(true, Ordering::Release);
}

unsafe extern "C" fn mark_dirty(_: *const clap_host) {
    HOST.dirty.store(true, Ordering::Release);
}

unsafe extern "C" fn rescan(_: *const clap_host, _: u32) {
    HOST.dirty.store(true, Ordering::Release);
}

unsafe extern "C" fn clear(_: *const clap_host, _: u32, _: u32) {}

unsafe extern "C" fn is_main_thread(_: *const clap_host) -> bool {
    HOST.is_main()
}

unsafe extern "C" fn is_audio_thread(_: *const clap_host) -> bool {
    !HOST.is_main()
}

unsafe extern "C" fn register_timer(_: *const clap_host, period_ms: u32, to: *mut u32) -> bool {
    let mut timers = HOST.timers.lock();
    if to.is_null() || timers.len() >= MAX_WAITS {
        return false;
    }
    let number = HOST.numbers.fetch_add(1, Ordering::Relaxed);
    let period = Duration::from_millis(period_ms.into()).max(MIN_PERIOD);
    timers.push(Timer { number, period, due: Instant::now() + period });
    // SAFETY: the plugin passes a place for the number.
    unsafe { *to = number };
    true
}

unsafe extern "C" fn unregister_timer(_: *const clap_host, number: u32) -> bool {
    let mut timers = HOST.timers.lock();
    let before = timers.len();
    timers.retain(|timer| timer.number != number);
    timers.len() < before
}

unsafe extern "C" fn register_file(_: *const clap_host, file: i32, flags: u32) -> bool {
    let mut files = HOST.files.lock();
    let is_new = files.len() < MAX_WAITS && files.iter().all(|(known, _)| *known != file);
    if is_new {
        files.push((file, flags));
    }
    is_new
}

unsafe extern "C" fn modify_file(_: *const clap_host, file: i32, flags: u32) -> bool {
    let mut files = HOST.files.lock();
    let known = files.iter_mut().find(|(known, _)| *known == file);
    known.map(|(_, its)| *its = flags).is_some()
}

unsafe extern "C" fn unregister_file(_: *const clap_host, file: i32) -> bool {
    let mut files = HOST.files.lock();
    let before = files.len();
    files.retain(|(known, _)| *known != file);
    files.len() < before
}

unsafe extern "C" fn request_resize(_: *const clap_host, width: u32, height: u32) -> bool {
    *HOST.size.lock() = Some((width, height));
    true
}

unsafe extern "C" fn request_hide(_: *const clap_host) -> bool {
    HOST.closed.store(true, Ordering::Release);
    true
}

unsafe extern "C" fn closed(_: *const clap_host, _: bool) {
    HOST.closed.store(true, Ordering::Release);
}
