//! Tests of RTMP and AMF0 with bytes from real encoders and from the test tables of other projects,
//! read from `../shared/vectors` if that folder exists. If a vector set contradicts the
//! specification, its test follows the specification and says so.
//!
//! Long because each vector set has its test here.

use crate::vectors::{list, load, unhex};
use bytes::Bytes;
use onair::base::Timestamp;
use onair::wire::amf0::{self, Value};
use onair::wire::codec;
use onair::wire::codec::aac::AudioSpecificConfig;
use onair::wire::codec::four_cc::{AudioFormat, VideoFormat};
use onair::wire::codec::h264::DecoderConfig;
use onair::wire::container::flv::audio::AudioPacket;
use onair::wire::container::flv::video::VideoPacket;
use onair::wire::container::flv::{parse_audio, parse_video};
use onair::wire::rtmp::chunk::{self, Reader, Writer};
use onair::wire::rtmp::command::Command;
use onair::wire::rtmp::message::{Control, UserControl};
use onair::wire::rtmp::{Kind, Message, StreamName, Time, Url, auth, client, handshake, server};
use serde_json::Value as Json;

fn bytes_of(json: &Json) -> Vec<u8> {
    unhex(json.as_str().unwrap())
}

#[track_caller]
fn text(json: &Json) -> &str {
    json.as_str().unwrap_or_else(|| panic!("no text: {json}"))
}

/// Compares decimal fractions, which different readers round differently.
fn near(a: Option<f64>, b: Option<f64>) -> bool {
    a.zip(b).is_some_and(|(a, b)| (a - b).abs() <= a.abs() * 1e-14)
}

/// Whether a value equals that of the table, in any notation of the vector sets.
fn is(value: &Value, expected: &Json) -> bool {
    let same_pairs = |pairs: &[(String, Value)], expected: &serde_json::Map<String, Json>| {
        pairs.len() == expected.len()
            && pairs
                .iter()
                .all(|(key, value)| expected.get(key).is_some_and(|json| is(value, json)))
    };
    match expected {
        Json::Null => *value == Value::Null,
        Json::Bool(boolean) => value == &Value::Boolean(*boolean),
        Json::Number(number) => near(value.as_number(), number.as_f64()),
        Json::String(text) if text == "undefined" && *value == Value::Undefined => true,
        Json::String(text) => value.as_str() == Some(text),
        Json::Array(items) => value.elements().is_some_and(|elements| {
            elements.len() == items.len() && elements.iter().zip(items).all(|(v, j)| is(v, j))
        }),
        Json::Object(object) => match (object.get("_type").and_then(Json::as_str), value) {
            (None, _) if object.contains_key("float") => {
                near(value.as_number(), object["float"].as_f64())
            }
            (None, _) => value.properties().is_some_and(|pairs| same_pairs(pairs, object)),
            (Some("ecma"), Value::EcmaArray(pairs)) => {
                same_pairs(pairs, object["value"].as_object().unwrap())
            }
            (Some("undefined" | "amf0.Undefined"), value) => *value == Value::Undefined,
            (Some("reference"), Value::Reference(index)) => {
                object["index"].as_u64() == Some(u64::from(*index))
            }
            (Some("date"), Value::Date { millis, .. }) => Some(*millis) == object["ms"].as_f64(),
            (Some("xml"), Value::Xml(xml)) => Some(xml.as_str()) == object["value"].as_str(),
            (Some("typed"), Value::TypedObject(typed)) => {
                Some(typed.class.as_str()) == object["class"].as_str()
                    && same_pairs(&typed.properties, object["value"].as_object().unwrap())
            }
            (Some("amf0.Object"), Value::Object(pairs))
            | (Some("amf0.ECMAArray"), Value::EcmaArray(pairs)) => {
                // An object may have no properties.
                let items = object["items"].as_array().unwrap();
                pairs.len() == items.len()
                    && pairs.iter().zip(items).all(|((key, value), item)| {
                        item["Key"].as_str() == Some(key) && is(value, &item["Value"])
                    })
            }
            (Some("amf0.StrictArray"), Value::StrictArray(elements)) => {
                let items = list(&object["items"]);
                elements.len() == items.len() && elements.iter().zip(items).all(|(v, j)| is(v, j))
            }
            _ => false,
        },
    }
}

fn all_are(values: &[Value], expected: &[Json]) {
    assert_eq!(values.len(), expected.len(), "{values:?}");
    for (value, expected) in values.iter().zip(expected) {
        assert!(is(value, expected), "{value:?} is not {expected}");
    }
}

fn read_all(reader: &mut Reader, bytes: &[u8]) -> Result<Vec<Message>, chunk::Error> {
    let (mut input, mut messages) = (bytes, Vec::new());
    while let Some(message) = reader.read(&mut input)? {
        messages.push(message);
    }
    Ok(messages)
}

fn sized(size: &Json) -> Reader {
    let mut reader = Reader::default();
    reader.set_chunk_size(size.as_u64().unwrap() as u32);
    reader
}

