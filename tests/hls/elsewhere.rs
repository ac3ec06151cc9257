//! Tests of HLS segments on another host, of segments whose URL would leave TLS, and of encrypted
//! MP4 segments.

use std::net::Ipv4Addr;
use std::process::Command;

use onair::net::Trust;

use super::*;

/// Puts this address before each line of a playlist that is a URI.
fn behind(list: &str, address: &str) -> String {
    let line = |line: &str| match line.starts_with('#') {
        true => format!("{line}\n"),
        false => format!("{address}{line}\n"),
    };
    list.lines().map(line).collect()
}

#[test]
fn segments_may_be_at_another_host_and_not_outside_of_tls() {
    peers::require!("ffmpeg", "nginx");
    let folder = tempfile::tempdir().unwrap();
    let hls = ["-t", "4", "-f", "hls", "-hls_time", "1", "-hls_list_size", "0", "a.m3u8"];
    ffmpeg(folder.path(), &[&PICTURE, &TONE, &CODE, &hls]).wait_success(LIMIT);
    let (files, asked) = (folder.path().to_owned(), Arc::new(AtomicU32::new(0)));
    let count = Arc::clone(&asked);
    let other = web::canned_at(Ipv4Addr::new(127, 0, 0, 2), move |head, socket| {
        count.fetch_add(1, Ordering::Relaxed);
        let path = head.split(' ').nth(1).unwrap_or_default().trim_start_matches('/');
        let body = fs::read(files.join(path)).unwrap_or_default();
        let length = body.len();
        let head =
            format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
        let _ = socket.write_all(head.as_bytes());
        let _ = socket.write_all(&body);
    });
    let list = fs::read_to_string(folder.path().join("a.m3u8")).unwrap();
    let list = behind(&list, &format!("http://127.0.0.2:{other}/"));
    let port = texts(&[("/x.m3u8", &list)]);
    let outcome = play(&config(&format!("http://127.0.0.1:{port}/x.m3u8")), |_| false);
    assert_eq!(outcome.state, State::Ended, "{:?}", outcome.events);
    assert_eq!((outcome.figures.decoded, outcome.figures.damaged), (100, 0));
    let before = asked.load(Ordering::Relaxed);
    assert!(before >= 4, "{before}");

    // The same playlist over TLS: onair must not request the segments without TLS.
    fs::write(folder.path().join("x.m3u8"), &list).unwrap();
    let authority = Authority::new();
    let good = authority.good();
    let web = web::Web::start(folder.path(), &good.certificate, &good.key);
    let trust = Trust { ca_file: Some(authority.file()), ..Trust::default() };
    let net = Options { trust, ..Options::default() };
    let url = format!("https://127.0.0.1:{}/x.m3u8", web.https);
    let outcome = play(&Config { net, reconnect: false, ..config(&url) }, |_| false);
    let failure = outcome.failure();
    assert!(failure.to_string().contains("the URL does not use TLS"), "{failure:?}");
    assert_eq!(asked.load(Ordering::Relaxed), before);
}

#[test]
fn whole_segments_of_mp4_may_be_encrypted() {
    peers::require!("ffmpeg", "nginx", "openssl");
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let hls = ["-t", "4", "-f", "hls", "-hls_time", "1", "-hls_list_size", "0"];
    let kind = ["-hls_segment_type", "fmp4", "-hls_fmp4_init_filename", "init.mp4", "a.m3u8"];
    ffmpeg(at, &[&PICTURE, &TONE, &CODE, &hls, &kind]).wait_success(LIMIT);
    fs::write(at.join("key.bin"), [7; 16]).unwrap();
    for number in 0..4 {
        let (from, to) = (format!("a{number}.m4s"), format!("b{number}.m4s"));
        // Without an IV in the playlist, the IV is the media sequence number of the segment.
        let (key, iv) = ("07".repeat(16), format!("{number:032x}"));
        let words = ["enc", "-aes-128-cbc", "-K", &key, "-iv", &iv, "-in", &from, "-out", &to];
        assert!(Command::new("openssl").current_dir(at).args(words).status().unwrap().success());
    }
    let list = fs::read_to_string(at.join("a.m3u8")).unwrap();
    // The key comes after `EXT-X-MAP`, so the initialization segment is not encrypted.
    let mut playlist = String::new();
    for line in list.lines() {
        let line = if line.starts_with('a') { line.replacen('a', "b", 1) } else { line.to_owned() };
        playlist.push_str(&format!("{line}\n"));
        if line.starts_with("#EXT-X-MAP") {
            playlist.push_str("#EXT-X-KEY:METHOD=AES-128,URI=\"key.bin\"\n");
        }
    }
    assert!(playlist.contains("b0.m4s") && playlist.contains("AES-128"), "{playlist}");
    fs::write(at.join("b.m3u8"), playlist).unwrap();
    let web = serve(at);
    whole(&web, "b", 4, 1_024);
}
