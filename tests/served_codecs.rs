//! HLS and DASH of the built-in server with other codecs, with one track alone, and across changes in the middle:
//! played by ffmpeg, mpv and GStreamer, and by hls.js and dash.js in Chromium.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::enhanced::new_ffmpeg;
use crate::peers::client::Client;
use crate::peers::{self, LIMIT, Peer, others, wait_for, web};
use crate::served_hls::{Running, start_with};
use crate::viewer_page::chromium::{Chromium, Page};
use onair::server::hls::Mode;
use onair::wire::container::flv::{Demuxer, TagKind};

const H264: &[&str] = &["-c:v", "libx264", "-preset", "ultrafast", "-bf", "0", "-g", "15"];
const HEVC: &[&str] =
    &["-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=none:keyint=15"];
const AV1: &[&str] =
    &["-c:v", "libsvtav1", "-preset", "12", "-g", "15", "-svtav1-params", "pred-struct=1"];
const VP9: &[&str] = &["-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-g", "15"];
const AAC: &[&str] = &["-c:a", "aac"];
const OPUS: &[&str] = &["-c:a", "libopus"];
const NO_VIDEO: &[&str] = &["-vn"];
const NO_AUDIO: &[&str] = &["-an"];

/// Makes a file of five seconds with this size at 30 fps, with a keyframe every half second.
fn film(ffmpeg: &Path, folder: &Path, size: &str, video: &[&str], audio: &[&str]) -> PathBuf {
    let codecs = [video, audio].concat().join(" ");
    let file = folder.join(format!("{size} {codecs}.flv").replace(['/', ':', '='], "-"));
    let picture = format!("testsrc2=size={size}:rate=30");
    let mut command = Command::new(ffmpeg);
    command.args(["-hide_banner", "-nostdin", "-v", "error", "-y"]);
    command.args(["-f", "lavfi", "-i", &picture]);
    command.args(["-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000", "-t", "5"]);
    command.args(["-pix_fmt", "yuv420p", "-ac", "2"]).args(video).args(audio);
    let output = command.args(["-f", "flv"]).arg(&file).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    file
}

/// Publishes a file in a loop, unchanged.
fn publish(ffmpeg: &Path, running: &Running, file: &Path) -> Peer {
    let url = format!("rtmp://{}/live/show", running.server.addresses().rtmp);
    let mut command = Command::new(ffmpeg);
    command.args(["-hide_banner", "-nostdin", "-v", "error", "-re", "-stream_loop", "-1", "-i"]);
    let publisher = Peer::start_command(command.arg(file).args(["-c", "copy", "-f", "flv", &url]));
    wait_for("segments", LIMIT, || {
        let answer = running.get("/live/show/hls/main.m3u8");
        answer.status == 200 && answer.list().segments.len() > 1
    });
    publisher
}

/// A server without WebRTC, whose media any web page may read.
fn start() -> Running {
    start_with(|config| {
        config.webrtc = None;
        config.hls.mode = Mode::Always;
        config.cors = vec!["*".to_owned()];
    })
}

