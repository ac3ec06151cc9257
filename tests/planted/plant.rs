//! Ways to plant a fault: servers that misbehave, and defective files and folders.

use std::any::Any;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use onair::net::Runtime;
use tempfile::TempDir;

use crate::lab::Lab;
use crate::peers::certificates::{Authority, Certificate};
use crate::peers::throttle::Throttle;
use crate::peers::{self, Onair, free_port, web};

/// The stream key of all runs. It must never appear in a report.
pub const KEY: &str = "Pl4nted99";

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::start().unwrap());

/// True if a process can have its own mount of a temporary file system.
static OWN_DISKS: LazyLock<bool> = LazyLock::new(|| {
    let mut unshare = Command::new("unshare");
    unshare.args(["-rm", "sh", "-c", "mount -t tmpfs tmpfs /mnt"]);
    let can = unshare.output().is_ok_and(|output| output.status.success());
    can || !peers::skipped("this machine does not allow a small disk (unshare -rm, mount -t tmpfs)")
});

/// A command line and an environment that contain one fault.
pub struct Planted {
    words: Vec<String>,
    /// A shell script that runs before the program and, for example, mounts a disk.
    shell: Option<String>,
    /// The host, device or file that the report must name.
    pub host: String,
    /// The file to which the run writes its explanation (`--why`).
    pub why: Option<PathBuf>,
    /// Servers and folders that must exist until the run ends.
    kept: Vec<Box<dyn Any>>,
    /// A server that is killed once the run is live.
    mortal: Option<Onair>,
}

impl Planted {
    pub fn new(words: &[&str], host: &str) -> Self {
        let words = words.iter().map(|word| (*word).to_owned()).collect();
        let (shell, why, kept, mortal) = (None, None, Vec::new(), None);
        Self { words, shell, host: host.to_owned(), why, kept, mortal }
    }

    pub fn with(mut self, words: &[&str]) -> Self {
        self.words.extend(words.iter().map(|word| (*word).to_owned()));
        self
    }

    fn keeping(mut self, what: impl Any) -> Self {
        self.kept.push(Box::new(what));
        self
    }

    /// Returns true if this computer can produce the fault.
    pub fn is_possible(&self) -> bool {
        self.shell.is_none() || *OWN_DISKS
    }

    pub fn start(&mut self) -> Onair {
        let binary = env!("CARGO_BIN_EXE_onair");
        let mut command = match &self.shell {
            Some(script) => {
                let mut command = Command::new("unshare");
                command.args(["-rm", "sh", "-c", script, "sh", binary]);
                command
            }
            None => Command::new(binary),
        };
        Onair::start_command(command.args(&self.words).arg("--json"), &[])
    }

    /// Causes the faults that happen during the run.
    pub fn meanwhile(&mut self, run: &mut Onair) {
        if let Some(mut server) = self.mortal.take() {
            // A connection that is lost in the first second would count as refused.
            let live = run.wait_event("on air", |it| it["state"] == "live")["t"].as_f64();
            run.wait_event("two seconds on air", |it| {
                let sends = it["targets"][0]["sent_bytes"].as_u64() > Some(10_000);
                sends && it["t"].as_f64() > live.map(|live| live + 2.0)
            });
            server.peer.kill();
        }
    }
}

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

/// Broadcasts a tone to this address. The report must name `host`.
pub fn live(app: &str, host: &str) -> Planted {
    let folder = folder();
    let why = folder.path().join("why.txt");
    let to = format!("{app}/{KEY}");
    let key = folder.path().join("key");
    fs::write(&key, KEY).unwrap();
    let target = match app.matches('/').count() {
        // An address without an application is invalid. In this case, the key is a part of the
        // address.
        0..=2 => vec!["--to".to_owned(), to],
        _ => {
            let key = key.to_str().unwrap().to_owned();
            vec!["--to".to_owned(), app.to_owned(), "--key-file".to_owned(), key]
        }
    };
    let words = ["live", "--video", "none", "--audio", "tone", "--retry-for", "1s", "--why"];
    let target: Vec<&str> = target.iter().map(String::as_str).collect();
    let planted = Planted::new(&words, host).with(&[why.to_str().unwrap()]).with(&target);
    Planted { why: Some(why), ..planted.keeping(folder) }
}

/// Broadcasts to a server with this fault.
pub fn to_lab(fault: &str) -> Planted {
    let lab = Lab::start(&RUNTIME, &[fault]);
    live(&lab.app_url(), &lab.address()).keeping(lab)
}

