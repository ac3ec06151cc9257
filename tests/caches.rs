//! Tests of the files in `packaging/cluster`, each with the program that it configures: nginx and
//! Varnish as HLS caches that send the origin one request per object, nginx-rtmp and onair as
//! edges, and HAProxy in front of the servers.

mod counter;
mod crowd;

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::Instant;

use serde_json::Value;
use tempfile::TempDir;

use crate::caches::counter::Counter;
use crate::caches::crowd::{check_crowd, check_restricted};
use crate::peers::{self, LIMIT, Onair, Peer, ffmpeg, free_port, wait_for, wait_listening, web};
use crate::viewer_page::chromium::Chromium;
use onair::wire::hls::{Media, Playlist, parse};

/// Viewers at the same time, and the number of parts that each of them awaits.
const VIEWERS: usize = 60;
const PARTS: usize = 8;
/// The most requests per object at the origin.
const MAX_REQUESTS: f64 = 1.05;

/// A configuration file of `packaging/cluster` with other addresses, in its own folder.
struct Configuration {
    folder: TempDir,
    file: PathBuf,
}

impl Configuration {
    fn new(name: &str, changes: &[(&str, String)]) -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging/cluster").join(name);
        let mut text = fs::read_to_string(path).unwrap();
        for (from, to) in changes {
            assert!(text.contains(from), "{name}: {from}");
            text = text.replace(from, to);
        }
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(name);
        fs::write(&file, text).unwrap();
        Self { folder, file }
    }

    /// Starts nginx with these lines before and after `events`.
    fn nginx(&self, port: u16, before: &str, after: &str) -> Peer {
        let at = self.folder.path().display();
        let config = format!(
            "{before} daemon off; master_process off; user root; pid {at}/pid; error_log stderr info;
             events {{ worker_connections 4096; }} {after}"
        );
        let main = self.folder.path().join("nginx.conf");
        fs::write(&main, config).unwrap();
        let (nginx, _) = peers::nginx::program().expect("nginx");
        let mut command = Command::new(nginx);
        command.args(["-e", "stderr", "-p"]).arg(self.folder.path()).arg("-c").arg(&main);
        let mut peer = Peer::start_command(&mut command);
        wait_listening(&mut peer, port);
        peer
    }
}

/// Body of a GET, which must succeed.
#[track_caller]
fn body(port: u16, path: &str) -> Vec<u8> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
    stream.set_read_timeout(Some(LIMIT)).unwrap();
    let request = format!("GET {path} HTTP/1.0\r\nHost: cache.example\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n").expect("a head") + 4;
    let head = String::from_utf8_lossy(&answer[..end]);
    assert!(head.split(' ').nth(1) == Some("200"), "{path}: {head}");
    answer.split_off(end)
}

fn media(body: &[u8]) -> Media {
    match parse(body) {
        Ok(Playlist::Media(media)) => media,
        other => panic!("{other:?} of {}", String::from_utf8_lossy(body)),
    }
}

/// Plays as a low-latency player does; returns the bodies that it got, by path.
fn watch(port: u16, hints_first: bool) -> HashMap<String, Vec<u8>> {
    const LIST: &str = "/live/show/hls/main.m3u8";
    let mut got = HashMap::new();
    let mut list = media(&body(port, LIST));
    for _ in 0..PARTS {
        let hint = format!("/live/show/hls/{}", list.hint.as_ref().expect("a hint").uri);
        let (number, part) = (list.end(), list.pending.len());
        let next = format!("{LIST}?_HLS_msn={number}&_HLS_part={part}");
        let paths = if hints_first { [&hint, &next] } else { [&next, &hint] };
        for path in paths {
            got.insert(path.clone(), body(port, path));
        }
        list = media(&got[&next]);
    }
    got
}

/// The address of a client before the cache. onair refuses it in the application `near`.
const FAR_CLIENT: &str = "203.0.113.5";

/// The path of a recording.
const RECORDING: &str = "/vod/live-show%202026-11-25%2018-00-00.mp4";

/// A server behind a cache, with the streams `live/show` and `near/show`, and a recording.
struct Origin {
    onair: Onair,
    http: u16,
    _publishers: [Peer; 2],
    _folder: TempDir,
}

