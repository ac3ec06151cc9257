//! The size of the window: it limits the interface scale, and is remembered for the next start.

use std::time::{Duration, Instant};

use eframe::egui::{Context, Vec2, ViewportCommand};

use crate::ui::Screen;

/// A change is remembered if no other change follows within this time, so that dragging an edge
/// writes the settings once.
const SAVE_DEBOUNCE_DELAY: Duration = Duration::from_secs(1);

/// A size limits the interface scale if no other size follows within this time, so that the scale
/// does not change while the user drags an edge, or before the window has its first size.
const SCALE_DEBOUNCE_DELAY: Duration = Duration::from_millis(200);

/// Time after the first frame within which the desktop adds the title bar to the window, also on a
/// busy computer.
const FRAME_DELAY: Duration = Duration::from_secs(10);

/// The place of a window that is visible, and not in full screen.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
struct SeenPlace {
    /// Width and height in points.
    size: [u16; 2],
    is_maximized: bool,
}

/// The last observed place, and the time since which the window has been there.
#[derive(Debug, Default)]
pub(super) struct WindowPlace {
    seen: Option<(SeenPlace, Instant)>,
    /// The time of the first frame.
    begun: Option<Instant>,
    /// True if the window has been maximized. What the user then makes of it stays.
    was_maximized: bool,
    /// The last observed size in points at 100 %, and the time since which the window has it.
    size: Option<(Vec2, Instant)>,
}

impl WindowPlace {
    /// Passes the size of the window to the screen.
    pub(super) fn follow_size(
        &mut self,
        ctx: &Context,
        frame: &eframe::Frame,
        screen: &mut Screen,
        now: Instant,
    ) {
        let Some(window) = frame.winit_window() else { return };
        let size = window.inner_size();
        let size = Vec2::new(size.width as f32, size.height as f32) / window.scale_factor() as f32;
        // A minimized window may have no size.
        if size.min_elem() <= 0.0 {
            return;
        }
        let wait = self.settling_time(size, now);
        if !wait.is_zero() {
            ctx.request_repaint_after(wait);
        } else if screen.set_window_size(ctx, size) {
            ctx.request_discard("the interface scale of the window");
        }
    }

    /// Notes the size of the window. Returns the time until it limits the interface scale.
    fn settling_time(&mut self, size: Vec2, now: Instant) -> Duration {
        let known = self.size.filter(|(known, _)| *known == size);
        let (_, since) = *self.size.insert(known.unwrap_or((size, now)));
        SCALE_DEBOUNCE_DELAY.saturating_sub(now.saturating_duration_since(since))
    }

    /// Follows the window, and stores its place in the preferences.
    pub(super) fn follow(&mut self, ctx: &Context, screen: &mut Screen, now: Instant) {
        let (is_usual, is_maximized) = ctx.input(|input| {
            let viewport = input.viewport();
            let is_other = viewport.fullscreen == Some(true) || viewport.minimized == Some(true);
            (!is_other && viewport.visible() != Some(false), viewport.maximized == Some(true))
        });
        // The size in full screen is not the window's own.
        if !is_usual {
            self.seen = None;
            return;
        }
        let begun = *self.begun.get_or_insert(now);
        let (outer, display) = ctx.input(|input| {
            let viewport = input.viewport();
            (viewport.outer_rect.map(|outer| outer.size()), viewport.monitor_size)
        });
        self.was_maximized |= is_maximized;
        if !self.was_maximized && now - begun < FRAME_DELAY && exceeds(outer, display) {
            // The desktop knows how much of the display is free.
            ctx.send_viewport_cmd(ViewportCommand::Maximized(true));
        }
        let size: [f32; 2] = ctx.content_rect().size().into();
        let size = size.map(|side| side.round().clamp(0.0, f32::from(u16::MAX)) as u16);
        let seen = SeenPlace { size, is_maximized };
        match self.seen {
            Some((known, since)) if known == seen => {
                if now.saturating_duration_since(since) >= SAVE_DEBOUNCE_DELAY {
                    // A maximized window keeps its size for later.
                    screen.set_place((!is_maximized).then_some(size), is_maximized);
                }
            }
            _ => self.seen = Some((seen, now)),
        }
    }
}

/// Returns true if a window with its title bar is larger than its display.
fn exceeds(outer: Option<Vec2>, display: Option<Vec2>) -> bool {
    /// Fractional scales round.
    const TOLERANCE_POINTS: f32 = 1.0;
    outer.zip(display).is_some_and(|(outer, display)| {
        (outer - display).max_elem() > TOLERANCE_POINTS && display.min_elem() > 0.0
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_limits_the_scale_when_it_no_longer_changes() {
        let mut place = WindowPlace::default();
        let (start, half) = (Instant::now(), SCALE_DEBOUNCE_DELAY / 2);
        let (small, large) = (Vec2::new(960.0, 600.0), Vec2::new(1_280.0, 720.0));
        assert_eq!(place.settling_time(small, start), SCALE_DEBOUNCE_DELAY);
        assert_eq!(place.settling_time(small, start + half), half);
        assert_eq!(place.settling_time(large, start + 2 * half), SCALE_DEBOUNCE_DELAY);
        assert_eq!(place.settling_time(large, start + 4 * half), Duration::ZERO);
        assert_eq!(place.settling_time(large, start + 6 * half), Duration::ZERO);
    }

    #[test]
    fn a_title_bar_counts_to_the_size_of_the_window() {
        let display = Some(Vec2::new(1_280.0, 720.0));
        assert!(!exceeds(Some(Vec2::new(1_280.0, 720.0)), display));
        assert!(exceeds(Some(Vec2::new(1_282.0, 745.0)), display));
        assert!(!exceeds(None, display) && !exceeds(display, None));
        assert!(!exceeds(display, Some(Vec2::ZERO)), "unknown");
    }
}
