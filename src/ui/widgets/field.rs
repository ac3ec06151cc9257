//! Fields for texts and numbers.

use std::cell::{Cell, RefCell};

use egui::{
    Align2, CornerRadius, DragValue, Key, Margin, Response, Stroke, StrokeKind, TextEdit, Ui,
    UiBuilder, Vec2, vec2,
};

use crate::ui::style::icons::Icon;
use crate::ui::style::theme::{BORDER, FOCUS, RADIUS, Theme, Type, gap, size};
use crate::ui::widgets::{ButtonWeight, focus_in_view, icon_button};

/// A single-line text field with a border, and small buttons at its end.
#[derive(Debug)]
pub struct Field<'a> {
    pub id: egui::Id,
    pub text: &'a mut String,
    /// The accessible name.
    pub name: &'a str,
    pub hint: &'a str,
    /// True if the field displays dots instead of characters.
    pub hidden: bool,
    /// True if the field is marked as invalid.
    pub wrong: bool,
    pub limit: usize,
    /// The icon and name of each button.
    pub buttons: &'a [(Icon, &'a str)],
    pub width: f32,
}

/// The events of a field.
#[derive(Debug)]
pub struct FieldOutcome {
    /// The response of the text field.
    pub response: Response,
    /// The index of the pressed button.
    pub pressed: Option<usize>,
}

impl Field<'_> {
    pub fn show(self, ui: &mut Ui, theme: &Theme) -> FieldOutcome {
        let (rect, _) =
            ui.allocate_exact_size(vec2(self.width, size::CONTROL), egui::Sense::hover());
        let frame = ui.painter().add(egui::Shape::Noop);
        let side = 26.0;
        let buttons_width = self.buttons.len() as f32 * side;
        let mut inner = rect.shrink2(vec2(0.0, 1.0));
        inner.max.x -= buttons_width + if self.buttons.is_empty() { 0.0 } else { gap::XS };
        let edit = TextEdit::singleline(self.text)
            .id(self.id)
            .frame(egui::Frame::NONE.inner_margin(Margin::symmetric(10, 0)))
            .font(Type::Body.font())
            .text_color(theme.text)
            .hint_text(egui::RichText::new(self.hint).color(theme.secondary))
            .password(self.hidden)
            .char_limit(self.limit)
            .desired_width(inner.width())
            .min_size(inner.size())
            .align(Align2::LEFT_CENTER);
        let mut child = ui.new_child(UiBuilder::new().max_rect(inner));
        let mut output = edit.show(&mut child);
        if self.hidden {
            // The undo history must not keep a secret text.
            output.state.clear_undoer();
            output.state.store(ui.ctx(), self.id);
        }
        let response = output.response.response.accessible_name(self.name);
        let focused = response.has_focus();
        if focused {
            focus_in_view(ui, self.id, rect);
        }
        let border = if self.wrong {
            Stroke::new(BORDER, theme.warn)
        } else if focused {
            Stroke::new(FOCUS, theme.accent)
        } else if response.hovered() {
            Stroke::new(BORDER, theme.secondary)
        } else {
            theme.border()
        };
        ui.painter().set(
            frame,
            egui::epaint::RectShape::new(
                rect,
                CornerRadius::same(RADIUS),
                theme.raised,
                border,
                StrokeKind::Inside,
            ),
        );
        let mut pressed = None;
        for (index, (icon, name)) in self.buttons.iter().enumerate() {
            let left = rect.right() - gap::XS - buttons_width + index as f32 * side;
            let at = egui::Rect::from_min_size(
                egui::pos2(left, rect.center().y - side / 2.0),
                egui::Vec2::splat(side),
            );
            let mut child = ui.new_child(UiBuilder::new().max_rect(at).id_salt((self.id, index)));
            if icon_button(&mut child, theme, *icon, name, side, ButtonWeight::Quiet).clicked() {
                pressed = Some(index);
            }
        }
        FieldOutcome { response, pressed }
    }
}

/// A text field with several lines and a border, in which longer texts scroll.
#[derive(Debug)]
pub struct TextBox<'a> {
    pub id: egui::Id,
    pub text: &'a mut String,
    /// The accessible name.
    pub name: &'a str,
    pub rows: usize,
    pub limit: usize,
    pub width: f32,
}

