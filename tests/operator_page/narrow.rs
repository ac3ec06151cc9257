//! The operator page in narrow windows, and what stays when its table of streams changes.

use super::{click, shows, start};
use crate::peers;
use crate::viewer_page::chromium::Chromium;
use crate::viewer_page::pictures::CHECK;

#[test]
fn the_header_fits_each_window() {
    if peers::missing(&["chromium"]) {
        return;
    }
    let running = start();
    let browser = Chromium::start("en");
    let page = browser.open(&running.page(), "");
    page.wait(&shows("#scope", "this computer only"));
    for width in [941, 1_000, 1_040, 1_041] {
        page.resize(width, 720);
        assert_eq!(page.value(CHECK), serde_json::json!([]), "{width}");
    }
    page.resize(390, 844);
    click(&page, "[name=language][value=zh-CN]");
    let is_one_line = "[...document.querySelectorAll('nav a, .card .head h2')]
        .filter(it => it.checkVisibility()).every(it => it.offsetHeight < 40)";
    assert_eq!(page.value(is_one_line), true);
    // The row of sections shows the current one.
    page.value("location.hash = 'events'");
    page.wait("document.querySelector('nav [aria-current]').dataset.view === 'events'");
    let end = "document.querySelector('nav [aria-current]').getBoundingClientRect().right";
    assert_eq!(page.value(&format!("{end} <= innerWidth")), true);
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

#[test]
fn a_row_keeps_the_focus_without_its_publisher_and_follows_the_language() {
    if peers::missing(&["chromium"]) {
        return;
    }
    let running = start();
    let browser = Chromium::start("en");
    let page = browser.open(&running.page(), "");
    page.wait(&shows("#no-streams", "Nobody is publishing."));
    let seen = page.value(
        "import('/assets/operator/streams.js').then(({ Streams }) => {
            const streams = new Streams({});
            const publisher = {
                encoder: null, seconds: 1, peer: '192.0.2.1', bitrate: 1000, video: null, audio: null,
                stalls: { count: 0 }, history: { step: 5, bitrates: [] },
            };
            const names = { app: 'live', stream: 'show', renditions: [] };
            const stream = { ...names, viewers: 0, viewers_by_protocol: {}, publisher };
            streams.show([stream]);
            document.querySelector('#streams .ban').focus();
            streams.show([{ ...stream, publisher: null }]);
            const focused = document.activeElement.tagName;
            document.documentElement.lang = 'zh-CN';
            streams.show([stream]);
            const viewers = document.querySelector('#streams [data-part=viewers] small').textContent;
            return [focused, viewers].join();
        })",
    );
    assert_eq!(seen, "TR,还没有观众");
    assert_eq!(browser.complaints(), Vec::<String>::new());
}
