//! The talk key while another window has the keyboard, where the desktop tells of it (X11): a game or
//! a presentation keeps its keys, they are only looked at. As long as somebody wants to know there is
//! a thread, which wakes the window when the key is pressed or let go.

#[cfg(target_os = "linux")]
mod x11;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use eframe::egui;
use raw_window_handle::{HasWindowHandle as _, RawWindowHandle};

use crate::base::Worker;
use crate::studio::TalkKey;

/// See the module.
pub struct TalkKeys {
    wake: egui::Context,
    /// The desktop can be asked.
    reaches: bool,
    watched: Option<Watched>,
}

struct Watched {
    key: TalkKey,
    held: Arc<AtomicBool>,
    /// `None`: there is no thread for it.
    _worker: Option<Worker>,
}

impl TalkKeys {
    /// For the window that is being created.
    pub fn new(creation: &eframe::CreationContext<'_>) -> Self {
        let window = creation.window_handle().map(|handle| handle.as_raw());
        let reaches = cfg!(target_os = "linux")
            && matches!(window, Ok(RawWindowHandle::Xlib(_) | RawWindowHandle::Xcb(_)));
        Self { wake: creation.egui_ctx.clone(), reaches, watched: None }
    }

    /// Whether keys are told of here while another window has the keyboard.
    pub fn reaches(&self) -> bool {
        self.reaches
    }

    /// Whether this key is held, wherever; none is looked at any more with `None`.
    pub fn held(&mut self, key: Option<TalkKey>) -> bool {
        let key = key.filter(|_| self.reaches);
        if key != self.watched.as_ref().map(|watched| watched.key) {
            self.watched = key.map(|key| self.watch(key));
        }
        self.watched.as_ref().is_some_and(|watched| watched.held.load(Ordering::Relaxed))
    }

    fn watch(&self, key: TalkKey) -> Watched {
        let held = Arc::new(AtomicBool::new(false));
        let (its, wake) = (Arc::clone(&held), self.wake.clone());
        let change = move |now| {
            if its.swap(now, Ordering::Relaxed) != now {
                wake.request_repaint();
            }
        };
        let worker = Worker::spawn("onair-talk-key", move |stop| look(key, stop, &change))
            .inspect_err(|error| tracing::warn!(%error, "the talk key is heard in the window only"))
            .ok();
        Watched { key, held, _worker: worker }
    }
}

#[cfg(target_os = "linux")]
use x11::look;

#[cfg(not(target_os = "linux"))]
fn look(_: TalkKey, _: &crate::base::Stop, _: &dyn Fn(bool)) {}
