//! Test of a whole evening in the real window on a virtual display: the first start, a second scene, a wrong
//! stream key and the right one, a change of scenes, a server that dies and returns, a full disk, a new folder,
//! playback and the end. The evening runs once by keyboard alone and once by mouse.
//!
//! At each step, the test reads the sentence of the health bar from the log, or in the window. Before each step, it
//! waits until a screen reader would find the expected control in the window.

mod keyboard;
mod mouse;
mod scene;
mod widgets;

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Command};
use std::time::{Duration, Instant};

use crate::peers::desktop::Desktop;
use crate::peers::{self, LIMIT, Nginx, Peer, ffmpeg, wait_for};
use crate::screen_reader::starts_a_screen_reader;
use crate::window_story::widgets::{Widget, Widgets};

/// The only key with which nginx accepts a publisher in its application `keyed`.
const KEY: &str = "right-key";

/// The health bar's text for a wrong key.
const REFUSED: &str = "refuses the stream. Is the stream key correct?";

/// The commands that both stories need.
const PROGRAMS: [&str; 12] = [
    "pulseaudio",
    "pactl",
    "Xvfb",
    "dbus-daemon",
    "openbox",
    "xdotool",
    "xprop",
    "gdbus",
    "nginx",
    "ffmpeg",
    "ffprobe",
    "unshare",
];

/// A speaker that nobody hears. With it, the sentences are the same on every computer.
struct Speaker {
    rig: Peer,
    /// The rig ends with its input.
    input: Option<ChildStdin>,
    /// The address of its sound server.
    server: String,
}

impl Speaker {
    fn start() -> Self {
        let script = "pactl unload-module module-remap-source && echo \"$PULSE_SERVER\" && cat";
        let (mut rig, input) = Peer::start_with_input(
            Command::new("bash")
                .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/rigs/pulse.sh"))
                // The stories have no microphone.
                .args(["run", "--", "sh", "-c", script]),
        );
        rig.wait_until("a speaker", LIMIT, |rig| rig.output().ends_with('\n'));
        let server = rig.output().trim().to_owned();
        Self { rig, input: Some(input), server }
    }
}

impl Drop for Speaker {
    /// Waits for the end of the sound server, which otherwise stays when its rig is killed.
    fn drop(&mut self) {
        drop(self.input.take());
        let begin = Instant::now();
        while self.rig.status().is_none() && begin.elapsed() < LIMIT {
            std::thread::sleep(SETTLE_INTERVAL);
        }
    }
}

/// A widget that stays the same for this long has settled. On a busy machine, the window draws only a few frames in
/// this time.
const SETTLE_INTERVAL: Duration = Duration::from_millis(300);
/// Maximum wait for a menu, after which the key was pressed on another widget.
const MENU_LIMIT: Duration = Duration::from_secs(20);

struct Story {
    desktop: Desktop,
    _manager: Peer,
    window: Peer,
    widgets: Widgets,
    /// The window's X11 ID.
    id: String,
    /// The length of the log that belongs to earlier steps.
    read: usize,
}

fn focus(all: &[Widget]) -> Option<Widget> {
    all.iter().rfind(|it| it.is("focused")).cloned()
}

impl Story {
    /// Starts this command on a desktop, and brings its window to the front.
    fn open(command: impl FnOnce(&Desktop) -> Command) -> Self {
        let desktop = Desktop::start_bare();
        let manager = desktop.manage();
        starts_a_screen_reader(&desktop);
        let mut window = Peer::start_command(&mut command(&desktop));
        let id = desktop.shown(&mut window);
        desktop.output_of("xdotool", &["windowactivate", "--sync", &id]);
        let widgets = Widgets::start(&desktop);
        Self { desktop, _manager: manager, window, widgets, id, read: 0 }
    }

    fn press(&self, key: &str) {
        self.desktop.output_of("xdotool", &["key", key]);
    }

    fn types(&self, text: &str) {
        self.desktop.output_of("xdotool", &["type", "--delay", "5", text]);
    }

    /// Waits until this widget has the focus.
    fn focused(&mut self, role: &str, name: &str) {
        self.widgets.wait(role, name, |it| it.is("focused"));
    }

