//! Verifies a server's certificate, and explains a rejection.

use std::fmt;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, SignatureScheme};
use rustls_platform_verifier::Verifier;

use crate::net::error::{Cause, CertificateProblem};
use crate::net::tls::certificate_pin::CertificatePin;

/// Verifies the certificates of servers. Each rejection includes the certificate's fingerprint, so
/// that onair can show the fingerprint to the user.
#[derive(Debug)]
pub(super) struct Judge {
    rule: Rule,
    provider: Arc<CryptoProvider>,
}

/// The rule of trust.
#[derive(Debug)]
enum Rule {
    /// Trusts only one certificate.
    Pinned(CertificatePin),
    /// Trusts the system's roots and the roots in a file.
    Roots {
        /// `None` if the system has no roots, and the file contains none either.
        system: Option<Box<Verifier>>,
        /// A server whose own certificate is one of these certificates is accepted. Self-signed
        /// certificates are usually CA certificates, which cannot identify a server.
        own: Vec<CertificateDer<'static>>,
    },
}

impl Judge {
    /// Creates a verifier that accepts only this certificate.
    pub fn pinned(pin: CertificatePin, provider: Arc<CryptoProvider>) -> Self {
        Self { rule: Rule::Pinned(pin), provider }
    }

    /// Creates a verifier that trusts the system's roots and these certificates.
    pub fn trusting(
        own: Vec<CertificateDer<'static>>,
        provider: Arc<CryptoProvider>,
    ) -> Result<Self, rustls::Error> {
        let system = match Verifier::new_with_extra_roots(own.clone(), Arc::clone(&provider)) {
            Ok(system) => Some(Box::new(system)),
            // There are no roots. The certificate is checked all the same, so that the rejection
            // contains its pin.
            Err(rustls::Error::General(_)) if own.is_empty() => None,
            Err(error) => return Err(error),
        };
        Ok(Self { rule: Rule::Roots { system, own }, provider })
    }
}

/// A rejection that carries the certificate's pin and the reason through the error type of rustls.
#[derive(Debug)]
struct RejectedCertificate {
    reason: Reason,
    presented: CertificatePin,
}

#[derive(Debug)]
enum Reason {
    /// The certificate is not the pinned one.
    NotPinned(CertificatePin),
    /// There are no roots.
    NoRoots,
    Certificate(CertificateError),
}

impl fmt::Display for RejectedCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.reason {
            Reason::NotPinned(expected) => {
                write!(f, "the certificate is {}, not the pinned {expected}", self.presented)
            }
            Reason::NoRoots => f.write_str("there are no trusted authorities"),
            Reason::Certificate(reason) => write!(f, "{reason}"),
        }
    }
}

impl std::error::Error for RejectedCertificate {}

