//! The list of scenes.

use std::sync::Arc;

use egui::{Id, Key, Modifiers, Response, Ui, Vec2, vec2};

use crate::compose::scene::{Scene, SceneId};
use crate::compose::transition::Transition;
use crate::studio::live::view::LiveState;
use crate::studio::{Command, Edit};
use crate::ui::input::actions::Action;
use crate::ui::input::named::show_scene;
use crate::ui::scenes::draft::{Draft, RenamedObject, TransitionScope, edited};
use crate::ui::scenes::kind::RowLamp;
use crate::ui::scenes::left_panel::drop_line;
use crate::ui::scenes::left_panel::heading::heading;
use crate::ui::scenes::left_panel::rename;
use crate::ui::scenes::left_panel::row::{PanelRow, follow_focus, follow_selection};
use crate::ui::scenes::transition::TransitionChoice;
use crate::ui::scenes::{collections, menu};
use crate::ui::studio_page::multiview::{self, SceneThumbnails};
use crate::ui::style::icons::Icon;
use crate::ui::view::View;
use crate::ui::widgets::{
    command_item, focus_by_arrow, icon_button, menu_item, menu_rule, pressed_once,
};

/// Distance between images, in points.
const IMAGE_GAP_POINTS: f32 = 4.0;

/// Returns the number of columns for the images of scenes in a list of this size, and the size of an
/// image.
fn cells(view: &View<'_>, count: usize, room: Vec2) -> (usize, Vec2) {
    let size = view.snapshot.quality.size;
    let shape = size.aspect();
    let cell = |columns: usize| {
        let width = (room.x - IMAGE_GAP_POINTS * (columns as f32 - 1.0)) / columns as f32;
        vec2(width, (width / shape.max(0.5)).round())
    };
    let one = cell(1);
    let high = count as f32 * (one.y + IMAGE_GAP_POINTS);
    if high <= room.y { (1, one) } else { (2, cell(2)) }
}

/// Draws the heading with its buttons.
pub fn head(ui: &mut Ui, view: &mut View<'_>, draft: &mut Draft) {
    let texts = view.texts;
    let snapshot = view.snapshot;
    heading(ui, view, &texts.get("scenes"), |ui, view| {
        if snapshot.parts.is_kept {
            let name = texts.get("collections");
            let icon = Icon::ChevronDown;
            let button = icon_button(ui, view.theme, icon, &name, 24.0);
            menu::below(&button, view, collections::menu);
        }
        let (name, icon) = (texts.get("transition"), Icon::Transition);
        let button = icon_button(ui, view.theme, icon, &name, 24.0);
        menu::below(&button, view, |ui, view| transitions(ui, view, draft));
        let name = texts.get("scene-add");
        if icon_button(ui, view.theme, Icon::Plus, &name, 24.0).clicked() {
            view.send(draft.add_scene(texts, snapshot));
        }
    });
}

/// Draws the scenes in a list that is at most as large as `room`. If the list has a scroll bar, it is
/// beside `room`, so the bar does not change the size of the images.
pub fn list(
    ui: &mut Ui,
    view: &mut View<'_>,
    draft: &mut Draft,
    thumbnails: Option<SceneThumbnails<'_>>,
    room: Vec2,
) {
    let snapshot = view.snapshot;
    let all = &snapshot.scenes.collection.scenes;
    draft.scene_rows.begin(ui, all.iter().map(|scene| u64::from(scene.id.0)).collect());
    let (drawn, columns) = match thumbnails {
        Some(thumbnails) => thumbnail_grid(ui, view, draft, thumbnails, room),
        None => (rows(ui, view, draft), 1),
    };
    let ids: Vec<Id> = drawn.iter().map(|(_, id)| *id).collect();
    focus_by_arrow(ui, &ids, columns);
    follow_focus(ui, "scenes", &ids);
    let selected = drawn.into_iter().find(|(scene, _)| *scene == edited(snapshot));
    follow_selection(ui, "scenes", selected.map(|(_, id)| id));
}