    /// Presses Tab until this widget has the focus.
    fn reach(&mut self, role: &str, name: &str) {
        self.reach_by("Tab", role, name);
    }

    /// The same from the other end of the window, for widgets near it.
    fn reach_back(&mut self, role: &str, name: &str) {
        self.reach_by("shift+Tab", role, name);
    }

    fn reach_by(&mut self, key: &str, role: &str, name: &str) {
        // More presses than the window has widgets.
        for _ in 0..150 {
            let before = self.settled(|widgets| focus(&widgets.all("", "")));
            let is_it = |it: &Widget| it.role == role && it.name.starts_with(name);
            if before.as_ref().is_some_and(is_it) {
                return;
            }
            self.press(key);
            // Between two widgets, no widget has the focus for a moment. Others may also move meanwhile.
            let named = |it: &Widget| (it.role.clone(), it.name.clone());
            let before = before.as_ref().map(named);
            self.widgets.wait_all("", "", |all| {
                focus(all).as_ref().map(named).filter(|now| Some(now) != before.as_ref())
            });
        }
        panic!("{role} '{name}' is not reached by keyboard");
    }

    /// Opens the menu of this list by keyboard, which has this line. What appears meanwhile may take the focus.
    fn opens(&mut self, list: &str, line: &str) {
        for _ in 0..5 {
            self.reach("combo box", list);
            self.press("Return");
            if self.widgets.appears("radio menu item", line, MENU_LIMIT) {
                return;
            }
        }
        panic!("the menu of '{list}' does not open");
    }

    /// Returns what `look` sees once it stays the same for a moment: the page may change, or a key may still be on its
    /// way.
    fn settled<T: PartialEq>(&mut self, look: impl Fn(&mut Widgets) -> T) -> T {
        let mut before = look(&mut self.widgets);
        loop {
            std::thread::sleep(SETTLE_INTERVAL);
            let now = look(&mut self.widgets);
            if now == before {
                return now;
            }
            before = now;
        }
    }

    /// Waits until the window shows this widget.
    fn shows(&mut self, role: &str, name: &str) -> Widget {
        self.widgets.wait(role, name, |_| true)
    }

    /// Clicks the widget with this name once it is enabled and has stopped moving.
    fn click(&mut self, role: &str, name: &str) {
        self.click_where(role, name, |it| it.name == name);
    }

    /// The same for the widget that satisfies `holds`.
    fn click_where(&mut self, role: &str, name: &str, holds: impl Fn(&Widget) -> bool) {
        let usable = |it: &Widget| it.is("enabled") && holds(it);
        // egui gives a click to the widget under the pointer at the end of the frame. Before the pointer moves on, the
        // window must have drawn the last click.
        let mut place = self.settled(|widgets| widgets.wait(role, name, usable).middle());
        loop {
            // The window draws a frame when the pointer moves. A slow window may have drawn none before, so that a
            // widget that moves seems to rest.
            self.points_at(place);
            std::thread::sleep(SETTLE_INTERVAL);
            let now = self.widgets.wait(role, name, usable).middle();
            if now == place {
                break;
            }
            place = now;
        }
        self.desktop.output_of("xdotool", &["click", "1"]);
    }

    /// Moves the pointer to this place in the window.
    fn points_at(&self, (x, y): (i64, i64)) {
        let (x, y) = (x.to_string(), y.to_string());
        self.desktop.output_of("xdotool", &["mousemove", "--window", &self.id, &x, &y]);
    }

    /// Waits until the log has this health bar text, from the last step on.
    fn says(&mut self, sentence: &str) {
        let read = self.read;
        let since = |log: &str| log.get(read..).is_some_and(|new| new.contains(sentence));
        self.waits_for(sentence, LIMIT * 2, |window| since(&window.errors()));
        self.read = self.window.errors().len();
    }

    /// Waits until the condition holds.
    fn waits(&mut self, what: &str, mut holds: impl FnMut() -> bool) {
        self.waits_for(what, LIMIT, |_| holds());
    }

