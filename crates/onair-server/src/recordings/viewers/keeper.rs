//! Protection of recordings against deletion while clients read them.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::base::{Clock, Timestamp};

/// A file counts as watched for this long after the last request for it.
pub(in crate::recordings) const WATCHED_WINDOW: Duration = Duration::from_mins(2);

/// The watched files, and the signal that wakes the check of the folder.
#[derive(Debug, Default)]
pub(crate) struct Keeper {
    pub(crate) due: Notify,
    watched: Mutex<HashMap<PathBuf, Watched>>,
}

#[derive(Debug)]
struct Watched {
    /// Number of clients that are reading the file.
    readers: usize,
    last: Timestamp,
}

/// A file that a client reads. The file is not deleted while this value exists.
#[derive(Debug)]
pub(crate) struct KeptFile {
    keeper: Arc<Keeper>,
    clock: Clock,
    path: PathBuf,
}

impl Keeper {
    /// Requests a check of the folder.
    pub fn look(&self) {
        self.due.notify_one();
    }

    /// Returns true if a client reads the file, or did a moment ago.
    pub fn is_watched(&self, path: &Path, now: Timestamp) -> bool {
        let mut watched = self.watched.lock();
        watched.retain(|_, it| it.readers > 0 || now.since(it.last) < WATCHED_WINDOW);
        watched.contains_key(path)
    }
}

impl KeptFile {
    pub fn new(keeper: &Arc<Keeper>, clock: Clock, path: &Path) -> Self {
        let last = clock.now();
        let mut watched = keeper.watched.lock();
        watched.entry(path.to_owned()).or_insert(Watched { readers: 0, last }).readers += 1;
        drop(watched);
        Self { keeper: Arc::clone(keeper), clock, path: path.to_owned() }
    }
}

impl Drop for KeptFile {
    fn drop(&mut self) {
        let now = self.clock.now();
        if let Some(it) = self.keeper.watched.lock().get_mut(&self.path) {
            (it.readers, it.last) = (it.readers.saturating_sub(1), now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_kept_while_it_is_read_and_a_little_longer() {
        let (keeper, clock) = (Arc::new(Keeper::default()), Clock::start());
        let path = Path::new("/r/a.flv");
        let far = clock.now() + WATCHED_WINDOW * 2;
        assert!(!keeper.is_watched(path, clock.now()));
        let [one, two] = [(); 2].map(|()| KeptFile::new(&keeper, clock, path));
        drop(one);
        assert!(keeper.is_watched(path, far));
        drop(two);
        assert!(keeper.is_watched(path, clock.now()) && !keeper.is_watched(path, far));
    }
}
