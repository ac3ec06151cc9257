//! Tests of the studio behind the *Recordings* page: the list of recordings, copies without
//! re-encoding, renaming, the trash and the file manager. ffmpeg makes the recordings.

use std::fs;
use std::path::Path;
use std::process::Command as Process;
use std::time::{Duration, SystemTime};

use onair::base::Timestamp;
use onair::broadcast::recorder::remux::Cut;
use onair::media::{AudioCodec, VideoCodec};
use onair::studio::live::recording::library::RecordingsCommand;
use onair::studio::live::recording::library::view::{FileState, Outcome, RecordingsView};
use onair::studio::{Command, Preferences, Studio};
use onair::wire::container::{TrackId, mkv};

use crate::peers::watcher::{wait, watcher};
use crate::peers::{LIMIT, Peer, ffmpeg};

/// A studio whose recording folder is `folder`.
fn open(settings: &Path, folder: &Path) -> Studio {
    let studio = watcher(settings);
    let recording_folder = folder.to_owned();
    let preferences = Preferences { recording_folder, ..Preferences::default() };
    studio.send(Command::SetPreferences { preferences, part_changes: 0 });
    studio.send(Command::Recordings(RecordingsCommand::Open));
    studio
}

/// Makes the file look as if it was written this many minutes ago.
fn age(path: &Path, minutes: u64) {
    let file = fs::File::options().write(true).open(path).unwrap();
    file.set_modified(SystemTime::now() - Duration::from_secs(minutes * 60)).unwrap();
}

fn names(view: &RecordingsView) -> Vec<String> {
    view.files.iter().map(|file| file.name()).collect()
}

/// The outcome of a command.
fn outcome(studio: &Studio, command: RecordingsCommand) -> Outcome {
    let before = studio.snapshot().recordings.outcome.as_ref().map_or(0, |it| it.number);
    studio.send(Command::Recordings(command));
    let number = |view: &RecordingsView| view.outcome.as_ref().map_or(0, |it| it.number);
    let after = wait(studio, "an outcome", |it| number(&it.recordings) > before);
    after.recordings.outcome.clone().unwrap()
}

