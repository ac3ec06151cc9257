//! Tests of the built-in server's HLS output with MPEG-TS segments, for old devices. ffmpeg, mpv,
//! GStreamer and onair's player play it. ffprobe and onair's demuxer check the segments.

use std::path::Path;

use crate::peers::onair::Onair;
use crate::peers::{self, LIMIT, Peer, ffmpeg, others, wait_for};
use crate::served_hls::{Running, start_with};
use onair::media::EncodedPacket;
use onair::server::hls::Mode;
use onair::wire::container::mp4::index_to_play;
use onair::wire::container::ts::{Demuxer, Event, Writer};
use onair::wire::hls::Media;

const MASTER: &str = "/live/show/hls/ts.m3u8";
const LIST: &str = "/live/show/hls/ts-list.m3u8";

/// The playlist, once it has this many segments.
fn list(running: &Running, segments: usize) -> Media {
    list_at(running, LIST, segments)
}

/// Like `list`, at this path.
fn list_at(running: &Running, path: &str, segments: usize) -> Media {
    let mut media = Media::default();
    wait_for("segments", LIMIT, || {
        let answer = running.get(path);
        if answer.status == 200 {
            media = answer.list();
        }
        media.segments.len() >= segments
    });
    media
}

/// The segments of a playlist, in order.
fn segments(running: &Running, media: &Media) -> Vec<Vec<u8>> {
    let get = |uri: &str| {
        let answer = running.get(&format!("/live/show/hls/{uri}"));
        assert_eq!((answer.status, answer.header("content-type")), (200, "video/mp2t"), "{uri}");
        assert!(answer.header("cache-control").contains("immutable"), "{}", answer.head);
        answer.body
    };
    media.segments.iter().map(|segment| get(&segment.uri)).collect()
}

/// The report of ffprobe for this stream; asserts that ffmpeg decodes it.
fn probed(folder: &Path, stream: &[u8]) -> ffmpeg::Probe {
    let file = folder.join("stream.ts");
    std::fs::write(&file, stream).unwrap();
    let probe = ffmpeg::probe(&file);
    assert_eq!((probe.warnings.as_str(), ffmpeg::decode(&file).as_str()), ("", ""));
    probe
}

/// Asserts that packets follow each other at this distance, in seconds.
fn check_step(times: impl Iterator<Item = f64>, step: f64) {
    let times: Vec<f64> = times.collect();
    assert!(times.len() > 30, "{}", times.len());
    for pair in times.windows(2) {
        assert!((pair[1] - pair[0] - step).abs() < 0.001, "{pair:?}");
    }
}

#[test]
fn segments_are_a_transport_stream_without_a_gap() {
    if peers::missing(&["ffmpeg", "ffprobe"]) {
        return;
    }
    let running = start_with(|_| ());
    let _publisher = running.publish(&["-bf", "2", "-tune", "film"]);
    let master = String::from_utf8(running.get(MASTER).body).unwrap();
    assert!(master.starts_with("#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-STREAM-INF:"), "{master}");
    assert!(master.contains("CODECS=\"avc1.") && master.ends_with("\nts-list.m3u8\n"), "{master}");
    let text = String::from_utf8(running.get(LIST).body).unwrap();
    assert!(text.contains("#EXT-X-VERSION:3\n"), "{text}");
    assert!(!text.contains("EXT-X-PART") && !text.contains("EXT-X-MAP"), "{text}");
    let media = list(&running, 3);
    let all = segments(&running, &media);
    assert_eq!(segments(&running, &media), all, "a segment never changes");
    let folder = tempfile::tempdir().unwrap();
    // Each segment plays alone, from a keyframe.
    let first = probed(folder.path(), &all[1]);
    assert!(first.packets("video")[0].keyframe);
    let whole = probed(folder.path(), &all.concat());
    assert_eq!(whole.stream("video")["codec_name"], "h264");
    assert_eq!(whole.stream("audio")["codec_name"], "aac");
    let (video, audio) = (whole.packets("video"), whole.packets("audio"));
    check_step(video.iter().map(|packet| packet.dts), 1.0 / 30.0);
    check_step(audio.iter().map(|packet| packet.pts), 1_024.0 / 48_000.0);
    assert!(video.iter().any(|packet| packet.pts - packet.dts > 0.02), "B-frames are reordered");
    assert!((video[0].pts - audio[0].pts).abs() < 0.1, "{:?} {:?}", video[0], audio[0]);
    let lasts: f64 = media.segments.iter().map(|it| it.duration.as_secs_f64()).sum();
    assert_eq!(video.len(), (lasts * 30.0).round() as usize);
    // Our own demuxer finds the same packets.
    let (mut demuxer, mut found) = (Demuxer::new(), [0, 0]);
    let mut take = |event| match event {
        Event::Video { .. } => found[0] += 1,
        Event::Audio { .. } => found[1] += 1,
        Event::Lost => panic!("a packet is missing"),
        _ => {}
    };
    demuxer.push(&all.concat(), &mut take);
    demuxer.finish(&mut take);
    assert_eq!(found, [video.len(), audio.len()]);
    // Invalid segment names.
    let name = &media.segments[0].uri;
    let tag = name.split('-').next().unwrap();
    for name in [format!("{tag}-0.ts"), format!("{tag}-v1.ts"), format!("{tag}-.ts"), "x.ts".into()]
    {
        assert_eq!(running.get(&format!("/live/show/hls/{name}")).status, 404, "{name}");
    }
}

