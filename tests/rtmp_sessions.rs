//! Tests of the RTMP client session and server session. They are connected in memory, with the data
//! whole and split at any byte. Each session is also tested with transcripts of real peers.
//!
//! Long because each transcript is next to the results that it must give.

use std::time::Duration;

use bytes::Bytes;
use onair::base::Timestamp;
use onair::media::BitsPerSecond;
use onair::wire::amf0::Value;
use onair::wire::rtmp::chunk::{Reader, Writer, standalone};
use onair::wire::rtmp::client::{self, ClientStage};
use onair::wire::rtmp::command::{self, Command, Enhanced};
use onair::wire::rtmp::message::{Control, UserControl, chunk_stream};
use onair::wire::rtmp::status::{Level, Refusal, Status, code};
use onair::wire::rtmp::{Kind, Message, Time, Url, server};
use proptest::prelude::*;

const NOW: Timestamp = Timestamp::ZERO;

fn url() -> Url {
    Url::parse("rtmp://localhost/live/secret-key?token=abcd").unwrap()
}

fn publish() -> client::Session {
    client::Session::new(client::Config::publish(url(), BitsPerSecond(2_500_000)), NOW, 1)
}

fn play() -> client::Session {
    client::Session::new(client::Config::play(url()), NOW, 2)
}

fn serve() -> server::Session {
    server::Session::new(server::Config::default(), NOW, 3)
}

/// Both ends, the bytes in transit between them, and the events of each.
struct Pair {
    client: client::Session,
    server: server::Session,
    cut: usize,
    client_events: Vec<client::Event>,
    server_events: Vec<server::Event>,
}

impl Pair {
    fn new(client: client::Session, cut: usize) -> Self {
        Self { client, server: serve(), cut, client_events: vec![], server_events: vec![] }
    }

    /// Runs until neither end has anything to send; the server accepts every request.
    fn run(&mut self) -> Result<(), client::Error> {
        loop {
            let mut busy = false;
            loop {
                match self.client.poll_output() {
                    client::Output::Transmit(bytes) => {
                        for part in bytes.chunks(self.cut) {
                            self.server.handle_input(NOW, part).unwrap();
                        }
                    }
                    client::Output::Event(event) => self.client_events.push(event),
                    _ => break,
                }
                busy = true;
            }
            loop {
                match self.server.poll_output() {
                    server::Output::Transmit(bytes) => {
                        for part in bytes.chunks(self.cut) {
                            self.client.handle_input(NOW, part)?;
                        }
                    }
                    server::Output::Event(event) => {
                        match event {
                            server::Event::ConnectRequested(_) => self.server.accept_connect(),
                            server::Event::PublishRequested { .. } => self.server.accept_publish(),
                            server::Event::PlayRequested { .. } => self.server.accept_play(),
                            _ => Ok(()),
                        }
                        .unwrap();
                        self.server_events.push(event);
                    }
                    _ => break,
                }
                busy = true;
            }
            if !busy {
                return Ok(());
            }
        }
    }

    /// Sends a message to the player, in the form that all players of a stream share.
    fn send_to_player(&mut self, (chunk_stream, kind): (u32, Kind), time_ms: u32, body: Bytes) {
        let (stream, time) = (self.server.message_stream(), Time(time_ms));
        let message = Message { chunk_stream, kind, stream, time, body };
        for part in standalone(&message, server::Config::default().chunk_size).chunks(self.cut) {
            self.client.handle_input(NOW, part).unwrap();
        }
    }
}

fn body(seed: u8, length: usize) -> Bytes {
    (0..length).map(|at| (at as u8).wrapping_mul(31) ^ seed).collect()
}

