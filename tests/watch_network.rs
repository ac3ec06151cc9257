//! Tests of how the window's players reach servers: certificates that the user accepts, proxies,
//! reconnecting, and a chat at another address than the default.

use std::path::Path;

use crate::peers::certificates::{self, Authority};
use crate::peers::watcher::{wait, watcher};
use crate::peers::{self, LIMIT, Onair, free_port, web};
use onair::player::chat::ChatState;
use onair::studio::watch::choices::Network;
use onair::studio::watch::view::WatchState;
use onair::studio::{Command, Notice, Remedy, Snapshot, Studio, TileId, WatchCommand};

const SMALL: &[&str] =
    &["--video", "test", "--audio", "tone", "--size", "480x270", "--video-bitrate", "500k"];

fn plays(snapshot: &Snapshot) -> bool {
    snapshot.watch == WatchState::Playing && snapshot.watch_figures.size.is_some()
}

fn failed(snapshot: &Snapshot) -> bool {
    matches!(snapshot.watch, WatchState::Failed { .. })
}

fn watch(studio: &Studio, url: &str) {
    studio.send(Command::Watch { url: url.to_owned() });
}

fn set(studio: &Studio, change: impl FnOnce(&mut Network)) {
    let mut network = studio.snapshot().player.network;
    change(&mut network);
    studio.send(Command::Player(WatchCommand::SetNetwork(network)));
}

#[test]
fn a_certificate_is_accepted_once_for_that_server_and_no_other() {
    let authority = Authority::new();
    let serve = |own: &certificates::Certificate| {
        let text = |path: &Path| path.to_str().unwrap().to_owned();
        let (certificate, key) = (text(&own.certificate), text(&own.key));
        let ports = ["--rtmp", "127.0.0.1:0", "--http", "127.0.0.1:0", "--rtmps", "127.0.0.1:0"];
        let keys = ["--cert", certificate.as_str(), "--cert-key", key.as_str()];
        let mut server = Onair::start(&[&["serve"], &ports[..], &keys].concat());
        let ready = server.wait_named("ready");
        let rtmp = format!("{}/live/show", ready["rtmp"].as_str().unwrap());
        let rtmps = format!("{}/live/show", ready["rtmps"].as_str().unwrap());
        let live = Onair::start(&[&["live", "--to", &rtmp], SMALL].concat());
        (server, live, rtmps)
    };
    let own = authority.self_signed(false);
    let (_one, _live, url) = serve(&own);
    let (_other, _other_live, other) = serve(&own);
    let folder = tempfile::tempdir().unwrap();
    let first = watcher(folder.path());
    watch(&first, &url);
    let offered = |notice: &Notice| match notice.remedies.first() {
        Some(&Remedy::TrustStream { tile, pin }) => Some((tile, pin)),
        _ => None,
    };
    let snapshot = wait(&first, "the refusal", |it| {
        failed(it) && it.notices.iter().any(|notice| offered(notice).is_some())
    });
    let (tile, pin) = snapshot.notices.iter().find_map(offered).expect("nothing is offered");
    assert_eq!(pin.to_string().replace(':', "").to_lowercase(), own.pin);
    // A certificate other than the one shown is not trusted.
    let wrong = onair::net::CertificatePin::of(b"another");
    first.send(Command::Player(WatchCommand::Trust { tile, pin: wrong }));
    first.send(Command::Player(WatchCommand::Trust { tile, pin }));
    let snapshot = wait(&first, "the stream", plays);
    assert!(snapshot.notices.iter().all(|notice| offered(notice).is_none()));
    assert_eq!(snapshot.player.network.trusted.len(), 1);
    first.end(LIMIT).unwrap();

    // The next run trusts the certificate, but not that of another server.
    let next = watcher(folder.path());
    watch(&next, &url);
    wait(&next, "the stream again", plays);
    watch(&next, &other);
    wait(&next, "the other's refusal", failed);
    set(&next, |network| network.trusted.clear());
    watch(&next, &url);
    let snapshot = wait(&next, "the refusal again", |it| {
        failed(it) && it.watch_figures.url == url && it.player.network.trusted.is_empty()
    });
    assert_eq!(snapshot.tiles[0].offered, Some(pin));
    // A certificate file works as well.
    let file = own.certificate.display().to_string();
    set(&next, |network| network.ca_file = file);
    watch(&next, &url);
    wait(&next, "the stream by its file", plays);
    next.end(LIMIT).unwrap();
}

