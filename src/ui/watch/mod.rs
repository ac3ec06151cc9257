//! The *Watch* page: address, frames, controls and figures, with its keyboard and windows.

mod address;
pub(in crate::ui) mod chat;
mod commands;
mod controls;
pub mod danmaku;
pub mod draft;
mod drops;
pub mod keys;
mod network_form;
mod stats_panel;
pub(in crate::ui) mod tiles;
pub mod viewport;
mod windows;

pub use commands::name_of;
pub(in crate::ui) use commands::send;

use egui::{Align2, Color32, CornerRadius, Rect, Ui, vec2};

use crate::ui::input::actions::Action;
use crate::ui::style::icons::Icon;
use crate::ui::style::theme::{FRAME_BACKGROUND, Type, gap, size};
use crate::ui::targets::child;
use crate::ui::video::FrameView;
use crate::ui::video::placeholder::placeholder;
use crate::ui::view::View;
use crate::ui::widgets::{Button, place};

pub use address::url_field;
pub use draft::{Draft, PlayerLocation};
use drops::dropped;
pub use drops::is_address;
use tiles::{lower, over_video, players};
pub use windows::{draw_window, window};

/// Draws the page in `room`. Returns the window action that the user selected.
pub fn show(
    ui: &mut Ui,
    view: &mut View<'_>,
    draft: &mut Draft,
    frames: &mut [FrameView],
    room: Rect,
    right: f32,
) -> Option<Action> {
    let theme = view.theme;
    let split = room.right() - right;
    let (left, side) = room.split_left_right_at_x(split);
    let bar = Rect::from_min_size(left.min, vec2(left.width(), size::WATCH_ADDRESS_BAR_HEIGHT));
    let controls = left.with_min_y(left.bottom() - size::WATCH_CONTROL_BAR_HEIGHT);
    let rail = left
        .with_min_y(controls.top() - controls::seek_bar::ROW_HEIGHT_POINTS)
        .with_max_y(controls.top());
    let stage = Rect::from_min_max(bar.left_bottom(), rail.right_top());

    ui.painter().hline(bar.x_range(), bar.bottom() - 0.5, theme.border());
    address::show(ui, view, draft, bar.shrink2(vec2(gap::L, 9.0)));
    here_or_elsewhere(ui, view, draft, frames, stage, false);
    dropped(ui, view, draft, stage);
    ui.painter().hline(rail.x_range(), rail.top() + 0.5, theme.border());
    let mut action = lower(ui, view, draft, rail, controls);
    if std::mem::take(&mut draft.double_clicked) {
        // A double click leaves the enlarged tile, or changes to full screen if no tile is
        // enlarged.
        match draft.enlarged.take() {
            Some(_) => {}
            None => action = Some(Action::FullScreen),
        }
    }

    ui.painter().vline(side.left() + 0.5, side.y_range(), theme.border());
    let mut panel = child(ui, side.shrink2(vec2(gap::L, gap::M)), "watch-figures");
    stats_panel::show(&mut panel, view, draft);
    action
}

/// Draws the players in a panel of the studio, without their controls. A double click, or the
/// button of an empty player, opens the *Watch* page.
pub fn in_panel(
    ui: &mut Ui,
    view: &mut View<'_>,
    draft: &mut Draft,
    frames: &mut [FrameView],
    room: Rect,
) -> Option<Action> {
    ui.painter().rect_filled(room, CornerRadius::ZERO, FRAME_BACKGROUND);
    here_or_elsewhere(ui, view, draft, frames, room, true);
    std::mem::take(&mut draft.double_clicked).then_some(Action::Watch)
}

/// Draws the players, or the button that brings the players back from another window. `panel` is
/// true in a panel of the studio.
fn here_or_elsewhere(
    ui: &mut Ui,
    view: &mut View<'_>,
    draft: &mut Draft,
    frames: &mut [FrameView],
    room: Rect,
    panel: bool,
) {
    match draft.place {
        PlayerLocation::Here => players(ui, view, draft, frames, room, panel),
        PlayerLocation::Window | PlayerLocation::Small => elsewhere(ui, view, draft, room),
    }
}

/// Draws the page while the players are in another window.
fn elsewhere(ui: &mut Ui, view: &View<'_>, draft: &mut Draft, room: Rect) {
    ui.painter().rect_filled(room, CornerRadius::ZERO, FRAME_BACKGROUND);
    let texts = view.texts;
    let (title, advice) = (texts.get("window-apart"), texts.get("window-apart-advice"));
    let back = texts.get("window-back");
    if placeholder(ui, room, Icon::External, &title, &advice, Some(Button::new(&back))) {
        draft.place = PlayerLocation::Here;
    }
}

/// Draws only the frames on the whole screen. The controls appear when the pointer moves.
pub fn full_screen(
    ui: &mut Ui,
    view: &mut View<'_>,
    draft: &mut Draft,
    frames: &mut [FrameView],
    room: Rect,
) -> Option<Action> {
    players(ui, view, draft, frames, room, false);
    dropped(ui, view, draft, room);
    if std::mem::take(&mut draft.double_clicked) {
        return Some(Action::FullScreen);
    }
    over_video(ui, view, draft, room)
}

/// Draws only the program on the whole screen.
pub fn program(ui: &mut Ui, frame: &mut FrameView, room: Rect, hint: &str) {
    ui.painter().rect_filled(room, CornerRadius::ZERO, Color32::BLACK);
    let rect = crate::ui::video::fitted(room, frame.shape(), ui.pixels_per_point());
    if !frame.paint(ui, rect) {
        let color = crate::ui::style::theme::VIDEO_SECONDARY_TEXT_COLOR;
        place(ui, room.center(), Align2::CENTER_CENTER, hint, Type::Body, color);
    }
}
