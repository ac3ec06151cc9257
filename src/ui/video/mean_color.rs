//! The mean color of a small part of a frame.

use egui::Vec2;

use crate::media::{Planes, Size, VideoFrame};

/// The side of the part in pixels. Three samples of chroma are as wide.
const SIDE_PIXELS: u32 = 6;

/// Returns the mean color around a point, in sRGB. The point is 0…1 in each direction.
pub fn mean_color(frame: &VideoFrame, at: Vec2) -> Option<[u8; 3]> {
    let whole = frame.size();
    let part = Size::new(whole.width.min(SIDE_PIXELS), whole.height.min(SIDE_PIXELS));
    let corner = |at: f32, whole: u32, part: u32| {
        let first = ((at * whole as f32) as u32).saturating_sub(part / 2);
        // Chroma has half the resolution, so the corner is even.
        (first.min(whole.saturating_sub(part)) & !1) as usize
    };
    let corner = (corner(at.x, whole.width, part.width), corner(at.y, whole.height, part.height));
    let mut planes = Planes::black(part);
    let size = (part.width as usize, part.height as usize);
    planes.copy_rect(frame.planes(), corner, (0, 0), size);
    let rgb = planes.to_rgb(frame.color).ok()?;
    let count = (rgb.len() as u32 / 3).max(1);
    let mut sums = [count / 2; 3];
    for pixel in rgb.chunks_exact(3) {
        sums.iter_mut().zip(pixel).for_each(|(sum, value)| *sum += u32::from(*value));
    }
    Some(sums.map(|sum| (sum / count) as u8))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use egui::vec2;

    use super::*;
    use crate::base::{Pooled, Timestamp};
    use crate::media::Color;

    /// A noisy dull green on the left, and gray on the right.
    fn frame() -> VideoFrame {
        let mut planes = Planes::black(Size::new(64, 36));
        for (index, luma) in planes.y.iter_mut().enumerate() {
            let (x, y) = (index % 64, index / 64);
            let noisy = if (x + y) % 2 == 0 { 100 } else { 140 };
            *luma = if x < 32 { noisy } else { 126 };
        }
        for (index, (u, v)) in planes.u.iter_mut().zip(&mut planes.v).enumerate() {
            (*u, *v) = if index % 32 < 16 { (100, 90) } else { (128, 128) };
        }
        let surface = Arc::new(Pooled::unpooled(planes)).into();
        VideoFrame { pts: Timestamp::ZERO, color: Color::PROGRAM, surface }
    }

    #[test]
    fn the_mean_of_the_neighborhood_ignores_noise() {
        let frame = frame();
        for (at, wanted) in [
            (vec2(0.25, 0.5), [53, 147, 62]),
            (vec2(0.0, 0.0), [53, 147, 62]),
            (vec2(0.75, 0.5), [128, 128, 128]),
            (vec2(1.0, 1.0), [128, 128, 128]),
        ] {
            let color = mean_color(&frame, at).unwrap();
            let is_close = color.iter().zip(wanted).all(|(one, other)| one.abs_diff(other) <= 2);
            assert!(is_close, "{at:?}: {color:?} instead of {wanted:?}");
        }
    }
}
