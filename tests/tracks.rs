//! Tests of several audio tracks in recordings by `onair live`. Each tone must be in the right
//! track, and all tracks must cover the same time. The tracks must survive pauses, splits, replays,
//! kills and remuxing.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::peers::{self, LIMIT, Onair, Peer, ffmpeg};
use serde_json::Value;

/// A file with a tone of this frequency in the first half of every second.
pub(crate) fn tone(folder: &Path, hertz: u32) -> PathBuf {
    let path = folder.join(format!("{hertz}.wav"));
    let rate = 48_000_u32;
    let mut data = Vec::new();
    for n in 0..rate * 2 {
        let on = n % rate < rate / 2;
        let phase = f64::from(n % rate) * f64::from(hertz) / f64::from(rate);
        let value = if on { (phase * std::f64::consts::TAU).sin() * 8_000.0 } else { 0.0 };
        data.extend((value as i16).to_le_bytes());
    }
    let mut file = Vec::new();
    file.extend(b"RIFF");
    file.extend((36 + data.len() as u32).to_le_bytes());
    file.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    file.extend(rate.to_le_bytes());
    file.extend((rate * 2).to_le_bytes());
    file.extend(b"\x02\0\x10\0data");
    file.extend((data.len() as u32).to_le_bytes());
    file.extend(data);
    fs::write(&path, file).unwrap();
    path
}

/// Settings of three strips: 440 Hz in the program and track 2; 880 Hz in the program and track 3;
/// 1,760 Hz in tracks 2 and 3 and nowhere else.
fn settings(folder: &Path) -> PathBuf {
    let path = folder.join("settings.toml");
    let file = |hertz| tone(folder, hertz).display().to_string();
    let text = format!(
        "video = 'test'\naudio = 'file:{}'\n\
         [recording]\ntrack_names = ['Everything', 'Low 低', '']\n\
         [[strips]]\ntracks = [2]\n\
         [[strips]]\nname = 'High'\nsource = 'file:{}'\ntracks = [3]\n\
         [[strips]]\nname = 'Top'\nsource = 'file:{}'\nmonitoring = 'tracks'\ntracks = [2, 3]\n\
         gain_db = -6.0\n",
        file(440),
        file(880),
        file(1_760),
    );
    fs::write(&path, text).unwrap();
    path
}

/// Options for a small broadcast that is recorded to `path`.
fn words(settings: &Path, path: &Path, more: &[&str]) -> Vec<String> {
    let mut words = vec!["live", "--settings", settings.to_str().unwrap(), "--size", "320x180"];
    words.extend(["--video-bitrate", "300k", "--keyframe-interval", "1s"]);
    words.extend(["--record", path.to_str().unwrap()]);
    words.extend(more);
    words.into_iter().map(str::to_owned).collect()
}

fn start(settings: &Path, path: &Path, more: &[&str], state: Option<&Path>) -> Onair {
    let words = words(settings, path, more);
    let words: Vec<_> = words.iter().map(String::as_str).collect();
    let state = state.map(|state| ("XDG_STATE_HOME", state.to_str().unwrap()));
    Onair::start_with(&words, state.as_slice())
}

/// The audio streams of a file, as ffprobe sees them.
pub(crate) fn sounds(path: &Path) -> Vec<Value> {
    let probe = ffmpeg::probe(path);
    assert_eq!(probe.warnings, "", "{path:?}");
    let streams = probe.json["streams"].as_array().unwrap().iter();
    streams.filter(|stream| stream["codec_type"] == "audio").cloned().collect()
}

/// The name of an audio stream.
pub(crate) fn name(stream: &Value) -> &str {
    let tags = &stream["tags"];
    let named = ["title", "name", "handler_name"].map(|key| tags[key].as_str());
    named.into_iter().flatten().next().unwrap_or_default()
}

