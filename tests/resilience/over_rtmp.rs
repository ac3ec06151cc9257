//! Tests of a codec change over RTMP: within one publication by onair's own RTMP session, and when
//! a second publisher replaces the first.

use std::thread::{self, JoinHandle};

use super::*;
use crate::peers::client::Client;
use crate::peers::{LIMIT, Onair};
use crate::watch::Watching;

/// Publishes each tag at its own time, and then disconnects.
fn send(url: &str, tags: Vec<Tag>) -> JoinHandle<()> {
    let mut publisher = Client::publish(url);
    thread::spawn(move || {
        let start = Instant::now();
        for Tag { kind, time_ms, body } in tags {
            thread::sleep(Duration::from_millis(time_ms.into()).saturating_sub(start.elapsed()));
            if kind != TagKind::Script {
                publisher.send(&(kind, time_ms, body));
            }
        }
        publisher.session.close();
        publisher.pump();
        assert_eq!(publisher.failed, None);
    })
}

/// Returns ten seconds of HEVC, with MP3 or with the audio of another film.
fn other(folder: &Path, sound: Option<&[Tag]>) -> Vec<Tag> {
    let (picture, film) = (folder.join("hevc.mp4"), folder.join("mp3.flv"));
    let code = ["-c:v", "libx265", "-x265-params", "keyint=10:bframes=0:log-level=error"];
    ffmpeg::make(&picture, "320x180", "10", &code);
    ffmpeg::make(&film, "320x180", "10", &["-c:a", "libmp3lame", "-ar", "44100"]);
    let mp3 = tags(&fs::read(film).unwrap());
    let sound = sound.unwrap_or(&mp3).iter().filter(|tag| tag.kind == TagKind::Audio).cloned();
    let mut all: Vec<Tag> = hevc(&picture).into_iter().chain(sound).collect();
    all.sort_by_key(|tag| tag.time_ms);
    all
}

/// Returns the first film up to `at`, and then the second one with its sequence headers, with
/// continuous times.
fn joined(one: &[Tag], other: &[Tag], at: u32) -> Vec<Tag> {
    let heads = other.iter().filter(|tag| is_header(tag));
    let heads = heads.map(|tag| Tag { time_ms: at, ..tag.clone() });
    let rest = other.iter().filter(|tag| tag.time_ms > at && !is_header(tag)).cloned();
    one.iter().filter(|tag| tag.time_ms <= at).cloned().chain(heads).chain(rest).collect()
}

fn count_notices(watching: &Watching, key: &str) -> usize {
    watching.notice_keys().iter().filter(|found| **found == key).count()
}

fn undamaged(watching: &Watching) {
    let (figures, keys) = (watching.player.figures(), watching.notice_keys());
    assert_eq!((figures.damaged, figures.reconnects), (0, 0), "{figures:?} {keys:?}");
    assert!(!keys.iter().any(|key| key.starts_with("player-damaged")), "{keys:?}");
}

fn serve() -> (Onair, String) {
    let mut serve = Onair::start(&["serve", "--rtmp", "127.0.0.1:0", "--http", "127.0.0.1:0"]);
    let rtmp = serve.wait_named("ready")["rtmp"].as_str().unwrap().to_owned();
    (serve, rtmp)
}

#[test]
fn another_codec_within_a_publication_over_rtmp_is_reported_once_and_played_on() {
    peers::require!("ffmpeg");
    let folder = tempfile::tempdir().unwrap();
    let first = clip(folder.path(), "320x180", "48000", "2", "10");
    let mut cases = Vec::new();
    let path = folder.path().join("h264-mp3.flv");
    ffmpeg::make(&path, "320x180", "10", &["-g", "10", "-c:a", "libmp3lame", "-ar", "44100"]);
    cases.push(("mp3", joined(&first, &tags(&fs::read(path).unwrap()), 2_000), "H.264", "MP3"));
    if cfg!(feature = "ffmpeg") {
        let hevc = other(folder.path(), Some(&first));
        cases.push(("hevc", joined(&first, &hevc, 2_000), "HEVC", "AAC"));
    }
    let (_serve, rtmp) = serve();
    for (name, all, picture, sound) in cases {
        let url = format!("{rtmp}/live/{name}");
        let pictures = |tag: &&Tag| tag.kind == TagKind::Video && !is_header(tag);
        let sent = all.iter().filter(pictures).count() as u64;
        let sending = send(&url, all);
        let watching = Watching::start(&config(&url));
        watching.wait("the other codec", |it| {
            let figures = it.player.figures();
            let other = figures.video.starts_with(picture) && figures.audio.starts_with(sound);
            other && count_notices(it, "player-changed-codec") > 0
        });
        let samples = watching.player.figures().audio_samples;
        // No frame is missing at the change of codecs. Only frames from before the player joined
        // are missing.
        watching.wait("all pictures", |it| it.player.figures().decoded + 15 >= sent);
        sending.join().unwrap();
        assert!(watching.player.figures().audio_samples > samples + 44_100, "{name}");
        assert_eq!(
            count_notices(&watching, "player-changed-codec"),
            1,
            "{name}: {:?}",
            watching.notice_keys()
        );
        undamaged(&watching);
        watching.end();
    }
}

#[cfg(feature = "ffmpeg")]
#[test]
fn a_publisher_who_goes_on_with_other_codecs_over_rtmp_is_played_on() {
    peers::require!("ffmpeg");
    let folder = tempfile::tempdir().unwrap();
    let next = other(folder.path(), None);
    let (_serve, rtmp) = serve();
    let url = format!("{rtmp}/live/show");
    let publisher = ffmpeg::publish(&url, None);
    let mut watching = None;
    peers::wait_for("the first publisher", LIMIT, || {
        let it = watching.get_or_insert_with(|| Watching::start(&config(&url)));
        if it.player.state().is_final() {
            watching = None;
        }
        watching.as_ref().is_some_and(|it| it.shown() > 30)
    });
    let watching = watching.unwrap();
    drop(publisher);
    // The connection of the first publisher ends with its process. Until the server notices this,
    // nobody else may publish.
    let ended = |it: &Watching| count_notices(it, "player-publisher-back") == 0;
    assert!(ended(&watching));
    let sending = send(&url, next);
    watching.wait("the other codecs", |it| {
        let figures = it.player.figures();
        figures.video.starts_with("HEVC") && figures.audio.starts_with("MP3")
    });
    let (shown, samples) = (watching.shown(), watching.player.figures().audio_samples);
    watching.wait("pictures", |it| it.shown() > shown + 60);
    assert!(watching.player.figures().audio_samples > samples + 44_100);
    assert_eq!(watching.player.state(), State::Playing);
    assert_eq!(
        count_notices(&watching, "player-publisher-back"),
        1,
        "{:?}",
        watching.notice_keys()
    );
    // One notice is about the video, and the other one is about the audio.
    assert_eq!(count_notices(&watching, "player-changed-codec"), 2, "{:?}", watching.notice_keys());
    undamaged(&watching);
    sending.join().unwrap();
    watching.end();
}