impl Origin {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("serve.toml");
        let recordings = folder.path().join("recordings");
        fs::create_dir(&recordings).unwrap();
        let recording = recordings.join("live-show 2026-11-25 18-00-00.mp4");
        ffmpeg::make(&recording, "320x180", "1", &[]);
        let text = format!(
            "rtmp = \"127.0.0.1:0\"\nhttp = \"127.0.0.1:0\"\nwebrtc = \"127.0.0.1:0\"\n\
             hls = \"always\"\nname = [\"cache.example\"]\ntrusted_proxies = [\"127.0.0.1\"]\n\
             record = {recordings:?}\n[app.near.play]\nallow = [\"127.0.0.0/8\"]\n"
        );
        fs::write(&config, text).unwrap();
        let mut onair = Onair::start(&["serve", "--config", config.to_str().unwrap()]);
        let ready = onair.wait_named("ready");
        let field = |name: &str| ready[name].as_str().unwrap().to_owned();
        let (rtmp, http) = (field("rtmp"), field("http"));
        let http = http.trim_start_matches("http://");
        let publishers =
            ["live", "near"].map(|app| ffmpeg::publish(&format!("{rtmp}/{app}/show"), None));
        for app in ["live", "near"] {
            wait_for("a segment", LIMIT, || {
                let list = format!("/{app}/show/hls/main.m3u8");
                web::ask(http, "GET", &list).contains("#EXTINF")
            });
        }
        let http = http.rsplit(':').next().unwrap().parse().unwrap();
        Self { onair, http, _publishers: publishers, _folder: folder }
    }
}

/// Many viewers behind a cache get the same bytes, and cause one request per object.
#[track_caller]
fn check_collapse(name: &str, port: u16, counter: &Counter) {
    counter.requests.lock().clear();
    let got: Vec<_> = thread::scope(|scope| {
        let viewers: Vec<_> =
            (0..VIEWERS).map(|viewer| scope.spawn(move || watch(port, viewer % 2 == 0))).collect();
        viewers.into_iter().map(|viewer| viewer.join().expect("a viewer")).collect()
    });
    let mut first: HashMap<&String, &Vec<u8>> = HashMap::new();
    for (path, body) in got.iter().flatten() {
        assert_eq!(*first.entry(path).or_insert(body), body, "{path} differs");
    }
    let asked: usize = got.iter().map(HashMap::len).sum();
    let requests = counter.requests.lock();
    let objects = requests.iter().filter(|(path, _)| first.contains_key(path));
    let (count, total) = objects.fold((0, 0), |(count, total), (_, n)| (count + 1, total + n));
    assert_eq!(count, first.len(), "every object comes from the origin");
    let ratio = f64::from(total) / f64::from(u32::try_from(count).unwrap());
    println!("{name}: {asked} requests for {count} objects, {total} at the origin: {ratio:.3}");
    assert!(ratio <= MAX_REQUESTS, "{ratio}: {requests:?}");
    assert!(asked > count * VIEWERS / 4, "{asked} requests for {count} objects");
}

/// A cache serves no page of the operator, and stores no response for one viewer.
#[track_caller]
fn check_private(port: u16, counter: &Counter) {
    let ask = |path: &str| web::ask(("127.0.0.1", port), "GET", path);
    let files = ["/recordings/a.flv", "/recordings/a.mp4", "/api/v1/streams/live/a.ts"];
    for path in ["/", "/?x", "/metrics", "/api/v1/streams"].into_iter().chain(files) {
        assert!(ask(path).starts_with("HTTP/1.1 404"), "{path}");
    }
    let secret = "/live/show.m3u8?key=abc";
    for _ in 0..2 {
        assert!(ask(secret).contains("#EXTM3U"));
    }
    assert_eq!(counter.requests.lock().get(secret), Some(&2), "each asks the origin");
    assert!(ask("/watch/live/show").contains("<!doctype html>"));
    assert!(ask("/live/show/state").contains("\"live\":true"));
}

/// A request that follows a refused upgrade does not reach the operator's pages.
#[track_caller]
fn check_refused_upgrade(port: u16) {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
    stream.set_read_timeout(Some(LIMIT)).unwrap();
    let text = "GET /live/none.flv HTTP/1.1\r\nHost: cache.example\r\nConnection: Upgrade\r\n\
        Upgrade: websocket\r\n\r\n\
        GET /api/v1/viewers HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n";
    stream.write_all(text.as_bytes()).unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    let answer = String::from_utf8_lossy(&answer);
    assert!(answer.starts_with("HTTP/1.1 4"), "{answer}");
    assert!(!answer.contains("HTTP/1.1 200"), "{answer}");
}

