//! Tests of publishing to third-party servers. ffmpeg and nginx-rtmp receive the stream, and
//! ffprobe and GStreamer check it.

use std::time::Duration;

use crate::film::{self, Film};
use crate::peers::{self, LIMIT, Nginx, ffmpeg, others, wait_for};
use onair::base::Clock;
use onair::broadcast::{Publisher, State, Target};
use onair::net::{Class, ConnectStage, Runtime};
use onair::wire::rtmp::url::Url;

fn target(url: &str) -> Target {
    Target::new(Url::parse(url).unwrap())
}

#[test]
fn ffmpeg_receives_a_flawless_stream() {
    peers::in_real_time!(ffmpeg_receives_a_flawless_stream);
    peers::require!("ffmpeg", "ffprobe");
    let film = Film::make();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("received.flv");
    let port = peers::free_port();
    let mut receiver = ffmpeg::receive(port, &file);
    let runtime = Runtime::start().unwrap();
    let show = film.project(Some(5));
    let url = format!("rtmp://127.0.0.1:{port}/live/stream");
    let publisher = Publisher::start(&runtime, target(&url), &show.hub, Clock::start());
    let _hub = show.wait();
    assert!(publisher.wait(LIMIT));
    assert_eq!(publisher.state(), State::Stopped, "{:?}", publisher.report());
    receiver.wait(LIMIT);
    let probe = ffmpeg::probe(&file);
    film::check(&probe);
    assert!(probe.packets("video").len() >= 120, "{}", probe.packets("video").len());
    assert!(probe.packets("video")[0].dts.abs() < 0.001, "does not begin at 0");
    assert_eq!(ffmpeg::decode(&file), "");
    assert_eq!(publisher.figures().dropped_frames, 0);
}

#[test]
fn nginx_records_and_relays_and_ffprobe_and_gstreamer_are_content() {
    peers::in_real_time!(nginx_records_and_relays_and_ffprobe_and_gstreamer_are_content);
    peers::require!("ffmpeg", "ffprobe", "nginx", "gst-launch-1.0");
    let film = Film::make();
    let nginx = Nginx::start();
    let runtime = Runtime::start().unwrap();
    let show = film.project(None);
    let url = nginx.url("recorded", "show");
    let publisher = Publisher::start(&runtime, target(&url), &show.hub, Clock::start());
    nginx.wait_published("show");

    let live = ffmpeg::probe(&url);
    assert_eq!(live.warnings, "");
    assert_eq!(live.stream("video")["codec_name"], "h264");
    assert_eq!(live.stream("video")["width"], 640);
    assert_eq!(live.stream("audio")["sample_rate"], "48000");

    let player = others::gstreamer_play(&url);
    wait_for("pictures and sound at GStreamer", LIMIT, || {
        ["pictures", "sound"].iter().all(|sink| others::gstreamer_seen(&player, sink) > 20)
    });
    drop(player);

    let figures = publisher.figures();
    assert!(figures.round_trip.is_some_and(|time| time < Duration::from_millis(100)));
    assert!(figures.bitrate > 300_000, "{figures:?}");
    assert_eq!(publisher.stop(LIMIT).state, State::Stopped);
    nginx.wait_unpublished("show");
    let _hub = show.stop();
    film::check(&ffmpeg::probe(nginx.recordings().join("show.flv")));
}

#[test]
fn a_server_killed_and_started_again_gets_the_stream_back() {
    peers::in_real_time!(a_server_killed_and_started_again_gets_the_stream_back);
    peers::require!("ffmpeg", "ffprobe", "nginx");
    let film = Film::make();
    let mut nginx = Nginx::start();
    let runtime = Runtime::start().unwrap();
    let show = film.project(None);
    let url = nginx.url("recorded", "show");
    let publisher = Publisher::start(&runtime, target(&url), &show.hub, Clock::start());
    nginx.wait_published("show");
    wait_for("pictures", LIMIT, || publisher.figures().total_frames > 30);
    nginx.peer.kill();
    wait_for("the loss", LIMIT, || publisher.state() == State::Reconnecting);
    let last = publisher.figures().last_sent.unwrap().time_ms;

    let nginx = Nginx::start_on(nginx.port);
    nginx.wait_published("show");
    wait_for("live", LIMIT, || publisher.state() == State::Live);
    let sent = publisher.figures().total_frames;
    wait_for("more pictures", LIMIT, || publisher.figures().total_frames > sent + 90);
    assert_eq!(publisher.figures().reconnects, 1);
    assert_eq!(publisher.stop(LIMIT).state, State::Stopped);
    nginx.wait_unpublished("show");
    let _hub = show.stop();
    let probe = ffmpeg::probe(nginx.recordings().join("show.flv"));
    film::check(&probe);
    assert!(publisher.figures().last_sent.unwrap().time_ms > last);
}

#[test]
fn a_refusal_without_a_word_names_the_stage() {
    peers::require!("ffmpeg", "nginx");
    let film = Film::make();
    let nginx = Nginx::start();
    let runtime = Runtime::start().unwrap();
    let show = film.project(None);
    let mut target = target(&nginx.url("refused", "show"));
    target.retry_for = Some(Duration::ZERO);
    let publisher = Publisher::start(&runtime, target, &show.hub, Clock::start());
    assert!(publisher.wait(LIMIT));
    let report = publisher.report();
    // nginx accepts the stream before it closes the connection.
    assert_eq!((report.state, report.stage), (State::Failed(Class::Refused), ConnectStage::Media));
    show.stop();
}

#[test]
fn a_name_in_use_is_waited_for() {
    peers::require!("ffmpeg", "nginx");
    let film = Film::make();
    let nginx = Nginx::start();
    let url = nginx.url("live", "show");
    let other = ffmpeg::publish(&url, None);
    nginx.wait_published("show");
    let runtime = Runtime::start().unwrap();
    let show = film.project(None);
    let publisher = Publisher::start(&runtime, target(&url), &show.hub, Clock::start());
    wait_for("the refusal", LIMIT, || {
        let report = publisher.report();
        report.retry_in.is_some() && report.code() == Some("NetStream.Publish.BadName")
    });
    drop(other);
    nginx.wait_unpublished("show");
    wait_for("live", LIMIT, || publisher.state() == State::Live);
    nginx.wait_published("show");
    show.stop();
}
