//! The context menus of items and scenes, which the lists and the canvas share.

use egui::{Popup, PopupCloseBehavior, Response, Ui};

use crate::compose::filter::MAX_FILTERS;
use crate::compose::scene::{Content, Item, Scene, SceneId, SourceId};
use crate::studio::settings::ProjectorContent;
use crate::studio::{Command, Edit};
use crate::ui::input::actions::{Action, key};
use crate::ui::input::possible::ImpossibleReason;
use crate::ui::scenes::draft::{Draft, chosen, edited, name_of};
use crate::ui::scenes::{clipboard, commands};
use crate::ui::studio_page::projectors;
use crate::ui::view::{View, WindowRequest};
use crate::ui::widgets::{
    MENU_WIDTH, command_item, context_menu, menu_frame, menu_item, menu_lines, menu_rule,
    return_focus, submenu,
};

/// A command with the key of its name in a menu.
type NamedAction = (Action, &'static str);

/// The commands that place, turn and flip items.
const TRANSFORM: [NamedAction; 11] = [
    (Action::ItemFit, key!("item-fit")),
    (Action::ItemFill, key!("item-fill")),
    (Action::ItemStretch, key!("item-stretch")),
    (Action::ItemCenter, key!("item-center")),
    (Action::ItemOriginalSize, key!("item-original")),
    (Action::ItemFlipX, key!("item-flip-x")),
    (Action::ItemFlipY, key!("item-flip-y")),
    (Action::ItemRotate, key!("item-rotate")),
    (Action::ItemReset, key!("item-reset")),
    (Action::CopyTransform, key!("item-copy-transform")),
    (Action::PasteTransform, key!("item-paste-transform")),
];

/// The commands that align several items with each other, or a single one with the program.
const ALIGN: [NamedAction; 6] = [
    (Action::AlignLeft, key!("align-left")),
    (Action::AlignCenter, key!("align-center")),
    (Action::AlignRight, key!("align-right")),
    (Action::AlignTop, key!("align-top")),
    (Action::AlignMiddle, key!("align-middle")),
    (Action::AlignBottom, key!("align-bottom")),
];

/// The commands that move an item among its siblings.
const ORDER: [NamedAction; 4] = [
    (Action::ItemUp, key!("item-up")),
    (Action::ItemDown, key!("item-down")),
    (Action::ItemTop, key!("item-top")),
    (Action::ItemBottom, key!("item-bottom")),
];

/// The commands for a scene.
const SCENE: [NamedAction; 7] = [
    (Action::SceneRename, key!("scene-rename")),
    (Action::SceneDuplicate, key!("scene-duplicate")),
    (Action::SceneTransition, key!("scene-transition")),
    (Action::SceneFilters, key!("scene-filters")),
    (Action::SceneUp, key!("scene-up")),
    (Action::SceneDown, key!("scene-down")),
    (Action::SceneRemove, key!("scene-remove")),
];

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
    return_focus(response);
    // A line closes the menu itself, unless it opens another list in its place.
    let menu = Popup::menu(response).close_behavior(PopupCloseBehavior::CloseOnClickOutside);
    menu.width(MENU_WIDTH).frame(frame).show(|ui| menu_lines(ui, |ui| list(ui, view)));
}

/// Draws a line that closes the menu. Returns true if the line was pressed.
pub fn line(ui: &mut Ui, view: &View<'_>, text: &str, enabled: bool) -> bool {
    let pressed = menu_item(ui, view.theme, text, "", false, enabled);
    if pressed {
        ui.close();
    }
    pressed
}

/// Draws the line of a command, which closes the menu. Returns true if the line was pressed.
fn command(
    ui: &mut Ui,
    view: &View<'_>,
    action: Action,
    text: &str,
    why_not: Option<ImpossibleReason>,
) -> bool {
    let why_not = why_not.map(|why| why.say(view.texts));
    let pressed = command_item(ui, view.theme, action, text, "", false, why_not.as_deref());
    if pressed {
        ui.close();
    }
    pressed
}

/// Draws the lines of commands for these items.
fn lines(
    ui: &mut Ui,
    view: &mut View<'_>,
    draft: &mut Draft,
    items: &[&Item],
    all: &[NamedAction],
) {
    for &(action, name) in all {
        let why_not = commands::why_not_with(view.snapshot, draft, items, action);
        if command(ui, view, action, &view.texts.get(name), why_not) {
            commands::act_on(ui.ctx(), view, draft, items, action);
        }
    }
}

