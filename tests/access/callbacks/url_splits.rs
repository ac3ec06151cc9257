//! Tests of clients that split one URL in different ways into application and stream. The callbacks
//! decide about the application that the client gets.

use std::io::{Read, Write};
use std::net::TcpStream;

use onair::base::Secret;
use onair::media::BitsPerSecond;
use onair::wire::amf0::Value;
use onair::wire::rtmp::chunk::Writer;
use onair::wire::rtmp::message::chunk_stream;
use onair::wire::rtmp::{Kind, Message, Time, Url, command, handshake};

use super::{Posted, Receiver, ok, rules};
use crate::access::{ClientConfig, Serve};
use crate::peers::LIMIT;

/// Publishes with this application, `tcUrl` and stream name, and waits until the server closes the
/// connection.
fn publish(server: &str, (app, tc_url, name): (&str, &str, &str)) {
    let mut socket = TcpStream::connect(server).unwrap();
    socket.set_read_timeout(Some(LIMIT)).unwrap();
    let (_, hello) = handshake::Client::new(7);
    socket.write_all(&hello).unwrap();
    let mut answer = [0; 1 + 2 * 1_536];
    socket.read_exact(&mut answer).unwrap();
    // C2 repeats S1.
    let mut bytes = answer[1..1_537].to_vec();
    let object = Value::object([("app", app.into()), ("tcUrl", tc_url.into())]);
    let arguments: [Value; 2] = [name.into(), "live".into()];
    let mut writer = Writer::new();
    for body in [
        command::command("connect", 1.0, &object, &[]),
        command::command("publish", 2.0, &Value::Null, &arguments),
    ] {
        let (chunk_stream, kind, time) = (chunk_stream::COMMAND, Kind::COMMAND, Time(0));
        writer.write(&Message { chunk_stream, kind, stream: 0, time, body }, &mut bytes);
    }
    socket.write_all(&bytes).unwrap();
    let _ = socket.read_to_end(&mut Vec::new());
}

#[test]
fn every_split_of_a_url_asks_whether_the_client_may_connect() {
    let receiver = Receiver::start(|posted| match posted.field("call").as_str() {
        "connect" => ("403 Forbidden".to_owned(), String::new()),
        _ => ok(),
    });
    let serve = Serve::start(&rules("live", receiver.port, "", ""));
    let server = serve.rtmp.trim_start_matches("rtmp://").trim_end_matches('/');
    let splits = [
        ("live", "rtmp://h/live", "show"),
        ("live/_definst_", "rtmp://h/live/_definst_", "show"),
        ("live/show", "rtmp://h/live/show", ""),
        ("", "rtmp://h/live", "show"),
        ("", "rtmp://h/live/show", ""),
    ];
    for split in splits {
        publish(server, split);
    }
    let app = |posted: &Posted| posted.field("app");
    let asked: Vec<_> = receiver.at("/on_connect").iter().map(app).collect();
    assert_eq!(asked, ["live"; 5]);
    assert!(receiver.at("/on_publish").is_empty() && serve.named("publish").is_empty());
}

#[test]
fn a_callback_also_changes_an_application_that_the_client_names_with_its_stream() {
    let receiver = Receiver::start(|posted| match posted.field("call").as_str() {
        "connect" => ("302 Found\r\nLocation: new".to_owned(), String::new()),
        _ => ok(),
    });
    let mut serve = Serve::start(&rules("old", receiver.port, "", ""));
    let publish = |url: Url| {
        let url = Url { app: "old/show".to_owned(), stream: Secret::default(), ..url };
        ClientConfig::publish(url, BitsPerSecond(1_000_000))
    };
    assert_eq!(serve.refusal(publish, "old/show"), "");
    serve.onair.wait_event("the publisher", |it| {
        it["event"] == "publish" && it["app"] == "new" && it["stream"] == "show"
    });
}
