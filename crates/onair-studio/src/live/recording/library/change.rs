//! Changes recordings on a thread: renames them, moves them to the trash, copies or repairs them.
//! Changes run one at a time; a second change is refused.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;

use crate::base::Worker;
use crate::broadcast::recorder::remux::{Cut, RepairMethod, Report, remux_numbered, repair};
use crate::files::{self, MediaFile, Trouble};
use crate::studio::live::recording::library::backend;
use crate::studio::live::recording::library::view::{CopyProgress, Outcome};
use crate::text::Problem;
use crate::text::problem::problem;

/// Maximum length of a name in bytes, so that the name with its extension fits into the limits of
/// file systems.
const MAX_NAME_BYTES: usize = 200;

/// The progress of the thread, and the result of the last change.
#[derive(Debug, Default)]
struct ChangeState {
    copy: Option<CopyProgress>,
    outcome: Option<Outcome>,
    number: u64,
}

/// The thread and its state; see the module documentation.
#[derive(Debug, Default)]
pub(super) struct Changes {
    state: Arc<Mutex<ChangeState>>,
    worker: Option<Worker>,
}

/// The result of a change: the resulting file, and the message to display.
type Done = Result<(Option<PathBuf>, Problem), Problem>;

impl Changes {
    pub fn is_idle(&self) -> bool {
        self.worker.as_ref().is_none_or(Worker::is_finished)
    }

    pub fn stop_copy(&self) {
        if let Some(worker) = self.worker.as_ref().filter(|_| self.state.lock().copy.is_some()) {
            worker.stop();
        }
    }

    /// Returns the copy that is being written, and the result of the last change.
    pub fn poll(&mut self) -> (Option<CopyProgress>, Option<Outcome>) {
        if self.is_idle() {
            self.worker = None;
        }
        let state = self.state.lock();
        (state.copy.clone(), state.outcome.clone())
    }

    fn begin(
        &mut self,
        path: PathBuf,
        work: impl FnOnce(&crate::base::Stop, &Mutex<ChangeState>) -> Done + Send + 'static,
    ) {
        if !self.is_idle() {
            tell(&self.state, path, Err(problem!("recordings-busy")));
            return;
        }
        let state = Arc::clone(&self.state);
        let of = path.clone();
        let worker = Worker::spawn("onair-recordings", move |stop| {
            let done = work(stop, &state);
            state.lock().copy = None;
            tell(&state, of, done);
        });
        match worker {
            Ok(worker) => self.worker = Some(worker),
            Err(error) => {
                let problem = problem!("source-no-thread", reason = error.to_string());
                tell(&self.state, path, Err(problem));
            }
        }
    }

    pub fn rename(&mut self, path: &Path, name: &str) {
        let (from, name) = (path.to_owned(), name.to_owned());
        self.begin(path.to_owned(), move |_, _| rename(&from, &name));
    }

    pub fn trash(&mut self, path: PathBuf) {
        let of = path.clone();
        self.begin(path, move |_, _| {
            if is_being_written(&of) {
                return Err(not_trashed(&of, problem!("recordings-changing")));
            }
            let name = shown(&of);
            match trash::delete(&of) {
                Ok(()) => Ok((None, problem!("recordings-trashed", name = name))),
                Err(error) => {
                    tracing::debug!(%error, "moving a recording to the trash failed");
                    Err(not_trashed(&of, why_not_trashed(&error)))
                }
            }
        });
    }

    /// Reports that a file is still being written. A recording in another place or under another
    /// name would be lost to its recorder.
    pub fn refuse_to_rename(&self, path: &Path) {
        let refusal = not_renamed(path, problem!("recordings-changing"));
        tell(&self.state, path.to_owned(), Err(refusal));
    }

    pub fn refuse_to_trash(&self, path: &Path) {
        let refusal = not_trashed(path, problem!("recordings-changing"));
        tell(&self.state, path.to_owned(), Err(refusal));
    }

    pub fn show(&mut self, path: PathBuf) {
        let of = path.clone();
        self.begin(path, move |_, _| match backend::show(&of) {
            Ok(()) => Ok((Some(of.clone()), problem!("recordings-shown", name = shown(&of)))),
            Err(reason) => {
                let folder = of.parent().unwrap_or(&of).display().to_string();
                Err(problem!("recordings-not-shown", folder = folder, reason = reason))
            }
        });
    }

