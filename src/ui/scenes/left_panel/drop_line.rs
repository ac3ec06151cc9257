//! The line that shows where a dragged row lands, and the scrolling of the list during the drag.

use egui::style::ScrollAnimation;
use egui::{Id, LayerId, Order, Pos2, Rect, Stroke, Ui, vec2};

use crate::ui::view::View;

/// Width of the line in points.
const LINE_WIDTH_POINTS: f32 = 2.0;
/// Distance from the edge of a list at which a dragged row scrolls the list, in points.
const SCROLL_EDGE_POINTS: f32 = 12.0;
/// Speed at which a dragged row scrolls the list, in points per second.
const SCROLL_SPEED: f32 = 300.0;
/// Maximum time that one frame counts for the scrolling, in seconds.
const MAX_FRAME_SECONDS: f32 = 0.1;

/// Draws a line over the list. Rows that are drawn later do not cover it.
fn paint(ui: &Ui, view: &View<'_>, points: [Pos2; 2]) {
    let layer = LayerId::new(Order::Foreground, Id::unique("drop-line"));
    let painter = ui.ctx().layer_painter(layer).with_clip_rect(ui.clip_rect());
    painter.line_segment(points, Stroke::new(LINE_WIDTH_POINTS, view.theme.accent));
}

/// Returns the position of the pointer, at most at the edge of the visible rows, so that a dragged row
/// lands at a visible place.
pub(super) fn pointer(ui: &Ui) -> Option<Pos2> {
    let (pointer, visible) = (ui.ctx().pointer_latest_pos()?, ui.clip_rect());
    Some(Pos2::new(pointer.x, pointer.y.max(visible.top()).min(visible.bottom())))
}

/// Draws the line between two rows at this height, as wide as `row`. The edge of the list does not
/// cut it off.
pub(super) fn between_rows(ui: &Ui, view: &View<'_>, row: Rect, y: f32) {
    let visible = ui.clip_rect().shrink(LINE_WIDTH_POINTS / 2.0);
    let y = y.max(visible.top()).min(visible.bottom());
    paint(ui, view, [Pos2::new(row.left(), y), Pos2::new(row.right(), y)]);
}

/// Draws the line at the edge of an image in a grid: at its left if `before`, else at its right.
pub(super) fn beside_image(ui: &Ui, view: &View<'_>, image: Rect, before: bool) {
    let x = if before { image.left() } else { image.right() };
    paint(ui, view, [Pos2::new(x, image.top()), Pos2::new(x, image.bottom())]);
}

/// Scrolls a list while a row is dragged at its upper or lower edge. The rows of the list reach from
/// `top` to `bottom`.
pub(super) fn scroll_at_edge(ui: &Ui, pointer: Pos2, (top, bottom): (f32, f32)) {
    let visible = ui.clip_rect();
    let step = SCROLL_SPEED * ui.input(|input| input.stable_dt).min(MAX_FRAME_SECONDS);
    let delta = if pointer.y < visible.top() + SCROLL_EDGE_POINTS {
        (visible.top() - top).clamp(0.0, step)
    } else if pointer.y > visible.bottom() - SCROLL_EDGE_POINTS {
        -(bottom - visible.bottom()).clamp(0.0, step)
    } else {
        0.0
    };
    ui.scroll_with_delta_animation(vec2(0.0, delta), ScrollAnimation::none());
}