/// Draws the line that pastes the copied items into a scene.
fn paste(ui: &mut Ui, view: &mut View<'_>, draft: &mut Draft, scene: SceneId) {
    let why_not = commands::why_not(view.snapshot, draft, Action::Paste);
    if command(ui, view, Action::Paste, &view.texts.get("item-paste"), why_not) {
        clipboard::paste(view, draft, scene);
    }
}

/// Draws the commands for several items.
fn several(ui: &mut Ui, view: &mut View<'_>, draft: &mut Draft, item: &Item) {
    let (theme, texts) = (view.theme, view.texts);
    let mut items = chosen(view.snapshot, draft);
    // The clicked item decides whether all items are hidden or shown, locked or unlocked.
    items.sort_by_key(|it| it.id != item.id);
    submenu(ui, theme, &texts.get("item-align"), |ui| lines(ui, view, draft, &items, &ALIGN));
    submenu(ui, theme, &texts.get("item-transform"), |ui| {
        lines(ui, view, draft, &items, &TRANSFORM);
    });
    menu_rule(ui, theme);
    let hide = if item.hidden { key!("items-show") } else { key!("items-hide") };
    let lock = if item.locked { key!("items-unlock") } else { key!("items-lock") };
    lines(ui, view, draft, &items, &[(Action::ShowHide, hide), (Action::Lock, lock)]);
    copying(ui, view, draft, &items);
    let changes = [
        (Action::Duplicate, key!("items-duplicate")),
        (Action::Group, key!("items-group")),
        (Action::Delete, key!("items-remove")),
    ];
    lines(ui, view, draft, &items, &changes);
}

/// Draws the commands for an item. If the item is selected, they apply to all selected items.
pub fn item(ui: &mut Ui, view: &mut View<'_>, draft: &mut Draft, item: &Item) {
    if draft.is_chosen(item.id) && chosen(view.snapshot, draft).len() > 1 {
        return several(ui, view, draft, item);
    }
    let (theme, texts, items) = (view.theme, view.texts, [item]);
    if line(ui, view, &texts.get("item-inspector"), true) {
        draft.settings = Some(item.id);
    }
    let filters_key = match item.content {
        Content::Scene(_) => key!("item-filters-of-scene"),
        Content::Source(_) | Content::Group(_) => key!("item-filters"),
    };
    if command(ui, view, Action::Filters, &texts.get(filters_key), None) {
        draft.choose(Some(item.id));
        draft.show_filters(item.filtered());
    }
    where_possible(ui, view, draft, item, (Action::ItemInteract, key!("item-interact")));
    let names = [(Action::ItemRename, key!("item-rename")), (Action::Delete, key!("item-remove"))];
    lines(ui, view, draft, &items, &names);
    menu_rule(ui, theme);
    submenu(ui, theme, &texts.get("item-transform"), |ui| {
        lines(ui, view, draft, &items, &TRANSFORM);
    });
    submenu(ui, theme, &texts.get("item-align"), |ui| lines(ui, view, draft, &items, &ALIGN));
    submenu(ui, theme, &texts.get("item-order"), |ui| order(ui, view, draft, item));
    menu_rule(ui, theme);
    copying(ui, view, draft, &items);
    filters(ui, view, draft, item.filtered());
    lines(ui, view, draft, &items, &[(Action::Duplicate, key!("item-duplicate"))]);
    where_possible(ui, view, draft, item, (Action::DuplicateSource, key!("item-duplicate-source")));
    let group = match item.content {
        Content::Group(_) => (Action::Ungroup, key!("item-ungroup")),
        _ => (Action::Group, key!("item-group")),
    };
    lines(ui, view, draft, &items, &[group]);
    if let Content::Source(source) = item.content {
        menu_rule(ui, theme);
        submenu(ui, theme, &texts.get("item-projector"), |ui| {
            projectors::menu::lines(ui, view, &draft.displays, ProjectorContent::Source(source));
        });
    }
}

/// Draws the line of a command that makes sense only for some kinds of items.
fn where_possible(
    ui: &mut Ui,
    view: &mut View<'_>,
    draft: &mut Draft,
    item: &Item,
    named: NamedAction,
) {
    if commands::why_not_on(view.snapshot, &[item], named.0).is_none() {
        lines(ui, view, draft, &[item], &[named]);
    }
}

