//! Tests of invalid HLS playlists: playlists that lead to missing files, to web pages or to
//! nothing, and playlists that refer to each other in a circle.

use std::io::Write;

use super::texts;
use crate::peers::web;
use crate::watch::{config, play};
use onair::player::{Config, FailureKind};

#[test]
fn lists_that_lie_get_a_sentence() {
    const HEAD: &str = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n";
    let ended = |text: &str| format!("{HEAD}{text}#EXT-X-ENDLIST\n");
    let huge = format!("{HEAD}{}", "#EXTINF:1,\na.ts\n".repeat(100_001));
    type Case = (Vec<(&'static str, String)>, FailureKind, &'static str);
    let cases: Vec<Case> = vec![
        // A multivariant playlist that names itself as its variant.
        (
            vec![("/x", "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nx\n".into())],
            FailureKind::Unreachable,
            "contains only other playlists",
        ),
        (
            vec![("/x", ended("#EXTINF:1,\nmissing.ts\n#EXTINF:1,\nm.ts\n#EXTINF:1,\nm.ts\n"))],
            FailureKind::NoSuchStream,
            "404",
        ),
        (
            vec![
                ("/x", ended("#EXTINF:1,\na.ts\n")),
                ("/a.ts", "<html>please log in</html>".into()),
            ],
            FailureKind::Unreachable,
            "web page",
        ),
        (
            vec![("/x", ended("#EXTINF:1,\nfile:///etc/passwd\n"))],
            FailureKind::Unreachable,
            "a URL that onair cannot use",
        ),
        (
            vec![
                ("/x", ended("#EXT-X-KEY:METHOD=AES-128,URI=\"k\"\n#EXTINF:1,\na.ts\n")),
                ("/a.ts", "0123456789abcdef".into()),
                ("/k", "too short".into()),
            ],
            FailureKind::Refused,
            "9 bytes",
        ),
        (
            vec![
                ("/x", ended("#EXT-X-KEY:METHOD=SAMPLE-AES,URI=\"skd://k\"\n#EXTINF:1,\na.ts\n")),
                ("/a.ts", "0123456789abcdef".into()),
            ],
            FailureKind::Codec,
            "protected",
        ),
        (vec![("/x", huge)], FailureKind::Unreachable, "exceeds 100000"),
        (
            vec![("/x", "#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:1\n#EXTINF:1,\na.ts\n".into())],
            FailureKind::Unreachable,
            "target duration",
        ),
        // A list without tags of HLS, such as a radio station's, names an address to play.
        (vec![("/x", "#EXTM3U\n#EXTINF:1,\nnone.mp3\n".into())], FailureKind::NoSuchStream, "404"),
        (vec![("/x", ended(""))], FailureKind::NoSuchStream, "no video"),
        (
            vec![
                ("/x", ended("#EXT-X-MAP:URI=\"m\"\n#EXTINF:1,\na.mp4\n")),
                ("/m", "no mp4".into()),
                ("/a.mp4", "neither is this".into()),
            ],
            FailureKind::Unreachable,
            "cannot play",
        ),
    ];
    for (pages, kind, word) in cases {
        let pages: Vec<(&str, &str)> = pages.iter().map(|(p, text)| (*p, text.as_str())).collect();
        let port = texts(&pages);
        let url = format!("http://127.0.0.1:{port}/x?token=secret");
        let outcome = play(&Config { reconnect: false, ..config(&url) }, |_| false);
        let failure = outcome.failure();
        assert_eq!(failure.kind, kind, "{word}: {failure:?}");
        assert!(failure.to_string().contains(word), "{word}: {failure:?}");
        assert!(!format!("{failure:?}").contains("secret"), "{failure:?}");
    }
}

#[test]
fn a_live_list_of_nothing_ends_with_a_sentence() {
    // Every second, a new segment appears that contains only padding.
    let padding: Vec<u8> = std::iter::repeat_n([0x47, 0x1F, 0xFF, 0x10], 20)
        .flat_map(|head| head.into_iter().chain([0xFF; 184]))
        .collect();
    let begun = std::time::Instant::now();
    let port = web::canned(move |head, socket| {
        let path = head.split(' ').nth(1).unwrap_or_default();
        let body = if path == "/live.m3u8" {
            let first = begun.elapsed().as_secs();
            let mut text =
                format!("#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXT-X-MEDIA-SEQUENCE:{first}\n");
            (first..first + 5).for_each(|at| text.push_str(&format!("#EXTINF:1,\na{at}.ts\n")));
            text.into_bytes()
        } else {
            padding.clone()
        };
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
        let _ = socket.write_all(head.as_bytes());
        let _ = socket.write_all(&body);
    });
    let outcome = play(&config(&format!("http://127.0.0.1:{port}/live.m3u8")), |_| false);
    let failure = outcome.failure();
    assert_eq!(failure.kind, FailureKind::NoSuchStream, "{failure:?}");
    assert!(failure.to_string().contains("no video or audio"), "{failure:?}");
}
