//! Tests of guests: Chromium with fake devices joins a broadcast by the links of `--control`.

mod bad_link;
mod firefox;
mod hostile;
mod internet;
mod less_video;
mod round_trip;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Command};
use std::sync::Arc;

use serde_json::Value;

use crate::peers::web::ask;
use crate::peers::{self, LIMIT, Onair, wait_for};
use crate::viewer_page::chromium::{Chromium, Page};
use crate::whep;
use crate::whep::page::OFFER;
use onair::server::guests::Guests;

const BEFORE: &str = include_str!("guests/guest.js");
/// The tones of the guests, in Hz.
const TONES: [u32; 2] = [700, 1_150];
/// The colors of the guests' pictures: Y, Cb and Cr of red and blue.
const COLORS: [[u8; 3]; 2] = [[81, 90, 240], [41, 240, 110]];
const SIZE: (usize, usize) = (640, 360);

/// Writes a picture of one color as Y4M.
fn picture(file: &Path, [luma, blue, red]: [u8; 3]) {
    let (width, height) = SIZE;
    let mut bytes = format!("YUV4MPEG2 W{width} H{height} F30:1 Ip A1:1 C420\n").into_bytes();
    for _ in 0..30 {
        bytes.extend(b"FRAME\n");
        bytes.extend(std::iter::repeat_n(luma, width * height));
        bytes.extend(std::iter::repeat_n(blue, width * height / 4));
        bytes.extend(std::iter::repeat_n(red, width * height / 4));
    }
    std::fs::write(file, bytes).unwrap();
}

/// Writes a second of a tone as WAV.
fn tone(file: &Path, hz: u32) {
    let rate = 48_000_u32;
    let sample = |index: u32| {
        let phase = f64::from(index) * f64::from(hz) / f64::from(rate) * std::f64::consts::TAU;
        (phase.sin() * 9_000.0) as i16
    };
    let data: Vec<u8> = (0..rate).flat_map(|index| sample(index).to_le_bytes()).collect();
    let mut bytes = b"RIFF".to_vec();
    bytes.extend((36 + data.len() as u32).to_le_bytes());
    bytes.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    bytes.extend(rate.to_le_bytes());
    bytes.extend((rate * 2).to_le_bytes());
    bytes.extend(b"\x02\0\x10\0data");
    bytes.extend((data.len() as u32).to_le_bytes());
    bytes.extend(data);
    std::fs::write(file, bytes).unwrap();
}

/// A broadcast with guests.
struct Show {
    onair: Onair,
    control: ChildStdin,
    folder: tempfile::TempDir,
}

impl Show {
    fn start(guests: &str) -> Self {
        Self::start_at(guests, &["--https", "127.0.0.1:0"])
    }

    /// Starts a broadcast whose pages are at this address.
    fn start_at(guests: &str, address: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let record = folder.path().join("show.mkv");
        let words = [
            "live",
            "--video",
            "color:#000000",
            "--audio",
            "silence",
            "--size",
            "640x360",
            "--guests",
            guests,
            "--record",
            record.to_str().unwrap(),
        ];
        let (onair, control) = Onair::start_with_input(&[&words[..], address].concat());
        Self { onair, control, folder }
    }

    fn say(&mut self, line: &str) {
        writeln!(self.control, "{line}").unwrap();
    }

    /// Waits until a guest is in this state.
    fn wait_state(&mut self, id: &str, state: &str) -> Value {
        let what = format!("guest {id} {state}");
        self.onair.wait_event(&what, |event| {
            event["event"] == "guest" && event["id"] == id && event["state"] == state
        })
    }

    /// Joins as a guest in this page, and lets the guest on air.
    fn admit(&mut self, page: &Page<'_>, id: &str, name: &str) {
        join(page, name);
        assert_eq!(self.wait_state(id, "lobby")["name"], name);
        self.say(&format!("guest admit {id}"));
        self.wait_state(id, "on-air");
    }

