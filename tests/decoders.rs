//! Tests of codecs that onair decodes with the FFmpeg libraries of the system (feature `ffmpeg`).
//! Without the feature, onair must name each codec that it cannot decode and say what the user can
//! do.

#[cfg(feature = "ffmpeg")]
mod decoded;
#[cfg(feature = "ffmpeg")]
mod packets;

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::peers::{self, LIMIT, Peer};
use bytes::BytesMut;
use onair::decode::inventory;
use onair::media::{AudioCodec, Track, VideoCodec};
use onair::text::{Language, Problem};
use onair::wire::container::flv;
use onair::wire::container::flv::TagKind;

const PICTURE: &str = "testsrc2=size=320x180:rate=25";

/// Makes a file of one second with ffmpeg.
fn make(folder: &Path, name: &str, input: &str, options: &[&str]) -> PathBuf {
    let path = folder.join(name);
    let words = ["-hide_banner", "-nostdin", "-y", "-v", "error", "-f", "lavfi", "-i", input];
    let words = words.iter().chain(&["-t", "1"]).chain(options).copied();
    Peer::start("ffmpeg", words.chain([path.to_str().unwrap()])).wait_success(LIMIT);
    path
}

#[test]
fn every_codec_has_a_decoder_or_a_reason() {
    let all = inventory::all();
    assert_eq!(all.len(), VideoCodec::ALL.len() + AudioCodec::ALL.len());
    for entry in &all {
        match &entry.by {
            Ok(by) => assert!(!by.is_empty(), "{entry:?}"),
            Err(lack) => {
                let text = Language::English.say_with_cure(&Problem::from(*lack));
                assert!(text.len() > lack.to_string().len(), "{text}");
            }
        }
    }
    // The decoders built into onair need no system library.
    for own in ["H.264", "AAC", "MP3", "Opus", "FLAC", "PCM"] {
        assert!(all.iter().any(|entry| entry.codec == own && entry.by.is_ok()), "{own}");
    }
    let output = Command::new(env!("CARGO_BIN_EXE_onair")).args(["devices", "--json"]).output();
    let list: serde_json::Value = serde_json::from_slice(&output.unwrap().stdout).unwrap();
    let decoders = list["decoders"].as_array().unwrap();
    assert_eq!(decoders.len(), all.len());
    let hevc = decoders.iter().find(|it| it["codec"] == "HEVC").unwrap();
    let (by, why) = (hevc["by"].as_str(), hevc["why"].as_str());
    if cfg!(feature = "ffmpeg") {
        assert!(by.unwrap().starts_with("FFmpeg") && why.is_none(), "{hevc}");
        assert!(inventory::ffmpeg_version().is_ok());
    } else {
        assert!(by.is_none() && why.unwrap().contains("without FFmpeg"), "{hevc}");
    }
    let output =
        Command::new(env!("CARGO_BIN_EXE_onair")).args(["devices", "--lang", "en"]).output();
    let text = String::from_utf8(output.unwrap().stdout).unwrap();
    let hevc = by.map(|by| format!("HEVC  ({by})"));
    let encoders = ["H.264  (OpenH264, --encoder openh264)", "AAC  (FDK-AAC)"];
    for line in encoders.into_iter().chain(hevc.as_deref()) {
        assert!(text.contains(line) && !line.contains("))"), "{line}: {text}");
    }
    // Test machines have no graphics hardware, and the list says so; a machine that has some names
    // it.
    let hardware = &list["decoding_hardware"];
    assert!(hardware["name"].is_string() || hardware["why"].is_string(), "{list}");
    assert!(all.iter().any(|entry| entry.track == Track::Audio));
}

/// These are about a hundred files, which would cost every start memory and time.
#[test]
fn the_libraries_are_not_loaded_before_something_needs_them() {
    let mut server =
        peers::Onair::start(&["serve", "--rtmp", "127.0.0.1:0", "--http", "127.0.0.1:0"]);
    server.wait_named("ready");
    let maps = std::fs::read_to_string(format!("/proc/{}/maps", server.peer.id())).unwrap();
    assert!(maps.contains("libc.so"), "{maps}");
    assert!(!maps.contains("libavcodec") && !maps.contains("libswscale"), "{maps}");
    server.stop(LIMIT);
}

/// A folder of files that have the names of FFmpeg libraries and are none; the loader finds them
/// first.
fn without_libraries() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for major in 57..100 {
        std::fs::write(folder.path().join(format!("libavutil.so.{major}")), "no library").unwrap();
    }
    folder
}

#[cfg(feature = "ffmpeg")]
#[test]
fn libraries_that_cannot_be_loaded_are_named_with_what_to_do() {
    let folder = without_libraries();
    let output = Command::new(env!("CARGO_BIN_EXE_onair"))
        .arg("devices")
        .env("LD_LIBRARY_PATH", folder.path())
        .output()
        .unwrap();
    let stdout = String::from_utf8_lossy(&output.stdout);
    let line = stdout.lines().find(|line| line.contains("none for") && line.contains("HEVC"));
    let line = line.unwrap_or_else(|| panic!("{stdout}"));
    assert!(
        line.contains("not installed") && line.contains("version of the FFmpeg libraries"),
        "{line}"
    );
    assert!(!line.contains("H.264"), "{line}");
}

/// Applies to a build without FFmpeg, and to one whose libraries cannot be loaded.
#[test]
fn what_cannot_be_decoded_is_named_with_what_to_do() {
    peers::require!("ffmpeg");
    let folder = tempfile::tempdir().unwrap();
    let hidden = without_libraries();
    let words = if cfg!(feature = "ffmpeg") {
        ["not installed", "version of the FFmpeg libraries"]
    } else {
        ["does not include the FFmpeg libraries", "feature `ffmpeg`"]
    };
    for (name, codec, options) in [
        ("a.mp4", "HEVC", &["-c:v", "libx265", "-x265-params", "log-level=none"][..]),
        ("b.mkv", "VP8", &["-c:v", "libvpx", "-deadline", "realtime"]),
        ("c.flv", "Sorenson H.263", &["-c:v", "flv"]),
    ] {
        let file = make(folder.path(), name, PICTURE, options);
        let output = Command::new(env!("CARGO_BIN_EXE_onair"))
            .args(["play", file.to_str().unwrap(), "--headless"])
            .env("LD_LIBRARY_PATH", hidden.path())
            .output()
            .unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(5), "{codec}: {errors}");
        assert!(errors.contains(&format!("{codec} video")), "{errors}");
        assert!(words.iter().all(|words| errors.contains(words)), "{errors}");
    }
}

/// An audio track that cannot be decoded never plays as silence.
#[test]
fn an_audio_file_without_a_decoder_is_refused_by_the_name_of_its_codec() {
    let folder = tempfile::tempdir().unwrap();
    let hidden = without_libraries();
    let speex = folder.path().join("speex.flv");
    let mut bytes = BytesMut::from(&flv::file_header(false, true)[..]);
    for frame in 0..100 {
        flv::write_tag(TagKind::Audio, frame * 20, &[0xB2, 0x1E, 0x9D, 0x66], &mut bytes);
    }
    std::fs::write(&speex, &bytes).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_onair"))
        .args(["play", speex.to_str().unwrap(), "--headless"])
        .env("LD_LIBRARY_PATH", hidden.path())
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(5), "{errors}");
    assert!(errors.contains("Speex"), "{errors}");
}
