//! The lists of the left panel: scenes above, below them what the chosen scene shows, the topmost
//! first.

use egui::{
    Align, Color32, CornerRadius, Key, Layout, Modifiers, Rect, Response, Role, Sense, TextEdit,
    Ui, UiBuilder, Vec2, WidgetInfo, pos2, vec2,
};

use crate::compose::scene::{Content, Item, ItemId, Scene};
use crate::compose::transition::Transition;
use crate::studio::live::view::LiveState;
use crate::studio::scenes::MAIN;
use crate::studio::snapshot::SourceState;
use crate::studio::{Collection, Command, Edit};
use crate::ui::input::actions::key;
use crate::ui::input::hotkeys::accept_letters;
use crate::ui::scenes::draft::{Draft, Named, Whose, each, edited, icon_of, name_of};
use crate::ui::scenes::transition::TransitionChoice;
use crate::ui::scenes::{add_source, menu};
use crate::ui::style::icons;
use crate::ui::style::icons::Icon;
use crate::ui::style::theme::{RADIUS, Type, gap};
use crate::ui::view::View;
use crate::ui::widgets::{ButtonWeight, elided, focus_ring, icon_button, section};

/// Height of a line.
const LINE: f32 = 28.0;

/// Both lists.
pub fn show(ui: &mut Ui, view: &mut View<'_>, draft: &mut Draft) {
    scenes(ui, view, draft);
    ui.add_space(gap::M);
    items(ui, view, draft);
}

fn heading(
    ui: &mut Ui,
    view: &mut View<'_>,
    text: &str,
    buttons: impl FnOnce(&mut Ui, &mut View<'_>),
) {
    let size = vec2(ui.available_width(), 24.0);
    ui.allocate_ui_with_layout(size, Layout::right_to_left(Align::Center), |ui| {
        buttons(ui, view);
        ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
            section(ui, view.theme, text);
        });
    });
    ui.add_space(2.0);
}

fn scenes(ui: &mut Ui, view: &mut View<'_>, draft: &mut Draft) {
    let texts = view.texts;
    let snapshot = view.snapshot;
    let collection = &snapshot.scenes.collection;
    heading(ui, view, &texts.get("scenes"), |ui, view| {
        let name = texts.get("scene-add");
        if icon_button(ui, view.theme, Icon::Plus, &name, 24.0, ButtonWeight::Quiet).clicked() {
            let name = texts.get("scene-new").to_string();
            view.send(Command::Edit(Edit::AddScene(name)));
        }
        let (name, icon) = (texts.get("transition"), Icon::ChevronDown);
        let button = icon_button(ui, view.theme, icon, &name, 24.0, ButtonWeight::Quiet);
        menu::below(&button, view, |ui, view| transitions(ui, view, draft));
    });
    for scene in &collection.scenes {
        if naming(ui, view, draft, Named::Scene(scene.id)) {
            continue;
        }
        let current = scene.id == collection.current;
        let prepared = snapshot.scenes.prepared == Some(scene.id);
        let on_air = current && matches!(snapshot.live, LiveState::OnAir);
        let lamp = if on_air {
            Some(view.theme.live)
        } else if prepared {
            Some(view.theme.good)
        } else {
            None
        };
        let row = line(ui, view, Icon::Film, &scene.name, current || prepared, lamp, 0.0);
        scene_pressed(ui, view, draft, scene, &row);
        menu::context(&row, view, |ui, view| menu::scene(ui, view, draft, scene));
    }
    if snapshot.scenes.prepared.is_some() {
        ui.add_space(gap::XS);
        let text = texts.get("transition-now");
        let button = crate::ui::widgets::Button::new(&text).small();
        if button.show(ui, view.theme).clicked() {
            view.send(Command::Transition);
        }
    }
}

fn scene_pressed(ui: &Ui, view: &mut View<'_>, draft: &mut Draft, scene: &Scene, row: &Response) {
    if row.double_clicked() || (row.has_focus() && pressed(ui, Key::F2)) {
        draft.naming = Some((Named::Scene(scene.id), scene.name.clone()));
    } else if row.clicked() {
        view.send(if draft.studio_mode {
            Command::PrepareScene(Some(scene.id))
        } else {
            Command::SwitchScene(scene.id)
        });
        draft.choose(None);
    }
    if row.has_focus() && pressed(ui, Key::Delete) {
        view.send(Command::Edit(Edit::RemoveScene(scene.id)));
    }
}

