//! The talk key while another window has the keyboard, where the desktop tells of it. On X11 a game or a
//! presentation keeps its keys, they are only looked at: there is a thread as long as somebody wants
//! to know, which wakes the window when the key is pressed or let go. On Wayland the desktop gives a
//! key of its own (`portal`), which the studio is told of past the window: one that nobody sees gets no
//! frames there.

mod key_state;
#[cfg(target_os = "linux")]
mod portal;
#[cfg(target_os = "linux")]
mod x11;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use eframe::egui;
use raw_window_handle::{HasWindowHandle as _, RawWindowHandle};

use crate::base::Worker;
use crate::studio::{Preferences, PushToTalkKey};
use crate::ui::GlobalKeySupport;

use key_state::KeyState;
pub use key_state::TURN;

/// See the module.
pub struct TalkKeys {
    wake: egui::Context,
    line: Arc<KeyState>,
    /// Looks whether the window still says that the key is held.
    lease: Option<Worker>,
    way: KeySource,
}

/// How other windows' keys are heard.
enum KeySource {
    None,
    Look(Option<Watched>),
    #[cfg(target_os = "linux")]
    Ask(portal::PortalKey),
}

struct Watched {
    key: PushToTalkKey,
    held: Arc<AtomicBool>,
    /// `None`: there is no thread for it.
    _worker: Option<Worker>,
}

impl TalkKeys {
    /// For the window that is being created. `tell` is told, on whatever thread, when the key is held and when
    /// it is let go.
    pub fn new(
        creation: &eframe::CreationContext<'_>,
        tell: impl Fn(bool) + Send + Sync + 'static,
    ) -> Self {
        let line = Arc::new(KeyState::new(tell));
        let wake = creation.egui_ctx.clone();
        let window = creation.window_handle().map(|handle| handle.as_raw());
        let way = match window {
            #[cfg(target_os = "linux")]
            Ok(RawWindowHandle::Xlib(_) | RawWindowHandle::Xcb(_)) => KeySource::Look(None),
            #[cfg(target_os = "linux")]
            Ok(RawWindowHandle::Wayland(_)) => {
                KeySource::Ask(portal::PortalKey::new(Arc::clone(&line), wake.clone()))
            }
            _ => KeySource::None,
        };
        Self { wake, line, lease: None, way }
    }

    /// How keys are heard here while another window has the keyboard.
    pub fn elsewhere(&self) -> GlobalKeySupport {
        match &self.way {
            KeySource::None => GlobalKeySupport::Never,
            KeySource::Look(_) => GlobalKeySupport::Looked,
            #[cfg(target_os = "linux")]
            KeySource::Ask(asker) => GlobalKeySupport::Asked(asker.reply()),
        }
    }

    /// The window says whether the key is held; that it is, it says with each frame.
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
                |error| tracing::warn!(%error, "a talk key of a window that vanishes stays held"),
            )
            .ok();
    }

    /// Whether this key is held, wherever, where the window has to say so itself; `None` where no strip listens
    /// to it behind other windows. `called` is what the desktop is to call it, where it is asked.
    pub fn held(
        &mut self,
        key: Option<PushToTalkKey>,
        preferences: &Preferences,
        called: impl FnOnce() -> String,
    ) -> bool {
        match &mut self.way {
            KeySource::None => false,
            KeySource::Look(watched) => {
                if key != watched.as_ref().map(|watched| watched.key) {
                    *watched = key.map(|key| Watched::new(key, self.wake.clone()));
                }
                watched.as_ref().is_some_and(|watched| watched.held.load(Ordering::Relaxed))
            }
            #[cfg(target_os = "linux")]
            KeySource::Ask(asker) => {
                let wanted = portal::WantedKey {
                    key: preferences.push_to_talk_key,
                    on: preferences.push_to_talk_everywhere,
                    listens: key.is_some(),
                };
                asker.follow(wanted, called);
                false
            }
        }
    }
}

impl Watched {
    fn new(key: PushToTalkKey, wake: egui::Context) -> Self {
        let held = Arc::new(AtomicBool::new(false));
        let its = Arc::clone(&held);
        let change = move |now| {
            if its.swap(now, Ordering::Relaxed) != now {
                wake.request_repaint();
            }
        };
        let worker = Worker::spawn("onair-talk-key", move |stop| watch_key(key, stop, &change))
            .inspect_err(|error| tracing::warn!(%error, "the talk key is heard in the window only"))
            .ok();
        Self { key, held, _worker: worker }
    }
}

#[cfg(target_os = "linux")]
use x11::watch_key;

#[cfg(not(target_os = "linux"))]
fn watch_key(_: PushToTalkKey, _: &crate::base::Stop, _: &dyn Fn(bool)) {}
