//! HEVC and AV1 of the user's libraries: recordings and streams that others decode, targets that do
//! not take these codecs, and libraries that are too old. The libraries come from the wheel of
//! PyAV, in the Python that `ONAIR_AIORTC` names.

use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use crate::encoders::video_encoders;
use crate::enhanced::new_ffmpeg;
use crate::peers::{self, LIMIT, Nginx, Onair, Peer, ffmpeg};

/// Returns a folder with the libraries of FFmpeg 8 from PyAV, or `None` (with a message) if there
/// are none.
pub(crate) fn libraries() -> Option<TempDir> {
    let python = peers::fetched("ONAIR_AIORTC")?;
    let script = "import av, pathlib; print(pathlib.Path(av.__file__).parent.parent / 'av.libs')";
    let output = Command::new(&python).args(["-c", script]).output().unwrap();
    let place = String::from_utf8(output.stdout).unwrap();
    let folder = tempfile::tempdir().unwrap();
    for library in std::fs::read_dir(place.trim()).expect("PyAV has libraries") {
        let path = library.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        symlink(&path, folder.path().join(name)).unwrap();
        // The wheel adds a hash to the names: libavcodec-5e6b81c2.so.62.28.102.
        if let Some((_, version)) = name.split_once(".so.").filter(|_| name.contains("avcodec")) {
            let major = version.split('.').next().unwrap();
            symlink(&path, folder.path().join(format!("libavcodec.so.{major}"))).unwrap();
        }
    }
    Some(folder)
}

fn listed(encoder: &str, variables: &[(&str, &str)]) -> Value {
    let all = video_encoders(variables).into_iter();
    all.clone().find(|it| it["name"] == encoder).unwrap_or_else(|| panic!("{encoder} in {all:?}"))
}

fn live<'a>(encoder: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let words = ["live", "--video", "test", "--audio", "tone", "--size", "480x270"];
    [&words[..], &["--video-bitrate", "800k", "--encoder", encoder], more].concat()
}

#[test]
fn hevc_and_av1_are_recorded_so_that_ffmpeg_decodes_them_without_a_warning() {
    peers::require!("ffmpeg", "ffprobe");
    let Some(libraries) = libraries() else { return };
    let variables = [("LD_LIBRARY_PATH", libraries.path().to_str().unwrap())];
    for (encoder, codec, shown) in [("x265", "hevc", "HEVC"), ("svt-av1", "av1", "AV1")] {
        let known = listed(encoder, &variables);
        let found = (&known["available"], &known["codec"]);
        assert_eq!(found, (&true.into(), &shown.into()), "{known}");
        for (format, mode) in [("mkv", "cbr"), ("mp4", "crf=28"), ("flv", "vbr")] {
            let folder = tempfile::tempdir().unwrap();
            let file = folder.path().join(format!("show.{format}"));
            let more = ["--rate-control", mode, "--duration", "4s", "--record"];
            let words = live(encoder, &[&more[..], &[file.to_str().unwrap()]].concat());
            let mut onair = Onair::start_with(&words, &variables);
            let event = onair.wait_event("the encoder", |event| {
                event["event"] == "encoder" && event["track"] == "video"
            });
            assert_eq!((&event["name"], &event["profile"]), (&encoder.into(), &"Main".into()));
            let level = event["level"].as_str().unwrap().parse::<f64>();
            assert!(level.is_ok_and(|level| (2.0..4.0).contains(&level)), "{event}");
            assert_eq!(onair.peer.wait(LIMIT).code(), Some(0), "{}", onair.peer.errors());
            // ffmpeg 5.1 reads no HEVC and no AV1 in FLV.
            let reader = if format == "flv" { new_ffmpeg() } else { Some("ffmpeg".into()) };
            let Some(reader) = reader else { continue };
            assert_eq!(decoded(&reader, &file), "", "{encoder} {format}");
            if format == "flv" {
                continue;
            }
            let probe = ffmpeg::probe(&file);
            assert_eq!(probe.warnings, "", "{encoder} {format}");
            let video = probe.stream("video");
            assert_eq!(video["codec_name"], codec);
            assert_eq!((&video["width"], &video["height"]), (&480.into(), &270.into()));
            assert_eq!(video["color_space"], "bt709", "{video}");
            let packets = probe.packets("video");
            assert!(packets.len() > 60, "{} packets", packets.len());
            assert!(packets.is_sorted_by(|one, next| one.pts < next.pts), "{packets:?}");
            let keyframes = packets.iter().filter(|it| it.keyframe);
            let keyframes: Vec<f64> = keyframes.map(|it| it.pts - packets[0].pts).collect();
            for wanted in [0.0, 2.0] {
                assert!(keyframes.iter().any(|it| (it - wanted).abs() < 0.5), "{keyframes:?}");
            }
        }
    }
}

