//! Tests of the server as a service. systemd opens its sockets and receives its ready state. Log
//! collectors can parse its log lines. The Grafana dashboard shows only metrics that the server
//! exports.

use std::collections::BTreeSet;
use std::fs;
use std::io::Read;
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::peers::client::Client;

use crate::peers::{self, LIMIT, Onair, ffmpeg, free_port, full_pipe, wait_for, web};

#[test]
fn a_socket_that_systemd_opened_is_used_and_systemd_hears_the_states() {
    peers::require!("systemd-socket-activate", "ffmpeg");
    let folder = tempfile::tempdir().unwrap();
    let socket = UnixDatagram::bind(folder.path().join("notify")).unwrap();
    socket.set_read_timeout(Some(LIMIT)).unwrap();
    let [address, http] = [(); 2].map(|()| format!("127.0.0.1:{}", free_port()));
    let mut command = Command::new("systemd-socket-activate");
    command.args(["--listen", &address, "--listen", &http]);
    for name in ["NOTIFY_SOCKET", "XDG_CONFIG_HOME", "XDG_STATE_HOME"] {
        command.args(["--setenv", name]);
    }
    command.arg(env!("CARGO_BIN_EXE_onair"));
    command.args(["serve", "--rtmp", &address, "--http", &http, "--webrtc", "none", "--json"]);
    let path = folder.path().join("notify");
    let mut server =
        Onair::start_command(&mut command, &[("NOTIFY_SOCKET", path.to_str().unwrap())]);
    // The first client starts onair, which could not open these ports itself: systemd already holds
    // them.
    let _publisher = ffmpeg::publish(&format!("rtmp://{address}/live/show"), None);
    let ready = server.wait_named("ready");
    assert_eq!(ready["rtmp"], format!("rtmp://{address}"));
    assert_eq!(ready["http"], format!("http://{http}"));
    assert!(web::ask(&http, "GET", "/healthz").starts_with("HTTP/1.1 200"));
    assert_eq!(server.wait_named("publish")["stream"], "show");
    let state = || {
        let mut bytes = [0; 256];
        let length = socket.recv(&mut bytes).unwrap();
        String::from_utf8(bytes[..length].to_vec()).unwrap()
    };
    assert_eq!(state().trim(), "READY=1");
    assert!(server.stop(LIMIT).success(), "{}", server.peer.errors());
    assert_eq!(state().trim(), "STOPPING=1");
}

#[test]
fn the_port_of_srt_is_used_as_systemd_opened_it() {
    peers::require!("systemd-socket-activate");
    let address = format!("127.0.0.1:{}", free_udp_port());
    let mut command = Command::new("systemd-socket-activate");
    command.args(["--datagram", "--listen", &address, "--setenv", "XDG_CONFIG_HOME"]);
    command.args(["--setenv", "XDG_STATE_HOME", env!("CARGO_BIN_EXE_onair"), "serve", "--json"]);
    command.args(["--rtmp", "127.0.0.1:0", "--http", "none", "--webrtc", "none"]);
    command.args(["--srt", &address]);
    let mut server = Onair::start_command(&mut command, &[]);
    // The first datagram starts onair, which could not open this port itself.
    let url = format!("srt://{address}?streamid=publish:live/show");
    let words = ["live", "--video", "test", "--audio", "tone", "--size", "320x180", "--to", &url];
    let mut live = Onair::start(&words);
    let ready = server.wait_named("ready");
    assert_eq!(ready["srt"], format!("srt://{address}"));
    assert_eq!(server.wait_named("publish")["protocol"], "srt");
    live.stop(LIMIT);
    assert!(server.stop(LIMIT).success(), "{}", server.peer.errors());
    let errors = server.peer.errors();
    assert!(!errors.contains("inherited socket"), "every socket is used: {errors}");
}