/// Plays HLS and DASH of a file with each third-party player, all at the same time.
fn everybody_plays(video: &[&str], audio: &[&str]) {
    let Some(ffmpeg) = new_ffmpeg() else { return };
    if peers::missing(&["ffmpeg", "mpv", "gst-launch-1.0"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let running = start();
    let file = film(&ffmpeg, folder.path(), "320x180", video, audio);
    let _publisher = publish(&ffmpeg, &running, &file);
    let sinks = [(video, "pictures"), (audio, "sound")];
    let sinks = sinks.into_iter().filter(|(codec, _)| ![NO_VIDEO, NO_AUDIO].contains(codec));
    let sinks: Vec<_> = sinks.map(|(_, sink)| sink).collect();
    for list in ["m3u8", "mpd"] {
        let url = format!("http://{}/live/show.{list}", running.http());
        let words =
            ["-nostdin", "-v", "error", "-xerror", "-i", &url, "-t", "4", "-f", "null", "-"];
        let mut decoder = Peer::start("ffmpeg", words);
        let mut mpv = others::mpv_play(&url, 3);
        let mut gstreamer = others::gstreamer_play_some(&url, &sinks);
        for sink in &sinks {
            gstreamer.wait_until(sink, LIMIT, |it| others::gstreamer_seen(it, sink) > 30);
        }
        decoder.wait_success(LIMIT);
        assert_eq!(decoder.errors(), "", "ffmpeg complains about {list}");
        mpv.wait_success(LIMIT);
    }
}

#[test]
fn hevc_with_aac_is_played_by_others() {
    everybody_plays(HEVC, AAC);
}

#[test]
fn av1_with_opus_is_played_by_others() {
    everybody_plays(AV1, OPUS);
}

#[test]
fn h264_with_opus_is_played_by_others() {
    everybody_plays(H264, OPUS);
}

#[test]
fn video_alone_is_played_by_others() {
    everybody_plays(H264, NO_AUDIO);
}

#[test]
fn audio_alone_is_played_by_others() {
    everybody_plays(NO_VIDEO, AAC);
}

#[test]
fn opus_alone_is_played_by_others() {
    everybody_plays(NO_VIDEO, OPUS);
}

const FRAMES: &str = "document.getElementById('video').getVideoPlaybackQuality().totalVideoFrames";

/// Waits until the page plays over HLS, and for two seconds more.
fn plays_by_hls(page: &Page<'_>) {
    page.wait("document.documentElement.dataset.protocol === 'hls'");
    let before = page.value("document.getElementById('video').currentTime").as_f64().unwrap();
    page.wait(&format!("document.getElementById('video').currentTime > {}", before + 2.0));
}

#[test]
fn chromium_plays_other_codecs_and_one_track_alone_by_hls() {
    let Some(ffmpeg) = new_ffmpeg() else { return };
    if peers::missing(&["chromium"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let browser = Chromium::start("en");
    let films = [
        (AV1, OPUS),
        (VP9, OPUS),
        (H264, OPUS),
        (H264, NO_AUDIO),
        (NO_VIDEO, AAC),
        (NO_VIDEO, OPUS),
    ];
    for (video, audio) in films {
        let running = start();
        let file = film(&ffmpeg, folder.path(), "320x180", video, audio);
        let _publisher = publish(&ffmpeg, &running, &file);
        let page = browser.open(&format!("http://{}/watch/live/show", running.http()), "");
        plays_by_hls(&page);
        let [has_video, has_audio] = [video != NO_VIDEO, audio != NO_AUDIO];
        page.wait(&format!("({FRAMES} > 30) === {has_video}"));
        let decodes_audio = "document.getElementById('video').webkitAudioDecodedByteCount > 0";
        page.wait(&format!("({decodes_audio}) === {has_audio}"));
    }
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

/// One publishing session of several files: each file repeats until the next one is requested.
struct Films {
    next: Arc<AtomicBool>,
    ends: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Films {
    fn publish(running: &Running, films: &[PathBuf]) -> Self {
        let url = format!("rtmp://{}/live/show", running.server.addresses().rtmp);
        let mut client = Client::publish(&url);
        let films: Vec<Vec<u8>> = films.iter().map(|file| std::fs::read(file).unwrap()).collect();
        let [next, ends] = [(); 2].map(|()| Arc::new(AtomicBool::new(false)));
        let (wanted, over) = (Arc::clone(&next), Arc::clone(&ends));
        let thread = thread::spawn(move || {
            let (begun, mut from) = (Instant::now(), 0);
            for film in films.iter().chain(std::iter::repeat(films.last().unwrap())) {
                while !over.load(Ordering::Acquire) && !wanted.swap(false, Ordering::AcqRel) {
                    let mut demuxer = Demuxer::new();
                    demuxer.push(film);
                    let tags = std::iter::from_fn(|| demuxer.next_tag().unwrap());
                    for tag in tags.filter(|tag| tag.kind != TagKind::Script) {
                        let at = from + tag.time_ms;
                        let due = Duration::from_millis(at.into());
                        thread::sleep(due.saturating_sub(begun.elapsed()));
                        client.send(&(tag.kind, at, tag.body));
                    }
                    from += 5_000;
                }
                if over.load(Ordering::Acquire) || client.failed.is_some() {
                    return;
                }
            }
        });
        Self { next, ends, thread: Some(thread) }
    }

    fn next(&self) {
        self.next.store(true, Ordering::Release);
    }
}

impl Drop for Films {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::Release);
        drop(self.thread.take().map(JoinHandle::join));
    }
}

/// Pages that play a playlist with hls.js without low latency, and a manifest with dash.js.
const HLS_PAGE: &str =
    "<!doctype html><title>HLS</title><video id=video muted></video><script type=module>
import Hls from '/hls.js';
const video = document.getElementById('video');
const hls = new Hls({ lowLatencyMode: false, enableWorker: false });
hls.on('hlsManifestParsed', () => video.play());
hls.on('hlsError', (_, { fatal, type }) => {
    if (fatal && type === 'mediaError') hls.recoverMediaError();
    else if (fatal) hls.loadSource(ADDRESS);
});
hls.loadSource(ADDRESS);
hls.attachMedia(video);
</script>";
const DASH_PAGE: &str =
    "<!doctype html><title>DASH</title><video id=video muted></video><script src=/dash.js></script>
<script>
const player = dashjs.MediaPlayer().create();
player.initialize(document.getElementById('video'), ADDRESS, true);
</script>";

/// A web server for these pages and their libraries; returns its port.
fn pages(running: &Running) -> u16 {
    let address =
        |list: &str| format!("{:?}", format!("http://{}/live/show.{list}", running.http()));
    let vendor = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/web/vendor");
    let hls = std::fs::read(vendor.join("hls.light.min.mjs")).unwrap();
    let dash = std::env::var_os("ONAIR_DASHJS").map(|file| std::fs::read(file).unwrap());
    let files = [
        ("/hls.js", "text/javascript", hls),
        ("/dash.js", "text/javascript", dash.unwrap_or_default()),
        ("/hls", "text/html", HLS_PAGE.replace("ADDRESS", &address("m3u8")).into_bytes()),
        ("/dash", "text/html", DASH_PAGE.replace("ADDRESS", &address("mpd")).into_bytes()),
    ];
    web::canned(move |head, socket| {
        let path = head.split(' ').nth(1).unwrap_or_default();
        let found = files.iter().find(|(name, _, _)| *name == path);
        let (kind, body) = found.map_or(("text/plain", &[][..]), |(_, kind, body)| (kind, body));
        let length = body.len();
        let _ = write!(
            socket,
            "HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
        );
        let _ = socket.write_all(body);
    })
}

/// Plays the stream over low-latency HLS in the viewer page, over HLS, and over DASH if dash.js is
/// present.
fn watch_everywhere<'a>(browser: &'a Chromium, running: &Running) -> Vec<(&'static str, Page<'a>)> {
    let port = pages(running);
    let mut urls = vec![
        ("LL-HLS", format!("http://{}/watch/live/show", running.http())),
        ("HLS", format!("http://127.0.0.1:{port}/hls")),
    ];
    if peers::fetched("ONAIR_DASHJS").is_some() {
        urls.push(("DASH", format!("http://127.0.0.1:{port}/dash")));
    }
    urls.into_iter().map(|(name, url)| (name, browser.open(&url, ""))).collect()
}

/// Waits until every page shows video with this width, and some frames of it.
fn wait_for_width(pages: &[(&'static str, Page<'_>)], width: u32) {
    for (name, page) in pages {
        println!("{name} goes on at a width of {width}");
        page.wait(&format!("document.getElementById('video')?.videoWidth === {width}"));
        let before = page.value(FRAMES).as_u64().unwrap_or(0);
        page.wait(&format!("{FRAMES} > {}", before + 30));
    }
}

#[test]
fn players_go_on_when_size_and_codec_change_in_the_middle() {
    let Some(ffmpeg) = new_ffmpeg() else { return };
    if peers::missing(&["chromium"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let make = |size, video, audio| film(&ffmpeg, folder.path(), size, video, audio);
    let films = [
        make("320x180", H264, AAC),
        make("480x270", H264, AAC),
        make("640x360", AV1, AAC),
        make("256x144", H264, OPUS),
    ];
    let running = start();
    let publisher = Films::publish(&running, &films);
    let browser = Chromium::start("en");
    let pages = watch_everywhere(&browser, &running);
    wait_for_width(&pages, 320);
    for width in [480, 640, 256] {
        publisher.next();
        wait_for_width(&pages, width);
    }
    // It was one publishing session all the time.
    let publishers = running.server.streams().iter().filter(|it| it.publisher.is_some()).count();
    assert_eq!(publishers, 1);
}

#[test]
fn players_go_on_when_the_publisher_reconnects() {
    let Some(ffmpeg) = new_ffmpeg() else { return };
    if peers::missing(&["chromium", "mpv"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let make = |size, video, audio| film(&ffmpeg, folder.path(), size, video, audio);
    let (small, large) = (make("320x180", H264, AAC), make("480x270", H264, AAC));
    let running = start();
    let first = publish(&ffmpeg, &running, &small);
    let browser = Chromium::start("en");
    let pages = watch_everywhere(&browser, &running);
    // mpv's decoder takes the size from the bitstream.
    let url = format!("http://{}/live/show/hls/ts.m3u8", running.http());
    let mut mpv = others::mpv_play(&url, 600);
    mpv.wait_until("mpv", LIMIT, |it| it.output().contains("320x180"));
    wait_for_width(&pages, 320);
    drop(first);
    wait_for("its end", LIMIT, || running.server.streams().iter().all(|it| it.publisher.is_none()));
    let _second = publish(&ffmpeg, &running, &large);
    mpv.wait_until("mpv at the other size", LIMIT * 2, |it| it.output().contains("480x270"));
    wait_for_width(&pages, 480);
}
