//! Manages the files of unused collections and profiles, in two folders next to the settings file.
//! A collection or profile is stored in one place only: in the settings file while it is in use,
//! otherwise in its own file.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::files::{Trouble, rename_numbered};
use crate::studio::settings::Settings;
use crate::studio::settings::disk::{put, read_bounded};
use crate::studio::settings::folders::beside;
use crate::studio::settings::part::versions::{VersionId, Versions};
use crate::studio::settings::part::{PartKind, check_name, is_same_name};
use crate::studio::settings::reading::syntax;
use crate::studio::targets::address::{is_name, kept_names};
use crate::text::problem::{Problem, problem};

/// Maximum number of files that are read in a folder.
const MAX_FILES: usize = 1_000;

/// Maximum number of collections, and of profiles.
pub const MAX_PARTS: usize = 100;

/// The file that lists the names of the keyring entries of deleted collections and sources.
const DELETED_ENTRIES: &str = "deleted-entries.txt";

/// The files of unused collections and profiles; see the module documentation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartFiles {
    settings: PathBuf,
}

impl PartFiles {
    /// Returns the files that belong to this settings file.
    pub fn beside(settings: &Path) -> Self {
        Self { settings: settings.to_owned() }
    }

    /// Returns the earlier versions of the collections and profiles.
    pub fn versions(&self) -> Versions {
        Versions::in_folder(self.place("versions"))
    }

    fn place(&self, name: &str) -> PathBuf {
        beside(&self.settings, name)
    }

    fn path(&self, kind: PartKind, name: &str) -> PathBuf {
        self.place(kind.folder()).join(format!("{name}.toml"))
    }

    /// Returns the sorted names of the unused collections or profiles.
    pub fn parked(&self, kind: PartKind) -> Vec<String> {
        let entries = fs::read_dir(self.place(kind.folder())).into_iter().flatten();
        let mut names: Vec<String> = entries
            .take(MAX_FILES)
            .flatten()
            .filter_map(|entry| {
                let path = entry.path();
                path.extension().filter(|it| *it == "toml")?;
                let name = path.file_stem()?.to_str()?;
                check_name(name).ok().filter(|it| it == name)
            })
            .collect();
        names.sort_by_key(|name| name.to_lowercase());
        names
    }

    /// Returns all names, sorted: the unused ones, and the one in use.
    pub fn names(&self, kind: PartKind, settings: &Settings) -> Vec<String> {
        let current = settings.in_use.name(kind);
        let mut names = self.parked(kind);
        // A file that remains from an earlier change is older than the content of the settings
        // file.
        names.retain(|name| !is_same_name(name, current));
        names.push(current.to_owned());
        names.sort_by_key(|name| name.to_lowercase());
        names
    }

