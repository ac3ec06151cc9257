//! The bodies of the fuzz targets. `cargo fuzz` and `tests/hostile_wire.rs` share this file; the
//! latter runs the corpus and seeded mutations of it as ordinary tests. A body panics if a required
//! property does not hold, and returns whether the input passed its first parser.

#![allow(dead_code, reason = "each fuzz target uses one of these")]

use std::time::Duration;

use bytes::BytesMut;
use onair::base::Timestamp;
use onair::broadcast::TargetAddress;
use onair::media::BitsPerSecond;
use onair::net::srt::accept::{Acceptor, Reply};
use onair::net::srt::calling::{Calling, HandshakeOutput};
use onair::net::srt::engine::{Agreed, Engine};
use onair::net::srt::keys::Keys;
use onair::net::srt::{MAX_DATAGRAM_BYTES, SrtUrl};
use onair::wire::byte_block::ByteBlock;
use onair::wire::proxy::{header as proxy_header, socks5};
use onair::wire::rtmp::chunk::{Limits, Reader};
use onair::wire::rtmp::command::{Command, Connect};
use onair::wire::rtmp::tunnel;
use onair::wire::rtmp::{Kind, Message, Url, auth, client, handshake, message, server};
use onair::wire::webrtc::{candidates, rtp, sdp};
use onair::wire::{amf0, http};

/// Maximum memory of the reader beyond twice the input: the capacity that its messages in progress
/// may get in advance.
const TRUST: usize = 8 * (1 << 20);

/// Addresses of targets: what is shown of an address without a key is the same address, and a key
/// is never shown.
pub fn target_address(data: &[u8]) -> bool {
    let text = String::from_utf8_lossy(data);
    let Ok(address) = TargetAddress::parse(&text, None) else { return false };
    assert!(!address.authority().is_empty() && !address.stages().is_empty());
    match address.with_stream("other") {
        // What is shown does not depend on the name of the stream.
        Some(other) => assert_eq!(address.to_string(), other.to_string()),
        None => {
            let shown = TargetAddress::parse(&address.to_string(), None);
            match address.has_secret() {
                true => assert_eq!(shown.map(|it| it.to_string()), Ok(address.to_string())),
                false => assert_eq!(shown.as_ref(), Ok(&address)),
            }
        }
    }
    true
}

/// Datagrams of SRT, each with its length before it: those of callers, and those of a connection.
pub fn srt(data: &[u8]) -> bool {
    let agreed = Agreed {
        own_id: 1,
        peer_id: 2,
        send_sequence: 100,
        receive_sequence: 100,
        latency: Duration::from_millis(120),
        window: 8_192,
        keys: Keys::default(),
        begun: Timestamp::ZERO,
    };
    let mut engine = Engine::new(agreed, None, Timestamp::ZERO);
    let Some(acceptor) = Acceptor::new() else { return false };
    let (mut rest, mut now, mut is_answered) = (data, Timestamp::ZERO, false);
    while let [first, second, after @ ..] = rest {
        let length = usize::from(u16::from_be_bytes([*first, *second])).min(after.len());
        let (datagram, after) = after.split_at(length);
        rest = after;
        now += Duration::from_millis(5);
        match acceptor.answer(datagram, ([192, 0, 2, 1], 9).into(), now) {
            Reply::Send(answer) => {
                assert!(answer.len() <= datagram.len());
                is_answered = true;
            }
            Reply::Call(call) => drop(call.accept(3, None, (Duration::ZERO, now))),
            Reply::None => {}
        }
        engine.send(vec![0x47; 188].into(), now);
        engine.receive(datagram, now);
        assert!(std::iter::from_fn(|| engine.next_datagram(now)).take(9_000).count() < 9_000);
        std::iter::from_fn(|| engine.take(now)).for_each(drop);
        assert!(engine.next_time(now) <= now + Duration::from_secs(1));
    }
    is_answered || engine.figures().received_packets > 0
}

/// The socket of the handshakes in `srt_calling`.
pub const CALLING_ID: u32 = 7;

