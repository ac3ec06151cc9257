//! Views in addition to the program: scenes and sources that are displayed in the window. A view
//! that is displayed alone is as large as the program. Of many thumbnails, one is drawn per tick,
//! so that all of them together cost as much as one.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::base::{Latest, Timestamp, WorkerPool};
use crate::compose::scene::{Plan, SceneId, SourceId};
use crate::compose::source_frames::SourceFrames;
use crate::compose::view::{DrawResult, View};
use crate::media::{Size, VideoFrame};

/// Maximum size of a thumbnail.
const MAX_THUMBNAIL_SIZE: Size = Size::new(480, 270);
/// Minimum time after which a thumbnail is drawn again.
const THUMBNAIL_INTERVAL: Duration = Duration::from_millis(200);
/// Number of ticks between two drawings of a view of the program's size.
const FULL_VIEW_INTERVAL_TICKS: i64 = 2;

/// The content of a view.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ViewOf {
    Scene(SceneId),
    /// The source alone fills the view.
    Source(SourceId),
    /// The source alone, with only the filters before the one with this index, fills the view.
    BeforeFilter(SourceId, usize),
}

impl ViewOf {
    /// Returns true if a slow computer does not draw this view. It draws only the view before a
    /// filter, without which no key color can be picked.
    pub fn is_droppable(self) -> bool {
        !matches!(self, Self::BeforeFilter(..))
    }
}

/// The resolution of a view.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ViewDetail {
    /// One of many small views.
    Thumbnail,
    /// At the size of the program.
    Full,
}

/// A view that is displayed in the window.
#[derive(Clone, Debug)]
pub struct SideView {
    pub plan: Arc<Plan>,
    pub detail: ViewDetail,
    pub slot: Latest<VideoFrame>,
}

/// The views that are currently drawn.
#[derive(Default)]
pub struct SideViews(BTreeMap<ViewOf, Drawn>);

struct Drawn {
    view: View,
    detail: ViewDetail,
    slot: Latest<VideoFrame>,
}

impl Drawn {
    fn draw(&mut self, source_frames: &mut SourceFrames, at: Timestamp, workers: &WorkerPool) {
        let (frame, made) = self.view.draw(source_frames, at, workers);
        if made == DrawResult::New || self.slot.version() == 0 {
            self.slot.publish(frame);
        }
    }
}

impl SideViews {
    /// Sets the views for a program of this size.
    pub fn set(
        &mut self,
        wanted: BTreeMap<ViewOf, SideView>,
        program: Size,
        workers: &Arc<WorkerPool>,
    ) {
        let mut before = std::mem::take(&mut self.0);
        for (of, SideView { plan, detail, slot }) in wanted {
            let size = match detail {
                ViewDetail::Thumbnail if program.width > MAX_THUMBNAIL_SIZE.width => {
                    program.fitted_into(MAX_THUMBNAIL_SIZE)
                }
                ViewDetail::Thumbnail | ViewDetail::Full => program,
            };
            let kept = before.remove(&of).map(|drawn| drawn.view);
            let view = match kept.filter(|view| view.size() == size) {
                Some(mut view) => {
                    view.plan = plan;
                    view
                }
                None => View::new(plan, size, program, workers),
            };
            self.0.insert(of, Drawn { view, detail, slot });
        }
    }

    /// Draws the views that are due at this tick. `tick` is the tick's number and the tick
    /// interval. `is_slow` skips the droppable views.
    pub fn draw(
        &mut self,
        (tick, period): (i64, Duration),
        is_slow: bool,
        source_frames: &mut SourceFrames,
        at: Timestamp,
        workers: &WorkerPool,
    ) {
        // These views are not drawn at the same ticks as the preview scene.
        if tick.rem_euclid(FULL_VIEW_INTERVAL_TICKS) == FULL_VIEW_INTERVAL_TICKS - 1 {
            for (of, drawn) in &mut self.0 {
                let is_drawn = !is_slow || !of.is_droppable();
                if is_drawn && drawn.detail == ViewDetail::Full {
                    drawn.draw(source_frames, at, workers);
                }
            }
        }
        if is_slow {
            return;
        }
        let count = self.0.values().filter(|drawn| drawn.detail == ViewDetail::Thumbnail).count();
        let turns = count.max(turns_of(period));
        let turn = usize::try_from(tick.rem_euclid(turns as i64)).unwrap_or_default();
        let is_thumbnail = |drawn: &&mut Drawn| drawn.detail == ViewDetail::Thumbnail;
        let mut thumbnails = self.0.values_mut().filter(is_thumbnail);
        if let Some(drawn) = thumbnails.nth(turn) {
            drawn.draw(source_frames, at, workers);
        }
    }
}

/// Returns the minimum number of ticks between two drawings of a thumbnail.
fn turns_of(period: Duration) -> usize {
    let ticks = THUMBNAIL_INTERVAL.as_secs_f64() / period.as_secs_f64().max(1e-3);
    (ticks.round() as usize).max(1)
}

#[cfg(test)]
pub(in crate::compose) mod tests {
    use super::*;
    use crate::base::Pooled;
    use crate::compose::scene::Fit;
    use crate::compose::source_frames::SourceFrame;
    use crate::media::{Color, Planes, VideoFeed};

    const PROGRAM_SIZE: Size = Size::new(1280, 720);
    const FRAME_PERIOD: Duration = Duration::from_millis(33);

