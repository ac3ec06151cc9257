//! Tests of remote control with clients of obs-websocket that we did not write: simpleobsws
//! (MessagePack) and obsws-python (JSON) from PyPI, and obs-websocket-js (JSON) from npm. Each runs
//! the requests of `tests/remote_control/requests.json`. `ONAIR_OBS_WEBSOCKET` names a Python that
//! has both packages, and `ONAIR_OBS_WEBSOCKET_JS` the file of the third (`packaging/test.sh`
//! downloads them). Other tests send malformed messages, read nothing, or guess passwords.

use std::fs;
use std::io::{ErrorKind, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use data_encoding::BASE64;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;
use tokio_tungstenite::tungstenite::protocol::Role;
use tokio_tungstenite::tungstenite::{Message, WebSocket, client};

use crate::peers::{self, LIMIT, Onair, Peer};

const PASSWORD: &str = "tulip-in-the-garden";
const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/remote_control");

/// A broadcast with remote control, and the folder of its settings and recordings.
struct Controlled {
    onair: Onair,
    address: SocketAddr,
    _folder: TempDir,
}

impl Controlled {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let settings = folder.path().join("settings.toml");
        let text = format!(
            "version = 2\nvideo = 'test'\naudio = 'tone'\n\
             [quality]\nsize = '640x360'\nvideo_bitrate = 600000\n\
             [[strips]]\nname = 'Voice'\n\
             [window]\nrecording_folder = '{}'\n[recording]\nformat = 'mkv'\n\
             [collection]\ncurrent = 'Main'\ntransition = 'fade'\ntransition_ms = 300\n\
             [[collection.scenes]]\nname = 'Main'\n[[collection.scenes.items]]\nmain = true\n\
             [[collection.scenes]]\nname = 'Break'\n",
            folder.path().display(),
        );
        fs::write(&settings, text).unwrap();
        let words = ["live", "--settings", settings.to_str().unwrap(), "--built-in"];
        let remote =
            ["--obs-websocket", "127.0.0.1:0", "--obs-websocket-password-env", "PASS_WORD"];
        let mut onair =
            Onair::start_with(&[&words[..], &remote].concat(), &[("PASS_WORD", PASSWORD)]);
        let remote = onair.wait_named("remote");
        assert_eq!(remote["protocol"], "obs-websocket");
        let address = remote["address"].as_str().unwrap().parse().unwrap();
        Self { onair, address, _folder: folder }
    }

    /// Runs a client with the script, and returns its output.
    fn run(&self, program: &Path, words: &[&str]) -> String {
        let mut command = Command::new(program);
        let url = format!("ws://{}", self.address);
        command.args(words).args([&url, PASSWORD, &format!("{FOLDER}/requests.json")]);
        let mut client = Peer::start_command(&mut command);
        let status = client.wait(3 * LIMIT);
        assert!(status.success(), "{}{}", client.output(), client.errors());
        client.output()
    }

    /// Ends the broadcast, which no client has disturbed.
    fn end(mut self) {
        let status = self.onair.stop(LIMIT);
        assert_eq!(status.code(), Some(0), "{}", self.onair.peer.errors());
        let errors = self.onair.peer.errors();
        assert!(!errors.contains(PASSWORD) && !errors.contains("panicked"), "{errors}");
    }
}

/// A client that can break the rules.
struct RawClient(WebSocket<TcpStream>);

