//! The files of a certificate for HTTPS and RTMPS that the user gives. They are read again when they change.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use crate::net::{Identity, IdentityError};
use crate::text::problem::{Problem, problem};

/// Interval between two looks at the files of the certificate.
const CHECK_INTERVAL: Duration = Duration::from_secs(2);

/// Reads a certificate and its key.
///
/// # Errors
/// Fails with the file that cannot be used, and the reason.
pub fn read_certificate(cert: &Path, key: &Path) -> Result<Identity, Problem> {
    Identity::read(cert, key).map_err(|IdentityError { path, reason }| {
        problem!("serve-tls-file", path = path.display().to_string(), reason = reason)
    })
}

/// The files of a certificate. A program that renews the certificate replaces one file after the other, so the files are
/// read when neither has changed for a moment.
#[derive(Debug)]
pub struct CertificateFiles {
    paths: [PathBuf; 2],
    /// The state of the files that the server uses.
    used: [Option<Stamp>; 2],
    /// The state of the files at the last look.
    seen: [Option<Stamp>; 2],
    next_check: Instant,
}

/// What shows that a file has changed.
type Stamp = (Option<SystemTime>, u64);

impl CertificateFiles {
    /// Returns the files of this certificate, if it has files.
    pub fn of(identity: Option<&Identity>, now: Instant) -> Option<Self> {
        let (cert, key) = identity?.files()?;
        let paths = [cert.to_owned(), key.to_owned()];
        let used = stamps(&paths);
        Some(Self { paths, used, seen: used, next_check: now + CHECK_INTERVAL })
    }

    /// Returns the new certificate if the files have changed, or why it cannot be used.
    pub fn poll(&mut self, now: Instant) -> Option<Result<Identity, Problem>> {
        if now < self.next_check {
            return None;
        }
        self.next_check = now + CHECK_INTERVAL;
        let found = stamps(&self.paths);
        let is_settled = found == self.seen;
        self.seen = found;
        if found == self.used || !is_settled {
            return None;
        }
        self.used = found;
        let [cert, key] = &self.paths;
        Some(read_certificate(cert, key))
    }
}

fn stamps(paths: &[PathBuf; 2]) -> [Option<Stamp>; 2] {
    paths.each_ref().map(|path| {
        let found = path.metadata().ok()?;
        Some((found.modified().ok(), found.len()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::{CertificatePin, OwnCertificate};

    /// Writes a certificate and its key, and returns them with the fingerprint.
    fn write(folder: &Path) -> ([PathBuf; 2], CertificatePin) {
        let own = OwnCertificate::generate(&["localhost".to_owned()]).unwrap();
        let (cert, key) = (folder.join("cert.pem"), folder.join("key.pem"));
        let text = own.to_text();
        let mut lines = text.expose().lines();
        for (file, label) in [(&cert, "CERTIFICATE"), (&key, "PRIVATE KEY")] {
            let part = lines.next().unwrap();
            let pem = format!("-----BEGIN {label}-----\n{part}\n-----END {label}-----\n");
            std::fs::write(file, pem).unwrap();
        }
        ([cert, key], own.pin())
    }

    #[test]
    fn changed_files_are_read_once_and_only_when_they_have_settled() {
        let folder = tempfile::tempdir().unwrap();
        let ([cert, key], first) = write(folder.path());
        let identity = read_certificate(&cert, &key).unwrap();
        assert_eq!(identity.pin(), first);
        let start = Instant::now();
        let mut files = CertificateFiles::of(Some(&identity), start).unwrap();
        let mut after = |checks: u32| files.poll(start + CHECK_INTERVAL * checks);
        assert!(after(1).is_none());
        // The renewal is half done.
        std::fs::write(&key, "half").unwrap();
        assert!(after(2).is_none());
        let (_, second) = write(folder.path());
        assert!(after(3).is_none(), "they have just changed");
        assert_eq!(after(4).unwrap().unwrap().pin(), second);
        assert!(after(5).is_none());
        std::fs::write(&key, "damaged").unwrap();
        assert!(after(6).is_none());
        assert_eq!(after(7).unwrap().unwrap_err().id(), "serve-tls-file");
        assert!(after(8).is_none(), "it is reported once");
    }
}
