//! Tests of the relays of `onair serve`: nginx-rtmp as edge and as origin, failover, TLS with a
//! key, and relay loops between two onair servers.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::peers::certificates::Authority;
use crate::peers::client::Client;
use crate::peers::{self, LIMIT, Nginx, Onair, ffmpeg, free_port, wait_for, web};

/// `onair serve` with a configuration file.
struct Serving {
    onair: Onair,
    rtmp: String,
    http: String,
    folder: TempDir,
}

impl Serving {
    fn start(config: &str) -> Self {
        Self::start_on(&["--rtmp", "127.0.0.1:0"], config)
    }

    fn start_on(more: &[&str], config: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("serve.toml");
        fs::write(&file, config).unwrap();
        let mut arguments = vec!["serve", "--http", "127.0.0.1:0", "--webrtc", "127.0.0.1:0"];
        arguments.extend(more);
        arguments.extend(["--config", file.to_str().unwrap()]);
        let mut onair = Onair::start(&arguments);
        let ready = onair.wait_named("ready");
        let field = |name: &str| ready[name].as_str().unwrap().to_owned();
        let (rtmp, http) = (field("rtmp"), field("http"));
        let http = http.trim_start_matches("http://").to_owned();
        Self { onair, rtmp, http, folder }
    }

    fn config(&self) -> PathBuf {
        self.folder.path().join("serve.toml")
    }

    fn url(&self, path: &str) -> String {
        format!("{}/{path}", self.rtmp)
    }

    fn get(&self, path: &str) -> String {
        web::ask(self.http.as_str(), "GET", path)
    }

    fn json(&self, path: &str) -> Value {
        let answer = self.get(path);
        let (_, body) = answer.split_once("\r\n\r\n").expect("a body");
        serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {answer}"))
    }

    /// The only relay.
    fn relay(&self) -> Value {
        let all = self.json("/api/v1/relays");
        let relays = all["relays"].as_array().unwrap();
        assert_eq!(relays.len(), 1, "{all}");
        relays[0].clone()
    }

    fn relay_events(&self) -> Vec<Value> {
        self.onair.events().into_iter().filter(|event| event["event"] == "relay").collect()
    }

    /// Waits for the `number`th relay event with this state.
    fn wait_relay(&self, state: &str, number: usize) -> Value {
        let mut found = None;
        wait_for(&format!("relay {state} {number}"), LIMIT, || {
            let mut events = self.relay_events().into_iter();
            found = events.by_ref().filter(|event| event["state"] == state).nth(number - 1);
            found.is_some()
        });
        found.unwrap()
    }

    fn viewers(&self, path: &str) -> u64 {
        self.json(&format!("/api/v1/streams/{path}"))["viewers"].as_u64().unwrap_or(0)
    }
}

/// Asserts that a file decodes without a warning, with times in order, and has about this length.
#[track_caller]
fn check(file: &std::path::Path, seconds: f64) {
    let probe = ffmpeg::probe(file);
    let times: Vec<f64> = probe.packets("video").iter().map(|packet| packet.dts).collect();
    assert_eq!(ffmpeg::decode(file), "", "{times:?}");
    for kind in ["video", "audio"] {
        let packets = probe.packets(kind);
        assert!(packets.windows(2).all(|pair| pair[0].dts < pair[1].dts), "{kind}: DTS");
        let span = packets.last().unwrap().pts - packets[0].pts;
        assert!(span > seconds, "{kind}: {span} s");
    }
}

