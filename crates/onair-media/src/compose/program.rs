//! Draws program frames without a clock: the current scene, a running transition, and the preview
//! scene.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::base::partial_debug;
use crate::base::{Latest, Pooled, Timestamp, WorkerPool};
use crate::compose::draw::canvas::{Canvas, LayerRenderer};
use crate::compose::filter::WantedFilter;
use crate::compose::preview::PreviewScene;
use crate::compose::scene::{Plan, SourceId};
use crate::compose::side_views::{SideView, SideViews, ViewOf};
use crate::compose::source_frames::{SourceFrame, SourceFrames};
use crate::compose::transition::stinger::PlayingStinger;
use crate::compose::transition::{self, Change, Kind, Transition, TransitionAssets};
use crate::compose::view::{DrawResult, View, draw};
use crate::media::{Color, Planes, ProgramId, Size, VideoFrame};

/// Draws program frames. This type reads no clock; the thread of the
/// [`Compositor`](crate::compose::compositor::Compositor), or a benchmark, provides the time of
/// each frame.
pub struct Program {
    stage: LayerRenderer,
    source_frames: SourceFrames,
    plan: Arc<Plan>,
    canvas: Canvas,
    switch: Option<Switch>,
    mixer: transition::Mixer,
    /// The newest program frame.
    last: Option<Arc<Pooled<Planes>>>,
    preview: Option<PreviewScene>,
    views: SideViews,
    /// Other programs made from the same sources.
    others: BTreeMap<ProgramId, View>,
    size: Size,
    /// The worker pool that helps with all drawing.
    workers: Arc<WorkerPool>,
}

/// A running transition.
struct Switch {
    how: SwitchMethod,
    from: From,
}

enum SwitchMethod {
    Mix {
        transition: Transition,
        /// The grayscale image of a wipe.
        image: Option<Arc<Planes>>,
        /// The time of the transition's first frame.
        begun: Option<Timestamp>,
    },
    Clip(Box<PlayingStinger>),
}

enum From {
    Plan(Arc<Plan>, Canvas),
    /// The last frame of a transition that was still running, as a still image.
    Still(Arc<Pooled<Planes>>),
}

partial_debug!(Program { size });

type Feeds = BTreeMap<SourceId, SourceFrame>;

impl Program {
    /// Creates a program of this size that shows one source in the whole frame.
    pub fn new(size: Size) -> Self {
        let workers = Arc::new(WorkerPool::of_this_machine("bands"));
        Self {
            stage: LayerRenderer::new(size, Arc::clone(&workers)),
            source_frames: SourceFrames::default(),
            plan: Arc::new(Plan::simple(SourceId::default())),
            canvas: Canvas::default(),
            switch: None,
            mixer: transition::Mixer::default(),
            last: None,
            preview: None,
            views: SideViews::default(),
            others: BTreeMap::new(),
            size,
            workers,
        }
    }

    /// Applies the studio's pending changes: sources, program plan and preview.
    pub fn handle(
        &mut self,
        sources: Feeds,
        plan: Option<(Arc<Plan>, Option<Change>)>,
        preview: Option<Option<(Arc<Plan>, Latest<VideoFrame>)>>,
    ) {
        for (id, given) in sources {
            self.source_frames.give(id, given);
        }
        if let Some((plan, transition)) = plan {
            self.show(plan, transition);
        }
        match preview {
            None => {}
            Some(None) => self.preview = None,
            Some(Some((plan, slot))) => match &mut self.preview {
                Some(preview) => preview.show(plan, slot),
                None => {
                    self.preview = Some(PreviewScene::new(plan, slot, self.size, &self.workers));
                }
            },
        }
    }

    /// Draws exactly these views in addition to the program.
    pub fn set_views(&mut self, views: BTreeMap<ViewOf, SideView>) {
        self.views.set(views, self.size, &self.workers);
    }

    /// Draws another program at this size. `None` stops that program.
    pub fn set_other(&mut self, id: ProgramId, wanted: Option<(Arc<Plan>, Size)>) {
        let Some((plan, size)) = wanted else {
            self.others.remove(&id);
            return;
        };
        match self.others.get_mut(&id).filter(|view| view.size() == size) {
            Some(view) => view.plan = plan,
            None => drop(self.others.insert(id, View::new(plan, size, size, &self.workers))),
        }
    }

