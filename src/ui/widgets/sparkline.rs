//! A graph of a figure over one minute.

use egui::{
    Color32, CornerRadius, Response, Role, Sense, Shape, Stroke, StrokeKind, Ui, WidgetInfo, pos2,
    vec2,
};

use crate::ui::style::theme::{RADIUS, Theme};

/// Draws at most 60 `values`, oldest first, with the newest at the right edge. The scale goes from
/// zero to above the largest value or `at_least`, so that there is room for a caption.
pub fn sparkline(
    ui: &mut Ui,
    theme: &Theme,
    name: &str,
    values: &[f32],
    at_least: f32,
    color: Color32,
) -> Response {
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), 56.0), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, name));
    let painter = ui.painter();
    painter.rect(
        rect,
        CornerRadius::same(RADIUS),
        theme.raised,
        theme.border(),
        StrokeKind::Inside,
    );
    let inner = rect.shrink(6.0);
    let top = values.iter().copied().fold(at_least, f32::max).max(1e-3) * 1.6;
    painter.hline(
        inner.x_range(),
        inner.bottom() - inner.height() * (at_least / top),
        Stroke::new(1.0, theme.line),
    );
    let step = inner.width() / 59.0;
    let shown = values.len().min(60);
    let points: Vec<_> = values
        .iter()
        .skip(values.len() - shown)
        .enumerate()
        .map(|(index, value)| {
            let x = inner.right() - step * (shown - 1 - index) as f32;
            pos2(x, inner.bottom() - inner.height() * (value / top).clamp(0.0, 1.0))
        })
        .collect();
    if points.len() > 1 {
        painter.add(Shape::line(points, Stroke::new(1.6, color)));
    }
    response
}
