//! Tests of playing streams from servers: live streams, lost and regained streams, ended streams,
//! and streams of third-party publishers.

use super::*;
use crate::odd_servers::{Behavior, two_that_name_each_other};

#[test]
fn a_live_stream_is_played_probed_and_regained() {
    crate::peers::in_real_time!(a_live_stream_is_played_probed_and_regained);
    peers::require!("ffmpeg", "nginx");
    let nginx = peers::Nginx::start();
    let url = nginx.url("live", "test");
    let publisher = peers::ffmpeg::publish(&url, None);
    nginx.wait_published("test");

    let runtime = Runtime::start().unwrap();
    let report = probe::probe(
        &Source::Url(url.clone()),
        &Options::default(),
        &runtime,
        Clock::start(),
        &|| false,
    )
    .unwrap();
    let video = report.video.unwrap();
    assert_eq!((video.size, video.fps), (Some((640, 360)), Some(30.0)));
    assert_eq!(report.gop_s, Some(1.0));
    assert!(report.first_keyframe_ms.is_some());

    // The player plays, loses the stream with its server, and regains it when the server is back.
    let port = nginx.port;
    let clock = Clock::start();
    let config = Config::new(Source::Url(url.clone()));
    let mut player = Player::open_with(&config, &runtime, clock, Latest::default(), None).unwrap();
    peers::wait_for("pictures", LIMIT, || player.figures().shown > 60);
    let figures = player.figures();
    assert!(figures.audio_samples > 24_000, "{figures:?}");
    assert!(figures.buffer < Duration::from_millis(900), "{figures:?}");
    assert_eq!(player.state(), State::Playing);
    // The server ends first, so that nobody closes the stream properly.
    drop(nginx);
    drop(publisher);
    peers::wait_for("the loss", LIMIT, || matches!(player.state(), State::Reconnecting { .. }));
    let nginx = peers::Nginx::start_on(port);
    let _publisher = peers::ffmpeg::publish(&url, None);
    nginx.wait_published("test");
    let shown = player.figures().shown;
    peers::wait_for("pictures again", LIMIT, || player.figures().shown > shown + 60);
    assert_eq!(player.state(), State::Playing);
    assert!(player.figures().reconnects >= 1);
    assert!(player.stop(Duration::from_secs(30)));
}

#[test]
fn an_ending_stream_ends_and_missing_ones_say_so() {
    crate::peers::in_real_time!(an_ending_stream_ends_and_missing_ones_say_so);
    peers::require!("ffmpeg", "nginx");
    let nginx = peers::Nginx::start();
    let url = nginx.url("live", "short");
    let _publisher = peers::ffmpeg::publish(&url, Some(4));
    nginx.wait_published("short");
    let config = Config { reconnect: false, ..Config::new(Source::Url(url)) };
    let outcome = to_the_end(&config);
    assert_eq!(outcome.state, State::Ended, "{:?}", outcome.events);
    assert!(outcome.figures.shown > 30, "{:?}", outcome.figures);

    let fails = |url: String| to_the_end(&Config::new(Source::Url(url))).failure();
    assert_eq!(fails(nginx.url("live", "none")), FailureKind::NoSuchStream);
    assert_eq!(fails(nginx.url("refused", "none")), FailureKind::Refused);
    let free = peers::free_port();
    assert_eq!(fails(format!("rtmp://127.0.0.1:{free}/live/x")), FailureKind::Unreachable);
}

/// Returns the keys of all notices since the last call.
fn notice_keys(player: &Player) -> Vec<&'static str> {
    let events = std::iter::from_fn(|| player.events().try_recv().ok());
    let keys = events.filter_map(|event| match event {
        Event::Message(message) => Some(message.key()),
        _ => None,
    });
    keys.collect()
}

#[test]
fn a_publisher_that_leaves_is_waited_for_and_reconnects() {
    peers::require!("ffmpeg", "nginx");
    let nginx = peers::Nginx::start();
    let (url, runtime) = (nginx.url("live", "on_and_off"), Runtime::start().unwrap());
    let publisher = peers::ffmpeg::publish(&url, None);
    nginx.wait_published("on_and_off");
    let open = |patient| {
        let config = Config { patient, ..Config::new(Source::Url(url.clone())) };
        Player::open_with(&config, &runtime, Clock::start(), Latest::default(), None).unwrap()
    };
    let (mut patient, mut usual) = (open(true), open(false));
    for player in [&patient, &usual] {
        peers::wait_for("pictures", LIMIT, || player.figures().shown > 30);
    }
    drop((notice_keys(&patient), notice_keys(&usual)));
    drop(publisher);
    peers::wait_for("the wait", LIMIT, || {
        let state = patient.state();
        matches!(state, State::Reconnecting { cause, .. } if cause.id() == WAITING_MESSAGE_ID)
    });
    // The publisher returns soon: both players continue on their old connection.
    let publisher = peers::ffmpeg::publish(&url, None);
    for player in [&patient, &usual] {
        let shown = player.figures().shown;
        peers::wait_for("pictures again", LIMIT, || player.figures().shown > shown + 30);
        assert_eq!(player.state(), State::Playing);
        assert_eq!(player.figures().reconnects, 0);
    }
    assert!(notice_keys(&patient).contains(&"player-regained"));
    assert!(notice_keys(&usual).contains(&"player-publisher-back"));
    // The publisher is away for longer than a player waits by default.
    drop(publisher);
    peers::wait_for("the end", LIMIT, || usual.state() == State::Ended);
    assert!(!patient.state().is_final(), "{:?}", patient.state());
    let _publisher = peers::ffmpeg::publish(&url, None);
    let shown = patient.figures().shown;
    peers::wait_for("pictures at last", LIMIT, || patient.figures().shown > shown + 30);
    assert_eq!(patient.state(), State::Playing);
    assert!(notice_keys(&patient).contains(&"player-regained"));
    assert!(usual.stop(LIMIT) && patient.stop(LIMIT));
    runtime.shutdown(Duration::from_secs(2));
}

