//! Pending requests to a player: a seek, and a file for the received stream. A new request is
//! relative to the pending one, not to the current figures.
//!
//! The player's owner sends requests; the feed and the presenter execute them.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

/// A seek that is not finished.
#[derive(Debug)]
pub(crate) struct SeekGoal<T> {
    /// The request that has not been executed yet.
    waits: Option<T>,
    pending: Option<T>,
}

impl<T> Default for SeekGoal<T> {
    fn default() -> Self {
        Self { waits: None, pending: None }
    }
}

impl<T: Copy> SeekGoal<T> {
    /// Requests this position, and cancels earlier ones.
    pub fn want(&mut self, to: T) {
        (self.waits, self.pending) = (Some(to), Some(to));
    }

    /// Returns true if a request waits.
    pub fn waits(&self) -> bool {
        self.waits.is_some()
    }

    /// Takes the waiting position. From then on, it counts as being executed.
    pub fn take(&mut self) -> Option<T> {
        self.waits.take()
    }

    /// Ends the current seek, because it is finished or canceled. Later requests stay.
    pub fn end(&mut self) {
        if self.waits.is_none() {
            self.pending = None;
        }
    }

    /// Returns the requested position that is not reached yet.
    pub fn pending(&self) -> Option<T> {
        self.pending
    }
}

/// A new file with its header, for the received stream.
#[derive(Debug)]
pub(crate) struct NewFile {
    pub(crate) path: PathBuf,
    pub(crate) file: File,
}

/// The file for the received stream.
#[derive(Debug, Default)]
pub(crate) struct SaveRequest {
    /// A request that has not been executed yet: another file, or none.
    waits: Option<Option<NewFile>>,
    /// The current or future file.
    path: Option<PathBuf>,
    /// True if saving was ever requested.
    used: bool,
    /// True if the stream has ended.
    over: bool,
}

impl SaveRequest {
    /// Records that the stream is saved to `path` from its beginning.
    pub fn begin(&mut self, path: &Path) {
        (self.path, self.used) = (Some(path.to_owned()), true);
    }

    /// Returns true if saving was ever requested.
    pub fn is_used(&self) -> bool {
        self.used
    }

    /// Saves to this file from now on, or to none. Returns a file that will never be used, if there
    /// is one.
    pub fn want(&mut self, file: Option<NewFile>) -> Option<NewFile> {
        if self.over {
            return file;
        }
        self.path = file.as_ref().map(|file| file.path.clone());
        self.used |= file.is_some();
        self.waits.replace(file).flatten()
    }

    /// Takes the pending request.
    pub fn take(&mut self) -> Option<Option<NewFile>> {
        self.waits.take()
    }

    /// Takes the pending request if it stops saving. Returns true if it did.
    pub fn take_stop(&mut self) -> bool {
        self.waits.take_if(|file| file.is_none()).is_some()
    }

    /// Records that this file has ended.
    pub fn end(&mut self, path: &Path) {
        if self.path.as_deref() == Some(path) {
            self.path = None;
        }
    }

    /// Ends the stream. After that, no request is possible. Returns the pending request.
    pub fn close(&mut self) -> Option<Option<NewFile>> {
        self.over = true;
        self.waits.take()
    }

    pub fn is_over(&self) -> bool {
        self.over
    }

    /// Returns the path of the file.
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }
}

/// A position in the time shift.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum TimeShiftPlace {
    /// A distance behind the live edge.
    Behind(Duration),
    /// The live edge.
    Live,
}

/// All requests to a player.
#[derive(Debug, Default)]
pub(crate) struct Requests {
    paused: AtomicBool,
    /// The position to seek to in a recording.
    pub(crate) wanted: Mutex<SeekGoal<Duration>>,
    /// True if the queues continue to play until the new position is found.
    pub(crate) plays_on: AtomicBool,
    /// Wakes a feed that waits for the network, so that it handles a pause or a seek.
    pub(crate) changed: tokio::sync::Notify,
    /// The position to seek to in the time shift.
    pub(crate) wanted_back: Mutex<SeekGoal<TimeShiftPlace>>,
    /// The file for the received stream.
    pub(crate) filing: Mutex<SaveRequest>,
    /// True if something has changed for a presenter that waits in a pause.
    is_woken: Mutex<bool>,
    wakeup: Condvar,
}