/// The transitions, their length, and studio mode.
fn transitions(ui: &mut Ui, view: &mut View<'_>, draft: &mut Draft) {
    use crate::ui::widgets::{menu_item, menu_rule};
    let texts = view.texts;
    let now = view.snapshot.scenes.collection.transition.clone();
    let chosen = TransitionChoice::of(&now.kind);
    for way in TransitionChoice::ALL {
        if menu_item(ui, view.theme, &texts.get(way.name()), "", way == chosen, true) {
            // What needs options has them shown at once.
            if way.asks() {
                draft.transition = Some(Whose::Every);
            }
            if way != chosen {
                let kind = way.kind(&now.kind);
                view.send(Command::Edit(Edit::SetTransition(Transition { kind, ..now.clone() })));
            }
            ui.close();
        }
    }
    if menu_item(ui, view.theme, &texts.get("transition-options"), "", false, true) {
        draft.transition = Some(Whose::Every);
        ui.close();
    }
    menu_rule(ui, view.theme);
    if menu_item(ui, view.theme, &texts.get("studio-mode"), "", draft.studio_mode, true) {
        draft.studio_mode = !draft.studio_mode;
        let current = view.snapshot.scenes.collection.current;
        view.send(Command::PrepareScene(draft.studio_mode.then_some(current)));
        ui.close();
    }
}

fn items(ui: &mut Ui, view: &mut View<'_>, draft: &mut Draft) {
    let texts = view.texts;
    let collection = std::sync::Arc::clone(&view.snapshot.scenes.collection);
    let scene = edited(view.snapshot);
    heading(ui, view, &texts.get("sources"), |ui, view| {
        let name = texts.get("source-add");
        let button = icon_button(ui, view.theme, Icon::Plus, &name, 24.0, ButtonWeight::Quiet);
        if button.clicked() {
            draft.adding = None;
        }
        menu::below(&button, view, |ui, view| add_source::list(ui, view, draft, scene));
    });
    let items = collection.scene(scene).map(|scene| scene.items.as_slice()).unwrap_or_default();
    if items.is_empty() {
        let text = texts.get("scene-empty");
        crate::ui::widgets::paragraph(ui, &text, Type::Small, view.theme.secondary);
    }
    branch(ui, view, draft, items, 0);
}

/// Items of a scene or group, the topmost first.
fn branch(ui: &mut Ui, view: &mut View<'_>, draft: &mut Draft, items: &[Item], depth: u32) {
    for (index, item) in items.iter().enumerate().rev() {
        if !naming(ui, view, draft, Named::Item(item.id)) {
            item_row(ui, view, draft, (items, index), depth);
        }
        branch(ui, view, draft, item.members(), depth + 1);
    }
}

