//! Tests of the publisher with misbehaving servers. The servers consist of the server session of
//! `wire` and plain sockets. The tests need no third-party program.

mod network;
mod reconnects;
mod sent_on;

use std::time::Duration;

use onair::broadcast::{Event, Flow, Publisher, Report, State};
use onair::net::{Cause, Class, ConnectStage, NotRtmp, Refusal};
use onair::text::Language;
use onair::wire::rtmp::status::{Level, Status, code};

use crate::odd_servers::{Behavior, Server, Show, target, wait_for};
use crate::peers::LIMIT;

/// The cause of the failure, in English.
fn cause(report: &Report) -> String {
    Language::English.say(&report.problem().unwrap())
}

/// The cure, in English.
fn advice(report: &Report) -> String {
    Language::English.cure(&report.problem().unwrap()).unwrap()
}

#[test]
fn a_stream_begins_with_metadata_headers_and_a_keyframe_at_zero() {
    let server = Server::start(|_| Behavior::Accept);
    let show = Show::start();
    let publisher = show.publish(target(&server));
    show.feed(0, 1_000);
    wait_for("a second of pictures", || server.connection(0).video().len() >= 25);
    assert_eq!(publisher.state(), State::Live);
    let report = publisher.stop(LIMIT);
    assert_eq!(report.state, State::Stopped);

    let got = server.connection(0);
    assert_eq!(got.head(), ["metadata", "audio header", "video header", "keyframe"]);
    assert_eq!(got.video().first(), Some(&0));
    assert_eq!(got.audio().first(), Some(&0));
    assert!(got.unpublished, "the end was not said");
    let figures = publisher.figures();
    assert_eq!((figures.total_frames, figures.dropped_frames), (25, 0));
    assert!(figures.sent_bytes > 1_000);
}

#[test]
fn the_end_of_the_stream_is_sent_whole_and_unpublished() {
    let server = Server::start(|_| Behavior::Accept);
    let mut show = Show::start();
    let publisher = show.publish(target(&server));
    wait_for("publishing", || publisher.report().stage == ConnectStage::Media);
    show.feed(0, 800);
    show.end();
    assert!(publisher.wait(LIMIT));
    assert_eq!(publisher.state(), State::Stopped);
    wait_for("the goodbye", || server.connection(0).unpublished);
    let got = server.connection(0);
    assert_eq!((got.video().len(), got.audio().len()), (20, 40));
}

#[test]
fn a_wrong_key_ends_at_once_and_the_key_is_not_repeated() {
    let server = Server::start(|_| {
        Behavior::RejectPublish(Status::new(
            Level::Error,
            code::PUBLISH_UNAUTHORIZED,
            "stream key secret-key-1 is unknown",
        ))
    });
    let show = Show::start();
    let publisher = show.publish(target(&server));
    assert!(publisher.wait(LIMIT));
    let report = publisher.report();
    assert_eq!(report.state, State::Failed(Class::Refused));
    assert_eq!(report.stage, ConnectStage::Publish);
    assert_eq!(report.code(), Some(code::PUBLISH_UNAUTHORIZED));
    let cause = cause(&report);
    assert!(cause.contains("stream key *** is unknown"), "{cause}");
    assert!(advice(&report).contains("stream key"));
    assert_eq!(server.connections(), 1, "tried again although waiting cannot help");
    assert!(!format!("{publisher:?}").contains("secret-key-1"));
}

#[test]
fn an_own_ghost_is_waited_out() {
    let busy = Status::new(Level::Error, code::PUBLISH_BAD_NAME, "Already publishing");
    let server = Server::start(move |connection| match connection {
        0 | 1 => Behavior::RejectPublish(busy.clone()),
        _ => Behavior::Accept,
    });
    let show = Show::start();
    let publisher = show.publish(target(&server));
    show.feed(0, 400);
    wait_for("live", || {
        publisher.retry_now();
        publisher.state() == State::Live
    });
    let mut busy_seen = false;
    while let Ok(event) = publisher.events().try_recv() {
        if let Event::Changed(report) = event
            && let Some(error) = report.error
        {
            busy_seen |= matches!(error.cause, Cause::Status { refusal: Refusal::Busy, .. })
                && report.retry_in.is_some();
        }
    }
    assert!(busy_seen);
    assert_eq!(publisher.figures().reconnects, 0, "was not live before");
}

