//! Passthrough: a media file is sent unchanged instead of the program. It is opened on a separate
//! thread, because a disk can be slow.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::base::queue::{self, Empty, Full, Receiver};
use crate::base::{Clock, Worker};
use crate::broadcast::passthrough::{PassthroughFile, PassthroughSender, Progress};
use crate::broadcast::{Hub, Publisher, passthrough};
use crate::studio::live::view::PassthroughView;
use crate::text::Problem;
use crate::text::problem::problem;

/// A file that is being inspected.
#[derive(Debug)]
pub struct Opening {
    path: PathBuf,
    again: bool,
    found: Receiver<Result<PassthroughFile, passthrough::Error>>,
    _worker: Worker,
}

/// The result of the inspection.
#[derive(Debug)]
pub struct Opened {
    pub path: PathBuf,
    pub again: bool,
    pub file: Result<PassthroughFile, Problem>,
}

impl Opening {
    /// Opens the file, to send it once or in a loop.
    ///
    /// # Errors
    /// Fails if the system provides no thread.
    pub fn start(path: PathBuf, again: bool) -> std::io::Result<Self> {
        let (tell, found) = queue::bounded("opened file", 1, Full::DropOldest);
        let its_path = path.clone();
        let worker = Worker::spawn("open-file", move |_| {
            // The caller may no longer wait for the result.
            let _ = tell.send(PassthroughFile::open(&its_path));
        })?;
        Ok(Self { path, again, found, _worker: worker })
    }

    /// Returns the result, as soon as it is known.
    pub fn poll(&self) -> Option<Opened> {
        let file = match self.found.recv_timeout(Duration::ZERO) {
            Ok(found) => found.map_err(|error| Problem::from(&error)),
            Err(Empty::Waiting) => return None,
            Err(Empty::Closed) => Err(problem!("file-unread")),
        };
        Some(Opened { path: self.path.clone(), again: self.again, file })
    }

    pub fn view(&self) -> PassthroughView {
        let (path, again) = (self.path.clone(), self.again);
        PassthroughView { path, again, opening: true, ..PassthroughView::default() }
    }
}

/// A file that is being sent.
#[derive(Debug)]
pub struct Passthrough {
    path: PathBuf,
    again: bool,
    duration: Option<Duration>,
    projection: PassthroughSender,
}

impl Passthrough {
    /// Prepares to send the file through this hub.
    ///
    /// # Errors
    /// Fails if the system provides no thread.
    pub fn start(
        file: PassthroughFile,
        path: &Path,
        again: bool,
        clock: Clock,
    ) -> std::io::Result<(Self, Hub)> {
        let duration = file.duration();
        let showing = file.show(again, clock)?;
        let path = path.to_owned();
        let passthrough = Self { path, again, duration, projection: showing.projection };
        Ok((passthrough, showing.hub))
    }

    /// Starts sending once the targets are connected. With a stream delay, starts at once.
    pub fn begin_when_ready<'a>(
        &self,
        targets: impl IntoIterator<Item = &'a Publisher>,
        is_held_back: bool,
    ) {
        if is_held_back {
            self.projection.begin();
        } else if !self.projection.has_begun() {
            self.projection.begin_for(targets);
        }
    }

    pub fn progress(&self) -> Progress {
        self.projection.progress()
    }

    /// Returns the name of the file without folders.
    pub fn name(&self) -> String {
        self.path.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    pub fn view(&self) -> PassthroughView {
        let Progress { position, rounds, .. } = self.progress();
        let (path, again, duration) = (self.path.clone(), self.again, self.duration);
        PassthroughView { path, again, opening: false, position, duration, rounds }
    }

    /// Stops reading the file.
    pub fn end(self, limit: Duration) -> Result<(), crate::base::worker::Stuck> {
        self.projection.end(limit)
    }
}
