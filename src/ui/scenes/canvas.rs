//! Changing a scene on its picture: click to select, drag to move, handles to resize and turn,
//! Alt with a handle to crop, arrows to nudge, Delete to remove. Edges and middles snap (not while
//! Ctrl is held); Shift frees the shape of a corner and makes turning go in steps. Shift or Ctrl with
//! a click selects several, so does a frame that is drawn beside everything, or with Shift anywhere;
//! the frame around them has handles to resize them together.

use egui::{
    Color32, EventFilter, Key, Modifiers, Pos2, Rect, Role, Sense, Shape, Stroke, Ui, Vec2,
    WidgetInfo, pos2, vec2,
};

use crate::compose::scene::{Item, ItemId, Place};
use crate::media::Size;
use crate::studio::{Command, Edit};
use crate::ui::scenes::draft::{Draft, Drag, edited, name_of, natural};
use crate::ui::scenes::menu;
use crate::ui::scenes::place::{self, Grip};
use crate::ui::view::View;

/// How near a handle the pointer must be, in points.
const REACH: f32 = 9.0;
/// How far above the box the handle to turn is.
const STALK: f32 = 26.0;
/// How near an edge something snaps, in points.
const NEAR: f64 = 8.0;

/// From program pixels to the window and back.
#[derive(Copy, Clone)]
struct Frame {
    rect: Rect,
    canvas: Size,
}

impl Frame {
    fn scale(self) -> f64 {
        f64::from(self.rect.width()) / f64::from(self.canvas.width).max(1.0)
    }

    fn to_window(self, (x, y): (f64, f64)) -> Pos2 {
        self.rect.min + vec2((x * self.scale()) as f32, (y * self.scale()) as f32)
    }

    fn to_program(self, at: Pos2) -> (f64, f64) {
        let at = at - self.rect.min;
        (f64::from(at.x) / self.scale(), f64::from(at.y) / self.scale())
    }
}

