//! The preview scene of studio mode, which is drawn small, and on a slow computer only rarely.

use std::sync::Arc;
use std::time::Duration;

use crate::base::{Latest, Timestamp, WorkerPool};
use crate::compose::scene::Plan;
use crate::compose::source_frames::SourceFrames;
use crate::compose::view::View;
use crate::media::{Size, VideoFrame};

/// Maximum size at which the preview scene is drawn.
pub const MAX_PREVIEW_SIZE: Size = Size::new(640, 360);
/// Number of ticks between two drawings of the preview scene.
const PREVIEW_INTERVAL_TICKS: i64 = 2;
/// Time between two drawings of an unchanged preview scene on a slow computer.
const SLOW_PREVIEW_INTERVAL: Duration = Duration::from_secs(1);
/// Time between two drawings of a preview scene that changes continuously, on a slow computer.
const SLOW_CHANGE_INTERVAL: Duration = Duration::from_millis(250);

/// The preview scene, with the slot for its frames.
pub struct PreviewScene {
    view: View,
    slot: Latest<VideoFrame>,
    /// The time of the last drawing into the slot.
    drawn: Option<Timestamp>,
    /// True if the scene has changed since the last drawing.
    is_changed: bool,
}

impl PreviewScene {
    /// Creates the preview scene of a program of this size.
    pub fn new(
        plan: Arc<Plan>,
        slot: Latest<VideoFrame>,
        program: Size,
        workers: &Arc<WorkerPool>,
    ) -> Self {
        let size = if program.width > MAX_PREVIEW_SIZE.width {
            program.fitted_into(MAX_PREVIEW_SIZE)
        } else {
            program
        };
        Self { view: View::new(plan, size, program, workers), slot, drawn: None, is_changed: false }
    }

    /// Shows another plan, or the same scene after an edit of any scene.
    pub fn show(&mut self, plan: Arc<Plan>, slot: Latest<VideoFrame>) {
        if !self.slot.shares_with(&slot) {
            self.drawn = None;
        }
        self.is_changed |= self.view.plan != plan;
        (self.view.plan, self.slot) = (plan, slot);
    }

    /// Draws the scene if it is due at this tick. On a slow computer, it is due soon after each
    /// change, because the operator must see what a take puts on air, and otherwise once per second.
    pub fn draw(
        &mut self,
        (tick, is_slow): (i64, bool),
        source_frames: &mut SourceFrames,
        at: Timestamp,
        workers: &WorkerPool,
    ) {
        let interval = if self.is_changed { SLOW_CHANGE_INTERVAL } else { SLOW_PREVIEW_INTERVAL };
        let waits = |drawn| is_slow && at.since(drawn) < interval;
        if tick % PREVIEW_INTERVAL_TICKS != 0 || self.drawn.is_some_and(waits) {
            return;
        }
        (self.drawn, self.is_changed) = (Some(at), false);
        let (frame, _) = self.view.draw(source_frames, at, workers);
        // The placeholder of another scene is new too.
        if !self.slot.get().is_some_and(|shown| shown.is_same(&frame)) {
            self.slot.publish(frame);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compose::scene::SourceId;
    use crate::compose::side_views::tests::Grey;
    use crate::compose::source_frames::SourceFrame;

    #[test]
    fn a_slow_computer_draws_the_preview_soon_after_each_change_and_once_a_second() {
        let workers = Arc::new(WorkerPool::alone());
        let mut frames = SourceFrames::default();
        for (id, luma) in [(1, 90), (2, 200)] {
            frames.give(SourceId(id), SourceFrame::Feed(Some(Box::new(Grey(luma)))));
        }
        let (slot, plan) = (Latest::default(), |id| Arc::new(Plan::simple(SourceId(id))));
        let mut preview = PreviewScene::new(plan(1), slot.clone(), Size::new(64, 36), &workers);
        let luma = || slot.get().map(|frame: VideoFrame| frame.planes().y[0]);
        let mut drawn_in = |preview: &mut PreviewScene, ticks: std::ops::Range<i64>, is_slow| {
            let before = slot.version();
            for tick in ticks {
                let at = Timestamp::from_millis(tick * 20);
                preview.draw((tick, is_slow), &mut frames, at, &workers);
            }
            slot.version() - before
        };
        assert_eq!(drawn_in(&mut preview, 0..50, false), 25);
        assert_eq!((drawn_in(&mut preview, 50..200, true), luma()), (3, Some(90)));
        // Edits of other scenes, last drawn at tick 198.
        for tick in 200..248 {
            preview.show(plan(1), slot.clone());
            assert_eq!(drawn_in(&mut preview, tick..tick + 1, true), 0, "tick {tick}");
        }
        assert_eq!(drawn_in(&mut preview, 248..250, true), 1);
        // The scene that the next take puts on air.
        preview.show(plan(2), slot.clone());
        assert_eq!((drawn_in(&mut preview, 250..264, true), luma()), (1, Some(200)));
        // Continuous edits: drawn at ticks 276, 290 and 304.
        let drawn: u64 = (264..318)
            .map(|tick| {
                let plan = if tick % 2 == 0 { plan(1) } else { plan(2) };
                preview.show(plan, slot.clone());
                drawn_in(&mut preview, tick..tick + 1, true)
            })
            .sum();
        assert_eq!(drawn, 3);
        // Its source has no frame.
        preview.show(plan(3), slot.clone());
        assert_eq!(drawn_in(&mut preview, 318..332, true), 1);
        assert!(luma().is_some_and(|luma| luma < 40));
        assert_eq!(drawn_in(&mut preview, 332..382, false), 0, "the same placeholder");
    }
}