#[test]
fn handshakes_of_real_clients() {
    let Some(set) = load("handshake.json") else { return };
    for recorded in list(&set["recorded"]) {
        let name = text(&recorded["name"]);
        let c0c1 = bytes_of(&recorded["c0c1_hex"]);
        let c1 = c0c1[1..].first_chunk::<1_536>().unwrap();
        let marked = ["digest_schema0", "digest_schema1"].iter().find_map(|schema| {
            (recorded[*schema][1] == true).then(|| recorded[*schema][0].as_u64().unwrap() as usize)
        });
        assert_eq!(handshake::digest_offset(c1), marked, "{name}");
        let mut out = Vec::new();
        let mut session = handshake::Server::new(1);
        assert_eq!(session.read(&mut c0c1.as_slice(), &mut out), Ok(false), "{name}");
        assert_eq!(out.len(), 3_073, "{name}");
        // a digest for clients that send one, the plain echo for all others
        assert_eq!(out[1 + 1_536..] == c0c1[1..], marked.is_none(), "{name}");
        let c2 = match recorded["c2_hex_recorded_answer_to_another_s1"].as_str() {
            Some(c2) => unhex(c2),
            None => vec![0; 1_536],
        };
        assert_eq!(session.read(&mut c2.as_slice(), &mut out), Ok(true), "{name}");
    }
    // Zeros in bytes 4 to 7: the server looks for no digest, even where the rest has a valid one.
    for recorded in list(&set["recorded"]) {
        let mut c0c1 = bytes_of(&recorded["c0c1_hex"]);
        c0c1[5..9].fill(0);
        let mut out = Vec::new();
        handshake::Server::new(1).read(&mut c0c1.as_slice(), &mut out).unwrap();
        assert_eq!(out[1 + 1_536..], c0c1[1..], "{}", recorded["name"]);
    }
    let mut bad = handshake::Server::new(1);
    assert!(bad.read(&mut [4].as_slice(), &mut Vec::new()).is_err());
}

#[test]
fn amf0_of_gortmplib_decodes_and_encodes_exactly() {
    let Some(set) = load("gortmplib/amf0.json") else { return };
    for case in list(&set["cases"]) {
        let bytes = bytes_of(&case["enc_hex"]);
        let values = amf0::decode(&bytes).unwrap();
        all_are(&values, list(&case["dec"]["items"]));
        assert_eq!(amf0::encode(&values), bytes, "{}", case["name"]);
    }
}

#[test]
fn amf0_of_the_others() {
    for name in ["scuffle/amf0.json", "rml_rtmp/amf0.json"] {
        let Some(set) = load(name) else { continue };
        for case in list(&set["cases"]) {
            let values = amf0::decode(&bytes_of(&case["hex"])).unwrap();
            // one of the cases is a single value, an object
            match &case["expected"] {
                Json::Array(expected) if values.len() == expected.len() => {
                    all_are(&values, expected);
                }
                expected => all_are(&values, std::slice::from_ref(expected)),
            }
        }
    }
    if let Some(set) = load("pyamf/amf0.json") {
        for case in list(&set["cases"]) {
            let bytes = bytes_of(&case["hex"]);
            let values = amf0::decode(&bytes).unwrap();
            all_are(&values, std::slice::from_ref(&case["expected"]));
            if !text(&case["name"]).contains("count 0") {
                assert_eq!(amf0::encode(&values), bytes, "{}", case["name"]);
            }
        }
    }
    if let Some(set) = load("flash-lso/amf0_values.json") {
        for value in list(&set["files"]).iter().flat_map(|file| list(&file["values"])) {
            let bytes = bytes_of(&value["hex"]);
            let values = amf0::decode(&bytes).unwrap();
            all_are(&values, std::slice::from_ref(&value["expected"]));
            assert_eq!(amf0::decode(&amf0::encode(&values)).unwrap(), values);
        }
    }
    if let Some(set) = load("xiu.json") {
        for case in list(&set["amf0"]) {
            all_are(&amf0::decode(&bytes_of(&case["hex"])).unwrap(), list(&case["expected"]));
        }
    }
}

#[test]
fn amf0_of_lal_and_what_must_fail() {
    if let Some(set) = load("lal/amf0.json") {
        for case in list(&set["cases"]) {
            let bytes = bytes_of(&case["hex"]);
            match text(&case["name"]).contains("chunk header first") {
                true => {
                    let messages = read_all(&mut chunk_reader(4_096), &bytes).unwrap();
                    all_are(&amf0::decode(&messages[0].body).unwrap(), list(&case["expected"]));
                }
                false => {
                    let (value, taken) = amf0::decode_one(&bytes, amf0::MAX_VALUES).unwrap();
                    assert!(is(&value, &case["expected"]), "{}", case["name"]);
                    assert_eq!(taken, bytes.len());
                }
            }
        }
        for short in list(&set["short_inputs"]) {
            assert!(
                amf0::decode_one(&bytes_of(&short["hex"]), amf0::MAX_VALUES).is_err(),
                "{short}"
            );
        }
    }
    if let Some(set) = load("go_oryx_lib.json") {
        for case in list(&set["amf0_ok"]) {
            let values = amf0::decode(&bytes_of(&case["hex"])).unwrap();
            all_are(&values, std::slice::from_ref(&case["expected"]));
        }
        // Keys in a strict array are that library's mistake: the specification has none.
        for case in list(&set["amf0_info"]) {
            assert!(amf0::decode_one(&bytes_of(&case["hex"]), amf0::MAX_VALUES).is_err());
        }
        for bad in list(&set["amf0_bad"]) {
            // 0d is "unsupported", a legal value in the specification; the set allows for it.
            let result = amf0::decode(&bytes_of(bad));
            assert!(
                result.is_err() || text(bad).is_empty() || text(bad).starts_with("0d"),
                "{bad}"
            );
            assert!(
                text(bad).starts_with("0d")
                    || amf0::decode_one(&bytes_of(bad), amf0::MAX_VALUES).is_err()
            );
        }
    }
}

