//! Stores stream keys, addresses with secrets and the desktop's permissions across runs, in the
//! desktop's keyring (Secret Service) or, without one, in a file that only its owner can read. A
//! separate thread does this, because a keyring may request a password first.

mod backend;
mod own_keys;
mod store;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use crate::base::queue::{self, Full, Receiver, Sender};
use crate::base::{Secret, Worker};
use crate::studio::settings::Settings;
pub use crate::studio::settings::stream_keys::store::KeyPlace;
use crate::studio::settings::stream_keys::store::{KeyStore, OwnFile};
pub(crate) use crate::studio::settings::stream_keys::store::{make_private, write_private};
use crate::text::Problem;
use crate::text::problem::problem;

/// Maximum number of requests that wait while a keyring requests a password: several for each
/// target and each source.
const MAX_WAITING_REQUESTS: usize = 512;

/// A request to the thread.
#[derive(Clone, Debug)]
enum Request {
    Load {
        what: KeyOwner,
        name: String,
    },
    /// Stores a key. `or_file` allows the file if the keyring does not store the key.
    Keep {
        name: String,
        key: Secret,
        or_file: bool,
    },
    Forget {
        name: String,
    },
    /// Requests a mark with this number, which follows the answers to all earlier requests.
    Mark(u32),
}

impl Request {
    /// Returns the name of the key that the request is about.
    fn name(&self) -> Option<&str> {
        match self {
            Self::Load { name, .. } | Self::Keep { name, .. } | Self::Forget { name } => Some(name),
            Self::Mark(_) => None,
        }
    }
}

/// The owner of a key.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum KeyOwner {
    /// The stream key of this target.
    Target(u32),
    /// An address that contains a secret.
    Address,
    /// The desktop's permission for a display or window.
    Permission,
    /// The viewers of the built-in server.
    Viewers,
    /// The programs that control onair.
    RemoteControl,
    /// The server at which guests meet the studio.
    Meeting,
    /// The SRT clients of the built-in server.
    SrtClients,
    /// The API of YouTube.
    YouTube,
}

/// An answer from the thread.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyAnswer {
    /// The place where keys are stored.
    Place(KeyPlace),
    /// The key of this name, or `None` if there is none.
    Loaded { what: KeyOwner, name: String, key: Option<Secret> },
    /// All requests before the mark with this number are answered, so all keys that exist are
    /// loaded.
    Ready(u32),
    /// A key could not be stored or read. The text never contains the key.
    Failed(Problem),
    /// Since the failures, a request for each of these keys has succeeded.
    Recovered,
}

/// The handle of the thread. Dropping it ends the thread after the pending requests.
#[derive(Debug)]
pub struct Keys {
    requests: Sender<Request>,
    answers: Receiver<KeyAnswer>,
    worker: Worker,
    /// Keys that must not be lost, and that the thread has not stored yet.
    unsaved: Arc<Mutex<BTreeMap<String, Secret>>>,
    file: PathBuf,
}

impl Keys {
    /// Starts the thread. `file` stores keys if there is no keyring, or if `keyring` is false.
    pub fn start(file: PathBuf, keyring: bool) -> io::Result<Self> {
        let (requests, asked) =
            queue::bounded("key requests", MAX_WAITING_REQUESTS, Full::DropOldest);
        let (answer, answers) =
            queue::bounded("key answers", MAX_WAITING_REQUESTS * 2, Full::DropOldest);
        let unsaved = Arc::<Mutex<BTreeMap<String, Secret>>>::default();
        let (path, saved) = (file.clone(), Arc::clone(&unsaved));
        let worker = Worker::spawn("keys", move |_| {
            let store = own_keys::open(&path, keyring);
            let _ = answer.send(KeyAnswer::Place(store.place()));
            let mut failed = BTreeSet::new();
            while let Some(request) = asked.recv() {
                let kept = match &request {
                    Request::Keep { name, key, or_file: true } => Some((name.clone(), key.clone())),
                    _ => None,
                };
                let name = request.name().map(str::to_owned);
                let reply = store.answer(request);
                let recovered = match (&reply, name) {
                    (Some(KeyAnswer::Failed(_)), Some(name)) => {
                        failed.insert(name);
                        false
                    }
                    (_, name) => name.is_some_and(|it| failed.remove(&it)) && failed.is_empty(),
                };
                let recovered = recovered.then_some(KeyAnswer::Recovered);
                for reply in reply.into_iter().chain(recovered) {
                    let _ = answer.send(reply);
                }
                // A newer key of the same name still waits for its own request.
                let mut unsaved = saved.lock();
                if let Some((name, key)) = kept
                    && unsaved.get(&name) == Some(&key)
                {
                    unsaved.remove(&name);
                }
            }
        })?;
        Ok(Self { requests, answers, worker, unsaved, file })
    }

