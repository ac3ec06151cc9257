//! Guests across the internet: guest and studio are behind routers (network namespaces with masquerade) and meet at
//! `onair serve` on a public computer.
//!
//! ```text
//! browser ── router ── public computer ── router ── studio
//! ```
//!
//! The browser runs in the namespace of the test, because the test steers it over a TCP connection.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::guests::{BEFORE, COLORS, Show, TONES, audio, in_corner, pictures, power};
use crate::peers::certificates::Authority;
use crate::peers::{self, LIMIT, Onair, Peer, wait_for};

const KEY: &str = "the key of the meeting";
/// Runs a program of the network configuration; returns whether it succeeded.
fn run(program: &str, words: &[&str]) -> bool {
    let mut command = Command::new(program);
    command.args(words).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// How routers choose the port of a connection.
#[derive(Copy, Clone, PartialEq)]
enum Router {
    /// The same one for all destinations, as most routers at home do.
    OnePort,
    /// Another one for each destination (symmetric NAT), as in some mobile networks.
    PortPerDestination,
}

/// The network. Dropping it removes everything.
struct Internet {
    names: [String; 4],
    cable: String,
    /// The address of the public computer.
    public: String,
    inside: String,
}

impl Internet {
    /// Returns `None`, with a loud message, where the process may not create namespaces.
    fn new(number: u32, router: Router) -> Option<Self> {
        let id = std::process::id() % 10_000;
        let (low, high) = (id % 250, (id / 250 + 50 * number) % 250);
        let names = ["ga", "gp", "gb", "gs"].map(|it| format!("onair{it}{number}x{id}"));
        let made = Self {
            cable: format!("og{number}x{id}"),
            public: format!("198.18.{low}.1"),
            inside: format!("10.{high}.{low}"),
            names,
        };
        if !peers::found("ip") || !peers::found("iptables") || !made.build(low, router) {
            peers::skipped("network namespaces with NAT need root, ip and iptables");
            return None;
        }
        Some(made)
    }

    fn build(&self, low: u32, router: Router) -> bool {
        let names = self.names.clone();
        let [guests_router, public, studios_router, studio] = &names;
        let (inside, cable) = (self.inside.clone(), self.cable.clone());
        let pair = |from: &str, to: &str| [format!("{cable}{from}"), format!("{cable}{to}")];
        let [[ours, a1], [a2, p1], [p2, b1], [b2, s1]] =
            [pair("o", "a"), pair("b", "c"), pair("d", "e"), pair("f", "g")];
        let wan = |last: u32| format!("198.18.{low}.{last}/30");
        let namespaces = names.each_ref().map(|name| format!("netns add {name}"));
        let direct =
            [format!("-n {guests_router} link add {a2} type veth peer name {p1} netns {public}")];
        let steps = [
            format!("link add {ours} type veth peer name {a1} netns {guests_router}"),
            format!("-n {public} link add {p2} type veth peer name {b1} netns {studios_router}"),
            format!("-n {studios_router} link add {b2} type veth peer name {s1} netns {studio}"),
            format!("addr add {inside}.1/25 dev {ours}"),
            format!("-n {guests_router} addr add {inside}.2/25 dev {a1}"),
            format!("-n {guests_router} addr add {} dev {a2}", wan(2)),
            format!("-n {public} addr add {} dev {p1}", wan(1)),
            format!("-n {public} addr add {} dev {p2}", wan(5)),
            format!("-n {studios_router} addr add {} dev {b1}", wan(6)),
            format!("-n {studios_router} addr add {inside}.129/25 dev {b2}"),
            format!("-n {studio} addr add {inside}.130/25 dev {s1}"),
            format!("link set {ours} up"),
            format!("-n {guests_router} link set {a1} up"),
            format!("-n {guests_router} link set {a2} up"),
            format!("-n {public} link set {p1} up"),
            format!("-n {public} link set {p2} up"),
            format!("-n {studios_router} link set {b1} up"),
            format!("-n {studios_router} link set {b2} up"),
            format!("-n {studio} link set {s1} up"),
            format!("-n {public} link set lo up"),
            format!("-n {studio} link set lo up"),
            format!("route add 198.18.{low}.0/24 via {inside}.2"),
            format!("-n {guests_router} route add default via 198.18.{low}.1"),
            // The internet takes packets to any address: coturn ends an allocation if its network has no route to one.
            format!("-n {public} route add default via 198.18.{low}.2"),
            format!("-n {studios_router} route add default via 198.18.{low}.5"),
            format!("-n {studio} route add default via {inside}.129"),
        ];
        let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let ip = |step: &String| {
            let words = words(step);
            run("ip", &words.iter().map(String::as_str).collect::<Vec<_>>())
        };
        let in_router = |name: &str, text: &str| {
            let words = words(text);
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            run("ip", &[&["netns", "exec", name][..], &words].concat())
        };
        let forwards = |name: &str| in_router(name, "sysctl -qw net.ipv4.ip_forward=1");
        let ports = if router == Router::PortPerDestination { " --random-fully" } else { "" };
        let masks = |name: &str, lan: &str, wan: &str| {
            [
                format!("iptables -t nat -A POSTROUTING -o {wan} -j MASQUERADE{ports}"),
                // Nothing comes in that nobody inside has asked for.
                format!("iptables -A FORWARD -i {wan} -m conntrack --ctstate NEW -j DROP"),
                format!("iptables -A INPUT -i {wan} -j DROP"),
                format!("iptables -A INPUT -i {lan} -j DROP"),
            ]
            .iter()
            .all(|text| in_router(name, text))
        };
        namespaces.iter().chain(&direct).chain(&steps).all(ip)
            && [guests_router, public, studios_router].into_iter().all(|name| forwards(name))
            && masks(guests_router, &a1, &a2)
            && masks(studios_router, &b2, &b1)
    }

    /// Returns the command that runs a program on the public computer (1), or at the studio (3).
    fn inside(&self, place: usize, program: &str) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.names[place], program]);
        command
    }

    /// Starts the server on the public computer.
    fn serve(&self, files: &Files, more: &[&str]) -> Onair {
        let mut command = self.inside(1, env!("CARGO_BIN_EXE_onair"));
        let https = format!("{}:8443", self.public);
        command.args(["serve", "--rtmp", "127.0.0.1:0", "--http", "127.0.0.1:0", "--json"]);
        command.args(["--https", &https, "--webrtc", "0.0.0.0:8189", "--meet-key-file"]);
        command.arg(&files.key).args(["--cert"]).arg(&files.certificate).arg("--cert-key");
        command.arg(&files.certificate_key).args(more);
        let mut serve = Onair::start_command(&mut command, &[]);
        serve.wait_named("ready");
        serve
    }

    /// Starts the studio.
    fn show(&self, files: &Files) -> Show {
        let folder = tempfile::tempdir().unwrap();
        let mut command = self.inside(3, env!("CARGO_BIN_EXE_onair"));
        command.args(["live", "--video", "color:#000000", "--audio", "silence", "--size"]);
        command.args(["640x360", "--guests", "1", "--meet", &self.address(), "--tls-ca"]);
        command.arg(&files.authority).arg("--meet-key-file").arg(&files.key).arg("--record");
        command.arg(folder.path().join("show.mkv")).args(["--control", "--json"]);
        let (onair, control) = Onair::start_command_with_input(&mut command);
        Show { onair, control, folder }
    }

    fn address(&self) -> String {
        format!("https://{}:8443", self.public)
    }
}

