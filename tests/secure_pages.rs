//! Tests of the built-in server over HTTPS: curl with both versions of HTTP, ffmpeg, Chromium, a certificate that
//! changes while clients watch, and clients that misuse HTTP/2.

mod frames;

use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;

use crate::peers::certificates::Authority;
use crate::peers::onair::Onair;
use crate::peers::{self, LIMIT, Peer, ffmpeg, wait_for, web};
use crate::viewer_page::chromium::Chromium;
use onair::base::Clock;
use onair::net::{Identity, Runtime};
use onair::server::{Config, Listen, Server};

use frames::Client;

/// A server with HTTPS and plain HTTP.
struct Secure {
    server: Server,
    runtime: Runtime,
    authority: Authority,
}

impl Secure {
    fn start(change: impl FnOnce(&mut Config)) -> Self {
        let authority = Authority::new();
        let certificate = authority.good();
        let any = Listen::exactly("127.0.0.1:0".parse().unwrap());
        let identity = Identity::read(&certificate.certificate, &certificate.key).unwrap();
        let mut config = Config {
            rtmp: any,
            http: Some(any),
            https: Some(any),
            identity: Some(identity),
            webrtc: None,
            ..Config::default()
        };
        change(&mut config);
        let runtime = Runtime::start().unwrap();
        let server = Server::start(&runtime, Clock::start(), config).unwrap();
        Self { server, runtime, authority }
    }

    fn https(&self) -> SocketAddr {
        self.server.addresses().https.unwrap()
    }

    fn url(&self, path: &str) -> String {
        format!("https://localhost:{}{path}", self.https().port())
    }

    /// Runs curl, which trusts the server's authority. Returns its output.
    fn curl(&self, arguments: &[&str]) -> String {
        let mut curl = Command::new("curl");
        curl.args(["--silent", "--show-error", "--max-time", "20", "--cacert"]);
        let output = curl.arg(self.authority.file()).args(arguments).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    fn publish(&self) -> Peer {
        let url = format!("rtmp://{}/live/show", self.server.addresses().rtmp);
        let publisher = ffmpeg::publish_with(&url, None, &["-g", "30"]);
        wait_for("the stream", LIMIT, || {
            self.server.streams().iter().any(|it| it.publisher.is_some())
        });
        publisher
    }

    /// Connects a client of HTTP/2.
    fn client(&self) -> Client {
        Client::connect(self.https(), &self.authority.file())
    }

    /// Returns true if the server answers others.
    fn is_healthy(&self) -> bool {
        let mut client = self.client();
        client.request(1, "/healthz");
        client.wait_answer(1)
    }
}

impl Drop for Secure {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        assert!(self.server.shutdown(Duration::from_secs(30)), "everybody leaves in time");
        self.runtime.shutdown(Duration::from_secs(5));
    }
}

#[test]
fn curl_gets_pages_and_changes_streams_with_both_versions_of_http() {
    peers::require!("curl");
    let token = "0123456789abcdef0123456789abcdef";
    let secure = Secure::start(|config| config.http_token = Some(onair::base::Secret::new(token)));
    let url = secure.url("/healthz");
    for (flag, version) in [("--http2", "2"), ("--http1.1", "1.1")] {
        let told = ["--write-out", " %{http_code} %{http_version}", flag, &url];
        assert!(secure.curl(&told).ends_with(&format!("}} 200 {version}")), "{flag}");
    }
    let (stream, bearer) = (secure.url("/api/v1/streams/live/none"), format!("Bearer {token}"));
    let authorization = format!("Authorization: {bearer}");
    let change = ["--http2", "--request", "DELETE", "--header", &authorization, "--output"];
    let told = [&change[..], &["/dev/null", "--write-out", "%{http_code}", &stream]].concat();
    assert_eq!(secure.curl(&told), "404", "the request has the token, and the stream is not there");
    // Pages of another site get nothing, as over HTTP.
    let foreign = ["--header", "Origin: https://other.example", "--output", "/dev/null"];
    let told = [&foreign[..], &["--write-out", "%{http_code}", &url]].concat();
    assert_eq!(secure.curl(&told), "403");
}

#[test]
fn plain_http_redirects_to_https_only_if_asked_and_not_health_checks() {
    peers::require!("curl");
    let secure = Secure::start(|config| config.redirects_to_https = true);
    let http = secure.server.addresses().http.unwrap();
    let answer = |path: &str| web::ask(http, "GET", path);
    let moved = answer("/live/show.flv?key=1");
    assert!(moved.starts_with("HTTP/1.1 308 "), "{moved}");
    assert!(moved.contains("x-content-type-options: nosniff"), "{moved}");
    let port = secure.https().port();
    assert!(moved.contains(&format!("location: https://localhost:{port}/live/show.flv?key=1")));
    assert!(answer("/healthz").starts_with("HTTP/1.1 200 "));
    let followed = ["--location", "--output", "/dev/null", "--write-out", "%{http_code}"];
    let url = format!("http://localhost:{}/", http.port());
    assert_eq!(secure.curl(&[&followed[..], &[&url]].concat()), "200");
    let plain = Secure::start(|_| ());
    let http = plain.server.addresses().http.unwrap();
    assert!(web::ask(http, "GET", "/").starts_with("HTTP/1.1 200 "));
}

