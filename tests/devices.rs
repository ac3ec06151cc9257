//! Microphone and speakers against a real PulseAudio daemon (`tests/rigs/pulse.sh`), and the camera
//! against a real Video4Linux device where `tests/rigs/camera.sh` has started this test inside a
//! machine that has one.
//!
//! The rigs set the environment before the process starts: each test starts this program again
//! inside its rig, where the part named `inside_…` runs.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "test code: a panic is how it fails"
)]

#[path = "devices/told.rs"]
mod told;

use std::fs::File;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use onair::audio::{self, AudioChoice, output::Output};
use onair::base::queue::{self, Full, Receiver};
use onair::base::{Clock, Latest, Stop, Timestamp};
use onair::capture::{self, VideoChoice};
use onair::compose::{self, Compositor};
use onair::media::source::{Format, Report, State, Status};
use onair::media::{FrameGrid, FrameRate, Samples, Size, VideoFrame};
use onair::mix::{self, Mixer, Strip, StripId};

const LIMIT: Duration = Duration::from_secs(30);

/// Whether this process was started inside a rig.
fn inside(rig: &str) -> bool {
    std::env::var("ONAIR_SOUND_RIG").is_ok_and(|found| found == rig)
}

/// Starts a part of this program inside a rig that needs these programs.
fn in_the_rig(rig: &str, programs: &[&str], part: &str) {
    let missing = programs.iter().find(|program| {
        let found = Command::new("sh").args(["-c", &format!("command -v {program}")]).output();
        !found.is_ok_and(|found| found.status.success())
    });
    if let Some(program) = missing {
        assert!(std::env::var_os("CI").is_none(), "{program} is missing");
        eprintln!("SKIPPED: {program} is not installed; {part} is not tested");
        return;
    }
    let output = Command::new("bash")
        .arg(format!("{}/tests/rigs/{rig}.sh", env!("CARGO_MANIFEST_DIR")))
        .args(["run", "--"])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", part, "--nocapture", "--test-threads=1"])
        .output()
        .unwrap();
    eprint!("{}", String::from_utf8_lossy(&output.stderr));
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
}

#[test]
fn sound_devices_of_a_real_server() {
    in_the_rig("pulse", &["pulseaudio", "pactl"], "inside_pulse");
}

#[test]
fn what_is_told_of_microphones_of_a_real_server() {
    in_the_rig("pulse", &["pulseaudio", "pactl", "ffprobe"], "told::inside_pulse_told");
}

#[test]
fn one_application_of_another_server() {
    let programs = ["pipewire", "wireplumber", "pipewire-pulse", "pactl", "dbus-run-session"];
    in_the_rig("pipewire", &programs, "inside_pipewire");
}

#[test]
fn inside_pipewire() {
    if inside("pipewire") {
        one_application(Clock::start());
    }
}

fn grid() -> FrameGrid {
    FrameGrid { origin: Timestamp::ZERO, rate: FrameRate::FPS_30 }
}

fn await_state(changes: &Receiver<Report>, state: State) -> Report {
    let clock = Clock::start();
    while clock.now() < Timestamp::ZERO + LIMIT {
        if let Ok(report) = changes.recv_timeout(Duration::from_millis(100)) {
            eprintln!("  {:?} {} {}", report.state, report.name, report.detail);
            if report.state == state {
                return report;
            }
        }
    }
    panic!("never {state:?}");
}

/// Amplitude of a frequency in the left channel.
fn amplitude(sound: &[f32], hertz: f64) -> f64 {
    let (mut re, mut im) = (0.0, 0.0);
    let frames = sound.len() / 2;
    for (index, frame) in sound.chunks_exact(2).enumerate() {
        let phase = index as f64 * hertz / 48_000.0 * std::f64::consts::TAU;
        re += f64::from(frame[0]) * phase.cos();
        im += f64::from(frame[0]) * phase.sin();
    }
    re.hypot(im) * 2.0 / frames as f64
}

