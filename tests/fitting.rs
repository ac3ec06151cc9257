//! Tests of adaptive bitrate that changes the frame size, and of a second encode for targets with a
//! slow connection.

use std::path::Path;
use std::sync::{Arc, Mutex};

use crate::peers::throttle::Throttle;
use crate::peers::{self, LIMIT, Onair, Peer, ffmpeg, wait_for};
use onair::audio::AudioChoice;
use onair::base::Clock;
use onair::capture::VideoChoice;
use onair::media::{BitsPerSecond, RenditionId, Size};
use onair::studio::event::stats::Stats;
use onair::studio::targets::TargetState;
use onair::studio::{Adapt, Command, Config, Event, Quality, Settings, Studio, Target};

const WIDE: u64 = 100_000_000;
const FULL: BitsPerSecond = BitsPerSecond(800_000);

fn config(adapt: Adapt, targets: Vec<Target>) -> Config {
    let quality = Quality {
        size: Size::new(640, 360),
        video_bitrate: FULL,
        least_bitrate: BitsPerSecond(100_000),
        audio_bitrate: BitsPerSecond(64_000),
        adapt,
        adapt_size: true,
        ..Quality::default()
    };
    let settings = Settings {
        video: Some(VideoChoice::Test),
        audio: Some(AudioChoice::Tone),
        quality,
        targets,
        ..Settings::default()
    };
    Config { keyring: false, ..Config::new(Clock::start(), settings) }
}

/// Our own server: its process, and its RTMP port and HTTP address.
fn server() -> (Onair, u16, String) {
    let words = ["serve", "--rtmp", "127.0.0.1:0", "--http", "127.0.0.1:0"];
    let mut server = Onair::start(&words);
    let ready = server.wait_named("ready");
    let port = |name: &str| {
        let address = ready[name].as_str().unwrap();
        address.rsplit(':').next().unwrap().parse::<u16>().unwrap()
    };
    let http = format!("http://127.0.0.1:{}", port("http"));
    (server, port("rtmp"), http)
}

/// Writes what a viewer gets into a file, unchanged.
fn viewer(http: &str, stream: &str, file: &Path) -> Peer {
    let url = format!("{http}/live/{stream}.flv");
    let words = ["-hide_banner", "-nostdin", "-y", "-i", &url, "-c", "copy"];
    let mut all: Vec<_> = words.to_vec();
    all.push(file.to_str().unwrap());
    Peer::start("ffmpeg", all)
}

/// The heights of the frames in a file, with each change of size.
fn heights(file: &Path) -> Vec<u64> {
    let words = ["-v", "error", "-select_streams", "v", "-of", "csv=p=0"];
    let mut all: Vec<_> = words.to_vec();
    all.extend(["-show_entries", "frame=height", file.to_str().unwrap()]);
    let mut peer = Peer::start("ffprobe", all);
    peer.wait_success(LIMIT * 4);
    assert_eq!(peer.errors(), "");
    let mut seen: Vec<u64> = peer
        .output()
        .lines()
        .filter_map(|line| line.trim_end_matches(',').trim().parse().ok())
        .collect();
    seen.dedup();
    seen
}

/// No audio is missing, and time never goes back.
fn whole_sound(file: &Path) {
    let probe = ffmpeg::probe(file);
    let sound = probe.packets("audio");
    assert!(sound.len() > 100);
    for pair in sound.windows(2) {
        let gap = pair[1].dts - pair[0].dts;
        assert!(gap > 0.0 && gap < 0.05, "{gap} at {}", pair[0].dts);
    }
    let pictures = probe.packets("video");
    assert!(pictures.windows(2).all(|pair| pair[1].dts > pair[0].dts));
}

fn watch(studio: &mut Studio) -> Arc<Mutex<Stats>> {
    let latest = Arc::new(Mutex::new(Stats::default()));
    let its = Arc::clone(&latest);
    let events = studio.events().unwrap();
    std::thread::spawn(move || {
        while let Some(event) = events.recv() {
            if let Event::Stats(stats) = event {
                *its.lock().unwrap() = *stats;
            }
        }
    });
    latest
}

