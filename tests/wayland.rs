//! Tests of display capture in a real Wayland session (sway without a monitor, PipeWire,
//! xdg-desktop-portal). The tests compare the captured frames by value while the display is still,
//! changes, changes its size and disappears.
//!
//! sway's portal backend provides frames only if the machine has a graphics card. The tests
//! therefore also implement a portal: GStreamer writes frames into a real PipeWire, and the portal
//! offers them. It also refuses, ends and answers nonsense. onair must not ask the user repeatedly.
//!
//! Environment variables name the session. Each test sets them and starts the test program again,
//! where the test named `inside_…` runs.

#![cfg(feature = "wayland")]

use std::collections::HashMap;
use std::os::unix::net::{UnixListener, UnixStream};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use crate::peers::{self, LIMIT};
use crate::portal::{self, Options, PATH, Request, appear};
use crate::session::{Bus, HELPERS, Session};
use crate::shown::{Shown, is};
use onair::base::{Clock, Stop, Timestamp};
use onair::capture::{self, Area, DisplayTarget, LiveProperties, Permissions, VideoChoice};
use onair::media::Size;
use onair::media::source_status::SourceState;
use zbus::zvariant::{OwnedObjectPath, Value};

/// Four colors, one for each quarter of the display.
const QUARTERS: [u32; 4] = [0x00C0_3020, 0x0020_A040, 0x0030_40D0, 0x00E0_E0A0];

/// Runs a part of this file in another process, within this command's session.
fn inside(part: &str, mut command: Command) {
    let output = command
        .args(["--exact", &format!("wayland::{part}"), "--nocapture", "--test-threads=1"])
        .env("ONAIR_WAYLAND_RIG", "1")
        .output()
        .unwrap();
    eprint!("{}", String::from_utf8_lossy(&output.stderr));
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && stdout.contains("1 passed"), "{stdout}");
}

fn is_inside() -> bool {
    std::env::var_os("ONAIR_WAYLAND_RIG").is_some()
}

fn this_program() -> std::path::PathBuf {
    std::env::current_exe().unwrap()
}

/// Sends sway a command.
fn tell(words: &str) {
    let output = Command::new("swaymsg").arg(words).output().unwrap();
    assert!(output.status.success(), "{words}: {}", String::from_utf8_lossy(&output.stdout));
}

/// Sets the background: an image with a color in each quarter, starting with this one.
fn paint(from: usize) {
    let folder = std::env::var_os("XDG_RUNTIME_DIR").unwrap();
    let path = std::path::Path::new(&folder).join(format!("quarters-{from}.png"));
    quarters(from).save(&path).unwrap();
    tell(&format!("output HEADLESS-1 bg {} stretch", path.display()));
}

fn quarters(from: usize) -> image::RgbImage {
    image::RgbImage::from_fn(640, 480, |x, y| {
        let [_, r, g, b] =
            quarter(from, usize::from(x >= 320) + 2 * usize::from(y >= 240)).to_be_bytes();
        image::Rgb([r, g, b])
    })
}

fn quarter(from: usize, number: usize) -> u32 {
    QUARTERS[(from + number) % 4]
}

/// Whether a frame shows the quarters.
fn quartered(frame: &onair::media::VideoFrame, from: usize) -> bool {
    let Size { width, height } = frame.size();
    let (width, height) = (width as usize, height as usize);
    let spots = [(0.1, 0.1), (0.9, 0.1), (0.1, 0.9), (0.9, 0.9)];
    spots.iter().enumerate().all(|(number, (x, y))| {
        let (x, y) = ((x * width as f64) as usize, (y * height as f64) as usize);
        is(frame, x, y, quarter(from, number))
    })
}

fn peers_are_missing() -> bool {
    let programs = ["sway", "swaybg", "swaymsg", "pipewire", "wireplumber", "dbus-daemon"];
    let others = ["dbus-send", "setpriv", "weston-simple-shm"];
    peers::missing(&[&programs[..], &others[..], &HELPERS[..]].concat())
}

