//! Tests of the program without a clock.

use super::*;
use crate::base::Pooled;
use crate::compose::filter::{AssetSupply, Filter, Slot};
use crate::compose::preview::MAX_PREVIEW_SIZE;
use crate::compose::transition::Easing;
use crate::compose::{scene, transition};
use crate::media::{NumericSettings, VideoFeed};

/// A feed that returns these frames, one per call, and then none.
struct Scripted(Vec<Option<VideoFrame>>);

impl VideoFeed for Scripted {
    fn frame(&mut self, _: Timestamp) -> Option<VideoFrame> {
        if self.0.is_empty() { None } else { self.0.remove(0) }
    }
}

fn frame(size: Size, color: Color, luma: u8) -> VideoFrame {
    let mut planes = Planes::black(size);
    planes.y.fill(luma);
    VideoFrame { pts: Timestamp::ZERO, color, surface: Arc::new(Pooled::unpooled(planes)).into() }
}

fn program(size: Size) -> Program {
    Program::new(size)
}

impl Program {
    fn feed(&mut self, feed: Option<Box<dyn VideoFeed>>) {
        self.handle([(SourceId::default(), SourceFrame::Feed(feed))].into(), None, None);
    }
}

/// Returns true if two frames share their pixels.
fn same(a: &VideoFrame, b: &VideoFrame) -> bool {
    a.is_same(b)
}

/// A feed that returns the same frame forever.
struct Still(VideoFrame);

impl VideoFeed for Still {
    fn frame(&mut self, _: Timestamp) -> Option<VideoFrame> {
        Some(self.0.clone())
    }
}

#[test]
fn a_switch_goes_through_its_transition_and_ends_with_the_new_scene() {
    let size = Size::new(64, 36);
    let mut program = program(size);
    let (old, new) = (frame(size, Color::PROGRAM, 40), frame(size, Color::PROGRAM, 200));
    let feed = |frame: &VideoFrame| SourceFrame::Feed(Some(Box::new(Still(frame.clone()))));
    let feeds = [(SourceId(0), feed(&old)), (SourceId(1), feed(&new))];
    program.handle(feeds.into(), None, None);
    let at = Timestamp::from_millis;
    assert!(same(&program.frame(at(0)).0, &old));
    let fade = Transition { kind: transition::Kind::Fade, duration: Duration::from_millis(400) };
    let plan = Arc::new(Plan::simple(SourceId(1)));
    program.handle(Feeds::new(), Some((plan, Some(fade.clone().into()))), None);
    let luma = |program: &mut Program, millis| program.frame(at(millis)).0.planes().y[0];
    let seen: Vec<u8> = [40, 140, 240, 340].map(|it| luma(&mut program, it)).to_vec();
    assert_eq!(seen, [40, 80, 120, 160]);
    // The change back during the transition continues from the visible state, without a jump.
    let plan = Arc::new(Plan::simple(SourceId(0)));
    program.handle(Feeds::new(), Some((plan, Some(fade.into()))), None);
    assert_eq!(luma(&mut program, 350), 160);
    assert_eq!(luma(&mut program, 550), 100);
    assert!(same(&program.frame(at(750)).0, &old) && program.switch.is_none());
    // A cut shows the new scene immediately.
    let plan = Arc::new(Plan::simple(SourceId(1)));
    program.handle(Feeds::new(), Some((plan, Some(Change::CUT))), None);
    assert!(same(&program.frame(at(800)).0, &new));
}

