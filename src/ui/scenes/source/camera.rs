//! The format of a camera, and the controls of its driver (exposure, white balance, focus…) with
//! the driver's names. A control that the camera sets automatically is displayed but cannot be
//! changed.

use egui::{DragValue, ScrollArea, Ui};

use crate::capture::camera::control::Span;
use crate::capture::{CameraChoice, CameraControl, CameraFormat, Mode, VideoChoice};
use crate::compose::scene::SourceId;
use crate::studio::scenes::MAIN_SOURCE;
use crate::studio::{Command, Edit};
use crate::ui::scenes::draft::together;
use crate::ui::scenes::source::fields::{NUMBER_FIELD_SIZE, line, row};
use crate::ui::style::theme::{Type, gap};
use crate::ui::text::format::size;
use crate::ui::view::View;
use crate::ui::widgets::{
    Button, Select, menu_item, number_fault, number_field, paragraph, switch,
};

/// Maximum visible height of a list, in points.
const MAX_LIST_HEIGHT_POINTS: f32 = 280.0;

/// Draws the controls of the camera of this source.
pub fn contents(ui: &mut Ui, view: &mut View<'_>, source: SourceId) {
    let scenes = &view.snapshot.scenes;
    let device = scenes.source(source).map(|it| it.device.clone()).unwrap_or_default();
    let controls = scenes.controls.get(&device).cloned().unwrap_or_default();
    formats(ui, view, source, &device);
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

/// Returns the camera choice of a source, or `None` if it is not a camera.
fn chosen(view: &View<'_>, source: SourceId) -> Option<CameraChoice> {
    match view.snapshot.shown_by(source) {
        Some(VideoChoice::Camera(camera)) => Some(camera.clone()),
        _ => None,
    }
}

/// Draws the formats that the camera offers. The chosen format applies to all sources that show the
/// camera.
fn formats(ui: &mut Ui, view: &mut View<'_>, source: SourceId, device: &str) {
    let texts = view.texts;
    let offered = view.snapshot.scenes.formats.get(device).cloned().unwrap_or_default();
    let Some(camera) = chosen(view, source).filter(|_| !offered.is_empty()) else { return };
    let title = |format: &CameraFormat| {
        let fps = format!("{:.2}", format.fps);
        let fps = fps.trim_end_matches('0').trim_end_matches('.').to_owned();
        let rate = texts.with("fps", &[("value", fps.into())]);
        format!("{} · {rate} · {}", size(format.size), format.pixel)
    };
    let now = offered.iter().find(|it| Mode::of(it) == camera.mode);
    let shown = match now {
        Some(format) => title(format),
        // The mode was entered as text, or the camera no longer offers it.
        None if !camera.mode.is_automatic() => camera.mode.to_string(),
        None => texts.get("camera-format-auto").to_string(),
    };
    let name = texts.get("camera-format-label").to_string();
    let mut asked = None;
    line(ui, view, &name, |ui, view| {
        let select = Select::new(&name, &shown, ui.available_width());
        select.show(ui, view.theme, |ui| {
            ScrollArea::vertical().max_height(MAX_LIST_HEIGHT_POINTS).show(ui, |ui| {
                let automatic = texts.get("camera-format-auto");
                let is_automatic = camera.mode.is_automatic();
                if menu_item(ui, view.theme, &automatic, "", is_automatic, true) {
                    asked = Some(Mode::default());
                }
                for format in offered.iter() {
                    let mode = Mode::of(format);
                    let title = title(format);
                    if menu_item(ui, view.theme, &title, "", mode == camera.mode, true) {
                        asked = Some(mode);
                    }
                }
            });
        });
    });
    if let Some(mode) = asked.filter(|mode| *mode != camera.mode) {
        set(view, device, source, mode);
    }
}

/// Sets the mode for every source that shows this camera.
fn set(view: &mut View<'_>, device: &str, source: SourceId, mode: Mode) {
    let scenes = &view.snapshot.scenes;
    let is_it = |id: SourceId| {
        id == source || scenes.source(id).is_some_and(|shown| shown.device == device)
    };
    let mut edits = Vec::new();
    for other in scenes.collection.sources.iter().filter(|it| is_it(it.id)) {
        if let Some(camera) = chosen(view, other.id) {
            let choice = VideoChoice::Camera(CameraChoice { mode, ..camera });
            edits.push(Edit::SetSource(other.id, choice));
        }
    }
    let main = chosen(view, MAIN_SOURCE).filter(|_| is_it(MAIN_SOURCE));
    if let Some(camera) = main {
        view.send(Command::SelectVideo(VideoChoice::Camera(CameraChoice { mode, ..camera })));
    }
    together(view, edits);
}

/// Draws one control. Returns the new value, if it was changed.
fn one(ui: &mut Ui, view: &mut View<'_>, control: &CameraControl) -> Option<i64> {
    let mut asked = None;
    match &control.span {
        Span::Switch => {
            let on = control.value != 0;
            row(ui, view, &control.title, |ui, view| {
                ui.add_enabled_ui(control.active, |ui| {
                    if switch(ui, view.theme, &control.title, on) {
                        asked = Some(i64::from(!on));
                    }
                });
            });
        }
        Span::Number { least, most, step } => {
            let mut value = control.value;
            let speed = (*step as f64).max((most - least) as f64 / 400.0);
            let field = DragValue::new(&mut value).speed(speed);
            let (range, mut fault) = (*least as f64..=*most as f64, None);
            row(ui, view, &control.title, |ui, view| {
                ui.add_enabled_ui(control.active, |ui| {
                    let named = (&*control.title, "");
                    (_, fault) =
                        number_field(ui, view.theme, field, range, named, NUMBER_FIELD_SIZE);
                });
            });
            number_fault(ui, view, fault, "");
            let value = control.span.bounded(value);
            if value != control.value {
                asked = Some(value);
            }
        }
        Span::Menu(items) => {
            let chosen = items.iter().find(|(value, _)| *value == control.value);
            line(ui, view, &control.title, |ui, view| {
                let select = Select {
                    enabled: control.active,
                    ..Select::new(
                        &control.title,
                        chosen.map_or("", |(_, name)| name),
                        ui.available_width(),
                    )
                };
                select.show(ui, view.theme, |ui| {
                    for (value, name) in items {
                        let is_chosen = *value == control.value;
                        if menu_item(ui, view.theme, name, "", is_chosen, true) {
                            asked = Some(*value);
                        }
                    }
                });
            });
        }
    }
    asked
}
