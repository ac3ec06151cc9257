//! Tests of the wire protocols with hostile bytes: chunks, AMF0, handshakes, RTMP sessions, HTTP
//! tunnels, SDP offers, STUN, DTLS and addresses of targets. The input is the fuzz targets' corpus and a few thousand mutations of it
//! from a fixed seed. Memory use must stay bounded. Other tests count the allocations that a peer
//! can cause.
//!
//! This file generates the seeds of the corpus under `tests/data/corpus/`. Run with
//! `ONAIR_WRITE_CORPUS=1` to write them again.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test fails by panicking, and says on stdout what it skips"
)]

#[path = "../benches/backend/allocations.rs"]
mod allocations;
#[path = "../fuzz/bodies.rs"]
mod bodies;
mod random;
#[path = "../fuzz/webrtc_bodies.rs"]
mod webrtc_bodies;

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use allocations::{Counting, counted};
use onair::base::Timestamp;
use onair::media::BitsPerSecond;
use onair::net::srt::accept::{Acceptor, Reply};
use onair::net::srt::calling::{Calling, HandshakeOutput};
use onair::net::srt::engine::{Agreed, Engine};
use onair::net::srt::keys::Keys;
use onair::wire::amf0::{self, TypedObject, Value};
use onair::wire::rtmp::chunk::{Pending, Reader, Writer, standalone};
use onair::wire::rtmp::message::{Control, UserControl, chunk_stream};
use onair::wire::rtmp::{Kind, Message, Time, Url, client, server};
use random::Random;

#[global_allocator]
static COUNTING: Counting = Counting;

/// No fuzz target may hold more than this for inputs of a few kilobytes.
const MAX_HELD: i64 = 24 << 20;
/// Mutations per fuzz target; `ONAIR_MUTATIONS` sets another number.
const MUTATIONS: u32 = 3_000;

fn corpus(target: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/corpus").join(target)
}

/// Replays the corpus and mutations of it.
fn replay(target: &str, seeds: &[Vec<u8>], body: fn(&[u8]) -> bool) {
    let folder = corpus(target);
    if std::env::var_os("ONAIR_WRITE_CORPUS").is_some() {
        fs::create_dir_all(&folder).unwrap();
        for (at, seed) in seeds.iter().enumerate() {
            fs::write(folder.join(format!("made-{at:02}")), seed).unwrap();
        }
    }
    let mut files: Vec<_> =
        fs::read_dir(&folder).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty(), "{} holds nothing", folder.display());
    let inputs: Vec<Vec<u8>> = files.iter().map(|file| fs::read(file).unwrap()).collect();
    let mut random = Random(0x5EED ^ target.len() as u64);
    let parsed = inputs.iter().filter(|input| run(input, body)).count();
    assert!(parsed > 0, "no input in {} passes the first parser", folder.display());
    let asked = std::env::var("ONAIR_MUTATIONS").ok().and_then(|number| number.parse().ok());
    for _ in 0..asked.unwrap_or(MUTATIONS) {
        let base = &inputs[random.below(inputs.len())];
        let other = &inputs[random.below(inputs.len())];
        run(&random.mutate(base, other), body);
    }
}

/// Returns whether the input passed the first parser.
fn run(input: &[u8], body: fn(&[u8]) -> bool) -> bool {
    let (is_parsed, allocated) = counted(|| body(input));
    assert!(allocated.peak < MAX_HELD, "{} bytes held for {input:02x?}", allocated.peak);
    is_parsed
}

impl Random {
    fn mutate(&mut self, base: &[u8], other: &[u8]) -> Vec<u8> {
        let mut bytes = base.to_vec();
        for _ in 0..=self.below(6) {
            let at = self.below(bytes.len());
            match self.below(7) {
                0 if !bytes.is_empty() => bytes[at] = self.next() as u8,
                1 if !bytes.is_empty() => bytes[at] ^= 1 << self.below(8),
                2 => bytes.truncate(at),
                3 => {
                    let end = (at + self.below(20)).min(bytes.len());
                    bytes.drain(at..end);
                }
                4 => {
                    let from = self.below(other.len());
                    let end = (from + self.below(200)).min(other.len());
                    bytes.splice(at..at, other[from..end].iter().copied());
                }
                5 => {
                    let value = [0_u8, 0x7F, 0x80, 0xFF][self.below(4)];
                    let end = (at + 1 + self.below(4)).min(bytes.len());
                    bytes[at.min(end)..end].fill(value);
                }
                _ => {
                    let end = (at + self.below(64)).min(bytes.len());
                    let copy = bytes[at..end].to_vec();
                    bytes.splice(at..at, copy);
                }
            }
        }
        bytes.truncate(64 << 10);
        bytes
    }
}