#[test]
fn a_shared_item_moves_to_its_new_place_while_the_backgrounds_fade() {
    use crate::compose::scene::{Fit, Layer, Placement};
    let size = Size::new(64, 36);
    let mut program = program(size);
    let feed = |luma| SourceFrame::Feed(Some(Box::new(Still(frame(size, Color::PROGRAM, luma)))));
    let feeds = [(SourceId(1), feed(40)), (SourceId(2), feed(80)), (SourceId(3), feed(220))];
    let layer = |source: u32, x: f64, width: f64| {
        let place = Placement { x, width, fit: Fit::Stretch, ..Placement::default() };
        Layer { source: SourceId(source), places: vec![place], ..Layer::whole(source.into()) }
    };
    let plan = |ground, x| {
        let layers = vec![layer(ground, 0.0, 1.0), layer(3, x, 0.25)];
        Arc::new(Plan { layers, ..Plan::default() })
    };
    program.handle(feeds.into(), Some((plan(1, 0.0), None)), None);
    let at = Timestamp::from_millis;
    let row = |program: &mut Program, millis| {
        let frame = program.frame(at(millis)).0;
        [4, 28, 36, 60].map(|x| frame.planes().y[18 * 64 + x])
    };
    assert_eq!(row(&mut program, 0), [220, 40, 40, 40]);
    let duration = Duration::from_millis(400);
    let change = Transition { kind: transition::Kind::Move(Easing::Smooth), duration };
    program.handle(Feeds::new(), Some((plan(2, 0.75), Some(change.into()))), None);
    assert_eq!(row(&mut program, 1_000), [220, 40, 40, 40]);
    // Halfway, the item is in the middle, as bright as before, and the background is mixed.
    assert_eq!(row(&mut program, 1_200), [60, 220, 220, 60]);
    assert_eq!(row(&mut program, 1_400), [80, 80, 80, 220]);
    // The T-bar moves it by hand.
    let bar = ManualTransition::new(plan(1, 0.0), Kind::Move(Easing::Linear), None, 0.5);
    program.set_t_bar(Some(bar));
    assert_eq!(row(&mut program, 1_500), [60, 220, 220, 60]);
}

#[test]
fn the_t_bar_mixes_as_far_as_it_is_moved_and_goes_back() {
    let size = Size::new(64, 36);
    let mut program = program(size);
    let feed = |luma| SourceFrame::Feed(Some(Box::new(Still(frame(size, Color::PROGRAM, luma)))));
    program.handle([(SourceId(0), feed(40)), (SourceId(1), feed(200))].into(), None, None);
    let mut luma = |position: Option<f32>| {
        let plan = Arc::new(Plan::simple(SourceId(1)));
        let bar = position.map(|it| ManualTransition::new(plan, Kind::Cut, None, it));
        program.set_t_bar(bar);
        program.frame(Timestamp::ZERO).0.planes().y[0]
    };
    assert_eq!([0.0, 0.25, 1.0, 0.5, f32::NAN].map(|it| luma(Some(it))), [40, 80, 200, 120, 40]);
    assert_eq!([luma(Some(0.5)), luma(None)], [120, 40]);
}

#[test]
fn the_filters_of_a_scene_apply_to_all_its_items_and_those_of_a_group_to_the_group() {
    use crate::compose::scene::{Content, Item, ItemId, Scene, SceneId};
    let size = Size::new(64, 36);
    let mut program = program(size);
    let feed = |luma| SourceFrame::Feed(Some(Box::new(Still(frame(size, Color::PROGRAM, luma)))));
    program.handle([(SourceId(0), feed(40)), (SourceId(1), feed(200))].into(), None, None);
    let half = |id: u32, x| Item {
        place: scene::Placement { x, width: 0.5, fit: scene::Fit::Cover, ..Default::default() },
        ..Item::new(ItemId(id + 1), Content::Source(SourceId(id)))
    };
    let group = Item::new(ItemId(9), Content::Group(vec![half(1, 0.5)]));
    let scene = Scene { id: SceneId(3), items: vec![half(0, 0.0), group], ..Default::default() };
    let mut darkened = |ids: &[SourceId]| {
        let mut filter = Filter::of_kind("color").unwrap();
        assert!(filter.set("brightness", -0.5));
        let slot = Slot { enabled: true, filter };
        let wanted = vec![WantedFilter { slot, material: AssetSupply::Nothing }];
        let all = [SourceId::of_scene(SceneId(3)), SourceId::of_group(ItemId(9))];
        let list = |id: &SourceId| if ids.contains(id) { wanted.clone() } else { Vec::new() };
        program.set_filters(all.iter().map(|id| (*id, list(id))).collect(), false);
        let plan = Plan::filtered(&scene, &[], &|id| ids.contains(&id));
        program.handle(Feeds::new(), Some((Arc::new(plan), None)), None);
        let frame = program.frame(Timestamp::ZERO).0;
        let y = &frame.planes().y;
        [y[64 * 18 + 16], y[64 * 18 + 48]]
    };
    let plain = darkened(&[]);
    assert_eq!(plain, [40, 200]);
    let of_group = darkened(&[SourceId::of_group(ItemId(9))]);
    assert!(of_group[0] == 40 && of_group[1] < 120, "{of_group:?}");
    let of_scene = darkened(&[SourceId::of_scene(SceneId(3))]);
    assert!(of_scene[0] < 30 && of_scene[1] == of_group[1], "{of_scene:?}");
    let both = darkened(&[SourceId::of_scene(SceneId(3)), SourceId::of_group(ItemId(9))]);
    assert!(both[1] < of_group[1], "{both:?}");
}