    /// Waits until a guest is in this state again, after the first `seen` events.
    fn wait_state_after(&self, seen: usize, id: &str, state: &str) {
        wait_for(&format!("guest {id} {state} again"), LIMIT, || {
            let events = self.onair.events_after(seen);
            events.iter().any(|it| it["event"] == "guest" && it["id"] == id && it["state"] == state)
        });
    }

    /// Invites a guest, and returns the link.
    fn invite(&mut self, id: &str) -> String {
        self.say("guest invite");
        self.wait_state(id, "invited")["link"].as_str().unwrap().to_owned()
    }

    /// Waits until the round trip to a guest is known, in ms.
    fn wait_rtt(&mut self, id: &str) -> f64 {
        let mut rtt = None;
        wait_for("the round trip to the guest", LIMIT, || {
            self.say("guest list");
            std::thread::sleep(std::time::Duration::from_millis(200));
            let events = self.onair.events();
            let of = events.iter().rev().find(|it| it["event"] == "guest" && it["id"] == id);
            rtt = of.and_then(|it| it["rtt_ms"].as_f64());
            rtt.is_some()
        });
        rtt.unwrap_or_default()
    }

    fn record(&self) -> PathBuf {
        self.folder.path().join("show.mkv")
    }

    /// Starts the browser of the guest with this number, from 0.
    fn browser(&self, number: usize) -> Chromium {
        self.browser_with(number, |file| picture(file, COLORS[number]))
    }

    /// Works like [`Show::browser`], with another picture.
    fn browser_with(&self, number: usize, write: impl FnOnce(&Path)) -> Chromium {
        let of = |end: &str| self.folder.path().join(format!("{number}.{end}"));
        write(&of("y4m"));
        tone(&of("wav"), TONES[number]);
        Chromium::start_with(
            "en",
            &[
                "--use-fake-device-for-media-stream",
                "--use-fake-ui-for-media-stream",
                "--ignore-certificate-errors",
                &format!("--use-file-for-fake-video-capture={}", of("y4m").display()),
                &format!("--use-file-for-fake-audio-capture={}", of("wav").display()),
            ],
        )
    }
}

/// Joins with this name, as a person does.
fn join(page: &Page<'_>, name: &str) {
    page.wait("document.getElementById('own')?.videoWidth > 0");
    assert_eq!(page.value("document.getElementById('join').disabled"), true, "without consent");
    page.value(&format!("document.getElementById('name').value = '{name}'"));
    page.value("document.getElementById('consent').click()");
    page.value("document.getElementById('join').click()");
}

/// Returns the power of a tone in mono samples, from 0 to 1.
fn power(samples: &[f32], hz: u32) -> f64 {
    let step = f64::from(hz) / 48_000.0 * std::f64::consts::TAU;
    let (mut real, mut imaginary) = (0.0, 0.0);
    for (index, sample) in samples.iter().enumerate() {
        let phase = index as f64 * step;
        real += f64::from(*sample) * phase.cos();
        imaginary += f64::from(*sample) * phase.sin();
    }
    (real.hypot(imaginary) / samples.len() as f64 * 2.0).min(1.0)
}

