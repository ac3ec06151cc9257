//! The file that records the running broadcast. After a crash, it tells the next start what can be
//! resumed.

use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::base::Secret;
use crate::platform::process::runs_this_program;
use crate::studio::settings::Settings;
use crate::studio::settings::disk::{put, read_bounded};
use crate::studio::settings::folders::beside;
use crate::studio::settings::part::files::PartFiles;
use crate::studio::settings::part::{InUse, PartKind};
use crate::studio::targets::{Target, TargetPlace, address};
use crate::text::problem::{Problem, problem};

/// The record of a running broadcast. It contains no secrets.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct OnAirMark {
    in_use: InUse,
    /// The last scene on air.
    pub scene: String,
    targets: Vec<MarkedTarget>,
    process: u32,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct MarkedTarget {
    /// The displayed name.
    name: String,
    /// The address without the key; empty for the built-in server.
    address: String,
    /// The name of the stored key, which distinguishes targets with the same address.
    key_name: String,
}

impl MarkedTarget {
    fn of(target: &Target) -> Self {
        // The address is the same whether the key was read or not.
        let unread = Secret::new("unread");
        let key = target.key().or(target.key_apart.then_some(&unread));
        let address = match &target.place {
            TargetPlace::BuiltIn => String::new(),
            TargetPlace::Custom { server, .. } => {
                let server = &address::without_tokens(server);
                let whole = address::parse(server, key);
                // A key that was not stored must be entered again; the address still identifies the
                // target.
                let whole = whole.or_else(|_| address::parse(server, Some(&unread)));
                whole.map_or_else(|_| "***".to_owned(), |it| it.to_string())
            }
        };
        Self { name: target.name.clone(), address, key_name: target.keep_as.clone() }
    }

    fn shown(&self) -> Problem {
        match (self.name.as_str(), self.address.as_str()) {
            ("", "") => problem!("health-built-in"),
            ("", address) => address.into(),
            (name, _) => name.into(),
        }
    }
}

impl OnAirMark {
    /// Returns the path of the file for these settings.
    pub fn place(settings: &Path) -> PathBuf {
        beside(settings, "on-air.toml")
    }

    /// Creates the record of the enabled targets.
    pub fn of(settings: &Settings, targets: &[Target]) -> Self {
        Self {
            in_use: settings.in_use.clone(),
            scene: settings.collection.current().map(|it| it.name.clone()).unwrap_or_default(),
            targets: targets.iter().filter(|it| it.enabled).map(MarkedTarget::of).collect(),
            process: std::process::id(),
        }
    }

