//! The viewer page during outages: when the server stops for a while, when its clock is set, and when playback fails.

use std::io::Write as _;
use std::time::Duration;

use super::chromium::{Chromium, Page};
use super::{NO_B_FRAMES, choose, has_status, plays, start_with};
use crate::peers::{self, LIMIT, Onair, ffmpeg, free_port, wait_for, web};
use onair::net::web::WebUrl;
use onair::server::access::{CallKind, CallbackRules, Dialect};

/// Returns the latency that the page shows, in seconds.
fn latency(page: &Page<'_>) -> f64 {
    page.value("parseFloat(document.getElementById('chip').innerText)").as_f64().unwrap_or(0.0)
}

/// Returns the latency after it has become steady: playback neither catches up nor jumps.
fn steady_latency(page: &Page<'_>) -> f64 {
    let mut same = (0.0, 0);
    wait_for("a steady latency", LIMIT, || {
        let now = latency(page);
        same = if (now - same.0).abs() < 0.11 { (same.0, same.1 + 1) } else { (now, 0) };
        std::thread::sleep(Duration::from_millis(100));
        same.1 > 30
    });
    same.0
}

#[test]
fn the_latency_is_the_usual_one_again_after_the_server_stalled() {
    if peers::missing(&["chromium", "ffmpeg"]) {
        return;
    }
    let webrtc = format!("127.0.0.1:{}", free_port());
    let words = ["serve", "--rtmp", "127.0.0.1:0", "--http", "127.0.0.1:0", "--webrtc", &webrtc];
    let mut server = Onair::start(&words);
    let ready = server.wait_named("ready");
    let [rtmp, http] = ["rtmp", "http"].map(|name| ready[name].as_str().unwrap().to_owned());
    let _publisher = ffmpeg::publish_with(&format!("{rtmp}/live/show"), None, &NO_B_FRAMES);
    server.wait_named("publish");
    let browser = Chromium::start("en");
    let page = browser.open(&format!("{http}/watch/live/show"), "");
    plays(&page, "whep", 1);
    choose(&page, "protocol", "hls");
    plays(&page, "hls", 90);
    let usual = steady_latency(&page);
    // Two stalls. After the first one, the latency must return to within 0.5 s of its usual value.
    // After the second one, which follows soon, 1 s is enough.
    for more in [0.5, 1.0] {
        server.peer.signal("STOP");
        page.wait(&format!(
            "parseFloat(document.getElementById('chip').innerText) > {}",
            usual + 2.0
        ));
        server.peer.signal("CONT");
        page.wait(&format!(
            "document.documentElement.dataset.protocol === 'hls'
                && parseFloat(document.getElementById('chip').innerText) < {}",
            usual + more
        ));
    }
    assert!(usual < 4.0, "{usual} s");
}

#[test]
fn without_media_source_an_error_during_playback_is_a_loss() {
    if peers::missing(&["chromium"]) {
        return;
    }
    let running = start_with(|_| ());
    let browser = Chromium::start("en");
    // A browser that plays HLS natively and shows only the video on the full screen, such as that of older iPhones.
    let before = "['MediaSource', 'ManagedMediaSource'].forEach(it => delete window[it]);
        delete Document.prototype.fullscreenElement;";
    let page = browser.open(&running.page(), before);
    page.wait(&has_status("waiting"));
    let label = page.value("document.getElementById('fullscreen').ariaLabel");
    assert_eq!(label, "Full screen (F)");
    let found = page.value(
        "(async () => {
            const { LowLatencyHls } = await import('/assets/ll_hls.js');
            const found = [];
            for (const [quality, position] of [[null, 0], [null, 7], ['main', 0], ['480p', 7], ['480p', 0]]) {
                const video = document.createElement('video');
                const driver = new LowLatencyHls({
                    state: {},
                    address: it => `/none${it}`,
                    video,
                    quality,
                    refused: () => found.push('refused'),
                    fail: reason => found.push(reason),
                });
                await driver.start();
                found.push(video.getAttribute('src'));
                driver.position = position;
                video.onerror();
                if (driver.quality !== quality) found.push(video.getAttribute('src'));
                driver.stop();
            }
            return found.join(' ');
        })()",
    );
    assert_eq!(
        found,
        "/none.m3u8 noFrames /none.m3u8 lost /none/hls/main.m3u8 noFrames /none/hls/480p.m3u8 lost \
         /none/hls/480p.m3u8 refused /none.m3u8"
    );
}

