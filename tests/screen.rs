//! Tests of display capture and window capture on a real X server without a monitor (Xvfb). A
//! client paints known colors, and the tests compare the captured frames by value.
//!
//! An environment variable names the display. The test sets it and starts the test program again,
//! where the test named `inside_display` runs.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::peers::{self, LIMIT};
use crate::shown::{Shown, color_at, is};
use onair::audio::AudioChoice;
use onair::base::{Clock, Stop, Timestamp};
use onair::capture::{self, Area, DisplayTarget, VideoChoice};
use onair::media::source_status::SourceState;
use onair::media::{Size, VideoFrame};
use onair::studio::{self, Config, Settings, Snapshot, Studio};
use x11rb::connection::Connection as _;
use x11rb::protocol::randr::{ConnectionExt as _, MonitorInfo};
use x11rb::protocol::xproto::{
    AtomEnum, ChangeWindowAttributesAux, ConfigureWindowAux, ConnectionExt as _, CreateGCAux,
    CreateWindowAux, PropMode, Rectangle, StackMode, WindowClass,
};
use x11rb::rust_connection::RustConnection;
use x11rb::wrapper::ConnectionExt as _;

/// A separate X server, which is killed when the value is dropped.
pub struct XServer(Child, pub String);

impl XServer {
    pub fn start(screen: &str) -> Self {
        let mut child = Command::new("Xvfb")
            .args(["-displayfd", "1", "-screen", "0", screen, "-nolisten", "tcp", "-noreset"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut number = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut number).unwrap();
        assert!(!number.trim().is_empty(), "Xvfb has not started");
        Self(child, format!(":{}", number.trim()))
    }
}

impl Drop for XServer {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn displays_and_windows_of_a_real_server() {
    peers::in_real_time!(displays_and_windows_of_a_real_server);
    peers::require!("Xvfb");
    run_on("640x480x24", "screen::inside_display");
}

#[test]
fn a_desktop_that_is_larger_than_a_frame_is_not_cut_off() {
    peers::require!("Xvfb");
    run_on("9000x200x24", "screen::inside_wide_display");
}

/// Runs a test of this program on an X server with this screen.
fn run_on(screen: &str, test: &str) {
    let server = XServer::start(screen);
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture", "--test-threads=1"])
        .env("DISPLAY", &server.1)
        .env("ONAIR_SCREEN_RIG", server.0.id().to_string())
        .env_remove("WAYLAND_DISPLAY")
        .env_remove("XDG_SESSION_TYPE")
        .output()
        .unwrap();
    eprint!("{}", String::from_utf8_lossy(&output.stderr));
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && stdout.contains("1 passed"), "{stdout}");
}

#[test]
fn a_machine_without_a_display_says_what_to_do() {
    let list_devices = |variables: &[(&str, &str)]| {
        let output = Command::new(env!("CARGO_BIN_EXE_onair"))
            .arg("devices")
            .env_remove("DISPLAY")
            .env_remove("WAYLAND_DISPLAY")
            .env_remove("XDG_SESSION_TYPE")
            .envs(variables.iter().copied())
            .output()
            .unwrap();
        assert!(output.status.success());
        String::from_utf8(output.stdout).unwrap()
    };
    let bare = list_devices(&[]);
    assert!(bare.contains("no display was found") && bare.contains("DISPLAY"), "{bare}");
    let wayland =
        list_devices(&[("WAYLAND_DISPLAY", "wayland-0"), ("XDG_RUNTIME_DIR", "/nowhere")]);
    let words = match cfg!(feature = "wayland") {
        true => ["screen sharing requires PipeWire", "Start PipeWire"],
        false => ["displays in a Wayland session", "feature 'wayland'"],
    };
    assert!(words.iter().all(|it| wayland.contains(it)), "{wayland}");
    let absent = list_devices(&[("DISPLAY", ":4095")]);
    assert!(absent.contains("is not responding"), "{absent}");
}

/// An X11 client with windows.
struct Client {
    connection: RustConnection,
    root: u32,
}

impl Client {
    fn connect() -> Self {
        let (connection, number) = RustConnection::connect(None).unwrap();
        let root = connection.setup().roots[number].root;
        Self { connection, root }
    }

