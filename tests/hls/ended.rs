//! Tests of a live playlist that ends, of the broadcast that follows it, and of a buffer that the
//! user changes during playback of a playlist.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use onair::player::{Config, State, WAITING_MESSAGE_ID};
use parking_lot::Mutex;

use super::{CODE, PICTURE, TONE, ffmpeg};
use crate::peers::{self, LIMIT, web};
use crate::watch::{Watching, config, play};

/// Segments, each one second long, that exist when a broadcast begins.
const AHEAD: usize = 8;

/// An origin of `/live.m3u8`. Its segments appear in real time, and then the broadcast ends.
pub(super) struct Origin {
    port: u16,
    since: Arc<Mutex<Instant>>,
}

impl Origin {
    pub(super) fn start(folder: &Path, seconds: usize, kind: &str) -> Self {
        let time = seconds.to_string();
        let hls = ["-t", &time, "-f", "hls", "-hls_time", "1", "-hls_list_size", "0"];
        let kinds = ["-hls_segment_type", kind, "-hls_fmp4_init_filename", "init.mp4", "x.m3u8"];
        ffmpeg(folder, &[&PICTURE, &TONE, &CODE, &hls, &kinds]).wait_success(LIMIT);
        let ending = if kind == "fmp4" { "m4s" } else { "ts" };
        let file = |at| fs::read(folder.join(format!("x{at}.{ending}"))).unwrap();
        let segments: Vec<Vec<u8>> = (0..seconds).map(file).collect();
        let map = fs::read(folder.join("init.mp4")).ok();
        let since = Arc::new(Mutex::new(Instant::now()));
        let began = Arc::clone(&since);
        let port = web::canned(move |head, socket| {
            let path = head.split(' ').nth(1).unwrap_or_default();
            let there = AHEAD + began.lock().elapsed().as_secs() as usize;
            let there = there.min(segments.len());
            let name = path.trim_start_matches("/s").trim_end_matches(".ts");
            let body = match name.parse::<usize>() {
                _ if path == "/init.mp4" => map.clone().unwrap_or_default(),
                Ok(number) => segments[..there].get(number).cloned().unwrap_or_default(),
                Err(_) => {
                    let mut text = String::from("#EXTM3U\n#EXT-X-TARGETDURATION:1\n");
                    if map.is_some() {
                        text.push_str("#EXT-X-MAP:URI=\"init.mp4\"\n");
                    }
                    for number in 0..there {
                        let _ = writeln!(text, "#EXTINF:1,\ns{number}.ts");
                    }
                    if there == segments.len() {
                        text.push_str("#EXT-X-ENDLIST\n");
                    }
                    text.into_bytes()
                }
            };
            let status = if body.is_empty() { "404 No" } else { "200 OK" };
            let length = body.len();
            let head = format!(
                "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
            );
            let _ = socket.write_all(head.as_bytes());
            let _ = socket.write_all(&body);
        });
        Self { port, since }
    }

    /// Begins the broadcast.
    pub(super) fn begin(&self) {
        *self.since.lock() = Instant::now();
    }

    pub(super) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/live.m3u8", self.port)
    }
}

#[test]
fn an_ended_list_is_an_end_and_who_is_patient_sees_the_next_broadcast() {
    peers::in_real_time!(an_ended_list_is_an_end_and_who_is_patient_sees_the_next_broadcast);
    peers::require!("ffmpeg");
    let folder = tempfile::tempdir().unwrap();
    let origin = Origin::start(folder.path(), 16, "mpegts");
    // Without `patient`, the player ends when the broadcast ends, and shows everything after its
    // starting point.
    origin.begin();
    let outcome = play(&config(&origin.url()), |_| false);
    assert_eq!((&outcome.state, outcome.figures.reconnects), (&State::Ended, 0));
    assert!(outcome.figures.shown >= 6 * 25, "{:?}", outcome.figures);

    origin.begin();
    let patient = Watching::start(&Config { patient: true, ..config(&origin.url()) });
    let waits = |it: &Watching| {
        let state = it.player.state();
        matches!(state, State::Reconnecting { cause, .. } if cause.id() == WAITING_MESSAGE_ID)
    };
    patient.wait("its end", waits);
    // While the player waits for the next broadcast, it shows the frames that are already decoded.
    patient.wait("another look", |it| it.player.figures().reconnects >= 2);
    let first = patient.shown();
    assert!(first >= 6 * 25, "the end is not shown: {first}");
    // The ended playlist is still there, and the player does not play it again.
    patient.wait("two more looks", |it| it.player.figures().reconnects >= 4);
    assert!(waits(&patient) && patient.shown() == first, "{:?}", patient.player.state());
    assert_eq!(patient.player.duration(), None);
    origin.begin();
    patient.wait("the next broadcast", |it| {
        it.player.state() == State::Playing && it.shown() > first + 50
    });
    patient.wait("its end too", waits);
    patient.wait("another look", |it| it.player.figures().reconnects >= 6);
    // The player finds the new broadcast within three seconds, and joins it three segments before
    // its current end.
    assert!(patient.shown() >= first + 6 * 25, "{} {first}", patient.shown());
    patient.end();
}

#[test]
fn a_buffer_that_is_changed_moves_the_playing_in_a_list() {
    peers::require!("ffmpeg");
    let folder = tempfile::tempdir().unwrap();
    let origin = Origin::start(folder.path(), 60, "mpegts");
    origin.begin();
    let watching = Watching::start(&config(&origin.url()));
    let buffer = |it: &Watching| it.player.figures().buffer;
    watching.wait("three segments", |it| it.shown() > 25 && buffer(it) < Duration::from_secs(4));
    watching.player.set_buffer(Some(Duration::from_secs(8)));
    watching.wait("eight seconds", |it| buffer(it) > Duration::from_millis(6_500));
    let before = watching.player.figures();
    watching.player.set_buffer(None);
    watching.wait("the server's own", |it| buffer(it) < Duration::from_millis(4_500));
    let after = watching.player.figures();
    assert_eq!(before.reconnects + after.reconnects, 0, "it goes there by itself");
    watching.end();
}

#[test]
fn a_live_list_of_whole_segments_of_mp4_is_followed_to_its_end() {
    peers::in_real_time!(a_live_list_of_whole_segments_of_mp4_is_followed_to_its_end);
    peers::require!("ffmpeg");
    let folder = tempfile::tempdir().unwrap();
    let origin = Origin::start(folder.path(), 12, "fmp4");
    origin.begin();
    let outcome = play(&config(&origin.url()), |_| false);
    let figures = &outcome.figures;
    assert_eq!((&outcome.state, figures.reconnects, figures.damaged), (&State::Ended, 0, 0));
    // The player joined three segments before the end of the eight that existed.
    assert!(figures.shown >= 6 * 25 && figures.audio_samples > 6 * 48_000, "{figures:?}");
}
