//! Tests of attempts while the network changes.

use std::time::{Duration, Instant};

use onair::broadcast::{Event, State};
use onair::net::ConnectStage;

use super::LIMIT;
use crate::odd_servers::{Behavior, Server, Show, target, wait_for};

#[test]
fn an_attempt_that_waits_for_a_lost_network_begins_again_when_the_network_returns() {
    let server = Server::start(|connection| match connection {
        0 => Behavior::Silent,
        _ => Behavior::Accept,
    });
    let show = Show::start();
    let publisher = show.publish(target(&server));
    wait_for("the first attempt", || publisher.report().stage == ConnectStage::Handshake);
    publisher.network_returned();
    show.feed(0, 400);
    wait_for("live", || publisher.state() == State::Live);
    let events = std::iter::from_fn(|| publisher.events().try_recv().ok());
    let failed = |event: &Event| matches!(event, Event::Changed(report) if report.error.is_some());
    assert_eq!(events.filter(failed).count(), 0, "the attempt was not abandoned");
}

#[test]
fn the_return_of_the_network_ends_a_long_wait_at_once() {
    let server = Server::start(|_| Behavior::HangupAtPublish);
    let show = Show::start();
    let publisher = show.publish(target(&server));
    // Each wait after a refusal is longer than the one before.
    let mut long = None;
    wait_for("a long wait", || {
        long = publisher.report().retry_in.filter(|wait| *wait > Duration::from_secs(5));
        if long.is_none() {
            publisher.retry_now();
        }
        long.is_some()
    });
    let (connections, since) = (server.connections(), Instant::now());
    publisher.network_returned();
    wait_for("another attempt", || server.connections() > connections);
    assert!(Some(since.elapsed()) < long, "{:?} of {long:?}", since.elapsed());
}

#[test]
fn a_network_that_changes_all_the_time_does_not_prevent_a_connection() {
    let server = Server::start(|_| Behavior::Accept);
    let show = Show::start();
    let publisher = show.publish(target(&server));
    show.feed(0, 400);
    let began = std::time::Instant::now();
    // A pause would give each attempt enough time.
    while publisher.state() != State::Live {
        assert!(began.elapsed() < LIMIT, "every attempt was abandoned");
        publisher.network_returned();
    }
}
