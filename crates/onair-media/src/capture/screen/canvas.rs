//! The frame of a display, which is updated in parts. Changed parts are converted, and the rest is
//! reused.

use std::sync::Arc;

use yuv::bgra_to_yuv420;

use crate::base::{Fresh, Pool, Pooled};
use crate::capture::rgb::{target, turned};
use crate::capture::screen::area::Area;
use crate::capture::screen::display::PlacedPointer;
use crate::media::{Planes, Size};

/// If a changed part is larger than the frame divided by this number, the whole frame is converted,
/// which is cheaper than copying and converting.
const FULL_CONVERSION_DIVISOR: usize = 2;

/// The frame under construction.
pub(in crate::capture) struct Canvas {
    size: Size,
    pool: Pool<Planes>,
    /// The last frame.
    shown: Option<Arc<Pooled<Planes>>>,
    /// The next frame.
    next: Option<Fresh<Planes>>,
    /// Buffer for a converted part.
    part: Planes,
    /// The pixels beneath the pointer.
    beneath: Vec<u8>,
}

impl Canvas {
    pub(in crate::capture) fn new(size: Size) -> Self {
        let (pool, part) = (Planes::pool(size, 4), Planes::black(Size::new(2, 2)));
        Self { size, pool, shown: None, next: None, part, beneath: Vec::new() }
    }

    /// Returns the area of the whole frame.
    pub(in crate::capture) fn whole(&self) -> Area {
        Area::new(0, 0, self.size.width, self.size.height)
    }

    /// Returns the area to read for `dirty`, extended to complete chroma samples. The area is the
    /// whole frame if that is cheaper, or if there is no previous frame. Returns `None` if `dirty`
    /// is outside the frame.
    pub(in crate::capture) fn part(&self, dirty: Area) -> Option<Area> {
        let whole = self.whole();
        let part = dirty.within(whole)?.on_chroma().within(whole)?;
        let most = self.shown.is_none() || part.pixels() * FULL_CONVERSION_DIVISOR > whole.pixels();
        Some(if most { whole } else { part })
    }

    /// Returns the planes to fill, which begin as a copy of the previous ones, unless the whole
    /// frame is replaced.
    fn next(&mut self, part: Area) -> &mut Fresh<Planes> {
        let whole = part == self.whole();
        let (pool, shown) = (&self.pool, &self.shown);
        self.next.get_or_insert_with(|| {
            let mut planes = pool.fresh();
            if let Some(shown) = shown.as_ref().filter(|_| !whole) {
                planes.copy_pixels(shown);
            }
            planes
        })
    }

    /// Converts the pixels (blue, green, red, unused) of a part from [`Canvas::part`].
    pub(in crate::capture) fn put(&mut self, part: Area, pixels: &[u8]) -> Result<(), String> {
        self.next(part);
        let Some(planes) = &mut self.next else { return Ok(()) };
        if part == Area::new(0, 0, self.size.width, self.size.height) {
            return convert(pixels, planes);
        }
        self.part.reshape(Size::new(part.width, part.height));
        convert(pixels, &mut self.part)?;
        let place = (part.x as usize, part.y as usize);
        planes.copy_rect(&self.part, (0, 0), place, (part.width as usize, part.height as usize));
        Ok(())
    }

    /// Returns the pointer's area, extended to complete chroma samples.
    pub(in crate::capture) fn pointer_area(&self, placed: &PlacedPointer) -> Option<Area> {
        let (width, height) = (placed.image.width, placed.image.height);
        let seen = Area::clipped(placed.x, placed.y, width, height)?;
        seen.within(self.whole())?.on_chroma().within(self.whole())
    }

    /// Draws the pointer onto the pixels of its area, and converts these pixels.
    pub(in crate::capture) fn put_pointer(
        &mut self,
        area: Area,
        pixels: &[u8],
        placed: &PlacedPointer,
    ) -> Result<(), String> {
        let mut beneath = std::mem::take(&mut self.beneath);
        beneath.clear();
        beneath.extend_from_slice(pixels);
        let image = &placed.image;
        let rows = beneath.chunks_exact_mut(area.width as usize * 4);
        for (row, line) in rows.enumerate() {
            let y = i64::from(area.y) + row as i64 - placed.y;
            let Ok(y) = usize::try_from(y) else { continue };
            if y >= image.height as usize {
                continue;
            }
            for (column, pixel) in line.chunks_exact_mut(4).enumerate() {
                let x = i64::from(area.x) + column as i64 - placed.x;
                let Some(x) = usize::try_from(x).ok().filter(|x| *x < image.width as usize) else {
                    continue;
                };
                let over = image.pixels.get(y * image.width as usize + x).copied().unwrap_or(0);
                let [alpha, red, green, blue] = over.to_be_bytes();
                for (under, over) in pixel.iter_mut().zip([blue, green, red]) {
                    let rest = u16::from(*under) * u16::from(255 - alpha);
                    *under = over.saturating_add(((rest + 127) / 255) as u8);
                }
            }
        }
        let done = self.put(area, &beneath);
        self.beneath = beneath;
        done
    }