impl ServerCertVerifier for Judge {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        // The check of the handshake's signature cannot read such a certificate either. Its pin
        // would not help, so the rejection does not contain it.
        ParsedCertificate::try_from(end_entity)?;
        let presented = CertificatePin::of(end_entity);
        let judged = match &self.rule {
            Rule::Pinned(pin) if presented == *pin => Ok(()),
            Rule::Pinned(pin) => Err(Reason::NotPinned(*pin)),
            Rule::Roots { own, .. } if own.iter().any(|own| own == end_entity) => Ok(()),
            Rule::Roots { system: None, .. } => Err(Reason::NoRoots),
            Rule::Roots { system: Some(system), .. } => {
                let (chain, name) = (intermediates, server_name);
                match system.verify_server_cert(end_entity, chain, name, ocsp_response, now) {
                    Ok(_) => Ok(()),
                    Err(rustls::Error::InvalidCertificate(reason)) => {
                        Err(Reason::Certificate(reason))
                    }
                    Err(other) => return Err(other),
                }
            }
        };
        let rejected =
            |reason| rustls::OtherError(Arc::new(RejectedCertificate { reason, presented }));
        judged.map(|()| ServerCertVerified::assertion()).map_err(|reason| {
            rustls::Error::InvalidCertificate(CertificateError::Other(rejected(reason)))
        })
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

/// Returns the cause of a failed TLS handshake.
pub(in crate::net) fn cause(error: &std::io::Error, host: &str) -> Cause {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    match inner {
        Some(rustls::Error::InvalidCertificate(problem)) => {
            let rejected = match problem {
                CertificateError::Other(other) => other.0.downcast_ref::<RejectedCertificate>(),
                _ => None,
            };
            let presented = rejected.map(|rejected| rejected.presented);
            let problem = match rejected.map(|rejected| (&rejected.reason, rejected.presented)) {
                None => certificate_problem(problem, host),
                Some((Reason::NoRoots, _)) => CertificateProblem::NoRoots,
                // The name of a trusted authority without its signature: the certificate is from
                // another authority.
                Some((Reason::Certificate(CertificateError::BadSignature), _)) => {
                    CertificateProblem::UnknownIssuer
                }
                Some((Reason::Certificate(reason), _)) => certificate_problem(reason, host),
                Some((Reason::NotPinned(expected), presented)) => CertificateProblem::NotPinned {
                    expected: expected.to_string(),
                    presented: presented.to_string(),
                    accepted: false,
                },
            };
            Cause::Certificate { problem, presented }
        }
        Some(rustls::Error::InvalidMessage(_)) => Cause::NotTls,
        Some(other) => Cause::Tls(other.to_string().into()),
        None => Cause::from_io(error),
    }
}

/// Returns what is wrong with a certificate.
pub(super) fn certificate_problem(error: &CertificateError, host: &str) -> CertificateProblem {
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
            // "DnsName(\"localhost\")": keep the text between the quotes.
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
        // Errors of webpki and of the system's verifier that rustls does not define.
        CertificateError::Other(other) => match format!("{other:?}") {
            name if name.contains("CaUsedAsEndEntity") => CertificateProblem::OwnAuthority,
            name if name.contains("EkuError") => CertificateProblem::WrongPurpose,
            name if name.contains("UnsupportedCertVersion") => CertificateProblem::OldVersion,
            _ => CertificateProblem::Other(error.to_string()),
        },
        other => CertificateProblem::Other(other.to_string()),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::time::Duration;

    use super::*;
    use crate::net::error::{ConnectStage, Error};

    /// The beginning of a certificate of version 1, which contains no version.
    pub(in crate::net::tls) const VERSION_1: &[u8] =
        b"\x30\x0a\x30\x03\x02\x01\x01\x30\x00\x03\x01\x00";

    /// Returns the error with which a verifier rejects a server's certificate.
    fn rejected(judge: &Judge, certificate: &CertificateDer<'_>) -> Error {
        let name = ServerName::try_from("localhost").unwrap();
        let now = UnixTime::since_unix_epoch(Duration::from_secs(1_800_000_000));
        let error = judge.verify_server_cert(certificate, &[], &name, &[], now).unwrap_err();
        let cause = cause(&std::io::Error::other(error), "localhost");
        Error { stage: ConnectStage::Tls, cause, peer: "localhost:443".into() }
    }

    fn provider() -> Arc<CryptoProvider> {
        Arc::new(rustls::crypto::ring::default_provider())
    }

    fn without_roots() -> Judge {
        Judge { rule: Rule::Roots { system: None, own: Vec::new() }, provider: provider() }
    }

    #[test]
    fn without_roots_a_certificate_can_be_pinned() {
        let own = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        let error = rejected(&without_roots(), own.cert.der());
        let pin = CertificatePin::of(own.cert.der());
        let problem = CertificateProblem::NoRoots;
        assert_eq!(error.cause, Cause::Certificate { problem, presented: Some(pin) });
        assert_eq!((error.pin_to_offer(), error.may_pass()), (Some(pin), false));
    }

    #[test]
    fn no_pin_is_offered_for_a_certificate_of_version_1() {
        let certificate = CertificateDer::from(VERSION_1);
        let pinned = Judge::pinned(CertificatePin::of(VERSION_1), provider());
        for judge in [pinned, without_roots()] {
            let problem = CertificateProblem::OldVersion;
            let expected = Cause::Certificate { problem, presented: None };
            assert_eq!(rejected(&judge, &certificate).cause, expected);
        }
    }

    #[test]
    fn a_certificate_for_clients_is_known_by_its_purpose() {
        let key = || rcgen::KeyPair::generate().unwrap();
        let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let authority = rcgen::CertifiedIssuer::self_signed(params, key()).unwrap();
        let mut params = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ClientAuth];
        let certificate = params.signed_by(&key(), &authority).unwrap();
        let judge = Judge::trusting(vec![authority.der().clone()], provider()).unwrap();
        let cause = rejected(&judge, certificate.der()).cause;
        let problem = CertificateProblem::WrongPurpose;
        let presented = Some(CertificatePin::of(certificate.der()));
        assert_eq!(cause, Cause::Certificate { problem, presented });
    }
}
