//! Tests of recordings of single sources: each has its own size and audio, and begins with the
//! recording of the program.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use crate::peers::{self, LIMIT, Onair, ffmpeg};
use crate::tracks::{amplitude, samples, sounds};

/// Settings of two clips with tones of 440 Hz (640×360) and 880 Hz (320×240). The scene shows the
/// first one only.
fn settings(folder: &Path) -> String {
    let clip = |name: &str, size: &str, hertz: u32| {
        let path = folder.join(name);
        let words = format!(
            "-hide_banner -nostdin -y -v error -f lavfi -i testsrc2=size={size}:rate=25 \
             -f lavfi -i sine=frequency={hertz}:sample_rate=48000 -t 20 -c:v libx264 \
             -preset ultrafast -pix_fmt yuv420p -c:a aac"
        );
        let words = words.split_whitespace().chain([path.to_str().unwrap()]);
        peers::Peer::start("ffmpeg", words).wait_success(LIMIT);
        path.to_str().unwrap().to_owned()
    };
    let (first, second) = (clip("a.mp4", "640x360", 440), clip("b.mp4", "320x240", 880));
    let path = folder.join("settings.toml");
    let text = format!(
        "version = 2\nvideo = 'none'\naudio = 'none'\n\
         [[strips]]\n\
         [[strips]]\nname = 'Guest'\nsource = 'file:{first}'\n\
         [[strips]]\nname = 'Slides'\nsource = 'file:{second}'\n\
         [collection]\ncurrent = 'Main'\n\
         [[collection.sources]]\nname = 'Guest'\nsource = 'file:{first}'\n\
         [[collection.sources]]\nname = 'Slides'\nsource = 'file:{second}'\nrecord = true\n\
         [[collection.scenes]]\nname = 'Main'\n\
         [[collection.scenes.items]]\nsource = 'Guest'\n"
    );
    fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

/// The size, the start of the video and of the audio, and the end of a file.
fn shape(path: &Path) -> (u64, u64, [f64; 2], f64) {
    let probe = ffmpeg::probe(path);
    assert_eq!(probe.warnings, "", "{path:?}");
    let (video, audio) = (probe.packets("video"), probe.packets("audio"));
    let stream = probe.stream("video");
    let side = |name: &str| stream[name].as_u64().unwrap();
    let end = video.last().unwrap().pts;
    (side("width"), side("height"), [video[0].pts, audio[0].pts], end)
}

/// Whether the tones of both clips are in a file.
fn heard(path: &Path) -> [bool; 2] {
    let all = samples(path, 0);
    let middle = &all[all.len() / 2..all.len() / 2 + 9_600];
    [440.0, 880.0].map(|hertz| amplitude(middle, hertz) > 0.03)
}

#[test]
fn each_source_is_recorded_at_its_size_with_its_audio_from_the_first_instant_of_the_program() {
    peers::in_real_time!(
        each_source_is_recorded_at_its_size_with_its_audio_from_the_first_instant_of_the_program
    );
    peers::require!("ffmpeg", "ffprobe");
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name);
    let settings = settings(folder.path());
    let (show, guest) = (file("show.mkv"), file("guest.mp4"));
    let wanted = format!("Guest={}", guest.display());
    let mut words = vec!["live", "--settings", &settings, "--size", "480x270", "--fps", "25"];
    words.extend(["--duration", "5s", "--record", show.to_str().unwrap()]);
    words.extend(["--record-source", &wanted]);
    let mut live = Onair::start(&words);
    assert_eq!(live.peer.wait(LIMIT * 2).code(), Some(0), "{}", live.peer.errors());
    // The switch of the other source is on in the settings.
    let slides = file("show - Slides.mkv");
    let (width, height, start, end) = shape(&show);
    assert_eq!((width, height), (480, 270));
    for (path, size, tones) in
        [(&guest, (640, 360), [true, false]), (&slides, (320, 240), [false, true])]
    {
        let (width, height, its_start, its_end) = shape(path);
        assert_eq!((width, height), size, "{path:?}");
        for (a, b) in start.iter().zip(its_start) {
            assert!((a - b).abs() <= 0.04, "{path:?}: {a} and {b}");
        }
        // Both began at one instant, so both have the same length.
        assert!((end - its_end).abs() < 0.3, "{path:?}: {its_end} of {end}");
        assert_eq!(sounds(path).len(), 1);
        assert_eq!(heard(path), tones, "{path:?}");
    }
    assert_eq!(heard(&show), [true, true]);
    let events = live.events();
    let of =
        |event: &&serde_json::Value| event["event"] == "recording" && event["state"] == "finished";
    let mut names: Vec<_> = events
        .iter()
        .filter(of)
        .map(|it| (it["program"].as_str(), it["source"].as_str()))
        .collect();
    names.sort_unstable();
    assert_eq!(names, [(None, Some("Guest")), (None, Some("Slides")), (Some("main"), None)]);
}

#[test]
fn a_source_whose_file_cannot_be_written_costs_only_its_recording() {
    peers::require!("ffmpeg", "ffprobe");
    let folder = tempfile::tempdir().unwrap();
    let (settings, show) = (settings(folder.path()), folder.path().join("show.mkv"));
    fs::write(folder.path().join("file"), "").unwrap();
    let wanted = format!("Guest={}/file/guest.mkv", folder.path().display());
    let mut words = vec!["live", "--settings", &settings, "--size", "320x180"];
    words.extend(["--duration", "2s", "--record", show.to_str().unwrap()]);
    let mut live = Onair::start(&[&words[..], &["--record-source", &wanted]].concat());
    assert_eq!(live.peer.wait(LIMIT * 2).code(), Some(3), "{}", live.peer.errors());
    assert!(shape(&show).3 > 1.0);
    let names: Vec<_> =
        live.events().iter().filter_map(|it| it["source"].as_str().map(str::to_owned)).collect();
    assert!(names.contains(&"Guest".to_owned()), "{names:?}");
}

#[test]
fn a_source_is_recorded_and_ended_by_lines_while_the_program_goes_on() {
    peers::require!("ffmpeg", "ffprobe");
    let folder = tempfile::tempdir().unwrap();
    let (show, main) = (folder.path().join("show.mkv"), folder.path().join("main.mkv"));
    let mut words = vec!["live", "--video", "test", "--audio", "tone", "--size", "320x180"];
    words.extend(["--record", show.to_str().unwrap()]);
    let (mut live, mut input) = Onair::start_with_input(&words);
    live.wait_named("recording");
    writeln!(input, "record-source main={}", main.display()).unwrap();
    let finished = |live: &Onair, count: usize| {
        let all = live.events();
        all.iter().filter(|it| it["event"] == "recording" && it["state"] == "finished").count()
            >= count
    };
    peers::wait_for("its file", LIMIT, || fs::metadata(&main).is_ok_and(|it| it.len() > 100_000));
    writeln!(input, "stop-source main").unwrap();
    peers::wait_for("its end", LIMIT, || finished(&live, 1));
    writeln!(input, "stop").unwrap();
    assert_eq!(live.peer.wait(LIMIT).code(), Some(0), "{}", live.peer.errors());
    assert!(finished(&live, 2));
    let ends = [&show, &main].map(|path| shape(path).3);
    assert!(ends[0] > ends[1] && ends[1] > 0.5, "{ends:?}");
}
