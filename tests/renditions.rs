//! Tests of the renditions of the built-in server. Their segments must match the segments of the
//! stream and decode in ffmpeg. Players must be able to switch between renditions.

use std::ffi::OsStr;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use crate::peers::{self, LIMIT, Peer, ffmpeg, wait_for};
use crate::viewer_page::chromium::{Chromium, Page};
use onair::base::Clock;
use onair::compose::filter::{Corner, WatermarkImage};
use onair::net::Runtime;
use onair::server::renditions::{LadderRule, Watermark};
use onair::server::{Config, Event, Listen, RenditionState, Server};
use onair::wire::hls::{Master, Media, Playlist, parse};

/// Options for a small stream, which slow machines and debug builds can encode.
const SMALL: [&str; 6] = ["-vf", "scale=320:180", "-r", "15", "-g", "15"];

struct Running {
    server: Server,
    runtime: Runtime,
}

/// A server with these renditions, which refuses none even when the machine is busy.
fn start_with(ladder: &str, change: impl FnOnce(&mut Config)) -> Running {
    let any = Listen::exactly("127.0.0.1:0".parse().unwrap());
    let mut config = Config { rtmp: any, http: Some(any), webrtc: None, ..Config::default() };
    config.media.renditions.others = ladder.parse().unwrap();
    config.media.renditions.cpu = 100.0;
    change(&mut config);
    let runtime = Runtime::start().unwrap();
    let server = Server::start(&runtime, Clock::start(), config).unwrap();
    Running { server, runtime }
}

impl Running {
    fn http(&self) -> SocketAddr {
        self.server.addresses().http.unwrap()
    }

    fn publish(&self, options: &[&str]) -> Peer {
        let url = format!("rtmp://{}/live/show", self.server.addresses().rtmp);
        let publisher = ffmpeg::publish_with(&url, None, options);
        self.wait_for_publisher();
        publisher
    }

    fn wait_for_publisher(&self) {
        wait_for("the stream", LIMIT, || {
            let published = |it: &onair::server::StreamFigures| {
                it.publisher.as_ref().is_some_and(|it| it.video.is_some() && it.audio.is_some())
            };
            self.server.streams().iter().any(published)
        });
    }

