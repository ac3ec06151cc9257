//! The certificate of a WebRTC server. No authority signs the certificate. Instead, the SDP answer
//! contains the certificate's fingerprint.

use std::fmt;

use data_encoding::BASE64;
use str0m::config::DtlsCert;

use crate::base::Secret;

/// A certificate and its key.
#[derive(Clone)]
pub struct Certificate(DtlsCert);

/// The reason why no certificate could be created.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct CertificateError(String);

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Certificate").finish_non_exhaustive()
    }
}

impl Certificate {
    /// Creates a certificate.
    ///
    /// # Errors
    /// Fails if the system has no randomness.
    pub fn generate() -> Result<Self, CertificateError> {
        let failed = |error: rcgen::Error| CertificateError(error.to_string());
        let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).map_err(failed)?;
        let mut parameters = rcgen::CertificateParams::default();
        parameters.distinguished_name.push(rcgen::DnType::CommonName, "onair");
        let certificate = parameters.self_signed(&key).map_err(failed)?;
        let (certificate, private_key) = (certificate.der().to_vec(), key.serialize_der());
        Ok(Self(DtlsCert { certificate, private_key }))
    }

    /// Returns the text to store in a file: the certificate and its key (PKCS #8), each as a line
    /// of Base64.
    pub fn to_text(&self) -> Secret {
        let [certificate, key] =
            [&self.0.certificate, &self.0.private_key].map(|der| BASE64.encode(der));
        Secret::new(format!("{certificate}\n{key}\n"))
    }

    /// Parses the text of a file. Returns `None` if the text is damaged, or if the key belongs to
    /// another certificate.
    pub fn from_text(text: &str) -> Option<Self> {
        let mut lines = text.lines().map(|line| BASE64.decode(line.trim().as_bytes()).ok());
        let (certificate, private_key) = (lines.next()??, lines.next()??);
        let key = rcgen::KeyPair::try_from(private_key.as_slice()).ok()?;
        let public = key.public_key_raw();
        let fits = key.algorithm() == &rcgen::PKCS_ECDSA_P256_SHA256
            && certificate.windows(public.len()).any(|part| part == public);
        fits.then_some(Self(DtlsCert { certificate, private_key }))
    }

    /// Returns the certificate in the form that DTLS needs.
    pub fn for_dtls(&self) -> DtlsCert {
        self.0.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_kept_is_read_back_and_halves_of_two_are_not() {
        let [one, other] = [(); 2].map(|()| Certificate::generate().unwrap());
        let text = one.to_text();
        let read = Certificate::from_text(text.expose()).unwrap();
        assert_eq!(read.0.certificate, one.0.certificate);
        assert_eq!(read.0.private_key, one.0.private_key);
        let other = other.to_text();
        let (first, _) = text.expose().split_once('\n').unwrap();
        let (_, second) = other.expose().split_once('\n').unwrap();
        for bad in ["", "AAAA\nBBBB\n", first, &format!("{first}\n{second}")] {
            assert!(Certificate::from_text(bad).is_none(), "{bad}");
        }
        assert!(!format!("{one:?}").contains(first));
    }
}
