//! Tests of audio monitoring on chosen speakers: sinks of a real PulseAudio server. Runs inside the
//! rig.

use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use onair::audio::{self, AudioChoice};
use onair::base::{Clock, Stop, Timestamp};
use onair::capture::VideoChoice;
use onair::mix::{MonitoringMode, Strip, StripId};
use onair::studio::{self, AudioStrip, Config, Monitoring, Settings, Studio};

use super::captured_audio::amplitude;
use super::{LIMIT, inside, module, pactl};

/// The tones of three strips: one that is only monitored, one that is not monitored, and one that
/// is both monitored and sent (made solo later).
const DESK: f64 = 1_000.0;
const PROGRAM: f64 = 440.0;
const GUEST: f64 = 700.0;

/// Writes ten seconds of a tone, 48 kHz, 16 bits. The length is a whole number of waves, so that
/// the loop has no click.
fn write_tone(path: &Path, hertz: f64) {
    let samples: Vec<u8> = (0..480_000_u32)
        .flat_map(|index| {
            let phase = f64::from(index) * hertz / 48_000.0 * std::f64::consts::TAU;
            ((phase.sin() * 0.25 * 32_767.0) as i16).to_le_bytes()
        })
        .collect();
    let size = u32::try_from(samples.len()).unwrap();
    let mut bytes = Vec::new();
    bytes.extend_from_slice(b"RIFF");
    bytes.extend((size + 36).to_le_bytes());
    bytes.extend_from_slice(b"WAVEfmt ");
    bytes.extend(16_u32.to_le_bytes());
    bytes.extend(1_u16.to_le_bytes());
    bytes.extend(1_u16.to_le_bytes());
    bytes.extend(48_000_u32.to_le_bytes());
    bytes.extend(96_000_u32.to_le_bytes());
    bytes.extend(2_u16.to_le_bytes());
    bytes.extend(16_u16.to_le_bytes());
    bytes.extend_from_slice(b"data");
    bytes.extend(size.to_le_bytes());
    bytes.extend(samples);
    std::fs::write(path, bytes).unwrap();
}

/// Records what is played into a sink, until the value is dropped.
struct Ear {
    child: Child,
    sink: &'static str,
}

