//! Test equipment: a server with injected faults that keeps the streams it receives, and a
//! monitored `onair live`.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use onair::base::Clock;
use onair::net::Runtime;
use onair::server::{Config, Event, Listen, Server};
use onair::wire::container::flv::{Demuxer, TagKind, parse_audio, parse_video};
use serde_json::Value;

use crate::peers::{LIMIT, Onair, ffmpeg};

/// Options of a small stream with video and audio.
pub const SMALL: &[&str] = &[
    "--video",
    "test",
    "--audio",
    "tone",
    "--size",
    "480x270",
    "--fps",
    "15",
    "--video-bitrate",
    "500k",
];
/// Options of a stream that costs little, for tests in which the content does not matter.
pub const QUIET: &[&str] = &["--video", "none", "--audio", "tone"];

/// A stream name that no other test uses.
pub fn free_name(number: u32) -> String {
    format!("show{number}x{}", std::process::id())
}

/// A server with faults, and a viewer that keeps all that the server sends.
pub struct Lab {
    server: Server,
    struck: Mutex<Vec<Instant>>,
    files: Arc<Mutex<Vec<Vec<u8>>>>,
    over: Arc<AtomicBool>,
}

impl Lab {
    pub fn start(runtime: &Runtime, faults: &[&str]) -> Self {
        Self::start_at(runtime, faults, "127.0.0.1:0".parse().unwrap())
    }

    /// Starts a lab at this address.
    pub fn start_at(runtime: &Runtime, faults: &[&str], rtmp: SocketAddr) -> Self {
        let faults = faults.iter().map(|fault| fault.parse().unwrap()).collect();
        let http = Some(Listen::exactly("127.0.0.1:0".parse().unwrap()));
        let config = Config {
            rtmp: Listen::exactly(rtmp),
            http,
            faults,
            fault_seed: 4,
            ..Config::default()
        };
        let server = Server::start(runtime, Clock::start(), config).unwrap();
        let (files, over) = (Arc::<Mutex<Vec<Vec<u8>>>>::default(), Arc::<AtomicBool>::default());
        let (kept, end) = (Arc::clone(&files), Arc::clone(&over));
        let http = server.addresses().http.unwrap();
        thread::spawn(move || keep(http, &kept, &end));
        Self { server, struck: Mutex::default(), files, over }
    }

    /// The server's address, as it appears in events.
    pub fn address(&self) -> String {
        self.server.addresses().rtmp.to_string()
    }

    pub fn app_url(&self) -> String {
        format!("rtmp://{}/live", self.address())
    }

    pub fn url(&self) -> String {
        format!("{}/show", self.app_url())
    }

    /// How often a fault has struck.
    pub fn strikes(&self) -> usize {
        self.note();
        self.struck.lock().unwrap().len()
    }

    fn note(&self) {
        while let Ok(event) = self.server.events().try_recv() {
            if matches!(event, Event::Fault(_)) {
                self.struck.lock().unwrap().push(Instant::now());
            }
        }
    }

    /// Whether video has arrived.
    pub fn has_media(&self) -> bool {
        let files = self.files.lock().unwrap();
        files.last().is_some_and(|file| file.len() > 20_000)
    }

    /// The media received so far, one file per publication.
    pub fn received(&self) -> Received {
        let files = self.files.lock().unwrap().clone();
        let folder = tempfile::tempdir().unwrap();
        let mut paths = Vec::new();
        for (index, bytes) in files.iter().enumerate() {
            let path = folder.path().join(format!("{index}.flv"));
            std::fs::write(&path, bytes).unwrap();
            paths.push(path);
        }
        Received { _folder: folder, paths }
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
    }
}

/// Keeps each publication of `live/show`, as HTTP-FLV delivers it.
fn keep(http: SocketAddr, files: &Mutex<Vec<Vec<u8>>>, over: &AtomicBool) {
    while !over.load(Ordering::Relaxed) {
        // The pause between two requests that find out whether anything is published.
        thread::sleep(Duration::from_millis(25));
        let Ok(mut stream) = TcpStream::connect(http) else { continue };
        stream.set_read_timeout(Some(LIMIT * 2)).unwrap();
        let asked = stream.write_all(b"GET /live/show.flv HTTP/1.0\r\n\r\n");
        let (mut head, mut byte) = (Vec::new(), [0]);
        while asked.is_ok() && !head.ends_with(b"\r\n\r\n") && stream.read_exact(&mut byte).is_ok()
        {
            head.push(byte[0]);
        }
        if !head.starts_with(b"HTTP/1.0 200") && !head.starts_with(b"HTTP/1.1 200") {
            continue;
        }
        files.lock().unwrap().push(Vec::new());
        let mut buffer = vec![0; 64 << 10];
        loop {
            match stream.read(&mut buffer) {
                Ok(count @ 1..) => {
                    files.lock().unwrap().last_mut().unwrap().extend_from_slice(&buffer[..count]);
                }
                // The process was stopped and continues.
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                _ => break,
            }
        }
    }
}

