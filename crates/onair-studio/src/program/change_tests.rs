//! Changes every part of the video during a broadcast, with real code in simulated time. A tick can
//! occur between any two commands, and each tick gives one new frame. Each frame must equal that of
//! a fresh program, entirely before or entirely after the change. Files of filters are read when
//! the test requests it.
//!
//! The file is long because the test rig for ticks and changes and its tests belong together.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering};

use parking_lot::Mutex;

use super::*;
use crate::base::Pooled;
use crate::base::queue::{self, Full, Receiver};
use crate::capture::Context;
use crate::compose::filter::{
    Asset, AssetSupply, Cube, Filter, FilterAssets, Slot, Table, WantedFilter,
};
use crate::compose::scene::{Blend, Content, Item, ItemId, Placement, SceneId};
use crate::compose::transition::{Easing, Kind, Side};
use crate::compose::{SourceFrame, Ticker, ViewDetail};
use crate::media::source_status::{SourceFormat, SourceStatus};
use crate::media::{Color, NumericSettings, Planes, Size, VideoFeed};
use crate::studio::scenes::edits::Edit;
use crate::studio::sources::transition_assets::STINGER_STRIP;
use crate::studio::sources::transition_assets::tests::{make_ready, stinger};
use crate::studio::sources::video_filters::Key;

const FRAME_SIZE: Size = Size::new(64, 36);
/// The bottom source, which always moves.
const GROUND_SOURCE: &str = "camera:usb-ground";

/// A source whose frames differ at every instant in every pixel, but are the same for the same
/// instant. A still source always has the same frame.
struct Moving {
    seed: i64,
    is_still: bool,
    /// The number of requests before the first frame.
    late: u32,
}

impl VideoFeed for Moving {
    fn frame(&mut self, at: Timestamp) -> Option<VideoFrame> {
        if self.late > 0 {
            self.late -= 1;
            return None;
        }
        let mut planes = Planes::black(FRAME_SIZE);
        let time = if self.is_still { 0 } else { at.as_micros() };
        let base = time / 10_000 * 7 + self.seed * 31;
        for (place, luma) in (0..).zip(&mut planes.y) {
            *luma = 20 + (base + place % 64 + place / 64).rem_euclid(200) as u8;
        }
        planes.u.fill(60 + (self.seed * 17).rem_euclid(130) as u8);
        planes.v.fill(60 + (self.seed * 29).rem_euclid(130) as u8);
        let planes = Arc::new(Pooled::unpooled(planes));
        Some(VideoFrame { pts: at, color: Color::PROGRAM, surface: planes.into() })
    }
}

fn moving(choice: &VideoChoice) -> Moving {
    let seed = choice.to_string().bytes().map(i64::from).sum();
    Moving { seed, is_still: choice.is_still(), late: 0 }
}

fn open(
    choice: &VideoChoice,
    _: &LiveProperties,
    _: &Context,
) -> Result<capture::Source, capture::Error> {
    let status = SourceStatus::new("", "Moving");
    status.open(SourceFormat::Video { size: FRAME_SIZE, fps: 30.0 });
    // A thread draws a still source, which takes a moment.
    let late = if choice.is_still() { 2 } else { 0 };
    Ok(capture::Source { feed: Box::new(Moving { late, ..moving(choice) }), status })
}

/// The filters of sources, with the contents of their files.
type Filtered = BTreeMap<SourceId, Vec<WantedFilter>>;

/// Reads the content of a filter's file. Each file differs, and one is broken.
fn read((asset, path): &Key) -> Result<FilterAssets, crate::text::Problem> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let number = name.parse::<usize>().map_err(|_| "it is broken".to_owned())?;
    Ok(match asset {
        Asset::Table => {
            let dark = 0.1 * number as f32;
            let cube = format!("LUT_1D_SIZE 2\n{dark} {dark} {dark}\n0.9 0.8 0.7\n");
            FilterAssets::Table(Arc::new(Table::new(&Cube::parse(&cube).unwrap())))
        }
        Asset::Image => {
            let mut planes = Planes::transparent(Size::new(16, 8));
            planes.y.fill(40 + 50 * number as u8);
            for (place, alpha) in planes.alpha.iter_mut().flatten().enumerate() {
                *alpha = if place % 3 == number % 3 { 255 } else { 0 };
            }
            FilterAssets::Image(Arc::new(planes))
        }
    })
}

