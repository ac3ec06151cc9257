//! Checks files that could not be opened. A file that has appeared or changed is worth another
//! attempt. A thread does this, because a disk may take a long time to respond.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

use crate::base::{FileStamp, Timestamp};
use crate::studio::notices::message::StudioMessage;
use crate::studio::sources::background_search::{Outcome, Search};

/// Interval between checks.
const CHECK_INTERVAL: Duration = Duration::from_millis(2_500);

/// News about files that filters or transitions need.
#[derive(Debug, Default)]
pub struct FileNews {
    /// The files for which an earlier message no longer applies.
    pub gone: Vec<String>,
    pub messages: Vec<StudioMessage>,
}

/// The check of missing files. While no file is missing, it does nothing.
#[derive(Debug, Default)]
pub struct MissingFiles {
    /// The files' stamps at the last check; `None` if the file did not exist.
    seen: BTreeMap<PathBuf, Option<FileStamp>>,
    search: Search<BTreeMap<PathBuf, Option<FileStamp>>>,
    next: Timestamp,
}

impl MissingFiles {
    /// Returns the missing files that can perhaps be opened now.
    pub fn check(&mut self, now: Timestamp, wanted: &BTreeSet<PathBuf>) -> BTreeSet<PathBuf> {
        self.seen.retain(|path, _| wanted.contains(path));
        let found = match self.search.poll() {
            Outcome::Waiting => return BTreeSet::new(),
            Outcome::Idle | Outcome::Over(None) => BTreeMap::new(),
            Outcome::Over(Some(found)) => found,
        };
        let due = found.into_iter().filter(|(path, stamp)| {
            let before = self.seen.insert(path.clone(), *stamp);
            // A file that exists at the first check may have appeared between the attempt and the
            // check.
            wanted.contains(path) && stamp.is_some() && before.flatten() != *stamp
        });
        let due = due.map(|(path, _)| path).collect();
        if !wanted.is_empty() && now >= self.next {
            self.next = now + CHECK_INTERVAL;
            let wanted = wanted.clone();
            self.search.begin("absent-files", move || {
                let look = |path: PathBuf| {
                    let stamp = FileStamp::at(&path);
                    (path, stamp)
                };
                wanted.into_iter().map(look).collect()
            });
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the number of files that the next check finds, regardless of the speed of the disk.
    fn check(absent: &mut MissingFiles, now: &mut Timestamp, wanted: &BTreeSet<PathBuf>) -> usize {
        *now += CHECK_INTERVAL;
        let mut due = absent.check(*now, wanted).len();
        while absent.search.is_under_way() {
            std::thread::sleep(Duration::from_millis(1));
            // At the same instant, no other search begins.
            due += absent.check(*now, wanted).len();
        }
        due
    }

    #[test]
    fn a_file_is_worth_another_try_when_it_comes_and_when_it_changes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("score.txt");
        let (mut absent, mut now) = (MissingFiles::default(), Timestamp::ZERO);
        let wanted = BTreeSet::from([path.clone()]);
        for _ in 0..2 {
            assert_eq!(check(&mut absent, &mut now, &wanted), 0);
        }
        std::fs::write(&path, "3").unwrap();
        assert_eq!(check(&mut absent, &mut now, &wanted), 1);
        assert_eq!(check(&mut absent, &mut now, &wanted), 0, "the same file fails the same way");
        std::fs::write(&path, "3 : 2").unwrap();
        assert_eq!(check(&mut absent, &mut now, &wanted), 1);
        std::fs::remove_file(&path).unwrap();
        assert_eq!(check(&mut absent, &mut now, &wanted), 0);
        // The file is forgotten when it is no longer wanted, and when it is wanted again, it exists
        // from the first check on.
        std::fs::write(&path, "3").unwrap();
        assert_eq!(check(&mut absent, &mut now, &BTreeSet::new()), 0);
        assert!(absent.seen.is_empty());
        assert_eq!(check(&mut absent, &mut now, &wanted), 1);
    }
}