/// Received files, and their folder.
pub struct Received {
    _folder: tempfile::TempDir,
    paths: Vec<PathBuf>,
}

/// The result of the check of received files.
pub struct Whole {
    /// The longest time, in seconds, without a new frame.
    pub gap: f64,
}

impl Received {
    pub fn files(&self) -> usize {
        self.paths.len()
    }

    pub fn check(&self, what: &str) -> Whole {
        check_files(what, &self.paths)
    }
}

/// Checks successive files of one stream: each decodes without a warning, and time never goes back.
pub fn check_files(what: &str, files: &[PathBuf]) -> Whole {
    assert!(!files.is_empty(), "{what}: nothing has arrived");
    let mut last = [None::<u32>; 2];
    let mut gap = 0;
    for file in files {
        let mut demuxer = Demuxer::new();
        demuxer.push(&std::fs::read(file).unwrap());
        let mut first = true;
        while let Ok(Some(tag)) = demuxer.next_tag() {
            let track = match tag.kind {
                TagKind::Video => 0,
                TagKind::Audio => 1,
                _ => continue,
            };
            let is_header = if track == 0 {
                parse_video(&tag.body).unwrap().is_sequence_start()
            } else {
                parse_audio(&tag.body).unwrap().is_sequence_start()
            };
            if is_header {
                continue;
            }
            if track == 0 {
                if std::mem::take(&mut first) {
                    let keyframe = tag.body[0] >> 4 & 7 == 1;
                    assert!(keyframe, "{what}: it does not begin with a keyframe");
                }
                gap = gap.max(last[0].map_or(0, |before| tag.time_ms.saturating_sub(before)));
            }
            let now = tag.time_ms;
            let before = last[track].replace(now);
            assert!(before.is_none_or(|it| it <= tag.time_ms), "{what}: from {before:?} to {now}");
        }
        decodes(what, file);
    }
    Whole { gap: f64::from(gap) / 1_000.0 }
}

fn decodes(what: &str, file: &Path) {
    let errors = ffmpeg::decode(file);
    assert_eq!(errors, "", "{what}");
}

/// `onair live`, and the time of each of its messages.
pub struct Watched {
    onair: Onair,
    seen: usize,
    /// Address, state, cause, and time.
    states: Vec<(String, String, String, Instant)>,
    at: f64,
    lines: Vec<Value>,
}

impl Watched {
    pub fn start(words: &[&str]) -> Self {
        Self::of(Onair::start(words))
    }

    /// Starts it in a network namespace.
    pub fn start_in(namespace: &str, words: &[&str]) -> Self {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", namespace, env!("CARGO_BIN_EXE_onair")]);
        command.args(words).arg("--json");
        Self::of(Onair::start_command(&mut command, &[]))
    }

    fn of(onair: Onair) -> Self {
        Self { onair, seen: 0, states: Vec::new(), at: 0.0, lines: Vec::new() }
    }

    /// Reads what `onair live` and the servers have printed since.
    pub fn look(&mut self, labs: &[&Lab]) {
        for lab in labs {
            lab.note();
        }
        let events = self.onair.events_after(self.seen);
        let now = Instant::now();
        for event in events {
            self.seen += 1;
            self.at = self.at.max(event["t"].as_f64().unwrap_or_default());
            if event["event"] == "target" {
                let text = |field: &str| event[field].as_str().unwrap_or_default().to_owned();
                let url = text("url");
                let address = url.split('/').nth(2).unwrap_or_default().to_owned();
                self.states.push((address, text("state"), text("cause"), now));
            }
            self.lines.push(event);
        }
        // The pause between two looks; `until` repeats them.
        thread::sleep(Duration::from_millis(20));
    }

    pub fn until(&mut self, what: &str, labs: &[&Lab], wanted: impl Fn(&Self) -> bool) {
        let start = Instant::now();
        loop {
            self.look(labs);
            if wanted(self) {
                return;
            }
            let ended = self.onair.peer.status();
            assert!(
                ended.is_none() && start.elapsed() < LIMIT * 2,
                "waited in vain for {what} ({ended:?}):\n{}{}",
                self.states.iter().map(|it| format!("{it:?}\n")).collect::<String>(),
                self.onair.peer.errors()
            );
        }
    }

    /// The time of its own clock at its last event.
    pub fn seconds(&self) -> f64 {
        self.at
    }

    pub fn is_live(&self, address: &str) -> bool {
        self.states.iter().rev().find(|it| it.0 == address).is_some_and(|it| it.1 == "live")
    }

    /// When the target was live again after the connection was lost.
    pub fn back(&self, address: &str) -> Option<Instant> {
        let mut mine = self.states.iter().filter(|it| it.0 == address);
        mine.find(|it| it.1 == "reconnecting")?;
        mine.find(|it| it.1 == "live").map(|it| it.3)
    }

