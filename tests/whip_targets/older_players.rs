//! Tests of players that do not know Opus: they get AAC of a stream that was published by WHIP.

use std::path::Path;
use std::process::Command;

use super::{endpoint, live};
use crate::peers::{self, LIMIT, Onair, Peer, ffmpeg};
use crate::whep::start_with;

/// Saves some seconds of a stream unchanged, with Debian's ffmpeg.
fn save(input: &str, file: &Path) -> Peer {
    let mut command = Command::new("ffmpeg");
    command.args(["-hide_banner", "-nostdin", "-v", "warning", "-xerror", "-i", input, "-t", "8"]);
    Peer::start_command(command.args(["-c", "copy"]).arg(file))
}

/// Returns the measured distance of audio from video in a file, in milliseconds. The first flash can be cut off, so the
/// median of several counts.
fn measured_offset(file: &Path) -> f64 {
    let mut player =
        Onair::start(&["play", "--headless", "--measure", "--mute", file.to_str().unwrap()]);
    let measured = |event: &serde_json::Value| event["av_offset_ms"].as_f64();
    let offsets = |peer: &Peer| -> Vec<f64> {
        let events = peer.output();
        let events = events.lines().filter_map(|line| serde_json::from_str(line).ok());
        events.filter_map(|event| measured(&event)).collect()
    };
    player.peer.wait_until("five measures", LIMIT, |peer| offsets(peer).len() >= 5);
    let offset = offsets(&player.peer).pop().unwrap();
    player.stop(LIMIT);
    offset
}

#[test]
fn players_without_opus_get_aac_in_sync_while_others_get_opus() {
    peers::in_real_time!(players_without_opus_get_aac_in_sync_while_others_get_opus);
    peers::require!("ffmpeg", "ffprobe");
    let Some(program) = peers::fetched("ONAIR_FFMPEG") else { return };
    let folder = tempfile::tempdir().unwrap();
    let running = start_with(|_| ());
    let mut onair = live(&endpoint(&running), "", &[]);
    onair.wait_event("a live target", |event| event["state"] == "live");
    peers::wait_for("both tracks", LIMIT, || {
        let publisher = running.server.streams().into_iter().find_map(|it| it.publisher);
        publisher.is_some_and(|it| it.video.is_some() && it.audio.is_some())
    });
    let by_rtmp = format!("rtmp://{}/live/show", running.server.addresses().rtmp);
    let by_http = format!("http://{}/live/show.flv", running.http());
    // The times of both tracks meet when their sender reports have arrived.
    let aac = format!("{by_http}?audio=aac");
    let mut player = Onair::start(&["play", "--headless", "--measure", "--mute", &aac]);
    player.wait_event("lip sync within 20 ms", |event| {
        event["av_offset_ms"].as_f64().is_some_and(|offset| offset.abs() < 20.0)
    });
    player.stop(LIMIT);
    let old = [(&by_rtmp, "rtmp.mkv"), (&by_http, "http.mkv")]
        .map(|(input, name)| (save(input, &folder.path().join(name)), folder.path().join(name)));
    // FFmpeg 9 says who it is over HTTP.
    let modern = folder.path().join("modern.mkv");
    let mut command = Command::new(program);
    command.args(["-hide_banner", "-nostdin", "-v", "warning", "-i", &by_http, "-t", "2"]);
    Peer::start_command(command.args(["-c", "copy"]).arg(&modern)).wait_success(LIMIT);
    assert_eq!(ffmpeg::probe(&modern).stream("audio")["codec_name"], "opus");
    for (mut saved, file) in old {
        saved.wait_success(LIMIT);
        assert_eq!(saved.errors(), "", "{}", file.display());
        let probe = ffmpeg::probe(&file);
        assert_eq!((probe.warnings.as_str(), ffmpeg::decode(&file).as_str()), ("", ""));
        assert_eq!(probe.stream("video")["codec_name"], "h264");
        assert_eq!(probe.stream("audio")["codec_name"], "aac");
        assert!(probe.packets("audio").len() > 300, "{}", probe.packets("audio").len());
        let offset = measured_offset(&file);
        println!("{}: audio {offset} ms after video", file.display());
        assert!(offset.abs() <= 20.0, "{}: {offset} ms", file.display());
    }
    onair.stop(LIMIT);
}
