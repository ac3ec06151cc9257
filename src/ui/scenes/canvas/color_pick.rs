//! Picks the key color of a filter. Meanwhile, the canvas shows the source of the filter as it is
//! before the filter. A click or Enter takes the color at the crosshair.

use std::collections::BTreeMap;
use std::time::Duration;

use egui::{
    Color32, CursorIcon, EventFilter, Key, Modifiers, PointerButton, Rect, Role, Sense, Stroke, Ui,
    Vec2, WidgetInfo, vec2,
};

use crate::capture::Rgba;
use crate::compose::scene::SourceId;
use crate::compose::{ViewDetail, ViewOf};
use crate::studio::{Command, Edit};
use crate::ui::video::{FrameView, Rotation};
use crate::ui::view::View;
use crate::ui::widgets::focus_ring;

/// The repaint interval, if nothing else requests a repaint.
const REPAINT_INTERVAL: Duration = Duration::from_millis(100);
/// The step of an arrow key in program pixels, and the step with Shift.
const STEPS_PIXELS: [f32; 2] = [10.0, 50.0];
/// The radius of the crosshair, which shows the color, in points.
const CROSSHAIR_RADIUS_POINTS: f32 = 10.0;
/// Gap between the frame and the focus ring, in points.
const RING_GAP_POINTS: f32 = 3.0;

/// The picking of a key color, from the press of its button on.
#[derive(Debug)]
pub struct ColorPick {
    pub source: SourceId,
    /// The index of the filter.
    pub index: usize,
    /// True after the color is picked or the user canceled. The button then gets the focus.
    pub ended: bool,
    /// The position of the crosshair, 0…1 in each direction.
    at: Vec2,
    frame: Option<FrameView>,
    /// True after the canvas got the keyboard focus.
    focused: bool,
    /// True if the canvas was drawn in this frame.
    seen: bool,
}

impl ColorPick {
    /// Begins to pick the key color of this filter, with the crosshair in the middle.
    pub fn new(source: SourceId, index: usize) -> Self {
        let (at, frame) = (Vec2::splat(0.5), None);
        Self { source, index, ended: false, at, frame, focused: false, seen: true }
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

/// Adds the view that is needed to pick a color. Picking ends when the canvas is no longer drawn.
pub fn looks_at(pick: &mut Option<ColorPick>, views: &mut BTreeMap<ViewOf, ViewDetail>) {
    let Some(it) = pick.as_mut().filter(|it| !it.ended) else { return };
    if std::mem::take(&mut it.seen) {
        views.insert(ViewOf::BeforeFilter(it.source, it.index), ViewDetail::Full);
    } else {
        *pick = None;
    }
}

/// Draws the frame in `rect`, of which `room` is visible, and picks the color. Returns false if the
/// user is not picking a color. `like` is a frame view with the same renderer.
pub fn show(
    ui: &Ui,
    view: &mut View<'_>,
    pick: &mut Option<ColorPick>,
    like: &FrameView,
    (rect, room): (Rect, Rect),
) -> bool {
    let Some(it) = pick.as_mut().filter(|it| !it.ended) else { return false };
    let (source, index) = (it.source, it.index);
    let mut slots = view.snapshot.scenes.collection.filters(source).to_vec();
    let Some(key_color) = slots.get_mut(index).and_then(|slot| slot.filter.color()) else {
        // The filter was removed.
        *pick = None;
        return false;
    };
    it.seen = true;
    let response = ui.interact(room, ui.scope_id().with("color-pick"), Sense::click());
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
    if response.has_focus() {
        let filter = EventFilter {
            horizontal_arrows: true,
            vertical_arrows: true,
            escape: true,
            ..EventFilter::default()
        };
        ui.memory_mut(|memory| memory.set_focus_lock_filter(response.id, filter));
        let size = view.snapshot.quality.size;
        it.steer(ui, vec2(size.width as f32, size.height as f32));
    }
    it.at = it.at.clamp(Vec2::ZERO, Vec2::splat(1.0));
    let color = it.frame.as_ref().and_then(|frame| frame.color_at(it.at));

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

    let keyboard = ui.memory(|memory| memory.focused());
    let has_keys = keyboard.is_none_or(|id| id == response.id);
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