/// Returns the frames of a fresh program that has never shown anything else.
fn apart(collection: &Collection, plan: Plan, filters: &Filtered) -> compose::Program {
    let mut program = compose::Program::new(FRAME_SIZE);
    let feeds = collection.sources.iter().map(|source| {
        let feed: Box<dyn VideoFeed> = Box::new(moving(&source.choice));
        (source.id, SourceFrame::Feed(Some(feed)))
    });
    program.handle(feeds.collect(), Some((Arc::new(plan), None)), None);
    program.set_filters(filters.clone(), false);
    program
}

/// Returns the expected frame at an instant.
fn wanted((collection, filters): (&Collection, &Filtered), at: Timestamp) -> Arc<Pooled<Planes>> {
    apart(collection, collection.plan(collection.current), filters).frame(at).0.shared().clone()
}

struct Rig {
    program: Program,
    collection: Collection,
    ticker: Arc<Mutex<Ticker>>,
    /// The number of the next tick.
    next: Arc<AtomicI64>,
    frames: Receiver<VideoFrame>,
    /// The number of frames so far.
    came: i64,
    /// The last frame.
    last: Option<VideoFrame>,
    seed: u64,
}

impl Rig {
    fn new() -> Self {
        let quality = Quality { size: FRAME_SIZE, ..Quality::default() };
        let (mut program, ticker) =
            Program::by_hand(Clock::start(), &quality, SourceOpener::opened_by(open)).unwrap();
        program.filters = Filters::by_hand();
        let (encoder, frames) = queue::bounded("test", 1_024, Full::DropOldest);
        program.compositor().attach_encoder(encoder);
        let (ticker, next) = (Arc::new(Mutex::new(ticker)), Arc::new(AtomicI64::new(0)));
        let mut rig = Self {
            program,
            collection: Collection::default(),
            ticker,
            next,
            frames,
            came: 0,
            last: None,
            seed: 7,
        };
        let scene = rig.collection.current;
        assert!(rig.collection.apply(&Edit::RemoveItem(ItemId(1))));
        rig.collection.apply(&add(scene, GROUND_SOURCE));
        let collection = rig.collection.clone();
        rig.show(&collection, None);
        rig.tick();
        rig.frames.waiting().for_each(drop);
        rig.came = rig.next.load(Ordering::SeqCst);
        let (ticker, next) = (Arc::clone(&rig.ticker), Arc::clone(&rig.next));
        rig.program.compositor().after_each_command(move || {
            ticker.lock().tick(next.fetch_add(1, Ordering::SeqCst));
        });
        rig
    }

    fn tick(&self) {
        self.ticker.lock().tick(self.next.fetch_add(1, Ordering::SeqCst));
    }

    /// Updates the program as the studio does after every change.
    fn show(&mut self, collection: &Collection, transition: Option<Transition>) {
        let plan = collection.plan(collection.current);
        assert!(self.program.change(collection, plan, transition).is_empty());
    }

    fn draw(&mut self, below: usize) -> usize {
        self.seed = self.seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (self.seed >> 33) as usize % below.max(1)
    }

    /// Returns one new frame for each tick since the last call, in order.
    fn frames(&mut self) -> Vec<VideoFrame> {
        let frames: Vec<VideoFrame> = self.frames.waiting().collect();
        for frame in &frames {
            assert_eq!(frame.pts, self.program.grid.instant(self.came), "of its tick");
            self.came += 1;
            if let Some(last) = self.last.replace(frame.clone()) {
                assert_ne!(
                    last.planes().y,
                    frame.planes().y,
                    "the picture {} comes twice",
                    self.came
                );
            }
        }
        assert_eq!(self.came, self.next.load(Ordering::SeqCst), "one a tick");
        frames
    }

