//! A slider: a thin rail and a round handle.

use std::ops::RangeInclusive;

use egui::{Response, Slider, Ui};

use crate::ui::style::theme::{FOCUS_RING_WIDTH, Theme};
use crate::ui::widgets::focus_in_view;

/// Draws a slider for `value` within `range`. `name` is the accessible name. A double click resets
/// the value to `rest`.
pub fn slider(
    ui: &mut Ui,
    theme: &Theme,
    value: &mut f32,
    range: RangeInclusive<f32>,
    rest: f32,
    name: &str,
    width: f32,
) -> Response {
    let mut response = stepped(ui, theme, value, (range, 0.01), width);
    if response.double_clicked() {
        *value = rest;
        response.mark_changed();
    }
    response.accessible_name(name)
}

/// Draws a slider for a whole number from 0 to 255.
pub fn byte_slider(ui: &mut Ui, theme: &Theme, value: &mut u8, name: &str, width: f32) -> Response {
    let mut number = f32::from(*value);
    let response = stepped(ui, theme, &mut number, (0.0..=255.0, 1.0), width);
    *value = number.round() as u8;
    response.accessible_name(name)
}

fn stepped(
    ui: &mut Ui,
    theme: &Theme,
    value: &mut f32,
    (range, step): (RangeInclusive<f32>, f64),
    width: f32,
) -> Response {
    let (range_start, range_end) = (*range.start(), *range.end());
    let response = ui
        .scope(|ui| {
            ui.spacing_mut().slider_width = width;
            ui.spacing_mut().interact_size.y = 20.0;
            let widgets = &mut ui.visuals_mut().widgets;
            // The handle has the text color, and the rail has the line color.
            widgets.inactive.bg_fill = theme.line;
            for widget in [&mut widgets.inactive, &mut widgets.hovered, &mut widgets.active] {
                widget.fg_stroke.color = theme.line;
            }
            ui.visuals_mut().selection.bg_fill = theme.secondary;
            ui.add(Slider::new(value, range).show_value(false).step_by(step).smart_aim(false))
        })
        .inner;
    // This draws a solid handle over egui's ring; its radius and travel are those of
    // `egui::Slider`.
    let travel = response.rect.x_range().shrink(response.rect.height() / 2.5);
    let share = (*value - range_start) / (range_end - range_start);
    let at =
        egui::pos2(travel.min + travel.span() * share.clamp(0.0, 1.0), response.rect.center().y);
    let radius = if response.hovered() || response.dragged() { 8.0 } else { 7.0 };
    ui.painter().circle_filled(at, radius, theme.text);
    if response.has_focus() {
        ui.painter().circle_stroke(
            at,
            radius + 3.0,
            egui::Stroke::new(FOCUS_RING_WIDTH, theme.accent),
        );
        focus_in_view(ui, response.id, response.rect);
    }
    response
}
