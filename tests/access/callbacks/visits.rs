//! Tests of the visits of viewers over HTTP: the receiver hears of each viewer once when the viewer arrives, and once
//! when the viewer leaves.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::TcpStream;

use super::{Posted, Receiver, ok, rules};
use crate::access::{Serve, status};
use crate::peers::{self, LIMIT, ffmpeg, wait_for};

#[test]
fn an_hls_viewer_is_one_visit() {
    peers::require!("ffmpeg");
    let receiver = Receiver::start(|_| ok());
    let mut serve = Serve::start(&rules("live", receiver.port, "", ""));
    let _publisher = serve.publish("live/show");
    serve.wait_published("show");
    let master = serve.ask("GET", "/live/show.m3u8", "");
    let list = master.lines().find(|line| line.starts_with("show/hls/")).unwrap();
    for _ in 0..5 {
        assert_eq!(serve.status("GET", &format!("/live/{list}"), ""), 200);
    }
    assert_eq!(receiver.at("/on_play").len(), 1);
    let done = receiver.wait("/on_play_done", 1);
    assert_eq!(done.field("clientid"), receiver.at("/on_play")[0].field("clientid"));
    // Requests for the state of the page cause no callback.
    assert_eq!(serve.status("GET", "/live/show/state", ""), 200);
    assert_eq!(receiver.at("/on_play").len(), 1);
    // Without a pass, a HEAD request is a new visit.
    assert_eq!(serve.status("HEAD", "/live/show.m3u8", ""), 200);
    assert_eq!(receiver.at("/on_play").len(), 2);
}

/// DASH players reload the manifest, and players of a broadcast reload its playlist.
#[test]
fn viewers_who_reload_a_manifest_or_the_playlist_of_a_broadcast_are_one_visit() {
    peers::require!("ffmpeg");
    let receiver = Receiver::start(|_| ok());
    let folder = tempfile::tempdir().unwrap();
    let record = format!("record = {:?}\n", folder.path());
    let mut serve = Serve::start(&format!("{record}{}", rules("live", receiver.port, "", "")));
    let _publisher = serve.publish("live/show");
    serve.wait_published("show");
    let manifest = serve.ask("GET", "/live/show.mpd", "");
    let location = |manifest: &str| {
        let (_, rest) = manifest.split_once("<Location>").unwrap_or_else(|| panic!("{manifest}"));
        rest.split("</Location>").next().unwrap().to_owned()
    };
    let reloaded = location(&manifest);
    assert!(reloaded.starts_with("show.mpd?pass="), "{manifest}");
    for _ in 0..5 {
        let manifest = serve.ask("GET", &format!("/live/{reloaded}"), "");
        assert_eq!((status(&manifest), location(&manifest)), (200, reloaded.clone()));
    }
    assert_eq!(receiver.at("/on_play").len(), 1);
    let mut first = String::new();
    wait_for("the broadcast from its start", LIMIT, || {
        first = serve.ask("GET", "/live/show/hls/event.m3u8", "");
        status(&first) == 200
    });
    let asked = receiver.at("/on_play");
    let list = first.lines().find_map(|line| line.strip_prefix("../../show/hls/event.m3u8?pass="));
    let pass = list.unwrap_or_else(|| panic!("{first}"));
    for _ in 0..5 {
        let list = serve.ask("GET", &format!("/live/show/hls/event.m3u8?pass={pass}"), "");
        assert_eq!(status(&list), 200);
        let segment = list.lines().find_map(|line| line.strip_prefix("../../../vod/"));
        let segment = segment.unwrap_or_else(|| panic!("{list}"));
        assert_eq!(serve.status("GET", &format!("/vod/{segment}"), ""), 200);
    }
    assert_eq!(receiver.at("/on_play").len(), asked.len());
    // The attempts before the broadcast had a recording have ended. Both viewers are still there.
    let left = || receiver.at("/on_play_done").len();
    wait_for("the ends of the attempts", LIMIT, || left() >= asked.len() - 2);
    let id = |posted: &Posted| posted.field("clientid");
    let left: Vec<_> = receiver.at("/on_play_done").iter().map(id).collect();
    for viewer in [&asked[0], &asked[asked.len() - 1]] {
        assert!(!left.contains(&id(viewer)), "{left:?}");
    }
}

