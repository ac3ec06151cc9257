//! Tests of `onair live` as a process. Third-party programs receive its stream over the network,
//! from its built-in server and as files. Video and audio must stay synchronized, and stream keys
//! must stay secret.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Command;

use crate::peers::{self, LIMIT, Nginx, Onair, ffmpeg, others, wait_for};
use serde_json::Value;

/// The test source, small enough for a busy machine.
const TEST: [&str; 9] =
    ["live", "--video", "test", "--audio", "tone", "--size", "640x360", "--video-bitrate", "1000k"];

fn live(more: &[&str]) -> Onair {
    live_with(more, &[])
}

fn live_with(more: &[&str], variables: &[(&str, &str)]) -> Onair {
    let words: Vec<&str> = TEST.iter().chain(more).copied().collect();
    Onair::start_with(&words, variables)
}

/// Checks a recorded or received file with ffprobe and ffmpeg; `rate` is a fraction.
fn check(file: &Path, rate: &str) {
    let probe = ffmpeg::probe(file);
    assert_eq!(probe.warnings, "");
    assert_eq!(ffmpeg::decode(file), "");
    let (video, audio) = (probe.stream("video"), probe.stream("audio"));
    for (field, wanted) in [
        ("codec_name", "h264"),
        ("profile", "High"),
        ("r_frame_rate", rate),
        ("pix_fmt", "yuv420p"),
        ("color_range", "tv"),
        ("color_space", "bt709"),
        ("color_primaries", "bt709"),
        ("color_transfer", "bt709"),
    ] {
        assert_eq!(video[field], wanted, "{field}");
    }
    assert_eq!((&video["width"], &video["height"]), (&640.into(), &360.into()));
    assert_eq!((&audio["codec_name"], &audio["profile"]), (&"aac".into(), &"LC".into()));
    assert_eq!((&audio["sample_rate"], &audio["channels"]), (&"48000".into(), &2.into()));

    let (pictures, sounds) = (probe.packets("video"), probe.packets("audio"));
    assert!(pictures[0].keyframe, "does not begin with a keyframe");
    for packets in [&pictures, &sounds] {
        assert!(packets.windows(2).all(|pair| pair[0].dts < pair[1].dts), "DTS not monotonic");
    }
    assert!(pictures.iter().all(|packet| packet.pts == packet.dts), "B pictures");
    let apart = (pictures[0].pts - sounds[0].pts).abs();
    assert!(apart <= 0.05, "picture and sound begin {apart} s apart");
    let keys: Vec<f64> = pictures.iter().filter(|p| p.keyframe).map(|p| p.dts).collect();
    assert!(keys.len() >= 2, "{keys:?}");
    // RTMP and FLV timestamps have whole milliseconds.
    let on_the_dot = |pair: &[f64]| (pair[1] - pair[0] - 2.0).abs() < 0.0021;
    assert!(keys.windows(2).all(on_the_dot), "{keys:?}");
}

fn of_target(event: &Value, index: u64, state: &str) -> bool {
    event["event"] == "target" && event["index"] == index && event["state"] == state
}

fn wait_live(onair: &mut Onair, index: u64) {
    onair.wait_event("a live target", |event| of_target(event, index, "live"));
}

/// Waits until this many frames have been encoded.
fn wait_encoded(onair: &mut Onair, pictures: u64) {
    onair.wait_event("pictures", |event| {
        event["video"]["encoded"].as_u64().is_some_and(|encoded| encoded >= pictures)
    });
}

fn summary(onair: &Onair) -> Value {
    let last = onair.events().pop().expect("events");
    assert_eq!(last["event"], "summary", "{last}");
    last
}

