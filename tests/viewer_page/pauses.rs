//! Pauses on the viewer page: by the viewer, by the browser, and while the server does not answer.

use super::chromium::Chromium;
use super::{B_FRAMES, NO_B_FRAMES, has_status, plays, start_with};
use crate::peers;

/// Holds back each WebRTC connection until the test calls `release`. While `isCut` is true, the server does not answer
/// for the state of the stream, which the page requests often. `pauseMs` is the longest pause with a connection.
const HELD_BACK: &str = "
    const released = new Promise(done => { window.release = done; });
    const ask = window.fetch;
    window.fetch = async (path, options) => {
        if (window.isCut && String(path).endsWith('/state')) throw new TypeError('cut');
        if (!String(path).endsWith('/whep')) return ask(path, options);
        window.isHeldBack = true;
        await released;
        return ask(path, { ...options, signal: undefined });
    };
    const timer = window.setTimeout;
    window.setTimeout = (act, after, ...more) => {
        const shorter = { 1000: 100, 4000: 100, 60000: window.pauseMs }[after];
        return timer(act, shorter ?? after, ...more);
    };
";

/// A browser that starts no video before a click, for which the test sets `isAllowed`.
const WITHOUT_AUTOPLAY: &str = "
    const play = HTMLMediaElement.prototype.play;
    HTMLMediaElement.prototype.play = function () {
        const no = () => Promise.reject(new DOMException('no click', 'NotAllowedError'));
        return window.isAllowed ? play.call(this) : no();
    };
    document.addEventListener('readystatechange', () => {
        if (document.readyState === 'interactive') document.getElementById('video').autoplay = false;
    });
";

#[test]
fn the_page_and_the_browser_agree_whether_playback_is_paused() {
    peers::in_real_time!(the_page_and_the_browser_agree_whether_playback_is_paused);
    if peers::missing(&["chromium", "ffmpeg"]) {
        return;
    }
    let running = start_with(|_| ());
    let _publisher = running.publish(&NO_B_FRAMES);
    let browser = Chromium::start("en");
    let page = browser.open(&running.page(), HELD_BACK);
    let video = "document.getElementById('video')";
    let click = "document.getElementById('play').click()";
    let is_live = "!document.getElementById('live').hidden";
    let label = "document.getElementById('play').ariaLabel";
    // The viewer pauses before the first media arrive.
    page.wait("window.isHeldBack === true");
    page.value(click);
    page.wait(&has_status("paused"));
    page.value("window.release()");
    page.wait(&format!("{video}.readyState >= 2"));
    assert_eq!(page.value(&format!("{video}.paused")), true);
    page.value(click);
    plays(&page, "whep", 5);
    // A media key pauses and plays the video without the page.
    page.value(&format!("{video}.pause()"));
    page.wait(&has_status("paused"));
    assert_eq!(page.value(label), "Play (K)");
    page.value(&format!("{video}.play()"));
    plays(&page, "whep", 5);
    assert_eq!(page.value(label), "Pause (K)");
    // The server does not answer during a pause without a connection.
    page.value(&format!("window.pauseMs = 50; {click}"));
    page.wait(&format!("{video}.srcObject === null"));
    page.value("window.isCut = true");
    page.wait(&has_status("unreachable"));
    assert_eq!(page.value(is_live), false);
    page.value("window.isCut = false");
    page.wait(&has_status("paused"));
    assert_eq!(page.value(is_live), true);
    page.value(click);
    plays(&page, "whep", 5);

    let page = browser.open(&running.page(), WITHOUT_AUTOPLAY);
    page.wait(&has_status("paused"));
    assert_eq!(page.value(label), "Play (K)");
    page.value(&format!("window.isAllowed = true; {click}"));
    plays(&page, "whep", 5);
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

/// Runs statements with a `playback` of a `video` without media. Returns what they append to `found`.
fn found_with_playback(acts: &str) -> serde_json::Value {
    let running = start_with(|_| ());
    let browser = Chromium::start("en");
    let page = browser.open(&running.page(), "");
    page.wait(&has_status("waiting"));
    page.value(&format!(
        "(async () => {{
            const {{ Playback }} = await import('/assets/playback.js');
            const video = document.createElement('video');
            const {{ setInterval }} = window;
            let watch;
            window.setInterval = act => {{ watch = act; }};
            const playback = new Playback({{
                address: path => `/none${{path}}`,
                video,
                stream: {{ refresh() {{}} }},
                preferred: null,
                changed() {{}},
            }});
            window.setInterval = setInterval;
            const live = {{ live: true, publication: 1, protocols: ['flv'], audio: null, video: null }};
            const found = [];
            const after = act => {{
                act();
                found.push(playback.status);
            }};
            {acts}
            playback.driver.stop();
            return found.join(' ');
        }})()"
    ))
}

