//! Tests of the built-in server's viewer page in Chromium. The page plays by each protocol,
//! switches protocols without a reload, waits for the publisher, and supports two languages.

pub mod chromium;
mod moderation;
mod moved;
mod outages;
mod pauses;
pub mod pictures;
mod without_video;

use std::collections::BTreeSet;
use std::fmt::Write;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::peers::{self, LIMIT, Peer, ffmpeg, wait_for};
use chromium::{Chromium, Page};
use onair::base::{Clock, Secret};
use onair::net::Runtime;
use onair::server::{Config, Event, IceLogin, IceServer, Listen, RenditionState, Server};

/// Encoder options without B-frames (so that browsers can play the stream over WebRTC), and with
/// them.
const NO_B_FRAMES: [&str; 4] = ["-tune", "zerolatency", "-s", "320x180"];
const B_FRAMES: [&str; 6] = ["-tune", "film", "-bf", "2", "-b_strategy", "0"];

struct Running {
    server: Server,
    runtime: Runtime,
}

fn start_with(change: impl FnOnce(&mut Config)) -> Running {
    let any = Listen::exactly("127.0.0.1:0".parse().unwrap());
    let mut config = Config { rtmp: any, http: Some(any), webrtc: Some(any), ..Config::default() };
    change(&mut config);
    let runtime = Runtime::start().unwrap();
    let server = Server::start(&runtime, Clock::start(), config).unwrap();
    Running { server, runtime }
}

impl Running {
    fn http(&self) -> SocketAddr {
        self.server.addresses().http.unwrap()
    }

    fn page(&self) -> String {
        format!("http://{}/watch/live/show", self.http())
    }

