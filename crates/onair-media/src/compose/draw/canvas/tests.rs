//! Tests that draw whole frames, compare them with expected ones, and count the work.

use super::*;
use crate::base::Timestamp;
use crate::compose::scene::Layer;
use crate::media::Color;

const PROGRAM_SIZE: Size = Size::new(160, 90);

fn flat(size: Size, luma: u8, alpha: Option<u8>) -> VideoFrame {
    let mut planes = Planes::black(size);
    planes.y.fill(luma);
    planes.alpha = alpha.map(|alpha| vec![alpha; size.pixels()]);
    let planes = Arc::new(Pooled::unpooled(planes));
    VideoFrame { pts: Timestamp::ZERO, color: Color::PROGRAM, surface: planes.into() }
}

fn layer(source: u32, place: Placement) -> Layer {
    Layer {
        key: source.into(),
        source: SourceId(source),
        places: vec![place],
        framed: 0,
        opacity: 1.0,
        blend: Blend::Normal,
    }
}

fn plan_of(layers: Vec<Layer>) -> Plan {
    Plan { layers, ..Plan::default() }
}

fn corner() -> Placement {
    Placement { x: 0.5, y: 0.5, width: 0.5, height: 0.5, ..Placement::default() }
}

#[test]
fn shapes_are_kept_on_black() {
    let mut stage = LayerRenderer::new(PROGRAM_SIZE, Arc::new(WorkerPool::alone()));
    for from in [Size::new(64, 48), Size::new(320, 100), Size::new(2, 90), Size::new(160, 90)] {
        let frame = flat(from, 200, None);
        let plan = Plan::simple(SourceId(0));
        let (out, _) = stage.draw_plain(&mut Canvas::default(), &plan, |_| Some(frame.clone()));
        assert_eq!(out.size(), PROGRAM_SIZE);
        let inner = from.fitted_into(PROGRAM_SIZE);
        let lit = out.y.iter().filter(|&&y| y == 200).count();
        let black = out.y.iter().filter(|&&y| y == 16).count();
        assert_eq!((lit, lit + black), (inner.pixels(), PROGRAM_SIZE.pixels()), "{from}");
        assert_eq!(out.y[45 * 160 + 79], 200);
    }
}

#[test]
fn layers_lie_over_each_other_and_only_changes_are_drawn() {
    let mut stage = LayerRenderer::new(PROGRAM_SIZE, Arc::new(WorkerPool::alone()));
    let mut canvas = Canvas::default();
    let (ground, above) = (flat(PROGRAM_SIZE, 60, None), flat(Size::new(40, 40), 180, Some(128)));
    let square = Placement { fit: crate::compose::scene::Fit::Stretch, ..corner() };
    let plan = plan_of(vec![layer(0, Placement::default()), layer(1, square)]);
    let sources = |id: SourceId| Some(if id.0 == 0 { ground.clone() } else { above.clone() });
    let (first, new) = stage.draw_plain(&mut canvas, &plan, sources);
    assert!(new);
    assert_eq!((first.y[0], first.y[43 * 160 + 159]), (60, 60));
    assert!(
        first.y[46 * 160 + 81].abs_diff(120) <= 1 && first.y[87 * 160 + 159].abs_diff(120) <= 1
    );
    let (second, new) = stage.draw_plain(&mut canvas, &plan, sources);
    assert!(!new && Arc::ptr_eq(&first, &second));
    let (without, new) =
        stage.draw_plain(&mut canvas, &plan, |id| sources(id).filter(|_| id.0 == 0));
    assert!(new && Arc::ptr_eq(&without, ground.shared()), "the ground itself");
}

