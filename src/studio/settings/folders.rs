//! Where things are kept unless somebody chose another place.

use std::path::{Path, PathBuf};

/// Where recordings go unless somebody chose another folder: the user's video folder, by its usual name where the
/// system tells of none. It is made with the first recording.
pub fn default_recording_folder() -> PathBuf {
    let usual = || dirs::home_dir().map(|home| home.join("Videos"));
    dirs::video_dir().or_else(usual).unwrap_or_else(|| PathBuf::from("."))
}

/// Where unfinished recordings are noted: `onair/recordings` in the user's state folder; `None` where
/// the system has none.
pub fn default_journal() -> Option<PathBuf> {
    let folder = dirs::state_dir().or_else(dirs::data_local_dir);
    folder.map(|folder| folder.join("onair").join("recordings"))
}

/// Where the stream delay puts what memory has no room for: `onair` in the user's cache folder, else
/// the system's folder for temporary files (which may be memory again).
pub fn default_delay_folder() -> PathBuf {
    dirs::cache_dir().map_or_else(std::env::temp_dir, |folder| folder.join("onair"))
}

/// The place of the settings unless `--settings` names another: `onair/settings.toml` in the user's
/// configuration folder; `None` where the system has no such folder.
pub fn default_path() -> Option<PathBuf> {
    dirs::config_dir().map(|folder| folder.join("onair").join("settings.toml"))
}

/// The file of stream keys that belongs to these settings, for where there is no keyring.
pub fn keys_beside(settings: &Path) -> PathBuf {
    settings.with_file_name("keys.toml")
}