#[test]
fn servers_that_are_none_are_named() {
    crate::peers::in_real_time!(servers_that_are_none_are_named);
    let http = b"HTTP/1.1 400 Bad Request\r\nServer: x\r\n\r\n".to_vec();
    type Check = fn(&Cause) -> bool;
    let cases: [(Behavior, ConnectStage, Check); 5] = [
        (Behavior::Bytes(http), ConnectStage::Handshake, |cause| {
            *cause == Cause::NotRtmp(NotRtmp::Http)
        }),
        (Behavior::Bytes(b"220 mail ready\r\n".to_vec()), ConnectStage::Handshake, |cause| {
            matches!(cause, Cause::NotRtmp(NotRtmp::Banner(_)))
        }),
        (Behavior::Bytes(vec![0xee; 4_000]), ConnectStage::Handshake, |cause| {
            matches!(cause, Cause::NotRtmp(NotRtmp::Bytes(_)))
        }),
        (Behavior::Hangup, ConnectStage::Handshake, |cause| {
            matches!(cause, Cause::Closed | Cause::Reset)
        }),
        (Behavior::Silent, ConnectStage::Handshake, |cause| {
            matches!(cause, Cause::TimedOut { .. })
        }),
    ];
    for (behavior, stage, check) in cases {
        let label = format!("{behavior:?}").chars().take(20).collect::<String>();
        let silent = matches!(behavior, Behavior::Silent);
        let server = Server::start(move |_| behavior.clone());
        let show = Show::start();
        let mut target = target(&server);
        target.retry_for = Some(Duration::ZERO);
        if silent {
            target.options.handshake_limit = Duration::from_millis(300);
        }
        let publisher = show.publish(target);
        assert!(publisher.wait(LIMIT), "{label}");
        let report = publisher.report();
        let error = report.error.clone().unwrap();
        assert_eq!(error.stage, stage, "{label}: {error}");
        assert!(check(&error.cause), "{label}: {error}");
        assert_eq!(report.state, State::Failed(Class::Unreachable), "{label}");
        assert!(!advice(&report).is_empty());
    }
}

#[test]
fn silence_after_the_handshake_has_a_limit_too() {
    crate::peers::in_real_time!(silence_after_the_handshake_has_a_limit_too);
    let server = Server::start(|_| Behavior::Mute);
    let show = Show::start();
    let mut target = target(&server);
    target.retry_for = Some(Duration::ZERO);
    target.options.command_limit = Duration::from_millis(300);
    let publisher = show.publish(target);
    assert!(publisher.wait(LIMIT));
    let error = publisher.report().error.unwrap();
    assert_eq!(error.stage, ConnectStage::Connect);
    assert!(matches!(error.cause, Cause::TimedOut { .. }));
}

#[test]
fn a_rejected_connection_and_a_silent_refusal_are_distinguished() {
    let status = Status::new(Level::Error, code::CONNECT_INVALID_APP, "no such application");
    let server = Server::start(move |connection| match connection {
        0 => Behavior::RejectConnect(status.clone()),
        _ => Behavior::HangupAtPublish,
    });
    let show = Show::start();
    let publisher = show.publish(target(&server));
    assert!(publisher.wait(LIMIT));
    let report = publisher.report();
    assert_eq!(
        (report.state, report.stage),
        (State::Failed(Class::Refused), ConnectStage::Connect)
    );

    let mut target = target(&server);
    target.retry_for = Some(Duration::ZERO);
    let publisher = show.publish(target);
    assert!(publisher.wait(LIMIT));
    let report = publisher.report();
    assert_eq!(
        (report.state, report.stage),
        (State::Failed(Class::Refused), ConnectStage::Publish)
    );
    assert!(advice(&report).contains("key"));
}