impl TextBox<'_> {
    pub fn show(self, ui: &mut Ui, theme: &Theme) -> Response {
        let frame = egui::Frame::new()
            .fill(theme.raised)
            .stroke(theme.border())
            .corner_radius(CornerRadius::same(RADIUS))
            .inner_margin(Margin::symmetric(10, 6));
        let height = Type::Body.font().size * 1.5 * self.rows as f32;
        let shown = frame.show(ui, |ui| {
            let scroll = egui::ScrollArea::vertical().id_salt(self.id).max_height(height);
            let edit = TextEdit::multiline(self.text)
                .id(self.id)
                .frame(egui::Frame::NONE)
                .font(Type::Body.font())
                .text_color(theme.text)
                .char_limit(self.limit)
                .desired_rows(self.rows)
                .desired_width(self.width - 20.0);
            scroll.show(ui, |ui| ui.add(edit)).inner.accessible_name(self.name)
        });
        if shown.inner.has_focus() {
            let (rect, radius) = (shown.response.rect, CornerRadius::same(RADIUS));
            let ring = Stroke::new(FOCUS, theme.accent);
            ui.painter().rect_stroke(rect, radius, ring, StrokeKind::Inside);
            focus_in_view(ui, self.id, rect);
        }
        shown.inner
    }
}

/// Draws a field for a number, which the user can type or drag. Returns true in addition if the text
/// in the field is not a number: the text then stays in the field, and the value remains.
pub fn number_field(
    ui: &mut Ui,
    theme: &Theme,
    field: DragValue<'_>,
    (name, unit): (&str, &str),
    size: Vec2,
) -> (Response, bool) {
    let wrong = ui.next_auto_id().with("wrong");
    let known: Option<(String, f64)> = ui.data(|data| data.get_temp(wrong));
    let (now, typed) = (Cell::new(f64::NAN), RefCell::new(None));
    let formatter = ui.style().number_formatter.clone();
    let field = DragValue::custom_formatter(field, |value, decimals| {
        now.set(value);
        match &known {
            Some((text, of)) if of.to_bits() == value.to_bits() => text.clone(),
            _ => formatter.format(value, decimals),
        }
    });
    let field = field.custom_parser(|text| {
        let value = parse_number(text, unit);
        *typed.borrow_mut() = Some((text.to_owned(), value.is_none()));
        value
    });
    let before = ui.visuals().override_text_color;
    if known.is_some() {
        ui.visuals_mut().override_text_color = Some(theme.warn);
    }
    let response = ui.add(field.suffix(unit).min_size(size)).accessible_name(name);
    ui.visuals_mut().override_text_color = before;
    if response.has_focus() {
        focus_in_view(ui, response.id, response.rect);
    }
    // Escape brings the number back. egui reads the text once more in the next pass.
    let (pass, left) = (ui.ctx().cumulative_pass_nr(), wrong.with("left"));
    if response.lost_focus() && ui.input(|input| input.key_pressed(Key::Escape)) {
        ui.data_mut(|data| data.insert_temp(left, pass));
    }
    let escaped = ui.data(|data| data.get_temp::<u64>(left)).is_some_and(|at| pass <= at + 2);
    let known = match typed.take() {
        _ if escaped => None,
        Some((text, true)) => Some((text, now.get())),
        Some((_, false)) => None,
        None => known.filter(|(_, of)| of.to_bits() == now.get().to_bits()),
    };
    // A half-typed number is not reported.
    let is_wrong = known.as_ref().is_some_and(|(text, _)| {
        !response.has_focus() || text.contains(|it: char| it.is_alphabetic())
    });
    ui.data_mut(|data| {
        if let Some(known) = known {
            data.insert_temp(wrong, known);
        } else {
            data.remove_temp::<(String, f64)>(wrong);
        }
    });
    (response, is_wrong)
}

/// Parses a number, with or without its unit.
fn parse_number(text: &str, unit: &str) -> Option<f64> {
    let text = text.trim();
    let text = text.strip_suffix(unit.trim()).unwrap_or(text);
    let text: String = text.chars().filter(|it| !it.is_whitespace()).collect();
    text.replace('−', "-").parse().ok().filter(|number: &f64| number.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_with_and_without_their_unit() {
        for (text, unit, number) in [
            ("5", "", 5.0),
            (" −1 000.5 px", " px", -1_000.5),
            ("90°", "°", 90.0),
            ("12", "\u{a0}%", 12.0),
            ("12 %", "\u{a0}%", 12.0),
        ] {
            assert_eq!(parse_number(text, unit), Some(number), "{text}");
        }
        for text in ["", "x", "1e999", "nan", "inf", "1,5", "5 px"] {
            assert_eq!(parse_number(text, "°"), None, "{text}");
        }
    }
}
