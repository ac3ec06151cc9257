//! The certificate of `onair serve` for RTMPS and HTTPS: from files, which are read again when they change, or the
//! server's own.

pub(super) mod acme;
pub(super) mod acme_values;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use serde_json::json;

use crate::cli::output::Output;
use crate::cli::serve::args::Args;
use crate::files::Trouble;
use crate::net::{CertificatePin, Identity, IdentityError, own_addresses};
use crate::server::{Config, Server};
use crate::studio::settings::own_certificate;
use crate::text::problem::{Problem, problem};

/// Interval between two looks at the files of the certificate.
const CHECK_INTERVAL: Duration = Duration::from_secs(2);

/// Returns the certificate in the files, if given.
pub(super) fn identity(args: &Args) -> Result<Option<Identity>, Problem> {
    let (Some(cert), Some(key)) = (&args.cert, &args.cert_key) else { return Ok(None) };
    read(cert, key).map(Some)
}

fn read(cert: &Path, key: &Path) -> Result<Identity, Problem> {
    Identity::read(cert, key).map_err(|IdentityError { path, reason }| {
        problem!("serve-tls-file", path = path.display().to_string(), reason = reason)
    })
}

/// Adds the server's own certificate if HTTPS has none, and returns its fingerprint. `--check` makes no certificate.
pub(super) fn add_own_certificate(
    config: &mut Config,
    only_check: bool,
) -> Result<Option<CertificatePin>, Problem> {
    let Some(listen) = config.https.filter(|_| config.identity.is_none() && !only_check) else {
        return Ok(None);
    };
    let mut names = config.http_names.clone();
    match listen.address.ip() {
        ip if ip.is_unspecified() => {
            names.extend(own_addresses().iter().map(|own| own.ip.to_string()));
        }
        ip => names.push(ip.to_string()),
    }
    let failed = |reason: Problem| problem!("serve-no-own-certificate", reason = reason);
    let own = own_certificate(&names).map_err(|error| failed(Trouble::problem(&error)))?;
    let identity = own.identity().map_err(|error| failed(Problem::words(error.to_string())))?;
    config.identity = Some(identity);
    Ok(Some(own.pin()))
}

/// The files of a certificate. A program that renews the certificate replaces one file after the other, so the files are
/// read when neither has changed for a moment.
#[derive(Debug)]
pub(super) struct CertificateFiles {
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
        Some(read(cert, key))
    }
}

fn stamps(paths: &[PathBuf; 2]) -> [Option<Stamp>; 2] {
    paths.each_ref().map(|path| {
        let found = path.metadata().ok()?;
        Some((found.modified().ok(), found.len()))
    })
}

/// Gives the server its new certificate, or reports why it keeps the old one.
pub(super) fn apply(server: &Server, read: Result<Identity, Problem>, output: &Output) {
    let error = match read {
        Ok(identity) => {
            let pin = identity.pin();
            server.set_identity(identity);
            let fields = json!({"sha256": pin.to_string()});
            output.event("certificate", fields, || {
                Some(output.say(&problem!("out-certificate-replaced")))
            });
            return;
        }
        Err(error) => error,
    };
    let why = output.say(&error);
    output.event("certificate", json!({"error": why}), || {
        Some(output.say(&problem!("out-certificate-kept", reason = error)))
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes a certificate and its key, and returns the fingerprint.
    fn write(folder: &Path) -> (Args, CertificatePin) {
        let own = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        let (cert, key) = (folder.join("cert.pem"), folder.join("key.pem"));
        std::fs::write(&cert, own.cert.pem()).unwrap();
        std::fs::write(&key, own.signing_key.serialize_pem()).unwrap();
        let args = Args { cert: Some(cert), cert_key: Some(key), ..Args::default() };
        (args, CertificatePin::of(own.cert.der()))
    }

    #[test]
    fn changed_files_are_read_once_and_only_when_they_have_settled() {
        let folder = tempfile::tempdir().unwrap();
        let (args, first) = write(folder.path());
        let identity = identity(&args).unwrap().unwrap();
        assert_eq!(identity.pin(), first);
        let start = Instant::now();
        let mut files = CertificateFiles::of(Some(&identity), start).unwrap();
        let mut after = |checks: u32| files.poll(start + CHECK_INTERVAL * checks);
        assert!(after(1).is_none());
        let key = args.cert_key.as_deref().unwrap();
        // The renewal is half done.
        std::fs::write(key, "half").unwrap();
        assert!(after(2).is_none());
        let (_, second) = write(folder.path());
        assert!(after(3).is_none(), "they have just changed");
        assert_eq!(after(4).unwrap().unwrap().pin(), second);
        assert!(after(5).is_none());
        std::fs::write(key, "damaged").unwrap();
        assert!(after(6).is_none());
        assert_eq!(after(7).unwrap().unwrap_err().id(), "serve-tls-file");
        assert!(after(8).is_none(), "it is reported once");
    }

    #[test]
    fn a_certificate_that_cannot_be_used_is_named_in_the_language_of_the_user() {
        let file = tempfile::NamedTempFile::new().unwrap();
        for (cert, why) in
            [("/none.pem", "there is no such file or folder"), ("", "no certificate")]
        {
            let cert = if cert.is_empty() { file.path() } else { Path::new(cert) };
            let args = Args {
                rtmps: "127.0.0.1:0".parse().ok(),
                cert: Some(cert.to_owned()),
                cert_key: Some(file.path().to_owned()),
                ..Args::default()
            };
            let refused = identity(&args).err().unwrap();
            let text = refused.to_string();
            assert!(text.contains(why) && text.contains(&*cert.to_string_lossy()), "{text}");
            assert_eq!(refused.id(), "serve-tls-file");
        }
    }
}
