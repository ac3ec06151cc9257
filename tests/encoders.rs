//! Tests of the encoders of the system's libraries: the stream, the process that encodes it, what
//! happens when that process dies, and the reasons why an encoder is not there. The peer is Debian's
//! FFmpeg with x264.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::peers::{self, LIMIT, Onair, ffmpeg};
use serde_json::Value;

const X264: [&str; 11] = [
    "live",
    "--video",
    "test",
    "--audio",
    "tone",
    "--size",
    "480x270",
    "--video-bitrate",
    "800k",
    "--encoder",
    "x264",
];

/// Returns the video encoders of this computer, with these environment variables.
fn video_encoders(variables: &[(&str, &str)]) -> Vec<Value> {
    let mut onair = Onair::start_with(&["devices"], variables);
    onair.peer.wait_success(LIMIT);
    let list: Value = serde_json::from_str(&onair.peer.output()).unwrap();
    let all = list["encoders"].as_array().unwrap().iter();
    all.filter(|encoder| encoder["type"] == "video").cloned().collect()
}

fn x264(variables: &[(&str, &str)]) -> Value {
    let all = video_encoders(variables);
    all.into_iter().find(|encoder| encoder["name"] == "x264").expect("x264 is listed")
}

/// Ends the test if this computer has no x264.
macro_rules! require_x264 {
    () => {
        peers::require!("ffmpeg", "ffprobe");
        let found = $crate::encoders::x264(&[]);
        if found["available"] == false {
            assert!(peers::skipped(&format!("no x264: {}", found["reason"])));
            return;
        }
    };
}

mod audio;
mod b_frames;
pub(crate) mod codecs;
mod hardware;
mod recording;
mod renditions;
mod vaapi;

/// Returns the processes below a process, each with its command line.
fn below(process: u32) -> Vec<(u32, String)> {
    let children = fs::read_to_string(format!("/proc/{process}/task/{process}/children"));
    let children = children.unwrap_or_default();
    let children = children.split_whitespace().map(|number| number.parse::<u32>().unwrap());
    let with_descendants = |child: u32| {
        let words = fs::read_to_string(format!("/proc/{child}/cmdline")).unwrap_or_default();
        [(child, words.replace('\0', " "))].into_iter().chain(below(child))
    };
    children.flat_map(with_descendants).collect()
}

/// Returns the encoder's process of a broadcast, when there is one other than `old`.
fn encoder_of(onair: &Onair, old: Option<u32>) -> u32 {
    let (root, mut found) = (onair.peer.id(), None);
    peers::wait_for("an encoder process", LIMIT, || {
        let is_new = |(number, words): &(u32, String)| {
            words.contains("encoder-process") && Some(*number) != old
        };
        found = below(root).into_iter().find(is_new).map(|(number, _)| number);
        found.is_some()
    });
    found.unwrap()
}

fn kill(process: u32) {
    let status = Command::new("kill").args(["-9", &process.to_string()]).status().unwrap();
    assert!(status.success());
}

fn notice(onair: &mut Onair, summary: &str) -> Value {
    onair.wait_event(summary, |event| {
        let text = event["summary"].as_str().unwrap_or_default();
        event["event"] == "notice" && text.contains(summary)
    })
}

/// Returns the largest distance between two video packets in seconds.
fn largest_gap(packets: &[ffmpeg::Packet]) -> f64 {
    packets.windows(2).map(|pair| pair[1].pts - pair[0].pts).fold(0.0, f64::max)
}

