//! The layout of the page on a full screen, or in a window that is smaller than the page needs.

use egui::{Rect, ScrollArea, Ui};

use super::Screen;
use crate::ui::screen::bars::Page;
use crate::ui::style::theme::size;
use crate::ui::view::View;
use crate::ui::watch;

impl Screen {
    /// Draws the page. If a tiling desktop gives the window less space than the page needs, the
    /// page scrolls.
    pub(super) fn fitted(&mut self, ui: &mut Ui, room: Rect) {
        let whole = room.size().max(size::WINDOW_MIN.into());
        if whole == room.size() {
            return self.window(ui, room);
        }
        ScrollArea::both().auto_shrink(false).show(ui, |ui| {
            let (_, room) = ui.allocate_space(whole);
            self.window(ui, room);
        });
    }

    /// Fills the whole screen with the page's frame.
    pub(super) fn filled(&mut self, ui: &mut Ui, room: Rect) {
        let mut view = view!(self);
        let action = match self.page {
            Page::Studio | Page::Recordings => {
                watch::program(ui, &mut self.program, room, &self.texts.get("placeholder-none"));
                None
            }
            Page::Watch => {
                self.watch.learn(&view, ui.input(|input| input.time));
                self.watch.place = watch::Where::Here;
                watch::full_screen(ui, &mut view, &mut self.watch, &mut self.watched, room)
            }
        };
        if let Some(action) = action {
            self.act(ui.ctx(), action);
        }
    }
}
