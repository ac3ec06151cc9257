//! Test of network changes during a stream: a new address, and a cable that is unplugged and
//! plugged in again. Runs in a network namespace.

use std::process::Command;
use std::time::{Duration, Instant};

use crate::lab::Elsewhere;
use crate::peers::{LIMIT, Onair, wait_for};
use serde_json::Value;

fn inside(namespace: &str, words: &[&str]) {
    let all = ["netns", "exec", namespace, "ip"];
    let done = Command::new("ip").args(all).args(words).status().unwrap();
    assert!(done.success(), "{words:?}");
}

/// The target's events, without the first `since` of them.
fn target_events(onair: &Onair, since: usize) -> Vec<Value> {
    let events = onair.events().into_iter().filter(|event| event["event"] == "target");
    events.skip(since).collect()
}

fn is_live(onair: &Onair, since: usize) -> bool {
    target_events(onair, since).last().is_some_and(|event| event["state"] == "live")
}

/// Whether a new connection has got as far as the server's publish response since then.
fn reached(onair: &Onair, since: usize) -> bool {
    target_events(onair, since).iter().any(|event| event["stage"] == "publish")
}

#[test]
fn a_connection_follows_the_network_it_is_on() {
    crate::peers::in_real_time!(a_connection_follows_the_network_it_is_on);
    let Some(elsewhere) = Elsewhere::new(7) else { return };
    let listen = format!("{}:0", elsewhere.address);
    let mut serve = Onair::start(&["serve", "--rtmp", &listen, "--http", "127.0.0.1:0"]);
    let rtmp = serve.wait_named("ready")["rtmp"].as_str().unwrap().to_owned();
    let url = format!("{rtmp}/live/show");
    let folder = tempfile::tempdir().unwrap();
    let why = folder.path().join("why.txt");
    let mut command = Command::new("ip");
    command.args(["netns", "exec", &elsewhere.name, env!("CARGO_BIN_EXE_onair"), "live"]);
    command.args(["--video", "test", "--audio", "tone", "--size", "480x270", "--to", &url]);
    command.args(["--video-bitrate", "300k", "--json", "--why"]).arg(&why);
    let mut onair = Onair::start_command(&mut command, &[]);
    wait_for("the stream on air", LIMIT, || is_live(&onair, 0));

    // The address changes, as on another network: the old one is removed, and the connection with
    // it.
    let network = elsewhere.address.rsplit_once('.').unwrap().0.to_owned();
    let device = elsewhere.device();
    let before = target_events(&onair, 0).len();
    inside(&elsewhere.name, &["addr", "del", &format!("{network}.2/24"), "dev", &device]);
    inside(&elsewhere.name, &["addr", "add", &format!("{network}.3/24"), "dev", &device]);
    let changed = Instant::now();
    wait_for("the server over the new address", LIMIT, || reached(&onair, before));
    // The server cannot know that the old address is gone. It treats a publisher that is silent for
    // four seconds as dead and lets a new one take its name.
    wait_for("the stream over the new address", LIMIT * 2, || is_live(&onair, before));
    let took = changed.elapsed();
    assert!(took < Duration::from_secs(18), "{took:?}: {:#?}", target_events(&onair, before));
    let busy = |event: &Value| event["event"] == "notice" && event["key"] == "target-busy";
    let notices = onair.events().into_iter().filter(busy).count();
    assert!(notices <= 1, "told at every try: {notices}");
    let own =
        |it: &Value| it["summary"].as_str().is_some_and(|it| it.contains("probably still open"));
    assert!(
        onair.events().iter().filter(|it| busy(it)).all(own),
        "our own former self: {:?}",
        onair.events()
    );
    // onair did not have to find the loss by a timeout.
    let causes: Vec<_> =
        target_events(&onair, before).iter().map(|it| it["cause"].clone()).collect();
    let known = [
        "this computer's network has changed",
        // The state between the two addresses.
        "this computer has no network connection to the server",
    ];
    assert!(known.iter().any(|cause| causes.contains(&(*cause).into())), "{causes:?}");

    // A cable is unplugged until the retries are far apart, and plugged in again.
    let before = target_events(&onair, 0).len();
    let earlier = onair.events().len();
    let pulled = Instant::now();
    elsewhere.set_up(false);
    onair.wait_event("what is wrong", |event| event["key"] == "target-no-network");
    let reported_after = pulled.elapsed();
    assert!(reported_after < Duration::from_millis(2_500), "{reported_after:?}");
    wait_for("the loss", LIMIT, || {
        target_events(&onair, before).iter().any(|event| event["state"] == "reconnecting")
    });
    // It is no slow connection, and no notice says that the stream continues over another network.
    let events: Vec<_> = onair.events().into_iter().skip(earlier).collect();
    let wrong = |it: &&Value| {
        let keys = ["bitrate-lowered", "target-silent", "target-timeout"];
        keys.iter().any(|key| it["key"] == *key)
            || it.to_string().contains("over the current network")
    };
    assert_eq!(events.iter().find(wrong), None);
    let lost = target_events(&onair, before).len();
    wait_for("some tries", LIMIT, || target_events(&onair, before).len() > lost + 3);
    let before = target_events(&onair, 0).len();
    elsewhere.set_up(true);
    wait_for("the server after the cable is back", LIMIT, || reached(&onair, before));
    wait_for("the stream after the cable is back", LIMIT * 2, || is_live(&onair, before));

    assert!(onair.stop(LIMIT).success());
    let why = std::fs::read_to_string(&why).unwrap();
    assert!(why.contains(&format!("Removed: {network}.2")), "{why}");
    assert!(why.contains(&format!("Added: {network}.3")), "{why}");
    assert!(known.iter().any(|cause| why.contains(cause)), "{why}");
    assert!(serve.stop(LIMIT).success());
}
