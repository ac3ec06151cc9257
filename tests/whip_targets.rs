//! Tests of targets by WHIP: the built-in server and aiortc receive, and ffmpeg and onair's player check what arrives.

mod codecs;
mod older_players;
mod restart;
mod simulcast;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::path::Path;
use std::process::Command;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::peers::{self, LIMIT, Onair, Peer, ffmpeg};
use crate::whep::relay::{Network, Relay};
use crate::whep::{Running, start_with};
use onair::base::Secret;
use onair::server::Protocol;

const SERVER: &str = include_str!("whip_targets/serve.py");

/// Starts a broadcast of the test pattern to this address, with this token in the environment.
fn live(url: &str, token: &str, more: &[&str]) -> Onair {
    let mut words = vec!["live", "--video", "test", "--audio", "tone", "--size", "640x360"];
    words.extend(["--video-bitrate", "1500k", "--to", url]);
    if !token.is_empty() {
        words.extend(["--key-env", "WHIP_TOKEN"]);
    }
    words.extend(more);
    Onair::start_with(&words, &[("WHIP_TOKEN", token)])
}

/// The address of the built-in server's endpoint.
fn endpoint(running: &Running) -> String {
    format!("whip://{}/live/show/whip", running.http())
}

/// A server with aiortc.
struct AioServer {
    peer: Peer,
    port: u64,
}

impl AioServer {
    fn start(python: &Path, token: &str, redirect: Option<u64>) -> Self {
        let mut command = Command::new(python);
        command.args(["-c", SERVER, token]);
        command.args(redirect.map(|port| port.to_string()));
        let mut peer = Peer::start_command(&mut command);
        peer.wait_until("the port of aiortc", LIMIT, |peer| !peer.output().is_empty());
        let port = serde_json::from_str::<Value>(peer.output().lines().next().unwrap()).unwrap();
        Self { peer, port: port["port"].as_u64().unwrap() }
    }

    fn url(&self) -> String {
        format!("whip://127.0.0.1:{}/x/whip", self.port)
    }

    /// Returns what happened, once the session has ended.
    fn report(&mut self) -> Value {
        self.peer.wait_success(LIMIT);
        serde_json::from_str(self.peer.output().lines().last().unwrap()).unwrap()
    }
}

/// Returns the stages of the first target, in order.
fn stages(events: &[Value]) -> Vec<String> {
    let its = events.iter().filter(|event| event["event"] == "target");
    let mut stages: Vec<String> =
        its.filter_map(|event| event["stage"].as_str().map(str::to_owned)).collect();
    stages.dedup();
    stages
}

#[test]
fn the_built_in_server_receives_a_whip_target_in_sync_and_serves_it_by_rtmp() {
    peers::in_real_time!(the_built_in_server_receives_a_whip_target_in_sync_and_serves_it_by_rtmp);
    peers::require!("ffmpeg", "ffprobe");
    let Some(program) = peers::fetched("ONAIR_FFMPEG") else { return };
    let running = start_with(|config| config.publish_keys = vec![Secret::new("planted-token")]);
    let mut onair = live(&endpoint(&running), "planted-token", &[]);
    onair.wait_event("a live target", |event| event["state"] == "live");
    let publisher = || running.server.streams().into_iter().find_map(|it| it.publisher);
    peers::wait_for("both tracks", LIMIT, || {
        publisher().is_some_and(|it| it.video.is_some() && it.audio.is_some())
    });
    assert_eq!(publisher().unwrap().protocol, Protocol::Whip);
    let play = format!("rtmp://{}/live/show", running.server.addresses().rtmp);
    let mut player = Onair::start(&["play", "--headless", "--measure", "--mute", &play]);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("received.mkv");
    let mut command = Command::new(program);
    command.args(["-hide_banner", "-nostdin", "-v", "warning", "-xerror", "-i", &play, "-t", "4"]);
    let mut saved = Peer::start_command(command.args(["-c", "copy"]).arg(&file));
    saved.wait_success(LIMIT);
    // The buffer of the player fills in the first second.
    player.wait_event("lip sync within 20 ms", |event| {
        event["av_offset_ms"].as_f64().is_some_and(|offset| offset.abs() < 20.0)
    });
    player.stop(LIMIT);
    let asked = Instant::now();
    assert_eq!(onair.stop(LIMIT).code(), Some(0), "{}", onair.peer.errors());
    assert!(asked.elapsed() < Duration::from_secs(5), "{:?}", asked.elapsed());
    peers::wait_for("the end of the stream", LIMIT, || publisher().is_none());
    let events = onair.events();
    assert_eq!(stages(&events), ["tcp", "request", "ice", "dtls", "media"]);
    let text = format!("{} {}", onair.peer.output(), onair.peer.errors());
    assert!(!text.contains("planted-token"), "the token is shown");
    let target = events.iter().find(|event| event["state"] == "live").unwrap();
    assert_eq!(target["protocol"], "whip");
    let probe = ffmpeg::probe(&file);
    assert_eq!((probe.warnings.as_str(), ffmpeg::decode(&file).as_str()), ("", ""));
    assert_eq!(probe.stream("video")["codec_name"], "h264");
    // ffmpeg does not declare over RTMP that it takes Opus.
    assert_eq!(probe.stream("audio")["codec_name"], "aac");
    assert!(probe.packets("video").len() > 60 && probe.packets("audio").len() > 100);
}

