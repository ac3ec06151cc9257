//! Figures: lines with a name and a value, and a tooltip that explains the figure.

use egui::{Align, Color32, FontId, Response, Role, Sense, Ui, WidgetInfo, pos2, vec2};

use crate::ui::style::icons;
use crate::ui::style::icons::Icon;
use crate::ui::style::theme::{Theme, Type, gap};
use crate::ui::widgets::elided;

/// The minimum gap between the name and the value.
const MIN_VALUE_GAP_POINTS: f32 = 8.0;
/// The size of the mark before a bad value.
const MARK_SIDE_POINTS: f32 = 13.0;

/// Draws one line. The value never shortens the name. If the value does not fit, the tooltip
/// contains the whole value.
pub fn figure(ui: &mut Ui, theme: &Theme, name: &str, value: &str, meaning: &str) -> Response {
    judged_figure(ui, theme, (name, value), meaning, None)
}

/// Draws one line. A bad value has the warning color and a mark, which has this name for screen
/// readers.
pub fn judged_figure(
    ui: &mut Ui,
    theme: &Theme,
    named: (&str, &str),
    meaning: &str,
    mark: Option<&str>,
) -> Response {
    line(ui, theme, named, meaning, mark, |_, value, _, _| value.to_owned())
}

/// Draws one line with a file name. If the file name does not fit, its middle is left out, because
/// recordings differ at the end of their names.
pub fn file_figure(ui: &mut Ui, theme: &Theme, named: (&str, &str), path: &str) -> Response {
    line(ui, theme, named, path, None, without_middle)
}

/// Draws one line. `shorten` returns the value for a room of this width.
fn line(
    ui: &mut Ui,
    theme: &Theme,
    (name, value): (&str, &str),
    meaning: &str,
    mark: Option<&str>,
    shorten: impl FnOnce(&Ui, &str, &FontId, f32) -> String,
) -> Response {
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), 22.0), Sense::hover());
    response.widget_info(|| {
        let mark = mark.map(|mark| format!(" ({mark})")).unwrap_or_default();
        WidgetInfo::labeled(Role::Label, true, format!("{name}: {value}{mark}"))
    });
    let named = elided(ui, rect, Align::Min, name, Type::Figure.font(), theme.secondary);
    let mark_width = mark.map_or(0.0, |_| MARK_SIDE_POINTS + gap::XS);
    let left = named.right() + MIN_VALUE_GAP_POINTS + mark_width;
    let room = rect.with_min_x(left);
    let color = if mark.is_some() { theme.warn } else { theme.text };
    let font = Type::FigureStrong.font();
    let fits = width_of(ui, value, &font) <= room.width();
    let shown = shorten(ui, value, &font, room.width());
    let painted = elided(ui, room, Align::Max, &shown, font, color);
    if mark.is_some() {
        let center = pos2(painted.left() - mark_width / 2.0, rect.center().y);
        icons::paint_at(ui.painter(), Icon::Warning, center, MARK_SIDE_POINTS, color);
    }
    if !fits {
        return response.on_hover_text(format!("{value}\n\n{meaning}"));
    }
    response.on_hover_text(meaning)
}

fn width_of(ui: &Ui, text: &str, font: &FontId) -> f32 {
    let galley = ui.painter().layout_no_wrap(text.to_owned(), font.clone(), Color32::PLACEHOLDER);
    galley.size().x
}

/// Returns a text of at most this width, with an ellipsis in its middle if it is too long.
pub(super) fn without_middle(ui: &Ui, text: &str, font: &FontId, width: f32) -> String {
    let chars: Vec<char> = text.chars().collect();
    let shortened = |kept: usize| {
        let (head, tail) = (kept / 2, kept - kept / 2);
        let start = chars.iter().take(head);
        let end = chars.iter().skip(chars.len() - tail);
        start.chain([&'…']).chain(end).collect::<String>()
    };
    if width_of(ui, text, font) <= width {
        return text.to_owned();
    }
    let (mut least, mut most) = (0, chars.len());
    while least + 1 < most {
        let kept = least.midpoint(most);
        match width_of(ui, &shortened(kept), font) <= width {
            true => least = kept,
            false => most = kept,
        }
    }
    shortened(least)
}

/// Draws a block of figures.
pub fn figures(ui: &mut Ui, theme: &Theme, lines: &[(&str, String, &str)]) {
    ui.scope(|ui| {
        ui.spacing_mut().item_spacing.y = 0.0;
        for (name, value, meaning) in lines {
            figure(ui, theme, name, value, meaning);
        }
    });
}