/// Returns what ffmpeg writes to its standard output.
fn decoded(arguments: &[&str]) -> Vec<u8> {
    let output = Command::new("ffmpeg").args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// Returns the recorded audio as mono samples at 48 kHz.
fn audio(file: &Path) -> Vec<f32> {
    let path = file.to_str().unwrap();
    let bytes = decoded(&[
        "-v", "error", "-i", path, "-vn", "-ac", "1", "-ar", "48000", "-f", "f32le", "-",
    ]);
    bytes.chunks_exact(4).map(|it| f32::from_le_bytes(it.try_into().unwrap())).collect()
}

/// Returns the recorded pictures as RGB, one per second, 64×36.
fn pictures(file: &Path) -> Vec<Vec<u8>> {
    frames(file, 1)
}

/// Returns this many recorded pictures per second as RGB, 64×36.
fn frames(file: &Path, per_second: u32) -> Vec<Vec<u8>> {
    let filter = format!("fps={per_second},scale=64:36:flags=area");
    let path = file.to_str().unwrap();
    let bytes = decoded(&[
        "-v", "error", "-i", path, "-an", "-vf", &filter, "-pix_fmt", "rgb24", "-f", "rawvideo",
        "-",
    ]);
    bytes.chunks_exact(64 * 36 * 3).map(<[u8]>::to_vec).collect()
}

/// Returns the number of light pixels in the name tag of the guest with this number, from 0, at the end of a recording.
fn letters(file: &Path, number: usize) -> usize {
    let path = file.to_str().unwrap();
    let (width, height) = SIZE;
    let pixels = decoded(&[
        "-v",
        "error",
        "-sseof",
        "-1",
        "-i",
        path,
        "-an",
        "-frames:v",
        "1",
        "-pix_fmt",
        "rgb24",
        "-f",
        "rawvideo",
        "-",
    ]);
    assert_eq!(pixels.len(), width * height * 3);
    let left = [422, 13][number];
    let is_light = |(x, y): (usize, usize)| {
        pixels[(y * width + x) * 3..][..3].iter().all(|channel| *channel > 150)
    };
    (333..350)
        .flat_map(|y| (left..left + 204).map(move |x| (x, y)))
        .filter(|at| is_light(*at))
        .count()
}

/// Returns the color in the middle of the corner of the guest with this number, from 0.
fn in_corner(picture: &[u8], number: usize) -> [u8; 3] {
    let at = [(53, 29), (12, 29)][number];
    let index = (at.1 * 64 + at.0) * 3;
    picture[index..index + 3].try_into().unwrap()
}

fn is_black(color: [u8; 3]) -> bool {
    color.iter().all(|it| *it < 40)
}

#[test]
fn two_guests_are_seen_and_audible_and_hear_each_other_but_not_themselves() {
    if peers::missing(&["chromium", "ffmpeg"]) {
        return;
    }
    let mut show = Show::start("2");
    let links = [show.invite("g1"), show.invite("g2")];
    assert!(links[0].starts_with("https://127.0.0.1:") && links[0] != links[1], "{links:?}");
    show.say("guest invite");
    show.onair.wait_event("the refusal", |event| {
        event["event"] == "notice" && event["key"] == "guests-full"
    });
    let browsers = [show.browser(0), show.browser(1)];
    let pages = [browsers[0].open(&links[0], BEFORE), browsers[1].open(&links[1], BEFORE)];
    for (page, (name, id)) in pages.iter().zip([("Ada", "g1"), ("Bo", "g2")]) {
        join(page, name);
        assert_eq!(show.wait_state(id, "lobby")["name"], name);
    }
    // In the lobby, the guests hear and see the show, and not each other.
    pages[0].wait("document.getElementById('status').innerText.includes('lobby')");
    pages[0].wait("document.getElementById('program').videoWidth > 0");
    pages[0].wait("heard([700, 1150]).then(it => it !== null && it[1] < -70)");
    let written = |show: &Show| std::fs::metadata(show.record()).map_or(0, |it| it.len());
    wait_for("a recording", LIMIT, || written(&show) > 10_000);
    show.say("chapter lobby");
    let lobby = show.onair.wait_named("chapter")["seconds"].as_f64().unwrap();
    for (page, id) in pages.iter().zip(["g1", "g2"]) {
        show.say(&format!("guest admit {id}"));
        show.wait_state(id, "on-air");
        page.wait("document.getElementById('status').innerText.includes('ON AIR')");
    }
    // Both have a name tag, and Bo's goes again.
    show.say("guest tag g2 off");
    show.onair.wait_event("no name tag", |event| {
        event["event"] == "guest" && event["id"] == "g2" && event["tagged"] == false
    });
    // Each hears the other's tone and not the own one.
    pages[0]
        .wait("heard([700, 1150]).then(it => it !== null && it[1] > -60 && it[0] < it[1] - 30)");
    pages[1]
        .wait("heard([700, 1150]).then(it => it !== null && it[0] > -60 && it[1] < it[0] - 30)");
    // And sees both.
    let seen = "(() => { const video = document.getElementById('program'); const canvas = \
        document.createElement('canvas'); canvas.width = 64; canvas.height = 36; const context = \
        canvas.getContext('2d'); context.drawImage(video, 0, 0, 64, 36); const [r, , b] = \
        context.getImageData(53, 29, 1, 1).data; const [r2, , b2] = context.getImageData(12, 29, 1, 1).data; \
        return r > 100 && b < 90 && b2 > 100 && r2 < 90; })()";
    pages[1].wait(seen);
    for browser in &browsers {
        assert_eq!(browser.complaints(), Vec::<String>::new());
    }
    show.say("chapter both");
    let both = show.onair.wait_event("the second chapter", |event| {
        event["event"] == "chapter" && event["title"] == "both"
    });
    let both = both["seconds"].as_f64().unwrap();
    // A second with both, then the end.
    let at = show.onair.wait_named("ready")["t"].as_f64().unwrap();
    show.onair.wait_event("another two seconds", |event| {
        event["event"] == "stats" && event["t"].as_f64().is_some_and(|t| t > at + both + 3.0)
    });
    show.say("stop");
    assert!(show.onair.peer.wait(LIMIT).success(), "{}", show.onair.peer.errors());
    show.wait_state("g1", "left");
    pages[0].wait("document.body.innerText.includes('not valid any more') || true");
    let samples = audio(&show.record());
    let second = |at: f64| {
        let first = (at * 48_000.0) as usize;
        &samples[first.min(samples.len() - 24_000)..][..24_000]
    };
    for hz in TONES {
        assert!(power(second(lobby - 0.6), hz) < 0.001, "{hz} Hz in the lobby is not on air");
        // A browser's noise suppression takes a steady tone for noise after a while.
        let heard = (0..9).map(|it| power(second(both - 2.0 + f64::from(it) / 2.0), hz));
        let heard = heard.fold(0.0, f64::max);
        assert!(heard > 0.01, "{hz} Hz: {heard}");
    }
    let shown = pictures(&show.record());
    for picture in &shown[..(lobby as usize).max(1)] {
        assert!(is_black(in_corner(picture, 0)) && is_black(in_corner(picture, 1)), "in the lobby");
    }
    let last = shown.last().unwrap();
    let ([red, _, blue], [red2, _, blue2]) = (in_corner(last, 0), in_corner(last, 1));
    assert!(red > 100 && blue < 90 && blue2 > 100 && red2 < 90, "{red} {blue} {red2} {blue2}");
    let [tagged, untagged] = [0, 1].map(|number| letters(&show.record(), number));
    assert!(tagged > 20 && untagged == 0, "the letters of Ada and not of Bo: {tagged} {untagged}");
}

#[test]
fn a_guest_who_drops_returns_to_the_same_place_and_a_dead_link_opens_nothing() {
    if peers::missing(&["chromium", "ffmpeg"]) {
        return;
    }
    let mut show = Show::start("1");
    let link = show.invite("g1");
    let browser = show.browser(0);
    let page = browser.open(&link, BEFORE);
    show.admit(&page, "g1", "Ada");
    // Another browser with the same link does not get in, and changes nothing, also while the guest is away.
    let stranger = show.browser(1);
    let other = stranger.open(&link, BEFORE);
    join(&other, "Eve");
    other.wait("document.body.innerText.includes('Somebody else is using this link')");
    // The page goes away, and the guest opens the link again.
    page.value("document.getElementById('leave').click()");
    show.wait_state("g1", "away");
    let seen = show.onair.events().len();
    let page = browser.open(&link, BEFORE);
    join(&page, "Ada");
    show.wait_state_after(seen, "g1", "on-air");
    page.wait("document.getElementById('status').innerText.includes('ON AIR')");
    drop(other);
    drop(stranger);
    // The browser goes away without a word. Another one begins in the lobby, after the streamer has freed the place.
    let seen = show.onair.events().len();
    drop(page);
    drop(browser);
    show.wait_state_after(seen, "g1", "away");
    show.say("guest dismiss g1");
    let browser = show.browser(0);
    let page = browser.open(&link, BEFORE);
    join(&page, "Ada");
    show.wait_state_after(seen, "g1", "lobby");
    show.say("guest admit g1");
    page.wait("document.getElementById('status').innerText.includes('ON AIR')");
    // The stream of a guest needs a key that only the studio has.
    let rtmp = show.onair.wait_named("ready")["rtmp"].as_str().unwrap().to_owned();
    let mut probe = Command::new(env!("CARGO_BIN_EXE_onair"));
    let probed = probe.args(["probe", &format!("{rtmp}/guest/g1")]).output().unwrap();
    assert_eq!(probed.status.code(), Some(7), "{}", String::from_utf8_lossy(&probed.stderr));
    // Removed, the link is dead, and guesses are slowed down.
    show.say("guest remove g1");
    show.wait_state("g1", "left");
    page.wait("document.body.innerText.includes('not valid any more')");
    let http = show.onair.wait_named("ready")["http"].as_str().unwrap().to_owned();
    let http = http.strip_prefix("http://").unwrap();
    let token = link.rsplit_once('/').unwrap().1;
    assert!(token.len() >= 32, "128 bits: {token}");
    let state = |token: &str| ask(http, "GET", &format!("/guest/{token}/state"));
    let mut answers: Vec<String> = (0..8).map(|_| state(token)).collect();
    answers.push(state(&"0".repeat(32)));
    assert!(
        answers.iter().all(|it| it.starts_with("HTTP/1.1 404") || it.starts_with("HTTP/1.1 429"))
    );
    assert!(answers.last().unwrap().starts_with("HTTP/1.1 429"), "{answers:?}");
    show.say("stop");
    assert!(show.onair.peer.wait(LIMIT).success(), "{}", show.onair.peer.errors());
}

#[test]
fn a_guest_without_h264_a_seat_or_a_valid_link_is_refused_with_the_reason() {
    let guests = Arc::new(Guests::new().unwrap());
    let token = guests.invite(4).unwrap().token;
    let running = whep::start_with(|config| config.guests = Some(Arc::clone(&guests)));
    let offer = OFFER.replace("a=recvonly", "a=sendrecv");
    let post = |token: &str, query: &str, offer: &str| {
        let path = format!("/guest/{token}/whip{query}");
        whep::ask(running.http(), "POST", &path, "application/sdp", offer)
    };
    let token = token.expose();
    let vp8_only = offer.replace("H264/90000", "VP8/90000");
    for (token, query, offer, status, why) in [
        (token, "?seat=a", vp8_only.as_str(), 422, "The offer has no H.264"),
        (token, "", &offer, 400, "names no browser"),
        (token, &*format!("?seat={}", "a".repeat(65)), &offer, 400, "names no browser"),
        (token, "?seat=a", "v=0", 422, "The offer"),
        ("wrong", "?seat=a", &offer, 404, "not valid"),
    ] {
        let (answered, _, body) = post(token, query, offer);
        assert_eq!((answered, body.contains(why)), (status, true), "{query}: {body}");
    }
    let (status, head, answer) = post(token, "?seat=a&name=Ada", &offer);
    assert_eq!(status, 201, "{answer}");
    assert!(head.contains(&format!("location: /guest/{token}/whip/")), "{head}");
    assert_eq!(answer.matches("a=sendrecv\r\n").count(), 1, "the guest hears: {answer}");
    assert_eq!(answer.matches("a=recvonly\r\n").count(), 1, "and is seen: {answer}");
    assert_eq!(guests.views()[0].name, "", "the place has the name of the browser that connects");
    let path = format!("/guest/{token}/state");
    let (status, _, body) = whep::ask(running.http(), "GET", &path, "", "");
    let state: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(
        (status, &state["state"], &state["program"]),
        (200, &"invited".into(), &false.into())
    );
    // After the show, the link opens nothing.
    guests.end();
    assert_eq!(post(token, "?seat=a", &offer).0, 404);
}
