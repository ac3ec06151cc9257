//! Browser pages as sources, in the system's Chromium, which `onair live` starts in processes of its
//! own. The pages are local files and pages of a server of the test.

use std::fs;
use std::io::Write;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::Value;

use crate::peers::onair::Onair;
use crate::peers::{self, LIMIT, Peer, ffmpeg, missing, wait_for, web};

/// Returns true, and reports it, if a program for these tests is missing.
fn cannot_run() -> bool {
    missing(&["chromium", "ffmpeg"])
}

/// Writes settings with a page over a blue background. `more` is appended to the page's table.
fn settings(folder: &Path, page: &str, more: &str) -> String {
    let path = folder.join("settings.toml");
    let text = format!(
        "audio = 'silence'\n[quality]\nsize = '480x270'\nfps = '30'\n\
         [collection]\ncurrent = 'Show'\n\
         [[collection.sources]]\nname = 'Sea'\nsource = 'color:#0000ff'\n\
         [[collection.sources]]\nname = 'Page'\nsource = 'browser:{page}'\n{more}\n\
         [[collection.scenes]]\nname = 'Show'\n\
         [[collection.scenes.items]]\nsource = 'Sea'\n\
         [[collection.scenes.items]]\nsource = 'Page'\n\
         [[collection.scenes]]\nname = 'Empty'\n\
         [[collection.scenes.items]]\nsource = 'Sea'\n"
    );
    fs::write(&path, text).unwrap();
    path.display().to_string()
}

fn page(folder: &Path, html: &str) -> String {
    let path = folder.join("page.html");
    fs::write(&path, html).unwrap();
    path.display().to_string()
}

/// A broadcast with its own home folder, in which Chromium keeps its profiles.
struct Show {
    onair: Onair,
    folder: tempfile::TempDir,
    url: String,
}

impl Show {
    fn start(html: &str, more: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let page = page(folder.path(), html);
        Self::of(folder, &page, more)
    }

    fn of(folder: tempfile::TempDir, page: &str, more: &str) -> Self {
        let settings = settings(folder.path(), page, more);
        let home = folder.path().display().to_string();
        let data = folder.path().join("data").display().to_string();
        let mut onair = Onair::start_with(
            &["live", "--settings", &settings, "--scene", "Show", "--log", "info"],
            &[("HOME", &home), ("XDG_DATA_HOME", &data)],
        );
        let url = onair.play_url();
        Self { onair, folder, url }
    }

    /// Waits until the page has this state, and returns the event.
    fn wait_state(&mut self, state: &str) -> Value {
        let name = format!("the page is {state}");
        self.onair.wait_event(&name, |event| {
            event["event"] == "source" && event["kind"] == "browser" && event["state"] == state
        })
    }

    /// Waits until viewers see this mean color.
    fn wait_color(&self, wanted: [u8; 3]) {
        let mut seen = [0; 3];
        let is_near = |seen: [u8; 3]| seen.iter().zip(wanted).all(|(a, b)| a.abs_diff(b) <= 12);
        wait_for(&format!("the color {wanted:?}"), LIMIT, || {
            seen = ffmpeg::color(&self.url);
            eprintln!("viewers see {seen:?}");
            is_near(seen)
        });
    }

    /// Returns the processes that use this show's profile folder.
    fn chromium(&self) -> Vec<u32> {
        processes(&self.folder.path().join("data"))
    }
}

