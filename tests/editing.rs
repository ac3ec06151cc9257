//! Tests of changes in a running studio: files that appear after their source was added, and scenes
//! that change while the test counts the frames.

mod beside;
mod studio_mode;

use std::fs;
use std::path::Path;
use std::time::Duration;

use crate::peers::{LIMIT, Onair, ffmpeg, missing, wait_for};
use onair::audio::AudioChoice;
use onair::base::Clock;
use onair::capture::text::Content;
use onair::capture::{ColorSource, Rgba, VideoChoice};
use onair::compose::filter::{Filter, Slot};
use onair::compose::scene::{Fit, ItemId, MAX_DEPTH, Placement, SourceId};
use onair::compose::transition::{Kind, Stinger, Transition};
use onair::media::{Size, markers};
use onair::mix::StripId;
use onair::studio::snapshot::SourceState;
use onair::studio::{
    AudioStrip, Collection, Command, Config, Edit, Event, MAX_STRIPS, Quality, Settings, Studio,
};

const PROGRAM: Size = Size::new(640, 360);

/// Writes a small image of one color.
fn picture(path: &Path) {
    image::RgbImage::from_pixel(16, 16, image::Rgb([200, 30, 30])).save(path).unwrap();
}

/// Writes a second of gray video as Y4M.
fn clip(path: &Path) {
    let mut bytes = b"YUV4MPEG2 W16 H16 F15:1 C420\n".to_vec();
    for _ in 0..15 {
        bytes.extend_from_slice(b"FRAME\n");
        bytes.extend_from_slice(&[128; 16 * 16 * 3 / 2]);
    }
    fs::write(path, bytes).unwrap();
}

/// One scene with these sources, named by number.
fn collection(choices: &[VideoChoice]) -> Collection {
    let mut collection = Collection::default();
    let scene = collection.current;
    for (choice, number) in choices.iter().zip(1..) {
        let edit = Edit::AddSource { scene, name: format!("{number}"), choice: choice.clone() };
        assert!(collection.apply(&edit));
    }
    collection
}

/// The notices about what cannot be opened: the key, the source or file, and the notice's ID.
fn failures(studio: &Studio) -> Vec<(&'static str, String, u64)> {
    let notices = studio.snapshot().notices;
    let failed = notices.iter().filter(|it| it.key().ends_with("-failed"));
    let of = |it: &onair::studio::Notice| it.value("source").or_else(|| it.value("path"));
    failed.map(|it| (it.key(), of(it).unwrap(), it.id)).collect()
}

/// Two seconds of the test source and its tone.
fn record(path: &Path) {
    let recorded = path.display().to_string();
    let words = ["live", "--video", "test", "--audio", "tone", "--size", "640x360", "--fps", "15"];
    let till = ["--record", recorded.as_str(), "--duration", "2s"];
    let words: Vec<&str> = words.into_iter().chain(till).collect();
    Onair::start(&words).wait_named("summary");
}

/// A studio with the test source and silence.
fn quiet(settings: Settings) -> Studio {
    let settings = Settings {
        video: Some(VideoChoice::Test),
        audio: Some(AudioChoice::Silence),
        quality: Quality { size: PROGRAM, frame_rate: "15".parse().unwrap(), ..Quality::default() },
        ..settings
    };
    Studio::start(Config::new(Clock::start(), settings)).unwrap()
}

fn add(studio: &Studio, name: &str, path: &Path) {
    let (scene, name) = (Collection::default().current, name.to_owned());
    let choice = VideoChoice::File(path.to_owned());
    studio.send(Command::Edit(Edit::AddSource { scene, name, choice }));
}

