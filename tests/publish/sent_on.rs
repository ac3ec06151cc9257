//! Tests of servers that redirect the publisher, during connecting or while it is on the air.

use std::time::Duration;

use onair::broadcast::{Event, State};
use onair::wire::rtmp::status::{Level, Status};
use onair::wire::rtmp::url::Url;

use super::LIMIT;
use crate::odd_servers::{Behavior, Server, Show, target, two_that_name_each_other, wait_for};

#[test]
fn a_server_may_send_us_elsewhere() {
    let second = Server::start(|_| Behavior::Accept);
    let there = second.app_url();
    let first = Server::start(move |_| Behavior::SendElsewhere(there.clone()));
    let show = Show::start();
    let publisher = show.publish(target(&first));
    let feeder = show.feed_live(0);
    wait_for("pictures at the other server", || {
        second.connections() >= 1 && second.connection(0).video().len() > 5
    });
    feeder.stop();
    assert_eq!(publisher.state(), State::Live);
    assert!(first.connection(0).unpublished);
}

#[test]
fn asked_to_reconnect_without_an_address_we_reconnect_to_the_same() {
    let server = Server::start(|index| match index {
        0 => Behavior::SendBack,
        _ => Behavior::Accept,
    });
    let show = Show::start();
    let publisher = show.publish(target(&server));
    let feeder = show.feed_live(0);
    wait_for("pictures in the second connection", || {
        server.connections() >= 2 && server.connection(1).video().len() > 5
    });
    feeder.stop();
    assert_eq!(publisher.state(), State::Live);
    assert_eq!(server.connections(), 2);
    let (first, second) = (server.connection(0), server.connection(1));
    assert!(first.unpublished);
    assert_eq!((&second.tc_url, second.head()), (&first.tc_url, first.head()));
    // The times continue, and no frame arrives twice.
    let (first, second) = (first.video(), second.video());
    assert!(first.last() < second.first(), "{first:?} {second:?}");
}

#[test]
fn asked_to_connect_to_a_relative_address_we_find_it() {
    let server = Server::start(|index| match index {
        0 => Behavior::SendElsewhere("/other/place".into()),
        _ => Behavior::Accept,
    });
    let show = Show::start();
    let _publisher = show.publish(target(&server));
    let feeder = show.feed_live(0);
    wait_for("pictures in the second connection", || {
        server.connections() >= 2 && server.connection(1).video().len() > 5
    });
    feeder.stop();
    let there = server.app_url().replace("/live", "/other/place");
    assert_eq!(server.connection(1).tc_url, there);
}

#[test]
fn asked_to_connect_to_a_missing_server_a_live_stream_reconnects() {
    let server = Server::start(|index| match index {
        0 => Behavior::SendElsewhere("rtmp://127.0.0.1:1/live".into()),
        _ => Behavior::Accept,
    });
    let show = Show::start();
    let publisher = show.publish(target(&server));
    let feeder = show.feed_live(0);
    wait_for("pictures in the second connection", || {
        publisher.retry_now();
        server.connections() >= 2 && server.connection(1).video().len() > 5
    });
    feeder.stop();
    let events = std::iter::from_fn(|| publisher.events().try_recv().ok());
    let waits: Vec<_> = events
        .filter_map(|event| match event {
            Event::Changed(report) => report.retry_in.map(|_| report.state),
            _ => None,
        })
        .collect();
    assert_eq!(waits, [State::Reconnecting]);
}

#[test]
fn asked_to_connect_where_a_stream_cannot_go_we_stay() {
    for there in ["http://127.0.0.1/live", "rtmps://", "rtmp://"] {
        let server = Server::start(move |_| Behavior::SendElsewhere(there.to_owned()));
        let show = Show::start();
        let publisher = show.publish(target(&server));
        let feeder = show.feed_live(0);
        wait_for("more pictures", || server.connection(0).video().len() > 20);
        feeder.stop();
        assert_eq!((publisher.state(), server.connections()), (State::Live, 1), "{there}");
    }
}

#[test]
fn being_asked_from_server_to_server_ends() {
    between_two_that_name_each_other(Behavior::SendElsewhere, "redirects too many times", 2);
}

