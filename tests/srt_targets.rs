//! Tests of SRT targets. ffmpeg and srt-live-transmit, both with libsrt, listen; ffprobe and
//! ffmpeg's decoders check the stream.

mod halved;

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::peers::{self, LIMIT, Onair, Peer, ffmpeg, wait_for};

const PASSPHRASE: &str = "Planted-Passphrase-1";

/// Starts ffmpeg as a listener, which writes the stream unchanged to a file.
fn listen(port: u16, query: &str, file: &Path) -> Peer {
    let url = format!("srt://127.0.0.1:{port}?mode=listener{query}");
    let words = ["-hide_banner", "-nostdin", "-y", "-f", "mpegts", "-i", &url];
    let after = ["-c", "copy", "-f", "mpegts", file.to_str().unwrap()];
    let peer = Peer::start("ffmpeg", words.into_iter().chain(after));
    wait_bound(port);
    peer
}

/// Waits until a process has this UDP port.
fn wait_bound(port: u16) {
    wait_for("a listener", LIMIT, || {
        let table = fs::read_to_string("/proc/net/udp").unwrap();
        let end = format!(":{port:04X}");
        let mut locals = table.lines().filter_map(|line| line.split_whitespace().nth(1));
        locals.any(|local| local.ends_with(&end))
    });
}

fn live(url: &str, more: &[&str]) -> Onair {
    let words = ["live", "--video", "test", "--audio", "tone", "--size", "640x360"];
    let variables = [("ONAIR_TEST_KEY", PASSPHRASE)];
    Onair::start_with(
        &[&words[..], &["--video-bitrate", "1500k", "--to", url], more].concat(),
        &variables,
    )
}

fn check(file: &Path, least_frames: usize) {
    let probe = ffmpeg::probe(file);
    assert_eq!((probe.warnings.as_str(), ffmpeg::decode(file).as_str()), ("", ""));
    assert_eq!(probe.stream("video")["codec_name"], "h264");
    assert_eq!(probe.stream("audio")["codec_name"], "aac");
    for (kind, step) in [("video", 1.0 / 30.0), ("audio", 1_024.0 / 48_000.0)] {
        let packets = probe.packets(kind);
        assert!(packets.len() >= least_frames, "{kind}: {}", packets.len());
        for pair in packets.windows(2) {
            assert!((pair[1].dts - pair[0].dts - step).abs() < 0.001, "{kind}: {pair:?}");
        }
    }
}

fn states(events: &[Value]) -> Vec<String> {
    let targets = events.iter().filter(|event| event["event"] == "target");
    let mut all: Vec<String> =
        targets.map(|event| event["state"].as_str().unwrap().to_owned()).collect();
    all.dedup();
    all
}

#[test]
fn ffmpeg_decodes_an_encrypted_stream_without_a_warning_and_no_secret_is_shown() {
    peers::in_real_time!(
        ffmpeg_decodes_an_encrypted_stream_without_a_warning_and_no_secret_is_shown
    );
    peers::require!("ffmpeg", "ffprobe");
    let folder = tempfile::tempdir().unwrap();
    for (name, key_bytes) in [("plain", None), ("aes128", Some(16)), ("aes256", Some(32))] {
        let file = folder.path().join(format!("{name}.ts"));
        let port = peers::free_port();
        let secret = key_bytes
            .map_or_else(String::new, |bytes| format!("&passphrase={PASSPHRASE}&pbkeylen={bytes}"));
        let mut receiver = listen(port, &secret, &file);
        let length = key_bytes.map_or_else(String::new, |bytes| format!("&pbkeylen={bytes}"));
        let url = format!("srt://127.0.0.1:{port}?streamid=planted-id&latency=200{length}");
        let key = ["--key-env", "ONAIR_TEST_KEY"];
        let key = if key_bytes.is_some() { &key[..] } else { &[] };
        let mut onair = live(&url, &[key, &["--duration", "5s"]].concat());
        assert_eq!(onair.peer.wait(LIMIT).code(), Some(0), "{}", onair.peer.errors());
        // The end of the stream is told, so that the receiver ends at once.
        receiver.wait_success(LIMIT);
        check(&file, 120);
        let events = onair.events();
        assert_eq!(states(&events), ["connecting", "live", "stopped"]);
        let live = events.iter().find(|event| event["state"] == "live").unwrap();
        assert_eq!(live["protocol"], "srt");
        let said = onair.peer.output() + &onair.peer.errors();
        assert!(!said.contains("planted-id") && !said.contains(PASSPHRASE), "{said}");
    }
}

