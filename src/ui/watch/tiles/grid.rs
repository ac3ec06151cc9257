//! Several players side by side: the layout of the tiles, and the clicks on them.

use egui::{
    Align, CornerRadius, Rect, Role, Sense, Stroke, StrokeKind, Ui, UiBuilder, Vec2, WidgetInfo,
    pos2, vec2,
};

use crate::studio::WatchCommand;
use crate::studio::watch::view::{TileView, WatchState};
use crate::ui::input::hotkeys::accept_letters;
use crate::ui::style::icons;
use crate::ui::style::icons::Icon;
use crate::ui::style::theme::{FRAME_BACKGROUND, Type, gap};
use crate::ui::video::{FrameView, fill_around};
use crate::ui::view::View;
use crate::ui::watch::commands::{name_of, send};
use crate::ui::watch::draft::Draft;
use crate::ui::watch::tiles::{message, overlays, tile};
use crate::ui::widgets::{elided, icon_button};

/// The gap between tiles.
const TILE_GAP_POINTS: f32 = 4.0;
/// The height of the line at the bottom of a tile.
const FOOTER_HEIGHT_POINTS: f32 = 24.0;

/// Returns the rectangles of `count` tiles in `room`, row by row, with the number of columns that
/// makes 16:9 frames as large as possible.
pub fn grid(room: Rect, count: usize) -> Vec<Rect> {
    let cell = |columns: usize| {
        let rows = count.div_ceil(columns);
        let (across, down) = (columns as f32, rows as f32);
        let width = (room.width() - TILE_GAP_POINTS * (across - 1.0)) / across;
        let height = (room.height() - TILE_GAP_POINTS * (down - 1.0)) / down;
        (vec2(width.max(1.0), height.max(1.0)), rows)
    };
    let shown = |columns: &usize| {
        let (cell, _) = cell(*columns);
        cell.x.min(cell.y * 16.0 / 9.0)
    };
    let columns = (1..=count.max(1)).max_by(|a, b| shown(a).total_cmp(&shown(b))).unwrap_or(1);
    let (cell, rows) = cell(columns);
    (0..count)
        .map(|index| {
            let (column, row) = (index % columns, index / columns);
            // The last row is centered.
            let here = if row + 1 == rows { count - row * columns } else { columns };
            let missing = (columns - here) as f32 * (cell.x + TILE_GAP_POINTS) / 2.0;
            let x = room.left() + missing + column as f32 * (cell.x + TILE_GAP_POINTS);
            let y = room.top() + row as f32 * (cell.y + TILE_GAP_POINTS);
            Rect::from_min_size(pos2(x, y), cell)
        })
        .collect()
}

/// Draws all tiles.
pub fn show(
    ui: &mut Ui,
    view: &mut View<'_>,
    draft: &mut Draft,
    frames: &mut [FrameView],
    room: Rect,
) {
    ui.painter().rect_filled(room, CornerRadius::ZERO, view.theme.canvas);
    let tiles = &view.snapshot.tiles;
    for (tile, rect) in tiles.iter().zip(grid(room, tiles.len())) {
        one(ui, view, draft, frames.get_mut(tile.id.slot()), tile, rect);
    }
    // If no tile has applied the movement, it is discarded, as in the view of a single tile.
    draft.moved = Vec2::ZERO;
}

fn one(
    ui: &mut Ui,
    view: &mut View<'_>,
    draft: &mut Draft,
    frame: Option<&mut FrameView>,
    tile: &TileView,
    rect: Rect,
) {
    let (theme, texts) = (view.theme, view.texts);
    let name = name_of(&tile.figures.url);
    let inside = rect.with_max_y(rect.bottom() - FOOTER_HEIGHT_POINTS);
    let pressed = ui.interact(rect, ui.scope_id().with(("tile", tile.id)), Sense::click());
    accept_letters(&pressed);
    let state = tile::in_place_of_frame(texts, &tile.state, &tile.figures);
    let shown = frame.filter(|_| tile::is_seen(&tile.state)).and_then(|frame| {
        if tile.chosen {
            tile::paint_chosen(ui, frame, draft, inside)
        } else {
            tile::paint(ui, frame, &tile.viewport.into(), inside)
        }
    });
    if shown.is_none() {
        fill_around(ui, inside, Rect::from_min_max(inside.min, inside.min), FRAME_BACKGROUND);
    }
    let playing = tile.state == WatchState::Playing && shown.is_some();
    let state = tile::still(texts, &tile.state).filter(|_| shown.is_some()).unwrap_or(state);
    if !playing {
        message::state(ui, view, tile, &state, inside);
    }
    let plays = texts.get("tile-playing");
    let does = if playing { &*plays } else { state.title.as_str() };
    let accessible_name =
        texts.with("tile-name", &[("name", name.as_str().into()), ("state", does.into())]);
    pressed.widget_info(|| {
        WidgetInfo::selected(Role::RadioButton, true, tile.chosen, &accessible_name)
    });
    if tile.chosen {
        over(ui, view, draft, inside);
    } else if let Some(notice) = tile.notices.last() {
        message::notice(ui, view, tile, notice, inside);
    }
    foot(ui, view, tile, &name, Rect::from_min_max(inside.left_bottom(), rect.max));
    if tile.chosen {
        let stroke = Stroke::new(2.0, theme.accent);
        ui.painter().rect_stroke(rect, CornerRadius::same(2), stroke, StrokeKind::Inside);
    }
    let entered = pressed.has_focus() && ui.input(|input| input.key_pressed(egui::Key::Enter));
    if pressed.double_clicked() || (entered && tile.chosen) {
        draft.enlarged = Some(tile.id);
        send(view, WatchCommand::Choose(tile.id));
    } else if pressed.clicked() && !tile.chosen {
        send(view, WatchCommand::Choose(tile.id));
    }
    tile::ring(ui, &pressed);
}

