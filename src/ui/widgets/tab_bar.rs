//! A bar of adjacent tabs with the same width.

use egui::{
    Align, CornerRadius, Rect, Response, Role, Sense, StrokeKind, Ui, WidgetInfo, pos2, vec2,
};

use crate::ui::style::theme::{RADIUS, Theme, Type};
use crate::ui::widgets::{elided, focus_ring};

/// The height of [`tab_bar`].
pub const TAB_BAR: f32 = 30.0;
/// The gap between the edge of the bar and a tab.
const EDGE: f32 = 2.0;

/// Sets the information about a tab for screen readers.
pub fn tab_info(response: &Response, name: &str, is_chosen: bool) {
    response.widget_info(|| WidgetInfo::labeled(Role::Tab, true, name));
    response.ctx.accesskit_node_builder(response.id, |node| node.set_selected(is_chosen));
}

/// Draws tabs with these names, one of which is selected; returns the index of the pressed tab.
pub fn tab_bar(ui: &mut Ui, theme: &Theme, names: &[&str], chosen: usize) -> Option<usize> {
    let (bar, _) = ui.allocate_exact_size(vec2(ui.available_width(), TAB_BAR), Sense::hover());
    ui.painter().rect_filled(bar, CornerRadius::same(RADIUS + 1), theme.raised);
    let width = (bar.width() - 2.0 * EDGE) / names.len().max(1) as f32;
    let mut pressed = None;
    for (index, name) in names.iter().enumerate() {
        let at = pos2(bar.left() + EDGE + width * index as f32, bar.top() + EDGE);
        let rect = Rect::from_min_size(at, vec2(width, TAB_BAR - 2.0 * EDGE));
        let response = ui.interact(rect, ui.scope_id().with(("tab", index)), Sense::click());
        let is_chosen = index == chosen;
        tab_info(&response, name, is_chosen);
        if is_chosen {
            let (radius, line) = (CornerRadius::same(RADIUS - 1), theme.border());
            ui.painter().rect(rect, radius, theme.panel, line, StrokeKind::Inside);
        }
        let lit = is_chosen || response.hovered();
        let color = if lit { theme.text } else { theme.secondary };
        elided(
            ui,
            rect.shrink2(vec2(4.0, 0.0)),
            Align::Center,
            name,
            Type::FigureStrong.font(),
            color,
        );
        focus_ring(ui, theme, &response, RADIUS - 1);
        if response.clicked() {
            pressed = Some(index);
        }
    }
    pressed
}
