//! Tests with OBS as the publisher. OBS shows onair's test source and publishes it to nginx-rtmp or
//! to onair's server.

use peers::Onair;
use peers::obs::{Obs, SIZE};
use serde_json::Value;

use super::*;

#[test]
fn what_obs_sends_through_nginx_is_played() {
    peers::require!("obs", "Xvfb", "dbus-daemon", "nginx");
    let mut live =
        Onair::start(&["live", "--video", "test", "--audio", "tone", "--size", "320x180"]);
    let source = live.play_url();
    let nginx = peers::Nginx::start();
    let url = nginx.url("live", "obs");
    let server = url.strip_suffix("/obs").unwrap();
    let mut obs = Obs::start(&source, server, "obs");
    nginx.wait_published("obs");
    assert!(obs.peer.status().is_none(), "{}", obs.log());
    let mut player = Onair::start(&["play", &url, "--headless"]);
    let figures = player.wait_event("pictures and sound", |event| {
        event["event"] == "play_stats"
            && event["shown"].as_u64().is_some_and(|shown| shown > 90)
            && event["audio_samples"].as_u64().is_some_and(|samples| samples > 2 * 48_000)
    });
    assert_eq!((&figures["width"], &figures["height"]), (&SIZE.0.into(), &SIZE.1.into()));
    assert_eq!((&figures["damaged"], &figures["reconnects"]), (&0.into(), &0.into()), "{figures}");
    assert_eq!(player.stop(LIMIT).code(), Some(0));
}

#[test]
fn what_obs_sends_is_probed_played_and_measured() {
    crate::peers::in_real_time!(what_obs_sends_is_probed_played_and_measured);
    peers::require!("obs", "Xvfb", "dbus-daemon");
    let mut live =
        Onair::start(&["live", "--video", "test", "--audio", "tone", "--size", "640x360"]);
    let source = live.play_url();
    let mut serve = Onair::start(&["serve", "--rtmp", "127.0.0.1:0", "--http", "127.0.0.1:0"]);
    let server = format!("{}/live", serve.wait_named("ready")["rtmp"].as_str().unwrap());
    let mut obs = Obs::start(&source, &server, "obs");
    let url = format!("{server}/obs");

    // OBS starts to stream some seconds after it starts.
    let mut report = Value::Null;
    peers::wait_for("what OBS sends", LIMIT * 2, || {
        assert!(obs.peer.status().is_none(), "{}", obs.log());
        let mut probe = Onair::start(&["probe", &url]);
        probe.peer.wait(LIMIT);
        report = serde_json::from_str(&probe.peer.output()).unwrap_or_default();
        report["streams"][1]["sample_rate"].is_number()
    });
    let (video, audio) = (&report["streams"][0], &report["streams"][1]);
    assert_eq!((&video["width"], &video["height"]), (&SIZE.0.into(), &SIZE.1.into()), "{report}");
    assert_eq!((&video["codec"], &audio["codec"]), (&"h264".into(), &"aac".into()), "{report}");
    assert_eq!(
        (&audio["sample_rate"], &audio["channels"]),
        (&48_000.into(), &2.into()),
        "{report}"
    );

    let mut player = Onair::start(&["play", &url, "--headless", "--measure"]);
    let figures = player.wait_event("pictures, sound and measurements", |event| {
        event["event"] == "play_stats"
            && event["shown"].as_u64().is_some_and(|shown| shown > 150)
            && event["audio_samples"].as_u64().is_some_and(|samples| samples > 4 * 48_000)
            && !event["latency_ms"].is_null()
            && !event["av_offset_ms"].is_null()
    });
    assert_eq!((&figures["width"], &figures["height"]), (&SIZE.0.into(), &SIZE.1.into()));
    assert_eq!((&figures["damaged"], &figures["reconnects"]), (&0.into(), &0.into()), "{figures}");
    assert!(figures["video"].as_str().unwrap().starts_with("H.264"), "{figures}");
    assert!(figures["audio"].as_str().unwrap().contains("48 kHz stereo"), "{figures}");
    assert!(figures["first_picture_ms"].is_number(), "{figures}");
    assert!(figures["buffer_ms"].as_u64().unwrap() > 0, "{figures}");
    // The stream passes through two servers and the buffers of OBS and onair. How large the latency
    // is depends on OBS, so the test only checks that it is plausible.
    let of = |name: &str| figures[name].as_f64().unwrap();
    assert!(of("arrival_ms") > 0.0 && of("arrival_ms") < of("latency_ms"), "{figures}");
    assert_eq!(player.stop(LIMIT).code(), Some(0));
    // A busy computer may cause harmless notices, but nothing may arrive damaged or out of order.
    let harmless =
        ["player-stalled", "player-jumped-ahead", "player-too-slow", "player-no-speaker"];
    let events = player.events();
    let notices = events.iter().filter(|event| event["event"] == "notice");
    let notices: Vec<_> =
        notices.filter(|it| !harmless.iter().any(|key| it["key"] == *key)).collect();
    assert!(notices.is_empty(), "{notices:?}");
}