#[test]
fn a_transition_is_undone_like_other_edits_and_impossible_edits_are_reported() {
    let studio = quiet(Settings::default());
    let now = || studio.snapshot().scenes.collection;
    let before = now().transition.clone();
    let slow = Transition { duration: Duration::from_secs(3), ..before.clone() };
    studio.send(Command::Edit(Edit::SetTransition(slow.clone())));
    wait_for("the transition", LIMIT, || now().transition == slow);
    studio.send(Command::Undo);
    wait_for("the one before", LIMIT, || now().transition == before);
    studio.send(Command::Redo);
    wait_for("the other one again", LIMIT, || now().transition == slow);
    // Nest groups until the depth limit refuses the next one.
    for _ in 0..MAX_DEPTH {
        let items = now().scenes[0].items.clone();
        studio.send(Command::Edit(Edit::Group(vec![items[0].id])));
        let is_refused = || studio.snapshot().notices.iter().any(|it| it.key() == "items-too-deep");
        wait_for("an answer", LIMIT, || now().scenes[0].items != items || is_refused());
    }
    let layers = now().plan(now().current).layers.len();
    assert_eq!((layers, studio.snapshot().notices.len()), (1, 1), "nothing vanished");
    let (scene, choice) = (now().current, "slides:/nonexistent.png".parse().unwrap());
    studio.send(Command::Edit(Edit::AddSource { scene, name: "Slides".into(), choice }));
    let files = vec![Edit::AddFile(SourceId(1), "/nonexistent.png".into()); 300];
    studio.send(Command::Edit(Edit::Several(files)));
    wait_for("the files beyond the limit", LIMIT, || {
        let notices = studio.snapshot().notices;
        notices.iter().any(|it| it.key() == "edit-left-out" && it.value("count").unwrap() == "100")
    });
    assert_eq!(now().sources[0].properties.files.len(), 200);
    let add = Edit::AddFile(SourceId(1), "/nonexistent.png".into());
    studio.send(Command::Edit(add));
    let reason = "the source would have too many files.";
    for start in ["onair left out 100 of 300 changes", "Cannot do this"] {
        wait_for("the reason", LIMIT, || {
            let notices = studio.snapshot().notices;
            let found = notices.iter().find(|it| it.summary() == format!("{start}: {reason}"));
            found.is_some_and(|it| it.advice().starts_with("Remove files"))
        });
    }
    studio.end(LIMIT).unwrap();
}

#[test]
fn a_clip_whose_file_appears_after_it_was_added_is_audible() {
    let folder = tempfile::tempdir().unwrap();
    let (recording, clip) = (folder.path().join("recorded.mkv"), folder.path().join("clip.mkv"));
    record(&recording);
    let studio = quiet(Settings::default());
    add(&studio, "Clip", &clip);
    wait_for("the source", LIMIT, || failures(&studio).len() == 1);
    let strip = || studio.snapshot().strips.get(1).map(|it| (it.name.clone(), it.state));
    assert_eq!(strip(), Some(("Clip".to_owned(), SourceState::Failed)));
    fs::rename(&recording, &clip).unwrap();
    wait_for("its sound", LIMIT, || {
        let snapshot = studio.snapshot();
        snapshot.strips.get(1).is_some_and(|strip| strip.meter.peak_dbfs > -30.0)
    });
    wait_for("what was told to be taken back", LIMIT, || failures(&studio).is_empty());
    studio.end(LIMIT).unwrap();
}

#[test]
fn a_clip_without_a_strip_is_reported_once() {
    let strip = |id| AudioStrip::new(StripId(id), AudioChoice::Silence);
    let others = (1..).map(strip).take(MAX_STRIPS - 1);
    let strips = [AudioStrip::main()].into_iter().chain(others).collect();
    let studio = quiet(Settings { strips, ..Settings::default() });
    let reported = || -> Vec<String> {
        let notices = studio.snapshot().notices;
        let reported = notices.iter().filter(|it| it.key() == "scene-no-strip");
        reported.filter_map(|it| it.value("source")).collect()
    };
    add(&studio, "First", Path::new("/nonexistent/1.mkv"));
    wait_for("the first", LIMIT, || reported() == ["First"]);
    add(&studio, "Second", Path::new("/nonexistent/2.mkv"));
    wait_for("the second in its place", LIMIT, || reported() == ["Second"]);
    assert_eq!(studio.snapshot().strips.len(), MAX_STRIPS);
    studio.send(Command::RemoveStrip(StripId(1)));
    wait_for("room", LIMIT, || reported().is_empty());
    studio.end(LIMIT).unwrap();
}

