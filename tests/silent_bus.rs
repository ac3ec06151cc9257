//! A session bus that hangs or ends, and one whose services hang: the window opens, goes on air and
//! ends, as it does where there is none.

use std::collections::HashMap;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use zbus::blocking::Connection;
use zbus::zvariant::{OwnedObjectPath, OwnedValue};

use crate::peers::desktop::Desktop;
use crate::peers::{self, LIMIT, Onair, Peer, wait_for};

/// All session bus services that onair calls.
const SERVICES: [&str; 7] = [
    "org.a11y.Bus",
    "org.freedesktop.Notifications",
    "org.freedesktop.ScreenSaver",
    "org.freedesktop.portal.Desktop",
    "org.freedesktop.secrets",
    "org.freedesktop.FileManager1",
    "org.kde.StatusNotifierWatcher",
];

/// The time within which the window must close, although no service answers. A call without an
/// own limit would wait for 25 seconds.
const ENDS_WITHIN: Duration = Duration::from_secs(20);

/// A bus socket that accepts connections (the kernel does that) and never answers.
fn silent_bus(folder: &Path) -> (UnixListener, String) {
    let socket = folder.join("bus");
    let bus = UnixListener::bind(&socket).unwrap();
    (bus, format!("unix:path={}", socket.display()))
}

/// A bus connection that owns the names of these services, and never answers a call.
fn mute_services(bus: &str) -> Connection {
    let mut builder = zbus::blocking::connection::Builder::address(bus).unwrap();
    for name in SERVICES {
        builder = builder.name(name).unwrap();
    }
    builder.build().unwrap()
}

/// The studio with a target that needs no key, and a disabled one whose key is in the keyring.
fn studio(desktop: &Desktop, home: &Path, bus: &str, server: &str) -> Peer {
    let settings = home.join("settings.toml");
    let text = format!(
        "version = 2\nvideo = \"test\"\naudio = \"tone\"\n\
         quality = {{ size = \"320x180\", fps = \"25\", video_bitrate = 500000 }}\n\
         window = {{ reduced_motion = true, recording_folder = {home:?} }}\n\
         targets = [\n  {{ enabled = false }},\n  {{ server = \"{server}/live/show\" }},\n  \
         {{ enabled = false, server = \"{server}/live\", remember_key = true, \
         key_name = \"kept\" }},\n]\n"
    );
    std::fs::write(&settings, text).unwrap();
    let mut command = desktop.onair(home);
    command.env("DBUS_SESSION_BUS_ADDRESS", bus);
    command.args(["--log", "info,onair::app=debug", "studio", "--settings"]);
    Peer::start_command(command.arg(settings))
}

/// The window opens, goes live by a key press, keeps drawing, and closes.
fn works_as_ever(desktop: &Desktop, bus: &str) {
    let _manager = desktop.manage();
    let mut serve = Onair::start(&["serve", "--rtmp", "127.0.0.1:0", "--http", "127.0.0.1:0"]);
    let server = serve.wait_named("ready")["rtmp"].as_str().unwrap().to_owned();
    let home = tempfile::tempdir().unwrap();
    let mut window = studio(desktop, home.path(), bus, &server);
    let id = desktop.shown(&mut window);
    desktop.output_of("xdotool", &["windowactivate", "--sync", &id]);
    // onair waits for the keyring, but not forever, and a notice tells the user.
    desktop.output_of("xdotool", &["key", "ctrl+l"]);
    serve.wait_named("publish");
    let is_reported = |it: &Peer| it.errors().contains("The keyring is not responding");
    window.wait_until("the notice", LIMIT, is_reported);
    // The window still draws: the Watch page with its video.
    let picture = || desktop.output_of("import", &["-window", &id, "-depth", "8", "rgb:-"]);
    desktop.output_of("xdotool", &["key", "ctrl+2"]);
    let before = picture();
    wait_for("a window that changes", LIMIT, || picture() != before);

    let asked = Instant::now();
    window.signal("TERM");
    assert_eq!(window.wait(LIMIT).code(), Some(0), "{}", window.errors());
    assert!(asked.elapsed() < ENDS_WITHIN, "{:?}: {}", asked.elapsed(), window.errors());
    assert_eq!(serve.wait_named("unpublish")["reason"], "unpublished");
}

