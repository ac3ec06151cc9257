//! Unplayable files of a list, with the reasons. They are reported until they change, and are tried
//! only from time to time.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::base::{FileStamp, Timestamp};
use crate::media::playback_control::SkippedFile;
use crate::text::Problem;

/// Interval between checks for changes.
const CHECK_INTERVAL: Duration = Duration::from_secs(2);

/// The files that cannot be played.
#[derive(Debug, Default)]
pub(super) struct SkippedFiles {
    /// The files with the reasons, and their stamps at the last attempt; `None` if the file is
    /// missing.
    files: Vec<(SkippedFile, Option<FileStamp>)>,
    /// Files that are not tried for now.
    skipped: Vec<PathBuf>,
    /// The last played file.
    played: PathBuf,
    looked: Timestamp,
}

impl SkippedFiles {
    /// Adds a file that cannot be played.
    pub(super) fn add(&mut self, path: &Path, reason: &Problem) {
        self.files.retain(|(it, _)| it.path != path);
        self.files.push((
            SkippedFile { path: path.to_owned(), reason: reason.clone() },
            FileStamp::at(path),
        ));
        if !self.skips(path) {
            self.skipped.push(path.to_owned());
        }
    }

    /// Returns true if the file is not tried for now.
    pub(super) fn skips(&self, path: &Path) -> bool {
        self.skipped.iter().any(|it| it == path)
    }

    /// Removes a file that plays. If another file played before, allows new attempts for all files.
    pub(super) fn plays(&mut self, path: &Path) {
        self.files.retain(|(it, _)| it.path != path);
        if self.played != path {
            path.clone_into(&mut self.played);
            self.skipped.clear();
        }
        self.skipped.retain(|it| it != path);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// Returns all skipped files.
    pub(super) fn files(&self) -> Vec<SkippedFile> {
        self.files.iter().map(|(it, _)| it.clone()).collect()
    }

    /// Removes files that have changed or left the list.
    pub(super) fn update(&mut self, now: Timestamp, is_listed: impl Fn(&Path) -> bool) {
        let again = now.since(self.looked) >= CHECK_INTERVAL;
        if again {
            self.looked = now;
        }
        let stays = |it: &SkippedFile, before: Option<FileStamp>| {
            is_listed(&it.path) && (!again || FileStamp::at(&it.path) == before)
        };
        self.files.retain(|(it, before)| stays(it, *before));
        let files = &self.files;
        self.skipped.retain(|path| files.iter().any(|(it, _)| it.path == *path));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_not_be_played_is_tried_again_when_it_is_another_or_another_one_played() {
        let folder = tempfile::tempdir().unwrap();
        let [one, two] = ["1.mp4", "2.mp4"].map(|name| folder.path().join(name));
        let mut it = SkippedFiles::default();
        let count = |it: &SkippedFiles| (it.files().len(), it.skips(&one), it.skips(&two));
        it.plays(Path::new("/0.mp4"));
        it.add(&one, &"it is not there".into());
        it.add(&two, &"it is not there".into());
        it.add(&one, &"still".into());
        assert_eq!(count(&it), (2, true, true));
        it.plays(Path::new("/0.mp4"));
        assert_eq!(count(&it), (2, true, true), "nothing else played");
        let mut now = Timestamp::ZERO;
        std::fs::write(&one, "come").unwrap();
        let mut look = |it: &mut SkippedFiles, listed: &Path| {
            now += CHECK_INTERVAL;
            it.update(now, |path| path == one || path == listed);
        };
        look(&mut it, &two);
        assert_eq!(count(&it), (1, false, true));
        it.add(&one, &"it is no film".into());
        it.plays(Path::new("/3.mp4"));
        assert_eq!(count(&it), (2, false, false), "told still");
        it.plays(&one);
        assert_eq!(count(&it), (1, false, false));
        look(&mut it, &one);
        assert!(it.is_empty(), "it is none of the list");
    }
}