/// Servers to which streams are published, and from which they are played: nginx-rtmp and `onair
/// serve`.
struct Servers {
    nginx: peers::Nginx,
    _ours: peers::Onair,
    rtmp: String,
}

impl Servers {
    fn start() -> Self {
        let words = ["serve", "--rtmp", "127.0.0.1:0", "--http", "127.0.0.1:0"];
        let mut ours = peers::Onair::start(&words);
        let rtmp = ours.wait_named("ready")["rtmp"].as_str().unwrap().to_owned();
        Self { nginx: peers::Nginx::start(), _ours: ours, rtmp }
    }

    fn urls(&self, name: &str) -> [String; 2] {
        [self.nginx.url("live", name), format!("{}/live/{name}", self.rtmp)]
    }
}

/// Waits until the stream exists and 90 frames have been shown, and checks that nothing was
/// damaged.
fn is_played(url: &str) {
    let runtime = Runtime::start().unwrap();
    let config = Config::new(Source::Url(url.to_owned()));
    let mut player = None;
    peers::wait_for("pictures", LIMIT, || {
        let it = player.get_or_insert_with(|| {
            let (clock, screen) = (Clock::start(), Latest::default());
            Player::open_with(&config, &runtime, clock, screen, None).unwrap()
        });
        let shown = it.figures().shown > 90;
        // The publisher may not have started yet.
        if it.state().is_final() {
            player = None;
        }
        shown
    });
    let mut player = player.unwrap();
    let figures = player.figures();
    assert_eq!((figures.damaged, figures.reconnects), (0, 0), "{url}: {figures:?}");
    assert!(figures.decoded >= figures.shown, "{url}: {figures:?}");
    assert!(figures.audio_samples > 48_000, "{url}: {figures:?}");
    assert!(!notice_keys(&player).contains(&"player-times-backwards"), "{url}");
    assert!(player.stop(LIMIT), "{url}");
    runtime.shutdown(Duration::from_secs(2));
}

#[test]
fn b_frames_of_x264_are_played_live() {
    peers::require!("ffmpeg", "nginx");
    let servers = Servers::start();
    let options = ["-bf", "3", "-b_strategy", "0", "-preset", "veryfast"];
    for url in servers.urls("b") {
        let _publisher = peers::ffmpeg::publish_with(&url, None, &options);
        is_played(&url);
    }
}

#[test]
fn gstreamers_streams_are_played() {
    peers::require!("gst-launch-1.0", "nginx");
    let servers = Servers::start();
    for url in servers.urls("gst") {
        let _publisher = peers::others::gstreamer_publish_by(&url, 3_000, "bframes=2");
        is_played(&url);
    }
}

#[test]
fn our_own_broadcast_is_played_from_a_foreign_server() {
    crate::peers::in_real_time!(our_own_broadcast_is_played_from_a_foreign_server);
    peers::require!("nginx");
    let nginx = peers::Nginx::start();
    let url = nginx.url("live", "ours");
    let words = ["live", "--video", "test", "--audio", "tone", "--size", "480x270", "--to", &url];
    let mut live = peers::Onair::start(&words);
    live.wait_event("live", |it| it["event"] == "target" && it["state"] == "live");
    is_played(&url);
    // The command line plays the stream too, with measurements from the embedded markers.
    let mut play = peers::Onair::start(&["play", &url, "--headless", "--measure"]);
    let figures = play.wait_event("pictures and measurements", |event| {
        event["event"] == "play_stats"
            && event["shown"].as_u64().is_some_and(|shown| shown > 60)
            && !event["latency_ms"].is_null()
            && !event["av_offset_ms"].is_null()
    });
    assert_eq!((&figures["damaged"], &figures["reconnects"]), (&0.into(), &0.into()), "{figures}");
    assert!(figures["av_offset_ms"].as_f64().unwrap().abs() < 20.0, "{figures}");
    assert_eq!(play.stop(LIMIT).code(), Some(0));
    live.stop(LIMIT);
}

#[test]
fn servers_that_redirect_to_each_other_end_the_playback() {
    let [first, second] = two_that_name_each_other(Behavior::SendElsewhere);
    for reconnect in [true, false] {
        let url = format!("{}/show", first.app_url());
        let outcome = to_the_end(&Config { reconnect, ..Config::new(Source::Url(url)) });
        let State::Failed(failure) = &outcome.state else { panic!("{:?}", outcome.state) };
        assert_eq!(failure.kind, FailureKind::Lost);
        assert!(failure.to_string().contains("redirects too many times"), "{failure}");
    }
    assert_eq!((first.connections(), second.connections()), (4, 4));
}
