//! Tests of the camera's watchdog with simulated cameras.

use std::collections::BTreeMap;

use super::*;
use crate::base::queue::Receiver;
use crate::capture::camera::backend::fake::FakeCameras;
use crate::capture::camera::control::CameraControl;
use crate::media::feed::OpenDecoder;
use crate::media::source_status::SourceReport;
use crate::media::{FrameGrid, FrameRate, Size};

const FRAME_SIZE: Size = Size::new(4, 2);
const NV12_FRAME: [u8; 12] = [77; 12];

fn found(id: &str) -> FoundCamera {
    let offer = OfferedCamera { size: FRAME_SIZE, rate: (30, 1), pixel: Pixel::Nv12 };
    let id_there = format!("{id}-at-1");
    FoundCamera {
        id: id.to_owned(),
        id_there,
        name: format!("The {id}"),
        offers: vec![offer],
        fault: None,
    }
}

fn open_fake(id: Option<&str>, bench: &FakeCameras) -> (Source, Receiver<SourceReport>, Clock) {
    open_as(id, Mode::default(), bench)
}

fn open_as(
    id: Option<&str>,
    mode: Mode,
    bench: &FakeCameras,
) -> (Source, Receiver<SourceReport>, Clock) {
    open_by(id, mode, bench, FrameDecoder::default())
}

fn open_by(
    id: Option<&str>,
    mode: Mode,
    bench: &FakeCameras,
    unpacker: FrameDecoder,
) -> (Source, Receiver<SourceReport>, Clock) {
    let clock = Clock::start();
    let grid = FrameGrid { origin: Timestamp::ZERO, rate: FrameRate::FPS_30 };
    let context = Context { clock, grid, size: FRAME_SIZE };
    let choice = CameraChoice { id: id.map(str::to_owned), mode };
    let source =
        open(Arc::new(bench.clone()), choice, (bench.board(), unpacker), &context).unwrap();
    let changes = source.status.changes().unwrap();
    (source, changes, clock)
}

/// Waits for the next report in this state, while the camera delivers frames.
fn await_state(
    bench: &FakeCameras,
    changes: &Receiver<SourceReport>,
    state: SourceState,
    data: &[u8],
) -> SourceReport {
    for _ in 0..6_000 {
        bench.shoot("cam", data);
        if let Ok(report) = changes.recv_timeout(Duration::from_millis(5))
            && report.state == state
        {
            return report;
        }
    }
    panic!("never {state:?}");
}

/// Waits for the first frame from the camera. After a stall of the computer, an old frame does not
/// count.
fn await_frame(bench: &FakeCameras, source: &mut Source, clock: Clock, data: &[u8]) -> VideoFrame {
    for _ in 0..6_000 {
        bench.shoot("cam", data);
        if let Some(frame) = source.feed.frame(clock.now()) {
            return frame;
        }
        Stop::new().wait(Duration::from_millis(5));
    }
    panic!("no picture");
}

#[test]
fn a_camera_that_is_unplugged_is_taken_back() {
    let bench = FakeCameras::default();
    bench.plug(found("cam"));
    bench.plug(found("other"));
    let (mut source, changes, clock) = open_fake(None, &bench);
    let open = await_state(&bench, &changes, SourceState::Open, &NV12_FRAME);
    assert_eq!((open.id.as_str(), open.name.as_str()), ("cam", "The cam"));
    assert_eq!(open.format, SourceFormat::Video { size: FRAME_SIZE, fps: 30.0 });
    let frame = await_frame(&bench, &mut source, clock, &NV12_FRAME);
    assert!(frame.planes().y.iter().all(|&y| y == 77));
    assert!(frame.pts < clock.now());
    assert!(source.feed.frame(clock.now() + STALLED_AFTER).is_none(), "an old picture is none");
    bench.unplug("cam");
    let lost = await_state(&bench, &changes, SourceState::Lost, &NV12_FRAME);
    assert!(lost.reason.to_string().contains("The cam"), "{}", lost.reason);
    // The other camera does not replace the selected one.
    bench.plug(found("cam"));
    assert_eq!(await_state(&bench, &changes, SourceState::Open, &NV12_FRAME).id, "cam");
}

