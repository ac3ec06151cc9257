//! How a server's certificate is judged, and why it is turned down.

use std::fmt;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, SignatureScheme};
use rustls_platform_verifier::Verifier;

use crate::net::tls::Pin;
use crate::net::{Cause, CertificateProblem};

/// The system's roots and those of a file. Remembers which certificate it turned down, so that a
/// person can be told its fingerprint.
#[derive(Debug)]
pub(super) struct Trusting {
    system: Verifier,
    /// A server that shows one of these very certificates is the one that was meant. (Certificates
    /// that sign themselves are mostly made as authorities, which may not stand for a server.)
    own: Vec<CertificateDer<'static>>,
}

impl Trusting {
    pub fn new(
        own: Vec<CertificateDer<'static>>,
        provider: &Arc<CryptoProvider>,
    ) -> Result<Self, rustls::Error> {
        let system = Verifier::new_with_extra_roots(own.clone(), Arc::clone(provider))?;
        Ok(Self { system, own })
    }
}

/// Carries the certificate's pin beside the verifier's reason through rustls' error type.
#[derive(Debug)]
struct TurnedDown {
    reason: CertificateError,
    presented: Pin,
}

impl fmt::Display for TurnedDown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.reason)
    }
}

impl std::error::Error for TurnedDown {}

impl ServerCertVerifier for Trusting {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        if self.own.iter().any(|own| own == end_entity) {
            return Ok(ServerCertVerified::assertion());
        }
        let judged = self.system.verify_server_cert(
            end_entity,
            intermediates,
            server_name,
            ocsp_response,
            now,
        );
        judged.map_err(|error| match error {
            rustls::Error::InvalidCertificate(reason) => {
                let told = TurnedDown { reason, presented: Pin::of(end_entity) };
                let told = rustls::OtherError(Arc::new(told));
                rustls::Error::InvalidCertificate(CertificateError::Other(told))
            }
            other => other,
        })
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.system.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.system.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.system.supported_verify_schemes()
    }
}

/// Accepts one certificate and no other.
#[derive(Debug)]
pub(super) struct Pinned {
    pub pin: Pin,
    pub provider: Arc<CryptoProvider>,
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
            let (problem, presented) = turned_down(problem);
            Cause::Certificate { problem: certificate_problem(problem, host), presented }
        }
        Some(rustls::Error::InvalidMessage(_)) => Cause::NotTls,
        Some(other) => Cause::Tls(other.to_string()),
        None => Cause::from_io(error),
    }
}

/// The reason, and the certificate's pin where it is known.
fn turned_down(error: &CertificateError) -> (&CertificateError, Option<Pin>) {
    if let CertificateError::Other(other) = error {
        if let Some(told) = other.0.downcast_ref::<TurnedDown>() {
            return (&told.reason, Some(told.presented));
        }
        if let Some(fault) = other.0.downcast_ref::<NotPinned>() {
            return (error, Some(fault.presented));
        }
    }
    (error, None)
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
            // webpki's own error, which rustls does not name.
            None if format!("{other:?}").contains("CaUsedAsEndEntity") => {
                CertificateProblem::OwnAuthority
            }
            None => CertificateProblem::Other(other.to_string()),
        },
        other => CertificateProblem::Other(other.to_string()),
    }
}
