//! Tests of passthrough to a server that starts late, and of a server, link or onair that stalls
//! for a few seconds. The whole file must arrive, because a file has no live edge to keep up with.
//! onair counts and reports the packets that do not arrive.

use std::path::{Path, PathBuf};
use std::time::Duration;

use onair::wire::container::flv::{Demuxer, TagKind, file_header, write_tag};

use crate::peers::throttle::Throttle;
use crate::peers::{self, LIMIT, Onair, free_port, wait_for};

const PICTURES: usize = 120;
/// Size of a frame in bytes. Three seconds of such frames exceed the socket buffers of both
/// systems.
const SIZE: usize = 60_000;
/// Length of a stall: longer than the time that a viewer of a live stream has to wait, and shorter
/// than the time after which onair reconnects. The stall itself is tested, so there is no state to
/// wait for.
const STALL: Duration = Duration::from_secs(3);

/// Writes a file with four seconds of pretended AV1. Each frame contains its number; every
/// `apart`th frame is a keyframe.
fn film(folder: &Path, apart: usize) -> PathBuf {
    let mut out = bytes::BytesMut::from(&file_header(false, true)[..]);
    write_tag(TagKind::Video, 0, b"\x90av01\x81\0\0\0", &mut out);
    for number in 0..PICTURES {
        let mut body = vec![if number % apart == 0 { 0x91 } else { 0xA1 }];
        body.extend(b"av01");
        body.resize(SIZE, number as u8);
        write_tag(TagKind::Video, number as u32 * 33, &body, &mut out);
    }
    let path = folder.join("film.flv");
    std::fs::write(&path, &out).unwrap();
    path
}

/// Starts a server that records into this folder. Returns it with its RTMP port.
fn server(port: u16, into: &Path) -> (Onair, u16) {
    let address = format!("127.0.0.1:{port}");
    let words = ["serve", "--http", "127.0.0.1:0", "--record", into.to_str().unwrap()];
    let mut onair = Onair::start(&[&words[..], &["--rtmp", &address]].concat());
    let base = onair.wait_named("ready")["rtmp"].as_str().unwrap().to_owned();
    (onair, base.rsplit(':').next().unwrap().parse().unwrap())
}

/// Returns the numbers of the frames in the server's recording of a stream that has ended.
fn kept(server: &Onair, stream: &str) -> Vec<usize> {
    let find = || {
        server.events().into_iter().find(|it| {
            it["event"] == "recording" && it["state"] == "finished" && it["stream"] == stream
        })
    };
    wait_for("the recording", LIMIT, || find().is_some());
    let path = PathBuf::from(find().unwrap()["path"].as_str().unwrap());
    let mut demuxer = Demuxer::new();
    demuxer.push(&std::fs::read(path).unwrap());
    let mut numbers = Vec::new();
    while let Some(tag) = demuxer.next_tag().unwrap() {
        if tag.kind == TagKind::Video && tag.body.len() == SIZE {
            numbers.push(usize::from(*tag.body.last().unwrap()));
        }
    }
    numbers
}

/// Sends the file unencoded to a server on this port.
fn copy(file: &Path, port: u16, stream: &str, more: &[&str]) -> Onair {
    let url = format!("rtmp://127.0.0.1:{port}/live/{stream}");
    let words = ["live", "--copy", file.to_str().unwrap(), "--to", &url];
    Onair::start(&[&words[..], more].concat())
}

/// Waits until more than 10 frames of the file have been sent.
fn wait_under_way(live: &mut Onair) {
    live.wait_event("pictures", |event| {
        event["event"] == "stats" && event["targets"][0]["sent_frames"].as_u64() > Some(10)
    });
}

/// Waits for the end of the file, and returns the figures of the target.
fn ended(live: &mut Onair) -> serde_json::Value {
    assert_eq!(live.peer.wait(LIMIT).code(), Some(0), "{}", live.peer.output());
    let target = live.wait_named("summary")["targets"][0].clone();
    let count = |name: &str| target[name].as_u64().unwrap();
    assert_eq!(count("sent_frames") + count("dropped_frames"), PICTURES as u64, "{target}");
    target
}