    /// Returns the filters as set in the compositor. Identical sources of one device have the
    /// filters of the first.
    fn filtered(&self, collection: &Collection) -> Filtered {
        let mut filters = self.program.filters.applied().clone();
        for source in &collection.sources {
            let first = collection.sources.iter().find(|it| it.choice == source.choice);
            if let Some(first) = first.filter(|first| first.filters == source.filters)
                && let Some(its) = filters.get(&first.id).cloned()
            {
                filters.insert(source.id, its);
            }
        }
        filters
    }

    /// Applies this collection as one change, with ticks during the change, and checks every frame.
    fn change(&mut self, to: Collection, what: &str) {
        let before = self.filtered(&self.collection);
        self.begin(&to);
        let now = self.filtered(&to);
        let from = std::mem::replace(&mut self.collection, to);
        let to = self.collection.clone();
        self.check((&from, &before), (&to, &now), what);
    }

    fn begin(&mut self, to: &Collection) {
        let cut = (to.current != self.collection.current).then_some(Transition::CUT);
        self.show(to, cut);
    }

    /// Passes on the content of a file, and returns the messages.
    fn give(&mut self, key: &Key, read: Result<FilterAssets, crate::text::Problem>) -> FileNews {
        self.program.filters.give(key, read);
        self.program.filter_changes(&self.collection)
    }

    /// Reads this number of waiting files in one step.
    fn read(&mut self, count: usize) {
        let collection = self.collection.clone();
        let before = self.filtered(&collection);
        for key in self.program.filters.waiting().iter().take(count) {
            self.program.filters.give(key, read(key));
        }
        self.program.filter_changes(&self.collection);
        let now = self.filtered(&collection);
        self.check((&collection, &before), (&collection, &now), "files are read");
    }

    /// Checks that the frames since the last call are first entirely old ones, and then entirely
    /// new ones.
    fn check(
        &mut self,
        before: (&Collection, &Filtered),
        now: (&Collection, &Filtered),
        what: &str,
    ) {
        self.tick();
        self.tick();
        let mut seen = false;
        let frames = self.frames();
        let count = frames.len();
        for (number, frame) in (1..).zip(frames) {
            let same = |of| **wanted(of, frame.pts) == *frame.planes();
            let place = format!("{what}: picture {number} of {count}");
            let new = same(now);
            assert!(new || !seen, "{place} is not what is, after one that was");
            // At some instants both are identical.
            let old = !seen && same(before);
            assert!(old || new, "{place} is neither what was nor what is");
            assert!(new || number < count, "{place} is still old");
            seen |= !old;
        }
    }
}

fn add(scene: SceneId, choice: &str) -> Edit {
    Edit::AddSource { scene, name: choice.to_owned(), choice: choice.parse().unwrap() }
}