    /// Requests the key of this name.
    pub fn load(&self, what: KeyOwner, name: &str) {
        let _ = self.requests.send(Request::Load { what, name: name.into() });
    }

    /// Requests the answer [`KeyAnswer::Ready`] with this number after all earlier requests.
    pub fn mark(&self, number: u32) {
        let _ = self.requests.send(Request::Mark(number));
    }

    /// Stores a key, or deletes it if the key is empty.
    pub fn keep(&self, name: &str, key: &Secret) {
        let name = name.to_owned();
        let _ = self.requests.send(if key.is_empty() {
            Request::Forget { name }
        } else {
            Request::Keep { name, key: key.clone(), or_file: false }
        });
    }

    /// Stores a key that must not be lost: it was in a plain file before, or onair made it. If the
    /// keyring refuses, the key goes into the private file.
    pub fn keep_or_file(&self, name: &str, key: &Secret) {
        let (name, key) = (name.to_owned(), key.clone());
        self.unsaved.lock().insert(name.clone(), key.clone());
        let _ = self.requests.send(Request::Keep { name, key, or_file: true });
    }

    /// Deletes a key.
    pub fn forget(&self, name: &str) {
        let _ = self.requests.send(Request::Forget { name: name.into() });
    }

    /// Returns the next answer.
    pub fn poll(&self) -> Option<KeyAnswer> {
        self.answers.try_recv().ok()
    }

    /// Ends the thread after the pending requests, and waits at most `limit`. If the keyring does
    /// not answer until then, keys that must not be lost go into the private file.
    pub fn end(self, limit: Duration) {
        let Self { requests, answers: _, mut worker, unsaved, file } = self;
        drop(requests);
        if let Err(stuck) = worker.wait(limit) {
            tracing::warn!(%stuck, "saving the stream keys failed");
            save_in(file, &unsaved.lock());
        }
    }
}

/// Stores keys in the private file. At the next start, they precede the keys of the keyring.
fn save_in(file: PathBuf, keys: &BTreeMap<String, Secret>) {
    let file = OwnFile { path: file };
    for (name, key) in keys {
        if let Err(error) = file.keep(name, key, true) {
            tracing::warn!(%error, "a key is lost");
        }
    }
}

/// Stores the settings' addresses with secrets, for callers that write settings without a studio.
/// `file` stores the addresses if there is no keyring. The call waits for each answer, at most
/// `limit`.
///
/// # Errors
/// Fails with the reason if a secret could not be stored.
pub fn keep_addresses(settings: &Settings, file: PathBuf, limit: Duration) -> Result<(), Problem> {
    let (_, kept) = settings.concealed();
    let kept: Vec<_> = kept.into_iter().filter_map(|it| Some((it.name, it.url?))).collect();
    keep_keys(kept.iter().map(|(name, url)| (name.as_str(), url)), file, limit)
}