#[test]
fn a_bus_that_never_answers_stops_nothing() {
    peers::require!("Xvfb", "dbus-daemon", "openbox", "xdotool", "xprop", "import");
    let desktop = Desktop::start();
    let folder = tempfile::tempdir().unwrap();
    let (_bus, address) = silent_bus(folder.path());
    works_as_ever(&desktop, &address);
}

#[test]
fn services_that_never_answer_stop_nothing() {
    peers::require!("Xvfb", "dbus-daemon", "openbox", "xdotool", "xprop", "import");
    let desktop = Desktop::start_bare();
    let _mute = mute_services(desktop.bus());
    works_as_ever(&desktop, desktop.bus());
}

/// A portal that notes that a file dialog was requested, and never answers the request.
struct MuteDialogs(Arc<AtomicBool>);

#[zbus::interface(name = "org.freedesktop.portal.FileChooser")]
impl MuteDialogs {
    #[zbus(property, name = "version")]
    fn version(&self) -> u32 {
        3
    }

    fn open_file(
        &self,
        _window: String,
        _title: String,
        _options: HashMap<String, OwnedValue>,
    ) -> OwnedObjectPath {
        self.0.store(true, Ordering::SeqCst);
        OwnedObjectPath::try_from("/org/freedesktop/portal/desktop/request/1").unwrap()
    }
}

/// The library of the dialog ends its process together with the bus.
#[test]
fn a_bus_that_ends_while_a_file_is_chosen_does_not_end_the_broadcast() {
    peers::require!("Xvfb", "dbus-daemon", "openbox", "xdotool", "xprop", "ps");
    let mut desktop = Desktop::start_bare();
    let asked = Arc::<AtomicBool>::default();
    let portal = zbus::blocking::connection::Builder::address(desktop.bus()).unwrap();
    let portal = portal.name("org.freedesktop.portal.Desktop").unwrap();
    let dialogs = MuteDialogs(Arc::clone(&asked));
    let portal = portal.serve_at("/org/freedesktop/portal/desktop", dialogs).unwrap();
    let _portal = portal.build().unwrap();
    let _manager = desktop.manage();
    let mut serve = Onair::start(&["serve", "--rtmp", "127.0.0.1:0", "--http", "127.0.0.1:0"]);
    let server = serve.wait_named("ready")["rtmp"].as_str().unwrap().to_owned();
    let home = tempfile::tempdir().unwrap();
    let mut window = studio(&desktop, home.path(), desktop.bus(), &server);
    let id = desktop.shown(&mut window);
    desktop.output_of("xdotool", &["windowactivate", "--sync", &id]);
    desktop.output_of("xdotool", &["key", "ctrl+l"]);
    serve.wait_named("publish");
    desktop.output_of("xdotool", &["key", "ctrl+o"]);
    wait_for("the dialog", LIMIT, || asked.load(Ordering::SeqCst));
    let dialogs = || {
        let parent = ["--ppid", &window.id().to_string(), "-o", "args="].map(str::to_owned);
        let output = std::process::Command::new("ps").args(parent).output().unwrap();
        String::from_utf8_lossy(&output.stdout).contains("file-dialog")
    };
    assert!(dialogs());
    desktop.end_bus();
    wait_for("the end of the dialog", LIMIT, || !dialogs());
    // The window still handles keys: Escape closes onair's own chooser.
    let is_saved = || {
        let files = std::fs::read_dir(home.path()).unwrap().map(|it| it.unwrap().path());
        files.into_iter().any(|path| path.extension().is_some_and(|it| it == "png"))
    };
    wait_for("a screenshot", LIMIT, || {
        desktop.output_of("xdotool", &["key", "Escape"]);
        desktop.output_of("xdotool", &["key", "ctrl+g"]);
        is_saved()
    });
    // The stream ends when the user wants it to.
    assert!(serve.events().iter().all(|event| event["event"] != "unpublish"));
    window.signal("TERM");
    assert_eq!(window.wait(LIMIT).code(), Some(0), "{}", window.errors());
    assert_eq!(serve.wait_named("unpublish")["reason"], "unpublished");
}