#[test]
fn ffmpeg_plays_every_form_of_a_stream_over_https() {
    peers::require!("ffmpeg");
    let secure = Secure::start(|_| ());
    let _publisher = secure.publish();
    let authority = secure.authority.file();
    for path in ["/live/show.flv", "/live/show.m3u8", "/live/show.mpd"] {
        let url = secure.url(path);
        let trust = ["-ca_file", authority.to_str().unwrap(), "-tls_verify", "1"];
        let words = ["-nostdin", "-v", "error", "-xerror"];
        let rest = ["-i", &url, "-t", "3", "-f", "null", "-"];
        let mut player = Peer::start("ffmpeg", [&words[..], &trust, &rest].concat());
        player.wait_success(LIMIT);
    }
}

#[test]
fn a_viewer_stays_while_the_certificate_of_a_running_server_is_replaced() {
    peers::require!("ffmpeg", "curl");
    let authority = Authority::new();
    let [old, new] = [authority.good(), authority.expired()];
    let (cert, key) = (old.certificate.to_str().unwrap(), old.key.to_str().unwrap());
    let mut serve = Onair::start(&[
        "serve",
        "--rtmp",
        "127.0.0.1:0",
        "--http",
        "none",
        "--https",
        "127.0.0.1:0",
        "--cert",
        cert,
        "--cert-key",
        key,
    ]);
    let ready = serve.wait_named("ready");
    let at = ready["https"].as_str().unwrap().replace("127.0.0.1", "localhost");
    assert!(
        ready["https_fingerprint"].is_null(),
        "the certificate is not the server's own: {ready}"
    );
    assert!(ready["flv"].as_str().unwrap().starts_with("https://"), "{ready}");
    let publish = format!("{}/live/show", ready["rtmp"].as_str().unwrap());
    let _publisher = ffmpeg::publish_with(&publish, None, &[]);
    serve.wait_named("publish");
    let (file, url) = (authority.file(), format!("{at}/live/show.flv"));
    let mut viewer = Command::new("curl");
    viewer.args(["--silent", "--http2", "--cacert"]).arg(&file).arg(&url);
    let mut viewer = Peer::start_command(&mut viewer);
    serve.wait_named("join");
    // The new certificate is recognized, because it has expired.
    std::fs::copy(&new.certificate, &old.certificate).unwrap();
    std::fs::copy(&new.key, &old.key).unwrap();
    let replaced = serve.wait_named("certificate");
    assert_eq!(replaced["sha256"], new.pin.as_str(), "{replaced}");
    let health = format!("{at}/healthz");
    let mut newcomer = Command::new("curl");
    newcomer.args(["--silent", "--show-error", "--cacert"]).arg(&file).arg(&health);
    let refused = newcomer.output().unwrap();
    let why = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && why.contains("expired"), "{why}");
    let seen = viewer.output().len();
    wait_for("more of the stream", LIMIT, || viewer.output().len() > seen);
    assert!(viewer.status().is_none(), "the viewer stays");
    viewer.kill();
}

#[test]
fn two_hundred_viewers_stay_while_the_certificate_is_replaced() {
    let secure = Secure::start(|config| config.limits.per_address = 1_000);
    let _publisher = secure.publish();
    let before = frames::certificate_of(secure.https());
    let mut viewers: Vec<Client> = (0..200).map(|_| secure.client()).collect();
    for viewer in &mut viewers {
        viewer.request(1, "/live/show.flv");
        assert!(viewer.wait_answer(1));
    }
    viewers.iter_mut().for_each(|viewer| viewer.wait_data(1));
    let renewed = secure.authority.good();
    secure.server.set_identity(Identity::read(&renewed.certificate, &renewed.key).unwrap());
    assert_ne!(frames::certificate_of(secure.https()), before);
    // The streams go on, and the connections take further requests.
    for viewer in &mut viewers {
        viewer.wait_data(1);
        viewer.request(3, "/healthz");
        assert!(viewer.wait_answer(3));
    }
    let viewers = secure.server.viewers_by_protocol().values().sum::<usize>();
    assert_eq!(viewers, 200);
}

/// Returns the number of connections to a port of this computer.
fn connections(port: u16) -> usize {
    let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
    let end = format!(":{port:04X}");
    let is_it = |line: &&str| {
        let mut fields = line.split_whitespace().skip(1);
        // The server's side of an established connection.
        fields.next().is_some_and(|local| local.ends_with(&end)) && fields.nth(1) == Some("01")
    };
    table.lines().filter(is_it).count()
}