/// Draws the overlays on the chosen player's frame, as for a player that is shown alone.
fn over(ui: &mut Ui, view: &mut View<'_>, draft: &mut Draft, room: Rect) {
    let mut child =
        ui.new_child(UiBuilder::new().max_rect(room.shrink(gap::S)).id_salt("wall-overlays"));
    child.set_clip_rect(room.intersect(ui.clip_rect()));
    overlays::show(&mut child, view, draft, room);
}

/// Draws the name of the stream, the speaker icon of the audible player, and the close button.
fn foot(ui: &mut Ui, view: &mut View<'_>, tile: &TileView, name: &str, room: Rect) {
    let (theme, texts) = (view.theme, view.texts);
    ui.painter().rect_filled(room, CornerRadius::ZERO, theme.raised);
    let mut words = room.shrink2(vec2(gap::S, 0.0));
    words.max.x -= FOOTER_HEIGHT_POINTS;
    if tile.chosen {
        let icon = if tile.figures.muted { Icon::SpeakerOff } else { Icon::Speaker };
        let at = Rect::from_min_size(pos2(words.left(), room.center().y - 7.0), vec2(14.0, 14.0));
        icons::paint(ui.painter(), icon, at, theme.accent);
        words.min.x += 20.0;
    }
    elided(ui, words, Align::Min, name, Type::Small.font(), theme.text);
    let at = room.with_min_x(room.right() - FOOTER_HEIGHT_POINTS);
    let mut child = ui.new_child(UiBuilder::new().max_rect(at).id_salt(("remove", tile.id)));
    let remove = texts.with("tile-remove", &[("name", name.into())]);
    if icon_button(&mut child, theme, Icon::Close, &remove, FOOTER_HEIGHT_POINTS).clicked() {
        send(view, WatchCommand::Remove(tile.id));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiles_fill_the_room_and_do_not_overlap() {
        for (width, height) in [(980.0, 540.0), (300.0, 900.0), (1_900.0, 200.0), (1.0, 1.0)] {
            let room = Rect::from_min_size(pos2(10.0, 20.0), vec2(width, height));
            for count in 1..=9 {
                let tiles = grid(room, count);
                assert_eq!(tiles.len(), count);
                for (index, tile) in tiles.iter().enumerate() {
                    if width > 100.0 {
                        assert!(room.expand(0.1).contains_rect(*tile), "{count}: {tile:?}");
                    }
                    for other in tiles.iter().skip(index + 1) {
                        assert!(width < 100.0 || !tile.shrink(0.1).intersects(*other));
                    }
                }
            }
        }
    }

    #[test]
    fn a_wall_is_as_square_as_the_room_wants() {
        let room = Rect::from_min_size(pos2(0.0, 0.0), vec2(1_600.0, 900.0));
        let columns = |count: usize| {
            let tiles = grid(room, count);
            tiles.iter().filter(|tile| tile.top() == tiles[0].top()).count()
        };
        assert_eq!([1, 4, 6, 9].map(columns), [1, 2, 3, 3]);
        // A single tile in the last row is centered.
        let three = grid(room, 3);
        assert!((three[2].center().x - room.center().x).abs() < 0.1);
        let tall = Rect::from_min_size(pos2(0.0, 0.0), vec2(400.0, 1_200.0));
        assert!(grid(tall, 3).iter().all(|tile| tile.left() == 0.0));
    }
}