fn is_whole(live: &mut Onair, server: &Onair, stream: &str) {
    let target = ended(live);
    assert_eq!(target["dropped_frames"], 0, "{target}");
    assert_eq!(kept(server, stream), (0..PICTURES).collect::<Vec<_>>());
    assert!(!live.events().iter().any(|event| event["key"] == "passthrough-left-out"));
}

#[test]
fn a_server_that_comes_late_gets_a_file_from_its_beginning() {
    let folder = tempfile::tempdir().unwrap();
    let file = film(folder.path(), 30);
    let port = free_port();
    let mut at_once = copy(&file, port, "at-once", &[]);
    let mut delayed = copy(&file, port, "delayed", &["--delay", "1s"]);
    // After this many tries, more time has passed than the file lasts.
    for live in [&mut at_once, &mut delayed] {
        let tries = |live: &Onair| {
            live.events().iter().filter(|event| event["retry_in"].as_f64().is_some()).count()
        };
        wait_for("the tries", LIMIT, || tries(live) >= 5);
    }
    let (mut server, _) = server(port, folder.path());
    is_whole(&mut at_once, &server, "at-once");
    is_whole(&mut delayed, &server, "delayed");
    assert!(server.stop(LIMIT).success());
}

#[test]
fn a_target_that_cannot_be_reached_holds_no_other_one_up() {
    let folder = tempfile::tempdir().unwrap();
    let file = film(folder.path(), 30);
    let (mut server, port) = server(0, folder.path());
    let nobody = format!("rtmp://127.0.0.1:{}/live/film", free_port());
    let mut live = copy(&file, port, "film", &["--to", &nobody]);
    live.wait_event("the end at one of them", |event| {
        event["event"] == "target" && event["state"] == "stopped"
    });
    assert_eq!(kept(&server, "film"), (0..PICTURES).collect::<Vec<_>>());
    live.stop(LIMIT);
    assert!(server.stop(LIMIT).success());
}

#[test]
fn a_program_that_stalls_midway_sends_all_of_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = film(folder.path(), 30);
    let (mut server, port) = server(0, folder.path());
    let mut live = copy(&file, port, "film", &[]);
    wait_under_way(&mut live);
    live.peer.signal("STOP");
    std::thread::sleep(STALL);
    live.peer.signal("CONT");
    is_whole(&mut live, &server, "film");
    assert!(server.stop(LIMIT).success());
}

#[test]
fn a_link_or_a_server_that_stalls_midway_gets_all_of_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = film(folder.path(), 30);
    let (mut server, port) = server(0, folder.path());
    let link = Throttle::start(port, 1_000_000_000);
    let mut live = copy(&file, link.port, "link", &[]);
    wait_under_way(&mut live);
    link.set(0);
    std::thread::sleep(STALL);
    link.set(1_000_000_000);
    is_whole(&mut live, &server, "link");

    let mut live = copy(&file, port, "server", &[]);
    wait_under_way(&mut live);
    server.peer.signal("STOP");
    std::thread::sleep(STALL);
    server.peer.signal("CONT");
    is_whole(&mut live, &server, "server");
    assert!(server.stop(LIMIT).success());
}

#[test]
fn packets_of_a_file_lost_to_a_broken_connection_are_counted_and_reported() {
    peers::in_real_time!(packets_of_a_file_lost_to_a_broken_connection_are_counted_and_reported);
    let folder = tempfile::tempdir().unwrap();
    let file = film(folder.path(), 90);
    let (mut first, port) = server(0, folder.path());
    let mut live = copy(&file, port, "film", &[]);
    wait_under_way(&mut live);
    first.peer.kill();
    let (mut second, _) = server(port, folder.path());
    let target = ended(&mut live);
    assert!(target["dropped_frames"].as_u64() > Some(0), "{target}");
    live.wait_event("the notice", |event| {
        event["event"] == "notice" && event["key"] == "passthrough-left-out"
    });
    // The new connection starts with a keyframe, and the rest of the file follows.
    assert_eq!(kept(&second, "film"), (90..PICTURES).collect::<Vec<_>>());
    assert!(second.stop(LIMIT).success());
}
