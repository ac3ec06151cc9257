//! Tests of `onair remux` with every codec between all three formats. An ffmpeg with Enhanced RTMP
//! (see `enhanced`) makes and reads the files. The packets must be the same, keep their times and
//! decode. If a format cannot carry a codec, `onair remux` must report it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::enhanced::new_ffmpeg;
use crate::peers;

/// A packet: PTS and DTS in seconds, size and hash.
type Packet = (f64, f64, String);

fn run(command: &mut Command) -> Output {
    command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"))
}

fn make(ffmpeg: &Path, file: &Path, words: &[&str]) {
    let mut command = Command::new(ffmpeg);
    command.args(["-hide_banner", "-nostdin", "-v", "error", "-y"]);
    command.args(["-f", "lavfi", "-i", "testsrc2=size=320x180:rate=30000/1001"]);
    command.args(["-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000", "-t", "1.5"]);
    command.args(["-pix_fmt", "yuv420p", "-ac", "2"]).args(words).arg(file);
    let output = run(&mut command);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// The packets of each type of stream.
fn packets(ffmpeg: &Path, file: &Path) -> BTreeMap<String, Vec<Packet>> {
    let mut command = Command::new(ffmpeg);
    command.args(["-hide_banner", "-nostdin", "-v", "error", "-copyts", "-i"]).arg(file);
    command.args(["-map", "0", "-c", "copy", "-f", "framehash", "-hash", "crc32", "-"]);
    let output = run(&mut command);
    assert!(output.stderr.is_empty(), "{file:?}: {}", String::from_utf8_lossy(&output.stderr));
    let (mut bases, mut kinds, mut found) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        if let Some((stream, base)) = line.strip_prefix("#tb ").and_then(|it| it.split_once(": ")) {
            let (num, den) = base.split_once('/').unwrap();
            let base = num.parse::<f64>().unwrap() / den.parse::<f64>().unwrap();
            bases.insert(stream.to_owned(), base);
        } else if let Some(rest) = line.strip_prefix("#media_type ") {
            let (stream, kind) = rest.split_once(": ").unwrap();
            kinds.insert(stream.to_owned(), kind.to_owned());
        } else if !line.starts_with('#') {
            let fields: Vec<_> = line.split(',').map(str::trim).collect();
            let [stream, dts, pts, _, size, hash, ..] = fields[..] else { panic!("{line}") };
            let time = |ticks: &str| ticks.parse::<f64>().unwrap() * bases[stream];
            let packet = (time(pts), time(dts), format!("{size} {hash}"));
            found.entry(kinds[stream].clone()).or_insert_with(Vec::new).push(packet);
        }
    }
    found
}

fn decodes(ffmpeg: &Path, file: &Path) {
    let mut command = Command::new(ffmpeg);
    command.args(["-hide_banner", "-nostdin", "-v", "error", "-i"]).arg(file);
    let output = run(command.args(["-map", "0", "-f", "null", "-"]));
    let errors = String::from_utf8_lossy(&output.stderr);
    // The complaint of FFmpeg's own muxer about milliseconds, which it also makes about its own
    // files.
    let errors: Vec<_> = errors.lines().filter(|line| !line.contains("monotonically")).collect();
    assert!(output.status.success() && errors.is_empty(), "{file:?}: {errors:?}");
}

