//! The choice of the monitoring device: off, the default device, or another one.

use egui::{Popup, PopupCloseBehavior, Ui};

use crate::studio::{Command, Monitoring};
use crate::ui::style::icons::Icon;
use crate::ui::view::View;
use crate::ui::widgets::{
    Button, ButtonWeight, Select, menu_frame, menu_item, return_focus, scrolled,
};

/// The width in points from which the button has a text.
const MIN_WIDTH_WITH_TEXT: f32 = 150.0;

/// Returns the name of a choice.
fn words(view: &View<'_>, monitoring: &Monitoring) -> String {
    match monitoring {
        Monitoring::Off => view.texts.get("monitoring-device-off").to_string(),
        Monitoring::Default => view.texts.get("monitoring-device-default").to_string(),
        Monitoring::Device(id) => {
            let known = view.snapshot.speakers.iter().find(|device| device.id == *id);
            known.map_or_else(|| id.clone(), |device| device.name.clone())
        }
    }
}

/// Draws the list of all choices.
fn list(ui: &mut Ui, view: &mut View<'_>) {
    let mut choice = None;
    scrolled(ui, "phones", |ui| {
        let speakers = &view.snapshot.speakers;
        let devices = speakers.iter().map(|device| Monitoring::Device(device.id.clone()));
        for monitoring in [Monitoring::Off, Monitoring::Default].into_iter().chain(devices) {
            let chosen = view.snapshot.monitoring == monitoring;
            if menu_item(ui, view.theme, &words(view, &monitoring), "", chosen, true) {
                choice = Some(monitoring);
            }
        }
    });
    if let Some(monitoring) = choice {
        view.send(Command::SetMonitoring(monitoring));
    }
}

/// Draws the choice as a select field.
pub fn field(ui: &mut Ui, view: &mut View<'_>) {
    let name = view.texts.get("monitoring-device");
    let chosen = words(view, &view.snapshot.monitoring);
    let select = Select::new(&name, &chosen, ui.available_width());
    select.show(ui, view.theme, |ui| list(ui, view));
}

/// Draws the choice as a button of one line. With `leading`, the text is left-aligned.
pub fn button(ui: &mut Ui, view: &mut View<'_>, width: f32, leading: bool) {
    let theme = view.theme;
    let name = view.texts.get("monitoring-device");
    let text = match &view.snapshot.monitoring {
        Monitoring::Off => view.texts.get("monitoring-is-off").to_string(),
        other => words(view, other),
    };
    let called = format!("{name}: {text}");
    // If there is no room for the text, the accessible name and the tooltip contain it.
    let shown = if width < MIN_WIDTH_WITH_TEXT { "" } else { &*text };
    let button = Button::new(shown).small().weight(ButtonWeight::Quiet).icon(Icon::Headphones);
    let button = if leading && !shown.is_empty() { button.leading() } else { button };
    let response = button.width(width).name(&called).show(ui, theme);
    let response =
        response.on_hover_text(format!("{called}\n{}", view.texts.get("tip-monitoring-device")));
    return_focus(&response);
    Popup::menu(&response)
        .width(240.0)
        .close_behavior(PopupCloseBehavior::CloseOnClick)
        .frame(menu_frame(ui.ctx(), theme))
        .show(|ui| {
            ui.set_width(230.0);
            list(ui, view);
        });
}
