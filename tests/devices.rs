//! Tests of audio devices, captured applications and cameras. Microphones and speakers are tested
//! with a real PulseAudio daemon (`tests/rigs/pulse.sh`), and captured applications with PulseAudio
//! and with PipeWire (`pipewire.sh`). Cameras are tested with a real Video4Linux device, inside the
//! machine that `tests/rigs/camera.sh` starts.
//!
//! A rig sets the environment before the process starts. Each test therefore starts the test
//! program again inside its rig, where the test named `inside_…` runs.

mod application;
mod camera;
mod captured_audio;
mod desk;
mod filters;
mod notices;
mod played;
mod scenes;
mod sound;

use std::process::{Command, Stdio};
use std::time::Duration;

use onair::base::queue::Receiver;
use onair::base::{Clock, Timestamp};
use onair::media::source_status::{SourceReport, SourceState};
use onair::media::{FrameGrid, FrameRate};

use crate::peers::stall_guard::in_real_time;
use crate::peers::{self, LIMIT};

/// Whether this process was started inside a rig.
fn inside(rig: &str) -> bool {
    std::env::var("ONAIR_SOUND_RIG").is_ok_and(|found| found == rig)
}

/// Runs one part of this test binary inside a rig that needs these commands.
fn in_the_rig(rig: &str, programs: &[&str], part: &str) {
    let missing = programs.iter().find(|program| {
        let found = Command::new("sh").args(["-c", &format!("command -v {program}")]).output();
        !found.is_ok_and(|found| found.status.success())
    });
    if let Some(program) = missing {
        peers::skipped(&format!("{program} is not installed; {part} is not tested"));
        return;
    }
    // Devices run on their own clocks, and whatever they play while nothing records is lost.
    in_real_time(|| {
        let output = Command::new("bash")
            .arg(format!("{}/tests/rigs/{rig}.sh", env!("CARGO_MANIFEST_DIR")))
            .args(["run", "--"])
            .arg(std::env::current_exe().unwrap())
            .args(["--exact", part, "--nocapture", "--test-threads=1"])
            .output()
            .unwrap();
        eprint!("{}", String::from_utf8_lossy(&output.stderr));
        let stdout = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && stdout.contains("1 passed"), "{stdout}");
    });
}

#[test]
fn audio_devices_of_a_real_server() {
    in_the_rig("pulse", &["pulseaudio", "pactl"], "devices::sound::inside_pulse");
}

#[test]
fn a_speaker_of_a_real_server_goes_away_under_the_player() {
    in_the_rig("pulse", &["pulseaudio", "pactl", "ffmpeg"], "devices::played::inside_pulse_played");
}

#[test]
fn notices_about_microphones_of_a_real_server() {
    let programs = ["pulseaudio", "pactl", "ffprobe"];
    in_the_rig("pulse", &programs, "devices::notices::inside_pulse_notices");
}

#[test]
fn the_mixer_is_audible_only_where_it_is_set_to_be() {
    in_the_rig("pulse", &["pulseaudio", "pactl", "parec"], "devices::desk::inside_pulse_mixer");
}

#[test]
fn tones_of_a_real_server_leave_each_filter_with_the_gain_it_is_set_to() {
    let programs = ["pulseaudio", "pactl", "pacat", "perl", "ffmpeg"];
    in_the_rig("pulse", &programs, "devices::filters::inside_pulse_filters");
}

#[test]
fn one_application_of_another_server() {
    let programs = ["pipewire", "wireplumber", "pipewire-pulse", "pactl", "dbus-run-session"];
    in_the_rig("pipewire", &programs, "devices::application::inside_pipewire");
}

fn grid() -> FrameGrid {
    FrameGrid { origin: Timestamp::ZERO, rate: FrameRate::FPS_30 }
}

fn await_state(changes: &Receiver<SourceReport>, state: SourceState) -> SourceReport {
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

fn pactl(arguments: &[&str]) -> String {
    let output = Command::new("pactl").args(arguments).output().unwrap();
    assert!(output.status.success(), "pactl {arguments:?}");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// The ID of the sound-server module whose arguments contain this text.
fn module(text: &str) -> String {
    let listed = pactl(&["list", "short", "modules"]);
    let line = listed.lines().find(|line| line.contains(text)).unwrap();
    line.split_whitespace().next().unwrap().to_owned()
}

/// A process that plays a tone, or that feeds or occupies a camera; killed when dropped.
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
}

/// A tone by `tests/rigs/tone.sh`.
fn tone(words: &[&str]) -> Program {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/rigs/tone.sh");
    Program::start(&format!("{script} {}", words.join(" ")))
}