/// The address that the first byte of an input of `srt_calling` chooses.
pub fn called(choice: u8) -> SrtUrl {
    let text = match choice % 3 {
        0 => "srt://h:1?streamid=publish:live/show",
        1 => "srt://h:1?passphrase=a-passphrase&pbkeylen=32",
        _ => "srt://h:1?mode=rendezvous",
    };
    SrtUrl::parse(text, None).expect("an address")
}

/// Handshakes by which this side calls: a byte that chooses the mode, and the datagrams that arrive,
/// each with its length before it.
pub fn srt_calling(data: &[u8]) -> bool {
    let Some((choice, mut rest)) = data.split_first() else { return false };
    let Some(mut calling) = Calling::new(&called(*choice), CALLING_ID) else { return false };
    let Some(first) = calling.start() else { return false };
    assert!(first.len() <= MAX_DATAGRAM_BYTES);
    let mut is_answered = false;
    while let [first, second, after @ ..] = rest {
        let length = usize::from(u16::from_be_bytes([*first, *second])).min(after.len());
        let (datagram, after) = after.split_at(length);
        rest = after;
        let outputs = calling.receive(datagram);
        is_answered |= !outputs.is_empty();
        let all: Vec<_> = outputs.into_iter().chain(calling.tick()).collect();
        assert!(all.len() <= 8, "{}", all.len());
        for output in all {
            if let HandshakeOutput::Send(bytes) = output {
                assert!(bytes.len() <= MAX_DATAGRAM_BYTES, "{}", bytes.len());
            }
        }
    }
    is_answered
}

/// WHEP offers: a filtered offer is read again with the same result. Also reads the ICE user name in a fragment.
pub fn sdp(data: &[u8]) -> bool {
    let text = String::from_utf8_lossy(data);
    let offer = sdp::Offer::parse(&text);
    if let Ok(offer) = &offer {
        assert!(offer.video || offer.audio);
        assert!(offer.text.len() <= text.len() * 2 + 64);
        assert_eq!(sdp::Offer::parse(&offer.text).as_ref(), Ok(offer));
    }
    if let Ok(offer) = sdp::Offer::parse_publisher(&text) {
        assert_eq!(sdp::Offer::parse_publisher(&offer.text).as_ref(), Ok(&offer));
    }
    assert!(candidates::udp_addresses(&text).len() <= candidates::MAX_CANDIDATES);
    let _ = sdp::finish_answer(&text);
    let _ = sdp::finish_publisher_answer(&text);
    if let Some(found) = sdp::Credentials::of_fragment(&text) {
        assert_eq!(sdp::fragment_ufrag(&text), Some(found.ufrag.as_str()));
        assert!(
            (4..=256).contains(&found.ufrag.len()) && (22..=256).contains(&found.password.len())
        );
        let again = format!("a=ice-pwd:{}\r\na=ice-ufrag:{}\r\n", found.password, found.ufrag);
        assert_eq!(sdp::Credentials::of_fragment(&again), Some(found));
    }
    let _ = sdp::fragment_ufrag(&text);
    offer.is_ok()
}

/// Units of a hostile publisher in RTP: no packet is too long, and whoever joins them gets the units again.
pub fn rtp(data: &[u8]) -> bool {
    let Some((&[longest, record, is_key], data)) = data.split_first_chunk() else { return false };
    let longest = 16 + usize::from(longest) * 6;
    let (record, unit) = data.split_at(usize::from(record).min(data.len()));
    let (sets, nals) = (record.split(|byte| *byte == 0), unit.split(|byte| *byte == 0));
    let packets = rtp::h264::packetize(sets.clone(), nals.clone(), longest);
    assert!(packets.iter().all(|packet| (1..=longest).contains(&packet.len())));
    // Delimiters, filler and parameter sets are left out, and the types that are those of packets.
    let is_sent = |nal: &&[u8]| {
        let kind = nal.first().map(|header| header & 0x1F);
        kind.is_some_and(|kind| matches!(kind, 1..=6 | 10 | 11 | 14..=23))
    };
    let fits = |set: &&[u8]| set.first().is_some_and(|header| (1..=23).contains(&(header & 0x1F)));
    let expected: Vec<&[u8]> = sets.filter(fits).chain(nals.filter(is_sent)).collect();
    assert_eq!(join_h264(&packets), expected);
    let packets = rtp::av1::packetize(record, unit, is_key & 1 == 1, longest);
    assert!(packets.iter().all(|packet| (2..=longest).contains(&packet.len())));
    let joined = join_av1(&packets);
    assert!(joined <= data.len(), "{joined} bytes of {}", data.len());
    !packets.is_empty()
}