#[test]
fn a_stream_goes_on_to_nginx_and_again_after_its_restart() {
    peers::require!("ffmpeg", "ffprobe", "nginx");
    let port = free_port();
    let mut nginx = Nginx::start_on(port);
    let serving = Serving::start(&format!(
        "[[relay]]\npush = \"live/*\"\nto = [\"rtmp://127.0.0.1:{port}/live\"]\n"
    ));
    let publisher = ffmpeg::publish(&serving.url("live/show"), None);
    let _other = ffmpeg::publish(&serving.url("other/none"), None);
    nginx.wait_published("show");
    let live = serving.wait_relay("live", 1);
    assert_eq!(
        (&live["direction"], &live["app"], &live["stream"]),
        (&"push".into(), &"live".into(), &"show".into())
    );
    assert_eq!(live["url"], format!("rtmp://127.0.0.1:{port}/live/show"));
    let file = serving.folder.path().join("received.flv");
    ffmpeg::play(&nginx.url("live", "show"), 2, &file).wait_success(LIMIT);
    check(&file, 0.9);
    assert!(!nginx.is_published("none"), "another application");

    nginx.peer.kill();
    let lost = serving.wait_relay("reconnecting", 1);
    assert!(lost["cause"].is_string() && lost["retry_in"].as_f64() > Some(0.0), "{lost}");
    // The first attempt is reported; the retries are not.
    let states: Vec<_> = serving.relay_events().iter().map(|it| it["state"].clone()).collect();
    assert_eq!(states[..3], ["connecting", "live", "reconnecting"].map(Value::from));
    // The operator page gets the cause in the language of the query.
    let cause = |query: &str| {
        let all = serving.json(&format!("/api/v1/relays{query}"));
        all["relays"][0]["cause"].as_str().unwrap_or_default().to_owned()
    };
    assert!(!cause("").is_empty() && cause("?lang=zh-CN") != cause(""), "{}", cause(""));
    assert!(!cause("?lang=zh-CN").is_ascii(), "{}", cause("?lang=zh-CN"));
    drop(nginx);
    let nginx = Nginx::start_on(port);
    nginx.wait_published("show");
    serving.wait_relay("live", 2);
    let relay = serving.relay();
    assert_eq!((&relay["state"], &relay["reconnects"]), (&"live".into(), &1.into()));
    ffmpeg::play(&nginx.url("live", "show"), 2, &file).wait_success(LIMIT);
    check(&file, 0.9);

    drop(publisher);
    nginx.wait_unpublished("show");
    serving.wait_relay("stopped", 1);
    wait_for("no relay", LIMIT, || {
        serving.json("/api/v1/relays")["relays"].as_array().unwrap().is_empty()
    });
    let metrics = serving.get("/metrics");
    let counted = |line: &str| metrics.lines().any(|it| it == line);
    assert!(counted("onair_relays{direction=\"push\",state=\"live\"} 0"), "{metrics}");
    assert!(counted("onair_relay_reconnects_total{direction=\"push\"} 1"), "{metrics}");
}

#[test]
fn a_push_is_live_once_the_other_server_has_accepted_it() {
    peers::require!("ffmpeg");
    // The other server delays its answer to the publish request, as with a slow callback.
    let other = Serving::start("fault = [\"stall@publish:+3s\"]\n");
    let serving = Serving::start(&format!(
        "[[relay]]\npush = \"live/*\"\nto = [\"{}/{{stream}}\"]\n",
        other.url("in")
    ));
    let _publisher = ffmpeg::publish(&serving.url("live/show"), None);
    let connecting = serving.wait_relay("connecting", 1);
    let live = serving.wait_relay("live", 1);
    let waited = live["t"].as_f64().unwrap() - connecting["t"].as_f64().unwrap();
    assert!(waited >= 3.0, "{waited} s");
    assert_eq!(serving.relay_events().len(), 2);
}

#[test]
fn nginx_edges_pull_from_it_once_for_all_their_viewers() {
    peers::require!("ffmpeg", "ffprobe", "nginx");
    let serving = Serving::start("");
    let origin = serving.rtmp.clone();
    let edge = format!("application edge {{ live on; pull {origin}/live; }}");
    let edges = [0, 1].map(|_| Nginx::start_with(free_port(), &edge));
    let _publisher = ffmpeg::publish(&serving.url("live/show"), None);
    wait_for("the stream", LIMIT, || serving.get("/api/v1/streams/live/show").contains("200 OK"));
    let files: Vec<_> = (0..4).map(|it| serving.folder.path().join(format!("{it}.flv"))).collect();
    let mut players: Vec<_> = files
        .iter()
        .enumerate()
        .map(|(at, file)| ffmpeg::play(&edges[at / 2].url("edge", "show"), 4, file))
        .collect();
    wait_for("both edges", LIMIT, || serving.viewers("live/show") == 2);
    players.iter_mut().for_each(|player| player.wait_success(LIMIT));
    files.iter().for_each(|file| check(file, 2.5));
    let joined = serving.onair.events().iter().filter(|event| event["event"] == "join").count();
    assert_eq!(joined, 2, "one connection for each edge");
}