#[test]
fn aiortc_receives_every_frame_and_the_end_of_the_session() {
    peers::in_real_time!(aiortc_receives_every_frame_and_the_end_of_the_session);
    let Some(python) = peers::fetched("ONAIR_AIORTC") else { return };
    let mut server = AioServer::start(&python, "sesame", None);
    let mut onair = live(&server.url(), "sesame", &["--duration", "6s"]);
    assert_eq!(onair.peer.wait(LIMIT).code(), Some(0), "{}", onair.peer.errors());
    let told = server.report();
    assert!(told["video"].as_u64() > Some(100) && told["audio"].as_u64() > Some(200), "{told}");
    assert_eq!(told["sizes"], serde_json::json!([[640, 360]]));
    let events = onair.events();
    let sent = events.iter().rev().find_map(|it| it["targets"][0]["sent_frames"].as_u64());
    // The last frames may still be in the jitter buffer.
    assert!(told["video"].as_u64().unwrap() + 3 >= sent.unwrap(), "of {sent:?}: {told}");
    assert!(told["loud"].as_u64() > Some(3_000), "the tone is heard: {told}");
    let only = |token: &str| told["tokens"].as_array().unwrap().iter().all(|it| it == token);
    assert!(told["offers"] == 1 && only("sesame"), "{told}");
    assert!(told["deleted"].is_number(), "{told}");
}

#[test]
fn a_redirect_to_another_server_gets_no_token_and_is_reported() {
    let Some(python) = peers::fetched("ONAIR_AIORTC") else { return };
    let away = AioServer::start(&python, "sesame", None);
    let first = AioServer::start(&python, "sesame", Some(away.port));
    let mut onair = live(&first.url(), "sesame", &["--duration", "20s"]);
    // The other server wants the token, too.
    assert_eq!(onair.peer.wait(LIMIT).code(), Some(7), "{}", onair.peer.errors());
    let events = onair.events();
    let told = |event: &Value, words: &[&str]| {
        let text = event.to_string();
        words.iter().all(|word| text.contains(word))
    };
    let redirect = format!("127.0.0.1:{}", away.port);
    assert!(
        events.iter().any(|it| told(it, &[&redirect, "redirected-without-login"])),
        "{events:?}"
    );
    assert!(events.iter().any(|it| told(it, &["failed", "the token is wrong"])), "{events:?}");
}

/// Answers every request with this status line and these fields.
fn answering(answer: &'static str) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        while let Ok((mut socket, _)) = listener.accept() {
            read_request(&mut socket);
            let end = if answer.contains("\r\n\r\n") { "" } else { "\r\n\r\n" };
            let _ = socket.write_all(format!("HTTP/1.1 {answer}{end}").as_bytes());
        }
    });
    port
}

#[test]
fn refusals_end_the_attempts_or_not_with_a_reason() {
    for (answer, code, words) in [
        ("401 x\r\nContent-Length: 0", Some(7), "not authorized"),
        ("404 x\r\nContent-Length: 0", Some(7), "no WHIP endpoint"),
        ("422 x\r\nContent-Length: 10\r\n\r\nNo H.264!!", Some(7), "No H.264!!"),
        ("201 x\r\nContent-Length: 5\r\n\r\nhello", Some(6), "no SDP"),
        ("307 x\r\nLocation: ftp://h/x\r\nContent-Length: 0", Some(6), "redirects"),
    ] {
        let url = format!("whip://127.0.0.1:{}/live/a/whip", answering(answer));
        let mut onair = live(&url, "", &["--retry-for", "2s", "--duration", "30s"]);
        assert_eq!(onair.peer.wait(LIMIT).code(), code, "{answer}: {}", onair.peer.errors());
        let failed = onair.events().into_iter().rfind(|it| it["state"] == "failed").unwrap();
        assert!(failed.to_string().contains(words), "{failed}");
        assert_eq!(failed["stage"], "request", "{failed}");
    }
}

