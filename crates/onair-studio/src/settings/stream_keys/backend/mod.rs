//! The keyrings of operating systems.

use std::sync::Arc;

use keyring_core::api::CredentialStoreApi;

/// A keyring.
pub(super) type KeyringStore = Arc<dyn CredentialStoreApi + Send + Sync>;

/// Opens the keyring of the desktop (the Secret Service over D-Bus).
#[cfg(target_os = "linux")]
pub(super) fn open() -> keyring_core::Result<KeyringStore> {
    Ok(zbus_secret_service_keyring_store::Store::new()?)
}

/// Opens the Credential Manager.
#[cfg(windows)]
pub(super) fn open() -> keyring_core::Result<KeyringStore> {
    Ok(windows_native_keyring_store::Store::new()?)
}
