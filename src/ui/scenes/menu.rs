//! The context menus of items and scenes, which the lists and the canvas share.

use egui::{Popup, PopupCloseBehavior, Response, Ui};

use crate::compose::scene::{Content, Fit, Item, ItemId, Placement, Scene};
use crate::studio::scenes::MAIN_SOURCE;
use crate::studio::settings::ProjectorContent;
use crate::studio::{Command, Edit};
use crate::ui::input::actions::{Action, key};
use crate::ui::scenes::clipboard;
use crate::ui::scenes::commands::{self, group_with_below, place_among};
use crate::ui::scenes::draft::{Draft, Named, Whose, each, edited, name_of, natural};
use crate::ui::scenes::placement;
use crate::ui::scenes::placement::AlignTo;
use crate::ui::studio_page::projectors;
use crate::ui::view::{View, WindowRequest};
use crate::ui::widgets::{
    MENU_WIDTH, context_menu, menu_area, menu_frame, menu_item, menu_lines, menu_rule, submenu,
};

/// Opens the context menu of `response` after a secondary click or the menu key; see
/// [`context_menu`].
pub fn context(
    response: &Response,
    view: &mut View<'_>,
    list: impl FnOnce(&mut Ui, &mut View<'_>),
) {
    context_menu(response, view.theme, |ui| list(ui, view));
}

/// Opens a menu below a button.
pub fn below(response: &Response, view: &mut View<'_>, list: impl FnOnce(&mut Ui, &mut View<'_>)) {
    let frame = menu_frame(&response.ctx, view.theme);
    // A line closes the menu itself, unless it opens another list in its place.
    let menu = Popup::menu(response).close_behavior(PopupCloseBehavior::CloseOnClickOutside);
    menu.width(MENU_WIDTH).frame(frame).show(|ui| menu_lines(ui, |ui| list(ui, view)));
}

/// Draws a line that closes the menu. Returns true if the line was pressed.
pub(super) fn line(ui: &mut Ui, view: &View<'_>, text: &str, enabled: bool) -> bool {
    let pressed = menu_item(ui, view.theme, text, "", false, enabled);
    if pressed {
        ui.close();
    }
    pressed
}

fn edit(view: &mut View<'_>, edit: Edit) {
    view.send(Command::Edit(edit));
}

/// Draws the commands that align several items with each other, or a single one with the program.
fn in_line(ui: &mut Ui, view: &mut View<'_>, items: &[&Item], enabled: bool) {
    let texts = view.texts;
    for (name, to) in [
        (key!("align-left"), AlignTo::Left),
        (key!("align-center"), AlignTo::Center),
        (key!("align-right"), AlignTo::Right),
        (key!("align-top"), AlignTo::Top),
        (key!("align-middle"), AlignTo::Middle),
        (key!("align-bottom"), AlignTo::Bottom),
    ] {
        if line(ui, view, &texts.get(name), enabled) {
            commands::align(view, items, to);
        }
    }
}

/// Draws the commands for several items.
fn several(ui: &mut Ui, view: &mut View<'_>, draft: &mut Draft, item: &Item) {
    let (texts, ids) = (view.texts, draft.chosen());
    let collection = std::sync::Arc::clone(&view.snapshot.scenes.collection);
    let chosen = ids.iter().filter_map(|id| collection.item(*id));
    let free: Vec<&Item> = chosen.filter(|item| !item.locked).collect();
    submenu(ui, view.theme, &texts.get("item-align"), |ui| {
        in_line(ui, view, &free, free.len() > 1);
    });
    menu_rule(ui, view.theme);
    let hide = if item.hidden { key!("items-show") } else { key!("items-hide") };
    if line(ui, view, &texts.get(hide), true) {
        each(view, &ids, |id| Edit::HideItem(id, !item.hidden));
    }
    let lock = if item.locked { key!("items-unlock") } else { key!("items-lock") };
    if line(ui, view, &texts.get(lock), true) {
        each(view, &ids, |id| Edit::LockItem(id, !item.locked));
    }
    copying(ui, view, draft, &ids);
    if line(ui, view, &texts.get("items-duplicate"), true) {
        clipboard::duplicate(view, draft, &ids);
    }
    if line(ui, view, &texts.get("items-group"), true) {
        edit(view, Edit::Group(ids.clone()));
        draft.choose(None);
    }
    if line(ui, view, &texts.get("items-remove"), true) {
        each(view, &ids, Edit::RemoveItem);
        draft.choose(None);
    }
}

