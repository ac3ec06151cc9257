//! The evening by keyboard alone.

use super::*;
use crate::peers;

#[test]
fn an_evening_in_the_window_by_keyboard() {
    if peers::missing(&PROGRAMS) {
        return;
    }
    let home = tempfile::tempdir().unwrap();
    let (disk, other) = (home.path().join("disk"), home.path().join("other"));
    fs::create_dir(&disk).unwrap();
    fs::create_dir(&other).unwrap();
    if has_no_small_disk(&disk) {
        return;
    }
    let mut nginx = Nginx::start();
    let port = nginx.port;
    let settings = home.path().join("settings.toml");
    let text = format!(
        "version = 2\nvideo = \"test\"\naudio = \"tone\"\n\
         quality = {{ size = \"320x180\", fps = \"25\", video_bitrate = 500000 }}\n\
         window = {{ recording_folder = {disk:?}, reduced_motion = true }}\n\
         targets = [\n  {{ enabled = false }},\n  {{ server = \"{}\", name = \"Club\" }},\n]\n\
         [collection]\ncurrent = \"Start\"\ntransition = \"cut\"\n\
         [[collection.scenes]]\nname = \"Start\"\n[[collection.scenes.items]]\nmain = true\n\
         [[collection.scenes]]\nname = \"Workshop\"\n[[collection.scenes.items]]\nmain = true\n",
        nginx.url("keyed", "").trim_end_matches('/')
    );
    fs::write(&settings, text).unwrap();
    let kept = || fs::read_to_string(&settings).unwrap();
    let mut story = Story::open(|desktop| {
        let mut onair = desktop.onair(home.path());
        onair.env("XDG_RUNTIME_DIR", home.path());
        onair.args(["--log", "info", "--lang", "en", "studio", "--settings"]).arg(&settings);
        with_small_disk(&disk, &onair)
    });

    // It does not claim to be ready: the key is missing.
    story.says("Club has no stream key.");
    // A scene, by its name.
    story.press("ctrl+k");
    story.focused("entry", "");
    story.types("workshop");
    let is_first = |all: &[Widget]| (all.first()?.name == "Workshop").then_some(());
    story.widgets.wait_all("menu item", "", is_first);
    story.press("Return");
    story.waits("the scene", || kept().contains("current = \"Workshop\""));
    // *Go Live* points at the field of the key. The wrong one is named as the cause.
    story.press("ctrl+l");
    story.focused("password text", "Stream key");
    story.types("wrong-key");
    story.press("ctrl+l");
    story.says(REFUSED);
    // The button of the health bar leads to the key; what is typed there is tried at once.
    story.press("Escape");
    story.press("ctrl+period");
    story.focused("password text", "Stream key");
    story.press("ctrl+a");
    story.types(KEY);
    story.waits("the stream at nginx", || nginx.is_published(KEY));
    story.says("All good.");
    is_served(&nginx, "keyed", 320);
    // The server dies, and nothing is said to be good until it is back.
    drop(nginx);
    story.says("Not on air: the connection to Club was lost.");
    nginx = Nginx::start_on(port);
    story.waits("the stream again", || nginx.is_published(KEY));
    story.says("Reconnected to Club (127.0.0.1:");
    // The recording's disk fills up.
    let seen_disk = story.seen(&disk);
    story.press("Escape");
    story.press("ctrl+r");
    story.waits("a recording", || recording(&seen_disk).is_some());
    story.fill(&seen_disk);
    story.says("On air, but the recording has ended.");
    assert!(nginx.is_published(KEY), "the stream goes on");
    // Another folder, by the health bar's button and the path.
    story.shows("push button", "Choose folder");
    story.press("ctrl+period");
    story.focused("entry", "Path");
    story.types(other.to_str().unwrap());
    story.press("Return");
    let folder = format!("{other:?}");
    story.waits("the other folder", || kept().contains(&folder));
    story.press("ctrl+r");
    story.waits("a recording there", || grows(&other));
    story.says("All good.");
    // The same window plays what nginx sends.
    let before = clients(&nginx);
    story.press("ctrl+2");
    story.focused("entry", "Stream address");
    story.press("ctrl+a");
    story.types(&nginx.url("keyed", KEY));
    story.press("Return");
    story.waits("the player at nginx", || clients(&nginx) > before);
    // *Stop* asks; it stands before what has the keyboard.
    story.press("Escape");
    story.press("ctrl+1");
    story.shows("push button", "Stop recording");
    story.press("ctrl+l");
    story.focused("push button", "Stay on air");
    story.press("shift+Tab");
    story.focused("push button", "Stop the broadcast");
    story.press("Return");
    story.waits("the end", || !nginx.is_published(KEY));
    // The player may miss a speaker on this machine, which is then said before anything that is well.
    story.says_one_of(&["Recording, not on air.", "No speaker found."], "recording");
    story.press("ctrl+r");
    story.says_one_of(&["Ready to go live.", "No speaker found."], "ready");
    is_whole(&other);
    story.ends(home.path());
}
