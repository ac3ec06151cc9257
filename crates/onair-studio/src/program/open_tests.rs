//! Tests that a device is opened once, however many items, scenes and sources show it, visible or
//! not. The tests count openings.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use super::*;
use crate::base::Pooled;
use crate::base::queue::{self, Full};
use crate::capture::{Context, Properties, VideoFallback};
use crate::compose::scene::{Content, ItemId, Placement, SceneId};
use crate::media::source_status::{SourceAlarm, SourceFormat, SourceState, SourceStatus};
use crate::media::{Color, Planes, Size, VideoFeed};
use crate::studio::scenes::edits::Edit;

/// Lets only one test count at a time.
static TEST_LOCK: Mutex<()> = Mutex::new(());
static OPENED_DEVICES: Mutex<Vec<String>> = Mutex::new(Vec::new());
static CLOSED_COUNT: AtomicUsize = AtomicUsize::new(0);
/// The number of frames that were requested twice for one instant.
static REPEATED_REQUESTS: AtomicUsize = AtomicUsize::new(0);

const WAIT_TIMEOUT: Duration = Duration::from_secs(60);
const FRAME_SIZE: Size = Size::new(320, 180);
const CAMERA_LUMA: u8 = 200;

/// The state of each opened device, by its choice.
static DEVICE_STATES: Mutex<Vec<(String, Arc<SourceStatus>)>> = Mutex::new(Vec::new());

/// A device that counts openings and delivers moving video.
struct Counting {
    /// The frames: three, because the preview requests every second one.
    frames: [VideoFrame; 3],
    last: Option<Timestamp>,
}

impl VideoFeed for Counting {
    fn frame(&mut self, at: Timestamp) -> Option<VideoFrame> {
        if self.last.replace(at) == Some(at) {
            REPEATED_REQUESTS.fetch_add(1, Ordering::SeqCst);
        }
        self.frames.rotate_left(1);
        Some(self.frames[0].clone())
    }
}

impl Drop for Counting {
    fn drop(&mut self) {
        CLOSED_COUNT.fetch_add(1, Ordering::SeqCst);
    }
}

fn open(
    choice: &VideoChoice,
    _: &LiveProperties,
    _: &Context,
) -> Result<capture::Source, capture::Error> {
    OPENED_DEVICES.lock().unwrap().push(choice.to_string());
    let frames = [(); 3].map(|()| {
        let mut planes = Planes::black(FRAME_SIZE);
        planes.y.fill(if choice.to_string() == OTHER_CAMERA {
            CAMERA_LUMA / 2
        } else {
            CAMERA_LUMA
        });
        let planes = Arc::new(Pooled::unpooled(planes));
        VideoFrame { pts: Timestamp::ZERO, color: Color::PROGRAM, surface: planes.into() }
    });
    let status = SourceStatus::new("", "Counting");
    status.open(SourceFormat::Video { size: FRAME_SIZE, fps: 30.0 });
    DEVICE_STATES.lock().unwrap().push((choice.to_string(), Arc::clone(&status)));
    Ok(capture::Source { feed: Box::new(Counting { frames, last: None }), status })
}

/// A program with counting sources, and its scenes.
struct Rig {
    program: Program,
    collection: Collection,
    seen: Latest<VideoFrame>,
    _turn: std::sync::MutexGuard<'static, ()>,
}

impl Rig {
    fn new() -> Self {
        let turn = TEST_LOCK.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        OPENED_DEVICES.lock().unwrap().clear();
        DEVICE_STATES.lock().unwrap().clear();
        CLOSED_COUNT.store(0, Ordering::SeqCst);
        REPEATED_REQUESTS.store(0, Ordering::SeqCst);
        let quality = Quality { size: FRAME_SIZE, ..Quality::default() };
        let seen = Latest::default();
        let media = SourceOpener::opened_by(open);
        let program = Program::start(Clock::start(), &quality, seen.clone(), media).unwrap();
        let mut rig = Self { program, collection: Collection::default(), seen, _turn: turn };
        // The test begins with an empty scene.
        rig.edit(&Edit::RemoveItem(ItemId(1)));
        rig
    }

    /// Applies an edit as the studio does after every change.
    fn edit(&mut self, edit: &Edit) {
        assert!(self.collection.apply(edit), "{edit:?}");
        let plan = self.collection.plan(self.collection.current);
        assert!(self.program.change(&self.collection, plan, None).is_empty());
    }

    fn add(&mut self, scene: SceneId, choice: &str) {
        let (name, choice) = (choice.to_owned(), choice.parse().unwrap());
        self.edit(&Edit::AddSource { scene, name, choice });
    }

