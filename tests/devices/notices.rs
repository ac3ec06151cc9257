//! Tests of the notices about microphones that fail, and that onair withdraws these notices after
//! the microphone recovers. The microphones belong to a real PulseAudio server. Strips, notices and
//! a recording are checked. Runs inside the rig.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use onair::audio::{self, AudioChoice};
use onair::base::{Clock, Stop, Timestamp, Worker};
use onair::capture::VideoChoice;
use onair::media::Size;
use onair::mix::StripId;
use onair::studio::{self, AudioStrip, Config, Event, Quality, Settings, Studio};
use parking_lot::Mutex;

use super::{Program, inside, module, pactl, tone};

/// Longer than the slowest notice takes, which needs half a minute of silence.
const LIMIT: Duration = Duration::from_secs(90);

/// For each microphone: its name, the amplitude at first, and the key of the expected notice.
const MICROPHONES: [(&str, &str, &str); 4] = [
    ("Zero", "", "audio-zero"),
    ("Clipped", "4", "audio-clipped"),
    ("Faint", "0.004", "audio-faint"),
    ("Silent", "0.0004", "audio-silent"),
];

/// Adds a microphone that records what is played into its feed.
fn plug(name: &str) {
    let described = format!("source_properties=device.description={name}_Microphone");
    let (source, master) =
        (format!("source_name=mic_{name}"), format!("master=feed_{name}.monitor"));
    pactl(&["load-module", "module-remap-source", &source, &master, &described]);
}

fn wait(what: &str, mut is_so: impl FnMut() -> bool) {
    let clock = Clock::start();
    while !is_so() {
        assert!(clock.now() < Timestamp::ZERO + LIMIT, "never: {what}");
        Stop::new().wait(Duration::from_millis(50));
    }
    eprintln!("  {what} after {:?}", clock.now());
}

/// Plays a tone of this amplitude into a microphone's feed, and waits until the server lists it.
fn speak(name: &str, amplitude: &str) -> Program {
    let speaker = format!("{name}-{amplitude}");
    let program = tone(&[&speaker, "330", amplitude, &format!("feed_{name}")]);
    let listed = || pactl(&["list", "sink-inputs"]).contains(&format!("\"{speaker}\""));
    wait(&speaker, listed);
    program
}

#[test]
fn inside_pulse_notices() {
    if !inside("pulse") {
        return;
    }
    let null = ["rate=48000", "channels=2", "format=float32le", "norewinds=1"];
    for (name, ..) in MICROPHONES {
        let sink = format!("sink_name=feed_{name}");
        let words = ["load-module", "module-null-sink", sink.as_str()];
        pactl(&words.into_iter().chain(null).collect::<Vec<_>>());
        plug(name);
    }
    let spoken: Vec<Program> = MICROPHONES
        .iter()
        .filter(|(_, amplitude, _)| !amplitude.is_empty())
        .map(|(name, amplitude, _)| speak(name, amplitude))
        .collect();
    let main = tone(&["Main", "330", "0.3", "mic_feed"]);

    let found = audio::microphones();
    let id = |name: &str| {
        let device = found.iter().find(|it| it.name == format!("{name}_Microphone")).unwrap();
        AudioChoice::Mic(Some(device.id.clone()))
    };
    let strips = (1..).zip(MICROPHONES);
    let strips = strips.map(|(number, (name, ..))| AudioStrip::new(StripId(number), id(name)));
    let settings = Settings {
        video: Some(VideoChoice::None),
        quality: Quality { size: Size::new(320, 180), ..Quality::default() },
        audio: Some(AudioChoice::Mic(None)),
        strips: [AudioStrip::main()].into_iter().chain(strips).collect(),
        ..Settings::default()
    };
    let mut studio = Studio::start(Config::new(Clock::start(), settings)).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let recording = folder.path().join("told.mkv");
    let counts: Arc<Mutex<BTreeMap<(String, String), u32>>> = Arc::default();
    let (events, all) = (studio.events().unwrap(), Arc::clone(&counts));
    let listener = Worker::spawn("listener", move |stop| {
        while !stop.is_set() {
            if let Ok(Event::Notice(notice)) = events.recv_timeout(Duration::from_millis(100)) {
                eprintln!("  {}: {}", notice.key(), notice.summary());
                let device = notice.value("device").unwrap_or_default();
                *all.lock().entry((notice.key().to_owned(), device)).or_default() += 1;
            }
        }
    })
    .unwrap();
    let stands =
        |key: &str, name: &str| {
            let device = format!("{name}_Microphone");
            studio.snapshot().notices.iter().any(|notice| {
                notice.key() == key && notice.value("device").as_ref() == Some(&device)
            })
        };
    wait("strips", || studio.snapshot().strips.len() == 5);
    studio.send(studio::Command::StartRecording(recording.clone()));

    // Each notice names its device, and lasts as long as the problem.
    for (name, _, key) in MICROPHONES {
        wait(key, || stands(key, name));
    }
    // A normal level arrives at every microphone: onair withdraws the notices.
    drop(spoken);
    let spoken: Vec<Program> = MICROPHONES.iter().map(|(name, ..)| speak(name, "0.3")).collect();
    for (name, _, key) in MICROPHONES {
        wait(&format!("{key} is over"), || !stands(key, name));
    }
    // Each notice appears only once.
    for (name, _, key) in MICROPHONES {
        let count = counts.lock().get(&(key.to_owned(), format!("{name}_Microphone"))).copied();
        assert_eq!(count, Some(1), "{key}: {:?}", counts.lock());
    }

    // An unplugged microphone causes a notice, and the strip is silent. After it is plugged in
    // again, onair recognizes it by its id.
    pactl(&["unload-module", &module("source_name=mic_Faint")]);
    wait("lost", || stands("microphone-lost", "Faint"));
    plug("Faint");
    wait("back", || stands("microphone-back", "Faint"));
    wait("no longer lost", || !stands("microphone-lost", "Faint"));

    // The default device changes.
    pactl(&["set-default-source", "mic_Clipped"]);
    wait("another default", || stands("default-changed", "Clipped"));

    studio.send(studio::Command::StopRecording);
    wait("recorded", || studio.snapshot().recording.is_none());
    studio.end(Duration::from_secs(30)).unwrap();
    listener.join(Duration::from_secs(30)).unwrap();
    drop((spoken, main));
    no_gap(&recording);
}

/// Checks that the audio packets of the recording have no gaps, in spite of the microphones'
/// faults.
fn no_gap(recording: &Path) {
    let output = Command::new("ffprobe")
        .args(["-v", "error", "-select_streams", "a", "-show_entries", "packet=pts_time"])
        .args(["-of", "csv=p=0"])
        .arg(recording)
        .output()
        .unwrap();
    let times = String::from_utf8_lossy(&output.stdout);
    let times: Vec<f64> =
        times.lines().filter_map(|line| line.trim_end_matches(',').parse().ok()).collect();
    let longest = times.windows(2).map(|pair| pair[1] - pair[0]).fold(0.0, f64::max);
    eprintln!("  {} packets, {longest:.4} s apart at most", times.len());
    // 1,024 samples at 48 kHz last 21.3 ms. The file has times in whole milliseconds.
    assert!(times.len() > 1_500 && longest < 0.024, "{} {longest}", times.len());
}
