//! Edits a scene on its frame: click to select, drag to move, handles to resize and rotate, Alt
//! with a handle to crop, arrows to nudge, F2 to rename, Delete to remove. Edges and centers snap
//! unless Ctrl is held. Shift releases the aspect ratio at a corner, and makes the rotation snap to
//! multiples of 15°. Shift or Ctrl with a click selects several items, and so does a selection frame
//! that begins outside all items, or anywhere with Shift. The frame around several items has handles
//! that resize them together. If a member of a group is selected in the list, the member and its
//! siblings are edited within the group. `interact` passes clicks and keys to a browser page.

pub mod color_pick;
pub mod drops;
pub(in crate::ui::scenes) mod group_box;
pub(in crate::ui::scenes) mod handles;
pub mod interact;
pub mod interaction;
mod page_pointer;
mod safe_areas;
pub mod zoom;

use std::sync::Arc;

use egui::{
    EventFilter, Key, Modifiers, PointerButton, Popup, Pos2, Rect, Response, Role, Sense, Stroke,
    StrokeKind, Ui, WidgetInfo,
};

use crate::compose::scene::{Item, ItemId, Placement};
use crate::studio::{Command, Edit};
use crate::ui::input::actions::Action;
use crate::ui::input::hotkeys::{accept_letters, letters_act};
use crate::ui::scenes::canvas::handles::{
    Frame, HANDLE_MARGIN_POINTS, box_of, cursor, grip_at, handles, outline, squares,
};
use crate::ui::scenes::draft::{Draft, Drag, chosen, edited, name_of, natural};
use crate::ui::scenes::placement::Grip;
use crate::ui::scenes::{clipboard, menu, placement};
use crate::ui::view::{View, WindowRequest};
use crate::ui::widgets::focus_ring;

/// Maximum distance from an edge for snapping, in points.
const SNAP_DISTANCE: f64 = 8.0;

/// Maximum width of the frame that the page draws around the program or the preview, in points.
const FRAME_WIDTH_POINTS: f32 = 2.0;
/// Gap between this frame and the focus ring, in points. The ring adds one point.
const RING_GAP_POINTS: f32 = 1.0;