#[test]
fn layers_that_are_not_drawn_are_reported_for_the_program_and_the_preview() {
    let mut collection = Collection::default();
    let scene = collection.current;
    assert!(collection.apply(&Edit::AddScene("Crowd".into())));
    let crowd = collection.scenes[1].id;
    for (scene, count) in [(scene, 256), (crowd, 257)] {
        let have = collection.scene(scene).unwrap().items.len();
        for _ in have..count {
            let mut item = collection.scenes[0].items[0].clone();
            item.id.0 = 1_000 + collection.item_count() as u32;
            collection.scenes.iter_mut().find(|it| it.id == scene).unwrap().items.push(item);
        }
    }
    let studio = quiet(Settings { collection, ..Settings::default() });
    let reported = || -> Vec<String> {
        let notices = studio.snapshot().notices;
        let reported = notices.iter().filter(|it| it.key() == "scene-crowded");
        reported.filter_map(|it| it.value("scene")).collect()
    };
    studio.send(Command::SetPreviewScene(Some(crowd)));
    wait_for("the preview scene", LIMIT, || reported() == ["Crowd"]);
    let top = studio.snapshot().scenes.collection.scenes[1].items[256].id;
    studio.send(Command::Edit(Edit::HideItem(top, true)));
    wait_for("it fits", LIMIT, || reported().is_empty());
    studio.send(Command::Edit(Edit::HideItem(top, false)));
    wait_for("it does not", LIMIT, || reported() == ["Crowd"]);
    studio.end(LIMIT).unwrap();
}

#[test]
fn files_that_are_missing_at_first_are_shown_and_played_when_they_appear() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let recording = path("recorded.mkv");
    record(&recording);

    fs::write(path("wrong.png"), "no picture").unwrap();
    let media = path("media.mkv");
    let sources = [
        VideoChoice::Image(path("logo.png")),
        VideoChoice::Text(Content::File(path("score.txt"))),
        VideoChoice::Slides(path("album")),
        VideoChoice::File(media.clone()),
        VideoChoice::Image(path("wrong.png")),
    ];
    let media_strip = AudioStrip::new(StripId(1), AudioChoice::File(media.clone()));
    let settings = Settings {
        video: Some(VideoChoice::File(path("main.y4m"))),
        audio: Some(AudioChoice::Silence),
        collection: collection(&sources),
        strips: vec![AudioStrip::main(), media_strip],
        quality: Quality { size: PROGRAM, frame_rate: "15".parse().unwrap(), ..Quality::default() },
        ..Settings::default()
    };
    let studio = Studio::start(Config::new(Clock::start(), settings)).unwrap();
    // A source that is both seen and heard fails with one notice.
    wait_for("six failures", LIMIT, || failures(&studio).len() == 6);
    let states = || -> Vec<SourceState> {
        let snapshot = studio.snapshot();
        let strip = snapshot.strips.iter().skip(1).map(|strip| strip.state);
        snapshot.scenes.sources.iter().map(|source| source.state).chain(strip).collect()
    };
    assert_eq!(states(), [SourceState::Failed; 7]);
    // Retrying replaces the notice.
    let last = failures(&studio).iter().map(|it| it.2).max().unwrap();
    studio.send(Command::TryAgain);
    wait_for("an answer", LIMIT, || failures(&studio).iter().any(|it| it.1 == "4" && it.2 > last));
    assert_eq!(failures(&studio).len(), 6, "{:?}", failures(&studio));

    fs::create_dir(path("album")).unwrap();
    picture(&path("album/1.png"));
    picture(&path("logo.png"));
    fs::write(path("score.txt"), "3 : 2").unwrap();
    clip(&path("main.y4m"));
    fs::rename(&recording, &media).unwrap();
    // The sources open automatically and their notices disappear. The file that is no image still
    // fails.
    wait_for("all but one", LIMIT, || {
        let [rest @ .., wrong, strip] = &states()[..] else { return false };
        let open = rest.iter().chain([strip]).all(|state| *state == SourceState::Open);
        open && *wrong == SourceState::Failed && failures(&studio).len() == 1
    });
    let [(key, source, notice_id)] = &failures(&studio)[..] else { panic!() };
    assert_eq!((*key, source.as_str()), ("scene-source-failed", "5"));

    // *Try again* always gets an answer.
    studio.send(Command::TryAgain);
    wait_for("an answer", LIMIT, || failures(&studio).iter().any(|(.., id)| id > notice_id));
    assert_eq!(failures(&studio).len(), 1);
    picture(&path("wrong.png"));
    wait_for("the last one", LIMIT, || states() == [SourceState::Open; 7]);
    wait_for("the last notice", LIMIT, || failures(&studio).is_empty());
    studio.end(LIMIT).unwrap();
}

