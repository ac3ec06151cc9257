//! Tests of SRT at the server and in the player. ffmpeg, srt-live-transmit and GStreamer, all with
//! libsrt, publish and play.

mod flood;
mod players;

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::peers::{self, LIMIT, Onair, Peer, ffmpeg, wait_for};

const PASSPHRASE: &str = "Planted-Passphrase-1";

/// Starts the server. Returns it with its SRT address and its RTMP address.
fn serve(more: &[&str]) -> (Onair, String, String) {
    let words = ["serve", "--rtmp", "127.0.0.1:0", "--http", "none", "--srt", "127.0.0.1:0"];
    let mut server = Onair::start(&[&words[..], more].concat());
    let ready = server.wait_named("ready");
    let address = |name: &str| ready[name].as_str().unwrap().to_owned();
    let (srt, rtmp) = (address("srt"), address("rtmp"));
    (server, srt, rtmp)
}

/// Starts ffmpeg, which encodes a test picture and a tone to this address.
fn publish(url: &str) -> Peer {
    let words = ["-nostdin", "-v", "error", "-re", "-f", "lavfi", "-i", "testsrc2=s=640x360:r=30"];
    let audio = ["-f", "lavfi", "-i", "sine=r=48000", "-c:v", "libx264", "-preset", "ultrafast"];
    let rest = ["-g", "30", "-b:v", "1500k", "-c:a", "aac", "-f", "mpegts", url];
    Peer::start("ffmpeg", words.into_iter().chain(audio).chain(rest))
}

/// Checks a received file: both tracks, and no warning of any decoder.
fn check(file: &Path, least_frames: usize) {
    let probe = ffmpeg::probe(file);
    assert_eq!((probe.warnings.as_str(), ffmpeg::decode(file).as_str()), ("", ""));
    assert_eq!(probe.stream("video")["codec_name"], "h264");
    assert_eq!(probe.stream("audio")["codec_name"], "aac");
    for kind in ["video", "audio"] {
        let packets = probe.packets(kind);
        assert!(packets.len() >= least_frames, "{kind}: {}", packets.len());
    }
}

fn receive(url: &str, file: &Path) -> Peer {
    let words = ["-nostdin", "-v", "error", "-y", "-i", url, "-t", "4", "-c", "copy"];
    Peer::start("ffmpeg", words.into_iter().chain([file.to_str().unwrap()]))
}

fn is_event<'a>(name: &'a str, protocol: &'a str) -> impl Fn(&Value) -> bool + 'a {
    move |event| event["event"] == name && event["protocol"] == protocol
}

#[test]
fn a_publisher_by_srt_is_played_by_rtmp_and_by_srt_without_a_warning() {
    peers::in_real_time!(a_publisher_by_srt_is_played_by_rtmp_and_by_srt_without_a_warning);
    peers::require!("ffmpeg", "ffprobe", "srt-live-transmit");
    let folder = tempfile::tempdir().unwrap();
    let (mut server, srt, rtmp) = serve(&[]);
    let mut publisher = publish(&format!("{srt}?streamid=publish:live/show"));
    let published = server.wait_event("the publisher", is_event("publish", "srt"));
    assert_eq!((&published["app"], &published["stream"]), (&"live".into(), &"show".into()));
    let file = |name: &str| folder.path().join(name);
    let (by_rtmp, by_srt) = (file("rtmp.flv"), file("srt.ts"));
    let id = "%23!::r=live/show,m=request";
    let mut receivers = [
        receive(&format!("{rtmp}/live/show"), &by_rtmp),
        receive(&format!("{srt}?streamid={id}"), &by_srt),
    ];
    let from = format!("{srt}?streamid=read:live/show&mode=caller");
    let mut transmit = Peer::start("srt-live-transmit", ["-q", "-a:no", &from, "file://con"]);
    receivers.iter_mut().for_each(|receiver| receiver.wait_success(LIMIT));
    check(&by_rtmp, 100);
    check(&by_srt, 100);
    server.wait_event("the viewer", is_event("join", "srt"));
    server.wait_event("the end of the viewer", is_event("leave", "srt"));
    wait_for("a second of the other viewer", LIMIT, || transmit.output_after(0).len() > 250_000);
    publisher.interrupt();
    publisher.wait(LIMIT);
    server.wait_event("the end of the publisher", is_event("unpublish", "srt"));
    // The viewer ends with the stream.
    transmit.wait(LIMIT);
    let third = file("third.ts");
    fs::write(&third, transmit.output_after(0)).unwrap();
    // The publisher was interrupted, and the last frame may be cut.
    let probe = ffmpeg::probe(&third);
    assert!(["video", "audio"].iter().all(|kind| probe.packets(kind).len() >= 30));
    server.stop(LIMIT);
}