/// Draws the scenes as images. Returns the scenes with the ids of their images, and the number of
/// columns.
fn thumbnail_grid(
    ui: &mut Ui,
    view: &mut View<'_>,
    draft: &mut Draft,
    mut thumbnails: SceneThumbnails<'_>,
    room: Vec2,
) -> (Vec<(SceneId, Id)>, usize) {
    let collection = Arc::clone(&view.snapshot.scenes.collection);
    thumbnails.begin(view.snapshot);
    let (columns, size) = cells(view, collection.scenes.len(), room);
    let mut drawn = Vec::new();
    ui.scope(|ui| {
        ui.spacing_mut().item_spacing = Vec2::splat(IMAGE_GAP_POINTS);
        for (row, scenes) in collection.scenes.chunks(columns).enumerate() {
            ui.horizontal(|ui| {
                for (column, scene) in scenes.iter().enumerate() {
                    if rename::show(ui, view, draft, RenamedObject::Scene(scene.id)) {
                        continue;
                    }
                    let thumbnail = thumbnails.show(ui, view, scene, size);
                    drawn.push((scene.id, thumbnail.id));
                    pressed(ui, view, draft, scene, &thumbnail);
                    moved(ui, view, (row * columns + column, columns), scene, &thumbnail);
                    menu::context(&thumbnail, view, |ui, view| menu::scene(ui, view, draft, scene));
                }
            });
        }
    });
    (drawn, columns)
}

/// Draws the scenes as rows. Returns the scenes with the ids of their rows.
fn rows(ui: &mut Ui, view: &mut View<'_>, draft: &mut Draft) -> Vec<(SceneId, Id)> {
    let snapshot = view.snapshot;
    let collection = &snapshot.scenes.collection;
    let mut drawn = Vec::new();
    for (index, scene) in collection.scenes.iter().enumerate() {
        if rename::show(ui, view, draft, RenamedObject::Scene(scene.id)) {
            continue;
        }
        let current = scene.id == collection.current;
        let in_preview = snapshot.scenes.preview_scene == Some(scene.id);
        // During passthrough, a file is on air instead of the scene.
        let is_sent = current && snapshot.passthrough.is_none();
        let lamp = match snapshot.live {
            LiveState::OnAir | LiveState::Stopping if is_sent => RowLamp::OnAir,
            LiveState::Reconnecting { .. } if is_sent => RowLamp::OffAir,
            _ if current && snapshot.scenes.preview_scene.is_some() => RowLamp::Program,
            _ if in_preview => RowLamp::Preview,
            _ => RowLamp::None,
        };
        let state = multiview::state_of(view, scene);
        let row = PanelRow {
            icon: Icon::Scene,
            title: &scene.name,
            selected: current || in_preview,
            lamp,
            depth: 0,
            dimmed: false,
            tip: &state,
            buttons: 0.0,
        };
        let row = row.show(ui, view, ("scene", scene.id.0));
        drawn.push((scene.id, row.id));
        ui.ctx().accesskit_node_builder(row.id, |node| node.set_description(state));
        pressed(ui, view, draft, scene, &row);
        moved(ui, view, (index, 1), scene, &row);
        menu::context(&row, view, |ui, view| menu::scene(ui, view, draft, scene));
    }
    drawn
}

fn pressed(ui: &Ui, view: &mut View<'_>, draft: &mut Draft, scene: &Scene, row: &Response) {
    draft.scene_rows.row(u64::from(scene.id.0), row);
    let key = |key| ui.input_mut(|input| input.consume_key(Modifiers::NONE, key));
    if row.double_clicked() || (row.has_focus() && key(Key::F2)) {
        draft.rename(RenamedObject::Scene(scene.id), scene.name.clone());
    } else if row.clicked() {
        view.send(show_scene(draft.studio_mode, scene.id));
        draft.choose(None);
        row.request_focus();
    }
    if row.has_focus() && pressed_once(ui, Key::Delete) {
        view.send(Command::Edit(Edit::RemoveScene(scene.id)));
    }
}

