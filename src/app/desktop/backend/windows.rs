//! The status icon of Windows, in the notification area of the taskbar, with its menu and notifications.
//!
//! The icon belongs to a hidden window of this thread, because the taskbar reports clicks to a window. Windows shows the
//! notifications of such an icon as toasts.
#![allow(unsafe_code)]

use std::cell::RefCell;
use std::ffi::OsStr;
use std::ptr;
use std::sync::{Arc, LazyLock};

use windows_sys::Win32::Foundation::{HWND, LPARAM, LRESULT, WPARAM};
use windows_sys::Win32::UI::Shell::{
    NIF_ICON, NIF_INFO, NIF_MESSAGE, NIF_SHOWTIP, NIF_TIP, NIIF_LARGE_ICON, NIIF_WARNING, NIM_ADD,
    NIM_DELETE, NIM_MODIFY, NIM_SETVERSION, NIN_BALLOONUSERCLICK, NIN_SELECT, NOTIFYICON_VERSION_4,
    NOTIFYICONDATAW, Shell_NotifyIconW,
};
use windows_sys::Win32::UI::WindowsAndMessaging::{
    AppendMenuW, CreateIcon, CreatePopupMenu, CreateWindowExW, DefWindowProcW, DestroyIcon,
    DestroyMenu, DestroyWindow, GetSystemMetrics, HICON, MF_GRAYED, MF_SEPARATOR, MF_STRING,
    PostMessageW, RegisterClassW, RegisterWindowMessageW, SM_CXSMICON, SetForegroundWindow,
    TPM_NONOTIFY, TPM_RETURNCMD, TPM_RIGHTBUTTON, TrackPopupMenu, WM_APP, WM_CONTEXTMENU, WM_NULL,
    WNDCLASSW,
};

use crate::app::desktop::notification::{Notification, Step};
use crate::app::desktop::state::{DesktopRequest, DesktopState, Shared};
use crate::app::desktop::status_icon::StatusIcon;
use crate::base::Stop;
use crate::platform::{self, messages};
use crate::studio::notices::health::Activity;

/// Interval between checks for changes. A click ends the wait.
const POLL_INTERVAL_MILLIS: u32 = 250;
/// The message with which the taskbar reports clicks.
const ICON_MESSAGE: u32 = WM_APP + 1;
/// Enter or the space bar on the icon (`NIN_KEYSELECT`).
const KEY_SELECT: u32 = NIN_SELECT + 1;
/// The number of the icon in this window.
const ICON_NUMBER: u32 = 1;
/// Entries of the menu.
const GO_LIVE_ENTRY: usize = 1;
const SHOW_ENTRY: usize = 2;

thread_local! {
    /// What the window received since the last look.
    static RECEIVED: RefCell<Vec<Received>> = const { RefCell::new(Vec::new()) };
}

/// A message to the hidden window.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
enum Received {
    /// A click on the icon or on its notification.
    Select,
    /// A click with the right button, or the menu key: where the menu belongs.
    Menu(i32, i32),
    /// The taskbar has started again, without the icon.
    NewTaskbar,
}

/// The message of the taskbar that has started again.
static NEW_TASKBAR_MESSAGE: LazyLock<u32> = LazyLock::new(|| {
    // SAFETY: the name ends with a zero.
    unsafe { RegisterWindowMessageW(wide("TaskbarCreated").as_ptr()) }
});

/// Returns what a message means.
fn meaning(message: u32, (wparam, lparam): (WPARAM, LPARAM), new_taskbar: u32) -> Option<Received> {
    if message == new_taskbar && new_taskbar != 0 {
        return Some(Received::NewTaskbar);
    }
    // The lower half has the event, the upper one the number of the icon.
    match (message, lparam as u32 & 0xffff) {
        (ICON_MESSAGE, NIN_SELECT | KEY_SELECT | NIN_BALLOONUSERCLICK) => Some(Received::Select),
        (ICON_MESSAGE, WM_CONTEXTMENU) => {
            // Displays left of the main one have negative places.
            let place = |half: usize| i32::from(half as u16 as i16);
            Some(Received::Menu(place(wparam), place(wparam >> 16)))
        }
        _ => None,
    }
}

/// Keeps what the thread must know. The system calls this function on the thread of the window.
unsafe extern "system" fn receive(
    window: HWND,
    message: u32,
    wparam: WPARAM,
    lparam: LPARAM,
) -> LRESULT {
    match meaning(message, (wparam, lparam), *NEW_TASKBAR_MESSAGE) {
        Some(received) => {
            RECEIVED.with_borrow_mut(|all| all.push(received));
            0
        }
        // SAFETY: the arguments are those of this call.
        None => unsafe { DefWindowProcW(window, message, wparam, lparam) },
    }
}