fn item_row(
    ui: &mut Ui,
    view: &mut View<'_>,
    draft: &mut Draft,
    (items, index): (&[Item], usize),
    depth: u32,
) {
    let Some(item) = items.get(index) else { return };
    let name = name_of(view, item);
    let bad = match item.content {
        Content::Source(id) => view.snapshot.scenes.source(id).is_some_and(|source| {
            matches!(source.state, SourceState::Lost | SourceState::Failed | SourceState::Stalled)
                || !source.left_out.is_empty()
                || !source.filters_lack.is_empty()
        }),
        _ => false,
    };
    let lamp = bad.then_some(view.theme.warn);
    let indent = depth.min(4) as f32 * 12.0;
    let selected = draft.is_chosen(item.id);
    // What is done to one of several that are selected is done to all of them.
    let all = if selected { draft.chosen() } else { vec![item.id] };
    let room = ui.available_rect_before_wrap();
    let top = ui.cursor().top();
    // The row ends where its two buttons begin.
    let row_rect = Rect::from_min_size(pos2(room.left(), top), vec2(room.width() - 52.0, LINE));
    let mut left = ui.new_child(UiBuilder::new().max_rect(row_rect).id_salt(("item", item.id.0)));
    let row = line(&mut left, view, icon_of(item), &name, selected, lamp, indent);
    let buttons = Rect::from_min_size(pos2(row_rect.right(), top + 2.0), vec2(52.0, 24.0));
    let layout = Layout::left_to_right(Align::Center);
    let salt = ("item-buttons", item.id.0);
    let mut right = ui.new_child(UiBuilder::new().max_rect(buttons).layout(layout).id_salt(salt));
    right.spacing_mut().item_spacing.x = 2.0;
    let (eye, text) = if item.hidden {
        (Icon::EyeOff, key!("item-show"))
    } else {
        (Icon::Eye, key!("item-hide"))
    };
    let text = view.texts.with(text, &[("name", name.as_str().into())]);
    if icon_button(&mut right, view.theme, eye, &text, 24.0, ButtonWeight::Quiet).clicked() {
        each(view, &all, |id| Edit::HideItem(id, !item.hidden));
    }
    let (lock, text) = if item.locked {
        (Icon::Lock, key!("item-unlock"))
    } else {
        (Icon::Unlock, key!("item-lock"))
    };
    let text = view.texts.with(text, &[("name", name.as_str().into())]);
    if icon_button(&mut right, view.theme, lock, &text, 24.0, ButtonWeight::Quiet).clicked() {
        each(view, &all, |id| Edit::LockItem(id, !item.locked));
    }
    ui.advance_cursor_after_rect(Rect::from_min_size(
        pos2(room.left(), top),
        vec2(room.width(), LINE),
    ));

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
            draft.naming = Some((Named::Item(item.id), name.clone()));
        }
        if pressed(ui, Key::Delete) {
            each(view, &all, Edit::RemoveItem);
        }
        let alt = |key| ui.input_mut(|input| input.consume_key(Modifiers::ALT, key));
        if alt(Key::ArrowUp) && index + 1 < items.len() {
            view.send(Command::Edit(Edit::MoveItem(item.id, index + 1)));
        }
        if alt(Key::ArrowDown) && index > 0 {
            view.send(Command::Edit(Edit::MoveItem(item.id, index - 1)));
        }
    }
    if row.drag_stopped()
        && let Some(pointer) = ui.ctx().pointer_latest_pos()
    {
        let rows = ((pointer.y - row_rect.center().y) / (LINE + 2.0)).round() as i64;
        let to = dropped(items, index, rows);
        if to != index {
            view.send(Command::Edit(Edit::MoveItem(item.id, to)));
        }
    }
    menu::context(&row, view, |ui, view| menu::item(ui, view, draft, item));
}

/// The place among its like of an item that was dragged this many rows down, or up where it is
/// negative. Rows go down, the order of drawing goes up; members stand in rows below their group.
fn dropped(items: &[Item], index: usize, rows: i64) -> usize {
    fn rows_of(items: &[Item]) -> i64 {
        items.iter().map(|item| 1 + rows_of(item.members())).sum()
    }
    let own = items.get(index).map_or(0, |item| rows_of(item.members()));
    let mut left = if rows > 0 { (rows - own).max(0) } else { -rows };
    let mut to = index;
    loop {
        let next = if rows > 0 { to.checked_sub(1) } else { Some(to + 1) };
        let Some((next, passed)) = next.and_then(|next| Some((next, items.get(next)?))) else {
            break;
        };
        let passed = rows_of(std::slice::from_ref(passed));
        // Past its middle.
        if left * 2 < passed + 1 {
            break;
        }
        (to, left) = (next, left - passed);
    }
    to
}

/// The items from one row of the list to another, the last one foremost.
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

/// One line of a list.
fn line(
    ui: &mut Ui,
    view: &View<'_>,
    icon: Icon,
    title: &str,
    chosen: bool,
    lamp: Option<Color32>,
    indent: f32,
) -> Response {
    let theme = view.theme;
    let size = vec2(ui.available_width(), LINE);
    let (rect, response) = ui.allocate_exact_size(size, Sense::click_and_drag());
    response
        .widget_info(|| WidgetInfo::selected(Role::RadioButton, ui.is_enabled(), chosen, title));
    let fill = match (chosen, response.hovered() || response.dragged()) {
        (true, _) => theme.raised,
        (false, true) => theme.hover,
        (false, false) => Color32::TRANSPARENT,
    };
    ui.painter().rect_filled(rect, CornerRadius::same(RADIUS), fill);
    let at = pos2(rect.left() + 16.0 + indent, rect.center().y);
    let color = if chosen { theme.text } else { theme.secondary };
    icons::paint(ui.painter(), icon, Rect::from_center_size(at, Vec2::splat(16.0)), color);
    let mut words = Rect::from_min_max(pos2(at.x + 16.0, rect.top()), rect.max - vec2(6.0, 0.0));
    if let Some(lamp) = lamp {
        ui.painter().circle_filled(pos2(rect.right() - 12.0, rect.center().y), 4.0, lamp);
        words.max.x -= 14.0;
    }
    elided(ui, words, Align::Min, title, Type::Body.font(), theme.text);
    focus_ring(ui, theme, &response, RADIUS);
    accept_letters(&response);
    response
}

