//! Tests the reports of sources, and which sources continue while they are not visible.

use super::*;
use crate::media::playback_control::Position;
use crate::text::Language;

/// Starts a compositor for small frames.
fn compositor() -> Compositor {
    let clock = crate::base::Clock::start();
    let grid =
        crate::media::FrameGrid { origin: clock.now(), rate: crate::media::FrameRate::FPS_30 };
    let size = crate::media::Size::new(64, 36);
    let config = crate::compose::Config { size, grid, clock };
    Compositor::spawn(config, Default::default()).unwrap()
}

#[test]
fn alarms_of_sources_are_changes_and_are_known_when_those_close() {
    use crate::media::source_status::SourceFormat;
    let choice: VideoChoice = "camera:front".parse().unwrap();
    let source = |name: &str, choice: &VideoChoice| Source {
        id: SourceId(3),
        name: name.to_owned(),
        choice: choice.clone(),
        filters: Vec::new(),
        properties: Properties::default(),
        fallback: VideoFallback::Keep,
        record: false,
    };
    let compositor = compositor();
    let status = SourceStatus::new("front", "The camera");
    let mut opener = |_: &VideoChoice, _: &LiveProperties| {
        let feed: Box<dyn crate::media::VideoFeed> = Box::new(Nothing);
        Ok(capture::Source { feed, status: Arc::clone(&status) })
    };
    let mut sources = Sources::default();
    let mut sync = |sources: &mut Sources, wanted: &[Source]| {
        let collection = Collection { sources: wanted.to_vec(), ..Collection::default() };
        let main = (&VideoChoice::Test, &SourceReport::default());
        sources.sync(&collection, main, &mut opener, &compositor)
    };
    sync(&mut sources, &[source("Face", &choice)]);
    status.open(SourceFormat::Unknown);
    sources.changes();
    status.update(|report| report.alarm = Some(SourceAlarm::Black));
    let change = sources.changes().pop().unwrap();
    assert_eq!((change.name.as_str(), change.report.alarm), ("Face", Some(SourceAlarm::Black)));
    assert!(change.before.alarm.is_none() && sources.changes().is_empty(), "once");

    // After a rename, the alarm is reported again, and the old name is known.
    sync(&mut sources, &[source("Me", &choice)]);
    let closed = sources.closed();
    assert_eq!((closed[0].0.as_str(), closed[0].1.alarm), ("Face", Some(SourceAlarm::Black)));
    let change = sources.changes().pop().unwrap();
    assert_eq!((change.name.as_str(), change.report.alarm), ("Me", Some(SourceAlarm::Black)));
    sync(&mut sources, &[]);
    let closed = sources.closed();
    assert_eq!((closed[0].0.as_str(), closed[0].1.alarm), ("Me", Some(SourceAlarm::Black)));
    assert!(sources.closed().is_empty());
    compositor.join(std::time::Duration::from_secs(30)).unwrap();
}

#[test]
fn a_file_that_could_not_be_opened_is_tried_again_when_others_follow_it() {
    let compositor = compositor();
    let mut attempts = 0;
    let mut opener = |_: &VideoChoice, dials: &LiveProperties| {
        attempts += 1;
        if dials.transport().then().is_empty() {
            return Err("it is not there".into());
        }
        let feed: Box<dyn VideoFeed> = Box::new(Nothing);
        Ok(capture::Source { feed, status: SourceStatus::new("", "Clips") })
    };
    let mut sources = Sources::default();
    let lists: [(&[&str], usize); 4] =
        [(&[], 1), (&[], 0), (&["/b.mp4"], 0), (&["/b.mp4", "/c.mp4"], 0)];
    for (files, failures) in lists {
        let files = files.iter().map(Into::into).collect();
        let source = Source {
            id: SourceId(3),
            name: "Clips".to_owned(),
            choice: "file:/a.mp4".parse().unwrap(),
            filters: Vec::new(),
            properties: Properties { files, ..Properties::default() },
            fallback: VideoFallback::Keep,
            record: false,
        };
        let collection = Collection { sources: vec![source], ..Collection::default() };
        let main = (&VideoChoice::Test, &SourceReport::default());
        let messages = sources.sync(&collection, main, &mut opener, &compositor);
        assert_eq!(messages.len(), failures);
        let changes = sources.changes().into_iter();
        let failed: Vec<_> = changes.filter(|it| it.report.state == SourceState::Failed).collect();
        assert_eq!(failed.len(), failures, "an event for each failure");
        assert!(failed.iter().all(|it| message(it).is_none()), "the notice is known");
    }
    assert_eq!((attempts, sources.failed().count()), (2, 0));
    compositor.join(std::time::Duration::from_secs(30)).unwrap();
}

