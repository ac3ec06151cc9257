//! A guest whose studio does not keep up sends smaller video, on the same connection.

use crate::guests::{BEFORE, Show};
use crate::peers::{self, LIMIT};

const LESS: &str = include_str!("less_video.js");

#[test]
fn a_guest_sends_smaller_video_when_the_studio_asks_and_the_usual_one_again() {
    if peers::missing(&["chromium", "ffmpeg"]) {
        return;
    }
    let mut show = Show::start("1");
    let link = show.invite("g1");
    let browser = show.browser(0);
    let page = browser.open(&link, &format!("{BEFORE}\n{LESS}"));
    show.admit(&page, "g1", "Ada");
    page.wait("sentHeight().then(height => height > 200)");
    page.value("window.asksForLess = true");
    page.wait("sentHeight().then(height => height > 0 && height <= 180)");
    assert_eq!(
        page.value("connections.filter(it => it.connectionState === 'connected').length <= 2"),
        true
    );
    page.value("window.asksForLess = false");
    page.wait("sentHeight().then(height => height > 200)");
    show.say("stop");
    assert!(show.onair.peer.wait(LIMIT).success(), "{}", show.onair.peer.errors());
}