    /// Returns the frame of another program at the instant `at`.
    pub fn other_frame(&mut self, id: ProgramId, at: Timestamp) -> Option<VideoFrame> {
        let Self { others, source_frames, workers, .. } = self;
        others.get_mut(&id).map(|view| view.draw(source_frames, at, workers).0)
    }

    /// For each pair, moves the feed of the first source to the second one.
    pub fn hand_over(&mut self, sources: Vec<(SourceId, SourceId)>) {
        for (from, to) in sources {
            self.source_frames.hand_over(from, to);
        }
    }

    /// Sets which sources show the frames of another source.
    pub fn set_fallback(&mut self, sources: BTreeMap<SourceId, Option<SourceId>>) {
        for (id, by) in sources {
            self.source_frames.set_fallback(id, by);
        }
    }

    /// Sets the filters of sources. `lean` skips costly filters.
    pub fn set_filters(&mut self, filters: BTreeMap<SourceId, Vec<WantedFilter>>, lean: bool) {
        for (id, wanted) in filters {
            self.source_frames.set_filters(id, &wanted);
        }
        self.source_frames.lean = lean;
    }

    fn show(&mut self, plan: Arc<Plan>, change: Option<Change>) {
        let before = std::mem::replace(&mut self.plan, plan);
        let Some(Change { transition, means }) = change else { return };
        let running = self.switch.take().is_some();
        if transition.is_cut() {
            return;
        }
        let from = match self.last.clone().filter(|_| running) {
            Some(last) => From::Still(last),
            None => From::Plan(before, std::mem::take(&mut self.canvas)),
        };
        let how = match (&transition.kind, means) {
            (Kind::Stinger(stinger), TransitionAssets::Clip(feed)) => {
                SwitchMethod::Clip(Box::new(PlayingStinger::new(stinger, Some(feed))))
            }
            (Kind::Stinger(stinger), _) => {
                SwitchMethod::Clip(Box::new(PlayingStinger::new(stinger, None)))
            }
            (_, TransitionAssets::Image(image)) => {
                SwitchMethod::Mix { transition, image: Some(image), begun: None }
            }
            _ => SwitchMethod::Mix { transition, image: None, begun: None },
        };
        self.switch = Some(Switch { how, from });
    }

    /// Returns the program frame at the instant `at`.
    pub fn frame(&mut self, at: Timestamp) -> (VideoFrame, DrawResult) {
        self.source_frames.pull(self.plan.sources(), at, &self.workers);
        self.source_frames.set_displayed(&self.plan, self.size);
        let Self { workers, stage, source_frames, plan, canvas, switch, mixer, .. } = self;
        let mut old = |stage: &mut LayerRenderer, from: &mut From| match from {
            From::Still(still) => (Arc::clone(still), DrawResult::New),
            From::Plan(plan, canvas) => {
                source_frames.pull(plan.sources(), at, workers);
                draw(stage, source_frames, plan, canvas)
            }
        };
        let mut over = false;
        let (frame, made) = match switch {
            None => draw(stage, source_frames, plan, canvas),
            Some(Switch { how: SwitchMethod::Mix { transition, image, begun }, from }) => {
                let begun = *begun.get_or_insert(at);
                let whole = transition.duration.as_secs_f32().max(1e-3);
                let part = at.since(begun).as_secs_f32() / whole;
                over = part >= 1.0;
                if over {
                    draw(stage, source_frames, plan, canvas)
                } else {
                    let old = old(stage, from).0;
                    let new = draw(stage, source_frames, plan, canvas).0;
                    let mut mixed = stage.take();
                    mixer.mix(
                        &transition.kind,
                        image.as_ref(),
                        part,
                        (&old, &new),
                        &mut mixed,
                        workers,
                    );
                    (mixed.share(), DrawResult::New)
                }
            }
            Some(Switch { how: SwitchMethod::Clip(clip), from }) => {
                let now = clip.at(at, workers);
                over = now.over;
                let (below, made) = if now.changed {
                    draw(stage, source_frames, plan, canvas)
                } else {
                    old(stage, from)
                };
                match now.above {
                    Some(above) => (stage.cover(&below, &above), DrawResult::New),
                    None => (below, made),
                }
            }
        };
        if over {
            *switch = None;
        }
        self.last = Some(Arc::clone(&frame));
        (VideoFrame { pts: at, color: Color::PROGRAM, surface: frame.into() }, made)
    }

