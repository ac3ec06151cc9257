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

use crate::media::Size;
use crate::studio::settings::Settings;
use crate::studio::settings::scenes::layout::CollectionTable;
use crate::text::{self, Problem};

/// Copies the value of a key.
type CopyValue = fn(&Settings, &mut Settings);

/// The keys of a collection in the settings file.
const COLLECTION_KEYS: &[(&str, CopyValue)] = &[
    ("video", |from, to| to.video.clone_from(&from.video)),
    ("audio", |from, to| to.audio.clone_from(&from.audio)),
    ("strips", |from, to| to.strips.clone_from(&from.strips)),
    ("collection", |from, to| {
        let (old, new) = (&to.collection, &from.collection);
        to.preferences.projectors.open.retain(|it| it.shows.is_same_in(old, new));
        to.collection.clone_from(new);
    }),
];

/// The keys of a profile in the settings file. Only some keys of the `window` table belong to it.
const PROFILE_KEYS: &[(&str, CopyValue)] = &[
    ("delay_ms", |from, to| to.delay = from.delay),
    ("quality", |from, to| to.quality.clone_from(&from.quality)),
    ("canvas", |from, to| to.canvas.clone_from(&from.canvas)),
    ("targets", |from, to| to.targets.clone_from(&from.targets)),
    ("recording", |from, to| to.preferences.recording.clone_from(&from.preferences.recording)),
    ("hotkeys", |from, to| to.preferences.hotkeys.clone_from(&from.preferences.hotkeys)),
    ("window.push_to_talk_key", |from, to| {
        to.preferences.push_to_talk_key = from.preferences.push_to_talk_key;
    }),
    ("window.push_to_talk_everywhere", |from, to| {
        to.preferences.push_to_talk_everywhere = from.preferences.push_to_talk_everywhere;
    }),
];

impl PartKind {
    /// Returns the keys of this part in the settings file.
    const fn keys(self) -> &'static [(&'static str, CopyValue)] {
        match self {
            Self::Collection => COLLECTION_KEYS,
            Self::Profile => PROFILE_KEYS,
        }
    }

    /// Returns the keys of old settings files whose values belong to this part.
    const fn old_keys(self) -> &'static [&'static str] {
        match self {
            Self::Collection => &["gain_db", "muted"],
            Self::Profile => &["target"],
        }
    }

    /// Returns true if this problem of a settings file may concern this part. A problem without the
    /// path of a value may concern any part.
    pub fn may_have(self, problem: &Problem) -> bool {
        let path = problem.args().iter().find_map(|(name, value)| match value {
            text::Value::Text(path) if *name == "path" => Some(&**path),
            _ => None,
        });
        let Some(path) = path.filter(|_| problem.id().starts_with("settings-ignored")) else {
            return true;
        };
        let is_in = |value: &str, table: &str| {
            value.strip_prefix(table).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        let mut keys =
            self.keys().iter().map(|(key, _)| *key).chain(self.old_keys().iter().copied());
        keys.any(|key| is_in(path, key) || is_in(key, path))
    }

    /// Copies this part of `from` to `to`.
    pub fn copy(self, from: &Settings, to: &mut Settings) {
        self.keys().iter().for_each(|(_, copy)| copy(from, to));
    }

    /// Formats this part of the settings as a separate file. The text contains no secrets.
    ///
    /// # Errors
    /// Fails if the part cannot be formatted, which does not happen for a part that was read.
    pub fn text_of(self, settings: &Settings) -> io::Result<String> {
        let (written, _) = settings.concealed();
        let mut table = Table::try_from(written.to_file()).map_err(io::Error::other)?;
        let paths = || self.keys().iter().map(|(path, _)| *path);
        table.retain(|key, _| paths().any(|path| path.split('.').next() == Some(key)));
        if let Some(Value::Table(window)) = table.get_mut("window") {
            window.retain(|key, _| paths().any(|path| path.strip_prefix("window.") == Some(key)));
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
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartSummary {
    pub scenes: usize,
    pub sources: usize,
    /// The number of targets, with the built-in server.
    pub targets: usize,
    pub size: Size,
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
            targets: settings.targets.len(),
            size: settings.quality.size,
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
        let (mut settings, mut joined) = (sample(), Settings::default());
        settings.preferences.push_to_talk_everywhere = true;
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
        assert!(joined.preferences.push_to_talk_everywhere);
        assert!(!PartKind::Collection.text_of(&settings).unwrap().contains("targets"));
        assert!(!PartKind::Profile.text_of(&settings).unwrap().contains("Talk"));
    }

    #[test]
    fn a_problem_of_a_value_concerns_the_part_of_this_value() {
        for (text, concerned) in [
            ("[quality]\nsize = 'wide'", [false, true]),
            ("[target]\ncustom = 3", [false, true]),
            ("[window]\npush_to_talk_everywhere = 3", [false, true]),
            ("window = 3", [false, true]),
            ("gain_db = 'loud'", [true, false]),
            ("[collection]\nscenes = 3", [true, false]),
            ("[window]\nmaximized = 3", [false, false]),
            ("qualities = 3", [false, false]),
            ("version = 99", [true, true]),
            ("[", [true, true]),
        ] {
            let (_, warnings) = Settings::parse(text);
            let found = [PartKind::Collection, PartKind::Profile]
                .map(|kind| warnings.iter().any(|why| kind.may_have(why)));
            assert_eq!(found, concerned, "{text}: {warnings:?}");
        }
    }

    #[test]
    fn a_summary_counts_the_built_in_server_among_the_targets() {
        let summary = PartSummary::of(&sample());
        assert_eq!((summary.targets, summary.size), (2, Settings::default().quality.size));
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
