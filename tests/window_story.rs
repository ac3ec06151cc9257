//! A whole evening in the real window on a display without a screen, by keyboard: a scene, a wrong key and the
//! right one, a server that dies and comes back, a full disk, another folder, playback, the end. What the
//! health bar says is asserted at each step, from the log, where the same sentence stands.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use crate::peers::desktop::Desktop;
use crate::peers::{self, LIMIT, Nginx, Peer, ffmpeg, wait_for};

/// nginx lets nobody else publish to its application `keyed`.
const KEY: &str = "right-key";

struct Story {
    desktop: Desktop,
    window: Peer,
    /// So much of the log belongs to earlier steps.
    read: usize,
}

impl Story {
    fn press(&self, key: &str) {
        self.desktop.said("xdotool", &["key", key]);
    }

    fn types(&self, text: &str) {
        self.desktop.said("xdotool", &["type", "--delay", "5", text]);
    }

    /// Waits until the health bar says this, from the last step on.
    fn says(&mut self, sentence: &str) {
        let read = self.read;
        let since = |log: &str| log.get(read..).is_some_and(|new| new.contains(sentence));
        self.window.wait_until(sentence, LIMIT * 2, |window| since(&window.errors()));
        self.read = self.window.errors().len();
    }

    /// The same with any of these, while it does this.
    fn says_one_of(&mut self, sentences: &[&str], activity: &str) {
        let (read, activity) = (self.read, format!("activity=\"{activity}\""));
        let of_it =
            |line: &str| sentences.iter().any(|it| line.contains(it)) && line.contains(&activity);
        let since = |log: &str| log.get(read..).is_some_and(|new| new.lines().any(of_it));
        self.window.wait_until(&activity, LIMIT * 2, |window| since(&window.errors()));
        self.read = self.window.errors().len();
    }

    /// Does something by keyboard until it shows; a window that was too slow gets the keys again.
    fn until(&self, what: &str, shows: &dyn Fn() -> bool, act: &dyn Fn(&Self)) {
        for _ in 0..4 {
            act(self);
            let begun = Instant::now();
            while begun.elapsed() < Duration::from_secs(8) {
                if shows() {
                    return;
                }
                thread::sleep(Duration::from_millis(20));
            }
        }
        panic!("in vain: {what}: {}", self.window.errors());
    }
}

fn pause() {
    thread::sleep(Duration::from_millis(500));
}

/// The newest recording in a folder.
fn recording(folder: &Path) -> Option<PathBuf> {
    let files = fs::read_dir(folder).ok()?.flatten().map(|entry| entry.path());
    files.filter(|path| path.extension().is_some_and(|it| it == "mp4")).max()
}

/// A small disk of its own for a program: its mounts are seen by nobody else.
fn with_small_disk(disk: &Path, command: &Command) -> Command {
    let mut inner = Command::new("unshare");
    let mount = "mount -t tmpfs -o size=96m tmpfs \"$0\" && exec \"$@\"";
    inner.args(["-rm", "sh", "-c", mount]).arg(disk).arg(command.get_program());
    inner.args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => inner.env(name, value),
            None => inner.env_remove(name),
        };
    }
    inner
}

