//! A studio that plays streams and broadcasts nothing.

use std::path::Path;

use onair::audio::AudioChoice;
use onair::base::Clock;
use onair::capture::VideoChoice;
use onair::studio::{Config, Settings, Snapshot, Studio};

use super::{LIMIT, wait_for};

/// Creates a studio that saves its settings in `folder`, and has no speaker.
pub fn watcher(folder: &Path) -> Studio {
    let path = folder.join("onair.toml");
    let (read, warnings) = Settings::read(&path);
    assert_eq!(warnings, Vec::<onair::text::Problem>::new());
    let settings =
        Settings { video: Some(VideoChoice::None), audio: Some(AudioChoice::None), ..read };
    let mut config = Config::new(Clock::start(), settings);
    config.settings_path = Some(path);
    config.keyring = false;
    config.player.speaker = false;
    Studio::start(config).unwrap()
}

/// Waits for the first snapshot that meets the condition.
pub fn wait(studio: &Studio, what: &str, enough: impl Fn(&Snapshot) -> bool) -> Snapshot {
    wait_for(what, LIMIT, || enough(&studio.snapshot()));
    studio.snapshot()
}
