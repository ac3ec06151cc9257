//! Tests of push-to-talk and hotkeys behind other windows in a Wayland session (sway without a
//! monitor). The tests implement the portal for global shortcuts. It grants the key, refuses,
//! answers nonsense, ends and returns, and the real window reacts. The key must never stay pressed,
//! and onair must not ask the user repeatedly. The file is long because it tests each answer of the
//! portal.

use std::collections::HashMap;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use crate::peers::{self, LIMIT, Peer, wait_for};
use crate::portal::{self, Options, PATH, Request, appear};
use crate::session::{HELPERS, Session};
use onair::studio::Settings;
use parking_lot::Mutex;
use zbus::zvariant::{OwnedObjectPath, OwnedValue, Value};

const SHORTCUTS: &str = "org.freedesktop.portal.GlobalShortcuts";

/// How the portal answers a request for a shortcut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    /// It grants a key with this description.
    Give(&'static str),
    /// The user declines.
    Refuse,
    /// The dialog stays open.
    Wait,
    /// The dialog closes without an answer.
    Nothing,
    /// It accepts, with an answer that makes no sense.
    Nonsense,
    /// It does not know the application.
    Stranger,
}

/// The requests, in order.
type Asked = Arc<Mutex<Vec<String>>>;

struct Shortcuts {
    answer: Answer,
    asked: Asked,
    session: Arc<Mutex<Option<(String, OwnedObjectPath)>>>,
    /// The shortcuts named when the session was created: Plasma 5 grants no others.
    early: Mutex<String>,
    closed: Arc<AtomicU32>,
    dialogs_closed: Arc<AtomicU32>,
}

struct Registry(Asked);

#[zbus::interface(name = "org.freedesktop.host.portal.Registry")]
impl Registry {
    fn register(&self, program: &str, _options: Options) {
        self.0.lock().push(format!("register {program}"));
    }
}

#[derive(Debug, zbus::DBusError)]
#[zbus(prefix = "org.freedesktop.portal.Error")]
enum Error {
    #[zbus(error)]
    Bus(zbus::Error),
    NotAllowed(String),
}

#[zbus::interface(name = "org.freedesktop.portal.GlobalShortcuts")]
impl Shortcuts {
    #[zbus(property, name = "version")]
    fn version(&self) -> u32 {
        1
    }

    async fn create_session(
        &self,
        options: Options,
        #[zbus(header)] header: zbus::message::Header<'_>,
        #[zbus(connection)] connection: &zbus::Connection,
        #[zbus(object_server)] server: &zbus::ObjectServer,
    ) -> Result<OwnedObjectPath, Error> {
        self.asked.lock().push("session".to_owned());
        *self.early.lock() = format!("{:?}", options.get("shortcuts"));
        if self.answer == Answer::Stranger {
            return Err(Error::NotAllowed("An app id is required".to_owned()));
        }
        let request = Request::new(&header, &options, connection);
        let path = request.begin(server, &self.closed).await;
        *self.session.lock() = Some((request.sender.clone(), path.clone()));
        Ok(request.began(&path).await)
    }

    async fn bind_shortcuts(
        &self,
        session: OwnedObjectPath,
        shortcuts: Vec<(String, HashMap<String, OwnedValue>)>,
        _parent: String,
        options: Options,
        #[zbus(header)] header: zbus::message::Header<'_>,
        #[zbus(connection)] connection: &zbus::Connection,
    ) -> OwnedObjectPath {
        let request = Request::new(&header, &options, connection);
        assert_eq!(*self.session.lock(), Some((request.sender.clone(), session)));
        for (id, shortcut) in &shortcuts {
            let word = |name: &str| shortcut[name].downcast_ref::<&str>().unwrap().to_owned();
            let talk = word("description").starts_with("Push-to-talk key");
            assert_eq!(talk, id == "talk", "{shortcut:?}");
            let early = self.early.lock().clone();
            for word in [&**id, &word("description"), &word("preferred_trigger")] {
                assert!(early.contains(&format!("{word:?}")), "{word} is not in {early}");
            }
            self.asked.lock().push(format!("bind {id} {}", word("preferred_trigger")));
        }
        let ids: Vec<&str> = shortcuts.iter().map(|(id, _)| &**id).collect();
        let yes = |shortcuts| portal::Answer::Yes(HashMap::from([("shortcuts", shortcuts)]));
        let answer = match self.answer {
            Answer::Give(words) => yes(Value::from(all_given(&ids, words))),
            Answer::Refuse => portal::Answer::No,
            Answer::Nothing => portal::Answer::Nothing,
            Answer::Nonsense => yes(Value::from("seven")),
            Answer::Wait | Answer::Stranger => {
                request.stays(connection.object_server(), &self.dialogs_closed).await;
                portal::Answer::Wait
            }
        };
        request.answer(answer).await
    }
}

