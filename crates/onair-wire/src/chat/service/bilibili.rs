//! The chat of Bilibili: packets in binary messages of a WebSocket. A packet has a head of 16 bytes: its
//! length, the length of the head, the version, the operation and a number. With version 2, its body is
//! compressed and contains packets.

use std::io::Read;

use flate2::read::ZlibDecoder;
use serde_json::{Value, json};

use super::ServicePost;
use crate::wire::chat::ChatRole;

/// The WebSocket of the service.
pub const SERVER: &str = "wss://broadcastlv.chat.bilibili.com:443/sub";
/// The longest accepted message and the longest packets after decompression, in bytes.
pub const MAX_FRAME_BYTES: usize = 1 << 20;
/// The length of a head.
const HEAD: usize = 16;
/// Maximum number of packets in a message. More are ignored.
const MAX_PACKETS: usize = 512;

const PLAIN: u16 = 1;
const ZLIB: u16 = 2;

const HEARTBEAT: u32 = 2;
const HEARTBEAT_ANSWER: u32 = 3;
const NEWS: u32 = 5;
const LOGIN: u32 = 7;
const LOGIN_ANSWER: u32 = 8;

/// What a packet tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BilibiliEvent {
    /// The chat is joined.
    Joined,
    /// The service refuses the login, with a number.
    Refused(i64),
    /// The service is still there.
    Alive,
    Post(ServicePost),
    /// The message with this id is deleted.
    Deleted(String),
}

fn packet(operation: u32, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(HEAD + body.len()).unwrap_or(u32::MAX);
    let mut packet = Vec::with_capacity(HEAD + body.len());
    packet.extend_from_slice(&length.to_be_bytes());
    packet.extend_from_slice(&(HEAD as u16).to_be_bytes());
    packet.extend_from_slice(&PLAIN.to_be_bytes());
    packet.extend_from_slice(&operation.to_be_bytes());
    packet.extend_from_slice(&1_u32.to_be_bytes());
    packet.extend_from_slice(body);
    packet
}

/// Returns the message that joins a room. `permission` is the `auth_body` that the open platform gave to
/// the streamer; without one, onair logs in as a visitor.
pub fn login(room: &str, permission: Option<&str>) -> Vec<u8> {
    let room: u64 = room.parse().unwrap_or_default();
    let visitor = || {
        json!({ "uid": 0, "roomid": room, "protover": ZLIB, "platform": "web", "type": 2 })
            .to_string()
    };
    packet(LOGIN, permission.map_or_else(visitor, str::to_owned).as_bytes())
}

/// Returns the message that the service expects every 30 seconds.
pub fn heartbeat() -> Vec<u8> {
    packet(HEARTBEAT, b"")
}

/// Reads the packets of a message. Packets that are unknown or malformed tell nothing.
pub fn events(frame: &[u8]) -> Vec<BilibiliEvent> {
    let mut events = Vec::new();
    if frame.len() <= MAX_FRAME_BYTES {
        read(frame, true, &mut events);
    }
    events
}

fn read(mut rest: &[u8], outer: bool, events: &mut Vec<BilibiliEvent>) {
    for _ in 0..MAX_PACKETS {
        let Some((head, _)) = rest.split_first_chunk::<HEAD>() else { return };
        let [a, b, c, d, e, f, g, h, i, j, k, l, ..] = *head;
        let length = u32::from_be_bytes([a, b, c, d]) as usize;
        let start = usize::from(u16::from_be_bytes([e, f]));
        let version = u16::from_be_bytes([g, h]);
        let operation = u32::from_be_bytes([i, j, k, l]);
        if start < HEAD {
            return;
        }
        let Some(body) = rest.get(start..length) else { return };
        match (operation, version) {
            // Compressed packets contain no compressed packets.
            (NEWS, ZLIB) if outer => {
                let mut inner = Vec::new();
                let limit = MAX_FRAME_BYTES as u64;
                if ZlibDecoder::new(body).take(limit).read_to_end(&mut inner).is_ok() {
                    read(&inner, false, events);
                }
            }
            (NEWS, 0 | PLAIN) => {
                events.extend(serde_json::from_slice(body).ok().iter().filter_map(news));
            }
            (LOGIN_ANSWER, _) => {
                let answer: Value = serde_json::from_slice(body).unwrap_or_default();
                events.push(match answer.get("code").and_then(Value::as_i64).unwrap_or(0) {
                    0 => BilibiliEvent::Joined,
                    code => BilibiliEvent::Refused(code),
                });
            }
            (HEARTBEAT_ANSWER, _) => events.push(BilibiliEvent::Alive),
            _ => {}
        }
        rest = rest.get(length..).unwrap_or_default();
    }
}

