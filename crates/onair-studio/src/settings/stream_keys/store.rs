//! The places that store keys: the desktop's keyring, and a private file.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use keyring_core::api::CredentialStoreApi;
use zeroize::Zeroizing;

use crate::base::Secret;
use crate::platform::files;
use crate::studio::settings::disk::{folder_of, resolved};
use crate::text::Problem;
use crate::text::problem::problem;

/// Maximum size of a valid key file in bytes.
const MAX_KEY_FILE_BYTES: u64 = 256 << 10;
/// The label of onair's entries in the keyring.
const KEYRING_SERVICE: &str = "onair stream key";

/// The place where keys are stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyPlace {
    /// The desktop's keyring.
    Keyring,
    /// This file, which only its owner can read.
    File(PathBuf),
}

/// A place that can store keys.
pub trait KeyStore: fmt::Debug {
    fn place(&self) -> KeyPlace;
    fn load(&self, name: &str) -> Result<Option<Secret>, Problem>;
    /// Stores a key. `or_file` allows the private file if there is no other way.
    fn keep(&self, name: &str, key: &Secret, or_file: bool) -> Result<(), Problem>;
    fn forget(&self, name: &str) -> Result<(), Problem>;
}

fn of_keyring(error: &keyring_core::Error) -> Problem {
    problem!("keyring-failed", reason = error.to_string())
}

/// The desktop's keyring.
#[derive(Debug)]
pub struct Keyring {
    pub store: Arc<dyn CredentialStoreApi + Send + Sync>,
    /// The beginning of all names in the keyring.
    pub prefix: String,
    /// The file for keys that the keyring did not take. They are newer than those in the keyring.
    pub file: OwnFile,
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
pub struct OwnFile {
    pub path: PathBuf,
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

/// Writes a file that only its owner can read, by atomic replacement. A symbolic link stays a link.
pub fn write_private(path: &Path, text: &str) -> io::Result<()> {
    let path = resolved(path)?;
    let folder = folder_of(&path);
    fs::create_dir_all(folder)?;
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    make_private(file.as_file())?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

pub fn make_private(file: &File) -> io::Result<()> {
    files::make_private(file)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

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
            use std::os::unix::fs::PermissionsExt as _;
            let mode = || fs::metadata(&path).unwrap().permissions().mode() & 0o777;
            assert_eq!(mode(), 0o600);
            fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
            keeper.load("a").unwrap();
            assert_eq!(mode(), 0o600);
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_link_to_a_vault_stays_and_the_keys_stay_in_the_vault() {
        let folder = tempfile::tempdir().unwrap();
        let (vault, path) = (folder.path().join("vault.toml"), folder.path().join("keys.toml"));
        std::os::unix::fs::symlink("vault.toml", &path).unwrap();
        let keeper = OwnFile { path: path.clone() };
        for name in ["a", "b"] {
            keeper.keep(name, &Secret::new("key"), false).unwrap();
            assert!(path.is_symlink() && fs::read_to_string(&vault).unwrap().contains(name));
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