/// Decodes a whole file with this ffmpeg, and returns its warnings.
pub(super) fn decoded(ffmpeg: &Path, file: &Path) -> String {
    let mut command = Command::new(ffmpeg);
    command.args(["-hide_banner", "-nostdin", "-v", "warning", "-xerror", "-i"]).arg(file);
    let mut peer = Peer::start_command(command.args(ffmpeg::DECODE_ONLY));
    peer.wait_success(LIMIT * 2);
    peer.errors()
}

#[test]
fn a_server_that_says_that_it_takes_hevc_gets_it_and_another_one_gets_h264() {
    peers::require!("nginx", "ffmpeg", "ffprobe");
    let (Some(libraries), Some(ffmpeg_8)) = (libraries(), new_ffmpeg()) else { return };
    let variables = [("LD_LIBRARY_PATH", libraries.path().to_str().unwrap())];
    let mut server = Onair::start(&["serve", "--rtmp", "127.0.0.1:0", "--http", "none"]);
    let address = server.wait_named("ready")["rtmp"].as_str().unwrap().to_owned();
    let nginx = Nginx::start();
    let (ours, theirs) = (format!("{address}/live/show"), nginx.url("recorded", "show"));
    let folder = tempfile::tempdir().unwrap();
    let record = folder.path().join("show.mkv");
    let record = record.to_str().unwrap();
    let words = live("auto", &["--video-codec", "hevc", "--to", &ours, "--to", &theirs]);
    let words = [&words[..], &["--record", record]].concat();
    let mut onair = Onair::start_with(&words, &variables);
    let replaced = onair.wait_event("the notice", |event| {
        event["event"] == "notice" && event["summary"].to_string().contains("H.264")
    });
    assert!(replaced["summary"].to_string().contains("HEVC"), "{replaced}");
    nginx.wait_published("show");
    // A viewer of onair's server that has never seen the studio.
    let seen = folder.path().join("seen.mkv");
    let mut viewer = Command::new(&ffmpeg_8);
    viewer.args(["-hide_banner", "-nostdin", "-v", "error", "-i", &ours, "-t", "3", "-c", "copy"]);
    Peer::start_command(viewer.arg(&seen)).wait_success(ffmpeg::limit(10));
    onair.peer.interrupt();
    assert_eq!(onair.peer.wait(LIMIT).code(), Some(0), "{}", onair.peer.errors());
    nginx.wait_unpublished("show");
    let codec = |file: &Path| ffmpeg::probe(file).stream("video")["codec_name"].clone();
    assert_eq!((codec(&seen), codec(Path::new(record))), ("hevc".into(), "hevc".into()));
    assert_eq!(decoded(&ffmpeg_8, &seen), "");
    let received = nginx.recordings().join("show.flv");
    assert_eq!((codec(&received), ffmpeg::decode(&received)), ("h264".into(), String::new()));
}

#[test]
fn a_library_that_is_too_old_and_an_encoder_of_another_codec_are_refused_with_the_reason() {
    let known = listed("svt-av1", &[]);
    if known["available"] == true {
        peers::skipped_even_in_ci("this computer's SVT-AV1 is not too old");
    } else {
        let reason = known["reason"].as_str().unwrap();
        let is_named = ["too old", "without this encoder", "not installed", "cannot load"];
        assert!(is_named.iter().any(|it| reason.contains(it)), "{reason}");
    }
    let mut onair = Onair::start(&live("x264", &["--video-codec", "av1", "--record", "a.mkv"]));
    assert_eq!(onair.peer.wait(LIMIT).code(), Some(2));
    let errors = onair.peer.errors() + &onair.peer.output();
    assert!(errors.contains("x264") && errors.contains("av1"), "{errors}");
}