#[test]
fn srt_live_transmit_takes_the_stream_and_a_wrong_passphrase_is_refused() {
    peers::in_real_time!(srt_live_transmit_takes_the_stream_and_a_wrong_passphrase_is_refused);
    peers::require!("ffmpeg", "ffprobe", "srt-live-transmit");
    let folder = tempfile::tempdir().unwrap();
    let port = peers::free_port();
    let from = format!("srt://127.0.0.1:{port}?mode=listener&passphrase={PASSPHRASE}");
    let file = folder.path().join("received.ts");
    // Without this option, it waits for the next caller.
    let transmit = || Peer::start("srt-live-transmit", ["-q", "-a:no", &from, "file://con"]);
    let mut refusing = transmit();
    wait_bound(port);
    let url = format!("srt://127.0.0.1:{port}?passphrase=Another-Passphrase");
    let mut refused = live(&url, &["--retry-for", "0s"]);
    assert_eq!(refused.peer.wait(LIMIT).code(), Some(7), "{}", refused.peer.output());
    let failed = refused.wait_event("the refusal", |event| event["state"] == "failed");
    assert_eq!((&failed["stage"], &failed["code"]), (&"publish".into(), &"REJ_BADSECRET".into()));
    refusing.kill();
    let mut receiver = transmit();
    wait_bound(port);
    let url = format!("srt://127.0.0.1:{port}");
    let mut onair = live(&url, &["--key-env", "ONAIR_TEST_KEY", "--duration", "5s"]);
    assert_eq!(onair.peer.wait(LIMIT).code(), Some(0), "{}", onair.peer.errors());
    receiver.wait(LIMIT);
    fs::write(&file, receiver.output_after(0)).unwrap();
    check(&file, 120);
}

#[test]
fn a_listener_that_reconnects_gets_the_stream_again_and_a_stop_is_quick() {
    peers::in_real_time!(a_listener_that_reconnects_gets_the_stream_again_and_a_stop_is_quick);
    peers::require!("ffmpeg", "ffprobe");
    let folder = tempfile::tempdir().unwrap();
    let files = ["first.ts", "second.ts"].map(|name| folder.path().join(name));
    let port = peers::free_port();
    let mut first = listen(port, "", &files[0]);
    let mut onair = live(&format!("srt://127.0.0.1:{port}"), &[]);
    let long = |file: &Path| fs::metadata(file).is_ok_and(|file| file.len() > 200_000);
    wait_for("a received second", LIMIT, || long(&files[0]));
    first.kill();
    onair.wait_event("the loss", |event| event["state"] == "reconnecting");
    let mut second = listen(port, "", &files[1]);
    wait_for("the stream again", LIMIT, || long(&files[1]));
    stop(&mut onair, 0);
    second.wait_success(LIMIT);
    check(&files[1], 30);
    let stats = onair.events();
    let last = stats.iter().rev().find(|event| event["event"] == "stats").unwrap();
    assert_eq!(last["targets"][0]["reconnects"], 1, "{last}");
}

/// Stops a broadcast, which is over within a second and a half and the time that a busy computer
/// takes for a process.
fn stop(onair: &mut Onair, code: i32) {
    let begun = std::time::Instant::now();
    assert_eq!(onair.stop(LIMIT).code(), Some(code), "{}", onair.peer.errors());
    let took = begun.elapsed();
    assert!(took.as_millis() < 3_000, "{took:?}");
}