/// Returns a free port of UDP.
fn free_udp_port() -> u16 {
    UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Loads a filter of system calls as systemd does, and becomes another program. The arguments are the action for other
/// calls, the allowed calls, and the program.
const FILTER: &str = r#"
import ctypes, os, sys
action, calls, program = int(sys.argv[1], 0), sys.argv[2].split(), sys.argv[3:]
seccomp = ctypes.CDLL("libseccomp.so.2")
seccomp.seccomp_init.restype = ctypes.c_void_p
context = ctypes.c_void_p(seccomp.seccomp_init(ctypes.c_uint32(action)))
for call in calls:
    number = seccomp.seccomp_syscall_resolve_name(call.encode())
    # Other processors have more calls.
    if number >= 0:
        assert seccomp.seccomp_rule_add_array(context, ctypes.c_uint32(0x7FFF0000), number, 0, None) == 0
assert seccomp.seccomp_load(context) == 0
os.execv(program[0], program)
"#;

/// Returns the system calls of an entry in a filter of systemd.
fn calls_of(entry: &str) -> Vec<String> {
    if !entry.starts_with('@') {
        return vec![entry.to_owned()];
    }
    let mut list = Command::new("systemd-analyze");
    let list = list.args(["--no-pager", "syscall-filter", entry]).output().unwrap();
    let text = String::from_utf8(list.stdout).unwrap();
    let entries = text.lines().map(str::trim).skip(1);
    entries.filter(|line| !line.is_empty() && !line.starts_with('#')).flat_map(calls_of).collect()
}

#[test]
fn the_unit_allows_the_system_calls_of_the_server_and_of_its_sandbox() {
    peers::require!("systemd-analyze", "python3");
    let unit = Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging/systemd/onair.service");
    let unit = fs::read_to_string(unit).unwrap();
    let setting = |name: &str| unit.lines().find_map(|line| line.strip_prefix(name));
    let calls = setting("SystemCallFilter=").unwrap().split(' ').flat_map(calls_of);
    let calls = calls.collect::<Vec<_>>().join(" ");
    // The actions of libseccomp: an error, or the end of the process.
    let refused = match setting("SystemCallErrorNumber=") {
        Some("EPERM") => "0x00050001",
        None => "0x80000000",
        Some(other) => panic!("{other}"),
    };
    let filtered = |flags: &[&str]| {
        let mut command = Command::new("python3");
        command.args(["-c", FILTER, refused, &calls, env!("CARGO_BIN_EXE_onair")]);
        command.args(["serve", "--rtmp", "127.0.0.1:0", "--http", "127.0.0.1:0"]);
        command.args(["--webrtc", "127.0.0.1:0", "--log", "info", "--json"]).args(flags);
        Onair::start_command(&mut command, &[])
    };
    let mut check = filtered(&["--check"]);
    assert!(check.peer.wait(LIMIT).success(), "{}", check.peer.errors());
    let mut server = filtered(&[]);
    let ready = server.wait_named("ready");
    let _publisher = Client::publish(&format!("{}/live/show", ready["rtmp"].as_str().unwrap()));
    server.wait_named("publish");
    assert!(server.stop(LIMIT).success(), "{}", server.peer.errors());
    for errors in [check.peer.errors(), server.peer.errors()] {
        assert!(!errors.contains("system calls are not restricted"), "{errors}");
    }
}

#[test]
fn a_system_that_allows_few_files_limits_the_clients_and_the_server_says_so() {
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -n 128 && exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_onair")]);
    command.args(["serve", "--rtmp", "127.0.0.1:0", "--http", "none", "--json"]);
    let mut server = Onair::start_command(&mut command, &[]);
    let ready = server.wait_named("ready");
    let notice = server.wait_named("notice");
    assert_eq!(notice["key"], "server-few-files");
    assert_eq!(
        (&notice["args"]["limit"], &notice["args"]["clients"]),
        (&"128".into(), &"32".into())
    );
    // The server is usable.
    let _publisher = Client::publish(&format!("{}/live/show", ready["rtmp"].as_str().unwrap()));
    server.wait_named("publish");
    assert!(server.stop(LIMIT).success(), "{}", server.peer.errors());
}

#[test]
fn flags_limit_streams_and_connections() {
    peers::require!("ffmpeg");
    let base = ["serve", "--rtmp", "127.0.0.1:0", "--http", "127.0.0.1:0", "--webrtc", "none"];
    let limits = ["--max-streams", "1", "--max-connections", "64"];
    let mut server = Onair::start(&[&base[..], &limits].concat());
    let ready = server.wait_named("ready");
    let (rtmp, http) = (ready["rtmp"].as_str().unwrap(), ready["http"].as_str().unwrap());
    let _first = ffmpeg::publish(&format!("{rtmp}/live/a"), None);
    server.wait_named("publish");
    let mut second = ffmpeg::publish(&format!("{rtmp}/live/b"), Some(1));
    assert!(!second.wait(LIMIT).success());
    let asked = |path| peers::web::ask(http.trim_start_matches("http://"), "GET", path);
    // A full server is healthy, but not ready for more.
    let (health, ready) = (asked("/healthz"), asked("/readyz"));
    assert!(health.starts_with("HTTP/1.1 200"), "{health}");
    assert!(health.ends_with("{\"healthy\":true,\"failing\":[]}"), "{health}");
    assert!(ready.starts_with("HTTP/1.1 503") && ready.contains("\"streams\""), "{ready}");
    // Idle connections get a quarter of 64, and one address gets half of that.
    let address = rtmp.trim_start_matches("rtmp://");
    let idle: Vec<_> = (0..20).map(|_| TcpStream::connect(address).unwrap()).collect();
    let closed = |mut it: &TcpStream| {
        it.set_read_timeout(Some(LIMIT)).unwrap();
        matches!(it.read(&mut [0; 1]), Ok(0) | Err(_))
    };
    assert!(closed(idle.first().unwrap()));
    assert!(server.stop(LIMIT).success());
}

#[test]
fn a_log_that_nobody_reads_stops_neither_the_server_nor_its_end() {
    let (_reader, errors) = full_pipe();
    let words = ["serve", "--rtmp", "127.0.0.1:0", "--http", "127.0.0.1:0", "--webrtc", "none"];
    let mut server = Onair::start_with_errors(&[&words[..], &["--log", "info"]].concat(), errors);
    let ready = server.wait_named("ready");
    let url = format!("{}/live/show", ready["rtmp"].as_str().unwrap());
    let _publisher = Client::publish(&url);
    let viewers = [(); 3].map(|()| Client::play(&url));
    let count = |server: &Onair, name: &str| {
        server.events().iter().filter(|event| event["event"] == name).count()
    };
    wait_for("the viewers", LIMIT, || count(&server, "join") == viewers.len());
    drop(viewers);
    wait_for("their end", LIMIT, || count(&server, "leave") == 3);
    let http = ready["http"].as_str().unwrap().trim_start_matches("http://");
    let health = web::ask(http, "GET", "/healthz");
    assert!(health.starts_with("HTTP/1.1 200"), "{health}");
    server.peer.signal("TERM");
    assert!(server.peer.wait(LIMIT).success(), "{}", server.peer.output());
}

/// `timeout` sends its signal both to the command and to the command's process group.
#[test]
fn timeout_ends_the_server_in_order() {
    peers::require!("timeout");
    let mut command = Command::new("timeout");
    command.args(["-s", "INT", "600", env!("CARGO_BIN_EXE_onair"), "serve", "--json"]);
    let mut serve =
        Onair::start_command(command.args(["--rtmp", "127.0.0.1:0", "--http", "none"]), &[]);
    serve.wait_named("ready");
    // `timeout` passes the signal on in the same way as its own one after the time.
    assert_eq!(serve.stop(LIMIT).code(), Some(0), "{}", serve.peer.errors());
}

#[test]
fn logs_are_json_with_the_session_of_the_client() {
    peers::require!("ffmpeg");
    let flags = ["--log", "info", "--log-format", "json"];
    let base = ["serve", "--rtmp", "127.0.0.1:0", "--http", "none"];
    let mut server = Onair::start(&[&base[..], &flags].concat());
    let ready = server.wait_named("ready");
    let url = format!("{}/live/show?key=Secret0Word", ready["rtmp"].as_str().unwrap());
    let mut publisher = ffmpeg::publish(&url, Some(1));
    let publish = server.wait_named("publish");
    publisher.wait(LIMIT);
    server.wait_named("unpublish");
    assert!(server.stop(LIMIT).success());
    let log = server.peer.errors();
    assert!(!log.contains("Secret0Word"), "{log}");
    let lines = json_lines(&log);
    let of = |message: &str| {
        let found = lines.iter().find(|line| line["message"] == message);
        found.unwrap_or_else(|| panic!("no {message}: {log}"))
    };
    for message in ["publish", "unpublish"] {
        let line = of(message);
        assert_eq!(line["session"], publish["id"], "{line}");
        assert_eq!((&line["app"], &line["stream"]), (&publish["app"], &publish["stream"]));
        assert_eq!(line["run"], lines[0]["run"]);
    }
    assert!(of("unpublish")["bytes"].as_u64().is_some_and(|bytes| bytes > 0), "{log}");
}

/// Returns the lines of a log, each of which must be JSON.
fn json_lines(log: &str) -> Vec<Value> {
    let parsed = |line| serde_json::from_str(line).unwrap_or_else(|why| panic!("{why}: {line}"));
    log.lines().map(parsed).collect()
}

#[test]
fn the_reason_of_a_failed_start_is_a_line_of_the_json_log() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let no_start = ["serve", "--rtmp", &address, "--http", "none"];
    let no_level = ["devices", "--log", "loud"];
    for (words, reason) in [(&no_start[..], &*address), (&no_level[..], "'loud'")] {
        let mut failed = Onair::start(&[words, &["--log-format", "json"]].concat());
        assert!(!failed.peer.wait(LIMIT).success());
        let log = failed.peer.errors();
        let names_reason =
            |line: &&Value| line["message"].as_str().is_some_and(|it| it.contains(reason));
        let lines = json_lines(&log);
        let line = lines.iter().find(names_reason).unwrap_or_else(|| panic!("{reason}: {log}"));
        assert_eq!(line["level"], "error");
        assert!(line["run"].is_string() && line["time"].is_string(), "{log}");
    }
}

