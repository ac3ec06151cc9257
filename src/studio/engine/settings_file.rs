//! Where the engine's settings are kept, and when they are written.

use std::path::PathBuf;
use std::time::Duration;

use crate::base::Timestamp;
use crate::studio::settings::{Settings, WriteError};

/// Settings are written this long after the last change.
const SAVE_AFTER: Duration = Duration::from_millis(800);

/// See the module.
#[derive(Debug)]
pub(in crate::studio) struct SettingsFile {
    /// `None`: nothing is remembered.
    pub path: Option<PathBuf>,
    /// Where what is changed of the players is kept, and what it began with.
    pub players: Option<(PathBuf, Settings)>,
    /// The person's own services are to be written when the settings are.
    pub services_changed: bool,
    save_at: Option<Timestamp>,
}

impl SettingsFile {
    pub fn new(path: Option<PathBuf>, players: Option<(PathBuf, Settings)>) -> Self {
        Self { path, players, services_changed: false, save_at: None }
    }

    /// Something is to be written soon.
    pub fn changed(&mut self, now: Timestamp) {
        if self.path.is_some() || self.players.is_some() {
            self.save_at = Some(now + SAVE_AFTER);
        }
    }

    /// Whether that time has come.
    pub fn is_due(&self, now: Timestamp) -> bool {
        self.save_at.is_some_and(|at| now >= at)
    }

    /// Whether there is something to write, once.
    pub fn take_due(&mut self) -> bool {
        self.save_at.take().is_some()
    }

    /// Writes them.
    pub fn write(&mut self, settings: &Settings) -> Result<(), WriteError> {
        match (&self.path, &mut self.players) {
            (Some(path), _) => settings.write(path),
            (None, Some((path, began))) => {
                settings.write_player(began, path)?;
                began.clone_from(settings);
                Ok(())
            }
            (None, None) => Ok(()),
        }
    }
}
