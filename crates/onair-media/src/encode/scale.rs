//! Scales frames down before encoding, for links that are too slow for the full size. The scaler
//! runs on the encoder's thread.

use std::sync::Arc;

use crate::base::Pool;
use crate::media::scale::FrameScaler;
use crate::media::{Planes, Size, VideoFrame};

/// Number of scaled frames that are kept for reuse. The encoder uses one frame at a time.
const MAX_IDLE_FRAMES: usize = 2;

/// Scales to one size.
pub(super) struct Scaler {
    scaling: FrameScaler,
    pool: Pool<Planes>,
    size: Size,
}

impl Scaler {
    pub(super) fn new(size: Size) -> Self {
        Self { scaling: FrameScaler::default(), pool: Planes::pool(size, MAX_IDLE_FRAMES), size }
    }

    /// Returns the frame at the scaler's size. A frame that already has this size is shared.
    pub(super) fn scale(&mut self, frame: &VideoFrame) -> VideoFrame {
        if frame.size() == self.size {
            return frame.clone();
        }
        let mut planes = self.pool.take();
        let to = planes.size();
        let out = &mut *planes;
        let scaled = self.scaling.scale(frame.planes(), [&mut out.y, &mut out.u, &mut out.v], to);
        if let Err(fault) = scaled {
            // Scaling cannot fail with valid planes.
            tracing::warn!(%fault, "scaling a frame for the encoder failed");
        }
        VideoFrame { surface: Arc::new(planes).into(), ..frame.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{Pooled, Timestamp};
    use crate::media::Color;

    #[test]
    fn a_frame_becomes_smaller_and_stays_what_it_shows() {
        let mut planes = Planes::black(Size::new(64, 36));
        let rows = planes.y.chunks_exact_mut(64);
        rows.for_each(|row| row[32..].fill(200));
        planes.u.fill(90);
        planes.v.fill(160);
        let planes = Arc::new(Pooled::unpooled(planes));
        let frame = VideoFrame {
            pts: Timestamp::from_millis(40),
            color: Color::PROGRAM,
            surface: planes.into(),
        };
        let mut scaler = Scaler::new(Size::new(32, 18));
        let small = scaler.scale(&frame);
        assert_eq!((small.size(), small.pts), (Size::new(32, 18), frame.pts));
        assert_eq!((small.planes().y[4], small.planes().y[28]), (16, 200));
        assert_eq!((small.planes().u[100], small.planes().v[100]), (90, 160));
        let same = Scaler::new(frame.size()).scale(&frame);
        assert!(same.is_same(&frame));
    }
}
