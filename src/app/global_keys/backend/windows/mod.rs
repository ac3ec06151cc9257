//! Receives hotkeys and the push-to-talk key on Windows while another window has the keyboard focus.
//!
//! Hotkeys are registered: the system passes their presses to onair instead of to the other window, and refuses one that
//! another program has registered. The push-to-talk key is only watched, so a game still receives it.
#![allow(unsafe_code)]

mod keys;
mod no_portal;

use std::collections::HashMap;
use std::ptr;
use std::time::Duration;

use windows_sys::Win32::Foundation::HWND;
use windows_sys::Win32::UI::Input::KeyboardAndMouse::{
    GetAsyncKeyState, MOD_ALT, MOD_CONTROL, MOD_NOREPEAT, MOD_SHIFT, RegisterHotKey,
    UnregisterHotKey,
};
use windows_sys::Win32::UI::WindowsAndMessaging::{
    CreateWindowExW, DestroyWindow, GetForegroundWindow, HWND_MESSAGE, WM_HOTKEY,
};

use crate::base::Stop;
use crate::platform::messages;
use crate::studio::PushToTalkKey;
use crate::studio::settings::hotkeys::Hotkey;
use crate::ui::AnyCommand;

use keys::{button, codes};
pub(in crate::app::global_keys) use no_portal::{PortalKeys, WantedKey};

/// Interval between checks whether the hotkeys are still wanted. A press ends the wait.
const STOP_INTERVAL_MILLIS: u32 = 50;
/// The polling interval of the push-to-talk key, which is shorter than a syllable.
const KEY_POLL_INTERVAL: Duration = Duration::from_millis(20);

/// The hotkeys that do not work in other windows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::app::global_keys) struct RefusedHotkeys {
    /// Another program has registered these hotkeys.
    pub taken: Vec<AnyCommand>,
    /// The keyboard does not have the keys of these hotkeys.
    pub no_key: Vec<AnyCommand>,
}

/// The hotkeys that this thread has registered.
struct Registered<'a> {
    /// A window that is never shown, and receives only messages.
    window: HWND,
    commands: HashMap<usize, &'a AnyCommand>,
}

impl<'a> Registered<'a> {
    fn new() -> Self {
        // Every system has this class.
        let class: Vec<u16> = "STATIC\0".encode_utf16().collect();
        let (name, nothing) = (class.as_ptr(), ptr::null_mut());
        // SAFETY: the name ends with a zero.
        let window = unsafe {
            let parent = HWND_MESSAGE;
            CreateWindowExW(0, name, name, 0, 0, 0, 0, 0, parent, nothing, nothing, ptr::null())
        };
        Self { window, commands: HashMap::new() }
    }

    /// Registers a key with modifiers. Returns false if another program has it.
    fn add(&mut self, code: u32, [ctrl, alt, shift]: [bool; 3], command: &'a AnyCommand) -> bool {
        let held = [(ctrl, MOD_CONTROL), (alt, MOD_ALT), (shift, MOD_SHIFT)];
        let held = held.into_iter().filter(|(held, _)| *held);
        let modifiers = held.fold(MOD_NOREPEAT, |all, (_, modifier)| all | modifier);
        let number = self.commands.len();
        // SAFETY: a plain call; a window that does not exist gives an error.
        let registered =
            unsafe { RegisterHotKey(self.window, number as i32, modifiers, code) } != 0;
        if registered {
            self.commands.insert(number, command);
        }
        registered
    }
}

impl Drop for Registered<'_> {
    fn drop(&mut self) {
        // SAFETY: plain calls on the thread of the window.
        unsafe {
            for number in self.commands.keys() {
                UnregisterHotKey(self.window, *number as i32);
            }
            DestroyWindow(self.window);
        }
    }
}

/// Registers the hotkeys, and reports their presses to `pressed` until `stop` is set, with whether `window` has the
/// keyboard focus. `report` receives the hotkeys that do not work.
pub(in crate::app::global_keys) fn listen(
    hotkeys: &[(AnyCommand, Hotkey)],
    window: u64,
    stop: &Stop,
    pressed: &dyn Fn(&AnyCommand, bool),
    report: &dyn Fn(RefusedHotkeys),
) {
    let (mut registered, mut refused) = (Registered::new(), RefusedHotkeys::default());
    for (command, hotkey) in hotkeys {
        let [.., shift] = hotkey.modifiers();
        let codes = codes(hotkey.key(), shift);
        if codes.is_empty() {
            refused.no_key.push(command.clone());
            continue;
        }
        let mut is_free = true;
        for code in codes {
            is_free &= registered.add(code, hotkey.modifiers(), command);
        }
        if !is_free {
            refused.taken.push(command.clone());
        }
    }
    report(refused);
    while !stop.is_set() {
        messages::wait(STOP_INTERVAL_MILLIS, |message| {
            let command = registered.commands.get(&message.wParam);
            if let (WM_HOTKEY, Some(command)) = (message.message, command) {
                // SAFETY: a plain call.
                let front = unsafe { GetForegroundWindow() };
                pressed(command, front as usize as u64 == window);
            }
        });
    }
}

/// Reports whether the key is down, until `stop` is set; `None` if the keyboard does not have the key.
pub(in crate::app::global_keys) fn watch_key(
    key: PushToTalkKey,
    stop: &Stop,
    change: &dyn Fn(Option<bool>),
) {
    while !stop.wait(KEY_POLL_INTERVAL) {
        // Each time, because the user can choose another keyboard layout.
        let codes = button(key).map_or_else(|| codes(key.name(), false), |button| vec![button]);
        // SAFETY: a plain call. The highest bit is set while the key is down.
        let is_down = |code: &u32| unsafe { GetAsyncKeyState(*code as i32) } < 0;
        change((!codes.is_empty()).then(|| codes.iter().any(is_down)));
    }
    // An unknown state counts as not held, so that no microphone stays open by mistake.
    change(Some(false));
}