#[test]
fn a_server_that_checks_the_key_for_seconds_refuses_and_is_not_lost() {
    crate::peers::in_real_time!(a_server_that_checks_the_key_for_seconds_refuses_and_is_not_lost);
    // Of a hundred frames, at most the first GOP is sent at once.
    let server = Server::start(|_| Behavior::DieAfterVideo(100));
    let show = Show::start();
    let publisher = show.publish(target(&server));
    let feeder = show.feed_live(0);
    let mut waits: Vec<Report> = Vec::new();
    wait_for("a second close", || {
        while let Ok(event) = publisher.events().try_recv() {
            if let Event::Changed(report) = event
                && report.retry_in.is_some()
            {
                waits.push(report);
            }
        }
        waits.len() >= 2
    });
    feeder.stop();
    let class = |report: &Report| report.error.as_ref().map(|error| error.class());
    // The first close alone says nothing about the key.
    assert_eq!((waits[0].state, class(&waits[0])), (State::Reconnecting, Some(Class::Lost)));
    assert_eq!((waits[1].state, class(&waits[1])), (State::Connecting, Some(Class::Refused)));
    assert_eq!(waits[1].stage, ConnectStage::Media);
    assert!(advice(&waits[1]).contains("key"), "{}", advice(&waits[1]));
    assert!(waits[1].retry_in > Some(Duration::from_secs(1)), "{:?}", waits[1].retry_in);
}

#[test]
fn a_target_without_a_server_is_retried_until_the_time_is_up() {
    crate::peers::in_real_time!(a_target_without_a_server_is_retried_until_the_time_is_up);
    let server = Server::start(|_| Behavior::Accept);
    let mut target = target(&server);
    target.retry_for = Some(Duration::from_millis(1_500));
    drop(server);
    let show = Show::start();
    let began = std::time::Instant::now();
    let publisher = show.publish(target);
    assert!(publisher.wait(LIMIT));
    let took = began.elapsed();
    assert!(took >= Duration::from_millis(1_500), "given up after {took:?}");
    assert_eq!(publisher.state(), State::Failed(Class::Unreachable));
    let mut waits = 0;
    while let Ok(event) = publisher.events().try_recv() {
        if let Event::Changed(report) = event {
            waits += u32::from(report.retry_in.is_some());
        }
    }
    assert!(waits >= 1);
}

#[test]
fn a_server_that_dies_is_found_again_and_time_goes_on() {
    let server = Server::start(|connection| match connection {
        0 => Behavior::DieAfterVideo(40),
        _ => Behavior::Accept,
    });
    let show = Show::start();
    let publisher = show.publish(target(&server));
    let feeder = show.feed_live(0);
    wait_for("a second connection with pictures", || {
        publisher.retry_now();
        server.connections() >= 2 && server.connection(1).video().len() > 5
    });
    feeder.stop();
    let (first, second) = (server.connection(0), server.connection(1));
    assert_eq!(second.head(), ["metadata", "audio header", "video header", "keyframe"]);
    let (last, next) = (*first.video().last().unwrap(), second.video()[0]);
    assert!(next > last, "time went back from {last} to {next}");
    assert_eq!(next % 2_000, 0, "the feed's keyframes lie at whole two seconds");
    let figures = publisher.figures();
    assert_eq!(figures.reconnects, 1);
    let mut gap = None;
    while let Ok(event) = publisher.events().try_recv() {
        if let Event::Changed(report) = event {
            gap = gap.or(report.gap);
        }
    }
    assert!(gap.is_some(), "the gap is not reported");
}

#[test]
fn a_loss_that_is_not_made_good_has_its_own_ending() {
    crate::peers::in_real_time!(a_loss_that_is_not_made_good_has_its_own_ending);
    let server = Server::start(|connection| match connection {
        0 => Behavior::DieAfterVideo(40),
        _ => Behavior::Hangup,
    });
    let show = Show::start();
    let mut target = target(&server);
    target.retry_for = Some(Duration::from_millis(600));
    let publisher = show.publish(target);
    let feeder = show.feed_live(0);
    assert!(publisher.wait(LIMIT));
    feeder.stop();
    assert_eq!(publisher.state(), State::Failed(Class::Lost));
}

