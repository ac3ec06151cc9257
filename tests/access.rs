//! Tests of who may publish to the built-in server and play from it: keys, addresses and limits.
//! ffmpeg publishes and plays. The play key is tested on every path by which a viewer can watch a
//! stream.

mod callbacks;
mod proxies;
mod tokens;

use std::fs;
use std::path::PathBuf;

use serde_json::Value;
use tempfile::TempDir;

use crate::peers::client::Client;
use crate::peers::{self, LIMIT, Onair, Peer, ffmpeg, wait_for, web};
use onair::base::Secret;
use onair::media::BitsPerSecond;
use onair::wire::rtmp::client::Config as ClientConfig;
use onair::wire::rtmp::url::Url;

/// `onair serve` with a configuration file.
struct Serve {
    onair: Onair,
    folder: TempDir,
    rtmp: String,
    http: String,
}

impl Serve {
    fn start(rules: &str) -> Self {
        Self::start_with(rules, &[])
    }

    /// Like `start`, with these environment variables.
    fn start_with(rules: &str, variables: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        write(&folder, rules);
        let file = config_of(&folder);
        let arguments = ["serve", "--config", file.to_str().unwrap()];
        let mut onair = Onair::start_with(&arguments, variables);
        let ready = onair.wait_named("ready");
        let address = |name: &str| ready[name].as_str().unwrap().to_owned();
        let (rtmp, http) = (address("rtmp"), address("http"));
        Self { onair, folder, rtmp, http }
    }

    /// Changes the configuration file, and waits until the server has applied it.
    fn reload(&mut self, rules: &str) {
        write(&self.folder, rules);
        let before = self.named("reload").len();
        self.onair.peer.signal("HUP");
        wait_for("the reload", LIMIT, || self.named("reload").len() > before);
        let event = self.named("reload").pop().unwrap();
        assert!(event["error"].is_null(), "{event}");
    }

    fn named(&self, name: &str) -> Vec<Value> {
        self.onair.events().into_iter().filter(|it| it["event"] == name).collect()
    }

    fn publish(&self, path: &str) -> Peer {
        ffmpeg::publish(&format!("{}/{path}", self.rtmp), None)
    }

    fn wait_published(&mut self, stream: &str) {
        self.onair.wait_event("publish", |it| it["event"] == "publish" && it["stream"] == stream);
    }

    /// Why our own client may not publish or play at `path`; empty if it may.
    fn refusal(&self, config: impl FnOnce(Url) -> ClientConfig, path: &str) -> String {
        refusal_at(&self.rtmp, config, path)
    }

    fn refuses_publisher(&self, path: &str) -> String {
        self.refusal(|url| ClientConfig::publish(url, BitsPerSecond(1_000_000)), path)
    }

    fn refuses_player(&self, path: &str) -> String {
        self.refusal(ClientConfig::play, path)
    }

    /// The status of an answer over HTTP.
    fn status(&self, method: &str, path: &str, fields: &str) -> u16 {
        status(&self.ask(method, path, fields))
    }

    fn ask(&self, method: &str, path: &str, fields: &str) -> String {
        let address = self.http.trim_start_matches("http://");
        web::ask_with(address, method, path, fields)
    }

    /// Opens `live/show` over HLS with this key or token, and returns the path of the playlist that
    /// a player requests again and again.
    fn open_hls(&self, secret: &str) -> String {
        let master = self.ask("GET", &format!("/live/show.m3u8?key={secret}"), "");
        let list = master.lines().find(|line| line.starts_with("show/hls/main.m3u8?pass="));
        format!("/live/{}", list.unwrap_or_else(|| panic!("{master}")))
    }

    /// Requests this playlist as a player does, and then its newest segment. Returns the status of
    /// the first refusal, or 200.
    fn go_on(&self, list: &str) -> u16 {
        let answer = self.ask("GET", list, "");
        if status(&answer) != 200 {
            return status(&answer);
        }
        let mut segments = answer.lines().filter(|it| it.contains(".m4s") && !it.starts_with('#'));
        let newest = segments.next_back().unwrap_or_else(|| panic!("{answer}"));
        self.status("GET", &format!("/live/show/hls/{newest}"), "")
    }
}

