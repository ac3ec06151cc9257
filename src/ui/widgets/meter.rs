//! The level meter: green up to −20 dBFS, yellow up to −9 and red above. It has one bar per channel
//! and a line for the held peak, and a scale in decibels.

use egui::{
    Align2, Color32, CornerRadius, Rangef, Rect, Response, Role, Sense, Ui, Vec2, WidgetInfo, pos2,
    vec2,
};

use crate::mix::Reading;
use crate::ui::style::theme::{Theme, Type};
use crate::ui::text::format;
use crate::ui::widgets::place;

/// The lowest level of the scale, in dBFS.
const MIN_LEVEL_DBFS: f32 = -60.0;
const WARN_LEVEL_DBFS: f32 = -20.0;
const DANGER_LEVEL_DBFS: f32 = -9.0;
/// The gap between the bars of left and right.
const BAR_GAP_POINTS: f32 = 2.0;
const SCALE_MARKS_DBFS: [i32; 5] = [-60, -40, -20, -9, 0];
/// The height from which the marks −9 and 0 of a vertical meter do not overlap, in points.
const MIN_CLOSE_MARKS_HEIGHT_POINTS: f32 = 120.0;

/// Returns the position of a level on the meter, 0 to 1.
fn place_of(dbfs: f32) -> f32 {
    ((dbfs - MIN_LEVEL_DBFS) / -MIN_LEVEL_DBFS).clamp(0.0, 1.0)
}

/// The levels of an audio signal, in dBFS.
#[derive(Copy, Clone, Debug)]
pub struct Levels {
    pub peak: f32,
    /// The levels of left and right, if the audio is stereo.
    pub channels: Option<[f32; 2]>,
    pub held: f32,
    pub rms: f32,
}

impl From<Reading> for Levels {
    fn from(reading: Reading) -> Self {
        Self {
            peak: reading.peak_dbfs,
            channels: reading.channels_dbfs,
            held: reading.held_dbfs,
            rms: reading.rms_dbfs,
        }
    }
}

/// The state that a meter displays.
#[derive(Copy, Clone, Debug)]
pub struct Level<'a> {
    /// The name of the source.
    pub name: &'a str,
    /// The levels as a text.
    pub words: &'a str,
    pub levels: Levels,
    pub muted: bool,
}

/// Sets the information about a meter for screen readers.
fn set_meter_info(response: &Response, shown: &Level<'_>) {
    let level = if shown.muted { MIN_LEVEL_DBFS } else { shown.levels.peak };
    response.widget_info(|| WidgetInfo {
        value: Some(f64::from(level.max(MIN_LEVEL_DBFS))),
        current_text_value: Some(shown.words.to_owned()),
        ..WidgetInfo::labeled(Role::Meter, true, shown.name)
    });
}

impl Level<'_> {
    /// Returns the levels of the bars: a single one, or those of left and right.
    fn bars(&self) -> impl ExactSizeIterator<Item = f32> {
        let [one, other] = self.levels.channels.unwrap_or([self.levels.peak; 2]);
        let count = if self.levels.channels.is_some() { 2 } else { 1 };
        let silent = self.muted;
        [one, other]
            .into_iter()
            .take(count)
            .map(move |level| if silent { f32::NEG_INFINITY } else { level })
    }
}

/// Returns the colors of a meter, with the start and end of each zone in dBFS.
fn zones(theme: &Theme) -> [(f32, f32, Color32); 3] {
    let [fine, high, too_high] = theme.meter;
    [
        (MIN_LEVEL_DBFS, WARN_LEVEL_DBFS, fine),
        (WARN_LEVEL_DBFS, DANGER_LEVEL_DBFS, high),
        (DANGER_LEVEL_DBFS, 0.0, too_high),
    ]
}

/// Paints the bars. `part` returns the rectangle between two levels (0 to 1) of a bar, given the
/// bar's index and the number of bars.
fn paint(
    ui: &Ui,
    theme: &Theme,
    shown: &Level<'_>,
    part: impl Fn((usize, usize), f32, f32) -> Rect,
) {
    let (bars, painter) = (shown.bars(), ui.painter());
    let count = bars.len();
    let radius = if count > 1 { 2 } else { 3 };
    for (index, level) in bars.enumerate() {
        let at = (index, count);
        let bar = part(at, 0.0, 1.0);
        painter.rect_filled(bar, CornerRadius::same(radius), theme.raised);
        for (from, to, color) in zones(theme) {
            if level > from {
                let lit = part(at, place_of(from), place_of(level.min(to)));
                let radius = if from == MIN_LEVEL_DBFS { radius } else { 0 };
                painter.rect_filled(lit, CornerRadius::same(radius), color);
            }
        }
        if shown.levels.held > MIN_LEVEL_DBFS && !shown.muted {
            let held = place_of(shown.levels.held);
            let line = part(at, held, held).expand2(vec2(1.0, 1.0)).intersect(bar);
            painter.rect_filled(line, CornerRadius::ZERO, theme.text);
        }
    }
}