/// Draws the commands for an item. If the item is selected, they apply to all selected items.
pub fn item(ui: &mut Ui, view: &mut View<'_>, draft: &mut Draft, item: &Item) {
    if draft.is_chosen(item.id) && draft.chosen().len() > 1 {
        return several(ui, view, draft, item);
    }
    menu_area(ui, "item").show(ui, |ui| alone(ui, view, draft, item));
}

fn alone(ui: &mut Ui, view: &mut View<'_>, draft: &mut Draft, item: &Item) {
    let texts = view.texts;
    let id = item.id;
    if line(ui, view, &texts.get("item-inspector"), true) {
        draft.settings = Some(id);
    }
    if let Content::Source(source) = item.content
        && line(ui, view, &texts.get("item-filters"), true)
    {
        draft.show_filters(source);
    }
    if line(ui, view, &texts.get("item-rename"), true) {
        draft.rename(Named::Item(id), name_of(view, item));
    }
    if line(ui, view, &texts.get("item-remove"), true) {
        edit(view, Edit::RemoveItem(id));
    }
    menu_rule(ui, view.theme);
    submenu(ui, view.theme, &texts.get("item-transform"), |ui| transform(ui, view, item));
    submenu(ui, view.theme, &texts.get("item-align"), |ui| {
        in_line(ui, view, &[item], !item.locked);
    });
    submenu(ui, view.theme, &texts.get("item-order"), |ui| order(ui, view, id));
    menu_rule(ui, view.theme);
    copying(ui, view, draft, &[id]);
    if line(ui, view, &texts.get("item-duplicate"), true) {
        clipboard::duplicate(view, draft, &[id]);
    }
    if let Content::Source(source) = item.content
        && source != MAIN_SOURCE
        && line(ui, view, &texts.get("item-duplicate-source"), true)
    {
        edit(view, Edit::DuplicateSource(id));
    }
    if matches!(item.content, Content::Group(_)) {
        if line(ui, view, &texts.get("item-ungroup"), true) {
            edit(view, Edit::Ungroup(id, view.snapshot.quality.size));
        }
    } else if line(ui, view, &texts.get("item-group"), true) {
        edit(view, Edit::Group(group_with_below(view, id)));
    }
    if let Content::Source(source) = item.content {
        menu_rule(ui, view.theme);
        submenu(ui, view.theme, &texts.get("item-projector"), |ui| {
            projectors::menu::lines(ui, view, &draft.displays, ProjectorContent::Source(source));
        });
    }
}

/// Draws the commands that place, turn and flip an item.
fn transform(ui: &mut Ui, view: &mut View<'_>, item: &Item) {
    let (texts, place) = (view.texts, item.place);
    let canvas = view.snapshot.quality.size;
    let natural = natural(view.snapshot, item);
    let whole = Placement { x: 0.0, y: 0.0, width: 1.0, height: 1.0, ..place };
    for (name, new) in [
        (key!("item-fill"), Placement { fit: Fit::Contain, rotation: 0.0, ..whole }),
        (key!("item-cover"), Placement { fit: Fit::Cover, rotation: 0.0, ..whole }),
        (key!("item-stretch"), Placement { fit: Fit::Stretch, rotation: 0.0, ..whole }),
        (key!("item-center"), centred(&place)),
        (key!("item-original"), original(&place, natural, canvas)),
        (key!("item-flip-x"), Placement { flip_x: !place.flip_x, ..place }),
        (key!("item-flip-y"), Placement { flip_y: !place.flip_y, ..place }),
        (
            key!("item-rotate"),
            Placement { rotation: (place.rotation + 90.0).rem_euclid(360.0), ..place },
        ),
        (key!("item-reset"), Placement::default()),
    ] {
        if line(ui, view, &texts.get(name), !item.locked) {
            edit(view, Edit::SetPlace(item.id, new));
        }
    }
}

/// Draws copy, cut and paste.
fn copying(ui: &mut Ui, view: &mut View<'_>, draft: &mut Draft, ids: &[ItemId]) {
    let texts = view.texts;
    if line(ui, view, &texts.get("item-copy"), true) {
        clipboard::copy(ui.ctx(), view, draft, ids);
    }
    if line(ui, view, &texts.get("item-cut"), true) {
        clipboard::copy(ui.ctx(), view, draft, ids);
        each(view, ids, Edit::RemoveItem);
    }
    if line(ui, view, &texts.get("item-paste"), clipboard::has(draft)) {
        clipboard::paste(view, draft, edited(view.snapshot));
    }
}

