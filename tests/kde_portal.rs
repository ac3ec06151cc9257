//! Tests of hotkeys and push-to-talk with the programs of KDE Plasma 5: the backend of its portal,
//! and its service for keys (`kglobalaccel5`). onair's window is in sway. KDE's programs hear the
//! keys of an X server without a monitor, so onair's window never has the keyboard.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::thread::sleep;
use std::time::Duration;

use crate::peers::desktop::Desktop;
use crate::peers::{self, LIMIT, Peer, wait_for};
use crate::session::{HELPERS, Session};
use crate::talk_portal::Studio;
use zbus::Message;
use zbus::zvariant::{DynamicType, OwnedObjectPath};

const KEY_SERVICE: &str = "org.kde.kglobalaccel";
/// The file that tells the bus where KDE's backend is; the place depends on the distribution.
const BACKEND: &str = "/usr/share/dbus-1/services/org.freedesktop.impl.portal.desktop.kde.service";

/// Keys in Qt's numbers.
const CTRL_ALT: i32 = 0x0c00_0000;
const F8: i32 = 0x0100_0037;
const F9: i32 = F8 + 1;

struct Kde {
    /// The programs, in the order of [`Kde::run`].
    running: Vec<Peer>,
    bus: zbus::blocking::Connection,
    desktop: Desktop,
    session: Session,
}

impl Kde {
    fn start() -> Self {
        let session = Session::bare("1280x720", "");
        let address = session.bus.address();
        let bus = zbus::blocking::connection::Builder::address(&*address).unwrap().build().unwrap();
        // KDE opens a page of its settings, and this program notes which.
        let opener = session.bus.folder().join("xdg-open");
        let opened = session.bus.folder().join("opened");
        fs::write(&opener, format!("#!/bin/sh\necho \"$1\" >>{}\n", opened.display())).unwrap();
        fs::set_permissions(&opener, fs::Permissions::from_mode(0o755)).unwrap();
        let mut kde = Self { running: Vec::new(), bus, desktop: Desktop::start(), session };
        for at in 0..3 {
            let peer = kde.run(at);
            kde.running.push(peer);
        }
        kde
    }

    fn run(&self, at: usize) -> Peer {
        let backend = fs::read_to_string(BACKEND).unwrap();
        let backend = backend.lines().find_map(|line| line.strip_prefix("Exec=")).unwrap();
        let programs = [
            ("kglobalaccel5", KEY_SERVICE),
            (backend, "org.freedesktop.impl.portal.desktop.kde"),
            (HELPERS[0], "org.freedesktop.portal.Desktop"),
        ];
        let (program, name) = programs[at];
        let path = std::env::var("PATH").unwrap();
        let mut command = self.session.bus.command(program);
        command
            .env("PATH", format!("{}:{path}", self.session.bus.folder().display()))
            .env("DISPLAY", self.desktop.display())
            .env("QT_QPA_PLATFORM", "xcb")
            .env("XDG_SESSION_TYPE", "x11")
            .env("XDG_CURRENT_DESKTOP", "KDE");
        let peer = Peer::start_command(&mut command);
        self.session.bus.wait_name(name);
        peer
    }

    fn studio(&self) -> Studio {
        let videos = self.session.bus.folder().join("videos");
        fs::create_dir_all(&videos).unwrap();
        let window = format!(
            "push_to_talk_key = \"F8\", push_to_talk_everywhere = true, recording_folder = {videos:?}"
        );
        let hotkeys = "hotkeys = { other_windows = [\"screenshot\", \"mute\"], \
                       keys = { screenshot = \"Ctrl+Alt+G\" } }";
        Studio::start_all(&self.session, &window, hotkeys)
    }

    fn xdotool(&self, what: &str, key: &str) {
        assert_eq!(self.desktop.output_of("xdotool", &[what, key]), "");
    }

    /// Taps the push-to-talk key until onair hears it. A restarted service needs some time until it
    /// hears keys.
    fn tap(&self, studio: &Studio, key: &str) {
        let (before, _) = studio.counts();
        wait_for("the push-to-talk key", LIMIT, || {
            self.xdotool("key", key);
            sleep(Duration::from_millis(300));
            studio.counts().0 > before && !is_held(studio)
        });
    }

    fn ask<B>(&self, path: &str, interface: &str, method: &str, body: &B) -> Message
    where
        B: serde::Serialize + DynamicType,
    {
        self.bus.call_method(Some(KEY_SERVICE), path, Some(interface), method, body).unwrap()
    }