#[test]
fn one_track_alone_is_enough() {
    if peers::missing(&["ffmpeg", "ffprobe"]) {
        return;
    }
    for (without, kind, other) in [("-an", "video", "audio"), ("-vn", "audio", "video")] {
        let running = start_with(|_| ());
        let _publisher = running.publish(&[without]);
        let media = list(&running, 2);
        let folder = tempfile::tempdir().unwrap();
        let probe = probed(folder.path(), &segments(&running, &media).concat());
        assert!(probe.packets(kind).len() > 60 && probe.packets(other).is_empty(), "{without}");
    }
}

#[test]
fn mp3_is_written_too() {
    if peers::missing(&["ffmpeg", "ffprobe"]) {
        return;
    }
    let running = start_with(|_| ());
    assert_eq!(running.get(LIST).status, 404);
    let _publisher = running.publish(&["-c:a", "libmp3lame", "-ar", "44100"]);
    let media = list(&running, 1);
    let folder = tempfile::tempdir().unwrap();
    let probe = probed(folder.path(), &segments(&running, &media).concat());
    assert_eq!(probe.stream("audio")["codec_name"], "mp3");
}

#[test]
fn a_publisher_that_reconnects_goes_on_behind_a_discontinuity() {
    if peers::missing(&["ffmpeg", "ffprobe"]) {
        return;
    }
    let running = start_with(|_| ());
    let mut first = running.publish(&[]);
    let before = list(&running, 1);
    first.kill();
    wait_for("its end", LIMIT, || running.server.streams().iter().all(|it| it.publisher.is_none()));
    let _second = running.publish(&["-vf", "scale=480:270"]);
    let mut after = before.clone();
    wait_for("its segments", LIMIT, || {
        after = running.get(LIST).list();
        after.segments.iter().any(|it| it.discontinuity)
    });
    assert!(after.end() > before.end());
    let index = after.segments.iter().position(|it| it.discontinuity).unwrap();
    let all = segments(&running, &after);
    let folder = tempfile::tempdir().unwrap();
    let (before, after) = all.split_at(index);
    for (segments, width) in [(before, 640), (after, 480)] {
        assert_eq!(probed(folder.path(), &segments.concat()).stream("video")["width"], width);
    }
}

#[test]
fn players_we_did_not_write_play_it_and_so_does_ours() {
    if peers::missing(&["ffmpeg"]) {
        return;
    }
    let running = start_with(|config| config.hls.mode = Mode::Always);
    let _publisher = running.publish(&[]);
    list(&running, 1);
    let url = format!("http://{}{MASTER}", running.http());
    let words = ["-nostdin", "-v", "error", "-xerror", "-i", &url, "-t", "5", "-f", "null", "-"];
    let mut player = Peer::start("ffmpeg", words);
    player.wait_success(LIMIT);
    assert_eq!(player.errors(), "", "ffmpeg complains");
    if !peers::missing(&["mpv"]) {
        others::mpv_play(&url, 3).wait_success(LIMIT);
    }
    if !peers::missing(&["gst-launch-1.0"]) {
        let mut gstreamer = others::gstreamer_play_any(&url);
        for sink in ["pictures", "sound"] {
            gstreamer.wait_until(sink, LIMIT, |it| others::gstreamer_seen(it, sink) > 30);
        }
    }
    let mut ours = Onair::start(&["play", &url, "--headless", "--duration", "5s"]);
    ours.wait_event("pictures", |event| {
        event["event"] == "play_stats" && event["shown"].as_u64() > Some(60)
    });
    assert_eq!(ours.stop(LIMIT).code(), Some(0));
}

/// Plays this playlist with ffmpeg and GStreamer.
fn others_play(url: &str) {
    let words = ["-nostdin", "-v", "error", "-xerror", "-i", url, "-t", "4", "-f", "null", "-"];
    let mut player = Peer::start("ffmpeg", words);
    if !peers::missing(&["gst-launch-1.0"]) {
        let mut gstreamer = others::gstreamer_play_any(url);
        for sink in ["pictures", "sound"] {
            gstreamer.wait_until(sink, LIMIT, |it| others::gstreamer_seen(it, sink) > 30);
        }
    }
    player.wait_success(LIMIT);
    assert_eq!(player.errors(), "", "ffmpeg complains");
}

