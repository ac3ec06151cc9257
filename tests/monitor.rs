//! Tests of the viewer monitor. A relay server blackens, freezes, mutes, shrinks or stops the
//! stream. The monitor must detect each fault, and also its end.

use std::time::{Duration, Instant};

use crate::peers::{self, LIMIT, Nginx, Onair, Peer, wait_for};
use onair::audio::AudioChoice;
use onair::base::Clock;
use onair::capture::VideoChoice;
use onair::media::{BitsPerSecond, Size};
use onair::studio::live::view::LiveState;
use onair::studio::{Command, Config, Quality, Settings, Studio, Target};
use serde_json::Value;

/// The options of a relay that leaves the stream unchanged.
const GOOD: &[&str] = &["-c", "copy"];

/// Relays a stream under another name, as another server would.
fn relay(nginx: &Nginx, name: &str, how: &[&str]) -> Peer {
    let (from, to) = (nginx.url("live", "s0"), nginx.url("live", name));
    let words = ["-hide_banner", "-nostdin", "-i", &from].into_iter();
    let coding = ["-c:v", "libx264", "-preset", "ultrafast", "-g", "15", "-c:a", "aac"];
    let coding = coding.into_iter().filter(|_| how != GOOD);
    let all = words.chain(coding).chain(how.iter().copied()).chain(["-f", "flv", &to]);
    Peer::start("ffmpeg", all)
}

/// The latest viewer monitor state of a target.
fn newest(onair: &Onair, index: u64) -> Value {
    let events = onair.events();
    let of = |event: &&Value| event["event"] == "monitor" && event["index"] == index;
    events.iter().rev().find(of).cloned().unwrap_or_default()
}