#[test]
fn the_page_learns_that_the_clock_of_the_server_was_set() {
    if peers::missing(&["chromium"]) {
        return;
    }
    let running = start_with(|_| ());
    let browser = Chromium::start("en");
    let page = browser.open(&running.page(), "");
    page.wait(&has_status("waiting"));
    // Each step: the time since the last answer and the round trip in milliseconds, and the server's lead in seconds.
    let leads = page.value(
        "(async () => {
            const { StreamState } = await import('/assets/state.js');
            const [leads, steps] = [[], [[0, 10, 0], [5_000, 40, 60], [30_000, 40, 60], [5_000, 90, 0]]];
            let now = 0;
            let step;
            performance.now = () => now;
            window.fetch = async url => {
                if (url !== 'test') return new Promise(() => {});
                now += step[1];
                return { ok: true, json: async () => ({ live: true, now: Date.now() + step[2] * 1_000 }) };
            };
            const state = new StreamState('test', () => {}, () => {});
            for (step of steps) {
                now += step[0];
                await state.refresh();
                clearTimeout(state.timer);
                leads.push(Math.round(state.offset / 1_000));
            }
            return leads.join();
        })()",
    );
    assert_eq!(leads, "0,0,60,60");
}

#[test]
fn wrong_keys_of_others_at_the_same_address_are_no_refusal_of_the_page() {
    if peers::missing(&["chromium"]) {
        return;
    }
    let running = start_with(|_| ());
    let browser = Chromium::start("en");
    let page = browser.open(&running.page(), "");
    page.wait(&has_status("waiting"));
    let found = page.value(
        "(async () => {
            const { StreamState } = await import('/assets/state.js');
            const found = [];
            const [{ fetch, setTimeout }, head] = [window, { 'Retry-After': '7' }];
            for (const status of [429, 403]) {
                window.fetch = async () => new Response('', { status, headers: head });
                window.setTimeout = (_, wait) => found.push(`again in ${wait}`);
                const [no, wait] = ['refused', 'limited'].map(it => () => found.push(it));
                const state = new StreamState('test', () => {}, no, wait);
                await state.refresh();
                Object.assign(window, { fetch, setTimeout });
            }
            return found.join();
        })()",
    );
    assert_eq!(found, "again in 7000,limited,refused");
}

#[test]
fn the_buffer_of_websocket_flv_shrinks_again_after_stalls() {
    if peers::missing(&["chromium"]) {
        return;
    }
    let running = start_with(|_| ());
    let browser = Chromium::start("en");
    let page = browser.open(&running.page(), "");
    page.wait(&has_status("waiting"));
    let found = page.value(
        "(async () => {
            const { WebSocketFlv } = await import('/assets/flv.js');
            const video = { buffered: { length: 1, end: () => 10 }, currentTime: 9.7 };
            const flv = new WebSocketFlv({ address: path => path, video });
            flv.position = 1;
            const found = [];
            const after = (seconds, listener) => {
                performance.now = () => seconds * 1000;
                listener();
                found.push(flv.target.toFixed(1));
            };
            const own = performance.now;
            after(10, flv.stallListener);
            after(39, flv.paceListener);
            after(40, flv.paceListener);
            after(70, flv.paceListener);
            after(170, flv.paceListener);
            // The second stall shows that the link is not good: the next decrease comes later.
            after(180, flv.stallListener);
            after(239, flv.paceListener);
            after(240, flv.paceListener);
            performance.now = own;
            return found.join(' ');
        })()",
    );
    assert_eq!(found, "0.5 0.5 0.4 0.3 0.3 0.5 0.5 0.4");
}

#[test]
fn neither_jumps_nor_the_end_of_the_media_hide_a_stall() {
    if peers::missing(&["chromium"]) {
        return;
    }
    let running = start_with(|_| ());
    let browser = Chromium::start("en");
    let page = browser.open(&running.page(), "");
    page.wait(&has_status("waiting"));
    // The video stops at 5 s, but its live edge moves.
    let found = page.value(
        "(async () => {
            const { LowLatencyHls } = await import('/assets/ll_hls.js');
            const { WebSocketFlv } = await import('/assets/flv.js');
            const own = performance.now;
            const found = [];
            const states = [[false, false], [true, true], [true, false]];
            for (const Driver of [LowLatencyHls, WebSocketFlv]) {
                for (const [paused, ended] of states) {
                    let seconds = 0;
                    performance.now = () => seconds * 1_000;
                    const buffered = { length: 1, end: () => 5 + seconds };
                    const video = { paused, ended, buffered, currentTime: 5 };
                    let end = 'no end';
                    const fail = reason => { end = `${reason} after ${seconds} s`; };
                    const driver = new Driver({ state: {}, address: it => it, video, fail, roundTrip: () => 0 });
                    driver.hls = { get liveSyncPosition() { return 5 + seconds; } };
                    for (; seconds < 20 && end === 'no end'; seconds += 0.5) driver.watch();
                    found.push(end);
                }
            }
            performance.now = own;
            return found.join();
        })()",
    );
    assert_eq!(
        found,
        "lost after 8.5 s,lost after 8.5 s,no end,lost after 6.5 s,lost after 6.5 s,no end"
    );
}

