//! A web server for a folder, and a web server whose answers a test chooses.

use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream, ToSocketAddrs};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use super::process::{LIMIT, Peer, free_port, on_path, wait_listening};

/// Sends a GET (or another method) and returns the whole response.
pub fn ask(address: impl ToSocketAddrs, method: &str, path: &str) -> String {
    ask_with(address, method, path, "")
}

/// Works like [`ask`], with additional header lines.
pub fn ask_with(address: impl ToSocketAddrs, method: &str, path: &str, fields: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(LIMIT)).unwrap();
    let host = "Host: localhost\r\nConnection: close\r\n";
    let text = format!("{method} {path} HTTP/1.1\r\n{host}{fields}\r\n");
    stream.write_all(text.as_bytes()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

/// nginx that serves a folder: over HTTP on the port `http`, and over TLS on the port `https`.
/// `/moved/…` redirects to the same path without `moved`, always over TLS.
#[derive(Debug)]
pub struct Web {
    _peer: Peer,
    pub http: u16,
    pub https: u16,
}

impl Web {
    /// Serves `root`; `certificate` and `key` are PEM files.
    pub fn start(root: &Path, certificate: &Path, key: &Path) -> Self {
        let nginx = on_path("nginx").expect("nginx");
        let (http, https) = (free_port(), free_port());
        let folder = tempfile::tempdir().unwrap().keep();
        let (at, root) = (folder.display(), root.display());
        let (certificate, key) = (certificate.display(), key.display());
        let config = format!(
            "daemon off; master_process off; user root; pid {at}/pid; error_log stderr info;
             events {{ worker_connections 256; }}
             http {{
                access_log off; root {root};
                types {{ application/vnd.apple.mpegurl m3u8; video/mp2t ts; video/mp4 mp4 m4s; }}
                client_body_temp_path {at}/body; proxy_temp_path {at}/proxy;
                fastcgi_temp_path {at}/fastcgi; uwsgi_temp_path {at}/uwsgi;
                scgi_temp_path {at}/scgi;
                server {{
                    listen 127.0.0.1:{http};
                    rewrite ^/moved/(.*)$ https://127.0.0.1:{https}/$1 redirect;
                    rewrite ^/round/(.*)$ /round/$1 redirect;
                }}
                server {{
                    listen 127.0.0.1:{https} ssl;
                    ssl_certificate {certificate}; ssl_certificate_key {key};
                    rewrite ^/moved/(.*)$ /$1 permanent;
                    rewrite ^/down/(.*)$ http://127.0.0.1:{http}/$1 redirect;
                }}
             }}"
        );
        let file = folder.join("nginx.conf");
        fs::write(&file, config).unwrap();
        let mut peer = Peer::start_command(
            Command::new(nginx).args(["-e", "stderr", "-p"]).arg(&folder).arg("-c").arg(&file),
        );
        wait_listening(&mut peer, http);
        wait_listening(&mut peer, https);
        Self { _peer: peer, http, https }
    }
}

/// Starts nginx as a TLS proxy in front of another web server on this computer, with WebSockets.
/// Also returns its port.
pub fn tls_before(port: u16, certificate: &Path, key: &Path) -> (Peer, u16) {
    let nginx = on_path("nginx").expect("nginx");
    let (https, folder) = (free_port(), tempfile::tempdir().unwrap().keep());
    let (at, certificate, key) = (folder.display(), certificate.display(), key.display());
    let config = format!(
        "daemon off; master_process off; user root; pid {at}/pid; error_log stderr info;
         events {{ worker_connections 256; }}
         http {{
            access_log off;
            client_body_temp_path {at}/body; proxy_temp_path {at}/proxy;
            fastcgi_temp_path {at}/fastcgi; uwsgi_temp_path {at}/uwsgi;
            scgi_temp_path {at}/scgi;
            server {{
                listen 127.0.0.1:{https} ssl;
                ssl_certificate {certificate}; ssl_certificate_key {key};
                location / {{
                    proxy_pass http://127.0.0.1:{port}; proxy_http_version 1.1;
                    proxy_set_header Host $http_host; proxy_buffering off;
                    proxy_set_header Upgrade $http_upgrade;
                    proxy_set_header Connection upgrade;
                }}
            }}
         }}"
    );
    let file = folder.join("nginx.conf");
    fs::write(&file, config).unwrap();
    let mut peer = Peer::start_command(
        Command::new(nginx).args(["-e", "stderr", "-p"]).arg(&folder).arg("-c").arg(&file),
    );
    wait_listening(&mut peer, https);
    (peer, https)
}

/// Starts a server that answers each request with `answer`, which gets the header of the request
/// and the socket. The server ends with the test process.
pub fn canned(answer: impl Fn(&str, &mut TcpStream) + Send + Sync + 'static) -> u16 {
    canned_at(Ipv4Addr::LOCALHOST, answer)
}

/// Works like [`canned`], at another address of this machine.
pub fn canned_at(
    address: Ipv4Addr,
    answer: impl Fn(&str, &mut TcpStream) + Send + Sync + 'static,
) -> u16 {
    let listener = TcpListener::bind((address, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let answer = Arc::new(answer);
    thread::spawn(move || {
        for mut socket in listener.incoming().flatten() {
            let answer = Arc::clone(&answer);
            thread::spawn(move || {
                let mut head = Vec::new();
                let mut byte = [0];
                drop(socket.set_read_timeout(Some(Duration::from_secs(30))));
                while !head.ends_with(b"\r\n\r\n") {
                    if socket.read_exact(&mut byte).is_err() {
                        return;
                    }
                    head.push(byte[0]);
                }
                answer(&String::from_utf8_lossy(&head), &mut socket);
                drop(socket.flush());
                drop(socket.shutdown(std::net::Shutdown::Write));
                // Reads until the client is done, so that no part of the response is lost.
                while socket.read_exact(&mut byte).is_ok() {}
            });
        }
    });
    port
}