fn publish_and_check(cut: usize, sizes: &[usize]) {
    let mut pair = Pair::new(publish(), cut);
    pair.run().unwrap();
    assert!(pair.client_events.contains(&client::Event::PublishStarted));
    let metadata = Value::ecma_array([("width", 1_280_u32.into())]);
    assert!(pair.client.send_metadata(metadata.clone()));
    for (at, size) in sizes.iter().enumerate() {
        let time_ms = at as u32 * 20;
        pair.client.send_video(time_ms, body(1, *size + 1));
        pair.client.send_audio(time_ms, body(2, size / 4 + 1));
        if at == sizes.len() / 2 {
            pair.client.set_link_rate(BitsPerSecond(300_000));
        }
    }
    pair.client.close();
    assert!(!pair.client.send_audio(0, body(0, 1)), "nothing after close");
    pair.run().unwrap();
    let finished = |event: &&client::Event| **event == client::Event::Finished;
    assert_eq!(pair.client_events.iter().filter(finished).count(), 1);
    let events = &pair.server_events;
    let server::Event::PublishRequested { name, kind } = &events[1] else { panic!("{events:?}") };
    assert_eq!((name.path().as_str(), name.query.as_str()), ("live/secret-key", "token=abcd"));
    assert_eq!(kind, "live");
    let server::Event::Metadata { value, body: script, .. } = &events[2] else { panic!() };
    assert_eq!(value, &metadata);
    assert_eq!(script[..3], [2, 0, 10], "the body begins with onMetaData");
    let of = |wanted: fn(&server::Event) -> Option<(u32, Bytes)>| -> Vec<_> {
        events.iter().filter_map(wanted).collect()
    };
    let videos = of(|event| match event {
        server::Event::Video { time_ms, body } => Some((*time_ms, body.clone())),
        _ => None,
    });
    let audios = of(|event| match event {
        server::Event::Audio { time_ms, body } => Some((*time_ms, body.clone())),
        _ => None,
    });
    let expected = |seed, size: fn(usize) -> usize| -> Vec<_> {
        let bodies = sizes.iter().map(|length| body(seed, size(*length)));
        bodies.enumerate().map(|(at, body)| (at as u32 * 20, body)).collect()
    };
    assert_eq!(videos, expected(1, |size| size + 1));
    assert_eq!(audios, expected(2, |size| size / 4 + 1));
    assert_eq!(events.last(), Some(&server::Event::Unpublished));
}

