//! A link that halves and recovers: the bitrate follows. The test prints after how long.

use std::fs;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::{listen, live};
use crate::peers::{self, LIMIT, Onair, wait_for};
use crate::whep::relay::{Network, Relay};

/// The bitrate of the video in bits per second, and the rates of the link. The stream also has
/// audio, and the headers of the transport stream and of SRT.
const BITRATE: u64 = 1_500_000;
const WHOLE_LINK: u64 = 2_200_000;
const HALF_LINK: u64 = WHOLE_LINK / 2;
/// The wait for a change, which is generous for a busy computer. The unit test of the adapter has
/// the real limits, on a simulated clock.
const CHANGE_LIMIT: Duration = Duration::from_secs(40);

/// Waits until the allowed bitrate is in this range, and returns how long that took.
fn wait_bitrate(onair: &mut Onair, what: &str, is_wanted: impl Fn(u64) -> bool) -> Duration {
    let begun = Instant::now();
    wait_for(what, CHANGE_LIMIT, || {
        let events = onair.events();
        let last = events.iter().rev().find(|event| event["event"] == "stats");
        let allowed = |event: &Value| event["video"]["allowed_bitrate"].as_u64();
        last.and_then(allowed).is_some_and(&is_wanted)
    });
    begun.elapsed()
}

#[test]
fn the_bitrate_follows_a_link_that_halves_and_is_back_when_it_recovers() {
    peers::in_real_time!(the_bitrate_follows_a_link_that_halves_and_is_back_when_it_recovers);
    peers::require!("ffmpeg");
    let folder = tempfile::tempdir().unwrap();
    let (port, file) = (peers::free_port(), folder.path().join("received.ts"));
    let mut receiver = listen(port, "", &file);
    let network = Network { delay: Duration::from_millis(10), loss: None };
    let relay = Relay::start(([127, 0, 0, 1], port).into(), network);
    relay.set_rate_there(WHOLE_LINK);
    let url = format!("srt://127.0.0.1:{}", relay.port);
    let mut onair = live(&url, &["--min-video-bitrate", "200k"]);
    onair.wait_event("the target", |event| event["state"] == "live");
    wait_for("some seconds", LIMIT, || fs::metadata(&file).is_ok_and(|file| file.len() > 800_000));
    wait_bitrate(&mut onair, "the whole bitrate", |rate| rate == BITRATE);
    relay.set_rate_there(HALF_LINK);
    let lowered = wait_bitrate(&mut onair, "a lower bitrate", |rate| rate < HALF_LINK);
    // The reduced stream passes for a while.
    let begun = Instant::now();
    wait_for("some time at half the rate", LIMIT, || begun.elapsed() > Duration::from_secs(8));
    relay.set_rate_there(0);
    let raised = wait_bitrate(&mut onair, "the bitrate again", |rate| rate >= BITRATE * 9 / 10);
    println!("lowered after {lowered:.1?}, back after {raised:.1?}");
    onair.stop(LIMIT);
    receiver.wait(LIMIT);
    let stats = onair.events();
    let last = stats.iter().rev().find(|event| event["event"] == "stats").unwrap();
    assert_eq!(last["targets"][0]["reconnects"], 0, "{last}");
}