/// Like `Serve::refusal`, at another address.
fn refusal_at(rtmp: &str, config: impl FnOnce(Url) -> ClientConfig, path: &str) -> String {
    use onair::wire::rtmp::client::Event;
    let url = Url::parse(&format!("{rtmp}/{path}")).unwrap();
    let mut client = Client::new(config(url));
    loop {
        match client.next() {
            Some(Event::PublishStarted | Event::PlayStarted) => return String::new(),
            Some(_) => {}
            None => return client.failed.unwrap(),
        }
    }
}

fn status(answer: &str) -> u16 {
    answer.split(' ').nth(1).and_then(|it| it.parse().ok()).unwrap_or_else(|| panic!("{answer}"))
}

fn config_of(folder: &TempDir) -> PathBuf {
    folder.path().join("serve.toml")
}

fn write(folder: &TempDir, rules: &str) {
    let addresses = "rtmp = \"127.0.0.1:0\"\nhttp = \"127.0.0.1:0\"\nwebrtc = \"127.0.0.1:0\"\n";
    fs::write(config_of(folder), format!("{addresses}{rules}\n")).unwrap();
}

/// The operator replaces the token of the server, and later deletes its file.
#[test]
fn a_reload_replaces_the_token_of_the_server_but_does_not_remove_it() {
    let mut serve = Serve::start("");
    let file = PathBuf::from(serve.named("ready")[0]["token_file"].as_str().unwrap());
    let old = fs::read_to_string(&file).unwrap();
    let new = "a-new-token-0123456789";
    let statuses = |serve: &Serve| {
        [old.trim(), new].map(|token| {
            let head = format!("Authorization: Bearer {token}\r\n");
            serve.status("DELETE", "/api/v1/viewers/1000", &head)
        })
    };
    assert_eq!(statuses(&serve), [404, 401]);
    let kept = |serve: &Serve| serve.named("reload").pop().unwrap()["kept"].clone();
    fs::write(&file, new).unwrap();
    serve.reload("");
    assert_eq!(statuses(&serve), [401, 404]);
    assert_eq!(kept(&serve), serde_json::json!([]));
    // systemd checks the configuration before a reload. The check must not replace the token.
    let check = |serve: &Serve| {
        let config = config_of(&serve.folder);
        let state = [("XDG_STATE_HOME", serve.onair.settings.path().to_str().unwrap())];
        let arguments = ["serve", "--config", config.to_str().unwrap(), "--check"];
        let mut check = Onair::start_with(&arguments, &state);
        assert_eq!(check.peer.wait(LIMIT).code(), Some(0), "{}", check.peer.errors());
        check.peer.errors()
    };
    assert!(!check(&serve).contains("server-token"));
    fs::write(&file, "short").unwrap();
    let errors = check(&serve);
    assert!(errors.contains("server-token"), "{errors}");
    serve.reload("");
    assert_eq!(statuses(&serve), [401, 404]);
    assert_eq!(kept(&serve), serde_json::json!(["token"]));
    assert_eq!(fs::read_to_string(&file).unwrap(), "short");
    let certificate = file.with_file_name("webrtc-certificate");
    for file in [&file, &certificate] {
        fs::remove_file(file).unwrap();
    }
    check(&serve);
    serve.reload("");
    assert_eq!(statuses(&serve), [401, 404]);
    assert_eq!(kept(&serve), serde_json::json!(["token"]));
    assert!(!file.exists() && !certificate.exists());
}

const KEYS: &str =
    "[app.live]\npublish = { keys = [\"Pub-k3y\"] }\nplay = { keys = [\"Pl4y-k3y\"] }\n";

/// The request with which a player opens a WebSocket.
const UPGRADE: &str = "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                       Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

