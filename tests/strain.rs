//! Test of degradation: what a studio switches off on an overloaded machine, and in which order.
//! The audio must continue without a gap. How much load is too much depends on the machine, so the
//! test adds layers until the studio has switched off everything it can.

use std::path::Path;
use std::process::Command as Process;
use std::time::{Duration, Instant};

use crate::peers::{LIMIT, missing, wait_for};
use onair::audio::AudioChoice;
use onair::base::Clock;
use onair::capture::VideoChoice;
use onair::compose::filter::{Filter, Slot};
use onair::compose::transition::{Kind, Transition};
use onair::media::Size;
use onair::studio::{Collection, Command, Config, Edit, Event, Quality, Settings, Studio};

/// A small program with larger sources: little work for the encoder, much for the compositor.
const PROGRAM: Size = Size::new(320, 180);

/// More layers than any machine can draw; a very slow one needs time to report that.
const ENOUGH: u32 = 40;

/// Writes frames of noise, each different.
fn noise(path: &Path) {
    let (mut bytes, mut state) = (b"YUV4MPEG2 W640 H360 F30:1 C420\n".to_vec(), 1_u32);
    for _ in 0..4 {
        bytes.extend_from_slice(b"FRAME\n");
        bytes.extend(
            std::iter::repeat_with(|| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 24) as u8
            })
            .take(640 * 360 * 3 / 2),
        );
    }
    std::fs::write(path, bytes).unwrap();
}

/// Filters that onair drops under load, and others. No two sources have the same ones, so each is
/// drawn separately.
fn filters(number: u32) -> Vec<Slot> {
    let slot = |filter| Slot { enabled: true, filter };
    let costly = ["denoise", "sharpen"].map(|kind| Filter::of_kind(kind).unwrap());
    let sigma = |step: u32| 4.0 + (number * 16 + step) as f32 * 0.01;
    let blurs = (0..6).map(|step| Filter::Blur { sigma: sigma(step) });
    costly.into_iter().chain(blurs).map(slot).collect()
}

/// Adds a moving, translucent layer.
fn layer(scenes: &mut Collection, number: u32, path: &Path) -> Vec<Edit> {
    let (scene, choice) = (scenes.scenes[0].id, VideoChoice::File(path.to_owned()));
    let add = Edit::AddSource { scene, name: format!("Layer {number}"), choice };
    assert!(scenes.apply(&add), "no room for another layer");
    let source = scenes.sources.last().unwrap().id;
    let item = scenes.scenes[0].items.last().unwrap().id;
    let rest = [Edit::SetFilters(source, filters(number)), Edit::SetOpacity(item, 0.5)];
    assert!(rest.iter().all(|edit| scenes.apply(edit)));
    std::iter::once(add).chain(rest).collect()
}

