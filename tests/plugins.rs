//! Audio plugins as filters of a strip: a CLAP file of our own (`plugins/stub.c`), whose plugins work,
//! crash, hang, write nonsense, and refuse.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{ChildStdin, Command};

use serde_json::Value;
use tempfile::TempDir;
use x11rb::protocol::xproto::{ClientMessageEvent, ConnectionExt as _, EventMask};

use crate::peers::desktop::Desktop;
use crate::peers::{self, LIMIT, Onair};

const STUB: &str = include_str!("plugins/stub.c");

/// The tolerance of levels, which differ by the factor of the plugin.
const TOLERANCE_DB: f64 = 0.5;

/// Returns a folder with the file, or `None` (with a message) if it cannot be built.
fn built() -> Option<TempDir> {
    if peers::missing(&["cc"]) {
        return None;
    }
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("stub.c");
    fs::write(&source, STUB).unwrap();
    let mut command = Command::new("cc");
    command.args(["-w", "-O1", "-shared", "-fPIC", "-o"]).arg(folder.path().join("stub.clap"));
    assert!(command.arg(&source).status().unwrap().success());
    Some(folder)
}

fn name(folder: &TempDir, plugin: &str) -> String {
    format!("{}#org.example.{plugin}", folder.path().join("stub.clap").display())
}

