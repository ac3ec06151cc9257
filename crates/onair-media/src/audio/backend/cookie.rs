//! The cookie that clients send to an audio server. Servers reject a client without a cookie, even
//! if they accept all clients of the same user. Only the C library creates the cookie file, on its
//! first use.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::Path;

/// The length of a cookie, in bytes, which servers require.
const COOKIE_BYTES: usize = 256;

/// Creates a cookie at the place where the client looks for it, if no cookie exists. If that fails,
/// the server reports the error.
pub(super) fn provide() {
    let named = std::env::var_os("PULSE_COOKIE").is_some_and(|path| Path::new(&path).exists());
    let Some(home) = dirs::home_dir().filter(|_| !named) else { return };
    let configured = dirs::config_dir();
    if let Err(error) = provide_in(&home, configured.as_deref()) {
        tracing::debug!(%error, "creating the sound server's cookie failed");
    }
}

/// Creates a cookie in the home folder `home`, if no cookie exists. `configured` is the folder of
/// application settings, where the C library may have put a cookie.
fn provide_in(home: &Path, configured: Option<&Path>) -> io::Result<()> {
    let folder = home.join(".config/pulse");
    let path = folder.join("cookie");
    if path.exists() || home.join(".pulse-cookie").exists() {
        return Ok(());
    }
    let known = configured.map(|folder| folder.join("pulse/cookie"));
    let known = known.and_then(|path| fs::read(path).ok()).filter(|it| it.len() == COOKIE_BYTES);
    let cookie = match known {
        Some(known) => known,
        None => {
            let mut fresh = vec![0; COOKIE_BYTES];
            File::open("/dev/urandom")?.read_exact(&mut fresh)?;
            fresh
        }
    };
    fs::create_dir_all(&folder)?;
    // The file is readable only by its owner, and never visible when incomplete.
    let mut file = tempfile::NamedTempFile::new_in(&folder)?;
    file.write_all(&cookie)?;
    match file.persist_noclobber(&path) {
        Ok(_) => Ok(()),
        // Another program created the cookie first.
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error.error),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_cookie_is_made_once_and_for_its_owner_alone() {
        let home = tempfile::tempdir().unwrap();
        provide_in(home.path(), None).unwrap();
        let path = home.path().join(".config/pulse/cookie");
        let made = fs::read(&path).unwrap();
        assert_eq!(made.len(), COOKIE_BYTES);
        assert!(made.iter().any(|byte| *byte != made[0]), "random");
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        provide_in(home.path(), None).unwrap();
        assert_eq!(fs::read(&path).unwrap(), made);
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn one_that_is_elsewhere_is_taken() {
        let home = tempfile::tempdir().unwrap();
        let configured = home.path().join("settings");
        fs::create_dir_all(configured.join("pulse")).unwrap();
        fs::write(configured.join("pulse/cookie"), [7; COOKIE_BYTES]).unwrap();
        provide_in(home.path(), Some(&configured)).unwrap();
        assert_eq!(fs::read(home.path().join(".config/pulse/cookie")).unwrap(), [7; COOKIE_BYTES]);

        let old = tempfile::tempdir().unwrap();
        fs::write(old.path().join(".pulse-cookie"), [7; COOKIE_BYTES]).unwrap();
        provide_in(old.path(), None).unwrap();
        assert!(!old.path().join(".config").exists());
    }
}