#[test]
fn a_viewer_gets_the_stream_of_an_nginx_origin_on_demand() {
    peers::require!("ffmpeg", "ffprobe", "nginx");
    let nginx = Nginx::start();
    let _publisher = ffmpeg::publish(&nginx.url("live", "show"), None);
    nginx.wait_published("show");
    let serving = Serving::start(&format!(
        "[[relay]]\npull = \"live/*\"\non_demand = true\nlinger = \"2s\"\n\
         from = [\"rtmp://127.0.0.1:{}/live\"]\n\
         [app.live.play]\nkeys = [\"0pen\"]\n",
        nginx.port
    ));
    // Requests without permission, and paths that are no stream, start no relay.
    for path in ["/live/show.flv", "/live/show.m3u8", "/live/show.m3u8?key=wr0ng"] {
        assert!(serving.get(path).contains(" 401 "), "{path}");
    }
    assert!(serving.get("/live/show/hls/1.m4s?key=0pen").contains(" 404 "));
    assert!(serving.get("/live/show/state?key=0pen").contains("\"on_demand\":true"));
    let mut refused = Client::new(onair::wire::rtmp::client::Config::play(
        onair::wire::rtmp::url::Url::parse(&serving.url("live/show")).unwrap(),
    ));
    while refused.next().is_some() {}
    assert_eq!(serving.relay_events(), Vec::<Value>::new());

    // The first viewer of each protocol waits until the stream arrives.
    let file = serving.folder.path().join("received.flv");
    let flv = format!("http://{}/live/show.flv?key=0pen", serving.http);
    ffmpeg::play(&flv, 3, &file).wait_success(LIMIT);
    check(&file, 1.9);
    serving.wait_relay("live", 1);
    let stopped = serving.wait_relay("stopped", 1);
    assert_eq!(stopped["cause"], "nobody is watching");
    wait_for("no viewer at nginx", LIMIT, || !nginx.stat().contains("<active/><playing"));
    assert!(serving.get("/api/v1/streams/live/show").contains(" 404 "));

    ffmpeg::play(&serving.url("live/show?key=0pen"), 3, &file).wait_success(LIMIT);
    check(&file, 1.9);
    serving.wait_relay("stopped", 2);
    let answer = serving.get("/live/show.m3u8?key=0pen");
    assert!(answer.contains("#EXT-X-STREAM-INF") || answer.contains("#EXTM3U"), "{answer}");
    let relay = serving.relay();
    assert_eq!((&relay["on_demand"], &relay["state"]), (&true.into(), &"live".into()));
    serving.wait_relay("stopped", 3);
}

#[test]
fn a_viewer_of_a_local_publisher_gets_the_stream_of_the_origin_after_it() {
    peers::require!("ffmpeg");
    let origin = Serving::start("");
    let edge = Serving::start(&format!(
        "[[relay]]\npull = \"live/*\"\non_demand = true\nfrom = [\"{}\"]\n",
        origin.url("live")
    ));
    let _publisher = ffmpeg::publish(&origin.url("live/show"), None);
    let local = Client::publish(&edge.url("live/show"));
    let mut viewer = Client::play(&edge.url("live/show"));
    wait_for("the viewer", LIMIT, || edge.viewers("live/show") == 1);
    drop(local);
    edge.wait_relay("live", 1);
    viewer.media();
}

#[test]
fn a_stream_that_has_ended_does_not_come_back_from_the_server_that_got_it() {
    peers::require!("ffmpeg");
    let origin = Serving::start("");
    let edge = Serving::start(&format!(
        "[[relay]]\npush = \"live/*\"\nto = [\"{0}\"]\n\
         [[relay]]\npull = \"live/*\"\non_demand = true\nfrom = [\"{0}\"]\n",
        origin.url("live")
    ));
    let publisher = ffmpeg::publish(&edge.url("live/show"), None);
    edge.wait_relay("live", 1);
    let mut viewer = Client::play(&edge.url("live/show"));
    viewer.media();
    drop(publisher);
    let count = |serving: &Serving, name: &str| {
        serving.onair.events().iter().filter(|event| event["event"] == name).count()
    };
    // The viewer's pull waits at the origin, which has no stream any more.
    wait_for("the end", LIMIT, || count(&origin, "unpublish") == 1);
    wait_for("the pull", LIMIT, || count(&origin, "join") > 0);
    wait_for("no stream", LIMIT, || edge.relay()["state"] == "waiting");
    assert_eq!((count(&edge, "publish"), count(&origin, "publish")), (1, 1));
    // It gets the next stream of the origin.
    let _next = ffmpeg::publish(&origin.url("live/show"), None);
    wait_for("the next stream", LIMIT, || count(&edge, "publish") == 2);
    viewer.media();
}

