//! The level meter: green to −20 dBFS, yellow to −9, red above; a line for the peak that is held, and a scale in
//! decibels.

use egui::{
    Align2, Color32, CornerRadius, Rect, Response, Role, Sense, Ui, Vec2, WidgetInfo, pos2, vec2,
};

use crate::ui::style::theme::{Theme, Type};
use crate::ui::text::format;
use crate::ui::widgets::place;

/// The lowest level shown, in dBFS.
const FLOOR: f32 = -60.0;
const WARN: f32 = -20.0;
const DANGER: f32 = -9.0;
const SCALE: [i32; 5] = [-60, -40, -20, -9, 0];

/// Where a level is on the meter, 0 to 1.
fn place_of(dbfs: f32) -> f32 {
    ((dbfs - FLOOR) / -FLOOR).clamp(0.0, 1.0)
}

/// What a meter shows, in dBFS.
#[derive(Copy, Clone, Debug)]
pub struct Level<'a> {
    /// What it is the level of.
    pub name: &'a str,
    /// The figures in words.
    pub words: &'a str,
    pub peak: f32,
    pub held: f32,
    pub muted: bool,
}

/// What a screen reader is told of a meter.
fn told(response: &Response, shown: &Level<'_>) {
    let level = shown.level();
    response.widget_info(|| WidgetInfo {
        value: Some(f64::from(level.max(FLOOR))),
        current_text_value: Some(shown.words.to_owned()),
        ..WidgetInfo::labeled(Role::Meter, true, shown.name)
    });
}

impl Level<'_> {
    fn level(&self) -> f32 {
        if self.muted { f32::NEG_INFINITY } else { self.peak }
    }
}

/// The colors of a meter and where each begins and ends, in dBFS.
fn zones(theme: &Theme) -> [(f32, f32, Color32); 3] {
    [(FLOOR, WARN, theme.good), (WARN, DANGER, theme.warn), (DANGER, 0.0, theme.live)]
}

/// Paints the bar; `part` gives the rectangle between two levels, as parts of the whole.
fn bar(ui: &Ui, theme: &Theme, shown: &Level<'_>, bar: Rect, part: impl Fn(f32, f32) -> Rect) {
    let (level, painter) = (shown.level(), ui.painter());
    painter.rect_filled(bar, CornerRadius::same(3), theme.raised);
    for (from, to, color) in zones(theme) {
        if level > from {
            let lit = part(place_of(from), place_of(level.min(to)));
            painter.rect_filled(lit, CornerRadius::same(if from == FLOOR { 3 } else { 0 }), color);
        }
    }
    if shown.held > FLOOR && !shown.muted {
        let at = place_of(shown.held);
        let line = part(at, at).expand2(vec2(1.0, 1.0)).intersect(bar);
        painter.rect_filled(line, CornerRadius::ZERO, theme.text);
    }
}

/// A horizontal meter with its scale, `width` points wide and 28 high.
pub fn meter(ui: &mut Ui, theme: &Theme, shown: &Level<'_>, width: f32) -> Response {
    let (rect, response) = ui.allocate_exact_size(vec2(width, 28.0), Sense::hover());
    told(&response, shown);
    let room = Rect::from_min_size(rect.min, vec2(width, 12.0));
    let at = |part: f32| room.left() + room.width() * part;
    bar(ui, theme, shown, room, |from, to| {
        Rect::from_x_y_ranges(at(from)..=at(to), room.y_range())
    });
    for mark in SCALE {
        let anchor = match mark {
            -60 => Align2::LEFT_TOP,
            0 => Align2::RIGHT_TOP,
            _ => Align2::CENTER_TOP,
        };
        let text = format::signed(f64::from(mark), 0, false);
        let at = pos2(at(place_of(mark as f32)), room.bottom() + 3.0);
        place(ui, at, anchor, &text, Type::Tiny, theme.secondary);
    }
    response
}

/// An upright meter of this size, without a scale.
pub fn upright_meter(ui: &mut Ui, theme: &Theme, shown: &Level<'_>, size: Vec2) -> Response {
    let (room, response) = ui.allocate_exact_size(size, Sense::hover());
    told(&response, shown);
    let at = |part: f32| room.bottom() - room.height() * part;
    bar(ui, theme, shown, room, |from, to| {
        Rect::from_x_y_ranges(room.x_range(), at(to)..=at(from))
    });
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_stand_where_they_belong() {
        assert!((place_of(-60.0)).abs() < 1e-6);
        assert!((place_of(0.0) - 1.0).abs() < 1e-6);
        assert!((place_of(6.0) - 1.0).abs() < 1e-6);
        assert!((place_of(f32::NEG_INFINITY)).abs() < 1e-6);
        assert!((place_of(-30.0) - 0.5).abs() < 1e-6);
    }
}