fn message(chunk_stream: u32, kind: Kind, time: u32, body: Vec<u8>) -> Message {
    Message { chunk_stream, kind, stream: 1, time: Time(time), body: body.into() }
}

fn chunk_seeds() -> Vec<Vec<u8>> {
    let media = |time| {
        [
            message(6, Kind::VIDEO, time, vec![0x17; 700]),
            message(4, Kind::AUDIO, time.wrapping_add(3), vec![0xAF; 90]),
            message(4, Kind::AUDIO, time.wrapping_add(26), vec![0xAF; 90]),
            message(70, Kind::DATA, time, vec![2; 10]),
            message(400, Kind::COMMAND, time, vec![2; 10]),
        ]
    };
    let write = |messages: &[Message]| {
        let (mut writer, mut bytes) = (Writer::new(), vec![37]);
        for message in messages {
            writer.write(message, &mut bytes);
        }
        bytes
    };
    let mut interleaved = vec![5];
    let mut writer = Writer::new();
    let mut video = Pending::new(message(6, Kind::VIDEO, 0x0100_0000, vec![1; 900]));
    let mut sound = Pending::new(message(4, Kind::AUDIO, 7, vec![2; 300]));
    writer.write_chunk(&mut video, &mut interleaved);
    while !writer.write_chunk(&mut sound, &mut interleaved) {
        writer.write_chunk(&mut video, &mut interleaved);
    }
    writer.write(&Control::SetChunkSize(200).message(), &mut interleaved);
    writer.set_chunk_size(200);
    while !writer.write_chunk(&mut video, &mut interleaved) {}
    writer.write(&Control::Abort { chunk_stream: 6 }.message(), &mut interleaved);
    let mut aggregate = Vec::new();
    for kind in [8, 9, 22] {
        aggregate.extend([kind, 0, 0, 3, 0, 0, 9, 0, 0, 0, 0, 1, 2, 3, 0, 0, 0, 14]);
    }
    vec![
        write(&media(0)),
        write(&media(0x00FF_FFF0)),
        write(&media(u32::MAX - 9)),
        interleaved,
        write(&[message(6, Kind::AGGREGATE, 5, aggregate)]),
        write(&[UserControl::SetBufferLength { stream: 1, millis: 9 }.message()]),
        // announces the largest possible message
        vec![1, 6, 0, 0, 0, 0xFF, 0xFF, 0xFF, 9, 1, 0, 0, 0, 1, 2, 3],
        // one-byte chunks
        [
            vec![9, 2, 0, 0, 0, 0, 0, 4, 1, 0, 0, 0, 0, 0, 0, 0, 1],
            vec![6, 0, 0, 0, 0, 1, 0, 9, 1, 0, 0, 0],
        ]
        .concat(),
    ]
}

fn amf0_seeds() -> Vec<Vec<u8>> {
    let typed = TypedObject { class: "c".into(), properties: vec![("p".into(), 2.0.into())] };
    let all = [
        Value::Number(-0.5),
        Value::Boolean(true),
        "text".into(),
        Value::object([("a", Value::Null), ("b", Value::Undefined)]),
        Value::Reference(3),
        Value::ecma_array([("k", Value::StrictArray(vec![1.0.into(), "x".into()]))]),
        Value::Date { millis: 1e12, zone_minutes: -60 },
        Value::Xml("<a/>".into()),
        Value::TypedObject(Box::new(typed)),
        Value::Unsupported,
    ];
    let mut deep = Vec::new();
    for _ in 0..17 {
        deep.extend([10, 0, 0, 0, 1]);
    }
    vec![
        amf0::encode(&all),
        amf0::encode(&["connect".into(), 1.0.into(), Value::object([("app", "live".into())])]),
        deep,
        vec![10, 0xFF, 0xFF, 0xFF, 0xFF],
        vec![12, 0xFF, 0xFF, 0xFF, 0xFF, 1],
        vec![8, 0, 0, 0, 1, 0, 1, b'a', 5, 2, 0, 1, b'x'],
        vec![0x11, 10, 11, 1],
    ]
}

