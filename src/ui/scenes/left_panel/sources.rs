//! The list of the selected scene's items, the topmost first.

use egui::{Id, Key, Modifiers, Rect, Response, Ui, pos2, vec2};

use crate::compose::scene::{Item, ItemId};
use crate::studio::{Command, Edit};
use crate::ui::input::actions::key;
use crate::ui::scenes::draft::{Draft, RenamedObject, each, edited, name_of};
use crate::ui::scenes::kind::{RowLamp, icon_of, state_of};
use crate::ui::scenes::left_panel::drop_place::{drop_place, rows_of};
use crate::ui::scenes::left_panel::heading::{heading, nothing};
use crate::ui::scenes::left_panel::row::{
    BUTTON_SIDE_POINTS, BUTTONS_WIDTH_POINTS, PanelRow, ROW_HEIGHT_POINTS, follow_focus,
    follow_selection, indent, levels,
};
use crate::ui::scenes::left_panel::{drop_line, rename};
use crate::ui::scenes::{clipboard, commands, menu};
use crate::ui::style::icons::Icon;
use crate::ui::view::View;
use crate::ui::widgets::{Button, ButtonWeight, focus_by_arrow, icon_button, pressed_once, row_in};

/// Draws the heading with its button.
pub fn head(ui: &mut Ui, view: &mut View<'_>, draft: &mut Draft) {
    let texts = view.texts;
    let collection = std::sync::Arc::clone(&view.snapshot.scenes.collection);
    let scene = collection.scene(edited(view.snapshot));
    let name = scene.map_or("", |scene| &scene.name);
    let title = texts.with("sources-of", &[("scene", name.into())]);
    heading(ui, view, &title, |ui, view| {
        let name = texts.get("source-add");
        if icon_button(ui, view.theme, Icon::Plus, &name, 24.0).clicked() {
            draft.add_source();
        }
    });
}

/// Draws the items, and below them the row that adds a source.
pub fn list(ui: &mut Ui, view: &mut View<'_>, draft: &mut Draft) {
    let texts = view.texts;
    let collection = std::sync::Arc::clone(&view.snapshot.scenes.collection);
    let scene = collection.scene(edited(view.snapshot));
    let items = scene.map(|scene| scene.items.as_slice()).unwrap_or_default();
    if items.is_empty() {
        nothing(ui, view, &texts.get("scene-empty"));
    }
    draft.source_rows.begin(ui, rows_of(items).iter().map(|id| u64::from(id.0)).collect());
    focus_new(ui, draft, items);
    let mut columns = [Vec::new(), Vec::new(), Vec::new()];
    branch(ui, view, draft, (items, 0), &mut columns);
    let add = PanelRow {
        icon: Icon::Plus,
        title: &texts.get("source-add-row"),
        selected: false,
        lamp: RowLamp::None,
        depth: 0,
        dimmed: true,
        tip: "",
        buttons: 0.0,
    };
    let add = add.button(ui, view);
    draft.source_rows.button(&add);
    if add.clicked() {
        draft.add_source();
    }
    let [rows, ..] = &columns;
    follow_focus(ui, "sources", rows);
    for mut column in columns {
        column.push(add.id);
        focus_by_arrow(ui, &column, 1);
    }
    follow_selection(ui, "sources", draft.selected.map(|id| row_id(ui, id)));
}

/// Gives the keyboard focus to the row of a new item, so that the keys of the list act on it. The
/// canvas and text fields keep the focus.
fn focus_new(ui: &Ui, draft: &mut Draft, items: &[Item]) {
    let Some(new) = draft.selected.filter(|_| draft.focuses_new > 0) else { return };
    let (row, focused) = (row_id(ui, new), ui.memory(|memory| memory.focused()));
    let is_row = |focused: Id| rows_of(items).into_iter().any(|id| row_id(ui, id) == focused);
    if focused == Some(row) {
        draft.focuses_new = 0;
    } else if focused.is_none_or(is_row) {
        // The row does not keep the focus if it is still behind a dialog.
        ui.memory_mut(|memory| memory.request_focus(row));
    }
}

