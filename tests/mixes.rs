//! Tests of other sound for single outputs: a target and a recording get an audio track in the place
//! of the program's audio, in step with the video.

use std::fs;
use std::path::Path;

use crate::peers::{self, LIMIT, Onair, ffmpeg, free_port};
use crate::tracks::{amplitude, name, samples, sounds, tone};

/// Settings with the test source, whose tone is in the track `Archive`, and with music of 880 Hz,
/// which is not.
fn settings(folder: &Path) -> String {
    let path = folder.join("settings.toml");
    let text = format!(
        "video = 'test'\naudio = 'tone'\n\
         [recording]\ntrack_names = ['', 'Archive']\n\
         [[strips]]\ntracks = [2]\n\
         [[strips]]\nname = 'Music'\nsource = 'file:{}'\n",
        tone(folder, 880).display()
    );
    fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

/// Whether the music and the tone of the test source are in the first track of a file.
fn heard(file: &Path) -> [bool; 2] {
    let all = samples(file, 0);
    // The tone of the test source is short, and lasts two frames.
    [(880.0, 4_800), (1_000.0, 1_600)].map(|(hertz, length)| {
        let each = all.chunks_exact(length).map(|samples| amplitude(samples, hertz));
        each.fold(0.0, f64::max) > 0.15
    })
}

/// Asserts that audio and video of a file belong together.
fn assert_in_step(file: &Path) {
    let words = ["play", "--headless", "--measure", "--start", "1s", "--mute"];
    let mut player = Onair::start(&[&words[..], &[file.to_str().unwrap()]].concat());
    let offset = |event: &serde_json::Value| event["av_offset_ms"].as_f64();
    let measured = |peer: &peers::Peer| -> Option<f64> {
        let output = peer.output();
        let events = output.lines().filter_map(|line| serde_json::from_str(line).ok());
        events.filter_map(|event| offset(&event)).next_back()
    };
    player.peer.wait_until("a measure", LIMIT, |peer| measured(peer).is_some());
    let offset = measured(&player.peer).unwrap();
    assert!(offset.abs() < 40.0, "{file:?}: {offset} ms");
    player.stop(LIMIT);
}

#[test]
fn a_target_without_the_music_gets_the_rest_in_step_and_the_other_target_gets_everything() {
    peers::in_real_time!(
        a_target_without_the_music_gets_the_rest_in_step_and_the_other_target_gets_everything
    );
    peers::require!("ffmpeg", "ffprobe");
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name);
    let (whole, mixed, recorded) = (file("whole.flv"), file("mixed.flv"), file("show.mkv"));
    let ports = [free_port(), free_port()];
    let _servers = [ffmpeg::receive(ports[0], &whole), ffmpeg::receive(ports[1], &mixed)];
    let url = |port: u16| format!("rtmp://127.0.0.1:{port}/live/stream");
    let (first, second, settings) = (url(ports[0]), url(ports[1]), settings(folder.path()));
    let mut words = vec!["live", "--settings", &settings, "--size", "480x270", "--fps", "25"];
    words.extend(["--to", &first, "--to", &second, "--mix", "Archive", "--duration", "6s"]);
    words.extend(["--record", recorded.to_str().unwrap(), "--mix", "2"]);
    let mut live = Onair::start(&words);
    assert_eq!(live.peer.wait(LIMIT * 2).code(), Some(0), "{}", live.peer.errors());
    for (file, expected) in [(&whole, [true, true]), (&mixed, [false, true])] {
        assert_eq!(heard(file), expected, "{file:?}");
        assert_in_step(file);
    }
    // The track is the first one of the recording, and not repeated.
    let streams = sounds(&recorded);
    assert_eq!(streams.iter().map(name).collect::<Vec<_>>(), ["Archive"]);
    assert_eq!(heard(&recorded), [false, true]);
    assert_in_step(&recorded);
}

#[test]
fn a_delayed_target_gets_its_own_sound_too() {
    peers::in_real_time!(a_delayed_target_gets_its_own_sound_too);
    peers::require!("ffmpeg", "ffprobe");
    let folder = tempfile::tempdir().unwrap();
    let (mixed, port) = (folder.path().join("mixed.flv"), free_port());
    let _server = ffmpeg::receive(port, &mixed);
    let (url, settings) = (format!("rtmp://127.0.0.1:{port}/live/stream"), settings(folder.path()));
    let mut words = vec!["live", "--settings", &settings, "--size", "480x270", "--fps", "25"];
    words.extend(["--to", &url, "--mix", "Archive", "--delay", "2s", "--duration", "6s"]);
    let mut live = Onair::start(&words);
    assert_eq!(live.peer.wait(LIMIT * 2).code(), Some(0), "{}", live.peer.errors());
    assert_eq!(heard(&mixed), [false, true]);
    assert_in_step(&mixed);
}

#[test]
fn a_mix_that_does_not_exist_is_refused_with_the_ones_that_do() {
    let folder = tempfile::tempdir().unwrap();
    let settings = settings(folder.path());
    let words = ["live", "--settings", &settings, "--to", "rtmp://127.0.0.1:1/live/k"];
    let mut live = Onair::start(&[&words[..], &["--mix", "Choir"]].concat());
    assert_eq!(live.peer.wait(LIMIT).code(), Some(3), "{}", live.peer.errors());
    let errors = live.peer.errors();
    assert!(errors.contains("Choir") && errors.contains("program, Archive"), "{errors}");
}
