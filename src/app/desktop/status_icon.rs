//! The status icon: red on air, amber for a problem, otherwise gray. Each state also has its own
//! shape.

use crate::app::desktop::state::DesktopState;
use crate::studio::notices::health::Activity;

/// Sides of the icon in pixels; the desktop chooses the size that fits.
pub(super) const ICON_SIDES_PIXELS: [u32; 2] = [22, 44];
/// The distance from the center of the triangle to its sides, in pixels of an icon with 22 pixels.
const TRIANGLE_RADIUS_PIXELS: f32 = 5.0;

/// The state that the icon shows.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) struct StatusIcon {
    on_air: bool,
    trouble: bool,
}

impl StatusIcon {
    pub fn of(state: &DesktopState) -> Self {
        Self { on_air: state.activity == Activity::OnAir, trouble: state.trouble }
    }

    fn color(self) -> [u8; 3] {
        match self {
            Self { trouble: true, .. } => [0xF2, 0xB5, 0x44],
            Self { on_air: true, .. } => [0xFF, 0x41, 0x55],
            _ => [0x9B, 0xA6, 0xB6],
        }
    }

    /// Draws a ring, or a triangle for a problem, with a disc in it on air. Returns the pixels row
    /// by row: alpha, red, green and blue of each pixel.
    pub fn pixels(self, side: u32) -> Vec<u8> {
        let [red, green, blue] = self.color();
        let middle = (side as f32 - 1.0) / 2.0;
        let unit = side as f32 / 22.0;
        let pixel = |x: u32, y: u32| {
            let (x, y) = ((x as f32 - middle) / unit, (y as f32 - middle) / unit);
            let (from_line, from_disc) = if self.trouble {
                // The center of a triangle is nearer to its lower side than to its top.
                let y = y - TRIANGLE_RADIUS_PIXELS / 2.0;
                let to_side = y.max(x.abs() * 0.866 - y * 0.5);
                (to_side - TRIANGLE_RADIUS_PIXELS, x.hypot(y) - 3.5)
            } else {
                let from_middle = x.hypot(y);
                (from_middle - 8.6, from_middle - 5.5)
            };
            let line = (1.4 - from_line.abs()).clamp(0.0, 1.0);
            let disc = if self.on_air { (-from_disc).clamp(0.0, 1.0) } else { 0.0 };
            [(line.max(disc) * 255.0) as u8, red, green, blue]
        };
        (0..side).flat_map(|y| (0..side).flat_map(move |x| pixel(x, y))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_state_has_its_own_shape_and_clear_corners() {
        let states = [(false, false), (true, false), (false, true), (true, true)];
        for side in ICON_SIDES_PIXELS {
            let shapes = states.map(|(on_air, trouble)| {
                let pixels = StatusIcon { on_air, trouble }.pixels(side);
                assert_eq!(pixels.len(), (side * side * 4) as usize);
                let shape: Vec<bool> = pixels.chunks(4).map(|pixel| pixel[0] > 128).collect();
                let corners = [0, side - 1, side * (side - 1), side * side - 1];
                assert!(corners.iter().all(|at| pixels[*at as usize * 4] == 0));
                shape
            });
            for (index, one) in shapes.iter().enumerate() {
                for other in &shapes[index + 1..] {
                    let differ = one.iter().zip(other).filter(|(one, other)| one != other).count();
                    // A twentieth of the icon is easy to see.
                    assert!(differ * 20 >= one.len(), "{differ} pixels of {}", one.len());
                }
            }
        }
    }
}
