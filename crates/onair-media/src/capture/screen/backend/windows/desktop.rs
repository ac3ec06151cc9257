//! Lists the displays and the windows.
#![allow(unsafe_code)]

use std::ffi::c_void;
use std::mem::size_of;
use std::ptr;

use windows_sys::Win32::Foundation::{HWND, LPARAM, RECT};
use windows_sys::Win32::Graphics::Dwm::{DWMWA_CLOAKED, DwmGetWindowAttribute};
use windows_sys::Win32::Graphics::Gdi::{
    EnumDisplayMonitors, GetMonitorInfoW, HDC, HMONITOR, MONITORINFO, MONITORINFOEXW,
};
use windows_sys::Win32::UI::WindowsAndMessaging::{
    EnumWindows, GW_OWNER, GWL_EXSTYLE, GetClientRect, GetForegroundWindow, GetSystemMetrics,
    GetWindow, GetWindowLongPtrW, GetWindowTextW, GetWindowThreadProcessId, IsIconic,
    IsWindowVisible, MONITORINFOF_PRIMARY, SM_CXVIRTUALSCREEN, SM_CYVIRTUALSCREEN,
    SM_XVIRTUALSCREEN, SM_YVIRTUALSCREEN, WS_EX_APPWINDOW, WS_EX_TOOLWINDOW,
};

use crate::base::sanitize::is_harmless;
use crate::capture::screen::area::Area;
use crate::capture::screen::backend::windows::gdi::other;
use crate::capture::screen::display::{Fault, ScreenInfo, WindowInfo};
use crate::media::Size;
use crate::platform::process::name_of;

/// Maximum number of windows, because programs can open any number.
const MAX_WINDOWS: usize = 512;
/// Maximum number of displays.
const MAX_DISPLAYS: usize = 64;
/// Maximum length of a title in UTF-16.
const MAX_TITLE_UNITS: usize = 512;

/// Id of all displays together.
pub(super) const ALL_DISPLAYS_ID: &str = "all";

/// Returns the upper left corner of all displays together, in the coordinates of Windows.
pub(super) fn origin() -> (i32, i32) {
    // SAFETY: plain calls.
    unsafe { (GetSystemMetrics(SM_XVIRTUALSCREEN), GetSystemMetrics(SM_YVIRTUALSCREEN)) }
}

/// Returns the displays: the main one first, the others from left to right, and all together if there are several.
pub(super) fn screens() -> Result<Vec<ScreenInfo>, Fault> {
    let mut monitors: Vec<HMONITOR> = Vec::new();
    // SAFETY: the function below gets the pointer to the list only during this call.
    let listed = unsafe {
        let list = (&raw mut monitors).cast::<c_void>() as LPARAM;
        EnumDisplayMonitors(ptr::null_mut(), ptr::null(), Some(add_monitor), list)
    };
    if listed == 0 && monitors.is_empty() {
        return Err(other("list of displays"));
    }
    let corner = origin();
    let mut found: Vec<ScreenInfo> =
        monitors.into_iter().filter_map(|it| about(it, corner)).collect();
    if found.is_empty() {
        return Err(Fault::NoDisplay);
    }
    found.sort_by_key(|screen| (!screen.primary, screen.area.x, screen.area.y));
    if found.len() > 1 {
        // SAFETY: plain calls.
        let size =
            unsafe { (GetSystemMetrics(SM_CXVIRTUALSCREEN), GetSystemMetrics(SM_CYVIRTUALSCREEN)) };
        found.push(ScreenInfo {
            id: ALL_DISPLAYS_ID.to_owned(),
            name: "All screens".to_owned(),
            area: Area::new(0, 0, size.0.max(0).cast_unsigned(), size.1.max(0).cast_unsigned()),
            primary: false,
        });
    }
    Ok(found)
}

unsafe extern "system" fn add_monitor(
    monitor: HMONITOR,
    _: HDC,
    _: *mut RECT,
    list: LPARAM,
) -> i32 {
    // SAFETY: `screens` passes this list, and waits.
    let list = unsafe { &mut *(list as *mut Vec<HMONITOR>) };
    list.push(monitor);
    i32::from(list.len() < MAX_DISPLAYS)
}