/// Keeps an output full of a 660 Hz tone until told to stop.
fn hum(mut output: Output, stop: &Stop) {
    let mut index = 0_u32;
    while !stop.wait(Duration::from_millis(5)) {
        while output.queued_time() < Duration::from_millis(250) && output.failed().is_none() {
            let block: Vec<f32> = (0..480)
                .flat_map(|_| {
                    let phase = f64::from(index % 48_000) * 660.0 / 48_000.0;
                    index += 1;
                    [(phase * std::f64::consts::TAU).sin() as f32 * 0.5; 2]
                })
                .collect();
            if output.write(&block) == 0 {
                break;
            }
        }
    }
}

fn pactl(arguments: &[&str]) -> String {
    let output = Command::new("pactl").args(arguments).output().unwrap();
    assert!(output.status.success(), "pactl {arguments:?}");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// The number of the module whose arguments contain a text.
fn module(text: &str) -> String {
    let listed = pactl(&["list", "short", "modules"]);
    let line = listed.lines().find(|line| line.contains(text)).unwrap();
    line.split_whitespace().next().unwrap().to_owned()
}

/// Where no program has ever met the sound server, there is no cookie to greet it with.
fn a_new_home_hears_them_too() {
    let home = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_onair"));
    command.args(["devices", "--json"]).env("HOME", home.path());
    for name in ["XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME"] {
        command.env_remove(name);
    }
    let said = command.env_remove("PULSE_COOKIE").output().unwrap();
    let said = String::from_utf8_lossy(&said.stdout);
    assert!(said.contains("Rig_Microphone") && said.contains("Rig_Speakers"), "{said}");
}

#[test]
fn inside_pulse() {
    if !inside("pulse") {
        return;
    }
    let clock = Clock::start();
    let microphones = audio::microphones();
    let speakers = audio::speakers();
    eprintln!("  microphones {microphones:?}\n  speakers {speakers:?}");
    assert_eq!(microphones.len(), 1, "monitors are left out");
    assert!(microphones[0].default && microphones[0].name.contains("Rig_Microphone"));
    assert!(speakers[0].default && speakers[0].name.contains("Rig_Speakers"));
    a_new_home_hears_them_too();
    let feed_sink = speakers.iter().find(|s| s.name.contains("Rig_Feed")).unwrap();

    // What is played into the feed is heard by the microphone.
    let output = Output::open(Some(&feed_sink.id), 48_000, 2, clock).unwrap();
    let player = onair::base::Worker::spawn("hum", move |stop| hum(output, stop)).unwrap();
    let heard = Heard::open(clock, &AudioChoice::Mic(None));
    let Heard { changes, status, rx, mixer } = &heard;
    let open = await_state(changes, State::Open);
    assert!(open.name.contains("Rig_Microphone"), "{open:?}");
    hear(rx, 660.0);
    // Continuous from now on: no block short, no gap in time.
    let before = mixer.figures();
    let mut sound = Vec::new();
    let mut end = None;
    let mut lag = Vec::new();
    for _ in 0..500 {
        let block: Samples = rx.recv_timeout(LIMIT).unwrap();
        assert!(end.is_none_or(|end: Timestamp| end.micros_since(block.pts).abs() <= 1));
        end = Some(block.end());
        lag.push(clock.now().micros_since(block.end()));
        sound.extend(block.data);
    }
    lag.sort_unstable();
    let after = mixer.figures();
    let short = after.silent - before.silent;
    // By parts: on a busy machine the player may stumble, which turns the tone's phase.
    let mut parts: Vec<f64> =
        sound.chunks_exact(9_600).map(|part| amplitude(part, 660.0)).collect();
    parts.sort_by(f64::total_cmp);
    let tone = parts[parts.len() / 2];
    eprintln!("  5 s: {short} samples short, tone {tone:.3}, lag median {} µs", lag[250]);
    eprintln!("  drift {:?} ppm", status.report().drift_ppm);
    assert!((0.4..0.6).contains(&tone), "{tone}");
    assert!(lag[250] < 400_000, "the microphone's delay is bounded");

    // The default microphone is removed: lost, then taken back.
    pactl(&["unload-module", &module("source_name=mic")]);
    let lost = await_state(changes, State::Lost);
    assert!(!lost.reason.is_empty() && !lost.detail.is_empty());
    let (name, master) = ("source_name=mic", "master=mic_feed.monitor");
    let described = "source_properties=device.description=Rig_Microphone";
    pactl(&["load-module", "module-remap-source", name, master, described]);
    pactl(&["set-default-source", "mic"]);
    await_state(changes, State::Open);
    heard.again(660.0);

    // Another microphone becomes the default: it is followed without a word from the server.
    let (name, master) = ("source_name=second", "master=speakers.monitor");
    pactl(&[
        "load-module",
        "module-remap-source",
        name,
        master,
        "source_properties=device.description=Second_Microphone",
    ]);
    pactl(&["set-default-source", "second"]);
    let clock_limit = Clock::start();
    while !status.report().name.contains("Second") {
        assert!(clock_limit.now() < Timestamp::ZERO + LIMIT, "never followed");
        Stop::new().wait(Duration::from_millis(50));
    }
    eprintln!("  followed to {}", status.report().name);

    system_sound(clock);
    one_application(clock);

    // All speakers are removed while playing (one alone, and the server moves the stream to the
    // other): said where the server says so, and closing does not hang.
    let mut output = Output::open(None, 48_000, 2, clock).unwrap();
    output.set_volume(0.5);
    let started = Clock::start();
    let mut removed = false;
    while output.failed().is_none() && started.now() < Timestamp::from_millis(8_000) {
        output.write(&[0.1; 960]);
        if !removed && started.now() > Timestamp::from_millis(500) {
            removed = true;
            eprintln!("  queued {:?}", output.queued_time());
            pactl(&["unload-module", &module("sink_name=speakers")]);
            pactl(&["unload-module", &module("sink_name=mic_feed")]);
        }
        Stop::new().wait(Duration::from_millis(10));
    }
    eprintln!("  speakers failed: {:?}", output.failed());
    let closing = Clock::start();
    drop(output);
    assert!(closing.now() < Timestamp::from_millis(500));
    player.join(Duration::from_secs(5)).unwrap();
    heard.close();
}

/// What the speakers are given is heard, and the default is followed.
fn system_sound(clock: Clock) {
    let output = Output::open(None, 48_000, 2, clock).unwrap();
    let player = onair::base::Worker::spawn("hum", move |stop| hum(output, stop)).unwrap();
    let heard = Heard::open(clock, &AudioChoice::System(None));
    let open = await_state(&heard.changes, State::Open);
    eprintln!("  system sound: {} {}", open.id, open.name);
    assert!(open.id.ends_with("speakers.monitor"), "{open:?}");
    hear(&heard.rx, 660.0);
    pactl(&["set-default-sink", "mic_feed"]);
    let limit = Clock::start();
    while !heard.status.report().id.ends_with("mic_feed.monitor") {
        assert!(limit.now() < Timestamp::ZERO + LIMIT, "never followed");
        Stop::new().wait(Duration::from_millis(50));
    }
    heard.again(660.0);
    pactl(&["set-default-sink", "speakers"]);
    player.join(Duration::from_secs(5)).unwrap();
    heard.close();
}

/// A program that plays a tone under a name, until it is ended.
fn playing(name: &str, hertz: u32) -> Program {
    tone(&[name, &hertz.to_string()])
}

/// By `tests/rigs/tone.sh`.
fn tone(words: &[&str]) -> Program {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/rigs/tone.sh");
    Program::start(&format!("{script} {}", words.join(" ")))
}

/// Of two programs that play, one is heard, however often it goes and comes back.
fn one_application(clock: Clock) {
    let none = audio::applications().unwrap();
    assert!(none.iter().all(|it| !["Alpha", "Beta"].contains(&it.name.as_str())), "{none:?}");
    let heard = Heard::open(clock, &AudioChoice::Application("alpha".to_owned()));
    let absent = await_state(&heard.changes, State::Failed);
    assert!(absent.reason.contains("alpha is not running"), "{absent:?}");
    let (alpha, beta) = (playing("Alpha", 440), playing("Beta", 1_000));
    let open = await_state(&heard.changes, State::Open);
    assert_eq!(open.name, "Alpha");
    hear(&heard.rx, 440.0);
    let listed = audio::applications().unwrap();
    let names: Vec<_> = listed.iter().map(|it| it.name.as_str()).collect();
    assert!(names.contains(&"Alpha") && names.contains(&"Beta"), "{names:?}");
    heard.holds_alone(440.0, 1_000.0);

    // A second stream of the same name is heard with it: an application may have several.
    let second = playing("Alpha", 700);
    heard.again(700.0);
    heard.again(440.0);
    drop(second);

    // It is played on another sink from now on.
    let number = sink_input("Alpha");
    pactl(&["move-sink-input", &number, "mic_feed"]);
    heard.again(440.0);
    heard.holds_alone(440.0, 1_000.0);

    // It ends, and silence goes out without a gap in time; it comes back.
    drop(alpha);
    let lost = await_state(&heard.changes, State::Lost);
    assert!(lost.reason.contains("Alpha has been closed"), "{lost:?}");
    let mut end = None;
    for _ in 0..100 {
        let block: Samples = heard.rx.recv_timeout(LIMIT).unwrap();
        assert!(end.is_none_or(|end: Timestamp| end.micros_since(block.pts).abs() <= 1));
        end = Some(block.end());
    }
    let alpha = playing("Alpha", 440);
    await_state(&heard.changes, State::Open);
    heard.again(440.0);
    heard.holds_alone(440.0, 1_000.0);
    drop((alpha, beta));
    heard.close();
}

/// The number that the server has given to what a program of this name plays.
fn sink_input(name: &str) -> String {
    let listed = pactl(&["list", "sink-inputs"]);
    let mut parts = listed.split("Sink Input #").skip(1);
    let part = parts.find(|part| part.contains(&format!("application.name = \"{name}\""))).unwrap();
    part.lines().next().unwrap().trim().to_owned()
}

/// A sound source on the air.
struct Heard {
    status: Arc<Status>,
    changes: Receiver<Report>,
    rx: Receiver<Samples>,
    mixer: Mixer,
}

impl Heard {
    fn open(clock: Clock, choice: &AudioChoice) -> Self {
        let context = audio::Context { clock, grid: grid(), rate: 48_000, channels: 2 };
        let source = audio::open(choice, &context).unwrap();
        let changes = source.status.changes().unwrap();
        let config = mix::Config { rate: 48_000, channels: 2, origin: Timestamp::ZERO, clock };
        let mixer = Mixer::spawn(config).unwrap();
        mixer.set_strip(StripId::MAIN, Strip::default());
        mixer.set_feed(StripId::MAIN, Some(source.feed));
        let (tx, rx) = queue::bounded("test", 4_096, Full::DropOldest);
        mixer.attach_encoder(tx);
        Self { status: source.status, changes, rx, mixer }
    }

    /// Waits until a tone is there from now on.
    fn again(&self, hertz: f64) {
        while self.rx.try_recv().is_ok() {}
        hear(&self.rx, hertz);
    }

    /// One tone and nothing of another, for two seconds.
    fn holds_alone(&self, hertz: f64, other: f64) {
        while self.rx.try_recv().is_ok() {}
        let blocks = (0..200).flat_map(|_| self.rx.recv_timeout(LIMIT).unwrap().data);
        let sound: Vec<f32> = blocks.collect();
        let mut parts: Vec<f64> =
            sound.chunks_exact(9_600).map(|part| amplitude(part, hertz)).collect();
        parts.sort_by(f64::total_cmp);
        let (tone, leak) = (parts[parts.len() / 2], amplitude(&sound, other));
        eprintln!("  {hertz} Hz {tone:.3}, {other} Hz {leak:.5}");
        assert!((0.4..0.6).contains(&tone) && leak < 0.002, "{tone} {leak}");
    }

    fn close(self) {
        self.mixer.join(Duration::from_secs(5)).unwrap();
    }
}

/// Waits until the tone is there.
fn hear(rx: &Receiver<Samples>, hertz: f64) {
    let clock = Clock::start();
    let mut sound = Vec::new();
    while clock.now() < Timestamp::ZERO + LIMIT {
        sound.extend(rx.recv_timeout(LIMIT).unwrap().data);
        let tail = &sound[sound.len().saturating_sub(19_200)..];
        if tail.len() == 19_200 && amplitude(tail, hertz) > 0.4 {
            return;
        }
    }
    panic!("never heard {hertz} Hz");
}

/// A program that feeds a loopback camera, or holds a camera; ended with the value.
struct Program(std::process::Child);

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Program {
    fn start(line: &str) -> Self {
        let mut words = line.split_whitespace();
        let mut command = Command::new(words.next().unwrap());
        let command = command.args(words).stdin(Stdio::null()).stdout(Stdio::null());
        Self(command.spawn().unwrap())
    }

    /// One colour as motion JPEG, 30 pictures a second.
    fn feed(device: &str, color: &str) -> Self {
        Self::start(&format!(
            "ffmpeg -v error -re -f lavfi -i color=c={color}:s=640x360:r=30 -c:v mjpeg -f v4l2 \
             {device}"
        ))
    }

    fn signal(&self, name: &str) {
        tell("kill", &[name, &self.0.id().to_string()]);
    }
}

fn tell(program: &str, arguments: &[&str]) {
    let status = Command::new(program).args(arguments).status().unwrap();
    assert!(status.success(), "{program} {arguments:?}");
}

/// A camera on the air.
struct Shown {
    id: String,
    status: Arc<Status>,
    changes: Receiver<Report>,
    preview: Latest<VideoFrame>,
    compositor: Compositor,
}

impl Shown {
    fn open(id: &str) -> Self {
        eprintln!("  {id}:");
        let clock = Clock::start();
        let size = Size::new(640, 360);
        let context = capture::Context { clock, grid: grid(), size };
        let choice = VideoChoice::Camera(Some(id.to_owned()));
        let source = capture::open(&choice, &context).unwrap();
        let changes = source.status.changes().unwrap();
        let preview = Latest::default();
        let config = compose::Config { size, grid: grid(), clock };
        let compositor = Compositor::spawn(config, preview.clone()).unwrap();
        compositor.set_feed(Some(source.feed));
        Self { id: id.to_owned(), status: source.status, changes, preview, compositor }
    }

    fn await_state(&self, state: State) -> Report {
        let clock = Clock::start();
        let report = await_state(&self.changes, state);
        assert_eq!(report.id, self.id);
        eprintln!("    after {:?}", clock.now());
        report
    }

    /// Waits until the middle of the program's picture has this colour; how long that took.
    fn await_color(&self, (y, u, v): (u8, u8, u8)) -> Duration {
        let clock = Clock::start();
        let mut seen = (0, 0, 0);
        while clock.now() < Timestamp::ZERO + LIMIT {
            if let Some(frame) = self.preview.get() {
                let planes = &frame.planes;
                let chroma = 320 * 90 + 80;
                seen = (planes.y[640 * 180 + 160], planes.u[chroma], planes.v[chroma]);
                let near = |a: u8, b: u8| a.abs_diff(b) <= 3;
                if near(seen.0, y) && near(seen.1, u) && near(seen.2, v) {
                    return clock.now().since(Timestamp::ZERO);
                }
            }
            Stop::new().wait(Duration::from_millis(5));
        }
        panic!("the picture is {seen:?}, not {:?}: {:?}", (y, u, v), self.status.report());
    }

    /// New pictures a second.
    fn rate(&self) -> f64 {
        let count = || {
            let figures = self.compositor.figures();
            figures.captured - figures.repeated - figures.slates
        };
        let (clock, before) = (Clock::start(), count());
        Stop::new().wait(Duration::from_secs(3));
        let rate = (count() - before) as f64 / clock.now().since(Timestamp::ZERO).as_secs_f64();
        eprintln!("    {rate:.1} new pictures a second, {:?}", self.status.report().format);
        rate
    }

    /// Waits for a slate; how long that took.
    fn await_slate(&self) -> Duration {
        let (clock, before) = (Clock::start(), self.compositor.figures().slates);
        while self.compositor.figures().slates == before {
            assert!(clock.now() < Timestamp::ZERO + LIMIT, "no slate");
            Stop::new().wait(Duration::from_millis(5));
        }
        clock.now().since(Timestamp::ZERO)
    }

    /// Nothing but slates for so long.
    fn stays_down(&self, time: Duration) {
        let clock = Clock::start();
        while clock.now() < Timestamp::ZERO + time {
            if let Ok(report) = self.changes.recv_timeout(Duration::from_millis(100)) {
                eprintln!("    {:?}: {:?} {}", clock.now(), report.state, report.detail);
                assert_ne!(report.state, State::Open);
            }
        }
    }

    fn close(self) {
        self.compositor.join(Duration::from_secs(5)).unwrap();
    }
}

fn await_camera(id: &str) -> capture::CameraInfo {
    let clock = Clock::start();
    loop {
        if let Some(camera) = capture::cameras().into_iter().find(|camera| camera.id == id) {
            return camera;
        }
        assert!(clock.now() < Timestamp::ZERO + LIMIT, "no {id}: {:?}", capture::cameras());
        Stop::new().wait(Duration::from_millis(100));
    }
}

/// Red as webcams (studio range) and as JPEGs (full range) have it, on its way to the program.
const RED: (u8, u8, u8) = (63, 102, 240);
const BLUE: (u8, u8, u8) = (32, 240, 118);

/// Runs inside a machine with cameras: `tests/rigs/camera.sh`.
#[test]
fn inside_camera() {
    if std::env::var_os("CAMERA_RIG").is_none() {
        eprintln!(
            "SKIPPED: this machine has no test cameras; tests/rigs/camera.sh runs this part inside \
             one that has. Not done by itself: its kernel takes minutes to build, the first time"
        );
        return;
    }
    let cameras = capture::cameras();
    for camera in &cameras {
        eprintln!("  {} '{}' {} formats", camera.id, camera.name, camera.formats.len());
    }
    assert_eq!(cameras.len(), 2, "loopback cameras that nobody feeds are none");
    assert_ne!(cameras[0].id, cameras[1].id);
    raw_and_unplugged(&cameras[0].id);
    busy(&cameras[1].id);
    packed_and_stalled();
    fractional(&cameras[1].id);
    set(&cameras[1].id);
}

/// What the driver lets be set is set while the camera is read, and goes back when nobody wants it.
fn set(id: &str) {
    let clock = Clock::start();
    let value = |name: &str| {
        capture::controls(id).into_iter().find(|it| it.name == name).map(|it| it.value)
    };
    let settles = |name: &str, want: i64| {
        while value(name) != Some(want) {
            assert!(clock.now() < Timestamp::ZERO + LIMIT, "{name} is {:?}", value(name));
            Stop::new().wait(Duration::from_millis(20));
        }
    };
    let board = capture::ControlBoard::default();
    let wanted = [("brightness".to_owned(), 200), ("contrast".to_owned(), 9_999)].into();
    board.want(&[(id.to_owned(), wanted)].into());
    let dials = capture::Dials::default();
    dials.set_controls(board.clone());
    let context = capture::Context { clock, grid: grid(), size: Size::new(640, 360) };
    let choice = VideoChoice::Camera(Some(id.to_owned()));
    let _source = capture::open_by(&choice, &dials, &context).unwrap();
    settles("brightness", 200);
    settles("contrast", 255);
    board.want(&Default::default());
    settles("brightness", 128);
    settles("contrast", 128);
}

fn raw_and_unplugged(id: &str) {
    for control in ["test_pattern=7", "osd_text_mode=2", "brightness=128"] {
        tell("v4l2-ctl", &["-d", "/dev/video0", "-c", control]);
    }
    let shown = Shown::open(id);
    shown.await_state(State::Open);
    shown.await_color(RED);
    assert!(shown.rate() > 10.0);
    for _ in 0..2 {
        tell("camera-unplug", &["0"]);
        let lost = shown.await_state(State::Lost);
        assert!(lost.reason.contains("Plug it in again"), "{}", lost.reason);
        eprintln!("    slate after {:?}", shown.await_slate());
        tell("camera-plug", &["0"]);
        shown.await_state(State::Open);
    }
    shown.close();
}

fn busy(id: &str) {
    let other = Program::start("v4l2-ctl -d /dev/video1 --stream-mmap --stream-count=100000");
    Stop::new().wait(Duration::from_secs(1));
    let shown = Shown::open(id);
    let failed = shown.await_state(State::Failed);
    assert!(failed.reason.contains("another program"), "{}", failed.reason);
    drop(other);
    shown.await_state(State::Open);
    shown.close();
}

fn packed_and_stalled() {
    // Once nobody has it open any more, this kind of camera cannot be fed again.
    let held = File::open("/dev/video20").unwrap();
    let feeder = Program::feed("/dev/video20", "red");
    let camera = await_camera("virtual-video20");
    // Opened while its feeder is just beginning, such a camera was seen to give nothing at all.
    Stop::new().wait(Duration::from_millis(1_500));
    eprintln!("  {camera:?}");
    let shown = Shown::open(&camera.id);
    shown.await_state(State::Open);
    shown.await_color(RED);
    assert!(shown.rate() > 10.0);

    // It hangs, and goes on.
    feeder.signal("-STOP");
    let stalled = shown.await_state(State::Stalled);
    assert!(stalled.reason.contains("stopped giving pictures"), "{}", stalled.reason);
    eprintln!("    slate after {:?}", shown.await_slate());
    shown.stays_down(Duration::from_secs(12));
    feeder.signal("-CONT");
    shown.await_state(State::Open);
    shown.await_color(RED);

    // It ends, and another begins.
    drop(feeder);
    let clock = Clock::start();
    while shown.status.state() == State::Open {
        assert!(clock.now() < Timestamp::ZERO + LIMIT);
        Stop::new().wait(Duration::from_millis(5));
    }
    eprintln!("    ended: {:?}", shown.status.report());
    shown.await_slate();
    shown.stays_down(Duration::from_secs(12));
    let feeder = Program::feed("/dev/video20", "blue");
    shown.await_state(State::Open);
    shown.await_color(BLUE);
    shown.close();
    drop((feeder, held));
}

/// Cameras whose rate is no whole number of pictures a second.
fn fractional(id: &str) {
    let format = "width=640,height=360,pixelformat=YUYV";
    tell("v4l2-ctl", &["-d", "/dev/video1", "-v", format, "--set-parm", "12.5"]);
    let shown = Shown::open(id);
    shown.await_state(State::Open);
    shown.close();
    let feeder = Program::feed("/dev/video21", "red");
    let camera = await_camera("virtual-video21");
    Stop::new().wait(Duration::from_millis(1_500));
    tell("v4l2-ctl", &["-d", "/dev/video21", "--set-parm", "29.97"]);
    let shown = Shown::open(&camera.id);
    let open = shown.await_state(State::Open);
    assert_eq!(open.format, Format::Video { size: Size::new(640, 360), fps: 29.97 });
    shown.await_color(RED);
    shown.close();
    drop(feeder);
}
