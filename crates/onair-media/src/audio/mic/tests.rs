//! Tests of microphones with an audio system that the test controls.

use super::*;
use crate::audio::backend::fake::{Bench, Fake};
use crate::base::Clock;
use crate::base::queue::Receiver;
use crate::media::playback_control::EndBehavior;
use crate::media::source_status::SourceReport;
use crate::media::{FrameGrid, FrameRate};
use crate::text::Language;

fn context() -> Context {
    let grid = FrameGrid { origin: Timestamp::ZERO, rate: FrameRate::FPS_30 };
    Context { clock: Clock::start(), grid, rate: 48_000, channels: 2, at_end: EndBehavior::Loop }
}

fn open_fake(id: Option<&str>) -> (Bench, Source, Receiver<SourceReport>) {
    let (system, bench) = Fake::new();
    bench.plug(Direction::Input, "first");
    bench.plug(Direction::Input, "second");
    let wanted = WantedInput::Microphone(id.map(str::to_owned));
    let source = open(Box::new(system), wanted, &context()).unwrap();
    let changes = source.status.changes().unwrap();
    (bench, source, changes)
}

/// Waits for the next report in this state. Meanwhile, the device captures a hum.
fn await_state(
    bench: &Bench,
    changes: &Receiver<SourceReport>,
    state: SourceState,
) -> SourceReport {
    for _ in 0..3_000 {
        for id in ["first", "second"] {
            bench.speak(id, &[0.1; 960], 2);
        }
        if let Ok(report) = changes.recv_timeout(Duration::from_millis(10))
            && report.state == state
        {
            return report;
        }
    }
    panic!("never {state:?}");
}

#[test]
fn a_microphone_that_is_unplugged_is_taken_back() {
    let (bench, _source, changes) = open_fake(Some("second"));
    let open = await_state(&bench, &changes, SourceState::Open);
    assert_eq!((open.id.as_str(), open.name.as_str()), ("second", "The second"));
    bench.unplug("second");
    let lost = await_state(&bench, &changes, SourceState::Lost);
    assert!(lost.reason.to_string().contains("The second"), "{}", lost.reason);
    bench.plug(Direction::Input, "second");
    assert_eq!(await_state(&bench, &changes, SourceState::Open).id, "second");
}

#[test]
fn the_default_is_followed() {
    let (bench, _source, changes) = open_fake(None);
    assert_eq!(await_state(&bench, &changes, SourceState::Open).id, "first");
    bench.unplug("first");
    while await_state(&bench, &changes, SourceState::Open).id != "second" {}
}

#[test]
fn audio_of_the_speakers_is_captured_and_followed_to_other_speakers() {
    let (system, bench) = Fake::new();
    bench.plug(Direction::Input, "first");
    bench.plug(Direction::Monitor, "hdmi.monitor");
    bench.plug(Direction::Monitor, "headphones.monitor");
    let source = open(Box::new(system), WantedInput::Speakers(None), &context()).unwrap();
    let changes = source.status.changes().unwrap();
    let await_open = |id: &str| {
        for _ in 0..3_000 {
            bench.speak(id, &[0.1; 960], 2);
            let report = changes.recv_timeout(Duration::from_millis(10));
            if report.is_ok_and(|report| report.state == SourceState::Open && report.id == id) {
                return;
            }
        }
        panic!("never {id}");
    };
    await_open("hdmi.monitor");
    bench.unplug("hdmi.monitor");
    await_open("headphones.monitor");
    let by_id = WantedInput::Speakers(Some("headphones".to_owned()));
    let device = |id: &str| DeviceInfo { id: id.to_owned(), name: String::new(), default: true };
    assert!(by_id.is(&device("headphones.monitor")) && !by_id.is(&device("hdmi.monitor")));
}

