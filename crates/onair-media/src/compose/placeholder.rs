//! The placeholder that is shown while a source has no frame. The placeholder is dark, with a
//! crossed-out camera, and without words, because viewers speak any language.

use std::sync::Arc;

use crate::base::{Pooled, Timestamp};
use crate::media::{Color, Planes, Size, VideoFrame};

/// Luma of the background at the top.
const TOP_LUMA: f32 = 34.0;
/// Luma of the background at the bottom.
const BOTTOM_LUMA: f32 = 22.0;
/// Luma of the glyph.
const GLYPH_LUMA: f32 = 92.0;

/// Half the size of a box around the glyph, in the unit of length of the glyph.
const GLYPH_HALF_SIZE: (f32, f32) = (0.8, 0.6);

/// Maximum number of sizes whose placeholders are kept.
const MAX_PLACEHOLDERS: usize = 64;
/// Maximum number of pixels of all kept placeholders.
const MAX_PLACEHOLDER_PIXELS: usize = 8 * 3_840 * 2_160;

/// The placeholders of all programs, views and lost sources, which are drawn when they are first
/// needed, because most programs never need one.
#[derive(Debug, Default)]
pub(super) struct Placeholders(Vec<(Size, VideoFrame)>);

impl Placeholders {
    /// Returns the placeholder of this size, if it has been drawn.
    pub fn get(&self, size: Size) -> Option<&VideoFrame> {
        self.0.iter().find(|it| it.0 == size).map(|it| &it.1)
    }

    /// Draws the placeholder of this size, unless it has been drawn.
    pub fn draw(&mut self, size: Size) {
        if self.get(size).is_some() {
            return;
        }
        let pixels = |kept: &[(Size, VideoFrame)]| -> usize {
            kept.iter().map(|(size, _)| size.pixels()).sum()
        };
        let room = MAX_PLACEHOLDER_PIXELS.saturating_sub(size.pixels());
        while self.0.len() >= MAX_PLACEHOLDERS || !self.0.is_empty() && pixels(&self.0) > room {
            self.0.remove(0);
        }
        self.0.push((size, frame(size)));
    }
}

/// Draws the placeholder of a program or source of this size. The timestamp is zero, and the caller sets it.
pub fn frame(size: Size) -> VideoFrame {
    let mut planes = Planes::black(size);
    let size = planes.size();
    let (width, height) = (size.width as f32, size.height as f32);
    // The unit of length of the glyph, whose body is 1.0 wide.
    let unit = (width.min(height * 16.0 / 9.0) * 0.13).max(1.0);
    let stride = planes.luma_stride();
    // Outside the box, a row has one luma, which saves most of the time for a large source.
    let half = GLYPH_HALF_SIZE;
    let (half_width, half_height) = (half.0 * unit + 1.0, half.1 * unit + 1.0);
    let left = (width / 2.0 - half_width).max(0.0) as usize;
    let right = ((width / 2.0 + half_width).ceil() as usize).min(stride);
    for (row, line) in planes.y.chunks_exact_mut(stride).enumerate() {
        let y = row as f32 + 0.5;
        let ground = TOP_LUMA + (BOTTOM_LUMA - TOP_LUMA) * y / height;
        line.fill(ground as u8);
        if (y - height / 2.0).abs() > half_height {
            continue;
        }
        for (column, value) in line.iter_mut().enumerate().take(right).skip(left) {
            let (gx, gy) = ((column as f32 + 0.5 - width / 2.0) / unit, (y - height / 2.0) / unit);
            let cover = glyph(gx, gy, 1.0 / unit);
            *value = (ground + (GLYPH_LUMA - ground) * cover) as u8;
        }
    }
    // A slight blue tint, as in the window.
    planes.u.fill(131);
    planes.v.fill(126);
    let planes = Arc::new(Pooled::unpooled(planes));
    VideoFrame { pts: Timestamp::ZERO, color: Color::PROGRAM, surface: planes.into() }
}

/// Returns the coverage of a point by the glyph, 0…1. `pixel` is the size of a pixel.
fn glyph(x: f32, y: f32, pixel: f32) -> f32 {
    let inside = |distance: f32| (0.5 - distance / pixel).clamp(0.0, 1.0);
    let body = rounded_box(x + 0.16, y, 0.5, 0.36, 0.12);
    // The lens hood: a wedge that opens to the right.
    let hood = (x - 0.76).max(0.42 - x).max(y.abs() - 0.10 - (x - 0.42).max(0.0) * 0.55);
    let line = ((x + y) * std::f32::consts::FRAC_1_SQRT_2).abs();
    let along = ((x - y) * std::f32::consts::FRAC_1_SQRT_2).abs();
    let stroke = (line - 0.045).max(along - 0.78);
    let gap = (line - 0.11).max(along - 0.86);
    (inside(body.min(hood)) * (1.0 - inside(gap))).max(inside(stroke))
}

/// Returns the signed distance to a rounded box that is centered at the origin.
fn rounded_box(x: f32, y: f32, half_width: f32, half_height: f32, radius: f32) -> f32 {
    let (dx, dy) = (x.abs() - half_width + radius, y.abs() - half_height + radius);
    dx.max(0.0).hypot(dy.max(0.0)) + dx.max(dy).min(0.0) - radius
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_dark_with_a_glyph_in_the_middle_at_any_size() {
        for size in [Size::new(1280, 720), Size::new(64, 36), Size::new(2, 2), Size::new(360, 640)]
        {
            let placeholder = frame(size);
            assert_eq!(placeholder.size(), size);
            let mean = placeholder.planes().y.iter().map(|&v| u64::from(v)).sum::<u64>();
            assert!(mean / (size.pixels() as u64) < 100);
        }
        let placeholder = frame(Size::new(1280, 720));
        let luma = |x: usize, y: usize| placeholder.planes().y[y * 1280 + x];
        assert!(luma(640, 360) > 80 && luma(20, 20) < 40 && luma(1260, 700) < 40);
    }

    #[test]
    fn the_box_contains_the_whole_glyph() {
        for pixel in [1.0, 0.1, 0.01] {
            let (width, height) = (GLYPH_HALF_SIZE.0 + pixel, GLYPH_HALF_SIZE.1 + pixel);
            for step in -400..=400 {
                let along = step as f32 / 100.0;
                for beyond in [0.0, 0.2, 1.0, 3.0] {
                    for sign in [-1.0, 1.0] {
                        let covers = [
                            glyph(sign * (width + beyond), along, pixel),
                            glyph(along, sign * (height + beyond), pixel),
                        ];
                        assert_eq!(covers, [0.0; 2], "{along} {beyond} {sign} {pixel}");
                    }
                }
            }
        }
    }

    #[test]
    fn placeholders_keep_no_more_pixels_than_allowed_but_always_the_newest() {
        let mut placeholders = Placeholders::default();
        let large = |width| Size::new(width, 4_096);
        for width in [4_096, 4_098, 4_100, 4_102, 4_104] {
            placeholders.draw(large(width));
            assert!(placeholders.get(large(width)).is_some());
        }
        let kept = placeholders.0.iter().map(|(size, _)| size.pixels()).sum::<usize>();
        assert!(kept <= MAX_PLACEHOLDER_PIXELS && placeholders.get(large(4_096)).is_none());
        assert!(placeholders.get(large(4_102)).is_some());
    }
}
