//! Tests of the third-party programs with each other. They show that each program works on this
//! machine, so that a failure in another test is a fault of onair.

use crate::peers::{self, LIMIT, Nginx, ffmpeg, others};

#[test]
fn ffmpeg_publishes_to_ffmpeg() {
    peers::require!("ffmpeg", "ffprobe");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("received.flv");
    let port = peers::free_port();
    let mut receiver = ffmpeg::receive(port, &file);
    let mut publisher = ffmpeg::publish(&format!("rtmp://127.0.0.1:{port}/live/stream"), Some(2));
    publisher.wait_success(ffmpeg::limit(2));
    receiver.wait(LIMIT);
    let probe = ffmpeg::probe(&file);
    assert_eq!(probe.stream("video")["codec_name"], "h264");
    assert_eq!(probe.stream("audio")["codec_name"], "aac");
    assert!(probe.packets("video").len() >= 58);
    assert!(probe.packets("video")[0].keyframe);
}

#[test]
fn nginx_relays_records_and_tells() {
    peers::require!("ffmpeg", "ffprobe", "nginx");
    let nginx = Nginx::start();
    let publisher = ffmpeg::publish(&nginx.url("recorded", "a"), None);
    nginx.wait_published("a");
    assert!(!nginx.is_published("b"));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("played.flv");
    ffmpeg::play(&nginx.url("recorded", "a"), 1, &file).wait_success(ffmpeg::limit(1));
    assert!(!ffmpeg::probe(&file).packets("video").is_empty());
    publisher.interrupt();
    nginx.wait_unpublished("a");
    assert!(nginx.recordings().join("a.flv").metadata().unwrap().len() > 10_000);
    let refused = ffmpeg::publish(&nginx.url("refused", "a"), Some(1)).wait(LIMIT);
    assert!(!refused.success());
}

#[test]
fn gstreamer_mpv_and_rtmpdump_work() {
    peers::require!("ffmpeg", "nginx", "gst-launch-1.0", "mpv", "rtmpdump");
    let nginx = Nginx::start();
    let url = nginx.url("live", "b");
    let mut publisher = others::gstreamer_publish(&url, 6_000);
    nginx.wait_published("b");
    let mut gstreamer = others::gstreamer_play(&url);
    gstreamer.wait_until("20 pictures", LIMIT, |p| others::gstreamer_seen(p, "pictures") >= 20);
    let mut mpv = others::mpv_play(&url, 1);
    mpv.wait_success(LIMIT);
    assert!(mpv.output().contains("h264"), "{}", mpv.output());
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("dumped.flv");
    let mut dump = others::rtmpdump(&url, &file);
    dump.wait_until("20 kB", LIMIT, |_| file.metadata().is_ok_and(|file| file.len() > 20_000));
    publisher.kill();
}