#[test]
fn an_interrupted_recording_is_repaired() {
    let (home, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let path = folder.path().join("cut.mkv");
    ffmpeg::make(&path, "640x360", "6", &["-g", "25", "-shortest"]);
    let file = fs::File::options().write(true).open(&path).unwrap();
    file.set_len(file.metadata().unwrap().len() / 2).unwrap();
    age(&path, 60);
    let studio = open(home.path(), folder.path());
    let view = wait(&studio, "the file", |it| {
        it.recordings.files.iter().any(|file| file.details().is_some())
    });
    assert!(view.recordings.files[0].details().unwrap().unfinished);
    let done = outcome(&studio, RecordingsCommand::Repair(path));
    let repaired = folder.path().join("cut-repaired.mkv");
    assert_eq!((done.failed, done.now.as_deref()), (false, Some(repaired.as_path())), "{done:?}");
    let probe = ffmpeg::probe(&repaired);
    assert_eq!((probe.warnings.as_str(), ffmpeg::decode(&repaired).as_str()), ("", ""));
    assert!(probe.packets("video").len() > 25, "{}", probe.packets("video").len());
    let whole = outcome(&studio, RecordingsCommand::Repair(repaired.clone()));
    assert_eq!((whole.failed, whole.now), (false, Some(repaired)));
    assert!(outcome(&studio, RecordingsCommand::Repair(folder.path().join("none.mkv"))).failed);
}

#[test]
fn recordings_are_listed_looked_into_cut_converted_and_renamed() {
    let (home, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let path = |name: &str| folder.path().join(name);
    ffmpeg::make(&path("old.mp4"), "640x360", "6", &["-g", "50", "-shortest"]);
    fs::write(path("broken.mkv"), b"this is no film").unwrap();
    fs::write(path("notes.txt"), b"no media").unwrap();
    fs::write(path(".hidden.mp4"), b"").unwrap();
    fs::create_dir(path("folder.mp4")).unwrap();
    age(&path("old.mp4"), 60);
    age(&path("broken.mkv"), 30);

    let studio = open(home.path(), folder.path());
    let known = |it: &RecordingsView| {
        it.files.len() == 2 && it.files.iter().all(|file| !matches!(file.state, FileState::Waiting))
    };
    let view = wait(&studio, "both files", |it| known(&it.recordings)).recordings;
    // The newest file comes first.
    assert_eq!(names(&view), ["broken.mkv", "old.mp4"]);
    assert!(matches!(view.files[0].state, FileState::Unreadable(_)), "{:?}", view.files[0]);
    let details = view.files[1].details().expect("it can be read");
    assert!((details.duration.as_secs_f64() - 6.0).abs() < 0.1, "{:?}", details.duration);
    let video = details.video.as_ref().unwrap();
    assert_eq!((video.codec, video.size.width, video.size.height), (VideoCodec::H264, 640, 360));
    assert_eq!(video.fps, Some(25.0));
    let [audio] = details.audio.as_slice() else { panic!("{:?}", details.audio) };
    assert_eq!((audio.codec, audio.sample_rate), (AudioCodec::Aac, 48_000));
    let keys: Vec<_> = details.keyframes.iter().map(Duration::as_millis).collect();
    assert_eq!(keys, [0, 2_000, 4_000]);
    let thumbnail = details.thumbnail.as_ref().expect("a frame");
    assert_eq!((thumbnail.size().width, thumbnail.size().height), (192, 108));
    assert!(thumbnail.planes().y.iter().any(|luma| *luma > 100), "the test picture is not black");

    // The frame at which a part would begin.
    let at = Duration::from_millis(4_500);
    studio.send(Command::Recordings(RecordingsCommand::FrameAt(path("old.mp4"), at)));
    let shown = |view: &RecordingsView| {
        view.frame.as_ref().is_some_and(|frame| frame.asked == at && frame.frame.is_some())
    };
    wait(&studio, "the frame at the cut", |it| shown(&it.recordings));

    // A part in another format: it begins at the keyframe before the start, and decodes.
    let part = Cut { from: Duration::from_millis(2_500), to: Some(Duration::from_millis(4_000)) };
    let (from, to) = (path("old.mp4"), path("part.mkv"));
    let copy = RecordingsCommand::Copy { from: from.clone(), to: to.clone(), part };
    let done = outcome(&studio, copy.clone());
    assert_eq!((done.failed, done.now.as_deref()), (false, Some(to.as_path())), "{done:?}");
    let probe = ffmpeg::probe(&to);
    assert_eq!((probe.warnings.as_str(), ffmpeg::decode(&to).as_str()), ("", ""));
    assert_eq!(probe.packets("video").len(), 50);
    assert!(
        !fs::read_dir(folder.path())
            .unwrap()
            .any(|entry| { entry.unwrap().file_name().to_string_lossy().ends_with(".part") })
    );

    // Nothing is overwritten: neither by a copy nor by renaming.
    let first = fs::read(&to).unwrap();
    let again = outcome(&studio, copy);
    assert_eq!((again.failed, again.now), (false, Some(path("part-1.mkv"))));
    assert_eq!(fs::read(&to).unwrap(), first);
    let refused = outcome(&studio, RecordingsCommand::Rename(from, "broken".into()));
    assert!(!refused.failed, "another ending is another file: {refused:?}");
    assert_eq!(refused.now, Some(path("broken.mp4")));
    for (name, why) in [
        ("", "recordings-name-empty"),
        ("../up", "recordings-name-empty"),
        ("a/b", "recordings-name-characters"),
        ("a\nb", "recordings-name-characters"),
    ] {
        let refused = outcome(&studio, RecordingsCommand::Rename(path("broken.mp4"), name.into()));
        assert_eq!((refused.failed, refused.text.id()), (true, why), "{name:?}");
    }
    fs::write(path("taken.mp4"), b"mine").unwrap();
    let taken = outcome(&studio, RecordingsCommand::Rename(path("broken.mp4"), "taken".into()));
    assert_eq!((taken.failed, taken.text.id()), (true, "remux-exists"));
    assert_eq!(fs::read(path("taken.mp4")).unwrap(), b"mine");

    // A file that has disappeared, and a copy of a broken file.
    let gone = outcome(&studio, RecordingsCommand::Trash(path("gone.mp4")));
    assert_eq!((gone.failed, gone.text.id()), (true, "recordings-not-trashed"));
    let (from, to) = (path("broken.mkv"), path("x.mp4"));
    let bad =
        outcome(&studio, RecordingsCommand::Copy { from, to: to.clone(), part: Cut::default() });
    assert!(bad.failed && !to.exists(), "{bad:?}");

    studio.send(Command::Recordings(RecordingsCommand::Close));
    wait(&studio, "the closed page", |it| it.recordings.files.is_empty());
}

#[test]
fn the_details_of_an_mkv_file_are_those_of_its_frames() {
    let (home, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let path = folder.path().join("show.mkv");
    ffmpeg::make(&path, "640x360", "6", &["-g", "20", "-shortest"]);
    age(&path, 60);
    let index = mkv::index(&mut &fs::read(&path).unwrap()[..]).unwrap();
    let zero = index.samples.iter().map(|it| it.pts).min().unwrap().max(Timestamp::ZERO);
    let keys = index.samples.iter().filter(|it| it.track == TrackId::Video && it.keyframe);
    let keys: Vec<_> = keys.map(|it| it.pts.since(zero)).collect();
    assert_eq!(keys.len(), 8);
    let studio = open(home.path(), folder.path());
    let view = wait(&studio, "the details", |it| {
        it.recordings.files.first().is_some_and(|file| file.details().is_some())
    });
    let details = view.recordings.files[0].details().unwrap();
    assert_eq!((&details.keyframes, details.unfinished), (&keys, false));
    let difference = details.duration.abs_diff(index.end().since(zero));
    assert!(difference < Duration::from_millis(100), "{:?}", details.duration);
    assert_eq!(details.video.as_ref().unwrap().fps, Some(25.0));
    assert!(details.thumbnail.is_some());
    for at in [keys[5], keys[5] + Duration::from_millis(100), Duration::ZERO] {
        studio.send(Command::Recordings(RecordingsCommand::FrameAt(path.clone(), at)));
        wait(&studio, "the frame", |it| {
            let frame = it.recordings.frame.as_ref();
            frame.is_some_and(|frame| frame.asked == at && frame.frame.is_some())
        });
    }
}

#[test]
fn a_recording_whose_only_keyframe_is_hidden_has_a_thumbnail() {
    let (home, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (whole, cut) = (home.path().join("whole.mp4"), folder.path().join("cut.mp4"));
    ffmpeg::make(&whole, "320x180", "4", &["-g", "200", "-shortest"]);
    // An edit list hides the first half.
    let words = ["-v", "error", "-nostdin", "-ss", "2", "-i", whole.to_str().unwrap()];
    let words = words.into_iter().chain(["-c", "copy", cut.to_str().unwrap()]);
    Peer::start("ffmpeg", words).wait_success(LIMIT);
    age(&cut, 60);
    let studio = open(home.path(), folder.path());
    let view = wait(&studio, "the details", |it| {
        it.recordings.files.first().is_some_and(|file| file.details().is_some())
    });
    assert!(view.recordings.files[0].details().unwrap().thumbnail.is_some());
}

#[test]
fn the_page_does_not_read_an_unchanged_file_again() {
    let (home, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let path = folder.path().join("show.mp4");
    ffmpeg::make(&path, "320x180", "2", &["-g", "25", "-shortest"]);
    age(&path, 60);
    let studio = open(home.path(), folder.path());
    let is_read = |view: &RecordingsView| {
        view.files.first().is_some_and(|file| !matches!(file.state, FileState::Waiting))
    };
    let view = wait(&studio, "the details", |it| is_read(&it.recordings)).recordings;
    assert!(view.files[0].details().is_some(), "{:?}", view.files[0]);
    studio.send(Command::Recordings(RecordingsCommand::Close));
    wait(&studio, "the closed page", |it| it.recordings.files.is_empty());
    // The file looks the same, but its contents are gone.
    let metadata = fs::metadata(&path).unwrap();
    fs::write(&path, vec![0; metadata.len() as usize]).unwrap();
    let file = fs::File::options().write(true).open(&path).unwrap();
    file.set_modified(metadata.modified().unwrap()).unwrap();
    studio.send(Command::Recordings(RecordingsCommand::Open));
    let view = wait(&studio, "the list", |it| is_read(&it.recordings)).recordings;
    assert!(view.files[0].details().is_some(), "{:?}", view.files[0]);
}

#[test]
fn a_file_that_another_process_writes_is_neither_renamed_nor_moved_to_the_trash() {
    let (home, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let path = folder.path().join("show.mkv");
    // A lock belongs to the open file, so it has the same effect as the lock of another process.
    let file = fs::File::create(&path).unwrap();
    file.lock().unwrap();
    let studio = open(home.path(), folder.path());
    let rename = RecordingsCommand::Rename(path.clone(), "other".into());
    for command in [rename, RecordingsCommand::Trash(path.clone())] {
        let refused = outcome(&studio, command);
        let mut reasons = refused.text.inner().map(|reason| reason.id());
        assert!(refused.failed && reasons.any(|id| id == "recordings-changing"), "{refused:?}");
    }
    assert!(path.exists());
    drop(file);
    let renamed = outcome(&studio, RecordingsCommand::Rename(path, "other".into()));
    assert_eq!((renamed.failed, renamed.now), (false, Some(folder.path().join("other.mkv"))));
}

/// Runs one test of this module in its own process, with these environment variables.
fn run_alone(name: &str, variables: &[(&str, &Path)]) {
    let mut test = Process::new(std::env::current_exe().unwrap());
    test.args(["--exact", name, "--nocapture"]).env("ONAIR_ALONE", "1");
    test.envs(variables.iter().copied()).env_remove("DBUS_SESSION_BUS_ADDRESS");
    let output = test.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_recording_in_the_trash_can_be_restored_and_a_missing_file_manager_is_named() {
    if std::env::var_os("ONAIR_ALONE").is_none() {
        let home = tempfile::tempdir().unwrap();
        let name =
            "library::a_recording_in_the_trash_can_be_restored_and_a_missing_file_manager_is_named";
        let place = [("HOME", home.path()), ("XDG_DATA_HOME", home.path())];
        return run_alone(name, &place);
    }
    let home = std::path::PathBuf::from(std::env::var_os("XDG_DATA_HOME").unwrap());
    let path = home.join("a show.mkv");
    fs::write(&path, b"a show").unwrap();
    let studio = open(&home, &home);
    let show = RecordingsCommand::ShowInFolder(path.clone());
    let shown = outcome(&studio, show);
    assert_eq!((shown.failed, shown.text.id()), (true, "recordings-not-shown"), "{shown:?}");
    let done = outcome(&studio, RecordingsCommand::Trash(path.clone()));
    assert_eq!((done.failed, done.text.id()), (false, "recordings-trashed"), "{done:?}");
    assert!(!path.exists());
    assert_eq!(fs::read(home.join("Trash/files/a show.mkv")).unwrap(), b"a show");
    let info = fs::read_to_string(home.join("Trash/info/a show.mkv.trashinfo")).unwrap();
    assert!(info.contains("a%20show.mkv"), "{info}");
}