#[test]
fn the_video_becomes_smaller_on_a_slow_connection_and_large_again() {
    peers::in_real_time!(the_video_becomes_smaller_on_a_slow_connection_and_large_again);
    peers::require!("ffmpeg", "ffprobe");
    let folder = tempfile::tempdir().unwrap();
    let (_server, port, http) = server();
    let link = Throttle::start(port, WIDE);
    let target = Target::custom(0, &format!("rtmp://127.0.0.1:{}/live", link.port), "show".into());
    let mut studio = Studio::start(config(Adapt::Slowest, vec![target])).unwrap();
    let stats = watch(&mut studio);
    let height = || stats.lock().unwrap().video.and_then(|video| video.size).map(|it| it.height);
    let notice = |key: &str| studio.snapshot().notices.iter().any(|notice| notice.key() == key);
    studio.send(Command::GoLive);
    wait_for("the stream", LIMIT, || {
        studio.snapshot().targets.iter().any(|it| it.state == Some(TargetState::Live))
    });
    let seen = folder.path().join("seen.flv");
    let mut viewer = viewer(&http, "show", &seen);
    let url = format!("rtmp://127.0.0.1:{port}/live/show");
    let mut player = Onair::start(&["play", &url, "--headless"]);
    player.wait_named("play_stats");
    let recording = folder.path().join("own.mp4");
    studio.send(Command::StartRecording(recording.clone()));
    wait_for("two seconds", LIMIT, || {
        studio.snapshot().recording.is_some_and(|it| it.duration.as_secs() >= 2)
    });
    assert_eq!(height(), Some(360));

    link.set(230_000);
    wait_for("half the size", LIMIT * 2, || height() == Some(180));
    assert!(notice("size-lowered"));
    player.wait_event("small pictures", |it| it["event"] == "play_stats" && it["height"] == 180);
    link.set(WIDE);
    wait_for("the whole size", LIMIT * 4, || height() == Some(360));
    wait_for("the notice", LIMIT, || notice("size-restored") && !notice("size-lowered"));
    let played = || {
        let events = player.events();
        let last = events.iter().rev().find(|it| it["event"] == "play_stats");
        last.is_some_and(|it| it["height"] == 360)
    };
    wait_for("large pictures", LIMIT, played);
    studio.end(LIMIT).unwrap();
    viewer.wait_success(LIMIT);
    player.peer.wait(LIMIT);

    assert_eq!(ffmpeg::decode(&seen), "");
    let sizes = heights(&seen);
    assert_eq!((sizes.first(), sizes.last()), (Some(&360), Some(&360)), "{sizes:?}");
    assert!(sizes.contains(&180), "{sizes:?}");
    whole_sound(&seen);
    // The recording has as many files as there were sizes, each complete and of one size.
    let part = |number: usize| match number {
        1 => recording.clone(),
        number => folder.path().join(format!("own-part{number}.mp4")),
    };
    let parts: Vec<_> = (1..).map(part).take_while(|path| path.exists()).collect();
    let recorded: Vec<_> = parts.iter().map(|path| heights(path)).collect();
    assert!(recorded.iter().all(|sizes| sizes.len() == 1), "{recorded:?}");
    assert!(recorded.len() >= 3, "{recorded:?}");
    for path in parts {
        assert_eq!(ffmpeg::decode(&path), "", "{path:?}");
    }
}