/// Both directions of a publishing and of a playing session, without the handshakes.
fn conversation(play: bool) -> [Vec<u8>; 2] {
    let now = Timestamp::ZERO;
    let url = Url::parse("rtmp://localhost/live/key").unwrap();
    let config = match play {
        true => client::Config::play(url),
        false => client::Config::publish(url, BitsPerSecond(2_500_000)),
    };
    let mut client = client::Session::new(config, now, 1);
    let mut server = server::Session::new(server::Config::default(), now, 2);
    let (mut up, mut down) = (Vec::new(), Vec::new());
    for round in 0..20 {
        if round == 12 && play {
            let metadata = Value::object([("width", 1.0.into())]);
            let data = amf0::encode(&["onMetaData".into(), metadata]);
            for (chunk_stream, kind, body) in [
                (chunk_stream::VIDEO, Kind::VIDEO, vec![0x17; 300]),
                (chunk_stream::SHARED_DATA, Kind::DATA, data),
            ] {
                let (stream, time, body) = (server.message_stream(), Time(0), body.into());
                let message = Message { chunk_stream, kind, stream, time, body };
                let bytes = standalone(&message, server::Config::default().chunk_size);
                client.handle_input(now, &bytes).unwrap();
                down.extend_from_slice(&bytes);
            }
            server.end_play();
        } else if round == 12 {
            client.send_metadata(Value::object([("width", 1.0.into())]));
            client.send_video(0, vec![0x17; 3_000].into());
            client.send_audio(0, vec![0xAF; 30].into());
        } else if round == 16 {
            client.close();
        }
        loop {
            match client.poll_output() {
                client::Output::Transmit(bytes) => {
                    server.handle_input(now, &bytes).unwrap();
                    up.extend_from_slice(&bytes);
                }
                client::Output::Event(_) => {}
                _ => break,
            }
        }
        loop {
            match server.poll_output() {
                server::Output::Transmit(bytes) => {
                    client.handle_input(now, &bytes).unwrap();
                    down.extend_from_slice(&bytes);
                }
                server::Output::Event(event) => match event {
                    server::Event::ConnectRequested(_) => server.accept_connect().unwrap(),
                    server::Event::PublishRequested { .. } => server.accept_publish().unwrap(),
                    server::Event::PlayRequested { .. } => server.accept_play().unwrap(),
                    _ => {}
                },
                _ => break,
            }
        }
    }
    [up.split_off(1 + 2 * 1_536), down.split_off(1 + 2 * 1_536)]
}

fn behind(first: u8, bytes: &[u8]) -> Vec<u8> {
    [&[first], bytes].concat()
}

#[test]
fn chunks() {
    replay("chunk_reader", &chunk_seeds(), bodies::chunk_reader);
}

#[test]
fn amf0_values() {
    replay("amf0", &amf0_seeds(), bodies::amf0);
}

#[test]
fn hostile_addresses_of_targets_are_refused_or_shown_without_their_key() {
    let seeds = [
        "rtmps://me:secret@live.example:1936/app/more/stream_key?token=1",
        "tcp://[::1]:9000",
        "udp://@239.1.1.1:5000?pkt_size=1316&ttl=4&localaddr=192.0.2.7",
        "srt://h:9000?streamid=publish:live/a&latency=200000&passphrase=secret-words&pbkeylen=32",
        "srt://:9000?mode=listener&latency=80",
    ];
    replay("target_address", &seeds.map(|seed| seed.as_bytes().to_vec()), bodies::target_address);
}

