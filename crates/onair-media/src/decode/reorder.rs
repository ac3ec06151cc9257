//! Converts decoding order to presentation order by timestamps: a frame is ready as soon as no
//! later packet can precede it. Packets arrive by increasing `dts`, and no frame is shown before it
//! is decoded, so every frame with `pts <= dts` of the last packet is ready. A stream without
//! B-frames (`pts == dts`) has no delay.

use crate::base::Timestamp;
use crate::media::VideoFrame;

/// Maximum number of waiting frames. H.264 allows 16 frames in its buffer (§A.3.1). If more frames
/// wait, the earliest is returned before it is certainly ready.
const MAX_WAITING_FRAMES: usize = 16;

/// Holds frames until they are ready.
#[derive(Debug, Default)]
pub(super) struct Reorder {
    /// Frames by `pts`, earliest first.
    waiting: Vec<VideoFrame>,
}

impl Reorder {
    /// Adds a decoded frame.
    pub(super) fn push(&mut self, frame: VideoFrame) {
        let place = self.waiting.partition_point(|other| other.pts <= frame.pts);
        self.waiting.insert(place, frame);
    }

    /// Returns the frames that are ready after decoding the packet with this `dts`.
    pub(super) fn ready(&mut self, dts: Timestamp) -> Vec<VideoFrame> {
        let due = self.waiting.partition_point(|frame| frame.pts <= dts);
        let due = due.max(self.waiting.len().saturating_sub(MAX_WAITING_FRAMES));
        self.waiting.drain(..due).collect()
    }

    /// Takes all waiting frames.
    pub(super) fn take(&mut self) -> Vec<VideoFrame> {
        std::mem::take(&mut self.waiting)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::base::Pooled;
    use crate::media::{Color, Planes, Size};

    fn frame(ms: i64) -> VideoFrame {
        VideoFrame {
            pts: Timestamp::from_millis(ms),
            color: Color::PROGRAM,
            surface: Arc::new(Pooled::unpooled(Planes::black(Size::new(2, 2)))).into(),
        }
    }

    fn shown(order: &[(i64, i64)]) -> Vec<Vec<i64>> {
        let mut reorder = Reorder::default();
        let millis = |frames: Vec<VideoFrame>| {
            frames.iter().map(|frame| frame.pts.as_millis()).collect::<Vec<_>>()
        };
        let mut out: Vec<_> = order
            .iter()
            .map(|(dts, pts)| {
                reorder.push(frame(*pts));
                millis(reorder.ready(Timestamp::from_millis(*dts)))
            })
            .collect();
        out.push(millis(reorder.take()));
        out
    }

    #[test]
    fn without_b_frames_nothing_waits() {
        assert_eq!(shown(&[(0, 0), (33, 33), (66, 66)]), [vec![0], vec![33], vec![66], vec![]]);
    }

    #[test]
    fn b_frames_come_in_their_place() {
        // I P B B P with B-pyramid delay, written by x264.
        let order = [(-66, 0), (-33, 133), (0, 66), (33, 33), (66, 100), (100, 166)];
        assert_eq!(
            shown(&order),
            [vec![], vec![], vec![0], vec![33], vec![66], vec![100], vec![133, 166]]
        );
    }

    #[test]
    fn a_stream_that_lies_about_its_order_holds_no_more_than_16() {
        let order: Vec<_> = (0..40).map(|n| (0, 1_000 + n)).collect();
        assert_eq!(shown(&order).last().unwrap().len(), 16);
    }
}