    /// Reads an unused collection or profile. The returned problems list its ignored values.
    ///
    /// # Errors
    /// Fails if the collection or profile does not exist, or if its file cannot be read.
    pub fn read(&self, kind: PartKind, name: &str) -> Result<(Settings, Vec<Problem>), Problem> {
        let name = check_name(name)?;
        let unreadable = |why: Problem| problem!("part-unreadable", name = &name, reason = why);
        let text = read_bounded(&self.path(kind, &name)).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => missing(kind, &name, &self.parked(kind)),
            _ => unreadable(syntax::unreadable(&error)),
        })?;
        syntax::toml(&text).map_err(unreadable)?;
        let (settings, warnings) = Settings::parse(&text);
        if !warnings.is_empty() {
            // The file is later written without the values that could not be used, so the original
            // text is kept as a version.
            let _ = self.versions().add(kind, &name, &text);
        }
        Ok((settings, warnings))
    }

    /// Uses this collection or profile for one run, without writing anything.
    ///
    /// # Errors
    /// Fails with the same errors as [`PartFiles::read`].
    pub fn borrow(
        &self,
        kind: PartKind,
        name: &str,
        settings: &mut Settings,
    ) -> Result<Vec<Problem>, Problem> {
        let (name, names) = (check_name(name)?, self.names(kind, settings));
        let Some(name) = names.iter().find(|it| is_same_name(it, &name)) else {
            return Err(missing(kind, &name, &names));
        };
        if name == settings.in_use.name(kind) {
            return Ok(Vec::new());
        }
        let (other, warnings) = self.read(kind, name)?;
        kind.copy(&other, settings);
        settings.in_use.set(kind, name);
        Ok(warnings)
    }

    /// Writes a collection or profile that is not in use to its own file.
    ///
    /// # Errors
    /// Fails if it cannot be written.
    pub fn park(&self, kind: PartKind, name: &str, settings: &Settings) -> Result<(), Problem> {
        let path = self.path(kind, name);
        let written = kind.text_of(settings).and_then(|text| put(&path, &text));
        written.map_err(|error| {
            let reason = Trouble::settings_problem(&error);
            problem!("source-file", path = path.display().to_string(), reason = reason)
        })
    }

    /// Switches to another collection or profile, and saves the settings.
    ///
    /// # Errors
    /// Fails if the collection or profile cannot be read or written. In that case, nothing has
    /// changed.
    pub fn switch(
        &self,
        kind: PartKind,
        name: &str,
        settings: &mut Settings,
    ) -> Result<Vec<Problem>, Problem> {
        let mut new = settings.clone();
        let warnings = self.borrow(kind, name, &mut new)?;
        if new.in_use != settings.in_use {
            self.begin(kind, settings, new)?;
        }
        Ok(warnings)
    }

    /// Switches to `new`. First, the current collection or profile is written to its own file. Then
    /// the settings are written, and only then is the file of `new` deleted. An interruption
    /// therefore loses nothing. A file that already has the name of the current one is kept as a
    /// version, because the settings file may be new or damaged: its names are then the default
    /// ones.
    ///
    /// # Errors
    /// Fails if writing fails. In that case, nothing has changed.
    pub(crate) fn begin(
        &self,
        kind: PartKind,
        settings: &mut Settings,
        new: Settings,
    ) -> Result<(), Problem> {
        let name = settings.in_use.name(kind);
        self.keep_file(kind, name)?;
        self.park(kind, name, settings)?;
        new.write(&self.settings).map_err(|error| Trouble::problem(&error.cause))?;
        *settings = new;
        self.drop_file(kind, settings.in_use.name(kind));
        Ok(())
    }

    /// Keeps the file of a collection or profile, if it exists, as a version. An unreadable file,
    /// for example without read permission, stays in its folder as `NAME.toml.broken`.
    fn keep_file(&self, kind: PartKind, name: &str) -> Result<(), Problem> {
        let path = self.path(kind, name);
        let error = match read_bounded(&path) {
            Ok(text) => {
                let kept = self.versions().add(kind, name, &text);
                return kept.map_err(|error| Trouble::problem(&error));
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => error,
        };
        tracing::warn!(%error, path = %path.display(), "reading an unused file failed");
        let moved = rename_numbered(&path, &path.with_extension("toml.broken"));
        moved.map(drop).map_err(|_| {
            let (path, reason) = (path.display().to_string(), syntax::unreadable(&error));
            problem!("part-unreadable", name = path, reason = reason)
        })
    }

    fn drop_file(&self, kind: PartKind, name: &str) {
        match fs::remove_file(self.path(kind, name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                // The file is ignored as long as the one in use has the same name.
                tracing::warn!(%error, name, "deleting an unused file failed");
            }
            _ => {}
        }
    }

    /// Deletes an unused collection or profile. Its last state is kept as a version.
    ///
    /// # Errors
    /// Fails if its file cannot be deleted.
    pub fn remove(&self, kind: PartKind, name: &str) -> Result<(), Problem> {
        let path = self.path(kind, &check_name(name)?);
        if let Ok(text) = read_bounded(&path) {
            let kept = self.versions().add(kind, name, &text);
            kept.map_err(|error| Trouble::problem(&error))?;
        }
        fs::remove_file(path).map_err(|error| Trouble::problem(&error))
    }

    /// Returns the sorted names of deleted collections or profiles whose last versions still exist.
    pub fn deleted(&self, kind: PartKind, settings: &Settings) -> Vec<String> {
        let names = self.names(kind, settings);
        let mut deleted = self.versions().names(kind);
        deleted.retain(|name| !names.iter().any(|it| is_same_name(it, name)));
        deleted
    }

    /// Restores an unused or deleted collection or profile to this version. The current content of
    /// an unused one is kept as a version.
    ///
    /// # Errors
    /// Fails if the version cannot be read, or if the file cannot be written. In that case, nothing
    /// has changed.
    pub fn restore(
        &self,
        kind: PartKind,
        name: &str,
        id: &VersionId,
        settings: &Settings,
    ) -> Result<(), Problem> {
        let (mut name, names) = (check_name(name)?, self.names(kind, settings));
        match names.into_iter().find(|it| is_same_name(it, &name)) {
            Some(known) => name = known,
            None => name = self.free_name(kind, &name, settings)?,
        }
        let old = self.versions().read(kind, &name, id)?;
        self.keep_file(kind, &name)?;
        self.park(kind, &name, &old)
    }

    /// Renames an unused collection or profile together with its versions.
    ///
    /// # Errors
    /// Fails if it cannot be renamed.
    pub fn rename(&self, kind: PartKind, was: &str, name: &str) -> Result<(), Problem> {
        let (was, name) = (check_name(was)?, check_name(name)?);
        let moved = fs::rename(self.path(kind, &was), self.path(kind, &name));
        moved.map_err(|error| Trouble::problem(&error))?;
        self.versions().rename(kind, &was, &name);
        Ok(())
    }

    /// Checks a name for a new collection or profile.
    ///
    /// # Errors
    /// Fails if the name is taken or invalid.
    pub fn free_name(
        &self,
        kind: PartKind,
        name: &str,
        settings: &Settings,
    ) -> Result<String, Problem> {
        let (name, names) = (check_name(name)?, self.names(kind, settings));
        if names.iter().any(|it| is_same_name(it, &name)) {
            return Err(problem!("part-name-taken", name = name));
        }
        if names.len() >= MAX_PARTS {
            return Err(problem!("part-too-many", most = MAX_PARTS));
        }
        Ok(name)
    }

    /// Returns true if an unused collection or profile contains the name of this keyring entry, or
    /// a version of a collection, which can be restored with its secrets. The entry is then still
    /// needed.
    pub(crate) fn mention(&self, name: &str) -> bool {
        let kind = PartKind::Collection;
        let versions = || self.version_texts(kind, self.versions().names(kind));
        self.mention_key(name)
            || self.parked_texts(kind).any(|text| text.contains(name))
            || versions().any(|text| text.contains(name))
    }

    /// Returns true if an unused profile contains the name of this stream key. Collections contain
    /// no stream keys, and a version of a profile is restored without its keys.
    pub(crate) fn mention_key(&self, name: &str) -> bool {
        self.parked_texts(PartKind::Profile).any(|text| text.contains(name))
    }

    fn parked_texts(&self, kind: PartKind) -> impl Iterator<Item = String> {
        let names = self.parked(kind).into_iter();
        names.filter_map(move |name| read_bounded(&self.path(kind, &name)).ok())
    }

    /// Returns the texts of all versions of the collections or profiles with these names.
    fn version_texts(&self, kind: PartKind, names: Vec<String>) -> impl Iterator<Item = String> {
        let versions = self.versions();
        names.into_iter().flat_map(move |name| {
            let ids = versions.list(kind, &name).into_iter();
            ids.filter_map(|id| versions.text(kind, &name, &id).ok()).collect::<Vec<_>>()
        })
    }

    /// Lists a keyring entry of a source that was deleted.
    pub(crate) fn list_entry(&self, entry: &str) {
        let mut entries = self.deleted_entries();
        if entries.insert(entry.to_owned()) {
            self.put_deleted_entries(&entries);
        }
    }

    /// Lists the keyring entries of all versions of a collection, which was deleted or replaced.
    pub(crate) fn list_entries(&self, name: &str) {
        let mut entries = self.deleted_entries();
        for text in self.version_texts(PartKind::Collection, vec![name.to_owned()]) {
            entries.extend(kept_names(&text).map(str::to_owned));
        }
        self.put_deleted_entries(&entries);
    }

    /// Returns the listed keyring entries that neither the settings nor a collection, profile or
    /// version contains any more, and removes them from the list.
    pub(crate) fn take_needless_entries(&self, settings: &Settings) -> BTreeSet<String> {
        let mut entries = self.deleted_entries();
        if entries.is_empty() {
            return entries;
        }
        let collections = self.versions().names(PartKind::Collection);
        let versions = self.version_texts(PartKind::Collection, collections);
        let unused = PartKind::ALL.into_iter().flat_map(|kind| self.parked_texts(kind));
        let own = PartKind::ALL.into_iter().filter_map(|kind| kind.text_of(settings).ok());
        let mut needless = entries.clone();
        for text in own.chain(unused).chain(versions) {
            for name in kept_names(&text) {
                needless.remove(name);
            }
        }
        if !needless.is_empty() {
            entries.retain(|name| !needless.contains(name));
            self.put_deleted_entries(&entries);
        }
        needless
    }

    fn deleted_entries(&self) -> BTreeSet<String> {
        let text = read_bounded(&self.place(DELETED_ENTRIES)).unwrap_or_default();
        text.lines().filter(|line| is_name(line)).map(str::to_owned).collect()
    }

    fn put_deleted_entries(&self, entries: &BTreeSet<String>) {
        let text: String = entries.iter().flat_map(|name| [name.as_str(), "\n"]).collect();
        let path = self.place(DELETED_ENTRIES);
        let written = match entries.is_empty() {
            true if !path.exists() => Ok(()),
            true => fs::remove_file(path),
            false => put(&path, &text),
        };
        if let Err(error) = written {
            tracing::warn!(%error, "listing the keyring entries of deleted sources failed");
        }
    }

    /// Returns the names of the keyring entries with addresses of all collections and profiles that
    /// are not in use, including those of their versions.
    pub fn address_names(&self, settings: &Settings) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        for kind in PartKind::ALL {
            let mut names = self.versions().names(kind);
            names.retain(|name| !is_same_name(name, settings.in_use.name(kind)));
            for text in self.parked_texts(kind).chain(self.version_texts(kind, names)) {
                found.extend(kept_names(&text).map(str::to_owned));
            }
        }
        found
    }
}

