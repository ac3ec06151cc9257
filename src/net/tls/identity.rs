//! The TLS identity of a server: a certificate and its key.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use tokio::time::timeout;
use zeroize::Zeroizing;

use crate::net::error::Cause;
use crate::net::stream::Stream;
use crate::net::tls::certificate_pin::CertificatePin;
use crate::net::tls::trust::{certificates, read_bounded};
use crate::net::tls::verify;
use crate::text::Problem;
use crate::text::problem::problem;

/// Time limit of the handshake with a client.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// A server's certificate with its key.
#[derive(Clone)]
pub struct Identity {
    config: Arc<ServerConfig>,
    pin: CertificatePin,
}

/// The reason why a certificate or key cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{}: {reason}", .path.display())]
pub struct IdentityError {
    pub path: PathBuf,
    pub reason: Problem,
}

impl Identity {
    /// Reads a certificate (PEM, followed by its issuers, or DER) and its private key (PEM: PKCS
    /// #8, PKCS #1 or SEC 1).
    ///
    /// # Errors
    /// Fails with the unusable file and the reason, also if the key does not match.
    pub fn read(certificate: &Path, key: &Path) -> Result<Self, IdentityError> {
        let fault = |path: &Path, reason: Problem| IdentityError { path: path.to_owned(), reason };
        let chain = certificates(certificate).map_err(|cause| match cause {
            Cause::TrustFile { reason, .. } => fault(certificate, reason),
            other => fault(certificate, Problem::from(&other)),
        })?;
        let leaf = chain.first().ok_or_else(|| fault(certificate, problem!("net-file-empty")))?;
        let pin = CertificatePin::of(leaf);
        let bytes = read_bounded(key).map_err(|reason| fault(key, reason))?;
        let bytes = Zeroizing::new(bytes);
        let secret = PrivateKeyDer::from_pem_slice(&bytes)
            .map_err(|_| fault(key, problem!("net-file-no-key")))?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| fault(certificate, error.to_string().into()))?
            .with_no_client_auth()
            .with_single_cert(chain, secret)
            .map_err(|error| {
                fault(key, problem!("net-file-other-key", reason = error.to_string()))
            })?;
        Ok(Self { config: Arc::new(config), pin })
    }

    /// Returns the pin of the certificate, as in client settings.
    pub const fn pin(&self) -> CertificatePin {
        self.pin
    }

    /// Performs the TLS handshake with a client, within 10 s.
    ///
    /// # Errors
    /// Fails if the client does not use TLS, does not accept the certificate, or takes too long.
    pub async fn welcome(&self, stream: Stream) -> Result<Stream, Cause> {
        let socket = stream.into_socket().ok_or_else(|| Cause::Tls(problem!("net-tls-in-tls")))?;
        let acceptor = tokio_rustls::TlsAcceptor::from(Arc::clone(&self.config));
        match timeout(HANDSHAKE_TIMEOUT, acceptor.accept(socket)).await {
            Ok(Ok(stream)) => Ok(Stream::tls(stream.into())),
            Ok(Err(error)) => Err(verify::cause(&error, "")),
            Err(_) => Err(Cause::TimedOut { after: HANDSHAKE_TIMEOUT }),
        }
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").field("pin", &self.pin).finish_non_exhaustive()
    }
}