impl RawClient {
    fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(LIMIT)).unwrap();
        stream.set_write_timeout(Some(LIMIT)).unwrap();
        let (socket, _) = client(format!("ws://{address}"), stream).unwrap();
        Self(socket)
    }

    /// Connects, and proves the password. Without subscriptions, no event comes between answers.
    fn identified(address: SocketAddr, subscriptions: u32) -> Self {
        let mut client = Self::connect(address);
        let hello = client.read().unwrap();
        let of = |name: &str| hello["d"]["authentication"][name].as_str().unwrap().to_owned();
        let digest = |text: String| BASE64.encode(&Sha256::digest(text));
        let secret = digest(format!("{PASSWORD}{}", of("salt")));
        let proof = digest(secret + &of("challenge"));
        client.send(&json!({ "op": 1, "d": {
            "rpcVersion": 1, "authentication": proof, "eventSubscriptions": subscriptions,
        } }));
        assert_eq!(client.read().unwrap()["op"], 2);
        client
    }

    fn send(&mut self, message: &Value) {
        self.0.send(Message::text(message.to_string())).unwrap();
    }

    /// Returns the next message, or the code with which the server ended the connection.
    fn read(&mut self) -> Result<Value, u16> {
        loop {
            match self.0.read() {
                Ok(Message::Text(text)) => return Ok(serde_json::from_str(&text).unwrap()),
                Ok(Message::Close(frame)) => {
                    return Err(frame.map_or(0, |frame| frame.code.into()));
                }
                Ok(_) => {}
                Err(_) => return Err(0),
            }
        }
    }

    /// Sends a request, and returns its status and data.
    fn ask(&mut self, name: &str, data: &Value) -> (u64, Value) {
        self.send(&json!({ "op": 6, "d": {
            "requestType": name, "requestId": name, "requestData": data,
        } }));
        let answer = self.read().unwrap();
        assert_eq!((&answer["op"], &answer["d"]["requestId"]), (&json!(7), &json!(name)));
        let code = answer["d"]["requestStatus"]["code"].as_u64().unwrap();
        (code, answer["d"]["responseData"].clone())
    }
}

#[test]
fn simpleobsws_controls_a_broadcast_and_sees_its_events() {
    let Some(python) = peers::fetched("ONAIR_OBS_WEBSOCKET") else { return };
    let controlled = Controlled::start();
    let output = controlled.run(&python, &[&format!("{FOLDER}/simple.py")]);
    println!("{output}");
    controlled.end();
}

#[test]
fn obsws_python_controls_a_broadcast() {
    let Some(python) = peers::fetched("ONAIR_OBS_WEBSOCKET") else { return };
    let controlled = Controlled::start();
    let output = controlled.run(&python, &[&format!("{FOLDER}/obsws.py")]);
    println!("{output}");
    controlled.end();
}

#[test]
fn obs_websocket_js_controls_a_broadcast_and_sees_its_events() {
    let Some(library) = peers::fetched("ONAIR_OBS_WEBSOCKET_JS") else { return };
    peers::require!("node");
    let controlled = Controlled::start();
    let node = peers::on_path("node").unwrap();
    let words =
        ["--experimental-websocket", &format!("{FOLDER}/client.cjs"), library.to_str().unwrap()];
    let output = controlled.run(&node, &words);
    println!("{output}");
    controlled.end();
}

