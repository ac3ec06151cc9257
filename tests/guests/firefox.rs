//! Firefox as a guest, driven over its Marionette protocol. Without its plugin, which it fetches from the internet,
//! Firefox cannot send H.264: the guest is told so, and is heard.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::{Value, json};

use crate::guests::Show;
use crate::peers::{self, LIMIT, Peer, wait_for};

/// Settings with which Firefox uses fake devices, asks nothing and calls nobody.
const SETTINGS: [(&str, &str); 9] = [
    ("media.navigator.streams.fake", "true"),
    ("media.navigator.permission.disabled", "true"),
    ("media.autoplay.default", "0"),
    ("media.gmp-manager.updateEnabled", "false"),
    ("media.peerconnection.ice.loopback", "true"),
    ("media.peerconnection.ice.obfuscate_host_addresses", "false"),
    ("app.update.enabled", "false"),
    ("browser.shell.checkDefaultBrowser", "false"),
    ("network.captive-portal-service.enabled", "false"),
];

/// A running Firefox with its own profile.
struct Firefox {
    connection: TcpStream,
    count: u64,
    _peer: Peer,
    _profile: tempfile::TempDir,
}

impl Firefox {
    fn start() -> Self {
        let profile = tempfile::tempdir().unwrap();
        let mut text: String = SETTINGS
            .iter()
            .map(|(name, value)| format!("user_pref(\"{name}\", {value});\n"))
            .collect();
        text += "user_pref(\"marionette.port\", 0);\n";
        fs::write(profile.path().join("user.js"), text).unwrap();
        let folder = profile.path().to_str().unwrap();
        let arguments = ["--headless", "--no-remote", "--marionette", "--profile", folder];
        let mut command = std::process::Command::new("firefox-esr");
        let peer = Peer::start_command(command.args(arguments).env("HOME", folder));
        let file = profile.path().join("MarionetteActivePort");
        let mut port = None;
        wait_for("the port of Marionette", LIMIT, || {
            port = fs::read_to_string(&file).ok().and_then(|it| it.trim().parse::<u16>().ok());
            port.is_some()
        });
        let connection = TcpStream::connect(("127.0.0.1", port.unwrap())).unwrap();
        connection.set_read_timeout(Some(LIMIT)).unwrap();
        let mut firefox = Self { connection, count: 0, _peer: peer, _profile: profile };
        firefox.read();
        firefox.call("WebDriver:NewSession", &json!({ "acceptInsecureCerts": true }));
        firefox
    }

    /// Reads a message: its length, a colon, and JSON.
    fn read(&mut self) -> Value {
        let mut length = 0;
        loop {
            let mut byte = [0];
            self.connection.read_exact(&mut byte).unwrap();
            match byte[0] {
                b':' => break,
                digit => length = length * 10 + usize::from(digit - b'0'),
            }
        }
        let mut bytes = vec![0; length];
        self.connection.read_exact(&mut bytes).unwrap();
        serde_json::from_slice(&bytes).unwrap()
    }

    fn call(&mut self, name: &str, parameters: &Value) -> Value {
        self.count += 1;
        let message = json!([0, self.count, name, parameters]).to_string();
        write!(self.connection, "{}:{message}", message.len()).unwrap();
        let mut answer = self.read();
        assert!(answer[2].is_null(), "{name}: {answer}");
        answer[3].take()
    }

    fn value(&mut self, expression: &str) -> Value {
        let script = json!({ "script": format!("return ({expression});"), "args": [] });
        self.call("WebDriver:ExecuteScript", &script)["value"].take()
    }

    fn wait(&mut self, expression: &str) {
        wait_for(expression, LIMIT, || self.value(expression) == true);
    }
}

#[test]
fn a_firefox_without_h264_says_so_and_its_guest_is_audible() {
    if peers::missing(&["firefox-esr", "ffmpeg"]) {
        return;
    }
    // Firefox has no WebRTC on 127.0.0.1.
    let mut show = Show::start_at("1", &["--network", "--https", "0.0.0.0:0"]);
    let link = show.invite("g1");
    if link.starts_with("https://127.") {
        peers::skipped("this computer has no network for Firefox");
        return;
    }
    let mut firefox = Firefox::start();
    firefox.call("WebDriver:Navigate", &json!({ "url": link }));
    firefox.wait("document.getElementById('own')?.videoWidth > 0");
    let has_h264 =
        "RTCRtpSender.getCapabilities('video').codecs.some(it => /h264/i.test(it.mimeType))";
    let sends_video = firefox.value(has_h264) == true;
    let warns = "!document.getElementById('notice').hidden && \
        document.getElementById('notice').innerText.includes('heard, but not seen')";
    assert_eq!(firefox.value(warns), !sends_video);
    firefox.value("document.getElementById('name').value = 'Fox'");
    firefox.value("document.getElementById('consent').click()");
    firefox.value("document.getElementById('join').click()");
    assert_eq!(show.wait_state("g1", "lobby")["name"], "Fox");
    show.say("guest admit g1");
    show.wait_state("g1", "on-air");
    firefox.wait("document.getElementById('status').innerText.includes('ON AIR')");
    // Firefox's fake microphone is a tone: 440 Hz.
    let at = show.onair.wait_named("stats")["t"].as_f64().unwrap();
    show.onair.wait_event("five more seconds", |event| {
        event["event"] == "stats" && event["t"].as_f64().is_some_and(|t| t > at + 5.0)
    });
    assert_eq!(firefox.value(warns), !sends_video, "also on air");
    show.say("stop");
    assert!(show.onair.peer.wait(LIMIT).success(), "{}", show.onair.peer.errors());
    let samples = crate::guests::audio(&show.record());
    let end = &samples[samples.len().saturating_sub(4 * 48_000)..];
    let loudest = end.iter().fold(0.0_f32, |most, it| most.max(it.abs()));
    assert!(loudest > 0.01, "the guest is heard: {loudest}");
}