#[test]
fn the_display_of_a_real_session() {
    peers::in_real_time!(the_display_of_a_real_session);
    if peers_are_missing() {
        return;
    }
    let session = Session::start("640x480", "");
    // The list of devices.
    let devices = session.command(env!("CARGO_BIN_EXE_onair")).arg("devices").output().unwrap();
    let devices = String::from_utf8_lossy(&devices.stdout).into_owned();
    assert!(devices.contains("(screen:wayland)"), "{devices}{}", session.error_output());
    assert!(devices.contains("whole displays only"), "{devices}");
    let mut part = session.command(this_program());
    part.env("ONAIR_COMPOSITOR", session.compositor.id().to_string());
    inside("inside_session", part);
}

#[test]
fn inside_session() {
    if !is_inside() {
        return;
    }
    paint(0);
    let mut shown = Shown::screen(&DisplayTarget::default());
    if !std::path::Path::new("/dev/dri").exists() {
        // Without a graphics card, the portal's backend for wlroots (0.7) gives no frames and ends
        // the request. onair reports that and does not ask again.
        let failed = shown.await_state(SourceState::Failed);
        assert!(failed.detail.contains("ended without an answer"), "{failed:?}");
        window_is_refused();
        Stop::new().wait(Duration::from_secs(6));
        assert!(shown.changes.try_recv().is_err());
        return;
    }
    let open = shown.await_state(SourceState::Open);
    assert_eq!((open.name.as_str(), open.id.as_str()), ("Screen", "wayland"));
    let frame = shown.await_frame("the four quarters", |frame| quartered(frame, 0));
    assert_eq!(frame.size(), Size::new(640, 480));
    // At the border of two quarters, to the pixel.
    assert!(is(&frame, 316, 100, quarter(0, 0)) && is(&frame, 324, 100, quarter(0, 1)));
    // A still display costs nothing: the frame is the same.
    Stop::new().wait(Duration::from_millis(300));
    let first = shown.frame().unwrap();
    Stop::new().wait(Duration::from_millis(500));
    assert!(first.is_same(&shown.frame().unwrap()), "a still screen");
    paint(1);
    shown.await_frame("the quarters turned", |frame| quartered(frame, 1));

    moving(&mut shown);
    region();
    window_is_refused();

    // The size changes during the capture, without another request.
    tell("output HEADLESS-1 mode 800x600@60Hz");
    let frame = shown.await_frame("another size", |frame| {
        frame.size() == Size::new(800, 600) && quartered(frame, 1)
    });
    assert!(is(&frame, 396, 100, quarter(1, 0)) && is(&frame, 404, 100, quarter(1, 1)));

    // The compositor ends.
    let compositor = std::env::var("ONAIR_COMPOSITOR").unwrap();
    assert!(Command::new("kill").args(["-KILL", &compositor]).status().unwrap().success());
    let lost = shown.await_state(SourceState::Lost);
    assert_eq!(lost.reason.id(), "display-ended", "{}", lost.reason);
    assert!(shown.frame().is_none(), "a slate takes its place");
    // Closing takes no time, and onair makes no request without the user.
    Stop::new().wait(Duration::from_secs(1));
    assert!(shown.changes.try_recv().is_err());
    let closing = Clock::start();
    drop(shown);
    assert!(closing.now() < Timestamp::from_millis(500));
}

/// A window that moves: the frame changes under the window, and nowhere else.
fn moving(shown: &mut Shown) {
    tell(
        "for_window [title=\"simple-shm\"] floating enable, border none, move absolute position 20 20",
    );
    let mut client = peers::Peer::start_command(&mut Command::new("weston-simple-shm"));
    let mut pictures = Vec::new();
    let start = Clock::start();
    while pictures.len() < 20 {
        assert!(start.now() < Timestamp::ZERO + LIMIT, "only {} pictures", pictures.len());
        let frame = shown.await_frame("any", |_| true);
        let covered: Vec<u8> = (30..200).map(|row| frame.planes().y[row * 640 + 100]).collect();
        if pictures.last() != Some(&covered) {
            pictures.push(covered);
        }
        assert!(is(&frame, 600, 440, quarter(1, 3)), "beside the window nothing changes");
        Stop::new().wait(Duration::from_millis(10));
    }
    client.kill();
    shown.await_frame("the window gone", |frame| quartered(frame, 1));
}