/// The samples of this audio track, at 48 kHz and mono, from the file's zero on.
pub(crate) fn samples(path: &Path, track: usize) -> Vec<f32> {
    let raw = path.with_extension(format!("{track}.f32"));
    let map = format!("0:a:{track}");
    let mut words = vec!["-hide_banner", "-nostdin", "-y", "-v", "error"];
    words.extend(["-i", path.to_str().unwrap(), "-map", &map, "-ac", "1"]);
    // Follows the timestamps, even for gaps shorter than a packet.
    let exact = "aresample=48000:async=1:first_pts=0:min_hard_comp=0.002";
    words.extend(["-af", exact, "-f", "f32le"]);
    words.push(raw.to_str().unwrap());
    Peer::start("ffmpeg", words).wait_success(LIMIT);
    let bytes = fs::read(&raw).unwrap();
    fs::remove_file(raw).unwrap();
    bytes.chunks_exact(4).map(|it| f32::from_le_bytes(it.try_into().unwrap())).collect()
}

/// The amplitude of a frequency in these samples.
pub(crate) fn amplitude(samples: &[f32], hertz: f64) -> f64 {
    let (mut re, mut im) = (0.0, 0.0);
    for (n, sample) in samples.iter().enumerate() {
        let angle = n as f64 * hertz * std::f64::consts::TAU / 48_000.0;
        re += f64::from(*sample) * angle.cos();
        im += f64::from(*sample) * angle.sin();
    }
    2.0 * (re * re + im * im).sqrt() / samples.len().max(1) as f64
}

/// Whether each of the three tones is in a track.
fn tones(samples: &[f32]) -> [bool; 3] {
    // In blocks of a tenth of a second, since a pause shifts the phase of a tone.
    [440.0, 880.0, 1_760.0].map(|hertz| {
        let each = samples.chunks_exact(4_800).map(|samples| amplitude(samples, hertz));
        let found = each.fold(0.0, f64::max);
        assert!(!(0.04..0.08).contains(&found), "{hertz} Hz: {found}");
        found >= 0.08
    })
}

const EXPECTED: [[bool; 3]; 3] = [[true, true, false], [true, false, true], [false, true, true]];

/// Where the tones stop, in samples: the ends of the loud halves of the seconds. An encoder's
/// residue after such an end is quieter.
fn ends(samples: &[f32]) -> Vec<usize> {
    let loud = samples.iter().enumerate().filter(|(_, sample)| sample.abs() > 0.07);
    let loud: Vec<usize> = loud.map(|(at, _)| at).collect();
    let last = loud.windows(2).filter(|pair| pair[1] - pair[0] > 4_800).map(|pair| pair[0]);
    let last: Vec<usize> = last.collect();
    // A pause cuts a tone at a packet border. Such ends are not a second apart, and do not count.
    let second = |a: &usize, b: &usize| a.abs_diff(*b).abs_diff(48_000) < 480;
    last.iter().filter(|end| last.iter().any(|other| second(end, other))).copied().collect()
}

/// Asserts that a file has three tracks, each with its tones and all in step.
fn check(path: &Path, names: [&str; 3]) {
    let streams = sounds(path);
    let found: Vec<_> = streams.iter().map(name).collect();
    assert_eq!(found, names, "{path:?}");
    let default: Vec<_> = streams.iter().map(|it| &it["disposition"]["default"]).collect();
    assert_eq!(default, [1, 0, 0], "{path:?}");
    assert_eq!(ffmpeg::decode(path), "", "{path:?}");
    same_instants(path);
}

fn same_instants(path: &Path) {
    let tracks: Vec<_> = (0..3).map(|track| samples(path, track)).collect();
    for (track, samples) in tracks.iter().enumerate() {
        assert_eq!(tones(samples), EXPECTED[track], "{path:?}: track {}", track + 1);
    }
    let all: Vec<_> = tracks.iter().map(|samples| ends(samples)).collect();
    assert!(all[0].len() >= 2, "{path:?}: {all:?}");
    for (at, other) in all.iter().enumerate().skip(1) {
        // One millisecond, the resolution of Matroska, and the longest wave.
        let is_there = |end: &&usize| other.iter().any(|it| it.abs_diff(**end) <= 48 + 109);
        let alone = all[0].iter().filter(|end| !is_there(end)).count();
        // One end may lie at the very end of the file.
        assert!(alone <= 1 && other.len().abs_diff(all[0].len()) <= 1, "{path:?}, {at}: {all:?}");
    }
}

const NAMES: [&str; 3] = ["Everything", "Low 低", "High + Top"];