    fn switch(&mut self, scene: SceneId) {
        self.collection.current = scene;
        let transition = self.collection.transition.clone();
        let plan = self.collection.plan(scene);
        assert!(self.program.change(&self.collection, plan, Some(transition)).is_empty());
    }

    /// Returns a frame after all commands were executed.
    fn see(&self) -> VideoFrame {
        let ticks = || self.program.compositor().figures().captured;
        let (before, since) = (ticks(), Instant::now());
        while ticks() < before + 3 {
            assert!(since.elapsed() < WAIT_TIMEOUT, "no picture");
            std::thread::sleep(Duration::from_millis(2));
        }
        self.seen.get().unwrap()
    }

    fn opened(&self) -> Vec<String> {
        self.see();
        OPENED_DEVICES.lock().unwrap().clone()
    }
}

fn later(slot: &Latest<VideoFrame>) -> VideoFrame {
    let (mut cursor, since) = (slot.version(), Instant::now());
    for _ in 0..3 {
        while slot.version() == cursor {
            assert!(since.elapsed() < WAIT_TIMEOUT, "no picture");
            std::thread::sleep(Duration::from_millis(2));
        }
        cursor = slot.version();
    }
    slot.get().unwrap()
}

/// Returns the luma in the middle of a frame.
fn middle(frame: &VideoFrame) -> u8 {
    let (size, stride) = (frame.size(), frame.planes().luma_stride());
    frame.planes().y[size.height as usize / 2 * stride + size.width as usize / 2]
}

const FRONT_CAMERA: &str = "camera:usb-front";
/// A source with half the brightness.
const OTHER_CAMERA: &str = "camera:usb-other";

