//! The heading of a list with its buttons, and the line in an empty list.

use egui::{Align, Layout, Ui, vec2};

use crate::ui::style::theme::{Type, gap};
use crate::ui::view::View;
use crate::ui::widgets::{at_line_end, label, truncated};

/// Draws the name of a list, with buttons at its end, from left to right.
pub fn heading(
    ui: &mut Ui,
    view: &mut View<'_>,
    text: &str,
    buttons: impl FnOnce(&mut Ui, &mut View<'_>),
) {
    let size = vec2(ui.available_width(), 26.0);
    ui.allocate_ui_with_layout(size, Layout::right_to_left(Align::Center), |ui| {
        ui.spacing_mut().item_spacing.x = 0.0;
        ui.add_space(gap::XS);
        at_line_end(ui, |ui| buttons(ui, view));
        ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
            ui.add_space(gap::S);
            truncated(ui, text, Type::SmallStrong, view.theme.secondary);
        });
    });
    ui.add_space(2.0);
}

/// Draws a line in an empty list.
pub fn nothing(ui: &mut Ui, view: &View<'_>, text: &str) {
    ui.horizontal(|ui| {
        ui.add_space(gap::S);
        label(ui, text, Type::Small, view.theme.secondary);
    });
}
