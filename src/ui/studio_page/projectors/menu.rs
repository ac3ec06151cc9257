//! Menu items that open projectors, and the menu of a projector.

use egui::Ui;

use crate::studio::settings::{ProjectorContent, ProjectorPlace, Projectors};
use crate::ui::input::actions::Action;
use crate::ui::studio_page::projectors::display::Display;
use crate::ui::view::{View, WindowRequest};
use crate::ui::widgets::{command_item, menu_item, menu_rule};

/// Maximum number of displays in the menu.
const MAX_DISPLAYS: usize = 6;

/// Returns the text for the content of a projector.
pub(in crate::ui) fn title(view: &View<'_>, shows: ProjectorContent) -> String {
    let texts = view.texts;
    match shows {
        ProjectorContent::Program => texts.get("projector-program").to_string(),
        ProjectorContent::Preview => texts.get("projector-preview").to_string(),
        ProjectorContent::Multiview => texts.get("panel-multiview").to_string(),
        ProjectorContent::Source(id) => match view.snapshot.scenes.collection.source_name(id) {
            "" => texts.get("scenes-main").to_string(),
            name => name.to_owned(),
        },
    }
}

/// Draws the menu items that open a projector on each display and in a window.
pub(in crate::ui) fn lines(
    ui: &mut Ui,
    view: &mut View<'_>,
    displays: &[Display],
    shows: ProjectorContent,
) {
    let what = title(view, shows);
    for display in displays.iter().take(MAX_DISPLAYS) {
        let values = [("what", what.clone().into()), ("display", label(display).into())];
        let text = view.texts.with("projector-on", &values);
        open(ui, view, &text, ProjectorPlace { shows, display: Some(display.name.clone()) });
    }
    let text = view.texts.with("projector-window", &[("what", what.into())]);
    open(ui, view, &text, ProjectorPlace { shows, display: None });
}

fn open(ui: &mut Ui, view: &mut View<'_>, text: &str, place: ProjectorPlace) {
    if menu_item(ui, view.theme, text, "", false, true) {
        ui.close();
        view.request(WindowRequest::Project(place));
    }
}

/// Returns the text for a display: its name and size.
fn label(display: &Display) -> String {
    format!("{} ({}×{})", display.name, display.size.width, display.size.height)
}

/// Draws the menu of a projector: other places, the switch for restoring projectors at the next
/// start, and close.
pub(super) fn of_projector(
    ui: &mut Ui,
    view: &mut View<'_>,
    kept: &mut Projectors,
    displays: &[Display],
    place: &ProjectorPlace,
) {
    lines(ui, view, displays, place.shows);
    menu_rule(ui, view.theme);
    let restore = view.texts.get("projectors-restore");
    if menu_item(ui, view.theme, &restore, "", kept.restore, true) {
        kept.restore ^= true;
        ui.close();
    }
    let close = view.texts.get("projector-close");
    if menu_item(ui, view.theme, &close, "", false, true) {
        ui.close();
        view.request(WindowRequest::CloseProjector(place.clone()));
    }
    let action = Action::CloseProjectors;
    let all = view.texts.get(action.key());
    if command_item(ui, view.theme, action, &all, "", false, None) {
        ui.close();
        view.request(WindowRequest::Act(action));
    }
}
