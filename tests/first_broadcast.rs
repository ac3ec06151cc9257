//! Test of a first broadcast in the real window, by keyboard, on a virtual display. The test types
//! the server URL and the stream key and presses *Go Live*. nginx-rtmp records the stream, and the
//! same window plays it. Closing the window asks for confirmation, and *Stop* ends the broadcast.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use crate::peers::desktop::Desktop;
use crate::peers::{self, LIMIT, Nginx, ffmpeg, wait_for};

const KEY: &str = "Pl4nted-k3y";

/// The number of clients of this stream, its publisher included.
fn clients(nginx: &Nginx) -> usize {
    let stat = nginx.stat();
    let name = format!("<name>{KEY}</name>");
    let stream = stat.split("<stream>").skip(1).find(|part| part.contains(&name));
    stream.map_or(0, |part| part.matches("<client>").count())
}

/// No file contains the key, except the key file, which other users cannot read.
fn look_in(folder: &Path) {
    use std::os::unix::fs::PermissionsExt;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            look_in(&path);
        } else if !path.is_file() {
            // The socket with which later starts reach this one.
        } else if path.ends_with("keys.toml") {
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o077, 0);
        } else {
            let text = fs::read(&path).unwrap();
            let text = String::from_utf8_lossy(&text);
            assert!(!text.contains(KEY), "{} holds the key", path.display());
        }
    }
}

/// Acts until the effect shows, at most twice.
fn until(what: &str, shows: &dyn Fn() -> bool, act: &dyn Fn()) {
    for _ in 0..2 {
        act();
        let begun = Instant::now();
        while begun.elapsed() < LIMIT / 2 {
            if shows() {
                return;
            }
            thread::sleep(Duration::from_millis(20));
        }
    }
    panic!("in vain: {what}");
}

#[test]
fn a_streamer_types_a_server_and_a_key_and_is_on_air() {
    peers::in_real_time!(a_streamer_types_a_server_and_a_key_and_is_on_air);
    peers::require!(
        "Xvfb",
        "dbus-daemon",
        "openbox",
        "xdotool",
        "xprop",
        "nginx",
        "ffmpeg",
        "ffprobe"
    );
    let nginx = Nginx::start();
    let desktop = Desktop::start();
    let _manager = desktop.manage();
    // The test source and tone, small; a target from an earlier run whose key was not kept.
    let home = tempfile::tempdir().unwrap();
    let settings = home.path().join("settings.toml");
    let text = "version = 2\nvideo = \"test\"\naudio = \"tone\"\n\
                quality = { size = \"320x180\", fps = \"25\", video_bitrate = 500000 }\n\
                window = { recording_folder = FOLDER, reduced_motion = true }\n\
                targets = [\n  { enabled = false },\n  { server = \"rtmp://127.0.0.1:9/old\" },\n]\n";
    let text = text.replace("FOLDER", &format!("{:?}", home.path()));
    let mut window = desktop.studio(home.path(), &text, "trace");
    let id = desktop.shown(&mut window);
    desktop.output_of("xdotool", &["windowactivate", "--sync", &id]);
    let press = |key: &str| drop(desktop.output_of("xdotool", &["key", key]));
    let typed = |text: &str| drop(desktop.output_of("xdotool", &["type", "--delay", "0", text]));
    let kept = || fs::read_to_string(&settings).unwrap();

    // Without a key, *Go Live* moves the focus to the key field; the server field is before it. The
    // test cannot see the focus, so a window that was too slow gets the keys once more.
    let server = nginx.url("recorded", "").trim_end_matches('/').to_owned();
    let address = format!("127.0.0.1:{}/recorded\"", nginx.port);
    let pause = || thread::sleep(Duration::from_millis(500));
    until("the address in the settings", &|| kept().contains(&address), &|| {
        press("ctrl+l");
        pause();
        press("shift+Tab");
        pause();
        press("ctrl+a");
        typed(&server);
        press("Tab");
        press("ctrl+a");
        typed(KEY);
    });
    press("ctrl+l");
    nginx.wait_published(KEY);

    // Foreign software reads the stream while it is on air.
    let live = ffmpeg::probe(nginx.url("recorded", KEY));
    assert_eq!(live.warnings, "");
    assert_eq!(
        (&live.stream("video")["codec_name"], &live.stream("video")["width"]),
        (&"h264".into(), &320.into())
    );
    assert_eq!(live.stream("audio")["codec_name"], "aac");

    // The key appears nowhere.
    let title = desktop.output_of("xprop", &["-id", &id, "_NET_WM_NAME", "WM_NAME"]);
    let processes = Command::new("ps").args(["-eo", "args"]).output().unwrap();
    assert!(!title.contains(KEY), "{title}");
    assert!(!String::from_utf8_lossy(&processes.stdout).contains(KEY));
    look_in(home.path());

    // The same window plays the stream back: the page opens with the focus in its address field.
    let before = clients(&nginx);
    until("the player at nginx", &|| clients(&nginx) > before, &|| {
        press("ctrl+2");
        pause();
        press("ctrl+a");
        typed(&nginx.url("recorded", KEY));
        press("Return");
    });
    // S saves a screenshot, once there is a frame.
    let kept_picture = || {
        let mut files = fs::read_dir(home.path()).unwrap().map(|entry| entry.unwrap().path());
        files.find(|path| path.extension().is_some_and(|it| it == "png"))
    };
    wait_for("a picture of it", LIMIT, || {
        press("s");
        kept_picture().is_some_and(|file| fs::metadata(file).is_ok_and(|it| it.len() > 1_000))
    });
    let shown = ffmpeg::probe(kept_picture().unwrap());
    assert_eq!(shown.stream("video")["width"], 320);

    // Closing the window asks first while the stream is on air, and the stream continues.
    press("alt+F4");
    thread::sleep(Duration::from_secs(1));
    assert!(nginx.is_published(KEY) && window.status().is_none(), "{}", window.errors());
    press("Escape");
    // *Stop* asks too. A few frames later it is the control after the focused one.
    for _ in 0..5 {
        press("ctrl+1");
        for key in ["ctrl+l", "Tab", "Return"] {
            press(key);
            thread::sleep(Duration::from_millis(500));
        }
        // The same keys would start the next broadcast.
        let begun = Instant::now();
        while nginx.is_published(KEY) && begun.elapsed() < LIMIT / 4 {
            thread::sleep(Duration::from_millis(20));
        }
        if !nginx.is_published(KEY) {
            break;
        }
    }
    nginx.wait_unpublished(KEY);
    press("alt+F4");
    assert_eq!(window.wait(LIMIT).code(), Some(0), "{}", window.errors());
    assert!(!window.errors().contains(KEY), "the log holds the key");

    // The file that nginx recorded.
    let file = nginx.recordings().join(format!("{KEY}.flv"));
    let probe = ffmpeg::probe(&file);
    assert_eq!(probe.warnings, "");
    assert_eq!(ffmpeg::decode(&file), "");
    let (pictures, sounds) = (probe.packets("video"), probe.packets("audio"));
    assert!(pictures[0].keyframe && (pictures[0].pts - sounds[0].pts).abs() <= 0.05);
    for packets in [&pictures, &sounds] {
        assert!(packets.windows(2).all(|pair| pair[0].dts < pair[1].dts), "DTS not monotonic");
    }
}