#[test]
fn renditions_are_written_too() {
    if peers::missing(&["ffmpeg", "ffprobe"]) {
        return;
    }
    let running = start_with(|config| {
        config.media.renditions.others = "180p:200k,audio".parse().unwrap();
        config.media.renditions.cpu = 100.0;
    });
    let _publisher = running.publish(&["-r", "15", "-g", "15"]);
    let master = String::from_utf8(running.get(MASTER).body).unwrap();
    let uris: Vec<_> = master.lines().filter(|line| !line.starts_with('#')).collect();
    assert_eq!(uris, ["ts-list.m3u8", "ts-180p.m3u8", "ts-audio.m3u8"], "{master}");
    let folder = tempfile::tempdir().unwrap();
    let [small, audio] = ["ts-180p", "ts-audio"].map(|name| {
        let media = list_at(&running, &format!("/live/show/hls/{name}.m3u8"), 2);
        probed(folder.path(), &segments(&running, &media).concat())
    });
    assert_eq!(
        (&small.stream("video")["width"], &small.stream("video")["height"]),
        (&320.into(), &180.into())
    );
    assert!(small.packets("video")[0].keyframe && small.packets("audio").len() > 60);
    assert!(audio.packets("video").is_empty() && audio.packets("audio").len() > 60);
    others_play(&format!("http://{}/live/show/hls/ts-180p.m3u8", running.http()));
    assert_eq!(running.get("/live/show/hls/ts-240p.m3u8").status, 404);
}

#[test]
fn recordings_are_written_too() {
    if peers::missing(&["ffmpeg", "ffprobe"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let running = start_with(|config| config.record = Some(folder.path().to_owned()));
    let file = folder.path().join("live-show 2026-11-25 18-00-00.mp4");
    ffmpeg::make(&file, "320x180", "12", &["-g", "50", "-bf", "2"]);
    let at = "/vod/live-show%202026-11-25%2018-00-00/hls";
    let master = String::from_utf8(running.get(&format!("{at}/ts.m3u8")).body).unwrap();
    assert!(master.ends_with("\nts-list.m3u8\n"), "{master}");
    let media = running.get(&format!("{at}/ts-list.m3u8")).list();
    assert!(media.ended && media.segments.len() == 3, "{media:?}");
    let get = |uri: &str| {
        let answer = running.get(&format!("{at}/{uri}"));
        assert_eq!((answer.status, answer.header("content-type")), (200, "video/mp2t"), "{uri}");
        answer.body
    };
    let all: Vec<_> = media.segments.iter().map(|segment| get(&segment.uri)).collect();
    let elsewhere = tempfile::tempdir().unwrap();
    let whole = probed(elsewhere.path(), &all.concat());
    assert_eq!((whole.packets("video").len(), whole.packets("video")[0].keyframe), (300, true));
    check_step(whole.packets("video").iter().map(|packet| packet.dts), 1.0 / 25.0);
    others_play(&format!("http://{}{at}/ts.m3u8", running.http()));
    assert_eq!(running.get(&format!("{at}/3.ts")).status, 404);
    // This server has no MPEG-TS form for Opus.
    let other = folder.path().join("live-show 2026-11-25 19-00-00.mp4");
    ffmpeg::make(&other, "320x180", "2", &["-c:a", "libopus", "-strict", "-2"]);
    let refused = running.get("/vod/live-show%202026-11-25%2019-00-00/hls/ts.m3u8");
    assert_eq!(refused.status, 404);
}

#[test]
fn hevc_is_written_as_others_read_it() {
    if peers::missing(&["ffmpeg", "ffprobe"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("hevc.mp4");
    let words = ["-c:v", "libx265", "-x265-params", "log-level=none", "-g", "25"];
    ffmpeg::make(&file, "320x180", "3", &words);
    let bytes = std::fs::read(&file).unwrap();
    let index = index_to_play(&mut &bytes[..]).unwrap();
    let audio = index.tracks.audio.first().map(|track| &track.config);
    let writer = Writer::new(index.tracks.video.as_ref(), audio).unwrap();
    let packet = |sample: &onair::wire::container::SampleLocation| {
        let data = &bytes[sample.at as usize..][..sample.size as usize];
        let times = (sample.dts, sample.pts);
        EncodedPacket::received(sample.track.track(), times, sample.keyframe, data.to_vec().into())
    };
    let packets: Vec<_> = index.samples.iter().map(packet).collect();
    let probe = probed(folder.path(), &writer.segment(&packets, 0));
    assert_eq!(probe.stream("video")["codec_name"], "hevc");
    assert_eq!(probe.packets("video").len(), 75);
}