#[test]
fn ffmpeg_receives_a_flawless_stream_for_as_long_as_was_asked() {
    peers::in_real_time!(ffmpeg_receives_a_flawless_stream_for_as_long_as_was_asked);
    peers::require!("ffmpeg", "ffprobe");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("received.flv");
    let port = peers::free_port();
    let mut receiver = ffmpeg::receive(port, &file);
    let url = format!("rtmp://127.0.0.1:{port}/live/stream");
    let mut onair = live(&["--to", &url, "--duration", "5s"]);
    assert_eq!(onair.peer.wait(LIMIT).code(), Some(0), "{}", onair.peer.output());
    assert_eq!(onair.peer.errors(), "");
    receiver.wait(LIMIT);
    check(&file, "30/1");
    let probe = ffmpeg::probe(&file);
    let pictures = probe.packets("video");
    assert!(pictures[0].dts.abs() < 0.001, "does not begin at 0");
    let last = pictures.last().unwrap().dts;
    assert!((4.5..6.0).contains(&last), "{last}");
    let summary = summary(&onair);
    assert_eq!(summary["exit"], 0);
    assert_eq!(summary["targets"][0]["dropped_frames"], 0);
    let shown = format!("rtmp://127.0.0.1:{port}/live/***");
    let targets: Vec<Value> =
        onair.events().into_iter().filter(|event| event["event"] == "target").collect();
    assert!(targets.iter().all(|target| target["url"] == *shown), "{targets:?}");
    assert_eq!(targets.last().unwrap()["state"], "stopped");
}

#[test]
fn nginx_records_what_was_sent_and_the_stream_is_unpublished() {
    peers::in_real_time!(nginx_records_what_was_sent_and_the_stream_is_unpublished);
    peers::require!("ffmpeg", "ffprobe", "nginx");
    let nginx = Nginx::start();
    let mut onair = live(&["--fps", "25", "--to", &nginx.url("recorded", "show")]);
    nginx.wait_published("show");
    wait_encoded(&mut onair, 110);
    assert_eq!(onair.stop(LIMIT).code(), Some(0));
    nginx.wait_unpublished("show");
    assert_eq!(onair.peer.errors(), "");
    check(&nginx.recordings().join("show.flv"), "25/1");
}

#[test]
fn the_built_in_server_serves_ffmpeg_gstreamer_and_mpv() {
    peers::in_real_time!(the_built_in_server_serves_ffmpeg_gstreamer_and_mpv);
    peers::require!("ffmpeg", "ffprobe", "gst-launch-1.0", "mpv");
    let folder = tempfile::tempdir().unwrap();
    let mut onair = live(&[]);
    let url = onair.play_url();
    wait_live(&mut onair, 0);
    let file = folder.path().join("played.flv");
    let mut player = ffmpeg::play(&url, 5, &file);
    let gstreamer = others::gstreamer_play(&url);
    let mut mpv = others::mpv_play(&url, 2);
    wait_for("pictures and sound at GStreamer", LIMIT, || {
        ["pictures", "sound"].iter().all(|sink| others::gstreamer_seen(&gstreamer, sink) > 20)
    });
    drop(gstreamer);
    mpv.wait_success(LIMIT);
    let output = mpv.output();
    assert!(output.contains("h264") && output.contains("aac"), "{output}");
    player.wait_success(LIMIT);
    check(&file, "30/1");
    let live = ffmpeg::probe(&url);
    assert_eq!(live.warnings, "");
    assert_eq!(live.stream("video")["profile"], "High");
    assert_eq!(onair.stop(LIMIT).code(), Some(0));
    // Stream names here are no secrets. The URL shows no port where it is the scheme's default.
    let shown = url.replace(":1935/", "/");
    let events = onair.events();
    assert!(events.iter().any(|event| event["url"] == *shown), "{events:?}");
    assert_eq!(onair.peer.errors(), "");
}

#[test]
fn without_a_choice_video_and_audio_are_still_sent() {
    peers::require!("ffmpeg", "ffprobe");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("show.flv");
    let words = ["live", "--size", "640x360", "--duration", "2s", "--record"];
    let mut onair = Onair::start(&[&words[..], &[file.to_str().unwrap()]].concat());
    assert_eq!(onair.peer.wait(LIMIT).code(), Some(0), "{}", onair.peer.output());
    let probe = ffmpeg::probe(&file);
    assert!(!probe.packets("video").is_empty() && !probe.packets("audio").is_empty());
}