#[test]
fn a_missing_slide_is_reported_until_it_appears_or_is_found_elsewhere() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    picture(&path("first.png"));
    picture(&path("moved.png"));
    let mut slides = collection(&[VideoChoice::Slides(path("first.png"))]);
    let source = SourceId(1);
    for name in ["second.png", "third.png"] {
        assert!(slides.apply(&Edit::AddFile(source, path(name))));
    }
    let studio = quiet(Settings { collection: slides, ..Settings::default() });
    let reported = || -> Vec<(&'static str, String, String)> {
        let notices = studio.snapshot().notices;
        let reported = notices.iter().filter(|it| it.key().ends_with("-left-out"));
        reported
            .map(|it| (it.key(), it.value("source").unwrap(), it.value("path").unwrap()))
            .collect()
    };
    let second = path("second.png").display().to_string();
    let third = path("third.png").display().to_string();
    let one = |path: &str| vec![("scene-file-left-out", "1".to_owned(), path.to_owned())];
    let two = vec![("scene-files-left-out", "1".to_owned(), second)];
    wait_for("both", LIMIT, || reported() == two);
    let state = || studio.snapshot().scenes.sources.iter().find(|it| it.id == source).cloned();
    wait_for("the first slide", LIMIT, || state().is_some_and(|it| it.state == SourceState::Open));
    assert!(state().unwrap().file_problem(&path("second.png")).is_some());
    // Choosing a new place for one file leaves only the notice of the other.
    let (old, new) = (path("second.png"), path("moved.png"));
    studio.send(Command::Edit(Edit::ReplaceFile { source, index: 0, old, new }));
    wait_for("the other alone", LIMIT, || reported() == one(&third));
    studio.send(Command::Edit(Edit::RenameSource(source, "Album".into())));
    wait_for("its new name", LIMIT, || reported().first().is_some_and(|it| it.1 == "Album"));
    assert_eq!(reported().len(), 1);
    picture(&path("third.png"));
    wait_for("nothing to tell", LIMIT, || reported().is_empty());
    assert!(state().unwrap().left_out.is_empty());
    // A file that disappears while it is shown gives a notice too.
    fs::remove_file(path("moved.png")).unwrap();
    wait_for("it is missed", LIMIT, || reported().len() == 1);
    studio.send(Command::Edit(Edit::RemoveItem(ItemId(2))));
    wait_for("what is told goes with its source", LIMIT, || reported().is_empty());
    studio.end(LIMIT).unwrap();
}

