//! Tests of the studio's own server beyond RTMP and HTTP: SRT with a passphrase, and HTTPS with a certificate of the user.

use std::fs;
use std::process::{Command, Stdio};

use crate::peers::certificates::Authority;
use crate::peers::{self, LIMIT, Onair, Peer, ffmpeg, wait_for};

const PASSPHRASE: &str = "Planted-Passphrase-2";

/// Starts a broadcast of the test pattern to the built-in server.
fn live(more: &[&str]) -> Onair {
    let words = ["live", "--video", "test", "--audio", "tone", "--size", "640x360", "--built-in"];
    Onair::start(&[&words[..], more].concat())
}

#[test]
fn the_studio_serves_its_stream_over_srt_to_those_who_know_the_passphrase() {
    peers::in_real_time!(the_studio_serves_its_stream_over_srt_to_those_who_know_the_passphrase);
    peers::require!("ffmpeg", "ffprobe", "srt-live-transmit");
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("passphrase");
    fs::write(&secret, PASSPHRASE).unwrap();
    let file = secret.to_str().unwrap();
    let mut studio = live(&["--srt", "127.0.0.1:0", "--srt-passphrase-file", file]);
    let srt = studio.wait_named("ready")["srt"].as_str().unwrap().to_owned();
    studio.wait_event("the broadcast", |event| event["state"] == "live");
    let url = format!("{srt}?streamid=read:live/onair&mode=caller");
    let mut curious = Peer::start("srt-live-transmit", ["-q", "-a:no", &url, "file://con"]);
    curious.wait(LIMIT);
    assert_eq!(curious.output(), "");
    let received = folder.path().join("received.ts");
    let url = format!("{url}&passphrase={PASSPHRASE}");
    let words = ["-nostdin", "-v", "error", "-y", "-i", &url, "-t", "3", "-c", "copy"];
    let mut viewer = Peer::start("ffmpeg", words.into_iter().chain(received.to_str()));
    viewer.wait_success(LIMIT);
    let probe = ffmpeg::probe(&received);
    assert_eq!((probe.warnings.as_str(), ffmpeg::decode(&received).as_str()), ("", ""));
    assert_eq!(probe.stream("video")["codec_name"], "h264");
    assert_eq!(probe.stream("audio")["codec_name"], "aac");
    studio.stop(LIMIT);
    let said = studio.peer.output() + &studio.peer.errors();
    assert!(!said.contains(PASSPHRASE), "{said}");
}

/// Returns the certificate that a server shows at this address.
fn shown(address: &str) -> String {
    let words = ["s_client", "-connect", address, "-servername", "localhost"];
    let output = Command::new("openssl").args(words).stdin(Stdio::null()).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let from = text.find("-----BEGIN CERTIFICATE").unwrap_or_else(|| panic!("{text}"));
    text[from..].split("-----END").next().unwrap().to_owned()
}

#[test]
fn a_certificate_that_is_renewed_while_the_studio_is_live_is_used_and_a_bad_one_is_reported() {
    peers::in_real_time!(
        a_certificate_that_is_renewed_while_the_studio_is_live_is_used_and_a_bad_one_is_reported
    );
    peers::require!("openssl");
    let folder = tempfile::tempdir().unwrap();
    let (cert, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
    let authorities = [Authority::new(), Authority::new()];
    let renew = |authority: &Authority| {
        let made = authority.good();
        fs::copy(&made.certificate, &cert).unwrap();
        fs::copy(&made.key, &key).unwrap();
    };
    renew(&authorities[0]);
    let files = ["--cert", cert.to_str().unwrap(), "--cert-key", key.to_str().unwrap()];
    let mut studio = live(&[&["--https", "127.0.0.1:0"], &files[..]].concat());
    let ready = studio.wait_named("ready");
    assert!(ready["https_fingerprint"].is_null(), "onair has not made it: {ready}");
    let address = ready["https"].as_str().unwrap().strip_prefix("https://").unwrap().to_owned();
    let first = shown(&address);
    renew(&authorities[1]);
    wait_for("the new certificate", LIMIT, || shown(&address) != first);
    let second = shown(&address);
    fs::write(&cert, "damaged").unwrap();
    studio.wait_event("the notice", |event| {
        event["event"] == "notice" && event["summary"].to_string().contains("keeps its old")
    });
    assert_eq!(shown(&address), second);
    studio.stop(LIMIT);
}