/// A field in the place of the line whose name is being typed; tells whether it is.
fn naming(ui: &mut Ui, view: &mut View<'_>, draft: &mut Draft, what: Named) -> bool {
    let Some((named, text)) = draft.naming.as_mut().filter(|(named, _)| *named == what) else {
        return false;
    };
    let field = ui.add(
        TextEdit::singleline(text)
            .char_limit(crate::studio::scenes::MAX_NAME)
            .desired_width(f32::INFINITY),
    );
    let field = field.accessible_name(&*view.texts.get("scene-name"));
    let cancelled = ui.input(|input| input.key_pressed(Key::Escape));
    if field.lost_focus() {
        let text = std::mem::take(text);
        if !cancelled {
            view.send(Command::Edit(match named {
                Named::Scene(id) => Edit::RenameScene(*id, text),
                Named::Item(id) => renamed(&view.snapshot.scenes.collection, *id, text),
            }));
        }
        draft.naming = None;
    } else if !field.has_focus() {
        field.request_focus();
    }
    true
}

/// An item gets a name. The only one that shows a source of its own stands for that: the source is
/// renamed, so that whatever is said of it calls it so. One of several has a name besides.
fn renamed(collection: &Collection, id: ItemId, name: String) -> Edit {
    let own = Edit::RenameItem(id, name.clone());
    let Some(item) = collection.item(id) else { return own };
    let Content::Source(source) = item.content else { return own };
    let mut shown = 0;
    collection.each(|it| shown += usize::from(it.content == item.content));
    if source == MAIN || shown > 1 || name.trim().is_empty() {
        return own;
    }
    let rename = Edit::RenameSource(source, name);
    if item.name.is_empty() {
        return rename;
    }
    // Else the name that it had itself would stay.
    Edit::Several(vec![rename, Edit::RenameItem(id, String::new())])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn renaming_the_only_item_of_a_source_renames_the_source() {
        let mut it = Collection::default();
        let scene = it.current;
        let choice = crate::capture::VideoChoice::Test;
        assert!(it.apply(&Edit::AddSource { scene, name: "Test pattern".into(), choice }));
        let (main, id, source) = (ItemId(1), ItemId(2), crate::compose::scene::SourceId(1));
        let rename = |it: &mut Collection, id, name: &str| {
            let edit = renamed(it, id, name.into());
            assert!(it.apply(&edit), "{edit:?}");
        };
        rename(&mut it, id, "Guest");
        assert_eq!((it.source_name(source), &*it.item(id).unwrap().name), ("Guest", ""));
        // The chosen picture has no name: its item has.
        rename(&mut it, main, "Me");
        assert_eq!(it.item(main).unwrap().name, "Me");
        // Shown twice, each has a name of its own, and none is that of the source.
        assert!(it.apply(&Edit::ShowSource { scene, source }));
        rename(&mut it, ItemId(3), "Guest, small");
        assert_eq!(
            (it.source_name(source), &*it.item(ItemId(3)).unwrap().name),
            ("Guest", "Guest, small")
        );
        rename(&mut it, id, "Guest, large");
        assert!(it.apply(&Edit::RemoveItem(ItemId(3))));
        // Alone again, the item has the name of its source.
        rename(&mut it, id, "Ada");
        assert_eq!((it.source_name(source), &*it.item(id).unwrap().name), ("Ada", ""));
    }

    #[test]
    fn what_is_dragged_over_a_group_passes_it_whole() {
        let item = |content| Item::new(ItemId(0), content);
        let plain = || item(Content::Source(crate::studio::scenes::MAIN));
        let group = item(Content::Group(vec![plain(), plain(), plain()]));
        // From above: the third, the group and its three members, the first.
        let items = [plain(), group, plain()];
        for (index, rows, to) in [
            (2, 0, 2),
            (2, 1, 2),
            (2, 3, 1),
            (2, 4, 1),
            (2, 5, 0),
            (2, 99, 0),
            (0, -1, 0),
            (0, -4, 1),
            (0, -5, 2),
            (0, -99, 2),
            // Over its own members a group stays where it is.
            (1, 3, 1),
            (1, 4, 0),
            (1, -1, 2),
        ] {
            assert_eq!(dropped(&items, index, rows), to, "{index} by {rows}");
        }
        assert_eq!(dropped(&[], 0, 1), 0);
    }
}
