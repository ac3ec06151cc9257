//! Tests of capturing the audio of one application while several play, with PulseAudio and with
//! PipeWire.

use onair::audio::{self, AudioChoice};
use onair::base::{Clock, Timestamp};
use onair::media::SampleBlock;
use onair::media::source_status::SourceState;

use super::captured_audio::{CapturedAudio, hear};
use super::{LIMIT, Program, await_state, inside, pactl, tone};

#[test]
fn inside_pipewire() {
    if inside("pipewire") {
        one_application(Clock::start());
    }
}

/// Tests that only one of two applications that play is captured, although it ends and starts
/// again.
pub fn one_application(clock: Clock) {
    let none = audio::applications().unwrap();
    assert!(none.iter().all(|it| !["Alpha", "Beta"].contains(&it.name.as_str())), "{none:?}");
    let captured = CapturedAudio::open(clock, &AudioChoice::Application("alpha".to_owned()));
    let absent = await_state(&captured.changes, SourceState::Failed);
    assert_eq!(absent.reason.to_string(), "alpha is not running");
    let (alpha, beta) = (playing("Alpha", 440), playing("Beta", 1_000));
    let open = await_state(&captured.changes, SourceState::Open);
    assert_eq!(open.name, "Alpha");
    hear(&captured.rx, 440.0);
    let listed = audio::applications().unwrap();
    let names: Vec<_> = listed.iter().map(|it| it.name.as_str()).collect();
    assert!(names.contains(&"Alpha") && names.contains(&"Beta"), "{names:?}");
    captured.holds_alone(440.0, 1_000.0);

    // A second stream of the same name is captured too, because an application may have several.
    let second = playing("Alpha", 700);
    captured.again(700.0);
    captured.again(440.0);
    drop(second);

    // The application now plays to another sink.
    let number = sink_input("Alpha");
    pactl(&["move-sink-input", &number, "mic_feed"]);
    captured.again(440.0);
    captured.holds_alone(440.0, 1_000.0);

    // The application ends: the strip sends silence, without a gap in time. Then the application
    // returns.
    drop(alpha);
    let lost = await_state(&captured.changes, SourceState::Lost);
    assert_eq!(lost.reason.to_string(), "Alpha was closed");
    let mut end = None;
    for _ in 0..100 {
        let block: SampleBlock = captured.rx.recv_timeout(LIMIT).unwrap();
        assert!(end.is_none_or(|end: Timestamp| end.micros_since(block.pts).abs() <= 1));
        end = Some(block.end());
    }
    let alpha = playing("Alpha", 440);
    await_state(&captured.changes, SourceState::Open);
    captured.again(440.0);
    captured.holds_alone(440.0, 1_000.0);
    drop((alpha, beta));
    captured.close();
}

/// Starts a program that plays a tone under this name until the value is dropped.
fn playing(name: &str, hertz: u32) -> Program {
    tone(&[name, &hertz.to_string()])
}

/// Returns the number of the sink input of the program with this name.
fn sink_input(name: &str) -> String {
    let listed = pactl(&["list", "sink-inputs"]);
    let mut parts = listed.split("Sink Input #").skip(1);
    let part = parts.find(|part| part.contains(&format!("application.name = \"{name}\""))).unwrap();
    part.lines().next().unwrap().trim().to_owned()
}