/// Returns a random change, or `None` if the change is not possible now.
fn any(rig: &mut Rig) -> Option<Edit> {
    let scene = rig.collection.current().unwrap();
    let (id, items) = (scene.id, scene.items.clone());
    let over: Vec<Item> = items.into_iter().skip(1).collect();
    let pick = rig.draw(over.len());
    let item = over.get(pick);
    let camera = format!("camera:usb-{}", rig.draw(5));
    let [x, y, width] = [(); 3].map(|()| rig.draw(60) as f64 / 100.0);
    let source = item.and_then(|item| match item.content {
        Content::Source(source) => Some(source),
        _ => None,
    });
    Some(match rig.draw(17) {
        0 | 1 if over.len() < 6 => add(id, &camera),
        2 => Edit::RemoveItem(item?.id),
        3 | 4 => {
            let rotation = if rig.draw(3) == 0 { 30.0 } else { 0.0 };
            let flip_x = rig.draw(2) == 0;
            let size = width + 0.1;
            let place = Placement {
                x,
                y,
                width: size,
                height: size,
                rotation,
                flip_x,
                ..Placement::default()
            };
            Edit::SetPlace(item?.id, place)
        }
        5 => Edit::HideItem(item?.id, !item?.hidden),
        6 => Edit::MoveItem(item?.id, 1 + rig.draw(over.len())),
        7 | 15 | 16 => {
            let kinds = Filter::kinds();
            let still = |it: &Filter| {
                !matches!(
                    it,
                    Filter::Denoise { .. }
                        | Filter::Delay { .. }
                        | Filter::Deinterlace { .. }
                        | Filter::Background { .. }
                )
            };
            let mut slots = Vec::new();
            for _ in 0..rig.draw(4) {
                let files = kinds.iter().filter(|it| it.file().is_some());
                let files: Vec<&Filter> = files.collect();
                let mut filter = match rig.draw(2) {
                    0 => files[rig.draw(files.len())].clone(),
                    _ => kinds[rig.draw(kinds.len())].clone(),
                };
                // A placeholder is static: if it covers everything, two frames are identical.
                let broken = !filter.hides_by_file() && rig.draw(4) == 0;
                let file = if broken { "broken".to_owned() } else { rig.draw(3).to_string() };
                filter.set_file(format!("/files/{file}").into());
                if still(&filter) {
                    slots.push(Slot { enabled: rig.draw(4) > 0, filter });
                }
            }
            Edit::SetFilters(source?, slots)
        }
        8 => Edit::SetSource(source?, camera.parse().unwrap()),
        9 => Edit::DuplicateItem(item?.id),
        10 => Edit::SetOpacity(item?.id, 0.2 + rig.draw(80) as f32 / 100.0),
        11 => Edit::SetBlend(item?.id, Blend::ALL[rig.draw(Blend::ALL.len())].1),
        12 if over.len() > 1 => Edit::Group(over.iter().take(2).map(|item| item.id).collect()),
        13 => Edit::Ungroup(over.iter().find(|it| !it.members().is_empty())?.id, FRAME_SIZE),
        14 => Edit::RenameSource(source?, format!("Source {}", rig.draw(1_000))),
        _ => return None,
    })
}

#[test]
fn whatever_is_changed_at_each_tick_every_frame_is_whole_and_comes_once() {
    let mut rig = Rig::new();
    // A second scene with a separate background.
    let mut both = rig.collection.clone();
    let (one, name) = (both.current, "Two".to_owned());
    assert!(both.apply(&Edit::AddScene(name)));
    let two = both.scenes[1].id;
    assert!(both.apply(&add(two, GROUND_SOURCE)));
    rig.change(both, "another scene");
    let (mut kinds, mut before) = (BTreeMap::<String, u32>::new(), rig.collection.clone());
    let (mut changes, mut files) = (0, 0);
    while changes < 140 {
        let mut to = rig.collection.clone();
        let what = match rig.draw(12) {
            0 => {
                to.current = if to.current == one { two } else { one };
                "cut".to_owned()
            }
            // The state before some earlier changes, as an undo restores it.
            1 => {
                let current = to.current;
                to = Collection { current, ..std::mem::replace(&mut before, to) };
                "undo".to_owned()
            }
            _ => match any(&mut rig) {
                Some(edit) if to.apply(&edit) => format!("{edit:?}"),
                _ => continue,
            },
        };
        let kind = what.split(['(', ' ', '{']).next().unwrap_or_default().to_owned();
        *kinds.entry(kind).or_default() += 1;
        rig.change(to, &what);
        changes += 1;
        let waiting = rig.program.filters.waiting().len();
        if waiting > 0 && rig.draw(2) == 0 {
            let count = 1 + rig.draw(waiting);
            rig.read(count);
            files += count;
        }
    }
    assert!(files > 3, "{files}");
    rig.read(usize::MAX);
    assert!(kinds.len() >= 14, "{kinds:?}");
    let figures = rig.program.compositor().figures();
    assert_eq!((figures.repeated, figures.placeholders, figures.skipped), (0, 0, 0));
    assert!(rig.came > changes * 3, "ticks in between: {}", rig.came);
    rig.program.end();
}

