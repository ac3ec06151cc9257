//! Tests of RTMPS with third-party TLS servers and TLS clients, and with every kind of certificate
//! that onair must not trust.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::peers::certificates::{Authority, Certificate};
use crate::peers::{self, LIMIT, Nginx, Onair, Peer, ffmpeg, free_port, wait_listening};
use serde_json::Value;

const SMALL: &[&str] =
    &["--video", "test", "--audio", "tone", "--size", "480x270", "--video-bitrate", "500k"];

fn words<'a>(certificate: &'a Certificate) -> [&'a str; 4] {
    let text = |path: &'a Path| path.to_str().unwrap();
    ["--cert", text(&certificate.certificate), "--cert-key", text(&certificate.key)]
}

/// Our own server with this certificate, and its RTMPS address.
fn serve(certificate: &Certificate) -> (Onair, String) {
    let addresses = ["--rtmp", "127.0.0.1:0", "--http", "127.0.0.1:0", "--rtmps", "127.0.0.1:0"];
    let mut server = Onair::start(&[&["serve"], &addresses[..], &words(certificate)].concat());
    let rtmps = server.wait_named("ready")["rtmps"].as_str().unwrap().to_owned();
    assert!(rtmps.starts_with("rtmps://127.0.0.1:"), "{rtmps}");
    (server, rtmps)
}

fn live(to: &str, more: &[&str]) -> Onair {
    let base = ["live", "--to", to, "--retry-for", "2s"];
    Onair::start(&[&base[..], SMALL, more].concat())
}

fn is_live(event: &Value) -> bool {
    event["event"] == "target" && event["state"] == "live"
}

/// Streams for two seconds, and asserts that this succeeds.
fn streams_to(to: &str, trust: &[&str]) {
    let mut onair = live(to, &[trust, &["--duration", "2s"]].concat());
    let code = onair.peer.wait(LIMIT).code();
    assert_eq!(code, Some(0), "{}{}", onair.peer.output(), onair.peer.errors());
    assert!(onair.events().iter().any(is_live));
}

/// Asserts that the certificate is refused; returns the failure, at stage `tls` and with exit code
/// 6.
fn turned_down(to: &str, trust: &[&str]) -> Value {
    let mut onair = live(to, trust);
    let code = onair.peer.wait(LIMIT).code();
    let events = onair.events();
    assert_eq!(code, Some(6), "{to}: {events:?}");
    let failed = events
        .iter()
        .find(|event| event["event"] == "target" && event["state"] == "failed")
        .unwrap_or_else(|| panic!("no failure in {events:?}"));
    assert_eq!(failed["stage"], "tls", "{failed}");
    failed.clone()
}

#[test]
fn every_bad_certificate_is_turned_down_with_its_reason() {
    let authority = Authority::new();
    let ca = authority.file();
    let trust = ["--tls-ca", ca.to_str().unwrap()];
    let cases: [(Certificate, &[&str], &str, &str); 6] = [
        (authority.expired(), &trust, "expired on 2020-12-31 (notAfter)", "date"),
        (authority.early(), &trust, "not valid before 2090-01-01 (notBefore)", "date"),
        (authority.foreign(), &trust, "live.example.org (subject alternative name)", "name"),
        (authority.good(), &[], "(issuer)", "--tls-pin"),
        (authority.self_signed(true), &trust, "(basic constraints: CA)", "--tls-pin"),
        // It has the same name as the trusted authority.
        (authority.self_signed(false), &trust, "(issuer)", "--tls-pin"),
    ];
    for (certificate, trust, cause, advice) in cases {
        let (_server, url) = serve(&certificate);
        let failed = turned_down(&format!("{url}/live/show"), trust);
        let text = |field: &str| failed[field].as_str().unwrap().to_owned();
        assert!(text("cause").contains(cause), "{failed}");
        assert!(text("advice").contains(advice), "{failed}");
        if advice == "--tls-pin" {
            // The advice names the certificate's pin, so that its owner can compare and trust it.
            assert!(text("advice").contains(&certificate.pin), "{failed}");
            streams_to(&format!("{url}/live/show"), &["--tls-pin", &certificate.pin]);
        }
    }
}

