//! Tests of the gain of every audio filter. Another program plays tones into sinks of a real
//! PulseAudio server. onair captures each sink and records each strip in a separate audio track.
//! Runs inside the rig.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use onair::audio::{self, AudioChoice};
use onair::base::{Clock, Stop, Timestamp};
use onair::capture::VideoChoice;
use onair::media::ExtraTrack;
use onair::mix::filter::{Filter, Slot};
use onair::mix::{MonitoringMode, Strip, StripId};
use onair::studio::{AudioStrip, Settings};

use super::{LIMIT, inside, pactl, tone};

#[path = "../../crates/onair-media/src/mix/filter/expected_gains.rs"]
mod gains;

use gains::{Case, Expected};

/// The deviation, in decibels, that AAC and the path through the server may cause.
const SLACK: f32 = 0.3;
/// The number of audio tracks in a recording.
const TRACKS: usize = 6;
/// Length of a recording, and of the part at its end that is measured. The filters have settled by
/// then.
const SECONDS: u32 = 5;
const COUNTED: usize = 2;
/// The number of attempts. On a busy computer, audio may stutter in one of them, while an effect of
/// a filter is in all of them.
const HEARD: usize = 3;

/// Returns the name of the sink for a tone.
fn sink(hz: f32, dbfs: f32) -> String {
    format!("tone_{hz}_{}", -dbfs)
}

fn load_sink(name: &str) {
    let (named, described) =
        (format!("sink_name={name}"), format!("sink_properties=device.description={name}"));
    let form = ["rate=48000", "channels=2", "format=float32le", "norewinds=1"];
    let words = [&["load-module", "module-null-sink"][..], &form, &[&named, &described]].concat();
    pactl(&words);
}

/// Records these strips, each on its own track, and returns the samples of each track (stereo).
fn record(folder: &Path, strips: Vec<AudioStrip>) -> Vec<Vec<f32>> {
    let (file, settings) = (folder.join("tones.mkv"), folder.join("settings.toml"));
    let count = strips.len();
    let main = AudioStrip::main();
    let settings_now = Settings {
        video: Some(VideoChoice::Test),
        audio: Some(AudioChoice::Silence),
        strips: std::iter::once(main).chain(strips).collect(),
        ..Settings::default()
    };
    settings_now.write(&settings).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_onair"))
        .args(["live", "--size", "160x90", "--fps", "10", "--adapt", "off", "--duration"])
        .arg(format!("{SECONDS}s"))
        .arg("--settings")
        .arg(&settings)
        .arg("--record")
        .arg(&file)
        .env("XDG_STATE_HOME", folder)
        .env("XDG_CONFIG_HOME", folder)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let track = |number: usize| {
        let output = Command::new("ffmpeg")
            .args(["-v", "error", "-nostdin", "-i"])
            .arg(&file)
            .args([
                "-map",
                &format!("0:a:{number}"),
                "-ac",
                "2",
                "-ar",
                "48000",
                "-f",
                "f32le",
                "-",
            ])
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let samples = output.stdout.chunks_exact(4);
        samples.map(|it| f32::from_le_bytes(it.try_into().unwrap())).collect()
    };
    let sounds = (0..count).map(track).collect();
    std::fs::remove_file(file).unwrap();
    sounds
}

/// Returns the level of a tone at the end of a recording that contains nothing else: the median
/// power of blocks of a twentieth of a second. Stutter on a busy computer changes the phase of the
/// tone, and the correction changes its speed a little, so correlation with the tone would not
/// work.
fn level(sound: &[f32]) -> f32 {
    let tail = &sound[sound.len().saturating_sub(COUNTED * 96_000)..];
    let power = |part: &[f32]| part.iter().map(|it| f64::from(*it).powi(2)).sum::<f64>() / 4_800.0;
    let mut parts: Vec<f64> = tail.chunks_exact(4_800).map(power).collect();
    parts.sort_by(f64::total_cmp);
    // The mean square of a tone of amplitude 1 is 0.5.
    10.0 * (2.0 * parts[parts.len() / 2]).log10() as f32
}

