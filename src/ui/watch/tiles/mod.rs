//! The players and their controls in any space: on the page, on the whole screen or in a window.
//! The controls are below or over the frames.

pub(in crate::ui) mod grid;
mod message;
pub(in crate::ui::watch) mod overlays;
pub(in crate::ui::watch) mod tile;

use egui::{CornerRadius, Rect, Ui, vec2};

use crate::ui::input::actions::Action;
use crate::ui::style::theme::{gap, size};
use crate::ui::video::FrameView;
use crate::ui::view::View;
use crate::ui::watch::commands::send;
use crate::ui::watch::controls;
use crate::ui::watch::controls::seek_bar;
use crate::ui::watch::draft::Draft;

/// How long the controls stay on a full screen after the pointer last moved, in seconds.
const CONTROLS_TIMEOUT_SECONDS: f64 = 2.5;

/// Draws the seek bar and the controls.
pub fn lower(
    ui: &mut Ui,
    view: &mut View<'_>,
    draft: &mut Draft,
    rail: Rect,
    controls: Rect,
) -> Option<Action> {
    let span = seek_bar::Span::of(&view.snapshot.watch_figures);
    if let Some(asked) = seek_bar::bar(ui, view, draft, span, rail.shrink2(vec2(gap::S, 0.0))) {
        send(view, asked);
    }
    controls::show(ui, view, draft, controls.shrink2(vec2(gap::M, gap::S)))
}

/// Draws all tiles, or the one player that is shown alone. `panel` is true in a panel of the
/// studio.
pub fn players(
    ui: &mut Ui,
    view: &mut View<'_>,
    draft: &mut Draft,
    frames: &mut [FrameView],
    room: Rect,
    panel: bool,
) {
    if view.snapshot.tiles.len() > 1 && draft.enlarged.is_none() {
        grid::show(ui, view, draft, frames, room);
    } else {
        alone(ui, view, draft, frames, room, panel);
    }
}

/// Draws the chosen player alone, and its state over a frame that does not move.
pub fn alone(
    ui: &mut Ui,
    view: &mut View<'_>,
    draft: &mut Draft,
    frames: &mut [FrameView],
    room: Rect,
    panel: bool,
) {
    let frame = frames.get_mut(view.snapshot.chosen_slot());
    if let Some(state) = tile::show(ui, view, draft, frame, room, panel) {
        message::still(ui, &state, room);
    }
}

/// Draws the controls over the frames, for a short time after the pointer moved, and while a popup
/// of the controls is open.
pub fn over_video(
    ui: &mut Ui,
    view: &mut View<'_>,
    draft: &mut Draft,
    room: Rect,
) -> Option<Action> {
    let now = ui.input(|input| {
        if input.pointer.is_moving()
            || input.pointer.any_down()
            || input.key_pressed(egui::Key::Tab)
        {
            draft.pointed = Some(input.time);
        }
        input.time
    });
    let open = egui::Popup::is_any_open(ui.ctx()) || draft.seeking.share(ui).is_some();
    if !open && draft.pointed.is_none_or(|at| now - at > CONTROLS_TIMEOUT_SECONDS) {
        ui.set_cursor_icon(egui::CursorIcon::None);
        return None;
    }
    ui.request_repaint_after(std::time::Duration::from_millis(500));
    let height = size::WATCH_CONTROL_BAR_HEIGHT + seek_bar::ROW_HEIGHT_POINTS;
    let foot = room.with_min_y(room.bottom() - height);
    ui.painter().rect_filled(foot, CornerRadius::ZERO, view.theme.panel);
    let rail = Rect::from_min_size(foot.min, vec2(foot.width(), seek_bar::ROW_HEIGHT_POINTS));
    lower(ui, view, draft, rail, Rect::from_min_max(rail.left_bottom(), foot.max))
}