fn chunk_reader(size: u32) -> Reader {
    let mut reader = Reader::default();
    reader.set_chunk_size(size);
    reader
}

/// That library reads the message stream ID as big-endian; the specification says little-endian.
fn stream_id(json: &Json) -> u32 {
    (json.as_u64().unwrap_or(0) as u32).swap_bytes()
}

fn gortmplib_message(json: &Json) -> Message {
    Message {
        chunk_stream: json["ChunkStreamID"].as_u64().unwrap() as u32,
        kind: Kind(json["Type"].as_u64().unwrap() as u8),
        stream: stream_id(&json["MessageStreamID"]),
        time: Time(json["Timestamp"]["ms"].as_u64().unwrap() as u32),
        body: bytes_of(&json["Body"]["hex"]).into(),
    }
}

#[test]
fn chunk_sequences_of_gortmplib() {
    let Some(set) = load("gortmplib/chunk_sequences.json") else { return };
    for case in list(&set["cases"]) {
        let (name, wire) = (text(&case["name"]), bytes_of(&case["wire_hex"]));
        let expected: Vec<_> = list(&case["messages"]).iter().map(gortmplib_message).collect();
        assert_eq!(read_all(&mut sized(&case["chunk_size"]), &wire).unwrap(), expected, "{name}");
        let (mut writer, mut written) = (Writer::new(), Vec::new());
        for message in &expected {
            writer.write(message, &mut written);
        }
        // That library writes zeros for the repeated extended timestamp. The specification, and
        // every other implementation that repeats it, repeats the timestamp.
        if name.contains("extended timestamp") {
            assert_ne!(written, wire);
            assert_eq!(read_all(&mut Reader::default(), &written).unwrap(), expected, "{name}");
        } else {
            assert_eq!(written, wire, "{name}");
        }
    }
}

#[test]
fn an_aborted_message_and_a_repeated_time_of_gortmplib() {
    let Some(set) = load("gortmplib/chunk_sequences.json") else { return };
    let abort = &set["abort"];
    let mut reader = sized(&abort["chunk_size"]);
    let first = read_all(&mut reader, &bytes_of(&abort["wire_before_abort_hex"])).unwrap();
    let seen = |messages: &[Message]| -> Vec<(u32, Vec<u8>)> {
        messages.iter().map(|message| (message.chunk_stream, message.body.to_vec())).collect()
    };
    assert_eq!(seen(&first), [(28, vec![1, 2, 3, 4])]);
    let abort_27 = [2, 0, 0, 0, 0, 0, 4, 2, 0, 0, 0, 0, 0, 0, 0, 27];
    assert_eq!(read_all(&mut reader, &abort_27).unwrap().len(), 1);
    let after = read_all(&mut reader, &bytes_of(&abort["wire_after_abort_hex"])).unwrap();
    assert_eq!(seen(&after), [(27, vec![9, 8, 7])]);
    // A type 3 chunk that begins a message: in the specification its time is a delta; this library
    // and others repeat the time.
    for case in list(&set["reader_only"]) {
        let messages = read_all(&mut chunk_reader(128), &bytes_of(&case["wire_hex"])).unwrap();
        let times: Vec<_> = messages.iter().map(|message| u64::from(message.time.0)).collect();
        let first = case["timestamps_ms"][0].as_u64().unwrap();
        assert_eq!((times[0], times.len()), (first, 2), "{}", case["name"]);
        let delta = u64::from((first as u32).wrapping_mul(2));
        assert!(times[1] == first || times[1] == delta, "{}: {times:?}", case["name"]);
    }
}

