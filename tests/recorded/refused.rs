//! Tests of web servers that stop serving a recording halfway. If the file is gone or has changed,
//! playback ends at once with a message. After other answers, the player retries a limited number
//! of times.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use crate::peers::{self, ffmpeg, web};
use crate::watch::{Outcome, config, cure, play};
use onair::player::{Event, FailureKind, State};

/// The number of frames in each recording.
const PICTURES: u64 = 100;

/// A header line that identifies the version of a file.
type Mark = &'static str;

/// How the server answers requests for parts in the middle.
#[derive(Copy, Clone, Debug)]
enum Does {
    /// Sends this status without a body this many times, and afterwards correct parts.
    Says(u32, &'static str),
    /// Sends the whole file.
    Whole,
    /// Sends the part as one of a file with this version, which has this many more bytes.
    Part(Mark, usize),
}

/// Serves a file. The first response breaks off after a third. Requests near the end get a correct
/// answer, and all others are answered as in `does`. `mark` is the version in the correct answers.
fn serve(file: &Arc<Vec<u8>>, mark: Mark, does: Does) -> String {
    let (file, asked) = (Arc::clone(file), AtomicU32::new(0));
    let port = web::canned(move |head, socket| {
        let whole = file.len();
        let span = head.split("Range: bytes=").nth(1).and_then(|span| span.lines().next());
        let part = |from: usize, last: usize, mark: Mark, more: usize| {
            let range = format!("Content-Range: bytes {from}-{last}/{}", whole + more);
            let length = last + 1 - from;
            let head =
                format!("HTTP/1.1 206 x\r\n{range}\r\n{mark}Content-Length: {length}\r\n\r\n");
            [head.as_bytes(), &file[from..=last]].concat()
        };
        let all = |come: usize| {
            let head = format!("HTTP/1.1 200 OK\r\n{mark}Content-Length: {whole}\r\n\r\n");
            [head.as_bytes(), &file[..come]].concat()
        };
        let answer = match span.and_then(|span| span.split_once('-')) {
            None => all(whole / 3),
            Some((from, last)) => {
                let (from, last): (usize, usize) = (from.parse().unwrap(), last.parse().unwrap());
                let times = || asked.fetch_add(1, Ordering::Relaxed);
                match does {
                    // The player reads the end of the file to find out its duration.
                    _ if from > whole / 4 * 3 && from > whole.saturating_sub(200_000) => {
                        part(from, last, mark, 0)
                    }
                    Does::Says(most, status) if times() < most => {
                        format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n").into_bytes()
                    }
                    Does::Says(..) => part(from, last, mark, 0),
                    Does::Whole => all(whole),
                    Does::Part(mark, more) => part(from, last, mark, more),
                }
            }
        };
        // The client may have closed the connection.
        let _ = socket.write_all(&answer);
    });
    format!("http://127.0.0.1:{port}/film")
}

/// Makes a recording of four seconds with a constant bitrate.
fn make(folder: &Path, name: &str) -> Arc<Vec<u8>> {
    let path = folder.join(name);
    let options = ["-g", "25", "-b:v", "4M", "-minrate", "4M", "-maxrate", "4M", "-bufsize", "1M"];
    let steady = ["-x264-params", "nal-hrd=cbr:force-cfr=1"];
    let front = if name.ends_with("mp4") { &["-movflags", "+faststart"][..] } else { &[] };
    ffmpeg::make(&path, "320x180", "4", &[&options[..], &steady, front].concat());
    Arc::new(std::fs::read(path).unwrap())
}

/// Returns how often the player tried again.
fn tries(outcome: &Outcome) -> usize {
    let lost = |event: &&Event| matches!(event, Event::State(State::Reconnecting { .. }));
    outcome.events.iter().filter(lost).count()
}

/// Plays all cases at the same time.
fn play_all<T: Send + 'static>(cases: Vec<(T, String)>) -> Vec<(T, Outcome)> {
    let runs = cases
        .into_iter()
        .map(|(case, url)| (case, thread::spawn(move || play(&config(&url), |_| false))));
    let runs: Vec<_> = runs.collect();
    runs.into_iter().map(|(case, run)| (case, run.join().unwrap())).collect()
}

