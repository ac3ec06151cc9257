//! Converts I420 frames of any size to display pixels, at the same or a smaller size.

use yuv::{YuvPlanarImage, YuvRange, YuvStandardMatrix};

use crate::media::frame::{Matrix, Range};
use crate::media::scale::{FrameScaler, ScaleError};
use crate::media::{Size, VideoFrame};

/// The order of the four bytes of a pixel.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum ByteOrder {
    Rgba,
    Bgra,
}

/// A converter that keeps its buffers between frames.
#[derive(Default)]
pub struct Scaler {
    scaling: FrameScaler,
    planes: [Vec<u8>; 3],
}

/// The reason why a frame could not be converted.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    #[error(transparent)]
    Scale(#[from] ScaleError),
    #[error("converting a frame: {0}")]
    Convert(String),
}

impl Scaler {
    /// Converts a frame into `pixels`, which have the dimensions `size`.
    pub fn convert(
        &mut self,
        frame: &VideoFrame,
        size: Size,
        order: ByteOrder,
        pixels: &mut [u8],
    ) -> Result<(), Fault> {
        let source = frame.planes();
        let from = source.size();
        let image = if from == size {
            planar(&source.y, &source.u, &source.v, size)
        } else {
            let half = |size: Size| Size::new(size.width / 2, size.height / 2);
            let [y, u, v] = &mut self.planes;
            y.resize(size.pixels(), 0);
            u.resize(half(size).pixels(), 0);
            v.resize(half(size).pixels(), 0);
            self.scaling.scale(source, [y, u, v], size)?;
            planar(y, u, v, size)
        };
        let range = match frame.color.range {
            Range::Limited => YuvRange::Limited,
            Range::Full => YuvRange::Full,
        };
        let matrix = match frame.color.matrix {
            Matrix::Bt601 => YuvStandardMatrix::Bt601,
            Matrix::Bt709 => YuvStandardMatrix::Bt709,
        };
        let to_pixels = match order {
            ByteOrder::Rgba => yuv::yuv420_to_rgba,
            ByteOrder::Bgra => yuv::yuv420_to_bgra,
        };
        to_pixels(&image, pixels, size.width * 4, range, matrix)
            .map_err(|error| Fault::Convert(error.to_string()))
    }
}

fn planar<'a>(y: &'a [u8], u: &'a [u8], v: &'a [u8], size: Size) -> YuvPlanarImage<'a, u8> {
    YuvPlanarImage {
        y_plane: y,
        y_stride: size.width,
        u_plane: u,
        u_stride: size.width / 2,
        v_plane: v,
        v_stride: size.width / 2,
        width: size.width,
        height: size.height,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::base::{Pool, Pooled, Timestamp};
    use crate::media::{Color, Planes};

    fn grey(size: Size, luma: u8) -> VideoFrame {
        let pool: Pool<Planes> = Planes::pool(size, 1);
        let mut planes = pool.take();
        planes.y.fill(luma);
        VideoFrame { pts: Timestamp::ZERO, color: Color::PROGRAM, surface: Arc::new(planes).into() }
    }

    #[test]
    fn grey_stays_grey_at_every_size() {
        let mut scaler = Scaler::default();
        for size in [Size::new(128, 72), Size::new(64, 36), Size::new(50, 28)] {
            let mut rgba = vec![0; size.pixels() * 4];
            scaler
                .convert(&grey(Size::new(128, 72), 126), size, ByteOrder::Rgba, &mut rgba)
                .unwrap();
            for pixel in rgba.chunks_exact(4) {
                assert!(pixel[..3].iter().all(|channel| channel.abs_diff(128) <= 1), "{pixel:?}");
                assert_eq!(pixel[3], 255);
            }
        }
    }

    #[test]
    fn both_orders_are_the_same_frame() {
        let size = Size::new(64, 36);
        let mut planes = grey(size, 90).planes().clone();
        planes.u.fill(200);
        let surface = Arc::new(Pooled::unpooled(planes)).into();
        let frame = VideoFrame { surface, ..grey(size, 90) };
        let mut scaler = Scaler::default();
        let mut of = |order| {
            let mut pixels = vec![0; size.pixels() * 4];
            scaler.convert(&frame, size, order, &mut pixels).unwrap();
            pixels
        };
        let (rgba, mut bgra) = (of(ByteOrder::Rgba), of(ByteOrder::Bgra));
        assert_ne!(rgba, bgra);
        bgra.chunks_exact_mut(4).for_each(|pixel| pixel.swap(0, 2));
        assert_eq!(rgba, bgra);
    }
}