/// The NAL units in these packets (RFC 6184 §5).
fn join_h264(packets: &[std::sync::Arc<[u8]>]) -> Vec<Vec<u8>> {
    let (mut nals, mut is_open): (Vec<Vec<u8>>, bool) = (Vec::new(), false);
    for packet in packets {
        match packet[0] & 0x1F {
            24 => {
                let mut rest = &packet[1..];
                while let Some((length, after)) = rest.split_first_chunk::<2>() {
                    let (nal, after) = after.split_at(u16::from_be_bytes(*length).into());
                    nals.push(nal.to_vec());
                    rest = after;
                }
                assert!(rest.is_empty());
            }
            28 => {
                let [starts, ends] = [0x80, 0x40].map(|flag| packet[1] & flag != 0);
                assert!(starts != is_open && !(starts && ends), "fragments follow each other");
                if starts {
                    nals.push(vec![packet[0] & 0xE0 | packet[1] & 0x1F]);
                }
                nals.last_mut().expect("a unit").extend_from_slice(&packet[2..]);
                is_open = !ends;
            }
            kind => {
                assert!((1..=23).contains(&kind) && !is_open, "a unit of type {kind}");
                nals.push(packet.to_vec());
            }
        }
    }
    assert!(!is_open);
    nals
}

/// The bytes of OBUs in these packets ("RTP Payload Format For AV1" §4).
fn join_av1(packets: &[std::sync::Arc<[u8]>]) -> usize {
    let (mut bytes, mut is_open) = (0, false);
    for packet in packets {
        assert_eq!(packet[0] & 0x80 != 0, is_open, "fragments follow each other");
        let mut rest = &packet[1..];
        while let Some((&first, after)) = rest.split_first() {
            let (length, after) = match first & 0x80 {
                0 => (usize::from(first), after),
                _ => (usize::from(first & 0x7F) | usize::from(after[0]) << 7, &after[1..]),
            };
            bytes += length;
            rest = &after[length..];
        }
        is_open = packet[0] & 0x40 != 0;
    }
    assert!(!is_open);
    bytes
}

/// Chunks: any bytes, split anywhere, give the same messages, whose bodies are not longer than the
/// input.
pub fn chunk_reader(data: &[u8]) -> bool {
    let Some((&cut, data)) = data.split_first() else { return false };
    let limits = Limits { message: 1 << 20, partial_bytes: 2 << 20, ..Limits::default() };
    let read = |cut: usize| {
        let mut reader = Reader::new(limits);
        let mut messages: Vec<Message> = Vec::new();
        for mut part in data.chunks(cut) {
            loop {
                match reader.read(&mut part) {
                    Ok(Some(message)) => messages.push(message),
                    Ok(None) => break,
                    Err(error) => return (messages, Some(error)),
                }
            }
            assert!(part.is_empty(), "all input is taken");
            assert!(reader.partial_bytes() <= limits.partial_bytes.min(data.len()));
            assert!(reader.reserved_bytes() <= 2 * data.len() + TRUST);
        }
        (messages, None)
    };
    let whole = read(data.len().max(1));
    // Blocks that bodies share give the same result.
    let mut reader = Reader::new(limits);
    let (mut messages, mut failed) = (Vec::new(), None);
    'parts: for part in data.chunks(usize::from(cut).max(1)) {
        let mut buffer = BytesMut::from(part);
        let mut block = ByteBlock::new(&mut buffer);
        loop {
            match reader.read_block(&mut block) {
                Ok(Some(message)) => messages.push(message),
                Ok(None) => break,
                Err(error) => {
                    failed = Some(error);
                    break 'parts;
                }
            }
        }
        assert!(block.is_empty(), "all input is taken");
    }
    assert_eq!((messages, failed), whole);
    assert!(whole.0.iter().map(|message| message.body.len()).sum::<usize>() <= data.len());
    assert_eq!(read(usize::from(cut).max(1)), whole);
    for message in &whole.0 {
        let _ = message::Control::parse(message.kind, &message.body);
        let _ = message::UserControl::parse(&message.body);
        let parts: Vec<_> = message::split_aggregate(message).collect();
        assert!(parts.iter().map(|part| part.body.len()).sum::<usize>() <= message.body.len());
        assert!(parts.iter().all(|part| part.kind != Kind::AGGREGATE));
    }
    !whole.0.is_empty()
}

