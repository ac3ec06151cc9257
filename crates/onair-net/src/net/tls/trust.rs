//! Defines which certificates are trusted: the system's roots, an additional certificate authority,
//! or one pinned certificate.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::danger::ServerCertVerifier;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

use crate::base::file_stamp::read_with;
use crate::net::error::{Cause, CertificateProblem};
use crate::net::tls::certificate_pin::CertificatePin;
use crate::net::tls::verify::Judge;
use crate::platform::files::is_pipe;
use crate::text::Problem;
use crate::text::problem::problem;

/// Maximum size of a file of certificates or keys, in bytes.
const MAX_FILE_BYTES: u64 = 4 << 20;

/// The certificates that are trusted in addition to the system's roots, or instead of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trust {
    /// A file of certificates (PEM or DER) that are trusted as additional roots. A server's own
    /// certificate in the file counts as pinned, regardless of its dates and names, and even if it may not
    /// sign other certificates.
    pub ca_file: Option<PathBuf>,
    /// If given, only this server certificate is accepted, regardless of its issuer, dates and
    /// names.
    pub pin: Option<CertificatePin>,
    /// The pins of single servers by `host:port`. `pin` has precedence over these pins.
    pub servers: BTreeMap<String, CertificatePin>,
}

impl Trust {
    /// Returns the trust for this server (`host:port`).
    pub(in crate::net) fn of(&self, server: &str) -> Self {
        // A stored pin of a server does not override the pin that is requested now.
        let pin = self.pin.or_else(|| self.servers.get(server).copied());
        Self { ca_file: self.ca_file.clone(), pin, servers: BTreeMap::new() }
    }

    /// Records in the cause whether the pin that rejects this server comes from a certificate that
    /// the user accepted, because users remove an accepted certificate in a different place than a
    /// pin.
    pub(in crate::net) fn explain(&self, server: &str, mut cause: Cause) -> Cause {
        if let Cause::Certificate {
            problem: CertificateProblem::NotPinned { accepted, .. }, ..
        } = &mut cause
        {
            *accepted = self.pin.is_none() && self.servers.contains_key(server);
        }
        cause
    }

    /// Checks that every certificate in a file can be trusted. A pipe is not checked, because it can
    /// be read only once.
    ///
    /// # Errors
    /// Fails with the reason why the file cannot be used.
    pub fn check_file(path: &Path) -> Result<(), Problem> {
        match path.metadata() {
            Ok(found) if is_pipe(&found) => Ok(()),
            _ => roots(path).map(drop),
        }
    }

    /// Builds the TLS client. This function reads files, so it must be called where blocking is
    /// allowed.
    pub(in crate::net) fn client(&self) -> Result<Arc<ClientConfig>, Cause> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let verifier: Arc<dyn ServerCertVerifier> = match self.pin {
            Some(pin) => Arc::new(Judge::pinned(pin, Arc::clone(&provider))),
            None => {
                let extra = match &self.ca_file {
                    Some(path) => roots(path).map_err(|reason| Cause::TrustFile {
                        path: path.display().to_string(),
                        reason,
                    })?,
                    None => Vec::new(),
                };
                let trusting = Judge::trusting(extra, Arc::clone(&provider));
                Arc::new(trusting.map_err(|error| Cause::Tls(error.to_string().into()))?)
            }
        };
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| Cause::Tls(error.to_string().into()))?
            .dangerous()
            .with_custom_certificate_verifier(verifier)
            .with_no_client_auth();
        Ok(Arc::new(config))
    }
}

/// Reads the certificates in a PEM or DER file, all of which must be valid X.509.
fn roots(path: &Path) -> Result<Vec<CertificateDer<'static>>, Problem> {
    let found = certificates(path)?;
    let (_, unreadable) = RootCertStore::empty().add_parsable_certificates(found.iter().cloned());
    if unreadable == 0 { Ok(found) } else { Err(problem!("net-file-bad-certificate")) }
}

/// Reads the certificates in a PEM or DER file, which must contain at least one.
pub(super) fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, Problem> {
    let bytes = read_bounded(path)?;
    // DER data begins with a SEQUENCE.
    if bytes.first() == Some(&0x30) {
        return Ok(vec![CertificateDer::from(bytes)]);
    }
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&bytes).collect();
    match found {
        Ok(found) if found.is_empty() => Err(problem!("net-file-no-certificate")),
        Ok(found) => Ok(found),
        Err(error) => Err(error.to_string().into()),
    }
}

/// Reads a file up to the size limit.
pub(super) fn read_bounded(path: &Path) -> Result<Vec<u8>, Problem> {
    let bytes = read_with(path, |file| {
        let mut bytes = Vec::new();
        file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes).map(|_| bytes)
    })?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(problem!("net-file-too-large"));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_is_trusted_alone_lends_its_pin_to_no_other() {
        let (one, all) = (CertificatePin::of(b"one"), CertificatePin::of(b"all"));
        let servers = BTreeMap::from([("a:443".to_owned(), one)]);
        let mut trust = Trust { servers, ..Trust::default() };
        assert_eq!((trust.of("a:443").pin, trust.of("b:443").pin), (Some(one), None));
        assert_eq!(trust.of("a:444").pin, None);
        trust.pin = Some(all);
        assert_eq!((trust.of("a:443").pin, trust.of("b:443").pin), (Some(all), Some(all)));
    }

    #[test]
    fn accepted_and_pinned_certificates_are_distinguished() {
        let servers = BTreeMap::from([("a:443".to_owned(), CertificatePin::of(b"one"))]);
        let mut trust = Trust { servers, ..Trust::default() };
        let accepted = |trust: &Trust, server| {
            let (expected, presented) = ("x".to_owned(), "y".to_owned());
            let problem = CertificateProblem::NotPinned { expected, presented, accepted: false };
            match trust.explain(server, Cause::Certificate { problem, presented: None }) {
                Cause::Certificate {
                    problem: CertificateProblem::NotPinned { accepted, .. },
                    ..
                } => accepted,
                other => panic!("{other}"),
            }
        };
        assert!(accepted(&trust, "a:443") && !accepted(&trust, "b:443"));
        trust.pin = Some(CertificatePin::of(b"all"));
        assert!(!accepted(&trust, "a:443"));
    }

    #[test]
    fn a_trust_file_that_is_none_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ca.pem");
        let trust = Trust { ca_file: Some(path.clone()), ..Trust::default() };
        assert!(matches!(trust.client(), Err(Cause::TrustFile { .. })));
        let damaged = b"-----BEGIN CERTIFICATE-----\nMAMCAQA=\n-----END CERTIFICATE-----\n";
        for content in [b"no certificate".as_slice(), b"\x30\x03\x02\x01\x00", damaged] {
            std::fs::write(&path, content).unwrap();
            assert!(matches!(trust.client(), Err(Cause::TrustFile { .. })), "{content:?}");
            assert!(Trust::check_file(&path).is_err());
        }
        assert!(Trust::check_file("/dev/null".as_ref()).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn the_check_of_a_pipe_reads_nothing() {
        use std::io::Write;
        use std::os::fd::AsRawFd;
        let own = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        let (end, mut begin) = std::io::pipe().unwrap();
        begin.write_all(own.cert.pem().as_bytes()).unwrap();
        drop(begin);
        // A shell passes such a path for `<(…)`.
        let path = format!("/proc/self/fd/{}", end.as_raw_fd());
        assert_eq!(Trust::check_file(path.as_ref()), Ok(()));
        assert_eq!(roots(path.as_ref()).unwrap().len(), 1);
    }
}