const FORMATS: [&str; 4] = ["a.flv", "a.ts", "a.mp4", "a.mkv"];
const GONE: &str = "the recording is no longer on the server";
const NO_REST: &str = "the server refused to send the rest of the recording";

#[test]
fn what_is_gone_in_the_middle_ends_at_once_and_other_answers_after_some_tries() {
    peers::require!("ffmpeg");
    let folder = tempfile::tempdir().unwrap();
    let files = FORMATS.map(|name| (name, make(folder.path(), name)));
    let does = [
        (Does::Says(u32::MAX, "404 x"), GONE, 0),
        (Does::Says(u32::MAX, "410 x"), GONE, 0),
        (Does::Says(u32::MAX, "403 x"), NO_REST, 4),
        (Does::Whole, NO_REST, 4),
    ];
    let cases = files.iter().flat_map(|(name, file)| {
        let case = move |(does, words, most)| ((*name, does, words, most), serve(file, "", does));
        does.map(case)
    });
    for ((name, does, words, most), outcome) in play_all(cases.collect()) {
        let failure = outcome.failure();
        assert_eq!(failure.kind, FailureKind::Lost, "{name} {does:?}: {failure:?}");
        assert!(failure.to_string().starts_with(words), "{name} {does:?}: {failure:?}");
        assert!(!cure(failure).is_empty(), "{name} {does:?}: {failure:?}");
        // The broken first response counts as one more try for FLV and TS. The player reads the
        // other formats in separate parts.
        let broke_off = usize::from(["a.flv", "a.ts"].contains(&name));
        assert_eq!(tries(&outcome), most + broke_off, "{name} {does:?}");
    }
}

#[test]
fn a_server_that_cannot_for_a_moment_is_asked_until_it_can() {
    peers::require!("ffmpeg");
    let folder = tempfile::tempdir().unwrap();
    // More often than onair retries after a 403.
    let does = Does::Says(7, "503 x");
    let cases = FORMATS.map(|name| (name, serve(&make(folder.path(), name), "", does)));
    for (name, outcome) in play_all(cases.into()) {
        assert_eq!(outcome.state, State::Ended, "{name}: {:?}", outcome.events);
        // Every frame is decoded once: none is missing, and none is repeated.
        let figures = &outcome.figures;
        assert_eq!((figures.decoded, figures.damaged), (PICTURES, 0), "{name}: {figures:?}");
        assert!(tries(&outcome) >= 3, "{name}: {:?}", outcome.events);
    }
}

#[test]
fn the_rest_of_a_file_is_not_taken_from_another_one() {
    peers::require!("ffmpeg");
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = ("ETag: \"one\"\r\n", "ETag: \"two\"\r\n");
    let early = "Last-Modified: Mon, 01 Jan 2024 10:00:00 GMT\r\n";
    let late = "Last-Modified: Mon, 01 Jan 2024 10:00:01 GMT\r\n";
    let marks = [
        (one, one, 0, true),
        (early, early, 0, true),
        // A response that does not identify its version is accepted.
        (one, "", 0, true),
        (one, two, 0, false),
        (early, late, 0, false),
        ("", "", 1_000, false),
    ];
    let files = FORMATS.map(|name| (name, make(folder.path(), name)));
    let cases = files.iter().flat_map(|(name, file)| {
        marks.map(|(mark, then, more, same)| {
            ((*name, mark, then, same), serve(file, mark, Does::Part(then, more)))
        })
    });
    for ((name, mark, then, same), outcome) in play_all(cases.collect()) {
        if same {
            assert_eq!(outcome.state, State::Ended, "{name} {mark} {then}: {:?}", outcome.events);
            assert_eq!(outcome.figures.decoded, PICTURES, "{name} {mark} {then}");
            continue;
        }
        let failure = outcome.failure();
        assert_eq!(failure.kind, FailureKind::Lost, "{name} {mark} {then}: {failure:?}");
        let words = "the file on the server changed during playback";
        assert_eq!(failure.to_string(), words, "{name} {mark} {then}");
        assert!(tries(&outcome) <= 1, "{name} {mark} {then}: {:?}", outcome.events);
    }
}
