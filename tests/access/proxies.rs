//! Tests of clients behind trusted proxies. Access rules, the slow-down after wrong keys and the
//! viewer lists use the client's address, not the proxy's.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::process::Command;
use std::thread;

use onair::wire::amf0::Value;
use onair::wire::rtmp::chunk::Writer;
use onair::wire::rtmp::message::chunk_stream;
use onair::wire::rtmp::{Kind, Message, Time, command};

use super::*;
use crate::peers::{free_port, wait_listening};

const RULES: &str = "trusted_proxies = [\"127.0.0.0/8\"]\n\
    [app.live.play]\ndeny = [\"203.0.113.0/24\"]\n[app.keys.play]\nkeys = [\"k1\"]\n\
    [app.live.publish]\ndeny = [\"203.0.113.0/24\"]\n";

fn forwarded(client: &str) -> String {
    format!("X-Forwarded-For: {client}\r\n")
}

#[test]
fn http_clients_of_a_trusted_proxy_have_their_own_addresses() {
    if peers::missing(&["ffmpeg"]) {
        return;
    }
    let mut serve = Serve::start(RULES);
    let _publishers = [serve.publish("live/show"), serve.publish("keys/show")];
    serve.wait_published("show");
    let head = |serve: &Serve, path: &str, fields: &str| serve.status("HEAD", path, fields);
    wait_for("both streams", LIMIT, || {
        head(&serve, "/live/show.flv", "") == 200
            && head(&serve, "/keys/show.flv?key=k1", "") == 200
    });
    for (client, status) in [
        ("203.0.113.5", 403),
        ("198.51.100.7", 200),
        // A client can write its own address list, to which the proxy appends. Therefore, the last
        // address that is not a trusted proxy counts.
        ("198.51.100.7, 203.0.113.5", 403),
        ("203.0.113.5, 198.51.100.7", 200),
        ("203.0.113.5, 127.0.0.9", 403),
    ] {
        assert_eq!(head(&serve, "/live/show.flv", &forwarded(client)), status, "{client}");
    }
    // The proxy does not write `Forwarded`, so this header comes from the client itself.
    let made_up = "Forwarded: for=198.51.100.7\r\nX-Forwarded-For: 203.0.113.5\r\n";
    assert_eq!(head(&serve, "/live/show.flv", made_up), 403);

    // Wrong keys from one client do not slow down other clients.
    let wrong =
        |serve: &Serve, client: &str| head(serve, "/keys/show.flv?key=wrong", &forwarded(client));
    let guesses: Vec<_> = (0..8).map(|_| wrong(&serve, "192.0.2.1")).collect();
    assert_eq!(guesses.last(), Some(&429), "{guesses:?}");
    assert_eq!(wrong(&serve, "192.0.2.2"), 401);

    // The list of viewers shows the client's address.
    assert_eq!(serve.status("GET", "/live/show/hls/main.m3u8", &forwarded("198.51.100.7")), 200);
    let answer = serve.ask("GET", "/api/v1/viewers", "");
    assert!(answer.contains("\"198.51.100.7:"), "{answer}");
    // A request through a proxy never counts as one from this computer.
    assert_eq!(serve.status("GET", "/api/v1/viewers", &forwarded("127.0.0.1")), 401);

    // The proxy is not trusted now, so the server ignores the header: anybody could write it.
    serve.reload(&RULES.replace("127.0.0.0/8", "192.0.2.0/24"));
    assert_eq!(head(&serve, "/live/show.flv", &forwarded("203.0.113.5")), 200);
    serve.reload(&format!("proxy_header = \"forwarded\"\n{RULES}"));
    assert_eq!(head(&serve, "/live/show.flv", "Forwarded: for=\"203.0.113.5:80\"\r\n"), 403);
    assert_eq!(head(&serve, "/live/show.flv", &forwarded("203.0.113.5")), 200);
}

/// Relays connections to a proxy, and first sends a PROXY protocol line with this client address.
fn client_at(address: &str, proxy: u16) -> u16 {
    let line = format!("PROXY TCP4 {address} 192.0.2.80 4711 1935\r\n");
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for near in listener.incoming().flatten() {
            let Ok(mut far) = TcpStream::connect((Ipv4Addr::LOCALHOST, proxy)) else { continue };
            far.write_all(line.as_bytes()).unwrap();
            let (back, here) = (far.try_clone().unwrap(), near.try_clone().unwrap());
            thread::spawn(move || copy(near, far));
            thread::spawn(move || copy(back, here));
        }
    });
    port
}

fn copy(mut from: TcpStream, mut to: TcpStream) {
    let mut buffer = vec![0; 64 << 10];
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        if to.write_all(&buffer[..length]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Both);
}

/// The number of connections in `/metrics`, which includes the one of this request.
fn connections(serve: &Serve) -> u64 {
    let metrics = serve.ask("GET", "/metrics", "");
    let count = metrics.lines().find_map(|line| line.strip_prefix("onair_connections_total "));
    count.and_then(|it| it.trim().parse().ok()).unwrap_or_else(|| panic!("{metrics}"))
}

