//! Draining: viewers over HTTP follow their stream to another server, the page and ffprobe alike.

use super::chromium::Chromium;
use super::{LIMIT, NO_B_FRAMES, Peer, peers, plays, start_with};
use crate::peers::web;

/// Returns the status of a response, and the target of its redirect.
fn answer(text: &str) -> (u16, &str) {
    let status = text.split(' ').nth(1).unwrap().parse().unwrap();
    let mut fields = text.lines().filter_map(|line| line.split_once(": "));
    let location = fields.find(|(name, _)| name.eq_ignore_ascii_case("location"));
    (status, location.map_or("", |(_, to)| to))
}

/// Removes every timer with which the page polls the state of the stream, or tries again.
const WITHOUT_POLLS: &str = "
    const timer = window.setTimeout;
    window.setTimeout = (act, after, ...more) => after >= 400 ? 0 : timer(act, after, ...more);
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
    push.wait_soon("document.getElementById('say').disabled === false");
    drop(publisher);
    let moved = std::time::Instant::now();
    let _publisher = second.publish(&NO_B_FRAMES);
    push.wait(&format!("location.href === '{next}/watch/live/show?protocol=whep'"));
    println!("the page opened the other server after {:?}", moved.elapsed());
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