/// Lays the handles over the picture in `rect`, and obeys them.
pub fn show(ui: &mut Ui, view: &mut View<'_>, draft: &mut Draft, rect: Rect) {
    let canvas = view.snapshot.quality.size;
    let frame = Frame { rect, canvas };
    let collection = std::sync::Arc::clone(&view.snapshot.scenes.collection);
    let items = collection.scene(edited(view.snapshot)).map(|scene| scene.items.as_slice());
    let items = items.unwrap_or_default();
    let selected = draft.selected.and_then(|id| items.iter().find(|item| item.id == id));
    let response = ui.interact(rect, ui.scope_id().with("canvas"), Sense::click_and_drag());
    let name = match selected {
        Some(_) if !draft.others.is_empty() => {
            let count = draft.chosen().len().to_string();
            view.texts.with("canvas-several", &[("count", count.into())])
        }
        Some(item) => {
            let name = name_of(view, item);
            view.texts.with("canvas-selected", &[("name", name.into())])
        }
        None => view.texts.get("canvas").to_string(),
    };
    response.widget_info(|| WidgetInfo::labeled(Role::Canvas, true, &name));
    let pointer = ui.ctx().pointer_latest_pos();
    let modifiers = ui.input(|input| input.modifiers);

    // What is under the pointer: a handle of what is selected, else the topmost item there.
    let alone = selected.filter(|item| !item.locked && draft.others.is_empty());
    let handle = alone.and_then(|item| {
        let size = natural(view.snapshot, item);
        grip_at(frame, &place::tight(&item.place, size, canvas), pointer?, modifiers.alt)
            .map(|grip| (item, grip))
    });
    let several = together(view, draft, items);
    let of_several = |at: Pos2| {
        let (edges, _) = several.as_ref()?;
        let grip = grip_at(frame, &place::around(*edges, canvas), at, false);
        grip.filter(|grip| *grip != Grip::Turn)
    };
    if response.hovered()
        && let Some(grip) = handle.map(|(_, grip)| grip).or_else(|| of_several(pointer?))
    {
        ui.ctx().set_cursor_icon(cursor(grip));
    }
    let under = |at: Pos2| {
        let point = frame.to_program(at);
        let hit = |item: &&Item| {
            let size = natural(view.snapshot, item);
            !item.hidden && !item.locked && place::contains(&item.place, size, canvas, point)
        };
        items.iter().rev().find(hit)
    };
    let begun = ui.input(|input| input.pointer.press_origin());
    let shown = |item: &&Item| !item.hidden && !item.locked;
    if response.drag_started_by(egui::PointerButton::Primary)
        && let Some(origin) = begun
    {
        let held = alone.and_then(|item| {
            let size = natural(view.snapshot, item);
            grip_at(frame, &place::tight(&item.place, size, canvas), origin, modifiers.alt)
                .map(|grip| (item, grip))
        });
        let all = of_several(origin).and_then(|grip| {
            let (edges, mut all) = several.clone()?;
            let (id, start) = all.pop()?;
            let (from, guides) = (frame.to_program(origin), (None, None));
            Some(Drag { id, grip, from, start, others: all, around: Some(edges), guides })
        });
        let below = || under(origin).filter(|_| !modifiers.shift);
        let held = held.or_else(|| below().map(|item| (item, Grip::Whole)));
        draft.band = (all.is_none() && held.is_none()).then(|| frame.to_program(origin));
        draft.grip = all.or_else(|| {
            let (item, grip) = held?;
            let along = grip == Grip::Whole && draft.is_chosen(item.id);
            if !along {
                draft.choose(Some(item.id));
            }
            let others = items.iter().filter(shown);
            let others = others.filter(|it| it.id != item.id && draft.is_chosen(it.id));
            let others = others.map(|it| (it.id, it.place)).collect();
            let size = natural(view.snapshot, item);
            let start = if grip == Grip::Whole {
                item.place
            } else {
                place::tight(&item.place, size, canvas)
            };
            let (from, guides) = (frame.to_program(origin), (None, None));
            Some(Drag { id: item.id, grip, from, start, others, around: None, guides })
        });
    } else if (response.clicked() || response.secondary_clicked())
        && let Some(at) = pointer
    {
        match under(at).map(|item| item.id) {
            Some(id) if modifiers.shift || modifiers.command => draft.toggle(id),
            // A menu is of all that are selected.
            Some(id) if response.secondary_clicked() && draft.is_chosen(id) => {}
            found => draft.choose(found),
        }
        response.request_focus();
    }
    if response.double_clicked()
        && let Some(id) = draft.selected
    {
        draft.settings = Some(id);
        draft.source_text = None;
    }
    if response.dragged()
        && let (Some(drag), Some(at)) = (&mut draft.grip, pointer)
        && let Some(item) = items.iter().find(|item| item.id == drag.id)
    {
        let way = (drag.from, frame.to_program(at));
        let mut edits = Vec::new();
        if let (Some(edges), Grip::Side(x, y)) = (drag.around, drag.grip) {
            let by = (way.1.0 - way.0.0, way.1.1 - way.0.1);
            let held = std::iter::once((drag.id, drag.start)).chain(drag.others.iter().copied());
            let (ids, places): (Vec<_>, Vec<_>) = held.unzip();
            let now = place::resized(&places, edges, (x, y), by, canvas, modifiers.shift);
            edits.extend(ids.into_iter().zip(now).map(|(id, now)| Edit::SetPlace(id, now)));
        } else {
            let mut now = place::dragged(&drag.start, drag.grip, way, canvas, modifiers.shift);
            drag.guides = (None, None);
            if drag.grip == Grip::Whole && !modifiers.command {
                let size = natural(view.snapshot, item);
                let near = NEAR / frame.scale();
                let (snapped, across, down) = place::snapped(&now, size, canvas, near);
                now = snapped;
                drag.guides = (across, down);
            }
            edits.push(Edit::SetPlace(item.id, now));
            let by = (now.x - drag.start.x, now.y - drag.start.y);
            edits.extend(drag.others.iter().map(|(id, start)| {
                Edit::SetPlace(*id, Place { x: start.x + by.0, y: start.y + by.1, ..*start })
            }));
        }
        // The first of them is the one that is held.
        let moves =
            |edit: &Edit| matches!(edit, Edit::SetPlace(_, now) if now.bounded() != item.place);
        if edits.first().is_some_and(moves) {
            all(view, edits);
        }
    }
    if let (Some(from), Some(at)) = (draft.band, pointer) {
        let band = Rect::from_two_pos(frame.to_window(from), at);
        let fill = view.theme.accent.gamma_multiply(0.15);
        let stroke = Stroke::new(1.0, view.theme.accent);
        ui.painter().rect(band.intersect(rect), 0.0, fill, stroke, egui::StrokeKind::Inside);
        if response.drag_stopped() {
            let inside = |item: &&Item| {
                let size = natural(view.snapshot, item);
                let [left, top, right, bottom] = place::edges(&item.place, size, canvas);
                let seen = Rect::from_min_max(
                    frame.to_window((left, top)),
                    frame.to_window((right, bottom)),
                );
                seen.intersects(band)
            };
            let found = items.iter().filter(shown).filter(inside).map(|item| item.id);
            draft.choose_all(found, modifiers.shift || modifiers.command);
            response.request_focus();
        }
    }
    if response.drag_stopped() {
        (draft.grip, draft.band) = (None, None);
    }
    let chosen: Vec<&Item> = items.iter().filter(|item| draft.is_chosen(item.id)).collect();
    if response.has_focus() {
        keyboard(ui, view, draft, response.id, (items, &chosen));
    }
    for item in &chosen {
        outline(ui, view, frame, item, chosen.len() == 1);
    }
    if let Some((edges, _)) = together(view, draft, items) {
        let place = place::around(edges, canvas);
        let handles = handles(frame, &place);
        box_of(ui, view, frame, &handles);
        squares(ui, view, frame, &handles);
    }
    if let Some(Drag { guides, .. }) = &draft.grip {
        let stroke = Stroke::new(1.0, view.theme.accent);
        if let Some(x) = guides.0 {
            ui.painter().vline(frame.to_window((x, 0.0)).x, rect.y_range(), stroke);
        }
        if let Some(y) = guides.1 {
            ui.painter().hline(rect.x_range(), frame.to_window((0.0, y)).y, stroke);
        }
    }
    if let Some(item) = selected {
        menu::context(&response, view, |ui, view| menu::item(ui, view, draft, item));
    }
}

