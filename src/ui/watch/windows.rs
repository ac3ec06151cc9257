//! The players in a separate window: an ordinary one, or a small one without decorations above all
//! other windows. The keyboard works in the window as on the page.

use egui::{
    Context, CornerRadius, Id, Key, Modifiers, Rect, Sense, Ui, ViewportBuilder, ViewportCommand,
    ViewportId, pos2, vec2,
};

use crate::studio::Command;
use crate::ui::input::actions::Action;
use crate::ui::input::hotkeys::letters_act;
use crate::ui::input::other_windows;
use crate::ui::style::icons::Icon;
use crate::ui::style::theme::{CONTROL_RADIUS, TEXT_PLATE, Theme, gap, size};
use crate::ui::video::FrameView;
use crate::ui::view::View;
use crate::ui::watch::commands::name_of;
use crate::ui::watch::draft::{Draft, PlayerLocation};
use crate::ui::watch::drops::dropped;
use crate::ui::watch::keys;
use crate::ui::watch::tiles::{alone, over_video, players, tile};
use crate::ui::widgets::{icon_button, row_in};

/// The initial size of the small window in points.
const SMALL_WINDOW_SIZE_POINTS: [f32; 2] = [384.0, 216.0];
/// The minimum size of the small window in points.
const MIN_SMALL_WINDOW_POINTS: [f32; 2] = [160.0, 90.0];

/// Returns the separate window, if it is open.
pub fn window(view: &View<'_>, draft: &Draft) -> Option<(ViewportId, ViewportBuilder)> {
    let small = match draft.place {
        PlayerLocation::Here => return None,
        PlayerLocation::Window => false,
        PlayerLocation::Small => true,
    };
    let name = name_of(&view.snapshot.watch_figures.url);
    let title = view.texts.with("window-title", &[("name", name.into())]);
    let builder = ViewportBuilder::default().with_title(title).with_app_id("onair");
    let builder = if small {
        builder
            .with_inner_size(SMALL_WINDOW_SIZE_POINTS)
            .with_min_inner_size(MIN_SMALL_WINDOW_POINTS)
            .with_decorations(false)
            .with_always_on_top()
            .with_taskbar(false)
    } else {
        builder.with_inner_size([960.0, 620.0]).with_min_inner_size([480.0, 300.0])
    };
    // Each kind has its own window id, because desktops do not remove decorations from an open
    // window.
    let id = ViewportId(Id::unique(if small { "watch-small" } else { "watch-window" }));
    Some((id, builder))
}

/// Draws the contents of the separate window. Returns the window action that the user selected.
pub fn draw_window(
    ui: &mut Ui,
    view: &mut View<'_>,
    draft: &mut Draft,
    frames: &mut [FrameView],
) -> Option<Action> {
    let room = ui.max_rect();
    let action = if draft.place == PlayerLocation::Small {
        pip(ui, view, draft, frames, room);
        None
    } else {
        ordinary(ui, view, draft, frames, room)
    };
    dropped(ui, view, draft, room);
    if letters_act(ui.ctx()) {
        own_keys(ui.ctx(), view);
    }
    keys::take(ui.ctx(), view, draft);
    other_windows::run(ui.ctx(), view);
    if ui.ctx().input(|input| input.viewport().close_requested()) {
        draft.place = PlayerLocation::Here;
    }
    // Full screen here applies to this window, not to the main window.
    action.filter(|action| *action != Action::FullScreen)
}

/// Handles the shortcuts that the main window handles for the page.
fn own_keys(ctx: &Context, view: &mut View<'_>) {
    let pressed = |key| ctx.input_mut(|input| input.consume_key(Modifiers::NONE, key));
    if pressed(Key::M) {
        view.send(Command::SetPlayerMuted(!view.snapshot.watch_figures.muted));
    }
    if pressed(Key::F) {
        fill(ctx);
    }
}

/// Toggles full screen for this window.
fn fill(ctx: &Context) {
    ctx.send_viewport_cmd(ViewportCommand::Fullscreen(!is_full(ctx)));
}

fn is_full(ctx: &Context) -> bool {
    ctx.input(|input| input.viewport().fullscreen.unwrap_or(false))
}

/// Draws the ordinary window, with the same contents as the full screen.
fn ordinary(
    ui: &mut Ui,
    view: &mut View<'_>,
    draft: &mut Draft,
    frames: &mut [FrameView],
    room: Rect,
) -> Option<Action> {
    players(ui, view, draft, frames, room, false);
    let mut action = over_video(ui, view, draft, room);
    let twice = std::mem::take(&mut draft.double_clicked);
    if twice || action == Some(Action::FullScreen) {
        fill(ui.ctx());
        action = None;
    }
    action
}

/// Draws the small window with the chosen player, and two buttons while the pointer is over it. The
/// user drags the window by the frame.
fn pip(ui: &mut Ui, view: &mut View<'_>, draft: &mut Draft, frames: &mut [FrameView], room: Rect) {
    alone(ui, view, draft, frames, room, false);
    if std::mem::take(&mut draft.double_clicked) {
        if is_full(ui.ctx()) {
            fill(ui.ctx());
        } else {
            draft.place = PlayerLocation::Here;
        }
    }
    let edge = Rect::from_min_max(room.max - vec2(14.0, 14.0), room.max);
    // The keyboard does not stop here.
    let corner = ui.interact(edge, ui.scope_id().with("resize"), Sense::DRAG);
    if corner.drag_started() {
        let way = egui::viewport::ResizeDirection::SouthEast;
        ui.ctx().send_viewport_cmd(ViewportCommand::BeginResize(way));
    }
    // The drag begins with the first movement, not with the press: once it begins, the desktop
    // controls the pointer, and a click would not be recognized.
    let moved = ui.ctx().read_response(tile::frame_id(ui));
    if moved.is_some_and(|response| response.drag_started()) && !is_full(ui.ctx()) {
        ui.ctx().send_viewport_cmd(ViewportCommand::StartDrag);
    }
    let over = ui.ctx().input(|input| input.pointer.has_pointer());
    if !over {
        return;
    }
    let side = size::SMALL_CONTROL_HEIGHT;
    let plate = Rect::from_min_size(
        pos2(room.right() - 2.0 * side - gap::XS - gap::S, room.top() + gap::XS),
        vec2(2.0 * side + gap::XS, side),
    );
    ui.painter().rect_filled(plate, CornerRadius::same(CONTROL_RADIUS), TEXT_PLATE);
    let mut row = row_in(ui, plate, "pip", gap::XS);
    let (back, stop) = (view.texts.get("window-back"), view.texts.get("watch-stop"));
    // The buttons are dark in both themes, like the frame.
    if icon_button(&mut row, &Theme::DARK, Icon::External, &back, side).clicked() {
        draft.place = PlayerLocation::Here;
    }
    if icon_button(&mut row, &Theme::DARK, Icon::Close, &stop, side).clicked() {
        draft.place = PlayerLocation::Here;
        view.send(Command::StopWatching);
    }
}