/// A clip of three half-transparent frames, 100 ms each.
struct Clip(Option<Timestamp>);

impl crate::media::ClipFeed for Clip {
    fn moment(&mut self, at: Timestamp) -> crate::media::Moment {
        let place = at.since(*self.0.get_or_insert(at));
        if place >= Duration::from_millis(300) {
            return crate::media::Moment::Over;
        }
        let mut planes = Planes::transparent(Size::new(64, 36));
        planes.y.fill(100);
        if let Some(alpha) = &mut planes.alpha {
            alpha.chunks_exact_mut(64).for_each(|line| line[..32].fill(255));
        }
        let planes = Arc::new(Pooled::unpooled(planes));
        let pts = Timestamp::ZERO + place;
        crate::media::Moment::Frame(VideoFrame {
            pts,
            color: Color::PROGRAM,
            surface: planes.into(),
        })
    }
}

#[test]
fn a_stinger_plays_over_the_old_scene_and_then_over_the_new_one() {
    let size = Size::new(64, 36);
    let mut program = program(size);
    let feed = |luma| SourceFrame::Feed(Some(Box::new(Still(frame(size, Color::PROGRAM, luma)))));
    program.handle([(SourceId(0), feed(40)), (SourceId(1), feed(200))].into(), None, None);
    let cut = Duration::from_millis(150);
    let stinger = || transition::Stinger { cut, ..Default::default() };
    let change = |means| {
        let kind = Kind::Stinger(stinger());
        Some(Change { transition: Transition { kind, duration: Duration::ZERO }, means })
    };
    let to = |id| Arc::new(Plan::simple(SourceId(id)));
    let means = TransitionAssets::Clip(Box::new(Clip(None)));
    program.handle(Feeds::new(), Some((to(1), change(means))), None);
    let luma = |program: &mut Program, millis| {
        let planes = Arc::clone(program.frame(Timestamp::from_millis(millis)).0.shared());
        (planes.y[0], planes.y[63])
    };
    let seen: Vec<_> =
        [1_000, 1_100, 1_150, 1_290].map(|it| luma(&mut program, it)).into_iter().collect();
    assert_eq!(seen, [(100, 40), (100, 40), (100, 200), (100, 200)]);
    assert_eq!(luma(&mut program, 1_300), (200, 200));
    assert!(program.switch.is_none());
    // If the clip cannot be opened, the stinger becomes a cut at the time of its scene change.
    program.handle(Feeds::new(), Some((to(0), change(TransitionAssets::Nothing))), None);
    let seen = [2_000, 2_149, 2_150].map(|it| luma(&mut program, it).0);
    assert_eq!((seen, program.switch.is_none()), ([200, 200, 40], true));
}

#[test]
fn the_preview_scene_is_drawn_small_and_apart() {
    let size = Size::new(1280, 720);
    let mut program = program(size);
    let slot = Latest::default();
    let plan = Arc::new(Plan::simple(SourceId(7)));
    let given = frame(size, Color::PROGRAM, 90);
    let feed = SourceFrame::Feed(Some(Box::new(Still(given))));
    program.handle([(SourceId(7), feed)].into(), None, Some(Some((plan, slot.clone()))));
    assert_eq!(program.frame(Timestamp::ZERO).1, DrawResult::Placeholder);
    program.draw_preview(0, Timestamp::ZERO, false);
    let seen = slot.get().unwrap();
    assert_eq!((seen.size(), seen.planes().y[0]), (MAX_PREVIEW_SIZE, 90));
    program.draw_preview(2, Timestamp::from_millis(66), false);
    assert_eq!(slot.version(), 1, "nothing has changed");
}