    /// Returns the last finished frame.
    pub(in crate::capture) fn seen(&self) -> Option<&Arc<Pooled<Planes>>> {
        self.shown.as_ref()
    }

    /// Returns the finished frame, if anything changed.
    pub(in crate::capture) fn finish(&mut self) -> Option<Arc<Pooled<Planes>>> {
        let planes = self.next.take()?.share();
        self.shown = Some(Arc::clone(&planes));
        Some(planes)
    }
}

fn convert(pixels: &[u8], planes: &mut Planes) -> Result<(), String> {
    let stride = planes.luma_stride() * 4;
    turned(bgra_to_yuv420, pixels, stride, &mut target(planes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::rgb::{Rgba, numbers};
    use crate::capture::screen::display::Pointer;

    fn flat(part: Area, color: Rgba) -> Vec<u8> {
        [color.blue, color.green, color.red, 0].repeat(part.pixels())
    }

    #[test]
    fn colours_are_the_programs_and_parts_go_where_they_belong() {
        let mut canvas = Canvas::new(Size::new(64, 32));
        assert!(canvas.finish().is_none());
        let whole = canvas.whole();
        assert_eq!(canvas.part(Area::new(5, 5, 1, 1)), Some(whole), "at first everything");
        for color in [
            Rgba::BLACK,
            Rgba::WHITE,
            Rgba::opaque(255, 0, 0),
            Rgba::opaque(0, 255, 0),
            Rgba::opaque(0, 0, 255),
            Rgba::opaque(20, 90, 200),
        ] {
            canvas.put(whole, &flat(whole, color)).unwrap();
            let planes = canvas.finish().unwrap();
            let (y, u, v) = numbers(color);
            let all = |plane: &[u8], value: u8| plane.iter().all(|x| x.abs_diff(value) <= 1);
            assert!(all(&planes.y, y) && all(&planes.u, u) && all(&planes.v, v), "{color}");
        }
        let (blue, red) = (Rgba::opaque(20, 90, 200), Rgba::opaque(255, 0, 0));
        let part = canvas.part(Area::new(11, 7, 3, 3)).unwrap();
        assert_eq!(part, Area::new(10, 6, 4, 4));
        canvas.put(part, &flat(part, red)).unwrap();
        let planes = canvas.finish().unwrap();
        for (index, &y) in planes.y.iter().enumerate() {
            let (x, row) = (index % 64, index / 64);
            let inside = (10..14).contains(&x) && (6..10).contains(&row);
            let want = numbers(if inside { red } else { blue }).0;
            assert!(y.abs_diff(want) <= 1, "{x} {row}");
        }
        assert!(planes.v[3 * 32 + 5].abs_diff(numbers(red).2) <= 1);
        assert!(planes.v[3 * 32 + 7].abs_diff(numbers(blue).2) <= 1);
    }

    #[test]
    fn the_pointer_is_drawn_with_its_edge_and_cut_off_at_the_border() {
        let mut canvas = Canvas::new(Size::new(16, 16));
        let whole = canvas.whole();
        canvas.put(whole, &flat(whole, Rgba::BLACK)).unwrap();
        canvas.finish();
        // Opaque white, half-transparent white, and nothing, in rows of four.
        let rows = [[0xFFFF_FFFF_u32; 4], [0x8080_8080; 4], [0; 4], [0; 4]];
        let image = Pointer { width: 4, height: 4, hot: (0, 0), pixels: rows.concat() };
        let placed = PlacedPointer { x: 14, y: 4, image: Arc::new(image) };
        let area = canvas.pointer_area(&placed).unwrap();
        assert_eq!(area, Area::new(14, 4, 2, 4));
        canvas.put_pointer(area, &flat(area, Rgba::BLACK), &placed).unwrap();
        let planes = canvas.finish().unwrap();
        let at = |x: usize, y: usize| planes.y[y * 16 + x];
        assert!(at(14, 4) >= 234 && at(15, 4) >= 234 && at(13, 4) <= 17 && at(14, 6) <= 17);
        assert!(at(14, 5).abs_diff(126) <= 1, "{}", at(14, 5));
        let outside = PlacedPointer { x: -4, y: 0, ..placed };
        assert_eq!(canvas.pointer_area(&outside), None);
    }
}
