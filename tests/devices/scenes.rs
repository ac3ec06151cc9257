//! Tests of cameras in scenes on the air. However many scenes and sources show a camera, onair
//! opens it once. The tests cover each format and setting, and cameras that are unplugged, plugged
//! in, stalled, black or frozen. Runs in a machine that has cameras: `tests/rigs/camera.sh`.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::Duration;

use onair::base::{Clock, Stop, Timestamp};
use onair::capture;
use serde_json::Value;

use super::camera::{await_camera, tell};
use super::{LIMIT, Program};

fn wait<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let clock = Clock::start();
    loop {
        if let Some(found) = look() {
            eprintln!("  {what} after {:?}", clock.now());
            return found;
        }
        assert!(clock.now() < Timestamp::ZERO + LIMIT, "never: {what}");
        Stop::new().wait(Duration::from_millis(20));
    }
}

/// `onair live` with a scene collection, its standard input, and its output.
struct Live {
    child: Child,
    control: ChildStdin,
    folder: PathBuf,
    /// The number of events that were already checked.
    seen: usize,
}

impl Live {
    fn start(folder: &Path, settings: &str, scene: &str) -> Self {
        let path = |name: &str| folder.join(name);
        fs::write(path("settings.toml"), settings).unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_onair"))
            .args(["live", "--json", "--log", "debug", "--control", "--scene", scene])
            .args(["--video", "none", "--audio", "tone", "--size", "320x180", "--fps", "15"])
            .arg("--settings")
            .arg(path("settings.toml"))
            .arg("--record")
            .arg(path("out.mkv"))
            .env("XDG_STATE_HOME", folder)
            .env("XDG_CONFIG_HOME", folder)
            .env("NO_COLOR", "1")
            .stdin(Stdio::piped())
            .stdout(File::create(path("events")).unwrap())
            .stderr(File::create(path("log")).unwrap())
            .spawn()
            .unwrap();
        let control = child.stdin.take().unwrap();
        Self { child, control, folder: folder.to_owned(), seen: 0 }
    }

    fn events(&self) -> Vec<Value> {
        let output = fs::read_to_string(self.folder.join("events")).unwrap_or_default();
        let whole = output.rfind('\n').map_or("", |end| &output[..end]);
        whole.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    /// Waits for the next matching event after those that earlier calls returned.
    fn next(&mut self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let begin = self.seen;
        let (number, event) = wait(what, || {
            let events = self.events();
            let found = events.iter().enumerate().skip(begin).find(|(_, event)| wanted(event));
            found.map(|(number, event)| (number, event.clone()))
        });
        self.seen = number + 1;
        event
    }

    fn notice(&mut self, key: &str, name: &str) -> String {
        let named = |event: &Value| event["summary"].as_str().is_some_and(|it| it.contains(name));
        let found = self.next(&format!("{key} of {name}"), |event| {
            event["event"] == "notice" && event["key"] == key && named(event)
        });
        let summary = found["summary"].as_str().unwrap().to_owned();
        eprintln!("    {summary} {}", found["advice"].as_str().unwrap_or_default());
        summary
    }

    /// Waits for `count` more seconds of the program.
    fn seconds(&mut self, count: u32) {
        (0..count).for_each(|_| drop(self.next("a second", |event| event["event"] == "stats")));
    }

    fn scene(&mut self, name: &str) {
        writeln!(self.control, "scene {name}").unwrap();
        self.next(&format!("scene {name}"), |event| {
            event["event"] == "scene" && event["name"] == name
        });
    }

    /// Returns the log lines about each time that a camera was opened, which name its format.
    fn opened(&self, id: &str) -> Vec<String> {
        let log = fs::read_to_string(self.folder.join("log")).unwrap_or_default();
        let of = |line: &&str| line.contains("opening camera=") && line.contains(id);
        log.lines().filter(of).map(str::to_owned).collect()
    }

    /// Stops the broadcast. Returns the recording and the number of skipped frames.
    fn stop(mut self) -> (PathBuf, u64) {
        writeln!(self.control, "stop").unwrap();
        self.next("the end", |event| event["event"] == "summary");
        assert!(self.child.wait().unwrap().success());
        let events = self.events();
        let skipped = events.iter().filter_map(|event| event["video"]["skipped"].as_u64());
        (self.folder.join("out.mkv"), skipped.max().unwrap_or(0))
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            for name in ["events", "log"] {
                let text = fs::read_to_string(self.folder.join(name)).unwrap_or_default();
                let lines: Vec<&str> = text.lines().collect();
                eprintln!("{name}:\n{}", lines[lines.len().saturating_sub(60)..].join("\n"));
            }
        }
    }
}

