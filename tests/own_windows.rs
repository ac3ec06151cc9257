//! Tests of the players' own windows with a third-party window manager (openbox, on a virtual
//! display). One kind is an ordinary window. The other is a small frameless window above all other
//! windows.

use x11rb::connection::Connection as _;
use x11rb::protocol::xproto::{ConnectionExt as _, ImageFormat};

use crate::peers::desktop::Desktop;
use crate::peers::{self, LIMIT, wait_for};

fn property(desktop: &Desktop, window: &str, name: &str) -> String {
    desktop.output_of("xprop", &["-id", window, name])
}

/// The left, top, width and height of the window.
fn place(desktop: &Desktop, window: &str) -> [i32; 4] {
    let output = desktop.output_of("xdotool", &["getwindowgeometry", "--shell", window]);
    let of = |name: &str| {
        let line = output.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
        line.and_then(|value| value.parse().ok()).unwrap_or(i32::MIN)
    };
    ["X", "Y", "WIDTH", "HEIGHT"].map(of)
}

/// Presses a key in this window, once it has the focus.
fn press(desktop: &Desktop, window: &str, key: &str) {
    desktop.output_of("xdotool", &["windowactivate", window]);
    wait_for("the keyboard", LIMIT, || {
        let output = desktop.output_of("xprop", &["-root", "_NET_ACTIVE_WINDOW"]);
        output.rsplit(' ').next() == Some(window)
    });
    desktop.output_of("xdotool", &["key", key]);
}

/// Double-clicks in the middle of this window, long enough after other clicks to count separately.
fn click_twice(desktop: &Desktop, window: &str) {
    std::thread::sleep(std::time::Duration::from_secs(1));
    let [left, top, width, height] = place(desktop, window);
    let at = [left + width / 2, top + height / 2].map(|it| it.to_string());
    desktop.output_of("xdotool", &["mousemove", &at[0], &at[1]]);
    desktop.output_of("xdotool", &["click", "--repeat", "2", "--delay", "60", "1"]);
}

/// Double-clicks until `holds` returns true. If frames take long, the window sees two single clicks.
fn click_until(desktop: &Desktop, window: &str, holds: impl Fn() -> bool) {
    for _ in 0..5 {
        click_twice(desktop, window);
        let begin = std::time::Instant::now();
        while begin.elapsed() < LIMIT / 3 {
            if holds() {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(25));
        }
    }
    panic!("five double-clicks changed nothing");
}

/// The one window other than `main`, once it exists and is drawn.
fn other(desktop: &Desktop, main: &str) -> String {
    let mut found = None;
    wait_for("another window", LIMIT, || {
        found = desktop.windows().into_iter().find(|window| window != main);
        found.is_some()
    });
    found.unwrap()
}

