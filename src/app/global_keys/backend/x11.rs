//! Polls the X server for pressed keys and buttons. With polling, no grab or lost event can leave a
//! key pressed.

use std::error::Error;
use std::mem;
use std::time::Duration;

use x11rb::connection::Connection as _;
use x11rb::errors::{ConnectError, ReplyError};
use x11rb::protocol::Event;
use x11rb::protocol::xinput::{self, ConnectionExt as _};
use x11rb::protocol::xproto::{ConnectionExt as _, Keycode, ModMask, Window};
use x11rb::rust_connection::RustConnection;

use crate::app::global_keys::backend::keysyms::{self, KeyCode};
use crate::base::Stop;
use crate::studio::PushToTalkKey;

/// The polling interval, which is shorter than a syllable.
const KEY_POLL_INTERVAL: Duration = Duration::from_millis(20);
/// The pause before onair reconnects to a server that is gone.
const RECONNECT_DELAY: Duration = Duration::from_secs(2);

/// Reports whether the key is down, until `stop` is set; `None` if the keyboard does not have the
/// key.
pub(in crate::app::global_keys) fn watch_key(
    key: PushToTalkKey,
    stop: &Stop,
    change: &dyn Fn(Option<bool>),
) {
    loop {
        let watched = match button(key) {
            Some(button) => watch_button(button, stop, change),
            None => watch(key.name(), stop, change),
        };
        if let Err(why) = watched {
            tracing::debug!(%why, "reading key events from the X server failed");
        }
        // An unknown state counts as not held, so that no microphone is opened by mistake.
        change(Some(false));
        if stop.wait(RECONNECT_DELAY) {
            return;
        }
    }
}

/// Connects to the X server. Returns the root window too.
pub(in crate::app::global_keys) fn connect() -> Result<(RustConnection, Window), ConnectError> {
    let (connection, screen) = RustConnection::connect(None)?;
    let root = connection.setup().roots.get(screen).map_or(x11rb::NONE, |it| it.root);
    Ok((connection, root))
}

/// Returns true if Num Lock is on in this state of the modifiers.
pub(in crate::app::global_keys) fn has_num_lock(state: u16) -> bool {
    state & u16::from(ModMask::M2) != 0
}

fn watch(name: &str, stop: &Stop, change: &dyn Fn(Option<bool>)) -> Result<(), Box<dyn Error>> {
    let (connection, root) = connect()?;
    let (mut codes, mut stale) = (Vec::new(), true);
    while !stop.wait(KEY_POLL_INTERVAL) {
        while let Some(event) = connection.poll_for_event()? {
            stale |= matches!(event, Event::MappingNotify(_));
        }
        if mem::take(&mut stale) {
            codes = codes_of(&connection, name, false)?;
        }
        let keys = connection.query_keymap()?.reply()?.keys;
        let depends = codes.iter().any(|key| key.num_lock.is_some());
        let num_lock =
            depends && has_num_lock(connection.query_pointer(root)?.reply()?.mask.into());
        let is_held = is_any_down(&codes, &keys, num_lock);
        change((!codes.is_empty()).then_some(is_held));
    }
    Ok(())
}

/// Reports whether a mouse button is down, through XInput. Without XInput, the server reports only
/// the first five buttons, which do not include back and forward.
fn watch_button(
    button: u8,
    stop: &Stop,
    change: &dyn Fn(Option<bool>),
) -> Result<(), Box<dyn Error>> {
    let (connection, root) = connect()?;
    connection.xinput_xi_query_version(2, 0)?.reply()?;
    let devices = connection.xinput_xi_query_device(xinput::Device::ALL_MASTER)?.reply()?.infos;
    let pointers = devices.iter().filter(|it| it.type_ == xinput::DeviceType::MASTER_POINTER);
    let pointers: Vec<_> = pointers.map(|it| it.deviceid).collect();
    while !stop.wait(KEY_POLL_INTERVAL) {
        let mut down = false;
        for pointer in &pointers {
            let buttons = connection.xinput_xi_query_pointer(root, *pointer)?.reply()?.buttons;
            down |= is_pressed(&buttons, button);
        }
        change(Some(down));
    }
    Ok(())
}

/// Returns true if a button is pressed. `buttons` has one bit for each button.
fn is_pressed(buttons: &[u32], button: u8) -> bool {
    buttons.get(usize::from(button / 32)).is_some_and(|bits| bits >> (button % 32) & 1 == 1)
}

/// Returns the X11 number of a mouse button. The four numbers after the first three are for wheels.
fn button(key: PushToTalkKey) -> Option<u8> {
    Some(match key.button()? {
        3 => 2,
        4 => 8,
        5 => 9,
        _ => return None,
    })
}

/// Returns the keys with this name on the keyboard. `shift` is true if Shift is held.
pub(in crate::app::global_keys) fn codes_of(
    connection: &RustConnection,
    name: &str,
    shift: bool,
) -> Result<Vec<KeyCode>, ReplyError> {
    let (first, last) = (connection.setup().min_keycode, connection.setup().max_keycode);
    let count = last.saturating_sub(first).saturating_add(1);
    let mapping = connection.get_keyboard_mapping(first, count)?.reply()?;
    let each = usize::from(mapping.keysyms_per_keycode).max(1);
    Ok(keysyms::codes((first..=last).zip(mapping.keysyms.chunks(each)), name, shift))
}

/// Returns true if one of the keys is pressed and has its symbol in this state of Num Lock.
fn is_any_down(codes: &[KeyCode], keys: &[u8; 32], num_lock: bool) -> bool {
    codes.iter().any(|key| key.works_with(num_lock) && is_down(keys, key.code))
}

/// Returns true if a key is pressed. `keys` has one bit for each key.
fn is_down(keys: &[u8; 32], code: Keycode) -> bool {
    keys.get(usize::from(code / 8)).is_some_and(|byte| byte >> (code % 8) & 1 == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buttons_have_the_numbers_of_x11() {
        let keys = PushToTalkKey::NAMES.map(|name| PushToTalkKey::named(name).unwrap());
        let buttons: Vec<_> = keys.into_iter().filter_map(button).collect();
        assert_eq!(buttons, [2, 8, 9]);
    }

    #[test]
    fn a_bit_tells_of_a_key() {
        let mut keys = [0; 32];
        keys[8] = 0b10;
        assert!(is_down(&keys, 65));
        assert!(!is_down(&keys, 64) && !is_down(&keys, 255));
        // On the numeric keypad, 0 is also Insert.
        let is_zero = |num_lock| {
            let key = KeyCode { code: 65, num_lock: Some(true) };
            is_any_down(&[key], &keys, has_num_lock(num_lock))
        };
        assert!(is_zero(u16::from(ModMask::M2 | ModMask::LOCK)) && !is_zero(0));
        assert!(is_pressed(&[1 << 8], 8) && !is_pressed(&[1 << 8], 9) && !is_pressed(&[], 8));
        assert!(is_pressed(&[0, 1], 32));
    }
}
