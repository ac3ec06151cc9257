//! The first start by mouse: the first-run guide, and on air. Keys are pressed where a person types an address or a
//! key.

use std::time::Instant;

use super::*;
use crate::peers;

/// Goes through the first-run guide to *Go Live*, to an own server.
fn goes_through_the_guide(story: &mut Story, server: &str, key: &str) {
    story.shows("label", "Welcome to onair");
    story.click("", "中文");
    story.shows("label", "欢迎使用 onair");
    story.click("", "English");
    story.shows("label", "Welcome to onair");
    story.click("push button", "Next");
    story.shows("label", "Is this you?");
    for (list, line) in [("Camera", "Test pattern"), ("Microphone", "Test tone")] {
        story.click("combo box", list);
        story.click("radio menu item", line);
        story.widgets.wait_gone("radio menu item", "");
    }
    story.click("push button", "That’s me");
    story.shows("label", "Where does it go?");
    story.click("radio button", "Own server");
    story.click("entry", "Server");
    story.types(server);
    story.click("password text", "Stream key");
    story.types(key);
    story.click("push button", "Next");
    // The encoder is measured; of the upload it is said why not.
    story.shows("push button", "Measure again");
    story.shows("label", "1080p: ");
    story.shows("label", "Not measured: this target has no test mode.");
    // A small one, so that the machine of the test carries it beside others.
    story.click("radio button", "480p, 30 fps");
    story.click("push button", "Next");
    story.shows("label", "All set");
    // The one behind the guide has the same name.
    story.click_where("push button", "Go Live", |it| it.is("focused"));
}

fn first_start(desktop: &Desktop, home: &Path) -> Command {
    let mut onair = desktop.onair(home);
    onair.env("XDG_RUNTIME_DIR", home).args(["--log", "info", "--lang", "en"]);
    onair
}

/// "A first-time streamer is on air in two minutes": from the start of the program to video at the server.
#[test]
fn a_first_start_is_on_air_within_two_minutes() {
    if peers::missing(&PROGRAMS) {
        return;
    }
    let nginx = Nginx::start();
    let home = tempfile::tempdir().unwrap();
    let begun = Instant::now();
    let mut story = Story::open(|desktop| first_start(desktop, home.path()));
    goes_through_the_guide(&mut story, nginx.url("live", "").trim_end_matches('/'), KEY);
    story.waits("the stream at nginx", || nginx.is_published(KEY));
    is_served(&nginx, "live", 854);
    let taken = begun.elapsed();
    println!("first start to on air: {:.1} s", taken.as_secs_f64());
    assert!(taken < Duration::from_secs(120), "{taken:?}");
    story.says("All good.");
    story.ends(home.path());
}
