//! A line of the desk: a name and its control.

use egui::{Align, Layout, Ui, vec2};

use crate::ui::theme::Type;
use crate::ui::view::View;
use crate::ui::widgets::label;

/// Width of the names before the controls.
const NAME: f32 = 110.0;

/// A name, and what it names.
pub fn line(
    ui: &mut Ui,
    view: &mut View<'_>,
    name: &str,
    control: impl FnOnce(&mut Ui, &mut View<'_>),
) {
    let room = vec2(ui.available_width(), 30.0);
    ui.allocate_ui_with_layout(room, Layout::left_to_right(Align::Center), |ui| {
        ui.allocate_ui_with_layout(vec2(NAME, 30.0), Layout::left_to_right(Align::Center), |ui| {
            ui.set_min_width(NAME);
            label(ui, name, Type::Small, view.theme.secondary);
        });
        control(ui, view);
    });
}