#[test]
fn a_publication_runs_from_handshake_to_goodbye_at_any_cut() {
    for cut in [1, 2, 7, 1_536, usize::MAX] {
        publish_and_check(cut, &[0, 5, 40_000, 300, 9_000]);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_publication_arrives_at_any_cut(
        cut in 1_usize..5_000,
        sizes in prop::collection::vec(prop_oneof![0_usize..500, 0_usize..30_000], 1..12),
    ) {
        publish_and_check(cut, &sizes);
    }
}

#[test]
fn a_player_gets_media_and_the_end() {
    for cut in [1, 3, usize::MAX] {
        let mut pair = Pair::new(play(), cut);
        pair.run().unwrap();
        assert!(pair.client_events.contains(&client::Event::PlayStarted));
        let started = |event: &server::Event| match event {
            server::Event::PlayRequested { name, start, .. } => Some((name.path(), *start)),
            _ => None,
        };
        let requests: Vec<_> = pair.server_events.iter().filter_map(started).collect();
        assert_eq!(requests, [("live/secret-key".to_owned(), -2_000.0)]);
        assert!(pair.server_events.contains(&server::Event::BufferLength { millis: 300 }));
        let metadata = Value::object([("height", 720_u32.into())]);
        let metadata = command::data(&["onMetaData".into(), metadata]);
        pair.send_to_player((chunk_stream::SHARED_DATA, Kind::DATA), 0, metadata);
        pair.send_to_player((chunk_stream::VIDEO, Kind::VIDEO), 0x0123_4567, body(9, 200_000));
        pair.run().unwrap();
        pair.server.end_play();
        pair.run().unwrap();
        let has = |event| pair.client_events.contains(&event);
        assert!(has(client::Event::Video { time_ms: 0x0123_4567, body: body(9, 200_000) }));
        assert!(has(client::Event::StreamEof));
        assert!(has(client::Event::Unpublished));
        let metadata = pair.client_events.iter().find_map(|event| match event {
            client::Event::Metadata { value, .. } => value.get_number("height"),
            _ => None,
        });
        assert_eq!(metadata, Some(720.0));
        pair.client.close();
        pair.run().unwrap();
        assert_eq!(pair.server_events.last(), Some(&server::Event::PlayStopped));
        assert_eq!(pair.client_events.last(), Some(&client::Event::Finished));
    }
}

#[test]
fn acknowledgements_and_pings_are_exchanged() {
    let mut pair = Pair::new(publish(), usize::MAX);
    pair.run().unwrap();
    for at in 0..40 {
        pair.client.send_video(at * 40, body(1, 100_000));
    }
    pair.server.ping(77);
    pair.run().unwrap();
    let acknowledged = pair
        .client_events
        .iter()
        .any(|event| matches!(event, client::Event::Acknowledged { bytes } if *bytes > 1_000_000));
    assert!(acknowledged);
    assert!(pair.server_events.contains(&server::Event::Pong { time_ms: 77 }));
    pair.server.request_reconnect(Some("rtmp://b/live"), "moving");
    pair.run().unwrap();
    let request = client::Event::ReconnectRequest {
        tc_url: Some("rtmp://b/live".into()),
        description: "moving".into(),
    };
    assert!(pair.client_events.contains(&request));
}

#[test]
fn capabilities_are_exchanged_with_those_who_speak_of_them() {
    let mut pair = Pair::new(publish(), usize::MAX);
    pair.run().unwrap();
    let server::Event::ConnectRequested(connect) = &pair.server_events[0] else { panic!() };
    assert_eq!(connect.enhanced, Enhanced::publishes());
    let connected = pair.client_events.iter().find_map(|event| match event {
        client::Event::Connected { enhanced, .. } => Some(enhanced.clone()),
        _ => None,
    });
    assert_eq!(connected, Some(Enhanced::forwards_all()));
}

#[test]
fn silence_is_noticed_in_each_stage() {
    let mut client = publish();
    while let client::Output::Transmit(_) = client.poll_output() {}
    let at = |millis| Timestamp::from_millis(millis);
    assert_eq!(client.poll_output(), client::Output::Timeout(at(5_000)));
    assert_eq!(client.handle_timeout(at(4_999)), Ok(()));
    let error = client.handle_timeout(at(5_000));
    let after = Duration::from_secs(5);
    assert_eq!(error, Err(client::Error::Timeout { stage: ClientStage::Handshake, after }));
    assert_eq!(client.handle_input(at(5_001), &[3]), Err(client::Error::Over));

    let mut client = publish();
    client.handle_input(at(100), &[3; 1 + 2 * 1_536]).unwrap();
    let error = client.handle_timeout(at(10_100));
    let after = Duration::from_secs(10);
    assert_eq!(error, Err(client::Error::Timeout { stage: ClientStage::Connect, after }));

    let mut server = serve();
    assert_eq!(server.handle_timeout(at(5_000)), Err(server::Error::HandshakeTimeout));
    let mut server = serve();
    server.handle_input(at(1_000), &[3; 1 + 2 * 1_536]).unwrap();
    while let server::Output::Transmit(_) = server.poll_output() {}
    assert_eq!(server.poll_output(), server::Output::Timeout(at(11_000)));
    assert_eq!(server.handle_timeout(at(11_000)), Err(server::Error::CommandTimeout));
}

#[test]
fn a_server_that_speaks_another_protocol_is_recognized() {
    let error = publish().handle_input(NOW, b"HTTP/1.1 400 Bad Request\r\n").unwrap_err();
    assert!(error.to_string().contains("does not speak RTMP"), "{error}");
}

/// A scripted server: it ignores what the client sends, and replies as the test says.
struct Script {
    client: client::Session,
    writer: Writer,
}

impl Script {
    fn new(mut client: client::Session) -> Self {
        client.handle_input(NOW, &[3; 1 + 2 * 1_536]).unwrap();
        Self { client, writer: Writer::new() }
    }

    fn message(&mut self, message: &Message) -> Result<(), client::Error> {
        let mut bytes = Vec::new();
        self.writer.write(message, &mut bytes);
        self.client.handle_input(NOW, &bytes)
    }

    fn say(&mut self, name: &str, number: f64, arguments: &[Value]) -> Result<(), client::Error> {
        let body = command::command(name, number, &Value::Null, arguments);
        self.message(&Message {
            chunk_stream: 3,
            kind: Kind::COMMAND,
            stream: 0,
            time: Time(0),
            body,
        })
    }

    fn status(&mut self, level: Level, code: &str, text: &str) -> Result<(), client::Error> {
        self.say("onStatus", 0.0, &[Status::new(level, code, text).to_value()])
    }

    fn connected(client: client::Session) -> Self {
        let mut script = Self::new(client);
        let success = Status::new(Level::Status, code::CONNECT_SUCCESS, "").to_value();
        script.say("_result", 1.0, &[success]).unwrap();
        script
    }

    fn created(client: client::Session) -> Self {
        let mut script = Self::connected(client);
        // a stream ID other than 1, and unrequested messages in between
        script.say("onBWDone", 0.0, &[]).unwrap();
        script.say("onFCPublish", 0.0, &[]).unwrap();
        script.say("_error", 2.0, &[]).unwrap();
        script.say("_result", 4.0, &[7_u32.into()]).unwrap();
        script
    }

    fn events(&mut self) -> Vec<client::Event> {
        self.drain().0
    }

    fn drain(&mut self) -> (Vec<client::Event>, Vec<u8>) {
        let (mut events, mut bytes) = (Vec::new(), Vec::new());
        loop {
            match self.client.poll_output() {
                client::Output::Event(event) => events.push(event),
                client::Output::Transmit(part) => bytes.extend_from_slice(&part),
                _ => return (events, bytes),
            }
        }
    }
}

/// Names of commands, with their message streams, and other kinds in brackets.
fn messages_of(bytes: &[u8]) -> Vec<String> {
    let (mut reader, mut input) = (Reader::default(), bytes);
    let mut messages = Vec::new();
    while let Some(message) = reader.read(&mut input).unwrap() {
        messages.push(match Command::parse(message.kind, &message.body) {
            Ok(command) if message.kind == Kind::COMMAND => {
                format!("{} {} {}", command.name, command.transaction, message.stream)
            }
            _ => format!("[{}]", message.kind.0),
        });
    }
    messages
}

#[test]
fn a_publisher_says_what_srs_and_nginx_want_in_their_order() {
    let mut script = Script::connected(publish());
    let (_, bytes) = script.drain();
    let expected = ["connect 1 0", "[5]", "releaseStream 2 0", "FCPublish 3 0", "createStream 4 0"];
    // C0, C1 and C2 go first, and the chunk size before connect
    let after_handshake = &bytes[1 + 2 * 1_536..];
    assert_eq!(messages_of(after_handshake), [["[1]"].as_slice(), &expected].concat());
    script.say("_result", 4.0, &[7_u32.into()]).unwrap();
    let mut reader = Reader::default();
    reader.set_chunk_size(script.client.chunk_size());
    let (_, bytes) = script.drain();
    let mut input = bytes.as_slice();
    let message = reader.read(&mut input).unwrap().unwrap();
    let publish = Command::parse(message.kind, &message.body).unwrap();
    assert_eq!((publish.name.as_ref(), message.stream), ("publish", 7));
    assert_eq!((publish.text(0), publish.text(1)), ("secret-key?token=abcd", "live"));
}

#[test]
fn publishing_begins_with_a_status_or_a_result() {
    let mut script = Script::created(publish());
    script.status(Level::Status, code::PUBLISH_START, "").unwrap();
    assert!(script.events().contains(&client::Event::PublishStarted));
    let mut script = Script::created(publish());
    script.say("_result", 5.0, &[Value::Null]).unwrap();
    assert!(script.events().contains(&client::Event::PublishStarted));
}

#[test]
fn refusals_end_the_session_in_every_stage_and_hide_the_key() {
    let mut script = Script::created(publish());
    let text = "no secret-key here";
    let error = script.status(Level::Error, code::PUBLISH_BAD_NAME, text).unwrap_err();
    let refused = error.refusal().unwrap();
    assert_eq!((refused.refusal, refused.stage), (Refusal::Rejected, ClientStage::Publish));
    assert_eq!(refused.status.description, "no *** here");

    let mut script = Script::created(publish());
    script.status(Level::Status, code::PUBLISH_START, "").unwrap();
    let error = script.status(Level::Error, "NetStream.Publish.Denied", "cut").unwrap_err();
    let refused = error.refusal().unwrap();
    assert_eq!((refused.refusal, refused.stage), (Refusal::Unauthorized, ClientStage::Media));

    let mut script = Script::created(play());
    let error = script.status(Level::Error, code::PLAY_NOT_FOUND, "").unwrap_err();
    assert_eq!(error.refusal().unwrap().refusal, Refusal::NotFound);

    let mut script = Script::new(publish());
    let text = "[ AccessManager.Reject ] : [ code=403 need auth; authmod=adobe ] : ";
    let status = Status::new(Level::Error, code::CONNECT_REJECTED, text);
    let error = script.say("_error", 1.0, &[status.to_value()]).unwrap_err();
    let refused = error.refusal().unwrap();
    assert_eq!((refused.refusal, refused.stage), (Refusal::Unauthorized, ClientStage::Connect));
    assert!(refused.challenge.is_some());

    let mut script = Script::new(publish());
    let ex = Value::object([("code", 302_u32.into()), ("redirect", "rtmp://b/live".into())]);
    let mut info = Status::new(Level::Error, code::CONNECT_REJECTED, "").to_value();
    if let Value::Object(properties) = &mut info {
        properties.push(("ex".into(), ex));
    }
    let error = script.say("_error", 1.0, &[info]).unwrap_err();
    assert_eq!(error.refusal().unwrap().redirect.as_deref(), Some("rtmp://b/live"));

    let mut script = Script::created(play());
    assert_eq!(
        script.say("close", 0.0, &[]).unwrap_err().refusal().unwrap().refusal,
        Refusal::Closed
    );
}

#[test]
fn a_player_takes_media_of_stream_0_aggregates_and_amf3_kinds() {
    let mut script = Script::created(play());
    // no Play.Start at all: media messages suffice
    let video = |time, body: &'static [u8]| Message {
        chunk_stream: 6,
        kind: Kind::VIDEO,
        stream: 0,
        time: Time(time),
        body: Bytes::from_static(body),
    };
    script.message(&video(5, b"v")).unwrap();
    let mut aggregate = vec![8, 0, 0, 1, 0, 0, 9, 0, 0, 0, 0, 0xAF, 0, 0, 0, 12];
    aggregate.extend([9, 0, 0, 1, 0, 0, 29, 0, 0, 0, 0, 0x17, 0, 0, 0, 12]);
    // a cue point of a recording, between its pictures
    let cue = command::data(&["onCuePoint".into(), Value::Null]);
    aggregate.extend([18, 0, 0, cue.len() as u8, 0, 0, 39, 0, 0, 0, 0]);
    aggregate.extend_from_slice(&cue);
    let aggregate = Message { kind: Kind::AGGREGATE, body: aggregate.into(), ..video(100, b"") };
    script.message(&aggregate).unwrap();
    let mut data = vec![0];
    data.extend_from_slice(&command::data(&["onMetaData".into(), Value::object([])]));
    let data = Message { kind: Kind::DATA_AMF3, body: data.into(), ..video(101, b"") };
    script.message(&data).unwrap();
    // 4 bytes of time code are not AMF0
    let noise = Message { kind: Kind::DATA, body: vec![1, 2, 3, 4].into(), ..video(102, b"") };
    script.message(&noise).unwrap();
    let events = script.events();
    assert!(events.contains(&client::Event::PlayStarted));
    assert!(events.contains(&client::Event::Video { time_ms: 5, body: Bytes::from_static(b"v") }));
    let sound = Bytes::from_static(&[0xAF]);
    assert!(events.contains(&client::Event::Audio { time_ms: 100, body: sound }));
    let picture = Bytes::from_static(&[0x17]);
    assert!(events.contains(&client::Event::Video { time_ms: 120, body: picture }));
    assert!(events.contains(&client::Event::Data {
        time_ms: 130,
        name: "onCuePoint".into(),
        body: cue,
    }));
    assert!(events.iter().any(|event| matches!(event, client::Event::Metadata { .. })));
}