fn wait_state(onair: &Onair, index: u64, state: &str) -> Value {
    let what = format!("viewers of target {index} to be {state}");
    let start = Instant::now();
    loop {
        let now = newest(onair, index);
        if now["state"] == state {
            return now;
        }
        let all = || onair.events().into_iter().filter(|event| event["event"] == "monitor");
        assert!(start.elapsed() < LIMIT * 2, "{what}: {:#?}", all().collect::<Vec<_>>());
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn what_a_server_in_between_does_is_found_and_is_over_again() {
    peers::in_real_time!(what_a_server_in_between_does_is_found_and_is_over_again);
    peers::require!("nginx", "ffmpeg");
    let nginx = Nginx::start();
    let closed = format!("--monitor=rtmp://127.0.0.1:{}/live/planted-4711", peers::free_port());
    let watched: Vec<String> = (1..=4)
        .map(|number| format!("--monitor={}", nginx.url("live", &format!("out{number}"))))
        .collect();
    let to: Vec<String> = (0..=5).map(|number| nginx.url("live", &format!("s{number}"))).collect();
    let mut words = vec!["live", "--video", "test", "--audio", "tone", "--size", "480x270"];
    words.extend(["--fps", "15", "--keyframe-interval", "1s", "--video-bitrate", "300k"]);
    for (number, to) in to.iter().enumerate() {
        words.extend(["--to", to]);
        words.extend(watched.get(number.wrapping_sub(1)).map(String::as_str));
        words.extend((number == 5).then_some(closed.as_str()));
    }
    words.push("--monitor");
    let mut onair = Onair::start(&words);
    nginx.wait_published("s0");
    let faults: [&[&str]; 4] = [
        &["-vf", "drawbox=t=fill:color=black"],
        &["-vf", "drawbox=t=fill:color=gray"],
        &["-c:v", "copy", "-af", "volume=0"],
        &["-s", "240x136"],
    ];
    let name = |index: usize| format!("out{}", index + 1);
    let mut relays: Vec<Peer> =
        faults.iter().enumerate().map(|(index, how)| relay(&nginx, &name(index), how)).collect();

    // Viewers play the address that is published to; the test source's markers give the latency.
    wait_state(&onair, 0, "ok");
    onair.wait_event("the latency at target 0", |event| {
        event["event"] == "monitor" && event["index"] == 0 && event["latency_ms"].is_number()
    });
    let well = newest(&onair, 0);
    assert_eq!((&well["width"], &well["height"]), (&480.into(), &270.into()), "{well}");
    assert_eq!(well["latency_by"], "markers", "{well}");
    let latency = well["latency_ms"].as_f64().unwrap();
    assert!((0.0..3_000.0).contains(&latency), "{well}");
    for (index, trouble) in
        ["black", "frozen", "silent", "wrong_size", "unreachable"].iter().enumerate()
    {
        let seen = wait_state(&onair, index as u64 + 1, trouble);
        assert!(seen["cause"].is_string() && seen["advice"].is_string(), "{seen}");
    }
    let key = |name: &str| {
        let name = format!("monitor-{name}");
        onair.events().iter().filter(|event| event["key"] == name.as_str()).count()
    };
    for name in ["black", "frozen", "silent", "wrong-size", "unreachable"] {
        assert_eq!(key(name), 1, "notices of {name}");
    }

    // Replaces the relays with ones that leave the stream unchanged.
    for (index, old) in relays.iter_mut().enumerate() {
        old.kill();
        nginx.wait_unpublished(&name(index));
        *old = relay(&nginx, &name(index), GOOD);
    }
    for index in 1..=4 {
        wait_state(&onair, index, "ok");
    }
    // A relay that hangs.
    relays[0].signal("STOP");
    wait_state(&onair, 1, "stalled");
    relays[0].signal("CONT");
    wait_state(&onair, 1, "ok");

    let stats = onair.events().into_iter().rfind(|event| event["event"] == "stats").unwrap();
    assert_eq!(stats["targets"][0]["monitor"]["state"], "ok", "{stats}");
    let stopping = Instant::now();
    assert!(onair.stop(LIMIT).success());
    assert!(stopping.elapsed() < Duration::from_secs(4), "{:?}", stopping.elapsed());
    for output in [onair.peer.output(), onair.peer.errors()] {
        assert!(!output.contains("planted-4711"), "{output}");
    }
}

#[test]
fn another_program_never_passes_and_a_stream_reencoded_by_a_server_does() {
    peers::in_real_time!(another_program_never_passes_and_a_stream_reencoded_by_a_server_does);
    peers::require!("nginx", "ffmpeg");
    let nginx = Nginx::start();
    let (other, out) = (nginx.url("live", "other"), nginx.url("live", "out"));
    let picture = ["-re", "-f", "lavfi", "-i", "testsrc2=size=480x270:rate=15,negate"];
    let sound = ["-f", "lavfi", "-i", "sine=frequency=440:beep_factor=4:sample_rate=48000"];
    let coding = ["-c:v", "libx264", "-preset", "ultrafast", "-g", "15", "-c:a", "aac"];
    let words = ["-hide_banner", "-nostdin"].into_iter().chain(picture).chain(sound);
    let _other = Peer::start("ffmpeg", words.chain(coding).chain(["-f", "flv", &other]));
    nginx.wait_published("other");
    let (first, second) = (nginx.url("live", "s0"), nginx.url("live", "s1"));
    let (at_other, at_out) = (format!("--monitor={other}"), format!("--monitor={out}"));
    // Volume that rises and falls without a pattern, as speech does.
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("speech.wav");
    let speech = "aevalsrc=sin(2764*t)*(0.05+0.9*abs(sin(t*1.7)*sin(t*0.61)*sin(t*3.1))):d=120";
    let words = ["-v", "error", "-f", "lavfi", "-i", speech, file.to_str().unwrap()];
    Peer::start("ffmpeg", words).wait_success(LIMIT);
    let audio = format!("file:{}", file.display());
    let small = ["live", "--video", "test", "--audio", &audio, "--size", "480x270", "--fps", "15"];
    let more = ["--keyframe-interval", "1s", "--video-bitrate", "300k"];
    let to = ["--to", &first, &at_other, "--to", &second, &at_out];
    let mut onair = Onair::start(&[&small[..], &more, &to].concat());
    nginx.wait_published("s0");
    // Without markers, slightly darker, and with keyframes at other frames.
    let blind =
        ["-vf", "drawbox=y=ih*7/8:h=ih/8:t=fill:color=gray,eq=brightness=-0.04", "-g", "22"];
    let _relay = relay(&nginx, "out", &blind);

    wait_state(&onair, 1, "ok");
    let different = wait_state(&onair, 0, "different");
    assert!(different["cause"].is_string() && different["advice"].is_string(), "{different}");
    assert_eq!(different["latency_ms"], Value::Null, "{different}");
    let events = onair.events();
    let states = |index: u64| {
        let of = move |it: &&Value| it["event"] == "monitor" && it["index"] == index;
        events.iter().filter(of).map(|it| it["state"].as_str().unwrap_or_default())
    };
    assert!(states(0).all(|state| state != "ok"), "{:?}", states(0).collect::<Vec<_>>());
    assert!(states(1).all(|state| state != "different"), "{:?}", states(1).collect::<Vec<_>>());
    let count = events.iter().filter(|event| event["key"] == "monitor-different").count();
    assert_eq!(count, 1);
    assert!(onair.stop(LIMIT).success());
}

#[test]
fn the_viewer_monitor_of_the_built_in_server_is_not_counted_as_a_viewer() {
    peers::in_real_time!(the_viewer_monitor_of_the_built_in_server_is_not_counted_as_a_viewer);
    let quality = Quality {
        size: Size::new(480, 270),
        video_bitrate: BitsPerSecond(400_000),
        keyframe_interval: Duration::from_secs(1),
        // At 29.97 fps, frames drift against the seconds. Where it is unclear which frame has the
        // flash, the next seconds show it.
        frame_rate: "30000/1001".parse().unwrap(),
        ..Quality::default()
    };
    let settings = Settings {
        video: Some(VideoChoice::Test),
        audio: Some(AudioChoice::Tone),
        targets: vec![Target::built_in()],
        quality,
        ..Settings::default()
    };
    let config =
        Config { keyring: false, monitor_own: true, ..Config::new(Clock::start(), settings) };
    let studio = Studio::start(config).unwrap();
    studio.send(Command::GoLive);
    let monitor = || studio.snapshot().targets.first().and_then(|it| it.monitor.clone());
    wait_for("a latency", LIMIT, || monitor().is_some_and(|it| it.latency.is_some()));
    wait_for("an offset", LIMIT, || monitor().is_some_and(|it| it.av_offset_ms.is_some()));
    let seen = monitor().unwrap();
    assert_eq!((seen.state, seen.size), ("ok", Some(Size::new(480, 270))));
    assert!(seen.latency.unwrap() < Duration::from_secs(2), "{seen:?}");
    assert!(seen.av_offset_ms.unwrap().abs() < 60.0, "{seen:?}");
    assert_eq!(seen.frame.0.get().map(|frame| frame.size()), Some(Size::new(480, 270)));
    assert_eq!(studio.snapshot().server.viewers, 0);
    // Nothing was wrong, so there is no notice.
    assert!(studio.snapshot().notices.iter().all(|it| !it.key().starts_with("monitor-")));
    studio.send(Command::StopLive);
    wait_for("the end", LIMIT, || studio.snapshot().live == LiveState::Idle);
    assert_eq!(monitor(), None);
    studio.end(LIMIT).unwrap();
}

#[test]
fn the_viewer_monitor_checks_streams_over_http_too() {
    let mut serve = Onair::start(&["serve", "--rtmp", "127.0.0.1:0", "--http", "127.0.0.1:0"]);
    let ready = serve.wait_named("ready");
    let (rtmp, http) = (ready["rtmp"].as_str().unwrap(), ready["http"].as_str().unwrap());
    let (to, watched) = (format!("{rtmp}/live/show"), format!("--monitor={http}/live/show.flv"));
    let small = ["live", "--video", "test", "--audio", "tone", "--size", "480x270", "--fps", "15"];
    let more = ["--keyframe-interval", "1s", "--video-bitrate", "300k", "--to", &to, &watched];
    let mut onair = Onair::start(&[&small[..], &more].concat());
    wait_state(&onair, 0, "ok");
    onair.wait_event("the latency", |event| {
        event["event"] == "monitor" && event["latency_by"] == "markers"
    });
    assert!(onair.stop(LIMIT).success());
    assert!(serve.stop(LIMIT).success());
}
