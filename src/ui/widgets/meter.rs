//! The level meter: green to −20 dBFS, yellow to −9, red above; a line for the peak that is held, one
//! along the bar for the RMS; a scale in decibels.

use egui::{Align2, CornerRadius, Rect, Response, Role, Sense, Ui, WidgetInfo, pos2, vec2};

use crate::ui::style::theme::{Theme, Type};
use crate::ui::text::format;
use crate::ui::widgets::place;

/// The lowest level shown, in dBFS.
const FLOOR: f32 = -60.0;
const WARN: f32 = -20.0;
const DANGER: f32 = -9.0;
const SCALE: [i32; 9] = [-60, -50, -40, -30, -20, -15, -9, -5, 0];

/// Where a level stands on the meter, 0 to 1.
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
    pub rms: f32,
    pub muted: bool,
}

/// A horizontal meter with its scale, `width` points wide and 34 high.
pub fn meter(ui: &mut Ui, theme: &Theme, shown: &Level<'_>, width: f32) -> Response {
    let Level { name, words, peak, held, rms, muted } = *shown;
    let (rect, response) = ui.allocate_exact_size(vec2(width, 34.0), Sense::hover());
    let level = if muted { f32::NEG_INFINITY } else { peak };
    response.widget_info(|| WidgetInfo {
        value: Some(f64::from(level.max(FLOOR))),
        current_text_value: Some(words.to_owned()),
        ..WidgetInfo::labeled(Role::Meter, true, name)
    });
    let bar = Rect::from_min_size(rect.min, vec2(width, 16.0));
    let at = |dbfs: f32| bar.left() + bar.width() * place_of(dbfs);
    let painter = ui.painter();
    painter.rect_filled(bar, CornerRadius::same(3), theme.raised);
    for (from, to, color) in
        [(FLOOR, WARN, theme.good), (WARN, DANGER, theme.warn), (DANGER, 0.0, theme.live)]
    {
        let part = Rect::from_x_y_ranges(at(from)..=at(to), bar.y_range());
        // The unlit part hints at the scale.
        painter.rect_filled(part, CornerRadius::ZERO, color.gamma_multiply(0.10));
        if level > from {
            let lit = Rect::from_x_y_ranges(at(from)..=at(level.min(to)), bar.y_range());
            let radius = if from == FLOOR { 3 } else { 0 };
            painter.rect_filled(lit, CornerRadius { nw: radius, sw: radius, ne: 0, se: 0 }, color);
        }
    }
    if rms > FLOOR && !muted {
        let (x, y) = (bar.left()..=at(rms), bar.center().y);
        let line = Rect::from_x_y_ranges(x, y - 2.0..=y + 2.0);
        painter.rect_filled(line, CornerRadius { nw: 0, sw: 0, ne: 2, se: 2 }, theme.text);
    }
    if held > FLOOR && !muted {
        let x = at(held).clamp(bar.left() + 1.0, bar.right() - 1.0);
        painter.rect_filled(
            Rect::from_center_size(pos2(x, bar.center().y), vec2(2.0, bar.height())),
            CornerRadius::ZERO,
            theme.text,
        );
    }
    for mark in SCALE {
        let x = at(mark as f32);
        painter.vline(
            x.clamp(bar.left() + 0.5, bar.right() - 0.5),
            bar.bottom() + 2.0..=bar.bottom() + 5.0,
            theme.border(),
        );
        let anchor = match mark {
            -60 => Align2::LEFT_TOP,
            0 => Align2::RIGHT_TOP,
            _ => Align2::CENTER_TOP,
        };
        let text = format::signed(f64::from(mark), 0, false);
        place(ui, pos2(x, bar.bottom() + 5.0), anchor, &text, Type::Tiny, theme.secondary);
    }
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
