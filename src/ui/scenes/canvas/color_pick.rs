//! Picks the key color of a filter. Meanwhile, the canvas shows the source of the filter as it is
//! before the filter. A click or Enter takes the color at the crosshair.

use std::collections::BTreeMap;
use std::time::Duration;

use egui::{
    Color32, Context, CursorIcon, EventFilter, Id, Key, Modifiers, PointerButton, Rect, Role,
    Sense, Stroke, Ui, Vec2, WidgetInfo, vec2,
};

use crate::capture::Rgba;
use crate::compose::filter::{Slot, filtered_size};
use crate::compose::scene::SourceId;
use crate::compose::{ViewDetail, ViewOf};
use crate::studio::snapshot::SourceState;
use crate::studio::{Command, Edit, Snapshot};
use crate::ui::scenes::canvas::zoom::CanvasZoom;
use crate::ui::video::{FrameView, Rotation, fitted};
use crate::ui::view::View;
use crate::ui::widgets::focus_ring;

/// The repaint interval, if nothing else requests a repaint.
const REPAINT_INTERVAL: Duration = Duration::from_millis(100);
/// The time without the canvas after which picking ends. A separate window can draw the canvas later
/// than the main window draws its frame.
const MAX_UNSEEN: Duration = Duration::from_secs(1);
/// The step of an arrow key in program pixels, and the step with Shift.
const STEPS_PIXELS: [f32; 2] = [10.0, 50.0];
/// The radius of the crosshair, which shows the color, in points.
const CROSSHAIR_RADIUS_POINTS: f32 = 10.0;
/// The distance of the crosshair from the edge of the source, in program pixels. At the edge, the
/// mean color would contain pixels beside the source.
const EDGE_PIXELS: f32 = 3.0;
/// Gap between the frame and the focus ring, in points.
const RING_GAP_POINTS: f32 = 3.0;

/// The picking of a key color, from the press of its button on.
#[derive(Debug)]
pub struct ColorPick {
    /// The source and the index of the filter.
    of: (SourceId, usize),
    /// The kinds of the source's filters.
    kinds: Vec<&'static str>,
    /// True after the color is picked or the user canceled. The button then gets the focus.
    pub ended: bool,
    /// The position of the crosshair, 0…1 in each direction.
    at: Vec2,
    frame: Option<FrameView>,
    /// True after the canvas got the keyboard focus.
    focused: bool,
    /// The control that had the keyboard focus when the canvas was drawn last.
    focused_control: Option<Id>,
    /// The time when the canvas was drawn last.
    seen_at: f64,
}

impl ColorPick {
    /// Begins to pick the key color of this filter, with the crosshair in the middle.
    pub fn new(ctx: &Context, snapshot: &Snapshot, of: (SourceId, usize)) -> Self {
        Self {
            of,
            kinds: kinds(snapshot.scenes.collection.filters(of.0)),
            ended: false,
            at: Vec2::splat(0.5),
            frame: None,
            focused: false,
            focused_control: None,
            seen_at: ctx.input(|input| input.time),
        }
    }

    /// Returns true if the color belongs to this filter.
    pub fn is_of(&self, of: (SourceId, usize)) -> bool {
        self.of == of
    }

    /// Moves the crosshair by the arrow keys over a program of this size.
    fn steer(&mut self, ui: &Ui, size: Vec2) {
        let [step, large_step] = STEPS_PIXELS;
        let pressed = |modifiers, key| ui.input_mut(|input| input.consume_key(modifiers, key));
        for (key, way) in [
            (Key::ArrowLeft, vec2(-1.0, 0.0)),
            (Key::ArrowRight, vec2(1.0, 0.0)),
            (Key::ArrowUp, vec2(0.0, -1.0)),
            (Key::ArrowDown, vec2(0.0, 1.0)),
        ] {
            if pressed(Modifiers::SHIFT, key) {
                self.at += way * large_step / size;
            } else if pressed(Modifiers::NONE, key) {
                self.at += way * step / size;
            }
        }
    }
}

fn kinds(slots: &[Slot]) -> Vec<&'static str> {
    slots.iter().map(|slot| slot.filter.kind()).collect()
}

/// Adds the view that is needed to pick a color. Picking ends when the canvas is no longer drawn, or
/// when the filter is no longer `expanded` in the inspector.
pub fn looks_at(
    ctx: &Context,
    snapshot: &Snapshot,
    pick: &mut Option<ColorPick>,
    expanded: Option<(SourceId, usize)>,
    views: &mut BTreeMap<ViewOf, ViewDetail>,
) {
    let Some(it) = pick.as_ref() else { return };
    let (source, index) = it.of;
    let is_same = kinds(snapshot.scenes.collection.filters(source)) == it.kinds;
    let unseen = ctx.input(|input| input.time) - it.seen_at;
    if expanded != Some(it.of) || !is_same || unseen > MAX_UNSEEN.as_secs_f64() {
        *pick = None;
        return;
    }
    if !it.ended {
        views.insert(ViewOf::BeforeFilter(source, index), ViewDetail::Full);
    }
    ctx.request_repaint_after(MAX_UNSEEN);
}

/// Returns the part of the visible `room` in which colors can be picked: the source with this aspect
/// ratio, which fills the frame in `rect`, without `edge` points.
fn pickable(
    (rect, room): (Rect, Rect),
    shape: Option<f32>,
    pixels_per_point: f32,
    edge: f32,
) -> Rect {
    let source = shape.map_or(rect, |shape| fitted(rect, shape, pixels_per_point));
    source.intersect(room).shrink(edge)
}