/// Draws the items of a scene or group at this depth, the topmost first. Adds their rows, eyes and
/// locks to `columns`.
fn branch(
    ui: &mut Ui,
    view: &mut View<'_>,
    draft: &mut Draft,
    (items, depth): (&[Item], u32),
    columns: &mut [Vec<Id>; 3],
) {
    for (index, item) in items.iter().enumerate().rev() {
        if !rename::show(ui, view, draft, RenamedObject::Item(item.id))
            && let Some(controls) = item_row(ui, view, draft, (items, index), depth)
        {
            for (column, control) in columns.iter_mut().zip(controls) {
                column.push(control);
            }
        }
        branch(ui, view, draft, (item.members(), depth + 1), columns);
    }
}

/// Returns the id of an item's row.
fn row_id(ui: &Ui, id: ItemId) -> Id {
    ui.scope_id().with(("item", id.0))
}

/// Draws a button at the end of a row. The button is brighter if the item is hidden or locked.
fn row_button(ui: &mut Ui, view: &View<'_>, icon: Icon, name: &str, is_set: bool) -> Response {
    let button = Button::new("").weight(ButtonWeight::Quiet).name(name);
    let button = button.height(BUTTON_SIDE_POINTS).width(BUTTON_SIDE_POINTS);
    let button = match is_set {
        true => button.icon_colored(icon, view.theme.text),
        false => button.icon(icon),
    };
    button.show(ui, view.theme).on_hover_text(name)
}

/// Draws the row of an item. Returns the ids of the row, its eye and its lock.
fn item_row(
    ui: &mut Ui,
    view: &mut View<'_>,
    draft: &mut Draft,
    (items, index): (&[Item], usize),
    depth: u32,
) -> Option<[Id; 3]> {
    let item = items.get(index)?;
    let name = name_of(view, item);
    let (lamp, state) = state_of(view, item);
    let selected = draft.is_chosen(item.id);
    // An action on one of several selected items applies to all of them.
    let all = commands::meant(view.snapshot, draft, item.id);
    let row = PanelRow {
        icon: icon_of(view, item),
        title: &name,
        selected,
        lamp,
        depth,
        dimmed: item.hidden,
        tip: &state,
        buttons: BUTTONS_WIDTH_POINTS,
    };
    let row = row.show(ui, view, ("item", item.id.0));
    draft.source_rows.row(u64::from(item.id.0), &row);
    ui.ctx().accesskit_node_builder(row.id, |node| node.set_description(state));
    let at = pos2(row.rect.right(), row.rect.top() + 4.0);
    let buttons = Rect::from_min_size(at, vec2(BUTTONS_WIDTH_POINTS, BUTTON_SIDE_POINTS));
    let mut right = row_in(ui, buttons, ("item-buttons", item.id.0), 0.0);
    let eye = match item.hidden {
        true => (Icon::EyeOff, key!("item-show"), true),
        false => (Icon::Eye, key!("item-hide"), false),
    };
    let lock = match item.locked {
        true => (Icon::Lock, key!("item-unlock"), true),
        false => (Icon::Unlock, key!("item-lock"), false),
    };
    let [eye, lock] = [eye, lock].map(|(icon, key, is_set)| {
        let text = view.texts.with(key, &[("name", name.as_str().into())]);
        row_button(&mut right, view, icon, &text, is_set)
    });
    if eye.clicked() {
        each(view, &all, |id| Edit::HideItem(id, !item.hidden));
    }
    if lock.clicked() {
        each(view, &all, |id| Edit::LockItem(id, !item.locked));
    }
    if row.clicked() {
        row.request_focus();
    }
    if row.double_clicked() {
        draft.settings = Some(item.id);
    } else if row.clicked() {
        let modifiers = ui.input(|input| input.modifiers);
        if modifiers.shift {
            draft.choose_all(between(view, draft.selected, item.id), false);
        } else if modifiers.command {
            draft.toggle(item.id);
        } else {
            draft.choose(Some(item.id));
        }
    }
    if row.has_focus() {
        if pressed(ui, Key::F2) {
            draft.rename(RenamedObject::Item(item.id), name.clone());
        }
        if pressed_once(ui, Key::Delete) {
            each(view, &all, Edit::RemoveItem);
        }
        clipboard::keyboard(ui, view, draft, &all);
        let alt = |key| ui.input_mut(|input| input.consume_key(Modifiers::ALT, key));
        if alt(Key::ArrowUp) && index + 1 < items.len() {
            view.send(Command::Edit(Edit::MoveItem(item.id, index + 1)));
        }
        if alt(Key::ArrowDown) && index > 0 {
            view.send(Command::Edit(Edit::MoveItem(item.id, index - 1)));
        }
        let out = commands::moving_out(view.snapshot, item.id).filter(|_| alt(Key::ArrowLeft));
        let into = commands::moving_in(view.snapshot, item.id).into_iter().next();
        let into = into.map(|(_, edit)| edit).filter(|_| alt(Key::ArrowRight));
        if let Some(edit) = out.or(into) {
            view.send(Command::Edit(edit));
        }
    }
    if row.dragged() || row.drag_stopped() {
        drag(ui, view, &row, item.id, depth);
    }
    // The menu applies to all selected items, or else to this one.
    if row.secondary_clicked() && !draft.is_chosen(item.id) {
        draft.choose(Some(item.id));
    }
    menu::context(&row, view, |ui, view| menu::item(ui, view, draft, item));
    Some([row.id, eye.id, lock.id])
}

