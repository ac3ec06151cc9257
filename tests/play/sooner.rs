//! Test of a negative sync offset with a live stream: the player plays the audio earlier than its
//! timestamps say.

use std::io::Write;
use std::time::Instant;

use bytes::BytesMut;
use onair::wire::container::flv;
use onair::wire::container::flv::{Demuxer, Tag};

use super::*;

/// Serves a file in real time.
fn broadcast(file: &Path) -> u16 {
    let mut demuxer = Demuxer::new();
    demuxer.push(&fs::read(file).unwrap());
    let tags: Vec<Tag> = std::iter::from_fn(|| demuxer.next_tag().unwrap()).collect();
    peers::web::canned(move |_, socket| {
        let start = Instant::now();
        let _ = socket.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: video/x-flv\r\n\r\n");
        let _ = socket.write_all(&flv::file_header(true, true));
        for tag in &tags {
            let due = start + Duration::from_millis(tag.time_ms.into());
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
            let mut out = BytesMut::new();
            flv::write_tag(tag.kind, tag.time_ms, &tag.body, &mut out);
            if socket.write_all(&out).is_err() {
                return;
            }
        }
    })
}

#[test]
fn audio_plays_also_where_the_buffer_is_shorter() {
    crate::peers::in_real_time!(audio_plays_also_where_the_buffer_is_shorter);
    peers::require!("ffmpeg");
    let folder = tempfile::tempdir().unwrap();
    let parts: [&[&str]; 5] = [&PICTURE, &TONE, &["-t", "6", "-ac", "2"], &H264, &AAC];
    let made = make(folder.path(), "tone.flv", &with(&parts));
    let url = format!("http://127.0.0.1:{}/tone.flv", broadcast(&made));
    let config = Config {
        av_offset_ms: -500,
        buffer: Duration::from_millis(100),
        reconnect: false,
        ..Config::new(Source::Url(url))
    };
    let played = Arc::default();
    let outcome = play(&config, Some(fake(&played, 1.0, None)), |_| false);
    assert_eq!(outcome.state, State::Ended);
    assert!(outcome.figures.device, "{:?}", outcome.figures);
    let loud = played.lock().iter().step_by(2).filter(|it| it.abs() > 0.01).count();
    assert!(loud > 3 * 48_000, "{loud} {:?}", outcome.figures);
}