#[test]
fn the_last_column_and_row_of_an_odd_size_are_cut() {
    let bench = FakeCameras::default();
    let offer = OfferedCamera { size: Size::new(5, 3), rate: (30, 1), pixel: Pixel::Y16Be };
    bench.plug(FoundCamera { offers: vec![offer], ..found("cam") });
    let mode = "5x3".parse().unwrap();
    let (mut source, changes, clock) = open_as(None, mode, &bench);
    let row = |bright: u8| [[bright, 9]; 4].concat().into_iter().chain([255, 255]);
    let pixels: Vec<u8> = row(40).chain(row(80)).chain(row(255)).collect();
    let open = await_state(&bench, &changes, SourceState::Open, &pixels);
    assert_eq!(open.format, SourceFormat::Video { size: Size::new(4, 2), fps: 30.0 });
    assert_eq!(open.alarm, None, "it is the one that was chosen");
    let frame = await_frame(&bench, &mut source, clock, &pixels);
    assert_eq!(frame.size(), Size::new(4, 2));
    assert_eq!(frame.planes().y, [40, 40, 40, 40, 80, 80, 80, 80]);
}

/// A test decoder. After a start marker, the last byte of its data is the brightness, and the byte
/// before it is the size of the frame.
#[derive(Default)]
struct Pretended(bool);

impl OpenDecoder for Pretended {
    fn unpack(&mut self, data: &[u8]) -> Result<Option<VideoFrame>, String> {
        let &[kind, width, luma] = data else { return Err("no picture".to_owned()) };
        self.0 |= kind == b'I';
        let mut planes = Planes::black(Size::new(width.into(), 2));
        planes.y.fill(luma);
        let planes = Arc::new(crate::base::Pooled::unpooled(planes));
        let frame = VideoFrame {
            pts: Timestamp::ZERO,
            color: crate::media::Color::PROGRAM,
            surface: planes.into(),
        };
        Ok(Some(frame).filter(|_| self.0))
    }
}

#[test]
fn what_comes_as_h264_is_decoded_by_who_can_from_its_first_frame_on() {
    let bench = FakeCameras::default();
    let h264 = OfferedCamera { size: FRAME_SIZE, rate: (30, 1), pixel: Pixel::H264 };
    bench.plug(FoundCamera { offers: vec![h264], ..found("cam") });
    let unpacker = FrameDecoder::new(|| Box::new(Pretended::default()));
    let (mut source, changes, clock) = open_by(Some("cam"), Mode::default(), &bench, unpacker);
    // The first frame of a session is not shown, but later frames depend on it.
    while !bench.shoot("cam", b"I\x04\x50") {
        Stop::new().wait(Duration::from_millis(5));
    }
    let open = await_state(&bench, &changes, SourceState::Open, b"P\x04\x63");
    assert_eq!(open.format, SourceFormat::Video { size: FRAME_SIZE, fps: 30.0 });
    let frame = await_frame(&bench, &mut source, clock, b"P\x04\x63");
    assert!(frame.planes().y.iter().all(|&y| y == 0x63));
    assert!(frame.pts > Timestamp::ZERO, "when it was taken");
    // Damaged data costs frames, and frames of another size are dropped.
    let failed = await_state(&bench, &changes, SourceState::Failed, b"P\x08\x63");
    assert!(failed.detail.contains("8x2 instead of 4x2"), "{failed:?}");
    drop(source);

    // Without a decoder, another format is used, or its absence is reported.
    let (_source, changes, _) =
        open_by(Some("cam"), Mode::default(), &bench, FrameDecoder::default());
    let failed = await_state(&bench, &changes, SourceState::Failed, b"I\x04\x63");
    assert_eq!(failed.reason.id(), "device-camera-format", "{failed:?}");
    bench.unplug("cam");
    let nv12 = OfferedCamera { pixel: Pixel::Nv12, ..h264 };
    bench.plug(FoundCamera { offers: vec![h264, nv12], ..found("cam") });
    await_state(&bench, &changes, SourceState::Open, &NV12_FRAME);
}