/// The push-to-talk shortcut, with this trigger description.
fn given(words: &str) -> Vec<(String, HashMap<String, Value<'static>>)> {
    all_given(&["talk"], words)
}

/// Several shortcuts with this description.
fn all_given(ids: &[&str], words: &str) -> Vec<(String, HashMap<String, Value<'static>>)> {
    let words = || ("trigger_description".to_owned(), Value::from(words.to_owned()));
    ids.iter().map(|id| ((*id).to_owned(), HashMap::from([words()]))).collect()
}

/// A portal that grants keys, until it is dropped.
struct Portal {
    connection: zbus::blocking::Connection,
    asked: Asked,
    session: Arc<Mutex<Option<(String, OwnedObjectPath)>>>,
    closed: Arc<AtomicU32>,
    dialogs_closed: Arc<AtomicU32>,
}

impl Portal {
    fn start(session: &Session, answer: Answer) -> Self {
        let (asked, its, closed): (Asked, Arc<Mutex<_>>, Arc<AtomicU32>) = Default::default();
        let dialogs_closed = Arc::<AtomicU32>::default();
        let shortcuts = Shortcuts {
            answer,
            asked: Arc::clone(&asked),
            session: Arc::clone(&its),
            early: Mutex::default(),
            closed: Arc::clone(&closed),
            dialogs_closed: Arc::clone(&dialogs_closed),
        };
        let bus = session.bus.address();
        let builder = zbus::blocking::connection::Builder::address(&*bus).unwrap();
        let builder = builder.serve_at(PATH, shortcuts).unwrap();
        let builder = builder.serve_at(PATH, Registry(Arc::clone(&asked))).unwrap();
        Self { connection: appear(builder), asked, session: its, closed, dialogs_closed }
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().clone()
    }

    /// Sends a signal to the owner of the session.
    fn say<B>(&self, member: &str, path: &str, interface: &str, body: &B)
    where
        B: serde::Serialize + zbus::zvariant::DynamicType,
    {
        let to = self.session.lock().as_ref().map(|(sender, _)| sender.clone()).unwrap();
        self.connection.emit_signal(Some(&*to), path, interface, member, body).unwrap();
    }

    fn path(&self) -> OwnedObjectPath {
        self.session.lock().as_ref().map(|(_, path)| path.clone()).unwrap()
    }

    /// Sends `Activated` or `Deactivated` for this shortcut of this session.
    fn key(&self, member: &str, session: &OwnedObjectPath, id: &str) {
        let none: HashMap<&str, Value<'_>> = HashMap::new();
        self.say(member, PATH, SHORTCUTS, &(session, id, 7_u64, none));
    }

    fn press(&self) {
        self.key("Activated", &self.path(), "talk");
    }

    fn let_go(&self) {
        self.key("Deactivated", &self.path(), "talk");
    }
}

/// The studio's window, with a strip on push-to-talk.
pub struct Studio {
    pub window: Peer,
    settings: PathBuf,
}

impl Studio {
    fn start(session: &Session) -> Self {
        Self::start_with(session, "push_to_talk_key = \"F8\", push_to_talk_everywhere = true")
    }

    fn start_with(session: &Session, window: &str) -> Self {
        Self::start_all(session, window, "")
    }

