//! Encoders of graphics cards without a graphics card: a stand-in for NVIDIA's driver
//! (`nvenc_stub.c`), which FFmpeg's own code calls. It works, is full, refuses a rate control,
//! crashes, hangs and is too old.

use std::path::Path;
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use crate::encoders::{notice, video_encoders};
use crate::peers::{self, LIMIT, Onair, ffmpeg};

const STUB: &str = include_str!("nvenc_stub.c");
const WRITER: &str = include_str!("h264_stub.h");

/// Returns a folder with the driver's libraries, or `None` (with a message) if they cannot be built.
fn driver() -> Option<TempDir> {
    if peers::missing(&["cc", "ffmpeg", "ffprobe"]) {
        return None;
    }
    if !Path::new("/usr/include/ffnvcodec/nvEncodeAPI.h").exists() {
        peers::skipped("no nvEncodeAPI.h (libffmpeg-nvenc-dev)");
        return None;
    }
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("stub.c");
    std::fs::write(&source, STUB).unwrap();
    std::fs::write(folder.path().join("h264_stub.h"), WRITER).unwrap();
    for (library, define) in [("libcuda.so.1", "-DCUDA"), ("libnvidia-encode.so.1", "-DNVENC")] {
        let mut command = Command::new("cc");
        command.args(["-w", "-O1", "-shared", "-fPIC", define, "-o"]);
        let status = command.arg(folder.path().join(library)).arg(&source).status().unwrap();
        assert!(status.success());
    }
    let nvenc = listed(&folder, "works", "h264-nvenc");
    if nvenc["reason"].to_string().contains("without this encoder") {
        peers::skipped_even_in_ci("this computer's FFmpeg has no NVENC");
        return None;
    }
    Some(folder)
}

fn listed(driver: &TempDir, mode: &str, encoder: &str) -> Value {
    let path = driver.path().to_str().unwrap();
    let all = video_encoders(&[("LD_LIBRARY_PATH", path), ("CUDA_STUB_MODE", mode)]);
    all.into_iter().find(|it| it["name"] == encoder).expect("the encoder is listed")
}

/// Starts a broadcast that is recorded into this file.
fn live(driver: &TempDir, mode: &str, file: &Path, more: &[&str]) -> Onair {
    let path = driver.path().to_str().unwrap();
    let words = ["live", "--video", "test", "--audio", "tone", "--size", "480x270"];
    let more_words = ["--encoder", "h264-nvenc", "--record", file.to_str().unwrap()];
    let words = [&words[..], &more_words, more].concat();
    Onair::start_with(&words, &[("LD_LIBRARY_PATH", path), ("CUDA_STUB_MODE", mode)])
}

#[test]
fn an_encoder_of_a_graphics_card_encodes_and_is_listed_with_its_reason_if_it_cannot() {
    let Some(driver) = driver() else { return };
    let works = listed(&driver, "works", "h264-nvenc");
    assert_eq!((&works["available"], &works["hardware"]), (&true.into(), &true.into()), "{works}");
    assert!(works["presets"].as_array().unwrap().contains(&"p5".into()), "{works}");
    let reason = |mode: &str, encoder: &str| {
        let found = listed(&driver, mode, encoder);
        assert_eq!(found["available"], false, "{found}");
        found["reason"].as_str().unwrap().to_owned()
    };
    let full = reason("memory", "h264-nvenc");
    assert!(full.contains("OpenEncodeSessionEx failed: out of memory (10)"), "{full}");
    let old = reason("version", "h264-nvenc");
    assert!(old.contains("API version") || old.contains("driver"), "{old}");
    // The stand-in encodes only H.264.
    assert!(!reason("works", "hevc-nvenc").is_empty());
    let folder = tempfile::tempdir().unwrap();
    // A driver without CBR gets VBR.
    for (mode, used) in [("works", "asked for"), ("cbr", "uses vbr")] {
        let file = folder.path().join(format!("{mode}.mkv"));
        let mut onair = live(&driver, mode, &file, &["--duration", "4s"]);
        let encoder = onair.wait_event("the encoder", |event| {
            event["event"] == "encoder" && event["track"] == "video"
        });
        assert_eq!((&encoder["name"], &encoder["preset"]), (&"h264-nvenc".into(), &"p5".into()));
        assert!(encoder["why"].to_string().contains(used), "{encoder}");
        assert_eq!(onair.peer.wait(LIMIT).code(), Some(0), "{}", onair.peer.errors());
        assert_eq!(ffmpeg::decode(&file), "");
        let packets = ffmpeg::probe(&file).packets("video");
        assert!(packets.len() > 60, "{} packets", packets.len());
        let keyframes = packets.iter().filter(|it| it.keyframe).map(|it| it.pts - packets[0].pts);
        assert!(keyframes.into_iter().any(|at| (at - 2.0).abs() < 0.5));
    }
}

#[test]
fn a_driver_that_crashes_or_hangs_on_air_is_replaced_and_the_recording_goes_on() {
    let Some(driver) = driver() else { return };
    for mode in ["crash", "hang"] {
        let folder = tempfile::tempdir().unwrap();
        let mut onair = live(&driver, mode, &folder.path().join("show.mkv"), &[]);
        notice(&mut onair, "started it again");
        notice(&mut onair, "openh264 took over");
        let now = onair.events().last().and_then(|event| event["t"].as_f64()).unwrap();
        onair.wait_event("some seconds", |event| {
            event["event"] == "stats" && event["t"].as_f64() > Some(now + 2.5)
        });
        onair.peer.interrupt();
        assert_eq!(onair.peer.wait(LIMIT).code(), Some(0), "{mode}: {}", onair.peer.errors());
        let files = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path());
        let mut frames = 0;
        for file in files {
            assert_eq!(ffmpeg::decode(&file), "", "{mode}: {file:?}");
            frames += ffmpeg::probe(&file).packets("video").len();
        }
        assert!(frames > 45, "{mode}: {frames} frames");
    }
}
