//! Tests of the built-in server's DASH output with ffmpeg, mpv, GStreamer and dash.js. The tests
//! also request segments directly: complete segments, segments that still grow, and segments that
//! never exist.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use crate::peers::{self, LIMIT, Peer, ffmpeg, others, wait_for, web};
use crate::viewer_page::chromium::Chromium;
use onair::base::Clock;
use onair::net::Runtime;
use onair::server::hls::Mode;
use onair::server::{Config, Event, Listen, Protocol, Server};

struct Running {
    server: Server,
    runtime: Runtime,
}

fn start_with(change: impl FnOnce(&mut Config)) -> Running {
    let any = Listen::exactly("127.0.0.1:0".parse().unwrap());
    let mut config = Config { rtmp: any, http: Some(any), webrtc: None, ..Config::default() };
    change(&mut config);
    let runtime = Runtime::start().unwrap();
    let server = Server::start(&runtime, Clock::start(), config).unwrap();
    Running { server, runtime }
}

impl Running {
    fn http(&self) -> SocketAddr {
        self.server.addresses().http.unwrap()
    }

    fn url(&self) -> String {
        format!("http://{}/live/show.mpd", self.http())
    }

    fn publish(&self, options: &[&str]) -> Peer {
        let url = format!("rtmp://{}/live/show", self.server.addresses().rtmp);
        let publisher = ffmpeg::publish_with(&url, None, options);
        wait_for("the stream", LIMIT, || {
            self.server.streams().iter().any(|it| it.publisher.is_some())
        });
        publisher
    }

    /// Status, head and body of the answer to a GET.
    fn get(&self, path: &str) -> (u16, String, Vec<u8>) {
        let mut socket = TcpStream::connect(self.http()).unwrap();
        socket.set_read_timeout(Some(LIMIT)).unwrap();
        let host = self.http();
        write!(socket, "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").unwrap();
        let mut bytes = Vec::new();
        socket.read_to_end(&mut bytes).unwrap();
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap().to_ascii_lowercase();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let body = bytes.split_off(end + 4);
        let body =
            if head.contains("transfer-encoding: chunked") { dechunked(&body) } else { body };
        (status, head, body)
    }

    fn manifest(&self) -> String {
        let (status, head, body) = self.get("/live/show.mpd");
        assert_eq!(status, 200, "{head}");
        assert!(head.contains("content-type: application/dash+xml"), "{head}");
        String::from_utf8(body).unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        assert!(self.server.shutdown(Duration::from_secs(30)), "everybody leaves in time");
        self.runtime.shutdown(Duration::from_secs(5));
    }
}

/// Joins the data of HTTP chunks, which end with an empty chunk.
fn dechunked(mut body: &[u8]) -> Vec<u8> {
    let mut data = Vec::new();
    loop {
        let line = body.windows(2).position(|two| two == b"\r\n").expect("a chunk's length");
        let size = usize::from_str_radix(std::str::from_utf8(&body[..line]).unwrap(), 16).unwrap();
        if size == 0 {
            return data;
        }
        data.extend_from_slice(&body[line + 2..line + 2 + size]);
        body = &body[line + 2 + size + 2..];
    }
}

/// All values of this attribute.
fn all<'a>(text: &'a str, attribute: &str) -> Vec<&'a str> {
    let start = format!(" {attribute}=\"");
    text.split(&start).skip(1).filter_map(|rest| rest.split('"').next()).collect()
}

/// The number of the first segment, and the number of complete segments.
fn first_and_complete(text: &str) -> [u64; 2] {
    let first = all(text, "startNumber")[0].parse().unwrap();
    [first, text.matches("<S t=").count() as u64 / 2 - 1]
}

#[test]
fn a_manifest_leads_to_segments_of_each_track_also_while_they_grow() {
    if peers::missing(&["ffmpeg"]) {
        return;
    }
    let running = start_with(|_| ());
    let _publisher = running.publish(&[]);
    let text = running.manifest();
    assert!(all(&text, "codecs")[0].starts_with("avc1."), "{text}");
    assert_eq!(all(&text, "codecs")[1], "mp4a.40.2", "{text}");
    assert_eq!(text.matches("<Period ").count(), 1, "{text}");
    let first: u64 = all(&text, "startNumber")[0].parse().unwrap();
    let folder = tempfile::tempdir().unwrap();
    for (track, kind) in ["video", "audio"].into_iter().enumerate() {
        let get = |name: &str| {
            let (status, head, body) = running.get(&format!("/live/{name}"));
            assert_eq!(status, 200, "{name}: {head}");
            assert!(head.contains("immutable"), "{name}: {head}");
            (head, body)
        };
        let initialization = get(all(&text, "initialization")[track]).1;
        let media = all(&text, "media")[track];
        // The next segment does not exist yet: it arrives in pieces, unless it is complete by then.
        let (mut growing, mut grown) = (String::new(), Vec::new());
        wait_for("a segment that grows", LIMIT, || {
            let text = running.manifest();
            let next = first_and_complete(&text).iter().sum::<u64>();
            growing = media.replace("$Number$", &next.to_string());
            let (head, body) = get(&growing);
            grown = body;
            head.contains("transfer-encoding: chunked")
        });
        let (head, whole) = get(&growing);
        assert!(head.contains("content-length"), "{head}");
        assert!(grown == whole, "a segment that has grown is the same as later");
        let file = folder.path().join(format!("{kind}.mp4"));
        std::fs::write(&file, [initialization, whole].concat()).unwrap();
        let complaints = ffmpeg::decode(&file);
        assert!(complaints.is_empty(), "{complaints}");
        let streams = ffmpeg::probe(&file);
        assert!(streams.stream(kind)["codec_name"].is_string());
    }
    // Existing segments keep their times in later manifests.
    let later = running.manifest();
    assert_eq!(all(&later, "t")[0], all(&text, "t")[0]);
    assert_eq!(all(&later, "start"), all(&text, "start"));
    let now = running.get(&format!("/live/{}", all(&text, "value")[0]));
    assert!(now.2.ends_with(b"Z") && now.1.contains("no-store"), "{now:?}");
    // On a busy machine, the decoder above may take longer than a viewer is counted without requests.
    let watching: i64 = std::iter::from_fn(|| running.server.events().try_recv().ok())
        .map(|it| match it {
            Event::Join(peer) if peer.protocol == Protocol::Dash => 1,
            Event::Leave(peer, ..) if peer.protocol == Protocol::Dash => -1,
            _ => 0,
        })
        .sum();
    assert_eq!(watching, 1, "all of these requests are one viewer");
    for (name, status) in [
        (all(&text, "media")[0].replace("$Number$", &(first + 90).to_string()), 404),
        (all(&text, "media")[0].replace("$Number$", &u64::MAX.to_string()), 404),
        (all(&text, "media")[0].replace("$Number$", "7.1"), 404),
        (all(&text, "initialization")[0].replace(".mp4", "9.mp4"), 404),
    ] {
        assert_eq!(running.get(&format!("/live/{name}")).0, status, "{name}");
    }
    assert_eq!(running.get("/live/none.mpd").0, 404);
}