/// Stores keys under their names, like [`keep_addresses`].
///
/// # Errors
/// Fails with the reason if a secret could not be stored.
pub fn keep_keys<'a>(
    kept: impl Iterator<Item = (&'a str, &'a Secret)>,
    file: PathBuf,
    limit: Duration,
) -> Result<(), Problem> {
    let mut kept = kept.peekable();
    if kept.peek().is_none() {
        return Ok(());
    }
    let keys = Keys::start(file, true).map_err(Problem::from)?;
    for (name, url) in kept {
        keys.keep(name, url);
    }
    keys.mark(0);
    loop {
        match keys.answers.recv_timeout(limit) {
            Ok(KeyAnswer::Ready(_)) => break,
            Ok(KeyAnswer::Failed(reason)) => return Err(reason),
            Ok(KeyAnswer::Place(_) | KeyAnswer::Loaded { .. } | KeyAnswer::Recovered) => {}
            Err(_) => return Err(problem!("keyring-no-answer")),
        }
    }
    keys.end(limit);
    Ok(())
}

impl dyn KeyStore {
    fn answer(&self, request: Request) -> Option<KeyAnswer> {
        let done = match request {
            Request::Load { what, name } => match self.load(&name) {
                Ok(key) => return Some(KeyAnswer::Loaded { what, name, key }),
                Err(reason) => Err(reason),
            },
            Request::Keep { name, key, or_file } => self.keep(&name, &key, or_file),
            Request::Forget { name } => self.forget(&name),
            Request::Mark(number) => return Some(KeyAnswer::Ready(number)),
        };
        done.err().map(KeyAnswer::Failed)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::studio::settings::keys_beside;

    #[test]
    fn keys_that_a_silent_keyring_has_not_stored_go_into_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("keys.toml");
        let (requests, asked) =
            queue::bounded("key requests", MAX_WAITING_REQUESTS, Full::DropOldest);
        let (_, answers) = queue::bounded("key answers", MAX_WAITING_REQUESTS, Full::DropOldest);
        let (release, held) = queue::bounded::<()>("release", 1, Full::DropOldest);
        let worker = Worker::spawn("silent", move |_| {
            held.recv();
            drop(asked);
        });
        let (worker, unsaved) = (worker.unwrap(), Arc::default());
        let keys = Keys { requests, answers, worker, unsaved, file: file.clone() };
        for key in ["old", "new"] {
            keys.keep_or_file("viewers", &Secret::new(key));
        }
        keys.keep("target", &Secret::new("typed"));
        keys.end(Duration::from_millis(1));
        let stored = OwnFile { path: file };
        assert_eq!(stored.load("viewers"), Ok(Some(Secret::new("new"))));
        assert_eq!(stored.load("target"), Ok(None), "only keys that allow it");
        drop(release);
    }

    #[test]
    fn a_failure_is_over_once_the_same_key_is_stored() {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().join("onair");
        fs::write(&home, "a file in the way").unwrap();
        let keys = Keys::start(home.join("keys.toml"), false).unwrap();
        let answer = || keys.answers.recv_timeout(Duration::from_secs(30)).unwrap();
        assert!(matches!(answer(), KeyAnswer::Place(_)));
        keys.keep("a", &Secret::new("first"));
        assert!(matches!(answer(), KeyAnswer::Failed(_)));
        fs::remove_file(&home).unwrap();
        keys.keep("b", &Secret::new("another"));
        keys.mark(0);
        assert_eq!(answer(), KeyAnswer::Ready(0), "the first key is still lost");
        keys.keep("a", &Secret::new("first"));
        assert_eq!(answer(), KeyAnswer::Recovered);
    }

    #[test]
    fn settings_files_in_one_folder_keep_their_own_keys() {
        let folder = tempfile::tempdir().unwrap();
        let file = |settings: &str| keys_beside(&folder.path().join(settings));
        let (usual, show) = (file("settings.toml"), file("show.toml"));
        assert!(usual.ends_with("keys.toml") && show.ends_with("show-keys.toml"));
        let keys = Keys::start(usual.clone(), false).unwrap();
        keys.keep("play-key", &Secret::new("first"));
        keys.end(Duration::from_secs(60));
        // The copy loads the key, and then deletes it.
        let keys = Keys::start(show, false).unwrap();
        keys.load(KeyOwner::Viewers, "play-key");
        keys.forget("play-key");
        keys.end(Duration::from_secs(60));
        assert_eq!(OwnFile { path: usual }.load("play-key"), Ok(Some(Secret::new("first"))));
    }
}