#[test]
fn a_play_key_opens_every_way_to_watch_and_nothing_else_does() {
    peers::require!("ffmpeg", "ffprobe");
    let mut serve = Serve::start(KEYS);
    assert!(serve.refuses_publisher("live/show?key=Pl4y-k3y").contains("publish key is wrong"));
    assert!(serve.refuses_publisher("live/show").contains("publish key or a token is required"));
    let _publisher = serve.publish("live/show?key=Pub-k3y");
    serve.wait_published("show");

    assert!(serve.refuses_player("live/show").contains("play key or a token is required"));
    let refused = serve.refuses_player("live/show?key=Pub-k3y");
    assert!(refused.contains("play key is wrong"), "{refused}");
    assert!(refused.starts_with("play: Unauthorized"), "{refused}");
    assert_eq!(serve.refuses_player("live/show?key=Pl4y-k3y"), "");
    let closed =
        ["/live/show.flv", "/live/show.m3u8", "/live/show/hls/main.m3u8", "/live/show/state"];
    for path in closed {
        let answer = serve.ask("GET", path, "");
        assert_eq!(status(&answer), 401, "{path}: {answer}");
        assert!(answer.to_lowercase().contains("www-authenticate: bearer"), "{answer}");
    }
    for path in ["/live/show.flv", "/live/show/chat"] {
        let answer = serve.ask("GET", path, &format!("{UPGRADE}Connection: upgrade\r\n"));
        assert_eq!(status(&answer), 401, "{path}: {answer}");
    }
    let offer = "Content-Type: application/sdp\r\nContent-Length: 0\r\n";
    assert_eq!(serve.status("POST", "/live/show/whep", offer), 401);
    assert_eq!(serve.status("POST", "/live/show/whep?key=Pl4y-k3y", offer), 422, "no offer");
    // The page is the same for all streams. It shows why a stream does not play.
    assert_eq!(serve.status("GET", "/watch/live/show", ""), 200);
    assert_eq!(serve.status("GET", "/live/show/state?key=Pl4y-k3y", ""), 200);
    assert_eq!(serve.status("GET", "/live/show/state", "Authorization: Bearer Pl4y-k3y\r\n"), 200);
    // Another application has other rules.
    assert_eq!(serve.status("GET", "/other/show/state", ""), 200);

    // ffmpeg takes the addresses from the playlists.
    let (http, rtmp) = (&serve.http, &serve.rtmp);
    for url in [
        format!("{rtmp}/live/show?key=Pl4y-k3y"),
        format!("{http}/live/show.flv?key=Pl4y-k3y"),
        format!("{http}/live/show.m3u8?token=Pl4y-k3y"),
    ] {
        assert_eq!(ffmpeg::probe(&url).stream("video")["codec_name"], "h264", "{url}");
    }
    let output = serve.onair.peer.output() + &serve.onair.peer.errors();
    assert!(!output.contains("k3y"), "{output}");
}

#[test]
fn the_addresses_of_a_playlist_have_a_pass_for_one_stream() {
    peers::require!("ffmpeg");
    let mut serve = Serve::start(KEYS);
    let _publishers = ["show", "other"].map(|stream| {
        let publisher = serve.publish(&format!("live/{stream}?key=Pub-k3y"));
        serve.wait_published(stream);
        publisher
    });
    let master = serve.ask("GET", "/live/show.m3u8?key=Pl4y-k3y", "");
    assert!(master.to_lowercase().contains("cache-control: no-store"), "{master}");
    assert!(!master.contains("k3y"), "{master}");
    let list = master.lines().find(|line| line.starts_with("show/hls/main.m3u8?pass=")).unwrap();
    let (_, pass) = list.split_once("?pass=").unwrap();
    let list = serve.ask("GET", &format!("/live/{list}"), "");
    assert_eq!(status(&list), 200, "{list}");
    assert!(list.to_lowercase().contains("cache-control: no-store"), "{list}");
    let addresses: Vec<&str> = list.lines().filter(|it| it.contains(".m4s")).collect();
    assert!(!addresses.is_empty() && addresses.iter().all(|it| it.contains(pass)), "{list}");
    let segment = addresses.iter().find(|it| !it.starts_with('#')).unwrap();
    assert_eq!(serve.status("GET", &format!("/live/show/hls/{segment}"), ""), 200);
    let (bare, _) = segment.split_once('?').unwrap();
    assert_eq!(serve.status("GET", &format!("/live/show/hls/{bare}"), ""), 401);
    // The pass is good neither for another stream nor for another way to watch.
    assert_eq!(serve.status("GET", &format!("/live/other/hls/main.m3u8?pass={pass}"), ""), 401);
    assert_eq!(serve.status("GET", &format!("/live/show.flv?pass={pass}"), ""), 401);
    // The pass ends when the rules refuse its key.
    let main = format!("/live/show/hls/main.m3u8?pass={pass}");
    serve.reload("[app.live]\nplay = { keys = [\"Pl4y-k3y\"] }\n[app.live.limits]\nviewers = 9\n");
    assert_eq!(serve.status("GET", &main, ""), 200);
    serve.reload("[app.live]\nplay = { keys = [\"second\"] }\n");
    assert_eq!(serve.status("GET", &main, ""), 401);
    assert_eq!(serve.status("GET", "/live/show.m3u8?key=Pl4y-k3y", ""), 401);
    assert_eq!(serve.status("GET", "/live/show.m3u8?key=second", ""), 200);
}

