//! The field for a color: a button with the color, whose popup has a slider for each channel and a
//! field for the hex code. egui's own color picker has English texts, and a symbol that onair's fonts
//! lack.

use egui::color_picker::show_color_at;
use egui::{
    Color32, CornerRadius, Id, Key, Response, Role, Sense, Stroke, StrokeKind, Ui, Vec2,
    WidgetInfo, vec2,
};

use crate::capture::Rgba;
use crate::ui::input::actions::key;
use crate::ui::style::theme::{BORDER_WIDTH, CONTROL_RADIUS, Type};
use crate::ui::view::View;
use crate::ui::widgets::{Field, byte_slider, focus_ring, label, named, paragraph, popup, section};

const POPUP_WIDTH_POINTS: f32 = 260.0;
/// The size of the name of a channel, in points.
const CHANNEL_NAME_SIZE: Vec2 = vec2(64.0, 24.0);
/// The width of the number after a slider, in points.
const NUMBER_WIDTH_POINTS: f32 = 36.0;
/// Maximum number of characters that can be typed.
const MAX_CODE_CHARS: usize = 32;

/// The text in the field for the hex code, while it has the keyboard focus or is not a color.
#[derive(Clone, Debug)]
struct TypedCode {
    text: String,
    /// The color that applies.
    color: Rgba,
    /// The color before, which the field gets until its owner has the new one.
    before: Rgba,
}

/// Draws the button for a color with an opacity.
pub fn color_button(ui: &mut Ui, view: &View<'_>, name: &str, color: &mut Rgba) {
    draw(ui, view, name, color, true);
}

/// Draws the button for an opaque color.
pub fn opaque_color_button(ui: &mut Ui, view: &View<'_>, name: &str, color: &mut [u8; 3]) {
    let [red, green, blue] = *color;
    let mut opaque = Rgba::opaque(red, green, blue);
    draw(ui, view, name, &mut opaque, false);
    *color = [opaque.red, opaque.green, opaque.blue];
}

fn draw(ui: &mut Ui, view: &View<'_>, name: &str, color: &mut Rgba, has_opacity: bool) {
    let button = swatch(ui, view, name, *color);
    let id = button.id.with("code");
    let mut confirmed = false;
    let is_open = popup(&button, view.theme, POPUP_WIDTH_POINTS, |ui| {
        channels(ui, view, color, has_opacity);
        confirmed = code(ui, view, id, color, has_opacity);
        if confirmed {
            ui.close();
        }
    });
    if !is_open {
        ui.data_mut(|data| data.remove::<TypedCode>(id));
    } else if confirmed || ui.input(|input| input.key_pressed(Key::Escape)) {
        button.request_focus();
    }
}

fn swatch(ui: &mut Ui, view: &View<'_>, name: &str, color: Rgba) -> Response {
    let size = ui.spacing().interact_size;
    let (rect, response) = ui.allocate_exact_size(size, Sense::click());
    response.widget_info(|| WidgetInfo {
        current_text_value: Some(color.to_string()),
        ..WidgetInfo::labeled(Role::ColorWell, ui.is_enabled(), name)
    });
    let [red, green, blue, alpha] = color.channels();
    let shown = Color32::from_rgba_unmultiplied(red, green, blue, alpha);
    let inside = rect.shrink(BORDER_WIDTH);
    if shown.is_opaque() {
        ui.painter().rect_filled(inside, CONTROL_RADIUS, shown);
    } else {
        show_color_at(ui.painter(), shown, inside);
    }
    let border = if response.hovered() { view.theme.secondary } else { view.theme.line };
    let border = Stroke::new(BORDER_WIDTH, border);
    ui.painter().rect_stroke(rect, CornerRadius::same(CONTROL_RADIUS), border, StrokeKind::Inside);
    focus_ring(ui, view.theme, &response, CONTROL_RADIUS);
    response
}

fn channels(ui: &mut Ui, view: &View<'_>, color: &mut Rgba, has_opacity: bool) {
    let Rgba { red, green, blue, alpha } = color;
    let channels = [
        (key!("color-red"), red),
        (key!("color-green"), green),
        (key!("color-blue"), blue),
        (key!("color-opacity"), alpha),
    ];
    for (key, value) in channels.into_iter().take(if has_opacity { 4 } else { 3 }) {
        let name = view.texts.get(key);
        named(ui, view.theme, CHANNEL_NAME_SIZE, &name, |ui| {
            let width = ui.available_width() - NUMBER_WIDTH_POINTS;
            byte_slider(ui, view.theme, value, &name, width);
            label(ui, &value.to_string(), Type::FigureStrong, view.theme.text);
        });
    }
}

/// Draws the field for the hex code. Returns true if the user confirmed a color with Enter.
fn code(ui: &mut Ui, view: &View<'_>, id: Id, color: &mut Rgba, has_opacity: bool) -> bool {
    let now = *color;
    let known = ui.data(|data| data.get_temp::<TypedCode>(id));
    let known = known.filter(|known| known.color == now || known.before == now);
    let fresh = || TypedCode { text: now.to_string(), color: now, before: now };
    let mut typed = known.unwrap_or_else(fresh);
    if typed.color == now {
        typed.before = now;
    }
    let name = view.texts.get("color-code");
    section(ui, view.theme, &name);
    let wrong = read_code(&typed.text, has_opacity).is_none();
    let response = Field {
        name: &name,
        wrong,
        limit: MAX_CODE_CHARS,
        width: ui.available_width(),
        ..Field::new(id, &mut typed.text)
    }
    .show(ui, view.theme)
    .response;
    let read = read_code(&typed.text, has_opacity);
    if let Some(read) = read.filter(|_| response.changed()) {
        (typed.color, typed.before, *color) = (read, now, read);
    }
    if read.is_none() {
        let form = if has_opacity { "#RRGGBBAA" } else { "#RRGGBB" };
        let words = view.texts.with("color-wrong", &[("form", form.into())]);
        paragraph(ui, &words, Type::Small, view.theme.warn);
    }
    let entered = response.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
    if entered && read.is_none() {
        response.request_focus();
    }
    if response.has_focus() || read.is_none() {
        ui.data_mut(|data| data.insert_temp(id, typed));
    } else {
        ui.data_mut(|data| data.remove::<TypedCode>(id));
    }
    entered && read.is_some()
}

/// Reads `#RRGGBB` or, for a color with an opacity, `#RRGGBBAA`. The `#` can be missing.
fn read_code(text: &str, has_opacity: bool) -> Option<Rgba> {
    let text = text.trim();
    let digits = text.strip_prefix('#').unwrap_or(text);
    let color: Rgba = format!("#{digits}").parse().ok()?;
    (has_opacity || color.alpha == 255).then_some(color)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_read_with_an_opacity_only_where_the_color_has_one() {
        let color = Rgba { red: 0x10, green: 0x20, blue: 0xAB, alpha: 0x80 };
        let opaque = Rgba { alpha: 255, ..color };
        for (text, with_opacity, without) in [
            ("#1020ab", Some(opaque), Some(opaque)),
            (" 1020AB ", Some(opaque), Some(opaque)),
            ("#1020abff", Some(opaque), Some(opaque)),
            ("#1020ab80", Some(color), None),
            ("##1020ab", None, None),
            ("#1020a", None, None),
            ("#1020ag", None, None),
            ("#", None, None),
            ("", None, None),
            ("红色", None, None),
        ] {
            assert_eq!(read_code(text, true), with_opacity, "{text}");
            assert_eq!(read_code(text, false), without, "{text}");
        }
    }
}