#[test]
fn a_stop_is_quick_while_nobody_answers_and_while_nobody_calls() {
    peers::in_real_time!(a_stop_is_quick_while_nobody_answers_and_while_nobody_calls);
    // This port is open, but never answers.
    let silent = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    for url in [
        format!("srt://127.0.0.1:{port}"),
        format!("srt://127.0.0.1:{}?mode=listener", peers::free_port()),
    ] {
        let mut onair = live(&url, &[]);
        onair.wait_event("the handshake", |event| event["stage"] == "handshake");
        stop(&mut onair, 6);
    }
}

#[test]
fn a_receiver_that_calls_and_one_in_rendezvous_get_the_stream() {
    peers::in_real_time!(a_receiver_that_calls_and_one_in_rendezvous_get_the_stream);
    peers::require!("ffmpeg", "ffprobe", "srt-live-transmit");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("called.ts");
    let port = peers::free_port();
    let url = format!("srt://127.0.0.1:{port}?mode=listener");
    let mut onair = live(&url, &["--key-env", "ONAIR_TEST_KEY", "--duration", "5s"]);
    wait_bound(port);
    let from = format!("srt://127.0.0.1:{port}?mode=caller&passphrase={PASSPHRASE}");
    let mut transmit = Peer::start("srt-live-transmit", ["-q", "-a:no", &from, "file://con"]);
    assert_eq!(onair.peer.wait(LIMIT).code(), Some(0), "{}", onair.peer.errors());
    transmit.wait(LIMIT);
    fs::write(&file, transmit.output_after(0)).unwrap();
    check(&file, 120);
    let port = peers::free_port();
    let from = format!("srt://127.0.0.1:{port}?mode=rendezvous&adapter=127.0.0.2");
    let mut transmit = Peer::start("srt-live-transmit", ["-q", "-a:no", &from, "file://con"]);
    let url = format!("srt://127.0.0.2:{port}?mode=rendezvous");
    let mut onair = live(&url, &["--duration", "5s"]);
    assert_eq!(onair.peer.wait(LIMIT).code(), Some(0), "{}", onair.peer.errors());
    transmit.wait(LIMIT);
    fs::write(&file, transmit.output_after(0)).unwrap();
    check(&file, 120);
}

#[test]
fn gstreamer_plays_the_stream_and_microseconds_of_obs_are_reported() {
    peers::in_real_time!(gstreamer_plays_the_stream_and_microseconds_of_obs_are_reported);
    peers::require!("gst-launch-1.0", "ffmpeg", "ffprobe");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("received.ts");
    let port = peers::free_port();
    let source = format!("uri=srt://127.0.0.1:{port}?mode=listener");
    let place = format!("location={}", file.display());
    let words = ["-q", "srtsrc", &source, "!", "filesink", &place];
    let mut receiver = Peer::start("gst-launch-1.0", words);
    wait_bound(port);
    let url = format!("srt://127.0.0.1:{port}?latency=200000");
    let mut onair = live(&url, &["--duration", "5s"]);
    assert_eq!(onair.peer.wait(LIMIT).code(), Some(0), "{}", onair.peer.errors());
    let events = onair.events();
    assert!(events.iter().any(|event| event["key"] == "address-remark"), "no notice");
    let figures = |event: &&Value| event["targets"][0]["loss"].is_number();
    let stats = events.iter().rev().find(figures).unwrap();
    assert!(stats["targets"][0]["round_trip_ms"].is_number(), "{stats}");
    // srtsrc waits for the next caller.
    receiver.interrupt();
    receiver.wait(LIMIT);
    check(&file, 120);
}

#[test]
fn a_port_without_a_listener_is_named_at_once() {
    let port = peers::free_port();
    let mut onair = live(&format!("srt://127.0.0.1:{port}"), &["--retry-for", "0s"]);
    assert_eq!(onair.peer.wait(LIMIT).code(), Some(6), "{}", onair.peer.output());
    let failed = onair.wait_event("the failure", |event| event["state"] == "failed");
    assert_eq!(failed["stage"], "handshake", "{failed}");
}
