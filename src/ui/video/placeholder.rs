//! The placeholder for a missing frame.

use egui::{Align, Align2, Rect, Role, Sense, Ui, UiBuilder, WidgetInfo, pos2, vec2};

use crate::ui::style::icons;
use crate::ui::style::icons::Icon;
use crate::ui::style::theme::{Type, VIDEO_SECONDARY_TEXT_COLOR, VIDEO_TEXT_COLOR, gap};
use crate::ui::widgets::{Button, Wrapped, place};

/// Draws a text with a button in place of a frame. Returns true if the button was pressed.
pub fn placeholder(
    ui: &mut Ui,
    rect: Rect,
    icon: Icon,
    title: &str,
    advice: &str,
    button: Option<Button<'_>>,
) -> bool {
    let middle = rect.center() - vec2(0.0, if button.is_some() { 24.0 } else { 0.0 });
    let at = middle - vec2(0.0, 40.0);
    icons::paint_at(ui.painter(), icon, at, 40.0, VIDEO_SECONDARY_TEXT_COLOR);
    place(ui, middle + vec2(0.0, 4.0), Align2::CENTER_CENTER, title, Type::Title, VIDEO_TEXT_COLOR);
    let width = (rect.width() - 2.0 * gap::XL).clamp(1.0, 440.0);
    let (color, most) = (VIDEO_SECONDARY_TEXT_COLOR, f32::INFINITY);
    let words = Wrapped::new(ui, advice, Type::Body, color, width, most, Align::Center);
    let at = words.paint(ui, middle + vec2(-width / 2.0, 20.0));
    let bottom = at.bottom();
    for title in [title, advice] {
        let id = ui.scope_id().with(("placeholder", title));
        ui.interact(at, id, Sense::hover())
            .widget_info(|| WidgetInfo::labeled(Role::Label, true, title));
    }
    let Some(button) = button else {
        return false;
    };
    let room = Rect::from_center_size(pos2(middle.x, bottom + gap::L + 17.0), vec2(220.0, 34.0));
    let mut child = ui.new_child(
        UiBuilder::new()
            .max_rect(room)
            .layout(egui::Layout::top_down(egui::Align::Center))
            .id_salt("placeholder-button"),
    );
    // The area of the frame is dark in both themes.
    button.show(&mut child, &crate::ui::style::theme::Theme::DARK).clicked()
}
