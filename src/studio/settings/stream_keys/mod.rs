//! Stores stream keys, addresses with secrets and the desktop's permissions across runs, in the
//! desktop's keyring (Secret Service) or, without one, in a file that only its owner can read. A
//! separate thread does this, because a keyring may request a password first.

mod own_keys;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use keyring_core::api::CredentialStoreApi;
use parking_lot::Mutex;
use zeroize::Zeroizing;

use crate::base::queue::{self, Full, Receiver, Sender};
use crate::base::{Secret, Worker};
use crate::studio::settings::Settings;
use crate::text::Problem;
use crate::text::problem::problem;

/// Maximum number of requests that wait while a keyring requests a password: several for each
/// target and each source.
const MAX_WAITING_REQUESTS: usize = 512;
/// Maximum size of a valid key file in bytes.
const MAX_KEY_FILE_BYTES: u64 = 256 << 10;
/// The label of onair's entries in the keyring.
const KEYRING_SERVICE: &str = "onair stream key";

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
pub(in crate::studio) enum KeyOwner {
    /// The stream key of this target.
    Target(u32),
    /// An address that contains a secret.
    Address,
    /// The desktop's permission for a display or window.
    Permission,
    /// The viewers of the built-in server.
    Viewers,
}

/// An answer from the thread.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::studio) enum KeyAnswer {
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

/// The place where keys are stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyPlace {
    /// The desktop's keyring.
    Keyring,
    /// This file, which only its owner can read.
    File(PathBuf),
}

/// The handle of the thread. Dropping it ends the thread after the pending requests.
#[derive(Debug)]
pub(in crate::studio) struct Keys {
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
            let store = own_keys::open(path, keyring);
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

/// A place that can store keys.
trait KeyStore: fmt::Debug {
    fn place(&self) -> KeyPlace;
    fn load(&self, name: &str) -> Result<Option<Secret>, Problem>;
    /// Stores a key. `or_file` allows the private file if there is no other way.
    fn keep(&self, name: &str, key: &Secret, or_file: bool) -> Result<(), Problem>;
    fn forget(&self, name: &str) -> Result<(), Problem>;
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

fn of_keyring(error: &keyring_core::Error) -> Problem {
    problem!("keyring-failed", reason = error.to_string())
}

#[derive(Debug)]
struct Keyring {
    store: Arc<dyn CredentialStoreApi + Send + Sync>,
    /// The beginning of all names in the keyring.
    prefix: String,
    /// The file for keys that the keyring did not take. They are newer than those in the keyring.
    file: OwnFile,
}

impl Keyring {
    fn entry(&self, name: &str) -> Result<keyring_core::Entry, Problem> {
        let name = format!("{}{name}", self.prefix);
        self.store.build(KEYRING_SERVICE, &name, None).map_err(|error| of_keyring(&error))
    }
}

impl KeyStore for Keyring {
    fn place(&self) -> KeyPlace {
        KeyPlace::Keyring
    }

    fn load(&self, name: &str) -> Result<Option<Secret>, Problem> {
        if let Ok(Some(key)) = self.file.load(name) {
            return Ok(Some(key));
        }
        self.entry(name).and_then(|entry| match entry.get_password() {
            Ok(key) => Ok(Some(Secret::new(key))),
            Err(keyring_core::Error::NoEntry) => Ok(None),
            Err(error) => Err(of_keyring(&error)),
        })
    }

    fn keep(&self, name: &str, key: &Secret, or_file: bool) -> Result<(), Problem> {
        let kept = self
            .entry(name)
            .and_then(|entry| entry.set_password(key.expose()).map_err(|error| of_keyring(&error)));
        match kept {
            Ok(()) => self.file.forget_known(name),
            Err(error) if or_file => {
                tracing::info!(%error, "the keyring refuses a key: storing it in a file");
                self.file.keep(name, key, or_file)
            }
            Err(error) => Err(error),
        }
    }

