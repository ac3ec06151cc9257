//! Several renditions on one RTMP connection, and the colors of a stream in Enhanced RTMP. The peers are
//! onair's own server and player, and an ffmpeg that reads several video tracks.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::encoders::notice;
use crate::enhanced::new_ffmpeg;
use crate::peers::{self, LIMIT, Onair, ffmpeg, free_port};

/// Small, because three encoders share a busy computer.
const TEST: [&str; 11] = [
    "live",
    "--video",
    "test",
    "--audio",
    "tone",
    "--size",
    "320x180",
    "--fps",
    "15",
    "--video-bitrate",
    "400k",
];

fn server() -> (Onair, String) {
    let mut server = Onair::start(&["serve", "--rtmp", "127.0.0.1:0", "--http", "127.0.0.1:0"]);
    let url = server.wait_named("ready")["rtmp"].as_str().unwrap().to_owned() + "/live/show";
    (server, url)
}

/// Returns the video streams of a file.
fn videos(file: &Path) -> Vec<Value> {
    let mut probe = Command::new("ffprobe");
    probe.args(["-v", "warning", "-show_streams", "-select_streams", "v", "-of", "json"]);
    let output = probe.arg(file).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    let value: Value = serde_json::from_slice(&output.stdout).unwrap();
    value["streams"].as_array().unwrap().clone()
}

/// Returns the times of the packets of a video track, with the keyframes.
fn packets(file: &Path, track: usize) -> Vec<(f64, bool)> {
    let mut probe = Command::new("ffprobe");
    let track = format!("v:{track}");
    probe.args(["-v", "error", "-show_packets", "-select_streams", &track, "-of", "json"]);
    let output = probe.arg(file).output().unwrap();
    let value: Value = serde_json::from_slice(&output.stdout).unwrap();
    let all = value["packets"].as_array().unwrap().iter();
    let time = |it: &Value| it["dts_time"].as_str().or(it["pts_time"].as_str()).unwrap().parse();
    all.map(|it| (time(it).unwrap(), it["flags"].as_str().unwrap().contains('K'))).collect()
}

#[test]
fn a_server_that_takes_several_renditions_gets_them_on_one_connection() {
    peers::require!("ffmpeg", "ffprobe");
    let Some(new_ffmpeg) = new_ffmpeg() else { return };
    let folder = tempfile::tempdir().unwrap();
    let (saved, remuxed) = (folder.path().join("saved.flv"), folder.path().join("saved.mkv"));
    let (mut server, url) = server();
    let words = ["play", &url, "--headless", "--mute", "--save", saved.to_str().unwrap()];
    let mut player = Onair::start(&words);
    server.wait_event("the player", |event| event["event"] == "join");
    let more = ["--encoder", "openh264", "--to", &url, "--duration", "9s"];
    let renditions = ["--target-rendition", "160x90@100k", "--target-rendition", "240x200"];
    let mut live = Onair::start(&[&TEST[..], &more, &renditions].concat());
    assert_eq!(live.peer.wait(LIMIT * 2).code(), Some(0), "{}", live.peer.errors());
    server.wait_event("the end", |event| event["event"] == "unpublish");
    player.stop(LIMIT);
    let mut command = Command::new(new_ffmpeg);
    command.args(["-hide_banner", "-nostdin", "-v", "warning", "-y", "-i"]).arg(&saved);
    let output = command.args(["-map", "0", "-c", "copy"]).arg(&remuxed).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && errors.is_empty(), "{errors}");
    let sizes: Vec<_> =
        videos(&remuxed).iter().map(|it| (it["width"].clone(), it["height"].clone())).collect();
    let wanted: [(Value, Value); 3] = [(320, 180), (160, 90), (240, 134)]
        .map(|(width, height): (u32, u32)| (width.into(), height.into()));
    assert_eq!(sizes, wanted);
    let mut decoder = Command::new("ffmpeg");
    decoder.args(["-hide_banner", "-nostdin", "-v", "warning", "-xerror", "-i"]).arg(&remuxed);
    let output = decoder.args(["-map", "0:v"]).args(ffmpeg::DECODE_ONLY).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    let main = packets(&remuxed, 0);
    assert!(main.len() > 50, "{}", main.len());
    for track in [1, 2] {
        let all = packets(&remuxed, track);
        assert!(all.is_sorted_by(|one, next| one.0 < next.0), "{all:?}");
        // The renditions are those of the same frames. A loaded computer skips some, and drops those that are too late
        // up to the next keyframe.
        assert!(all[0].1 && all.len() > 10, "{} of {}", all.len(), main.len());
        let times = main.iter().map(|it| it.0);
        let is_one = |time: f64| times.clone().any(|main| (main - time).abs() < 0.002);
        let shared = all.iter().filter(|it| is_one(it.0)).count();
        assert!(shared * 2 > all.len(), "{shared} of {}", all.len());
    }
    assert!(server.stop(LIMIT).success());
}