    pub fn start_all(session: &Session, window: &str, hotkeys: &str) -> Self {
        let settings = session.bus.folder().join("settings.toml");
        let text = format!(
            "version = 2\nvideo = \"test\"\naudio = \"tone\"\n\
             quality = {{ size = \"320x180\", fps = \"25\", video_bitrate = 500000 }}\n\
             window = {{ language = \"en\", reduced_motion = true, {window} }}\n{hotkeys}\n\
             [[strips]]\ntalk = \"push-to-talk\"\n"
        );
        fs::write(&settings, text).unwrap();
        let log = "info,onair::app=debug,onair::studio::engine=debug";
        let mut command = session.command(env!("CARGO_BIN_EXE_onair"));
        command.env("LIBGL_ALWAYS_SOFTWARE", "1");
        command.args(["--log", log, "studio", "--settings"]).arg(&settings);
        let mut window = Peer::start_command(&mut command);
        window.wait_until("a first frame", LIMIT * 2, |window| {
            window.errors().contains("the window shows its first frame")
        });
        Self { window, settings }
    }

    /// How often the studio has logged that the key is held, and that it is released.
    pub fn counts(&self) -> (usize, usize) {
        counts_of(&self.window)
    }

    /// Waits until the studio has logged this many presses and releases.
    fn wait_counts(&mut self, what: &str, presses: usize, ends: usize) {
        self.window.wait_until(what, LIMIT, |window| counts_of(window) == (presses, ends));
    }

    /// Whether the studio records, as it has logged last.
    fn is_recording(&self) -> bool {
        let log = self.window.errors();
        log.rsplit("activity=\"").next().is_some_and(|last| last.starts_with("recording\""))
    }

    /// Waits until the window has received this answer from the desktop.
    pub fn knows(&mut self, reply: &str) {
        let words = format!("answer of the desktop to the request for a push-to-talk key: {reply}");
        self.window.wait_until(reply, LIMIT, |window| window.errors().contains(&words));
    }

    /// Asserts that the window closes normally, and in time.
    pub fn ends(mut self) {
        self.window.signal("TERM");
        let status = self.window.wait(LIMIT);
        assert_eq!(status.code(), Some(0), "{}", self.window.errors());
    }
}

/// How often the log says that the key is held, and that it is released.
fn counts_of(window: &Peer) -> (usize, usize) {
    let log = window.errors();
    let count = |what: &str| log.matches(&format!("the push-to-talk key is {what}")).count();
    (count("held"), count("let go"))
}

fn peers_are_missing() -> bool {
    peers::missing(&["sway", "swaymsg", "dbus-daemon", "setpriv"])
}

#[test]
fn the_desktops_key_opens_the_strip_and_never_stays_held() {
    if peers_are_missing() {
        return;
    }
    let session = Session::bare("1280x720", "");
    let portal = Portal::start(&session, Answer::Give("Press F8"));
    let mut studio = Studio::start(&session);
    studio.knows("Given(\"Press F8\")");
    // onair registers its name before it asks for anything.
    assert_eq!(portal.asked(), ["register onair", "session", "bind talk F8"]);
    portal.press();
    studio.wait_counts("the key", 1, 0);
    // The signal repeats while the key is held.
    portal.press();
    portal.let_go();
    studio.wait_counts("the key's end", 1, 1);
    // Keys of other sessions, other keys, and invalid signals.
    let another = OwnedObjectPath::try_from(format!("{PATH}/session/1_1/other")).unwrap();
    portal.key("Activated", &another, "talk");
    portal.key("Activated", &portal.path(), "mute");
    portal.say("Activated", PATH, SHORTCUTS, &("talk", 7));
    portal.say("Nothing", PATH, SHORTCUTS, &());
    portal.say("ShortcutsChanged", PATH, SHORTCUTS, &(1, 2));
    portal.press();
    portal.key("Deactivated", &another, "talk");
    portal.key("Deactivated", &portal.path(), "mute");
    studio.wait_counts("the key among nonsense", 2, 1);
    // It is unclear which key was released: to be safe, the microphone closes.
    portal.say("Deactivated", PATH, SHORTCUTS, &("talk", 7));
    studio.wait_counts("an end that cannot be understood", 2, 2);
    // A hidden window gets no frames, but still reacts to the key.
    let mut away = session.command("swaymsg");
    assert!(away.args(["workspace", "2"]).status().unwrap().success());
    for turn in 0..3 {
        portal.press();
        studio.wait_counts("the key of a window that is not seen", 3 + turn, 2 + turn);
        portal.let_go();
        studio.wait_counts("its end", 3 + turn, 3 + turn);
    }
    // The key changes while it is held: it counts as released.
    portal.press();
    studio.wait_counts("the old key", 6, 5);
    portal.say("ShortcutsChanged", PATH, SHORTCUTS, &(portal.path(), given("Press Home")));
    studio.wait_counts("another key", 6, 6);
    studio.knows("Given(\"Press Home\")");
    // The desktop ends the session while the key is held.
    portal.press();
    studio.wait_counts("the new key", 7, 6);
    let details: HashMap<&str, Value<'_>> = HashMap::new();
    let path = portal.path();
    portal.say("Closed", path.as_str(), "org.freedesktop.portal.Session", &(details,));
    studio.wait_counts("the end of the session", 7, 7);
    studio.knows("Ended");
    portal.press();
    drop(portal);
    // A new portal gets no request without the user's consent.
    let portal = Portal::start(&session, Answer::Give("Press F8"));
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(portal.asked(), [""; 0]);
    assert_eq!(studio.counts(), (7, 7));
    studio.ends();
}

