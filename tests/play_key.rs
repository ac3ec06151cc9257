//! Tests of the play key and the host names of the studio's built-in server. ffmpeg plays the
//! streams, and the tests send HTTP requests too.

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::path::Path;

use crate::peers::client::Client;
use crate::peers::{self, LIMIT, Onair, Peer, wait_for};
use onair::audio::AudioChoice;
use onair::base::Clock;
use onair::capture::VideoChoice;
use onair::media::{BitsPerSecond, Size};
use onair::studio::targets::sharing::ServerReach;
use onair::studio::{Command, Config, Quality, Serve, Settings, Studio, Target};
use onair::wire::rtmp::client::{Config as ClientConfig, Event};
use onair::wire::rtmp::url::Url;

/// The status of a path, requested with this host name.
fn status(http: &str, path: &str, host: &str) -> u16 {
    let mut stream = TcpStream::connect(http.trim_start_matches("http://")).unwrap();
    stream.set_read_timeout(Some(LIMIT)).unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.split(' ').nth(1).and_then(|it| it.parse().ok()).unwrap_or_else(|| panic!("{answer}"))
}

/// Whether ffprobe can play a stream.
fn probes(url: &str) -> bool {
    let words = ["-v", "error", "-rw_timeout", "5000000", "-i", url];
    let mut probe = Peer::start("ffprobe", words);
    probe.wait(LIMIT).success()
}

#[test]
fn viewers_of_a_broadcast_need_the_key_of_its_file() {
    peers::require!("ffprobe");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("key");
    std::fs::write(&file, "Pl4nted-tulip\n").unwrap();
    let mut live = Onair::start(&[
        "live",
        "--built-in",
        "--video",
        "test",
        "--audio",
        "tone",
        "--size",
        "320x180",
        "--play-key-file",
        file.to_str().unwrap(),
        "--name",
        "Studio.Example",
        "--monitor",
    ]);
    let ready = live.wait_named("ready");
    for link in ["play", "hls", "flv", "whep", "watch"] {
        let link = ready[link].as_str().unwrap();
        assert!(link.ends_with("?key=***"), "{link}");
    }
    live.wait_event("the target", |event| event["event"] == "target" && event["state"] == "live");
    let play = ready["play"].as_str().unwrap().replace("?key=***", "");
    assert!(probes(&format!("{play}?key=Pl4nted-tulip")), "with the key");
    assert!(!probes(&play) && !probes(&format!("{play}?key=other")), "without it");
    let http = ready["http"].as_str().unwrap();
    for path in ["/live/onair.flv", "/live/onair.m3u8", "/live/onair/state", "/live/onair/chat"] {
        assert_eq!(status(http, path, "127.0.0.1"), 401, "{path}");
    }
    let state = "/live/onair/state?key=Pl4nted-tulip";
    for (host, wanted) in [("127.0.0.1", 200), ("studio.example:80", 200), ("evil.example", 421)] {
        assert_eq!(status(http, state, host), wanted, "{host}");
    }
    // The viewer monitor watches with onair's own key, not with the play key.
    live.wait_event("the viewers' stream", |event| {
        event["event"] == "monitor" && event["state"] == "ok"
    });
    live.peer.interrupt();
    live.peer.wait(LIMIT);
    let output = live.peer.output() + &live.peer.errors();
    assert!(!output.contains("Pl4nted"), "{output}");
}

fn start(keys: &Path, settings: Settings) -> Studio {
    let config = Config {
        keyring: false,
        keys_path: Some(keys.join("keys.toml")),
        settings_path: Some(keys.join("settings.toml")),
        serve: Serve::AtOnce,
        ..Config::new(Clock::start(), settings)
    };
    Studio::start(config).unwrap()
}

/// The key in the links, once it satisfies `wanted`.
fn key_of(studio: &Studio, wanted: impl Fn(&str) -> bool) -> String {
    let mut key = String::new();
    wait_for("the links", LIMIT, || {
        let server = studio.snapshot().server;
        key = server.links.rtmp.split_once("?key=").map_or("", |(_, key)| key).to_owned();
        let same = [&server.play_url, &server.links.page].iter().all(|it| it.ends_with(&key));
        server.is_running() && same && wanted(&key)
    });
    key
}

