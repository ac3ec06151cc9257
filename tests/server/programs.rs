//! Tests of third-party programs that publish to the built-in server and play from it.

use super::*;
use crate::peers;

#[test]
fn ffmpeg_publishes_and_everybody_plays() {
    peers::require!("ffmpeg", "ffprobe");
    let running = start();
    let url = running.url("live/show");
    let _publisher = ffmpeg::publish(&url, None);
    wait_for("ffmpeg's stream", LIMIT, || {
        running.server.streams().iter().any(|stream| {
            stream.publisher.as_ref().is_some_and(|p| p.video.is_some() && p.audio.is_some())
        })
    });
    let http = format!("http://{}/live/show.flv", running.http());
    for url in [&url, &http] {
        let probe = ffmpeg::probe(url);
        assert_eq!(probe.stream("video")["codec_name"], "h264", "{url}");
        assert_eq!(probe.stream("video")["width"], 640, "{url}");
        assert_eq!(probe.stream("audio")["codec_name"], "aac", "{url}");
        assert_eq!(probe.warnings, "", "{url}");
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("played.flv");
    ffmpeg::play(&url, 2, &file).wait_success(ffmpeg::limit(2));
    let probe = ffmpeg::probe(&file);
    let packets = probe.packets("video");
    assert!(packets.len() >= 50, "{}", packets.len());
    assert!(packets[0].keyframe, "begins with a keyframe");
    assert!(packets.windows(2).all(|pair| pair[0].dts < pair[1].dts), "DTS go up");
    assert!((packets[0].pts - probe.packets("audio")[0].pts).abs() < 0.05, "start together");
    assert_eq!(ffmpeg::decode(&file), "");
}

#[test]
fn others_play() {
    peers::require!("ffmpeg", "gst-launch-1.0", "mpv", "rtmpdump");
    let running = start();
    let url = running.url("live/show");
    let _publisher = ffmpeg::publish(&url, None);
    wait_for("ffmpeg's stream", LIMIT, || {
        running.server.streams().iter().any(|stream| stream.publisher.is_some())
    });
    let gstreamer = others::gstreamer_play(&url);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("dumped.flv");
    let mut dump = others::rtmpdump(&url, &file);
    let mut mpv = others::mpv_play(&url, 2);
    wait_for("pictures in GStreamer", LIMIT, || {
        others::gstreamer_seen(&gstreamer, "pictures") > 20
    });
    wait_for("sound in GStreamer", LIMIT, || others::gstreamer_seen(&gstreamer, "sound") > 20);
    mpv.wait_success(LIMIT);
    wait_for("bytes from rtmpdump", LIMIT, || {
        std::fs::metadata(&file).is_ok_and(|file| file.len() > 300_000)
    });
    dump.interrupt();
    dump.wait(LIMIT);
    let mut demuxer = Demuxer::new();
    demuxer.push(&std::fs::read(&file).unwrap());
    let tags: Vec<_> = std::iter::from_fn(|| demuxer.next_tag().unwrap()).collect();
    let first = tags.iter().find(|tag| {
        tag.kind == TagKind::Video && !parse_video(&tag.body).unwrap().is_sequence_start()
    });
    assert!(parse_video(&first.unwrap().body).unwrap().is_keyframe(), "begins with a keyframe");
}

#[test]
fn gstreamer_publishes() {
    peers::require!("ffprobe", "gst-launch-1.0");
    let running = start();
    let url = running.url("live/gst");
    let _publisher = others::gstreamer_publish(&url, 900);
    wait_for("GStreamer's stream", LIMIT, || {
        running.server.streams().iter().any(|stream| {
            stream.publisher.as_ref().is_some_and(|p| p.video.is_some() && p.audio.is_some())
        })
    });
    assert_eq!(ffmpeg::probe(&url).stream("video")["codec_name"], "h264");
}
