//! Tests of what clients learn when the server drains or closes their connections.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

use onair::base::Clock;
use onair::media::BitsPerSecond;
use onair::wire::rtmp::client::{Config, Event, Output, Session};
use onair::wire::rtmp::url::Url;

use tokio_tungstenite::tungstenite::{self, Message, WebSocket};

use super::{LIMIT, headers, start_with, wait_for, web};

/// Opens a WebSocket.
fn open(at: SocketAddr, path: &str) -> WebSocket<TcpStream> {
    let stream = TcpStream::connect(at).unwrap();
    stream.set_read_timeout(Some(LIMIT)).unwrap();
    tungstenite::client(format!("ws://{at}{path}"), stream).unwrap().0
}

/// Reads until the server closes the WebSocket, and returns the code and the reason.
fn end(socket: &mut WebSocket<TcpStream>) -> (u16, String) {
    loop {
        if let Message::Close(frame) = socket.read().unwrap() {
            let frame = frame.expect("a close frame with a code");
            return (frame.code.into(), frame.reason.to_string());
        }
    }
}

#[test]
fn websockets_learn_where_their_stream_is_now() {
    let next = "http://127.0.0.1:9";
    let running = start_with(|config| config.http_successor = Some(next.parse().unwrap()));
    let mut publisher = running.publish("live/show");
    headers().iter().for_each(|tag| publisher.send(tag));
    let http = running.http();
    let mut player = open(http, "/live/show.flv?key=k3y");
    let mut talker = open(http, "/live/show/chat");
    wait_for("the viewer", LIMIT, || running.viewers() == 1);
    running.server.drain();
    drop(publisher);
    assert_eq!(end(&mut player), (1012, "ws://127.0.0.1:9/live/show.flv".to_owned()));
    assert_eq!(end(&mut talker), (1012, "ws://127.0.0.1:9/live/show/chat".to_owned()));
    let answer = web::ask(http, "GET", "/live/show/chat");
    assert!(answer.contains(" 307 ") && answer.contains(&format!("{next}/live/show/chat")));
}

#[test]
fn websockets_learn_why_they_end() {
    let running = start_with(|_| ());
    let mut publisher = running.publish("live/show");
    headers().iter().for_each(|tag| publisher.send(tag));
    let http = running.http();
    let mut expelled = [open(http, "/live/show.flv"), open(http, "/live/show/chat")];
    wait_for("the viewer", LIMIT, || running.viewers() == 1);
    running.server.expel_viewers();
    for socket in &mut expelled {
        assert_eq!(end(socket), (1008, "the play key has changed".to_owned()));
    }
    let mut player = open(http, "/live/show.flv");
    let mut talker = open(http, "/live/show/chat");
    wait_for("the viewer", LIMIT, || running.viewers() == 1);
    drop(publisher);
    assert_eq!(end(&mut player), (1000, String::new()), "the publisher has gone");
    std::thread::scope(|scope| {
        let end = scope.spawn(|| end(&mut talker));
        drop(running);
        assert_eq!(end.join().unwrap(), (1001, "The server stops.".to_owned()));
    });
}

/// Sends the waiting bytes of the client, and returns its events.
fn sent(client: &mut Session, socket: &mut TcpStream) -> Vec<Event> {
    let mut events = Vec::new();
    loop {
        match client.poll_output() {
            Output::Transmit(bytes) => socket.write_all(&bytes).unwrap(),
            Output::Event(event) => events.push(event),
            _ => return events,
        }
    }
}

#[test]
fn a_client_that_is_about_to_publish_is_asked_to_reconnect_too() {
    let running = start_with(|_| ());
    let (clock, mut socket) = (Clock::start(), TcpStream::connect(running.rtmp()).unwrap());
    socket.set_read_timeout(Some(LIMIT)).unwrap();
    let url = Url::parse(&format!("rtmp://{}/live/show", running.rtmp())).unwrap();
    let config = Config::publish(url, BitsPerSecond(1_000_000));
    let mut client = Session::new(config, clock.now(), 1);
    sent(&mut client, &mut socket);
    // The server's half of the handshake, and then its reply to connect.
    let mut handshake = [0; 1 + 2 * 1_536];
    socket.read_exact(&mut handshake).unwrap();
    client.handle_input(clock.now(), &handshake).unwrap();
    sent(&mut client, &mut socket);
    let mut reply = [0; 4_096];
    let mut length = socket.read(&mut reply).unwrap();
    running.server.drain();
    loop {
        assert!(length > 0, "the server closed the connection");
        client.handle_input(clock.now(), &reply[..length]).unwrap();
        let events = sent(&mut client, &mut socket);
        if events.iter().any(|event| matches!(event, Event::ReconnectRequest { .. })) {
            return;
        }
        length = socket.read(&mut reply).unwrap();
    }
}
