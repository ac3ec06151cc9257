//! The position and zoom of the frame in its area. Either the whole frame fits the area, or the
//! frame has a chosen scale and position. The wheel with Ctrl, or a pinch, zooms around the
//! pointer. The wheel, or a drag with the middle button or the space bar, moves a frame with a
//! chosen scale.

use egui::{
    Align2, CornerRadius, CursorIcon, PointerButton, Pos2, Rect, Response, Role, Sense, Ui, Vec2,
    WidgetInfo, pos2, vec2,
};

use crate::media::Size;
use crate::ui::style::theme::{TEXT_PLATE, Theme, Type, VIDEO_TEXT_COLOR, gap};
use crate::ui::video::fitted;
use crate::ui::view::View;
use crate::ui::widgets::{focus_ring, place};

/// The range of scales, in display pixels per program pixel.
const SCALE_RANGE: std::ops::RangeInclusive<f32> = 0.1..=8.0;
/// The scales at which the zoom commands stop.
const SCALE_STOPS: [f32; 11] = [0.1, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0];

/// The position and size at which the frame was last drawn.
#[derive(Copy, Clone, Debug)]
struct DrawnAt {
    room: Rect,
    size: Size,
    pixels_per_point: f32,
}

/// The zoom of the canvas.
#[derive(Copy, Clone, Debug)]
pub struct CanvasZoom {
    /// Display pixels per program pixel; `None` fits the whole frame.
    scale: Option<f32>,
    /// The point of the frame in the middle of the area, 0…1 in each direction.
    middle: Pos2,
    drawn: Option<DrawnAt>,
    /// True while a drag moves the frame.
    moving: bool,
}

impl Default for CanvasZoom {
    fn default() -> Self {
        Self { scale: None, middle: pos2(0.5, 0.5), drawn: None, moving: false }
    }
}

impl CanvasZoom {
    /// Returns true if the whole frame fits the area.
    pub fn fits(&self) -> bool {
        self.scale.is_none()
    }

    /// Returns the rectangle of a frame of this size, which may extend beyond the area.
    pub fn place(&mut self, room: Rect, size: Size, pixels_per_point: f32) -> Rect {
        let drawn = DrawnAt { room, size, pixels_per_point };
        self.drawn = Some(drawn);
        self.rect(drawn)
    }

    fn rect(&self, DrawnAt { room, size, pixels_per_point }: DrawnAt) -> Rect {
        let (width, height) = (size.width.max(1) as f32, size.height.max(1) as f32);
        let Some(scale) = self.scale else { return fitted(room, width / height, pixels_per_point) };
        let seen = vec2(width, height) * scale / pixels_per_point;
        let corner = room.center() - self.middle.to_vec2() * seen;
        let whole = |points: f32| (points * pixels_per_point).round() / pixels_per_point;
        Rect::from_min_size(pos2(whole(corner.x), whole(corner.y)), seen)
    }

    /// Returns the scale at which the frame was last drawn.
    fn scale_now(&self) -> f32 {
        self.drawn.map_or(1.0, |drawn| {
            self.rect(drawn).width() * drawn.pixels_per_point / drawn.size.width.max(1) as f32
        })
    }

    /// Returns the scale in percent.
    pub fn percent(&self) -> u32 {
        (self.scale_now() * 100.0).round() as u32
    }

    /// Fits the whole frame.
    pub fn fit(&mut self) {
        (self.scale, self.middle) = (None, pos2(0.5, 0.5));
    }

    /// Sets this scale around the middle of the area.
    pub fn set(&mut self, scale: f32) {
        if let Some(drawn) = self.drawn {
            self.set_around(drawn.room.center(), scale);
        }
    }

    /// Zooms in or out by one step.
    pub fn step(&mut self, larger: bool) {
        let now = self.scale_now();
        // A scale that is very close to a step counts as having reached it.
        let next = if larger {
            SCALE_STOPS.into_iter().find(|step| *step > now * 1.01)
        } else {
            SCALE_STOPS.into_iter().rfind(|step| *step < now * 0.99)
        };
        if let Some(next) = next {
            self.set(next);
        }
    }

    /// Sets the scale so that this point of the window keeps its content.
    fn set_around(&mut self, at: Pos2, scale: f32) {
        let Some(drawn) = self.drawn else { return };
        let before = self.rect(drawn);
        let part = (at - before.min) / before.size().max(Vec2::splat(f32::MIN_POSITIVE));
        self.scale = Some(scale.clamp(*SCALE_RANGE.start(), *SCALE_RANGE.end()));
        let size = self.rect(drawn).size();
        self.move_to(pos2(0.0, 0.0) + part + (drawn.room.center() - at) / size);
    }

    /// Centers the area on this point, clamped to the frame.
    fn move_to(&mut self, middle: Pos2) {
        self.middle = middle.clamp(pos2(0.0, 0.0), pos2(1.0, 1.0));
    }

    fn move_by(&mut self, by: Vec2) {
        if let Some(drawn) = self.drawn.filter(|_| !self.fits()) {
            let size = self.rect(drawn).size().max(Vec2::splat(f32::MIN_POSITIVE));
            self.move_to(self.middle - by / size);
        }
    }