/// A region of the display, together with a source that has all of it.
fn region() {
    let part = Some(Area::new(300, 220, 40, 40));
    let id = Some("wayland/part".to_owned());
    let mut shown = Shown::without_pointer(&VideoChoice::Screen(DisplayTarget { id, part }));
    shown.await_state(SourceState::Open);
    let frame = shown.await_frame("the middle", |frame| quartered(frame, 1));
    assert_eq!(frame.size(), Size::new(40, 40));
    // Outside the display there is nothing, which is reported once.
    let part = Some(Area::new(3_000, 220, 40, 40));
    let shown = Shown::screen(&DisplayTarget { part, ..DisplayTarget::default() });
    let failed = shown.await_state(SourceState::Failed);
    assert!(failed.detail.contains("outside the frame"), "{failed:?}");
}

/// This desktop has no dialog for window capture.
fn window_is_refused() {
    let shown = Shown::window("wayland");
    let failed = shown.await_state(SourceState::Failed);
    assert_eq!(failed.reason.id(), "display-no-windows", "{failed:?}");
}

/// How our own portal answers a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    /// The user declines.
    Refuse,
    /// The dialog stays open.
    Wait,
    /// The user accepts without choosing a stream.
    Empty,
    /// An answer that makes no sense.
    Nonsense,
    /// Accepts, but PipeWire has no such stream.
    Broken,
    /// Shares this stream.
    Share(u32),
}

struct Portal {
    answer: Answer,
    asked: Arc<AtomicU32>,
    closed: Arc<AtomicU32>,
    token: Arc<parking_lot::Mutex<Option<String>>>,
}

impl Portal {
    fn new(answer: Answer) -> Self {
        let (asked, closed, token) = Default::default();
        Self { answer, asked, closed, token }
    }

    /// Serves the portal until the returned value is dropped.
    fn serve(self) -> zbus::blocking::Connection {
        let builder = zbus::blocking::connection::Builder::session().unwrap();
        let builder = builder.serve_at(PATH, self).unwrap();
        appear(builder)
    }
}

#[zbus::interface(name = "org.freedesktop.portal.ScreenCast")]
impl Portal {
    #[zbus(property)]
    fn available_source_types(&self) -> u32 {
        3
    }

    #[zbus(property)]
    fn available_cursor_modes(&self) -> u32 {
        3
    }

    #[zbus(property, name = "version")]
    fn version(&self) -> u32 {
        4
    }

    async fn create_session(
        &self,
        options: Options,
        #[zbus(header)] header: zbus::message::Header<'_>,
        #[zbus(connection)] connection: &zbus::Connection,
        #[zbus(object_server)] server: &zbus::ObjectServer,
    ) -> OwnedObjectPath {
        let request = Request::new(&header, &options, connection);
        let session = request.begin(server, &self.closed).await;
        request.began(&session).await
    }

    async fn select_sources(
        &self,
        _session: OwnedObjectPath,
        options: Options,
        #[zbus(header)] header: zbus::message::Header<'_>,
        #[zbus(connection)] connection: &zbus::Connection,
    ) -> OwnedObjectPath {
        let token =
            options.get("restore_token").map(|it| it.downcast_ref::<&str>().unwrap().to_owned());
        *self.token.lock() = token;
        assert_eq!(options["persist_mode"].downcast_ref::<u32>().unwrap(), 2);
        let request = Request::new(&header, &options, connection);
        request.answer(portal::Answer::Yes(HashMap::new())).await
    }