#[test]
fn a_flood_of_pings_to_a_peer_that_does_not_read_ends_the_session() {
    let mut script = Script::created(play());
    let ping = UserControl::PingRequest(1).message();
    let flooded = (0..10_000).find_map(|_| script.message(&ping).err());
    assert_eq!(flooded, Some(client::Error::Flooded));
}

#[test]
fn data_messages_on_a_stalled_link_are_no_flood() {
    let mut pair = Pair::new(publish(), usize::MAX);
    pair.run().unwrap();
    let cue = command::data(&["onCuePoint".into(), Value::Null]);
    for time_ms in 0..1_000 {
        assert!(pair.client.send_script(time_ms, &cue, false));
    }
    pair.server.ping(1);
    while let server::Output::Transmit(bytes) = pair.server.poll_output() {
        pair.client.handle_input(NOW, &bytes).unwrap();
    }
    pair.run().unwrap();
    let is_cue = |event: &&server::Event| matches!(event, server::Event::Data { .. });
    assert_eq!(pair.server_events.iter().filter(is_cue).count(), 1_000);
    assert!(pair.server_events.contains(&server::Event::Pong { time_ms: 1 }));
}

/// A scripted client.
struct Client {
    server: server::Session,
    writer: Writer,
}

impl Client {
    fn new() -> Self {
        let mut server = serve();
        server.handle_input(NOW, &[3; 1 + 2 * 1_536]).unwrap();
        Self { server, writer: Writer::new() }
    }

