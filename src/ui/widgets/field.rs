//! Text fields.

use egui::{
    Align2, CornerRadius, Margin, Response, Stroke, StrokeKind, TextEdit, Ui, UiBuilder, vec2,
};

use crate::ui::style::icons::Icon;
use crate::ui::style::theme::{BORDER, FOCUS, RADIUS, Theme, Type, gap, size};
use crate::ui::widgets::{ButtonWeight, icon_button};

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
        }
        shown.inner
    }
}
