//! Tests of a publisher that is refused, reconnects, or stops while the server is behind.

use onair::broadcast::{Event, State};
use onair::net::{Cause, ConnectStage, Refusal};
use onair::wire::rtmp::status::{Level, Status, code};

use super::LIMIT;
use crate::odd_servers::{Behavior, Server, Show, target, wait_for};

#[test]
fn a_reconnect_that_is_refused_as_busy_meets_its_own_old_connection() {
    crate::peers::in_real_time!(a_reconnect_that_is_refused_as_busy_meets_its_own_old_connection);
    let busy = Status::new(Level::Error, code::PUBLISH_BAD_NAME, "Already publishing");
    let server = Server::start(move |connection| match connection {
        0 => Behavior::DieAfterVideo(40),
        1 => Behavior::RejectPublish(busy.clone()),
        _ => Behavior::Accept,
    });
    let show = Show::start();
    let publisher = show.publish(target(&server));
    wait_for("publishing", || publisher.report().stage == ConnectStage::Media);
    let feeder = show.feed_live(0);
    wait_for("a third connection", || {
        publisher.retry_now();
        server.connections() >= 3
    });
    feeder.stop();
    let events = std::iter::from_fn(|| publisher.events().try_recv().ok());
    let causes: Vec<_> = events
        .filter_map(|event| match event {
            Event::Changed(report) if report.retry_in.is_some() => report.error,
            _ => None,
        })
        .map(|error| error.cause)
        .collect();
    let is_busy = |cause: &Cause| matches!(cause, Cause::Status { refusal: Refusal::Busy, .. });
    let is_own = |cause: &Cause| matches!(cause, Cause::StillThere(inner) if is_busy(inner));
    assert!(causes.last().is_some_and(is_own), "{causes:?}");
}

#[test]
fn that_a_server_announces_no_codecs_is_reported_once() {
    let server =
        Server::start(|connection| Behavior::Old(if connection == 0 { 1 } else { usize::MAX }));
    let show = Show::start();
    let (publisher, _hub, _packets) = show.publish_open_hevc(target(&server));
    wait_for("the second connection", || {
        publisher.retry_now();
        !server.connection(1).messages.is_empty()
    });
    let events = std::iter::from_fn(|| publisher.events().try_recv().ok());
    let reported: Vec<_> = events
        .filter_map(|event| match event {
            Event::Unannounced(codecs) => Some(codecs),
            _ => None,
        })
        .collect();
    assert_eq!(reported, [["HEVC"]]);
}

#[test]
fn a_server_that_is_behind_at_a_stop_gets_the_goodbye_without_the_backlog() {
    let server = Server::start(|_| Behavior::Slow);
    let show = Show::start_with_frames_of(200_000);
    let publisher = show.publish(target(&server));
    wait_for("publishing", || publisher.report().stage == ConnectStage::Media);
    show.feed(0, 4_000);
    wait_for("a reading of the link", || publisher.figures().round_trip.is_some());
    publisher.ask_to_stop(LIMIT);
    // The backlog is dropped after a second. What follows is the goodbye.
    wait_for("the end of the backlog", || publisher.figures().round_trip.is_none());
    server.release();
    wait_for("the goodbye", || server.connection(0).unpublished);
    let received = server.connection(0).video().len();
    assert!(received < 100, "the whole backlog");
    assert!(publisher.wait(LIMIT));
    assert_eq!(publisher.state(), State::Stopped);
}