/// Behind another proxy too, onair gets the address of the viewer. A cache sends nothing to an address that onair
/// refuses.
#[track_caller]
fn check_addresses(port: u16, origin: &Origin) {
    let from = format!("X-Forwarded-For: {FAR_CLIENT}\r\n");
    let list = "/near/show/hls/main.m3u8";
    let segment = format!("/near/show/hls/{}", media(&body(port, list)).segments[0].uri);
    for path in ["/near/show.m3u8", list, &segment, "/near/show.mpd", "/near/show/state"] {
        body(port, path);
        let refused = web::ask_with(("127.0.0.1", port), "GET", path, &from);
        assert!(refused.starts_with("HTTP/1.1 403"), "{path}: {refused}");
    }
    let mut viewer = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
    let request = format!("GET /live/show.flv HTTP/1.1\r\nHost: cache.example\r\n{from}\r\n");
    viewer.write_all(request.as_bytes()).unwrap();
    wait_for("the viewer", LIMIT, || {
        let is_viewer = |event: &Value| {
            event["event"] == "join" && event["peer"].as_str().unwrap().starts_with(FAR_CLIENT)
        };
        origin.onair.events().iter().any(is_viewer)
    });
}

/// The pages of all viewers cause about one request per second for the state of a stream.
#[track_caller]
fn check_state(port: u16, counter: &Counter) {
    const PATH: &str = "/live/show/state";
    counter.requests.lock().clear();
    let start = Instant::now();
    for _ in 0..50 {
        body(port, PATH);
    }
    let most = start.elapsed().as_secs() + 1;
    let requests = counter.requests.lock().get(PATH).copied().unwrap_or_default();
    assert!(u64::from(requests) <= most, "{requests}, at most {most}");
}

/// A player gets the byte range of a recording that it requests.
#[track_caller]
fn check_ranges(port: u16) {
    // The second request shows what the cache has learned from the first one.
    for range in ["0-99", "100-199"] {
        let field = format!("Range: bytes={range}\r\n");
        let answer = web::ask_with(("127.0.0.1", port), "GET", RECORDING, &field);
        assert!(answer.starts_with("HTTP/1.1 206"), "{answer}");
        let head = answer.to_ascii_lowercase();
        assert!(head.contains(&format!("content-range: bytes {range}/")), "{answer}");
    }
}

/// The answer for a path that only resembles a path of a stream replaces no object of the stream.
#[track_caller]
fn check_similar_paths(port: u16) {
    let ask = |path: &str| web::ask(("127.0.0.1", port), "GET", path);
    // This is the stream `show` of the application `live/`, which nobody publishes.
    let list = ask("/live//show/hls/main.m3u8");
    assert!(list.starts_with("HTTP/1.1 404"), "{list}");
    assert!(ask("/live/show/hls/main.m3u8").contains("#EXTM3U"));
    assert!(ask("/live//show/state").contains("\"live\":false"));
    assert!(ask("/live/show/state").contains("\"live\":true"));
}