/// The rules change while viewers watch: only those whom the new rules refuse have to open their
/// link again.
#[test]
fn a_reload_stops_only_the_hls_viewers_whom_the_new_rules_refuse() {
    peers::require!("ffmpeg");
    let play = |rules: &str| format!("[app.live]\nplay = {{ {rules} }}\n");
    let mut serve = Serve::start(&play("keys = [\"first-k3y\", \"second-k3y\"]"));
    let _publisher = serve.publish("live/show");
    serve.wait_published("show");
    let [first, second] = ["first-k3y", "second-k3y"].map(|key| serve.open_hls(key));
    assert_eq!([serve.go_on(&first), serve.go_on(&second)], [200, 200]);

    serve.reload(&play("keys = [\"third-k3y\", \"second-k3y\"], allow = [\"127.0.0.0/8\"]"));
    assert_eq!([serve.go_on(&first), serve.go_on(&second)], [401, 200]);
    serve.reload(&play("keys = [\"second-k3y\"], deny = [\"127.0.0.1\"]"));
    assert_eq!(serve.go_on(&second), 403);
    let tokens = "[tokens]\nsecrets = [\"0123456789abcdef0123456789abcdef\"]\n";
    serve.reload(&format!("{}{tokens}", play("tokens = true")));
    assert_eq!(serve.go_on(&second), 401);
    // A key of another application opens nothing here.
    let other = "[app.other]\nplay = { keys = [\"second-k3y\"] }\n";
    serve.reload(&format!("{}{other}", play("keys = [\"third-k3y\"]")));
    assert_eq!(serve.go_on(&second), 401);
    // Without rules for viewers, everybody may go on.
    serve.reload("");
    assert_eq!([serve.go_on(&first), serve.go_on(&second)], [200, 200]);
}

#[test]
fn wrong_keys_are_slowed_down_over_http_and_missing_ones_are_not() {
    let serve = Serve::start(KEYS);
    for _ in 0..20 {
        assert_eq!(serve.status("GET", "/live/show/state", ""), 401);
    }
    wait_for("the limit", LIMIT, || {
        let answer = serve.ask("GET", "/live/show/state?key=guess", "");
        let limited = status(&answer) == 429;
        assert!(!limited || answer.to_lowercase().contains("retry-after: "), "{answer}");
        limited
    });
}

#[test]
fn a_correct_key_does_not_speed_up_guesses_of_another() {
    let serve = Serve::start(&format!("{KEYS}[app.\"*\".play]\nkeys = [\"0ther-k3y\"]\n"));
    let mut number = 0;
    wait_for("the limit", LIMIT, || {
        assert_eq!(serve.status("GET", "/live/show/state?key=Pl4y-k3y", ""), 200);
        number += 1;
        // The applications without their own rules have the same keys.
        serve.status("GET", &format!("/app{number}/show/state?key=guess"), "") == 429
    });
    assert_eq!(serve.status("GET", "/live/show/state?key=Pl4y-k3y", ""), 200);
}