#[test]
fn a_dead_target_touches_no_other_and_gives_the_exit_code() {
    peers::in_real_time!(a_dead_target_touches_no_other_and_gives_the_exit_code);
    peers::require!("ffmpeg", "ffprobe", "nginx");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("received.flv");
    let (port, dead) = (peers::free_port(), peers::free_port());
    let mut receiver = ffmpeg::receive(port, &file);
    let nginx = Nginx::start();
    let record = folder.path().join("show.flv");
    let mut onair = live(&[
        "--to",
        &format!("rtmp://127.0.0.1:{port}/live/stream"),
        "--to",
        &format!("rtmp://127.0.0.1:{dead}/live/stream"),
        "--to",
        &nginx.url("recorded", "show"),
        "--record",
        record.to_str().unwrap(),
        "--retry-for",
        "1s",
        "--duration",
        "5s",
    ]);
    assert_eq!(onair.peer.wait(LIMIT).code(), Some(6), "{}", onair.peer.output());
    receiver.wait(LIMIT);
    nginx.wait_unpublished("show");
    for file in [&file, &record, &nginx.recordings().join("show.flv")] {
        check(file, "30/1");
    }
    let events = onair.events();
    let failed = events.iter().find(|event| of_target(event, 1, "failed")).unwrap();
    assert_eq!(failed["stage"], "tcp");
    for index in [0, 2] {
        assert!(events.iter().any(|event| of_target(event, index, "stopped")), "{index}");
        assert!(!events.iter().any(|event| of_target(event, index, "reconnecting")), "{index}");
        let target = &summary(&onair)["targets"][index as usize];
        assert_eq!((&target["dropped_frames"], &target["reconnects"]), (&0.into(), &0.into()));
    }
}

#[test]
fn files_are_sent_as_is_and_unusual_rates_and_single_tracks_are_kept() {
    peers::in_real_time!(files_are_sent_as_is_and_unusual_rates_and_single_tracks_are_kept);
    peers::require!("ffmpeg", "ffprobe");
    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str| folder.path().join(name);
    let (clip, sound) = (place("clip.y4m"), place("clip.wav"));
    let picture = ["-f", "lavfi", "-i", "testsrc2=size=640x360:rate=30:duration=3"];
    let tone = ["-f", "lavfi", "-i", "sine=frequency=440:sample_rate=44100:duration=3"];
    for (source, more, file) in
        [(picture, ["-pix_fmt", "yuv420p"], &clip), (tone, ["-ac", "2"], &sound)]
    {
        let words = source.into_iter().chain(more).chain([file.to_str().unwrap()]);
        peers::Peer::start("ffmpeg", words).wait_success(LIMIT);
    }
    let filmed = place("filmed.flv");
    let mut onair = Onair::start(&[
        "live",
        "--video",
        &format!("file:{}", clip.display()),
        "--audio",
        &format!("file:{}", sound.display()),
        "--size",
        "640x360",
        "--record",
        filmed.to_str().unwrap(),
        "--duration",
        "4s",
    ]);
    // The recording is longer than the clip, so the clip starts again.
    assert_eq!(onair.peer.wait(LIMIT).code(), Some(0), "{}", onair.peer.output());
    check(&filmed, "30/1");
    // The video is the clip and not a placeholder, and the audio is not silence.
    let (a, b) = (filmed.to_str().unwrap(), clip.to_str().unwrap());
    let words = ["-hide_banner", "-nostdin", "-i", a, "-i", b, "-lavfi"];
    let graph = "[0:v]settb=1/30,setpts=N[a];[1:v]settb=1/30,setpts=N[b];[a][b]ssim=shortest=1;\
                 [0:a]volumedetect[s]";
    let more = [graph, "-map", "[s]", "-f", "null", "-"];
    let mut compare = peers::Peer::start("ffmpeg", words.into_iter().chain(more));
    compare.wait_success(LIMIT);
    let errors = compare.errors();
    let number = |name: &str| -> f64 {
        let (_, rest) = errors.split_once(name).unwrap_or_else(|| panic!("no {name} in {errors}"));
        rest.split_whitespace().next().unwrap().parse().unwrap()
    };
    assert!(number("SSIM Y:") > 0.6, "{errors}");
    assert!(number("mean_volume:") > -40.0, "{errors}");

    let (ntsc, video, audio) = (place("ntsc.flv"), place("video.flv"), place("audio.flv"));
    let single = |video: &str, audio: &str, file: &Path| {
        let words = ["live", "--video", video, "--audio", audio, "--size", "640x360"];
        let more = ["--duration", "2s", "--record", file.to_str().unwrap()];
        Onair::start(&[&words[..], &more].concat())
    };
    let mut runs = [
        live(&["--fps", "29.97", "--duration", "3s", "--record", ntsc.to_str().unwrap()]),
        single("test", "none", &video),
        single("none", "tone", &audio),
    ];
    for run in &mut runs {
        assert_eq!(run.peer.wait(LIMIT).code(), Some(0), "{}", run.peer.output());
        assert_eq!(run.peer.errors(), "");
    }
    check(&ntsc, "30000/1001");
    for (file, kind) in [(&video, "video"), (&audio, "audio")] {
        let probe = ffmpeg::probe(file);
        assert_eq!(probe.warnings, "");
        assert_eq!(ffmpeg::decode(file), "");
        assert_eq!(probe.json["streams"].as_array().unwrap().len(), 1);
        assert!(probe.packets(kind).len() > 40, "{kind}");
    }
}