/// Sends a request as a page at this host does; returns the status, and the response without its head.
fn ask_as(port: u16, host: &str, request: &str, fields: &str) -> (u16, String) {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
    stream.set_read_timeout(Some(LIMIT)).unwrap();
    stream.write_all(format!("{request}\r\nHost: {host}\r\n{fields}\r\n").as_bytes()).unwrap();
    let (mut answer, mut buffer) = (Vec::new(), vec![0; 64 << 10]);
    // A WebSocket stays open.
    while !answer.starts_with(b"HTTP/1.1 101") {
        let length = stream.read(&mut buffer).unwrap();
        if length == 0 {
            break;
        }
        answer.extend_from_slice(&buffer[..length]);
    }
    let answer = String::from_utf8_lossy(&answer);
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

/// The viewer page, all its files, its chat and its streams open through a cache, with the headers that a browser
/// sends. Pages at other names or of other origins get nothing from onair.
#[track_caller]
fn check_page(port: u16) {
    let host = format!("cache.example:{port}");
    let origin = format!("Origin: http://{host}\r\nSec-Fetch-Site: same-origin\r\n");
    let get =
        |path: &str, fields: &str| ask_as(port, &host, &format!("GET {path} HTTP/1.0"), fields);
    let link = "Sec-Fetch-Site: none\r\nSec-Fetch-Mode: navigate\r\n";
    let (status, page) = get("/watch/live/show", link);
    assert_eq!(status, 200, "{page}");
    let files = |text: &str| -> Vec<String> {
        let quoted = text.split(['"', '\'']);
        quoted.filter(|it| it.starts_with("/assets/")).map(str::to_owned).collect()
    };
    let (mut open, mut seen) = (files(&page), BTreeSet::new());
    while let Some(path) = open.pop() {
        if seen.insert(path.clone()) {
            let (status, text) = get(&path, &format!("{origin}Sec-Fetch-Mode: cors\r\n"));
            assert_eq!(status, 200, "{path}: {text}");
            open.extend(files(&text));
        }
    }
    for file in ["watch.js", "whep.js", "latin-400.otf"] {
        assert!(seen.contains(&format!("/assets/{file}")), "{file}: {seen:?}");
    }
    for path in ["/live/show/state", "/live/show/code.svg", "/live/show.m3u8"] {
        assert_eq!(get(path, &origin).0, 200, "{path}");
    }
    let offer = format!("{origin}Content-Type: application/sdp\r\nContent-Length: 3\r\n\r\nv=0");
    let (status, text) = ask_as(port, &host, "POST /live/show/whep HTTP/1.0", &offer);
    assert_eq!(status, 422, "onair reads the offer: {text}");
    let upgrade = format!(
        "{origin}Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    );
    for path in ["/live/show/chat", "/live/show.flv"] {
        let (status, text) = ask_as(port, &host, &format!("GET {path} HTTP/1.1"), &upgrade);
        assert_eq!(status, 101, "{path}: {text}");
    }
    let foreign = "Origin: http://elsewhere.example\r\nSec-Fetch-Site: cross-site\r\n";
    assert_eq!(get("/assets/watch.js", foreign).0, 403);
    let request = "GET /watch/live/show HTTP/1.0";
    assert_eq!(ask_as(port, "elsewhere.example", request, link).0, 421, "DNS rebinding");
}

/// Chromium plays through a cache, over WebRTC and over low-latency HLS.
#[track_caller]
fn check_browser(port: u16) {
    if peers::missing(&["chromium"]) {
        return;
    }
    let browser = Chromium::start("en");
    for protocol in ["whep", "hls"] {
        let url = format!("http://127.0.0.1:{port}/watch/live/show?protocol={protocol}");
        let page = browser.open(&url, "");
        page.wait(&format!("document.documentElement.dataset.protocol === '{protocol}'"));
        page.wait(
            "document.getElementById('video').getVideoPlaybackQuality().totalVideoFrames > 20",
        );
    }
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

#[test]
fn nginx_asks_once_for_all_viewers() {
    peers::require!("ffmpeg", "nginx");
    let origin = Origin::start();
    let (counter, port) = (Counter::start(origin.http), free_port());
    let folder = tempfile::tempdir().unwrap();
    let configuration = Configuration::new(
        "nginx-cache.conf",
        &[
            ("127.0.0.1:8088", format!("127.0.0.1:{}", counter.port)),
            ("127.0.0.1:8080", format!("127.0.0.1:{port}")),
            ("/var/cache/nginx", folder.path().display().to_string()),
            ("# \"~^/(vod/)?near[-/]\"", "\"~^/(vod/)?near[-/]\"".to_owned()),
        ],
    );
    let at = configuration.folder.path().display().to_string();
    let http = format!(
        "http {{ access_log off; client_body_temp_path {at}/body; proxy_temp_path {at}/proxy;
         fastcgi_temp_path {at}/fastcgi; uwsgi_temp_path {at}/uwsgi; scgi_temp_path {at}/scgi;
         include {file}; }}",
        file = configuration.file.display()
    );
    let _nginx = configuration.nginx(port, "", &http);
    check_collapse("nginx", port, &counter);
    check_crowd(port, &counter);
    check_restricted(port, &counter);
    check_private(port, &counter);
    check_refused_upgrade(port);
    check_state(port, &counter);
    check_similar_paths(port);
    check_addresses(port, &origin);
    check_ranges(port);
    check_page(port);
    check_browser(port);
}

#[test]
fn varnish_asks_once_for_all_viewers() {
    peers::require!("ffmpeg", "varnishd");
    let origin = Origin::start();
    let (counter, port) = (Counter::start(origin.http), free_port());
    let configuration =
        Configuration::new("varnish.vcl", &[("\"8088\"", format!("\"{}\"", counter.port))]);
    let mut command = Command::new(peers::on_path("varnishd").unwrap());
    command.args([
        "-F",
        "-j",
        "none",
        "-s",
        "malloc,64m",
        "-a",
        &format!("127.0.0.1:{port}"),
        "-n",
    ]);
    command.arg(configuration.folder.path().join("work")).arg("-f").arg(&configuration.file);
    let mut varnish = Peer::start_command(&mut command);
    wait_listening(&mut varnish, port);
    check_collapse("Varnish", port, &counter);
    check_private(port, &counter);
    check_refused_upgrade(port);
    check_state(port, &counter);
    check_similar_paths(port);
    check_addresses(port, &origin);
    check_ranges(port);
    check_page(port);
}

#[test]
fn nginx_rtmp_is_an_edge_of_it() {
    peers::require!("ffmpeg", "ffprobe", "nginx");
    let mut onair = Onair::start(&["serve", "--rtmp", "127.0.0.1:0", "--http", "none"]);
    let rtmp = onair.wait_named("ready")["rtmp"].as_str().unwrap().to_owned();
    let _publisher = ffmpeg::publish(&format!("{rtmp}/live/show"), None);
    let port = free_port();
    let configuration = Configuration::new(
        "nginx-rtmp-edge.conf",
        &[("127.0.0.1:1935", format!("127.0.0.1:{port}")), ("rtmp://127.0.0.1:1936", rtmp)],
    );
    let (_, module) = peers::nginx::program().unwrap();
    let module = format!("load_module {};", module.display());
    let include = format!("include {};", configuration.file.display());
    let _nginx = configuration.nginx(port, &module, &include);
    let file = configuration.folder.path().join("received.flv");
    ffmpeg::play(&format!("rtmp://127.0.0.1:{port}/live/show"), 2, &file).wait_success(LIMIT);
    assert_eq!(ffmpeg::decode(&file), "");
}

/// Publishers, viewers and browsers reach a cluster of two origins and two edges at one address.
#[test]
fn haproxy_leads_to_servers_that_live() {
    peers::require!("ffmpeg", "ffprobe", "haproxy");
    let ports: [u16; 11] = std::array::from_fn(|_| free_port());
    let [publish, play, site, first, second, first_web, second_web, one, two, one_web, two_web] =
        ports;
    let address = |port: u16| format!("127.0.0.1:{port}");
    let mut origins = [(first, first_web), (second, second_web)].map(|(rtmp, http)| {
        let (rtmp, http) = (address(rtmp), address(http));
        let mut onair =
            Onair::start(&["serve", "--webrtc", "none", "--rtmp", &rtmp, "--http", &http]);
        onair.wait_named("ready");
        onair
    });
    let edges = [(one, one_web), (two, two_web)].map(|(rtmp, http)| {
        let edge = Configuration::new(
            "onair-edge.toml",
            &[
                ("127.0.0.1:1935", address(rtmp)),
                ("127.0.0.1:8088", address(http)),
                ("127.0.0.1:1936", address(first)),
                ("127.0.0.1:1937", address(second)),
            ],
        );
        // The stream of this test uses up the streams of an edge, which still serves it.
        let config = edge.file.to_str().unwrap();
        let flags = ["serve", "--webrtc", "none", "--max-streams", "1", "--config", config];
        let mut onair = Onair::start(&flags);
        onair.wait_named("ready");
        (onair, edge)
    });
    let configuration = Configuration::new(
        "haproxy.cfg",
        &[
            ("127.0.0.1:1935", address(publish)),
            ("127.0.0.1:1945", address(play)),
            ("127.0.0.1:8000", address(site)),
            ("127.0.0.1:1936", address(first)),
            ("127.0.0.1:1937", address(second)),
            ("127.0.0.1:1946", address(one)),
            ("127.0.0.1:1947", address(two)),
            ("127.0.0.1:8080", address(one_web)),
            ("127.0.0.1:8081", address(two_web)),
            ("port 8088", format!("port {first_web}")),
            ("port 8089", format!("port {second_web}")),
            ("port 8090", format!("port {one_web}")),
            ("port 8091", format!("port {two_web}")),
        ],
    );
    let mut command = Command::new(peers::on_path("haproxy").unwrap());
    let mut haproxy = Peer::start_command(command.arg("-db").arg("-f").arg(&configuration.file));
    for port in [publish, play, site] {
        wait_listening(&mut haproxy, port);
    }
    let published = |onair: &Onair| {
        let is_publish = |event: &&Value| event["event"] == "publish";
        onair.events().iter().filter(is_publish).count()
    };
    let watched = || {
        let file = configuration.folder.path().join("received.flv");
        let url = format!("rtmp://127.0.0.1:{play}/live/show");
        ffmpeg::play(&url, 2, &file).wait_success(LIMIT);
        assert_eq!(ffmpeg::decode(&file), "");
    };
    let source = format!("rtmp://127.0.0.1:{publish}/live/show");
    let mut publisher = ffmpeg::publish(&source, None);
    wait_for("the stream at the first origin", LIMIT, || published(&origins[0]) == 1);
    watched();
    watched();
    let seen: Vec<_> = edges.iter().map(|(edge, _)| published(edge)).collect();
    assert_eq!(seen.iter().sum::<usize>(), seen.len(), "both edges, once each: {seen:?}");
    for port in [one_web, two_web] {
        let ready = web::ask(("127.0.0.1", port), "GET", "/readyz");
        assert!(ready.contains("\"full\":[\"streams\"]"), "{ready}");
    }
    let list = web::ask(("127.0.0.1", site), "GET", "/live/show.m3u8");
    assert!(list.contains("#EXTM3U"), "{list}");

    // An origin that is being replaced keeps its publisher, and gets no others.
    origins[0].peer.signal("USR1");
    let other = format!("rtmp://127.0.0.1:{publish}/live/other");
    let mut late = ffmpeg::publish(&other, None);
    wait_for("another stream at the second origin", LIMIT, || {
        if late.status().is_some() {
            late = ffmpeg::publish(&other, None);
        }
        published(&origins[1]) == 1
    });
    assert!(publisher.status().is_none());

    origins[0].peer.kill();
    wait_for("the end of the publisher", LIMIT, || publisher.status().is_some());
    let _publisher = ffmpeg::publish(&source, None);
    wait_for("the stream at the second origin", LIMIT, || published(&origins[1]) == 2);
    watched();
}

#[test]
fn files_for_programs_that_are_not_here_are_well_formed() {
    let srs = Configuration::new("srs-edge.conf", &[]);
    let text = fs::read_to_string(&srs.file).unwrap();
    // The grammar of SRS: `name arguments;` or `name arguments { … }`, with comments that run to
    // the end of the line.
    let known = [
        "listen",
        "max_connections",
        "daemon",
        "srs_log_tank",
        "http_server",
        "enabled",
        "vhost",
        "cluster",
        "mode",
        "origin",
        "token_traverse",
        "http_remux",
        "mount",
    ];
    let bare: Vec<_> = text.lines().map(|line| line.split('#').next().unwrap()).collect();
    let (mut depth, mut statement) = (0, String::new());
    for letter in bare.join("\n").chars() {
        match letter {
            ';' | '{' => {
                let name = statement.split_whitespace().next().expect("a name").to_owned();
                assert!(known.contains(&name.as_str()), "{name}");
                statement.clear();
                depth += i32::from(letter == '{');
            }
            '}' => {
                assert!(statement.trim().is_empty(), "{statement}");
                depth -= 1;
            }
            // Names such as [app] are written in square brackets, so no argument contains a brace.
            other => statement.push(other),
        }
        assert!(depth >= 0, "too many braces");
    }
    assert!(depth == 0 && statement.trim().is_empty(), "{depth} {statement}");

    let policy = Configuration::new("cloudfront-cache-policy.json", &[]);
    let policy: Value = serde_json::from_slice(&fs::read(&policy.file).unwrap()).unwrap();
    let key = &policy["ParametersInCacheKeyAndForwardedToOrigin"];
    let queries = &key["QueryStringsConfig"]["QueryStrings"];
    let items = queries["Items"].as_array().unwrap();
    assert_eq!(queries["Quantity"], items.len());
    for argument in ["_HLS_msn", "_HLS_part", "_HLS_skip"] {
        assert!(items.contains(&argument.into()), "{argument}");
    }
    assert!(policy["MinTTL"] == 0, "plain playlists change every second");
}