impl Drop for Internet {
    fn drop(&mut self) {
        run("ip", &["link", "del", &format!("{}o", self.cable)]);
        for name in &self.names {
            run("ip", &["netns", "del", name]);
        }
    }
}

/// The files of server and studio.
struct Files {
    _authority: Authority,
    folder: tempfile::TempDir,
    authority: PathBuf,
    certificate: PathBuf,
    certificate_key: PathBuf,
    key: PathBuf,
}

impl Files {
    fn new(internet: &Internet) -> Self {
        let authority = Authority::new();
        let certificate = authority.of(&internet.public);
        let folder = tempfile::tempdir().unwrap();
        let key = folder.path().join("key");
        fs::write(&key, KEY).unwrap();
        Self {
            authority: authority.file(),
            certificate: certificate.certificate,
            certificate_key: certificate.key,
            key,
            folder,
            _authority: authority,
        }
    }
}

/// The kind of the address through which the page sends: `host`, `srflx`, `prflx` or `relay`.
const PATH: &str = "(async () => { const stats = await window.sender.getStats(); const all = \
    [...stats.values()]; const transport = all.find(it => it.type === 'transport'); const pair = \
    stats.get(transport?.selectedCandidatePairId); return stats.get(pair?.localCandidateId)\
    ?.candidateType ?? ''; })()";
/// Keeps the connection on which the page sends.
const KEEP_SENDER: &str = "{ const Real = RTCPeerConnection; window.RTCPeerConnection = class extends \
    Real { constructor(...all) { super(...all); window.sender ??= this; } }; }";

fn before() -> String {
    format!("{BEFORE}\n{KEEP_SENDER}")
}

fn notice(show: &mut Show, key: &str) -> Value {
    show.onair.wait_event(key, |event| event["event"] == "notice" && event["key"] == key)
}

/// Waits until the show is some seconds longer.
fn go_on(show: &mut Show, seconds: f64) {
    let time = |event: &Value| event["t"].as_f64().unwrap_or_default();
    let until = show.onair.events().last().map_or(0.0, time) + seconds;
    let is_then = |event: &Value| event["event"] == "stats" && time(event) >= until;
    show.onair.wait_event("a longer show", is_then);
}