    async fn start(
        &self,
        _session: OwnedObjectPath,
        _parent: String,
        options: Options,
        #[zbus(header)] header: zbus::message::Header<'_>,
        #[zbus(connection)] connection: &zbus::Connection,
    ) -> OwnedObjectPath {
        let number = self.asked.fetch_add(1, Ordering::SeqCst);
        let stream = |node: u32| {
            let none: HashMap<String, Value<'_>> = HashMap::new();
            Value::from(vec![(node, none)])
        };
        let none: Vec<(u32, HashMap<String, Value<'_>>)> = Vec::new();
        let yes = |streams| portal::Answer::Yes(HashMap::from([("streams", streams)]));
        let answer = match self.answer {
            Answer::Refuse => portal::Answer::No,
            Answer::Wait => portal::Answer::Wait,
            Answer::Empty => yes(Value::from(none)),
            Answer::Nonsense => yes(Value::from("seven")),
            Answer::Broken | Answer::Share(_) => {
                let token = Value::from(format!("token-{number}"));
                let node = if let Answer::Share(node) = self.answer { node } else { 77 };
                let results = HashMap::from([("streams", stream(node)), ("restore_token", token)]);
                portal::Answer::Yes(results)
            }
        };
        Request::new(&header, &options, connection).answer(answer).await
    }

    fn open_pipe_wire_remote(
        &self,
        _session: OwnedObjectPath,
        _options: Options,
    ) -> zbus::zvariant::OwnedFd {
        if let Answer::Share(_) = self.answer {
            let folder = std::env::var_os("XDG_RUNTIME_DIR").unwrap();
            let path = std::path::Path::new(&folder).join("pipewire-0");
            let reached = std::os::unix::net::UnixStream::connect(path).unwrap();
            return std::os::fd::OwnedFd::from(reached).into();
        }
        // The other end of the connection is closed.
        let (ours, _) = std::os::unix::net::UnixStream::pair().unwrap();
        std::os::fd::OwnedFd::from(ours).into()
    }
}

#[test]
fn nobody_is_asked_in_a_loop() {
    peers::in_real_time!(nobody_is_asked_in_a_loop);
    peers::require!("dbus-daemon");
    // All answers at the same time, because each test waits for something that must not happen.
    std::thread::scope(|scope| {
        for number in 0..REFUSALS.len() {
            scope.spawn(move || {
                let bus = Bus::start();
                let mut part = bus.command(this_program());
                part.env("ONAIR_REFUSAL", number.to_string());
                inside("inside_portal", part);
            });
        }
    });
}

/// Answers after which the user must not be asked again.
const REFUSALS: [Answer; 5] =
    [Answer::Refuse, Answer::Wait, Answer::Empty, Answer::Nonsense, Answer::Broken];

#[test]
fn inside_portal() {
    if !is_inside() {
        return;
    }
    let folder = std::env::var_os("XDG_RUNTIME_DIR").unwrap();
    let _socket = UnixListener::bind(std::path::Path::new(&folder).join("pipewire-0")).unwrap();
    let id = |answer| match answer {
        Answer::Refuse => "display-denied",
        Answer::Wait => "display-asks",
        _ => "display-unusable",
    };
    let number: usize = std::env::var("ONAIR_REFUSAL").unwrap().parse().unwrap();
    let answer = REFUSALS[number];
    let portal = Portal::new(answer);
    let (asked, closed) = (Arc::clone(&portal.asked), Arc::clone(&portal.closed));
    let token = Arc::clone(&portal.token);
    let connection = portal.serve();
    let permissions = Permissions::default();
    let choice: VideoChoice = "screen".parse().unwrap();
    let dials = LiveProperties::default();
    dials.permissions.set(permissions.clone());
    let shown = Shown::open(|context| capture::open_by(&choice, &dials, context));
    let down = shown.await_down();
    assert!(
        down.reason.id() == id(answer)
            || (answer == Answer::Broken && down.reason.id() == "display-ended"),
        "{answer:?}: {down:?}"
    );
    // Longer than the first wait of any automatic retry.
    Stop::new().wait(Duration::from_secs(7));
    let count = || asked.load(Ordering::SeqCst);
    assert_eq!(count(), 1, "{answer:?}");
    let kept = permissions.take_changes();
    if answer == Answer::Broken {
        assert_eq!(kept[0].1.expose(), "token-0");
        // When the source opens again, the request uses the earlier permission.
        drop(shown);
        let again = Shown::open(|context| capture::open_by(&choice, &dials, context));
        again.await_down();
        assert_eq!((count(), token.lock().clone()), (2, Some("token-0".to_owned())));
        assert_eq!(permissions.take_changes()[0].1.expose(), "token-1");
        assert!(!format!("{again:?}", again = again.source).contains("token-"));
    } else {
        assert!(kept.is_empty());
        // The user asks for it: the request is made once more, as if for the first time.
        permissions.ask_again(&capture::sharing::key(&choice).unwrap());
        let start = Clock::start();
        while count() < 2 && answer != Answer::Wait {
            assert!(start.now() < Timestamp::ZERO + LIMIT, "{answer:?}: never asked again");
            Stop::new().wait(Duration::from_millis(10));
        }
        let closing = Clock::start();
        drop(shown);
        assert!(closing.now() < Timestamp::from_millis(500));
        // A dialog that nobody waits for any more is closed, together with its session.
        while closed.load(Ordering::SeqCst) < u32::from(answer == Answer::Wait) {
            assert!(start.now() < Timestamp::ZERO + LIMIT, "{answer:?}: never closed");
            Stop::new().wait(Duration::from_millis(10));
        }
    }
    drop(connection);
}

#[test]
fn frames_of_a_real_pipewire() {
    peers::in_real_time!(frames_of_a_real_pipewire);
    if peers::missing(&["dbus-daemon", "pipewire", "wireplumber", "gst-launch-1.0", "pw-cli"]) {
        return;
    }
    let bus = Bus::start();
    let _server = peers::Peer::start_command(&mut bus.command("pipewire"));
    let socket = bus.folder().join("pipewire-0");
    peers::wait_for("PipeWire", LIMIT, || UnixStream::connect(&socket).is_ok());
    let _manager = peers::Peer::start_command(&mut bus.command("wireplumber"));
    inside("inside_pipewire", bus.command(this_program()));
}

/// A video stream that GStreamer makes from these elements, and its PipeWire node.
fn produce(elements: &str, pixels: &str, name: &str) -> (peers::Peer, u32) {
    let line = format!(
        "{elements} ! video/x-raw,format={pixels},width=640,height=480,framerate=30/1 ! \
         pipewiresink mode=provide stream-properties=p,media.class=Video/Source,node.name={name}"
    );
    let peer = peers::Peer::start("gst-launch-1.0", line.split_whitespace());
    let mut found = None;
    peers::wait_for("a stream of pictures", LIMIT, || {
        let listed = Command::new("pw-cli").args(["ls", "Node"]).output().unwrap().stdout;
        let listed = String::from_utf8_lossy(&listed).into_owned();
        let mut id = None;
        for line in listed.lines().map(str::trim) {
            if let Some(rest) = line.strip_prefix("id ") {
                id = rest.split(',').next().and_then(|id| id.parse().ok());
            } else if line == format!("node.name = \"{name}\"") {
                found = id;
            }
        }
        found.is_some()
    });
    (peer, found.unwrap())
}

#[test]
fn inside_pipewire() {
    if !is_inside() {
        return;
    }
    // The upper part of its frames has seven bars, from white to blue.
    let bars = [0x00FF_FFFF, 0x00FF_FF00, 0x0000_FFFF, 0x0000_FF00, 0x00FF_00FF, 0x00FF_0000, 0xFF];
    let barred = |frame: &onair::media::VideoFrame| {
        let mut all = bars.iter().enumerate();
        frame.size() == Size::new(640, 480)
            && all.all(|(number, color)| is(frame, number * 640 / 7 + 45, 100, *color))
    };
    // One producer per source: GStreamer's does not always serve a second reader.
    let serve = |pixels: &str, name: &str| {
        let (producer, node) = produce("videotestsrc is-live=true pattern=smpte", pixels, name);
        let portal = Portal::new(Answer::Share(node));
        let asked = Arc::clone(&portal.asked);
        (producer, asked, portal.serve())
    };
    for (pixels, word) in [("BGRx", "screen"), ("RGBA", "window:wayland"), ("RGBx", "screen")] {
        eprintln!("{pixels}");
        let (mut producer, asked, _portal) = serve(pixels, &format!("rig-{pixels}"));
        let choice: VideoChoice = word.parse().unwrap();
        let mut shown =
            Shown::open(|context| capture::open_by(&choice, &LiveProperties::default(), context));
        shown.await_frame("the seven bars", barred);
        // The stream ends.
        producer.kill();
        let lost = shown.await_state(SourceState::Lost);
        assert_eq!(lost.reason.id(), "display-ended", "{lost:?}");
        assert!(shown.frame().is_none(), "a slate takes its place");
        // For one display and one window, the test waits longer for a second request.
        if pixels != "BGRx" {
            Stop::new().wait(Duration::from_secs(6));
        }
        assert_eq!(asked.load(Ordering::SeqCst), 1, "nobody is asked again");
    }
    {
        // A region: the end of the fourth bar and the beginning of the fifth.
        let (_producer, asked, _portal) = serve("BGRA", "rig-part");
        let choice: VideoChoice = "screen:@50x40+340+100".parse().unwrap();
        let dials = LiveProperties::default();
        let mut middle = Shown::open(|context| capture::open_by(&choice, &dials, context));
        let frame = middle.await_frame("a part", |frame| is(frame, 4, 4, bars[3]));
        assert_eq!(frame.size(), Size::new(50, 40));
        assert!(is(&frame, 45, 35, bars[4]));
        // Another region needs no other dialog.
        dials.set_region(&"screen:@60x30+0+100".parse().unwrap());
        middle.await_frame("another part", |frame| {
            frame.size() == Size::new(60, 30) && is(frame, 4, 4, bars[0])
        });
        assert_eq!(asked.load(Ordering::SeqCst), 1, "nobody is asked again");
    }
    {
        // Outside the display there is nothing.
        let (_producer, _, _portal) = serve("BGRx", "rig-beside");
        let part = Some(Area::new(3_000, 220, 40, 40));
        let beside = Shown::screen(&DisplayTarget { part, ..DisplayTarget::default() });
        let failed = beside.await_state(SourceState::Failed);
        assert!(failed.detail.contains("outside the frame"), "{failed:?}");
    }
    let (_producer, node) = produce("videotestsrc is-live=true pattern=ball", "BGRA", "rig-ball");
    let _portal = Portal::new(Answer::Share(node)).serve();
    let mut shown = Shown::screen(&DisplayTarget::default());
    let mut pictures: Vec<Vec<u8>> = Vec::new();
    while pictures.len() < 20 {
        let last = pictures.last().cloned();
        let frame = shown
            .await_frame("the ball moved", |frame| Some(&frame.planes().y[..]) != last.as_deref());
        pictures.push(frame.planes().y.clone());
    }
}

#[test]
fn a_session_without_a_portal_says_what_is_missing() {
    peers::require!("dbus-daemon");
    let bus = Bus::start();
    let devices = || {
        let output = bus.command(env!("CARGO_BIN_EXE_onair")).arg("devices").output().unwrap();
        assert!(output.status.success());
        String::from_utf8(output.stdout).unwrap()
    };
    let bare = devices();
    assert!(bare.contains("PipeWire") && bare.contains("is not responding"), "{bare}");
    let _socket = UnixListener::bind(bus.folder().join("pipewire-0")).unwrap();
    let without = devices();
    assert!(without.contains("does not support screen sharing"), "{without}");
    assert!(without.contains("xdg-desktop-portal"), "{without}");
}