/// Moves a scene to the position to which it was dragged, or by one row or column with Alt and an
/// arrow key. The scene is at `index` of a list with this number of columns.
fn moved(
    ui: &Ui,
    view: &mut View<'_>,
    (index, columns): (usize, usize),
    scene: &Scene,
    row: &Response,
) {
    let last = view.snapshot.scenes.collection.scenes.len().saturating_sub(1);
    let mut to = index;
    if row.has_focus() {
        let alt = |key| ui.input_mut(|input| input.consume_key(Modifiers::ALT, key));
        let ways = [
            (Key::ArrowUp, index.checked_sub(columns)),
            (Key::ArrowDown, index.checked_add(columns)),
            (Key::ArrowLeft, index.checked_sub(1).filter(|_| columns > 1)),
            (Key::ArrowRight, index.checked_add(1).filter(|_| columns > 1)),
        ];
        for (key, place) in ways {
            if alt(key) {
                to = place.filter(|place| *place <= last).unwrap_or(index);
            }
        }
    }
    if (row.dragged() || row.drag_stopped())
        && let Some(pointer) = drop_line::pointer(ui)
    {
        let pitch = row.rect.size() + ui.spacing().item_spacing;
        let rows = ((pointer.y - row.rect.center().y) / pitch.y).round();
        let aside = ((pointer.x - row.rect.center().x) / pitch.x).round();
        let aside = if columns > 1 { aside as isize } else { 0 };
        let place = index.saturating_add_signed(rows as isize * columns as isize + aside).min(last);
        let cell = |at: usize| vec2((at % columns) as f32, (at / columns) as f32);
        let cell = |at: usize| row.rect.translate((cell(at) - cell(index)) * pitch);
        if row.dragged() {
            drop_line::scroll_at_edge(ui, pointer, (cell(0).top(), cell(last).bottom()));
        }
        if row.drag_stopped() {
            to = place;
        } else if place != index {
            let there = cell(place);
            match columns {
                1 if place < index => drop_line::between_rows(ui, view, there, there.top()),
                1 => drop_line::between_rows(ui, view, there, there.bottom()),
                _ => drop_line::beside_image(ui, view, there, place < index),
            }
        }
    }
    if to != index {
        view.send(Command::Edit(Edit::MoveScene(scene.id, to)));
    }
}

/// Draws the transitions, their duration, and studio mode.
fn transitions(ui: &mut Ui, view: &mut View<'_>, draft: &mut Draft) {
    let texts = view.texts;
    let now = view.snapshot.scenes.collection.transition.clone();
    let chosen = TransitionChoice::of(&now.kind);
    for way in TransitionChoice::ALL {
        if menu_item(ui, view.theme, &texts.get(way.name()), "", way == chosen, true) {
            // If the kind of transition asks for its options, they are shown at once.
            if way.asks() {
                draft.transition = Some(TransitionScope::Every);
            }
            if way != chosen {
                let kind = way.kind(&now.kind);
                view.send(Command::Edit(Edit::SetTransition(Transition { kind, ..now.clone() })));
            }
            ui.close();
        }
    }
    if menu_item(ui, view.theme, &texts.get("transition-options"), "", false, true) {
        draft.transition = Some(TransitionScope::Every);
        ui.close();
    }
    menu_rule(ui, view.theme);
    let (name, second) = (texts.get("studio-mode"), texts.get("studio-mode-second"));
    let (action, is_on) = (Action::StudioMode, draft.studio_mode);
    if command_item(ui, view.theme, action, &name, &second, is_on, None) {
        view.send(draft.switch_studio_mode(view.snapshot));
        ui.close();
    }
}
