//! Stores earlier versions of collections and profiles: the last ten of each, in a folder that only
//! its owner can read.

use std::fs;
use std::io;
use std::path::PathBuf;

use crate::files::Trouble;
use crate::platform::files::make_folder_private;
use crate::studio::settings::Settings;
use crate::studio::settings::disk::{put, read_bounded};
use crate::studio::settings::part::{PartKind, PartSummary, check_name};
use crate::text::{Problem, local_time};

/// Maximum number of versions of each collection or profile.
pub const MAX_VERSIONS: usize = 10;

/// Maximum number of folders that are read.
const MAX_FOLDERS: usize = 1_000;

/// The format of file names, which are times in UTC.
const FILE_NAME_FORMAT: &str = "%Y-%m-%dT%H-%M-%S";

/// The id of a version, which is its file name: `2026-11-25T03-30-00.125`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct VersionId(String);

impl VersionId {
    /// Returns an id for the current time. It is later than `newest`, even if the clock was set
    /// back. Otherwise, the new version would be the first one to be dropped.
    fn after(newest: Option<&Self>) -> Self {
        let now = Self::at(jiff::Timestamp::now());
        let Some(newest) = newest.filter(|newest| **newest >= now) else { return now };
        let second = jiff::SignedDuration::from_secs(1);
        let next = newest.moment().and_then(|moment| moment.checked_add(second).ok());
        next.map_or(now, Self::at)
    }

    fn at(moment: jiff::Timestamp) -> Self {
        let second = moment.strftime(FILE_NAME_FORMAT).to_string();
        Self(format!("{second}.{:03}", moment.subsec_millisecond().unsigned_abs()))
    }

    fn file_name(&self) -> String {
        format!("{}.toml", self.0)
    }

    fn of_file(name: &str) -> Option<Self> {
        let id = Self(name.strip_suffix(".toml")?.to_owned());
        id.moment().map(|_| id)
    }

    /// Returns the time at which the version was stored.
    fn moment(&self) -> Option<jiff::Timestamp> {
        let (second, millis) = self.0.split_once('.')?;
        let whole = millis.len() == 3 && millis.bytes().all(|it| it.is_ascii_digit());
        let read =
            jiff::civil::DateTime::strptime(FILE_NAME_FORMAT, second).ok().filter(|_| whole)?;
        Some(read.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp())
    }

    /// Returns the local time for display.
    pub fn local_time(&self) -> String {
        let moment = self.moment().unwrap_or_default();
        local_time(moment.as_microsecond(), "%Y-%m-%d %H:%M:%S")
    }
}

/// A version, and its summary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    pub id: VersionId,
    pub summary: PartSummary,
}

/// The stored versions; see the module documentation.
#[derive(Clone, Debug)]
pub struct Versions {
    folder: PathBuf,
}

impl Versions {
    pub(super) fn in_folder(folder: PathBuf) -> Self {
        Self { folder }
    }

    fn of(&self, kind: PartKind, name: &str) -> PathBuf {
        self.folder.join(kind.folder()).join(name)
    }

    /// Stores a version unless it equals the newest one. Beyond ten versions, the oldest is
    /// dropped.
    ///
    /// # Errors
    /// Fails if it cannot be written.
    pub fn add(&self, kind: PartKind, name: &str, text: &str) -> io::Result<()> {
        let name = check_name(name).map_err(|why| io::Error::other(why.to_string()))?;
        let known = self.list(kind, &name);
        if known.first().is_some_and(|id| self.text(kind, &name, id).is_ok_and(|it| it == text)) {
            return Ok(());
        }
        let folder = self.of(kind, &name);
        fs::create_dir_all(&folder)?;
        make_folder_private(&self.folder)?;
        put(&folder.join(VersionId::after(known.first()).file_name()), text)?;
        self.drop_old(kind, &name)
    }

    fn drop_old(&self, kind: PartKind, name: &str) -> io::Result<()> {
        for old in self.list(kind, name).iter().skip(MAX_VERSIONS) {
            fs::remove_file(self.of(kind, name).join(old.file_name()))?;
        }
        Ok(())
    }

    /// Returns all versions of one collection or profile, the newest first.
    pub fn list(&self, kind: PartKind, name: &str) -> Vec<VersionId> {
        let entries = fs::read_dir(self.of(kind, name)).into_iter().flatten().flatten();
        let ids = entries.filter_map(|it| VersionId::of_file(it.file_name().to_str()?));
        let mut ids: Vec<VersionId> = ids.collect();
        ids.sort_by(|one, other| other.cmp(one));
        ids
    }

