//! The scale of the interface in percent of the desktop's scale.

use egui::Vec2;

use crate::media::Size;
use crate::ui::style::theme::size::MIN_WINDOW_SIZE;

/// The scales that a user can choose.
pub const PERCENT_CHOICES: [u16; 11] = [75, 90, 100, 110, 125, 150, 175, 200, 225, 250, 300];
/// The scale on usual displays.
pub const DEFAULT_PERCENT: u16 = 100;
/// The smallest scale that a small window gets, because smaller text is hard to read.
const MIN_FITTED_PERCENT: u16 = 70;
/// The number of rows of a display up to which the usual scale is comfortable.
const REFERENCE_DISPLAY_ROWS: u64 = 1_440;
/// The tolerance for the rounding of sizes, in percent.
const ROUNDING_PERCENT: f32 = 0.01;

/// Returns the scale that suits a display: on a display with more than `REFERENCE_DISPLAY_ROWS`
/// rows, controls take the same part of the display as on a display with `REFERENCE_DISPLAY_ROWS`
/// rows. `size` is in pixels, and `desktop` is the scale that the desktop already applies.
pub fn of_display(size: Size, desktop: f64) -> u16 {
    // The shorter side is also right for a display in portrait orientation.
    let rows = f64::from(size.width.min(size.height)) / desktop.max(0.1);
    let percent = rows as u64 * 100 / REFERENCE_DISPLAY_ROWS;
    let fits = |step: &u16| (u64::from(DEFAULT_PERCENT)..=percent).contains(&u64::from(*step));
    PERCENT_CHOICES.into_iter().rfind(fits).unwrap_or(DEFAULT_PERCENT)
}

/// Returns the scale up to `percent` at which the whole page fits in a window of `size`, so that
/// *Go Live* and the health bar stay in view, but no scale below `MIN_FITTED_PERCENT`. `size` is in
/// points at 100 %.
pub fn fitting(percent: u16, size: Vec2) -> u16 {
    let [width, height] = MIN_WINDOW_SIZE;
    let largest = (size.x / width).min(size.y / height) * 100.0 + ROUNDING_PERCENT;
    percent.min((largest.floor() as u16).max(MIN_FITTED_PERCENT))
}

/// Returns the minimum size of the window in points at 100 %: the page fits in this size at
/// `MIN_FITTED_PERCENT`.
pub fn min_window_size() -> [f32; 2] {
    MIN_WINDOW_SIZE.map(|side| side * f32::from(MIN_FITTED_PERCENT) / 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scale_leaves_room_for_the_page() {
        for (width, height, wanted, used) in [
            (1_280.0, 720.0, 300, 120),
            (1_280.0, 720.0, 110, 110),
            (1_920.0, 1_080.0, 300, 180),
            (960.0, 1_080.0, 300, 100),
            (2_880.0, 1_800.0, 300, 300),
            (2_879.0, 1_799.0, 300, 299),
            // Small displays, some of which the desktop enlarges.
            (960.0, 540.0, 100, 90),
            (1_366.0 / 1.5, 768.0 / 1.5, 100, 85),
            (800.0, 500.0, 150, 83),
            (800.0, 500.0, 75, 75),
            // The page scrolls in a window that is too small for the smallest scale.
            (640.0, 400.0, 150, 70),
            (640.0, 400.0, 75, 70),
        ] {
            let found = fitting(wanted, Vec2::new(width, height));
            assert_eq!(found, used, "{width}×{height} at {wanted} %");
        }
        let [width, height] = min_window_size();
        assert_eq!(fitting(300, Vec2::new(width, height)), MIN_FITTED_PERCENT);
        assert!(width < 800.0 && height < 440.0, "{width}×{height}");
    }

    #[test]
    fn only_large_displays_without_a_scale_of_the_desktop_need_a_larger_interface() {
        for (width, height, desktop, wanted) in [
            (960, 600, 1.0, 100),
            (1_920, 1_080, 1.0, 100),
            (2_560, 1_440, 1.0, 100),
            (3_440, 1_440, 1.0, 100),
            (2_560, 1_600, 1.0, 110),
            (3_840, 2_160, 1.0, 150),
            (2_160, 3_840, 1.0, 150),
            (5_120, 2_880, 1.0, 200),
            (7_680, 4_320, 1.0, 300),
            (15_360, 8_640, 1.0, 300),
            // The desktop already enlarges everything.
            (3_840, 2_160, 1.5, 100),
            (3_840, 2_160, 1.25, 110),
            (3_840, 2_160, 2.0, 100),
            // A driver without a display reports zeros.
            (0, 0, 1.0, 100),
            (3_840, 2_160, 0.0, 300),
        ] {
            let found = of_display(Size::new(width, height), desktop);
            assert_eq!(found, wanted, "{width}×{height} at {desktop}");
        }
    }
}
