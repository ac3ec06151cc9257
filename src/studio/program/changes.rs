//! Everything of the picture is changed while it goes out, by real code in simulated time: between any two
//! wishes comes a tick, each tick gives one picture, none comes twice, and each is as a program shows it
//! that was never anything else: wholly what was before the change, or wholly what is after it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering};

use parking_lot::Mutex;

use super::*;
use crate::base::Pooled;
use crate::base::queue::{self, Full, Receiver};
use crate::capture::Context;
use crate::compose::filter::{Filter, Slot, Wanted};
use crate::compose::scene::{Blend, Content, Item, ItemId, Place, SceneId};
use crate::compose::transition::{Kind, Side};
use crate::compose::{Given, Ticker};
use crate::media::source::{Format, Status};
use crate::media::{Color, Planes, Size, VideoFeed};
use crate::studio::Edit;

const SIZE: Size = Size::new(64, 36);
/// What lies below everything else: it always moves.
const GROUND: &str = "camera:usb-ground";

/// A picture that is another one at every instant, in each of its pixels, and the same for who asks again.
struct Moving(i64);

impl VideoFeed for Moving {
    fn picture(&mut self, at: Timestamp) -> Option<VideoFrame> {
        let mut planes = Planes::black(SIZE);
        let base = at.as_micros() / 10_000 * 7 + self.0 * 31;
        for (place, luma) in (0..).zip(&mut planes.y) {
            *luma = 20 + (base + place % 64 + place / 64).rem_euclid(200) as u8;
        }
        planes.u.fill(60 + (self.0 * 17).rem_euclid(130) as u8);
        planes.v.fill(60 + (self.0 * 29).rem_euclid(130) as u8);
        let planes = Arc::new(Pooled::unpooled(planes));
        Some(VideoFrame { pts: at, color: Color::PROGRAM, planes })
    }
}

fn moving(choice: &VideoChoice) -> Moving {
    Moving(choice.to_string().bytes().map(i64::from).sum())
}

fn open(choice: &VideoChoice, _: &Dials, _: &Context) -> Result<capture::Source, capture::Error> {
    let status = Status::new("", "Moving");
    status.open(Format::Video { size: SIZE, fps: 30.0 });
    Ok(capture::Source { feed: Box::new(moving(choice)), status })
}

/// A program that shows nothing but this, and never did.
fn apart(collection: &Collection, plan: Plan) -> compose::Program {
    let mut program = compose::Program::new(SIZE);
    let feeds = collection.sources.iter().map(|source| {
        let feed: Box<dyn VideoFeed> = Box::new(moving(&source.choice));
        (source.id, Given::Feed(Some(feed)))
    });
    program.obey(feeds.collect(), Some((Arc::new(plan), None)), None);
    let filters = collection.sources.iter().map(|source| {
        let slots = source.filters.iter();
        (source.id, slots.map(|slot| Wanted { slot: slot.clone(), material: None }).collect())
    });
    program.set_filters(filters.collect::<BTreeMap<_, _>>(), false);
    program
}

/// What it shows at an instant.
fn wanted(collection: &Collection, at: Timestamp) -> Arc<Pooled<Planes>> {
    apart(collection, collection.plan(collection.current)).picture(at).0.planes
}

struct Rig {
    program: Program,
    collection: Collection,
    ticker: Arc<Mutex<Ticker>>,
    /// The number of the next tick.
    next: Arc<AtomicI64>,
    frames: Receiver<VideoFrame>,
    /// How many came, and the last one.
    came: i64,
    last: Option<VideoFrame>,
    seed: u64,
}

impl Rig {
    fn new() -> Self {
        let quality = Quality { size: SIZE, ..Quality::default() };
        let (program, ticker) =
            Program::by_hand(Clock::start(), &quality, MediaRoom::opened_by(open)).unwrap();
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
        rig.collection.apply(&add(scene, GROUND));
        let collection = rig.collection.clone();
        rig.show(&collection, None);
        rig.tick();
        rig.frames.waiting().for_each(drop);
        rig.came = rig.next.load(Ordering::SeqCst);
        let (ticker, next) = (Arc::clone(&rig.ticker), Arc::clone(&rig.next));
        rig.program.compositor().after_each_wish(move || {
            ticker.lock().tick(next.fetch_add(1, Ordering::SeqCst));
        });
        rig
    }