fn news(value: &Value) -> Option<BilibiliEvent> {
    let text = |path: &str| value.pointer(path).and_then(Value::as_str).unwrap_or_default();
    let id = |path: &str| match value.pointer(path) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => number.to_string(),
        _ => String::new(),
    };
    let command = text("/cmd");
    let post = match command.split(':').next().unwrap_or_default() {
        "DANMU_MSG" => {
            let is_moderator = value.pointer("/info/2/2").and_then(Value::as_i64) == Some(1);
            let role = if is_moderator { ChatRole::Moderator } else { ChatRole::Viewer };
            ServicePost::new(("", &id("/info/2/0")), role, text("/info/2/1"), text("/info/1"))
        }
        "SUPER_CHAT_MESSAGE" => {
            let ids = (id("/data/id"), id("/data/uid"));
            let name = text("/data/user_info/uname");
            ServicePost::new((&ids.0, &ids.1), ChatRole::Viewer, name, text("/data/message"))
        }
        "LIVE_OPEN_PLATFORM_DM" => {
            let ids = (text("/data/msg_id"), text("/data/open_id"));
            ServicePost::new(ids, ChatRole::Viewer, text("/data/uname"), text("/data/msg"))
        }
        "LIVE_OPEN_PLATFORM_SUPER_CHAT" => {
            let ids = (id("/data/message_id"), id("/data/open_id"));
            let name = text("/data/uname");
            ServicePost::new((&ids.0, &ids.1), ChatRole::Viewer, name, text("/data/message"))
        }
        "SUPER_CHAT_MESSAGE_DELETE" => {
            return Some(id("/data/ids/0")).filter(|id| !id.is_empty()).map(BilibiliEvent::Deleted);
        }
        "LIVE_OPEN_PLATFORM_SUPER_CHAT_DEL" => {
            let id = id("/data/message_ids/0");
            return Some(id).filter(|id| !id.is_empty()).map(BilibiliEvent::Deleted);
        }
        _ => None,
    };
    post.map(BilibiliEvent::Post)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::ZlibEncoder;

    use super::*;

    const DANMU: &str =
        r#"{"cmd":"DANMU_MSG:4:0:2:2:2:0","info":[[0,1,25],"加油",[7,"小明",1,0]]}"#;

    #[test]
    fn the_login_is_a_packet_with_the_room() {
        let login = login("123", None);
        assert_eq!(
            login.get(..16).unwrap(),
            [0, 0, 0, login.len() as u8, 0, 16, 0, 1, 0, 0, 0, 7, 0, 0, 0, 1]
        );
        let body: Value = serde_json::from_slice(&login[16..]).unwrap();
        assert_eq!((&body["roomid"], &body["protover"]), (&123.into(), &2.into()));
        assert_eq!(&super::login("1", Some("{}"))[16..], b"{}");
        assert_eq!(heartbeat().len(), 16);
    }

    #[test]
    fn packets_are_read_plain_and_compressed() {
        let mut inner = packet(NEWS, DANMU.as_bytes());
        let gift = r#"{"cmd":"SUPER_CHAT_MESSAGE","data":{"id":5,"uid":8,"message":"hi","user_info":{"uname":"Ann"}}}"#;
        inner.extend(packet(NEWS, gift.as_bytes()));
        let mut zlib = ZlibEncoder::new(Vec::new(), Compression::fast());
        zlib.write_all(&inner).unwrap();
        let mut outer = packet(NEWS, &zlib.finish().unwrap());
        outer[7] = ZLIB as u8;
        let mut frame = packet(LOGIN_ANSWER, br#"{"code":0}"#);
        frame.extend(packet(HEARTBEAT_ANSWER, &[0, 0, 0, 1]));
        frame.extend(outer);
        frame.extend(packet(NEWS, br#"{"cmd":"SUPER_CHAT_MESSAGE_DELETE","data":{"ids":[5]}}"#));
        let seen: Vec<String> = events(&frame)
            .into_iter()
            .map(|event| match event {
                BilibiliEvent::Post(post) => {
                    format!(
                        "{}/{} {:?} {}: {}",
                        post.id, post.from, post.role, post.line.name, post.line.text
                    )
                }
                other => format!("{other:?}"),
            })
            .collect();
        let expected =
            ["Joined", "Alive", "/7 Moderator 小明: 加油", "5/8 Viewer Ann: hi", "Deleted(\"5\")"];
        assert_eq!(seen, expected);
        assert_eq!(
            events(&packet(LOGIN_ANSWER, br#"{"code":-101}"#)),
            [BilibiliEvent::Refused(-101)]
        );
    }

    #[test]
    fn a_message_that_grows_without_end_is_cut() {
        let mut zlib = ZlibEncoder::new(Vec::new(), Compression::best());
        for _ in 0..64 {
            zlib.write_all(&vec![0; 1 << 20]).unwrap();
        }
        let mut bomb = packet(NEWS, &zlib.finish().unwrap());
        bomb[7] = ZLIB as u8;
        assert_eq!(events(&bomb), []);
    }

    proptest::proptest! {
        #[test]
        fn no_message_panics(mut frame in proptest::arbitrary::any::<Vec<u8>>(), length in 0_u8..64) {
            let _ = events(&frame);
            if frame.len() > HEAD {
                frame[..12].copy_from_slice(&[0, 0, 0, length, 0, 16, 0, 1, 0, 0, 0, 5]);
                let _ = events(&frame);
            }
        }
    }
}