#[test]
fn a_transition_is_as_it_is_alone_and_continues_while_its_scene_is_edited() {
    let mut rig = Rig::new();
    let mut both = rig.collection.clone();
    assert!(both.apply(&Edit::AddScene("Two".to_owned())));
    let (one, two) = (both.scenes[0].id, both.scenes[1].id);
    for choice in [GROUND_SOURCE, "camera:usb-1"] {
        assert!(both.apply(&add(two, choice)));
    }
    let place = Placement { x: 0.25, width: 0.5, ..Placement::default() };
    let item = both.scenes[1].items[1].id;
    assert!(both.apply(&Edit::SetPlace(item, place)));
    // Both backgrounds come from one camera: moved apart, they differ.
    let ground = both.scenes[1].items[0].id;
    assert!(
        both.apply(&Edit::SetPlace(ground, Placement { flip_x: true, ..Placement::default() }))
    );
    rig.change(both, "another scene");
    let kinds = [
        Kind::Fade,
        Kind::Move(Easing::Back),
        Kind::FadeColor([200, 30, 30]),
        Kind::Slide(Side::Left),
        Kind::Swipe(Side::Top),
    ];
    for (kind, edits) in kinds.into_iter().flat_map(|kind| [(kind.clone(), false), (kind, true)]) {
        let transition = Transition { kind: kind.clone(), duration: Duration::from_millis(400) };
        let mut to = rig.collection.clone();
        to.current = if to.current == one { two } else { one };
        rig.frames();
        // A separate program that does nothing but this transition.
        let before = rig.collection.plan(rig.collection.current);
        let mut apart = apart(&to, before, &rig.filtered(&to));
        let now = rig.next.load(Ordering::SeqCst);
        apart.frame(rig.program.grid.instant(now - 1));
        rig.show(&to, Some(transition.clone()));
        rig.collection = to;
        for frame in rig.frames() {
            assert!(*apart.frame(frame.pts).0.planes() == *frame.planes(), "{kind:?} before it");
        }
        let after = Arc::new(rig.collection.plan(rig.collection.current));
        apart.handle(BTreeMap::new(), Some((after, Some(transition.into()))), None);
        for number in 0..20 {
            rig.tick();
            for frame in rig.frames() {
                let alike = edits || *apart.frame(frame.pts).0.planes() == *frame.planes();
                assert!(alike, "{kind:?}: picture {number}");
            }
            // The incoming scene is changed during the transition.
            let edit = edits.then(|| any(&mut rig)).flatten();
            let mut to = rig.collection.clone();
            if edit.is_some_and(|edit| to.apply(&edit)) {
                rig.show(&to, None);
                rig.collection = to;
            }
        }
        rig.tick();
        rig.frames();
        let to = rig.collection.clone();
        rig.change(to, "what stays");
    }
    let figures = rig.program.compositor().figures();
    assert_eq!((figures.repeated, figures.placeholders, figures.skipped), (0, 0, 0));
    rig.program.end();
}

#[test]
fn another_text_image_or_color_comes_without_a_frame_that_has_none() {
    let mut rig = Rig::new();
    let mut to = rig.collection.clone();
    assert!(to.apply(&add(to.current, "text:One")));
    let (source, item) = (to.sources[1].id, to.scenes[0].items[1].id);
    let place = Placement { x: 0.25, y: 0.25, width: 0.5, height: 0.5, ..Placement::default() };
    assert!(to.apply(&Edit::SetPlace(item, place)));
    let raw = Filtered::new();
    let show = |rig: &mut Rig, to: &Collection| {
        rig.begin(to);
        let from = std::mem::replace(&mut rig.collection, to.clone());
        // The new source has no frame at two of the ticks.
        rig.tick();
        rig.check((&from, &raw), (to, &raw), &to.sources[1].choice.to_string());
    };
    show(&mut rig, &to);
    for choice in ["text:Two", "image:/logo.png", "color:#102030", "slides:/pictures"] {
        assert!(to.apply(&Edit::SetSource(source, choice.parse().unwrap())));
        show(&mut rig, &to);
    }
    assert_eq!(rig.program.compositor().figures().placeholders, 0);
    rig.program.end();
}