    fn publish(&self, options: &[&str]) -> Peer {
        let url = format!("rtmp://{}/live/show", self.server.addresses().rtmp);
        ffmpeg::publish_with(&url, None, options)
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

/// Waits until the page plays over this protocol, and for this many frames more.
#[track_caller]
fn plays(page: &Page<'_>, protocol: &str, frames: u32) {
    page.wait(&format!("document.documentElement.dataset.protocol === '{protocol}'"));
    let decoded = "document.getElementById('video').getVideoPlaybackQuality().totalVideoFrames";
    let before = page.value(decoded).as_u64().unwrap();
    page.wait(&format!("{decoded} >= {}", before + u64::from(frames)));
    // The latency appears after that.
    page.wait("/\\d/.test(document.getElementById('chip').innerText)");
}

fn has_status(status: &str) -> String {
    format!("document.documentElement.dataset.status === '{status}'")
}

/// Makes a choice in the page's settings.
fn choose(page: &Page<'_>, group: &str, value: &str) {
    page.value(&format!("document.querySelector('[name={group}][value={value}]').click()"));
}

#[test]
fn the_page_waits_for_the_stream_and_plays_again_after_a_restart() {
    peers::in_real_time!(the_page_waits_for_the_stream_and_plays_again_after_a_restart);
    if peers::missing(&["chromium", "ffmpeg"]) {
        return;
    }
    // The answer to the offer contains the login as quoted text.
    let credential = "a;b, \"c\\d";
    let login = IceLogin { username: "onair".to_owned(), credential: Secret::new(credential) };
    let ice_servers = [("stun:127.0.0.1:9", None), ("turn:127.0.0.1:9", Some(login))];
    let ice_servers = ice_servers.map(|(url, login)| IceServer::new(url, login).unwrap());
    let running = start_with(|config| config.media.ice_servers.extend(ice_servers));
    let browser = Chromium::start("en");
    // Notes the ICE servers, and lets the controls hide soon.
    let before = "window.RTCPeerConnection = class extends RTCPeerConnection {
        constructor(options) {
            super(options);
            window.iceServers = options.iceServers;
        }
        setConfiguration(options) {
            super.setConfiguration(options);
            window.iceServersOfAnswer = options.iceServers;
        }
    };
    const timer = window.setTimeout;
    window.setTimeout = (act, after, ...more) => timer(act, after === 3000 ? 50 : after, ...more);";
    let page = browser.open(&running.page(), before);
    // The chip names the protocol where there is space beside the chat.
    page.resize(1280, 720);
    page.wait(&has_status("waiting"));
    assert_eq!(page.text("headline"), "Waiting for the stream");
    let publisher = running.publish(&NO_B_FRAMES);
    plays(&page, "whep", 20);
    // The controls hide although nobody has moved the pointer since playback began.
    let hidden = "document.getElementById('stage').classList.contains('quiet')";
    page.wait(hidden);
    let ice_servers = serde_json::json!([
        { "urls": "stun:127.0.0.1:9" },
        { "urls": "turn:127.0.0.1:9", "username": "onair", "credential": credential },
    ]);
    for known in ["window.iceServers", "window.iceServersOfAnswer"] {
        assert_eq!(page.value(known), ice_servers, "{known}");
    }
    assert!(page.text("chip").ends_with("· WebRTC"), "{}", page.text("chip"));
    page.wait("document.getElementById('facts').innerText.endsWith('1 watching')");
    drop(publisher);
    page.wait(&has_status("waiting"));
    assert_eq!(page.value(hidden), false);
    let publisher = running.publish(&NO_B_FRAMES);
    plays(&page, "whep", 20);
    choose(&page, "protocol", "flv");
    plays(&page, "flv", 20);
    drop(publisher);
    page.wait(&has_status("waiting"));
    let _publisher = running.publish(&NO_B_FRAMES);
    plays(&page, "flv", 20);
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

#[test]
fn the_page_plays_over_ipv6() {
    if peers::missing(&["chromium", "ffmpeg"]) {
        return;
    }
    if std::net::UdpSocket::bind("[::1]:0").is_err() {
        peers::skipped("there is no IPv6");
        return;
    }
    let any = Some(Listen::exactly("[::1]:0".parse().unwrap()));
    let running = start_with(|config| (config.http, config.webrtc) = (any, any));
    let _publisher = running.publish(&NO_B_FRAMES);
    let browser = Chromium::start("en");
    let page = browser.open(&running.page(), "");
    plays(&page, "whep", 20);
    page.wait("document.getElementById('say').disabled === false");
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

#[test]
fn a_link_without_the_key_says_so_and_one_with_it_plays_by_every_protocol() {
    if peers::missing(&["chromium", "ffmpeg"]) {
        return;
    }
    let running =
        start_with(|config| config.access.others.play.keys = vec![Secret::new("Pl4y key&")]);
    let _publisher = running.publish(&NO_B_FRAMES);
    let browser = Chromium::start("en");
    let page = browser.open(&running.page(), "");
    page.wait(&has_status("refused"));
    assert_eq!(page.text("headline"), "This link does not open the stream");
    assert_eq!(page.text("chat-hint"), "This link does not open the chat.");
    let page = browser.open(&format!("{}?key=Pl4y%20key%26", running.page()), "");
    plays(&page, "whep", 10);
    for protocol in ["hls", "flv"] {
        choose(&page, "protocol", protocol);
        plays(&page, protocol, 10);
    }
    page.wait("document.getElementById('facts').innerText.includes('watching')");
    // The key changes: a page that already plays continues, without the numbers that it no longer gets.
    let mut config = Config::default();
    config.access.others.play.keys = vec![Secret::new("another")];
    running.server.reload(&config);
    page.wait("document.getElementById('facts').innerText === ''");
    assert_eq!(page.value("document.getElementById('count').hidden"), true);
    plays(&page, "flv", 30);
}

#[test]
fn without_webrtc_the_page_plays_by_hls_and_by_websocket() {
    if peers::missing(&["chromium", "ffmpeg"]) {
        return;
    }
    let running = start_with(|config| config.webrtc = None);
    let _publisher = running.publish(&NO_B_FRAMES);
    let browser = Chromium::start("en");
    let page = browser.open(&running.page(), "window.isSamePage = true");
    plays(&page, "hls", 20);
    choose(&page, "protocol", "flv");
    plays(&page, "flv", 20);
    // After the tab becomes visible again, and after a pause.
    page.value("document.dispatchEvent(new Event('visibilitychange'))");
    page.value("document.getElementById('play').click()");
    page.wait(&has_status("paused"));
    page.value("document.getElementById('play').click()");
    plays(&page, "flv", 5);
    choose(&page, "protocol", "hls");
    plays(&page, "hls", 5);
    assert_eq!(
        page.value("window.isSamePage && performance.getEntriesByType('navigation').length"),
        1
    );
    assert_eq!(browser.complaints(), Vec::<String>::new());
    // The URL's query can choose too.
    let other = browser.open(&format!("{}?protocol=flv", running.page()), "");
    plays(&other, "flv", 5);
}

#[test]
fn a_stream_with_b_frames_plays_by_hls_and_the_page_says_why_in_chinese() {
    peers::in_real_time!(a_stream_with_b_frames_plays_by_hls_and_the_page_says_why_in_chinese);
    if peers::missing(&["chromium", "ffmpeg"]) {
        return;
    }
    let running = start_with(|_| ());
    let browser = Chromium::start("zh-CN,zh");
    let page = browser.open(&running.page(), "");
    page.wait(&has_status("waiting"));
    assert_eq!(page.value("document.documentElement.lang"), "zh-CN");
    assert_eq!(page.text("headline"), "等待开播");
    let _publisher = running.publish(&B_FRAMES);
    plays(&page, "hls", 5);
    let why = page.value("document.getElementById('note').textContent");
    let why = why.as_str().unwrap();
    assert!(why.contains("B 帧") && why.contains("LL-HLS"), "{why}");
    choose(&page, "language", "en");
    assert_eq!(page.value("document.documentElement.lang"), "en");
    assert_eq!(page.value("document.getElementById('play').title"), "Pause (K)");
}

/// A script that runs before those of the page. It notes the H.264 profiles of each WHEP offer in
/// `offers`. It also simulates a browser that claims to decode a profile and does not: it hides the
/// decoded frames of each connection whose offer has the profile.
fn undecoded(profile: &str) -> String {
    r"window.offers = [];
    const ask = window.fetch;
    window.fetch = (path, options) => {
        if (String(path).endsWith('/whep')) {
            offers.push([...options.body.matchAll(/profile-level-id=(\w+)/g)].map(it => it[1]));
        }
        return ask(path, options);
    };
    const getStats = RTCPeerConnection.prototype.getStats;
    RTCPeerConnection.prototype.getStats = async function () {
        const stats = await getStats.call(this);
        if (!/profile-level-id=PROFILE/.test(this.localDescription.sdp)) return stats;
        const copy = new Map();
        for (const [id, entry] of stats) {
            copy.set(id, entry.kind === 'video' ? { ...entry, framesDecoded: 0 } : entry);
        }
        return copy;
    };"
    .replace("PROFILE", profile)
}

/// Waits for the WHEP offer with this index, and returns its H.264 profiles.
fn offered(page: &Page<'_>, index: usize) -> Vec<String> {
    page.wait(&format!("window.offers.length > {index}"));
    serde_json::from_value(page.value(&format!("window.offers[{index}]"))).unwrap()
}

#[test]
fn packets_without_frames_lead_to_constrained_baseline_and_then_to_hls() {
    peers::in_real_time!(packets_without_frames_lead_to_constrained_baseline_and_then_to_hls);
    if peers::missing(&["chromium", "ffmpeg"]) {
        return;
    }
    // The server refuses no rendition, even if the machine is busy.
    let running = start_with(|config| config.media.renditions.cpu = 100.0);
    let _publisher = running.publish(&NO_B_FRAMES);
    let browser = Chromium::start("en");
    let is_baseline = |profile: &String| profile.starts_with("42e0");
    // This browser decodes nothing but Constrained Baseline.
    let page = browser.open(&running.page(), &undecoded("(?!42e0)"));
    let first = offered(&page, 0);
    assert!(first.iter().any(|it| !it.starts_with("42")), "{first:?}");
    let second = offered(&page, 1);
    assert!(!second.is_empty() && second.iter().all(is_baseline), "{second:?}");
    // The latency appears with the first decoded frames.
    page.wait("/\\d/.test(document.getElementById('chip').innerText)");
    plays(&page, "whep", 5);
    let events = std::iter::from_fn(|| running.server.events().try_recv().ok());
    let renditions: Vec<_> = events
        .filter_map(|event| match event {
            Event::Rendition(change) => Some((change.rendition, change.state)),
            _ => None,
        })
        .collect();
    assert_eq!(renditions, [("180p-baseline".to_owned(), RenditionState::Started)]);
    wait_for("the end of the first session", LIMIT, || running.server.viewers() == 1);
    // The page remembers this for its next connection.
    choose(&page, "protocol", "whep");
    let third = offered(&page, 2);
    assert!(third.iter().all(is_baseline), "{third:?}");
    plays(&page, "whep", 5);
    assert_eq!(page.value("window.offers.length"), 3);
    // This browser decodes nothing.
    let page = browser.open(&running.page(), &undecoded(""));
    plays(&page, "hls", 5);
    assert_eq!(page.value("window.offers.length"), 2, "it tries Constrained Baseline once");
    let why = page.value("document.getElementById('note').textContent");
    assert_eq!(why, "WebRTC showed no video, so this page uses LL-HLS.");
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

#[test]
fn low_latency_hls_without_a_playlist_leads_to_websocket_flv() {
    if peers::missing(&["chromium", "ffmpeg"]) {
        return;
    }
    let running = start_with(|config| config.webrtc = None);
    let _publisher = running.publish(&NO_B_FRAMES);
    let browser = Chromium::start("en");
    // hls.js requests playlists of a stream that does not exist, and the chat that of this stream.
    let lost = "const open = XMLHttpRequest.prototype.open;
        XMLHttpRequest.prototype.open = function (method, url, ...more) {
            return open.call(this, method, String(url).replace('.m3u8', '-none.m3u8'), ...more);
        };
        window.WebSocket = class extends WebSocket {
            constructor(url) {
                super(String(url).replace('/chat', '-none/chat'));
            }
        };";
    let page = browser.open(&running.page(), lost);
    plays(&page, "flv", 10);
    let why = page.value("document.getElementById('note').textContent");
    assert_eq!(why, "LL-HLS did not connect, so this page uses FLV.");
    assert_eq!(page.text("chat-hint"), "Connecting to the chat.", "the stream has started");
}

/// Notes what the page requests from the browser, which allows it only after a real click.
const NOTE_REQUESTS: &str = "
    window.requests = [];
    const grant = (type, name, property) => {
        type.prototype[name] = async function () {
            requests.push(`${name} ${this.id ?? 'document'}`);
            window[property] = name.startsWith('request') ? this : null;
        };
        Object.defineProperty(Document.prototype, property, { get: () => window[property] ?? null });
    };
    grant(Element, 'requestFullscreen', 'fullscreenElement');
    grant(Document, 'exitFullscreen', 'fullscreenElement');
    grant(HTMLVideoElement, 'requestPictureInPicture', 'pictureInPictureElement');
    grant(Document, 'exitPictureInPicture', 'pictureInPictureElement');
    Object.defineProperty(Document.prototype, 'pictureInPictureEnabled', { get: () => true });
";

#[test]
fn controls_work_by_keyboard_and_have_names() {
    peers::in_real_time!(controls_work_by_keyboard_and_have_names);
    if peers::missing(&["chromium", "ffmpeg"]) {
        return;
    }
    let running = start_with(|_| ());
    let _publisher = running.publish(&NO_B_FRAMES);
    let browser = Chromium::start("en");
    let page = browser.open(&running.page(), NOTE_REQUESTS);
    plays(&page, "whep", 1);
    let press = |key: &str| {
        page.value(&format!(
            "document.body.dispatchEvent(new KeyboardEvent('keydown', {{ key: '{key}', bubbles: true }}))"
        ));
    };
    press("m");
    page.wait("document.getElementById('video').muted");
    press("k");
    page.wait("document.getElementById('video').paused");
    assert_eq!(page.value("document.getElementById('play').ariaLabel"), "Play (K)");
    press("k");
    page.wait("!document.getElementById('video').paused");
    for (key, requests) in [
        ("f", "requestFullscreen stage,exitFullscreen document"),
        ("i", "requestPictureInPicture video,exitPictureInPicture document"),
    ] {
        page.value("window.requests = []");
        press(key);
        page.wait("requests.length === 1");
        press(key);
        page.wait("requests.length === 2");
        assert_eq!(page.value("requests.join()"), requests);
    }
    // The arrow keys scroll the messages if these have the focus.
    let press_in = |id: &str, key: &str| {
        page.value(&format!(
            "document.getElementById('{id}').dispatchEvent(
                new KeyboardEvent('keydown', {{ {key}, bubbles: true, cancelable: true }}))"
        ))
    };
    assert_eq!(press_in("lines", "key: 'ArrowUp'"), true, "the page leaves it to the browser");
    // Enter ends the composition of a Chinese name, and then the choice of the name.
    page.value("document.getElementById('name-toggle').click()");
    press_in("name", "key: 'Enter', isComposing: true");
    assert_eq!(page.value("document.getElementById('name').hidden"), false);
    press_in("name", "key: 'Enter'");
    assert_eq!(page.value("document.getElementById('name').hidden"), true);
    page.value("document.getElementById('settings').click()");
    assert_eq!(page.value("document.activeElement.name"), "protocol");
    press("Escape");
    assert_eq!(page.value("document.getElementById('menu').hidden"), true);
    choose(&page, "theme", "light");
    let background = page.value("getComputedStyle(document.body).backgroundColor");
    assert_eq!(background, "rgb(245, 246, 248)");
    let nameless = page.value(
        "[...document.querySelectorAll('button, input, video')].filter(it => it.checkVisibility()
            && !(it.ariaLabel || it.innerText || it.labels?.length || it.tagName === 'VIDEO')).length",
    );
    assert_eq!(nameless, 0);
    // Without TLS, the page copies from a field, which must not keep the focus.
    page.value(
        "Object.defineProperty(navigator, 'clipboard', { value: undefined });
        Object.defineProperty(navigator, 'share', { value: undefined });
        document.execCommand = () => true;
        document.getElementById('share').focus();
        document.getElementById('share').click()",
    );
    page.wait("document.getElementById('note').textContent === 'Link copied'");
    assert_eq!(page.value("document.activeElement.id"), "share");
    page.value("document.getElementById('code').click()");
    page.wait("document.getElementById('code-image').naturalWidth > 100");
    assert!(page.text("code-note").contains("this computer only"), "{}", page.text("code-note"));
}

/// Posts a line in the chat of the page.
fn say(page: &Page<'_>, name: &str, line: &str) {
    page.value(&format!(
        "(() => {{
            const [name, say] = ['name', 'say'].map(id => document.getElementById(id));
            name.value = {name:?};
            name.onchange();
            say.value = {line:?};
            document.getElementById('send').requestSubmit();
        }})()"
    ));
}

