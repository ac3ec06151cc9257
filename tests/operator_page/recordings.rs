//! Tests of the recordings on the operator page. hls.js plays a recording to its end. The page
//! deletes a recording after a confirmation.

use std::path::PathBuf;

use super::{Running, TOKEN, click, shows, start};
use crate::peers::{self, Peer, ffmpeg, wait_for, web};
use crate::viewer_page::chromium::Chromium;

const NAME: &str = "live-show 2026-11-25 18-00-00.mp4";

/// Makes a recording of 12 s with a keyframe every 2 s.
pub(super) fn record(running: &Running) -> PathBuf {
    let path = running.folder.path().join(NAME);
    ffmpeg::make(&path, "320x180", "12", &["-g", "50", "-bf", "2"]);
    path
}

#[test]
fn hls_js_plays_a_recording_and_seeks_in_it() {
    if peers::missing(&["chromium", "ffmpeg"]) {
        return;
    }
    let running = start();
    record(&running);
    let browser = Chromium::start("en");
    let page = browser.open(&running.page(), "");
    page.wait(&shows("#recordings tr", "live-show"));
    click(&page, "#recordings button");
    let video = "document.getElementById('player-video')";
    page.wait(&format!("{video}.currentTime > 1"));
    // The page plays the recording with Media Source Extensions, not as a file.
    assert_eq!(page.value(&format!("{video}.src.startsWith('blob:')")), true);
    let lasts = page.value(&format!("{video}.duration")).as_f64().unwrap();
    assert!((11.9..12.2).contains(&lasts), "{lasts}");
    page.value(&format!("{video}.currentTime = 7.3"));
    page.wait(&format!("!{video}.seeking && {video}.currentTime > 8.2"));
    page.value(&format!("{video}.currentTime = 2.5"));
    page.wait(&format!("!{video}.seeking && {video}.currentTime > 3.2 && {video}.currentTime < 7"));
    page.value(&format!("{video}.currentTime = 10.5"));
    page.wait(&format!("{video}.ended"));
    let frames = format!("{video}.getVideoPlaybackQuality()");
    assert!(page.value(&format!("{frames}.totalVideoFrames")).as_u64() > Some(60));
    assert_eq!(page.text("player-problem"), "");
    assert_eq!(browser.complaints(), Vec::<String>::new());
    // The viewer of a recording appears in the list of viewers.
    page.value("location.hash = 'viewers'");
    page.wait(&shows("#viewers tr", "vod/live-show"));
    page.wait(&shows("#viewers tr", "HLS"));
}