fn remux(from: &Path, to: &Path) -> Value {
    let mut onair = Onair::start(&["remux", from.to_str().unwrap(), to.to_str().unwrap()]);
    assert!(onair.peer.wait(LIMIT).success(), "{}", onair.peer.errors());
    onair.events().remove(0)
}

#[test]
fn strips_go_into_their_tracks_and_remuxing_keeps_them() {
    peers::in_real_time!(strips_go_into_their_tracks_and_remuxing_keeps_them);
    peers::require!("ffmpeg", "ffprobe");
    let folder = tempfile::tempdir().unwrap();
    let settings = settings(folder.path());
    for (format, other) in [("mp4", "mkv"), ("mkv", "mp4")] {
        let path = folder.path().join(format!("show.{format}"));
        let mut onair = start(&settings, &path, &["--duration", "5s"], None);
        assert!(onair.peer.wait(LIMIT).success(), "{}", onair.peer.errors());
        check(&path, NAMES);
        let to = folder.path().join(format!("of-{format}.{other}"));
        assert_eq!(remux(&path, &to)["left_out"], serde_json::json!([]));
        check(&to, NAMES);
        let back = folder.path().join(format!("back-{format}.{format}"));
        remux(&to, &back);
        check(&back, NAMES);
        // FLV carries the tracks in multitrack bodies, which have no names.
        let flv = folder.path().join(format!("of-{format}.flv"));
        let left_out = remux(&path, &flv)["left_out"].to_string();
        assert!(left_out.contains("audio track names"), "{left_out}");
        let again = folder.path().join(format!("again-{format}.mkv"));
        remux(&flv, &again);
        check(&again, ["", "", ""]);

        let mut probe = Onair::start(&["probe", path.to_str().unwrap()]);
        assert!(probe.peer.wait(LIMIT).success(), "{}", probe.peer.errors());
        let found: Value = serde_json::from_str(&probe.peer.output()).unwrap();
        let streams = found["streams"].as_array().unwrap();
        let named: Vec<_> = streams.iter().map(|it| it["name"].as_str()).collect();
        assert_eq!(named, [None, Some(NAMES[0]), Some(NAMES[1]), Some(NAMES[2])], "{found}");
        for stream in &streams[1..] {
            assert_eq!((&stream["codec"], &stream["sample_rate"]), (&"aac".into(), &48_000.into()));
            assert!(stream["bitrate"].as_u64() > Some(10_000), "{found}");
        }
    }
}

#[test]
fn a_kill_leaves_all_tracks_and_repair_makes_them_whole() {
    peers::require!("ffmpeg", "ffprobe");
    for format in ["mp4", "mkv"] {
        let folder = tempfile::tempdir().unwrap();
        let settings = settings(folder.path());
        let state = folder.path().join("state");
        let path = folder.path().join(format!("show.{format}"));
        let mut onair = start(&settings, &path, &[], Some(&state));
        onair.wait_event("five seconds of pictures", |event| {
            event["event"] == "stats" && event["video"]["encoded"].as_u64() >= Some(150)
        });
        onair.peer.signal("KILL");
        onair.peer.wait(LIMIT);
        let mut repair = Onair::start(&["repair", path.to_str().unwrap()]);
        assert!(repair.peer.wait(LIMIT).success(), "{}", repair.peer.errors());
        assert_eq!(repair.events()[0]["state"], "repaired");
        check(&path, NAMES);
    }
}