/// AMF0: values that can be read can be written, and are then read with the same result.
pub fn amf0(data: &[u8]) -> bool {
    let values = amf0::decode(data);
    if let Ok(values) = &values {
        let bytes = amf0::encode(values);
        let again = amf0::decode(&bytes).expect("what was encoded decodes");
        assert_eq!(amf0::encode(&again), bytes);
    }
    for kind in [Kind::COMMAND, Kind::COMMAND_AMF3] {
        if let Ok(command) = Command::parse(kind, data) {
            let _ = (Connect::parse(&command.object), command.status());
        }
    }
    values.is_ok()
}

/// Handshakes of both roles: the output is never longer than in the protocol.
pub fn handshake(data: &[u8]) -> bool {
    let Some((&cut, data)) = data.split_first() else { return false };
    let (mut client, hello) = handshake::Client::new(1);
    let mut server = handshake::Server::new(2);
    assert_eq!(hello.len(), 1_537);
    let (mut from_client, mut from_server) = (Vec::new(), Vec::new());
    for part in data.chunks(usize::from(cut).max(1)) {
        if !matches!(client.read(&mut &*part, &mut from_client), Ok(false)) {
            break;
        }
    }
    for part in data.chunks(usize::from(cut).max(1)) {
        if !matches!(server.read(&mut &*part, &mut from_server), Ok(false)) {
            break;
        }
    }
    assert!(from_client.len() <= 1_536 && from_server.len() <= 3_073);
    !from_client.is_empty() || !from_server.is_empty()
}

/// A server session whose client sends these bytes after its handshake. Every request of the client
/// is accepted.
pub fn server_session(data: &[u8]) -> bool {
    let Some((&cut, data @ [_, ..])) = data.split_first() else { return false };
    let mut now = Timestamp::ZERO;
    let mut session = server::Session::new(server::Config::default(), now, 1);
    session.handle_input(now, &[3; 1 + 2 * 1_536]).expect("a handshake");
    let (mut sent, mut events, mut finished) = (0, 0, 0);
    for part in data.chunks(usize::from(cut).max(1)) {
        now += Duration::from_millis(1);
        let over = if part.len() % 2 == 0 {
            let mut buffer = BytesMut::from(part);
            session.handle_block(now, ByteBlock::new(&mut buffer)).is_err()
        } else {
            session.handle_input(now, part).is_err()
        };
        loop {
            match session.poll_output() {
                server::Output::Transmit(bytes) => sent += bytes.len(),
                server::Output::Event(event) => {
                    events += 1;
                    let _ = match event {
                        server::Event::ConnectRequested(_) => session.accept_connect(),
                        server::Event::PublishRequested { .. } => session.accept_publish(),
                        server::Event::PlayRequested { .. } => session.accept_play(),
                        server::Event::Finished => {
                            finished += 1;
                            Ok(())
                        }
                        _ => Ok(()),
                    };
                }
                server::Output::Timeout(_) | server::Output::Idle => break,
            }
        }
        if over {
            break;
        }
    }
    assert!(finished <= 1);
    assert!(sent <= 8_192 + 200 * data.len(), "{sent} bytes for {}", data.len());
    assert_eq!(session.queued_bytes(), 0);
    events > 0
}

