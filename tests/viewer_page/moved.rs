//! Draining: viewers over HTTP follow their stream to another server, the page and ffprobe alike.

use std::time::{SystemTime, UNIX_EPOCH};

use super::chromium::Chromium;
use super::{LIMIT, NO_B_FRAMES, Peer, peers, plays, start_with, wait_for};
use crate::peers::web;

/// Returns the status of a response, and the target of its redirect.
fn answer(text: &str) -> (u16, &str) {
    let status = text.split(' ').nth(1).unwrap().parse().unwrap();
    let mut fields = text.lines().filter_map(|line| line.split_once(": "));
    let location = fields.find(|(name, _)| name.eq_ignore_ascii_case("location"));
    (status, location.map_or("", |(_, to)| to))
}

/// Removes every timer with which the page polls the state of the stream, or tries again. Notes when the page shows its
/// first frame, in milliseconds since 1970.
const WITHOUT_POLLS: &str = "
    const timer = window.setTimeout;
    window.setTimeout = (act, after, ...more) => after >= 400 ? 0 : timer(act, after, ...more);
    addEventListener('DOMContentLoaded', () => {
        document.getElementById('video').requestVideoFrameCallback(now => {
            window.shownAt = performance.timeOrigin + now;
        });
    });
";

#[test]
fn viewers_follow_a_stream_from_a_drained_server() {
    if peers::missing(&["chromium", "ffmpeg", "ffprobe"]) {
        return;
    }
    let second = start_with(|_| ());
    let next = format!("http://{}", second.http());
    let first = start_with(|config| config.http_successor = Some(next.parse().unwrap()));
    let ask = |method: &str, path: &str| web::ask(first.http(), method, path);
    let publisher = first.publish(&NO_B_FRAMES);
    let browser = Chromium::start("en");
    let page = browser.open(&format!("{}?protocol=whep", first.page()), "");
    plays(&page, "whep", 20);
    assert!(ask("GET", "/live/show/state").contains("\"successor\":null"));
    first.server.drain();
    // The stream is still on this server, which also accepts new viewers.
    assert!(ask("GET", "/live/show/state").contains(&format!("\"successor\":\"{next}\"")));
    assert_eq!(answer(&ask("GET", "/live/show.m3u8")).0, 200);
    plays(&page, "whep", 5);

    // Without its polls, the page follows at once when the chat names the move, so the intervals do not matter.
    let push = browser.open(&format!("{}?protocol=whep", first.page()), WITHOUT_POLLS);
    plays(&push, "whep", 5);
    push.wait("document.getElementById('say').disabled === false");
    // The stream is at the other server when it leaves this one.
    let _publisher = second.publish(&NO_B_FRAMES);
    wait_for("the stream at the other server", LIMIT, || {
        let streams = second.server.streams();
        streams.iter().any(|it| it.publisher.as_ref().is_some_and(|it| it.video.is_some()))
    });
    let left = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64() * 1_000.0;
    drop(publisher);
    push.wait(&format!("location.href === '{next}/watch/live/show?protocol=whep'"));
    push.wait("window.shownAt > 0");
    let since = |time: &str| push.value(time).as_f64().unwrap() - left;
    let (opened, shown) = (since("performance.timeOrigin"), since("window.shownAt"));
    // How long this takes depends on the machine, so the test only prints it.
    println!(
        "the page opened the other server after {opened:.0} ms, its first frame came after {shown:.0} ms"
    );
    page.wait(&format!("location.href === '{next}/watch/live/show?protocol=whep'"));
    plays(&page, "whep", 20);
    for (method, path) in [
        ("GET", "/watch/live/show"),
        ("GET", "/live/show.m3u8?key=a%20b"),
        ("GET", "/live/show/hls/main.m3u8?_HLS_msn=5"),
        ("GET", "/live/show.mpd"),
        ("GET", "/live/show.flv"),
        ("HEAD", "/live/show.flv"),
        ("POST", "/live/show/whep"),
    ] {
        assert_eq!(answer(&ask(method, path)), (307, &*format!("{next}{path}")), "{method} {path}");
    }
    // Requests for things that only this server has are not redirected.
    let recording = "/vod/live-show%202026-11-25%2018-00-00.m3u8";
    for path in ["/live/show/hls/a-1.m4s", "/live/show/whep/no-session", recording, "/none"] {
        assert_eq!(answer(&ask("GET", path)), (404, ""), "{path}");
    }
    for path in ["live/show.m3u8", "live/show.flv"] {
        let url = format!("http://{}/{path}", first.http());
        let mut probe = Peer::start("ffprobe", ["-v", "error", "-show_streams", "-i", &*url]);
        assert!(probe.wait(LIMIT).success(), "{path}: {}", probe.errors());
        assert!(probe.output().contains("codec_name=h264"), "{path}: {}", probe.output());
    }
}