    /// Handles the wheel and the pointer over the frame. Returns true if a drag moves the frame
    /// rather than an item. `space` is true if the space bar is held for moving the frame.
    pub(super) fn steer(&mut self, ui: &Ui, response: &Response, space: bool) -> bool {
        let before = (self.scale, self.middle);
        let pointer = ui.ctx().pointer_latest_pos().filter(|_| response.contains_pointer());
        if let Some(at) = pointer {
            let factor = ui.input(|input| input.zoom_delta());
            if factor != 1.0 {
                self.set_around(at, self.scale_now() * factor);
            }
            if !self.fits() {
                // The wheel must not also scroll the surrounding page.
                let by = ui.input_mut(|input| std::mem::take(&mut input.smooth_scroll_delta));
                self.move_by(by);
            }
        }
        let begun = response.drag_started_by(PointerButton::Middle)
            || (space && response.drag_started_by(PointerButton::Primary));
        self.moving |= begun;
        if self.moving {
            self.move_by(response.drag_delta());
            ui.ctx().set_cursor_icon(CursorIcon::Grabbing);
        } else if space && response.hovered() {
            ui.ctx().set_cursor_icon(CursorIcon::Grab);
        }
        // The frame of the scene was already painted in this pass, so the window is painted again.
        if before != (self.scale, self.middle) {
            ui.ctx().request_repaint();
        }
        let moving = self.moving;
        if response.drag_stopped() || !response.dragged() {
            self.moving = false;
        }
        moving
    }
}

/// Draws the current scale in a corner of the visible area unless the whole frame fits the area. A
/// click on the scale fits the whole frame.
pub fn readout(ui: &mut Ui, view: &View<'_>, zoom: &mut CanvasZoom, seen: Rect) {
    if zoom.fits() {
        return;
    }
    let percent = zoom.percent().to_string();
    let text = view.texts.with("zoom-percent", &[("percent", percent.clone().into())]);
    let name = view.texts.with("zoom-readout", &[("percent", percent.into())]);
    let size =
        ui.painter().layout_no_wrap(text.clone(), Type::Small.font(), VIDEO_TEXT_COLOR).size();
    let size = size + vec2(16.0, 10.0);
    let corner = seen.right_top() + vec2(-gap::S - size.x, gap::S);
    let plate = Rect::from_min_size(corner, size);
    let response = ui.interact(plate, ui.scope_id().with("zoom"), Sense::click());
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, &name));
    let fill = if response.hovered() { Theme::DARK.raised } else { TEXT_PLATE };
    ui.painter().rect_filled(plate, CornerRadius::same(4), fill);
    place(ui, plate.center(), Align2::CENTER_CENTER, &text, Type::Small, VIDEO_TEXT_COLOR);
    focus_ring(ui, &Theme::DARK, &response, 4);
    if response.on_hover_text(name).clicked() {
        zoom.fit();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CANVAS_RECT: Rect = Rect { min: pos2(100.0, 50.0), max: pos2(740.0, 410.0) };
    const SIZE_720P: Size = Size::new(1280, 720);

    fn zoom() -> CanvasZoom {
        let mut zoom = CanvasZoom::default();
        zoom.place(CANVAS_RECT, SIZE_720P, 1.0);
        zoom
    }

    #[test]
    fn what_is_under_the_pointer_stays_there() {
        for at in [pos2(200.0, 100.0), pos2(420.0, 230.0), pos2(700.0, 400.0)] {
            let mut zoom = zoom();
            for factor in [1.3, 1.7, 0.9, 1.2] {
                let before = zoom.place(CANVAS_RECT, SIZE_720P, 1.0);
                zoom.set_around(at, zoom.scale_now() * factor);
                let after = zoom.place(CANVAS_RECT, SIZE_720P, 1.0);
                let part = |rect: Rect| (at - rect.min) / rect.size();
                // The difference is only the rounding to whole pixels.
                let off = (part(after) - part(before)) * after.size();
                assert!(off.length() < 1.5, "{at:?} {factor}: {off:?}");
            }
        }
    }

    #[test]
    fn the_scale_is_of_pixels_of_the_program_and_bounded() {
        let mut zoom = zoom();
        assert_eq!((zoom.percent(), zoom.fits()), (50, true));
        zoom.set(1.0);
        assert_eq!(zoom.place(CANVAS_RECT, SIZE_720P, 1.0).size(), vec2(1280.0, 720.0));
        assert_eq!(zoom.place(CANVAS_RECT, SIZE_720P, 2.0).size(), vec2(640.0, 360.0));
        assert_eq!(zoom.percent(), 100);
        zoom.place(CANVAS_RECT, SIZE_720P, 1.0);
        for _ in 0..30 {
            zoom.step(true);
        }
        assert_eq!(zoom.percent(), 800);
        for _ in 0..30 {
            zoom.step(false);
        }
        assert_eq!(zoom.percent(), 10);
        zoom.fit();
        zoom.place(CANVAS_RECT, SIZE_720P, 1.0);
        zoom.step(true);
        assert_eq!(zoom.percent(), 75, "from what fits to the next step");
        // An invalid size has no effect.
        assert!(zoom.place(CANVAS_RECT, Size::new(0, 0), 1.0).is_finite());
    }

    #[test]
    fn the_frame_cannot_be_lost() {
        let mut zoom = zoom();
        zoom.move_by(vec2(500.0, 500.0));
        assert_eq!(
            zoom.place(CANVAS_RECT, SIZE_720P, 1.0),
            fitted(CANVAS_RECT, 16.0 / 9.0, 1.0),
            "it all fits"
        );
        zoom.set(2.0);
        for by in [vec2(1e6, -1e6), vec2(-1e7, 1e7)] {
            zoom.move_by(by);
            let rect = zoom.place(CANVAS_RECT, SIZE_720P, 1.0);
            assert!(rect.expand(1.0).contains(CANVAS_RECT.center()), "{by:?}: {rect:?}");
        }
        let before = zoom.place(CANVAS_RECT, SIZE_720P, 1.0).min;
        zoom.move_by(vec2(30.0, -20.0));
        assert_eq!(zoom.place(CANVAS_RECT, SIZE_720P, 1.0).min - before, vec2(30.0, -20.0));
    }
}