    /// Returns the sorted names of all collections or profiles that have versions, including deleted
    /// ones.
    pub fn names(&self, kind: PartKind) -> Vec<String> {
        let entries = fs::read_dir(self.folder.join(kind.folder())).into_iter().flatten();
        let names = entries.take(MAX_FOLDERS).flatten().filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let is_name = check_name(&name).is_ok_and(|it| it == name);
            (is_name && !self.list(kind, &name).is_empty()).then_some(name)
        });
        let mut names: Vec<String> = names.collect();
        names.sort_by_key(|name| name.to_lowercase());
        names
    }

    /// Returns the readable versions with their summaries.
    pub fn described(&self, kind: PartKind, name: &str) -> Vec<Version> {
        let ids = self.list(kind, name).into_iter().take(MAX_VERSIONS);
        ids.filter_map(|id| {
            let text = self.text(kind, name, &id).ok()?;
            Some(Version { id, summary: PartSummary::of(&Settings::parse(&text).0) })
        })
        .collect()
    }

    /// Returns the content of one version.
    ///
    /// # Errors
    /// Fails if it cannot be read or no longer exists.
    pub fn text(&self, kind: PartKind, name: &str, id: &VersionId) -> io::Result<String> {
        read_bounded(&self.of(kind, name).join(id.file_name()))
    }

    /// Reads one version.
    ///
    /// # Errors
    /// Fails if it cannot be read or no longer exists.
    pub fn read(&self, kind: PartKind, name: &str, id: &VersionId) -> Result<Settings, Problem> {
        let text = self.text(kind, name, id).map_err(|error| Trouble::problem(&error))?;
        let (old, warnings) = Settings::parse(&text);
        match warnings.into_iter().find(|it| it.id() == "settings-unused") {
            Some(reason) => Err(reason),
            None => Ok(old),
        }
    }

    /// Renames the versions of a collection or profile. They are added to the versions of a deleted
    /// collection or profile that had the new name.
    pub(crate) fn rename(&self, kind: PartKind, was: &str, name: &str) {
        let (from, to) = (self.of(kind, was), self.of(kind, name));
        let moved = match to.exists() {
            true => self.join(kind, was, name),
            false => fs::rename(from, to),
        };
        if let Err(error) = moved
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!(%error, "moving earlier versions failed");
        }
    }

    fn join(&self, kind: PartKind, was: &str, name: &str) -> io::Result<()> {
        let (from, to) = (self.of(kind, was), self.of(kind, name));
        for id in self.list(kind, was) {
            fs::rename(from.join(id.file_name()), to.join(id.file_name()))?;
        }
        // The folder may contain files of other programs.
        let _ = fs::remove_dir(from);
        self.drop_old(kind, name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_ten_are_kept_for_their_owner() {
        let folder = tempfile::tempdir().unwrap();
        let versions = Versions::in_folder(folder.path().join("versions"));
        let kind = PartKind::Profile;
        for number in 0..14 {
            let text = format!("[quality]\nvideo_bitrate = {}\n", 500_000 + number * 1_000);
            versions.add(kind, "Main", &text).unwrap();
            // Identical content does not create a new version.
            versions.add(kind, "Main", &text).unwrap();
            std::thread::sleep(std::time::Duration::from_millis(2));
        }
        let kept = versions.described(kind, "Main");
        assert_eq!(kept.len(), MAX_VERSIONS);
        assert_eq!((kept[0].summary.kbps, kept[9].summary.kbps), (513, 504));
        assert!(kept[0].id.local_time().starts_with("20"), "{:?}", kept[0].id);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = |path: PathBuf| fs::metadata(path).unwrap().permissions().mode() & 0o077;
            assert_eq!(mode(folder.path().join("versions")), 0);
        }
        // Files of other programs do not count as versions.
        fs::write(folder.path().join("versions/profiles/Main/notes.toml"), "").unwrap();
        fs::write(folder.path().join("versions/profiles/Main/x.txt"), "").unwrap();
        assert_eq!(versions.list(kind, "Main").len(), MAX_VERSIONS);
        versions.rename(kind, "Main", "Show");
        assert_eq!((versions.list(kind, "Main").len(), versions.list(kind, "Show").len()), (0, 10));
    }

    #[test]
    fn the_newest_stays_although_the_clock_was_set_back() {
        let folder = tempfile::tempdir().unwrap();
        let versions = Versions::in_folder(folder.path().join("versions"));
        let kind = PartKind::Profile;
        let place = versions.of(kind, "Main");
        fs::create_dir_all(&place).unwrap();
        for number in 0..MAX_VERSIONS {
            let name = format!("2999-12-31T23-59-{:02}.125.toml", 50 + number);
            fs::write(place.join(name), number.to_string()).unwrap();
        }
        versions.add(kind, "Main", "now").unwrap();
        let kept = versions.list(kind, "Main");
        let texts: Vec<_> =
            kept.iter().map(|id| versions.text(kind, "Main", id).unwrap()).collect();
        assert_eq!(texts, ["now", "9", "8", "7", "6", "5", "4", "3", "2", "1"]);
    }

    #[test]
    fn a_name_that_a_deleted_part_had_keeps_the_versions_of_both() {
        let folder = tempfile::tempdir().unwrap();
        let versions = Versions::in_folder(folder.path().join("versions"));
        let kind = PartKind::Collection;
        for second in 1..=11 {
            let name = if second <= 2 { "Show" } else { "Main" };
            fs::create_dir_all(versions.of(kind, name)).unwrap();
            let file = format!("2026-11-25T03-30-{second:02}.000.toml");
            fs::write(versions.of(kind, name).join(file), second.to_string()).unwrap();
        }
        versions.rename(kind, "Main", "Show");
        assert_eq!(versions.names(kind), ["Show"], "`Main` was not deleted");
        let kept = versions.list(kind, "Show");
        let texts: Vec<_> =
            kept.iter().map(|id| versions.text(kind, "Show", id).unwrap()).collect();
        assert_eq!(texts, ["11", "10", "9", "8", "7", "6", "5", "4", "3", "2"]);
    }
}