#[test]
fn a_password_goes_to_no_other_host_that_a_server_names() {
    // A client that knows a password reconnects after this answer, with a user name.
    let needs = || {
        let text = "[ AccessManager.Reject ] : [ code=403 need auth; authmod=adobe ] : ";
        Behavior::RejectConnect(Status::new(Level::Error, "NetConnection.Connect.Rejected", text))
    };
    for (host, has_user) in [("localhost", false), ("127.0.0.1", true)] {
        let second = Server::start(move |_| needs());
        let there = second.app_url().replace("127.0.0.1", host);
        let first = Server::start(move |index| match index {
            0 => Behavior::SendElsewhere(there.clone()),
            _ => Behavior::RejectPublish(Status::new(
                Level::Error,
                "NetStream.Publish.Denied",
                "no more",
            )),
        });
        let show = Show::start();
        let mut target = target(&first);
        let url = first.app_url().replace("rtmp://", "rtmp://me:Pl4nted@");
        target.url = Url::with_key(&url, "secret-key-1").unwrap().into();
        target.retry_for = Some(Duration::ZERO);
        let publisher = show.publish(target);
        let _feeder = show.feed_live(0);
        assert!(publisher.wait(LIMIT));
        let urls: Vec<_> =
            (0..second.connections()).map(|at| second.connection(at).tc_url).collect();
        assert!(!urls.is_empty());
        assert_eq!(urls.iter().any(|url| url.contains("user=me")), has_user, "{host}: {urls:?}");
        assert!(!urls.iter().any(|url| url.contains("Pl4nted")), "{urls:?}");
    }
}

#[test]
fn a_server_may_send_us_on_while_we_connect() {
    let last = Server::start(|_| Behavior::Accept);
    let there = last.app_url();
    let middle = Server::start(move |_| Behavior::Redirect(there.clone()));
    let there = middle.app_url();
    let first = Server::start(move |_| Behavior::Redirect(there.clone()));
    let show = Show::start();
    let publisher = show.publish(target(&first));
    let feeder = show.feed_live(0);
    wait_for("pictures at the last server", || {
        last.connections() >= 1 && last.connection(0).video().len() > 5
    });
    feeder.stop();
    assert_eq!(publisher.state(), State::Live);
    assert_eq!(last.connection(0).tc_url, last.app_url());
    assert_eq!((first.connections(), middle.connections()), (1, 1));
    // The events report both redirects.
    let redirects = std::iter::from_fn(|| publisher.events().try_recv().ok());
    let on = |event: &Event| matches!(event, Event::Redirected(_));
    let redirects: Vec<_> = redirects.filter(on).collect();
    assert_eq!(redirects.len(), 2, "{redirects:?}");
}

#[test]
fn being_sent_in_a_circle_ends() {
    between_two_that_name_each_other(Behavior::Redirect, "loop", 1);
}

/// Publishes to a server that redirects to a second server, which redirects back. The publisher
/// must fail with this cause, after this many connections to each server.
fn between_two_that_name_each_other(
    answer: impl Fn(String) -> Behavior + Copy + Send + 'static,
    cause: &str,
    connections: usize,
) {
    let [first, second] = two_that_name_each_other(answer);
    let show = Show::start();
    let mut target = target(&first);
    target.retry_for = Some(Duration::ZERO);
    let publisher = show.publish(target);
    let _feeder = show.feed_live(0);
    assert!(publisher.wait(LIMIT));
    let report = publisher.report();
    assert!(super::cause(&report).contains(cause), "{report:?}");
    assert_eq!((first.connections(), second.connections()), (connections, connections));
}

#[test]
fn being_sent_to_what_is_no_server_is_named() {
    for there in ["http://127.0.0.1/live", "rtmps://", "", "rtmp://127.0.0.1:1/"] {
        let first = Server::start(move |_| Behavior::Redirect(there.to_owned()));
        let show = Show::start();
        let mut target = target(&first);
        target.retry_for = Some(Duration::ZERO);
        let publisher = show.publish(target);
        let _feeder = show.feed_live(0);
        assert!(publisher.wait(LIMIT));
        assert!(matches!(publisher.state(), State::Failed(_)), "{:?}", publisher.report());
        assert!(super::cause(&publisher.report()).contains("redirects"), "{there}");
    }
}