/// Ends the show, and checks that the last seconds of its recording have the picture and the sound of the guest.
fn check_recording(mut show: Show) {
    let is_heard = |event: &Value| {
        let strips = event["strips"].as_array();
        let level = |strip: &Value| strip["level_dbfs"].as_f64().unwrap_or(-100.0);
        strips.is_some_and(|all| all.iter().any(|it| it["name"] == "Ada" && level(it) > -30.0))
    };
    show.onair.wait_event("the sound of the guest", is_heard);
    go_on(&mut show, 4.0);
    show.say("stop");
    assert!(show.onair.peer.wait(LIMIT).success(), "{}", show.onair.peer.errors());
    let samples = audio(&show.record());
    let end = &samples[samples.len().saturating_sub(3 * 48_000)..];
    let loudest = end.chunks_exact(24_000).map(|it| power(it, TONES[0])).fold(0.0, f64::max);
    assert!(loudest > 0.01, "the tone of the guest: {loudest}");
    let shown = pictures(&show.record());
    let [red, _, blue] = in_corner(shown.last().unwrap(), 0);
    assert!(red > 100 && blue < 90, "the picture of the guest {:?}: {red} {blue}", COLORS[0]);
}

#[test]
fn guest_and_studio_behind_routers_meet_and_a_lost_server_ends_nothing() {
    if peers::missing(&["chromium", "ffmpeg"]) {
        return;
    }
    let Some(internet) = Internet::new(1, Router::OnePort) else { return };
    let files = Files::new(&internet);
    let mut serve = internet.serve(&files, &[]);
    let mut show = internet.show(&files);
    let link = show.invite("g1");
    assert!(link.starts_with(&format!("{}/guest/", internet.address())), "{link}");
    let browser = show.browser(0);
    let page = browser.open(&link, &before());
    show.admit(&page, "g1", "Ada");
    page.wait("document.getElementById('status').innerText.includes('ON AIR')");
    page.wait("document.getElementById('program').videoWidth > 0");
    let path = page.value(PATH);
    assert!(path != "relay" && path != "", "directly: {path}");

    // The server goes away. The guest stays on air, and is told what the studio does when the server is back.
    serve.peer.kill();
    let seen = show.onair.events().len();
    notice(&mut show, "meeting-lost");
    go_on(&mut show, 2.0);
    assert_eq!(page.value("window.sender.connectionState"), "connected");
    let mut serve = internet.serve(&files, &[]);
    notice(&mut show, "meeting-back");
    let states = show.onair.events_after(seen);
    assert!(states.iter().all(|it| it["event"] != "guest"), "{states:?}");
    page.wait("document.getElementById('status').innerText.includes('ON AIR')");
    assert_eq!(browser.complaints(), Vec::<String>::new());
    check_recording(show);
    page.wait("document.body.innerText.includes('not valid any more')");
    serve.peer.interrupt();
    assert!(serve.peer.wait(LIMIT).success());
}

#[test]
fn routers_with_a_port_per_destination_need_a_turn_server() {
    if peers::missing(&["chromium", "ffmpeg", "turnserver"]) {
        return;
    }
    let Some(internet) = Internet::new(2, Router::PortPerDestination) else { return };
    let files = Files::new(&internet);
    let mut turn = internet.inside(1, "turnserver");
    let at = format!("--listening-ip={}", internet.public);
    let relay = format!("--relay-ip={}", internet.public);
    let database = format!("--userdb={}", files.folder.path().join("turn.db").display());
    turn.args(["-n", "--lt-cred-mech", "--user=onair:pass", "--realm=onair", "--no-cli"]);
    turn.args(["--no-tls", "--no-dtls", "--log-file=stdout", "--listening-port=3478", &at, &relay]);
    turn.arg(&database).arg(format!("--pidfile={}", files.folder.path().join("pid").display()));
    let _turn = Peer::start_command(&mut turn);
    let credential = files.folder.path().join("credential");
    fs::write(&credential, "pass").unwrap();
    let config = files.folder.path().join("serve.toml");
    let table = format!(
        "[[ice_server]]\nurl = \"turn:{}:3478\"\nusername = \"onair\"\ncredential_file = {credential:?}\n",
        internet.public
    );
    fs::write(&config, table).unwrap();
    let _serve = internet.serve(&files, &["--config", config.to_str().unwrap()]);
    let mut show = internet.show(&files);
    let link = show.invite("g1");
    let browser = show.browser(0);
    let page = browser.open(&link, &before());
    show.admit(&page, "g1", "Ada");
    page.wait("document.getElementById('program').videoWidth > 0");
    wait_for("the path through the TURN server", LIMIT, || page.value(PATH) == "relay");
    check_recording(show);
}
