//! B-frames and look-ahead of x264 and x265: files and streams that others decode in order, lip
//! sync, the end of a broadcast, and outputs and encoders that do not take them.

use std::path::Path;
use std::process::Command;

use crate::encoders::X264;
use crate::encoders::codecs::{decoded, libraries};
use crate::enhanced::new_ffmpeg;
use crate::peers::{self, LIMIT, Nginx, Onair, Peer, ffmpeg};
use crate::whep::start_with;

const AHEAD: [&str; 6] = ["--preset", "ultrafast", "--b-frames", "2", "--look-ahead", "20"];

/// Checks that a file or stream has B-frames whose times are whole, and decodes without a warning.
fn check(file: &Path, min_packets: usize) {
    // In a fine time base: ffmpeg guesses a wrong frame rate if frames are missing.
    let mut decoder = Command::new("ffmpeg");
    decoder.args(["-hide_banner", "-nostdin", "-v", "warning", "-xerror", "-i"]).arg(file);
    let mut decoder = Peer::start_command(decoder.args(ffmpeg::DECODE_ONLY));
    decoder.wait_success(LIMIT * 2);
    assert_eq!(decoder.errors(), "", "{file:?}");
    let probe = ffmpeg::probe(file);
    assert_eq!(probe.warnings, "", "{file:?}");
    assert_ne!(probe.stream("video")["has_b_frames"], 0, "{file:?}");
    check_times(&probe.packets("video"), min_packets);
}

fn check_times(packets: &[ffmpeg::Packet], min_packets: usize) {
    assert!(packets.len() >= min_packets, "{} packets", packets.len());
    // Matroska has no DTS.
    let with_dts: Vec<_> = packets.iter().filter(|it| !it.dts.is_nan()).collect();
    assert!(with_dts.is_sorted_by(|one, next| one.dts < next.dts), "{packets:?}");
    assert!(with_dts.iter().all(|it| it.dts <= it.pts + 0.001), "{packets:?}");
    assert!(!packets.is_sorted_by(|one, next| one.pts < next.pts), "there are no B-frames");
    let mut shown: Vec<f64> = packets.iter().map(|it| it.pts).collect();
    shown.sort_by(f64::total_cmp);
    // A loaded computer skips frames, but no time occurs twice.
    assert!(shown.windows(2).all(|pair| pair[1] - pair[0] > 0.02), "{shown:?}");
}

#[test]
fn b_frames_are_recorded_in_every_format_and_the_end_is_not_lost() {
    require_x264!();
    for format in ["mkv", "mp4", "flv"] {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(format!("show.{format}"));
        let more = ["--duration", "5s", "--record", file.to_str().unwrap()];
        let mut onair = Onair::start(&[&X264[..], &AHEAD, &more].concat());
        assert_eq!(onair.peer.wait(LIMIT).code(), Some(0), "{}", onair.peer.errors());
        check(&file, 75);
        // The frames that were in the encoder at the end are there, and audio is as long as video.
        let probe = ffmpeg::probe(&file);
        let (video, audio) = (probe.packets("video"), probe.packets("audio"));
        let last = |packets: &[ffmpeg::Packet]| packets.iter().map(|it| it.pts).fold(0.0, f64::max);
        let difference = last(&video) - last(&audio);
        assert!(difference.abs() < 0.3, "{format}: {difference} s");
        assert!(last(&video) > 4.0, "{format}: {}", last(&video));
    }
}

#[test]
fn servers_and_their_viewers_get_b_frames_in_order() {
    peers::require!("nginx");
    require_x264!();
    let mut server = Onair::start(&["serve", "--rtmp", "127.0.0.1:0", "--http", "127.0.0.1:0"]);
    let ready = server.wait_named("ready");
    let (rtmp, http) = (ready["rtmp"].as_str().unwrap(), ready["http"].as_str().unwrap());
    let ours = format!("{rtmp}/live/show");
    let nginx = Nginx::start();
    let theirs = nginx.url("recorded", "show");
    let words = [&X264[..], &AHEAD, &["--to", &ours, "--to", &theirs]].concat();
    let mut onair = Onair::start(&words);
    nginx.wait_published("show");
    let folder = tempfile::tempdir().unwrap();
    let addresses = [
        ours.clone(),
        format!("{http}/live/show.flv"),
        format!("{http}/live/show.m3u8"),
        format!("{http}/live/show/hls/ts.m3u8"),
        format!("{http}/live/show.mpd"),
    ];
    for (number, address) in addresses.iter().enumerate() {
        let seen = folder.path().join(format!("seen{number}.mp4"));
        let mut viewer = Command::new("ffmpeg");
        viewer.args(["-hide_banner", "-nostdin", "-v", "error", "-i", address, "-t", "4"]);
        let mut peer = Peer::start_command(viewer.args(["-c", "copy"]).arg(&seen));
        peer.wait_success(ffmpeg::limit(10));
        check(&seen, 60);
    }
    onair.peer.interrupt();
    assert_eq!(onair.peer.wait(LIMIT).code(), Some(0), "{}", onair.peer.errors());
    nginx.wait_unpublished("show");
    check(&nginx.recordings().join("show.flv"), 75);
}