/// Returns the processes whose command line contains this folder.
fn processes(folder: &Path) -> Vec<u32> {
    let folder = folder.display().to_string();
    let uses = |path: &PathBuf| {
        let words = fs::read(path.join("cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&words).contains(&folder)
    };
    let all = fs::read_dir("/proc").unwrap().flatten().map(|entry| entry.path());
    all.filter(uses).filter_map(|path| path.file_name()?.to_str()?.parse().ok()).collect()
}

fn kill(process: u32) {
    let number = process.to_string();
    // The process may have ended in the meantime.
    let _ = std::process::Command::new("kill").args(["-KILL", &number]).status();
}

const HALF_RED: &str = "<body><div style='position:fixed;inset:0;background:rgba(255,0,0,.5)'>";

#[test]
fn a_transparent_page_shows_the_layer_below() {
    if cannot_run() {
        return;
    }
    let mut show = Show::start(HALF_RED, "");
    let open = show.wait_state("open");
    assert_eq!((&open["width"], &open["height"]), (&480.into(), &270.into()), "{open}");
    show.wait_color([128, 0, 128]);
    // The profile is of this user only, and no other process sees the address.
    assert!(!show.chromium().is_empty());
    assert!(processes(&show.folder.path().join("page.html")).is_empty());
    assert!(show.onair.stop(LIMIT).success());
    wait_for("the end of Chromium", LIMIT, || show.chromium().is_empty());
}

#[test]
fn size_and_style_are_those_of_the_source() {
    if cannot_run() {
        return;
    }
    let more = "[collection.sources.browser]\nsize = '320x180'\nfps = 10\n\
                css = 'body { background: rgb(0, 255, 0) !important }'";
    let html = "<body style='background: red'><script>if (innerWidth !== 320) \
                document.body.hidden = true</script>";
    let mut show = Show::start(html, more);
    let open = show.wait_state("open");
    assert_eq!((&open["width"], &open["height"]), (&320.into(), &180.into()), "{open}");
    show.wait_color([0, 255, 0]);
}

#[test]
fn a_page_that_ends_on_air_is_replaced_and_comes_back() {
    if cannot_run() {
        return;
    }
    let mut show = Show::start(HALF_RED, "");
    show.wait_state("open");
    show.wait_color([128, 0, 128]);
    for process in show.chromium() {
        kill(process);
    }
    let lost = show.wait_state("lost");
    assert!(!lost["reason"].as_str().unwrap().is_empty(), "{lost}");
    show.onair.wait_named("stats");
    let seen = show.onair.events().len();
    wait_for("the page again", LIMIT, || {
        show.onair.events_after(seen).iter().any(|event| event["state"] == "open")
            || show.onair.events().iter().filter(|event| event["state"] == "back").count() > 0
    });
    show.wait_color([128, 0, 128]);
    assert!(show.onair.stop(LIMIT).success());
}

#[test]
fn chromium_ends_when_onair_is_killed() {
    if cannot_run() {
        return;
    }
    let mut show = Show::start(HALF_RED, "");
    show.wait_state("open");
    assert!(!show.chromium().is_empty());
    show.onair.peer.signal("KILL");
    wait_for("the end of Chromium", LIMIT, || show.chromium().is_empty());
}

#[test]
fn a_page_that_never_answers_is_replaced() {
    if cannot_run() {
        return;
    }
    let html = "<body style='background: red'><script>setTimeout(() => { while (true) {} }, 500)\
                </script>";
    let mut show = Show::start(html, "");
    let lost = show.wait_state("lost");
    assert!(lost["reason"].as_str().unwrap().contains("not responded"), "{lost}");
    assert!(show.onair.stop(LIMIT).success());
}

#[test]
fn a_page_that_uses_too_much_memory_is_replaced() {
    if cannot_run() {
        return;
    }
    // Outside of the JavaScript heap, for which Chromium has a limit of its own.
    let html = "<body><script>const all = []; setInterval(() => { \
                all.push(new Uint8Array(64 << 20).fill(1)) }, 50)</script>";
    let mut show = Show::start(html, "");
    let lost = show.onair.wait_event("the end of the page", |event| {
        event["event"] == "source"
            && event["kind"] == "browser"
            && (event["state"] == "lost" || event["state"] == "failed")
    });
    let reason = lost["reason"].as_str().unwrap();
    assert!(reason.contains("memory") || reason.contains("crashed"), "{lost}");
    assert!(show.onair.stop(LIMIT).success());
}

#[test]
fn dialogs_windows_and_downloads_do_not_stop_a_page() {
    if cannot_run() {
        return;
    }
    // Green only if every step was answered at once, and gave nothing.
    let html = "<body style='background: red'><a id=a href='data:application/zip,x' download=x>\
                </a><script>alert(1); const no = confirm(2) || prompt(3); \
                let other = null; try { other = open('about:blank') } catch (e) {} \
                document.getElementById('a').click(); \
                document.body.style.background = no || other ? 'red' : 'rgb(0,255,0)'\
                </script>";
    let more = "[collection.sources.browser]\ncss = ''";
    let show = Show::start(html, more);
    show.wait_color([0, 255, 0]);
    let home = fs::read_dir(show.folder.path()).unwrap().flatten();
    let names: Vec<_> = home.map(|entry| entry.file_name()).collect();
    assert!(!names.iter().any(|name| name == "x" || name == "Downloads"), "{names:?}");
}

#[test]
fn a_page_of_the_web_reaches_neither_files_nor_the_local_network() {
    if cannot_run() {
        return;
    }
    let secret = Arc::new(AtomicUsize::new(0));
    let reached = Arc::clone(&secret);
    let other = web::canned(move |_, stream| {
        reached.fetch_add(1, Ordering::Relaxed);
        answer(stream, "image/svg+xml", "<svg/>");
    });
    let (folder, private) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let file = private.path().join("private.png");
    image::RgbImage::new(8, 8).save(&file).unwrap();
    // The address that the user entered is allowed; another port of this computer is not.
    let html = format!(
        "<body style='background: red'><script>
         const image = src => new Promise(done => {{ const it = new Image();
           it.onload = () => done(true); it.onerror = () => done(false); it.src = src }});
         const socket = new Promise(done => {{ const it = new WebSocket('ws://127.0.0.1:{other}/');
           it.onopen = () => done(true); it.onerror = () => done(false) }});
         Promise.all([image('file://{}'), image('http://127.0.0.1:{other}/'),
           image('http://localhost:{other}/'), socket, image('/own')]).then(all =>
             document.body.style.background =
               String(all) === 'false,false,false,false,true' ? 'rgb(0,255,0)' : 'red')
         </script>",
        file.display()
    );
    let port = web::canned(move |request, stream| match request.contains("GET /own ") {
        true => answer(stream, "image/svg+xml", SVG),
        false => answer(stream, "text/html", &html),
    });
    let more = "[collection.sources.browser]\ncss = ''";
    let show = Show::of(folder, &format!("http://127.0.0.1:{port}/"), more);
    show.wait_color([0, 255, 0]);
    assert_eq!(secret.load(Ordering::Relaxed), 0);
}

const SVG: &str = "<svg xmlns='http://www.w3.org/2000/svg' width='8' height='8'/>";

fn answer(stream: &mut TcpStream, kind: &str, body: &str) {
    let length = body.len();
    let _ = write!(
        stream,
        "HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\
         Connection: close\r\n\r\n{body}"
    );
}

#[test]
fn clicks_and_keys_reach_the_page_where_they_are_meant() {
    if cannot_run() {
        return;
    }
    // Red grows with the clicks on the button at the lower right, green is 255 once the field contains
    // the text and Enter was pressed, and blue shows the wheel.
    let html =
        "<body style='margin:0'><input id=field style='position:fixed;left:0;top:0;width:200px;\
        height:40px'><button id=button style='position:fixed;left:400px;top:200px;width:80px;\
        height:70px'></button><script>let clicks = 0, entered = 0, turned = 0;
        const show = () => document.body.style.background =
          `rgb(${Math.min(clicks * 85, 255)},${entered},${turned})`; show();
        button.onclick = () => { clicks++; show() };
        document.body.onmousedown = e => { if (e.target === document.body) { clicks = 9; show() } };
        field.onkeydown = e => { if (e.key === 'Enter' && e.isTrusted)
          { entered = field.value === 'Hi: you' ? 255 : 60; show() } };
        onwheel = e => { turned = e.deltaY === 120 ? 255 : 60; show() }</script>";
    let more = "[collection.sources.browser]\ncss = 'body > * { opacity: 0 }'";
    let folder = tempfile::tempdir().unwrap();
    let page = page(folder.path(), html);
    let settings = settings(folder.path(), &page, more);
    let data = folder.path().join("data").display().to_string();
    let mut command = Command::new(env!("CARGO_BIN_EXE_onair"));
    command.args(["live", "--settings", &settings, "--scene", "Show", "--control", "--json"]);
    command.env_remove("DISPLAY").env_remove("WAYLAND_DISPLAY").env("XDG_DATA_HOME", data);
    command.env("XDG_CACHE_HOME", folder.path()).env("XDG_STATE_HOME", folder.path());
    let (peer, mut keyboard) = Peer::start_with_input(&mut command);
    let mut onair = Onair::of(peer, tempfile::tempdir().unwrap());
    let url = onair.play_url();
    let mut show = Show { onair, folder, url };
    let mut tell = |line: &str| writeln!(keyboard, "{line}").unwrap();
    show.wait_state("open");
    show.wait_color([0, 0, 0]);
    tell("page click Page: 440 235");
    tell("page click Page: 440 235 right");
    show.wait_color([85, 0, 0]);
    tell("page double-click Page: 440 235");
    show.wait_color([255, 0, 0]);
    tell("page click Page: 100 20");
    tell("page type Page: no");
    tell("page key Page: Ctrl+a");
    tell("page type Page: Hi: yoX");
    tell("page key Page: Backspace");
    tell("page type Page: u");
    tell("page key Page: Enter");
    show.wait_color([255, 255, 0]);
    tell("page scroll Page: 100 100 120");
    show.wait_color([255, 255, 255]);
    tell("page click Sea: 1 1");
    let refused = show
        .onair
        .wait_event("the refusal", |event| event["event"] == "control" && event["ok"] == false);
    assert!(refused.to_string().contains("not a browser page"), "{refused}");
    tell("page refresh Page");
    show.wait_color([0, 0, 0]);
}

#[test]
fn a_redirect_to_a_file_shows_nothing_of_it() {
    if cannot_run() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let port = web::canned(|_, stream| {
        let _ = stream.write_all(
            b"HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\nContent-Length: 0\r\n\
              Connection: close\r\n\r\n",
        );
    });
    let mut show = Show::of(folder, &format!("http://127.0.0.1:{port}/"), "");
    let failed = show.wait_state("failed");
    assert!(failed["reason"].as_str().unwrap().contains("ERR_UNSAFE_REDIRECT"), "{failed}");
}

#[test]
fn ten_pages_at_once_come_back_after_every_kill_and_the_program_goes_on() {
    if cannot_run() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut text = String::from(
        "audio = 'silence'\n[quality]\nsize = '320x180'\nfps = '30'\n\
         [collection]\ncurrent = 'Show'\n",
    );
    let mut items = String::from("[[collection.scenes]]\nname = 'Show'\n");
    for number in 0..10 {
        let path = folder.path().join(format!("page{number}.html"));
        fs::write(&path, HALF_RED).unwrap();
        text.push_str(&format!(
            "[[collection.sources]]\nname = 'P{number}'\nsource = 'browser:{}'\n\
             [collection.sources.browser]\nsize = '160x90'\nfps = 5\n",
            path.display()
        ));
        items.push_str(&format!("[[collection.scenes.items]]\nsource = 'P{number}'\n"));
    }
    let settings = folder.path().join("settings.toml");
    fs::write(&settings, text + &items).unwrap();
    let (home, data) = (folder.path().display().to_string(), folder.path().join("data"));
    let mut onair = Onair::start_with(
        &["live", "--settings", &settings.display().to_string(), "--scene", "Show", "--built-in"],
        &[("HOME", &home), ("XDG_DATA_HOME", &data.display().to_string())],
    );
    // Ten starts of Chromium take their time; they are no event of the program.
    let is_open = |event: &Value| {
        event["event"] == "source"
            && event["kind"] == "browser"
            && (event["state"] == "open" || event["state"] == "back")
    };
    let mut expected = 10;
    wait_for("ten pages", 3 * LIMIT, || {
        onair.events().iter().filter(|event| is_open(event)).count() >= expected
    });
    let captured = |onair: &Onair| {
        let all = onair.events();
        let last = all.iter().rev().find(|event| event["event"] == "stats");
        last.and_then(|event| event["video"]["captured"].as_u64()).unwrap_or_default()
    };
    for _ in 0..3 {
        for process in processes(&data) {
            kill(process);
        }
        // Each page is lost, and comes back by itself. Whether frames are late meanwhile depends on the
        // computer, on which ten Chromiums start at once; that they go on does not.
        let before = captured(&onair);
        wait_for("frames of the program", LIMIT, || captured(&onair) > before + 30);
        expected += 10;
        wait_for("ten pages again", 3 * LIMIT, || {
            onair.events().iter().filter(|event| is_open(event)).count() >= expected
        });
    }
    assert!(onair.stop(LIMIT).success());
    wait_for("the end of Chromium", LIMIT, || processes(&data).is_empty());
}

#[test]
fn an_animation_reaches_viewers_at_its_rate() {
    if cannot_run() {
        return;
    }
    peers::in_real_time!(an_animation_reaches_viewers_at_its_rate);
    // The gray value counts frames.
    let html = "<body><canvas id=c width=480 height=270></canvas><script>
        const pen = c.getContext('2d'); let n = 0;
        const draw = () => { const v = 40 + n++ % 160; pen.fillStyle = `rgb(${v},${v},${v})`;
          pen.fillRect(0, 0, 480, 270); requestAnimationFrame(draw) }; draw()</script>";
    let folder = tempfile::tempdir().unwrap();
    let page = page(folder.path(), html);
    let settings = settings(folder.path(), &page, "");
    let file = folder.path().join("show.mkv");
    let data = folder.path().join("data").display().to_string();
    let mut onair = Onair::start_with(
        &[
            "live",
            "--settings",
            &settings,
            "--scene",
            "Show",
            "--duration",
            "12s",
            "--record",
            &file.display().to_string(),
        ],
        &[("XDG_DATA_HOME", &data)],
    );
    onair.peer.wait_success(Duration::from_secs(60));
    let luma = ffmpeg::luma(&file);
    let frames: Vec<u8> =
        luma.chunks_exact(480 * 270).map(|frame| frame[480 * 135 + 240]).collect();
    let changes = frames.windows(2).filter(|two| two[0] != two[1]).count();
    // Chromium needs a few seconds to start; then almost every frame differs from the last one.
    assert!(frames.len() >= 300 && changes >= 120, "{changes} of {}", frames.len());
}