#[test]
fn single_chunks_of_gortmplib() {
    let Some(set) = load("gortmplib/chunks.json") else { return };
    for case in list(&set["cases"]) {
        let (dec, wire) = (&case["dec"], bytes_of(&case["enc_hex"]));
        let here = case["body_bytes_in_this_chunk"].as_u64().unwrap() as u32;
        // Types 1 to 3 refer to the message before: here, a message of one chunk on the same chunk
        // stream.
        let length = dec["BodyLen"].as_u64().unwrap_or(20) as usize;
        let extended = case["prev_chunk_had_extended_timestamp"] == true;
        let first = Message {
            chunk_stream: 25,
            kind: Kind(dec["Type"].as_u64().unwrap_or(20) as u8),
            stream: 1,
            time: Time(if extended { 0x0100_0000 } else { 0 }),
            body: vec![0; length].into(),
        };
        let mut reader = chunk_reader(4_096);
        let mut bytes = Vec::new();
        let mut rest = wire.clone();
        let full = text(&dec["_type"]) == "chunk.Chunk0";
        if !full {
            let mut writer = Writer::new();
            writer.set_chunk_size(4_096);
            writer.write(&first, &mut bytes);
        }
        // The message that begins here is longer than the chunk: type 3 chunks complete it.
        let mut before = read_all(&mut reader, &bytes).unwrap();
        reader.set_chunk_size(here);
        let delta = dec["TimestampDelta"].as_u64().map(|delta| delta as u32);
        let field = dec["Timestamp"].as_u64().map(|time| time as u32).or(delta);
        // Our writer repeats an extended timestamp, as the specification says.
        let repeat = field.filter(|field| *field >= 0xFF_FFFF);
        for _ in 0..length / here as usize - 1 {
            rest.push(0xC0 | 25);
            rest.extend(repeat.into_iter().flat_map(u32::to_be_bytes));
            rest.extend(if extended { vec![0; 4] } else { vec![] });
            rest.extend(vec![9; here as usize]);
        }
        before.extend(read_all(&mut reader, &rest).unwrap());
        let message = before.last().unwrap();
        assert_eq!(before.len(), if full { 1 } else { 2 }, "{}", case["name"]);
        assert_eq!(message.chunk_stream, 25);
        assert_eq!(message.body[..4], bytes_of(&dec["Body"]["hex"]), "{}", case["name"]);
        let time = match (full, delta) {
            (true, _) => field.unwrap(),
            (false, Some(delta)) => first.time.plus(delta).0,
            // Type 3 after type 0: the time of type 0 is the delta.
            (false, None) => first.time.plus(first.time.0).0,
        };
        assert_eq!(message.time.0, time, "{}", case["name"]);
        if full {
            assert_eq!(message.stream, stream_id(&dec["MessageStreamID"]));
            let mut written = Vec::new();
            let mut writer = Writer::new();
            writer.set_chunk_size(here);
            writer.write_chunk(&mut chunk::Pending::new(message.clone()), &mut written);
            assert_eq!(written, wire, "{}", case["name"]);
        }
    }
}

#[test]
fn messages_of_gortmplib() {
    let Some(set) = load("gortmplib/messages.json") else { return };
    let cases = list(&set["cases"]).iter().chain(list(&set["extra"]));
    for case in cases {
        let (name, dec) = (text(&case["name"]), &case["dec"]);
        let wire = bytes_of(&case["enc_hex"]);
        let messages = read_all(&mut Reader::default(), &wire).unwrap();
        let [message] = messages.as_slice() else { panic!("{name}: {messages:?}") };
        if let Some(id) = dec["ChunkStreamID"].as_u64().filter(|_| !name.contains("abort")) {
            assert_eq!(u64::from(message.chunk_stream), id, "{name}");
            assert_eq!(message.stream, stream_id(&dec["MessageStreamID"]), "{name}");
        }
        if let Some(time) = dec["DTS"]["ms"].as_u64() {
            assert_eq!(u64::from(message.time.0), time, "{name}");
        }
        let number = |name: &str| dec[name].as_u64().unwrap() as u32;
        let stream = || number("StreamID");
        let user = UserControl::parse(&message.body);
        // The extra cases have no type.
        match dec["_type"].as_str().unwrap_or_default() {
            "message.Acknowledge" => {
                let control = Control::parse(message.kind, &message.body);
                assert_eq!(control, Some(Control::Acknowledgement(number("Value"))));
            }
            "message.AbortMessage" => {
                let chunk_stream = number("ChunkStreamID");
                let control = Control::parse(message.kind, &message.body);
                assert_eq!(control, Some(Control::Abort { chunk_stream }));
            }
            "message.SetChunkSize" => {
                let control = Control::SetChunkSize(number("Value"));
                assert_eq!(Control::parse(message.kind, &message.body), Some(control));
                let mut written = Vec::new();
                Writer::new().write(&control.message(), &mut written);
                assert_eq!(written, wire);
            }
            "message.UserControlStreamBegin" => {
                assert_eq!(user, Some(UserControl::StreamBegin(stream())));
            }
            "message.UserControlStreamEOF" => {
                assert_eq!(user, Some(UserControl::StreamEof(stream())));
            }
            "message.UserControlStreamDry" => {
                assert_eq!(user, Some(UserControl::StreamDry(stream())));
            }
            "message.UserControlStreamIsRecorded" => {
                assert_eq!(user, Some(UserControl::StreamIsRecorded(stream())));
            }
            "message.UserControlPingRequest" => {
                assert_eq!(user, Some(UserControl::PingRequest(number("ServerTime"))));
            }
            "message.UserControlPingResponse" => {
                assert_eq!(user, Some(UserControl::PingResponse(number("ServerTime"))));
            }
            "message.UserControlSetBufferLength" => {
                let (stream, millis) = (stream(), number("BufferLength"));
                assert_eq!(user, Some(UserControl::SetBufferLength { stream, millis }));
            }
            "message.CommandAMF0" => {
                let command = Command::parse(message.kind, &message.body).unwrap();
                assert_eq!(command.name, text(&dec["Name"]));
                assert_eq!(Some(command.transaction), dec["CommandID"].as_f64());
                let values = amf0::decode(&message.body).unwrap();
                all_are(&values[2..], list(&dec["Arguments"]["items"]));
            }
            "message.DataAMF0" => {
                let values = amf0::decode(&message.body).unwrap();
                all_are(&values, list(&dec["Payload"]["items"]));
            }
            kind if kind.contains("Audio") => assert_eq!(message.kind, Kind::AUDIO, "{name}"),
            kind if kind.contains("Video") => assert_eq!(message.kind, Kind::VIDEO, "{name}"),
            _ => assert!(user.is_some(), "{name}"),
        }
    }
}

