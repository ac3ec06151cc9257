//! Tests of targets that get the video in several sizes at once.

use serde_json::Value;

use super::{AioServer, endpoint, live};
use crate::peers::{self, LIMIT, ffmpeg};
use crate::whep::start_with;

/// Returns the number of sizes of the last figures of the first target.
fn layers(event: &Value) -> Option<u64> {
    event["targets"][0]["layers"].as_u64()
}

#[test]
fn the_built_in_server_takes_three_sizes_and_viewers_get_the_largest() {
    peers::in_real_time!(the_built_in_server_takes_three_sizes_and_viewers_get_the_largest);
    peers::require!("ffmpeg", "ffprobe");
    let folder = tempfile::tempdir().unwrap();
    let running = start_with(|config| config.record = Some(folder.path().to_owned()));
    let mut onair = live(&endpoint(&running), "", &["--target-simulcast", "3"]);
    let figures = onair.wait_event("three sizes", |event| layers(event) == Some(3));
    assert_eq!(figures["targets"][0]["state"], "live", "{figures}");
    let received = || running.server.streams().into_iter().find_map(|it| it.publisher);
    peers::wait_for("the largest size", LIMIT, || {
        let video = received().and_then(|it| it.video);
        video.is_some_and(|video| video.size == Some((640, 360)))
    });
    // The server has bound all three names to their streams.
    peers::wait_for("the frames of each size", LIMIT, || {
        received().is_some_and(|it| it.layers == [(640, 360), (320, 180), (160, 90)])
    });
    // The smaller sizes are sent besides.
    let sent = onair.wait_event("the bitrate of all sizes", |event| {
        let sent = event["targets"][0]["bitrate"].as_u64();
        layers(event) == Some(3) && sent > event["video"]["bitrate"].as_u64()
    });
    println!("bitrate of the stream and of the target: {sent}");
    let seen = onair.events().len();
    onair.wait_event("more figures", |event| event["event"] == "stats");
    let notices: Vec<Value> =
        onair.events().into_iter().filter(|it| it.to_string().contains("layers-")).collect();
    assert!(notices.is_empty() && seen > 0, "{notices:?}");
    assert_eq!(onair.stop(LIMIT).code(), Some(0), "{}", onair.peer.errors());
    peers::wait_for("the recording", LIMIT, || running.server.streams().is_empty());
    let file = std::fs::read_dir(folder.path()).unwrap().next().unwrap().unwrap().path();
    assert_eq!(ffmpeg::probe(&file).stream("video")["width"], 640);
}

#[test]
fn a_server_without_simulcast_gets_one_size_and_a_notice_says_so() {
    peers::in_real_time!(a_server_without_simulcast_gets_one_size_and_a_notice_says_so);
    let Some(python) = peers::fetched("ONAIR_AIORTC") else { return };
    let mut server = AioServer::start(&python, "sesame", None);
    let more = ["--target-simulcast", "2", "--duration", "6s"];
    let mut onair = live(&server.url(), "sesame", &more);
    assert_eq!(onair.peer.wait(LIMIT).code(), Some(0), "{}", onair.peer.errors());
    let told = server.report();
    assert!(told["video"].as_u64() > Some(100) && told["audio"].as_u64() > Some(200), "{told}");
    assert_eq!(told["sizes"], serde_json::json!([[640, 360]]));
    let events = onair.events();
    let is_told = |event: &Value| event.to_string().contains("target-layers-left-out");
    assert!(events.iter().any(is_told), "{events:?}");
    assert!(events.iter().all(|event| layers(event).is_none()), "one size");
}