#[test]
fn an_evening_in_the_window_by_keyboard() {
    peers::require!(
        "Xvfb",
        "dbus-daemon",
        "openbox",
        "xdotool",
        "xprop",
        "nginx",
        "ffmpeg",
        "ffprobe",
        "unshare"
    );
    let home = tempfile::tempdir().unwrap();
    let (disk, other) = (home.path().join("disk"), home.path().join("other"));
    fs::create_dir(&disk).unwrap();
    fs::create_dir(&other).unwrap();
    let mounts = with_small_disk(&disk, &Command::new("true")).status();
    if !mounts.is_ok_and(|it| it.success()) {
        eprintln!("skipped: this machine lets nobody mount a small disk");
        return;
    }
    let mut nginx = Nginx::start();
    let port = nginx.port;
    let desktop = Desktop::start();
    let _manager = desktop.manage();
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
    let mut onair = desktop.onair(home.path());
    onair.env("XDG_RUNTIME_DIR", home.path());
    onair.args(["--log", "info", "--lang", "en", "studio", "--settings"]).arg(&settings);
    let mut window = Peer::start_command(&mut with_small_disk(&disk, &onair));
    let id = desktop.shown(&mut window);
    desktop.said("xdotool", &["windowactivate", "--sync", &id]);
    let root = PathBuf::from(format!("/proc/{}/root", window.id()));
    let seen_disk = root.join(disk.strip_prefix("/").unwrap());
    let mut story = Story { desktop, window, read: 0 };

    // It does not claim to be ready: the key is missing.
    story.says("Club has no stream key.");
    // A scene, by its name.
    story.until("the scene", &|| kept().contains("current = \"Workshop\""), &|story| {
        story.press("Escape");
        story.press("ctrl+k");
        pause();
        story.types("workshop");
        pause();
        story.press("Return");
    });
    // *Go Live* points at the field of the key. The wrong one is named as the cause.
    let refused = "refuses the stream. Is the stream key right?";
    let log = |story: &Story| story.window.errors();
    for _ in 0..4 {
        story.press("ctrl+l");
        pause();
        story.press("ctrl+a");
        story.types("wrong-key");
        pause();
        story.press("ctrl+l");
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(8) && !log(&story).contains(refused) {
            thread::sleep(Duration::from_millis(50));
        }
        if log(&story).contains(refused) {
            break;
        }
    }
    story.says(refused);
    // The button of the health bar leads to the key; what is typed there is tried at once.
    story.until("the stream at nginx", &|| nginx.is_published(KEY), &|story| {
        story.press("ctrl+period");
        pause();
        story.press("ctrl+a");
        story.types(KEY);
    });
    story.says("All good.");
    let live = ffmpeg::probe(nginx.url("keyed", KEY));
    assert_eq!((live.warnings.as_str(), &live.stream("video")["width"]), ("", &320.into()));
    // The server dies, and nothing is said to be good until it is back.
    drop(nginx);
    story.says("Not on air: the connection to Club was lost.");
    nginx = Nginx::start_on(port);
    nginx.wait_published(KEY);
    story.says("The connection to Club (127.0.0.1:");
    // The recording's disk fills up.
    story.press("Escape");
    story.until("a recording", &|| recording(&seen_disk).is_some(), &|story| story.press("ctrl+r"));
    pause();
    let mut filler = fs::File::create(seen_disk.join("filler")).unwrap();
    while filler.write_all(&[0; 1 << 20]).is_ok() {}
    drop(filler);
    story.says("On air, but the recording has ended.");
    assert!(nginx.is_published(KEY), "the stream goes on");
    // Another folder, by the health bar's button and the path.
    let folder = format!("{other:?}");
    story.until("the other folder", &|| kept().contains(&folder), &|story| {
        story.press("ctrl+period");
        thread::sleep(Duration::from_secs(2));
        story.press("ctrl+a");
        story.types(other.to_str().unwrap());
        pause();
        story.press("Return");
    });
    let grows =
        || recording(&other).is_some_and(|it| it.metadata().is_ok_and(|it| it.len() > 90_000));
    story.until("a recording there", &grows, &|story| {
        if recording(&other).is_none() {
            story.press("ctrl+r");
        }
    });
    story.says("All good.");
    // The same window plays what nginx sends.
    let players = || nginx.stat().matches("<client>").count();
    let before = players();
    story.until("the player at nginx", &|| players() > before, &|story| {
        story.press("ctrl+2");
        pause();
        story.press("ctrl+a");
        story.types(&nginx.url("keyed", KEY));
        story.press("Return");
    });
    // *Stop* asks; it stands before what has the keyboard.
    story.until("the end", &|| !nginx.is_published(KEY), &|story| {
        story.press("Escape");
        story.press("ctrl+1");
        for key in ["ctrl+l", "shift+Tab", "Return"] {
            story.press(key);
            pause();
        }
    });
    // The player may miss a speaker on this machine, which is then said before anything that is well.
    story.says_one_of(&["Recording, not on air.", "No speaker found."], "recording");
    story.press("ctrl+r");
    story.says_one_of(&["Ready to go live.", "No speaker found."], "ready");
    let file = recording(&other).unwrap();
    wait_for("a whole file", LIMIT, || {
        let probe = Command::new("ffprobe").args(["-v", "error"]).arg(&file).output().unwrap();
        probe.status.success() && probe.stderr.is_empty()
    });
    assert_eq!(ffmpeg::decode(&file), "");
    story.window.signal("TERM");
    assert_eq!(story.window.wait(LIMIT).code(), Some(0), "{}", story.window.errors());
    assert!(!story.window.errors().contains(KEY), "the log holds the key");
    assert!(!kept().contains(KEY), "the settings hold the key");
}