/// Runs until a stop is requested.
pub(in crate::app::desktop) fn serve(shared: &Arc<Shared>, _bus: Option<&str>, stop: &Stop) {
    let Some(mut tray) = Tray::open() else {
        tracing::debug!(
            error = %std::io::Error::last_os_error(),
            "no window for the status icon: no desktop notifications",
        );
        return;
    };
    while !stop.is_set() {
        messages::wait(POLL_INTERVAL_MILLIS, |_| {});
        let state = shared.state.lock().clone();
        for received in RECEIVED.take() {
            match received {
                Received::Select => shared.ask(DesktopRequest::Raise),
                Received::Menu(x, y) => tray.menu(state.as_ref(), (x, y), shared),
                Received::NewTaskbar => tray.shown = None,
            }
        }
        if let Some(state) = state {
            tray.tell(state);
        }
    }
}

/// The hidden window and its icon.
struct Tray {
    window: HWND,
    icon: HICON,
    notification: Notification,
    /// What the taskbar has not taken yet.
    due: Option<Step>,
    /// The state that the icon shows, or `None` before the icon is there.
    shown: Option<DesktopState>,
}

impl Tray {
    fn open() -> Option<Self> {
        let class = wide("onair status");
        let about = WNDCLASSW {
            lpfnWndProc: Some(receive),
            lpszClassName: class.as_ptr(),
            ..WNDCLASSW::default()
        };
        // SAFETY: the name ends with a zero, and the procedure is a function of the program. A class that is registered
        // already is an error, which the second call shows.
        let window = unsafe {
            RegisterClassW(&raw const about);
            let (name, nothing) = (class.as_ptr(), ptr::null_mut());
            CreateWindowExW(0, name, name, 0, 0, 0, 0, 0, nothing, nothing, nothing, ptr::null())
        };
        let notification = Notification::default();
        let icon = ptr::null_mut();
        (!window.is_null()).then_some(Self { window, icon, notification, due: None, shown: None })
    }

    fn data(&self) -> NOTIFYICONDATAW {
        let mut data = NOTIFYICONDATAW {
            cbSize: size_of::<NOTIFYICONDATAW>() as u32,
            hWnd: self.window,
            uID: ICON_NUMBER,
            uCallbackMessage: ICON_MESSAGE,
            hIcon: self.icon,
            ..NOTIFYICONDATAW::default()
        };
        data.Anonymous.uVersion = NOTIFYICON_VERSION_4;
        data
    }

    /// Shows the state, and a notification if it is a new problem.
    fn tell(&mut self, state: DesktopState) {
        if self.shown.as_ref() == Some(&state) {
            return;
        }
        let is_new = self.shown.is_none();
        if is_new || self.shown.as_ref().map(StatusIcon::of) != Some(StatusIcon::of(&state)) {
            self.draw(StatusIcon::of(&state));
        }
        let mut data = self.data();
        data.uFlags = NIF_MESSAGE | NIF_ICON | NIF_TIP | NIF_SHOWTIP;
        copy(&state.sentence, &mut data.szTip);
        self.due = self.notification.look(&state).or(self.due.take());
        match &self.due {
            Some(Step::Show { summary, body }) => {
                data.uFlags |= NIF_INFO;
                data.dwInfoFlags = NIIF_WARNING | NIIF_LARGE_ICON;
                copy(summary, &mut data.szInfoTitle);
                // A notification without a text is not shown.
                copy(if body.is_empty() { &state.show } else { body }, &mut data.szInfo);
            }
            // An empty notification removes the last one.
            Some(Step::Close) => data.uFlags |= NIF_INFO,
            None => {}
        }
        // The taskbar also says that it is new when the display's resolution has changed, and then still has the icon.
        let calls: &[u32] = if is_new { &[NIM_ADD, NIM_MODIFY] } else { &[NIM_MODIFY] };
        // SAFETY: the structure has its size, and texts that end with zeros.
        let done =
            calls.iter().any(|call| unsafe { Shell_NotifyIconW(*call, &raw const data) } != 0);
        if done && is_new {
            // SAFETY: as above.
            unsafe { Shell_NotifyIconW(NIM_SETVERSION, &raw const data) };
        }
        // Without a taskbar, the next state tries again.
        if done {
            (self.shown, self.due) = (Some(state), None);
        }
    }

    /// Draws the icon in the size of the taskbar.
    fn draw(&mut self, icon: StatusIcon) {
        // SAFETY: a plain call.
        let side = unsafe { GetSystemMetrics(SM_CXSMICON) }.clamp(8, 256);
        let mut pixels = icon.pixels(side as u32);
        // From alpha, red, green and blue to the order of Windows.
        for pixel in pixels.as_chunks_mut::<4>().0 {
            pixel.reverse();
        }
        // With an alpha channel, the mask is not used, but must be there: one bit for each pixel, in words of 16 bits.
        let mask = vec![0_u8; (side as usize).div_ceil(16) * 2 * side as usize];
        // SAFETY: both pictures have as many bytes as the size says. The earlier icon is no longer shown after the
        // next change of the icon, and the system has its own copy until then.
        unsafe {
            let new =
                CreateIcon(ptr::null_mut(), side, side, 1, 32, mask.as_ptr(), pixels.as_ptr());
            if !new.is_null() {
                DestroyIcon(std::mem::replace(&mut self.icon, new));
            }
        }
    }