    /// # Errors
    /// Fails if it cannot be written.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        put(path, &toml::to_string_pretty(self).map_err(io::Error::other)?)
    }

    /// Returns the record of a run that crashed, or `None` if there is none, or if that run is
    /// still on air.
    pub fn left(path: &Path) -> Option<Self> {
        let mark = Self::read(path)?;
        (!mark.is_of_other() && !mark.targets.is_empty()).then_some(mark)
    }

    fn read(path: &Path) -> Option<Self> {
        toml::from_str(&read_bounded(path).ok()?).ok()
    }

    /// Returns true if this is the record of another process, which is still running.
    fn is_of_other(&self) -> bool {
        self.process != std::process::id() && runs_this_program(self.process)
    }

    /// Returns true if the file is the record of another process, which is still running.
    pub fn is_in_use(path: &Path) -> bool {
        Self::read(path).is_some_and(|mark| mark.is_of_other())
    }

    /// Removes the record, because nothing is on air any more. The record of another process stays.
    pub fn remove(path: &Path) {
        if Self::is_in_use(path) {
            return;
        }
        match std::fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                tracing::warn!(%error, "deleting the on-air note failed");
            }
            _ => {}
        }
    }

    /// Returns the names of the targets.
    pub fn target_names(&self) -> Problem {
        let names: Vec<Problem> = self.targets.iter().map(MarkedTarget::shown).collect();
        problem!("health-target", name = names)
    }

    /// Returns the name of the collection or profile that was in use.
    pub fn part(&self, kind: PartKind) -> &str {
        self.in_use.name(kind)
    }

    /// Selects the record's collection, profile, scene and targets, for one run.
    ///
    /// # Errors
    /// Fails if a collection or profile is gone.
    pub fn prepare(
        &self,
        files: &PartFiles,
        settings: &mut Settings,
    ) -> Result<Vec<Problem>, Problem> {
        let mut warnings = Vec::new();
        for kind in PartKind::ALL {
            warnings.extend(files.borrow(kind, self.part(kind), settings)?);
        }
        self.choose_scene(settings);
        self.choose_targets(&mut settings.targets);
        Ok(warnings)
    }

    /// Selects the record's scene, if it still exists.
    pub(crate) fn choose_scene(&self, settings: &mut Settings) {
        if let Some(scene) = settings.collection.scene_named(&self.scene) {
            settings.collection.current = scene.id;
        }
    }

    /// Enables exactly the record's targets.
    pub(crate) fn choose_targets(&self, targets: &mut [Target]) {
        let known: Vec<MarkedTarget> = targets.iter().map(MarkedTarget::of).collect();
        // If a target's key was never stored, the key may have another name now.
        let is_only = |address: &str| known.iter().filter(|it| it.address == address).count() == 1;
        let is_marked = |target: &MarkedTarget| {
            self.targets.iter().any(|it| {
                it.address == target.address
                    && (it.key_name == target.key_name || is_only(&it.address))
            })
        };
        for (target, as_marked) in targets.iter_mut().zip(&known) {
            target.enabled = is_marked(as_marked);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::studio::scenes::edits::Edit;

    fn on_air() -> Settings {
        let mut settings = Settings::default();
        assert!(settings.collection.apply(&Edit::AddScene("Talk".into())));
        settings.collection.current = settings.collection.scene_named("Talk").unwrap().id;
        let target = |id, keep_as: &str| Target {
            keep_as: keep_as.into(),
            ..Target::custom(id, "rtmp://me:planted@h/app/planted", "".into())
        };
        settings.targets = vec![
            Target { enabled: false, ..Target::built_in() },
            target(1, "a"),
            Target { enabled: false, ..target(2, "b") },
        ];
        settings
    }

    #[test]
    fn what_was_on_air_is_found_again_by_the_next_start() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("settings.toml");
        let (files, path) = (PartFiles::beside(&file), OnAirMark::place(&file));
        assert_eq!(OnAirMark::left(&path), None);
        let settings = on_air();
        let mark = OnAirMark::of(&settings, &settings.targets);
        mark.write(&path).unwrap();
        assert!(!std::fs::read_to_string(&path).unwrap().contains("planted"));
        let mut both = settings.targets.clone();
        both[0].enabled = true;
        let names = OnAirMark::of(&settings, &both).target_names().to_string();
        assert!(names.starts_with("Built-in server; rtmp://"), "{names}");
        // Another start, in which the user has changed the targets and the scene.
        let mut next = on_air();
        next.targets[0].enabled = true;
        next.targets[1].enabled = false;
        next.collection.current = next.collection.scenes[0].id;
        let left = OnAirMark::left(&path).unwrap();
        assert_eq!(left.prepare(&files, &mut next).unwrap(), Vec::<Problem>::new());
        let enabled: Vec<bool> = next.targets.iter().map(|it| it.enabled).collect();
        assert_eq!(enabled, [false, true, false]);
        assert_eq!(next.collection.current().unwrap().name, "Talk");
        // The only target with an address is found although its key is stored under another name.
        let mut other = on_air();
        other.targets.truncate(2);
        other.targets[1] =
            Target { enabled: false, keep_as: "c".into(), ..other.targets[1].clone() };
        left.choose_targets(&mut other.targets);
        assert!(other.targets[1].enabled && !other.targets[0].enabled);
        OnAirMark::remove(&path);
        assert_eq!(OnAirMark::left(&path), None);
    }

    #[test]
    fn one_that_still_runs_is_not_taken_over_and_nonsense_is_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("on-air.toml");
        let settings = on_air();
        let mark = OnAirMark::of(&settings, &settings.targets);
        // Process 1 is running, but it is not onair.
        OnAirMark { process: 1, ..mark }.write(&path).unwrap();
        assert!(OnAirMark::left(&path).is_some());
        for text in ["", "x", "targets = 3", "process = -1", "\u{0}", "[targets]", "targets = [1]"]
        {
            std::fs::write(&path, text).unwrap();
            assert_eq!(OnAirMark::left(&path), None, "{text}");
        }
    }
}