#[test]
fn pauses_splits_and_replays_keep_the_tracks_together() {
    peers::require!("ffmpeg", "ffprobe");
    let folder = tempfile::tempdir().unwrap();
    let settings = settings(folder.path());
    let path = folder.path().join("show.mp4");
    let pipe = folder.path().join("keyboard");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    // Opened for both reading and writing, so that neither end waits for the other.
    let mut keyboard = fs::File::options().read(true).write(true).open(&pipe).unwrap();
    let mut command = Command::new("sh");
    command.args(["-c", &format!("exec \"$@\" < {}", pipe.display()), "sh"]);
    command.arg(env!("CARGO_BIN_EXE_onair"));
    command.args(words(&settings, &path, &["--control", "--replay", "3s"])).arg("--json");
    let mut onair = Onair::start_command(&mut command, &[]);
    let mut line = |line: &str| std::io::Write::write_all(&mut keyboard, line.as_bytes()).unwrap();
    let recorded = |onair: &mut Onair, seconds: u64| {
        onair.wait_event("pictures", |event| {
            event["event"] == "stats" && event["video"]["encoded"].as_u64() >= Some(seconds * 30)
        });
    };
    recorded(&mut onair, 3);
    line("pause\n");
    onair.wait_event("the pause", |it| it["event"] == "recording" && it["paused"] == true);
    recorded(&mut onair, 5);
    line("replay\n");
    let is_over = |it: &Value| it["event"] == "replay" && it["state"] != "writing";
    let replay = onair.wait_event("the replay", is_over);
    assert_eq!(replay["state"], "finished", "{replay}");
    line("resume\n");
    onair.wait_event("going on", |it| {
        it["event"] == "recording" && it["paused"] == false && it["seconds"].as_f64() > Some(1.0)
    });
    recorded(&mut onair, 9);
    line("split\n");
    onair.wait_event("the second part", |it| it["event"] == "recording" && it["part"] == 2);
    recorded(&mut onair, 14);
    line("stop\n");
    assert!(onair.peer.wait(LIMIT).success(), "{}", onair.peer.errors());
    check(&path, NAMES);
    check(&folder.path().join("show-part2.mp4"), NAMES);
    check(Path::new(replay["path"].as_str().unwrap()), NAMES);
}

#[test]
fn the_command_line_alone_makes_tracks_and_refuses_too_many() {
    peers::require!("ffmpeg", "ffprobe");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("show.mkv");
    let low = format!("file:{}", tone(folder.path(), 440).display());
    let high = format!("file:{}", tone(folder.path(), 880).display());
    let mut words = vec!["live", "--video", "none", "--audio", &low];
    let (low_track, high_track) = (format!("Low={low}"), format!("High={high}"));
    words.extend(["--record-track", &low_track, "--record-track", &high_track]);
    words.extend(["--record", path.to_str().unwrap(), "--duration", "4s"]);
    let mut onair = Onair::start(&words);
    assert!(onair.peer.wait(LIMIT).success(), "{}", onair.peer.errors());
    let streams = sounds(&path);
    assert_eq!(streams.iter().map(name).collect::<Vec<_>>(), ["Program", "Low", "High"]);
    let expected = [[true, false, false], [true, false, false], [false, true, false]];
    for (track, expected) in expected.into_iter().enumerate() {
        assert_eq!(tones(&samples(&path, track)), expected, "track {}", track + 1);
    }
    let mut many = vec!["live", "--video", "test", "--record", path.to_str().unwrap()];
    many.extend(["--record-track", "a=tone"].repeat(6));
    let mut onair = Onair::start(&many);
    assert_eq!(onair.peer.wait(LIMIT).code(), Some(2), "{}", onair.peer.errors());
    let mut onair = Onair::start(&["live", "--video", "test", "--record-track", "mic"]);
    assert_eq!(onair.peer.wait(LIMIT).code(), Some(2), "{}", onair.peer.errors());
    assert!(onair.peer.errors().contains("NAME=SOURCE"), "{}", onair.peer.errors());
}

#[test]
fn an_extra_track_is_recorded_although_the_program_has_no_audio() {
    peers::require!("ffmpeg", "ffprobe");
    let folder = tempfile::tempdir().unwrap();
    let high = format!("High=file:{}", tone(folder.path(), 880).display());
    for video in ["test", "none"] {
        let path = folder.path().join(format!("{video}.mkv"));
        let mut words = vec!["live", "--video", video, "--size", "320x180", "--audio", "none"];
        words.extend(["--record-track", &high, "--duration", "4s"]);
        words.extend(["--record", path.to_str().unwrap()]);
        let mut onair = Onair::start(&words);
        assert!(onair.peer.wait(LIMIT).success(), "{}", onair.peer.errors());
        assert_eq!(sounds(&path).len(), 2, "{video}");
        let tracks = [0, 1].map(|track| tones(&samples(&path, track)));
        assert_eq!(tracks, [[false; 3], [false, true, false]], "{video}");
    }
}

