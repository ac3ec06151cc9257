//! Reads the chat of a streaming service from a server of the test that answers as Twitch documents
//! it: login without an account, tags, pings, deletions, and a new connection after the server ends
//! one.

use std::net::{TcpListener, TcpStream};
use std::thread;

use crate::peers::{LIMIT, Onair};
use serde_json::Value;
use tokio_tungstenite::tungstenite::{Message, WebSocket, accept};

type Socket = WebSocket<TcpStream>;

/// Returns the next text of the client.
fn next(socket: &mut Socket) -> String {
    loop {
        match socket.read().unwrap() {
            Message::Text(text) => return text.as_str().to_owned(),
            _ => continue,
        }
    }
}

fn say(socket: &mut Socket, text: &str) {
    socket.send(Message::text(text)).unwrap();
}

/// Accepts a client, checks its login, and lets it join the channel.
fn join(listener: &TcpListener) -> Socket {
    let (stream, _) = listener.accept().unwrap();
    stream.set_read_timeout(Some(LIMIT)).unwrap();
    let mut socket = accept(stream).unwrap();
    let login = next(&mut socket);
    assert!(login.contains("NICK justinfan") && login.contains("JOIN #show\r\n"), "{login}");
    assert!(!login.contains("PASS"), "{login}");
    say(&mut socket, ":tmi.twitch.tv 001 justinfan1 :Welcome, GLHF!\r\n");
    say(&mut socket, "@emote-only=0;room-id=12 :tmi.twitch.tv ROOMSTATE #show\r\n");
    socket
}

fn is_chat(event: &Value, field: &str, value: &str) -> bool {
    event["event"] == "chat" && event[field] == value
}

#[test]
fn messages_of_twitch_are_printed_and_a_lost_connection_comes_back() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("twitch:Show@ws://{}/", listener.local_addr().unwrap());
    let server = thread::spawn(move || {
        let mut first = join(&listener);
        say(
            &mut first,
            "@badges=broadcaster/1;display-name=Ann;id=1;user-id=7 :ann!a@a PRIVMSG #show :Kappa hi\r\n\
             @badges=;display-name=小明;id=2;user-id=8 :ming!a@a PRIVMSG #show :加油\r\n",
        );
        say(&mut first, "PING :tmi.twitch.tv\r\n");
        assert_eq!(next(&mut first), "PONG :tmi.twitch.tv\r\n");
        // The server goes without a word.
        drop(first);
        let mut second = join(&listener);
        say(&mut second, "@display-name=Bob;id=3 :bob!b@b PRIVMSG #show :back again\r\n");
        second
    });
    let mut live = Onair::start(&[
        "live",
        "--built-in",
        "--video",
        "test",
        "--audio",
        "tone",
        "--size",
        "320x180",
        "--chat",
        &address,
    ]);
    let mut wait = |what: &str, is: &dyn Fn(&Value) -> bool| live.wait_event(what, is);
    let open = wait("the open chat", &|it| is_chat(it, "state", "open"));
    assert_eq!((&open["service"], &open["channel"]), (&"twitch".into(), &"show".into()));
    let ann = wait("a message", &|it| is_chat(it, "name", "Ann"));
    assert_eq!((&ann["text"], &ann["role"]), (&"Kappa hi".into(), &"streamer".into()));
    let ming = wait("a message in Chinese", &|it| is_chat(it, "name", "小明"));
    assert_eq!((&ming["text"], &ming["role"]), (&"加油".into(), &Value::Null));
    wait("the lost chat", &|it| is_chat(it, "state", "lost"));
    let bob = wait("a message after the reconnection", &|it| is_chat(it, "name", "Bob"));
    assert_eq!(bob["text"], "back again");
    let _socket = server.join().unwrap();
    assert!(live.stop(LIMIT).success());
}

#[test]
fn a_channel_that_the_service_refuses_is_not_asked_again() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("twitch:show@ws://{}/", listener.local_addr().unwrap());
    let server = thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        let mut socket = accept(stream).unwrap();
        next(&mut socket);
        say(
            &mut socket,
            "@msg-id=msg_channel_suspended :tmi.twitch.tv NOTICE #show :This channel is suspended.\r\n",
        );
        // The client leaves.
        while socket.read().is_ok() {}
    });
    let mut live = Onair::start(&[
        "live",
        "--built-in",
        "--video",
        "test",
        "--audio",
        "tone",
        "--size",
        "320x180",
        "--chat",
        &address,
    ]);
    let refused = live.wait_event("the refusal", |it| is_chat(it, "state", "refused"));
    let cause = refused["cause"].as_str().unwrap();
    assert!(cause.contains("This channel is suspended."), "{cause}");
    server.join().unwrap();
    // A broadcast that ends before it began is a failure.
    live.wait_event("the broadcast", |it| it["event"] == "target" && it["state"] == "live");
    assert!(live.stop(LIMIT).success());
}
