//! A hostile WHEP viewer beside others: Chromium goes on over WebRTC and a player over RTMP, and neither misses anything.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

use serde_json::Value;

use super::browser::Browser;
use super::page::PageServer;
use super::{NO_B_FRAMES, aiortc, last};
use crate::peers::client::Client;
use crate::peers::resources::Resources;
use crate::peers::{self, LIMIT, Onair, ffmpeg, free_port, wait_for, web};
use onair::wire::container::flv::TagKind;

/// The largest distance between two frames at 30 fps, in ms.
const FRAME_MS: u32 = 34;

/// Watches over RTMP until `ends` is set, and returns the number of frames. Fails if a frame is
/// missing.
fn watch(url: &str, ends: &Arc<AtomicBool>) -> JoinHandle<u32> {
    let mut viewer = Client::play(url);
    let ends = Arc::clone(ends);
    thread::spawn(move || {
        let (mut frames, mut before) = (0, None);
        while !ends.load(Ordering::Acquire) {
            // The second byte is 1 for a frame (FLV 10.1, E.4.3).
            let (kind, time, body) = viewer.media();
            if kind != TagKind::Video || body.get(1) != Some(&1) {
                continue;
            }
            let apart = before.map_or(0, |before| time - before);
            assert!(apart <= FRAME_MS, "{apart} ms without a frame after {frames}");
            (frames, before) = (frames + 1, Some(time));
        }
        frames
    })
}

#[test]
fn a_hostile_viewer_disturbs_nobody() {
    let Some(mut client) = aiortc::program() else { return };
    if peers::missing(&["chromium", "ffmpeg"]) {
        return;
    }
    let port = free_port();
    let webrtc = format!("127.0.0.1:{port}");
    let words = ["serve", "--rtmp", "127.0.0.1:0", "--http", "127.0.0.1:0", "--webrtc", &webrtc];
    let mut server = Onair::start(&words);
    let ready = server.wait_named("ready");
    let host = |name: &str| ready[name].as_str().unwrap().split_once("://").unwrap().1.to_owned();
    let (url, http) = (format!("rtmp://{}/live/show", host("rtmp")), host("http"));
    let at: SocketAddr = http.parse().unwrap();
    // Every client offers this profile, so the server encodes no rendition.
    let options = [&NO_B_FRAMES[..], &["-profile:v", "baseline"]].concat();
    let _publisher = ffmpeg::publish_with(&url, None, &options);
    server.wait_named("publish");
    let ends = Arc::new(AtomicBool::new(false));
    let rtmp = watch(&url, &ends);
    let page = PageServer::start(at);
    let mut browser = Browser::open(&page.url("/live/show/whep"));
    let decoded = || last(&page.reports())["framesDecoded"].as_u64().unwrap_or(0);
    browser.wait("frames", || decoded() > 60);
    let (report, start) = (last(&page.reports()), Resources::of(server.peer.id()));

    let endpoint = format!("http://{http}/live/show/whep");
    let mut hostile = client.attack(&endpoint, port, &page.ice_name());
    hostile.wait_success(LIMIT * 6);
    let result: Value = serde_json::from_str(hostile.output().lines().last().unwrap()).unwrap();
    println!("{result}");
    let count = |name: &str| result[name].as_u64().unwrap();
    assert_eq!(count("strangers_answered"), 0, "{result}");
    // The hostile packets do arrive.
    assert!(count("rtcp") > 2_000 && count("checks_answered") > 0, "{result}");
    assert!(
        count("handshakes_answered") > 0 && result["offers"]["422"].as_u64() > Some(0),
        "{result}"
    );
    let mut answers = result["offers"].as_object().unwrap().keys();
    assert!(answers.all(|status| status == "201" || status.starts_with('4')), "{result}");

    let during = decoded();
    browser.wait("frames after the attack", || decoded() > during + 90);
    let after = last(&page.reports());
    assert_eq!(after["connectionState"], "connected", "{after}");
    for lost in ["packetsLost", "pliCount", "audioLost"] {
        assert_eq!(after[lost], report[lost], "{lost}: {after}");
    }
    ends.store(true, Ordering::Release);
    let frames = rtmp.join().expect("a player over RTMP that misses nothing");
    println!("{} frames in Chromium, {frames} over RTMP", after["framesDecoded"]);
    assert!(u64::from(frames) > 150 && after["framesDecoded"].as_u64() > Some(150));
    drop(browser);
    wait_for("a server that answers", LIMIT, || {
        web::ask(http.as_str(), "GET", "/healthz").contains("200 OK")
    });
    start.returned("the attack");
    assert!(server.stop(LIMIT).success());
    let errors = server.peer.errors();
    assert!(!errors.contains("panicked"), "{errors}");
}
