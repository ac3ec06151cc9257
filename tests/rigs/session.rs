//! A Wayland session without a monitor, made of third-party programs: sway as the compositor,
//! PipeWire and WirePlumber, and xdg-desktop-portal with its backend for sway, on a private session
//! bus. Their files are in a temporary folder, which is removed with the session.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::peers::{LIMIT, Peer, wait_for};

/// Configuration of a bus that starts no services by itself: the test decides what runs in a
/// session.
const BUS: &str = r#"<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>session</type><listen>unix:path=PLACE</listen><auth>EXTERNAL</auth>
<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/>
<allow own="*"/></policy></busconfig>
"#;

/// A folder for sockets, and the bus.
pub struct Bus {
    folder: TempDir,
    _daemon: Peer,
}

impl Bus {
    pub fn start() -> Self {
        let folder = tempfile::Builder::new().prefix("onair-session").tempdir().unwrap();
        let place = folder.path().join("bus");
        let config = folder.path().join("bus.conf");
        fs::write(&config, BUS.replace("PLACE", &place.display().to_string())).unwrap();
        let mut command = Command::new("dbus-daemon");
        command.args(["--nofork", "--nopidfile", "--config-file"]).arg(&config);
        let mut daemon = Peer::start_command(&mut command);
        // The socket exists before the daemon listens.
        daemon.wait_until("a session bus", LIMIT, |_| UnixStream::connect(&place).is_ok());
        Self { folder, _daemon: daemon }
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Returns the address of the bus.
    pub fn address(&self) -> String {
        format!("unix:path={}", self.folder().join("bus").display())
    }

    /// Returns a command for a program in this session.
    pub fn command(&self, program: impl AsRef<Path>) -> Command {
        let folder = self.folder();
        let mut command = Command::new(program.as_ref());
        command
            .env("DBUS_SESSION_BUS_ADDRESS", self.address())
            .env("XDG_SESSION_TYPE", "wayland")
            .env("XDG_CURRENT_DESKTOP", "sway")
            .env_remove("DISPLAY")
            .env_remove("WAYLAND_DISPLAY");
        for name in ["HOME", "XDG_RUNTIME_DIR"] {
            command.env(name, folder);
        }
        for name in ["XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME"] {
            command.env(name, folder.join("home"));
        }
        command
    }

    /// Waits until a program owns this bus name.
    pub fn wait_name(&self, name: &str) {
        wait_for(name, LIMIT, || {
            let mut ask = self.command("dbus-send");
            ask.args(["--session", "--print-reply", "--dest=org.freedesktop.DBus", "/"]);
            ask.args(["org.freedesktop.DBus.NameHasOwner", &format!("string:{name}")]);
            let output = ask.output().unwrap().stdout;
            String::from_utf8_lossy(&output).contains("boolean true")
        });
    }
}

/// Programs that a session needs and that are not on the `PATH`.
pub const HELPERS: [&str; 3] = [
    "/usr/libexec/xdg-desktop-portal",
    "/usr/libexec/xdg-desktop-portal-wlr",
    "/usr/libexec/xdg-permission-store",
];

/// The file that tells the portal what sway's backend has.
const SWAY_BACKEND: &str = "/usr/share/xdg-desktop-portal/portals/wlr.portal";

/// A session: bus, compositor and helper programs.
pub struct Session {
    pub compositor: Peer,
    others: Vec<Peer>,
    pub bus: Bus,
    display: String,
}

fn is_root() -> bool {
    let output = Command::new("id").arg("-u").output().unwrap();
    output.stdout == b"0\n"
}

impl Session {
    /// Starts the bus and the compositor, with a display of this size and additional lines of
    /// configuration.
    pub fn bare(size: &str, lines: &str) -> Self {
        let bus = Bus::start();
        let folder = bus.folder().to_owned();
        let home = folder.join("home");
        fs::create_dir_all(home.join("sway")).unwrap();
        let config = format!("xwayland disable\noutput HEADLESS-1 mode {size}@60Hz\n{lines}\n");
        fs::write(home.join("sway/config"), config).unwrap();
        let mut compositor = if is_root() {
            // sway does not run as root.
            for open in [&folder, &home] {
                fs::set_permissions(open, fs::Permissions::from_mode(0o777)).unwrap();
            }
            let mut command = bus.command("setpriv");
            command.args(["--reuid", "65534", "--regid", "65534", "--clear-groups", "sway"]);
            command
        } else {
            bus.command("sway")
        };
        compositor
            .env("WLR_BACKENDS", "headless")
            .env("WLR_RENDERER", "pixman")
            .env("WLR_LIBINPUT_NO_DEVICES", "1");
        let mut compositor = Peer::start_command(&mut compositor);
        compositor.wait_until("a display", LIMIT, |_| named(&folder, "sway-ipc").is_some());
        let display = named(&folder, "wayland-").expect("a display");
        let display = display.file_name().unwrap().to_string_lossy().into_owned();
        Self { compositor, others: Vec::new(), bus, display }
    }

    /// Starts a complete session, with PipeWire and a portal.
    pub fn start(size: &str, lines: &str) -> Self {
        let mut session = Self::bare(size, lines);
        let folder = session.bus.folder().to_owned();
        let settings = folder.join("home/xdg-desktop-portal-wlr");
        fs::create_dir_all(&settings).unwrap();
        let screen = "[screencast]\nchooser_type=none\noutput_name=HEADLESS-1\nmax_fps=60\n";
        fs::write(settings.join("config"), screen).unwrap();
        session.add("pipewire");
        let socket = folder.join("pipewire-0");
        wait_for("PipeWire", LIMIT, || UnixStream::connect(&socket).is_ok());
        session.add("wireplumber");
        let [portal, backend, store] = HELPERS;
        session.add(store);
        session.add(backend);
        session.bus.wait_name("org.freedesktop.impl.portal.desktop.wlr");
        session.bus.wait_name("org.freedesktop.impl.portal.PermissionStore");
        // Otherwise, the portal would use backends of other desktops for what sway has not.
        let backends = folder.join("portals");
        fs::create_dir(&backends).unwrap();
        fs::copy(SWAY_BACKEND, backends.join("wlr.portal")).unwrap();
        let mut command = session.command(portal);
        let peer = Peer::start_command(command.env("XDG_DESKTOP_PORTAL_DIR", &backends));
        session.others.push(peer);
        session.bus.wait_name("org.freedesktop.portal.Desktop");
        session
    }

    /// Starts a program that runs until the session ends.
    pub fn add(&mut self, program: &str) {
        let peer = Peer::start_command(&mut self.command(program));
        self.others.push(peer);
    }

    /// Returns a command for a program in this session.
    pub fn command(&self, program: impl AsRef<Path>) -> Command {
        let mut command = self.bus.command(program);
        command.env("WAYLAND_DISPLAY", &self.display);
        if let Some(socket) = named(self.bus.folder(), "sway-ipc") {
            command.env("SWAYSOCK", socket);
        }
        command
    }

    /// Returns the standard error of all programs, for a test that fails.
    pub fn error_output(&self) -> String {
        let others = self.others.iter().map(Peer::errors).collect::<Vec<_>>();
        others.join("\n")
    }
}

/// Returns the socket whose name begins like this.
fn named(folder: &Path, begin: &str) -> Option<PathBuf> {
    let mut paths = fs::read_dir(folder).ok()?.flatten().map(|entry| entry.path());
    paths.find(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with(begin) && !name.ends_with(".lock")
    })
}