#[test]
fn a_camera_that_stalls_is_woken_and_opened_afresh() {
    let bench = FakeCameras::default();
    bench.plug(found("cam"));
    let (_source, changes, _) = open_fake(Some("cam"), &bench);
    await_state(&bench, &changes, SourceState::Open, &NV12_FRAME);
    let stalled = loop {
        // No frame is read now.
        let report = changes.recv_timeout(Duration::from_secs(30)).unwrap();
        if report.state == SourceState::Stalled {
            break report;
        }
    };
    assert!(!stalled.reason.is_empty());
    await_state(&bench, &changes, SourceState::Open, &NV12_FRAME);
    drop(bench);
}

fn control(name: &str, span: Span, value: i64) -> CameraControl {
    let (name, title) = (name.to_owned(), name.to_owned());
    CameraControl { name, title, span, default: 1, value, active: true }
}

#[test]
fn a_camera_is_set_when_it_delivers_again_when_it_returns_and_back_to_its_defaults() {
    let bench = FakeCameras::default();
    let number = |most| Span::Number { least: 0, most, step: 1 };
    bench.equip(vec![control("absolute", number(100), 1), control("zoom_auto", Span::Switch, 1)]);
    let set = |values: &[(&str, i64)]| -> BTreeMap<String, WantedControls> {
        let values = values.iter().map(|(name, value)| ((*name).to_owned(), *value));
        [("cam".to_owned(), values.collect())].into()
    };
    let board = bench.board();
    board.want(&set(&[("absolute", 400), ("zoom_auto", 0), ("unknown", 3)]));
    bench.plug(found("cam"));
    let (_source, changes, _) = open_fake(Some("cam"), &bench);
    // Waits for this many settings, while the camera delivers frames.
    let taken = |count: usize| {
        let mut all = Vec::new();
        for _ in 0..6_000 {
            bench.shoot("cam", &NV12_FRAME);
            all.extend(bench.taken());
            if all.len() >= count {
                return all;
            }
            Stop::new().wait(Duration::from_millis(5));
        }
        panic!("only {all:?}");
    };
    let named = |name: &str, value| (name.to_owned(), value);
    let mut first = taken(3);
    // The automatic mode comes first, because it decides whether the number may be set. An unknown
    // control is harmless.
    assert_eq!(first.remove(0), named("zoom_auto", Some(0)));
    first.sort();
    assert_eq!(first, [named("absolute", Some(400)), named("unknown", Some(3))]);
    let value = |name: &str| {
        let listed = board.listed();
        let controls = listed.get("cam")?;
        controls.iter().find(|it| it.name == name).map(|it| it.value)
    };
    let settles = |name: &str, want: Option<i64>| {
        (0..6_000).any(|_| {
            bench.shoot("cam", &NV12_FRAME);
            Stop::new().wait(Duration::from_millis(5));
            value(name) == want
        })
    };
    assert!(settles("absolute", Some(100)), "the nearest that it takes: {:?}", value("absolute"));
    // One control gets another value, and another control is no longer set.
    board.want(&set(&[("absolute", 40), ("unknown", 3)]));
    let mut then = taken(2);
    then.sort();
    assert_eq!(then, [named("absolute", Some(40)), named("zoom_auto", None)]);
    assert!(settles("zoom_auto", Some(1)));
    // After replugging, the camera has its driver's defaults, and the wanted values are set again.
    bench.unplug("cam");
    await_state(&bench, &changes, SourceState::Lost, &NV12_FRAME);
    assert!(settles("absolute", None), "gone");
    bench.plug(found("cam"));
    assert!(taken(2).contains(&named("absolute", Some(40))));
}

