//! Janus with simple-whip-server, both by Meetecho: a WebRTC server that is independent of every other peer here.
//! `packaging/test.sh` fetches the gateway, and sets its folder.

use std::fmt::Write as _;
use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::symlink;
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::live;
use crate::peers::{self, LIMIT, Peer};
use crate::whep::ask;

/// The plugins and transports of Debian's package.
const LIBRARIES: &str = "/usr/lib/x86_64-linux-gnu/janus";
const SECRET: &str = "janus-secret";
const ROOM: u32 = 1_234;

/// Returns a free port.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A running server with one endpoint.
struct Janus {
    // The gateway ends before the server.
    _gateway: Peer,
    _server: Peer,
    _folder: TempDir,
    http: SocketAddr,
    admin: SocketAddr,
}

impl Janus {
    /// Starts both programs. Returns `None` (with a message) if one is missing.
    fn start() -> Option<Self> {
        if peers::missing(&["janus", "node"]) {
            return None;
        }
        let programs = peers::fetched("ONAIR_SIMPLE_WHIP")?;
        let folder = tempfile::tempdir().unwrap();
        let (ws, admin, http) = (free_port(), free_port(), free_port());
        let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
        write(
            "janus.jcfg",
            &format!(
                "general: {{ configs_folder = \"{0}\" plugins_folder = \"{LIBRARIES}/plugins\" \
                 transports_folder = \"{LIBRARIES}/transports\" admin_secret = \"{SECRET}\" }}\n\
                 plugins: {{ disable = \"libjanus_audiobridge.so,libjanus_duktape.so,libjanus_echotest.so,\
                 libjanus_lua.so,libjanus_nosip.so,libjanus_recordplay.so,libjanus_sip.so,\
                 libjanus_streaming.so,libjanus_textroom.so,libjanus_videocall.so,libjanus_voicemail.so\" }}\n\
                 transports: {{ disable = \"libjanus_mqtt.so,libjanus_nanomsg.so,libjanus_pfunix.so,\
                 libjanus_rabbitmq.so\" }}\n",
                folder.path().display()
            ),
        );
        write(
            "janus.transport.websockets.jcfg",
            &format!("general: {{ ws = true ws_port = {ws} ws_ip = \"127.0.0.1\" }}\n"),
        );
        write(
            "janus.transport.http.jcfg",
            &format!(
                "general: {{ http = false }}\nadmin: {{ admin_http = true admin_port = {admin} \
                 admin_ip = \"127.0.0.1\" admin_base_path = \"/admin\" }}\n"
            ),
        );
        write(
            "janus.plugin.videoroom.jcfg",
            &format!(
                "room-{ROOM}: {{ description = \"onair\" publishers = 6 bitrate = 0 \
                 audiocodec = \"opus\" videocodec = \"h264\" }}\n"
            ),
        );
        let server = Peer::start_command(
            Command::new("janus").arg("-F").arg(folder.path()).args(["-d", "4"]),
        );
        let address = |port: u16| SocketAddr::from(([127, 0, 0, 1], port));
        let is_open = |port| std::net::TcpStream::connect(address(port)).is_ok();
        peers::wait_for("Janus", LIMIT, || is_open(ws) && is_open(admin));
        for name in ["server.js", "whip-janus.js"] {
            fs::copy(programs.join(name), folder.path().join(name)).unwrap();
        }
        symlink(programs.join("node_modules"), folder.path().join("node_modules")).unwrap();
        let mut config = String::new();
        let _ = write!(
            config,
            "module.exports = {{ janus: {{ address: 'ws://127.0.0.1:{ws}' }}, port: {http}, \
             rest: '/whip', allowTrickle: true, strictETags: false, iceServers: [] }};"
        );
        write("config.js", &config);
        let mut command = Command::new("node");
        let gateway = Peer::start_command(command.arg("server.js").current_dir(folder.path()));
        peers::wait_for("the gateway", LIMIT, || is_open(http));
        let running = Self {
            _gateway: gateway,
            _server: server,
            _folder: folder,
            http: address(http),
            admin: address(admin),
        };
        let endpoint = json!({ "id": "show", "room": ROOM, "token": "sesame" }).to_string();
        let made = ask(running.http, "POST", "/whip/create", "application/json", &endpoint);
        assert_eq!(made.0, 200, "{made:?}");
        Some(running)
    }

    fn url(&self) -> String {
        format!("whip://{}/whip/endpoint/show", self.http)
    }

    /// Asks Janus as its administrator.
    fn ask(&self, path: &str, question: &str) -> Value {
        let body = json!({ "janus": question, "transaction": "onair", "admin_secret": SECRET })
            .to_string();
        let path = format!("/admin{path}");
        let answer = ask(self.admin, "POST", &path, "application/json", &body).2;
        serde_json::from_str(&answer).unwrap_or_default()
    }

    /// Returns what Janus knows of the publisher's connection.
    fn publisher(&self) -> Option<Value> {
        let session = self.ask("", "list_sessions")["sessions"][0].as_u64()?;
        let handles = self.ask(&format!("/{session}"), "list_handles");
        for handle in handles["handles"].as_array()? {
            let info = self.ask(&format!("/{session}/{handle}"), "handle_info");
            if info["info"]["webrtc"].is_object() || info["info"]["streams"].is_array() {
                return Some(info["info"].clone());
            }
        }
        None
    }
}

/// Returns the number of packets of each layer of the video, and that of the audio.
fn packets(info: &Value) -> (Vec<u64>, u64) {
    let media = info["webrtc"]["media"].as_object();
    let (mut video, mut audio) = (Vec::new(), 0);
    for medium in media.into_iter().flat_map(|media| media.values()) {
        let stats = &medium["stats"]["in"];
        let count = |key: &str| stats[key].as_u64().or(stats[0][key].as_u64());
        match medium["type"].as_str() {
            Some("audio") => audio = count("packets").unwrap_or(0),
            Some("video") => {
                // The layers are `in`, `in-1` and so on, or one list, as the version likes.
                let all = medium["stats"].as_object().into_iter().flatten();
                let inbound = all.filter(|(name, _)| name.starts_with("in"));
                let counts = inbound.filter_map(|(_, its)| its["packets"].as_u64());
                video = counts.collect();
            }
            _ => {}
        }
    }
    (video, audio)
}

#[test]
fn janus_receives_three_sizes_at_once_and_the_end_of_the_session() {
    peers::in_real_time!(janus_receives_three_sizes_at_once_and_the_end_of_the_session);
    let Some(janus) = Janus::start() else { return };
    let mut onair = live(&janus.url(), "sesame", &["--target-simulcast", "3"]);
    onair.wait_event("three sizes", |event| event["targets"][0]["layers"] == 3);
    let mut last = Value::Null;
    peers::wait_for("packets of all sizes", LIMIT, || {
        last = janus.publisher().unwrap_or_default();
        let (video, audio) = packets(&last);
        video.iter().filter(|count| **count > 50).count() == 3 && audio > 50
    });
    assert_eq!(onair.stop(LIMIT).code(), Some(0), "{}", onair.peer.errors());
    peers::wait_for("the end of the session", LIMIT, || janus.publisher().is_none());
}
