//! Remembers the size of the window, and whether it is maximized, for the next start.

use std::time::{Duration, Instant};

use eframe::egui::Context;

use crate::ui::Screen;

/// A change is remembered if no other change follows within this time, so that dragging an edge
/// writes the settings once.
const SAVE_DEBOUNCE_DELAY: Duration = Duration::from_secs(1);

/// The place of a window that is visible, and not in full screen.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
struct SeenPlace {
    /// Width and height in points.
    size: [u16; 2],
    is_maximized: bool,
}

/// The last observed place, and the time since which the window has been there.
#[derive(Debug, Default)]
pub(super) struct WindowPlace(Option<(SeenPlace, Instant)>);

impl WindowPlace {
    /// Follows the window, and stores its place in the preferences.
    pub(super) fn follow(&mut self, ctx: &Context, screen: &mut Screen, now: Instant) {
        let (is_usual, is_maximized) = ctx.input(|input| {
            let viewport = input.viewport();
            let is_other = viewport.fullscreen == Some(true) || viewport.minimized == Some(true);
            (!is_other && viewport.visible() != Some(false), viewport.maximized == Some(true))
        });
        // The size in full screen is not the window's own.
        if !is_usual {
            self.0 = None;
            return;
        }
        let size: [f32; 2] = ctx.content_rect().size().into();
        let size = size.map(|side| side.round().clamp(0.0, f32::from(u16::MAX)) as u16);
        let seen = SeenPlace { size, is_maximized };
        match self.0 {
            Some((known, since)) if known == seen => {
                if now.saturating_duration_since(since) >= SAVE_DEBOUNCE_DELAY {
                    // A maximized window keeps its size for later.
                    screen.set_place((!is_maximized).then_some(size), is_maximized);
                }
            }
            _ => self.0 = Some((seen, now)),
        }
    }
}