#[test]
fn a_server_that_takes_one_rendition_gets_that_of_the_stream_and_the_user_reads_it() {
    peers::require!("ffmpeg", "ffprobe");
    let folder = tempfile::tempdir().unwrap();
    let (file, port) = (folder.path().join("got.flv"), free_port());
    let _server = ffmpeg::receive(port, &file);
    let url = format!("rtmp://127.0.0.1:{port}/live/stream");
    let more = ["--encoder", "openh264", "--to", &url, "--target-rendition", "160x90"];
    let mut live = Onair::start(&[&TEST[..], &more, &["--duration", "4s"]].concat());
    notice(&mut live, "one video track");
    assert_eq!(live.peer.wait(LIMIT * 2).code(), Some(0), "{}", live.peer.errors());
    let all = videos(&file);
    assert_eq!(all.len(), 1);
    assert_eq!((&all[0]["width"], &all[0]["height"]), (&320.into(), &180.into()));
}

/// Returns the number with this name in the `colorInfo` of an FLV file.
fn color_number(flv: &[u8], name: &str) -> Option<f64> {
    let at = flv.windows(9).position(|it| it == b"colorInfo")?;
    let info = &flv[at..flv.len().min(at + 400)];
    let after = info.windows(name.len()).position(|it| it == name.as_bytes())? + name.len();
    let number: [u8; 8] = info.get(after + 1..after + 9)?.try_into().ok()?;
    (info[after] == 0).then(|| f64::from_be_bytes(number))
}

#[test]
fn viewers_of_hevc_get_the_colors_of_the_program_and_of_a_file_in_hdr() {
    require_x264!();
    let folder = tempfile::tempdir().unwrap();
    let film = folder.path().join("hdr.mp4");
    let mut make = Command::new("ffmpeg");
    make.args(["-hide_banner", "-nostdin", "-v", "error", "-f", "lavfi", "-i"]);
    make.args(["testsrc2=size=320x180:rate=25,format=yuv420p10le", "-t", "10", "-c:v", "libx265"]);
    let params = "log-level=none:keyint=50:bframes=0:colorprim=bt2020:transfer=smpte2084:\
        colormatrix=bt2020nc:max-cll=1000,400:hdr10=1";
    make.args(["-preset", "ultrafast", "-x265-params", params, "-tag:v", "hvc1"]);
    let made = make.arg(&film).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let hevc = ["--encoder", "x265", "--preset", "ultrafast", "--duration", "60s"];
    let copy = ["live", "--copy", film.to_str().unwrap(), "--loop"];
    for (words, primaries, transfer, depth) in
        [([&TEST[..], &hevc].concat(), 1.0, 1.0, 8.0), (copy.to_vec(), 9.0, 16.0, 10.0)]
    {
        let (mut server, url) = server();
        let mut live = Onair::start(&[&words[..], &["--to", &url]].concat());
        server.wait_event("the stream", |event| event["event"] == "publish");
        live.wait_event("the target", |it| it["event"] == "target" && it["state"] == "live");
        // The viewer comes after the colors.
        let saved = folder.path().join(format!("saved-{depth}.flv"));
        let path = saved.to_str().unwrap();
        let play = ["play", &url, "--headless", "--mute", "--save", path, "--duration", "3s"];
        let mut player = Onair::start(&play);
        assert_eq!(player.peer.wait(LIMIT).code(), Some(0), "{}", player.peer.errors());
        let flv = std::fs::read(&saved).unwrap();
        let numbers = ["colorPrimaries", "transferCharacteristics", "bitDepth"]
            .map(|name| color_number(&flv, name));
        assert_eq!(numbers, [Some(primaries), Some(transfer), Some(depth)], "{words:?}");
        if depth > 8.0 {
            assert_eq!(color_number(&flv, "maxCLL"), Some(1_000.0));
        }
        live.stop(LIMIT);
        assert!(server.stop(LIMIT).success());
    }
}