/// Works like [`to_lab`], with video, for this many seconds.
pub fn picture_to_lab(fault: &str, seconds: &str) -> Planted {
    let mut planted = to_lab(fault);
    planted.words[2] = "test".into();
    planted.with(&["--size", "480x270", "--video-bitrate", "600k", "--duration", seconds])
}

/// Broadcasts to a port where nothing listens.
pub fn to_nobody() -> Planted {
    let host = format!("127.0.0.1:{}", free_port());
    live(&format!("rtmp://{host}/live"), &host)
}

/// Broadcasts to a server that redirects to a port where nothing listens.
pub fn sent_on() -> Planted {
    let dead = format!("127.0.0.1:{}", free_port());
    let planted = to_lab(&format!("redirect@connect:rtmp://{dead}/live"));
    Planted { host: dead, ..planted }
}

fn served(more: &[&str]) -> (Onair, [String; 3]) {
    let words = ["serve", "--rtmp", "127.0.0.1:0", "--http", "127.0.0.1:0"];
    let mut server = Onair::start(&[&words[..], more].concat());
    let ready = server.wait_named("ready");
    let url = |name: &str| ready[name].as_str().unwrap_or_default().to_owned();
    let urls = ["rtmp", "rtmps", "http"].map(url);
    (server, urls)
}

fn host_of(url: &str) -> String {
    url.split_once("://").unwrap().1.to_owned()
}

/// Broadcasts to a server with this certificate, whose authority is trusted.
pub fn to_tls(certificate: fn(&Authority) -> Certificate) -> Planted {
    let authority = Authority::new();
    let certificate = certificate(&authority);
    let text = |path: &Path| path.to_str().unwrap().to_owned();
    let (cert, key) = (text(&certificate.certificate), text(&certificate.key));
    let more = ["--rtmps", "127.0.0.1:0", "--cert", &cert, "--cert-key", &key];
    let (server, [_, rtmps, _]) = served(&more);
    let ca = authority.file();
    let planted = live(&format!("{rtmps}/live"), &host_of(&rtmps));
    planted.with(&["--tls-ca", ca.to_str().unwrap()]).keeping(server).keeping(authority)
}

/// Uses TLS with a server that does not expect it, or no TLS with a server that does.
pub fn mixed_up(secure: bool) -> Planted {
    let authority = Authority::new();
    let good = authority.good();
    let text = |path: &Path| path.to_str().unwrap().to_owned();
    let (cert, key) = (text(&good.certificate), text(&good.key));
    let more = ["--rtmps", "127.0.0.1:0", "--cert", &cert, "--cert-key", &key];
    let (server, [rtmp, rtmps, _]) = served(&more);
    let url = match secure {
        true => rtmp.replace("rtmp:", "rtmps:"),
        false => rtmps.replace("rtmps:", "rtmp:"),
    };
    live(&format!("{url}/live"), &host_of(&url)).keeping(server).keeping(authority)
}

/// Broadcasts to a server that expects another password.
pub fn wrong_password() -> Planted {
    let folder = folder();
    let file = folder.path().join("password");
    fs::write(&file, "pa55word\n").unwrap();
    let login = ["--user", "me", "--password-file", file.to_str().unwrap(), "--auth", "adobe"];
    let (server, [rtmp, ..]) = served(&login);
    let host = host_of(&rtmp);
    live(&format!("rtmp://me:wrong@{host}/live"), &host).keeping(server).keeping(folder)
}

/// Broadcasts through a proxy that does not exist.
pub fn dead_proxy() -> Planted {
    let proxy = format!("127.0.0.1:{}", free_port());
    live("rtmp://live.invalid/live", &proxy).with(&["--proxy", &format!("http://{proxy}")])
}

