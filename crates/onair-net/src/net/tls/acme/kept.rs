//! The files of ACME in the data folder: the key of the account, and the certificate with its key. Only the user can
//! read them.

use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use time::OffsetDateTime;
use zeroize::Zeroizing;

use crate::base::Secret;
use crate::net::tls::acme::validity;
use crate::net::tls::certificate_pin::CertificatePin;
use crate::net::tls::identity::Identity;
use crate::platform::files;

/// Maximum size of a file in bytes.
const MAX_FILE_BYTES: u64 = 256 << 10;
/// The part of the validity after which a certificate is renewed.
const RENEW_AFTER: (i32, i32) = (2, 3);

/// A certificate of an authority.
#[derive(Clone, Debug)]
pub(super) struct Issued {
    /// The certificate and its issuers in PEM.
    pub chain: String,
    /// The key in PEM.
    pub key: Secret,
}

/// A usable certificate.
#[derive(Debug)]
pub(super) struct Usable {
    pub identity: Identity,
    pub renew_at: OffsetDateTime,
    pub ends: OffsetDateTime,
}

impl Issued {
    /// Checks the certificate.
    pub fn usable(&self) -> Result<Usable, String> {
        let chain: Result<Vec<_>, _> =
            CertificateDer::pem_slice_iter(self.chain.as_bytes()).collect();
        let chain = chain.map_err(|error| error.to_string())?;
        let leaf = chain.first().ok_or("the chain is empty")?;
        let (begins, ends) = validity::of(leaf).ok_or("its validity cannot be read")?;
        let renew_at = begins + (ends - begins) * RENEW_AFTER.0 / RENEW_AFTER.1;
        let pin = CertificatePin::of(leaf);
        let key = PrivateKeyDer::from_pem_slice(self.key.expose().as_bytes());
        let key = key.map_err(|error| error.to_string())?;
        let identity = Identity::new(chain, key, pin).map_err(|error| error.to_string())?;
        Ok(Usable { identity, renew_at, ends })
    }
}

/// The folder with the files.
#[derive(Clone, Debug)]
pub(super) struct Folder(pub PathBuf);

impl Folder {
    /// Returns the file of the account's key. Each authority has its own.
    fn account(&self, directory: &str) -> PathBuf {
        self.0.join(format!("account-{}.key", name_of(directory)))
    }

    fn certificate(&self, directory: &str, domains: &[String]) -> PathBuf {
        let which = format!("{directory} {}", domains.join(" "));
        self.0.join(format!("certificate-{}.pem", name_of(&which)))
    }

    /// Returns the account's key (PKCS #8 in DER), if it is kept.
    pub fn account_key(&self, directory: &str) -> Option<Zeroizing<Vec<u8>>> {
        read(&self.account(directory)).ok().filter(|key| !key.is_empty())
    }

    pub fn keep_account_key(&self, directory: &str, key: &[u8]) -> io::Result<()> {
        self.write(&self.account(directory), key)
    }

    /// Returns the kept certificate for these domains.
    pub fn issued(&self, directory: &str, domains: &[String]) -> Option<Issued> {
        let text = read(&self.certificate(directory, domains)).ok()?;
        let text = std::str::from_utf8(&text).ok()?;
        // The key follows the chain.
        let at = text.find("-----BEGIN PRIVATE KEY-----")?;
        let (chain, key) = text.split_at_checked(at)?;
        Some(Issued { chain: chain.to_owned(), key: Secret::new(key) })
    }

    pub fn keep_issued(
        &self,
        directory: &str,
        domains: &[String],
        issued: &Issued,
    ) -> io::Result<()> {
        let text = Zeroizing::new(format!("{}\n{}", issued.chain.trim_end(), issued.key.expose()));
        self.write(&self.certificate(directory, domains), text.as_bytes())
    }

    /// Replaces a file at once, so that it is never half-written.
    fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        files::create_private_folder(&self.0)?;
        let beside = path.with_extension("new");
        // An older attempt may have left one with other rights.
        let _ = std::fs::remove_file(&beside);
        let mut options = std::fs::OpenOptions::new();
        let options = files::private(options.write(true).create_new(true));
        let mut file = options.open(&beside)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        std::fs::rename(&beside, path)
    }
}

fn read(path: &Path) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(Vec::new());
    std::fs::File::open(path)?.take(MAX_FILE_BYTES).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Returns a short name for a file that belongs to this text.
fn name_of(text: &str) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, text.as_bytes());
    let digest = data_encoding::HEXLOWER.encode(digest.as_ref());
    digest.chars().take(16).collect()
}

#[cfg(test)]
mod tests {
    use time::Duration;

    use super::*;

    fn issued(days: i64) -> Issued {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut parameters = rcgen::CertificateParams::new(vec!["h".to_owned()]).unwrap();
        parameters.not_before = OffsetDateTime::from_unix_timestamp(1_800_000_000).unwrap();
        parameters.not_after = parameters.not_before + Duration::days(days);
        let certificate = parameters.self_signed(&key).unwrap();
        Issued { chain: certificate.pem(), key: Secret::new(key.serialize_pem()) }
    }

    #[test]
    fn what_is_kept_is_private_and_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let kept = Folder(folder.path().join("acme"));
        let domains = ["a.example".to_owned(), "b.example".to_owned()];
        assert!(kept.account_key("d").is_none() && kept.issued("d", &domains).is_none());
        kept.keep_account_key("d", b"key").unwrap();
        assert_eq!(kept.account_key("d").unwrap().as_slice(), b"key");
        assert!(kept.account_key("other").is_none());
        let certificate = issued(90);
        kept.keep_issued("d", &domains, &certificate).unwrap();
        kept.keep_issued("d", &domains, &certificate).unwrap();
        let read = kept.issued("d", &domains).unwrap();
        let pin = |it: &Issued| it.usable().unwrap().identity.pin();
        assert_eq!(pin(&read), pin(&certificate));
        assert!(kept.issued("d", &domains[..1]).is_none());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            for file in std::fs::read_dir(&kept.0).unwrap() {
                let mode = file.unwrap().metadata().unwrap().permissions().mode();
                assert_eq!(mode & 0o777, 0o600);
            }
            assert_eq!(std::fs::metadata(&kept.0).unwrap().permissions().mode() & 0o777, 0o700);
        }
    }

    #[test]
    fn a_certificate_is_renewed_in_the_last_third_of_its_time() {
        let usable = issued(90).usable().unwrap();
        assert_eq!(usable.ends - usable.renew_at, Duration::days(30));
        let other = Issued { key: issued(90).key, ..issued(90) };
        assert!(other.usable().is_err(), "the key of another certificate");
    }
}