#[test]
fn two_browsers_chat_and_markup_runs_nothing() {
    if peers::missing(&["chromium", "ffmpeg"]) {
        return;
    }
    let running = start_with(|_| ());
    let _publisher = running.publish(&NO_B_FRAMES);
    let browsers = [(); 2].map(|()| Chromium::start("en"));
    let [ann, bob] = browsers.each_ref().map(|browser| browser.open(&running.page(), ""));
    for page in [&ann, &bob] {
        page.wait("!document.getElementById('say').disabled");
    }
    let markup = "<img src=x onerror='window.ran = 1'><script>window.ran = 1</script>";
    say(&ann, "Ann", markup);
    for page in [&ann, &bob] {
        page.wait(&format!(
            "document.querySelector('#lines p')?.innerText.startsWith({:?})",
            format!("Ann {markup}")
        ));
        // The earlier lines that a page gets when it joins do not fly over the video.
        let flies = format!("document.querySelector('#danmaku span')?.innerText === {markup:?}");
        wait_for("the line over the video", LIMIT, || {
            let does = page.value(&flies) == true;
            if !does {
                say(&ann, "Ann", markup);
                std::thread::sleep(Duration::from_secs(1));
            }
            does
        });
        let made = "document.querySelectorAll('#lines img, #lines script, #danmaku img').length";
        assert_eq!((page.value(made), page.value("window.ran ?? 0")), (0.into(), 0.into()));
    }
    // A line without a name gets one, and the list is a log for screen readers.
    say(&bob, "", "hello");
    ann.wait("/guest-\\d+ hello/.test(document.getElementById('lines').innerText)");
    // A name from right to left stays before the text.
    say(&bob, "דוד", "100 %");
    ann.wait(
        "(line => line?.querySelector('b')?.innerText === 'דוד'
            && line.querySelector('b').getBoundingClientRect().right
                <= line.querySelector('span').getBoundingClientRect().left)(
        document.querySelector('#lines p:last-child'))",
    );
    assert_eq!(ann.value("document.getElementById('lines').role"), "log");
    ann.wait("document.getElementById('viewers').innerText === '2'");
    // Messages beyond the burst limit stay in the text field, with the reason. A slow browser needs more of them.
    bob.value(
        "(() => {
            const [say, send, hint] =
                ['say', 'send', 'chat-hint'].map(id => document.getElementById(id));
            for (let n = 0; n < 60 && !hint.innerText; n++) {
                say.value = 'more';
                send.requestSubmit();
            }
        })()",
    );
    assert_eq!(bob.text("chat-hint"), "Too many messages. Wait a moment.");
    assert_eq!(bob.value("document.getElementById('say').value"), "more");
    bob.value("document.getElementById('danmaku-toggle').click()");
    assert_eq!(bob.value("document.querySelectorAll('#danmaku span').length"), 0);
    assert_eq!(bob.value("document.getElementById('danmaku-toggle').ariaPressed"), "false");
    for browser in &browsers {
        assert_eq!(browser.complaints(), Vec::<String>::new());
    }
}