    fn message(&mut self, message: &Message) -> Result<(), server::Error> {
        let mut bytes = Vec::new();
        self.writer.write(message, &mut bytes);
        self.server.handle_input(NOW, &bytes)
    }

    fn command(&mut self, chunk_stream: u32, kind: Kind, body: Vec<u8>) {
        let (stream, time) = (0, Time(0));
        let body = body.into();
        self.message(&Message { chunk_stream, kind, stream, time, body }).unwrap();
    }

    fn say(&mut self, name: &str, number: f64, object: &Value, arguments: &[Value]) {
        let body = command::command(name, number, object, arguments).to_vec();
        self.command(3, Kind::COMMAND, body);
    }

    fn event(&mut self) -> Option<server::Event> {
        loop {
            match self.server.poll_output() {
                server::Output::Event(event) => return Some(event),
                server::Output::Transmit(_) => {}
                _ => return None,
            }
        }
    }
}

#[test]
fn unusual_clients_are_understood() {
    let mut client = Client::new();
    // chunk size before connect; command 17 on csid 8; lower-case tcurl; slashes; no createStream
    client.message(&Control::SetChunkSize(1_000).message()).unwrap();
    client.writer.set_chunk_size(1_000);
    let object = Value::object([
        ("app", "/live/_definst_/".into()),
        ("tcurl", "rtmp://h/live".into()),
        ("objectEncoding", 3_u32.into()),
    ]);
    let mut body = vec![0];
    body.extend_from_slice(&command::command("connect", 1.0, &object, &[]));
    client.command(8, Kind::COMMAND_AMF3, body);
    let Some(server::Event::ConnectRequested(connect)) = client.event() else { panic!() };
    assert_eq!(connect.tc_url, "rtmp://h/live");
    client.server.accept_connect().unwrap();
    client.say("_checkbw", 0.0, &Value::Null, &[]);
    client.say("publish", 4.0, &Value::Null, &["?k=v".into(), "live".into()]);
    let Some(server::Event::PublishRequested { name, .. }) = client.event() else { panic!() };
    assert_eq!((name.path().as_str(), name.query.as_str()), ("live", "k=v"));
}

