//! The certificate that the server makes for itself if it gets none. No authority signs it, so browsers warn once, and
//! programs trust it by its fingerprint.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use data_encoding::BASE64;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use time::{Duration, OffsetDateTime};

use crate::base::{Secret, partial_debug};
use crate::net::tls::certificate_pin::CertificatePin;
use crate::net::tls::identity::Identity;

/// How long a certificate is valid. Apple's systems accept at most 825 days.
const VALIDITY: Duration = Duration::days(800);
/// A certificate that ends sooner is replaced.
const RENEW_BEFORE: Duration = Duration::days(30);
/// The clocks of clients may be late.
const MAX_CLOCK_ERROR: Duration = Duration::days(1);

/// A certificate that onair has signed itself, with its key.
#[derive(Clone)]
pub struct OwnCertificate {
    certificate: Vec<u8>,
    key: Secret,
    /// The names and addresses of the server, in order.
    names: Vec<String>,
    ends: OffsetDateTime,
}

partial_debug!(OwnCertificate { names, ends });

/// The reason why no certificate could be made or used.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct OwnCertificateError(String);

impl OwnCertificate {
    /// Makes a certificate for `localhost`, the loopback addresses, and these host names and addresses.
    ///
    /// # Errors
    /// Fails if a name is invalid, or the system has no randomness.
    pub fn generate(names: &[String]) -> Result<Self, OwnCertificateError> {
        let failed = |error: rcgen::Error| OwnCertificateError(error.to_string());
        let names = with_loopback(names);
        let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).map_err(failed)?;
        // An address becomes an address, and anything else a name.
        let mut parameters = rcgen::CertificateParams::new(names.clone()).map_err(failed)?;
        let now = OffsetDateTime::now_utc();
        let ends = now + VALIDITY;
        (parameters.not_before, parameters.not_after) = (now - MAX_CLOCK_ERROR, ends);
        parameters.distinguished_name = rcgen::DistinguishedName::new();
        parameters.distinguished_name.push(rcgen::DnType::CommonName, "onair");
        parameters.extended_key_usages.push(rcgen::ExtendedKeyUsagePurpose::ServerAuth);
        let certificate = parameters.self_signed(&key).map_err(failed)?.der().to_vec();
        let key = Secret::new(BASE64.encode(&key.serialize_der()));
        Ok(Self { certificate, key, names, ends })
    }

    /// Returns true if the certificate is valid for some time, and for all of these names and addresses.
    pub fn serves(&self, names: &[String]) -> bool {
        let soon = OffsetDateTime::now_utc() + RENEW_BEFORE;
        self.ends > soon && with_loopback(names).iter().all(|name| self.names.contains(name))
    }

    /// Returns the fingerprint of the certificate.
    pub fn pin(&self) -> CertificatePin {
        CertificatePin::of(&self.certificate)
    }

    /// Returns the certificate as the identity of a server.
    ///
    /// # Errors
    /// Fails if the certificate and the key do not belong together.
    pub fn identity(&self) -> Result<Identity, OwnCertificateError> {
        let failed = |error: String| OwnCertificateError(error);
        let key = BASE64.decode(self.key.expose().as_bytes());
        let key = key.map_err(|error| failed(error.to_string()))?;
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key));
        let chain = vec![CertificateDer::from(self.certificate.clone())];
        Identity::new(chain, key, self.pin()).map_err(|error| failed(error.to_string()))
    }

    /// Returns the text to store in a file: the certificate and its key in Base64, the end in seconds since 1970, and
    /// the names, each in a line.
    pub fn to_text(&self) -> Secret {
        let (certificate, key) = (BASE64.encode(&self.certificate), self.key.expose());
        let (ends, names) = (self.ends.unix_timestamp(), self.names.join("\n"));
        Secret::new(format!("{certificate}\n{key}\n{ends}\n{names}\n"))
    }

    /// Parses the text of a file. Returns `None` if the text is damaged, or if the key belongs to another certificate.
    pub fn from_text(text: &str) -> Option<Self> {
        let mut lines = text.lines().map(str::trim);
        let certificate = BASE64.decode(lines.next()?.as_bytes()).ok()?;
        let key = Secret::new(lines.next()?);
        let ends = OffsetDateTime::from_unix_timestamp(lines.next()?.parse().ok()?).ok()?;
        let names = lines.map(str::to_owned).collect();
        let read = Self { certificate, key, names, ends };
        read.identity().is_ok().then_some(read)
    }
}

/// Adds the names of the computer itself.
fn with_loopback(names: &[String]) -> Vec<String> {
    let loopback = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
    let loopback = loopback.map(|ip| ip.to_string());
    let mut all: Vec<String> =
        names.iter().cloned().chain(loopback).chain(["localhost".to_owned()]).collect();
    all.sort_unstable();
    all.dedup();
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stored_certificate_is_read_back_unless_damaged() {
        let made = OwnCertificate::generate(&["studio.example".to_owned()]).unwrap();
        let text = made.to_text();
        let read = OwnCertificate::from_text(text.expose()).unwrap();
        assert_eq!((read.pin(), &read.names), (made.pin(), &made.names));
        assert_eq!(read.identity().unwrap().pin(), made.pin());
        let other = OwnCertificate::generate(&[]).unwrap().to_text();
        let lines: Vec<&str> = text.expose().lines().collect();
        let other_key = other.expose().lines().nth(1).unwrap();
        for bad in ["", "AAAA\nBBBB\n5\n", &format!("{}\n{other_key}\n{}\n", lines[0], lines[2])] {
            assert!(OwnCertificate::from_text(bad).is_none(), "{bad}");
        }
        assert!(!format!("{made:?}").contains(lines[1]), "the key is secret");
    }

    #[test]
    fn a_certificate_serves_only_its_names_and_only_while_it_is_valid() {
        let name = |name: &str| vec![name.to_owned()];
        let mut made = OwnCertificate::generate(&name("studio.example")).unwrap();
        assert!(made.serves(&name("studio.example")) && made.serves(&[]));
        assert!(!made.serves(&name("other.example")));
        made.ends = OffsetDateTime::now_utc() + RENEW_BEFORE - Duration::hours(1);
        assert!(!made.serves(&[]));
    }
}