#[test]
fn video_and_audio_stay_in_sync_up_to_the_player() {
    peers::in_real_time!(video_and_audio_stay_in_sync_up_to_the_player);
    let mut onair = live(&[]);
    let url = onair.play_url();
    wait_live(&mut onair, 0);
    let folder = tempfile::tempdir().unwrap();
    let (saved, png) = (folder.path().join("saved.flv"), folder.path().join("last.png"));
    let mut player = Onair::start(&[
        "play",
        &url,
        "--headless",
        "--measure",
        "--save",
        saved.to_str().unwrap(),
        "--snapshot",
        png.to_str().unwrap(),
    ]);
    // Five flashes: the figure is the median of the last five, which one hiccup of a busy machine
    // does not change.
    let figures = player.wait_event("measurements", |event| {
        event["event"] == "play_stats"
            && event["shown"].as_u64().is_some_and(|shown| shown > 150)
            && !event["latency_ms"].is_null()
            && !event["av_offset_ms"].is_null()
    });
    let offset = figures["av_offset_ms"].as_f64().unwrap();
    assert!(offset.abs() <= 10.0, "{figures}");
    let latency = figures["latency_ms"].as_f64().unwrap();
    assert!((50.0..3_000.0).contains(&latency), "{figures}");
    // Each stage has its share of the latency: encoding, then transport, then decoding and waiting.
    let arrival = figures["arrival_ms"].as_f64().unwrap();
    assert!(arrival > 0.0 && arrival < latency, "{figures}");
    let stats = onair.wait_event("a picture's way out", |event| {
        event["event"] == "stats" && event["targets"][0]["frame_age_ms"].is_number()
    });
    let encode = stats["video"]["encode_ms"].as_f64().unwrap();
    assert!(
        encode > 0.0 && encode < stats["targets"][0]["frame_age_ms"].as_f64().unwrap(),
        "{stats}"
    );
    assert_eq!((&figures["width"], &figures["height"]), (&640.into(), &360.into()));
    assert_eq!(figures["damaged"], 0);
    assert_eq!(player.stop(LIMIT).code(), Some(0));
    assert_eq!(onair.stop(LIMIT).code(), Some(0));
    assert_eq!(fs::read(&png).unwrap().get(1..4), Some(&b"PNG"[..]));
    if !peers::missing(&["ffmpeg", "ffprobe"]) {
        check(&saved, "30/1");
    }
}

