//! Guests who do not follow the rules: floods, links of a show that is over, and a camera that is too large.

use std::fs;
use std::net::SocketAddr;

use crate::guests::{BEFORE, Show, join};
use crate::peers::certificates::Authority;
use crate::peers::web::ask;
use crate::peers::{self, LIMIT, Onair, wait_for};
use crate::whep;
use crate::whep::page::OFFER;

/// The number of requests of a flood; more than a link may make in ten seconds.
const FLOOD: usize = 200;
/// How much more memory a studio may use after a flood.
const MAX_GROWTH_BYTES: u64 = 96 << 20;
/// A camera of 4K that ignores what the page asks for, and lies about its size.
const LARGE_CAMERA: &str = "if (navigator.mediaDevices) { const real = \
    navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices); navigator.mediaDevices.getUserMedia = async \
    wanted => { const got = await real(wanted); const canvas = Object.assign(document.createElement('canvas'), \
    { width: 3840, height: 2160 }); const context = canvas.getContext('2d'); setInterval(() => { context.fillStyle = \
    `hsl(${Date.now() % 360}, 50%, 50%)`; context.fillRect(0, 0, 3840, 2160); }, 200); const [track] = \
    canvas.captureStream(5).getVideoTracks(); track.contentHint = 'detail'; track.getSettings = () => ({ height: 720 }); \
    return new MediaStream([track, \
    ...got.getAudioTracks()]); }; }";

/// Returns the status of an answer.
fn status(answer: &str) -> &str {
    answer.split(' ').nth(1).unwrap_or_default()
}

fn memory(show: &Show, seen: usize) -> Option<u64> {
    let events = show.onair.events_after(seen);
    events.iter().rev().find(|it| it["event"] == "stats")?["rss_bytes"].as_u64()
}

#[test]
fn a_flooded_link_is_slowed_down_alone_and_opens_nothing_after_the_show() {
    let authority = Authority::new();
    let certificate = authority.good();
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("key");
    fs::write(&key, "the key of the meeting").unwrap();
    let text = |path: &std::path::Path| path.to_str().unwrap().to_owned();
    let (key, ca) = (text(&key), text(&authority.file()));
    let local = "127.0.0.1:0";
    let mut serve = Onair::start(&[
        "serve",
        "--rtmp",
        local,
        "--http",
        local,
        "--https",
        local,
        "--webrtc",
        local,
        "--cert",
        &text(&certificate.certificate),
        "--cert-key",
        &text(&certificate.key),
        "--meet-key-file",
        &key,
    ]);
    let ready = serve.wait_named("ready");
    let http: SocketAddr =
        ready["http"].as_str().unwrap().strip_prefix("http://").unwrap().parse().unwrap();
    let meet = ready["https"].as_str().unwrap().to_owned();
    let record = text(&folder.path().join("show.mkv"));
    let (onair, control) = Onair::start_with_input(&[
        "live",
        "--video",
        "color:#000000",
        "--audio",
        "silence",
        "--size",
        "640x360",
        "--guests",
        "2",
        "--meet",
        &meet,
        "--tls-ca",
        &ca,
        "--meet-key-file",
        &key,
        "--record",
        &record,
    ]);
    let mut show = Show { onair, control, folder };
    let links = [show.invite("g1"), show.invite("g2")];
    let [flooded, other] = links.map(|link| {
        let (server, token) = link.rsplit_once("/guest/").unwrap();
        assert_eq!(server, meet);
        token.to_owned()
    });
    let state = |token: &str| ask(http, "GET", &format!("/guest/{token}/state"));
    for token in [&flooded, &other] {
        wait_for("the link at the server", LIMIT, || status(&state(token)) == "200");
    }
    show.onair.wait_named("stats");
    let before = memory(&show, 0).unwrap();

    // A page that asks again and again, and begins a connection each time.
    let offer = OFFER.replace("a=recvonly", "a=sendrecv");
    let flood: Vec<u16> = std::thread::scope(|scope| {
        let part = || {
            let ask = |_| {
                let path = format!("/guest/{flooded}/whip?seat=a");
                whep::ask(http, "POST", &path, "application/sdp", &offer).0
            };
            (0..FLOOD / 4).map(ask).collect::<Vec<u16>>()
        };
        let parts: Vec<_> = (0..4).map(|_| scope.spawn(part)).collect();
        parts.into_iter().flat_map(|it| it.join().unwrap()).collect()
    });
    assert!(flood.contains(&503), "too many requests: {flood:?}");
    let known = |status: &u16| matches!(status, 201 | 409 | 429 | 503);
    assert!(flood.iter().all(known), "{flood:?}");
    assert_eq!(status(&state(&other)), "200", "the other guest does not notice");
    let seen = show.onair.events().len();
    wait_for("figures after the flood", LIMIT, || memory(&show, seen).is_some());
    let after = memory(&show, seen).unwrap();
    assert!(after < before + MAX_GROWTH_BYTES, "{before} {after}");
    let guests = show.onair.events();
    let guests = guests.iter().filter(|it| it["event"] == "guest" && it["id"] == "g1");
    assert!(guests.into_iter().all(|it| it["state"] == "invited"), "nobody has come");

    show.say("stop");
    assert!(show.onair.peer.wait(LIMIT).success(), "{}", show.onair.peer.errors());
    for token in [&flooded, &other] {
        wait_for("a dead link", LIMIT, || matches!(status(&state(token)), "404" | "429"));
        let path = format!("/guest/{token}/whip?seat=a");
        let (answered, ..) = whep::ask(http, "POST", &path, "application/sdp", &offer);
        assert!(matches!(answered, 404 | 429), "{answered}");
    }
    serve.peer.interrupt();
    assert!(serve.peer.wait(LIMIT).success(), "{}", serve.peer.errors());
}

#[test]
fn a_camera_that_is_too_large_is_disconnected_and_the_place_is_kept() {
    if peers::missing(&["chromium", "ffmpeg"]) {
        return;
    }
    let mut show = Show::start("1");
    let link = show.invite("g1");
    let browser = show.browser(0);
    let page = browser.open(&link, &format!("{BEFORE}\n{LARGE_CAMERA}"));
    join(&page, "Ada");
    let reason = |event: &serde_json::Value| event["reason"].as_str().unwrap_or("").to_owned();
    show.onair.wait_event("the end of the connection", |event| {
        event["event"] == "unpublish"
            && event["app"] == "guest"
            && reason(event).contains("3840x2160")
    });
    show.wait_state("g1", "away");
    // The page tries again with the same camera. Nobody but the streamer ends the place.
    let events = show.onair.events();
    assert!(events.iter().all(|it| it["event"] != "guest" || it["state"] != "left"), "{events:?}");
    show.say("guest remove g1");
    show.wait_state("g1", "left");
    page.wait("document.body.innerText.includes('not valid any more')");
    show.say("stop");
    assert!(show.onair.peer.wait(LIMIT).success(), "{}", show.onair.peer.errors());
}