/// Shows where a dragged item lands, and moves the item when it is dropped. To the right, it lands
/// in the group above, where that is possible.
fn drag(ui: &Ui, view: &mut View<'_>, row: &Response, id: ItemId, depth: u32) {
    let Some(pointer) = drop_line::pointer(ui) else { return };
    let memory = row.id.with("depth");
    // The start of the drag is not known any more when the item is dropped.
    let wanted = match ui.input(|input| input.pointer.press_origin()) {
        Some(from) => i64::from(depth) + levels(pointer.x - from.x),
        None => ui.data(|data| data.get_temp(memory)).unwrap_or(i64::from(depth)),
    };
    ui.data_mut(|data| data.insert_temp(memory, wanted));
    let collection = std::sync::Arc::clone(&view.snapshot.scenes.collection);
    let scene = collection.scene(edited(view.snapshot));
    let items = scene.map(|scene| scene.items.as_slice()).unwrap_or_default();
    let pitch = ROW_HEIGHT_POINTS + 1.0;
    let all = rows_of(items);
    let own = all.iter().position(|it| *it == id).unwrap_or_default();
    if row.dragged() {
        let top = row.rect.top() - own as f32 * pitch;
        // The last row adds a source.
        let bottom = top + all.len() as f32 * pitch + ROW_HEIGHT_POINTS;
        drop_line::scroll_at_edge(ui, pointer, (top, bottom));
    }
    let rows = (pointer.y - row.rect.center().y) / pitch;
    let Some(place) = drop_place(items, id, rows, wanted) else { return };
    if row.drag_stopped() {
        let edit = commands::moving(view.snapshot, id, place.group, place.to);
        return view.send(Command::Edit(edit));
    }
    let y = row.rect.top() + (place.rows_above as f32 - own as f32) * pitch - 0.5;
    let whole = row.rect.with_max_x(row.rect.right() + BUTTONS_WIDTH_POINTS);
    drop_line::between_rows(ui, view, whole.with_min_x(whole.left() + indent(place.depth)), y);
}

/// Returns the items between two rows of the list, the last one as the main one.
fn between(view: &View<'_>, from: Option<ItemId>, to: ItemId) -> Vec<ItemId> {
    fn walk(items: &[Item], rows: &mut Vec<ItemId>) {
        for item in items.iter().rev() {
            rows.push(item.id);
            walk(item.members(), rows);
        }
    }
    let mut rows = Vec::new();
    let collection = &view.snapshot.scenes.collection;
    if let Some(scene) = collection.scene(edited(view.snapshot)) {
        walk(&scene.items, &mut rows);
    }
    let place = |id: ItemId| rows.iter().position(|row| *row == id);
    let (Some(from), Some(to)) = (from.and_then(place), place(to)) else { return vec![to] };
    let range = rows.get(from.min(to)..=from.max(to)).unwrap_or_default();
    if from <= to { range.to_vec() } else { range.iter().rev().copied().collect() }
}

fn pressed(ui: &Ui, key: Key) -> bool {
    ui.input_mut(|input| input.consume_key(Modifiers::NONE, key))
}