#[test]
fn a_pause_before_playback_continues_hides_the_spinner() {
    if peers::missing(&["chromium"]) {
        return;
    }
    let found = found_with_playback(
        "after(() => playback.update(live));
        // Between two connections.
        after(() => playback.driver.fail('lost'));
        after(() => playback.pause());
        after(() => playback.update(live));
        after(() => playback.play());
        // After playback, by a media key.
        playback.played = true;
        after(() => video.dispatchEvent(new Event('pause')));",
    );
    assert_eq!(found, "connecting connecting paused paused connecting paused");
}

#[test]
fn the_note_is_not_repeated_after_a_pause() {
    peers::in_real_time!(the_note_is_not_repeated_after_a_pause);
    if peers::missing(&["chromium", "ffmpeg"]) {
        return;
    }
    let running = start_with(|_| ());
    let _publisher = running.publish(&B_FRAMES);
    let browser = Chromium::start("en");
    // The note stays until the test hides it.
    let before = "const timer = window.setTimeout;
        window.setTimeout = (act, after, ...more) => after === 10000 ? 0 : timer(act, after, ...more);";
    let page = browser.open(&running.page(), before);
    plays(&page, "hls", 5);
    let is_hidden = "document.getElementById('note').hidden";
    assert_eq!(page.value(is_hidden), false);
    // A browser with a finite duration can end playback at the live edge.
    assert_eq!(page.value("document.getElementById('video').duration === Infinity"), true);
    page.value(&format!("{is_hidden} = true"));
    for status in ["paused", "playing"] {
        page.value("document.getElementById('play').click()");
        page.wait(&has_status(status));
        assert_eq!(page.value(is_hidden), true, "{status}");
    }
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

#[test]
fn the_note_names_the_protocol_that_failed_last() {
    if peers::missing(&["chromium"]) {
        return;
    }
    let found = found_with_playback(
        "playback.update({ ...live, protocols: ['hls', 'flv'] });
        playback.note = { reason: 'bFrames', from: 'whep' };
        playback.driver.fail('noAnswer');
        found.push(playback.note.reason, playback.note.from, playback.protocol);",
    );
    assert_eq!(found, "noAnswer hls flv");
}

#[test]
fn muting_that_the_browser_reverts_is_no_pause_by_the_viewer() {
    if peers::missing(&["chromium"]) {
        return;
    }
    let found = found_with_playback(
        "playback.update(live);
        playback.played = true;
        playback.blocked = true;
        video.play = async () => { found.push(`muted ${video.muted}`); };
        for (let times = 0; times < 2; times += 1) {
            video.muted = false;
            after(() => video.dispatchEvent(new Event('pause')));
        }",
    );
    assert_eq!(found, "muted true connecting paused");
}

#[test]
fn a_video_in_picture_in_picture_is_watched_while_its_tab_is_hidden() {
    if peers::missing(&["chromium"]) {
        return;
    }
    let found = found_with_playback(
        "Object.defineProperty(document, 'hidden', { get: () => true });
        Object.defineProperty(document, 'pictureInPictureElement', { get: () => window.pip });
        playback.update(live);
        playback.played = true;
        playback.driver.watch = () => found.push('watched');
        for (window.pip of [null, video]) {
            watch();
            after(() => video.dispatchEvent(new Event('pause')));
        }",
    );
    assert_eq!(found, "connecting watched paused");
}

#[test]
fn playback_starts_with_the_stream_after_a_pause_too() {
    if peers::missing(&["chromium"]) {
        return;
    }
    let found = found_with_playback(
        "playback.update(live);
        after(() => playback.pause());
        after(() => playback.update({ live: false }));
        after(() => playback.pause());
        after(() => playback.update(live));",
    );
    assert_eq!(found, "paused waiting waiting connecting");
}
