//! HE-AAC and Opus: recordings and streams that others decode, lip sync, and what does not fit them.

use std::path::Path;
use std::process::Command;

use crate::peers::{self, LIMIT, Nginx, Onair, Peer, ffmpeg};
use crate::whep::start_with;

const HE: [&str; 11] = [
    "live",
    "--video",
    "test",
    "--audio",
    "tone",
    "--size",
    "320x180",
    "--audio-profile",
    "he",
    "--audio-bitrate",
    "48k",
];

/// Checks that the audio of a file is HE-AAC, and that it decodes without a warning.
fn check(file: &Path) {
    assert_eq!(ffmpeg::decode(file), "", "{file:?}");
    let probe = ffmpeg::probe(file);
    assert_eq!(probe.warnings, "", "{file:?}");
    let audio = probe.stream("audio");
    let described = (&audio["profile"], &audio["sample_rate"], &audio["channels"]);
    assert_eq!(described, (&"HE-AAC".into(), &"48000".into(), &2.into()), "{file:?}");
    let packets = probe.packets("audio");
    let seconds = packets.last().unwrap().pts - packets[0].pts;
    // A packet has 2,048 samples.
    let expected = seconds * 48_000.0 / 2_048.0;
    assert!((packets.len() as f64 - 1.0 - expected).abs() <= 1.0, "{file:?}: {packets:?}");
    let bytes: u64 = packets.iter().map(|it| it.size).sum();
    assert!(bytes as f64 * 8.0 / seconds < 56_000.0, "{bytes} bytes in {seconds} s");
}

#[test]
fn he_aac_is_recorded_in_every_format_and_its_lip_sync_stays() {
    peers::in_real_time!(he_aac_is_recorded_in_every_format_and_its_lip_sync_stays);
    peers::require!("ffmpeg", "ffprobe");
    let folder = tempfile::tempdir().unwrap();
    for format in ["mkv", "mp4", "flv"] {
        let file = folder.path().join(format!("show.{format}"));
        let more = ["--duration", "6s", "--record", file.to_str().unwrap()];
        let mut onair = Onair::start(&[&HE[..], &more].concat());
        let encoder = onair.wait_event("the encoder", |event| {
            event["event"] == "encoder" && event["track"] == "audio"
        });
        assert_eq!(encoder["profile"], "HE", "{encoder}");
        assert_eq!(onair.peer.wait(LIMIT).code(), Some(0), "{}", onair.peer.errors());
        check(&file);
        let file = file.to_str().unwrap();
        let mut play = Onair::start(&["play", "--headless", "--measure", "--mute", file]);
        let figures = play.wait_event("measurements", |event| {
            event["event"] == "play_stats" && !event["av_offset_ms"].is_null()
        });
        assert!(figures["av_offset_ms"].as_f64().unwrap().abs() <= 20.0, "{format}: {figures}");
        play.peer.interrupt();
        play.peer.wait(LIMIT);
    }
}

#[test]
fn servers_and_their_viewers_get_he_aac() {
    peers::require!("ffmpeg", "ffprobe", "nginx");
    let mut server = Onair::start(&["serve", "--rtmp", "127.0.0.1:0", "--http", "127.0.0.1:0"]);
    let ready = server.wait_named("ready");
    let (rtmp, http) = (ready["rtmp"].as_str().unwrap(), ready["http"].as_str().unwrap());
    let ours = format!("{rtmp}/live/show");
    let nginx = Nginx::start();
    let theirs = nginx.url("recorded", "show");
    let mut onair = Onair::start(&[&HE[..], &["--to", &ours, "--to", &theirs]].concat());
    nginx.wait_published("show");
    let folder = tempfile::tempdir().unwrap();
    let addresses = [
        ours,
        format!("{http}/live/show.flv"),
        format!("{http}/live/show.m3u8"),
        format!("{http}/live/show/hls/ts.m3u8"),
    ];
    for (number, address) in addresses.iter().enumerate() {
        let seen = folder.path().join(format!("seen{number}.mkv"));
        let mut viewer = Command::new("ffmpeg");
        viewer.args(["-hide_banner", "-nostdin", "-v", "error", "-i", address, "-t", "4"]);
        let mut peer = Peer::start_command(viewer.args(["-c", "copy"]).arg(&seen));
        peer.wait_success(ffmpeg::limit(10));
        check(&seen);
    }
    onair.peer.interrupt();
    assert_eq!(onair.peer.wait(LIMIT).code(), Some(0), "{}", onair.peer.errors());
    nginx.wait_unpublished("show");
    check(&nginx.recordings().join("show.flv"));
}

