//! Receives hotkeys and the push-to-talk key while another window has the keyboard focus, if the
//! desktop reports these keys. On X11, onair grabs the hotkeys of commands (`grabs`). onair only
//! watches the push-to-talk key, so a game or a presentation still receives that key. Windows works in
//! the same way. On Wayland,
//! the desktop assigns the keys, all in one session (`portal`). Reports go to the studio directly,
//! because a hidden window gets no frames on Wayland.

mod backend;
mod key_state;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use eframe::egui;
use parking_lot::Mutex;
use raw_window_handle::{HasWindowHandle as _, RawWindowHandle};

use crate::base::Worker;
use crate::studio::settings::hotkeys::Hotkey;
use crate::studio::{Preferences, PushToTalkKey};
use crate::ui::{AnyCommand, GlobalHotkeys, GlobalKeySupport};

use backend::{PortalKeys, RefusedHotkeys, WantedKey, watch_key};
use key_state::KeyState;
pub use key_state::REPORT_RENEWAL_INTERVAL;

/// Receives the press of a command's hotkey, and whether onair's main window is known to have the
/// keyboard focus, on any thread.
type Pressed = Arc<dyn Fn(&AnyCommand, bool) + Send + Sync>;

/// Time limit for releasing grabbed hotkeys.
const RELEASE_TIMEOUT: Duration = Duration::from_secs(1);

/// The keys in other windows; see the module documentation.
pub struct GlobalKeys {
    wake: egui::Context,
    line: Arc<KeyState>,
    /// The thread that checks whether the window still reports the push-to-talk key as held.
    lease: Option<Worker>,
    pressed: Pressed,
    way: KeySource,
}

/// The source of keys in other windows.
enum KeySource {
    None,
    Look(Option<Watched>, Grabs),
    Ask(PortalKeys),
}

/// The grabbed hotkeys of commands.
#[derive(Default)]
struct Grabs {
    /// The system's number of onair's main window.
    window: u64,
    hotkeys: Vec<(AnyCommand, Hotkey)>,
    refused: Arc<Mutex<RefusedHotkeys>>,
    worker: Option<Worker>,
}

/// The push-to-talk key that is being watched.
struct Watched {
    key: PushToTalkKey,
    held: Arc<AtomicBool>,
    /// True if the keyboard does not have the key.
    no_key: Arc<AtomicBool>,
    /// `None` if the thread could not start.
    _worker: Option<Worker>,
}

impl GlobalKeys {
    /// Creates the state for the window that is being created. The state calls `tell` when the
    /// push-to-talk key is pressed and released, and `pressed` for the hotkeys of commands, both on
    /// any thread.
    pub fn new(
        creation: &eframe::CreationContext<'_>,
        tell: impl Fn(bool) + Send + Sync + 'static,
        pressed: impl Fn(&AnyCommand, bool) + Send + Sync + 'static,
    ) -> Self {
        let pressed = move |command: &AnyCommand, here: bool| {
            tracing::debug!("global hotkey pressed: {}", command.setting());
            pressed(command, here);
        };
        let (line, pressed) = (Arc::new(KeyState::new(tell)), Arc::new(pressed) as Pressed);
        let wake = creation.egui_ctx.clone();
        let window = creation.window_handle().map(|handle| handle.as_raw());
        let look = |window| KeySource::Look(None, Grabs { window, ..Grabs::default() });
        let way = match window {
            #[allow(clippy::unnecessary_cast, reason = "a `c_ulong` has 32 bits on Windows")]
            Ok(RawWindowHandle::Xlib(handle)) => look(handle.window as u64),
            Ok(RawWindowHandle::Xcb(handle)) => look(handle.window.get().into()),
            Ok(RawWindowHandle::Win32(handle)) => look(handle.hwnd.get().cast_unsigned() as u64),
            Ok(RawWindowHandle::Wayland(_)) => {
                let its = Arc::clone(&pressed);
                let on_press = Arc::new(move |name: &str| {
                    AnyCommand::parse(name).iter().for_each(|command| its(command, false));
                });
                KeySource::Ask(PortalKeys::new(Arc::clone(&line), on_press, wake.clone()))
            }
            _ => KeySource::None,
        };
        Self { wake, line, lease: None, pressed, way }
    }

    /// Returns how far this desktop supports keys in other windows.
    pub fn elsewhere(&self) -> GlobalKeySupport {
        match &self.way {
            KeySource::None => GlobalKeySupport::Never,
            KeySource::Look(Some(key), _) if key.no_key.load(Ordering::Relaxed) => {
                GlobalKeySupport::NoKey
            }
            KeySource::Look(..) => GlobalKeySupport::Looked,
            KeySource::Ask(asker) => GlobalKeySupport::Asked(asker.talk_reply()),
        }
    }