/// Draws the handles over the frame in `rect`, and handles their input. An enlarged frame extends
/// beyond `room`.
pub fn show(ui: &mut Ui, view: &mut View<'_>, draft: &mut Draft, rect: Rect, room: Rect) {
    let (clip, reach) = match draft.zoom.fits() {
        true => (rect.expand(HANDLE_MARGIN_POINTS), rect),
        // Items outside the program can also be reached.
        false => (room, room),
    };
    let Some(frame) = Frame::new(rect, clip, view.snapshot.quality.size) else { return };
    let collection = Arc::clone(&view.snapshot.scenes.collection);
    let items = collection.scene(edited(view.snapshot)).map(|scene| scene.items.as_slice());
    let whole = Canvas {
        frame,
        items: items.unwrap_or_default(),
        modifiers: ui.input(|input| input.modifiers),
    };
    let within = draft.selected.and_then(|id| whole.within(id));
    let canvas = within.as_ref().unwrap_or(&whole);
    let frame = canvas.frame;
    if interact::show(ui, view, draft, (frame, canvas.items), reach) {
        return;
    }
    let response = ui.interact(reach, ui.scope_id().with("canvas"), Sense::click_and_drag());
    let name = canvas.name(view, draft);
    response.widget_info(|| WidgetInfo::labeled(Role::Canvas, true, &name));
    let pointer = ui.ctx().pointer_latest_pos();
    let space = is_space_held(ui, draft, &response);
    let moves = draft.zoom.steer(ui, &response, space);
    draft.follow_drag(response.dragged() || response.drag_stopped());
    if response.hovered()
        && !(space || moves)
        && let Some(at) = pointer
        && let Some(grip) = canvas.reached(view, draft, at)
    {
        ui.ctx().set_cursor_icon(cursor(grip));
    }
    let begun = ui.input(|input| input.pointer.press_origin());
    if response.drag_started_by(PointerButton::Primary)
        && !moves
        && let Some(origin) = begun
    {
        // Otherwise a field keeps the focus, and Ctrl+Z undoes its text instead of the drag.
        response.request_focus();
        // A drag that begins beside the members of the edited group acts on the surrounding canvas.
        if within.is_some() && canvas.is_beside(view, draft, origin) {
            draft.choose(None);
            whole.take(view, draft, origin);
        } else {
            canvas.take(view, draft, origin);
        }
    } else if (response.clicked_by(PointerButton::Primary) || response.secondary_clicked())
        && !space
        && let Some(at) = pointer
    {
        let beside = canvas.is_beside(view, draft, at);
        let canvas = if beside { &whole } else { canvas };
        canvas.click(view, draft, at, response.secondary_clicked());
        response.request_focus();
    }
    if response.double_clicked()
        && let Some(id) = draft.selected
    {
        draft.settings = Some(id);
    }
    if response.dragged()
        && let Some(at) = pointer
    {
        canvas.drag(view, draft, at);
    }
    if let (Some(from), Some(to)) = (draft.band, pointer) {
        let band = Rect::from_two_pos(frame.to_window(from), to);
        let fill = view.theme.accent.gamma_multiply(0.15);
        let stroke = Stroke::new(1.0, view.theme.accent);
        ui.painter().rect(band.intersect(reach), 0.0, fill, stroke, StrokeKind::Inside);
        if response.drag_stopped() {
            canvas.choose_within(view, draft, band);
        }
    }
    if response.drag_stopped() {
        (draft.grip, draft.band) = (None, None);
    }
    accept_letters(&response);
    if response.has_focus() {
        canvas.keyboard(ui, view, draft, response.id);
    }
    if draft.safe_areas {
        safe_areas::paint(&ui.painter().with_clip_rect(room), rect);
    }
    canvas.paint(ui, view, draft);
    // The frame of the preview has the same color, and must stay apart from the ring.
    let around = reach.expand(FRAME_WIDTH_POINTS + RING_GAP_POINTS);
    focus_ring(ui, view.theme, &response.clone().with_new_rect(around), 2);
    let selected = canvas.selected(draft);
    menu::context(&response, view, |ui, view| match selected {
        Some(item) => menu::item(ui, view, draft, item),
        None => menu::empty(ui, view, draft),
    });
}

/// Returns true if the space bar is held to move the frame. A list may have the keyboard focus
/// meanwhile. The space bar does not count while it is the push-to-talk key.
fn is_space_held(ui: &Ui, draft: &Draft, response: &Response) -> bool {
    let keyboard = ui.memory(|memory| memory.focused());
    !draft.space_talks
        && (keyboard.is_none_or(|id| id == response.id) || letters_act(ui.ctx()))
        && ui.input(|input| input.key_down(Key::Space))
}

/// Several items, with the edges of the frame around them in program pixels, and their tight
/// placements.
type LayerGroup = ([f64; 4], Vec<(ItemId, Placement)>);

/// The canvas of a scene, or of a group in the scene, and its pointer input.
#[derive(Debug)]
struct Canvas<'a> {
    frame: Frame,
    /// The items of the scene or group, the topmost last.
    items: &'a [Item],
    modifiers: Modifiers,
}

impl<'a> Canvas<'a> {
    /// Returns the canvas of the group that contains an item, if it can be edited there.
    fn within(&self, id: ItemId) -> Option<Self> {
        self.items.iter().filter(|item| !item.hidden && !item.locked).find_map(|group| {
            let (items, modifiers) = (group.members(), self.modifiers);
            let frame = self.frame.within(&group.place)?;
            let inner = Self { frame, items, modifiers };
            if items.iter().any(|item| item.id == id) { Some(inner) } else { inner.within(id) }
        })
    }

    /// Returns true if there is neither an item nor a handle at this position.
    fn is_beside(&self, view: &View<'_>, draft: &Draft, at: Pos2) -> bool {
        self.reached(view, draft, at).is_none() && self.under(view, at).is_none()
    }