    fn window(&self, place: (i16, i16), size: (u16, u16), color: u32, title: &str) -> u32 {
        let connection = &self.connection;
        let window = connection.generate_id().unwrap();
        let settings = CreateWindowAux::new().background_pixel(color).border_pixel(0x00FF_FFFF);
        connection
            .create_window(
                0,
                window,
                self.root,
                place.0,
                place.1,
                size.0,
                size.1,
                // A border, which is not part of the captured window.
                3,
                WindowClass::INPUT_OUTPUT,
                0,
                &settings,
            )
            .unwrap();
        let class = b"tester\0Tester\0";
        let (name, string) = (AtomEnum::WM_CLASS, AtomEnum::STRING);
        connection.change_property8(PropMode::REPLACE, window, name, string, class).unwrap();
        let intern =
            |name: &[u8]| connection.intern_atom(false, name).unwrap().reply().unwrap().atom;
        let (name, utf8) = (intern(b"_NET_WM_NAME"), intern(b"UTF8_STRING"));
        let title = title.as_bytes();
        connection.change_property8(PropMode::REPLACE, window, name, utf8, title).unwrap();
        connection.map_window(window).unwrap();
        connection.sync().unwrap();
        window
    }

    fn paint(&self, window: u32, color: u32) {
        let gc = self.connection.generate_id().unwrap();
        let settings = CreateGCAux::new().foreground(color);
        self.connection.create_gc(gc, window, &settings).unwrap();
        let all = Rectangle { x: 0, y: 0, width: 4_000, height: 4_000 };
        self.connection.poly_fill_rectangle(window, gc, &[all]).unwrap();
        self.connection.free_gc(gc).unwrap();
        self.connection.sync().unwrap();
    }

    fn configure(&self, window: u32, settings: &ConfigureWindowAux) {
        self.connection.configure_window(window, settings).unwrap();
        self.connection.sync().unwrap();
    }

