//! The file that notes the running broadcast, and the note of an earlier run.

use std::path::PathBuf;

use crate::studio::settings::part::on_air::OnAirMark;

/// See the module documentation.
#[derive(Debug, Default)]
pub struct OnAirFile {
    /// `None`: no notes.
    pub path: Option<PathBuf>,
    pub written: Option<OnAirMark>,
    /// The note of an earlier run.
    pub left: Option<OnAirMark>,
}

impl OnAirFile {
    pub fn new(path: Option<PathBuf>) -> Self {
        Self { path, ..Self::default() }
    }

    pub fn remove(&mut self) {
        self.written = None;
        if let Some(path) = &self.path {
            OnAirMark::remove(path);
        }
    }
}
