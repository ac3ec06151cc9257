//! Tests of playlists that the player reads again from an earlier position: after a loss of the
//! connection, and after a seek during a recording.

use std::collections::HashSet;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use onair::player::{Config, State};
use onair::wire::container::flv::{Demuxer, TagKind, parse_video};

use super::ended::Origin;
use super::saved::times;
use super::{CODE, PICTURE, TONE, ffmpeg};
use crate::peers::{self, LIMIT, web};
use crate::watch::{Watching, config, play};

/// Segments of the list, each one second long.
const SECONDS: usize = 12;
/// The first segment that the server refuses.
const REFUSED_SEGMENT: usize = 8;
/// After this number of refused segments in a row, the connection counts as lost.
const REFUSALS: u32 = 3;

/// Serves the files of a folder. The server refuses segments once `lost` is set.
fn refusing(folder: &Path, lost: Arc<AtomicBool>) -> u16 {
    let (folder, refused) = (folder.to_owned(), AtomicU32::new(0));
    web::canned(move |head, socket| {
        let path = head.split(' ').nth(1).unwrap_or_default().trim_start_matches('/');
        let number = path.trim_start_matches('x').trim_end_matches(".ts").parse::<usize>();
        let is_late = number.is_ok_and(|number| number >= REFUSED_SEGMENT);
        while is_late && !lost.load(Ordering::Relaxed) {
            std::thread::sleep(Duration::from_millis(5));
        }
        let refuses = is_late && refused.fetch_add(1, Ordering::Relaxed) < REFUSALS;
        let body = if refuses { Vec::new() } else { fs::read(folder.join(path)).unwrap() };
        let status = if refuses { "503 No" } else { "200 OK" };
        let length = body.len();
        let head =
            format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
        let _ = socket.write_all(head.as_bytes());
        let _ = socket.write_all(&body);
    })
}

#[test]
fn a_recorded_list_goes_on_after_a_loss_where_it_was() {
    peers::require!("ffmpeg");
    let folder = tempfile::tempdir().unwrap();
    let time = SECONDS.to_string();
    let hls = ["-t", &time, "-f", "hls", "-hls_time", "1", "-hls_list_size", "0", "x.m3u8"];
    ffmpeg(folder.path(), &[&PICTURE, &TONE, &CODE, &hls]).wait_success(LIMIT);
    let lost = Arc::new(AtomicBool::new(false));
    let url = format!("http://127.0.0.1:{}/x.m3u8", refusing(folder.path(), Arc::clone(&lost)));
    let saved = folder.path().join("saved.flv");
    // The loss comes while eight seconds are received and only three have played.
    let (mut furthest, mut fell) = (Duration::ZERO, Duration::ZERO);
    let outcome = play(&Config { save: Some(saved.clone()), ..config(&url) }, |figures| {
        lost.fetch_or(figures.shown > 75, Ordering::Relaxed);
        furthest = furthest.max(figures.position);
        fell = fell.max(furthest - figures.position);
        false
    });
    assert_eq!((&outcome.state, outcome.figures.losses), (&State::Ended, 1));
    // At most the segment that was playing is shown again.
    let shown = usize::try_from(outcome.figures.shown).unwrap();
    assert!(shown <= (SECONDS + 1) * 25, "{:?}", outcome.figures);
    assert!(fell < Duration::from_millis(1_200), "{fell:?}");
    let [frames, audio] = times(&fs::read(&saved).unwrap());
    assert_eq!(frames.len(), SECONDS * 25);
    assert!(frames.windows(2).all(|pair| pair[1] - pair[0] == 40), "{frames:?}");
    let wanted = SECONDS * 48_000 / 1_024;
    assert!(audio.len().abs_diff(wanted) <= 2, "{} audio packets", audio.len());
}

#[test]
fn a_live_list_is_recorded_once_by_a_viewer_who_goes_back_in_it() {
    peers::require!("ffmpeg");
    let folder = tempfile::tempdir().unwrap();
    let origin = Origin::start(folder.path(), 60, "mpegts");
    origin.begin();
    let saved = folder.path().join("saved.flv");
    let watching = Watching::start(&Config { save: Some(saved.clone()), ..config(&origin.url()) });
    let on = |watching: &Watching| {
        let shown = watching.shown();
        watching.wait("more frames", |it| it.shown() > shown + 25);
    };
    on(&watching);
    watching.wait("the list", |it| it.time_shift().range > Duration::from_secs(4));
    for _ in 0..2 {
        assert!(watching.player.seek_behind_live(Duration::from_secs(4)));
        on(&watching);
        watching.player.go_live();
        on(&watching);
    }
    assert!(!watching.notice_keys().contains(&"player-save-gap"));
    watching.end();
    let file = fs::read(&saved).unwrap();
    let [frames, _] = times(&file);
    assert!(frames.windows(2).all(|pair| pair[1] - pair[0] == 40), "{frames:?}");
    let mut demuxer = Demuxer::new();
    demuxer.push(&file);
    let tags = std::iter::from_fn(|| demuxer.next_tag().unwrap());
    let videos = tags.filter(|tag| tag.kind == TagKind::Video);
    let bodies = videos.filter(|tag| !parse_video(&tag.body).unwrap().is_sequence_start());
    let distinct: HashSet<_> = bodies.map(|tag| tag.body).collect();
    assert_eq!(distinct.len(), frames.len(), "a frame is in the file twice");
}