    /// A pointer of 8×8 white pixels, with its hotspot in the corner.
    fn white_pointer(&self, at: (i16, i16)) {
        let connection = &self.connection;
        let id = || connection.generate_id().unwrap();
        let (pixmap, gc, cursor) = (id(), id(), id());
        connection.create_pixmap(1, pixmap, self.root, 8, 8).unwrap();
        connection.create_gc(gc, pixmap, &CreateGCAux::new().foreground(1)).unwrap();
        let all = Rectangle { x: 0, y: 0, width: 8, height: 8 };
        connection.poly_fill_rectangle(pixmap, gc, &[all]).unwrap();
        let most = u16::MAX;
        connection
            .create_cursor(cursor, pixmap, pixmap, most, most, most, most, most, most, 0, 0)
            .unwrap();
        let settings = ChangeWindowAttributesAux::new().cursor(cursor);
        connection.change_window_attributes(self.root, &settings).unwrap();
        connection.warp_pointer(x11rb::NONE, self.root, 0, 0, 0, 0, at.0, at.1).unwrap();
        connection.sync().unwrap();
    }
}

const BLACK: u32 = 0;
const RED: u32 = 0x00D0_2040;
const BLUE: u32 = 0x0020_40C0;
const WHITE: u32 = 0x00FF_FFFF;

#[test]
fn inside_display() {
    let Ok(server) = std::env::var("ONAIR_SCREEN_RIG") else { return };
    let client = Client::connect();
    client.paint(client.root, BLACK);
    the_studio_lists_them(&client);
    the_screen(&client);
    a_part_of_it(&client);
    a_window(&client);
    moving_pictures(&client);
    several_monitors(&client);
    black_ones_are_told(&client);

    // When the server ends, the source reports it, and nothing hangs.
    let mut shown = Shown::screen(&DisplayTarget::default());
    shown.await_frame("a picture", |_| true);
    assert!(Command::new("kill").arg(server).status().unwrap().success());
    let lost = shown.await_state(SourceState::Lost);
    assert_eq!(lost.reason.id(), "display-no-answer", "{lost:?}");
    shown.changes.try_recv().ok();
    assert!(shown.frame().is_none());
    let closing = Clock::start();
    drop(shown);
    assert!(closing.now() < Timestamp::from_millis(500));
}

#[test]
fn inside_wide_display() {
    if std::env::var_os("ONAIR_SCREEN_RIG").is_none() {
        return;
    }
    let client = Client::connect();
    client.paint(client.root, BLACK);
    let all = DisplayTarget { id: Some("all".to_owned()), ..DisplayTarget::default() };
    let failed = Shown::screen(&all).await_state(SourceState::Failed);
    assert_eq!(failed.reason.id(), "display-format", "{failed:?}");
    assert!(failed.reason.to_string().contains("9000x200"), "{failed:?}");
    // A region on the right is captured.
    client.window((8_600, 50), (100, 60), RED, "Red");
    let part = Some(Area::new(8_500, 0, 400, 200));
    let mut right = Shown::screen(&DisplayTarget { part, ..all });
    right.await_frame("the right part", |frame| is(frame, 150, 80, RED));
}

/// Two monitors next to each other; the second is lower and is the primary one.
fn several_monitors(client: &Client) {
    let connection = &client.connection;
    connection.randr_query_version(1, 5).unwrap().reply().unwrap();
    let outputs = connection.randr_get_screen_resources(client.root).unwrap().reply().unwrap();
    let atom = |name: &[u8]| connection.intern_atom(false, name).unwrap().reply().unwrap().atom;
    let monitor = |name: &[u8], place: (i16, i16), size: (u16, u16), primary, outputs| {
        let (x, y, width, height) = (place.0, place.1, size.0, size.1);
        let (width_in_millimeters, height_in_millimeters) = (width.into(), height.into());
        let info = MonitorInfo {
            name: atom(name),
            primary,
            automatic: false,
            x,
            y,
            width,
            height,
            width_in_millimeters,
            height_in_millimeters,
            outputs,
        };
        connection.randr_set_monitor(client.root, info).unwrap().check().unwrap();
    };
    monitor(b"LEFT", (0, 0), (300, 480), false, outputs.outputs);
    monitor(b"RIGHT", (300, 100), (340, 240), true, Vec::new());

    let screens = capture::screens().unwrap();
    let listed: Vec<_> = screens.iter().map(|it| (it.id.as_str(), it.area, it.primary)).collect();
    assert_eq!(
        listed,
        [
            ("RIGHT", Area::new(300, 100, 340, 240), true),
            ("LEFT", Area::new(0, 0, 300, 480), false),
            ("all", Area::new(0, 0, 640, 480), false),
        ],
    );
    assert_eq!(screens[0].name, "RIGHT");
    // Each monitor shows its own windows, with positions relative to its corner.
    let red = client.window((20, 200), (100, 60), RED, "On the left");
    let blue = client.window((400, 150), (100, 60), BLUE, "On the right");
    let bare = |id: Option<&str>, part: Option<Area>| {
        let id = id.map(str::to_owned);
        Shown::without_pointer(&VideoChoice::Screen(DisplayTarget { id, part }))
    };
    let size = |frame: &VideoFrame, width, height| frame.size() == Size::new(width, height);
    // Without a name, the primary monitor is captured.
    for id in [None, Some("RIGHT")] {
        bare(id, None).await_frame("the right monitor", |frame| {
            size(frame, 340, 240)
                && is(frame, 120, 80, BLUE)
                && is(frame, 90, 80, BLACK)
                && is(frame, 120, 30, BLACK)
        });
    }
    bare(Some("LEFT"), None).await_frame("the left monitor", |frame| {
        size(frame, 300, 480) && is(frame, 60, 230, RED) && is(frame, 160, 300, BLACK)
    });
    bare(Some("all"), None).await_frame("both", |frame| {
        size(frame, 640, 480) && is(frame, 60, 230, RED) && is(frame, 420, 180, BLUE)
    });
    // A region is relative to the monitor's corner, and is cut off at the monitor's edge.
    let part = Some(Area::new(110, 60, 400, 40));
    bare(Some("RIGHT"), part).await_frame("a part", |frame| {
        size(frame, 230, 40) && is(frame, 10, 10, BLUE) && is(frame, 120, 10, BLACK)
    });
    for name in [b"LEFT".as_slice(), b"RIGHT"] {
        connection.randr_delete_monitor(client.root, atom(name)).unwrap().check().unwrap();
    }
    for window in [red, blue] {
        connection.destroy_window(window).unwrap();
    }
    connection.sync().unwrap();
    assert_eq!(capture::screens().unwrap().len(), 1);
    bare(Some("all"), None).await_frame("the only one", |frame| size(frame, 640, 480));
}

/// The lists of displays and windows, which a refresh updates.
fn the_studio_lists_them(client: &Client) {
    let settings = Settings {
        video: Some(VideoChoice::Test),
        audio: Some(AudioChoice::Silence),
        ..Settings::default()
    };
    let studio = Studio::start(Config::new(Clock::start(), settings)).unwrap();
    let look = |what: &str, is_so: &dyn Fn(&Snapshot) -> bool| {
        peers::wait_for(what, LIMIT, || {
            studio.send(studio::Command::RefreshDevices);
            is_so(&studio.snapshot())
        });
    };
    look("the screen", &|it| it.screens.len() == 1 && it.windows.is_empty());
    assert_eq!(studio.snapshot().screens[0].area, Area::new(0, 0, 640, 480));
    let red = client.window((100, 50), (200, 100), RED, "Red");
    look("its window", &|it| it.windows.iter().any(|window| window.id == "Tester/Red"));
    client.connection.destroy_window(red).unwrap();
    client.connection.sync().unwrap();
    look("no window", &|it| it.windows.is_empty());
    studio.end(LIMIT).unwrap();
}

fn the_screen(client: &Client) {
    let screens = capture::screens().unwrap();
    eprintln!("  {screens:?}");
    assert_eq!(screens.len(), 1);
    assert_eq!(screens[0].area, Area::new(0, 0, 640, 480));
    client.white_pointer((500, 400));
    let mut shown = Shown::screen(&DisplayTarget::default());
    shown.await_frame("black", |frame| {
        frame.size() == Size::new(640, 480) && is(frame, 4, 4, BLACK)
    });
    shown.await_frame("the pointer", |frame| {
        is(frame, 502, 402, WHITE) && is(frame, 498, 398, BLACK)
    });
    let red = client.window((100, 50), (200, 100), RED, "Red");
    shown.await_frame("red", |frame| {
        is(frame, 110, 60, RED) && is(frame, 290, 140, RED) && is(frame, 320, 160, BLACK)
    });
    // Nothing changes, so the frame is the same without a new capture.
    Stop::new().wait(Duration::from_millis(200));
    let first = shown.frame().unwrap();
    Stop::new().wait(Duration::from_millis(300));
    assert!(first.is_same(&shown.frame().unwrap()), "a still screen");
    client.configure(red, &ConfigureWindowAux::new().x(300).y(200));
    shown.await_frame("it moved", |frame| is(frame, 110, 60, BLACK) && is(frame, 400, 280, RED));
    client.white_pointer((400, 280));
    shown.await_frame("the pointer over it", |frame| {
        is(frame, 402, 282, WHITE) && is(frame, 396, 276, RED) && is(frame, 502, 402, BLACK)
    });
    let bare = VideoChoice::Screen(DisplayTarget::default());
    let mut bare = Shown::without_pointer(&bare);
    bare.await_frame("no pointer", |frame| is(frame, 402, 282, RED));
    client.connection.destroy_window(red).unwrap();
    client.connection.sync().unwrap();
    shown.await_frame("it closed", |frame| is(frame, 396, 290, BLACK));
    let absent = DisplayTarget { id: Some("HDMI-9".to_owned()), ..DisplayTarget::default() };
    let absent = Shown::screen(&absent);
    let failed = absent.await_state(SourceState::Failed);
    assert_eq!(failed.reason.to_string(), "onair cannot find HDMI-9");
}

fn a_part_of_it(client: &Client) {
    let red = client.window((101, 51), (60, 40), RED, "Red");
    // Odd positions work too; the window's border is white.
    let part = Some(Area::new(103, 53, 41, 31));
    let screen = VideoChoice::Screen(DisplayTarget { part, ..DisplayTarget::default() });
    let mut shown = Shown::without_pointer(&screen);
    let frame = shown.await_frame("a part", |frame| is(frame, 20, 20, RED));
    assert_eq!(frame.size(), Size::new(40, 30));
    assert!(is(&frame, 0, 20, WHITE) || is(&frame, 2, 20, RED), "{:?}", color_at(&frame, 0, 20));
    assert!(is(&frame, 38, 28, RED));
    client.connection.destroy_window(red).unwrap();
    client.connection.sync().unwrap();
    shown.await_frame("black", |frame| is(frame, 20, 20, BLACK));
}

fn a_window(client: &Client) {
    let title = "Red \u{202E}window\u{7}";
    let red = client.window((100, 50), (200, 100), RED, title);
    let windows = capture::windows().unwrap();
    eprintln!("  {windows:?}");
    let found = windows.iter().find(|window| window.class == "Tester").unwrap();
    assert_eq!((found.id.as_str(), found.size), ("Tester/Red window", Size::new(200, 100)));
    let mut shown = Shown::window(&found.id);
    let open = shown.await_state(SourceState::Open);
    assert_eq!(open.name, "Red window");
    let frame = shown.await_frame("red", |frame| is(frame, 0, 0, RED) && is(frame, 198, 98, RED));
    assert_eq!(frame.size(), Size::new(200, 100));
    // Another window covers it on the display, but not in the capture.
    let cover = client.window((0, 0), (640, 480), BLUE, "Cover");
    let above = ConfigureWindowAux::new().stack_mode(StackMode::ABOVE);
    client.configure(cover, &above);
    Shown::screen(&DisplayTarget::default())
        .await_frame("covered", |frame| is(frame, 150, 90, BLUE));
    client.paint(red, 0x0000_C000);
    shown.await_frame("painted beneath", |frame| is(frame, 100, 50, 0x0000_C000));
    client.configure(red, &ConfigureWindowAux::new().width(301).height(121));
    shown.await_frame("resized", |frame| frame.size() == Size::new(300, 120));
    // The window gets another pixmap, although the size of the frame stays the same.
    client.configure(red, &ConfigureWindowAux::new().width(300));
    shown.await_frame("resized by one pixel", |frame| {
        // While the capture is reopened, the other window covers what is painted.
        client.paint(red, BLUE);
        is(frame, 100, 50, BLUE)
    });
    client.connection.unmap_window(red).unwrap();
    client.connection.sync().unwrap();
    let hidden = shown.await_state(SourceState::Stalled);
    assert_eq!(hidden.reason.id(), "display-minimized", "{hidden:?}");
    assert_eq!(shown.frame().unwrap().size(), Size::new(300, 120), "its last picture stays");
    client.connection.map_window(red).unwrap();
    client.connection.sync().unwrap();
    shown.await_state(SourceState::Open);
    client.connection.destroy_window(red).unwrap();
    client.connection.destroy_window(cover).unwrap();
    client.connection.sync().unwrap();
    let lost = shown.await_state(SourceState::Lost);
    let reason = lost.reason.to_string();
    assert_eq!(reason, "the display or window is no longer available", "{lost:?}");
    assert!(shown.frame().is_none());
    // The application starts again, with another title.
    let again = client.window((10, 10), (80, 60), BLUE, "Blue");
    shown.await_frame("it is back", |frame| is(frame, 40, 30, BLUE));
    client.connection.destroy_window(again).unwrap();
    client.connection.sync().unwrap();
    shown.await_state(SourceState::Lost);
}

/// A display and a window that show only black give notices, which end once something is visible.
fn black_ones_are_told(client: &Client) {
    client.white_pointer((200, 400));
    let dark = client.window((20, 200), (100, 60), BLACK, "Dark");
    // The border of the window is white, but lies outside the region.
    let part = Some(Area::new(200, 300, 400, 150));
    let settings = Settings {
        video: Some(VideoChoice::Screen(DisplayTarget { part, ..DisplayTarget::default() })),
        audio: Some(AudioChoice::Silence),
        ..Settings::default()
    };
    let studio = Studio::start(Config::new(Clock::start(), settings)).unwrap();
    let scene = studio.snapshot().scenes.collection.current;
    let choice: VideoChoice = "window:Tester/Dark".parse().unwrap();
    let add = studio::Edit::AddSource { scene, name: "Game".into(), choice };
    studio.send(studio::Command::Edit(add));
    let reported = || -> Vec<String> {
        let notices = studio.snapshot().notices;
        let black = notices.iter().filter(|it| it.key().ends_with("-black"));
        black.map(|it| format!("{} {}", it.key(), it.value("device").unwrap())).collect()
    };
    let sorted = || {
        let mut reported = reported();
        reported.sort();
        reported
    };
    peers::wait_for("both are told", LIMIT, || reported().len() == 2);
    let [screen, window] = &sorted()[..] else { panic!("{:?}", reported()) };
    assert!(screen.starts_with("screen-black "), "{screen}");
    assert_eq!(window, "window-black Game");
    // Four pixels of the window light up: far fewer than a sampling grid would find.
    let light = client.connection.generate_id().unwrap();
    client.connection.create_gc(light, dark, &CreateGCAux::new().foreground(RED)).unwrap();
    let few = Rectangle { x: 33, y: 41, width: 2, height: 2 };
    client.connection.poly_fill_rectangle(dark, light, &[few]).unwrap();
    client.connection.free_gc(light).unwrap();
    client.connection.sync().unwrap();
    peers::wait_for("the window is seen", LIMIT, || reported().len() == 1);
    assert_eq!(reported(), [screen.as_str()]);
    client.paint(client.root, BLUE);
    peers::wait_for("the screen is seen", LIMIT, || reported().is_empty());
    client.paint(client.root, BLACK);
    client.connection.destroy_window(dark).unwrap();
    client.connection.sync().unwrap();
    studio.end(LIMIT).unwrap();
}

/// A client that paints all the time is captured at the program's frame rate.
fn moving_pictures(client: &Client) {
    let window = client.window((0, 0), (320, 240), BLACK, "Moving");
    let mut shown = Shown::window("Tester/Moving");
    shown.await_frame("black", |frame| is(frame, 10, 10, BLACK));
    let clock = Clock::start();
    let (mut seen, mut last, mut step) = (0, shown.frame().unwrap(), 0_u32);
    while clock.now() < Timestamp::from_millis(2_000) {
        step += 1;
        client.paint(window, if step.is_multiple_of(2) { RED } else { BLUE });
        Stop::new().wait(Duration::from_millis(10));
        let now = shown.frame().unwrap();
        if !now.is_same(&last) {
            assert!(is(&now, 100, 100, RED) || is(&now, 100, 100, BLUE));
            seen += 1;
            last = now;
        }
    }
    eprintln!("  {seen} new pictures in 2 s");
    assert!((20..=62).contains(&seen), "{seen}");
}
