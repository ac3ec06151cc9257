//! Test of a second canvas: its own size, scene, targets and recording beside the program, from the
//! same sources, with the same sound and the same clock.

use std::fs;
use std::path::Path;

use crate::peers::{self, LIMIT, Onair, ffmpeg, free_port};
use crate::tracks::{amplitude, samples};

/// Settings of a red scene for the program, a blue one for the second canvas, and a tone.
fn settings(folder: &Path) -> String {
    let path = folder.join("settings.toml");
    let text = format!(
        "version = 2\nvideo = 'none'\naudio = 'file:{}'\n\
         [collection]\ncurrent = 'Wide'\n\
         [[collection.sources]]\nname = 'Red'\nsource = 'color:#ff0000'\n\
         [[collection.sources]]\nname = 'Blue'\nsource = 'color:#0000ff'\n\
         [[collection.scenes]]\nname = 'Wide'\n\
         [[collection.scenes.items]]\nsource = 'Red'\nfit = 'cover'\n\
         [[collection.scenes]]\nname = 'Phone'\n\
         [[collection.scenes.items]]\nsource = 'Blue'\nfit = 'cover'\n",
        crate::tracks::tone(folder, 880).display()
    );
    fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

/// The size, the first times of video and audio, and the end of a file.
fn shape(path: &Path) -> ((u64, u64), [f64; 2], f64) {
    let probe = ffmpeg::probe(path);
    assert_eq!(probe.warnings, "", "{path:?}");
    let (video, audio) = (probe.packets("video"), probe.packets("audio"));
    let stream = probe.stream("video");
    let side = |name: &str| stream[name].as_u64().unwrap();
    let starts = [video[0].pts, audio[0].pts];
    ((side("width"), side("height")), starts, video.last().unwrap().pts)
}

#[test]
fn the_second_canvas_has_its_own_size_scene_target_and_recording() {
    peers::in_real_time!(the_second_canvas_has_its_own_size_scene_target_and_recording);
    peers::require!("ffmpeg", "ffprobe");
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name);
    let [wide, tall] = ["wide.mkv", "tall.mkv"].map(file);
    let [wide_sent, tall_sent] = ["wide.flv", "tall.flv"].map(file);
    let ports = [free_port(), free_port()];
    let _servers = [ffmpeg::receive(ports[0], &wide_sent), ffmpeg::receive(ports[1], &tall_sent)];
    let [first, second] = ports.map(|port| format!("rtmp://127.0.0.1:{port}/live/stream"));
    let settings = settings(folder.path());
    let mut words = vec!["live", "--settings", &settings, "--size", "320x180", "--fps", "25"];
    words.extend(["--duration", "5s", "--to", &first, "--record", wide.to_str().unwrap()]);
    words.extend(["--canvas", "180x320,Phone", "--to", &second]);
    words.extend(["--record", tall.to_str().unwrap()]);
    let mut live = Onair::start(&words);
    assert_eq!(live.peer.wait(LIMIT * 2).code(), Some(0), "{}", live.peer.errors());
    let (red, blue) = ([254, 0, 0], [0, 0, 254]);
    for (path, size, expected) in [
        (&wide, (320, 180), red),
        (&wide_sent, (320, 180), red),
        (&tall, (180, 320), blue),
        (&tall_sent, (180, 320), blue),
    ] {
        assert_eq!(shape(path).0, size, "{path:?}");
        let color = ffmpeg::color(path.to_str().unwrap());
        let is_near = color.iter().zip(expected).all(|(is, it): (&u8, u8)| is.abs_diff(it) < 12);
        assert!(is_near, "{path:?}: {color:?}");
        let all = samples(path, 0);
        let blocks = all.chunks_exact(4_800).map(|block| amplitude(block, 880.0));
        assert!(blocks.fold(0.0, f64::max) > 0.1, "{path:?}");
    }
    // Both recordings began at one instant.
    let ([_, starts, end], [_, its_starts, its_end]) = (three(shape(&wide)), three(shape(&tall)));
    assert!((starts - its_starts).abs() <= 0.04, "{starts} and {its_starts}");
    assert!((end - its_end).abs() < 0.3, "{its_end} of {end}");
    let events = live.events();
    let figures: Vec<_> =
        events.iter().filter(|it| it["event"] == "stats").map(|it| &it["canvas"]).collect();
    assert!(
        !figures.is_empty()
            && figures.iter().all(|it| it["targets"].as_array().unwrap().len() == 1)
    );
    let last = &figures.last().unwrap()["video"];
    assert_eq!(last["size"], "180x320");
    assert!(last["fps"].as_f64().unwrap() > 1.0 && last["bitrate"].as_u64().unwrap() > 0, "{last}");
    for (event, expected) in [("target", 2), ("recording", 2), ("encoder", 4)] {
        let mut programs: Vec<_> = events
            .iter()
            .filter(|it| it["event"] == event && it["state"] != "connecting")
            .filter(|it| it["state"] != "finished" && it["state"] != "stopped")
            .map(|it| it["program"].as_str().unwrap())
            .collect();
        programs.sort_unstable();
        assert_eq!(programs.len(), expected, "{event}: {programs:?}");
        let half = expected / 2;
        assert!(programs[..half].iter().all(|it| *it == "main"), "{event}: {programs:?}");
        assert!(programs[half..].iter().all(|it| *it == "second"), "{event}: {programs:?}");
    }
}

/// The width, the start of the video and the end of a file.
fn three(((width, _), starts, end): ((u64, u64), [f64; 2], f64)) -> [f64; 3] {
    [width as f64, starts[0], end]
}

#[test]
fn a_second_canvas_alone_is_usage() {
    let words = ["live", "--video", "test", "--canvas", "180x320", "--to", "rtmp://127.0.0.1/a/b"];
    let mut live = Onair::start(&words);
    assert_eq!(live.peer.wait(LIMIT).code(), Some(2), "{}", live.peer.errors());
    assert!(live.peer.errors().contains("--canvas must follow"), "{}", live.peer.errors());
}
