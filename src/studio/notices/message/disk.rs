//! Messages of disks and of files that could not be written.

use std::io;

use super::StudioMessage;
use crate::files::Trouble;
use crate::files::disk_space::Warning;

impl StudioMessage {
    /// Of the disk that a recording goes to.
    pub fn of_disk(warning: Warning) -> Self {
        match warning {
            Warning::Space { left, free } => Self::DiskSpace {
                minutes: (left.as_secs() / 60).to_string(),
                megabytes: (free / 1_000_000).to_string(),
            },
            Warning::Slow { queued } => Self::DiskSlow { seconds: queued.as_secs().to_string() },
        }
    }

    /// Of settings that could not be written.
    pub fn settings_not_saved(error: &io::Error) -> Self {
        Self::SettingsNotSaved { reason: Trouble::words(error), cure: Trouble::of(error).cure() }
    }
}
