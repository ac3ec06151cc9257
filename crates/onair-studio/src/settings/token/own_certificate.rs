//! The own certificate of HTTPS, in a file next to the server's token that only its owner can read. It is kept, so that
//! clients that trust its fingerprint go on trusting the server.

use std::io::{self, Read as _};
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::files::Trouble;
use crate::net::{CertificatePin, Identity, OwnCertificate, own_addresses};
use crate::studio::settings::stream_keys::{make_private, write_private};
use crate::text::problem::{Problem, problem};

/// Maximum length of the file in bytes. Names and addresses take most of it.
const MAX_FILE_BYTES: u64 = 64 << 10;

/// Returns the user's certificate for these host names and the address of the server, with its fingerprint. An address
/// that means all of this computer's stands for each of them.
///
/// # Errors
/// Fails if the certificate can be neither read nor kept, or a name is invalid.
pub fn own_identity(
    mut names: Vec<String>,
    address: IpAddr,
) -> Result<(Identity, CertificatePin), Problem> {
    match address {
        ip if ip.is_unspecified() => {
            names.extend(own_addresses().iter().map(|own| own.ip.to_string()));
        }
        ip => names.push(ip.to_string()),
    }
    let failed = |reason: Problem| problem!("serve-no-own-certificate", reason = reason);
    let own = own_certificate(&names).map_err(|error| failed(Trouble::problem(&error)))?;
    let identity = own.identity().map_err(|error| failed(Problem::words(error.to_string())))?;
    Ok((identity, own.pin()))
}

/// Returns the user's certificate for these host names and addresses: `onair/https-certificate` in the state folder. A
/// new one is made if there is none, it ends soon, or it lacks a name. Without a state folder, the certificate is not
/// kept.
///
/// # Errors
/// Fails if the file can be neither read nor written, or a name is invalid.
fn own_certificate(names: &[String]) -> io::Result<OwnCertificate> {
    match user_file() {
        Some(path) => at(&path, names),
        None => OwnCertificate::generate(names).map_err(io::Error::other),
    }
}

fn user_file() -> Option<PathBuf> {
    let folder = dirs::state_dir().or_else(dirs::data_local_dir);
    folder.map(|folder| folder.join("onair").join("https-certificate"))
}

fn at(path: &Path, names: &[String]) -> io::Result<OwnCertificate> {
    match std::fs::File::open(path) {
        Ok(file) => {
            make_private(&file)?;
            let mut text = Vec::new();
            file.take(MAX_FILE_BYTES).read_to_end(&mut text)?;
            let text = Zeroizing::new(String::from_utf8(text).unwrap_or_default());
            let known = OwnCertificate::from_text(&text);
            if let Some(known) = known.filter(|known| known.serves(names)) {
                return Ok(known);
            }
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let made = OwnCertificate::generate(names).map_err(io::Error::other)?;
    write_private(path, made.to_text().expose())?;
    Ok(made)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_certificate_is_kept_until_a_name_is_missing_in_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("onair/https-certificate");
        let pin = |names: &[&str]| {
            let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
            at(&path, &names).unwrap().pin()
        };
        let first = pin(&["studio.example"]);
        assert_eq!(pin(&["studio.example"]), first);
        assert_eq!(pin(&[]), first, "it serves fewer names too");
        let second = pin(&["studio.example", "other.example"]);
        assert_ne!(second, first);
        std::fs::write(&path, "damaged").unwrap();
        assert_ne!(pin(&["studio.example", "other.example"]), second);
    }
}
