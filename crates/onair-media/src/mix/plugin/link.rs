//! What a running plugin and the rest of onair tell each other.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;

use crate::mix::plugin::parameter::{PluginParameter, PluginValues};
use crate::mix::plugin::trouble::PluginTrouble;

/// The state of a plugin's process.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum LinkState {
    /// No mixer uses the plugin.
    #[default]
    Off,
    /// The process starts. The filter is silent.
    Starting,
    Running,
    /// The process failed, and starts again soon. The filter is silent.
    Restarting(PluginTrouble),
    /// The process failed again, or cannot work. The audio passes unfiltered.
    Bypassed(PluginTrouble),
}

/// What is known about a running plugin.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report {
    pub state: LinkState,
    /// The name and the maker; empty until the plugin has run.
    pub name: String,
    /// True if the plugin has a window of its own.
    pub has_window: bool,
    /// The delay of the plugin in samples.
    pub latency: u32,
    pub parameters: Vec<PluginParameter>,
    /// The number of the process, if one runs.
    pub process: Option<u32>,
}

/// A state that a plugin reported, and the settings on which it is based.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Saved {
    pub state: Arc<[u8]>,
    /// All parameters.
    pub values: PluginValues,
    /// The parameters that are not at rest.
    pub changed: PluginValues,
    pub of_state: Arc<[u8]>,
    pub of_values: PluginValues,
    /// True if the plugin can save its state. If not, the parameters are all that there is.
    pub has_state: bool,
}

/// Connects the settings of a plugin with its process.
#[derive(Debug, Default)]
pub struct Link {
    report: Mutex<Report>,
    saved: Mutex<Option<Saved>>,
    shows_window: AtomicBool,
    restarts: AtomicBool,
    /// The state that `news` returned last.
    last_news: Mutex<LinkState>,
}

impl Link {
    pub fn report(&self) -> Report {
        self.report.lock().clone()
    }

    pub fn state(&self) -> LinkState {
        self.report.lock().state.clone()
    }

    /// Returns the state if it is new since the last call. For one caller.
    pub fn news(&self) -> Option<LinkState> {
        let state = self.state();
        let mut last = self.last_news.lock();
        (*last != state).then(|| {
            last.clone_from(&state);
            state
        })
    }

    /// Asks the plugin to show its own window.
    pub fn show_window(&self) {
        self.shows_window.store(true, Ordering::Relaxed);
    }

    /// Asks for another try with a bypassed plugin.
    pub fn restart(&self) {
        self.restarts.store(true, Ordering::Relaxed);
    }

    #[cfg(target_os = "linux")]
    pub(super) fn takes_restart(&self) -> bool {
        self.restarts.swap(false, Ordering::Relaxed)
    }

    #[cfg(target_os = "linux")]
    pub(super) fn takes_window(&self) -> bool {
        self.shows_window.swap(false, Ordering::Relaxed)
    }

    pub(super) fn update(&self, change: impl FnOnce(&mut Report)) {
        change(&mut self.report.lock());
    }

    pub(super) fn saved(&self) -> Option<Saved> {
        self.saved.lock().clone()
    }

    #[cfg(any(target_os = "linux", test))]
    pub(super) fn save(&self, saved: Saved) {
        *self.saved.lock() = Some(saved);
    }

    /// Forgets the reported state, because the plugin gets other settings.
    #[cfg(target_os = "linux")]
    pub(super) fn forget(&self) {
        *self.saved.lock() = None;
    }
}