fn remux(from: &Path, to: &Path, more: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_onair"));
    let output = run(command.arg("remux").args([from, to]).args(more));
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

/// An order in which each format follows each other format.
const WAYS: [&str; 6] = ["mp4", "mkv", "flv", "mkv", "mp4", "flv"];
const X265: [&str; 4] = ["-preset", "ultrafast", "-x265-params", "log-level=none:keyint=15"];
const VP9: [&str; 6] = ["-deadline", "realtime", "-cpu-used", "8", "-g", "15"];

#[test]
fn every_codec_goes_every_way_and_keeps_its_times() {
    let Some(ffmpeg) = new_ffmpeg() else { return };
    let folder = tempfile::tempdir().unwrap();
    let hevc = [&["-c:v", "libx265"], &X265[..]].concat();
    let av1 = ["-c:v", "libsvtav1", "-preset", "12", "-g", "15"];
    let vp9 = [&["-c:v", "libvpx-vp9"], &VP9[..]].concat();
    // Reordered frames, and audio that begins before zero.
    let h264 = ["-c:v", "libx264", "-preset", "veryfast", "-bf", "3", "-g", "30"];
    let sources: [(&str, &[&str], &str); 6] = [
        ("hevc-ac3.mp4", &hevc, "ac3"),
        ("hevc-eac3.flv", &hevc, "eac3"),
        ("av1-opus.mp4", &av1, "libopus"),
        ("vp9-flac.mkv", &vp9, "flac"),
        ("vp9-opus.mkv", &vp9, "libopus"),
        ("h264-aac.mp4", &h264, "aac"),
    ];
    for (name, video, audio) in sources {
        let source = folder.path().join(name);
        make(&ffmpeg, &source, &[video, &["-c:a", audio]].concat());
        let expected = packets(&ffmpeg, &source);
        assert_eq!(expected.keys().collect::<Vec<_>>(), ["audio", "video"], "{name}");
        let mut last = source.clone();
        for (n, format) in WAYS.into_iter().enumerate() {
            let next = folder.path().join(format!("{name}-{n}.{format}"));
            assert_eq!(remux(&last, &next, &[]), (Some(0), String::new()), "{next:?}");
            let found = packets(&ffmpeg, &next);
            decodes(&ffmpeg, &next);
            // MP4 to MP4 is exact. FLV has no negative times, so it shifts all times by whole
            // milliseconds.
            let exact = n == 0 && name.ends_with("mp4");
            let moved = (found["video"][0].0 - expected["video"][0].0) * 1_000.0;
            let mut shift = (moved / 1_000.0, if exact { 1e-6 } else { 0.0011 });
            if exact || (n < 2 && !name.ends_with("flv")) {
                assert!(moved.abs() <= 1.0, "{next:?}: moved by {moved} ms");
                shift.0 = 0.0;
            }
            for (kind, packets) in &expected {
                let of = |packets: &[Packet]| -> Vec<String> {
                    packets.iter().map(|(.., data)| data.clone()).collect()
                };
                assert_eq!(of(&found[kind]), of(packets), "{next:?} {kind}");
                for (n, (a, b)) in packets.iter().zip(&found[kind]).enumerate() {
                    let pts = (b.0 - a.0 - shift.0).abs();
                    // Matroska stores no DTS.
                    let dts = if exact { (b.1 - a.1).abs() } else { 0.0 };
                    assert!(pts.max(dts) <= shift.1, "{next:?} {kind} {n}: {a:?} {b:?}");
                }
            }
            last = next;
        }
    }
}

#[test]
fn a_copy_keeps_the_colors_and_languages_of_the_container() {
    peers::require!("ffprobe");
    let Some(ffmpeg) = new_ffmpeg() else { return };
    let folder = tempfile::tempdir().unwrap();
    // VP9 frames contain neither primaries nor a transfer function.
    let filter = "setparams=color_primaries=bt2020:color_trc=smpte2084:colorspace=bt2020nc";
    let video = [&["-vf", filter, "-c:v", "libvpx-vp9"], &VP9[..]].concat();
    let mut last = folder.path().join("film.mkv");
    let audio = ["-c:a", "libopus", "-metadata:s:a:0", "language=fra"];
    make(&ffmpeg, &last, &[&video[..], &audio].concat());
    let declared = |file: &Path| {
        let json = peers::ffmpeg::probe(file).json;
        let streams = json["streams"].as_array().unwrap();
        let of = |kind| streams.iter().find(|stream| stream["codec_type"] == kind).unwrap();
        let (video, audio) = (of("video"), of("audio"));
        [&video["color_primaries"], &video["color_transfer"], &audio["tags"]["language"]]
            .map(|value| value.as_str().unwrap_or_default().to_owned())
    };
    let expected = ["bt2020", "smpte2084", "fra"];
    assert_eq!(declared(&last), expected);
    for name in ["film.mp4", "again.mp4", "again.mkv", "third.mkv"] {
        let next = folder.path().join(name);
        assert_eq!(remux(&last, &next, &[]), (Some(0), String::new()), "{next:?}");
        assert_eq!(declared(&next), expected, "{next:?}");
        last = next;
    }
    let flv = folder.path().join("film.flv");
    let mut command = Command::new(env!("CARGO_BIN_EXE_onair"));
    let output = run(command.args(["--json", "remux"]).args([&last, &flv]));
    let report = String::from_utf8_lossy(&output.stdout);
    for text in ["HDR metadata that is stored only in the container", "audio track languages"] {
        assert!(report.contains(text), "{report}");
    }
}

#[test]
fn unsupported_content_is_an_error_unless_it_is_named() {
    peers::require!("ffmpeg");
    let folder = tempfile::tempdir().unwrap();
    let name = |name: &str| -> PathBuf { folder.path().join(name) };
    let text = name("lines.srt");
    std::fs::write(&text, "1\n00:00:00,000 --> 00:00:01,000\nHello\n").unwrap();
    let film = name("film.mkv");
    let text = text.to_str().unwrap();
    let mut command = Command::new("ffmpeg");
    command.args(["-hide_banner", "-nostdin", "-v", "error", "-y"]);
    command.args(["-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25:duration=1"]);
    command.args(["-f", "lavfi", "-i", "sine=sample_rate=48000:duration=1", "-i", text]);
    command.args(["-map", "0", "-map", "1", "-map", "1", "-map", "2", "-c:v", "libx264"]);
    command.args(["-c:a:0", "aac", "-c:a:1", "pcm_s16le", "-c:s", "srt", "-ac", "2"]).arg(&film);
    let output = run(&mut command);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let to = name("film.mp4");
    let (code, errors) = remux(&film, &to, &[]);
    assert_eq!(code, Some(5), "{errors}");
    for word in
        ["film.mp4 cannot contain", "S_TEXT", "PCM", "(command line: --drop ", "subtitles", "audio"]
    {
        assert!(errors.contains(word), "{word}: {errors}");
    }
    assert!(!to.exists());
    assert_eq!(remux(&film, &to, &["--drop", "subtitles"]).0, Some(5));
    assert_eq!(remux(&film, &to, &["--drop", "subtitles", "--drop", "audio"]).0, Some(0));
    let found = packets(Path::new("ffmpeg"), &to);
    // The audio track, which the format can hold, is in the file.
    assert_eq!(found.keys().collect::<Vec<_>>(), ["audio", "video"]);
    assert_eq!(found["video"].len(), 25);
}