#[test]
fn a_new_key_disconnects_viewers_and_outlives_the_studio() {
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings {
        video: Some(VideoChoice::Test),
        audio: Some(AudioChoice::Tone),
        quality: Quality { size: Size::new(320, 180), ..Quality::default() },
        targets: vec![Target { enabled: true, ..Target::built_in() }],
        ..Settings::default()
    };
    let studio = start(folder.path(), settings);
    assert_eq!(key_of(&studio, str::is_empty), "");
    studio.send(Command::SetPlayKey(true));
    let first = key_of(&studio, |key| !key.is_empty());
    assert_eq!(first.len(), 32, "128 random bits");
    studio.send(Command::GoLive);
    wait_for("the broadcast", LIMIT, || {
        studio.snapshot().live == onair::studio::live::view::LiveState::OnAir
    });
    let play = |studio: &Studio| studio.snapshot().server.play_url;
    let mut viewer = Client::play(&play(&studio));
    viewer.wait("the stream", |event| matches!(event, Event::Video { .. }));
    studio.send(Command::NewPlayKey);
    let second = key_of(&studio, |key| !key.is_empty() && key != first);
    while viewer.next().is_some() {}
    let url = play(&studio);
    let old = Url::parse(&url.replace(&second, &first)).unwrap();
    let mut refused = Client::new(ClientConfig::play(old));
    while let Some(event) = refused.next() {
        assert!(!matches!(event, Event::PlayStarted), "the old key");
    }
    Client::play(&url).wait("the stream", |event| matches!(event, Event::Video { .. }));
    studio.end(LIMIT).unwrap();
    let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
    assert!(read("keys.toml").contains(&second) && !read("keys.toml").contains(&first));
    assert!(!read("settings.toml").contains(&second), "{}", read("settings.toml"));

    // The next start uses the same key.
    let (settings, warnings) = Settings::read(&folder.path().join("settings.toml"));
    assert!(warnings.is_empty() && settings.play_key, "{warnings:?}");
    let studio = start(folder.path(), settings);
    key_of(&studio, |key| key == second);
    studio.send(Command::SetPlayKey(false));
    key_of(&studio, str::is_empty);
    Client::play(&play(&studio));
    studio.end(LIMIT).unwrap();
    assert!(!read("keys.toml").contains(&second), "{}", read("keys.toml"));
}

#[test]
fn a_key_that_was_lost_lets_nobody_in() {
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings { play_key: true, ..Settings::default() };
    let studio = start(folder.path(), settings);
    let key = key_of(&studio, |key| !key.is_empty());
    let keys = folder.path().join("keys.toml");
    wait_for("a new key", LIMIT, || {
        let kept = std::fs::read_to_string(&keys).unwrap_or_default();
        let now = key_of(&studio, |key| !key.is_empty());
        kept.contains(&now)
    });
    assert_eq!(key.len(), 32);
    studio.end(LIMIT).unwrap();
}

#[test]
fn the_network_reaches_the_server_over_both_families() {
    let folder = tempfile::tempdir().unwrap();
    let reach = ServerReach { http: true, rtmp: true, ..ServerReach::default() };
    let studio = start(folder.path(), Settings { reach, ..Settings::default() });
    wait_for("the server", LIMIT, || studio.snapshot().server.is_running());
    let server = studio.snapshot().server;
    let port = server.http.rsplit_once(':').unwrap().1.parse::<u16>().unwrap();
    assert!(std::net::TcpStream::connect(("127.0.0.1", port)).is_ok());
    // A computer may lack IPv6.
    if std::net::TcpListener::bind("[::1]:0").is_ok() {
        assert!(std::net::TcpStream::connect(("::1", port)).is_ok());
    }
    assert!(server.networks.iter().all(|it| it.http && it.rtmp), "{:?}", server.networks);
    // Publishing needs no key, so only this computer may publish.
    let port = server.rtmp.rsplit_once(':').unwrap().1.to_owned();
    let may_publish = |ip: IpAddr| {
        let host = SocketAddr::new(ip, port.parse().unwrap());
        let url = Url::parse(&format!("rtmp://{host}/live/other")).unwrap();
        let mut client = Client::new(ClientConfig::publish(url, BitsPerSecond(1_000_000)));
        std::iter::from_fn(|| client.next()).any(|event| event == Event::PublishStarted)
    };
    assert!(may_publish(Ipv4Addr::LOCALHOST.into()));
    // An application on this computer that uses a network address is treated like one on another
    // computer.
    for network in server.networks.iter().filter(|it| it.ip.is_ipv4()) {
        assert!(!may_publish(network.ip), "{}", network.ip);
    }
    studio.end(LIMIT).unwrap();
}