/// Reads a request, and returns its body.
fn read_request(socket: &mut TcpStream) -> String {
    read_request_with_head(socket).expect("the request is whole").1
}

/// Reads a request, and returns its head and its body. Returns `None` if it is cut off.
fn read_request_with_head(socket: &mut TcpStream) -> Option<(String, String)> {
    let (mut request, mut piece) = (String::new(), [0; 4_096]);
    loop {
        if let Some((head, body)) = request.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: "));
            if body.len() >= length.map_or(0, |length| length.parse().unwrap()) {
                return Some((head.to_owned(), body.to_owned()));
            }
        }
        let length = socket.read(&mut piece).ok().filter(|length| *length > 0)?;
        request.push_str(std::str::from_utf8(&piece[..length]).unwrap());
    }
}

/// Makes an answer with this candidate, behind which nobody is.
fn answer(offer: &str, candidate: SocketAddr) -> String {
    let mut answer = String::new();
    for line in offer.lines() {
        let line = match line {
            "a=sendonly" => "a=recvonly".to_owned(),
            _ if line.starts_with("a=setup:") => "a=setup:passive".to_owned(),
            _ if line.starts_with("a=ice-ufrag:") => "a=ice-ufrag:theirs12".to_owned(),
            _ if line.starts_with("a=ice-pwd:") => format!("a=ice-pwd:{}", "p".repeat(24)),
            _ if line.starts_with("a=fingerprint:") => {
                format!("a=fingerprint:sha-256 {}", ["AB"; 32].join(":"))
            }
            _ if line.starts_with("a=mid:") => {
                let (ip, port) = (candidate.ip(), candidate.port());
                format!("{line}\r\na=candidate:1 1 udp 2130706431 {ip} {port} typ host")
            }
            _ => line.to_owned(),
        };
        let is_left_out = ["a=ssrc", "a=msid", "a=candidate:127", "a=end-of"];
        if !is_left_out.iter().any(|begin| line.starts_with(begin)) {
            answer.push_str(&line);
            answer.push_str("\r\n");
        }
    }
    answer
}

#[test]
fn a_server_that_media_cannot_reach_is_named_and_a_stop_is_quick() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("whip://{}/live/a/whip", listener.local_addr().unwrap());
    // It takes datagrams, and answers none.
    let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
    let candidate = silent.local_addr().unwrap();
    let (sender, deleted) = mpsc::channel();
    thread::spawn(move || {
        while let Ok((mut socket, _)) = listener.accept() {
            let offer = read_request(&mut socket);
            if offer.is_empty() {
                let _ = sender.send(());
                let _ = socket.write_all(b"HTTP/1.1 200 x\r\nContent-Length: 0\r\n\r\n");
                continue;
            }
            let sdp = answer(&offer, candidate);
            let length = sdp.len();
            let head = "HTTP/1.1 201 x\r\nLocation: /session\r\nContent-Type: application/sdp";
            let _ = write!(socket, "{head}\r\nContent-Length: {length}\r\n\r\n{sdp}");
        }
    });
    let mut onair = live(&url, "", &["--retry-for", "5s"]);
    let failed = onair.wait_event("a failed attempt", |event| event["cause"].is_string());
    assert_eq!(failed["stage"], "ice", "{failed}");
    assert!(failed["advice"].as_str().unwrap().contains("UDP"), "{failed}");
    // The server keeps no session of a failed attempt.
    deleted.recv_timeout(LIMIT).unwrap();
    assert_eq!(onair.peer.wait(LIMIT).code(), Some(6), "{}", onair.peer.errors());
    let mut onair = live(&url, "", &[]);
    onair.wait_event("the search for a path", |event| event["stage"] == "ice");
    let asked = Instant::now();
    onair.stop(LIMIT);
    assert!(asked.elapsed() < Duration::from_secs(4), "{:?}", asked.elapsed());
}

