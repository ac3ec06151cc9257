//! Reads the contents of a folder on a separate thread, because its disk may not respond, or the
//! folder may be very large.

use std::fs;
use std::path::{Path, PathBuf};

use crate::base::Worker;
use crate::base::queue::{self, Full, Receiver};
use crate::files::Trouble;
use crate::text::Problem;

/// Maximum number of entries of a folder that are read.
const MAX_READ_ENTRIES: usize = 20_000;
/// Maximum number of entries of a folder that are displayed.
const MAX_SHOWN_ENTRIES: usize = 2_000;

/// A file or folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub path: PathBuf,
    pub name: String,
    pub is_folder: bool,
    pub bytes: u64,
}

/// The kind of object at a path.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub enum PathKind {
    #[default]
    Folder,
    File,
    /// Nothing, but its folder exists.
    New,
    /// Nothing, and its folder does not exist.
    Nothing,
}

/// The object found at a path. For a folder, this includes the contents, with folders first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    pub found: PathKind,
    pub entries: Vec<Entry>,
    /// True if there are more entries than are displayed.
    pub cut: bool,
    /// The reason why the object cannot be read.
    pub error: Option<Problem>,
}

/// A path that is being read, or has been read.
#[derive(Debug)]
pub struct Reading {
    pub path: PathBuf,
    pub listing: Option<Listing>,
    answers: Option<Receiver<Listing>>,
    /// The reading thread, which is abandoned if the folder does not respond.
    _worker: Option<Worker>,
}

impl Reading {
    /// Begins to read a path. `wake` is called when the result is available.
    pub fn begin(path: PathBuf, endings: Option<Vec<String>>, wake: egui::Context) -> Self {
        Self::run(path, wake, move |its, stopped| read(its, endings.as_deref(), stopped))
    }

    /// Works like [`begin`](Self::begin), but first creates the folder if it does not exist.
    pub fn of_new(path: PathBuf, endings: Option<Vec<String>>, wake: egui::Context) -> Self {
        Self::run(path, wake, move |its, stopped| match fs::create_dir(its) {
            Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
                Listing { error: Some(Trouble::problem(&error)), ..Listing::default() }
            }
            _ => read(its, endings.as_deref(), stopped),
        })
    }

    fn run(
        path: PathBuf,
        wake: egui::Context,
        read: impl FnOnce(&Path, &dyn Fn() -> bool) -> Listing + Send + 'static,
    ) -> Self {
        let (answer, answers) = queue::bounded("folder", 1, Full::DropOldest);
        let its = path.clone();
        let worker = Worker::spawn("onair-folder", move |stop| {
            let listing = read(&its, &|| stop.is_set());
            // The dialog may have been closed.
            let _ = answer.send(listing);
            wake.request_repaint();
        });
        match worker {
            Ok(worker) => {
                Self { path, listing: None, answers: Some(answers), _worker: Some(worker) }
            }
            Err(error) => {
                let listing =
                    Listing { error: Some(Trouble::problem(&error)), ..Listing::default() };
                Self { path, listing: Some(listing), answers: None, _worker: None }
            }
        }
    }

    /// Creates the result for an existing file.
    #[cfg(test)]
    pub fn of_file(path: PathBuf) -> Self {
        let listing = Listing { found: PathKind::File, ..Listing::default() };
        Self { path, listing: Some(listing), answers: None, _worker: None }
    }

    /// Takes the result, if there is one.
    pub fn poll(&mut self) {
        if let Some(listing) = self.answers.as_ref().and_then(|it| it.try_recv().ok()) {
            self.listing = Some(listing);
        }
    }
}

/// Reads a path. The contents of a folder are listed without hidden entries and without files with
/// other extensions.
fn read(folder: &Path, endings: Option<&[String]>, stopped: &dyn Fn() -> bool) -> Listing {
    let at = |found| Listing { found, ..Listing::default() };
    match fs::metadata(folder) {
        Ok(about) if !about.is_dir() => return at(PathKind::File),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let has_folder = folder.parent().is_some_and(Path::is_dir);
            return at(if has_folder { PathKind::New } else { PathKind::Nothing });
        }
        // The reason for a read error is reported below.
        _ => {}
    }
    let found = match fs::read_dir(folder) {
        Ok(found) => found,
        Err(error) => {
            return Listing { error: Some(Trouble::problem(&error)), ..Listing::default() };
        }
    };
    let mut listing = Listing::default();
    for (count, entry) in found.enumerate() {
        if count >= MAX_READ_ENTRIES || stopped() {
            listing.cut = true;
            break;
        }
        let Ok(entry) = entry else { continue };
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with('.') {
            continue;
        }
        // The call follows links. Broken links are omitted.
        let Ok(about) = fs::metadata(entry.path()) else { continue };
        let fits = || endings.is_none_or(|endings| has_ending(&name, endings));
        if about.is_dir() || (about.is_file() && fits()) {
            let (is_folder, bytes) = (about.is_dir(), about.len());
            listing.entries.push(Entry { path: entry.path(), name, is_folder, bytes });
        }
    }
    listing.entries.sort_by_cached_key(|it| (!it.is_folder, it.name.to_lowercase()));
    listing.cut |= listing.entries.len() > MAX_SHOWN_ENTRIES;
    listing.entries.truncate(MAX_SHOWN_ENTRIES);
    listing
}

/// Returns true if a file name has one of these extensions.
pub fn has_ending(name: &str, endings: &[String]) -> bool {
    let ending = Path::new(name).extension().map(|it| it.to_string_lossy().to_lowercase());
    ending.is_some_and(|ending| endings.contains(&ending))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_come_first_and_others_by_their_endings() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["b.mp4", "A.MP4", "note.txt", ".hidden.mp4"] {
            fs::write(folder.path().join(name), "x").unwrap();
        }
        fs::create_dir(folder.path().join("zoo")).unwrap();
        std::os::unix::fs::symlink("/nowhere/at/all", folder.path().join("dead.mp4")).unwrap();
        let names = |listing: &Listing| -> Vec<String> {
            listing.entries.iter().map(|it| it.name.clone()).collect()
        };
        let endings = ["mp4".to_owned()];
        let listing = read(folder.path(), Some(&endings), &|| false);
        assert_eq!(names(&listing), ["zoo", "A.MP4", "b.mp4"]);
        assert!(listing.entries[0].is_folder && !listing.cut && listing.error.is_none());
        assert_eq!(
            names(&read(folder.path(), None, &|| false)),
            ["zoo", "A.MP4", "b.mp4", "note.txt"]
        );
        let found = |name| read(&folder.path().join(name), None, &|| false).found;
        assert_eq!(
            [found("zoo"), found("b.mp4"), found("no"), found("no/no")],
            [PathKind::Folder, PathKind::File, PathKind::New, PathKind::Nothing]
        );
        assert!(read(folder.path(), None, &|| true).cut);
    }

    #[test]
    fn an_enormous_folder_is_cut() {
        let folder = tempfile::tempdir().unwrap();
        for number in 0..=MAX_SHOWN_ENTRIES {
            fs::write(folder.path().join(format!("{number}.png")), "").unwrap();
        }
        let listing = read(folder.path(), None, &|| false);
        assert!(listing.cut);
        assert_eq!(listing.entries.len(), MAX_SHOWN_ENTRIES);
    }
}