#[test]
fn without_a_certificate_the_server_makes_one_and_keeps_it() {
    let home = tempfile::tempdir().unwrap();
    let state = home.path().to_str().unwrap().to_owned();
    let fingerprint = || {
        let words = ["serve", "--rtmp", "127.0.0.1:0", "--http", "none"];
        let words = [&words[..], &["--https", "127.0.0.1:0", "--name", "studio.example"]].concat();
        let mut serve = Onair::start_with(&words, &[("XDG_STATE_HOME", &state)]);
        let ready = serve.wait_named("ready");
        let pin = ready["https_fingerprint"].as_str().unwrap().to_owned();
        let https = ready["https"].as_str().unwrap().trim_start_matches("https://");
        let certificate = frames::certificate_of(https.parse().unwrap());
        assert_eq!(onair::net::CertificatePin::of(&certificate).to_string(), pin);
        assert!(serve.stop(LIMIT).success());
        pin
    };
    let first = fingerprint();
    assert_eq!(fingerprint(), first);
}

#[test]
fn a_page_in_chromium_plays_low_latency_hls_over_one_connection_of_http_2() {
    peers::require!("ffmpeg", "chromium");
    let secure = Secure::start(|_| ());
    let _publisher = secure.publish();
    let browser = Chromium::start_with("en", &["--ignore-certificate-errors"]);
    let page = browser.open(&secure.url("/watch/live/show?protocol=hls"), "");
    page.wait("document.querySelector('video').getVideoPlaybackQuality().totalVideoFrames > 60");
    let versions = "[...new Set(performance.getEntriesByType('resource')\
                    .filter(it => it.name.includes('/hls/')).map(it => it.nextHopProtocol))].join()";
    assert_eq!(page.value(versions), "h2");
    assert!(page.value("isSecureContext").as_bool().unwrap());
    let blocking = "performance.getEntriesByType('resource')\
                    .some(it => it.name.includes('_HLS_msn'))";
    page.wait(blocking);
    // Playlists, which wait for their next part, and parts share one connection: no request made
    // another one.
    let made = "performance.getEntriesByType('resource')\
                .filter(it => it.name.includes('/hls/') && it.connectEnd > it.connectStart).length";
    assert_eq!(page.value(made), 0);
    // Chromium itself keeps one more open, which no request of the page made.
    let open = connections(secure.https().port());
    assert!((1..=2).contains(&open), "{open} connections");
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

#[test]
fn a_client_that_resets_its_requests_at_once_is_disconnected_and_others_are_served() {
    let secure = Secure::start(|_| ());
    let mut attacker = secure.client();
    // Half of these are many times the number that ends a connection.
    let mut sent = 0;
    while sent < 10_000 && !(sent % 64 == 0 && attacker.is_over()) {
        let stream = 1 + 2 * sent;
        attacker.request(stream, "/");
        attacker.frame(frames::RST_STREAM, 0, stream, &8_u32.to_be_bytes());
        sent += 1;
    }
    wait_for("the end of the connection", LIMIT, || attacker.is_over());
    assert!(secure.is_healthy());
}

#[test]
fn headers_without_end_or_beyond_the_limit_end_the_connection() {
    let secure = Secure::start(|_| ());
    let mut endless = secure.client();
    endless.frame(frames::HEADERS, 0, 1, &frames::header_block("localhost", "/"));
    let mut sent = 0;
    while sent < 20_000 && !(sent % 64 == 0 && endless.is_over()) {
        endless.frame(frames::CONTINUATION, 0, 1, &frames::field("x", &"a".repeat(100)));
        sent += 1;
    }
    wait_for("the end of the connection", LIMIT, || endless.is_over());
    let mut large = secure.client();
    let mut block = frames::header_block("localhost", "/healthz");
    (0..10).for_each(|_| block.extend(frames::field("x", &"a".repeat(2_000))));
    // The frame is larger than a frame may be, so it takes two.
    let (first, rest) = block.split_at(16_000);
    large.frame(frames::HEADERS, frames::END_STREAM, 1, first);
    large.frame(frames::CONTINUATION, frames::END_HEADERS, 1, rest);
    wait_for("the refusal", LIMIT, || large.is_over() || large.has_refused(1));
    assert!(secure.is_healthy());
}

#[test]
fn floods_of_settings_and_pings_cost_others_nothing() {
    let secure = Secure::start(|_| ());
    for (kind, payload) in [(frames::SETTINGS, &[][..]), (frames::PING, &[0; 8])] {
        // The client reads none of the answers.
        let mut attacker = secure.client();
        for _ in 0..50_000 {
            attacker.frame(kind, 0, 0, payload);
        }
        assert!(secure.is_healthy(), "frame type {kind}");
    }
}

#[test]
fn a_request_for_another_host_or_without_one_is_refused_over_http_2() {
    let secure = Secure::start(|_| ());
    let mut client = secure.client();
    client.request_of(1, "evil.example", "/healthz");
    assert_eq!(client.wait_status(1), Some(421));
    client.request_with(3, "localhost", "/healthz", &[("host", "evil.example")]);
    assert_eq!(client.wait_status(3), Some(400));
    assert!(secure.is_healthy());
}