fn about(monitor: HMONITOR, origin: (i32, i32)) -> Option<ScreenInfo> {
    let mut about = MONITORINFOEXW::default();
    about.monitorInfo.cbSize = size_of::<MONITORINFOEXW>() as u32;
    // SAFETY: the size tells the call how large the structure is.
    let found = unsafe { GetMonitorInfoW(monitor, (&raw mut about).cast::<MONITORINFO>()) };
    if found == 0 {
        return None;
    }
    let MONITORINFO { rcMonitor: place, dwFlags: flags, .. } = about.monitorInfo;
    let device = printable(&about.szDevice);
    let name = device.trim_start_matches(r"\\.\").to_owned();
    let (x, y) =
        (i64::from(place.left) - i64::from(origin.0), i64::from(place.top) - i64::from(origin.1));
    let side = |from: i32, to: i32| u32::try_from(i64::from(to) - i64::from(from)).ok();
    let (width, height) = (side(place.left, place.right)?, side(place.top, place.bottom)?);
    let area = Area::clipped(x, y, width, height)?;
    Some(ScreenInfo { id: name.clone(), name, area, primary: flags & MONITORINFOF_PRIMARY != 0 })
}

/// Returns the windows that programs show in the task bar.
pub(super) fn windows() -> Vec<(HWND, WindowInfo)> {
    let mut windows: Vec<HWND> = Vec::new();
    // SAFETY: the function below gets the pointer to the list only during this call.
    unsafe { EnumWindows(Some(add_window), (&raw mut windows).cast::<c_void>() as LPARAM) };
    windows.into_iter().filter_map(|window| Some((window, describe(window)?))).collect()
}

unsafe extern "system" fn add_window(window: HWND, list: LPARAM) -> i32 {
    // SAFETY: `windows` passes this list, and waits. The other calls are plain.
    unsafe {
        let list = &mut *(list as *mut Vec<HWND>);
        let style = GetWindowLongPtrW(window, GWL_EXSTYLE) as u32;
        let is_tool = style & WS_EX_TOOLWINDOW != 0 || !GetWindow(window, GW_OWNER).is_null();
        if IsWindowVisible(window) != 0 && (!is_tool || style & WS_EX_APPWINDOW != 0) {
            list.push(window);
        }
        i32::from(list.len() < MAX_WINDOWS)
    }
}

/// Returns the window in front, if it has a title.
pub(super) fn front() -> Option<WindowInfo> {
    // SAFETY: a plain call. While a window loses the focus, there is none.
    let window = unsafe { GetForegroundWindow() };
    (!window.is_null()).then(|| describe(window)).flatten()
}

/// Returns `None` for a window without a title, and for one that Windows hides, such as that of a sleeping app.
fn describe(window: HWND) -> Option<WindowInfo> {
    let (mut title, mut process) = ([0; MAX_TITLE_UNITS], 0);
    // SAFETY: the calls write at most what their sizes say.
    unsafe {
        GetWindowTextW(window, title.as_mut_ptr(), MAX_TITLE_UNITS as i32);
        GetWindowThreadProcessId(window, &raw mut process);
    }
    let name = printable(&title);
    if name.is_empty() || is_cloaked(window) {
        return None;
    }
    let class = name_of(process).map(|it| harmless(&it)).unwrap_or_default();
    let number = format!("{:#x}", window as usize);
    let id = if class.is_empty() { number.clone() } else { format!("{class}/{name}") };
    // SAFETY: a plain call.
    let shown = unsafe { IsIconic(window) } == 0;
    Some(WindowInfo { id, name, class, number, size: inner_size(window)?, shown })
}

/// Returns true for a window that Windows hides, because its app sleeps or it is on another desktop.
pub(super) fn is_cloaked(window: HWND) -> bool {
    let mut cloaked = 0_u32;
    // SAFETY: the call writes at most what its size says. If it fails, the system hides no windows in this way.
    unsafe {
        let place = (&raw mut cloaked).cast::<c_void>();
        let _ = DwmGetWindowAttribute(window, DWMWA_CLOAKED as u32, place, size_of::<u32>() as u32);
    }
    cloaked != 0
}

/// Returns the size of a window without its frame, or `None` if the window is gone.
pub(super) fn inner_size(window: HWND) -> Option<Size> {
    let mut inside = RECT::default();
    // SAFETY: the call writes the structure.
    let found = unsafe { GetClientRect(window, &raw mut inside) };
    let side = |length: i32| length.max(0).cast_unsigned();
    (found != 0).then(|| Size::new(side(inside.right), side(inside.bottom)))
}

/// Converts a text that ends with a zero.
fn printable(units: &[u16]) -> String {
    let end = units.iter().position(|&unit| unit == 0).unwrap_or(units.len());
    harmless(&String::from_utf16_lossy(units.get(..end).unwrap_or_default()))
}

fn harmless(text: &str) -> String {
    let shown = text.chars().filter(|&sign| is_harmless(sign));
    shown.take(200).collect::<String>().trim().to_owned()
}
