//! Tests of RTMP tunneled through HTTP (RTMPT). Third-party clients and onair's client use onair's
//! server, through misbehaving proxies too. Malformed HTTP is tested as well.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;

use crate::peers::certificates::Authority;
use crate::peers::{self, LIMIT, Onair, Peer, ffmpeg, free_port, others, wait_listening};
use serde_json::Value;

fn serve(more: &[&str]) -> Onair {
    let base = ["serve", "--rtmp", "127.0.0.1:0", "--http", "127.0.0.1:0"];
    Onair::start(&[&base[..], more].concat())
}

/// The address of this kind in the `ready` event, without its scheme.
fn address(server: &mut Onair, kind: &str) -> String {
    let ready = server.wait_named("ready");
    let url = ready[kind].as_str().unwrap_or_else(|| panic!("no {kind} in {ready}"));
    url.split_once("://").unwrap().1.to_owned()
}

/// ffmpeg publishes and plays at `url`; asserts that everything decodes.
fn ffmpeg_goes_both_ways(server: &mut Onair, url: &str) {
    let publisher = ffmpeg::publish(url, None);
    server.wait_named("publish");
    let probe = ffmpeg::probe(url);
    assert_eq!(probe.stream("video")["codec_name"], "h264");
    assert_eq!(probe.stream("audio")["codec_name"], "aac");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("played.flv");
    ffmpeg::play(url, 4, &file).wait_success(LIMIT);
    assert_eq!(ffmpeg::decode(&file), "");
    let played = ffmpeg::probe(&file);
    assert!(played.packets("video").len() >= 100, "{}", played.packets("video").len());
    // In order and without gaps, although the packets came in pieces of many responses.
    for pair in played.packets("video").windows(2) {
        let step = pair[1].dts - pair[0].dts;
        assert!((0.02..0.05).contains(&step), "{step} s between pictures");
    }
    drop(publisher);
    server.wait_named("unpublish");
}

#[test]
fn ffmpeg_publishes_and_plays_through_tunnels() {
    peers::in_real_time!(ffmpeg_publishes_and_plays_through_tunnels);
    peers::require!("ffmpeg", "ffprobe");
    let mut server = serve(&["--rtmpt", "127.0.0.1:0"]);
    // On RTMPT's separate port, and on the RTMP port.
    for kind in ["rtmpt", "rtmp"] {
        let address = address(&mut server, kind);
        ffmpeg_goes_both_ways(&mut server, &format!("rtmpt://{address}/live/{kind}"));
    }
}

#[test]
fn ffmpeg_publishes_and_plays_through_tunnels_inside_tls() {
    peers::in_real_time!(ffmpeg_publishes_and_plays_through_tunnels_inside_tls);
    peers::require!("ffmpeg", "ffprobe");
    let authority = Authority::new();
    let certificate = authority.good();
    let (cert, key) = (certificate.certificate.to_str(), certificate.key.to_str());
    let tls = ["--rtmps", "127.0.0.1:0", "--cert", cert.unwrap(), "--cert-key", key.unwrap()];
    let mut server = serve(&tls);
    let address = address(&mut server, "rtmps");
    ffmpeg_goes_both_ways(&mut server, &format!("rtmpts://{address}/live/show"));
}

#[test]
fn librtmp_plays_through_a_tunnel() {
    peers::in_real_time!(librtmp_plays_through_a_tunnel);
    peers::require!("ffmpeg", "ffprobe", "rtmpdump");
    let mut server = serve(&[]);
    let address = address(&mut server, "rtmp");
    let _publisher = ffmpeg::publish(&format!("rtmp://{address}/live/show"), None);
    server.wait_named("publish");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("dumped.flv");
    let mut dump = others::rtmpdump(&format!("rtmpt://{address}/live/show"), &file);
    let enough = |peer: &peers::Peer| {
        let _ = peer;
        std::fs::metadata(&file).is_ok_and(|file| file.len() > 300_000)
    };
    dump.wait_until("300 kB through the tunnel", LIMIT, enough);
    dump.interrupt();
    dump.wait(LIMIT);
    let probe = ffmpeg::probe(&file);
    assert!(probe.packets("video").len() >= 30, "{}", probe.packets("video").len());
}

const SMALL: &[&str] =
    &["--video", "test", "--audio", "tone", "--size", "480x270", "--video-bitrate", "500k"];

fn live(to: &str, more: &[&str]) -> Onair {
    Onair::start(&[&["live", "--to", to], SMALL, more].concat())
}

fn is_live(event: &Value) -> bool {
    event["event"] == "target" && event["state"] == "live"
}