#[test]
fn nested_scenes_and_groups_are_drawn_as_far_as_they_are_seen() {
    use crate::compose::scene::{Content, Crop, Fit, Item, ItemId, Scene, SceneId};
    let mut stage = LayerRenderer::new(PROGRAM_SIZE, Arc::new(WorkerPool::alone()));
    let item = |id: u32, content, place| Item { place, ..Item::new(ItemId(id), content) };
    let source = |id| Content::Source(SourceId(id));
    // The lower layer fills the canvas; the upper one extends beyond it at the right and at the
    // bottom.
    let wide = Placement { x: 0.5, y: 0.5, ..Placement::default() };
    let members = vec![item(1, source(1), Placement::default()), item(2, source(2), wide)];
    let inner = Scene { id: SceneId(2), items: members.clone(), ..Scene::default() };
    let (low, high) = (flat(PROGRAM_SIZE, 80, None), flat(PROGRAM_SIZE, 200, None));
    let mut draw = |content: Content, place: Placement, opacity: f32| {
        let outer = Item { opacity, ..item(3, content, place) };
        let scene = Scene { id: SceneId(1), items: vec![outer], ..Scene::default() };
        let plan = Plan::of(&scene, std::slice::from_ref(&inner));
        let source = |id: SourceId| Some(if id.0 == 1 { low.clone() } else { high.clone() });
        stage.draw_plain(&mut Canvas::default(), &plan, source).0
    };
    let count = |out: &Planes, luma: u8| out.y.iter().filter(|&&y| y == luma).count();
    let at = |out: &Planes, x: usize, y: usize| out.y[y * 160 + x];
    let (nested, group) = (Content::Scene(SceneId(2)), Content::Group(members));
    let small = Placement { width: 0.5, height: 0.5, ..Placement::default() };
    // At half the size: 80 × 44 pixels of the scene, and nothing else.
    for strength in [1.0, 0.5] {
        let out = draw(nested.clone(), small, strength);
        let lit = out.y.iter().filter(|&&y| y != 16).count();
        assert_eq!(lit, 80 * 44, "{strength}");
    }
    let out = draw(nested.clone(), small, 1.0);
    assert_eq!((at(&out, 20, 20), at(&out, 60, 30), at(&out, 82, 30)), (80, 200, 16));
    let out = draw(group.clone(), small, 1.0);
    assert_eq!((at(&out, 60, 30), at(&out, 100, 60)), (200, 200), "a group has no edge");
    // A quarter is cropped at the left, in a box that is a quarter narrower: the rest stays
    // unchanged.
    let crop = Crop { left: 0.25, ..Crop::default() };
    let cropped = Placement { x: 0.25, width: 0.75, crop, ..Placement::default() };
    for content in [nested.clone(), group.clone()] {
        let out = draw(content, cropped, 1.0);
        assert_eq!((count(&out, 16), count(&out, 200)), (40 * 90, 80 * 46));
        assert_eq!((at(&out, 39, 10), at(&out, 40, 10), at(&out, 81, 46)), (16, 80, 200));
    }
    // With "cover" in an upright box, neither the nested scene nor the group is stretched, and both
    // are cropped at the box.
    let upright = Placement { width: 0.25, fit: Fit::Cover, ..Placement::default() };
    for content in [nested, group] {
        let out = draw(content, upright, 1.0);
        assert_eq!((count(&out, 16), at(&out, 39, 89), at(&out, 40, 89)), (120 * 90, 200, 16));
        // The middle quarter of the canvas: the upper layer begins in its middle.
        assert_eq!((at(&out, 18, 80), at(&out, 22, 80)), (80, 200));
    }
}

#[test]
fn what_lies_still_below_is_drawn_once() {
    let mut stage = LayerRenderer::new(PROGRAM_SIZE, Arc::new(WorkerPool::alone()));
    let mut canvas = Canvas::default();
    let place = |x| Placement {
        x,
        width: 0.25,
        fit: crate::compose::scene::Fit::Stretch,
        ..Placement::default()
    };
    let layers = vec![
        layer(0, Placement::default()),
        layer(1, place(0.1)),
        layer(2, place(0.3)),
        layer(3, place(0.2)),
        layer(4, place(0.6)),
    ];
    let plan = plan_of(layers);
    let mut still: Vec<_> =
        (0..5).map(|n| flat(Size::new(64, 36), 40 + n * 30, (n > 0).then_some(128))).collect();
    still[0] = flat(PROGRAM_SIZE, 60, None);
    let mut laid = Vec::new();
    for n in 0..20 {
        // The fourth layer has a new frame each time; the second gets another one in the middle of
        // the test.
        if n == 10 {
            still[1] = flat(Size::new(64, 36), 220, Some(128));
        }
        still[3] = flat(Size::new(64, 36), 100 + n, Some(128));
        let source = |id: SourceId| still.get(id.0 as usize).cloned();
        let before = stage.laid;
        let (out, new) = stage.draw_plain(&mut canvas, &plan, source);
        laid.push(stage.laid - before);
        let mut alone = LayerRenderer::new(PROGRAM_SIZE, Arc::new(WorkerPool::alone()));
        let (whole, _) = alone.draw_plain(&mut Canvas::default(), &plan, source);
        assert!(new && out.y == whole.y && out.u == whole.u && out.v == whole.v, "{n}");
    }
    // All five pieces are drawn until the lower three have been static for a while; from then on,
    // only the upper two are drawn.
    assert_eq!(laid[..4], [5, 5, 5, 5]);
    assert_eq!(laid[4..10], [2; 6]);
    assert_eq!(laid[10..13], [5, 5, 5]);
    assert_eq!(laid[14..], [2; 6]);
}