    pub fn repair(&mut self, path: PathBuf) {
        let of = path.clone();
        self.begin(path, move |stop, state| {
            let progress = |share| {
                let (from, to) = (of.clone(), of.clone());
                state.lock().copy = Some(CopyProgress { from, to, share, repairs: true });
                stop.is_set()
            };
            progress(0.0);
            match repair(&of, &progress) {
                Ok(report) => {
                    let name = shown(&report.path);
                    let text = match report.how {
                        RepairMethod::Whole => problem!("recordings-whole", name = name),
                        _ => problem!("recordings-repaired", name = name),
                    };
                    Ok((Some(report.path), text))
                }
                Err(failure) => Err((&failure).into()),
            }
        });
    }

    pub fn copy(&mut self, from: PathBuf, to: PathBuf, part: Cut) {
        self.begin(from.clone(), move |stop, state| {
            let progress = |share| {
                state.lock().copy = Some(CopyProgress {
                    from: from.clone(),
                    to: to.clone(),
                    share,
                    repairs: false,
                });
                stop.is_set()
            };
            progress(0.0);
            // Some formats do not support all kinds of tracks. This is reported, and nothing is
            // dropped silently.
            // The list does not have all files of the folder, so the name may be taken.
            match remux_numbered(part, &[], &from, &to, &progress) {
                Ok(report) => Ok((Some(report.path.clone()), copied(&report))),
                Err(failure) => Err((&failure).into()),
            }
        });
    }
}

/// Returns true if any program still writes the file. This program may not know the recorder.
fn is_being_written(path: &Path) -> bool {
    MediaFile::open(path).is_ok_and(|file| file.is_being_written())
}

fn not_renamed(path: &Path, reason: Problem) -> Problem {
    problem!("recordings-not-renamed", name = shown(path), reason = reason)
}

fn not_trashed(path: &Path, reason: Problem) -> Problem {
    problem!("recordings-not-trashed", name = shown(path), reason = reason)
}

/// Returns the reason in the user's language. The texts of the library are English.
fn why_not_trashed(error: &trash::Error) -> Problem {
    if let Some(cause) = backend::trash_cause(error) {
        return Trouble::problem(cause);
    }
    match error {
        trash::Error::CouldNotAccess { .. } => Trouble::Forbidden.in_words(""),
        _ => problem!("recordings-no-trash"),
    }
}

fn shown(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn copied(report: &Report) -> Problem {
    problem!(
        "recordings-copied",
        name = shown(&report.path),
        seconds = format!("{:.1}", report.duration.as_secs_f64())
    )
}

fn tell(state: &Mutex<ChangeState>, path: PathBuf, done: Done) {
    let mut state = state.lock();
    state.number += 1;
    let failed = done.is_err();
    let (now, text) = done.unwrap_or_else(|problem| (None, problem));
    state.outcome = Some(Outcome { number: state.number, path, now, failed, text });
}

/// Checks a new name. Fails with the reason if the name is not valid.
pub fn check_name(name: &str) -> Result<(), Problem> {
    let name = name.trim();
    if name.is_empty() || name.starts_with('.') {
        return Err(problem!("recordings-name-empty"));
    }
    if name.len() > MAX_NAME_BYTES {
        return Err(problem!("recordings-name-long"));
    }
    if name.contains(|it: char| it == '/' || it == '\\' || it.is_control()) {
        return Err(problem!("recordings-name-characters"));
    }
    Ok(())
}

fn rename(from: &Path, name: &str) -> Done {
    check_name(name)?;
    let mut to = std::ffi::OsString::from(name.trim());
    if let Some(extension) = from.extension() {
        to.push(".");
        to.push(extension);
    }
    let to = from.with_file_name(to);
    if to == from {
        return Ok((Some(to), problem!("recordings-renamed", name = shown(from))));
    }
    if is_being_written(from) {
        return Err(not_renamed(from, problem!("recordings-changing")));
    }
    match files::rename_new(from, &to) {
        Ok(()) => Ok((Some(to.clone()), problem!("recordings-renamed", name = shown(&to)))),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            Err(problem!("remux-exists", path = to.display().to_string()))
        }
        Err(error) => Err(not_renamed(from, Trouble::problem(&error))),
    }
}
