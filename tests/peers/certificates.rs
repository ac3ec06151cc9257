//! Certificates of every kind, made for each test.

use std::fs;
use std::path::PathBuf;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd,
};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

/// A certificate with its key, as files.
#[derive(Debug)]
pub struct Certificate {
    /// The certificate in PEM format.
    pub certificate: PathBuf,
    /// The key in PEM format.
    pub key: PathBuf,
    /// The SHA-256 hash of the certificate (DER), in hexadecimal.
    pub pin: String,
}

/// A test authority and the certificates that it signs. Their folder is deleted with the authority.
pub struct Authority {
    folder: TempDir,
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Authority {
    pub fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        // OpenSSL takes a certificate whose issuer has the same name for self-signed.
        params.distinguished_name.push(DnType::CommonName, "onair test authority");
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("ca.pem"), issuer.pem()).unwrap();
        Self { folder, issuer }
    }

    /// Returns the certificate of the authority itself, to be trusted.
    pub fn file(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// Returns a valid certificate for `localhost` and 127.0.0.1.
    pub fn good(&self) -> Certificate {
        self.signed("good", &["localhost", "127.0.0.1"], |_| {})
    }

    /// Returns a valid certificate for another host.
    pub fn of(&self, host: &str) -> Certificate {
        self.signed("other", &[host], |_| {})
    }

    /// Returns a valid certificate whose files outlive the authority.
    pub fn good_kept(self) -> Certificate {
        let good = self.good();
        let _ = self.folder.keep();
        good
    }

    /// Returns a certificate that expired at the end of 2020.
    pub fn expired(&self) -> Certificate {
        self.signed("expired", &["localhost", "127.0.0.1"], |params| {
            params.not_before = date_time_ymd(2020, 1, 1);
            params.not_after = date_time_ymd(2020, 12, 31);
        })
    }

    /// Returns a certificate that is valid only from 2090.
    pub fn early(&self) -> Certificate {
        self.signed("early", &["localhost", "127.0.0.1"], |params| {
            params.not_before = date_time_ymd(2090, 1, 1);
            params.not_after = date_time_ymd(2091, 1, 1);
        })
    }

    /// Returns a certificate for another host.
    pub fn foreign(&self) -> Certificate {
        self.signed("foreign", &["live.example.org"], |_| {})
    }

    /// Returns a self-signed certificate. It can be marked as an authority, which is the default of
    /// openssl.
    pub fn self_signed(&self, as_authority: bool) -> Certificate {
        let mut params = params(&["localhost", "127.0.0.1"]);
        let mut name = "self-signed";
        if as_authority {
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            name = "self-signed-authority";
        }
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        self.keep(name, &certificate, &key)
    }

    fn signed(
        &self,
        name: &str,
        hosts: &[&str],
        change: impl FnOnce(&mut CertificateParams),
    ) -> Certificate {
        let mut params = params(hosts);
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        self.keep(name, &certificate, &key)
    }

    fn keep(&self, name: &str, certificate: &rcgen::Certificate, key: &KeyPair) -> Certificate {
        let file = |ending: &str| self.folder.path().join(format!("{name}.{ending}"));
        fs::write(file("pem"), certificate.pem()).unwrap();
        fs::write(file("key"), key.serialize_pem()).unwrap();
        let pin = Sha256::digest(certificate.der());
        let pin = pin.iter().map(|byte| format!("{byte:02x}")).collect();
        Certificate { certificate: file("pem"), key: file("key"), pin }
    }
}

fn params(hosts: &[&str]) -> CertificateParams {
    CertificateParams::new(hosts.iter().map(|host| (*host).to_owned()).collect::<Vec<_>>()).unwrap()
}