#[test]
fn status_messages_of_the_server_while_live_are_reported() {
    let server = Server::start(|_| {
        Behavior::SayAfterVideo(
            5,
            Status::new(Level::Warning, "NetStream.Quality.Low", "send more, secret-key-1"),
        )
    });
    let show = Show::start();
    let publisher = show.publish(target(&server));
    show.feed(0, 1_000);
    let mut warning = None;
    wait_for("the server's word", || {
        while let Ok(event) = publisher.events().try_recv() {
            if let Event::ServerStatus(status) = event
                && status.level == Level::Warning
            {
                warning = Some(status.description);
            }
        }
        warning.is_some()
    });
    assert_eq!(warning.as_deref(), Some("send more, ***"));

    let server = Server::start(|_| {
        Behavior::SayAfterVideo(
            5,
            Status::new(Level::Error, code::PUBLISH_REJECTED, "account closed"),
        )
    });
    let publisher = show.publish(target(&server));
    assert!(publisher.wait(LIMIT));
    let report = publisher.report();
    assert_eq!((report.state, report.stage), (State::Failed(Class::Refused), ConnectStage::Media));
    assert!(cause(&report).contains("account closed"));
}

#[test]
fn a_server_that_reads_and_answers_late_gets_the_whole_end_of_the_stream() {
    // An answer that comes after the publisher has closed its socket resets the connection, and the
    // data that the system has not delivered yet is lost.
    let status = Status::new(Level::Status, "NetStream.Publish.Idle", "late");
    let server = Server::start(move |_| Behavior::SlowThenSays(status.clone()));
    let mut show = Show::start_with_frames_of(5_000);
    let publisher = show.publish(target(&server));
    wait_for("publishing", || publisher.report().stage == ConnectStage::Media);
    show.feed(0, 800);
    show.end();
    // Longer than a server may take to close after it has received everything. Nothing shows that
    // the publisher is closing.
    std::thread::sleep(Duration::from_secs(1));
    assert_eq!(publisher.state(), State::Live);
    server.release();
    wait_for("the goodbye", || server.connection(0).unpublished);
    let got = server.connection(0);
    assert_eq!((got.video().len(), got.audio().len()), (20, 40));
    assert!(publisher.wait(LIMIT));
}

#[test]
fn a_stop_limits_the_wait_for_a_server_that_reads_nothing() {
    let server = Server::start(|_| Behavior::Slow);
    let mut show = Show::start_with_frames_of(5_000);
    let publisher = show.publish(target(&server));
    wait_for("publishing", || publisher.report().stage == ConnectStage::Media);
    show.feed(0, 800);
    show.end();
    assert!(!publisher.wait(Duration::from_millis(600)), "the server has not received the end");
    // A stop shortens an earlier request, and waits much less than the publisher does if nobody stops it.
    publisher.ask_to_stop(Duration::from_secs(8));
    assert!(!publisher.wait(Duration::from_millis(200)), "there is time");
    publisher.stop(Duration::from_secs(2));
    let is_stopped =
        |event| matches!(event, Event::Changed(report) if report.state == State::Stopped);
    let mut events = std::iter::from_fn(|| publisher.events().try_recv().ok());
    assert!(events.any(is_stopped), "the end was not reported");
}

/// Returns the number of frames that the server never gets.
fn missed(publisher: &Publisher) -> u64 {
    let figures = publisher.figures();
    figures.dropped_frames + figures.lost_frames
}

#[test]
fn a_slow_reader_loses_inter_frames_only() {
    let server = Server::start(|_| Behavior::Slow);
    let show = Show::start_with_frames_of(60_000);
    let publisher = show.publish(target(&server));
    show.feed(0, 40);
    wait_for("live", || publisher.state() == State::Live);
    // Far more than the sockets hold, and far faster than the server reads.
    show.feed(40, 8_040);
    // Frames that overflow while the server accepts nothing count as lost.
    wait_for("drops", || missed(&publisher) > 0);
    server.release();
    let last_audio = 8_020;
    // Audio overtakes the last keyframe.
    wait_for("the last sound and keyframe", || {
        let got = server.connection(0);
        got.audio().last() == Some(&last_audio) && got.video().contains(&8_000)
    });
    let got = server.connection(0);
    let audio = got.audio();
    assert!(audio.windows(2).all(|pair| pair[1] - pair[0] == 20), "sound is incomplete");
    let video = got.video();
    let keyframes: Vec<u32> = video.iter().copied().filter(|time| time % 2_000 == 0).collect();
    assert_eq!(keyframes, [0, 2_000, 4_000, 6_000, 8_000], "a keyframe is missing");
    assert!(
        video.windows(2).all(|pair| pair[1] % 2_000 == 0 || pair[1] - pair[0] == 40),
        "a picture came without the one it refers to: {video:?}"
    );
    publisher.stop(LIMIT);
    let figures = publisher.figures();
    assert_eq!(figures.total_frames - figures.dropped_frames, video.len() as u64);
}