#[test]
fn a_failure_to_start_is_reported_once_for_each_reason() {
    let refused =
        |reason: &str| -> Result<((), Arc<SourceStatus>), Problem> { Err(Problem::from(reason)) };
    let states = |chosen: &mut Chosen<VideoChoice>| {
        chosen.change().map(|(report, before)| (report.state, before.state))
    };
    let both_failed = Some((SourceState::Failed, SourceState::Failed));
    let choice: VideoChoice = "file:/a.mp4".parse().unwrap();
    let (_, mut chosen, message) = settle(choice, refused("it is not there").map(Some));
    let cure = |message: Option<StudioMessage>| {
        Language::English.cure(&message.unwrap().problem()).unwrap()
    };
    assert!(cure(message).contains("as soon as it works"));
    assert_eq!(chosen.last_report.reason, Problem::from("it is not there"), "without the cure");
    assert_eq!((states(&mut chosen), states(&mut chosen)), (both_failed, None));
    assert!(retry(&mut chosen, refused("it is not there"), false).1.is_none());
    assert_eq!(states(&mut chosen), None);
    assert!(retry(&mut chosen, refused("no video"), false).1.is_some());
    assert_eq!((states(&mut chosen), states(&mut chosen)), (both_failed, None));
    let status = SourceStatus::new("", "a.mp4");
    assert!(retry(&mut chosen, Ok(((), Arc::clone(&status))), false).1.is_none());
    assert_eq!(states(&mut chosen), None, "it is being opened");
    status.open(crate::media::source_status::SourceFormat::Unknown);
    assert_eq!(states(&mut chosen), Some((SourceState::Open, SourceState::Failed)));
    let (_, _, message) = settle(VideoChoice::Test, refused("no").map(Some));
    assert!(!cure(message).contains("as soon as it works"), "onair retries only files");
}

#[test]
fn reports_about_frames_end_when_nobody_sees_them() {
    let (id, by, other) = (SourceId(3), SourceId(4), SourceId(5));
    let status = [(); 4].map(|()| SourceStatus::new("", "Camera"));
    let chosen = |index: usize| Chosen {
        choice: VideoChoice::Test,
        status: Some(Arc::clone(&status[index])),
        last_report: SourceReport::default(),
        is_failure_reported: false,
    };
    let source = |id| Source {
        id,
        name: "Camera".into(),
        choice: VideoChoice::Test,
        filters: Vec::new(),
        properties: Properties::default(),
        fallback: VideoFallback::Keep,
        record: false,
    };
    let open = |id, index| (id, Opened::new(&source(id), chosen(index), LiveProperties::default()));
    let mut sources = Sources {
        open: [open(id, 1), open(by, 2), open(other, 3)].into(),
        fallback: [(id, by)].into(),
        shared: [(SourceId(9), id)].into(),
        ..Sources::default()
    };
    let main = chosen(0);
    let after = |sources: &Sources, drawn: &[u32]| {
        for status in &status {
            status.update(|report| report.alarm = Some(SourceAlarm::Frozen));
        }
        sources.unwatch(&drawn.iter().map(|id| SourceId(*id)).collect(), &main);
        status.iter().map(|it| it.report().alarm.is_some()).collect::<Vec<_>>()
    };
    assert_eq!(after(&sources, &[]), [false; 4]);
    assert_eq!(after(&sources, &[0, 5]), [true, false, false, true]);
    // A drawn source keeps its alarm, and so does its fallback. Source 9 shares source 3.
    assert_eq!(after(&sources, &[3]), [false, true, true, false]);
    assert_eq!(after(&sources, &[9]), [false, true, false, false]);
    sources.out.insert(other);
    assert_eq!(after(&sources, &[]), [false, false, false, true], "it is stood in for");
    sources.out = [SourceId(9)].into();
    assert_eq!(after(&sources, &[]), [false, true, false, false], "one that shares it is");
    // A problem that is unrelated to its frames stays.
    status[1].update(|report| report.alarm = Some(SourceAlarm::OtherFormat));
    sources.unwatch(&BTreeSet::new(), &main);
    assert_eq!(status[1].report().alarm, Some(SourceAlarm::OtherFormat));
}

struct Nothing;

impl crate::media::VideoFeed for Nothing {
    fn frame(&mut self, _: crate::base::Timestamp) -> Option<crate::media::VideoFrame> {
        None
    }
}

/// The id of [`clip`].
const CLIP: SourceId = SourceId(3);

/// Returns a media file that behaves like this while it is hidden, and its playback control.
fn clip(when_hidden: WhenHidden) -> (Sources, Transport) {
    let choice: VideoChoice = "file:/clip.mp4".parse().unwrap();
    let properties = Properties { hidden: when_hidden, ..Properties::default() };
    let name = "Clip".to_owned();
    let (filters, fallback) = (Vec::new(), VideoFallback::Keep);
    let source = Source {
        id: CLIP,
        name,
        choice: choice.clone(),
        filters,
        properties,
        fallback,
        record: false,
    };
    let dials = LiveProperties::default();
    let transport = dials.transport();
    let opened = Opened::new(&source, Chosen::nothing(choice), dials);
    (Sources { open: [(CLIP, opened)].into(), ..Sources::default() }, transport)
}

