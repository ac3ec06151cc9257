//! The answers to the challenges of an authority: a text over HTTP (RFC 8555 §8.3), and a certificate over TLS (RFC
//! 8737).

use std::fmt;
use std::sync::Arc;

use parking_lot::Mutex;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

/// The name of the protocol in which only challenges are answered (ALPN).
pub(in crate::net) const ACME_PROTOCOL: &[u8] = b"acme-tls/1";
/// The maximum number of open challenges: two for each domain.
const MAX_OPEN: usize = 200;

/// The open challenges.
#[derive(Default)]
pub struct Challenges(Mutex<Open>);

#[derive(Default)]
struct Open {
    /// The tokens, and the text for each.
    texts: Vec<(String, String)>,
    /// The domains, and the certificate for each.
    certificates: Vec<(String, Arc<CertifiedKey>)>,
}

impl fmt::Debug for Challenges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Challenges").finish_non_exhaustive()
    }
}

impl Challenges {
    /// Returns the text for a token, if there is such a challenge.
    pub fn text(&self, token: &str) -> Option<String> {
        let open = self.0.lock();
        open.texts.iter().find(|(known, _)| known == token).map(|(_, text)| text.clone())
    }

    pub(in crate::net) fn add_text(&self, token: &str, text: &str) {
        let mut open = self.0.lock();
        if open.texts.len() < MAX_OPEN {
            open.texts.push((token.to_owned(), text.to_owned()));
        }
    }

    /// Adds the certificate that proves the control of a domain by this digest.
    pub(in crate::net) fn add_certificate(
        &self,
        domain: &str,
        digest: &[u8],
    ) -> Result<(), String> {
        let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256);
        let key = key.map_err(|error| error.to_string())?;
        let parameters = rcgen::CertificateParams::new(vec![domain.to_owned()]);
        let mut parameters = parameters.map_err(|error| error.to_string())?;
        parameters.custom_extensions = vec![rcgen::CustomExtension::new_acme_identifier(digest)];
        let certificate = parameters.self_signed(&key).map_err(|error| error.to_string())?;
        let chain = vec![certificate.der().clone()];
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let certified = certified(chain, key).map_err(|error| error.to_string())?;
        let mut open = self.0.lock();
        if open.certificates.len() < MAX_OPEN {
            open.certificates.push((domain.to_owned(), Arc::new(certified)));
        }
        Ok(())
    }

    /// Closes all challenges.
    pub(in crate::net) fn clear(&self) {
        *self.0.lock() = Open::default();
    }

    fn certificate(&self, domain: &str) -> Option<Arc<CertifiedKey>> {
        let open = self.0.lock();
        let mut all = open.certificates.iter();
        all.rfind(|(known, _)| known.eq_ignore_ascii_case(domain)).map(|(_, it)| Arc::clone(it))
    }
}

/// Combines a certificate and its key.
pub(in crate::net) fn certified(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<CertifiedKey, rustls::Error> {
    // `CertifiedKey::from_der` refuses the critical extension of the challenge, which is not known to
    // it (RFC 8737 §3).
    let key = rustls::crypto::ring::default_provider().key_provider.load_private_key(key)?;
    Ok(CertifiedKey::new(chain, key))
}

/// Chooses the certificate for a client: that of a challenge for an authority, and the server's own for everybody else.
#[derive(Debug)]
pub(in crate::net) struct Resolver {
    pub own: Arc<CertifiedKey>,
    pub challenges: Arc<Challenges>,
}

impl ResolvesServerCert for Resolver {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let is_challenge =
            hello.alpn().is_some_and(|mut names| names.any(|name| name == ACME_PROTOCOL));
        if is_challenge {
            return self.challenges.certificate(hello.server_name()?);
        }
        Some(Arc::clone(&self.own))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_found_until_the_challenges_are_closed() {
        let challenges = Challenges::default();
        challenges.add_text("token", "token.thumb");
        challenges.add_certificate("live.example", &[7; 32]).unwrap();
        assert_eq!(challenges.text("token").as_deref(), Some("token.thumb"));
        assert_eq!(challenges.text("other"), None);
        assert!(challenges.certificate("LIVE.example").is_some());
        assert!(challenges.certificate("other.example").is_none());
        challenges.clear();
        assert!(
            challenges.text("token").is_none() && challenges.certificate("live.example").is_none()
        );
    }
}