#[test]
fn of_what_lies_still_only_that_is_copied_which_was_covered() {
    let mut stage = LayerRenderer::new(PROGRAM_SIZE, Arc::new(WorkerPool::alone()));
    let (mut one, mut other) = (Canvas::default(), Canvas::default());
    let place = |x, y, width, height| Placement {
        x,
        y,
        width,
        height,
        fit: crate::compose::scene::Fit::Stretch,
        ..Placement::default()
    };
    let mut ground = flat(PROGRAM_SIZE, 60, None);
    // A pattern that shows whether any old content remains visible.
    let speckled = |luma: u8| {
        let mut planes = Planes::black(PROGRAM_SIZE);
        planes.y.iter_mut().enumerate().for_each(|(at, y)| *y = luma + (at % 97) as u8);
        let planes = Arc::new(Pooled::unpooled(planes));
        VideoFrame { pts: Timestamp::ZERO, color: Color::PROGRAM, surface: planes.into() }
    };
    let corner = flat(Size::new(32, 18), 200, None);
    let mut held = std::collections::VecDeque::new();
    let mut copied = Vec::new();
    for n in 0..120_u8 {
        // A line moves along the lower edge, and a small layer moves. For a while, there is one
        // more static layer. Later, the ground changes. Some frames are drawn on another canvas.
        let x = f64::from(n) / 160.0;
        let mut layers = vec![layer(0, Placement::default())];
        if (30..60).contains(&n) {
            layers.push(layer(3, place(0.8, 0.0, 0.2, 0.2)));
        }
        layers.push(layer(1, place(0.0, 0.8, 1.0, 0.2)));
        layers.push(layer(2, place(x, x / 2.0, 0.1, 0.1)));
        if n == 80 {
            ground = speckled(3);
        }
        let ticker = flat(Size::new(64, 10), 100 + n, Some(128));
        let sources = |id: SourceId| match id.0 {
            0 => Some(ground.clone()),
            1 => Some(ticker.clone()),
            _ => Some(corner.clone()),
        };
        let plan = plan_of(layers);
        let canvas = if n % 16 == 9 { &mut other } else { &mut one };
        let before = stage.copied;
        let (out, new) = stage.draw_plain(canvas, &plan, sources);
        copied.push(stage.copied - before);
        let mut alone = LayerRenderer::new(PROGRAM_SIZE, Arc::new(WorkerPool::alone()));
        let (whole, _) = alone.draw_plain(&mut Canvas::default(), &plan, sources);
        assert!(new && out.y == whole.y && out.u == whole.u && out.v == whole.v, "{n}");
        // An encoder that sometimes lags behind, and code that overwrites a buffer.
        held.push_back(out);
        while held.len() > usize::from(n % 5) {
            held.pop_front();
        }
        if n % 11 == 3 {
            let mut other = stage.take();
            other.y.fill(1);
            drop(other.share());
        }
    }
    // As soon as all buffers hold the static frame, only the areas of the line and the small layer
    // are copied, and never a whole frame.
    let moving = PROGRAM_SIZE.width as usize * 18 + 16 * 10;
    let small = copied[90..].iter().filter(|it| (1..=moving).contains(*it)).count();
    assert!(small >= 20, "{copied:?}");
    // A buffer with other content is copied entirely.
    assert!(copied.iter().any(|it| *it == PROGRAM_SIZE.pixels()), "{copied:?}");
}