/// Returns datagrams of SRT to the socket with the number 1, each with its length before it.
fn srt_seeds() -> Vec<Vec<u8>> {
    let engine = |own_id, peer_id| {
        let agreed = Agreed {
            own_id,
            peer_id,
            send_sequence: 100,
            receive_sequence: 100,
            latency: Duration::from_millis(120),
            window: 8_192,
            keys: Keys::default(),
            begun: Timestamp::ZERO,
        };
        Engine::new(agreed, None, Timestamp::ZERO)
    };
    let (mut first, mut second) = (engine(1, 2), engine(2, 1));
    let (mut seed, mut seeds) = (Vec::new(), Vec::new());
    for millis in 0..60 {
        let now = Timestamp::from_millis(millis * 10);
        first.send(vec![0x47; 188].into(), now);
        second.send(vec![0x47; 376].into(), now);
        for number in 0.. {
            let Some(datagram) = first.next_datagram(now) else { break };
            // Losses cause reports.
            if (millis + number) % 9 != 4 {
                second.receive(&datagram, now);
            }
        }
        for number in 0.. {
            let Some(datagram) = second.next_datagram(now) else { break };
            if (millis + number) % 9 != 4 {
                first.receive(&datagram, now);
                seed.extend(u16::try_from(datagram.len()).unwrap().to_be_bytes());
                seed.extend(datagram);
            }
        }
        if millis % 20 == 19 {
            seeds.push(std::mem::take(&mut seed));
        }
    }
    // The first question of a caller.
    let mut question = vec![0, 64, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    question.extend([0, 0, 0, 4, 0, 0, 0, 2, 0, 0, 0, 100, 0, 0, 5, 220, 0, 0, 32, 0]);
    question.extend([0, 0, 0, 1, 0, 0, 0, 7]);
    question.extend([0; 20]);
    seeds.push(question);
    seeds
}

/// Returns what arrives at callers in each mode: the answers of a listener or of the other side, each
/// with its length before it.
fn srt_calling_seeds() -> Vec<Vec<u8>> {
    let from = ([192, 0, 2, 1], 9).into();
    let add = |seed: &mut Vec<u8>, datagram: &[u8]| {
        seed.extend(u16::try_from(datagram.len()).unwrap().to_be_bytes());
        seed.extend(datagram);
    };
    let sent = |outputs: Vec<HandshakeOutput>| {
        outputs.into_iter().filter_map(|output| match output {
            HandshakeOutput::Send(bytes) => Some(bytes),
            _ => None,
        })
    };
    let mut seeds = Vec::new();
    for choice in 0..2 {
        let url = bodies::called(choice);
        let (acceptor, now) = (Acceptor::new().unwrap(), Timestamp::ZERO);
        let mut calling = Calling::new(&url, bodies::CALLING_ID).unwrap();
        let (mut seed, mut question) = (vec![choice], calling.start());
        while let Some(asked) = question.take() {
            let answer = match acceptor.answer(&asked, from, now) {
                Reply::Send(answer) => answer,
                Reply::Call(call) => {
                    call.accept(3, url.passphrase.as_ref(), (Duration::ZERO, now)).unwrap().1
                }
                Reply::None => panic!("no answer"),
            };
            add(&mut seed, &answer);
            question = sent(calling.receive(&answer)).next();
        }
        seeds.push(seed);
    }
    // Both sides call each other until nobody has more to say.
    let url = bodies::called(2);
    let mut sides = [bodies::CALLING_ID, 8].map(|own_id| Calling::new(&url, own_id).unwrap());
    let mut seed = vec![2];
    let mut under_way: Vec<(usize, Vec<u8>)> = Vec::new();
    for (at, side) in sides.iter_mut().enumerate() {
        under_way.extend(side.start().map(|datagram| (1 - at, datagram)));
    }
    for _ in 0..20 {
        if under_way.is_empty() {
            break;
        }
        let (to, datagram) = under_way.remove(0);
        if to == 0 {
            add(&mut seed, &datagram);
        }
        under_way.extend(sent(sides[to].receive(&datagram)).map(|datagram| (1 - to, datagram)));
    }
    seeds.push(seed);
    seeds
}

#[test]
fn srt_handshakes_of_callers() {
    replay("srt_calling", &srt_calling_seeds(), bodies::srt_calling);
}

#[test]
fn srt_datagrams() {
    replay("srt", &srt_seeds(), bodies::srt);
}

#[test]
fn tunnels_and_proxies() {
    let mut tunnel = onair::wire::rtmp::tunnel::Client::new("host:80");
    tunnel.opened(b"0123abcd\n").unwrap();
    let chunked =
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n0\r\na: b\r\n\r\n";
    let login = b"live?authmod=adobe&user=me&challenge=0a&response=x==&opaque=0123456789abcdef";
    let seeds: Vec<Vec<u8>> = [
        tunnel.open(),
        tunnel.exchange(b"some bytes"),
        tunnel.exchange(b""),
        onair::wire::rtmp::tunnel::answer(b"\x01some bytes", true),
        onair::wire::rtmp::tunnel::refusal(404, "Nothing here", false),
        chunked.to_vec(),
        b"HTTP/1.0 200 OK\r\n\r\nuntil the end".to_vec(),
        vec![5, 0, 0, 3, 9, b'l', b'o'],
        login.to_vec(),
    ]
    .into_iter()
    .map(|seed| [&[7], seed.as_slice()].concat())
    .collect();
    replay("http", &seeds, bodies::http);
}

#[test]
fn offers() {
    let offer = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0 1\r\n\
        m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\na=recvonly\r\na=ice-ufrag:abcd\r\n\
        a=ice-pwd:0123456789012345678901\r\na=fingerprint:sha-256 AB:CD\r\na=setup:actpass\r\n\
        a=candidate:1 1 udp 1 192.0.2.1 5 typ host\r\na=rtpmap:111 opus/48000/2\r\n\
        m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:1\r\na=sendrecv\r\na=ssrc:5 cname:x\r\n\
        a=rtpmap:96 H264/90000\r\na=fmtp:96 packetization-mode=1;profile-level-id=42e01f\r\n";
    let answer = "v=0\r\na=msid-semantic:WMS a\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=msid:a t\r\n\
        a=rtpmap:111 opus/48000/2\r\na=fmtp:111 minptime=10\r\na=ssrc:1 cname:q\r\n\
        a=ssrc:1 msid:a t\r\na=ssrc-group:FID 1 2\r\n";
    let fragment = "a=ice-ufrag:EsAw\r\na=ice-pwd:0123456789abcdefghij+/\r\nm=audio 9 RTP/AVP 0\r\n\
        a=mid:0\r\na=candidate:1 1 udp 1 192.0.2.1 5 typ host\r\n";
    let seeds = [offer.into(), answer.into(), fragment.into()];
    replay("sdp", &seeds, bodies::sdp);
}

/// Seed: whether the rest becomes an intact message; then a message, or its type and its attributes.
#[test]
fn stun_messages() {
    use onair::wire::webrtc::stun;
    use webrtc_bodies::{PASSWORD, UFRAG, hmac};

    let names = format!("{UFRAG}:it");
    let request = stun::check(*b"123456789012", &names, PASSWORD, &hmac);
    let short = b"\0\x01\0\x0C\x21\x12\xA4\x42123456789012\0\x06\0\x07ours:it\0";
    let answer =
        b"\x01\x01\0\x0C\x21\x12\xA4\x42123456789012\0\x20\0\x08\0\x01\x11\x2B\xE1\xBA\xA7\x43";
    // The attributes of the request, without the protection, which the body adds.
    let attributes = [&request[..2], &request[20..request.len() - 32]].concat();
    let error = b"\x01\x11\0\x09\0\x04\0\0\x04\x57\0\x20\0\x08\0\x02\x11\x2B\xE1\xBA\xA7\x43";
    let seeds = [
        behind(0, &request),
        behind(0, short),
        behind(0, answer),
        behind(1, &attributes),
        behind(1, &answer[..2]),
        behind(1, error),
    ];
    replay("stun", &seeds, webrtc_bodies::stun);
}

/// The corpus is a handshake of OpenSSL's client: each of its datagrams after the length.
#[test]
fn dtls_datagrams() {
    replay("dtls", &[], webrtc_bodies::dtls);
}

/// Seed: the packet's length, the length of the parameter sets or the record, the keyframe flag;
/// then both data.
#[test]
fn units_in_rtp() {
    let nals = [&[0x67, 66, 1, 30, 0, 0x68, 0xCE, 0x3C][..], &[0, 0x09, 0xF0, 0, 0x65], &[7; 300]];
    let h264 = [&[9, 8, 1][..], &nals.concat(), &[0, 0x41, 3, 0, 0x7C, 0x85, 1, 2]].concat();
    let record = [0x81, 1, 1, 1, 0x0A, 2, 7, 7];
    let frame = [&[0x12, 0, 0x32, 0xC8, 1][..], &[5; 200], &[0x2A, 3, 1, 2, 3]].concat();
    let av1 = [&[4, 8, 1][..], &record, &frame].concat();
    let unsized_obu = [&[1, 0, 0][..], &[0x30], &[9; 120]].concat();
    replay("rtp", &[h264, av1, unsized_obu], bodies::rtp);
}

#[test]
fn handshakes() {
    let (_, hello) = onair::wire::rtmp::handshake::Client::new(7);
    let mut out = Vec::new();
    onair::wire::rtmp::handshake::Server::new(8).read(&mut hello.as_slice(), &mut out).unwrap();
    let proxied = [&[0xF3, 0, 4, 127, 0, 0, 1], hello.as_slice()].concat();
    let seeds = vec![behind(255, &hello), behind(100, &out), behind(3, &proxied), vec![1, b'H']];
    replay("handshake", &seeds, bodies::handshake);
}

#[test]
fn server_sessions() {
    let seeds = [false, true].map(|play| behind(200, &conversation(play)[0]));
    replay("server_session", &seeds, bodies::server_session);
}

#[test]
fn client_sessions() {
    let seeds = [(false, 254), (true, 255)];
    let seeds = seeds.map(|(play, first)| behind(first, &conversation(play)[1]));
    replay("client_session", &seeds, bodies::client_session);
}

#[test]
fn announced_lengths_are_not_allocated() {
    // announces eight messages of 16 MiB, and sends one byte of each
    let mut bytes = Vec::new();
    for id in 3..11 {
        bytes.extend([id, 0, 0, 0, 0xFF, 0xFF, 0xFF, 9, 1, 0, 0, 0, 1]);
    }
    let mut reader = Reader::default();
    reader.set_chunk_size(1);
    let (result, allocated) = counted(|| reader.read(&mut bytes.as_slice()));
    assert_eq!(result, Ok(None));
    assert!(allocated.peak < 256 << 10, "{allocated:?}");
    assert!(reader.reserved_bytes() < 256 << 10);
    for body in [
        &[10, 0, 0xFF, 0xFF, 0xFF][..],
        &[12, 0xFF, 0xFF, 0xFF, 0xFF],
        &[8, 0xFF, 0xFF, 0xFF, 0xFF],
    ] {
        let (result, allocated) = counted(|| amf0::decode(body));
        assert!(result.is_err());
        assert!(allocated.peak < 4_096, "{allocated:?}");
    }
}

#[test]
fn nothing_is_allocated_for_a_chunk() {
    let video = message(6, Kind::VIDEO, 40, vec![7; 400 << 10]);
    let mut writer = Writer::new();
    let mut bytes = Vec::with_capacity(500 << 10);
    writer.write(&video, &mut bytes);
    let wire = bytes.clone();
    bytes.clear();
    let ((), allocated) = counted(|| writer.write(&video, &mut bytes));
    assert_eq!(allocated.count, 0, "3,200 chunks written");
    let mut pending = Pending::new(video.clone());
    bytes.clear();
    let ((), allocated) = counted(|| while !writer.write_chunk(&mut pending, &mut bytes) {});
    assert_eq!(allocated.count, 0, "3,200 chunks written one by one");
    let mut reader = Reader::default();
    let first = reader.read(&mut wire.as_slice()).unwrap();
    assert_eq!(first, Some(video));
    let (message, allocated) = counted(|| reader.read(&mut wire.as_slice()).unwrap());
    assert!(message.is_some());
    assert_eq!(allocated.count, 1, "3,200 chunks read into one body");
}
