//! Tests of the operator page of the built-in server, in Chromium: what the page shows, which
//! changes it asks to confirm, and that markup in names of streams and clients does not run.

mod chat;
mod narrow;
mod pictures;
mod recordings;

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use crate::peers::client::Client;
use crate::peers::{self, Peer, ffmpeg, wait_for, web};
use crate::viewer_page::chromium::{Chromium, Page};
use onair::base::{Clock, Secret};
use onair::media::BitsPerSecond;
use onair::net::Runtime;
use onair::net::web::WebUrl;
use onair::server::access::{
    ActionRules, AddressList, AppLimits, AppRules, CallKind, CallbackRules, Dialect,
};
use onair::server::{Config, Limits, Listen, Server};
use onair::wire::amf0::Value;
use onair::wire::container::flv::TagKind;
use onair::wire::rtmp::client::{Config as ClientConfig, Event};
use onair::wire::rtmp::url::Url;

const TOKEN: &str = "0123456789abcdef";

struct Running {
    server: Server,
    runtime: Runtime,
    folder: tempfile::TempDir,
}

fn start() -> Running {
    start_with(|_| ())
}

fn start_with(change: impl FnOnce(&mut Config)) -> Running {
    let any = Listen::exactly("127.0.0.1:0".parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    // A slow machine can be silent for long.
    let limits = Limits { silent_publisher: Duration::from_mins(5), ..Limits::default() };
    let mut config = Config {
        rtmp: any,
        http: Some(any),
        webrtc: None,
        http_token: Some(Secret::new(TOKEN)),
        record: Some(folder.path().to_owned()),
        limits,
        ..Config::default()
    };
    change(&mut config);
    let runtime = Runtime::start().unwrap();
    let server = Server::start(&runtime, Clock::start(), config).unwrap();
    Running { server, runtime, folder }
}

impl Running {
    fn http(&self) -> SocketAddr {
        self.server.addresses().http.unwrap()
    }

    fn page(&self) -> String {
        format!("http://{}/", self.http())
    }

    fn url(&self, path: &str) -> String {
        format!("rtmp://{}/{path}", self.server.addresses().rtmp)
    }

    fn publish(&self) -> Peer {
        ffmpeg::publish(&self.url("live/show"), None)
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

fn click(page: &Page<'_>, selector: &str) {
    page.value(&format!("document.querySelector({selector:?}).click()"));
}

fn shows(selector: &str, words: &str) -> String {
    format!("document.querySelector({selector:?})?.innerText.includes({words:?})")
}

#[test]
fn a_stream_is_shown_with_thumbnail_codecs_history_and_recording() {
    if peers::missing(&["chromium", "ffmpeg"]) {
        return;
    }
    let running = start();
    let browser = Chromium::start("en");
    let page = browser.open(&running.page(), "");
    page.wait(&shows("#no-streams", "Nobody is publishing."));
    let _publisher = running.publish();
    let _viewer = Client::play(&running.url("live/show"));
    let row = "#streams tr";
    page.wait(&shows(row, "live/show"));
    page.wait(&shows(row, "H.264"));
    page.wait(&shows(row, "640×360 30 · AAC 48 kHz"));
    page.wait(&shows(row, "RTMP 1"));
    page.wait("document.querySelector('#streams img').naturalWidth === 320");
    // A graph line needs two points, five seconds apart.
    page.wait("document.querySelector('#streams polyline').points.numberOfItems > 1");
    page.wait("/ kbps to .* kbps$/.test(document.querySelector('.spark').ariaLabel)");
    assert_eq!(page.text("figure-streams"), "1");
    page.wait(&shows("#figure-viewers-more", "peak 1"));
    page.wait("/^[\\d.,]+ (k|M)bps|bit/.test(document.getElementById('figure-out').innerText)");
    page.wait(&shows("#recordings tr", "live-show"));
    page.wait(&shows("#events", "live/show: published over RTMP from 127.0.0.1"));
    // The recording plays while it is being written, and can be saved.
    click(&page, "#recordings button");
    page.wait("document.getElementById('player-video').currentTime > 0.5");
    assert_eq!(page.text("player-problem"), "");
    click(&page, "#player button");
    let saves = page.value("document.querySelector('#recordings a').href");
    assert!(saves.as_str().unwrap().ends_with(".flv?download"), "{saves}");
    assert_eq!(
        page.value("document.querySelector('#streams a').getAttribute('href')"),
        "/watch/live/show"
    );
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

#[test]
fn a_publisher_and_a_viewer_are_disconnected_after_a_question() {
    if peers::missing(&["chromium", "ffmpeg"]) {
        return;
    }
    let running = start();
    let mut publisher = Client::publish(&running.url("live/show"));
    publisher.send(&(TagKind::Audio, 0, vec![0xAF, 0, 0x11, 0x90].into()));
    let mut viewer = Client::play(&running.url("live/show"));
    let browser = Chromium::start("en");
    let page = browser.open(&running.page(), "");
    page.wait(&shows("#streams tr", "RTMP 1"));
    click(&page, "#streams button:not(.ban)");
    page.wait(&shows("#viewers tr", "live/show"));
    assert_eq!(page.text("title-viewers"), "Viewers of live/show");
    // Answering *No* changes nothing.
    click(&page, "#viewers .ban");
    page.wait("document.getElementById('question').open");
    assert_eq!(page.value("document.activeElement.value"), "no", "the safe answer has the focus");
    click(&page, "#question [value=no]");
    assert_eq!(running.server.viewers(), 1);
    click(&page, "#viewers .ban");
    click(&page, "#question [value=yes]");
    // The page asks for the token, and asks again if it is wrong.
    page.wait("document.getElementById('token').open");
    let give = |token: &str| {
        page.value(&format!("document.getElementById('token-input').value = {token:?}"));
        click(&page, "#token .primary");
    };
    give("wrong");
    page.wait(&shows("#token-problem", "This token is wrong."));
    assert_eq!(running.server.viewers(), 1);
    give(TOKEN);
    wait_for("the viewer to leave", peers::LIMIT, || running.server.viewers() == 0);
    while viewer.next().is_some() {}
    page.wait(&shows("#no-viewers", "Nobody is watching."));
    page.wait(&shows("#toast", "was disconnected."));
    // The page keeps the token for the next change.
    page.value("location.hash = 'streams'");
    page.wait("document.querySelector('#streams .ban') !== null");
    click(&page, "#streams .ban");
    page.wait(&shows("#question-title", "Disconnect live/show?"));
    click(&page, "#question [value=yes]");
    while publisher.next().is_some() {}
    page.wait(&shows("#no-streams", "Nobody is publishing."));
    assert_eq!(page.value("localStorage.getItem('onair.token')"), serde_json::Value::Null);
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

#[test]
fn markup_in_names_runs_nothing() {
    if peers::missing(&["chromium"]) {
        return;
    }
    let running = start();
    let markup = "<img src=x onerror=window.ran=1>";
    let url = || {
        let mut url = Url::parse(&running.url("live/x")).unwrap();
        url.stream = Secret::new(markup);
        url
    };
    let mut publisher = Client::new(ClientConfig::publish(url(), BitsPerSecond(1_000_000)));
    publisher.wait("the start", |event| *event == Event::PublishStarted);
    let script = format!("</span><script>window.ran=1</script>{markup}");
    publisher.session.send_metadata(Value::object([("encoder", script.as_str().into())]));
    publisher.pump();
    publisher.send(&(TagKind::Audio, 0, vec![0xAF, 0, 0x11, 0x90].into()));
    let mut viewer = Client::new(ClientConfig::play(url()));
    viewer.wait("the start", |event| *event == Event::PlayStarted);
    let browser = Chromium::start("en");
    let page = browser.open(&running.page(), "");
    let name = format!("live/{markup}");
    page.wait(&shows("#streams tr", &name));
    page.wait(&shows("#streams tr", &script));
    page.wait(&shows("#events", &name));
    page.value("document.getElementById('with-viewers').click()");
    page.wait(&shows("#events", "viewer joined over RTMP"));
    click(&page, "#streams .ban");
    page.wait(&shows("#question-title", &name));
    click(&page, "#question [value=no]");
    click(&page, "#streams button:not(.ban)");
    page.wait(&shows("#viewers tr", &name));
    let made = "document.querySelectorAll('main script, main img[src=x], dialog img').length";
    assert_eq!((page.value(made), page.value("window.ran ?? 0")), (0.into(), 0.into()));
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

#[test]
fn the_page_speaks_chinese_has_themes_names_and_fits_a_phone() {
    if peers::missing(&["chromium", "ffmpeg"]) {
        return;
    }
    let running = start();
    let _publisher = running.publish();
    let _viewer = Client::play(&running.url("live/show"));
    let browser = Chromium::start("zh-CN,zh");
    let page = browser.open(&running.page(), "");
    page.wait(&shows("#streams tr", "live/show"));
    assert_eq!(page.value("document.documentElement.lang"), "zh-CN");
    assert_eq!(page.text("title-streams"), "直播流");
    let wrong = "Authorization: Bearer wrong\r\n";
    web::ask_with(running.http(), "DELETE", "/api/v1/viewers/1", wrong);
    page.wait(&shows("#events", "live/show：开始推流，协议 RTMP"));
    page.wait(&shows("#events", "已拒绝 127.0.0.1 使用本页（令牌错误"));
    click(&page, "#settings");
    assert_eq!(page.value("document.getElementById('options').open"), true);
    click(&page, "[name=language][value=en]");
    click(&page, "[name=theme][value=light]");
    click(&page, "#options .primary");
    assert_eq!(page.text("title-streams"), "Streams");
    page.wait(&shows("#events", "live/show: published over RTMP"));
    page.wait(&shows("#events", "127.0.0.1 was not allowed to use this page (wrong token"));
    let background = page.value("getComputedStyle(document.body).backgroundColor");
    assert_eq!(background, "rgb(245, 246, 248)");
    page.wait("document.querySelector('#recordings button') !== null");
    let nameless =
        "[...document.querySelectorAll('button, input, a, svg[role=img], table, section')]
        .filter(it => it.checkVisibility() && !(it.ariaLabel || it.innerText || it.labels?.length
            || it.getAttribute('aria-labelledby'))).map(it => it.outerHTML)";
    for (section, heading) in [
        ("streams", "Streams"),
        ("viewers", "Viewers"),
        ("chat", "Chat"),
        ("relays", "Relays"),
        ("access", "Access"),
        ("recordings", "Recordings"),
        ("events", "Events"),
    ] {
        page.value(&format!("location.hash = '{section}'"));
        page.wait(&format!(
            "document.querySelector('nav [aria-current=page]').dataset.view === '{section}'"
        ));
        let visible = format!("document.getElementById('title-{section}').checkVisibility()");
        assert_eq!(page.value(&visible), true, "{heading}");
        for (width, height) in [(1280, 720), (390, 844)] {
            page.resize(width, height);
            let fits =
                "document.documentElement.scrollWidth <= document.documentElement.clientWidth";
            assert_eq!(page.value(fits), true, "{section} at {width}");
            assert_eq!(page.value(nameless), serde_json::json!([]), "{section}");
        }
    }
    // The chat asked for the token.
    page.value("document.getElementById('token').close()");
    // The link for keyboards moves the focus, and the section stays.
    click(&page, ".skip");
    assert_eq!(page.value("document.activeElement.id + location.hash"), "main#events");
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

#[test]
fn times_begin_at_zero_and_a_restart_of_the_server_does_not_keep_old_events() {
    if peers::missing(&["chromium"]) {
        return;
    }
    let running = start();
    let browser = Chromium::start("en");
    let page = browser.open(&running.page(), "");
    page.wait(&shows("#no-streams", "Nobody is publishing."));
    let midnight = "import('/assets/operator/format.js').then(
        ({ clock }) => clock(new Date(2026, 0, 1, 0, 5, 9).getTime() / 1000))";
    assert_eq!(page.value(midnight), "00:05:09");
    // Both servers number their first event 1.
    let restarted = "import('/assets/operator/lists.js').then(({ Events }) => {
        const events = new Events();
        for (const [time, peer] of [[1, 'before'], [2, 'after']]) {
            events.show([{ number: 1, time, event: 'publish', protocol: 'rtmp', peer }], 8);
        }
        return document.getElementById('events').textContent;
    })";
    let shown = page.value(restarted);
    let shown = shown.as_str().unwrap();
    assert!(shown.contains("after") && !shown.contains("before"), "{shown}");
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

#[test]
fn access_rules_are_shown_without_their_secrets() {
    if peers::missing(&["chromium"]) {
        return;
    }
    let secrets = ["Pl4nted-key", "Pl4nted-callback", "Pl4nted-secret-of-at-least-32-bytes"];
    let any = Listen::exactly("127.0.0.1:0".parse().unwrap());
    let mut config = Config { rtmp: any, http: Some(any), webrtc: None, ..Config::default() };
    let callback = WebUrl::parse(&format!("http://127.0.0.1:9/{}", secrets[1])).unwrap();
    let show = AppRules {
        publish: ActionRules {
            keys: vec![Secret::new(secrets[0])],
            tokens: true,
            addresses: AddressList { allow: vec!["10.0.0.0/8".parse().unwrap()], deny: Vec::new() },
        },
        limits: AppLimits {
            viewers: Some(1_500),
            size: Some((1_920, 1_080)),
            ..AppLimits::default()
        },
        callbacks: Some(CallbackRules {
            dialect: Dialect::Srs,
            urls: [(CallKind::Play, callback)].into(),
            timeout: CallbackRules::DEFAULT_TIMEOUT,
            accepts_without_answer: false,
        }),
        ..AppRules::default()
    };
    config.access.apps.insert("show".to_owned(), show);
    config.access.tokens.secrets = vec![Secret::new(secrets[2])];
    let runtime = Runtime::start().unwrap();
    let server = Server::start(&runtime, Clock::start(), config).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let running = Running { server, runtime, folder };
    let browser = Chromium::start("en");
    let page = browser.open(&format!("{}#access", running.page()), "");
    for words in [
        "with a key (1 in total) or a token, only from 10.0.0.0/8",
        "if the callback allows it",
        "Viewers per stream: 1,500, Size: 1920×1080",
        "SRS: on_play, refuses clients if there is no answer",
    ] {
        page.wait(&shows("#access tr:first-child", words));
    }
    page.wait(&shows("#access tr:last-child", "All other applications"));
    page.wait(&shows("#access tr:last-child", "anyone"));
    let all = page.value("document.documentElement.outerHTML").to_string()
        + &page.value("fetch('/api/v1/access').then(it => it.text())").to_string();
    assert!(!all.contains("Pl4nted"), "{all}");
    page.resize(390, 844);
    let fits = "document.documentElement.scrollWidth <= document.documentElement.clientWidth";
    assert_eq!(page.value(fits), true);
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

#[test]
fn from_another_computer_the_page_asks_for_the_token() {
    if peers::missing(&["chromium", "ffmpeg"]) {
        return;
    }
    let running = start();
    let _publisher = running.publish();
    let browser = Chromium::start("en");
    // A request through a proxy counts as one from another computer.
    let through_proxy = "const plain = window.fetch;
        window.fetch = (path, options = {}) =>
            plain(path, { ...options, headers: { ...options.headers, 'x-real-ip': '203.0.113.5' } });";
    let page = browser.open(&running.page(), through_proxy);
    page.wait("document.getElementById('token').open");
    assert_eq!(page.value("document.querySelectorAll('#streams tr').length"), 0);
    click(&page, "#token-cancel");
    page.wait(&shows("#banner", "needs the server’s token"));
    click(&page, "#unlock");
    page.wait("document.getElementById('token').open");
    page.value(&format!("document.getElementById('token-input').value = '{TOKEN}'"));
    click(&page, "#token .primary");
    page.wait(&shows("#streams tr", "live/show"));
    page.wait("document.querySelector('#streams img').naturalWidth === 320");
    page.wait("document.querySelector('#recordings a') !== null");
    let link = page.value("document.querySelector('#recordings a').href");
    assert!(link.as_str().unwrap().contains("signature="), "{link}");
    assert!(!page.value("document.documentElement.outerHTML").to_string().contains(TOKEN));
}

fn read(path: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// The names of the texts in one language.
fn names(texts: &str) -> BTreeSet<String> {
    let names = texts.lines().filter_map(|line| line.strip_prefix("        ")?.split_once(": '"));
    names.map(|(name, _)| name.trim_matches('\'').to_owned()).collect()
}

#[test]
fn every_text_of_the_page_is_there_in_both_languages_and_used() {
    let texts = read("assets/web/operator/texts.js");
    let (english, rest) = texts.split_once("'zh-CN': {").unwrap();
    let (chinese, _) = rest.split_once("\n};").unwrap();
    let english = names(english);
    assert_eq!(english, names(chinese));
    assert!(english.len() > 90, "{}", english.len());
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/web/operator");
    let mut all = String::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if !path.ends_with("texts.js") {
            all += &std::fs::read_to_string(path).unwrap();
        }
    }
    // Event names are those that the server uses.
    let named = ["event/log.rs", "event/relay.rs"];
    let log = named.map(|file| read(&format!("crates/onair-server/src/{file}"))).concat();
    for name in english {
        let quoted = |name: &str| ["'", "\""].map(|quote| format!("{quote}{name}{quote}"));
        let is_used = quoted(&name).iter().any(|it| all.contains(it.as_str()));
        let (event, state) = name.split_once('-').unwrap_or((&name, ""));
        let has = |word: &str| log.contains(&format!("\"{word}\""));
        let state_is_known = has(state)
            || ["", "writing", "finished", "failed", "deleted", "started", "ended", "refused"]
                .contains(&state)
            || ["accepted", "renamed"].contains(&state);
        assert!(is_used || has(event) && state_is_known, "nothing shows {name}");
    }
}