#[test]
fn missing_files_of_filters_and_transitions_are_reported_until_they_appear() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let (mask, table, clip) = (path("mask.png"), path("look.cube"), path("swoosh"));
    let slot = |kind: &str, file: &Path| {
        let mut filter = Filter::of_kind(kind).unwrap();
        assert!(filter.set_file(file.to_owned()));
        Slot { enabled: true, filter }
    };
    fs::write(&table, "LUT_1D_SIZE 2\n0 0 0\n").unwrap();
    let white = || VideoChoice::Color(ColorSource::plain(Rgba::opaque(255, 255, 255)));
    let mut scenes = collection(&[white(), white()]);
    let (one, two) = (SourceId(1), SourceId(2));
    assert!(scenes.apply(&Edit::SetFilters(one, vec![slot("mask", &mask)])));
    let both = vec![slot("mask", &mask), slot("lut", &table)];
    assert!(scenes.apply(&Edit::SetFilters(two, both)));
    let kind = Kind::Stinger(Stinger { file: clip.clone(), ..Stinger::default() });
    assert!(scenes.apply(&Edit::SetTransition(Transition { kind, ..Transition::default() })));
    let studio = quiet(Settings { collection: scenes, ..Settings::default() });
    // The key, the subject, and the notice's ID.
    let reported = || {
        let mut reported = failures(&studio);
        reported.sort();
        reported
    };
    let keys = || reported().into_iter().map(|it| it.0).collect::<Vec<_>>();
    let all = ["filter-failed", "mask-failed", "transition-failed"];
    wait_for("three failures", LIMIT, || keys() == all);
    let whose: Vec<String> = reported().into_iter().take(2).map(|it| it.1).collect();
    assert_eq!(whose, ["2", "1, 2"]);
    let scenes = || studio.snapshot().scenes;
    let is_missing = |id, path: &Path| {
        scenes().source(id).is_some_and(|source| source.filter_problem(path).is_some())
    };
    assert!(
        is_missing(one, &mask)
            && is_missing(two, &mask)
            && is_missing(two, &table)
            && !is_missing(one, &table)
    );
    assert!(scenes().transition_problem(&clip).is_some());
    // The white sources are not visible: a placeholder is dark.
    let brightest = || {
        let frame = studio.program().get()?;
        frame.planes().y.iter().max().copied()
    };
    wait_for("a slate", LIMIT, || brightest().is_some_and(|luma| luma < 150));

    // *Try again* always gets an answer.
    let last = reported().into_iter().map(|it| it.2).max().unwrap();
    studio.send(Command::TryAgain);
    wait_for("three answers", LIMIT, || {
        let reported = reported();
        reported.len() == 3 && reported.iter().all(|it| it.2 > last)
    });
    // Files that appear or are repaired are used automatically, and their notices end.
    image::RgbaImage::from_pixel(4, 4, image::Rgba([255; 4])).save(&mask).unwrap();
    wait_for("no mask is missing", LIMIT, || keys() == ["filter-failed", "transition-failed"]);
    assert!(!is_missing(one, &mask) && !is_missing(two, &mask));
    wait_for("white", LIMIT, || brightest() > Some(200));
    fs::write(&table, "LUT_1D_SIZE 2\n1 1 1\n0 0 0\n").unwrap();
    wait_for("the table", LIMIT, || keys() == ["transition-failed"]);
    wait_for("black", LIMIT, || brightest().is_some_and(|luma| luma < 60));
    fs::create_dir(path("new")).unwrap();
    picture(&path("new/1.png"));
    fs::rename(path("new"), &clip).unwrap();
    wait_for("the clip", LIMIT, || keys().is_empty());
    assert!(scenes().transition_problem(&clip).is_none());
    // A missing file that nothing uses any more gives no notice.
    let gone = path("gone.png");
    let set = |slots| studio.send(Command::Edit(Edit::SetFilters(one, slots)));
    set(vec![slot("mask", &gone)]);
    wait_for("another failure", LIMIT, || keys() == ["mask-failed"]);
    let off = Slot { enabled: false, ..slot("mask", &gone) };
    set(vec![off]);
    wait_for("it is switched off", LIMIT, || keys().is_empty());
    studio.end(LIMIT).unwrap();
}

#[test]
fn notices_about_a_source_end_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let absent = VideoChoice::Image(folder.path().join("absent.png"));
    let settings = Settings {
        video: Some(VideoChoice::Test),
        audio: Some(AudioChoice::Silence),
        collection: collection(&[absent, VideoChoice::Image("/nonexistent.png".into())]),
        ..Settings::default()
    };
    let studio = Studio::start(Config::new(Clock::start(), settings)).unwrap();
    let reported = || -> Vec<String> { failures(&studio).into_iter().map(|it| it.1).collect() };
    wait_for("two failures", LIMIT, || reported() == ["1", "2"]);
    studio.send(Command::Edit(Edit::RenameSource(SourceId(1), "Logo".into())));
    wait_for("its new name", LIMIT, || reported() == ["2", "Logo"]);
    let here = folder.path().join("here.png");
    picture(&here);
    studio.send(Command::Edit(Edit::SetSource(SourceId(1), VideoChoice::Image(here))));
    wait_for("one that is there", LIMIT, || reported() == ["2"]);
    studio.send(Command::Edit(Edit::RemoveItem(ItemId(3))));
    wait_for("nothing more to tell", LIMIT, || reported().is_empty());
    studio.end(LIMIT).unwrap();
}

/// The times coded in the bands of a file's frames.
fn times(file: &Path) -> Vec<u64> {
    let luma = ffmpeg::luma(file);
    let pictures = luma.chunks_exact(PROGRAM.pixels());
    let stride = PROGRAM.width as usize;
    let band = |luma| markers::read_band(luma, stride, PROGRAM);
    pictures.map(|luma| band(luma).expect("a band that cannot be read: torn")).collect()
}