/// A client session whose server sends these bytes after its handshake.
pub fn client_session(data: &[u8]) -> bool {
    let Some((&first, data @ [_, ..])) = data.split_first() else { return false };
    let url = Url::parse("rtmp://localhost/live/key").expect("a URL");
    let config = match first & 1 {
        0 => client::Config::publish(url, BitsPerSecond(2_500_000)),
        _ => client::Config::play(url),
    };
    let mut now = Timestamp::ZERO;
    let mut session = client::Session::new(config, now, 1);
    session.handle_input(now, &[3; 1 + 2 * 1_536]).expect("a handshake");
    let (mut sent, mut events) = (0, 0);
    for part in data.chunks(usize::from(first >> 1).max(1)) {
        now += Duration::from_millis(1);
        let over = if first & 2 == 0 {
            let mut buffer = BytesMut::from(part);
            session.handle_block(now, ByteBlock::new(&mut buffer)).is_err()
        } else {
            session.handle_input(now, part).is_err()
        };
        session.send_audio(1, vec![1; 10].into());
        loop {
            match session.poll_output() {
                client::Output::Transmit(bytes) => sent += bytes.len(),
                // The handshake is not part of the input.
                client::Output::Event(client::Event::HandshakeDone) => {}
                client::Output::Event(_) => events += 1,
                client::Output::Timeout(_) | client::Output::Idle => break,
            }
        }
        if over {
            break;
        }
    }
    assert!(sent <= 8_192 + 200 * data.len(), "{sent} bytes for {}", data.len());
    assert_eq!(session.queued_bytes(), 0);
    events > 0
}

/// HTTP: a header and its body, split anywhere, give the same result, and the output is not longer
/// than the input. Also reads the other formats that occur before RTMP: SOCKS, PROXY headers,
/// tunnels and logins.
pub fn http(data: &[u8]) -> bool {
    let Some((&cut, data)) = data.split_first() else { return false };
    let length = http::head_length(data);
    if let Ok(Some(length)) = length {
        let (head, rest) = data.split_at(length);
        let request = http::Request::parse(head);
        let _ = request.as_ref().map(|request| tunnel::Request::parse(&request.target));
        let bodies = [
            request.and_then(|request| http::Body::of_request(&request.fields)),
            http::Response::parse(head)
                .and_then(|answer| http::Body::of_response(answer.status, &answer.fields)),
        ];
        for body in bodies.into_iter().flatten() {
            let read = |cut: usize| {
                let (mut body, mut out) = (body.clone(), Vec::new());
                for mut part in rest.chunks(cut) {
                    while !part.is_empty() && !body.is_done() {
                        match body.next(&mut part) {
                            Ok(piece) => out.extend_from_slice(piece),
                            Err(error) => return (out, Some(error)),
                        }
                    }
                }
                (out, None)
            };
            let whole = read(rest.len().max(1));
            assert!(whole.0.len() <= rest.len());
            assert_eq!(read(usize::from(cut).max(1)), whole);
        }
    }
    if let Some(first) = data.first_chunk() {
        assert!(socks5::rest_of_answer(*first).unwrap_or(0) <= 257);
    }
    if let proxy_header::FirstBytes::Incomplete(missing) = proxy_header::read(data) {
        assert!((1..=2_064).contains(&missing));
    }
    let _ = tunnel::Client::new("h").opened(data);
    let text = String::from_utf8_lossy(data);
    if let auth::Verdict::Rejected(text) =
        login_server().check_login(&text, "0123456789abcdef", Timestamp::ZERO)
    {
        assert!(text.len() < 512);
    }
    let _ = auth::Challenge::parse(&text);
    matches!(length, Ok(Some(_)))
}

fn login_server() -> auth::Login {
    let password = onair::base::Secret::new("secret");
    let login = onair::wire::rtmp::url::Credentials { user: "me".into(), password };
    auth::Login::new(auth::Method::Adobe, login, onair::base::Secret::new("signs"))
}
