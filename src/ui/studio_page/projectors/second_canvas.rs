//! The picture of the second canvas, beside the program.

use egui::{CornerRadius, Rect, Role, Sense, Stroke, StrokeKind, Ui, WidgetInfo, vec2};

use crate::studio::live::view::LiveState;
use crate::studio::{Command, ProgramCommand};
use crate::ui::studio_page::program::label_in;
use crate::ui::style::theme::{BORDER_WIDTH, FRAME_BACKGROUND, TEXT_PLATE, VIDEO_TEXT_COLOR, gap};
use crate::ui::targets;
use crate::ui::video::{FrameView, fill_around, fitted};
use crate::ui::view::View;

/// The largest part of the room that the second canvas takes from the program.
const MAX_SHARE: f32 = 0.4;

/// Draws the second canvas at the right side of `room`, if there is one. Returns the rest of the room.
pub(in crate::ui::studio_page) fn beside(
    ui: &mut Ui,
    view: &mut View<'_>,
    draft: &mut targets::Draft,
    room: Rect,
) -> Rect {
    if !view.snapshot.canvas.enabled {
        return room;
    }
    if !view.snapshot.canvas_shown {
        view.send(Command::Programs(ProgramCommand::ShowCanvas(true)));
    }
    let shape = view.snapshot.canvas.size.aspect();
    let height = room.height() - 2.0 * gap::M;
    let width = (height * shape + 2.0 * gap::M).min(room.width() * MAX_SHARE).max(0.0).round();
    let (rest, place) = room.split_left_right_at_x(room.right() - width);
    let rect = fitted(place.shrink2(vec2(gap::S, gap::M)), shape, ui.pixels_per_point());
    fill_around(ui, place, rect, view.theme.canvas);
    ui.painter().rect_filled(rect, CornerRadius::ZERO, FRAME_BACKGROUND);
    let frame = frame(view, draft);
    if frame.is_there() {
        frame.paint(ui, rect);
    }
    let response = ui.interact(rect, ui.scope_id().with("second-canvas"), Sense::hover());
    let name = view.texts.get("second-canvas-picture");
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, &*name));
    let stroke = match view.snapshot.live {
        LiveState::OnAir | LiveState::Stopping if view.snapshot.canvas_figures.is_some() => {
            Stroke::new(2.0, view.theme.live)
        }
        _ => Stroke::new(BORDER_WIDTH, view.theme.line),
    };
    ui.painter().rect_stroke(rect, CornerRadius::same(2), stroke, StrokeKind::Outside);
    let text = view.texts.get("second-canvas-tag");
    label_in(ui, rect, &text, (TEXT_PLATE, VIDEO_TEXT_COLOR));
    rest
}

/// Returns the view of the newest frame of the canvas.
fn frame<'a>(view: &View<'_>, draft: &'a mut targets::Draft) -> &'a mut FrameView {
    let slot = &view.snapshot.canvas_frames;
    let known = draft.canvas.take().filter(|(known, _)| known.shares_with(slot));
    let made = || (slot.clone(), FrameView::new("second-canvas", slot.clone()));
    &mut draft.canvas.insert(known.unwrap_or_else(made)).1
}