#[test]
fn a_pull_leaves_an_origin_that_stops_sending_or_does_not_have_the_stream() {
    peers::require!("ffmpeg");
    let origins = [0, 1, 2].map(|_| Serving::start(""));
    // The first origin does not have the stream.
    let _publishers = [1, 2].map(|at| {
        let publisher = ffmpeg::publish(&origins[at].url("live/show"), None);
        wait_for("the stream", LIMIT, || {
            origins[at].get("/api/v1/streams/live/show").contains("200 OK")
        });
        publisher
    });
    let serving = Serving::start(&format!(
        "[[relay]]\npull = \"live/show\"\nfrom = {:?}\n",
        origins.each_ref().map(|origin| origin.url("live"))
    ));
    let missing = serving.wait_relay("reconnecting", 1);
    assert!(missing["cause"].as_str().unwrap().contains("no such stream"), "{missing}");
    let url = |number| serving.wait_relay("live", number)["url"].clone();
    assert_eq!(url(1), origins[1].url("live/show"));
    // The second origin keeps its connection open.
    origins[1].onair.peer.signal("STOP");
    let silent = serving.wait_relay("reconnecting", 2);
    assert!(silent["cause"].as_str().unwrap().contains("not sending"), "{silent}");
    assert_eq!(url(2), origins[2].url("live/show"));
    origins[1].onair.peer.signal("CONT");
}

#[test]
fn a_pull_whose_edges_change_leaves_an_origin_without_the_stream() {
    peers::require!("ffmpeg");
    let origins = [0, 1].map(|_| Serving::start(""));
    let _publisher = ffmpeg::publish(&origins[1].url("live/show"), None);
    wait_for("the stream", LIMIT, || {
        origins[1].get("/api/v1/streams/live/show").contains("200 OK")
    });
    let middle = Serving::start(&format!(
        "[[relay]]\npull = \"live/*\"\non_demand = true\nfrom = {:?}\n",
        origins.each_ref().map(|origin| origin.url("live"))
    ));
    let asked = || {
        let events = origins[0].onair.events();
        events.iter().filter(|event| event["event"] == "join").count()
    };
    let is_live = || middle.relay_events().iter().any(|event| event["state"] == "live");
    // The pull connects again for each edge, at most once per second.
    let mut edge = None;
    for number in 0..10 {
        let url = onair::wire::rtmp::url::Url::parse(&middle.url("live/show")).unwrap();
        let mut config = onair::wire::rtmp::client::Config::play(url);
        config.relay_path = Some(format!("edge{number}"));
        let mut next = Client::new(config);
        next.wait("the start of playing", |event| {
            *event == onair::wire::rtmp::client::Event::PlayStarted
        });
        drop(edge.replace(next));
        wait_for("the question", LIMIT, || asked() > number || is_live());
    }
    assert!(is_live());
}

#[test]
fn a_stream_returns_to_a_server_under_another_name() {
    peers::require!("ffmpeg");
    let origin = Serving::start("");
    let edge = Serving::start(&format!(
        "[[relay]]\npush = \"in/*\"\nto = [\"{0}\"]\n\
         [[relay]]\npull = \"live/*\"\non_demand = true\nfrom = [\"{0}\"]\n",
        origin.url("live")
    ));
    let _publisher = ffmpeg::publish(&edge.url("in/show"), None);
    edge.wait_relay("live", 1);
    Client::play(&edge.url("live/show")).media();
}

