//! The parts of the settings that are kept by name: scene collections (scenes, sources, the mixer) and
//! profiles (quality, targets, recording, hotkeys). The settings file has one of each, which is in use. The
//! others are files beside it.

pub mod exchange;
pub mod files;
pub mod on_air;
pub mod versions;

use std::io;

use serde::{Deserialize, Serialize};
use toml::{Table, Value};

use crate::studio::Settings;
use crate::studio::settings::scenes::layout::CollectionTable;
use crate::text::problem::{Problem, problem};

/// The name of the only one, until somebody gives it another.
pub const FIRST_NAME: &str = "Main";

/// Characters of a name: with an ending it is the name of a file.
pub const MAX_NAME: usize = 60;

/// Characters that not every file system takes in a name.
const NOT_IN_NAMES: &[char] = &['/', '\\', ':', '*', '?', '"', '<', '>', '|'];

/// Of the window's table, what belongs to a profile.
const HOTKEYS: [&str; 2] = ["push_to_talk_key", "push_to_talk_everywhere"];

/// What a part is.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PartKind {
    Collection,
    Profile,
}

impl PartKind {
    pub const ALL: [Self; 2] = [Self::Collection, Self::Profile];

    /// The folder of those that are not in use.
    pub const fn folder(self) -> &'static str {
        match self {
            Self::Collection => "collections",
            Self::Profile => "profiles",
        }
    }

    /// Its word on the command line and in JSON.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Collection => "collection",
            Self::Profile => "profile",
        }
    }

    /// The keys of the settings file that belong to it.
    const fn keys(self) -> &'static [&'static str] {
        match self {
            Self::Collection => &["video", "audio", "strips", "collection"],
            Self::Profile => &["delay_ms", "quality", "targets", "recording", "hotkeys", "window"],
        }
    }

    /// Puts this part of `from` in the place of that of `to`.
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

    /// This part of the settings as a file of its own. Nothing secret is in it.
    ///
    /// # Errors
    /// Where it cannot be laid out, which does not happen to what was read.
    pub fn text_of(self, settings: &Settings) -> io::Result<String> {
        let (written, _) = settings.concealed();
        let mut table = Table::try_from(written.to_file()).map_err(io::Error::other)?;
        table.retain(|key, _| self.keys().contains(&key));
        if let Some(Value::Table(window)) = table.get_mut("window") {
            window.retain(|key, _| HOTKEYS.contains(&key));
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

    /// A collection's file has a version of its own; it is read as one that was exported.
    const fn version(self) -> i64 {
        match self {
            Self::Collection => crate::studio::settings::scenes::collection::VERSION,
            Self::Profile => crate::studio::settings::reading::parts::VERSION,
        }
    }
}

/// Which of each is in use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct InUse {
    #[serde(deserialize_with = "name")]
    pub collection: String,
    #[serde(deserialize_with = "name")]
    pub profile: String,
}

impl Default for InUse {
    fn default() -> Self {
        Self { collection: FIRST_NAME.into(), profile: FIRST_NAME.into() }
    }
}

impl InUse {
    /// The name of the one in use.
    pub fn name(&self, kind: PartKind) -> &str {
        match kind {
            PartKind::Collection => &self.collection,
            PartKind::Profile => &self.profile,
        }
    }

    pub(in crate::studio) fn set(&mut self, kind: PartKind, name: &str) {
        match kind {
            PartKind::Collection => self.collection = name.into(),
            PartKind::Profile => self.profile = name.into(),
        }
    }

    pub(in crate::studio::settings) fn is_first(&self) -> bool {
        *self == Self::default()
    }
}

fn name<'de, D: serde::Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    let name = String::deserialize(from)?;
    check_name(&name).map_err(crate::studio::settings::reading::values::refuse)
}

/// A name as it may be kept.
///
/// # Errors
/// What is wrong with it.
pub fn check_name(name: &str) -> Result<String, Problem> {
    let name = name.trim();
    if name.is_empty() {
        return Err(problem!("part-name-empty"));
    }
    if name.chars().count() > MAX_NAME {
        return Err(problem!("part-name-long", most = MAX_NAME));
    }
    if name.starts_with('.') {
        return Err(problem!("part-name-dot"));
    }
    let bad = |it: char| NOT_IN_NAMES.contains(&it) || !crate::base::sanitize::is_harmless(it);
    if name.contains(bad) || name.contains(['\n', '\t']) {
        return Err(problem!("part-name-character"));
    }
    Ok(name.to_owned())
}

/// Whether both are the same file on a file system that takes `A` for `a`.
pub fn is_same_name(one: &str, other: &str) -> bool {
    one.to_lowercase() == other.to_lowercase()
}

/// How much is in a part, in a few numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PartSummary {
    pub scenes: usize,
    pub sources: usize,
    pub targets: usize,
    /// `1280x720`, frames a second, and kbit/s.
    pub size: String,
    pub fps: String,
    pub kbps: u32,
}

impl PartSummary {
    /// Of these settings.
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
    use crate::studio::Target;
    use crate::studio::scenes::edits::Edit;

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
        assert_eq!((settings.in_use.name(PartKind::Profile), warnings.len()), (FIRST_NAME, 1));
        assert_eq!(settings.in_use.name(PartKind::Collection), "B");
    }
}
