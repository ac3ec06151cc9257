//! Tests of signed tokens: tokens from `onair serve token`, tokens signed with public keys of a key
//! server, and tokens that the server must refuse.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use data_encoding::BASE64URL_NOPAD;
use parking_lot::Mutex;
use ring::rand::SystemRandom;
use ring::signature::{Ed25519KeyPair, KeyPair};
use serde_json::{Value, json};
use std::io::Write;

use super::{Serve, config_of, status};
use crate::peers::certificates::Authority;
use crate::peers::{self, LIMIT, Onair, ffmpeg, wait_for, web};

const SECRET: &str = "Pl4nted-0123456789abcdef0123456789abcdef";

fn rules() -> String {
    format!(
        "[tokens]\nsecrets = [\"{SECRET}\"]\n[app.live]\npublish = {{ tokens = true }}\n\
         play = {{ tokens = true }}\n"
    )
}

/// Returns a token from `onair serve token`.
fn token(serve: &Serve, arguments: &[&str]) -> String {
    let file = config_of(&serve.folder);
    let command = ["serve", "token", "--config", file.to_str().unwrap()];
    let mut onair = Onair::start(&[&command[..], arguments].concat());
    assert_eq!(onair.peer.wait(LIMIT).code(), Some(0), "{}", onair.peer.errors());
    onair.events()[0]["token"].as_str().unwrap().to_owned()
}