/// The page plays a recording with several audio tracks with sound.
#[test]
fn a_recording_with_several_audio_tracks_plays_its_audio() {
    if peers::missing(&["chromium", "ffmpeg"]) {
        return;
    }
    let running = start();
    let path = running.folder.path().join(NAME);
    ffmpeg::make(&path, "320x180", "6", &["-g", "50", "-map", "0", "-map", "1", "-map", "1"]);
    let browser = Chromium::start("en");
    let page = browser.open(&running.page(), "");
    page.wait(&shows("#recordings tr", "live-show"));
    click(&page, "#recordings button");
    let video = "document.getElementById('player-video')";
    page.wait(&format!("{video}.currentTime > 1"));
    assert!(page.value(&format!("{video}.webkitAudioDecodedByteCount")).as_u64() > Some(1_000));
    assert_eq!(page.text("player-problem"), "");
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

/// The page plays a recording that has no video yet, and whose header announces video.
#[test]
fn a_recording_in_progress_without_video_plays() {
    if peers::missing(&["chromium", "ffmpeg"]) {
        return;
    }
    let running = start();
    let url = running.url("live/show");
    let tone = ["-hide_banner", "-nostdin", "-re", "-f", "lavfi", "-i", "sine=sample_rate=48000"];
    let words = ["-c:a", "aac", "-ac", "2", "-f", "flv", &url];
    let _publisher = Peer::start("ffmpeg", tone.iter().chain(&words));
    wait_for("the first second of the recording", peers::LIMIT, || {
        let list = web::ask(running.http(), "GET", "/api/v1/recordings");
        list.contains("\"has_audio\":true,\"has_video\":false")
    });
    let browser = Chromium::start("en");
    let page = browser.open(&running.page(), "");
    page.wait(&shows("#recordings tr", "live-show"));
    click(&page, "#recordings button");
    page.wait("document.getElementById('player-video').currentTime > 0.5");
    assert_eq!(page.text("player-problem"), "");
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

#[test]
fn the_page_works_while_the_folder_of_recordings_is_missing() {
    if peers::missing(&["chromium"]) {
        return;
    }
    let running = start();
    std::fs::remove_dir_all(running.folder.path()).unwrap();
    let browser = Chromium::start("en");
    let page = browser.open(&running.page(), "");
    page.wait(&shows("#no-streams", "Nobody is publishing."));
    assert_eq!(page.value("document.getElementById('banner').hidden"), true);
    let reason = page.text("no-recordings");
    assert!(!reason.is_empty() && reason != "There are no recordings yet.", "{reason}");
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

#[test]
fn the_page_shows_older_recordings_on_request() {
    if peers::missing(&["chromium"]) {
        return;
    }
    let running = start();
    for number in 0..205 {
        let name = format!("live-show {number:03}.flv");
        std::fs::write(running.folder.path().join(name), "").unwrap();
    }
    let browser = Chromium::start("en");
    let page = browser.open(&format!("{}#recordings", running.page()), "");
    let has = |count| format!("document.querySelectorAll('#recordings tr').length === {count}");
    let is_hidden = "document.getElementById('older-recordings').hidden";
    page.wait(&has(200));
    assert_eq!(page.value(is_hidden), false);
    click(&page, "#older-recordings");
    page.wait(&has(205));
    page.wait(&shows("#recordings tr:last-child", "live-show 000.flv"));
    assert_eq!(page.value(is_hidden), true);
    // The list begins again when the operator returns.
    page.value("location.hash = 'streams'");
    page.wait(&has(6));
    assert_eq!(page.value(is_hidden), true);
    page.value("location.hash = 'recordings'");
    page.wait(&has(200));
    assert_eq!(page.value(is_hidden), false);
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

#[test]
fn a_recording_is_deleted_after_a_question_and_with_the_token() {
    if peers::missing(&["chromium", "ffmpeg"]) {
        return;
    }
    let running = start();
    let file = record(&running);
    let browser = Chromium::start("en");
    let page = browser.open(&running.page(), "");
    let erase = format!("#recordings .ban[aria-label={:?}]", format!("Delete {NAME}"));
    page.wait(&format!("document.querySelector({erase:?}) !== null"));
    // The recording stays if the user cancels or has no token.
    click(&page, &erase);
    page.wait(&shows("#question-title", &format!("Delete {NAME}?")));
    assert_eq!(page.value("document.activeElement.value"), "no", "the safe answer has the focus");
    click(&page, "#question [value=no]");
    assert!(file.exists());
    click(&page, &erase);
    page.wait("document.getElementById('question').open");
    click(&page, "#question [value=yes]");
    page.wait("document.getElementById('token').open");
    assert!(file.exists());
    // Before the operator enters the token, somebody moves the file away for a moment.
    let elsewhere = running.folder.path().join("elsewhere");
    std::fs::rename(&file, &elsewhere).unwrap();
    page.value(&format!("document.getElementById('token-input').value = {TOKEN:?}"));
    click(&page, "#token .primary");
    page.wait(&shows("#toast", &format!("{NAME} was not deleted: ")));
    std::fs::rename(&elsewhere, &file).unwrap();
    // The page reads the folder again soon.
    page.wait(&format!("document.querySelector({erase:?}) !== null"));
    click(&page, &erase);
    page.wait("document.getElementById('question').open");
    click(&page, "#question [value=yes]");
    wait_for("the deletion", peers::LIMIT, || !file.exists());
    page.wait(&shows("#toast", "was deleted."));
    page.wait(&shows("#no-recordings", "There are no recordings yet."));
    // A recording in progress cannot be deleted.
    let _publisher = running.publish();
    page.wait(&shows("#recordings tr", "live-show"));
    page.wait("document.querySelector('#recordings .ban').disabled");
    assert_eq!(browser.complaints(), Vec::<String>::new());
}