#[test]
fn the_files_of_the_container_are_there_and_its_configuration_is_valid() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = root.join("packaging/container");
    let image = fs::read_to_string(folder.join("Containerfile")).unwrap();
    let copied = image.lines().filter_map(|line| line.strip_prefix("COPY "));
    for line in copied.filter(|line| !line.starts_with("--from")) {
        let file = line.split(' ').next().unwrap();
        assert!(root.join(file).exists(), "{line}");
    }
    // Packages and files of earlier builds do not come into the image.
    let ignored = fs::read_to_string(root.join(".dockerignore")).unwrap();
    for name in ["target*", ".git"] {
        assert!(ignored.lines().any(|line| line == name), "{name}: {ignored}");
    }
    let built = image.lines().find_map(|line| line.strip_prefix("ENV CARGO_TARGET_DIR=")).unwrap();
    assert!(image.contains(&format!("COPY --from=build {built}/bundle/*.deb ")), "{image}");
    // A full or draining server must not be restarted, and images of OCI have no health check.
    let check = image.lines().find(|line| line.starts_with("HEALTHCHECK ")).unwrap();
    assert!(check.contains("GET /healthz ") && !check.contains("/readyz"), "{check}");
    let guides = ["how-to/run-a-server.md", "zh-CN/how-to/run-a-server.md"];
    let guides = guides.map(|name| fs::read_to_string(root.join("docs").join(name)).unwrap());
    for text in guides.iter().chain([&image]) {
        let mut builds = text.lines().filter(|line| line.contains("podman build "));
        assert!(builds.all(|line| line.contains("--format docker ")), "{text}");
    }
    let home = tempfile::tempdir().unwrap();
    let text = fs::read_to_string(folder.join("serve.toml")).unwrap();
    let text = text.replace("/var/lib/onair", home.path().to_str().unwrap());
    let file = home.path().join("serve.toml");
    fs::write(&file, &text).unwrap();
    let mut check = Onair::start(&["serve", "--config", file.to_str().unwrap(), "--check"]);
    assert!(check.peer.wait(LIMIT).success(), "{}", check.peer.output());
    // systemd's socket unit has the addresses of such a configuration.
    let unit = fs::read_to_string(root.join("packaging/systemd/onair.socket")).unwrap();
    for port in ["Stream=0.0.0.0:1935", "Stream=127.0.0.1:8088"] {
        assert!(unit.contains(&format!("Listen{port}\n")), "{unit}");
    }
    // systemd opens no ports while the server is running.
    for text in guides.iter().chain([&unit]) {
        let (before, after) = text.split_once("systemctl enable --now onair.socket\n").unwrap();
        assert!(before.contains("systemctl stop onair\n"), "{text}");
        assert!(after.contains("systemctl start onair\n"), "{text}");
    }
    assert!(unit.contains("ListenDatagram=0.0.0.0:9000\n"), "SRT: {unit}");
    // WebRTC needs both kinds of port.
    for kind in ["Stream", "Datagram"] {
        assert!(unit.contains(&format!("Listen{kind}=127.0.0.1:8189\n")), "{unit}");
    }
}