impl Drop for Ear {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Ear {
    fn at(sink: &'static str) -> Self {
        let child = Command::new("parec")
            .args([&format!("--device={sink}.monitor"), "--format=float32le", "--rate=48000"])
            .args(["--channels=2", "--raw", "--latency-msec=50"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        Self { child, sink }
    }

    /// Returns the next 400 ms.
    fn next(&mut self) -> Vec<f32> {
        let mut bytes = vec![0; 19_200 * 2 * 4];
        self.child.stdout.as_mut().unwrap().read_exact(&mut bytes).unwrap();
        bytes.chunks_exact(4).map(|it| f32::from_le_bytes(it.try_into().unwrap())).collect()
    }

    /// Waits until the tones in `there` are audible and those in `absent` are not.
    fn hears(&mut self, there: &[f64], absent: &[f64]) {
        let clock = Clock::start();
        loop {
            let sound = self.next();
            let of = |hertz: &f64| amplitude(&sound, *hertz);
            if there.iter().all(|it| of(it) > 0.2) && absent.iter().all(|it| of(it) < 0.01) {
                return;
            }
            let found: Vec<f64> = [DESK, PROGRAM, GUEST].iter().map(of).collect();
            let limit = Timestamp::ZERO + LIMIT;
            assert!(clock.now() < limit, "{there:?} at {}: {found:?}", self.sink);
        }
    }
}

/// Adds speakers with this name.
fn sink(name: &str) {
    pactl(&[
        "load-module",
        "module-null-sink",
        &format!("sink_name={name}"),
        "rate=48000",
        "channels=2",
        "format=float32le",
        "norewinds=1",
        &format!("sink_properties=device.description=Desk_{name}"),
    ]);
}

#[test]
fn inside_pulse_mixer() {
    if !inside("pulse") {
        return;
    }
    for name in ["Headphones", "Wall"] {
        sink(name);
    }
    let speakers = audio::speakers();
    let id = |name: &str| {
        let found = speakers.iter().find(|it| it.name == format!("Desk_{name}"));
        found.unwrap_or_else(|| panic!("{name} in {speakers:?}")).id.clone()
    };
    let folder = tempfile::tempdir().unwrap();
    let strip = |number: u32, hertz: f64, monitoring: MonitoringMode| {
        let path = folder.path().join(format!("{hertz}.wav"));
        write_tone(&path, hertz);
        let strip = Strip { monitoring, ..Strip::default() };
        AudioStrip { strip, ..AudioStrip::new(StripId(number), AudioChoice::File(path)) }
    };
    let strips = vec![
        AudioStrip { choice: AudioChoice::None, ..AudioStrip::main() },
        strip(1, DESK, MonitoringMode::MonitorOnly),
        strip(2, PROGRAM, MonitoringMode::Program),
        strip(3, GUEST, MonitoringMode::Both),
    ];
    let guest = strips[3].strip.clone();
    let settings = Settings {
        video: Some(VideoChoice::None),
        audio: Some(AudioChoice::Silence),
        strips,
        monitoring: Monitoring::Device(id("Headphones")),
        ..Settings::default()
    };
    let studio = Studio::start(Config::new(Clock::start(), settings)).unwrap();
    let mut ears = ["Headphones", "Wall", "speakers"].map(Ear::at);

    // Monitoring uses only the selected speakers: neither the other ones nor the default ones.
    let all = [DESK, PROGRAM, GUEST];
    let [headphones, wall, default] = &mut ears;
    headphones.hears(&[DESK, GUEST], &[PROGRAM]);
    let silent = |ear: &mut Ear| {
        // Checks more than a second of new audio.
        for _ in 0..3 {
            let sound = ear.next();
            let found = all.map(|hertz| amplitude(&sound, hertz));
            assert!(found.iter().all(|it| *it < 0.001), "{}: {found:?}", ear.sink);
        }
    };
    silent(wall);
    silent(default);

    // Solo affects only monitoring.
    let id_of = StripId(3);
    let solo = Strip { solo: true, ..guest.clone() };
    let (before, strip) = (guest.clone(), solo.clone());
    studio.send(studio::Command::SetStrip { id: id_of, before, strip });
    headphones.hears(&[GUEST], &[DESK, PROGRAM]);
    studio.send(studio::Command::SetStrip { id: id_of, before: solo, strip: guest });
    headphones.hears(&[DESK, GUEST], &[PROGRAM]);

    // The monitoring device changes while audio plays: the new one is audible, and the old one is
    // silent.
    studio.send(studio::Command::SetMonitoring(Monitoring::Device(id("Wall"))));
    wall.hears(&[DESK, GUEST], &[PROGRAM]);
    headphones.hears(&[], &all);
    silent(headphones);
    studio.send(studio::Command::SetMonitoring(Monitoring::Default));
    default.hears(&[DESK, GUEST], &[PROGRAM]);
    wall.hears(&[], &all);
    studio.send(studio::Command::SetMonitoring(Monitoring::Off));
    default.hears(&[], &all);
    assert_eq!(studio.snapshot().notices, []);

    // The chosen headphones are unplugged: nothing is audible on other speakers, and a notice
    // reports the failure until the headphones are back.
    studio.send(studio::Command::SetMonitoring(Monitoring::Device(id("Headphones"))));
    headphones.hears(&[DESK, GUEST], &[PROGRAM]);
    pactl(&["unload-module", &module("sink_name=Headphones")]);
    let key = "monitoring-failed";
    let is_reported = || studio.snapshot().notices.iter().any(|it| it.key() == key);
    let await_notice = |is_wanted: bool| {
        let clock = Clock::start();
        while is_reported() != is_wanted {
            assert!(clock.now() < Timestamp::ZERO + LIMIT, "the notice: {is_wanted}");
            Stop::new().wait(Duration::from_millis(50));
        }
    };
    await_notice(true);
    // New ears have no audio from before the notice, when the server moved the stream.
    for mut ear in ["Wall", "speakers"].map(Ear::at) {
        silent(&mut ear);
    }
    sink("Headphones");
    let mut headphones = Ear::at("Headphones");
    headphones.hears(&[DESK, GUEST], &[PROGRAM]);
    await_notice(false);

    // With the default speakers, monitoring follows the default device.
    studio.send(studio::Command::SetMonitoring(Monitoring::Default));
    default.hears(&[DESK, GUEST], &[PROGRAM]);
    pactl(&["set-default-sink", "Wall"]);
    wall.hears(&[DESK, GUEST], &[PROGRAM]);
    default.hears(&[], &all);
    pactl(&["set-default-sink", "speakers"]);

    // A missing monitoring device causes a notice.
    studio.send(studio::Command::SetMonitoring(Monitoring::Device("pulse:gone".into())));
    await_notice(true);
    studio.end(LIMIT).unwrap();
}