#[test]
fn x264_encodes_in_a_confined_process_and_ffmpeg_decodes_without_a_warning() {
    require_x264!();
    for (mode, more) in [("cbr", "veryfast"), ("vbr", "ultrafast"), ("crf=24", "fast")] {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("show.mkv");
        let options = ["--preset", more, "--rate-control", mode, "--duration", "5s", "--record"];
        let words = [&X264[..], &options, &[file.to_str().unwrap()]].concat();
        let mut onair = Onair::start(&words);
        let encoder = onair.wait_event("the encoder", |event| {
            event["event"] == "encoder" && event["track"] == "video"
        });
        let named = (&encoder["name"], &encoder["preset"], &encoder["profile"]);
        assert_eq!(named, (&"x264".into(), &more.into(), &"High".into()));
        let process = encoder_of(&onair, None);
        let maps = |process: u32| fs::read_to_string(format!("/proc/{process}/maps")).unwrap();
        assert!(maps(process).contains("libx264"));
        assert!(!maps(onair.peer.id()).contains("libx264"), "in onair's own process");
        let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
        assert!(status.lines().any(|line| line == "Seccomp:\t2"), "{status}");
        assert_eq!(onair.peer.wait(LIMIT).code(), Some(0), "{}", onair.peer.errors());
        assert_eq!(ffmpeg::decode(&file), "");
        let probe = ffmpeg::probe(&file);
        assert_eq!(probe.warnings, "");
        let video = probe.stream("video");
        assert_eq!((&video["codec_name"], &video["has_b_frames"]), (&"h264".into(), &0.into()));
        assert_eq!(video["color_space"], "bt709", "{video}");
        let packets = probe.packets("video");
        // A loaded computer skips frames.
        assert!(packets.len() > 75, "{} packets", packets.len());
        assert!(packets.is_sorted_by(|one, next| one.pts < next.pts), "{packets:?}");
        let keyframes = packets.iter().filter(|it| it.keyframe).map(|it| it.pts - packets[0].pts);
        let keyframes: Vec<f64> = keyframes.collect();
        for wanted in [0.0, 2.0, 4.0] {
            assert!(keyframes.iter().any(|it| (it - wanted).abs() < 0.5), "{keyframes:?}");
        }
    }
}

#[test]
fn a_killed_encoder_costs_less_than_a_second_and_the_second_time_another_takes_over() {
    require_x264!();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("show.mkv");
    let words = [&X264[..], &["--record", file.to_str().unwrap()]].concat();
    let mut onair = Onair::start(&words);
    let seconds = |onair: &mut Onair, count: f64| {
        let now = onair.events().last().and_then(|event| event["t"].as_f64()).unwrap();
        onair.wait_event("some seconds", |event| {
            event["event"] == "stats" && event["t"].as_f64() > Some(now + count)
        });
    };
    onair.wait_named("encoder");
    let first = encoder_of(&onair, None);
    seconds(&mut onair, 2.5);
    kill(first);
    let again = notice(&mut onair, "started it again");
    assert!(again["advice"].as_str().is_some_and(|cure| !cure.is_empty()), "{again}");
    let second = encoder_of(&onair, Some(first));
    seconds(&mut onair, 2.5);
    kill(second);
    notice(&mut onair, "openh264 took over");
    seconds(&mut onair, 2.5);
    onair.peer.interrupt();
    assert_eq!(onair.peer.wait(LIMIT).code(), Some(0), "{}", onair.peer.errors());
    let files = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = files.collect();
    files.sort();
    let mut frames = 0;
    for file in &files {
        assert_eq!(ffmpeg::decode(file), "", "{file:?}");
        let packets = ffmpeg::probe(file).packets("video");
        assert!(largest_gap(&packets) <= 1.0, "{file:?}: {packets:?}");
        frames += packets.len();
    }
    assert!(frames > 7 * 30, "{frames} frames in {files:?}");
}

