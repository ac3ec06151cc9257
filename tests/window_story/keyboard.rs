//! The evening by keyboard alone, from the first start on.

use super::mouse::first_start;
use super::*;

/// Goes through the first-run guide to the studio, with a custom server.
fn goes_through_the_guide(story: &mut Story, server: &str, key: &str) {
    story.shows("label", "Welcome to onair");
    story.focused("push button", "Next");
    story.press("Return");
    story.shows("label", "Is this you?");
    for (list, line) in [("Camera", "Test pattern"), ("Microphone", "Test tone")] {
        story.opens(list, line);
        story.reach("radio menu item", line);
        story.press("Return");
        story.widgets.wait_gone("radio menu item", "");
    }
    story.reach("push button", "That's me");
    story.press("Return");
    story.shows("label", "Where do you want to stream?");
    story.reach("radio button", "Custom server");
    story.press("space");
    story.reach("entry", "Server");
    story.types(server);
    story.reach("password text", "Stream key");
    story.types(key);
    story.press("Return");
    story.shows("push button", "Measure again");
    story.shows("label", "1080p: ");
    // A small size, because other tests run on the same computer.
    story.reach("radio button", "480p, 30 fps");
    story.press("space");
    story.reach("push button", "Next");
    story.press("Return");
    story.shows("label", "All set");
    story.focused("push button", "Open the studio");
    story.bar_says("Ready to go live.");
    story.press("Return");
}

#[test]
fn an_evening_in_the_window_by_keyboard() {
    if peers::missing(&PROGRAMS) {
        return;
    }
    let home = tempfile::tempdir().unwrap();
    // Recordings go to the videos folder, which is a separate disk here.
    let (disk, other) = (home.path().join("Videos"), home.path().join("other"));
    fs::create_dir(&disk).unwrap();
    fs::create_dir(&other).unwrap();
    if has_no_small_disk(&disk) {
        return;
    }
    let mut nginx = Nginx::start();
    let (port, server) = (nginx.port, nginx.url("keyed", ""));
    let settings = home.path().join("onair/settings.toml");
    let kept = || fs::read_to_string(&settings).unwrap_or_default();
    let speaker = Speaker::start();
    let mut story = Story::open(|desktop| {
        let mut onair = first_start(desktop, home.path());
        with_small_disk(&disk, onair.env("PULSE_SERVER", &speaker.server))
    });

    goes_through_the_guide(&mut story, server.trim_end_matches('/'), "wrong-key");
    scene::is_built_by_keyboard(&mut story);
    // The window names the wrong key as the cause.
    story.press("ctrl+l");
    story.says(REFUSED);
    // The shortcut of the health bar's button leads to the key. A new key is tried as it is typed.
    story.press("ctrl+period");
    story.focused("password text", "Stream key");
    story.press("ctrl+a");
    story.types(KEY);
    story.waits("the stream at nginx", || nginx.is_published(KEY));
    story.says("All good.");
    is_served(&nginx, "keyed", 854);
    story.press("Escape");
    scene::is_switched_on_air(&mut story, &nginx, |story, name| {
        story.press(if name == scene::MAIN { "alt+1" } else { "alt+2" });
    });
    // The server dies. The window reports no success until it is back.
    drop(nginx);
    story.says(&format!("Not on air: the connection to 127.0.0.1:{port} was lost."));
    nginx = Nginx::start_on(port);
    story.waits("the stream again", || nginx.is_published(KEY));
    story.says("Reconnected to 127.0.0.1");
    is_served(&nginx, "keyed", 854);
    // The recording's disk becomes full.
    let seen_disk = story.seen(&disk);
    story.press("Escape");
    story.press("ctrl+r");
    story.waits("a recording", || grows(&seen_disk));
    story.fill(&seen_disk);
    story.says("On air, but the recording has ended.");
    assert!(nginx.is_published(KEY), "the stream goes on");
    // The disk has space again, but nothing records.
    story.free(&seen_disk);
    // The shortcut of the health bar's button opens the chooser for another folder, whose path is
    // typed.
    story.shows("push button", "Choose folder");
    story.press("ctrl+period");
    story.focused("entry", "Path");
    story.types(other.to_str().unwrap());
    story.press("Return");
    let folder = format!("{other:?}");
    story.waits("the other folder", || kept().contains(&folder));
    story.has_not_said("All good.");
    story.press("ctrl+r");
    story.waits("a recording there", || grows(&other));
    story.says("All good.");
    is_served(&nginx, "keyed", 854);
    // The same window plays the stream from nginx.
    let before = clients(&nginx);
    story.press("ctrl+2");
    story.focused("entry", "Stream address");
    story.press("ctrl+a");
    story.types(&nginx.url("keyed", KEY));
    story.press("Return");
    story.waits("the player at nginx", || clients(&nginx) > before);
    story.bar_says("All good.");
    // *Stop* asks first. The button that stops lies after the focused one.
    story.press("Escape");
    story.press("ctrl+1");
    story.shows("push button", "Stop recording");
    story.press("ctrl+l");
    story.focused("push button", "Stay on air");
    story.press("Tab");
    story.focused("push button", "Stop the broadcast");
    story.press("Return");
    story.waits("the end", || !nginx.is_published(KEY));
    story.says("Recording, not on air.");
    story.press("ctrl+r");
    story.says("Ready to go live.");
    is_whole(&other);
    // The card shows the duration, the target, the losses, and the name of the recording.
    let file = recording(&other).unwrap();
    let name = file.file_name().unwrap().to_str().unwrap();
    story.shows("label", "Broadcast ended");
    for figure in ["Time on air: 00:", "Sent to: 127.0.0.1", "Dropped frames: ", "Reconnects: "] {
        story.shows("label", figure);
    }
    story.shows("label", &format!("Recording: {name}"));
    // The card plays the recording and shows it in the list. Without a file manager, the window
    // names the folder.
    story.reach_back("push button", "Play");
    story.press("Return");
    story.shows("push button", "Pause");
    let descriptors = format!("/proc/{}/fd", story.window.id());
    story.waits("the recording in the player", || {
        let open = fs::read_dir(&descriptors).unwrap().flatten();
        open.into_iter().any(|it| fs::read_link(it.path()).is_ok_and(|it| it == file))
    });
    story.press("ctrl+1");
    story.shows("push button", "Show recording");
    story.reach_back("push button", "Show recording");
    story.press("Return");
    story.shows("push button", "Move to trash");
    story.reach_back("push button", "Show in folder");
    story.press("Return");
    story.shows("label", &format!("The recording is in {}", other.display()));
    story.ends(home.path());
}
