//! Tests of playing FLV over HTTP, HTTPS and WebSockets: from third-party servers, from onair's own
//! server, and from servers that send false answers.

mod stalls;
mod unplayed;

use std::io::Write;
use std::path::Path;
use std::time::Duration;

use crate::peers::certificates::Authority;
use crate::peers::{self, LIMIT, ffmpeg, web};
use crate::watch::{config, play};
use onair::base::Clock;
use onair::net::{Options, Runtime, Trust};
use onair::player::{Config, FailureKind, Source, State, probe};
use onair::server::{self, Listen, Server};

fn make(folder: &Path, name: &str, seconds: &str) {
    ffmpeg::make(&folder.join(name), "320x180", seconds, &["-g", "25"]);
}

struct Running {
    server: Server,
    runtime: Runtime,
}

fn serve() -> Running {
    let any = Listen::exactly("127.0.0.1:0".parse().unwrap());
    let config = server::Config { rtmp: any, http: Some(any), ..server::Config::default() };
    let runtime = Runtime::start().unwrap();
    let server = Server::start(&runtime, Clock::start(), config).unwrap();
    Running { server, runtime }
}

impl Running {
    fn rtmp(&self) -> String {
        format!("rtmp://{}/live/show", self.server.addresses().rtmp)
    }

    fn web(&self, scheme: &str) -> String {
        format!("{scheme}://{}/live/show.flv", self.server.addresses().http.unwrap())
    }

    fn wait_published(&self) {
        peers::wait_for("the stream at our server", LIMIT, || {
            self.server.viewers() == 0 && {
                let answer = ask(&self.web("http"));
                answer.starts_with("HTTP/1.1 200")
            }
        });
    }
}