#[test]
fn who_has_connected_and_does_nothing_is_let_go() {
    let mut client = Client::new();
    client.say("connect", 1.0, &Value::object([("app", "live".into())]), &[]);
    let Some(server::Event::ConnectRequested(_)) = client.event() else { panic!() };
    client.server.accept_connect().unwrap();
    // Creating streams does not count as activity.
    client.say("createStream", 2.0, &Value::Null, &[]);
    assert_eq!(client.event(), None);
    let at = NOW + Duration::from_secs(10);
    assert_eq!(client.server.handle_timeout(at), Err(server::Error::CommandTimeout));
}

#[test]
fn a_connect_that_cannot_be_read_is_rejected() {
    let name = [&[2, 0, 7][..], b"connect", &[0, 0x3F, 0xF0, 0, 0, 0, 0, 0, 0]].concat();
    for (what, rest) in [
        ("a text longer than the body", &b"\x03\x00\x03app\x02\xFF\xFFlive"[..]),
        ("a long text of 4 GiB", b"\x03\x00\x03app\x0C\xFF\xFF\xFF\xFFlive"),
        ("an array of four billion", b"\x03\x00\x03app\x0A\xFF\xFF\xFF\xFF\x05"),
        ("no object", b""),
        ("a text in its place", b"\x02\x00\x04live"),
        ("something broken behind it", b"\x03\x00\x00\x09\x02\xFF\xFFlive"),
    ] {
        let mut client = Client::new();
        client.command(3, Kind::COMMAND, [&name[..], rest].concat());
        let (mut output, mut finished) = (Vec::new(), false);
        loop {
            match client.server.poll_output() {
                server::Output::Event(server::Event::Finished) => finished = true,
                server::Output::Event(event) => panic!("{what}: {event:?}"),
                server::Output::Transmit(bytes) => output.extend_from_slice(&bytes),
                _ => break,
            }
        }
        let output = String::from_utf8_lossy(&output);
        assert!(finished && output.contains(code::CONNECT_REJECTED), "{what}: {output}");
    }
}

