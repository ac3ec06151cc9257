//! Recordings with an encoder and a quality of their own: beside a stream, off the air, with a second
//! canvas and single sources, and after that encoder has failed.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::encoders::{encoder_of, kill};
use crate::peers::{self, LIMIT, Onair, Peer, ffmpeg};

const TEST: [&str; 7] = ["live", "--video", "test", "--audio", "tone", "--size", "480x270"];
/// The encode of the stream, which is clearly worse than that of the recording.
const STREAM: [&str; 4] = ["--encoder", "openh264", "--video-bitrate", "300k"];
const OWN: [&str; 4] = ["--record-encoder", "x264", "--record-quality", "crf=16"];

/// Checks that a file decodes without a warning, and returns the bitrate of its video.
fn video_bitrate(file: &Path) -> f64 {
    let mut decoder = Command::new("ffmpeg");
    decoder.args(["-hide_banner", "-nostdin", "-v", "warning", "-xerror", "-i"]).arg(file);
    let mut decoder = Peer::start_command(decoder.args(ffmpeg::DECODE_ONLY));
    decoder.wait_success(LIMIT * 2);
    assert_eq!(decoder.errors(), "", "{file:?}");
    let probe = ffmpeg::probe(file);
    assert_eq!(probe.warnings, "", "{file:?}");
    let (video, audio) = (probe.packets("video"), probe.packets("audio"));
    assert!(video.is_sorted_by(|one, next| one.pts < next.pts), "{file:?}");
    let last = |packets: &[ffmpeg::Packet]| packets.iter().map(|it| it.pts).fold(0.0, f64::max);
    // A loaded computer skips frames, also the last ones.
    let gaps = video.windows(2).map(|two| two[1].pts - two[0].pts);
    let most = 1.0 + gaps.fold(0.0, f64::max);
    let (video_end, audio_end) = (last(&video), last(&audio));
    assert!((video_end - audio_end).abs() < most, "{file:?}: {video_end} and {audio_end} s");
    let bytes = std::fs::metadata(file).unwrap().len();
    bytes as f64 * 8.0 / last(&video)
}

fn named(onair: &Onair, name: &str) -> Vec<Value> {
    onair.events().into_iter().filter(|event| event["event"] == name).collect()
}

fn of_recording(onair: &Onair) -> Vec<Value> {
    let all = named(onair, "encoder").into_iter();
    all.filter(|event| event["output"] == "recording").collect()
}

#[test]
fn a_recording_has_its_own_encoder_and_quality_beside_the_stream() {
    require_x264!();
    let folder = tempfile::tempdir().unwrap();
    for format in ["mkv", "mp4", "flv"] {
        let file = folder.path().join(format!("show.{format}"));
        let more = ["--built-in", "--duration", "5s", "--record", file.to_str().unwrap()];
        let mut onair = Onair::start(&[&TEST[..], &STREAM, &OWN, &more].concat());
        assert_eq!(onair.peer.wait(LIMIT).code(), Some(0), "{}", onair.peer.errors());
        let encoders = of_recording(&onair);
        let names: Vec<_> = encoders.iter().map(|it| it["name"].as_str().unwrap()).collect();
        assert_eq!(names, ["x264"]);
        // The stream has 300 kbit/s, and audio 128 kbit/s.
        let bitrate = video_bitrate(&file);
        assert!(bitrate > 800_000.0, "{format}: {bitrate}");
    }
}

#[test]
fn recordings_of_all_programs_and_parts_have_the_own_quality_off_the_air() {
    require_x264!();
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (show, tall, source) = (path("show.mp4"), path("tall.mp4"), path("main.mp4"));
    let named = format!("main={source}");
    let more = ["--duration", "6s", "--split-time", "2s", "--record", &show];
    let others = ["--record-source", &named, "--canvas", "270x480", "--record", &tall];
    let mut onair = Onair::start(&[&TEST[..], &STREAM, &OWN, &more, &others].concat());
    assert_eq!(onair.peer.wait(LIMIT * 2).code(), Some(0), "{}", onair.peer.errors());
    let mut programs: Vec<_> =
        of_recording(&onair).iter().map(|it| it["program"].as_str().unwrap().to_owned()).collect();
    programs.sort();
    assert_eq!(programs, ["main", "second"]);
    for file in [show, path("show-part2.mp4"), tall, source] {
        let bitrate = video_bitrate(Path::new(&file));
        assert!(bitrate > 700_000.0, "{file}: {bitrate}");
    }
}

