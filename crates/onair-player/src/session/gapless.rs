//! Gapless playback of the same file again, or of another file. The next file is opened while the
//! last packets of the current file wait. At most one file is read ahead. The reading thread shares
//! this state with the player's owner, which knows the list.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use crate::player::state::Failure;

/// The next file of gapless playback. All clones share the same state.
#[derive(Clone, Debug, Default)]
pub struct NextFile(Arc<Mutex<Inside>>);

/// A file in the sequence.
#[derive(Clone, Debug, Default)]
struct PlayedFile {
    path: PathBuf,
    /// The start of the file in the sequence.
    begins: Duration,
    /// The length of the file; `None` if only the player knows it.
    whole: Option<Duration>,
}

#[derive(Debug, Default)]
struct Inside {
    /// True if the file loops.
    again: bool,
    /// The current file.
    playing: PlayedFile,
    /// The next file; `refused` is true if it cannot follow without a gap.
    next: Option<PathBuf>,
    tried: bool,
    /// The next file while it is being read.
    joined: Option<PlayedFile>,
    /// A next file that cannot be played.
    failed: Option<(PathBuf, Failure)>,
    /// The reason why only a part of the current file could be read.
    damage: Option<Failure>,
}

impl NextFile {
    /// Starts the sequence with this file.
    pub fn begin(&self, path: &Path) {
        let mut inside = self.0.lock();
        let playing = PlayedFile { path: path.to_owned(), ..PlayedFile::default() };
        *inside = Inside { again: inside.again, playing, ..Inside::default() };
    }

    /// Sets whether the file loops.
    pub fn set_around(&self, again: bool) {
        self.0.lock().again = again;
    }

    pub(crate) fn goes_around(&self) -> bool {
        self.0.lock().again
    }

    /// Sets the next file, or none. Returns true if another one was already being read; the owner
    /// must then seek the player to its current position.
    pub fn want(&self, next: Option<PathBuf>) -> bool {
        let mut inside = self.0.lock();
        if let Some(joined) = &inside.joined {
            let other = next.as_ref() != Some(&joined.path);
            if other {
                inside.joined = None;
                (inside.next, inside.tried) = (next, false);
            }
            return other;
        }
        if inside.next != next {
            (inside.next, inside.tried) = (next, false);
        }
        false
    }

    /// Advances the position in the sequence. When the position reaches another file, returns the
    /// path and the length of that file, once.
    pub fn advance(&self, place: Duration) -> Option<(PathBuf, Option<Duration>)> {
        let mut inside = self.0.lock();
        let joined = inside.joined.take_if(|joined| place >= joined.begins)?;
        (inside.next, inside.tried) = (None, false);
        inside.playing = joined.clone();
        Some((joined.path, joined.whole))
    }

    /// Returns the start of the current file in the sequence.
    pub fn begins(&self) -> Duration {
        self.0.lock().playing.begins
    }

    /// Takes the next file that cannot be played, once.
    pub fn take_failed(&self) -> Option<(PathBuf, Failure)> {
        self.0.lock().failed.take()
    }

    /// Takes the reason why only a part of the current file could be read, once.
    pub fn take_damage(&self) -> Option<Failure> {
        self.0.lock().damage.take()
    }

    /// Handles a seek in the current file. The next file is read again once this one has been read.
    pub fn part(&self) {
        self.0.lock().joined = None;
    }

    /// Returns the file that should follow, unless it was already tried.
    pub(crate) fn wanted(&self) -> Option<PathBuf> {
        let inside = self.0.lock();
        inside.next.clone().filter(|_| !inside.tried && inside.joined.is_none())
    }

    /// Records that this file cannot follow without a gap, or at all.
    pub(crate) fn refuse(&self, path: &Path, failure: Option<Failure>) {
        let mut inside = self.0.lock();
        if inside.next.as_deref() == Some(path) {
            inside.tried = true;
            inside.failed = failure.map(|failure| (path.to_owned(), failure));
        }
    }

    /// Records why only a part of the current file could be read.
    pub(crate) fn note_damage(&self, failure: Failure) {
        self.0.lock().damage = Some(failure);
    }

    /// Records that this file is being read, and that it plays from `begins` on.
    pub(crate) fn join(&self, path: &Path, begins: Duration, whole: Duration) {
        let joined = PlayedFile { path: path.to_owned(), begins, whole: Some(whole) };
        self.0.lock().joined = Some(joined);
    }