#[test]
fn what_is_covered_is_not_even_prepared() {
    let mut stage = LayerRenderer::new(PROGRAM_SIZE, Arc::new(WorkerPool::alone()));
    let mut canvas = Canvas::default();
    let small = flat(Size::new(32, 18), 90, None);
    let top = flat(PROGRAM_SIZE, 200, None);
    let plan = plan_of(vec![layer(0, corner()), layer(1, Placement::default())]);
    let sources = |id: SourceId| Some(if id.0 == 1 { top.clone() } else { small.clone() });
    let (out, _) = stage.draw_plain(&mut canvas, &plan, sources);
    assert!(Arc::ptr_eq(&out, top.shared()) && stage.prepared.len() == 1);
    // Two layers side by side, below a layer that covers one of them.
    let half =
        Placement { width: 0.5, fit: crate::compose::scene::Fit::Stretch, ..Placement::default() };
    let layers = vec![layer(2, half), layer(0, corner()), layer(3, corner())];
    stage.draw_plain(&mut canvas, &plan_of(layers), |_| Some(small.clone()));
    assert!(stage.prepared.contains_key(&3) && !stage.prepared.contains_key(&0));
}

#[test]
fn nothing_is_allocated_for_frames_once_warm() {
    let mut stage = LayerRenderer::new(PROGRAM_SIZE, Arc::new(WorkerPool::alone()));
    let mut canvas = Canvas::default();
    let plan = plan_of(vec![layer(0, Placement::default()), layer(1, corner())]);
    let frames: Vec<_> = (0..40).map(|luma| flat(Size::new(64, 36), luma * 5, None)).collect();
    let mut seen = std::collections::BTreeSet::new();
    for frame in &frames {
        let (out, new) = stage.draw_plain(&mut canvas, &plan, |_| Some(frame.clone()));
        assert!(new);
        seen.insert(out.y.as_ptr() as usize);
    }
    assert!(seen.len() <= 3, "{} buffers", seen.len());
}

#[test]
fn a_group_is_drawn_as_one_layer_and_redrawn_only_when_it_changes() {
    let mut stage = LayerRenderer::new(PROGRAM_SIZE, Arc::new(WorkerPool::alone()));
    let mut canvas = Canvas::default();
    let place = |x, width| Placement {
        x,
        width,
        fit: crate::compose::scene::Fit::Stretch,
        ..Placement::default()
    };
    // A group of two overlapping layers at half strength over the ground.
    let layers =
        vec![layer(0, Placement::default()), layer(1, place(0.0, 0.75)), layer(2, place(0.5, 0.5))];
    let mut group = LayerGroup {
        key: 9,
        layers: 1..3,
        opacity: 0.5,
        blend: crate::compose::scene::Blend::Normal,
    };
    let sources: Vec<_> = [40, 100, 200].map(|luma| flat(PROGRAM_SIZE, luma, None)).into();
    let source = |id: SourceId| sources.get(id.0 as usize).cloned();
    let plan = Plan { layers: layers.clone(), together: vec![group.clone()], ..Plan::default() };
    let (out, _) = stage.draw_plain(&mut canvas, &plan, source);
    let at = |out: &Planes, x: usize| out.y[45 * 160 + x];
    let seen = |out: &Planes| (at(out, 10), at(out, 100), at(out, 150));
    assert_eq!(seen(&out), (70, 120, 120), "what is above hides what is below in the group");
    let made = Arc::as_ptr(&stage.bundles[&9].image.planes);
    // The ground changes, but the group is not drawn again.
    group.opacity = 1.0;
    group.blend = crate::compose::scene::Blend::Lighten;
    let plan = Plan { layers, together: vec![group], ..Plan::default() };
    let (out, new) = stage.draw_plain(&mut canvas, &plan, source);
    assert!(new && std::ptr::eq(made, Arc::as_ptr(&stage.bundles[&9].image.planes)));
    let (low, middle, high) = seen(&out);
    assert!(low.abs_diff(100) <= 1 && middle.abs_diff(200) <= 1 && high.abs_diff(200) <= 1);
    let (_, new) = stage.draw_plain(&mut canvas, &plan, source);
    assert!(!new);
}