    fn forget(&self, name: &str) -> Result<(), Problem> {
        self.file.forget_known(name)?;
        match self.entry(name)?.delete_credential() {
            Ok(()) | Err(keyring_core::Error::NoEntry) => Ok(()),
            Err(error) => Err(of_keyring(&error)),
        }
    }
}

/// The private file, with lines of `"name" = "key"` (TOML). Every change replaces the whole file.
#[derive(Debug)]
struct OwnFile {
    path: PathBuf,
}

type Entries = BTreeMap<String, Zeroizing<String>>;

impl OwnFile {
    fn failed(&self, error: &io::Error) -> Problem {
        let (path, reason) = (self.path.display().to_string(), Problem::from(error));
        problem!("source-file", path = path, reason = reason)
    }

    fn read(&self) -> Result<Entries, Problem> {
        match read_private(&self.path) {
            Ok(text) => {
                let table: toml::Table = text.parse().map_err(|_| {
                    // The parser's own message would quote the file's content.
                    problem!("keys-file-unreadable", path = self.path.display().to_string())
                })?;
                let entries = table.into_iter().filter_map(|(name, value)| match value {
                    toml::Value::String(key) => Some((name, Zeroizing::new(key))),
                    _ => None,
                });
                Ok(entries.collect())
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Entries::new()),
            Err(error) => Err(self.failed(&error)),
        }
    }

    /// Deletes a key that `load` would find. A file that cannot be read counts as empty.
    fn forget_known(&self, name: &str) -> Result<(), Problem> {
        match self.load(name) {
            Ok(Some(_)) => self.forget(name),
            Ok(None) | Err(_) => Ok(()),
        }
    }

    fn change(&self, change: impl FnOnce(&mut Entries)) -> Result<(), Problem> {
        let mut entries = self.read()?;
        change(&mut entries);
        let mut text = Zeroizing::new(String::from(
            "# Stream keys and addresses of onair. Show this to nobody.\n",
        ));
        for (name, key) in &entries {
            // Names of permissions have spaces.
            let name = toml::Value::String(name.clone());
            let quoted = Zeroizing::new(toml::Value::String(key.to_string()).to_string());
            *text += &format!("{name} = {}\n", &*quoted);
        }
        if text.len() as u64 > MAX_KEY_FILE_BYTES {
            // Nothing could read the file again, and all keys would be lost.
            return Err(self.failed(&too_large()));
        }
        write_private(&self.path, &text).map_err(|error| self.failed(&error))
    }
}

impl KeyStore for OwnFile {
    fn place(&self) -> KeyPlace {
        KeyPlace::File(self.path.clone())
    }

    fn load(&self, name: &str) -> Result<Option<Secret>, Problem> {
        Ok(self.read()?.get(name).map(|key| Secret::new(key.as_str())))
    }

    fn keep(&self, name: &str, key: &Secret, _or_file: bool) -> Result<(), Problem> {
        let key = Zeroizing::new(key.expose().to_owned());
        self.change(|entries| drop(entries.insert(name.to_owned(), key)))
    }