    /// Shows the menu, and runs the chosen entry.
    fn menu(&self, state: Option<&DesktopState>, (x, y): (i32, i32), shared: &Shared) {
        let Some(state) = state else { return };
        let can_go = if state.activity == Activity::Stopping { MF_GRAYED } else { 0 };
        let texts = [&state.sentence, &state.go_live, &state.show].map(|text| wide(&label(text)));
        let [sentence, go_live, show] = &texts;
        // SAFETY: the texts end with zeros and live until the menu is destroyed. Without the first call for the window, a
        // click elsewhere would not close the menu.
        let chosen = unsafe {
            let menu = CreatePopupMenu();
            AppendMenuW(menu, MF_STRING | MF_GRAYED, 0, sentence.as_ptr());
            AppendMenuW(menu, MF_SEPARATOR, 0, ptr::null());
            AppendMenuW(menu, MF_STRING | can_go, GO_LIVE_ENTRY, go_live.as_ptr());
            AppendMenuW(menu, MF_STRING, SHOW_ENTRY, show.as_ptr());
            SetForegroundWindow(self.window);
            let flags = TPM_RETURNCMD | TPM_NONOTIFY | TPM_RIGHTBUTTON;
            let chosen = TrackPopupMenu(menu, flags, x, y, 0, self.window, ptr::null());
            // Without another message, the next menu would close at once.
            PostMessageW(self.window, WM_NULL, 0, 0);
            DestroyMenu(menu);
            usize::try_from(chosen).unwrap_or(0)
        };
        match chosen {
            GO_LIVE_ENTRY => shared.ask(DesktopRequest::GoLiveOrStop),
            SHOW_ENTRY => shared.ask(DesktopRequest::Raise),
            _ => {}
        }
    }
}

impl Drop for Tray {
    fn drop(&mut self) {
        let data = self.data();
        // SAFETY: the icon and the window belong to this value and to this thread.
        unsafe {
            Shell_NotifyIconW(NIM_DELETE, &raw const data);
            DestroyWindow(self.window);
            DestroyIcon(self.icon);
        }
    }
}

/// Returns a text of which no letter is underlined as a key of the menu.
fn label(text: &str) -> String {
    text.replace('&', "&&")
}

fn wide(text: &str) -> Vec<u16> {
    platform::wide(OsStr::new(text))
}

/// Copies as much of the text as there is room for, with a zero at the end.
fn copy(text: &str, into: &mut [u16]) {
    let most = into.len().saturating_sub(1);
    let mut length = 0;
    for (place, unit) in into.iter_mut().zip(text.chars().flat_map(|sign| {
        let mut units = [0; 2];
        sign.encode_utf16(&mut units).to_vec()
    })) {
        if length == most {
            break;
        }
        *place = unit;
        length += 1;
    }
    // Half a character would be shown as a box.
    if into
        .get(..length)
        .and_then(<[u16]>::last)
        .is_some_and(|unit| (0xd800..0xdc00).contains(unit))
    {
        length -= 1;
    }
    if let Some(place) = into.get_mut(length) {
        *place = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clicks_and_a_new_taskbar_are_distinguished() {
        let place = (((-20_i16) as u16 as usize) << 16) | 300;
        let of =
            |message, event: u32| meaning(message, (place, ((1 << 16) | event) as LPARAM), 49_500);
        assert_eq!(of(ICON_MESSAGE, NIN_SELECT), Some(Received::Select));
        assert_eq!(of(ICON_MESSAGE, NIN_BALLOONUSERCLICK), Some(Received::Select));
        assert_eq!(of(ICON_MESSAGE, WM_CONTEXTMENU), Some(Received::Menu(300, -20)));
        assert_eq!(of(49_500, 0), Some(Received::NewTaskbar));
        assert_eq!(of(ICON_MESSAGE, 0x200), None);
        assert_eq!(meaning(0, (0, 0), 0), None);
    }

    #[test]
    fn a_long_text_is_cut_at_a_character() {
        let mut room = [7_u16; 4];
        copy("ab😀", &mut room);
        assert_eq!(room, [97, 98, 0, room[3]]);
        copy("直播中，有问题", &mut room);
        assert_eq!(String::from_utf16_lossy(&room), "直播中\0");
        copy("", &mut room);
        assert_eq!(room[0], 0);
    }
}
