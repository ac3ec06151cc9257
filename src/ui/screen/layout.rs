//! The layout of the window: its bars and the page, on a full screen or in a window that is smaller
//! than the page needs.

use egui::{Rect, ScrollArea, Ui, pos2, vec2};

use super::{Screen, health_bar, status_bar};
use crate::ui::screen::bars::{self, Page};
use crate::ui::studio_page::docks;
use crate::ui::style::theme::{gap, size};
use crate::ui::view::View;
use crate::ui::widgets::scroll;
use crate::ui::{dialogs, recordings, studio_page, watch};

/// The tolerance for the rounding of the window's size.
const ROUNDING_POINTS: f32 = 0.5;

impl Screen {
    /// Draws the page. If a tiling desktop gives the window less space than the page needs at the
    /// smallest scale, the page scrolls.
    pub(super) fn fitted(&mut self, ui: &mut Ui, room: Rect) {
        let whole = room.size().max(size::MIN_WINDOW_SIZE.into());
        // A scale that just leaves room for the page may round.
        if (whole - room.size()).max_elem() < ROUNDING_POINTS {
            return self.window(ui, room);
        }
        scroll(ScrollArea::both().auto_shrink(false), "page", ui, |ui| {
            let (_, room) = ui.allocate_space(whole);
            self.window(ui, room);
        });
        // The health bar may be scrolled out of view, and there is no room for a dialog beside it.
        dialogs::set_health_bar(ui.ctx(), None);
    }

    /// Fills the whole screen with the page's frame.
    pub(super) fn filled(&mut self, ui: &mut Ui, room: Rect) {
        dialogs::set_health_bar(ui.ctx(), None);
        let mut view = view!(self);
        let action = match self.page {
            Page::Studio | Page::Recordings => {
                watch::program(ui, &mut self.program, room, &self.texts.get("placeholder-none"));
                None
            }
            Page::Watch => {
                self.watch.learn(&view, ui.input(|input| input.time));
                self.watch.place = watch::PlayerLocation::Here;
                watch::full_screen(ui, &mut view, &mut self.watch, &mut self.watched, room)
            }
        };
        if let Some(action) = action {
            self.act(ui.ctx(), action);
        }
    }

    /// Draws the bars and the page.
    fn window(&mut self, ui: &mut Ui, room: Rect) {
        let top = Rect::from_min_size(room.min, vec2(room.width(), size::TOP_BAR_HEIGHT));
        let bottom = room.with_min_y(room.bottom() - size::STATUS_BAR_HEIGHT);
        let health_bar =
            Rect::from_min_size(top.left_bottom(), vec2(room.width(), size::HEALTH_BAR_HEIGHT));
        let page = Rect::from_min_max(health_bar.left_bottom(), bottom.right_top());
        let narrow = room.width() < size::NARROW_WINDOW_WIDTH;
        let right = if narrow { size::NARROW_RIGHT_PANEL_WIDTH } else { size::RIGHT_PANEL_WIDTH };
        let left = match room.width() {
            _ if narrow => size::NARROW_LEFT_PANEL_WIDTH,
            size::WIDE_WINDOW_WIDTH.. => size::WIDE_LEFT_PANEL_WIDTH,
            _ => size::LEFT_PANEL_WIDTH,
        };

        let mut view = view!(self);
        let pressed = bars::top(ui, &view, self.page, &mut self.tray, top);
        let is_studio = self.page == Page::Studio;
        let mut width = docks::menu::width(ui, &view, &self.preferences.panels, narrow);
        // The health sentence is more important than the text of the layout button.
        if is_studio && !health_bar::fits(ui, &view, health_bar, width + gap::S) {
            width = size::SMALL_CONTROL_HEIGHT;
        }
        let inset = if is_studio { width + gap::S } else { 0.0 };
        let helped = health_bar::show(ui, &view, health_bar, inset);
        dialogs::set_health_bar(ui.ctx(), Some(health_bar));
        if is_studio {
            let right = pos2(health_bar.right() - gap::M, health_bar.center().y);
            let size = vec2(width, size::SMALL_CONTROL_HEIGHT);
            let place = egui::Align2::RIGHT_CENTER.anchor_size(right, size);
            let panels = &mut self.preferences.panels;
            docks::menu::show(ui, &mut view, panels, &mut self.docks, place);
        }
        let (mut action, mut play) = (None, None);
        self.watch.learn(&view, ui.input(|input| input.time));
        match self.page {
            Page::Studio => {
                let pressed = {
                    let mut parts = parts!(self);
                    let sides = (left, right);
                    studio_page::show(ui, &mut view, &mut parts, &mut self.docks, page, sides)
                };
                if let Some(pressed) = pressed {
                    action = action.or(Some(pressed));
                }
            }
            Page::Watch => {
                let asked =
                    watch::show(ui, &mut view, &mut self.watch, &mut self.watched, page, right);
                action = action.or(asked);
            }
            Page::Recordings => {
                play = recordings::show(ui, &mut view, &mut self.recordings, page, right);
            }
        }
        status_bar::show(ui, &view, self.page, bottom);
        if let Some(path) = play {
            self.picked_watch(&path);
        }
        if let Some(action) = action {
            self.act(ui.ctx(), action);
        }
        self.answer(ui.ctx(), pressed, helped);
    }
}