/// Draws the commands for the empty area of the canvas.
pub fn empty(ui: &mut Ui, view: &mut View<'_>, draft: &mut Draft) {
    let texts = view.texts;
    if line(ui, view, &texts.get("source-add-row"), true) {
        draft.add_source();
    }
    if line(ui, view, &texts.get("item-paste"), clipboard::has(draft)) {
        clipboard::paste(view, draft, edited(view.snapshot));
    }
    menu_rule(ui, view.theme);
    let preview = draft.studio_mode.then_some(ProjectorContent::Preview);
    let shows = preview.into_iter().chain([ProjectorContent::Program, ProjectorContent::Multiview]);
    for shows in shows {
        projectors::menu::lines(ui, view, &draft.displays, shows);
    }
    menu_rule(ui, view.theme);
    for action in [Action::ZoomIn, Action::ZoomOut, Action::ZoomActual, Action::ZoomFit] {
        let enabled = action != Action::ZoomFit || !draft.zoom.fits();
        if line(ui, view, &texts.get(action.key()), enabled) {
            view.request(WindowRequest::Act(action));
        }
    }
    let (name, shown) = (texts.get(Action::SafeAreas.key()), draft.safe_areas);
    if menu_item(ui, view.theme, &name, "", shown, true) {
        ui.close();
        view.request(WindowRequest::Act(Action::SafeAreas));
    }
}

fn order(ui: &mut Ui, view: &mut View<'_>, id: ItemId) {
    let texts = view.texts;
    let (index, beside) = place_among(view, id);
    if line(ui, view, &texts.get("item-up"), index + 1 < beside.len()) {
        edit(view, Edit::MoveItem(id, index + 1));
    }
    if line(ui, view, &texts.get("item-down"), index > 0) {
        edit(view, Edit::MoveItem(id, index.saturating_sub(1)));
    }
    let groups: Vec<(String, Edit)> = commands::moving_in(view, id)
        .into_iter()
        .map(|(group, edit)| (name_of(view, group), edit))
        .collect();
    for (name, into) in groups {
        if line(ui, view, &texts.with("item-into", &[("name", name.into())]), true) {
            edit(view, into);
        }
    }
    if let Some(out) = commands::moving_out(view, id)
        && line(ui, view, &texts.get("item-out"), true)
    {
        edit(view, out);
    }
}

fn centred(place: &Placement) -> Placement {
    Placement { x: (1.0 - place.width) / 2.0, y: (1.0 - place.height) / 2.0, ..*place }
}

/// Resets an item to its original size, and keeps its center.
fn original(
    place: &Placement,
    natural: crate::media::Size,
    canvas: crate::media::Size,
) -> Placement {
    let tight = placement::tight(&Placement { fit: Fit::Original, ..*place }, natural, canvas);
    Placement { fit: Fit::Contain, ..tight }
}

/// Draws the commands for a scene.
pub fn scene(ui: &mut Ui, view: &mut View<'_>, draft: &mut Draft, scene: &Scene) {
    let texts = view.texts;
    let scenes = &view.snapshot.scenes.collection.scenes;
    let (index, count) = (scenes.iter().position(|it| it.id == scene.id), scenes.len());
    let index = index.unwrap_or(0);
    if line(ui, view, &texts.get("scene-rename"), true) {
        draft.rename(Named::Scene(scene.id), scene.name.clone());
    }
    if line(ui, view, &texts.get("scene-duplicate"), true) {
        edit(view, Edit::DuplicateScene(scene.id));
    }
    if line(ui, view, &texts.get("scene-transition"), true) {
        draft.transition = Some(Whose::Scene(scene.id));
    }
    if line(ui, view, &texts.get("scene-up"), index > 0) {
        edit(view, Edit::MoveScene(scene.id, index.saturating_sub(1)));
    }
    if line(ui, view, &texts.get("scene-down"), index + 1 < count) {
        edit(view, Edit::MoveScene(scene.id, index + 1));
    }
    if line(ui, view, &texts.get("scene-remove"), count > 1) {
        edit(view, Edit::RemoveScene(scene.id));
    }
    if line(ui, view, &texts.get("item-paste"), clipboard::has(draft)) {
        clipboard::paste(view, draft, scene.id);
    }
    menu_rule(ui, view.theme);
    if line(ui, view, &texts.get("scenes-import"), true) {
        view.request(WindowRequest::PickScenes);
    }
    if line(ui, view, &texts.get("scenes-export"), true) {
        view.request(WindowRequest::SaveScenes);
    }
}
