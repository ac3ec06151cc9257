//! The TLS identity of a server: a certificate and its key.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use rustls::{CertificateError, ServerConfig};
use tokio::net::TcpStream;
use tokio::time::timeout;
use zeroize::Zeroizing;

use crate::base::partial_debug;
use crate::net::error::Cause;
use crate::net::stream::Stream;
use crate::net::tls::certificate_pin::CertificatePin;
use crate::net::tls::challenges::{ACME_PROTOCOL, Challenges, Resolver, certified};
use crate::net::tls::trust::{certificates, read_bounded};
use crate::net::tls::verify;
use crate::text::Problem;
use crate::text::problem::problem;

/// Time limit of the handshake with a client.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// The protocols of web clients, by preference (ALPN, RFC 7301): HTTP/2 and HTTP/1.1.
const WEB_PROTOCOLS: [&[u8]; 2] = [HTTP_2, b"http/1.1"];
/// The name of HTTP/2 over TLS (RFC 9113 §3.2).
const HTTP_2: &[u8] = b"h2";

/// A server's certificate with its key.
#[derive(Clone)]
pub struct Identity {
    config: Arc<ServerConfig>,
    /// The same certificate for web clients, which choose a protocol.
    web: Arc<ServerConfig>,
    certified: Arc<CertifiedKey>,
    pin: CertificatePin,
    /// The files of the certificate and its key, if it comes from files.
    files: Option<(PathBuf, PathBuf)>,
}

/// The version of HTTP that a client has chosen.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum HttpVersion {
    Http1,
    Http2,
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
        let chain = certificates(certificate).map_err(|reason| fault(certificate, reason))?;
        let leaf = chain.first().ok_or_else(|| fault(certificate, problem!("net-file-empty")))?;
        let pin = CertificatePin::of(leaf);
        let bytes = read_bounded(key).map_err(|reason| fault(key, reason))?;
        let bytes = Zeroizing::new(bytes);
        let secret = PrivateKeyDer::from_pem_slice(&bytes)
            .map_err(|_| fault(key, problem!("net-file-no-key")))?;
        Self::new(chain, secret, pin)
            .map_err(|error| match &error {
                rustls::Error::InconsistentKeys(_) => {
                    fault(key, problem!("net-file-other-key", reason = error.to_string()))
                }
                rustls::Error::InvalidCertificate(CertificateError::BadEncoding) => {
                    fault(certificate, problem!("net-file-bad-certificate"))
                }
                rustls::Error::InvalidCertificate(reason) => {
                    let problem = verify::certificate_problem(reason, "");
                    fault(certificate, Problem::from(&problem))
                }
                _ => fault(key, problem!("net-file-key-kind")),
            })
            .map(|identity| Self {
                files: Some((certificate.to_owned(), key.to_owned())),
                ..identity
            })
    }

    /// Creates an identity from a certificate, followed by its issuers, and its key.
    pub(in crate::net) fn new(
        chain: Vec<CertificateDer<'static>>,
        key: PrivateKeyDer<'static>,
        pin: CertificatePin,
    ) -> Result<Self, rustls::Error> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let certified = Arc::new(certified(chain.clone(), key.clone_key())?);
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(chain, key)?;
        let mut web = config.clone();
        web.alpn_protocols = WEB_PROTOCOLS.map(<[u8]>::to_vec).to_vec();
        Ok(Self { config: Arc::new(config), web: Arc::new(web), certified, pin, files: None })
    }

    /// Also answers these challenges of an authority over HTTPS.
    #[must_use]
    pub fn answering(mut self, challenges: &Arc<Challenges>) -> Self {
        let own = Arc::clone(&self.certified);
        let mut web = ServerConfig::clone(&self.web);
        web.cert_resolver = Arc::new(Resolver { own, challenges: Arc::clone(challenges) });
        web.alpn_protocols.push(ACME_PROTOCOL.to_vec());
        self.web = Arc::new(web);
        self
    }

    /// Returns the files of the certificate and its key, if it comes from files.
    pub fn files(&self) -> Option<(&Path, &Path)> {
        self.files.as_ref().map(|(certificate, key)| (&**certificate, &**key))
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
        accept(&self.config, stream).await.map(|stream| Stream::tls(stream.into()))
    }

    /// Performs the TLS handshake with a web client, within 10 s. Returns the version of HTTP that
    /// both sides prefer.
    ///
    /// # Errors
    /// Fails as [`welcome`](Self::welcome) does.
    pub async fn welcome_web(&self, stream: Stream) -> Result<(Stream, HttpVersion), Cause> {
        let stream = accept(&self.web, stream).await?;
        let version = match stream.get_ref().1.alpn_protocol() {
            // The handshake was the whole check of an authority.
            Some(ACME_PROTOCOL) => return Err(Cause::Closed),
            Some(HTTP_2) => HttpVersion::Http2,
            _ => HttpVersion::Http1,
        };
        Ok((Stream::tls(stream.into()), version))
    }
}

