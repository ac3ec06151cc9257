//! Whom to trust: the system's roots, an own certificate authority beside them, or one pinned
//! certificate.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::ClientConfig;
use rustls::client::danger::ServerCertVerifier;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use sha2::{Digest, Sha256};

use crate::net::Cause;
use crate::net::tls::verify::{Pinned, Trusting};

/// A file of certificates or keys larger than this is none.
const FILE_LIMIT: u64 = 4 << 20;

/// The SHA-256 of a certificate's DER.
#[derive(Copy, Clone, PartialEq, Eq, Hash)]
pub struct Pin([u8; 32]);

impl Pin {
    /// The pin of a certificate.
    pub fn of(der: &[u8]) -> Self {
        Self(Sha256::digest(der).into())
    }
}

impl fmt::Display for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pin({self})")
    }
}

impl std::str::FromStr for Pin {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fault = || "a pin is the certificate's SHA-256: 64 hex digits, colons optional".into();
        let digits: Vec<u8> = text.bytes().filter(|byte| *byte != b':').collect();
        let mut pin = [0; 32];
        if digits.len() != 64 {
            return Err(fault());
        }
        for (byte, pair) in pin.iter_mut().zip(digits.chunks_exact(2)) {
            let [high, low] = pair else { return Err(fault()) };
            let digit = |digit: &u8| char::from(*digit).to_digit(16);
            let (high, low) = digit(high).zip(digit(low)).ok_or_else(fault)?;
            *byte = u8::try_from(high * 16 + low).map_err(|_| fault())?;
        }
        Ok(Self(pin))
    }
}

/// Whom to trust beside the system's roots.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trust {
    /// Certificates (PEM or DER) trusted as roots in addition; a server's own certificate in it is
    /// accepted as if it were pinned, whether or not it may sign others.
    pub ca_file: Option<PathBuf>,
    /// If given, exactly this server certificate is accepted, whoever signed it and whatever its
    /// dates and names say.
    pub pin: Option<Pin>,
}

impl Trust {
    /// Builds the TLS client. Reads files: call it where blocking is allowed.
    pub(in crate::net) fn client(&self) -> Result<Arc<ClientConfig>, Cause> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let verifier: Arc<dyn ServerCertVerifier> = match self.pin {
            Some(pin) => Arc::new(Pinned { pin, provider: Arc::clone(&provider) }),
            None => {
                let extra = match &self.ca_file {
                    Some(path) => certificates(path)?,
                    None => Vec::new(),
                };
                let trusting = Trusting::new(extra, &provider);
                Arc::new(trusting.map_err(|error| Cause::Tls(error.to_string()))?)
            }
        };
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| Cause::Tls(error.to_string()))?
            .dangerous()
            .with_custom_certificate_verifier(verifier)
            .with_no_client_auth();
        Ok(Arc::new(config))
    }
}

/// The certificates in a PEM or DER file, at least one.
pub(super) fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, Cause> {
    let fault = |reason: String| Cause::TrustFile { path: path.display().to_string(), reason };
    let bytes = read_bounded(path).map_err(|error| fault(error.to_string()))?;
    // DER begins with a SEQUENCE.
    if bytes.first() == Some(&0x30) {
        return Ok(vec![CertificateDer::from(bytes)]);
    }
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&bytes).collect();
    match found {
        Ok(found) if found.is_empty() => Err(fault("it holds no certificate".into())),
        Ok(found) => Ok(found),
        Err(error) => Err(fault(error.to_string())),
    }
}

/// Reads a file of a size that such a file can have.
pub(super) fn read_bounded(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(FILE_LIMIT + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > FILE_LIMIT {
        return Err(io::Error::other("it is too large"));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pins_parse_with_and_without_colons() {
        let pin = Pin::of(b"certificate");
        let plain = pin.to_string();
        let colons: Vec<String> = plain
            .as_bytes()
            .chunks(2)
            .map(|pair| String::from_utf8_lossy(pair).to_uppercase())
            .collect();
        assert_eq!(plain.parse(), Ok(pin));
        assert_eq!(colons.join(":").parse(), Ok(pin));
        for bad in ["", "00", &plain[1..], &format!("{plain}0"), &"zz".repeat(32)] {
            assert!(bad.parse::<Pin>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_trust_file_that_is_none_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ca.pem");
        let trust = Trust { ca_file: Some(path.clone()), pin: None };
        assert!(matches!(trust.client(), Err(Cause::TrustFile { .. })));
        std::fs::write(&path, "no certificate").unwrap();
        assert!(matches!(trust.client(), Err(Cause::TrustFile { .. })));
    }
}
