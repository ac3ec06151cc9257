//! The file that notes what is on air, and what an earlier run left in it.

use std::path::PathBuf;

use crate::studio::settings::part::on_air::OnAirMark;

/// See the module.
#[derive(Debug, Default)]
pub struct OnAirFile {
    /// `None`: nothing is noted.
    pub path: Option<PathBuf>,
    pub written: Option<OnAirMark>,
    /// What an earlier run left.
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