/// Returns the problem that no collection or profile has this name.
fn missing(kind: PartKind, name: &str, names: &[String]) -> Problem {
    match kind {
        PartKind::Collection => problem!("part-no-collection", name = name, names = names),
        PartKind::Profile => problem!("part-no-profile", name = name, names = names),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::studio::scenes::edits::Edit;

    fn started() -> (tempfile::TempDir, PathBuf, PartFiles, Settings) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("settings.toml");
        let files = PartFiles::beside(&path);
        let settings = crate::studio::settings::part::tests::sample();
        settings.write(&path).unwrap();
        (folder, path, files, settings)
    }

    #[test]
    fn what_was_in_use_is_parked_and_comes_back_as_it_was() {
        let (_folder, path, files, mut settings) = started();
        let kind = PartKind::Collection;
        let before = settings.collection.clone();
        let mut new = settings.clone();
        kind.copy(&Settings::default(), &mut new);
        new.in_use.set(kind, "Empty");
        files.begin(kind, &mut settings, new).unwrap();
        assert_eq!(files.names(kind, &settings), ["Empty", "Main"]);
        assert_eq!(Settings::read(&path).0.in_use.name(kind), "Empty");
        assert_eq!(files.switch(kind, "main", &mut settings).unwrap().len(), 0);
        assert_eq!(settings.collection, before);
        // Each part has one place, and the other part has not moved.
        assert_eq!(files.parked(kind), ["Empty"]);
        assert_eq!(Settings::read(&path).0.collection, before);
        assert_eq!(files.names(PartKind::Profile, &settings), ["Main"]);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = fs::metadata(files.path(kind, "Empty")).unwrap().permissions().mode();
            assert_eq!(mode & 0o077, 0, "nobody else reads it");
        }
    }

    #[test]
    fn nonsense_in_a_file_is_reported_and_changes_nothing() {
        let (_folder, path, files, mut settings) = started();
        let before = settings.clone();
        fs::create_dir_all(files.place("profiles")).unwrap();
        for text in [&b"[quality\nfps = 30"[..], b"\xFF\xFE\x00", &vec![b'#'; 9 << 20]] {
            fs::write(files.path(PartKind::Profile, "Odd"), text).unwrap();
            let why = files.switch(PartKind::Profile, "Odd", &mut settings).unwrap_err();
            assert_eq!(why.id(), "part-unreadable", "{why}");
            assert_eq!((&settings, &Settings::read(&path).0.in_use), (&before, &before.in_use));
            assert_eq!(fs::read(files.path(PartKind::Profile, "Odd")).unwrap(), text);
        }
        // One bad value is reported, and the original text is kept as a version.
        let text = "[quality]\nfps = 'many'\nvideo_bitrate = 700000\n";
        fs::write(files.path(PartKind::Profile, "Odd"), text).unwrap();
        let warnings = files.switch(PartKind::Profile, "Odd", &mut settings).unwrap();
        assert_eq!((warnings.len(), settings.quality.video_bitrate.0), (1, 700_000));
        let kept = files.versions().list(PartKind::Profile, "Odd");
        assert_eq!(files.versions().text(PartKind::Profile, "Odd", &kept[0]).unwrap(), text);
        let why = files.switch(PartKind::Profile, "../../etc/passwd", &mut settings).unwrap_err();
        assert_eq!(why.id(), "part-name-dot", "{why}");
        let why = files.switch(PartKind::Profile, "Nobody", &mut settings).unwrap_err();
        assert!(why.to_string().contains("Main, Odd"), "{why}");
    }

    #[test]
    fn settings_files_in_one_folder_share_nothing() {
        let (folder, _, files, settings) = started();
        let other = PartFiles::beside(&folder.path().join("show.toml"));
        files.park(PartKind::Profile, "A", &settings).unwrap();
        assert_eq!(other.parked(PartKind::Profile), Vec::<String>::new());
        other.park(PartKind::Profile, "B", &settings).unwrap();
        assert_eq!(files.parked(PartKind::Profile), ["A"]);
        assert!(files.free_name(PartKind::Profile, "a", &settings).is_err());
        assert!(files.free_name(PartKind::Profile, "b", &settings).is_ok());
        files.rename(PartKind::Profile, "A", "Z").unwrap();
        assert_eq!(files.parked(PartKind::Profile), ["Z"]);
        files.remove(PartKind::Profile, "Z").unwrap();
        assert_eq!(files.versions().list(PartKind::Profile, "Z").len(), 1, "it can be had back");
    }

    #[test]
    fn a_deleted_collection_needs_its_secrets_and_a_deleted_profile_does_not() {
        let (_folder, _, files, settings) = started();
        let entry = "entry-of-this-test";
        for (kind, is_needed) in [(PartKind::Profile, false), (PartKind::Collection, true)] {
            files.park(kind, "Old", &settings).unwrap();
            assert!(!files.mention(entry));
            fs::write(files.path(kind, "Old"), format!("# {entry}\n")).unwrap();
            assert!(files.mention(entry));
            assert_eq!(files.mention_key(entry), kind == PartKind::Profile);
            files.remove(kind, "Old").unwrap();
            assert_eq!(files.mention(entry), is_needed, "{kind:?}");
        }
    }

    #[test]
    fn what_is_left_of_an_interrupted_switch_is_passed_over() {
        let (_folder, _, files, mut settings) = started();
        files.park(PartKind::Collection, "Main", &Settings::default()).unwrap();
        assert_eq!(files.names(PartKind::Collection, &settings), ["Main"]);
        let before = settings.collection.clone();
        files.switch(PartKind::Collection, "Main", &mut settings).unwrap();
        assert_eq!(settings.collection, before);
        assert!(settings.collection.apply(&Edit::AddScene("New".into())));
        files.park(PartKind::Collection, "Other", &Settings::default()).unwrap();
        files.switch(PartKind::Collection, "Other", &mut settings).unwrap();
        files.switch(PartKind::Collection, "Main", &mut settings).unwrap();
        assert!(settings.collection.scene_named("New").is_some());
    }

    #[test]
    fn a_file_that_has_the_name_in_use_is_kept_before_it_is_replaced() {
        let (_folder, path, files, mut settings) = started();
        let kind = PartKind::Profile;
        files.park(kind, "Show", &settings).unwrap();
        files.switch(kind, "Show", &mut settings).unwrap();
        let parked = fs::read_to_string(files.path(kind, "Main")).unwrap();
        // Without the settings file, the default profile is in use, and its name is also `Main`.
        fs::remove_file(&path).unwrap();
        let mut settings = Settings::read(&path).0;
        files.park(kind, "Other", &settings).unwrap();
        files.switch(kind, "Other", &mut settings).unwrap();
        assert_ne!(fs::read_to_string(files.path(kind, "Main")).unwrap(), parked);
        let kept = files.versions().list(kind, "Main");
        assert_eq!(files.versions().text(kind, "Main", &kept[0]).unwrap(), parked);
    }

    #[test]
    fn an_unreadable_file_of_the_name_in_use_is_moved_aside_and_stops_no_switch() {
        let (_folder, _, files, mut settings) = started();
        let kind = PartKind::Profile;
        files.park(kind, "Other", &settings).unwrap();
        for (aside, text) in [("Main.toml.broken", b"\xFF1"), ("Main.toml-1.broken", b"\xFF2")] {
            fs::write(files.path(kind, "Main"), text).unwrap();
            files.switch(kind, "Other", &mut settings).unwrap();
            assert_eq!(fs::read(files.place("profiles").join(aside)).unwrap(), text);
            assert_eq!(files.names(kind, &settings), ["Main", "Other"]);
            files.switch(kind, "Main", &mut settings).unwrap();
        }
        assert!(files.versions().list(kind, "Main").is_empty());
    }

    #[test]
    fn a_file_that_cannot_be_moved_aside_is_named_and_nothing_changes() {
        let (_folder, path, files, mut settings) = started();
        let kind = PartKind::Profile;
        // The path leads through a file, so it can neither be read nor renamed.
        fs::write(files.place("profiles"), "").unwrap();
        let mut new = settings.clone();
        new.in_use.set(kind, "New");
        let why = files.begin(kind, &mut settings, new).unwrap_err();
        let name = files.path(kind, "Main").display().to_string();
        assert!(why.id() == "part-unreadable" && why.to_string().contains(&name), "{why}");
        let why = files.park(kind, "Main", &settings).unwrap_err();
        let why = crate::text::Language::English.say_with_cure(&why);
        assert!(why.starts_with(&name) && why.contains("--settings"), "{why}");
        assert_eq!(settings.in_use.name(kind), "Main");
        assert_eq!(Settings::read(&path).0.in_use.name(kind), "Main");
    }
}
