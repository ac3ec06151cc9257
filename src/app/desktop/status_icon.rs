//! The status icon: red on air, amber for a problem, otherwise gray.

use crate::app::desktop::state::DesktopState;
use crate::studio::notices::health::Activity;

/// Sides of the icon in pixels; the desktop chooses the size that fits.
pub(super) const ICON_SIDES_PIXELS: [u32; 2] = [22, 44];

/// Returns the color of a state.
pub(super) fn color(state: &DesktopState) -> [u8; 3] {
    match state.activity {
        _ if state.trouble => [0xF2, 0xB5, 0x44],
        Activity::OnAir => [0xFF, 0x41, 0x55],
        _ => [0x9B, 0xA6, 0xB6],
    }
}

/// Draws a disc in a ring, and returns its pixels row by row: alpha, red, green and blue of each
/// pixel.
pub(super) fn pixels(side: u32, [red, green, blue]: [u8; 3]) -> Vec<u8> {
    let middle = (side as f32 - 1.0) / 2.0;
    let unit = side as f32 / 22.0;
    let pixel = |x: u32, y: u32| {
        let from_middle = (x as f32 - middle).hypot(y as f32 - middle) / unit;
        let lit = (5.5 - from_middle).clamp(0.0, 1.0);
        let ring = (1.4 - (from_middle - 8.6).abs()).clamp(0.0, 1.0);
        [(lit.max(ring) * 255.0) as u8, red, green, blue]
    };
    (0..side).flat_map(|y| (0..side).flat_map(move |x| pixel(x, y))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_lit_in_the_middle_and_clear_in_the_corners() {
        for side in ICON_SIDES_PIXELS {
            let pixels = pixels(side, [1, 2, 3]);
            assert_eq!(pixels.len(), (side * side * 4) as usize);
            let at = |x: u32, y: u32| pixels[((y * side + x) * 4) as usize];
            assert_eq!((at(side / 2, side / 2), at(0, 0)), (255, 0));
        }
    }
}
