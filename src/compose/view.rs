//! Draws a plan from the sources' frames, for the program and for other views with their own size,
//! such as the preview scene and other programs.

use std::sync::Arc;

use crate::base::{Pooled, Timestamp, WorkerPool};
use crate::compose::draw::canvas::{Canvas, LayerRenderer};
use crate::compose::placeholder;
use crate::compose::scene::Plan;
use crate::compose::source_frames::{ShownSource, SourceFrames};
use crate::media::{Color, Planes, Size, VideoFrame};

/// The result of drawing a program frame.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum DrawResult {
    New,
    /// The last program frame again.
    Repeated,
    /// No source has a frame.
    Placeholder,
}

/// Another view that is drawn from the same sources, with its own size.
pub(super) struct View {
    pub plan: Arc<Plan>,
    canvas: Canvas,
    stage: LayerRenderer,
    placeholder: Option<VideoFrame>,
}

impl View {
    pub fn size(&self) -> Size {
        self.stage.size()
    }

    /// Creates a view of this size. The plan belongs to a program of size `program`.
    pub fn new(plan: Arc<Plan>, size: Size, program: Size, workers: &Arc<WorkerPool>) -> Self {
        let stage = LayerRenderer::scaled(size, program, Arc::clone(workers));
        Self { plan, canvas: Canvas::default(), stage, placeholder: None }
    }

    pub fn draw(
        &mut self,
        source_frames: &mut SourceFrames,
        at: Timestamp,
        workers: &WorkerPool,
    ) -> (VideoFrame, DrawResult) {
        source_frames.pull(self.plan.sources(), at, workers);
        let Self { plan, canvas, stage, placeholder } = self;
        let (planes, made) = draw(stage, placeholder, source_frames, plan, canvas);
        (VideoFrame { pts: at, color: Color::PROGRAM, surface: planes.into() }, made)
    }
}

/// Draws a plan, or the placeholder if none of its sources has a frame.
pub(super) fn draw(
    stage: &mut LayerRenderer,
    placeholder: &mut Option<VideoFrame>,
    source_frames: &SourceFrames,
    plan: &Plan,
    canvas: &mut Canvas,
) -> (Arc<Pooled<Planes>>, DrawResult) {
    let (mut seen, mut gone) = (plan.layers.is_empty(), false);
    for source in plan.sources() {
        match source_frames.shown(source) {
            ShownSource::Frame(_) => seen = true,
            ShownSource::Placeholder => gone = true,
            ShownSource::Nothing => {}
        }
    }
    if !seen || gone {
        placeholder.get_or_insert_with(|| placeholder::frame(stage.size()));
    }
    if let Some(placeholder) = placeholder.as_ref().filter(|_| !seen) {
        *canvas = Canvas::default();
        return (Arc::clone(placeholder.shared()), DrawResult::Placeholder);
    }
    let frame = |source| match source_frames.shown(source) {
        ShownSource::Frame(frame) => Some(frame),
        ShownSource::Placeholder => placeholder.clone(),
        ShownSource::Nothing => None,
    };
    let (planes, new) = stage.draw(canvas, plan, frame);
    (planes, if new { DrawResult::New } else { DrawResult::Repeated })
}
