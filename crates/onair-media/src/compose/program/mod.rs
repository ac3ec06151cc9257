//! Draws program frames without a clock: the current scene, a running transition, and the preview
//! scene.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::base::partial_debug;
use crate::base::{Latest, Pooled, Timestamp, WorkerPool};
use crate::compose::draw::canvas::{Canvas, LayerRenderer};
use crate::compose::draw::item_transitions::ItemTransitions;
use crate::compose::filter::WantedFilter;
use crate::compose::preview::PreviewScene;
use crate::compose::scene::{Plan, SourceId};
use crate::compose::side_views::{SideView, SideViews, ViewOf};
use crate::compose::source_frames::{SourceFrame, SourceFrames};
use crate::compose::transition::manual::TBar;
use crate::compose::transition::moving::moved;
use crate::compose::transition::stinger::PlayingStinger;
use crate::compose::transition::{
    self, Change, Kind, ManualTransition, Transition, TransitionAssets,
};
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
    items: ItemTransitions,
    t_bar: Option<TBar>,
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
            items: ItemTransitions::default(),
            t_bar: None,
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

    /// Moves the T-bar. `None` means that the program shows its own scene alone.
    pub fn set_t_bar(&mut self, bar: Option<ManualTransition>) {
        let canvas = self.t_bar.take().map(|it| it.canvas).unwrap_or_default();
        self.t_bar = bar.map(|bar| TBar { bar, canvas });
    }

    fn show(&mut self, plan: Arc<Plan>, change: Option<Change>) {
        let before = std::mem::replace(&mut self.plan, plan);
        let Some(Change { transition, means }) = change else {
            return self.items.change(&before, &self.plan);
        };
        self.items.clear();
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
        let plan = &self.items.plan(&self.plan, at);
        self.source_frames.pull(plan.sources(), at, &self.workers);
        self.source_frames.set_displayed(plan, self.size);
        let Self { workers, stage, source_frames, canvas, switch, mixer, t_bar, .. } = self;
        // The plan replaces that of the old scene.
        let mut old = |stage: &mut LayerRenderer, from: &mut From, moved: Option<&Plan>| match from
        {
            From::Still(still) => (Arc::clone(still), DrawResult::New),
            From::Plan(plan, canvas) => {
                source_frames.pull(plan.sources(), at, workers);
                draw(stage, source_frames, moved.unwrap_or(plan), canvas)
            }
        };
        let mut over = false;
        let (frame, made) = match switch {
            None => match t_bar.as_mut().filter(|it| it.bar.position > 0.0) {
                None => draw(stage, source_frames, plan, canvas),
                Some(bar) => {
                    source_frames.pull(bar.bar.plan.sources(), at, workers);
                    let (own, other) = match bar.bar.kind {
                        Kind::Move(easing) => {
                            moved((plan, &bar.bar.plan), bar.bar.position, easing)
                        }
                        _ => (Arc::clone(plan), Arc::clone(&bar.bar.plan)),
                    };
                    let own = draw(stage, source_frames, &own, canvas).0;
                    let other = draw(stage, source_frames, &other, &mut bar.canvas).0;
                    (bar.mix(mixer, stage, (&own, &other), workers), DrawResult::New)
                }
            },
            Some(Switch { how: SwitchMethod::Mix { transition, image, begun }, from }) => {
                let begun = *begun.get_or_insert(at);
                let whole = transition.duration.as_secs_f32().max(1e-3);
                let part = at.since(begun).as_secs_f32() / whole;
                over = part >= 1.0;
                if over {
                    draw(stage, source_frames, plan, canvas)
                } else {
                    let moving = match (&transition.kind, &*from) {
                        (Kind::Move(easing), From::Plan(before, _)) => {
                            Some(moved((before, plan), part, *easing))
                        }
                        _ => None,
                    };
                    let (before, after) = moving.unzip();
                    let old = old(stage, from, before.as_deref()).0;
                    let plan = after.as_deref().unwrap_or(plan);
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
                    old(stage, from, None)
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