/// Creates a filter that needs a file.
fn with_file(kind: &str, file: &str, enabled: bool) -> Slot {
    let mut filter = Filter::of_kind(kind).unwrap();
    assert!(filter.set_file(format!("/files/{file}").into()));
    Slot { enabled, filter }
}

/// Returns the same filter with the content of its file.
fn there(kind: &str, file: &str) -> WantedFilter {
    let slot = with_file(kind, file, true);
    let (asset, path) = slot.filter.file().unwrap();
    let material = read(&(asset, path.to_owned())).unwrap();
    WantedFilter { slot, material: AssetSupply::There(material) }
}

#[test]
fn a_mask_that_is_being_read_takes_no_other_ones_image() {
    let mut rig = Rig::new();
    let mut plain = rig.collection.clone();
    assert!(plain.apply(&add(plain.current, "camera:usb-1")));
    let (source, item) = (plain.sources[1].id, plain.scenes[0].items[1].id);
    rig.change(plain.clone(), "a camera");
    let mut hidden = plain.clone();
    assert!(hidden.apply(&Edit::HideItem(item, true)));
    let set = |rig: &mut Rig, files: &[&str]| {
        let slots = files.iter().map(|file| with_file("mask", file, true)).collect();
        let mut to = rig.collection.clone();
        assert!(to.apply(&Edit::SetFilters(source, slots)));
        rig.begin(&to);
        rig.collection = to;
    };
    let key = |file: &str| (Asset::Image, PathBuf::from(format!("/files/{file}")));
    let (raw, one) = (Filtered::new(), Filtered::from([(source, vec![there("mask", "0")])]));
    set(&mut rig, &["0", "1"]);
    rig.check((&plain, &raw), (&hidden, &raw), "two masks");
    rig.give(&key("1"), read(&key("1")));
    rig.check((&hidden, &raw), (&hidden, &raw), "the second is read");
    set(&mut rig, &["0"]);
    rig.check((&hidden, &raw), (&hidden, &raw), "the second is taken away");
    rig.give(&key("0"), read(&key("0")));
    rig.check((&hidden, &raw), (&plain, &one), "the first is read");
    rig.program.end();
}

#[test]
fn the_view_before_a_filter_gets_a_file_that_is_read_later() {
    let mut rig = Rig::new();
    let mut to = rig.collection.clone();
    assert!(to.apply(&add(to.current, "camera:usb-1")));
    let source = to.sources[1].id;
    let key = Slot { enabled: true, filter: Filter::of_kind("chroma-key").unwrap() };
    assert!(to.apply(&Edit::SetFilters(source, vec![with_file("mask", "0", true), key])));
    rig.begin(&to);
    rig.collection = to;
    let slot = Latest::<VideoFrame>::default();
    let plan = Arc::new(Plan::simple(source));
    let view = SideView { plan, detail: ViewDetail::Full, slot: slot.clone() };
    rig.program.set_views([(ViewOf::BeforeFilter(source, 1), view)].into());
    let luma = |rig: &Rig| {
        rig.tick();
        rig.tick();
        slot.get().unwrap().planes().y.clone()
    };
    let hidden = luma(&rig);
    assert_eq!(luma(&rig), hidden, "the mask hides the source");
    let file = (Asset::Image, PathBuf::from("/files/0"));
    rig.give(&file, read(&file));
    assert_ne!(luma(&rig), hidden);
    rig.program.end();
}