#[test]
fn chosen_speakers_without_an_audio_server_are_not_plugged_in() {
    for (others, id) in [(&[][..], "device-no-system-audio"), (&["hdmi.monitor"], "device-absent")]
    {
        let (system, bench) = Fake::new();
        for other in others {
            bench.plug(Direction::Monitor, other);
        }
        let wanted = WantedInput::Speakers(Some("headphones".to_owned()));
        let source = open(Box::new(system), wanted, &context()).unwrap();
        let changes = source.status.changes().unwrap();
        let failed = await_state(&bench, &changes, SourceState::Failed);
        assert_eq!(failed.reason.id(), id);
    }
}

#[test]
fn an_application_is_followed_by_its_name() {
    let (system, bench) = Fake::new();
    bench.applications(&["Other"]);
    let wanted = WantedInput::Application("game".to_owned());
    let source = open(Box::new(system), wanted, &context()).unwrap();
    let changes = source.status.changes().unwrap();
    let next = |state| {
        for _ in 0..3_000 {
            bench.speak("game", &[0.1; 960], 2);
            let report = changes.recv_timeout(Duration::from_millis(10));
            if let Ok(report) = report.map_err(drop)
                && report.state == state
            {
                return report;
            }
        }
        panic!("never {state:?}");
    };
    let absent = next(SourceState::Failed);
    assert!(absent.reason.to_string().contains("game is not running"), "{}", absent.reason);
    bench.applications(&["Other", "Game"]);
    assert_eq!(next(SourceState::Open).name, "Game");
    bench.applications(&["Other"]);
    let lost = next(SourceState::Lost);
    assert_eq!(lost.reason.to_string(), "Game was closed");
    bench.applications(&["Game"]);
    next(SourceState::Open);
}

#[test]
fn a_microphone_that_is_busy_says_so_and_is_taken_when_free() {
    let (system, bench) = Fake::new();
    bench.plug(Direction::Input, "first");
    bench.refuse("first", Some(Fault::Busy("EBUSY".into())));
    let source = open(Box::new(system), WantedInput::Microphone(None), &context()).unwrap();
    let changes = source.status.changes().unwrap();
    let busy = await_state(&bench, &changes, SourceState::Failed);
    assert!(busy.reason.id() == "device-busy" && busy.detail == "EBUSY");
    bench.refuse("first", None);
    await_state(&bench, &changes, SourceState::Open);
}

#[test]
fn a_microphone_that_never_gave_its_name_is_called_by_its_kind() {
    let (system, bench) = Fake::new();
    let wanted = WantedInput::Microphone(Some("gone".into()));
    let source = open(Box::new(system), wanted, &context()).unwrap();
    let changes = source.status.changes().unwrap();
    let absent = await_state(&bench, &changes, SourceState::Failed);
    assert_eq!(absent.reason.to_string(), "the microphone 'gone' is not connected");
}

#[test]
fn a_microphone_that_may_not_be_used_says_what_to_do() {
    let (system, bench) = Fake::new();
    bench.plug(Direction::Input, "first");
    bench.refuse("first", Some(Fault::Refused("EACCES".into())));
    let source = open(Box::new(system), WantedInput::Microphone(None), &context()).unwrap();
    let changes = source.status.changes().unwrap();
    let refused = await_state(&bench, &changes, SourceState::Failed);
    assert_eq!(refused.reason.to_string(), "onair cannot use The first: permission denied");
    let cure = Language::English.cure(&refused.reason).unwrap();
    assert!(cure.contains("privacy settings") && refused.detail == "EACCES", "{cure}");
    bench.refuse("first", None);
    await_state(&bench, &changes, SourceState::Open);
}