impl Requests {
    /// Pauses or resumes.
    pub(crate) fn set_paused(&self, paused: bool) {
        if self.paused.swap(paused, Ordering::Relaxed) != paused {
            self.changed.notify_one();
            self.wake();
        }
    }

    /// Wakes a presenter that waits in a pause.
    pub(crate) fn wake(&self) {
        *self.is_woken.lock() = true;
        self.wakeup.notify_one();
    }

    /// Waits for a wakeup, at most `limit`. Returns true if there was one since the last wait.
    pub(crate) fn wait(&self, limit: Duration) -> bool {
        let mut is_woken = self.is_woken.lock();
        self.wakeup.wait_while_for(&mut is_woken, |is_woken| !*is_woken, limit);
        std::mem::take(&mut *is_woken)
    }

    pub(crate) fn paused(&self) -> bool {
        self.paused.load(Ordering::Relaxed)
    }

    /// Returns true if a seek is requested.
    pub(crate) fn is_wanted(&self) -> bool {
        self.wanted.lock().waits()
    }

    /// Takes the requested position.
    pub(crate) fn take_wanted(&self) -> Option<Duration> {
        self.wanted.lock().take()
    }

    /// Cancels the current seek.
    pub(crate) fn give_up(&self) {
        self.wanted.lock().end();
    }

    /// Seeks in the time shift.
    pub(crate) fn go_back(&self, to: TimeShiftPlace) {
        self.wanted_back.lock().want(to);
        self.wake();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seek_is_pending_until_its_last_request_ends() {
        let mut goal = SeekGoal::default();
        assert_eq!((goal.pending(), goal.take(), goal.waits()), (None, None, false));
        goal.want(10);
        assert_eq!((goal.pending(), goal.waits()), (Some(10), true));
        assert_eq!((goal.take(), goal.take(), goal.pending()), (Some(10), None, Some(10)));
        // A new request during the first seek.
        goal.want(20);
        goal.end();
        assert_eq!((goal.pending(), goal.take()), (Some(20), Some(20)));
        goal.end();
        assert_eq!(goal.pending(), None);
    }

    #[test]
    fn files_are_requested_one_after_the_other_and_none_is_lost() {
        let folder = tempfile::tempdir().unwrap();
        let make = |name: &str| {
            let path = folder.path().join(name);
            NewFile { file: File::create(&path).unwrap(), path }
        };
        let named = |file: Option<NewFile>| {
            file.map(|it| it.path.file_name().unwrap().to_str().unwrap().to_owned())
        };
        let mut filing = SaveRequest::default();
        assert!(filing.want(Some(make("a"))).is_none());
        assert!(filing.path().unwrap().ends_with("a"));
        assert_eq!(named(filing.take().unwrap()), Some("a".into()));
        // The first request is executed. The next one waits until it is canceled.
        assert!(filing.want(None).is_none() && filing.path().is_none());
        assert!(filing.want(Some(make("b"))).is_none());
        assert_eq!(named(filing.want(None)), Some("b".into()));
        assert!(filing.path().is_none() && filing.take().unwrap().is_none());
        // A failed file is no longer requested, whatever happened to the previous one.
        assert!(filing.want(Some(make("c"))).is_none());
        filing.end(&folder.path().join("a"));
        assert!(filing.path().is_some());
        filing.end(&folder.path().join("c"));
        assert!(filing.path().is_none());
        assert_eq!(named(filing.close().unwrap()), Some("c".into()));
        assert_eq!(
            (filing.is_over(), named(filing.want(Some(make("d"))))),
            (true, Some("d".into()))
        );
        assert!(filing.path().is_none());
    }
}