#[test]
fn the_page_has_a_strict_policy_and_its_paths_answer() {
    let running = start_with(|_| ());
    let ask = |path: &str| peers::web::ask(running.http(), "GET", path);
    let page = ask("/watch/live/show");
    assert!(page.starts_with("HTTP/1.1 200"), "{page}");
    let head = page.split("\r\n\r\n").next().unwrap().to_ascii_lowercase();
    let policy = head.lines().find_map(|line| line.strip_prefix("content-security-policy: "));
    let policy = policy.expect("a policy");
    assert!(
        policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self';"),
        "{policy}"
    );
    assert!(!policy.contains("unsafe"), "{policy}");
    assert!(policy.contains("require-trusted-types-for 'script'"), "{policy}");
    assert!(!page.contains("<script>") && !page.contains(" style="), "nothing is inline");
    let state = ask("/live/show/state");
    let state: Value = serde_json::from_str(state.split("\r\n\r\n").nth(1).unwrap()).unwrap();
    assert_eq!((&state["live"], &state["viewers"]), (&false.into(), &0.into()));
    assert_eq!(state["protocols"], serde_json::json!(["whep", "hls", "flv"]));
    assert!(ask("/live/show/code.svg?scheme=https").contains("<svg"));
    assert!(ask("/watch/live").starts_with("HTTP/1.1 404"));
    let script = ask("/assets/watch.js").to_ascii_lowercase();
    assert!(script.contains("text/javascript") && script.contains("nosniff"), "{script}");
    let tag = script.lines().find_map(|line| line.strip_prefix("etag: ")).unwrap();
    let again = format!("If-None-Match: {tag}\r\n");
    let again = peers::web::ask_with(running.http(), "GET", "/assets/watch.js", &again);
    assert!(again.starts_with("HTTP/1.1 304"), "{again}");
}

