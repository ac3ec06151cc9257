//! The viewer page without video: audio alone, video that the browser cannot play, and no stream yet.

use super::chromium::Chromium;
use super::{Running, choose, has_status, plays, start_with};
use crate::peers::{self, Peer};

/// A browser without H.264, on a page that asks and tries again often. The page notes its statuses, and how often it
/// asks for the state of the stream.
const WITHOUT_H264: &str = "
    const supports = MediaSource.isTypeSupported;
    MediaSource.isTypeSupported = type => !type.includes('avc1') && supports.call(MediaSource, type);
    window.asked = 0;
    const ask = window.fetch;
    window.fetch = (path, options) => {
        if (String(path).endsWith('/state')) window.asked += 1;
        return ask(path, options);
    };
    const timer = window.setTimeout;
    window.setTimeout = (act, after, ...more) => timer(act, { 4000: 100, 10000: 10 }[after] ?? after, ...more);
    window.statuses = [];
    new MutationObserver(() => statuses.push(document.documentElement.dataset.status))
        .observe(document, { subtree: true, attributeFilter: ['data-status'] });
";

const SHOWS_AUDIO_ONLY: &str = "document.getElementById('audio-only').checkVisibility()";

fn publish_audio(running: &Running) -> Peer {
    let url = format!("rtmp://{}/live/show", running.server.addresses().rtmp);
    let tone = ["-re", "-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000"];
    let words = ["-c:a", "aac", "-ac", "2", "-f", "flv", &url];
    Peer::start("ffmpeg", ["-hide_banner", "-nostdin"].iter().chain(&tone).chain(&words))
}

#[test]
fn audio_alone_plays_over_webrtc_and_the_page_says_so() {
    if peers::missing(&["chromium", "ffmpeg"]) {
        return;
    }
    let running = start_with(|_| ());
    let browser = Chromium::start("en");
    let page = browser.open(&running.page(), "");
    page.wait(&has_status("waiting"));
    assert_eq!(page.value(SHOWS_AUDIO_ONLY), false);
    let _publisher = publish_audio(&running);
    page.wait("document.documentElement.dataset.protocol === 'whep'");
    page.wait("document.getElementById('video').currentTime > 1");
    page.wait(SHOWS_AUDIO_ONLY);
    assert_eq!(page.text("audio-name"), "show");
    // The page connects again for video.
    let fits = |began: &str, now: &str| {
        let state = |tracks: &str| format!("{{ {tracks}, ice_servers: [] }}");
        let (began, now) = (state(began), state(now));
        page.value(&format!(
            "import('/assets/whep.js').then(({{ Whep }}) =>
                new Whep({{ address: it => it, state: {began} }}).fits({now}))"
        ))
    };
    let (audio, both) = ("video: null, audio: {}", "video: {}, audio: {}");
    assert_eq!(fits(audio, both), false);
    assert_eq!(fits(audio, audio), true);
    assert_eq!(fits("video: null, audio: null", both), true);
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

#[test]
fn video_that_the_browser_cannot_play_is_named_and_not_tried_again() {
    if peers::missing(&["chromium", "ffmpeg"]) {
        return;
    }
    let running = start_with(|config| {
        config.webrtc = None;
        config.media.renditions.others = "audio".parse().unwrap();
    });
    let _publisher = running.publish(&super::NO_B_FRAMES);
    let browser = Chromium::start("en");
    let page = browser.open(&running.page(), WITHOUT_H264);
    page.wait(&has_status("failed"));
    let detail = page.text("detail");
    assert!(detail.starts_with("The video is H.264, which this browser cannot play."), "{detail}");
    page.value("window.before = window.asked");
    page.wait("window.asked > window.before + 2");
    let again = "statuses.slice(statuses.indexOf('failed')).includes('connecting')";
    assert_eq!(page.value(again), false);
    choose(&page, "quality", "audio");
    page.wait("document.documentElement.dataset.protocol === 'hls'");
    page.wait(SHOWS_AUDIO_ONLY);
    // If only another rendition is playable, the page does not claim to play the original.
    let refused = page.value(
        "import('/assets/ll_hls.js').then(({ LowLatencyHls }) => {
            let why = null;
            const state = { video: { codec: 'HEVC' } };
            const refused = (...words) => { why = words.join(); };
            const driver = new LowLatencyHls({ address: it => it, state, quality: null, refused });
            driver.hls = { levels: [{ uri: '/live/show/hls/360p.m3u8' }] };
            driver.choose('main');
            return why;
        })",
    );
    assert_eq!(refused, "sourceCodec,HEVC");
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