/// gortmplib refuses the two beginnings in `errors`; our server relays them, which is right.
/// gortmplib's reader must name all tracks before it passes on the first frame; our server carries
/// bodies without looking into them (RTMP 1.0, 7.1.4, 7.1.5). Both beginnings are legal: Enhanced
/// RTMP v2 lets a track begin at any time. It forbids neither frames before their sequence start
/// (an encoder that resumes sends them, and a receiver skips to the next start) nor a configured
/// track that is still silent. `vectors_relay.rs` tests what our player and recorder do with them.
#[test]
fn beginnings_of_real_publishers() {
    let Some(set) = load("gortmplib/read_tracks.json") else { return };
    for case in list(&set["cases"]).iter().chain(list(&set["errors"])) {
        let parts = list(&case["messages"]);
        let wire = match case["wire_hex"].as_str() {
            Some(wire) => unhex(wire),
            None => parts.iter().flat_map(|part| bytes_of(&part["wire_hex"])).collect(),
        };
        let messages = read_all(&mut sized(&case["chunk_size"]), &wire).unwrap();
        assert_eq!(messages.len(), parts.len(), "{}", case["name"]);
        assert!(messages.iter().all(|message| matches!(message.kind.0, 8 | 9 | 18)));
    }
}

/// The tracks in these bodies, in the order in which they begin: the codec's name as in the set,
/// and the codec config if there is one.
fn tracks(messages: &[Message]) -> Vec<(&'static str, Bytes)> {
    let mut found: Vec<((u8, u8), &'static str, Bytes)> = Vec::new();
    let mut add = |key: (u8, u8), codec, config: Option<&Bytes>| {
        let known = found.iter_mut().find(|(known, ..)| *known == key);
        let config = config.cloned().unwrap_or_default();
        match known {
            Some((.., before)) if before.is_empty() => *before = config,
            Some(_) => {}
            None => found.push((key, codec, config)),
        }
    };
    for message in messages {
        match message.kind {
            Kind::VIDEO => {
                for track in parse_video(&message.body).unwrap().tracks() {
                    let codec = match track.format {
                        VideoFormat::H264 => "H264",
                        VideoFormat::Hevc => "H265",
                        VideoFormat::Av1 => "AV1",
                        other => panic!("{other:?}"),
                    };
                    match &track.packet {
                        VideoPacket::SequenceStart(config) => {
                            add((9, track.id), codec, Some(config));
                        }
                        VideoPacket::Frame { .. } => add((9, track.id), codec, None),
                        _ => {}
                    }
                }
            }
            Kind::AUDIO => {
                for track in parse_audio(&message.body).unwrap().tracks() {
                    let codec = match track.format {
                        AudioFormat::Aac => "MPEG4Audio",
                        AudioFormat::Mp3 => "MPEG1Audio",
                        AudioFormat::Ac3 => "AC3",
                        AudioFormat::Opus => "Opus",
                        AudioFormat::Flac => "FLAC",
                        AudioFormat::Legacy(7 | 8) => "G711",
                        AudioFormat::Legacy(3) => "LPCM",
                        other => panic!("{other:?}"),
                    };
                    match &track.packet {
                        AudioPacket::SequenceStart(config) => {
                            add((8, track.id), codec, Some(config));
                        }
                        AudioPacket::Frame(_) => add((8, track.id), codec, None),
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
    // Video first, as in the set.
    found.sort_by_key(|((kind, id), ..)| (std::cmp::Reverse(*kind), *id));
    found.into_iter().map(|(_, codec, config)| (codec, config)).collect()
}

#[test]
fn publishers_come_to_their_tracks() {
    let Some(set) = load("gortmplib/read_tracks.json") else { return };
    for case in list(&set["cases"]) {
        let name = text(&case["name"]);
        let wire = match case["wire_hex"].as_str() {
            Some(wire) => unhex(wire),
            None => {
                list(&case["messages"]).iter().flat_map(|it| bytes_of(&it["wire_hex"])).collect()
            }
        };
        let messages = read_all(&mut sized(&case["chunk_size"]), &wire).unwrap();
        let found = tracks(&messages);
        let codecs: Vec<_> = found.iter().map(|(codec, _)| format!("codecs.{codec}")).collect();
        let expected = list(&case["expected_tracks"]);
        let named: Vec<_> = expected.iter().map(|it| text(&it["Codec"]["_type"])).collect();
        assert_eq!(codecs, named, "{name}");
        for ((_, config), track) in found.iter().zip(expected) {
            let codec = &track["Codec"];
            match text(&codec["_type"]) {
                "codecs.H264" => {
                    let record = DecoderConfig::parse(config).unwrap();
                    let (sps, pps) = (&record.sps[0], &record.pps[0]);
                    assert_eq!(sps[..], bytes_of(&codec["SPS"]["hex"]), "{name}");
                    assert_eq!(pps[..], bytes_of(&codec["PPS"]["hex"]), "{name}");
                }
                "codecs.H265" => {
                    let sets = ["VPS", "SPS", "PPS"].map(|set| bytes_of(&codec[set]["hex"]));
                    for set in sets {
                        let inside = config.windows(set.len()).any(|part| part == set);
                        assert!(inside, "{name}");
                    }
                    assert!(codec::hevc(config).unwrap().size.is_some(), "{name}");
                }
                "codecs.MPEG4Audio" => {
                    let fields = &codec["Config"];
                    let config = AudioSpecificConfig::parse(config).unwrap();
                    let rate = u64::from(config.sample_rate);
                    assert_eq!(Some(rate), fields["SampleRate"].as_u64(), "{name}");
                    let channels = u64::from(config.channel_config);
                    assert_eq!(Some(channels), fields["ChannelConfig"].as_u64(), "{name}");
                }
                _ => {}
            }
        }
    }
}

#[test]
fn urls_of_gortmplib() {
    let Some(set) = load("gortmplib/urls.json") else { return };
    for case in list(&set["server"]) {
        let tc_url = text(&case["tcurl"]);
        let name = StreamName::resolve(tc_url, text(&case["app"]), text(&case["streamKey"]));
        let server: Vec<_> = tc_url.trim_start_matches('\'').split('/').take(3).collect();
        let query = if name.query.is_empty() { String::new() } else { format!("?{}", name.query) };
        let url = format!("{}/{}{query}", server.join("/"), name.path());
        assert_eq!(url, text(&case["expectedURL"]), "{}", case["name"]);
    }
    // How that library's client splits a URL (all of it into the app) is its own convention.
}

#[test]
fn urls_of_lal() {
    let Some(set) = load("lal/urls.json") else { return };
    for case in list(&set["cases"]) {
        let whole = text(&case["url"]);
        let url = match Url::parse(whole) {
            Ok(url) => url,
            // A URL without a path names no stream, so parsing fails.
            Err(error) => {
                assert!(text(&case["PathWithoutLastItem"]).is_empty(), "{whole}: {error}");
                assert!(text(&case["LastItemOfPath"]).is_empty(), "{whole}: {error}");
                continue;
            }
        };
        assert_eq!(url.host, text(&case["Host"]), "{whole}");
        assert_eq!(Some(u64::from(url.port)), case["Port"].as_u64(), "{whole}");
        let path = [url.app.as_str(), url.stream.expose()].join("/");
        let path = path.trim_matches('/');
        let expected = text(&case["PathWithRawQuery"]).trim_matches('/');
        assert_eq!(path, expected, "{whole}");
    }
    for case in list(&set["client_split"]) {
        let url = Url::parse(text(&case["url"])).unwrap();
        assert_eq!(url.app, text(&case["app"]));
        assert_eq!(url.stream.expose(), text(&case["stream"]));
        if let Some(tc_url) = case["tcUrl"].as_str() {
            // `tcUrl` omits the scheme's default port.
            assert_eq!(url.tc_url(), tc_url.replace(":1935", ""));
        }
    }
}

#[test]
fn headers_of_membrane() {
    let Some(set) = load("membrane/headers.json") else { return };
    for case in list(&set["cases"]) {
        let (name, expected) = (text(&case["name"]), &case["expected"]);
        let (mut reader, previous) = (Reader::default(), &case["previous_header"]);
        if previous.is_object() {
            let number = |name: &str| previous[name].as_u64().unwrap() as u32;
            let message = |time: u32| Message {
                chunk_stream: number("csid"),
                kind: Kind(number("type") as u8),
                stream: number("stream"),
                time: Time(time),
                body: vec![0; number("length") as usize].into(),
            };
            let (mut writer, mut bytes) = (Writer::new(), Vec::new());
            // the delta that type 3 repeats comes from a message of type 2
            if let Some(delta) = previous["delta"].as_u64() {
                writer.write(&message(number("timestamp") - delta as u32), &mut bytes);
            }
            writer.write(&message(number("timestamp")), &mut bytes);
            read_all(&mut reader, &bytes).unwrap();
        }
        let length = expected["length"].as_u64().or(previous["length"].as_u64()).unwrap();
        let mut bytes = bytes_of(&case["hex"]);
        bytes.extend(vec![0; length as usize]);
        reader.set_chunk_size(65_536);
        let messages = read_all(&mut reader, &bytes).unwrap();
        let [message] = messages.as_slice() else { panic!("{name}") };
        let check = |field: &str, value: u32| {
            if let Some(expected) = expected[field].as_u64() {
                assert_eq!(u64::from(value), expected, "{name}: {field}");
            }
        };
        check("csid", message.chunk_stream);
        check("timestamp", message.time.0);
        check("length", message.body.len() as u32);
        check("type", u32::from(message.kind.0));
        check("stream", message.stream);
    }
    for alias in list(&set["command_aliases"]["names"]) {
        let body = amf0::encode(&[Value::from(text(alias)), 1.0.into()]);
        let command = Command::parse(Kind::COMMAND, &body).unwrap();
        assert_eq!(command.name, text(alias).trim_start_matches('@'));
    }
}

/// Feeds the parts one by one; returns the messages that are complete after each.
fn feeds(case: &Json) -> Result<Vec<Vec<Message>>, chunk::Error> {
    let mut reader = sized(&case["chunk_size"]);
    list(&case["feeds_hex"]).iter().map(|feed| read_all(&mut reader, &bytes_of(feed))).collect()
}

fn check_message(message: &Message, expected: &Json, name: &str) {
    let number = |field: &str| expected[field].as_u64();
    let check = |field: &str, value: u64| {
        assert_eq!(number(field).unwrap_or(value), value, "{name}: {field}");
    };
    check("csid", u64::from(message.chunk_stream));
    check("type", u64::from(message.kind.0));
    check("timestamp", u64::from(message.time.0));
    check("length", message.body.len() as u64);
    check("stream", u64::from(message.stream));
    if let Some(body) = expected["body"].as_str() {
        assert_eq!(message.body, unhex(body), "{name}");
    }
}

#[test]
fn chunk_feeds_of_rml_rtmp_and_scuffle() {
    for set in ["rml_rtmp/chunks.json", "scuffle/chunk_reader.json"] {
        let Some(set) = load(set) else { continue };
        for case in list(&set["cases"]) {
            let (name, expected) = (text(&case["name"]), list(&case["expected"]));
            let result = feeds(case);
            if expected[0] == "error" {
                assert!(result.is_err(), "{name}");
                continue;
            }
            let fed = result.unwrap();
            // That library limits messages to 10 MiB. Our limit is 16 MiB, and memory is not
            // allocated in advance.
            if expected[0].as_str().is_some_and(|it| it.starts_with("error (limit")) {
                assert_eq!(fed, [vec![]], "{name}");
                continue;
            }
            for (messages, expected) in fed.iter().zip(expected) {
                match (messages.as_slice(), expected) {
                    ([], Json::Null) => {}
                    ([message], expected) => {
                        let mut expected = expected.clone();
                        // We ignore the time of a type 1 header in the middle of a message; that
                        // library adds it. The set does not require either.
                        if name.contains("continuation chunks of types 1, 2, 3") {
                            expected["timestamp"] = Json::Null;
                        }
                        check_message(message, &expected, name);
                    }
                    (messages, expected) => panic!("{name}: {messages:?} is not {expected}"),
                }
            }
        }
    }
}

#[test]
fn times_of_rml_rtmp() {
    let Some(set) = load("rml_rtmp/chunks.json") else { return };
    for sum in list(&set["timestamps"]) {
        let number = |field: &str| sum[field].as_u64().map(|number| number as u32);
        let delta = number("plus").or(number("minus").map(u32::wrapping_neg)).unwrap();
        assert_eq!(Time(number("a").unwrap()).plus(delta).0, number("result").unwrap());
    }
}

#[test]
fn chunks_of_lal() {
    let Some(set) = load("lal/chunks.json") else { return };
    for case in list(&set["cases"]) {
        let wire = bytes_of(&case["wire_hex"]);
        let messages = read_all(&mut sized(&case["chunk_size"]), &wire).unwrap();
        assert_eq!(messages.len(), list(&case["expected"]).len());
        for (message, expected) in messages.iter().zip(list(&case["expected"])) {
            check_message(message, expected, text(&case["name"]));
        }
    }
    for length in list(&set["divider"]["lengths"]) {
        let length = length.as_u64().unwrap() as usize;
        let body: Vec<u8> = (0..length).map(|at| at as u8).collect();
        let [_, l0, l1, l2] = (length as u32).to_be_bytes();
        let mut expected = vec![7, 0, 0, 123, l0, l1, l2, 9, 1, 0, 0, 0];
        for (at, part) in body.chunks(4_096).enumerate() {
            expected.extend([0xC7].iter().take(usize::from(at > 0)));
            expected.extend(part);
        }
        let mut written = Vec::new();
        chunk::encode_standalone(7, 1, Time(123), Kind::VIDEO, &body, 4_096, &mut written);
        assert_eq!(written, expected, "{length}");
    }
}

#[test]
fn a_greeting_of_haishinkit_whole_and_cut_short() {
    let Some(set) = load("haishinkit.json") else { return };
    let greeting = read_all(&mut Reader::default(), &bytes_of(&set["server_greeting"]["wire_hex"]));
    let greeting = greeting.unwrap();
    let controls: Vec<_> =
        greeting[..3].iter().filter_map(|m| Control::parse(m.kind, &m.body)).collect();
    assert_eq!(controls[0], Control::WindowAcknowledgementSize(5_000_000));
    assert_eq!(controls[1], Control::SetPeerBandwidth { window: 5_000_000 });
    assert_eq!(controls[2], Control::SetChunkSize(8_192));
    assert_eq!(Command::parse(greeting[3].kind, &greeting[3].body).unwrap().name, "_result");
    assert_eq!(greeting.len(), 4);
    let mut reader = Reader::default();
    let three = read_all(&mut reader, &bytes_of(&set["underflow"]["wire_hex"])).unwrap();
    assert_eq!(three.len(), 3);
    let tail = bytes_of(&set["underflow"]["tail_hex"]);
    assert_eq!(read_all(&mut reader, &tail).unwrap().len(), 1);
    // The `connect` object of its clients survives our AMF0 writer and reader.
    let recorded = &set["amf0_connect_object"];
    let object = Value::object(recorded.as_object().unwrap().iter().map(|(key, value)| {
        let value = match value {
            Json::Null => Value::Null,
            Json::Bool(flag) => Value::Boolean(*flag),
            Json::Number(number) => Value::Number(number.as_f64().unwrap()),
            Json::Array(texts) => {
                Value::StrictArray(texts.iter().map(|it| Value::from(text(it))).collect())
            }
            other => Value::from(text(other)),
        };
        (key.as_str(), value)
    }));
    let back = amf0::decode(&amf0::encode(std::slice::from_ref(&object))).unwrap();
    assert_eq!(back, [object]);
    assert!(is(&back[0], recorded));
    // The source's writer uses chunk stream 1, which is not a valid chunk stream: for information
    // only.
}

#[test]
fn frames_of_krtmp() {
    let Some(set) = load("krtmp.json") else { return };
    let resources = set["resources"].as_object().unwrap();
    for (name, expected) in resources {
        let Some(at) = name.strip_suffix("/expected") else { continue };
        let body = resources.get(&format!("{at}/raw")).or(resources.get(&format!("{at}/sequence")));
        let messages = read_all(&mut chunk_reader(4_096), &bytes_of(expected)).unwrap();
        assert_eq!(messages.len(), 1, "{name}");
        assert_eq!(messages[0].body, bytes_of(body.unwrap()), "{name}");
    }
}

#[test]
fn chunks_of_xiu() {
    let Some(set) = load("xiu.json") else { return };
    for case in list(&set["chunks"]) {
        let mut reader = Reader::default();
        let messages = read_all(&mut reader, &bytes_of(&case["wire_hex"])).unwrap();
        assert_eq!(messages.len(), list(&case["expected"]).len());
        for (message, expected) in messages.iter().zip(list(&case["expected"])) {
            assert_eq!(Some(u64::from(message.kind.0)), expected["type"].as_u64());
            if let Some(size) = expected["value"].as_u64() {
                let control = Control::parse(message.kind, &message.body);
                assert_eq!(control, Some(Control::SetChunkSize(size as u32)));
            } else {
                all_are(&amf0::decode(&message.body).unwrap(), list(&expected["values"]));
            }
        }
    }
}

#[test]
fn adobe_authentication() {
    let Some(set) = load("adobe_auth.json") else { return };
    for vector in list(&set["vectors"]) {
        let field = |name: &str| text(&vector[name]).to_owned();
        let credentials = onair::wire::rtmp::url::Credentials {
            user: field("user"),
            password: field("password").into(),
        };
        let [salt, opaque, challenge] = ["salt", "opaque", "challenge"].map(field);
        let client_challenge = field("client_challenge");
        let response =
            auth::adobe_response(&credentials, &salt, &opaque, &challenge, &client_challenge);
        assert_eq!(response, field("response"));
    }
    for case in list(&set["parse"]) {
        let challenge = auth::Challenge::parse(text(&case["description"]));
        if case["salt"].is_string() {
            let challenge = challenge.unwrap();
            assert_eq!(challenge.salt.as_deref(), case["salt"].as_str());
            assert_eq!(challenge.challenge.as_deref(), case["challenge"].as_str());
            assert_eq!(challenge.opaque.as_deref(), case["opaque"].as_str());
        } else if case["result"].is_null() {
            assert_eq!(challenge, None);
        } else {
            let credentials =
                onair::wire::rtmp::url::Credentials { user: "u".into(), password: "p".into() };
            let answer = auth::next_query(&challenge.unwrap(), &credentials, "live", "00000000");
            assert_eq!(answer, None, "no salt, no answer");
        }
    }
}

#[test]
fn seeds_of_fuzzers_end_in_values_or_errors() {
    let Some(set) = load("gortmplib/fuzz_seeds.json") else { return };
    for (target, seeds) in set["targets"].as_object().unwrap() {
        for bytes in list(seeds).iter().flat_map(|seed| list(&seed["args"])).map(bytes_of) {
            if target.contains("amf0") {
                let _ = amf0::decode(&bytes);
                continue;
            }
            let _ = read_all(&mut Reader::default(), &bytes);
            let greeting = [vec![3; 1 + 2 * 1_536], bytes].concat();
            let mut server = server::Session::new(server::Config::default(), Timestamp::ZERO, 1);
            let _ = server.handle_input(Timestamp::ZERO, &greeting);
            let config = client::Config::play(Url::parse("rtmp://h/a/b").unwrap());
            let mut client = client::Session::new(config, Timestamp::ZERO, 1);
            let _ = client.handle_input(Timestamp::ZERO, &greeting);
        }
    }
}