#[test]
fn ten_thousand_malformed_frames_change_nothing() {
    let controlled = Controlled::start();
    let scenes = |client: &mut RawClient| client.ask("GetSceneList", &json!({}));
    let mut good = RawClient::identified(controlled.address, 0);
    let before = scenes(&mut good);
    let mut numbers = 0x2545_F491_4F6C_DD1D_u64;
    let mut random = move || {
        numbers ^= numbers << 13;
        numbers ^= numbers >> 7;
        numbers ^= numbers << 17;
        numbers
    };
    // Messages that keep the connection: requests with random names and fields.
    let names = ["GetSceneList", "SetInputVolume", "SetSceneItemTransform", "CreateScene", "X", ""];
    let odd = [json!(null), json!(-1e300), json!("\u{0}"), json!([[]]), json!({ "": {} })];
    for number in 0..9_000_usize {
        let name = names[random() as usize % names.len()];
        let value = &odd[random() as usize % odd.len()];
        let data = json!({ "sceneName": value, "inputName": value, "sceneItemId": value });
        let (code, _) = good.ask(name, &data);
        assert!(code == 100 && name == "GetSceneList" || code >= 200, "{number} {name}: {code}");
    }
    // Messages that end the connection, on a new one each.
    let mut ends = 0;
    for number in 0..1_000_usize {
        let mut client = match number % 10 {
            0 => RawClient::identified(controlled.address, 0),
            _ => RawClient::connect(controlled.address),
        };
        let bytes: Vec<u8> = (0..random() % 64).map(|_| random() as u8).collect();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let message = match number % 4 {
            0 => Message::text(text),
            1 => Message::binary(bytes),
            2 => Message::text(format!("{{\"op\":{},\"d\":{{}}}}", 20 + random() % 99)),
            _ => Message::text("[".repeat(3_000)),
        };
        let sent = client.0.send(message).is_ok();
        let code = loop {
            match client.read() {
                Ok(hello) => assert_eq!(hello["op"], 0),
                Err(code) => break code,
            }
        };
        assert!(sent && (4_002..=4_007).contains(&code), "{number}: {code}");
        ends += 1;
    }
    assert_eq!(ends, 1_000);
    assert_eq!(scenes(&mut good), before);
    // A frame without a mask, and one that claims to be longer than allowed, end only their own
    // connection.
    let stream = RawClient::connect(controlled.address).0.into_inner();
    let mut bare = WebSocket::from_raw_socket(stream, Role::Server, None);
    let _ = bare.send(Message::text("{}"));
    while bare.read().is_ok() {}
    let mut long = RawClient::connect(controlled.address);
    let _ = long.0.send(Message::text("x".repeat(2 << 20)));
    while long.read().is_ok() {}
    assert_eq!(scenes(&mut good), before);
    controlled.end();
}

#[test]
fn a_client_that_does_not_read_is_disconnected_and_others_go_on() {
    let controlled = Controlled::start();
    let slow = RawClient::identified(controlled.address, 0);
    let mut good = RawClient::identified(controlled.address, 0);
    let id = controlled.onair.peer.id();
    let before = resident_bytes(id);
    // The answers to these requests fill the buffers of the connection.
    let request = br#"{"op":6,"d":{"requestType":"GetVersion","requestId":"flood"}}"#;
    let header = [0x81, 0x80 | u8::try_from(request.len()).unwrap(), 0, 0, 0, 0];
    let frames = [&header[..], request].concat().repeat(100);
    let mut stream = slow.0.into_inner();
    stream.set_write_timeout(Some(Duration::from_millis(100))).unwrap();
    let (begin, mut written) = (Instant::now(), 0);
    loop {
        assert!(begin.elapsed() < LIMIT, "the client is still connected");
        match stream.write(&frames[written..]) {
            Ok(bytes) => written = (written + bytes) % frames.len(),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(_) => break,
        }
        let (code, _) = good.ask("GetSceneList", &json!({}));
        assert_eq!(code, 100);
    }
    let grown = resident_bytes(id).saturating_sub(before);
    assert!(grown < 64 << 20, "onair has grown by {grown} bytes");
    controlled.end();
}

/// Returns the memory that a process uses.
fn resident_bytes(id: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches("kB").trim().parse::<u64>().unwrap() * 1_024
}

#[test]
fn wrong_passwords_wait_longer_each_time() {
    let controlled = Controlled::start();
    let begin = Instant::now();
    for _ in 0..4 {
        let mut client = RawClient::connect(controlled.address);
        assert_eq!(client.read().unwrap()["op"], 0);
        client.send(&json!({ "op": 1, "d": { "rpcVersion": 1, "authentication": "guess" } }));
        assert_eq!(client.read().unwrap_err(), 4_009);
    }
    // After the first, second and third wrong password, and before the next answers.
    assert!(begin.elapsed() > Duration::from_secs(3), "{:?}", begin.elapsed());
    drop(RawClient::identified(controlled.address, 0));
    controlled.end();
}