/// Several items: the edges of the frame around them, in program pixels, and their tight places.
type Together = ([f64; 4], Vec<(ItemId, Place)>);

/// Where several are selected that can be moved.
fn together(view: &View<'_>, draft: &Draft, items: &[Item]) -> Option<Together> {
    let canvas = view.snapshot.quality.size;
    let free = |item: &&Item| draft.is_chosen(item.id) && !item.hidden && !item.locked;
    let chosen: Vec<(&Item, Size)> =
        items.iter().filter(free).map(|item| (item, natural(view.snapshot, item))).collect();
    if chosen.len() < 2 {
        return None;
    }
    let edges = chosen.iter().map(|(item, size)| place::edges(&item.place, *size, canvas));
    let edges = edges.reduce(place::joined)?;
    let tight = |(item, size): &(&Item, Size)| (item.id, place::tight(&item.place, *size, canvas));
    Some((edges, chosen.iter().map(tight).collect()))
}

/// Sends changes as one step.
fn all(view: &mut View<'_>, mut edits: Vec<Edit>) {
    let edit = match edits.len() {
        0 => return,
        1 => edits.pop(),
        _ => Some(Edit::Several(edits)),
    };
    if let Some(edit) = edit {
        view.send(Command::Edit(edit));
    }
}

fn keyboard(
    ui: &Ui,
    view: &mut View<'_>,
    draft: &mut Draft,
    id: egui::Id,
    (items, chosen): (&[Item], &[&Item]),
) {
    // Arrows move what is selected, not the keyboard's place.
    let arrows = !chosen.is_empty();
    let filter = EventFilter {
        horizontal_arrows: arrows,
        vertical_arrows: arrows,
        ..EventFilter::default()
    };
    ui.memory_mut(|memory| memory.set_focus_lock_filter(id, filter));
    let pressed = |modifiers, key| ui.input_mut(|input| input.consume_key(modifiers, key));
    if pressed(Modifiers::COMMAND, Key::A) {
        let shown = items.iter().filter(|item| !item.hidden && !item.locked);
        draft.choose_all(shown.map(|item| item.id), false);
    }
    if chosen.is_empty() {
        return;
    }
    for (key, by) in [
        (Key::ArrowLeft, (-1.0, 0.0)),
        (Key::ArrowRight, (1.0, 0.0)),
        (Key::ArrowUp, (0.0, -1.0)),
        (Key::ArrowDown, (0.0, 1.0)),
    ] {
        let step = if pressed(Modifiers::SHIFT, key) {
            10.0
        } else if pressed(Modifiers::NONE, key) {
            // Upright pictures lie on even pixels.
            2.0
        } else {
            continue;
        };
        let (by, canvas) = ((by.0 * step, by.1 * step), view.snapshot.quality.size);
        let free = chosen.iter().filter(|item| !item.locked);
        let moved = |item: &&Item| Edit::SetPlace(item.id, place::moved(&item.place, by, canvas));
        all(view, free.map(moved).collect());
    }
    if pressed(Modifiers::NONE, Key::Delete) || pressed(Modifiers::NONE, Key::Backspace) {
        all(view, chosen.iter().map(|item| Edit::RemoveItem(item.id)).collect());
        draft.choose(None);
    }
    if pressed(Modifiers::NONE, Key::Escape) {
        draft.choose(None);
    }
}