#[test]
fn without_system_roots_the_certificate_is_turned_down_and_can_be_pinned() {
    let authority = Authority::new();
    let certificate = authority.good();
    let (_server, url) = serve(&certificate);
    let empty = tempfile::tempdir().unwrap();
    let file = empty.path().join("roots.pem");
    std::fs::write(&file, "").unwrap();
    let (folder, file) = (empty.path().to_str().unwrap(), file.to_str().unwrap());
    let variables = [("SSL_CERT_FILE", file), ("SSL_CERT_DIR", folder)];
    let to = format!("{url}/live/show");
    let words = [&["live", "--to", &to][..], SMALL].concat();
    // onair does not try again.
    let mut onair = Onair::start_with(&words, &variables);
    assert_eq!(onair.peer.wait(LIMIT).code(), Some(6), "{}", onair.peer.output());
    let events = onair.events();
    let failed = events.iter().find(|event| event["state"] == "failed").unwrap();
    assert!(failed["cause"].as_str().unwrap().contains("trusted certificate authorities"));
    let advice = failed["advice"].as_str().unwrap();
    assert!(advice.contains("ca-certificates") && !advice.contains("rtmp://"), "{failed}");
    let pinned = [&words[..], &["--tls-pin", &certificate.pin, "--duration", "2s"]].concat();
    let mut onair = Onair::start_with(&pinned, &variables);
    assert_eq!(onair.peer.wait(LIMIT).code(), Some(0), "{}", onair.peer.errors());
}

#[test]
fn a_bad_certificate_is_turned_down_behind_several_ports_too() {
    let authority = Authority::new();
    let certificate = authority.good();
    let (_server, url) = serve(&certificate);
    let ports = format!("{},{}", free_port(), url.rsplit_once(':').unwrap().1);
    let to = "rtmps://127.0.0.1/live/show";
    let failed = turned_down(to, &["--ports", &ports]);
    assert!(failed["advice"].as_str().unwrap().contains(&certificate.pin), "{failed}");
    streams_to(to, &["--ports", &ports, "--tls-pin", &certificate.pin]);
}

#[test]
fn a_pin_accepts_its_own_certificate_and_no_other() {
    let authority = Authority::new();
    let (server, url) = serve(&authority.expired());
    let pin = authority.good().pin;
    let failed = turned_down(&format!("{url}/live/show"), &["--tls-pin", &pin]);
    assert!(failed["cause"].as_str().unwrap().contains(&pin), "{failed}");
    drop(server);
}

#[test]
fn an_own_authority_and_an_own_certificate_are_trusted_by_file() {
    let authority = Authority::new();
    let ca = authority.file();
    let (_server, url) = serve(&authority.good());
    streams_to(&format!("{url}/live/show"), &["--tls-ca", ca.to_str().unwrap()]);
    for as_authority in [false, true] {
        let own = authority.self_signed(as_authority);
        let (_server, url) = serve(&own);
        let trust = ["--tls-ca", own.certificate.to_str().unwrap()];
        streams_to(&format!("{url}/live/show"), &trust);
    }
}

#[test]
fn ffmpeg_publishes_to_us_and_plays_from_us_by_tls() {
    peers::require!("ffmpeg", "ffprobe");
    let authority = Authority::new();
    let (mut server, url) = serve(&authority.good());
    let url = format!("{url}/live/show");
    let publisher = ffmpeg::publish(&url, None);
    server.wait_named("publish");
    let probe = ffmpeg::probe(&url);
    assert_eq!(probe.warnings, "");
    assert_eq!(probe.stream("video")["codec_name"], "h264");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("played.flv");
    ffmpeg::play(&url, 3, &file).wait_success(LIMIT);
    assert_eq!(ffmpeg::decode(&file), "");
    drop(publisher);
    server.wait_named("unpublish");
}