#[test]
fn a_connection_through_a_proxy_counts_once() {
    let serve = Serve::start(&format!("proxy_protocol = true\n{RULES}"));
    let server = serve.rtmp.rsplit(':').next().unwrap().trim_end_matches('/').parse().unwrap();
    let before = connections(&serve);
    let url = format!("rtmp://127.0.0.1:{}", client_at("203.0.113.5", server));
    let publish = |url| ClientConfig::publish(url, BitsPerSecond(1_000_000));
    let why = refusal_at(&url, publish, "live/no");
    assert!(why.contains("This address is not allowed to publish streams."), "{why}");
    assert_eq!(connections(&serve), before + 2);
}

/// Posts a body as a proxy does, with this address of its client.
fn post(server: &str, path: &str, body: &[u8], client: &str) -> String {
    let mut socket = TcpStream::connect(server).unwrap();
    socket.set_read_timeout(Some(LIMIT)).unwrap();
    let (fields, length) = (forwarded(client), body.len());
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{fields}\
         Content-Length: {length}\r\n\r\n"
    );
    socket.write_all(&[head.as_bytes(), body].concat()).unwrap();
    let mut answer = Vec::new();
    socket.read_to_end(&mut answer).unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

#[test]
fn tunnel_clients_of_a_trusted_proxy_have_their_own_addresses() {
    let mut serve = Serve::start(RULES);
    let server = serve.rtmp.trim_start_matches("rtmp://").trim_end_matches('/').to_owned();
    // The handshake and a request to publish, for which the client need not wait.
    let mut bytes = vec![3; 1 + 2 * 1_536];
    let object = Value::object([("app", "live".into()), ("tcUrl", "rtmp://h/live".into())]);
    let arguments: [Value; 2] = ["no".into(), "live".into()];
    let mut writer = Writer::new();
    for body in [
        command::command("connect", 1.0, &object, &[]),
        command::command("publish", 2.0, &Value::Null, &arguments),
    ] {
        let (chunk_stream, kind, time) = (chunk_stream::COMMAND, Kind::COMMAND, Time(0));
        writer.write(&Message { chunk_stream, kind, stream: 0, time, body }, &mut bytes);
    }
    let opened = post(&server, "/open/1", &[0], "203.0.113.5");
    let (_, name) = opened.split_once("\r\n\r\n").unwrap();
    post(&server, &format!("/send/{}/1", name.trim()), &bytes, "203.0.113.5");
    serve.onair.wait_event("the refusal", |it| {
        it["event"] == "refused" && it["cause"] == "address" && it["peer"] == "203.0.113.5"
    });
}

#[test]
fn rtmp_clients_of_haproxy_have_their_own_addresses() {
    peers::require!("ffmpeg", "haproxy");
    let serve = Serve::start(&format!("proxy_protocol = true\n{RULES}"));
    let server = serve.rtmp.trim_start_matches("rtmp://").trim_end_matches('/').to_owned();
    let ports = [free_port(), free_port()];
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("haproxy.cfg");
    let mut text =
        "defaults\n mode tcp\n timeout connect 5s\n timeout client 1m\n timeout server 1m\n"
            .to_owned();
    for (name, port) in [("send-proxy", ports[0]), ("send-proxy-v2", ports[1])] {
        text += &format!(
            "listen {name}\n bind 127.0.0.1:{port} accept-proxy\n server onair {server} {name}\n"
        );
    }
    fs::write(&file, text).unwrap();
    let mut command = Command::new(peers::on_path("haproxy").unwrap());
    let mut haproxy = Peer::start_command(command.arg("-db").arg("-f").arg(&file));
    for port in ports {
        wait_listening(&mut haproxy, port);
        let url = |client: &str| format!("rtmp://127.0.0.1:{}", client_at(client, port));
        let publish = |url| ClientConfig::publish(url, BitsPerSecond(1_000_000));
        let why = refusal_at(&url("203.0.113.5"), publish, "live/no");
        assert!(why.contains("This address is not allowed to publish streams."), "{port}: {why}");
        let name = format!("show{port}");
        let _publisher = ffmpeg::publish(&format!("{}/live/{name}", url("198.51.100.7")), None);
        wait_for("the publisher", LIMIT, || {
            serve.named("publish").iter().any(|it| it["stream"] == name.as_str())
        });
        let events = serve.named("publish");
        let published = events.iter().find(|it| it["stream"] == name.as_str()).unwrap();
        assert_eq!(published["peer"], "198.51.100.7:4711");
    }
    // A trusted proxy must send a valid PROXY header. Otherwise, its clients could write one
    // themselves.
    for bytes in [&b"PROXY TCP4 nonsense\r\n"[..], &[3; 1_537]] {
        let mut broken = TcpStream::connect(&server).unwrap();
        broken.set_read_timeout(Some(LIMIT)).unwrap();
        broken.write_all(bytes).unwrap();
        assert_eq!(broken.read(&mut [0; 16]).unwrap_or(0), 0, "it is closed");
    }
}
