//! Tests of the routes to a server: ports that are tried in order, third-party and misbehaving
//! proxies, a chosen local address, and IPv6.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crate::peers::certificates::Authority;
use crate::peers::{self, LIMIT, Onair, Peer, ffmpeg, free_port, wait_for, wait_listening};
use serde_json::Value;

const SMALL: &[&str] =
    &["--video", "test", "--audio", "tone", "--size", "480x270", "--video-bitrate", "500k"];

fn serve(rtmp: &str, more: &[&str]) -> Onair {
    let base = ["serve", "--rtmp", rtmp, "--http", "127.0.0.1:0"];
    Onair::start(&[&base[..], more].concat())
}

fn port_of(server: &mut Onair, kind: &str) -> u16 {
    let ready = server.wait_named("ready");
    let url = ready[kind].as_str().unwrap_or_else(|| panic!("no {kind} in {ready}"));
    url.rsplit_once(':').unwrap().1.parse().unwrap()
}

/// Publishes for a moment, unless publishing fails; returns the exit code and all events.
fn live(to: &str, more: &[&str]) -> (Option<i32>, Vec<Value>) {
    let base = ["live", "--to", to, "--retry-for", "0s"];
    let mut onair = Onair::start(&[&base[..], SMALL, more].concat());
    let sent = |event: &Value| event["targets"][0]["sent_frames"].as_u64() > Some(20);
    wait_for("pictures at the server, or the end", LIMIT * 2, || {
        onair.peer.status().is_some() || onair.events().iter().any(sent)
    });
    if onair.peer.status().is_none() {
        onair.peer.interrupt();
    }
    (onair.peer.wait(LIMIT).code(), onair.events())
}

fn goes_live(to: &str, more: &[&str]) -> Vec<Value> {
    let (code, events) = live(to, more);
    assert_eq!(code, Some(0), "{to} {more:?}: {events:?}");
    events
}

fn fails(to: &str, more: &[&str]) -> Value {
    let (code, events) = live(to, more);
    assert_eq!(code, Some(6), "{to} {more:?}: {events:?}");
    let failed = events.into_iter().find(|event| event["state"] == "failed");
    failed.expect("a failure")
}

#[test]
fn ports_are_tried_in_order_and_each_is_reported() {
    let mut server = serve("127.0.0.1:0", &[]);
    let good = port_of(&mut server, "rtmp");
    let nobody = free_port();
    // A server that answers, but does not speak RTMP.
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let talks = other.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in other.incoming().flatten() {
            let mut stream = stream;
            let _ = stream.read(&mut [0; 4_096]);
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
        }
    });
    let ports = format!("{nobody},{talks},{good}");
    let events = goes_live("rtmp://127.0.0.1/live/show", &["--ports", &ports]);
    let causes: Vec<(&str, &str)> = events
        .iter()
        .filter(|event| event["event"] == "target" && event["cause"].is_string())
        .map(|event| (event["stage"].as_str().unwrap(), event["cause"].as_str().unwrap()))
        .collect();
    assert!(causes.iter().any(|(stage, cause)| *stage == "tcp" && cause.contains("refused")));
    assert!(causes.iter().any(|(_, cause)| cause.contains("HTTP")), "{causes:?}");

    let url = "rtmp://127.0.0.1/live/show";
    let mut check = Onair::start(&["check", url, "--ports", &ports]);
    assert_eq!(check.peer.wait(LIMIT).code(), Some(0));
    let report: Value = serde_json::from_str(check.peer.output().lines().last().unwrap()).unwrap();
    assert_eq!(report["ok"], true, "{report}");
    let stages = report["stages"].as_array().unwrap();
    let failed: Vec<_> = stages.iter().filter(|stage| stage["ok"] == false).collect();
    assert_eq!(failed.len(), 2, "{report}");
    assert!(failed[0]["peer"].as_str().unwrap().ends_with(&nobody.to_string()), "{report}");

    // A port in the URL overrides `--ports`.
    let to = format!("rtmp://127.0.0.1:{nobody}/live/show");
    assert!(fails(&to, &["--ports", &ports])["cause"].as_str().unwrap().contains("refused"));
    let none = fails(url, &["--ports", &format!("{nobody},{talks}")]);
    assert_eq!(none["stage"], "handshake", "{none}");
    assert!(none["cause"].as_str().unwrap().contains(&format!("{nobody} (tcp)")), "{none}");
}

