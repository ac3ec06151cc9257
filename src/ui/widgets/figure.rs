//! Figures: lines with a name and a value, and a tooltip that explains the figure.

use egui::{Align, Color32, Rect, Response, Role, Sense, Ui, WidgetInfo, pos2, vec2};

use crate::ui::style::theme::{Theme, Type};
use crate::ui::widgets::elided;

/// The minimum gap between the name and the value.
const BETWEEN: f32 = 8.0;

/// Draws one line. The value never shortens the name. If the value does not fit, the tooltip
/// contains the whole value.
pub fn figure(ui: &mut Ui, theme: &Theme, name: &str, value: &str, meaning: &str) -> Response {
    colored_figure(ui, theme, (name, value), meaning, theme.text)
}

/// Draws one line whose value has this color.
pub fn colored_figure(
    ui: &mut Ui,
    theme: &Theme,
    (name, value): (&str, &str),
    meaning: &str,
    color: Color32,
) -> Response {
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), 22.0), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, format!("{name}: {value}")));
    let named = elided(ui, rect, Align::Min, name, Type::Figure.font(), theme.secondary);
    let room = Rect::from_min_max(pos2(named.right() + BETWEEN, rect.top()), rect.max);
    let font = Type::FigureStrong.font();
    let whole = ui.painter().layout_no_wrap(value.to_owned(), font.clone(), color).size().x;
    elided(ui, room, Align::Max, value, font, color);
    if whole > room.width() {
        return response.on_hover_text(format!("{value}\n\n{meaning}"));
    }
    response.on_hover_text(meaning)
}

/// Draws a block of figures.
pub fn figures(ui: &mut Ui, theme: &Theme, lines: &[(&str, String, &str)]) {
    ui.scope(|ui| {
        ui.spacing_mut().item_spacing.y = 0.0;
        for (name, value, meaning) in lines {
            figure(ui, theme, name, value, meaning);
        }
    });
}
