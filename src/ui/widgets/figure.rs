//! Figures: a name and a value on a line, with a tooltip that says what it means.

use egui::{Align, Rect, Response, Role, Sense, Ui, WidgetInfo, vec2};

use crate::ui::theme::{Theme, Type};
use crate::ui::widgets::elided;

/// One line.
pub fn figure(ui: &mut Ui, theme: &Theme, name: &str, value: &str, meaning: &str) -> Response {
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), 22.0), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, format!("{name}: {value}")));
    let value_rect = elided(ui, rect, Align::Max, value, Type::FigureStrong.font(), theme.text);
    let names = Rect::from_min_max(rect.min, egui::pos2(value_rect.left() - 8.0, rect.bottom()));
    elided(ui, names, Align::Min, name, Type::Figure.font(), theme.secondary);
    response.on_hover_text(meaning)
}

/// A block of them.
pub fn figures(ui: &mut Ui, theme: &Theme, lines: &[(&str, String, &str)]) {
    ui.scope(|ui| {
        ui.spacing_mut().item_spacing.y = 0.0;
        for (name, value, meaning) in lines {
            figure(ui, theme, name, value, meaning);
        }
    });
}