#[test]
fn what_a_mask_hides_is_never_seen_while_files_are_read() {
    let mut rig = Rig::new();
    let mut plain = rig.collection.clone();
    assert!(plain.apply(&add(plain.current, "camera:usb-1")));
    let (source, item) = (plain.sources[1].id, plain.scenes[0].items[1].id);
    let place = Placement { x: 0.25, y: 0.25, width: 0.5, height: 0.5, ..Placement::default() };
    assert!(plain.apply(&Edit::SetPlace(item, place)));
    rig.change(plain.clone(), "a camera");
    let mut hidden = plain.clone();
    assert!(hidden.apply(&Edit::HideItem(item, true)));
    let bright = Slot {
        enabled: true,
        filter: Filter::of_kind("color")
            .map(|mut filter| {
                filter.set("gain", 1.2);
                filter
            })
            .unwrap(),
    };
    let brighter = WantedFilter { slot: bright.clone(), material: AssetSupply::Nothing };
    let raw = Filtered::new();
    let seen = |list: &[WantedFilter]| Filtered::from([(source, list.to_vec())]);
    let key = |file: &str| (Asset::Image, PathBuf::from(format!("/files/{file}")));
    let set = |rig: &mut Rig, slots: &[Slot]| {
        let mut to = rig.collection.clone();
        assert!(to.apply(&Edit::SetFilters(source, slots.to_vec())));
        rig.begin(&to);
        rig.collection = to;
    };
    let mask = |file, enabled| with_file("mask", file, enabled);

    // The first mask: nothing of the camera is visible before the file is read.
    set(&mut rig, &[mask("0", true)]);
    rig.check((&plain, &raw), (&hidden, &raw), "a mask is switched on");
    let one = seen(&[there("mask", "0")]);
    rig.give(&key("0"), read(&key("0")));
    rig.check((&hidden, &raw), (&plain, &one), "it is read");

    // Another mask: the first one continues, whatever else is changed in the meantime.
    set(&mut rig, &[mask("1", true)]);
    rig.check((&plain, &one), (&plain, &one), "another is chosen");
    set(&mut rig, &[mask("1", true), bright.clone()]);
    let both = seen(&[there("mask", "0"), brighter.clone()]);
    rig.check((&plain, &one), (&plain, &both), "another filter is added");
    let two = seen(&[there("mask", "1"), brighter.clone()]);
    rig.give(&key("1"), read(&key("1")));
    rig.check((&plain, &both), (&plain, &two), "the other is read");

    // A mask that is disabled and enabled again applies at once, although its file is read again.
    set(&mut rig, &[mask("1", false), bright.clone()]);
    let bare = seen(std::slice::from_ref(&brighter));
    rig.check((&plain, &two), (&plain, &bare), "it is switched off");
    set(&mut rig, &[mask("1", true), bright]);
    rig.check((&plain, &bare), (&plain, &two), "it is switched on");
    assert_eq!(rig.program.filters.waiting(), [key("1")]);
    rig.give(&key("1"), read(&key("1")));
    rig.check((&plain, &two), (&plain, &two), "it is read anew");

    // A mask that cannot be read: a placeholder is shown until it can be read.
    set(&mut rig, &[mask("broken", true)]);
    let old = seen(&[there("mask", "1")]);
    rig.check((&plain, &two), (&plain, &old), "a broken one is chosen");
    let news = rig.give(&key("broken"), read(&key("broken")));
    let keys: Vec<_> = news.messages.iter().map(|it| it.notice(0, "").key()).collect();
    assert_eq!((news.gone.len(), &keys[..]), (0, &["mask-failed"][..]));
    let slot = mask("broken", true);
    let placeholder = seen(&[WantedFilter { slot, material: AssetSupply::Lacking }]);
    rig.check((&plain, &old), (&plain, &placeholder), "it is broken");
    let at = rig.program.grid.instant(rig.came);
    let [shown, bare] = [(&plain, &placeholder), (&hidden, &raw)].map(|it| wanted(it, at));
    // In the middle of the program: dark, and not the layer below.
    let middle = 18 * 64 + 24;
    assert!(shown.y[middle] < 60 && shown.y != bare.y);
    rig.program.retry(None);
    rig.check((&plain, &placeholder), (&plain, &placeholder), "it is tried again");
    let news = rig.give(&key("broken"), read(&key("2")));
    assert_eq!((news.gone, news.messages.len()), (vec!["/files/broken".to_owned()], 0));
    let three = seen(&[there("mask", "2")]);
    rig.check((&plain, &placeholder), (&plain, &three), "it is put right");

    // A camera that is added with a mask: nothing of it is visible either.
    let mut more = rig.collection.clone();
    assert!(more.apply(&add(more.current, "camera:usb-2")));
    let (other, over) = (more.sources[2].id, more.scenes[0].items[2].id);
    assert!(more.apply(&Edit::SetFilters(other, vec![mask("0", true)])));
    rig.begin(&more);
    rig.collection = more.clone();
    let mut without = more.clone();
    assert!(without.apply(&Edit::HideItem(over, true)));
    rig.check((&plain, &three), (&without, &three), "another camera");
    rig.give(&key("0"), read(&key("0")));
    let mut all = three.clone();
    all.insert(other, vec![there("mask", "0")]);
    rig.check((&without, &three), (&more, &all), "its mask is read");
    rig.program.end();
}

