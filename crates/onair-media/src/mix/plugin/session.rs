//! What the mixer's thread and the supervisor of a plugin share.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
#[cfg(target_os = "linux")]
use std::sync::atomic::Ordering;

use parking_lot::Mutex;

#[cfg(target_os = "linux")]
use crate::mix::plugin::backend::ring::Ring;
#[cfg(not(target_os = "linux"))]
use crate::mix::plugin::no_ring::Ring;
use crate::mix::plugin::settings::Plugin;

/// What the mixer's thread does with the audio.
#[derive(Clone, Debug, Default)]
#[cfg_attr(not(target_os = "linux"), allow(dead_code, reason = "there is nothing to run"))]
pub(super) enum Mode {
    #[default]
    Silent,
    /// The process filters the audio. `latency` is the plugin's own delay in samples.
    Running {
        ring: Arc<Ring>,
        latency: usize,
    },
    Bypassed,
}

/// What the mixer's thread and the supervisor share. Neither holds a lock for long.
#[derive(Debug, Default)]
pub(super) struct Session {
    /// The mode, and the number of changes.
    pub mode: Mutex<(Mode, u64)>,
    /// The settings that the plugin is to have, if they are new.
    pub wanted_plugin: Mutex<Option<Arc<Plugin>>>,
    /// True if the process wrote impossible positions.
    pub garbage: AtomicBool,
}

impl Session {
    #[cfg(target_os = "linux")]
    pub(super) fn run(&self, ring: Arc<Ring>, latency: usize) {
        self.garbage.store(false, Ordering::Relaxed);
        self.set(Mode::Running { ring, latency });
    }

    #[cfg(target_os = "linux")]
    pub(super) fn silence(&self) {
        self.set(Mode::Silent);
    }

    pub(super) fn bypass(&self) {
        self.set(Mode::Bypassed);
    }

    fn set(&self, mode: Mode) {
        let mut its = self.mode.lock();
        *its = (mode, its.1.wrapping_add(1));
    }

    #[cfg(target_os = "linux")]
    pub(super) fn wanted(&self) -> Option<Arc<Plugin>> {
        self.wanted_plugin.lock().take()
    }

    #[cfg(target_os = "linux")]
    pub(super) fn has_garbage(&self) -> bool {
        self.garbage.load(Ordering::Relaxed)
    }
}