    /// Returns the id, description and keys of all shortcuts that KDE knows. All must be of onair.
    fn listed(&self) -> Vec<(String, String, Vec<i32>)> {
        type Info = (String, String, String, String, String, String, Vec<i32>, Vec<i32>);
        let reply = self.ask("/kglobalaccel", "org.kde.KGlobalAccel", "allComponents", &());
        let components: Vec<OwnedObjectPath> = reply.body().deserialize().unwrap();
        let components: Vec<&str> = components.iter().map(|path| path.as_str()).collect();
        assert_eq!(components, ["/component/onair"]);
        let interface = "org.kde.kglobalaccel.Component";
        let reply = self.ask(components[0], interface, "allShortcutInfos", &());
        let infos: Vec<Info> = reply.body().deserialize().unwrap();
        let mut listed: Vec<_> =
            infos.into_iter().map(|(id, words, .., keys, _)| (id, words, keys)).collect();
        listed.sort();
        listed
    }
}

fn is_held(studio: &Studio) -> bool {
    let (presses, ends) = studio.counts();
    presses != ends
}

fn wait_held(studio: &Studio, held: bool) {
    wait_for(if held { "the key" } else { "its end" }, LIMIT, || is_held(studio) == held);
}

fn presses(studio: &Studio, action: &str) -> usize {
    studio.window.errors().matches(&format!("global hotkey pressed: {action}")).count()
}

fn peers_are_missing() -> bool {
    let session = ["sway", "dbus-daemon", "dbus-send", "setpriv", "Xvfb", "xdotool"];
    peers::missing(&session) || peers::missing(&["kglobalaccel5", BACKEND, HELPERS[0]])
}

#[test]
fn kde_has_all_keys_in_one_session_and_keeps_what_the_user_changes() {
    peers::in_real_time!(kde_has_all_keys_in_one_session_and_keeps_what_the_user_changes);
    if peers_are_missing() {
        return;
    }
    let kde = Kde::start();
    let folder = kde.session.bus.folder();
    let mut studio = kde.studio();
    studio.knows("Given(\"F8\")");
    let shortcut = |id: &str, words: &str, key| (id.to_owned(), words.to_owned(), vec![key]);
    let mute = shortcut("mute", "Mute or unmute audio", CTRL_ALT + i32::from(b'M'));
    let words = "Take a screenshot of the program";
    let screenshot = shortcut("screenshot", words, CTRL_ALT + i32::from(b'G'));
    let words = "Push-to-talk key: hold it to unmute or mute the microphone";
    assert_eq!(kde.listed(), [mute.clone(), screenshot.clone(), shortcut("talk", words, F8)]);
    kde.tap(&studio, "F8");
    kde.xdotool("key", "ctrl+alt+m");
    wait_for("mute", LIMIT, || presses(&studio, "mute") == 1);
    // KDE repeats the report while a key is held. That is one press.
    kde.xdotool("keydown", "ctrl+alt+g");
    sleep(Duration::from_secs(2));
    kde.xdotool("keyup", "ctrl+alt+g");
    let videos = || fs::read_dir(folder.join("videos")).unwrap().count();
    wait_for("a screenshot", LIMIT, || videos() == 1);
    kde.xdotool("keydown", "F8");
    wait_held(&studio, true);
    sleep(Duration::from_secs(2));
    assert!(is_held(&studio));
    kde.xdotool("keyup", "F8");
    wait_held(&studio, false);
    assert_eq!(presses(&studio, "screenshot"), 1);
    // The user chooses another key in KDE's settings.
    let id = ["onair", "talk", "onair", words];
    kde.ask("/kglobalaccel", "org.kde.KGlobalAccel", "setForeignShortcut", &(&id[..], &[F9][..]));
    studio.knows("Given(\"F9\")");
    kde.tap(&studio, "F9");
    studio.ends();
    // At the next start, KDE still has this key, and no other entry for onair.
    let mut studio = kde.studio();
    studio.knows("Given(\"F9\")");
    assert_eq!(kde.listed(), [mute, screenshot, shortcut("talk", words, F9)]);
    kde.tap(&studio, "F9");
    kde.xdotool("key", "ctrl+alt+g");
    wait_for("a second screenshot", LIMIT, || videos() == 2);
    studio.ends();
    assert!(!folder.join("opened").exists(), "KDE has opened its settings");
}

#[test]
fn no_key_stays_held_when_a_program_of_kde_ends() {
    if peers_are_missing() {
        return;
    }
    let mut kde = Kde::start();
    let mut studio = kde.studio();
    studio.knows("Given(\"F8\")");
    let news = ["kglobalaccel has stopped", "key: Gone", "key: Gone"];
    for (at, known) in news.into_iter().enumerate() {
        kde.tap(&studio, "F8");
        kde.xdotool("keydown", "F8");
        wait_held(&studio, true);
        kde.running[at].kill();
        wait_held(&studio, false);
        sleep(Duration::from_millis(300));
        assert!(!is_held(&studio), "the key is held again after the end of {known}");
        kde.xdotool("keyup", "F8");
        wait_for(known, LIMIT, || studio.window.errors().matches(known).count() == at.max(1));
        kde.running[at] = kde.run(at);
    }
    kde.tap(&studio, "F8");
    studio.ends();
}
