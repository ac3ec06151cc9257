//! The stores of settings files. Each settings file has its own keys, so that a window that deletes
//! or replaces a key does not change the key of another settings file.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::base::Secret;
use crate::studio::settings::stream_keys::backend::{self, KeyringStore};
use crate::studio::settings::stream_keys::store::{KeyPlace, KeyStore, Keyring, OwnFile};
use crate::text::Problem;

/// The key file of `settings.toml`.
const USUAL_FILE: &str = "keys.toml";
/// The end of the names of other key files: the key file of `show.toml` is `show-keys.toml`.
const OWN_FILE_END: &str = "-keys.toml";

/// Opens the store of a settings file's keys. `file` stores the keys if there is no keyring, or if
/// `keyring` is false.
pub fn open(file: &Path, keyring: bool) -> Box<dyn KeyStore> {
    let store = match keyring.then(backend::open) {
        Some(Ok(store)) => Some(store),
        Some(Err(error)) => {
            tracing::info!(%error, file = %file.display(), "no keyring: storing keys in a file");
            None
        }
        None => None,
    };
    Box::new(open_in(store.as_ref(), file))
}

fn open_in(keyring: Option<&KeyringStore>, file: &Path) -> OwnKeys {
    let store = |prefix: String| -> Box<dyn KeyStore> {
        let file = OwnFile { path: file.to_owned() };
        match keyring {
            Some(store) => Box::new(Keyring { store: Arc::clone(store), prefix, file }),
            None => Box::new(file),
        }
    };
    let own = store(format!("{} ", resolved(file).display()));
    let name = file.file_name().and_then(OsStr::to_str);
    let settings = name.and_then(|name| name.strip_suffix(OWN_FILE_END));
    let prefix = settings.map(|name| format!("{name} ")).unwrap_or_default();
    let earlier = keyring.map(|_| store(prefix));
    // The settings file may be a copy of `settings.toml`.
    let usual = settings.map(|_| Box::new(open_in(keyring, &file.with_file_name(USUAL_FILE))));
    OwnKeys { own, earlier, usual }
}

/// Returns the absolute path of a file, without links in the path of its folder. The folder may not
/// exist yet.
fn resolved(file: &Path) -> PathBuf {
    let path = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
    let in_folder =
        |folder: &Path| Some(folder.canonicalize().ok()?.join(path.strip_prefix(folder).ok()?));
    path.ancestors().skip(1).find_map(in_folder).unwrap_or_else(|| path.clone())
}

/// Returns a stored key, or `None` for the empty key that [`OwnKeys::forget`] stores.
fn undeleted(key: Secret) -> Option<Secret> {
    Some(key).filter(|key| !key.is_empty())
}

/// The keys of a settings file.
#[derive(Debug)]
struct OwnKeys {
    own: Box<dyn KeyStore>,
    /// The entries of earlier versions, which settings files of the same name in different folders
    /// shared. A missing key is copied from here.
    earlier: Option<Box<dyn KeyStore>>,
    /// The keys of `settings.toml`, from which a missing key is copied too.
    usual: Option<Box<OwnKeys>>,
}

impl OwnKeys {
    /// Finds a key, and copies nothing.
    fn find(&self, name: &str) -> Result<Option<Secret>, Problem> {
        match self.own.load(name)? {
            Some(key) => Ok(undeleted(key)),
            None => self.find_elsewhere(name),
        }
    }

    fn find_elsewhere(&self, name: &str) -> Result<Option<Secret>, Problem> {
        if let Some(earlier) = &self.earlier
            && let Some(key) = earlier.load(name)?
        {
            return Ok(Some(key));
        }
        self.usual.as_ref().map_or(Ok(None), |usual| usual.find(name))
    }

    /// Deletes the entry of an earlier version if it is the key that this settings file had. Any
    /// other entry can be the only copy of another settings file's key.
    fn forget_earlier(&self, name: &str, had: &Secret) -> Result<(), Problem> {
        let Some(earlier) = &self.earlier else { return Ok(()) };
        match earlier.load(name)? {
            Some(key) if key == *had => earlier.forget(name),
            _ => Ok(()),
        }
    }
}

impl KeyStore for OwnKeys {
    fn place(&self) -> KeyPlace {
        self.own.place()
    }

    fn load(&self, name: &str) -> Result<Option<Secret>, Problem> {
        if let Some(key) = self.own.load(name)? {
            return Ok(undeleted(key));
        }
        let key = self.find_elsewhere(name).unwrap_or_else(|why| {
            tracing::warn!(%why, "reading a key of another settings file failed");
            None
        });
        // The original may delete its key later.
        if let Some(key) = &key
            && let Err(why) = self.own.keep(name, key, true)
        {
            tracing::warn!(%why, "copying a key failed");
        }
        Ok(key)
    }

    fn keep(&self, name: &str, key: &Secret, or_file: bool) -> Result<(), Problem> {
        self.own.keep(name, key, or_file)
    }

