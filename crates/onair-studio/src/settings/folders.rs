//! The default folders.

use std::path::{Path, PathBuf};

/// Returns the default recordings folder: the user's video folder, or `Videos` in the home folder
/// if the system defines no video folder. The first recording creates the folder.
pub fn default_recording_folder() -> PathBuf {
    let usual = || dirs::home_dir().map(|home| home.join("Videos"));
    dirs::video_dir().or_else(usual).unwrap_or_else(|| PathBuf::from("."))
}

/// Returns the journal of unfinished recordings: `onair/recordings` in the user's state folder, or
/// `None` if the system has no such folder.
pub fn default_journal() -> Option<PathBuf> {
    let folder = dirs::state_dir().or_else(dirs::data_local_dir);
    folder.map(|folder| folder.join("onair").join("recordings"))
}

/// Returns the folder for data of the stream delay that does not fit into memory: `onair` in the
/// user's cache folder, otherwise the system's temporary folder (which may itself be in memory).
pub fn default_delay_folder() -> PathBuf {
    dirs::cache_dir().map_or_else(std::env::temp_dir, |folder| folder.join("onair"))
}

/// Returns the default settings file: `onair/settings.toml` in the user's configuration folder;
/// `None` if the system has no such folder.
pub fn default_path() -> Option<PathBuf> {
    dirs::config_dir().map(|folder| folder.join("onair").join("settings.toml"))
}

/// Returns the stream key file of these settings, for systems without a keyring.
pub fn keys_beside(settings: &Path) -> PathBuf {
    beside(settings, "keys.toml")
}

/// Returns the file or folder `NAME` next to `settings.toml`, or `show-NAME` next to `show.toml`, so
/// that two settings files in one folder share no scenes, profiles or keys.
pub fn beside(settings: &Path, name: &str) -> PathBuf {
    let stem = settings.file_stem().unwrap_or_default().to_string_lossy();
    settings.with_file_name(match &*stem {
        "settings" => name.to_owned(),
        stem => format!("{stem}-{name}"),
    })
}