/// The head of the response to a HEAD request.
fn ask(url: &str) -> String {
    use std::io::Read;
    let rest = url.strip_prefix("http://").unwrap();
    let (host, path) = rest.split_once('/').unwrap();
    let mut stream = std::net::TcpStream::connect(host).unwrap();
    stream.set_read_timeout(Some(LIMIT)).unwrap();
    write!(stream, "HEAD /{path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

impl Drop for Running {
    fn drop(&mut self) {
        self.server.shutdown(Duration::from_secs(30));
        self.runtime.shutdown(Duration::from_secs(5));
    }
}

#[test]
fn our_own_server_is_watched_over_http_and_a_websocket() {
    peers::in_real_time!(our_own_server_is_watched_over_http_and_a_websocket);
    peers::require!("ffmpeg");
    let running = serve();
    let _publisher = ffmpeg::publish(&running.rtmp(), None);
    running.wait_published();
    for scheme in ["http", "ws"] {
        let outcome = play(&config(&running.web(scheme)), |figures| {
            figures.shown > 40 && figures.audio_samples > 48_000
        });
        assert_eq!(outcome.state, State::Playing, "{scheme}");
        assert_eq!((outcome.figures.damaged, outcome.figures.reconnects), (0, 0), "{scheme}");
        assert!(outcome.figures.buffer < Duration::from_secs(3), "{:?}", outcome.figures);
    }
    let source = Source::parse(&running.web("ws"));
    let clock = Clock::start();
    let report =
        probe::probe(&source, &Options::default(), &running.runtime, clock, &|| false).unwrap();
    assert_eq!(report.video.unwrap().size, Some((640, 360)));
    assert_eq!((report.format, report.duration), ("flv", None));
}

#[test]
fn a_websocket_inside_tls_is_watched_where_its_certificate_is_trusted() {
    peers::require!("ffmpeg", "nginx");
    let running = serve();
    let _publisher = ffmpeg::publish(&running.rtmp(), None);
    running.wait_published();
    let authority = Authority::new();
    let good = authority.good();
    let http = running.server.addresses().http.unwrap().port();
    let (_nginx, port) = web::tls_before(http, &good.certificate, &good.key);
    let url = format!("wss://127.0.0.1:{port}/live/show.flv");
    let trust = Trust { ca_file: Some(authority.file()), ..Trust::default() };
    let net = Options { trust, ..Options::default() };
    let outcome = play(&Config { net, ..config(&url) }, |figures| {
        figures.shown > 40 && figures.audio_samples > 48_000
    });
    assert_eq!(outcome.state, State::Playing, "{:?}", outcome.events);
    assert_eq!((outcome.figures.damaged, outcome.figures.reconnects), (0, 0));
    let outcome = play(&config(&url), |_| false);
    let failure = outcome.failure();
    assert_eq!(failure.kind, FailureKind::Unreachable, "{failure:?}");
    let offered = failure.offered.as_ref().expect("nothing to accept");
    assert_eq!(offered.server, format!("127.0.0.1:{port}"));
}

#[test]
fn a_publisher_that_returns_is_watched_on() {
    peers::require!("ffmpeg");
    let running = serve();
    for scheme in ["http", "ws"] {
        let mut publisher = Some(ffmpeg::publish(&running.rtmp(), None));
        running.wait_published();
        let mut returned = false;
        let outcome = play(&config(&running.web(scheme)), |figures| {
            if !returned && figures.shown > 20 {
                publisher = None;
            }
            if !returned && figures.reconnects > 0 {
                publisher = Some(ffmpeg::publish(&running.rtmp(), None));
                returned = true;
            }
            returned && figures.shown > 80
        });
        assert_eq!(outcome.state, State::Playing, "{scheme}: {:?}", outcome.events);
        drop(publisher);
        peers::wait_for("the end of the stream", LIMIT, || {
            ask(&running.web("http")).starts_with("HTTP/1.1 404")
        });
    }
}

#[test]
fn a_foreign_websocket_client_gets_the_same_file() {
    peers::require!("ffmpeg", "python3");
    let running = serve();
    let _publisher = ffmpeg::publish(&running.rtmp(), None);
    running.wait_published();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("got.flv");
    let address = running.server.addresses().http.unwrap();
    let words = [
        "-c",
        include_str!("pull/websocket.py"),
        &address.ip().to_string(),
        &address.port().to_string(),
        "/live/show.flv",
        file.to_str().unwrap(),
    ];
    peers::Peer::start("python3", words).wait_success(LIMIT);
    let seen = ffmpeg::probe(&file);
    assert_eq!(seen.stream("video")["width"], 640);
    assert!(seen.packets("video").len() > 10 && seen.packets("audio").len() > 10);
}

#[test]
fn files_are_played_over_http_and_https_and_where_redirections_lead() {
    peers::require!("ffmpeg", "nginx");
    let folder = tempfile::tempdir().unwrap();
    make(folder.path(), "a.flv", "2");
    let authority = Authority::new();
    let good = authority.good();
    let web = web::Web::start(folder.path(), &good.certificate, &good.key);
    let trust = Trust { ca_file: Some(authority.file()), ..Trust::default() };
    let net = Options { trust, ..Options::default() };
    for url in [
        format!("http://127.0.0.1:{}/a.flv", web.http),
        format!("https://127.0.0.1:{}/a.flv", web.https),
        format!("http://127.0.0.1:{}/moved/moved/moved/a.flv", web.http),
    ] {
        let outcome = play(&Config { net: net.clone(), ..config(&url) }, |_| false);
        assert_eq!(outcome.state, State::Ended, "{url}");
        assert_eq!(outcome.figures.decoded, 50, "{url}");
        let sound = outcome.figures.audio_samples as i64;
        assert!((sound - 2 * 48_000).abs() < 4 * 1_024, "{url} {sound}");
    }
    for (url, kind) in [
        (format!("http://127.0.0.1:{}/b.flv", web.http), FailureKind::NoSuchStream),
        (format!("http://127.0.0.1:{}/round/a.flv", web.http), FailureKind::Unreachable),
        (format!("https://127.0.0.1:{}/down/a.flv", web.https), FailureKind::Unreachable),
    ] {
        let outcome = play(&Config { net: net.clone(), ..config(&url) }, |_| false);
        assert_eq!(outcome.failure().kind, kind, "{url}: {:?}", outcome.failure());
    }
    // No trusted authority has signed this certificate.
    let url = format!("https://127.0.0.1:{}/a.flv", web.https);
    let outcome = play(&config(&url), |_| false);
    assert_eq!(outcome.failure().kind, FailureKind::Unreachable);
    assert!(outcome.failure().to_string().contains("certificate"), "{:?}", outcome.failure());
}

#[test]
fn ffmpeg_serves_one_caller() {
    peers::require!("ffmpeg");
    let port = peers::free_port();
    let url = format!("http://127.0.0.1:{port}/x.flv");
    let mut peer = ffmpeg::publish_encoded(&url, Some(20), &["-listen", "1"]);
    peers::wait_listening(&mut peer, port);
    let outcome = play(&config(&url), |figures| figures.shown > 40);
    assert_eq!(outcome.state, State::Playing);
    assert_eq!(outcome.figures.damaged, 0);
}

#[test]
fn servers_that_lie_get_a_sentence_and_an_exit_code() {
    let answer =
        |text: &'static str| web::canned(move |_, socket| drop(socket.write_all(text.as_bytes())));
    let circle = web::canned(|head, socket| {
        let host = head.split("Host: ").nth(1).unwrap().lines().next().unwrap();
        let _ = write!(socket, "HTTP/1.1 302 x\r\nLocation: http://{host}/again\r\n\r\n");
    });
    let cases = [
        (answer("HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n"), FailureKind::Refused, "401"),
        (answer("HTTP/1.1 403 No\r\n\r\n"), FailureKind::Refused, "403"),
        (answer("HTTP/1.1 404 No\r\n\r\n"), FailureKind::NoSuchStream, "404"),
        (answer("HTTP/1.1 500 No\r\n\r\n"), FailureKind::Refused, "500"),
        (
            answer("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html>hello</html>"),
            FailureKind::Unreachable,
            "web page",
        ),
        (
            answer(
                "HTTP/1.1 200 OK\r\nContent-Type: image/png\r\n\r\n\u{1}\u{2}\u{3}no picture here",
            ),
            FailureKind::Unreachable,
            "image/png",
        ),
        (answer("HTTP/1.1 200 OK\r\n\r\n"), FailureKind::Unreachable, "not sending any data"),
        (
            answer("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\nFLV"),
            FailureKind::Unreachable,
            "gzip",
        ),
        (
            answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"),
            FailureKind::Unreachable,
            "chunked",
        ),
        (answer("SSH-2.0-OpenSSH_9.2\r\n\r\n"), FailureKind::Unreachable, "protocol"),
        (answer(""), FailureKind::Unreachable, "closed"),
        (circle, FailureKind::Unreachable, "in a loop"),
        (
            answer("HTTP/1.1 302 x\r\nLocation: file:///etc/passwd\r\n\r\n"),
            FailureKind::Unreachable,
            "cannot read",
        ),
        (
            answer("HTTP/1.1 200 OK\r\n\r\nFLV\u{1}\u{5}\0\0\0\u{9}\0\0\0\0"),
            FailureKind::NoSuchStream,
            "no video",
        ),
    ];
    for (port, kind, word) in cases {
        let url = format!("http://127.0.0.1:{port}/live/x.flv?token=secret");
        let outcome = play(&Config { reconnect: false, ..config(&url) }, |_| false);
        let failure = outcome.failure();
        assert_eq!(failure.kind, kind, "{word}: {failure:?}");
        assert!(failure.to_string().contains(word), "{word}: {failure:?}");
        assert!(!format!("{failure:?}").contains("secret"), "{failure:?}");
    }
    // The same for a WebSocket address whose server answers plain HTTP.
    let port = answer("HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n");
    let outcome = play(&config(&format!("ws://127.0.0.1:{port}/x.flv")), |_| false);
    assert_eq!(outcome.failure().kind, FailureKind::NoSuchStream);
    let port = answer("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    let outcome = play(&config(&format!("ws://127.0.0.1:{port}/x.flv")), |_| false);
    assert_eq!(outcome.failure().kind, FailureKind::Refused, "{:?}", outcome.failure());
}

#[test]
fn whep_and_dash_are_named() {
    let manifest = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<MPD></MPD>";
    let served = |fields: &str| format!("HTTP/1.1 200 OK\r\n{fields}\r\n{manifest}");
    for (path, answer) in [
        ("live/x/whep", "HTTP/1.1 204 No Content\r\n\r\n".to_owned()),
        ("live/x/whep", "HTTP/1.1 405 No\r\nContent-Length: 0\r\n\r\n".to_owned()),
        ("live/x/whep", "HTTP/1.1 200 OK\r\nContent-Type: application/sdp\r\n\r\n".to_owned()),
        ("live/x.mpd?key=1", "HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\n\r\n<x/>".to_owned()),
        ("manifest", served("Content-Type: application/dash+xml\r\n")),
        ("manifest", served("")),
    ] {
        let port = web::canned(move |_, socket| drop(socket.write_all(answer.as_bytes())));
        let url = format!("http://127.0.0.1:{port}/{path}");
        let outcome = play(&Config { reconnect: false, ..config(&url) }, |_| false);
        let failure = outcome.failure();
        assert_eq!(failure.kind, FailureKind::Unreachable, "{path}: {failure:?}");
        assert_eq!(failure.problem.id(), "play-whep-or-dash", "{path}");
    }
    let port =
        web::canned(|_, socket| drop(socket.write_all(b"HTTP/1.1 404 No\r\n\r\n".as_slice())));
    let outcome = play(&config(&format!("http://127.0.0.1:{port}/live/x/whep")), |_| false);
    assert_eq!(outcome.failure().kind, FailureKind::NoSuchStream, "the stream is not live");
}

#[test]
fn urls_of_wrong_forms_are_usage_errors() {
    let runtime = Runtime::start().unwrap();
    for url in ["http://", "https://:80/x", "ws://h:0/x", "http://h:99999/", "wss:///"] {
        let screen = onair::base::Latest::default();
        let error = onair::player::Player::open(&config(url), &runtime, Clock::start(), screen);
        assert_eq!(error.map(|_| ()).unwrap_err().kind, FailureKind::Usage, "{url}");
    }
}
