//! The selected files that a show skips, with the reasons. Both are reported as long as the files
//! are skipped. Problems with images of a folder are only logged.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::base::FileStamp;
use crate::media::Transport;
use crate::media::playback_control::SkippedFile;
use crate::text::Problem;

/// See the module documentation.
#[derive(Debug)]
pub(super) struct SkippedFiles {
    transport: Transport,
    /// The selected files and folders, in order.
    chosen: Vec<PathBuf>,
    /// Existing files that could not be read, with their stamps and the reasons.
    unread: BTreeMap<PathBuf, (FileStamp, Problem)>,
}

impl SkippedFiles {
    pub fn new(transport: Transport) -> Self {
        Self { transport, chosen: Vec::new(), unread: BTreeMap::new() }
    }

    /// Sets the selected files.
    pub fn follow(&mut self, chosen: Vec<PathBuf>) {
        self.chosen = chosen;
        self.check();
    }

    /// Checks which files exist.
    pub fn check(&mut self) {
        let unread = std::mem::take(&mut self.unread);
        let mut seen = BTreeSet::new();
        let mut left_out = Vec::new();
        for path in self.chosen.iter().filter(|path| seen.insert(*path)) {
            let reason = match stamp(path) {
                Err(reason) => Some(reason),
                Ok(now) => match unread.get(path).filter(|(before, _)| Some(*before) == now) {
                    Some((before, reason)) => {
                        self.unread.insert(path.clone(), (*before, reason.clone()));
                        Some(reason.clone())
                    }
                    // The file has changed since it could not be read.
                    None => None,
                },
            };
            left_out.extend(reason.map(|reason| SkippedFile { path: path.clone(), reason }));
        }
        self.transport.tell_left_out(&left_out);
    }

    /// Records that a file could not be read.
    pub fn failed(&mut self, path: &Path, reason: &Problem) {
        if !self.chosen.iter().any(|it| it == path) {
            return;
        }
        if let Ok(Some(stamp)) = stamp(path) {
            self.unread.insert(path.to_owned(), (stamp, reason.clone()));
        }
        self.check();
    }
}

/// Returns the stamp of a file, to detect a change, or `None` for a folder.
fn stamp(path: &Path) -> Result<Option<FileStamp>, Problem> {
    if path.is_dir() { Ok(None) } else { FileStamp::of(path).map(Some) }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn missing_or_broken_files_are_reported_until_they_are_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let transport = Transport::default();
        let skipped_names = || -> Vec<String> {
            let skipped = transport.left_out();
            let names = skipped.iter().map(|it| it.path.file_name().unwrap().display().to_string());
            names.collect()
        };
        let mut missing = SkippedFiles::new(transport.clone());
        fs::write(path("broken.png"), "no picture").unwrap();
        fs::create_dir(path("album")).unwrap();
        let chosen = ["gone.png", "broken.png", "album", "gone.png"].map(path);
        missing.follow(chosen.to_vec());
        assert_eq!(skipped_names(), ["gone.png"], "once, though it is there twice");
        missing.failed(&path("broken.png"), &"it is no picture".into());
        missing.failed(&path("album/1.png"), &"it was not chosen".into());
        missing.failed(&path("gone.png"), &"it is not there".into());
        assert_eq!(skipped_names(), ["gone.png", "broken.png"]);
        assert_eq!(transport.left_out()[1].reason, "it is no picture");
        fs::write(path("gone.png"), "come").unwrap();
        missing.check();
        assert_eq!(skipped_names(), ["broken.png"]);
        fs::write(path("broken.png"), "mended by now").unwrap();
        missing.check();
        assert_eq!(skipped_names(), [""; 0]);
        fs::remove_dir(path("album")).unwrap();
        missing.check();
        assert_eq!(skipped_names(), ["album"]);
        missing.follow(Vec::new());
        assert_eq!(skipped_names(), [""; 0]);
    }
}