/// onair publishes and plays at `url`; the measured latency is as good as without a tunnel.
fn we_go_both_ways(url: &str, more: &[&str]) {
    let mut onair = live(url, more);
    onair.wait_event("live", is_live);
    let words = ["play", url, "--headless", "--measure", "--duration", "5s"];
    let mut player = Onair::start(&[&words[..], more].concat());
    assert_eq!(player.peer.wait(LIMIT).code(), Some(0), "{}", player.peer.output());
    let stats = player.events().into_iter().rfind(|event| event["event"] == "play_stats").unwrap();
    assert!(stats["shown"].as_u64().unwrap() > 60, "{stats}");
    assert!(stats["av_offset_ms"].as_f64().unwrap().abs() < 20.0, "{stats}");
    let mut probe = Onair::start(&[&["probe", url], more].concat());
    assert_eq!(probe.peer.wait(LIMIT).code(), Some(0), "{}", probe.peer.output());
    let mut check = Onair::start(&[&["check", url], more].concat());
    assert_eq!(check.peer.wait(LIMIT).code(), Some(0), "{}", check.peer.output());
    assert_eq!(onair.stop(LIMIT).code(), Some(0), "{}", onair.peer.output());
    let events = onair.events();
    assert_eq!(events.iter().filter(|event| is_live(event)).count(), 1, "{events:?}");
    let stats = events.iter().rfind(|event| event["event"] == "stats").unwrap();
    assert_eq!(stats["targets"][0]["dropped_frames"], 0, "{stats}");
}

#[test]
fn we_publish_and_play_through_tunnels() {
    peers::in_real_time!(we_publish_and_play_through_tunnels);
    let mut server = serve(&[]);
    let url = format!("rtmpt://{}/live/show", address(&mut server, "rtmp"));
    we_go_both_ways(&url, &[]);
    // The publisher unpublishes explicitly before it disconnects.
    let ended = server.wait_named("unpublish");
    assert_eq!(ended["reason"], "unpublished", "{ended}");
}

#[test]
fn we_publish_and_play_through_tunnels_inside_tls() {
    peers::in_real_time!(we_publish_and_play_through_tunnels_inside_tls);
    let authority = Authority::new();
    let certificate = authority.good();
    let (cert, key) = (certificate.certificate.to_str(), certificate.key.to_str());
    let tls = ["--rtmps", "127.0.0.1:0", "--cert", cert.unwrap(), "--cert-key", key.unwrap()];
    let mut server = serve(&tls);
    let url = format!("rtmpts://{}/live/show", address(&mut server, "rtmps"));
    we_go_both_ways(&url, &["--tls-pin", &certificate.pin]);
}

#[test]
fn a_proxy_that_chops_and_closes_does_not_end_a_session() {
    peers::in_real_time!(a_proxy_that_chops_and_closes_does_not_end_a_session);
    peers::require!("nginx");
    let mut server = serve(&[]);
    let behind = address(&mut server, "rtmp");
    let port = free_port();
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path().display();
    // nginx closes the connection after seven requests. Where responses are buffered, they come in
    // chunks. Each request reaches the server on a separate connection.
    let config = format!(
        "daemon off; master_process off; pid {at}/pid; error_log stderr info;
         events {{ worker_connections 64; }}
         http {{
            access_log off; client_body_temp_path {at}/body; proxy_temp_path {at}/proxy;
            fastcgi_temp_path {at}/fastcgi; uwsgi_temp_path {at}/uwsgi; scgi_temp_path {at}/scgi;
            client_max_body_size 4m;
            server {{
                listen 127.0.0.1:{port}; keepalive_requests 7; sub_filter_types *;
                location / {{
                    proxy_pass http://{behind}; sub_filter nosuchthing nosuchthing;
                }}
            }}
         }}"
    );
    let file = folder.path().join("nginx.conf");
    std::fs::write(&file, config).unwrap();
    let (nginx, _rtmp) = peers::nginx::program().unwrap();
    let mut nginx = Peer::start_command(
        Command::new(nginx).args(["-e", "stderr", "-p"]).arg(folder.path()).arg("-c").arg(&file),
    );
    wait_listening(&mut nginx, port);
    we_go_both_ways(&format!("rtmpt://127.0.0.1:{port}/live/show"), &[]);
}

/// The failure of a target whose server gives one of these answers per connection.
fn turned_down(answers: Vec<Vec<u8>>) -> Value {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        let mut held = Vec::new();
        for answer in answers {
            let Ok((mut stream, _)) = listener.accept() else { return };
            let mut request = [0; 4_096];
            let _ = stream.read(&mut request);
            let _ = stream.write_all(&answer);
            held.push(stream);
        }
        std::thread::sleep(LIMIT);
    });
    let to = format!("rtmpt://127.0.0.1:{port}/live/show");
    let mut onair = live(&to, &["--retry-for", "0s"]);
    assert_eq!(onair.peer.wait(LIMIT * 2).code(), Some(6), "{}", onair.peer.output());
    let events = onair.events();
    events.into_iter().find(|event| event["state"] == "failed").expect("a failure")
}