#[test]
fn we_play_by_tls_what_we_publish_by_tls() {
    peers::in_real_time!(we_play_by_tls_what_we_publish_by_tls);
    let authority = Authority::new();
    let certificate = authority.good();
    let (_server, url) = serve(&certificate);
    let url = format!("{url}/live/show");
    let mut onair = live(&url, &["--tls-pin", &certificate.pin]);
    onair.wait_event("live", is_live);
    let trust = ["--tls-pin", &certificate.pin];
    let words = ["play", &url, "--headless", "--measure", "--duration", "4s"];
    let mut player = Onair::start(&[&words[..], &trust].concat());
    assert_eq!(player.peer.wait(LIMIT).code(), Some(0), "{}", player.peer.output());
    let stats = player.events().into_iter().rfind(|event| event["event"] == "play_stats").unwrap();
    assert!(stats["shown"].as_u64().unwrap() > 30, "{stats}");
    assert!(stats["av_offset_ms"].as_f64().unwrap().abs() < 20.0, "{stats}");
    let mut check = Onair::start(&[&["check", &url], &trust[..]].concat());
    assert_eq!(check.peer.wait(LIMIT).code(), Some(0), "{}", check.peer.output());
    let mut probe = Onair::start(&[&["probe", &url], &trust[..]].concat());
    assert_eq!(probe.peer.wait(LIMIT).code(), Some(0), "{}", probe.peer.output());
}

/// nginx's stream module before nginx-rtmp: TLS by OpenSSL, RTMP by nginx.
fn nginx_front(behind: u16, certificate: &Certificate, folder: &Path) -> (Peer, u16) {
    let port = free_port();
    let at = folder.display();
    let config = format!(
        "load_module /usr/lib/nginx/modules/ngx_stream_module.so;
         daemon off; master_process off; pid {at}/front.pid; error_log stderr info;
         events {{ worker_connections 64; }}
         stream {{ server {{
            listen 127.0.0.1:{port} ssl; proxy_pass 127.0.0.1:{behind};
            ssl_certificate {}; ssl_certificate_key {};
         }} }}",
        certificate.certificate.display(),
        certificate.key.display()
    );
    let file = folder.join("front.conf");
    fs::write(&file, config).unwrap();
    let (nginx, _rtmp) = peers::nginx::program().unwrap();
    let mut peer = Peer::start_command(
        Command::new(nginx).args(["-e", "stderr", "-p"]).arg(folder).arg("-c").arg(&file),
    );
    wait_listening(&mut peer, port);
    (peer, port)
}

fn stunnel_front(behind: u16, certificate: &Certificate, folder: &Path) -> (Peer, u16) {
    let port = free_port();
    let config = format!(
        "foreground = yes\npid =\nsyslog = no\n[rtmps]\naccept = 127.0.0.1:{port}\n\
         connect = 127.0.0.1:{behind}\ncert = {}\nkey = {}\n",
        certificate.certificate.display(),
        certificate.key.display()
    );
    let file = folder.join("stunnel.conf");
    fs::write(&file, config).unwrap();
    let mut peer = Peer::start_command(Command::new("stunnel4").arg(&file));
    wait_listening(&mut peer, port);
    (peer, port)
}

#[test]
fn nginx_receives_through_foreign_tls_servers() {
    peers::require!("nginx", "ffprobe", "stunnel4");
    let authority = Authority::new();
    let certificate = authority.good();
    let ca = authority.file();
    let nginx = Nginx::start();
    let folder = tempfile::tempdir().unwrap();
    let fronts = [
        nginx_front(nginx.port, &certificate, folder.path()),
        stunnel_front(nginx.port, &certificate, folder.path()),
    ];
    for (at, (_front, port)) in fronts.iter().enumerate() {
        let name = format!("show{at}");
        let to = format!("rtmps://localhost:{port}/recorded/{name}");
        let mut onair = live(&to, &["--tls-ca", ca.to_str().unwrap()]);
        nginx.wait_published(&name);
        onair.wait_event("pictures", |event| {
            event["targets"][0]["sent_frames"].as_u64() > Some(100)
        });
        let code = onair.stop(LIMIT).code();
        assert_eq!(code, Some(0), "{}{}", onair.peer.output(), onair.peer.errors());
        nginx.wait_unpublished(&name);
        let file = nginx.recordings().join(format!("{name}.flv"));
        assert_eq!(ffmpeg::decode(&file), "");
        assert!(ffmpeg::probe(&file).packets("video").len() >= 100);
    }
}