#[test]
fn viewers_stay_while_the_next_origin_takes_over() {
    peers::in_real_time!(viewers_stay_while_the_next_origin_takes_over);
    peers::require!("ffmpeg", "ffprobe", "nginx");
    let mut origins = [0, 1].map(|_| Nginx::start());
    let publishers = [0, 1].map(|at| ffmpeg::publish(&origins[at].url("live", "show"), None));
    origins.iter().for_each(|origin| origin.wait_published("show"));
    let serving = Serving::start(&format!(
        "[[relay]]\npull = \"live/show\"\n\
         from = [\"rtmp://127.0.0.1:{}/{{app}}/{{stream}}\", \"rtmp://127.0.0.1:{}/live/show\"]\n",
        origins[0].port, origins[1].port
    ));
    serving.wait_relay("live", 1);
    let file = serving.folder.path().join("received.flv");
    let mut player = ffmpeg::play(&serving.url("live/show"), 8, &file);
    wait_for("the viewer", LIMIT, || serving.viewers("live/show") == 1);
    let began = Instant::now();
    origins[0].peer.kill();
    let live = serving.wait_relay("live", 2);
    assert!(live["url"].as_str().unwrap().contains(&origins[1].port.to_string()), "{live}");
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    player.wait_success(LIMIT);
    // Both came over one connection.
    check(&file, 6.0);
    let events = serving.onair.events();
    let count = |name: &str| events.iter().filter(|event| event["event"] == name).count();
    assert_eq!((count("publish"), count("unpublish"), count("join")), (1, 0, 1));
    assert_eq!(serving.relay()["reconnects"], 1);
    drop(publishers);
}

#[test]
fn viewers_stay_while_the_rule_of_their_pull_changes() {
    peers::require!("ffmpeg");
    let origin = Serving::start("");
    let _publisher = ffmpeg::publish(&origin.url("live/show"), None);
    let rule = |linger: &str, from: &str| {
        format!(
            "[[relay]]\npull = \"live/*\"\non_demand = true\nlinger = \"{linger}\"\nfrom = [\"{}\"]\n",
            origin.url(from)
        )
    };
    let edge = Serving::start(&rule("10s", "live"));
    let mut viewer = Client::play(&edge.url("live/show"));
    edge.wait_relay("live", 1);
    let mut flv = TcpStream::connect(edge.http.as_str()).unwrap();
    flv.set_read_timeout(Some(LIMIT)).unwrap();
    write!(flv, "GET /live/show.flv HTTP/1.1\r\nHost: {}\r\n\r\n", edge.http).unwrap();
    wait_for("both viewers", LIMIT, || edge.viewers("live/show") == 2);
    let count =
        |name: &str| edge.onair.events().iter().filter(|event| event["event"] == name).count();
    // The first change needs no other connection.
    for (number, config) in [(1, rule("20s", "live")), (2, rule("20s", "{app}/{stream}"))] {
        fs::write(edge.config(), config).unwrap();
        edge.onair.peer.signal("HUP");
        wait_for("the reload", LIMIT, || count("reload") == number);
    }
    edge.wait_relay("live", 2);
    viewer.media();
    flv.read_exact(&mut vec![0; 10_000]).unwrap();
    assert_eq!((count("publish"), count("unpublish"), count("leave")), (1, 0, 0));
    assert_eq!((edge.viewers("live/show"), &edge.relay()["reconnects"]), (2, &1.into()));
}

#[test]
fn the_push_of_a_successor_takes_over_from_a_drained_server() {
    peers::in_real_time!(the_push_of_a_successor_takes_over_from_a_drained_server);
    peers::require!("ffmpeg");
    let [target, backup] = [0, 1].map(|_| Serving::start(""));
    let push = |to: &[&Serving]| {
        let to: Vec<_> = to.iter().map(|it| it.url("in")).collect();
        format!("[[relay]]\npush = \"live/*\"\nto = {to:?}\n")
    };
    let successor = Serving::start(&push(&[&target, &backup]));
    let next = successor.url("live");
    let more = ["--rtmp", "127.0.0.1:0", "--successor", &next];
    let drained = Serving::start_on(&more, &push(&[&target]));
    let publisher = ffmpeg::publish(&drained.url("live/show"), None);
    drained.wait_relay("live", 1);
    drained.onair.peer.signal("USR1");
    // The stream is at the successor before it has left the drained server.
    let _moved = ffmpeg::publish(&successor.url("live/show"), None);
    successor.wait_relay("reconnecting", 1);
    drop(publisher);
    let live = successor.wait_relay("live", 1);
    assert_eq!(live["url"], target.url("in/show"));
    assert!(backup.onair.events().iter().all(|event| event["event"] != "publish"));
}

