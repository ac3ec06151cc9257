//! A desktop without a monitor: an X server in memory with a private session bus.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use super::{LIMIT, Peer, wait_for};

/// A bus that starts only the services in its folder, and therefore no keyring and no portal.
const BARE_BUS: &str = r#"<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>session</type><listen>unix:dir=FOLDER</listen><auth>EXTERNAL</auth>
<servicedir>FOLDER</servicedir><policy context="default"><allow send_destination="*" eavesdrop="true"/>
<allow eavesdrop="true"/><allow own="*"/></policy></busconfig>
"#;

/// A program that prints a line when it is ready; ends with the test.
pub struct Helper(Child, String);

impl Helper {
    pub fn start(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert!(!line.trim().is_empty(), "{command:?} has not started");
        Self(child, line.trim().to_owned())
    }
}

impl Drop for Helper {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Gives this bus a runtime folder of its own. The programs that it starts keep their settings in memory: in the
/// user's settings, the accessibility bus could not store that a screen reader is running, and would forget it.
fn lives_in(bus: &mut Command, folder: &Path) {
    bus.env("XDG_RUNTIME_DIR", folder).env("GSETTINGS_BACKEND", "memory");
}

/// A display and a session bus.
pub struct Desktop {
    display: Helper,
    bus: Helper,
    /// The runtime folder of the bus. The accessibility bus has its socket there, so two desktops
    /// must not share the folder.
    _folder: TempDir,
}

impl Desktop {
    pub fn start() -> Self {
        let mut xvfb = Command::new("Xvfb");
        // The display must stay when its last client leaves.
        xvfb.args(["-displayfd", "1", "-noreset", "-nolisten", "tcp"]);
        xvfb.args(["-screen", "0", "1280x720x24"]);
        let mut bus = Command::new("dbus-daemon");
        bus.args(["--session", "--nofork", "--nopidfile", "--print-address=1"]);
        let folder = tempfile::tempdir().unwrap();
        lives_in(&mut bus, folder.path());
        Self { display: Helper::start(&mut xvfb), bus: Helper::start(&mut bus), _folder: folder }
    }

    /// Starts a desktop whose bus starts only what screen readers need. Therefore, keys are saved
    /// in a file, and files are chosen in onair's own chooser.
    pub fn start_bare() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let service = "org.a11y.Bus.service";
        fs::copy(
            Path::new("/usr/share/dbus-1/services").join(service),
            folder.path().join(service),
        )
        .unwrap();
        let config = folder.path().join("bus.conf");
        let at = folder.path().display().to_string();
        fs::write(&config, BARE_BUS.replace("FOLDER", &at)).unwrap();
        let mut bus = Command::new("dbus-daemon");
        bus.args(["--nofork", "--nopidfile", "--print-address=1", "--config-file"]).arg(&config);
        lives_in(&mut bus, folder.path());
        let bus = Helper::start(&mut bus);
        Self { bus, _folder: folder, ..Self::start() }
    }

    /// The X server's process.
    pub fn display_id(&self) -> u32 {
        self.display.0.id()
    }

    /// Returns the name of the display.
    pub fn display(&self) -> String {
        format!(":{}", self.display.1)
    }

    /// Returns the address of the session bus.
    pub fn bus(&self) -> &str {
        &self.bus.1
    }

    /// Ends the session bus.
    pub fn end_bus(&mut self) {
        self.bus.0.kill().unwrap();
        self.bus.0.wait().unwrap();
    }

    /// Returns a command for a program on this desktop.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.env("DBUS_SESSION_BUS_ADDRESS", &self.bus.1);
        command.env("DISPLAY", self.display()).env_remove("WAYLAND_DISPLAY");
        command
    }

    /// Runs a program on this desktop, and returns its output.
    pub fn output_of(&self, program: &str, arguments: &[&str]) -> String {
        let output = self.command(program).args(arguments).output().unwrap();
        let text = [output.stdout, output.stderr].concat();
        String::from_utf8_lossy(&text).trim().to_owned()
    }

    /// Starts a third-party window manager, and waits until it manages windows.
    pub fn manage(&self) -> Peer {
        let manager = Peer::start_command(self.command("openbox").arg("--sm-disable"));
        let supported = || self.output_of("xprop", &["-root", "_NET_SUPPORTING_WM_CHECK"]);
        wait_for("the window manager", LIMIT, || supported().contains("window id"));
        manager
    }

    /// Returns the windows that the window manager manages, oldest first, as `0x…`.
    pub fn windows(&self) -> Vec<String> {
        let text = self.output_of("xprop", &["-root", "_NET_CLIENT_LIST"]);
        let (_, list) = text.split_once('#').unwrap_or_default();
        list.split(',').map(|id| id.trim().to_owned()).filter(|id| !id.is_empty()).collect()
    }

    /// Returns a command for onair on this desktop, with separate settings and logs below `home`.
    pub fn onair(&self, home: &Path) -> Command {
        let mut command = self.command(env!("CARGO_BIN_EXE_onair"));
        let folders = ["HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME"];
        command.envs(folders.map(|name| (name, home))).env("LIBGL_ALWAYS_SOFTWARE", "1");
        command
    }

    /// Returns the desktop without its bus. A keyring on the bus could ask for a password that
    /// nobody types.
    pub fn without_bus(mut self) -> Self {
        self.bus.1 = "unix:path=/nowhere".into();
        self
    }

    /// Starts the studio with these settings, which are stored in `home`, and with this log level.
    pub fn studio(&self, home: &Path, settings: &str, log: &str) -> Peer {
        let path = home.join("settings.toml");
        fs::write(&path, settings).unwrap();
        let arguments = ["--log", log, "studio", "--settings"];
        Peer::start_command(self.onair(home).args(arguments).arg(path))
    }

    /// Waits until the studio's window is drawn and managed, and returns its id.
    pub fn shown(&self, studio: &mut Peer) -> String {
        studio.wait_until("a first frame", LIMIT * 2, |studio| {
            studio.errors().contains("the window shows its first frame")
        });
        wait_for("the window", LIMIT, || !self.windows().is_empty());
        self.windows().pop().unwrap()
    }

    /// Plays a file in a window.
    pub fn play(&self, file: &Path, home: &Path) -> Peer {
        Peer::start_command(self.onair(home).arg("play").arg(file).arg("--mute"))
    }

    /// Opens a window of a third-party program, which takes the keyboard focus.
    pub fn play_test_picture(&self) -> Peer {
        let mut ffplay = self.command("ffplay");
        ffplay.args(["-v", "error", "-f", "lavfi", "-i", "testsrc=s=320x180:r=5"]);
        Peer::start_command(&mut ffplay)
    }
}
