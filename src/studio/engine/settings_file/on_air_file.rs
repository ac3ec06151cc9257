//! The file that records the running broadcast, and the record of an earlier run.

use std::path::PathBuf;

use crate::studio::settings::part::on_air::OnAirMark;

/// The record file; see the module documentation.
#[derive(Debug, Default)]
pub struct OnAirFile {
    /// The path; `None` means that nothing is recorded.
    pub path: Option<PathBuf>,
    pub written: Option<OnAirMark>,
    /// The record of an earlier run.
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