    /// A feed that returns a new frame of this luma at every instant.
    pub(in crate::compose) struct Grey(pub u8);

    impl VideoFeed for Grey {
        fn frame(&mut self, at: Timestamp) -> Option<VideoFrame> {
            let mut planes = Planes::black(Size::new(64, 36));
            planes.y.fill(self.0);
            let surface = Arc::new(Pooled::unpooled(planes)).into();
            Some(VideoFrame { pts: at, color: Color::PROGRAM, surface })
        }
    }

    fn views(detail: ViewDetail, count: u32) -> BTreeMap<ViewOf, SideView> {
        let view = |id: u32| {
            let plan = Arc::new(Plan::simple(SourceId(id)));
            (ViewOf::Source(SourceId(id)), SideView { plan, detail, slot: Latest::default() })
        };
        (0..count).map(view).collect()
    }

    struct Rig {
        views: SideViews,
        source_frames: SourceFrames,
        workers: Arc<WorkerPool>,
        is_slow: bool,
    }

    impl Rig {
        fn new(wanted: &BTreeMap<ViewOf, SideView>) -> Self {
            let workers = Arc::new(WorkerPool::of_this_machine("test"));
            let (mut views, mut source_frames) = (SideViews::default(), SourceFrames::default());
            for of in wanted.keys() {
                if let ViewOf::Source(id) = of {
                    source_frames
                        .give(*id, SourceFrame::Feed(Some(Box::new(Grey(60 + id.0 as u8)))));
                }
            }
            views.set(wanted.clone(), PROGRAM_SIZE, &workers);
            Self { views, source_frames, workers, is_slow: false }
        }

        fn ticks(&mut self, ticks: std::ops::Range<i64>) {
            for tick in ticks {
                let at = Timestamp::ZERO + FRAME_PERIOD * tick as u32;
                let Self { views, source_frames, workers, is_slow } = self;
                views.draw((tick, FRAME_PERIOD), *is_slow, source_frames, at, workers);
            }
        }
    }

    #[test]
    fn many_thumbnails_cost_what_one_does_and_each_gets_its_turn() {
        let wanted = views(ViewDetail::Thumbnail, 20);
        let drawn = || wanted.values().map(|view| view.slot.version()).sum::<u64>();
        let mut rig = Rig::new(&wanted);
        for tick in 0..60 {
            let before = drawn();
            rig.ticks(tick..tick + 1);
            assert_eq!(drawn() - before, 1, "tick {tick}");
        }
        for (of, view) in &wanted {
            assert_eq!(view.slot.version(), 3, "{of:?}");
            let frame = view.slot.get().unwrap();
            assert_eq!(frame.size(), Size::new(480, 270));
            let ViewOf::Source(SourceId(id)) = of else { panic!("{of:?}") };
            assert!(frame.planes().y[0].abs_diff(60 + *id as u8) <= 1, "each shows its own");
        }
    }

    #[test]
    fn an_item_of_original_size_is_reduced_with_the_program() {
        let mut wanted = views(ViewDetail::Thumbnail, 1);
        let mut plan = Plan::simple(SourceId(0));
        plan.layers[0].places[0].fit = Fit::Original;
        wanted.get_mut(&ViewOf::Source(SourceId(0))).unwrap().plan = Arc::new(plan);
        Rig::new(&wanted).ticks(0..1);
        let frame = wanted.values().next().unwrap().slot.get().unwrap();
        let bright = frame.planes().y.iter().filter(|&&luma| luma > 40).count();
        // 64×36 pixels of a program with 1280×720 pixels.
        assert_eq!((frame.size(), bright), (Size::new(480, 270), 24 * 12));
    }

    #[test]
    fn few_thumbnails_are_drawn_five_times_a_second() {
        let wanted = views(ViewDetail::Thumbnail, 2);
        Rig::new(&wanted).ticks(0..30);
        for view in wanted.values() {
            assert_eq!(view.slot.version(), 5);
        }
    }

    #[test]
    fn a_slow_computer_draws_only_the_view_before_a_filter() {
        let mut wanted = views(ViewDetail::Full, 1);
        wanted.extend(views(ViewDetail::Thumbnail, 2).split_off(&ViewOf::Source(SourceId(1))));
        let view = wanted[&ViewOf::Source(SourceId(0))].clone();
        let before_filter = ViewOf::BeforeFilter(SourceId(0), 0);
        wanted.insert(before_filter, SideView { slot: Latest::default(), ..view });
        let mut rig = Rig::new(&wanted);
        rig.is_slow = true;
        rig.ticks(0..30);
        for (of, view) in &wanted {
            assert_eq!(view.slot.version(), if *of == before_filter { 15 } else { 0 }, "{of:?}");
        }
    }

    #[test]
    fn one_that_is_looked_at_alone_is_as_large_as_the_program_and_keeps_its_frame() {
        let wanted = views(ViewDetail::Full, 1);
        let slot = &wanted.values().next().unwrap().slot;
        let mut rig = Rig::new(&wanted);
        rig.ticks(0..30);
        assert_eq!((slot.version(), slot.get().unwrap().size()), (15, PROGRAM_SIZE));
        // A view that is no longer displayed is not drawn anymore.
        rig.views.set(BTreeMap::new(), PROGRAM_SIZE, &rig.workers);
        rig.ticks(30..60);
        assert_eq!(slot.version(), 15);
    }
}