/// Draws copy, cut and paste.
fn copying(ui: &mut Ui, view: &mut View<'_>, draft: &mut Draft, items: &[&Item]) {
    let copies = [(Action::Copy, key!("item-copy")), (Action::Cut, key!("item-cut"))];
    lines(ui, view, draft, items, &copies);
    paste(ui, view, draft, edited(view.snapshot));
}

/// Draws the lines that copy the filters of a source, scene or group, and paste copied filters after its own.
fn filters(ui: &mut Ui, view: &mut View<'_>, draft: &mut Draft, source: SourceId) {
    let (texts, snapshot) = (view.texts, view.snapshot);
    let own = snapshot.scenes.collection.filters(source);
    if !own.is_empty() && line(ui, view, &texts.get("filters-copy"), true) {
        draft.copied_filters = own.to_vec();
    }
    let copied = draft.copied_filters.as_slice();
    let fits = own.len() + copied.len() <= MAX_FILTERS;
    if !copied.is_empty() && line(ui, view, &texts.get("filters-paste"), fits) {
        let all = [own, copied].concat();
        view.send(Command::Edit(Edit::SetFilters(source, all)));
    }
}

/// Draws the commands for the empty area of the canvas.
pub fn empty(ui: &mut Ui, view: &mut View<'_>, draft: &mut Draft) {
    let texts = view.texts;
    if command(ui, view, Action::AddSource, &texts.get("source-add-row"), None) {
        draft.add_source();
    }
    paste(ui, view, draft, edited(view.snapshot));
    menu_rule(ui, view.theme);
    let preview = draft.studio_mode.then_some(ProjectorContent::Preview);
    let shows = preview.into_iter().chain([ProjectorContent::Program, ProjectorContent::Multiview]);
    for shows in shows {
        projectors::menu::lines(ui, view, &draft.displays, shows);
    }
    menu_rule(ui, view.theme);
    for action in [Action::ZoomIn, Action::ZoomOut, Action::ZoomActual, Action::ZoomFit] {
        let why_not = commands::why_not(view.snapshot, draft, action);
        if command(ui, view, action, &texts.get(action.key()), why_not) {
            view.request(WindowRequest::Act(action));
        }
    }
    let (action, shown) = (Action::SafeAreas, draft.safe_areas);
    if command_item(ui, view.theme, action, &texts.get(action.key()), "", shown, None) {
        ui.close();
        view.request(WindowRequest::Act(action));
    }
}

fn order(ui: &mut Ui, view: &mut View<'_>, draft: &mut Draft, item: &Item) {
    lines(ui, view, draft, &[item], &ORDER);
    for (nth, (group, into)) in commands::moving_in(view.snapshot, item.id).into_iter().enumerate()
    {
        let name = name_of(view, group);
        let text = view.texts.with("item-into", &[("name", name.into())]);
        // The command moves the item into the first of these groups.
        let pressed = match nth {
            0 => command(ui, view, Action::ItemIntoGroup, &text, None),
            _ => line(ui, view, &text, true),
        };
        if pressed {
            view.send(Command::Edit(into));
        }
    }
    where_possible(ui, view, draft, item, (Action::ItemOutOfGroup, key!("item-out")));
}

/// Draws the commands for a scene.
pub fn scene(ui: &mut Ui, view: &mut View<'_>, draft: &mut Draft, scene: &Scene) {
    let texts = view.texts;
    for (action, name) in SCENE {
        let why_not = commands::why_not_on_scene(view.snapshot, scene.id, action);
        if command(ui, view, action, &texts.get(name), why_not) {
            commands::act_on_scene(view, draft, scene.id, action);
        }
    }
    paste(ui, view, draft, scene.id);
    filters(ui, view, draft, SourceId::of_scene(scene.id));
    menu_rule(ui, view.theme);
    if command(ui, view, Action::ImportScenes, &texts.get("scenes-import"), None) {
        view.request(WindowRequest::PickScenes);
    }
    if view.snapshot.parts.is_kept && line(ui, view, &texts.get("scenes-add"), true) {
        view.request(WindowRequest::PickMoreScenes);
    }
    if command(ui, view, Action::ExportScenes, &texts.get("scenes-export"), None) {
        view.request(WindowRequest::SaveScenes);
    }
}
