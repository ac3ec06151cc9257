//! Tests of the time until the first frame. The player shows it as soon as its last byte has
//! arrived. Neither the demuxer nor the decoder waits for data that follows.

use std::io::Write;
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;

use crate::peers::{self, LIMIT, ffmpeg, web};
use crate::watch::{Watching, config};
use onair::base::{Clock, Stop};
use onair::net::Runtime;
use onair::net::rtmp::{Client, Options};
use onair::player::{Config, Prefer};
use onair::server::{Listen, Server};
use onair::wire::container::flv::{Demuxer, Tag, TagKind, parse_video};
use onair::wire::rtmp::client::Purpose;
use onair::wire::rtmp::url::Url;

/// The number of frames in the file.
const PICTURES: u64 = 50;

/// A file of two seconds with reordered frames (B-frames).
fn film(folder: &Path, name: &str) -> Vec<u8> {
    let path = folder.join(name);
    let (size, reordered) = ("320x180", ["-preset", "veryfast", "-bf", "3", "-g", "50"]);
    ffmpeg::make(&path, size, "2", &reordered);
    std::fs::read(path).unwrap()
}

/// The tags of an FLV file up to its first keyframe, and where the last of these tags ends, without
/// the tag size that follows it.
fn beginning(file: &[u8]) -> (Vec<Tag>, usize) {
    let mut demuxer = Demuxer::new();
    demuxer.push(file);
    let (mut tags, mut end) = (Vec::new(), 9);
    loop {
        let tag = demuxer.next_tag().unwrap().unwrap();
        end += 4 + 11 + tag.body.len();
        let picture = parse_video(&tag.body).is_ok_and(|it| it.is_keyframe());
        let first = tag.kind == TagKind::Video && picture;
        tags.push(tag);
        if first {
            return (tags, end);
        }
    }
}

/// Sends a response up to `place`, and the rest once `go_on` is set.
fn send(socket: &mut TcpStream, head: &str, body: &[u8], place: usize, go_on: &Stop) {
    let begun = socket.write_all(&[head.as_bytes(), &body[..place]].concat());
    // A player that shows no frame of the first part disconnects, and the test reports that.
    if begun.is_ok() && go_on.wait(LIMIT) {
        let _ = socket.write_all(&body[place..]);
    }
}

/// Waits for the first frame, lets the rest come, and asserts that every frame was decoded.
fn see(watching: Watching, go_on: &Stop, name: &str) {
    watching.wait(&format!("the first picture of {name}"), |it| it.shown() > 0);
    let figures = watching.player.figures();
    assert_eq!((figures.decoded, figures.shown), (1, 1), "{name}");
    go_on.set();
    watching.wait(&format!("the end of {name}"), |it| it.player.state().is_final());
    let figures = watching.player.figures();
    assert_eq!((figures.decoded, figures.damaged), (PICTURES, 0), "{name}");
    watching.end();
}

#[test]
fn of_flv_over_http_with_its_last_byte() {
    peers::require!("ffmpeg");
    let folder = tempfile::tempdir().unwrap();
    let file = film(folder.path(), "film.flv");
    let (_, end) = beginning(&file);
    for decoder in [Prefer::Own, Prefer::System] {
        let (go_on, body) = (Arc::new(Stop::new()), file.clone());
        let its = Arc::clone(&go_on);
        let head = "HTTP/1.1 200 OK\r\n\r\n";
        let port = web::canned(move |_, socket| send(socket, head, &body, end, &its));
        let config = Config {
            decoder,
            reconnect: false,
            ..config(&format!("http://127.0.0.1:{port}/film.flv"))
        };
        see(Watching::start(&config), &go_on, &format!("{decoder:?}"));
    }
}

#[test]
fn of_hls_before_its_segment_has_come() {
    peers::require!("ffmpeg");
    let folder = tempfile::tempdir().unwrap();
    let file = film(folder.path(), "film.ts");
    let go_on = Arc::new(Stop::new());
    let its = Arc::clone(&go_on);
    let port = web::canned(move |head, socket| {
        let list = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nfilm.ts\n#EXT-X-ENDLIST\n";
        let answer = |length| format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n");
        if head.contains("/film.ts") {
            send(socket, &answer(file.len()), &file, file.len() / 2, &its);
        } else {
            drop(socket.write_all((answer(list.len()) + list).as_bytes()));
        }
    });
    see(Watching::start(&config(&format!("http://127.0.0.1:{port}/x.m3u8"))), &go_on, "HLS");
}

#[test]
fn of_rtmp_while_its_publisher_is_silent() {
    peers::require!("ffmpeg");
    let folder = tempfile::tempdir().unwrap();
    let (tags, _) = beginning(&film(folder.path(), "film.flv"));
    let (runtime, clock) = (Runtime::start().unwrap(), Clock::start());
    let rtmp = Listen::exactly("127.0.0.1:0".parse().unwrap());
    let config_of_server = onair::server::Config { rtmp, ..Default::default() };
    let server = Server::start(&runtime, clock, config_of_server).unwrap();
    let url = format!("rtmp://{}/live/film", server.addresses().rtmp);
    let parsed = Url::parse(&url).unwrap();
    let publisher = runtime.block_on(async {
        let options = Options::default();
        let mut client =
            Client::connect(&parsed, Purpose::Publish, &options, clock, &|_| {}).await.unwrap();
        for tag in tags {
            let session = client.session();
            assert!(match tag.kind {
                TagKind::Video => session.send_video(tag.time_ms, tag.body),
                TagKind::Audio => session.send_audio(tag.time_ms, tag.body),
                TagKind::Script => true,
            });
        }
        client.flush().await.unwrap();
        client
    });
    let watching = Watching::start(&config(&url));
    watching.wait("the first picture of RTMP", |it| it.shown() > 0);
    assert_eq!(watching.player.figures().decoded, 1);
    watching.end();
    drop(publisher);
}