/// Returns the range that a bar occupies between `from` and `to`, given the bar's index and the
/// number of bars.
fn across((index, count): (usize, usize), from: f32, to: f32) -> Rangef {
    let width = (to - from - BAR_GAP_POINTS * (count as f32 - 1.0)) / count as f32;
    let begin = from + (width + BAR_GAP_POINTS) * index as f32;
    Rangef::new(begin, begin + width)
}

/// Draws a horizontal meter with its scale, `width` points wide and 28 points high.
pub fn meter(ui: &mut Ui, theme: &Theme, shown: &Level<'_>, width: f32) -> Response {
    let (rect, response) = ui.allocate_exact_size(vec2(width, 28.0), Sense::hover());
    set_meter_info(&response, shown);
    let room = Rect::from_min_size(rect.min, vec2(width, 12.0));
    let at = |part: f32| room.left() + room.width() * part;
    paint(ui, theme, shown, |bar, from, to| {
        Rect::from_x_y_ranges(at(from)..=at(to), across(bar, room.top(), room.bottom()))
    });
    for mark in SCALE_MARKS_DBFS {
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

/// Draws a vertical meter of this size, and its scale on the left, beside the meter.
pub fn upright_meter(ui: &mut Ui, theme: &Theme, shown: &Level<'_>, size: Vec2) -> Response {
    let (room, response) = ui.allocate_exact_size(size, Sense::hover());
    set_meter_info(&response, shown);
    let at = |part: f32| room.bottom() - room.height() * part;
    paint(ui, theme, shown, |bar, from, to| {
        Rect::from_x_y_ranges(across(bar, room.left(), room.right()), at(to)..=at(from))
    });
    let is_tall = room.height() >= MIN_CLOSE_MARKS_HEIGHT_POINTS;
    for mark in SCALE_MARKS_DBFS.into_iter().filter(|mark| is_tall || *mark != -9) {
        let anchor = match mark {
            -60 => Align2::RIGHT_BOTTOM,
            0 => Align2::RIGHT_TOP,
            _ => Align2::RIGHT_CENTER,
        };
        let text = format::signed(f64::from(mark), 0, false);
        let at = pos2(room.left() - 3.0, at(place_of(mark as f32)));
        place(ui, at, anchor, &text, Type::Tiny, theme.secondary);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stereo_has_two_bars_and_mute_empties_both() {
        let levels = Levels { peak: -6.0, channels: Some([-6.0, -12.0]), held: -6.0, rms: -20.0 };
        let shown = Level { name: "", words: "", levels, muted: false };
        assert_eq!(shown.bars().collect::<Vec<_>>(), [-6.0, -12.0]);
        let mono = Level { levels: Levels { channels: None, ..levels }, ..shown };
        assert_eq!(mono.bars().collect::<Vec<_>>(), [-6.0]);
        let muted = Level { muted: true, ..shown };
        assert!(muted.bars().len() == 2 && muted.bars().all(|it| it < MIN_LEVEL_DBFS));
        let (left, right) = (across((0, 2), 10.0, 22.0), across((1, 2), 10.0, 22.0));
        assert_eq!((left, right), (Rangef::new(10.0, 15.0), Rangef::new(17.0, 22.0)));
        assert_eq!(across((0, 1), 10.0, 22.0), Rangef::new(10.0, 22.0));
    }

    #[test]
    fn levels_are_at_their_positions_on_the_scale() {
        assert!((place_of(-60.0)).abs() < 1e-6);
        assert!((place_of(0.0) - 1.0).abs() < 1e-6);
        assert!((place_of(6.0) - 1.0).abs() < 1e-6);
        assert!((place_of(f32::NEG_INFINITY)).abs() < 1e-6);
        assert!((place_of(-30.0) - 0.5).abs() < 1e-6);
    }
}
