//! Tests of the viewers of recordings. The server lists, counts, limits and disconnects them, whichever
//! protocol they use.

use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::Value;

use super::{NAME, Running, STEM, next_frame, start};
use crate::peers::client::Client;
use crate::peers::{self, LIMIT, wait_for};
use onair::base::Secret;
use onair::server::{Event, Protocol};
use onair::wire::rtmp::Url;
use onair::wire::rtmp::client::Config;

const TOKEN: &str = "0123456789abcdef";

/// Returns the protocol and id of each viewer of the recording, from the API.
fn viewers(running: &Running) -> Vec<(String, u64)> {
    let answer = running.get(&format!("/api/v1/viewers?app=vod&stream={NAME}"));
    let list: Value = serde_json::from_slice(&answer.body).unwrap();
    let mut all: Vec<_> = list["viewers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|viewer| {
            assert_eq!((&viewer["app"], &viewer["stream"]), (&"vod".into(), &STEM.into()));
            (viewer["protocol"].as_str().unwrap().to_owned(), viewer["id"].as_u64().unwrap())
        })
        .collect();
    all.sort();
    all
}

#[test]
fn viewers_of_recordings_are_listed_counted_and_disconnected() {
    if peers::missing(&["ffmpeg"]) {
        return;
    }
    let running = start(|config| config.http_token = Some(Secret::new(TOKEN)));
    running.record("mp4");
    assert_eq!(viewers(&running), []);
    assert_eq!(running.get(&format!("/vod/{NAME}.m3u8")).status, 200);
    assert_eq!(running.get(&format!("/vod/{NAME}/hls/0.m4s")).status, 200);
    let mut rtmp = Client::play(&running.rtmp(&format!("vod/{NAME}")));
    next_frame(&mut rtmp);
    let mut file = TcpStream::connect(running.http()).unwrap();
    file.set_read_timeout(Some(LIMIT)).unwrap();
    write!(file, "GET /vod/{NAME}.mp4 HTTP/1.1\r\nHost: {}\r\n\r\n", running.http()).unwrap();
    file.read_exact(&mut [0; 100]).unwrap();
    // Further range requests belong to the same viewer. HEAD requests and missing files have no
    // viewer.
    let range = running.ask("GET", &format!("/vod/{NAME}.mp4"), "Range: bytes=5-9\r\n");
    assert_eq!((range.status, range.body.len()), (206, 5));
    assert_eq!(running.ask("HEAD", &format!("/vod/{NAME}.mp4"), "User-Agent: x\r\n").status, 200);
    assert_eq!(running.ask("GET", &format!("/vod/{NAME}.flv"), "User-Agent: y\r\n").status, 404);
    let all = viewers(&running);
    let protocols: Vec<_> = all.iter().map(|it| it.0.as_str()).collect();
    assert_eq!(protocols, ["hls", "http-flv", "rtmp"]);
    let server: Value = serde_json::from_slice(&running.get("/api/v1/server").body).unwrap();
    assert_eq!(server["viewers"], 3);
    let metrics = running.get("/metrics").text();
    assert!(metrics.contains("\nonair_viewers 3\n"), "{metrics}");
    for (protocol, count) in [("hls", 1), ("http-flv", 1), ("rtmp", 1), ("dash", 0)] {
        let line = format!("\nonair_recording_viewers{{protocol=\"{protocol}\"}} {count}\n");
        assert!(metrics.contains(&line), "{metrics}");
    }
    let bearer = format!("Authorization: Bearer {TOKEN}\r\n");
    for (protocol, id) in all {
        let path = format!("/api/v1/viewers/{id}");
        assert_eq!(running.ask("DELETE", &path, "").status, 401, "{protocol}");
        assert_eq!(running.ask("DELETE", &path, &bearer).status, 204, "{protocol}");
    }
    while rtmp.next().is_some() {}
    wait_for("nobody", LIMIT, || viewers(&running).is_empty());
    for path in [format!("/vod/{NAME}.m3u8"), format!("/vod/{NAME}.mp4")] {
        let again = running.get(&path);
        assert_eq!((again.status, again.header("cache-control")), (403, "no-store"), "{path}");
    }
    // Other clients can still connect.
    let other = running.ask("GET", &format!("/vod/{NAME}.mp4"), "User-Agent: z\r\n");
    assert_eq!(other.status, 200);
}