    /// Repeats the last frame for the instant `at`.
    pub fn repeat(&self, at: Timestamp) -> Option<(VideoFrame, DrawResult)> {
        let planes = Arc::clone(self.last.as_ref()?);
        Some((
            VideoFrame { pts: at, color: Color::PROGRAM, surface: planes.into() },
            DrawResult::Repeated,
        ))
    }

    /// Draws the views that are due at this tick. `tick` is the tick's number and the tick
    /// interval. `is_slow` is true on a slow computer.
    pub fn draw_views(&mut self, tick: (i64, Duration), at: Timestamp, is_slow: bool) {
        let Self { views, source_frames, workers, .. } = self;
        views.draw(tick, is_slow, source_frames, at, workers);
    }

    /// Draws the preview scene if it is due at this tick. `is_slow` is true on a slow computer.
    pub fn draw_preview(&mut self, tick: i64, at: Timestamp, is_slow: bool) {
        let Self { preview, source_frames, workers, .. } = self;
        if let Some(preview) = preview {
            preview.draw((tick, is_slow), source_frames, at, workers);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Pooled;
    use crate::compose::filter::{AssetSupply, Filter, Slot};
    use crate::compose::preview::MAX_PREVIEW_SIZE;
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
        VideoFrame {
            pts: Timestamp::ZERO,
            color,
            surface: Arc::new(Pooled::unpooled(planes)).into(),
        }
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
        let fade =
            Transition { kind: transition::Kind::Fade, duration: Duration::from_millis(400) };
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
        let feed =
            |luma| SourceFrame::Feed(Some(Box::new(Still(frame(size, Color::PROGRAM, luma)))));
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
    fn two_views_of_one_source_have_filters_of_their_own() {
        let size = Size::new(64, 36);
        let mut program = program(size);
        let feed = SourceFrame::Feed(Some(Box::new(Still(frame(size, Color::PROGRAM, 100)))));
        let view = SourceFrame::View(SourceId(0));
        let gain = |gain| {
            let mut filter = Filter::of_kind("color").unwrap();
            assert!(filter.set("gain", gain));
            vec![WantedFilter {
                slot: Slot { enabled: true, filter },
                material: AssetSupply::Nothing,
            }]
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
    fn one_that_another_stands_in_for_is_asked_on_and_comes_back() {
        let size = Size::new(64, 36);
        let mut program = program(size);
        let feed =
            |luma| SourceFrame::Feed(Some(Box::new(Still(frame(size, Color::PROGRAM, luma)))));
        let asked = [16, 17, 18, 19].map(|luma| Some(frame(size, Color::PROGRAM, luma)));
        let own = SourceFrame::Feed(Some(Box::new(Scripted(asked.to_vec()))));
        program.handle([(SourceId(0), own), (SourceId(7), feed(200))].into(), None, None);
        let mut filter = Filter::of_kind("color").unwrap();
        assert!(filter.set("gain", 0.5));
        let wanted = vec![WantedFilter {
            slot: Slot { enabled: true, filter },
            material: AssetSupply::Nothing,
        }];
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
    fn the_last_frame_stands_in_for_two_seconds_then_the_placeholder() {
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
    fn an_odd_frame_is_fitted_once_however_often_it_is_shown() {
        let size = Size::new(640, 360);
        let mut program = program(size);
        let given = frame(Size::new(320, 240), Color::WEBCAM, 90);
        program.feed(Some(Box::new(Scripted(vec![Some(given); 2]))));
        let (first, _) = program.frame(Timestamp::ZERO);
        let (second, _) = program.frame(Timestamp::from_millis(33));
        assert_eq!((first.size(), first.color), (size, Color::PROGRAM));
        assert!(same(&first, &second));
    }
}