#[test]
fn two_views_of_one_source_have_their_own_filters() {
    let size = Size::new(64, 36);
    let mut program = program(size);
    let feed = SourceFrame::Feed(Some(Box::new(Still(frame(size, Color::PROGRAM, 100)))));
    let view = SourceFrame::View(SourceId(0));
    let gain = |gain| {
        let mut filter = Filter::of_kind("color").unwrap();
        assert!(filter.set("gain", gain));
        vec![WantedFilter { slot: Slot { enabled: true, filter }, material: AssetSupply::Nothing }]
    };
    let filters = [(SourceId(0), gain(2.0)), (SourceId(1), gain(0.5))];
    program.set_filters(filters.into(), false);
    program.handle([(SourceId(0), feed), (SourceId(1), view)].into(), None, None);
    let luma = |program: &mut Program, id, millis| {
        let plan = Some((Arc::new(Plan::simple(SourceId(id))), None));
        program.handle(Feeds::new(), plan, None);
        program.frame(Timestamp::from_millis(millis)).0.planes().y[0]
    };
    assert_eq!((luma(&mut program, 0, 0), luma(&mut program, 1, 40)), (184, 58));
    program.set_filters([(SourceId(1), Vec::new())].into(), false);
    assert_eq!((luma(&mut program, 1, 80), luma(&mut program, 0, 120)), (100, 184));
    program.handle([(SourceId(1), SourceFrame::Feed(None))].into(), None, None);
    let plan = Some((Arc::new(Plan::simple(SourceId(1))), None));
    program.handle(Feeds::new(), plan, None);
    assert_eq!(program.frame(Timestamp::from_millis(160)).1, DrawResult::Placeholder);
}

#[test]
fn a_replaced_source_is_still_asked_for_frames_and_returns() {
    let size = Size::new(64, 36);
    let mut program = program(size);
    let feed = |luma| SourceFrame::Feed(Some(Box::new(Still(frame(size, Color::PROGRAM, luma)))));
    let asked = [16, 17, 18, 19].map(|luma| Some(frame(size, Color::PROGRAM, luma)));
    let own = SourceFrame::Feed(Some(Box::new(Scripted(asked.to_vec()))));
    program.handle([(SourceId(0), own), (SourceId(7), feed(200))].into(), None, None);
    let mut filter = Filter::of_kind("color").unwrap();
    assert!(filter.set("gain", 0.5));
    let wanted =
        vec![WantedFilter { slot: Slot { enabled: true, filter }, material: AssetSupply::Nothing }];
    program.set_filters([(SourceId(0), wanted)].into(), false);
    let luma = |program: &mut Program, millis| {
        program.frame(Timestamp::from_millis(millis)).0.planes().y[0]
    };
    luma(&mut program, 0);
    program.set_fallback([(SourceId(0), Some(SourceId(7)))].into());
    assert_eq!(luma(&mut program, 40), 200, "not through the filters of the other");
    program.set_fallback([(SourceId(0), Some(SourceId(8)))].into());
    luma(&mut program, 80);
    program.set_fallback([(SourceId(0), None)].into());
    program.set_filters([(SourceId(0), Vec::new())].into(), false);
    assert_eq!(luma(&mut program, 120), 19, "its fourth: it was asked for each");
    // A source without a frame cannot replace another source, and a source cannot replace
    // itself.
    for by in [SourceId(8), SourceId(0)] {
        program.set_fallback([(SourceId(0), Some(by))].into());
        assert_eq!(luma(&mut program, 160), 19);
    }
}

