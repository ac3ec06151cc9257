//! The evening by mouse, from the first start: the first-run guide, then the same steps as by
//! keyboard. Keys are pressed only to type a name, an address or a stream key.

use super::*;

/// Goes to the last step of the first-run guide, with a custom server.
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
    story.click("push button", "That's me");
    story.shows("label", "Where do you want to stream?");
    story.click("radio button", "Custom server");
    story.click("entry", "Server");
    story.types(server);
    story.click("password text", "Stream key");
    story.types(key);
    story.click("push button", "Next");
    // The guide measures the encoder. For the upload, it asks before it sends anything.
    story.shows("push button", "Measure again");
    story.shows("label", "1080p: ");
    story.shows("label", "onair did not measure the bandwidth to ");
    story.shows("push button", "Send test stream");
    // A small size, because other tests run on the same computer.
    story.click("radio button", "480p, 30 fps");
    story.click("push button", "Next");
    story.shows("label", "All set");
    story.bar_says("Ready to go live.");
}

/// Returns a command that starts onair as a new user does.
pub(super) fn first_start(desktop: &Desktop, home: &Path) -> Command {
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
    // The window behind the guide has a larger button with the same name.
    story.click_where("push button", "Go Live", |it| it.height() < 45);
    story.waits("the stream at nginx", || nginx.is_published(KEY));
    is_served(&nginx, "live", 854);
    let taken = begun.elapsed();
    println!("first start to on air: {:.1} s", taken.as_secs_f64());
    assert!(taken < Duration::from_secs(120), "{taken:?}");
    story.says("All good.");
    story.ends(home.path());
}

#[test]
fn an_evening_in_the_window_by_mouse() {
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
    story.click("push button", "Open the studio");
    scene::is_built_by_mouse(&mut story);
    // The window names the wrong key as the cause. The button in the health bar leads to the key.
    story.click("push button", "Go Live");
    story.says(REFUSED);
    story.click("push button", "Edit key");
    story.focused("password text", "Stream key");
    story.click("password text", "Stream key");
    story.focused("password text", "Stream key");
    story.press("ctrl+a");
    story.types(KEY);
    story.waits("the stream at nginx", || nginx.is_published(KEY));
    story.says("All good.");
    is_served(&nginx, "keyed", 854);
    scene::is_switched_on_air(&mut story, &nginx, |story, name| story.click("radio button", name));
    // The server dies. The window reports no success until it is back.
    drop(nginx);
    story.says(&format!("Not on air: the connection to 127.0.0.1:{port} was lost."));
    nginx = Nginx::start_on(port);
    story.waits("the stream again", || nginx.is_published(KEY));
    story.says("Reconnected to 127.0.0.1");
    is_served(&nginx, "keyed", 854);
    // The recording's disk becomes full.
    let seen_disk = story.seen(&disk);
    story.click("push button", "Record");
    story.waits("a recording", || grows(&seen_disk));
    story.fill(&seen_disk);
    story.says("On air, but the recording has ended.");
    assert!(nginx.is_published(KEY), "the stream goes on");
    // The disk has space again, but nothing records.
    story.free(&seen_disk);
    // The button in the health bar opens the chooser for another folder.
    story.click("push button", "Choose folder…");
    story.click("push button", "Home");
    story.click("list item", "other");
    story.click("push button", "Choose");
    let folder = format!("{other:?}");
    story.waits("the other folder", || kept().contains(&folder));
    story.has_not_said("All good.");
    story.click("push button", "Record");
    story.waits("a recording there", || grows(&other));
    story.says("All good.");
    is_served(&nginx, "keyed", 854);
    // The same window plays the stream from nginx.
    let before = clients(&nginx);
    story.click("toggle button", "Watch");
    story.click("entry", "Stream address");
    story.press("ctrl+a");
    story.types(&nginx.url("keyed", KEY));
    story.click("push button", "Play");
    story.waits("the player at nginx", || clients(&nginx) > before);
    story.bar_says("All good.");
    // *Stop* asks first.
    story.click("toggle button", "Studio");
    // The *Watch* page has another *Stop*.
    story.shows("push button", "Stop recording");
    story.click("push button", "Stop");
    story.click("push button", "Stop the broadcast");
    story.waits("the end", || !nginx.is_published(KEY));
    story.says("Recording, not on air.");
    story.click("push button", "Stop recording");
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
    // The recording plays, and is shown in the list. This desktop has no file manager, so the
    // window names the folder.
    story.click("push button", "Play");
    story.shows("push button", "Pause");
    let descriptors = format!("/proc/{}/fd", story.window.id());
    story.waits("the recording in the player", || {
        let open = fs::read_dir(&descriptors).unwrap().flatten();
        open.into_iter().any(|it| fs::read_link(it.path()).is_ok_and(|it| it == file))
    });
    story.click("toggle button", "Studio");
    story.click("push button", "Show recording");
    // Before the file has been read, the buttons are at another place.
    story.shows("label", "Length: ");
    story.click("push button", "Show in folder");
    story.shows("label", &format!("The recording is in {}", other.display()));
    story.ends(home.path());
}
