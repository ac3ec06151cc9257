//! The named parts of the settings: scene collections (scenes, sources, the mixer) and profiles
//! (quality, targets, recording, hotkeys). The settings file contains the parts in use. Unused
//! parts are in separate files next to it.

pub mod exchange;
pub mod files;
pub mod import;
pub mod names;
pub mod on_air;
pub mod versions;

use std::io;

use toml::{Table, Value};

pub use names::{DEFAULT_NAME, InUse, MAX_NAME, PartKind, check_name, is_same_name};

use crate::studio::settings::Settings;
use crate::studio::settings::scenes::layout::CollectionTable;

/// The keys in the `window` table that belong to the profile.
const PROFILE_WINDOW_KEYS: [&str; 2] = ["push_to_talk_key", "push_to_talk_everywhere"];

impl PartKind {
    /// Returns the keys of this part in the settings file.
    const fn keys(self) -> &'static [&'static str] {
        match self {
            Self::Collection => &["video", "audio", "strips", "collection"],
            Self::Profile => &["delay_ms", "quality", "targets", "recording", "hotkeys", "window"],
        }
    }

    /// Copies this part of `from` to `to`.
    pub fn copy(self, from: &Settings, to: &mut Settings) {
        match self {
            Self::Collection => {
                to.video.clone_from(&from.video);
                to.audio.clone_from(&from.audio);
                to.strips.clone_from(&from.strips);
                to.collection.clone_from(&from.collection);
            }
            Self::Profile => {
                to.quality.clone_from(&from.quality);
                to.targets.clone_from(&from.targets);
                to.delay = from.delay;
                let (new, own) = (&from.preferences, &mut to.preferences);
                own.recording.clone_from(&new.recording);
                own.hotkeys.clone_from(&new.hotkeys);
                own.push_to_talk_key = new.push_to_talk_key;
                own.push_to_talk_everywhere = new.push_to_talk_everywhere;
            }
        }
    }

    /// Formats this part of the settings as a separate file. The text contains no secrets.
    ///
    /// # Errors
    /// Fails if the part cannot be formatted, which does not happen for a part that was read.
    pub fn text_of(self, settings: &Settings) -> io::Result<String> {
        let (written, _) = settings.concealed();
        let mut table = Table::try_from(written.to_file()).map_err(io::Error::other)?;
        table.retain(|key, _| self.keys().contains(&key));
        if let Some(Value::Table(window)) = table.get_mut("window") {
            window.retain(|key, _| PROFILE_WINDOW_KEYS.contains(&key));
        }
        if self == Self::Collection {
            let collection = Table::try_from(CollectionTable::of(&written.collection));
            let collection = collection.map_err(io::Error::other)?;
            table.insert("collection".into(), Value::Table(collection));
        }
        let version = Value::Integer(self.version());
        let whole: Table = std::iter::once(("version".into(), version)).chain(table).collect();
        toml::to_string_pretty(&whole).map_err(io::Error::other)
    }

    /// Returns the version of the file format. A collection's file has a separate version, and is
    /// read like an exported one.
    const fn version(self) -> i64 {
        match self {
            Self::Collection => crate::studio::settings::scenes::collection::COLLECTION_VERSION,
            Self::Profile => crate::studio::settings::reading::parts::SETTINGS_VERSION,
        }
    }
}

/// A summary of a part in a few numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PartSummary {
    pub scenes: usize,
    pub sources: usize,
    pub targets: usize,
    /// The frame size, such as `1280x720`.
    pub size: String,
    /// The frame rate.
    pub fps: String,
    /// The bitrate in kbit/s.
    pub kbps: u32,
}

impl PartSummary {
    /// Returns the summary of these settings.
    pub fn of(settings: &Settings) -> Self {
        Self {
            scenes: settings.collection.scenes.len(),
            sources: settings.collection.sources.len(),
            targets: settings.targets.iter().filter(|target| !target.is_built_in()).count(),
            size: settings.quality.size.to_string(),
            fps: settings.quality.frame_rate.to_string(),
            kbps: settings.quality.video_bitrate.0 / 1_000,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::studio::scenes::edits::Edit;
    use crate::studio::targets::Target;

    pub(super) fn sample() -> Settings {
        let mut settings = Settings { delay: Duration::from_secs(7), ..Settings::default() };
        assert!(settings.collection.apply(&Edit::AddScene("Talk".into())));
        let target = Target::custom(1, "rtmp://h/app", "planted_key".into());
        settings.targets.push(Target { name: "Mine".into(), ..target });
        settings.quality.video_bitrate.0 = 900_000;
        settings.watch_url = "rtmp://watched/a/b".into();
        settings
    }

    #[test]
    fn each_part_has_what_is_its_own_and_both_have_nothing_of_the_rest() {
        let (settings, mut joined) = (sample(), Settings::default());
        for kind in PartKind::ALL {
            let text = kind.text_of(&settings).unwrap();
            assert!(!text.contains("watched") && !text.contains("planted"), "{text}");
            let (read, warnings) = Settings::parse(&text);
            assert_eq!(warnings, Vec::<String>::new(), "{text}");
            kind.copy(&read, &mut joined);
        }
        assert_eq!(joined.collection, settings.collection);
        assert_eq!((joined.delay, &joined.quality), (settings.delay, &settings.quality));
        assert_eq!(joined.targets[1].server(), "rtmp://h/app");
        assert!(!PartKind::Collection.text_of(&settings).unwrap().contains("targets"));
        assert!(!PartKind::Profile.text_of(&settings).unwrap().contains("Talk"));
    }

    #[test]
    fn names_are_names_of_files_and_nothing_else() {
        assert_eq!(check_name("  Friday show 周五 "), Ok("Friday show 周五".into()));
        let long = "a".repeat(61);
        for bad in ["", "  ", "../up", "a/b", "a\\b", ".hidden", "a\nb", "a\u{202E}b", "C:", &long]
        {
            assert!(check_name(bad).is_err(), "{bad:?}");
        }
        assert!(is_same_name("Main", "main") && !is_same_name("Main", "Mains"));
    }

    #[test]
    fn a_file_of_before_has_one_of_each_by_the_first_name() {
        let text = "version = 2\n[quality]\nfps = '60'\n[[collection.scenes]]\nname = 'Old'\n";
        let (settings, warnings) = Settings::parse(text);
        assert_eq!(warnings, Vec::<String>::new());
        assert_eq!(settings.in_use, InUse::default());
        let (settings, warnings) = Settings::parse("[in_use]\nprofile = '../x'\ncollection = 'B'");
        assert_eq!((settings.in_use.name(PartKind::Profile), warnings.len()), (DEFAULT_NAME, 1));
        assert_eq!(settings.in_use.name(PartKind::Collection), "B");
    }
}