#[test]
fn a_chosen_format_is_used_and_its_loss_is_reported() {
    let bench = FakeCameras::default();
    let small = OfferedCamera { size: FRAME_SIZE, rate: (30, 1), pixel: Pixel::Nv12 };
    let large = OfferedCamera { size: Size::new(8, 4), ..small };
    bench.plug(FoundCamera { offers: vec![small, large], ..found("cam") });
    let mode = Mode { size: Some(large.size), ..Mode::default() };
    let (source, changes, _) = open_as(Some("cam"), mode, &bench);
    let open = await_state(&bench, &changes, SourceState::Open, &[77; 48]);
    assert_eq!(open.format, SourceFormat::Video { size: large.size, fps: 30.0 });
    assert_eq!(source.status.report().alarm, None);
    let listed = bench.board().formats();
    assert_eq!(listed["cam"].iter().map(Mode::of).filter(|it| it.size == mode.size).count(), 1);
    // The camera returns without the control.
    bench.unplug("cam");
    await_state(&bench, &changes, SourceState::Lost, &NV12_FRAME);
    bench.plug(FoundCamera { offers: vec![small], ..found("cam") });
    let open = await_state(&bench, &changes, SourceState::Open, &NV12_FRAME);
    assert_eq!(open.format, SourceFormat::Video { size: FRAME_SIZE, fps: 30.0 });
    let has_alarm = (0..6_000).any(|_| {
        bench.shoot("cam", &NV12_FRAME);
        Stop::new().wait(Duration::from_millis(5));
        source.status.report().alarm == Some(SourceAlarm::OtherFormat)
    });
    assert!(has_alarm);
}

#[test]
fn what_onair_itself_has_just_closed_is_waited_for() {
    let bench = FakeCameras::default();
    bench.refuse(Some(Fault::Ours("EBUSY".into())));
    bench.plug(found("cam"));
    let (source, changes, _) = open_fake(Some("cam"), &bench);
    // The attempt was made and rejected, without a report.
    while bench.asked() == 0 {
        Stop::new().wait(Duration::from_millis(5));
    }
    bench.refuse(None);
    await_state(&bench, &changes, SourceState::Open, &NV12_FRAME);
    assert!(source.status.report().reason.is_empty());
    // A permanent problem is reported.
    let bench = FakeCameras::default();
    bench.refuse(Some(Fault::Ours("EBUSY".into())));
    bench.plug(found("cam"));
    let (_source, changes, _) = open_fake(Some("cam"), &bench);
    let failed = await_state(&bench, &changes, SourceState::Failed, &NV12_FRAME);
    assert_eq!(failed.reason.id(), "device-open-twice");
}

#[test]
fn busy_refused_missing_and_faulty_cameras_give_their_reason() {
    let bench = FakeCameras::default();
    let (_source, changes, _) = open_fake(Some("cam"), &bench);
    // A report with a new name may come before the report with the new reason.
    let says = |id: &str, data: &[u8]| {
        (0..3).any(|_| await_state(&bench, &changes, SourceState::Failed, data).reason.id() == id)
    };
    assert!(says("device-absent", &NV12_FRAME));
    bench.refuse(Some(Fault::Busy("EBUSY".into())));
    bench.plug(found("cam"));
    assert!(says("device-busy", &NV12_FRAME));
    bench.refuse(Some(Fault::Refused("EACCES".into())));
    assert!(says("device-camera-forbidden", &NV12_FRAME));
    bench.refuse(None);
    assert!(says("device-camera-other-format", &[1, 2, 3]));
    bench.unplug("cam");
    let fault = Some(Fault::Format("GREY".into()));
    bench.plug(FoundCamera { offers: Vec::new(), fault, ..found("cam") });
    assert!(says("device-camera-format", &NV12_FRAME));
    bench.unplug("cam");
    bench.plug(found("cam"));
    assert_eq!(bench.woken(), 0);
    await_state(&bench, &changes, SourceState::Open, &NV12_FRAME);
}
