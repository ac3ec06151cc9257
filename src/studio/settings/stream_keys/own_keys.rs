//! The stores of settings files that are not named `settings.toml`. Each name has its own keys, so
//! that a window that deletes or replaces a key does not change the key of another settings file.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use keyring_core::api::CredentialStoreApi;
use zbus_secret_service_keyring_store::Store;

use crate::base::Secret;
use crate::studio::settings::stream_keys::store::{KeyPlace, KeyStore, Keyring, OwnFile};
use crate::text::Problem;

/// The key file of `settings.toml`.
const USUAL_FILE: &str = "keys.toml";
/// The end of the names of other key files: the key file of `show.toml` is `show-keys.toml`.
const OWN_FILE_END: &str = "-keys.toml";

type KeyringStore = Arc<dyn CredentialStoreApi + Send + Sync>;

/// Opens the store of a settings file's keys. `file` stores the keys if there is no keyring, or if
/// `keyring` is false.
pub(super) fn open(file: PathBuf, keyring: bool) -> Box<dyn KeyStore> {
    let store = match keyring.then(Store::new) {
        Some(Ok(store)) => {
            let store: KeyringStore = store;
            Some(store)
        }
        Some(Err(error)) => {
            tracing::info!(%error, file = %file.display(), "no keyring: storing keys in a file");
            None
        }
        None => None,
    };
    open_in(store.as_ref(), file)
}

fn open_in(keyring: Option<&KeyringStore>, file: PathBuf) -> Box<dyn KeyStore> {
    let store = |prefix: String, path: PathBuf| -> Box<dyn KeyStore> {
        let file = OwnFile { path };
        match keyring {
            Some(store) => Box::new(Keyring { store: Arc::clone(store), prefix, file }),
            None => Box::new(file),
        }
    };
    match own_prefix(&file) {
        None => store(String::new(), file),
        Some(prefix) => {
            let usual = store(String::new(), file.with_file_name(USUAL_FILE));
            Box::new(OwnKeys { own: store(prefix, file), usual })
        }
    }
}

/// Returns the prefix of the names in the keyring; `None` for the key file of `settings.toml`.
fn own_prefix(file: &Path) -> Option<String> {
    let name = file.file_name()?.to_str()?;
    name.strip_suffix(OWN_FILE_END).map(|settings| format!("{settings} "))
}

/// The keys of a settings file that may be a copy of `settings.toml`.
#[derive(Debug)]
struct OwnKeys {
    own: Box<dyn KeyStore>,
    /// The keys of `settings.toml`, which are only read.
    usual: Box<dyn KeyStore>,
}

impl KeyStore for OwnKeys {
    fn place(&self) -> KeyPlace {
        self.own.place()
    }

    fn load(&self, name: &str) -> Result<Option<Secret>, Problem> {
        if let Some(key) = self.own.load(name)? {
            return Ok(Some(key).filter(|key| !key.expose().is_empty()));
        }
        let key = self.usual.load(name).unwrap_or_else(|why| {
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
        match self.usual.load(name) {
            Ok(None) => self.own.forget(name),
            // Without this empty key, the key of `settings.toml` would return at the next start.
            Ok(Some(_)) | Err(_) => self.own.keep(name, &Secret::new(""), true),
        }
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
            let open = |name: &str| open_in(keyring, folder.path().join(name));
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
}
