//! A graph of a figure over the last minutes.

use egui::{
    Color32, CornerRadius, Response, Role, Sense, Shape, Stroke, StrokeKind, Ui, WidgetInfo, pos2,
    vec2,
};

use crate::ui::style::theme::{CONTROL_RADIUS, Theme};

/// The usual height of a graph, in points.
pub const SPARKLINE_HEIGHT_POINTS: f32 = 56.0;
/// Maximum number of points of a graph. Each point shows the largest of its values.
const MAX_POINTS: usize = 150;

/// Draws the newest `span` of `values`, oldest first, with the newest at the right edge. The scale
/// goes from zero to above the largest value or `at_least`, which leaves room for a caption.
/// `height` is in points.
pub fn sparkline(
    ui: &mut Ui,
    theme: &Theme,
    name: &str,
    (values, span): (&[f32], usize),
    at_least: f32,
    color: Color32,
    height: f32,
) -> Response {
    let size = vec2(ui.available_width(), height);
    let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, name));
    let painter = ui.painter();
    let radius = CornerRadius::same(CONTROL_RADIUS);
    painter.rect(rect, radius, theme.raised, theme.border(), StrokeKind::Inside);
    let inner = rect.shrink(6.0);
    let (values, most) = newest(values, span);
    let top = values.iter().copied().fold(at_least, f32::max).max(1e-3) * 1.6;
    let y = inner.bottom() - inner.height() * (at_least / top);
    painter.hline(inner.x_range(), y, Stroke::new(1.0, theme.line));
    let step = inner.width() / most.saturating_sub(1).max(1) as f32;
    let points: Vec<_> = values
        .iter()
        .enumerate()
        .map(|(age, value)| {
            let x = inner.right() - step * age as f32;
            pos2(x, inner.bottom() - inner.height() * (value / top).clamp(0.0, 1.0))
        })
        .collect();
    if points.len() > 1 {
        painter.add(Shape::line(points, Stroke::new(1.6, color)));
    }
    response
}

/// Returns the points of the newest `span` values, newest first, and the number of points of a full
/// span.
fn newest(values: &[f32], span: usize) -> (Vec<f32>, usize) {
    let per_point = span.div_ceil(MAX_POINTS).max(1);
    let shown: Vec<f32> = values.iter().rev().take(span).copied().collect();
    let largest = |some: &[f32]| some.iter().copied().fold(0.0, f32::max);
    (shown.chunks(per_point).map(largest).collect(), span.div_ceil(per_point))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_span_keeps_its_peaks() {
        let mut values = vec![1.0; 700];
        values[698] = 9.0;
        values[650] = 7.0;
        values[50] = 99.0;
        let (points, most) = newest(&values, 600);
        assert_eq!((points.len(), most), (150, 150));
        assert_eq!((points[0], points[12]), (9.0, 7.0), "4 seconds each, the newest first");
        assert_eq!(points.iter().filter(|it| **it > 1.0).count(), 2, "older ones are not shown");
        assert_eq!(newest(&values, 60), (newest(&values, 60).0, 60));
        assert_eq!(newest(&[3.0, 4.0], 60), (vec![4.0, 3.0], 60));
        assert_eq!(newest(&[], 60), (Vec::new(), 60));
    }
}