#[test]
fn what_feeds_one_source_is_handed_over_to_another_with_its_last_frame() {
    let size = Size::new(64, 36);
    let mut program = program(size);
    let once = vec![Some(frame(size, Color::PROGRAM, 90))];
    let feed = SourceFrame::Feed(Some(Box::new(Scripted(once))));
    let view = SourceFrame::View(SourceId(0));
    program.handle([(SourceId(0), feed), (SourceId(5), view)].into(), None, None);
    assert_eq!(program.frame(Timestamp::ZERO).0.planes().y[0], 90);
    program.hand_over(vec![(SourceId(0), SourceId(5))]);
    let closed = SourceFrame::Feed(None);
    let plan = Some((Arc::new(Plan::simple(SourceId(5))), None));
    program.handle([(SourceId(0), closed)].into(), plan, None);
    assert_eq!(program.frame(Timestamp::from_millis(40)).0.planes().y[0], 90);
    let plan = Some((Arc::new(Plan::simple(SourceId(0))), None));
    program.handle(Feeds::new(), plan, None);
    assert_eq!(program.frame(Timestamp::from_millis(80)).1, DrawResult::Placeholder);
}

#[test]
fn a_source_that_is_gone_shows_what_is_behind_it() {
    let size = Size::new(64, 36);
    let mut program = program(size);
    let given = frame(size, Color::PROGRAM, 200);
    let above = SourceFrame::Feed(Some(Box::new(Scripted(vec![Some(given)]))));
    let below = SourceFrame::Feed(Some(Box::new(Still(frame(size, Color::PROGRAM, 90)))));
    let place = scene::Placement { width: 0.5, height: 0.5, ..scene::Placement::default() };
    let mut plan = Plan::simple(SourceId(0));
    plan.layers.push(scene::Layer {
        key: 1,
        source: SourceId(1),
        places: vec![place],
        ..plan.layers[0].clone()
    });
    program.handle(
        [(SourceId(0), below), (SourceId(1), above)].into(),
        Some((Arc::new(plan), None)),
        None,
    );
    let luma = |program: &mut Program, millis| {
        let planes = Arc::clone(program.frame(Timestamp::from_millis(millis)).0.shared());
        (planes.y[0], planes.y[63])
    };
    assert_eq!(luma(&mut program, 0), (200, 90));
    assert_eq!(luma(&mut program, 1_900), (200, 90));
    assert_eq!(luma(&mut program, 2_100), (90, 90));
}

#[test]
fn a_fitting_frame_passes_without_a_copy() {
    let size = Size::new(640, 360);
    let mut program = program(size);
    let given = frame(size, Color::PROGRAM, 90);
    program.feed(Some(Box::new(Scripted(vec![Some(given.clone()); 2]))));
    let at = Timestamp::from_millis(500);
    let (out, made) = program.frame(at);
    assert!(same(&out, &given) && out.pts == at && made == DrawResult::New);
    assert_eq!(program.frame(at).1, DrawResult::Repeated);
}

#[test]
fn the_last_frame_stays_for_two_seconds_and_then_the_placeholder_replaces_it() {
    let size = Size::new(640, 360);
    let mut program = program(size);
    assert_eq!(program.frame(Timestamp::ZERO).1, DrawResult::Placeholder);
    let given = frame(size, Color::PROGRAM, 90);
    program.feed(Some(Box::new(Scripted(vec![Some(given.clone())]))));
    let start = Timestamp::from_millis(1_000);
    assert_eq!(program.frame(start).1, DrawResult::New);
    let (held, made) = program.frame(start + Duration::from_millis(1_999));
    assert!(same(&held, &given) && made == DrawResult::Repeated);
    let (placeholder, made) = program.frame(start + Duration::from_millis(2_001));
    assert!(!same(&placeholder, &given) && made == DrawResult::Placeholder);
    assert_eq!((placeholder.size(), placeholder.color), (size, Color::PROGRAM));
}

#[test]
fn a_frame_of_another_size_is_scaled_once_however_often_it_is_shown() {
    let size = Size::new(640, 360);
    let mut program = program(size);
    let given = frame(Size::new(320, 240), Color::WEBCAM, 90);
    program.feed(Some(Box::new(Scripted(vec![Some(given); 2]))));
    let (first, _) = program.frame(Timestamp::ZERO);
    let (second, _) = program.frame(Timestamp::from_millis(33));
    assert_eq!((first.size(), first.color), (size, Color::PROGRAM));
    assert!(same(&first, &second));
}