/// Hotkeys that work in other windows, and two scenes.
const MORE: &str = r##"recording = { replay_seconds = 30 }
[hotkeys]
other_windows = ["go-live", "record", "save-replay", "mute", "scene-2", "settings", "scene:Main", "mute:Gone"]
[hotkeys.keys]
"scene:Main" = "Ctrl+Alt+1"
[collection]
current = "Main"
[[collection.sources]]
name = "Blue"
source = "color:#1e2430"
[[collection.scenes]]
name = "Main"
[[collection.scenes.items]]
main = true
[[collection.scenes]]
name = "Break"
[[collection.scenes.items]]
source = "Blue"
"##;

#[test]
fn hotkeys_and_the_push_to_talk_key_share_a_session_and_act_in_a_hidden_window() {
    if peers_are_missing() {
        return;
    }
    let session = Session::bare("1280x720", "");
    let portal = Portal::start(&session, Answer::Give("Press it"));
    let folder = session.bus.folder().join("videos");
    fs::create_dir(&folder).unwrap();
    let window = format!(
        "push_to_talk_key = \"F8\", push_to_talk_everywhere = true, recording_folder = {folder:?}"
    );
    let mut studio = Studio::start_all(&session, &window, MORE);
    studio.knows("Given(\"Press it\")");
    // A key that types text is requested with Ctrl and Alt. An action that needs the window is not
    // requested, nor is the key of a strip that does not exist.
    let bound = [
        "bind talk F8",
        "bind go-live CTRL+l",
        "bind record CTRL+r",
        "bind save-replay CTRL+s",
        "bind mute CTRL+ALT+m",
        "bind scene-2 ALT+2",
        "bind scene:Main CTRL+ALT+1",
    ];
    // If the microphone becomes known only after the window opens, onair asks again for all keys in
    // one session.
    let asked = portal.asked();
    let begin = asked.iter().rposition(|it| it == "register onair").unwrap();
    assert_eq!(asked[begin..], [&["register onair", "session"], &bound[..]].concat()[..]);
    let mut away = session.command("swaymsg");
    assert!(away.args(["workspace", "2"]).status().unwrap().success());
    let files = || fs::read_dir(&folder).unwrap().count();
    let press = || portal.key("Activated", &portal.path(), "record");
    let let_go = || portal.key("Deactivated", &portal.path(), "record");
    // While the key is held, the signal repeats: that counts as one press.
    for _ in 0..6 {
        press();
    }
    let_go();
    portal.press();
    studio.wait_counts("the talk key of the same session", 1, 0);
    portal.let_go();
    studio.wait_counts("its end", 1, 1);
    let presses = studio.window.errors().matches("global hotkey pressed: record").count();
    assert_eq!(presses, 1, "{}", studio.window.errors());
    // The recording ends, and a second one begins. What a press does depends on the studio's state.
    let has_media = || {
        let mut files = fs::read_dir(&folder).unwrap().map(|it| it.unwrap());
        files.any(|file| file.metadata().is_ok_and(|it| it.len() > 10_000))
    };
    wait_for("a recording with media", LIMIT, || has_media() && studio.is_recording());
    press();
    let_go();
    wait_for("its end", LIMIT, || !studio.is_recording());
    press();
    let_go();
    wait_for("a second recording", LIMIT, || files() == 2 && studio.is_recording());
    press();
    let_go();
    let tap = |id: &str| {
        for member in ["Activated", "Deactivated"] {
            portal.key(member, &portal.path(), id);
        }
    };
    tap("scene-2");
    let scene = || Settings::read(&studio.settings).0.collection;
    wait_for("the second scene", LIMIT, || {
        scene().current().is_some_and(|scene| scene.name == "Break")
    });
    tap("scene:Main");
    wait_for("the scene by its name", LIMIT, || {
        scene().current().is_some_and(|scene| scene.name == "Main")
    });
    // A second press would stop the broadcast.
    tap("go-live");
    wait_for("the broadcast", LIMIT, || studio.window.errors().contains("activity=\"on_air\""));
    let replays = || {
        let files = fs::read_dir(&folder).unwrap().map(|it| it.unwrap().file_name());
        files.filter(|name| name.to_string_lossy().contains("replay")).count()
    };
    wait_for("a replay", LIMIT, || {
        if replays() == 0 {
            tap("save-replay");
        }
        replays() > 0
    });
    studio.ends();
}