    /// Seconds from the report of the loss until the target was live again.
    pub fn gap(&self, address: &str) -> Option<f64> {
        let mut mine = self.states.iter().filter(|it| it.0 == address);
        let lost = mine.find(|it| it.1 == "reconnecting")?.3;
        mine.find(|it| it.1 == "live").map(|it| it.3.duration_since(lost).as_secs_f64())
    }

    /// Seconds from the first strike until the target was live (again).
    pub fn outage(&self, address: &str, lab: &Lab) -> Option<f64> {
        let struck = *lab.struck.lock().unwrap().first()?;
        let mut mine = self.states.iter().filter(|it| it.0 == address);
        let live = mine.find(|it| it.1 == "live" && it.3 > struck)?;
        Some(live.3.duration_since(struck).as_secs_f64())
    }

    /// The reported causes, each once, in order.
    pub fn causes(&self, address: &str) -> Vec<String> {
        let mut causes: Vec<String> = self
            .states
            .iter()
            .filter(|it| it.0 == address && !it.2.is_empty())
            .map(|it| it.2.clone())
            .collect();
        causes.dedup();
        causes
    }

    /// The target's figures in the latest event, by its index on the command line.
    pub fn figures(&self, index: usize) -> Value {
        let last = self.lines.iter().rev().find(|line| line["event"] == "stats");
        last.map_or(Value::Null, |line| line["targets"][index].clone())
    }

    pub fn code(&mut self) -> Option<i32> {
        self.onair.peer.wait(LIMIT).code()
    }

    pub fn output(&self) -> String {
        self.onair.peer.output()
    }
}

/// A separate network namespace, with one cable to ours; dropping it removes both.
pub struct Elsewhere {
    pub name: String,
    cable: String,
    /// Our end of the cable.
    pub address: String,
}

impl Elsewhere {
    /// `None`, with a loud message, where the process may not create namespaces. Fails if `CI` is
    /// set.
    pub fn new(number: u32) -> Option<Self> {
        let id = std::process::id() % 10_000;
        let (name, cable) = (format!("onair{number}x{id}"), format!("oa{number}x{id}"));
        let (net, host) = (id / 250 + 40 * number, id % 250);
        let address = format!("10.{}.{host}.1", 100 + net % 100);
        let made = Self { name, cable, address };
        let (name, cable, ours) = (&made.name, &made.cable, &made.address);
        let theirs = format!("10.{}.{host}.2/24", 100 + net % 100);
        let ours = format!("{ours}/24");
        let inside = format!("{cable}i");
        let steps: [&[&str]; 7] = [
            &["netns", "add", name],
            &["link", "add", cable, "type", "veth", "peer", "name", &inside],
            &["link", "set", &inside, "netns", name],
            &["addr", "add", &ours, "dev", cable],
            &["link", "set", cable, "up"],
            &["-n", name, "addr", "add", &theirs, "dev", &inside],
            &["-n", name, "link", "set", &inside, "up"],
        ];
        if crate::peers::found("ip") && steps.iter().all(|words| ip(words)) {
            return Some(made);
        }
        crate::peers::skipped("network namespaces need root and the program ip");
        None
    }

    /// The name of the cable's end inside the namespace.
    #[allow(dead_code, reason = "not every test changes what is on it")]
    pub fn device(&self) -> String {
        format!("{}i", self.cable)
    }

    /// Takes the cable down, or brings it up again.
    pub fn set_up(&self, up: bool) {
        assert!(ip(&["link", "set", &self.cable, if up { "up" } else { "down" }]));
    }

    /// Limits the bitrate out of the namespace; returns whether the kernel can do this.
    pub fn limit(&self, rate: &str) -> bool {
        let inside = format!("{}i", self.cable);
        let tbf = ["tbf", "rate", rate, "burst", "16kb", "latency", "400ms"];
        let tc = "/usr/sbin/tc";
        let words = ["-n", &self.name, "qdisc", "replace", "dev", &inside, "root"];
        Command::new(tc).args(words).args(tbf).status().is_ok_and(|status| status.success())
    }
}

impl Drop for Elsewhere {
    fn drop(&mut self) {
        ip(&["link", "del", &self.cable]);
        ip(&["netns", "del", &self.name]);
    }
}

fn ip(words: &[&str]) -> bool {
    let quiet = std::process::Stdio::null;
    let done = Command::new("ip").args(words).stdout(quiet()).stderr(quiet()).status();
    done.is_ok_and(|status| status.success())
}

/// Interrupts `onair live`; returns how long it took to end.
pub fn ends_within(watched: &mut Watched, limit: Duration) -> Duration {
    let asked = Instant::now();
    watched.onair.peer.interrupt();
    watched.onair.peer.wait(limit);
    let took = asked.elapsed();
    watched.look(&[]);
    took
}
