//! Tests of HEVC and AV1 over WHIP: to the built-in server, and to one that takes H.264 only.

use std::process::Command;

use super::{AioServer, endpoint};
use crate::encoders::codecs::libraries;
use crate::peers::{self, LIMIT, Onair, Peer, ffmpeg};
use crate::whep::{Running, start_with};

/// Starts a broadcast with this encoder, whose libraries are in a folder.
fn live(encoder: &str, libraries: &str, url: &str, token: &str, more: &[&str]) -> Onair {
    let words = ["live", "--video", "test", "--audio", "tone", "--size", "480x270"];
    let mut words = [&words[..], &["--video-bitrate", "800k", "--encoder", encoder]].concat();
    words.extend(["--to", url]);
    if !token.is_empty() {
        words.extend(["--key-env", "WHIP_TOKEN"]);
    }
    words.extend(more);
    Onair::start_with(&words, &[("LD_LIBRARY_PATH", libraries), ("WHIP_TOKEN", token)])
}

/// Returns the codec of the published video.
fn codec(running: &Running) -> Option<String> {
    let publisher = running.server.streams().into_iter().find_map(|it| it.publisher);
    publisher.filter(|it| it.audio.is_some())?.video.map(|video| video.codec)
}

#[test]
fn the_built_in_server_receives_hevc_and_av1_and_ffmpeg_decodes_them() {
    peers::in_real_time!(the_built_in_server_receives_hevc_and_av1_and_ffmpeg_decodes_them);
    peers::require!("ffmpeg", "ffprobe");
    let Some(program) = peers::fetched("ONAIR_FFMPEG") else { return };
    let Some(libraries) = libraries() else { return };
    let libraries = libraries.path().to_str().unwrap();
    for (encoder, name, shown) in [("x265", "HEVC", "hevc"), ("svt-av1", "AV1", "av1")] {
        let running = start_with(|_| ());
        let mut onair = live(encoder, libraries, &endpoint(&running), "", &[]);
        onair.wait_event("a live target", |event| event["state"] == "live");
        peers::wait_for(name, LIMIT, || codec(&running).is_some_and(|codec| codec == name));
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("received.mkv");
        let input = format!("http://{}/live/show.flv", running.http());
        let mut command = Command::new(&program);
        command.args(["-hide_banner", "-nostdin", "-v", "warning", "-xerror", "-i", &input]);
        let mut saved = Peer::start_command(command.args(["-t", "4", "-c", "copy"]).arg(&file));
        saved.wait_success(LIMIT);
        assert_eq!(saved.errors(), "", "{encoder}");
        let probe = ffmpeg::probe(&file);
        assert_eq!(probe.stream("video")["codec_name"], shown);
        assert!(probe.packets("video").len() > 60, "{}", probe.packets("video").len());
        let mut command = Command::new(&program);
        command.args(["-hide_banner", "-nostdin", "-v", "warning", "-xerror", "-i"]).arg(&file);
        let mut decoded = Peer::start_command(command.args(ffmpeg::DECODE_ONLY));
        decoded.wait_success(LIMIT);
        assert_eq!(decoded.errors(), "", "{encoder}");
        let replaced = onair.events().iter().any(|it| it.to_string().contains("codec-replaced"));
        assert!(!replaced, "the server takes {name}");
        assert_eq!(onair.stop(LIMIT).code(), Some(0), "{}", onair.peer.errors());
    }
}

#[test]
fn a_server_that_takes_h264_only_gets_it_from_the_second_encode() {
    peers::in_real_time!(a_server_that_takes_h264_only_gets_it_from_the_second_encode);
    let Some(python) = peers::fetched("ONAIR_AIORTC") else { return };
    let Some(libraries) = libraries() else { return };
    let libraries = libraries.path().to_str().unwrap();
    let mut server = AioServer::start(&python, "sesame", None);
    let more = ["--duration", "8s", "--target-simulcast", "2"];
    let mut onair = live("x265", libraries, &server.url(), "sesame", &more);
    assert_eq!(onair.peer.wait(LIMIT).code(), Some(0), "{}", onair.peer.errors());
    let told = server.report();
    assert!(told["video"].as_u64() > Some(90) && told["audio"].as_u64() > Some(200), "{told}");
    let events = onair.events();
    let replaced = events.iter().find(|it| it.to_string().contains("codec-replaced"));
    assert!(replaced.is_some_and(|it| it.to_string().contains("HEVC")), "{events:?}");
    assert_eq!(told["offers"], 1, "the same connection goes on: {told}");
}