/// Performs the TLS handshake with a client, within 10 s.
async fn accept(
    config: &Arc<ServerConfig>,
    stream: Stream,
) -> Result<tokio_rustls::server::TlsStream<TcpStream>, Cause> {
    let socket = stream.into_socket().ok_or_else(|| Cause::Tls(problem!("net-tls-in-tls")))?;
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::clone(config));
    match timeout(HANDSHAKE_TIMEOUT, acceptor.accept(socket)).await {
        Ok(Ok(stream)) => Ok(stream),
        Ok(Err(error)) => Err(match verify::cause(&error, "") {
            Cause::NotTls => Cause::Tls(problem!("net-client-not-tls")),
            cause => cause,
        }),
        Err(_) => Err(Cause::TimedOut { after: HANDSHAKE_TIMEOUT }),
    }
}

partial_debug!(Identity { pin });

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;
    use crate::net::listener::Listener;
    use crate::net::runtime::Runtime;

    /// Returns the files of a certificate and of its key.
    fn files(folder: &Path) -> (PathBuf, PathBuf) {
        let own = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        let (certificate, key) = (folder.join("cert.pem"), folder.join("key.pem"));
        std::fs::write(&certificate, own.cert.pem()).unwrap();
        std::fs::write(&key, own.signing_key.serialize_pem()).unwrap();
        (certificate, key)
    }

    #[test]
    fn the_unusable_file_is_named_with_the_reason() {
        let folder = tempfile::tempdir().unwrap();
        let (certificate, key) = files(folder.path());
        let file = folder.path().join("bad");
        let refused = |certificate: &Path, key: &Path| {
            let IdentityError { path, reason } = Identity::read(certificate, key).unwrap_err();
            assert_eq!(path, file);
            reason.id()
        };
        std::fs::write(&file, verify::tests::VERSION_1).unwrap();
        assert_eq!(refused(&file, &key), "net-certificate-version");
        // The beginning of PKCS #12.
        std::fs::write(&file, b"\x30\x03\x02\x01\x03").unwrap();
        assert_eq!(refused(&file, &key), "net-file-bad-certificate");
        let unknown = "-----BEGIN PRIVATE KEY-----\nMAMCAQA=\n-----END PRIVATE KEY-----\n";
        std::fs::write(&file, unknown).unwrap();
        assert_eq!(refused(&certificate, &file), "net-file-key-kind");
        std::fs::rename(&key, &file).unwrap();
        let (certificate, _) = files(folder.path());
        assert_eq!(refused(&certificate, &file), "net-file-other-key");
    }

    #[test]
    fn a_client_without_tls_is_not_called_the_server() {
        let folder = tempfile::tempdir().unwrap();
        let (certificate, key) = files(folder.path());
        let identity = Identity::read(&certificate, &key).unwrap();
        let runtime = Runtime::start().unwrap();
        let listener = Listener::bind(runtime.handle(), "127.0.0.1:0".parse().unwrap()).unwrap();
        let mut client = std::net::TcpStream::connect(listener.local_addr()).unwrap();
        // C0 and C1 of the RTMP handshake.
        client.write_all(&[3; 1_537]).unwrap();
        let cause = runtime.block_on(async {
            let (stream, _) = listener.accept().await;
            identity.welcome(stream).await.unwrap_err()
        });
        assert_eq!(cause, Cause::Tls(problem!("net-client-not-tls")));
    }
}
