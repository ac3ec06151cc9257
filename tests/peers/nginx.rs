//! nginx with the RTMP module: a server for publishing and playing.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::process::{LIMIT, Peer, free_port, on_path, wait_listening};

/// Returns nginx and its RTMP module, if both are installed.
pub fn program() -> Option<(PathBuf, PathBuf)> {
    let module = [
        "/usr/lib/nginx/modules/ngx_rtmp_module.so",
        "/usr/lib64/nginx/modules/ngx_rtmp_module.so",
        "/usr/share/nginx/modules/ngx_rtmp_module.so",
    ];
    let module = module.iter().map(Path::new).find(|file| file.is_file())?;
    Some((on_path("nginx")?, module.to_owned()))
}

/// A running nginx with these applications: `live` relays. `recorded` also records to
/// [`Nginx::recordings`]. `kept` does the same, with a separate file for each publication. `files`
/// plays recordings. `keyed` accepts only the stream `right-key`. `refused` rejects publishers and
/// players.
#[derive(Debug)]
pub struct Nginx {
    pub peer: Peer,
    /// The RTMP port.
    pub port: u16,
    http: u16,
    folder: TempDir,
}

impl Nginx {
    /// Starts nginx on free ports, and waits until it listens.
    pub fn start() -> Self {
        Self::start_on(free_port())
    }

    /// Starts nginx on a given RTMP port, such as the port of an instance that was killed.
    pub fn start_on(port: u16) -> Self {
        Self::start_with(port, "")
    }

    /// Works like [`Nginx::start`], with additional RTMP configuration, such as another application.
    pub fn start_with(port: u16, more: &str) -> Self {
        let (nginx, module) = program().expect("nginx with its RTMP module");
        let http = free_port();
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path().display();
        fs::create_dir(folder.path().join("recordings")).unwrap();
        let config = format!(
            "load_module {module};
             daemon off; master_process off; pid {at}/pid; error_log stderr info;
             events {{ worker_connections 1024; }}
             http {{
                access_log off;
                client_body_temp_path {at}/body; proxy_temp_path {at}/proxy;
                fastcgi_temp_path {at}/fastcgi; uwsgi_temp_path {at}/uwsgi;
                scgi_temp_path {at}/scgi;
                server {{
                    listen 127.0.0.1:{http}; location /stat {{ rtmp_stat all; }}
                    location /key {{ if ($arg_name = \"right-key\") {{ return 200; }} return 403; }}
                }}
             }}
             rtmp {{ access_log off; server {{
                listen 127.0.0.1:{port}; chunk_size 4096;
                application live {{ live on; }}
                application recorded {{
                    live on; record all; record_path {at}/recordings; record_suffix .flv;
                }}
                application kept {{
                    live on; record all; record_unique on;
                    record_path {at}/recordings; record_suffix .flv;
                }}
                application files {{ play {at}/recordings; }}
                application keyed {{
                    live on; notify_method get; on_publish http://127.0.0.1:{http}/key;
                }}
                application refused {{ live on; deny publish all; deny play all; }}
                {more}
             }} }}",
            module = module.display()
        );
        let file = folder.path().join("nginx.conf");
        fs::write(&file, config).unwrap();
        let mut peer = Peer::start_command(
            Command::new(nginx)
                .args(["-e", "stderr", "-p"])
                .arg(folder.path())
                .arg("-c")
                .arg(&file),
        );
        wait_listening(&mut peer, port);
        wait_listening(&mut peer, http);
        Self { peer, port, http, folder }
    }

    /// Returns the URL of a stream.
    pub fn url(&self, app: &str, stream: &str) -> String {
        format!("rtmp://127.0.0.1:{}/{app}/{stream}", self.port)
    }

    /// Returns the folder to which the application `recorded` writes `STREAM.flv`.
    pub fn recordings(&self) -> PathBuf {
        self.folder.path().join("recordings")
    }

    /// Returns all recordings, oldest first.
    pub fn recorded(&self) -> Vec<PathBuf> {
        let mut files: Vec<_> =
            fs::read_dir(self.recordings()).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort_by_key(|file| fs::metadata(file).and_then(|it| it.created()).unwrap());
        files
    }

    /// Returns nginx's own statistics as XML.
    pub fn stat(&self) -> String {
        let mut answer = String::new();
        let request = "GET /stat HTTP/1.0\r\nHost: localhost\r\n\r\n";
        if let Ok(mut stream) = TcpStream::connect(("127.0.0.1", self.http)) {
            drop(stream.set_read_timeout(Some(LIMIT)));
            drop(stream.write_all(request.as_bytes()));
            drop(stream.read_to_string(&mut answer));
        }
        answer
    }

    /// Returns true if a stream of this name is being published now.
    pub fn is_published(&self, stream: &str) -> bool {
        let stat = self.stat();
        stat.split("<stream>").skip(1).any(|part| {
            part.contains(&format!("<name>{stream}</name>")) && part.contains("<publishing/>")
        })
    }

    /// Waits until a stream of this name is being published.
    pub fn wait_published(&self, stream: &str) {
        super::wait_for(&format!("{stream} at nginx"), LIMIT, || self.is_published(stream));
    }

    /// Waits until no stream of this name is being published.
    pub fn wait_unpublished(&self, stream: &str) {
        super::wait_for(&format!("the end of {stream} at nginx"), LIMIT, || {
            !self.is_published(stream)
        });
    }
}