/// Returns the presentation times of a recording's track in seconds, in file order.
fn times(file: &Path, track: &str) -> Vec<f64> {
    let output = Command::new("ffprobe")
        .args(["-v", "error", "-select_streams", track, "-show_entries", "packet=pts_time"])
        .args(["-of", "csv=p=0"])
        .arg(file)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines().filter_map(|line| line.trim_matches(',').parse().ok()).collect()
}

/// Returns the mean color of a 16×16 box in each frame.
fn colors(file: &Path, x: u32, y: u32) -> Vec<[u8; 3]> {
    let filter = format!("crop=16:16:{x}:{y},scale=1:1:flags=area,format=rgb24");
    let output = Command::new("ffmpeg")
        .args(["-hide_banner", "-nostdin", "-v", "error", "-i"])
        .arg(file)
        .args(["-an", "-fps_mode", "passthrough", "-vf", &filter, "-f", "rawvideo", "-"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout.chunks_exact(3).map(|rgb| [rgb[0], rgb[1], rgb[2]]).collect()
}

/// Returns runs of frames with and without a color, each with its length.
fn runs(colors: &[[u8; 3]], is: impl Fn(&[u8; 3]) -> bool) -> Vec<(bool, usize)> {
    let mut runs: Vec<(bool, usize)> = Vec::new();
    for color in colors {
        match runs.last_mut() {
            Some((before, count)) if *before == is(color) => *count += 1,
            _ => runs.push((is(color), 1)),
        }
    }
    runs
}

/// Checks that the times of both tracks always increase. Of the 15 frames per second, only those
/// that onair reported as skipped may be missing, plus one.
fn never_stops(file: &Path, skipped: u64) {
    for (track, rate) in [("v:0", 15.0), ("a:0", 48_000.0 / 1_024.0)] {
        let times = times(file, track);
        assert!(times.len() > 50, "{track}: {}", times.len());
        let steps: Vec<f64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert!(steps.iter().all(|step| *step > 0.0), "{track} steps back");
        let missing: f64 = steps.iter().map(|step| (step * rate).round() - 1.0).sum();
        eprintln!("  {track}: {} packets, {missing} missing, {skipped} skipped", times.len());
        let excused = if track == "v:0" { skipped as f64 + 1.0 } else { 0.0 };
        assert!(missing <= excused, "{track}: {missing} of {excused}");
    }
}

fn settings(cameras: &[(&str, &str)], scenes: &str, more: &str) -> String {
    let sources = cameras.iter().map(|(name, id)| {
        // The second source of the same camera has a filter.
        let filters = if name.ends_with('2') { "filters = [{ kind = 'sharpen' }]\n" } else { "" };
        format!("[[collection.sources]]\nname = '{name}'\nsource = 'camera:{id}'\n{filters}")
    });
    let sources: String = sources.collect();
    format!("[collection]\ntransition = 'cut'\n{scenes}{sources}{more}")
}

const SCENES: &str = "
[[collection.scenes]]
name = 'Wide'
[[collection.scenes.items]]
source = 'Face'
fit = 'cover'
[[collection.scenes]]
name = 'Corner'
[[collection.scenes.items]]
source = 'Desk'
fit = 'cover'
[[collection.scenes.items]]
source = 'Face 2'
x = 0.6
y = 0.0
width = 0.4
height = 0.4
fit = 'cover'
[[collection.scenes.items]]
source = 'Wall'
x = 0.0
y = 0.6
width = 0.4
height = 0.4
fit = 'cover'
";

fn feed(device: &str, picture: &str, codec: &[&str]) -> Program {
    let input = format!("{picture}s=640x360:r=30");
    let codec = codec.join(" ");
    Program::start(&format!("ffmpeg -v error -re -f lavfi -i {input} {codec} -f v4l2 {device}"))
}

#[test]
#[ignore = "tests/rigs/camera.sh runs it inside a machine that has test cameras"]
fn inside_scenes() {
    let face = capture::cameras().into_iter().next().unwrap().id;
    // A loopback camera that no process has open cannot be fed again.
    let held = ["/dev/video22", "/dev/video23"].map(|path| File::open(path).unwrap());
    let (raw, jpeg) = (["-c:v", "rawvideo", "-pix_fmt", "nv12"], ["-c:v", "mjpeg"]);
    let desk_feeder = feed("/dev/video22", "testsrc2=", &raw);
    let wall_feeder = feed("/dev/video23", "testsrc2=", &jpeg);
    let desk = await_camera("virtual-video22").id;
    let wall = await_camera("virtual-video23").id;
    Stop::new().wait(Duration::from_millis(1_500));
    let cameras = [
        ("Face", face.as_str()),
        ("Face 2", face.as_str()),
        ("Desk", desk.as_str()),
        ("Wall", wall.as_str()),
    ];
    // A plain red image needs these values. The last value is above the maximum.
    let set = "test_pattern = 7\nosd_text_mode = 2\ncontrast = 100\nsaturation = 9999\n";
    let more = format!("[cameras.\"{face}\"]\n{set}");
    let folder = tempfile::tempdir().unwrap();
    let mut live = Live::start(folder.path(), &settings(&cameras, SCENES, &more), "Wide");

    // Each camera is opened once, in its own format.
    for (id, format) in [(&face, "YUYV"), (&desk, "NV12"), (&wall, "MJPEG")] {
        let opened = wait(&format!("{format} to be opened"), || {
            Some(live.opened(id)).filter(|opened| !opened.is_empty())
        });
        assert!(opened[0].contains(format), "{opened:?}");
    }
    live.seconds(2);
    for scene in ["Corner", "Wide", "Corner"] {
        live.scene(scene);
        live.seconds(1);
    }
    for id in [&face, &desk, &wall] {
        assert_eq!(live.opened(id).len(), 1, "{:?}", live.opened(id));
    }
    let trouble = live
        .events()
        .into_iter()
        .find(|event| event["key"].as_str().is_some_and(|key| key.starts_with("scene-source")));
    assert_eq!(trouble, None);

    // Each control has the value from the settings, or the nearest valid one.
    let value = |name: &str| {
        let controls = capture::controls(&face);
        controls.into_iter().find(|it| it.name == name).map(|it| it.value)
    };
    wait("contrast", || (value("contrast") == Some(100)).then_some(()));
    wait("saturation", || (value("saturation") == Some(255)).then_some(()));

    // The camera is unplugged and plugged in again, twice, while scenes change.
    for scene in ["Wide", "Corner"] {
        tell("camera-unplug", &["0"]);
        let lost = live.notice("scene-source-lost", "Face");
        assert!(lost.contains("Plug the device in again"), "{lost}");
        live.scene(scene);
        live.seconds(1);
        tell("camera-plug", &["0"]);
        live.notice("scene-source-back", "Face");
        live.seconds(2);
    }
    // The control has its value again. A newly plugged-in camera starts with the defaults of its
    // driver.
    wait("contrast again", || (value("contrast") == Some(100)).then_some(()));

    // A camera hangs, and later continues.
    desk_feeder.signal("-STOP");
    let stalled = live.notice("scene-source-lost", "Desk");
    assert!(stalled.contains("is not sending any frames"), "{stalled}");
    live.seconds(3);
    desk_feeder.signal("-CONT");
    live.notice("scene-source-back", "Desk");

    // One camera delivers only black, and the video of another one is frozen.
    drop(wall_feeder);
    live.notice("scene-source-lost", "Wall");
    let wall_feeder = feed("/dev/video23", "color=c=black:", &jpeg);
    live.notice("scene-source-back", "Wall");
    live.notice("video-black", "Wall");
    wait("video-frozen of Face", || {
        let notice = live.events().into_iter().find(|event| event["key"] == "video-frozen")?;
        notice["summary"].as_str()?.contains("Face").then_some(())
    });

    live.scene("Wide");
    live.seconds(2);
    let (file, skipped) = live.stop();
    drop((desk_feeder, wall_feeder, held));
    never_stops(&file, skipped);
    // The camera is red; a placeholder is not.
    let red =
        |[r, g, b]: &[u8; 3]| *r > 90 && *r > g.saturating_add(40) && *r > b.saturating_add(40);
    let middle = runs(&colors(&file, 152, 82), red);
    eprintln!("  red in the middle: {middle:?}");
    assert!(middle.last().is_some_and(|(red, count)| *red && *count > 2), "{middle:?}");
    let corner = runs(&colors(&file, 248, 28), red);
    eprintln!("  red in the corner: {corner:?}");
    // Both scenes show the camera in this corner. While it is unplugged, they show a placeholder.
    assert!(corner.iter().filter(|(red, count)| !red && *count > 1).count() >= 2, "{corner:?}");
    assert!(corner.last().is_some_and(|(red, count)| *red && *count > 2), "{corner:?}");
}