#[test]
fn a_deleted_recording_disconnects_its_viewers() {
    if peers::missing(&["ffmpeg"]) {
        return;
    }
    let running = start(|config| config.http_token = Some(Secret::new(TOKEN)));
    running.record("mp4");
    assert_eq!(running.get(&format!("/vod/{NAME}.m3u8")).status, 200);
    assert_eq!(running.get(&format!("/vod/{NAME}.mp4")).status, 200);
    let mut rtmp = Client::play(&running.rtmp(&format!("vod/{NAME}")));
    next_frame(&mut rtmp);
    let mut ids: Vec<_> = viewers(&running).into_iter().map(|(_, id)| id).collect();
    assert_eq!(ids.len(), 3);
    let bearer = format!("Authorization: Bearer {TOKEN}\r\n");
    // Nobody watches the same recording in the other format.
    std::fs::write(running.folder.path().join(format!("{STEM}.flv")), b"FLV").unwrap();
    let path = format!("/api/v1/recordings/{NAME}.flv");
    assert_eq!(running.ask("DELETE", &path, &bearer).status, 204);
    assert_eq!(viewers(&running).len(), 3);
    let path = format!("/api/v1/recordings/{NAME}.mp4");
    assert_eq!(running.ask("DELETE", &path, &bearer).status, 204);
    while rtmp.next().is_some() {}
    let left = || {
        let answer = running.get("/api/v1/events");
        let log: Value = serde_json::from_slice(&answer.body).unwrap();
        let events = log["events"].as_array().unwrap().iter().filter(|event| {
            event["event"] == "leave" && event["reason"] == "the recording was deleted"
        });
        let mut ids: Vec<_> = events.map(|event| event["id"].as_u64().unwrap()).collect();
        ids.sort_unstable();
        ids
    };
    ids.sort_unstable();
    wait_for("everybody to leave", LIMIT, || left() == ids);
    assert_eq!(viewers(&running), []);
}

#[test]
fn a_recording_has_a_limit_of_viewers_over_all_protocols() {
    if peers::missing(&["ffmpeg"]) {
        return;
    }
    let running = start(|config| {
        config.http_token = Some(Secret::new(TOKEN));
        config.limits.viewers = 1;
    });
    running.record("mp4");
    let url = running.rtmp(&format!("vod/{NAME}"));
    let mut first = Client::play(&url);
    next_frame(&mut first);
    let mut second = Client::new(Config::play(Url::parse(&url).unwrap()));
    while second.next().is_some() {}
    let why = second.failed.unwrap();
    assert!(why.contains("NetStream.Play.Failed"), "{why}");
    for path in [".m3u8", ".mp4"] {
        assert_eq!(running.get(&format!("/vod/{NAME}{path}")).status, 503, "{path}");
    }
    drop(first);
    wait_for("the end of the first viewer", LIMIT, || viewers(&running).is_empty());
    assert_eq!(running.get(&format!("/vod/{NAME}.m3u8")).status, 200);
    assert_eq!(running.get(&format!("/vod/{NAME}.mp4")).status, 503);
}

#[test]
fn viewers_of_recordings_leave_a_server_that_ends() {
    if peers::missing(&["ffmpeg"]) {
        return;
    }
    let running = start(|_| ());
    running.record("mp4");
    assert_eq!(running.get(&format!("/vod/{NAME}.m3u8")).status, 200);
    let mut left = Vec::new();
    running.server.end(LIMIT, |event| {
        if let Event::Leave(peer, ended) = event {
            left.push((peer.protocol, ended.reason.to_string()));
        }
    });
    let [(Protocol::Hls, reason)] = &left[..] else { panic!("{left:?}") };
    assert!(reason.contains("shut down"), "{reason}");
}