#[test]
fn a_proxy_is_gone_through_and_a_first_loss_may_be_the_last() {
    let mut live = Onair::start(&[&["live"], SMALL].concat());
    let url = live.play_url();
    let folder = tempfile::tempdir().unwrap();
    let studio = watcher(folder.path());
    let nobody = format!("socks5://me:planted@127.0.0.1:{}", free_port());
    set(&studio, |network| network.route.proxy = nobody.as_str().into());
    watch(&studio, &url);
    let snapshot = wait(&studio, "the proxy's failure", failed);
    let WatchState::Failed { cause, .. } = &snapshot.watch else { unreachable!() };
    let cause = cause.to_string();
    assert!(cause.contains("proxy") && !cause.contains("planted"), "{cause}");
    set(&studio, |network| {
        network.route.proxy = "".into();
        network.reconnect = false;
    });
    watch(&studio, &url);
    wait(&studio, "the stream", plays);
    live.peer.kill();
    wait(&studio, "its end", |it| failed(it) || it.watch == WatchState::Ended);
    studio.end(LIMIT).unwrap();
    let written = std::fs::read_to_string(folder.path().join("onair.toml")).unwrap();
    assert!(written.contains("no_reconnect = true") && !written.contains("planted"), "{written}");
}

#[test]
fn the_chat_is_joined_where_a_person_says_and_that_is_remembered() {
    let mut server = Onair::start(&["serve", "--rtmp", "127.0.0.1:0", "--http", "127.0.0.1:0"]);
    let ready = server.wait_named("ready");
    let rtmp = format!("{}/live/show", ready["rtmp"].as_str().unwrap());
    let http = ready["http"].as_str().unwrap().to_owned();
    let _live = Onair::start(&[&["live", "--to", &rtmp], SMALL].concat());
    let chat = format!("ws{}/live/show/chat", http.strip_prefix("http").unwrap());
    let folder = tempfile::tempdir().unwrap();
    let first = watcher(folder.path());
    watch(&first, &rtmp);
    let snapshot = wait(&first, "the stream", plays);
    assert_eq!(snapshot.chat.state, None, "no chat is known of it");
    first.send(Command::Player(WatchCommand::SetChatAddress(chat)));
    let open = |it: &Snapshot| it.chat.state == Some(ChatState::Open);
    wait(&first, "the chat", open);
    first.end(LIMIT).unwrap();
    let next = watcher(folder.path());
    watch(&next, &rtmp);
    wait(&next, "the chat again", open);
    next.send(Command::Player(WatchCommand::SetChatAddress(String::new())));
    wait(&next, "no chat", |it| it.chat.state.is_none() && it.chat_choices.places.is_empty());
    assert_eq!(next.snapshot().tiles[0].id, TileId(0));
    next.end(LIMIT).unwrap();
}

#[test]
fn a_chat_whose_certificate_nobody_vouches_for_is_joined_once_that_is_accepted() {
    peers::require!("nginx");
    let mut server = Onair::start(&["serve", "--rtmp", "127.0.0.1:0", "--http", "127.0.0.1:0"]);
    let ready = server.wait_named("ready");
    let rtmp = format!("{}/live/show", ready["rtmp"].as_str().unwrap());
    let http = ready["http"].as_str().unwrap().rsplit(':').next().unwrap().parse().unwrap();
    let _live = Onair::start(&[&["live", "--to", &rtmp], SMALL].concat());
    let authority = Authority::new();
    let own = authority.self_signed(false);
    let (_nginx, port) = web::tls_before(http, &own.certificate, &own.key);
    let folder = tempfile::tempdir().unwrap();
    let first = watcher(folder.path());
    watch(&first, &rtmp);
    wait(&first, "the stream", plays);
    first.send(Command::Player(WatchCommand::SetChatAddress(format!(
        "wss://127.0.0.1:{port}/live/show/chat"
    ))));
    let offered = |it: &Snapshot| match &it.chat.state {
        Some(ChatState::Lost { offered, .. }) => offered.clone(),
        _ => None,
    };
    let snapshot = wait(&first, "the offer", |it| offered(it).is_some());
    let offered = offered(&snapshot).unwrap();
    assert_eq!(offered.pin.to_string().replace(':', "").to_lowercase(), own.pin);
    // A certificate other than the one shown is not trusted.
    first
        .send(Command::Player(WatchCommand::TrustChat(onair::net::CertificatePin::of(b"another"))));
    first.send(Command::Player(WatchCommand::TrustChat(offered.pin)));
    let open = |it: &Snapshot| it.chat.state == Some(ChatState::Open);
    let snapshot = wait(&first, "the chat", open);
    assert_eq!(snapshot.player.network.trusted, [(format!("127.0.0.1:{port}"), offered.pin)]);
    assert!(plays(&snapshot), "the stream goes on");
    first.end(LIMIT).unwrap();
    // The next run trusts it.
    let next = watcher(folder.path());
    watch(&next, &rtmp);
    wait(&next, "the chat again", open);
    next.end(LIMIT).unwrap();
}
