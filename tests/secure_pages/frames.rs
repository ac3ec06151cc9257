//! A client that writes the frames of HTTP/2 itself (RFC 9113), right or wrong.

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use crate::peers::{LIMIT, wait_for};

const DATA: u8 = 0;
pub const HEADERS: u8 = 1;
pub const RST_STREAM: u8 = 3;
pub const SETTINGS: u8 = 4;
pub const PING: u8 = 6;
const GOAWAY: u8 = 7;
const WINDOW_UPDATE: u8 = 8;
pub const CONTINUATION: u8 = 9;

pub const END_STREAM: u8 = 1;
pub const END_HEADERS: u8 = 4;

/// A connection that has sent the preface and its settings.
pub struct Client {
    stream: StreamOwned<ClientConnection, TcpStream>,
    /// Received bytes that are no whole frame yet.
    unread: Vec<u8>,
    /// Received frames: kind, flags, stream, payload.
    frames: Vec<(u8, u8, u32, Vec<u8>)>,
    over: bool,
}

impl Client {
    /// Connects to a server whose certificate this authority has signed.
    pub fn connect(to: SocketAddr, authority: &Path) -> Self {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(authority).unwrap()).unwrap();
        let mut config = builder().with_root_certificates(roots).with_no_client_auth();
        config.alpn_protocols = vec![b"h2".to_vec()];
        let name = ServerName::try_from("localhost").unwrap();
        let connection = ClientConnection::new(Arc::new(config), name).unwrap();
        let socket = TcpStream::connect(to).unwrap();
        socket.set_read_timeout(Some(LIMIT)).unwrap();
        socket.set_write_timeout(Some(Duration::from_secs(2))).unwrap();
        let mut stream = StreamOwned::new(connection, socket);
        stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").unwrap();
        assert_eq!(stream.conn.alpn_protocol(), Some(&b"h2"[..]));
        let mut client = Self { stream, unread: Vec::new(), frames: Vec::new(), over: false };
        client.frame(SETTINGS, 0, 0, &[]);
        client
    }

    /// Writes a frame. A server that takes no more, or has closed, ends the connection.
    pub fn frame(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
        if self.over {
            return;
        }
        let length = (payload.len() as u32).to_be_bytes();
        let mut bytes = length[1..].to_vec();
        bytes.extend([kind, flags]);
        bytes.extend(stream.to_be_bytes());
        bytes.extend(payload);
        self.over |= self.stream.write_all(&bytes).is_err();
    }

    /// Sends a whole GET request.
    pub fn request(&mut self, stream: u32, path: &str) {
        self.request_of(stream, "localhost", path);
    }

    /// Sends a whole GET request to a host.
    pub fn request_of(&mut self, stream: u32, host: &str, path: &str) {
        self.request_with(stream, host, path, &[]);
    }

    /// Sends a whole GET request with additional fields.
    pub fn request_with(&mut self, stream: u32, host: &str, path: &str, more: &[(&str, &str)]) {
        let mut block = header_block(host, path);
        more.iter().for_each(|(name, value)| block.extend(field(name, value)));
        self.frame(HEADERS, END_STREAM | END_HEADERS, stream, &block);
    }

    /// Returns true if the server has ended the connection.
    pub fn is_over(&mut self) -> bool {
        self.read(Duration::from_millis(1));
        self.over
    }

    /// Returns true if the server has reset the request, or answered it with an error.
    pub fn has_refused(&mut self, stream: u32) -> bool {
        self.read(Duration::from_millis(1));
        self.frames.iter().any(|(kind, _, of, _)| *kind == RST_STREAM && *of == stream)
            || self.status(stream).is_some_and(|status| status >= 400)
    }

    /// Waits for an answer with the status 200.
    pub fn wait_answer(&mut self, stream: u32) -> bool {
        self.wait_status(stream) == Some(200)
    }

    /// Waits for more of an answer that does not end, and lets the server send as much again.
    pub fn wait_data(&mut self, stream: u32) {
        self.take_data(stream);
        wait_for("more of the answer", LIMIT, || {
            self.read(Duration::from_millis(50));
            assert!(!self.over, "the connection has ended");
            self.take_data(stream) > 0
        });
    }

    /// Takes the received data of an answer, and returns its length.
    fn take_data(&mut self, stream: u32) -> usize {
        let is_data = |kind: u8, of: u32| kind == DATA && of == stream;
        let data = self.frames.iter().filter(|(kind, _, of, _)| is_data(*kind, *of));
        let length: usize = data.map(|(.., payload)| payload.len()).sum();
        self.frames.retain(|(kind, _, of, _)| !is_data(*kind, *of));
        if length > 0 {
            let more = u32::try_from(length).unwrap().to_be_bytes();
            [0, stream].into_iter().for_each(|of| self.frame(WINDOW_UPDATE, 0, of, &more));
        }
        length
    }

    /// Waits for the status of an answer, or the end of the connection.
    pub fn wait_status(&mut self, stream: u32) -> Option<u16> {
        wait_for("an answer", LIMIT, || {
            self.read(Duration::from_millis(50));
            self.over || self.status(stream).is_some()
        });
        self.status(stream)
    }

    /// Returns the status in the first field of a response: an entry of HPACK's static table, or digits.
    fn status(&self, stream: u32) -> Option<u16> {
        let (.., block) =
            self.frames.iter().find(|(kind, _, of, _)| *kind == HEADERS && *of == stream)?;
        match block.first()? {
            0x88 => Some(200),
            0x8c => Some(400),
            0x8d => Some(404),
            0x8e => Some(500),
            // A literal with the indexed name `:status`; three digits, plain or in Huffman code.
            _ => match block.get(1)? {
                3 => std::str::from_utf8(block.get(2..5)?).ok()?.parse().ok(),
                _ => huffman_digits(block.get(2..4)?),
            },
        }
    }

    fn read(&mut self, limit: Duration) {
        if self.over {
            return;
        }
        self.stream.sock.set_read_timeout(Some(limit)).unwrap();
        let mut bytes = [0; 16 << 10];
        match self.stream.read(&mut bytes) {
            Ok(0) => self.over = true,
            Ok(length) => self.unread.extend(&bytes[..length]),
            Err(error)
                if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {}
            Err(_) => self.over = true,
        }
        while let Some(head) = self.unread.get(..9) {
            let length = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
            let (kind, flags) = (head[3], head[4]);
            let stream = u32::from_be_bytes(head[5..9].try_into().unwrap());
            if self.unread.len() < 9 + length {
                return;
            }
            let payload = self.unread[9..9 + length].to_vec();
            self.unread.drain(..9 + length);
            // The server says goodbye with an error.
            self.over |= kind == GOAWAY && payload.get(4..8).is_some_and(|code| code != [0; 4]);
            self.frames.push((kind, flags, stream, payload));
        }
    }
}