/// The measured audio offset is that of `--av-offset`, with a buffer that follows the network.
#[test]
fn the_measured_audio_offset_is_the_one_that_is_set() {
    peers::in_real_time!(the_measured_audio_offset_is_the_one_that_is_set);
    let mut onair = live(&[]);
    let url = onair.play_url();
    wait_live(&mut onair, 0);
    let how = ["--headless", "--measure", "--av-offset", "120ms", "--buffer", "auto"];
    let mut player = Onair::start(&[&["play", &url], &how[..]].concat());
    let figures = player.wait_event("measurements", |event| {
        event["event"] == "play_stats"
            && event["shown"].as_u64().is_some_and(|shown| shown > 150)
            && !event["av_offset_ms"].is_null()
    });
    let offset = figures["av_offset_ms"].as_f64().unwrap();
    assert!((offset - 120.0).abs() <= 15.0, "{figures}");
    assert_eq!(player.stop(LIMIT).code(), Some(0));
    assert_eq!(onair.stop(LIMIT).code(), Some(0));
}

#[test]
fn a_key_is_seen_nowhere() {
    peers::require!("nginx");
    let (by_env, by_file) = ("PlantedEnvKey12345", "PlantedFileKey67890");
    let folder = tempfile::tempdir().unwrap();
    let key_file = folder.path().join("key");
    fs::write(&key_file, format!("{by_file}\n")).unwrap();
    let record = folder.path().join("show.flv");
    let nginx = Nginx::start();
    let app = |name: &str| format!("rtmp://127.0.0.1:{}/{name}", nginx.port);
    let dead = format!("rtmp://127.0.0.1:{}/live", peers::free_port());
    let (good, refused) = (app("live"), app("refused"));
    let words: Vec<&str> = vec![
        "--to",
        &good,
        "--key-env",
        "PLANTED",
        "--to",
        &refused,
        "--key-file",
        key_file.to_str().unwrap(),
        "--to",
        &dead,
        "--key-env",
        "PLANTED",
        "--record",
        record.to_str().unwrap(),
        "--log",
        "trace",
    ];
    let mut onair = live_with(&words, &[("PLANTED", by_env)]);
    nginx.wait_published(by_env);
    // nginx refuses by closing the connection. That may be temporary, so onair retries.
    onair.wait_event("the refusal", |event| {
        of_target(event, 1, "connecting") && event["stage"] == "media" && event["cause"].is_string()
    });
    wait_encoded(&mut onair, 60);
    let command_line = fs::read(format!("/proc/{}/cmdline", onair.peer.id())).unwrap_or_default();
    assert_eq!(onair.stop(LIMIT).code(), Some(7), "the first that was not live: refused");
    nginx.wait_unpublished(by_env);
    let (output, errors) = (onair.peer.output(), onair.peer.errors());
    assert!(errors.contains("TRACE") || errors.contains("DEBUG"), "{errors}");
    let recording = fs::read(&record).unwrap();
    assert!(recording.len() > 10_000);
    let places: [(&str, &[u8]); 4] = [
        ("standard output", output.as_bytes()),
        ("standard error", errors.as_bytes()),
        ("the command line", &command_line),
        ("the recording", &recording),
    ];
    for (place, bytes) in places {
        for key in [by_env, by_file] {
            // Even part of the key would be a leak.
            let key = &key.as_bytes()[..12];
            assert!(!bytes.windows(key.len()).any(|window| window == key), "in {place}");
        }
    }
}

#[test]
fn a_written_key_is_accepted_with_a_warning_and_not_repeated() {
    let url = format!("rtmp://127.0.0.1:{}/live/WrittenKey", peers::free_port());
    let mut onair = live(&["--to", &url, "--retry-for", "500ms", "--log", "trace"]);
    assert_eq!(onair.peer.wait(LIMIT).code(), Some(6));
    let visible = onair.events().into_iter().any(|event| event["key"] == "key-visible");
    assert!(visible, "{}", onair.peer.output());
    assert!(!onair.peer.output().contains("WrittenKey"));
    assert!(!onair.peer.errors().contains("WrittenKey"), "{}", onair.peer.errors());
}