#[test]
fn lip_sync_stays_with_b_frames_and_look_ahead() {
    peers::in_real_time!(lip_sync_stays_with_b_frames_and_look_ahead);
    require_x264!();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("show.mkv");
    let file = file.to_str().unwrap();
    let more = ["--duration", "8s", "--record", file];
    let mut onair = Onair::start(&[&X264[..], &AHEAD, &more].concat());
    assert_eq!(onair.peer.wait(LIMIT).code(), Some(0), "{}", onair.peer.errors());
    let mut play = Onair::start(&["play", "--headless", "--measure", "--mute", file]);
    let figures = play.wait_event("measurements", |event| {
        event["event"] == "play_stats" && !event["av_offset_ms"].is_null()
    });
    assert!(figures["av_offset_ms"].as_f64().unwrap().abs() <= 20.0, "{figures}");
    assert_eq!(figures["damaged"], 0, "{figures}");
    play.peer.interrupt();
    play.peer.wait(LIMIT);
}

#[test]
fn a_whip_target_gets_a_second_encode_without_b_frames() {
    require_x264!();
    let running = start_with(|_| {});
    let endpoint = format!("whip://{}/live/show/whip", running.http());
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("show.mkv");
    let more = ["--to", &endpoint, "--record", file.to_str().unwrap()];
    let mut onair = Onair::start(&[&X264[..], &AHEAD, &more].concat());
    let replaced = onair.wait_event("the notice", |event| {
        event["event"] == "notice" && event["summary"].to_string().contains("B-frames")
    });
    assert!(replaced["summary"].to_string().contains("second encode"), "{replaced}");
    onair.wait_event("a live target", |event| event["state"] == "live");
    let play = format!("rtmp://{}/live/show", running.server.addresses().rtmp);
    let seen = folder.path().join("seen.flv");
    let mut viewer = Command::new("ffmpeg");
    // ffmpeg 5.1 knows no Opus in RTMP, and would wait for audio.
    viewer.args(["-hide_banner", "-nostdin", "-v", "error", "-analyzeduration", "1M"]);
    viewer.args(["-i", &play, "-t", "3", "-an"]);
    let mut peer = Peer::start_command(viewer.args(["-c", "copy"]).arg(&seen));
    peer.wait_success(ffmpeg::limit(10));
    let packets = ffmpeg::probe(&seen).packets("video");
    assert!(packets.len() > 45, "{} packets", packets.len());
    assert!(packets.is_sorted_by(|one, next| one.pts < next.pts), "{packets:?}");
    assert_eq!(onair.stop(LIMIT).code(), Some(0), "{}", onair.peer.errors());
    check(&file, 75);
}

#[test]
fn hevc_has_b_frames_that_old_and_new_ffmpeg_decode() {
    peers::require!("ffmpeg", "ffprobe");
    let (Some(libraries), Some(ffmpeg_9)) = (libraries(), new_ffmpeg()) else { return };
    let variables = [("LD_LIBRARY_PATH", libraries.path().to_str().unwrap())];
    let folder = tempfile::tempdir().unwrap();
    for (encoder, format) in [("x265", "mp4"), ("x264", "mp4"), ("x265", "mkv")] {
        let file = folder.path().join(format!("{encoder}.{format}"));
        let words = ["live", "--video", "test", "--audio", "tone", "--size", "480x270"];
        let more = ["--encoder", encoder, "--video-bitrate", "800k", "--duration", "5s"];
        let words = [&words[..], &more, &AHEAD, &["--record", file.to_str().unwrap()]].concat();
        let mut onair = Onair::start_with(&words, &variables);
        assert_eq!(onair.peer.wait(LIMIT).code(), Some(0), "{}", onair.peer.errors());
        check(&file, 60);
        assert_eq!(decoded(&ffmpeg_9, &file), "", "{encoder}");
    }
}

#[test]
fn encoders_and_targets_without_b_frames_refuse_them_with_the_reason() {
    let refused = |encoder: &str, more: &[&str]| {
        let words = ["live", "--video", "test", "--record", "a.mkv", "--encoder", encoder];
        let mut onair = Onair::start(&[&words[..], more].concat());
        assert_ne!(onair.peer.wait(LIMIT).code(), Some(0));
        onair.peer.errors() + &onair.peer.output()
    };
    let built_in = refused("openh264", &["--b-frames", "2"]);
    assert!(built_in.contains("OpenH264") && built_in.contains("B-frames"), "{built_in}");
    let ahead = refused("h264-v4l2m2m", &["--look-ahead", "10"]);
    // Without a device, that is the reason.
    assert!(ahead.contains("look-ahead") || ahead.contains("no device"), "{ahead}");
    let too_many = refused("x264", &["--b-frames", "5"]);
    assert!(too_many.contains("--b-frames"), "{too_many}");
}
