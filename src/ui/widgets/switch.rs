//! A switch, which takes effect at once.

use egui::{CornerRadius, Role, Sense, Stroke, StrokeKind, Ui, WidgetInfo, pos2, vec2};

use crate::ui::style::theme::{Theme, Type, VIDEO_TEXT_COLOR, gap};
use crate::ui::widgets::{focus_ring, label};

/// The size of the switch in points.
const SWITCH_SIZE: egui::Vec2 = vec2(30.0, 18.0);

/// Draws a switch with this accessible name. Returns true if the switch was pressed.
pub fn switch(ui: &mut Ui, theme: &Theme, name: &str, on: bool) -> bool {
    let sense = if ui.is_enabled() { Sense::click() } else { Sense::hover() };
    let (rect, response) = ui.allocate_exact_size(SWITCH_SIZE, sense);
    response.widget_info(|| WidgetInfo::selected(Role::CheckBox, ui.is_enabled(), on, name));
    let radius = CornerRadius::same(9);
    let (ground, border, knob) = match (on, ui.is_enabled()) {
        (true, true) => (theme.accent, theme.accent, VIDEO_TEXT_COLOR),
        (true, false) => (theme.secondary, theme.secondary, theme.panel),
        (false, _) => (theme.raised, theme.secondary, theme.secondary),
    };
    ui.painter().rect(rect, radius, ground, Stroke::new(1.0, border), StrokeKind::Inside);
    let x = if on { rect.right() - 9.0 } else { rect.left() + 9.0 };
    ui.painter().circle_filled(pos2(x, rect.center().y), 6.0, knob);
    focus_ring(ui, theme, &response, 9);
    response.on_hover_text(name).clicked()
}

/// Draws a switch with its name beside it. A non-empty `tip` is the tooltip of the name. Returns
/// true if the switch or its name was pressed.
pub fn named_switch(
    ui: &mut Ui,
    theme: &Theme,
    name: &str,
    tip: &str,
    kind: Type,
    on: bool,
) -> bool {
    let row = ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = gap::S;
        let pressed = switch(ui, theme, name, on);
        // The keyboard reaches only the switch itself.
        let shown = label(ui, name, kind, theme.text).interact(Sense::CLICK);
        let clicked = shown.clicked();
        if !tip.is_empty() {
            shown.on_hover_text(tip);
        }
        pressed || clicked
    });
    row.inner
}