#[test]
fn a_token_opens_its_stream_until_it_expires_and_no_other() {
    peers::require!("ffmpeg", "ffprobe");
    let mut serve = Serve::start(&rules());
    let publish = token(&serve, &["--sub", "live/show", "--act", "publish"]);
    let play = token(&serve, &["--sub", "live/*", "--act", "play"]);
    let _publisher = serve.publish(&format!("live/show?token={publish}"));
    serve.wait_published("show");
    let (http, rtmp) = (&serve.http, &serve.rtmp);
    for url in [
        format!("{rtmp}/live/show?token={play}"),
        format!("{http}/live/show.flv?token={play}"),
        format!("{http}/live/show.m3u8?token={play}"),
        format!("{http}/live/show.mpd?token={play}"),
    ] {
        assert_eq!(ffmpeg::probe(&url).stream("video")["codec_name"], "h264", "{url}");
    }
    let bearer = format!("Authorization: Bearer {play}\r\n");
    assert_eq!(serve.status("GET", "/live/show/state", &bearer), 200);

    let expired = token(&serve, &["--sub", "live/show", "--act", "play", "--for", "1s"]);
    let state = format!("/live/show/state?token={expired}");
    wait_for("the end of the token", LIMIT, || status(&serve.ask("GET", &state, "")) == 401);
    let elsewhere = token(&serve, &["--sub", "live/show", "--ip", "192.0.2.1"]);
    let (_, signature) = play.rsplit_once('.').unwrap();
    let (claims, _) = publish.rsplit_once('.').unwrap();
    let mixed = format!("{claims}.{signature}");
    let none = format!(
        "{}.{}.",
        BASE64URL_NOPAD.encode(br#"{"alg":"none","typ":"JWT"}"#),
        play.split('.').nth(1).unwrap()
    );
    for (given, why, code) in [
        (expired.as_str(), "expired", 401),
        (&elsewhere, "for another address", 403),
        (&publish, "does not allow this", 403),
        (&mixed, "not signed for this server", 401),
        (&none, "algorithm is not allowed", 401),
    ] {
        let answer = serve.ask("GET", &format!("/live/show/state?token={given}"), "");
        assert!(status(&answer) == code && answer.contains(why), "{why}: {answer}");
    }
    let other = serve.ask("GET", &format!("/other/show/state?token={play}"), "");
    assert_eq!(status(&other), 200, "another application has no rules");
    let replayed = serve.refuses_publisher(&format!("live/second?token={publish}"));
    assert!(replayed.contains("for another stream"), "{replayed}");
    assert!(serve.refuses_player("live/show").contains("token"), "one is needed");
    let output = serve.onair.peer.output() + &serve.onair.peer.errors();
    assert!(!output.contains("ey") || !output.contains(signature), "{output}");
    assert!(!output.contains("Pl4nted"), "{output}");
}

/// The pass of an HLS viewer ends with the viewer's token.
#[test]
fn a_pass_ends_with_its_token() {
    peers::require!("ffmpeg");
    let mut serve = Serve::start(&rules());
    let publish = token(&serve, &["--sub", "live/show", "--act", "publish"]);
    let _publisher = serve.publish(&format!("live/show?token={publish}"));
    serve.wait_published("show");
    let open = |for_: &str| {
        serve.open_hls(&token(&serve, &["--sub", "live/show", "--act", "play", "--for", for_]))
    };
    let (long, short) = (open("1h"), open("10s"));
    wait_for("the end of the token", LIMIT, || serve.go_on(&short) == 401);
    assert_eq!(serve.go_on(&long), 200);
}

/// The address of an HLS viewer changes within the networks that the viewer's token names.
#[test]
fn a_pass_opens_its_stream_in_all_networks_of_its_token() {
    peers::require!("ffmpeg");
    let mut serve = Serve::start(&format!("trusted_proxies = [\"127.0.0.0/8\"]\n{}", rules()));
    let publish = token(&serve, &["--sub", "live/show", "--act", "publish"]);
    let _publisher = serve.publish(&format!("live/show?token={publish}"));
    serve.wait_published("show");
    let networks = ["--ip", "203.0.113.0/24", "--ip", "2001:db8::/32"];
    let play = token(&serve, &[&["--sub", "live/show", "--act", "play"][..], &networks].concat());
    let from = |client: &str| format!("X-Forwarded-For: {client}\r\n");
    let master = serve.ask("GET", &format!("/live/show.m3u8?key={play}"), &from("203.0.113.5"));
    let list = master.lines().find(|line| line.starts_with("show/hls/main.m3u8?pass=")).unwrap();
    for (client, code) in [
        ("203.0.113.5", 200),
        ("203.0.113.9", 200),
        ("2001:db8::1", 200),
        ("198.51.100.7", 401),
        ("203.0.113.9", 200),
    ] {
        let got = serve.status("GET", &format!("/live/{list}"), &from(client));
        assert_eq!(got, code, "{client}");
    }
}

/// The operator replaces the secret of tokens while viewers watch over HLS.
#[test]
fn a_reload_stops_only_the_hls_viewers_whose_secret_it_removes() {
    const NEW_SECRET: &str = "Pl4nted-abcdefabcdefabcdefabcdefabcdefab";
    peers::require!("ffmpeg");
    let rules = |secrets: &[&str], more: &str| {
        let play = "[app.live]\nplay = { tokens = true }\n";
        format!("[tokens]\nsecrets = {secrets:?}\n{more}{play}")
    };
    let mut serve = Serve::start(&rules(&[SECRET], ""));
    let _publisher = serve.publish("live/show");
    serve.wait_published("show");
    let open =
        |serve: &Serve| serve.open_hls(&token(serve, &["--sub", "live/show", "--act", "play"]));
    let old = open(&serve);
    serve.reload(&rules(&[NEW_SECRET, SECRET], ""));
    // This token is signed with the newest secret.
    let new = open(&serve);
    assert_eq!([serve.go_on(&old), serve.go_on(&new)], [200, 200]);
    serve.reload(&rules(&[NEW_SECRET], ""));
    assert_eq!([serve.go_on(&old), serve.go_on(&new)], [401, 200]);
    // The tokens do not name this audience, so their viewers may not go on.
    serve.reload(&rules(&[NEW_SECRET], "audience = \"other\"\n"));
    assert_eq!(serve.go_on(&new), 401);
}

#[test]
fn a_reload_stops_only_the_hls_viewers_whose_public_key_it_removes() {
    peers::require!("ffmpeg");
    let (first, second) = (Signer::new("first"), Signer::new("second"));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("keys.json");
    let write = |keys: &[Value]| {
        std::fs::write(&file, json!({ "keys": keys }).to_string()).unwrap();
    };
    write(&[first.key(), second.key()]);
    let place = file.to_str().unwrap();
    let rules = format!("[tokens]\njwks = \"{place}\"\n[app.live.play]\ntokens = true\n");
    let mut serve = Serve::start(&rules);
    let _publisher = serve.publish("live/show");
    serve.wait_published("show");
    let lists = [&first, &second].map(|signer| serve.open_hls(&signer.token()));
    assert_eq!(lists.each_ref().map(|list| serve.go_on(list)), [200, 200]);
    write(&[second.key()]);
    serve.reload(&rules);
    assert_eq!(lists.each_ref().map(|list| serve.go_on(list)), [401, 200]);
}

/// A server with a key set that can change. It counts how often the set is fetched.
struct KeyServer {
    port: u16,
    set: Arc<Mutex<Value>>,
    fetched: Arc<AtomicUsize>,
}

impl KeyServer {
    fn start() -> Self {
        let set = Arc::new(Mutex::new(json!({ "keys": [] })));
        let fetched = Arc::new(AtomicUsize::new(0));
        let (answered, counted) = (Arc::clone(&set), Arc::clone(&fetched));
        let port = web::canned(move |_, socket| {
            counted.fetch_add(1, Ordering::SeqCst);
            let body = answered.lock().to_string();
            let length = body.len();
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{body}");
            let _ = socket.write_all(head.as_bytes());
        });
        Self { port, set, fetched }
    }
}

/// A key pair, and its public key as an entry of a key set. It signs tokens.
struct Signer(Ed25519KeyPair, &'static str);

impl Signer {
    fn new(id: &'static str) -> Self {
        let pkcs8 = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
        Self(Ed25519KeyPair::from_pkcs8(pkcs8.as_ref()).unwrap(), id)
    }

    fn key(&self) -> Value {
        let x = BASE64URL_NOPAD.encode(self.0.public_key().as_ref());
        json!({ "kty": "OKP", "crv": "Ed25519", "kid": self.1, "x": x })
    }

    fn token(&self) -> String {
        self.token_with(&json!({ "alg": "EdDSA", "kid": self.1 }))
    }

    fn token_with(&self, header: &Value) -> String {
        let encode = |value: &Value| BASE64URL_NOPAD.encode(value.to_string().as_bytes());
        let header = encode(header);
        let claims = encode(&json!({ "sub": "live/**", "act": "play", "exp": 4_000_000_000_u64 }));
        let signed = format!("{header}.{claims}");
        let signature = BASE64URL_NOPAD.encode(self.0.sign(signed.as_bytes()).as_ref());
        format!("{signed}.{signature}")
    }
}

#[test]
fn public_keys_are_fetched_once_and_unknown_ones_do_not_cause_more() {
    let keys = KeyServer::start();
    let (first, stranger) = (Signer::new("first"), Signer::new("stranger"));
    *keys.set.lock() = json!({ "keys": [first.key()] });
    let rules = format!(
        "[tokens]\njwks = \"http://127.0.0.1:{}/keys\"\n[app.live.play]\ntokens = true\n",
        keys.port
    );
    let mut serve = Serve::start(&rules);
    let state = |serve: &Serve, signer: &Signer| {
        let path = format!("/live/a/state?token={}", signer.token());
        serve.status("GET", &path, "")
    };
    assert_eq!(state(&serve, &first), 200);
    for _ in 0..3 {
        assert_eq!(state(&serve, &stranger), 401);
        assert_eq!(state(&serve, &first), 200);
    }
    assert_eq!(keys.fetched.load(Ordering::SeqCst), 1);
    // After a reload, the server fetches the keys again, also only once.
    serve.reload(&rules);
    assert_eq!(state(&serve, &first), 200);
    assert_eq!(state(&serve, &stranger), 401);
    assert_eq!(keys.fetched.load(Ordering::SeqCst), 2);
}

/// The key server has no keys yet, for example because it is starting.
#[test]
fn while_there_are_no_keys_a_token_is_no_attack() {
    let keys = KeyServer::start();
    let signer = Signer::new("first");
    let serve = Serve::start(&format!(
        "[tokens]\njwks = \"http://127.0.0.1:{}/keys\"\n[app.live.play]\ntokens = true\n",
        keys.port
    ));
    let path = format!("/live/a/state?token={}", signer.token());
    // As many wrong tokens would make the address wait.
    for _ in 0..7 {
        assert_eq!(serve.status("GET", &path, ""), 503);
    }
    let refused = serve.refuses_player(&format!("live/a?token={}", signer.token()));
    assert!(refused.contains("could not fetch the public key for this token"), "{refused}");
    *keys.set.lock() = json!({ "keys": [signer.key()] });
    wait_for("the keys", LIMIT, || serve.status("GET", &path, "") == 200);
}

#[test]
fn a_token_needs_the_key_that_it_names() {
    let keys = KeyServer::start();
    let (first, second, stranger) = (Signer::new("first"), Signer::new("second"), Signer::new("x"));
    *keys.set.lock() = json!({ "keys": [first.key(), second.key()] });
    let serve = Serve::start(&format!(
        "[tokens]\njwks = \"http://127.0.0.1:{}/keys\"\n[app.live.play]\ntokens = true\n",
        keys.port
    ));
    let state = |token: &str| {
        // Wrong tokens slow an address down; this test is about their keys.
        let mut answer = 429;
        wait_for("an answer", LIMIT, || {
            answer = serve.status("GET", &format!("/live/a/state?token={token}"), "");
            answer != 429
        });
        answer
    };
    let named = |kid: Value| json!({ "alg": "EdDSA", "kid": kid });
    assert_eq!(state(&first.token()), 200);
    assert_eq!(state(&second.token_with(&json!({ "alg": "EdDSA" }))), 200, "no key is named");
    for (token, what) in [
        (stranger.token_with(&named("first".into())), "the key of somebody else"),
        (first.token_with(&named("second".into())), "another key of the set"),
        (first.token_with(&named("../first".into())), "a path"),
        (first.token_with(&named("f".repeat(1_000).into())), "a long name"),
        (
            first.token_with(&json!({ "alg": "EdDSA", "kid": "no", "jwk": first.key() })),
            "a key of its own",
        ),
        (
            first.token_with(&json!({ "alg": "EdDSA", "kid": "no", "jku": "http://127.0.0.1:1/" })),
            "a set of its own",
        ),
    ] {
        assert_eq!(state(&token), 401, "{what}");
    }
    assert_eq!(keys.fetched.load(Ordering::SeqCst), 1, "none of them causes a request");
}

#[test]
fn a_key_server_that_redirects_in_circles_opens_nothing() {
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&asked);
    let port = web::canned(move |_, socket| {
        counted.fetch_add(1, Ordering::SeqCst);
        let head = "HTTP/1.1 302 Found\r\nLocation: /round\r\nContent-Length: 0\r\n\r\n";
        let _ = socket.write_all(head.as_bytes());
    });
    let serve = Serve::start(&format!(
        "[tokens]\njwks = \"http://127.0.0.1:{port}/keys\"\n[app.live.play]\ntokens = true\n"
    ));
    let path = format!("/live/a/state?token={}", Signer::new("only").token());
    for _ in 0..3 {
        assert_eq!(serve.status("GET", &path, ""), 503);
    }
    let asked = asked.load(Ordering::SeqCst);
    assert!((2..=18).contains(&asked), "{asked} requests");
    assert_eq!(serve.status("GET", "/other/a/state", ""), 200, "others are served");
}

#[test]
fn a_key_set_can_be_a_file_or_come_over_tls() {
    peers::require!("nginx");
    let authority = Authority::new();
    let good = authority.good();
    let signer = Signer::new("only");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("keys.json");
    std::fs::write(&file, json!({ "keys": [signer.key()] }).to_string()).unwrap();
    let nginx = web::Web::start(folder.path(), &good.certificate, &good.key);
    let https = format!("https://localhost:{}/keys.json", nginx.https);
    for place in [file.to_str().unwrap(), &https] {
        let rules = format!("[tokens]\njwks = \"{place}\"\n[app.live.play]\ntokens = true\n");
        let ca = authority.file();
        let trusted = [("SSL_CERT_FILE", ca.to_str().unwrap())];
        let serve = Serve::start_with(&rules, &trusted);
        let path = format!("/live/a/state?token={}", signer.token());
        wait_for("the keys", LIMIT, || serve.status("GET", &path, "") == 200);
    }
}