    /// Sets the length of the file that is read ahead. Returns false if it already plays.
    pub(crate) fn measure(&self, path: &Path, whole: Duration) -> bool {
        let mut inside = self.0.lock();
        let joined = inside.joined.as_mut().filter(|joined| joined.path == path);
        joined.map(|joined| joined.whole = Some(whole)).is_some()
    }

    /// Restarts reading in the current file, and returns it.
    pub(crate) fn restart(&self) -> PathBuf {
        let mut inside = self.0.lock();
        (inside.joined, inside.tried, inside.damage) = (None, false, None);
        inside.playing.begins = Duration::ZERO;
        inside.playing.path.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::player::state::FailureKind;

    const ONE_SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn one_file_is_read_ahead_and_plays_when_its_time_comes() {
        let sequel = NextFile::default();
        sequel.set_around(true);
        sequel.begin(Path::new("a"));
        assert!(sequel.goes_around());
        assert!(!sequel.want(Some("b".into())));
        assert_eq!(sequel.wanted(), Some("b".into()));
        sequel.join(Path::new("b"), 10 * ONE_SECOND, 3 * ONE_SECOND);
        assert_eq!(sequel.wanted(), None, "no further ahead");
        assert!(!sequel.want(Some("b".into())));
        assert_eq!(sequel.advance(9 * ONE_SECOND), None);
        assert_eq!((sequel.begins(), sequel.restart()), (Duration::ZERO, "a".into()));
        // The read-ahead data was dropped too.
        assert_eq!(sequel.advance(11 * ONE_SECOND), None);
        sequel.join(Path::new("b"), 10 * ONE_SECOND, 3 * ONE_SECOND);
        assert!(
            !sequel.measure(Path::new("a"), ONE_SECOND)
                && sequel.measure(Path::new("b"), ONE_SECOND)
        );
        assert_eq!(sequel.advance(10 * ONE_SECOND), Some(("b".into(), Some(ONE_SECOND))));
        assert!(!sequel.measure(Path::new("b"), ONE_SECOND), "it plays");
        assert_eq!((sequel.begins(), sequel.wanted()), (10 * ONE_SECOND, None));
        assert_eq!((sequel.restart(), sequel.begins()), ("b".into(), Duration::ZERO));
    }

    #[test]
    fn another_next_file_or_a_failure_replaces_a_next_file() {
        let sequel = NextFile::default();
        sequel.begin(Path::new("a"));
        sequel.want(Some("b".into()));
        sequel.join(Path::new("b"), ONE_SECOND, ONE_SECOND);
        assert!(sequel.want(Some("c".into())), "another one was being read");
        assert_eq!(sequel.advance(2 * ONE_SECOND), None);
        assert_eq!(sequel.wanted(), Some("c".into()));
        let failure = Failure::new(FailureKind::File, "it is not there".into());
        sequel.refuse(Path::new("b"), Some(failure.clone()));
        assert_eq!((sequel.wanted(), sequel.take_failed()), (Some("c".into()), None));
        sequel.refuse(Path::new("c"), Some(failure.clone()));
        assert_eq!(sequel.wanted(), None, "it was tried");
        assert_eq!(sequel.take_failed(), Some(("c".into(), failure)));
        assert_eq!(sequel.take_failed(), None);
        assert!(!sequel.want(Some("c".into())));
        assert_eq!(sequel.wanted(), None, "still");
        assert!(!sequel.want(None) && !sequel.want(Some("c".into())));
        assert_eq!(sequel.wanted(), Some("c".into()), "wanted once more");
        sequel.join(Path::new("c"), ONE_SECOND, ONE_SECOND);
        sequel.part();
        assert_eq!(sequel.advance(2 * ONE_SECOND), None);
    }

    #[test]
    fn the_reason_why_a_file_is_not_read_to_its_end_applies_to_that_file() {
        let sequel = NextFile::default();
        sequel.begin(Path::new("a"));
        let failure = Failure::new(FailureKind::File, "it is not there".into());
        sequel.note_damage(failure.clone());
        assert_eq!((sequel.take_damage(), sequel.take_damage()), (Some(failure.clone()), None));
        sequel.note_damage(failure);
        sequel.begin(Path::new("a"));
        assert_eq!(sequel.take_damage(), None);
    }
}