#[test]
fn servers_that_take_no_tunnels_are_named() {
    let endless = [b"HTTP/1.1 200 OK\r\n\r\n".as_slice(), &[b'n'; 100_000]].concat();
    let heads = [b"HTTP/1.1 200 OK\r\nx: ".as_slice(), &[b'y'; 100_000]].concat();
    for (answer, cause) in [
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n".to_vec(), "404 Not Found"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".to_vec(), "no usable name"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\na/b".to_vec(), "no usable name"),
        (b"SSH-2.0-OpenSSH_9.2\r\n\r\n".to_vec(), "does not speak HTTP"),
        (endless, "no usable name"),
        (heads, "does not speak HTTP"),
    ] {
        let failed = turned_down(vec![answer.clone()]);
        assert_eq!(failed["stage"], "handshake", "{failed}");
        let text = failed["cause"].as_str().unwrap();
        assert!(text.contains(cause), "{failed}");
        assert!(!failed["advice"].as_str().unwrap().is_empty(), "{failed}");
    }
}

/// Sends a request to the server and reads its whole answer, up to the end of the connection.
fn ask(address: &str, text: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(LIMIT)).unwrap();
    stream.write_all(text).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("an answer and the end of the connection");
    String::from_utf8_lossy(&answer).into_owned()
}

#[test]
fn wrong_requests_are_answered_and_end() {
    let mut server = serve(&[]);
    let address = address(&mut server, "rtmp");
    let close = "Connection: close\r\n";
    let post = |path: &str, fields: &str| format!("POST {path} HTTP/1.1\r\n{close}{fields}\r\n");
    for (request, status) in [
        (format!("GET / HTTP/1.1\r\n{close}\r\n"), "405"),
        (post("/fcs/ident2", ""), "404"),
        (post("/send/0123/1", "Content-Length: 0\r\n"), "404"),
        (post("/idle/0123/1", "Content-Length: 0\r\n"), "404"),
        (post("/send/../../1", ""), "404"),
        (post("/open/1", "Content-Length: nonsense\r\n"), "400"),
        (post("/open/1", "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n"), "400"),
        ("POST /open/1 HTTP/9\r\n\r\n".into(), "400"),
        ("POST  HTTP/1.1\r\n\r\n".into(), "400"),
        (format!("POST /open/1 HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(200)), "400"),
        (format!("POST /open/1 HTTP/1.1\r\nx: {}", "y".repeat(20_000)), "400"),
    ] {
        let answer = ask(&address, request.as_bytes());
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{request:.60}: {answer}");
    }
    // The server does not read an unwanted body to its end.
    let mut endless = post("/nothing/here", "Content-Length: 99999999999\r\n").into_bytes();
    endless.resize(endless.len() + 8_192, b'x');
    assert!(ask(&address, &endless).starts_with("HTTP/1.1 404 "));
    // The server still works.
    let opened = ask(&address, post("/open/1", "Content-Length: 1\r\n\r\n").as_bytes());
    assert!(opened.starts_with("HTTP/1.1 200 "), "{opened}");
}

/// One request on a persistent connection; returns the response's head and body.
fn exchange(stream: &mut TcpStream, path: &str, body: &[u8]) -> (String, Vec<u8>) {
    let head = format!("POST {path} HTTP/1.1\r\nContent-Length: {}\r\n\r\n", body.len());
    stream.write_all(&[head.as_bytes(), body].concat()).unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).unwrap();
    let length = head.split("Content-Length: ").nth(1).unwrap().split('\r').next().unwrap();
    let mut body = vec![0; length.parse().unwrap()];
    stream.read_exact(&mut body).unwrap();
    (head.lines().next().unwrap().to_owned(), body)
}

#[test]
fn a_session_outlives_its_connections_and_ends_with_the_first_gap() {
    let mut server = serve(&[]);
    let address = address(&mut server, "rtmp");
    let connect = || {
        let stream = TcpStream::connect(&address).unwrap();
        stream.set_read_timeout(Some(LIMIT)).unwrap();
        stream
    };
    let (status, name) = exchange(&mut connect(), "/open/1", &[0]);
    assert_eq!(status, "HTTP/1.1 200 OK");
    let name = String::from_utf8(name).unwrap().trim().to_owned();
    assert_eq!(name.len(), 32, "{name}");
    // The handshake over three connections: C0 and half of C1, the other half, and C2.
    let mut hello = vec![3];
    hello.resize(1 + 1_536, 0);
    exchange(&mut connect(), &format!("/send/{name}/0"), &hello[..700]);
    let mut got =
        exchange(&mut connect(), &format!("/send/{name}/1"), &hello[700..]).1[1..].to_vec();
    let mut number = 2;
    while got.len() < 1 + 2 * 1_536 {
        let (status, body) = exchange(&mut connect(), &format!("/idle/{name}/{number}"), &[0]);
        assert_eq!(status, "HTTP/1.1 200 OK");
        assert!(body.len() > 1 || number < 20, "no answer to the handshake");
        got.extend(&body[1..]);
        number += 1;
    }
    assert_eq!(got[0], 3);
    // A sequence number is missing: bytes may be lost, so the session ends for good.
    let gap = exchange(&mut connect(), &format!("/idle/{name}/{}", number + 1), &[0]).0;
    assert!(gap.contains("404"), "{gap}");
    let after = exchange(&mut connect(), &format!("/idle/{name}/{}", number + 2), &[0]).0;
    assert!(after.contains("404"), "{after}");
}
