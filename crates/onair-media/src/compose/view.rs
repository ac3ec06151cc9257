//! Draws a plan from the sources' frames, for the program and for other views with their own size,
//! such as the preview scene and other programs.

use std::sync::Arc;

use crate::base::{Pooled, Timestamp, WorkerPool};
use crate::compose::draw::canvas::{Canvas, LayerRenderer};
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
pub struct View {
    pub plan: Arc<Plan>,
    canvas: Canvas,
    stage: LayerRenderer,
}

impl View {
    pub fn size(&self) -> Size {
        self.stage.size()
    }

    /// Creates a view of this size. The plan belongs to a program of size `program`.
    pub fn new(plan: Arc<Plan>, size: Size, program: Size, workers: &Arc<WorkerPool>) -> Self {
        let stage = LayerRenderer::scaled(size, program, Arc::clone(workers));
        Self { plan, canvas: Canvas::default(), stage }
    }

    pub fn draw(
        &mut self,
        source_frames: &mut SourceFrames,
        at: Timestamp,
        workers: &WorkerPool,
    ) -> (VideoFrame, DrawResult) {
        source_frames.pull(self.plan.sources(), at, workers);
        let Self { plan, canvas, stage } = self;
        let (planes, made) = draw(stage, source_frames, plan, canvas);
        (VideoFrame { pts: at, color: Color::PROGRAM, surface: planes.into() }, made)
    }
}

/// Draws a plan, or the placeholder if none of its sources has a frame.
pub fn draw(
    stage: &mut LayerRenderer,
    source_frames: &mut SourceFrames,
    plan: &Plan,
    canvas: &mut Canvas,
) -> (Arc<Pooled<Planes>>, DrawResult) {
    let (whole, mut seen) = (stage.size(), plan.sources().next().is_none());
    for source in plan.sources() {
        match source_frames.shown(source) {
            ShownSource::Frame(_) => seen = true,
            ShownSource::Placeholder(size) => {
                source_frames.placeholders.draw(size.unwrap_or(whole));
            }
            ShownSource::Nothing => {}
        }
    }
    let lacks_mask = plan.composed.iter().any(|it| source_frames.lacks_mask(it.id));
    if !seen || lacks_mask {
        source_frames.placeholders.draw(whole);
    }
    let source_frames = &*source_frames;
    let placeholders = &source_frames.placeholders;
    if let Some(placeholder) = placeholders.get(whole).filter(|_| !seen) {
        *canvas = Canvas::default();
        return (Arc::clone(placeholder.shared()), DrawResult::Placeholder);
    }
    let frame = |source| match source_frames.shown(source) {
        ShownSource::Frame(frame) => Some(frame),
        ShownSource::Placeholder(size) => placeholders.get(size.unwrap_or(whole)).cloned(),
        ShownSource::Nothing => None,
    };
    let filters = source_frames.filter_input(placeholders.get(whole));
    let (planes, new) = stage.draw(canvas, plan, &filters, frame);
    (planes, if new { DrawResult::New } else { DrawResult::Repeated })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compose::scene::{Layer, Placement, SourceId};
    use crate::compose::source_frames::SourceFrame;
    use crate::media::VideoFeed;

    /// A feed that returns this frame until this instant.
    struct Until(VideoFrame, Timestamp);

    impl VideoFeed for Until {
        fn frame(&mut self, at: Timestamp) -> Option<VideoFrame> {
            (at < self.1).then(|| self.0.clone())
        }
    }

    #[test]
    fn a_lost_source_is_hidden_unless_no_other_source_has_a_frame() {
        let (size, workers) = (Size::new(64, 36), Arc::new(WorkerPool::alone()));
        let mut frames = SourceFrames::default();
        for (id, luma, until) in [(0, 200, 9_000), (1, 90, 40)] {
            let mut planes = Planes::black(size);
            planes.y.fill(luma);
            let surface = Arc::new(Pooled::unpooled(planes)).into();
            let frame = VideoFrame { pts: Timestamp::ZERO, color: Color::PROGRAM, surface };
            let feed = Until(frame, Timestamp::from_millis(until));
            frames.give(SourceId(id), SourceFrame::Feed(Some(Box::new(feed))));
        }
        let mut plan = Plan::simple(SourceId(0));
        // The last source never had a feed, such as one of an imported scene that cannot be opened.
        for (key, source) in [(1, SourceId(1)), (2, SourceId(2))] {
            let place = Placement { width: 0.5, ..Placement::default() };
            plan.layers.push(Layer { key, source, places: vec![place], ..plan.layers[0].clone() });
        }
        let mut view = View::new(Arc::new(plan), size, size, &workers);
        let mut luma = |millis| {
            let (frame, made) = view.draw(&mut frames, Timestamp::from_millis(millis), &workers);
            (frame.planes().y[size.width as usize * 18 + 8], made)
        };
        assert_eq!([0, 2_100].map(&mut luma), [(90, DrawResult::New), (200, DrawResult::New)]);
        luma(9_000);
        assert_eq!(luma(11_100).1, DrawResult::Placeholder, "no source has a frame");
    }
}