#[test]
fn a_publisher_that_reconnects_begins_another_period() {
    if peers::missing(&["ffmpeg"]) {
        return;
    }
    let running = start_with(|_| ());
    let mut first = running.publish(&[]);
    running.manifest();
    first.kill();
    wait_for("its end", LIMIT, || running.server.streams().iter().all(|it| it.publisher.is_none()));
    let _second = running.publish(&["-vf", "scale=480:270"]);
    let mut text = String::new();
    wait_for("its period", LIMIT, || {
        text = running.manifest();
        text.matches("<Period ").count() == 2 && text.matches("<S t=").count() > 6
    });
    let seconds = |text: &str| text[2..text.len() - 1].parse::<f64>().unwrap();
    let starts: Vec<f64> = all(&text, "start").into_iter().map(seconds).collect();
    assert!(starts[1] > starts[0], "{starts:?}");
    assert_eq!(all(&text, "width").last(), Some(&"480"), "{text}");
    assert_eq!(text.matches(" r=\"-1\"").count(), 2, "only the last period grows: {text}");
    // A player that expected one more segment in the first period gets one without media, not one of the
    // second period, and no error.
    let (expected, next) = (all(&text, "media")[0], all(&text, "startNumber")[2]);
    let (status, head, body) =
        running.get(&format!("/live/{}", expected.replace("$Number$", next)));
    assert_eq!((status, body.len(), &body[4..8]), (200, 20, &b"styp"[..]), "{head}");
}

#[test]
fn players_of_dash_that_we_did_not_write_play_it() {
    if peers::missing(&["ffmpeg"]) {
        return;
    }
    let running = start_with(|config| config.hls.mode = Mode::Always);
    let _publisher = running.publish(&[]);
    running.manifest();
    let url = running.url();
    let words = ["-nostdin", "-v", "error", "-xerror", "-i", &url, "-t", "4", "-f", "null", "-"];
    let mut player = Peer::start("ffmpeg", words);
    player.wait_success(LIMIT);
    assert_eq!(player.errors(), "", "ffmpeg complains");
    if !peers::missing(&["mpv"]) {
        let mut mpv = others::mpv_play(&url, 3);
        mpv.wait_success(LIMIT);
    }
    if !peers::missing(&["gst-launch-1.0"]) {
        let mut gstreamer = others::gstreamer_play_any(&url);
        for sink in ["pictures", "sound"] {
            gstreamer.wait_until(sink, LIMIT, |it| others::gstreamer_seen(it, sink) > 30);
        }
    }
}

/// A page that plays a manifest with dash.js, as close to the live edge as the manifest asks.
const PAGE: &str = "<!doctype html><title>DASH</title><video id=video muted></video><script src=dash.js></script><script>
const player = dashjs.MediaPlayer().create();
player.initialize(document.getElementById('video'), MANIFEST, true);
window.mistakes = [];
player.on('error', event => mistakes.push(JSON.stringify(event.error)));
</script>";

#[test]
fn dash_js_plays_it_close_to_the_stream() {
    if peers::missing(&["ffmpeg", "chromium"]) {
        return;
    }
    let Some(library) = peers::fetched("ONAIR_DASHJS") else { return };
    let library = std::fs::read(library).unwrap();
    let running = start_with(|config| config.cors = vec!["*".to_owned()]);
    let _publisher = running.publish(&["-g", "60"]);
    let page = PAGE.replace("MANIFEST", &format!("{:?}", running.url()));
    let port = web::canned(move |head, socket| {
        let (kind, body) = if head.starts_with("GET /dash.js ") {
            ("text/javascript", &library[..])
        } else {
            ("text/html", page.as_bytes())
        };
        let length = body.len();
        let _ = write!(
            socket,
            "HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
        );
        let _ = socket.write_all(body);
    });
    let browser = Chromium::start("en");
    let page = browser.open(&format!("http://127.0.0.1:{port}/"), "");
    page.wait("document.getElementById('video').getVideoPlaybackQuality().totalVideoFrames > 90");
    // Closer than with complete segments and two more of buffer: the player reads segments while
    // they grow.
    page.wait("player.getCurrentLiveLatency() > 0 && player.getCurrentLiveLatency() < 3.5");
    assert_eq!(page.value("mistakes.join()"), "");
}