#[test]
fn what_nginx_has_is_played_through_foreign_tls_servers() {
    peers::require!("ffmpeg", "nginx", "stunnel4");
    let authority = Authority::new();
    let certificate = authority.good();
    let ca = authority.file();
    let nginx = Nginx::start();
    let _publisher = ffmpeg::publish(&nginx.url("live", "show"), None);
    nginx.wait_published("show");
    let folder = tempfile::tempdir().unwrap();
    let fronts = [
        nginx_front(nginx.port, &certificate, folder.path()),
        stunnel_front(nginx.port, &certificate, folder.path()),
    ];
    for (_front, port) in &fronts {
        let url = format!("rtmps://localhost:{port}/live/show");
        let play = |trust: &[&str]| {
            let words = ["play", &url, "--headless", "--mute", "--no-reconnect"];
            Onair::start(&[&words[..], trust].concat())
        };
        let mut player = play(&["--tls-ca", ca.to_str().unwrap()]);
        let figures = player.wait_event("pictures", |event| {
            event["event"] == "play_stats" && event["shown"].as_u64().is_some_and(|it| it > 60)
        });
        let harm = (&figures["damaged"], &figures["reconnects"]);
        assert_eq!(harm, (&0.into(), &0.into()), "{figures}");
        assert_eq!(player.stop(LIMIT).code(), Some(0));
        // Without the authority, the certificate is not trusted.
        let mut player = play(&[]);
        assert_eq!(player.peer.wait(LIMIT).code(), Some(6), "{}", player.peer.output());
    }
}

#[test]
fn tls_without_rtmp_behind_it_is_named_at_the_handshake() {
    peers::require!("openssl");
    let authority = Authority::new();
    let certificate = authority.good();
    let port = free_port();
    let mut server = Peer::start_command(
        Command::new("openssl")
            .args(["s_server", "-quiet", "-www", "-accept", &format!("127.0.0.1:{port}")])
            .arg("-cert")
            .arg(&certificate.certificate)
            .arg("-key")
            .arg(&certificate.key),
    );
    wait_listening(&mut server, port);
    let to = format!("rtmps://127.0.0.1:{port}/live/show");
    let mut onair = live(&to, &["--tls-pin", &certificate.pin]);
    assert_eq!(onair.peer.wait(LIMIT).code(), Some(6));
    let events = onair.events();
    let failed = events.iter().find(|event| event["state"] == "failed").unwrap();
    assert_eq!(failed["stage"], "handshake", "{failed}");
}

#[test]
fn plain_and_tls_connections_mixed_up_are_distinguished() {
    let authority = Authority::new();
    let (mut server, rtmps) = serve(&authority.good());
    let rtmp = server.wait_named("ready")["rtmp"].as_str().unwrap().to_owned();
    let (plain, secure) = (rtmp.replace("rtmp:", "rtmps:"), rtmps.replace("rtmps:", "rtmp:"));
    for (to, stage, advice) in [(plain, "tls", "rtmp://"), (secure, "handshake", "rtmps://")] {
        let mut onair = live(&format!("{to}/live/show"), &[]);
        assert_eq!(onair.peer.wait(LIMIT).code(), Some(6));
        let events = onair.events();
        let failed = events.iter().find(|event| event["state"] == "failed").unwrap();
        assert_eq!(failed["stage"], stage, "{failed}");
        assert!(failed["advice"].as_str().unwrap().contains(advice), "{failed}");
    }
    // Other clients still work.
    streams_to(&format!("{rtmp}/live/show"), &[]);
}

#[test]
fn unusable_certificates_of_ours_are_named() {
    let authority = Authority::new();
    let (good, other) = (authority.good(), authority.foreign());
    let folder = tempfile::tempdir().unwrap();
    let none = folder.path().join("none.pem");
    fs::write(&none, "nothing of the kind").unwrap();
    let start = |certificate: &Path, key: &Path| {
        let words = ["serve", "--rtmp", "127.0.0.1:0", "--rtmps", "127.0.0.1:0"];
        let files = ["--cert", certificate.to_str().unwrap(), "--cert-key", key.to_str().unwrap()];
        let mut server = Onair::start(&[&words[..], &files].concat());
        assert_eq!(server.peer.wait(LIMIT).code(), Some(3), "{}", server.peer.output());
        server.peer.errors()
    };
    assert!(start(&none, &good.key).contains("none.pem"));
    assert!(start(&good.certificate, &none).contains("private key"));
    assert!(start(&good.certificate, &other.key).contains("does not match the certificate"));
    assert!(start(Path::new("/absent.pem"), &good.key).contains("/absent.pem"));
    let mut alone = Onair::start(&["serve", "--rtmps", "127.0.0.1:0"]);
    assert_eq!(alone.peer.wait(LIMIT).code(), Some(2));
}