#[test]
fn every_figure_of_the_board_for_grafana_is_there() {
    let board = Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging/grafana/onair.json");
    let board: Value = serde_json::from_slice(&fs::read(board).unwrap()).unwrap();
    let expressions = board["panels"].as_array().unwrap().iter().flat_map(|panel| {
        panel["targets"].as_array().into_iter().flatten().map(|it| it["expr"].as_str().unwrap())
    });
    let is_part = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    let shown = expressions.flat_map(|text| text.split(|letter| !is_part(letter)));
    let shown = shown.filter(|it| it.starts_with("onair_") || it.starts_with("process_"));
    let shown = shown.collect::<BTreeSet<_>>();
    assert!(shown.len() >= 10, "{shown:?}");

    let mut server = Onair::start(&["serve", "--rtmp", "127.0.0.1:0", "--http", "127.0.0.1:0"]);
    let ready = server.wait_named("ready");
    let [rtmp, http] = ["rtmp", "http"].map(|name| ready[name].as_str().unwrap().to_owned());
    let _publisher = Client::publish(&format!("{rtmp}/live/show"));
    server.wait_named("publish");
    let address = http.strip_prefix("http://").unwrap();
    wait_for("a stream", LIMIT, || web::ask(address, "GET", "/metrics").contains("{app="));
    let metrics = web::ask(address, "GET", "/metrics");
    for name in shown {
        let starts = |line: &str| {
            line.starts_with(&format!("{name} ")) || line.starts_with(&format!("{name}{{"))
        };
        assert!(metrics.lines().any(starts), "no {name} in {metrics}");
    }
}