#[test]
fn players_have_their_own_windows_and_return_to_the_main_window() {
    peers::require!("Xvfb", "dbus-daemon", "openbox", "xdotool", "xprop", "ffmpeg");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a film.mp4");
    peers::ffmpeg::make(&file, "320x180", "300", &["-g", "25"]);
    let desktop = Desktop::start();
    let _manager = desktop.manage();
    let home = tempfile::tempdir().unwrap();
    let mut player = desktop.play(&file, home.path());
    wait_for("the window", LIMIT * 2, || desktop.windows().len() == 1);
    let main = desktop.windows().remove(0);
    let gone = |what: &str| {
        wait_for(what, LIMIT, || desktop.windows() == [main.clone()]);
    };

    // An ordinary window: it has a title bar, and its title is the name of the file that plays.
    press(&desktop, &main, "d");
    let own = other(&desktop, &main);
    wait_for("its name", LIMIT, || property(&desktop, &own, "_NET_WM_NAME").contains("a film.mp4"));
    assert!(property(&desktop, &own, "WM_CLASS").contains("onair"));
    wait_for("its frame", LIMIT, || {
        let extents = property(&desktop, &own, "_NET_FRAME_EXTENTS");
        extents.contains('=') && !extents.ends_with("= 0, 0, 0, 0")
    });
    assert!(!property(&desktop, &own, "_NET_WM_STATE").contains("ABOVE"));
    // F makes this window full screen, and F ends that again.
    let full = "_NET_WM_STATE_FULLSCREEN";
    press(&desktop, &own, "f");
    wait_for(full, LIMIT, || property(&desktop, &own, "_NET_WM_STATE").contains(full));
    assert!(!property(&desktop, &main, "_NET_WM_STATE").contains(full));
    press(&desktop, &own, "f");
    let is_full = |window: &str| property(&desktop, window, "_NET_WM_STATE").contains(full);
    wait_for("no full screen", LIMIT, || !is_full(&own));
    // A double-click on the video does the same.
    click_until(&desktop, &own, || is_full(&own));
    assert!(!is_full(&main));
    click_until(&desktop, &own, || !is_full(&own));
    // When the window is closed, the players return to the page.
    press(&desktop, &own, "alt+F4");
    gone("its end");

    // A small window: without a title bar, above all others.
    press(&desktop, &main, "p");
    let small = other(&desktop, &main);
    let above = "_NET_WM_STATE_ABOVE";
    wait_for(above, LIMIT, || property(&desktop, &small, "_NET_WM_STATE").contains(above));
    let hints = property(&desktop, &small, "_MOTIF_WM_HINTS");
    let hints: Vec<&str> = hints.split([' ', ',']).filter(|word| word.starts_with("0x")).collect();
    // The hint mentions decorations, and asks for none.
    assert_eq!((hints[0], hints[2]), ("0x2", "0x0"), "{hints:?}");
    wait_for("no frame", LIMIT, || {
        property(&desktop, &small, "_NET_FRAME_EXTENTS").ends_with("= 0, 0, 0, 0")
    });
    assert_eq!(place(&desktop, &small)[2..], [384, 216]);
    // Dragging the video moves the window.
    let [left, top, width, height] = place(&desktop, &small);
    let at = [left + width / 2, top + height / 2];
    let to = |[x, y]: [i32; 2]| {
        desktop.output_of("xdotool", &["mousemove", &x.to_string(), &y.to_string()]);
    };
    wait_for("another place", LIMIT, || {
        to(at);
        desktop.output_of("xdotool", &["mousedown", "1"]);
        for step in 1..=10 {
            to([at[0] + 8 * step, at[1] + 5 * step]);
        }
        desktop.output_of("xdotool", &["mouseup", "1"]);
        let [now_left, now_top, ..] = place(&desktop, &small);
        now_left > left + 20 && now_top > top + 10
    });
    assert_eq!(place(&desktop, &small)[2..], [384, 216], "it was moved, not made larger");
    // It can fill the screen too, and then returns to its small size.
    press(&desktop, &small, "f");
    wait_for(full, LIMIT, || property(&desktop, &small, "_NET_WM_STATE").contains(full));
    press(&desktop, &small, "f");
    wait_for("its size", LIMIT, || place(&desktop, &small)[2..] == [384, 216]);
    // A double-click also ends full screen, and a second one closes the small window.
    press(&desktop, &small, "f");
    wait_for(full, LIMIT, || is_full(&small));
    click_twice(&desktop, &small);
    wait_for("its size by clicks", LIMIT, || {
        !is_full(&small) && place(&desktop, &small)[2..] == [384, 216]
    });
    click_twice(&desktop, &small);
    gone("the small one's end by clicks");
    press(&desktop, &main, "p");
    press(&desktop, &other(&desktop, &main), "Escape");
    gone("the small one's end");

    press(&desktop, &main, "p");
    press(&desktop, &other(&desktop, &main), "alt+F4");
    gone("its end by the desktop");
    assert!(player.status().is_none(), "{}", player.errors());
}

#[test]
fn a_projector_fills_a_display_or_is_a_window_and_ends_by_escape() {
    peers::require!("Xvfb", "dbus-daemon", "openbox", "xdotool", "xprop");
    let desktop = Desktop::start();
    let _manager = desktop.manage();
    let home = tempfile::tempdir().unwrap();
    let settings = "version = 2
video = 'test'
audio = 'silence'
[window]
language = 'en'
[hotkeys.keys]
program-display = 'F7'
multiview-window = 'F8'
";
    let mut studio = desktop.studio(home.path(), settings, "info");
    let main = desktop.shown(&mut studio);
    let title = |window: &str| property(&desktop, window, "_NET_WM_NAME");
    let gone = |what: &str| {
        wait_for(what, LIMIT, || desktop.windows() == [main.clone()]);
    };

    // With its title bar, the window would be larger than the display, so it is maximized.
    wait_for("a window that fits", LIMIT, || {
        property(&desktop, &main, "_NET_WM_STATE").contains("_NET_WM_STATE_MAXIMIZED_VERT")
            && place(&desktop, &main)[3] < 720
    });

    // The projector fills the only display, without a title bar.
    press(&desktop, &main, "F7");
    let full = other(&desktop, &main);
    wait_for("its name", LIMIT, || title(&full).contains("Program"));
    wait_for("a full screen", LIMIT, || {
        property(&desktop, &full, "_NET_WM_STATE").contains("_NET_WM_STATE_FULLSCREEN")
            && place(&desktop, &full) == [0, 0, 1280, 720]
    });
    press(&desktop, &full, "Escape");
    gone("its end");

    // The multiview: a window with a title bar, which closes like any other.
    press(&desktop, &main, "F8");
    let own = other(&desktop, &main);
    wait_for("its name", LIMIT, || title(&own).contains("Multiview"));
    wait_for("its frame", LIMIT, || {
        let extents = property(&desktop, &own, "_NET_FRAME_EXTENTS");
        extents.contains('=') && !extents.ends_with("= 0, 0, 0, 0")
    });
    press(&desktop, &own, "alt+F4");
    gone("its end by the desktop");
    assert!(studio.status().is_none(), "{}", studio.errors());
}