#[test]
fn a_viewer_of_a_broadcast_in_several_files_is_one_visit() {
    peers::require!("ffmpeg");
    let receiver = Receiver::start(|_| ok());
    let folder = tempfile::tempdir().unwrap();
    let record = format!("record = {:?}\nsplit_time = \"1s\"\n", folder.path());
    let mut serve = Serve::start(&format!("{record}{}", rules("live", receiver.port, "", "")));
    let _publisher = serve.publish("live/show");
    serve.wait_published("show");
    let mut first = String::new();
    wait_for("the broadcast from its start", LIMIT, || {
        first = serve.ask("GET", "/live/show/hls/event.m3u8", "");
        status(&first) == 200
    });
    let list = first.lines().find(|line| line.starts_with("../../show/hls/event.m3u8?pass="));
    let (_, pass) = list.unwrap_or_else(|| panic!("{first}")).split_once('?').unwrap();
    let asked = receiver.at("/on_play").len();
    let mut segments: Vec<String> = Vec::new();
    wait_for("three files", LIMIT, || {
        let list = serve.ask("GET", &format!("/live/show/hls/event.m3u8?{pass}"), "");
        let found = list.lines().filter_map(|line| line.strip_prefix("../../../vod/"));
        segments = found.map(str::to_owned).collect();
        let names = segments.iter().filter_map(|it| it.split("/hls/").next());
        names.collect::<BTreeSet<_>>().len() >= 3
    });
    for segment in segments.iter().chain(&segments) {
        assert_eq!(serve.status("GET", &format!("/vod/{segment}"), ""), 200);
    }
    // The server ends once it has sent all callbacks.
    serve.onair.peer.interrupt();
    assert_eq!(serve.onair.peer.wait(LIMIT).code(), Some(0));
    assert_eq!(receiver.at("/on_play").len(), asked);
    let ids = |path| {
        let mut ids: Vec<_> = receiver.at(path).iter().map(|it| it.field("clientid")).collect();
        ids.sort_unstable();
        ids
    };
    assert_eq!(ids("/on_play_done"), ids("/on_play"));
}

#[test]
fn a_viewer_of_a_recording_is_one_visit_even_if_its_stream_is_renamed() {
    peers::require!("ffmpeg");
    let receiver = Receiver::start(|_| ("302 Found\r\nLocation: other".to_owned(), String::new()));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("live-show 2026-11-25 18-00-00.mp4");
    ffmpeg::make(&file, "320x180", "12", &["-g", "50"]);
    let head = format!("record = {:?}\n[app.live]\nplay = {{ keys = [\"k\"] }}\n", folder.path());
    let serve = Serve::start(&format!("{head}{}", rules("live", receiver.port, "", "")));
    let name = "live-show%202026-11-25%2018-00-00";
    let master = serve.ask("GET", &format!("/vod/{name}.m3u8?key=k"), "");
    let list = master.lines().find(|it| it.contains("main.m3u8?pass="));
    let list =
        serve.ask("GET", &format!("/vod/{}", list.unwrap_or_else(|| panic!("{master}"))), "");
    let segments: Vec<_> =
        list.lines().filter(|it| it.contains("m4s?") && !it.starts_with('#')).collect();
    assert!(segments.len() > 1, "{list}");
    for segment in &segments {
        assert_eq!(serve.status("GET", &format!("/vod/{name}/hls/{segment}"), ""), 200);
    }
    assert_eq!(receiver.at("/on_play").len(), 1);
    // The callback has not admitted the viewer to the live stream of this name.
    let (_, pass) = segments[0].split_once('?').unwrap();
    assert_eq!(serve.status("GET", &format!("/live/show/hls/main.m3u8?{pass}"), ""), 401);
}

#[test]
fn a_download_ends_with_its_last_byte() {
    let receiver = Receiver::start(|_| ok());
    let folder = tempfile::tempdir().unwrap();
    let name = "live-show 2026-11-25 18-00-00.mp4";
    // The file is larger than the socket buffers.
    let size = 40 << 20;
    std::fs::write(folder.path().join(name), vec![7; size]).unwrap();
    let record = format!("record = {:?}\n", folder.path());
    let serve = Serve::start(&format!("{record}{}", rules("live", receiver.port, "", "")));
    let address = serve.http.strip_prefix("http://").unwrap();
    let path = format!("/vod/{}", name.replace(' ', "%20"));
    let mut socket = TcpStream::connect(address).unwrap();
    socket.set_read_timeout(Some(LIMIT)).unwrap();
    write!(socket, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").unwrap();
    let mut first = [0; 10_000];
    socket.read_exact(&mut first).unwrap();
    let begun = receiver.wait("/on_play", 1).field("clientid");
    // A later request ends before the download does.
    assert_eq!(serve.status("HEAD", &path, ""), 200);
    let other = receiver.wait("/on_play_done", 1).field("clientid");
    assert_eq!(other, receiver.wait("/on_play", 2).field("clientid"));
    assert_ne!(other, begun);
    let mut rest = Vec::new();
    socket.read_to_end(&mut rest).unwrap();
    assert!(rest.len() > size - first.len());
    assert_eq!(receiver.wait("/on_play_done", 2).field("clientid"), begun);
}
