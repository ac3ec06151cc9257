//! Makes pictures smaller before they are encoded, where a link does not carry their whole size. On
//! the encoder's thread.

use std::sync::Arc;

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};

use crate::base::Pool;
use crate::media::{Planes, Size, VideoFrame};

/// Scaled pictures kept for reuse: the encoder has one at a time.
const IDLE: usize = 2;

/// Scales to one size.
pub(super) struct Scaler {
    resizer: Resizer,
    pool: Pool<Planes>,
    size: Size,
}

impl Scaler {
    pub(super) fn new(size: Size) -> Self {
        Self { resizer: Resizer::new(), pool: Planes::pool(size, IDLE), size }
    }

    /// The picture at this scaler's size; one that has it already is shared.
    pub(super) fn scale(&mut self, frame: &VideoFrame) -> VideoFrame {
        let from = frame.size();
        if from == self.size {
            return frame.clone();
        }
        let half = |size: Size| Size::new(size.width / 2, size.height / 2);
        let mut planes = self.pool.take();
        let to = planes.size();
        let out = &mut *planes;
        self.plane(&frame.planes.y, from, &mut out.y, to);
        self.plane(&frame.planes.u, half(from), &mut out.u, half(to));
        self.plane(&frame.planes.v, half(from), &mut out.v, half(to));
        VideoFrame { planes: Arc::new(planes), ..frame.clone() }
    }

    fn plane(&mut self, from: &[u8], size: Size, to: &mut [u8], target: Size) {
        let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::Bilinear));
        let input = ImageRef::new(size.width, size.height, from, PixelType::U8);
        let output = Image::from_slice_u8(target.width, target.height, to, PixelType::U8);
        if let (Ok(input), Ok(mut output)) = (input, output)
            && let Err(fault) = self.resizer.resize(&input, &mut output, &options)
        {
            // Cannot happen with sizes that match their buffers.
            tracing::warn!(%fault, "scaling a picture for the encoder");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{Pooled, Timestamp};
    use crate::media::Color;

    #[test]
    fn a_picture_becomes_smaller_and_stays_what_it_shows() {
        let mut planes = Planes::black(Size::new(64, 36));
        let rows = planes.y.chunks_exact_mut(64);
        rows.for_each(|row| row[32..].fill(200));
        planes.u.fill(90);
        planes.v.fill(160);
        let planes = Arc::new(Pooled::unpooled(planes));
        let frame = VideoFrame { pts: Timestamp::from_millis(40), color: Color::PROGRAM, planes };
        let mut scaler = Scaler::new(Size::new(32, 18));
        let small = scaler.scale(&frame);
        assert_eq!((small.size(), small.pts), (Size::new(32, 18), frame.pts));
        assert_eq!((small.planes.y[4], small.planes.y[28]), (16, 200));
        assert_eq!((small.planes.u[100], small.planes.v[100]), (90, 160));
        let same = Scaler::new(frame.size()).scale(&frame);
        assert!(Arc::ptr_eq(&same.planes, &frame.planes));
    }
}