    /// The same within `limit`. Shows the log and the widgets if the condition never holds.
    fn waits_for(&mut self, what: &str, limit: Duration, mut holds: impl FnMut(&Peer) -> bool) {
        let (widgets, begun) = (&mut self.widgets, Instant::now());
        self.window.wait_until(what, limit * 2, |window| {
            let held = holds(window);
            if !held && begun.elapsed() > limit {
                // The log comes first, because a window that hangs has no answer about its widgets.
                eprintln!("{}", window.errors());
                panic!("waited {limit:?} in vain for {what} in:\n{}", widgets.described());
            }
            held
        });
    }

    /// Fills the recording's disk completely.
    fn fill(&self, disk: &Path) {
        let mut filler = fs::File::create(disk.join("filler")).unwrap();
        while filler.write_all(&[0; 1 << 20]).is_ok() {}
    }

    /// Frees the recording's disk again.
    fn free(&self, disk: &Path) {
        fs::remove_file(disk.join("filler")).unwrap();
    }

    /// Asserts that the log has no such health bar text since the last step.
    fn has_not_said(&self, sentence: &str) {
        let log = self.window.errors();
        let new = log.get(self.read..).unwrap_or_default();
        assert!(!new.contains(sentence), "{new}");
    }

    /// The path outside the window's mount namespace of a folder inside it.
    fn seen(&self, folder: &Path) -> PathBuf {
        let root = PathBuf::from(format!("/proc/{}/root", self.window.id()));
        root.join(folder.strip_prefix("/").unwrap())
    }

    /// Ends the window normally; asserts that only the key file has the key.
    fn ends(mut self, home: &Path) {
        self.window.signal("TERM");
        assert_eq!(self.window.wait(LIMIT).code(), Some(0), "{}", self.window.errors());
        assert!(!self.window.errors().contains(KEY), "the log holds the key");
        let mut folders = vec![home.to_owned()];
        while let Some(folder) = folders.pop() {
            for path in fs::read_dir(folder).unwrap().map(|it| it.unwrap().path()) {
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|it| it == "toml") {
                    let is_own = path.ends_with("keys.toml");
                    let text = fs::read_to_string(&path).unwrap();
                    assert!(is_own || !text.contains(KEY), "{} holds the key", path.display());
                }
            }
        }
    }
}

/// The newest recording in a folder.
fn recording(folder: &Path) -> Option<PathBuf> {
    let files = fs::read_dir(folder).ok()?.flatten().map(|entry| entry.path());
    files.filter(|path| path.extension().is_some_and(|it| it == "mp4")).max()
}

/// Whether the newest recording in a folder has some seconds of media.
fn grows(folder: &Path) -> bool {
    recording(folder).is_some_and(|it| it.metadata().is_ok_and(|it| it.len() > 90_000))
}

/// Waits until the newest recording in a folder is complete.
fn is_whole(folder: &Path) {
    let file = recording(folder).unwrap();
    wait_for("a whole file", LIMIT, || {
        let probe = Command::new("ffprobe").args(["-v", "error"]).arg(&file).output().unwrap();
        probe.status.success() && probe.stderr.is_empty()
    });
    assert_eq!(ffmpeg::decode(&file), "");
}

/// Asserts that nginx serves video of this width without a warning.
fn is_served(nginx: &Nginx, app: &str, width: u32) {
    let live = ffmpeg::probe(nginx.url(app, KEY));
    assert_eq!((live.warnings.as_str(), &live.stream("video")["width"]), ("", &width.into()));
}

/// The number of clients that publish or play at nginx.
fn clients(nginx: &Nginx) -> usize {
    nginx.stat().matches("<client>").count()
}

/// Runs a command with a small disk, in a mount namespace that nobody else sees.
fn with_small_disk(disk: &Path, command: &Command) -> Command {
    let mut inner = Command::new("unshare");
    let mount = "mount -t tmpfs -o size=128m tmpfs \"$0\" && exec \"$@\"";
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

/// Whether this machine does not allow such a mount, so that the test is skipped.
fn has_no_small_disk(disk: &Path) -> bool {
    let mounts = with_small_disk(disk, &Command::new("true")).status();
    !mounts.is_ok_and(|it| it.success())
        && peers::skipped("this machine does not allow a small disk (unshare -rm, mount -t tmpfs)")
}
