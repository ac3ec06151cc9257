//! Viewers who await the same playlist through nginx at the same time.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};

use crate::caches::counter::Counter;
use crate::caches::{body, media};
use crate::peers::{self, LIMIT};

/// Sends this many requests for the playlist with the next but one segment of a stream. Returns the path, and the
/// connections.
#[track_caller]
fn await_playlist(port: u16, list: &str, viewers: usize) -> (String, Vec<TcpStream>) {
    let segment = media(&body(port, list)).end() + 1;
    let path = format!("{list}?_HLS_msn={segment}&_HLS_part=0");
    let request = format!("GET {path} HTTP/1.0\r\nHost: cache.example\r\n\r\n");
    let send = |_| {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
        stream.set_read_timeout(Some(LIMIT)).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        stream
    };
    let viewers = (0..viewers).map(send).collect();
    (path, viewers)
}

#[track_caller]
fn check_answer(mut viewer: TcpStream) {
    let mut answer = Vec::new();
    viewer.read_to_end(&mut answer).unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answer));
}

/// More viewers await one playlist than nginx allows for by default. Still, only one request
/// reaches the origin.
#[track_caller]
pub(super) fn check_crowd(port: u16, counter: &Counter) {
    const CROWD: usize = 1_100;
    let limits = fs::read_to_string("/proc/self/limits").unwrap();
    let files = limits.lines().find_map(|line| line.strip_prefix("Max open files")).unwrap();
    let files = files.split_whitespace().next().unwrap();
    if files.parse().is_ok_and(|files: usize| files < 2 * CROWD) {
        peers::skipped(&format!("{files} open files are too few for {CROWD} viewers"));
        return;
    }
    let (path, viewers) = await_playlist(port, "/live/show/hls/main.m3u8", CROWD);
    viewers.into_iter().for_each(check_answer);
    assert_eq!(counter.requests.lock().get(&path), Some(&1));
}

/// The viewers of an application of which the cache stores nothing do not wait for one another.
#[track_caller]
pub(super) fn check_restricted(port: u16, counter: &Counter) {
    let (path, viewers) = await_playlist(port, "/near/show/hls/main.m3u8", 20);
    for viewer in viewers {
        check_answer(viewer);
        // All requests are at the origin before the first answer.
        assert_eq!(counter.requests.lock().get(&path), Some(&20));
    }
}
