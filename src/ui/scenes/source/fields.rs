//! Fields of the inspector: a label with its control below it or at the end of its line.

use std::ops::RangeInclusive;

use egui::{Align, DragValue, Layout, Ui, Vec2, vec2};

use crate::capture::Rgba;
use crate::studio::Command;
use crate::ui::scenes::source::color_button::color_button;
use crate::ui::style::theme::{Type, gap, size};
use crate::ui::view::View;
use crate::ui::widgets::{
    Button, Select, label, menu_item, number_fault, number_field, paragraph, switch, truncated,
};

/// The size of a field for a number, in points.
pub const NUMBER_FIELD_SIZE: Vec2 = vec2(96.0, 26.0);

/// Draws a label, and its control below it.
pub fn line(
    ui: &mut Ui,
    view: &mut View<'_>,
    name: &str,
    control: impl FnOnce(&mut Ui, &mut View<'_>),
) {
    label(ui, name, Type::Small, view.theme.secondary);
    let room = vec2(ui.available_width(), size::SMALL_CONTROL_HEIGHT);
    ui.allocate_ui_with_layout(room, Layout::left_to_right(Align::Center), |ui| control(ui, view));
}

/// Draws a label, and a small control at the end of its line.
pub fn row(
    ui: &mut Ui,
    view: &mut View<'_>,
    name: &str,
    control: impl FnOnce(&mut Ui, &mut View<'_>),
) {
    let room = vec2(ui.available_width(), size::SMALL_CONTROL_HEIGHT);
    let color = view.theme.secondary;
    ui.allocate_ui_with_layout(room, Layout::right_to_left(Align::Center), |ui| {
        control(ui, view);
        ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
            truncated(ui, name, Type::Small, color);
        });
    });
}

/// Draws the explanation of the control above it.
pub fn hint(ui: &mut Ui, view: &View<'_>, text: &str) {
    paragraph(ui, text, Type::Small, view.theme.secondary);
}

/// Draws the reason why something does not work, with a button that tries it again.
pub fn failure(ui: &mut Ui, view: &mut View<'_>, reason: &str) {
    paragraph(ui, reason, Type::Small, view.theme.warn);
    let name = view.texts.get("try-again");
    if Button::new(&name).small().show(ui, view.theme).clicked() {
        view.send(Command::TryAgain);
    }
}

/// Returns the unit in a text such as `{ $count } s`, with the space before it.
pub fn unit(view: &View<'_>, key: &str) -> String {
    view.texts.with(key, &[("count", "".into())])
}

/// Draws a field for a number in this range with its unit.
pub fn figure(
    ui: &mut Ui,
    view: &mut View<'_>,
    key: &'static str,
    field: DragValue<'_>,
    range: RangeInclusive<f64>,
    unit: &str,
) {
    let (name, mut fault) = (view.texts.get(key).to_string(), None);
    row(ui, view, &name, |ui, view| {
        (_, fault) = number_field(ui, view.theme, field, range, (&name, unit), NUMBER_FIELD_SIZE);
    });
    number_fault(ui, view, fault, unit);
}

pub fn flag(ui: &mut Ui, view: &mut View<'_>, key: &'static str, value: &mut bool) {
    let name = view.texts.get(key).to_string();
    row(ui, view, &name, |ui, view| {
        if switch(ui, view.theme, &name, *value) {
            *value = !*value;
        }
    });
}

/// Draws a label, and below it a list of values to choose from.
pub fn choice<T: Copy + PartialEq>(
    ui: &mut Ui,
    view: &mut View<'_>,
    key: &'static str,
    all: &[(&'static str, T)],
    value: &mut T,
) {
    let (name, before) = (view.texts.get(key).to_string(), *value);
    line(ui, view, &name, |ui, view| {
        let texts = view.texts;
        let chosen = all.iter().find(|(_, it)| *it == before).map_or("", |(key, _)| key);
        let (chosen, enabled) = (texts.get(chosen), ui.is_enabled());
        let select = Select { enabled, ..Select::new(&name, &chosen, ui.available_width()) };
        select.show(ui, view.theme, |ui| {
            for (key, one) in all {
                if menu_item(ui, view.theme, &texts.get(key), "", *one == before, true) {
                    *value = *one;
                }
            }
        });
    });
}

/// Draws a switch for an optional value. `begin` is the value that it gets when the user switches
/// it on.
pub fn part<T>(
    ui: &mut Ui,
    view: &mut View<'_>,
    key: &'static str,
    value: &mut Option<T>,
    begin: T,
) {
    let mut on = value.is_some();
    flag(ui, view, key, &mut on);
    match (on, value.is_some()) {
        (true, false) => *value = Some(begin),
        (false, true) => *value = None,
        _ => {}
    }
}

pub fn color(ui: &mut Ui, view: &mut View<'_>, key: &'static str, value: &mut Rgba) {
    let name = view.texts.get(key).to_string();
    row(ui, view, &name, |ui, view| {
        color_button(ui, view, &name, value);
        label(ui, &value.to_string(), Type::Small, view.theme.secondary);
    });
}

/// Draws the heading of a group of fields.
pub fn caption(ui: &mut Ui, view: &View<'_>, text: &str) {
    ui.add_space(gap::S);
    label(ui, text, Type::SmallStrong, view.theme.secondary);
}