#[test]
fn a_recording_goes_on_with_the_stream_when_its_own_encoder_fails_again() {
    require_x264!();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("show.mkv");
    let more = ["--duration", "12s", "--record", file.to_str().unwrap()];
    let mut onair = Onair::start(&[&TEST[..], &STREAM, &OWN, &more].concat());
    onair.wait_named("recording");
    let first = encoder_of(&onair, None);
    peers::wait_for("the first second", LIMIT, || !named(&onair, "stats").is_empty());
    kill(first);
    let second = encoder_of(&onair, Some(first));
    kill(second);
    assert_eq!(onair.peer.wait(LIMIT).code(), Some(0), "{}", onair.peer.errors());
    let keys: Vec<_> = named(&onair, "notice");
    let keys: Vec<_> = keys.iter().map(|it| it["summary"].to_string()).collect();
    assert!(keys.iter().any(|it| it.contains("The encoder of the recording failed")), "{keys:?}");
    let part = folder.path().join("show-part2.mkv");
    let lengths: Vec<f64> = [&file, &part]
        .map(|file| {
            video_bitrate(file);
            let packets = ffmpeg::probe(file).packets("video");
            packets.last().unwrap().pts
        })
        .to_vec();
    assert!(lengths.iter().sum::<f64>() > 7.0, "{lengths:?}");
}

#[test]
fn a_quality_that_the_encoder_does_not_offer_costs_only_a_notice() {
    peers::require!("ffmpeg", "ffprobe");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("show.mkv");
    let own = ["--record-encoder", "openh264", "--record-quality", "crf=20"];
    let more = ["--duration", "3s", "--record", file.to_str().unwrap()];
    let mut onair = Onair::start(&[&TEST[..], &STREAM, &own, &more].concat());
    assert_eq!(onair.peer.wait(LIMIT).code(), Some(0), "{}", onair.peer.errors());
    assert!(of_recording(&onair).is_empty());
    let notices = named(&onair, "notice");
    let is_it = |it: &Value| it["summary"].to_string().contains("encoder of the recording failed");
    assert!(notices.iter().any(is_it), "{notices:?}");
    video_bitrate(&file);
}

#[test]
fn every_recording_says_that_its_video_is_bt_709_with_limited_range() {
    require_x264!();
    let folder = tempfile::tempdir().unwrap();
    for (encoder, format) in
        [("openh264", "mp4"), ("openh264", "flv"), ("x264", "mkv"), ("x265", "mp4")]
    {
        let file = folder.path().join(format!("{encoder}.{format}"));
        let more = ["--encoder", encoder, "--duration", "2s", "--record", file.to_str().unwrap()];
        let mut onair = Onair::start(&[&TEST[..], &more].concat());
        assert_eq!(onair.peer.wait(LIMIT).code(), Some(0), "{}", onair.peer.errors());
        let probe = ffmpeg::probe(&file);
        let video = probe.stream("video");
        assert_eq!(video["color_range"], "tv", "{encoder} {format}");
        for field in ["color_space", "color_transfer", "color_primaries"] {
            assert_eq!(video[field], "bt709", "{encoder} {format}: {field}");
        }
    }
}

/// Returns the size of the video of a file.
fn size_of(file: &Path) -> (u64, u64) {
    let probe = ffmpeg::probe(file);
    let video = probe.stream("video");
    (video["width"].as_u64().unwrap(), video["height"].as_u64().unwrap())
}

#[test]
fn a_recording_is_larger_or_smaller_than_the_stream_beside_it() {
    peers::require!("ffmpeg", "ffprobe");
    for (wanted, recorded) in [("960x540", (960, 540)), ("320x400", (320, 180))] {
        let folder = tempfile::tempdir().unwrap();
        let (sent, file) = (folder.path().join("sent.flv"), folder.path().join("show.mkv"));
        let port = peers::free_port();
        let _server = ffmpeg::receive(port, &sent);
        let url = format!("rtmp://127.0.0.1:{port}/live/stream");
        let own = ["--record", file.to_str().unwrap(), "--record-size", wanted];
        let more = ["--to", &url, "--duration", "4s", "--encoder", "openh264"];
        let tall = folder.path().join("tall.mkv");
        let canvas = ["--canvas", "180x320", "--record", tall.to_str().unwrap()];
        let mut onair = Onair::start(&[&TEST[..], &own, &more, &canvas].concat());
        assert_eq!(onair.peer.wait(LIMIT * 2).code(), Some(0), "{}", onair.peer.errors());
        assert_eq!(size_of(&file), recorded, "{wanted}");
        assert_eq!(size_of(&sent), (480, 270), "{wanted}");
        assert_eq!(size_of(&tall), (180, 320), "{wanted}");
        video_bitrate(&file);
        assert_eq!(of_recording(&onair).len(), 1);
    }
}