#[test]
fn an_http_proxy_is_gone_through() {
    peers::require!("tinyproxy");
    let authority = Authority::new();
    let certificate = authority.good();
    let (cert, key) = (certificate.certificate.to_str(), certificate.key.to_str());
    let tls = ["--rtmps", "127.0.0.1:0", "--cert", cert.unwrap(), "--cert-key", key.unwrap()];
    let mut server = serve("127.0.0.1:0", &tls);
    let (rtmp, rtmps) = (port_of(&mut server, "rtmp"), port_of(&mut server, "rtmps"));
    let folder = tempfile::tempdir().unwrap();
    let (file, port) = (folder.path().join("tinyproxy.conf"), free_port());
    let log = folder.path().join("log");
    let config = format!(
        "Port {port}\nListen 127.0.0.1\nTimeout 60\nMaxClients 20\nLogFile \"{}\"\n\
         LogLevel Connect\nBasicAuth me pa55word\nConnectPort {rtmp}\nConnectPort {rtmps}\n",
        log.display()
    );
    std::fs::write(&file, config).unwrap();
    let mut proxy = Peer::start_command(Command::new("tinyproxy").arg("-d").arg("-c").arg(&file));
    wait_listening(&mut proxy, port);
    let through = format!("http://me:pa55word@127.0.0.1:{port}");
    goes_live(&format!("rtmp://localhost:{rtmp}/live/show"), &["--proxy", &through]);
    let trust = ["--proxy", &through, "--tls-pin", &certificate.pin];
    goes_live(&format!("rtmps://localhost:{rtmps}/live/show"), &trust);
    goes_live(&format!("rtmpts://localhost:{rtmps}/live/show"), &trust);
    let seen = std::fs::read_to_string(&log).unwrap();
    assert!(seen.matches("CONNECT").count() >= 3, "{seen}");

    let to = format!("rtmp://localhost:{rtmp}/live/show");
    let (anonymous, wrong) = (format!("127.0.0.1:{port}"), through.replace("pa55", "p455"));
    for (proxy, cause) in [(&anonymous, "requires a user"), (&wrong, "does not accept")] {
        let failed = fails(&to, &["--proxy", proxy]);
        assert_eq!(failed["stage"], "tcp", "{failed}");
        assert!(failed["cause"].as_str().unwrap().contains(cause), "{failed}");
        assert!(!failed.to_string().contains("p455"), "{failed}");
    }
    let failed = fails("rtmp://localhost:1/live/show", &["--proxy", &through]);
    assert!(failed["cause"].as_str().unwrap().contains("403"), "{failed}");
}

#[test]
fn a_socks_proxy_is_gone_through_and_the_environment_names_one() {
    peers::require!("microsocks");
    let mut server = serve("127.0.0.1:0", &[]);
    let rtmp = port_of(&mut server, "rtmp");
    let port = free_port();
    let words = ["-i", "127.0.0.1", "-p", &port.to_string(), "-u", "me", "-P", "pa55word"];
    let mut proxy = Peer::start("microsocks", words);
    wait_listening(&mut proxy, port);
    let through = format!("socks5://me:pa55word@127.0.0.1:{port}");
    let to = format!("rtmp://localhost:{rtmp}/live/show");
    goes_live(&to, &["--proxy", &through]);
    goes_live(&to.replace("rtmp://", "rtmpt://"), &["--proxy", &through]);
    let failed = fails(&to, &["--proxy", &through.replace("pa55", "p455")]);
    assert!(failed["cause"].as_str().unwrap().contains("does not accept"), "{failed}");
    let failed = fails(&to, &["--proxy", &format!("socks5://127.0.0.1:{port}")]);
    assert!(failed["cause"].as_str().unwrap().contains("requires a user"), "{failed}");
    let failed = fails("rtmp://localhost:1/live/show", &["--proxy", &through]);
    assert!(failed["cause"].as_str().unwrap().contains("refuses"), "{failed}");

    // A proxy from the environment does not apply to 127.0.0.1, but applies to 127.0.0.9.
    let dead = format!("socks5://127.0.0.1:{}", free_port());
    for (host, code) in [("127.0.0.1", 0), ("127.0.0.9", 6)] {
        let to = format!("rtmp://{host}:{rtmp}/live/show");
        let words = ["live", "--to", &to, "--retry-for", "0s", "--duration", "1s"];
        let mut onair =
            Onair::start_with(&[&words[..], SMALL].concat(), &[("ALL_PROXY", dead.as_str())]);
        assert_eq!(onair.peer.wait(LIMIT).code(), Some(code), "{}", onair.peer.output());
    }
}

