//! A layout with two columns for the steps of the guide.

use egui::{Align, Layout, ScrollArea, Ui};

use crate::ui::style::theme::gap;
use crate::ui::view::View;

/// Draws both columns. `left_width` is the width of the left column.
pub(super) fn columns(
    ui: &mut Ui,
    left_width: f32,
    view: &mut View<'_>,
    left: impl FnOnce(&mut Ui, &mut View<'_>),
    right: impl FnOnce(&mut Ui, &mut View<'_>),
) {
    let room = ui.available_rect_before_wrap();
    let middle = room.left() + left_width;
    let (first, second) = (room.with_max_x(middle), room.with_min_x(middle + gap::XL));
    let layout = Layout::top_down(Align::Min);
    let part = |rect, salt| egui::UiBuilder::new().max_rect(rect).layout(layout).id_salt(salt);
    ui.scope_builder(part(first, "left"), |ui| left(ui, view));
    ui.scope_builder(part(second, "right"), |ui| {
        ScrollArea::vertical().max_height(room.height()).show(ui, |ui| right(ui, view));
    });
}