    fn forget(&self, name: &str) -> Result<(), Problem> {
        if self.read()?.contains_key(name) {
            return self.change(|entries| drop(entries.remove(name)));
        }
        Ok(())
    }
}

/// Reads a private file. A file that other users can read is made private first.
fn read_private(path: &Path) -> io::Result<Zeroizing<String>> {
    let file = File::open(path)?;
    make_private(&file)?;
    let mut text = Zeroizing::new(String::new());
    file.take(MAX_KEY_FILE_BYTES + 1).read_to_string(&mut text)?;
    if text.len() as u64 > MAX_KEY_FILE_BYTES {
        return Err(too_large());
    }
    Ok(text)
}

fn too_large() -> io::Error {
    io::Error::other("it is far too large")
}

/// Writes a file that only its owner can read, by atomic replacement.
pub(in crate::studio) fn write_private(path: &Path, text: &str) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or_else(|| Path::new("."));
    fs::create_dir_all(folder)?;
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    make_private(file.as_file())?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

#[cfg(unix)]
pub(in crate::studio) fn make_private(file: &File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    if file.metadata()?.permissions().mode() & 0o077 != 0 {
        file.set_permissions(fs::Permissions::from_mode(0o600))?;
    }
    Ok(())
}

#[cfg(not(unix))]
pub(in crate::studio) fn make_private(_file: &File) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn a_file_keeps_keys_for_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep").join("keys.toml");
        let keeper = OwnFile { path: path.clone() };
        assert_eq!(keeper.load("a"), Ok(None));
        let odd = Secret::new("k\"ey'\\ with ?&% and \u{1f511}");
        keeper.keep("a", &odd, false).unwrap();
        keeper.keep("b", &Secret::new("second"), false).unwrap();
        let permission = Secret::new("restore-7");
        keeper.keep("permission My \"screen\"", &permission, false).unwrap();
        assert_eq!(keeper.load("permission My \"screen\""), Ok(Some(permission)));
        assert_eq!(keeper.load("a"), Ok(Some(odd)));
        keeper.forget("b").unwrap();
        keeper.forget("absent").unwrap();
        assert_eq!(keeper.load("b"), Ok(None));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = || fs::metadata(&path).unwrap().permissions().mode() & 0o777;
            assert_eq!(mode(), 0o600);
            fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
            keeper.load("a").unwrap();
            assert_eq!(mode(), 0o600);
        }
    }

    #[test]
    fn a_key_that_is_far_too_large_does_not_cost_the_others() {
        let folder = tempfile::tempdir().unwrap();
        let keeper = OwnFile { path: folder.path().join("keys.toml") };
        keeper.keep("a", &Secret::new("first"), false).unwrap();
        let huge = "x".repeat(MAX_KEY_FILE_BYTES as usize);
        assert!(keeper.keep("b", &Secret::new(huge), false).is_err());
        assert_eq!(keeper.load("a"), Ok(Some(Secret::new("first"))));
    }

    #[test]
    fn a_key_that_the_keyring_refuses_is_the_one_that_counts() {
        let folder = tempfile::tempdir().unwrap();
        let file = OwnFile { path: folder.path().join("keys.toml") };
        let store = keyring_core::mock::Store::new().unwrap();
        let keeper = Keyring { store, prefix: String::new(), file };
        let refuse_next = || {
            let entry = keeper.entry("play-key").unwrap();
            let entry: &keyring_core::mock::Cred = entry.as_any().downcast_ref().unwrap();
            entry.set_error(keyring_core::Error::NoStorageAccess("locked".into()));
        };
        let [first, second, third] = ["first", "second", "third"].map(Secret::new);
        keeper.keep("play-key", &first, true).unwrap();
        refuse_next();
        assert!(keeper.keep("play-key", &second, false).is_err(), "the file is not allowed");
        assert_eq!(keeper.load("play-key"), Ok(Some(first)));
        // A new key replaces the old one. The old key must not return at the next start.
        refuse_next();
        keeper.keep("play-key", &second, true).unwrap();
        assert_eq!(keeper.load("play-key"), Ok(Some(second)));
        keeper.keep("play-key", &third, true).unwrap();
        assert_eq!(keeper.file.load("play-key"), Ok(None));
        assert_eq!(keeper.load("play-key"), Ok(Some(third.clone())));
        refuse_next();
        keeper.keep("play-key", &third, true).unwrap();
        keeper.forget("play-key").unwrap();
        assert_eq!(keeper.load("play-key"), Ok(None));
    }

    #[test]
    fn a_spoilt_file_is_an_error_that_quotes_nothing_and_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys.toml");
        fs::write(&path, "a = \"live_secret\nb = ").unwrap();
        let keeper = OwnFile { path: path.clone() };
        let error = keeper.keep("c", &Secret::new("other"), false).unwrap_err().to_string();
        assert!(error.contains("keys.toml") && !error.contains("secret"), "{error}");
        assert!(fs::read_to_string(&path).unwrap().contains("live_secret"));
    }
}