#[test]
fn proxies_that_lie_are_found_out() {
    // The proxy's kind, its answer to the greeting, and a word of the cause that onair reports.
    let endless = [b"HTTP/1.1 200 OK\r\n".as_slice(), &b"a: b\r\n".repeat(10_000)].concat();
    for (kind, answer, cause) in [
        ("http", b"HTTP/1.1 502 Bad Gateway\r\n\r\n".to_vec(), "502 Bad Gateway"),
        ("http", b"SSH-2.0-OpenSSH_9.2\r\n\r\n".to_vec(), "does not speak HTTP"),
        ("http", endless, "does not speak HTTP"),
        ("http", Vec::new(), "closed"),
        ("http", b"HTTP/1.1 200 OK\r\n\r\n\x03garbage and the end".to_vec(), "the server"),
        ("socks5", b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(), "does not speak SOCKS"),
        ("socks5", vec![5, 0, 5, 1, 0, 1, 0, 0, 0, 0, 0, 0], "cannot connect to the server"),
        ("socks5", vec![5, 0, 5, 0, 0, 77, 0], "does not speak SOCKS"),
        ("socks5", vec![5, 0, 5, 0, 0, 3, 255, 1, 2, 3], "cannot connect to the server"),
        ("socks5", vec![5, 0], "cannot connect to the server"),
        ("socks5", vec![5], "cannot reach the proxy"),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        thread::spawn(move || {
            let Ok((mut stream, _)) = listener.accept() else { return };
            let _ = stream.read(&mut [0; 4_096]);
            let _ = stream.write_all(&answer);
            let _ = stream.shutdown(std::net::Shutdown::Write);
            let _ = std::io::copy(&mut stream, &mut std::io::sink());
        });
        let proxy = format!("{kind}://127.0.0.1:{port}");
        let failed = fails("rtmp://server.invalid/live/show", &["--proxy", &proxy]);
        assert!(failed["cause"].as_str().unwrap().contains(cause), "{cause}: {failed}");
    }
}

#[test]
fn a_wrong_password_of_a_proxy_is_sent_once() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            count.fetch_add(1, Ordering::SeqCst);
            let _ = stream.read(&mut [0; 4_096]);
            let _ = stream.write_all(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n");
        }
    });
    let proxy = format!("http://me:pa55word@127.0.0.1:{port}");
    let words = ["live", "--to", "rtmp://server.invalid/live/show", "--proxy", &proxy];
    let mut onair = Onair::start(&[&words[..], SMALL].concat());
    assert_eq!(onair.peer.wait(LIMIT).code(), Some(6), "{}", onair.peer.output());
    assert_eq!(asked.load(Ordering::SeqCst), 1);
}

#[test]
fn the_built_in_server_needs_no_route() {
    let dead = format!("127.0.0.1:{}", free_port());
    let words = ["live", "--built-in", "--proxy", &dead, "--bind", "192.0.2.7", "--duration", "1s"];
    let mut onair = Onair::start(&[&words[..], &["--retry-for", "0s"], SMALL].concat());
    let code = onair.peer.wait(LIMIT).code();
    assert_eq!(code, Some(0), "{}{}", onair.peer.output(), onair.peer.errors());
}

#[test]
fn wrong_flags_are_usage_errors() {
    for (flags, expected) in [
        (["--proxy", "ftp://u:secret@h"], "--proxy"),
        (["--bind", "not/an/interface"], "--bind"),
        (["--ports", "0"], "--ports"),
        (["--ports", "1,2,3,4,5,6,7,8,9"], "--ports"),
    ] {
        let mut onair = Onair::start(&[&["check", "rtmp://h/live/show"], &flags[..]].concat());
        assert_eq!(onair.peer.wait(LIMIT).code(), Some(2), "{flags:?}");
        let errors = onair.peer.errors();
        assert!(errors.contains(expected) && !errors.contains("secret"), "{errors}");
    }
}

#[test]
fn connections_leave_from_the_chosen_address() {
    let mut server = serve("127.0.0.1:0", &[]);
    let to = format!("rtmp://127.0.0.1:{}/live/show", port_of(&mut server, "rtmp"));
    goes_live(&to, &["--bind", "127.0.0.2"]);
    let publish = server.wait_named("publish");
    assert!(publish["peer"].as_str().unwrap().starts_with("127.0.0.2:"), "{publish}");
    for bad in ["192.0.2.7", "::1"] {
        let failed = fails(&to, &["--bind", bad]);
        assert!(failed["cause"].as_str().unwrap().contains("cannot connect from"), "{failed}");
    }
}

#[test]
fn ipv6_addresses_work_from_end_to_end() {
    peers::require!("ffmpeg", "ffprobe");
    let mut server = serve("[::1]:0", &[]);
    let port = port_of(&mut server, "rtmp");
    for scheme in ["rtmp", "rtmpt"] {
        let to = format!("{scheme}://[::1]:{port}/live/show");
        let events = goes_live(&to, &[]);
        let shown = events.iter().find(|event| event["event"] == "target").unwrap();
        assert_eq!(shown["url"], format!("{scheme}://[::1]:{port}/live/***"));
        let _publisher = ffmpeg::publish(&format!("rtmp://[::1]:{port}/live/{scheme}"), None);
        server
            .wait_event("ffmpeg", |event| event["event"] == "publish" && event["stream"] == scheme);
        let probe = ffmpeg::probe(format!("rtmp://[::1]:{port}/live/{scheme}"));
        assert_eq!(probe.stream("video")["codec_name"], "h264");
    }
}
