//! Tests of microphones and speakers of a PulseAudio server: onair opens them, follows the default
//! device, and notices when a device disappears and returns.

use std::process::Command;
use std::time::Duration;

use onair::audio::speaker::{SpeakerOutput, SpeakerPace};
use onair::audio::{self, AudioChoice};
use onair::base::{Clock, Stop, Timestamp, Worker};
use onair::media::SampleBlock;
use onair::media::source_status::SourceState;

use super::application::one_application;
use super::captured_audio::{CapturedAudio, hear, hum, tone};
use super::{LIMIT, await_state, inside, module, pactl};

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

    // The microphone hears what is played into its feed.
    let output =
        SpeakerOutput::open(Some(&feed_sink.id), (48_000, 2), SpeakerPace::Prompt, clock).unwrap();
    let player = Worker::spawn("hum", move |stop| hum(output, stop)).unwrap();
    let captured = CapturedAudio::open(clock, &AudioChoice::Mic(None));
    let CapturedAudio { changes, status, rx, mixer } = &captured;
    let open = await_state(changes, SourceState::Open);
    assert!(open.name.contains("Rig_Microphone"), "{open:?}");
    hear(rx, 660.0);
    // From here on, the audio is continuous: no block is short, and there is no gap in time.
    let before = mixer.figures();
    let mut end = None;
    let mut lag = Vec::new();
    for _ in 0..500 {
        let block: SampleBlock = rx.recv_timeout(LIMIT).unwrap();
        assert!(end.is_none_or(|end: Timestamp| end.micros_since(block.pts).abs() <= 1));
        end = Some(block.end());
        lag.push(clock.now().micros_since(block.end()));
    }
    lag.sort_unstable();
    let after = mixer.figures();
    let short = after.silent - before.silent;
    let tone = tone(rx, 660.0);
    eprintln!("  5 s: {short} samples short, tone {tone:.3}, lag median {} µs", lag[250]);
    eprintln!("  drift {:?} ppm", status.report().drift_ppm);
    assert!((0.4..0.6).contains(&tone), "{tone}");
    assert!(lag[250] < 400_000, "the microphone's delay is bounded");

    // The default microphone is removed and then returns.
    pactl(&["unload-module", &module("source_name=mic")]);
    let lost = await_state(changes, SourceState::Lost);
    assert!(!lost.reason.is_empty() && !lost.detail.is_empty());
    let (name, master) = ("source_name=mic", "master=mic_feed.monitor");
    let described = "source_properties=device.description=Rig_Microphone";
    pactl(&["load-module", "module-remap-source", name, master, described]);
    pactl(&["set-default-source", "mic"]);
    await_state(changes, SourceState::Open);
    captured.again(660.0);

    // Another microphone becomes the default. onair must switch to it, although the server does not
    // say so on this stream.
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

    // Both speakers are removed during playback (with only one removed, the server would move the
    // stream to the other one). onair reports the failure if the server reports it, and closing
    // does not hang.
    let mut output = SpeakerOutput::open(None, (48_000, 2), SpeakerPace::Prompt, clock).unwrap();
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
    // A removed speaker never answers, so closing must not wait for it.
    assert!(closing.now() < Timestamp::from_millis(5_000), "{:?}", closing.now());
    player.join(Duration::from_secs(30)).unwrap();
    captured.close();
}

/// Tests that system audio captures what the speakers get, and follows the default speaker.
fn system_sound(clock: Clock) {
    let output = SpeakerOutput::open(None, (48_000, 2), SpeakerPace::Prompt, clock).unwrap();
    let player = Worker::spawn("hum", move |stop| hum(output, stop)).unwrap();
    let captured = CapturedAudio::open(clock, &AudioChoice::System(None));
    let open = await_state(&captured.changes, SourceState::Open);
    eprintln!("  system sound: {} {}", open.id, open.name);
    assert!(open.id.ends_with("speakers.monitor"), "{open:?}");
    hear(&captured.rx, 660.0);
    pactl(&["set-default-sink", "mic_feed"]);
    let limit = Clock::start();
    while !captured.status.report().id.ends_with("mic_feed.monitor") {
        assert!(limit.now() < Timestamp::ZERO + LIMIT, "never followed");
        Stop::new().wait(Duration::from_millis(50));
    }
    captured.again(660.0);
    pactl(&["set-default-sink", "speakers"]);
    player.join(Duration::from_secs(30)).unwrap();
    captured.close();
}

/// Tests that devices are found in a new home folder, which has no PulseAudio cookie yet.
fn a_new_home_hears_them_too() {
    let home = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_onair"));
    command.args(["devices", "--json"]).env("HOME", home.path());
    for name in ["XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME"] {
        command.env_remove(name);
    }
    let output = command.env_remove("PULSE_COOKIE").output().unwrap();
    let output = String::from_utf8_lossy(&output.stdout);
    assert!(output.contains("Rig_Microphone") && output.contains("Rig_Speakers"), "{output}");
}