/// Passes requests on to the built-in server, whose media then goes through a relay.
fn behind(running: &Running, network: Network) -> (Relay, String) {
    let webrtc = running.server.addresses().webrtc.unwrap();
    let relay = Relay::start(webrtc, network);
    let (own, other) = (format!(" {} typ", webrtc.port()), format!(" {} typ", relay.port));
    assert_eq!(own.len(), other.len(), "the length of the answer stays");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("whip://{}/live/show/whip", listener.local_addr().unwrap());
    let http = running.http();
    thread::spawn(move || {
        while let Ok((mut socket, _)) = listener.accept() {
            let mut server = TcpStream::connect(http).unwrap();
            let mut back = socket.try_clone().unwrap();
            let mut from_server = server.try_clone().unwrap();
            let (own, other) = (own.clone(), other.clone());
            thread::spawn(move || {
                let (mut whole, mut piece) = (String::new(), [0; 8_192]);
                while let Ok(length @ 1..) = from_server.read(&mut piece) {
                    whole.push_str(std::str::from_utf8(&piece[..length]).unwrap());
                    let Some((head, body)) = whole.split_once("\r\n\r\n") else { continue };
                    let length = head.lines().find_map(|it| it.strip_prefix("content-length: "));
                    if body.len() >= length.map_or(0, |length| length.parse().unwrap()) {
                        let _ = back.write_all(whole.replace(&own, &other).as_bytes());
                        whole.clear();
                    }
                }
            });
            thread::spawn(move || std::io::copy(&mut socket, &mut server));
        }
    });
    (relay, url)
}

#[test]
fn a_link_that_loses_five_percent_costs_hardly_a_frame() {
    peers::in_real_time!(a_link_that_loses_five_percent_costs_hardly_a_frame);
    peers::require!("ffmpeg", "ffprobe");
    let Some(program) = peers::fetched("ONAIR_FFMPEG") else { return };
    let folder = tempfile::tempdir().unwrap();
    let running = start_with(|config| config.record = Some(folder.path().to_owned()));
    let network = Network { delay: Duration::from_millis(50), loss: Some(20) };
    let (_relay, url) = behind(&running, network);
    let mut onair = live(&url, "", &["--duration", "20s"]);
    assert_eq!(onair.peer.wait(LIMIT).code(), Some(0), "{}", onair.peer.errors());
    peers::wait_for("the recording", LIMIT, || running.server.streams().is_empty());
    let file = std::fs::read_dir(folder.path()).unwrap().next().unwrap().unwrap().path();
    // Debian's ffmpeg reads no Opus in FLV.
    let film = folder.path().join("film.mkv");
    let mut command = Command::new(program);
    command.args(["-hide_banner", "-nostdin", "-v", "warning", "-xerror", "-i"]).arg(&file);
    Peer::start_command(command.args(["-c", "copy"]).arg(&film)).wait_success(LIMIT);
    let probe = ffmpeg::probe(&film);
    let packets = probe.packets("video");
    let lasts = packets.last().unwrap().pts - packets[0].pts;
    let share = packets.len() as f64 / (lasts * 30.0 + 1.0);
    println!("5 % loss and 50 ms in each direction: {} frames in {lasts:.1} s", packets.len());
    assert_eq!(ffmpeg::decode(&film), "", "every recorded frame is decodable");
    assert!(lasts > 15.0 && share >= 0.98, "{share}");
}

#[test]
fn the_check_of_an_endpoint_starts_nothing() {
    let Some(python) = peers::fetched("ONAIR_AIORTC") else { return };
    let server = AioServer::start(&python, "sesame", None);
    let url = server.url();
    let check = |token: &str| {
        let words = ["check", &url, "--key-env", "WHIP_TOKEN"];
        let mut onair = Onair::start_with(&words, &[("WHIP_TOKEN", token)]);
        let code = onair.peer.wait(LIMIT).code();
        (code, onair.events().pop().unwrap())
    };
    let (code, answer) = check("sesame");
    assert_eq!((code, &answer["ok"]), (Some(0), &true.into()), "{answer}");
    let names: Vec<_> =
        answer["stages"].as_array().unwrap().iter().map(|it| it["name"].clone()).collect();
    assert_eq!(names, ["dns", "tcp", "request"]);
    let (code, answer) = check("guess");
    assert_eq!(code, Some(7), "{answer}");
    assert!(answer.to_string().contains("not authorized"), "{answer}");
}
