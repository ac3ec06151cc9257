//! The operator page on a phone, a tablet and a desktop, in both themes and languages, and in each of its sections. The
//! checks and the pictures are those of the viewer page.

use super::chat::say;
use super::recordings::record;
use super::{TOKEN, click, shows, start, start_with};
use crate::peers::client::Client;
use crate::peers::{self, Peer, free_port, web};
use crate::viewer_page::chromium::Chromium;
use crate::viewer_page::pictures::Album;
use onair::base::Secret;
use onair::net::rtmp::Options;
use onair::server::access::{ActionRules, AppLimits, AppRules};
use onair::server::relay::{Direction, RelayRule, RelayTarget};
use onair::wire::chat::ChatLine;
use onair::wire::container::flv::TagKind;

/// The sections, and the lists in them.
const SECTIONS: [(&str, &str); 7] = [
    ("streams", "streams"),
    ("viewers", "viewers"),
    ("chat", "chat-lines"),
    ("relays", "relays"),
    ("access", "access"),
    ("recordings", "recordings"),
    ("events", "events"),
];

/// Holds if the section shows why a relay reconnects, in the language of the page. The server gives
/// the reason, with the next response after a change of the language.
const HAS_CAUSE: &str = "(causes => causes
    && /[一-龥]/.test(causes) === (document.documentElement.lang === 'zh-CN'))(
    [...document.querySelectorAll('#relays td:nth-child(3) small')].map(it => it.textContent).join(''))";

fn push(streams: &str, url: &str) -> RelayRule {
    RelayRule {
        direction: Direction::Push,
        streams: streams.to_owned(),
        on_demand: false,
        targets: vec![RelayTarget::parse(url, None).unwrap()],
        linger: RelayRule::DEFAULT_LINGER,
        options: Options::default(),
    }
}

#[test]
fn every_section_of_the_page_is_laid_out_well() {
    if peers::missing(&["chromium", "ffmpeg"]) {
        return;
    }
    let edge = start();
    let nobody = format!("rtmp://127.0.0.1:{}/live", free_port());
    let running = start_with(|config| {
        config.relays = vec![push("live/*", &edge.url("edge")), push("live/show", &nobody)];
        let publish = ActionRules { keys: vec![Secret::new("key")], ..ActionRules::default() };
        let limits = AppLimits { viewers: Some(1_500), ..AppLimits::default() };
        let rules = AppRules { publish, limits, ..AppRules::default() };
        config.access.apps.insert("school".to_owned(), rules);
    });
    record(&running);
    let _publisher = running.publish();
    let mut lobby = Client::publish(&running.url("live/lobby"));
    lobby.send(&(TagKind::Audio, 0, vec![0xAF, 0, 0x11, 0x90].into()));
    // This viewer reads on, so that the server keeps it.
    let url = running.url("live/show");
    let _viewer = Peer::start("ffmpeg", ["-nostdin", "-v", "error", "-i", &url, "-f", "null", "-"]);
    let wrong = "Authorization: Bearer wrong\r\n";
    web::ask_with(running.http(), "DELETE", "/api/v1/viewers/1", wrong);
    let browser = Chromium::start("en");
    let page = browser.open(&running.page(), "");
    page.wait(&shows("#streams", "live/show"));
    page.wait(&shows("#streams", "live/lobby"));
    page.wait("[...document.querySelectorAll('#streams img')].some(it => it.naturalWidth === 320)");
    let streamer = running.server.join_chat("live", "show").unwrap();
    streamer.say(ChatLine::new("Kim", "good evening").unwrap());
    page.value("window.viewer = new WebSocket(`ws://${location.host}/live/show/chat`)");
    page.wait("window.viewer.readyState === 1");
    say(&page, "小林", "这个焊点现在好看了");
    // The chat needs the token.
    click(&page, "#streams [aria-label='Moderate the chat of live/show']");
    page.wait("document.getElementById('token').open");
    page.value(&format!("document.getElementById('token-input').value = '{TOKEN}'"));
    click(&page, "#token .primary");
    page.wait(&shows("#chat-lines", "小林"));
    let mut album = Album::new();
    for (section, list) in SECTIONS {
        page.value(&format!("location.hash = '{section}'"));
        page.wait(&format!("document.getElementById('title-{section}').checkVisibility()"));
        page.wait(&format!("document.querySelector('#{list} > *') !== null"));
        album.take(&page, &format!("operator-{section}"), || {
            if section == "relays" {
                page.wait("document.querySelectorAll('#relays tr').length === 3");
                page.wait(HAS_CAUSE);
            }
            // The fragment of the address scrolls to the list.
            page.value("scrollTo(0, 0)");
        });
    }
    album.take(&page, "operator-settings", || {
        page.value("if (!document.getElementById('options').open) document.getElementById('settings').click()");
    });
    album.check();
    assert_eq!(browser.complaints(), Vec::<String>::new());
}