/// Waits until this number of devices have been closed.
fn closed(count: usize) {
    let since = Instant::now();
    while CLOSED_COUNT.load(Ordering::SeqCst) < count {
        assert!(since.elapsed() < WAIT_TIMEOUT, "not closed");
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn two_scenes_the_preview_and_the_program_share_one_opening() {
    let mut rig = Rig::new();
    let one = rig.collection.current;
    rig.add(one, FRONT_CAMERA);
    let source = rig.collection.sources[0].id;
    rig.edit(&Edit::AddScene("Two".into()));
    let two = rig.collection.scenes[1].id;
    rig.edit(&Edit::ShowSource { scene: two, source });
    assert_eq!(rig.opened(), [FRONT_CAMERA], "shown by two scenes");

    // One scene is on air while the other is in the preview: the item is smaller, so that no image
    // is shared by chance.
    let item = rig.collection.scenes[1].items[0].id;
    let place = Placement { x: 0.25, y: 0.25, width: 0.5, height: 0.5, ..Placement::default() };
    rig.edit(&Edit::SetPlace(item, place));
    let preview = Latest::default();
    rig.program.prepare(Some((rig.collection.plan(two), preview.clone())));
    assert_eq!(middle(&later(&preview)), CAMERA_LUMA, "preview");
    assert_eq!(middle(&rig.see()), CAMERA_LUMA, "on the program");
    assert_eq!(rig.opened(), [FRONT_CAMERA]);
    assert_eq!(REPEATED_REQUESTS.load(Ordering::SeqCst), 0, "one picture an instant for both");

    for scene in [two, one, two, one] {
        rig.switch(scene);
        rig.see();
    }
    assert_eq!(rig.opened(), [FRONT_CAMERA], "switched");
    assert_eq!(CLOSED_COUNT.load(Ordering::SeqCst), 0, "nor was it closed");

    // The device is closed only when no scene contains it any more.
    rig.program.prepare(None);
    for item in [rig.collection.scenes[0].items[0].id, item] {
        assert_eq!(CLOSED_COUNT.load(Ordering::SeqCst), 0);
        rig.edit(&Edit::RemoveItem(item));
        rig.see();
    }
    closed(1);
    rig.program.end();
}

#[test]
fn another_program_shares_the_opening_and_each_instant_on_its_own_canvas() {
    let mut rig = Rig::new();
    let scene = rig.collection.current;
    rig.add(scene, FRONT_CAMERA);
    rig.edit(&Edit::AddScene("Tall".into()));
    let tall = rig.collection.scenes[1].id;
    let source = rig.collection.sources[0].id;
    rig.edit(&Edit::ShowSource { scene: tall, source });
    let id = ProgramId(1);
    let canvas = OtherCanvas {
        shows: CanvasContent::Scene(tall),
        size: Size::new(36, 64),
        rate: FrameRate::FPS_30,
    };
    rig.program.set_other(id, Some(canvas), &rig.collection);
    let (frames, drawn) = queue::bounded("frames", 8, Full::DropOldest);
    let (video, sound) = (Some(frames), ProgramSound::None);
    let queues = ProgramQueues { id, video, audio: None, sound };
    rig.program.attach(queues, Timestamp::ZERO);
    let seen = drawn.recv_timeout(WAIT_TIMEOUT).unwrap();
    assert_eq!((seen.size(), middle(&seen)), (Size::new(36, 64), CAMERA_LUMA));
    assert_eq!(middle(&rig.see()), CAMERA_LUMA, "the main one goes on");
    // The content of the scene may change while it is drawn.
    let item = rig.collection.scenes[1].items[0].id;
    rig.edit(&Edit::RemoveItem(item));
    let since = Instant::now();
    while middle(&drawn.recv_timeout(WAIT_TIMEOUT).unwrap()) == CAMERA_LUMA {
        assert!(since.elapsed() < WAIT_TIMEOUT, "it shows what is gone");
    }
    assert_eq!(rig.opened(), [FRONT_CAMERA]);
    assert_eq!(REPEATED_REQUESTS.load(Ordering::SeqCst), 0, "one picture an instant for both");
    rig.program.detach(id, WAIT_TIMEOUT);
    while drawn.recv_timeout(WAIT_TIMEOUT).is_ok() {}
    assert_eq!(middle(&rig.see()), CAMERA_LUMA);
    rig.program.end();
}

#[test]
fn items_scenes_and_groups_that_are_duplicated_open_nothing_more() {
    let mut rig = Rig::new();
    let scene = rig.collection.current;
    rig.add(scene, FRONT_CAMERA);
    let item = rig.collection.scenes[0].items[0].id;
    rig.edit(&Edit::DuplicateItem(item));
    rig.edit(&Edit::DuplicateScene(scene));
    let ids: Vec<ItemId> = rig.collection.scenes[0].items.iter().map(|item| item.id).collect();
    rig.edit(&Edit::Group(ids));
    let group = rig.collection.scenes[0].items[0].id;
    rig.edit(&Edit::DuplicateItem(group));
    let mut shown = 0;
    rig.collection.each(|item| shown += usize::from(matches!(item.content, Content::Source(_))));
    assert_eq!((shown, rig.collection.sources.len()), (6, 1));
    assert_eq!(rig.opened(), [FRONT_CAMERA]);
    rig.program.end();
}

#[test]
fn two_sources_of_one_device_share_it_and_those_set_otherwise_do_not() {
    let mut rig = Rig::new();
    let scene = rig.collection.current;
    rig.add(scene, FRONT_CAMERA);
    // A camera has one format at a time: that of the first source.
    rig.add(scene, &format!("{FRONT_CAMERA}@640x360"));
    rig.add(scene, OTHER_CAMERA);
    assert_eq!(rig.opened(), [FRONT_CAMERA, OTHER_CAMERA]);

    // A display capture with the pointer and one without it are two different captures.
    rig.add(scene, "screen:HDMI-1");
    rig.add(scene, "screen:HDMI-1");
    assert_eq!(rig.opened()[2..], ["screen:HDMI-1"]);
    let second = rig.collection.sources.last().unwrap().id;
    let properties = Properties { without_pointer: true, ..Properties::default() };
    rig.edit(&Edit::SetProperties(second, properties));
    assert_eq!(rig.opened()[2..], ["screen:HDMI-1"; 2]);

    // The main video source is shared as well.
    assert!(rig.program.select_video("camera:usb-main".parse().unwrap()).is_none());
    rig.add(scene, "camera:usb-main");
    assert_eq!(rig.opened()[4..], ["camera:usb-main"]);
    rig.program.end();
}

#[test]
fn a_device_stays_open_when_the_first_of_those_that_share_it_goes() {
    let mut rig = Rig::new();
    let scene = rig.collection.current;
    for _ in 0..3 {
        rig.add(scene, FRONT_CAMERA);
    }
    let items: Vec<ItemId> = rig.collection.scenes[0].items.iter().map(|item| item.id).collect();
    assert_eq!(rig.opened(), [FRONT_CAMERA]);
    rig.edit(&Edit::RemoveItem(items[0]));
    assert_eq!(middle(&rig.see()), CAMERA_LUMA, "the second has it");
    // The second source shows something else; the third still shows the device.
    let second = rig.collection.sources[0].id;
    rig.edit(&Edit::SetSource(second, OTHER_CAMERA.parse().unwrap()));
    rig.edit(&Edit::HideItem(items[1], true));
    assert_eq!(middle(&rig.see()), CAMERA_LUMA, "the third has it");
    assert_eq!(
        (rig.opened(), CLOSED_COUNT.load(Ordering::SeqCst)),
        (vec![FRONT_CAMERA.into(), OTHER_CAMERA.into()], 0)
    );
    // The device is closed with the last item; a restored item opens it again.
    rig.edit(&Edit::RemoveItem(items[2]));
    closed(1);
    rig.add(scene, FRONT_CAMERA);
    assert_eq!(rig.opened(), [FRONT_CAMERA, OTHER_CAMERA, FRONT_CAMERA]);
    rig.program.end();
}

#[test]
fn one_that_shares_a_device_has_it_before_the_first_frame() {
    let mut rig = Rig::new();
    let scene = rig.collection.current;
    // All edits are made before the compositor has run once.
    for edit in [
        Edit::AddSource { scene, name: "One".into(), choice: FRONT_CAMERA.parse().unwrap() },
        Edit::AddSource { scene, name: "Two".into(), choice: FRONT_CAMERA.parse().unwrap() },
        Edit::RemoveItem(ItemId(1)),
    ] {
        rig.edit(&edit);
    }
    assert_eq!(middle(&rig.see()), CAMERA_LUMA);
    assert_eq!(
        (rig.opened(), CLOSED_COUNT.load(Ordering::SeqCst)),
        (vec![FRONT_CAMERA.to_owned()], 0)
    );
    rig.program.end();
}

#[test]
fn a_fallback_is_open_only_while_it_is_shown() {
    let mut rig = Rig::new();
    let scene = rig.collection.current;
    rig.add(scene, FRONT_CAMERA);
    let source = rig.collection.sources[0].id;
    rig.edit(&Edit::SetFallback(source, OTHER_CAMERA.parse().unwrap()));
    assert_eq!(rig.opened(), [FRONT_CAMERA]);
    let status = |rig: &Rig, of: &str| {
        rig.see();
        let states = DEVICE_STATES.lock().unwrap();
        let found = states.iter().rev().find(|(choice, _)| choice == of);
        Arc::clone(&found.unwrap().1)
    };
    let alarm = |rig: &mut Rig, alarm| {
        status(rig, FRONT_CAMERA).update(|report| report.alarm = alarm);
        let is_out = rig.program.is_out_otherwise(&rig.collection);
        assert!(rig.program.set_sources(&rig.collection).is_empty());
        assert!(!rig.program.is_out_otherwise(&rig.collection));
        is_out
    };
    assert!(!alarm(&mut rig, Some(SourceAlarm::OtherFormat)), "that is none of it");
    assert!(alarm(&mut rig, Some(SourceAlarm::Frozen)));
    assert_eq!(
        (middle(&rig.see()), rig.opened()),
        (CAMERA_LUMA / 2, vec![FRONT_CAMERA.into(), OTHER_CAMERA.into()])
    );
    assert!(alarm(&mut rig, None));
    assert_eq!(middle(&rig.see()), CAMERA_LUMA, "its own again");
    closed(1);

    // A placeholder as fallback opens nothing.
    rig.edit(&Edit::SetFallback(source, VideoFallback::Placeholder));
    assert!(alarm(&mut rig, Some(SourceAlarm::Black)));
    let since = Instant::now();
    while middle(&rig.see()) == CAMERA_LUMA {
        assert!(since.elapsed() < WAIT_TIMEOUT, "no slate");
    }
    assert_eq!(rig.opened(), [FRONT_CAMERA, OTHER_CAMERA]);
    // A fallback also replaces a source that is gone.
    assert!(alarm(&mut rig, None));
    status(&rig, FRONT_CAMERA).down(SourceState::Lost, "It is gone", "");
    assert!(rig.program.is_out_otherwise(&rig.collection));

    // A source that is already open is shared.
    status(&rig, FRONT_CAMERA).open(SourceFormat::Video { size: FRAME_SIZE, fps: 30.0 });
    rig.edit(&Edit::SetFallback(source, OTHER_CAMERA.parse().unwrap()));
    rig.add(scene, OTHER_CAMERA);
    let opened = rig.opened();
    assert!(alarm(&mut rig, Some(SourceAlarm::Black)));
    let item = rig.collection.scenes[0].items[1].id;
    rig.edit(&Edit::HideItem(item, true));
    assert_eq!((middle(&rig.see()), rig.opened()), (CAMERA_LUMA / 2, opened));
    rig.program.end();
}
