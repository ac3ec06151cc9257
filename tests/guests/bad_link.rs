//! A guest on a bad link: 60 ms and 3 % of loss in each direction, and a moment without any datagram.

use std::fs;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use crate::guests::{BEFORE, SIZE, Show, TONES, audio, frames, in_corner, power};
use crate::peers::{self, LIMIT};
use crate::whep::relay::{Network, Relay};

const THROUGH_RELAY: &str = include_str!("bad_link.js");
const BAD: Network = Network { delay: Duration::from_millis(60), loss: Some(33) };
/// Pictures per second in which the recording is looked at.
const LOOKS_PER_SECOND: u32 = 10;
/// The longest still picture after the moment without datagrams, in looks. The goal is one second on an idle computer.
const MAX_FROZEN: usize = 30;

/// Writes a picture whose brightness changes with every frame.
fn moving_picture(file: &Path) {
    let (width, height) = SIZE;
    let mut bytes = format!("YUV4MPEG2 W{width} H{height} F30:1 Ip A1:1 C420\n").into_bytes();
    for frame in 0..30_u8 {
        bytes.extend(b"FRAME\n");
        bytes.extend(std::iter::repeat_n(50 + 5 * frame, width * height));
        bytes.extend(std::iter::repeat_n(128, width * height / 2));
    }
    fs::write(file, bytes).unwrap();
}

/// Waits until the show is some seconds longer.
fn go_on(show: &mut Show, seconds: f64) {
    let time = |event: &Value| event["t"].as_f64().unwrap_or_default();
    let until = show.onair.events().last().map_or(0.0, time) + seconds;
    let is_then = |event: &Value| event["event"] == "stats" && time(event) >= until;
    show.onair.wait_event("a longer show", is_then);
}

#[test]
fn a_guest_on_a_bad_link_is_understood_and_the_video_returns() {
    if peers::missing(&["chromium", "ffmpeg"]) {
        return;
    }
    let mut show = Show::start("1");
    let link = show.invite("g1");
    let studio = show.onair.wait_named("ready")["webrtc"].as_str().unwrap().to_owned();
    let relay = Relay::start(studio.parse().unwrap(), BAD);
    let port = studio.rsplit(':').next().unwrap();
    let ports = format!("['{port}', '{}']", relay.port);
    let browser = show.browser_with(0, moving_picture);
    let before = format!("{BEFORE}\n{}", THROUGH_RELAY.replace("= RELAY;", &format!("= {ports};")));
    let page = browser.open(&link, &before);
    show.admit(&page, "g1", "Ada");
    let rtt = show.wait_rtt("g1");
    // The first seconds are those of an estimate of the bandwidth.
    go_on(&mut show, 12.0);
    relay.set_cut(true);
    std::thread::sleep(Duration::from_millis(800));
    relay.set_cut(false);
    go_on(&mut show, 8.0);
    show.say("stop");
    assert!(show.onair.peer.wait(LIMIT).success(), "{}", show.onair.peer.errors());
    let samples = audio(&show.record());
    let end = &samples[samples.len().saturating_sub(15 * 48_000)..];
    let parts: Vec<f64> = end.chunks_exact(9_600).map(|it| power(it, TONES[0])).collect();
    let heard = parts.iter().filter(|it| **it > 0.01).count();
    let shown = frames(&show.record(), LOOKS_PER_SECOND);
    let light: Vec<i32> = shown.iter().map(|it| i32::from(in_corner(it, 0)[1])).collect();
    let light = &light[light.len().saturating_sub(150)..];
    let (mut frozen, mut longest, mut still) = (0, 0, 0);
    for pair in light.windows(2) {
        let is_still = (pair[0] - pair[1]).abs() <= 1;
        frozen = if is_still { frozen + 1 } else { 0 };
        still += usize::from(is_still);
        longest = longest.max(frozen);
    }
    eprintln!(
        "round trip {rtt} ms, heard in {heard} of {} fifths of a second, still for {longest} tenths, \
         {still} of {} looks still",
        parts.len(),
        light.len(),
    );
    assert!(rtt >= 120.0, "the media goes through the relay: {rtt} ms");
    assert!(heard * 10 >= parts.len() * 8, "heard in {heard} of {}: {parts:?}", parts.len());
    assert!(longest <= MAX_FROZEN, "still for {longest} tenths of a second: {light:?}");
}