#[test]
fn audio_that_is_dropped_from_a_full_backlog_is_counted() {
    let server = Server::start(|_| Behavior::Slow);
    let show = Show::start_with_frames_of(60_000);
    let publisher = show.publish(target(&server));
    show.feed(0, 40);
    wait_for("live", || publisher.state() == State::Live);
    assert_eq!(publisher.figures().dropped_audio, 0);
    show.feed(40, 30_040);
    wait_for("lost sound", || publisher.figures().dropped_audio > 0);
    server.release();
    let last_audio = 30_020;
    wait_for("the last sound", || server.connection(0).audio().last() == Some(&last_audio));
    publisher.stop(LIMIT);
    // Exactly the packets that did not arrive were counted.
    let came = server.connection(0).audio().len() as u64;
    assert_eq!(came + publisher.figures().dropped_audio, 30_040 / 20);
}

#[test]
fn audio_waits_for_no_keyframe_when_the_link_is_full() {
    let server = Server::start(|_| Behavior::Slow);
    server.release();
    let show = Show::start_with_frames_of(60_000);
    let publisher = show.publish(target(&server));
    show.feed(0, 40);
    wait_for("the first sounds", || server.connection(0).audio() == [0, 20]);
    let before = server.connection(0);
    server.hold();
    // Fifteen frames as large as keyframes, and the audio of that time.
    show.feed(40, 640);
    let sent = || publisher.figures().last_sent.map(|sent| sent.time_ms);
    wait_for("the last sound with the session", || sent() == Some(620));
    server.release();
    wait_for("the last sound", || server.connection(0).audio().last() == Some(&620));
    let got = server.connection(0);
    let since = got.messages.iter().zip(&got.places).skip(before.messages.len());
    let places: Vec<u64> = since.filter(|it| it.0.name() == "sound").map(|it| *it.1).collect();
    assert_eq!(places.len(), 30);
    // The part of the first frame that both operating systems buffer, which nothing can overtake.
    let held = places[0] - before.places.last().unwrap();
    assert!(held < 20_000, "{held} bytes before the first sound");
    // Twenty milliseconds at the stream's bitrate of 2.6 Mbit/s.
    let longest = places.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap();
    assert!(longest <= 6_500 + Server::READ as u64, "{longest} bytes between two sounds");
    publisher.stop(LIMIT);
}

#[test]
fn a_server_that_takes_nothing_any_more_is_dead() {
    let server = Server::start(|connection| match connection {
        0 => Behavior::Slow,
        _ => Behavior::Accept,
    });
    let show = Show::start_with_frames_of(60_000);
    let mut target = target(&server);
    target.options.net.dead_after = Duration::from_millis(700);
    let publisher = show.publish(target);
    let feeder = show.feed_live(0);
    wait_for("a second connection", || {
        publisher.retry_now();
        server.connections() >= 2 && publisher.state() == State::Live
    });
    // The gap counts from the moment when the server last accepted data, not from when onair
    // noticed.
    let gap = publisher.report().gap;
    assert!(gap >= Some(Duration::from_millis(700)), "{gap:?}");
    feeder.stop();
}