/// The handles of a tight place, in the window.
fn handles(frame: Frame, place: &Place) -> Vec<(Grip, Pos2)> {
    let plain = Place {
        flip_x: false,
        flip_y: false,
        fit: crate::compose::scene::Fit::Stretch,
        crop: Default::default(),
        ..*place
    };
    let [a, b, c, d] =
        place::corners(&plain, frame.canvas, frame.canvas).map(|it| frame.to_window(it));
    let between = |a: Pos2, b: Pos2| a + (b - a) / 2.0;
    let (top, bottom) = (between(a, b), between(d, c));
    let up = (top - bottom).normalized();
    vec![
        (Grip::Turn, top + up * STALK),
        (Grip::Side(-1, -1), a),
        (Grip::Side(1, -1), b),
        (Grip::Side(1, 1), c),
        (Grip::Side(-1, 1), d),
        (Grip::Side(0, -1), top),
        (Grip::Side(1, 0), between(b, c)),
        (Grip::Side(0, 1), bottom),
        (Grip::Side(-1, 0), between(a, d)),
    ]
}

fn grip_at(frame: Frame, place: &Place, at: Pos2, crop: bool) -> Option<Grip> {
    let near = |(_, handle): &(Grip, Pos2)| handle.distance(at) <= REACH;
    let (grip, _) = handles(frame, place).into_iter().find(near)?;
    Some(match grip {
        Grip::Side(x, y) if crop => Grip::Crop(x, y),
        grip => grip,
    })
}

fn cursor(grip: Grip) -> egui::CursorIcon {
    match grip {
        Grip::Whole => egui::CursorIcon::Move,
        Grip::Turn => egui::CursorIcon::Grab,
        Grip::Side(0, _) | Grip::Crop(0, _) => egui::CursorIcon::ResizeVertical,
        Grip::Side(_, 0) | Grip::Crop(_, 0) => egui::CursorIcon::ResizeHorizontal,
        Grip::Side(x, y) | Grip::Crop(x, y) if x == y => egui::CursorIcon::ResizeNwSe,
        Grip::Side(..) | Grip::Crop(..) => egui::CursorIcon::ResizeNeSw,
    }
}

/// A frame around an item; with its handles if it is `alone`.
fn outline(ui: &Ui, view: &View<'_>, frame: Frame, item: &Item, alone: bool) {
    let size = natural(view.snapshot, item);
    let place = place::tight(&item.place, size, frame.canvas);
    let handles = handles(frame, &place);
    box_of(ui, view, frame, &handles);
    if item.locked || !alone {
        return;
    }
    let painter = ui.painter().with_clip_rect(frame.rect.expand(6.0));
    let accent = view.theme.accent;
    if let (Some(turn), Some(top)) = (at(&handles, Grip::Turn), at(&handles, Grip::Side(0, -1))) {
        painter.line_segment([top, turn], Stroke::new(1.5, accent));
        painter.circle(turn, 5.0, Color32::WHITE, Stroke::new(1.5, accent));
    }
    squares(ui, view, frame, &handles);
}

fn at(handles: &[(Grip, Pos2)], wanted: Grip) -> Option<Pos2> {
    handles.iter().find(|(grip, _)| *grip == wanted).map(|(_, at)| *at)
}

/// The lines between the corners.
fn box_of(ui: &Ui, view: &View<'_>, frame: Frame, handles: &[(Grip, Pos2)]) {
    let corners = [(-1, -1), (1, -1), (1, 1), (-1, 1)];
    let corners = corners.into_iter().filter_map(|(x, y)| at(handles, Grip::Side(x, y)));
    let corners: Vec<Pos2> = corners.collect();
    let painter = ui.painter().with_clip_rect(frame.rect.expand(6.0));
    // A dark line under the light one: seen on any picture.
    painter
        .add(Shape::closed_line(corners.clone(), Stroke::new(3.0, Color32::from_black_alpha(140))));
    painter.add(Shape::closed_line(corners, Stroke::new(1.5, view.theme.accent)));
}

/// The handles at corners and sides.
fn squares(ui: &Ui, view: &View<'_>, frame: Frame, handles: &[(Grip, Pos2)]) {
    let painter = ui.painter().with_clip_rect(frame.rect.expand(6.0));
    for (grip, at) in handles {
        if matches!(grip, Grip::Side(..)) {
            let square = Rect::from_center_size(pos2(at.x, at.y), Vec2::splat(8.0));
            let stroke = Stroke::new(1.5, view.theme.accent);
            painter.rect(square, 1.0, Color32::WHITE, stroke, egui::StrokeKind::Middle);
        }
    }
}