    fn tick(&self) {
        self.ticker.lock().tick(self.next.fetch_add(1, Ordering::SeqCst));
    }

    /// As the studio does after every change.
    fn show(&mut self, collection: &Collection, transition: Option<Transition>) {
        let plan = collection.plan(collection.current);
        assert!(self.program.change(collection, plan, transition).is_empty());
    }

    fn draw(&mut self, below: usize) -> usize {
        self.seed = self.seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (self.seed >> 33) as usize % below.max(1)
    }

    /// One picture for each tick since the last call, in order, none like the one before it.
    fn pictures(&mut self) -> Vec<VideoFrame> {
        let frames: Vec<VideoFrame> = self.frames.waiting().collect();
        for frame in &frames {
            assert_eq!(frame.pts, self.program.grid.instant(self.came), "of its tick");
            self.came += 1;
            if let Some(last) = self.last.replace(frame.clone()) {
                assert_ne!(last.planes.y, frame.planes.y, "the picture {} comes twice", self.came);
            }
        }
        assert_eq!(self.came, self.next.load(Ordering::SeqCst), "one a tick");
        frames
    }

    /// Changes to that at once, with ticks in between, and looks at every picture.
    fn change(&mut self, to: Collection, what: &str) {
        let cut = (to.current != self.collection.current).then_some(Transition::CUT);
        self.show(&to, cut);
        self.tick();
        self.tick();
        let mut seen = false;
        let frames = self.pictures();
        let count = frames.len();
        for (number, frame) in (1..).zip(frames) {
            let same = |of: &Collection| **wanted(of, frame.pts) == **frame.planes;
            // At some instants both look alike.
            let (old, new) = (same(&self.collection), same(&to));
            let place = format!("{what}: picture {number} of {count}");
            assert!(old || new, "{place} is neither what was nor what is");
            assert!(new || !seen, "{place} is old again");
            assert!(new || number < count, "{place} is still old");
            seen |= !old;
        }
        self.collection = to;
    }
}

fn add(scene: SceneId, choice: &str) -> Edit {
    Edit::AddSource { scene, name: choice.to_owned(), choice: choice.parse().unwrap() }
}

/// A change of any kind; `None`: it cannot be now.
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
    Some(match rig.draw(15) {
        0 | 1 if over.len() < 6 => add(id, &camera),
        2 => Edit::RemoveItem(item?.id),
        3 | 4 => {
            let rotation = if rig.draw(3) == 0 { 30.0 } else { 0.0 };
            let flip_x = rig.draw(2) == 0;
            let size = width + 0.1;
            let place =
                Place { x, y, width: size, height: size, rotation, flip_x, ..Place::default() };
            Edit::SetPlace(item?.id, place)
        }
        5 => Edit::HideItem(item?.id, !item?.hidden),
        6 => Edit::MoveItem(item?.id, 1 + rig.draw(over.len())),
        7 => {
            let kinds = Filter::kinds();
            let still = |it: &Filter| {
                it.file().is_none()
                    && !matches!(
                        it,
                        Filter::Denoise { .. } | Filter::Delay { .. } | Filter::Deinterlace { .. }
                    )
            };
            let mut slots = Vec::new();
            for _ in 0..rig.draw(3) {
                let filter = kinds[rig.draw(kinds.len())].clone();
                if still(&filter) {
                    slots.push(Slot { enabled: true, filter });
                }
            }
            Edit::SetFilters(source?, slots)
        }
        8 => Edit::SetSource(source?, camera.parse().unwrap()),
        9 => Edit::DuplicateItem(item?.id),
        10 => Edit::SetOpacity(item?.id, 0.2 + rig.draw(80) as f32 / 100.0),
        11 => Edit::SetBlend(item?.id, Blend::ALL[rig.draw(Blend::ALL.len())].1),
        12 if over.len() > 1 => Edit::Group(over.iter().take(2).map(|item| item.id).collect()),
        13 => Edit::Ungroup(over.iter().find(|it| !it.members().is_empty())?.id, SIZE),
        14 => Edit::RenameSource(source?, format!("Source {}", rig.draw(1_000))),
        _ => return None,
    })
}

