//! Tests of HTTP callbacks. One receiver gets the same fields from nginx-rtmp and from onair.
//! Receivers written for SRS and MediaMTX can allow or refuse clients too.

mod url_splits;
mod visits;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

use parking_lot::{Condvar, Mutex};
use serde_json::Value;

use super::{Serve, status};
use crate::peers::client::Client;
use crate::peers::{self, LIMIT, Nginx, ffmpeg, free_port, wait_for, web};

/// A request: its path, content type and body.
#[derive(Clone, Debug)]
struct Posted {
    path: String,
    kind: String,
    body: String,
}

impl Posted {
    /// Returns the fields of a form, decoded, in the order in which they were sent.
    fn fields(&self) -> Vec<(String, String)> {
        url::form_urlencoded::parse(self.body.as_bytes()).into_owned().collect()
    }

    fn field(&self, name: &str) -> String {
        let fields = self.fields();
        fields.into_iter().find(|(it, _)| it == name).unwrap_or_else(|| panic!("{self:?}")).1
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

/// A callback receiver that records the requests that it gets.
struct Receiver {
    port: u16,
    posted: Arc<Mutex<Vec<Posted>>>,
}

impl Receiver {
    /// Starts a receiver. `answer` returns the rest of the status line (with further header lines,
    /// if any) and the body.
    fn start(answer: impl Fn(&Posted) -> (String, String) + Send + Sync + 'static) -> Self {
        let posted = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&posted);
        let port = web::canned(move |head, socket| {
            let request = read(head, socket);
            kept.lock().push(request.clone());
            let (status, body) = answer(&request);
            let length = body.len();
            let answer = format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\n\r\n{body}");
            let _ = socket.write_all(answer.as_bytes());
        });
        Self { port, posted }
    }

    fn all(&self) -> Vec<Posted> {
        self.posted.lock().clone()
    }

    fn at(&self, path: &str) -> Vec<Posted> {
        self.all().into_iter().filter(|it| it.path == path).collect()
    }

    fn wait(&self, path: &str, count: usize) -> Posted {
        wait_for(&format!("{path} {count}"), LIMIT, || self.at(path).len() >= count);
        self.at(path)[count - 1].clone()
    }
}

fn read(head: &str, socket: &mut TcpStream) -> Posted {
    let field = |name: &str| {
        let mut lines = head.lines().filter_map(|line| line.split_once(": "));
        lines
            .find(|(it, _)| it.eq_ignore_ascii_case(name))
            .map_or("", |(_, value)| value)
            .to_owned()
    };
    let mut body = vec![0; field("content-length").parse().unwrap_or(0)];
    let _ = socket.read_exact(&mut body);
    Posted {
        path: head.split(' ').nth(1).unwrap_or_default().to_owned(),
        kind: field("content-type"),
        body: String::from_utf8(body).unwrap(),
    }
}

fn ok() -> (String, String) {
    ("200 OK".to_owned(), "0".to_owned())
}

const HOOKS: [&str; 6] =
    ["on_connect", "on_publish", "on_play", "on_publish_done", "on_play_done", "on_record_done"];

fn rules(app: &str, port: u16, prefix: &str, more: &str) -> String {
    let hooks: String = HOOKS
        .iter()
        .map(|it| format!("{it} = \"http://127.0.0.1:{port}{prefix}/{it}\"\n"))
        .collect();
    format!("[app.{app}.callbacks]\n{hooks}{more}")
}

#[test]
fn nginx_and_onair_post_the_same_fields() {
    peers::require!("ffmpeg", "nginx");
    // Clients get another stream, but all callbacks name the stream that they requested.
    let receiver = Receiver::start(|posted| match posted.field("call").as_str() {
        "publish" | "play" => ("302 Found\r\nLocation: hidden".to_owned(), String::new()),
        _ => ok(),
    });
    let port = receiver.port;
    let folder = tempfile::tempdir().unwrap();
    let hooks: String =
        HOOKS[1..].iter().map(|it| format!("{it} http://127.0.0.1:{port}/nginx/{it}; ")).collect();
    let nginx = Nginx::start_with(
        free_port(),
        &format!(
            "notify_method post; on_connect http://127.0.0.1:{port}/nginx/on_connect;
             application called {{
                live on; record all; record_path {}; record_suffix .flv; {hooks}
             }}",
            folder.path().display()
        ),
    );
    let record = format!("record = {:?}\n", folder.path());
    let serve = Serve::start(&format!("{record}{}", rules("called", port, "/onair", "")));
    for (server, url) in [
        ("/nginx", format!("rtmp://127.0.0.1:{}/called/my_show", nginx.port)),
        ("/onair", format!("{}/called/my_show", serve.rtmp)),
    ] {
        let at = |hook: &str| format!("{server}/{hook}");
        let mut publisher = ffmpeg::publish(&format!("{url}?token=a.b&x=1%202"), None);
        receiver.wait(&at("on_publish"), 1);
        let file = folder.path().join("played.flv");
        let mut player = ffmpeg::play(&format!("{url}?viewer=7"), 1, &file);
        player.wait_success(LIMIT);
        std::fs::remove_file(file).unwrap();
        receiver.wait(&at("on_play_done"), 1);
        publisher.interrupt();
        publisher.wait(LIMIT);
        receiver.wait(&at("on_publish_done"), 1);
        receiver.wait(&at("on_record_done"), 1);
    }
    for hook in HOOKS {
        let of = |server: &str| receiver.at(&format!("{server}/{hook}"));
        let (theirs, ours) = (of("/nginx"), of("/onair"));
        assert_eq!(theirs.len(), ours.len(), "{hook}: {theirs:?} {ours:?}");
        for (theirs, ours) in theirs.iter().zip(&ours) {
            assert_eq!(theirs.kind, ours.kind);
            let differs = ["clientid", "tcurl", "path", "epoch"];
            let comparable = |posted: &Posted| -> Vec<(String, String)> {
                let value = |name: &str, value: String| match name {
                    _ if differs.contains(&name) => "…".to_owned(),
                    // nginx cuts this field off after 31 characters.
                    "flashver" => value.chars().take(31).collect(),
                    _ => value,
                };
                posted
                    .fields()
                    .into_iter()
                    .map(|(name, it)| (name.clone(), value(&name, it)))
                    .collect()
            };
            assert_eq!(comparable(theirs), comparable(ours), "{hook}");
        }
    }
    // A client has the same id in all callbacks and in the events.
    let [publish, done] = ["on_publish", "on_publish_done"]
        .map(|hook| receiver.at(&format!("/onair/{hook}"))[0].field("clientid"));
    assert_eq!((&publish, publish.clone()), (&done, serve.named("publish")[0]["id"].to_string()));
    let path = receiver.at("/onair/on_record_done")[0].field("path");
    assert!(std::fs::metadata(&path).is_ok_and(|file| file.len() > 10_000), "{path}");
}

#[test]
fn the_recording_of_a_pulled_stream_is_reported() {
    peers::require!("ffmpeg");
    let receiver = Receiver::start(|_| ok());
    let folder = tempfile::tempdir().unwrap();
    let origin = Serve::start("");
    let rules = rules("live", receiver.port, "", "");
    let mut edge = Serve::start(&format!(
        "record = {:?}\n{rules}[[relay]]\npull = \"live/show\"\nfrom = [\"{}/live/show\"]\n",
        folder.path(),
        origin.rtmp
    ));
    let mut publisher = origin.publish("live/show");
    edge.wait_published("show");
    wait_for("a segment", LIMIT, || edge.status("GET", "/live/show.m3u8", "") == 200);
    publisher.interrupt();
    publisher.wait(LIMIT);
    let done = receiver.wait("/on_record_done", 1);
    assert_eq!((done.field("name"), done.field("addr")), ("show".into(), "127.0.0.1".into()));
    assert_eq!(done.field("clientid"), edge.named("publish")[0]["id"].to_string());
    assert!(std::fs::metadata(done.field("path")).is_ok());
    assert!(receiver.at("/on_publish").is_empty(), "a pull needs no permission");
}

#[test]
fn a_receiver_refuses_and_renames() {
    peers::require!("ffmpeg", "ffprobe");
    let receiver = Receiver::start(|posted| {
        let to = |name: &str| (format!("302 Found\r\nLocation: {name}"), String::new());
        match (posted.field("call").as_str(), posted.body.contains("secret=yes")) {
            ("publish", true) => to("hidden"),
            ("play", _) if posted.field("name") == "alias" => to("hidden"),
            ("play", _) if posted.field("name") == "elsewhere" => to("rtmp://192.0.2.1/live/x"),
            ("publish" | "play", false) => ("404 Not Found".to_owned(), String::new()),
            _ => ok(),
        }
    });
    let mut serve = Serve::start(&rules("live", receiver.port, "", ""));
    assert!(serve.refuses_publisher("live/show").contains("You may not publish"));
    let mut publisher = serve.publish("live/show?secret=yes");
    serve.wait_published("hidden");
    assert!(serve.refuses_player("live/hidden").contains("You may not play"));
    assert!(serve.refuses_player("live/elsewhere").contains("You may not play"));
    assert_eq!(serve.status("GET", "/live/hidden.flv", ""), 403);
    let (http, rtmp) = (&serve.http, &serve.rtmp);
    for url in [
        format!("{rtmp}/live/alias"),
        format!("{http}/live/alias.flv"),
        format!("{http}/live/alias.m3u8"),
        format!("{http}/live/alias.mpd"),
    ] {
        assert_eq!(ffmpeg::probe(&url).stream("video")["codec_name"], "h264", "{url}");
    }
    // The addresses in a playlist have the new name, so that the receiver does not decide again.
    let asked = receiver.at("/on_play").len();
    for name in ["main.m3u8", "ts-list.m3u8"] {
        let list = serve.ask("GET", &format!("/live/alias/hls/{name}"), "");
        let segment = list.lines().find(|it| it.contains("?pass=") && !it.starts_with('#'));
        let segment = segment.and_then(|it| it.strip_prefix("../../"));
        let segment = segment.unwrap_or_else(|| panic!("{list}"));
        assert_eq!(serve.status("GET", &format!("/live/{segment}"), ""), 200);
    }
    assert_eq!(receiver.at("/on_play").len(), asked + 2);
    // No `on_play_done` callback may name a player that was refused.
    for done in receiver.at("/on_play_done") {
        assert_eq!(done.field("name"), "alias", "{done:?}");
    }
    publisher.interrupt();
    publisher.wait(LIMIT);
    assert_eq!(receiver.wait("/on_publish_done", 1).field("name"), "show");
}

#[test]
fn without_an_answer_everybody_is_refused_unless_configured_otherwise() {
    let port = free_port();
    let serve = Serve::start(&format!(
        "{}{}",
        rules("closed", port, "", ""),
        rules("open", port, "", "if_unreachable = \"accept\"\n")
    ));
    // RTMP publishers are refused at `connect` already.
    let refused = serve.refuses_publisher("closed/a");
    assert!(refused.contains("cannot check access right now"), "{refused}");
    // The client may try again.
    assert!(refused.starts_with("connect: Failed"), "{refused}");
    assert_eq!(serve.status("GET", "/closed/a.flv", ""), 503);
    assert_eq!(serve.refuses_publisher("open/a"), "");
    assert_eq!(serve.refuses_player("open/a"), "");
}

#[test]
fn a_slow_callback_delays_nobody_else() {
    let gate = Arc::new((Mutex::new(false), Condvar::new()));
    let (opened, lifted) = (Arc::clone(&gate), Arc::clone(&gate));
    let receiver = Receiver::start(move |posted| {
        if posted.body.contains("name=slow") {
            let mut is_open = opened.0.lock();
            while !*is_open {
                opened.1.wait(&mut is_open);
            }
        }
        ok()
    });
    let hook = format!("on_publish = \"http://127.0.0.1:{}/p\"\n", receiver.port);
    let serve = Serve::start(&format!(
        "[app.live.callbacks]\ntimeout = \"10s\"\n{hook}[app.other.publish]\nkeys = [\"k\"]\n"
    ));
    let url = format!("{}/live/slow", serve.rtmp);
    let slow = std::thread::spawn(move || drop(Client::publish(&url)));
    receiver.wait("/p", 1);
    // While this publisher waits, others get their answers, both in the app with the receiver and
    // in the app without callbacks.
    assert_eq!(serve.refuses_publisher("live/quick"), "");
    assert_eq!(serve.refuses_publisher("other/quick?key=k"), "");
    let mut player = Client::new(onair::wire::rtmp::client::Config::play(
        onair::wire::rtmp::url::Url::parse(&format!("{}/live/quick", serve.rtmp)).unwrap(),
    ));
    player.wait("the start", |it| *it == onair::wire::rtmp::client::Event::PlayStarted);
    assert!(!slow.is_finished());
    *lifted.0.lock() = true;
    lifted.1.notify_all();
    slow.join().unwrap();
}

#[test]
fn receivers_that_hang_or_lie_let_nobody_in() {
    let receiver = Receiver::start(|posted| match posted.path.as_str() {
        "/hangs" => loop {
            std::thread::park();
        },
        "/huge" => ("200 OK".to_owned(), "x".repeat(1 << 20)),
        _ => ("nonsense".to_owned(), String::new()),
    });
    let table = |app: &str| {
        let hook = format!("on_publish = \"http://127.0.0.1:{}/{app}\"", receiver.port);
        format!("[app.{app}.callbacks]\ntimeout = \"300ms\"\n{hook}\n")
    };
    let serve = Serve::start(&["hangs", "huge", "broken"].map(table).concat());
    for app in ["hangs", "huge", "broken"] {
        let why = serve.refuses_publisher(&format!("{app}/show"));
        assert!(why.contains("cannot check access right now"), "{app}: {why}");
        assert!(why.starts_with("publish: Failed"), "{app}: {why}");
    }
    assert_eq!(serve.refuses_publisher("other/show"), "");
}

/// A redirect is followed once, whatever the receiver says about the new name.
#[test]
fn redirects_in_circles_cause_one_request_each() {
    peers::require!("ffmpeg");
    let receiver = Receiver::start(|posted| {
        let to = |name: &str| (format!("302 Found\r\nLocation: {name}"), String::new());
        let call = posted.field("call");
        match (call.as_str(), posted.field("app").as_str()) {
            ("publish", "own") => to(&format!("http://{}", posted.path)),
            ("connect", "a") => to("b"),
            ("connect", "b") => to("a"),
            ("publish" | "play", _) => match posted.field("name").as_str() {
                "one" => to("two"),
                "two" => to("one"),
                name => to(name),
            },
            _ => ok(),
        }
    });
    let port = receiver.port;
    let all = ["a", "b", "own"].map(|app| rules(app, port, &format!("/{app}"), ""));
    let mut serve = Serve::start(&all.concat());
    let _publisher = serve.publish("a/one");
    let publish = serve.onair.wait_event("publish", |it| it["event"] == "publish");
    assert_eq!((&publish["app"], &publish["stream"]), (&"b".into(), &"two".into()));
    assert_eq!(serve.status("GET", "/b/one.m3u8", ""), 200);
    assert_eq!(serve.refuses_player("a/self"), "", "it waits for a publisher");
    let count = |path: &str| receiver.at(path).len();
    assert_eq!((count("/a/on_connect"), count("/b/on_connect")), (2, 0));
    assert_eq!((count("/b/on_publish"), count("/a/on_publish")), (1, 0));
    assert_eq!(count("/b/on_play"), 2);
    // The address of the receiver itself is no name.
    assert!(serve.refuses_publisher("own/show").contains("may not publish"));
    assert_eq!(count("/own/on_publish"), 1);
}

/// The events name each callback, its receiver and the result, and contain no secret.
#[test]
fn answers_are_events_without_secrets() {
    let receiver = Receiver::start(|posted| match posted.field("name").as_str() {
        "evil" => ("403 Forbidden".to_owned(), String::new()),
        "alias" => ("302 Found\r\nLocation: other".to_owned(), String::new()),
        _ => ok(),
    });
    let (port, closed) = (receiver.port, free_port());
    let hook =
        |port| format!("on_publish = \"http://me:Pl4nted@127.0.0.1:{port}/hook?s=Pl4nted\"\n");
    let serve = Serve::start(&format!(
        "[app.live.callbacks]\n{}on_publish_done = \"http://127.0.0.1:{port}/done\"\n\
         [app.down.callbacks]\n{}",
        hook(port),
        hook(closed)
    ));
    for stream in ["show", "show2", "alias"] {
        assert_eq!(serve.refuses_publisher(&format!("live/{stream}?key=Pl4nted")), "");
    }
    assert!(serve.refuses_publisher("live/evil?key=Pl4nted").contains("may not publish"));
    receiver.wait("/done", 3);
    wait_for("a pause", LIMIT, || {
        assert!(serve.refuses_publisher("down/show").contains("cannot check access right now"));
        serve.named("callback").iter().any(|it| it["cause"] == "paused")
    });
    let hosts = [port, closed].map(|port| format!("127.0.0.1:{port}"));
    let [here, there] = [hosts[0].as_str(), hosts[1].as_str()];
    let expected = [
        ("on_publish", here, "live", "accepted", Some(200), Value::Null),
        ("on_publish", here, "live", "renamed", Some(302), Value::Null),
        ("on_publish", here, "live", "refused", Some(403), Value::Null),
        ("on_publish", there, "down", "failed", None, "unreachable".into()),
        ("on_publish", there, "down", "failed", None, "paused".into()),
        ("on_publish_done", here, "live", "accepted", Some(200), Value::Null),
        // This receiver redirects every call about the requested name.
        ("on_publish_done", here, "live", "renamed", Some(302), Value::Null),
    ];
    let result = |it: &Value| {
        let text = |name: &str| it[name].as_str().unwrap_or_default().to_owned();
        assert!(it["took_ms"].as_u64().is_some_and(|took| took < 60_000), "{it}");
        let names = [text("callback"), text("host"), text("app"), text("state")];
        (names, it["status"].as_u64(), it["cause"].clone())
    };
    let expected = expected.map(|(callback, host, app, state, status, cause)| {
        ([callback, host, app, state].map(str::to_owned), status, cause)
    });
    let mut events = Vec::new();
    wait_for("the events", LIMIT, || {
        events = serve.named("callback");
        expected.iter().all(|expected| events.iter().any(|it| result(it) == *expected))
    });
    // Failed requests are always reported, and repeats of other answers are not.
    let mut found: Vec<_> = events.iter().map(result).collect();
    found.sort_by_key(|it| expected.iter().position(|expected| expected == it));
    found.dedup_by(|a, b| a == b && a.2 == "unreachable");
    assert_eq!(found, expected);
    // The operator's list counts them.
    let body = serve.ask("GET", "/api/v1/events?viewers=no", "");
    let (_, body) = body.split_once("\r\n\r\n").unwrap();
    let all: Value = serde_json::from_str(body).unwrap();
    let is_accepted = |it: &&Value| it["callback"] == "on_publish" && it["state"] == "accepted";
    let listed = all["events"].as_array().unwrap().iter().find(is_accepted).unwrap();
    assert_eq!((&listed["times"], &listed["stream"]), (&2.into(), &"show2".into()), "{listed}");
    let output = serve.onair.peer.output() + &serve.onair.peer.errors() + body;
    assert!(!output.contains("Pl4nted") && !body.contains("/hook"), "{output}");
}

/// As with nginx-rtmp and SRS, so that a receiver that counts publishers counts back to zero.
#[test]
fn an_accepted_publisher_that_the_server_then_refuses_is_reported_as_done() {
    let receiver = Receiver::start(|_| ok());
    let limits = "[app.live.limits]\nstreams = 1\n";
    let serve = Serve::start(&format!("{limits}{}", rules("live", receiver.port, "", "")));
    let _first = Client::publish(&format!("{}/live/one", serve.rtmp));
    let refused = serve.refuses_publisher("live/two");
    assert!(refused.contains("The application already has 1 stream,"), "{refused}");
    let done = receiver.wait("/on_publish_done", 1);
    assert_eq!(done.field("name"), "two");
    assert_eq!(done.field("clientid"), receiver.wait("/on_publish", 2).field("clientid"));
    assert_eq!(receiver.at("/on_publish_done").len(), 1);
}

#[test]
fn receivers_of_srs_and_mediamtx_decide_too() {
    let receiver = Receiver::start(|posted| {
        let refused = posted.body.contains("\"evil\"") || posted.body.contains("/evil\"");
        match (posted.path.starts_with("/srs"), refused) {
            (true, true) => ("200 OK".to_owned(), "{\"code\":403}".to_owned()),
            (true, false) => ("200 OK".to_owned(), "{\"code\":0}".to_owned()),
            (false, true) => ("401 Unauthorized".to_owned(), String::new()),
            (false, false) => ("204 No Content".to_owned(), String::new()),
        }
    });
    let port = receiver.port;
    let serve = Serve::start(&format!(
        "{}[app.mtx.callbacks]\ndialect = \"mediamtx\"\nauth = \"http://127.0.0.1:{port}/mtx\"\n",
        rules("srs", port, "/srs", "dialect = \"srs\"\n")
    ));
    for app in ["srs", "mtx"] {
        assert!(serve.refuses_publisher(&format!("{app}/evil")).contains("may not publish"));
        assert_eq!(serve.refuses_publisher(&format!("{app}/good?token=a.b&x=1")), "");
    }
    assert_eq!(serve.status("GET", "/srs/evil.flv", ""), 403);
    // MediaMTX asks for a user name and password.
    let refused = serve.ask("GET", "/mtx/evil.flv", "");
    assert!(status(&refused) == 401 && refused.contains(": Basic realm="), "{refused}");
    assert_eq!(serve.refuses_publisher("mtx/other?user=me&pass=pw"), "");
    let publish = receiver.at("/srs/on_publish")[1].json();
    assert_eq!((&publish["action"], &publish["stream"]), (&"on_publish".into(), &"good".into()));
    assert_eq!(publish["param"], "?token=a.b&x=1");
    assert_eq!(receiver.wait("/srs/on_publish_done", 1).json()["action"], "on_unpublish");
    let asked: Vec<Value> = receiver.at("/mtx").iter().map(Posted::json).collect();
    assert_eq!((&asked[1]["path"], &asked[1]["token"]), (&"mtx/good".into(), &"a.b".into()));
    assert_eq!((&asked[1]["action"], &asked[1]["protocol"]), (&"publish".into(), &"rtmp".into()));
    assert_eq!((&asked[2]["action"], &asked[2]["protocol"]), (&"read".into(), &"hls".into()));
    assert_eq!([&asked[3]["user"], &asked[3]["password"], &asked[3]["token"]], ["me", "pw", ""]);
    let login = "Authorization: Basic bWU6cHc=\r\n";
    assert_eq!(serve.status("GET", "/mtx/evil.flv", login), 403);
    let asked = receiver.at("/mtx")[4].json();
    assert_eq!([&asked["user"], &asked["password"]], ["me", "pw"]);
    let output = serve.onair.peer.output() + &serve.onair.peer.errors();
    assert!(!output.contains("a.b"), "{output}");
}
