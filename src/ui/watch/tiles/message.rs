//! Texts over a frame: the player's state, and in a tile that is not chosen its newest notice. The
//! texts wrap, so they are shown completely if the frame has room for them.

use egui::{
    Align, Align2, CornerRadius, Id, Layout, Rect, Role, Sense, Ui, UiBuilder, WidgetInfo, pos2,
    vec2,
};

use crate::studio::watch::view::TileView;
use crate::studio::{Notice, WatchCommand};
use crate::ui::input::actions::key;
use crate::ui::notices;
use crate::ui::style::theme::{
    CONTROL_RADIUS, TEXT_PLATE, Theme, Type, VIDEO_SECONDARY_TEXT_COLOR, VIDEO_TEXT_COLOR, gap,
    size,
};
use crate::ui::view::View;
use crate::ui::watch::commands::{name_of, send};
use crate::ui::watch::tiles::tile;
use crate::ui::widgets::{Button, Wrapped};

/// The maximum width of a plate, because longer lines are hard to read.
const MAX_PLATE_WIDTH_POINTS: f32 = 380.0;
/// The padding between a plate and its text, above and below.
const PLATE_PADDING_POINTS: f32 = 10.0;

/// Returns the width of the plate in a tile of this size, and the width of the plate's text.
fn widths(room: Rect) -> (f32, f32) {
    let plate = (room.width() - 2.0 * gap::S).clamp(40.0, MAX_PLATE_WIDTH_POINTS);
    (plate, (plate - 2.0 * gap::S).max(1.0))
}

/// Draws the newest notice of a player that is not chosen. When the player is chosen, the notice
/// moves to the tray, with its remedy.
pub(super) fn notice(ui: &mut Ui, view: &View<'_>, tile: &TileView, notice: &Notice, room: Rect) {
    let (title, advice) = notices::words(view.texts, notice);
    let inner = (room.width() - 4.0 * gap::S).max(1.0);
    let most = (room.height() - 4.0 * gap::S).max(1.0);
    let words = Wrapped::new(ui, &title, Type::Small, VIDEO_TEXT_COLOR, inner, most, Align::Min);
    let plate = Rect::from_min_size(
        room.min + vec2(gap::S, gap::S),
        vec2(inner + 2.0 * gap::S, words.height() + gap::S),
    );
    ui.painter().rect_filled(plate, CornerRadius::same(CONTROL_RADIUS), TEXT_PLATE);
    words.paint(ui, plate.min + vec2(gap::S, gap::XS));
    let whole = ui.interact(plate, ui.scope_id().with(("said", tile.id)), Sense::hover());
    whole.widget_info(|| WidgetInfo::labeled(Role::Alert, true, &title));
    whole.on_hover_text(format!("{title} {advice}").trim_end());
}

/// Draws the state of a tile over its frame, with a button if the tile has stopped playing.
pub(super) fn state(
    ui: &mut Ui,
    view: &mut View<'_>,
    tile: &TileView,
    state: &tile::Sentence,
    room: Rect,
) {
    let ends = tile::can_play_again(&tile.state) && !tile.figures.url.is_empty();
    let button = if ends { gap::S + size::SMALL_CONTROL_HEIGHT } else { 0.0 };
    let id = ui.scope_id().with(("why", tile.id));
    let (plate, text) = plate(ui, id, state, room, Align2::CENTER_CENTER, button);
    if ends {
        let foot = Rect::from_min_max(text.left_bottom() + vec2(0.0, gap::S), plate.max);
        play_again(ui, view, tile, foot);
    }
}

/// Draws the state of a player that is shown alone over its frame, which does not move. The state
/// is at the top, because the statistics are at the bottom.
pub(super) fn still(ui: &Ui, state: &tile::Sentence, room: Rect) {
    let id = ui.scope_id().with("still");
    let (plate, _) = plate(ui, id, state, room.shrink(gap::L), Align2::CENTER_TOP, 0.0);
    let response = ui.interact(plate, id, Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Alert, true, &state.title));
    ui.ctx().accesskit_node_builder(id, |node| node.set_description(state.advice.as_str()));
}

/// Draws a state on a plate, which has room for a button of this height below the text. Returns the
/// rectangles of the plate and of the advice.
fn plate(
    ui: &Ui,
    id: Id,
    state: &tile::Sentence,
    room: Rect,
    align: Align2,
    button: f32,
) -> (Rect, Rect) {
    let (width, inner) = widths(room);
    let most = (room.height() - button - 2.0 * PLATE_PADDING_POINTS).max(1.0);
    let (strong, light) = (Type::SmallStrong, Type::Small);
    let title =
        Wrapped::new(ui, &state.title, strong, VIDEO_TEXT_COLOR, inner, most, Align::Center);
    let most = (most - title.height() - 2.0).max(1.0);
    let color = VIDEO_SECONDARY_TEXT_COLOR;
    let advice = Wrapped::new(ui, &state.advice, light, color, inner, most, Align::Center);
    let height = title.height() + 2.0 + advice.height() + button + 2.0 * PLATE_PADDING_POINTS;
    let plate = align.align_size_within_rect(vec2(width, height.min(room.height())), room);
    ui.painter().rect_filled(plate, CornerRadius::same(CONTROL_RADIUS), TEXT_PLATE);
    let top = pos2(plate.left() + gap::S, plate.top() + PLATE_PADDING_POINTS);
    let named = title.paint(ui, top);
    let second = advice.paint(ui, pos2(top.x, named.bottom() + 2.0));
    let whole = ui.interact(second, id.with("advice"), Sense::hover());
    if advice.is_elided() {
        whole.on_hover_text(&state.advice);
    }
    (plate, second)
}

/// Draws the button that plays again, or trusts the offered certificate.
fn play_again(ui: &mut Ui, view: &mut View<'_>, tile: &TileView, room: Rect) {
    let mut child = ui.new_child(
        UiBuilder::new()
            .max_rect(room.with_max_x(room.right() - gap::S))
            .layout(Layout::top_down(Align::Center))
            .id_salt(("again", tile.id)),
    );
    let (text, key, asked) = match tile.offered {
        Some(pin) => {
            ("remedy-trust", key!("tile-trust"), WatchCommand::Trust { tile: tile.id, pin })
        }
        None => ("play-again", key!("tile-again"), WatchCommand::Again(tile.id)),
    };
    let text = view.texts.get(text);
    let name = view.texts.with(key, &[("name", name_of(&tile.figures.url).into())]);
    if Button::new(&text).name(&name).small().show(&mut child, &Theme::DARK).clicked() {
        send(view, asked);
    }
}