#[test]
fn a_hidden_source_pauses_if_it_is_set_to_and_resumes() {
    let pause = [TransportCommand::Pause];
    for (when_hidden, asked_hidden, asked_back) in [
        (WhenHidden::Plays, [].as_slice(), [].as_slice()),
        (WhenHidden::Pauses, &pause, &[TransportCommand::Resume]),
        (WhenHidden::Restarts, &pause, &[TransportCommand::Resume]),
    ] {
        let (mut sources, transport) = clip(when_hidden);
        let asked = || std::iter::from_fn(|| transport.take()).collect::<Vec<_>>();
        let (shown, none) = (BTreeSet::from([CLIP]), BTreeSet::new());
        sources.attend(&shown);
        assert_eq!(asked(), [], "it plays from the beginning");
        for _ in 0..2 {
            sources.attend(&none);
            sources.attend(&none);
            assert_eq!(asked(), asked_hidden, "{when_hidden:?}");
            sources.attend(&shown);
            assert_eq!(asked(), asked_back, "{when_hidden:?}");
        }
        // A source that the user paused stays paused.
        transport.tell(Position { paused: true, ..Position::default() });
        sources.attend(&none);
        sources.attend(&shown);
        assert!(!asked().contains(&TransportCommand::Resume), "{when_hidden:?}");
    }
}

#[test]
fn what_restarts_waits_at_its_beginning_while_it_is_hidden() {
    use TransportCommand::{Pause, Restart, Resume};
    let at = |seconds| Position {
        at: std::time::Duration::from_secs(seconds),
        whole: Some(std::time::Duration::from_secs(9)),
        ..Position::default()
    };
    let paused = |seconds| Position { paused: true, ..at(seconds) };
    let ended = Position { stopped: true, ..paused(9) };
    let second_file = Position { item: Some((1, 2)), ..at(0) };
    // The position when the source is hidden and when it returns, and the commands for each.
    let cases: [(Position, &[TransportCommand], Position, &[TransportCommand]); 6] = [
        (at(4), &[Restart, Pause], paused(0), &[Resume]),
        (ended, &[Restart, Pause], paused(0), &[Resume]),
        (second_file, &[Restart, Pause], paused(0), &[Resume]),
        (at(0), &[Pause], paused(0), &[Resume]),
        // The user moves the hidden source, or has paused it before.
        (at(4), &[Restart, Pause], at(3), &[Restart, Resume]),
        (paused(4), &[Restart], paused(0), &[]),
    ];
    for (before, asked_hidden, after, asked_back) in cases {
        let (mut sources, transport) = clip(WhenHidden::Restarts);
        let asked = || std::iter::from_fn(|| transport.take()).collect::<Vec<_>>();
        let shown = BTreeSet::from([CLIP]);
        sources.attend(&shown);
        transport.tell(before);
        sources.attend(&BTreeSet::new());
        assert_eq!(asked(), asked_hidden, "{before:?}");
        transport.tell(after);
        sources.attend(&shown);
        assert_eq!(asked(), asked_back, "{before:?} {after:?}");
    }
}

#[test]
fn another_region_of_a_display_keeps_it_open() {
    let compositor = compositor();
    let mut opened = Vec::new();
    let mut opener = |choice: &VideoChoice, _: &LiveProperties| {
        opened.push(choice.to_string());
        let feed: Box<dyn crate::media::VideoFeed> = Box::new(Nothing);
        Ok(capture::Source { feed, status: SourceStatus::new("", "Screen") })
    };
    let mut sources = Sources::default();
    let steps = ["screen:wayland", "screen:wayland@64x32+0+0", "screen:wayland/2@64x32+0+0"];
    for choice in steps {
        let source = Source {
            id: SourceId(3),
            name: "Screen".to_owned(),
            choice: choice.parse().unwrap(),
            filters: Vec::new(),
            properties: Properties::default(),
            fallback: VideoFallback::Keep,
            record: false,
        };
        let collection = Collection { sources: vec![source], ..Collection::default() };
        let main = (&VideoChoice::Test, &SourceReport::default());
        sources.sync(&collection, main, &mut opener, &compositor);
        assert_eq!(sources.open[&SourceId(3)].chosen.choice.to_string(), choice);
    }
    assert_eq!(opened, [steps[0], steps[2]], "the region alone is no reason to open it again");
    compositor.join(std::time::Duration::from_secs(30)).unwrap();
}
