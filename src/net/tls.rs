//! Whom to trust: the system's roots, an own certificate authority beside them, or one pinned
//! certificate.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::CertificateError;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme};
use sha2::{Digest, Sha256};

use crate::net::{Cause, CertificateProblem};

/// A certificate file larger than this is none.
const TRUST_FILE_LIMIT: u64 = 4 << 20;

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
    /// Certificates (PEM or DER) trusted as roots in addition.
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
                let verifier = rustls_platform_verifier::Verifier::new_with_extra_roots(
                    extra,
                    Arc::clone(&provider),
                );
                Arc::new(verifier.map_err(|error| Cause::Tls(error.to_string()))?)
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
fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, Cause> {
    let fault = |reason: String| Cause::TrustFile { path: path.display().to_string(), reason };
    let length = std::fs::metadata(path).map_err(|error| fault(error.to_string()))?.len();
    if length > TRUST_FILE_LIMIT {
        return Err(fault("it is too large".into()));
    }
    let bytes = std::fs::read(path).map_err(|error| fault(error.to_string()))?;
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

/// Accepts one certificate and no other.
#[derive(Debug)]
struct Pinned {
    pin: Pin,
    provider: Arc<CryptoProvider>,
}

/// Carries the pin that was presented through rustls' error type.
#[derive(Debug)]
struct NotPinned {
    expected: Pin,
    presented: Pin,
}

impl fmt::Display for NotPinned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the certificate is {}, not the pinned {}", self.presented, self.expected)
    }
}

impl std::error::Error for NotPinned {}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let presented = Pin::of(end_entity);
        if presented == self.pin {
            return Ok(ServerCertVerified::assertion());
        }
        let fault = NotPinned { expected: self.pin, presented };
        let fault = rustls::OtherError(Arc::new(fault));
        Err(rustls::Error::InvalidCertificate(CertificateError::Other(fault)))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, cert, dss, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, cert, dss, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// What a failed TLS handshake means.
pub(in crate::net) fn cause(error: &std::io::Error, host: &str) -> Cause {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    match inner {
        Some(rustls::Error::InvalidCertificate(problem)) => {
            Cause::Certificate(certificate_problem(problem, host))
        }
        Some(rustls::Error::InvalidMessage(_)) => Cause::NotTls,
        Some(other) => Cause::Tls(other.to_string()),
        None => Cause::from_io(error),
    }
}

fn certificate_problem(error: &CertificateError, host: &str) -> CertificateProblem {
    match error {
        CertificateError::Expired => CertificateProblem::Expired { not_after: None },
        CertificateError::ExpiredContext { not_after, .. } => {
            CertificateProblem::Expired { not_after: Some(not_after.as_secs()) }
        }
        CertificateError::NotValidYet => CertificateProblem::NotYetValid { not_before: None },
        CertificateError::NotValidYetContext { not_before, .. } => {
            CertificateProblem::NotYetValid { not_before: Some(not_before.as_secs()) }
        }
        CertificateError::NotValidForName => {
            CertificateProblem::WrongName { host: host.into(), names: Vec::new() }
        }
        CertificateError::NotValidForNameContext { presented, .. } => {
            // "DnsName(\"localhost\")": keep what is between the quotes.
            let plain = |name: &String| name.split('"').nth(1).unwrap_or(name).to_owned();
            let names = presented.iter().map(plain).collect();
            CertificateProblem::WrongName { host: host.into(), names }
        }
        CertificateError::UnknownIssuer => CertificateProblem::UnknownIssuer,
        CertificateError::Revoked => CertificateProblem::Revoked,
        CertificateError::BadSignature => CertificateProblem::BadSignature,
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            CertificateProblem::WrongPurpose
        }
        CertificateError::Other(other) => match other.0.downcast_ref::<NotPinned>() {
            Some(fault) => CertificateProblem::NotPinned {
                expected: fault.expected.to_string(),
                presented: fault.presented.to_string(),
            },
            None => CertificateProblem::Other(other.to_string()),
        },
        other => CertificateProblem::Other(other.to_string()),
    }
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