#[test]
fn degradations_are_reported_in_order_and_the_audio_has_no_gap() {
    crate::peers::in_real_time!(degradations_are_reported_in_order_and_the_audio_has_no_gap);
    if missing(&["ffmpeg", "ffprobe"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (clip, file) = (folder.path().join("noise.y4m"), folder.path().join("out.mkv"));
    noise(&clip);
    let mut scenes = Collection::default();
    let main = scenes.current;
    for edit in [
        Edit::AddScene("Next".into()),
        Edit::SetTransition(Transition { kind: Kind::Fade, duration: Duration::from_secs(20) }),
    ] {
        assert!(scenes.apply(&edit), "{edit:?}");
    }
    let next = scenes.scenes[1].id;
    assert!(scenes.apply(&Edit::ShowScene { scene: next, shown: main }));
    let settings = Settings {
        video: Some(VideoChoice::Test),
        audio: Some(AudioChoice::Tone),
        quality: Quality { size: PROGRAM, frame_rate: "30".parse().unwrap(), ..Quality::default() },
        collection: scenes.clone(),
        ..Settings::default()
    };
    let mut studio = Studio::start(Config::new(Clock::start(), settings)).unwrap();
    let events = studio.events().unwrap();
    studio.send(Command::SetPreviewScene(Some(next)));
    studio.send(Command::StartRecording(file.clone()));
    let preview = || studio.snapshot().scenes.preview.get();
    wait_for("the preview scene", LIMIT, || preview().is_some());

    let (mut keys, mut layers) = (Vec::new(), 0);
    let begun = Instant::now();
    while !keys.contains(&"degradation-rate") {
        assert!(begun.elapsed() < 4 * LIMIT, "of {layers} layers only this was told: {keys:?}");
        match events.recv_timeout(LIMIT).unwrap() {
            // Adds a layer about every second.
            Event::Stats(_) if layers < ENOUGH => {
                layers += 1;
                layer(&mut scenes, layers, &clip)
                    .into_iter()
                    .for_each(|edit| studio.send(Command::EditProgram(edit)));
            }
            Event::Notice(notice) if notice.key().starts_with("degradation-") => {
                eprintln!("  {layers} layers: {}", notice.summary());
                keys.push(notice.key());
            }
            Event::Notice(notice) => assert!(!notice.key().ends_with("-failed"), "{notice:?}"),
            _ => {}
        }
    }
    let order = [
        "degradation-preview",
        "degradation-transitions",
        "degradation-filters",
        "degradation-rate",
    ];
    assert_eq!(keys, order);
    // The scene changes without a transition, and the preview is still drawn.
    let before = preview().unwrap();
    studio.send(Command::SwitchScene(next));
    wait_for("the other scene", LIMIT, || studio.snapshot().scenes.collection.current == next);
    let is_newer = || preview().is_some_and(|now| !now.is_same(&before));
    wait_for("a newer frame of the preview", LIMIT, is_newer);
    studio.send(Command::StopRecording);
    loop {
        if matches!(events.recv_timeout(LIMIT).unwrap(), Event::Stopped) {
            break;
        }
    }
    studio.end(LIMIT).unwrap();
    unbroken(&file);
}

/// Asserts that audio packets follow each other without gaps, and that the tone never stops.
fn unbroken(file: &Path) {
    let output = Process::new("ffprobe")
        .args(["-v", "error", "-select_streams", "a", "-of", "csv=p=0"])
        .args(["-show_entries", "packet=pts_time"])
        .arg(file)
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let number = |line: &str| line.trim_end_matches(',').parse::<f64>().ok();
    let times: Vec<f64> = text.lines().filter_map(number).collect();
    assert!(times.len() > 200, "{} packets", times.len());
    // 1,024 samples at 48,000 per second, in whole milliseconds.
    for (index, time) in times.iter().enumerate() {
        let wanted = times[0] + index as f64 * 1_024.0 / 48_000.0;
        assert!((time - wanted).abs() < 0.002, "packet {index} at {time}, not {wanted}");
    }
    let output = Process::new("ffmpeg")
        .args(["-hide_banner", "-nostdin", "-v", "error", "-i"])
        .arg(file)
        .args(["-map", "0:a", "-ac", "1", "-ar", "48000", "-f", "f32le", "-"])
        .output()
        .unwrap();
    let (samples, _) = output.stdout.as_chunks::<4>();
    let sound: Vec<f32> = samples.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
    let whole = times.len() as f64 * 1_024.0;
    assert!((sound.len() as f64 - whole).abs() < 4_096.0, "{} of {whole}", sound.len());
    // 220 Hz at -40 dBFS, except where the encoder starts and ends.
    let blocks: Vec<f32> = sound[9_600..sound.len() - 9_600]
        .chunks_exact(480)
        .map(|block| block.iter().fold(0.0_f32, |most, it| most.max(it.abs())))
        .collect();
    let quietest = blocks.iter().copied().fold(1.0, f32::min);
    eprintln!(
        "  {:.1} s of sound, the faintest 10 ms {quietest:.4}",
        sound.len() as f64 / 48_000.0
    );
    assert!(quietest > 0.004, "a gap: {quietest}");
}