#[test]
fn another_lut_or_watermark_appears_without_a_frame_that_has_none() {
    let mut rig = Rig::new();
    let mut plain = rig.collection.clone();
    assert!(plain.apply(&add(plain.current, "camera:usb-1")));
    rig.change(plain.clone(), "a camera");
    let source = plain.sources[1].id;
    let raw = Filtered::new();
    for (kind, asset) in [("lut", Asset::Table), ("watermark", Asset::Image)] {
        let key = |file: &str| (asset, PathBuf::from(format!("/files/{file}")));
        let seen = |file: &str| Filtered::from([(source, vec![there(kind, file)])]);
        let set = |rig: &mut Rig, slots: Vec<Slot>| {
            let mut to = rig.collection.clone();
            assert!(to.apply(&Edit::SetFilters(source, slots)));
            rig.begin(&to);
            rig.collection = to;
        };
        // At first, the effect may appear later.
        set(&mut rig, vec![with_file(kind, "0", true)]);
        rig.check((&plain, &raw), (&plain, &raw), kind);
        assert!(rig.program.awaits_filters());
        rig.give(&key("0"), read(&key("0")));
        assert!(!rig.program.awaits_filters());
        rig.check((&plain, &raw), (&plain, &seen("0")), kind);
        // With another file, the effect does not disappear.
        set(&mut rig, vec![with_file(kind, "1", true)]);
        rig.check((&plain, &seen("0")), (&plain, &seen("0")), kind);
        rig.give(&key("1"), read(&key("1")));
        rig.check((&plain, &seen("0")), (&plain, &seen("1")), kind);
        set(&mut rig, vec![with_file(kind, "1", false)]);
        rig.check((&plain, &seen("1")), (&plain, &raw), kind);
        set(&mut rig, vec![with_file(kind, "1", true)]);
        rig.check((&plain, &raw), (&plain, &seen("1")), kind);
        rig.give(&key("1"), Err("it is gone".into()));
        rig.check((&plain, &seen("1")), (&plain, &raw), kind);
        set(&mut rig, Vec::new());
        rig.check((&plain, &raw), (&plain, &raw), kind);
    }
    rig.program.end();
}

#[test]
fn a_stinger_that_an_overloaded_computer_skips_is_silent() {
    let mut rig = Rig::new();
    let (transition, shape) = (stinger(""), rig.program.shape());
    rig.program.transition_assets.sync([&transition].into_iter(), &shape);
    for is_overloaded in [false, true] {
        while is_overloaded
            && rig.program.compositor().figures().degradation < Degradation::Transitions
        {
            let (long, period) = (Duration::from_secs(1), Duration::from_millis(33));
            rig.ticker.lock().took(long, period, Timestamp::ZERO);
        }
        make_ready(&mut rig.program.transition_assets);
        rig.program.show(Plan::simple(MAIN_SOURCE), Some(transition.clone()));
        let meter = rig.program.mixer().strip_meter(STINGER_STRIP);
        assert_eq!(meter.is_some(), !is_overloaded);
    }
    rig.program.end();
}