/// All edits to visible sources, in this order.
fn edits() -> Vec<Edit> {
    let scene = Collection::default().current;
    let (item, source) = (ItemId(2), SourceId(1));
    let at = |x: f64| Placement {
        x,
        y: 0.25,
        width: 0.25,
        height: 0.25,
        fit: Fit::Stretch,
        ..Placement::default()
    };
    let color = |red| VideoChoice::Color(ColorSource::plain(Rgba::opaque(red, 0, 0)));
    let add = Edit::AddSource { scene, name: "Box".into(), choice: color(200) };
    // Before it has its place, it would hide the band.
    let mut edits = vec![Edit::Several(vec![add, Edit::SetPlace(item, at(0.25))])];
    edits.extend((1..=20).map(|step| Edit::SetPlace(item, at(0.25 + 0.02 * f64::from(step)))));
    edits.extend([true, false].map(|hidden| Edit::HideItem(item, hidden)));
    for kind in ["blur", "color", "crop"] {
        let filter = Filter::of_kind(kind).unwrap();
        edits.push(Edit::SetFilters(source, vec![Slot { enabled: true, filter }]));
    }
    edits.push(Edit::SetFilters(source, Vec::new()));
    edits.push(Edit::SetSource(source, color(90)));
    let words = |words: &str| VideoChoice::Text(Content::Words(words.into()));
    edits.extend(["one", "two"].map(|it| Edit::SetSource(source, words(it))));
    edits.push(Edit::RenameSource(source, "Words".into()));
    edits.push(Edit::SetOpacity(item, 0.5));
    edits.push(Edit::DuplicateItem(item));
    edits.push(Edit::MoveItem(ItemId(3), 1));
    edits.push(Edit::RemoveItem(item));
    edits
}

#[test]
fn sources_are_changed_on_air_without_a_lost_or_torn_frame() {
    crate::peers::in_real_time!(sources_are_changed_on_air_without_a_lost_or_torn_frame);
    if missing(&["ffmpeg"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("out.mkv");
    let settings = Settings {
        video: Some(VideoChoice::Test),
        audio: Some(AudioChoice::Tone),
        quality: Quality { size: PROGRAM, frame_rate: "15".parse().unwrap(), ..Quality::default() },
        ..Settings::default()
    };
    let mut studio = Studio::start(Config::new(Clock::start(), settings)).unwrap();
    let events = studio.events().unwrap();
    studio.send(Command::StartRecording(file.clone()));
    let (mut left, mut skipped, mut strained) = (edits().into_iter(), 0, false);
    let mut expected = Collection::default();
    loop {
        match events.recv_timeout(LIMIT).unwrap() {
            Event::Stats(stats) => {
                skipped = stats.video.map_or(0, |video| video.skipped);
                // Some each second, between frames.
                let mut any = false;
                for edit in left.by_ref().take(8) {
                    assert!(expected.apply(&edit), "{edit:?}");
                    studio.send(Command::Edit(edit));
                    // One after the other, each at an arbitrary point within a frame.
                    let done = || *studio.snapshot().scenes.collection == expected;
                    wait_for("an edit", LIMIT, done);
                    any = true;
                }
                if !any {
                    studio.send(Command::StopRecording);
                }
            }
            Event::Notice(notice) => {
                strained |= notice.key() == "degradation-rate";
                assert!(!notice.key().ends_with("-failed"), "{notice:?}");
            }
            Event::Stopped => break,
            _ => {}
        }
    }
    assert_eq!(*studio.snapshot().scenes.collection, expected);
    studio.end(LIMIT).unwrap();
    let times = times(&file);
    assert!(times.len() > 40, "{}", times.len());
    // At 15 fps, 66 or 67 ms from one frame to the next.
    let missing = times.windows(2).map(|pair| {
        assert!(pair[1] >= pair[0], "{pair:?}");
        (((pair[1] - pair[0]) as f64 * 15.0 / 1_000.0).round() as u64).saturating_sub(1)
    });
    let missing: u64 = missing.sum();
    // A machine that cannot keep up repeats frames, and the figures say so.
    let repeated = times.windows(2).filter(|pair| pair[0] == pair[1]).count() as u64;
    assert!(repeated == 0 || strained, "{repeated}");
    assert!(missing <= skipped + repeated, "{missing} are missing, {skipped} + {repeated} known");
}