/// Draws the frame in `rect`, of which `room` is visible, and picks the color. Returns false if the
/// user is not picking a color. `like` is a frame view with the same renderer.
pub fn show(
    ui: &Ui,
    view: &mut View<'_>,
    (pick, zoom): (&mut Option<ColorPick>, &mut CanvasZoom),
    like: &FrameView,
    (rect, room): (Rect, Rect),
) -> bool {
    let Some(it) = pick.as_mut().filter(|it| !it.ended) else { return false };
    let (source, index) = it.of;
    let mut slots = view.snapshot.scenes.collection.filters(source).to_vec();
    let state = view.snapshot.scenes.source(source);
    let own_size = state.and_then(|state| state.frame_size);
    let before = slots.get(..index).unwrap_or_default();
    let shape = own_size.map(|size| filtered_size(before, size).aspect());
    let Some(key_color) = slots.get_mut(index).and_then(|slot| slot.filter.color()) else {
        // The filter was removed.
        *pick = None;
        return false;
    };
    it.seen_at = ui.input(|input| input.time);
    let response = ui.interact(room, ui.scope_id().with("color-pick"), Sense::click_and_drag());
    // The space bar picks the color, so it does not move the frame.
    zoom.steer(ui, &response, false);
    if !std::mem::replace(&mut it.focused, true) {
        response.request_focus();
    }
    if let Some(slot) = view.snapshot.scenes.views.get(&ViewOf::BeforeFilter(source, index)) {
        let frame = it.frame.get_or_insert_with(|| like.beside("color-pick", slot.clone()));
        frame.follow(slot);
        frame.paint_turned(ui, rect, room, Rotation::None);
    }
    ui.ctx().request_repaint_after(REPAINT_INTERVAL);

    let clicked = response.clicked_by(PointerButton::Primary);
    let clicked = response.interact_pointer_pos().filter(|_| clicked);
    let moves = ui.input(|input| input.pointer.delta() != Vec2::ZERO);
    if let Some(at) = clicked.or(response.hover_pos().filter(|_| moves)) {
        it.at = (at - rect.min) / rect.size();
    }
    let size = view.snapshot.quality.size;
    if response.has_focus() {
        let filter = EventFilter {
            horizontal_arrows: true,
            vertical_arrows: true,
            escape: true,
            ..EventFilter::default()
        };
        ui.memory_mut(|memory| memory.set_focus_lock_filter(response.id, filter));
        it.steer(ui, vec2(size.width as f32, size.height as f32));
    }
    let edge = EDGE_PIXELS * rect.width() / size.width as f32;
    let area = pickable((rect, room), shape, ui.pixels_per_point(), edge);
    if area.is_positive() {
        let [first, last] = [area.min, area.max].map(|at| (at - rect.min) / rect.size());
        it.at = it.at.clamp(first, last);
    }
    // Otherwise, the frame is a placeholder.
    let is_open = state.is_none_or(|state| state.state == SourceState::Open);
    let frame = it.frame.as_ref().filter(|_| is_open && area.is_positive());
    let color = frame.and_then(|frame| frame.color_at(it.at));

    let name = view.texts.get("canvas-picking");
    response.widget_info(|| WidgetInfo {
        current_text_value: color.map(|[r, g, b]| Rgba::opaque(r, g, b).to_string()),
        ..WidgetInfo::labeled(Role::Canvas, true, &*name)
    });
    if response.hovered() {
        ui.ctx().set_cursor_icon(CursorIcon::Crosshair);
    }
    let (at, painter) = (rect.min + it.at * rect.size(), ui.painter().with_clip_rect(room));
    let fill = color.map_or(Color32::TRANSPARENT, |[r, g, b]| Color32::from_rgb(r, g, b));
    // A dark line under the light line makes the crosshair visible on any frame.
    painter.circle(at, CROSSHAIR_RADIUS_POINTS, fill, Stroke::new(3.0, Color32::BLACK));
    painter.circle_stroke(at, CROSSHAIR_RADIUS_POINTS, Stroke::new(1.0, Color32::WHITE));
    let around = response.clone().with_new_rect(room.expand(RING_GAP_POINTS));
    focus_ring(ui, view.theme, &around, 2);

    let layer = ui.layer_id();
    let (focused, is_free) =
        ui.memory(|memory| (memory.focused(), memory.allows_interaction(layer)));
    // At Escape, egui has already taken the focus from another control, to which the key belongs.
    let focused = std::mem::replace(&mut it.focused_control, focused);
    let has_keys = is_free && focused.is_none_or(|id| id == response.id);
    if has_keys && ui.input_mut(|input| input.consume_key(Modifiers::NONE, Key::Escape)) {
        it.ended = true;
    } else if response.clicked()
        && let Some(color) = color
    {
        it.ended = true;
        *key_color = color;
        view.send(Command::Edit(Edit::SetFilters(source, slots)));
    }
    true
}

#[cfg(test)]
mod tests {
    use egui::pos2;

    use super::*;

    #[test]
    fn a_color_is_picked_only_from_the_visible_part_of_the_source() {
        let rect = Rect::from_min_size(pos2(0.0, 0.0), vec2(1600.0, 900.0));
        let area = |room, shape| pickable((rect, room), shape, 1.0, 3.0);
        assert_eq!(area(rect, None), rect.shrink(3.0));
        let upright = Rect::from_center_size(rect.center(), vec2(450.0, 900.0));
        assert_eq!(area(rect, Some(0.5)), upright.shrink(3.0));
        let room = rect.with_min_x(700.0).with_max_y(400.0);
        let visible = upright.with_min_x(700.0).with_max_y(400.0);
        assert_eq!(area(room, Some(0.5)), visible.shrink(3.0));
        assert!(!area(rect.with_max_x(500.0), Some(0.5)).is_positive());
    }
}