#[test]
fn a_key_of_a_file_opens_a_server_with_tls_and_is_shown_to_nobody() {
    peers::require!("ffmpeg");
    let authority = Authority::new();
    let good = authority.good();
    let (certificate, key) = (good.certificate.display(), good.key.display());
    let port = free_port();
    let target = Serving::start(&format!(
        "rtmps = \"127.0.0.1:{port}\"\ncert = \"{certificate}\"\ncert_key = \"{key}\"\n\
         [app.in.publish]\nkeys = [\"Pl4nted-key\"]\n"
    ));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("key");
    fs::write(&file, "Pl4nted-key\n").unwrap();
    let config = |more: &str| {
        format!(
            "[[relay]]\npush = \"live/*\"\nto = [\"rtmps://localhost:{port}/in/{{stream}}?key={{key}}\"]\n\
             key_file = \"{}\"\n{more}",
            file.display()
        )
    };
    let serving = Serving::start(&config(""));
    let _publisher = ffmpeg::publish(&serving.url("live/show"), None);
    // The certificate authority is unknown at first; reloading the file adds it.
    let failed = serving.wait_relay("reconnecting", 1);
    assert!(failed["cause"].as_str().unwrap().contains("certificate"), "{failed}");
    let trust = format!("tls_ca = \"{}\"\n", authority.file().display());
    fs::write(serving.config(), config(&trust)).unwrap();
    serving.onair.peer.signal("HUP");
    serving.wait_relay("live", 1);
    wait_for("the stream there", LIMIT, || {
        target.get("/api/v1/streams/in/show").contains("200 OK")
    });
    let api = serving.get("/api/v1/relays");
    assert!(api.contains("key=***") && api.contains("key={key}"), "{api}");
    let outputs = [serving.onair.peer.output(), serving.onair.peer.errors(), api];
    for text in outputs.into_iter().chain([serving.get("/api/v1/events"), serving.get("/metrics")])
    {
        assert!(!text.contains("Pl4nted"), "{text}");
    }
}

#[test]
fn servers_that_relay_to_each_other_make_no_loop() {
    peers::require!("ffmpeg");
    let ports = [free_port(), free_port()];
    let [one, two] = [0, 1].map(|at| {
        let other = ports[1 - at];
        let config = format!(
            "[[relay]]\npush = \"live/*\"\nto = [\"rtmp://127.0.0.1:{other}/live\"]\n\
             [[relay]]\npull = \"ask/*\"\non_demand = true\nlinger = \"1s\"\n\
             from = [\"rtmp://127.0.0.1:{other}/ask\"]\n"
        );
        Serving::start_on(&["--rtmp", &format!("127.0.0.1:{}", ports[at])], &config)
    });
    let _publisher = ffmpeg::publish(&one.url("live/show"), None);
    one.wait_relay("live", 1);
    let refused = two.wait_relay("reconnecting", 1);
    assert!(refused["cause"].as_str().unwrap().contains("loop"), "{refused}");
    let published = |serving: &Serving| {
        let events = serving.onair.events();
        events.iter().filter(|event| event["event"] == "publish").count()
    };
    assert_eq!((published(&one), published(&two)), (1, 1), "nobody replaces anybody");

    // Both servers have a viewer of a stream that nobody publishes yet. The second server cannot ask the first one.
    let asks = |stream: &str, state: &str| {
        two.relay_events().iter().any(|it| it["stream"] == stream && it["state"] == state)
    };
    let mut viewers = [&one, &two].map(|serving| {
        let viewer = Client::play(&serving.url("ask/late"));
        wait_for("the loop", LIMIT, || asks("late", "reconnecting"));
        viewer
    });
    let _late = ffmpeg::publish(&one.url("ask/late"), None);
    viewers.iter_mut().for_each(|viewer| drop(viewer.media()));
    wait_for("the stream of the first server", LIMIT, || asks("late", "live"));
    drop(viewers);

    // No server has this stream: the second server does not ask the first one back.
    let viewer = Client::play(&one.url("ask/nothing"));
    wait_for("the question", LIMIT, || {
        two.relay_events().iter().any(|event| event["stream"] == "nothing")
    });
    wait_for("the refusal", LIMIT, || {
        let refused =
            |event: &Value| event["stream"] == "nothing" && event["state"] == "reconnecting";
        two.relay_events().iter().any(refused)
    });
    drop(viewer);
    for serving in [&one, &two] {
        wait_for("the end of both pulls", LIMIT, || {
            let relays = serving.json("/api/v1/relays");
            relays["relays"].as_array().unwrap().iter().all(|relay| relay["stream"] != "nothing")
        });
    }
}