/// Three digits in HPACK's Huffman code: `0` to `2` have five bits, the others six.
fn huffman_digits(bytes: &[u8]) -> Option<u16> {
    let mut bits = bytes.iter().fold(0_u32, |all, byte| all << 8 | u32::from(*byte)) << 16;
    let mut value = 0;
    for _ in 0..3 {
        let (digit, length) = match bits >> 27 {
            short @ 0..=2 => (short, 5),
            _ => ((bits >> 26).checked_sub(0x19)? + 3, 6),
        };
        value = value * 10 + digit as u16;
        bits <<= length;
    }
    Some(value)
}

/// The fields of a GET request in HPACK (RFC 7541).
pub fn header_block(host: &str, path: &str) -> Vec<u8> {
    // `:method: GET` and `:scheme: https` are entries of the static table.
    let mut block = vec![0x82, 0x87];
    for (name, value) in [(4, path), (1, host)] {
        block.push(name);
        block.extend(text(value));
    }
    block
}

/// A field in HPACK, without compression.
pub fn field(name: &str, value: &str) -> Vec<u8> {
    let mut bytes = vec![0];
    bytes.extend(text(name));
    bytes.extend(text(value));
    bytes
}

/// A text in HPACK. Its length has seven bits, and more if it is longer.
fn text(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    match text.len() {
        length @ 0..127 => bytes.push(length as u8),
        length => {
            bytes.push(127);
            let mut rest = length - 127;
            while rest >= 128 {
                bytes.push((rest % 128) as u8 | 128);
                rest /= 128;
            }
            bytes.push(rest as u8);
        }
    }
    bytes.extend(text.as_bytes());
    bytes
}

fn builder() -> rustls::ConfigBuilder<ClientConfig, rustls::WantsVerifier> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap()
}

/// The certificate that a server shows.
pub fn certificate_of(server: SocketAddr) -> Vec<u8> {
    let seen = Arc::new(Seen);
    let config = builder().dangerous().with_custom_certificate_verifier(seen).with_no_client_auth();
    let name = ServerName::IpAddress(server.ip().into());
    let mut connection = ClientConnection::new(Arc::new(config), name).unwrap();
    let mut socket = TcpStream::connect(server).unwrap();
    socket.set_read_timeout(Some(LIMIT)).unwrap();
    while connection.is_handshaking() {
        connection.complete_io(&mut socket).unwrap();
    }
    connection.peer_certificates().unwrap()[0].to_vec()
}

/// Accepts every certificate.
#[derive(Debug)]
struct Seen;

impl rustls::client::danger::ServerCertVerifier for Seen {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: rustls::pki_types::UnixTime,
    ) -> Result<rustls::client::danger::ServerCertVerified, rustls::Error> {
        Ok(rustls::client::danger::ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &rustls::DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
        Ok(rustls::client::danger::HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &rustls::DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
        Ok(rustls::client::danger::HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<rustls::SignatureScheme> {
        rustls::crypto::ring::default_provider()
            .signature_verification_algorithms
            .supported_schemes()
    }
}
