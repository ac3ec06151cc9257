//! What a camera's driver lets be set: exposure, white balance, focus… in the driver's own words. A
//! control that an automatic one has taken over is shown and cannot be moved.

use egui::{Align, DragValue, Layout, Sense, Ui, vec2};

use crate::capture::CameraControl;
use crate::capture::control::Span;
use crate::compose::scene::SourceId;
use crate::studio::Command;
use crate::ui::theme::{Type, gap};
use crate::ui::view::View;
use crate::ui::widgets::{Button, Select, elided, menu_item, paragraph, switch};

/// Width of a control's name: drivers use many words.
const NAME: f32 = 196.0;
/// Width of lists.
const FIELD: f32 = 200.0;

/// The controls of the camera that this source is.
pub(super) fn contents(ui: &mut Ui, view: &mut View<'_>, source: SourceId) {
    let scenes = &view.snapshot.scenes;
    let device = scenes.source(source).map(|it| it.device.clone()).unwrap_or_default();
    let controls = scenes.controls.get(&device).cloned().unwrap_or_default();
    if controls.is_empty() {
        let text = view.texts.get("camera-no-controls");
        paragraph(ui, &text, Type::Small, view.theme.secondary);
        return;
    }
    for control in controls.iter() {
        if let Some(value) = one(ui, view, control) {
            let camera = device.clone();
            let (control, value) = (control.name.clone(), Some(value));
            view.send(Command::SetCamera { camera, control, value });
        }
    }
    ui.add_space(gap::S);
    let text = view.texts.get("camera-reset");
    if Button::new(&text).small().show(ui, view.theme).clicked() {
        view.send(Command::ResetCamera(device));
    }
}

/// One control; gives the value that is wanted now.
fn one(ui: &mut Ui, view: &mut View<'_>, control: &CameraControl) -> Option<i64> {
    let mut asked = None;
    let room = vec2(ui.available_width(), 28.0);
    ui.allocate_ui_with_layout(room, Layout::left_to_right(Align::Center), |ui| {
        let (rect, response) = ui.allocate_exact_size(vec2(NAME, 28.0), Sense::hover());
        let font = Type::Small.font();
        elided(ui, rect, Align::Min, &control.title, font, view.theme.secondary);
        response.on_hover_text(&control.title);
        match &control.span {
            Span::Switch => {
                let on = control.value != 0;
                ui.add_enabled_ui(control.active, |ui| {
                    if switch(ui, view.theme, &control.title, on) {
                        asked = Some(i64::from(!on));
                    }
                });
            }
            Span::Number { least, most, step } => {
                let mut value = control.value;
                let speed = (*step as f64).max((most - least) as f64 / 400.0);
                let field = DragValue::new(&mut value).range(*least..=*most).speed(speed);
                ui.add_enabled_ui(control.active, |ui| {
                    ui.add_sized([96.0, 26.0], field).accessible_name(&control.title);
                });
                let value = control.span.bounded(value);
                if value != control.value {
                    asked = Some(value);
                }
            }
            Span::Menu(items) => {
                let chosen = items.iter().find(|(value, _)| *value == control.value);
                let select = Select {
                    name: &control.title,
                    chosen: chosen.map_or("", |(_, name)| name),
                    width: FIELD,
                    enabled: control.active,
                    close_on_click: true,
                };
                select.show(ui, view.theme, |ui| {
                    for (value, name) in items {
                        let is_chosen = *value == control.value;
                        if menu_item(ui, view.theme, name, "", is_chosen, true) {
                            asked = Some(*value);
                        }
                    }
                });
            }
        }
    });
    asked
}
