//! `onair live --copy`: MP4 and MKV files sent as they are, as nginx-rtmp receives them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code: a panic is how it fails"
)]

#[path = "peers/mod.rs"]
mod peers;

use peers::{LIMIT, Nginx, Onair, Peer, ffmpeg};

#[test]
fn mp4_and_mkv_files_arrive_packet_by_packet() {
    peers::require!("nginx", "ffmpeg", "ffprobe");
    let folder = tempfile::tempdir().unwrap();
    let nginx = Nginx::start();
    for format in ["mp4", "mkv"] {
        let file = folder.path().join(format!("film.{format}"));
        let mut words = vec!["-hide_banner", "-nostdin", "-y"];
        words.extend(["-f", "lavfi", "-i", "testsrc2=size=320x180:rate=30:duration=4"]);
        words.extend(["-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000:duration=4"]);
        // With pictures that are shown later than they are decoded.
        words.extend(["-c:v", "libx264", "-preset", "veryfast", "-bf", "2", "-g", "30"]);
        words.extend(["-pix_fmt", "yuv420p", "-c:a", "aac", "-ac", "2"]);
        words.push(file.to_str().unwrap());
        Peer::start("ffmpeg", words).wait_success(ffmpeg::limit(30));

        let url = nginx.url("recorded", format);
        let mut onair = Onair::start(&["live", "--copy", file.to_str().unwrap(), "--to", &url]);
        assert_eq!(onair.peer.wait(LIMIT).code(), Some(0), "{}", onair.peer.output());
        nginx.wait_unpublished(format);
        let got = nginx.recordings().join(format!("{format}.flv"));
        assert_eq!(ffmpeg::decode(&got), "");
        let (sent, got) = (ffmpeg::probe(&file), ffmpeg::probe(&got));
        assert_eq!(got.warnings, "");
        for track in ["video", "audio"] {
            let (sent, got) = (sent.packets(track), got.packets(track));
            // The file may begin before its zero (priming of AAC, pictures before their time).
            assert!(sent.len() - got.len() <= 2, "{format} {track}: {} {}", sent.len(), got.len());
            assert!(got.windows(2).all(|pair| pair[0].dts < pair[1].dts), "{format} {track}");
        }
        let pictures = got.packets("video");
        assert_eq!(pictures.len(), 120);
        assert!(pictures[0].keyframe);
        assert!(pictures.iter().any(|picture| picture.pts > picture.dts), "no late pictures");
    }
}