    fn forget(&self, name: &str) -> Result<(), Problem> {
        let had = self.own.load(name);
        self.own.forget(name)?;
        if let Ok(Some(had)) = had {
            self.forget_earlier(name, &had)?;
        }
        if self.find_elsewhere(name) == Ok(None) {
            return Ok(());
        }
        // Without this empty key, the other key would be copied again at the next start.
        self.own.keep(name, &Secret::new(""), true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copied_settings_file_loads_the_keys_of_the_original_once() {
        let folder = tempfile::tempdir().unwrap();
        let mock: KeyringStore = keyring_core::mock::Store::new().unwrap();
        for keyring in [None, Some(&mock)] {
            let open = |name: &str| open_in(keyring, &folder.path().join(name));
            let (usual, show) = (open("keys.toml"), open("show-keys.toml"));
            let [first, second] = ["first", "second"].map(Secret::new);
            usual.keep("a", &first, false).unwrap();
            assert_eq!(show.load("a"), Ok(Some(first.clone())));
            usual.keep("a", &second, false).unwrap();
            assert_eq!(show.load("a"), Ok(Some(first.clone())), "it is separate now");
            usual.forget("a").unwrap();
            assert_eq!((usual.load("a"), show.load("a")), (Ok(None), Ok(Some(first))));
            usual.keep("a", &second, false).unwrap();
            show.forget("a").unwrap();
            assert_eq!(show.load("a"), Ok(None), "the key of the original does not return");
            usual.forget("a").unwrap();
            show.keep("a", &second, false).unwrap();
            assert_eq!((usual.load("a"), show.load("a")), (Ok(None), Ok(Some(second))));
            show.forget("a").unwrap();
            assert_eq!(show.load("a"), Ok(None));
        }
    }

    #[test]
    fn settings_files_of_the_same_name_in_different_folders_keep_their_own_keys() {
        let folder = tempfile::tempdir().unwrap();
        let mock: KeyringStore = keyring_core::mock::Store::new().unwrap();
        let [first, second] = ["first", "second"].map(Secret::new);
        for name in ["keys.toml", "show-keys.toml"] {
            let open = |at: &str| open_in(Some(&mock), &folder.path().join(at).join(name));
            let (one, other) = (open("one"), open("other"));
            one.keep("play-key", &first, false).unwrap();
            assert_eq!(other.load("play-key"), Ok(None));
            other.keep("play-key", &second, false).unwrap();
            assert_eq!(one.load("play-key"), Ok(Some(first.clone())));
            other.forget("play-key").unwrap();
            assert_eq!(one.load("play-key"), Ok(Some(first.clone())));
            // The folder was created in the meantime.
            std::fs::create_dir_all(folder.path().join("one")).unwrap();
            assert_eq!(open("one").load("play-key"), Ok(Some(first.clone())));
            one.forget("play-key").unwrap();
        }
    }

    #[test]
    fn keys_that_were_stored_without_the_folder_are_copied() {
        let folder = tempfile::tempdir().unwrap();
        let mock: KeyringStore = keyring_core::mock::Store::new().unwrap();
        let key = Secret::new("first");
        for (prefix, name) in [("", "keys.toml"), ("show ", "show-keys.toml")] {
            let path = folder.path().join(name);
            let (store, file) = (Arc::clone(&mock), OwnFile { path: path.clone() });
            let earlier = Keyring { store, prefix: prefix.into(), file };
            earlier.keep("a", &key, false).unwrap();
            assert_eq!(open_in(Some(&mock), &path).load("a"), Ok(Some(key.clone())));
            earlier.forget("a").unwrap();
            assert_eq!(open_in(Some(&mock), &path).load("a"), Ok(Some(key.clone())));
        }
    }

    #[test]
    fn a_deleted_key_is_in_no_entry_unless_another_settings_file_may_need_it() {
        let folder = tempfile::tempdir().unwrap();
        let [first, second] = ["first", "second"].map(Secret::new);
        for (prefix, name) in [("", "keys.toml"), ("show ", "show-keys.toml")] {
            let mock: KeyringStore = keyring_core::mock::Store::new().unwrap();
            let path = folder.path().join(name);
            let (store, file) = (Arc::clone(&mock), OwnFile { path: path.clone() });
            let earlier = Keyring { store, prefix: prefix.into(), file };
            earlier.keep("a", &first, false).unwrap();
            let keys = open_in(Some(&mock), &path);
            assert_eq!(keys.load("a"), Ok(Some(first.clone())));
            keys.forget("a").unwrap();
            assert_eq!((keys.own.load("a"), earlier.load("a")), (Ok(None), Ok(None)));
            // This settings file never had the key of the entry.
            earlier.keep("b", &first, false).unwrap();
            keys.forget("b").unwrap();
            assert_eq!((keys.load("b"), earlier.load("b")), (Ok(None), Ok(Some(first.clone()))));
            // Another settings file of this name has changed the entry.
            earlier.keep("a", &first, false).unwrap();
            let keys = open_in(Some(&mock), &path);
            assert_eq!(keys.load("a"), Ok(Some(first.clone())));
            earlier.keep("a", &second, false).unwrap();
            keys.forget("a").unwrap();
            assert_eq!((keys.load("a"), earlier.load("a")), (Ok(None), Ok(Some(second.clone()))));
        }
    }

    #[test]
    fn a_copied_settings_file_writes_no_entries_of_the_original() {
        let folder = tempfile::tempdir().unwrap();
        let mock: KeyringStore = keyring_core::mock::Store::new().unwrap();
        let open = |name: &str| open_in(Some(&mock), &folder.path().join(name));
        let (usual, show) = (open("keys.toml"), open("show-keys.toml"));
        let key = Secret::new("first");
        usual.earlier.as_ref().unwrap().keep("a", &key, false).unwrap();
        assert_eq!(show.load("a"), Ok(Some(key.clone())));
        assert_eq!((usual.own.load("a"), show.own.load("a")), (Ok(None), Ok(Some(key))));
    }
}