/// Writes a steady sine with peaks at -20 dBFS. Returns its word for `--audio`.
fn sine(folder: &TempDir) -> String {
    let path = folder.path().join("sine.wav");
    let spec = hound::WavSpec {
        channels: 2,
        sample_rate: 48_000,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer = hound::WavWriter::create(&path, spec).unwrap();
    for index in 0..48_000 * 60 {
        let angle = std::f64::consts::TAU * f64::from(index % 48) / 48.0;
        for _ in 0..2 {
            writer.write_sample((3_276.0 * angle.sin()).round() as i16).unwrap();
        }
    }
    writer.finalize().unwrap();
    format!("file:{}", path.display())
}

/// Starts a broadcast of the sine that is recorded, with a pipe for commands.
fn live(folder: &TempDir, more: &[&str]) -> (Onair, ChildStdin) {
    let (record, audio) = (folder.path().join("show.mkv"), sine(folder));
    let words = ["live", "--video", "none", "--audio", &audio, "--record"];
    Onair::start_with_input(&[&words[..], &[record.to_str().unwrap()], more].concat())
}

fn send(pipe: &mut ChildStdin, line: &str) {
    writeln!(pipe, "{line}").unwrap();
}

fn rms(event: &Value) -> Option<f64> {
    let stats = (event["event"] == "stats").then_some(event)?;
    stats["strips"][0]["rms_dbfs"].as_f64()
}

/// Waits until a second after the first `seen` events has this level.
fn wait_level(onair: &mut Onair, seen: usize, what: &str, is_it: impl Fn(f64) -> bool) -> f64 {
    let count = std::cell::Cell::new(0);
    let event = onair.wait_event(what, |event| {
        count.set(count.get() + 1);
        count.get() > seen && rms(event).is_some_and(&is_it)
    });
    rms(&event).unwrap()
}

fn near(level: f64) -> impl Fn(f64) -> bool {
    move |found| (found - level).abs() < TOLERANCE_DB
}

fn seen(onair: &Onair) -> usize {
    onair.events().len()
}

/// Waits for this number of further seconds.
fn wait_seconds(onair: &mut Onair, seconds: usize) {
    let (from, events, found) = (seen(onair), std::cell::Cell::new(0), std::cell::Cell::new(0));
    onair.wait_event("some seconds", |event| {
        events.set(events.get() + 1);
        let is_new = events.get() > from && event["event"] == "stats";
        found.set(found.get() + usize::from(is_new));
        found.get() >= seconds
    });
}

fn notice(onair: &mut Onair, words: &str) -> Value {
    onair.wait_event(words, |event| {
        event["event"] == "notice" && event["summary"].to_string().contains(words)
    })
}

/// Returns the process of a plugin below this process, other than `old`.
fn plugin_process(onair: &Onair, old: Option<u32>) -> u32 {
    let (root, mut found) = (onair.peer.id(), None);
    peers::wait_for("the process of a plugin", LIMIT, || {
        let is_new = |(number, words): &(u32, String)| {
            words.contains("plugin-process") && Some(*number) != old
        };
        found = below(root).into_iter().find(is_new).map(|(number, _)| number);
        found.is_some()
    });
    found.unwrap()
}

/// Returns the processes below a process, each with its command line.
fn below(process: u32) -> Vec<(u32, String)> {
    let children = fs::read_to_string(format!("/proc/{process}/task/{process}/children"));
    let children = children.unwrap_or_default();
    let numbers = children.split_whitespace().map(|number| number.parse::<u32>().unwrap());
    let with_descendants = |child: u32| {
        let words = fs::read_to_string(format!("/proc/{child}/cmdline")).unwrap_or_default();
        [(child, words.replace('\0', " "))].into_iter().chain(below(child))
    };
    numbers.flat_map(with_descendants).collect()
}

fn kill(process: u32) {
    assert!(Command::new("kill").args(["-9", &process.to_string()]).status().unwrap().success());
}

/// Returns the settings of a broadcast whose main strip has this filter.
fn settings(folder: &Path, filter: &str) -> String {
    let path = folder.join("settings.toml");
    fs::write(&path, format!("version = 2\n[[strips]]\nfilters = [{filter}]\n")).unwrap();
    path.display().to_string()
}

#[test]
fn plugins_are_listed_and_a_file_that_is_none_has_a_reason() {
    let Some(folder) = built() else { return };
    fs::write(folder.path().join("text.clap"), "no library").unwrap();
    let path = folder.path().to_str().unwrap();
    let empty = tempfile::tempdir().unwrap();
    let home = empty.path().to_str().unwrap();
    let variables = [("CLAP_PATH", path), ("HOME", home)];
    let mut onair = Onair::start_with(&["plugins"], &variables);
    onair.peer.wait_success(LIMIT);
    let list: Value = serde_json::from_str(&onair.peer.output()).unwrap();
    let own = |it: &&Value| it["file"].as_str().is_some_and(|file| file.starts_with(path));
    let found: Vec<&Value> = list["plugins"].as_array().unwrap().iter().filter(own).collect();
    let factor = found.iter().find(|it| it["id"] == "org.example.factor").unwrap();
    assert_eq!(factor["plugin"], name(&folder, "factor"));
    assert_eq!((&factor["name"], &factor["vendor"]), (&"Stub factor".into(), &"Example".into()));
    assert_eq!((&factor["version"], &factor["effect"]), (&"1.5".into(), &true.into()));
    let text = found.iter().find(|it| it["file"].to_string().contains("text.clap")).unwrap();
    assert!(text["reason"].to_string().contains("cannot load"), "{text}");
    let mut command = Command::new(env!("CARGO_BIN_EXE_onair"));
    let output = command.args(["plugins", "--lang", "en"]).envs(variables).output().unwrap();
    let output = String::from_utf8(output.stdout).unwrap();
    assert!(output.contains("Stub factor 1.5 Example"), "{output}");
}

#[test]
fn a_plugin_filters_a_strip_keeps_its_state_and_is_started_again() {
    let Some(folder) = built() else { return };
    let (mut onair, mut pipe) = live(&folder, &[]);
    let plain = wait_level(&mut onair, 0, "the tone", near(-23.0));
    send(&mut pipe, &format!("strip filter add plugin plugin={} 7=2", name(&folder, "factor")));
    wait_level(&mut onair, 0, "twice the tone", near(plain + 6.02));
    send(&mut pipe, "strip filter set plugin 7=0.25");
    wait_level(&mut onair, 0, "a quarter of the tone", near(plain - 12.04));
    // In its window, the plugin itself changes its state.
    send(&mut pipe, "strip filter window plugin");
    wait_level(&mut onair, 0, "half of the tone", near(plain - 6.02));
    let before = plugin_process(&onair, None);
    // Its new state is reported after a moment without changes.
    wait_seconds(&mut onair, 5);
    kill(before);
    notice(&mut onair, "silent until onair has started it again");
    assert_ne!(plugin_process(&onair, Some(before)), before);
    notice(&mut onair, "works again");
    let from = seen(&onair);
    wait_level(&mut onair, from, "half of the tone again", near(plain - 6.02));
    send(&mut pipe, "strip filter remove plugin");
    let from = seen(&onair);
    wait_level(&mut onair, from, "the tone again", near(plain));
    send(&mut pipe, "stop");
    assert!(onair.peer.wait(LIMIT).success(), "{}", onair.peer.errors());
}

#[test]
fn a_plugin_begins_with_the_state_of_the_settings() {
    let Some(folder) = built() else { return };
    // The mark of the stub, and 0.5 as a number of 8 bytes.
    let state = "U1RVQgAAAAAAAOA/";
    let plugin = name(&folder, "factor");
    let filter = format!("{{ kind = \"plugin\", plugin = \"{plugin}\", state = \"{state}\" }}");
    let settings = settings(folder.path(), &filter);
    let (mut onair, mut pipe) = live(&folder, &["--settings", &settings]);
    plugin_process(&onair, None);
    wait_level(&mut onair, 0, "half of the sine", near(-29.0));
    send(&mut pipe, "strip filter off plugin");
    let from = seen(&onair);
    wait_level(&mut onair, from, "the whole tone", near(-23.0));
    send(&mut pipe, "stop");
    assert!(onair.peer.wait(LIMIT).success(), "{}", onair.peer.errors());
}

#[test]
fn a_plugin_that_crashes_hangs_or_writes_nonsense_is_silent_and_then_bypassed() {
    let Some(folder) = built() else { return };
    for (plugin, reason) in
        [("crash", "crashed"), ("hang", "did not answer"), ("garbage", "invalid data")]
    {
        let (mut onair, mut pipe) = live(&folder, &[]);
        let plain = wait_level(&mut onair, 0, "the tone", near(-23.0));
        send(&mut pipe, &format!("strip filter add plugin plugin={}", name(&folder, plugin)));
        let again = notice(&mut onair, "silent until onair has started it again");
        assert!(again.to_string().contains(reason), "{again}");
        let bypassed = notice(&mut onair, "the audio passes without it");
        assert!(bypassed.to_string().contains(reason), "{bypassed}");
        let from = seen(&onair);
        wait_level(&mut onair, from, "the tone without the plugin", near(plain));
        send(&mut pipe, "strip filter restart plugin");
        notice(&mut onair, "works again");
        send(&mut pipe, "stop");
        assert!(onair.peer.wait(LIMIT).success(), "{plugin}: {}", onair.peer.errors());
    }
}

#[test]
fn a_plugin_that_cannot_work_is_bypassed_with_its_reason() {
    let Some(folder) = built() else { return };
    let absent = format!("{}#org.example.a", folder.path().join("absent.clap").display());
    for (plugin, reason) in [
        (name(&folder, "broken"), "plugin.init"),
        (name(&folder, "mute"), "no audio input"),
        (name(&folder, "unknown"), "no plugin with this id"),
        (absent, "cannot load"),
    ] {
        let (mut onair, mut pipe) = live(&folder, &[]);
        let plain = wait_level(&mut onair, 0, "the tone", near(-23.0));
        send(&mut pipe, &format!("strip filter add plugin plugin={plugin}"));
        let bypassed = notice(&mut onair, "the audio passes without it");
        assert!(bypassed.to_string().contains(reason), "{bypassed}");
        let from = seen(&onair);
        wait_level(&mut onair, from, "the tone without the plugin", near(plain));
        send(&mut pipe, "stop");
        assert!(onair.peer.wait(LIMIT).success(), "{plugin}: {}", onair.peer.errors());
    }
}

#[test]
fn a_plugin_draws_in_a_window_of_onair_until_the_user_closes_it() {
    peers::require!("Xvfb", "dbus-daemon", "openbox", "xprop");
    let Some(folder) = built() else { return };
    let desktop = Desktop::start();
    let _manager = desktop.manage();
    let (record, audio) = (folder.path().join("show.mkv"), sine(&folder));
    // Other tests keep onair away from displays.
    let mut command = Command::new("env");
    command.arg(format!("DISPLAY={}", desktop.display())).arg(env!("CARGO_BIN_EXE_onair"));
    command.args(["live", "--video", "none", "--audio", &audio, "--record"]).arg(&record);
    command.args(["--control", "--json"]);
    let (mut onair, mut pipe) = Onair::start_command_with_input(&mut command);
    send(&mut pipe, &format!("strip filter add plugin plugin={}", name(&folder, "embedded")));
    plugin_process(&onair, None);
    send(&mut pipe, "strip filter window plugin");
    wait_level(&mut onair, 0, "half of the sine", near(-29.0));
    peers::wait_for("the window", LIMIT, || desktop.windows().len() == 1);
    let window = desktop.windows().remove(0);
    let title = desktop.output_of("xprop", &["-id", &window, "_NET_WM_NAME"]);
    assert!(title.contains("Stub embedded (Example)"), "{title}");
    close(&desktop, u32::from_str_radix(window.trim_start_matches("0x"), 16).unwrap());
    peers::wait_for("the end of the window", LIMIT, || desktop.windows().is_empty());
    send(&mut pipe, "stop");
    assert!(onair.peer.wait(LIMIT).success(), "{}", onair.peer.errors());
}

/// Asks a window to close, as its button does.
fn close(desktop: &Desktop, window: u32) {
    let (connection, _) = x11rb::connect(Some(&desktop.display())).unwrap();
    let atom =
        |name: &str| connection.intern_atom(false, name.as_bytes()).unwrap().reply().unwrap().atom;
    let data = [atom("WM_DELETE_WINDOW"), 0, 0, 0, 0];
    let message = ClientMessageEvent::new(32, window, atom("WM_PROTOCOLS"), data);
    connection.send_event(false, window, EventMask::NO_EVENT, message).unwrap().check().unwrap();
}