#[test]
fn what_comes_before_a_decision_waits_for_it_within_bounds() {
    let mut client = Client::new();
    client.say("connect", 1.0, &Value::object([("app", "live".into())]), &[]);
    // sent immediately, without waiting for any reply
    client.say("createStream", 2.0, &Value::Null, &[]);
    client.say("publish", 3.0, &Value::Null, &["key".into(), "live".into()]);
    let frame = Message {
        chunk_stream: 4,
        kind: Kind::AUDIO,
        stream: 1,
        time: Time(3),
        body: Bytes::from_static(b"early"),
    };
    client.message(&frame).unwrap();
    assert!(matches!(client.event(), Some(server::Event::ConnectRequested(_))));
    assert_eq!(client.event(), None);
    client.server.accept_connect().unwrap();
    assert!(matches!(client.event(), Some(server::Event::PublishRequested { .. })));
    assert_eq!(client.event(), None);
    client.server.accept_publish().unwrap();
    let early = server::Event::Audio { time_ms: 3, body: Bytes::from_static(b"early") };
    assert_eq!(client.event(), Some(early));
    client.say("deleteStream", 9.0, &Value::Null, &[1_u32.into()]);
    assert_eq!(client.event(), Some(server::Event::Unpublished));
    client.say("publish", 3.0, &Value::Null, &["key".into(), "live".into()]);
    let flood = (0..100).find_map(|_| client.server.handle_input(NOW, &[0; 10_000]).err());
    assert_eq!(flood, Some(server::Error::Impatient));
}

#[test]
fn long_messages_are_taken_from_publishers_only() {
    let mut client = Client::new();
    let long = Message {
        chunk_stream: 6,
        kind: Kind::VIDEO,
        stream: 1,
        time: Time(0),
        body: body(0, 70_000),
    };
    assert!(matches!(client.message(&long), Err(server::Error::Chunk(_))));
    let mut client = Client::new();
    client.say("connect", 1.0, &Value::object([("app", "live".into())]), &[]);
    client.event();
    client.server.accept_connect().unwrap();
    client.say("publish", 3.0, &Value::Null, &["key".into(), "live".into()]);
    client.event();
    client.server.accept_publish().unwrap();
    client.message(&long).unwrap();
    assert!(matches!(client.event(), Some(server::Event::Video { .. })));
}

#[test]
fn rejections_are_sent_and_then_the_session_ends() {
    let mut client = Client::new();
    client.say("connect", 1.0, &Value::object([("app", "nope".into())]), &[]);
    client.event();
    client.server.reject_connect(&Status::new(Level::Error, code::CONNECT_INVALID_APP, "no"));
    assert_eq!(client.event(), Some(server::Event::Finished));
    assert_eq!(client.event(), None);

    let mut pair = Pair::new(play(), usize::MAX);
    pair.server = serve();
    // the server refuses an impossible name without asking its caller
    pair.client = client::Session::new(
        client::Config::play(Url::with_key("rtmp://h/live", &"k".repeat(2_000)).unwrap()),
        NOW,
        4,
    );
    let error = pair.run().unwrap_err();
    assert_eq!(error.refusal().unwrap().refusal, Refusal::NotFound);
}