#[test]
fn whatever_is_changed_at_each_tick_every_picture_is_whole_and_comes_once() {
    let mut rig = Rig::new();
    // A second scene with a ground of its own.
    let mut both = rig.collection.clone();
    let (one, name) = (both.current, "Two".to_owned());
    assert!(both.apply(&Edit::AddScene(name)));
    let two = both.scenes[1].id;
    assert!(both.apply(&add(two, GROUND)));
    rig.change(both, "another scene");
    let (mut kinds, mut before) = (BTreeMap::<String, u32>::new(), rig.collection.clone());
    let mut changes = 0;
    while changes < 200 {
        let mut to = rig.collection.clone();
        let what = match rig.draw(12) {
            0 => {
                to.current = if to.current == one { two } else { one };
                "cut".to_owned()
            }
            // What there was some changes ago, as an undo does it.
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
    }
    assert!(kinds.len() >= 14, "{kinds:?}");
    let figures = rig.program.compositor().figures();
    assert_eq!((figures.repeated, figures.slates, figures.skipped), (0, 0, 0));
    assert!(rig.came > changes * 3, "ticks in between: {}", rig.came);
    rig.program.end();
}

#[test]
fn a_transition_is_as_it_would_be_by_itself_and_goes_on_while_its_scene_is_changed() {
    let mut rig = Rig::new();
    let mut both = rig.collection.clone();
    assert!(both.apply(&Edit::AddScene("Two".to_owned())));
    let (one, two) = (both.scenes[0].id, both.scenes[1].id);
    for choice in [GROUND, "camera:usb-1"] {
        assert!(both.apply(&add(two, choice)));
    }
    let place = Place { x: 0.25, width: 0.5, ..Place::default() };
    let item = both.scenes[1].items[1].id;
    assert!(both.apply(&Edit::SetPlace(item, place)));
    // Both grounds are of one camera: moved apart, they differ.
    let ground = both.scenes[1].items[0].id;
    assert!(both.apply(&Edit::SetPlace(ground, Place { flip_x: true, ..Place::default() })));
    rig.change(both, "another scene");
    let kinds = [
        Kind::Fade,
        Kind::FadeColor([200, 30, 30]),
        Kind::Slide(Side::Left),
        Kind::Swipe(Side::Top),
    ];
    for (kind, edits) in kinds.into_iter().flat_map(|kind| [(kind.clone(), false), (kind, true)]) {
        let transition = Transition { kind: kind.clone(), duration: Duration::from_millis(400) };
        let mut to = rig.collection.clone();
        to.current = if to.current == one { two } else { one };
        rig.pictures();
        // Another program that does nothing else.
        let before = rig.collection.plan(rig.collection.current);
        let mut apart = apart(&to, before);
        let now = rig.next.load(Ordering::SeqCst);
        apart.picture(rig.program.grid.instant(now - 1));
        rig.show(&to, Some(transition.clone()));
        rig.collection = to;
        for frame in rig.pictures() {
            assert!(**apart.picture(frame.pts).0.planes == **frame.planes, "{kind:?} before it");
        }
        let after = Arc::new(rig.collection.plan(rig.collection.current));
        apart.obey(BTreeMap::new(), Some((after, Some(transition.into()))), None);
        for number in 0..20 {
            rig.tick();
            for frame in rig.pictures() {
                let alike = edits || **apart.picture(frame.pts).0.planes == **frame.planes;
                assert!(alike, "{kind:?}: picture {number}");
            }
            // What comes in is changed meanwhile.
            let edit = edits.then(|| any(&mut rig)).flatten();
            let mut to = rig.collection.clone();
            if edit.is_some_and(|edit| to.apply(&edit)) {
                rig.show(&to, None);
                rig.collection = to;
            }
        }
        rig.tick();
        rig.pictures();
        let to = rig.collection.clone();
        rig.change(to, "what stays");
    }
    let figures = rig.program.compositor().figures();
    assert_eq!((figures.repeated, figures.slates, figures.skipped), (0, 0, 0));
    rig.program.end();
}