    /// Status and body of the answer to a GET.
    fn get(&self, path: &str) -> (u16, Vec<u8>) {
        let mut socket = TcpStream::connect(self.http()).unwrap();
        socket.set_read_timeout(Some(LIMIT)).unwrap();
        let host = self.http();
        write!(socket, "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").unwrap();
        let mut bytes = Vec::new();
        socket.read_to_end(&mut bytes).unwrap();
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, bytes.split_off(end + 4))
    }

    fn text(&self, path: &str) -> String {
        let (status, body) = self.get(path);
        let text = String::from_utf8(body).unwrap();
        assert_eq!(status, 200, "{path}: {text}");
        text
    }

    fn master(&self) -> (Master, String) {
        let text = self.text("/live/show.m3u8");
        match parse(text.as_bytes()) {
            Ok(Playlist::Master(master)) => (master, text),
            other => panic!("{other:?} of {text}"),
        }
    }

    fn list(&self, name: &str) -> Media {
        let text = self.text(&format!("/live/show/hls/{name}.m3u8"));
        match parse(text.as_bytes()) {
            Ok(Playlist::Media(media)) => media,
            other => panic!("{other:?} of {text}"),
        }
    }

    /// Writes a segment as a playable file.
    fn segment(&self, media: &Media, number: u64, file: &Path) {
        let segment = media.segment(number).unwrap();
        let get = |name: &str| {
            let (status, body) = self.get(&format!("/live/show/hls/{name}"));
            assert_eq!(status, 200, "{name}");
            body
        };
        let whole = [get(&segment.map.as_ref().unwrap().uri), get(&segment.uri)].concat();
        std::fs::write(file, whole).unwrap();
    }

    fn changes(&self) -> Vec<(String, RenditionState)> {
        let events = std::iter::from_fn(|| self.server.events().try_recv().ok());
        let changes = events.filter_map(|event| match event {
            Event::Rendition(change) => Some((change.rendition, change.state)),
            _ => None,
        });
        changes.collect()
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

#[test]
fn segments_of_renditions_are_those_of_the_stream() {
    if peers::missing(&["ffmpeg"]) {
        return;
    }
    // With B-frames, whose DTS differs from their PTS.
    let running = start_with("720p,120p:300k,audio", |_| ());
    let film = ["-tune", "film", "-bf", "2", "-b_strategy", "0"];
    let _publisher = running.publish(&[&SMALL[..], &film].concat());
    let (master, text) = running.master();
    let names: Vec<_> = master.variants.iter().map(|it| it.uri.as_str()).collect();
    assert_eq!(
        names,
        ["show/hls/main.m3u8", "show/hls/120p.m3u8", "show/hls/audio.m3u8"],
        "{text}"
    );
    assert!(text.contains(",RESOLUTION=212x120,FRAME-RATE=15.000\n"), "{text}");
    assert_eq!(running.changes(), [], "nobody watches it");
    let both = |name: &str| {
        let mut shared = Vec::new();
        wait_for("segments of both", LIMIT, || {
            let (main, rendition) = (running.list("main"), running.list(name));
            shared = (0..rendition.segments.len() as u64)
                .map(|index| rendition.sequence + index)
                .filter(|number| main.segment(*number).is_some())
                .collect();
            shared.len() >= 2
        });
        (running.list("main"), running.list(name), shared.pop().unwrap())
    };
    let folder = tempfile::tempdir().unwrap();
    let [one_file, other_file] = ["main.mp4", "small.mp4"].map(|name| folder.path().join(name));
    let keys = |probe: &ffmpeg::Probe| {
        let packets = probe.packets("video").into_iter().filter(|it| it.keyframe);
        packets.map(|it| (it.pts * 1_000.0).round() as i64).collect::<Vec<_>>()
    };
    // A busy machine may drop frames up to a keyframe; then the test compares the next segment.
    wait_for("a whole segment", LIMIT * 2, || {
        let (main, small, number) = both("120p");
        assert_eq!(main.target_duration, small.target_duration);
        assert!(small.reports.iter().any(|it| it.uri == "main.m3u8"), "{:?}", small.reports);
        let times = |media: &Media| media.segment(number).unwrap().made;
        assert_eq!(times(&main), times(&small), "the same time of day");
        running.segment(&main, number, &one_file);
        running.segment(&small, number, &other_file);
        let (one, other) = (ffmpeg::probe(&one_file), ffmpeg::probe(&other_file));
        assert_eq!(other.stream("video")["width"], 212);
        let (of_stream, of_rendition) = (keys(&one), keys(&other));
        assert!(of_rendition.iter().all(|it| of_stream.contains(it)), "{of_rendition:?}");
        of_stream == of_rendition && one.packets("video").len() == other.packets("video").len()
    });
    for file in [&one_file, &other_file] {
        let complaints = ffmpeg::decode(file);
        assert!(complaints.is_empty(), "{complaints}");
    }
    let (_, audio, number) = both("audio");
    let file = folder.path().join("audio.mp4");
    running.segment(&audio, number, &file);
    let streams = ffmpeg::probe(&file).json["streams"].as_array().unwrap().len();
    assert_eq!(streams, 1, "the audio alone");
    assert_eq!(running.changes(), [("120p".to_owned(), RenditionState::Started)]);
    // The figures that the operator sees.
    let figures: Value = serde_json::from_str(&running.text("/api/v1/streams")).unwrap();
    let figures = &figures["streams"][0]["renditions"];
    assert_eq!((&figures[0]["name"], &figures[0]["width"]), (&"120p".into(), &212.into()));
    assert!(figures[0]["cpu_seconds"].as_f64() > Some(0.0), "{figures}");
    let metrics = running.text("/metrics");
    let line = "onair_rendition_frames_total{app=\"live\",stream=\"show\",rendition=\"120p\"} ";
    assert!(metrics.contains(line), "{metrics}");
}

/// The codec config of HEVC does not contain the frame rate.
#[cfg(feature = "ffmpeg")]
#[test]
fn a_rendition_of_hevc_with_60_frames_per_second_keeps_its_bitrate() {
    let Some(program) = crate::enhanced::new_ffmpeg() else { return };
    let running = start_with("120p:300k", |_| ());
    let url = format!("rtmp://{}/live/show", running.server.addresses().rtmp);
    let words = "-hide_banner -nostdin -v error -re -f lavfi -i testsrc2=size=320x180:rate=60 \
                 -f lavfi -i sine=frequency=440:sample_rate=48000 -pix_fmt yuv420p -ac 2 \
                 -c:v libx265 -preset ultrafast -x265-params log-level=none:keyint=60 \
                 -c:a aac -b:a 64k -f flv";
    let mut command = std::process::Command::new(program);
    let _publisher = Peer::start_command(command.args(words.split_whitespace()).arg(url));
    running.wait_for_publisher();
    let (master, text) = running.master();
    assert!(master.variants.iter().all(|it| it.frame_rate == Some(60.0)), "{text}");
    let small = master.variants.iter().find(|it| it.uri == "show/hls/120p.m3u8").unwrap();
    wait_for("segments", LIMIT, || running.list("120p").segments.len() >= 3);
    let (mut bytes, mut seconds) = (0, 0.0);
    for segment in &running.list("120p").segments {
        let (status, body) = running.get(&format!("/live/show/hls/{}", segment.uri));
        assert_eq!(status, 200, "{}", segment.uri);
        (bytes, seconds) = (bytes + body.len(), seconds + segment.duration.as_secs_f64());
    }
    let rate = bytes as f64 * 8.0 / seconds;
    assert!(rate <= small.bandwidth as f64, "{rate} {text}");
}

#[test]
fn a_stream_has_the_renditions_of_its_rule() {
    if peers::missing(&["ffmpeg"]) {
        return;
    }
    let running = start_with("240p,audio", |config| {
        let rule = |streams: &str, ladder: &str| LadderRule {
            streams: streams.to_owned(),
            ladder: ladder.parse().unwrap(),
        };
        config.media.renditions.streams = vec![rule("live/*", "180p"), rule("live/show", "120p")];
    });
    let _publisher = running.publish(&["-r", "15", "-g", "15"]);
    let (master, text) = running.master();
    let names: Vec<_> = master.variants.iter().map(|it| it.uri.as_str()).collect();
    assert_eq!(names, ["show/hls/main.m3u8", "show/hls/120p.m3u8"], "{text}");
    assert!(!running.list("120p").segments.is_empty());
    let state: Value = serde_json::from_str(&running.text("/live/show/state")).unwrap();
    assert_eq!(state["renditions"], serde_json::json!(["120p"]), "the page offers them");
    assert_eq!(running.get("/live/show/hls/180p.m3u8").0, 404);
}

#[test]
fn a_running_stream_gets_the_renditions_of_a_reload() {
    if peers::missing(&["ffmpeg"]) {
        return;
    }
    let running = start_with("120p,240p", |_| ());
    let _publisher = running.publish(&["-r", "15", "-g", "15"]);
    assert!(!running.list("120p").segments.is_empty());
    let mut config = Config::default();
    config.media.renditions.others = "180p,audio".parse().unwrap();
    config.media.renditions.cpu = 100.0;
    running.server.reload(&config);
    let expected = ["show/hls/main.m3u8", "show/hls/180p.m3u8", "show/hls/audio.m3u8"];
    wait_for("the renditions of the reload", LIMIT, || {
        running.master().0.variants.iter().map(|it| it.uri.as_str()).eq(expected)
    });
    assert!(!running.list("180p").segments.is_empty());
    assert_eq!(running.get("/live/show/hls/240p.m3u8").0, 404);
    assert!(!running.list("120p").segments.is_empty(), "its viewers go on");
}

#[test]
fn a_rendition_beyond_the_limit_is_refused_with_the_reason() {
    if peers::missing(&["ffmpeg"]) {
        return;
    }
    let running = start_with("240p,180p,120p", |config| config.media.renditions.limit = Some(1));
    let _publisher = running.publish(&["-r", "15", "-g", "15"]);
    running.list("180p");
    let (status, body) = running.get("/live/show/hls/240p.m3u8");
    let text = String::from_utf8(body).unwrap();
    assert_eq!(status, 503);
    assert!(text.starts_with("the server has reached its limit of 1 renditions"), "{text}");
    let (_, text) = running.master();
    assert!(!text.contains("240p.m3u8") && text.contains("120p.m3u8"), "{text}");
    assert_eq!(running.get("/live/show/hls/480p.m3u8").0, 404);
    let expected = [("180p", RenditionState::Started), ("240p", RenditionState::Refused)];
    assert_eq!(running.changes(), expected.map(|(name, state)| (name.to_owned(), state)));
}

#[test]
fn a_viewer_for_whom_there_is_no_room_starts_no_rendition() {
    if peers::missing(&["ffmpeg"]) {
        return;
    }
    let running = start_with("120p", |config| config.limits.viewers = 1);
    let _publisher = running.publish(&SMALL);
    let mut viewer = TcpStream::connect(running.http()).unwrap();
    viewer.set_read_timeout(Some(LIMIT)).unwrap();
    write!(viewer, "GET /live/show.flv HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    viewer.read_exact(&mut [0; 512]).unwrap();
    assert_eq!(running.get("/live/show/hls/120p.m3u8").0, 503);
    drop(viewer);
    assert_eq!(running.changes(), []);
}

#[test]
fn a_busy_machine_begins_no_rendition() {
    if peers::missing(&["ffmpeg"]) {
        return;
    }
    let running = start_with("240p", |config| config.media.renditions.cpu = 0.0);
    let _publisher = running.publish(&[]);
    let (status, body) = running.get("/live/show/hls/240p.m3u8");
    let text = String::from_utf8(body).unwrap();
    assert_eq!(status, 503);
    assert!(text.starts_with("not enough CPU: "), "{text}");
    assert!(!running.list("main").segments.is_empty(), "the stream itself is there");
}

#[test]
fn ffmpeg_plays_each_rendition_by_hls_and_dash() {
    if peers::missing(&["ffmpeg"]) {
        return;
    }
    let running = start_with("120p:300k,audio", |_| ());
    let _publisher = running.publish(&SMALL);
    let address = format!("http://{}/live/show", running.http());
    for (name, video) in [("120p", true), ("audio", false)] {
        let url = format!("{address}/hls/{name}.m3u8");
        let words =
            ["-nostdin", "-v", "error", "-xerror", "-i", &url, "-t", "4", "-f", "null", "-"];
        let mut player = Peer::start("ffmpeg", words);
        player.wait_success(LIMIT);
        assert_eq!(player.errors(), "", "{name}");
        let probe = ffmpeg::probe(&url);
        let streams = probe.json["streams"].as_array().unwrap();
        assert_eq!(streams.iter().any(|it| it["codec_type"] == "video"), video, "{name}");
    }
    let manifest = running.text("/live/show.mpd");
    assert!(manifest.contains("<Representation id=\"120p\" codecs=\"avc1."), "{manifest}");
    // The video representations: the second one is the rendition.
    let url = format!("{address}.mpd");
    let words = ["-nostdin", "-v", "error", "-xerror", "-i", &url, "-t", "3"];
    let maps = ["-map", "0:v", "-map", "0:a", "-f", "null", "-"];
    let mut player = Peer::start("ffmpeg", words.into_iter().chain(maps));
    player.wait_success(LIMIT);
    assert_eq!(player.errors(), "");
    let sizes = ffmpeg::probe(&url).json["streams"].to_string();
    assert!(sizes.contains("\"width\":212") && sizes.contains("\"width\":320"), "{sizes}");
}

#[test]
fn watermarks_are_in_their_corners_of_renditions_and_not_of_the_stream() {
    if peers::missing(&["ffmpeg"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let logo = folder.path().join("logo.png");
    let words = ["-nostdin", "-v", "error", "-f", "lavfi", "-i", "color=white:size=40x20"];
    let words = words.map(OsStr::new).into_iter();
    let frame = ["-frames:v", "1"].map(OsStr::new).into_iter();
    Peer::start("ffmpeg", words.chain(frame).chain([logo.as_os_str()])).wait_success(LIMIT);
    let running = start_with("120p:500k", |config| {
        let mut image = Watermark::image(&logo).unwrap();
        image.image =
            WatermarkImage { corner: Corner::TopLeft, height: 0.25, opacity: 1.0, ..image.image };
        let mut text = Watermark::text("onair");
        text.image =
            WatermarkImage { corner: Corner::BottomRight, height: 0.3, opacity: 1.0, ..text.image };
        let absent = Watermark { renditions: Some(vec!["240p".to_owned()]), ..image.clone() };
        let absent = Watermark {
            image: WatermarkImage { corner: Corner::TopRight, ..absent.image },
            ..absent
        };
        config.media.renditions.watermarks = vec![image, text, absent];
    });
    let grey = ["-vf", "scale=320:180,drawbox=color=gray:t=fill", "-r", "15", "-g", "15"];
    let _publisher = running.publish(&grey);
    // The luma of one frame of a playlist.
    let luma = |name: &str| {
        let url = format!("http://{}/live/show/hls/{name}.m3u8", running.http());
        let file = folder.path().join(format!("{name}.gray"));
        let words = ["-nostdin", "-y", "-v", "error", "-i", &url, "-frames:v", "1"];
        let after = ["-pix_fmt", "gray", "-f", "rawvideo"];
        let words = words.into_iter().chain(after).map(OsStr::new);
        Peer::start("ffmpeg", words.chain([file.as_os_str()])).wait_success(LIMIT);
        std::fs::read(&file).unwrap()
    };
    let (main, small) = (luma("main"), luma("120p"));
    assert_eq!((main.len(), small.len()), (320 * 180, 212 * 120));
    let spread = |pixels: &[u8]| (*pixels.iter().min().unwrap(), *pixels.iter().max().unwrap());
    let (darkest, brightest) = spread(&main);
    assert!(brightest - darkest < 20, "the stream itself stays: {darkest} {brightest}");
    let part = |left: usize, top: usize, width: usize, height: usize| -> Vec<u8> {
        let rows = small.chunks_exact(212).skip(top).take(height);
        rows.flat_map(|row| row[left..left + width].to_vec()).collect()
    };
    // The image has 60×30 pixels, 4 from the edges.
    let (darkest, _) = spread(&part(8, 8, 52, 22));
    assert!(darkest > 215, "the image is white: {darkest}");
    let (darkest, brightest) = spread(&part(110, 78, 98, 38));
    assert!(brightest > 200 && darkest < 70, "white letters, outlined: {darkest} {brightest}");
    for (left, top) in [(110, 4), (4, 60)] {
        let (darkest, brightest) = spread(&part(left, top, 90, 40));
        assert!(brightest - darkest < 40, "{left} {top}: {darkest} {brightest}");
    }
}

#[test]
fn renditions_have_the_colors_of_the_stream_whatever_its_color_space() {
    if peers::missing(&["ffmpeg"]) {
        return;
    }
    for (range, matrix) in [("pc", "bt709"), ("tv", "smpte170m")] {
        let running = start_with("120p:500k", |_| ());
        let green = "scale=320:180,drawbox=color=0x20b040:t=fill";
        let colors = ["-color_range", range, "-colorspace", matrix];
        let small = ["-vf", green, "-r", "15", "-g", "15"];
        let _publisher = running.publish(&[&small[..], &colors].concat());
        let color = |name: &str| {
            ffmpeg::color(&format!("http://{}/live/show/hls/{name}.m3u8", running.http()))
        };
        let (main, small) = (color("main"), color("120p"));
        // With the colors of the stream, one value would differ by 10 or more.
        let is_near = main.iter().zip(small).all(|(one, other)| one.abs_diff(other) <= 7);
        assert!(is_near, "{range} {matrix}: {main:?} {small:?}");
    }
}

/// Chooses a quality in the page's settings, and waits for its width.
fn choose(page: &Page<'_>, quality: &str, width: u32) {
    let input = format!("#quality-menu input[value=\"{quality}\"]");
    page.wait(&format!("document.querySelector('{input}') !== null"));
    page.value(&format!("document.querySelector('{input}').click()"));
    page.wait(&format!("document.getElementById('video').videoWidth === {width}"));
}

#[test]
fn the_page_changes_between_renditions_and_plays_on() {
    if peers::missing(&["chromium", "ffmpeg"]) {
        return;
    }
    let running = start_with("120p:300k,audio", |_| ());
    let _publisher = running.publish(&SMALL);
    let browser = Chromium::start("en");
    let page = browser.open(&format!("http://{}/watch/live/show", running.http()), "");
    page.wait("document.documentElement.dataset.protocol === 'hls'");
    page.wait("document.documentElement.dataset.status === 'playing'");
    page.value("window.states = []; new MutationObserver(() => states.push(document.documentElement.dataset.status)).observe(document.documentElement, { attributeFilter: ['data-status'] }); 1");
    let names =
        "[...document.querySelectorAll('#quality-menu label')].map(it => it.innerText).join()";
    page.value("document.getElementById('settings').click()");
    page.wait(&format!("{names} === 'Automatic,Original (180p),120p,Audio only'"));
    for (quality, width) in [("120p", 212), ("main", 320), ("120p", 212)] {
        choose(&page, quality, width);
        let shown = if width == 212 { "120p" } else { "180p" };
        page.wait(&format!("document.getElementById('size').innerText === '{shown}'"));
    }
    assert_eq!(page.value("states.filter(it => it !== 'playing').join()"), "", "it plays on");
    // The playlist that the page loaded does not list the rendition of a reload.
    let mut config = Config::default();
    config.media.renditions.others = "120p:300k,96p:200k,audio".parse().unwrap();
    config.media.renditions.cpu = 100.0;
    running.server.reload(&config);
    wait_for("the rendition of the reload", LIMIT, || {
        running.master().0.variants.iter().any(|it| it.uri == "show/hls/96p.m3u8")
    });
    choose(&page, "96p", 170);
    choose(&page, "audio", 0);
    page.wait("document.getElementById('video').currentTime > 0 && document.documentElement.dataset.status === 'playing'");
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

#[test]
fn the_note_about_a_refused_quality_names_what_the_menu_shows() {
    if peers::missing(&["chromium", "ffmpeg"]) {
        return;
    }
    let running = start_with("120p:300k,audio", |config| config.media.renditions.cpu = 0.0);
    let _publisher = running.publish(&SMALL);
    let browser = Chromium::start("en");
    let page = browser.open(&format!("http://{}/watch/live/show", running.http()), "");
    page.wait("document.documentElement.dataset.status === 'playing'");
    let input = "document.querySelector('#quality-menu input[value=\"120p\"]')";
    page.wait(&format!("{input} !== null"));
    page.value(&format!("{input}.click()"));
    page.wait("document.getElementById('note').textContent !== ''");
    let chosen = "document.querySelector('#quality-menu input:checked').parentElement.textContent";
    assert_eq!(page.value(chosen), "Automatic");
    let note = "The server cannot encode this quality now, so this page chooses the quality automatically.";
    assert_eq!(page.value("document.getElementById('note').textContent"), note);
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

/// Waits until the page plays over WebRTC at this width.
fn plays_over_webrtc(page: &Page<'_>, width: u32) {
    page.wait("document.documentElement.dataset.protocol === 'whep'");
    let video = "document.getElementById('video')";
    page.wait(&format!("{video}.videoWidth === {width}"));
    let frames = format!("{video}.getVideoPlaybackQuality().totalVideoFrames");
    let before = page.value(&frames).as_u64().unwrap();
    page.wait(&format!("{frames} > {}", before + 20));
}

/// Runs before the page's scripts: counts connections, and leaves only Constrained Baseline of the
/// H.264 profiles.
const BASELINE_ONLY: &str = "window.connections = 0; \
    const add = RTCPeerConnection.prototype.addTransceiver; \
    RTCPeerConnection.prototype.addTransceiver = function (kind, init) { \
        const made = add.call(this, kind, init); \
        if (kind === 'video') { connections += 1; made.setCodecPreferences( \
            RTCRtpReceiver.getCapabilities('video').codecs.filter(it => it.mimeType === 'video/rtx' \
                || it.sdpFmtpLine?.includes('profile-level-id=42e01f'))); } \
        return made; };";

#[test]
fn a_browser_with_constrained_baseline_alone_gets_a_rendition_in_it_or_the_reason() {
    if peers::missing(&["chromium", "ffmpeg"]) {
        return;
    }
    let any = Listen::exactly("127.0.0.1:0".parse().unwrap());
    // No video rendition is configured: the server makes this one on demand.
    let running = start_with("audio", |config| config.webrtc = Some(any));
    let _publisher = running.publish(&SMALL);
    let url = format!("http://{}/watch/live/show", running.http());
    let browser = Chromium::start("en");
    plays_over_webrtc(&browser.open(&url, ""), 320);
    assert_eq!(running.changes(), [], "this browser plays the stream itself");
    plays_over_webrtc(&browser.open(&url, BASELINE_ONLY), 320);
    assert_eq!(running.changes(), [("180p-baseline".to_owned(), RenditionState::Started)]);
    let busy = start_with("audio", |config| {
        config.webrtc = Some(any);
        config.media.renditions.cpu = 0.0;
    });
    let _publisher = busy.publish(&SMALL);
    let url = format!("http://{}/watch/live/show", busy.http());
    let page = browser.open(&url, BASELINE_ONLY);
    page.wait("document.documentElement.dataset.protocol === 'hls'");
    page.wait("document.documentElement.dataset.status === 'playing'");
    page.wait(
        "document.getElementById('note').innerText.includes('cannot encode video for this browser')",
    );
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

#[test]
fn renditions_play_over_webrtc_by_choice_without_another_connection() {
    if peers::missing(&["chromium", "ffmpeg"]) {
        return;
    }
    let any = Listen::exactly("127.0.0.1:0".parse().unwrap());
    let running = start_with("120p:300k,audio", |config| config.webrtc = Some(any));
    let publisher = running.publish(&SMALL);
    let url = format!("http://{}/watch/live/show", running.http());
    let browser = Chromium::start("en");
    let count = "window.connections = 0; const Own = RTCPeerConnection; \
        window.RTCPeerConnection = class extends Own { constructor() { super(); connections += 1; } };";
    let page = browser.open(&url, count);
    plays_over_webrtc(&page, 320);
    page.value("document.getElementById('settings').click()");
    for (quality, width) in [("120p", 212), ("main", 320), ("120p", 212)] {
        choose(&page, quality, width);
        plays_over_webrtc(&page, width);
    }
    assert_eq!(page.value("connections"), 1, "it changes within the session");
    // Only HLS offers audio alone.
    choose(&page, "audio", 0);
    page.wait("document.documentElement.dataset.protocol === 'hls'");
    drop(publisher);
    wait_for("the end", LIMIT, || running.server.streams().iter().all(|it| it.publisher.is_none()));
    // A stream with B-frames plays over WebRTC only as a rendition.
    let film = ["-tune", "film", "-bf", "2", "-b_strategy", "0"];
    let _publisher = running.publish(&[&SMALL[..], &film].concat());
    // A server that has only a few frames of the stream cannot see the B-frames yet. It would accept
    // the page, whose note then says that no frames come.
    wait_for("the stream by HLS", LIMIT, || running.get("/live/show.m3u8").0 == 200);
    // The choice of audio alone is forgotten before the page reads it. Until the old page is gone, it could store
    // its choice again.
    let page = browser.open(&url, "localStorage.clear()");
    page.wait("document.documentElement.dataset.protocol === 'hls'");
    page.wait("document.documentElement.dataset.status === 'playing'");
    page.wait("document.getElementById('note').innerText.includes('B-frames')");
    page.value("document.getElementById('settings').click()");
    choose(&page, "120p", 212);
    plays_over_webrtc(&page, 212);
    assert_eq!(browser.complaints(), Vec::<String>::new());
}