/// Broadcasts through a proxy that requires a login.
pub fn locked_proxy() -> Planted {
    let port = web::canned(|_, socket| {
        let _ = socket.write_all(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n");
    });
    let proxy = format!("127.0.0.1:{port}");
    live("rtmp://live.invalid/live", &proxy).with(&["--proxy", &format!("http://{proxy}")])
}

/// Broadcasts over a connection with about a quarter of the necessary bandwidth.
pub fn slow_line() -> Planted {
    let lab = Lab::start(&RUNTIME, &[]);
    let port = lab.address().rsplit_once(':').unwrap().1.parse().unwrap();
    let line = Throttle::start(port, 400_000);
    let host = format!("127.0.0.1:{}", line.port);
    let mut planted = live(&format!("rtmp://{host}/live"), &host).keeping(lab).keeping(line);
    planted.words[2] = "test".into();
    planted.with(&["--size", "480x270", "--video-bitrate", "1500k", "--duration", "7s"])
}

/// Broadcasts to a server that is killed while the stream is on air.
pub fn server_dies() -> Planted {
    let (server, [rtmp, ..]) = served(&[]);
    let planted = live(&format!("{rtmp}/live"), &host_of(&rtmp));
    Planted { mortal: Some(server), ..planted }
}

/// Records one second from these sources.
pub fn recorded(video: &str, audio: &str, host: &str) -> Planted {
    let folder = folder();
    let path = folder.path().join("show.mkv");
    let words = ["live", "--video", video, "--audio", audio, "--duration", "1s", "--record"];
    Planted::new(&words, host).with(&[path.to_str().unwrap()]).keeping(folder)
}

/// Creates a file with these bytes.
fn file(name: &str, bytes: &[u8]) -> (TempDir, String) {
    let folder = folder();
    let path = folder.path().join(name);
    fs::write(&path, bytes).unwrap();
    let path = path.to_str().unwrap().to_owned();
    (folder, path)
}

/// Records from a media file that contains only text.
pub fn no_film() -> Planted {
    let (folder, path) =
        file("holiday.mp4", "these are words, and no film\n".repeat(50).as_bytes());
    recorded(&format!("file:{path}"), "none", "holiday.mp4").keeping(folder)
}

/// Runs a command on a file with these bytes.
pub fn with_file(command: &[&str], name: &'static str, bytes: &[u8]) -> Planted {
    let (folder, path) = file(name, bytes);
    Planted::new(command, name).with(&[&path]).keeping(folder)
}

/// Remuxes an MP4 file whose index was at the end, which is missing.
pub fn cut_film() -> Planted {
    let mut bytes = b"\0\0\0\x18ftypisom\0\0\x02\0isomavc1".to_vec();
    bytes.extend(b"\0\x10\0\0mdat");
    bytes.extend(vec![7; 40_000]);
    let (folder, path) = file("cut.mp4", &bytes);
    let target = folder.path().join("whole.mkv");
    let words = ["remux", &path, target.to_str().unwrap()];
    Planted::new(&words, "cut.mp4").keeping(folder)
}

/// Plays a stream with an unknown video codec.
pub fn unknown_codec() -> Planted {
    let mut bytes = b"FLV\x01\x01\0\0\0\x09\0\0\0\0".to_vec();
    for time in 0..60_u8 {
        let frame = [&[0x1f_u8][..], &[time; 40]].concat();
        let length = frame.len() as u8;
        bytes.extend([9, 0, 0, length, 0, 0, time, 0, 0, 0, 0]);
        bytes.extend(&frame);
        bytes.extend(u32::from(length + 11).to_be_bytes());
    }
    with_file(&["play", "--headless", "--mute"], "strange.flv", &bytes)
}

/// Records to a separate disk, which is mounted with these options.
pub fn on_a_disk(options: &str) -> Planted {
    let folder = folder();
    let at = folder.path().to_str().unwrap();
    let path = folder.path().join("show.mkv");
    let words = ["live", "--video", "test", "--audio", "tone", "--size", "480x270", "--duration"];
    let more = ["3s", "--record", path.to_str().unwrap()];
    let planted = Planted::new(&words, "show.mkv").with(&more);
    let script = format!("mount -t tmpfs -o {options} tmpfs {at} && exec \"$@\"");
    Planted { shell: Some(script), ..planted.keeping(folder) }
}

/// Starts a server on a port that is in use.
pub fn taken_port() -> Planted {
    let (server, [rtmp, ..]) = served(&[]);
    let host = host_of(&rtmp);
    Planted::new(&["serve", "--http", "none", "--rtmp", &host], &host).keeping(server)
}

/// Plays a stream that does not exist on the server.
pub fn no_stream() -> Planted {
    let (server, [_, _, http]) = served(&[]);
    let url = format!("{http}/live/none.flv");
    Planted::new(&["play", "--headless", &url], &host_of(&http)).keeping(server)
}

/// Starts with invalid settings.
pub fn bad_settings() -> Planted {
    let (folder, path) = file("settings.toml", b"version = 1\nwindow theme\n");
    let words = ["live", "--video", "none", "--audio", "tone", "--settings", &path];
    Planted::new(&words, "settings.toml").keeping(folder)
}
