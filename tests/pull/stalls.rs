//! Tests of servers that stall in the middle of a stream, or send messages but never media.

use std::fs;
use std::io::Write;
use std::net::TcpStream;
use std::thread;
use std::time::Duration;

use onair::player::{Config, Event, FailureKind, State};
use onair::wire::container::flv;
use onair::wire::container::flv::{Demuxer, TagKind};

use super::make;
use crate::peers::{self, web};
use crate::watch::{Outcome, config, play};

/// How a server behaves after the first half of a recording.
#[derive(Copy, Clone, PartialEq, Eq)]
enum Habit {
    /// Sends nothing more, but answers requests for the rest.
    Stalls,
    /// Closes the connection, but answers requests for the rest.
    HangsUp,
    /// Sends nothing more, and does not support requests for the rest.
    StallsForGood,
}

/// Longer than any player waits.
const SILENCE: Duration = Duration::from_secs(40);

fn recording(data: Vec<u8>, habit: Habit) -> String {
    let port = web::canned(move |head, socket| {
        let range = head.lines().find_map(|line| line.strip_prefix("Range: bytes="));
        let from = range.and_then(|range| range.split_once('-')?.0.parse::<usize>().ok());
        match from.filter(|_| habit != Habit::StallsForGood) {
            Some(from) => {
                let (rest, whole) = (data.len() - from, data.len());
                let _ = write!(
                    socket,
                    "HTTP/1.1 206 Partial\r\nContent-Length: {rest}\r\n\
                     Content-Range: bytes {from}-{}/{whole}\r\n\r\n",
                    whole - 1
                );
                let _ = socket.write_all(&data[from..]);
            }
            None => {
                let _ = write!(socket, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", data.len());
                let _ = socket.write_all(&data[..data.len() / 2]);
                if habit != Habit::HangsUp {
                    thread::sleep(SILENCE);
                }
            }
        }
    });
    format!("http://127.0.0.1:{port}/a.flv")
}

fn losses_of(outcome: &Outcome) -> Vec<String> {
    let losses = outcome.events.iter().filter_map(|event| match event {
        Event::State(State::Reconnecting { cause, .. }) => Some(cause.to_string()),
        _ => None,
    });
    losses.collect()
}

#[test]
fn recordings_that_stall_or_break_off_go_on_where_they_were() {
    peers::require!("ffmpeg");
    let folder = tempfile::tempdir().unwrap();
    make(folder.path(), "a.flv", "6");
    let data = fs::read(folder.path().join("a.flv")).unwrap();
    let runs = [Habit::Stalls, Habit::HangsUp, Habit::StallsForGood].map(|habit| {
        let url = recording(data.clone(), habit);
        (habit, thread::spawn(move || play(&config(&url), |_| false)))
    });
    for (habit, run) in runs {
        let outcome = run.join().unwrap();
        let losses = losses_of(&outcome);
        if habit != Habit::HangsUp {
            assert!(losses[0].contains("no data for 10 s"), "{losses:?}");
        }
        assert_eq!(losses.len(), 1, "{losses:?}");
        if habit == Habit::StallsForGood {
            let failure = outcome.failure();
            assert_eq!(failure.kind, FailureKind::Lost, "{failure:?}");
            assert!(failure.to_string().contains("cannot resume at that position"), "{failure:?}");
            continue;
        }
        assert_eq!(outcome.state, State::Ended);
        let figures = &outcome.figures;
        // Every frame is decoded once: none is missing, and none is repeated.
        assert_eq!((figures.decoded, figures.damaged), (150, 0), "{figures:?}");
        assert_eq!(figures.reconnects, 1);
    }
}

/// Sends script data five times a second, without video or audio.
fn chatter(socket: &mut TcpStream) {
    loop {
        let mut out = bytes::BytesMut::new();
        flv::write_tag(TagKind::Script, 0, b"\x02\0\x0aonTextData\x02\0\x02hi", &mut out);
        if socket.write_all(&out).is_err() {
            return;
        }
        thread::sleep(Duration::from_millis(200));
    }
}

#[test]
fn a_chat_hides_no_stall_and_no_missing_stream() {
    peers::require!("ffmpeg");
    let folder = tempfile::tempdir().unwrap();
    make(folder.path(), "a.flv", "2");
    let data = fs::read(folder.path().join("a.flv")).unwrap();
    let serve = |data: Vec<u8>| {
        let port = web::canned(move |_, socket| {
            let _ = socket.write_all(b"HTTP/1.1 200 OK\r\n\r\n");
            let _ = socket.write_all(&data);
            chatter(socket);
        });
        format!("http://127.0.0.1:{port}/a.flv")
    };
    // One case sends a complete file before the chat, and the other one sends only the FLV header.
    let mut whole = Demuxer::new();
    whole.push(&data);
    assert!(std::iter::from_fn(|| whole.next_tag().unwrap()).count() > 60);
    let cases = [
        (data, FailureKind::Lost),
        (flv::file_header(true, true).to_vec(), FailureKind::NoSuchStream),
    ];
    let runs = cases.map(|(data, kind)| {
        let url = serve(data);
        let config = Config { reconnect: false, ..config(&url) };
        (kind, thread::spawn(move || play(&config, |_| false)))
    });
    for (kind, run) in runs {
        let outcome = run.join().unwrap();
        let failure = outcome.failure();
        assert_eq!(failure.kind, kind, "{failure:?}");
        assert!(failure.to_string().contains("10 s"), "{failure:?}");
    }
}
