//! Tests of recordings, both complete and cut off, with third-party programs as readers.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use crate::film::{self, Film};
use crate::peers::{self, LIMIT, ffmpeg, wait_for};
use onair::base::queue::{self, Full};
use onair::broadcast::recorder::remux::{Failure, RepairMethod};
use onair::broadcast::recorder::{Event, Options, Split, State, remux, repair};
use onair::broadcast::{Hub, Recorder};
use onair::media::Track;

/// The recording formats.
const FORMATS: [&str; 3] = ["flv", "mp4", "mkv"];

#[test]
fn a_recording_is_whole_at_its_end_and_readable_at_every_moment() {
    peers::require!("ffmpeg", "ffprobe");
    let film = Film::make();
    let folder = tempfile::tempdir().unwrap();
    let show = film.project(Some(6));
    let recorders = FORMATS.map(|format| {
        let path = folder.path().join("new folder/show").with_extension(format);
        (path.clone(), Recorder::start(&path, &show.hub).unwrap())
    });
    let cuts = recorders.each_ref().map(|(path, recorder)| {
        wait_for("four seconds", LIMIT, || recorder.figures().duration >= Duration::from_secs(4));
        // The file as a crash at this moment would leave it.
        let reached = recorder.figures().duration;
        let cut = path.with_file_name("cut").with_extension(path.extension().unwrap());
        fs::copy(path, &cut).unwrap();
        (cut, reached)
    });
    // The hub may still hold packets: the recording is complete only after the hub has ended.
    show.wait().finish(LIMIT).unwrap();
    let mut starts = Vec::new();
    let mut counts = Vec::new();
    for (path, recorder) in recorders {
        let figures = recorder.finish(LIMIT);
        assert_eq!((&figures.state, &figures.path), (&State::Finished, &path));
        assert_eq!(figures.dropped_frames, 0);
        assert_eq!(figures.bytes, fs::metadata(&path).unwrap().len());

        let probe = ffmpeg::probe(&path);
        film::check(&probe);
        let (video, audio) = (probe.packets("video"), probe.packets("audio"));
        assert_eq!(video.len(), 180, "{path:?}");
        let duration: f64 = probe.json["format"]["duration"].as_str().unwrap().parse().unwrap();
        assert!((duration - 6.0).abs() < 0.1, "{path:?}: {duration}");
        assert_eq!(ffmpeg::decode(&path), "", "{path:?}");
        starts.push((video[0].pts, audio[0].pts));
        let sizes = |packets: &[ffmpeg::Packet]| packets.iter().map(|it| it.size).sum::<u64>();
        counts.push((audio.len(), sizes(&audio), sizes(&video)));
    }
    assert!(counts.iter().all(|count| *count == counts[0]), "{counts:?}");
    for (video, audio) in &starts {
        let apart = (video - starts[0].0).abs().max((audio - starts[0].1).abs());
        assert!(apart <= 0.001, "{starts:?}");
    }
    for (cut, reached) in cuts {
        let probe = ffmpeg::probe(&cut);
        film::check(&probe);
        let last = probe.packets("video").last().unwrap().dts;
        assert!(last >= reached.as_secs_f64() - 2.0, "{cut:?}: {last} of {reached:?}");
        assert_eq!(ffmpeg::decode(&cut), "", "{cut:?}");
    }
}