#[test]
fn flv_has_the_program_alone_and_says_so() {
    peers::require!("ffmpeg", "ffprobe");
    let folder = tempfile::tempdir().unwrap();
    let settings = settings(folder.path());
    let path = folder.path().join("show.flv");
    let mut onair = start(&settings, &path, &["--duration", "3s"], None);
    assert!(onair.peer.wait(LIMIT).success(), "{}", onair.peer.errors());
    let events = onair.events();
    assert!(events.iter().any(|event| event["key"] == "tracks-left-out"), "{events:?}");
    assert_eq!(sounds(&path).len(), 1);
    assert_eq!(tones(&samples(&path, 0)), EXPECTED[0]);
}

/// Publishers get the program only.
#[test]
fn publishers_get_the_program_alone() {
    peers::require!("ffmpeg", "ffprobe");
    let folder = tempfile::tempdir().unwrap();
    let settings = settings(folder.path());
    let port = peers::free_port();
    let received = folder.path().join("received.flv");
    let mut server = ffmpeg::receive(port, &received);
    let url = format!("rtmp://127.0.0.1:{port}/live/stream");
    let path = folder.path().join("show.mp4");
    let mut onair = start(&settings, &path, &["--to", &url, "--duration", "5s"], None);
    assert!(onair.peer.wait(LIMIT).success(), "{}", onair.peer.errors());
    server.wait(LIMIT);
    let streams = sounds(&received);
    assert_eq!(streams.len(), 1);
    assert_eq!(tones(&samples(&received, 0)), EXPECTED[0]);
    check(&path, NAMES);
}

/// The time of the first figures after `since` in which the levels of the two strips satisfy
/// `enough`.
fn levels_after(onair: &mut Onair, since: f64, enough: impl Fn(f64, f64) -> bool) -> f64 {
    let level = |event: &serde_json::Value, name: &str| {
        let strips = event["strips"].as_array()?;
        strips.iter().find(|strip| strip["name"] == name)?["level_dbfs"].as_f64()
    };
    let event = onair.wait_event("levels", |event| {
        let both = level(event, "Guest").zip(level(event, "Music"));
        event["event"] == "stats"
            && event["t"].as_f64() > Some(since)
            && both.is_some_and(|(guest, music)| enough(guest, music))
    });
    event["t"].as_f64().unwrap()
}

#[test]
fn the_push_to_talk_key_is_pressed_without_a_window() {
    let folder = tempfile::tempdir().unwrap();
    let settings = folder.path().join("settings.toml");
    let strip = |name: &str| {
        format!("[[strips]]\nname = \"{name}\"\nsource = \"tone\"\ntalk = \"push-to-talk\"\n")
    };
    let text = format!(
        "version = 2\naudio = \"silence\"\n[[strips]]\n{}{}",
        strip("Guest"),
        strip("Music")
    );
    fs::write(&settings, text).unwrap();
    let pipe = folder.path().join("keyboard");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let mut keyboard = fs::File::options().read(true).write(true).open(&pipe).unwrap();
    let mut command = Command::new("sh");
    command.args(["-c", &format!("exec \"$@\" < {}", pipe.display()), "sh"]);
    command.arg(env!("CARGO_BIN_EXE_onair"));
    command.args(["live", "--video", "none", "--control", "--json", "--settings"]).arg(&settings);
    command.arg("--record").arg(folder.path().join("show.mkv"));
    let mut onair = Onair::start_command(&mut command, &[]);
    let mut line = |line: &str| std::io::Write::write_all(&mut keyboard, line.as_bytes()).unwrap();
    let (silent, audible) = (|level: f64| level <= -60.0, |level: f64| level > -45.0);
    let at = levels_after(&mut onair, 0.0, |guest, music| silent(guest) && silent(music));
    line("talk press Guest\n");
    let at = levels_after(&mut onair, at, |guest, music| audible(guest) && silent(music));
    line("talk release Guest\n");
    let at = levels_after(&mut onair, at, |guest, music| silent(guest) && silent(music));
    line("talk press\n");
    let at = levels_after(&mut onair, at, |guest, music| audible(guest) && audible(music));
    line("talk release\n");
    levels_after(&mut onair, at, |guest, music| silent(guest) && silent(music));
    line("talk press Nobody\n");
    onair.peer.wait_until("a word of it", LIMIT, |peer| peer.errors().contains("Guest, Music"));
    line("stop\n");
    assert_eq!(onair.peer.wait(LIMIT).code(), Some(0));
}