#[test]
fn a_passphrase_and_a_publish_key_keep_others_out() {
    peers::in_real_time!(a_passphrase_and_a_publish_key_keep_others_out);
    peers::require!("ffmpeg", "srt-live-transmit");
    let folder = tempfile::tempdir().unwrap();
    let (secret, config) = (folder.path().join("passphrase"), folder.path().join("serve.toml"));
    fs::write(&secret, PASSPHRASE).unwrap();
    fs::write(&config, "publish_keys = [\"planted-key\"]\n").unwrap();
    let more = ["--srt-passphrase-file", secret.to_str().unwrap()];
    let more = [&more[..], &["--config", config.to_str().unwrap()]].concat();
    let (mut server, srt, _) = serve(&more);
    let onair = |id: &str, passphrase: &str| {
        let url = format!("{srt}?streamid={id}");
        let words = ["live", "--video", "test", "--audio", "tone", "--size", "320x180"];
        let rest = ["--to", &url, "--key-env", "ONAIR_TEST_KEY", "--retry-for", "0s"];
        let variables = [("ONAIR_TEST_KEY", passphrase)];
        Onair::start_with(&[&words[..], &rest].concat(), &variables)
    };
    for (id, passphrase, code) in [
        ("publish:live/show:key=planted-key", "Another-Passphrase", "REJ_BADSECRET"),
        ("publish:live/show:key=wrong", PASSPHRASE, "2401"),
        ("publish:live/show", PASSPHRASE, "2401"),
        ("publish:show", PASSPHRASE, "2400"),
        ("read:live/show", PASSPHRASE, "2404"),
    ] {
        let mut refused = onair(id, passphrase);
        let failed = refused.wait_event("the refusal", |event| event["state"] == "failed");
        assert_eq!((&failed["stage"], &failed["code"]), (&"publish".into(), &code.into()), "{id}");
        refused.peer.wait(LIMIT);
    }
    let mut right = onair("publish:live/show:key=planted-key", PASSPHRASE);
    server.wait_event("the publisher", is_event("publish", "srt"));
    // Without the passphrase, nobody watches.
    let from = format!("{srt}?streamid=read:live/show&mode=caller");
    let mut curious = Peer::start("srt-live-transmit", ["-q", "-a:no", &from, "file://con"]);
    curious.wait(LIMIT);
    assert_eq!(curious.output(), "");
    let from = format!("{from}&passphrase={PASSPHRASE}");
    let mut invited = Peer::start("srt-live-transmit", ["-q", &from, "file://con"]);
    wait_for("the stream", LIMIT, || invited.output_after(0).len() > 50_000);
    invited.kill();
    right.stop(LIMIT);
    server.stop(LIMIT);
    let said = server.peer.output() + &server.peer.errors() + &right.peer.output();
    assert!(!said.contains("planted-key") && !said.contains(PASSPHRASE), "{said}");
}

#[test]
fn onair_plays_and_probes_a_stream_by_srt_with_its_lips_in_sync() {
    peers::in_real_time!(onair_plays_and_probes_a_stream_by_srt_with_its_lips_in_sync);
    let (mut server, srt, _) = serve(&[]);
    let url = format!("{srt}?streamid=publish:live/show");
    let words = ["live", "--video", "test", "--audio", "tone", "--size", "640x360", "--to", &url];
    let mut live = Onair::start(&words);
    server.wait_event("the publisher", is_event("publish", "srt"));
    let url = format!("{srt}?streamid=read:live/show");
    let words = ["play", "--headless", "--measure", "--mute", &url];
    let mut player = Onair::start(&words);
    let measured =
        player.wait_event("a measure of lip sync", |event| event["av_offset_ms"].is_number());
    assert!(measured["av_offset_ms"].as_f64().unwrap().abs() <= 20.0, "{measured}");
    let mut probe = Onair::start(&["probe", &url]);
    assert_eq!(probe.peer.wait(LIMIT).code(), Some(0), "{}", probe.peer.errors());
    let report = &probe.events()[0];
    assert_eq!(report["format"], "mpegts", "{report}");
    // The end of the publisher is the end of the stream.
    live.stop(LIMIT);
    player.peer.wait(LIMIT);
    assert!(!player.peer.output().contains("live/show"), "{}", player.peer.output());
    server.stop(LIMIT);
}

#[test]
fn onair_waits_as_a_listener_for_a_sender_and_plays_it() {
    peers::in_real_time!(onair_waits_as_a_listener_for_a_sender_and_plays_it);
    peers::require!("ffmpeg");
    let port = peers::free_port();
    let url = format!("srt://127.0.0.1:{port}?mode=listener");
    let mut player = Onair::start(&["play", "--headless", "--mute", &url]);
    player.wait_event("the wait", |event| event["stage"] == "handshake");
    let mut sender = publish(&format!("srt://127.0.0.1:{port}"));
    player.wait_event("pictures", |event| {
        event["event"] == "play_stats" && event["shown"].as_u64() > Some(30)
    });
    sender.kill();
    player.stop(LIMIT);
}