fn read(path: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// The names of the texts in one language.
fn names(texts: &str) -> BTreeSet<String> {
    let names = texts.lines().filter_map(|line| line.strip_prefix("        ")?.split_once(": '"));
    names.map(|(name, _)| name.to_owned()).collect()
}

#[test]
fn every_text_of_the_page_is_there_in_both_languages_and_used() {
    let texts = read("assets/web/texts.js");
    let (english, rest) = texts.split_once("'zh-CN': {").unwrap();
    let (chinese, _) = rest.split_once("\n};").unwrap();
    let english = names(english);
    assert_eq!(english, names(chinese));
    assert!(english.len() > 40, "{english:?}");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/web");
    let mut all = String::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() && !path.ends_with("texts.js") {
            all += &std::fs::read_to_string(path).unwrap();
        }
    }
    for name in english {
        let is_used =
            ["'", "\""].iter().any(|quote| all.contains(&format!("{quote}{name}{quote}")));
        assert!(is_used, "nothing shows {name}");
    }
}

#[test]
fn the_libraries_of_the_page_are_as_published() {
    let sums = read("assets/web/vendor/SHA256SUMS");
    let mut checked = 0;
    for line in sums.lines() {
        let (sum, file) = line.split_once("  ").unwrap();
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/web/vendor").join(file);
        let mut hex = String::new();
        for byte in Sha256::digest(std::fs::read(path).unwrap()) {
            write!(hex, "{byte:02x}").unwrap();
        }
        assert_eq!(hex, sum, "{file}: update it with packaging/web.sh");
        checked += 1;
    }
    assert_eq!(checked, 6);
}