#[test]
fn inside_pulse_filters() {
    if !inside("pulse") {
        return;
    }
    // Without a filter, the level must not change. Otherwise, the test would not measure the
    // filters.
    let bare = |hz, dbfs| {
        (
            Vec::new(),
            Case {
                filter: Filter::Gain { db: 0.0 },
                hz,
                dbfs,
                expected: Expected::About(0.0, 0.0),
            },
        )
    };
    let tones = [(440.0, -20.0), (440.0, -40.0), (1_000.0, -40.0), (1_000.0, -6.0)];
    let mut cases: Vec<_> = tones.into_iter().map(|(hz, dbfs)| bare(hz, dbfs)).collect();
    cases.extend(gains::cases().into_iter().map(|case| (vec![case.filter.clone()], case)));

    let tones: BTreeSet<_> = cases.iter().map(|(_, it)| (it.hz as u32, -it.dbfs as u32)).collect();
    let mut players = Vec::new();
    for (hz, below) in tones {
        let (hz, dbfs) = (hz as f32, -(below as f32));
        let name = sink(hz, dbfs);
        load_sink(&name);
        let amplitude = 10_f32.powf(dbfs / 20.0).to_string();
        players.push(tone(&[&name, &hz.to_string(), &amplitude, &name]));
        let clock = Clock::start();
        while !pactl(&["list", "sink-inputs"]).contains(&format!("\"{name}\"")) {
            assert!(clock.now() < Timestamp::ZERO + LIMIT, "{name} is not played");
            Stop::new().wait(Duration::from_millis(50));
        }
    }
    let speakers = audio::speakers();
    let choice = |case: &Case| {
        let name = sink(case.hz, case.dbfs);
        let found = speakers.iter().find(|it| it.name == name);
        let found = found.unwrap_or_else(|| panic!("{name} in {speakers:?}"));
        AudioChoice::System(Some(found.id.clone()))
    };

    let folder = tempfile::tempdir().unwrap();
    let mut wrong = Vec::new();
    // A loud strip ducks another strip. A strip below the threshold does not.
    let ducked = |side: u32, gain| {
        let filter = Filter::Compressor {
            threshold_dbfs: -30.0,
            ratio: 4.0,
            attack_ms: 5.0,
            release_ms: 100.0,
            gain_db: 0.0,
            side_chain: Some(StripId(side)),
        };
        let expected = Expected::About(gain, 1.0);
        (vec![filter.clone()], Case { filter, hz: 440.0, dbfs: -20.0, expected })
    };
    let ducking = [ducked(2, -18.0), bare(1_000.0, -6.0), ducked(4, 0.0), bare(1_000.0, -40.0)];
    for round in cases.chunks(TRACKS).chain([ducking.as_slice()]) {
        let mut now = missed(folder.path(), round, &choice);
        for _ in 1..HEARD {
            if !now.is_empty() {
                now = missed(folder.path(), round, &choice);
            }
        }
        wrong.extend(now);
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Records each case on its own strip, and returns the cases whose gain is not as expected.
fn missed(
    folder: &Path,
    round: &[(Vec<Filter>, Case)],
    choice: &dyn Fn(&Case) -> AudioChoice,
) -> Vec<String> {
    let strips = (1_u8..).zip(round).map(|(number, (filters, case))| {
        let slot = |filter: &Filter| Slot { enabled: true, filter: filter.clone() };
        // The first track is the program. The strip without an extra track is the only one in the
        // program.
        let track = ExtraTrack::new(number);
        let strip = Strip {
            filters: filters.iter().map(slot).collect(),
            monitoring: if track.is_some() {
                MonitoringMode::Tracks
            } else {
                MonitoringMode::Program
            },
            tracks: track.into_iter().collect(),
            ..Strip::default()
        };
        AudioStrip { strip, ..AudioStrip::new(StripId(number.into()), choice(case)) }
    });
    let sounds = record(folder, strips.collect());
    assert_eq!(sounds.len(), round.len());
    let mut wrong = Vec::new();
    for (sound, (filters, case)) in sounds.iter().zip(round) {
        let gain = level(sound) - case.dbfs;
        let line = format!("{filters:?}, {} Hz at {}: {gain:.2} dB", case.hz, case.dbfs);
        eprintln!("  {line}");
        if !case.expected.is_met(gain, SLACK) {
            wrong.push(format!("{line}, {:?}", case.expected));
        }
    }
    wrong
}
