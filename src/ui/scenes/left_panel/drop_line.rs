//! The line that shows where a dragged row lands.

use egui::{Id, LayerId, Order, Pos2, Rect, Stroke, Ui};

use crate::ui::view::View;

/// Width of the line in points.
const LINE_WIDTH_POINTS: f32 = 2.0;

/// Draws a line over the list. Rows that are drawn later do not cover it.
fn paint(ui: &Ui, view: &View<'_>, points: [Pos2; 2]) {
    let layer = LayerId::new(Order::Foreground, Id::unique("drop-line"));
    let painter = ui.ctx().layer_painter(layer).with_clip_rect(ui.clip_rect());
    painter.line_segment(points, Stroke::new(LINE_WIDTH_POINTS, view.theme.accent));
}

/// Draws the line between two rows at this height, as wide as `row`.
pub(super) fn between_rows(ui: &Ui, view: &View<'_>, row: Rect, y: f32) {
    paint(ui, view, [Pos2::new(row.left(), y), Pos2::new(row.right(), y)]);
}

/// Draws the line at the edge of an image in a grid: at its left if `before`, else at its right.
pub(super) fn beside_image(ui: &Ui, view: &View<'_>, image: Rect, before: bool) {
    let x = if before { image.left() } else { image.right() };
    paint(ui, view, [Pos2::new(x, image.top()), Pos2::new(x, image.bottom())]);
}