    /// Returns the state of the hotkeys of commands.
    pub fn hotkeys(&self) -> GlobalHotkeys {
        let support = self.elsewhere();
        match &self.way {
            KeySource::None => GlobalHotkeys { support, ..GlobalHotkeys::default() },
            KeySource::Look(_, grabs) => {
                let RefusedHotkeys { taken, no_key } = grabs.refused.lock().clone();
                GlobalHotkeys { support, taken, no_key, ..GlobalHotkeys::default() }
            }
            KeySource::Ask(asker) => GlobalHotkeys {
                support: GlobalKeySupport::Asked(asker.reply()),
                given: asker.given(),
                refusable: asker.refusable(),
                ..GlobalHotkeys::default()
            },
        }
    }

    /// Reports whether the push-to-talk key is held in the window. While the key is held, the
    /// window calls this function with each frame.
    pub fn here(&mut self, held: bool) {
        if !self.line.here(held, Instant::now()) {
            return;
        }
        let line = Arc::clone(&self.line);
        let worker = Worker::spawn("onair-talk-held", move |stop| {
            while let Some(rest) = line.lapse(Instant::now()) {
                if stop.wait(rest) {
                    return;
                }
            }
        });
        self.lease = worker
            .inspect_err(
                |error| tracing::warn!(%error, "no watch on the window: its push-to-talk key may stay held when it closes"),
            )
            .ok();
    }

    /// Sets the keys to follow in other windows: the hotkeys of `commands`, and the push-to-talk
    /// key `key`, which is `None` if onair need not watch the key. Returns true if onair watches
    /// the push-to-talk key and the key is held; the caller must then report this through
    /// [`Self::here`]. `called` returns the names that the desktop displays for the push-to-talk
    /// key or a command.
    pub fn follow(
        &mut self,
        key: Option<PushToTalkKey>,
        preferences: &Preferences,
        commands: &[(AnyCommand, Option<Hotkey>)],
        called: impl Fn(Option<&AnyCommand>) -> String,
    ) -> bool {
        match &mut self.way {
            KeySource::None => false,
            KeySource::Look(watched, grabs) => {
                if key != watched.as_ref().map(|watched| watched.key) {
                    *watched = key.map(|key| Watched::new(key, self.wake.clone()));
                }
                // If onair grabbed a key that types text, no other window would receive that text.
                let hotkeys = commands.iter().filter_map(|(command, hotkey)| {
                    Some((command.clone(), (*hotkey).filter(|hotkey| !hotkey.types())?))
                });
                grabs.follow(hotkeys.collect(), &self.pressed, &self.wake);
                watched.as_ref().is_some_and(|watched| watched.held.load(Ordering::Relaxed))
            }
            KeySource::Ask(asker) => {
                let talk = WantedKey {
                    key: preferences.push_to_talk_key,
                    on: preferences.push_to_talk_everywhere,
                    listens: key.is_some(),
                };
                asker.follow(talk, commands, called);
                false
            }
        }
    }
}

impl Grabs {
    fn follow(
        &mut self,
        hotkeys: Vec<(AnyCommand, Hotkey)>,
        pressed: &Pressed,
        wake: &egui::Context,
    ) {
        if hotkeys == self.hotkeys {
            return;
        }
        let before = self.worker.take();
        let window = self.window;
        *self = Self { window, hotkeys: hotkeys.clone(), ..Self::default() };
        if hotkeys.is_empty() {
            return;
        }
        let (pressed, refused) = (Arc::clone(pressed), Arc::clone(&self.refused));
        let wake = wake.clone();
        let grab = move |stop: &crate::base::Stop| {
            // The old keys are released first. Otherwise, these keys would appear to be grabbed by
            // another program.
            if let Some(Err(stuck)) = before.map(|worker| worker.join(RELEASE_TIMEOUT)) {
                tracing::debug!(%stuck, "releasing earlier global hotkeys failed");
            }
            backend::listen(&hotkeys, window, stop, &*pressed, &|commands| {
                *refused.lock() = commands;
                wake.request_repaint();
            });
        };
        self.worker = Worker::spawn("onair-hotkeys", grab)
            .inspect_err(|error| tracing::warn!(%error, "hotkeys work only in the window"))
            .ok();
    }
}

impl Watched {
    fn new(key: PushToTalkKey, wake: egui::Context) -> Self {
        let (held, no_key) = <(Arc<AtomicBool>, Arc<AtomicBool>)>::default();
        let (its_held, its_no_key) = (Arc::clone(&held), Arc::clone(&no_key));
        let change = move |now: Option<bool>| {
            let news = [(&its_held, now == Some(true)), (&its_no_key, now.is_none())];
            for (state, now) in news {
                if state.swap(now, Ordering::Relaxed) != now {
                    wake.request_repaint();
                }
            }
        };
        let worker = Worker::spawn("onair-talk-key", move |stop| watch_key(key, stop, &change))
            .inspect_err(
                |error| tracing::warn!(%error, "the push-to-talk key works only in the window"),
            )
            .ok();
        Self { key, held, no_key, _worker: worker }
    }
}