#[test]
fn websocket_flv_starts_again_for_a_track_that_the_stream_did_not_have() {
    if peers::missing(&["chromium"]) {
        return;
    }
    let running = start_with(|_| ());
    let browser = Chromium::start("en");
    let page = browser.open(&running.page(), "");
    page.wait(&has_status("waiting"));
    let found = page.value(
        "(async () => {
            const { Playback } = await import('/assets/playback.js');
            const playback = new Playback({
                address: path => `/none${path}`,
                video: document.createElement('video'),
                stream: { refresh() {} },
                preferred: null,
                changed() {},
            });
            const [found, video] = [[], { codec: 'H.264' }];
            for (const [publication, of] of [[1, null], [1, null], [2, null], [2, video], [3, null], [4, video]]) {
                const { driver } = playback;
                playback.update({ live: true, publication, protocols: ['flv'], audio: { codec: 'AAC' }, video: of });
                found.push(playback.driver === driver ? 'same' : 'new');
            }
            playback.refuse();
            return found.join(' ');
        })()",
    );
    assert_eq!(found, "new same same new same same");
}

#[test]
fn hls_gives_up_the_chosen_quality_only_if_the_server_refuses_it() {
    if peers::missing(&["chromium"]) {
        return;
    }
    let running = start_with(|_| ());
    let browser = Chromium::start("en");
    let page = browser.open(&running.page(), "");
    page.wait(&has_status("waiting"));
    let found = page.value(
        "(async () => {
            const { LowLatencyHls } = await import('/assets/ll_hls.js');
            const { default: Hls } = await import('/assets/hls.light.min.mjs');
            Hls.prototype.loadSource = Hls.prototype.attachMedia = () => {};
            const found = [];
            for (const [quality, wait] of [['480p', 1], ['main', 30], ['audio', 30], ['480p', 30]]) {
                let refusals = 0;
                const driver = new LowLatencyHls({
                    state: {},
                    address: path => `/none${path}`,
                    video: document.createElement('video'),
                    quality,
                    refused: () => { refusals += 1; },
                    fail() {},
                });
                await driver.start();
                driver.hls.trigger(Hls.Events.ERROR, {
                    type: Hls.ErrorTypes.NETWORK_ERROR,
                    details: Hls.ErrorDetails.LEVEL_LOAD_ERROR,
                    fatal: false,
                    response: { code: 503 },
                    networkDetails: { getResponseHeader: () => String(wait) },
                });
                found.push(`${driver.quality} ${refusals}`);
                driver.stop();
            }
            return found.join();
        })()",
    );
    assert_eq!(found, "480p 0,main 0,audio 0,null 1");
}

#[test]
fn a_refused_rendition_ends_an_earlier_choice_over_webrtc() {
    if peers::missing(&["chromium"]) {
        return;
    }
    let running = start_with(|_| ());
    let browser = Chromium::start("en");
    let page = browser.open(&running.page(), "");
    page.wait(&has_status("waiting"));
    page.value(
        "(async () => {
            const { Whep } = await import('/assets/whep.js');
            const ask = window.fetch;
            window.found = [];
            window.fetch = async (path, options) => {
                if (!String(path).startsWith('/none')) return ask(path, options);
                found.push(options.body);
                return new Response('', { status: options.body === '{}' ? 200 : 503 });
            };
            const refused = () => found.push(`refused, then ${whep.quality}`);
            const whep = new Whep({ address: path => `/none${path}`, state: { video: {} }, quality: 'main', refused });
            whep.session = '/none/whep/session';
            whep.choose('480p');
        })()",
    );
    page.wait("window.found.length === 3");
    let found = page.value("window.found.join(' ')");
    assert_eq!(found, "{\"encodingId\":\"480p\"} {} refused, then null");
}

#[test]
fn webrtc_that_never_connects_is_abandoned_at_once() {
    if peers::missing(&["chromium"]) {
        return;
    }
    let running = start_with(|_| ());
    let browser = Chromium::start("en");
    let page = browser.open(&running.page(), "");
    page.wait(&has_status("waiting"));
    let found = page.value(
        "(async () => {
            const { Whep } = await import('/assets/whep.js');
            const { RTCPeerConnection, fetch } = window;
            const transport = new EventTarget();
            window.RTCPeerConnection = class {
                addTransceiver() {}
                createOffer() { return { sdp: '' }; }
                setLocalDescription() {}
                setRemoteDescription() {}
                getReceivers() { return [{ transport }]; }
                close() {}
            };
            window.fetch = async () => new Response('', { status: 201, headers: { Location: '/none/session' } });
            const found = [];
            for (const states of [['failed'], ['connected', 'failed'], ['transport'], ['connected', 'transport']]) {
                const driver = new Whep({
                    state: { ice_servers: [] },
                    address: path => `/none${path}`,
                    video: {},
                    fail: reason => found.push(reason),
                });
                await driver.start();
                for (const state of states) {
                    if (state === 'transport') {
                        transport.state = 'failed';
                        transport.dispatchEvent(new Event('statechange'));
                    } else {
                        driver.connection.connectionState = state;
                        driver.connection.onconnectionstatechange();
                    }
                }
                driver.stop();
            }
            Object.assign(window, { RTCPeerConnection, fetch });
            return found.join();
        })()",
    );
    assert_eq!(found, "noAnswer,lost,noAnswer,lost");
}

