//! Recordings, as other programs read them: whole ones, and those that were cut off.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code: a panic is how it fails"
)]

#[path = "film/mod.rs"]
mod film;
#[path = "peers/mod.rs"]
mod peers;

use std::fs;
use std::time::Duration;

use film::Film;
use onair::broadcast::Recorder;
use onair::broadcast::recorder::State;
use peers::{LIMIT, ffmpeg, wait_for};

#[test]
fn a_recording_is_whole_at_its_end_and_readable_at_every_moment() {
    peers::require!("ffmpeg", "ffprobe");
    let film = Film::make();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new folder/show.flv");
    let show = film.project(Some(6));
    let recorder = Recorder::start(&path, &show.hub).unwrap();
    wait_for("four seconds", LIMIT, || recorder.figures().duration >= Duration::from_secs(4));
    // What a kill at this moment would leave.
    let cut = folder.path().join("cut.flv");
    fs::copy(&path, &cut).unwrap();
    let reached = recorder.figures().duration;

    // Fed is not yet handed on: the recording is whole once the hub has ended.
    show.wait().finish(LIMIT).unwrap();
    let figures = recorder.finish(LIMIT);
    assert_eq!((&figures.state, &figures.path), (&State::Finished, &path));
    assert_eq!(figures.dropped_frames, 0);
    assert_eq!(figures.bytes, fs::metadata(&path).unwrap().len());

    let probe = ffmpeg::probe(&path);
    film::check(&probe);
    assert_eq!(probe.packets("video").len(), 180);
    let duration: f64 = probe.json["format"]["duration"].as_str().unwrap().parse().unwrap();
    assert!((duration - 6.0).abs() < 0.1, "{duration}");
    assert_eq!(ffmpeg::decode(&path), "");

    let probe = ffmpeg::probe(&cut);
    film::check(&probe);
    let last = probe.packets("video").last().unwrap().dts;
    assert!(last >= reached.as_secs_f64() - 2.0, "{last} of {reached:?}");
}

#[test]
fn a_file_that_vanishes_ends_the_recording_and_nothing_else() {
    peers::require!("ffmpeg");
    let film = Film::make();
    let folder = tempfile::tempdir().unwrap();
    let (gone, stays) = (folder.path().join("a/gone.flv"), folder.path().join("stays.flv"));
    let show = film.project(None);
    let lost = Recorder::start(&gone, &show.hub).unwrap();
    let kept = Recorder::start(&stays, &show.hub).unwrap();
    fs::remove_dir_all(folder.path().join("a")).unwrap();
    wait_for("the failure", LIMIT, || matches!(lost.figures().state, State::Failed(_)));
    let _hub = show.stop();
    assert_eq!(kept.finish(LIMIT).state, State::Finished);
}