#[test]
fn video_is_not_blamed_for_audio_that_the_browser_cannot_play() {
    if peers::missing(&["chromium", "ffmpeg"]) {
        return;
    }
    let running = start_with(|_| ());
    let _publisher = running.publish(&super::NO_B_FRAMES);
    let browser = Chromium::start("en");
    // A browser without AAC, and without H.264 only over WebRTC, on a page that does not try again.
    let before = "
        const own = window.fetch;
        window.fetch = async (path, options) => String(path).includes('/whep') && options?.method === 'POST'
            ? new Response('', { status: 422 }) : own(path, options);
        const supports = MediaSource.isTypeSupported;
        MediaSource.isTypeSupported = type => !type.includes('mp4a') && supports.call(MediaSource, type);
        const timer = window.setTimeout;
        window.setTimeout = (act, after, ...more) => after === 10000 ? 0 : timer(act, after, ...more);
    ";
    let page = browser.open(&running.page(), before);
    page.wait(&has_status("failed"));
    let detail = page.text("detail");
    assert!(detail.ends_with("protocols works in this browser."), "{detail}");
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

#[test]
fn webrtc_is_tried_again_for_video_that_only_it_can_play() {
    if peers::missing(&["chromium", "ffmpeg"]) {
        return;
    }
    let running = start_with(|_| ());
    let _publisher = running.publish(&super::NO_B_FRAMES);
    let browser = Chromium::start("en");
    // The first offer fails.
    let first = "
        const unfailing = window.fetch;
        window.offers = 0;
        window.fetch = async (path, options) => {
            if (!String(path).includes('/whep') || options?.method !== 'POST') return unfailing(path, options);
            window.offers += 1;
            return window.offers === 1 ? new Response('', { status: 500 }) : unfailing(path, options);
        };
    ";
    let page = browser.open(&running.page(), &[WITHOUT_H264, first].concat());
    plays(&page, "whep", 5);
    assert_eq!(page.value("statuses.includes('failed') && offers > 1"), true);
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

#[test]
fn without_a_stream_buttons_are_disabled_and_the_chat_fits_a_phone_on_its_side() {
    if peers::missing(&["chromium"]) {
        return;
    }
    let running = start_with(|_| ());
    let browser = Chromium::start("en");
    let page = browser.open(&running.page(), "");
    page.wait(&has_status("waiting"));
    for button in ["play", "pip"] {
        let is_disabled = format!("document.getElementById('{button}').disabled");
        assert_eq!(page.value(&is_disabled), true, "{button}");
    }
    for (width, height) in [(667, 375), (568, 320), (390, 500)] {
        page.resize(width, height);
        let lines = page.value("document.getElementById('lines').clientHeight");
        assert!(lines.as_u64() > Some(60), "{lines} at {width}");
    }
    page.resize(720, 500);
    assert_eq!(page.value("document.querySelector('#share span').checkVisibility()"), false);
    // The page does not invent a number of viewers.
    let is_hidden = "document.getElementById('count').hidden";
    assert_eq!(page.value(is_hidden), false);
    let unanswered = "window.fetch = async () => new Response('', { status: 403 });";
    let page = browser.open(&running.page(), unanswered);
    page.wait(&has_status("refused"));
    assert_eq!(page.value(is_hidden), true);
    assert_eq!(browser.complaints(), Vec::<String>::new());
}