#[test]
fn a_library_that_is_no_such_library_has_its_reason_and_the_next_one_is_used() {
    require_x264!();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    let variables = [("LD_LIBRARY_PATH", path)];
    let put = |versions: &[u32], bytes: &[u8]| {
        for version in versions {
            fs::write(folder.path().join(format!("libavcodec.so.{version}")), bytes).unwrap();
        }
    };
    // A broken newer library does not hide a working older one.
    put(&[62], b"\x7fELF");
    assert_eq!(x264(&variables)["available"], true);
    put(&[59, 60, 61, 62], b"\x7fELF");
    let cut = x264(&variables);
    let reason = cut["reason"].as_str().unwrap();
    assert!(cut["available"] == false && reason.contains("cannot load"), "{cut}");
    assert!(reason.contains("Install FFmpeg again"), "the cure: {reason}");
    assert!(cut["speed_720p"].is_null(), "{cut}");
    let mathematics = ["/lib/x86_64-linux-gnu/libm.so.6", "/lib64/libm.so.6", "/usr/lib/libm.so.6"];
    let other = mathematics.iter().find(|path| Path::new(path).exists()).expect("libm");
    put(&[59, 60, 61, 62], &fs::read(other).unwrap());
    let reason = x264(&variables)["reason"].to_string();
    assert!(reason.contains("lacks the function avcodec_version"), "{reason}");
}

#[test]
fn a_library_of_an_unknown_version_or_that_ends_the_process_has_its_reason() {
    require_x264!();
    peers::require!("cc");
    let folder = tempfile::tempdir().unwrap();
    let variables = [("LD_LIBRARY_PATH", folder.path().to_str().unwrap())];
    let build = |code: &str, versions: &[u32]| {
        let source = folder.path().join("library.c");
        fs::write(&source, code).unwrap();
        for version in versions {
            let library = folder.path().join(format!("libavcodec.so.{version}"));
            let mut command = Command::new("cc");
            command.args(["-shared", "-fPIC", "-o"]).arg(library).arg(&source);
            assert!(command.status().unwrap().success());
        }
    };
    build(
        "unsigned avcodec_version(void) { return 63 << 16 | 1 << 8 | 100; }",
        &[59, 60, 61, 62, 63],
    );
    let reason = x264(&variables)["reason"].to_string();
    assert!(reason.contains("does not know version 63"), "{reason}");
    // Decoders load version 59 into onair's own process.
    fs::remove_file(folder.path().join("libavcodec.so.59")).unwrap();
    build(
        "#include <stdio.h>\n#include <unistd.h>\n\
         __attribute__((constructor)) static void start(void) { puts(\"hello\"); _exit(3); }",
        &[62],
    );
    let reason = x264(&variables)["reason"].to_string();
    assert!(reason.contains("crashed or was ended"), "{reason}");
    build(
        "#include <unistd.h>\n\
         __attribute__((constructor)) static void start(void) { sleep(60); }",
        &[62],
    );
    let reason = x264(&variables)["reason"].to_string();
    assert!(reason.contains("did not answer within 3 s"), "{reason}");
}

#[test]
fn an_encoder_that_is_not_there_or_does_not_fit_ends_the_command_with_the_reason() {
    require_x264!();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("show.mkv");
    let file = file.to_str().unwrap();
    for version in [59, 60, 61, 62] {
        fs::write(folder.path().join(format!("libavcodec.so.{version}")), b"\x7fELF").unwrap();
    }
    let words = [&X264[..], &["--record", file]].concat();
    let library = [("LD_LIBRARY_PATH", folder.path().to_str().unwrap())];
    let mut onair = Onair::start_with(&words, &library);
    assert_eq!(onair.peer.wait(LIMIT).code(), Some(5), "{}", onair.peer.errors());
    let failed = notice(&mut onair, "x264");
    assert!(failed["summary"].to_string().contains("cannot load"), "{failed}");
    // OpenH264 has no presets.
    let tuned =
        ["live", "--video", "test", "--audio", "none", "--preset", "fast", "--record", file];
    let mut onair = Onair::start(&tuned);
    assert_eq!(onair.peer.wait(LIMIT).code(), Some(5), "{}", onair.peer.errors());
    notice(&mut onair, "neither presets");
}