/// Refused clients are among the events, without their keys, and repeats are one event.
#[test]
fn refused_clients_are_reported_without_their_keys() {
    peers::require!("ffmpeg");
    let mut serve = Serve::start(KEYS);
    assert!(serve.refuses_publisher("live/Pub-k3y?key=Wr0ng-k3y").contains("wrong"));
    assert!(serve.refuses_player("live/show").contains("required"));
    for _ in 0..3 {
        assert_eq!(serve.status("GET", "/live/show.m3u8?key=Wr0ng-k3y", ""), 401);
    }
    serve.onair.wait_event("the refused player", |it| it["cause"] == "no-key");
    let refused = serve.named("refused");
    let fields = |it: &Value| {
        ["action", "app", "stream", "peer", "protocol", "cause"]
            .map(|name| it[name].as_str().unwrap().to_owned())
    };
    assert_eq!(
        refused.iter().map(fields).collect::<Vec<_>>(),
        [
            ["publish", "live", "***", "127.0.0.1", "rtmp", "wrong-key"],
            ["play", "live", "show", "127.0.0.1", "rtmp", "no-key"],
        ],
        "repeats are not reported"
    );
    let answer = serve.ask("GET", "/api/v1/events", "");
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    let events: Value = serde_json::from_str(body).unwrap();
    let last = &events["events"][0];
    assert_eq!((&last["event"], &last["cause"]), (&"refused".into(), &"wrong-key".into()));
    assert_eq!(last["times"], 4, "{last}");
    let output = serve.onair.peer.output() + &serve.onair.peer.errors() + body;
    assert!(!output.contains("k3y"), "{output}");
}

#[test]
fn a_refused_client_is_reported_in_the_chosen_language_and_answered_in_english() {
    let folder = tempfile::tempdir().unwrap();
    write(&folder, KEYS);
    let file = config_of(&folder);
    let arguments = ["serve", "--config", file.to_str().unwrap(), "--lang", "zh-CN"];
    let mut onair = Onair::start(&arguments);
    let ready = onair.wait_named("ready");
    let publish = |url| ClientConfig::publish(url, BitsPerSecond(1_000_000));
    let refusal = refusal_at(ready["rtmp"].as_str().unwrap(), publish, "live/show?key=Wr0ng-k3y");
    assert!(refusal.contains("The publish key is wrong."), "{refusal}");
    assert_eq!(onair.wait_named("refused")["reason"], "推流密钥错误。");
    let address = ready["http"].as_str().unwrap().trim_start_matches("http://");
    for (query, reason) in [("", "The publish key is wrong."), ("?lang=zh-CN", "推流密钥错误。")]
    {
        let path = format!("/api/v1/events{query}");
        let answer = web::ask_with(address, "GET", &path, "");
        let (_, body) = answer.split_once("\r\n\r\n").unwrap();
        let events: Value = serde_json::from_str(body).unwrap();
        assert_eq!(events["events"][0]["reason"], reason, "{query}");
    }
}

#[test]
fn a_client_without_a_stream_name_is_refused_with_the_reason() {
    let mut serve = Serve::start("");
    let nameless = |url: Url| Url { stream: Secret::default(), ..url };
    let reason = "The stream name is empty.";
    let publish = |url| ClientConfig::publish(nameless(url), BitsPerSecond(1_000_000));
    let refused = serve.refusal(publish, "live/show");
    assert!(refused.contains(reason), "{refused}");
    let refused = serve.refusal(|url| ClientConfig::play(nameless(url)), "live/show");
    assert!(refused.contains(reason), "{refused}");
    serve.onair.wait_event("the refusal", |it| it["cause"] == "no-name" && it["app"] == "live");
    let answer = serve.ask("GET", "/live/.flv", "");
    assert_eq!(status(&answer), 404);
    assert!(answer.contains(reason), "{answer}");
}