#[test]
fn a_whip_target_gets_he_aac_as_opus_in_sync() {
    peers::in_real_time!(a_whip_target_gets_he_aac_as_opus_in_sync);
    let running = start_with(|_| {});
    let endpoint = format!("whip://{}/live/show/whip", running.http());
    let mut onair = Onair::start(&[&HE[..], &["--to", &endpoint]].concat());
    onair.wait_event("a live target", |event| event["state"] == "live");
    let publisher = || running.server.streams().into_iter().find_map(|it| it.publisher);
    peers::wait_for("audio", LIMIT, || publisher().is_some_and(|it| it.audio.is_some()));
    let play = format!("rtmp://{}/live/show", running.server.addresses().rtmp);
    let mut player = Onair::start(&["play", "--headless", "--measure", "--mute", &play]);
    player.wait_event("lip sync within 20 ms", |event| {
        event["av_offset_ms"].as_f64().is_some_and(|offset| offset.abs() <= 20.0)
    });
    player.stop(LIMIT);
    assert_eq!(onair.stop(LIMIT).code(), Some(0), "{}", onair.peer.errors());
}

#[test]
fn he_aac_with_a_higher_bitrate_is_refused_with_the_reason() {
    let words = ["live", "--video", "test", "--audio", "tone", "--record", "a.mkv"];
    let mut onair = Onair::start(&[&words[..], &["--audio-profile", "he"]].concat());
    assert_ne!(onair.peer.wait(LIMIT).code(), Some(0));
    let errors = onair.peer.errors() + &onair.peer.output();
    assert!(errors.contains("HE-AAC needs an audio bitrate of at most 64 kbit/s"), "{errors}");
}

/// Checks that the audio of a file is Opus without gaps, and that it decodes without a warning.
fn check_opus(file: &Path) {
    assert_eq!(ffmpeg::decode(file), "", "{file:?}");
    let probe = ffmpeg::probe(file);
    assert_eq!(probe.warnings, "", "{file:?}");
    assert_eq!(probe.stream("audio")["codec_name"], "opus", "{file:?}");
    let packets = probe.packets("audio");
    assert!(packets.len() > 100, "{file:?}: {}", packets.len());
    // Matroska has times in milliseconds.
    for pair in packets.windows(2) {
        assert!((pair[1].pts - pair[0].pts - 0.02).abs() < 0.002, "{file:?}: {pair:?}");
    }
}

/// Checks that audio and video of a file belong together.
fn check_lip_sync(file: &Path) {
    let file = file.to_str().unwrap();
    let mut play = Onair::start(&["play", "--headless", "--measure", "--mute", file]);
    let figures = play.wait_event("measurements", |event| {
        event["event"] == "play_stats" && !event["av_offset_ms"].is_null()
    });
    assert!(figures["av_offset_ms"].as_f64().unwrap().abs() <= 20.0, "{file}: {figures}");
    play.peer.interrupt();
    play.peer.wait(LIMIT);
}

const OPUS: [&str; 9] =
    ["live", "--video", "test", "--audio", "tone", "--size", "640x360", "--audio-codec", "opus"];

#[test]
fn mkv_recordings_have_opus_in_sync_and_other_formats_keep_aac() {
    peers::in_real_time!(mkv_recordings_have_opus_in_sync_and_other_formats_keep_aac);
    peers::require!("ffmpeg", "ffprobe");
    let folder = tempfile::tempdir().unwrap();
    for format in ["mkv", "mp4", "flv"] {
        let file = folder.path().join(format!("show.{format}"));
        let more = ["--duration", "6s", "--record", file.to_str().unwrap()];
        let mut onair = Onair::start(&[&OPUS[..], &more].concat());
        assert_eq!(onair.peer.wait(LIMIT).code(), Some(0), "{}", onair.peer.errors());
        match format {
            "mkv" => check_opus(&file),
            _ => assert_eq!(ffmpeg::probe(&file).stream("audio")["codec_name"], "aac"),
        }
        check_lip_sync(&file);
    }
}

#[test]
fn an_srt_target_gets_opus_that_ffmpeg_decodes_and_rtmp_keeps_aac() {
    peers::in_real_time!(an_srt_target_gets_opus_that_ffmpeg_decodes_and_rtmp_keeps_aac);
    peers::require!("ffmpeg", "ffprobe", "nginx");
    let nginx = Nginx::start();
    let theirs = nginx.url("recorded", "show");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("seen.mkv");
    let port = peers::free_port();
    let url = format!("srt://127.0.0.1:{port}?mode=listener");
    let words = ["-hide_banner", "-nostdin", "-v", "warning", "-y", "-f", "mpegts", "-i", &url];
    let after = ["-t", "5", "-c", "copy", file.to_str().unwrap()];
    let mut listener = Peer::start("ffmpeg", words.into_iter().chain(after));
    let to = format!("srt://127.0.0.1:{port}");
    let mut onair = Onair::start(&[&OPUS[..], &["--to", &to, "--to", &theirs]].concat());
    listener.wait_success(LIMIT * 2);
    onair.peer.interrupt();
    onair.peer.wait(LIMIT);
    nginx.wait_unpublished("show");
    check_opus(&file);
    check_lip_sync(&file);
    let flv = nginx.recordings().join("show.flv");
    assert_eq!(ffmpeg::probe(&flv).stream("audio")["codec_name"], "aac");
}
