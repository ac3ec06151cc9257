//! The token for changes of the built-in server over HTTP, and the server's certificate for WebRTC.
//! The first start creates both, in files that only their owner can read.

pub mod certificate_files;
pub mod own_certificate;

use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::base::Secret;
use crate::net::random_hex;
use crate::net::webrtc::Certificate;
use crate::studio::settings::stream_keys::{make_private, write_private};

/// The minimum and maximum length of a token in the file, in bytes.
const TOKEN_LENGTH_BYTES: std::ops::RangeInclusive<u64> = 16..=256;

/// The file name of the certificate.
const CERTIFICATE_FILE: &str = "webrtc-certificate";
/// Maximum length of the certificate file in bytes.
const MAX_CERTIFICATE_BYTES: u64 = 16 << 10;

/// A token, and its file.
#[derive(Clone, Debug)]
pub struct ServerToken {
    pub path: PathBuf,
    pub token: Secret,
    /// The certificate in a file next to the token; `None` if that file can be neither read nor
    /// written.
    pub certificate: Option<Certificate>,
}

impl ServerToken {
    /// Returns the token of the user: `onair/server-token` in the state folder, created if it is
    /// missing. Returns `None` if the system has no such folder.
    ///
    /// # Errors
    /// Fails if the token can be neither read nor written.
    pub fn of_user() -> io::Result<Option<Self>> {
        user_file().map(|path| Self::at(&path)).transpose()
    }

    /// Returns the user's token file if it contains no valid token. Nothing is created.
    ///
    /// # Errors
    /// Fails if the file exists and cannot be read.
    pub fn invalid_file() -> io::Result<Option<PathBuf>> {
        let Some(path) = user_file() else { return Ok(None) };
        match read(&path) {
            Ok(token) => Ok(token.is_none().then_some(path)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Works like [`ServerToken::of_user`], but returns `None` without a readable token. No client
    /// may then change anything.
    pub fn of_user_or_none() -> Option<Self> {
        Self::of_user().unwrap_or_else(|error| {
            tracing::warn!(%error, "creating the token for the HTTP API failed");
            None
        })
    }

    /// Returns the token in this file, created if it is missing or invalid.
    ///
    /// # Errors
    /// Fails if the token can be neither read nor written.
    pub fn at(path: &Path) -> io::Result<Self> {
        let token = match read(path) {
            Ok(Some(token)) => token,
            Ok(None) => make(path)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => make(path)?,
            Err(error) => return Err(error),
        };
        let certificate = certificate(&path.with_file_name(CERTIFICATE_FILE))
            .inspect_err(|error| tracing::warn!(%error, "creating the WebRTC certificate failed"));
        Ok(Self { path: path.to_owned(), token, certificate: certificate.ok() })
    }
}

impl ServerToken {
    /// Returns the token that the file contains now, or `None` if it is invalid. Nothing is created.
    ///
    /// # Errors
    /// Fails if the file cannot be read.
    pub fn read_again(&self) -> io::Result<Option<Secret>> {
        read(&self.path)
    }
}

/// Returns the path of the user's token file, or `None` if the system has no folder for it.
fn user_file() -> Option<PathBuf> {
    let folder = dirs::state_dir().or_else(dirs::data_local_dir);
    folder.map(|folder| folder.join("onair").join("server-token"))
}

fn read(path: &Path) -> io::Result<Option<Secret>> {
    let file = std::fs::File::open(path)?;
    // The file may be on a read-only file system.
    if let Err(error) = make_private(&file) {
        tracing::warn!(%error, "other users of this computer may read the token for the HTTP API");
    }
    let mut text = Vec::new();
    file.take(TOKEN_LENGTH_BYTES.end() + 2).read_to_end(&mut text)?;
    let token = String::from_utf8(text).unwrap_or_default();
    let token = token.trim();
    let fits = TOKEN_LENGTH_BYTES.contains(&(token.len() as u64))
        && token.bytes().all(|it| it.is_ascii_graphic());
    Ok(fits.then(|| Secret::new(token)))
}

/// Returns the certificate in this file, created if it is missing or invalid.
fn certificate(path: &Path) -> io::Result<Certificate> {
    match std::fs::File::open(path) {
        Ok(file) => {
            make_private(&file)?;
            let mut text = Vec::new();
            file.take(MAX_CERTIFICATE_BYTES).read_to_end(&mut text)?;
            let text = Zeroizing::new(String::from_utf8(text).unwrap_or_default());
            if let Some(known) = Certificate::from_text(&text) {
                return Ok(known);
            }
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let made = Certificate::generate().map_err(io::Error::other)?;
    write_private(path, made.to_text().expose())?;
    Ok(made)
}

fn make(path: &Path) -> io::Result<Secret> {
    let random = || random_hex().ok_or_else(|| io::Error::other("the system has no randomness"));
    let token = random()? + &random()?;
    write_private(path, &format!("{token}\n"))?;
    Ok(Secret::new(token))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_made_once_and_only_its_owner_reads_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state/onair/server-token");
        let first = ServerToken::at(&path).unwrap();
        assert_eq!(first.token.expose().len(), 64);
        assert_eq!(ServerToken::at(&path).unwrap().token, first.token);
        let known = |it: &ServerToken| it.certificate.as_ref().map(|it| it.to_text());
        let certificate = path.with_file_name(CERTIFICATE_FILE);
        assert!(known(&first).is_some());
        assert_eq!(known(&ServerToken::at(&path).unwrap()), known(&first), "the same fingerprint");
        std::fs::write(&certificate, "damaged").unwrap();
        assert_ne!(known(&ServerToken::at(&path).unwrap()), known(&first));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = || path.metadata().unwrap().permissions().mode() & 0o777;
            assert_eq!(mode(), 0o600);
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
            assert_eq!(ServerToken::at(&path).unwrap().token, first.token);
            assert_eq!(mode(), 0o600);
            // The mode of this file cannot be changed.
            assert!(read(Path::new("/proc/sys/kernel/random/boot_id")).unwrap().is_some());
        }
        for nonsense in [&b""[..], b"short", b"\xFF\xFE0123456789abcdef", &[b'x'; 400]] {
            std::fs::write(&path, nonsense).unwrap();
            let made = ServerToken::at(&path).unwrap().token;
            assert_ne!(made, first.token);
            assert_eq!(ServerToken::at(&path).unwrap().token, made);
        }
    }
}
