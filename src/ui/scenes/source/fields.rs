//! Fields that several properties have.

use egui::{DragValue, Ui};

use crate::capture::Rgba;
use crate::ui::scenes::filters::line;
use crate::ui::style::theme::Type;
use crate::ui::view::View;
use crate::ui::widgets::{label, switch};

/// A number in its field.
pub(in crate::ui::scenes) fn figure(
    ui: &mut Ui,
    view: &mut View<'_>,
    key: &'static str,
    field: DragValue<'_>,
) {
    let name = view.texts.get(key).to_string();
    line(ui, view, &name, |ui, _| {
        ui.add_sized([96.0, 26.0], field).accessible_name(&name);
    });
}

pub(in crate::ui::scenes) fn flag(
    ui: &mut Ui,
    view: &mut View<'_>,
    key: &'static str,
    value: &mut bool,
) {
    let name = view.texts.get(key).to_string();
    line(ui, view, &name, |ui, view| {
        if switch(ui, view.theme, &name, *value) {
            *value = !*value;
        }
    });
}

/// A part that can be left out, and what it is when it is switched on.
pub(in crate::ui::scenes) fn part<T>(
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

pub(in crate::ui::scenes) fn color(
    ui: &mut Ui,
    view: &mut View<'_>,
    key: &'static str,
    value: &mut Rgba,
) {
    let name = view.texts.get(key).to_string();
    line(ui, view, &name, |ui, view| {
        let mut channels = value.channels();
        ui.color_edit_button_srgba_unmultiplied(&mut channels).accessible_name(&name);
        let [red, green, blue, alpha] = channels;
        *value = Rgba { red, green, blue, alpha };
        label(ui, &value.to_string(), Type::Small, view.theme.secondary);
    });
}
