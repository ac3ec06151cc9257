//! Tests of other sound for single outputs: a target and a recording get an audio track in the place
//! of the program's audio, in step with the video.

use std::fs;
use std::path::Path;

use crate::enhanced::new_ffmpeg;
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
    heard_in(file, 0)
}

fn heard_in(file: &Path, track: usize) -> [bool; 2] {
    let all = samples(file, track);
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
fn a_delayed_target_gets_its_own_audio_too() {
    peers::in_real_time!(a_delayed_target_gets_its_own_audio_too);
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
fn a_server_that_takes_several_tracks_gets_them_on_one_connection() {
    peers::in_real_time!(a_server_that_takes_several_tracks_gets_them_on_one_connection);
    peers::require!("ffmpeg", "ffprobe");
    let Some(new_ffmpeg) = new_ffmpeg() else { return };
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name);
    let (saved, remuxed) = (file("saved.flv"), file("saved.mkv"));
    let mut server = Onair::start(&["serve", "--rtmp", "127.0.0.1:0", "--http", "127.0.0.1:0"]);
    let url = server.wait_named("ready")["rtmp"].as_str().unwrap().to_owned() + "/live/show";
    let words = ["play", &url, "--headless", "--mute", "--save", saved.to_str().unwrap()];
    let mut player = Onair::start(&words);
    server.wait_event("the player", |event| event["event"] == "join");
    let settings = settings(folder.path());
    let mut words = vec!["live", "--settings", &settings, "--size", "480x270", "--fps", "25"];
    words.extend(["--to", &url, "--target-track", "Archive", "--duration", "6s"]);
    let mut live = Onair::start(&words);
    assert_eq!(live.peer.wait(LIMIT * 2).code(), Some(0), "{}", live.peer.errors());
    server.wait_event("the end", |event| event["event"] == "unpublish");
    player.stop(LIMIT);
    let mut command = std::process::Command::new(new_ffmpeg);
    command.args(["-hide_banner", "-nostdin", "-v", "warning", "-y", "-i"]).arg(&saved);
    let output = command.args(["-map", "0", "-c", "copy"]).arg(&remuxed).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && errors.is_empty(), "{errors}");
    assert_eq!(sounds(&remuxed).len(), 2);
    assert_eq!([heard_in(&remuxed, 0), heard_in(&remuxed, 1)], [[true, true], [false, true]]);
    assert_in_step(&saved);
    assert!(server.stop(LIMIT).success());
}

#[test]
fn a_server_that_takes_one_track_gets_the_program_and_the_user_reads_it() {
    peers::in_real_time!(a_server_that_takes_one_track_gets_the_program_and_the_user_reads_it);
    peers::require!("ffmpeg", "ffprobe");
    let folder = tempfile::tempdir().unwrap();
    let (file, port) = (folder.path().join("got.flv"), free_port());
    let _server = ffmpeg::receive(port, &file);
    let (url, settings) = (format!("rtmp://127.0.0.1:{port}/live/stream"), settings(folder.path()));
    let mut words = vec!["live", "--settings", &settings, "--size", "480x270", "--fps", "25"];
    words.extend(["--to", &url, "--target-track", "2", "--duration", "4s"]);
    let mut live = Onair::start(&words);
    assert_eq!(live.peer.wait(LIMIT * 2).code(), Some(0), "{}", live.peer.errors());
    assert_eq!(sounds(&file).len(), 1);
    assert_eq!(heard(&file), [true, true]);
    let summaries = live.events().into_iter().filter(|event| event["event"] == "notice");
    let about_tracks = summaries.filter(|event| {
        event["summary"].as_str().is_some_and(|text| text.contains("one audio track only"))
    });
    assert_eq!(about_tracks.count(), 1, "{:?}", live.events());
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