#[test]
fn a_microphone_of_another_rate_is_taken_and_one_of_none_named() {
    let (system, bench) = Fake::new();
    bench.plug(Direction::Input, "first");
    bench.limit("first", 44_100);
    let session = context();
    let mut source = open(Box::new(system), WantedInput::Microphone(None), &session).unwrap();
    let changes = source.status.changes().unwrap();
    let report = await_state(&bench, &changes, SourceState::Open);
    // The output always has the program's rate.
    assert_eq!(report.format, SourceFormat::Audio { rate: 48_000, channels: 2 });
    let mut at = session.clock.now();
    let mut out = [0.0; 960];
    let has_audio = (0..3_000).any(|_| {
        bench.speak("first", &[0.1; 882], 2);
        std::thread::sleep(Duration::from_millis(10));
        let pulled = source.feed.pull(at, &mut out);
        // Like the mixer: audio missed while the computer was suspended is not requested later.
        at = (at + Duration::from_millis(10)).max(session.clock.now() - Duration::from_millis(100));
        pulled == Pulled::Audio && out.iter().all(|sample| (sample - 0.1).abs() < 0.01)
    });
    assert!(has_audio, "the hum never came out");

    let (system, bench) = Fake::new();
    bench.plug(Direction::Input, "first");
    bench.limit("first", 8_000);
    let source = open(Box::new(system), WantedInput::Microphone(None), &context()).unwrap();
    let changes = source.status.changes().unwrap();
    let odd = await_state(&bench, &changes, SourceState::Failed);
    assert_eq!(odd.reason.id(), "device-audio-format");
    // The message contains the last rate that was tried.
    assert_eq!(odd.detail, "no 44100 Hz");
}

/// Tests that a connected device without data is reported after 2 s, reopened after 5 s, and used
/// again as soon as it delivers data.
#[test]
fn a_stalled_microphone_is_reported_and_reopened_and_the_report_ends() {
    let (bench, _source, changes) = open_fake(Some("second"));
    await_state(&bench, &changes, SourceState::Open);
    let silent = |state: SourceState| {
        let limit = std::time::Instant::now() + Duration::from_secs(30);
        while std::time::Instant::now() < limit {
            let report = changes.recv_timeout(Duration::from_millis(100));
            if let Ok(report) = report.map_err(drop)
                && report.state == state
            {
                return report;
            }
        }
        panic!("never {state:?}");
    };
    let stalled = silent(SourceState::Stalled);
    assert_eq!(stalled.reason.to_string(), "The second is not sending any audio");
    let lost = silent(SourceState::Lost);
    assert_eq!(lost.detail, "no audio for 5 s");
    assert_eq!(await_state(&bench, &changes, SourceState::Open).id, "second");
}

#[test]
fn silence_comes_out_while_nothing_goes_in() {
    let (_bench, mut source, _changes) = open_fake(Some("absent"));
    let mut out = [1.0; 960];
    assert_eq!(source.feed.pull(Timestamp::ZERO, &mut out), Pulled::Silence);
    assert!(out.iter().all(|&s| s == 0.0));
    assert!(source.feed.delay() <= Duration::from_millis(40));
}

#[test]
fn the_extra_delay_of_late_blocks_shrinks_slowly_once_it_is_not_needed() {
    const RATE_HZ: u32 = 8_000;
    let context = Context { rate: RATE_HZ, channels: 1, ..context() };
    let (mut microphone, mut feed) = simulated::Microphone::plug_in(&context, RATE_HZ);
    let (mut block, mut sent) = (0, 0);
    // Returns the number of incomplete blocks, and the delay afterwards.
    let mut run = |seconds: i64, late_ms: i64| {
        let (end, mut short) = (block + seconds * 100, 0);
        while block < end {
            let at = Timestamp::from_millis(block * 10);
            let now = at + Duration::from_millis(10) + feed.delay();
            while Timestamp::from_millis((sent + 1) * 10 + late_ms) <= now {
                microphone.hear(Timestamp::from_millis(sent * 10), &[0.1; 80]);
                sent += 1;
            }
            short += usize::from(feed.pull(at, &mut [0.0; 80]) == Pulled::Silence);
            block += 1;
        }
        (short, feed.delay())
    };
    let (_, usual) = run(5, 0);
    let (short, extra) = run(30, 40);
    assert!(short > 0 && extra > usual, "{usual:?} {extra:?}");
    // The delay does not become so small that a block is late again.
    let (short, needed) = run(70, 40);
    assert!(short == 0 && needed + SLACK_STEP >= extra, "{short} {needed:?} {extra:?}");
    assert_eq!(run(61, 0), (0, needed - SLACK_STEP));
    assert_eq!(run(60, 0), (0, needed - 2 * SLACK_STEP));
}