/// A hidden window gets no frames, and no release event for its key.
#[test]
fn the_windows_own_key_is_let_go_when_nobody_sees_the_window() {
    peers::in_real_time!(the_windows_own_key_is_let_go_when_nobody_sees_the_window);
    if peers_are_missing() || peers::missing(&["wtype"]) {
        return;
    }
    let session = Session::bare("1280x720", "");
    let mut studio = Studio::start_with(&session, "push_to_talk_key = \"F8\"");
    // One keyboard that stays, so that the window has the focus, and another one that holds the
    // key.
    let stays = ["-s", "600000"];
    let _keyboard = Peer::start_command(session.command("wtype").args(stays));
    let mut holds = None;
    wait_for("the key", LIMIT, || {
        let begin = Instant::now();
        let (before, _) = studio.counts();
        drop(holds.take());
        let held = ["-s", "500", "-P", "F8"];
        holds = Some(Peer::start_command(session.command("wtype").args(held).args(stays)));
        while studio.counts().0 == before && begin.elapsed() < LIMIT / 4 {
            std::thread::sleep(Duration::from_millis(10));
        }
        studio.counts().0 > before
    });
    let (presses, ends) = studio.counts();
    assert_eq!(presses, ends + 1);
    // Longer than onair trusts a window that sends no events.
    std::thread::sleep(Duration::from_secs(3));
    assert_eq!(studio.counts(), (presses, ends), "it is held as long as it is");
    let mut away = session.command("swaymsg");
    assert!(away.args(["workspace", "2"]).status().unwrap().success());
    studio.wait_counts("the end of what nobody sees", presses, presses);
    studio.ends();
}

#[test]
fn a_portal_that_ends_lets_go_of_the_key_and_is_asked_when_it_is_back() {
    if peers_are_missing() {
        return;
    }
    let session = Session::bare("1280x720", "");
    // At first there is no portal.
    let mut studio = Studio::start(&session);
    studio.knows("Missing");
    for turn in 0..3 {
        let portal = Portal::start(&session, Answer::Give(["one", "two", "three"][turn]));
        studio.knows(["Given(\"one\")", "Given(\"two\")", "Given(\"three\")"][turn]);
        assert_eq!(portal.asked(), ["register onair", "session", "bind talk F8"]);
        portal.press();
        studio.wait_counts("the key", turn + 1, turn);
        drop(portal);
        studio.wait_counts("the portal's end", turn + 1, turn + 1);
    }
    studio.knows("Gone");
    // If a portal keeps ending, onair stops asking.
    for _ in 0..2 {
        let before = studio.window.errors().matches("Given(\"again\")").count();
        let portal = Portal::start(&session, Answer::Give("again"));
        wait_for("a key again", LIMIT, || {
            studio.window.errors().matches("Given(\"again\")").count() > before
        });
        drop(portal);
    }
    let portal = Portal::start(&session, Answer::Give("again"));
    studio.knows("Ended");
    assert_eq!(portal.asked(), [""; 0]);
    studio.ends();
}

