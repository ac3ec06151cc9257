//! Words.

use egui::{
    Align, Align2, Color32, FontId, Label, Layout, Pos2, Rect, Response, RichText, Ui, Vec2,
};

use crate::ui::style::theme::{Theme, Type};

/// One line in the flow of the panel.
pub fn label(ui: &mut Ui, text: &str, kind: Type, color: Color32) -> Response {
    ui.add(Label::new(RichText::new(text).font(kind.font()).color(color)).selectable(false))
}

/// A text over as many lines as it needs.
pub fn paragraph(ui: &mut Ui, text: &str, kind: Type, color: Color32) -> Response {
    ui.add(Label::new(RichText::new(text).font(kind.font()).color(color)).wrap().selectable(false))
}

/// A line in which a name of this size is before what it names.
pub fn named(ui: &mut Ui, theme: &Theme, size: Vec2, name: &str, control: impl FnOnce(&mut Ui)) {
    let room = Vec2::new(ui.available_width(), size.y);
    ui.allocate_ui_with_layout(room, Layout::left_to_right(Align::Center), |ui| {
        ui.allocate_ui_with_layout(size, Layout::left_to_right(Align::Center), |ui| {
            ui.set_min_width(size.x);
            label(ui, name, Type::Small, theme.secondary);
        });
        control(ui);
    });
}

/// The label above a group.
pub fn section(ui: &mut Ui, theme: &Theme, text: &str) -> Response {
    let (rect, response) =
        ui.allocate_exact_size(Vec2::new(ui.available_width(), 20.0), egui::Sense::hover());
    let mut job = egui::text::LayoutJob::simple_singleline(
        text.to_uppercase(),
        Type::Section.font(),
        theme.secondary,
    );
    for section in &mut job.sections {
        section.format.extra_letter_spacing = 0.3;
    }
    let galley = ui.painter().layout_job(job);
    let at = Align2::LEFT_CENTER.anchor_size(rect.left_center(), galley.size());
    ui.painter().galley(at.min, galley, theme.secondary);
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Label, true, text));
    response
}

/// Paints a text at a place, outside the flow; gives its rectangle.
pub fn place(ui: &Ui, at: Pos2, anchor: Align2, text: &str, kind: Type, color: Color32) -> Rect {
    ui.painter().text(at, anchor, text, kind.font(), color)
}

/// Paints a text on one line into `rect`, with an ellipsis where it does not fit.
pub fn elided(ui: &Ui, rect: Rect, align: Align, text: &str, font: FontId, color: Color32) -> Rect {
    let mut job = egui::text::LayoutJob::simple_singleline(text.to_owned(), font, color);
    job.wrap = egui::text::TextWrapping::truncate_at_width(rect.width());
    let galley = ui.painter().layout_job(job);
    let x = match align {
        Align::Min => rect.left(),
        Align::Center => rect.center().x - galley.size().x / 2.0,
        Align::Max => rect.right() - galley.size().x,
    };
    let at = Pos2::new(x, rect.center().y - galley.size().y / 2.0);
    let painted = Rect::from_min_size(at, galley.size());
    ui.painter().galley(at, galley, color);
    painted
}
