//! Clip lamps: a lamp lights when the audio reaches full scale, and stays lit until the user clears
//! it.

use egui::{Align2, CornerRadius, Rect, Role, Sense, Stroke, StrokeKind, Ui, WidgetInfo};

use crate::mix::StripLamp;
use crate::studio::Command;
use crate::ui::style::theme::{BORDER_WIDTH, CONTROL_RADIUS, Type};
use crate::ui::view::View;
use crate::ui::widgets::{focus_ring, place};

/// Draws the lit lamp of the source with this name. A click clears the lamp.
pub fn lamp(ui: &mut Ui, view: &mut View<'_>, rect: Rect, name: &str, which: StripLamp) {
    let (theme, texts) = (view.theme, view.texts);
    let response = ui.interact(rect, ui.scope_id().with("clip"), Sense::click());
    let name = texts.with("clip-indicator-on-of", &[("name", name.into())]);
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, &*name));
    let stroke = Stroke::new(BORDER_WIDTH, theme.live);
    let radius = CornerRadius::same(CONTROL_RADIUS);
    ui.painter().rect(rect, radius, theme.live_tint, stroke, StrokeKind::Inside);
    let text = texts.get("clip");
    place(ui, rect.center(), Align2::CENTER_CENTER, &text, Type::SmallStrong, theme.live);
    focus_ring(ui, theme, &response, CONTROL_RADIUS);
    if response.on_hover_text(&*name).clicked() {
        view.send(Command::ClearClip(which));
    }
}
