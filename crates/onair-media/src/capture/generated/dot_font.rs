//! A 5×7 dot font with the few letters of the test pattern, and the code that draws it.

use crate::media::Planes;

/// Width and height in dots.
pub(in crate::capture) const GLYPH_WIDTH_DOTS: usize = 5;
pub(in crate::capture) const GLYPH_HEIGHT_DOTS: usize = 7;
/// Dots from one letter to the next.
pub(in crate::capture) const GLYPH_ADVANCE_DOTS: usize = 6;

/// Returns the rows of a letter, with the leftmost dot in bit 4. Unknown letters are blank.
const fn rows(letter: char) -> [u8; GLYPH_HEIGHT_DOTS] {
    match letter {
        '0' => [0x0E, 0x11, 0x13, 0x15, 0x19, 0x11, 0x0E],
        '1' => [0x04, 0x0C, 0x04, 0x04, 0x04, 0x04, 0x0E],
        '2' => [0x0E, 0x11, 0x01, 0x06, 0x08, 0x10, 0x1F],
        '3' => [0x1F, 0x02, 0x04, 0x06, 0x01, 0x11, 0x0E],
        '4' => [0x02, 0x06, 0x0A, 0x12, 0x1F, 0x02, 0x02],
        '5' => [0x1F, 0x10, 0x1E, 0x01, 0x01, 0x11, 0x0E],
        '6' => [0x06, 0x08, 0x10, 0x1E, 0x11, 0x11, 0x0E],
        '7' => [0x1F, 0x01, 0x02, 0x04, 0x08, 0x08, 0x08],
        '8' => [0x0E, 0x11, 0x11, 0x0E, 0x11, 0x11, 0x0E],
        '9' => [0x0E, 0x11, 0x11, 0x0F, 0x01, 0x02, 0x0C],
        ':' => [0x00, 0x0C, 0x0C, 0x00, 0x0C, 0x0C, 0x00],
        '.' => [0x00, 0x00, 0x00, 0x00, 0x00, 0x0C, 0x0C],
        'a' => [0x00, 0x00, 0x0E, 0x01, 0x0F, 0x11, 0x0F],
        'e' => [0x00, 0x00, 0x0E, 0x11, 0x1F, 0x10, 0x0E],
        'i' => [0x04, 0x00, 0x0C, 0x04, 0x04, 0x04, 0x0E],
        'n' => [0x00, 0x00, 0x16, 0x19, 0x11, 0x11, 0x11],
        'o' => [0x00, 0x00, 0x0E, 0x11, 0x11, 0x11, 0x0E],
        'p' => [0x00, 0x00, 0x1E, 0x11, 0x1E, 0x10, 0x10],
        'r' => [0x00, 0x00, 0x16, 0x19, 0x10, 0x10, 0x10],
        's' => [0x00, 0x00, 0x0E, 0x10, 0x0E, 0x01, 0x1E],
        't' => [0x08, 0x08, 0x1C, 0x08, 0x08, 0x09, 0x06],
        _ => [0; GLYPH_HEIGHT_DOTS],
    }
}

/// Returns the width of a text in pixels, with `scale` pixels per dot.
pub(in crate::capture) fn width(text: &str, scale: usize) -> usize {
    (text.chars().count() * GLYPH_ADVANCE_DOTS)
        .saturating_sub(GLYPH_ADVANCE_DOTS - GLYPH_WIDTH_DOTS)
        * scale
}

/// Draws a text into the luma plane. Parts outside the plane are clipped.
pub(in crate::capture) fn draw(
    planes: &mut Planes,
    text: &str,
    (x, y): (usize, usize),
    scale: usize,
    luma: u8,
) {
    let stride = planes.luma_stride();
    for (number, letter) in text.chars().enumerate() {
        let left = x + number * GLYPH_ADVANCE_DOTS * scale;
        for (row, dots) in rows(letter).into_iter().enumerate() {
            for line in 0..scale {
                let start = (y + row * scale + line) * stride;
                let Some(line) = planes.y.get_mut(start..start + stride) else { continue };
                for dot in (0..GLYPH_WIDTH_DOTS)
                    .filter(|dot| dots >> (GLYPH_WIDTH_DOTS - 1 - dot) & 1 == 1)
                {
                    let at = left + dot * scale;
                    if let Some(pixels) = line.get_mut(at..at + scale) {
                        pixels.fill(luma);
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::Size;

    #[test]
    fn letters_are_set_and_clipped() {
        let mut planes = Planes::black(Size::new(32, 16));
        draw(&mut planes, "1", (0, 0), 2, 200);
        assert_eq!(planes.y.iter().filter(|&&y| y == 200).count(), 10 * 4);
        draw(&mut planes, "8888888", (20, 12), 3, 200);
        draw(&mut planes, "8", (usize::MAX / 4096, 0), 3, 200);
        assert_eq!(width("12:3", 2), (4 * 6 - 1) * 2);
    }
}