#[test]
fn what_was_given_to_the_hub_before_the_end_is_in_the_file() {
    peers::require!("ffmpeg", "ffprobe");
    let film = Film::make();
    let folder = tempfile::tempdir().unwrap();
    let (sender, input) = queue::bounded("film", 64, Full::Block);
    let hub = Hub::spawn(film.parameters.clone(), input).unwrap();
    let recorder = Recorder::start(&folder.path().join("show.mkv"), &hub).unwrap();
    for packet in film.packets() {
        sender.send(packet.clone()).unwrap();
    }
    // The hub still holds the last audio packets until it has the frames around them, and the
    // stream has not ended.
    let figures = recorder.finish(LIMIT);
    assert_eq!(figures.state, State::Finished);
    let probe = ffmpeg::probe(&figures.path);
    // A file begins with its first frame.
    let first = film.packets().iter().find(|packet| packet.track == Track::Video).unwrap().dts;
    let given = |track| {
        let all = film.packets().iter();
        all.filter(|packet| packet.track == track && packet.dts >= first).count()
    };
    assert_eq!(probe.packets("video").len(), given(Track::Video));
    assert_eq!(probe.packets("audio").len(), given(Track::Audio));
    drop((sender, hub));
}

#[test]
fn the_parts_of_a_split_recording_are_the_whole_of_it() {
    peers::require!("ffmpeg", "ffprobe");
    let film = Film::make();
    let folder = tempfile::tempdir().unwrap();
    let show = film.project(Some(7));
    let start = |name: &str, split| {
        let options = Options { split, ..Options::default() };
        Recorder::start_with(&folder.path().join(name), &show.hub, options).unwrap()
    };
    let whole = start("whole.mkv", Split::default());
    let by_time = start("time.mp4", Split { every: Some(Duration::from_secs(2)), bytes: None });
    let by_size = start("size.flv", Split { every: None, bytes: Some(420_000) });
    show.wait().finish(LIMIT).unwrap();
    let sizes = |files: &[PathBuf], kind: &str| -> Vec<u64> {
        let packets = files.iter().flat_map(|file| ffmpeg::probe(file).packets(kind));
        packets.map(|packet| packet.size).collect()
    };
    let whole = [whole.finish(LIMIT).path];
    for recorder in [by_time, by_size] {
        let mut files = Vec::new();
        let last = loop {
            match recorder.events().recv_timeout(LIMIT).unwrap() {
                Event::Parted(figures) => files.push(figures),
                Event::Over(figures) => break figures,
                _ => {}
            }
        };
        files.push(last);
        assert!(files.len() >= 3 && files.iter().all(|it| it.state == State::Finished));
        if files[0].path.ends_with("size.flv") {
            assert!(files.iter().all(|it| it.bytes <= 420_000), "{files:?}");
        }
        let files: Vec<_> = files.into_iter().map(|figures| figures.path).collect();
        for kind in ["video", "audio"] {
            assert_eq!(sizes(&files, kind), sizes(&whole, kind), "{kind} of {files:?}");
        }
        for file in &files {
            let probe = ffmpeg::probe(file);
            film::check(&probe);
            assert!(probe.packets("video")[0].pts.abs() < 0.001);
        }
    }
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

#[test]
fn a_file_that_is_being_recorded_is_neither_repaired_nor_copied() {
    peers::require!("ffmpeg");
    let film = Film::make();
    let folder = tempfile::tempdir().unwrap();
    let show = film.project(None);
    for format in FORMATS {
        let path = folder.path().join("show").with_extension(format);
        let copy = folder.path().join("copy.mkv");
        let recorder = Recorder::start(&path, &show.hub).unwrap();
        wait_for("two seconds", LIMIT, || recorder.figures().duration >= Duration::from_secs(2));
        for refused in [repair(&path, &|_| false), remux(&path, &copy, &|| false)] {
            assert!(matches!(refused, Err(Failure::BeingWritten(_))), "{path:?}: {refused:?}");
        }
        assert!(!copy.exists() && !fs::read(&path).unwrap().is_empty(), "players read it");
        let figures = recorder.finish(LIMIT);
        assert_eq!((&figures.state, figures.dropped_frames), (&State::Finished, 0));
        assert_eq!(figures.bytes, fs::metadata(&path).unwrap().len());
        assert_eq!(repair(&path, &|_| false).unwrap().how, RepairMethod::Whole);
    }
    let _hub = show.stop();
}