    fn selected(&self, draft: &Draft) -> Option<&'a Item> {
        let own = |id| self.items.iter().find(|item| item.id == id);
        draft.chosen().into_iter().find_map(own)
    }

    fn chosen(&self, draft: &Draft) -> impl Iterator<Item = &'a Item> {
        self.items.iter().filter(|item| draft.is_chosen(item.id))
    }

    /// Returns the items that can be moved on the frame.
    fn free(&self) -> impl Iterator<Item = &'a Item> + use<'a> {
        self.items.iter().filter(|item| !item.hidden && !item.locked)
    }

    /// Returns the accessible name for screen readers.
    fn name(&self, view: &View<'_>, draft: &Draft) -> String {
        match self.selected(draft) {
            Some(item) => {
                let count = chosen(view.snapshot, draft).len();
                if count > 1 {
                    let count = count.to_string();
                    return view.texts.with("canvas-several", &[("count", count.into())]);
                }
                let name = name_of(view, item);
                view.texts.with("canvas-selected", &[("name", name.into())])
            }
            None => view.texts.get("canvas").to_string(),
        }
    }

    fn tight(&self, view: &View<'_>, item: &Item) -> Placement {
        let place = group_box::shown(view.snapshot, item);
        placement::tight(&place, natural(view.snapshot, item), self.frame.canvas)
    }

    fn edges(&self, view: &View<'_>, item: &Item) -> [f64; 4] {
        let place = group_box::shown(view.snapshot, item);
        placement::edges(&place, natural(view.snapshot, item), self.frame.canvas)
    }

    /// Returns the selected item, if it is the only one and not locked, and its handle at this
    /// position.
    fn of_one(&self, view: &View<'_>, draft: &Draft, at: Pos2) -> Option<(&'a Item, Grip)> {
        let is_alone = chosen(view.snapshot, draft).len() == 1;
        let item = self.selected(draft).filter(|item| !item.locked && is_alone)?;
        let grip = grip_at(self.frame, &self.tight(view, item), at, self.modifiers.alt)?;
        // The box around the items of a group cannot be cropped.
        let grip = match grip {
            Grip::Crop(x, y) if group_box::is_around(view.snapshot, item) => Grip::Side(x, y),
            grip => grip,
        };
        Some((item, grip))
    }

    /// Returns the selected items, if there are several, and the handle of their common frame at
    /// this position.
    fn of_several(&self, view: &View<'_>, draft: &Draft, at: Pos2) -> Option<(LayerGroup, Grip)> {
        let several = self.together(view, draft)?;
        let around = placement::around(several.0, self.frame.canvas);
        let grip = grip_at(self.frame, &around, at, false)
            .filter(|grip| matches!(grip, Grip::Side(..) | Grip::Whole))?;
        Some((several, grip))
    }

    fn reached(&self, view: &View<'_>, draft: &Draft, at: Pos2) -> Option<Grip> {
        let one = self.of_one(view, draft, at).map(|(_, grip)| grip);
        one.or_else(|| self.of_several(view, draft, at).map(|(_, grip)| grip))
    }

    /// Returns the selected items with their common frame, if several movable items are selected.
    fn together(&self, view: &View<'_>, draft: &Draft) -> Option<LayerGroup> {
        let chosen: Vec<&Item> = self.free().filter(|item| draft.is_chosen(item.id)).collect();
        if chosen.len() < 2 {
            return None;
        }
        let edges = chosen.iter().map(|item| self.edges(view, item)).reduce(placement::joined)?;
        Some((edges, chosen.iter().map(|item| (item.id, self.tight(view, item))).collect()))
    }

    /// Returns the topmost item at a point of the window.
    fn under(&self, view: &View<'_>, at: Pos2) -> Option<&'a Item> {
        let (point, canvas) = (self.frame.to_program(at), self.frame.canvas);
        let hit = |item: &&Item| {
            let place = group_box::shown(view.snapshot, item);
            placement::contains(&place, natural(view.snapshot, item), canvas, point)
        };
        self.free().filter(hit).last()
    }

    /// Begins to drag a handle of the selection, or else the topmost item at this point, or else a
    /// selection frame.
    fn take(&self, view: &View<'_>, draft: &mut Draft, origin: Pos2) {
        let (from, guides) = (self.frame.to_program(origin), (None, None));
        if let Some(((edges, mut all), grip)) = self.of_several(view, draft, origin)
            && let Some((id, start)) = all.pop()
        {
            let around = Some(edges);
            draft.grip = Some(Drag { id, grip, from, start, others: all, around, guides });
            return;
        }
        let below = || self.under(view, origin).filter(|_| !self.modifiers.shift);
        let held = self.of_one(view, draft, origin);
        let Some((item, grip)) = held.or_else(|| below().map(|item| (item, Grip::Whole))) else {
            draft.band = Some(from);
            return;
        };
        // Dragging one of several selected items moves the others along.
        if grip != Grip::Whole || !draft.is_chosen(item.id) {
            draft.choose(Some(item.id));
        }
        let others = self.free().filter(|it| it.id != item.id && draft.is_chosen(it.id));
        let others = others.map(|it| (it.id, it.place)).collect();
        let start = match grip {
            Grip::Whole => group_box::shown(view.snapshot, item),
            _ => self.tight(view, item),
        };
        draft.grip = Some(Drag { id: item.id, grip, from, start, others, around: None, guides });
    }

    fn click(&self, view: &View<'_>, draft: &mut Draft, at: Pos2, secondary: bool) {
        match self.under(view, at).map(|item| item.id) {
            Some(id) if self.modifiers.shift || self.modifiers.command => draft.toggle(id),
            // A context menu applies to all selected items.
            Some(id) if secondary && draft.is_chosen(id) => {}
            found => draft.choose(found),
        }
    }

    /// Moves the dragged object to the position of the pointer.
    fn drag(&self, view: &mut View<'_>, draft: &mut Draft, at: Pos2) {
        let Some(drag) = &mut draft.grip else { return };
        let Some(item) = self.items.iter().find(|item| item.id == drag.id) else { return };
        let (way, canvas) = ((drag.from, self.frame.to_program(at)), self.frame.canvas);
        let free = self.modifiers.shift;
        let mut edits = Vec::new();
        if let (Some(edges), Grip::Side(x, y)) = (drag.around, drag.grip) {
            let by = (way.1.0 - way.0.0, way.1.1 - way.0.1);
            let held = std::iter::once((drag.id, drag.start)).chain(drag.others.iter().copied());
            let (ids, places): (Vec<_>, Vec<_>) = held.unzip();
            let now = placement::resized(&places, edges, (x, y), by, canvas, free);
            edits.extend(ids.into_iter().zip(now).filter_map(|(id, now)| {
                let item = self.items.iter().find(|item| item.id == id)?;
                Some(Edit::SetPlace(id, group_box::put(view.snapshot, item, now)))
            }));
        } else {
            let mut now = placement::dragged(&drag.start, drag.grip, way, canvas, free);
            drag.guides = (None, None);
            if drag.grip == Grip::Whole && !self.modifiers.command {
                let size = natural(view.snapshot, item);
                let near = SNAP_DISTANCE / self.frame.scale();
                let goes = |id| id == drag.id || drag.others.iter().any(|(it, _)| *it == id);
                let stay = self.items.iter().filter(|it| !it.hidden && !goes(it.id));
                let others: Vec<_> = stay.map(|it| self.edges(view, it)).collect();
                let (snapped, across, down) = placement::snapped(&now, size, canvas, &others, near);
                now = snapped;
                drag.guides = (across, down);
            }
            edits.push(Edit::SetPlace(item.id, group_box::put(view.snapshot, item, now)));
            let by = (now.x - drag.start.x, now.y - drag.start.y);
            edits.extend(drag.others.iter().map(|(id, start)| {
                Edit::SetPlace(*id, Placement { x: start.x + by.0, y: start.y + by.1, ..*start })
            }));
        }
        // The first edit is that of the dragged item.
        let moves =
            |edit: &Edit| matches!(edit, Edit::SetPlace(_, now) if now.bounded() != item.place);
        if edits.first().is_some_and(moves) {
            all(view, edits);
        }
    }

    /// Selects the items that a selection frame touches.
    fn choose_within(&self, view: &View<'_>, draft: &mut Draft, band: Rect) {
        let inside = |item: &&Item| {
            let [left, top, right, bottom] = self.edges(view, item);
            let corners = [(left, top), (right, top), (right, bottom), (left, bottom)];
            Rect::from_points(&corners.map(|at| self.frame.to_window(at))).intersects(band)
        };
        let found = self.free().filter(inside).map(|item| item.id);
        draft.choose_all(found, self.modifiers.shift || self.modifiers.command);
    }

    fn keyboard(&self, ui: &Ui, view: &mut View<'_>, draft: &mut Draft, id: egui::Id) {
        let chosen: Vec<&Item> = self.chosen(draft).collect();
        // Arrows move the selection, not the keyboard focus. In the open context menu, they move
        // through its items.
        let is_menu_open = Popup::is_any_open(ui.ctx());
        let arrows = !chosen.is_empty() && !is_menu_open;
        let filter = EventFilter {
            horizontal_arrows: arrows,
            vertical_arrows: arrows,
            ..EventFilter::default()
        };
        ui.memory_mut(|memory| memory.set_focus_lock_filter(id, filter));
        if is_menu_open {
            return;
        }
        let pressed = |modifiers, key| ui.input_mut(|input| input.consume_key(modifiers, key));
        if pressed(Modifiers::COMMAND, Key::A) {
            draft.choose_all(self.free().map(|item| item.id), false);
        }
        let ids: Vec<ItemId> = chosen.iter().map(|item| item.id).collect();
        clipboard::keyboard(ui, view, draft, &ids);
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
                // The positions of upright items are aligned to even pixels, so a smaller step
                // could have no effect.
                2.0
            } else {
                continue;
            };
            let (by, canvas) = ((by.0 * step, by.1 * step), self.frame.canvas);
            let free = chosen.iter().filter(|item| !item.locked);
            let moved =
                |item: &&Item| Edit::SetPlace(item.id, placement::moved(&item.place, by, canvas));
            all(view, free.map(moved).collect());
        }
        if chosen.len() == 1 && pressed(Modifiers::NONE, Key::F2) {
            // The list contains the field for the name, and may be hidden.
            view.request(WindowRequest::Act(Action::ItemRename));
        }
        if pressed(Modifiers::NONE, Key::Delete) || pressed(Modifiers::NONE, Key::Backspace) {
            all(view, chosen.iter().map(|item| Edit::RemoveItem(item.id)).collect());
            draft.choose(None);
        }
        if pressed(Modifiers::NONE, Key::Escape) {
            draft.choose(None);
        }
    }

    fn paint(&self, ui: &Ui, view: &View<'_>, draft: &Draft) {
        let frame = self.frame;
        let chosen: Vec<&Item> = self.chosen(draft).collect();
        for item in &chosen {
            outline(ui, view, frame, item, chosen.len() == 1);
        }
        if let Some((edges, _)) = self.together(view, draft) {
            let handles = handles(frame, &placement::around(edges, frame.canvas));
            box_of(ui, view, frame, &handles);
            squares(ui, view, frame, &handles);
        }
        if let Some(Drag { guides, .. }) = &draft.grip {
            let stroke = Stroke::new(1.0, view.theme.accent);
            let [width, height] = [frame.canvas.width, frame.canvas.height].map(f64::from);
            let across = guides.0.map(|x| [(x, 0.0), (x, height)]);
            let down = guides.1.map(|y| [(0.0, y), (width, y)]);
            let painter = ui.painter().with_clip_rect(frame.rect.intersect(frame.room));
            for line in across.into_iter().chain(down) {
                painter.line_segment(line.map(|at| frame.to_window(at)), stroke);
            }
        }
    }
}

/// Sends changes as one undo step.
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