#[test]
fn hotkeys_for_scenes_by_name_act_in_the_other_windows_of_the_program() {
    peers::require!("Xvfb", "dbus-daemon", "openbox", "xdotool", "xprop");
    let desktop = Desktop::start();
    let _manager = desktop.manage();
    let home = tempfile::tempdir().unwrap();
    let settings = "version = 2
video = 'test'
audio = 'silence'
[window]
language = 'en'
[hotkeys.keys]
program-window = 'F7'
'scene:One' = 'F9'
'scene:Two' = 'F10'
[panels.layouts]
simple = 'row(* program, 304 column(* broadcast, 120 controls)); mixer 360x300'
[collection]
current = 'One'
transition = 'cut'
[[collection.scenes]]
name = 'One'
[[collection.scenes.items]]
main = true
[[collection.scenes]]
name = 'Two'
[[collection.scenes.items]]
main = true
";
    let mut studio = desktop.studio(home.path(), settings, "info");
    let main = desktop.shown(&mut studio);
    let current = |name: &str| {
        let kept = std::fs::read_to_string(home.path().join("settings.toml")).unwrap();
        kept.contains(&format!("current = \"{name}\""))
    };
    let named = |name: &str| {
        let mut found = None;
        wait_for(name, LIMIT, || {
            let named = |it: &String| property(&desktop, it, "_NET_WM_NAME").contains(name);
            found = desktop.windows().into_iter().filter(|it| *it != main).find(named);
            found.is_some()
        });
        found.unwrap()
    };
    let panel = named("Audio mixer");
    press(&desktop, &panel, "F10");
    wait_for("the other scene", LIMIT, || current("Two"));
    press(&desktop, &main, "F7");
    let projector = named("Program");
    press(&desktop, &projector, "F9");
    wait_for("the first scene", LIMIT, || current("One"));
    assert!(studio.status().is_none(), "{}", studio.errors());
}

/// The color on the display at this place, as red, green and blue.
fn color_at(desktop: &Desktop, [x, y]: [i32; 2]) -> [u8; 3] {
    let (connection, screen) = x11rb::connect(Some(&desktop.display())).unwrap();
    let root = connection.setup().roots[screen].root;
    let (x, y) = (x as i16, y as i16);
    let image = connection.get_image(ImageFormat::Z_PIXMAP, root, x, y, 1, 1, u32::MAX);
    let data = image.unwrap().reply().unwrap().data;
    [data[2], data[1], data[0]]
}

#[test]
fn a_program_that_is_shown_larger_keeps_its_colors() {
    peers::require!("Xvfb", "openbox", "xdotool", "xprop", "dbus-daemon");
    let desktop = Desktop::start();
    let _manager = desktop.manage();
    let home = tempfile::tempdir().unwrap();
    let settings =
        "version = 2\nvideo = \"color:#c08040\"\naudio = \"tone\"\n[quality]\nsize = \"320x180\"\n";
    let mut studio = desktop.studio(home.path(), settings, "info");
    let window = desktop.shown(&mut studio);
    let [left, top, width, height] = place(&desktop, &window);
    let middle = [left + width / 2, top + height / 2];
    // 8-bit video and its conversions cost a few steps.
    let close = |color: [u8; 3]| {
        color.iter().zip([0xC0, 0x80, 0x40]).all(|(is, wanted): (_, u8)| is.abs_diff(wanted) < 8)
    };
    wait_for("the color of the source", LIMIT, || close(color_at(&desktop, middle)));
}