#[test]
fn a_page_for_which_the_stream_has_no_room_says_so_and_plays_when_there_is_room() {
    if peers::missing(&["chromium", "ffmpeg"]) {
        return;
    }
    let running = start_with(|config| config.limits.viewers = 1);
    let _publisher = running.publish(&NO_B_FRAMES);
    let browser = Chromium::start("en");
    let page = browser.open(&running.page(), "");
    plays(&page, "whep", 5);
    let other = browser.open(&running.page(), "");
    other.wait(&has_status("failed"));
    assert_eq!(other.text("headline"), "There is no room for more viewers");
    page.value("location.assign('about:blank')");
    other.wait(&has_status("playing"));
}

#[test]
fn a_page_whose_viewer_a_callback_refuses_does_not_blame_the_browser() {
    if peers::missing(&["chromium", "ffmpeg"]) {
        return;
    }
    let port = web::canned(|_, socket| {
        let _ = socket.write_all(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
    });
    let url = WebUrl::parse(&format!("http://127.0.0.1:{port}/play")).unwrap();
    let callbacks = CallbackRules {
        dialect: Dialect::Nginx,
        urls: [(CallKind::Play, url)].into(),
        timeout: CallbackRules::DEFAULT_TIMEOUT,
        accepts_without_answer: false,
    };
    let running = start_with(|config| config.access.others.callbacks = Some(callbacks));
    let _publisher = running.publish(&NO_B_FRAMES);
    let browser = Chromium::start("en");
    let page = browser.open(&running.page(), "");
    page.wait(&has_status("refused"));
    assert_eq!(page.text("headline"), "This link does not open the stream");
    // The operator may disconnect a viewer who may play.
    let reasons = page.value(
        "(async () => {
            const { LowLatencyHls } = await import('/assets/ll_hls.js');
            const { default: Hls } = await import('/assets/hls.light.min.mjs');
            Hls.prototype.loadSource = Hls.prototype.attachMedia = () => {};
            const reasons = [];
            const bytes = text => ({ responseType: 'arraybuffer', response: new TextEncoder().encode(text).buffer });
            const disconnected = 'The operator has disconnected this viewer.';
            for (const [details, fatal, networkDetails] of [
                ['MANIFEST_LOAD_ERROR', true, { responseText: 'You may not play' }],
                ['MANIFEST_LOAD_ERROR', true, { responseText: disconnected }],
                ['LEVEL_LOAD_ERROR', false, { responseText: 'You may not play' }],
                ['LEVEL_LOAD_ERROR', false, { responseText: disconnected }],
                ['FRAG_LOAD_ERROR', false, bytes(disconnected)],
            ]) {
                const driver = new LowLatencyHls({
                    state: {},
                    address: path => `/none${path}`,
                    video: document.createElement('video'),
                    fail: reason => reasons.push(reason),
                });
                await driver.start();
                driver.hls.trigger(Hls.Events.ERROR, {
                    type: Hls.ErrorTypes.NETWORK_ERROR,
                    details: Hls.ErrorDetails[details],
                    fatal,
                    response: { code: 403 },
                    networkDetails,
                });
                reasons.push(driver.recovered);
                driver.stop();
            }
            return reasons.join();
        })()",
    );
    assert_eq!(reasons, "refused,0,lost,0,0,lost,0,lost,0");
}

#[test]
fn a_page_that_must_wait_says_so_and_goes_on() {
    if peers::missing(&["chromium"]) {
        return;
    }
    let running = start_with(|_| ());
    let browser = Chromium::start("en");
    let before = "const ask = window.fetch;
    window.isLimited = true;
    window.fetch = async (path, options) => window.isLimited && String(path).endsWith('/state')
        ? new Response('', { status: 429, headers: { 'Retry-After': '1' } })
        : ask(path, options);";
    let page = browser.open(&running.page(), before);
    page.wait(&has_status("limited"));
    assert_eq!(page.text("headline"), "Too many wrong keys");
    page.value("window.isLimited = false");
    page.wait(&has_status("waiting"));
}