#[test]
fn the_second_tells_loudness_rms_and_peaks() {
    peers::in_real_time!(the_second_tells_loudness_rms_and_peaks);
    let folder = tempfile::tempdir().unwrap();
    let wav = folder.path().join("sine.wav");
    let spec = hound::WavSpec {
        channels: 2,
        sample_rate: 48_000,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer = hound::WavWriter::create(&wav, spec).unwrap();
    // EBU Tech 3341, case 1: a 1 kHz sine with peaks at -23 dBFS in both channels measures -23
    // LUFS.
    let level = 10_f64.powf(-23.0 / 20.0) * f64::from(i16::MAX);
    for index in 0..48_000 {
        let angle = std::f64::consts::TAU * f64::from(index % 48) / 48.0;
        for _ in 0..2 {
            writer.write_sample((level * angle.sin()).round() as i16).unwrap();
        }
    }
    writer.finalize().unwrap();
    let source = format!("file:{}", wav.display());
    let path = folder.path().join("show.mkv");
    let mut onair = Onair::start(&[
        "live",
        "--video",
        "none",
        "--audio",
        &source,
        "--record",
        path.to_str().unwrap(),
        "--duration",
        "6s",
    ]);
    assert_eq!(onair.peer.wait(LIMIT).code(), Some(0), "{}", onair.peer.errors());
    let events = onair.events();
    let audio = &events.last().unwrap()["audio"];
    for (name, value) in [
        ("level_dbfs", -23.0),
        ("held_dbfs", -23.0),
        ("rms_dbfs", -26.0),
        ("true_peak_dbtp", -23.0),
        ("momentary_lufs", -23.0),
        ("short_term_lufs", -23.0),
        ("integrated_lufs", -23.0),
    ] {
        let measured = audio[name].as_f64().unwrap_or(f64::NAN);
        assert!((measured - value).abs() < 0.25, "{name}: {audio}");
    }
    let strip = &events.last().unwrap()["strips"][0];
    assert!((strip["rms_dbfs"].as_f64().unwrap() + 26.0).abs() < 0.25, "{strip}");
    assert!(audio["clipped"] == false && strip["clipped"] == false, "{audio} {strip}");
}

#[test]
fn the_second_tells_of_clipping_until_its_lamp_is_put_out() {
    peers::in_real_time!(the_second_tells_of_clipping_until_its_lamp_is_put_out);
    let folder = tempfile::tempdir().unwrap();
    let wav = folder.path().join("loud.wav");
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: 48_000,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer = hound::WavWriter::create(&wav, spec).unwrap();
    // A moment at full scale, then minutes of near silence.
    for index in 0..48_000 * 120 {
        writer.write_sample(if index < 4_800 { i16::MIN } else { 40 }).unwrap();
    }
    writer.finalize().unwrap();
    let pipe = folder.path().join("keyboard");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    // Opened for both reading and writing, so that neither end waits for the other.
    let mut keyboard = fs::File::options().read(true).write(true).open(&pipe).unwrap();
    let mut command = Command::new("sh");
    command.args(["-c", &format!("exec \"$@\" < {}", pipe.display()), "sh"]);
    command.arg(env!("CARGO_BIN_EXE_onair")).args(["live", "--video", "none", "--audio"]);
    command.arg(format!("file:{}", wav.display())).arg("--record");
    command.arg(folder.path().join("show.mkv")).args(["--control", "--json"]);
    let mut onair = Onair::start_command(&mut command, &[]);
    let lamps =
        |event: &Value| [&event["audio"], &event["strips"][0]].map(|it| it["clipped"].as_bool());
    let is = |event: &Value, lit| event["event"] == "stats" && lamps(event) == [Some(lit); 2];
    onair.wait_event("the lamps", |it| {
        let level = it["audio"]["level_dbfs"].as_f64();
        is(it, true) && level.is_some_and(|level| level < -30.0)
    });
    let held = onair.events().iter().rev().find(|it| it["event"] == "stats").unwrap().clone();
    assert!(held["audio"]["held_dbfs"].as_f64().unwrap() > -1.0, "{held}");
    keyboard.write_all(b"clip-out\n").unwrap();
    onair.wait_event("no lamps", |it| is(it, false) && it["audio"]["samples"].as_u64() > Some(0));
    keyboard.write_all(b"stop\n").unwrap();
    assert!(onair.peer.wait(LIMIT).success(), "{}", onair.peer.errors());
}