#[test]
fn who_refuses_is_not_asked_again() {
    if peers_are_missing() {
        return;
    }
    let session = Session::bare("1280x720", "");
    let portal = Portal::start(&session, Answer::Refuse);
    let mut studio = Studio::start(&session);
    studio.knows("Refused");
    // The setting is now off, also for the next start.
    let kept = studio.settings.clone();
    wait_for("the settings to be kept", LIMIT, || {
        fs::read_to_string(&kept).unwrap().contains("push_to_talk_everywhere = false")
    });
    assert_eq!(portal.asked().len(), 3);
    wait_for("the session's end", LIMIT, || portal.closed.load(Ordering::SeqCst) == 1);
    drop(portal);
    let portal = Portal::start(&session, Answer::Give("Press F8"));
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(portal.asked(), [""; 0]);
    studio.ends();
}

#[test]
fn an_answer_that_is_none_is_not_asked_for_again() {
    if peers_are_missing() {
        return;
    }
    for (answer, reply) in [
        (Answer::Nothing, "Unanswered"),
        (Answer::Nonsense, "Given(\"\")"),
        (Answer::Stranger, "Unknown"),
        (Answer::Wait, "Waits"),
    ] {
        let session = Session::bare("1280x720", "");
        let portal = Portal::start(&session, answer);
        let mut studio = Studio::start(&session);
        studio.knows(reply);
        if answer == Answer::Nonsense {
            // There is a session nevertheless, in which the user can choose the key later.
            portal.press();
            studio.wait_counts("the key", 1, 0);
        }
        let asked = portal.asked().len();
        if answer == Answer::Wait {
            // The window closes in time while the dialog is open.
            studio.ends();
            continue;
        }
        std::thread::sleep(Duration::from_millis(500));
        assert_eq!(portal.asked().len(), asked, "{answer:?}");
        studio.ends();
    }
}

#[test]
fn a_dialog_about_keys_that_are_gone_is_closed() {
    if peers_are_missing() {
        return;
    }
    let session = Session::bare("1280x720", "");
    let portal = Portal::start(&session, Answer::Wait);
    let folder = session.bus.folder().join("collections");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("Other.toml"), "[[collection.scenes]]\nname = \"Other\"\n").unwrap();
    let window = "push_to_talk_key = \"F8\", push_to_talk_everywhere = true";
    let studio = Studio::start_all(&session, window, MORE);
    wait_for("the dialog", LIMIT, || {
        let asked = portal.asked();
        asked.iter().any(|it| it.starts_with("bind talk"))
            && asked.iter().any(|it| it.starts_with("bind scene:Main"))
    });
    let closed = || portal.dialogs_closed.load(Ordering::SeqCst);
    let before = closed();
    // The scenes of the hotkeys are not in the other collection.
    let mut again = session.command(env!("CARGO_BIN_EXE_onair"));
    again.args(["studio", "--collection", "Other", "--settings"]).arg(&studio.settings);
    let output = again.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    wait_for("the end of the dialog", LIMIT, || closed() > before);
    studio.ends();
}

#[test]
fn a_button_is_not_asked_for() {
    if peers_are_missing() {
        return;
    }
    let session = Session::bare("1280x720", "");
    let portal = Portal::start(&session, Answer::Give("Press F8"));
    let studio = Studio::start_with(
        &session,
        "push_to_talk_key = \"mouse-4\", push_to_talk_everywhere = true",
    );
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(portal.asked(), [""; 0]);
    studio.ends();
}

/// Debian's portal with the backend for sway, which grants no keys.
#[test]
fn a_real_portal_without_global_keys_is_reported_as_such() {
    let programs = ["pipewire", "wireplumber", "dbus-send"];
    if peers_are_missing() || peers::missing(&[&programs[..], &HELPERS[..]].concat()) {
        return;
    }
    let session = Session::start("1280x720", "");
    let mut studio = Studio::start(&session);
    studio.knows("Missing");
    studio.ends();
}