#[test]
fn addresses_are_allowed_and_denied() {
    peers::require!("ffmpeg");
    let mut serve = Serve::start(
        "[app.live.publish]\nallow = [\"127.0.0.0/8\"]\n[app.live.play]\ndeny = [\"127.0.0.1\"]\n\
         [app.\"*\".publish]\nallow = [\"192.0.2.0/24\", \"2001:db8::/32\"]\n",
    );
    assert!(serve.refuses_publisher("other/show").contains("address is not allowed to publish"));
    let _publisher = serve.publish("live/show");
    serve.wait_published("show");
    assert!(serve.refuses_player("live/show").contains("address is not allowed to play"));
    assert_eq!(serve.status("GET", "/live/show.flv", ""), 403);
    let mut plays = Peer::start("ffmpeg", ["-i", &format!("{}/live/show", serve.rtmp)]);
    assert!(!plays.wait(LIMIT).success());
    // From here on, nobody needs a key.
    serve.reload("");
    assert_eq!(serve.refuses_player("live/show"), "");
}

#[test]
fn a_publisher_beyond_its_limits_is_ended_with_the_reason() {
    peers::require!("ffmpeg");
    let mut serve = Serve::start(
        "[app.small.limits]\nsize = \"480x270\"\n[app.slow.limits]\nbitrate = \"100k\"\n",
    );
    for (app, reason) in
        [("small", "640x360 pixels"), ("slow", "application's limit of 100 kbit/s")]
    {
        let mut publisher = serve.publish(&format!("{app}/show"));
        let ended = serve
            .onair
            .wait_event("unpublish", |it| it["event"] == "unpublish" && it["app"] == app);
        assert!(ended["reason"].as_str().unwrap().contains(reason), "{ended}");
        assert!(!publisher.wait(LIMIT).success());
    }
    let _fits = serve.publish("other/show");
    serve.onair.wait_event("publish", |it| it["event"] == "publish" && it["app"] == "other");
}

#[test]
fn streams_and_viewers_of_an_application_are_limited() {
    peers::require!("ffmpeg");
    let mut serve = Serve::start("[app.live.limits]\nstreams = 1\nviewers = 1\n");
    let _publisher = serve.publish("live/one");
    serve.wait_published("one");
    let refused = serve.refuses_publisher("live/two");
    assert!(refused.contains("The application already has 1 stream,"), "{refused}");
    assert!(refused.starts_with("publish: Failed"), "the client may try again: {refused}");
    assert_eq!(serve.refuses_publisher("other/two"), "");
    let mut viewer = Client::play(&format!("{}/live/one", serve.rtmp));
    viewer.media();
    assert_eq!(serve.status("GET", "/live/one.flv", ""), 503);
    let answer = serve.ask("GET", "/live/one.m3u8", "");
    assert_eq!(status(&answer), 503);
    assert!(answer.contains("The stream already has 1 viewer, which is its limit."), "{answer}");
    // The player joins after the server has accepted its request.
    let _refused = Client::play(&format!("{}/live/one", serve.rtmp));
    serve.onair.wait_event("the refused player", |it| it["cause"] == "too-many-viewers");
    let listed = |serve: &Serve| {
        let answer = serve.ask("GET", "/api/v1/events", "");
        let (_, body) = answer.split_once("\r\n\r\n").unwrap();
        let events: Value = serde_json::from_str(body).unwrap();
        let events = events["events"].as_array().unwrap().clone();
        events.into_iter().find(|it| it["cause"] == "too-many-viewers")
    };
    // All three are one entry, because they have the same address.
    wait_for("the third refusal", LIMIT, || listed(&serve).is_some_and(|it| it["times"] == 3));
    let entry = listed(&serve).unwrap();
    assert_eq!((&entry["action"], &entry["stream"]), (&"play".into(), &"one".into()), "{entry}");
    // Higher limits apply immediately, and nobody is disconnected.
    serve.reload("[app.live.limits]\nstreams = 2\nviewers = 2\n");
    assert_eq!(serve.refuses_publisher("live/two"), "");
    let mut second = Client::play(&format!("{}/live/one", serve.rtmp));
    second.media();
    viewer.media();
}