#[test]
fn a_server_that_stalls_for_a_while_is_reported_as_stalled_with_the_exact_backlog() {
    let server = Server::start(|_| Behavior::Slow);
    server.release();
    let show = Show::start_with_frames_of(20_000);
    let mut target = target(&server);
    target.options.net.dead_after = LIMIT * 4;
    let publisher = show.publish(target);
    let feeder = show.feed_live(0);
    wait_for("pictures", || server.connections() >= 1 && server.connection(0).video().len() > 25);
    let mut flows = Vec::new();
    let mut flow = |wanted| {
        wait_for(&format!("{wanted:?}"), || {
            while let Ok(event) = publisher.events().try_recv() {
                if let Event::Flow(flow) = event {
                    flows.push(flow);
                }
            }
            flows.last() == Some(&wanted)
        });
    };
    let held = std::time::Instant::now();
    server.hold();
    flow(Flow::Silent);
    let (silent, bound) = (publisher.figures().silent, held.elapsed() + Duration::from_secs(1));
    assert!(silent >= Duration::from_secs(1) && silent < bound, "{silent:?} of {bound:?}");
    server.release();
    let mut most = Duration::ZERO;
    let seen = server.connection(0).video().len();
    wait_for("more pictures", || {
        most = most.max(publisher.figures().queued);
        server.connection(0).video().len() > seen + 50
    });
    // The oldest queued frame is no older than the time since the server stopped reading, whatever
    // the pace afterwards.
    let bound = held.elapsed() + Duration::from_secs(1);
    assert!(most > Duration::from_millis(500) && most < bound, "{most:?} of {bound:?}");
    flow(Flow::Through);
    assert_eq!(publisher.state(), State::Live);
    assert_eq!(publisher.figures().reconnects, 0);
    feeder.stop();
}

#[test]
fn stop_ends_in_time_whatever_the_server_does() {
    crate::peers::in_real_time!(stop_ends_in_time_whatever_the_server_does);
    for behavior in [Behavior::Slow, Behavior::Silent, Behavior::Mute, Behavior::Hangup] {
        let label = format!("{behavior:?}");
        let server = Server::start(move |_| behavior.clone());
        let show = Show::start_with_frames_of(60_000);
        let publisher = show.publish(target(&server));
        wait_for("a connection", || server.connections() >= 1);
        show.feed(0, 4_000);
        let before = std::time::Instant::now();
        let report = publisher.stop(Duration::from_secs(3));
        assert!(before.elapsed() < Duration::from_secs(3), "{label}: {:?}", before.elapsed());
        assert_eq!(report.state, State::Stopped, "{label}");
    }
}

#[test]
fn one_target_in_trouble_does_not_touch_another() {
    let bad = Server::start(|_| Behavior::Slow);
    let good = Server::start(|_| Behavior::Accept);
    let show = Show::start_with_frames_of(60_000);
    let (troubled, fine) = (show.publish(target(&bad)), show.publish(target(&good)));
    show.feed(0, 40);
    wait_for("both live", || troubled.state() == State::Live && fine.state() == State::Live);
    for part in 0..12 {
        show.feed(40 + part * 480, 520 + part * 480);
        // The healthy server receives each part before the next part is fed, as in real time.
        let wanted = u32::try_from(480 + part * 480).unwrap();
        wait_for("pictures", || good.connection(0).video().last() >= Some(&wanted));
    }
    wait_for("drops", || missed(&troubled) > 0);
    assert_eq!(missed(&fine), 0);
}

#[test]
fn a_codec_that_the_server_says_it_does_not_take_is_not_sent() {
    let server = Server::start(|_| Behavior::Takes("av01"));
    let show = Show::start();
    let (publisher, _hub) = show.publish_hevc(target(&server));
    assert!(publisher.wait(LIMIT));
    let report = publisher.report();
    assert_eq!(report.state, State::Failed(Class::Refused));
    assert_eq!(report.stage, ConnectStage::Publish);
    assert!(cause(&report).contains("HEVC"), "{report:?}");
    assert!(advice(&report).contains("H.264"), "{report:?}");
    assert_eq!(server.connections(), 1, "tried again although waiting cannot help");
    assert_eq!(server.connection(0).messages, [], "media was sent");

    // A server that supports the codec receives the stream.
    let server = Server::start(|_| Behavior::Takes("hvc1"));
    let (publisher, _hub) = show.publish_hevc(target(&server));
    wait_for("pictures", || server.connection(0).messages.len() > 2);
    assert!(publisher.wait(LIMIT));
    assert_eq!(publisher.state(), State::Stopped);
}