#[test]
fn a_target_with_a_slow_connection_gets_a_second_encode_and_the_other_keeps_the_first() {
    peers::in_real_time!(
        a_target_with_a_slow_connection_gets_a_second_encode_and_the_other_keeps_the_first
    );
    peers::require!("ffmpeg", "ffprobe");
    let folder = tempfile::tempdir().unwrap();
    let (_server, port, http) = server();
    let link = Throttle::start(port, WIDE);
    let to = |port: u16| format!("rtmp://127.0.0.1:{port}/live");
    let targets = vec![
        Target::custom(0, &to(port), "wide".into()),
        Target::custom(1, &to(link.port), "narrow".into()),
    ];
    let mut studio = Studio::start(config(Adapt::SecondRendition, targets)).unwrap();
    let stats = watch(&mut studio);
    let rendition_id =
        |at: usize| stats.lock().unwrap().targets.get(at).map(|target| target.rendition_id);
    let notice = |key: &str| studio.snapshot().notices.iter().any(|notice| notice.key() == key);
    studio.send(Command::GoLive);
    wait_for("both targets", LIMIT, || {
        let live = |state| state == Some(TargetState::Live);
        studio.snapshot().targets.iter().filter(|it| live(it.state)).count() == 2
    });
    let files = ["wide", "narrow"].map(|name| folder.path().join(name).with_extension("flv"));
    let mut viewers =
        [("wide", &files[0]), ("narrow", &files[1])].map(|(name, file)| viewer(&http, name, file));
    let recording = folder.path().join("own.mp4");
    studio.send(Command::StartRecording(recording.clone()));
    wait_for("two seconds", LIMIT, || {
        studio.snapshot().recording.is_some_and(|it| it.duration.as_secs() >= 2)
    });
    assert!(stats.lock().unwrap().video.unwrap().second.is_none());

    link.set(350_000);
    wait_for("the second rendition", LIMIT, || rendition_id(1) == Some(RenditionId::Second));
    wait_for("the notice", LIMIT, || notice("rendition-lowered"));
    let begun = studio.snapshot().recording.unwrap().duration;
    wait_for("ten seconds of it", LIMIT, || {
        studio.snapshot().recording.unwrap().duration.as_secs() >= begun.as_secs() + 10
    });
    // Every few seconds the encoder tries more than the link carries. In between, a bitrate that
    // fits must appear.
    let mut last_state = None;
    wait_for("a second encode that fits the link", LIMIT * 2, || {
        let now = stats.lock().unwrap().clone();
        let second = now.video.and_then(|video| video.second);
        let shown = studio.snapshot().targets[1].clone();
        let state = (second, shown.rendition_id, shown.size, now.targets[1].queued_ms);
        if last_state.replace(state) != Some(state) {
            eprintln!("  {state:?}");
        }
        second.is_some_and(|(size, bitrate)| {
            size.height < 360
                && bitrate < 300_000
                && (shown.rendition_id, shown.size) == (RenditionId::Second, Some(size))
        }) && now.targets[1].queued_ms < 1_000
    });
    let now = stats.lock().unwrap().clone();
    assert_eq!(now.video.unwrap().allowed, FULL.0);
    assert_eq!(rendition_id(0), Some(RenditionId::Main));
    let late = &now.targets[1];
    assert!(late.state == TargetState::Live && late.reconnects == 0, "{late:?}");

    link.set(WIDE);
    wait_for("the main one", LIMIT * 4, || rendition_id(1) == Some(RenditionId::Main));
    wait_for("the notice", LIMIT, || notice("rendition-restored") && !notice("rendition-lowered"));
    wait_for("the end of the second", LIMIT * 2, || {
        stats.lock().unwrap().video.is_some_and(|video| video.second.is_none())
    });
    studio.end(LIMIT).unwrap();
    let ended = stats.lock().unwrap().clone();
    for viewer in &mut viewers {
        viewer.wait_success(LIMIT);
    }
    for file in &files {
        assert_eq!(ffmpeg::decode(file), "", "{file:?}");
        whole_sound(file);
    }
    assert_eq!(heights(&files[0]), [360]);
    let sizes = heights(&files[1]);
    assert_eq!((sizes.first(), sizes.last()), (Some(&360), Some(&360)), "{sizes:?}");
    assert!(sizes.len() >= 3, "{sizes:?}");
    // Only the slow viewer is affected. Frames that a busy machine skipped foreveryone appear in
    // the figures, which are up to a second older than the end.
    let mut pictures = ffmpeg::probe(&files[0]).packets("video");
    let end = pictures.last().unwrap().dts - 2.0;
    pictures.retain(|picture| picture.dts < end);
    let gap = |pair: &[ffmpeg::Packet]| ((pair[1].dts - pair[0].dts) * 30.0).round() as u64;
    let missing: u64 = pictures.windows(2).map(|pair| gap(pair).saturating_sub(1)).sum();
    let target = &ended.targets[0];
    let excused = ended.video.unwrap().skipped + target.dropped_frames + target.lost_frames;
    assert!(missing <= excused, "{missing} pictures are missing, {excused} are accounted for");
    assert_eq!(heights(&recording), [360]);
    assert_eq!(ffmpeg::decode(&recording), "");
}
