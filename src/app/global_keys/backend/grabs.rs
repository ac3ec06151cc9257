//! Grabs hotkeys on X11, so that they work in other windows. Each hotkey is grabbed at the root
//! window, with Caps Lock and Num Lock on or off. The server refuses a key that another program has
//! grabbed. This module runs on its own thread.

use std::error::Error;
use std::time::Duration;

use x11rb::connection::Connection as _;
use x11rb::protocol::Event;
use x11rb::protocol::xproto::{ConnectionExt as _, GrabMode, KeyPressEvent, Keycode, ModMask};

use crate::app::global_keys::backend::keysyms::KeyCode;
use crate::app::global_keys::backend::x11::{codes_of, connect, has_num_lock};
use crate::base::Stop;
use crate::studio::settings::hotkeys::Hotkey;
use crate::ui::AnyCommand;

/// Interval between checks for key presses.
const KEY_POLL_INTERVAL: Duration = Duration::from_millis(30);
/// The pause before onair reconnects to a server that is gone.
const RECONNECT_DELAY: Duration = Duration::from_secs(2);

/// The hotkeys that do not work in other windows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::app::global_keys) struct RefusedHotkeys {
    /// Another program has grabbed these hotkeys.
    pub(in crate::app::global_keys) taken: Vec<AnyCommand>,
    /// The keyboard does not have the keys of these hotkeys.
    pub(in crate::app::global_keys) no_key: Vec<AnyCommand>,
}

/// Grabs the hotkeys, and reports their presses to `pressed` until `stop` is set, with whether
/// `window` has the keyboard focus. `report` receives the hotkeys that do not work.
pub(in crate::app::global_keys) fn listen(
    hotkeys: &[(AnyCommand, Hotkey)],
    window: u64,
    stop: &Stop,
    pressed: &dyn Fn(&AnyCommand, bool),
    report: &dyn Fn(RefusedHotkeys),
) {
    while !stop.is_set() {
        match grab(hotkeys, window, stop, pressed, report) {
            // The keyboard layout has changed.
            Ok(()) => {}
            Err(why) => {
                tracing::debug!(%why, "the X server refuses global hotkeys");
                if stop.wait(RECONNECT_DELAY) {
                    return;
                }
            }
        }
    }
}

/// Returns the modifiers that distinguish hotkeys, without the lock keys.
fn modifiers(hotkey: Hotkey) -> ModMask {
    let masks = [ModMask::CONTROL, ModMask::M1, ModMask::SHIFT];
    let held = hotkey.modifiers().into_iter().zip(masks).filter(|(held, _)| *held);
    held.fold(ModMask::from(0_u16), |all, (_, mask)| all | mask)
}

fn grab(
    hotkeys: &[(AnyCommand, Hotkey)],
    window: u64,
    stop: &Stop,
    pressed: &dyn Fn(&AnyCommand, bool),
    report: &dyn Fn(RefusedHotkeys),
) -> Result<(), Box<dyn Error>> {
    let (connection, root) = connect()?;
    let locks = [ModMask::from(0_u16), ModMask::LOCK, ModMask::M2, ModMask::LOCK | ModMask::M2];
    let (mut grabbed, mut refused) = (Vec::new(), RefusedHotkeys::default());
    for (command, hotkey) in hotkeys {
        let (held, [.., shift]) = (modifiers(*hotkey), hotkey.modifiers());
        let keys = codes_of(&connection, hotkey.key(), shift)?;
        if keys.is_empty() {
            refused.no_key.push(command.clone());
        }
        let mut free = true;
        for key in keys {
            let fits = |lock: &ModMask| key.works_with(has_num_lock(u16::from(*lock)));
            for lock in locks.into_iter().filter(fits) {
                let (mask, mode) = (held | lock, GrabMode::ASYNC);
                let grab = connection.grab_key(false, root, mask, key.code, mode, mode)?;
                free &= grab.check().is_ok();
            }
            grabbed.push((key, held, command));
        }
        if !free {
            refused.taken.push(command.clone());
        }
    }
    report(refused);
    let mut presses = Presses::default();
    while !stop.wait(KEY_POLL_INTERVAL) {
        while let Some(event) = connection.poll_for_event()? {
            match event {
                Event::KeyPress(press) if presses.is_new(&press) => {
                    let all =
                        u16::from(ModMask::CONTROL | ModMask::M1 | ModMask::SHIFT | ModMask::M4);
                    let state = u16::from(press.state);
                    let is = |(key, mask, _): &&(KeyCode, ModMask, &AnyCommand)| {
                        let fits = key.works_with(has_num_lock(state));
                        key.code == press.detail && u16::from(*mask) == state & all && fits
                    };
                    if let Some((.., command)) = grabbed.iter().find(is) {
                        // A grabbed key does not change the focus of the server.
                        let focus = connection.get_input_focus()?.reply()?.focus;
                        pressed(command, u64::from(focus) == window);
                    }
                }
                Event::KeyRelease(release) => presses.release(&release),
                Event::MappingNotify(_) => return Ok(()),
                _ => {}
            }
        }
    }
    Ok(())
}

/// Distinguishes presses from repeats, which the server sends as a release and a press at the same
/// time.
#[derive(Default)]
struct Presses {
    released: Option<(Keycode, u32)>,
}

impl Presses {
    fn release(&mut self, event: &KeyPressEvent) {
        self.released = Some((event.detail, event.time));
    }

    fn is_new(&self, event: &KeyPressEvent) -> bool {
        self.released != Some((event.detail, event.time))
    }
}
